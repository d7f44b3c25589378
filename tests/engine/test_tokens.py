"""Probabilities and ranks of an answer's tokens agree with a plain forward pass of one sequence."""

import pytest
import torch
from PIL import Image

from t2ui.core import Mix
from t2ui.engine import Request, answer_all
from t2ui.engine.tokens import first_difference, tokens_of

REQUESTS = (
    Request("Anna has 12 pens.", max_new_tokens=14, logprobs=True),
    Request("How many red circles?", Image.new("RGB", (48, 48), "red"), Mix({"math": 0.7, "code": 0.5}), max_new_tokens=14,
            logprobs=True),
    Request("Ben buys 4 books.", mix=Mix({"vision": (1.0, 0.5)}), prefix="The ans", max_new_tokens=9, temperature=1.0, seed=3,
            logprobs=True),
)  # fmt: skip


@pytest.fixture(scope="module")
def answered(tiny_llava):
    return answer_all(tiny_llava, REQUESTS, mode="rows")


def by_hand(loaded, request, tokens, mix):
    """(T, V) probabilities: one sequence, mix folded, transformers' own forward."""
    context = loaded.encode(request)
    ids = torch.tensor([[*context.ids, *tokens]])
    extra = {}
    if context.picture is not None:
        image = loaded.processor.image_processor(images=[context.picture.image], return_tensors="pt")
        extra = {"pixel_values": image["pixel_values"]}
    with torch.no_grad(), loaded.adapted.folded(loaded.stack.z(mix)):
        logits = loaded.model(input_ids=ids, **extra).logits[0]
    return logits[len(context.ids) - 1 : -1].softmax(-1)


def test_probabilities_and_ranks_of_both_models(tiny_llava, answered):
    found = tokens_of(tiny_llava, REQUESTS, [a.tokens for a in answered])
    for request, answer, tokens in zip(REQUESTS, answered, found, strict=True):
        assert [t.id for t in tokens] == list(answer.tokens)
        own = by_hand(tiny_llava, request, answer.tokens, request.mix)
        base = by_hand(tiny_llava, request, answer.tokens, Mix.base())
        for i, t in enumerate(tokens):
            assert t.p == pytest.approx(float(own[i, t.id]), abs=1e-4)
            assert t.p == pytest.approx(float(torch.tensor(answer.logprobs[i]).exp()), abs=1e-4)
            assert t.base_p == pytest.approx(float(base[i, t.id]), abs=1e-4)
            assert t.base_rank == int((base[i] > base[i, t.id]).sum()) + 1 and t.rank >= 1
            assert t.base_top == pytest.approx(float(base[i].max()), abs=1e-4)
    assert all(t.rank == 1 for tokens in found[:2] for t in tokens)  # greedy
    assert any(t.base_rank > 1 for t in found[1])  # and the base would have said something else
    assert all((t.p, t.rank) == (t.base_p, t.base_rank) for t in found[0])


def test_the_texts_add_up_to_the_answer(tiny_llava, answered):
    for request, answer, tokens in zip(REQUESTS, answered, tokens_of(tiny_llava, REQUESTS, [a.tokens for a in answered]),
                                       strict=True):  # fmt: skip
        assert request.prefix + "".join(t.text for t in tokens) == answer.text
        assert all(t.name for t in tokens)


def test_empty_answers_and_unequal_lists(tiny_llava):
    assert tokens_of(tiny_llava, REQUESTS[:2], [[], [5]])[0] == ()
    assert tokens_of(tiny_llava, [], []) == []
    with pytest.raises(ValueError, match="got 1 requests and 0 answers"):
        tokens_of(tiny_llava, REQUESTS[:1], [])


def test_small_batches_say_the_same(tiny_llava, answered, monkeypatch):
    from t2ui.engine import tokens

    whole = tokens_of(tiny_llava, REQUESTS, [a.tokens for a in answered])
    monkeypatch.setattr(tokens, "_LOGIT_BYTES", 1)
    for one, many in zip(tokens_of(tiny_llava, REQUESTS, [a.tokens for a in answered]), whole, strict=True):
        assert [t.base_p for t in one] == pytest.approx([t.base_p for t in many], abs=1e-5)


def test_where_answers_part():
    assert first_difference([1, 2, 3], [1, 2, 3]) is None
    assert first_difference([1, 2, 3], [1, 5, 3]) == 1
    assert first_difference([1, 2], [1, 2, 3]) == 2 == first_difference([1, 2, 3], [1, 2])
    assert first_difference([], []) is None
