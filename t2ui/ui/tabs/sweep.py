"""Sweep: two experts, five alphas each, all 25 mixes answering the same questions side by side; a click loads a mix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from t2ui.scores import STEPS, Score, Scores, run_scores
from t2ui.ui import parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import InputError
from t2ui.ui.events import LIVE, Changes, explain, session_of
from t2ui.ui.live import chips, markup, pick, tools
from t2ui.ui.session import Sessions
from t2ui.ui.tabs.mix import MixTab
from t2ui.ui.tabs.score import check
from t2ui.ui.tabs.search import TASKS
from t2ui.ui.text import Text
from t2ui.ui.theme import icon
from t2ui.ui.tried import history_html, percents

SIZES = (8, 16, 32)


@dataclass(frozen=True)
class SweepPart:
    first: gr.Dropdown
    second: gr.Dropdown
    family: gr.Dropdown
    n: gr.Radio
    start: gr.Button
    stop: gr.Button
    notice: gr.HTML
    map: gr.HTML


@dataclass(frozen=True)
class Plan:
    """A sweep: alphas of every cell, rows (the second expert, from 1 down to 0) by columns (the first, from 0 to 1).

    Attributes:
        pair: the places of the two experts among the names.
        alphas: all experts' values per cell, row by row.
        depth: the depth profile's state, the same in all cells.
    """

    pair: tuple[int, int]
    alphas: tuple[tuple[float, ...], ...]
    depth: str = ""


def plan(first: Any, second: Any, alphas: Sequence[float | None], depth: str, names: Sequence[str], t: Text) -> Plan:
    """The cells of a sweep; experts that are not swept stay where their sliders are.

    Raises:
        InputError: not two different experts.
    """
    if first not in names or second not in names or first == second:
        raise InputError(t("sweep.two"))
    i, j = names.index(first), names.index(second)
    held = [float(a or 0.0) for a in alphas[: len(names)]]
    cells = []
    for y in reversed(STEPS):
        for x in STEPS:
            values = list(held)
            values[i], values[j] = x, y
            cells.append(tuple(values))
    return Plan((i, j), tuple(cells), depth)


def choices(names: Sequence[str], t: Text) -> list[dict[str, Any]]:
    """What the two dropdowns offer once the experts are known."""
    known = [(f"{icon(name)}  {t.family(name)}", name) for name in names]
    return [{"choices": known, "value": names[k] if len(names) > k else None} for k in (0, 1)]


def build(t: Text, names: Sequence[str]) -> SweepPart:
    """Below the mixes tried, folded in at first."""
    offered = choices(names, t)
    with gr.Accordion(t("sweep.title"), open=False, elem_id="t2-sweep"):
        markup(f'<p class="t2-faint">{t.html("sweep.intro")}</p>')
        with gr.Row(elem_id="t2-sweep-row"):
            first = gr.Dropdown(label=t("sweep.first"), interactive=True, filterable=False, elem_id="t2-sweep-first",
                                min_width=110, **offered[0])  # fmt: skip
            second = gr.Dropdown(label=t("sweep.second"), interactive=True, filterable=False, elem_id="t2-sweep-second",
                                 min_width=110, **offered[1])  # fmt: skip
            family = gr.Dropdown([(t.family(name), name) for name in TASKS], value=TASKS[0], label=t("score.family"),
                                 interactive=True, filterable=False, elem_id="t2-sweep-family", min_width=140)  # fmt: skip
            n = gr.Radio([(str(n), n) for n in SIZES], value=SIZES[0], label=t("sweep.n"), interactive=True,
                         elem_id="t2-sweep-n", min_width=140)  # fmt: skip
            start = gr.Button(t("sweep.start"), variant="primary", interactive=False, elem_id="t2-sweep-start", min_width=90)
            stop = gr.Button(t("stop.button"), variant="stop", interactive=False, elem_id="t2-sweep-stop", min_width=60)
        notice = markup("", elem_id="t2-sweep-notice")
        grid = chips("", elem_id="t2-sweep-map")
    return SweepPart(first, second, family, n, start, stop, notice, grid)


def best_cell(scores: Sequence[Score], alphas: Sequence[Sequence[float]]) -> int | None:
    """The cell with the most right answers, of equals the gentlest (the smallest alphas); None if no answer is right."""
    best = min(range(len(scores)), key=lambda i: (-scores[i].k, sum(map(abs, alphas[i]))), default=None)
    return best if best is not None and scores[best].k else None


def map_html(what: Plan, state: Scores, names: Sequence[str], t: Text) -> str:
    """The heatmap as a table of buttons: right of n in every cell, the best ones marked, each loads its mix."""
    if state.error:
        return ""
    if not state.done:
        return f'<p class="t2-faint" role="status">{escape(parts.turn_words(state.waiting, state.wait, t))}</p>'
    first, second = (t.family(names[k]) for k in what.pair)
    best, size, body = best_cell(state.scores, what.alphas), len(STEPS), []
    for row in range(size):
        cells = []
        for column in range(size):
            at = row * size + column
            score, values = state.scores[at], what.alphas[at]
            x, y = values[what.pair[0]], values[what.pair[1]]
            top = at == best
            label = t("sweep.cell", first=first, x=f"{x:g}", second=second, y=f"{y:g}", k=score.k, n=score.n,
                      interval=percents(*score.interval)) + (t("sweep.cell_best") if top else "")  # fmt: skip
            words = f"{score.k}/{score.n}" + (' <span aria-hidden="true">★</span>' if top else "")
            cells.append(f'<td><button type="button" class="t2-heat t2-plus{" t2-best" if top else ""}" '
                         f'style="--heat:{100 * score.accuracy:.0f}%" {pick(cell=at, mix=list(values), depth=what.depth)} '
                         f'title="{escape(label, quote=True)}" aria-label="{escape(label, quote=True)}">{words}</button></td>')  # fmt: skip
        body.append(f'<tr><th scope="row">{what.alphas[row * size][what.pair[1]]:g}</th>{"".join(cells)}</tr>')
    foot = "".join(f'<th scope="col">{x:g}</th>' for x in STEPS)
    table = (f'<table class="t2-heattable t2-sweepmap"><caption>{t.html("sweep.axes", first=first, second=second)}</caption>'
             f"<tbody>{''.join(body)}</tbody><tfoot><tr><td></td>{foot}</tr></tfoot></table>")  # fmt: skip
    said = {
        "scoring": t("score.running", done=state.done, n=state.n),
        "stopped": t("score.stopped", done=state.done, n=state.n),
    }.get(state.stage) or t("sweep.done", n=state.done, time=f"{state.seconds:.1f} s", k=len(state.scores))
    if state.over:
        said += " " + _verdict(what, state, t)
    table = f'<div class="t2-chart" data-live data-name="sweep">{table}{tools(t)}</div>'
    return f'<div data-stage="{state.stage}">{table}<p class="t2-faint" role="status">{escape(said)}</p></div>'


def _verdict(what: Plan, state: Scores, t: Text) -> str:
    """What 25 cells of few questions can tell: how many of them the best one is not clearly better than."""
    best = best_cell(state.scores, what.alphas)
    if best is None:
        return t("sweep.nothing")
    top = state.scores[best]
    low, high = top.interval
    near = sum(1 for s in state.scores if s.interval[1] >= low) - 1
    return t("sweep.best", k=top.k, n=top.n, interval=percents(low, high), near=near)


def wire(part: SweepPart, tab: MixTab, history: gr.HTML, backend: Backend, sessions: Sessions, t: Text) -> None:
    """Connect buttons and cells; a loaded cell is a mix that was tried, with its score."""
    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    outputs = [part.notice, part.map, part.start, part.stop, history]

    async def sweep(request: gr.Request, first, second, family, n, *values):
        changes = Changes(len(outputs))
        try:
            if backend.state != "ready":
                raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
            family, n = check(family, n, t, SIZES)
            names = backend.names
            what = plan(first, second, values[:-1], str(values[-1] or ""), names, t)
            mixes = [backend.mix(cell, what.depth) for cell in what.alphas]
        except ValueError as error:
            yield changes(parts.notice(str(error), "error"), *[None] * 4)
            return
        session = session_of(request)
        halt, tried = sessions.begin(session, "sweep"), sessions.tried(session)
        yield changes("", None, gr.update(interactive=False), gr.update(interactive=True), None)
        last = None
        try:
            async for last in run_scores(backend.engine, mixes, family, n, halt):
                if halt.replaced:
                    return
                said = parts.notice(last.error, "error") if last.error else None
                yield changes(said, map_html(what, last, names, t), None, None, None)
            if last is not None and last.over and (best := best_cell(last.scores, what.alphas)) is not None:
                entry = tried.add(last.scores[best].mix, what.alphas[best], what.depth)
                tried.score(entry.number, family, last.scores[best])
        except Exception as error:
            yield changes(parts.notice(explain(error, t), "error"), *[None] * 4)
        yield changes(None, None, gr.update(interactive=True), gr.update(interactive=False), history_html(tried, t))

    def stop(request: gr.Request) -> None:
        sessions.stop(session_of(request))

    def picked(event: gr.EventData):
        data = event._data or {}
        try:
            values, depth = [float(v) for v in data["mix"]], str(data.get("depth") or "")
            mix = backend.mix(values, depth)  # anybody can send this event: it is checked like an address
            if len(values) != len(backend.names) or not all(-1 <= v <= 2 for v in values):
                raise ValueError(t("link.bad", value=str(mix)[:40]))
        except (KeyError, TypeError, ValueError):
            return [*[gr.skip()] * len(tab.mixer), parts.notice(t("history.gone"), "warn")]
        said = t("sweep.loaded", mix=parts.mix_words(str(mix), t))
        return [*tab.loaded(values, depth), parts.notice(said)]

    part.start.click(sweep, [part.first, part.second, part.family, part.n, *tab.state], outputs, **LIVE)
    part.stop.click(stop, None, None, **quiet)
    part.map.pick(picked, None, [*tab.mixer, part.notice], **quiet)
