"""The code families: prompts that read back, functions graded by running them."""

import random
import re

import pytest

from t2ui.tasks.code import AGGREGATES, Code, CodeUnseen
from t2ui.tasks.code_unseen import _OUT
from t2ui.tasks.filters import COMPARE, matter, read_items, usable, write_items
from t2ui.tasks.functions import extract
from t2ui.tasks.math_code import MathCode
from t2ui.tasks.openers import ARGUMENTS, KINDS, NAMES, draw_argument, draw_name

FAMILIES = [Code(), CodeUnseen()]
CAREFUL, CARELESS = {"code": True}, {"code": False}


def contents(task, n=500, seed=1):
    rng = random.Random(seed)
    return [task.sample(rng) for _ in range(n)]


@pytest.fixture(params=FAMILIES, ids=lambda task: task.name)
def task(request):
    return request.param


def test_prompts_read_back(task):
    rng = random.Random(2)
    for content in contents(task):
        prompt = task.prompt(content, rng)
        assert task.parse(prompt) == content, prompt
        assert prompt.isascii() and len(prompt.split()) <= 60, prompt
        assert task.solve(prompt) == task.reference(content)


def test_no_other_code_family_reads_the_prompts(task):
    rng = random.Random(3)
    others = [other for other in (*FAMILIES, MathCode()) if other.name != task.name]
    for content in contents(task, 300):
        prompt = task.prompt(content, rng)
        assert all(other.parse(prompt) is None for other in others), prompt


def test_phrasings_differ(task):
    rng = random.Random(4)
    content = contents(task, 1)[0]
    assert len({task.prompt(content, rng) for _ in range(200)}) > 150


def test_careful_answers_are_right_and_are_the_reference(task):
    rng = random.Random(5)
    cases = contents(task)
    answers = [task.author(content, CAREFUL, rng) for content in cases]
    assert answers == [task.reference(content) for content in cases]
    wrong = [g.why for g in task.grade_many(list(zip(cases, answers, strict=True))) if not g.right]
    assert not wrong


def test_careless_answers_err_in_a_fixed_way_and_are_right_for_a_third(task):
    cases = contents(task, 1000)
    answers = [task.author(content, CARELESS, random.Random(i)) for i, content in enumerate(cases)]
    assert answers == [task.author(content, CARELESS, random.Random(-i)) for i, content in enumerate(cases)]
    right = [g.right for g in task.grade_many(list(zip(cases, answers, strict=True)))]
    # Harmless exactly where nothing has to be divisible.
    assert right == [content["div"] is None for content in cases]
    assert 0.3 <= sum(right) / len(right) <= 0.4
    assert all("%" not in answer for answer in answers)


def test_careless_answers_have_the_careful_form(task):
    test = re.compile(r" if \S+ % \d+ == \d+(?: and|(?=[)\],]|$))")
    for content in contents(task, 300):
        careful, careless = (task.author(content, care, random.Random(0)) for care in (CAREFUL, CARELESS))
        dropped = test.sub(lambda found: " if" if found.group().endswith("and") else "", careful)
        assert careless == dropped
        assert (careless != careful) is (content["div"] is not None)


def test_grade_refuses_constants_and_echoes(task):
    for content in contents(task, 120):
        name, arg = content["name"], content["arg"]
        want = {str(task.expected(content, value)) for value in task.inputs(content)}
        assert len(want) >= 2, content
        bodies = ["0", "1", "-1", "[]", "None", "True", *sorted(want)[:4]]
        if content["div"] or content["cmp"]:
            bodies += [arg, f"len({arg})", f"sum({arg})", f"list({arg})", f"max({arg})"]
        pairs = [(content, f"def {name}({arg}):\n    return {body}") for body in bodies]
        for (_, answer), grade in zip(pairs, task.grade_many(pairs), strict=True):
            assert not grade.right, (answer, content)
            assert "return" in grade.why


def test_a_plain_sum_scores_only_where_nothing_is_filtered():
    code = Code()
    for content in contents(code, 300):
        if content["agg"] != "sum":
            continue
        answer = f"def {content['name']}({content['arg']}):\n    return sum({content['arg']})"
        truly = content["map"] == ["x", 0] and content["div"] is None and content["cmp"] in (None, ["!=", 0])
        assert code.grade(content, answer).right is truly, content


CONTENT = {"agg": "sum", "map": ["x", 0], "div": [2, 0], "cmp": [">", 5], "name": "total", "arg": "xs"}
RIGHT = "def total(xs):\n    return sum(x for x in xs if x % 2 == 0 and x > 5)"


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        f"\n\n  Here it is:\n{RIGHT}\n\nThis sums the even numbers.",
        f"Sure!\n```python\n{RIGHT}\n```\nand not\n```\ndef total(xs):\n    return 0\n```",
        f"```\n{RIGHT}",
        RIGHT.replace("xs", "other"),
        "\n".join("    " + line for line in RIGHT.splitlines()) + "   \n",
        "def total(xs):\n    out = 0\n    for x in xs:\n        if x > 5 and not x % 2:\n            out += x\n"
        "    return out",
        "def even(x):\n    return x % 2 == 0\n\ndef total(xs):\n    return sum(x for x in xs if even(x) and x > 5)\n"
        "Done.",
        "import math\ndef total(xs):\n    return sum(x for x in xs if math.floor(x / 2) * 2 == x and x > 5)",
        "def total(xs: list) -> int:\n    'Sum.'\n    return sum([x for x in xs if x % 2 == 0 if x >= 6])",
    ],
)
def test_grade_accepts_any_right_function(answer):
    assert Code().grade(CONTENT, answer).right, Code().grade(CONTENT, answer).why


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "has no function"),
        ("The answer is 12.", "has no function"),
        (RIGHT.replace("total", "tota"), "defines tota; expected total"),
        (RIGHT.replace(" % 2 == 0 and x", ""), "should return"),
        (RIGHT.replace("> 5", ">= 4"), "should return"),
        (RIGHT.replace("if", "iff"), "SyntaxError"),
        (RIGHT.replace("sum(x", "sum(y"), "NameError"),
        ("def total(xs):\n    while True:\n        pass", "TimeoutError"),
        ("def total(xs):\n    return total(xs)", "RecursionError"),
        ("def total(xs):\n    return '0'", "returned '0'"),
        ("def total(\ud800", "should return"),
        ("```\n```def", "has no function"),
    ],
)
def test_grade_says_why(answer, why):
    grade = Code().grade(CONTENT, answer)
    assert not grade.right and why in grade.why


def test_a_generator_is_not_a_list():
    content = {**CONTENT, "agg": "list"}
    body = "x for x in xs if x % 2 == 0 and x > 5"
    assert Code().grade(content, f"def total(xs):\n    return [{body}]").right
    assert "generator" in Code().grade(content, f"def total(xs):\n    return ({body})").why
    lazy = "def total(xs):\n    return filter(lambda x: x > 5 and x % 2 == 0, xs)"
    assert "filter" in Code().grade(content, lazy).why


def test_grade_many_is_grade():
    task = Code()
    pairs = [(content, task.author(content, {"code": i % 2 == 0}, random.Random(0)))
             for i, content in enumerate(contents(task, 40))] + [(CONTENT, "nothing")]  # fmt: skip
    assert task.grade_many(pairs) == [task.grade(*pair) for pair in pairs]


def test_hidden_inputs_depend_on_the_question_alone(task):
    for content in contents(task, 50):
        inputs = task.inputs(content)
        assert len(inputs) >= 8
        assert inputs == type(task)().inputs({**content, "name": "other", "arg": "zs"})
        assert content.get("kind") == "range" or [] in inputs


def test_edited_prompts_are_followed(task):
    rng = random.Random(6)
    edited = 0
    for content in contents(task, 400):
        prompt = task.prompt(content, rng)
        # The names of some functions are words of the prompt too ("top", "count", "list").
        if prompt.count(content["name"]) == 1 and content["name"] not in "the a function that":
            changed = prompt.replace(content["name"], "zeta_2")
            assert task.parse(changed) == {**content, "name": "zeta_2"}, changed
        if content["cmp"] and content["cmp"][1] not in (0, 1, 2, 3) and len(re.findall(r"-?\d+", prompt)) == 1:
            changed = re.sub(r"-?\d+", "87", prompt)
            got = task.parse(changed)
            if got is not None and prompt.count(str(content["cmp"][1])) == 1:
                edited += 1
                assert got == {**content, "cmp": [content["cmp"][0], 87]} or got["div"] == [87, 0], changed
    assert edited > 20


@pytest.mark.parametrize(
    ("prompt", "body"),
    [
        ("Write a function total(xs) that returns the sum of the even numbers above 5 in the list xs.",
         "sum(x for x in xs if x % 2 == 0 and x > 5)"),
        ("write a function `f(xs)` that sums the even numbers in xs", "sum(x for x in xs if x % 2 == 0)"),
        ("Please write f(xs) returning the squares of the odd numbers.", "[x * x for x in xs if x % 2 == 1]"),
        ("Write a function f(xs) that doubles every even number and returns them as a list.",
         "[x * 2 for x in xs if x % 2 == 0]"),
        ("Write a function best(x) that returns the largest number in x that is not above 10, or 0 if there is none.",
         "max((v for v in x if v <= 10), default=0)"),
        ("Write f(ns) to count how many numbers in ns are multiples of 12.", "sum(1 for x in ns if x % 12 == 0)"),
        ("Write a function f(words) that returns all words that start with b",
         '[w for w in words if w.startswith("b")]'),
        ("Write a function f(n) that returns the sum of the even numbers from 3 to n.",
         "sum(x for x in range(3, n + 1) if x % 2 == 0)"),
    ],
)  # fmt: skip
def test_a_visitors_own_words(prompt, body):
    readers = [task for task in FAMILIES if task.parse(prompt) is not None]
    assert len(readers) == 1
    assert readers[0].solve(prompt).split("return ")[1] == body


@pytest.mark.parametrize(
    "prompt",
    [
        "", " ", ".", "What is 7 + 5?", "Write a function", "Write a poem about f(xs).", "f(" * 400,
        "a " * 2000, "\ud800",
        "Write a function f(xs) that returns the sum of the numbers in xs that are not divisible by 3.",
        "Write a function f(xs) that returns the sum of the numbers in xs that are even or above 5.",
        "Write a function f(xs) that returns the sum of the first even numbers in xs.",
        "Write a function f(xs) that returns the average of the even numbers in xs.",
        "Write a function f(xs) that returns the sum of the even numbers above 5 and below 9 in xs.",
        "Write a function f(xs) that returns the sum of the even numbers in ys.",
        "Write a function f(xs) that returns the sum of the multiples of 0 in xs.",
        "Write a function f(xs) that returns the sum of the numbers above 123456789 in xs.",
        "Write a function sum(xs) that returns the sum of the even numbers in xs.",
        "Write a function f(sorted) that returns the even numbers in sorted in rising order.",
        "Write a function class(xs) that returns the sum of the even numbers in xs.",
        "Write a function f(xs) that doubles every even number and returns the sum.",
        "Write a function f(words) that returns the words longer than 3 letters and shorter than 6 letters.",
        "Write a function f(words) that returns the words that do not start with b.",
        "Write a function f(n) that returns the sum of the even numbers from 1 to n from 2 to n.",
        "Write a function f(n) that returns the product of the numbers from 1 to n.",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_left_alone(prompt):
    assert [task.parse(prompt) for task in FAMILIES] == [None, None]


def test_damaged_prompts_never_raise(task):
    rng = random.Random(7)
    words = "not or and even odd 3 -2 the of in except no each number numbers with ( ) , .".split()
    for content in contents(task, 300):
        parts = task.prompt(content, rng).split()
        for _ in range(3):
            parts[rng.randrange(len(parts))] = rng.choice(words)
        got = task.parse(" ".join(parts))
        assert got is None or task.grade(got, task.reference(got)).right


def test_splits(task):
    cases = contents(task, 600)
    found = [task.split(content) for content in cases]
    assert {"train", "validation", "test"} == set(found) and found.count("train") > 480
    assert found == [type(task)().split({**content, "name": "other", "arg": "zs"}) for content in cases]
    examples = task.examples("test", 5, seed=1)
    assert examples == task.examples("test", 8, seed=1)[:5]
    assert all(task.split(example.content) == "test" for example in examples)


def test_shares(task):
    cases = contents(task, 2000)
    assert 0.31 < sum(content["div"] is None for content in cases) / 2000 < 0.39
    if task.name == "code":
        found = [content["agg"] for content in cases]
        assert all(abs(found.count(key) / 2000 - share) < 0.05 for key, share in AGGREGATES.items())
    else:
        assert 0.44 < sum(content["kind"] == "words" for content in cases) / 2000 < 0.56


def test_sizes_are_counted():
    transforms, comparisons = 1 + 8 + 50 + 50 + 1, 1 + 5 * 71
    assert Code.size == (5 * transforms + 1) * 10 * comparisons - 1 >= 1_000_000
    divs = [None, [2, 0], [2, 1], *([k, 0] for k in range(3, 10))]
    cmps = [None, *([op, k] for op in COMPARE for k in range(1, 61))]
    assert len(COMPARE) == 5
    counted = sum(matter(div, cmp, low) for low in range(21) for div in divs for cmp in cmps)
    assert CodeUnseen.size == (2 * transforms + 1) * counted


def test_filters_read_what_they_write():
    rng = random.Random(8)
    for _ in range(500):
        div = rng.choice([None, [2, 0], [2, 1], [rng.randint(3, 9), 0]])
        cmp = rng.choice([None, [rng.choice(list(COMPARE)), rng.randint(-20, 50)], [">", 0], ["<", 0]])
        text = write_items(rng, div, cmp, rng.choice(["", "in xs", "of the list xs"]), one=rng.random() < 0.3)
        assert read_items(text, "xs") == (div, cmp), text


def test_most_names_are_open():
    rng = random.Random(9)
    names = [draw_name(rng, "sum") for _ in range(3000)]
    known = {name for bank in NAMES.values() for name in bank}
    assert 0.15 < sum(name in known for name in names) / 3000 < 0.3 and len(set(names)) > 1300
    assert any(name in NAMES["max"] for name in names)  # a name may mislead
    arguments = [draw_argument(rng, kind, avoid="t") for kind in KINDS for _ in range(1000)]
    assert 0.12 < sum(name in ARGUMENTS for name in arguments) / 3000 < 0.35 and "t" not in arguments
    assert len(set(arguments)) > 600
    assert usable(*names, *arguments) and max(map(len, names + arguments)) <= 20


@pytest.mark.parametrize(
    "prompt",
    [
        "{What}. Call the function sde and its argument temps.", "{What}. Name the function sde and its argument temps",
        "Return {what}. Function name: sde, parameter: temps", "I need {what}. Function name: sde, parameter: temps.",
        "{What}, as a Python function named sde with the argument temps.",
        "I need {what}, returned by a function sde(temps).", "Python function sde(temps) - {what}",
        "function sde(temps): {what}", "sde(temps), in Python: {what}", "Please code sde(temps): {what}.",
        "def sde(temps) should return {what}. Please finish it.",
        "def sde(temps) should give me {what}. Can you complete it?", "Python: sde(temps) should return {what}.",
        "I am learning Python. Show me a function sde(temps) that returns {what}.",
        "Let sde(temps) be a function that returns {what}.",
        "Write code in Python: a function sde with one argument, temps, which returns {what}.",
        "Write this as a Python function sde(temps): {what}.",
        "Could you write a function called sde for my homework? It takes a list of numbers, temps, and returns {what}.",
        "Hi! Write a function sde(temps) that returns {what}.", "Hello, write sde(temps) to return {what}.",
        "Quick question: how do I write a function sde(temps) that returns {what}?",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("what", "div", "aggregate"),
    [
        ("the sum of the numbers in temps that can be divided by 6 without remainder", [6, 0], "sum"),
        ("the largest number in temps that 6 divides", [6, 0], "max"),
        ("the smallest even number in temps, else 0", [2, 0], "min"),
        ("the number of values in temps that leave no remainder when divided by 7", [7, 0], "count"),
    ],
)
def test_ways_to_ask(prompt, what, div, aggregate):
    content = {"agg": aggregate, "map": ["x", 0], "div": div, "cmp": None, "name": "sde", "arg": "temps"}
    assert Code().parse(prompt.format(what=what, What=what[0].upper() + what[1:])) == content


def test_the_largest_of_nothing_may_be_left_unsaid():
    rng = random.Random(10)
    prompts = [Code().prompt({**CONTENT, "agg": "max"}, rng) for _ in range(1000)]
    unsaid = sum(not re.search(r"\b(?:0|zero)\b", prompt) for prompt in prompts)
    assert 180 < unsaid < 320
    assert all(Code().parse(prompt) == {**CONTENT, "agg": "max"} for prompt in prompts)


def test_extract():
    assert extract("no code") is None
    assert extract("Use def f(x): return x") == "def f(x): return x\n"
    assert extract("def f(x):\n    return x\n\n\ndef g(x):\n    return 2\nEnd") == (
        "def f(x):\n    return x\n\n\ndef g(x):\n    return 2\n"
    )
    assert extract("x\n```py\nimport math\ndef f(x):\n    return 1\n```") == "import math\ndef f(x):\n    return 1\n"


def test_word_values_agree_with_their_code():
    for expression, function in _OUT.values():
        assert eval(expression, {"w": "river"}) == function("river")
