"""Few-shot search measured: shots of a task, the search, and what its mix does on test examples it never saw.

Shots and the fresh examples that choose between mean and best are of the validation split, which is in no corpus;
held-out examples are of the test split. Shots of seed S and its candidates are functions of S alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t2ui.core.mixing import Mix
from t2ui.engine.decode import answer_all
from t2ui.engine.model import Loaded
from t2ui.engine.request import Request
from t2ui.engine.search import SearchReport, SearchResult, SearchSettings, Shot, search, usual_choice
from t2ui.tasks import Example, Task, get_task
from t2ui.tasks.pictures import draw
from t2ui.train.evaluate import SEED, EvalReport, compare, evaluate

FRESH = 16


def shots_of(task: Task, k: int, seed: int, fresh: int = FRESH) -> tuple[list[Shot], list[Shot]]:
    """(``k`` shots, ``fresh`` further examples) of the validation split; other seeds give other ones."""
    examples = task.examples("validation", k + fresh, 10_000 + seed)
    made = [shot_of(task, e) for e in examples]
    return made[:k], made[k:]


def shot_of(task: Task, example: Example) -> Shot:
    """A family's example as a shot: the careful author's answer is the reference, the family's grader grades."""
    picture = None if example.scene is None else draw(example.scene)
    return Shot(example.prompt, task.solution(example.content), picture,
                lambda text, content=example.content: task.grade(content, text).right, task.max_new_tokens)  # fmt: skip


@dataclass(frozen=True)
class FewshotReport:
    """Something happened: a report of the search, a held-out cell that was measured (``cell``), or the end (``result``)."""

    stage: str
    search: SearchReport | None = None
    cell: EvalReport | None = None
    result: dict[str, Any] | None = None


class Heldout:
    """Held-out cells of a task, each measured once: most do not depend on the search's seed."""

    def __init__(self, loaded: Loaded, task: str, n: int, seed: int = SEED) -> None:
        self.loaded, self.task, self.n, self.seed = loaded, task, n, seed
        self._known: dict[Mix | str, EvalReport] = {}

    def cell(self, mix: Mix | str, name: str) -> EvalReport:
        if mix not in self._known:
            self._known[mix] = evaluate(self.loaded, self.task, mix, n=self.n, seed=self.seed, name=name)
        return replace(self._known[mix], mix=name)


def baselines(loaded: Loaded) -> dict[str, Mix | str]:
    """What needs no shots: base, every expert, uniform (1/K), all at 1, all at 1/2, dispatch."""
    names = loaded.stack.names
    strategy = "classifier" if loaded.dispatcher is not None else "prompt"
    return {"base": Mix.base(), **{k: Mix.single(k) for k in names}, "uniform": Mix(dict.fromkeys(names, 1 / len(names))),
            "all": Mix(dict.fromkeys(names, 1.0)), "half": Mix(dict.fromkeys(names, 0.5)),
            "dispatch": f"auto:{strategy}"}  # fmt: skip


def fewshot(loaded: Loaded, task_name: str, settings: SearchSettings, k: int, *, heldout: Heldout | None,
            fresh: int = FRESH, path: Path | None = None, stop: threading.Event | None = None) -> Iterator[FewshotReport]:  # fmt: skip
    """Search one task's mix with ``settings.seed``, then measure it beside every baseline (unless ``heldout`` is None).

    ``found`` is the search's result; ``searched`` the better of its mean and best member where the result is dispatch's usual
    choice, because that did about as well on the fresh examples (else the same).

    The last report's ``result`` is JSON-able: ``alphas``, ``chosen``, ``mean``, ``best``, ``seconds``, ``evaluations``,
    ``heldout`` (name -> accuracy, ci95, n) and ``paired`` (found minus each other).
    """
    task = get_task(task_name)
    shots, unseen = shots_of(task, k, settings.seed, fresh)
    usual = usual_choice(loaded, shots)
    end: SearchReport | None = None
    points: float | None = None
    for end in search(loaded, shots, settings, fresh=unseen, start=usual, default=usual, stop=stop, path=path):
        if points is None and end.kind != "end":
            points = end.seconds
        yield FewshotReport("search", search=end)
    assert end is not None and end.result is not None
    found = end.result
    result: dict[str, Any] = {
        "task": task_name, "shots": k, "seed": settings.seed, "method": settings.method, "objective": settings.objective,
        "alphas": found.mix.to_json()["alphas"], "chosen": found.chosen, "mean": _verdict(found.mean),
        "best": _verdict(found.best), "default": found.default and _verdict(found.default),
        "luck": None if found.luck is None else round(found.luck, 4), "shots_accuracy": found.shots_accuracy, "seconds": round(end.seconds, 2),
        "first_seconds": None if points is None else round(points, 2),
        "evaluations": end.evaluations, "generations": end.generation, "stopped": end.stopped,
    }  # fmt: skip
    if heldout is not None and not (stop is not None and stop.is_set()):
        cells: dict[str, EvalReport] = {}
        single = best_single(loaded, shots)
        # As many candidates as the search really looked at: it may have converged early.
        lucky = random_search(loaded, shots, unseen, replace(settings, generations=max(1, end.generation)))
        asked = {**baselines(loaded), "single": single, "random": lucky.mix, "searched": found.searched, "found": found.mix}
        for name, mix in asked.items():
            cells[name] = heldout.cell(mix, name)
            yield FewshotReport("heldout", cell=cells[name])
        result["single_choice"] = str(single)
        result["heldout"] = {name: {key: c.row()[key] for key in ("accuracy", "ci95", "n")} for name, c in cells.items()}
        result["paired"] = [compare(cells["found"], c) for name, c in cells.items() if name != "found"]
    yield FewshotReport("end", result=result)


def best_single(loaded: Loaded, shots: Sequence[Shot]) -> Mix:
    """The single expert that answers the shots best: most right answers, then likelihood of the own right ones."""
    from t2ui.engine.score import score

    names = loaded.stack.names
    mixes = [Mix.single(name) for name in names]
    requests = [Request(s.prompt, s.image, mix=m, max_new_tokens=s.max_new_tokens) for m in mixes for s in shots]
    answers = answer_all(loaded, requests, mode="rows")
    sure = score(loaded, requests, [s.reference for _ in mixes for s in shots], mode="rows")
    ranked = []
    for c, mix in enumerate(mixes):
        part = slice(c * len(shots), (c + 1) * len(shots))
        right = sum(s.grade is not None and s.grade(a.text) for s, a in zip(shots, answers[part], strict=True))
        ranked.append((right, sum(sum(v) / len(v) for v in sure[part]), -c, mix))
    return max(ranked, key=lambda item: item[:3])[3]


def random_search(loaded: Loaded, shots: Sequence[Shot], fresh: Sequence[Shot], settings: SearchSettings) -> SearchResult:
    """Random search of the same budget, objective and shots; its best member is its result."""
    *_, end = search(loaded, shots, replace(settings, method="random", tolerance=0.0), fresh=fresh)
    assert end.result is not None
    return end.result


def _verdict(v: Any) -> dict[str, Any]:
    return {**v.mix.to_json(), "accuracy": v.accuracy, "likelihood": v.likelihood}
