/* ?embed=VIEW shows one view alone; ?present=1 plays the storyline (t2ui/ui/story.py) on the real page, with a clicker's keys. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.present) return;
  const params = new URLSearchParams(location.search), root = document.documentElement;
  const VIEWS = ["flow", "mix", "search", "spectra"];
  if (VIEWS.includes(params.get("embed"))) root.dataset.t2Embed = params.get("embed");
  const presenting = ["1", "recorded"].includes(params.get("present"));
  if (presenting) root.dataset.t2Present = "waiting"; // styles from the first paint on

  const $ = (selector) => document.querySelector(selector);
  const sleep = (ms) => new Promise((good) => setTimeout(good, ms));
  const make = (tag, props = {}, ...inside) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...inside);
    return node;
  };
  const type = (element, value) => { // as a hand would: gradio hears of it
    const kind = element instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(element, value);
    element.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const whole = () => { // this page's address for those who do not present
    const address = new URL(t2.link ? t2.link() : location.href);
    for (const key of ["present", "limit", "embed"]) address.searchParams.delete(key);
    return address.href;
  };

  // ---- what a step can do ---------------------------------------------------------------------------------------------------
  class Late extends Error {}
  class Left extends Error {}
  let turn = 0; // a step that is no longer the present one does nothing more
  const until = async (test, end, mine) => {
    for (;;) {
      if (mine !== turn) throw new Left();
      const found = test();
      if (found) return found;
      if (performance.now() > end) throw new Late();
      await sleep(40);
    }
  };
  const usable = (selector) => { const e = $(selector); return e && !e.disabled && e.getAttribute("aria-disabled") !== "true" ? e : null; };
  const slider = (i) => $(`#t2-alpha-${i} input[type=range]`);
  const actions = {
    fill: async (selector, text, end, mine) => { type(await until(() => $(selector), end, mine), text); await sleep(80); },
    click: async (selector, _, end, mine) => { (await until(() => usable(selector), end, mine)).click(); await sleep(60); },
    wait: async (selector, _, end, mine) => { await until(() => $(selector), end, mine); },
    stop: async (selector) => { const button = usable(selector); if (button) { button.click(); await sleep(300); } }, // if it still runs
    open: async (selector, _, end, mine) => {
      const label = await until(() => $(`${selector} > button`), end, mine);
      if (!label.classList.contains("open")) label.click();
      await sleep(120);
    },
    slide: async (i, value, end, mine) => {
      const input = await until(() => slider(i), end, mine), steps = 24, from = Number(input.value);
      for (let k = 1; k <= steps; k++) {
        if (mine !== turn) throw new Left();
        type(input, String(+(from + ((value - from) * k) / steps).toFixed(2)));
        await sleep(60);
      }
    },
    set: async (_, values, end, mine) => {
      for (let i = 0; i < values.length; i++) {
        const input = await until(() => slider(i), end, mine);
        if (Number(input.value) !== values[i]) type(input, String(values[i]));
      }
      await sleep(120);
    },
    choose: async (selector, words, end, mine) => { // gradio's dropdown
      const input = await until(() => $(`${selector} input`), end, mine);
      const same = () => input.value.trim() === words || input.value.trim().endsWith("  " + words);
      if (same()) return;
      input.focus();
      const option = await until(() => [...document.querySelectorAll("[role=option]")].find((o) => (o.getAttribute("aria-label") || o.textContent).replace("✓", "").trim().endsWith(words)), end, mine);
      option.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true }));
      await until(same, end, mine);
      input.blur();
      await sleep(60);
    },
    link: async () => { bar.querySelector(".t2-say-more").textContent = whole(); },
  };

  // ---- the bar, the recorded picture, black ------------------------------------------------------------------------------------
  let story = null, at = -1, bar = null, panel = null, black = null;
  const chip = (how, seconds) => {
    root.dataset.t2How = how;
    const badge = bar.querySelector(".t2-how"), time = seconds === undefined ? "" : ` · ${seconds.toFixed(1)} s`;
    badge.dataset.how = how;
    badge.textContent = how === "none" ? "" : story.words[how] + (how === "live" ? time : "");
    root.dataset.t2Seconds = seconds === undefined ? "" : seconds.toFixed(2);
  };
  const show = (step) => { // the recorded one, over the page, labelled
    const html = story.pictures[step.recorded];
    if (!html) return false;
    panel.innerHTML = `<p class="t2-recorded"><span class="t2-chip"></span> <span></span></p><div class="t2-panel-in"></div>`;
    panel.querySelector(".t2-chip").textContent = story.words.recorded;
    panel.querySelector(".t2-recorded span:last-child").textContent = story.made;
    panel.querySelector(".t2-panel-in").innerHTML = html; // drawn and escaped by the server, as everything on the page
    t2.stills(panel);
    panel.hidden = false;
    return true;
  };
  const frame = async (selector) => {
    document.querySelectorAll(".t2-spot").forEach((e) => e.classList.remove("t2-spot"));
    const target = selector && $(selector);
    if (!target) return window.scrollTo(0, 0);
    target.classList.add("t2-spot");
    const box = target.getBoundingClientRect(), room = innerHeight - bar.offsetHeight; // above the bar, whole if it fits
    window.scrollTo(0, scrollY + box.top - Math.max(16, (room - box.height) / 2));
  };

  const go = async (index) => {
    if (index < 0 || index >= story.steps.length) return;
    const mine = ++turn, step = story.steps[index];
    at = index;
    panel.hidden = true;
    panel.replaceChildren();
    bar.querySelector(".t2-say").textContent = step.sentence;
    bar.querySelector(".t2-say-more").textContent = "";
    bar.querySelector(".t2-moment").textContent = step.moment ? story.words.moment.replace("{n}", step.moment).replace("{all}", story.moments) : story.words.keys;
    root.dataset.t2Step = step.key;
    root.dataset.t2Title = String(!step.moment);
    const begun = performance.now(), end = begun + 1000 * story.limit, took = () => (performance.now() - begun) / 1000;
    chip(step.do.length ? "running" : "none");
    const run = async (acts, until_) => { for (const [name, where, value] of acts) await actions[name](where, value, until_, mine); };
    try {
      if (step.tab) {
        (await until(() => $(`#t2-tab-${step.tab}-button`), end, mine)).click();
        await sleep(60);
      }
      await frame(step.see);
      if (story.only_recorded && step.engine && step.recorded) throw new Late();
      document.querySelectorAll(story.alert).forEach((e) => { e.dataset.t2Old = "1"; });
      if (step.fresh) document.querySelectorAll(step.fresh).forEach((e) => { e.dataset.stage = "old"; delete e.dataset.total; });
      if (step.done === "mix" && t2.alphas.some((a) => a)) await run([["set", null, t2.alphas.map(() => 0).slice(0, story.experts)]], end); // begins at the base
      await run(step.do, end);
      const done = step.done === "mix" ? () => t2.alphas.some((a) => a) : () => !step.done || $(step.done);
      await until(() => {
        if ([...document.querySelectorAll(story.alert)].some((e) => !e.dataset.t2Old)) throw new Late();
        return done();
      }, end, mine);
      await frame(step.see);
      chip(step.do.length ? "live" : "none", step.do.length ? took() : undefined);
    } catch (error) {
      if (error instanceof Left || mine !== turn) return;
      if (!(error instanceof Late)) console.warn("t2ui: a step of the storyline failed:", error);
      const shown = show(step);
      try { await run(step.instead, performance.now() + 3000); } catch { /* the picture stands without them */ }
      if (mine === turn) chip(shown ? "recorded" : "failed", took());
    }
  };
  const leave = () => {
    turn += 1;
    for (const part of [bar, panel, black]) part.remove();
    document.querySelectorAll(".t2-spot").forEach((e) => e.classList.remove("t2-spot"));
    for (const key of ["t2Present", "t2Step", "t2How", "t2Seconds", "t2Title"]) delete root.dataset[key];
    root.style.removeProperty("--t2-zoom");
    removeEventListener("keydown", keys, true);
    removeEventListener("resize", fit);
    const url = new URL(location.href);
    for (const key of ["present", "limit"]) url.searchParams.delete(key);
    history.replaceState(history.state, "", url);
    window.scrollTo(0, 0);
  };
  const KEYS = { PageDown: 1, ArrowRight: 1, ArrowDown: 1, PageUp: -1, ArrowLeft: -1, ArrowUp: -1 };
  const keys = (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = e.target.matches && e.target.matches("input:not([type=range]), textarea, [contenteditable=true]");
    if (typing && !["PageDown", "PageUp", "Escape"].includes(e.key)) return;
    if (e.key in KEYS) go(at + KEYS[e.key]);
    else if (e.key === "Home") go(0);
    else if (e.key === "b" || e.key === "B" || e.key === ".") black.hidden = !black.hidden;
    else if (e.key === "Escape") leave();
    else return;
    if (e.key in KEYS || e.key === "Escape") black.hidden = true;
    e.preventDefault();
    e.stopPropagation();
  };
  // The page grows with the screen: letters that are read at a desk are too small for a room.
  const fit = () => root.style.setProperty("--t2-zoom", Math.min(Math.max(innerWidth / 1120, 1), 1.9).toFixed(3));

  t2.steps = () => (story ? story.steps : []);
  t2.present = (element, props, watch) => {
    const open = element.querySelector(".t2-embed-open");
    if (root.dataset.t2Embed && open) {
      open.hidden = false;
      const update = () => { open.href = whole(); };
      update();
      open.addEventListener("pointerdown", update);
      open.addEventListener("focus", update);
    }
    const begin = () => {
      const told = props.value;
      if (!told || story || !presenting) return;
      if (!told.steps.length) return void delete root.dataset.t2Present; // not this model's story
      story = told;
      const button = (label, words, step) => {
        const made = make("button", { type: "button", textContent: label, title: words, ariaLabel: words });
        made.addEventListener("click", () => (step ? go(at + step) : leave()));
        return made;
      };
      if (t2.speak) t2.speak("expert"); // the story's sentences are of its words; what was chosen here stays chosen
      bar = make("section", { id: "t2-bar", ariaLabel: "t2ui" },
        make("div", { className: "t2-bar-side" }, make("span", { className: "t2-moment" }), make("span", { className: "t2-how" })),
        make("div", { className: "t2-bar-words", ariaLive: "polite" }, make("p", { className: "t2-say" }), make("p", { className: "t2-say-more" })),
        make("div", { className: "t2-bar-buttons" }, button("◀", told.words.back, -1), button("▶", told.words.next, 1), button("✕", told.words.end, 0)));
      panel = make("section", { id: "t2-panel", hidden: true });
      black = make("div", { id: "t2-black", hidden: true });
      document.body.append(panel, bar, black);
      addEventListener("keydown", keys, true);
      addEventListener("resize", fit);
      fit();
      root.dataset.t2Present = "on";
      go(0);
    };
    watch("value", begin);
    begin();
  };
})();
