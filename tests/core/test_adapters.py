"""LoRA adapters as experts: read as peft reads them, and refused with a reason where they are more or less than that."""

import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from t2ui.core import ExpertError, ExpertStack, Mix, Registry, load_adapter
from tests.adapters import peft_logits, write

from .models import close, ids, logits, make_llama

FORMS = {
    "plain": {},
    "one scale per module": {"alpha_pattern": {"q_proj": 1, r"layers\.1\..*v_proj": 9}},
    "rsLoRA": {"use_rslora": True},
    "targets as a pattern": {"target_modules": r".*layers\.\d+\..*(q_proj|v_proj|down_proj)"},
    "alpha that is not whole": {"lora_alpha": 2.5},
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_and_fold_are_what_peft_computes(adapted, tmp_path, form):
    pytest.importorskip("peft")
    folder, tokens = write(tmp_path / "mine", adapted.model, **FORMS[form]), ids()
    stack = ExpertStack(adapted, [load_adapter(folder)])
    want = peft_logits(make_llama(), folder, tokens)
    before = logits(adapted.model, tokens)
    assert not torch.allclose(want, before, rtol=0.05)
    with adapted.rows(stack.scale([Mix.single("mine")] * len(tokens))):
        close(logits(adapted.model, tokens), want, torch.float32)
    with adapted.folded(stack.change(Mix.single("mine"))):
        close(logits(adapted.model, tokens), want, torch.float32)
    assert torch.equal(logits(adapted.model, tokens), before)


def test_ranks_per_module_as_peft_saves_them(adapted, tmp_path):
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=2, lora_alpha=3, target_modules=["q_proj", "up_proj"], rank_pattern={"up_proj": 5},
                             alpha_pattern={"layers.1.self_attn.q_proj": 7}, init_lora_weights=False)  # fmt: skip
    torch.manual_seed(3)
    peft.get_peft_model(make_llama(), config).save_pretrained(tmp_path / "mine")
    expert = load_adapter(tmp_path / "mine")
    assert expert.rank == 5 and {len(A) for A, _ in expert.parts.values()} == {2, 5}
    stack = ExpertStack(adapted, [expert])
    want = peft_logits(make_llama(), tmp_path / "mine", ids())
    with adapted.rows(stack.scale([Mix.single("mine")])):
        close(logits(adapted.model, ids()), want, torch.float32)


def test_half_precision_is_read_as_fp32(adapted, tmp_path):
    folder = write(tmp_path / "mine", adapted.model)
    tensors = load_file(folder / "adapter_model.safetensors")
    save_file({k: v.to(torch.bfloat16) for k, v in tensors.items()}, folder / "adapter_model.safetensors")
    assert {t.dtype for part in load_adapter(folder).parts.values() for t in part} == {torch.float32}


Q = "base_model.model.model.layers.0.self_attn.q_proj"
REFUSED = {
    "DoRA": ({"use_dora": True}, {}, "DoRA.*plain LoRA"),
    "whole modules": ({"modules_to_save": ["lm_head"]}, {}, "whole modules"),
    "biases": ({"bias": "lora_only"}, {}, "trains biases"),
    "biases in the file": ({}, {f"{Q}.bias": torch.zeros(32)}, "a bias"),
    "DoRA in the file": ({}, {f"{Q}.lora_magnitude_vector": torch.ones(32)}, "DoRA"),
    "embeddings": ({}, {"base_model.model.model.embed_tokens.lora_embedding_A": torch.ones(3, 64)}, "embeddings"),
    "a convolution": ({}, {f"{Q}.lora_A.weight": torch.ones(3, 4, 2, 2)}, "Convolutions"),
    "PiSSA": ({"init_lora_weights": "pissa_niter_4"}, {}, "changes the base's own weights"),
    "another kind": ({"peft_type": "IA3"}, {}, "another kind of adapter"),
    "SVF": ({"peft_type": "SVF"}, {}, "peft_to_expert"),
    "no rank": ({"r": None}, {}, "unusable r"),
    "no targets": ({"target_modules": None}, {}, "unusable target_modules"),
    "a broken pattern": ({"target_modules": "("}, {}, "unusable target_modules"),
    "another rank": ({"r": 8}, {}, "of two adapters"),
    "another target": ({"target_modules": ["o_proj"]}, {}, "does not name"),
    "half a pair": ({}, {f"{Q}.lora_B.weight": None}, "half of a pair"),
    "NaN": ({}, {f"{Q}.lora_B.weight": torch.full((32, 3), float("nan"))}, "NaN or infinity"),
    "another expert's file": ({}, {"model.layers.0.mlp.up_proj": torch.ones(4)}, "more than lora_A and lora_B"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_more_or_less_than_a_lora_is_refused(adapted, tmp_path, what):
    config, tensors, words = REFUSED[what]
    folder = write(tmp_path / "mine", adapted.model, tensors=tensors, **config)
    with pytest.raises(ExpertError, match=words):
        load_adapter(folder)


def test_missing_damaged_and_pickled_files(adapted, tmp_path):
    folder = write(tmp_path / "mine", adapted.model)
    weights, config = folder / "adapter_model.safetensors", folder / "adapter_config.json"
    data, text = weights.read_bytes(), config.read_text()
    for bad in (data[:-5], data[:20], b"", b"PK\x03\x04"):
        weights.write_bytes(bad)
        with pytest.raises(ExpertError, match="truncated or damaged"):
            load_adapter(folder)
    weights.unlink()
    with pytest.raises(ExpertError, match="weights are missing"):
        load_adapter(folder)

    class Code:
        def __reduce__(self):
            return (tmp_path.joinpath("ran").touch, ())

    (folder / "adapter_model.bin").write_bytes(pickle.dumps(Code()))
    with pytest.raises(ExpertError, match="may hold code.*safe_serialization"):
        load_adapter(folder)
    assert not (tmp_path / "ran").exists()
    for bad in ("", "[]", text[:-4], "\x00"):
        config.write_text(bad)
        with pytest.raises(ExpertError, match="damaged"):
            load_adapter(folder)
    config.unlink()
    with pytest.raises(ExpertError, match="cannot be read"):
        load_adapter(folder)


def test_an_adapter_of_another_base_is_refused_by_names_and_shapes(adapted, tmp_path):
    a = torch.ones(3, 32), torch.ones(32, 3)
    other = {f"base_model.model.transformer.h.0.q_proj.lora_{s}.weight": t for s, t in zip("AB", a, strict=True)}
    findings = load_adapter(write(tmp_path / "names", adapted.model, tensors=other)).check(adapted)
    assert findings[0].level == "refuse" and "has not got" in findings[0].what and "transformer.h.0" in findings[0].found
    head = {f"base_model.model.lm_head.lora_{s}.weight": torch.ones(n) for s, n in (("A", (3, 32)), ("B", (64, 3)))}
    findings = load_adapter(write(tmp_path / "head", adapted.model, ("q_proj", "lm_head"), tensors=head)).check(adapted)
    assert findings[0].what == "modules that are not adapted here" and "output head" in findings[0].todo
    wide = {f"{Q}.lora_A.weight": torch.ones(3, 64), f"{Q}.lora_B.weight": torch.ones(64, 3)}
    findings = load_adapter(write(tmp_path / "shapes", adapted.model, tensors=wide)).check(adapted)
    assert findings[0].what == "wrong shape" and findings[0].found.startswith("64 x 64")


def test_another_name_of_the_base_is_a_warning_only(adapted, tmp_path):
    expert = load_adapter(write(tmp_path / "mine", adapted.model, base_model_name_or_path="somebody/else"))
    assert [f.level for f in expert.check(adapted)] == ["warn"]
    assert load_adapter(write(tmp_path / "ours", adapted.model, base_model_name_or_path="my/Tiny")).check(adapted) == []
    zero = load_adapter(write(tmp_path / "zero", adapted.model, size=0.0)).check(adapted)
    assert [(f.level, f.what) for f in zero] == [("warn", "it changes nothing")]


def test_the_registry_lists_both_kinds_and_says_what_it_refuses(adapted, tmp_path):
    from t2ui.core import Expert

    from .models import some_z

    Expert.from_z(adapted, "math", some_z(adapted)).save(tmp_path / "math")
    write(tmp_path / "tuned", adapted.model, base_model_name_or_path="else")
    write(tmp_path / "dora", adapted.model, use_dora=True)
    write(tmp_path / "base", adapted.model)
    write(tmp_path / ".half", adapted.model)
    registry = Registry(tmp_path, adapted)
    assert sorted(registry.experts) == ["math", "tuned"] and set(registry.refused) == {"dora", "base"}
    assert "DoRA" in registry.refused["dora"].reason and "Rename its folder" in registry.refused["base"].reason
    assert [f.what for f in registry.warnings["tuned"]] == ["it names another base model"]
    assert not registry.refresh()
    tensors = load_file(tmp_path / "tuned" / "adapter_model.safetensors")
    save_file({k: 2 * v for k, v in tensors.items()}, tmp_path / "tuned" / "adapter_model.safetensors")
    before = registry.experts["tuned"].digest
    assert registry.refresh() and registry.experts["tuned"].digest != before
    # A folder that holds both is the SVF expert, as before adapters were read.
    Expert.from_z(adapted, "both", some_z(adapted)).save(write(tmp_path / "both", adapted.model))
    assert registry.refresh() and isinstance(registry.experts["both"], Expert)


def test_what_it_says_of_itself(adapted, tmp_path):
    expert = load_adapter(write(tmp_path / "mine", adapted.model), "other-name")
    assert expert.name == "other-name" and expert.role == "skill" and expert.objective == "LoRA of rank 3 on down_proj, q_proj, v_proj"
    assert expert.numbers == sum(A.numel() + B.numel() for A, B in expert.parts.values())
    assert json.dumps(expert.meta)
