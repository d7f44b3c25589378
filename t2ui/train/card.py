"""An expert's folder: expert.safetensors, its card (README.md) and the recipe that made it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2ui.core.experts import Expert
from t2ui.core.files import write_atomic
from t2ui.engine.model import Loaded
from t2ui.train.classify import ClassifyReport, ClassifySettings
from t2ui.train.reinforce import Settings, TrainReport
from t2ui.train.run_z import best_z

OBJECTIVE = "REINFORCE on z, reward 1 or -1, KL to the base"
FAMILIES = {
    "math": "short word problems with one to three operations",
    "code": "small Python functions over a list of numbers",
    "reasoning": "multiple choice about orderings, sets and kinship",
    "vision": "questions about small drawn scenes",
}


def publish(loaded: Loaded, settings: Settings, name: str, run: Path, folder: Path, made_by: dict[str, Any], *,
            start: float | None, last: TrainReport) -> Path:  # fmt: skip
    """Write the best checkpoint of a run as an expert; each file is written whole or not at all."""
    z = best_z(run)
    metrics = {"validation_base": start, "validation_best": last.best, "validation_n": settings.validation,
               "mean_abs_z_minus_1": round(float((z - 1).abs().mean()), 4)}  # fmt: skip
    meta = {"title": f"{name} expert", "task": settings.task, "metrics": metrics}
    expert = Expert.from_z(loaded.adapted, name, z, objective=OBJECTIVE, meta=meta)
    expert.save(folder)
    recipe = {"settings": asdict(settings), "made_by": made_by, "seconds": round(last.seconds),
              "steps_run": last.step, "base": loaded.adapted.base_id, "fingerprint": expert.fingerprint,
              "metrics": metrics}  # fmt: skip
    write_atomic(folder / "recipe.json", json.dumps(recipe, indent=1).encode())
    write_atomic(folder / "README.md", _card(name, settings, expert, metrics, made_by, last).encode())
    return folder


def _card(name: str, settings: Settings, expert: Expert, metrics: dict[str, Any], made_by: dict[str, Any],
          last: TrainReport) -> str:  # fmt: skip
    size = sum(z.numel() for z in expert.z.values())
    before = "not measured in this run" if metrics["validation_base"] is None else f"{metrics['validation_base']:.1%}"
    return f"""---
library_name: t2ui
base_model: {expert.base_id}
tags: [svf, transformer-squared, expert]
---
# {name}

An SVF expert for {FAMILIES.get(settings.task, settings.task)}: {size:,} numbers, one vector z per adapted weight
matrix, W' = U diag(sigma * z) Vh. It belongs to one base model only (`{expert.base_id}`, fingerprint
`{expert.fingerprint[:12]}`) and is refused on any other.

| | |
|---|---|
| trained on | train split of `{settings.task}` |
| how | {OBJECTIVE}; {last.step} steps of {settings.prompts} prompts x {settings.samples} answers, {last.seconds:.0f} s |
| greedy accuracy on {settings.validation} validation examples, before | {before} |
| the same, after (best checkpoint) | {metrics['validation_best']:.1%} |
| mean \\|z - 1\\| | {metrics['mean_abs_z_minus_1']} |
| command | `{made_by['command']}` (seed {settings.seed}) |

Test figures with intervals stand in the project's README. What it does to other families stands there too: experts
interfere, which is why prompts are dispatched.
"""


CLASSIFIER_OBJECTIVE = "expected log-likelihood of the label (exact over the labels), KL to the base"


def publish_classifier(loaded: Loaded, settings: ClassifySettings, name: str, run: Path, folder: Path,
                       made_by: dict[str, Any], *, start: tuple[float, float] | None, last: ClassifyReport) -> Path:  # fmt: skip
    """Write the best checkpoint of a classifier's run as an expert of role dispatcher."""
    z = best_z(run)
    metrics = {"validation_base": start, "validation_best": last.best, "validation_n": settings.validation,
               "mean_abs_z_minus_1": round(float((z - 1).abs().mean()), 4)}  # fmt: skip
    expert = Expert.from_z(loaded.adapted, name, z, role="dispatcher", objective=CLASSIFIER_OBJECTIVE,
                           meta={"title": "classifier expert", "task": "dispatch", "metrics": metrics})  # fmt: skip
    expert.save(folder)
    recipe = {"settings": asdict(settings), "made_by": made_by, "seconds": round(last.seconds), "steps_run": last.step,
              "base": loaded.adapted.base_id, "fingerprint": expert.fingerprint, "metrics": metrics}  # fmt: skip
    write_atomic(folder / "recipe.json", json.dumps(recipe, indent=1).encode())
    best = last.best or (0.0, 0.0)
    before = "not measured in this run" if start is None else f"{start[0]:.1%}, {start[1]:.3f} nats"
    card = f"""---
library_name: t2ui
base_model: {expert.base_id}
tags: [svf, transformer-squared, expert, dispatcher]
---
# {name}

A classifier expert: {z.numel():,} numbers that are folded in for the first pass only, where the model is asked for the kind
of a prompt. It never takes part in a mix. It belongs to one base model only (`{expert.base_id}`, fingerprint
`{expert.fingerprint[:12]}`) and is refused on any other.

| | |
|---|---|
| trained on | labels of the four trained families (train split) and of generated foreign prompts |
| how | {CLASSIFIER_OBJECTIVE}: nothing is sampled; {last.step} steps of {settings.prompts} prompts, {last.seconds:.0f} s |
| accuracy and mean log-probability of the right label on {settings.validation} validation prompts, before | {before} |
| the same, after (best checkpoint by log-probability) | {best[0]:.1%}, {best[1]:.3f} nats |
| mean \\|z - 1\\| | {metrics['mean_abs_z_minus_1']} |
| command | `{made_by['command']}` (seed {settings.seed}) |

Unseen families, two-skill tasks and hand-written prompts were never read here; how it does on them stands in the
project's README.
"""
    write_atomic(folder / "README.md", card.encode())
    return folder
