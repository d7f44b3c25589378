"""Vision: what is in the picture? Counting, colors, shapes, yes or no, and which lies where.

The careful author lists what is there, row by row, and answers from that. The careless author does not
look: the same sentences about one usual scene, whatever the picture, and the answer from that.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank, Match, capital
from t2ui.tasks.pictures import COLORS, SHAPES, Item
from t2ui.tasks.vision_common import (
    ANSWERED,
    COMPARING,
    IN,
    PATTERNS,
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
    place,
    query_of,
    readings,
    side_of,
    the_one,
)
from t2ui.tasks.vision_unseen import VisionUnseen

__all__ = ["USUAL", "Vision", "VisionUnseen"]

# The scene that a careless author always describes. Its order is its order from left to right and
# from top to bottom as well, so that it answers every question about places.
USUAL: tuple[Item, ...] = ((0, "red", "circle"), (4, "blue", "square"), (8, "yellow", "star"))

_SEEN = "[are there|do you see|can you see|are shown|can you find|are drawn|can be seen]"
BANK = Bank(
    {
        "count": [
            f"How many {{qs}} {_SEEN} {IN}?",
            f"How many {{qs}} {_SEEN}?",
            f"How many {{qs}} {IN}?",
            "How many {qs} are [in the picture|in this picture|in the drawing|in the image|on the page|here]?",
            "How many {qs} does the [picture|drawing|image] [show|have|contain]?",
            f"[Please count|Count] [the|all the|all] {{qs}} {IN}.",
            f"[Can you|Could you|Please,] count the {{qs}} {IN}?",
            "[In the picture|In the drawing|Here], how many {qs} [are there|do you see|can you count]?",
            f"What is the number of {{qs}} {IN}?",
            "[Tell me|Say|Please tell me|Write down] how many {qs} [there are|you see|you can see|the picture has].",
            "I [want|would like|need] to know how many {qs} [there are|you see|are in the picture].",
            f"Find [all|all the|the] {{qs}} {IN}. How many [are there|are they|did you find|do you find]?",
            "The [picture|drawing|image] [has|shows|contains] how many {qs}?",
            "My [friend|son|daughter|teacher|sister|brother] asks how many {qs} there are.",
            "[There may be|There could be] {qs} in the picture. How many [are there|do you see]?",
            f"{{qs}} {IN}: how many?",
            "[Number|The number] of {qs}[?|, please.]",
            "[Can|Could] you tell me [the number of|how many] {qs} [there are|are there|you see]?",
            f"How many {{qs}} can be [seen|found|counted] {IN}?",
            "How many {qs} are there in [total|all]?",
            "How many {qs} [does it|does the grid|does this picture] [contain|show|have]?",
            "I wonder how many {qs} there are.",
            f"[Give me|What is] the count of {{qs}} {IN}[.|?]",
        ],
        "count_color": [
            "How many [shapes|of the shapes|of them] are {color}?",
            "How many of the [objects|things|figures] are {color}?",
            "How many [objects|things|shapes] [here|in the picture] are drawn in {color}?",
            "How many [shapes|things|figures] [have the|are of the] [color|colour] {color}?",
            f"How many [shapes|things|objects] {IN} are {{color}}?",
            "[Count|Please count] the shapes that are {color}.",
            "[Of|Among] [all the|the] shapes, how many are {color}?",
        ],
        "color": [
            "[What|Which] [color|colour] is the {shape}?",
            "[What|Which] [color|colour] is the {shape} in the [picture|drawing|image]?",
            "[What|Which] [color|colour] does the {shape} have?",
            "[What|Which] [color|colour] is that {shape}?",
            f"What is the [color|colour] of the {{shape}} {IN}?",
            f"[Name|Tell me|Give me|Say|Please name] the [color|colour] of the {{shape}} {IN}.",
            "[Tell me|Say|Please say] [what|which] [color|colour] the {shape} is.",
            "The {shape} [is|has] [what|which] [color|colour]?",
            "[In the picture|In the drawing|Here], [what|which] [color|colour] is the {shape}?",
            "In [what|which] [color|colour] is the {shape} [drawn|painted|shown]?",
            "[Find|Look at|Look for|See] the {shape}. [What|Which] [color|colour] is it?",
            "There is a {shape} in the picture. [What|Which] [color|colour] [is it|does it have]?",
            "[What|Which] [color|colour] did [I|they|we|he|she] [use|pick|choose|take] for the {shape}?",
            "I [want|would like] to know the [color|colour] of the {shape}.",
            "How is the {shape} colored?",
            "[There is only one|There is one] {shape}. [What|Which] [color|colour] is it?",
            "What is the [color|colour] of the only {shape}?",
            "The {shape} is of [what|which] [color|colour]?",
            "The {shape} in the picture: [what|which] [color|colour] is it?",
            "In [what|which] [color|colour] was the {shape} drawn?",
        ],
        "shape": [
            "[What|Which] shape is {color}?",
            f"[What|Which] shape is the {{color}} [one|thing|object] {IN}?",
            f"What is the {{color}} [thing|object|shape|figure] {IN}?",
            "What is [drawn|painted|shown] in {color}?",
            f"Which [thing|object|figure] is {{color}} {IN}?",
            f"What [kind of|sort of] shape is the {{color}} [one|thing|object] {IN}?",
            "What shape does the {color} [one|thing|object|figure] have?",
            f"[Name|Tell me|Please name] the {{color}} [shape|thing|figure] {IN}.",
            "[Tell me|Say|Please say] [what|which] shape is {color}.",
            "[Find|Look at|Look for] the {color} [one|shape|thing]. What [shape is it|is it]?",
            "There is [something|one thing] {color} in the picture. [What is it|What shape is it|What shape has it]?",
            "[In the picture|In the drawing|Here], [what|which] shape is {color}?",
            "The {color} [one|thing|object] is [what|which] shape?",
            "Which shape has the [color|colour] {color}?",
            "I see something {color}. What shape is it?",
            "The {color} [one|thing|item|object]: [what|which] shape is it?",
            "What is the shape of the [only|] {color} [one|thing|object]?",
            "[Can|Could] you name the shape that is [colored|coloured|drawn in|] {color}?",
            "There is one {color} [object|thing|shape]. What shape [is it|does it have]?",
            "[Tell me|Say] what [kind of|] shape the {color} one [is|has].",
        ],
        "exists": [
            f"Is there {{aq}} {IN}?",
            f"[Do|Can] you see {{aq}} {IN}?",
            "Does the [picture|drawing|image] [have|show|contain] {aq}?",
            f"Are there [any|] {{qs}} {IN}?",
            "[Do|Can] you [see|find] any {qs}?",
            f"Is {{aq}} [shown|drawn|to be seen] {IN}?",
            "Is {aq} in the [picture|drawing|image]?",
            f"[Can|Could] you find {{aq}} {IN}?",
            "[Tell me|Say|Please tell me] [if|whether] there is {aq}.",
            "[Tell me|Say|Please tell me] [if|whether] you [see|can see|find] {aq}.",
            f"Have [I|they|we] drawn {{aq}} {IN}?",
            "[In the picture|In the drawing|Here], is there {aq}?",
            f"Yes or no: is there {{aq}} {IN}?",
            f"Is there {{aq}} {IN}, yes or no?",
            "I am looking for {aq}. Is there one?",
            f"I wonder [if|whether] there is {{aq}} {IN}.",
            f"Is {{aq}} [somewhere|anywhere] {IN}?",
            "[Can|Could] you find {aq}, yes or no?",
            "Does {aq} [appear|show up] [in the picture|here|in the drawing]?",
            "My [friend|son|daughter|teacher|sister|brother] [wants|likes] {aq}. Is there one in the picture?",
        ],
        "which": [
            "Which is {comp}, {the1} or {the2}?",
            "Which [one|of the two|of them] is {comp}: {the1} or {the2}?",
            f"What is {{comp}} {IN}, {{the1}} or {{the2}}?",
            "Is {the1} or {the2} {comp}?",
            "{the1} or {the2}: which [one is|is] {comp}?",
            "[Of|Between] {the1} and {the2}, which [one is|is] {comp}?",
            "[Compare|Look at|Find] {the1} and {the2}. Which [one is|is] {comp}?",
            "[Tell me|Say|Please tell me] which is {comp}, {the1} or {the2}.",
            "My question is about {the1} and {the2}. Which [one is|is] {comp}?",
            "[In the picture|In the drawing|Here], which is {comp}, {the1} or {the2}?",
            "Which [one is|is] {prep} the other, {the1} or {the2}?",
            "I see {the1} and {the2}. Which of [them|the two] is {comp}?",
            "[Take|We have] {the1} and {the2}. Which [one sits|one lies|is placed] {comp}?",
            "Does {the1} or {the2} [sit|lie|stand] {comp}?",
        ],
        "relation": [
            "Is {the1} {prep} {the2}?",
            f"Is {{the1}} {{prep}} {{the2}} {IN}?",
            "[Can|Do] you see {the1} {prep} {the2}?",
            "Does {the1} [sit|lie|stand] {prep} {the2}?",
            "[Tell me|Say|Please tell me] [if|whether] {the1} is {prep} {the2}.",
            "Yes or no: is {the1} {prep} {the2}?",
            "Is it true that {the1} is {prep} {the2}?",
            "[In the picture|In the drawing|Here], is {the1} {prep} {the2}?",
            "Is {the1} [drawn|placed|found|located] {prep} {the2}?",
            "{the1} is {prep} {the2}. [Is that right|Is that true|True or not|Right or not|Is this right]?",
            "I [think|say|believe] {the1} is {prep} {the2}. [Am I right|Is that right|Is that true]?",
            "Would you say {the1} is {prep} {the2}?",
        ],
    },
    PATTERNS,
)

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
            text = BANK.write(rng, ask, color=query[0], shape=query[1], qs=many(query, rng), aq=a_one(query, rng))
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
    found = query_of(slots["qs"] if "qs" in slots else slots["aq"])
    # "Things" may or may not mean digits: with digits in the picture such a question has no one answer.
    if found is None or (digits and found[1]):
        return None
    return {"ask": ask, "of": found[0]}


def marks(content: Content, items: Sequence[Item]) -> list[str]:
    """What the author notes behind each object while listing: its number where fitting ones are counted, what
    is asked of it where it is the one; "" behind the others. A small model cannot hold these in mind."""
    ask, out, count = content["ask"], [], 0
    if ask not in ("count", "exists", "color", "shape"):
        return [""] * len(items)
    for item in items:
        fit = fits(item, content["of"])
        count += fit
        note = {"count": str(count), "exists": "yes", "color": item[1], "shape": item[2]}[ask]
        out.append(f" ({note})" if fit else "")
    return out


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
    side, a, b = content["side"], content["a"], content["b"]
    order = _order(content, items)
    if order is None:
        order = 1 if side in ("left", "above") else -1
    if content["ask"] == "relation":
        first, second = (a, b) if order > 0 else (b, a)
        return f"{capital(the_one(first))} is {ANSWERED[side]} {the_one(second)}.", "yes" if order > 0 else "no"
    winner, loser = (a, b) if order > 0 else (b, a)
    by_color = not winner[1] or winner[1] == loser[1]
    return f"{capital(the_one(winner))} is {ANSWERED[side]} {the_one(loser)}.", _short(winner, by_color)


def _short(query: Query, by_color: bool) -> str:
    return query[0] if by_color and query[0] else query[1]
