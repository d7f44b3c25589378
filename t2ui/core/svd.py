"""Thin singular value decompositions of weight matrices, with an on-disk cache, and fingerprints of weights.

An expert's z is tied to the basis (U, Vh) it was trained in. The basis is unique only up to signs (harmless, made
canonical here) and up to rotations inside groups of nearly equal singular values (not harmless). So decompositions
are made in float64, cached by the exact content of the matrix, and checked when they are read back.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor

from t2ui.core.files import write_atomic

__all__ = [
    "DecomposeReport",
    "Factors",
    "decompose",
    "decompose_all",
    "digest",
    "fingerprint",
    "reconstruct",
    "write_atomic",
]

CACHE_VERSION = "1"
SAMPLE = 4096  # entries of each weight that enter its digest
CACHE_TOLERANCE = 1e-4  # largest |W x - U sigma Vh x| / |W x| with which a cache entry is believed


class Factors(NamedTuple):
    """W = U diag(sigma) Vh with r = min(out, in), fp32, contiguous, sigma falling, on the device of W.

    U is (out, r) and Vh is (r, in): the layouts that `F.linear(h, U)` and `F.linear(x, Vh)` read without a copy.
    """

    U: Tensor
    sigma: Tensor
    Vh: Tensor


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
    """

    path: str
    done: int
    total: int
    cached: bool
    seconds: float
    factors: Factors
    note: str = ""


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
    weights: Mapping[str, Tensor], cache_dir: Path | str | None = None, stop: threading.Event | None = None
) -> Iterator[DecomposeReport]:
    """Decompose many matrices, one report each, in the order given.

    Args:
        weights: module path -> (out, in).
        cache_dir: where factors are kept between runs (made if missing); None = no cache. An entry is keyed by a
            hash of the whole matrix, so it can never be stale; a damaged one is recomputed and rewritten; a cache
            that cannot be written costs time, never the run.
        stop: looked at before each matrix; when set the iteration ends early.

    Raises:
        ValueError: as `decompose`, with the path in front.
    """
    total = len(weights)
    for done, (path, weight) in enumerate(weights.items(), start=1):
        if stop is not None and stop.is_set():
            return
        start = time.perf_counter()
        entry = Path(cache_dir) / f"{_content_key(weight)}.safetensors" if cache_dir is not None else None
        factors, note = (None, "") if entry is None else _read_cache(entry, weight)
        cached = factors is not None
        if factors is None:
            try:
                factors = decompose(weight)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
            if entry is not None:
                note = _write_cache(entry, factors) or note
        yield DecomposeReport(path, done, total, cached, time.perf_counter() - start, factors, note)


def _read_cache(entry: Path, weight: Tensor) -> tuple[Factors | None, str]:
    """The entry's factors on the weight's device, or None and why."""
    try:
        data = entry.read_bytes()
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        return None, f"cache not readable: {error.strerror or error}"
    try:
        held = load_bytes(data)
        factors = Factors(*(held[name].to(weight.device) for name in Factors._fields))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError):
        return None, "damaged cache entry recomputed"
    return (factors, "") if _believable(factors, weight) else (None, "damaged cache entry recomputed")


def _believable(factors: Factors, weight: Tensor) -> bool:
    """Shapes, finiteness, unit columns and W x = U sigma Vh x for one x: seconds less than decomposing again."""
    out, in_ = weight.shape
    r = min(out, in_)
    if [tuple(t.shape) for t in factors] != [(out, r), (r,), (r, in_)]:
        return False
    if any(t.dtype != torch.float32 for t in factors) or not all(bool(torch.isfinite(t).all()) for t in factors):
        return False
    U, sigma, Vh = factors
    if bool((sigma < 0).any()) or bool((sigma[1:] > sigma[:-1]).any()):
        return False
    unit = torch.cat([U.square().sum(0), Vh.square().sum(1)])
    if bool(((unit - 1).abs() > 1e-3).any()):
        return False
    x = torch.linspace(-1, 1, in_, device=weight.device).cos_()
    with torch.no_grad():
        want = weight.detach().float() @ x
        error = (U @ (sigma * (Vh @ x)) - want).norm()
    return bool(error <= CACHE_TOLERANCE * torch.maximum(want.norm(), sigma[0]))


def _write_cache(entry: Path, factors: Factors) -> str:
    """Store one entry; returns an empty string, or why it could not be stored."""
    try:
        tensors = {name: tensor.cpu() for name, tensor in factors._asdict().items()}
        write_atomic(entry, save_bytes(tensors))
    except OSError as error:
        return f"cache not written: {error.strerror or error}"
    return ""


def _bytes_of(tensor: Tensor) -> memoryview:
    """The tensor's raw content, row by row."""
    return memoryview(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())


def _content_key(weight: Tensor) -> str:
    """Hash of the whole matrix, its shape, dtype and the way it would be decomposed."""
    method = "lapack" if weight.device.type == "cpu" else "gram"
    held = hashlib.sha256(f"{CACHE_VERSION} {method} {weight.dtype} {tuple(weight.shape)}".encode())
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
