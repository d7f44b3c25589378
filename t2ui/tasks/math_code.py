"""Stories that want a function: a value of each item takes two operations, and a filter picks the items.

    Each crate holds 6 pens, and 4 pens of every shop are broken. The list xs says how many crates each shop has.
    Write a function good(xs) that returns the total number of pens of the shops with an even number of crates.

    With 5: 5 * 6 = 30. 30 - 4 = 26. The answer is 26.
    def good(xs):
        return sum(x * 6 - 4 for x in xs if x % 2 == 0)

Needs math and code at once. Every author tries the story out on one number first, in math's own steps. Who is
careless in math stops after the first operation there, and writes ``x * 6``; who is careless in code drops the test
for divisibility. Right only if both are careful.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

from t2ui.tasks.arithmetic import LIMIT, values, worked
from t2ui.tasks.base import Content
from t2ui.tasks.filters import (
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
    write_predicate,
)
from t2ui.tasks.functions import FunctionTask
from t2ui.tasks.grammar import Bank, capital, fill, sentences
from t2ui.tasks.openers import LONGEST, draw_argument, draw_name

_ARGUMENTS = ["xs", "nums", "values", "numbers", "data", "ns", "vals", "lst", "seq", "counts"]
# Who has how many of which containers, and what is in them: (one, many), (one, many), things.
SETTINGS = [
    (("shop", "shops"), ("crate", "crates"), ("pens", "lamps", "cups", "apples", "candles")),
    (("farm", "farms"), ("basket", "baskets"), ("eggs", "apples", "pears", "plums")),
    (("school", "schools"), ("bus", "buses"), ("children", "pupils", "seats")),
    (("class", "classes"), ("table", "tables"), ("pupils", "books", "pencils")),
    (("bakery", "bakeries"), ("tray", "trays"), ("rolls", "cakes", "cookies", "buns")),
    (("library", "libraries"), ("shelf", "shelves"), ("books", "maps", "films")),
    (("child", "children"), ("bag", "bags"), ("marbles", "sweets", "coins", "shells")),
    (("garden", "gardens"), ("row", "rows"), ("roses", "trees", "tulips", "cabbages")),
    (("player", "players"), ("round", "rounds"), ("points", "coins", "cards")),
    (("hotel", "hotels"), ("floor", "floors"), ("rooms", "beds", "chairs")),
    (("team", "teams"), ("box", "boxes"), ("balls", "shirts", "medals")),
    (("train", "trains"), ("wagon", "wagons"), ("seats", "sacks", "logs")),
    (("house", "houses"), ("window", "windows"), ("panes", "flowers", "candles")),
    (("baker", "bakers"), ("oven", "ovens"), ("loaves", "pies", "cakes")),
    (("ship", "ships"), ("barrel", "barrels"), ("fish", "apples", "oranges")),
    (("zoo", "zoos"), ("cage", "cages"), ("birds", "monkeys", "parrots")),
]
GONE = ["missing", "taken away", "left out", "gone", "sold", "not counted", "lost", "broken", "bad", "stolen"]
_SLOT = {"who": r"[a-z]+", "all": r"[a-z]+", "box": r"[a-z]+", "boxes": r"[a-z]+", "things": r"[a-z]+",
         "a": r"\d+", "b": r"\d+", "arg": r"[A-Za-z_]\w*", "fn": r"[A-Za-z_]\w*", "p": r".+", "cond": r".+",
         "what": r".+", "gone": "|".join(GONE)}  # fmt: skip
_EACH = "[each|every]"
_HOLD = "[holds|has|comes with]"
# The facts, by their operations in the order of mention; {a} multiplies.
_FACTS = Bank(
    {
        "*-": [
            f"Each {{box}} {_HOLD} {{a}} {{things}}[,|] and {{b}} {{things}} of every {{who}} are {{gone}}.",
            f"Every {{box}} {_HOLD} {{a}} {{things}}. Each {{who}} loses {{b}} {{things}}.",
            "There are {a} {things} for [each|every] {box}, but {b} of the {things} of each {who} are {gone}.",
            "[Each|Every] {who} gets {a} {things} for every {box} and then gives away {b} {things}.",
            "[One|Every] {box} stands for {a} {things}. Then {b} {things} are taken from [each|every] {who}.",
            f"Each {{box}} {_HOLD} {{a}} {{things}}, but [every|each] {{who}} has to give back {{b}} {{things}}.",
            "With {a} {things} for [each|every] {box}, [each|every] {who} still has to hand over {b} {things}.",
        ],
        "*+": [
            f"Each {{box}} {_HOLD} {{a}} {{things}}, and every {{who}} has {{b}} [more|extra|other|spare] {{things}}.",
            f"Every {{box}} {_HOLD} {{a}} {{things}}. Each {{who}} [also has|also gets|finds] {{b}} more {{things}}.",
            "There are {a} {things} for [each|every] {box}, and {b} more {things} [come to|are added for] each {who}.",
            "[Each|Every] {who} gets {a} {things} for every {box} and then {b} [more|extra] {things}.",
            "[One|Every] {box} stands for {a} {things}. Then [each|every] {who} is given {b} more {things}.",
            "With {a} {things} for [each|every] {box}, [each|every] {who} gets {b} {things} on top.",
            f"Each {{box}} {_HOLD} {{a}} {{things}}, plus {{b}} {{things}} that [every|each] {{who}} has anyway.",
        ],
        "+*": [
            f"[Each|Every] {{who}} gets {{b}} [more|extra|new] {{boxes}}. Then each {{box}} {_HOLD} {{a}} {{things}}.",
            "[Each|Every] {who} [buys|adds|finds] {b} more {boxes}, and there are {a} {things} for every {box}.",
            f"After {{b}} more {{boxes}} come to [each|every] {{who}}, every {{box}} {_HOLD} {{a}} {{things}}.",
            "{b} [more|extra|new] {boxes} are given to [each|every] {who}. Each {box} is worth {a} {things}.",
            "First [each|every] {who} is given {b} [more|extra] {boxes}, then every {box} gets {a} {things}.",
        ],
        "-*": [
            f"[Each|Every] {{who}} loses {{b}} {{boxes}}. Then each {{box}} that is left {_HOLD} {{a}} {{things}}.",
            "[Each|Every] {who} [sells|gives away|takes out] {b} {boxes}, and every other {box} has {a} {things}.",
            f"After {{b}} {{boxes}} are taken from [each|every] {{who}}, every {{box}} left {_HOLD} {{a}} {{things}}.",
            "{b} {boxes} of [each|every] {who} are empty. Each of the other {boxes} is worth {a} {things}.",
            "First [each|every] {who} gives back {b} {boxes}, then every other {box} is filled with {a} {things}.",
        ],
    },
    _SLOT,
)  # fmt: skip
_LIST = Bank(
    [
        "The list {arg} [says|tells|shows|gives] how many {boxes} each {who} has [at first|].",
        "{arg} [says|tells|shows|lists] how many {boxes} each {who} has [at first|].",
        "The numbers of {boxes} of the {all} are in the list {arg}.",
        "In the list {arg} [is|stands|you find] the number of {boxes} of [each|every] {who}.",
        "The list {arg} [holds|has|contains] the number of {boxes} of [each|every] {who}.",
        "How many {boxes} [each|every] {who} has is in the list {arg}.",
        "For [each|every] {who}, the list {arg} has the number of {boxes}.",
    ],
    _SLOT,
)
_ASK = Bank(
    [
        "[Write|Please write|Now write|Create|Define|Make] [a|a Python|a short|the] function {fn}({arg}) "
        "[that|which] [returns|gives|finds|computes|works out] {what}.",
        "[Write|Define|Make|Implement|Code] {fn}({arg}) [to return|to find|to compute|so that it returns] {what}.",
        "[I need|I want|We need|Give me] a function {fn}({arg}) that [returns|gives|finds] {what}.",
        "[Can you write|Could you write|How do I write] a function {fn}({arg}) that [returns|gives|finds] {what}?",
        "The function {fn}({arg}) [should|must|has to] return {what}.",
        "[Let|Make] {fn}({arg}) return {what}.",
        "[Write|Show] Python code for {fn}({arg}): it returns {what}.",
        "Use a function {fn}({arg}) to [find|return|compute|work out] {what}.",
    ],
    _SLOT,
)
_OR_ZERO = [", or 0 if there are none", ", or 0 if there is none", " (0 if there are none)"]
_ZERO = re.compile(r"[ ,]*\(?(?:or|and|else)?[ ,]*(?:0|zero) (?:if|when|for) [a-z ]{2,40}\)?$", re.IGNORECASE)
_WHAT = Bank(
    {
        "sum": [
            "the [total number|number|total] of [whole|] {things} of [the|all the|all] {all} {cond}",
            "how many {things} [the|all the|all] {all} {cond} have [in all|together|altogether]",
            "the sum of the {things} of [the|all the|all] {all} {cond}",
        ],
        "list": [
            "[a list of|a list with] the numbers of {things} of [the|all the|all] {all} {cond}",
            "the numbers of {things} of [the|all the|all] {all} {cond}, [in a list|as a list]",
            "[a list of|a list that says] how many {things} each of the {all} {cond} has",
        ],
        "max": [
            "the [largest|biggest|highest|greatest] number of {things} [of|among] the {all} {cond}",
            "the most {things} that [one|any] of the {all} {cond} has",
        ],
        "min": [
            "the [smallest|lowest|least] number of {things} [of|among] the {all} {cond}",
            "the fewest {things} that [one|any] of the {all} {cond} has",
        ],
    },
    _SLOT,
)
# Which items: the entry of the list itself is tested, before anything is added or taken.
_COND = Bank(
    {
        "even": ["[with|that have|having] an even number of {boxes}", "that have an even number in {arg}",
                 "with an even [number|entry|value] in {arg}"],
        "odd": ["[with|that have|having] an odd number of {boxes}", "that have an odd number in {arg}",
                "with an odd [number|entry|value] in {arg}"],
        "is": ["whose number of {boxes} is {p}", "[whose number|whose entry|whose value] in {arg} is {p}",
               "with a number of {boxes} that is {p}", "with [a number|an entry|a value] in {arg} that is {p}"],
    },
    _SLOT,
)  # fmt: skip


class MathCode(FunctionTask):
    """Word problems to be answered by a function.

    Content: ``{"ops": [["*", 6], ["-", 4]], "agg": "sum", "div": [2, 0], "cmp": null, "name": "good", "arg": "xs"}``:
    the operations in the order of the story (one of them multiplies), what is returned, and the filters on
    the entries of the list; ``div`` is always there, ``cmp`` in a third of them. What the story is about is phrasing.

    Size, names not counted: 440 pairs of operations (times 3 to 12, then less 2 to one below the factor: 55;
    times 2 to 12, then plus 2 to 20: 209; plus or less 2 to 9, then times 2 to 12: 176) with 4 aggregates,
    9 divisibilities (even, odd, 3 to 9) and 117 comparisons (none, 4 operators with 2 to 30) would be
    1,853,280; without the comparisons that leave fewer than two numbers or make a filter idle
    (:func:`t2ui.tasks.filters.matter`) 1,435,984 remain, counted in the test.
    """

    name = "math_code"
    skills = ("math", "code")
    size = 1_435_984

    def sample(self, rng: random.Random) -> Content:
        form = pick(rng, {"*-": 0.32, "*+": 0.38, "+*": 0.18, "-*": 0.12})
        factor = rng.randint(3 if form == "*-" else 2, rng.choice([9, 9, 12]))
        top = {"*-": factor - 1, "*+": rng.choice([9, 20])}.get(form, 9)
        other = rng.randint(2, top)
        amounts = [factor, other] if form[0] == "*" else [other, factor]
        ops = [list(op) for op in zip(form, amounts, strict=True)]
        div, cmp = sample_div(rng), None
        while rng.random() < 0.33:
            cmp = [pick(rng, {">": 0.4, "<": 0.25, ">=": 0.2, "<=": 0.15}), rng.randint(2, rng.choice([12, 30]))]
            if matter(div, cmp, _least(ops)):
                break
            cmp = None
        aggregate = pick(rng, {"sum": 0.5, "list": 0.24, "max": 0.13, "min": 0.13})
        name = draw_name(rng, aggregate)
        argument = draw_argument(rng, known=_ARGUMENTS, avoid=name)
        return {"ops": ops, "agg": aggregate, "div": div, "cmp": cmp, "name": name, "arg": argument}

    def code(self, content: Content) -> str:
        argument = content["arg"]
        x = value = variable(argument)
        for sign, k in content["ops"]:
            value = f"({value}) {sign} {k}" if sign == "*" and value != x else f"{value} {sign} {k}"
        loop = f"for {x} in {argument}{filter_code(x, content['div'], content['cmp'])}"
        return f"def {content['name']}({argument}):\n    return {wrap(content['agg'], value, loop)}"

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        written = dict(content)
        if not care["math"]:
            written["ops"] = content["ops"][:1]
        if not care["code"]:
            written["div"] = None
        return f"{_example(written['ops'], _least(content['ops']), rng)}\n{self.code(written)}"

    def expected(self, content: Content, value: list[int]) -> Any:
        found = []
        for x in value:
            if passes(x, content["div"], content["cmp"]):
                for sign, k in content["ops"]:
                    x = {"+": x + k, "-": x - k, "*": x * k}[sign]
                found.append(x)
        return collect(content["agg"], found)

    def draw_inputs(self, content: Content, rng: random.Random) -> list[list[int]]:
        least = _least(content["ops"])
        d, r = content["div"]
        k = max(content["cmp"][1] if content["cmp"] else least + 6, least)
        base = k - k % d + r
        pool = [k - 1, k, k + 1, least, least + 1] + [base + d * i for i in (-2, -1, 0, 0, 1, 1, 2, 3)]
        pool = [x for x in pool + [rng.randint(least, least + 40) for _ in range(8)] if x >= least]
        # Numbers that only the test for divisibility stops.
        only = [x for x in range(least, least + 60) if x % d != r and passes(x, None, content["cmp"])] or [k]
        cases = [[], [k], [k, k + 1, k + 2], [base + d, base + d], only[:1], only[-1:], only[1:4] + [base + d]]
        return cases + [rng.choices(pool, k=rng.randint(2, 7)) for _ in range(7)]

    def rivals(self, content: Content) -> list[Content]:
        first, second = content["ops"]
        found = [{**content, "div": None}, {**content, "cmp": None}, {**content, "ops": [second, first]}]
        for ops in ([first], [second], []):
            found += [{**content, "ops": ops}, {**content, "ops": ops, "div": None}]
        found += [{**content, "agg": other} for other in ("sum", "list", "max", "min", "count")]
        if content["cmp"]:
            found += [{**content, "cmp": [op, content["cmp"][1]]} for op in (">", "<", ">=", "<=")]
        return [rival for rival in found if rival != content]

    # -- words ---------------------------------------------------------------------------------

    def prompt(self, content: Content, rng: random.Random) -> str:
        (who, everyone), (box, boxes), things = rng.choice(SETTINGS)
        form = "".join(sign for sign, _ in content["ops"])
        amounts = dict(content["ops"])
        slots = {"who": who, "all": everyone, "box": box, "boxes": boxes, "things": rng.choice(things)}
        slots |= {"gone": rng.choice(GONE[:6]), "arg": content["arg"]}
        slots |= {"a": amounts["*"], "b": amounts[form.replace("*", "")]}
        facts, listed = _FACTS.write(rng, form, **slots), _LIST.write(rng, **slots)
        if not listed.startswith(content["arg"]):
            listed = capital(listed)
        what = _WHAT.write(rng, content["agg"], cond=self._write_condition(content, rng, slots), **slots)
        what += rng.choice(_OR_ZERO) if content["agg"] in ("max", "min") else ""
        ask = _ASK.write(rng, fn=content["name"], arg=content["arg"], what=what)
        return " ".join(rng.choice([[facts, listed, ask], [facts, listed, ask], [listed, facts, ask]]))

    def _write_condition(self, content: Content, rng: random.Random, slots: Mapping[str, Any]) -> str:
        k, r = content["div"]
        changed = content["ops"][0][0] != "*"
        # Where boxes come and go, only the entry of the list is beyond doubt.
        sure = "{arg}" if changed else "{"
        if k == 2 and content["cmp"] is None and rng.random() < 0.7:
            return fill(rng.choice([t for t in _COND.templates["odd" if r else "even"] if sure in t]), rng, **slots)
        said = [write_predicate(rng, content["div"], None, one=True)]
        if content["cmp"]:
            said.append(write_predicate(rng, None, content["cmp"], one=True))
        rng.shuffle(said)
        template = rng.choice([t for t in _COND.templates["is"] if sure in t])
        return fill(template, rng, p=" and ".join(said), **slots)

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        if len(prompt) > LONGEST:
            return None
        *story, ask = sentences(" ".join(prompt.replace("`", "").split())) or [""]
        asked = _ASK.read(ask.rstrip(" .!?") + ".") or _ASK.read(ask.rstrip(" .!?") + "?")
        if asked is None or len(story) < 2 or not usable(asked.slots["fn"], asked.slots["arg"]):
            return None
        argument = asked.slots["arg"]
        for order in (story[-1:] + story[:-1], story):
            listed, facts = _LIST.read(order[0]), list(_FACTS.reads(" ".join(order[1:])))
            if listed is None or listed.slots["arg"] != argument:
                continue
            for fact in facts:
                a, b = number(fact.slots["a"], 1), number(fact.slots["b"], 0)
                wanted = self._read_what(asked.slots["what"], argument)
                if wanted is not None and a is not None and b is not None:
                    ops = [[sign, a if sign == "*" else b] for sign in fact.key]
                    return {"ops": ops, **wanted, "name": asked.slots["fn"], "arg": argument}
        return None

    def _read_what(self, text: str, argument: str) -> Content | None:
        body = _ZERO.sub("", text.strip())
        for match in _WHAT.reads(body):
            condition = _COND.read(match.slots["cond"])
            if condition is None or condition.slots.get("arg", argument) != argument:
                continue
            if condition.key == "is":
                filters = read_items(f"numbers that are {condition.slots['p']}", "")
            else:
                filters = [2, int(condition.key == "odd")], None
            if filters is not None and filters[0] is not None and (body == text or match.key != "list"):
                return {"agg": match.key, "div": filters[0], "cmp": filters[1]}
        return None


def _example(ops: list[list[Any]], least: int, rng: random.Random) -> str:
    """The operations done once on a number, to the closing sentence as in the stories of math, so that whoever has
    learnt to go on there goes on here: "With 5: 5 * 6 = 30. 30 - 4 = 26. The answer is 26." """
    least = max(2, least)
    # Small numbers, as in the stories, where there are some.
    small = [n for n in range(least, least + 7) if max(values([["=", n], *ops])) <= LIMIT]
    start = rng.choice(small or [least])
    return f"With {start}: {worked([['=', start], *ops], careful=True)}"


def _least(ops: list[list[Any]]) -> int:
    """The smallest entry of the list: no item of the story may come out below nothing, where it could be read
    in two ways (owe pens, or have none)."""
    (first, k), (second, m) = ops
    return max(1, k if first == "-" else -(-m // k) if second == "-" else 1)
