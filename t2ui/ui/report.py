"""A run as one HTML file: it plays the run again, and its sliders move the spectra, with no network and no program but a browser.

Everything is inside: styles, a small script of our own (``static/report.js``, no plotly: that alone has 4.6 MB), the pictures
of the run, Gram matrices and singular values. What somebody typed is escaped as on the page; besides, the file's own policy lets
no other script run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from t2ui.replay import frames
from t2ui.runfile import RunFile
from t2ui.ui import formula, parts, theme
from t2ui.ui.flow import flow_html
from t2ui.ui.live import share_payload, styles
from t2ui.ui.text import Text

STATIC = Path(__file__).parent / "static"
MAX_BYTES = 5_000_000
LENGTH = 6.0  # seconds that a replay should take at most
_UNUSED = re.compile(r"^(?:\.gradio-container|#t2-|\.dark input)[^{}]*\{[^{}]*\}\n?", re.MULTILINE)


def build(file: RunFile, t: Text, *, cells: Sequence[Mapping[str, Any]] = (), factors: Sequence[Mapping[str, Any]] = (),
          names: Sequence[str] = (), python: str = "", command: str = "", n_layers: int | None = None) -> str:  # fmt: skip
    """The report of a run file that holds a run.

    Args:
        cells: Gram matrices of every adapted matrix (``t2ui.cells.cells_of``).
        factors: singular values and z (``t2ui.cells.factors_of``); fewer of them, or none, where the file would be too large.
        names: the experts, in the order of both.
        python, command: texts that make the same numbers (``t2ui.takeaway``).
    """
    made = _html(file, t, cells, factors, names, python, command, n_layers)
    thin = 2
    while len(made.encode()) > MAX_BYTES and factors:
        factors = [_thinner(f, thin) for f in factors] if thin < 64 else []
        thin *= 2
        made = _html(file, t, cells, factors, names, python, command, n_layers)
    return made


def _thinner(factor: Mapping[str, Any], step: int) -> dict[str, Any]:
    return {**factor, "step": factor["step"] * step, "sigma": factor["sigma"][::step], "z": [z[::step] for z in factor["z"]]}


def _html(file: RunFile, t: Text, cells: Sequence[Mapping[str, Any]], factors: Sequence[Mapping[str, Any]],
          names: Sequence[str], python: str, command: str, n_layers: int | None) -> str:  # fmt: skip
    run, setup = file.run, file.setup
    if run is None:
        raise ValueError(t("keep.nothing"))
    told = {key: file.about.get(key, "?") for key in ("model", "date")}
    keys = ("dispatch", "overrule") if run.kind == "overrule" else ("pin", "mix") if run.row("pin") else (
        "base", "mix" if run.kind == "mix" else "dispatch")  # fmt: skip
    shown = list(frames(run))
    slow = max(1, round(LENGTH / max(shown[-1].seconds, 0.01)))
    pictures = [{"at": f.seconds * slow, "flow": flow_html(f.run, t), "answers": parts.answers(f.run, keys, t)} for f in shown]
    layers = n_layers or max((c["layer"] for c in cells), default=-1) + 1
    data = {
        "frames": pictures, "cells": list(cells), "factors": list(factors), "layers": layers, **share_payload(names, t),
        "alphas": [setup.alphas.get(name, 0.0) for name in names] if run.kind == "mix" else _of_run(file, names),
        "shape": _shape(setup.depth, names, layers) if setup.depth and run.kind == "mix" else None,
        "words": {key: t(f"report.{key}") for key in ("again", "total", "step", "aria")},
        "cell": t("spectra.cell"), "first": t("spectra.first"), "base": t("share.base"),
    }  # fmt: skip
    script = (STATIC / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    recorded = f'<p class="t2-chip">{t.html("report.recorded")}</p>' if file.about.get("recorded") else ""
    last = pictures[-1]
    everybody = ""
    if run.kind == "everybody":
        everybody = f"<section><h2>{t.html('report.everybody')}</h2>{parts.everybody(run, t)}</section>"
    download = base64.b64encode(file.dump()).decode()
    return (
        f'<!doctype html>\n<html lang="{t.language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{t.html("report.title")}</title>'
        f"<style>{_css()}</style></head><body>"
        f'<header><h1>{t.html("report.title")}</h1><p class="t2-faint">{t.html("report.made", **told)}</p>{recorded}</header>'
        f'<section><h2>{t.html("report.replay")}</h2><div class="r-play"><button type="button" id="play">▶ {t.html("report.play")}'
        f'</button><span class="t2-faint">{t.html("report.slow", factor=f"1/{slow}" if slow > 1 else "1")}</span></div>'
        f'<div id="flow">{last["flow"]}</div><div id="answers">{last["answers"]}</div></section>{everybody}'
        f"{_mixer(data, t)}{_settings(file, t, python, command)}"
        f'<footer><a class="r-button" download="t2ui-run.json" href="data:application/json;base64,{download}">'
        f'{t.html("report.file")}</a></footer>'
        f'<script type="application/json" id="data">{_json(data)}</script><script>{script}</script></body></html>\n'
    )  # fmt: skip


def _mixer(data: Mapping[str, Any], t: Text) -> str:
    if not data["cells"]:
        return f'<section><h2>{t.html("report.mix")}</h2><p class="t2-faint">{t.html("report.no_cells")}</p></section>'
    rows = "".join(
        f'<label style="--c:{colour}"><span>{escape(label)}</span><input type="range" min="-1" max="2" step="0.01" data-expert="{i}" '
        f'aria-label="{escape(label, quote=True)}"><output></output></label>'
        for i, (label, colour) in enumerate(zip(data["labels"], data["colours"], strict=True))
    )
    flat = [label for i, label in enumerate(data["labels"]) if data["factors"] and all(v == 1 for f in data["factors"] for v in f["z"][i])]
    low = f'<p class="t2-faint">{t.html("report.lora", names=", ".join(flat))}</p>' if flat else ""
    shaped = f'<p class="t2-faint">{t.html("report.depth")}</p>' if data["shape"] else ""
    return (
        f'<section id="mixer"><h2>{t.html("report.mix")}</h2><p class="t2-faint">{t.html("report.mix_words")}</p>'
        f'<div class="r-two"><div><div class="r-sliders">{rows}</div><div class="r-play">'
        f'<button type="button" data-mix="run">{t.html("report.of_run")}</button>'
        f'<button type="button" data-mix="base">{t.html("report.base")}</button></div>'
        f'<div class="t2-sharebar" id="bar" aria-hidden="true"></div><p class="t2-share-words" id="share"></p>{shaped}</div>'
        f'<div><table class="t2-heattable" id="map"></table><p class="t2-faint" id="total" role="status"></p></div></div>'
        f'<div id="matrix"><h3></h3><p class="t2-formula">{t.html("report.formula")}</p>{formula.folded(t)}<p class="t2-faint" id="numbers"></p>'
        f'<svg viewBox="0 0 900 260" role="img"></svg><p class="t2-faint">{t.html("report.legend")} <span id="step"></span></p>{low}</div></section>'
    )  # fmt: skip


def _settings(file: RunFile, t: Text, python: str, command: str) -> str:
    s = file.setup
    lines = [("prompt", s.prompt), ("mix", ", ".join(f"{t.family(n)} {a:g}" for n, a in s.alphas.items() if a) or t("mix.none")),
             ("strategy", s.strategy), ("settings", t("report.decoding", temperature=s.temperature, seed=s.seed, tokens=s.max_new_tokens))]  # fmt: skip
    lines += [(key, file.about[key]) for key in ("model", "experts", "device", "dtype", "t2ui", "date") if file.about.get(key)]
    body = "".join(f'<tr><th scope="row">{t.html(f"report.key.{key}")}</th><td>{escape(value)}</td></tr>' for key, value in lines)
    texts = "".join(
        f"<details><summary>{t.html(f'report.{kind}')}</summary><pre class=\"t2-raw\">{escape(text)}</pre></details>"
        for kind, text in (("python", python), ("command", command))
        if text
    )
    picture = f'<img class="r-picture" alt="" src="{escape(s.picture, quote=True)}">' if s.picture else ""
    return f'<section><h2>{t.html("report.settings")}</h2><table class="r-table">{body}</table>{picture}{texts}</section>'


def _of_run(file: RunFile, names: Sequence[str]) -> list[float]:
    """The mix of the answer that the run is about."""
    from t2ui.ui.flow import parse_alphas

    run = file.run
    row = (run.row("overrule") or run.row("dispatch") or run.row("mix")) if run is not None else None
    found = parse_alphas(row.mix) if row is not None else {}
    return [found.get(name, 0.0) for name in names]


def _shape(depth: Mapping[str, Sequence[float]], names: Sequence[str], layers: int) -> list[list[float]]:
    """Per expert its share in every layer."""
    from t2ui.core.depth import along

    return [list(along(depth[name], layers)) if name in depth else [1.0] * layers for name in names]


def _json(data: Any) -> str:
    """JSON that can stand inside a script element: nothing in it can end it."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _css() -> str:
    """The page's own styles without what belongs to gradio's frame, and the report's."""
    plain = _UNUSED.sub("", styles())
    return theme.css_variables() + plain + (STATIC / "report.css").read_text(encoding="utf-8")
