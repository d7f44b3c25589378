"""The mixes that a visitor has tried: each with its scores, one of them pinned. Plain data, and the table that shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape

from t2ui.scores import SEED, SPLIT, Score
from t2ui.ui.live import pick
from t2ui.ui.parts import mix_words
from t2ui.ui.text import Text, both

MOST = 30  # mixes that are remembered; a pinned one is never dropped


@dataclass(frozen=True)
class Tried:
    """One mix. Attributes: number: 1, 2, ... in the order of trying; alphas: the sliders; depth: the depth profile's state
    ("": none); mix: both together, as ``str(Mix)``; at: when it was last tried (seconds since 1970); scores: by family, the one with the most questions;
    seed: of its last answer, None where it was only scored."""

    number: int
    mix: str
    alphas: tuple[float, ...]
    depth: str = ""
    at: float = 0.0
    scores: Mapping[str, Score] = field(default_factory=dict)
    seed: int | None = None


class History:
    """What one visitor tried, the newest first."""

    def __init__(self) -> None:
        self.entries: tuple[Tried, ...] = ()
        self.pinned: int | None = None
        self._count = 0

    def add(self, mix: str, alphas: Sequence[float | None], depth: str = "", seed: int | None = None) -> Tried:
        """Remember a mix; one that was tried before keeps its number and its scores, and moves to the top. ``seed``: of an answer."""
        entry = next((e for e in self.entries if e.mix == mix), None)
        if entry is None:
            self._count += 1
            entry = Tried(self._count, mix, ())
        entry = replace(entry, alphas=tuple(float(a or 0.0) for a in alphas), depth=depth, at=time.time(),
                        seed=entry.seed if seed is None else seed)  # fmt: skip
        rest = [e for e in self.entries if e.number != entry.number]
        kept = [e for i, e in enumerate(rest) if i < MOST - 1 or e.number == self.pinned]
        self.entries = (entry, *kept)
        return entry

    def score(self, number: int, family: str, score: Score) -> None:
        """Book a score; one over fewer questions of that family never replaces one over more."""
        self.entries = tuple(
            replace(e, scores={**e.scores, family: score})
            if e.number == number and score.n and (family not in e.scores or e.scores[family].n <= score.n) else e
            for e in self.entries
        )  # fmt: skip

    def get(self, number: object) -> Tried | None:
        return next((e for e in self.entries if e.number == number), None)

    def pin(self, number: object) -> None:
        """Compare with that mix from now on; the pinned one, or none that is known: no pin any more."""
        self.pinned = number if self.get(number) is not None and number != self.pinned else None  # type: ignore[assignment]

    @property
    def pin_entry(self) -> Tried | None:
        return self.get(self.pinned)


def points(value: float, digits: int = 0) -> str:
    """A difference in percentage points, with its sign."""
    return f"{100 * value:+.{digits}f}".replace("-", "−")


def percents(low: float, high: float) -> str:
    return f"{100 * low:.0f} – {100 * high:.0f} %"


def score_words(score: Score, t: Text) -> str:
    """"29 of 40 right: 72 %, interval 57 – 84 %" (HTML)."""
    return t.words("score.words", k=score.k, n=score.n, share=f"{100 * score.accuracy:.0f} %", interval=percents(*score.interval))


def score_bar(score: Score) -> str:
    """The share of right answers with the interval drawn over it."""
    low, high = score.interval
    return (f'<span class="t2-hbar t2-scorebar" aria-hidden="true"><span style="width:{100 * score.accuracy:.1f}%"></span>'
            f'<i style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></i></span>')  # fmt: skip


def against(entry: Tried, pinned: Tried | None, family: str, t: Text) -> str:
    """The difference to the pinned mix on the questions of a family that both answered, or "" where there are none."""
    if pinned is None or entry.number == pinned.number or family not in entry.scores or family not in pinned.scores:
        return ""
    found = entry.scores[family].against(pinned.scores[family])
    if found is None:
        return ""
    difference, (low, high), n = found
    return t.words("score.against", points=points(difference), low=points(low), high=points(high), n=n)


def _when(entry: Tried, t: Text) -> str:
    """The time of day, which ``words.js`` writes in the visitor's own zone, and the answer's seed."""
    at = datetime.fromtimestamp(entry.at, UTC)
    said = [f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%H:%M} UTC</time>'] if entry.at else []
    said += [both(f'<span data-seed="{entry.seed}">{t.html("history.seed", seed=entry.seed)}</span>', "")] if entry.seed is not None else []
    return f'<span class="t2-tried-when t2-faint">{" ".join(said)}</span>' if said else ""


def history_html(history: History, t: Text) -> str:
    """A row per mix: load it, pin it, its scores, and how it compares with the pinned one."""
    if not history.entries:
        return f'<p class="t2-faint">{t.html("history.empty")}</p>'
    pinned = history.pin_entry
    split = both(f' <span class="t2-faint">{t.html("history.split", split=SPLIT, seed=SEED)}</span>', "")
    rows = []
    for e in history.entries:
        lines = "".join(
            f'<div class="t2-score"><span class="t2-score-family">{escape(t.family(family))}</span>{score_bar(score)}'
            f"<span>{score_words(score, t)}{split}</span>"
            + (f'<span class="t2-against">{words}</span>' if (words := against(e, pinned, family, t)) else "")
            + "</div>"
            for family, score in e.scores.items()
        ) or f'<span class="t2-faint">{t.html("history.no_score")}</span>'
        on = e.number == history.pinned
        words = mix_words(e.mix, t) + (f" ({t('depth.mark')})" if "/" in e.mix else "")
        rows.append(
            f'<tr data-number="{e.number}"><th scope="row">{e.number}</th><td class="t2-tried">{escape(words)}{_when(e, t)}</td><td>{lines}</td>'
            f'<td class="t2-presets"><button type="button" {pick(load=e.number)} '
            f'aria-label="{t.html("history.load_label", n=e.number)}">{t.html("history.load")}</button>'
            f'<button type="button" {pick(pin=e.number)} aria-pressed="{str(on).lower()}" '
            f'aria-label="{t.html("history.pin_label", n=e.number)}">{t.html("history.pinned" if on else "history.pin")}</button>'
            f"</td></tr>"
        )
    return f'<table class="t2-history"><tbody>{"".join(rows)}</tbody></table>'
