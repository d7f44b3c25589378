"""What the event handlers of all tabs share."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import gradio as gr

from t2ui.details import Details, details
from t2ui.runs import Question, Run
from t2ui.ui.backend import Backend
from t2ui.ui.text import Text

# Events that reach the engine: the engine's own queue is the only queue, and nothing is drawn over a live picture.
LIVE = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
log = logging.getLogger("t2ui")


class Changes:
    """Turns full sets of outputs into updates: what did not change since the last call is skipped."""

    def __init__(self, n: int) -> None:
        self._last: list[Any] = [None] * n

    def __call__(self, *values: Any) -> list[Any]:
        """``None`` leaves an output as it is."""
        if len(values) != len(self._last):
            raise ValueError(f"expected {len(self._last)} outputs, got {len(values)}")
        out = []
        for i, value in enumerate(values):
            same = value is None or (isinstance(value, str) and value == self._last[i])
            out.append(gr.skip() if same else value)
            if value is not None:
                self._last[i] = value
        return out


def session_of(request: gr.Request | None) -> str:
    """The visitor's page, as gradio names it."""
    return str(getattr(request, "session_hash", None) or "")


def explain(error: Exception, t: Text) -> str:
    """An unforeseen error in words for the visitor; the details go to the server's log."""
    log.exception("A run failed unexpectedly")
    return t("run.bug", kind=type(error).__name__)


async def look(backend: Backend, state: Run, question: Question, keys: Sequence[str]) -> Details | None:
    """The details of a run that is over; None where it has no answers, or where the engine has no time for them."""
    from t2ui.engine import EngineError

    if not any(row.ids for row in state.rows):
        return None
    try:
        return await details(backend.engine, state, question, keys)
    except EngineError:
        return None  # busy: the answers stand, only their tokens are not shown
