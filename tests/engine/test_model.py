"""Loading: both kinds of folder, clear words for broken ones, nothing from the network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from t2ui.core import Expert, Mix
from t2ui.engine import ModelError, Request, RequestError, answer_all, load


def copied(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target, ignore=shutil.ignore_patterns("source")))


def test_info_of_a_llava(tiny_llava):
    info = tiny_llava.info
    assert (info.has_vision, info.image_tokens, info.context, info.n_layers) == (True, 36, 256, 2)
    assert (info.dtype, info.device, info.is_demo) == ("float32", "cpu", False)
    assert info.params == sum(p.numel() for p in tiny_llava.model.parameters())
    assert info.z_params == tiny_llava.adapted.R == 2 * (32 + 16 + 16 + 32 + 3 * 32)
    assert tiny_llava.stack.names == ["code", "math", "vision"]
    assert not any("vision_tower" in path or "lm_head" in path for path in tiny_llava.adapted.paths)


def test_info_of_a_plain_language_model(tiny_lm):
    assert (tiny_lm.info.has_vision, tiny_lm.info.image_tokens, tiny_lm.processor) == (False, 0, None)
    assert tiny_lm.stack.names == ["math"]


def test_nothing_goes_to_the_network(tiny_llava_dir, tiny_llava_experts, no_network):
    loaded = load(tiny_llava_dir, device="cpu", experts_dir=tiny_llava_experts)
    image = Image.new("RGB", (48, 48), "red")
    answers = answer_all(loaded, [Request("How many?", image, Mix.single("math"), max_new_tokens=3)])
    assert answers[0].tokens


def test_ids_are_those_of_the_processor(tiny_llava):
    image = Image.new("RGB", (70, 50), "blue")
    text = "<s><|user|><image>How many red circles?\n<|assistant|>"
    theirs = tiny_llava.processor(text=text, images=image, return_tensors="pt", add_special_tokens=False)
    ours = tiny_llava.encode(Request("How many red circles?", image))
    assert list(ours.ids) == theirs["input_ids"][0].tolist()


def test_over_long_prompts_state_the_limit(tiny_llava):
    with pytest.raises(RequestError, match=r"\d+ tokens, and 96 more .* reads 256 in all"):
        tiny_llava.encode(Request("Anna has 12 pens. " * 60))
    just = tiny_llava.info.context - len(tiny_llava.encode(Request("How many?", max_new_tokens=1)).ids)
    tiny_llava.encode(Request("How many?", max_new_tokens=just))
    with pytest.raises(RequestError, match="shorten it by 1 tokens"):
        tiny_llava.encode(Request("How many?", max_new_tokens=just + 1))


def test_requests_that_this_model_cannot_take(tiny_lm, tiny_llava):
    with pytest.raises(RequestError, match="cannot see"):
        tiny_lm.encode(Request("What is this?", Image.new("RGB", (4, 4))))
    with pytest.raises(RequestError, match="unknown expert 'poetry'"):
        tiny_llava.encode(Request("How many?", mix=Mix.single("poetry")))
    with pytest.raises(RequestError, match="2 decoder layers"):
        tiny_llava.encode(Request("How many?", mix=Mix({"math": (1.0, 1.0, 1.0)})))


def test_pictures_are_looked_at_once(tiny_llava, monkeypatch):
    seen = []
    original = tiny_llava.model.get_image_features
    monkeypatch.setattr(
        tiny_llava.model, "get_image_features", lambda **k: seen.append(len(k["pixel_values"])) or original(**k)
    )
    red, green = Image.new("RGB", (48, 48), (250, 1, 1)), Image.new("RGB", (48, 48), (1, 250, 1))
    requests = [Request("How many?", i, m, max_new_tokens=2) for i in (red, green, red)
                for m in (Mix.base(), Mix.single("math"))]  # fmt: skip
    answer_all(tiny_llava, requests, batch_size=2)
    answer_all(tiny_llava, requests)
    assert sum(seen) == 2


def test_new_experts_are_found(tmp_path, tiny_llava_dir):
    loaded = load(tiny_llava_dir, device="cpu", experts_dir=tmp_path / "none-yet")
    assert loaded.stack.names == [] and loaded.refresh() is False
    expert = Expert.from_z(loaded.adapted, "poetry", torch.full((loaded.adapted.R,), 1.5))
    expert.save(tmp_path / "none-yet" / "poetry")
    assert loaded.refresh() is True and loaded.stack.names == ["poetry"]


def test_another_models_experts_are_refused_not_fatal(tiny_lm_dir, tiny_llava_experts):
    loaded = load(tiny_lm_dir, device="cpu", experts_dir=tiny_llava_experts)
    assert loaded.stack.names == [] and set(loaded.registry.refused) == {"math", "code", "vision"}


def test_a_folder_with_settings_is_a_demo_model(tmp_path, tiny_lm_dir):
    folder = copied(tiny_lm_dir, tmp_path / "m")
    (folder / "t2ui.json").write_text(json.dumps({"name": "demo", "outside": {"nll": 3.0}}))
    loaded = load(folder, experts_dir=None)
    assert loaded.info.is_demo and loaded.info.name == "demo" and loaded.settings["outside"] == {"nll": 3.0}
    assert (loaded.info.device, loaded.info.dtype) == ("cpu", "float32")
    (folder / "t2ui.json").write_text("{")
    with pytest.raises(ModelError, match="t2ui.json cannot be read"):
        load(folder, experts_dir=None)


def test_progress_is_told(tiny_lm_dir):
    reports = []
    load(tiny_lm_dir, device="cpu", experts_dir=None, cache_dir=None, progress=reports.append)
    assert [r.stage for r in reports][:2] == ["memory", "model"] and reports[-1].stage == "experts"
    done = [r.done for r in reports if r.stage == "decompose"]
    assert done == sorted(done) and len(done) == 14 and all(r.total == 14 for r in reports if r.stage == "decompose")


def test_half_precision_on_request(tiny_lm_dir):
    loaded = load(tiny_lm_dir, device="cpu", dtype="bfloat16", experts_dir=None)
    assert loaded.info.dtype == "bfloat16" and loaded.model.dtype == torch.bfloat16
    assert answer_all(loaded, [Request("How many?", max_new_tokens=2)])[0].tokens


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda d: shutil.rmtree(d), "no model folder at"),
        (lambda d: (d / "config.json").unlink(), "no config.json"),
        (lambda d: (d / "config.json").write_text("{"), "does not load"),
        (lambda d: (d / "model.safetensors").unlink(), "does not load"),
        (lambda d: (d / "model.safetensors").write_bytes(b"\0" * 100), "does not load"),
        (lambda d: os.truncate(d / "model.safetensors", 150_000), "does not load"),
        (lambda d: _drop_weight(d), "lacks 1 weights .*down_proj"),
        (lambda d: (d / "tokenizer.json").unlink(), "tokenizer|does not load"),
    ],
    ids=["folder", "config", "broken-config", "no-weights", "zeros", "truncated", "one-missing", "tokenizer"],
)
def test_broken_folders_say_what_to_do(tmp_path, tiny_lm_dir, damage, words):
    folder = copied(tiny_lm_dir, tmp_path / "m")
    damage(folder)
    with pytest.raises(ModelError, match=words):
        load(folder, device="cpu", experts_dir=None)


def _drop_weight(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.down_proj.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def test_unusable_device_and_dtype(tiny_lm_dir):
    with pytest.raises(ModelError, match="device 'nonsense' is not usable"):
        load(tiny_lm_dir, device="nonsense", experts_dir=None)
    with pytest.raises(ModelError, match="dtype must be auto, float32"):
        load(tiny_lm_dir, dtype="int4", experts_dir=None)
    with pytest.raises(ModelError, match="cannot be adapted"):
        load(tiny_lm_dir, device="cpu", targets="no_such_module", experts_dir=None)


def test_the_package_imports_no_page_and_no_plots():
    absent = ("gradio", "plotly", "t2ui.tasks", "t2ui.train", "t2ui.ui")
    code = f"import sys, t2ui.engine; sys.exit(any(m in sys.modules for m in {absent}))"
    root = Path(__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    assert subprocess.run([sys.executable, "-c", code], cwd=root, env=env).returncode == 0
