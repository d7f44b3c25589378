"""Quick score: the current mix (and once the base) on a few questions of a family; and the mixes tried so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from t2ui.scores import Score, Scores, run_scores
from t2ui.ui import parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import Composer, InputError
from t2ui.ui.events import LIVE, Changes, explain, session_of
from t2ui.ui.live import chips, markup
from t2ui.ui.session import Sessions
from t2ui.ui.tabs.mix import MixTab
from t2ui.ui.tabs.search import TASKS
from t2ui.ui.text import Text
from t2ui.ui.tried import History, history_html, points, score_bar, score_words

SIZES = (20, 40, 100)


@dataclass(frozen=True)
class ScorePart:
    family: gr.Dropdown
    n: gr.Radio
    start: gr.Button
    stop: gr.Button
    view: gr.HTML
    notice: gr.HTML
    history: gr.HTML


def build(t: Text) -> ScorePart:
    """Below the answers of the Mix tab."""
    with gr.Column(elem_id="t2-score"):
        markup(f'<h2 class="t2-h2">{t.words("score.title")}</h2><p class="t2-faint">{t.words("score.intro")}</p>')
        with gr.Row(elem_id="t2-score-row"):
            family = gr.Dropdown([(t.family(name), name) for name in TASKS], value=TASKS[0], label=t("score.family"),
                                 interactive=True, filterable=False, elem_id="t2-score-family", min_width=140)  # fmt: skip
            n = gr.Radio([(str(n), n) for n in SIZES], value=SIZES[0], label=t("score.n"), interactive=True,
                         elem_id="t2-score-n", min_width=140)  # fmt: skip
            start = gr.Button(t("score.start"), variant="primary", interactive=False, elem_id="t2-score-start", min_width=90)
            stop = gr.Button(t("stop.button"), variant="stop", interactive=False, elem_id="t2-score-stop", min_width=60)
        notice = markup("", elem_id="t2-score-notice")
        view = markup("", elem_id="t2-score-view")
        markup(f'<h2 class="t2-h2">{t.words("history.title")}</h2><p class="t2-faint">{t.words("history.words")}</p>')
        history = chips(history_html(History(), t), elem_id="t2-history")
    return ScorePart(family, n, start, stop, view, notice, history)


def view_html(state: Scores, base: Score | None, t: Text) -> str:
    """Mix and base as bars with their intervals, and the difference between them.

    ``base``: the base's score on the same questions where it was measured before; else it is in ``state``.
    """
    if state.stage == "waiting" or state.error:
        return "" if state.error else f'<p class="t2-faint" role="status">{escape(parts.turn_words(state.waiting, state.wait, t))}</p>'
    mine = state.scores[0]
    known = base or next((s for s in state.scores if s.mix == "base"), None)
    rows = [(t.words("score.mine"), mine)] if mine.mix != "base" else []
    rows += [(t.words("score.base"), known)] if known is not None else []
    lines = "".join(f'<div class="t2-score"><span class="t2-score-family">{name}</span>{score_bar(s)}'
                    f"<span>{score_words(s, t)}</span></div>" for name, s in rows)  # fmt: skip
    said = {
        "scoring": t.html("score.running", done=state.done, n=state.n),
        "stopped": t.html("score.stopped", done=state.done, n=state.n),
        "done": t.html("score.done", n=state.n, family=t.family(state.family), time=f"{state.seconds:.1f} s"),
    }[state.stage]
    against = mine.against(known) if known is not None and mine.mix != "base" and state.over else None
    if against is not None:
        difference, (low, high), _ = against
        said += " " + t.words("score.difference", points=points(difference), low=points(low), high=points(high))
    return (f'<div class="t2-card" data-stage="{state.stage}">{lines}<p class="t2-faint" role="status">{said}</p></div>')


def check(family: object, n: object, t: Text, sizes: Sequence[int] = SIZES) -> tuple[str, int]:
    """The components' values, which anybody can send: a known family, and one of the sizes.

    Raises:
        InputError: anything else.
    """
    if family not in TASKS:
        raise InputError(t("api.task", known=", ".join(TASKS)))
    if n not in sizes:
        raise InputError(t("api.number", name="n", low=sizes[0], high=sizes[-1], found=str(n)[:20]))
    return str(family), int(n)  # type: ignore[call-overload]


def wire(part: ScorePart, tab: MixTab, box: Composer, backend: Backend, sessions: Sessions, t: Text) -> None:
    """Connect the buttons, and the rows of the history."""
    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    outputs = [part.notice, part.view, part.history, part.start, part.stop]

    async def measure(request: gr.Request, family, n, *values):
        from t2ui.core.mixing import Mix

        changes = Changes(len(outputs))
        try:
            if backend.state != "ready":
                raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
            family, n = check(family, n, t)
            mix = backend.mix(values)
        except ValueError as error:
            yield changes(parts.notice(str(error), "error"), *[None] * 4)
            return
        session = session_of(request)
        halt, tried = sessions.begin(session, "score"), sessions.tried(session)
        plain = tried.add("base", [0.0] * len(backend.names))
        base = plain.scores.get(family)
        entry = tried.add(str(mix), values[:-1], values[-1])
        mixes = [mix] if mix.is_base or (base is not None and base.n >= n) else [mix, Mix.base()]
        yield changes("", None, history_html(tried, t), gr.update(interactive=False), gr.update(interactive=True))
        last = None
        try:
            async for last in run_scores(backend.engine, mixes, family, n, halt):
                if halt.replaced:
                    return
                for score, number in zip(last.scores, (entry.number, plain.number), strict=False):
                    tried.score(number, family, score)
                shown = base if len(mixes) == 1 and not mix.is_base else None
                done = history_html(tried, t) if last.over else None
                said = parts.notice(last.error, "error") if last.error else None
                yield changes(said, view_html(last, shown, t), done, None, None)
        except Exception as error:
            yield changes(parts.notice(explain(error, t), "error"), *[None] * 4)
        yield changes(None, None, None, gr.update(interactive=True), gr.update(interactive=False))

    def stop(request: gr.Request) -> None:
        sessions.stop(session_of(request))

    def picked(request: gr.Request, event: gr.EventData):
        data, tried = event._data or {}, sessions.tried(session_of(request))
        if "pin" in data:
            tried.pin(data["pin"])
            return [*[gr.skip()] * len(tab.mixer), gr.skip(), "", history_html(tried, t)]
        entry = tried.get(data.get("load"))
        if entry is None:
            return [*[gr.skip()] * (len(tab.mixer) + 1), parts.notice(t("history.gone"), "warn"), history_html(tried, t)]
        seed = gr.skip() if entry.seed is None else entry.seed
        return [*tab.loaded(entry.alphas[: len(backend.names)], entry.depth), seed, "", gr.skip()]

    part.start.click(measure, [part.family, part.n, *tab.state], outputs, **LIVE)
    part.stop.click(stop, None, None, **quiet)
    part.history.pick(picked, None, [*tab.mixer, box.seed, part.notice, part.history], **quiet)
