"""Conversation: turns that are dispatched anew, the strip of their mixes, and twenty mixed questions played as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from t2ui import builtin
from t2ui.conversation import Conversation, Turn, memory, play, say
from t2ui.runs import Halt, Question
from t2ui.ui import chat_view, parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import Composer, InputError, read_question
from t2ui.ui.events import LIVE, Changes, explain, session_of
from t2ui.ui.live import chips, markup
from t2ui.ui.pictures import check_upload, picture_input
from t2ui.ui.session import Sessions
from t2ui.ui.text import Text

KIND = "talk"  # of a visitor's halts
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class TalkTab:
    memory: gr.HTML
    strip: gr.HTML
    log: gr.HTML
    now: gr.HTML
    tally: gr.HTML
    notice: gr.HTML
    message: gr.Textbox
    picture: gr.Image
    send: gr.Button
    stop: gr.Button
    play: gr.Button
    clear: gr.Button

    @property
    def outputs(self) -> list[gr.components.Component]:
        """In the order of :func:`draw`, then what a handler sets by itself: notice, message, picture, stop."""
        return [self.strip, self.log, self.now, self.tally, self.notice, self.message, self.picture, self.stop]


def build(t: Text) -> TalkTab:
    markup(f'<h2 class="t2-h2">{t.html("talk.title")}</h2><p class="t2-faint">{t.words("talk.intro")}</p>')
    said = markup("", elem_id="t2-talk-memory")
    strip = markup(chat_view.strip((), t), elem_id="t2-talk-strip")
    with gr.Column(elem_id="t2-talk-box"):
        log = chips(chat_view.log((), t), elem_id="t2-talk-log")
        now = markup("", elem_id="t2-talk-now")
    tally = markup("", elem_id="t2-talk-tally")
    notice = chips(parts.notice(t("status.not_ready")), elem_id="t2-talk-notice")
    message = gr.Textbox("", label=t("talk.label"), placeholder=t("talk.placeholder"), lines=2, max_lines=8, interactive=True,
                         show_label=False, elem_id="t2-talk-message")  # fmt: skip
    with gr.Row(elem_id="t2-talk-actions"):
        send = gr.Button(t("talk.send"), variant="primary", interactive=False, elem_id="t2-talk-send", min_width=80)
        stop = gr.Button(t("stop.button"), variant="stop", interactive=False, elem_id="t2-talk-stop", min_width=60)
        play_ = gr.Button(t("talk.play", n=builtin.STREAM), interactive=False, elem_id="t2-talk-play", min_width=120)
        clear = gr.Button(t("talk.clear"), elem_id="t2-talk-clear", min_width=80)
    with gr.Accordion(t("talk.picture"), open=False, elem_id="t2-talk-picture-box"):
        picture = picture_input(label=t("picture.label"), height=160, interactive=True, elem_id="t2-talk-picture", buttons=[],
                                placeholder=t("picture.placeholder"), alt_text=t("picture.alt"))  # fmt: skip
    return TalkTab(said, strip, log, now, tally, notice, message, picture, send, stop, play_, clear)


def memory_html(backend: Backend, t: Text) -> str:
    """What this model reads of the earlier turns; nothing before it is there."""
    if backend.state != "ready":
        return ""
    return f'<p class="t2-faint">{t.words(f"talk.memory_{memory(backend.engine.loaded)}")}</p>'


def draw(talk: Conversation, t: Text) -> list[str]:
    """Strip, turns that are over, the one that runs, and the tally."""
    over = [turn for turn in talk.turns if turn.run.over]
    running = [turn for turn in talk.turns if not turn.run.over]
    now = "".join(chat_view.turn_html(turn, t) for turn in running)
    return [chat_view.strip(talk.turns, t), chat_view.log(over, t, bool(running)), now, f"<p>{chat_view.tally(talk, t)}</p>"]


def wire(tab: TalkTab, box: Composer, backend: Backend, sessions: Sessions, t: Text) -> None:
    """Connect the tab; settings, strategy and seed are those of the question."""
    outputs, settings = tab.outputs, [box.temperature, box.max_new_tokens, box.seed, box.strategy, box.soft]

    def ready() -> None:
        if backend.state != "ready":
            raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)

    async def shown(turns: AsyncIterator[Turn], talk: Conversation, halt: Halt, given: Question | None) -> AsyncIterator[list[Any]]:
        """Updates of the tab while turns grow. A question that the engine refuses goes back into the box."""
        changes, last = Changes(len(outputs)), None
        first = [gr.update(value=""), gr.update(value=None)] if given is not None else [None, None]
        first.append(gr.update(interactive=True))
        try:
            async for turn in turns:
                last = turn
                if not halt.replaced:  # else what it said by then is kept, but the page shows the new one
                    yield changes(*draw(talk, t), "", *first)
                    first = [None] * 3
        except Exception as error:
            yield changes(*draw(talk, t), parts.notice(explain(error, t), "error"), None, None, gr.update(interactive=False))
            return
        if halt.replaced:
            return
        back: list[Any] = [None, None, None]
        if last is not None and last.run.stage == "error":
            talk.cut(last.number)
            back = [parts.notice(last.run.error or "", "error"), gr.update(value=last.question.prompt), None]
        yield changes(*draw(talk, t), back[0], back[1], back[2], gr.update(interactive=False))

    async def send(request: gr.Request, message, picture, temperature, tokens, seed, strategy, soft):
        talk = sessions.talk(session_of(request))
        try:
            ready()
            question = read_question(t, message, picture, temperature, tokens, seed)
        except (InputError, ValueError) as error:
            yield Changes(len(outputs))(*[None] * 4, parts.notice(str(error), "error"), None, None, None)
            return
        halt = sessions.begin(session_of(request), KIND)
        if talk.editing is not None:
            talk.cut(talk.editing)
            talk.editing = None
        turns = say(backend.engine, talk, question, strategy=str(strategy or "prompt"), soft=bool(soft), halt=halt,
                    kept=sessions.kept(session_of(request)))  # fmt: skip
        async for update in shown(turns, talk, halt, question):
            yield update

    async def stream(request: gr.Request, temperature, tokens, seed, strategy, soft):
        talk = sessions.talk(session_of(request))
        try:
            ready()
            samples = await asyncio.to_thread(builtin.mixed)
            first = read_question(t, samples[0].prompt, None, temperature, tokens, seed)
        except (InputError, ValueError) as error:
            yield Changes(len(outputs))(*[None] * 4, parts.notice(str(error), "error"), None, None, None)
            return
        halt = sessions.begin(session_of(request), KIND)
        talk.editing = None
        questions = [replace(first, prompt=sample.prompt, image=sample.image) for sample in samples]
        turns = play(backend.engine, talk, questions, halt, strategy=str(strategy or "prompt"), soft=bool(soft),
                     kept=sessions.kept(session_of(request)))  # fmt: skip
        async for update in shown(turns, talk, halt, None):
            yield update

    async def picked(request: gr.Request, message, temperature, tokens, seed, strategy, soft, event: gr.EventData):
        """Retry or edit a turn."""
        data, talk = event._data or {}, sessions.talk(session_of(request))
        said = Changes(len(outputs))
        turn = talk.get(data.get("retry", data.get("edit")))
        if turn is None or not turn.run.over:
            yield said(*[None] * 4, parts.notice(t("talk.gone"), "warn"), None, None, None)
            return
        if "edit" in data:
            if str(message or "").strip() not in ("", turn.run.prompt.strip()):
                yield said(*[None] * 4, parts.notice(t("talk.full"), "warn"), None, None, None)
                return
            talk.editing = turn.number
            yield said(*[None] * 4, chat_view.editing_html(talk, t), gr.update(value=turn.run.prompt), turn.question.image, None)
            return
        try:
            ready()
            question = read_question(t, turn.run.prompt, None, temperature, tokens, seed)
        except (InputError, ValueError) as error:
            yield said(*[None] * 4, parts.notice(str(error), "error"), None, None, None)
            return
        halt = sessions.begin(session_of(request), KIND)
        talk.cut(turn.number)
        talk.editing = None
        turns = say(backend.engine, talk, replace(question, image=turn.question.image), strategy=str(strategy or "prompt"),
                    soft=bool(soft), attempt=turn.attempt + 1 if question.temperature else 0, halt=halt,
                    kept=sessions.kept(session_of(request)))  # fmt: skip
        async for update in shown(turns, talk, halt, None):
            yield update
        again = talk.get(turn.number)
        if not halt.replaced and again is not None and again.run.kept and not question.temperature:
            yield said(*[None] * 4, parts.notice(t("talk.greedy")), None, None, None)

    def keep(request: gr.Request, event: gr.EventData):
        """A message that was being edited stays as it was."""
        if not (event._data or {}).get("cancel"):
            return [gr.skip()] * 3
        sessions.talk(session_of(request)).editing = None
        return ["", "", None]

    def stop(request: gr.Request) -> None:
        sessions.stop(session_of(request))

    def clear(request: gr.Request):
        session = session_of(request)
        sessions.begin(session, KIND).stop()  # whatever runs is replaced
        talk = sessions.talk(session)
        talk.turns, talk.editing = (), None
        return [*draw(talk, t), "", gr.skip(), gr.skip(), gr.update(interactive=False)]

    def look(payload):
        why = check_upload(payload, tab.picture.GRADIO_CACHE, t)
        return (None, parts.notice(why, "error")) if why else (gr.skip(), "")

    message = [tab.message, tab.picture, *settings]
    tab.send.click(send, message, outputs, **LIVE)
    tab.message.submit(send, message, outputs, **LIVE)
    tab.play.click(stream, settings, outputs, **LIVE)
    tab.log.pick(picked, [tab.message, *settings], outputs, **LIVE)
    tab.notice.pick(keep, None, [tab.notice, tab.message, tab.picture], **QUIET)
    tab.stop.click(stop, None, None, **QUIET)
    tab.clear.click(clear, None, outputs, **QUIET)
    tab.picture.upload(look, [tab.picture], [tab.picture, tab.notice], preprocess=False, **QUIET)
