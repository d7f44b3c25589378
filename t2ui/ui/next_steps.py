"""A base without experts: what can be done next, with commands that are ready to be copied."""

from __future__ import annotations

import shlex
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from t2ui.takeaway import folder
from t2ui.ui.backend import Backend
from t2ui.ui.text import Text

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
TASK = "math"  # of the commands: any task goes


def on_this_machine(client: str | None, host: str | None) -> bool:
    """Whether a page was opened on the very machine that serves it: from there (``client``), under its own name (``host``, the
    request's header). A tunnel comes from there too, but under another name."""
    return client in _HERE and urlsplit(f"//{host or ''}").hostname in _HERE


def commands(model: str, experts: str, here: bool) -> dict[str, str]:
    """What to type, by key: ``import``, ``train``, ``again`` (this page once more), ``demo``.

    Args:
        model, experts: as the page was started with.
        here: whole paths may be told (:func:`on_this_machine`); else only what :func:`t2ui.takeaway.folder` tells.
    """

    def told(path: str, shipped: str) -> str:
        short = folder(path, shipped)
        return path if short and (here or not Path(path).exists()) else short  # what is no folder is a name of the Hub

    model, experts = told(model, "assets/demo-model"), told(experts, "experts")
    flags = [*(["--model", model] if model else []), *(["--experts", experts] if experts else [])]
    lines = {
        "import": ["python", "-m", "t2ui", "import", "ADAPTER_FOLDER", "--name", "my-lora", *flags],
        "train": ["python", "-m", "t2ui", "train", "--task", TASK, *flags],
        "again": ["python", "app.py", *flags],
        "demo": ["python", "app.py"],
    }
    return {key: shlex.join(words) for key, words in lines.items()}


def html(backend: Backend, t: Text, here: bool = False) -> str:
    """The list of next steps; nothing while the model loads, or where it has experts."""
    if backend.state != "ready" or backend.names:
        return ""
    told = commands(backend.options.model, backend.options.experts, here)
    items = [f"<li><p>{t.html(f'next_step.{key}', task=TASK)}</p>{_command(line, t)}</li>" for key, line in told.items()]
    return (
        f'<section class="t2-next" aria-label="{t.html("next.title")}"><h3 class="t2-h3">{t.html("next.title")}</h3>'
        f'<p>{t.html("next.words", name=backend.info.name)}</p><ul>{"".join(items)}</ul></section>'
    )


def _command(line: str, t: Text) -> str:
    return (
        f'<div class="t2-command"><pre class="t2-raw" tabindex="0">{escape(line)}</pre>'
        f'<button type="button" data-t2="copy" data-copied="{t.html("next.copied")}" data-by-hand="{t.html("take.by_hand")}">'
        f'{t.html("next.copy")}</button></div>'
    )
