"""Ask: both passes of one question, drawn and timed; why it was so; and everybody's answers to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from t2ui.details import Details, influence
from t2ui.measured import Measured, read
from t2ui.runs import Run, overrule, run
from t2ui.ui import parts, token_view
from t2ui.ui.backend import Backend
from t2ui.ui.composer import Composer, InputError, read_question
from t2ui.ui.events import LIVE, Changes, explain, look, session_of
from t2ui.ui.flow import flow_html
from t2ui.ui.live import chips, markup
from t2ui.ui.session import Sessions
from t2ui.ui.text import Text

ROWS = ("base", "dispatch")


@dataclass(frozen=True)
class AskTab:
    recorded: gr.HTML
    notice: gr.HTML
    flow: gr.HTML
    overrule: gr.HTML
    answers: gr.HTML
    why: gr.HTML
    which: gr.Button
    words: gr.HTML
    everybody: gr.HTML
    measured: gr.Accordion
    tables: gr.Markdown

    @property
    def outputs(self) -> list[gr.HTML]:
        return [self.recorded, self.notice, self.flow, self.overrule, self.answers, self.everybody, self.why, self.words]


def keys_of(state: Run) -> tuple[str, str]:
    """The two rows that stand side by side."""
    return ("dispatch", "overrule") if state.kind == "overrule" else ROWS


def draw(state: Run, t: Text, known: Details | None = None) -> list[str | None]:
    """The tab's eight pieces for one moment of a run (``outputs``'s order); None: as it is.

    ``known``: what was looked at once the run was over (``t2ui.details``).
    """
    again = state.kind == "overrule"  # the same question, the same first pass
    said = known.verbatim if known is not None else None
    return [
        "",
        parts.run_notice(state, t),
        flow_html(state, t),
        parts.overrule(state, t),
        parts.answers(state, keys_of(state), t, known),
        parts.everybody(state, t),
        None if again else token_view.word_for_word(state.first_pass, said, t),
        None if again or state.over else "",
    ]


def build(t: Text, shown: Run | None, recorded: dict[str, str] | None) -> AskTab:
    """Lay the tab out with a recorded run on it (or empty)."""
    state = shown or Run(names=())
    _, said, flow, _, answers, everybody, why, _ = draw(state, t)
    badge = markup(parts.recorded_badge(t, recorded), elem_id="t2-recorded")
    notice = markup(said, elem_id="t2-notice")
    drawn = markup(flow, elem_id="t2-flow")
    other = chips("", elem_id="t2-overrule")
    markup(parts.view_switch(t), elem_id="t2-view-switch")
    told = markup(answers, elem_id="t2-answers")
    with gr.Accordion(t("why.title"), open=False, elem_id="t2-why"):
        reasons = markup(why, elem_id="t2-why-raw")
        which = gr.Button(t("why.button"), size="sm", interactive=False, elem_id="t2-which")
        words = markup("", elem_id="t2-which-words")
    markup(f'<h2 class="t2-h2">{t.html("everybody.title")}</h2>')
    table = markup(everybody, elem_id="t2-everybody-table")
    with gr.Accordion(t("measured.title"), open=False, elem_id="t2-measured") as measured:
        tables = gr.Markdown("")
    return AskTab(badge, notice, drawn, other, told, reasons, which, words, table, measured, tables)


def measured_text(found: Measured | None, t: Text) -> str:
    """What was measured of the shipped model, in a sentence and two tables."""
    if found is None:
        return t("measured.none")
    points = 100 * found.gain
    said = t("measured.sentence", n=found.n, dispatched=found.dispatched, right=found.right, base=found.base)
    key = "measured.gain" if points > 0 else "measured.no_gain"
    said += " " + t(key, best=found.best, which=t(f"measured.way.{found.which}"), points=points)
    parts_ = [said, f"### {t('measured.mixed')}", found.mixed]
    if found.classifier:
        parts_ += [f"### {t('measured.classifier')}", found.classifier]
    return "\n\n".join(parts_)


def wire(
    tab: AskTab,
    box: Composer,
    sliders: Sequence[gr.Slider],
    tabs: gr.Tabs,
    backend: Backend,
    sessions: Sessions,
    t: Text,
) -> None:
    """Connect the buttons. Handlers are async generators: nobody waits for another visitor's answer."""
    outputs = [*tab.outputs, box.notice, box.stop, tab.which]
    keep = [None] * len(tab.outputs)

    def which(state: Run):
        """Words can decide something only where something was asked."""
        return gr.update(interactive=bool(state.over and state.first_pass and state.first_pass.scores))

    def handler(kind: str):
        async def ask(request: gr.Request, prompt, picture, temperature, tokens, seed, strategy, soft, *alphas):
            changes = Changes(len(outputs))
            try:
                question = read_question(t, prompt, picture, temperature, tokens, seed)
                if backend.state != "ready":
                    raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
                mix = backend.mix(alphas)
            except (InputError, ValueError) as error:
                yield changes(*keep, parts.notice(str(error), "error"), None, None)
                return
            halt = sessions.begin(session_of(request), "ask")
            stop = gr.update(interactive=True)
            try:
                async for state in run(backend.engine, kind, question, soft=bool(soft), mix=mix, halt=halt,
                                       strategy=str(strategy or "prompt"), kept=sessions.kept(session_of(request))):  # fmt: skip
                    if halt.replaced:
                        return
                    if state.over:
                        sessions.remember(session_of(request), state, question)
                    yield changes(*draw(state, t), "", stop, which(state) if state.over or stop is not None else None)
                    stop = None
                yield changes(*keep, None, gr.update(interactive=False), None)
                known = await look(backend, state, question, keys_of(state))
                if known is not None and not halt.replaced:
                    yield changes(*draw(state, t, known), None, None, None)
            except Exception as error:
                yield changes(*keep, parts.notice(explain(error, t), "error"), gr.update(interactive=False), None)

        return ask

    async def overruled(request: gr.Request, event: gr.EventData):
        changes = Changes(len(outputs))
        known = sessions.last(session_of(request))
        expert = str((event._data or {}).get("expert"))
        if known is None or expert not in ("base", *backend.names):
            yield changes(*keep, parts.notice(t("overrule.nothing"), "error"), None, None)
            return
        before, question = known
        halt = sessions.begin(session_of(request), "ask")
        stop = gr.update(interactive=True)
        try:
            async for state in overrule(backend.engine, before, question, expert, halt, sessions.kept(session_of(request))):
                if halt.replaced:
                    return
                if state.over:
                    sessions.show(session_of(request), "ask", state, question)
                yield changes(*draw(state, t), "", stop, None)
                stop = None
            yield changes(*keep, None, gr.update(interactive=False), None)
            found = await look(backend, state, question, keys_of(state))
            if found is not None and not halt.replaced:
                yield changes(*draw(state, t, found), None, None, None)
        except Exception as error:
            yield changes(*keep, parts.notice(explain(error, t), "error"), gr.update(interactive=False), None)

    async def decided(request: gr.Request):
        from t2ui.engine import EngineError

        known = sessions.last(session_of(request))
        if known is None:
            yield parts.notice(t("overrule.nothing"), "error")
            return
        yield parts.notice(t("why.busy"))
        try:
            state, question = known
            yield token_view.words(question.prompt, await influence(backend.engine, state, question), t)
        except EngineError as error:
            yield parts.notice(str(error), "error")
        except Exception as error:
            yield parts.notice(explain(error, t), "error")

    tab.which.click(decided, None, tab.words, **LIVE)
    tab.overrule.pick(overruled, None, outputs, **LIVE)
    inputs = [*box.inputs, box.strategy, box.soft, *sliders]
    scroll = "() => { window.t2ui.showResult('t2-tabs'); }"
    for button, kind in ((box.ask, "ask"), (box.everybody, "everybody")):
        button.click(
            lambda: gr.Tabs(selected="ask"), None, tabs, queue=False, show_progress="hidden", api_visibility="private"
        )
        button.click(None, None, None, js=scroll, queue=False, api_visibility="private")
        button.click(handler(kind), inputs, outputs, **LIVE)
    box.prompt.submit(handler("ask"), inputs, outputs, **LIVE)

    def stop_all(request: gr.Request) -> None:
        sessions.stop(session_of(request))

    def measured() -> str:
        shipped = backend.state == "ready" and backend.info.is_demo
        return measured_text(read() if shipped else None, t)

    tab.measured.expand(measured, None, tab.tables, queue=False, show_progress="hidden", api_visibility="private")
    box.stop.click(stop_all, None, None, queue=False, show_progress="hidden", api_visibility="private")
