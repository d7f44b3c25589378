"""REINFORCE on z: it raises what is rewarded, leaves the model as it was, and can be killed."""

import threading
from dataclasses import replace

import pytest
import torch

from t2ui.core.experts import load_expert
from t2ui.tasks import TASKS
from t2ui.tasks.base import Grade
from t2ui.train import reinforce as module
from t2ui.train.card import publish
from t2ui.train.reinforce import Settings, TrainReport, _adapt, reinforce
from t2ui.train.run_z import best_z

QUICK = Settings("math", steps=4, prompts=3, samples=4, validation=8, validate_every=2, lr=3e-2)


def first_weight(loaded):
    return next(iter(loaded.adapted.modules.values())).weight


def test_it_raises_what_is_rewarded(smoke_loaded, tmp_path, monkeypatch):
    """A random model rewarded for short answers learns to write shorter ones: gradient, sign and baseline."""
    task = TASKS["math"]
    monkeypatch.setattr(task, "grade", lambda content, text: Grade(len(text) < 20, ""))
    monkeypatch.setattr(task, "max_new_tokens", 24)
    # The tiny random model hardly ever ends by itself, and an unfinished answer counts as wrong: it ends more often here.
    ends, plain = smoke_loaded.model.lm_head, smoke_loaded.model.lm_head.forward
    monkeypatch.setattr(ends, "forward", lambda h: plain(h) + 2.5 * torch.nn.functional.one_hot(
        torch.tensor(smoke_loaded.terminator), ends.out_features))  # fmt: skip
    reports = list(reinforce(smoke_loaded, replace(QUICK, steps=30, prompts=6, samples=8, lr=5e-2, kl=0.0, kl_ceiling=1e9,
                                             clip=100.0, validate_every=30), tmp_path / "run"))  # fmt: skip
    early = sum(r.reward for r in reports[1:6]) / 5
    late = sum(r.reward for r in reports[-5:]) / 5
    assert late > early or late > 0.95
    assert reports[-1].z > 0 and reports[-1].kl > 0


def test_the_model_is_left_as_it_was(smoke_loaded, tmp_path):
    before = first_weight(smoke_loaded).clone()
    list(reinforce(smoke_loaded, QUICK, tmp_path / "run"))
    assert smoke_loaded.adapted.mode == "off"
    assert torch.equal(first_weight(smoke_loaded), before)
    run = reinforce(smoke_loaded, QUICK, tmp_path / "other")
    next(run)
    run.close()
    assert smoke_loaded.adapted.mode == "off"


def test_z_stays_in_its_range_and_fp32(smoke_loaded, tmp_path):
    list(reinforce(smoke_loaded, replace(QUICK, lr=5.0, warmup=1), tmp_path / "run"))
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert state["z"].dtype == torch.float32
    assert state["z"].min() >= 0 and state["z"].max() <= 2
    assert best_z(tmp_path / "run").shape == (smoke_loaded.adapted.R,)


def test_a_killed_run_resumes_where_its_last_validation_stood(smoke_loaded, tmp_path):
    whole = list(reinforce(smoke_loaded, QUICK, tmp_path / "a"))
    run = reinforce(smoke_loaded, QUICK, tmp_path / "b")
    for report in run:
        if report.step == 3:
            run.close()
            break
    resumed = list(reinforce(smoke_loaded, QUICK, tmp_path / "b"))
    assert [r.step for r in resumed] == [3, 4]
    a, b = (torch.load(tmp_path / x / "state.pt", weights_only=True)["z"] for x in "ab")
    assert torch.allclose(a, b, atol=1e-6)
    assert [r.reward for r in resumed] == [r.reward for r in whole[-2:]]


def test_other_settings_are_not_resumed(smoke_loaded, tmp_path):
    list(reinforce(smoke_loaded, QUICK, tmp_path / "run"))
    with pytest.raises(ValueError, match="other settings"):
        next(reinforce(smoke_loaded, replace(QUICK, lr=1e-3), tmp_path / "run"))


def test_a_stop_event_ends_it_between_steps(smoke_loaded, tmp_path):
    stop = threading.Event()
    seen = []
    for report in reinforce(smoke_loaded, QUICK, tmp_path / "run", stop=stop):
        seen.append(report.step)
        stop.set()
    assert seen == [0]


def test_the_kl_coefficient_presses_and_relaxes():
    settings = Settings("math", kl=0.02, kl_ceiling=2.0)
    assert _adapt(0.02, 5.0, settings) > 0.02
    assert _adapt(0.02, 1.5, settings) == 0.02
    assert 0.02 <= _adapt(0.1, 0.1, settings) < 0.1


def test_leave_one_out_rewards_a_group_of_equals_with_nothing(smoke_loaded, tmp_path, monkeypatch):
    """All answers right (or all wrong): no advantage, so without KL z does not move."""
    monkeypatch.setattr(TASKS["math"], "grade", lambda content, text: Grade(False, ""))
    list(reinforce(smoke_loaded, replace(QUICK, kl=0.0), tmp_path / "run"))
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert torch.allclose(state["z"], torch.ones_like(state["z"]), atol=1e-4)


def test_publish_writes_an_expert_that_loads(smoke_loaded, tmp_path):
    reports = list(reinforce(smoke_loaded, QUICK, tmp_path / "run"))
    folder = publish(smoke_loaded, QUICK, "math", tmp_path / "run", tmp_path / "math",
                     {"command": "python -m t2ui train --task math"}, start=0.0, last=reports[-1])  # fmt: skip
    expert = load_expert(folder / "expert.safetensors")
    assert expert.name == "math" and not [f for f in expert.check(smoke_loaded.adapted) if f.level == "refuse"]
    assert "python -m t2ui train --task math" in (folder / "README.md").read_text()
    assert (folder / "recipe.json").exists()


def test_reports_are_frozen():
    with pytest.raises(AttributeError):
        TrainReport(1, 2, 0.5, 0.0, 0.0, 0.0, 0.0).step = 3
    assert module.Settings("math").samples > 1
