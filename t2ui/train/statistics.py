"""Intervals for fractions: Wilson's for one, Agresti and Min's for a paired difference."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z95 = 1.959963984540054


def wilson(correct: int, n: int) -> tuple[float, float]:
    """95 % interval (Wilson score) of a fraction ``correct / n``."""
    if n <= 0:
        raise ValueError(f"an interval needs at least one example, got n = {n}")
    p, z2 = correct / n, Z95 * Z95
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def paired(a: Sequence[bool], b: Sequence[bool]) -> tuple[float, tuple[float, float]]:
    """Mean of a - b over the same examples and its 95 % interval (normal, with the +1/2 of Agresti and Min
    on both discordant counts, so that no interval has width zero)."""
    if len(a) != len(b) or not a:
        raise ValueError(f"paired results need the same examples, got {len(a)} and {len(b)}")
    n = len(a)
    only_a = sum(x and not y for x, y in zip(a, b, strict=True))
    only_b = sum(y and not x for x, y in zip(a, b, strict=True))
    diff = (only_a - only_b) / n
    m, wins, losses = n + 2, only_a + 0.5, only_b + 0.5
    centre = (wins - losses) / m
    spread = math.sqrt(max(0.0, (wins + losses) / m - centre * centre) / m)
    return diff, (max(-1.0, centre - Z95 * spread), min(1.0, centre + Z95 * spread))
