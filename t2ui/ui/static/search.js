/* A search's picture, fed by numbers (t2ui/ui/search_view.py: numbers): score curve, cloud of the mixes, where it stands. The nodes
   stay, their attributes change; nothing is read back from the layout. A finished search can be gone through and played. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.search) return;
  const NS = "http://www.w3.org/2000/svg", HIGH = 220, NARROWEST = 240;
  const SCORE = { left: 58, right: 14, top: 16, bottom: 36 }, CLOUD = { left: 108, right: 18, top: 16, lane: 34, foot: 26 };
  const MOVING = 400; // dots that glide from one generation to the next; more of them jump
  const simple = () => document.documentElement.dataset.t2Words === "simple";
  const set = (node, given) => { // only what is new: an attribute that is written costs a style even where it stays the same
    for (const key in given) {
      const value = String(given[key]);
      if (node.getAttribute(key) !== value) node.setAttribute(key, value);
    }
    return node;
  };
  const say = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const made = (tag, given = {}) => set(document.createElementNS(NS, tag), given);
  const group = (svg, name) => svg.appendChild(made("g", { class: name }));
  /* So many children of one kind, new ones at the end. */
  const many = (parent, tag, n) => {
    while (parent.childElementCount > n) parent.lastElementChild.remove();
    while (parent.childElementCount < n) parent.append(made(tag));
    return parent.children;
  };
  const both = (node, [expert, plain], slots = {}) => { // a text in both ways of speaking; styles show one
    const spans = many(node, "tspan", 2);
    [expert, plain].forEach((text, i) => {
      set(spans[i], { class: i ? "t2-s" : "t2-x" });
      say(spans[i], t2.filled(text, slots));
    });
  };

  /* Draw into `root` (what search_view.frame made); text: words by key, as Expert and as Simple mode say them. */
  const painter = (root, text) => {
    const box = root.querySelector(".t2-search"), [score, cloud] = box.querySelectorAll("figure");
    const status = box.querySelector(".t2-search-words").children, bar = box.querySelector(".t2-search-done");
    const scrub = box.querySelector(".t2-scrub"), slider = scrub.querySelector("input"), output = scrub.querySelector("output");
    const word = (key, slots = {}) => t2.filled(text[key][Number(simple())], slots);
    let value = null, shown = null, range = null, told = "", playing = 0;
    const widths = new Map([[score, 460], [cloud, 460]]);
    const parts = new Map();
    const part = (svg, name) => {
      const key = svg.parentNode.dataset.name + name;
      if (!parts.has(key)) parts.set(key, group(svg, name));
      return parts.get(key);
    };

    // ---- best and average by generation; what is being tried as dots ------------------------------------------------------
    const said = (v) => (value.accuracy ? (100 * v).toFixed(0) + " %" : v.toFixed(3));
    const drawScore = () => {
      const svg = score.querySelector("svg"), wide = widths.get(score), dots = value.pending.map((p) => p[p.length - 1]);
      const values = [...value.curve.flatMap((c) => c.slice(1)), ...dots];
      if (!values.length) return blank(score);
      unblank(score);
      set(svg, { viewBox: `0 0 ${wide} ${HIGH}` });
      const low = value.accuracy ? 0 : Math.min(...values, ...(range ? [range[0]] : [])), high = value.accuracy ? 1 : Math.max(...values, ...(range ? [range[1]] : []));
      range = [low, high]; // only grows while it runs: what is drawn already stays where it is
      const { left, right, top, bottom } = SCORE, first = value.curve.length ? value.curve[0][0] : 0, steps = Math.max(value.planned - first - 1, 1);
      const x = (i) => (left + ((wide - left - right) * (i - first)) / steps).toFixed(1);
      const y = (v) => (top + (HIGH - top - bottom) * (1 - (v - low) / (high - low || 1))).toFixed(1);
      ticks(svg, [low, (low + high) / 2, high].map((v) => ({ at: y(v), text: said(v) })), left, wide - right);
      const now = value.curve.length ? value.curve[value.curve.length - 1][0] + 1 : first;
      [...many(part(svg, "t2-now"), "circle", dots.length)].forEach((dot, i) => set(dot, { class: "t2-dot-pending", cx: x(now), cy: y(dots[i]), r: 2.5 }));
      for (const [css, of] of [["t2-line-average", 2], ["t2-line-best", 1]]) {
        set(many(part(svg, css + "-lines"), "polyline", 1)[0], { class: css, points: value.curve.map((c) => `${x(c[0])},${y(c[of])}`).join(" ") });
        [...many(part(svg, css + "-dots"), "circle", value.curve.length)].forEach((dot, i) =>
          set(dot, { class: css, cx: x(value.curve[i][0]), cy: y(value.curve[i][of]), r: 3 }));
      }
      const feet = many(part(svg, "t2-feet"), "text", 2);
      both(set(feet[0], { class: "t2-foot", x: left, y: HIGH - 10 }), text.curve_x);
      both(set(feet[1], { class: "t2-foot", x: wide - right, y: HIGH - 10, "text-anchor": "end" }), text[value.accuracy ? "curve_accuracy" : "curve_likelihood"]);
    };
    const ticks = (svg, list, from, to) => {
      const lines = many(part(svg, "t2-grid"), "line", list.length), words = many(part(svg, "t2-ticks"), "text", list.length);
      list.forEach(({ at, text: label }, i) => {
        set(lines[i], { class: "t2-gridline", x1: from, x2: to, y1: at, y2: at });
        say(set(words[i], { class: "t2-tick", x: from - 6, y: Number(at) + 4, "text-anchor": "end" }), label);
      });
    };
    const blank = (figure) => { // nothing yet, or a new search
      const svg = figure.querySelector("svg");
      for (const g of svg.querySelectorAll(":scope > g")) g.replaceChildren();
      set(svg.querySelector(".t2-blank"), { visibility: "visible" });
      figure.dataset.blank = "";
    };
    const unblank = (figure) => {
      set(figure.querySelector(".t2-blank"), { visibility: "hidden" });
      delete figure.dataset.blank;
    };

    // ---- a lane per expert: every candidate at its alpha, elites with a ring, mean and spread -------------------------------
    const drawCloud = () => {
      const svg = cloud.querySelector("svg"), wide = widths.get(cloud), names = value.names, generation = shown;
      if (!names.length || !(generation || value.pending.length)) return blank(cloud);
      unblank(cloud);
      const { left, right, top, lane, foot } = CLOUD, high = top + lane * names.length + foot;
      set(svg, { viewBox: `0 0 ${wide} ${high}` });
      const k = names.length, points = generation ? generation.points : [], pending = value.all ? [] : value.pending;
      let low = 0, most = 1;
      for (const p of [...points, ...pending]) for (let i = 0; i < k; i++) { low = Math.min(low, p[i]); most = Math.max(most, p[i]); }
      const x = (v) => left + ((wide - left - right) * (Math.min(Math.max(v, low), most) - low)) / (most - low);
      const y = (i) => top + lane * (i + 0.5);
      const lines = many(part(svg, "t2-grid"), "line", k), labels = many(part(svg, "t2-names"), "text", k), signs = many(part(svg, "t2-signs"), "text", k);
      names.forEach((name, i) => {
        set(lines[i], { class: "t2-gridline", x1: left, x2: wide - right, y1: y(i), y2: y(i) });
        say(set(signs[i], { class: "t2-icon", x: 8, y: y(i) + 4 }), value.icons[i]);
        say(set(labels[i], { x: 34, y: y(i) + 4 }), name.slice(0, 11));
      });
      const layer = set(part(svg, "t2-told"), { "data-generation": generation ? generation.index + 1 : 0 });
      const inner = (name) => {
        if (!parts.has(name)) parts.set(name, group(layer, name));
        return parts.get(name);
      };
      const n = generation ? k : 0;
      const spreads = many(inner("spreads"), "rect", n), dots = many(inner("dots"), "circle", n * points.length), means = many(inner("means"), "line", n);
      svg.toggleAttribute("data-moves", n * points.length <= MOVING);
      for (let i = 0; i < n; i++) {
        const tint = `--mine:${value.colours[i]}`, m = generation.mean[i], s = generation.spread[i], a = x(m - s), b = x(m + s);
        set(spreads[i], { class: "t2-spread", style: tint, x: a.toFixed(1), y: y(i) - 11, width: Math.max(b - a, 1).toFixed(1), height: 22, rx: 4 });
        set(means[i], { class: "t2-mean", style: tint, x1: x(m).toFixed(1), x2: x(m).toFixed(1), y1: y(i) - 13, y2: y(i) + 13 });
        points.forEach((p, j) => set(dots[i * points.length + j], p[k]
          ? { class: "t2-dot-elite", style: tint, cx: x(p[i]).toFixed(1), cy: y(i), r: 4 }
          : { class: "t2-dot-candidate", style: tint, cx: x(p[i]).toFixed(1), cy: y(i), r: 3 }));
      }
      const fresh = many(part(svg, "t2-now"), "circle", k * pending.length); // new ones at the end: those before stay the same nodes
      pending.forEach((p, j) => { for (let i = 0; i < k; i++) set(fresh[j * k + i], { class: "t2-dot-pending", cx: x(p[i]).toFixed(1), cy: y(i) + 9, r: 2.5 }); });
      const scale = [low, (low + most) / 2, most], marks = many(part(svg, "t2-ticks"), "text", scale.length);
      scale.forEach((v, i) => say(set(marks[i], { class: "t2-tick", x: x(v).toFixed(1), y: high - 8, "text-anchor": "middle" }), v.toFixed(1)));
    };

    // ---- for who cannot see it, and for who takes it along ----------------------------------------------------------------
    const speak = () => {
      const means = shown ? value.names.map((n, i) => `${n} ${shown.mean[i].toFixed(2)}`).join(", ") : "";
      set(score.querySelector("svg"), { "aria-label": `${word("aria_curve")}: ${value.curve.map((c) => said(c[1])).join(", ") || "–"}` });
      set(cloud.querySelector("svg"), { "aria-label": `${word("aria_cloud")}: ${means || "–"}` });
      set(slider, { "aria-label": word("scrub") });
      if (shown) say(output, word("scrub_at", { k: shown.index + 1 }));
    };
    score.t2rows = () => [[word("curve_x"), word("best"), word("average")], ...(value ? value.curve.map((c) => [c[0] + 1, c[1], c[2]]) : [])];
    cloud.t2rows = () => {
      if (!value) return [];
      const k = value.names.length, of = value.all || (value.last ? [value.last] : []);
      return [[word("generation"), "", ...value.names], ...of.flatMap((g) => g.points.map((p) => [g.index + 1, word(p[k] ? "elite" : "candidate"), ...p.slice(0, k)])),
        ...value.pending.map((p) => ["", word("running"), ...p.slice(0, k)])];
    };

    // ---- a finished search, again ------------------------------------------------------------------------------------------
    const show = (at) => {
      shown = value.all[at - 1];
      if (Number(slider.value) !== at) slider.value = String(at);
      drawCloud();
      speak();
    };
    slider.addEventListener("input", () => { clearInterval(playing); show(Number(slider.value)); });
    scrub.querySelector("[data-replay]").addEventListener("click", () => {
      clearInterval(playing);
      let at = 1;
      const step = () => {
        if (!box.isConnected || !value.all) return clearInterval(playing);
        show(at);
        if (at++ >= value.all.length) clearInterval(playing);
      };
      step();
      playing = setInterval(step, 600);
    });

    // A unit of the drawing is a pixel of the page, so that its words are as large as the page's: told by the observer, not asked for.
    // On a full screen everything is twice as large.
    const observer = new ResizeObserver((all) => {
      for (const { target, contentRect } of all) {
        const figure = target.parentNode, scale = figure.matches(":fullscreen, .t2-full") ? 2 : 1;
        const now = Math.max(NARROWEST, Math.round(contentRect.width / scale));
        if (!contentRect.width || now === widths.get(figure)) continue;
        widths.set(figure, now);
        if (value) (figure === score ? drawScore : drawCloud)();
      }
    });
    for (const figure of [score, cloud]) observer.observe(figure.querySelector("svg"));
    document.addEventListener("t2:words", function hear() {
      if (!box.isConnected) return document.removeEventListener("t2:words", hear);
      if (value) speak();
    });
    return (next) => {
      if (!next || !next.words) return;
      const begun = !value || next.curve.length < value.curve.length || (next.stage === "waiting" && value.stage !== "waiting");
      if (begun) range = null;
      clearInterval(playing);
      value = next;
      shown = next.all ? next.all[next.all.length - 1] || null : next.last;
      // The stage is written every time: the presenter marks an old one, and waits until it is another.
      box.dataset.stage = next.stage;
      set(box, { "data-generations": next.curve.length, "aria-busy": next.busy });
      next.words.forEach((words, i) => say(status[i], words));
      bar.style.setProperty("--share", next.share);
      const playable = next.all && next.all.length > 1;
      scrub.hidden = !playable;
      if (playable) {
        set(slider, { max: next.all.length });
        slider.value = String(next.all.length);
      }
      drawScore();
      drawCloud();
      const now = next.stage + next.curve.length; // read out and renamed once a generation, not at every batch
      if (now === told) return;
      told = now;
      speak();
      if (next.stage !== "idle" && box.checkVisibility()) t2.say(next.words[Number(simple())]);
    };
  };

  t2.search = (element, props, watch) => {
    const paint = painter(element, JSON.parse(props.text));
    let asked = false;
    const draw = () => { // two values between two frames: one picture
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => { asked = false; paint(JSON.parse(props.value)); });
    };
    watch("value", draw);
    paint(JSON.parse(props.value));
  };
  /* Pictures that were put into the page as they are (the presenter's recorded search). */
  t2.stills = (root) => {
    for (const box of root.querySelectorAll(".t2-search[data-picture]")) {
      const { value, text } = JSON.parse(box.dataset.picture);
      painter(box.parentNode, text)(value);
    }
  };
})();
