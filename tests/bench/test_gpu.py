"""The script for a GPU, run on the CPU with a tiny shape: every stage reports, correctness comes first, a failure is told."""

import json

import pytest
import torch

from t2ui.bench import gpu, tables
from t2ui.bench.random_model import random_loaded
from t2ui.cli import bench as command
from t2ui.engine import shapes

CPU = torch.device("cpu")


def tiny(name="tiny"):
    import transformers

    return transformers.LlamaConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                                    num_key_value_heads=2, vocab_size=512, max_position_embeddings=1024, pad_token_id=3,
                                    initializer_range=0.1)  # fmt: skip


def test_a_random_model_is_the_same_wherever_it_is_made():
    one, spent = random_loaded(tiny(), "tiny", CPU)
    other, _ = random_loaded(tiny(), "tiny", CPU, made_on=CPU)
    assert one.adapted.fingerprint == other.adapted.fingerprint and one.stack.names == ["math", "code", "reasoning", "vision"]
    assert spent["seconds to decompose"] > 0 and not torch.equal(one.stack.delta[0], one.stack.delta[1])


def test_every_stage_reports(monkeypatch):
    monkeypatch.setitem(gpu._WAYS, "overhead", lambda loaded: gpu.rows.overhead(loaded, repeats=1, batches=(1, 2)))
    monkeypatch.setitem(gpu._WAYS, "mix", lambda loaded: 1 / 0)
    reports = list(gpu.gpu(CPU, ["tiny"], ["overhead", "mix"], config=tiny))
    assert [r.stage for r in reports] == ["correctness", "decompose", "overhead", "mix", "memory"]
    assert reports[0].result["met"] and reports[0].result["same tokens"] and reports[0].shape == "small"
    assert reports[2].result["rows_over_base"] > 0 and "ZeroDivisionError" in reports[3].result["error"]


def test_a_gpu_that_computes_something_else_is_not_measured(monkeypatch):
    real = gpu._logits
    monkeypatch.setattr(gpu, "_logits", lambda loaded, forced: real(loaded, forced) if forced is None else (
        real(loaded, forced)[0] * 1.01, []))  # fmt: skip
    reports = list(gpu.gpu(CPU, ["tiny"], ["overhead"], config=tiny))
    assert [r.stage for r in reports] == ["correctness"] and not reports[0].result["met"]


@pytest.mark.slow
def test_the_toy_reward_rises():
    loaded, _ = random_loaded(tiny(), "tiny", CPU)
    result = gpu.toy(loaded)
    assert len(result["reward by step"]) == 10 and result["late"] > result["early"]
    assert loaded.adapted.mode == "off"


def test_the_command_keeps_what_was_measured(monkeypatch, tmp_path, capsys):
    from t2ui.__main__ import main

    monkeypatch.setattr(gpu, "config_of", tiny)
    monkeypatch.setattr(shapes, "config_of", tiny)
    monkeypatch.setattr(gpu.gpu, "__kwdefaults__", {"config": tiny})
    monkeypatch.setitem(gpu._WAYS, "toy", lambda loaded: gpu.toy(loaded, steps=1, prompts_=1, samples=2, tokens=2))
    file = tmp_path / "gpu.json"
    assert main(["bench", "gpu", "--device", "cpu", "--shapes", "tiny", "--stages", "toy", "--json", str(file)]) == 0
    found = json.loads(file.read_text(encoding="utf-8"))
    assert set(found["shapes"]["tiny"]) == {"decompose", "toy", "memory"} and found["shapes"]["small"]["correctness"]["met"]
    text = tables.markdown({"gpu": found, "decompose": json.loads(
        (command.ROOT / "assets" / "results" / "bench" / "decompose.json").read_text(encoding="utf-8"))})  # fmt: skip
    assert "| tiny | toy |" in text and "not measured" not in text
    assert main(["bench", "gpu", "--device", "cpu", "--stages", "nothing"]) != 0
    assert "no stage 'nothing'" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(capsys):
    from t2ui.__main__ import main

    assert main(["bench", "gpu"]) != 0 and "no CUDA GPU" in capsys.readouterr().err
