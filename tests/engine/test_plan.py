"""The plan from a configuration alone: against published sizes, the derived figures of the paper, and models that are loaded."""

import json
from pathlib import Path

import pytest
import torch
import transformers

from t2ui.bench.tiny import KINDS, build
from t2ui.core.svd import work
from t2ui.engine import ModelError, load
from t2ui.engine import plan as planning
from t2ui.engine.memory import needs
from t2ui.engine.plan import CARDS, find, plan, table
from t2ui.engine.shapes import SHAPES, config_of


def of(name, **more):
    return plan(config_of(name), name, "here", **more)


@pytest.mark.parametrize("name", SHAPES)
def test_known_shapes_have_the_published_number_of_parameters(name):
    found = of(name)
    assert found.params == pytest.approx(SHAPES[name].params, rel=0.005)
    assert found.layers == SHAPES[name].config["num_hidden_layers"]


def test_llama_3_8b_against_the_figures_derived_from_the_paper():
    """arXiv 2501.06252, table 4 and its released code (32 layers of 4096, 14336, 1024)."""
    p = of("llama-3-8b")
    assert p.z_mlp == 3 * 4096 * 32 == 393_216  # "0.39M"
    assert p.z_attention == (4096 + 1024 + 1024 + 4096) * 32 == 327_680
    assert p.z == 720_896 and p.matrices == 7 * 32
    # The paper's attention rows tune q and v only: 0.16M; MLP and those: 0.56M.
    assert (4096 + 1024) * 32 == 163_840 and p.z_mlp + 163_840 == 557_056
    assert p.factors_whole == pytest.approx(43e9, rel=0.01)  # fp32, embedding and output head too: the code's file
    assert p.factors_whole / 2 == pytest.approx(21.6e9, rel=0.01)  # bf16 on its second GPU
    mlp = 2 * 32 * 3 * 4096 * (4096 + 14336)
    assert mlp == pytest.approx(14.5e9, rel=0.01) and p.factors == pytest.approx(mlp + 32 * 2 * sum(
        min(s) * sum(s) for s in ((4096, 4096), (1024, 4096), (1024, 4096), (4096, 4096))), rel=0.001)  # fmt: skip
    assert p.weights == pytest.approx(16e9, rel=0.01)
    assert p.token == 2 * 32 * 1024 * 2
    assert {card for card in CARDS if p.cards[card]["rows"]} == {48, 80}


def test_llama_3_70b():
    p = of("llama-3-70b")
    assert p.z_mlp == 3 * 8192 * 80 and p.z_attention == (2 * 8192 + 2 * 1024) * 80
    assert p.weights == pytest.approx(141e9, rel=0.01)
    each = 2 * 8192 * 16384 + 2 * 1024 * 9216 + 3 * 8192 * (8192 + 28672)
    assert p.factors_fp32 == pytest.approx(80 * 4 * each, rel=0.001) and 370e9 < p.factors_fp32 < 385e9
    assert not any(any(fits.values()) for fits in p.cards.values())


def test_full_fine_tuning_of_llama_2_7b_with_its_assumption():
    p = of("llama-2-7b")
    assert 55e9 < p.full < 120e9
    assert p.full == pytest.approx(16 * p.params + p.activations) and 16 * p.params == pytest.approx(107.8e9, rel=0.001)
    assert "16 bytes a trained parameter" in table(p) and "checkpointed" in table(p)
    assert p.lora_numbers == sum(16 * (o + i) for o, i in ((4096, 4096),) * 4 + ((11008, 4096),) * 3) * 32
    assert p.lora < p.svf < p.full
    # SVF trains on rollouts: weights, factors and a pristine copy of what is folded.
    assert p.svf == p.weights + p.factors + 16 * p.z + 2 * 32 * (4 * 4096**2 + 3 * 4096 * 11008) + p.cache_rows


@pytest.mark.parametrize("name", KINDS)
def test_it_counts_what_loading_makes(name, tmp_path):
    folder = build(name, tmp_path / "m")
    loaded = load(folder, device="cpu", experts_dir=None)
    config, _, _ = find(folder)
    found = plan(config, "tiny", "here", torch.float32, slots=8, length=64)
    modules = loaded.adapted.modules.values()
    assert (found.params, found.z, found.layers) == (loaded.info.params, loaded.adapted.R, loaded.adapted.n_layers)
    assert found.matrices == len(modules) and found.z_attention + found.z_mlp == found.z
    assert found.factors == sum(4 * (m.U.numel() + m.Vh.numel() + m.sigma.numel()) for m in modules)
    assert found.in_slots == KINDS[name].slots
    # What is told before loading, from the files' headers, is the same.
    told = needs(folder, loaded.model.config, torch.device("cpu"), torch.float32)
    assert told.factors == found.factors and told.weights == pytest.approx(found.weights, rel=0.02)


def test_files_are_as_large_as_it_says():
    """The shipped model and its experts."""
    root = Path(__file__).resolve().parents[2]
    config, _, _ = find(root / "assets" / "demo-model")
    found = plan(config, "demo", "here", torch.float32)
    for file in (root / "experts").glob("*/expert.safetensors"):
        assert found.file_expert == pytest.approx(file.stat().st_size, rel=0.05)
    stored = sum(file.stat().st_size for file in (root / "assets" / "demo-model").glob("*.safetensors"))
    assert found.file_merged / 2 == pytest.approx(stored, rel=0.05)  # stored in bf16


def test_training_svf_keeps_no_matrix_for_the_backward_pass(tiny_lm, tiny_lm_dir):
    """So that activations are all that a training pass adds, as the plan has it; and those are about what is estimated."""
    config, _, _ = find(tiny_lm_dir)
    seen = {}

    def pack(t):
        seen[t.untyped_storage().data_ptr()] = t  # held, so that no address is used twice
        return t

    own = {t.untyped_storage().data_ptr() for m in tiny_lm.adapted.modules.values() for t in (m.U, m.sigma, m.Vh)}
    own |= {p.untyped_storage().data_ptr() for p in tiny_lm.model.parameters()}
    tokens = 64
    tiny_lm.adapted.train_mode()
    try:
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
            tiny_lm.model(input_ids=torch.full((1, tokens), 30)).logits.float().log_softmax(-1)
    finally:
        tiny_lm.adapted.eval_mode()
    shapes = {tuple(m.weight.shape) for m in tiny_lm.adapted.modules.values()}
    new = [t for where, t in seen.items() if where not in own]
    assert not [t.shape for t in new if t.dim() == 2 and tuple(t.shape) in shapes]
    stated = plan(config, "tiny", "here", torch.float32, tokens=tokens).activations_kept
    assert 0.5 * stated < sum(t.untyped_storage().nbytes() for t in new) < stated


def test_time_is_the_measured_rate_times_the_work(monkeypatch):
    p = of("smollm2-135m", rate=(1e9, "a matrix took so long"))
    assert p.work == 30 * sum(work(s) for s in ((576, 576), (192, 576), (192, 576), (576, 576), *((576, 1536),) * 3))
    assert p.seconds == p.work / 1e9 and "a matrix took so long" in table(p)
    monkeypatch.setitem(planning._PROBE, "cpu", 48)
    rate, said = planning.measure("cpu")
    assert rate > 0 and "48 x 48 matrix" in said
    assert "not estimated" in table(of("smollm2-135m"))


def test_nothing_is_loaded_and_nothing_goes_to_the_network(no_network, tmp_path, monkeypatch):
    monkeypatch.setattr(transformers.PreTrainedModel, "from_pretrained", lambda *a, **k: pytest.fail("weights were read"))
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text(json.dumps(config_of("llama-3-70b").to_dict()))
    config, name, _ = find(tmp_path / "m")
    assert plan(config, name, "x").params == of("llama-3-70b").params


@pytest.mark.parametrize(
    ("model", "words"),
    [("llama-9-8b", "well-known shape.*llama-3-8b, llama-3-70b"), ("./nowhere", "no model folder"), ("/no/where", "no model folder")],
)
def test_what_is_not_there(model, words):
    with pytest.raises(ModelError, match=words):
        find(model)


def test_what_is_refused_has_no_plan(tmp_path):
    config = transformers.MixtralConfig(num_local_experts=8)
    with pytest.raises(ModelError, match="mixture"):
        plan(config, "mixtral", "here")
