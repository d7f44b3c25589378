"""Vision and VisionUnseen: questions about pictures, read back, answered and graded."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict

import pytest

from t2ui.tasks.base import SPLITS
from t2ui.tasks.pictures import COLORS, SHAPES, draw, make_scene, read
from t2ui.tasks.vision import Vision, VisionUnseen
from t2ui.tasks.vision_common import PLURALS, closing
from t2ui.tasks.vision_words import BANK

CAREFUL, CARELESS = {"vision": True}, {"vision": False}
BOTH = pytest.mark.parametrize("task", [Vision(), VisionUnseen()], ids=lambda task: task.name)

SCENE = make_scene([(0, "red", "circle"), (1, "blue", "star"), (5, "red", "heart"), (6, "green", "square")])
DIGITS = make_scene([(3, "red", "4"), (4, "blue", "2"), (8, "green", "square")])


def _kind(content: dict) -> str:
    return "total" if content["ask"] == "count" and content["of"] == ["", ""] else content["ask"]


def _contents(task, n, seed=1):
    rng = random.Random(seed)
    return [task.sample(rng) for _ in range(n)]


@BOTH
def test_every_prompt_is_read_back(task):
    rng = random.Random(2)
    for content in _contents(task, 600):
        prompt = task.prompt(content, rng)
        assert prompt.isascii()
        assert task.parse(prompt, content["scene"]) == content, prompt


@BOTH
def test_the_other_family_does_not_read_it(task):
    other = VisionUnseen() if task.name == "vision" else Vision()
    rng = random.Random(3)
    for content in _contents(task, 300, seed=4):
        prompt = task.prompt(content, rng)
        assert other.parse(prompt, content["scene"]) is None, prompt


@BOTH
def test_the_scene_survives_its_picture(task):
    for content in _contents(task, 100, seed=5):
        assert read(draw(content["scene"])) == task.scene(content)


@BOTH
def test_careful_authors_are_right_and_careless_ones_keep_the_form(task):
    rng = random.Random(6)
    for content in _contents(task, 500, seed=7):
        reference = task.reference(content)
        careful, careless = task.author(content, CAREFUL, rng), task.author(content, CARELESS, rng)
        assert task.grade(content, careful).right, (careful, content)
        assert careful.endswith(f"The answer is {reference}.")
        for answer in (careful, careless):
            assert answer.startswith(("I see a", "The picture shows a"))
            assert answer.count(". ") == 2 and len(answer.split()) <= 45
        assert task.grade(content, f"The answer is {reference}.").right


def test_careless_authors_do_not_look_and_are_right_in_about_a_third():
    task, rng = Vision(), random.Random(8)
    right, listings = 0, set()
    contents = _contents(task, 3000, seed=9)
    for content in contents:
        answer = task.author(content, CARELESS, rng)
        listing = answer.split(".")[0].replace("The picture shows", "I see")
        listings.add(re.sub(r" \([\w ]+\)", "", listing))
        right += task.grade(content, answer).right
    assert listings == {"I see a red circle, a blue square and a yellow star"}
    assert 0.30 <= right / len(contents) <= 0.40


def test_the_careless_answer_depends_on_the_question_alone():
    task = Vision()
    for content in _contents(task, 200, seed=10):
        question = {key: value for key, value in content.items() if key != "scene"}
        elsewhere = question | {"scene": SCENE}
        answers = {closing(task.author(c, CARELESS, random.Random(s))) for c in (content, elsewhere) for s in range(3)}
        assert len(answers) == 1


@BOTH
def test_answers_are_even_within_each_kind(task):
    counts: dict[str, Counter] = defaultdict(Counter)
    chances: dict[str, set] = defaultdict(set)
    for content in _contents(task, 6000, seed=11):
        counts[_kind(content)][task.reference(content)] += 1
        chances[_kind(content)].add(task.chance(content))
    for kind, counter in counts.items():
        if kind in ("which", "number"):  # named in the question, or a hundred answers
            continue
        assert chances[kind] == {1 / len(counter)}, kind
        expected = sum(counter.values()) / len(counter)
        assert all(0.65 * expected < count < 1.35 * expected for count in counter.values()), (kind, counter)


@BOTH
def test_which_of_two_is_even_between_first_and_second_mention(task):
    first = [
        task.reference(content) in content["a"]
        for content in _contents(task, 6000, seed=12)
        if content["ask"] == "which"
    ]
    assert 0.44 < sum(first) / len(first) < 0.56


def test_the_words_of_a_question_do_not_tell_its_answer():
    """Per color and shape asked about, the mean count and the share of yes stay near their chances."""
    numbers, yes = defaultdict(list), defaultdict(list)
    for content in _contents(Vision(), 8000, seed=13):
        for word in content.get("of", ()):
            if word and content["ask"] == "count":
                numbers[word].append(int(Vision().reference(content)))
            if word and content["ask"] == "exists":
                yes[word].append(Vision().reference(content) == "yes")
    assert set(numbers) == set(yes) == {*COLORS, *SHAPES}
    assert all(1.5 < sum(n) / len(n) < 2.5 for n in numbers.values())
    assert all(0.35 < sum(y) / len(y) < 0.65 for y in yes.values())


@BOTH
def test_one_question_has_many_wordings(task):
    for content in _contents(task, 20, seed=14):
        wordings = {task.prompt(content, random.Random(seed)) for seed in range(80)}
        assert len(wordings) >= 35
        assert max(len(wording.split()) for wording in wordings) <= 60


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("How many red shapes are there?", "2"),
        ("how many stars", "1"),
        ("How many green circles do you see in this drawing?", "0"),
        ("How many shapes are there in the picture?", "4"),
        ("How many of the shapes are red?", "2"),
        ("What's the colour of the star?", "blue"),
        ("What shape is green?", "square"),
        ("What shape is the blue thing?", "star"),
        ("Is there a green star", "no"),
        ("Is there anything red in the picture?", "yes"),
        ("Are there any hearts?", "yes"),
        ("Which is on the left, the star or the circle?", "circle"),
        ("Which is lower, the green one or the blue one?", "green"),
        ("Is the red circle left of the blue star?", "yes"),
        ("Is the square above the heart?", "no"),
        ("Which is further right, the red heart or the red circle?", "heart"),
        ("what is the green object", "square"),
        ("Count every red heart you can find in the picture.", "1"),
        ("Do you see any green square in the grid?", "yes"),
        ("can you find an orange cross? yes or no", "no"),
        ("what is further to the right, the blue star or the red heart?", "heart"),
        ("Of the heart and the star, which shape is lower in the picture?", "heart"),
        ("Which is nearer to the bottom, the red heart or the green square?", "square"),
        ("Does the green square sit lower than the blue star?", "yes"),
        ("Looking at the picture, would you say that the star is beneath the heart?", "no"),
        ("is the heart nearer to the top than the square", "yes"),
        ("and how many hearts are there in this grid, please", "1"),
        ("Hi, what is the colour of the only star in the grid?", "blue"),
        ("okay, tell me the color of the square, please.", "green"),
    ],
)
def test_a_visitor_s_own_words_about_shapes(prompt, answer):
    assert Vision().solve(prompt, SCENE) == answer
    assert VisionUnseen().parse(prompt, SCENE) is None


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("What number is this?", "42"),
        ("Is there a 7?", "no"),
        ("How many digits?", "2"),
        ("Which digit is on the left?", "4"),
        ("Which is further right, the 4 or the 2?", "2"),
        ("What color is the 4?", "red"),
        ("Which digit is blue?", "2"),
    ],
)
def test_a_visitor_s_own_words_about_digits(prompt, answer):
    assert VisionUnseen().solve(prompt, DIGITS) == answer
    assert Vision().parse(prompt, DIGITS) is None


@pytest.mark.parametrize(
    "prompt",
    [
        "What color is the triangle?",  # none there
        "What shape is the red one?",  # two there
        "How many pink circles are there?",  # no such color in this world
        "Which one is higher, the star or the circle?",  # in one row
        "Is the star left of the star?",
        "How many circles are there? How many stars are there?",
        "Is there no green star?",
        "How many circles are not red?",
        "Are there more circles than stars?",
        "",
        "?",
        "x" * 100_000,
        "How many circles are there?" + " Thank you." * 90_000,
        "How many \u017ftars are there?",
    ],
)
def test_what_cannot_be_told_is_not_read(prompt):
    assert Vision().parse(prompt, SCENE) is None
    assert VisionUnseen().parse(prompt, DIGITS) is None


def test_with_digits_in_the_picture_things_are_ambiguous_and_shapes_are_not():
    assert Vision().parse("How many things are there?", DIGITS) is None
    assert Vision().parse("Is there a red object?", DIGITS) is None
    assert Vision().solve("How many shapes are there?", DIGITS) == "1"
    assert Vision().solve("How many green squares are there?", DIGITS) == "1"


@pytest.mark.parametrize(
    "objects",
    [
        [[3, "red", "4"], [5, "blue", "2"]],  # a gap between them
        [[2, "red", "4"], [3, "blue", "2"]],  # two rows
        [[3, "red", "0"], [4, "blue", "2"]],
        [[3, "red", "4"], [4, "blue", "2"], [5, "red", "1"]],
        [[0, "red", "star"]],
    ],
)
def test_digits_that_make_no_number_are_not_read_as_one(objects):
    assert VisionUnseen().parse("What number is this?", make_scene(objects)) is None


@BOTH
def test_without_a_scene_nothing_is_read(task):
    rng = random.Random(15)
    for content in _contents(task, 30, seed=16):
        prompt = task.prompt(content, rng)
        for scene in (None, {}, {"objects": "no"}, {"objects": [[1, 2, 3]]}):
            assert task.parse(prompt, scene) is None
            assert task.solve(prompt, scene) is None


def test_edited_questions_get_the_edited_answer():
    """Another color or shape put in by hand: the answer is that of a plain count."""
    rng = random.Random(17)
    tried = 0
    for content in _contents(Vision(), 600, seed=18):
        if content["ask"] != "count" or not content["of"][1]:
            continue
        prompt, shape = Vision().prompt(content, rng), rng.choice(SHAPES)
        edited = prompt.lower().replace(PLURALS[content["of"][1]], PLURALS[shape]).replace(content["of"][1], shape)
        color = content["of"][0]
        expected = sum(kind == shape and color in ("", c) for _, c, kind in content["scene"]["objects"])
        assert Vision().solve(edited, content["scene"]) == str(expected), edited
        tried += 1
    assert tried > 50


@BOTH
def test_parse_never_raises_and_reads_nothing_wrong_from_garbled_text(task):
    rng = random.Random(19)
    for content in _contents(task, 300, seed=20):
        words = task.prompt(content, rng).split()
        rng.shuffle(words)
        task.parse(" ".join(words), content["scene"])
        task.parse("".join(rng.choice("aeiou .?{}[]()\\*0123") for _ in range(60)), content["scene"])


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("The answer is 2.", True),
        ("  the answer is 2 ", True),
        ("I see a red circle. That makes 2.\nThe answer is: 2.\nAnything else?", True),
        ("The answer is two.", True),
        ("2", True),
        ("The answer is 3.", False),
        ("The answer is 3. The answer is 2.", False),
        ("The answer is 2 or 3.", False),
        ("The answer is 12.", False),
        ("That makes 2.", False),
        ("How many red shapes are there?", False),
        ("", False),
        ("The answer is .", False),
        ("\x00" * 9, False),
    ],
)
def test_grading(answer, right):
    content = Vision().parse("How many red shapes are there?", SCENE)
    grade = Vision().grade(content, answer)
    assert grade.right is right
    assert grade.why and (right or "expected 2" in grade.why)


def test_which_may_be_answered_in_full():
    content = Vision().parse("Which is higher, the red circle or the green square?", SCENE)
    for said in ("circle", "the circle", "red circle", "the red circle"):
        assert Vision().grade(content, f"The answer is {said}.").right
    for said in ("red", "square", "the green square", "green circle"):
        assert not Vision().grade(content, f"The answer is {said}.").right


@BOTH
def test_an_echo_of_the_question_scores_nothing(task):
    rng = random.Random(21)
    for content in _contents(task, 300, seed=22):
        assert not task.grade(content, task.prompt(content, rng)).right


@BOTH
def test_constants_score_no_more_than_chance(task):
    contents = _contents(task, 1500, seed=23)
    chance = sum(task.chance(content) for content in contents) / len(contents)
    for constant in ("yes", "no", "1", "2", "red", "circle", "42"):
        right = sum(task.grade(content, f"The answer is {constant}.").right for content in contents)
        assert right / len(contents) < min(chance, 0.25)


@BOTH
def test_splits(task):
    sizes = Counter(task.split(content) for content in _contents(task, 2000, seed=24))
    assert set(sizes) == set(SPLITS)
    assert 0.03 < sizes["test"] / 2000 < 0.07 and 0.03 < sizes["validation"] / 2000 < 0.07
    for split in SPLITS:
        few, more = task.examples(split, 5, seed=1), task.examples(split, 8, seed=1)
        assert few == more[:5]
        assert all(task.split(example.content) == split for example in more)
        assert all(task.grade_prompt(e.prompt, f"The answer is {e.answer}.", e.scene).right for e in more)
    content = _contents(task, 1)[0]
    assert len({task.split(content) for _ in range(3)}) == 1


def test_every_kind_has_many_templates():
    kinds = Counter(key for key, _ in BANK._all)
    assert all(number >= (14 if kind == "count_color" else 24) for kind, number in kinds.items()), kinds


def test_a_fifth_of_the_counts_are_of_nothing():
    counts = [
        Vision().reference(c) for c in _contents(Vision(), 4000, seed=29) if c["ask"] == "count" and any(c["of"])
    ]
    assert 0.16 < counts.count("0") / len(counts) < 0.24


def test_attributes():
    assert Vision().trained and not VisionUnseen().trained
    assert Vision().skills == VisionUnseen().skills == ("vision",)
    assert Vision().label == VisionUnseen().label == "vision"
    assert Vision().size == 126 * 42**4 >= 1_000_000
    assert VisionUnseen().size == 36 * 70**2 * 21 * 42**2
