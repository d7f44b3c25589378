"""The page in a real browser: how soon it paints, follows a slider, answers, stops, searches; and over a slow or broken line.

Everything is timed inside the page (``performance.now``), from the event that a visitor makes to what he sees.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from .common import Result

QUESTION = "Tom has 12 apples, buys 5 more and gives 4 to Anna. How many apples does Tom have now?"
WIDE = {"viewport": {"width": 1440, "height": 1000}}
MOVES = 24
SLOW = {"offline": False, "latency": 300, "downloadThroughput": 1.5e6 / 8, "uploadThroughput": 1.5e6 / 8}  # ms, bytes a second
OUTAGE, LOOK = 10.0, 20.0  # seconds: without a line; at a search
PATIENCE = 120_000  # ms: a busy machine is slow, not broken
# Seconds at most, but for "search updates" (a second, at least) and the two that are counted or true.
LIMITS = {
    "first paint": 1.5, "slider to picture": 0.1, "slider to picture, server paused": 0.05, "requests while dragging": 0,
    "click to first token": 0.5, "stop to stopped": 0.3, "search updates a second": 2.0, "longest task of a search": 0.2,
    "slow line: first picture": 8.0, "slow line: slider to picture": 0.1, "outage: all is kept": 1,
}  # fmt: skip
AT_LEAST = ("search updates a second", "outage: all is kept")

# Notes when the first picture of the two passes stands. Runs before any script of the page.
FIRST = """(() => {
  window.t2bench = {};
  const look = () => {
    if (document.querySelector('#t2-flow svg')) { window.t2bench.picture = performance.now(); watch.disconnect(); }
  };
  const watch = new MutationObserver(look);
  watch.observe(document, { childList: true, subtree: true });
})()"""
# Notes for every move of a slider the time until the frame after the picture was drawn.
REPAINTS = """([slider, plot]) => {
  const picture = document.querySelector(plot);
  window.t2bench = { moves: [], begun: null };
  document.querySelector(slider).addEventListener('input', () => {
    if (window.t2bench.begun === null) window.t2bench.begun = performance.now();
  }, true);
  new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
    if (window.t2bench.begun === null) return;
    window.t2bench.moves.push(performance.now() - window.t2bench.begun);
    window.t2bench.begun = null;
  }))).observe(picture, { attributes: true, attributeFilter: ['data-repaints'] });
}"""
# Notes click and first text of the adapted answer, or stop and the stage that says so.
ANSWER = """() => {
  window.t2bench = {};
  const note = (selector, name) => document.querySelector(selector).addEventListener('click', () => { window.t2bench[name] ||= performance.now(); }, true);
  note('#t2-ask', 'click');
  note('#t2-stop', 'stop');
  const look = () => {
    const box = document.querySelector('#t2-answers .t2-answers'), told = window.t2bench;
    if (!box || !told.click || box.dataset.stage === 'old') return;
    const texts = [...box.querySelectorAll('.t2-answer > .t2-view-text')].map(e => e.querySelector('.t2-faint') ? '' : e.textContent.trim());
    if (texts.some(t => t)) told.first ||= performance.now();
    if (told.stop && box.dataset.stage === 'stopped') told.stopped ||= performance.now();
  };
  document.querySelector('#t2-answers .t2-answers').dataset.stage = 'old';
  new MutationObserver(look).observe(document.querySelector('#t2-answers'), { subtree: true, childList: true, characterData: true, attributes: true });
}"""
# Notes when the search's picture changed, and every long task of the main thread.
SEARCH = """() => {
  window.t2bench = { updates: [], tasks: [] };
  let before = '';
  new MutationObserver(() => {
    const now = document.querySelector('#t2-search-view').innerHTML;
    if (now !== before) { before = now; window.t2bench.updates.push(performance.now()); }
  }).observe(document.querySelector('#t2-search-view'), { subtree: true, childList: true, characterData: true, attributes: true });
  new PerformanceObserver(list => list.getEntries().forEach(e => window.t2bench.tasks.push(e.duration))).observe({ type: 'longtask' });
}"""


def page(browser: Any, url: str, pause: Callable[[bool], None] | None = None, repeats: int = 5) -> Result:
    """Measure a page that is served at ``url`` and whose model is ready (or soon).

    Args:
        browser: Playwright's Chromium.
        pause: stops the server's process (True) and lets it go on (False); None: that part is left out.
        repeats: how often what happens once per page or press is repeated; medians are told.

    Returns:
        ``seconds`` by name (see :data:`LIMITS`, which come along), ``runs`` with the single values, ``met`` by name.
    """
    runs: dict[str, list[float]] = {}

    def add(**found: list[float]) -> None:
        for name, values in found.items():
            runs.setdefault(NAMES[name], []).extend(values)

    for _ in range(repeats):
        with visitor(browser) as p:
            add(paint=[_open(p, url)["paint"]])
    with visitor(browser) as p:
        _open(p, url)
        add(**_slider(p, None))
        if pause is not None:
            add(**{"paused" if k == "move" else k: v for k, v in _slider(p, pause).items()})
    with visitor(browser) as p:
        _open(p, url + "?" + urlencode({"prompt": QUESTION}))
        for _ in range(repeats):
            add(token=[_first_token(p)])
    with visitor(browser) as p:  # sampled hot, an answer runs on until its longest length
        _open(p, url + "?" + urlencode({"prompt": QUESTION, "temperature": 2, "tokens": 256, "seed": 1}))
        for _ in range(repeats):
            if (stopped := _stop(p)) is not None:
                add(stop=[stopped])
    with visitor(browser) as p:
        _open(p, url)
        add(**_search(p))
    with visitor(browser) as p:
        line = _line(p)
        line(SLOW)
        found = _open(p, url)
        add(slow_picture=[found["picture"]], slow_move=_slider(p, None)["move"])
        add(outage=[float(_outage(p, line))])
    values = {name: round(max(v) if name == NAMES["task"] else sum(v) if name == NAMES["asked"] else statistics.median(v), 4)
              for name, v in runs.items() if v}  # fmt: skip
    met = {name: (value >= LIMITS[name] if name in AT_LEAST else value <= LIMITS[name]) for name, value in values.items()}
    return {"values": values, "limits": LIMITS, "met": met, "runs": {name: [round(x, 4) for x in v] for name, v in runs.items()}}


NAMES = dict(zip(("paint", "move", "paused", "asked", "token", "stop", "updates", "task", "slow_picture", "slow_move", "outage"), LIMITS,
                 strict=True))  # fmt: skip


@contextmanager
def visitor(browser: Any) -> Iterator[Any]:
    """A page with an empty cache."""
    context = browser.new_context(**WIDE)
    p = context.new_page()
    p.set_default_timeout(PATIENCE)
    try:
        yield p
    finally:
        context.close()


def _open(p: Any, url: str) -> dict[str, float]:
    """Seconds from the navigation to the first paint and to the picture of the two passes; then wait for the model."""
    p.add_init_script(FIRST)
    p.goto(url, wait_until="commit")
    p.wait_for_function("window.t2bench && window.t2bench.picture")
    paint, picture = p.evaluate("[performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? window.t2bench.picture, "
                                "window.t2bench.picture]")  # fmt: skip
    p.wait_for_selector("#t2-ask:not([disabled])")
    return {"paint": paint / 1000, "picture": picture / 1000}


def _slider(p: Any, pause: Callable[[bool], None] | None) -> dict[str, list[float]]:
    """Seconds from a slider's move to the frame that shows it, move by move; and requests meanwhile."""
    slider, plot = "#t2-alpha-0 input[type=range]", "#t2-map .t2-plot"
    p.click("#t2-tab-mix-button")
    p.wait_for_selector(f"{plot} .heatmaplayer", state="attached")
    box = p.locator(slider).bounding_box()
    x, y = box["x"], box["y"] + box["height"] / 2
    p.mouse.move(x + 8, y)
    p.mouse.down()
    p.mouse.move(x + 12, y)
    p.wait_for_timeout(500)
    asked: list[str] = []
    note = lambda request: asked.append(request.url)
    p.on("request", note)
    try:
        if pause is not None:
            pause(True)
        p.evaluate(REPAINTS, [slider, plot])
        for i in range(1, MOVES + 1):
            p.mouse.move(x + 12 + i * (box["width"] - 24) / MOVES, y)
            p.wait_for_function(f"window.t2bench.moves.length >= {i} || performance.now() - (window.t2bench.begun ?? 1e12) > 5000")
        moves = p.evaluate("window.t2bench.moves")
        count = len(asked)
    finally:
        if pause is not None:
            pause(False)
        p.remove_listener("request", note)
        p.mouse.up()
    p.wait_for_timeout(500)
    return {"move": [m / 1000 for m in moves], "asked": [float(count)]}


def _press(p: Any) -> None:
    p.evaluate(ANSWER)
    p.click("#t2-ask")


def _over(p: Any) -> None:
    p.wait_for_function("['done', 'stopped', 'error'].includes(document.querySelector('#t2-answers .t2-answers').dataset.stage)")
    p.wait_for_timeout(300)


def _first_token(p: Any) -> float:
    _press(p)
    p.wait_for_function("window.t2bench.first")
    told = p.evaluate("window.t2bench")
    _over(p)
    return (told["first"] - told["click"]) / 1000


def _stop(p: Any) -> float | None:
    """Seconds from Stop to the page that says so; None where the answer was over before."""
    over = "['done', 'error'].includes(document.querySelector('#t2-answers .t2-answers').dataset.stage)"
    _press(p)
    p.wait_for_function(f"window.t2bench.first || {over}")
    p.evaluate("document.querySelector('#t2-stop').click()")
    p.wait_for_function(f"window.t2bench.stopped || {over}")
    told = p.evaluate("window.t2bench")
    _over(p)
    return (told["stopped"] - told["stop"]) / 1000 if "stopped" in told and "stop" in told else None


def _search(p: Any) -> dict[str, list[float]]:
    """Pictures a second of a live search while it runs, and the long tasks of the browser's main thread, in seconds."""
    p.click("#t2-tab-search-button")
    p.wait_for_selector("#t2-search-start:not([disabled])")
    p.wait_for_timeout(500)
    p.evaluate(SEARCH)
    p.click("#t2-search-start")
    p.wait_for_function("window.t2bench.updates.length > 2")  # it runs
    p.wait_for_function(f"performance.now() - window.t2bench.updates[0] > {1000 * LOOK} || "
                        "['measuring', 'done'].includes(document.querySelector('#t2-search-view .t2-search').dataset.stage)")  # fmt: skip
    told = p.evaluate("window.t2bench")
    stop = p.locator("#t2-search-stop")
    if stop.is_enabled():
        stop.click()
    times = told["updates"]
    rate = 1000 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 2 else 0.0
    return {"updates": [rate], "task": [t / 1000 for t in told["tasks"]] or [0.0]}


def _line(p: Any) -> Callable[[dict[str, Any]], None]:
    """What the network is like from now on, as Chromium's developer tools emulate it."""
    tools = p.context.new_cdp_session(p)
    tools.send("Network.enable")
    return lambda what: tools.send("Network.emulateNetworkConditions", what)


def _outage(p: Any, line: Callable[[dict[str, Any]], None]) -> bool:
    """Ten seconds without a line, typing all the while: is everything still there, and does the page go on?"""
    before, after = "Anna has 12 pens and buys ", "3 more. How many pens does Anna have?"
    p.fill("#t2-prompt textarea", before)
    p.wait_for_timeout(500)
    line({**SLOW, "offline": True})
    begun = time.monotonic()
    p.locator("#t2-prompt textarea").press_sequentially(after)
    p.wait_for_timeout(max(0, 1000 * (OUTAGE - (time.monotonic() - begun))))
    line(SLOW)
    p.wait_for_timeout(3000)  # whatever the page does once it has a line again
    p.wait_for_selector("#t2-ask:not([disabled])")
    kept = p.input_value("#t2-prompt textarea") == before + after
    slider = float(p.evaluate("window.t2ui.alphas[0] || 0")) > 0.5
    p.click("#t2-tab-ask-button")
    _press(p)
    p.wait_for_function("window.t2bench.first")
    return kept and slider
