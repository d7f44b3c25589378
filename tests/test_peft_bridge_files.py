"""t2ui.peft_bridge on disk: adapter folders, other processes, expert files, wrong bases, damaged files, and docs/peft.md."""

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

pytest.importorskip("peft")

from peft import LoraConfig, PeftModel, get_peft_model  # noqa: E402

from t2ui.core import Expert, ExpertError, Registry, attach, load_expert  # noqa: E402
from t2ui.peft_bridge import SVFConfig, expert_to_peft, peft_to_expert  # noqa: E402

from .core.models import close, ids, logits, make_llama, some_z, text_config  # noqa: E402
from .peft_models import layers, put, svf  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"

pytestmark = pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning")


@pytest.fixture
def plain():
    return attach(make_llama(), base_id="tiny")


@pytest.fixture
def saved(plain, tmp_path):
    """(folder of a saved adapter, its z end to end, the logits of the model that saved it)."""
    model, z = svf(make_llama()), some_z(plain, 3)
    put(model, "default", z)
    model.save_pretrained(tmp_path / "math")
    return tmp_path / "math", z, logits(model, ids())


@pytest.fixture
def expert(plain):
    return Expert.from_z(plain, "math", some_z(plain, 3), objective="to test", meta={"title": "Math", "score": 0.5})


def run(program: str, cwd: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
        check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def edit(folder: Path, change) -> None:
    """Change the saved configuration."""
    held = json.loads((folder / CONFIG).read_text())
    change(held)
    (folder / CONFIG).write_text(json.dumps(held))


# -- saving and loading --------------------------------------------------------------------------------------------------


def test_the_file_holds_z_and_nothing_else(saved, plain):
    folder, z, _ = saved
    tensors = load_file(folder / WEIGHTS)
    assert {k.removeprefix("base_model.model.").removesuffix(".svf_z") for k in tensors} == set(plain.paths)
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
    header = int.from_bytes((folder / WEIGHTS).read_bytes()[:8], "little")
    assert (folder / WEIGHTS).stat().st_size == 8 + header + 4 * plain.R
    config = json.loads((folder / CONFIG).read_text())
    assert config["peft_type"] == "SVF" and config["record"]["fingerprint"] == plain.fingerprint
    assert "svd_cache" not in config and os.environ["T2UI_CACHE"] not in (folder / CONFIG).read_text()


@pytest.mark.parametrize("low_cpu_mem_usage", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_loaded_is_bitwise_what_was_saved(saved, low_cpu_mem_usage, dtype):
    folder, _, want = saved
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the singular vectors of rounded weights may differ a little
        model = PeftModel.from_pretrained(make_llama(dtype=dtype), folder, low_cpu_mem_usage=low_cpu_mem_usage)
    tensors = load_file(folder / WEIGHTS)
    for path, layer in layers(model).items():
        assert torch.equal(layer.svf_z["default"], tensors[f"base_model.model.{path}.svf_z"])
        assert layer.svf_z["default"].dtype == torch.float32 and not layer.svf_z["default"].requires_grad
    close(logits(model, ids()), want, dtype)
    assert dtype != torch.float32 or torch.equal(logits(model, ids()), want)


def test_several_are_loaded_saved_and_trained_further(saved, plain, tmp_path):
    folder, z, want = saved
    model = PeftModel.from_pretrained(make_llama(), folder, adapter_name="one", is_trainable=True)
    assert all(p.requires_grad == (".svf_z.one" in n) for n, p in model.named_parameters())
    model.load_adapter(folder, "two")
    put(model, "two", 2 - z)
    assert torch.equal(logits(model, ids()), want)
    model.save_pretrained(tmp_path / "both")
    again = PeftModel.from_pretrained(make_llama(), tmp_path / "both" / "two")
    model.set_adapter("two")
    assert torch.equal(logits(again, ids()), logits(model, ids()))
    assert (tmp_path / "both" / "one" / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()


def test_transformers_own_load_adapter_opens_it(saved):
    folder, _, want = saved
    model = make_llama()
    model.load_adapter(folder)
    assert torch.equal(logits(model, ids()), want)
    model.disable_adapters()
    assert torch.equal(logits(model, ids()), logits(make_llama(), ids()))


def test_a_subset_of_many_layers_is_found_again(plain, tmp_path):
    model = svf(make_llama(), target_modules=r".*layers\.1\..*(q_proj|down_proj)")
    model.save_pretrained(tmp_path)
    again = PeftModel.from_pretrained(make_llama(), tmp_path)
    assert set(layers(again)) == {"model.layers.1.self_attn.q_proj", "model.layers.1.mlp.down_proj"}


@pytest.mark.slow
def test_another_process_opens_it_after_one_import(saved, tmp_path):
    folder, _, want = saved
    make_llama().save_pretrained(tmp_path / "base")
    torch.save(ids(), tmp_path / "ids.pt")
    program = """
import sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
try:
    PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("base"), sys.argv[1])
    raise SystemExit("opened without t2ui")
except KeyError as error:
    assert "SVF" in str(error)
import t2ui.peft_bridge
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("base"), sys.argv[1])
with torch.no_grad():
    torch.save(model(input_ids=torch.load("ids.pt", weights_only=True), use_cache=False).logits, "logits.pt")
"""
    run(program, tmp_path, folder)
    assert torch.equal(torch.load(tmp_path / "logits.pt", weights_only=True), want)


# -- expert files ----------------------------------------------------------------------------------------------------------


def test_an_expert_goes_to_peft_and_back_bit_for_bit(expert, plain, tmp_path):
    file = expert.save(tmp_path / "native")
    folder = expert_to_peft(tmp_path / "native", tmp_path / "peft")
    assert sorted(p.name for p in folder.iterdir()) == [CONFIG, WEIGHTS]
    assert peft_to_expert(folder).save(tmp_path / "back").read_bytes() == file.read_bytes()
    model = PeftModel.from_pretrained(make_llama(), folder)
    with plain.folded(expert.z):
        want = logits(plain.model, ids())
    close(logits(model, ids()), want, torch.float32)
    model.save_pretrained(tmp_path / "through")  # by way of PEFT too
    assert peft_to_expert(tmp_path / "through").save(tmp_path / "back").read_bytes() == file.read_bytes()
    assert torch.equal(logits(model.merge_and_unload(), ids()), want)


def test_an_adapter_trained_in_peft_opens_in_t2ui(saved, plain, tmp_path):
    folder, z, want = saved
    expert = peft_to_expert(folder, "math", objective="trained in PEFT", meta={"title": "Math"})
    assert torch.equal(plain.join(expert.z), z)
    expert.save(tmp_path / "experts" / "math")
    registry = Registry(tmp_path / "experts", plain)
    assert list(registry.experts) == ["math"] and not registry.refused and not registry.warnings
    with plain.folded(registry.experts["math"].z):
        close(logits(plain.model, ids()), want, torch.float32)
    assert load_expert(tmp_path / "experts" / "math").objective == "trained in PEFT"


def test_figures_of_another_z_are_not_carried_along(expert, tmp_path):
    folder = expert_to_peft(expert, tmp_path / "peft")
    model = PeftModel.from_pretrained(make_llama(), folder)
    with torch.no_grad():
        next(iter(layers(model).values())).svf_z["default"][0] += 0.5
    model.save_pretrained(tmp_path / "more")
    further = peft_to_expert(tmp_path / "more")
    assert (further.name, further.role, further.objective, further.meta) == ("math", "skill", "", {})
    renamed = peft_to_expert(folder, "algebra", role="dispatcher")
    assert (renamed.name, renamed.role, renamed.meta) == ("algebra", "dispatcher", {"title": "Math", "score": 0.5})


def test_an_expert_of_a_model_that_sees_opens_in_peft(tiny_llava, tiny_llava_dir, tmp_path):
    from transformers import AutoModelForImageTextToText

    expert = tiny_llava.registry.experts["vision"]
    folder = expert_to_peft(expert, tmp_path / "vision")
    model = PeftModel.from_pretrained(AutoModelForImageTextToText.from_pretrained(tiny_llava_dir), folder)
    picture = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    tokens = torch.tensor([[1, *[model.config.image_token_id] * 36, 20, 21, 22]])
    with torch.no_grad():
        got = model(input_ids=tokens, pixel_values=picture).logits
        base = tiny_llava.model(input_ids=tokens, pixel_values=picture).logits
        with tiny_llava.adapted.folded(expert.z):
            want = tiny_llava.model(input_ids=tokens, pixel_values=picture).logits
    close(got, want, torch.float32)
    assert (got - base).abs().max() > 0.1 * base.abs().max()
    model.save_pretrained(tmp_path / "again")
    assert peft_to_expert(tmp_path / "again").check(tiny_llava.adapted) == []


def test_modules_that_t2ui_does_not_adapt_are_no_expert(tmp_path):
    svf(make_llama(), target_modules=["lm_head"]).save_pretrained(tmp_path / "head")
    with pytest.raises(ExpertError, match="outside of the language model's decoder layers"):
        peft_to_expert(tmp_path / "head", "head")


# -- refusals --------------------------------------------------------------------------------------------------------------


def wider():
    from transformers import LlamaForCausalLM

    config = text_config()
    config.intermediate_size = 80
    torch.manual_seed(0)
    return LlamaForCausalLM(config)


def deeper():
    from transformers import LlamaForCausalLM

    config = text_config()
    config.num_hidden_layers = 1
    torch.manual_seed(0)
    return LlamaForCausalLM(config)


def other_names():
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    return GPTNeoXForCausalLM(
        GPTNeoXConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4)
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: make_llama(seed=1), "the base model has other weights.*as it was when this expert was trained"),
        (wider, "the base model has other weights"),
        (deeper, "modules that are not adapted here.*7 of 14.*layers.1"),
        (other_names, "of its 14 modules.*this model has none"),
    ],
)
def test_another_base_is_refused_before_it_is_touched(saved, make, words):
    model = make()
    before = [type(m) for m in model.modules()]
    with pytest.raises(ExpertError, match=words):
        PeftModel.from_pretrained(model, saved[0])
    assert [type(m) for m in model.modules()] == before


def test_another_base_is_refused_beside_a_good_adapter_too(saved):
    model = svf(make_llama(seed=1), "good")
    want = logits(model, ids())
    with pytest.raises(ExpertError, match="other weights"):
        model.load_adapter(saved[0], "bad")
    assert set(model.peft_config) == {"good"} and torch.equal(logits(model, ids()), want)


def test_another_basis_of_the_same_base_is_refused(saved, monkeypatch):
    from t2ui.core import svd

    def turned(weight):
        U, sigma, Vh = decompose(weight)
        order = torch.arange(len(sigma)).roll(1)
        return svd.Factors(U[:, order].contiguous(), sigma, Vh[order].contiguous())

    decompose = svd.decompose
    monkeypatch.setattr(svd, "decompose", turned)
    with pytest.raises(ExpertError, match="another basis of singular vectors.*Delete the decomposition cache"):
        PeftModel.from_pretrained(make_llama(), saved[0], svd_cache=None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c["record"].update(version=2), "version 2, expected 1.*update t2ui"),
        (lambda c: c["record"].pop("ranks"), "not readable.*ranks"),
        (lambda c: c.update(record="x"), "not readable"),
        (lambda c: c["record"]["ranks"].update({"model.layers.0.mlp.up_proj": 7}), "wrong shape.*7 entries"),
    ],
)
def test_a_damaged_record_is_refused(saved, change, words):
    edit(saved[0], change)
    with pytest.raises(ExpertError, match=words):
        PeftModel.from_pretrained(make_llama(), saved[0])
    with pytest.raises(ExpertError):
        peft_to_expert(saved[0], "math")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda z: z.__setitem__(0, torch.nan), "NaN"),
        (lambda z: z.resize_(3), r"shape \(3,\)"),
    ],
)
def test_damaged_vectors_are_refused(saved, change, words):
    tensors = load_file(saved[0] / WEIGHTS)
    change(tensors["base_model.model.model.layers.1.mlp.up_proj.svf_z"])
    save_file(tensors, saved[0] / WEIGHTS)
    for load in (lambda: PeftModel.from_pretrained(make_llama(), saved[0]), lambda: peft_to_expert(saved[0], "math")):
        with pytest.raises(ValueError, match=words) as caught:
            load()
        assert "layers.1.mlp.up_proj" in str(caught.value)


def test_what_does_not_become_an_expert(saved, tmp_path):
    folder = saved[0]
    with pytest.raises(ExpertError, match="give it a name"):
        peft_to_expert(folder)
    with pytest.raises(ExpertError, match="unusable name"):
        peft_to_expert(folder, "a b")
    with pytest.raises(ExpertError, match="save_pretrained wrote"):
        peft_to_expert(tmp_path / "nowhere", "x")
    get_peft_model(make_llama(), LoraConfig(target_modules=["q_proj"])).save_pretrained(tmp_path / "lora")
    with pytest.raises(ExpertError, match="of type 'LORA'"):
        peft_to_expert(tmp_path / "lora", "x")
    model = get_peft_model(make_llama(), SVFConfig(modules_to_save=["lm_head"]))
    model.save_pretrained(tmp_path / "head")
    with pytest.raises(ExpertError, match="holds more than z: .*lm_head"):
        peft_to_expert(tmp_path / "head", "x")
    svf(make_llama()).save_pretrained(tmp_path / "pickle", safe_serialization=False)
    with pytest.raises(ExpertError, match="safe_serialization=True"):
        peft_to_expert(tmp_path / "pickle", "x")
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:500])
    with pytest.raises(ExpertError, match="truncated or damaged"):
        peft_to_expert(folder, "x")
    (folder / CONFIG).write_text("{")
    with pytest.raises(ExpertError, match="damaged"):
        peft_to_expert(folder, "x")


# -- the page of the documentation -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_examples_of_the_page_run(tiny_lm_dir, tmp_path):
    text = (ROOT / "docs" / "peft.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 3
    shutil.copytree(tiny_lm_dir, tmp_path / "base")
    out = run("\n".join(blocks), tmp_path)
    loaded = load_expert(tmp_path / "experts" / "math")
    assert "trainable params: " + f"{sum(z.numel() for z in loaded.z.values()):,}" in out
    assert any(bool((z != 1).any()) for z in loaded.z.values())
    tensors = load_file(tmp_path / "math-for-peft" / WEIGHTS)
    assert all(torch.equal(tensors[f"base_model.model.{path}.svf_z"], z) for path, z in loaded.z.items())
