"""How a function is asked for: openings shared by the code families, and the names that occur in them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from t2ui.tasks.base import Content
from t2ui.tasks.code_words import third
from t2ui.tasks.grammar import Bank, capital

ARGUMENTS = ["xs", "nums", "values", "numbers", "items", "data", "ns", "vals", "lst", "seq", "points", "scores"]
NAMES = {
    "any": ["f", "g", "solve", "work", "answer", "result", "compute", "calc", "run", "helper", "task", "func"],
    "sum": ["total", "add_up", "sum_of", "get_sum", "sum_up", "total_of", "add_all", "find_sum"],
    "count": ["count", "how_many", "count_all", "get_count", "tally", "number_of", "count_them", "find_count"],
    "list": ["pick", "keep", "select", "collect", "choose", "filtered", "get_list", "pick_out"],
    "sorted": ["ordered", "in_order", "sort_all", "arrange", "line_up", "get_sorted", "rank", "ascending"],
    "max": ["largest", "biggest", "top", "highest", "best", "find_max", "get_max", "greatest"],
    "min": ["smallest", "lowest", "least", "bottom", "find_min", "get_min", "low", "tiniest"],
}

LONGEST = 1000  # characters; longer prompts are not read

# What kinds of argument there are, and how a prompt introduces one.
KINDS = {
    "list": "[a list of numbers|a list|the list]",
    "words": "[a list of words|a list|the list|a list of strings]",
    "number": "[a whole number|a number|the number|an integer]",
}
_IDENT = r"[A-Za-z_]\w*"
_SLOTS = {"fn": _IDENT, "arg": _IDENT, "what": r".+", "steps": r".+", "Steps": r".+"}
_ORDER = "[Write|Please write|Write|Create|Define|Make|Code|Now write]"
_WRITE = _ORDER[:-1] + "|Can you write|Could you write]"
_A = "[a|a Python|a small|a short|the]"
# A choice is read in this order, so the longer of two that begin alike comes first.
_RETURNS = "[returns|gives back|gives|finds|computes|works out|returns]"

# LIST stands for one of KINDS. In turn: a noun phrase for what is returned ...
_WHAT = [
    f"{_WRITE} {_A} function {{fn}}({{arg}}) [that|which] {_RETURNS} {{what}}",
    f"{_WRITE} {_A} function {{fn}}({{arg}}) [to return|to find|to compute|to get|for|returning] {{what}}",
    f"{_WRITE} {_A} function [called|named] {{fn}} that takes LIST {{arg}} and {_RETURNS} {{what}}",
    f"{_WRITE} {{fn}}({{arg}}), [a|a Python|the] function that {_RETURNS} {{what}}",
    f"{_WRITE} {{fn}}({{arg}}) so that it {_RETURNS} {{what}}",
    f"{_WRITE} {{fn}}({{arg}}) [that returns|returning|to return|which gives|to find|to get] {{what}}",
    f"{_ORDER} {_A} function {{fn}}({{arg}}). It [should return|must return|returns|has to return] {{what}}",
    "[I need|I want|We need|Give me|I would like|Show me] [a Python|a] function {fn}({arg}) that " + _RETURNS
    + " {what}",
    "[Implement|Complete|Program|Build|Fill in] [the function|] {fn}({arg}), which " + _RETURNS + " {what}",
    "[Implement|Define|Code|Program] {fn}({arg}) to [return|find|compute|give] {what}",
    "[You have|You get|There is|You are given] LIST {arg}. [Write|Define|Make] {fn}({arg}) "
    "[to return|that returns] {what}",
    "[Given|For] LIST {arg}, [write|define|make] a function {fn}({arg}) that " + _RETURNS + " {what}",
    "{fn}({arg}) [should|must|has to|is to] return {what}. "
    "[Write it in Python|Write it|Write the function|Code it]",
    "The function {fn} takes LIST {arg} and " + _RETURNS + " {what}. [Write it in Python|Write it|Code it]",
    "[How do I write|How would you write|How can I write] a function {fn}({arg}) that " + _RETURNS + " {what}",
    "In Python, [write|define|make] [a function|] {fn}({arg}) that " + _RETURNS + " {what}",
    "[Write|Show] Python code for {fn}({arg}): it " + _RETURNS + " {what}",
    "[My|Our|The] [teacher|boss|friend] wants a function {fn}({arg}) that " + _RETURNS + " {what}",
    "[Let|Make] {fn}({arg}) return {what}",
]  # fmt: skip
# ... steps in the third person ("takes the even numbers and returns their sum") ...
_STEPS = [
    f"{_WRITE} {_A} function {{fn}}({{arg}}) [that|which] {{steps}}",
    f"{_WRITE} {{fn}}({{arg}}) so that it {{steps}}",
    f"{_WRITE} {{fn}}({{arg}}), [a|a Python|the] function that {{steps}}",
    f"{_ORDER} {_A} function {{fn}}({{arg}}). It {{steps}}",
    "[I need|I want|We need|Give me|I would like] a function {fn}({arg}) that {steps}",
    "The function {fn}({arg}) {steps}. [Write it in Python|Write it|Code it]",
    "[Implement|Complete|Program|Build] {fn}({arg}), which {steps}",
    "[Given|For] LIST {arg}, write a function {fn}({arg}) that {steps}",
]
# ... and steps as orders ("Take the even numbers and return their sum").
_TAKE = [
    f"{_ORDER} {_A} function {{fn}}({{arg}}). It [should|must|has to|needs to] {{steps}}",
    f"{_ORDER} {_A} function {{fn}}({{arg}}). {{Steps}}",
    f"{_WRITE} {_A} function {{fn}}({{arg}}) to {{steps}}",
    f"{_WRITE} {{fn}}({{arg}}) to {{steps}}",
    "{fn}({arg}) [should|must|has to|is to] {steps}. [Write it in Python|Write it|Write the function|Code it]",
    "In {fn}({arg}), {steps}",
    "[Implement|Define|Code|Program] {fn}({arg}): {steps}",
    "[I need|I want] a function {fn}({arg}). It should {steps}",
    "{Steps}. [Do this in|Do that in|Put it in|Write it as|Do it in] a function {fn}({arg})",
]
_BANKS = {
    kind: {
        form: Bank([text.replace("LIST", words) for text in texts], _SLOTS)
        for form, texts in (("what", _WHAT), ("steps", _STEPS), ("take", _TAKE))
    }
    for kind, words in KINDS.items()
}


def write_opener(kind: str, rng: random.Random, content: Content, *, what: str = "", steps: str = "") -> str:
    """A whole prompt: one of the openings round a noun phrase (``what``) or round ``steps`` in the base form."""
    names = {"fn": content["name"], "arg": content["arg"]}
    banks = _BANKS[kind]
    if what:
        text = banks["what"].write(rng, what=what, **names)
    elif rng.random() < 0.5:
        text = banks["take"].write(rng, steps=steps, Steps=capital(steps), **names)
    else:
        text = banks["steps"].write(rng, steps=third(steps), **names)
    question = text.startswith(("Can you", "Could you", "How "))
    return text + ("?" if question else ".")


def read_opener(kind: str, prompt: str) -> Iterator[tuple[str, str, str, str]]:
    """All (function, argument, "what" or "steps", text) that the openings read from a prompt.

    Closing marks and backticks do not matter. Several readings are possible; most of them fail later.
    """
    if len(prompt) > LONGEST:
        return
    text = " ".join(prompt.replace("`", "").split()).rstrip(" .!?")
    for form, bank in _BANKS[kind].items():
        for match in bank.reads(text):
            slots = match.slots
            body = slots.get("what") or slots.get("steps") or slots.get("Steps") or ""
            yield slots["fn"], slots["arg"], "what" if form == "what" else "steps", body.strip(" .:;,")
