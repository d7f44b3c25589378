"""``export`` and ``import`` from the command line."""

import json

import pytest
import torch

from t2ui.__main__ import main
from t2ui.core.experts import Expert, load_expert
from t2ui.engine.model import load
from tests.adapters import write

from ..core.test_released import Policy, Trap


@pytest.fixture(scope="module")
def place(smoke, tmp_path_factory):
    """Flags for the smallest demo model with two random experts."""
    experts = tmp_path_factory.mktemp("experts")
    loaded = load(smoke[0], experts_dir=experts)
    for k, name in enumerate(("math", "vision")):
        torch.manual_seed(k)
        Expert.from_z(loaded.adapted, name, 1 + 0.2 * torch.randn(loaded.adapted.R)).save(experts / name)
    return ["--model", str(smoke[0]), "--experts", str(experts), "--threads", "1"]


@pytest.mark.parametrize("kind", ["lora", "merged", "expert", "recipe"])
def test_every_kind_is_written_measured_and_described(place, tmp_path, capsys, kind):
    out, file = tmp_path / "mine", tmp_path / "out.json"
    args = ["export", "math=0.5,vision=0.25", "--as", kind, "--out", str(out), "--rank", "2", "--measure", "math,vision",
            "--n", "3"]  # fmt: skip
    assert main([*args, "--json", str(file), *place]) == 0
    shown = capsys.readouterr().out
    assert f"{kind} written to" in shown and "export minus mix" in shown
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["alphas"] == {"math": 0.5, "vision": 0.25} and recipe["export"]["as"] == kind
    assert [r["task"] for r in recipe["measured"]] == ["math", "vision"] and recipe["made_by"]["seed"] == 2025
    assert json.loads(file.read_text())["measured"] == recipe["measured"]
    card = (out / "README.md").read_text()
    assert "base_model: " in card and "| math | 3 |" in card and str(tmp_path) not in card
    if kind == "lora":
        assert "rank 2: keeps" in shown and len(recipe["export"]["kept_by_matrix"]) == 14
    # The folder is itself a mix: the same export again, refused without --force.
    again = ["export", str(out / "recipe.json"), "--as", kind, "--out", str(out), *place]
    assert main(again) == 1 and "--force to replace it" in capsys.readouterr().err
    assert main([*again, "--force"]) == 0 and "not measured" in (out / "README.md").read_text()


def test_a_sweep_is_a_table_and_json(place, tmp_path, capsys):
    file = tmp_path / "sweep.json"
    assert main(["export", "math", "--as", "lora", "--sweep", "--measure", "math", "--n", "3", "--ranks", "1,4", "--json",
                 str(file), *place]) == 0  # fmt: skip
    shown, found = capsys.readouterr().out, json.loads(file.read_text())
    assert "rank 1 " in shown and "(full)" in shown and "logits off by" in shown
    assert [r["rank"] for r in found["rows"]][:2] == [1, 4] and found["rows"][-1]["full"] and found["rows"][-1]["logits"] <= 1e-4
    assert [r["mix"] for r in found["beside"]] == ["base", "math=1"] and found["made_by"]["seed"] == 2025
    assert all({"kept", "n", "accuracy", "ci95", "minus_mix"} <= set(r) for r in found["rows"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["math", "--as", "lora"], "--out FOLDER"),
        (["math", "--as", "lora", "--out", "x", "--rank", "many"], "whole number"),
        (["math", "--as", "lora", "--out", "x", "--rank", "0"], "at least 1"),
        (["math", "--as", "lora", "--out", "x", "--measure", "cooking"], "no task 'cooking'"),
        (["math", "--as", "lora", "--out", "x", "--measure", "handwritten"], "no test examples"),
        (["math", "--as", "lora", "--out", "x", "--measure", "math", "--n", "0"], "--n must be"),
        (["math", "--as", "lora", "--sweep"], "--sweep goes with"),
        (["math", "--as", "merged", "--sweep", "--measure", "math"], "--sweep goes with"),
        (["math", "--as", "lora", "--sweep", "--measure", "math", "--out", "x"], "writes no folder"),
        (["math", "--as", "lora", "--sweep", "--measure", "math", "--ranks", "two"], "--ranks"),
        (["auto:prompt", "--as", "lora", "--out", "x"], "per prompt"),
        (["base", "--as", "lora", "--out", "x"], "base model"),
        (["base", "--as", "lora", "--sweep", "--measure", "math"], "base model"),
        (["poetry", "--as", "expert", "--out", "x"], "unknown expert"),
        (["math", "--as", "expert", "--out", "other"], "unusable name"),
    ],
)
def test_impossible_exports_are_refused_in_one_line(place, tmp_path, monkeypatch, capsys, args, message):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *args, *place]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error and list(tmp_path.iterdir()) == []


# -- import --------------------------------------------------------------------------------------------


@pytest.fixture
def base(tiny_lm_dir, tmp_path):
    """(flags, a policy file as the released code writes it, the policy) for a plain Llama."""
    model = load(tiny_lm_dir, device="cpu", experts_dir=None).model
    policy = Policy(model)
    torch.save(policy.state_dict(), tmp_path / "policy_params.pt")
    return ["--base", str(tiny_lm_dir), "--experts", str(tmp_path / "experts"), "--device", "cpu", "--threads", "1"], policy


def test_a_released_checkpoint_becomes_an_expert_that_answers(base, tmp_path, capsys):
    flags, policy = base
    file, out = tmp_path / "policy_params.pt", tmp_path / "out.json"
    assert main(["import", str(file), "--name", "gsm8k", "--json", str(out), *flags]) == 0
    assert "does not name its base" in capsys.readouterr().out
    expert = load_expert(tmp_path / "experts" / "gsm8k")
    assert len(expert.z) == 6 and expert.role == "skill" and "sigmoid" in expert.objective
    recipe = json.loads((tmp_path / "experts" / "gsm8k" / "recipe.json").read_text())["imported"]
    assert recipe["kind"] == "policy" and len(recipe["sha256"]) == 64 and set(recipe["rescaling"]) == set(expert.z)
    # The original is in there: p = logit(z / c).
    for name, p in policy.learnable_params.items():
        path = name.removesuffix(".weight")
        back = torch.logit(expert.z[path].double() / recipe["rescaling"][path] / recipe["max_mult"])
        assert (back.bfloat16() == p.detach()).all()
    assert main(["eval", "--task", "math", "--mix", "gsm8k=0.7", "--n", "2", "--model", flags[1], *flags[2:]]) == 0
    assert main(["import", str(file), "--name", "gsm8k", *flags]) == 1 and "--force" in capsys.readouterr().err
    assert main(["import", str(file), "--name", "gsm8k", "--mask", "identity", "--role", "dispatcher", "--force", *flags]) == 0
    again = load_expert(tmp_path / "experts" / "gsm8k")
    assert again.role == "dispatcher" and "identity" in again.objective
    assert [p.name for p in (tmp_path / "experts").iterdir()] == ["gsm8k"]


def test_an_experts_folder_of_somebody_else_is_not_replaced(base, tmp_path, capsys):
    flags, _ = base
    (tmp_path / "experts" / "math").mkdir(parents=True)
    (tmp_path / "experts" / "math" / "recipe.json").write_text("{}")
    assert main(["import", str(tmp_path / "policy_params.pt"), "--name", "math", "--force", *flags]) == 1
    assert "not written by this command" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "name", "message"),
    [
        ({"learnable_params_module_list.0": Trap()}, "x", "could run code"),
        ({"learnable_params_module_list.0": torch.ones(32)}, "x", "another base model, or layers are missing"),
        ({"lora_A": torch.ones(32)}, "x", "expected policy_params.pt"),
        (None, "../x", "--name takes"),
        (None, "base", "unusable name"),
    ],
)
def test_impossible_imports_are_refused_in_one_line(base, tmp_path, capsys, value, name, message):
    flags, _ = base
    file = tmp_path / "policy_params.pt"
    if value is not None:
        torch.save(value, file)
    assert main(["import", str(file), "--name", name, *flags]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error and not (tmp_path / "experts").exists()


def test_other_things_than_released_files_are_told_apart(base, tmp_path, capsys):
    flags, _ = base
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    assert main(["import", str(adapter), "--name", "x", *flags]) == 1 and "another kind of adapter" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "none.pt"), "--name", "x", *flags]) == 1 and "check the path" in capsys.readouterr().err


# -- LoRA adapters -------------------------------------------------------------------------------------


def test_an_adapter_comes_in_is_looked_at_and_leaves_as_an_expert(base, tiny_lm, tmp_path, capsys):
    flags, _ = base
    adapter, out = write(tmp_path / "their", tiny_lm.model, base_model_name_or_path="somebody/else"), tmp_path / "out.json"
    assert main(["import", str(adapter), "--name", "mine", "--json", str(out), *flags]) == 0
    said = capsys.readouterr().out
    share = json.loads(out.read_text())["imported"]["rescales"]
    assert f"{100 * share:.1f} % of |dW|^2" in said and "note: it names another base model" in said
    plain = ["--model", flags[1], *flags[2:]]
    assert main(["eval", "--task", "math", "--mix", "mine=0.7", "--n", "2", *plain]) == 0
    assert main(["spectra", "--mix", "mine", "--csv", str(tmp_path / "m.csv"), "--html", str(tmp_path / "m.html"), *plain]) == 0
    assert "rotates" in capsys.readouterr().out and "rescales" in (tmp_path / "m.csv").read_text().splitlines()[0]
    assert main(["export", "mine", "--as", "expert", "--out", str(tmp_path / "experts" / "mine-svf"), *plain]) == 0
    assert "is lost" in capsys.readouterr().out
    assert load_expert(tmp_path / "experts" / "mine-svf").name == "mine-svf"
    assert main(["export", "mine=0.5,mine-svf=1", "--as", "lora", "--rank", "full", "--out", str(tmp_path / "again"), *plain]) == 0
    assert "keeps 100.0 %" in capsys.readouterr().out
    assert main(["import", str(adapter), "--name", "mine", *flags]) == 1 and "--force" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "again"), "--name", "mine", "--force", *flags]) == 0
    assert sorted(p.name for p in (tmp_path / "experts").iterdir()) == ["mine", "mine-svf"]


@pytest.mark.parametrize(
    ("config", "more", "message"),
    [({"use_dora": True}, [], "DoRA"), ({}, ["--role", "dispatcher"], "skill expert"), ({"r": 5}, [], "of two adapters")],
)
def test_unusable_adapters_are_refused_in_one_line(base, tiny_lm, tmp_path, capsys, config, more, message):
    flags, _ = base
    adapter = write(tmp_path / "their", tiny_lm.model, **config)
    assert main(["import", str(adapter), "--name", "mine", *more, *flags]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error and not (tmp_path / "experts").exists()


def test_an_adapter_of_another_model_is_refused(base, tiny_llava, tmp_path, capsys):
    flags, _ = base
    adapter = write(tmp_path / "their", tiny_llava.model)
    assert main(["import", str(adapter), "--name", "mine", *flags]) == 1
    assert "modules that this model has not got" in capsys.readouterr().err and not (tmp_path / "experts").exists()
