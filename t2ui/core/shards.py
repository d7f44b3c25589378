"""A checkpoint's safetensors files, matrix by matrix: shapes from their headers, a tensor when it is asked for.

So a model that does not fit into memory can be decomposed, and its needs be told before anything is loaded.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

__all__ = ["Shards", "decoder_matrices", "shapes_of"]

_DECODER = re.compile(r"(?:^|\.)layers\.\d+\..*\.weight$")
_SEEING = re.compile(r"vision|visual|image|audio|projector")
_LONGEST_HEADER = 100_000_000
INDEX = "model.safetensors.index.json"


def decoder_matrices(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Of a checkpoint's tensors the matrices of the decoder layers, which `attach` adapts by default."""
    return {n: s for n, s in shapes.items() if len(s) == 2 and _DECODER.search(n) and not _SEEING.search(n)}


def shapes_of(folder: Path) -> dict[str, tuple[int, ...]]:
    """Tensor name -> shape, from the headers of a folder's safetensors files; what cannot be read is left out."""
    return {name: shape for name, (_, shape) in _headers(folder).items()}


def _files(folder: Path) -> list[Path]:
    """The files that transformers would read: those of the index, else model.safetensors, else all."""
    try:
        named = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values()
        return [folder / Path(name).name for name in dict.fromkeys(sorted(named))]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        pass
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))


def _headers(folder: Path) -> dict[str, tuple[Path, tuple[int, ...]]]:
    out: dict[str, tuple[Path, tuple[int, ...]]] = {}
    for path in _files(folder):
        try:
            with open(path, "rb") as file:
                (n,) = struct.unpack("<Q", file.read(8))
                if n > _LONGEST_HEADER:
                    continue
                header = json.loads(file.read(n))
            out |= {name: (path, tuple(entry["shape"])) for name, entry in header.items() if name != "__metadata__"}
        except (OSError, ValueError, KeyError, struct.error, TypeError):
            continue
    return out


class Shards(Mapping[str, Tensor]):
    """The decoder layers' matrices of a checkpoint folder, each read when it is asked for and not kept.

    Args:
        folder: with safetensors files, in one piece or sharded.
        dtype: what the matrices are cast to: the dtype in which the model will be loaded, since that decides on the
            names of the cache's entries.

    Attributes:
        shapes: name -> (out, in), in the order of names.

    Raises:
        ValueError: there is no such matrix, or (on reading) a file is damaged.
    """

    def __init__(self, folder: Path | str, dtype: torch.dtype) -> None:
        self.folder, self.dtype = Path(folder), dtype
        headers = _headers(self.folder)
        self.shapes = decoder_matrices({name: headers[name][1] for name in sorted(headers, key=_natural)})
        self._files = {name: headers[name][0] for name in self.shapes}
        if not self.shapes:
            raise ValueError(
                f"{self.folder} holds no safetensors file with matrices of decoder layers (named ...layers.N....weight):"
                " give the folder of a Llama-type checkpoint, downloaded completely"
            )

    def __getitem__(self, name: str) -> Tensor:
        try:
            with safe_open(self._files[name], framework="pt", device="cpu") as file:
                return file.get_tensor(name).to(self.dtype)
        except (SafetensorError, OSError) as error:
            raise ValueError(f"{self._files[name].name} is damaged ({error}): download it again") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def _natural(name: str) -> list[tuple[int, str]]:
    """Layer 2 before layer 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
