"""Functions on a list of words or up to a number: the sibling of ``code`` that no expert is trained on.

    Write a function pick(words) that returns the words longer than 3 letters with an even length.
    Write a function total(n) that returns the sum of the numbers from 1 to n that are divisible by 3.

The careless author has the same habit as in ``code``: he drops every test for divisibility.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.code_words import Filters, change, read_body, transform_code, write_steps, write_what
from t2ui.tasks.filters import (
    OPS,
    collect,
    filter_code,
    matter,
    number,
    passes,
    pick,
    read_items,
    sample_div,
    usable,
    variable,
    wrap,
)
from t2ui.tasks.functions import FunctionTask
from t2ui.tasks.grammar import Bank, fill
from t2ui.tasks.openers import draw_argument, draw_name, read_opener, write_opener

_WORDS = ["words", "names", "strings", "ws", "texts", "terms", "tokens", "items"]
_NUMBERS = ["n", "n", "limit", "top", "end", "last", "m", "stop"]
_OUT: dict[str, tuple[str, Callable[[str], Any]]] = {
    "w": ("w", lambda w: w),
    "upper": ("w.upper()", str.upper),
    "back": ("w[::-1]", lambda w: w[::-1]),
    "len": ("len(w)", len),
}
# What is returned: aggregate and value; {np} is a phrase for the filtered words.
_WHAT = Bank(
    {
        "list w": ["[a|the] [list|new list] of {np}", "{np} [as a list|in a list]", "a list [with|holding] {np}",
                   "{np}"],
        "list upper": ["{np}, [each|all] in [capital letters|upper case|capitals]",
                       "{np}, [written|each written] in [capital letters|upper case|capitals]",
                       "the upper case [forms|versions] of {np}"],
        "list back": ["{np}, [each|all] [written backwards|reversed|spelled backwards|turned round]",
                      "the reversed forms of {np}"],
        "list len": ["the [list of the lengths|lengths] of {np}", "how long each of {np} is, as a list",
                     "a list of the lengths of {np}"],
        "sorted w": ["{np} in [alphabetical|dictionary] order", "{np}, [sorted|in alphabetical order]",
                     "[a|the] sorted list of {np}", "{np} sorted by the alphabet"],
        "count w": ["the [number|count] of {np}", "how many {np} there are", "how many {np} {arg} [has|contains]"],
        "sum len": ["the [total|summed] length of {np}", "how many letters {np} have [in all|together]",
                    "the sum of the lengths of {np}", "the total number of letters of {np}"],
    },
    {"np": r".+", "arg": r"[A-Za-z_]\w*"},
)  # fmt: skip
_LENGTH = Bank(
    {
        ">": ["longer than {n} letters", "[with|of|that have|having] more than {n} letters", "longer than {n}"],
        "<": ["shorter than {n} letters", "[with|of|that have|having] [fewer|less] than {n} letters"],
        ">=": ["[with|of|that have] at least {n} letters", "[with|of|that have] {n} or more letters"],
        "<=": ["[with|of|that have] at most {n} letters", "[with|of|that have] {n} or fewer letters",
               "[with|of|that have] no more than {n} letters"],
        "!=": ["[that do not have|not having] exactly {n} letters", "whose length is not {n}"],
    }
)  # fmt: skip
_DIV = Bank(
    {
        "even": ["[with|having|that have] an even [number of letters|length]", "[of|with] even length",
                 "whose length is even", "whose number of letters is even"],
        "odd": ["[with|having|that have] an odd [number of letters|length]", "[of|with] odd length",
                "whose length is odd", "whose number of letters is odd"],
        "k": ["whose [length|number of letters] is [divisible by|a multiple of] {n}",
              "[with|having] a length [divisible by|that is a multiple of] {n}"],
    }
)  # fmt: skip
_LETTER = Bank(
    {
        "starts": ["[starting|beginning] with {c}", "that [start|begin] with {c}", "whose first letter is {c}",
                   "that [start|begin] with the letter {c}"],
        "ends": ["ending [in|with] {c}", "that end [in|with] {c}", "whose last letter is {c}",
                 "that end with the letter {c}"],
        "has": ["that [contain|have] the letter {c}", "containing {c}", "with the letter {c} in them"],
    },
    {"c": r"[a-z]"},
)  # fmt: skip
_LETTER_CODE = {"starts": 'w.startswith("{}")', "ends": 'w.endswith("{}")', "has": '"{}" in w'}
_NOUN = re.compile(r"(?:only )?(?:all (?:of )?the|all those|all|the|those)? ?(?:words|strings|names)(?!\w)", re.I)
_PARTS = ["cat", "to", "apple", "tree", "banana", "sun", "elephant", "a", "river", "notebook", "is", "sky", "orange",
          "window", "dog", "mountain", "tea", "lamp", "yellow", "garden", "ice", "umbrella", "zoo", "quick", "jump",
          "violin", "kitchen", "hat", "strawberry", "night", "xylophone", "under"]  # fmt: skip


class CodeUnseen(FunctionTask):
    """Functions on a list of words, or on the numbers from a start to n; half of each.

    Content: words: ``{"kind": "words", "agg": "list", "map": "w", "div": [2, 0], "cmp": [">", 3],
    "letter": ["starts", "b"], "name": ..., "arg": ...}`` where div and cmp test the length and each filter may be
    None. Range: ``{"kind": "range", "low": 1, "agg", "map", "div", "cmp", "name", "arg"}`` as in ``code``.

    Size of the range kind alone, names not counted: sum and list with 110 transforms, and the count (221), times
    the 42,650 choices of start (0 to 20), divisibility (10) and comparison (none, 5 operators with 1 to 60) in
    which the filters matter (:func:`t2ui.tasks.filters.matter`), counted in the test: 9,425,650.
    Careless is harmless for the 35 % without divisibility.
    """

    name = "code_unseen"
    skills = ("code",)
    size = (2 * 110 + 1) * 42_650

    def sample(self, rng: random.Random) -> Content:
        div = sample_div(rng) if rng.random() >= 0.35 else None
        if rng.random() < 0.5:
            return self._sample_words(rng, div)
        aggregate = pick(rng, {"sum": 0.45, "count": 0.3, "list": 0.25})
        kind = "x" if aggregate == "count" else pick(rng, {"x": 0.7, "*": 0.1, "+": 0.06, "-": 0.04, "^": 0.1})
        k = {"x": 0, "^": 2, "*": rng.choice([2, 2, *range(2, 10)])}.get(kind, rng.randint(1, rng.choice([9, 50])))
        low = 1 if rng.random() < 0.75 else rng.randint(0, 20)
        cmp = None
        while rng.random() < (0.85 if div is None else 0.45):
            op = pick(rng, {">": 0.4, ">=": 0.2, "<": 0.17, "<=": 0.13, "!=": 0.1})
            cmp = [op, rng.randint(1, rng.choice([20, 20, 60]))]
            if matter(div, cmp, low):
                break
            cmp = None
        name = draw_name(rng, aggregate)
        argument = draw_argument(rng, "number", known=_NUMBERS, avoid=name)
        return {"kind": "range", "low": low, "agg": aggregate, "map": [kind, k], "div": div, "cmp": cmp,
                "name": name, "arg": argument}  # fmt: skip

    def _sample_words(self, rng: random.Random, div: list[int] | None) -> Content:
        if div is not None and div[0] > 4:
            div = [rng.choice([3, 4]), 0]
        what = pick(rng, {"list w": 0.34, "count w": 0.22, "sum len": 0.14, "sorted w": 0.1, "list upper": 0.08,
                          "list len": 0.07, "list back": 0.05})  # fmt: skip
        aggregate, value = what.split()
        cmp = letter = None
        while rng.random() < (0.65 if div is None else 0.45):
            cmp = [pick(rng, {">": 0.4, "<": 0.25, ">=": 0.15, "<=": 0.12, "!=": 0.08}), rng.randint(2, 9)]
            if matter(div, cmp, 1):
                break
            cmp = None
        if rng.random() < (0.35 if div is None else 0.15) or (div is None and cmp is None):
            letter = [pick(rng, {"starts": 0.45, "ends": 0.35, "has": 0.2}), rng.choice("abcdeghilmnoprstuwy")]
        name = draw_name(rng, aggregate)
        argument = draw_argument(rng, "words", known=_WORDS, avoid=name)
        return {"kind": "words", "agg": aggregate, "map": value, "div": div, "cmp": cmp, "letter": letter,
                "name": name, "arg": argument}  # fmt: skip

    def code(self, content: Content) -> str:
        argument = content["arg"]
        if content["kind"] == "range":
            x = variable(argument)
            value = transform_code(x, content["map"])
            loop = f"for {x} in range({content['low']}, {argument} + 1)"
            loop += filter_code(x, content["div"], content["cmp"])
        else:
            value = _OUT[content["map"]][0]
            loop = f"for w in {argument}{filter_code('len(w)', content['div'], content['cmp'])}"
            if content["letter"]:
                where, letter = content["letter"]
                loop += (" and " if " if " in loop else " if ") + _LETTER_CODE[where].format(letter)
        return f"def {content['name']}({argument}):\n    return {wrap(content['agg'], value, loop)}"

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        return self.code(content if care["code"] else {**content, "div": None})

    def expected(self, content: Content, value: Any) -> Any:
        if content["kind"] == "range":
            passed = [x for x in range(content["low"], value + 1) if passes(x, content["div"], content["cmp"])]
            return collect(content["agg"], [change(x, content["map"]) for x in passed])
        where, letter = content["letter"] or ("has", "")
        test = {"starts": str.startswith, "ends": str.endswith, "has": str.__contains__}[where]
        kept = [w for w in value if passes(len(w), content["div"], content["cmp"]) and test(w, letter)]
        return collect(content["agg"], [_OUT[content["map"]][1](w) for w in kept])

    def draw_inputs(self, content: Content, rng: random.Random) -> list[Any]:
        k = content["cmp"][1] if content["cmp"] else rng.randint(2, 8)
        d = content["div"][0] if content["div"] else 2
        if content["kind"] == "range":
            # Large bounds are cut: the loop must stay within the sandbox's seconds.
            near = min(max(content["low"], k, 0), 5000)
            return [0, 1, near, near + 1, near + d, near + 2 * d + 1, near + 7, near + 13] + [
                rng.randint(0, 60) + content["low"] for _ in range(4)
            ]
        letter = content["letter"][1] if content["letter"] else rng.choice("abst")
        sizes = sorted({*range(k - 1, k + 2 * d + 2), d, 2 * d, 2 * d + 1} & set(range(1, 60)))
        pool, near, far = list(_PARTS), [], []
        for size in sizes:
            filler = "".join(rng.choices("aeloprstu", k=size))
            pool += [filler, (letter + filler)[:size], (filler + letter)[-size:]]
            # The letter at both ends: only the length decides.
            (near if passes(size, None, content["cmp"]) else far).append((letter + filler[2:] + letter)[-size:])
        near = near or pool
        cases = [[], ["a"], [letter * 2, letter], near[:8], far[-8:] + near[:2]]
        cases += [rng.choices(near, k=rng.randint(1, 5)) for _ in range(3)]
        return cases + [rng.choices(pool + near, k=rng.randint(2, 7)) for _ in range(5)]

    def rivals(self, content: Content) -> list[Content]:
        found = [{**content, key: None} for key in ("div", "cmp", "letter") if content.get(key)]
        if content["div"]:
            found.append({**content, "div": None, "cmp": None})
            found.append({**content, "div": [2, 1] if content["div"] == [2, 0] else [2, 0]})
        if content["cmp"]:
            found += [{**content, "cmp": [op, content["cmp"][1]]} for op in OPS if op != content["cmp"][0]]
        if content["kind"] == "range":
            found += [{**content, "map": ["x", 0]}, {**content, "low": 1}, {**content, "low": 0}]
            found += [{**content, "agg": other} for other in ("sum", "count", "list")]
        return [rival for rival in found if rival != content]

    # -- words ---------------------------------------------------------------------------------

    def prompt(self, content: Content, rng: random.Random) -> str:
        argument = content["arg"]
        if content["kind"] == "range":
            low = content["low"]
            places = [f"from {low} to {argument}", f"from {low} up to {argument}"]
            places += [f"from {low} to {argument}"] + ([f"up to {argument}"] if low == 1 else [])
            if rng.random() < 0.8:
                return write_opener("number", rng, content, what=write_what(content, places, rng))
            return write_opener("number", rng, content, steps=write_steps(content, places, rng))
        said = []
        if content["div"]:
            k, r = content["div"]
            said.append(_DIV.write(rng, ("odd" if r else "even") if k == 2 else "k", n=k))
        if content["cmp"]:
            said.append(_LENGTH.write(rng, content["cmp"][0], n=content["cmp"][1]))
        if content["letter"]:
            said.append(_LETTER.write(rng, content["letter"][0], c=content["letter"][1]))
        rng.shuffle(said)
        said.sort(key=lambda words: words.startswith(("that", "whose")))  # clauses come last
        template = rng.choice(_WHAT.templates[f"{content['agg']} {content['map']}"])
        place = rng.choice(["", "", f"in {argument}", f"in {argument}", f"of {argument}"])
        det = "" if content["agg"] == "count" else rng.choice(["the ", "the ", "all ", "all the "])
        noun = rng.choice(["words", "words", "words", "strings"])
        items = " ".join(f"{det}{noun} {'' if '{arg}' in template else place} {' and '.join(said)}".split())
        return write_opener("words", rng, content, what=fill(template, rng, np=items, arg=argument))

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        for name, argument, kind, text in read_opener("words", prompt):
            if kind == "what" and usable(name, argument) and (found := self._read_words(text, argument)):
                return {**found, "name": name, "arg": argument}
        for name, argument, kind, text in read_opener("number", prompt):
            if usable(name, argument) and name != argument:
                for found in self._read_range(kind, text, argument):
                    return {**found, "name": name, "arg": argument}
        return None

    def _read_words(self, text: str, argument: str) -> Content | None:
        for match in _WHAT.reads(text):
            if match.slots.get("arg", argument) == argument and (found := _read_words(match.slots["np"], argument)):
                aggregate, value = match.key.split()
                return {"kind": "words", "agg": aggregate, "map": value, **found}
        return None

    def _read_range(self, kind: str, text: str, argument: str) -> Iterator[Content]:
        place = re.compile(
            rf"(?:(?<!different) from (\d{{1,3}}) (?:up to|to|through)| up to) {re.escape(argument)}(?!\w)", re.I
        )
        found = list(place.finditer(text))
        if len(found) == 1:
            low = number(found[0].group(1) or "1")
            rest = text[: found[0].start()] + text[found[0].end() :]
            for content in read_body(kind, rest, argument, _read_numbers):
                if content["agg"] in ("sum", "count", "list"):
                    yield {"kind": "range", "low": low, **content}


def _read_numbers(text: str, argument: str) -> Filters | None:
    # The range has been cut out, so the phrase has no place left to name.
    return None if re.search(rf"\b{re.escape(argument)}\b", text) else read_items(text, argument)


def _read_words(text: str, argument: str) -> Content | None:
    """The filters in "the words in ws longer than 3 letters": {"div", "cmp", "letter"}, or None."""
    text = " ".join(text.split())
    noun = _NOUN.match(text)
    if noun is None:
        return None
    rest = re.sub(rf"^ (?:in|of|from) (?:the list )?{re.escape(argument)}(?!\w)", "", text[noun.end() :])
    found: Content = {"div": None, "cmp": None, "letter": None}
    tokens = rest.replace(",", " , ").split()
    start, linked = 0, False
    while start < len(tokens):
        if tokens[start] in ("and", "but", "also", ","):
            start, linked = start + 1, True
            continue
        for end in range(len(tokens), start, -1):
            if (read := _read_filter(" ".join(tokens[start:end]))) is not None:
                break
        else:
            return None
        key, value = read
        if found[key] is not None or None in value:
            return None
        found[key], start, linked = value, end, False
    return None if linked else found


def _read_filter(text: str) -> tuple[str, list[Any]] | None:
    if read := _LENGTH.read(text):
        return "cmp", [read.key, number(read.slots["n"], low=0)]
    if read := _DIV.read(text):
        return "div", [number(read.slots["n"], low=1), 0] if read.key == "k" else [2, int(read.key == "odd")]
    if read := _LETTER.read(text):
        return "letter", [read.key, read.slots["c"].lower()]
    return None
