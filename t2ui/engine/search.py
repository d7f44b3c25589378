"""Few-shot search of a mix (arXiv 2501.06252, section 3.2, "few-shot adaptation"): which alphas answer these examples best?

The candidates of a generation are rows side by side: no weight is written, a population is one batch. The search
itself is :mod:`t2ui.core.cem`; here candidates become mixes, mixes become answers, and answers become scores.

    for report in search(loaded, shots, PRESETS["live"]):
        ...
    report.result.mix
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from t2ui.core import CEM, Fixed, HillClimb, Mix, RandomSearch, Round, Search
from t2ui.core.cem import Score, resume
from t2ui.core.files import write_atomic

from .dispatch import dispatch_all
from .errors import RequestError
from .model import Loaded
from .request import Request
from .search_score import Scorer, Shot, Verdict, luck, verdicts

METHODS = ("cem", "random", "climb", "uniform")
OBJECTIVES = ("accuracy", "likelihood")
MAX_SHOTS = 256
LUCK = 0.1


@dataclass(frozen=True)
class SearchSettings:
    """How to search.

    Attributes:
        method: ``cem``, ``random``, ``climb`` (from ``start``) or ``uniform`` (1/K each, nothing is searched).
        objective: ``accuracy`` (ties by likelihood, as in the paper) or ``likelihood`` of the references
            (teacher-forced, nothing is decoded).
        population, generations, elites, floor, tolerance, low, high: see :class:`t2ui.core.cem.CEM`.
        per_layer: one alpha per expert and decoder layer instead of one per expert.
        rows: at most so many answers in one batch.
        seed: of all draws.
    """

    method: str = "cem"
    objective: str = "accuracy"
    population: int = 32
    generations: int = 10
    elites: float = 0.2
    floor: float = 0.05
    tolerance: float = 0.0
    low: float = 0.0
    high: float = 1.0
    per_layer: bool = False
    rows: int = 320
    seed: int = 0

    def check(self) -> None:
        """Raises ValueError: an unknown method or objective, or no room for a single row."""
        if self.method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {self.method!r}")
        if self.objective not in OBJECTIVES:
            raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, got {self.objective!r}")
        if self.rows < 1:
            raise ValueError(f"rows must be at least 1, got {self.rows}")


@dataclass(frozen=True)
class Preset:
    """Settings and the number of shots they are meant for."""

    settings: SearchSettings
    shots: int
    about: str


PRESETS: dict[str, Preset] = {
    "live": Preset(SearchSettings(objective="likelihood", population=16, generations=8, tolerance=0.08, elites=0.25,
                                  rows=64), 8, "likelihood of the references, 8 generations of 16: to watch"),
    "light": Preset(SearchSettings(generations=10), 3, "3 examples, 10 generations of 32 (the paper's CEM light)"),
    "paper": Preset(SearchSettings(generations=10), 10, "10 examples, 32 candidates, accuracy with likelihood for ties"),
}  # fmt: skip


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        mix: the better of ``mean`` and ``best`` by validation, unless that is not clearly better than ``default``; ``chosen``
            says which of the three.
        mean, best: the mean of the last elites, and the best member, with their validation verdicts.
        default: what one would answer with had nothing been searched (dispatch's choice), likewise; None if not given.
        luck: probability of such a gain over the default if the searched mix were no better (:func:`luck`).
        validated_on: ``fresh`` examples, or the ``shots`` themselves (likelihood) where no fresh ones were given.
    """

    mix: Mix
    chosen: str
    mean: Verdict
    best: Verdict
    validated_on: str
    shots_accuracy: float | None
    default: Verdict | None = None
    luck: float | None = None

    @property
    def searched(self) -> Mix:
        """The better of mean and best, whatever the default."""
        return self.best.mix if self.best.score > self.mean.score else self.mean.mix


@dataclass(frozen=True)
class SearchReport:
    """One step of a search.

    Attributes:
        kind: ``batch`` (some candidates of the present generation are scored), ``generation`` (all are), ``end``.
        generation, generations: index from 0, budget.
        done, total: answers of this generation so far, and in all.
        evaluations: answers scored since the search began (resumed ones included); seconds: likewise.
        scored: (place, score) of the candidates that are complete so far in this generation.
        candidates: (n, D) alphas of this generation.
        round: the told generation (kind ``generation``).
        result: kind ``end`` only. stopped: why it ended before its budget, "" otherwise.
    """

    kind: str
    generation: int
    generations: int
    done: int
    total: int
    evaluations: int
    seconds: float
    candidates: Tensor
    scored: tuple[tuple[int, Score], ...] = ()
    round: Round | None = None
    result: SearchResult | None = None
    stopped: str = ""


def search(
    loaded: Loaded,
    shots: Sequence[Shot],
    settings: SearchSettings = SearchSettings(),
    *,
    fresh: Sequence[Shot] = (),
    start: Mix | None = None,
    default: Mix | None = None,
    names: Sequence[str] | None = None,
    stop: threading.Event | None = None,
    path: Path | None = None,
    score_rows: int | None = None,
    heard: Callable[[str, int, int], object] | None = None,
) -> Iterator[SearchReport]:
    """Search the alphas of the loaded experts; a report per micro-batch, per generation and at the end.

    Args:
        fresh: examples that the search does not see; they decide between the mean of the elites and the best member.
        start: where ``climb`` begins (dispatch's choice); the middle of the box otherwise.
        default: what dispatch would choose. A handful of right or wrong answers prove little, and a search always finds
            something: where ``fresh`` examples can be graded, its mix replaces the default only if it gets so many more of them
            right that chance would do so in at most one case of ten (:data:`LUCK`).
        names: the experts to mix; all by default.
        stop: looked at between batches and between decoding steps; what was found so far is kept.
        path: the search is saved there after every generation, and goes on from there if the file is of the same
            shots and settings.
        score_rows: rows of a batch that is only read, where they should be fewer than ``settings.rows``: each batch is reported.
        heard: called in between, with what is being done (``batch``: a generation's answers; ``check``: those that choose between
            mean, best and default), how many answers are done, and of how many.

    Raises:
        RequestError: no shots or too many, shots that the objective cannot use, no expert to mix, an expert that is
            not loaded. ValueError: impossible settings, a file of another search.
    """
    settings.check()
    names = list(loaded.stack.names if names is None else names)
    _check(loaded, shots, settings, names)
    return _search(loaded, list(shots), settings, list(fresh), start, default, names, stop, path, score_rows,
                   heard or (lambda what, done, total: None))  # fmt: skip


def _check(loaded: Loaded, shots: Sequence[Shot], settings: SearchSettings, names: Sequence[str]) -> None:
    if not names:
        raise RequestError("there is no expert to mix: put experts into the experts folder, or train one")
    missing = [name for name in names if name not in loaded.stack.names]
    if missing:
        raise RequestError(f"no expert {missing[0]!r} is loaded: there are {', '.join(loaded.stack.names) or 'none'}")
    if not 1 <= len(shots) <= MAX_SHOTS:
        raise RequestError(f"a search takes 1 to {MAX_SHOTS} examples, got {len(shots)}: "
                           + ("give some" if not shots else "take a sample of them"))  # fmt: skip
    for i, shot in enumerate(shots, 1):
        if settings.objective == "likelihood" and not shot.reference.strip():
            raise RequestError(f"example {i} has no reference answer: add one, or search by accuracy")
        if settings.objective == "accuracy" and shot.grade is None:
            raise RequestError(f"example {i} cannot be graded: search by likelihood of the references instead")
        loaded.encode(Request(shot.prompt, shot.image, max_new_tokens=shot.max_new_tokens))


def mix_of(names: Sequence[str], n_layers: int, vector: Tensor) -> Mix:
    """(K,) alphas, or (L * K,) with the experts of a layer side by side, as a Mix rounded to four digits."""
    values = [round(float(v), 4) for v in vector]
    if len(values) == len(names):
        return Mix(dict(zip(names, values, strict=True)))
    k = len(names)
    return Mix({name: tuple(values[layer * k + i] for layer in range(n_layers)) for i, name in enumerate(names)})


def _vector_of(mix: Mix, names: Sequence[str], n_layers: int, per_layer: bool) -> list[float]:
    if not per_layer:
        flat = [mix.alpha(name) for name in names]
        return [sum(a) / len(a) if isinstance(a, tuple) else a for a in flat]
    table = [[a if not isinstance(a := mix.alpha(name), tuple) else a[layer] for name in names] for layer in range(n_layers)]
    return [value for row in table for value in row]


def _make(settings: SearchSettings, names: Sequence[str], n_layers: int, start: Mix | None) -> Search:
    k = len(names)
    dim = k * n_layers if settings.per_layer else k
    common = {"population": settings.population, "generations": settings.generations, "low": settings.low,
              "high": settings.high, "seed": settings.seed}  # fmt: skip
    middle = [(settings.low + settings.high) / 2] * dim
    if settings.method == "cem":
        # The paper's start: every alpha at 1/K, half of the box as spread.
        mean = [min(max(1 / k, settings.low), settings.high)] * dim
        return CEM(dim, elites=settings.elites, floor=settings.floor, mean=mean, tolerance=settings.tolerance, **common)
    if settings.method == "random":
        return RandomSearch(dim, **common)
    if settings.method == "climb":
        begin = middle if start is None else _vector_of(start, names, n_layers, settings.per_layer)
        return HillClimb(dim, start=begin, **common)
    return Fixed([[1 / k] * dim], low=settings.low, high=settings.high, seed=settings.seed)


def _search(loaded: Loaded, shots: list[Shot], settings: SearchSettings, fresh: list[Shot], start: Mix | None,
            default: Mix | None, names: list[str], stop: threading.Event | None, path: Path | None, score_rows: int | None,
            heard: Callable[[str, int, int], object]) -> Iterator[SearchReport]:  # fmt: skip
    layers = loaded.info.n_layers
    digest = _digest(shots, settings, names)
    finder, evaluations, spent = _load(path, digest) or (_make(settings, names, layers, start), 0, 0.0)
    whole = 0
    scorer = Scorer(loaded, shots, settings.objective, settings.rows, stop, score_rows, lambda done: heard("batch", done, whole))
    begun = time.monotonic() - spent
    told: Round | None = None
    stopped = ""
    candidates = finder.mean[None]
    while not finder.done and not stopped:
        index, candidates = finder.index, finder.ask()
        mixes = [mix_of(names, layers, c) for c in candidates]
        total = whole = len(mixes) * len(shots)
        scored: list[tuple[int, Score]] = []
        for part in scorer.batches(mixes):
            if part is None:
                stopped = "stopped"
                _note(finder, candidates, scored)
                break
            scored += part
            evaluations += len(part) * len(shots)
            yield SearchReport("batch", index, finder.generations, len(scored) * len(shots), total, evaluations,
                               time.monotonic() - begun, candidates, tuple(scored))  # fmt: skip
        if stopped:
            break
        told = finder.tell([s for _, s in sorted(scored)])
        _save(path, digest, finder, evaluations, time.monotonic() - begun)
        yield SearchReport("generation", index, finder.generations, total, total, evaluations,
                           time.monotonic() - begun, candidates, tuple(scored), told)  # fmt: skip
    if finder.converged and finder.index < finder.generations:
        stopped = f"converged after {finder.index} generations"
    result = _choose(loaded, shots, fresh, settings, finder, names, default, heard)
    yield SearchReport("end", finder.index, finder.generations, 0, 0, evaluations, time.monotonic() - begun,
                       candidates, round=told, result=result, stopped=stopped)  # fmt: skip


def _note(finder: Search, candidates: Tensor, scored: Sequence[tuple[int, Score]]) -> None:
    """Stopped within a generation: a candidate that is already better than the best so far is kept."""
    if scored:
        place, value = max(scored, key=lambda item: item[1])
        if finder.best_score is None or value > finder.best_score:
            finder.best, finder.best_score = candidates[place].clone(), value


def _choose(loaded: Loaded, shots: list[Shot], fresh: list[Shot], settings: SearchSettings, finder: Search,
            names: list[str], default: Mix | None, heard: Callable[[str, int, int], object]) -> SearchResult:  # fmt: skip
    """The mean of the last elites or the best member: by fresh examples, else by likelihood of the references. Neither, if
    the default does about as well on the fresh ones.

    Ten right or wrong answers tie often, and the best of many candidates is partly the luckiest.
    """
    layers = loaded.info.n_layers
    mean = mix_of(names, layers, finder.mean)
    best = mix_of(names, layers, finder.mean if finder.best is None else finder.best)
    guarded = default is not None and bool(fresh) and all(s.grade is not None for s in fresh)
    asked = [mean, best, *([default] if guarded else [])]
    told = verdicts(loaded, fresh or shots, asked, graded=bool(fresh), rows=settings.rows,
                    progress=lambda done, total: heard("check", done, total))  # fmt: skip
    chosen, won = ("best", told[1]) if told[1].score > told[0].score else ("mean", told[0])
    chance = None
    if guarded:
        chance = luck(won.right, told[2].right)
        chosen, won = ("default", told[2]) if chance > LUCK else (chosen, won)
    accuracy = finder.best_score[0] if settings.objective == "accuracy" and finder.best_score else None
    return SearchResult(won.mix, chosen, told[0], told[1], "fresh" if fresh else "shots", accuracy,
                        told[2] if guarded else None, chance)  # fmt: skip


def usual_choice(loaded: Loaded, shots: Sequence[Shot]) -> Mix:
    """The mix that dispatch (by the classifier where there is one) chooses most often for these examples; base without any."""
    if not shots:
        return Mix.base()
    strategy = "classifier" if loaded.dispatcher is not None else "prompt"
    decided = [d.mix for d in dispatch_all(loaded, [s.prompt for s in shots], [s.image for s in shots], strategy)]
    return max(decided, key=decided.count)


# -- files ---------------------------------------------------------------------------------------------


def _digest(shots: Sequence[Shot], settings: SearchSettings, names: Sequence[str]) -> str:
    plain = [asdict(replace(settings, generations=0, rows=1)), list(names), [[s.prompt, s.reference] for s in shots]]
    return sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _load(path: Path | None, digest: str) -> tuple[Search, int, float] | None:
    if path is None or not path.exists():
        return None
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
        known, finder = saved["digest"], resume(saved["search"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a saved search ({error}): delete it or give another file") from error
    if known != digest:
        raise ValueError(f"{path} belongs to a search with other examples, experts or settings: delete it or give another file")
    return finder, int(saved["evaluations"]), float(saved["seconds"])


def _save(path: Path | None, digest: str, finder: Search, evaluations: int, seconds: float) -> None:
    if path is None:
        return
    write_atomic(path, json.dumps({"digest": digest, "search": finder.state(), "evaluations": evaluations,
                                   "seconds": seconds}).encode())  # fmt: skip


def save_recipe(path: Path, mix: Mix, **about: Any) -> None:
    """A mix found, as a recipe file that ``eval``, the page and Python read alike: ``{"alphas": ..., ...}``."""
    write_atomic(path, (json.dumps({**mix.to_json(), **about, "torch": torch.__version__}, indent=1) + "\n").encode())


__all__ = ["METHODS", "OBJECTIVES", "PRESETS", "Preset", "SearchReport", "SearchResult", "SearchSettings", "Shot", "Verdict",
           "mix_of", "save_recipe", "search", "usual_choice"]  # fmt: skip
