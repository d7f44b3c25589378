/* The Spectra tab without the server: heatmap, singular values, experts against each other and the LoRA view under any mix. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.strip) return;
  const fill = t2.filled;
  const num = (x, digits = 3) => Number(x).toFixed(digits).replace("-", "−");

  // ---- the sliders again, small: they move the picture at once, and the Mix tab's sliders when they are let go ------------
  t2.strip = (element, props, watch, trigger) => {
    const root = element.querySelector(".t2-strip");
    let drawn = null, range = "";
    const show = () => {
      const names = (props.value && props.value.names) || [], a = t2.cut(names.length);
      const wide = a.some((v) => v < 0 || v > 1) ? "-1,2" : "0,1";
      if (drawn !== props.value || range < wide && wide !== range || range === "") build(names, wide);
      root.querySelectorAll("input").forEach((input, i) => {
        if (document.activeElement !== input || Number(input.value) !== a[i]) input.value = String(a[i]);
        input.style.setProperty("--at", (100 * (a[i] - input.min)) / (input.max - input.min) + "%");
        input.parentElement.querySelector("output").textContent = num(a[i], 2);
      });
    };
    const build = (names, wide) => {
      drawn = props.value;
      range = wide;
      const [low, high] = wide.split(",");
      root.replaceChildren(...names.map((_, i) => {
        const label = document.createElement("label"), name = document.createElement("span"), output = document.createElement("output");
        const input = Object.assign(document.createElement("input"), { type: "range", min: low, max: high, step: "0.01" });
        name.textContent = props.value.labels[i];
        input.style.setProperty("--mine", props.value.colours[i]);
        input.dataset.expert = label.dataset.slot = String(i);
        label.append(name, input, output);
        return label;
      }));
    };
    root.addEventListener("input", (e) => {
      const k = props.value.names.length, i = Number(e.target.dataset.expert), next = t2.cut(k);
      next[i] = Number(e.target.value);
      const one = document.querySelector("#t2-to-one input");
      t2.setMix(one && one.checked ? t2.toOne(true, next, i) : next);
    });
    root.addEventListener("change", () => trigger("pick", {}));
    t2.listen(element, show);
    watch("value", show);
    show();
  };
  // What the strip hands to the Mix tab's sliders, those of empty slots too.
  t2.stripValues = (values) => values.map((v, i) => (t2.alphas[i] === undefined ? v : t2.alphas[i]));

  // ---- layers by modules, several measures, all ranks or a quarter of them ---------------------------------------------
  t2.measure = { what: "dw", band: "all" };
  t2.setMeasure = (what, band) => { t2.measure = { what, band }; t2.redraw(); };
  const sum = (lists) => lists[0].map((_, i) => (Array.isArray(lists[0][i]) ? sum(lists.map((l) => l[i])) : lists.reduce((x, l) => x + l[i], 0)));
  const part = (cell, key, band) => {
    if (band !== "all") return cell[key][Number(band)];
    cell.whole = cell.whole || {};
    return (cell.whole[key] = cell.whole[key] || (key === "r" ? cell.r.reduce((x, y) => x + y, 0) : sum(cell[key])));
  };
  /* One matrix under alphas a: |dW| / |W|, the root mean square of z - 1, or its signed mean; of all its ranks or of a band. */
  t2.measured = (cell, a, { what, band }) => {
    // Of LoRA experts the bands hold what they rescale; what they rotate besides belongs to the whole matrix only.
    const rest = cell.X && band === "all" ? t2.form(cell.X, a, true) : 0;
    if (what === "dw") return Math.sqrt(Math.max(t2.form(part(cell, "H", band), a) + rest, 0) / cell.norm2);
    const r = part(cell, "r", band);
    if (!r) return 0;
    if (what === "rms") return Math.sqrt(t2.form(part(cell, "G", band), a) / r);
    return part(cell, "m", band).reduce((x, m, k) => x + m * a[k], 0) / r;
  };

  t2.spectraMap = (element, props, watch, trigger) => {
    const plot = element.querySelector(".t2-plot"), said = element.querySelector(".t2-plot-alt");
    let tops = new Map(), value = null, grid = null, here = [0, 0];
    const top = () => { // colours mean the same while the mix moves: up to the strongest single expert
      const key = t2.measure.what + t2.measure.band, k = value.names.length;
      const alone = value.names.map((_, i) => Array.from({ length: k }, (_, j) => Number(i === j)));
      if (!tops.has(key)) tops.set(key, Math.max(1e-3, ...value.cells.flatMap((c) => alone.map((a) => Math.abs(t2.measured(c, a, t2.measure))))) * 1.1);
      return tops.get(key);
    };
    const words = (x) => (x === null ? "" : t2.measure.what === "dw" ? t2.percent(x) : num(x));
    const make = () => {
      if (value !== t2.told(props)) { value = t2.told(props); tops = new Map(); }
      if (!value || !value.cells) return null;
      const a = t2.cut(value.names.length), { what } = t2.measure;
      t2.layers = value.n_layers;
      const at = new Map(value.cells.map((c) => [c.layer + "|" + c.module, c]));
      grid = value.layers.map((l) => value.modules.map((m) => {
        const cell = at.get(l + "|" + m);
        return cell ? t2.measured(cell, t2.at(a, l, value.n_layers), t2.measure) : null;
      }));
      const flat = grid.flat().filter((x) => x !== null), most = Math.max(top(), ...flat.map(Math.abs)), signed = what === "mean";
      const format = what === "dw" ? ".1%" : ".3f", trace = value.figure.data[0];
      const layout = { ...value.figure.layout, shapes: [{ type: "rect", x0: here[1] - 0.5, x1: here[1] + 0.5, y0: here[0] - 0.5, y1: here[0] + 0.5,
        line: { color: t2.css("--t2-accent"), width: document.activeElement === plot ? 3 : 0 } }] };
      return { data: [{ ...trace, z: grid, zmin: signed ? -most : 0, zmax: most, colorscale: t2.scale(signed ? value.signed : value.scales),
        texttemplate: trace.texttemplate && `%{z:${format}}`, hovertemplate: `${value.text.hover.replace("{value}", `%{z:${format}}`)}<extra></extra>`,
        colorbar: { ...trace.colorbar, tickformat: what === "dw" ? ".0%" : ".2f" } }], layout };
    };
    const tell = (i, j) => fill(value.text.cell, { layer: value.layers[i], module: value.modules[j], value: words(grid[i][j]) });
    const draw = t2.chart(element, plot, make, { watch, mix: true, after: (drawn) => {
      if (!drawn) { said.textContent = (t2.told(props) && t2.told(props).text && t2.told(props).text.none) || ""; return; }
      let best = [0, 0];
      grid.forEach((row, i) => row.forEach((x, j) => { if (Math.abs(x || 0) > Math.abs(grid[best[0]][best[1]] || 0)) best = [i, j]; }));
      if (document.activeElement !== plot) said.textContent = grid[best[0]][best[1]] ? fill(value.text.most, { cell: tell(...best) }) : value.text.still;
      if (document.activeElement === plot || (document.activeElement && document.activeElement.type === "range")) t2.say(said.textContent);
      plot.dataset.repaints = String(Number(plot.dataset.repaints || 0) + 1);
      if (plot.on && !plot.dataset.clicks) {
        plot.dataset.clicks = "1";
        plot.on("plotly_click", (e) => open(value.layers.map(String).indexOf(String(e.points[0].y)), value.modules.indexOf(e.points[0].x)));
      }
    } });
    const open = (i, j) => {
      here = [i, j];
      const cell = value.cells.find((c) => c.layer === value.layers[i] && c.module === value.modules[j]);
      if (cell) trigger("pick", { matrix: cell.path });
    };
    plot.addEventListener("keydown", (e) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
      if (!grid || (!step && !["Enter", " "].includes(e.key))) return;
      e.preventDefault();
      if (!step) { open(...here); return; }
      here = [Math.min(Math.max(here[0] + step[0], 0), grid.length - 1), Math.min(Math.max(here[1] + step[1], 0), grid[0].length - 1)];
      said.textContent = tell(...here);
      draw();
    });
    plot.addEventListener("focus", () => { if (grid) { said.textContent = tell(...here); draw(); } });
    plot.addEventListener("blur", () => draw());
    // The first time the tab is opened there is nothing here yet: ask for it.
    if (!(t2.told(props) && t2.told(props).cells)) trigger("wake", {});
  };

  // ---- one matrix: sigma against sigma', the formula with its numbers, two experts' z - 1 against each other ------------
  t2.opened = null;
  const factors = (value) => { // z under the present mix
    const a = t2.at(t2.cut(value.names.length), value.layer, value.n_layers);
    return value.sigma.map((_, i) => 1 + value.delta.reduce((x, d, k) => x + a[k] * d[i], 0));
  };
  t2.matrixView = (element, props, watch, trigger) => {
    const find = (name) => element.querySelector(`[data-part="${name}"]`), [lines, cloud] = element.querySelectorAll(".t2-plot");
    const box = element.querySelector(".t2-matrix"), log = find("log"), top = find("top"), first = find("first"), second = find("second");
    let value = null;
    const fresh = () => {
      if (value === t2.told(props)) return;
      value = t2.opened = t2.told(props) && t2.told(props).sigma ? t2.told(props) : null;
      box.hidden = !value;
      if (!value) return;
      top.max = String(value.r);
      top.min = String(Math.min(4, value.r));
      top.value = top.max;
      for (const [select, i] of [[first, 0], [second, 1]]) {
        const before = select.value;
        select.replaceChildren(...value.labels.map((label, k) => Object.assign(document.createElement("option"), { value: String(k), textContent: label })));
        select.value = before !== "" && before < value.labels.length ? before : String(Math.min(i, value.labels.length - 1));
      }
      t2.redraw(); // the LoRA view shows this matrix, too
    };
    const tell = (z) => {
      const out = value.out, into = value.in, r = value.r;
      find("name").textContent = value.path;
      find("formula").textContent = `W′ = U · diag(σ z) · Vʰ   (${out} × ${into}) = (${out} × ${r}) · (${r}) · (${r} × ${into})`;
      const shown = value.sigma.slice(0, 3).map((s, i) => `${num(s)} × ${num(z[i])} = ${num(s * z[i])}`).join("; ");
      const a = t2.at(t2.cut(value.names.length), value.layer, value.n_layers), rest = value.X ? t2.form(value.X, a, true) : 0;
      const up = Math.sqrt(Math.max(z.reduce((x, v, i) => x + (value.sigma[i] * (v - 1)) ** 2, 0) + rest, 0)), down = Math.sqrt(value.sigma.reduce((x, s) => x + s * s, 0));
      find("numbers").textContent = fill(value.text.numbers, { shown, dw: num(up), w: num(down), share: t2.percent(down ? up / down : 0), r, full: (out * into).toLocaleString("en") });
      find("top-said").textContent = fill(value.text.top, { k: top.value, r });
      top.setAttribute("aria-valuetext", find("top-said").textContent);
    };
    const drawLines = t2.chart(element, lines, () => {
      fresh();
      if (!value) return null;
      const z = factors(value), n = Number(top.value), x = value.sigma.slice(0, n).map((_, i) => i), made = value.lines;
      tell(z);
      const ys = [value.sigma.slice(0, n), value.sigma.slice(0, n).map((s, i) => s * z[i]), z.slice(0, n)];
      const yaxis = { ...made.layout.yaxis, type: log.checked ? "log" : "linear" };
      return { data: made.data.map((trace, i) => ({ ...trace, x, y: log.checked && i === 1 ? ys[i].map((v) => (v > 0 ? v : null)) : ys[i] })), layout: { ...made.layout, yaxis } };
    }, { watch, mix: true, later: true, after: (drawn) => {
      if (drawn && lines.on && !lines.dataset.clicks) {
        lines.dataset.clicks = "1";
        lines.on("plotly_click", (e) => trigger("pick", { component: e.points[0].x }));
      }
    } });
    const drawCloud = t2.chart(element, cloud, () => {
      fresh();
      if (!value || value.delta.length < 2) return null;
      const [i, j] = [Number(first.value), Number(second.value)], made = value.cloud, names = [value.labels[i], value.labels[j]];
      const dot = value.delta[i].reduce((x, v, n) => x + v * value.delta[j][n], 0), size = (k) => Math.sqrt(value.delta[k].reduce((x, v) => x + v * v, 0));
      const cosine = size(i) && size(j) ? dot / (size(i) * size(j)) : 0;
      find("cosine").textContent = fill(value.text.cosine, { first: names[0], second: names[1], cosine: num(cosine, 2) });
      const axis = (old, name) => ({ ...old, title: { ...old.title, text: fill(value.text.axis, { name }) } });
      return { data: [{ ...made.data[0], x: value.delta[i], y: value.delta[j], text: value.sigma.map((s, n) => `${n}: σ ${num(s)}`) }],
        layout: { ...made.layout, xaxis: axis(made.layout.xaxis, names[0]), yaxis: axis(made.layout.yaxis, names[1]) } };
    }, { watch });
    for (const control of [log, top]) control.addEventListener("input", drawLines);
    for (const control of [first, second]) control.addEventListener("input", drawCloud);
  };

  // ---- how much of the change the best LoRA of rank k keeps ------------------------------------------------------------
  t2.loraView = (element, props, watch) => {
    const plot = element.querySelector(".t2-plot"), slider = element.querySelector("input"), said = element.querySelector(".t2-plot-alt"), label = element.querySelector("output");
    const own = (ranks) => { // of the opened matrix: the k largest |sigma (z - 1)|, as the server does it for all of them
      const value = t2.opened;
      if (!value) return null;
      const z = factors(value), power = value.sigma.map((s, i) => (s * (z[i] - 1)) ** 2).sort((x, y) => y - x), whole = power.reduce((x, y) => x + y, 0);
      let held = 0, at = 0;
      return ranks.map((k) => { for (; at < Math.min(k, power.length); at++) held += power[at]; return whole ? Math.sqrt(Math.min(1, held / whole)) : 1; });
    };
    t2.chart(element, plot, () => {
      const value = t2.told(props);
      if (!value || !value.rank) return null;
      const last = value.rank.length - 1;
      slider.max = String(last);
      if (!slider.dataset.set) { slider.dataset.set = "1"; slider.value = String(Math.max(0, value.rank.filter((k) => k <= 16).length - 1)); }
      const i = Math.min(Number(slider.value), last), k = value.rank[i], mine = own(value.rank), made = value.figure;
      label.textContent = String(k);
      slider.setAttribute("aria-valuetext", fill(value.text.k, { k }));
      const slots = { k, kept: t2.percent(value.kept[i]), numbers: value.parameters[i].toLocaleString("en"), z: value.z.toLocaleString("en") };
      said.textContent = fill(value.still ? value.text.still : value.text.said, slots) + (mine && !value.still ? " " + fill(value.text.matrix, { kept: t2.percent(mine[i]) }) : "");
      if (document.activeElement === slider) t2.say(said.textContent);
      const x = value.rank, data = [{ ...made.data[0], x, y: value.kept, customdata: value.parameters, name: value.text.all }];
      if (mine) data.push({ ...made.data[0], x, y: mine, customdata: undefined, hovertemplate: undefined, name: value.text.one, line: { ...made.data[0].line, dash: "dot" } });
      const shapes = [{ type: "line", x0: k, x1: k, y0: 0, y1: 1, yref: "paper", line: { color: t2.css("--t2-accent"), width: 2 } }];
      return { data, layout: { ...made.layout, shapes } };
    }, { watch, mix: true, later: true });
    slider.addEventListener("input", () => t2.redraw());
  };
})();
