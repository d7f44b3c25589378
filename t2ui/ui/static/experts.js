/* The list of experts at the side: drawn, searched and pinned in the browser (t2ui/ui/tabs/experts.py sends what is known). */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.experts) return;
  const { filled: fill, make, stored } = t2;

  // ---- open and closed: the panel is part of the page, its button says which it is --------------------------------------
  const OPEN = "t2ui-experts-open";
  const panel = () => document.getElementById("t2-experts");
  const isOpen = () => Boolean(panel()) && panel().dataset.open === "true";
  const show = (on, focus) => {
    if (!panel()) return;
    panel().dataset.open = String(on);
    panel().dataset.beside = String(wide());
    for (const b of document.querySelectorAll('[data-t2="experts"][aria-expanded]')) b.setAttribute("aria-expanded", String(on));
    stored(OPEN, on ? "1" : "");
    if (!focus) return;
    const to = document.querySelector(on ? "#t2-experts .t2-experts-close" : ".t2-experts-button");
    if (to) to.focus();
  };
  document.addEventListener("click", (e) => {
    if (e.target.closest && e.target.closest('[data-t2="experts"]')) show(!isOpen(), true);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && isOpen() && panel().contains(e.target)) show(false, true);
  });
  addEventListener("resize", () => { if (panel()) panel().dataset.beside = String(wide()); });
  const wide = () => matchMedia("(min-width: 1100px)").matches; // narrower, it would lie over what one came for

  // ---- which sliders are shown: all, unless there are many -----------------------------------------------------------
  let value = null, pins = [];
  const met = new Set(); // slots that were not at 0 once: a slider does not go while somebody holds it
  const key = () => `t2ui-pins:${value.base}`;
  const kept = () => { try { return (JSON.parse(stored(key())) || []).map(String); } catch { return []; } };
  const chosen = () => {
    const k = value.experts.length;
    t2.cut(k).forEach((a, i) => { if (a) met.add(i); });
    const pinned = value.experts.filter((x) => pins.includes(x.name)).map((x) => x.slot);
    return new Set([...(pinned.length ? pinned : value.experts.slice(0, value.first).map((x) => x.slot)), ...met]);
  };
  let hidden = "";
  const apply = () => {
    const on = value.many ? chosen() : null;
    const off = on ? value.experts.map((x) => x.slot).filter((i) => !on.has(i)) : [];
    const css = off.map((i) => `#t2-alpha-${i}, [data-slot="${i}"]`).join(", ");
    if (css !== hidden) {
      hidden = css;
      let sheet = document.getElementById("t2-hidden-slots");
      if (!sheet) document.head.append((sheet = make("style", { id: "t2-hidden-slots" })));
      sheet.textContent = css ? `${css} { display: none !important; }` : "";
    }
    const note = document.querySelector(".t2-mixer-note");
    if (note) {
      note.hidden = !off.length;
      note.firstElementChild.textContent = fill(value.text.hidden, { shown: value.experts.length - off.length, n: value.experts.length });
    }
  };
  t2.shownSliders = () => setTimeout(() => { if (value) apply(); }, 0); // the Mix tab has come onto the page
  const pin = (name, on) => {
    pins = pins.filter((n) => n !== name).concat(on ? [name] : []);
    stored(key(), JSON.stringify(pins));
    if (!on) met.delete(value.experts.findIndex((x) => x.name === name));
    apply();
  };

  // ---- the list ------------------------------------------------------------------------------------------------------
  t2.experts = (element, props, watch) => {
    const find = (name) => element.querySelector(`[data-part="${name}"]`);
    const search = find("find"), items = find("items"), tags = find("tags");
    let tag = "";
    const opened = new Set();
    const facts = (x) => { // our own HTML: everything a stranger wrote in it was escaped on the server
      const node = make("div", { className: "t2-experts-facts", innerHTML: x.told });
      node.append(make("div", { className: "t2-presets" },
        make("button", { type: "button", textContent: value.text.only, onclick: () => only(x.slot), ariaLabel: fill(value.text.only_label, { name: x.label }) }),
        make("button", { type: "button", textContent: value.text.slider, onclick: () => slider(x) })));
      return node;
    };
    const item = (x) => {
      const name = make("button", { type: "button", className: "t2-experts-name" });
      const icon = make("span", { className: "t2-icon", textContent: x.icon }), dot = make("span", { className: "t2-dot" });
      dot.style.background = x.colour;
      for (const sign of [dot, icon]) sign.setAttribute("aria-hidden", "true");
      name.append(dot, icon, make("span", { textContent: x.label }), ...(x.kind ? [make("small", { textContent: x.kind })] : []), make("output"));
      name.setAttribute("aria-expanded", String(opened.has(x.name)));
      const bar = make("span", { className: "t2-experts-bar" }, make("span"));
      bar.setAttribute("aria-hidden", "true");
      bar.firstChild.style.background = x.colour;
      const li = make("li", {}, make("div", { className: "t2-experts-row" }, name), bar);
      li.dataset.expert = x.name;
      if (opened.has(x.name)) li.append(facts(x));
      name.addEventListener("click", () => {
        const on = !opened.delete(x.name);
        if (on) opened.add(x.name);
        name.setAttribute("aria-expanded", String(on));
        if (on) li.append(facts(x)); else li.querySelector(".t2-experts-facts").remove();
      });
      if (value.many) {
        const star = make("button", { type: "button", className: "t2-experts-pin" }), look = () => {
          const on = pins.includes(x.name);
          star.textContent = on ? "★" : "☆";
          star.setAttribute("aria-pressed", String(on));
          star.setAttribute("aria-label", fill(on ? value.text.unpin : value.text.pin, { name: x.label }));
        };
        look();
        star.addEventListener("click", () => { pin(x.name, !pins.includes(x.name)); look(); amounts(); });
        li.firstChild.prepend(star);
      }
      return li;
    };
    const fits = (x) => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const tagged = !tag || (tag === value.text.pinned ? pins.includes(x.name) : x.tags.includes(tag));
      return tagged && words.every((w) => x.text.includes(w) || x.tags.some((s) => s.toLowerCase().includes(w)));
    };
    const draw = () => {
      const found = value.experts.filter(fits);
      items.replaceChildren(...found.map(item));
      find("found").textContent = !value.ready ? value.text.waiting : !value.experts.length ? value.text.none
        : !found.length ? value.text.nothing : value.many ? fill(value.text.found, { shown: found.length, n: value.experts.length }) : "";
      amounts();
    };
    const chips = () => { // tags that tell experts apart
      const count = new Map();
      for (const x of value.experts) for (const s of x.tags) count.set(s, (count.get(s) || 0) + 1);
      const telling = [...count].filter(([, n]) => n < value.experts.length).sort((a, b) => b[1] - a[1]).slice(0, 14).map(([s]) => s);
      if (tag && tag !== value.text.pinned && !telling.includes(tag)) tag = "";
      tags.replaceChildren(...["", value.text.pinned, ...telling].map((s) => {
        const chip = make("button", { type: "button", textContent: s === "" ? value.text.all : s });
        chip.setAttribute("aria-pressed", String(s === tag));
        chip.addEventListener("click", () => { tag = s; chips(); draw(); });
        return chip;
      }));
    };
    const amounts = () => {
      if (!value) return;
      const a = t2.cut(value.experts.length);
      for (const li of items.children) {
        const x = value.experts.find((y) => y.name === li.dataset.expert), v = x ? a[x.slot] : 0;
        li.querySelector("output").textContent = v.toFixed(2).replace("-", "−");
        li.querySelector(".t2-experts-bar > span").style.width = Math.min(Math.abs(v), 1) * 100 + "%";
        li.dataset.on = String(v !== 0);
      }
      apply();
    };
    const only = (slot) => { // by the preset's own button: one way to do it
      const preset = document.querySelector(`#t2-presets [data-pick*='${JSON.stringify("expert:" + value.experts[slot].name).slice(1, -1)}']`);
      if (preset) preset.click();
    };
    const slider = (x) => {
      if (value.many && !pins.includes(x.name)) { pin(x.name, true); draw(); }
      const tab = document.getElementById("t2-tab-mix-button");
      if (tab && tab.getAttribute("aria-selected") !== "true") tab.click();
      if (!wide()) show(false);
      setTimeout(() => {
        const range = document.querySelector(`#t2-alpha-${x.slot} input[type=range]`);
        if (!range) return;
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        range.closest(".t2-alpha").scrollIntoView({ block: "center", behavior: still ? "auto" : "smooth" });
        range.focus({ preventScroll: true });
      }, 80);
    };
    const fresh = () => {
      value = t2.told(props);
      pins = kept();
      find("words").textContent = value.text.words;
      find("tools").hidden = !value.many;
      const others = find("refused");
      others.replaceChildren();
      if (value.refused.length) {
        others.append(make("h3", { className: "t2-h3", textContent: value.text.refused }), make("ul", { className: "t2-experts-refused" },
          ...value.refused.map((x) => make("li", {}, make("strong", { textContent: x.name }), make("p", { innerHTML: x.home }), make("p", { textContent: x.why })))));
      }
      chips();
      draw();
    };
    search.addEventListener("input", draw);
    watch("value", fresh);
    t2.listen(element, amounts);
    fresh();
    if (stored(OPEN) && wide()) setTimeout(() => show(true), 0);
  };
})();
