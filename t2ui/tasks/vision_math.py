"""VisionMath: look at the picture for one quantity, then reckon with it. Needs two skills at once.

The careful author lists what is there, reads the quantity and does both operations. Careless in
vision: the usual scene instead of the picture. Careless in math: the first operation only. Never used
for training an expert, a dispatcher or a mix.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank, capital, sentences
from t2ui.tasks.pictures import COLORS, DIGITS, SHAPES, Item
from t2ui.tasks.vision import USUAL, marks
from t2ui.tasks.vision_common import (
    PATTERNS,
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
from t2ui.tasks.vision_unseen import USUAL_DIGITS, digits_of

_BOYS = tuple("Tom Ben Max Leo Sam Paul Carl Jack Finn Noah Adam Oscar Hugo Emil David Felix Luke Peter".split())
_GIRLS = tuple("Anna Mia Lena Eva Nora Lucy Kate Ella Rosa Ida Clara Julia Emma Lily Sara Maria Zoe Alice".split())
_THINGS = tuple(
    "pens apples books coins cards marbles stamps cookies eggs balls nuts shells beads stickers pencils plums "
    "candles cups flowers toys buttons keys stones pears lemons tickets".split()
)
_BOX = "[box|bag|basket|pack|jar|crate|tray]"
_BOXES = "[boxes|bags|baskets|packs|jars|crates|trays]"
_BOX_WORD = re.compile(r"\b(?:box|bag|basket|pack|jar|crate|tray)(?:e?s)?\b", re.IGNORECASE)
_THERE = "[in the picture|in this picture|in the drawing|you see|shown here]"
_PIC = "[in the picture|in this picture|in the drawing|in the image|here]"
_DIGIT = "[the digit in the picture|the digit you see|the number in the picture|the digit shown|the digit here]"

# A name, and not a word that may stand in its place and turn the meaning.
_OWNER = r"(?-i:(?!(?:Nobody|Noone|None|Neither|Everyone|Someone|Each|Every|The|There|He|She|They|It)\b)[A-Z][a-z]+)"

# The sentence that ties the story to the picture. With "x": so many times n.
SETUP = Bank(
    {
        "count x": [
            f"[Each|Every] {{q}} {_THERE} is a {_BOX} of {{n}} {{things}}.",
            f"[Each|Every] {{q}} {_THERE} [stands for|means|is worth|holds|has|hides] {{n}} {{things}}.",
            f"[Each|Every] {{q}} {_THERE} is a {_BOX} with {{n}} {{things}}.",
            f"The {{qs}} {_THERE} are {_BOXES} of {{n}} {{things}} each.",
            f"The {{qs}} {_THERE} are {_BOXES} with {{n}} {{things}} in each.",
            f"There are {{n}} {{things}} [in|behind|under|for] [each|every] {{q}} {_THERE}.",
            f"A {_BOX} of {{n}} {{things}} stands [on|behind|beside] [each|every] {{q}} {_THERE}.",
        ],
        "count x who": [
            f"For [each|every] {{q}} {_THERE}, {{who}} [gets|buys|has|is given|finds] {{n}} {{things}}.",
            f"{{who}} [gets|buys|has|is given|finds] {{n}} {{things}} for [each|every] {{q}} {_THERE}.",
            f"{{who}} [has|buys|owns] a {_BOX} of {{n}} {{things}} for [each|every] {{q}} {_THERE}.",
            f"{{who}} [wins|collects|earns] {{n}} {{things}} with [each|every] {{q}} {_THERE}.",
            f"{{who}} has as many {_BOXES} of {{n}} {{things}} as there are {{qs}} {_PIC}.",
            f"{{who}} [counts|sees] the {{qs}} {_THERE} and gets {{n}} {{things}} for each.",
        ],
        "count": [
            f"There are as many {{things}} as [there are|] {{qs}} {_PIC}.",
            f"[Each|Every] {{q}} {_THERE} [stands for|means|is worth|hides] one of the {{things}}.",
            f"[On the table|In the box|In the bag|In the garden] there are as many {{things}} as {{qs}} {_PIC}.",
        ],
        "count who": [
            f"{{who}} has as many {{things}} as [there are|] {{qs}} {_PIC}.",
            f"{{who}} [buys|gets|owns|starts with] as many {{things}} as there are {{qs}} {_PIC}.",
            f"The number of {{qs}} {_THERE} is the number of {{things}} {{who}} has.",
            f"For [each|every] {{q}} {_THERE}, {{who}} [has|gets|finds|buys] one of the {{things}}.",
        ],
        "digit x": [
            f"{_DIGIT} [says|shows|tells] how many {_BOXES} of {{n}} {{things}} there are.",
            f"There are as many {_BOXES} of {{n}} {{things}} as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {_BOXES}, each with {{n}} {{things}}.",
        ],
        "digit x who": [
            f"{_DIGIT} [says|shows|tells] how many {_BOXES} of {{n}} {{things}} {{who}} has.",
            f"{{who}} has as many {_BOXES} of {{n}} {{things}} as {_DIGIT} [says|shows|tells].",
            f"{{who}} buys {{n}} {{things}} as many times as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {_BOXES} {{who}} has, each with {{n}} {{things}}.",
        ],
        "digit": [
            f"{_DIGIT} [says|shows|tells] how many {{things}} there are.",
            f"There are as many {{things}} as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {{things}} [on the table|in the box|in the bag|in the garden].",
        ],
        "digit who": [
            f"{_DIGIT} [says|shows|tells] how many {{things}} {{who}} has.",
            f"{{who}} has as many {{things}} as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {{things}} {{who}} [has|owns|starts with].",
            f"{{who}} [buys|gets|starts with] as many {{things}} as {_DIGIT} [says|shows|tells].",
        ],
    },
    PATTERNS | {"things": r"(?!more\b)[a-z]+", "who": _OWNER},
)

# What the owner does, without the subject. The things need not be named again: "buys 5 more".
DOES = Bank(
    {
        "+": [
            "[also|] [buys|gets|finds|collects|picks up|wins|takes|makes|earns] {n} {more}",
            "[has|is given|receives|brings|adds] {n} {more}",
            "[also has|also owns|already has|also finds|also buys] {n} [other|] {things}",
            "[gets|buys|takes|receives] {n} {more} from {name}",
        ],
        "-": [
            "[loses|sells|uses up|throws away|gives away|gives back|leaves behind] {n} {some}",
            "[gives|hands|sends|sells|lends] {n} {some} to {name}",
            "[gives|hands|sends|sells|lends] {name} {n} {some}",
            "[has to sell|must give back|has to give away] {n} {some}",
        ],
    },
    {"more": r"more(?:\s+[a-z]+)?", "some": r"of\s+them|[a-z]+|", "things": r"[a-z]+"},
)
# What happens of itself: gains only in stories without an owner, losses in all.
HAPPENS = Bank(
    {
        "+": [
            "{n} more {things} [arrive|are added|are found|are bought|are brought].",
            "someone [adds|brings|buys|finds] {n} more {things}.",
            "there are [also|another] {n} {things} [on the floor|on a shelf|in a drawer|outside|in the cellar].",
            "{name} [also has|also brings|also finds|also owns] {n} {things}.",
            "there are {n} more {things} [on the floor|on a shelf|in a drawer|outside|in the cellar].",
        ],
        "+ them": [
            "{n} more [arrive|are added|are found|are bought|are brought].",
            "someone [adds|brings|buys|finds] {n} more.",
        ],
        "-": [
            "{n} {things} [are lost|are sold|are stolen|are taken away|are given away].",
            "someone [takes|sells|steals|loses] {n} {things}.",
        ],
        "- them": [
            "{n} of them [are lost|are sold|are stolen|are taken away|are given away].",
            "[sadly,|] {n} of them [get lost|are gone].",
            "someone [takes|steals|loses] {n} of them.",
            "{name} [takes|buys] {n} of them.",
        ],
    },
    {"things": r"(?!more\b|of\b)[a-z]+", "name": _OWNER},
)
_THEN = "[Then|Later|After that|Next|Soon|The next day|In the evening|On the way home]"
_SUBJECT = rf"{_OWNER}|he|she"
FRAMES = Bank(
    {
        "one": ["{subject} {did}.", f"{_THEN} {{subject}} {{did}}.", f"{_THEN}, {{subject}} {{did}}."],
        "two": [
            "{subject} {did1} [, and later|and later|and then|but then|, then|and] {did2}.",
            f"{_THEN} {{subject}} {{did1}} [, and later|and later|and then|, then|and] {{did2}}.",
        ],
        "happens": ["{happens}", f"{_THEN} {{happens}}", f"{_THEN}, {{happens}}"],
    },
    {"subject": _SUBJECT, "did": r".+?", "happens": r".+"},
)
ASK = Bank(
    {
        "": [
            "How many {things} are there [now|in all|altogether|in total|in the end|]?",
            "How many {things} is that [now|in all|altogether|in total|]?",
            "How many {things} [does that make|does this make] [in all|altogether|]?",
            "How many {things} are there [now|in the end], all together?",
            "What is the number of {things} [now|in the end|]?",
            "[Count|Find|Tell me] how many {things} there are [now|in the end|in all].",
        ],
        "who": [
            "How many {things} does {subject} have [now|in all|altogether|in total|in the end|then|]?",
            "How many {things} has {subject} got [now|in all|in the end|]?",
            "[Say|Tell me|Find out] how many {things} {subject} has [now|in all|in the end|].",
            "What is the number of {things} {subject} has [now|in the end|]?",
            "[Now|In the end|At last], how many {things} does {subject} have?",
        ],
    },
    {"things": r"[a-z]+", "subject": _SUBJECT},
)
_PRONOUNS = ("he", "she")


class VisionMath(PictureTask):
    """A quantity from the picture (a count of 1-4 or the digit shown, 1-9), then two operations.

    Either a multiplication by 2-9 and a gain or loss, or two gains or losses; all values 0-99. Size:
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
        if rng.random() < 0.4:
            value = rng.randint(1, 9)
            looks = [(rng.choice(COLORS), str(value))]
            looks += [look(rng, lambda c, s: True) for _ in range(rng.randint(0, 3))]
            content: Content = {"ask": "digit"}
        else:
            kind = rng.choice(("color", "shape", "both"))
            query = ["" if kind == "shape" else rng.choice(COLORS), "" if kind == "color" else rng.choice(SHAPES)]
            value = rng.randint(1, 4)
            looks = [look(rng, lambda c, s: fits((0, c, s), query)) for _ in range(value)]
            looks += [look(rng, lambda c, s: not fits((0, c, s), query)) for _ in range(rng.randint(0, 4 - value))]
            content = {"ask": "count", "of": query}
        return content | {"ops": _operations(rng, value), "scene": place(rng, looks)}

    def prompt(self, content: Content, rng: random.Random) -> str:
        ops, owned = content["ops"], rng.random() < 0.6
        times = ops[0][0] == "*"
        query = content.get("of", ["", ""])
        boy = rng.random() < 0.5
        who = rng.choice(_BOYS if boy else _GIRLS)
        things = rng.choice(_THINGS)
        key = f"{content['ask']}{' x' if times else ''}{' who' if owned else ''}"
        parts = [SETUP.write(rng, key, q=one(query, rng), qs=many(query, rng), n=ops[0][1], things=things, who=who)]
        changes = ops[1:] if times else ops
        boxes = _BOX_WORD.search(parts[0]) is not None

        def subject() -> str:
            return ("he" if boy else "she") if rng.random() < 0.5 else who

        def name() -> str:
            return rng.choice([other for other in _BOYS + _GIRLS if other != who])

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
        boxes = _BOX_WORD.search(parts[0]) is not None
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
        """Someone who reckons well and guesses what the picture says: one of four counts or nine digits."""
        return 1 / 4 if content["ask"] == "count" else 1 / 9


_LOOK = ("Look at the picture.", "Look at this picture.", "Here is a picture.", "Look closely.", "Study the picture.")


def _operations(rng: random.Random, value: int) -> list[list[Any]]:
    ops: list[list[Any]] = []
    if rng.random() < 0.6:
        ops.append(["*", rng.randint(2, 9)])
        value *= ops[0][1]
    while len(ops) < 2:
        # At least two, so that every story may speak of things in the plural.
        loss = value > 1 and rng.random() < 0.45
        n = rng.randint(2, min(value, 20)) if loss else rng.randint(2, 20)
        ops.append(["-" if loss else "+", n])
        value += -n if loss else n
    return ops


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
