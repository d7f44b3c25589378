/* Live charts: Plotly figures that are redrawn in place, and what every chart offers: full screen, PNG, SVG, CSV. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.chart) return;
  t2.css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
  t2.scale = (scales) => scales[document.body.classList.contains("dark") ? "dark" : "light"];
  t2.percent = (x) => (100 * x).toFixed(1) + " %";
  const AXES = ["xaxis", "yaxis", "yaxis2"];
  const full = (box) => box && (document.fullscreenElement === box || box.classList.contains("t2-full"));

  /* Where the page has a <base>, Plotly writes absolute addresses into fill: url(...#id); link.js changes the page's address, and
     then colour bars and clips point nowhere. gradio's <base> is where the page lies anyway: without its href nothing else changes. */
  const plainIds = () => {
    const base = document.querySelector("base[href]");
    if (base && base.href === new URL("./", location.href).href) base.removeAttribute("href");
  };

  // Draw `made` ({data, layout}) into `plot` in the page's ink.
  t2.react = async (plot, made) => {
    const P = await t2.plotly(), ink = t2.css("--t2-soft"), grid = t2.css("--t2-line"), box = plot.closest(".t2-chart");
    const layout = { ...made.layout, font: { color: ink, family: t2.css("--font") || "system-ui", size: 12 } };
    for (const axis of AXES) if (layout[axis]) layout[axis] = { gridcolor: grid, zerolinecolor: grid, linecolor: grid, ...layout[axis] };
    if (full(box)) layout.height = Math.max(300, window.innerHeight - 150);
    if (layout.height) plot.style.height = layout.height + "px"; // Plotly changes only what is inside
    plainIds();
    await P.react(plot, made.data, layout, { responsive: true, displaylogo: false, displayModeBar: false });
  };

  /* A chart that draws itself again when its value, the mix or the theme changes; never while nobody can see it.
     make(): {data, layout} or null (nothing to draw); after(): told once it is drawn. */
  t2.chart = (element, plot, make, { watch = null, mix = false, later = false, after = null } = {}) => {
    let busy = false, again = false, stale = false;
    const visible = () => element.offsetParent !== null || full(plot.closest(".t2-chart"));
    const draw = async () => {
      const made = make();
      plot.hidden = !made;
      if (!made) { if (after) after(false); return; }
      if (!visible()) { stale = true; return; }
      if (busy) { again = true; return; }
      busy = true;
      stale = false;
      try {
        await t2.react(plot, made);
        plot.dataset.drawn = String(Number(plot.dataset.drawn || 0) + 1);
        if (after) after(true);
      } catch (error) { stale = true; console.warn(error); // no plotly yet: the next change tries again
      } finally {
        busy = false;
        if (again) { again = false; draw(); }
      }
    };
    if (watch) watch("value", draw);
    if (mix) t2.listen(element, later ? () => setTimeout(draw) : draw); // later: once the heatmap of this move is painted
    const hear = () => (element.isConnected ? draw() : document.removeEventListener("t2:theme", hear));
    document.addEventListener("t2:theme", hear);
    let width = 0;
    new ResizeObserver(() => {
      if (stale) { draw(); return; }
      if (plot.data && plot.offsetWidth && plot.offsetWidth !== width) { width = plot.offsetWidth; window.Plotly.Plots.resize(plot); }
    }).observe(element);
    document.addEventListener("fullscreenchange", () => { if (element.isConnected && plot.data) draw(); });
    plot.addEventListener("t2:full", draw);
    draw();
    return draw;
  };

  t2.changeMap = (element, props, watch) => {
    const plot = element.querySelector(".t2-plot"), alt = element.querySelector(".t2-plot-alt");
    let repaints = 0, told = null;
    const make = () => {
      const value = t2.told(props);
      if (!value || !value.cells || !value.cells.length) return null;
      const a = t2.cut(value.names.length), layers = (t2.layers = value.n_layers);
      const at = new Map(value.cells.map((c) => [c.layer + "|" + c.module, c]));
      let top = 0, where = "";
      const z = value.layers.map((l) => value.modules.map((m) => {
        const cell = at.get(l + "|" + m);
        if (!cell) return null;
        const x = t2.change(cell, t2.at(a, cell.layer, layers), value.metric);
        if (x > top) { top = x; where = value.text.where.replace("{layer}", l).replace("{module}", m); }
        return x;
      }));
      told = { value, total: t2.total(value.cells, a, layers), top, where };
      const trace = { ...value.figure.data[0], z, zmax: Math.max(value.zmax, top), colorscale: t2.scale(value.scales) };
      return { data: [trace], layout: value.figure.layout };
    };
    const after = (drawn) => {
      const value = t2.told(props);
      if (!drawn) { alt.textContent = (value && value.text && value.text.none) || ""; return; }
      const { total, top, where } = told;
      alt.textContent = top
        ? value.text.alt.replace("{total}", t2.percent(total)).replace("{top}", t2.percent(top)).replace("{where}", where)
        : value.text.still;
      if (document.activeElement && document.activeElement.type === "range") t2.say(alt.textContent);
      plot.dataset.repaints = String(++repaints);
      plot.dataset.total = total.toFixed(6);
    };
    t2.chart(element, plot, make, { watch, mix: true, after });
  };

  // ---- any plotly figure, in the page's ink ----------------------------------------------------------------------
  t2.figure = (element, props, watch) => {
    const make = () => {
      const value = t2.told(props);
      if (!value || !value.figure) return null;
      if (!value.scales) return value.figure;
      return { ...value.figure, data: value.figure.data.map((trace) => ({ ...trace, colorscale: t2.scale(value.scales) })) };
    };
    t2.chart(element, element.querySelector(".t2-plot"), make, { watch });
  };

  // ---- what is drawn, as a table ----------------------------------------------------------------------------------
  const title = (axis, other) => (axis && axis.title && axis.title.text) || other;
  const same = (a, b) => a.length === b.length && a.every((x, i) => String(x) === String(b[i]));
  /* Rows of what a Plotly figure shows: a heatmap as its table, curves with common x as columns, else series, x, y. */
  t2.rowsOf = (data, layout) => {
    const shown = data.filter((trace) => trace.visible !== false);
    if (shown.length && shown[0].type === "heatmap") {
      const { x, y, z } = shown[0], names = [title(layout.yaxis, "row"), title(layout.xaxis, "column")].join(" \\ ");
      return [[names, ...x], ...y.map((name, i) => [name, ...z[i]])];
    }
    const x = title(layout.xaxis, "x");
    if (shown.length && shown.every((trace) => same(trace.x, shown[0].x)))
      return [[x, ...shown.map((trace, i) => trace.name || title(layout.yaxis, "y" + i))], ...shown[0].x.map((v, i) => [v, ...shown.map((trace) => trace.y[i])])];
    return [["series", x, title(layout.yaxis, "y")], ...shown.flatMap((trace) => [...trace.x].map((v, i) => [trace.name || "", v, trace.y[i]]))];
  };
  const tableRows = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => cell.textContent.trim().replace(/\s+/g, " ")));
  const quote = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    const safe = typeof value === "string" && /^[=+@\t]/.test(text) ? "'" + text : text; // a spreadsheet would compute it
    return /[",\n\r]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  t2.csv = (box) => {
    const plot = box.querySelector(".t2-plot"), table = box.querySelector("table");
    const rows = box.t2rows ? box.t2rows() : plot && plot.data ? t2.rowsOf(plot.data, plot.layout) : table ? tableRows(table) : [];
    return rows.map((row) => row.map(quote).join(",")).join("\r\n") + "\r\n";
  };

  // ---- what is drawn, as a picture ----------------------------------------------------------------------------------
  const KEEP = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "font-family", "font-size",
    "font-weight", "font-style", "text-anchor", "letter-spacing", "visibility"];
  const NS = "http://www.w3.org/2000/svg";
  const node = (tag, given, text) => {
    const made = document.createElementNS(NS, tag);
    for (const [key, value] of Object.entries(given)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const written = (svg, width, height) => {
    svg.setAttribute("xmlns", NS);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const box = (svg.getAttribute("viewBox") || `0 0 ${width} ${height}`).split(" ");
    svg.prepend(node("rect", { x: box[0], y: box[1], width: box[2], height: box[3], fill: t2.css("--t2-card") }));
    return new XMLSerializer().serializeToString(svg);
  };
  const svgOf = (svg) => { // with the page's style sheet written into it
    const copy = svg.cloneNode(true), here = [svg, ...svg.querySelectorAll("*")], there = [copy, ...copy.querySelectorAll("*")];
    here.forEach((from, i) => {
      const style = getComputedStyle(from);
      if (style.display === "none" && from !== svg) there[i].remove(); // the other way of speaking
      else for (const key of KEEP) there[i].style.setProperty(key, style.getPropertyValue(key));
    });
    const { width, height } = svg.getBoundingClientRect();
    return written(copy, Math.round(width), Math.round(height));
  };
  const svgOfTable = (table) => { // cells with their grounds and words
    const frame = table.getBoundingClientRect(), svg = node("svg", {}), font = t2.css("--font") || "sans-serif";
    for (const cell of table.querySelectorAll("th, td, caption")) {
      const inner = cell.querySelector("button") || cell, r = inner.getBoundingClientRect(), style = getComputedStyle(inner);
      const x = r.x - frame.x, y = r.y - frame.y;
      if (inner !== cell) svg.append(node("rect", { x, y, width: r.width, height: r.height, rx: 6, fill: style.backgroundColor, stroke: style.borderColor }));
      const left = cell.tagName === "CAPTION";
      svg.append(node("text", { x: left ? x : x + r.width / 2, y: y + r.height / 2 + 4, "text-anchor": left ? "start" : "middle", fill: style.color,
        "font-size": style.fontSize, "font-family": font, "font-weight": style.fontWeight }, inner.textContent.trim()));
    }
    return written(svg, Math.ceil(frame.width), Math.ceil(frame.height));
  };
  t2.svg = async (box) => {
    const plot = box.querySelector(".t2-plot"), svg = box.querySelector(":scope > svg"), table = box.querySelector("table");
    if (plot && plot.data) {
      const P = await t2.plotly(), card = t2.css("--t2-card");
      const made = { data: plot.data, layout: { ...plot.layout, paper_bgcolor: card, plot_bgcolor: card } };
      const url = await P.toImage(made, { format: "svg", width: plot.offsetWidth, height: plot.offsetHeight });
      return decodeURIComponent(url.slice(url.indexOf(",") + 1));
    }
    return svg ? svgOf(svg) : table ? svgOfTable(table) : null;
  };
  t2.png = async (text, scale = 2) => {
    const image = new Image();
    const ready = new Promise((good, bad) => { image.onload = good; image.onerror = () => bad(new Error("the chart is no picture")); });
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
    await ready;
    const canvas = Object.assign(document.createElement("canvas"), { width: image.naturalWidth * scale, height: image.naturalHeight * scale });
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((good) => canvas.toBlob(good, "image/png"));
  };

  // ---- the buttons of a chart (t2ui/ui/live.py: tools) -----------------------------------------------------------------
  const save = (name, blob) => {
    const url = URL.createObjectURL(blob), link = Object.assign(document.createElement("a"), { href: url, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 5000);
  };
  const fill = (box, on) => {
    const stable = box.dataset.live === undefined ? box : box.closest('[id^="t2-"]'); // what is drawn again would leave full screen
    if (on) stable.dataset.full = box.dataset.name;
    const said = () => { if (!full(stable)) delete stable.dataset.full; for (const plot of stable.querySelectorAll(".t2-plot")) plot.dispatchEvent(new Event("t2:full")); };
    if (!on) { stable.classList.remove("t2-full"); if (document.fullscreenElement) document.exitFullscreen(); said(); return; }
    stable.addEventListener("fullscreenchange", said, { once: false });
    const asked = stable.requestFullscreen ? stable.requestFullscreen() : Promise.reject(new Error("no full screen"));
    asked.catch(() => { stable.classList.add("t2-full"); said(); }); // some phones: over the page instead
  };
  const inFull = (box) => full(box) || full(box.closest("[data-full]"));
  document.addEventListener("click", async (e) => {
    const button = e.target.closest && e.target.closest('[data-t2="chart"]');
    if (!button) return;
    const box = button.closest(".t2-chart"), name = `t2ui-${box.dataset.name}`, what = button.dataset.do;
    if (what === "full") return fill(box, !inFull(box));
    if (what === "csv") return save(name + ".csv", new Blob([t2.csv(box)], { type: "text/csv;charset=utf-8" }));
    const text = await t2.svg(box);
    if (!text) return;
    save(`${name}.${what}`, what === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await t2.png(text));
  });
  document.addEventListener("keydown", (e) => {
    const box = e.key === "Escape" && document.querySelector(".t2-full");
    if (box) { box.classList.remove("t2-full"); delete box.dataset.full; for (const plot of box.querySelectorAll(".t2-plot")) plot.dispatchEvent(new Event("t2:full")); }
  });
})();
