"""A visitor's table of examples: rows typed, pasted or taken from a task, and what each becomes in a search.

A row taken from a task remembers where it came from (``key``). As long as its cells are as the task made them, it keeps the task's
picture and grader; what the browser sends back is compared with the task's own example, never believed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from t2ui.shots import MAX_BYTES, MAX_EXAMPLES, Example, shots_from
from t2ui.tasks import TASKS, identify

if TYPE_CHECKING:
    from t2ui.engine.search import Shot

MAX_CELL = 2000  # characters, as many as a question may have
MAX_TAKEN = 32  # of a task
MAX_ORIGINS = 16  # tasks and seeds that the rows of one table come from: making their examples takes up to 0.15 s each


@dataclass(frozen=True)
class Row:
    """One row as it is shown; ``key`` names the example it was taken from ("": none)."""

    prompt: str = ""
    answer: str = ""
    key: str = ""

    @property
    def blank(self) -> bool:
        return not self.prompt.strip() and not self.answer.strip()


@dataclass(frozen=True)
class Taken:
    """A task's example behind a key."""

    task: str
    seed: int
    row: Row
    shot: Shot


@dataclass(frozen=True)
class Judged:
    """What a table becomes.

    Attributes:
        shots: of the rows that can be used. numbers: the rows they stand in, from 1.
        how: per shot ``task:NAME`` (as taken, judged by that task), ``family:NAME`` (a family understands the question) or ``own``.
        left: (row, reason) of those that cannot be used; blank rows are no rows.
        origin: (task, seed) where all of them were taken from one task and left as they were.
    """

    shots: list[Shot]
    numbers: list[int]
    how: list[str]
    left: list[tuple[int, str]]
    origin: tuple[str, int] | None = None


def read(value: Any) -> list[Row]:
    """The rows that the browser holds (``{"rows": [[prompt, answer, key], ...]}`` as JSON), blank ones too.

    Raises:
        ValueError: no table, or too large a one; says which.
    """
    if not value:
        return []
    text = str(value)
    if len(text) > 4 * MAX_BYTES:
        raise ValueError(f"the table has more than {MAX_BYTES // 1_000_000} MB: take a part of it")
    try:
        rows = [Row(*map(str, row)) for row in json.loads(text)["rows"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("the table of examples cannot be read: load the page anew") from error
    if sum(not row.blank for row in rows) > MAX_EXAMPLES:
        raise ValueError(f"{len(rows)} rows are more than a search takes ({MAX_EXAMPLES}): take a sample of them")
    known = list(dict.fromkeys(row.key.rpartition(":")[0] for row in rows if row.key))[:MAX_ORIGINS]
    return [row if row.key.rpartition(":")[0] in known else Row(row.prompt, row.answer) for row in rows]


def take(task: str, k: int, seed: int) -> list[Row]:
    """The examples that a search of ``k`` from this task would use, as rows."""
    if task not in TASKS or not 1 <= k <= MAX_TAKEN or not 0 <= seed < 2**31:
        raise ValueError(f"1 to {MAX_TAKEN} examples of one of these can be taken: {', '.join(TASKS)}")
    return [taken.row for taken in _examples(task, seed)[:k]]


@lru_cache(maxsize=2 * MAX_ORIGINS)
def _examples(task: str, seed: int) -> tuple[Taken, ...]:
    from t2ui.train.fewshot import shot_of

    family = TASKS[task]
    made = family.examples("validation", MAX_TAKEN, 10_000 + seed)  # as train.fewshot.shots_of takes them, a test holds them together
    return tuple(Taken(task, seed, Row(e.prompt, e.answer, f"{task}:{seed}:{i}"), shot_of(family, e)) for i, e in enumerate(made))


def origin(key: str) -> Taken | None:
    """The example behind a key; None for none, and for keys that nobody here made."""
    parts = key.split(":")
    if len(parts) != 3 or parts[0] not in TASKS or not all(p.isascii() and p.isdigit() and len(p) < 11 for p in parts[1:]):
        return None
    seed, place = int(parts[1]), int(parts[2])
    return _examples(parts[0], seed)[place] if seed < 2**31 and place < MAX_TAKEN else None


def unedited(row: Row) -> Taken | None:
    """What a row was taken from, if it is still as it was."""
    found = origin(row.key)
    return found if found is not None and (found.row.prompt, found.row.answer) == (row.prompt, row.answer) else None


def added(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """The old rows without blank ones, then those of the new ones that are not among them.

    Raises:
        ValueError: that would be too many.
    """
    kept = [row for row in old if not row.blank]
    known = {(row.prompt.strip(), row.answer.strip()) for row in kept}
    for row in new:
        if (there := (row.prompt.strip(), row.answer.strip())) not in known:
            known.add(there)
            kept.append(row)
    if len(kept) > MAX_EXAMPLES:
        raise ValueError(f"with those the table would have {len(kept)} rows, a search takes {MAX_EXAMPLES}: take a sample of them")
    return kept


def replaced(old: Sequence[Row], new: Sequence[Row]) -> list[Row]:
    """As :func:`added`, but rows taken from a task make room for the new ones, unless somebody edited them."""
    return added([row for row in old if unedited(row) is None], new)


def rows_of(examples: Sequence[Example]) -> list[Row]:
    """What was read from a text, as rows."""
    return [Row(e.prompt, e.answer) for e in examples]


def judge(rows: Sequence[Row]) -> Judged:
    """What can be searched with, how each row will be judged, and what is left out and why."""
    told = Judged([], [], [], [])
    origins = set()
    for number, row in enumerate(rows, 1):
        if row.blank:
            continue
        found = unedited(row)
        shot, how = (found.shot, f"task:{found.task}") if found is not None else (None, "")
        if shot is None:
            shot, how = _written(row, number, told.left)
        if shot is None:
            continue
        origins.add((found.task, found.seed) if found is not None else None)
        told.shots.append(shot)
        told.numbers.append(number)
        told.how.append(how)
    one = origins.pop() if len(origins) == 1 and not told.left else None
    return Judged(told.shots, told.numbers, told.how, told.left, one)


def _written(row: Row, number: int, left: list[tuple[int, str]]) -> tuple[Shot | None, str]:
    """The shot of a row that somebody wrote; where it cannot be one, the reason goes to ``left``."""
    for name, cell in (("prompt", row.prompt), ("answer", row.answer)):
        if len(cell) > MAX_CELL:
            left.append((number, f"its {name} has {len(cell):,} characters, {MAX_CELL:,} is the most"))
            return None, ""
    if not row.prompt.strip():
        left.append((number, "no prompt"))
        return None, ""
    shots, refused = shots_from([Example(row.prompt.strip(), row.answer.strip(), number)])
    left += refused
    family = identify(row.prompt.strip())
    known = family is not None and family.parse(row.prompt.strip()) is not None
    return (shots[0] if shots else None), (f"family:{family.name}" if known and family is not None else "own")
