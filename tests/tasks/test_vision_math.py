"""VisionMath: both skills are needed, and stories are read with care."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

from t2ui.tasks.base import SPLITS
from t2ui.tasks.pictures import make_scene
from t2ui.tasks.vision import Vision, VisionUnseen
from t2ui.tasks.vision_math import VisionMath

TASK = VisionMath()
SCENE = make_scene([(0, "red", "circle"), (1, "blue", "star"), (5, "red", "heart"), (6, "red", "circle")])
DIGIT = make_scene([(3, "red", "4"), (8, "green", "square")])


def _contents(n, seed=1):
    rng = random.Random(seed)
    return [TASK.sample(rng) for _ in range(n)]


def test_every_prompt_is_read_back_and_by_no_other_family():
    rng = random.Random(2)
    for content in _contents(600):
        prompt = TASK.prompt(content, rng)
        assert prompt.isascii() and len(prompt.split()) <= 60
        assert TASK.parse(prompt, content["scene"]) == content, prompt
        assert Vision().parse(prompt, content["scene"]) is None
        assert VisionUnseen().parse(prompt, content["scene"]) is None


def test_both_skills_are_needed():
    rng, contents = random.Random(3), _contents(1500, seed=4)
    right = Counter()
    for content in contents:
        for vision in (True, False):
            for math in (True, False):
                answer = TASK.author(content, {"vision": vision, "math": math}, rng)
                assert answer.startswith(("I see a", "The picture shows a")) and len(answer.split()) <= 40
                right[vision, math] += TASK.grade(content, answer).right
    assert right[True, True] == len(contents)
    # The usual scene has none of most things asked for, so that who does not look is right about most zeros.
    for care, most in {(True, False): 0.05, (False, True): 0.25, (False, False): 0.05}.items():
        assert right[care] < most * len(contents), care


def test_the_four_authors_of_one_story():
    prompt = "Each red circle in the picture is a box of 6 pens. Tom also has 5 pens. How many pens are there?"
    content = TASK.parse(prompt, SCENE)
    assert content == {"ask": "count", "of": ["red", "circle"], "ops": [["*", 6], ["+", 5]], "scene": SCENE}

    def said(vision, math):
        return TASK.author(content, {"vision": vision, "math": math}, random.Random(0)).split(". ", 1)[1]

    assert said(True, True) == "That makes 2. 2 * 6 = 12. 12 + 5 = 17. The answer is 17."
    assert said(True, False) == "That makes 2. 2 * 6 = 12. The answer is 12."
    assert said(False, True) == "That makes 1. 1 * 6 = 6. 6 + 5 = 11. The answer is 11."
    assert said(False, False) == "That makes 1. 1 * 6 = 6. The answer is 6."


def test_values_stay_small_and_never_below_zero():
    for content in _contents(800, seed=5):
        objects = content["scene"]["objects"]
        if content["ask"] == "digit":
            value = int(next(kind for _, _, kind in objects if kind.isdigit()))
        else:
            color, kind = content["of"]
            value = sum(color in ("", c) and kind in ("", k) for _, c, k in objects)
        assert 0 <= value <= 9 and len(content["ops"]) == 2
        for sign, n in content["ops"]:
            value = {"*": value * n, "+": value + n, "-": value - n}[sign]
            assert 0 <= value <= 99
        assert TASK.reference(content) == str(value)


def test_one_content_has_many_stories():
    for content in _contents(10, seed=6):
        assert len({TASK.prompt(content, random.Random(seed)) for seed in range(60)}) >= 58


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Tom has as many kiwis as there are stars in the picture. He buys 5 more and gives 2 to Anna. "
         "How many kiwis does Tom have?", "4"),
        ("For every red shape in the picture, Zora gets 4 beans. Then she loses 3 beans. "
         "How many beans does Zora have now?", "9"),
        ("Every circle you see is a bag of 7 nuts. 4 nuts are lost. How many nuts are there", "10"),
        ("Every circle you see is worth 7 points. Mia also has 7 points. How many points is that in all?", "21"),
    ],
)  # fmt: skip
def test_edited_stories(prompt, answer):
    assert TASK.solve(prompt, SCENE) == answer
    assert TASK.grade_prompt(prompt, f"So. The answer is {answer}.", SCENE).right


def test_a_digit_in_the_picture():
    prompt = "The digit you see says how many pens Tom has. He gets 3 more and loses 2. How many pens has Tom got?"
    assert TASK.solve(prompt, DIGIT) == "5"
    assert TASK.parse(prompt, SCENE) is None
    assert TASK.parse(prompt, make_scene([(0, "red", "4"), (1, "red", "5")])) is None


_STORY = "Tom has as many pens as there are stars in the picture. {} How many pens does Tom have?"


@pytest.mark.parametrize(
    "prompt",
    [
        _STORY.format("He buys 5 more and gives 2 to Tom."),  # to himself
        _STORY.format("Anna buys 5 more and gives 2 to Ben."),  # someone else's
        _STORY.format("Nobody buys 5 more and gives 2 to Ben."),
        _STORY.format("He buys 5 more apples and gives 2 to Ben."),  # other things
        _STORY.format("He buys 5 more and then loses 9."),  # fewer than none
        _STORY.format("He buys 5 more."),  # one operation
        _STORY.format("He buys 5 more and gives 2 to Ben. Then he loses 1."),  # three
        _STORY.format("He does not buy 5 more. He loses 1."),
        _STORY.format(f"He buys {'9' * 5000} more and gives 2 to Ben."),
        _STORY.format("He buys 5 more and gives 2 to Ben.").replace("does Tom", "does Ben"),
        _STORY.format("He buys 5 more and gives 2 to Ben.").replace("pens does", "apples does"),
        "Each star in the picture is a box of 6 pens. 2 of them get lost. How many pens are there?",  # boxes or pens?
        "How many stars are there?",
        "",
        "...",
    ],
)
def test_what_is_not_clear_is_not_read(prompt):
    assert TASK.parse(prompt, SCENE) is None


def test_without_a_scene_nothing_is_read():
    rng = random.Random(7)
    for content in _contents(30, seed=8):
        assert TASK.parse(TASK.prompt(content, rng)) is None


def test_parse_never_raises_on_garbled_stories():
    rng = random.Random(9)
    for content in _contents(200, seed=10):
        parts = TASK.prompt(content, rng).split()
        rng.shuffle(parts)
        TASK.parse(" ".join(parts), content["scene"])


def test_grading_constants_and_echoes():
    rng, contents = random.Random(11), _contents(600, seed=12)
    assert not any(TASK.grade(content, TASK.prompt(content, rng)).right for content in contents)
    for constant in ("0", "12", "20", "yes"):
        right = sum(TASK.grade(content, f"The answer is {constant}.").right for content in contents)
        assert right < 0.06 * len(contents)
    content = contents[0]
    assert TASK.grade(content, f" The answer is {TASK.reference(content)} .\nbye").right
    assert f"expected {TASK.reference(content)}" in TASK.grade(content, "The answer is 1000.").why


def _value(content):
    if content["ask"] == "digit":
        return next(int(kind) for _, _, kind in content["scene"]["objects"] if kind.isdigit())
    color, kind = content["of"]
    return sum(color in ("", c) and kind in ("", k) for _, c, k in content["scene"]["objects"])


def test_quantities_are_even():
    counts, digits = Counter(), Counter()
    for content in _contents(6000, seed=13):
        (digits if content["ask"] == "digit" else counts)[_value(content)] += 1
    assert set(counts) == {0, 1, 2, 3, 4} and set(digits) == set(range(1, 10))
    for counter in (counts, digits):
        expected = sum(counter.values()) / len(counter)
        assert all(0.7 * expected < count < 1.3 * expected for count in counter.values())
    assert 0.15 < counts[0] / 6000 < 0.19


def test_chance_is_what_the_best_blind_guess_reaches_and_a_blank_picture_comes_near_it():
    told, contents = defaultdict(Counter), _contents(12000, seed=15)
    for content in contents:
        # All that tells of the quantity: the signs, and how much is lost at first.
        (first, n), (second, _) = content["ops"]
        told[content["ask"], first, second if first == "*" else n if first == "-" else ""][_value(content)] += 1
    reached = sum(max(counter.values()) for counter in told.values()) / len(contents)
    chance = sum(TASK.chance(content) for content in contents) / len(contents)
    blank = sum(_value(content) == 0 for content in contents) / len(contents)
    assert abs(reached - chance) < 0.015
    assert 0 < chance - blank < 0.05


def test_chance_of_a_typed_story_that_is_never_made():
    prompt = (
        "Tom has as many pens as there are red shapes in the picture. "
        "He loses 3. Then he gives 0 to Ben. How many pens does Tom have?"
    )
    content = TASK.parse(prompt, SCENE)
    assert content is not None and 0 < TASK.chance(content) <= 1


def test_a_count_of_nothing_is_reckoned_with_as_any_other():
    prompt = (
        "There are as many pens as there are green circles in the picture. "
        "5 more are added. Then 2 of them are lost. How many pens are there?"
    )
    content = TASK.parse(prompt, SCENE)
    said = TASK.author(content, {"vision": True, "math": True}, random.Random(0)).split(". ", 1)[1]
    assert said == "That makes 0. 0 + 5 = 5. 5 - 2 = 3. The answer is 3."
    assert 1 / 5 <= TASK.chance(content) < 0.22


def test_splits_and_attributes():
    assert {TASK.split(content) for content in _contents(400, seed=14)} == set(SPLITS)
    assert TASK.examples("test", 3, seed=1) == TASK.examples("test", 5, seed=1)[:3]
    assert TASK.skills == ("vision", "math") and not TASK.trained and TASK.label == "vision"
    assert TASK.size == 9 * 63 * 56 * 42**3
