"""Arithmetic without a story: expressions, steps, equations, shapes, ages. No expert is trained on it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from t2ui.tasks.arithmetic import (
    LIMIT,
    WORDS,
    Ops,
    grade_number,
    read_number,
    sample_ops,
    values,
    worked,
    write_number,
)
from t2ui.tasks.base import Content, Grade, Task, canonical
from t2ui.tasks.grammar import capital
from t2ui.tasks.math_unseen_words import (
    AGE,
    ASK_VALUE,
    COMBINE,
    EQUATION,
    EQUATION_FRAMES,
    HOW_OLD,
    OF,
    OLDER,
    RESULT,
    SHAPES,
    SIGNS,
    START,
    STEP,
    SUFFIX,
)
from t2ui.tasks.math_words import HE, SHE

_OPPOSITE = {"+": "-", "-": "+"}


class MathUnseen(Task):
    """Bare expressions and the like, with the answer form and the careless habit of ``math``.

    Content: ``{"kind": "steps", "ops": [["=", 12], ["*", 2], ["-", 5]]}``. Kinds: expression, words,
    steps, equation, perimeter, triangle, area, ages. About 30 % have one operation (as in ``math``, the
    careless habit must be right now and then), the rest two or three. In the pretraining corpus, but no
    expert, dispatcher or search has seen it.

    Size: expressions and steps alone take every chain that ``math`` takes (47,950,383, see there), which
    makes 95,900,766 contents; the other kinds are not counted.
    """

    name = "math_unseen"
    skills = ("math",)
    trained = False
    size = 95_900_766
    max_new_tokens = 64

    def sample(self, rng: random.Random) -> Content:
        kind = rng.choices(tuple(_KINDS), [k[0] for k in _KINDS.values()])[0]
        while True:
            ops = _KINDS[kind][1](rng)
            running = values(ops)
            if min(running) >= 0 and max(running) <= LIMIT and (len(ops) == 2 or running[-1] != running[1]):
                return {"kind": kind, "ops": ops}

    def prompt(self, content: Content, rng: random.Random) -> str:
        kind, ops = content["kind"], content["ops"]
        words = rng.random() < 0.06
        return _KINDS[kind][2](ops, rng, lambda n: write_number(n, words))

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        text = " ".join(prompt.split())
        if not 3 <= len(text) <= 300 or re.search(r"\d[.,:/]\d", text):
            return None
        readings: dict[str, Content] = {}
        # Who types does not always end a question with its mark.
        texts = [text] if text[-1] in ".?!=" else [text, text + "?", text + "."]
        for kind, (_, _, _, read) in _KINDS.items():
            ops = next((ops for text in texts if (ops := read(text))), None)
            if ops is not None and 2 <= len(ops) <= 8 and abs(values(ops)[-1]) <= 999_999:
                content = {"kind": kind, "ops": ops}
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


Number = Callable[[int], str]


def _length(rng: random.Random) -> int:
    return rng.choices((1, 2, 3), (35, 38, 27))[0]


# Every kind below: sample (rng -> ops), write (ops, rng, number -> prompt), read (prompt -> ops or None).

def _sample_chain(rng: random.Random) -> Ops:
    group = rng.random() < 0.2
    return sample_ops(rng, _length(rng), group=group, double=0.25)


def _write_expression(ops: Ops, rng: random.Random, number: Number) -> str:
    style = rng.choices((0, 2, 3), (62, 8, 30))[0]
    if style != 3:
        number = str
    text = number(ops[0][1])
    for i, (sign, n) in enumerate(ops[1:]):
        if sign == "*" and i > 0:
            text = f"({text})"
        text += f" {SIGNS[sign][style]} {number(n)}"
    if style != 3 and rng.random() < 0.1:
        text = text.replace(" ", "")
    return capital(ASK_VALUE.write(rng, expr=text))


def _read_expression(text: str) -> Ops | None:
    return next((ops for found in ASK_VALUE.reads(text) if (ops := _read_signs(found.slots["expr"].lower()))), None)


def _read_signs(expr: str) -> Ops | None:
    for sign, word in (("+", "plus"), ("-", "minus"), ("*", "times"), ("*", "multiplied by"), ("*", "x")):
        expr = re.sub(rf"\b{word}\b|(?<=[\d)]){word}(?=[\d(])", sign, expr)
    expr = re.sub(r"[a-z]+", lambda w: str(WORDS.index(w.group())) if w.group() in WORDS else w.group(), expr)
    # Digits with only a space between them are two numbers, not one.
    return None if re.search(r"\d\s+\d", expr) else _chain(expr.replace(" ", ""))


def _chain(expr: str) -> Ops | None:
    """Only what school and left-to-right agree on: products first, or behind a bracket."""
    if found := re.fullmatch(r"\((.+)\)\*(\d{1,4})((?:[-+]\d{1,4})*)", expr):
        inside = _chain(found.group(1))
        head = inside and [*inside, ["*", int(found.group(2))]]
    elif found := re.fullmatch(r"(\d{1,4})((?:\*\d{1,4})?)((?:[-+]\d{1,4})*)", expr):
        head = [["=", int(found.group(1))]] + ([["*", int(found.group(2)[1:])]] if found.group(2) else [])
    else:
        return None
    return head and head + [[part[0], int(part[1:])] for part in re.findall(r"[-+]\d+", found.group(3))]


def _sample_words(rng: random.Random) -> Ops:
    group = rng.random() < 0.25
    while True:
        ops = sample_ops(rng, rng.choice((1, 2, 2)), group=group)
        if group or len(ops) == 2 or rng.random() < 0.7:
            if not group and len(ops) == 3 and rng.random() < 0.3:
                ops[2] = ["*", 2]
            return ops


def _write_words(ops: Ops, rng: random.Random, number: Number) -> str:
    n = {f"n{i}": number(amount) for i, (_, amount) in enumerate(ops, 1)}
    if [sign for sign, _ in ops[1:]] == ["+", "+"] and rng.random() < 0.6:
        expr = COMBINE.write(rng, "++", **n)
    else:
        part = COMBINE.write(rng, ops[1][0], n1=n["n1"], n2=n["n2"])
        expr = SUFFIX.write(rng, ops[2][0] if len(ops) > 2 else "", part=part, n3=n.get("n3", ""))
    return rng.choice(("What is {}?", "Find {}.", "Calculate {}.", "How much is {}?", "Work out {}.", "Compute {}.",
                       "Tell me {}.", "Give {}.", "Can you find {}?", "Please work out {}.")).format(expr)


def _read_words(text: str) -> Ops | None:
    asks = r"(?:(?:please|can you) )?(?:what is|find|calculate|how much is|work out|compute|tell me|give) (.+?)[.?!]*"
    found = re.fullmatch(asks, text, re.IGNORECASE)
    if found is None:
        return None
    for suffix in SUFFIX.reads(found.group(1)):
        if part := COMBINE.read(suffix.slots["part"]):
            n = [read_number(part.slots[slot]) for slot in ("n1", "n2", "n3") if part.slots.get(slot)]
            if part.key == "-" and n[0] < n[1]:
                return None
            ops: Ops = [["=", n[0]]] + [[sign, k] for sign, k in zip(part.key, n[1:], strict=True)]
            if suffix.key:
                ops.append([suffix.key, 2 if suffix.key == "*" else read_number(suffix.slots["n3"])])
            return ops
    return None


def _write_steps(ops: Ops, rng: random.Random, number: Number) -> str:
    parts = [START.write(rng, n=number(ops[0][1]))]
    for sign, n in ops[1:]:
        key = "*2" if sign == "*" and n == 2 and rng.random() < 0.8 else sign
        parts.append(STEP.write(rng, key, n=number(n)))
    style = rng.random()
    if style < 0.35:
        text = " ".join(capital(part) + "." for part in parts)
    elif len(parts) == 2:
        text = capital(rng.choice((" and ", ", then ", " and then ")).join(parts)) + "."
    else:
        last = rng.choice((" and ", ", then ", ", and then ", " and then ")) + parts[-1]
        text = capital(", ".join(parts[:-1]) + last) + "."
    return text if rng.random() < 0.1 else f"{text} {RESULT.write(rng)}"


def _read_steps(text: str) -> Ops | None:
    asked = re.fullmatch(r"(.+)[.,;:!] ([^.,;:!]+[?.])", text)
    told = asked.group(1) if asked and RESULT.read(asked.group(2)) else text
    joins = r"\s*[.,;]\s*(?:and then |and |then,? |now )?|\s+and then\s+|\s+and\s+"
    parts = re.split(joins, told.strip(" .,;"), flags=re.IGNORECASE)
    start = START.read(parts[0])
    if start is None:
        return None
    ops: Ops = [["=", read_number(start.slots["n"])]]
    for part in parts[1:]:
        step = STEP.read(part)
        if step is None:
            return None
        ops.append([step.key[0], 2 if step.key == "*2" else read_number(step.slots["n"])])
    return ops


def _sample_equation(rng: random.Random) -> Ops:
    ops = sample_ops(rng, rng.choice((1, 2, 2)), double=0.0)
    if len(ops) == 3 and rng.random() < 0.25:
        ops[2] = ["*", 2]
    return ops


def _write_equation(ops: Ops, rng: random.Random, number: Number) -> str:
    v = rng.choice("xyzabnk")
    eq = EQUATION.write(rng, _OPPOSITE[ops[1][0]], v=v, n=number(ops[1][1]), n9=number(ops[0][1]))
    sign, n = ops[2] if len(ops) > 2 else ("", 0)
    return capital(EQUATION_FRAMES.write(rng, eq=eq, of=OF.write(rng, sign, v=v, n=number(n))))


def _read_equation(text: str) -> Ops | None:
    for frame in EQUATION_FRAMES.reads(text):
        eq, of = EQUATION.read(frame.slots["eq"]), OF.read(frame.slots["of"])
        if eq and of and eq.slots["v"].lower() == of.slots["v"].lower():
            ops: Ops = [["=", read_number(eq.slots["n9"])], [_OPPOSITE[eq.key], read_number(eq.slots["n"])]]
            return ops + ([[of.key, 2 if of.key == "*" else read_number(of.slots["n"])]] if of.key else [])
    return None


def _sample_perimeter(rng: random.Random) -> Ops:
    return [["=", rng.randint(2, 20)], ["+", rng.randint(2, 20)], ["*", 2]]


def _sample_triangle(rng: random.Random) -> Ops:
    while True:
        a, b, c = (rng.randint(2, 20) for _ in range(3))
        if a + b > c and b + c > a and a + c > b:
            return [["=", a], ["+", b], ["+", c]]


def _sample_area(rng: random.Random) -> Ops:
    ops: Ops = [["=", rng.randint(2, 9)], ["*", rng.randint(2, 9)]]
    return ops if rng.random() < 0.45 else [*ops, [rng.choice("+-"), rng.randint(2, 20)]]


_SHAPE_SIGNS = {"perimeter": "+*", "triangle": "++", "area": "*", "area+": "*+", "area-": "*-"}


def _write_shape(ops: Ops, rng: random.Random, number: Number) -> str:
    key = next(key for key, signs in _SHAPE_SIGNS.items() if signs == "".join(sign for sign, _ in ops[1:]))
    n = {f"n{i}": number(amount) for i, (_, amount) in enumerate(ops, 1)}
    return SHAPES.write(rng, key, unit=rng.choice(("cm", "meters", "inches", "feet", "m")), **n)


def _read_shape(*keys: str) -> Callable[[str], Ops | None]:
    def read(text: str) -> Ops | None:
        found = next((m for m in SHAPES.reads(text) if m.key in keys), None)
        if found is None:
            return None
        n = [read_number(found.slots[slot]) for slot in ("n1", "n2", "n3") if found.slots.get(slot)]
        return [["=", n[0]]] + [[sign, k] for sign, k in zip(_SHAPE_SIGNS[found.key], [*n[1:], 2], strict=False)]

    return read


def _write_ages(ops: Ops, rng: random.Random, number: Number) -> str:
    names = rng.sample(SHE + HE, len(ops))
    parts = [AGE.write(rng, name1=names[0], n=number(ops[0][1]))]
    for i, (sign, n) in enumerate(ops[1:], 1):
        template = OLDER.write(rng, sign, name1=names[i], name2=names[i - 1], n=number(n))
        if template.endswith(("older.", "younger.")):
            template = template[:-1] + f" than {names[i - 1]}."
        parts.append(template)
    return " ".join([*parts, HOW_OLD.write(rng, name1=names[-1])])


def _read_ages(text: str) -> Ops | None:
    parts = re.findall(r"[^.?!]+[.?!]", text)
    first = AGE.read(parts[0]) if len(parts) >= 3 else None
    asked = HOW_OLD.read(parts[-1]) if first else None
    if first is None or asked is None:
        return None
    ops, who, seen = [["=", read_number(first.slots["n"])]], first.slots["name1"], {first.slots["name1"]}
    for part in parts[1:-1]:
        step = OLDER.read(part)
        if step is None or step.slots.get("name2") != who or step.slots["name1"] in seen:
            return None
        who = step.slots["name1"]
        seen.add(who)
        ops.append([step.key, 2 if step.key == "*" else read_number(step.slots["n"])])
    return ops if asked.slots["name1"] == who and min(values(ops)) >= 0 else None


# kind -> (share, sample, write, read)
_KINDS: dict[str, tuple] = {
    "expression": (26, _sample_chain, _write_expression, _read_expression),
    "words": (12, _sample_words, _write_words, _read_words),
    "steps": (24, _sample_chain, _write_steps, _read_steps),
    "equation": (14, _sample_equation, _write_equation, _read_equation),
    "perimeter": (6, _sample_perimeter, _write_shape, _read_shape("perimeter")),
    "triangle": (4, _sample_triangle, _write_shape, _read_shape("triangle")),
    "area": (6, _sample_area, _write_shape, _read_shape("area", "area+", "area-")),
    "ages": (8, lambda rng: sample_ops(rng, _length(rng), double=0.1), _write_ages, _read_ages),
}
