"""One singular component of the matrix that is open: what it reads and writes, what excites it, and the answer without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from t2ui.components import KEYS, look, switched_off
from t2ui.runs import Run
from t2ui.ui import component_view, parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import Composer, InputError, read_question
from t2ui.ui.events import LIVE, Changes, explain, session_of
from t2ui.ui.live import markup
from t2ui.ui.session import Sessions
from t2ui.ui.text import Text


@dataclass(frozen=True)
class ComponentPart:
    index: gr.Number
    look: gr.Button
    off: gr.Button
    stop: gr.Button
    notice: gr.HTML
    view: gr.HTML
    answers: gr.HTML


def build(t: Text) -> ComponentPart:
    markup(f'<h2 class="t2-h2">{t.html("component.title")}</h2><p class="t2-faint">{t.html("component.words")}</p>')
    with gr.Row(elem_id="t2-component-row"):
        index = gr.Number(0, label=t("component.index"), precision=0, minimum=0, step=1, interactive=True, min_width=120,
                          elem_id="t2-component-index")  # fmt: skip
        look_ = gr.Button(t("component.look"), variant="primary", interactive=False, elem_id="t2-component-look", min_width=110)
        off = gr.Button(t("component.off"), interactive=False, elem_id="t2-component-off", min_width=150)
        stop = gr.Button(t("stop.button"), variant="stop", interactive=False, elem_id="t2-component-stop", min_width=60)
    notice = markup("", elem_id="t2-component-notice")
    view = markup("", elem_id="t2-component-view")
    answers = markup("", elem_id="t2-component-answers")
    return ComponentPart(index, look_, off, stop, notice, view, answers)


def wire(
    part: ComponentPart, matrix: gr.HTML, path: gr.State, sliders: Sequence[gr.components.Component], box: Composer,
    backend: Backend, sessions: Sessions, t: Text,
) -> None:  # fmt: skip
    """Connect the buttons, and the points of the open matrix' curve (``matrix``'s ``.pick``)."""
    outputs = [part.notice, part.view, part.index, part.stop]

    def checked(path: Any, index: Any, alphas: Sequence[Any]) -> tuple[str, int, Any]:
        """(path, index, mix). Raises InputError or ValueError with words for the visitor."""
        if backend.state != "ready":
            raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
        ranks = backend.engine.loaded.adapted.ranks
        if path not in ranks:
            raise InputError(t("component.none"))
        if not isinstance(index, (int, float)) or not 0 <= index < ranks[path]:
            raise InputError(t("component.bad", last=ranks[path] - 1))
        return str(path), int(index), backend.mix(alphas)

    async def show(request: gr.Request, path: Any, index: Any, alphas: Sequence[Any]):
        changes = Changes(len(outputs))
        try:
            path, index, mix = checked(path, index, alphas)
        except ValueError as error:
            yield changes(parts.notice(str(error), "error"), None, None, None)
            return
        halt = sessions.begin(session_of(request), "component")
        yield changes(parts.notice(t("component.busy")), None, index, gr.update(interactive=True))
        from t2ui.engine import EngineError

        try:
            async for report in look(backend.engine, path, index, mix, halt):
                if halt.replaced:
                    return
                yield changes("", component_view.view(report, t), None, None)
            yield changes("", None, None, gr.update(interactive=False))
        except EngineError as error:
            yield changes(parts.notice(str(error), "error"), None, None, gr.update(interactive=False))
        except Exception as error:
            yield changes(parts.notice(explain(error, t), "error"), None, None, gr.update(interactive=False))

    async def pressed(request: gr.Request, path, index, *alphas):
        async for update in show(request, path, index, alphas):
            yield update

    async def clicked(request: gr.Request, path, event: gr.EventData, *alphas):
        async for update in show(request, path, (event._data or {}).get("component"), alphas):
            yield update

    async def answer(request: gr.Request, prompt, picture, temperature, tokens, seed, path, index, *alphas):
        changes = Changes(3)
        try:
            path, index, mix = checked(path, index, alphas)
            question = read_question(t, prompt, picture, temperature, tokens, seed)
        except ValueError as error:
            yield changes(parts.notice(str(error), "error"), None, None)
            return
        halt = sessions.begin(session_of(request), "component-answer")
        stop = gr.update(interactive=True)
        try:
            async for state in switched_off(backend.engine, path, index, question, mix, halt):
                if halt.replaced:
                    return
                yield changes(parts.run_notice(state, t), answers_html(state, t), stop)
                stop = None
            yield changes(None, None, gr.update(interactive=False))
        except Exception as error:
            yield changes(parts.notice(explain(error, t), "error"), None, gr.update(interactive=False))

    def stop_all(request: gr.Request) -> None:
        sessions.stop(session_of(request))

    part.look.click(pressed, [path, part.index, *sliders], outputs, **LIVE)
    part.index.submit(pressed, [path, part.index, *sliders], outputs, **LIVE)
    matrix.pick(clicked, [path, *sliders], outputs, **LIVE)
    part.off.click(answer, [*box.inputs, path, part.index, *sliders], [part.notice, part.answers, part.stop], **LIVE)
    part.stop.click(stop_all, None, None, queue=False, show_progress="hidden", api_visibility="private")


def answers_html(state: Run, t: Text) -> str:
    """Both answers, and whether they differ."""
    words = component_view.compared(state, t)
    said = f" <strong>{escape(words)}</strong>" if words else ""
    return f'<p class="t2-faint" role="status">{t.html("component.answer_words")}{said}</p>' + parts.answers(state, KEYS, t)
