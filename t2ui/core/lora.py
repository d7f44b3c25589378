"""The best LoRA of a mix, in closed form.

The change of one matrix, dW = U diag(d) Vh with d = sigma * (z - 1), is its own singular value decomposition up to order
and signs, because U and Vh are orthonormal. So by Eckart and Young the best matrix of rank k in the Frobenius (and the
spectral) norm keeps the k entries of largest |d_i|: no search, no training, and the kept share of the norm is known.

That matrix is also the change under another z, the one that is 1 wherever an entry was dropped (:func:`truncate`): a LoRA
that came out of a mix is still an expert of the base's singular basis.

A mix that holds LoRA experts is their sum with such a change: exactly a LoRA again, whose rank is the sum of both; below that
rank, the singular values of dW have to be computed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.lowrank import Change, LowRank, concatenated, inner, singular_parts
from t2ui.core.svf import SVFLinear

__all__ = ["LoRA", "LowRank", "best_lora", "full_rank", "truncate"]


@dataclass(frozen=True, eq=False)
class LoRA:
    """A low-rank stand-in for a mix.

    Attributes:
        rank: k, the same for every matrix (one number is all that vLLM and llama.cpp read); a matrix that has fewer entries
            is filled up with zeros.
        parts: module path -> LowRank, rows of A and columns of B from the largest |d_i| down, zero beyond the entries that the
            matrix has; matrices that the mix does not change are not in it.
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


def _changes(adapted: Adapted, z: Mapping[str, Tensor] | Tensor | Change) -> dict[str, Tensor]:
    """path -> d = sigma * (z - 1), (r,) float64, where z is not 1 everywhere; of a Change, its SVF part."""
    z = z.z if isinstance(z, Change) else z
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


def full_rank(adapted: Adapted, z: Mapping[str, Tensor] | Tensor | Change) -> int:
    """The smallest rank at which nothing of the change is lost (of LoRA experts, their own ranks count); 0 for the base."""
    ranks = {path: int((d != 0).sum()) for path, d in _changes(adapted, z).items()}
    for path, (A, _) in (z.low if isinstance(z, Change) else {}).items():
        ranks[path] = min(ranks.get(path, 0) + len(A), adapted.ranks[path])
    return max(ranks.values(), default=0)


def best_lora(adapted: Adapted, z: Mapping[str, Tensor] | Tensor | Change, rank: int | None = None) -> LoRA:
    """The LoRA of this rank that is nearest to the change under z, in every matrix at once.

    Args:
        z: path -> (r,), or (R,), or the change of a mix that holds LoRA experts.
        rank: k; None, or more than :func:`full_rank`: full, B A = dW up to rounding.

    Raises:
        ValueError: z is 1 everywhere or not finite, a rank below 1.
    """
    _check_rank(rank)
    changes = _changes(adapted, z)
    low = z.low if isinstance(z, Change) else {}
    if not changes and not low:
        raise ValueError("z is 1 everywhere: that is the base model, there is no change to make a LoRA of")
    full = full_rank(adapted, z)
    k = full if rank is None else min(rank, full)
    parts, kept, lost_all, total_all = {}, {}, 0.0, 0.0
    for path in (p for p in adapted.paths if p in changes or p in low):
        module = adapted.modules[path]
        if path in low:
            d = changes.get(path, torch.zeros(module.r, dtype=torch.float64, device=module.sigma.device))
            parts[path], lost, total = _with_lora(module, d, low[path], k)
            kept[path] = math.sqrt(1 - lost / total) if total else 1.0
            lost_all, total_all = lost_all + lost, total_all + total
            continue
        d = changes[path]
        places = _largest(d, k)
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
    return LoRA(k, parts, kept, math.sqrt(1 - lost_all / total_all) if total_all else 1.0)


def _with_lora(module: SVFLinear, d: Tensor, low: LowRank, k: int) -> tuple[LowRank, float, float]:
    """The LoRA of rank k nearest to U diag(d) Vh + B A, filled up with zeros; what of |dW|_F^2 is lost, and all of it."""
    places = d.nonzero()[:, 0]
    if len(places) + len(low.A) <= k:  # side by side nothing is lost, and nothing has to be decomposed
        root = d[places].abs().sqrt()
        A = (root[:, None] * module.Vh[places].double()).float().cpu()
        B = (module.U[:, places].double() * (root * d[places].sign())).float().cpu()
        exact = concatenated([LowRank(A, B), low])
        spare = k - len(exact.A)
        filled = LowRank(torch.cat([exact.A, exact.A.new_zeros(spare, exact.A.shape[1])]),
                         torch.cat([exact.B, exact.B.new_zeros(exact.B.shape[0], spare)], dim=1))  # fmt: skip
        return filled, 0.0, inner(exact, exact)
    z = 1 + d / module.sigma.double().clamp(min=1e-300)
    U, s, Vh = singular_parts(module, z, low)
    n, root = min(k, len(s)), s[:k].sqrt()
    A, B = torch.zeros(k, module.in_features), torch.zeros(module.out_features, k)
    A[:n], B[:, :n] = (root[:, None] * Vh[:k]).float(), (U[:, :k] * root).float()
    return LowRank(A, B), float(s[k:].square().sum()), float(s.square().sum())


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
