"""Small Python functions on lists of numbers: filter, transform, aggregate.

    Write a function total(xs) that returns the sum of the even numbers above 5 in the list xs.

    def total(xs):
        return sum(x for x in xs if x % 2 == 0 and x > 5)

The careless author never tests for divisibility: he drops "even" without a word and keeps the rest.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.code_unseen import CodeUnseen
from t2ui.tasks.code_words import change, read_body, transform_code, write_steps, write_what
from t2ui.tasks.filters import (
    OPS,
    collect,
    filter_code,
    passes,
    pick,
    sample_div,
    usable,
    variable,
    wrap,
)
from t2ui.tasks.functions import FunctionTask
from t2ui.tasks.openers import draw_argument, draw_name, read_opener, write_opener

__all__ = ["Code", "CodeUnseen"]

AGGREGATES = {"sum": 0.3, "list": 0.2, "count": 0.18, "max": 0.11, "min": 0.11, "sorted": 0.1}
_TRANSFORMS = {"x": 0.6, "*": 0.14, "+": 0.08, "-": 0.06, "^": 0.12}


class Code(FunctionTask):
    """Functions on one list of numbers.

    Content: ``{"agg": "sum", "map": ["*", 2], "div": [2, 0], "cmp": [">", 5], "name": "total", "arg": "xs"}``:
    aggregate; transform of each number (["x", 0] leaves it, ["^", 2] squares); keep x with x % k == r; keep
    x op k; names. ``div`` and ``cmp`` may be None; a count has no transform.

    Size, names not counted: 5 aggregates with a transform times 110 transforms (x, x * 2 to x * 9, x + 1 to
    x + 50, x - 1 to x - 50, x * x) and the count, times 10 divisibilities (none, even, odd, 3 to 9), times 356
    comparisons (none, 5 operators with -20 to 50): (5 * 110 + 1) * 10 * 356 = 1,961,560, of which 1,961,559
    can occur (a plain list of everything is not asked for). Careless is harmless for the 35 % without divisibility.
    """

    name = "code"
    skills = ("code",)
    trained = True
    size = (5 * 110 + 1) * 10 * 356 - 1

    def sample(self, rng: random.Random) -> Content:
        aggregate = pick(rng, AGGREGATES)
        kind = "x" if aggregate == "count" else pick(rng, _TRANSFORMS)
        k = {"x": 0, "^": 2, "*": rng.choice([2, 2, 2, *range(2, 10)])}.get(kind, rng.randint(1, rng.choice([12, 50])))
        div = sample_div(rng) if rng.random() >= 0.35 else None
        cmp = None
        if rng.random() < (0.88 if div is None else 0.5):
            op = pick(rng, {">": 0.34, "<": 0.26, ">=": 0.17, "<=": 0.17, "!=": 0.06})
            low, high = pick(rng, {(0, 0): 0.1, (1, 20): 0.6, (-20, 50): 0.3})
            cmp = [op, rng.randint(low, high)]
        if aggregate == "list" and kind == "x" and div is None and cmp is None:
            kind, k = "^", 2
        name = draw_name(rng, aggregate)
        argument = draw_argument(rng, avoid=name)
        return {"agg": aggregate, "map": [kind, k], "div": div, "cmp": cmp, "name": name, "arg": argument}

    def code(self, content: Content) -> str:
        argument = content["arg"]
        x = variable(argument)
        value = transform_code(x, content["map"])
        loop = f"for {x} in {argument}{filter_code(x, content['div'], content['cmp'])}"
        return f"def {content['name']}({argument}):\n    return {wrap(content['agg'], value, loop)}"

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        return self.code(content if care["code"] else {**content, "div": None})

    def expected(self, content: Content, value: list[int]) -> Any:
        passed = [x for x in value if passes(x, content["div"], content["cmp"])]
        return collect(content["agg"], [change(x, content["map"]) for x in passed])

    def draw_inputs(self, content: Content, rng: random.Random) -> list[list[int]]:
        d, r = content["div"] or (rng.choice([2, 3]), 0)
        k = content["cmp"][1] if content["cmp"] else rng.randint(0, 20)
        edge = [k - 1, k, k + 1, k - d, k + d]
        base = k - k % d + r
        exact = [base + d * i for i in (-3, -2, -1, 0, 1, 2, 3, 4)]
        pool = edge * 2 + exact + [0, -d, d, 1, -1] + [rng.randint(-30, 60) for _ in range(14)]
        cases = [[], [0], [k], rng.sample(edge, 5), [base + d, base + d, base - d, k + 1]]
        cases.append([x for x in pool if not passes(x, content["div"], content["cmp"])][:6])
        cases.append(rng.sample(range(k - 10, k + 11), 21))
        return cases + [rng.choices(pool, k=rng.randint(1, 9)) for _ in range(7)]

    def rivals(self, content: Content) -> list[Content]:
        found = [{**content, "div": None}, {**content, "cmp": None}, {**content, "div": None, "cmp": None}]
        if content["div"]:
            k, r = content["div"]
            found += [{**content, "div": other} for other in ([2, 1 - r] if k == 2 else [2, 0], [k + 1, 0])]
        if content["cmp"]:
            found += [{**content, "cmp": [op, content["cmp"][1]]} for op in OPS if op != content["cmp"][0]]
        found += [{**content, "map": ["x", 0]}, {**content, "map": ["*", 2]}, {**content, "map": ["^", 2]}]
        found += [{**content, "agg": other} for other in AGGREGATES]
        return [rival for rival in found if rival != content]

    def prompt(self, content: Content, rng: random.Random) -> str:
        argument = content["arg"]
        places = [f"in {argument}", f"in {argument}", f"in the list {argument}", f"of {argument}", f"from {argument}"]
        places += ["in the list", "", ""]
        if rng.random() < 0.72:
            return write_opener("list", rng, content, what=write_what(content, places, rng))
        return write_opener("list", rng, content, steps=write_steps(content, places, rng))

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        for name, argument, kind, text in read_opener("list", prompt):
            if usable(name, argument):
                for found in read_body(kind, text, argument):
                    return {**found, "name": name, "arg": argument}
        return None
