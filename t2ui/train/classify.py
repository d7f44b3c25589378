"""A classifier expert for dispatch: ``python -m t2ui train --task dispatch``.

The paper's second strategy (arXiv 2501.06252, section 3.2, "classification expert"): an SVF expert that is folded in for
the first pass only and answers the same question as the prompt strategy, better. The labels are few, so nothing has
to be sampled: the exact distribution over them is at hand, and its expected log-likelihood is maximised,

    J(z) = E_(x, y)[log p_z(y | x)] - lambda * KL(p_z(. | x) || p_base(. | x)),

which also keeps the probabilities honest (they are shown to people as such); REINFORCE with reward 1 and -1 would
push them to 0 and 1. Prompts are of the train split of the four trained families and of the generator of foreign
prompts; one text question in seven carries a picture that has nothing to do with it. Unseen siblings, two-skill tasks
and hand-written prompts are never read here.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from t2ui.engine.choose import choose_all
from t2ui.engine.dispatch import OTHER, labels_of, question_of
from t2ui.engine.model import Loaded
from t2ui.engine.request import Request
from t2ui.engine.score import encode_target, teacher_forced
from t2ui.tasks import TASKS, TRAINED
from t2ui.tasks.other import foreign
from t2ui.tasks.pictures import draw
from t2ui.train.run_z import RunZ

NAME = "dispatcher"
STRAY_PICTURE = 1 / 7


@dataclass(frozen=True)
class ClassifySettings:
    """One run. ``prompts`` is per step; ``kl`` is lambda."""

    steps: int = 60
    prompts: int = 20
    lr: float = 1e-2
    kl: float = 0.01
    clip: float = 1.0
    warmup: int = 4
    validate_every: int = 10
    validation: int = 300
    seed: int = 0
    z_range: tuple[float, float] = (0.0, 2.0)


@dataclass(frozen=True)
class ClassifyReport:
    """One step: mean log-probability of the right label, share right, KL to the base in nats, mean |z - 1|;
    ``validation`` is (accuracy, mean log-probability) where it was measured."""

    step: int
    steps: int
    likelihood: float
    accuracy: float
    kl: float
    z: float
    seconds: float
    validation: tuple[float, float] | None = None
    best: tuple[float, float] | None = None


def draw_prompts(rng: random.Random, n: int, split: str) -> list[tuple[str, Any, str]]:
    """(prompt, picture, label) of the trained families and foreign prompts, evenly."""
    out = []
    for _ in range(n):
        family = rng.choice((*TRAINED, OTHER))
        if family == OTHER:
            prompt, scene, label = foreign(rng), None, OTHER
        else:
            task = TASKS[family]
            content = task.draw_content(rng, split)
            prompt, scene, label = task.prompt(content, rng), task.scene(content), task.label
        if scene is None and rng.random() < STRAY_PICTURE:
            vision = TASKS["vision"]
            scene = vision.scene(vision.draw_content(rng, split))
        out.append((prompt, None if scene is None else draw(scene), label))
    return out


def classify(loaded: Loaded, settings: ClassifySettings, run: Path, *, resume: bool = True,
             stop: threading.Event | None = None) -> Iterator[ClassifyReport]:  # fmt: skip
    """Train z; the best validation checkpoint is ``run/best.pt``. Leaves the model as it was found."""
    labels = labels_of(loaded)
    known = {*TRAINED, OTHER}
    if not known <= set(labels):
        raise ValueError(f"this model dispatches to {', '.join(labels)}; a classifier needs {', '.join(sorted(known))}")
    held_out = draw_prompts(random.Random(f"classify|validation|{settings.seed}"), settings.validation, "validation")
    with RunZ(loaded, settings, run, resume=resume) as z:
        saved = z.saved or {"step": 0, "seconds": 0.0, "best": None}
        begun = time.monotonic() - saved["seconds"]
        best = tuple(saved["best"]) if saved["best"] else _validate(loaded, held_out, labels)
        if saved["step"] == 0:
            z.keep_best()
            yield ClassifyReport(0, settings.steps, best[1], best[0], 0.0, 0.0, time.monotonic() - begun, best, best)
        for step in range(saved["step"], settings.steps):
            if stop is not None and stop.is_set():
                return
            batch = draw_prompts(random.Random(f"classify|{settings.seed}|{step}"), settings.prompts, "train")
            likelihood, accuracy, kl = _update(loaded, z, batch, labels, step)
            validation = None
            if (step + 1) % settings.validate_every == 0 or step + 1 == settings.steps:
                validation = _validate(loaded, held_out, labels)
                if validation[1] > best[1]:  # by likelihood: accuracy is soon 100 % and says no more
                    best = validation
                    z.keep_best()
                z.save({"step": step + 1, "seconds": time.monotonic() - begun, "best": list(best)})
            yield ClassifyReport(step + 1, settings.steps, likelihood, accuracy, kl, z.distance(),
                                 time.monotonic() - begun, validation, best)  # fmt: skip


def _asked(batch: Sequence[tuple[str, Any, str]], labels: Sequence[str]) -> list[Request]:
    question = question_of(labels)
    return [Request(f"{question}\n{prompt}", image, max_new_tokens=16) for prompt, image, _ in batch]


def _update(loaded: Loaded, z: RunZ, batch: Sequence[tuple[str, Any, str]], labels: Sequence[str],
            step: int) -> tuple[float, float, float]:  # fmt: skip
    """One gradient step; returns mean log-probability of the right labels, share right, KL to the base in nats."""
    requests = _asked(batch, labels)
    right = torch.tensor([labels.index(label) for _, _, label in batch], device=loaded.device)
    with torch.no_grad(), z.base():
        base = _distribution(loaded, requests, labels)
    policy = _distribution(loaded, requests, labels)
    likelihood = policy.gather(1, right[:, None]).mean()
    kl = (policy.exp() * (policy - base)).sum(1).mean()
    z.descend([-likelihood + z.settings.kl * kl], step)
    accuracy = float((policy.detach().argmax(1) == right).float().mean())
    return float(likelihood.detach()), accuracy, float(kl.detach())


def _distribution(loaded: Loaded, requests: Sequence[Request], labels: Sequence[str]) -> Tensor:
    """(B, K) fp32 log-probabilities of the whole labels, terminator included, normalised over the labels."""
    pairs = [encode_target(loaded, request, label) for request in requests for label in labels]
    with torch.autocast(loaded.device.type, dtype=torch.bfloat16):
        logits, ids, mask = teacher_forced(loaded, [c for c, _ in pairs], [t for _, t in pairs])
    values = logits.float().log_softmax(-1).gather(-1, ids[..., None])[..., 0] * mask.float()
    return values.sum(1).view(len(requests), len(labels)).log_softmax(1)


def _validate(loaded: Loaded, held_out: Sequence[tuple[str, Any, str]], labels: Sequence[str]) -> tuple[float, float]:
    with loaded.adapted.folded():
        scores = choose_all(loaded, _asked(held_out, labels), labels)
    right = [max(s, key=s.__getitem__) == label for s, (_, _, label) in zip(scores, held_out, strict=True)]
    sure = [torch.tensor(s[label]).clamp(min=1e-9).log().item() for s, (_, _, label) in zip(scores, held_out, strict=True)]
    return sum(right) / len(right), sum(sure) / len(sure)
