"""How busy the server is: told on request, beside the model's line, for a minute (a page that asks all the time would be a visitor
of its own)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import gradio as gr

from t2ui.ui.backend import Backend
from t2ui.ui.events import LIVE, session_of
from t2ui.ui.live import chips, pick
from t2ui.ui.session import Sessions
from t2ui.ui.text import Text

SECONDS, EVERY = 60, 1.0


def html(words: str, t: Text) -> str:
    """The button, and what it has shown (or "")."""
    what = "hide" if words else "ask"
    told = f'<span role="status">{words}</span>' if words else ""
    return (f'<div class="t2-traffic">{told}<button type="button" {pick(traffic=what)} title="{t.html("traffic.title")}">'
            f'{t.html(f"traffic.{what}")}</button></div>')  # fmt: skip


def words(backend: Backend, sessions: Sessions, t: Text) -> str:
    """Open pages, live rows, jobs and the queue, as HTML."""
    if backend.engine is None or backend.state != "ready":
        return t.html("traffic.idle")
    now = backend.engine.traffic
    return t.html("traffic.words", visitors=sessions.here, rows=now.rows, jobs=now.jobs, waiting=now.waiting)


def build(t: Text) -> gr.HTML:
    return chips(html("", t), elem_id="t2-traffic")


def wire(demo: gr.Blocks, shown: gr.HTML, backend: Backend, sessions: Sessions, t: Text) -> None:
    """Count the pages, and answer the button."""

    def arrived(request: gr.Request) -> None:
        sessions.arrive(session_of(request))

    async def asked(request: gr.Request, event: gr.EventData) -> AsyncIterator[object]:
        halt = sessions.begin(session_of(request), "traffic")  # the second press stops the first one's minute
        before = ""
        if (event._data or {}).get("traffic") == "ask":
            for _ in range(int(SECONDS / EVERY)):
                if halt.stopped:
                    return
                now = html(words(backend, sessions, t), t)
                if now != before:
                    yield (before := now)
                await asyncio.sleep(EVERY)
        yield html("", t)

    demo.load(arrived, None, None, queue=False, show_progress="hidden", api_visibility="private")
    shown.pick(asked, None, shown, **LIVE)
