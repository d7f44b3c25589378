"""The live components of the Spectra tab: what the server sends once, and the browser draws for every mix (``spectra.js``)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from t2ui import plots
from t2ui.ui.live import plot, share_payload
from t2ui.ui.text import Text


def _html(value: Any, template: str, script: str, **props: Any) -> gr.HTML:
    call = f"window.t2ui.{script}(element, props, watch, trigger, ['pick', 'wake']);"  # gradio looks for the events' names
    return gr.HTML(value, html_template=template, js_on_load=call, apply_default_css=False, **props)


def strip(names: Sequence[str], t: Text, **props: Any) -> gr.HTML:
    """The mix' sliders once more, small; let go, they raise ``.pick``. Its value: ``share_payload``."""
    template = f'<div class="t2-strip" role="group" aria-label="{t.html("spectra.mix_aria")}"></div>'
    return _html(share_payload(names, t), template, "strip", **props)


def spectra_map(t: Text, **props: Any) -> gr.HTML:
    """Heatmap of any measure; ``.wake`` asks for its value (:func:`map_payload`), ``.pick`` names the matrix that was chosen."""
    below = '<p class="t2-plot-alt"></p>'
    return _html(None, plot("spectra", t("spectra.map_aria"), t, below, keys=True), "spectraMap", **props)


def matrix_view(t: Text, **props: Any) -> gr.HTML:
    """One matrix: formula with its numbers, sigma against sigma', two experts. Its value: :func:`matrix_payload`."""
    template = (
        '<div class="t2-matrix" hidden><h3 class="t2-h3" data-part="name"></h3><p class="t2-formula" data-part="formula"></p>'
        '<p class="t2-faint" data-part="numbers"></p><div class="t2-controls">'
        f'<label><input type="checkbox" data-part="log">{t.html("spectra.log")}</label>'
        f'<label>{t.html("spectra.top_label")} <input type="range" min="1" max="2" data-part="top"><output data-part="top-said"></output>'
        f"</label></div><div class=\"t2-curves\">{plot('singular-values', t('spectra.lines_aria'), t)}"
        f'<div><h3 class="t2-h3">{t.html("spectra.pair")}</h3><div class="t2-controls">'
        f'<label>{t.html("spectra.first")} <select data-part="first"></select></label>'
        f'<label>{t.html("spectra.second")} <select data-part="second"></select></label>'
        f'<span class="t2-faint" data-part="cosine"></span></div>{plot("two-experts", t("spectra.cloud_aria"), t)}</div></div></div>'
    )
    return _html(None, template, "matrixView", **props)


def lora_view(t: Text, **props: Any) -> gr.HTML:
    """The share that a LoRA of rank k keeps, k by slider. Its value: :func:`lora_payload`."""
    below = (
        f'<div class="t2-controls"><label>{t.html("spectra.rank_label")} <input type="range" min="0" max="1" value="4" '
        'data-part="rank"><output></output></label></div><p class="t2-plot-alt"></p>'
    )
    return _html(None, plot("lora", t("spectra.lora"), t, below), "loraView", **props)


def map_payload(cells: Sequence[Mapping[str, Any]], names: Sequence[str], n_layers: int, t: Text) -> dict[str, Any]:
    """What the browser needs for every measure, band and mix.

    Args:
        cells: per matrix ``path``, ``layer``, ``module``, ``norm2`` and, by band, ``G``, ``H``, ``m``, ``r`` (``cells.bands_of``).
    """
    layers = sorted({cell["layer"] for cell in cells})
    modules = list(dict.fromkeys(cell["module"] for cell in cells))
    made = plots.change_heatmap([[0.0] * len(modules) for _ in layers], layers, modules, 1.0, x_title=t("map.modules"),
                                y_title=t("map.layers"))  # fmt: skip
    return {
        "cells": list(cells), "names": list(names), "layers": layers, "modules": modules, "n_layers": n_layers,
        "figure": json.loads(made.to_json()), "scales": plots.CHANGE_SCALES, "signed": plots.SIGNED_SCALES,
        "text": {key: t(f"spectra.{key}") for key in ("hover", "cell", "most", "still", "none")},
    }  # fmt: skip


def matrix_payload(held: Mapping[str, Any], names: Sequence[str], n_layers: int, t: Text) -> dict[str, Any]:
    """One matrix (``t2ui.cells.matrix_of``) with the empty figures that the browser fills."""
    nothing = {"index": [], "sigma": [], "sigma2": [], "z": []}
    lines = plots.spectrum_lines(nothing, sigma="σ", sigma2="σ′", x_title=t("spectra.index"), y_title=t("spectra.value"))
    words = {key: t(f"spectra.{key}") for key in ("numbers", "top", "axis")} | {"cosine": t("spectra.cosine_words")}
    return {
        **held, "names": list(names), "labels": [t.family(name) for name in names], "n_layers": n_layers,
        "lines": json.loads(lines.to_json()), "cloud": json.loads(plots.expert_scatter().to_json()), "text": words,
    }  # fmt: skip


def lora_payload(kept: Mapping[str, Any], z: int, still: bool, t: Text) -> dict[str, Any]:
    """``kept_by_lora`` of all matrices together (``rank``, ``kept``, ``parameters``); ``still``: the mix changes nothing."""
    made = plots.lora_curve({"rank": kept["rank"], "kept": [], "parameters": []}, x_title=t("spectra.rank"), y_title=t("spectra.kept"))
    words = {key: t(f"spectra.lora_{key}") for key in ("said", "matrix", "still", "all", "one")} | {"k": f"{t('spectra.rank')} {{k}}"}
    return {**{key: list(kept[key]) for key in ("rank", "kept", "parameters")}, "z": z, "still": still,
            "figure": json.loads(made.to_json()), "text": words}  # fmt: skip


def figure_payload(made: Any, signed: bool = False) -> dict[str, Any]:
    """A plotly figure as :func:`t2ui.ui.live.figure` takes it."""
    return {"figure": json.loads(made.to_json())} | ({"scales": plots.SIGNED_SCALES} if signed else {})


__all__ = ["figure_payload", "lora_payload", "lora_view", "map_payload", "matrix_payload", "matrix_view", "spectra_map", "strip"]
