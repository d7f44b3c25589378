"""Words and numbers that change: the question stays one of its family, and everything it says stays consistent."""

import pytest

from t2ui import builtin, vary
from t2ui.tasks import TASKS, identify

PROMPT = "Anna has 12 marbles. She gives 5 marbles to Ben. How many marbles does Anna have now?"


def by_word(prompt, scene=None):
    return {place.word: place.changed for place in vary.places(prompt, scene)}


def test_names_things_and_numbers_change_everywhere_at_once():
    found = by_word(PROMPT)
    assert {"Anna", "12", "marbles", "5", "Ben"} <= set(found)
    assert found["12"] == PROMPT.replace("12", "13")
    other = found["Anna"].split()[0]
    assert other != "Anna" and found["Anna"] == PROMPT.replace("Anna", other)
    assert "marbles" not in found["marbles"]
    for changed in found.values():
        assert TASKS["math"].parse(changed) is not None


@pytest.mark.parametrize("family", TASKS)
def test_every_change_is_still_a_question_of_its_family(family):
    for example in TASKS[family].examples(builtin.SPLIT, builtin.PER_FAMILY, builtin.SEED):
        task = identify(example.prompt, example.scene)
        for place in vary.places(example.prompt, example.scene):
            assert example.prompt[place.start :].startswith(place.word) and place.changed != example.prompt
            content = task.parse(place.changed, example.scene)
            assert content is not None and task.reference(content)


def test_most_examples_have_something_to_tap():
    samples = [e for family in TASKS for e in TASKS[family].examples(builtin.SPLIT, builtin.PER_FAMILY, builtin.SEED)]
    assert sum(bool(vary.places(e.prompt, e.scene)) for e in samples) >= 0.8 * len(samples)


def test_capitals_are_kept():
    prompt = "Tools are here: Max owns 4 tools. He gets 3 tools. How many tools does Max own?"
    changed = next((c for c in by_word(prompt).values() if "ools" not in c), None)
    assert changed is None or changed[0].isupper()


def test_what_nobody_reads_is_left_alone():
    assert vary.places("Write me 12 poems about Anna.") == [] and vary.places("") == []


def test_tapping_goes_on():
    prompt = PROMPT
    for _ in range(4):
        prompt = by_word(prompt)["5" if "5" in by_word(prompt) else next(w for w in by_word(prompt) if w.isdigit() and w != "12")]
    assert "gives 9 marbles" in prompt or TASKS["math"].parse(prompt) is not None
