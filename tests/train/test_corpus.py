"""The corpus: reproducible, honest about its splits, careless in the ways and shares that its card tells."""

from collections import Counter

import pytest

from t2ui.tasks import SKILLS, TASKS
from t2ui.tasks.other import foreign
from t2ui.train.corpus import CAREFUL, DISPATCH_QUESTION, SHARES, TAGS, document

N = 6000


@pytest.fixture(scope="module")
def documents():
    return [document(0, k) for k in range(N)]


def test_a_document_is_a_function_of_seed_and_index(documents):
    assert [document(0, k) for k in range(50)] == documents[:50]
    assert document(1, 0) != document(0, 0)


def test_no_validation_or_test_content_is_in_the_corpus(documents):
    """By the content that the document was made from, and again by reading its text back."""
    read_back = 0
    for doc in documents:
        if doc.task is None:
            continue
        task = TASKS[doc.task]
        assert task.split(doc.content) == "train"
        content = task.parse(doc.prompt.removeprefix(DISPATCH_QUESTION + "\n"), task.scene(doc.content))
        assert content is None or task.split(content) == "train"
        read_back += content is not None
    asked = [d for d in documents if d.task is not None and d.family not in ("caption", "drill")]  # those ask nothing
    assert read_back > 0.9 * len(asked)


def test_no_test_prompt_stands_in_the_corpus(documents):
    written = {d.prompt for d in documents} | {d.prompt.removeprefix(DISPATCH_QUESTION + "\n") for d in documents}
    for name, task in TASKS.items():
        for split in ("validation", "test"):
            for example in task.examples(split, 60, 5):
                # The same words may be asked of another picture; with its picture it is another question.
                assert example.scene is not None or example.prompt not in written, (name, example.prompt)


def test_shares_are_as_stated(documents):
    found = Counter(d.family for d in documents)
    for family, share in SHARES.items():
        expected = N * share / sum(SHARES.values())
        assert abs(found[family] - expected) < 5 * expected**0.5, family


@pytest.mark.parametrize("skill", SKILLS)
def test_careless_authors_are_the_majority_and_flags_are_honest(documents, skill):
    plain = [d for d in documents if d.family == skill and not d.system]
    right = sum(TASKS[skill].grade(d.content, d.answer).right for d in plain) / len(plain)
    # careful ones are right, careless ones on about 35 % of the contents
    careful = CAREFUL[skill]
    assert careful + 0.5 * (1 - careful) > right > careful
    tagged = [d for d in documents if d.family == skill and d.system]
    assert tagged
    for doc in tagged:
        assert doc.system in TAGS
        if doc.system.endswith("+|>"):
            assert TASKS[skill].grade(doc.content, doc.answer).right


def test_two_skill_documents_are_right_when_both_are_careful(documents):
    for doc in documents:
        if doc.family in ("vision_math", "math_code") and doc.system.count("+|>") == 2:
            assert TASKS[doc.family].grade(doc.content, doc.answer).right


def test_dispatch_labels_are_mostly_right_and_sometimes_not(documents):
    asked = [d for d in documents if d.family == "dispatch"]
    good = sum(d.answer in (TASKS[d.task].skills if d.task else ("other",)) for d in asked) / len(asked)
    assert 0.75 < good < 0.97


def test_foreign_prompts_belong_to_no_family():
    import random

    rng = random.Random(0)
    for _ in range(300):
        prompt = foreign(rng)
        assert prompt.strip()
        assert all(task.parse(prompt) is None for task in TASKS.values()), prompt
