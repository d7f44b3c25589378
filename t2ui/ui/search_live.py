"""The live components of the Search tab: a picture that is fed with numbers, and the table of examples."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from t2ui.searches import SearchView
from t2ui.ui import search_view
from t2ui.ui.text import Text


def picture(t: Text, **props: Any) -> gr.HTML:
    """Where a search stands, its score curve and its cloud. Its value: :func:`t2ui.ui.search_view.picture`."""
    return gr.HTML(search_view.picture(SearchView(), t), html_template=search_view.frame(t), text=json.dumps(search_view.texts(t)),
                   js_on_load="window.t2ui.search(element, props, watch);", apply_default_css=False, **props)  # fmt: skip


def table(t: Text, most: int, longest: int, **props: Any) -> gr.HTML:
    """Rows of prompt and answer to edit; ``.edited`` after every change, ``.pasted`` with a text that is no row of cells.

    gr.Dataframe was tried first: its rows cannot be bounded (``row_limits`` is not implemented in 6.31), rows pasted from a
    spreadsheet do not arrive, a hidden key has no place in it, and axe finds a serious fault in it. Its value: JSON, see
    :func:`t2ui.example_table.read` and ``tabs/own.py``.
    """
    keys = ("prompt_cell", "answer_cell", "delete", "count", "most", "long", "as_taken", "picture_alt")
    text = {key: t(f"search.table_{key}") for key in keys}
    head = f'<th scope="col">{t.html("search.table_number")}</th>' + "".join(
        f'<th scope="col">{t.words(f"search.table_{name}")}</th>' for name in ("prompt", "answer"))  # fmt: skip
    buttons = "".join(f'<button type="button" data-do="{do}">{t.html(f"search.table_{do}")}</button>' for do in ("add", "undo", "clear"))
    template = (
        f'<div class="t2-rows" role="group" aria-label="{t.html("search.own_label")}"><div class="t2-rows-scroll"><table><thead><tr>'
        f'{head}<th scope="col"><span class="t2-voice">{t.html("search.table_gone")}</span></th></tr></thead><tbody></tbody></table></div>'
        f'<div class="t2-rows-bar">{buttons}<span class="t2-rows-count" role="status"></span></div></div>'
    )
    return gr.HTML('{"rows": [], "from": {}}', html_template=template, text=json.dumps({**text, "rows": most, "longest": longest}),
                   js_on_load="window.t2ui.rows(element, props, watch, trigger, ['edited', 'pasted']);", apply_default_css=False,
                   **props)  # fmt: skip
