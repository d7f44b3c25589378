"""The shipped files do what the README says: on 200 examples a family, every gain above 0 and within 8 points."""

import json
from pathlib import Path

import pytest

from t2ui.core.mixing import Mix
from t2ui.engine.dispatch import dispatch_all
from t2ui.engine.model import load
from t2ui.tasks import TRAINED, get_task
from t2ui.tasks.other import foreign
from t2ui.tasks.pictures import draw
from t2ui.train.evaluate import evaluate
from t2ui.train.tables import markdown

ROOT = Path(__file__).resolve().parents[1]
CI_SEED = 2025  # the README's: its first 200 questions of each family
RESULTS = ROOT / "assets" / "results" / "eval.json"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    return load(ROOT / "assets" / "demo-model", experts_dir=ROOT / "experts", cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def results():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_every_expert_is_there_and_accepted(shipped):
    assert set(shipped.stack.names) == set(TRAINED)
    assert not shipped.registry.refused and shipped.info.is_demo


@pytest.mark.slow
@pytest.mark.parametrize("task", TRAINED)
def test_gains_are_those_of_the_readme(shipped, results, task):
    base = evaluate(shipped, task, Mix.base(), n=200, seed=CI_SEED)
    expert = evaluate(shipped, task, Mix.single(task), n=200, seed=CI_SEED)
    said = results["headline"][task]
    assert expert.accuracy > base.accuracy
    assert abs(expert.accuracy - said["expert"]["accuracy"]) <= 0.08
    assert abs(base.accuracy - said["base"]["accuracy"]) <= 0.08


def test_the_readme_shows_these_results(results):
    assert markdown(results) in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_dispatch_finds_the_family_and_the_world_has_an_end(shipped, results):
    right = total = notices = 0
    for task in TRAINED:
        examples = get_task(task).examples("validation", 30, 1)
        pictures = [None if e.scene is None else draw(e.scene) for e in examples]
        decided = dispatch_all(shipped, [e.prompt for e in examples], pictures)
        right += sum(d.choice == task for d in decided)
        notices += sum(bool(d.outside) for d in decided)
        total += len(decided)
    assert abs(right / total - results["dispatch"]["accuracy"]) <= 0.08
    assert notices / total <= 0.12
    import random

    rng = random.Random(9)
    away = dispatch_all(shipped, [foreign(rng) for _ in range(60)])
    assert sum(bool(d.outside) for d in away) >= 40


def test_files_are_small():
    model = [p for p in (ROOT / "assets" / "demo-model").rglob("*") if p.is_file() and "run" not in p.parts]
    assert sum(p.stat().st_size for p in model) < 16 * 2**20
    assert max(p.stat().st_size for p in model) < 8 * 2**20
    for path in (ROOT / "experts").glob("*/expert.safetensors"):
        assert path.stat().st_size < 200_000


def test_z_is_a_small_part_of_the_model(shipped):
    assert shipped.info.z_params < 0.005 * shipped.info.params


def test_no_shipped_text_names_a_machine():
    for folder in ("assets", "experts"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".md", ".json", ".jsonl") and "run" not in path.parts:
                text = path.read_text(encoding="utf-8")
                assert "/home/" not in text and "/tmp/" not in text and "/root/" not in text, path
