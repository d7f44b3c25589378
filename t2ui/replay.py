"""A run that is over, played again: the pictures it went through, made from what it says about its own times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from t2ui.runs import Row, Run

STEPS = 8  # pictures of the second pass
NOTHING = 0.04  # seconds of a stage that the run says nothing about


@dataclass(frozen=True)
class Frame:
    """Attributes: seconds: after the run's beginning; run: what was to be seen then."""

    seconds: float
    run: Run


def frames(run: Run, steps: int = STEPS) -> Iterator[Frame]:
    """The pictures of a run, the first at 0 seconds, the last one the run itself.

    When an answer's tokens came is not kept, only its first and its last: between the two they are taken to come evenly.
    """
    if not run.rows:
        yield Frame(0.0, run)
        return
    kept = run.row("dispatch") if run.kind == "overrule" else None  # was there before
    bare = replace(run, rows=() if kept is None else (kept,), error=None)
    now = 0.0
    if run.first_pass is not None and kept is None:
        yield Frame(0.0, replace(bare, stage="pass1", first_pass=None))
        now = run.first_pass.seconds or NOTHING
    growing = [row for row in run.rows if row is not kept]
    longest = max((row.seconds.get("total", NOTHING) for row in growing), default=NOTHING)
    for step in range(steps):
        at = longest * step / steps
        rows = tuple(row if row is kept else _at(row, at) for row in run.rows)
        yield Frame(now + at, replace(bare, stage="pass2", rows=rows))
    yield Frame(now + longest, run)


def _at(row: Row, seconds: float) -> Row:
    """An answer as far as it was so many seconds after the second pass began."""
    total = row.seconds.get("total", NOTHING)
    first = min(row.seconds.get("first", 0.0), total)
    if seconds >= total:
        return row
    share = max(0.0, (seconds - first) / (total - first)) if total > first else 0.0
    begun = seconds >= first
    known = {"first": first} if begun and "first" in row.seconds else {}
    return replace(row, text=row.text[: round(share * len(row.text))], thinking=row.thinking if begun else "", reason=None,
                   tokens=round(share * row.tokens), seconds=known, right=None, why="", change=None, applied="", rest=None,
                   ids=())  # fmt: skip
