"""Components whose pictures move in the browser: live charts (Plotly) and the share of base.

``gr.Plot`` mounts its chart anew on every update. Here a ``gr.HTML`` holds one element; ``static/charts.js`` draws into
it with ``Plotly.react`` from the Gram matrices that were sent once, so that a slider moves the picture without a
request. plotly.min.js is the one that the Python package ships. Every chart has the same four buttons (:func:`tools`); those of
the Spectra tab are in ``spectra_live.py``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
import plotly

from t2ui import plots
from t2ui.ui.text import Text
from t2ui.ui.theme import colour

PLOTLY_DIR = Path(plotly.__file__).parent / "package_data"
HERE = Path(__file__).parent
SCRIPTS = ("page.js", "words.js", "charts.js", "mix.js", "experts.js", "spectra.js", "ask.js", "talk.js", "guide.js", "link.js", "typed.js",
           "search.js", "rows.js", "present.js")  # in this order
STYLES = ("page.css", "ask.css", "mix.css", "charts.css", "words.css", "talk.css", "guide.css", "search.css", "experts.css", "present.css",
          "models.css")


# Functions, not subclasses of gr.HTML: gradio writes a .pyi file next to every module that derives a component.


def markup(value: str = "", **props: Any) -> gr.HTML:
    """HTML of our own making, without gradio's article styles and without events."""
    return gr.HTML(value, js_on_load=None, apply_default_css=False, **props)


def tools(t: Text) -> str:
    """The buttons of a chart: full screen, PNG, SVG, CSV (``charts.js`` does the work, for Plotly, SVG and tables alike)."""
    buttons = "".join(
        f'<button type="button" data-t2="chart" data-do="{do}" title="{t.html(f"chart.{do}_title")}" '
        f'aria-label="{t.html(f"chart.{do}_title")}">{t.html(f"chart.{do}")}</button>'
        for do in ("full", "png", "svg", "csv")
    )
    return f'<div class="t2-tools" role="group" aria-label="{t.html("chart.tools")}">{buttons}</div>'


def plot(name: str, aria: str, t: Text, below: str = "", keys: bool = False) -> str:
    """The frame of one Plotly chart; ``name`` is the exported file's. ``keys``: the chart can be walked with the arrow keys."""
    how = f'role="group" tabindex="0" aria-roledescription="{t.html("chart.walk")}"' if keys else 'role="img"'
    return (
        f'<figure class="t2-chart" data-name="{escape(name)}"><div class="t2-plot" {how} aria-label="{escape(aria)}" hidden></div>'
        f"{below}{tools(t)}</figure>"
    )


def sent(value: Mapping[str, Any] | None) -> str:
    """A component's value as one text, which the browser reads once (``t2.told``): gradio copies every value many times, number by
    number, and with forty experts that took it a quarter of a minute."""
    return "" if value is None else json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def change_map(value: Mapping[str, Any], t: Text, **props: Any) -> gr.HTML:
    """Heatmap layers x modules of what the current mix changes. Its value: :func:`change_payload`."""
    template = plot("change", t("map.aria"), t, '<p class="t2-plot-alt"></p>')
    script = "window.t2ui.changeMap(element, props, watch);"
    return gr.HTML(sent(value), html_template=template, js_on_load=script, apply_default_css=False, **props)


def figure(value: Mapping[str, Any] | None, name: str, aria: str, t: Text, **props: Any) -> gr.HTML:
    """Any plotly figure, redrawn in place. Its value: ``{"figure": ...}`` or None (nothing yet); ``scales``: colours by theme."""
    script = "window.t2ui.figure(element, props, watch);"
    return gr.HTML(sent(value), html_template=plot(name, aria, t), js_on_load=script, apply_default_css=False, **props)


def share_bar(value: Mapping[str, Any], **props: Any) -> gr.HTML:
    """How much of the mix is each expert and how much is base. Its value: :func:`share_payload`."""
    template = '<div class="t2-sharebar" aria-hidden="true"></div><p class="t2-share-words"></p>'
    script = "window.t2ui.mixBar(element, props, watch);"
    return gr.HTML(value, html_template=template, js_on_load=script, apply_default_css=False, **props)


def chips(value: str = "", **props: Any) -> gr.HTML:
    """HTML with buttons (:func:`pick`); a click raises ``.pick`` whose ``gr.EventData`` holds the button's data."""
    script = "window.t2ui.chips(element, props, trigger, 'pick');"
    return gr.HTML(value, js_on_load=script, apply_default_css=False, **props)


def pick(**data: Any) -> str:
    """The attribute of a button inside :func:`chips`."""
    return f'data-pick="{escape(json.dumps(data))}"'


def change_payload(
    cells: Sequence[Mapping[str, Any]], names: Sequence[str], t: Text, metric: str = "dw", n_layers: int | None = None
) -> dict:
    """What the browser needs to draw every mix: sent once.

    Args:
        cells: per matrix ``layer``, ``module``, ``G``, ``H``, ``r``, ``norm2`` (see ``plots.change_of``).
        names: the experts, in the order of the Gram matrices.
        n_layers: the model's decoder layers, over which a depth profile runs; None: as many as the cells speak of.
    """
    layers = sorted({cell["layer"] for cell in cells})
    modules = list(dict.fromkeys(cell["module"] for cell in cells))
    unit = [[1.0 if i == k else 0.0 for i in range(len(names))] for k in range(len(names))]
    zmax = max((plots.change_of(cell, a, metric) for cell in cells for a in unit), default=0.0) * 1.1 or 0.01
    grid = plots.change_grid(cells, layers, modules, [0.0] * len(names), metric)
    figure = plots.change_heatmap(
        grid,
        layers,
        modules,
        zmax,
        x_title=t("map.modules"),
        y_title=t("map.layers"),
        hover=t("map.hover"),
    )
    return {
        "cells": list(cells),
        "names": list(names),
        "layers": layers,
        "n_layers": n_layers or max(layers, default=0) + 1,
        "modules": modules,
        "metric": metric,
        "zmax": zmax,
        "figure": json.loads(figure.to_json()),
        "scales": plots.CHANGE_SCALES,
        "text": {key: t(f"map.{key}") for key in ("alt", "still", "none", "where")},
    }


def share_payload(names: Sequence[str], t: Text) -> dict:
    """Names, labels and colours for :func:`share_bar`."""
    return {
        "names": list(names),
        "labels": [t.family(name) for name in names],
        "colours": [colour(name, tuple(names)) for name in names],
        "text": {key: t(f"share.{key}") for key in ("base", "share", "over", "mean")},
    }


def head() -> str:
    """What goes into the page's <head>: our script, and where plotly lies on this server."""
    gr.set_static_paths([PLOTLY_DIR])
    url = "gradio_api/file=" + quote((PLOTLY_DIR / "plotly.min.js").as_posix(), safe="/:")
    url += f"?v={plotly.__version__}"  # so that a browser may keep it (lean.py)
    script = "\n".join((HERE / "static" / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return f"<script>{script}\nwindow.t2ui.plotlyUrl = {json.dumps(url)};</script>"


def styles() -> str:
    """The page's own style sheets, one after the other."""
    return "\n".join((HERE / "static" / name).read_text(encoding="utf-8") for name in STYLES)
