/* The table of examples: cells to edit, rows to add and delete, rows pasted from a spreadsheet, undo. The component's value is JSON:
   rows of [prompt, answer, key], and for keys what the row was when it was taken from a task (tabs/own.py). */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.rows) return;
  const HEADS = ["prompt", "question", "input"], BLANK = 2, UNDOS = 20; // HEADS: as t2ui/shots.py reads them
  const { make } = t2;
  /* What a spreadsheet puts on the clipboard: cells between tabs, quoted where they hold a tab, a quote or a line's end. */
  t2.cells = (text) => {
    const rows = [[""]];
    let quoted = false;
    for (let i = 0; i < text.length; i++) {
      const c = text[i], row = rows[rows.length - 1], at = row.length - 1;
      if (quoted) {
        if (c !== '"') row[at] += c;
        else if (text[i + 1] === '"') { row[at] += c; i++; } else quoted = false;
      } else if (c === '"' && !row[at] && closes(text, i)) quoted = true;
      else if (c === "\t") row.push("");
      else if (c === "\n") rows.push([""]);
      else if (c !== "\r") row[at] += c;
    }
    return rows.filter((row) => row.some((cell) => cell.trim()));
  };
  const closes = (text, from) => /^"(?:[^"]|"")*"(?:[\t\r\n]|$)/.test(text.slice(from)); // else it is a quote in a sentence
  const isTable = (text) => { // JSON Lines, or a table whose first line names its columns: the server reads those
    const first = text.trimStart().split("\n")[0].toLowerCase();
    return first.startsWith("{") || first.split(/[,;\t]/).some((head) => HEADS.includes(head.trim().replaceAll('"', "")));
  };

  t2.rows = (element, props, watch, trigger, [edited, pasted]) => {
    const text = JSON.parse(props.text), body = element.querySelector("tbody"), count = element.querySelector(".t2-rows-count");
    const button = (name) => element.querySelector(`[data-do="${name}"]`), undos = [];
    let rows = [], came = {}, waiting = 0, mine = "";

    const blank = (row) => !row[0].trim() && !row[1].trim();
    const full = () => rows.filter((row) => !blank(row)).length;
    const as = (row) => { const from = came[row[2]]; return from && from[0] === row[0] && from[1] === row[1] ? from : null; };
    const grow = CSS.supports("field-sizing: content") ? () => {} : (cell) => { cell.style.height = "auto"; cell.style.height = cell.scrollHeight + "px"; };

    // ---- what stands in the table ------------------------------------------------------------------------------------------
    const mark = (tr, row, number) => { // the number, and whether it is still what a task made of it
      const from = as(row), head = tr.firstElementChild;
      tr.dataset.how = from ? "task" : "own";
      const inside = [String(number)];
      if (from) {
        inside.push(make("span", { className: "t2-rows-task", title: t2.filled(text.as_taken, { name: from[2] }), textContent: "✓" }));
        if (from[3]) inside.push(make("img", { src: from[3], alt: t2.filled(text.picture_alt, { n: number }), width: 36, height: 36 }));
      }
      head.replaceChildren(...inside);
      tr.querySelectorAll("textarea").forEach((cell, i) => {
        cell.setAttribute("aria-label", t2.filled([text.prompt_cell, text.answer_cell][i], { n: number }));
        const long = cell.value.length > text.longest;
        cell.setAttribute("aria-invalid", String(long));
        cell.title = long ? t2.filled(text.long, { n: cell.value.length, most: text.longest }) : "";
      });
      tr.querySelector("button").setAttribute("aria-label", t2.filled(text.delete, { n: number }));
    };
    const drawn = (row) => {
      const cell = (i) => { const box = make("textarea", { rows: 1, value: row[i], spellcheck: false }); box.dataset.cell = String(i); return make("td", {}, box); };
      const gone = make("button", { type: "button", textContent: "✕" });
      return make("tr", {}, make("th", { scope: "row" }), cell(0), cell(1), make("td", {}, gone));
    };
    const draw = () => {
      while (rows.length < BLANK) rows.push(["", "", ""]);
      body.replaceChildren(...rows.map(drawn));
      number();
      body.querySelectorAll("textarea").forEach(grow);
    };
    const number = () => {
      [...body.rows].forEach((tr, i) => mark(tr, rows[i], i + 1));
      tell();
    };
    const tell = () => {
      const n = full(), now = t2.filled(n >= text.rows ? text.most : text.count, { n, most: text.rows });
      if (count.textContent !== now) count.textContent = now;
      button("undo").disabled = !undos.length;
      button("add").disabled = rows.length >= text.rows;
    };
    const commit = () => { // what the server reads when something is pressed
      clearTimeout(waiting);
      const next = JSON.stringify({ rows });
      if (next === mine) return;
      mine = next;
      props.value = next;
      trigger(edited, {});
    };
    const keep = () => {
      undos.push(rows.map((row) => row.slice()));
      if (undos.length > UNDOS) undos.shift();
    };
    const focus = (at, cell) => { const tr = body.rows[Math.min(at, body.rows.length - 1)]; if (tr) tr.querySelectorAll("textarea")[cell].focus(); };
    const add = () => {
      if (rows.length >= text.rows) return;
      rows.push(["", "", ""]);
      body.append(drawn(rows[rows.length - 1]));
      number();
    };
    const place = (box) => { const tr = box.closest("tr"); return [tr.sectionRowIndex, tr]; };

    // ---- by hand -------------------------------------------------------------------------------------------------------------
    body.addEventListener("input", (e) => {
      const [i, tr] = place(e.target);
      rows[i][Number(e.target.dataset.cell)] = e.target.value;
      mark(tr, rows[i], i + 1);
      grow(e.target);
      tell();
      clearTimeout(waiting);
      waiting = setTimeout(commit, 400);
    });
    body.addEventListener("change", commit);
    body.addEventListener("keydown", (e) => { // Enter goes down, as in every table; Shift+Enter is a new line
      if (e.key !== "Enter" || e.shiftKey || e.isComposing || !e.target.matches("textarea")) return;
      e.preventDefault();
      const [i] = place(e.target);
      if (i + 1 === rows.length) add();
      focus(i + 1, Number(e.target.dataset.cell));
    });
    element.addEventListener("click", (e) => {
      const pressed = e.target.closest("button");
      if (!pressed || !element.contains(pressed)) return;
      const what = pressed.dataset.do;
      if (what === "add") { add(); focus(rows.length - 1, 0); return; }
      if (what === "undo") {
        if (undos.length) rows = undos.pop();
      } else {
        keep();
        if (what === "clear") rows = [];
        else rows.splice(place(pressed)[0], 1);
      }
      const at = what ? 0 : place(pressed)[0];
      draw();
      if (!what) focus(at, 0);
      commit();
    });

    // ---- pasted ----------------------------------------------------------------------------------------------------------------
    body.addEventListener("paste", (e) => {
      const held = e.clipboardData.getData("text/plain");
      if (!/[\t\n]/.test(held.trim()) && !isTable(held)) return; // a few words: as anywhere
      e.preventDefault();
      if (isTable(held)) { commit(); trigger(pasted, { text: held }); return; }
      const [i] = place(e.target), from = Number(e.target.dataset.cell), cells = t2.cells(held);
      keep();
      cells.slice(0, text.rows - i).forEach((row, j) => {
        while (rows.length <= i + j) rows.push(["", "", ""]);
        row.slice(0, 2 - from).forEach((value, k) => { rows[i + j][from + k] = value.trim(); });
      });
      draw();
      focus(i + cells.length - 1, from);
      commit();
      if (cells.length > text.rows - i) count.textContent = t2.filled(text.most, { n: full(), most: text.rows });
    });

    // ---- filled by the server ----------------------------------------------------------------------------------------------------
    const adopt = () => {
      if (props.value === mine) return;
      const told = JSON.parse(props.value);
      if (full()) keep();
      rows = told.rows.map((row) => [String(row[0]), String(row[1]), String(row[2] || "")]);
      came = { ...came, ...(told.from || {}) };
      draw();
      commit();
    };
    watch("value", adopt);
    const told = JSON.parse(props.value || '{"rows": []}');
    rows = told.rows;
    came = told.from || {};
    draw();
    const before = t2.keeper("examples", () => JSON.stringify({ rows, from: came })); // typed before the page was loaded again
    if (before !== null) {
      ({ rows, from: came } = JSON.parse(before));
      draw();
      setTimeout(commit, 0);
    }
  };
})();
