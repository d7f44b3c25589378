"""The factors of one matrix, and the files that keep them: checksummed, believed only after a look, never half written.

An entry is a safetensors file with U, sigma and Vh; its header holds a checksum over their bytes and the hash of the matrix that
was decomposed, which is the entry's name. What does not match its checksum, or is not the decomposition of the matrix at hand, is
thrown away by the caller and computed again.
"""

from __future__ import annotations

import json
import shutil
import struct
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor
from xxhash import xxh3_128_hexdigest

from t2ui.core.files import write_atomic

__all__ = ["CacheFull", "Factors", "entry_bytes", "free_disk", "read_entry", "sweep", "write_entry"]

# Largest |W x - U sigma Vh x| / |W x| with which an entry is believed, and largest | |u_i|^2 - 1 |, by dtype of U and Vh.
TOLERANCE = {torch.float32: (1e-4, 1e-3), torch.float16: (5e-3, 5e-3), torch.bfloat16: (2e-2, 2e-2)}
# Against damage, not against people: who can write into the cache can write a checksum, too. At memory speed; SHA-256 was most of
# what a cached start took.
CHECKSUM = "xxh3_128"
DAMAGED = "damaged cache entry recomputed"
STALE_SECONDS = 3600  # a temporary file of that age belongs to a run that was killed
RESERVE = 64 * 2**20  # of the disk, left alone
_HEADER = 4096  # bytes of an entry beside its tensors, generously


class Factors(NamedTuple):
    """W = U diag(sigma) Vh with r = min(out, in), contiguous, sigma falling and fp32, on the device of W.

    U is (out, r) and Vh is (r, in), fp32 unless asked for otherwise: the layouts that `F.linear(h, U)` and
    `F.linear(x, Vh)` read without a copy.
    """

    U: Tensor
    sigma: Tensor
    Vh: Tensor


class CacheFull(OSError):
    """The disk has no room for the factors; the message says how much is needed and where."""


def entry_bytes(shape: Iterable[int], dtype: torch.dtype = torch.float32) -> int:
    """Size of an entry's file for a matrix (out, in), a little generously."""
    out, in_ = shape
    r = min(out, in_)
    return r * (out + in_) * (torch.finfo(dtype).bits // 8) + 4 * r + _HEADER


def free_disk(folder: Path) -> int | None:
    """Bytes free where a folder is or will be; None where the system does not say."""
    for place in (folder, *folder.absolute().parents):
        if place.is_dir():
            try:
                return shutil.disk_usage(place).free
            except OSError:
                return None
    return None


def sweep(folder: Path) -> None:
    """Remove the temporary files of runs that were killed an hour ago or earlier."""
    for path in folder.glob(".*.tmp") if folder.is_dir() else ():
        try:
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                path.unlink()
        except OSError:
            continue  # somebody else's, or gone already


def read_entry(entry: Path, weight: Tensor, dtype: torch.dtype) -> tuple[Factors | None, str]:
    """The entry's factors on the weight's device, or None and why ("" where there is no entry)."""
    try:
        data = entry.read_bytes()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"cache not readable: {error.strerror or error}"
    try:
        start = _body(data)
        stated = json.loads(data[8:start]).get("__metadata__", {})
        checksum = stated.get(CHECKSUM)
        if checksum is not None and checksum != xxh3_128_hexdigest(memoryview(data)[start:]):
            return None, DAMAGED
        held = load_bytes(data)
        factors = Factors(*(held[name].to(weight.device) for name in Factors._fields))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, struct.error, AttributeError):
        return None, DAMAGED
    # Bytes that are what was written, for a matrix with this very hash: nothing is left to doubt, and a look at the numbers
    # costs more than reading them. Entries of before (no checksum, no name of a matrix) are looked at.
    ours = checksum is not None and stated.get("matrix") == entry.stem and _fits(factors, weight, dtype)
    return (factors, "") if ours or _believable(factors, weight, dtype) else (None, DAMAGED)


def write_entry(entry: Path, factors: Factors) -> str:
    """Store one entry; returns an empty string, or why it could not be stored."""
    try:
        tensors = {name: tensor.cpu() for name, tensor in factors._asdict().items()}
        data = save_bytes(tensors, {CHECKSUM: "0" * 32, "matrix": entry.stem})
        start = _body(data)
        # The header is of fixed length, so the checksum goes where its place was kept.
        checksum = xxh3_128_hexdigest(memoryview(data)[start:]).encode()
        header = data[:start].replace(b"0" * 32, checksum, 1)
        write_atomic(entry, header + data[start:])
    except OSError as error:
        return f"cache not written: {error.strerror or error}"
    return ""


def _body(data: bytes) -> int:
    """Where a safetensors file's tensors begin."""
    return 8 + struct.unpack("<Q", data[:8])[0]


def _fits(factors: Factors, weight: Tensor, dtype: torch.dtype) -> bool:
    """Shapes and dtypes are those of the matrix' factors."""
    out, in_ = weight.shape
    r = min(out, in_)
    shapes = [tuple(t.shape) for t in factors] == [(out, r), (r,), (r, in_)]
    return shapes and [t.dtype for t in factors] == [dtype, torch.float32, dtype]


def _believable(factors: Factors, weight: Tensor, dtype: torch.dtype) -> bool:
    """Shapes, finiteness, unit columns and W x = U sigma Vh x for one x: seconds less than decomposing again."""
    if not _fits(factors, weight, dtype):
        return False
    in_ = weight.shape[1]
    if not all(bool(torch.isfinite(t).all()) for t in factors):
        return False
    U, sigma, Vh = factors.U.float(), factors.sigma, factors.Vh.float()
    if bool((sigma < 0).any()) or bool((sigma[1:] > sigma[:-1]).any()):
        return False
    near, unit = TOLERANCE[dtype]
    if bool(((torch.cat([U.square().sum(0), Vh.square().sum(1)]) - 1).abs() > unit).any()):
        return False
    x = torch.linspace(-1, 1, in_, device=weight.device).cos_()
    with torch.no_grad():
        want = weight.detach().float() @ x
        error = (U @ (sigma * (Vh @ x)) - want).norm()
    return bool(error <= near * torch.maximum(want.norm(), sigma[0]))
