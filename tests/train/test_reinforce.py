"""REINFORCE on z: it raises what is rewarded, leaves the model as it was, and can be killed."""

import threading
from dataclasses import replace

import pytest
import torch

from t2ui.core.experts import load_expert
from t2ui.engine.score import can_share
from t2ui.tasks import TASKS
from t2ui.tasks.base import Grade
from t2ui.train import reinforce as module
from t2ui.train.card import publish
from t2ui.train.reinforce import Settings, TrainReport, _adapt, _log_probs, _pieces, _rollout, _update, reinforce
from t2ui.train.run_z import RunZ, best_z

QUICK = Settings("math", steps=4, prompts=3, samples=4, validation=8, validate_every=2, lr=3e-2)


def first_weight(loaded):
    return next(iter(loaded.adapted.modules.values())).weight


def test_updates_raise_what_is_rewarded(smoke_loaded, tmp_path):
    """On one fixed set of answers: those above their siblings' mean become likelier than those below it."""
    settings = replace(QUICK, prompts=3, samples=6, lr=2e-2, kl=0.0, steps=8, warmup=0)
    with RunZ(smoke_loaded, settings, tmp_path / "run") as z:
        requests, _, answers = _rollout(smoke_loaded, TASKS["math"], settings, 0)
        # The first prompt's answers are all right: without anything to compare, they must not count.
        rewards = [1.0] * 6 + [1.0, -1.0, -1.0] * 4

        def preference() -> tuple[float, float]:
            with torch.no_grad():
                logs, ids, mask = _log_probs(smoke_loaded, [smoke_loaded.encode(r) for r in requests], answers)
            taken = (logs.gather(-1, ids[..., None])[..., 0] * mask).sum(1)
            signs = torch.tensor(rewards[6:])
            return float(taken[6:][signs > 0].mean() - taken[6:][signs < 0].mean()), float(taken[:6].mean())

        before, _ = preference()
        kls = [_update(smoke_loaded, z, requests, answers, rewards, 0.0, step) for step in range(8)]
        after, _ = preference()
    assert after > before + 0.05
    assert kls[0] == pytest.approx(0, abs=1e-3) and kls[-1] > kls[0]


def test_the_pieces_of_a_batch_add_up_to_its_gradient(smoke_loaded, tmp_path):
    settings = replace(QUICK, prompts=3, samples=4, kl=0.1)
    found = {}
    for name, tokens in (("whole", 10**9), ("pieces", 150)):
        with RunZ(smoke_loaded, settings, tmp_path / name) as z:
            with torch.no_grad():
                for k, parameter in enumerate(z.parameters):
                    parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(k)))
            requests, _, answers = _rollout(smoke_loaded, TASKS["math"], settings, 0)
            contexts = [smoke_loaded.encode(r) for r in requests]
            groups = _pieces(contexts, answers, tokens)
            assert sorted(i for g in groups for i in g) == list(range(12)) and (len(groups) > 1) == (name == "pieces")
            kl = _update(smoke_loaded, z, requests, answers, [1.0, -1.0, -1.0, 1.0] * 3, 0.1, 0, autocast=False, piece=tokens)
            found[name] = (kl, torch.cat([p.grad for p in z.parameters]))
    assert found["pieces"][0] == pytest.approx(found["whole"][0], rel=1e-4) and found["whole"][0] > 0
    assert torch.allclose(found["pieces"][1], found["whole"][1], rtol=1e-3, atol=1e-6)


def test_a_prompt_read_once_for_its_samples_gives_the_same_gradient(smoke_loaded, tmp_path):
    settings = replace(QUICK, prompts=3, samples=4, kl=0.1)
    found = {}
    for share in (False, True):
        with RunZ(smoke_loaded, settings, tmp_path / str(share)) as z:
            with torch.no_grad():
                for k, parameter in enumerate(z.parameters):
                    parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(k)))
            requests, _, answers = _rollout(smoke_loaded, TASKS["math"], settings, 0)
            assert can_share(smoke_loaded, [smoke_loaded.encode(r) for r in requests])
            kl = _update(smoke_loaded, z, requests, answers, [1.0, -1.0, -1.0, 1.0] * 3, 0.1, 0, autocast=False, piece=400, share=share)
            found[share] = (kl, torch.cat([p.grad for p in z.parameters]))
    assert found[True][0] == pytest.approx(found[False][0], rel=1e-4) and found[True][0] > 0
    assert torch.allclose(found[True][1], found[False][1], rtol=1e-3, atol=1e-6) and float(found[True][1].abs().max()) > 1e-4


def test_equal_rewards_teach_nothing(smoke_loaded, tmp_path):
    settings = replace(QUICK, prompts=2, samples=4, kl=0.0)
    with RunZ(smoke_loaded, settings, tmp_path / "run") as z:
        requests, _, answers = _rollout(smoke_loaded, TASKS["math"], settings, 0)
        _update(smoke_loaded, z, requests, answers, [1.0] * 8, 0.0, 0)
        assert z.distance() == 0.0


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
