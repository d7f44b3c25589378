"""Answers that were given before: the same question under the same mix with the same settings is not computed twice.

One :class:`Kept` belongs to one visitor (nobody learns from its speed what somebody else has asked). What is kept is plain data of
:mod:`t2ui.run_data`; it is forgotten when the experts or the model change.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2ui.run_data import FirstPass, Question, Row

MOST = 200  # answers and first passes of one visitor
WHOLE = ("stop", "length")  # an answer that was stopped or failed is not one


class Kept:
    """The last answers and first passes of a visitor, the oldest are dropped. Used from one event loop."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[tuple[Any, ...], Row | FirstPass] = OrderedDict()
        self._stack: Any = None  # held, so that no other stack can have its identity

    def __len__(self) -> int:
        return len(self._held)

    def belongs(self, loaded: Any) -> None:
        """Say for which model and experts answers are wanted now; those of others are forgotten."""
        if loaded.stack is not self._stack:
            self._held.clear()
            self._stack = loaded.stack

    def answer(self, question: Question, mix: str, key: str) -> Row | None:
        """The row of that question under that mix, marked as kept; None if it was never answered to its end."""
        found = self._get(("answer", *_question(question), mix))
        return None if found is None else replace(found, key=key, mix=mix, kept=True)

    def keep_answer(self, question: Question, row: Row) -> None:
        if row.reason in WHOLE and not row.error and not row.kept:
            self._put(("answer", *_question(question), row.mix), row)

    def first_pass(self, question: Question, strategy: str, soft: bool) -> FirstPass | None:
        found = self._get(("first", question.prompt, _picture(question.image), strategy, soft))
        return None if found is None else replace(found, kept=True)

    def keep_first_pass(self, question: Question, strategy: str, soft: bool, found: FirstPass) -> None:
        if not strategy.startswith("few-shot"):  # nothing was computed, and its file may have changed
            self._put(("first", question.prompt, _picture(question.image), strategy, soft), found)

    def _get(self, key: tuple[Any, ...]) -> Any:
        if key in self._held:
            self._held.move_to_end(key)
        return self._held.get(key)

    def _put(self, key: tuple[Any, ...], value: Row | FirstPass) -> None:
        self._held[key] = value
        self._held.move_to_end(key)
        while len(self._held) > self._most:
            self._held.popitem(last=False)


def _question(question: Question) -> tuple[Any, ...]:
    """Everything that an answer depends on besides its mix. The seed counts at temperature 0 too: who changes it wants to see."""
    q = question
    return q.prompt, _picture(q.image), float(q.temperature), int(q.seed), int(q.max_new_tokens), tuple(map(tuple, q.history))


def _picture(image: Any) -> str:
    return "" if image is None else hashlib.sha256(f"{image.size}|{image.mode}|".encode() + image.tobytes()).hexdigest()
