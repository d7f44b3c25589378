"""choose(): probabilities that sum to 1 and equal brute-force scoring of every whole label."""

import math

import pytest
from PIL import Image

from t2ui.core import Mix
from t2ui.engine import Request, RequestError, choose, score
from t2ui.engine.choose import choose_all

LABELS = ("math", "code", "a rather long label", "other", "x")


def brute_force(loaded, request, labels):
    sums = [sum(v) for v in score(loaded, [request] * len(labels), list(labels), mode="rows")]
    top = max(sums)
    total = sum(math.exp(s - top) for s in sums)
    return {label: math.exp(s - top) / total for label, s in zip(labels, sums, strict=True)}


@pytest.mark.parametrize("name", ["tiny_llava", "tiny_lm"])
@pytest.mark.parametrize("mix", [None, Mix.single("math")], ids=["base", "math"])
def test_choose_is_brute_force_scoring(request, name, mix):
    loaded = request.getfixturevalue(name)
    prompt = "Anna has 12 pens. How many pens are there?"
    found = choose(loaded, prompt, LABELS, question="Kind?\n{prompt}", mix=mix)
    assert sum(found.values()) == pytest.approx(1) and list(found) == list(LABELS)
    wanted = brute_force(loaded, Request(f"Kind?\n{prompt}", mix=mix or Mix.base()), LABELS)
    assert found == pytest.approx(wanted, abs=1e-4)


def test_with_a_picture_and_in_batches(tiny_llava):
    image = Image.new("RGB", (48, 48), "purple")
    asked = [Request("How many?", image), Request("Ben buys 4 books and gives 3 to Anna."), Request("x", image)]
    together = choose_all(tiny_llava, asked, LABELS, batch_size=2)
    for request, found in zip(asked, together, strict=True):
        assert found == pytest.approx(brute_force(tiny_llava, request, LABELS), abs=1e-4)
    assert together[0] != pytest.approx(choose(tiny_llava, "How many?", LABELS), abs=1e-4), "the picture must matter"


def test_a_label_is_text_and_cannot_end_the_answer(tiny_llava):
    found = choose(tiny_llava, "How many?", ["math", "math</s>"])
    assert sum(found.values()) == pytest.approx(1) and found["math"] != pytest.approx(found["math</s>"])


@pytest.mark.parametrize("labels", [(), ("a", "a"), ("a", "")])
def test_bad_labels_are_refused(tiny_llava, labels):
    with pytest.raises(RequestError, match="labels must be different"):
        choose(tiny_llava, "How many?", labels)


def test_an_empty_prompt_is_refused(tiny_llava):
    with pytest.raises(RequestError, match="empty"):
        choose(tiny_llava, "  ", LABELS, question="Kind?\n{prompt}")


def test_braces_in_a_prompt_are_only_braces(tiny_llava):
    assert choose(tiny_llava, "{prompt} {0} {", ["a", "b"], question="Kind?\n{prompt}")
