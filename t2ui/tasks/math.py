"""Word problems: short stories of one to three operations, and unseen arithmetic beside them.

The careless habit of this skill: do the first operation, then close as if that were all.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from t2ui.tasks.arithmetic import LIMIT, Ops, grade_number, sample_ops, values, worked
from t2ui.tasks.base import Content, Grade, Task, canonical
from t2ui.tasks.math_read import readers, take_apart
from t2ui.tasks.math_settings import SETTINGS, shared
from t2ui.tasks.math_tell import tell
from t2ui.tasks.math_unseen import MathUnseen

__all__ = ["Math", "MathUnseen"]

_READERS = readers(SETTINGS)
# How many stories take their events from all the settings of their kind; how many have amounts of 20 to 60 only; how
# many of those that end with a loss end with nothing left.
_SHARING, _LARGE, _EMPTIED = 0.2, 0.12, 0.05
_LARGE_AMOUNTS = range(20, 61)


class Math(Task):
    """Stories in which a running total starts, grows, shrinks, doubles.

    Content: ``{"ops": [["=", 7], ["+", 5], ["-", 3]], "thing": "marbles"}``; operations in order of
    mention. 33 % have one operation (there the careless habit is harmless), 38 % two, 29 % three.

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
        n = rng.choices((1, 2, 3), (33, 38, 29))[0]
        while True:
            s = rng.choices(SETTINGS, [s.weight for s in SETTINGS])[0]
            group = bool(s.group or s.each) and rng.random() < 0.2
            ops = sample_ops(rng, n, signs="+-" if s.lose or s.lose_full else "+", group=group,
                             double=0.18 if s.double or s.double_full else 0.0)
            ops = _exact(ops, rng)
            if s.fits(ops):
                return {"ops": ops, "thing": rng.choice(s.things)}

    def prompt(self, content: Content, rng: random.Random) -> str:
        ops, thing = content["ops"], content["thing"]
        # A visitor's own thing goes where things in general go.
        able = [s for s in SETTINGS if s.fits(ops, thing)] or [SETTINGS[0]]
        setting = rng.choices(able, [s.weight for s in able])[0]
        return tell(shared(setting) if rng.random() < _SHARING else setting, ops, thing, rng)

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        readings: dict[str, Content] = {}
        for told, question in take_apart(prompt):
            for reader in _READERS:
                if found := reader.read(told, question):
                    content = {"ops": found[0], "thing": found[1]}
                    readings[canonical(content)] = content
        if len({canonical({"ops": content["ops"]}) for content in readings.values()}) != 1:
            return None
        # Readers that agree on the sum may take "cups stand" for a thing: the shortest is the thing itself.
        return min(readings.values(), key=lambda content: len(content["thing"]))

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        return worked(content["ops"], care["math"])

    def reference(self, content: Content) -> str:
        return str(values(content["ops"])[-1])

    def grade(self, content: Content, answer: str) -> Grade:
        return grade_number(values(content["ops"])[-1], answer)

    def split_key(self, content: Content) -> str:
        return canonical({"ops": content["ops"]})


def _exact(ops: Ops, rng: random.Random) -> Ops:
    """The chain, now and then with larger amounts or with nothing left: what is harder to reckon than to understand."""
    chain = [list(op) for op in ops]
    if rng.random() < _LARGE:
        for op in chain[1:]:
            if op[0] in "+-":
                op[1] = rng.choice(_LARGE_AMOUNTS)
    before = values(chain)[-2]
    if chain[-1][0] == "-" and before in range(2, 61) and rng.random() < _EMPTIED:
        chain[-1][1] = before
    running = values(chain)
    fine = min(running) >= 0 and max(running) <= LIMIT and (len(chain) == 2 or running[-1] != running[1])
    return chain if fine else ops
