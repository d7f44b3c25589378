"""LoRA experts seen from the base's singular basis: what rescales, what rotates, and the SVF expert that keeps the former."""

from __future__ import annotations

import base64
import io
import re
import tempfile
import zipfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from t2ui.ui import parts
from t2ui.ui.live import pick
from t2ui.ui.text import Text


def basis_html(columns: dict[str, Sequence], mix: str, t: Text) -> str:
    """How |dW|^2 divides, by layer and by matrix, and a button for the projection; nothing where no LoRA acts."""
    from t2ui.core import summary

    if "rescales" not in columns:
        return ""
    whole = sum(dw**2 for dw in columns["dw"])
    share = sum(part * dw**2 for part, dw in zip(columns["rescales"], columns["dw"], strict=True)) / whole if whole else 1.0
    tables = "".join(_table(summary(columns, by), by, t) for by in ("layer", "module"))
    button = f'<button type="button" {pick(project=mix)}>{t.html("spectra.project")}</button>'
    return (f'<h2 class="t2-h2">{t.html("spectra.basis")}</h2>'
            f'<p>{t.html("spectra.basis_words", on=_percent(share), off=_percent(1 - share))}</p>'
            f'<p class="t2-faint">{t.html("spectra.basis_z")}</p><div class="t2-basis">{tables}</div>'
            f'<div class="t2-presets">{button}</div>')  # fmt: skip


def _table(groups: dict[str, list], by: str, t: Text) -> str:
    lines = []
    for key, share, dw in zip(groups[by], groups["rescales"], groups["dw_rel"], strict=True):
        shown = str(key).removesuffix("_proj")
        bar = f'<span class="t2-divided" style="--on:{100 * share:.1f}%" aria-hidden="true"></span>'
        cells = "".join(f"<td>{text}</td>" for text in (_percent(dw), _percent(share), _percent(1 - share), bar))
        lines.append(f'<tr><th scope="row">{escape(shown)}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{t.html(f"spectra.{key}")}</th>' for key in ("dw_rel", "on", "off"))
    return (f'<table><thead><tr><th scope="col">{t.html("map.layers" if by == "layer" else "spectra.matrix")}</th>{head}<th></th></tr>'
            f"</thead><tbody>{''.join(lines)}</tbody></table>")  # fmt: skip


def name_of(mix: Any) -> str:
    """What the projection of a mix is called: tuned-svf, tuned-code-svf, ..."""
    text = re.sub(r"[^A-Za-z0-9_.-]", "-", "-".join(mix))
    return f"{text[:58] if text[:1].isalpha() else 'mix'}-svf"


def packed(loaded: Any, mix: Any) -> tuple[str, bytes, dict[str, float]]:
    """(name, a zip of the new expert's folder with file, card and recipe, how much it keeps and loses). Nothing stays behind."""
    from t2ui.engine.export import export

    name, held = name_of(mix), io.BytesIO()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        facts = list(export(loaded, mix, "expert", folder))[-1].facts
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                archive.write(file, f"{name}/{file.name}")
    return name, held.getvalue(), facts["export"]["projected"]


def packed_html(name: str, data: bytes, facts: dict[str, float], t: Text) -> str:
    """The loss in words, and the file as a link."""
    words = t.html("spectra.projected", name=name, kept=_percent(facts["kept"]), loss=_percent(facts["loss"]))
    link = base64.b64encode(data).decode()
    return (f'<p role="status">{words} <a class="t2-link" download="{escape(name)}.zip" href="data:application/zip;base64,{link}">'
            f'{t.html("spectra.project_link", name=name)}</a></p>')  # fmt: skip


def costly(t: Text) -> str:
    """In place of the LoRA curve where it would take minutes."""
    return parts.notice(t("spectra.lora_costly"))


def _percent(x: float) -> str:
    return f"{100 * x:.1f} %"
