"""The storyline, played to its end in a browser that nobody watches: which steps went live, which showed the recorded picture.

Works on a Playwright page that is open; knows the page only by what its player says (``static/present.js``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

KEY = "PageDown"
ENDED = ("live", "recorded", "failed", "none")


@dataclass(frozen=True)
class StepReport:
    """One step that has ended.

    Attributes:
        key, moment: which one.
        how: ``live``, ``recorded`` (shown, labelled), ``failed``, or ``none`` (nothing was to be done).
        seconds: that it took; waited: seconds until what it began was over.
        clipped: what does not fit on the screen, in words; "" where all is well.
    """

    key: str
    moment: int
    how: str
    seconds: float
    waited: float = 0.0
    clipped: str = ""

    @property
    def passed(self) -> bool:
        return self.how != "failed" and not self.clipped


def address(url: str, limit: float | None = None, recorded: bool = False) -> str:
    """The page's address that plays the storyline."""
    tail = f"&limit={limit:g}" if limit is not None else ""
    return f"{url.rstrip('/')}/?present={'recorded' if recorded else '1'}{tail}"


def play(page: Any, patience: float = 120.0) -> Iterator[StepReport]:
    """Press the key until the story is over, a report after every step; what a report is looked at with is the page itself.

    Args:
        page: opened at :func:`address`.
        patience: seconds to wait for any step before it is called failed.
    """
    page.wait_for_selector(":root[data-t2-present=on]", timeout=1000 * patience, state="attached")
    steps = page.evaluate("window.t2ui.steps()")
    for index, step in enumerate(steps):
        if index:
            page.keyboard.press(KEY)
        here = f':root[data-t2-step="{step["key"]}"]'
        ended = ", ".join(f"{here}[data-t2-how={how}]" for how in ENDED)
        try:
            page.wait_for_selector(ended, timeout=1000 * patience, state="attached")
            how, seconds = page.evaluate("[document.documentElement.dataset.t2How, Number(document.documentElement.dataset.t2Seconds)]")
        except Exception as error:  # Playwright's own; not imported here
            if "Timeout" not in type(error).__name__:
                raise
            how, seconds = "failed", patience
        waited = 0.0
        if step["over"] and how == "live":
            begun = time.monotonic()
            try:
                page.wait_for_selector(step["over"], timeout=1000 * max(step["pause"], patience if patience > step["pause"] else 0),
                                       state="attached")  # fmt: skip
            except Exception as error:
                if "Timeout" not in type(error).__name__:
                    raise
            waited = time.monotonic() - begun
        yield StepReport(step["key"], step["moment"], how, seconds, waited, page.evaluate(FITS))


# The sentence is whole, the bar is on the screen, nothing scrolls sideways.
FITS = """() => {
  const bar = document.getElementById('t2-bar'), say = bar.querySelector('.t2-say'), box = bar.getBoundingClientRect();
  const wrong = [];
  if (say.scrollWidth > say.clientWidth + 1 || bar.scrollHeight > bar.clientHeight + 1) wrong.push('the sentence is cut off');
  if (box.bottom > innerHeight + 1 || box.top < 0) wrong.push('the bar is not on the screen');
  if (document.documentElement.scrollWidth > innerWidth + 1) wrong.push('the page scrolls sideways');
  return wrong.join(', ');
}"""
