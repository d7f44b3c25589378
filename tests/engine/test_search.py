"""Few-shot search: finds what it should, reports, stops, resumes, refuses."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
import torch

import t2ui.engine.search as module
from t2ui.core import Mix
from t2ui.engine import Request, RequestError, answer_all, score
from t2ui.engine.search import PRESETS, SearchSettings, Shot, mix_of, save_recipe, search
from t2ui.engine.search_score import luck

PROMPTS = ("Anna has 12 pens.", "How many red circles are there?", "def total(xs):")
SETTINGS = SearchSettings(population=12, generations=4, objective="likelihood", rows=18, seed=1)


@pytest.fixture(scope="module")
def shots(tiny_llava):
    """The right answers are those of one mix: it, and what is near, is the known optimum."""
    wanted = answer_all(tiny_llava, [Request(p, mix=Mix({"math": 1.0}), max_new_tokens=6) for p in PROMPTS], mode="rows")
    return [Shot(p, a.text, grade=lambda text, right=a.text: text == right, max_new_tokens=6)
            for p, a in zip(PROMPTS, wanted, strict=True)]  # fmt: skip


def likelihood(loaded, shots, mix):
    values = score(loaded, [Request(s.prompt, mix=mix) for s in shots], [s.reference for s in shots], mode="rows")
    return sum(sum(v) / len(v) for v in values) / len(values)


def test_likelihood_search_finds_a_better_mix_than_any_it_began_with(tiny_llava, shots):
    *reports, end = search(tiny_llava, shots, replace(SETTINGS, generations=6))
    result = end.result
    assert end.kind == "end" and result.validated_on == "shots"
    found = likelihood(tiny_llava, shots, result.mix)
    assert found > likelihood(tiny_llava, shots, Mix.base()) and found > likelihood(tiny_llava, shots, Mix({"code": 1.0}))
    assert found == pytest.approx(max(result.mean.likelihood, result.best.likelihood), abs=2e-4)
    assert result.mix == (result.mean if result.chosen == "mean" else result.best).mix
    assert end.evaluations == 6 * 12 * 3


def test_what_a_report_says_about_a_candidate_is_true(tiny_llava, shots):
    told = [r for r in search(tiny_llava, shots, replace(SETTINGS, generations=1)) if r.kind == "generation"][0]
    for place in (0, 7):
        mix = mix_of(tiny_llava.stack.names, tiny_llava.info.n_layers, told.candidates[place])
        assert told.round.scores[place][0] == pytest.approx(likelihood(tiny_llava, shots, mix), abs=2e-4)


def test_accuracy_with_ties_by_likelihood(tiny_llava, shots):
    *reports, end = search(tiny_llava, shots, replace(SETTINGS, objective="accuracy", generations=3), fresh=shots[:2])
    told = [r for r in reports if r.kind == "generation"][-1].round
    for accuracy, tie in told.scores:
        assert round(accuracy * 3, 6) in (0, 1, 2, 3) and tie <= 0
    assert end.result.validated_on == "fresh" and end.result.mean.accuracy is not None
    assert end.result.shots_accuracy == told.best_score[0]


@pytest.mark.parametrize(("searched", "kept_right", "kept"), [
    ("1111000000000000", "1111000000000000", True),  # no difference
    ("1110000000000000", "0000000000000000", True),  # three gained, none lost: one chance in eight
    ("1111000000000000", "0000000000000000", False),  # four: one in sixteen
    ("1111111000000000", "0000000000000001", False),  # seven gained, one lost: 9 in 256
    ("1111000000000000", "0000001100000000", True),
])  # fmt: skip
def test_the_default_stays_unless_it_is_clearly_beaten(tiny_llava, shots, monkeypatch, searched, kept_right, kept):
    default = Mix({"code": 1.0})
    real = module.verdicts

    def judged(loaded, fresh, mixes, **more):
        assert mixes[2] == default and more["graded"]
        rights = [searched, "0" * 16, kept_right]
        return [replace(v, right=tuple(c == "1" for c in r), accuracy=r.count("1") / 16)
                for v, r in zip(real(loaded, fresh, mixes, **more), rights, strict=True)]  # fmt: skip

    monkeypatch.setattr(module, "verdicts", judged)
    result = list(search(tiny_llava, shots, replace(SETTINGS, generations=1), fresh=shots, default=default))[-1].result
    gained = luck([c == "1" for c in searched], [c == "1" for c in kept_right])
    assert result.luck == pytest.approx(gained)
    assert result.searched == result.mean.mix and result.default.mix == default
    assert result.chosen == ("default" if kept else "mean")
    assert result.mix == (default if kept else result.mean.mix)


def test_without_fresh_examples_there_is_no_default(tiny_llava, shots):
    result = list(search(tiny_llava, shots, replace(SETTINGS, generations=1), default=Mix({"code": 1.0})))[-1].result
    assert result.default is None and result.luck is None and result.chosen in ("mean", "best")


@pytest.mark.parametrize(("new", "old", "chance"), [
    ("1111", "1111", 1.0), ("1111", "0000", 1 / 16), ("0000", "1111", 1.0), ("1110", "0001", 5 / 16), ("10", "01", 3 / 4),
])  # fmt: skip
def test_luck_is_the_sign_tests_tail(new, old, chance):
    assert luck([c == "1" for c in new], [c == "1" for c in old]) == pytest.approx(chance)


def test_batches_are_reported_as_they_come(tiny_llava, shots):
    reports = list(search(tiny_llava, shots, SETTINGS))
    first = [r for r in reports if r.generation == 0 and r.kind == "batch"]
    assert [r.done for r in first] == [18, 36] and all(r.total == 36 for r in first)
    assert [len(r.scored) for r in first] == [6, 12]
    kinds = [r.kind for r in reports]
    assert kinds == ["batch", "batch", "generation"] * 4 + ["end"]
    assert all(a.seconds <= b.seconds for a, b in zip(reports, reports[1:], strict=False))


def test_rows_do_not_change_what_is_found(tiny_llava, shots):
    one, other = (list(search(tiny_llava, shots, replace(SETTINGS, generations=2, rows=rows))) for rows in (4, 300))
    for a, b in zip((r for r in one if r.round and r.kind == "generation"),
                    (r for r in other if r.round and r.kind == "generation"), strict=True):  # fmt: skip
        assert torch.equal(a.candidates, b.candidates)
        assert [s[0] for s in a.round.scores] == pytest.approx([s[0] for s in b.round.scores], abs=1e-4)


def test_per_layer_alphas(tiny_llava, shots):
    end = list(search(tiny_llava, shots, replace(SETTINGS, per_layer=True, generations=2)))[-1]
    assert end.result.best.mix.per_layer
    vector = torch.arange(6) / 10
    assert mix_of(["a", "b", "c"], 2, vector).alpha("b") == (0.1, 0.4)


@pytest.mark.parametrize("objective", ["likelihood", "accuracy"])
def test_stop_keeps_the_best_so_far(tiny_llava, shots, objective):
    stop = threading.Event()
    seen = []
    for report in search(tiny_llava, shots, replace(SETTINGS, objective=objective, generations=50), stop=stop):
        seen.append(report)
        if len(seen) == 4:  # within the second generation
            stop.set()
    assert seen[-1].kind == "end" and seen[-1].stopped == "stopped" and len(seen) == 5
    best = max(s for r in seen for _, s in r.scored)
    found = seen[-1].result.best.mix
    candidates = {mix_of(tiny_llava.stack.names, tiny_llava.info.n_layers, r.candidates[i])
                  for r in seen for i, s in r.scored if s == best}  # fmt: skip
    assert found in candidates


def test_stopped_before_the_first_batch(tiny_llava, shots):
    stop = threading.Event()
    stop.set()
    (end,) = search(tiny_llava, shots, SETTINGS, stop=stop)
    assert end.kind == "end" and end.evaluations == 0 and end.result.mix == end.result.mean.mix


def test_a_resumed_search_equals_an_uninterrupted_one(tiny_llava, shots, tmp_path):
    whole = list(search(tiny_llava, shots, SETTINGS))
    path = tmp_path / "search.json"
    running = search(tiny_llava, shots, SETTINGS, path=path)
    for report in running:
        if report.kind == "batch" and report.generation == 2:
            running.close()
            break
    rest = list(search(tiny_llava, shots, SETTINGS, path=path))
    assert rest[0].generation == 2
    assert rest[-1].result == whole[-1].result and rest[-1].evaluations == whole[-1].evaluations
    assert not list(tmp_path.glob("*.tmp"))
    with pytest.raises(ValueError, match="other examples"):
        list(search(tiny_llava, shots[:2], SETTINGS, path=path))
    path.write_text("{}")
    with pytest.raises(ValueError, match="not a saved search"):
        list(search(tiny_llava, shots, SETTINGS, path=path))


@pytest.mark.parametrize("method", ["random", "climb", "uniform"])
def test_the_other_methods(tiny_llava, shots, method):
    start = Mix({"math": 0.5, "code": 0.25})
    reports = list(search(tiny_llava, shots, replace(SETTINGS, method=method), start=start))
    first = reports[0].candidates[0].tolist()
    names = tiny_llava.stack.names
    if method == "climb":
        assert first == pytest.approx([start.alpha(n) for n in names])
    if method == "uniform":
        assert first == pytest.approx([1 / 3] * 3) and reports[-1].result.mix == mix_of(names, 2, torch.tensor([1 / 3] * 3))
    assert reports[-1].result.best.likelihood is not None


def test_a_live_search_may_converge_early(tiny_llava, shots):
    eager = replace(PRESETS["live"].settings, generations=40, tolerance=0.2)
    end = list(search(tiny_llava, shots, eager))[-1]
    assert end.stopped.startswith("converged after") and end.generation < 40


def test_bad_input_is_refused_before_anything_runs(tiny_llava, tiny_llava_dir, shots):
    from t2ui.engine import load

    cases = [
        ([], SETTINGS, {}, "1 to 256 examples, got 0"),
        (list(shots) * 100, SETTINGS, {}, "got 300"),
        ([Shot("Hi")], SETTINGS, {}, "example 1 has no reference"),
        ([Shot("Hi", "there")], replace(SETTINGS, objective="accuracy"), {}, "example 1 cannot be graded"),
        ([Shot(" ", "there")], SETTINGS, {}, "empty"),
        (shots, SETTINGS, {"names": ["math", "chess"]}, "no expert 'chess'"),
        (shots, replace(SETTINGS, method="magic"), {}, "method must be one of"),
        (shots, replace(SETTINGS, objective="luck"), {}, "objective must be one of"),
        (shots, replace(SETTINGS, rows=0), {}, "rows must be"),
    ]
    for given, settings, more, message in cases:
        with pytest.raises(ValueError, match=message):
            search(tiny_llava, given, settings, **more)
    with pytest.raises(ValueError, match="lower one first"):
        next(search(tiny_llava, shots, replace(SETTINGS, low=1.0, high=0.0)))
    bare = load(tiny_llava_dir, device="cpu", experts_dir=None)
    with pytest.raises(RequestError, match="no expert to mix"):
        search(bare, shots, SETTINGS)


def test_no_right_answer_anywhere_falls_back_on_the_references(tiny_llava, shots):
    hopeless = [replace(s, grade=lambda text: False) for s in shots]
    told = [r for r in search(tiny_llava, hopeless, replace(SETTINGS, objective="accuracy", generations=1))
            if r.kind == "generation"][0]  # fmt: skip
    assert {s[0] for s in told.round.scores} == {0.0}
    assert len({s[1] for s in told.round.scores}) > 6


def test_one_shot_and_a_population_of_one(tiny_llava, shots):
    end = list(search(tiny_llava, shots[:1], replace(SETTINGS, population=1, generations=3)))[-1]
    assert end.evaluations == 3 and end.result.mix is not None


def test_a_recipe_is_read_by_eval(tmp_path):
    from t2ui.train.evaluate import read_mix

    mix = Mix({"math": 0.6, "code": (0.1, 0.2)})
    save_recipe(tmp_path / "found.json", mix, task="vision_math", seed=3)
    assert read_mix(str(tmp_path / "found.json")) == mix
    assert json.loads((tmp_path / "found.json").read_text())["task"] == "vision_math"
