"""Thin singular value decompositions of weight matrices, with an on-disk cache, and fingerprints of weights.

An expert's z is tied to the basis (U, Vh) it was trained in. The basis is unique only up to signs (harmless, made
canonical here) and up to rotations inside groups of nearly equal singular values (not harmless). So decompositions
are made in float64, cached by the exact content of the matrix, and checked when they are read back.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from xxhash import xxh3_128

from t2ui.core.factors import RESERVE, CacheFull, Factors, entry_bytes, free_disk, read_entry, sweep, write_entry
from t2ui.core.files import write_atomic

__all__ = [
    "CacheFull",
    "DecomposeReport",
    "Factors",
    "decompose",
    "decompose_all",
    "digest",
    "fingerprint",
    "reconstruct",
    "work",
    "write_atomic",
]

CACHE_VERSION = "2"
AHEAD = min(4, os.cpu_count() or 1)  # matrices read ahead (each with its factors in memory)
SAMPLE = 4096  # entries of each weight that enter its digest


@dataclass(frozen=True)
class DecomposeReport:
    """One matrix is done.

    Attributes:
        path: module path of the matrix.
        done: matrices finished, this one included.
        total: matrices in all.
        cached: the factors were read from the cache.
        seconds: wall time for this matrix.
        factors: the result, on the device of the matrix.
        note: empty, or why the cache was not used ("damaged entry recomputed", "cache not written: ...").
        left: seconds that the remaining matrices will take, judged by those before.
    """

    path: str
    done: int
    total: int
    cached: bool
    seconds: float
    factors: Factors
    note: str = ""
    left: float = 0.0


def decompose(weight: Tensor) -> Factors:
    """Thin SVD of one matrix.

    Computed in float64: LAPACK on the CPU; elsewhere by `eigh` of the smaller Gram matrix with a QR polish, which is
    many times faster there than a float64 SVD. Column signs are canonical: the entry of each column of U that is
    largest in magnitude is positive.

    Args:
        weight: (out, in), any floating dtype, finite.

    Returns:
        Factors in fp32 on the weight's device.

    Raises:
        ValueError: not a matrix, empty, not floating, or not finite.
    """
    if weight.dim() != 2 or weight.numel() == 0:
        raise ValueError(f"decompose expects a non-empty matrix (out, in), got shape {tuple(weight.shape)}")
    if not weight.is_floating_point():
        raise ValueError(f"decompose expects floating-point weights, got {weight.dtype}: load the model unquantised")
    with torch.no_grad():
        W = weight.detach().to(torch.float64)
        if not torch.isfinite(W).all():
            raise ValueError("decompose expects finite weights, found NaN or infinity: the checkpoint is damaged")
        U, sigma, Vh = _by_lapack(W) if W.device.type == "cpu" else _by_gram(W)
        pivot = U.abs().argmax(dim=0, keepdim=True)
        sign = torch.where(U.gather(0, pivot) < 0, -1.0, 1.0).to(U.dtype)  # (1, r)
        return Factors(
            (U * sign).to(torch.float32).contiguous(),
            sigma.to(torch.float32).contiguous(),
            (Vh * sign.T).to(torch.float32).contiguous(),
        )


def _by_lapack(W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return torch.linalg.svd(W, full_matrices=False)


def _by_gram(W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """SVD through the eigenvectors of the smaller Gram matrix (float64).

    The Gram matrix squares the condition number: directions with sigma below about 1e-8 of the largest come out of
    `eigh` mixed. The polish takes M = U'W, whose rows should be sigma_i v_i, and orthogonalises them by QR from the
    largest down: Vh is orthonormal to rounding even where W is rank-deficient, and what the triangular factor holds
    off its diagonal (dropped) stays below 1e-8 of the largest sigma, which is less than rounding to fp32 does.
    """
    if W.shape[0] > W.shape[1]:
        V, sigma, Uh = _by_gram(W.T)
        return Uh.T, sigma, V.T
    _, vectors = torch.linalg.eigh(W @ W.T)  # rising
    U = vectors.flip(1)
    Q, R = torch.linalg.qr((U.T @ W).T)  # (in, r), (r, r)
    diagonal = R.diagonal()
    sigma, order = diagonal.abs().sort(descending=True)
    sign = torch.where(diagonal < 0, -1.0, 1.0).to(W.dtype)
    return U[:, order], sigma, (Q * sign).T[order]


def reconstruct(factors: Factors) -> Tensor:
    """U diag(sigma) Vh, (out, in), fp32."""
    return (factors.U * factors.sigma) @ factors.Vh


def decompose_all(
    weights: Mapping[str, Tensor],
    cache_dir: Path | str | None = None,
    stop: threading.Event | None = None,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
    strict: bool = False,
) -> Iterator[DecomposeReport]:
    """Decompose many matrices, one at a time, one report each, in the order given.

    Interrupted at any point it is called again and goes on where it was: what is in the cache is not computed again.

    Args:
        weights: module path -> (out, in). A mapping that has an attribute `shapes` (path -> shape) may read each
            matrix when it is asked for (`t2ui.core.shards`): then only the few that are read ahead are in memory.
        cache_dir: where factors are kept between runs (made if missing); None = no cache. An entry is keyed by a
            hash of the whole matrix, so it can never be stale; a damaged one is recomputed and rewritten; a cache
            that cannot be written costs time, never the run.
        stop: looked at before each matrix; when set the iteration ends early.
        device: where to compute; None = where each matrix is. The factors come back to the matrix' device.
        dtype: of U and Vh, in memory and in the cache; sigma is always fp32.
        strict: raise where the disk has no room for the cache, before anything is computed.

    Raises:
        ValueError: as `decompose`, with the path in front.
        CacheFull: with `strict`, says what is needed, what is free and where.
    """
    shapes = getattr(weights, "shapes", None) or {path: tuple(w.shape) for path, w in weights.items()}
    clock = _Clock({path: work(shape) for path, shape in shapes.items()})
    folder = None if cache_dir is None else Path(cache_dir)
    full = ""
    if folder is not None:
        sweep(folder)
        full = _no_room(weights, shapes, folder, device, dtype)
        if full and strict:
            raise CacheFull(full)
    start = time.perf_counter()
    for done, (path, found) in enumerate(_ahead(lambda path: _look_up(weights[path], folder, device, dtype), shapes), start=1):
        if stop is not None and stop.is_set():
            return
        weight, where, entry, factors, note = found
        cached = factors is not None
        if factors is None:
            try:
                factors, slow = _decompose_at(weight, where)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            factors = factors._replace(U=factors.U.to(dtype), Vh=factors.Vh.to(dtype))
            note = "; ".join(n for n in (note, slow) if n)
            if entry is not None:
                note = (f"cache not written: {full}" if full else write_entry(entry, factors)) or note
        seconds = time.perf_counter() - start
        left = clock.left(path, seconds, cached)
        yield DecomposeReport(path, done, len(shapes), cached, seconds, factors, note, left)
        start = time.perf_counter()


class _Found(NamedTuple):
    """A matrix, where it is to be decomposed, the file that keeps its factors (None without a cache), and what it held."""

    weight: Tensor
    where: torch.device
    entry: Path | None
    factors: Factors | None
    note: str


def _look_up(weight: Tensor, folder: Path | None, device: torch.device | str | None, dtype: torch.dtype) -> _Found:
    where = _where(weight, device)
    if folder is None:
        return _Found(weight, where, None, None, "")
    entry = folder / f"{_content_key(weight, where, dtype)}.safetensors"
    return _Found(weight, where, entry, *read_entry(entry, weight, dtype))


def _ahead(look_up: Callable[[str], _Found], paths: Iterable[str]) -> Iterator[tuple[str, _Found]]:
    """(path, what was found), in order, a few read ahead in threads: hashing and reading are most of a cached run's time, and
    both leave the interpreter to others."""
    with ThreadPoolExecutor(AHEAD, thread_name_prefix="t2ui-factors") as pool:
        waiting: deque[tuple[str, Future[_Found]]] = deque()
        try:
            for path in paths:
                waiting.append((path, pool.submit(look_up, path)))
                if len(waiting) > AHEAD:
                    path, found = waiting.popleft()
                    yield path, found.result()
            while waiting:
                path, found = waiting.popleft()
                yield path, found.result()
        finally:  # stopped, closed or failed: nothing further is read
            for _, found in waiting:
                found.cancel()


def _where(weight: Tensor, device: torch.device | str | None) -> torch.device:
    """Where a matrix is decomposed: as asked, else where it is; on the CPU where there is no float64 (Apple's GPUs)."""
    where = weight.device if device is None else torch.device(device)
    return torch.device("cpu") if where.type == "mps" else where


def _decompose_at(weight: Tensor, where: torch.device) -> tuple[Factors, str]:
    """`decompose` there, the factors back on the weight's device; where that device's memory is full, on the CPU."""
    note = ""
    try:
        factors = decompose(weight.to(where))
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        factors, note = decompose(weight.cpu()), f"no memory on {where}: decomposed on the CPU"
    return Factors(*(t.to(weight.device) for t in factors)), note


def work(shape: Sequence[int]) -> float:
    """Floating-point operations of a decomposition, as far as they are proportional to it."""
    out, in_ = shape
    return float(max(out, in_)) * min(out, in_) ** 2


class _Clock:
    """Seconds left, from how long the work so far took; work that was cached and work that was not are told apart."""

    def __init__(self, work: Mapping[str, float]) -> None:
        self.work, self.remaining = work, sum(work.values())
        self.spent = {True: [0.0, 0.0], False: [0.0, 0.0]}  # cached -> [seconds, work]

    def left(self, path: str, seconds: float, cached: bool) -> float:
        self.remaining -= self.work[path]
        self.spent[cached][0] += seconds
        self.spent[cached][1] += self.work[path]
        # What is left is most likely like what was just done: a resumed run finds its beginning in the cache.
        took, of = self.spent[cached]
        return max(0.0, self.remaining) * took / of


def _no_room(weights: Mapping[str, Tensor], shapes: Mapping[str, Sequence[int]], folder: Path,
             device: torch.device | str | None, dtype: torch.dtype) -> str:  # fmt: skip
    """Why the disk cannot take what is missing in the cache; empty if it can, or nobody knows."""
    needed, free = sum(entry_bytes(shape, dtype) for shape in shapes.values()), free_disk(folder)
    if free is None or needed + RESERVE <= free:
        return ""
    # Only now is it worth looking which of them are there: their names are hashes of every weight.
    needed = 0
    for path, shape in shapes.items():
        weight = weights[path]
        entry = folder / f"{_content_key(weight, _where(weight, device), dtype)}.safetensors"
        needed += 0 if entry.is_file() else entry_bytes(shape, dtype)
    if needed == 0 or needed + RESERVE <= free:
        return ""
    return (f"the factors need {needed / 1e9:,.2f} GB more in {folder}, of {free / 1e9:,.2f} GB free: make room, or set"
            " T2UI_CACHE to a folder on a larger disk")  # fmt: skip


def _bytes_of(tensor: Tensor) -> memoryview:
    """The tensor's raw content, row by row."""
    return memoryview(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())


def _content_key(weight: Tensor, where: torch.device | None = None, dtype: torch.dtype = torch.float32) -> str:
    """Hash of the whole matrix, its shape, dtype and the way it would be decomposed and kept."""
    method = "lapack" if (where or weight.device).type == "cpu" else "gram"
    kept = "" if dtype == torch.float32 else f" {dtype}"
    held = xxh3_128(f"{CACHE_VERSION} {method} {weight.dtype} {tuple(weight.shape)}{kept}".encode())
    held.update(_bytes_of(weight))
    return held.hexdigest()


def digest(weight: Tensor) -> str:
    """Short hash (16 hex digits) of one matrix: shape and a strided sample of 4,096 to 8,191 entries (all, if fewer).

    The sample is rounded to bf16 first, so that fp32 and bf16 loads of one checkpoint agree; what is below 2^-14
    then counts as 0, so that an fp16 load of a bf16 checkpoint agrees too (its smallest numbers have fewer digits).
    """
    flat = weight.detach().reshape(-1)
    sample = flat[:: max(1, flat.numel() // SAMPLE)].to(torch.bfloat16)
    sample = torch.where(sample.abs() < 2.0**-14, 0.0, sample).to(torch.bfloat16)
    held = hashlib.sha256(f"1 {tuple(weight.shape)} ".encode())
    held.update(_bytes_of(sample))
    return held.hexdigest()[:16]


def fingerprint(weights: Mapping[str, Tensor | str]) -> str:
    """Hash (32 hex digits) over paths, shapes and samples of a set of matrices; their order does not matter.

    Args:
        weights: module path -> matrix, or its `digest` where that was computed before.
    """
    held = hashlib.sha256()
    for path in sorted(weights):
        value = weights[path]
        held.update(f"{path} {value if isinstance(value, str) else digest(value)}\n".encode())
    return held.hexdigest()[:32]
