/* Mixes that sum to 1 and depth profiles, computed in the browser: no request while anything is dragged. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.toOne) return;
  const count = () => {
    const known = document.querySelector("[data-t2-names]");
    return known ? JSON.parse(known.dataset.t2Names).length : 0;
  };
  const bounds = () => {
    const slider = document.querySelector("#t2-alpha-0 input[type=range]");
    return slider ? [Number(slider.min), Number(slider.max)] : [0, 1];
  };

  /* Alphas (in hundredths) that sum to `rest`: scaled where that keeps every sign, else moved by the same step. */
  t2.spread = (values, rest, low, high) => {
    const k = values.length, sum = values.reduce((x, y) => x + y, 0);
    if (!k) return [];
    const scale = rest >= 0 && sum > 1e-9 && values.every((v) => v >= 0);
    let out = values.map((v) => Math.round(100 * (scale ? (v * rest) / sum : v + (rest - sum) / k)));
    const [lo, hi] = [Math.round(100 * low), Math.round(100 * high)];
    out = out.map((v) => Math.min(Math.max(v, lo), hi));
    let left = Math.round(100 * rest) - out.reduce((x, y) => x + y, 0); // rounding, and what the bounds cut off
    for (const i of out.map((_, j) => j).sort((a, b) => out[b] - out[a])) {
      const step = Math.min(Math.max(out[i] + left, lo), hi) - out[i];
      out[i] += step;
      left -= step;
    }
    return out.map((v) => v / 100);
  };

  /* The sliders' values after slider `moved` was moved (-1: the switch was turned on): all of them, those of empty slots too. */
  t2.toOne = (on, values, moved) => {
    const k = count(), next = values.map((v) => Number(v) || 0);
    if (!on || !k || moved >= k) return values;
    const others = [...Array(k).keys()].filter((i) => i !== moved);
    const spread = t2.spread(others.map((i) => next[i]), moved < 0 ? 1 : 1 - next[moved], ...bounds());
    others.forEach((i, j) => { next[i] = spread[j]; });
    t2.setMix(next);
    return next;
  };

  // ---- depth profile: [early, middle, late] per expert, shares of its slider (t2ui/ui/depth.py, t2ui/core/depth.py) ------------
  t2.depth = [];
  const POINTS = 3;
  t2.setDepth = (text) => {
    let next = [];
    try { next = text ? JSON.parse(text) : []; } catch { /* not ours: as if there were none */ }
    if (JSON.stringify(next) === JSON.stringify(t2.depth)) return;
    t2.depth = next;
    document.dispatchEvent(new Event("t2:depth"));
    t2.redraw();
  };
  t2.weight = (i, layer, layers) => {
    const p = t2.depth[i];
    if (!p) return 1;
    if (!(layers > 1)) return p.reduce((x, y) => x + y, 0) / p.length;
    const at = (layer * (p.length - 1)) / (layers - 1), j = Math.min(Math.floor(at), p.length - 2);
    return p[j] + (at - j) * (p[j + 1] - p[j]);
  };
  t2.meanWeight = (i, layers) => {
    if (!t2.depth[i] || t2.depth[i].every((v) => v === 1)) return 1;
    const n = layers || 1;
    let sum = 0;
    for (let l = 0; l < n; l++) sum += t2.weight(i, l, n);
    return sum / n;
  };
  const keep = () => { // into the component that handlers read; it has no listener on the server
    const box = document.querySelector("#t2-depth-state textarea, #t2-depth-state input");
    if (!box) return;
    const plain = t2.depth.every((p) => p.every((v) => v === 1));
    box.value = plain ? "" : JSON.stringify(t2.depth);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  t2.depthEditor = (element, props, watch) => {
    const root = element.querySelector(".t2-depth");
    const { make } = t2;
    const show = () => {
      root.querySelectorAll("input").forEach((input) => {
        const value = (t2.depth[input.dataset.expert] || [1, 1, 1])[input.dataset.point];
        input.value = String(Math.round(100 * value));
        input.nextSibling.textContent = input.value + " %";
      });
    };
    const draw = () => {
      const value = props.value || {}, names = value.names || [];
      root.replaceChildren(...names.map((_, i) => {
        const row = make("div", { className: "t2-depth-row" }, make("span", { className: "t2-depth-name", textContent: value.labels[i] }));
        row.dataset.slot = String(i);
        for (let j = 0; j < POINTS; j++) {
          const input = make("input", { type: "range", min: "0", max: "100", step: "5" });
          input.setAttribute("aria-label", value.aria.replace("{name}", value.labels[i]).replace("{point}", value.points[j]));
          input.dataset.expert = String(i);
          input.dataset.point = String(j);
          input.style.accentColor = value.colours[i];
          row.append(make("label", {}, make("small", { textContent: value.points[j] }), input, make("output")));
        }
        return row;
      }));
      if (names.length) root.append(make("button", { type: "button", className: "t2-depth-reset", textContent: value.reset }));
      show();
    };
    root.addEventListener("input", (e) => {
      const { expert, point } = e.target.dataset, k = (props.value.names || []).length;
      if (expert === undefined) return;
      t2.depth = Array.from({ length: k }, (_, i) => (t2.depth[i] || [1, 1, 1]).slice());
      t2.depth[expert][point] = Number(e.target.value) / 100;
      show();
      keep();
      t2.redraw();
    });
    root.addEventListener("click", (e) => {
      if (!e.target.closest(".t2-depth-reset")) return;
      t2.depth = [];
      show();
      keep();
      t2.redraw();
    });
    watch("value", draw);
    const hear = () => (root.isConnected ? show() : document.removeEventListener("t2:depth", hear));
    document.addEventListener("t2:depth", hear);
    draw();
  };
})();
