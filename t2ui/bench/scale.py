"""How the cost of a step grows (``scale``): with the batch, with the number of experts, with the context."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import torch

from t2ui.bench.common import Result, interleaved, medians, mixes, need_experts, prompts, ratio
from t2ui.core import ExpertStack, Mix
from t2ui.engine.batch import Batch
from t2ui.engine.model import Loaded

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
EXPERTS = (1, 4, 16, 64)
CONTEXTS = (64, 256, 512, 1024, 2048)


def scale(loaded: Loaded, repeats: int = 3, batches: Sequence[int] = BATCHES, experts: Sequence[int] = EXPERTS,
          contexts: Sequence[int] = CONTEXTS) -> Result:  # fmt: skip
    """Seconds of a decode step, rows with mixes of their own / no adapters: by batch (64 tokens before it), by context
    (batch 8; lengths beyond the model's own context are timings only), and, by number of experts, what a new mix of all
    of them costs (batch 32; the step itself does not know how many there are)."""
    need_experts(loaded)
    by_batch = {str(b): _steps(loaded, b, 64, repeats) for b in batches}
    by_context = {str(t): _steps(loaded, 8, t, repeats) for t in contexts}
    by_experts = {str(k): _mixing(loaded, k, repeats) for k in experts}
    return {"R": round(ratio(loaded), 3), "context of the model": loaded.info.context, "batch": by_batch,
            "context": by_context, "experts": by_experts}  # fmt: skip


@torch.no_grad()
def _steps(loaded: Loaded, rows: int, context: int, repeats: int, steps: int = 4) -> dict[str, float]:
    """Median seconds of one step; every repeat takes ``steps`` of them."""
    asked = prompts(loaded, rows, context)
    lanes = {"rows": Batch(loaded, asked, loaded.scales(mixes(loaded, rows)), reserve=(repeats + 1) * steps),
             "no_mix": Batch(loaded, asked, None, reserve=(repeats + 1) * steps)}  # fmt: skip
    chosen = {name: batch.prefill().argmax(-1) for name, batch in lanes.items()}

    def way(name: str) -> float:
        begun = time.perf_counter()
        for _ in range(steps):
            chosen[name] = lanes[name].step(chosen[name]).argmax(-1)
        chosen[name].tolist()  # waits for the device
        return (time.perf_counter() - begun) / steps

    m = medians(interleaved({name: lambda name=name: way(name) for name in lanes}, repeats, loaded.device))
    return {"rows": round(m["rows"], 6), "no_mix": round(m["no_mix"], 6), "rows_over_no_mix": round(m["rows"] / m["no_mix"], 3),
            "tokens per second": round(rows / m["rows"], 1)}  # fmt: skip


def _mixing(loaded: Loaded, count: int, repeats: int, rows: int = 32) -> dict[str, float]:
    """Seconds for the scales of 32 mixes of so many experts (copies of those that are loaded, under other names)."""
    known = loaded.stack.experts
    stack = ExpertStack(loaded.adapted, [replace(known[k % len(known)], name=f"expert{k}") for k in range(count)])
    drawn = torch.Generator().manual_seed(count)
    wanted = [Mix(dict(zip(stack.names, row, strict=True))) for row in (0.1 + torch.rand(rows, count, generator=drawn)).tolist()]
    m = medians(interleaved({"x": lambda: stack.scale(wanted)[0, 0].item() and None}, repeats, loaded.device))
    return {"32 mixes": round(m["x"], 6), "one mix": round(m["x"] / rows, 7)}
