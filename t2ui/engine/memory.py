"""What a model will need, told before it is loaded: weights, factors, keys and values, for rows and for fold.

From the headers of the safetensors files and the configuration alone; nothing is read into memory.
"""

from __future__ import annotations

import json
import math
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .cache import slots_for
from .errors import ModelError

_DECODER = re.compile(r"(?:^|\.)layers\.\d+\..*\.weight$")
_SEEING = re.compile(r"vision|visual|image|projector")
_MARGIN = 1.1  # activations, the tokenizer, Python


@dataclass(frozen=True)
class Need:
    """Bytes, by what they are for. ``cache`` is for ``slots`` rows of ``length`` tokens (0: a plain batch, as long as it
    is); ``pristine`` is the copy that folding keeps of the adapted matrices."""

    weights: int
    factors: int
    pristine: int
    cache: int
    scale: int
    slots: int
    length: int
    free: int | None

    @property
    def rows(self) -> int:
        return int(_MARGIN * (self.weights + self.factors + self.cache + self.scale))

    @property
    def fold(self) -> int:
        return int(_MARGIN * (self.weights + self.factors + self.pristine))

    @property
    def fits(self) -> bool:
        """Whether one of the two ways fits; True where nobody knows."""
        return self.free is None or min(self.rows, self.fold) <= self.free

    def table(self) -> str:
        """The plan in lines, in GiB."""
        parts = (("weights", self.weights, self.weights), ("factors", self.factors, self.factors),
                 ("pristine copy of the adapted matrices", 0, self.pristine),
                 (f"keys and values ({self.slots} rows of {self.length:,} tokens)", self.cache, 0),
                 ("scales", self.scale, 0), ("in all, with a margin", self.rows, self.fold))  # fmt: skip
        lines = [f"{'':44}{'rows':>10}{'fold':>10}", *(f"{name:44}{_gib(a):>10}{_gib(b):>10}" for name, a, b in parts)]
        lines.append(f"{'free':44}{'unknown' if self.free is None else _gib(self.free):>10}")
        return "\n".join(lines)


def needs(folder: Path, config: Any, device: torch.device, dtype: torch.dtype) -> Need | None:
    """The plan for a model folder, or None where its files tell too little (they are then found wanting on loading)."""
    shapes = _shapes(folder)
    if not shapes:
        return None
    size = torch.finfo(dtype).bits // 8
    adapted = [s for name, s in shapes.items() if _DECODER.search(name) and not _SEEING.search(name) and len(s) == 2]
    ranks = [min(s) for s in adapted]
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    room = slots_for(text, device.type, dtype)
    slots, length = room or (0, 0)
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return Need(
        weights=size * sum(math.prod(s) for s in shapes.values()),
        factors=sum(r * (s[0] + s[1]) * size + 4 * r for r, s in zip(ranks, adapted, strict=True)),
        pristine=size * sum(math.prod(s) for s in adapted),
        cache=2 * text.num_hidden_layers * heads * head * size * slots * length,
        scale=4 * sum(ranks) * max(1, slots),
        slots=slots, length=length, free=free_bytes(device),
    )  # fmt: skip


def check(folder: Path, device: torch.device, dtype: torch.dtype) -> str:
    """The plan as a table; empty for a folder that says too little, which is then judged on loading.

    Raises:
        ModelError: neither way fits; holds the table.
    """
    import transformers

    try:
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        need = needs(folder, config, device, dtype)
    except Exception:  # noqa: BLE001 - whatever is wrong with the folder, reading it says it better
        return ""
    if need is not None and not need.fits:
        raise ModelError(f"{folder.name} does not fit into the memory of {device}:\n{need.table()}\nTake another --device or "
                         "--dtype, or a smaller model.")  # fmt: skip
    return "" if need is None else need.table()


def free_bytes(device: torch.device) -> int | None:
    """Memory that a program may take now, or None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return 1024 * int(found[0]) if found else None


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Tensor name -> shape, from the headers of all safetensors files; what cannot be read is left out."""
    out: dict[str, tuple[int, ...]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with open(path, "rb") as file:
                (n,) = struct.unpack("<Q", file.read(8))
                if n > 100_000_000:
                    continue
                header = json.loads(file.read(n))
            out |= {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
        except (OSError, ValueError, KeyError, struct.error, TypeError):
            continue
    return out


def _gib(n: int) -> str:
    return f"{n / 2**30:.2f} GiB"


__all__ = ["Need", "check", "free_bytes", "needs"]
