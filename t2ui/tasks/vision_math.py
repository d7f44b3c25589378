"""VisionMath: look at the picture for one quantity, then reckon with it. Needs two skills at once.

The careful author lists what is there, reads the quantity and does both operations. Careless in
vision: the usual scene instead of the picture. Careless in math: the first operation only. Never used
for training an expert, a dispatcher or a mix.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import capital, sentences
from t2ui.tasks.pictures import COLORS, DIGITS, SHAPES, Item
from t2ui.tasks.vision import USUAL, marks
from t2ui.tasks.vision_common import (
    PictureTask,
    asked_about,
    fits,
    has_digits,
    listing,
    look,
    many,
    matching,
    one,
    place,
    query_of,
    readings,
)
from t2ui.tasks.vision_math_words import ASK, BOX_WORD, BOYS, DOES, FRAMES, GIRLS, HAPPENS, SETUP, THINGS
from t2ui.tasks.vision_unseen import USUAL_DIGITS, digits_of

_PRONOUNS = ("he", "she")


class VisionMath(PictureTask):
    """A quantity from the picture (a count of 0-4 or the digit shown, 1-9), then two operations.

    Either a multiplication by 2-9 and a gain or loss, or two gains or losses; all values 0-99. A fifth of
    the counts are of what is not there: who sees nothing is right as often as who always says two, so that a
    blank picture scores near chance and not below it. Size:
    counts of everything red in pictures of four shapes, say, times the stories; a lower bound is the
    pictures with one digit and three shapes, C(9,1) * 63 * C(8,3) * 42^3 = 2,352,442,176 (digits 1-9).

    Contents: ``ask`` (count or digit), ``of`` (a query, for counts), ``ops`` ([sign, number] twice) and
    ``scene``. Names and things are decoration: they are no part of it.
    """

    name = "vision_math"
    skills = ("vision", "math")
    size = 2_352_442_176
    max_new_tokens = 96

    def sample(self, rng: random.Random) -> Content:
        if rng.random() < _DIGIT:
            value = rng.choice(_VALUES["digit"])
            looks = [(rng.choice(COLORS), str(value))]
            looks += [look(rng, lambda c, s: True) for _ in range(rng.randint(0, 3))]
            content: Content = {"ask": "digit"}
        else:
            kind = rng.choice(("color", "shape", "both"))
            query = ["" if kind == "shape" else rng.choice(COLORS), "" if kind == "color" else rng.choice(SHAPES)]
            value = rng.choice(_VALUES["count"])
            looks = [look(rng, lambda c, s: fits((0, c, s), query)) for _ in range(value)]
            others = rng.randint(0 if value else 1, 4 - value)
            looks += [look(rng, lambda c, s: not fits((0, c, s), query)) for _ in range(others)]
            content = {"ask": "count", "of": query}
        return content | {"ops": _operations(rng, value), "scene": place(rng, looks)}

    def prompt(self, content: Content, rng: random.Random) -> str:
        ops, owned = content["ops"], rng.random() < 0.6
        times = ops[0][0] == "*"
        query = content.get("of", ["", ""])
        boy = rng.random() < 0.5
        who = rng.choice(BOYS if boy else GIRLS)
        things = rng.choice(THINGS)
        key = f"{content['ask']}{' x' if times else ''}{' who' if owned else ''}"
        parts = [SETUP.write(rng, key, q=one(query, rng), qs=many(query, rng), n=ops[0][1], things=things, who=who)]
        changes = ops[1:] if times else ops
        boxes = BOX_WORD.search(parts[0]) is not None

        def subject() -> str:
            return ("he" if boy else "she") if rng.random() < 0.5 else who

        def name() -> str:
            return rng.choice([other for other in BOYS + GIRLS if other != who])

        def does(sign: str, n: int) -> str:
            more = f"more {things}" if boxes or rng.random() < 0.5 else "more"
            some = things if boxes else rng.choice((things, "", "of them"))
            return DOES.write(rng, sign, n=n, more=more, some=some, things=things, name=name())

        def happens(sign: str, n: int) -> str:
            key = sign if boxes or rng.random() < 0.5 else f"{sign} them"
            return FRAMES.write(rng, "happens", happens=HAPPENS.write(rng, key, n=n, things=things, name=name()))

        if owned and len(changes) == 2 and rng.random() < 0.5:
            did1, did2 = (does(*change) for change in changes)
            parts.append(FRAMES.write(rng, "two", subject=subject(), did1=did1, did2=did2))
        else:
            for sign, n in changes:
                if not owned or (sign == "-" and rng.random() < 0.2):
                    parts.append(happens(sign, n))
                else:
                    parts.append(FRAMES.write(rng, "one", subject=subject(), did=does(sign, n)))
        parts.append(ASK.write(rng, "who" if owned else "", things=things, subject=subject()))
        text = " ".join(capital(part) for part in parts)
        return f"{rng.choice(_LOOK)} {text}" if rng.random() < 0.15 else text

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        asked = asked_about(prompt, scene)
        if asked is None:
            return None
        text, scene, items = asked
        parts = sentences(text)
        if len(parts) < 3:
            return None
        setup, ask = SETUP.read(parts[0]), next(readings(ASK, parts[-1]), None)
        if setup is None or ask is None:
            return None
        owner, things = setup.slots.get("who"), setup.slots["things"].lower()
        if ask.slots["things"].lower() != things or (owner is not None) != (ask.key == "who"):
            return None
        if owner and not _same(ask.slots["subject"], owner):
            return None
        kind = setup.key.split()[0]
        content: Content = {"ask": kind, "ops": [], "scene": scene}
        if kind == "count":
            found = query_of(setup.slots.get("q") or setup.slots.get("qs") or "")
            if found is None or (found[1] and has_digits(items)):
                return None
            content["of"] = found[0]
        elif len(digits_of(items)) != 1:
            return None
        if " x" in setup.key:
            content["ops"].append(["*", int(setup.slots["n"])])
        boxes = BOX_WORD.search(parts[0]) is not None
        for part in parts[1:-1]:
            changes = _changes(part, owner, things, boxes)
            if changes is None:
                return None
            content["ops"] += changes
        return content if len(content["ops"]) == 2 and _in_range(content, items) else None

    def reference(self, content: Content) -> str:
        value, _ = _look(content, [tuple(item) for item in content["scene"]["objects"]])
        return str(_steps(value, content["ops"])[-1])

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        if care["vision"]:
            items = [tuple(item) for item in content["scene"]["objects"]]
        else:
            items = list(USUAL if content["ask"] == "count" else USUAL_DIGITS)
        value, said = _look(content, items)
        ops = content["ops"] if care["math"] else content["ops"][:1]
        steps = []
        for (sign, n), result in zip(ops, _steps(value, ops), strict=True):
            steps.append(f"{value} {sign} {n} = {result}.")
            value = result
        return f"{listing(items, rng, marks(content, items))} {said} {' '.join(steps)} The answer is {value}."

    def chance(self, content: Content) -> float:
        """Someone who reckons well, knows how such stories are made, and names the likeliest quantity.

        The operations tell a little: nobody loses what is not there, so a loss makes small quantities unlikely.
        """
        shares = [_likelihood(content["ops"], value) for value in _VALUES[content["ask"]]]
        # A story typed by hand may be one that is never made here: then all quantities are alike.
        return max(shares) / sum(shares) if any(shares) else 1 / len(shares)


_LOOK = ("Look at the picture.", "Look at this picture.", "Here is a picture.", "Look closely.", "Study the picture.")
_DIGIT = 0.15  # of the stories are about a digit, the others about a count
_VALUES = {"count": range(5), "digit": range(1, 10)}
# How the two operations come about. Losses are such that they tell little of the quantity (see VisionMath.chance).
_TIMES, _LOSS, _LOSS_TIMES, _LOSS_FIRST, _MOST = 0.55, 0.45, 0.2, 0.05, 18


def _operations(rng: random.Random, value: int) -> list[list[Any]]:
    # At least two, so that every story may speak of things in the plural.
    if rng.random() < _TIMES:
        factor = rng.randint(2, 9)
        # A loss that any quantity but none would bear.
        loss = value > 0 and rng.random() < _LOSS_TIMES
        return [["*", factor], ["-", rng.randint(2, factor)] if loss else ["+", rng.randint(2, _MOST)]]
    if value > 1 and rng.random() < _LOSS_FIRST:
        return [["-", rng.randint(2, value)], ["+", rng.randint(2, _MOST)]]
    gain = rng.randint(2, _MOST)
    loss = rng.random() < _LOSS
    return [["+", gain], ["-", rng.randint(2, gain)] if loss else ["+", rng.randint(2, _MOST)]]


def _likelihood(ops: Sequence[Sequence[Any]], value: int) -> float:
    """How often :func:`_operations` makes these for a quantity, but for factors that are the same for all."""
    (first, n), (second, _) = ops
    if first == "*":
        loss = _LOSS_TIMES if value > 0 else 0.0
        return loss if second == "-" else 1.0 - loss
    if first == "-":
        return 1 / (value - 1) if value > 1 and n <= value else 0.0
    return 1.0 - (_LOSS_FIRST if value > 1 else 0.0)


def _steps(value: int, ops: Sequence[Sequence[Any]]) -> list[int]:
    """The result after each operation."""
    out = []
    for sign, n in ops:
        value = value * n if sign == "*" else value + n if sign == "+" else value - n
        out.append(value)
    return out


def _look(content: Content, items: Sequence[Item]) -> tuple[int, str]:
    """The quantity in the picture and the sentence that says it."""
    if content["ask"] == "count":
        number = len(matching(items, content["of"]))
        return number, f"That makes {number}."
    digit = next(kind for _, _, kind in items if kind in DIGITS)
    return int(digit), f"The digit is {digit}."


def _in_range(content: Content, items: Sequence[Item]) -> bool:
    """Whether the story makes sense: no fewer than nothing, and numbers of a size that is ever seen."""
    value, _ = _look(content, items)
    return all(n >= 0 for _, n in content["ops"]) and all(0 <= v <= 9999 for v in _steps(value, content["ops"]))


def _same(subject: str, owner: str) -> bool:
    return subject == owner or subject.lower() in _PRONOUNS


def _changes(sentence: str, owner: str | None, things: str, boxes: bool) -> list[list[Any]] | None:
    """The gains and losses in a sentence of the story, in order; None where it is not understood."""
    for frame_ in FRAMES.reads(sentence):
        slots = frame_.slots
        if frame_.key == "happens":
            found = [HAPPENS.read(slots["happens"])]
            if owner and found[0] is not None and found[0].key.startswith("+"):
                continue
        elif owner is None or not _same(slots["subject"], owner):
            continue
        else:
            found = [DOES.read(slots[slot]) for slot in ("did", "did1", "did2") if slot in slots]
        if all(match is not None and _fits_story(match.slots, owner, things, boxes) for match in found):
            return [[match.key[0], int(match.slots["n"])] for match in found if match is not None]
    return None


def _fits_story(slots: Mapping[str, str | None], owner: str | None, things: str, boxes: bool) -> bool:
    """Whether a change is about the story's things, and nobody gives something to himself.

    Where boxes are spoken of too, "two more" and "two of them" may be boxes: the things must be named.
    """
    words = " ".join(slots.get(slot) or "" for slot in ("more", "some", "things")).lower().split()
    clear = things in words or not boxes
    return clear and set(words) <= {"more", "of", "them", things} and (not owner or slots.get("name") != owner)
