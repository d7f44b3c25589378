/* The cloud of a finished search: a slider goes through its generations, a button plays them. All generations are in the
   picture; one is shown. */
(() => {
  "use strict";
  let playing = 0;
  const show = (box, k) => {
    const figure = box.closest("figure"), said = box.querySelector("output");
    for (const layer of figure.querySelectorAll("g[data-generation]")) layer.toggleAttribute("data-off", layer.dataset.generation !== String(k));
    said.textContent = said.dataset.words.replace("{k}", k);
  };
  document.addEventListener("input", (e) => {
    const box = e.target.closest && e.target.closest(".t2-scrub");
    if (!box) return;
    clearInterval(playing);
    show(box, e.target.value);
  });
  document.addEventListener("click", (e) => {
    const button = e.target.closest && e.target.closest("[data-replay]");
    if (!button) return;
    const box = button.closest(".t2-scrub"), slider = box.querySelector("input"), last = Number(slider.max);
    clearInterval(playing);
    let k = 1;
    const step = () => {
      if (!box.isConnected) return clearInterval(playing);
      slider.value = k;
      show(box, k);
      if (k++ >= last) clearInterval(playing);
    };
    step();
    playing = setInterval(step, 600);
  });
})();
