import json
import shutil
from dataclasses import replace

import pytest
import torch

from t2ui.train.pretrain import PRESETS, pretrain, shortened


def test_reports_and_files(smoke, tiny_preset):
    folder, reports = smoke
    assert [r.step for r in reports] == [1, 2, 3, 4]
    assert reports[-1].families and set(reports[-1].families) >= {"math", "code", "reasoning", "vision"}
    assert reports[-1].lr < reports[1].lr
    names = {p.name for p in folder.iterdir()}
    assert {"config.json", "tokenizer.json", "tokenizer.model", "processor_config.json", "recipe.json", "t2ui.json",
            "chat_template.jinja"} <= names  # fmt: skip
    assert not [p for p in folder.rglob("*.tmp")]
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["seed"] == 3 and recipe["tokens"] == reports[-1].tokens


def test_it_loads_as_an_ordinary_hugging_face_folder(smoke):
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(smoke[0])
    processor = AutoProcessor.from_pretrained(smoke[0])
    assert model.dtype == torch.bfloat16
    assert processor.tokenizer.padding_side == "left"
    text = processor.apply_chat_template([{"role": "user", "content": "Hi"}], add_generation_prompt=True)
    assert text == "<s><|user|>Hi\n<|assistant|>"


def test_a_killed_run_goes_on_as_if_it_had_not_been_killed(smoke, tiny_preset, tmp_path):
    """Interrupted after step 2 and resumed: the same weights, bit for bit, as in one go."""
    folder = tmp_path / "demo"
    shutil.copytree(smoke[0], folder, ignore=shutil.ignore_patterns("run", "*.safetensors"))
    run = pretrain(folder, tiny_preset, seed=3, report_every=1)
    for report in run:
        if report.step == 3:  # the checkpoint of step 2 is written, that of step 4 is not
            run.close()
            break
    resumed = list(pretrain(folder, tiny_preset, seed=3, report_every=1))
    assert [r.step for r in resumed] == [3, 4]
    whole = torch.load(smoke[0] / "run" / "checkpoint.pt", weights_only=True)["model"]
    parts = torch.load(folder / "run" / "checkpoint.pt", weights_only=True)["model"]
    assert all(torch.equal(whole[k], parts[k]) for k in whole)


def test_muon_is_a_switch(smoke, tiny_preset, tmp_path):
    folder = tmp_path / "demo"
    shutil.copytree(smoke[0], folder, ignore=shutil.ignore_patterns("run", "*.safetensors"))
    assert list(pretrain(folder, replace(tiny_preset, muon=True, steps=1), report_every=1))[-1].step == 1


def test_another_budget_has_a_schedule_of_its_own():
    short = shortened(PRESETS["ship"], 100)
    assert short.steps == 100 and short.warmup == 5
    assert shortened(PRESETS["ship"]) == PRESETS["ship"]


def test_presets_keep_rows_cheap():
    """Feed-forward 4 x hidden and grouped key-value heads (design section 7)."""
    for preset in PRESETS.values():
        assert preset.shape.heads == 2 * preset.shape.kv_heads
        assert preset.shape.hidden % preset.shape.heads == 0


def test_a_worker_that_fails_stops_the_run(tiny_preset, tmp_path, smoke):
    folder = tmp_path / "demo"
    shutil.copytree(smoke[0], folder, ignore=shutil.ignore_patterns("run", "*.safetensors"))
    broken = replace(tiny_preset, packing=replace(tiny_preset.packing, length=-1))
    with pytest.raises(RuntimeError, match="training batches"):
        list(pretrain(folder, broken, report_every=1))


def test_a_run_may_begin_with_an_earlier_generation(smoke, tiny_preset, tmp_path):
    """``init``: its weights and its tokenizer, with optimisers and schedule of the run's own."""
    from transformers import AutoModelForImageTextToText

    folder = tmp_path / "demo"
    still = replace(tiny_preset, steps=1, lr=0.0)  # a step that moves nothing shows where the run began
    list(pretrain(folder, still, seed=5, report_every=1, init=smoke[0]))
    begun = torch.load(folder / "run" / "checkpoint.pt", weights_only=True)["model"]
    earlier = AutoModelForImageTextToText.from_pretrained(smoke[0], dtype=torch.float32).state_dict()
    assert all(torch.equal(begun[name], earlier[name]) for name in begun)
    assert (folder / "tokenizer.model").read_bytes() == (smoke[0] / "tokenizer.model").read_bytes()
    recipe = json.loads((folder / "recipe.json").read_text())
    assert "--init" in recipe["command"] and recipe["init"]["seed"] == 3
    other = replace(still, shape=replace(still.shape, layers=3))
    with pytest.raises(ValueError, match="other weights"):
        next(pretrain(tmp_path / "other", other, init=smoke[0]))
