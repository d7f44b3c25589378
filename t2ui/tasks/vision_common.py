"""What the picture families share: how things in a picture are named, listed, and how answers are graded.

A *query* is ``[color, kind]``, either of which may be empty: ``["red", ""]`` stands for everything red,
``["", "star"]`` for every star, ``["", ""]`` for every shape.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from t2ui.tasks.base import Content, Grade, Task
from t2ui.tasks.grammar import Bank, Match
from t2ui.tasks.pictures import COLORS, DIGITS, SHAPES, Item, Scene, describe, items_of, make_scene

Query = Sequence[str]

PLURALS = {"cross": "crosses"} | {shape: shape + "s" for shape in SHAPES if shape != "cross"}
_SINGULARS = {plural: shape for shape, plural in PLURALS.items()} | {shape: shape for shape in SHAPES}
# Words for "whatever shape it has". Only the first is sure to leave digits out.
_ANY_ONE, _ANY_MANY = ("shape", "thing", "object", "figure"), ("shapes", "things", "objects", "figures")

_C, _S = "|".join(COLORS), "|".join(SHAPES)
PATTERNS = {
    "color": _C,
    "shape": _S,
    "digit": r"[0-9]",
    "qs": rf"(?:(?:{_C})\s+)?(?:{'|'.join(PLURALS.values())}|{'|'.join(_ANY_MANY)})",
    "q": rf"(?:(?:{_C})\s+)?(?:{_S}|{'|'.join(_ANY_ONE)})",
    "aq": rf"(?:an?\s+)(?:(?:{_C})\s+)?(?:{_S}|{'|'.join(_ANY_ONE)})|(?:anything|something)\s+(?:{_C})",
    "the": rf"the\s+(?:(?:{_C})\s+)?(?:{_S}|{'|'.join(_ANY_ONE)}|one)",
}

# How a place is asked for: comparing words (which is {comp}?) and prepositions (is it {prep} the star?).
_NEAR = ("nearer the {}", "nearer to the {}", "closer to the {}")
_SIDEWAYS = ("further {}", "further to the {}", "on the {}", "farther {}", "farther to the {}", "more to the {}",
             "nearer the {} side", "nearer to the {} edge", "closer to the {} side", *_NEAR)  # fmt: skip
COMPARING = {
    "left": tuple(words.format("left") for words in _SIDEWAYS),
    "right": tuple(words.format("right") for words in _SIDEWAYS),
    "above": ("higher", "higher up", "further up", "farther up", *(words.format("top") for words in _NEAR)),
    "below": ("lower", "lower down", "further down", "farther down", *(words.format("bottom") for words in _NEAR)),
}
_BESIDE = ("{} of", "to the {} of", "on the {} of", "further {} than", "further to the {} than", "farther {} than",
           "more to the {} than", "closer to the {} than", "nearer to the {} than", "on the {} side of")  # fmt: skip
PREPOSITIONS = {
    "left": tuple(words.format("left") for words in _BESIDE),
    "right": tuple(words.format("right") for words in _BESIDE),
    "above": ("above", "higher than", "over", "higher up than", "further up than", "nearer to the top than",
              "closer to the top than", "nearer the top than"),
    "below": ("below", "lower than", "under", "lower down than", "further down than", "nearer to the bottom than",
              "closer to the bottom than", "nearer the bottom than", "beneath", "underneath"),
}  # fmt: skip
ANSWERED = {"left": "left of", "right": "right of", "above": "above", "below": "below"}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
SIDES = tuple(OPPOSITE)


def _phrases(table: Mapping[str, tuple[str, ...]]) -> str:
    return "|".join(sorted((re.escape(p) for ps in table.values() for p in ps), key=len, reverse=True))


PATTERNS |= {"comp": _phrases(COMPARING), "prep": _phrases(PREPOSITIONS)}

# Where a question says that it is about the picture (or does not).
IN = "[in the picture|in this picture|in the drawing|in the image|here|in this image|in the grid||]"

_BEFORE = (
    "Look at the picture.", "Look at this picture.", "Look at the drawing.", "Look closely.", "Look carefully.",
    "Please look at the picture.", "Here is a picture.", "Here is a drawing.", "Take a look at the image.",
    "Look at the image.", "I have a question about the picture.", "This is my drawing.", "Question:",
    "A question about the picture:", "Study the picture.", "Look at the grid.",
)  # fmt: skip
_AFTER = ("Look carefully.", "Please look closely.", "Take your time.", "Thank you.", "Please answer.")
# Said before a question within its own sentence.
_OPENING = ("and", "so", "now", "okay,", "ok,", "hi,", "hello,", "hey,", "well,")


def _either(phrases: Iterable[str]) -> str:
    return "|".join(re.escape(phrase) for phrase in phrases)


_FRAME = re.compile(
    rf"(?:(?:{_either(_BEFORE)})\s+)*(?:(?:{_either(_OPENING)})\s+)?(?P<inner>.*?)(?:\s+(?:{_either(_AFTER)}))*",
    re.IGNORECASE | re.DOTALL,
)


_PICTURE = re.compile(
    r"\b(?:the|this|that|my|your|our) (?:picture|drawing|image|photo|painting|sketch|grid)\b", re.IGNORECASE
)


def frame(text: str, rng: random.Random) -> str:
    """The question, at times with a sentence before it or after it, or typed in haste."""
    if text.startswith("What is ") and rng.random() < 0.25:
        text = f"What's {text[8:]}"
    luck = rng.random()
    if luck < 0.18:
        return f"{rng.choice(_BEFORE)} {text}"
    if luck < 0.24:
        return f"{text} {rng.choice(_AFTER)}"
    if luck < 0.28:
        return text.rstrip(".?")
    if luck < 0.42 and not text.startswith("I "):
        text = text[:1].lower() + text[1:]
        return text if luck < 0.34 else text.rstrip(".?")
    if luck < 0.45 and not text.startswith("I "):
        opening, text = rng.choice(_OPENING), text[:1].lower() + text[1:]
        return f"{opening if rng.random() < 0.5 else opening.capitalize()} {text}"
    if luck < 0.48:
        return f"{text[:-1]}, please{text[-1]}" if text[-1] in ".?" else text
    return text


def unframe(text: str) -> str:
    """The question without such sentences, and with one word for the picture, whichever was taken."""
    text = re.sub(r"\b(what|which|there|it)'s\b", r"\1 is", " ".join(text.split()), flags=re.IGNORECASE)
    found = _FRAME.fullmatch(text)
    text = re.sub(r",?\s+please([.?!]*)$", r"\1", found["inner"] if found else text, flags=re.IGNORECASE)
    return _PICTURE.sub("the picture", text)


def readings(bank: Bank, text: str) -> Iterator[Match]:
    """All readings of a question, whatever mark it ends with: people leave it out or take another."""
    stem = text.rstrip(" .?!")
    for mark in ("?", "."):
        yield from bank.reads(stem + mark)


# -- naming -------------------------------------------------------------------------------------


def many(query: Query, rng: random.Random) -> str:
    """A query in the plural: "red circles", "red shapes", "circles", "shapes"."""
    color, kind = query
    return f"{color} {PLURALS[kind] if kind else _any(_ANY_MANY, rng)}".strip()


def one(query: Query, rng: random.Random) -> str:
    """A query in the singular, without an article: "red circle", "red shape"."""
    color, kind = query
    return f"{color} {kind or _any(_ANY_ONE, rng)}".strip()


def a_one(query: Query, rng: random.Random) -> str:
    """A query with its article: "an orange star"; everything of a color also as "anything red"."""
    color, kind = query
    if color and not kind and rng.random() < 0.3:
        return f"{rng.choice(('anything', 'something'))} {color}"
    words = one(query, rng)
    return f"{article(words)} {words}"


def article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"


def the_one(query: Query, rng: random.Random | None = None) -> str:
    """A query with "the": "the star", "the red star", "the red one" (or, with ``rng``, "the red shape")."""
    color, kind = query
    if not kind:
        kind = "one" if rng is None or rng.random() < 0.6 else _any(_ANY_ONE, rng)
    return f"the {color} {kind}".replace("  ", " ")


def _any(words: Sequence[str], rng: random.Random) -> str:
    return words[0] if rng.random() < 0.6 else rng.choice(words)


def query_of(text: str) -> tuple[list[str], bool] | None:
    """Read any of the above: the query, and whether its words might mean digits too ("red things").

    "The one" without a color is no query: None.
    """
    words = [w for w in text.lower().split() if w not in ("a", "an", "the")]
    color = next((w for w in words if w in COLORS), "")
    rest = [w for w in words if w != color]
    if len(rest) != 1 or (rest == ["one"] and not color):
        return None
    shape = _SINGULARS.get(rest[0], "")
    return [color, shape], not shape and not rest[0].startswith("shape")


def side_of(phrase: str, table: Mapping[str, tuple[str, ...]]) -> str:
    """Which side a comparing word or a preposition means."""
    phrase = " ".join(phrase.lower().split())
    return next(side for side, phrases in table.items() if phrase in phrases)


# -- looking ------------------------------------------------------------------------------------


def fits(item: Item, query: Query) -> bool:
    """Whether an object is what a query asks for; a query without a kind means shapes, not digits."""
    _, color, kind = item
    return query[0] in ("", color) and (kind == query[1] if query[1] else kind in SHAPES)


def matching(items: Sequence[Item], query: Query) -> list[Item]:
    return [item for item in items if fits(item, query)]


def apart(first: Item, second: Item, side: str) -> int:
    """1 where ``first`` lies on that side of ``second``, -1 on the opposite one, 0 neither."""
    rows, columns = first[0] // 3 - second[0] // 3, first[0] % 3 - second[0] % 3
    distance = {"left": -columns, "right": columns, "above": -rows, "below": rows}[side]
    return (distance > 0) - (distance < 0)


def spot(item: Item, side: str) -> str:
    """Where an object lies as far as a side matters: "column 3" for left and right, "row 1" for above and below."""
    return f"column {item[0] % 3 + 1}" if side in ("left", "right") else f"row {item[0] // 3 + 1}"


def comparing(items: Sequence[Item], rng: random.Random) -> str | None:
    """A description that compares places in the words of the answers, for captions: the same look-up, several times.

    "I see a red heart (column 1 heart) and a blue star (column 3 star). The column 1 heart is left of the column 3
    star." None where no two objects of different shape (or digit) lie in different columns or rows. Of the objects
    only such are noted that share neither number nor name with another one noted: each number leads to one name.
    """
    side = rng.choice(SIDES)
    for tried in (side, "above" if side in ("left", "right") else "left"):
        noted: list[Item] = []
        for item in rng.sample(list(items), len(items)):
            if all(item[2] != other[2] and spot(item, tried) != spot(other, tried) for other in noted):
                noted.append(item)
        if len(noted) > 1:
            side = tried
            break
    else:
        return None
    names = {item: f"{spot(item, side)} {item[2]}" for item in noted}
    told = describe({"objects": items}, [f" ({names[item]})" if item in names else "" for item in items])
    pairs = [(a, b) for i, a in enumerate(noted) for b in noted[i + 1 :]]
    out = [f"I see {told}."]
    for a, b in rng.sample(pairs, len(pairs)):
        # Either direction of either axis, so that neither the smaller nor the larger number comes first as a rule.
        way = side if rng.random() < 0.5 else OPPOSITE[side]
        first, second = (a, b) if apart(a, b, way) > 0 else (b, a)
        out.append(f"The {names[first]} is {ANSWERED[way]} the {names[second]}.")
    return " ".join(out)


def listing(items: Sequence[Item], rng: random.Random, marks: Sequence[str] = ()) -> str:
    """The sentence that every author of these families begins with; ``marks`` are put behind the objects."""
    return f"{'I see' if rng.random() < 0.7 else 'The picture shows'} {describe({'objects': items}, marks)}."


# -- making pictures ----------------------------------------------------------------------------


def place(rng: random.Random, looks: Sequence[tuple[str, str]]) -> Scene:
    """A scene with these (color, kind) in random cells."""
    cells = rng.sample(range(9), len(looks))
    return make_scene([(cell, color, kind) for cell, (color, kind) in zip(cells, looks, strict=True)])


def look(rng: random.Random, allowed: Callable[[str, str], bool], kinds: Sequence[str] = SHAPES) -> tuple[str, str]:
    """A random (color, kind) that is allowed (by rejection; the callers always leave some)."""
    while True:
        color, kind = rng.choice(COLORS), rng.choice(kinds)
        if allowed(color, kind):
            return color, kind


def has_digits(items: Sequence[Item]) -> bool:
    return any(kind in DIGITS for _, _, kind in items)


# -- grading ------------------------------------------------------------------------------------

_CLOSING = re.compile(r"\banswer\s+is\s*:?\s*([^.,;!?\n<]*)", re.IGNORECASE)
_NUMBERS = {word: str(n) for n, word in enumerate("zero one two three four five six seven eight nine ten".split())}


def closing(answer: str) -> str | None:
    """What an answer finally says, in its short form; None where it does not say "The answer is ...".

    The first such sentence counts, so that saying several things in turn gains nothing. A bare word
    or number is taken as the answer itself.
    """
    text = answer.strip()
    found = _CLOSING.search(text)
    said = found[1] if found else text.rstrip(".!") if re.fullmatch(r"-?\w+[.!]?", text) else None
    if said is None:
        return None
    words = [word.strip("*\"'`()") for word in said.lower().split()]
    words = [word for word in words if word and word not in ("a", "an", "the")]
    if len(words) > 1 and words[-1] in ("one", *_ANY_ONE):
        words.pop()
    return " ".join(_NUMBERS.get(word, word) for word in words)


class PictureTask(Task):
    """What Vision, VisionUnseen and VisionMath do alike."""

    def scene(self, content: Content) -> Scene:
        return content["scene"]

    def accepted(self, content: Content) -> tuple[str, ...]:
        """All short answers that are right, the reference first."""
        return (self.reference(content),)

    def chance(self, content: Content) -> float:
        """How often someone who cannot see the picture is right, guessing evenly."""
        raise NotImplementedError

    def grade(self, content: Content, answer: str) -> Grade:
        accepted = self.accepted(content)
        said = closing(answer) if isinstance(answer, str) else None
        if not said:
            return Grade(False, f'expected {accepted[0]}; no sentence "The answer is ..." found')
        if said in accepted:
            return Grade(True, f"{said} is right")
        return Grade(False, f"expected {accepted[0]}, the answer says {said}")


_LONGEST = 1000


def asked_about(prompt: object, scene: object) -> tuple[str, Scene, list[Item]] | None:
    """What a family may parse: the question without its frame, the scene in canonical form, its objects.

    None where there is no picture of ours or the text cannot be one of ours: the families' texts are
    short and ASCII (matching without case would otherwise take some foreign letters for ours).
    """
    items = items_of(scene)  # type: ignore[arg-type]
    if items is None or not isinstance(prompt, str) or len(prompt) > _LONGEST or not prompt.isascii():
        return None
    return unframe(prompt), make_scene(items), items
