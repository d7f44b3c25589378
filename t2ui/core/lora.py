"""The best LoRA of a mix, in closed form.

The change of one matrix, dW = U diag(d) Vh with d = sigma * (z - 1), is its own singular value decomposition up to order
and signs, because U and Vh are orthonormal. So by Eckart and Young the best matrix of rank k in the Frobenius (and the
spectral) norm keeps the k entries of largest |d_i|: no search, no training, and the kept share of the norm is known.

That matrix is also the change under another z, the one that is 1 wherever an entry was dropped (:func:`truncate`): a LoRA
that came out of a mix is still an expert of the base's singular basis.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted

__all__ = ["LoRA", "LowRank", "best_lora", "full_rank", "truncate"]


class LowRank(NamedTuple):
    """B A is the change of one matrix (out, in): A (k, in) and B (out, k), fp32 on the CPU, rows of A and columns of B
    from the largest |d_i| down, zero beyond the entries that the matrix has."""

    A: Tensor
    B: Tensor


@dataclass(frozen=True, eq=False)
class LoRA:
    """A low-rank stand-in for a mix.

    Attributes:
        rank: k, the same for every matrix (one number is all that vLLM and llama.cpp read); a matrix that has fewer entries
            is filled up with zeros.
        parts: module path -> LowRank; matrices that the mix does not change are not in it.
        kept: module path -> share of |dW|_F that rank k keeps, for the matrices in ``parts``.
        kept_all: the same over all matrices together, as if they were one long matrix.
    """

    rank: int
    parts: Mapping[str, LowRank] = field(repr=False)
    kept: Mapping[str, float] = field(repr=False)
    kept_all: float

    @property
    def numbers(self) -> int:
        """How many numbers A and B hold."""
        return sum(A.numel() + B.numel() for A, B in self.parts.values())


def _changes(adapted: Adapted, z: Mapping[str, Tensor] | Tensor) -> dict[str, Tensor]:
    """path -> d = sigma * (z - 1), (r,) float64, where z is not 1 everywhere."""
    vector = adapted.join(z) if isinstance(z, Mapping) else z.detach().to(adapted.device, torch.float32)
    if not bool(torch.isfinite(vector).all()):
        raise ValueError("z holds NaN or infinity: expected finite numbers (1 = leave as is)")
    found = {path: adapted.modules[path].sigma.double() * (part.double() - 1) for path, part in adapted.split(vector).items()}
    return {path: d for path, d in found.items() if bool((d != 0).any())}


def _largest(d: Tensor, rank: int) -> Tensor:
    """Places of the largest |d_i|, at most ``rank`` of them, from the largest down; those that are 0 are left out."""
    places = d.abs().argsort(descending=True, stable=True)[:rank]
    return places[d[places] != 0]


def _check_rank(rank: int | None) -> None:
    if rank is not None and (isinstance(rank, bool) or not isinstance(rank, int) or rank < 1):
        raise ValueError(f"a LoRA's rank is a whole number of at least 1 (or None: full), got {rank!r}")


def full_rank(adapted: Adapted, z: Mapping[str, Tensor] | Tensor) -> int:
    """The smallest rank at which nothing of the change is lost; 0 where z is 1 everywhere."""
    return max((int((d != 0).sum()) for d in _changes(adapted, z).values()), default=0)


def best_lora(adapted: Adapted, z: Mapping[str, Tensor] | Tensor, rank: int | None = None) -> LoRA:
    """The LoRA of this rank that is nearest to the change under z, in every matrix at once.

    Args:
        z: path -> (r,), or (R,).
        rank: k; None, or more than :func:`full_rank`: full, B A = dW up to rounding.

    Raises:
        ValueError: z is 1 everywhere or not finite, a rank below 1.
    """
    _check_rank(rank)
    changes = _changes(adapted, z)
    if not changes:
        raise ValueError("z is 1 everywhere: that is the base model, there is no change to make a LoRA of")
    full = max(int((d != 0).sum()) for d in changes.values())
    k = full if rank is None else min(rank, full)
    parts, kept, lost_all, total_all = {}, {}, 0.0, 0.0
    for path, d in changes.items():
        module, places = adapted.modules[path], _largest(d, k)
        n = len(places)
        # The root of |d| on either side keeps A and B of one size, which is what half precision likes best.
        root = d[places].abs().sqrt()
        A = torch.zeros(k, module.in_features)
        B = torch.zeros(module.out_features, k)
        A[:n] = (root[:, None] * module.Vh[places].double()).float().cpu()
        B[:, :n] = (module.U[:, places].double() * (root * d[places].sign())).float().cpu()
        # By what is lost, so that nothing lost is exactly 1.
        lost, total = float(d.index_fill(0, places, 0).square().sum()), float(d.square().sum())
        parts[path], kept[path] = LowRank(A, B), math.sqrt(1 - lost / total)
        lost_all, total_all = lost_all + lost, total_all + total
    return LoRA(k, parts, kept, math.sqrt(1 - lost_all / total_all))


def truncate(adapted: Adapted, z: Mapping[str, Tensor] | Tensor, rank: int | None = None) -> Tensor:
    """The z whose change is that of ``best_lora(adapted, z, rank)``: 1 wherever an entry is dropped, (R,) fp32.

    Raises:
        ValueError: z is not finite, a rank below 1.
    """
    _check_rank(rank)
    vector = (adapted.join(z) if isinstance(z, Mapping) else z.detach().to(adapted.device, torch.float32)).clone()
    out = torch.ones_like(vector)
    for path, d in _changes(adapted, z).items():
        places = _largest(d, len(d) if rank is None else rank)
        part = adapted.slices[path]
        out[part][places] = vector[part][places]
    return out
