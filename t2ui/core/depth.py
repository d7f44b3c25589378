"""Depth profiles: how strongly an expert acts early, in the middle and late, interpolated over the decoder layers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from t2ui.core.mixing import Mix

__all__ = ["along", "shaped"]


def along(points: Sequence[float], n_layers: int) -> tuple[float, ...]:
    """One number per layer: piecewise linear through control points that stand at equal distances, the first at the first
    layer and the last at the last one. A model of one layer gets the mean of the points.

    Raises:
        ValueError: no point, a point that is not finite, no layer.
    """
    if not points or n_layers < 1 or not all(math.isfinite(p) for p in points):
        raise ValueError(f"a depth profile needs finite control points and a layer, got {list(points)} for {n_layers} layers")
    if n_layers == 1:
        return (sum(points) / len(points),)
    out = []
    for layer in range(n_layers):
        at = layer * (len(points) - 1) / (n_layers - 1)
        i = min(int(at), max(len(points) - 2, 0))
        low, high = points[i], points[min(i + 1, len(points) - 1)]
        out.append(low if low == high else low + (at - i) * (high - low))
    return tuple(out)


def shaped(mix: Mix, profiles: Mapping[str, Sequence[float]], n_layers: int) -> Mix:
    """The mix with every alpha multiplied, layer by layer, by its expert's profile (none: 1 everywhere).

    A constant profile leaves one number, so that constant points of 1 give the very same mix.
    """
    alphas: dict[str, float | tuple[float, ...]] = {}
    for name in mix:
        alpha, points = mix.alpha(name), profiles.get(name)
        if points is None or (len(set(points)) == 1 and points[0] == 1):
            alphas[name] = alpha
            continue
        weights = along(points, n_layers)
        if isinstance(alpha, tuple):
            alphas[name] = tuple(a * w for a, w in zip(alpha, weights, strict=True))
        else:
            alphas[name] = alpha * weights[0] if len(set(points)) == 1 else tuple(alpha * w for w in weights)
    return Mix(alphas, mix.off)
