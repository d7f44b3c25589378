"""Low-rank changes beside SVF: B A of LoRA adapters, seen from the base's singular basis.

A mix that holds LoRA experts changes a matrix by dW = U diag(sigma * (z - 1)) Vh + B A. In the base's basis, M = U^T dW V, its
diagonal rescales singular values, which is all that an SVF expert can do; what stands off the diagonal rotates singular
vectors. The part of SVF stands on the diagonal alone, so that inner products of an SVF change with any other one need the
other's diagonal only: <U diag(d) Vh, B A>_F = sum_i d_i M_ii.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from t2ui.core.svf import SVFLinear

__all__ = ["SOLID", "Change", "LowRank", "concatenated", "diagonal", "inner", "share_on_diagonal", "singular_parts", "z_of"]

SOLID = 1e-6  # singular values below this share of the largest are zero as far as z is concerned: it cannot act there


class LowRank(NamedTuple):
    """B A is a change of one matrix (out, in): A (k, in) and B (out, k), fp32 on the CPU."""

    A: Tensor
    B: Tensor


@dataclass(frozen=True, eq=False)
class Change:
    """What a mix does to the weights: dW = U diag(sigma * (z - 1)) Vh + B A, matrix by matrix.

    Attributes:
        z: (R,) fp32, of its SVF experts; 1 = leave as is.
        low: module path -> LowRank, of its LoRA experts, alphas and scales in B; empty without any.
    """

    z: Tensor
    low: Mapping[str, LowRank] = field(default_factory=dict)

    @property
    def is_base(self) -> bool:
        """Nothing changes."""
        return not self.low and bool((self.z == 1).all())


def concatenated(parts: Sequence[LowRank]) -> LowRank:
    """The sum of several changes of one matrix as one: the ranks add up, nothing is lost."""
    return LowRank(torch.cat([p.A for p in parts]), torch.cat([p.B for p in parts], dim=1))


def diagonal(module: SVFLinear, low: LowRank) -> Tensor:
    """The diagonal of U^T (B A) V, (r,) float64 on the CPU: what B A adds to sigma where it only rescales."""
    where = module.U.device
    left = module.U.float().T @ low.B.to(where).float()
    right = module.Vh.float() @ low.A.to(where).float().T
    return (left.double() * right.double()).sum(dim=1).cpu()


def inner(one: LowRank, other: LowRank) -> float:
    """<B1 A1, B2 A2>_F, in float64, without forming either product."""
    return float(((one.B.double().T @ other.B.double()) * (one.A.double() @ other.A.double().T)).sum())


def share_on_diagonal(module: SVFLinear, z: Tensor, low: LowRank | None) -> tuple[Tensor, float]:
    """How a change of one matrix divides: the diagonal of M = U^T dW V, (r,) float64 on the CPU, and |dW|_F^2 in all.

    Args:
        z: (r,).
    """
    on = module.sigma.double().cpu() * (z.double().cpu() - 1)
    if low is None:
        return on, float(on.square().sum())
    there = diagonal(module, low)
    total = float(on.square().sum() + 2 * on @ there) + inner(low, low)
    on = on + there
    return on, max(total, float(on.square().sum()))  # rounding must not make more of the diagonal than there is


def z_of(sigma: Tensor, on: Tensor) -> Tensor:
    """The z whose change is this diagonal: 1 + M_ii / sigma_i, (r,) float64; 1 where sigma_i is zero (see ``SOLID``)."""
    sigma = sigma.double().cpu()
    solid = sigma > SOLID * sigma.max().clamp(min=1e-300)
    return torch.where(solid, 1 + on / sigma.clamp(min=1e-300), torch.ones_like(on))


def singular_parts(module: SVFLinear, z: Tensor, low: LowRank) -> tuple[Tensor, Tensor, Tensor]:
    """U' (out, n), s (n,) from the largest down, Vh' (n, in), float64, of dW = U diag(sigma (z - 1)) Vh + B A.

    Where SVF changes nothing, by way of the thin factors alone; else of the whole matrix, which takes as long as decomposing W.
    """
    A, B = low.A.double(), low.B.double()
    d = module.sigma.double().cpu() * (z.double().cpu() - 1)
    if not bool((d != 0).any()) and A.shape[0] < min(module.in_features, module.out_features):
        left, upper = torch.linalg.qr(B)
        right, lower = torch.linalg.qr(A.T)
        U, s, Vh = torch.linalg.svd(upper @ lower.T, full_matrices=False)
        return left @ U, s, Vh @ right.T
    where = module.U.device
    whole = (module.U.double() * d.to(where)) @ module.Vh.double() + B.to(where) @ A.to(where)
    return tuple(t.cpu() for t in torch.linalg.svd(whole, full_matrices=False))
