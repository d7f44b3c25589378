/* What the page does without the server: theme, the mix that sliders tell, the share of base. Charts are in charts.js and
   spectra.js. One object, window.t2ui; no other global. */
(() => {
  "use strict";
  if (window.t2ui) return;
  const t2 = (window.t2ui = { alphas: [], plotlyUrl: "", listeners: new Set() });

  // ---- what all scripts use --------------------------------------------------------------------------------------
  t2.filled = (text, slots) => text.replace(/\{(\w+)\}/g, (all, key) => (key in slots ? slots[key] : all));
  t2.make = (tag, made = {}, ...inside) => {
    const node = Object.assign(document.createElement(tag), made);
    node.append(...inside);
    return node;
  };
  /* What this browser remembers under a key; with a value: remember it from now on. */
  t2.stored = (key, value) => {
    try { // a private window: not remembered
      if (value === undefined) return localStorage.getItem(key);
      localStorage.setItem(key, value);
    } catch { /* nothing */ }
    return null;
  };

  // ---- mix: the sliders tell, everything that draws a mix listens -------------------------------------------
  let asked = false;
  t2.setMix = (values) => {
    const next = values.map((v) => (Number.isFinite(Number(v)) ? Number(v) : 0));
    if (next.length === t2.alphas.length && next.every((v, i) => v === t2.alphas[i])) return;
    t2.alphas = next;
    t2.redraw();
  };
  t2.redraw = () => {
    if (asked) return;
    asked = true; // many slider events between two frames: one repaint
    requestAnimationFrame(() => {
      asked = false;
      for (const fn of [...t2.listeners]) fn();
    });
  };
  // Straight from the slider that is dragged; gradio's own change event (which also sees presets and resets) follows.
  document.addEventListener("input", (e) => {
    const slider = e.target.closest && e.target.closest('[id^="t2-alpha-"]');
    if (!slider || e.target.value === "") return;
    const next = t2.alphas.slice();
    next[Number(slider.id.slice("t2-alpha-".length))] = Number(e.target.value);
    t2.setMix(Array.from(next, (v) => v || 0));
  });
  t2.listen = (element, fn) => {
    const wrapped = () => (element.isConnected ? fn() : t2.listeners.delete(wrapped));
    t2.listeners.add(wrapped);
  };
  t2.cut = (k) => Array.from({ length: k }, (_, i) => t2.alphas[i] || 0);

  // A component's value: big ones come as JSON (live.py: sent), read once for each text.
  const read = new WeakMap();
  t2.told = (props) => {
    const raw = props.value;
    if (typeof raw !== "string") return raw;
    const last = read.get(props);
    if (last && last.raw === raw) return last.value;
    const value = raw ? JSON.parse(raw) : null;
    read.set(props, { raw, value });
    return value;
  };

  // a' M a; rounding must not make a square negative, a part of one (signed) may be
  const form = (t2.form = (M, a, signed) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) if (a[i]) for (let j = 0; j < a.length; j++) sum += a[i] * a[j] * M[i][j];
    return signed ? sum : Math.max(sum, 0);
  });
  t2.change = (cell, a, metric) =>
    metric === "dw" ? Math.sqrt(form(cell.H, a) / cell.norm2) : Math.sqrt(form(cell.G, a) / cell.r);
  // Alphas of one decoder layer: the sliders' values, shaped by the depth profile (mix.js).
  t2.at = (a, layer, layers) => (t2.weight ? a.map((x, i) => x * t2.weight(i, layer, layers)) : a);
  t2.total = (cells, a, layers) => {
    let up = 0, down = 0;
    for (const c of cells) { up += form(c.H, t2.at(a, c.layer, layers)); down += c.norm2; }
    return down ? Math.sqrt(up / down) : 0;
  };

  // ---- plotly: shipped with the Python package, loaded once per page, after the first picture ------------------
  let plotly = null;
  t2.plotly = () => {
    if (!plotly) plotly = new Promise((good, bad) => {
      const script = document.createElement("script");
      script.src = t2.plotlyUrl;
      script.onload = () => good(window.Plotly);
      script.onerror = () => { plotly = null; bad(new Error("plotly.min.js did not load")); }; // the next chart tries again
      document.head.appendChild(script);
    });
    return plotly;
  };

  // ---- share of base ------------------------------------------------------------------------------------------
  t2.mixBar = (element, props, watch) => {
    const draw = () => {
      const value = props.value || {}, names = value.names || [], shape = t2.meanWeight || (() => 1);
      const a = t2.cut(names.length).map((x, i) => x * shape(i, t2.layers)), uneven = names.some((_, i) => shape(i, t2.layers) !== 1);
      const sum = a.reduce((x, y) => x + y, 0), base = 1 - sum;
      const bar = element.querySelector(".t2-sharebar"), words = element.querySelector(".t2-share-words");
      const parts = names.map((n, i) => [value.labels[i], Math.max(a[i], 0), value.colours[i]]);
      const whole = Math.max(parts.reduce((x, p) => x + p[1], 0) + Math.max(base, 0), 1e-9);
      bar.replaceChildren(...[...parts, [value.text.base, Math.max(base, 0), "var(--t2-line-strong)"]].map(([n, w, c]) => {
        const part = document.createElement("span");
        part.style.flexBasis = (100 * w) / whole + "%";
        part.style.background = c;
        part.title = n;
        return part;
      }));
      words.textContent = (base < -1e-9 ? value.text.over : value.text.share).replace("{base}", base.toFixed(2).replace("-", "−")).replace("{sum}", sum.toFixed(2)) + (uneven ? value.text.mean : "");
      element.dataset.base = base.toFixed(2);
      names.forEach((_, i) => { // each slider in its expert's colour
        const slider = document.getElementById(`t2-alpha-${i}`);
        if (slider) slider.style.setProperty("--slider-color", value.colours[i]);
      });
    };
    t2.listen(element, draw);
    watch("value", draw);
    draw();
    requestAnimationFrame(draw); // the sliders beside it may come into the page after it
  };

  // ---- chips: any [data-pick] inside the element raises the component's event -----------------------------------
  t2.chips = (element, props, trigger, event) => {
    element.addEventListener("click", (e) => {
      const tab = e.target.closest("[data-tab]");
      if (tab && element.contains(tab)) {
        for (const other of element.querySelectorAll("[data-tab]")) {
          const on = other === tab;
          other.setAttribute("aria-selected", String(on));
          other.tabIndex = on ? 0 : -1;
          const panel = element.querySelector(`[data-panel="${other.dataset.tab}"]`);
          if (panel) panel.hidden = !on;
        }
        return;
      }
      const pick = e.target.closest("[data-pick]");
      if (pick && element.contains(pick) && pick.getAttribute("aria-disabled") !== "true") trigger(event, JSON.parse(pick.dataset.pick));
    });
    element.addEventListener("keydown", (e) => {
      if (!["ArrowRight", "ArrowLeft"].includes(e.key) || !e.target.matches("[data-tab]")) return;
      const tabs = [...element.querySelectorAll("[data-tab]")], step = e.key === "ArrowRight" ? 1 : -1;
      const next = tabs[(tabs.indexOf(e.target) + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
  };

  // ---- for who cannot see it ---------------------------------------------------------------------------------------
  let saying = 0, voice = null;
  t2.say = (text) => { // once it has come to rest: a slider that is dragged would be read out all the way
    clearTimeout(saying);
    saying = setTimeout(() => {
      if (!voice) {
        voice = Object.assign(document.createElement("p"), { className: "t2-voice" });
        voice.setAttribute("aria-live", "polite");
        document.body.append(voice);
      }
      if (voice.textContent !== text) voice.textContent = text;
    }, 600);
  };
  const nameUploads = () => { // gradio's upload buttons are named otherwise than the words on them
    for (const button of document.querySelectorAll("button[aria-dropeffect]")) { button.removeAttribute("aria-dropeffect"); button.removeAttribute("aria-label"); }
  };

  // ---- light and dark -------------------------------------------------------------------------------------------
  const KEY = "t2ui-theme";
  const apply = (dark) => {
    document.body.classList.toggle("dark", dark);
    document.dispatchEvent(new Event("t2:theme"));
  };
  document.addEventListener("click", (e) => {
    if (!e.target.closest || !e.target.closest('[data-t2="theme"]')) return;
    const dark = !document.body.classList.contains("dark");
    t2.stored(KEY, dark ? "dark" : "light");
    apply(dark);
  });
  // On a phone the answers lie below the fold: bring them into view when a question is asked.
  t2.showResult = (id) => {
    const target = document.getElementById(id);
    if (target && window.innerWidth < 960) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      setTimeout(() => target.scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" }), 60);
    }
  };
  /* plotly.min.js weighs more than everything before it: fetched once the first picture stands. Run, it holds the page up for half a
     second: not before a chart is looked for, or nobody has touched the page for a while and nothing on it is being computed. */
  let touched = 0;
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) document.addEventListener(kind, () => { touched = performance.now(); }, { passive: true, capture: true });
  const runPlotly = () => {
    if (plotly) return;
    if (document.querySelector('.t2-status[data-state="loading"]')) touched = performance.now(); // the first question comes right after it
    const busy = performance.now() - touched < 3000 || document.querySelector('[aria-busy="true"]');
    if (busy) return void setTimeout(runPlotly, 1000);
    t2.plotly().catch(() => setTimeout(runPlotly, 5000));
  };
  const fetchPlotly = () => {
    if (!document.querySelector("#t2-flow svg") || !t2.plotlyUrl) return void setTimeout(fetchPlotly, 200);
    touched = performance.now();
    document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", as: "script", href: t2.plotlyUrl }));
    setTimeout(runPlotly, 1500);
  };
  const forced = new URLSearchParams(location.search).get("__theme");
  const start = () => {
    const choice = t2.stored(KEY);
    // gradio sets its own class while it mounts; a visitor's remembered choice is put on top of it, once.
    if (choice && !forced) setTimeout(() => apply(choice === "dark"), 0);
    new MutationObserver(() => document.dispatchEvent(new Event("t2:theme"))).observe(document.body, { attributes: true, attributeFilter: ["class"] });
    new MutationObserver(nameUploads).observe(document.body, { childList: true, subtree: true });
    fetchPlotly();
  };
  if (document.body) start(); else document.addEventListener("DOMContentLoaded", start);
})();
