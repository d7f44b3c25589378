/* First steps (t2ui/ui/guide.py says what each points at and what ends it), and the page's keys. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.guide) return;
  const KEY = "t2ui-guide";
  const card = () => document.querySelector(".t2-guide");
  const part = (name) => card().querySelector(`[data-guide="${name}"]`);
  const steps = () => [...part("steps").children];
  let at = -1, point = null;

  const unpoint = () => { if (point) point.classList.remove("t2-pointed"); point = null; };
  const show = (index) => {
    const all = steps();
    at = Math.max(0, Math.min(index, all.length - 1));
    card().hidden = false;
    part("hello").hidden = true;
    part("steps").hidden = false;
    all.forEach((li, i) => { li.hidden = i !== at; });
    const step = all[at];
    // What was there before the step began does not end it.
    if (!step.dataset.ticked) step.dataset.before = step.dataset.done && document.querySelector(step.dataset.done) ? "yes" : "";
    const tab = document.getElementById(`t2-tab-${step.dataset.tab}-button`);
    if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
    look();
  };
  const look = () => {
    if (at < 0 || !card() || card().hidden) return;
    const step = steps()[at];
    if (!step) return;
    const target = document.querySelector(step.dataset.target);
    if (target !== point && !step.dataset.ticked) {
      unpoint();
      point = target;
      if (point) point.classList.add("t2-pointed");
    }
    if (!step.dataset.done || step.dataset.ticked) return;
    const there = document.querySelector(step.dataset.done);
    if (!there) step.dataset.before = ""; // what was there is gone: the next one is new
    if (there && !step.dataset.before) {
      step.dataset.ticked = "yes";
      const said = step.querySelector(".t2-guide-done");
      said.textContent = "✓ " + said.dataset.said;
      unpoint();
    }
  };
  const close = () => {
    t2.stored(KEY, "closed");
    unpoint();
    at = -1;
    card().hidden = true;
  };
  t2.guide = (what) => {
    if (!card()) return;
    if (what === "open") return card().hidden ? show(0) : close();
    if (what === "start") return show(0);
    if (what === "next" || what === "back") return show(at + (what === "next" ? 1 : -1));
    close();
  };
  document.addEventListener("click", (e) => {
    const button = e.target.closest && e.target.closest('[data-t2="guide"]');
    if (button) t2.guide(button.dataset.do);
  });

  // ---- keys ---------------------------------------------------------------------------------------------------
  const typing = (e) => e.target.closest && e.target.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    if (e.key === "Escape") {
      for (const id of ["t2-stop", "t2-mix-stop", "t2-score-stop", "t2-sweep-stop", "t2-search-stop", "t2-talk-stop"]) {
        const stop = document.getElementById(id);
        if (stop && !stop.disabled) stop.click();
      }
    } else if (e.key === "/" && !typing(e)) {
      const box = document.querySelector("#t2-prompt textarea");
      if (box) { e.preventDefault(); box.focus(); }
    } else if (e.key === "?" && !typing(e)) {
      const list = document.getElementById("t2-keys");
      if (!list) return;
      list.open = !list.open;
      if (list.open) { list.scrollIntoView({ block: "nearest" }); list.querySelector("summary").focus(); }
    }
  });

  let asked = false, offered = false;
  const start = () => new MutationObserver(() => {
    if (asked) return;
    asked = true; // many changes between two frames: one look
    requestAnimationFrame(() => {
      asked = false;
      if (!offered && card()) {
        offered = true;
        card().hidden = t2.stored(KEY) === "closed";
      }
      look();
    });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-stage"] });
  if (document.body) start(); else document.addEventListener("DOMContentLoaded", start);
})();
