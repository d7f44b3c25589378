"""The benchmarks run, compare what they say they compare, and name their ratios; no timing is asserted here."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from t2ui.bench import lora, plot, rows, scale, service, tables, training
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


def test_a_new_mix(tiny_llava):
    result = rows.mix(tiny_llava, repeats=1, changes=2)
    assert set(result["seconds"]) == {"rows", "no_mix", "fold"} and result["rows_over_no_mix"] > 0
    assert tiny_llava.adapted.mode == "off"


def test_training_leaves_the_model_as_it_was(tiny_llava):
    result = training.train(tiny_llava, repeats=1, prompts=2, samples=2)
    assert result["rollouts"] == 4 and set(result["seconds per step"]) == {"ours", "plain", "plain, bf16"}
    assert result["rollout_over_generate"] > 0 and tiny_llava.adapted.mode == "off"


def test_answers_are_cut_after_the_first_end():
    assert training._cut([5, 6, 2, 0, 2], (2,)) == [5, 6, 2] and training._cut([5, 6], (2,)) == [5, 6]


def test_scale(tiny_llava):
    result = scale.scale(tiny_llava, repeats=1, batches=(1, 3), experts=(1, 5), contexts=(8, 16))
    assert set(result["batch"]) == {"1", "3"} and set(result["experts"]) == {"1", "5"} and set(result["context"]) == {"8", "16"}
    assert all(cell["rows"] > 0 for cell in result["batch"].values())


def test_peft_rows_use_their_own_adapters(tiny_llava):
    pytest.importorskip("peft")
    ids = torch.tensor([prompts(tiny_llava, 1, 12)[0].ids] * 3)
    way = lora.mixed_batch(tiny_llava, 3)
    options = {"max_new_tokens": 8, "min_new_tokens": 8, "do_sample": False, "pad_token_id": 0}
    answers = way(ids, options)
    assert len({tuple(a[12:]) for a in answers}) > 1, "the same prompt under three LoRAs gave one answer"
    assert not any("lora" in name for name, _ in tiny_llava.model.named_parameters())


def test_tables_show_every_benchmark(tiny_llava, tmp_path):
    made = {"made_by": {"cpus": 2, "machine": "x", "torch": "y"}}
    runs = {"overhead": rows.overhead(tiny_llava, repeats=1, batches=(1,)), "mix": rows.mix(tiny_llava, repeats=1, changes=1),
            "decompose": service.decompose_bench(tiny_llava, repeats=1),
            "scale": scale.scale(tiny_llava, 1, (1,), (1,), (8,))}  # fmt: skip
    for name, result in runs.items():
        (tmp_path / f"{name}.json").write_text(json.dumps({"name": name, **result, **made}))
    text = tables.markdown(tables.read(tmp_path))
    assert all(f"`{name}`" in text for name in runs if name != "scale") and "experts in every mix" in text
    assert tables.markdown({}) == ""


def test_the_picture_of_scale_shows_every_point():
    found = json.loads((Path(__file__).parents[2] / "assets" / "results" / "bench" / "scale.json").read_text(encoding="utf-8"))
    drawn = ElementTree.fromstring(plot.svg(found))
    lines = [line.get("points").split() for line in drawn.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in lines] == [10, 10, 5, 5, 4]
    assert all(0 <= float(v) <= 320 for points in lines for point in points for v in point.split(","))
