"""Columns (plain lists and numbers) in, plotly figures out. Knows no model and no page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

# From the page's ground through one hue: reads in black and white, and to the colour-blind.
CHANGE_SCALES = {
    "light": ((0.0, "#efede8"), (0.25, "#bcd9e6"), (0.5, "#6aaccb"), (0.75, "#2f7fa8"), (1.0, "#123f5c")),
    "dark": ((0.0, "#20262f"), (0.25, "#1f4357"), (0.5, "#2c6c8e"), (0.75, "#5aa6cb"), (1.0, "#c9e7f5")),
}
METRICS = ("dw", "rms")


def change_of(cell: Mapping[str, Any], alphas: Sequence[float], metric: str = "dw") -> float:
    """How much a mix changes one matrix, from its Gram matrices alone.

    Args:
        cell: ``G`` (K, K) of delta_k . delta_j, ``H`` (K, K) of the same with sigma^2 in between, ``r`` and
            ``norm2`` = |W|_F^2, as ``t2ui.core.spectra.gram`` gives them.
        alphas: K numbers, in the order of the Gram matrices.
        metric: ``dw`` = |dW|_F / |W|_F = sqrt(a' H a / norm2); ``rms`` = root mean square of z - 1 =
            sqrt(a' G a / r).
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
    form, scale = (cell["H"], cell["norm2"]) if metric == "dw" else (cell["G"], cell["r"])
    k = range(len(alphas))
    total = sum(alphas[i] * alphas[j] * form[i][j] for i in k for j in k)
    return math.sqrt(max(total, 0.0) / scale) if scale else 0.0


def change_grid(
    cells: Sequence[Mapping[str, Any]],
    layers: Sequence[int],
    modules: Sequence[str],
    alphas: Sequence[float],
    metric: str = "dw",
) -> list[list[float | None]]:
    """:func:`change_of` for every matrix: a row per layer, a column per module, None where there is no matrix."""
    at = {(cell["layer"], cell["module"]): cell for cell in cells}
    return [
        [change_of(at[layer, module], alphas, metric) if (layer, module) in at else None for module in modules]
        for layer in layers
    ]


def change_heatmap(
    grid: Sequence[Sequence[float | None]],
    layers: Sequence[int],
    modules: Sequence[str],
    zmax: float,
    *,
    unit: str = "",
    x_title: str = "",
    y_title: str = "",
    hover: str = "%{y} · %{x}: %{z:.1%}",
) -> go.Figure:
    """Heatmap layers x modules; the colours run from 0 to ``zmax`` so that they mean the same while a mix moves."""
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in grid],
            x=list(modules),
            y=[str(layer) for layer in layers],
            zmin=0,
            zmax=zmax,
            colorscale=[list(stop) for stop in CHANGE_SCALES["light"]],
            hovertemplate=hover + "<extra></extra>",
            xgap=2,
            ygap=2,
            texttemplate="%{z:.1%}" if len(layers) * len(modules) <= 80 else None,
            colorbar={"tickformat": ".0%", "thickness": 10, "outlinewidth": 0, "title": {"text": unit}, "nticks": 5},
        )
    )
    figure.update_layout(
        template="none",
        margin={"l": 46, "r": 8, "t": 10, "b": 42},
        height=max(240, 70 + 26 * len(layers)),
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        uirevision="keep",
        xaxis={
            "title": {"text": x_title, "standoff": 8},
            "type": "category",
            "fixedrange": True,
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
        },
        yaxis={
            "title": {"text": y_title, "standoff": 4},
            "type": "category",
            "autorange": "reversed",
            "fixedrange": True,
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
        },
    )
    return figure
