from collections import Counter

import pytest

from t2ui.tasks import SKILLS, TASKS
from t2ui.tasks.pictures import read
from t2ui.train.handwritten import SETS, grade, picture_of, prompts_of, read_file

both = pytest.mark.parametrize("path", SETS.values(), ids=SETS)


def _asked(prompt, scene):
    """A question is its words and its picture: "What color is the circle?" has many answers."""
    return prompt.lower(), None if scene is None else str(sorted(map(list, scene["objects"])))


def _question(item):
    picture = picture_of(item)
    return _asked(item["prompt"], None if picture is None else read(picture))


@both
def test_fifty_a_family_and_sixty_foreign(path):
    items = read_file(path)
    assert Counter(i["task"] for i in items) == {**dict.fromkeys(SKILLS, 50), "other": 60}
    assert len({i["prompt"] for i in items}) == len(items) and len({i["id"] for i in items}) == len(items)


@both
def test_the_reference_answers_are_graded_right_and_others_wrong(path):
    for item in read_file(path):
        if item["task"] == "other":
            continue
        if item["task"] == "code":
            assert grade(item, item["answer"]), item["id"]
            assert not grade(item, f"def {item['entry']}(xs):\n    return 12345"), item["id"]
        else:
            assert grade(item, f"Some steps. The answer is {item['answer']}."), item["id"]
            assert not grade(item, "The answer is 999."), item["id"]
        assert not grade(item, "") and not grade(item, item["prompt"])


@both
def test_where_a_family_reads_a_hand_written_prompt_it_agrees_with_the_hand(path):
    """solve() may not know a wording; where it does, it must not contradict the person who wrote it."""
    read_by_own = 0
    for item in read_file(path):
        scene = None if picture_of(item) is None else read(picture_of(item))
        for task in TASKS.values():
            content = task.parse(item["prompt"], scene)
            if content is None:
                continue
            assert item["task"] in task.name or task.name.startswith(item["task"]), (item["id"], task.name)
            if item["task"] == "code":
                assert task.grade(content, item["answer"]).right, item["id"]
            elif item["task"] == "reasoning":
                assert task.reference(content) == content["options"]["ABCD".index(item["answer"])], item["id"]
            else:
                assert task.reference(content).lower() == item["answer"].lower(), item["id"]
            read_by_own += 1
    assert read_by_own >= 20


def test_the_two_sets_are_different():
    """Written apart, four of 260 prompts fell out alike ("lol ok", a total of a list); more would be a copy."""
    one, other = ({_question(i) for i in read_file(path)} for path in SETS.values())
    assert len(one & other) <= 4


def test_no_hand_written_prompt_is_in_the_corpus():
    from t2ui.train.corpus import document

    written = {_question(i) for path in SETS.values() for i in read_file(path)}
    assert not [d for d in (document(0, k) for k in range(3000)) if _asked(d.prompt, d.scene) in written]


@both
def test_pictures_stand_where_they_should(path):
    for name, good, prompts, pictures in prompts_of(path):
        assert len(prompts) == len(pictures) and good
        assert all((p is not None) == (name == "handwritten vision") for p in pictures)
