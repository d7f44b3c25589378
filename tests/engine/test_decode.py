"""Answers: the same alone and in any batch, as transformers' own generate() gives them, and honestly adapted."""

import sys
import threading
from dataclasses import replace

import pytest
import torch
from PIL import Image

from t2ui.core import Mix
from t2ui.engine import Request, RequestError, answer_all, decode, score
from t2ui.engine.batch import Batch
from t2ui.engine.decode import plan

PROMPTS = (
    "Anna has 12 pens.",
    "How many red circles are there?",
    "Ben buys 4 books and gives 3 to Anna. How many books are there? The answer is a number. Carl counts 7 coins.",
    "def total(xs):",
    "x",
)
MIXES = (
    Mix.base(), Mix.single("math"), Mix.parse("math=0.6,code=0.5"), Mix({"vision": (0.0, 1.5)}),
    Mix.single("code", -1),
)  # fmt: skip
RED = Image.new("RGB", (48, 48), (220, 20, 20))


def requests(n=12, **more):
    rows = ((PROMPTS[i % 5], RED if i % 3 == 1 else None, MIXES[(i * 2) % 5], 8 + (5 * i) % 23) for i in range(n))
    return [Request(prompt, image, mix, max_new_tokens=room, **more) for prompt, image, mix, room in rows]


def collect(steps):
    texts, tokens, ends = {}, {}, {}
    for deltas in steps:
        for d in deltas:
            assert d.row not in ends, "a delta after the last one"
            texts[d.row] = texts.get(d.row, "") + d.text
            tokens.setdefault(d.row, []).extend(d.tokens)
            if d.done:
                ends[d.row] = d
    return texts, tokens, ends


@pytest.mark.parametrize("image", [None, RED], ids=["text", "picture"])
def test_greedy_is_what_generate_gives(tiny_llava, image):
    for prompt in PROMPTS:
        content = "<image>" + prompt if image else prompt
        text = f"<s><|user|>{content}\n<|assistant|>"
        given = tiny_llava.processor(text=text, images=image, return_tensors="pt", add_special_tokens=False)
        theirs = tiny_llava.model.generate(**given, max_new_tokens=12, do_sample=False)[0].tolist()
        ours = answer_all(tiny_llava, [Request(prompt, image, max_new_tokens=12)])[0].tokens
        assert list(ours) == theirs[given["input_ids"].shape[1] :]


def test_a_plain_language_model_answers_the_same_way(tiny_lm):
    asked = [Request(p, max_new_tokens=12) for p in PROMPTS]
    for request, answer in zip(asked, answer_all(tiny_lm, asked), strict=True):
        ids = torch.tensor([tiny_lm.encode(request).ids])
        theirs = tiny_lm.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False)
        assert list(answer.tokens) == theirs[0, ids.shape[1] :].tolist()


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_row_is_the_same_alone_and_in_any_batch(tiny_llava, temperature):
    asked = requests(temperature=temperature, top_p=0.9, seed=5)
    alone = [answer_all(tiny_llava, [r], mode="rows")[0] for r in asked]
    for batch_size in (12, 5):
        together = answer_all(tiny_llava, asked, batch_size, mode="rows")
        for one, other in zip(alone, together, strict=True):
            assert one.tokens == other.tokens and one.text == other.text and one.reason == other.reason
            assert one.logprob == pytest.approx(other.logprob, abs=1e-3)
    lengths = {len(a.tokens) for a in alone}
    assert len(lengths) > 3, "rows must end at different steps for this test to mean anything"
    assert {a.reason for a in alone} == {"stop", "length"}


def test_pieces_of_a_prefill_do_not_change_the_answers(tiny_llava, monkeypatch):
    asked = requests()
    whole = [a.tokens for a in answer_all(tiny_llava, asked, mode="rows")]
    monkeypatch.setattr("t2ui.engine.batch._PIECE", {"cpu": 100})
    lengths = [len(tiny_llava.encode(r).ids) for r in asked]
    assert max(lengths) > 33, "several pieces, of several rows each, for this test to mean anything"
    assert [a.tokens for a in answer_all(tiny_llava, asked, mode="rows")] == whole


def test_samples_of_one_prompt_read_it_once(tiny_llava, monkeypatch):
    asked = [Request(PROMPTS[i // 3], RED if i < 6 else None, max_new_tokens=6, temperature=1.0, seed=i) for i in range(12)]
    asked += [replace(asked[0], image=None, seed=50), asked[4]]  # the same words without the picture are another prompt
    alone = [answer_all(tiny_llava, [r])[0].tokens for r in asked]
    read = []
    real = Batch._forward
    monkeypatch.setattr(Batch, "_forward", lambda self, ids, *more: read.append(ids.shape) or real(self, ids, *more))
    assert [a.tokens for a in answer_all(tiny_llava, asked, batch_size=14)] == alone
    assert sum(rows for rows, n in read if n > 1) == 5
    read.clear()
    mixed = [replace(r, mix=Mix.single("math", 1 if i % 2 else 0.5)) for i, r in enumerate(asked)]
    answer_all(tiny_llava, mixed, mode="rows", batch_size=14)  # other weights for every row: everybody reads
    assert sum(rows for rows, n in read if n > 1) == 14


def test_rows_fold_and_auto_agree(tiny_llava):
    asked = requests()
    rows = answer_all(tiny_llava, asked, mode="rows")
    fold = answer_all(tiny_llava, asked, mode="fold")
    many = answer_all(tiny_llava, asked * 8, mode="auto")[: len(asked)]
    assert tiny_llava.adapted.mode == "off"
    for a, b, c in zip(rows, fold, many, strict=True):
        assert a.tokens == b.tokens == c.tokens
        assert a.applied.change == pytest.approx(b.applied.change, rel=1e-5)
        assert b.applied.mode == ("off" if a.applied.mix == "base" else "fold")
    assert len({a.tokens for a in answer_all(tiny_llava, [Request(PROMPTS[0], mix=m) for m in MIXES])}) == len(MIXES)


def test_auto_folds_only_what_is_worth_it():
    mixes = [Mix.single("math")] * 40 + [Mix.single("code")] * 3 + [Mix.base()] * 2
    groups = plan(mixes, "auto")
    assert [(g.mode, len(g.rows)) for g in groups] == [("fold", 40), ("rows", 5)]
    assert sorted(i for g in groups for i in g.rows) == list(range(45))
    with pytest.raises(ValueError, match="mode must be one of auto, rows, fold, current"):
        plan(mixes, "quick")


def test_weights_are_bitwise_untouched_even_if_a_fold_fails(tiny_llava, monkeypatch):
    before = {p: m.weight.clone() for p, m in tiny_llava.adapted.modules.items()}
    monkeypatch.setattr(sys.modules["t2ui.engine.decode"], "_answer_batch", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        answer_all(tiny_llava, requests(), mode="fold")
    assert tiny_llava.adapted.mode == "off"
    assert all(torch.equal(m.weight, before[p]) for p, m in tiny_llava.adapted.modules.items())


def test_current_answers_under_what_the_caller_folded(tiny_llava):
    mix = Mix.single("math")
    asked = [Request(p, mix=Mix.single("code"), max_new_tokens=10) for p in PROMPTS]
    with tiny_llava.adapted.folded(tiny_llava.stack.z(mix)):
        current = answer_all(tiny_llava, asked, mode="current")
    assert all(a.applied is None for a in current)
    wanted = answer_all(tiny_llava, [Request(p, mix=mix, max_new_tokens=10) for p in PROMPTS], mode="rows")
    assert [a.tokens for a in current] == [a.tokens for a in wanted]


def test_applied_is_the_change_of_the_weights(tiny_llava):
    mix = Mix.parse("math=0.6,code=0.5")
    answer = answer_all(tiny_llava, [Request("x", mix=mix, max_new_tokens=1)], mode="rows")[0]
    before = {p: m.weight.clone() for p, m in tiny_llava.adapted.modules.items()}
    with tiny_llava.adapted.folded(tiny_llava.stack.z(mix)):
        changed = sum(float((m.weight - before[p]).square().sum()) for p, m in tiny_llava.adapted.modules.items())
    norm = sum(float(w.square().sum()) for w in before.values())
    assert answer.applied.change == pytest.approx((changed / norm) ** 0.5, rel=1e-4)
    assert (answer.applied.mix, answer.applied.mode) == (str(mix), "rows")


def test_deltas_add_up_to_the_answers(tiny_llava):
    asked = requests(40)
    texts, tokens, ends = collect(decode(tiny_llava, asked))
    compared = 0
    for i, answer in enumerate(answer_all(tiny_llava, asked, mode="rows")):
        assert tuple(tokens[i]) == answer.tokens and ends[i].reason == answer.reason
        if "\ufffd" not in texts[i] + answer.text:  # bytes that are no text may be shown in another way
            assert texts[i] == answer.text
            compared += 1
        assert ends[i].applied == answer.applied
        assert {"encode", "prefill", "decode", "first", "total"} == set(ends[i].seconds)
    assert compared > 2


def test_log_probabilities_come_only_when_asked_for(tiny_llava):
    for deltas in decode(tiny_llava, [Request("x", max_new_tokens=4, logprobs=True), Request("x", max_new_tokens=4)]):
        for d in deltas:
            assert len(d.logprobs) == (len(d.tokens) if d.row == 0 else 0)
    answer = answer_all(tiny_llava, [Request("x", max_new_tokens=4, logprobs=True)])[0]
    assert len(answer.logprobs) == len(answer.tokens) and sum(answer.logprobs) == pytest.approx(answer.logprob)


def test_a_prefix_is_forced_and_shown(tiny_llava):
    asked = [Request(p, prefix="The answer is", max_new_tokens=6, mix=MIXES[1]) for p in PROMPTS]
    answers = answer_all(tiny_llava, asked, mode="rows")
    texts, tokens, _ = collect(decode(tiny_llava, asked))
    for i, (request, answer) in enumerate(zip(asked, answers, strict=True)):
        assert answer.text.startswith("The answer is") and texts[i].startswith("The answer is")
        assert answer.prompt_tokens == tiny_llava.encode(request).ids
        assert len(answer.tokens) <= 6 and tuple(tokens[i]) == answer.tokens
    base = answer_all(tiny_llava, [Request(PROMPTS[0], prefix="The answer is", max_new_tokens=6)])[0]
    ids = torch.tensor([base.prompt_tokens])
    theirs = tiny_llava.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)
    assert list(base.tokens) == theirs[0, ids.shape[1] :].tolist()


def test_the_seed_decides(tiny_llava):
    hot = [Request(PROMPTS[0], max_new_tokens=12, temperature=1.0, seed=s) for s in (1, 1, 2, 3)]
    a, b, c, d = (x.tokens for x in answer_all(tiny_llava, hot))
    assert a == b and len({a, c, d}) == 3
    assert [x.tokens for x in answer_all(tiny_llava, hot[::-1])] == [d, c, b, a]


def test_sampled_tokens_can_be_scored_again(tiny_llava):
    asked = requests(temperature=1.0, seed=11)
    answers = answer_all(tiny_llava, asked, mode="rows")
    again = score(tiny_llava, asked, [a.tokens for a in answers], mode="rows")
    for answer, values in zip(answers, again, strict=True):
        assert len(values) == len(answer.tokens) and sum(values) == pytest.approx(answer.logprob, abs=1e-3)


def test_cancelled_midway(tiny_llava):
    stop, seen, kinds = threading.Event(), 0, []
    asked = [Request(p, max_new_tokens=100) for p in ("Anna has 12 pens.", "def total(xs):")]
    for deltas in decode(tiny_llava, asked, stop):
        seen += 1
        kinds += [d.reason for d in deltas if d.done]
        if seen == 2:
            stop.set()
    assert seen == 3 and kinds == ["cancelled", "cancelled"]
    answers = answer_all(tiny_llava, asked, stop=stop)
    assert [(a.reason, a.tokens, a.text) for a in answers] == [("cancelled", (), "")] * 2


def test_bad_requests_are_refused_at_the_call(tiny_llava):
    with pytest.raises(RequestError, match="no requests"):
        decode(tiny_llava, [])
    with pytest.raises(RequestError, match="empty"):
        decode(tiny_llava, [Request("x"), Request(" ")])  # never iterated
    assert answer_all(tiny_llava, []) == []
    with pytest.raises(ValueError, match="batch_size"):
        answer_all(tiny_llava, [Request("x")], batch_size=0)


def test_progress_counts_up(tiny_llava):
    seen = []
    answer_all(tiny_llava, requests(), 5, "rows", progress=lambda done, total: seen.append((done, total)))
    done = [n for n, total in seen]
    assert done == sorted(set(done)) and {5, 10, 12} <= set(done) and {total for _, total in seen} == {12}


def test_a_sliding_window_model_takes_the_plain_batch(tiny_lm_dir, tmp_path):
    from transformers import AutoTokenizer, MistralConfig, MistralForCausalLM

    from t2ui.engine import load

    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=600, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=8, initializer_range=0.25, max_position_embeddings=256,
        bos_token_id=1, eos_token_id=2, pad_token_id=3,
    )  # fmt: skip
    MistralForCausalLM(config).save_pretrained(tmp_path / "m")
    AutoTokenizer.from_pretrained(tiny_lm_dir).save_pretrained(tmp_path / "m")
    loaded = load(tmp_path / "m", device="cpu", experts_dir=None)
    asked = [Request(p, max_new_tokens=10) for p in PROMPTS]
    for request, answer in zip(asked, answer_all(loaded, asked), strict=True):
        ids = torch.tensor([loaded.encode(request).ids])
        theirs = loaded.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=10, do_sample=False)
        assert list(answer.tokens) == theirs[0, ids.shape[1] :].tolist()
