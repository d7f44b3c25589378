/* How the page speaks (Simple or Expert), and whether the paper's formula stands beside ours. Both are the browser's choices:
   the page carries both ways, words.css shows one. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.speak) return;
  const root = document.documentElement;
  const MODES = ["simple", "expert"], NARROW = "(max-width: 640px)"; // as in page.css
  const known = (mode) => (MODES.includes(mode) ? mode : null);

  // ---- Simple or Expert: what the address says, else what was chosen here, else Simple on a phone ------------------
  const press = () => {
    for (const b of document.querySelectorAll('[data-t2="words"]')) b.setAttribute("aria-pressed", String(b.dataset.words === root.dataset.t2Words));
    for (const b of document.querySelectorAll('[data-t2="paper"]')) b.setAttribute("aria-pressed", String(root.dataset.t2Paper === "on"));
  };
  t2.speak = (mode) => {
    root.dataset.t2Words = mode;
    press();
    document.dispatchEvent(new Event("t2:words"));
  };
  const chosen = known(new URLSearchParams(location.search).get("mode")) || known(t2.stored("t2ui-words"));
  t2.speak(chosen || (matchMedia(NARROW).matches ? "simple" : "expert")); // before anything is painted
  if (t2.stored("t2ui-paper") === "on") root.dataset.t2Paper = "on";

  document.addEventListener("click", (e) => {
    const button = e.target.closest && e.target.closest('[data-t2="words"], [data-t2="paper"]');
    if (!button) return;
    if (button.dataset.t2 === "paper") {
      const on = root.dataset.t2Paper !== "on";
      root.dataset.t2Paper = on ? "on" : "";
      t2.stored("t2ui-paper", on ? "on" : "");
      press();
      return;
    }
    const mode = button.dataset.words;
    t2.stored("t2ui-words", mode);
    t2.speak(mode);
    const p = new URLSearchParams(location.search);
    p.set("mode", mode);
    history.replaceState(history.state, "", location.pathname + "?" + p.toString() + location.hash);
  });
  // Times of day in the visitor's own zone. gradio changes texts in place when it draws anew, so what was written is looked at again.
  const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
  let due = false;
  const times = () => {
    due = false;
    for (const time of document.querySelectorAll("time[datetime]")) {
      const local = clock.format(new Date(time.dateTime));
      if (time.textContent !== local) time.textContent = local;
    }
  };
  // Buttons that are drawn later (the header comes with the page's components).
  const start = () => new MutationObserver((changes) => {
    const added = changes.flatMap((c) => [...c.addedNodes]).filter((n) => n.querySelector);
    if (added.some((n) => n.querySelector('[data-t2="words"], [data-t2="paper"]'))) press();
    if (!due) {
      due = true; // many changes between two frames: one look
      requestAnimationFrame(times);
    }
  }).observe(document.body, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ["datetime"] });
  if (document.body) start(); else document.addEventListener("DOMContentLoaded", () => { start(); press(); });
})();
