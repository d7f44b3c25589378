"""The live components of the Search tab: a picture that is fed with numbers, and the table of examples."""

from __future__ import annotations

from typing import Any

import gradio as gr

from t2ui.searches import SearchView
from t2ui.ui import search_view
from t2ui.ui.text import Text


def picture(t: Text, **props: Any) -> gr.HTML:
    """Where a search stands, its score curve and its cloud. Its value: :func:`t2ui.ui.search_view.picture`."""
    return gr.HTML(search_view.picture(SearchView(), t), html_template=search_view.frame(t), text=search_view.texts(t),
                   js_on_load="window.t2ui.search(element, props, watch);", apply_default_css=False, **props)  # fmt: skip
