"""VisionUnseen: digits in the picture. In the corpus, but no expert is trained on it.

The same authors as in :mod:`t2ui.tasks.vision`: the careful one lists what is there, the careless one
describes one usual pair of digits without looking.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank, capital
from t2ui.tasks.pictures import COLORS, DIGITS, KINDS, Item, make_scene
from t2ui.tasks.vision_common import (
    ANSWERED,
    COMPARING,
    IN,
    PATTERNS,
    SIDES,
    PictureTask,
    apart,
    asked_about,
    frame,
    listing,
    look,
    place,
    readings,
    side_of,
)

# What a careless author always sees where digits are asked about; in this order from left to right
# and from top to bottom.
USUAL_DIGITS: tuple[Item, ...] = ((0, "red", "5"), (4, "blue", "2"))

# The end of a row or column, for two digits that are not named.
_ENDS = {
    "left": ("on the left", "to the left", "at the left", "on the left side"),
    "right": ("on the right", "to the right", "at the right", "on the right side"),
    "above": ("at the top", "higher up", "nearer the top"),
    "below": ("at the bottom", "lower down", "nearer the bottom"),
}
_END_PATTERN = "|".join(sorted((end for ends in _ENDS.values() for end in ends), key=len, reverse=True))

_D = "[digit|number|figure]"
BANK = Bank(
    {
        "number": [
            f"[What|Which] number [is|do you see|can you see|is shown|is written|is drawn] {IN}?",
            "[What|Which] number [is this|is it|does it say|is that]?",
            "[What|Which] number does the [picture|drawing|image] [show|say|have|give]?",
            f"[Read|Read out|Please read|Tell me] the number {IN}.",
            "[Can|Could] you read the number [in the picture|in the drawing|here|]?",
            f"What does the number {IN} [say|read]?",
            "[Tell me|Say|Write down] [what|which] number [you see|is shown|this is|the picture shows].",
            "[In the picture|Here], [what|which] number is [shown|written|drawn]?",
            "Someone [wrote|drew|painted] a number. [What|Which] number is it?",
            "[I|We|They] [wrote|drew|painted] a number. [Can you read it|What does it say|Which is it]?",
            "The number [in the picture|in the drawing|here] is [what|which]?",
            "Which house number [is shown|is this|do you see]?",
            "[What|Which] number is on the [page|card|sign|door|ticket|shirt]?",
            "which number [did I|did they|did we] [write|draw|paint]?",
            f"What [is written|is the number] {IN}?",
            "[Can|Could] you tell me [what|which] number [this is|it is|is shown]?",
            "The digits [make|form|spell] [what|which] number?",
            "[What|Which] number do the digits [make|form|show]?",
            "I cannot read the number. [What|Which] is it?",
            "number in the picture?",
        ],
        "digits": [
            f"How many [digits|numerals] [are there|do you see|can you see|are shown|can you find] {IN}?",
            "How many digits [in the picture|in the image|]?",
            "How many [digits|numerals] are [in the picture|in the drawing|in the image|here]?",
            "How many digits does the [picture|drawing|image] [show|have|contain]?",
            f"[Please count|Count] [the|all the|all] [digits|numerals] {IN}.",
            f"What is the number of [digits|numerals] {IN}?",
            "[Tell me|Say|Please tell me] how many digits [there are|you see|you can see].",
            f"How many of the [things|objects|signs] {IN} are digits?",
            "I [want|would like] to know how many digits [there are|you see].",
            f"[Can you|Could you] count the digits {IN}?",
            f"Find [all|all the|the] digits {IN}. How many [are there|did you find|are they]?",
            "[In the picture|Here], how many digits [are there|do you see]?",
            "The [picture|drawing|image] [has|shows|contains] how many digits?",
            "how many of the shapes here are digits?",
            "Count [every|each] digit [you can find|you can see|] in the picture.",
            "digits: how many [do you see|are there]?",
            f"[The number|Number] of digits {IN}?",
            "Do you see digits? How many?",
            "I wonder how many digits there are.",
            "[Can|Could] you tell me how many digits there are?",
        ],
        "exists": [
            f"Is there [a|an] {{digit}} {IN}?",
            f"[Do|Can] you see [a|an|the number|the digit] {{digit}} {IN}?",
            "Does the [picture|drawing|image] [have|show|contain] [a|an|the number|the digit] {digit}?",
            "Is the [digit|number] {digit} [in the picture|in the drawing|here|shown|there]?",
            f"[Can|Could] you find [a|an|the number] {{digit}} {IN}?",
            "[Tell me|Say|Please tell me] [if|whether] there is [a|an] {digit}.",
            "[Tell me|Say|Please tell me] [if|whether] you [see|can see] [a|an] {digit}.",
            f"Yes or no: is there [a|an] {{digit}} {IN}?",
            f"Is there [a|an] {{digit}} {IN}, yes or no?",
            "[In the picture|Here], is there [a|an] {digit}?",
            "I am looking for [a|an] {digit}. Is there one?",
            "Is one of the [digits|numbers] [a|an] {digit}?",
            "Does the [digit|number] {digit} [appear|show up] [in the picture|here]?",
            f"[Can|Did] you spot [a|an] {{digit}} {IN}?",
            "can you see [a|an] {digit}, yes or no?",
            "Did [I|we|they] [write|draw] [a|an] {digit}?",
            "Is it true that there is [a|an] {digit} in the picture?",
            "[Look for|Search for] [a|an] {digit}. Is there one?",
            "I wonder [if|whether] there is [a|an] {digit}.",
            f"Is there any {{digit}} {IN}?",
        ],
        "which": [
            "Which is {comp}, the {digit1} or the {digit2}?",
            "Which [one|of the two|of them] is {comp}: the {digit1} or the {digit2}?",
            f"Which {_D} is {{comp}}, {{digit1}} or {{digit2}}?",
            "Is the {digit1} or the {digit2} {comp}?",
            "The {digit1} or the {digit2}: which [one is|is] {comp}?",
            "[Of|Between] the {digit1} and the {digit2}, which [one is|is] {comp}?",
            "[Compare|Look at|Find] the {digit1} and the {digit2}. Which [one is|is] {comp}?",
            "[Tell me|Say] which is {comp}, the {digit1} or the {digit2}.",
            "[In the picture|Here], which is {comp}, the {digit1} or the {digit2}?",
            "I see [a|an] {digit1} and [a|an] {digit2}. Which [one is|is] {comp}?",
            "Which [sits|lies|stands] {comp}, the {digit1} or the {digit2}?",
            "What is {comp}, the {digit1} or the {digit2}?",
            "what is {comp}, {digit1} or {digit2}?",
            "which one is {comp}, {digit1} or {digit2}?",
            f"Which of the two {{digit1}} and {{digit2}} is {{comp}} {IN}?",
            "[Can|Could] you tell me which is {comp}, the {digit1} or the {digit2}?",
            "Here are [a|an] {digit1} and [a|an] {digit2}. Which [one is|is] {comp}?",
            "Is it the {digit1} or the {digit2} that is {comp}?",
        ],
        "side": [
            f"[What|Which] {_D} is {{end}}?",
            f"What is the {_D} {{end}}?",
            f"[What|Which] {_D} [do you see|stands|sits|is shown|is written] {{end}}?",
            "Which of the two [digits|numbers] is {end}?",
            "There are two [digits|numbers]. Which [one is|is] {end}?",
            f"[Read|Tell me|Name|Give me|Say] the {_D} {{end}}.",
            f"[Tell me|Say] [what|which] {_D} is {{end}}.",
            f"The {_D} {{end}} is [what|which]?",
            f"[In the picture|Here], [what|which] {_D} is {{end}}?",
            f"[Can|Could] you read the {_D} {{end}}?",
            f"Look at the {_D} {{end}}. What is it?",
            "[I|We|They] [wrote|drew] two digits. Which one is {end}?",
            f"[Can|Could] you tell me [what|which] {_D} is {{end}}?",
            f"{_D} {{end}}?",
            f"I see two digits. Which {_D} is {{end}}?",
            f"Do you know which {_D} is {{end}}?",
            f"Which of them is the {_D} {{end}}?",
        ],
        "color": [
            f"[What|Which] [color|colour] is the [digit|number|] {{digit}} {IN}?",
            "[What|Which] [color|colour] does the {digit} have?",
            f"What is the [color|colour] of the [digit|number|] {{digit}} {IN}?",
            "[Name|Tell me|Give me|Say] the [color|colour] of the {digit}.",
            "[Tell me|Say] [what|which] [color|colour] the {digit} is.",
            "In [what|which] [color|colour] is the {digit} [drawn|painted|written|shown]?",
            "[Find|Look at|Look for] the {digit}. [What|Which] [color|colour] is it?",
            "There is [a|an] {digit} in the picture. [What|Which] [color|colour] is it?",
            "[In the picture|Here], [what|which] [color|colour] is the {digit}?",
            "The {digit} [is|has] [what|which] [color|colour]?",
            "[What|Which] [color|colour] did [I|they|we|he|she] [use|pick|take] for the {digit}?",
            "How is the {digit} colored?",
            "[Can|Could] you tell me [what|which] [color|colour] the {digit} is?",
            "the {digit}: [what|which] [color|colour]?",
            "[Do you know|I wonder] [what|which] [color|colour] the {digit} is[?|.]",
            "I see [a|an] {digit}. [What|Which] [color|colour] is it?",
            "[color|colour] of the {digit}?",
        ],
        "digit": [
            f"[What|Which] digit is {{color}} {IN}?",
            f"[What|Which] digit is the {{color}} one {IN}?",
            f"What is the {{color}} digit {IN}?",
            "[What|Which] digit is [drawn|painted|written|shown] in {color}?",
            f"[Read|Name|Tell me|Give me|Say] the {{color}} digit {IN}.",
            "[Tell me|Say] [what|which] digit is {color}.",
            "[Find|Look at|Look for] the {color} digit. [What is it|Which is it|Which digit is it]?",
            "There is [a|an] {color} digit [in the picture|here]. [What is it|Which is it]?",
            "[In the picture|Here], [what|which] digit is {color}?",
            "The {color} digit is [what|which]?",
            "[What|Which] digit has the [color|colour] {color}?",
            f"[Can|Could] you read the {{color}} digit {IN}?",
            "[Can|Could] you tell me [what|which] digit is {color}?",
            "the {color} digit, what is it?",
            "One digit is {color}. Which [one is it|is it]?",
            "Do you know [what|which] digit is {color}?",
            "I see [a|an] {color} digit. Which [one is it|is it]?",
        ],
    },
    PATTERNS | {"end": _END_PATTERN},
)

_MIX = {"number": 0.24, "digits": 0.16, "exists": 0.14, "which": 0.14, "side": 0.12, "color": 0.10, "digit": 0.10}
_CHANCE = {"number": 100, "digits": 5, "exists": 2, "which": 2, "side": 10, "color": len(COLORS), "digit": 10}


class VisionUnseen(PictureTask):
    """Questions about digits among shapes.

    Within each kind the answers are even (numbers 0-99, counts 0-4, digits 0-9, 7 colors, yes and no,
    the one and the other). Size: counts of two digits among two shapes alone have C(9,2) * 70^2 *
    C(7,2) * 42^2 = 6,534,561,600 pictures; the lower bound given is that.

    Contents: ``ask`` (number, digits, exists, which, side, color, digit), ``digit``, ``color``, ``side``
    or ``a`` and ``b`` where the kind has them, and ``scene``.
    """

    name = "vision_unseen"
    skills = ("vision",)
    size = 6_534_561_600
    max_new_tokens = 80

    def sample(self, rng: random.Random) -> Content:
        ask = rng.choices(list(_MIX), list(_MIX.values()))[0]
        if ask == "number":
            return {"ask": ask, "scene": _written(rng)}
        if ask == "digits":
            number = rng.randint(0, 4)
            return {"ask": ask, "scene": _scene(rng, number, lambda c, k: True)}
        if ask == "exists":
            digit = rng.choice(DIGITS)
            looks = [(rng.choice(COLORS), digit)] if rng.random() < 0.5 else []
            return {"ask": ask, "digit": digit,
                    "scene": _scene(rng, rng.randint(1, 3), lambda c, k: k != digit, looks)}  # fmt: skip
        if ask == "color":
            look_ = (rng.choice(COLORS), rng.choice(DIGITS))
            scene = _scene(rng, rng.randint(1, 3), lambda c, k: k != look_[1], [look_])
            return {"ask": ask, "digit": look_[1], "scene": scene}
        if ask == "digit":
            look_ = (rng.choice(COLORS), rng.choice(DIGITS))
            scene = _scene(rng, rng.randint(1, 3), lambda c, k: c != look_[0], [look_])
            return {"ask": ask, "color": look_[0], "scene": scene}
        a, b = rng.sample(DIGITS, 2)
        looks = [(rng.choice(COLORS), a), (rng.choice(COLORS), b)]
        content: Content = {"ask": ask, "side": rng.choice(SIDES)} | ({"a": a, "b": b} if ask == "which" else {})
        while True:
            content["scene"] = _scene(rng, 2, lambda c, k: False, looks)
            if _winner(content, [tuple(item) for item in content["scene"]["objects"]]) is not None:
                return content

    def prompt(self, content: Content, rng: random.Random) -> str:
        ask = content["ask"]
        slots = {"digit": content.get("digit"), "color": content.get("color")}
        if ask == "which":
            slots |= {"digit1": content["a"], "digit2": content["b"], "comp": rng.choice(COMPARING[content["side"]])}
        elif ask == "side":
            slots["end"] = rng.choice(_ENDS[content["side"]])
        return frame(capital(_articles(BANK.write(rng, ask, **slots))), rng)

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        asked = asked_about(prompt, scene)
        if asked is None:
            return None
        text, scene, items = asked
        match = next(readings(BANK, text), None)
        if match is None:
            return None
        slots, content = match.slots, {"ask": match.key, "scene": scene}
        if match.key == "which":
            content |= {"a": slots["digit1"], "b": slots["digit2"], "side": side_of(slots["comp"], COMPARING)}
        elif match.key == "side":
            content["side"] = side_of(slots["end"], _ENDS)
        elif match.key in ("exists", "color"):
            content["digit"] = slots["digit"]
        elif match.key == "digit":
            content["color"] = slots["color"].lower()
        return content if _answerable(content, items) else None

    def reference(self, content: Content) -> str:
        return _answer(content, [tuple(item) for item in content["scene"]["objects"]])[1]

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        items = [tuple(item) for item in content["scene"]["objects"]] if care["vision"] else list(USUAL_DIGITS)
        said, short = _answer(content, items)
        return f"{listing(items, rng)} {said} The answer is {short}."

    def chance(self, content: Content) -> float:
        return 1 / _CHANCE[content["ask"]]


def digits_of(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if item[2] in DIGITS]


def _scene(rng: random.Random, number: int, allowed: Any, looks: Sequence[tuple[str, str]] = ()) -> Any:
    """A scene with ``number`` digits, ``looks`` among them (the others allowed), and some shapes."""
    digits = list(looks)
    for _ in range(number - len(digits)):
        digits.append(look(rng, allowed, DIGITS))
    others = rng.randint(0 if digits else 1, max(4 - len(digits), 0)) if len(digits) < 4 else 0
    return place(rng, digits + [look(rng, lambda c, k: True) for _ in range(others)])


def _written(rng: random.Random) -> Any:
    """A number from 0 to 99 in one row, two digits side by side, at times with a shape or two beside it."""
    text = str(rng.randint(0, 99))
    row, column = rng.randrange(3), rng.randrange(4 - len(text))
    color = rng.choice(COLORS)
    items: list[Any] = [(3 * row + column + i, color, digit) for i, digit in enumerate(text)]
    free = [cell for cell in range(9) if cell not in [item[0] for item in items]]
    shapes = [kind for kind in KINDS if kind not in DIGITS]
    for cell in rng.sample(free, rng.choice((0, 0, 1, 2))):
        items.append((cell, rng.choice(COLORS), rng.choice(shapes)))
    return make_scene(items)


def _articles(text: str) -> str:
    """ "an 8", but "a 5": the digit decides, not the template."""
    words = text.split(" ")
    for i, word in enumerate(words[:-1]):
        if word in ("a", "an"):
            words[i] = "an" if words[i + 1][0] == "8" or words[i + 1][0] in "aeio" else "a"
    return " ".join(words)


def _answerable(content: Content, items: Sequence[Item]) -> bool:
    ask, digits = content["ask"], digits_of(items)
    if ask == "number":
        cells = [cell for cell, _, _ in digits]
        beside = len(cells) == 2 and cells[1] == cells[0] + 1 and cells[1] % 3 > 0
        return len(cells) == 1 or (beside and digits[0][2] != "0")
    if ask == "color":
        return sum(kind == content["digit"] for _, _, kind in digits) == 1
    if ask == "digit":
        return sum(color == content["color"] for _, color, _ in digits) == 1
    if ask == "side":
        return len(digits) == 2 and _winner(content, items) is not None
    if ask == "which":
        named = [kind for _, _, kind in digits]
        return named.count(content["a"]) == named.count(content["b"]) == 1 and _winner(content, items) is not None
    return True


def _winner(content: Content, items: Sequence[Item]) -> tuple[Item, Item] | None:
    """Of the two digits, the one that lies on the side asked for and the other; None if neither does."""
    digits = digits_of(items)
    if content["ask"] == "which":
        by_kind = {item[2]: item for item in digits}
        if content["a"] == content["b"] or content["a"] not in by_kind or content["b"] not in by_kind:
            return None
        digits = [by_kind[content["a"]], by_kind[content["b"]]]
    if len(digits) != 2:
        return None
    order = apart(digits[0], digits[1], content["side"])
    return None if order == 0 else (digits[0], digits[1]) if order > 0 else (digits[1], digits[0])


def _answer(content: Content, items: Sequence[Item]) -> tuple[str, str]:
    """The sentence before the last, and the short answer, from what the author says there is.

    Where that does not tell, the author goes by habit as in :mod:`t2ui.tasks.vision`: the first digit
    stands for the one asked about, and places follow the order of mention.
    """
    ask, digits = content["ask"], digits_of(items)
    if ask == "number":
        text = "".join(kind for _, _, kind in digits)
        return f"That reads {text}.", text
    if ask == "digits":
        return f"That makes {len(digits)}.", str(len(digits))
    if ask == "exists":
        digit = content["digit"]
        there = any(kind == digit for _, _, kind in digits)
        return (_articles(f"There is a {digit}."), "yes") if there else (f"There is no {digit}.", "no")
    if ask == "color":
        color = next((c for _, c, kind in digits if kind == content["digit"]), digits[0][1])
        return f"The {content['digit']} is {color}.", color
    if ask == "digit":
        digit = next((kind for _, c, kind in digits if c == content["color"]), digits[0][2])
        return f"The {content['color']} one is {_articles(f'a {digit}.')}", digit
    side, found = content["side"], _winner(content, items)
    if found is not None:
        winner, loser = found[0][2], found[1][2]
    else:
        winner, loser = (content["a"], content["b"])[:: 1 if side in ("left", "above") else -1]
    return f"The {winner} is {ANSWERED[side]} the {loser}.", winner
