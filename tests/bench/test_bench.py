"""The benchmarks run, compare what they say they compare, and name their ratios; no timing is asserted here."""

import pytest

from t2ui.bench import rows, service
from t2ui.bench.common import interleaved, mixes, prompts, ratio


def test_the_ratio_is_counted_from_the_shapes(tiny_llava):
    expected_rows = expected_plain = 0
    for module in tiny_llava.adapted.modules.values():
        out, into = module.weight.shape
        expected_plain += out * into
        expected_rows += min(out, into) * (out + into)
    head = tiny_llava.model.get_output_embeddings().weight.numel()
    assert ratio(tiny_llava) == pytest.approx((expected_rows + head) / (expected_plain + head)) and ratio(tiny_llava) > 1


def test_prompts_are_plain_tokens_and_mixes_differ(tiny_llava):
    made = prompts(tiny_llava, 5, 20)
    assert all(len(row.ids) == 20 and tiny_llava.codec.image_token_id not in row.ids for row in made)
    assert len({str(mix) for mix in mixes(tiny_llava, 8)}) == 8


def test_ways_are_timed_in_turn(tiny_llava):
    order = []
    found = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b") or 3.0}, 2, tiny_llava.device)
    assert order == ["a", "b"] * 3 and found["b"] == [3.0, 3.0] and len(found["a"]) == 2


def test_overhead(tiny_llava):
    result = rows.overhead(tiny_llava, repeats=1, batches=(1, 2))
    assert set(result["batches"]) == {"1", "2"} and result["rows_over_base"] > 0
    assert tiny_llava.adapted.mode == "off"


def test_cem(tiny_llava):
    result = rows.cem(tiny_llava, repeats=1, candidates=3, shots=2, tokens=3)
    assert {"serial_over_rows", "one_by_one_over_rows", "rows_over_no_mix"} <= set(result)
    assert set(result["seconds"]) == {"rows", "no_mix", "serial", "one_by_one"} and tiny_llava.adapted.mode == "off"


def test_serve(tiny_llava):
    eos = tiny_llava.eos
    result = rows.serve(tiny_llava, repeats=1, visitors=3, tokens=4)
    assert {"rows_over_no_mix", "rows_over_sequential", "rows_over_generate_batch"} <= set(result)
    assert all(v > 0 for v in result["tokens_per_second"].values()) and tiny_llava.eos == eos


def test_fair(tiny_llava, monkeypatch):
    monkeypatch.setattr(service, "CHAT_TOKENS", 5)
    result = service.fair(tiny_llava, repeats=1, prompt_tokens=10)
    assert result["search first token"] > 0 and result["idle tokens per second"] > 0 and "met" in result


def test_visitors(tiny_llava):
    result = service.visitors(tiny_llava, counts=(2, 32), every=0.3, seconds=0.3)
    assert result["counts"]["2"]["questions"] == 2 and result["counts"]["32"]["p95"] >= result["counts"]["32"]["p50"] > 0


def test_decompose(tiny_llava):
    result = service.decompose_bench(tiny_llava, repeats=1)
    assert result["matrices"] == len(tiny_llava.adapted.modules) and result["computed_over_cache"] > 0


def test_without_experts_it_says_what_to_do(tiny_lm_dir):
    from t2ui.engine.model import load

    with pytest.raises(ValueError, match="--experts"):
        rows.serve(load(tiny_lm_dir, device="cpu"))
