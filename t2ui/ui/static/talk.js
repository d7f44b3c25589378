/* The conversation: what is said last stays in sight while it grows, unless somebody scrolled up to read. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.follow) return;
  const NEAR = 80; // pixels from the end that still count as being there
  t2.follow = (box) => {
    let there = true;
    box.addEventListener("scroll", () => { there = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR; });
    new MutationObserver(() => {
      if (there) box.scrollTop = box.scrollHeight;
      const strip = document.querySelector("#t2-talk-strip .t2-strip");
      if (strip && there) strip.scrollLeft = strip.scrollWidth;
    }).observe(box, { childList: true, subtree: true });
  };
  const start = () => {
    const look = () => {
      const box = document.getElementById("t2-talk-box");
      if (!box || box.dataset.followed) return;
      box.dataset.followed = "true";
      t2.follow(box);
    };
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true }); // tabs mount when they are opened
    look();
  };
  if (document.body) start(); else document.addEventListener("DOMContentLoaded", start);
})();
