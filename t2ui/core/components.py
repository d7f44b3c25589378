"""One singular component of a matrix, sigma_i u_i v_i': what it reads, what it writes, and the rows without it.

W x = sum_i sigma_i z_i (v_i . x) u_i: component i looks at its input along v_i and answers along u_i. Both signs of (u_i, v_i)
are the same component; what it reads along +v_i it writes along +u_i, what it reads along -v_i along -u_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.mixing import ExpertStack

__all__ = ["Component", "component", "ends", "excitation", "parts_of", "z_of"]


@dataclass(frozen=True)
class Component:
    """One component. Attributes: path, index: which; sigma: its singular value; u (out,), v (in,): float64, on the CPU."""

    path: str
    index: int
    sigma: float
    u: Tensor
    v: Tensor


def component(adapted: Adapted, path: str, index: int) -> Component:
    """Component ``index`` (0 = the largest singular value) of one matrix.

    Raises:
        ValueError: an unknown path or an index beyond its rank.
    """
    adapted.at(path, index)
    module = adapted.modules[path]
    u, v = (vector.detach().double().cpu() for vector in (module.U[:, index], module.Vh[index]))
    return Component(path, index, float(module.sigma[index]), u, v)


def ends(table: Tensor, direction: Tensor, count: int = 8) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """Which rows of a table lie furthest along a direction, and which furthest against it.

    Args:
        table: (V, d), an embedding or unembedding: one row a token. direction: (d,).

    Returns:
        Two lists of (row, score), strongest first; score is (row . direction - mean) / standard deviation, over all rows.

    Raises:
        ValueError: sizes that do not fit.
    """
    if table.dim() != 2 or direction.shape != table.shape[1:]:
        raise ValueError(f"expected a table (V, d) and a direction (d,), got {tuple(table.shape)} and {tuple(direction.shape)}")
    values = table.double() @ direction.to(table.device, torch.float64)
    spread = values.std(correction=0)
    scores = (values - values.mean()) / spread if float(spread) > 0 else torch.zeros_like(values)
    order = scores.argsort(descending=True, stable=True)
    count = min(count, len(order))

    def told(rows: Tensor) -> list[tuple[int, float]]:
        return [(int(i), float(scores[i])) for i in rows]

    return told(order[:count]), told(order.flip(0)[:count])


def parts_of(direction: Tensor, parts: int) -> list[float]:
    """How much of |direction|^2 lies in each of ``parts`` equal pieces (attention heads, say); the shares sum to 1.

    Raises:
        ValueError: the length is not a multiple of ``parts``.
    """
    if parts < 1 or direction.numel() % parts:
        raise ValueError(f"a vector of {direction.numel()} numbers has no {parts} equal parts")
    power = direction.double().square().reshape(parts, -1).sum(dim=1)
    total = float(power.sum())
    return [float(p) / total if total else 0.0 for p in power]


def z_of(stack: ExpertStack, path: str, index: int) -> dict[str, float]:
    """The component's z in every expert, by name; 1 = left as it is (also by LoRA experts, which no z stands for)."""
    at = stack.adapted.at(path, index)
    return {name: float(1 + stack.delta[k, at]) for k, name in enumerate(stack.names)}


def excitation(x: Tensor, v: Tensor) -> Tensor:
    """v . x for every position: x (..., in), v (in,) -> (...), in fp32 or better. Times sigma z it is what is written along u."""
    kind = torch.promote_types(x.dtype, torch.float32)
    return x.to(kind) @ v.to(x.device, kind)
