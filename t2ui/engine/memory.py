"""What a model will need, told before it is loaded: weights, factors, keys and values, for rows and for fold.

From the headers of the safetensors files and the configuration alone; nothing is read into memory. The arithmetic
(:func:`need`) is that of `python -m t2ui plan`, which has the configuration only (:mod:`t2ui.engine.plan`).
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from t2ui.core.shards import decoder_matrices, shapes_of

from .architectures import text_of
from .cache import longest, slots_for, token_bytes
from .errors import ModelError

MARGIN = 1.1  # activations, the tokenizer, Python


@dataclass(frozen=True)
class Need:
    """Bytes, by what they are for.

    Attributes:
        factors: U, sigma and Vh. pristine: the copy that folding keeps of the adapted matrices.
        cache: keys and values of ``slots`` rows of ``length`` tokens (one row for a model that gets a plain batch).
        cache_fold: the same of one row. scale: the rows' singular values.
    """

    weights: int
    factors: int
    pristine: int
    cache: int
    cache_fold: int
    scale: int
    slots: int
    length: int
    free: int | None

    @property
    def rows(self) -> int:
        return int(MARGIN * (self.weights + self.factors + self.cache + self.scale))

    @property
    def fold(self) -> int:
        return int(MARGIN * (self.weights + self.factors + self.pristine + self.cache_fold))

    @property
    def fits(self) -> bool:
        """Whether one of the two ways fits; True where nobody knows."""
        return self.free is None or min(self.rows, self.fold) <= self.free

    def table(self) -> str:
        """The plan in lines, in GiB."""
        parts = (("weights", self.weights, self.weights), ("factors", self.factors, self.factors),
                 ("pristine copy of the adapted matrices", 0, self.pristine),
                 (f"keys and values ({self.slots} rows, 1 row of {self.length:,} tokens)", self.cache, self.cache_fold),
                 ("scales", self.scale, 0), ("in all, with a margin", self.rows, self.fold))  # fmt: skip
        lines = [f"{'':52}{'rows':>10}{'fold':>10}", *(f"{name:52}{_gib(a):>10}{_gib(b):>10}" for name, a, b in parts)]
        lines.append(f"{'free':52}{'unknown' if self.free is None else _gib(self.free):>10}")
        return "\n".join(lines)


def need(numbers: int, matrices: Iterable[tuple[int, int]], text: Any, dtype: torch.dtype, slots: int, length: int,
         free: int | None = None) -> Need:  # fmt: skip
    """The arithmetic: a model of so many numbers in ``dtype``, of whose matrices (out, in) these are adapted.

    Args:
        text: the text configuration. slots, length: rows that live at once, and their tokens.
    """
    size = torch.finfo(dtype).bits // 8
    shapes = list(matrices)
    r = sum(min(s) for s in shapes)
    return Need(
        weights=size * numbers,
        factors=sum(size * min(s) * (s[0] + s[1]) for s in shapes) + 4 * r,
        pristine=size * sum(math.prod(s) for s in shapes),
        cache=token_bytes(text, dtype) * slots * length,
        cache_fold=token_bytes(text, dtype) * length,
        scale=4 * r * slots,
        slots=slots, length=length, free=free,
    )  # fmt: skip


def needs(folder: Path, config: Any, device: torch.device, dtype: torch.dtype, several: bool = False) -> Need | None:
    """The plan for a model folder, or None where its files tell too little (they are then found wanting on loading)."""
    shapes = shapes_of(folder)
    if not shapes:
        return None
    text, free = text_of(config), free_bytes(device, several)
    adapted = decoder_matrices(shapes).values()
    numbers = sum(math.prod(s) for s in shapes.values())
    bare = need(numbers, adapted, text, dtype, 0, 0)
    left = None if free is None or device.type == "cpu" else max(0, free - bare.rows)
    slots, length = slots_for(text, device.type, dtype, free=left) or (1, longest(text))
    return need(numbers, adapted, text, dtype, slots, length, free)


def placement(folder: Path, config: Any, dtype: torch.dtype) -> dict[str, Any]:
    """What accelerate needs to spread a model over all GPUs and leave room on each for the factors of its layers.

    Raises:
        ModelError: accelerate is not installed.
    """
    if importlib.util.find_spec("accelerate") is None:
        raise ModelError("a model is spread over GPUs by accelerate: pip install accelerate")
    free = {i: int(torch.cuda.mem_get_info(i)[0]) for i in range(torch.cuda.device_count())}
    plan = needs(folder, config, torch.device("cuda", 0), dtype, several=True)
    share = 0.5 if plan is None else plan.weights / min(plan.rows, plan.fold)
    return {"device_map": "auto", "max_memory": {i: int(share * n) for i, n in free.items()}}


def check(folder: Path, device: torch.device, dtype: torch.dtype, several: bool = False) -> str:
    """The plan as a table; empty for a folder that says too little, which is then judged on loading.

    Args:
        several: the model is spread over all GPUs, what is free is counted over them.

    Raises:
        ModelError: neither way fits; holds the table.
    """
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        found = needs(folder, config, device, dtype, several)
    except Exception:  # noqa: BLE001 - whatever is wrong with the folder, reading it says it better
        return ""
    if found is not None and not found.fits:
        raise ModelError(f"{folder.name} does not fit into the memory of {device}:\n{found.table()}\nTake another --device or "
                         "--dtype, or a smaller model.")  # fmt: skip
    return "" if found is None else found.table()


def free_bytes(device: torch.device, several: bool = False) -> int | None:
    """Memory that a program may take now, on a device or on all GPUs, or None where the system does not say."""
    if device.type == "cuda":
        which = range(torch.cuda.device_count()) if several else [device]
        return sum(int(torch.cuda.mem_get_info(one)[0]) for one in which)
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(found[0]) if found else None


def _gib(n: int) -> str:
    return f"{n / 2**30:.2f} GiB"


__all__ = ["MARGIN", "Need", "check", "free_bytes", "need", "needs", "placement"]
