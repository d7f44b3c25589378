from collections import Counter

from t2ui.tasks import SKILLS, TASKS
from t2ui.train.handwritten import grade, picture_of, prompts_of, read_file


def test_fifty_a_family_and_sixty_foreign():
    items = read_file()
    assert Counter(i["task"] for i in items) == {**dict.fromkeys(SKILLS, 50), "other": 60}
    assert len({i["prompt"] for i in items}) == len(items) and len({i["id"] for i in items}) == len(items)


def test_the_reference_answers_are_graded_right_and_others_wrong():
    for item in read_file():
        if item["task"] == "other":
            continue
        if item["task"] == "code":
            assert grade(item, item["answer"]), item["id"]
            assert not grade(item, f"def {item['entry']}(xs):\n    return 12345"), item["id"]
        else:
            assert grade(item, f"Some steps. The answer is {item['answer']}."), item["id"]
            assert not grade(item, "The answer is 999."), item["id"]
        assert not grade(item, "") and not grade(item, item["prompt"])


def test_where_a_family_reads_a_hand_written_prompt_it_agrees_with_the_hand():
    """solve() may not know a wording; where it does, it must not contradict the person who wrote it."""
    from t2ui.tasks.pictures import read

    read_by_own = 0
    for item in read_file():
        scene = None if picture_of(item) is None else read(picture_of(item))
        for task in TASKS.values():
            content = task.parse(item["prompt"], scene)
            if content is None:
                continue
            assert item["task"] in task.name or task.name.startswith(item["task"]), (item["id"], task.name)
            if item["task"] == "code":
                assert task.grade(content, item["answer"]).right, item["id"]
            else:
                assert task.reference(content).lower() == item["answer"].lower(), item["id"]
            read_by_own += 1
    assert read_by_own >= 20


def test_no_hand_written_prompt_is_in_the_corpus():
    from t2ui.train.corpus import document

    written = {i["prompt"].lower() for i in read_file()}
    assert not [d for d in (document(0, k) for k in range(3000)) if d.prompt.lower() in written]


def test_pictures_stand_where_they_should():
    for name, good, prompts, pictures in prompts_of():
        assert len(prompts) == len(pictures) and good
        assert all((p is not None) == (name == "handwritten vision") for p in pictures)
