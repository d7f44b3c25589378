"""Every kind of model through the same calls, each on a tiny random one; what is refused, and how a checkpoint may come."""

import json
import sys
from pathlib import Path

import pytest
import torch
import transformers

from t2ui.bench.architectures import COLUMNS, examine, markdown
from t2ui.bench.tiny import KINDS, TEXT, build, make_tokenizer
from t2ui.core import Mix
from t2ui.engine import ModelError, Request, RequestError, answer_all, load, memory
from t2ui.engine import model as loading
from t2ui.engine.architectures import TABLE, check_modules, look_up, skeleton, takes_slots
from t2ui.engine.eyes import KINDS as EYES


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_model(name, tmp_path, record_property):
    cells = examine(name)
    assert {c: cell.text for c, cell in cells.items() if not cell.ok} == {}
    assert list(cells) == list(COLUMNS)
    record_property("row", markdown({name: cells}))


def test_the_examination_finds_what_is_wrong(monkeypatch):
    """Pictures without their three positions, without sight of each other, or one token short: the table turns red."""
    from t2ui.engine import batch, eyes

    real = batch.positions_for
    with monkeypatch.context() as m:
        m.setattr(batch, "positions_for", lambda loaded, ids, real_, encoded: (batch.positions_of(real_), None))
        assert not examine("qwen2_vl")["picture"].ok
    assert batch.positions_for is real
    embedded = batch.embedded
    with monkeypatch.context() as m:
        m.setattr(batch, "embedded", lambda *a: {k: v for k, v in embedded(*a).items() if k != "token_type_ids"})
        assert not examine("gemma3")["picture"].ok
    process = eyes.Eyes._process
    with monkeypatch.context() as m:
        m.setattr(eyes.Eyes, "_process", lambda self, *images: process(self, *[i.rotate(90) for i in images]))
        cells = examine("llava")
        assert not cells["picture"].ok and cells["decode"].ok


def test_the_table_is_whole():
    assert {kind.type for kind in KINDS.values()} == set(TABLE)
    for row in TABLE.values():
        assert row.type in transformers.CONFIG_MAPPING and bool(row.vision) == bool(row.eyes)
        assert not row.eyes or row.eyes in EYES
    for kind in KINDS.values():
        assert kind.slots <= TABLE[kind.type].slots


# -- how a checkpoint may come ---------------------------------------------------------------------------


def test_sharded_checkpoints_and_half_precision(tmp_path):
    folder = build("llama", tmp_path / "whole")
    request = Request("How many pens?", max_new_tokens=6)
    want = answer_all(load(folder, device="cpu", experts_dir=None), [request])[0].tokens
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        there = tmp_path / str(dtype)
        build("llama", there)
        (there / "model.safetensors").unlink()
        model.to(dtype).save_pretrained(there, max_shard_size="20KB")
        assert len(list(there.glob("model-*.safetensors"))) > 1
        loaded = load(there, device="cpu", experts_dir=None)  # on a CPU always in fp32
        assert loaded.info.dtype == "float32"
        if dtype == torch.float32:
            assert answer_all(loaded, [request])[0].tokens == want


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_factors_have_the_dtype_of_the_model(tmp_path, dtype):
    loaded = load(build("llama", tmp_path / "m"), device="cpu", dtype=dtype, experts_dir=None)
    module = next(iter(loaded.adapted.modules.values()))
    assert (module.U.dtype, module.Vh.dtype, module.sigma.dtype) == (loaded.model.dtype, loaded.model.dtype, torch.float32)
    assert loaded.info.dtype == dtype
    ids = torch.randint(30, 300, (1, 20), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        base = loaded.model(input_ids=ids).logits.float()
        with loaded.adapted.rows(loaded.adapted.sigma[None]):
            rows = loaded.model(input_ids=ids).logits.float()
    assert float((rows - base).abs().max() / base.abs().max()) < 0.1


def test_a_model_spread_over_devices_computes_the_same(tmp_path, monkeypatch):
    """accelerate's hooks around our modules: all that can be tried without several GPUs."""
    accelerate = pytest.importorskip("accelerate")
    folder = build("llama", tmp_path / "m")
    want = load(folder, device="cpu", experts_dir=None)
    with pytest.raises(ModelError, match="over several GPUs, there are 0"):
        load(folder, device="split", experts_dir=None)
    parts = dict.fromkeys(("model.embed_tokens", "model.layers.0", "model.layers.1", "model.norm", "model.rotary_emb", "lm_head"), "cpu")
    real = loading.read

    def spread(*args):
        # Where all parts are on the CPU, transformers leaves the hooks out that it sets between GPUs: set here.
        held = real(*args)
        accelerate.dispatch_model(held.model, parts, main_device="cpu", force_hooks=True)
        return held

    monkeypatch.setattr(memory, "placement", lambda *a: {"device_map": parts})
    monkeypatch.setattr(loading, "pick_device", lambda *a: torch.device("cpu"))
    monkeypatch.setattr(loading, "read", spread)
    loaded = load(folder, device="split", experts_dir=None)
    assert hasattr(loaded.model.model.layers[1], "_hf_hook")
    request = Request("How many pens?", max_new_tokens=6)
    assert answer_all(loaded, [request])[0].tokens == answer_all(want, [request])[0].tokens
    z = 1 + 0.3 * torch.randn(want.adapted.R, generator=torch.Generator().manual_seed(0))
    ids = torch.tensor([loaded.encode(request).ids])
    found = []
    for one in (loaded, want):
        with torch.no_grad(), one.adapted.rows((one.adapted.sigma * z)[None]):
            found.append(one.model(input_ids=ids).logits)
    assert torch.equal(*found)


def test_several_ends_of_text_and_a_template_without_a_system_role(tmp_path):
    folder = build("llama", tmp_path / "m")
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "eos_token_id": [5, 2, 9]}))
    (folder / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}[{{ m.content }}]{% endfor %}")  # fmt: skip
    loaded = load(folder, device="cpu", experts_dir=None)
    assert loaded.eos == (2, 5, 9)
    text, _ = loaded.codec.render(Request("How many?", system="Be brief."), with_image=False)
    assert text == "[Be brief.\n\nHow many?]"


def test_a_template_without_a_place_for_pictures(tmp_path):
    from PIL import Image

    folder = build("qwen2_vl", tmp_path / "m")
    (folder / "chat_template.json").unlink()
    (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    loaded = load(folder, device="cpu", experts_dir=None)
    assert answer_all(loaded, [Request("How many?", max_new_tokens=2)])[0].tokens
    loaded.codec.template = "{% for m in messages %}[{{ m.role }}]{% endfor %}"
    with pytest.raises(RequestError, match="no place for a picture"):
        loaded.encode(Request("How many?", Image.new("RGB", (20, 20))))


# -- what is refused, and what is tried ------------------------------------------------------------------


def save_config(folder, config):
    folder.mkdir()
    config.save_pretrained(folder)
    make_tokenizer("<image>").save_pretrained(folder)
    return folder


MOE = {**TEXT, "vocab_size": 400, "num_experts_per_tok": 2}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (lambda: transformers.MixtralConfig(**MOE, num_local_experts=4), "mixture of 4 experts.*Take a dense model: Llama"),
        (lambda: transformers.Qwen3MoeConfig(**MOE, num_experts=8), "mixture of 8 experts"),
        (lambda: transformers.GPT2Config(n_layer=2, n_embd=32, n_head=4, vocab_size=400), "Conv1D modules .*transposed"),
        (lambda: transformers.LlamaConfig(**TEXT, vocab_size=400, quantization_config={"quant_method": "gptq", "bits": 4}),
         "quantised .gptq.*checkpoint that it was made from"),
        (lambda: transformers.T5Config(), "encoder-decoder"),
        (lambda: transformers.MambaConfig(), "no attention"),
        (lambda: transformers.BlipConfig(), "of models that see, these load: LLaVA, LLaVA-NeXT, Qwen2-VL"),
    ],
    ids=["mixtral", "qwen3-moe", "gpt2", "gptq", "t5", "mamba", "blip"],
)  # fmt: skip
def test_what_is_refused_before_any_weight_is_read(tmp_path, config, words):
    folder = save_config(tmp_path / "m", config())
    with pytest.raises(ModelError, match=words):
        load(folder, device="cpu", experts_dir=None)


def test_expert_tensors_are_found_whatever_the_configuration_calls_them():
    model = skeleton(transformers.MixtralConfig(**MOE, num_local_experts=4))
    with pytest.raises(ModelError, match="three dimensions"):
        check_modules(model, "it")


def test_a_kind_that_transformers_does_not_know(tmp_path):
    folder = save_config(tmp_path / "m", transformers.LlamaConfig(**TEXT, vocab_size=400))
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "model_type": "llama9"}))
    with pytest.raises(ModelError, match="of kind 'llama9', which transformers .* does not know.*These load: Llama 2 and 3"):
        load(folder, device="cpu", experts_dir=None)


@pytest.mark.parametrize("kind", ["GraniteConfig", "StableLmConfig"])
def test_text_models_outside_of_the_table_go_by_the_general_rule(tmp_path, kind):
    config = getattr(transformers, kind)(**{**TEXT, "vocab_size": 400, "initializer_range": 0.1})
    assert look_up(config, "it").type not in TABLE and takes_slots(config)
    folder = save_config(tmp_path / "m", config)
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    loaded = load(folder, device="cpu", experts_dir=None)
    assert len(loaded.adapted.paths) == 14
    assert answer_all(loaded, [Request("How many?", mix=Mix.base(), max_new_tokens=3)])[0].tokens


def test_the_page_about_models_has_every_kind():
    page = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if "| as generate; batch and streams as alone |" in line]
    assert len(rows) == len(KINDS) and "fails" not in page
    for kind in KINDS.values():
        assert any(row.startswith(f"| {TABLE[kind.type].name}") for row in rows)


def test_a_lora_that_is_not_the_mix_turns_the_table_red_and_without_peft_it_says_so(monkeypatch):
    from t2ui.bench import architectures

    def lora_out() -> architectures.Cell:
        return examine("llama")["LoRA out"]

    monkeypatch.setattr(architectures, "COLUMNS", ("LoRA out",))
    with monkeypatch.context() as m:
        m.setitem(sys.modules, "peft", None)  # what an environment without it looks like
        assert lora_out() == architectures.Cell(True, architectures.NO_PEFT)
    pytest.importorskip("peft")
    best = architectures.best_lora
    with monkeypatch.context() as m:
        m.setattr(architectures, "best_lora", lambda adapted, z, rank: best(adapted, z, 2))
        assert not lora_out().ok
    with monkeypatch.context() as m:  # another mix of full rank
        m.setattr(architectures, "best_lora", lambda adapted, z, rank: best(adapted, 1 + 0.9 * (z - 1), rank))
        assert not lora_out().ok
    assert lora_out().ok
