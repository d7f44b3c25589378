"""Search: examples, a preset, and a CEM search to watch; its mix goes to the sliders."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from t2ui.searches import SearchView, estimate, run_search
from t2ui.ui import parts, search_live, search_view
from t2ui.ui.backend import Backend
from t2ui.ui.composer import InputError
from t2ui.ui.events import LIVE, Changes, explain, session_of
from t2ui.ui.flow import ms
from t2ui.ui.live import chips, markup
from t2ui.ui.session import Sessions
from t2ui.ui.tabs import own as own_examples
from t2ui.ui.tabs.mix import MixTab
from t2ui.ui.tabs.own import Own
from t2ui.ui.text import Text

# The two-skill tasks first: there a search has most to find. A test holds this list against the families.
TASKS = ("vision_math", "math_code", "math_unseen", "code_unseen", "reasoning_unseen", "vision_unseen", "math", "code",
         "reasoning", "vision")  # fmt: skip
PRESETS = ("live", "light", "paper")
OBJECTIVES = ("preset", "likelihood", "accuracy")
MAX_POPULATION, MAX_GENERATIONS = 128, 50
HELDOUT, FRESH, ROWS = 100, 16, 32  # rows: small batches, for others wait for their turn meanwhile


@dataclass(frozen=True)
class SearchTab:
    source: gr.Radio
    task: gr.Dropdown
    shots: gr.Slider
    own: Own
    preset: gr.Radio
    per_layer: gr.Checkbox
    seed: gr.Number
    objective: gr.Radio
    population: gr.Number
    elites: gr.Number
    generations: gr.Number
    estimate: gr.HTML
    start: gr.Button
    resume: gr.Button
    stop: gr.Button
    notice: gr.HTML
    view: gr.HTML
    result: gr.HTML


def build(t: Text) -> SearchTab:
    """Set-up on the left, what happens on the right (below on a phone)."""
    with gr.Row(elem_id="t2-search-row"):
        with gr.Column(elem_id="t2-search-setup", min_width=280):
            markup(f'<h2 class="t2-h2">{t.words("search.title")}</h2><p class="t2-faint">{t.words("search.intro")}</p>')
            source = gr.Radio([(t("search.from_task"), "task"), (t("search.own"), "own")], value="task",
                              label=t("search.source"), interactive=True, elem_id="t2-search-source")  # fmt: skip
            task = gr.Dropdown([(t.family(name), name) for name in TASKS], value=TASKS[0], label=t("search.task"),
                               interactive=True, filterable=False, elem_id="t2-search-task")  # fmt: skip
            shots = gr.Slider(1, 32, 8, step=1, label=t("search.shots"), interactive=True, elem_id="t2-search-shots")
            own = own_examples.build(t)
            preset = gr.Radio([(t(f"search.preset_{p}"), p) for p in PRESETS], value="live", label=t("search.preset"),
                              interactive=True, elem_id="t2-search-preset")  # fmt: skip
            with gr.Accordion(t("settings.title"), open=False, elem_id="t2-search-settings"):
                per_layer = gr.Checkbox(False, label=t("search.per_layer"), interactive=True, elem_id="t2-search-layers")
                objective = gr.Radio([(t(f"search.objective_{o}"), o) for o in OBJECTIVES], value="preset",
                                     label=t("search.objective"), interactive=True, elem_id="t2-search-objective")  # fmt: skip
                population = gr.Number(0, label=t("search.population"), precision=0, interactive=True,
                                       elem_id="t2-search-population")  # fmt: skip
                elites = gr.Number(0, label=t("search.elites"), precision=0, interactive=True, elem_id="t2-search-elites")
                generations = gr.Number(0, label=t("search.generations"), precision=0, interactive=True,
                                        elem_id="t2-search-generations")  # fmt: skip
                seed = gr.Number(0, label=t("settings.seed"), precision=0, interactive=True, elem_id="t2-search-seed")
            told = markup("", elem_id="t2-search-estimate")
            with gr.Row(elem_id="t2-search-actions"):
                start = gr.Button(t("search.start"), variant="primary", interactive=False, elem_id="t2-search-start", min_width=90)
                resume = gr.Button(t("search.resume"), interactive=False, elem_id="t2-search-resume", min_width=70)
                stop = gr.Button(t("stop.button"), variant="stop", interactive=False, elem_id="t2-search-stop", min_width=60)
        with gr.Column(elem_id="t2-search-panel", min_width=320):
            notice = markup("", elem_id="t2-search-notice")
            view = search_live.picture(t, elem_id="t2-search-view")
            result = chips("", elem_id="t2-search-result")
    return SearchTab(source, task, shots, own, preset, per_layer, seed, objective, population, elites, generations,
                     told, start, resume, stop, notice, view, result)  # fmt: skip


@dataclass(frozen=True)
class Setup:
    """What a visitor set up, checked; ``places``: where each shot stands among what he gave, in words; ``left``: what cannot be
    used, and why."""

    shots: list[Any]
    fresh: list[Any]
    task: str
    settings: Any
    places: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def prepare(t: Text, source: Any, task: Any, shots: Any, own: Any, preset: Any, per_layer: Any, seed: Any,
            objective: Any = "preset", population: Any = None, generations: Any = None, table: Any = None, elites: Any = None) -> Setup:  # fmt: skip
    """Shots and settings behind the components' values; a budget or number of elites of 0 (or none) is the preset's. One's own examples are the rows of
    ``table`` and, behind them, what is in the text ``own``.

    Raises:
        InputError: nothing to search with, an impossible seed or budget; says what to do.
    """
    from t2ui.engine.search import PRESETS as KNOWN
    from t2ui.tasks import get_task
    from t2ui.train.fewshot import shots_of

    if seed is None or not 0 <= int(seed) < 2**31:
        raise InputError(t("question.seed", limit=2**31 - 1))
    settings = replace(KNOWN[str(preset)].settings, seed=int(seed), per_layer=bool(per_layer), rows=ROWS)
    if objective in OBJECTIVES[1:]:
        settings = replace(settings, objective=str(objective))
    population, generations = population or settings.population, generations or settings.generations
    if not (1 <= population <= MAX_POPULATION and 1 <= generations <= MAX_GENERATIONS):
        raise InputError(t("search.bad_budget", population=MAX_POPULATION, generations=MAX_GENERATIONS))
    settings = replace(settings, population=int(population), generations=int(generations))
    if elites:
        if not 1 <= elites <= settings.population:
            raise InputError(t("search.bad_elites", population=settings.population))
        settings = replace(settings, elites=int(elites) / settings.population)
    if source != "own":
        made, fresh = shots_of(get_task(str(task)), int(shots or 8), int(seed), FRESH)
        return Setup(made, fresh, str(task), settings)
    try:
        return _own(t, str(own or ""), table, settings)
    except ValueError as error:
        raise error if isinstance(error, InputError) else InputError(str(error)) from error


def _own(t: Text, text: str, table: Any, settings: Any) -> Setup:
    from t2ui.example_table import added, judge, read, rows_of
    from t2ui.shots import MAX_EXAMPLES, parse, shots_from
    from t2ui.tasks import get_task
    from t2ui.train.fewshot import shots_of

    rows = read(table)
    told = judge(rows)
    shots, places = list(told.shots), [t("search.row", n=n) for n in told.numbers]
    left = [(t("search.row", n=n), why) for n, why in told.left]
    if text.strip() or not (shots or left):
        found = parse(text)
        new = set(added(rows, rows_of(found.examples))[sum(not row.blank for row in rows) :])
        fresh_lines = [e for e in found.examples if rows_of([e])[0] in new]  # what is in the table already counts once
        lines, refused = shots_from(fresh_lines)
        bad = {n for n, _ in refused}
        shots += lines
        places += [t("search.line", n=e.line) for e in fresh_lines if e.line not in bad]
        left += [(t("search.line", n=n), why) for n, why in sorted([*found.broken, *refused])]
    if not shots:
        raise InputError(t("search.no_example", why="; ".join(f"{where} {why}" for where, why in left[:3])))
    if len(shots) > MAX_EXAMPLES:
        raise InputError(t("search.too_many", n=len(shots), limit=MAX_EXAMPLES))
    fresh: list[Any] = []
    task = ""
    if told.origin is not None and len(shots) == len(told.shots):  # nothing was changed: it is a search from that task
        task, seed = told.origin
        fresh = shots_of(get_task(task), len(shots), seed, FRESH)[1]
    return Setup(shots, fresh, task, settings, tuple(places), tuple(left))


def fitting(ready: Setup, loaded: Any, t: Text) -> Setup:
    """Without the examples of one's own that this model has no room for: they are named like others that cannot be used.

    Raises:
        InputError: none is left.
    """
    from t2ui.searches import unreadable

    refused = unreadable(loaded, ready.shots) if ready.places else {}
    if not refused:
        return ready
    left = (*ready.left, *((ready.places[i], why) for i, why in refused.items()))
    if len(refused) == len(ready.shots):
        raise InputError(t("search.no_example", why="; ".join(f"{where} {why}" for where, why in left[:3])))
    stay = [i for i in range(len(ready.shots)) if i not in refused]
    return replace(ready, shots=[ready.shots[i] for i in stay], places=tuple(ready.places[i] for i in stay), left=left)


def wire(tab: SearchTab, mix_tab: MixTab, tabs: gr.Tabs, backend: Backend, sessions: Sessions, t: Text) -> None:
    """Connect the tab; a visitor's search is saved in a folder of the page's own, so that it can go on."""
    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    setup = [tab.source, tab.task, tab.shots, tab.own.text, tab.preset, tab.per_layer, tab.seed, tab.objective, tab.population,
             tab.generations, tab.own.table, tab.elites]  # fmt: skip
    outputs = [tab.notice, tab.view, tab.result, tab.start, tab.resume, tab.stop]
    folder = Path(tempfile.mkdtemp(prefix="t2ui-search-"))

    own_examples.wire(tab.own, tab.task, tab.shots, tab.seed, t)

    def estimated(*values: Any) -> str:
        """How long it will take, as far as that can be said; nothing for a set-up that cannot be searched."""
        try:
            ready = prepare(t, *values)
        except ValueError:
            return ""
        count = ready.settings.population * ready.settings.generations * len(ready.shots)
        speed = backend.engine.second_per_token if backend.state == "ready" else None
        try:
            if speed is None:
                return t.html("search.estimate_unknown", answers=f"{count:,}")
            seconds = estimate(backend.engine.loaded, ready.shots, ready.settings, speed)
        except ValueError:
            return ""
        return t.html("search.estimate", time=ms(seconds), answers=f"{count:,}")

    told = [tab.source, tab.task, tab.shots, tab.own.text, tab.preset, tab.objective, tab.population, tab.generations]
    for event in (*(part.change for part in told), tab.own.table.edited):
        event(estimated, setup, [tab.estimate], trigger_mode="always_last", **quiet)

    def handler(go_on: bool):
        async def begin(request: gr.Request, *values):
            changes = Changes(len(outputs))
            try:
                if backend.state != "ready":
                    raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
                ready = await asyncio.to_thread(prepare, t, *values)
                ready = await asyncio.to_thread(fitting, ready, backend.engine.loaded, t)
            except ValueError as error:
                yield changes(parts.notice(str(error), "error"), *[None] * 5)
                return
            session = session_of(request)
            path = folder / f"{''.join(c for c in session if c.isalnum()) or 'page'}.json"
            if not go_on:
                path.unlink(missing_ok=True)
            halt = sessions.begin(session, "search")
            busy, free = gr.update(interactive=False), gr.update(interactive=True)
            yield changes(search_view.broken(ready.left, t), None, "", busy, busy, free)
            last = SearchView()
            try:
                async for last in run_search(backend.engine, ready.shots, ready.settings, task=ready.task, fresh=ready.fresh,
                                             heldout_n=HELDOUT if ready.task else 0, halt=halt, path=path):  # fmt: skip
                    if halt.replaced:
                        return
                    told = parts.notice(last.error, "error") if last.error else None
                    yield changes(told, search_view.picture(last, t), search_view.result(last, t), None, None, None)
            except Exception as error:
                yield changes(parts.notice(explain(error, t), "error"), *[None] * 5)
            more = gr.update(interactive=last.stage == "stopped" and len(last.generations) < last.planned)
            yield changes(None, None, None, free, more, busy)

        return begin

    scroll = "() => { window.t2ui.showResult('t2-search-panel'); }"
    for button, go_on in ((tab.start, False), (tab.resume, True)):
        button.click(None, None, None, js=scroll, queue=False, api_visibility="private")
        button.click(handler(go_on), setup, outputs, **LIVE)

    def stop(request: gr.Request) -> None:
        sessions.stop(session_of(request))

    tab.stop.click(stop, None, None, **quiet)

    def use(event: gr.EventData):
        from t2ui.core.mixing import Mix

        try:
            mix = Mix.parse(str((event._data or {}).get("mix")))
        except ValueError:
            return [*[gr.skip()] * len(mix_tab.mixer), gr.skip()]
        values = [mix.alpha(name) for name in backend.names]
        plain = [sum(v) / len(v) if isinstance(v, tuple) else v for v in values]
        return [*mix_tab.loaded([round(v, 4) for v in plain]), gr.Tabs(selected="mix")]

    tab.result.pick(use, None, [*mix_tab.mixer, tabs], **quiet)

    def forget() -> None:
        shutil.rmtree(folder, ignore_errors=True)

    import atexit

    atexit.register(forget)
