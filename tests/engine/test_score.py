"""Teacher forcing agrees with a plain forward pass over one sequence at a time."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from t2ui.core import Mix
from t2ui.engine import Request, score, teacher_forced
from t2ui.engine.score import can_share, common_prefix, encode_target, teacher_forced_siblings

GREEN = Image.new("RGB", (48, 48), (20, 200, 20))
REQUESTS = (
    Request("Anna has 12 pens."),
    Request("How many red circles are there?", GREEN, Mix.single("math")),
    Request("def total(xs):", mix=Mix({"code": (1.0, 0.0)})),
    Request("Ben buys 4 books and gives 3 to Anna.", system="Be brief.", prefix="The", mix=Mix.single("math", 0.5)),
)
TARGETS = ("12", "The answer is 7.", "return sum(xs)", " answer")


def by_hand(loaded, request, target):
    """Sum of log-probabilities of target + terminator: one sequence, mix folded, transformers' own forward."""
    context, ids = encode_target(loaded, request, target)
    text, _ = loaded.codec.render(request, request.image is not None)
    with torch.no_grad(), loaded.adapted.folded(loaded.stack.z(request.mix)):
        if request.image is not None:
            given = loaded.processor(text=text, images=request.image, return_tensors="pt", add_special_tokens=False)
            whole = torch.cat([given["input_ids"], torch.tensor([ids])], dim=1)
            logits = loaded.model(input_ids=whole, pixel_values=given["pixel_values"]).logits[0]
        else:
            whole = torch.tensor([[*context.ids, *ids]])
            logits = loaded.model(input_ids=whole).logits[0]
    logprobs = logits.log_softmax(-1)
    start = whole.shape[1] - len(ids)
    return [float(logprobs[start + i - 1, t]) for i, t in enumerate(ids)]


@pytest.mark.parametrize("mode", ["rows", "fold", "auto"])
@pytest.mark.parametrize("batch_size", [128, 2])
def test_scores_are_those_of_single_sequences(tiny_llava, mode, batch_size):
    values = score(tiny_llava, REQUESTS, TARGETS, batch_size, mode)
    for request, target, value in zip(REQUESTS, TARGETS, values, strict=True):
        assert value == pytest.approx(by_hand(tiny_llava, request, target), abs=2e-4)


def test_a_text_target_ends_with_the_terminator(tiny_llava, tiny_lm):
    for loaded in (tiny_llava, tiny_lm):
        context, ids = encode_target(loaded, Request("How many?"), "12 pens")
        assert ids[-1] == loaded.terminator == 2
        assert loaded.codec.text(ids) == "12 pens"
        whole = loaded.codec.ids(loaded.codec.render(Request("How many?"), False)[0] + "12 pens")[0]
        assert [*context.ids, *ids[:-1]] == whole


def test_a_target_that_joins_with_the_prompt_takes_the_shared_token(tiny_lm):
    request = Request("x", prefix="The ans")
    context, ids = encode_target(tiny_lm, request, "wer is")
    assert len(context.ids) < len(tiny_lm.encode(request).ids)
    assert tiny_lm.codec.text([*context.ids, *ids]).endswith("The answer is")


def test_logits_carry_gradients_to_z(tiny_lm):
    contexts = [tiny_lm.encode(Request(p)) for p in ("Anna has 12 pens.", "x")]
    z = tiny_lm.adapted.train_mode()
    try:
        logits, ids, mask = teacher_forced(tiny_lm, contexts, [[5, 6, 7], [8]])
        assert logits.shape[:2] == ids.shape == mask.shape == (2, 3)
        assert mask.tolist() == [[True, True, True], [False, False, True]]
        assert ids[mask].tolist() == [5, 6, 7, 8]
        logits.log_softmax(-1).gather(-1, ids[..., None])[..., 0][mask].sum().backward()
        grads = [p.grad for p in z.values()]
        assert all(g is not None and torch.isfinite(g).all() for g in grads) and any(g.abs().max() > 0 for g in grads)
    finally:
        tiny_lm.adapted.eval_mode()


def test_unequal_lists_and_empty_targets_are_refused(tiny_lm):
    with pytest.raises(ValueError, match="got 1 requests and 2 targets"):
        score(tiny_lm, [Request("x")], ["a", "b"])
    with pytest.raises(ValueError, match="target 0 is empty"):
        score(tiny_lm, [Request("x")], [[]])


def test_common_prefix():
    assert [common_prefix(*pair) for pair in (("abc", "abd"), ("ab", "abc"), ("", "a"), ("ab", "ab"))] == [2, 2, 0, 2]


def test_siblings_behind_one_context_are_each_of_them_alone(tiny_llava, tiny_lm):
    """One context read once, with several answers beside each other: the same logits, and the same gradient of the embeddings."""
    said = [[[5, 6, 7, 2], [9], [8, 8, 2]], [[2], [11, 3], [4, 5, 6, 7, 8, 2]]]
    for loaded, asked in ((tiny_llava, REQUESTS[:2]), (tiny_lm, (REQUESTS[0], REQUESTS[2]))):
        contexts = [loaded.encode(replace(request, mix=Mix.base())) for request in asked]
        assert can_share(loaded, contexts)
        table = loaded.model.get_input_embeddings().weight
        found = {}
        for name in ("apart", "together"):
            table.requires_grad_(True)
            if name == "together":
                logits, ids, mask = teacher_forced_siblings(loaded, contexts, said)
            else:
                flat = [(c, t) for c, targets in zip(contexts, said, strict=True) for t in targets]
                logits, ids, mask = teacher_forced(loaded, [c for c, _ in flat], [t for _, t in flat])
            rows = [torch.stack([logits[i][mask[i]][k].log_softmax(-1) for k in range(int(mask[i].sum()))]) for i in range(len(ids))]
            told = [ids[i][mask[i]].tolist() for i in range(len(ids))]
            taken = sum((k + 1) * row.gather(-1, ids[k][mask[k]][:, None]).sum() for k, row in enumerate(rows))
            (gradient,) = torch.autograd.grad(taken, table)
            table.requires_grad_(False)
            found[name] = ([row.detach() for row in rows], told, gradient)
        assert found["together"][1] == found["apart"][1] == [t for targets in said for t in targets]
        for one, other in zip(found["together"][0], found["apart"][0], strict=True):
            assert torch.allclose(one, other, atol=1e-4)
        assert torch.allclose(found["together"][2], found["apart"][2], rtol=1e-3, atol=1e-4)


def test_siblings_need_a_token_each(tiny_lm):
    with pytest.raises(ValueError, match="target 1 of context 0 is empty"):
        teacher_forced_siblings(tiny_lm, [tiny_lm.encode(REQUESTS[0])], [[[5], []]])
