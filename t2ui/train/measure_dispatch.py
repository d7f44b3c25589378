"""How often a dispatch strategy chooses the right expert, and how often the outside notice shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from t2ui.engine.dispatch import dispatch_all
from t2ui.engine.model import Loaded
from t2ui.tasks import get_task
from t2ui.tasks.pictures import draw
from t2ui.train.handwritten import SETS, prompts_of
from t2ui.train.statistics import wilson

STRAY = "+picture"


def calibration_error(sure: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Expected calibration error: |share right - mean probability| over equally wide bins, weighted by their size."""
    held: dict[int, list[tuple[float, bool]]] = {}
    for p, right in sure:
        held.setdefault(min(bins - 1, int(p * bins)), []).append((p, right))
    return sum(abs(sum(p for p, _ in part) - sum(r for _, r in part)) for part in held.values()) / len(sure)


def measure_dispatch(loaded: Loaded, tasks: Sequence[str], n: int, seed: int, strategy: str = "prompt") -> dict[str, Any]:
    """Accuracy and confusion on test prompts; of a two-skill task either skill is right.

    A text family's name with ``+picture`` behind it asks its questions beside a picture that has nothing to do with
    them. ``ece`` is the calibration error of the likeliest label on the test prompts.

    ``handwritten`` among the tasks adds the hand-written prompts: they stand in the confusion table and in
    ``accuracy_hand``, ``outside_hand`` and ``outside_foreign``, not in ``accuracy`` and ``outside``.
    """
    groups: list[tuple[str, tuple[str, ...], list[str], list[Any]]] = []
    for name in tasks:
        if name in SETS:
            groups += prompts_of(SETS[name])
            continue
        task = get_task(name.removesuffix(STRAY))
        examples = task.examples("test", n, seed)
        scenes = [e.scene for e in examples]
        if name.endswith(STRAY):
            scenes = [e.scene for e in get_task("vision").examples("test", n, seed + 1)]
        pictures = [None if scene is None else draw(scene) for scene in scenes]
        groups.append((name, task.skills, [e.prompt for e in examples], pictures))
    confusion: dict[str, dict[str, int]] = {}
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    notices: Counter[str] = Counter()
    sure: list[tuple[float, bool]] = []
    for name, good, prompts, pictures in groups:
        kind = "foreign" if good == ("other",) else "hand" if name.startswith("handwritten") else "test"
        decided = dispatch_all(loaded, prompts, pictures, strategy=strategy)
        confusion[name] = dict(Counter(d.choice for d in decided))
        right[kind] += sum(d.choice in good for d in decided)
        notices[kind] += sum(bool(d.outside) for d in decided)
        total[kind] += len(decided)
        if kind == "test":
            sure += [(max(d.scores.values(), default=1.0), d.choice in good) for d in decided]

    def share(count: Counter[str], kind: str) -> float | None:
        return round(count[kind] / total[kind], 4) if total[kind] else None

    main = "test" if total["test"] else "hand"
    return {"strategy": strategy, "accuracy": share(right, main), "n": total[main],
            "ci95": [round(x, 4) for x in wilson(right[main], total[main])],
            "ece": round(calibration_error(sure), 4) if sure else None,
            "accuracy_hand": share(right, "hand"), "accuracy_foreign": share(right, "foreign"), "labels": [*loaded.stack.names, "other"], "confusion": confusion,
            "outside": share(notices, main), "outside_hand": share(notices, "hand"),
            "outside_foreign": share(notices, "foreign")}  # fmt: skip
