"""Exports: what is written is what plain peft and plain transformers load, and computes what our own fold computes."""

import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
import transformers
from safetensors.torch import load_file

from t2ui.core import Expert, Mix, attach, best_lora
from t2ui.core.experts import ExpertError, load_expert
from t2ui.core.lora import truncate
from t2ui.engine import ExportError, ExportSettings, Request, RequestError, answer_all, export, load
from t2ui.engine.export import in_effect, read_lora, replaced, target_modules, with_lora, write_lora, write_merged

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3, "initializer_range": 0.25,
         "tie_word_embeddings": False}  # fmt: skip
KINDS = {  # configuration class, what is special about it
    "llama": ("LlamaConfig", {}),
    "mistral": ("MistralConfig", {"sliding_window": 16}),
    "qwen2": ("Qwen2Config", {}),
    "qwen3": ("Qwen3Config", {"head_dim": 8}),
    "olmo2": ("Olmo2Config", {}),
    "phi3": ("Phi3Config", {"sliding_window": None}),
    "gemma2": ("Gemma2Config", {"head_dim": 8, "sliding_window": 16}),
    "gemma3": ("Gemma3TextConfig", {"head_dim": 8, "sliding_window": 16}),
}

# Logits of a LoRA or a merged checkpoint against our own fold, fp32, absolute (the tiny models' logits reach about 20).
BOUND = 1e-4
MIX = Mix({"math": 0.8, "code": (0.5, 0.0), "vision": -0.3})
# Runs where nothing of this project can be imported: what others have.
PROGRAM = """
import json, sys, warnings
import torch, transformers
from pathlib import Path
torch.set_num_threads(1)
jobs = torch.load(sys.argv[1], weights_only=True)
out = {}
for name, job in jobs.items():
    auto = transformers.AutoModelForImageTextToText if job["sees"] else transformers.AutoModelForCausalLM
    inputs = {k: v for k, v in job["inputs"].items()}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if job["kind"] == "lora":
            import peft
            model = auto.from_pretrained(job["base"], dtype=torch.float32)
            model = peft.PeftModel.from_pretrained(model, job["folder"]).eval()
            again = Path(job["folder"] + "-again")
            model.save_pretrained(again)
        else:
            model = auto.from_pretrained(job["folder"]).eval()
            reader = transformers.AutoProcessor if job["sees"] else transformers.AutoTokenizer
            reader = reader.from_pretrained(job["folder"])
            tokenizer = getattr(reader, "tokenizer", reader)
            chat = [{"role": "user", "content": "Anna has 12 pens."}]
            out[name + " text"] = tokenizer("Anna has 12 pens.")["input_ids"]
            out[name + " chat"] = tokenizer.apply_chat_template(chat, tokenize=False) if tokenizer.chat_template else None
    with torch.no_grad():
        logits = model(**inputs).logits
        out[name] = logits.float()
        if job["kind"] == "lora":
            out[name + " merged"] = model.merge_and_unload()(**inputs).logits.float()
    out[name + " told"] = [str(w.message) for w in told if "adapter" in str(w.message) or "keys" in str(w.message)]
out["imported"] = [m for m in sys.modules if m == "t2ui" or m.startswith("t2ui.")]
torch.save(out, sys.argv[2])
"""


def last(reports):
    return list(reports)[-1]


def wanted(loaded, z, inputs):
    with loaded.adapted.folded(z), torch.no_grad():
        return loaded.model(**inputs).logits


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def elsewhere(place, tiny_llava, tiny_lm):
    """All exports of both models, their wanted logits, and what a process without t2ui computed with them."""
    torch.manual_seed(0)
    text = torch.randint(8, 300, (2, 9))
    picture = torch.tensor([[1] + [tiny_llava.codec.image_token_id] * 36])
    seen = {"input_ids": torch.cat([picture, torch.randint(8, 300, (1, 7))], 1), "pixel_values": torch.randn(1, 3, 48, 48)}
    jobs, want = {}, {}
    for loaded, mix, inputs in ((tiny_llava, MIX, seen), (tiny_lm, Mix.single("math"), {"input_ids": text})):
        z = loaded.stack.z(mix)
        for kind, rank in (("lora", None), ("lora", 3), ("merged", None)):
            name = f"{loaded.info.name}-{kind}-{rank}"
            settings = ExportSettings(rank=rank, shard="60KB")
            done = last(export(loaded, mix, kind, place / name, settings))
            assert done.stage == "done" and done.folder == place / name
            jobs[name] = {"kind": kind, "folder": str(place / name), "base": loaded.info.path, "inputs": inputs,
                          "sees": loaded.info.has_vision}  # fmt: skip
            want[name] = wanted(loaded, truncate(loaded.adapted, z, rank) if kind == "lora" else z, inputs)
            away = (want[name] - wanted(loaded, torch.ones_like(z), inputs)).abs().max()
            assert away > 100 * BOUND, "the mix must be seen"
    torch.save(jobs, place / "jobs.pt")
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    run = subprocess.run([sys.executable, "-c", PROGRAM, str(place / "jobs.pt"), str(place / "out.pt")], cwd=place, env=env,
                         capture_output=True, text=True, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr[-3000:]
    return torch.load(place / "out.pt", weights_only=True), want


@pytest.mark.slow
def test_other_programs_compute_what_our_fold_computes(elsewhere):
    out, want = elsewhere
    assert out["imported"] == [] and len(want) == 6
    for name, logits in want.items():
        error = float((out[name] - logits).abs().max())
        assert error <= BOUND, (name, error)
        assert out[f"{name} told"] == [], "no missing or unexpected keys"
        if "lora" in name:
            assert float((out[f"{name} merged"] - logits).abs().max()) <= BOUND
        else:
            assert error == 0, "the same numbers in the same layers"


@pytest.mark.slow
def test_full_rank_is_the_mix_itself(elsewhere, tiny_llava):
    out, want = elsewhere
    full = [name for name in want if name.endswith("lora-None")]
    merged = [name for name in want if "merged" in name]
    for a, b in zip(full, merged, strict=True):
        assert float((out[a] - want[b]).abs().max()) <= 1e-4


@pytest.mark.slow
def test_peft_saves_the_same_files_again(elsewhere, place):
    for name in [n for n in elsewhere[1] if "lora" in n]:
        ours, theirs = (load_file(place / f"{name}{end}" / "adapter_model.safetensors") for end in ("", "-again"))
        assert ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)
        ours, theirs = (json.loads((place / f"{name}{end}" / "adapter_config.json").read_text()) for end in ("", "-again"))
        assert set(ours.pop("target_modules")) <= set(theirs.pop("target_modules")) or "llava" not in name
        assert ours == {k: theirs[k] for k in ours}


@pytest.mark.slow
def test_a_merged_checkpoint_brings_all_that_belongs_to_it(elsewhere, place, tiny_llava, tiny_lm):
    out, want = elsewhere
    for loaded, name in zip((tiny_llava, tiny_lm), [n for n in want if "merged" in n], strict=True):
        files = {p.name for p in (place / name).iterdir()}
        assert len([f for f in files if f.endswith(".safetensors")]) > 1 and "model.safetensors.index.json" in files
        assert {"config.json", "generation_config.json", "tokenizer.json", "recipe.json", "README.md"} <= files
        assert ("processor_config.json" in files) == loaded.info.has_vision
        assert out[f"{name} text"] == loaded.tokenizer("Anna has 12 pens.")["input_ids"]
        if loaded.codec.template:
            chat = [{"role": "user", "content": "Anna has 12 pens."}]
            assert out[f"{name} chat"] == loaded.tokenizer.apply_chat_template(chat, tokenize=False)


def test_our_own_loader_opens_a_merged_checkpoint(tiny_llava, tmp_path):
    mix = Mix.single("math")
    last(export(tiny_llava, mix, "merged", tmp_path / "m"))
    again = load(tmp_path / "m", device="cpu", experts_dir=None)
    ask = [Request(p, max_new_tokens=8) for p in ("Anna has 12 pens.", "How many?")]
    mixed = [Request(r.prompt, mix=mix, max_new_tokens=8) for r in ask]
    assert [a.tokens for a in answer_all(again, ask)] == [a.tokens for a in answer_all(tiny_llava, mixed, mode="fold")]
    assert again.codec.template == tiny_llava.codec.template and again.eos == tiny_llava.eos


def test_the_folder_is_as_vllm_wants_it(tiny_llava, tmp_path):
    """Flat; keys that its loader parses; one rank and one scale; nothing that it refuses (docs/serving.md names the rules)."""
    last(export(tiny_llava, MIX, "lora", tmp_path / "mix", ExportSettings(rank=8, base_name="someone/llava")))
    files = {p.name for p in (tmp_path / "mix").iterdir()}
    assert files == {"adapter_config.json", "adapter_model.safetensors", "recipe.json", "README.md"}
    config = json.loads((tmp_path / "mix" / "adapter_config.json").read_text())
    assert config["r"] == config["lora_alpha"] == 8 and config["base_model_name_or_path"] == "someone/llava"
    assert (config["peft_type"], config["bias"], config["modules_to_save"]) == ("LORA", "none", None)
    assert not (config["use_rslora"] or config["use_dora"] or config["rank_pattern"] or config["alpha_pattern"])
    for key, tensor in load_file(tmp_path / "mix" / "adapter_model.safetensors").items():
        path, which, weight = key.removeprefix("base_model.model.").rsplit(".", 2)
        assert key.startswith("base_model.model.") and which in ("lora_A", "lora_B") and weight == "weight"
        assert tensor.shape[0 if which == "lora_A" else 1] == 8 and tensor.dtype == torch.float32
        assert path.rsplit(".", 1)[-1] in {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
        assert path in config["target_modules"], "a vision tower has a q_proj too: whole paths"


@pytest.mark.parametrize("kind", KINDS)
def test_plain_peft_adapts_every_architecture(kind, tmp_path):
    peft = pytest.importorskip("peft")
    name, special = KINDS[kind]
    torch.manual_seed(4)
    config = getattr(transformers, name)(vocab_size=64, **SIZES | special)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    tokens = torch.randint(5, 64, (2, 7))
    plain = transformers.AutoModelForCausalLM.from_config(config).eval()
    plain.load_state_dict(model.state_dict())
    adapted = attach(model)
    z = 1 + 0.5 * torch.randn(adapted.R, generator=torch.Generator().manual_seed(1))
    loaded = SimpleNamespace(model=model, adapted=adapted, info=SimpleNamespace(path="tiny"))
    facts = write_lora(loaded, best_lora(adapted, z), tmp_path)
    assert facts["kept"] == 1.0
    assert all("." not in m for m in json.loads((tmp_path / "adapter_config.json").read_text())["target_modules"])
    wrapped = peft.PeftModel.from_pretrained(plain, tmp_path)
    with adapted.folded(z), torch.no_grad():
        want = model(input_ids=tokens).logits
        assert (wrapped(input_ids=tokens).logits - want).abs().max() <= BOUND
    assert sum(m.endswith("lora_A.default") for m, _ in wrapped.named_modules()) == len(adapted.paths)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "phi3", "gemma2", "gemma3"])
@pytest.mark.parametrize("tied", [False, True])
def test_plain_transformers_opens_every_merged_architecture(kind, tied, tmp_path):
    """Tied embeddings, fused matrices, norms that add 1: nothing is missing, nothing is said twice."""
    name, special = KINDS[kind]
    torch.manual_seed(4)
    model = transformers.AutoModelForCausalLM.from_config(
        getattr(transformers, name)(vocab_size=64, **SIZES | special | {"tie_word_embeddings": tied})).eval()  # fmt: skip
    tokens = torch.randint(5, 64, (2, 7))
    adapted = attach(model)
    z = 1 + 0.5 * torch.randn(adapted.R, generator=torch.Generator().manual_seed(1))
    info = SimpleNamespace(path="tiny", dtype="float32", params=1)
    nothing = SimpleNamespace(save_pretrained=lambda folder: None)
    loaded = SimpleNamespace(model=model, adapted=adapted, info=info, processor=nothing)
    write_merged(loaded, z, tmp_path, "1GB")
    plain, told = transformers.AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"] and not told["mismatched_keys"]
    with adapted.folded(z), torch.no_grad():
        assert torch.equal(plain.eval()(input_ids=tokens).logits, model(input_ids=tokens).logits)


def test_peft_mixes_exported_experts_by_our_rule(tiny_llava, tiny_llava_dir, tmp_path):
    """docs/serving.md: with combination_type="cat" peft's weighted adapters are z(alpha); its "linear" ones are not."""
    peft = pytest.importorskip("peft")
    for name in ("math", "code"):
        last(export(tiny_llava, Mix.single(name), "lora", tmp_path / name, ExportSettings(rank=None)))
    inputs = {"input_ids": torch.randint(8, 300, (2, 6))}
    want = wanted(tiny_llava, tiny_llava.stack.z(Mix({"math": 0.6, "code": 0.2})), inputs)
    plain = transformers.AutoModelForImageTextToText.from_pretrained(tiny_llava_dir, dtype=torch.float32)
    model = peft.PeftModel.from_pretrained(plain, tmp_path / "math", adapter_name="math").eval()
    model.load_adapter(tmp_path / "code", adapter_name="code")
    away = {}
    for kind in ("cat", "linear"):
        model.add_weighted_adapter(["math", "code"], [0.6, 0.2], kind, combination_type=kind)
        model.set_adapter(kind)
        with torch.no_grad():
            away[kind] = float((model(**inputs).logits - want).abs().max())
    assert away["cat"] <= BOUND < away["linear"]


def test_names_are_short_only_where_they_are_unambiguous(tiny_llava, tiny_lm):
    paths = tiny_lm.adapted.paths
    assert target_modules(tiny_lm.model, paths) == ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert target_modules(tiny_lm.model, paths[1:]) == sorted(paths[1:])
    seen = target_modules(tiny_llava.model, tiny_llava.adapted.paths)
    assert seen == sorted(tiny_llava.adapted.paths)
    mlp = [p for p in tiny_llava.adapted.paths if ".mlp." in p]
    assert target_modules(tiny_llava.model, mlp) == ["down_proj", "gate_proj", "up_proj"], "CLIP's are named fc1 and fc2"


def test_an_expert_of_a_mix_acts_as_the_mix(tiny_llava, tiny_llava_experts, tmp_path):
    folder = tmp_path / "experts"
    shutil.copytree(tiny_llava_experts, folder)
    last(export(tiny_llava, MIX, "expert", folder / "blend"))
    z = tiny_llava.stack.z(MIX)
    expert = load_expert(folder / "blend")
    assert expert.check(tiny_llava.adapted) == [] and expert.meta["mix"] == str(MIX)
    assert torch.equal(tiny_llava.adapted.join(expert.z), z)
    again = load(tiny_llava.info.path, device="cpu", experts_dir=folder)
    assert again.stack.names == ["blend", "code", "math", "vision"]
    assert (again.stack.z(Mix.single("blend")) - z).abs().max() <= 1e-6  # 1 + (z - 1) rounds once
    # Layers that the mix leaves alone are not in the file.
    one = Mix({"math": (0.0, 1.0)})
    last(export(tiny_llava, one, "expert", tmp_path / "half"))
    assert {tiny_llava.adapted.layer_of[p] for p in load_expert(tmp_path / "half").z} == {1}


def test_a_recipe_is_read_as_the_mix(tiny_llava, tmp_path):
    from t2ui.train.evaluate import read_mix

    last(export(tiny_llava, MIX, "recipe", tmp_path / "r"))
    assert read_mix(str(tmp_path / "r" / "recipe.json")) == MIX
    for kind in ("expert", "lora", "merged"):
        last(export(tiny_llava, MIX, kind, tmp_path / kind))
        assert read_mix(str(tmp_path / kind / "recipe.json")) == MIX, "every export can be made again from its own folder"


@pytest.mark.parametrize("kind", ["expert", "lora", "merged", "recipe"])
def test_what_was_written_is_what_is_measured(tiny_llava, tmp_path, kind):
    """The files, not the mix in memory: changed files change what is in effect; afterwards the model is as it was."""
    before = {k: v.clone() for k, v in tiny_llava.model.state_dict().items()}
    inputs = {"input_ids": torch.randint(8, 300, (1, 6))}
    z = tiny_llava.stack.z(MIX)
    want, seen = wanted(tiny_llava, z, inputs), []

    def measure(effect):
        with effect, torch.no_grad():
            seen.append(tiny_llava.model(**inputs).logits)
        return []

    reports = list(export(tiny_llava, MIX, kind, tmp_path / "x", ExportSettings(rank=None), measure=measure))
    assert [r.stage for r in reports] == ["write", "measure", "done"]
    assert (seen[0] - want).abs().max() <= BOUND
    if kind == "lora":
        file = tmp_path / "x" / "adapter_model.safetensors"
        from safetensors.torch import save_file

        save_file({k: torch.zeros_like(t) for k, t in load_file(file).items()}, file)
        with in_effect(tiny_llava, kind, tmp_path / "x"), torch.no_grad():
            assert (tiny_llava.model(**inputs).logits - want).abs().max() > 100 * BOUND
    after = tiny_llava.model.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before) and tiny_llava.adapted.mode == "off"


def test_bf16_exports_in_the_dtype_it_was_loaded_in(tiny_lm_dir, tmp_path):
    loaded = load(tiny_lm_dir, device="cpu", dtype="bfloat16", experts_dir=None)
    z = 1 + 0.5 * torch.randn(loaded.adapted.R, generator=torch.Generator().manual_seed(0))
    Expert.from_z(loaded.adapted, "e", z).save(tmp_path / "experts" / "e")
    loaded = load(tiny_lm_dir, device="cpu", dtype="bfloat16", experts_dir=tmp_path / "experts")
    last(export(loaded, Mix.single("e"), "merged", tmp_path / "m"))
    plain = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "m")
    assert plain.dtype == torch.bfloat16
    path = loaded.adapted.paths[0]
    with loaded.adapted.folded(z):
        assert torch.equal(plain.get_parameter(f"{path}.weight"), loaded.model.get_parameter(f"{path}.weight"))
    last(export(loaded, Mix.single("e"), "lora", tmp_path / "l", ExportSettings(rank=None)))
    (A, B), W = read_lora(tmp_path / "l")[path], loaded.adapted.modules[path].weight
    assert A.dtype == torch.float32
    alone = with_lora(loaded.adapted, {path: (A, B)})[path]
    with loaded.adapted.folded(z):
        assert (alone.float() - W.float()).abs().max() <= W.abs().max() * 2**-7  # two roundings to bf16 apart at most


# -- refusals ------------------------------------------------------------------------------------------


def test_existing_folders_are_safe(tiny_lm, tmp_path):
    mix = Mix.single("math")
    last(export(tiny_lm, mix, "recipe", tmp_path / "x"))
    with pytest.raises(ExportError, match="--force to replace"):
        last(export(tiny_lm, mix, "lora", tmp_path / "x"))
    assert not (tmp_path / "x" / "adapter_config.json").exists()
    last(export(tiny_lm, mix, "lora", tmp_path / "x", ExportSettings(force=True)))
    assert (tmp_path / "x" / "adapter_config.json").exists()
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "recipe.json").write_text('{"alphas": {}}')
    with pytest.raises(ExportError, match="not written by this command"):
        last(export(tiny_lm, mix, "lora", theirs, ExportSettings(force=True)))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["theirs", "x"]


def test_nothing_stays_of_a_failure(tiny_lm, tmp_path, monkeypatch):
    def broken(effect):
        raise RuntimeError("out of memory")

    for kind in ("expert", "lora", "merged", "recipe"):
        with pytest.raises(RuntimeError, match="out of memory"):
            last(export(tiny_lm, Mix.single("math"), kind, tmp_path / "x", measure=broken))
    generator = export(tiny_lm, Mix.single("math"), "merged", tmp_path / "x", measure=broken)
    next(generator)
    generator.close()  # the reader of the reports lost interest
    assert list(tmp_path.iterdir()) == [] and tiny_lm.adapted.mode == "off"


def test_no_room_is_told_before_anything_is_written(tiny_lm, tmp_path, monkeypatch):
    # `t2ui.engine.export` is the function; its module is reached this way.
    monkeypatch.setattr(sys.modules[export.__module__], "free_disk", lambda path: 64 * 2**20 + 1000)
    for kind in ("lora", "merged"):
        with pytest.raises(ExportError, match="GiB are free there: make room"):
            last(export(tiny_lm, Mix.single("math"), kind, tmp_path / "x"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tiny_lm, tmp_path, monkeypatch):
    from safetensors import SafetensorError

    def full(*_, **__):
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(sys.modules[export.__module__], "save_file", full)
    with pytest.raises(ExportError, match="could not be written .No space left.* nothing of it was kept"):
        last(export(tiny_lm, Mix.single("math"), "lora", tmp_path / "x"))
    assert list(tmp_path.iterdir()) == [] and tiny_lm.adapted.mode == "off"


def test_wrong_words_are_refused(tiny_lm, tmp_path):
    with pytest.raises(ExportError, match="expert, lora, merged, recipe, got 'onnx'"):
        last(export(tiny_lm, Mix.single("math"), "onnx", tmp_path / "x"))
    for kind in ("expert", "lora", "merged"):
        with pytest.raises(ExportError, match="is the base model"):
            last(export(tiny_lm, Mix.base(), kind, tmp_path / "x"))
    with pytest.raises(RequestError, match="unknown expert"):
        last(export(tiny_lm, Mix.single("poetry"), "lora", tmp_path / "x"))
    with pytest.raises(ExpertError, match="unusable name"):
        last(export(tiny_lm, Mix.single("math"), "expert", tmp_path / "x", ExportSettings(name="a/b")))
    for shard in ("banana", "5", "0GB"):
        with pytest.raises(ExportError, match="such as 5GB"):
            last(export(tiny_lm, Mix.single("math"), "merged", tmp_path / "x", ExportSettings(shard=shard)))
    with pytest.raises(ValueError, match="at least 1"):
        last(export(tiny_lm, Mix.single("math"), "lora", tmp_path / "x", ExportSettings(rank=0)))
    assert list(tmp_path.iterdir()) == []


def test_weights_are_not_replaced_under_a_fold(tiny_lm):
    with tiny_lm.adapted.folded(tiny_lm.stack.z(Mix.single("math"))), pytest.raises(RuntimeError, match="'fold'"):
        with replaced(tiny_lm.adapted, {}):
            pass
