"""What a model needs is told before it is loaded, and what does not fit is not loaded."""

from dataclasses import replace

import pytest
import torch
import transformers

from t2ui.core.shards import shapes_of
from t2ui.engine import memory
from t2ui.engine.errors import ModelError
from t2ui.engine.model import load


def plan(folder, dtype=torch.float32):
    config = transformers.AutoConfig.from_pretrained(folder)
    return memory.needs(folder, config, torch.device("cpu"), dtype)


@pytest.mark.parametrize("which", ["tiny_llava", "tiny_lm"])
def test_the_plan_is_what_loading_takes(request, which):
    loaded = request.getfixturevalue(which)
    need = plan(request.getfixturevalue(f"{which}_dir"))
    stored = {p.data_ptr(): p.numel() * p.element_size() for p in loaded.model.parameters()}
    assert need.weights == pytest.approx(sum(stored.values()), rel=0.02)
    modules = loaded.adapted.modules.values()
    assert need.factors == sum(4 * (m.U.numel() + m.Vh.numel() + m.sigma.numel()) for m in modules)
    assert need.pristine == sum(4 * m.weight.numel() for m in modules)
    assert need.scale == 4 * loaded.adapted.R * need.slots
    assert need.rows > need.weights and need.fold > need.weights
    assert plan(request.getfixturevalue(f"{which}_dir"), torch.bfloat16).weights * 2 == need.weights


def test_it_is_told_while_loading(tiny_lm_dir):
    reports = []
    load(tiny_lm_dir, device="cpu", experts_dir=None, progress=reports.append)
    told = [r.text for r in reports if r.stage == "memory"]
    assert len(told) == 1 and "keys and values" in told[0] and "GiB" in told[0]


def test_what_does_not_fit_stops_with_the_table(tiny_lm_dir, monkeypatch):
    real = memory.needs
    monkeypatch.setattr(memory, "needs", lambda *a: replace(real(*a), free=1000))
    with pytest.raises(ModelError, match="does not fit") as caught:
        load(tiny_lm_dir, device="cpu", experts_dir=None)
    assert "pristine copy" in str(caught.value) and "--dtype" in str(caught.value)


def test_a_folder_that_says_nothing_is_judged_on_loading(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"no header")
    assert shapes_of(tmp_path) == {}
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="does not load"):
        load(tmp_path, device="cpu", experts_dir=None)
