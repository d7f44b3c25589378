"""Vision: what is in the picture? Counting, colors, shapes, yes or no, and which lies where.

The careful author lists what is there, row by row, and answers from that. The careless author does not
look: the same sentences about one usual scene, whatever the picture, and the answer from that.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Match, capital
from t2ui.tasks.pictures import COLORS, SHAPES, Item
from t2ui.tasks.vision_common import (
    ANSWERED,
    COMPARING,
    PREPOSITIONS,
    SIDES,
    PictureTask,
    Query,
    a_one,
    apart,
    article,
    asked_about,
    fits,
    frame,
    has_digits,
    listing,
    look,
    many,
    matching,
    one,
    place,
    query_of,
    readings,
    side_of,
    spot,
    the_one,
)
from t2ui.tasks.vision_unseen import VisionUnseen
from t2ui.tasks.vision_words import BANK

__all__ = ["USUAL", "Vision", "VisionUnseen"]

# The scene that a careless author always describes. Its order is its order from left to right and
# from top to bottom as well, so that it answers every question about places.
USUAL: tuple[Item, ...] = ((0, "red", "circle"), (4, "blue", "square"), (8, "yellow", "star"))

# How often each kind is asked; kinds with few answers are few enough that luck stays near a third.
_MIX = {"count": 0.20, "total": 0.06, "color": 0.12, "shape": 0.10, "exists": 0.23, "which": 0.17, "relation": 0.12}
_ANSWERS = {"count": 5, "total": 4, "color": len(COLORS), "shape": len(SHAPES), "exists": 2, "which": 2, "relation": 2}


class Vision(PictureTask):
    """Questions about one to four colored shapes.

    Within each kind the answers are even: counts of something 0-4, of everything 1-4, 7 colors, 6 shapes,
    yes and no, the one and the other. Size: the pictures of four shapes alone are C(9,4) * 42^4 =
    126 * 3,111,696 = 392,073,696, and each has at least the question how many shapes there are.

    Contents: ``ask`` (count, color, shape, exists, which, relation), ``of`` (a query) or ``a`` and ``b``
    (queries, as mentioned) with ``side``, and ``scene``.
    """

    name = "vision"
    skills = ("vision",)
    trained = True
    size = 392_073_696
    max_new_tokens = 80

    # -- questions ----------------------------------------------------------------------------

    def sample(self, rng: random.Random) -> Content:
        kind = rng.choices(list(_MIX), list(_MIX.values()))[0]
        return getattr(self, f"_sample_{kind}")(rng)

    def _sample_count(self, rng: random.Random) -> Content:
        query = _query(rng, (0.35, 0.35, 0.30))
        return _content("count", query, rng, number=rng.randint(0, 4))

    def _sample_total(self, rng: random.Random) -> Content:
        looks = [look(rng, lambda c, s: True) for _ in range(rng.randint(1, 4))]
        return {"ask": "count", "of": ["", ""], "scene": place(rng, looks)}

    def _sample_color(self, rng: random.Random) -> Content:
        return _content("color", ["", rng.choice(SHAPES)], rng, number=1)

    def _sample_shape(self, rng: random.Random) -> Content:
        return _content("shape", [rng.choice(COLORS), ""], rng, number=1)

    def _sample_exists(self, rng: random.Random) -> Content:
        query = _query(rng, (0.2, 0.2, 0.6))
        number = rng.choice((1, 1, 1, 2)) if rng.random() < 0.5 else 0
        return _content("exists", query, rng, number=number)

    def _sample_which(self, rng: random.Random) -> Content:
        return self._sample_places("which", rng)

    def _sample_relation(self, rng: random.Random) -> Content:
        return self._sample_places("relation", rng)

    def _sample_places(self, ask: str, rng: random.Random) -> Content:
        shapes, colors = rng.sample(SHAPES, 2), rng.sample(COLORS, 2)
        named = rng.choices(("shape", "color", "both"), (0.5, 0.25, 0.25))[0]
        a, b = ([c if named != "shape" else "", s if named != "color" else ""]
                for c, s in zip(colors, shapes, strict=True))  # fmt: skip
        looks = list(zip(colors, shapes, strict=True))
        looks += [
            look(rng, lambda c, s: not fits((0, c, s), a) and not fits((0, c, s), b))
            for _ in range(rng.choice((0, 0, 1, 2)))
        ]
        side = rng.choice(SIDES)
        while True:
            content = {"ask": ask, "side": side, "a": a, "b": b, "scene": place(rng, looks)}
            if _order(content, content["scene"]["objects"]) is not None:
                return content

    def prompt(self, content: Content, rng: random.Random) -> str:
        ask = content["ask"]
        if ask in ("which", "relation"):
            text = BANK.write(
                rng, ask, the1=the_one(content["a"], rng), the2=the_one(content["b"], rng),
                comp=rng.choice(COMPARING[content["side"]]), prep=rng.choice(PREPOSITIONS[content["side"]]),
            )  # fmt: skip
        else:
            query = content["of"]
            if ask == "count" and query[0] and not query[1] and rng.random() < 0.3:
                ask = "count_color"
            text = BANK.write(rng, ask, color=query[0], shape=query[1], qs=many(query, rng), aq=a_one(query, rng),
                              q=one(query, rng))  # fmt: skip
        return frame(capital(text), rng)

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        asked = asked_about(prompt, scene)
        if asked is None:
            return None
        text, scene, items = asked
        for match in readings(BANK, text):
            content = _understand(match, has_digits(items))
            if content is not None:
                content["scene"] = scene
                return content if self._answerable(content, items) else None
        return None

    def _answerable(self, content: Content, items: Sequence[Item]) -> bool:
        if content["ask"] in ("color", "shape"):
            return len(matching(items, content["of"])) == 1
        if content["ask"] in ("which", "relation"):
            return _order(content, items) is not None
        return True

    # -- answers ------------------------------------------------------------------------------

    def reference(self, content: Content) -> str:
        return _answer(content, [tuple(item) for item in content["scene"]["objects"]])[1]

    def accepted(self, content: Content) -> tuple[str, ...]:
        short = self.reference(content)
        if content["ask"] != "which":
            return (short,)
        named = next(query for query in (content["a"], content["b"]) if short in query)
        return (short, " ".join(word for word in named if word))

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        items = [tuple(item) for item in content["scene"]["objects"]] if care["vision"] else list(USUAL)
        said, short = _answer(content, items)
        return f"{listing(items, rng, marks(content, items))} {said} The answer is {short}."

    def chance(self, content: Content) -> float:
        ask = "total" if content["ask"] == "count" and not any(content["of"]) else content["ask"]
        return 1 / _ANSWERS[ask]


def _query(rng: random.Random, shares: tuple[float, float, float]) -> list[str]:
    """A query by color, by shape or by both, with these shares."""
    kind = rng.choices(("color", "shape", "both"), shares)[0]
    return ["" if kind == "shape" else rng.choice(COLORS), "" if kind == "color" else rng.choice(SHAPES)]


def _content(ask: str, query: list[str], rng: random.Random, number: int) -> Content:
    """A question whose picture has just ``number`` objects that fit, among one to four in all."""
    looks = [look(rng, lambda c, s: fits((0, c, s), query)) for _ in range(number)]
    for _ in range(rng.randint(max(number, 1), 4) - number):
        # Half of the others share the color or the shape, so that both words have to be heeded.
        near = all(query) and rng.random() < 0.5

        def other(color: str, shape: str, near: bool = near) -> bool:
            return not fits((0, color, shape), query) and (not near or color == query[0] or shape == query[1])

        looks.append(look(rng, other))
    return {"ask": ask, "of": query, "scene": place(rng, looks)}


def _understand(match: Match, digits: bool) -> Content | None:
    """What was asked, from the slots of a template; None where the words do not say it clearly."""
    slots, ask = match.slots, match.key
    if ask in ("which", "relation"):
        a, b = query_of(slots["the1"]), query_of(slots["the2"])
        if a is None or b is None or (digits and (a[1] or b[1])):
            return None
        side = side_of(slots["comp"], COMPARING) if "comp" in slots else side_of(slots["prep"], PREPOSITIONS)
        return {"ask": ask, "side": side, "a": a[0], "b": b[0]}
    if ask == "count_color":
        return {"ask": "count", "of": [slots["color"].lower(), ""]}
    if ask == "color":
        return {"ask": ask, "of": ["", slots["shape"].lower()]}
    if ask == "shape":
        return {"ask": ask, "of": [slots["color"].lower(), ""]}
    found = query_of(next(slots[slot] for slot in ("qs", "aq", "q") if slot in slots))
    # "Things" may or may not mean digits: with digits in the picture such a question has no one answer.
    if found is None or (digits and found[1]):
        return None
    return {"ask": ask, "of": found[0]}


def marks(content: Content, items: Sequence[Item]) -> list[str]:
    """What the author notes behind each object while listing: its number where fitting ones are counted, what
    is asked of it where it is the one, its column or row and its name (in this order) where two are compared;
    "" behind the others. A small model cannot hold these in mind."""
    ask, out, count = content["ask"], [], 0
    if ask in ("which", "relation"):
        return _place_marks(content, items)
    if ask not in ("count", "exists", "color", "shape"):  # of other families
        return [""] * len(items)
    for item in items:
        fit = fits(item, content["of"])
        count += fit
        note = {"count": str(count), "exists": "yes", "color": item[1], "shape": item[2]}[ask] if fit else ""
        out.append(f" ({note})" if fit else "")
    return out


def _place_marks(content: Content, items: Sequence[Item]) -> list[str]:
    """The number comes before the name, so that the comparison can begin with the number and then copy the name."""
    if _order(content, items) is None:
        return [""] * len(items)
    named = list(zip((content["a"], content["b"]), _names(content), strict=True))
    notes = ((item, next((name for query, name in named if fits(item, query)), "")) for item in items)
    return [f" ({spot(item, content['side'])} {name})" if name else "" for item, name in notes]


def _order(content: Content, items: Sequence[Item]) -> int | None:
    """1 where ``a`` lies on the side asked for, -1 where ``b`` does, None if the picture does not tell."""
    first, second = matching(items, content["a"]), matching(items, content["b"])
    if len(first) != 1 or len(second) != 1:
        return None
    return apart(tuple(first[0]), tuple(second[0]), content["side"]) or None


def _answer(content: Content, items: Sequence[Item]) -> tuple[str, str]:
    """The sentence before the last, and the short answer, from what the author says there is.

    Where that does not tell (only the usual scene fails to), the author goes by habit: the first
    object stands for the one asked about, and places follow the order of mention.
    """
    ask = content["ask"]
    if ask in ("which", "relation"):
        return _answer_place(content, items)
    query = content["of"]
    found = matching(items, query)
    if ask == "count":
        return f"That makes {len(found)}.", str(len(found))
    if ask == "exists":
        name = f"{query[0]} {query[1] or 'shape'}".strip()
        return (f"There is {article(name)} {name}.", "yes") if found else (f"There is no {name}.", "no")
    _, color, shape = (found or items or USUAL)[0]
    return (f"The {query[1]} is {color}.", color) if ask == "color" else (f"The {query[0]} one is a {shape}.", shape)


def _answer_place(content: Content, items: Sequence[Item]) -> tuple[str, str]:
    """ "The column 1 heart is left of the column 3 star.": the smaller or the larger of the two numbers noted,
    by the side asked for, then the name noted behind it."""
    side, names = content["side"], _names(content)
    order = _order(content, items)
    if order is None:
        # Places by order of mention, from left to right and from top to bottom.
        order = 1 if side in ("left", "above") else -1
        spots = [spot((cell, "", ""), side) for cell in (0, 4)]
    else:
        spots = [spot(matching(items, content[key])[0], side) for key in ("a", "b")]
    winner, loser = (0, 1) if order > 0 else (1, 0)
    said = f"The {spots[winner]} {names[winner]} is {ANSWERED[side]} the {spots[loser]} {names[loser]}."
    if content["ask"] == "relation":
        return said, "yes" if order > 0 else "no"
    return said, names[winner].removesuffix(" one")


def _names(content: Content) -> tuple[str, str]:
    """What the answers call the two objects: by shape where that tells them apart, else "red one"."""
    a, b = content["a"], content["b"]
    return _short(a, b), _short(b, a)


def _short(query: Query, other: Query) -> str:
    by_color = not query[1] or query[1] == other[1]
    return f"{query[0]} one" if by_color and query[0] else query[1]
