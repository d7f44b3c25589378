"""Searches: known optima, bounds, seeds, ties, resuming."""

from __future__ import annotations

import json
import math

import pytest
import torch

from t2ui.core.cem import CEM, Fixed, HillClimb, RandomSearch, resume

PEAK = torch.tensor([0.9, 0.1, 0.5, 0.3])


def bowl(x: torch.Tensor) -> float:
    return -float((x - PEAK).square().sum())


def run(search, f=bowl):
    rounds = []
    while not search.done:
        rounds.append(search.tell([f(c) for c in search.ask()]))
    return rounds


def makers(**common):
    return {
        "cem": lambda **k: CEM(4, **{**common, **k}),
        "random": lambda **k: RandomSearch(4, **{**common, **k}),
        "climb": lambda **k: HillClimb(4, start=[0.2] * 4, **{**common, **k}),
    }


@pytest.mark.parametrize("seed", range(10))
def test_cem_finds_a_known_optimum_and_beats_random_search(seed):
    cem, luck = CEM(4, generations=12, seed=seed), RandomSearch(4, generations=12, seed=seed)
    run(cem), run(luck)
    assert (cem.mean - PEAK).abs().max() < 0.05
    assert bowl(cem.best) > bowl(luck.best)
    assert bowl(cem.best) == cem.best_score[0]


def test_cem_finds_an_optimum_at_the_edge_and_outside_the_usual_box():
    cem = CEM(2, generations=25, low=-1, high=3, seed=1)
    run(cem, lambda x: float(x[0] - x[1]))
    assert cem.best.tolist() == [3.0, -1.0]


@pytest.mark.parametrize("seed", range(5))
def test_hill_climbing_never_gets_worse(seed):
    climb = HillClimb(4, start=[0.2] * 4, generations=15, population=8, seed=seed)
    rounds = run(climb)
    scores = [r.best_score for r in rounds]
    assert scores == sorted(scores) and scores[-1][0] > bowl(torch.full((4,), 0.2))
    assert torch.allclose(rounds[0].candidates[0], torch.full((4,), 0.2))


@pytest.mark.parametrize("name", makers())
def test_all_candidates_lie_in_the_box(name):
    search = makers(low=0.25, high=0.75, generations=6)[name](seed=3)
    for r in run(search, lambda x: float(x.sum())):
        assert float(r.candidates.min()) >= 0.25 and float(r.candidates.max()) <= 0.75
        assert r.candidates.shape == (32, 4)


@pytest.mark.parametrize("name", makers())
def test_a_seed_says_everything(name):
    make = makers(generations=4)[name]
    one, same, other = (run(make(seed=s)) for s in (7, 7, 8))
    assert all(torch.equal(a.candidates, b.candidates) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0].candidates[1:], other[0].candidates[1:])


@pytest.mark.parametrize("name", makers())
@pytest.mark.parametrize("at", [1, 3])
def test_resumed_equals_uninterrupted(name, at):
    make = makers(generations=6)[name]
    whole = run(make(seed=2))
    search = make(seed=2)
    parts = [search.tell([bowl(c) for c in search.ask()]) for _ in range(at)]
    search.ask()  # interrupted in the middle of a generation
    search = resume(json.loads(json.dumps(search.state())))
    parts += run(search)
    assert len(parts) == len(whole)
    for a, b in zip(whole, parts, strict=True):
        assert torch.equal(a.candidates, b.candidates) and a.scores == b.scores and a.elites == b.elites
        assert torch.equal(a.mean, b.mean) and torch.equal(a.best, b.best) and a.best_score == b.best_score


def test_asking_again_gives_the_same_until_told():
    search = CEM(3)
    first = search.ask()
    first += 5  # what the caller does with it stays with the caller
    assert torch.equal(search.ask(), search.ask()) and not torch.equal(search.ask(), first)


def test_elites_are_ordered_by_all_parts_of_a_score():
    search = CEM(1, population=10, elites=0.3)
    scores = [(0.5, -1.0), (0.5, -3.0), (0.4, 0.0), (0.5, -2.0), (0.1, 9.0)] + [(0.0, 0.0)] * 5
    told = search.tell(scores)
    assert told.elites == (0, 3, 1) and told.best_score == (0.5, -1.0)


def test_whoever_ties_with_the_last_elite_is_one():
    search = CEM(2, population=20, elites=0.2)
    told = search.tell([1.0] * 12 + [0.0] * 8)
    assert set(told.elites) == set(range(12))
    assert torch.allclose(told.mean, told.candidates[:12].mean(0))
    flat = CEM(2, population=20)
    assert len(flat.tell([0.0] * 20).elites) == 20  # nothing to learn: the mean of all, not of the first four


def test_the_best_is_evaluated_again_and_luck_does_not_stay():
    search = CEM(3, population=4, generations=5)
    first = search.tell([1.0, 0.0, 0.0, 0.0])
    lucky = first.best
    assert torch.equal(search.ask()[0], lucky)
    second = search.tell([0.2, 0.9, 0.1, 0.1])  # the lucky one scores worse this time
    assert second.best_score == (0.9,) and not torch.equal(second.best, lucky)


def test_the_spread_has_a_floor_and_convergence_ends_a_search():
    search = CEM(4, population=16, generations=50, floor=0.03)
    rounds = run(search)
    assert len(rounds) == 50 and all(float(r.spread.min()) > 0.0299 for r in rounds)
    soon = CEM(4, generations=50, floor=0.02, tolerance=0.06)
    assert len(run(soon)) < 25 and soon.converged and soon.done
    with pytest.raises(ValueError, match="over"):
        soon.ask()


def test_nan_is_worst_and_a_population_of_one_works():
    told = CEM(2, population=5).tell([math.nan, -5.0, math.nan, -7.0, math.nan])
    assert told.elites[0] == 1 and told.best_score == (-5.0,)
    few = CEM(4, population=4, elites=0.25, generations=9, tolerance=0.3)
    assert float(run(few)[0].spread.min()) > 0.3 and few.index > 1  # one elite is no sign of convergence
    lone = CEM(4, population=1, generations=4)
    assert len(run(lone)) == 4 and lone.best is not None


def test_fixed_points_are_one_generation():
    search = Fixed([[0.25] * 4, [1.0] * 4])
    (told,) = run(search)
    assert told.candidates.tolist() == [[0.25] * 4, [1.0] * 4] and search.done
    assert torch.equal(search.best, told.candidates[told.elites[0]])
    assert resume(search.state()).done


@pytest.mark.parametrize(("make", "message"), [
    (lambda: CEM(0), "dim"), (lambda: CEM(2, population=0), "population"), (lambda: CEM(2, generations=0), "generations"),
    (lambda: CEM(2, low=1.0, high=0.0), "lower one first"), (lambda: CEM(2, low=0.0, high=math.inf), "finite"),
    (lambda: CEM(2, elites=0.0), "share"), (lambda: CEM(2, floor=3.0), "floor"), (lambda: CEM(2, mean=[0.5]), "2 numbers"),
    (lambda: HillClimb(2, start=[0.5]), "start"), (lambda: HillClimb(1, start=[0.5], step=0), "step"),
    (lambda: Fixed([]), "points"), (lambda: Fixed([[1.0], [1.0, 2.0]]), "points"),
    (lambda: CEM(2).tell([1.0]), "one score per candidate"),
    (lambda: CEM(1, population=2).tell([(1.0,), (1.0, 2.0)]), "same number of parts"),
    (lambda: resume({"kind": "magic"}), "saved state"), (lambda: resume({"kind": "cem", "settings": {"dim": 2}}), "saved state"),
])  # fmt: skip
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
