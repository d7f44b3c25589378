"""Searches of a vector in a box, as ask/tell: the cross-entropy method (CEM) and what it is compared with.

    search = CEM(dim=4, seed=0)
    while not search.done:
        candidates = search.ask()                      # (n, dim)
        search.tell([score(c) for c in candidates])    # larger is better; tuples compare from left to right
    search.mean, search.best

CEM (arXiv 2501.06252, section 3.2 and appendix A.4): draw a population from a normal distribution, keep the elites,
fit mean and spread to them, again. Nothing here knows what a vector means or how it is scored.

Candidates of generation g are a function of (seed, g, state), so a search that was saved with :meth:`Search.state`
and read by :func:`resume` goes on as if it had not been interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["CEM", "Fixed", "HillClimb", "RandomSearch", "Round", "Score", "Search", "resume"]

Score = tuple[float, ...]


@dataclass(frozen=True)
class Round:
    """One generation, told.

    Attributes:
        index: from 0.
        candidates: (n, dim) fp32; scores: one tuple for each.
        elites: places of the kept ones, best first.
        mean, spread: (dim,), what the next generation is drawn from.
        best, best_score: the best candidate so far, by its latest evaluation.
    """

    index: int
    candidates: Tensor
    scores: tuple[Score, ...]
    elites: tuple[int, ...]
    mean: Tensor
    spread: Tensor
    best: Tensor
    best_score: Score


class Search:
    """What all searches share: bounds, budget, the best so far, saving.

    Args:
        dim: length of the vectors.
        population: candidates a generation.
        generations: the budget; :attr:`done` after it.
        low, high: bounds of every number, inclusive.
        seed: of all draws.

    Raises:
        ValueError: dim, population or generations below 1, bounds that are reversed or not finite.
    """

    kind = "search"

    def __init__(self, dim: int, *, population: int = 32, generations: int = 10, low: float = 0.0, high: float = 1.0,
                 seed: int = 0) -> None:  # fmt: skip
        for name, value in (("dim", dim), ("population", population), ("generations", generations)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise ValueError(f"bounds must be two finite numbers, the lower one first; got low {low} and high {high}")
        self.dim, self.population, self.generations = dim, population, generations
        self.low, self.high, self.seed = float(low), float(high), int(seed)
        self.index = 0  # of the generation that ask() gives next
        self.mean = torch.full((dim,), (low + high) / 2)
        self.spread = torch.zeros(dim)
        self.best: Tensor | None = None
        self.best_score: Score | None = None
        self.converged = False
        self._asked: Tensor | None = None

    @property
    def done(self) -> bool:
        return self.converged or self.index >= self.generations

    def ask(self) -> Tensor:
        """The candidates of the present generation, (n, dim) fp32; the same ones until they are told.

        Raises:
            ValueError: the search is over.
        """
        if self.done:
            raise ValueError("the search is over: read its mean and its best, or begin another one")
        if self._asked is None:
            rng = torch.Generator().manual_seed((self.seed * 1_000_003 + self.index * 7919) % (2**63))
            self._asked = self._draw(rng).clamp(self.low, self.high).float()
        return self._asked.clone()

    def tell(self, scores: Sequence[float | Score]) -> Round:
        """Scores of what :meth:`ask` gave, in its order. A NaN counts as worst.

        Raises:
            ValueError: another number of scores than candidates, or tuples of unequal length.
        """
        candidates = self.ask()
        told = tuple(_score(s) for s in scores)
        if len(told) != len(candidates):
            raise ValueError(f"one score per candidate: got {len(told)} scores for {len(candidates)} candidates")
        if len({len(s) for s in told}) > 1:
            raise ValueError("all scores must have the same number of parts")
        order = sorted(range(len(told)), key=lambda i: told[i], reverse=True)
        self._keep_best(candidates, told, order[0])
        elites = self._learn(candidates, told, order)
        assert self.best is not None and self.best_score is not None
        found = Round(self.index, candidates, told, tuple(elites), self.mean.clone(), self.spread.clone(),
                      self.best.clone(), self.best_score)  # fmt: skip
        self.index += 1
        self._asked = None
        return found

    def _keep_best(self, candidates: Tensor, told: Sequence[Score], top: int) -> None:
        if self.best_score is None or told[top] > self.best_score:
            self.best, self.best_score = candidates[top].clone(), told[top]

    def _draw(self, rng: torch.Generator) -> Tensor:
        raise NotImplementedError

    def _learn(self, candidates: Tensor, told: Sequence[Score], order: Sequence[int]) -> list[int]:
        """Take the scores in; returns the elites' places, best first."""
        return [order[0]]

    # -- saving ------------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """The arguments that make an equal, unstarted search."""
        return {"dim": self.dim, "population": self.population, "generations": self.generations, "low": self.low,
                "high": self.high, "seed": self.seed}  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Plain data for :func:`resume`; floats survive JSON bit for bit."""
        return {"kind": self.kind, "settings": self.settings(), "index": self.index, "mean": self.mean.tolist(),
                "spread": self.spread.tolist(), "best": None if self.best is None else self.best.tolist(),
                "best_score": None if self.best_score is None else list(self.best_score),
                "converged": self.converged}  # fmt: skip

    def _restore(self, state: Mapping[str, Any]) -> None:
        self.index, self.converged = int(state["index"]), bool(state["converged"])
        self.mean, self.spread = torch.tensor(state["mean"]), torch.tensor(state["spread"])
        self.best = None if state["best"] is None else torch.tensor(state["best"])
        self.best_score = None if state["best_score"] is None else tuple(float(s) for s in state["best_score"])


class CEM(Search):
    """The cross-entropy method: mean and spread of the elites make the next generation.

    Args:
        elites: share of the population that is kept (at least one).
        floor: the spread never falls below this; with it zero the search can freeze on a lucky draw.
        mean, spread: of the first generation; by default the middle of the box and half of its width.
        again: the best candidate so far is evaluated again in every later generation (place 0), so that luck with
            sampled scores does not stay.
        tolerance: the search has converged once every number's spread is at most this (0: never).

    Whoever ties with the last elite is an elite too: ten right or wrong answers tie often, and a choice among equals
    by their place in the list would be noise.
    """

    kind = "cem"

    def __init__(self, dim: int, *, elites: float = 0.2, floor: float = 0.02, mean: Sequence[float] | None = None,
                 spread: float | None = None, again: bool = True, tolerance: float = 0.0, **common: Any) -> None:  # fmt: skip
        super().__init__(dim, **common)
        if not 0 < elites <= 1:
            raise ValueError(f"elites is a share of the population, above 0 and at most 1; got {elites}")
        width = self.high - self.low
        spread = width / 2 if spread is None else float(spread)
        if not (0 <= floor <= width and 0 < spread <= 10 * width and tolerance >= 0):
            raise ValueError(f"floor and spread must fit into the bounds [{self.low}, {self.high}] and tolerance must not "
                             f"be negative; got floor {floor}, spread {spread}, tolerance {tolerance}")  # fmt: skip
        self.elites, self.floor, self.again, self.tolerance = float(elites), float(floor), bool(again), float(tolerance)
        self.mean0 = [(self.low + self.high) / 2] * dim if mean is None else [float(m) for m in mean]
        if len(self.mean0) != dim:
            raise ValueError(f"mean must have {dim} numbers, got {len(self.mean0)}")
        self.spread0 = spread
        self.mean = torch.tensor(self.mean0)
        self.spread = torch.full((dim,), max(spread, self.floor))

    @property
    def kept(self) -> int:
        """How many elites a generation has where nobody ties."""
        return max(1, round(self.elites * self.population))

    def _draw(self, rng: torch.Generator) -> Tensor:
        drawn = self.mean + self.spread * torch.randn(self.population, self.dim, generator=rng)
        if self.again and self.best is not None:
            drawn[0] = self.best
        return drawn

    def _keep_best(self, candidates: Tensor, told: Sequence[Score], top: int) -> None:
        if self.again and self.best is not None:
            self.best_score = told[0]  # place 0 is the best so far: this is its latest score
        super()._keep_best(candidates, told, top)

    def _learn(self, candidates: Tensor, told: Sequence[Score], order: Sequence[int]) -> list[int]:
        last = told[order[min(self.kept, len(order)) - 1]]
        elites = [i for i in order if told[i] >= last]
        kept = candidates[elites]
        self.mean = kept.mean(0)
        # One elite has no spread of its own: the old one shrinks slowly, and nothing has converged.
        deviation = kept.std(0) if len(elites) > 1 else 0.8 * self.spread
        self.spread = deviation.clamp(min=self.floor)
        self.converged = self.tolerance > 0 and len(elites) > 1 and bool((deviation <= self.tolerance).all())
        return elites

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"elites": self.elites, "floor": self.floor, "mean": self.mean0,
                                     "spread": self.spread0, "again": self.again, "tolerance": self.tolerance}  # fmt: skip


class RandomSearch(Search):
    """Uniform draws from the box; the best one wins. The same budget as CEM, without learning."""

    kind = "random"

    def _draw(self, rng: torch.Generator) -> Tensor:
        return self.low + (self.high - self.low) * torch.rand(self.population, self.dim, generator=rng)

    def _learn(self, candidates: Tensor, told: Sequence[Score], order: Sequence[int]) -> list[int]:
        assert self.best is not None
        self.mean = self.best.clone()
        return [order[0]]


class HillClimb(Search):
    """From a given point: candidates are the best so far (place 0) and random steps away from it; a generation
    without a better one halves the step.

    Args:
        start: (dim,) where the climb begins.
        step: standard deviation of the first steps.
    """

    kind = "climb"

    def __init__(self, dim: int, *, start: Sequence[float], step: float = 0.3, **common: Any) -> None:
        super().__init__(dim, **common)
        if len(start) != dim:
            raise ValueError(f"start must have {dim} numbers, got {len(start)}")
        if not step > 0:
            raise ValueError(f"step must be positive, got {step}")
        self.start, self.step = [float(s) for s in start], float(step)
        self.mean = torch.tensor(self.start).clamp(self.low, self.high)
        self.spread = torch.full((dim,), self.step)

    def _draw(self, rng: torch.Generator) -> Tensor:
        drawn = self.mean + self.spread * torch.randn(self.population, self.dim, generator=rng)
        drawn[0] = self.mean
        return drawn

    def _keep_best(self, candidates: Tensor, told: Sequence[Score], top: int) -> None:
        # Place 0 is where we stand. Whoever only equals it does not move us.
        self.best, self.best_score = candidates[0].clone(), told[0]
        super()._keep_best(candidates, told, top)

    def _learn(self, candidates: Tensor, told: Sequence[Score], order: Sequence[int]) -> list[int]:
        assert self.best is not None
        moved = not torch.equal(self.best, candidates[0])
        self.mean = self.best.clone()
        self.spread = self.spread if moved else self.spread / 2
        return [next(i for i in order if torch.equal(candidates[i], self.best))]

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"start": self.start, "step": self.step}


class Fixed(Search):
    """Given points, evaluated once: the uniform mix, a grid, a visitor's own list.

    Args:
        points: (n, dim).
    """

    kind = "fixed"

    def __init__(self, points: Sequence[Sequence[float]], *, low: float = 0.0, high: float = 1.0, seed: int = 0) -> None:
        rows = [[float(x) for x in row] for row in points]
        if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
            raise ValueError("points must be a list of equally long lists with at least one number")
        super().__init__(len(rows[0]), population=len(rows), generations=1, low=low, high=high, seed=seed)
        self.points = rows

    def _draw(self, rng: torch.Generator) -> Tensor:
        return torch.tensor(self.points)

    def _learn(self, candidates: Tensor, told: Sequence[Score], order: Sequence[int]) -> list[int]:
        assert self.best is not None
        self.mean = self.best.clone()
        return [order[0]]

    def settings(self) -> dict[str, Any]:
        return {"points": self.points, "low": self.low, "high": self.high, "seed": self.seed}


_KINDS: dict[str, type[Search]] = {cls.kind: cls for cls in (CEM, RandomSearch, HillClimb, Fixed)}


def resume(state: Mapping[str, Any]) -> Search:
    """The search that :meth:`Search.state` described, ready for its next generation.

    Raises:
        ValueError: an unknown kind, or a state that lacks something.
    """
    try:
        settings = dict(state["settings"])
        search = _KINDS[state["kind"]](**settings)
        search._restore(state)
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is not the saved state of a search ({error}); kinds are {', '.join(_KINDS)}") from error
    return search


def _score(value: float | Score) -> Score:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(-math.inf if math.isnan(float(part)) else float(part) for part in parts)
