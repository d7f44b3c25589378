"""The two-skill family: stories that want a function."""

import itertools
import random
from collections import Counter

import pytest

from t2ui.tasks.code import Code, CodeUnseen
from t2ui.tasks.filters import matter
from t2ui.tasks.math_code import MathCode, _least

TASK = MathCode()
PROMPT = (
    "Each crate holds 6 pens and 4 pens of every shop are broken. The list xs says how many crates each shop has. "
    "Write a function good(xs) that returns the total number of whole pens of the shops with an even number of crates."
)
CONTENT = {"ops": [["*", 6], ["-", 4]], "agg": "sum", "div": [2, 0], "cmp": None, "name": "good", "arg": "xs"}


def contents(n=500, seed=1):
    rng = random.Random(seed)
    return [TASK.sample(rng) for _ in range(n)]


def test_prompts_read_back():
    rng = random.Random(2)
    for content in contents():
        prompt = TASK.prompt(content, rng)
        assert TASK.parse(prompt) == content, prompt
        assert prompt.isascii() and len(prompt.split()) <= 75, prompt
        assert Code().parse(prompt) is None and CodeUnseen().parse(prompt) is None


def test_right_only_if_careful_in_both():
    cases = contents()
    for math, code in itertools.product((True, False), repeat=2):
        care = {"math": math, "code": code}
        pairs = [(content, TASK.author(content, care, random.Random(0))) for content in cases]
        right = sum(grade.right for grade in TASK.grade_many(pairs))
        assert right == len(cases) if math and code else right <= 0.005 * len(cases), care


def test_what_each_author_writes():
    wrote = {
        (math, code): TASK.author(CONTENT, {"math": math, "code": code}, random.Random(0)).split("return ")[1]
        for math, code in itertools.product((True, False), repeat=2)
    }
    assert wrote == {
        (True, True): "sum(x * 6 - 4 for x in xs if x % 2 == 0)",
        (True, False): "sum(x * 6 - 4 for x in xs)",
        (False, True): "sum(x * 6 for x in xs if x % 2 == 0)",
        (False, False): "sum(x * 6 for x in xs)",
    }
    added = {**CONTENT, "ops": [["+", 2], ["*", 6]]}
    assert "sum((x + 2) * 6 for" in TASK.reference(added)
    assert "sum(x + 2 for" in TASK.author(added, {"math": False, "code": True}, random.Random(0))


def test_edited_prompts_are_followed():
    assert TASK.parse(PROMPT) == CONTENT
    changed = PROMPT.replace("pens", "kites").replace("shop", "tent").replace("crate", "sack")
    assert TASK.parse(changed.replace("good", "best_2")) == {**CONTENT, "name": "best_2"}
    assert TASK.parse(PROMPT.replace("6", "25").replace("4", "11"))["ops"] == [["*", 25], ["-", 11]]
    assert TASK.parse(PROMPT.replace("xs", "stock"))["arg"] == "stock"
    assert TASK.parse(PROMPT.replace("an even", "an odd"))["div"] == [2, 1]


@pytest.mark.parametrize(
    "prompt",
    [
        "", ".", "x" * 3000, "Each crate holds 6 pens.", PROMPT.replace("even", "prime"),
        PROMPT.replace("good(xs)", "good(ys)"), PROMPT.replace(" with an even number of crates", ""),
        PROMPT.replace("Each crate holds 6 pens and 4 pens of every shop are broken. ", ""),
        PROMPT.replace("broken", "blue"), PROMPT.replace("good(", "sum("),
        PROMPT.replace("6", "six"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_left_alone(prompt):
    assert TASK.parse(prompt) is None


def test_damaged_prompts_never_raise():
    rng = random.Random(3)
    for content in contents(200):
        parts = TASK.prompt(content, rng).split()
        for _ in range(2):
            parts[rng.randrange(len(parts))] = rng.choice("not or and even 3 the of in ( . every".split())
        TASK.parse(" ".join(parts))


def test_constants_and_echoes_score_nothing():
    for content in contents(100):
        want = {str(TASK.expected(content, value)) for value in TASK.inputs(content)}
        assert len(want) >= 3, content
        bodies = ["0", "1", "[]", content["arg"], f"sum({content['arg']})", *sorted(want)[:3]]
        pairs = [(content, f"def {content['name']}({content['arg']}):\n    return {body}") for body in bodies]
        assert not any(grade.right for grade in TASK.grade_many(pairs)), content


def test_hidden_inputs_keep_every_step_of_the_story_above_nothing():
    for content in contents(300):
        for entries in TASK.inputs(content):
            for x in entries:
                for sign, k in content["ops"]:
                    x = {"+": x + k, "-": x - k, "*": x * k}[sign]
                    assert x >= 0


def test_splits():
    cases = contents(600)
    assert {"train", "validation", "test"} == {TASK.split(content) for content in cases}
    assert TASK.split(CONTENT) == TASK.split({**CONTENT, "name": "other", "arg": "zs"})
    assert TASK.label == "math" and not TASK.trained


def test_size_is_counted():
    pairs = Counter()
    for k in range(2, 13):
        pairs.update(_least([["*", k], ["-", m]]) for m in range(2, k))
        pairs.update(_least([["*", k], ["+", m]]) for m in range(2, 21))
        pairs.update(_least([[sign, m], ["*", k]]) for m in range(2, 10) for sign in "+-")
    assert sum(pairs.values()) == 440
    divs = [[2, 0], [2, 1], *([k, 0] for k in range(3, 10))]
    cmps = [None, *([op, k] for op in (">", "<", ">=", "<=") for k in range(2, 31))]
    filters = {least: sum(matter(div, cmp, least) for div in divs for cmp in cmps) for least in pairs}
    assert TASK.size == 4 * sum(n * filters[least] for least, n in pairs.items()) >= 1_000_000
