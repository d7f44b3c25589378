"""Chains of operations: the content behind every arithmetic question, its worked answer and its grade.

A chain is a list of pairs, JSON-able: ``[["=", 7], ["+", 5], ["-", 3]]`` starts at 7, adds 5, takes 3.
Operations apply from left to right, whatever school says about precedence: a phrasing has to make
that order plain. Shared by the families that do arithmetic; knows nothing of phrasing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from t2ui.tasks.base import Grade

Ops = list[list]

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
# Four digits are plenty for a visitor's own numbers and keep int() away from absurd inputs.
NUMBER = r"(?:[0-9]{1,4}(?![0-9])|" + "|".join(sorted(WORDS, key=len, reverse=True)) + r")"

_APPLY = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}
_CLOSING = re.compile(r"answer\s+is\s*:?\s*[*$(]*\s*(-?\d{1,12}(?:\.\d{1,6})?)(?![\d])", re.IGNORECASE)

LIMIT = 99
# Of both, the common ones and the wide ones; how often the wide ones are drawn from.
AMOUNTS, WIDE_AMOUNTS, AMOUNTS_WIDE = range(2, 21), range(2, 61), 0.45
STARTS, WIDE_STARTS, STARTS_WIDE = range(2, 61), range(2, 81), 0.3
FACTORS = range(2, 10)


def read_number(text: str) -> int:
    """``"7"`` and ``"Seven"`` are 7; the text must match :data:`NUMBER`."""
    lowered = text.lower()
    return WORDS.index(lowered) if lowered in WORDS else int(lowered)


def write_number(n: int, words: bool = False) -> str:
    """Digits, or a word where there is one and words are wanted."""
    return WORDS[n] if words and 0 <= n < len(WORDS) else str(n)


def values(ops: Sequence[Sequence]) -> list[int]:
    """The running total: the start, then the value after each operation."""
    out = [ops[0][1]]
    for sign, amount in ops[1:]:
        out.append(_APPLY[sign](out[-1], amount))
    return out


def steps(ops: Sequence[Sequence]) -> list[str]:
    """The worked steps, one sentence per operation: ``["7 + 5 = 12.", "12 - 3 = 9."]``."""
    running = values(ops)
    return [f"{before} {sign} {amount} = {after}."
            for before, (sign, amount), after in zip(running, ops[1:], running[1:], strict=False)]


def worked(ops: Sequence[Sequence], careful: bool) -> str:
    """The full answer. A careless author stops after the first operation and closes as if done."""
    kept = list(ops) if careful else list(ops[:2])
    return " ".join([*steps(kept), f"The answer is {values(kept)[-1]}."])


def grade_number(expected: int, answer: str) -> Grade:
    """Right if the first closing sentence (``The answer is 9.``) names the expected number."""
    found = _CLOSING.search(answer)
    if found is None:
        return Grade(False, f"expected {expected}, but there is no sentence 'The answer is ...' with a number")
    given = found.group(1)
    if float(given) == expected:
        return Grade(True, f"the answer is {expected}")
    return Grade(False, f"expected {expected}, the answer says {given}")


def _draw(rng: random.Random, common: range, wide: range, share: float) -> int:
    return rng.choice(wide if rng.random() < share else common)


def sample_ops(rng: random.Random, n: int, *, signs: str = "+-", group: bool = False, double: float = 0.0) -> Ops:
    """A random chain of ``n`` operations with all values in 0..99 that the first step alone does not solve.

    Most amounts are 2..20 and most starts 2..60, the others up to 60 and 80.

    Args:
        rng: the source of chance.
        n: number of operations, at least 1.
        signs: the operations to choose from, ``"+-"``, ``"+"`` or ``"-"``.
        group: begin with a product of two factors in 2..9.
        double: chance that one of the other operations is ``* 2``.
    """
    while True:
        ops: Ops = [["=", rng.choice(FACTORS) if group else _draw(rng, STARTS, WIDE_STARTS, STARTS_WIDE)]]
        if group:
            ops.append(["*", rng.choice(FACTORS)])
        doubled = rng.randrange(n) + 1 if not group and rng.random() < double else None
        while len(ops) <= n:
            amount = _draw(rng, AMOUNTS, WIDE_AMOUNTS, AMOUNTS_WIDE)
            ops.append(["*", 2] if len(ops) == doubled else [rng.choice(signs), amount])
        running = values(ops)
        if min(running) < 0 or max(running) > LIMIT or (n > 1 and running[-1] == running[1]):
            continue
        return ops
