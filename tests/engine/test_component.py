"""One singular component of a loaded model: its two sides, and the prompts that excite it."""

import threading

import pytest
import torch
from PIL import Image

from t2ui.core import Mix, component
from t2ui.engine import Engine, Request, RequestError
from t2ui.engine.component import inspect_component, sides
from t2ui.engine.decode import answer_all

PROMPTS = [("Anna has 12 pens and buys 3.", None), ("def total(xs): return sum(xs)", None), ("Which word fits: red or books?", None),
           ("What is in the picture?", Image.new("RGB", (48, 48), "red"))]  # fmt: skip


def path_of(loaded, ending: str) -> str:
    return next(p for p in loaded.adapted.paths if p.endswith(ending))


@pytest.mark.parametrize(("ending", "reads", "writes"), [
    ("q_proj", "tokens", "heads"), ("v_proj", "tokens", "heads"), ("o_proj", "heads", "tokens"),
    ("gate_proj", "tokens", "neurons"), ("down_proj", "neurons", "tokens")])  # fmt: skip
def test_each_side_is_told_as_what_it_is(tiny_llava, ending, reads, writes):
    path = path_of(tiny_llava, ending)
    one = component(tiny_llava.adapted, path, 0)
    found = sides(tiny_llava, path, one.v, one.u)
    assert (found[0].kind, found[1].kind) == (reads, writes)
    for side in found:
        if side.kind == "tokens":
            assert len(side.plus) == len(side.minus) == 8 and side.plus[0][1] > 0 > side.minus[0][1]
        if side.kind == "heads":
            assert sum(side.shares) == pytest.approx(1)


def test_written_tokens_are_those_whose_logits_rise(tiny_llava):
    """Against the model's own head: a long step along u through the final norm."""
    path = path_of(tiny_llava, "down_proj")
    one = component(tiny_llava.adapted, path, 1)
    model = tiny_llava.model
    with torch.no_grad():
        logits = model.get_output_embeddings()(model.model.language_model.norm(1e3 * one.u.float()[None, None]))[0, 0]
    top = tiny_llava.codec.raw([int(logits[: len(tiny_llava.tokenizer)].argmax())])
    assert sides(tiny_llava, path, one.v, one.u)[1].plus[0][0] == top


def test_prompts_are_ordered_by_what_the_module_really_sees(tiny_llava):
    path, mix = path_of(tiny_llava, "layers.1.mlp.up_proj"), Mix({"math": 0.5})
    one = component(tiny_llava.adapted, path, 2)
    reports = list(inspect_component(tiny_llava, path, 2, PROMPTS, mix))
    last = reports[-1]
    assert [r.done for r in reports][:1] == [0] and last.over and last.done == last.total == 4
    assert set(last.z) == {"math", "code", "vision"} and last.now == pytest.approx(1 + 0.5 * (last.z["math"] - 1), abs=1e-5)
    values = [abs(e.value) for e in last.excited]
    assert values == sorted(values, reverse=True) and {e.prompt for e in last.excited} == {0, 1, 2, 3}
    seen = []  # alone, hooked by hand, under the same mix
    hook = tiny_llava.adapted.modules[path].register_forward_pre_hook(lambda m, x: seen.append(x[0].double() @ one.v))
    try:
        encoded = tiny_llava.encode(Request(PROMPTS[0][0]))
        with tiny_llava.mixed(tiny_llava.scales([mix])), torch.no_grad():
            tiny_llava.model(input_ids=torch.tensor([encoded.ids]))
    finally:
        hook.remove()
    own = seen[0][0, encoded.prompt_span[0] : encoded.prompt_span[1]]
    told = next(e for e in last.excited if e.prompt == 0)
    assert abs(told.value) == pytest.approx(float(own.abs().max()), rel=1e-4)
    assert told.before + told.token + told.after in PROMPTS[0][0] and told.token
    assert tiny_llava.adapted.mode == "off" and not tiny_llava.adapted.modules[path]._forward_pre_hooks


def test_what_it_refuses_and_leaves_out(tiny_lm):
    path = tiny_lm.adapted.paths[0]
    for bad in (("nowhere", 0), (path, 9999)):
        with pytest.raises(RequestError):
            list(inspect_component(tiny_lm, *bad, PROMPTS))
    with pytest.raises(RequestError, match="unknown expert"):
        list(inspect_component(tiny_lm, path, 0, PROMPTS, Mix.single("nobody")))
    assert list(inspect_component(tiny_lm, path, 0, PROMPTS))[-1].total == 3  # this model cannot see
    stop = threading.Event()
    stop.set()
    assert [r.done for r in inspect_component(tiny_lm, path, 0, PROMPTS, stop=stop)] == [0, 0]
    assert list(inspect_component(tiny_lm, path, 0, []))[-1].over


def test_switched_off_it_is_another_row_of_the_same_batch(tiny_llava):
    """The answer with a component off, live beside the unswitched one, equals the answer of weights without it."""
    path = path_of(tiny_llava, "layers.0.mlp.down_proj")
    mix = Mix({"code": 1.0})
    mixes = [mix, mix.without(path, 0), Mix.base().without(path, 0)]
    requests = [Request(PROMPTS[0][0], mix=m, max_new_tokens=12) for m in mixes]
    before = {p: m.weight.clone() for p, m in tiny_llava.adapted.modules.items()}
    with Engine(tiny_llava) as engine:
        answers = engine.submit(requests).result()
    folded = answer_all(tiny_llava, requests, mode="fold")
    assert [a.tokens for a in answers] == [a.tokens for a in folded]
    assert answers[0].tokens != answers[1].tokens and answers[1].applied.change > 0
    assert answers[2].applied.mix == str(mixes[2]) and answers[2].applied.rest == pytest.approx(1, abs=0.05)
    assert all(torch.equal(before[p], m.weight) for p, m in tiny_llava.adapted.modules.items())
    with pytest.raises(RequestError, match="singular components"):
        tiny_llava.encode(Request("Hello there", mix=mix.without(path, 10_000)))
