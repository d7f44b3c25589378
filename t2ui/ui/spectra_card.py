"""A recorded look at the weights, for the storyline: layers by modules with the values in the cells, and one matrix's formula."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from t2ui.ui.live import pick
from t2ui.ui.text import Text


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
            label = escape(t("spectra.open", layer=layer, module=module, value=words), quote=True)
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
            f'<p class="t2-faint">{t.html("spectra.first_ones")} {escape(numbers)} …</p>')  # fmt: skip
