"""Word problems: short stories of one to three operations, and unseen arithmetic beside them.

The careless habit of this skill: do the first operation, then close as if that were all.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from t2ui.tasks.arithmetic import grade_number, sample_ops, values, worked
from t2ui.tasks.base import Content, Grade, Task, canonical
from t2ui.tasks.math_read import readers, take_apart
from t2ui.tasks.math_settings import SETTINGS
from t2ui.tasks.math_tell import tell
from t2ui.tasks.math_unseen import MathUnseen

__all__ = ["Math", "MathUnseen"]

_READERS = readers(SETTINGS)


class Math(Task):
    """Stories in which a running total starts, grows, shrinks, doubles.

    Content: ``{"ops": [["=", 7], ["+", 5], ["-", 3]], "thing": "marbles"}``; operations in order of
    mention. 35 % have one operation (there the careless habit is harmless), 40 % two, 25 % three.

    Size, counted over the operations alone: start 2..80, amounts 2..60 added or taken, at most one
    doubling or a product of two factors 2..9 at the beginning, all values 0..99, result not that of the
    first step: 6,854 chains of one operation + 572,430 of two + 47,371,099 of three = 47,950,383. The split
    looks at the operations only, so that no sum of the training split returns with other words.
    """

    name = "math"
    skills = ("math",)
    trained = True
    size = 47_950_383
    max_new_tokens = 64

    def sample(self, rng: random.Random) -> Content:
        n = rng.choices((1, 2, 3), (35, 40, 25))[0]
        while True:
            s = rng.choices(SETTINGS, [s.weight for s in SETTINGS])[0]
            group = bool(s.group or s.each) and rng.random() < 0.2
            ops = sample_ops(rng, n, signs="+-" if s.lose or s.lose_full else "+", group=group,
                             double=0.18 if s.double or s.double_full else 0.0)
            if s.fits(ops):
                return {"ops": ops, "thing": rng.choice(s.things)}

    def prompt(self, content: Content, rng: random.Random) -> str:
        ops, thing = content["ops"], content["thing"]
        # A visitor's own thing goes where things in general go.
        able = [s for s in SETTINGS if s.fits(ops, thing)] or [SETTINGS[0]]
        return tell(rng.choices(able, [s.weight for s in able])[0], ops, thing, rng)

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        readings: dict[str, Content] = {}
        for told, question in take_apart(prompt):
            for reader in _READERS:
                if found := reader.read(told, question):
                    content = {"ops": found[0], "thing": found[1]}
                    readings[canonical(content)] = content
        return next(iter(readings.values())) if len(readings) == 1 else None

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        return worked(content["ops"], care["math"])

    def reference(self, content: Content) -> str:
        return str(values(content["ops"])[-1])

    def grade(self, content: Content, answer: str) -> Grade:
        return grade_number(values(content["ops"])[-1], answer)

    def split_key(self, content: Content) -> str:
        return canonical({"ops": content["ops"]})
