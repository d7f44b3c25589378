"""A short animated picture of a dispatch, for the README's head: a real run on the real page, caught change by change and slowed down."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

SIZE = (1440, 1000)
WIDTH = 960  # of the picture
LENGTH, HOLD = 5.0, 4.0  # seconds: of the run as it is shown, and of its last picture
MAX_BYTES = 2_000_000
WARM_UP = "Anna has 12 pens and buys 3. How many pens does Anna have?"
PARTS = ("#t2-flow", "#t2-answers")
# Every state that the page shows of the run, with the time it came.
CATCH = """parts => {
  const elements = parts.map((p) => document.querySelector(p)), begun = performance.now();
  window.t2caught = [];
  const look = () => {
    const now = elements.map((e) => e.innerHTML), last = window.t2caught.at(-1);
    if (!last || now.some((html, i) => html !== last.html[i])) window.t2caught.push({ at: performance.now() - begun, html: now });
  };
  window.t2eye = new MutationObserver(look);
  for (const e of elements) window.t2eye.observe(e, { childList: true, subtree: true, characterData: true, attributes: true });
}"""
SHOW = """([parts, html]) => parts.forEach((p, i) => { document.querySelector(p).innerHTML = html[i]; })"""
DONE = '#t2-answers .t2-answers[data-stage="done"]'


def animate(browser: Any, url: str, question: str, out: Path) -> tuple[int, float]:
    """Ask on the page, and write what was seen as a GIF. Returns (bytes, how many times slower than it was)."""
    context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
    page = context.new_page()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("#t2-ask:not([disabled])", timeout=60_000)
    for once, words in ((False, WARM_UP), (True, question)):  # not the same twice: that answer would be a kept one
        page.fill("#t2-prompt textarea", words)
        page.wait_for_timeout(200)
        page.evaluate("document.querySelector('#t2-answers .t2-answers').dataset.stage = 'old'")
        if once:
            page.evaluate(CATCH, list(PARTS))
        page.click("#t2-ask")
        page.wait_for_selector(DONE, timeout=60_000, state="attached")
        page.wait_for_timeout(1500)
    caught = page.evaluate("(window.t2eye.disconnect(), window.t2caught)")
    over = max(i for i, c in enumerate(caught) if 'data-stage="done"' in c["html"][1] and 'data-details="true"' not in c["html"][1])
    begun = next((i for i, c in enumerate(caught) if 'data-stage="pass1"' in c["html"][0]), 0)
    caught = caught[begun : over + 1]  # not what the run before it left on the page
    real = caught[-1]["at"] - caught[0]["at"]
    factor = max(1.0, round(1000 * LENGTH / max(real, 1.0)))
    page.evaluate("""words => {
      for (const other of ["#t2-overrule", "#t2-view-switch", "#t2-recorded", "#t2-notice"]) document.querySelector(other).style.display = "none";
      const said = document.createElement("p");
      said.className = "t2-faint";
      said.textContent = words;
      said.style.cssText = "text-align: right; padding: 6px 2px 0";
      document.querySelector("#t2-answers").after(said);
      said.id = "t2-slowed";
    }""", f"a real run on two CPU cores, {factor:g} times slower" if factor > 1 else "a real run on two CPU cores")  # fmt: skip
    frames, times, tall = [], [], 0
    for state, following in zip(caught, [*caught[1:], None], strict=True):
        page.evaluate(SHOW, [list(PARTS), state["html"]])
        page.evaluate("window.scrollTo(0, 0)")
        top, bottom = (page.locator(s).bounding_box() for s in (PARTS[0], "#t2-slowed"))
        clip = {"x": top["x"] - 12, "y": top["y"] - 12, "width": top["width"] + 24, "height": bottom["y"] + bottom["height"] - top["y"] + 20}
        frames.append(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB"))
        tall = max(tall, frames[-1].height)
        times.append(int(1000 * HOLD if following is None else max(60, factor * (following["at"] - state["at"]))))
    context.close()
    return write_gif(frames, times, tall, out), factor


def write_gif(frames: list[Image.Image], times: list[int], tall: int, out: Path) -> int:
    """All frames on a ground of the same size and with the same colours; written whole or not at all. Returns the bytes.

    Raises:
        ValueError: larger than :data:`MAX_BYTES`.
    """
    from t2ui.core.files import write_atomic

    ground = frames[-1].getpixel((2, 2))
    same = []
    for frame in frames:
        full = Image.new("RGB", (frames[-1].width, tall), ground)
        full.paste(frame)
        same.append(full.resize((WIDTH, round(tall * WIDTH / full.width)), Image.Resampling.LANCZOS))
    colours = palette(same[0], same[-1])
    flat = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in same]
    held = io.BytesIO()
    flat[0].save(held, "GIF", save_all=True, append_images=flat[1:], duration=times, loop=0, optimize=False)
    if held.tell() > MAX_BYTES:
        raise ValueError(f"the animated picture has {held.tell():,} bytes, at most {MAX_BYTES:,} are wanted")
    write_atomic(out, held.getvalue())
    return held.tell()


def palette(*images: Image.Image, exact: int = 128, all_of_them: int = 256) -> Image.Image:
    """Colours for pictures of a page: its flat ones as they are (they are few and fill most of it), and a choice of the rest."""
    both = Image.new("RGB", (images[0].width, sum(image.height for image in images)))
    for i, image in enumerate(images):
        both.paste(image, (0, sum(other.height for other in images[:i])))
    most = [c for _, c in sorted(both.getcolors(1 << 24) or [], reverse=True)[:exact]]
    rest = both.quantize(all_of_them - exact, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette() or []
    flat = [value for colour in most for value in colour] + rest[: 3 * (all_of_them - exact)]
    made = Image.new("P", (1, 1))
    made.putpalette(flat + [0] * (768 - len(flat)))
    return made
