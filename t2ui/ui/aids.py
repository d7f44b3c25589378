"""What stands below the question while it is written: its words that change by a tap, and how much of the room it takes."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

import gradio as gr

from t2ui import vary
from t2ui.ui.backend import Backend
from t2ui.ui.composer import MAX_PROMPT, Composer
from t2ui.ui.live import pick
from t2ui.ui.pictures import PictureError, open_picture, uploaded
from t2ui.ui.text import Text, both

QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


def taps_html(places: list[vary.Place], t: Text) -> str:
    """A button per word or number that can change; nothing where there is none."""
    if not places:
        return '<div class="t2-taps"></div>'  # keeps its place, so that nothing jumps
    buttons = "".join(
        f'<button type="button" {pick(at=place.start, word=place.word)} '
        f'aria-label="{t.html("taps.change", word=place.word)}">{escape(place.word)}</button>'
        for place in places
    )
    return f'<div class="t2-taps" role="group" aria-label="{t.html("taps.label")}"><span class="t2-faint">{t.html("taps.label")}</span>{buttons}</div>'


def length_html(prompt: str, tokens: int | None, room: int, answer: int, t: Text) -> str:
    """How long the question is, of how much it may be.

    Args:
        tokens: as this model reads it, None where that is not known; ``room``: how many there may be, beside ``answer``.
    """
    full = len(prompt) > MAX_PROMPT or (tokens is not None and tokens > room)
    said = t.html("length.chars", n=len(prompt), limit=MAX_PROMPT)
    if tokens is not None:
        more, plain = t.two("length.tokens", n=tokens, room=room, answer=answer)
        said += both(escape(" · " + more), escape(plain))
    if full:
        said += " · " + t.html("length.long")
    return f'<p class="t2-length" data-full="{str(full).lower()}"{" role=status" if full else ""}>{said}</p>'


def wire(demo: gr.Blocks, opening: gr.events.Dependency, box: Composer, backend: Backend, t: Text) -> None:
    """Look at the question whenever it changed (and once ``opening`` has ended: then the model can count); a tap changes it."""

    def tokens_of(prompt: str, image: Any, answer: int) -> int | None:
        """How long the question is for the model; the engine's own encoding, without its limit."""
        from t2ui.engine import Request, RequestError

        loaded = backend.engine.loaded
        try:
            return len(loaded.encode(Request(prompt, image, max_new_tokens=1)).ids)
        except RequestError:
            return loaded.info.context if prompt.strip() and len(prompt) <= MAX_PROMPT else None

    def looked_at(picture: Any) -> tuple[Any, Any]:
        """The picture and its scene; a broken one counts as none here, who brought it is told elsewhere."""
        from t2ui.tasks import pictures

        try:
            image = open_picture(uploaded(picture, box.picture.GRADIO_CACHE), t)
        except PictureError:
            image = None
        return image, pictures.read(image) if image is not None else None

    def seen(prompt: Any, picture: Any, answer: Any) -> tuple[str, str]:
        prompt, answer = str(prompt or ""), int(answer or 96)
        image, scene = looked_at(picture)
        places = vary.places(prompt, scene) if 0 < len(prompt) <= MAX_PROMPT else []
        known = backend.state == "ready" and bool(prompt.strip())
        room = backend.engine.loaded.info.context - answer if known else 0
        return taps_html(places, t), length_html(prompt, tokens_of(prompt, image, answer) if known else None, room, answer, t)

    async def look(prompt, picture, answer):
        return await asyncio.to_thread(seen, prompt, picture, answer)

    async def tap(prompt, picture, event: gr.EventData):
        data = event._data or {}

        def changed() -> str | None:
            found = vary.places(str(prompt or "")[:MAX_PROMPT], looked_at(picture)[1])
            return next((p.changed for p in found if (p.start, p.word) == (data.get("at"), data.get("word"))), None)

        new = await asyncio.to_thread(changed)
        return gr.skip() if new is None else new

    # The components' raw values: gradio would open the picture itself, and end in an internal error where it is broken.
    raw = {**QUIET, "preprocess": False}
    inputs, outputs = [box.prompt, box.picture, box.max_new_tokens], [box.taps, box.length]
    for component in inputs:
        component.change(look, inputs, outputs, trigger_mode="always_last", **raw)
    demo.load(look, inputs, outputs, **raw)
    opening.then(look, inputs, outputs, **raw)
    box.taps.pick(tap, [box.prompt, box.picture], box.prompt, **raw)
