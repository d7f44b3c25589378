"""All families by name, and the search for the family that understands a prompt."""

from __future__ import annotations

from typing import Any

from t2ui.tasks.base import Task
from t2ui.tasks.code import Code, CodeUnseen
from t2ui.tasks.math import Math, MathUnseen
from t2ui.tasks.math_code import MathCode
from t2ui.tasks.reasoning import Reasoning, ReasoningUnseen
from t2ui.tasks.vision import Vision, VisionUnseen
from t2ui.tasks.vision_math import VisionMath

TASKS: dict[str, Task] = {
    task.name: task
    for task in (Math(), Code(), Reasoning(), Vision(), MathUnseen(), CodeUnseen(), ReasoningUnseen(), VisionUnseen(),
                 VisionMath(), MathCode())
}
TRAINED = tuple(name for name, task in TASKS.items() if task.trained)
TWO_SKILL = tuple(name for name, task in TASKS.items() if len(task.skills) > 1)
UNSEEN = tuple(name for name in TASKS if name not in TRAINED + TWO_SKILL)


def get_task(name: str) -> Task:
    """The family of that name; a KeyError lists the names that exist."""
    if name not in TASKS:
        raise KeyError(f"no task {name!r}; tasks are {', '.join(TASKS)}")
    return TASKS[name]


def identify(prompt: str, scene: dict[str, Any] | None = None) -> Task | None:
    """The first family that can read the prompt, or None: then an answer cannot be checked."""
    return next((task for task in TASKS.values() if task.parse(prompt, scene) is not None), None)
