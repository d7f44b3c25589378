"""Vision: which of two lies where. Noted while listing, then compared; captions practise the same."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from t2ui.tasks.pictures import make_scene
from t2ui.tasks.vision import Vision, VisionUnseen
from t2ui.tasks.vision_common import ANSWERED, COMPARING, OPPOSITE, PREPOSITIONS, SIDES, comparing

CAREFUL, CARELESS = {"vision": True}, {"vision": False}
SCENE = make_scene([(0, "red", "circle"), (1, "blue", "star"), (5, "red", "heart"), (6, "green", "square")])


def _contents(task, n, seed=1):
    rng = random.Random(seed)
    return [task.sample(rng) for _ in range(n)]


@pytest.mark.parametrize(
    ("prompt", "careful", "careless"),
    [
        ("Which is further left, the heart or the star?",
         "I see a red circle, a blue star (column 2 star), a red heart (column 3 heart) and a green square. "
         "The column 2 star is left of the column 3 heart. The answer is star.",
         "I see a red circle, a blue square and a yellow star. "
         "The column 1 heart is left of the column 2 star. The answer is heart."),
        ("Is the blue one below the green one?",
         "I see a red circle, a blue star (row 1 blue one), a red heart and a green square (row 3 green one). "
         "The row 3 green one is below the row 1 blue one. The answer is no.",
         "I see a red circle, a blue square and a yellow star. "
         "The row 2 green one is below the row 1 blue one. The answer is no."),
        ("Is the red circle left of the star?",
         "I see a red circle (column 1 circle), a blue star (column 2 star), a red heart and a green square. "
         "The column 1 circle is left of the column 2 star. The answer is yes.",
         "I see a red circle (column 1 circle), a blue square and a yellow star (column 3 star). "
         "The column 1 circle is left of the column 3 star. The answer is yes."),
    ],
)  # fmt: skip
def test_places_are_noted_while_listing_and_then_compared(prompt, careful, careless):
    task = Vision()
    content = task.parse(prompt, SCENE)
    for care, expected in ((CAREFUL, careful), (CARELESS, careless)):
        said = task.author(content, care, random.Random(1)).replace("The picture shows", "I see")
        assert said == expected


_PLACED = re.compile(r"The (column|row) ([123]) [a-z ]+ is (left of|right of|above|below) the \1 ([123]) [a-z ]+\.")


def test_the_comparison_holds_between_the_numbers_whoever_writes():
    task, rng = Vision(), random.Random(25)
    for content in _contents(task, 2000, seed=26):
        if content["ask"] not in ("which", "relation"):
            continue
        for care in (CAREFUL, CARELESS):
            found = _PLACED.search(task.author(content, care, rng))
            assert found is not None
            axis, first, words, second = found.groups()
            assert words == ANSWERED[content["side"]]
            assert (first < second) is (words in ("left of", "above"))
            assert (axis == "column") is (content["side"] in ("left", "right"))


def test_captions_compare_in_the_words_of_the_answers():
    rng, sides, none = random.Random(27), Counter(), 0
    for content in _contents(Vision(), 600, seed=28) + _contents(VisionUnseen(), 200, seed=28):
        items = [tuple(item) for item in content["scene"]["objects"]]
        text = comparing(items, rng)
        if text is None:
            none += 1
            continue
        listed, *compared = re.split(r"(?<=\.) ", text)
        notes = re.findall(r"\(((?:column|row) [123]) (\w+)\)", listed)
        assert len(notes) >= 2 and len(dict(notes)) == len({name for _, name in notes}) == len(notes)
        assert len(compared) == len(notes) * (len(notes) - 1) // 2
        for sentence in compared:
            found = re.fullmatch(r"The (\w+ \d) (\w+) is (.+) the (\w+ \d) (\w+)\.", sentence)
            assert dict(notes)[found[1]] == found[2] and dict(notes)[found[4]] == found[5]
            assert (found[1] < found[4]) is (found[3] in ("left of", "above"))
            sides[found[3]] += 1
    assert set(sides) == set(ANSWERED.values()) and max(sides.values()) < 1.5 * min(sides.values())
    assert 0 < none < 400


def test_words_for_places_mean_one_side_each():
    assert set(COMPARING) == set(PREPOSITIONS) == set(OPPOSITE) == set(SIDES)
    for table in (COMPARING, PREPOSITIONS):
        phrases = [phrase for side in SIDES for phrase in table[side]]
        assert len(phrases) == len(set(phrases))
