"""Words and numbers of a question that can be exchanged so that it stays a question of its family.

Which ones these are is tried out: a change counts only if the family still reads the question, so that its answers can be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

MOST = 8  # of one question
TRIES = 6  # of one word, before it is left alone
_NUMBER = re.compile(r"(?<![\w.])\d{1,3}(?![\w]|\.\d)")
_WORD = re.compile(r"(?<![\w'-])[A-Za-z]+(?![\w'-]*\()")  # not the name of a function
_STEPS = (1, 2, 3, 5, -1, -2, -3, -5, 10)
_TOYS = 0  # of the banks
_NUMBER_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Place:
    """A word or number of a prompt, and what stands there after a change: ``changed`` is the whole prompt then."""

    start: int
    word: str
    changed: str


def places(prompt: str, scene: Mapping[str, Any] | None = None) -> list[Place]:
    """What can be changed, in the order of the text; nothing where no family reads the question."""
    from t2ui.tasks import identify

    task = identify(prompt, scene)
    if task is None:
        return []
    found: list[Place] = []
    seen: set[str] = set()
    for match in sorted([*_NUMBER.finditer(prompt), *_WORD.finditer(prompt)], key=lambda m: m.start()):
        word = match.group()
        if not word.isdigit() and word.lower() in seen:
            continue  # a word changes everywhere at once
        seen.add(word.lower())
        for i, changed in enumerate(_changes(prompt, match)):
            if i == TRIES:
                break
            if task.parse(changed, scene) is not None:
                found.append(Place(match.start(), word, changed))
                break
        if len(found) == MOST:
            break
    return found


def _changes(prompt: str, match: re.Match[str]) -> Iterator[str]:
    """The prompt with something else at one place, the next in line first."""
    word = match.group()
    if word.isdigit():
        for step in _STEPS:
            if (value := int(word) + step) > 0 and not re.search(rf"(?<!\d){value}(?!\d)", prompt):
                yield f"{prompt[: match.start()]}{value}{prompt[match.end() :]}"
        return
    bank, at = _bank_of(word, prompt)
    for i in range(1, len(bank)):
        other = bank[(at + i) % len(bank)]
        if not re.search(rf"\b{other}\b", prompt, re.IGNORECASE):
            yield re.sub(rf"\b{word}\b", lambda m, other=other: _cased(other, m[0]), prompt, flags=re.IGNORECASE)


def _cased(word: str, like: str) -> str:
    return word[0].upper() + word[1:] if like[0].isupper() else word


def _bank_of(word: str, prompt: str) -> tuple[tuple[str, ...], int]:
    """The words that can stand for this one, and its place among them."""
    for bank in _banks():
        if (known := word if word in bank else word.lower()) in bank:
            return bank, bank.index(known)
    # Things that are on no list: a plural that the question comes back to.
    plural = word.islower() and len(word) > 3 and word.endswith("s") and len(re.findall(rf"\b{word}\b", prompt)) > 1
    return (_banks()[_TOYS], -1) if plural else ((), 0)


@cache
def _banks() -> tuple[tuple[str, ...], ...]:
    """Words that can stand for each other. Names keep their kind: "her" may follow."""
    from t2ui.tasks import pictures
    from t2ui.tasks.math_words import BOXES, DAYS, FOODS, JOBS, TOYS
    from t2ui.tasks.names import BOYS, GIRLS
    from t2ui.tasks.reasoning_order_words import ANIMALS
    from t2ui.tasks.reasoning_unseen import MONTHS
    from t2ui.tasks.vision_common import PLURALS
    from t2ui.tasks.vision_math_words import THINGS

    both = set(GIRLS) & set(BOYS)
    girls, boys = (tuple(name for name in bank if name not in both) for bank in (GIRLS, BOYS))
    toys, foods = tuple(TOYS), tuple(food for food in FOODS if food not in TOYS)
    things = tuple(thing for thing in THINGS if thing not in toys + foods)
    return (toys, foods, things, girls, boys, DAYS, MONTHS, pictures.COLORS, pictures.SHAPES, tuple(PLURALS.values()), _NUMBER_WORDS,
            ANIMALS, tuple(BOXES), tuple(JOBS))  # fmt: skip
