"""What every run on z shares, whatever its objective: parameters, optimiser, clipping, rates, checkpoints.

``run/best.pt`` holds the vector of the best validation checkpoint, ``run/state.pt`` what a killed run goes on from.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from t2ui.core.files import save_atomic
from t2ui.engine.model import Loaded


class Rates(Protocol):
    """What this module reads of a run's settings (any frozen dataclass that has these)."""

    steps: int
    lr: float
    clip: float
    warmup: int
    z_range: tuple[float, float]


class RunZ:
    """z of one model in training. A context manager: on leaving, the model is as it was found.

    Args:
        loaded: the model; it goes into train mode.
        settings: a frozen dataclass with the fields of :class:`Rates`; a resumed run must have the same ones.
        run: the run's folder, made if need be.
        resume: go on from ``run/state.pt`` where there is one.

    Attributes:
        saved: the ``extra`` of the last :meth:`save` if the run is resumed, else None.

    Raises:
        ValueError: the folder holds a run with other settings.
    """

    def __init__(self, loaded: Loaded, settings: Any, run: Path, *, resume: bool = True):
        run.mkdir(parents=True, exist_ok=True)
        self.settings, self.run, self.adapted = settings, run, loaded.adapted
        self._described = json.dumps(asdict(settings), sort_keys=True)
        state = None
        if resume and (run / "state.pt").exists():
            state = torch.load(run / "state.pt", weights_only=True)
            if state["settings"] != self._described:
                raise ValueError(f"{run} holds a run with other settings: give the same ones, another folder, or no --resume")
        self.saved: dict[str, Any] | None = state and state["extra"]
        self.parameters = list(self.adapted.train_mode(state and state["z"]).values())
        self._optimiser = torch.optim.AdamW(self.parameters, lr=settings.lr, betas=(0.9, 0.98), weight_decay=0.0)
        if state is not None:
            self._optimiser.load_state_dict(state["optimiser"])

    def __enter__(self) -> RunZ:
        return self

    def __exit__(self, *_: object) -> None:
        self.adapted.eval_mode()

    def base(self) -> AbstractContextManager:
        """The untouched model (z = 1 everywhere), for the KL to it."""
        return self.adapted.folded(torch.ones(self.adapted.R))

    def descend(self, losses: Iterable[Tensor], step: int) -> None:
        """One AdamW step down the sum of ``losses`` at the rate of ``step``: warm-up, then cosine decay to a tenth.

        Each loss is made, used and dropped before the next one is asked for: a generator keeps one piece of a batch in memory.
        """
        s = self.settings
        if step < s.warmup:
            rate = s.lr * (step + 1) / s.warmup
        else:
            done = (step - s.warmup) / max(1, s.steps - s.warmup)
            rate = s.lr * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        self._optimiser.zero_grad(set_to_none=True)
        for loss in losses:
            loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, s.clip)
        self._optimiser.step()
        with torch.no_grad():
            for parameter in self.parameters:
                parameter.clamp_(*s.z_range)

    def distance(self) -> float:
        """Mean |z - 1|."""
        return float(torch.cat([p.detach() for p in self.parameters]).sub(1).abs().mean())

    def keep_best(self) -> None:
        """The present z becomes ``run/best.pt``."""
        save_atomic(self.run / "best.pt", self._vector())

    def save(self, extra: Mapping[str, Any]) -> None:
        """Everything a resumed run needs; ``extra`` comes back as :attr:`saved`."""
        save_atomic(self.run / "state.pt", {"settings": self._described, "extra": dict(extra), "z": self._vector(),
                                      "optimiser": self._optimiser.state_dict()})  # fmt: skip

    def _vector(self) -> Tensor:
        return torch.cat([m.z.detach().float().cpu() for m in self.adapted.modules.values()])


def best_z(run: Path) -> Tensor:
    """The (R,) vector of the best validation checkpoint."""
    return torch.load(run / "best.pt", weights_only=True)
