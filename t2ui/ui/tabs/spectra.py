"""Spectra: what the current mix does to every matrix; a click opens one; experts against each other; the LoRA view.

The server sends matrices' numbers once; everything that depends on the mix is drawn by the browser while a slider moves. Only the
LoRA view of all matrices together is asked for when a slider is let go.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from t2ui import plots
from t2ui.cells import bands_of, expert_names, matrix_of, ranks_of
from t2ui.ui import basis_view, parts
from t2ui.ui.backend import Backend
from t2ui.ui.events import LIVE, explain
from t2ui.ui.live import chips, figure, markup, sent
from t2ui.ui.spectra_live import (
    figure_payload,
    lora_payload,
    lora_view,
    map_payload,
    matrix_payload,
    matrix_view,
    spectra_map,
    strip,
)
from t2ui.ui.tabs import component
from t2ui.ui.text import Text

MEASURES = ("dw", "rms", "mean")
LINES = 5  # experts whose cosines are drawn along the layers
BANDS = ("all", "0", "1", "2", "3")  # as t2ui.core.spectra.BANDS cuts the ranks
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class SpectraTab:
    strip: gr.HTML
    measure: gr.Radio
    band: gr.Radio
    notice: gr.HTML
    map: gr.HTML
    matrix: gr.HTML
    path: gr.State
    component: component.ComponentPart
    cosines: gr.HTML
    layers: gr.HTML
    lora: gr.HTML
    basis: gr.HTML
    projected: gr.HTML

    @property
    def outputs(self) -> list[gr.components.Component]:
        """What is filled the first time the tab is opened."""
        return [self.notice, self.strip, self.map, self.matrix, self.path, self.cosines, self.layers, self.lora,
                self.basis]  # fmt: skip


def _title(t: Text, key: str, words: str = "") -> None:
    said = f'<p class="t2-faint">{t.words(words)}</p>' if words else ""
    markup(f'<h2 class="t2-h2">{t.words(key)}</h2>{said}')


def build(t: Text, names: Sequence[str]) -> SpectraTab:
    """Lay the tab out, empty; the open matrix is followed by one component of it (``tabs/component.py``)."""
    _title(t, "spectra.title", "spectra.words")
    strips = strip(names, t, elem_id="t2-spectra-strip")
    with gr.Row(elem_id="t2-spectra-top"):
        measure = gr.Radio([(t(f"spectra.{m}"), m) for m in MEASURES], value=MEASURES[0], label=t("spectra.measure"),
                           interactive=True, elem_id="t2-spectra-measure", min_width=240)  # fmt: skip
        band = gr.Radio([(t("spectra.all" if b == "all" else f"spectra.band_{b}"), b) for b in BANDS], value="all",
                        label=t("spectra.band"), interactive=True, elem_id="t2-spectra-band", min_width=240)  # fmt: skip
    notice = markup(parts.notice(t("spectra.waiting")), elem_id="t2-spectra-notice")
    heat = spectra_map(t, elem_id="t2-spectra-map")
    markup(f'<p class="t2-faint t2-s">{t.html("spectra.more")}</p>')
    with gr.Column(elem_id="t2-spectra-deep", min_width=0):  # Simple mode stops here
        _title(t, "spectra.matrix_title")
        matrix = matrix_view(t, elem_id="t2-spectra-matrix")
        path = gr.State("")
        inspected = component.build(t)
        with gr.Row(elem_id="t2-spectra-pair"):
            with gr.Column(min_width=300):
                _title(t, "spectra.cosines", "spectra.cosines_words")
                cosines = figure(None, "cosines", t("spectra.cosines"), t, elem_id="t2-spectra-cosines")
                layers = figure(None, "cosines-by-layer", t("spectra.layers_aria"), t, elem_id="t2-spectra-layers")
            with gr.Column(min_width=300):
                _title(t, "spectra.lora", "spectra.lora_words")
                lora = lora_view(t, elem_id="t2-spectra-lora")
        basis = chips("", elem_id="t2-spectra-basis")
        projected = markup("", elem_id="t2-spectra-projected")
    return SpectraTab(strips, measure, band, notice, heat, matrix, path, inspected, cosines, layers, lora, basis, projected)


def wire(tab: SpectraTab, part: gr.Tab, sliders: Sequence[gr.components.Component], backend: Backend, t: Text) -> None:
    """Connect the tab; ``sliders``: the mix as an input (:attr:`MixTab.state`), the depth profile's state at its end."""
    alphas = list(sliders[:-1])

    first = _first(tab, backend, t)

    async def settled(*values):
        """The mix came to rest: the LoRA view of all matrices, and what LoRA experts in it rescale and rotate."""
        if backend.state != "ready":
            return [gr.skip()] * 3
        try:
            mix = backend.mix(values)
            return [*await backend.engine.run(lambda loaded: _rested(loaded, mix, t)), ""]
        except Exception as error:
            explain(error, t)  # the server's log; the picture stays as it was, with its own words
            return [gr.skip()] * 3

    async def matrix_opened(event: gr.EventData):
        path = str((event._data or {}).get("matrix"))
        try:
            held = await backend.engine.run(lambda loaded: (matrix_of(loaded, path), expert_names(loaded), loaded.adapted.n_layers))
        except Exception as error:
            words = str(error) if isinstance(error, ValueError) else explain(error, t)
            return [parts.notice(words, "error"), gr.skip(), gr.skip()]
        return ["", sent(matrix_payload(*held, t)), path]

    async def project(event: gr.EventData):
        from t2ui.core.mixing import Mix

        try:
            mix = Mix.parse(str((event._data or {}).get("project")))
            made = await backend.engine.run(lambda loaded: basis_view.packed(loaded, mix))
        except Exception as error:
            return parts.notice(str(error) if isinstance(error, ValueError) else explain(error, t), "error")
        return basis_view.packed_html(*made, t)

    rests = [tab.lora, tab.basis, tab.projected]
    tab.basis.pick(project, None, tab.projected, **LIVE)
    told = "(...values) => { window.t2ui.setMix(values); return []; }"
    tab.map.wake(None, alphas, None, js=told, **QUIET)
    # An address may have moved the sliders while the model was loading: what rests on the mix is looked at again.
    tab.map.wake(first, list(sliders), tab.outputs, **LIVE).then(settled, list(sliders), rests, **LIVE)
    tab.map.pick(matrix_opened, None, [tab.notice, tab.matrix, tab.path], **LIVE)
    part.select(settled, list(sliders), rests, **LIVE)
    moved = "(...values) => window.t2ui.stripValues(values)"
    tab.strip.pick(None, alphas, alphas, js=moved, **QUIET).then(settled, list(sliders), rests, **LIVE)
    shown = "(what, band) => { window.t2ui.setMeasure(what, band); }"
    for control in (tab.measure, tab.band):
        control.change(None, [tab.measure, tab.band], None, js=shown, **QUIET)


def refill(tab: SpectraTab, after: Any, sliders: Sequence[gr.components.Component], backend: Backend, t: Text) -> None:
    """After an event that brought a new expert: everything is sent anew."""
    after.then(_first(tab, backend, t), list(sliders), tab.outputs, **LIVE)


def _first(tab: SpectraTab, backend: Backend, t: Text) -> Callable[..., AsyncIterator[list[Any]]]:
    """The handler of the first look: wait for the model, then send everything that does not depend on the mix."""

    async def first(*values):
        keep = [gr.skip()] * (len(tab.outputs) - 1)
        try:
            while not await backend.wait(0.5):
                yield [parts.notice(t("spectra.waiting")), *keep]
            if backend.state == "failed":
                raise ValueError(backend.text)
            mix = backend.mix(values)
            found = await backend.engine.run(lambda loaded: _everything(loaded, mix, t))
        except ValueError as error:
            yield [parts.notice(str(error), "error"), *keep]
            return
        except Exception as error:
            yield [parts.notice(explain(error, t), "error"), *keep]
            return
        yield found

    return first


def _everything(loaded: Any, mix: Any, t: Text) -> list[Any]:
    """In the model's thread: a value for each of :attr:`SpectraTab.outputs`."""
    from t2ui.core import change, cosines
    from t2ui.ui.live import share_payload

    names, n_layers = expert_names(loaded), loaded.adapted.n_layers
    columns = change(loaded.adapted, loaded.stack.change(mix))
    most = columns["path"][max(range(len(columns["path"])), key=lambda i: columns["dw_rel"][i])]
    said = "" if names else parts.notice(t("spectra.no_experts"))
    pair: list[Any] = ["", ""]
    if len(names) > 1:
        found = cosines(loaded.stack)
        at = [found["names"].index(name) for name in names]
        labels = [t.family(name) for name in names]

        def ordered(table: list[list[float]]) -> list[list[float]]:
            return [[table[i][j] for j in at] for i in at]

        # Of many experts every pair would be hundreds of lines: those in the mix come first.
        some = sorted(range(len(names)), key=lambda i: names[i] not in mix)[:LINES]
        by_layer = [[[table[i][j] for j in some] for i in some] for table in map(ordered, found["by_layer"])]
        lines = plots.layer_lines([labels[i] for i in some], found["layers"], by_layer, x_title=t("map.layers"), y_title=t("spectra.cosine"))
        pair = [sent(figure_payload(plots.cosine_heatmap(ordered(found["all"]), labels), signed=True)), sent(figure_payload(lines))]
    return [said, share_payload(names, t), sent(map_payload(bands_of(loaded), names, n_layers, t)),
            sent(matrix_payload(matrix_of(loaded, most), names, n_layers, t)), most, *pair, *_rested(loaded, mix, t)]  # fmt: skip


def _rested(loaded: Any, mix: Any, t: Text) -> list[Any]:
    """In the model's thread: the LoRA view, and the basis view of LoRA experts."""
    from t2ui.core import change, kept_by_lora
    from t2ui.core.spectra import Costly

    adapted, whole = loaded.adapted, loaded.stack.change(mix)
    basis = basis_view.basis_html(change(adapted, whole), str(mix), t) if whole.low else ""
    try:
        kept = kept_by_lora(adapted, whole, ranks_of(max(adapted.ranks.values())))
    except Costly:
        return [gr.skip(), basis + basis_view.costly(t)]
    return [sent(lora_payload(kept, adapted.R, mix.is_base, t)), basis]
