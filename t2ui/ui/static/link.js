/* The page's state in its address (t2ui/ui/link.py reads it), and texts that are taken along. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.remember) return;
  const opened = new URLSearchParams(location.search);
  const LONGEST = 8000; // characters of an address that servers and mail programs still take
  let ready = false, timer = 0, last = null, missing = "";
  let tab = opened.get("tab") || "ask";
  // The picture's name: a built-in one was clicked or stood in the address; "own" is one that no address can hold.
  let named = opened.get("picture"), namedAt = Date.now(), pictureKey = null, picture = null;

  document.addEventListener("click", (e) => {
    const pick = e.target.closest && e.target.closest("#t2-thumbs [data-pick], #t2-examples [data-pick]");
    if (!pick) return;
    const data = JSON.parse(pick.dataset.pick);
    named = data.picture !== undefined ? String(data.picture + 1) : data.random || !pick.querySelector("img") ? null : `${data.family}-${data.index + 1}`;
    namedAt = Date.now();
  }, true);

  // values: prompt, strategy, soft, temperature, tokens, seed, picture, alphas..., the depth profile's state
  t2.remember = (values) => {
    const [prompt, strategy, soft, temperature, tokens, seed, image, ...alphas] = values, depth = alphas.pop();
    const key = image ? image.url || image.path || "?" : null;
    if (key !== pictureKey) {
      pictureKey = key;
      picture = key === null ? null : named && Date.now() - namedAt < 20000 ? named : "own";
      named = null;
    }
    last = { prompt, strategy, soft, temperature, tokens, seed, alphas, depth };
    later();
  };
  // Straight from the field, too: without a connection gradio hears no change, and the address would stand still.
  document.addEventListener("input", (e) => {
    if (!last || !e.target.closest || !e.target.closest("#t2-prompt")) return;
    last = { ...last, prompt: e.target.value };
    later();
  });
  t2.setTab = (id) => { tab = id; later(); };
  // Until the page has read its own address (a request; ours says linkReady at its end) nothing is written: gradio's own first
  // changes would spoil what stands there. What somebody did in the meantime is not lost, it is written then.
  let touched = false;
  for (const kind of ["input", "click"]) {
    document.addEventListener(kind, (e) => { touched = touched || Boolean(e.target.closest && e.target.closest("#t2-main")); }, true);
  }
  t2.linkReady = () => {
    ready = true;
    if (touched) later();
    t2.putTyped();
  };
  const later = () => {
    if (!ready) return;
    clearTimeout(timer);
    timer = setTimeout(t2.writeLink, 400);
  };

  t2.writeLink = () => {
    clearTimeout(timer);
    const p = new URLSearchParams(location.search); // others' parameters stay
    const set = (key, value) => (value === null || value === undefined || value === "" ? p.delete(key) : p.set(key, value));
    if (last) {
      const known = document.querySelector("[data-t2-names]"), names = known ? JSON.parse(known.dataset.t2Names) : [];
      const mix = names.map((n, i) => [n, Number(last.alphas[i]) || 0]).filter(([, a]) => a).map(([n, a]) => `${n}=${+a.toFixed(4)}`).join(",");
      set("prompt", last.prompt);
      set("strategy", last.strategy === "prompt" ? "" : last.strategy);
      set("soft", last.soft === true || last.soft === "true" ? "1" : "");
      if (names.length) set("mix", mix);
      if (names.length) set("depth", mix ? last.depth : "");
      set("seed", last.seed === null || last.seed === undefined ? "" : String(last.seed));
      set("temperature", Number(last.temperature) ? String(+Number(last.temperature).toFixed(4)) : "");
      set("tokens", Number(last.tokens) === 96 ? "" : String(last.tokens));
      set("picture", picture && picture !== "own" ? picture : "");
    }
    set("tab", tab === "ask" ? "" : tab);
    let query = p.toString();
    missing = query.length > LONGEST && last && last.prompt ? "prompt" : "";
    if (missing) {
      p.delete("prompt");
      query = p.toString();
    }
    const url = location.pathname + (query ? "?" + query : "") + location.hash;
    if (url !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", url);
  };

  // ---- another model's page: the address goes along; a depth profile is of one model's experts, so the other page only hears of it
  const carry = (e) => {
    const a = e.target.closest && e.target.closest("a[data-t2-model]");
    if (!a) return;
    if (ready) t2.writeLink();
    const p = new URLSearchParams(location.search);
    if (p.get("depth")) p.set("depth", "elsewhere");
    const query = p.toString();
    a.href = a.getAttribute("href").split("?")[0] + (query ? "?" + query : "");
  };
  for (const kind of ["click", "auxclick", "contextmenu"]) document.addEventListener(kind, carry, true);
  t2.modelMenu = (element, ask) => {
    const menu = element.querySelector("details");
    const refresh = async () => {
      if (!menu.open || !menu.isConnected) return;
      try {
        for (const [slug, [state, words]] of Object.entries(await ask())) {
          const shown = element.querySelector(`.t2-model-state[data-slug="${slug}"]`);
          if (!shown || shown.dataset.state === state) continue;
          shown.dataset.state = state;
          shown.lastElementChild.textContent = words;
        }
      } catch { /* the server is gone: what stands there was so */ }
      setTimeout(refresh, 2000);
    };
    menu.addEventListener("toggle", refresh);
    element.addEventListener("keydown", (e) => {
      if (e.key !== "Escape" || !menu.open) return;
      e.stopPropagation(); // it would also stop what is running
      menu.open = false;
      menu.querySelector("summary").focus();
    });
    document.addEventListener("click", (e) => { if (menu.open && !element.contains(e.target)) menu.open = false; });
  };

  // ---- files: what the server made is saved as if its link were clicked; a file that was opened names its picture ---------
  t2.saveFile = () => {
    const made = document.querySelector('[data-t2-save="new"]');
    if (!made) return;
    made.dataset.t2Save = "done";
    made.click();
  };
  t2.fileOpened = () => {
    const told = document.querySelector("[data-t2-picture]");
    if (!told) return;
    if (told.dataset.t2Picture) picture = told.dataset.t2Picture;
    later();
  };

  // ---- taken along: the server writes the text, or it is the address; it stands on the page and goes to the clipboard ------
  t2.where = () => JSON.stringify({ tab, picture, missing });
  t2.link = () => { t2.writeLink(); return location.href; };
  t2.copyTaken = () => {
    const box = document.querySelector("#t2-taken .t2-raw"), said = document.querySelector("#t2-taken [data-copied]");
    if (!box) return;
    const hand = () => { // no clipboard here (plain http from another machine): select it
      const range = document.createRange();
      range.selectNodeContents(box);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (said) said.textContent = said.dataset.byHand;
    };
    if (!navigator.clipboard) return hand();
    navigator.clipboard.writeText(box.textContent).then(() => { if (said) said.textContent = said.dataset.copied; }, hand);
  };
})();
