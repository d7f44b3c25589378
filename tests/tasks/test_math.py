"""Word problems and their unseen sibling: written, read back, answered, graded."""

from __future__ import annotations

import json
import random
import re
from collections import Counter

import pytest

from t2ui.tasks.arithmetic import grade_number, sample_ops, steps, values
from t2ui.tasks.base import SPLITS, canonical
from t2ui.tasks.math import Math, MathUnseen
from t2ui.tasks.math_settings import SETTINGS
from t2ui.tasks.math_short import participle, simple
from t2ui.tasks.math_words import PAST, verb

FAMILIES = [Math(), MathUnseen()]
CAREFUL, CARELESS = {"math": True}, {"math": False}
each_family = pytest.mark.parametrize("task", FAMILIES, ids=lambda task: task.name)


def questions(task, n, seed=0):
    rng = random.Random(seed)
    for _ in range(n):
        content = task.sample(rng)
        yield content, task.prompt(content, rng), rng


# -- writing and reading -------------------------------------------------------------------------------


@each_family
def test_every_prompt_reads_back_to_its_content(task):
    for content, prompt, _ in questions(task, 700):
        assert task.parse(prompt) == content, prompt


@each_family
def test_reading_does_not_mind_spaces_and_line_breaks(task):
    for content, prompt, _ in questions(task, 100, seed=1):
        assert task.parse("  " + prompt.replace(" ", "  \n", 1) + "\n") == content, prompt


@each_family
def test_prompts_are_plain_short_and_complete(task):
    for _, prompt, _ in questions(task, 700, seed=2):
        assert prompt.isascii() and prompt.isprintable()
        assert len(prompt.split()) <= 60, prompt
        # No slot, mark or choice of a template may be left over, no double space, no space before a mark.
        assert not re.search(r"[{}<>\[\]|]|  | [,.?!]", prompt), prompt


@each_family
def test_the_two_families_never_read_each_other(task):
    other = FAMILIES[1] if task is FAMILIES[0] else FAMILIES[0]
    for _, prompt, _ in questions(other, 400, seed=3):
        assert task.parse(prompt) is None, prompt


def test_every_setting_is_told_and_read():
    rng = random.Random(4)
    task = Math()
    for setting in SETTINGS:
        told = 0
        while told < 25:
            ops = sample_ops(rng, rng.randint(1, 3), signs="+-" if setting.lose or setting.lose_full else "+",
                             group=bool(setting.group) and rng.random() < 0.3, double=0.2 * bool(setting.double))
            if setting.fits(ops):
                content = {"ops": ops, "thing": rng.choice(setting.things)}
                prompt = task.prompt(content, rng)
                assert task.parse(prompt) == content, prompt
                told += 1


def test_every_setting_has_twelve_questions():
    assert all(len(set(setting.ask)) >= 11 for setting in SETTINGS)


def test_one_content_has_many_phrasings():
    rng = random.Random(5)
    content = {"ops": [["=", 12], ["+", 5], ["-", 3]], "thing": "marbles"}
    prompts = {re.sub(r"\b[A-Z][a-z]+\b", "X", Math().prompt(content, rng)) for _ in range(300)}
    assert len(prompts) > 270


def test_edited_numbers_are_read():
    task = Math()
    for content, prompt, rng in questions(task, 500, seed=6):
        numbers = re.findall(r"\d+", prompt)
        if not numbers:
            continue
        old = rng.choice(numbers)
        # The number has to stand for one operation only (a doubling is a 2 that is not written).
        if numbers.count(old) > 1 or [str(n) for _, n in content["ops"]].count(old) > 1:
            continue
        new = str(int(old) + rng.randint(1, 9))
        got = task.parse(re.sub(rf"\b{old}\b", new, prompt))
        sign, _ = next(op for op in content["ops"] if str(op[1]) == old)
        edited = [[s, int(new)] if str(n) == old else [s, n] for s, n in content["ops"]]
        # More may be taken away than there is: then it is no question of this world.
        assert got == ({**content, "ops": edited} if min(values(edited)) >= 0 else None), (prompt, old, new, sign)


def test_edited_names_and_things_are_read():
    task, swapped = Math(), 0
    for content, prompt, _ in questions(task, 500, seed=7):
        edited = re.sub(r"\bAnna\b", "Zelda", prompt)
        assert task.parse(edited) == content, edited
        thing = content["thing"]
        # Where the thing has a fixed meaning in its setting (degrees, pages read), another one is another question.
        if thing in SETTINGS[0].things and " " not in thing and prompt.count(thing) > 0:
            edited = re.sub(rf"\b{thing}\b", "dragons", prompt)
            assert task.parse(edited) == {**content, "thing": "dragons"}, edited
            swapped += 1
    assert swapped > 40


@pytest.mark.parametrize("prompt, ops, thing", [
    ("Tom has 7 marbles. He buys 5 more and gives 3 to Anna. How many marbles does he have now?",
     [["=", 7], ["+", 5], ["-", 3]], "marbles"),
    ("Zara had 7 robots, found 5 robots and lost 3. How many robots does Zara have left?",
     [["=", 7], ["+", 5], ["-", 3]], "robots"),
    ("I had twelve unicorns. I bought two more unicorns. How many unicorns do I have?",
     [["=", 12], ["+", 2]], "unicorns"),
    ("A bus carries 12 people. At the next stop 5 people get on and 3 get off. How many people are on the bus?",
     [["=", 12], ["+", 5], ["-", 3]], "people"),
    ("Lucy has 12 apples and Tom has 5 apples. How many apples do they have together?",
     [["=", 12], ["+", 5]], "apples"),
    ("Lucy has 12 apples. Tom eats 5 and Ben gives Lucy 3. How many apples does Lucy have left?",
     [["=", 12], ["-", 5], ["+", 3]], "apples"),
    ("A girl has 9 dragons, finds 3 and eats 2 for lunch. How many dragons are left?",
     [["=", 9], ["+", 3], ["-", 2]], "dragons"),
    ("Max has 4 boxes. Each box holds 6 pens. He gives 3 pens to Eva. How many pens does Max have left?",
     [["=", 4], ["*", 6], ["-", 3]], "pens"),
    ("A bus has 31 passengers. 12 get off and 5 get on. How many passengers are on the bus now?",
     [["=", 31], ["-", 12], ["+", 5]], "passengers"),
    ("Starting with 21 crayons, Zoe loses 2 and then gets 13. How many crayons does Zoe have?",
     [["=", 21], ["-", 2], ["+", 13]], "crayons"),
    ("in a game leo had 35 points, lost 18, then won 20. what is his score?",
     [["=", 35], ["-", 18], ["+", 20]], "points"),
    ("9 boxes with 4 jars each. How many jars are there in total?", [["=", 9], ["*", 4]], "jars"),
    ("Quick question: There are 30 chairs in a hall; then 9 are taken off but 4 are put back. How many are there?",
     [["=", 30], ["-", 9], ["+", 4]], "chairs"),
    ("Kim has 60 photos on her phone. She deletes 25 and takes 12. How many photos does she have now?",
     [["=", 60], ["-", 25], ["+", 12]], "photos"),
    ("My sister has 9 plums. My sister eats 2. How many plums are left?", [["=", 9], ["-", 2]], "plums"),
    ("How many coins does Ida have if she starts with 8 coins, finds 4 and loses 2?",
     [["=", 8], ["+", 4], ["-", 2]], "coins"),
    ("If Omar has 8 kites and loses 2, how many kites does he have now", [["=", 8], ["-", 2]], "kites"),
    ("Anna has 1 marble. She buys 5 marbles. How many marbles does she have?", [["=", 1], ["+", 5]], "marbles"),
])
def test_a_visitors_own_stories(prompt, ops, thing):
    assert Math().parse(prompt) == {"ops": ops, "thing": thing}
    assert Math().solve(prompt) == str(values(ops)[-1])


@pytest.mark.parametrize("prompt, answer", [
    ("My grandmother bakes 24 cookies and the kids have already eaten 15. How many are left?", 9),
    ("52 books on the shelf, 20 were borrowed. How many remain?", 32),
    ("6 boxes, 8 pencils in each box. how many in all?", 48),
    ("a train starts with 40 passengers. 15 get off, 22 get on, 17 get off. how many are left?", 30),
    ("Ben had 54 marbles. On Monday he lost 13, on Tuesday 8 and on Wednesday 21. How many are left?", 12),
    ("Simon has 3 shelves and keeps 9 toy cars on each of them. What is the total number of toy cars?", 27),
    ("Fred took 50 nails to work. He dropped 14 in the grass and used 36 on the roof. What's left?", 0),
    ("Ruth baked 30 muffins; she sold 22 at the fair and her son ate 3. How many muffins are left over?", 5),
    ("12 people in a room. 5 leave. Then 3 more. So how many are still there?", 4),
    ("Mia has 20 coins. Finds 5, loses 8. So how many has she got?", 17),
    ("Tom has 12 marbles, buys 5 and another 4. How many in all?", 21),
])
def test_short_and_spoken_stories(prompt, answer):
    assert Math().solve(prompt) == str(answer)


@pytest.mark.parametrize("prompt", [
    "Tom has 12 marbles. He gave away 5, 3 to Ben. How many are left?",
    "Tom has 7 marbles. He lost 3, 2 more than Ben. How many marbles are left?",
    "Tom has 12 marbles. He had lost 3. How many marbles does he have?",
    "Tom has 12 marbles. He loses 3, 2 of them red. How many marbles are left?",
    "Tom has 12 marbles. 5 red. How many are left?",
    "Tom has 12 marbles. 3 marbles. How many now?",
    "Tom has 12 marbles and Ben has 5 more. How many does Ben have?",
    "12 apples and 5 more pears. How many in all?",
    "31 benches stood in a cellar and 17 of the benches broke. Then 9 more benches. How many benches are there now?",
    "6 boxes. 8 pencils. How many in all?",
    "There are 12 birds. 5 are sparrows. How many are left?",
    "12 kids, 5 boys. How many girls?",
])
def test_short_stories_that_could_mean_two_things_are_none(prompt):
    assert Math().parse(prompt) is None


def test_participles():
    assert [participle(v) for v in ("eat", "sell", "carry", "take", "put", "use")] == [
        "eaten", "sold", "carried", "taken", "put", "used"]
    assert simple("the kids have already eaten 15") == "the kids ate 15"
    assert simple("20 have been borrowed") == "20 were borrowed"
    assert simple("he has got 5") == "he has got 5"


@pytest.mark.parametrize("prompt", [
    "Tom has 7 marbles. Ben buys 5 marbles. How many marbles does Tom have?",
    "Tom has 7 marbles. Ben has 5 more marbles than Tom. How many marbles does Ben have?",
    "Tom has 7 marbles. Ben has 5 marbles. How many more marbles does Tom have?",
    "Tom has 7 marbles and 5 apples. How many marbles does he have?",
    "Tom has 7 red marbles. He finds 5 blue marbles. How many marbles does he have?",
    "Tom has 7 marbles. He gives 3 marbles to Ben and Carl. How many marbles does he have left?",
    "Tom has 7 marbles. He gives 3 marbles each to Ben and Carl. How many marbles does he have left?",
    "Tom has 7 marbles. He gives away half. How many marbles does he have left?",
    "Tom has 7 marbles. He loses 9. How many marbles does he have?",
    "Tom has 7 marbles. How many marbles does he have?",
    "Tom has 7 marbles. Then he buys 3 packs of 4 marbles. How many marbles does Tom have?",
    "Tom has 7 marbles. He finds 5 more. He finds 2 more. How many marbles did he find?",
    "Tom has 3 boxes. Each box holds 6 pens. How many boxes does he have?",
    "Tom has 3 boxes. Each box holds 6 pens. He buys 3 more boxes. How many pens does he have?",
    "Tom has 7.5 dollars. He spends 2. How many dollars does he have?",
    "Anna has 12 marbles. Her brother gives her 5. He loses 3. How many marbles does Anna have?",
    "Anna had 12 marbles. She gave 5 to Ben. How many marbles did she give to Ben?",
    "Anna had 12 marbles. She gave 5 to Ben. How many marbles does Ben have?",
    "At the fair Anna wins 5 marbles. She wins 3 more, at the fair Ben wins 5. How many marbles does Anna have?",
    "Anna has 7 photos of Ben. How many marbles does she have?",
    "Anna is taller than Ben. Ben is taller than Carl. Who is the tallest? A) Ben B) Anna C) Carl",
    "Write a function total(xs) that returns the sum of the even numbers above 5 in the list xs.",
    "How many red circles are there?", "What is 7 + 5?", "", "?", "7", ". . .", "{n} [a|b] \\ (", "If , how many?",
    "a" * 5000, "9" * 5000, "How many " + "9" * 600 + "?",
])
def test_what_it_does_not_understand_is_none(prompt):
    assert Math().parse(prompt) is None


@pytest.mark.parametrize("prompt, kind, ops", [
    ("What is 7 + 5 - 3?", "expression", [["=", 7], ["+", 5], ["-", 3]]),
    ("7+5", "expression", [["=", 7], ["+", 5]]),
    ("what is (7 + 5) * 2 - 4", "expression", [["=", 7], ["+", 5], ["*", 2], ["-", 4]]),
    ("Compute 4 times 6 plus 5.", "expression", [["=", 4], ["*", 6], ["+", 5]]),
    ("Start with 12, double it, then take away 5.", "steps", [["=", 12], ["*", 2], ["-", 5]]),
    ("A rectangle is 4 by 6; what is its perimeter?", "perimeter", [["=", 4], ["+", 6], ["*", 2]]),
    ("x - 5 = 12. What is x plus 3?", "equation", [["=", 12], ["+", 5], ["+", 3]]),
    ("If y + 5 = 12, what is y?", "equation", [["=", 12], ["-", 5]]),
    ("What is twice the sum of 7 and 5?", "words", [["=", 7], ["+", 5], ["*", 2]]),
    ("Tom is 12. Zelda is 3 years older than Tom. How old is Zelda?", "ages", [["=", 12], ["+", 3]]),
])
def test_unseen_reads_typed_questions(prompt, kind, ops):
    assert MathUnseen().parse(prompt) == {"kind": kind, "ops": ops}


@pytest.mark.parametrize("prompt", [
    "What is 7 + 5 * 2?", "What is 2 * (7 + 5)?", "What is (7 + 5) * (3 - 1)?", "What is 7 5?", "What is 12 / 4?",
    "What is 1.5 + 2?", "If x + 5 = 12, what is y?", "2x = 12. What is x?", "What is x?", "What is 7?", "What is +?",
    "Start with 12, halve it, add 3. What do you get?", "Tom is 12. Anna is 3 years older than Tom. How old is Tom?",
    "Tom is 12. Anna is 3 years older than Ben. How old is Anna?", "", "((((", "What is " + "9" * 5000 + " + 1?",
    "What is " + "(" * 2000 + "?", "What is the difference between 3 and 9?",
])
def test_unseen_reads_nothing_else(prompt):
    assert MathUnseen().parse(prompt) is None


# -- answers and grades --------------------------------------------------------------------------------


@each_family
def test_careful_authors_are_always_right(task):
    for content, prompt, rng in questions(task, 400, seed=8):
        answer = task.author(content, CAREFUL, rng)
        assert task.grade(content, answer).right
        assert task.solve(prompt) == task.reference(content)
        assert answer.endswith(f"The answer is {task.reference(content)}.")
        assert len(answer.split()) <= 35
        for left, sign, right, result in re.findall(r"(\d+) ([-+*]) (\d+) = (\d+)\.", answer):
            assert values([["=", int(left)], [sign, int(right)]])[-1] == int(result)


@each_family
def test_careless_authors_do_the_first_operation_only(task):
    right = 0
    n = 3000
    for content, _, rng in questions(task, n, seed=9):
        careful, careless = (task.author(content, care, rng) for care in (CAREFUL, CARELESS))
        first = steps(content["ops"])[0]
        assert careless == f"{first} The answer is {values(content['ops'])[1]}."
        assert careful.startswith(first)
        # Harmless exactly where there is one operation.
        assert task.grade(content, careless).right == (len(content["ops"]) == 2)
        right += task.grade(content, careless).right
    assert 0.30 <= right / n <= 0.40


def test_shares_of_one_two_and_three_operations():
    n = 4000
    counts = Counter(len(content["ops"]) - 1 for content, _, _ in questions(Math(), n, seed=10))
    for operations, share in ((1, 0.33), (2, 0.38), (3, 0.29)):
        assert counts[operations] / n == pytest.approx(share, abs=0.03)


@each_family
def test_all_values_stay_within_0_and_99(task):
    for content, _, _ in questions(task, 1000, seed=11):
        assert 0 <= min(values(content["ops"])) and max(values(content["ops"])) <= 99


@pytest.mark.parametrize("answer, right", [
    ("7 + 5 = 12. 12 - 3 = 9. The answer is 9.", True),
    ("The answer is 9", True),
    ("  the answer is:  9 .\n", True),
    ("The answer is **9**.", True),
    ("The answer is 9.0.", True),
    ("The answer is 9. And then some more text about 12.", True),
    ("The answer is 9.\n<|user|>Next? The answer is 4.", True),
    ("The answer is 12. The answer is 9.", False),
    ("The answer is 9.5.", False),
    ("The answer is 90.", False),
    ("The answer is -9.", False),
    ("The answer is nine.", False),
    ("9", False),
    ("7 + 5 = 12. 12 - 3 = 9.", False),
    ("", False),
    ("The answer is " + "9" * 5000, False),
    ("\x00\ud800 The answer is", False),
])
def test_grades(answer, right):
    grade = Math().grade({"ops": [["=", 7], ["+", 5], ["-", 3]], "thing": "marbles"}, answer)
    assert grade.right is right
    assert "9" in grade.why


def test_grades_say_why():
    assert grade_number(9, "The answer is 12.").why == "expected 9, the answer says 12"
    assert "no sentence" in grade_number(9, "twelve").why


@each_family
def test_constants_and_echoes_score_nothing(task):
    asked = list(questions(task, 1000, seed=12))
    best = max(sum(task.grade(content, f"The answer is {n}.").right for content, _, _ in asked) for n in range(100))
    assert best / len(asked) < 0.05
    assert not any(task.grade(content, prompt).right for content, prompt, _ in asked)


# -- contents and splits -------------------------------------------------------------------------------


@each_family
def test_splits_are_deterministic_and_none_is_empty(task):
    for split in SPLITS:
        first, again = task.examples(split, 30, seed=0), task.examples(split, 40, seed=0)
        assert [e.prompt for e in first] == [e.prompt for e in again[:30]]
        assert len({canonical(e.content) for e in again}) == 40
        assert all(task.split(e.content) == split for e in again)
        assert all(json.loads(json.dumps(e.content)) == e.content for e in again)


def test_the_split_looks_at_the_operations_alone():
    task = Math()
    for content, _, _ in questions(task, 50, seed=13):
        assert task.split({**content, "thing": "dragons"}) == task.split(content)


def test_size_is_the_count_of_the_docstring():
    """Count all chains anew, by dynamic programming over (value after the first step, value, doubled)."""
    now: Counter[tuple[int, int, bool]] = Counter()
    for start in range(2, 81):
        for amount in range(2, 61):
            now.update((v, v, False) for v in (start + amount, start - amount) if 0 <= v <= 99)
        now.update([(2 * start, 2 * start, True)] if 2 * start <= 99 else [])
    now.update((a * b, a * b, True) for a in range(2, 10) for b in range(3, 10))
    total = sum(now.values())
    for _ in range(2):
        after: Counter[tuple[int, int, bool]] = Counter()
        for (first, value, doubled), count in now.items():
            nexts = [(v, doubled) for k in range(2, 61) for v in (value + k, value - k)]
            for v, d in nexts if doubled else [*nexts, (2 * value, True)]:
                if 0 <= v <= 99:
                    after[first, v, d] += count
        now = after
        total += sum(count for (first, value, _), count in now.items() if value != first)
    assert total == Math.size
    assert MathUnseen.size == 2 * Math.size


def test_verb_forms():
    assert [verb(v, third=True, past=False) for v in ("buy", "carry", "go", "pass", "catch", "have", "are")] == [
        "buys", "carries", "goes", "passes", "catches", "has", "are"]
    assert [verb(v, third=True, past=True) for v in ("buy", "carry", "move", "add")] == [
        "bought", "carried", "moved", "added"]
    assert all(past and plain for plain, past in PAST.items())
