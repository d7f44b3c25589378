"""Decode steps as CUDA graphs: a step of a small batch is bound by launching its kernels, a graph launches them at once.

A graph needs fixed shapes and fixed addresses. Shapes come from buckets: the batch is rounded up to a power of two, the columns
that are read to a power of two as well. Addresses are fixed anyway: keys, values and scales live in slots
(:mod:`t2ui.engine.cache`); token ids and positions are copied into buffers. A lane that the bucket adds belongs to a slot of
somebody who still reads, or of nobody: it writes into the slot's spare column, which no row ever sees.

Every graph is compared with the same step computed eagerly when it is captured; one that cannot be captured, or differs,
ends the use of graphs, and :attr:`StepGraphs.off` says why.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch

from t2ui.core.svf import BOUNDS

from .cache import SlotCache

log = logging.getLogger(__name__)

FIRST_WIDTH = 128

Step = Callable[[], torch.Tensor]


class StepGraphs:
    """The graphs of one scheduler.

    Args:
        cache: its slots.
        forward: (input ids (B, 1), positions (B, 1), mask, columns of the scale or 0) -> logits (B, V), fp32; computes slots 0
            to B - 1, the cache aimed by us.
        capture: makes of a step something that repeats it on the buffers' present contents.

    Attributes:
        off: why no graphs are used (any longer); None while they are.
    """

    def __init__(self, cache: SlotCache, device: torch.device, dtype: torch.dtype,
                 forward: Callable[[torch.Tensor, torch.Tensor, torch.Tensor, int], torch.Tensor],
                 capture: Callable[[Step], tuple[Step, torch.Tensor]] | None = None) -> None:  # fmt: skip
        self.cache, self.dtype, self.off = cache, dtype, None
        self._forward, self._capture = forward, capture or Capture()
        self._ids = torch.zeros((cache.slots, 1), dtype=torch.long, device=device)
        self._places = torch.full((cache.slots, 1), cache.length, dtype=torch.long, device=device)
        self._graphs: dict[tuple[int, int, int], Step] = {}

    def step(self, ids: Sequence[int], lengths: Sequence[int], columns: int) -> torch.Tensor | None:
        """Logits (B, V) fp32 behind one more token of the rows in slots 0 to B - 1; None: compute it eagerly.

        Args:
            ids: the tokens. lengths: what is in the slots. columns: of the scale that the rows' mixes need; 0: none has a mix.
        """
        if self.off is not None:
            return None
        rows = len(ids)
        lanes = min(self.cache.slots, 1 << (rows - 1).bit_length())
        width = min(self.cache.length, max(FIRST_WIDTH, 1 << max(lengths).bit_length()))
        idle = lanes - rows
        self._ids[:lanes].copy_(torch.tensor([*ids, *[0] * idle])[:, None])
        self._places[:lanes].copy_(torch.tensor([*lengths, *[self.cache.length] * idle])[:, None])
        key = (lanes, width, int(columns))
        try:
            if key not in self._graphs:
                self._graphs[key] = self._captured(*key)
            return self._graphs[key]()[:rows].clone()
        except Exception as error:  # noqa: BLE001 - whatever a driver or a model's own code has against it
            self.off = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            log.warning("decoding goes on without CUDA graphs (%s)", self.off)
            self._graphs.clear()
            return None

    def forget(self) -> None:
        """What was captured is of other buffers: capture anew."""
        self._graphs.clear()

    def _captured(self, lanes: int, width: int, columns: int) -> Step:
        ids, places = self._ids[:lanes], self._places[:lanes]

        def step() -> torch.Tensor:
            self.cache.aim_at(slice(0, lanes), places, width)
            return self._forward(ids, places.clamp(max=self.cache.length - 1), self.cache.mask(self.dtype), columns)

        replay, eager = self._capture(step)
        again = replay()
        live = (places[:, 0] < self.cache.length).nonzero()[:, 0]
        gap = float((again[live] - eager[live]).abs().max() / eager[live].abs().max().clamp(min=1e-6))
        if not gap <= BOUNDS[self.dtype]:
            raise RuntimeError(f"a graph of {lanes} rows differs from the eager step by {gap:.1e}")
        return replay


class Capture:
    """Captures steps as CUDA graphs that share one pool of memory."""

    def __init__(self) -> None:
        self._pool: Any = None

    def __call__(self, step: Step) -> tuple[Step, torch.Tensor]:
        """(what repeats the step, its result computed eagerly)."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries set themselves up in the first calls, which a graph must not hold
            for _ in range(2):
                eager = step().clone()
        torch.cuda.current_stream().wait_stream(side)
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            found = step()

        def replay() -> torch.Tensor:
            graph.replay()
            return found

        return replay, eager
