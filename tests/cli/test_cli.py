"""The command line: tables on the screen, JSON in files, one clear line and a non-zero exit on failure."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from t2ui.__main__ import main
from t2ui.core.experts import Expert
from t2ui.engine.model import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def place(smoke, tmp_path_factory):
    """(model folder, experts folder) with two random experts."""
    experts = tmp_path_factory.mktemp("experts")
    loaded = load(smoke[0], experts_dir=experts)
    for k, name in enumerate(("math", "vision")):
        torch.manual_seed(k)
        Expert.from_z(loaded.adapted, name, 1 + 0.2 * torch.randn(loaded.adapted.R)).save(experts / name)
    return ["--model", str(smoke[0]), "--experts", str(experts), "--threads", "1"]


def test_eval_writes_rows_and_pairs(place, tmp_path, capsys):
    out = tmp_path / "deep" / "eval.json"
    code = main(["eval", "--task", "math,vision", "--mix", "math", "--mix", "math=0.5,vision=0.25", "--minus", "base",
                 "--n", "5", "--json", str(out), *place])  # fmt: skip
    assert code == 0
    found = json.loads(out.read_text())
    assert [(r["task"], r["mix"], r["n"]) for r in found["rows"]] == [
        ("math", "math", 5), ("math", "math=0.5,vision=0.25", 5), ("vision", "math", 5),
        ("vision", "math=0.5,vision=0.25", 5)]  # fmt: skip
    for row in found["rows"]:
        assert row["accuracy"] == row["correct"] / 5 and row["ci95"][0] <= row["accuracy"] <= row["ci95"][1]
    assert {(p["task"], p["minus"]) for p in found["paired"]} == {("math", "base"), ("vision", "base")}
    assert all({"diff", "ci95", "n", "mix"} <= set(p) for p in found["paired"])
    assert "paired" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.tmp"))


def test_eval_knows_dispatch_and_recipes(place, tmp_path, capsys):
    recipe = tmp_path / "mix.json"
    recipe.write_text(json.dumps({"alphas": {"vision": 0.3}}))
    assert main(["eval", "--task", "code", "--mix", "auto:prompt", "--mix", str(recipe), "--n", "3", *place]) == 0
    assert "auto:prompt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["eval", "--task", "cooking", "--mix", "base"], "no task 'cooking'"),
        (["eval", "--task", "math", "--mix", "chess"], "chess"),
        (["eval", "--task", "math", "--mix", "math=nan"], "math"),
        (["eval", "--task", "math", "--mix", "base", "--n", "0"], "at least 1"),
        (["eval", "--task", "math", "--mix", "nowhere.json"], "cannot be read"),
        (["train", "--task", "cooking"], "no task 'cooking'"),
    ],
)
def test_wrong_words_give_one_line_and_exit_1(place, capsys, args, message):
    assert main([*args, *place]) == 1
    error = capsys.readouterr().err
    assert "error:" in error and message in error and "Traceback" not in error


def test_a_missing_model_is_told(tmp_path, capsys):
    assert main(["eval", "--task", "math", "--mix", "base", "--model", str(tmp_path / "none")]) == 1
    assert "no model folder" in capsys.readouterr().err


def test_dispatch_of_one_prompt_and_of_many(place, tmp_path, capsys):
    out = tmp_path / "d.json"
    assert main(["dispatch", "How many apples?", "--json", str(out), *place]) == 0
    one = json.loads(out.read_text())
    assert sum(one["scores"].values()) == pytest.approx(1, abs=1e-4) and one["choice"] in one["scores"]
    assert main(["dispatch", "--n", "4", "--task", "math,vision", "--json", str(out), *place]) == 0
    many = json.loads(out.read_text())
    assert many["n"] == 8 and sum(many["confusion"]["math"].values()) == 4
    assert 0 <= many["accuracy"] <= 1


def test_train_decompose_gates_and_calibrate_run(place, tmp_path, capsys, smoke):
    import shutil

    model = tmp_path / "demo"
    shutil.copytree(smoke[0], model, ignore=shutil.ignore_patterns("run"))
    flags = ["--model", str(model), "--experts", str(tmp_path / "experts"), "--threads", "1"]
    out = tmp_path / "r.json"
    assert main(["train", "--task", "math", "--steps", "2", "--prompts", "2", "--samples", "2", "--validation", "4",
                 "--json", str(out), *flags]) == 0  # fmt: skip
    assert json.loads(out.read_text())["steps"] == 2
    assert (tmp_path / "experts" / "math" / "expert.safetensors").exists()
    assert main(["decompose", "--json", str(out), *flags]) == 0
    assert json.loads(out.read_text())["singular_values"] > 0
    assert main(["gates", "--task", "vision_math", "--n", "3", "--json", str(out), *flags]) == 0
    assert {r["forced"] for r in json.loads(out.read_text())["rows"]} == {
        "greedy", "careful", "vision careful only", "math careful only"}  # fmt: skip
    assert main(["calibrate", "--n", "6", *flags]) == 0
    assert "outside" in json.loads((model / "t2ui.json").read_text())
    assert json.loads((model / "t2ui.json").read_text())["labels"][-1] == "other"


def test_any_tiny_lm_dir_is_evaluated(tiny_lm_dir, tmp_path):
    """A plain causal language model: no pictures, no chat roles of ours."""
    out = tmp_path / "e.json"
    assert main(["eval", "--task", "math", "--mix", "base", "--n", "3", "--model", str(tiny_lm_dir),
                 "--experts", str(tmp_path), "--json", str(out), "--threads", "1"]) == 0  # fmt: skip
    assert json.loads(out.read_text())["rows"][0]["n"] == 3


def test_the_module_runs_and_lists_its_commands():
    done = subprocess.run([sys.executable, "-m", "t2ui", "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for command in ("serve", "decompose", "pretrain", "train", "eval", "dispatch", "record"):
        assert command in done.stdout
    bad = subprocess.run([sys.executable, "-m", "t2ui", "bake"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert bad.returncode != 0


def test_search_measures_what_it_found_and_keeps_it(place, tmp_path, capsys):
    out = tmp_path / "search.json"
    args = ["search", "--task", "vision_math", "--preset", "live", "--shots", "3", "--population", "4", "--generations",
            "2", "--n", "4", "--seed", "5", "--keep", "both", "--recipe", str(tmp_path / "mix.json"), "--json", str(out)]  # fmt: skip
    assert main([*args, *place]) == 0
    found = json.loads(out.read_text())
    assert set(found["heldout"]) == {"base", "math", "vision", "uniform", "all", "half", "dispatch", "single", "random", "searched",
                                     "found"}  # fmt: skip
    assert all({"accuracy", "ci95", "n"} == set(cell) for cell in found["heldout"].values())
    assert {p["minus"] for p in found["paired"]} == set(found["heldout"]) - {"found"}
    assert set(found["alphas"]) <= {"math", "vision"} and found["evaluations"] == 24 and found["seconds"] > 0
    assert "found minus it" in capsys.readouterr().out
    recipe = json.loads((tmp_path / "mix.json").read_text())
    assert recipe["alphas"] == found["alphas"]
    assert main(["eval", "--task", "vision_math", "--mix", "auto:few-shot:both", "--mix", str(tmp_path / "mix.json"),
                 "--n", "3", "--json", str(out), *place]) == 0  # fmt: skip
    one, other = json.loads(out.read_text())["rows"]
    assert one["correct"] == other["correct"]


def test_search_goes_on_from_its_file(place, tmp_path, capsys):
    state = tmp_path / "state.json"
    args = ["search", "--task", "math", "--preset", "live", "--shots", "2", "--population", "3", "--n", "0", "--state",
            str(state), "--json", str(tmp_path / "out.json"), *place]  # fmt: skip
    assert main([*args, "--generations", "2"]) == 0
    first = json.loads((tmp_path / "out.json").read_text())
    assert main([*args, "--generations", "2"]) == 0
    assert json.loads((tmp_path / "out.json").read_text())["alphas"] == first["alphas"]
    assert "heldout" not in first


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--task", "cooking"], "no task 'cooking'"),
        (["--task", "handwritten"], "no examples to search with"),
        (["--task", "math", "--population", "0"], "population"),
        (["--task", "math", "--low", "1", "--high", "0"], "lower one first"),
        (["--task", "math", "--shots", "0"], "1 to 256 examples, got 0"),
        (["--task", "math", "--shots", "1000"], "got 1000"),
        (["--task", "math,code", "--keep", "x"], "one task and one seed"),
        (["--task", "math", "--keep", "../x"], "letters, digits"),
    ],
)
def test_impossible_searches_are_refused_in_one_line(place, capsys, args, message):
    assert main(["search", *args, "--n", "0", *place]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_a_classifier_is_trained_measured_and_calibrated(smoke, tmp_path, capsys):
    import shutil

    model = tmp_path / "model"
    shutil.copytree(smoke[0], model, ignore=shutil.ignore_patterns("run"))
    where = ["--model", str(model), "--experts", str(tmp_path / "experts"), "--threads", "1"]
    assert main(["dispatch", "Hi", "--strategy", "classifier", *where]) == 1
    assert "train one" in capsys.readouterr().err
    assert main(["train", "--task", "dispatch", "--steps", "2", "--prompts", "2", "--validation", "6", *where]) == 0
    assert main(["calibrate", "--n", "2", "--strategy", "classifier", *where]) == 0
    assert "outside_classifier" in json.loads((model / "t2ui.json").read_text())
    out = tmp_path / "d.json"
    assert main(["dispatch", "--strategy", "classifier", "--task", "math,math+picture,handwritten", "--n", "3", "--json",
                 str(out), *where]) == 0  # fmt: skip
    found = json.loads(out.read_text())
    assert found["strategy"] == "classifier" and found["n"] == 6 and 0 <= found["ece"] <= 1
    assert set(found["confusion"]) >= {"math", "math+picture", "handwritten other"}


def test_spectra_as_table_csv_json_and_page(place, tmp_path, capsys):
    files = {kind: tmp_path / f"s.{kind}" for kind in ("csv", "json", "html")}
    args = ["spectra", "--mix", "math=0.5,vision=0.25", "--ranks", "1,4", *place]
    assert main([*args, *[w for kind, path in files.items() for w in (f"--{kind}", str(path))]]) == 0
    assert "LoRA rank" in capsys.readouterr().out
    found = json.loads(files["json"].read_text())
    head, *lines = files["csv"].read_text().splitlines()
    assert head.split(",")[:3] == ["path", "layer", "module"] and len(lines) == len(found["matrices"]["path"]) == 14
    assert [len(found["spectra"][0][k]) for k in ("sigma", "sigma2", "z")] == [found["matrices"]["r"][0]] * 3
    assert found["lora"]["rank"] == [1, 4] and found["cosines"]["names"] == ["math", "vision"]
    page = files["html"].read_text()
    assert "plotly" in page and "<h1>math=0.5,vision=0.25" in page
    assert 'src="http' not in page, "the page needs no network"
    assert main(["spectra", "--mix", "auto:prompt", *place]) == 1 and "per prompt" in capsys.readouterr().err
    assert main(["spectra", "--ranks", "two", *place]) == 1 and "--ranks" in capsys.readouterr().err


def test_a_report_can_be_made_in_parts(place, tmp_path, capsys):
    out = tmp_path / "r.json"
    args = ["report", "--n", "2", "--headline-n", "2", "--out", str(out), *place]
    assert main([*args, "--only", "gates"]) == 0 and set(json.loads(out.read_text())) == {"gates", "made_by"}
    assert main([*args, "--only", "dispatch"]) == 0 and set(json.loads(out.read_text())) == {"gates", "dispatch", "made_by"}
    assert main([*args, "--only", "weather"]) == 1 and "no section 'weather'" in capsys.readouterr().err
