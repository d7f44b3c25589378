/* What was typed outlives a reload. After a lost connection gradio reloads the page by itself as soon as the server answers again, and
   until then it hears no change, so that the page's address does not follow either: what somebody types meanwhile would be gone. */
(() => {
  "use strict";
  const t2 = window.t2ui;
  if (!t2 || t2.keeper) return;
  const KEY = "t2ui-typed", FIELDS = "textarea, input[type=text], input[type=search], input[type=number]";
  const touched = new Set(); // fields that a person changed: "id of the component|which of its fields"
  const keepers = new Map(); // components that hold more than fields: name -> read
  let pending = {};
  try { // of this tab, and only where the page was loaded again: a link that is opened anew says all by itself
    const [entry] = performance.getEntriesByType("navigation");
    const held = JSON.parse(sessionStorage.getItem(KEY) || "null");
    sessionStorage.removeItem(KEY);
    if (held && held.path === location.pathname && entry && entry.type === "reload") pending = held.values;
  } catch { /* a private window: nothing was kept */ }

  const find = (key) => {
    const [id, n] = key.split("|"), box = document.getElementById(id);
    return box ? box.querySelectorAll(FIELDS)[Number(n)] : null;
  };
  document.addEventListener("input", (e) => {
    const box = e.isTrusted && e.target.closest && e.target.closest("#t2-main [id^='t2-']:not([id$='-box']), #t2-experts [id^='t2-']:not([id$='-box'])");
    if (!box || e.target.closest(".t2-rows")) return; // the table keeps itself
    const n = [...box.querySelectorAll(FIELDS)].indexOf(e.target.type === "range" ? box.querySelector("input[type=number]") : e.target);
    if (n < 0) return;
    touched.add(`${box.id}|${n}`);
    delete pending[`${box.id}|${n}`];
  }, true);
  addEventListener("pagehide", () => {
    const values = { ...pending }; // those that found no place yet wait for the next time
    for (const key of touched) {
      const field = find(key);
      if (field) values[key] = field.value;
    }
    for (const [name, read] of keepers) values[name] = read();
    try { sessionStorage.setItem(KEY, JSON.stringify({ path: location.pathname, values })); } catch { /* nothing */ }
  });

  /* A component with a state of its own: read() gives it as a text; returned is what it was before the page was loaded again, or null. */
  t2.keeper = (name, read) => {
    keepers.set(name, read);
    const before = pending[name];
    delete pending[name];
    return before === undefined ? null : before;
  };
  const put = () => { // tabs and folds come onto the page when they are opened
    for (const key of Object.keys(pending)) {
      const field = key.includes("|") && find(key);
      if (!field) continue;
      const value = pending[key];
      delete pending[key];
      touched.add(key);
      if (field.value === value) continue;
      field.value = value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    return Object.keys(pending).length;
  };
  t2.putTyped = () => { // once the page has read its address, which may hold an older state
    if (!put()) return;
    let soon = 0; // a field that has just come is still given its first value
    const watcher = new MutationObserver(() => {
      clearTimeout(soon);
      soon = setTimeout(() => { if (!put()) watcher.disconnect(); }, 150);
    });
    watcher.observe(document.body, { childList: true, subtree: true });
  };
})();
