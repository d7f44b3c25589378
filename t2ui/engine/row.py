"""One request on its way through the scheduler's slots."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from t2ui.core import Mix

from .model import Encoded
from .request import Applied, Delta, Request
from .score import common_prefix
from .thinking import Reader


@dataclass(eq=False)
class Row:
    """One request on its way. ``send`` gets its deltas, the last one with ``done``.

    Attributes:
        read: prompt tokens whose keys and values are in the slot; length: all tokens there.
        steps: tokens decoded; token: the last of them, not in the slot yet.
        pure: whether all of the slot was computed under one mix.
        columns: of its scale that its mix needs: 0 for the base, R, or more with LoRA experts.
    """

    request: Request
    encoded: Encoded
    index: int
    send: Callable[[Delta], None]
    stop: threading.Event
    submitted: float = field(default_factory=time.perf_counter)
    mix: Mix = field(default_factory=Mix.base)
    read: int = 0
    length: int = 0
    steps: int = 0
    token: int = -1
    over: bool = False
    pure: bool = True
    columns: int = 0
    times: dict[str, float] = field(default_factory=dict)
    embeds: torch.Tensor | None = None
    text: Reader | None = None
    applied: Applied | None = None

    @property
    def left(self) -> int:
        """Prompt tokens that are still to be read."""
        return len(self.encoded.ids) - self.read

    @property
    def key(self) -> str | None:
        """Of its picture, if there is one."""
        return None if self.encoded.picture is None else self.encoded.picture.key

    def alike(self, ids: Sequence[int]) -> int:
        """How many first tokens of ``ids`` this row has read."""
        return common_prefix(self.encoded.ids[: self.read], ids)

    def seconds(self) -> dict[str, float]:
        """By stage, as :class:`t2ui.engine.request.Delta` names them; a stage that was not reached took no time."""
        now, t = time.perf_counter(), self.times
        begun = t.get("begun", now)
        joined = t.get("joined", now)
        first = t.get("first", now)
        return {"queue": begun - self.submitted, "encode": joined - begun, "prefill": first - joined, "decode": now - first,
                "first": first - self.submitted, "total": now - self.submitted, "mix": t.get("mix", 0.0)}  # fmt: skip
