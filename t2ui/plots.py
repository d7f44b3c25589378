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


# Blue against orange: told apart by the colour-blind, and by lightness in print.
SIGNED_SCALES = {
    "light": ((0.0, "#b3541e"), (0.5, "#f4f2ee"), (1.0, "#123f5c")),
    "dark": ((0.0, "#e08a52"), (0.5, "#20262f"), (1.0, "#8cc6e6")),
}
AGREE_SCALE = SIGNED_SCALES["light"]
DASHES = ("solid", "dash", "dot", "dashdot")  # colour is never the only difference
BEFORE, AFTER, FACTOR = "#8a8f98", "#2f7fa8", "#b3541e"


def _plain(figure: go.Figure, height: int, **axes: Any) -> go.Figure:
    for axis in axes.values():
        axis.setdefault("automargin", True)
    figure.update_layout(template="none", height=height, margin={"l": 56, "r": 16, "t": 24, "b": 48},
                         paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", uirevision="keep",
                         legend={"orientation": "h", "y": 1.12, "x": 0}, **axes)  # fmt: skip
    return figure


def spectrum_lines(columns: Mapping[str, Any], *, sigma: str = "sigma", sigma2: str = "sigma'", z: str = "z",
                   x_title: str = "rank", y_title: str = "singular value") -> go.Figure:  # fmt: skip
    """The singular values of one matrix before and after, and z on an axis of its own.

    Args:
        columns: ``index``, ``sigma``, ``sigma2``, ``z`` of ``t2ui.core.spectra.spectrum``.
    """
    x = columns["index"]
    figure = go.Figure([
        go.Scatter(x=x, y=columns["sigma"], name=sigma, line={"color": BEFORE, "width": 2},
                   hovertemplate="%{x}: %{y:.4f}<extra>" + sigma + "</extra>"),
        go.Scatter(x=x, y=columns["sigma2"], name=sigma2, line={"color": AFTER, "width": 2},
                   hovertemplate="%{x}: %{y:.4f}<extra>" + sigma2 + "</extra>"),
        go.Scatter(x=x, y=columns["z"], name=z, yaxis="y2", mode="markers", marker={"color": FACTOR, "size": 4},
                   hovertemplate="%{x}: %{y:.3f}<extra>" + z + "</extra>"),
    ])  # fmt: skip
    return _plain(figure, 320, xaxis={"title": {"text": x_title}, "fixedrange": True},
                  yaxis={"title": {"text": y_title}, "rangemode": "tozero", "fixedrange": True},
                  yaxis2={"title": {"text": z}, "overlaying": "y", "side": "right", "showgrid": False,
                          "tickformat": ".2f", "fixedrange": True})  # fmt: skip


def cosine_heatmap(table: Sequence[Sequence[float]], names: Sequence[str]) -> go.Figure:
    """Experts against each other, from -1 to 1; of more than a dozen without the numbers in the cells."""
    many = len(names) > 12
    figure = go.Figure(go.Heatmap(
        z=[list(row) for row in table], x=list(names), y=list(names), zmin=-1, zmax=1, xgap=0 if many else 2, ygap=0 if many else 2,
        colorscale=[list(stop) for stop in AGREE_SCALE], texttemplate=None if many else "%{z:.2f}",
        hovertemplate="%{y} · %{x}: %{z:.3f}<extra></extra>",
        colorbar={"thickness": 10, "outlinewidth": 0, "nticks": 5},
    ))  # fmt: skip
    return _plain(figure, max(240, 90 + (14 if many else 40) * len(names)), xaxis={"type": "category", "fixedrange": True},
                  yaxis={"type": "category", "autorange": "reversed", "fixedrange": True})  # fmt: skip


def expert_scatter(*, hover: str = "%{x:.3f}, %{y:.3f}") -> go.Figure:
    """Two experts' z - 1 of one matrix against each other, a point a singular component; the browser fills it."""
    figure = go.Figure(go.Scatter(x=[], y=[], mode="markers", marker={"color": AFTER, "size": 5, "opacity": 0.7},
                                  hovertemplate="%{text}: " + hover + "<extra></extra>"))  # fmt: skip
    axis = {"title": {"text": ""}, "fixedrange": True, "zeroline": True, "zerolinewidth": 2}
    return _plain(figure, 320, xaxis=dict(axis), yaxis=dict(axis))


def lora_curve(columns: Mapping[str, Any], *, x_title: str = "rank of the LoRA",
               y_title: str = "kept share of |dW|") -> go.Figure:  # fmt: skip
    """How much of a change the best LoRA of each rank keeps (``rank``, ``kept``, ``parameters`` of ``kept_by_lora``)."""
    figure = go.Figure(go.Scatter(
        x=list(columns["rank"]), y=columns["kept"], mode="lines", line={"color": AFTER, "width": 2},
        customdata=columns["parameters"], hovertemplate="%{x}: %{y:.1%}, %{customdata:,}<extra></extra>",
    ))  # fmt: skip
    ticks = [k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096) if k <= max(columns["rank"])]
    _plain(figure, 300, xaxis={"title": {"text": x_title}, "type": "log", "tickvals": ticks, "fixedrange": True},
           yaxis={"title": {"text": y_title}, "tickformat": ".0%", "range": [0, 1.05], "fixedrange": True})  # fmt: skip
    return figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"}, margin={"t": 46})  # on a phone in two lines


def layer_lines(names: Sequence[str], layers: Sequence[int], by_layer: Sequence[Sequence[Sequence[float]]],
                *, x_title: str = "layer", y_title: str = "cosine") -> go.Figure:  # fmt: skip
    """The cosine of every pair of experts along the layers."""
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    figure = go.Figure([
        go.Scatter(x=list(layers), y=[table[i][j] for table in by_layer], name=f"{names[i]} · {names[j]}",
                   mode="lines+markers", line={"dash": DASHES[n % len(DASHES)]}, marker={"symbol": n % 24, "size": 7})
        for n, (i, j) in enumerate(pairs)
    ])  # fmt: skip
    _plain(figure, 300 + 10 * len(pairs), xaxis={"title": {"text": x_title}, "dtick": 1, "fixedrange": True},
           yaxis={"title": {"text": y_title}, "range": [-1.05, 1.05], "fixedrange": True})  # fmt: skip
    return figure.update_layout(legend={"y": 1.02, "yanchor": "bottom"}, margin={"t": 24 + 10 * len(pairs)})  # two pairs a line
