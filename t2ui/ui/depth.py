"""The depth profile on the page: three control points per expert, as the browser keeps them and the engine takes them.

The state is a text: JSON with [early, middle, late] per expert, each 0 to 1 and a share of that expert's slider; "" where no
profile was set. ``static/mix.js`` draws with it, :func:`read` checks it, ``t2ui.core.depth`` makes the mix of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from t2ui.ui.live import markup
from t2ui.ui.text import Text
from t2ui.ui.theme import colour

POINTS = ("early", "middle", "late")
LIMIT = 16_000  # characters: three numbers for every slider a page can have


def read(text: Any, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """The control points per expert; experts that are 1 everywhere are left out.

    Raises:
        ValueError: not what the page would have written (without a message: the caller has better words).
    """
    if not text:
        return {}
    if not isinstance(text, str) or len(text) > LIMIT:
        raise ValueError
    try:
        rows = json.loads(text)
        if not isinstance(rows, list) or len(rows) > len(names):  # fewer are a page that was opened before an expert was uploaded
            raise ValueError
        found = {name: tuple(float(v) for v in row) for name, row in zip(names, rows, strict=False)}
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError from error
    if any(len(row) != len(POINTS) or not all(0.0 <= v <= 1.0 for v in row) for row in found.values()):  # NaN fails too
        raise ValueError
    return {name: row for name, row in found.items() if row != (1.0,) * len(POINTS)}


def payload(names: Sequence[str], t: Text) -> dict[str, Any]:
    """What the editor needs to draw itself."""
    return {
        "names": list(names),
        "labels": [t.family(name) for name in names],
        "colours": [colour(name, tuple(names)) for name in names],
        "points": [t(f"depth.{point}") for point in POINTS],
        "aria": t("depth.aria"),
        "reset": t("depth.reset"),
    }


def editor(names: Sequence[str], t: Text, **props: Any) -> gr.HTML:
    """Three ranges per expert; they move the preview in the browser and write the state."""
    script = "window.t2ui.depthEditor(element, props, watch);"
    template = '<div class="t2-depth"></div>'
    return gr.HTML(payload(names, t), html_template=template, js_on_load=script, apply_default_css=False, **props)


def state() -> gr.Textbox:
    """The state as an input of handlers; the browser writes into it, so it is in the page, but nobody sees it."""
    box = gr.Textbox("", show_label=False, container=False, elem_id="t2-depth-state", elem_classes="t2-hidden", interactive=True)
    hear = "(text) => { window.t2ui.setDepth(text); }"
    box.change(None, [box], None, js=hear, queue=False, show_progress="hidden", api_visibility="private")
    return box


def intro(t: Text) -> gr.HTML:
    return markup(f'<p class="t2-faint">{t.html("depth.words")}</p>')
