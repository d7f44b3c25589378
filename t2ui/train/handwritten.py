"""The hand-written prompts of ``tests/data``, in a visitor's words, with their answers.

They were written without sight of the generators' phrasings and are for measuring only: no corpus, training,
tuning or choice between checkpoints ever reads them. There are two sets: ``handwritten.jsonl`` was written while
the second generation of the demo model trained; the generators were widened since, by people who have not looked at it.
``handwritten-first.jsonl`` is older, its misses were read and led to a wider corpus, so that it is no longer blind.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from t2ui.core.mixing import Mix
from t2ui.engine.decode import Request, answer_all
from t2ui.engine.dispatch import dispatch_all
from t2ui.engine.model import Loaded
from t2ui.tasks import SKILLS, TASKS, sandbox
from t2ui.tasks.pictures import GRID, draw
from t2ui.tasks.reasoning_common import CHOICE, LETTERS, chosen, read_options
from t2ui.train.statistics import wilson

FILE = Path(__file__).resolve().parents[2] / "tests" / "data" / "handwritten.jsonl"
FIRST = FILE.with_name("handwritten-first.jsonl")
SETS = {"handwritten": FILE, "handwritten-first": FIRST}
_CLOSING = re.compile(r"answer\s+is\s*:?\s*([A-Za-z]+|-?\d+)", re.IGNORECASE)
_INPUTS: list[list[int]] = [
    [], [0], [1], [2], [-3, -2, -1, 0, 1, 2, 3], [5, 5, 6, 6], list(range(-12, 25)), [10, 20, 30, 40, 50, 60, 70],
    [9, 18, 27, 36, 45, 7, 14, 21, 28], [100, -100, 99, -99], list(range(25, 75)), [4, 8, 12, 16, 3, 6, 15, 33],
]  # fmt: skip


def read_file(path: Path = FILE) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def picture_of(item: dict[str, Any]) -> Any:
    """The Pillow picture of a hand-written item (``[row, col, shape, color]`` each), or None."""
    if "scene" not in item:
        return None
    objects = sorted([row * GRID + col, color, shape] for row, col, shape, color in item["scene"])
    return draw({"objects": objects})


def grade(item: dict[str, Any], answer: str) -> bool:
    """Whether an answer is right: by its closing sentence, or for code by running it beside the reference."""
    if item["task"] == "code":
        from t2ui.tasks.functions import extract

        program = extract(answer)
        if program is None:
            return False
        ours, theirs = (sandbox.run(sandbox.Job(code, item["entry"], _INPUTS)) for code in (item["answer"], program))
        return all(b.ok and sandbox.same(b.value, a.value) for a, b in zip(ours, theirs, strict=True))
    if item["task"] == "reasoning":
        _, options = read_options(item["prompt"]) or ("", [])
        said = CHOICE.findall(answer)
        return bool(said) and chosen(said[-1], options) == options[LETTERS.index(item["answer"])]
    said = _CLOSING.findall(answer)
    return bool(said) and said[-1].lower() == item["answer"].lower()


def prompts_of(path: Path = FILE) -> list[tuple[str, tuple[str, ...], list[str], list[Any]]]:
    """(name, right labels, prompts, pictures) of each group, "other" included, for dispatch."""
    items = read_file(path)
    out = []
    for task in (*SKILLS, "other"):
        group = [i for i in items if i["task"] == task]
        out.append((f"handwritten {task}", (task,), [i["prompt"] for i in group], [picture_of(i) for i in group]))
    return out


def evaluate_handwritten(loaded: Loaded, mix: Mix | str, name: str, which: str = "handwritten") -> list[dict[str, Any]]:
    """Accuracy of a mix (or of ``auto:prompt``) on each family's prompts of one of :data:`SETS`, as rows of ``eval``."""
    rows = []
    items = read_file(SETS[which])
    for task in SKILLS:
        started = time.monotonic()
        group = [i for i in items if i["task"] == task]
        pictures = [picture_of(i) for i in group]
        if isinstance(mix, str):
            mixes = [d.mix for d in dispatch_all(loaded, [i["prompt"] for i in group], pictures)]
        else:
            mixes = [mix] * len(group)
        answers = answer_all(loaded, [Request(i["prompt"], image=p, mix=m, max_new_tokens=TASKS[task].max_new_tokens)
                                      for i, p, m in zip(group, pictures, mixes, strict=True)])  # fmt: skip
        right = [grade(i, a.text) for i, a in zip(group, answers, strict=True)]
        n, correct = len(group), sum(right)
        rows.append({"task": f"{which} {task}", "mix": name, "n": n, "correct": correct,
                     "accuracy": round(correct / n, 4), "ci95": [round(x, 4) for x in wilson(correct, n)],
                     "wrong": [i["id"] for i, r in zip(group, right, strict=True) if not r],
                     "seconds": round(time.monotonic() - started, 1)})  # fmt: skip
    return rows
