"""Few-shot search measured: shots are nobody else's, baselines get the same, every cell is measured once."""

from dataclasses import replace

import pytest

from t2ui.core.mixing import Mix
from t2ui.engine.search import SearchSettings
from t2ui.tasks import get_task
from t2ui.train import fewshot as module
from t2ui.train.fewshot import Heldout, baselines, best_single, fewshot, random_search, shots_of

SETTINGS = SearchSettings(population=4, generations=2, objective="likelihood", rows=16, seed=3)


@pytest.mark.parametrize("name", ["math", "vision_math"])
def test_shots_are_of_the_validation_split_and_of_their_seed(name):
    task = get_task(name)
    shots, fresh = shots_of(task, 5, 0, 4)
    other, _ = shots_of(task, 5, 1, 4)
    prompts = [s.prompt for s in (*shots, *fresh)]
    assert len(set(prompts)) == 9 and not set(prompts) & {s.prompt for s in other}
    assert [s.prompt for s in shots] == [s.prompt for s in shots_of(task, 5, 0, 4)[0]]
    for shot in shots:
        assert shot.grade(shot.reference) and not shot.grade("I do not know.")
    kept = {e.prompt for e in task.examples("test", 200, 2025)}
    assert not kept & set(prompts)


def test_a_search_is_measured_beside_everything_simple(tiny_llava):
    heldout = Heldout(tiny_llava, "math", 4)
    reports = list(fewshot(tiny_llava, "math", SETTINGS, 2, heldout=heldout, fresh=2))
    result = reports[-1].result
    names = ["base", *tiny_llava.stack.names, "uniform", "all", "half", "dispatch", "single", "random", "searched", "found"]
    assert list(result["heldout"]) == names and {c["n"] for c in result["heldout"].values()} == {4}
    assert [p["minus"] for p in result["paired"]] == names[:-1]
    assert 0 < result["first_seconds"] <= result["seconds"] + 0.01 and result["evaluations"] == 2 * 4 * 2
    assert result["chosen"] in ("mean", "best", "default") and 0 <= result["luck"] <= 1
    if result["chosen"] != "default":
        assert result["heldout"]["searched"] == result["heldout"]["found"]
    assert result["heldout"]["single"] == result["heldout"][next(iter(Mix.parse(result["single_choice"]).alphas))]


def test_random_search_gets_as_many_candidates_as_the_search_took(tiny_llava, monkeypatch):
    seen = {}
    real = module.random_search

    def counted(loaded, shots, fresh, settings):
        seen["generations"] = settings.generations
        return real(loaded, shots, fresh, settings)

    monkeypatch.setattr(module, "random_search", counted)
    settings = replace(SETTINGS, generations=50, tolerance=1.0, elites=0.5)  # converged as soon as it may be
    *_, end = fewshot(tiny_llava, "math", settings, 2, heldout=Heldout(tiny_llava, "math", 2), fresh=2)
    assert seen["generations"] == end.result["generations"] < 50 and "converged" in end.result["stopped"]


def test_cells_that_need_no_shots_are_measured_once(tiny_llava, monkeypatch):
    calls, real = [], module.evaluate

    def counted(loaded, task, mix, **options):
        calls.append(mix)
        return real(loaded, task, mix, **options)

    monkeypatch.setattr(module, "evaluate", counted)
    heldout = Heldout(tiny_llava, "math", 2)
    for name, mix in [*baselines(tiny_llava).items(), *baselines(tiny_llava).items()]:
        heldout.cell(mix, name)
    assert len(calls) == len(set(map(str, calls))) == len(baselines(tiny_llava))


def test_the_best_single_expert_is_one_of_them(tiny_llava):
    shots, fresh = shots_of(get_task("math"), 2, 0, 2)
    assert set(best_single(tiny_llava, shots).alphas) <= set(tiny_llava.stack.names)
    assert random_search(tiny_llava, shots, fresh, SETTINGS).mix == random_search(tiny_llava, shots, fresh, SETTINGS).mix
