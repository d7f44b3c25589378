"""Spectra: what the current mix does to every matrix; a click opens one; experts against each other; the LoRA view."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from t2ui import plots
from t2ui.ui import basis_view, parts
from t2ui.ui.backend import Backend
from t2ui.ui.events import LIVE, explain
from t2ui.ui.live import chips, figure, markup, pick
from t2ui.ui.text import Text

MEASURES = ("dw_rel", "rms", "mean", "rescales")
RANKS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class SpectraTab:
    measure: gr.Radio
    refresh: gr.Button
    notice: gr.HTML
    grid: gr.HTML
    basis: gr.HTML
    projected: gr.HTML
    matrix: gr.HTML
    lines: gr.HTML
    cosines: gr.HTML
    layers: gr.HTML
    lora: gr.HTML


def build(t: Text) -> SpectraTab:
    markup(f'<h2 class="t2-h2">{t.html("spectra.title")}</h2><p class="t2-faint">{t.html("spectra.words")}</p>')
    with gr.Row(elem_id="t2-spectra-top"):
        measure = gr.Radio([(t(f"spectra.{m}"), m) for m in MEASURES], value=MEASURES[0], label=t("spectra.measure"),
                           interactive=True, elem_id="t2-spectra-measure")  # fmt: skip
        refresh = gr.Button(t("spectra.refresh"), variant="primary", interactive=False, elem_id="t2-spectra-refresh", min_width=120)
    notice = markup(parts.notice(t("spectra.empty")), elem_id="t2-spectra-notice")
    grid = chips("", elem_id="t2-spectra-grid")
    basis = chips("", elem_id="t2-spectra-basis")
    projected = markup("", elem_id="t2-spectra-projected")
    matrix = markup("", elem_id="t2-spectra-matrix")
    lines = figure(None, t("spectra.lines_aria"), elem_id="t2-spectra-lines")
    with gr.Row(elem_id="t2-spectra-pair"):
        with gr.Column(min_width=300):
            markup(f'<h2 class="t2-h2">{t.html("spectra.cosines")}</h2><p class="t2-faint">{t.html("spectra.cosines_words")}</p>')
            cosines = figure(None, t("spectra.cosines"), elem_id="t2-spectra-cosines")
            layers = figure(None, t("spectra.cosines"), elem_id="t2-spectra-layers")
        with gr.Column(min_width=300):
            markup(f'<h2 class="t2-h2">{t.html("spectra.lora")}</h2><p class="t2-faint">{t.html("spectra.lora_words")}</p>')
            lora = figure(None, t("spectra.lora"), elem_id="t2-spectra-lora")
    return SpectraTab(measure, refresh, notice, grid, basis, projected, matrix, lines, cosines, layers, lora)


def table(columns: dict[str, Sequence], measure: str, mix: str, t: Text) -> str:
    """Layers by modules with the values in the cells; every cell is a button that opens its matrix."""
    from t2ui.core import grid

    # Without a LoRA expert in the mix, all of the change rescales.
    columns = {"rescales": [1.0] * len(columns["path"]), **columns}
    held = grid(columns, measure)
    paths = {(layer, module): path for layer, module, path in
             zip(columns["layer"], columns["module"], columns["path"], strict=True)}  # fmt: skip
    top = max((abs(v) for row in held["values"] for v in row if v is not None), default=0.0) or 1.0
    head = "".join(f'<th scope="col">{escape(m.removesuffix("_proj"))}</th>' for m in held["modules"])
    body = []
    for layer, row in zip(held["layers"], held["values"], strict=True):
        cells = []
        for module, value in zip(held["modules"], row, strict=True):
            if value is None:
                cells.append("<td></td>")
                continue
            strength = abs(value) / top
            sign = "t2-minus" if value < 0 else "t2-plus"
            data = pick(matrix=paths[layer, module], mix=mix)  # not "path": gradio would look for a file
            shares = measure in ("dw_rel", "rescales")
            words = f"{value:+.3f}" if measure == "mean" else f"{100 * value:.1f} %" if shares else f"{value:.3f}"
            shown = words.replace(" %", '<span class="t2-unit"> %</span>')
            label = escape(t("spectra.cell", layer=layer, module=module, value=words), quote=True)
            cells.append(f'<td><button type="button" class="t2-heat {sign}" style="--heat:{100 * strength:.0f}%" {data} '
                         f'aria-label="{label}">{shown}</button></td>')  # fmt: skip
        body.append(f'<tr><th scope="row">{layer}</th>{"".join(cells)}</tr>')
    return (f'<table class="t2-heattable"><thead><tr><th>{t.html("map.layers")}</th>{head}</tr></thead>'
            f"<tbody>{''.join(body)}</tbody></table>")  # fmt: skip


def formula(columns: dict[str, Any], shape: tuple[int, int], t: Text) -> str:
    """W' = U diag(sigma z) Vh with the sizes and the first numbers of one matrix."""
    out, into = shape
    r = len(columns["index"])
    numbers = "; ".join(f"{s:.3f} × {z:.3f} = {s2:.3f}" for s, z, s2 in
                        zip(columns["sigma"][:3], columns["z"][:3], columns["sigma2"][:3], strict=True))  # fmt: skip
    rotates = ""
    if "rescales" in columns:
        share = f"{100 - 100 * columns['rescales']:.1f} %"
        rotates = f" &nbsp; {t.html('spectra.rotates', share=share)}"
    return (f'<h2 class="t2-h2">{escape(columns["path"])}</h2><p class="t2-formula">W′ = U · diag(σ z) · Vʰ &nbsp; '
            f"({out} × {into}) = ({out} × {r}) · ({r}) · ({r} × {into}){rotates}</p>"
            f'<p class="t2-faint">{t.html("spectra.first")} {escape(numbers)} …</p>')  # fmt: skip


def plotly(made: Any) -> dict[str, Any]:
    """A plotly figure as the browser takes it."""
    return {"figure": json.loads(made.to_json())}


def wire(tab: SpectraTab, sliders: Sequence[gr.Slider], backend: Backend, t: Text) -> None:
    outputs = [tab.notice, tab.grid, tab.basis, tab.projected, tab.matrix, tab.lines, tab.cosines, tab.layers, tab.lora]

    async def draw(measure: str, *alphas):
        try:
            if backend.state != "ready":
                raise ValueError(t("status.not_ready") if backend.state == "loading" else backend.text)
            mix = backend.mix(alphas)
            found = await backend.engine.run(lambda loaded: _columns(loaded, mix))
        except ValueError as error:
            return [parts.notice(str(error), "error"), *[gr.skip()] * 8]
        except Exception as error:
            return [parts.notice(explain(error, t), "error"), *[gr.skip()] * 8]
        matrices, cosines, lora, best, shape = found
        said = parts.notice(t("spectra.of", mix=parts.mix_words(str(mix), t)))
        pair = plots.cosine_heatmap(cosines["all"], [t.family(n) for n in cosines["names"]])
        along = plots.layer_lines([t.family(n) for n in cosines["names"]], cosines["layers"], cosines["by_layer"],
                                  x_title=t("map.layers"), y_title=t("spectra.cosine"))  # fmt: skip
        kept = plotly(plots.lora_curve(lora, x_title=t("spectra.rank"), y_title=t("spectra.kept"))) if lora else None
        return [said + ("" if lora else basis_view.costly(t)), table(matrices, measure, str(mix), t),
                basis_view.basis_html(matrices, str(mix), t), "", formula(best, shape, t),
                plotly(plots.spectrum_lines(best, x_title=t("spectra.index"), y_title=t("spectra.value"))),
                plotly(pair), plotly(along), kept]  # fmt: skip

    async def open_matrix(event: gr.EventData):
        from t2ui.core.mixing import Mix

        data = event._data or {}
        try:
            mix = Mix.parse(str(data.get("mix")))
            found = await backend.engine.run(lambda loaded: _matrix(loaded, str(data.get("matrix")), mix))
        except Exception as error:
            words = str(error) if isinstance(error, ValueError) else explain(error, t)
            return [parts.notice(words, "error"), gr.skip(), gr.skip()]
        columns, shape = found
        return [gr.skip(), formula(columns, shape, t),
                plotly(plots.spectrum_lines(columns, x_title=t("spectra.index"), y_title=t("spectra.value")))]  # fmt: skip

    async def project(event: gr.EventData):
        from t2ui.core.mixing import Mix

        try:
            mix = Mix.parse(str((event._data or {}).get("project")))
            made = await backend.engine.run(lambda loaded: basis_view.packed(loaded, mix))
        except Exception as error:
            return parts.notice(str(error) if isinstance(error, ValueError) else explain(error, t), "error")
        return basis_view.packed_html(*made, t)

    inputs = [tab.measure, *sliders]
    tab.refresh.click(draw, inputs, outputs, **LIVE)
    tab.measure.change(draw, inputs, outputs, **LIVE)
    tab.grid.pick(open_matrix, None, [tab.notice, tab.matrix, tab.lines], **LIVE)
    tab.basis.pick(project, None, tab.projected, **LIVE)


def _columns(loaded: Any, mix: Any) -> tuple[Any, ...]:
    from t2ui.core import change, cosines, kept_by_lora
    from t2ui.core.spectra import Costly

    adapted, z = loaded.adapted, loaded.stack.change(mix)
    matrices = change(adapted, z)
    most = max(range(len(matrices["path"])), key=lambda i: matrices["dw_rel"][i])
    try:
        lora = kept_by_lora(adapted, z, RANKS)
    except Costly:
        lora = None
    return matrices, cosines(loaded.stack), lora, *_matrix(loaded, matrices["path"][most], mix)


def _matrix(loaded: Any, path: str, mix: Any) -> tuple[dict[str, Any], tuple[int, int]]:
    from t2ui.core import spectrum

    columns = spectrum(loaded.adapted, path, loaded.stack.change(mix))
    out, into = loaded.adapted.modules[path].weight.shape
    return columns, (int(out), int(into))
