"""Evaluation: a mix on the examples of a split, greedy, graded by the family; paired on the same examples.

Every number that the README or a card prints comes from here. Test examples are ``task.examples("test", n,
seed)``: fixed by (task, n, seed) before any model is looked at.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from t2ui.core.mixing import Mix
from t2ui.engine.decode import Request, answer_all
from t2ui.engine.dispatch import STRATEGIES, dispatch_all
from t2ui.engine.model import Loaded
from t2ui.tasks import Example, Task, get_task
from t2ui.tasks.pictures import draw
from t2ui.train.corpus import tag
from t2ui.train.statistics import paired, wilson

SEED = 2025  # of every test figure in the README
PICTURES = ("own", "blank", "other")


@dataclass(frozen=True)
class EvalReport:
    """One cell: a mix on a task. Fractions; ``right[i]`` belongs to example i, ``answers[i]`` to its text."""

    task: str
    mix: str
    n: int
    correct: int
    accuracy: float
    ci95: tuple[float, float]
    seconds: float
    right: tuple[bool, ...]
    answers: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        return {"task": self.task, "mix": self.mix, "n": self.n, "correct": self.correct,
                "accuracy": round(self.accuracy, 4), "ci95": [round(x, 4) for x in self.ci95],
                "seconds": round(self.seconds, 1)}  # fmt: skip


def read_mix(text: str) -> Mix | str:
    """``base``, an expert's name, ``math=0.6,code=0.2``, a recipe file, or ``auto:STRATEGY`` (returned as it is)."""
    if text.startswith("auto:"):
        method, _, name = text.split(":", 1)[1].partition(":")
        if method not in STRATEGIES or bool(name) != (method == "few-shot"):
            raise ValueError(f"unknown dispatch strategy in {text!r}: auto:prompt, auto:classifier or auto:few-shot:NAME")
        return text
    if text.endswith(".json"):
        path = Path(text)
        try:
            recipe = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"recipe file {text} cannot be read: {error}") from error
        if "alphas" not in recipe:
            raise ValueError(f"recipe file {text} has no \"alphas\"; expected {{\"alphas\": {{\"math\": 0.6}}}}")
        return Mix.from_json(recipe)
    return Mix.parse(text)


def request_of(example: Example, mix: Mix, task: Task, **changes: Any) -> Request:
    """The request that asks an example under a mix."""
    picture = None if example.scene is None else draw(example.scene)
    return replace(Request(example.prompt, image=picture, mix=mix, max_new_tokens=task.max_new_tokens), **changes)


def evaluate(loaded: Loaded, task_name: str, mix: Mix | str, *, n: int, seed: int = SEED, split: str = "test",
             picture: str = "own", care: dict[str, bool] | None = None, name: str | None = None,
             samples: int = 1, temperature: float = 0.0, mode: str = "auto", batch_size: int = 256) -> EvalReport:  # fmt: skip
    """Accuracy of a mix on ``n`` examples.

    Args:
        mix: a Mix, or ``auto:prompt`` (each prompt is dispatched, then answered with its own mix).
        picture: ``own``, ``blank`` (a plain background) or ``other`` (the next example's picture).
        care: care flags to force through the corpus's system tokens (the gates); None: nothing is forced.
        samples, temperature: more than one sample takes the majority of the verdicts' answers.
    """
    task = get_task(task_name)
    started = time.monotonic()
    examples = task.examples(split, n, seed)
    shown = _with_pictures(examples, picture)
    if isinstance(mix, str):
        pictures = [None if e.scene is None else draw(e.scene) for e in shown]
        decided = dispatch_all(loaded, [e.prompt for e in shown], pictures, strategy=mix.split(":", 1)[1])
        mixes = [d.mix for d in decided]
    else:
        mixes = [mix] * n
    system = "".join(tag(skill, flag) for skill, flag in care.items()) if care else None
    requests = [
        request_of(example, each, task, system=system, temperature=temperature, seed=1000 * k + s)
        for k, (example, each) in enumerate(zip(shown, mixes, strict=True))
        for s in range(samples)
    ]
    answers = [a.text for a in answer_all(loaded, requests, batch_size=batch_size, mode=mode)]
    chosen = answers if samples == 1 else [
        _majority(answers[k * samples : (k + 1) * samples]) for k in range(n)
    ]  # fmt: skip
    right = tuple(task.grade(e.content, a).right for e, a in zip(examples, chosen, strict=True))
    correct = sum(right)
    return EvalReport(task_name, name or str(mix), n, correct, correct / n, wilson(correct, n),
                      time.monotonic() - started, right, tuple(chosen))  # fmt: skip


def compare(a: EvalReport, b: EvalReport) -> dict[str, Any]:
    """Paired difference a - b, and how many answers b -> a turned right or wrong."""
    if a.task != b.task or a.n != b.n:
        raise ValueError(f"cannot pair {a.task} (n = {a.n}) with {b.task} (n = {b.n})")
    diff, interval = paired(a.right, b.right)
    was_wrong = [x for x, y in zip(a.right, b.right, strict=True) if not y]
    was_right = [x for x, y in zip(a.right, b.right, strict=True) if y]
    return {"task": a.task, "mix": a.mix, "minus": b.mix, "n": a.n, "diff": round(diff, 4),
            "ci95": [round(x, 4) for x in interval],
            "fixed": round(sum(was_wrong) / len(was_wrong), 4) if was_wrong else None,
            "broken": round(1 - sum(was_right) / len(was_right), 4) if was_right else None}  # fmt: skip


def gates(loaded: Loaded, task_names: Sequence[str], *, n: int = 500, seed: int = SEED,
          split: str = "validation") -> Iterator[tuple[str, EvalReport]]:  # fmt: skip
    """What the base can do before any reinforcement learning: greedy, careful forced, and for two-skill tasks
    each combination of one forced careful and the other careless."""
    for task_name in task_names:
        skills = get_task(task_name).skills
        yield "greedy", evaluate(loaded, task_name, Mix.base(), n=n, seed=seed, split=split)
        forced = {"careful": dict.fromkeys(skills, True)}
        if len(skills) > 1:
            forced |= {f"{s} careful only": {t: t == s for t in skills} for s in skills}
        for how, care in forced.items():
            yield how, evaluate(loaded, task_name, Mix.base(), n=n, seed=seed, split=split, care=care, name=how)


def chance(task_name: str, *, n: int, seed: int = SEED, split: str = "test") -> float:
    """Expected accuracy of the best guess that does not look at the picture, over the same examples."""
    task = get_task(task_name)
    return sum(task.chance(e.content) for e in task.examples(split, n, seed)) / n  # type: ignore[attr-defined]


def _with_pictures(examples: list[Example], picture: str) -> list[Example]:
    if picture not in PICTURES:
        raise ValueError(f"picture must be one of {', '.join(PICTURES)}, got {picture!r}")
    if picture == "own":
        return examples
    scenes = [e.scene for e in examples]
    if picture == "other":
        return [replace(e, scene=scenes[(k + 1) % len(scenes)]) for k, e in enumerate(examples)]
    return [replace(e, scene=None if e.scene is None else {**e.scene, "objects": []}) for e in examples]


def _majority(texts: Sequence[str]) -> str:
    """The text whose closing statement is the most frequent one (the first of equals)."""
    closing = [t.strip().splitlines()[-1].split("The answer is")[-1].strip() if t.strip() else "" for t in texts]
    best = max(closing, key=closing.count)
    return texts[closing.index(best)]
