"""What an export costs in accuracy: base, mix and export on the same test examples; a sweep over LoRA ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Any

import torch

from t2ui.core.lora import best_lora, full_rank
from t2ui.core.mixing import Mix
from t2ui.engine.export import replaced, with_lora
from t2ui.engine.model import Loaded
from t2ui.engine.request import Request
from t2ui.tasks import get_task
from t2ui.train.evaluate import SEED, EvalReport, compare, evaluate

RANKS = (1, 2, 4, 8, 16, 32)  # and full
Measure = Callable[[AbstractContextManager[Any]], list[dict[str, Any]]]  # as t2ui.engine.export takes it
PROBES = 8  # test prompts whose logits are compared


@dataclass(frozen=True)
class RankRow:
    """One rank of a sweep on one task.

    Attributes:
        rank: of the LoRA; full: whether nothing is dropped.
        kept: share of |dW|_F that it keeps, all matrices together. kept_least: in the matrix that loses most.
        numbers: what A and B hold.
        logits: largest absolute difference of a logit from the mix's, over all positions of the first ``PROBES`` prompts
            of the task's test examples (pictures left out).
        accuracy, ci95, n: of the LoRA's weights (W + B A, read as fp32), greedy.
        minus_mix: paired difference to the mix, with its interval.
    """

    task: str
    rank: int
    full: bool
    kept: float
    kept_least: float
    numbers: int
    logits: float
    n: int
    correct: int
    accuracy: float
    ci95: tuple[float, float]
    minus_mix: dict[str, Any]

    def row(self) -> dict[str, Any]:
        return asdict(self)


def measurer(loaded: Loaded, mix: Mix, tasks: Sequence[str], *, n: int, seed: int = SEED,
             tell: Callable[[EvalReport], None] = lambda report: None) -> Measure:  # fmt: skip
    """For ``engine.export``: a callable that measures base, mix and what a context manager puts in effect, a dict a task."""

    def measure(effect: AbstractContextManager[Any]) -> list[dict[str, Any]]:
        beside = {}
        for task in tasks:
            for name, each in (("base", Mix.base()), ("mix", mix)):
                beside[task, name] = evaluate(loaded, task, each, n=n, seed=seed, name=name)
                tell(beside[task, name])
        out = []
        with effect:
            for task in tasks:
                report = evaluate(loaded, task, Mix.base(), n=n, seed=seed, name="export", mode="current")
                tell(report)
                base, mixed = beside[task, "base"], beside[task, "mix"]
                out.append({"task": task, "n": n, "seed": seed, "split": "test", "base": base.row(), "mix": mixed.row(),
                            "export": report.row(), "export_minus_mix": compare(report, mixed),
                            "export_minus_base": compare(report, base)})  # fmt: skip
        return out

    return measure


def sweep(loaded: Loaded, mix: Mix, tasks: Sequence[str], *, ranks: Sequence[int] = RANKS, n: int, seed: int = SEED,
          ) -> Iterator[EvalReport | RankRow]:  # fmt: skip
    """Base and mix of every task (EvalReport), then one RankRow per rank and task, the full rank last.

    Ranks at or above the full one are left out: they would be the same LoRA again.

    Raises:
        ValueError: the mix is the base model, a rank below 1.
    """
    adapted = loaded.adapted
    z = loaded.stack.change(mix)
    full = full_rank(adapted, z)
    if not full:
        raise ValueError(f"mix {mix} is the base model: there is no change to make a LoRA of; name an expert, such as math=1")
    if any(k < 1 for k in ranks):
        raise ValueError(f"a LoRA's rank is at least 1, got {min(ranks)}")
    mixed, wanted = {}, {}
    for task in tasks:
        yield evaluate(loaded, task, Mix.base(), n=n, seed=seed, name="base")
        mixed[task] = evaluate(loaded, task, mix, n=n, seed=seed, name=str(mix))
        yield mixed[task]
        with adapted.folded(z):
            wanted[task] = probe(loaded, task, seed)
    for k in [*sorted({k for k in ranks if k < full}), full]:
        lora = best_lora(adapted, z, k)
        with replaced(adapted, with_lora(adapted, lora.parts)):
            for task in tasks:
                got = evaluate(loaded, task, Mix.base(), n=n, seed=seed, name=f"rank {k}", mode="current")
                away = max(float((a - b).abs().max()) for a, b in zip(probe(loaded, task, seed), wanted[task], strict=True))
                yield RankRow(task, k, k == full, lora.kept_all, min(lora.kept.values()), lora.numbers, away, n, got.correct,
                              got.accuracy, got.ci95, compare(got, mixed[task]))  # fmt: skip


@torch.no_grad()
def probe(loaded: Loaded, task: str, seed: int = SEED) -> list[torch.Tensor]:
    """Logits (T, vocabulary) fp32 at every position of the first test prompts, with the weights as they are now."""
    out = []
    for example in get_task(task).examples("test", PROBES, seed):
        ids = torch.tensor([loaded.encode(Request(example.prompt, max_new_tokens=1)).ids], device=loaded.device)
        out.append(loaded.model(input_ids=ids, use_cache=False).logits[0].float())
    return out
