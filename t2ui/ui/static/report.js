/* A report's own script: plays the run, moves the spectra. No other script may run in the file, nothing is fetched. */
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (selector) => document.querySelector(selector);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();

  // ---- the run, again -----------------------------------------------------------------------------------------------------
  const play = $("#play");
  let timers = [];
  const show = (frame, i) => {
    $("#flow").innerHTML = frame.flow;
    $("#answers").innerHTML = frame.answers;
    document.body.dataset.frame = String(i);
    if (i === data.frames.length - 1) play.textContent = "▶ " + data.words.again;
  };
  play.addEventListener("click", () => {
    timers.forEach(clearTimeout);
    timers = data.frames.map((frame, i) => setTimeout(show, 1000 * frame.at, frame, i));
  });

  // ---- the mix: the same sums as on the page (page.js) --------------------------------------------------------------------
  if (!data.cells.length) return;
  const k = data.names.length, layers = [...new Set(data.cells.map((c) => c.layer))].sort((a, b) => a - b);
  const modules = [...new Set(data.cells.map((c) => c.module))], at = new Map(data.cells.map((c) => [c.layer + "|" + c.module, c]));
  const factors = new Map(data.factors.map((f) => [f.layer + "|" + f.module, f]));
  let alphas = data.alphas.slice(), open = null;
  const form = (M, a) => {
    let sum = 0;
    for (let i = 0; i < k; i++) if (a[i]) for (let j = 0; j < k; j++) sum += a[i] * a[j] * M[i][j];
    return Math.max(sum, 0);
  };
  const here = (layer) => (data.shape ? alphas.map((x, i) => x * data.shape[i][layer]) : alphas);
  const pc = (x) => (100 * x).toFixed(1) + " %";
  const change = (c) => Math.sqrt(form(c.H, here(c.layer)) / c.norm2);
  const unit = (i) => Array.from({ length: k }, (_, j) => Number(i === j));
  const zmax = Math.max(0.01, ...data.cells.flatMap((c) => data.names.map((_, i) => Math.sqrt(form(c.H, unit(i)) / c.norm2))));

  // ---- layers by modules ---------------------------------------------------------------------------------------------------
  const make = (tag, text, props = {}) => Object.assign(document.createElement(tag), text === null ? {} : { textContent: text }, props);
  const buttons = new Map(), table = $("#map");
  const head = make("tr", null);
  head.append(make("th", ""), ...modules.map((m) => make("th", m, { scope: "col" })));
  const thead = make("thead", null), tbody = make("tbody", null);
  thead.append(head);
  for (const layer of layers) {
    const row = make("tr", null);
    row.append(make("th", String(layer), { scope: "row" }));
    for (const module of modules) {
      const place = make("td", null), key = layer + "|" + module;
      if (at.has(key)) {
        const button = make("button", "", { type: "button", className: "t2-heat t2-plus" });
        button.addEventListener("click", () => { open = key; draw(); });
        buttons.set(key, button);
        place.append(button);
      }
      row.append(place);
    }
    tbody.append(row);
  }
  table.append(thead, tbody);

  // ---- the singular values of one matrix -----------------------------------------------------------------------------------
  const svg = $("#matrix svg");
  const node = (tag, props) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(props)) made.setAttribute(name, value);
    return made;
  };
  const spectrum = (key) => {
    const f = factors.get(key);
    $("#matrix").hidden = !f;
    if (!f) return;
    const a = here(f.layer), wide = Math.max(320, svg.clientWidth || 900);
    svg.setAttribute("viewBox", `0 0 ${wide} 260`);
    const z = f.sigma.map((_, i) => 1 + f.z.reduce((sum, zk, e) => sum + a[e] * (zk[i] - 1), 0));
    const after = f.sigma.map((s, i) => s * z[i]), n = f.sigma.length;
    const low = Math.min(0, ...after), high = Math.max(...f.sigma, ...after, 1e-9), [left, right, top, bottom] = [52, 8, 10, 28];
    const x = (i) => left + ((wide - left - right) * i) / Math.max(n - 1, 1), y = (v) => top + (260 - top - bottom) * (1 - (v - low) / (high - low));
    const line = (values, css) => node("polyline", { class: css, points: values.map((v, i) => x(i).toFixed(1) + "," + y(v).toFixed(1)).join(" ") });
    const marks = [low, (low + high) / 2, high].flatMap((v) => {
      const words = node("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" });
      words.textContent = v.toFixed(2);
      return [node("line", { x1: left, x2: wide - right, y1: y(v), y2: y(v) }), words];
    });
    const ranks = [0, n - 1].map((i) => {
      const words = node("text", { x: x(i), y: 252, "text-anchor": i ? "end" : "start" });
      words.textContent = String(i * f.step);
      return words;
    });
    svg.replaceChildren(...marks, ...ranks, line(f.sigma, "r-before"), line(after, "r-after"));
    svg.setAttribute("aria-label", data.words.aria.replace("{name}", f.path));
    svg.dataset.after = after.reduce((sum, v) => sum + v, 0).toFixed(4);
    $("#matrix h3").textContent = `${f.path} (${f.shape.join(" × ")})`;
    $("#numbers").textContent = data.first + " " + f.sigma.slice(0, 3).map((s, i) => `${s.toFixed(3)} × ${z[i].toFixed(3)} = ${after[i].toFixed(3)}`).join("; ") + " …";
    $("#step").textContent = f.step > 1 ? data.words.step.replace("{step}", f.step) : "";
  };

  // ---- everything that a slider moves ----------------------------------------------------------------------------------------
  const inputs = [...document.querySelectorAll("#mixer input[data-expert]")];
  const draw = () => {
    let up = 0, down = 0, most = null, top = -1;
    for (const [key, button] of buttons) {
      const c = at.get(key), value = change(c), words = pc(value);
      up += form(c.H, here(c.layer));
      down += c.norm2;
      if (value > top) [top, most] = [value, key];
      button.textContent = words;
      button.style.setProperty("--heat", Math.min(100, (100 * value) / zmax).toFixed(0) + "%");
      button.setAttribute("aria-label", data.cell.replace("{layer}", c.layer).replace("{module}", c.module).replace("{value}", words));
    }
    open = open || most;
    for (const [key, button] of buttons) button.setAttribute("aria-pressed", String(key === open));
    const total = Math.sqrt(up / down);
    $("#total").textContent = data.words.total.replace("{total}", pc(total));
    $("#total").dataset.total = total.toFixed(6);
    inputs.forEach((input, i) => {
      input.value = String(alphas[i]);
      input.nextElementSibling.textContent = alphas[i].toFixed(2);
    });
    const sum = alphas.reduce((s, v) => s + v, 0), rest = Math.max(1 - sum, 0);
    const parts = [...alphas.map((v, i) => [data.labels[i], Math.max(v, 0), data.colours[i]]), [data.base, rest, "var(--t2-line-strong)"]];
    const whole = Math.max(parts.reduce((s, p) => s + p[1], 0), 1e-9);
    $("#bar").replaceChildren(...parts.map(([name, v, colour]) => {
      const part = make("span", null, { title: name });
      part.style.flexBasis = (100 * v) / whole + "%";
      part.style.background = colour;
      return part;
    }));
    $("#share").textContent = (1 - sum < -1e-9 ? data.text.over : data.text.share).replace("{base}", (1 - sum).toFixed(2).replace("-", "−")).replace("{sum}", sum.toFixed(2));
    spectrum(open);
  };
  inputs.forEach((input, i) => input.addEventListener("input", () => { alphas[i] = Number(input.value); draw(); }));
  for (const button of document.querySelectorAll("[data-mix]")) {
    button.addEventListener("click", () => { alphas = button.dataset.mix === "run" ? data.alphas.slice() : alphas.map(() => 0); draw(); });
  }
  new ResizeObserver(() => spectrum(open)).observe(svg.parentElement);
  draw();
})();
