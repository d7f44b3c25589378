"""Ask: both passes of one question, drawn and timed; and everybody's answers to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from t2ui.measured import Measured, read
from t2ui.runs import Run, overrule, run
from t2ui.ui import parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import Composer, InputError, read_question
from t2ui.ui.events import LIVE, Changes, explain, session_of
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
    everybody: gr.HTML
    measured: gr.Accordion
    tables: gr.Markdown

    @property
    def outputs(self) -> list[gr.HTML]:
        return [self.recorded, self.notice, self.flow, self.overrule, self.answers, self.everybody]


def draw(state: Run, t: Text) -> list[str]:
    """The tab's six pieces for one moment of a run (``outputs``'s order)."""
    keys = ("dispatch", "overrule") if state.kind == "overrule" else ROWS
    return [
        "",
        parts.run_notice(state, t),
        flow_html(state, t),
        parts.overrule(state, t),
        parts.answers(state, keys, t),
        parts.everybody(state, t),
    ]


def build(t: Text, shown: Run | None, recorded: dict[str, str] | None) -> AskTab:
    """Lay the tab out with a recorded run on it (or empty)."""
    state = shown or Run(names=())
    _, said, flow, _, answers, everybody = draw(state, t)
    badge = markup(parts.recorded_badge(t, recorded), elem_id="t2-recorded")
    notice = markup(said, elem_id="t2-notice")
    drawn = markup(flow, elem_id="t2-flow")
    other = chips("", elem_id="t2-overrule")
    told = markup(answers, elem_id="t2-answers")
    markup(f'<h2 class="t2-h2">{t.html("everybody.title")}</h2>')
    table = markup(everybody, elem_id="t2-everybody-table")
    with gr.Accordion(t("measured.title"), open=False, elem_id="t2-measured") as measured:
        tables = gr.Markdown("")
    return AskTab(badge, notice, drawn, other, told, table, measured, tables)


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
    outputs = [*tab.outputs, box.notice, box.stop]

    def handler(kind: str):
        async def ask(request: gr.Request, prompt, picture, temperature, tokens, seed, strategy, soft, *alphas):
            changes = Changes(len(outputs))
            try:
                question = read_question(t, prompt, picture, temperature, tokens, seed)
                if backend.state != "ready":
                    raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
                mix = backend.mix(alphas)
            except (InputError, ValueError) as error:
                yield changes(*[None] * len(tab.outputs), parts.notice(str(error), "error"), None)
                return
            halt = sessions.begin(session_of(request), "ask")
            stop = gr.update(interactive=True)
            try:
                async for state in run(backend.engine, kind, question, soft=bool(soft), mix=mix, halt=halt,
                                       strategy=str(strategy or "prompt")):  # fmt: skip
                    if halt.replaced:
                        return
                    if state.over:
                        sessions.remember(session_of(request), state, question)
                    yield changes(*draw(state, t), "", stop)
                    stop = None
            except Exception as error:
                yield changes(*[None] * len(tab.outputs), parts.notice(explain(error, t), "error"), None)
            yield changes(*[None] * (len(outputs) - 1), gr.update(interactive=False))

        return ask

    async def overruled(request: gr.Request, event: gr.EventData):
        changes = Changes(len(outputs))
        known = sessions.last(session_of(request))
        expert = str((event._data or {}).get("expert"))
        if known is None or expert not in ("base", *backend.names):
            yield changes(*[None] * len(tab.outputs), parts.notice(t("overrule.nothing"), "error"), None)
            return
        before, question = known
        halt = sessions.begin(session_of(request), "ask")
        stop = gr.update(interactive=True)
        try:
            async for state in overrule(backend.engine, before, question, expert, halt):
                if halt.replaced:
                    return
                yield changes(*draw(state, t), "", stop)
                stop = None
        except Exception as error:
            yield changes(*[None] * len(tab.outputs), parts.notice(explain(error, t), "error"), None)
        yield changes(*[None] * (len(outputs) - 1), gr.update(interactive=False))

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
