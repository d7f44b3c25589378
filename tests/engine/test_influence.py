"""Which words decided: equal to asking without each word, one by one; and the first pass word for word."""

import pytest
import torch
from PIL import Image

from t2ui.engine import Engine, RequestError, dispatch
from t2ui.engine.dispatch import labels_of
from t2ui.engine.influence import MAX_WORDS, influence, influence_turns, leave_out, verbatim, words_of

PROMPT = "Anna has 12 pens. How many pens are there?"


def without(prompt, i):
    words = prompt.split()
    return " ".join(words[:i] + words[i + 1 :])


def test_words_and_what_is_left():
    text = "a  b\n  c"
    assert [text[a:b] for a, b in words_of(text)] == ["a", "b", "c"]
    assert [leave_out("one two three", *span) for span in words_of("one two three")] == ["two three", "one three", "one two"]
    assert leave_out("if x:\n    return 1", 10, 16) == "if x:\n    1"
    assert [leave_out("你好 ok", *span) for span in words_of("你好 ok")] == ["好 ok", "你 ok", "你好"]
    assert words_of(" ") == []


@pytest.mark.parametrize("image", [None, Image.new("RGB", (48, 48), "red")], ids=["text", "picture"])
def test_a_change_is_what_dispatch_says_without_the_word(tiny_llava, image):
    found = influence(tiny_llava, PROMPT, image=image)
    whole = dispatch(tiny_llava, PROMPT, image)
    assert found.label == whole.choice and found.probability == pytest.approx(whole.scores[found.label], abs=1e-5)
    assert " ".join(word.text for word in found.words) == PROMPT
    for i, word in enumerate(found.words):
        alone = dispatch(tiny_llava, without(PROMPT, i), image)
        assert word.change == pytest.approx(whole.scores[found.label] - alone.scores[found.label], abs=1e-4)
        assert word.without == alone.choice
    assert max(abs(word.change) for word in found.words) > 1e-3 and found.seconds > 0


def test_another_label_and_other_labels(tiny_llava):
    whole = dispatch(tiny_llava, PROMPT)
    found = influence(tiny_llava, PROMPT, label="code")
    assert found.label == "code" and found.probability == pytest.approx(whole.scores["code"], abs=1e-5)
    two = influence(tiny_llava, PROMPT, labels=["math", "other"])
    assert two.label in ("math", "other") and {word.without for word in two.words} <= {"math", "other"}


def test_turns_say_the_same_as_one_batch(tiny_llava):
    one, steps = influence(tiny_llava, PROMPT), influence_turns(tiny_llava, PROMPT, rows=2)
    turns = 0
    while True:
        try:
            next(steps)
            turns += 1
        except StopIteration as end:
            many = end.value
            break
    assert turns == 5  # ten rows
    assert [w.change for w in many.words] == pytest.approx([w.change for w in one.words], abs=1e-4)


def test_the_engine_takes_it_in_turns(tiny_llava):
    with Engine(tiny_llava) as engine:
        found = engine.run(lambda loaded: influence_turns(loaded, PROMPT)).result(30)
        assert found.words == pytest.approx(found.words) and len(found.words) == 9
        with pytest.raises(RequestError, match="words"):
            engine.run(lambda loaded: influence_turns(loaded, "x")).result(30)


def test_what_cannot_be_measured_is_said(tiny_llava):
    with pytest.raises(RequestError, match=f"{MAX_WORDS + 1} words; the influence of at most {MAX_WORDS}"):
        influence(tiny_llava, "a " * (MAX_WORDS + 1))
    for bad in ("", "word"):
        with pytest.raises(RequestError, match="fewer than two words"):
            influence(tiny_llava, bad)
    with pytest.raises(RequestError, match="asks no question"):
        influence(tiny_llava, PROMPT, strategy="few-shot:both")
    with pytest.raises(RequestError, match="no classifier expert"):
        influence(tiny_llava, PROMPT, strategy="classifier")
    with pytest.raises(RequestError, match="label must be one of math"):
        influence(tiny_llava, PROMPT, label="chess")


def test_word_for_word(tiny_llava):
    found = verbatim(tiny_llava, PROMPT)
    assert "What kind of question is this: math, code, vision or other?\n" + PROMPT in found.question
    assert found.question.startswith("<s><|user|>") and found.question.rstrip().endswith("<|assistant|>")
    ids = list(tiny_llava.codec.ids(found.question)[0])
    logprob = 0.0
    said = []
    for _ in range(16):
        with torch.no_grad():
            values = tiny_llava.model(input_ids=torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        said.append(int(values.argmax()))
        ids.append(said[-1])
        logprob += float(values.max())
        if said[-1] in tiny_llava.eos:
            break
    assert found.answer == tiny_llava.codec.raw(said)
    assert found.probability == pytest.approx(torch.tensor(logprob).exp().item(), rel=1e-3)
    assert "other" in labels_of(tiny_llava)
    with pytest.raises(RequestError, match="asks no question"):
        verbatim(tiny_llava, PROMPT, strategy="few-shot:x")


def test_the_classifier_answers_with_its_own_z(tiny_llava, monkeypatch):
    from t2ui.core import Expert
    from t2ui.engine.model import Loaded

    z = 1 + 0.8 * torch.randn(tiny_llava.adapted.R, generator=torch.Generator().manual_seed(5))
    expert = Expert.from_z(tiny_llava.adapted, "judge", z, objective="random", role="dispatcher")
    monkeypatch.setattr(Loaded, "dispatcher", expert)
    found = influence(tiny_llava, PROMPT, strategy="classifier")
    assert found.probability == pytest.approx(dispatch(tiny_llava, PROMPT, strategy="classifier").scores[found.label], abs=1e-5)
    plain, judged = verbatim(tiny_llava, PROMPT), verbatim(tiny_llava, PROMPT, strategy="classifier")
    assert judged.question == plain.question and judged.probability != plain.probability
