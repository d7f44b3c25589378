"""Tell whether a model was decomposed into the basis that an expert was trained in.

A hash of W cannot see it: another decomposition may have turned U and Vh. Stored are, per matrix, 8 singular values
and, for up to 64 singular directions, the absolute projections of fixed pseudo-random vectors on the columns of U
and the rows of Vh (absolute, because signs are harmless), in one byte each. Directions whose neighbours are well
apart are determined by W, so there a difference means a wrong basis; elsewhere it means a rotation inside a group of
nearly equal singular values, which is harmful only as far as z differs inside the group.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted

__all__ = ["Drift", "compare_basis", "describe_basis"]

VERSION = 1
SIGMAS = 8  # singular values stored per matrix
DIRECTIONS = 64  # singular directions stored per matrix
STEP = 0.02  # a projection in units of this is one byte: 0 to 5.1, while projections are about normal(0, 1)
TOLERANCE = 0.15  # of a projection; bf16 rounding of W turns well-separated directions by about 0.03 at most
SIGMA_TOLERANCE = 0.01  # of a singular value, as a share of the largest of its matrix
BF16_ROUNDING = 2.0**-9
APART = 32.0  # neighbours are well apart when the gap is this many times what bf16 rounding of W does to them


@dataclass(frozen=True)
class Drift:
    """How the basis differs; each list holds module paths.

    Attributes:
        sigma: other singular values.
        turned: directions turned that W determines.
        rotated: directions turned inside groups of nearly equal singular values only.
        rotated_share: share of all checked directions that are turned.
    """

    sigma: list[str]
    turned: list[str]
    rotated: list[str]
    rotated_share: float


@lru_cache(maxsize=64)
def _probe(side: str, n: int) -> Tensor:
    """(n,) fp32, uniform with variance 1, the same for ever on every machine (so not from a library's generator)."""
    stream = bytearray(hashlib.shake_256(f"t2ui basis {VERSION} {side} {n}".encode()).digest(n))
    return (torch.frombuffer(stream, dtype=torch.uint8).float() - 127.5) / 73.9


def _places(r: int, count: int) -> Tensor:
    """Up to `count` indices spread evenly over 0 .. r - 1, (n,) int64."""
    return torch.linspace(0, r - 1, min(r, count)).round().long()


def _measure(adapted: Adapted, path: str) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """On the CPU: sigmas (n,), projections on U (m,) and on Vh (m,), well apart (m,) bool, not zero (m,) bool."""
    module = adapted.modules[path]
    sigma = module.sigma.double().cpu()
    at = _places(module.r, DIRECTIONS)
    here = at.to(module.U.device)
    u = (_probe("U", module.out_features) @ module.U[:, here].float().cpu()).abs()
    v = (module.Vh[here].float().cpu() @ _probe("V", module.in_features)).abs()
    # Rounding W to bf16 adds a matrix whose entries, in any orthonormal basis, are of this size.
    noise = BF16_ROUNDING * sigma.square().sum().sqrt() / (module.in_features * module.out_features) ** 0.5
    gap = (sigma[:-1] - sigma[1:]).abs()
    far = torch.full((1,), torch.inf, dtype=torch.float64)
    # Below the smallest sigma of a rectangular matrix lies its null space, at 0.
    floor = sigma[-1:] if module.in_features != module.out_features else far
    apart = torch.minimum(torch.cat([far, gap]), torch.cat([gap, floor])) > APART * noise
    solid = sigma > 1e-6 * sigma[0]
    return sigma[_places(module.r, SIGMAS)], u, v, apart[at], solid[at]


def describe_basis(adapted: Adapted, paths: Sequence[str]) -> dict:
    """The basis check of these modules, plain JSON: about 300 bytes per matrix."""
    matrices = {}
    for path in paths:
        sigmas, u, v, apart, _ = _measure(adapted, path)
        matrices[path] = {
            "sigma": [float(f"{s:.5g}") for s in sigmas.tolist()],
            "u": _pack(u),
            "v": _pack(v),
            "apart": base64.b64encode(bytes(apart.to(torch.uint8).tolist())).decode(),
        }
    return {"version": VERSION, "matrices": matrices}


def compare_basis(basis: Mapping, adapted: Adapted, paths: Sequence[str]) -> Drift:
    """Compare a stored basis check with this model's factors.

    Raises:
        KeyError, TypeError, ValueError: the stored check is not complete or of another version.
    """
    if basis["version"] != VERSION:
        raise ValueError(f"version {basis['version']!r}")
    drift = Drift([], [], [], 0.0)
    checked = off = 0
    for path in paths:
        held = basis["matrices"][path]
        sigmas, u, v, apart, solid = _measure(adapted, path)
        stored = torch.tensor(held["sigma"], dtype=torch.float64)
        if stored.shape != sigmas.shape or bool(((stored - sigmas).abs() > SIGMA_TOLERANCE * sigmas[0]).any()):
            drift.sigma.append(path)
        held_u, held_v, held_apart = (_bytes(held[key], len(u)) for key in ("u", "v", "apart"))
        apart = apart & held_apart.bool()
        wrong = ((held_u * STEP - _seen(u)).abs() > TOLERANCE) | ((held_v * STEP - _seen(v)).abs() > TOLERANCE)
        wrong &= solid
        checked, off = checked + int(solid.sum()), off + int(wrong.sum())
        # One in twenty is forgiven: an estimate of the noise is behind "well apart", not a bound.
        if int((wrong & apart).sum()) > 0.05 * int(apart.sum()):
            drift.turned.append(path)
        elif int(wrong.sum()) > 0.05 * int(solid.sum()):
            drift.rotated.append(path)
    return Drift(drift.sigma, drift.turned, drift.rotated, off / max(1, checked))


def _seen(projection: Tensor) -> Tensor:
    """A projection as storing would have it."""
    return (projection / STEP).round().clamp(0, 255) * STEP


def _pack(projection: Tensor) -> str:
    return base64.b64encode(bytes((_seen(projection) / STEP).round().to(torch.uint8).tolist())).decode()


def _bytes(text: str, count: int) -> Tensor:
    """Stored bytes as (count,) fp32."""
    values = list(base64.b64decode(text, validate=True))
    if len(values) != count:
        raise ValueError(f"{len(values)} directions, expected {count}")
    return torch.tensor(values, dtype=torch.float32)
