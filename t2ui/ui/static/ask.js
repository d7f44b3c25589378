/* The Ask tab without the server: text or tokens, and the numbers behind a token or word on hover and focus. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.setView) return;

  // ---- two views of every answer on the page -----------------------------------------------------------------
  t2.setView = (view) => {
    document.documentElement.dataset.t2View = view;
    for (const button of document.querySelectorAll('[data-t2="view"]')) button.setAttribute("aria-pressed", String(button.dataset.view === view));
  };
  document.addEventListener("click", (e) => {
    const button = e.target.closest && e.target.closest('[data-t2="view"]');
    if (button) t2.setView(button.dataset.view);
  });

  // ---- a thought that was unfolded stays so while its answer is drawn again ------------------------------------------
  const unfolded = new Set();
  const nameOf = (d) => (d.closest("[id]") || document.body).id + " " + d.dataset.thought;
  document.addEventListener("click", (e) => { // also what a key does to a summary; before it opens or closes
    const summary = e.target.closest && e.target.closest("details[data-thought] > summary");
    if (summary) unfolded[summary.parentElement.open ? "delete" : "add"](nameOf(summary.parentElement));
  });
  new MutationObserver(() => {
    if (!unfolded.size) return;
    for (const d of document.querySelectorAll("details[data-thought]:not([open])")) if (unfolded.has(nameOf(d))) d.open = true;
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["open"] });

  // ---- commands to be copied ------------------------------------------------------------------------------------------
  document.addEventListener("click", (e) => {
    const button = e.target.closest && e.target.closest('[data-t2="copy"]');
    if (!button) return;
    const box = button.previousElementSibling;
    const hand = () => { // no clipboard here (plain http from another machine): select it
      getSelection().selectAllChildren(box);
      button.textContent = button.dataset.byHand;
    };
    if (!navigator.clipboard) return hand();
    navigator.clipboard.writeText(box.textContent).then(() => { button.textContent = button.dataset.copied; }, hand);
  });

  // ---- spans with numbers: one tab stop a group, arrow keys move, the words stand below ---------------------------
  const SPAN = '[data-t2="tips"] > [data-tip]';
  const show = (span) => {
    const group = span.parentElement, line = group.nextElementSibling;
    for (const other of group.querySelectorAll(".t2-here")) other.classList.remove("t2-here");
    span.classList.add("t2-here");
    if (line) line.textContent = span.dataset.tip;
  };
  document.addEventListener("mouseover", (e) => {
    const span = e.target.closest && e.target.closest(SPAN);
    if (span) show(span);
  });
  document.addEventListener("focusin", (e) => {
    if (e.target.matches && e.target.matches(SPAN)) show(e.target);
  });
  document.addEventListener("click", (e) => { // a finger has no hover
    const span = e.target.closest && e.target.closest(SPAN);
    if (span) { move(span, span); }
  });
  const move = (from, to) => {
    from.parentElement.querySelectorAll('[tabindex="0"]').forEach((s) => (s.tabIndex = -1));
    to.tabIndex = 0;
    to.focus({ preventScroll: from === to });
  };
  document.addEventListener("keydown", (e) => {
    if (!e.target.matches || !e.target.matches(SPAN)) return;
    const spans = [...e.target.parentElement.querySelectorAll(":scope > [data-tip]")], at = spans.indexOf(e.target);
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: spans.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    if (spans[to]) move(e.target, spans[to]);
  });
})();
