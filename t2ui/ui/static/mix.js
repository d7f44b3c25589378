/* Mixes that sum to 1, computed in the browser: no request while a slider moves. */
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
})();
