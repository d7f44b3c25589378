"""gradio, imported without its type stubs: they were two thirds of the time until the page could be served.

Whenever a component class is made, gradio 6.31 parses the source file of that class to write or check a .pyi file beside it
(``gradio.component_meta.create_or_modify_pyi``), for editors. It leaves out classes whose file it cannot find.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any


def import_gradio() -> None:
    """Import gradio; its own component classes have no file while that runs. Does nothing where it is imported already."""
    if "gradio" in sys.modules:
        return
    found = inspect.getfile

    def getfile(what: Any) -> str:
        if isinstance(what, type) and str(getattr(what, "__module__", "")).split(".")[0] == "gradio":
            raise OSError("no stubs are needed")
        return found(what)

    inspect.getfile = getfile
    try:
        import gradio  # noqa: F401
    finally:
        inspect.getfile = found
