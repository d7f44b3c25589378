"""Filters on numbers ("even", "above 5"), in code, in words and as a test: the vocabulary of the code families."""

from __future__ import annotations

import keyword
import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Names that the answers themselves call: a function or argument of that name would break them.
_TAKEN = frozenset({"sum", "max", "min", "sorted", "len", "range", "list", "int", "str", "type", "w"})

Div = Sequence[int] | None  # [k, r]: x % k == r
Cmp = Sequence[Any] | None  # [op, k]: x op k
OPS: dict[str, Callable[[int, int], bool]] = {
    ">": lambda x, k: x > k,
    "<": lambda x, k: x < k,
    ">=": lambda x, k: x >= k,
    "<=": lambda x, k: x <= k,
    "!=": lambda x, k: x != k,
    "==": lambda x, k: x == k,
}


def passes(x: int, div: Div, cmp: Cmp) -> bool:
    """Whether the number is let through by both filters (None lets everything through)."""
    return (div is None or x % div[0] == div[1]) and (cmp is None or OPS[cmp[0]](x, cmp[1]))


def matter(div: Div, cmp: Cmp, low: int, high: int = 100) -> bool:
    """Whether, of the numbers from low to high, two or more pass both filters, and each filter that there is
    makes a difference: otherwise a constant, or who forgets a filter, would be right."""
    kept = sum(passes(x, div, cmp) for x in range(low, high))
    idle = any(kept == sum(passes(x, *left) for x in range(low, high))
               for there, left in ((div, (None, cmp)), (cmp, (div, None))) if there is not None)  # fmt: skip
    return kept >= 2 and not idle


def filter_code(value: str, div: Div, cmp: Cmp) -> str:
    """``" if x % 2 == 0 and x > 5"``: divisibility first, always in this layout; "" without filters."""
    tests = [] if div is None else [f"{value} % {div[0]} == {div[1]}"]
    tests += [] if cmp is None else [f"{value} {cmp[0]} {cmp[1]}"]
    return " if " + " and ".join(tests) if tests else ""


def wrap(aggregate: str, value: str, loop: str) -> str:
    """The body of the answer: one aggregate over ``{value} {loop}``, in the one layout that is ever written."""
    return {
        "sum": f"sum({value} {loop})",
        "count": f"sum(1 {loop})",
        "list": f"[{value} {loop}]",
        "sorted": f"sorted({value} {loop})",
        "max": f"max(({value} {loop}), default=0)",
        "min": f"min(({value} {loop}), default=0)",
    }[aggregate]


def collect(aggregate: str, values: list[Any]) -> Any:
    """What :func:`wrap` computes, from the values that passed the filters."""
    if aggregate in ("max", "min"):
        return (max if aggregate == "max" else min)(values, default=0)
    return {"sum": sum, "count": len, "list": list, "sorted": sorted}[aggregate](values)


def number(text: str, low: int = -99_999, high: int = 99_999) -> int | None:
    """The integer that the text is, or None if it is none or out of range."""
    return int(text) if re.fullmatch(r"-?\d{1,5}", text) and low <= int(text) <= high else None


def usable(*names: str) -> bool:
    """Whether these can name the function and its argument in the answers' layout."""
    return all(n.isascii() and n.isidentifier() and not keyword.iskeyword(n) and n not in _TAKEN for n in names)


def variable(argument: str) -> str:
    """The loop's variable: x, unless the argument is called so."""
    return "v" if argument == "x" else "x"


def pick(rng: random.Random, weighted: Mapping[Any, float]) -> Any:
    """One of the keys, by its share."""
    return rng.choices(list(weighted), list(weighted.values()))[0]


def sample_div(rng: random.Random) -> list[int]:
    """Even and odd in half of the cases, else a multiple of 3 to 9."""
    return [2, rng.randrange(2)] if rng.random() < 0.5 else [rng.randint(3, 9), 0]


COMPARE: dict[str, list[str]] = {
    ">": ["above {k}", "greater than {k}", "more than {k}", "over {k}", "larger than {k}", "bigger than {k}",
          "higher than {k}"],
    "<": ["below {k}", "less than {k}", "under {k}", "smaller than {k}", "lower than {k}"],
    ">=": ["at least {k}", "{k} or more", "no less than {k}", "not below {k}", "not less than {k}", "not under {k}",
           "{k} or above", "{k} or greater", "not smaller than {k}"],
    "<=": ["at most {k}", "{k} or less", "no more than {k}", "not above {k}", "not more than {k}", "not over {k}",
           "{k} or below", "up to {k}", "not greater than {k}", "not larger than {k}"],
    "!=": ["not equal to {k}", "other than {k}", "different from {k}", "not {k}"],
}  # fmt: skip
# Read too, but not written: fine after "are", clumsy elsewhere.
_AFTER_ARE = ("{k} or more", "{k} or less", "{k} or above", "{k} or below", "{k} or greater", "not {k}")
_ADJECTIVES = {"positive": [">", 0], "negative": ["<", 0], "nonzero": ["!=", 0], "non-zero": ["!=", 0]}
_NUMBER = r"(-?\d+)"
_NO_REST = r"(?:,? (?:without|with no) (?:a |any )?(?:remainder|rest))?"


def _alternatives() -> list[tuple[re.Pattern[str], str, str]]:
    """(pattern, what it sets, operator or remainder) for every predicate, longest first."""
    found = []
    for op, phrases in COMPARE.items():
        for phrase in phrases:
            found.append((phrase.replace("{k}", _NUMBER), "cmp", op))
    found += [
        (rf"(?:exactly |evenly )?divisible by {_NUMBER}{_NO_REST}", "div", "0"),
        (rf"(?:(?:that|which) )?can be (?:exactly |evenly )?divided by {_NUMBER}{_NO_REST}", "div", "0"),
        (rf"(?:(?:that|which) )?leaves? (?:no|0 as a) remainder when divided by {_NUMBER}", "div", "0"),
        (rf"(?:that|which) {_NUMBER} divides", "div", "0"),
        (rf"multiples? of {_NUMBER}", "mul", "0"),
        (rf"in the {_NUMBER} times table", "div", "0"),
    ]
    found += [("even", "parity", "0"), ("odd", "parity", "1")]
    found += [(word, "sign", word) for word in _ADJECTIVES]
    found.sort(key=lambda item: -len(item[0]))
    return [(re.compile(p + r"(?![\w-])", re.IGNORECASE), what, how) for p, what, how in found]


_PREDICATES = _alternatives()
_DET = re.compile(r"(?:only )?(?:all of the|all those|all the|all|the|those|every|each|any)(?= )", re.IGNORECASE)
_NOUN = re.compile(r"(?:numbers?|values?|items?|entries|entry|elements?|integers?|ones?)\b", re.IGNORECASE)
_LINK = re.compile(
    r"(?:(?:that|which) (?:are|is)|and(?: also)?|but(?: also)?|both|also|being|,)(?![\w-])", re.IGNORECASE
)


def write_predicate(
    rng: random.Random, div: Div, cmp: Cmp, *, bare: bool = False, one: bool = False, signs: bool = True
) -> str:
    """One of the two filters (the other None) in words that fit after "that are".

    Args:
        bare: the words must also fit right after a noun ("numbers above 5"), without "that are".
        one: of one number ("a multiple of 3" instead of "multiples of 3").
        signs: zero may be told by "positive" and "negative".
    """
    if div is not None:
        k, r = div
        if k == 2 and not bare:
            return "odd" if r else rng.choice(["even", "even", "even", "divisible by 2"])
        choices = [f"divisible by {k}"] * 3 + [f"in the {k} times table"] * 2
        choices += [f"evenly divisible by {k}", f"divisible by {k} without {rng.choice(['remainder', 'rest'])}"]
        if not bare:
            choices += [f"a multiple of {k}" if one else f"multiples of {k}"] * 3
        return rng.choice(choices)
    op, k = cmp
    if k == 0 and op in "><" and signs and not bare and rng.random() < 0.6:
        return "positive" if op == ">" else "negative"
    choices = [phrase for phrase in COMPARE[op] if not bare or phrase not in _AFTER_ARE]
    # The plainest words come most often.
    return rng.choice(choices[:2] + choices).replace("{k}", str(k))


def _write_divided(k: int, rng: random.Random, *, one: bool, alone: bool) -> str:
    """Divisibility in words that fit after "that"; ``alone`` after nothing but it."""
    rest = rng.choice([" without remainder", " without a remainder", " without rest", ""])
    choices = [f"can be divided by {k}{rest}", f"leave{'s' * one} no remainder when divided by {k}"]
    return rng.choice(choices + [f"{k} divides"] * alone)


def write_items(
    rng: random.Random, div: Div, cmp: Cmp, place: str = "", *, det: str = "the", one: bool = False
) -> str:
    """A noun phrase of filtered numbers: "the even numbers in xs that are above 5".

    Args:
        place: "in xs", or "" to leave it out.
        det: the word before it ("the", "all", "").
        one: in the singular, as after "the largest".
    """
    s = "" if one else "s"
    noun = rng.choice(["number"] * 5 + ["value", "integer", "element", "item"]) + s
    that_are = rng.choice(["that is", "which is"] if one else ["that are", "that are", "which are"])
    adjectives: list[str] = []
    left: list[tuple[Div, Cmp]] = []  # the filters that still have to be said after the noun
    if div is not None:
        if div[0] == 2 and rng.random() < 0.75:
            adjectives.append("odd" if div[1] else "even")
        elif div[0] != 2 and rng.random() < 0.5:
            noun = f"multiple{s} of {div[0]}"
        else:
            left.append((div, None))
    if cmp is not None:
        if cmp[1] == 0 and cmp[0] in "><" and rng.random() < 0.7:
            adjectives.insert(rng.randint(0, len(adjectives)), "positive" if cmp[0] == ">" else "negative")
        else:
            left.append((None, cmp))
    rng.shuffle(left)

    def say(filters: tuple[Div, Cmp], bare: bool = False) -> str:
        return write_predicate(rng, *filters, bare=bare, one=one)

    after, clause = "", ""
    if left and left[0][0] != [2, 1] and rng.random() < 0.5:  # "odd" never stands after its noun
        after = say(left.pop(0), bare=True)
    if left:
        both = "both " if len(left) == 2 and rng.random() < 0.3 else ""
        clause = f"{that_are} {both}{' and '.join(say(filters) for filters in left)}"
        if left[-1][0] not in (None, [2, 1]) and rng.random() < 0.25:
            # A verb of its own: "that are above 5 and can be divided by 6".
            that = f"{that_are} {say(left[0])} and" if len(left) == 2 else rng.choice(["that", "that", "which"])
            clause = f"{that} {_write_divided(left[-1][0][0], rng, one=one, alone=len(left) == 1)}"
    places = [after, place] if after and rng.random() < 0.5 else [place, after]
    return " ".join(piece for piece in [det, *adjectives, noun, *places, clause] if piece)


def read_items(text: str, argument: str) -> tuple[list[int] | None, list[Any] | None] | None:
    """The inverse of :func:`write_items`, and of much else that people write: (div, cmp), or None.

    Reads word by word; every word must be understood, with one noun and at most one filter of a kind.
    """
    place = re.compile(rf"(?:in|of|from|inside|within) (?:the )?(?:given |input )?(?:list )?{re.escape(argument)}\b"
                       r"|(?:in|of|from) (?:the list|it)\b", re.IGNORECASE)
    text = " ".join(text.split())
    if found := _DET.match(text):
        text = text[found.end() :].lstrip()
    div: list[int] | None = None
    cmp: list[Any] | None = None
    nouns = multiples = places = 0
    linked = False
    while text:
        for pattern, what, how in _PREDICATES:
            if found := pattern.match(text):
                value = number(found.group(1)) if found.groups() else None
                if found.groups() and value is None:
                    return None
                if what in ("cmp", "sign"):
                    if cmp is not None:
                        return None
                    cmp = list(_ADJECTIVES[how]) if what == "sign" else [how, value]
                else:
                    if div is not None or value is not None and value < 1:
                        return None
                    div = [2, int(how)] if what == "parity" else [value, 0]
                    multiples += what == "mul"
                linked = False
                break
        else:
            if found := place.match(text):
                places += 1
            elif found := _NOUN.match(text):
                nouns += 1
            elif (found := _LINK.match(text)) and (nouns or multiples or div or cmp):
                linked = True
            elif linked and (found := re.match(r"an? (?=multiple )", text)):
                pass
            else:
                return None
        text = text[found.end() :].lstrip()
    if linked or places > 1 or nouns > 1 or (nouns == 0 and multiples == 0):
        return None
    return div, cmp
