"""What a function on numbers returns, in words: "the sum of the even numbers in xs, each doubled".

Written and read for contents with ``agg``, ``map``, ``div``, ``cmp`` and ``arg`` (see :class:`t2ui.tasks.code.Code`),
as a noun phrase ("what") or as steps ("take the even numbers, double each and return their sum").
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.filters import number, read_items, write_items, write_predicate
from t2ui.tasks.grammar import Bank, Match, fill

Filters = tuple[list[int] | None, list[Any] | None]

# The largest of nothing is 0, and the question says so in three of four cases.
_OR_ZERO = [", or 0 if there are none", ", or 0 if there is none", " (0 if there are none)", " or 0 if there is none",
            ", and 0 if there is none", " (or 0 if there are none)", ", 0 if nothing fits", ", or 0 if nothing fits",
            ", 0 when there is nothing", ", or 0 when there is none", ", else 0", " (0 if there is none)",
            ", otherwise 0", " (0 for none)", ", or zero if there are none", " or 0 if none is there"]  # fmt: skip
_ZERO = re.compile(r"[ ,;]*\(?(?:or|and|else)?[ ,]*(?:(?:0|zero) (?:if|when|for) [a-z ]{2,40}|"
                   r"(?:else|otherwise) (?:0|zero))\)?$", re.IGNORECASE)  # fmt: skip
_ANY = {
    **dict.fromkeys(("v", "np", "do", "done", "end", "p"), r".+"),
    "bare": r"(?!the |all ).+",
    "k": r"-?\d+",
    "arg": r"[A-Za-z_]\w*",
}

# What is returned, by aggregate; {v} is a phrase for the transformed numbers, {np} for the filtered ones.
WHAT = Bank(
    {
        "sum": [
            "the [sum|total|sum total] of {v}",
            "{v} [added up|added together|summed up]",
            "the [result|sum|total] of adding up {v}",
            "what you get by adding up {v}",
            "what {v} add up to",
            "what {v} [come to|sum to] in all",
        ],
        "count": [
            "the [number|count] of {np}",
            "how many {np} there are",
            "how many {np} {arg} [has|holds|contains]",
            "how many {np} [can be found|are found]",
            "how many [of the numbers|of the values|numbers|values|elements|items] in {arg} are {p}",
            "a count of {np}",
        ],
        "list": [
            "[a|the] [list|new list] of {v}",
            "a list [with|holding|that holds|containing|made of] {v}",
            "{v} [as a list|in a list|in a new list]",
            "a new list [with|holding|that holds|made of] {v}",
            "[a|the] list that has {v}",
            "{v}",
        ],
        "sorted": [
            "{v} [in rising order|in increasing order|in order of size|in order|sorted|in ascending order]",
            "{v} [from smallest to largest|from low to high|from small to large]",
            "{v}, [sorted|in order|in rising order|from smallest to largest|from low to high]",
            "[a|the] sorted list of {v}",
            "[a|the] sorted list with {v}",
        ],
        "max": [
            "the [largest|biggest|greatest|highest] of {v}",
            "the [maximum|largest value|highest value|biggest value] of {v}",
            "the [largest|biggest|greatest|highest] {np}",
        ],
        "min": [
            "the [smallest|lowest|least] of {v}",
            "the [minimum|smallest value|lowest value|least value] of {v}",
            "the [smallest|lowest] {np}",
        ],
    },
    _ANY,
)
# The transform said of a noun phrase.
_GOT = "the [results of|results you get by|values you get by|numbers you get by|results that come from] "
_EACH = Bank(
    {
        "*": [
            "{np}, each [times|multiplied by] {k}",
            "{np}, [each one|each of them] [times|multiplied by] {k}",
            _GOT + "multiplying each of {np} by {k}",
            "{k} times each of {np}",
        ],
        "2": ["{np}, each [doubled|times two|taken twice]", _GOT + "doubling [each of|] {np}", "twice each of {np}",
              "the doubles of {np}", "the doubled {bare}"],
        "3": ["{np}, each [tripled|times three]", _GOT + "tripling [each of|] {np}", "the tripled {bare}"],
        "+": [
            "{np}, each [plus|increased by|raised by] {k}",
            "{np}, with {k} added to [each|each of them|each one]",
            "{k} plus each of {np}",
            _GOT + "adding {k} to each of {np}",
        ],
        "-": [
            "{np}, each [minus|decreased by|lowered by|reduced by] {k}",
            "{np}, with {k} [subtracted|taken away|taken] from [each|each of them|each one]",
            _GOT + "[subtracting|taking] {k} from each of {np}",
        ],
        "^": [
            "{np}, each [squared|times itself|multiplied by itself]",
            "the squares of {np}",
            "the squared {bare}",
            _GOT + "squaring [each of|] {np}",
            "the square of each of {np}",
        ],
    },
    _ANY,
)  # fmt: skip
# The same as a step, in the base form; _third() makes "doubles each" of it.
_DO = Bank(
    {
        "*": ["multiply [each|them|each one|each of them] by {k}"],
        "2": ["double [each|them|each one|each of them]"],
        "3": ["triple [each|them|each one|each of them]"],
        "+": ["add {k} to [each|them|each one|each of them]"],
        "-": ["subtract {k} from [each|them|each one|each of them]", "take {k} from [each|each one|each of them]"],
        "^": ["square [each|them|each one|each of them]", "multiply [each|each one] by itself"],
    },
    _ANY,
)
# The step and the numbers in one: "double every even number".
_DONE = Bank(
    {
        "*": ["multiply {np} by {k}"],
        "2": ["double {np}"],
        "3": ["triple {np}"],
        "+": ["add {k} to {np}"],
        "-": ["[subtract|take] {k} from {np}"],
        "^": ["square {np}", "multiply {np} by itself"],
    },
    _ANY,
)
_STEPS = Bank(
    {
        "sum": ["[add up|sum up|sum|total|add together] {v}", "add {v} together"],
        "count": [
            "count [the|all|all the|] {np}",
            "count how many {np} there are",
            "count how many {np} {arg} [has|holds|contains]",
            "count how many [of the numbers|of the values|numbers|values|elements|items] in {arg} are {p}",
        ],
        "list": ["[list|collect|gather] {v}"],
        "sorted": ["[sort|order] {v}", "[sort|order] {v} from [smallest to largest|low to high]"],
        "do": [
            "[take|pick|keep|find|select] {np}, {do} and return {end}",
            "[take|pick|keep|find|select] {np}, {do}, and then return {end}",
            "[take|pick out|pick|choose] {np}, then {do} and return {end}",
            "go through {arg}, [take|keep|pick] {np}, {do} and return {end}",
        ],
        "done": ["{done} and return {end}", "{done}, then return {end}"],
        "x": [
            "[take|pick|keep|find|select] {np} and return {end}",
            "[pick out|look for|choose|go through] {np} and return {end}",
            "go through {arg}, [take|keep|pick] {np} and return {end}",
            "[take|keep|select] {np}, then return {end}",
        ],
    },
    _ANY,
)
_END = Bank(
    {
        "sum": ["[their sum|the sum|their total|the total|the sum of them|what they add up to|them added up]"],
        "count": ["[how many there are|their number|the count|their count|how many it found|the number of them]"],
        "list": ["[them as a list|them in a list|the list|a list of them|the resulting list|them in a new list|them]"],
        "sorted": ["[them sorted|them in rising order|them in order|the sorted list|them as a sorted list]"],
        "max": ["the [largest|biggest|greatest|highest] [one|of them|]"],
        "min": ["the [smallest|lowest|least] [one|of them|]"],
    }
)
# After "double every even number", "the sum" might be that of all numbers: here the end says whose it is.
_THEIR = Bank(
    {
        "sum": ["[their sum|their total|the sum of them|what they add up to|them added up]"],
        "list": ["[them as a list|them in a list|a list of them|them in a new list|them]"],
        "sorted": ["[them sorted|them in rising order|them in order|them as a sorted list]"],
        "max": ["the [largest|biggest|greatest|highest] of them"],
        "min": ["the [smallest|lowest|least] of them"],
    }
)


def transform_code(value: str, transform: Sequence[Any]) -> str:
    """The transformed value in code: ``x * 2``."""
    kind, k = transform
    return {"x": value, "^": f"{value} * {value}"}.get(kind, f"{value} {kind} {k}")


def change(x: int, transform: Sequence[Any]) -> int:
    """The transformed value."""
    kind, k = transform
    return {"x": x, "^": x * x, "*": x * k, "+": x + k, "-": x - k}[kind]


def _items(content: Content, places: list[str], rng: random.Random, det: str = "", one: bool = False) -> str:
    return write_items(rng, content["div"], content["cmp"], rng.choice(places), det=det, one=one)


def _or_zero(aggregate: str, rng: random.Random) -> str:
    return rng.choice(_OR_ZERO) if aggregate in ("max", "min") and rng.random() < 0.75 else ""


def write_what(content: Content, places: list[str], rng: random.Random) -> str:
    """A noun phrase for what is returned. ``places`` are the ways to say where the numbers are ("in xs", "")."""
    aggregate, kind = content["agg"], content["map"][0]
    if aggregate == "count":
        return _write_count(WHAT.templates["count"], content, places, rng)
    *of_many, of_one = WHAT.templates[aggregate]
    if aggregate in ("max", "min") and kind == "x" and rng.random() < 0.5:
        text = fill(of_one, rng, np=_items(content, places, rng, one=True))
    else:
        template = rng.choice(of_many if aggregate in ("max", "min") else [*of_many, of_one])
        text = _write_values(template, content, places, rng)
    return text + _or_zero(aggregate, rng)


def _write_count(templates: list[str], content: Content, places: list[str], rng: random.Random) -> str:
    filters = [f for f in ((content["div"], None), (None, content["cmp"])) if any(f)]
    templates = [text for text in templates if filters or "{p}" not in text]
    template = rng.choice([text for text in templates if "" in places or "{arg}" not in text])
    said = " and ".join(write_predicate(rng, *f) for f in filters)
    items = _items(content, [""] if "{arg}" in template else places, rng)
    return fill(template, rng, np=items, arg=content["arg"], p=said)


def _write_values(template: str, content: Content, places: list[str], rng: random.Random) -> str:
    """The template round the transformed numbers."""
    kind, k = content["map"]
    det = rng.choice(["the", "the", "the", "all the"])
    values = _items(content, places, rng, det=det)
    if kind != "x":
        values = _EACH.write(rng, _key(kind, k, rng), np=values, k=k, bare=values.removeprefix(det).strip())
    # ", each doubled" is an aside: it needs its second comma where the sentence goes on.
    comma = "," if re.search(r", (each|with) ", values) else ""
    return fill(template, rng, v=values + comma).replace(",,", ",").rstrip(",")


def write_steps(content: Content, places: list[str], rng: random.Random) -> str:
    """Steps in the base form: "take the even numbers in xs, double each and return their sum"."""
    (kind, k), aggregate = content["map"], content["agg"]
    if aggregate in _STEPS.templates and rng.random() < (0.5 if aggregate in ("sum", "count") else 0.3):
        if aggregate == "count":
            return _write_count(_STEPS.templates["count"], content, places, rng)
        return _write_values(rng.choice(_STEPS.templates[aggregate]), content, places, rng)
    items = _items(content, places, rng, det=rng.choice(["the", "the", "the", "all", "all the"]))
    or_zero = _or_zero(aggregate, rng)
    slots = {"np": items, "arg": content["arg"], "end": _END.write(rng, aggregate) + or_zero}
    if kind == "x":
        return _STEPS.write(rng, "x", **slots)
    key = _key(kind, k, rng)
    if rng.random() < 0.7:
        return _STEPS.write(rng, "do", do=_DO.write(rng, key, k=k), **slots)
    one = rng.random() < 0.6
    each = _items(content, places, rng, det=rng.choice(["every", "each"]) if one else "all the", one=one)
    done = _DONE.write(rng, key, np=each, k=k)
    return _STEPS.write(rng, "done", done=done, end=_THEIR.write(rng, aggregate) + or_zero)


def read_body(
    kind: str, text: str, argument: str, read: Callable[[str, str], Filters | None] = read_items
) -> Iterator[Content]:
    """All readings of what :func:`write_what` ("what") or :func:`write_steps` ("steps") wrote.

    Args:
        read: reads a noun phrase of filtered numbers, given the argument's name.
    """
    body = _ZERO.sub("", text)
    for found in (_read_what if kind == "what" else _read_steps)(body, argument, read):
        if body == text or found["agg"] not in ("list", "sorted"):
            yield found


def _content(aggregate: str, transform: list[Any], filters: Filters) -> Content:
    return {"agg": aggregate, "map": transform, "div": filters[0], "cmp": filters[1]}


def _read_what(text: str, argument: str, read: Callable[[str, str], Filters | None]) -> Iterator[Content]:
    for match in WHAT.reads(text):
        yield from _read_match(match, argument, read)


def _read_match(match: Match, argument: str, read: Callable[[str, str], Filters | None]) -> Iterator[Content]:
    slots = match.slots
    if slots.get("arg", argument) != argument:
        return
    if "v" in slots:
        for transform, items in _read_changed(slots["v"].strip(" ,")):
            if (filters := read(items, argument)) is not None:
                yield _content(match.key, transform, filters)
    else:
        items = slots["np"] if "np" in slots else f"the numbers that are {slots['p']}"
        if (filters := read(items, argument)) is not None:
            yield _content(match.key, ["x", 0], filters)


def _read_changed(text: str) -> Iterator[tuple[list[Any], str]]:
    yield ["x", 0], text
    for match in _EACH.reads(text):
        if (transform := _transform(match.key, match.slots)) is not None:
            yield transform, match.slots.get("np") or match.slots["bare"]


def _read_steps(text: str, argument: str, read: Callable[[str, str], Filters | None]) -> Iterator[Content]:
    for match in _STEPS.reads(_base(text)):
        slots = match.slots
        if "end" not in slots:
            yield from _read_match(match, argument, read)
            continue
        end = (_THEIR if match.key == "done" else _END).read(slots["end"])
        step = _DONE.read(slots["done"]) if match.key == "done" else _DO.read(slots.get("do", ""))
        transform = ["x", 0] if match.key == "x" else _transform(step.key, step.slots) if step else None
        if end is None or transform is None or slots.get("arg", argument) != argument:
            continue
        items = step.slots["np"] if match.key == "done" else slots["np"]
        if (filters := read(items, argument)) is not None and (match.key == "x" or end.key != "count"):
            yield _content(end.key, transform, filters)


def _key(kind: str, k: int, rng: random.Random) -> str:
    """The bank's key: doubling and tripling have words of their own."""
    return str(k) if kind == "*" and k in (2, 3) and rng.random() < 0.75 else kind


def _transform(key: str, slots: Mapping[str, str]) -> list[Any] | None:
    if key in ("2", "3"):
        return ["*", int(key)]
    if key == "^":
        return ["^", 2]
    k = number(slots["k"], low=1)
    return None if k is None else [key, k]


_VERBS = ("sum", "total", "count", "list", "collect", "gather", "sort", "order", "take", "pick", "keep", "find",
          "select", "choose", "look", "go", "multiply", "double", "triple", "add", "subtract", "square",
          "return")  # fmt: skip
_THIRD = {verb: {"go": "goes", "multiply": "multiplies"}.get(verb, verb + "s") for verb in _VERBS}
_BASE = {third: verb for verb, third in _THIRD.items()}
_VERB_AT = r"(?:^|(?<=, )|(?<=and )|(?<=then ))(?:{})\b"


def third(steps: str) -> str:
    """ "take the even numbers and return their sum" -> "takes ... and returns ..."."""
    return re.sub(_VERB_AT.format("|".join(_VERBS)), lambda m: _THIRD[m.group()], steps)


def _base(steps: str) -> str:
    """The inverse of :func:`_third`; leaves the base form as it is."""
    text = steps[:1].lower() + steps[1:]
    return re.sub(_VERB_AT.format("|".join(_BASE)), lambda m: _BASE[m.group()], text)
