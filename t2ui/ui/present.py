"""``?present=1``: the storyline with its recorded pictures for the browser's player; ``?embed=VIEW``: one view alone (styles do that)."""

from __future__ import annotations

import asyncio
import logging
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from t2ui.recorded import RecordingError
from t2ui.runs import Run
from t2ui.storyline import ASK, WRONG, Story, load_story
from t2ui.ui import parts, search_view, spectra_card, story
from t2ui.ui.backend import Backend
from t2ui.ui.flags import ROOT
from t2ui.ui.flow import flow_html
from t2ui.ui.tabs import sweep
from t2ui.ui.text import Text

RECORDED = ROOT / "assets" / "recorded" / "story.json"
WAIT = 20.0  # seconds for the model; then the story begins without it, with what was recorded
log = logging.getLogger("t2ui")


def pictures(told: Story, t: Text) -> dict[str, str]:
    """The recorded pictures by name, drawn as the page draws live ones."""

    def answered(run: Run, keys: tuple[str, str], flow: bool = True) -> str:
        return (flow_html(run, t) if flow else "") + parts.answers(run, keys, t)

    plan = sweep.Plan((told.names.index(ASK), told.names.index(WRONG)), told.alphas)
    swept = sweep.map_html(plan, told.sweep, told.names, t)
    found = search_view.frame(t, told.search)
    table = spectra_card.table(dict(told.card.columns), "dw_rel", told.card.mix, t)
    formula = spectra_card.formula(dict(told.card.best), told.card.shape, t)
    words = t.html("present.weights", name=t.family(ASK))
    return {
        "ask": answered(told.ask, ("base", "dispatch")),
        "overrule": answered(told.overrule, ("dispatch", "overrule")),
        "mix": answered(told.mix, ("base", "mix"), flow=False),
        "weights": f'<p class="t2-faint">{words}</p>{table}',
        "search": found,
        "found": search_view.result(told.search, t),
        "sweep": swept,
        "best": swept,
        "card": table + formula,
    }


def payload(backend: Backend, t: Text, limit: float, only_recorded: bool, path: Path = RECORDED) -> dict[str, Any]:
    """Everything that the player needs; no steps where this model cannot tell the story."""
    names = backend.names
    if not {ASK, WRONG} <= set(names):
        return {"steps": []}
    told: Story | None = None
    try:
        told = load_story(path)
        if told.names != tuple(names):
            told = None  # another model's: what it did says nothing here
    except RecordingError as error:
        log.warning("%s", error)
    found = best = [1.0 if name == ASK else 0.0 for name in names]
    prompt = told.prompt if told else t("story.title")
    if told is not None:
        from t2ui.ui.flow import parse_alphas

        found = [round(parse_alphas(told.search.mix).get(name, 0.0), 2) for name in names]
        at = sweep.best_cell(told.sweep.scores, told.alphas)
        best = list(told.alphas[at]) if at is not None else best
    steps = story.steps(names, prompt, ASK, WRONG, found, best)
    sentences = {step.key: t(f"story.{step.key}", wrong=t.family(WRONG)) for step in steps}
    titles = {name: t.family(name) for name in (*names, f"{ASK}_{WRONG}")}
    about = told.about if told is not None else {}
    keys = ("live", "recorded", "failed", "running", "next", "back", "end", "keys", "moment")
    return {
        "steps": story.as_data(steps, sentences, titles),
        "pictures": pictures(told, t) if told is not None else {},
        "experts": len(names),
        "limit": limit,
        "only_recorded": only_recorded,
        "alert": story.ALERT,
        "moments": max(step.moment for step in steps),
        "words": {key: t.table[f"present.{key}"] for key in keys},
        "made": t("present.recorded_words", date=about.get("date", "?"), model=about.get("model", "?")),
    }


def build(t: Text) -> gr.HTML:
    """The player: draws nothing before it has a story."""
    script = "window.t2ui.present(element, props, watch);"
    return gr.HTML(None, html_template=f'<a class="t2-embed-open" target="_blank" rel="noopener" hidden>{escape(t("embed.open"))}</a>',
                   js_on_load=script, apply_default_css=False, elem_id="t2-present")  # fmt: skip


def wire(demo: gr.Blocks, player: gr.HTML, backend: Backend, t: Text) -> None:
    """Hand the story to a page that asks for it: ``present=1`` (or ``recorded``: without a live step), ``limit=SECONDS``."""

    async def asked(request: gr.Request) -> Any:
        params = dict(request.query_params)
        if params.get("present") not in ("1", "recorded"):
            return gr.skip()
        try:
            limit = min(max(float(params.get("limit", story.LIMIT)), 1.0), 600.0)
        except ValueError:
            limit = story.LIMIT
        only_recorded = params["present"] == "recorded"
        if not only_recorded:
            await backend.wait(WAIT)
        try:
            return await asyncio.to_thread(payload, backend, t, limit, only_recorded)
        except Exception:  # the page stays what it is without a story
            log.exception("The storyline could not be told")
            return {"steps": []}

    demo.load(asked, None, player, queue=False, show_progress="hidden", api_visibility="private")
