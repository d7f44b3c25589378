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
from t2ui.ui.tabs.mix import MixTab, loaded
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
    own: gr.Textbox
    upload: gr.UploadButton
    preset: gr.Radio
    per_layer: gr.Checkbox
    seed: gr.Number
    objective: gr.Radio
    population: gr.Number
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
            own = gr.Textbox("", label=t("search.own_label"), placeholder=t("search.own_placeholder"), lines=6,
                             max_lines=16, visible=False, interactive=True, elem_id="t2-search-own")  # fmt: skip
            upload = gr.UploadButton(t("search.upload"), file_types=[".jsonl", ".json", ".csv", ".tsv", ".txt"],
                                     visible=False, elem_id="t2-search-upload", size="sm")  # fmt: skip
            preset = gr.Radio([(t(f"search.preset_{p}"), p) for p in PRESETS], value="live", label=t("search.preset"),
                              interactive=True, elem_id="t2-search-preset")  # fmt: skip
            with gr.Accordion(t("settings.title"), open=False, elem_id="t2-search-settings"):
                per_layer = gr.Checkbox(False, label=t("search.per_layer"), interactive=True, elem_id="t2-search-layers")
                objective = gr.Radio([(t(f"search.objective_{o}"), o) for o in OBJECTIVES], value="preset",
                                     label=t("search.objective"), interactive=True, elem_id="t2-search-objective")  # fmt: skip
                population = gr.Number(0, label=t("search.population"), precision=0, interactive=True,
                                       elem_id="t2-search-population")  # fmt: skip
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
    return SearchTab(source, task, shots, own, upload, preset, per_layer, seed, objective, population, generations,
                     told, start, resume, stop, notice, view, result)  # fmt: skip


@dataclass(frozen=True)
class Setup:
    """What a visitor set up, checked."""

    shots: list[Any]
    fresh: list[Any]
    task: str
    settings: Any
    notice: str


def prepare(t: Text, source: Any, task: Any, shots: Any, own: Any, preset: Any, per_layer: Any, seed: Any,
            objective: Any = "preset", population: Any = None, generations: Any = None) -> Setup:  # fmt: skip
    """Shots and settings behind the components' values; a budget of 0 (or none) is the preset's.

    Raises:
        InputError: nothing to search with, an impossible seed or budget; says what to do.
    """
    from t2ui.engine.search import PRESETS as KNOWN
    from t2ui.shots import parse, shots_from
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
    if source != "own":
        made, fresh = shots_of(get_task(str(task)), int(shots or 8), int(seed), FRESH)
        return Setup(made, fresh, str(task), settings, "")
    try:
        read = parse(str(own or ""))
    except ValueError as error:
        raise InputError(str(error)) from error
    made, left = shots_from(read.examples)
    lines = search_view.broken(sorted([*read.broken, *left]), t)
    if not made:
        raise InputError(t("search.no_example", why=read.broken[0][1] if read.broken else left[0][1] if left else ""))
    return Setup(made, [], "", settings, lines)


def wire(tab: SearchTab, mix_tab: MixTab, tabs: gr.Tabs, backend: Backend, sessions: Sessions, t: Text) -> None:
    """Connect the tab; a visitor's search is saved in a folder of the page's own, so that it can go on."""
    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    setup = [tab.source, tab.task, tab.shots, tab.own, tab.preset, tab.per_layer, tab.seed, tab.objective, tab.population,
             tab.generations]  # fmt: skip
    outputs = [tab.notice, tab.view, tab.result, tab.start, tab.resume, tab.stop]
    folder = Path(tempfile.mkdtemp(prefix="t2ui-search-"))

    def show(source: str):
        own = source == "own"
        return [gr.update(visible=not own), gr.update(visible=not own), gr.update(visible=own), gr.update(visible=own)]

    tab.source.change(show, [tab.source], [tab.task, tab.shots, tab.own, tab.upload], **quiet)

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

    for part in setup[:-5] + setup[-3:]:
        part.change(estimated, setup, [tab.estimate], trigger_mode="always_last", **quiet)

    def read(path: Any):
        from t2ui.shots import MAX_BYTES

        try:
            data = Path(str(path)).read_bytes()
            if len(data) > MAX_BYTES:
                raise ValueError(t("search.too_big", limit=MAX_BYTES // 1_000_000))
            return data.decode("utf-8-sig"), ""
        except UnicodeDecodeError:
            return gr.skip(), parts.notice(t("search.no_text"), "error")
        except (OSError, ValueError) as error:
            return gr.skip(), parts.notice(str(error), "error")

    tab.upload.upload(read, [tab.upload], [tab.own, tab.notice], **quiet)

    def handler(go_on: bool):
        async def begin(request: gr.Request, *values):
            changes = Changes(len(outputs))
            try:
                if backend.state != "ready":
                    raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
                ready = await asyncio.to_thread(prepare, t, *values)
            except ValueError as error:
                yield changes(parts.notice(str(error), "error"), *[None] * 5)
                return
            session = session_of(request)
            path = folder / f"{''.join(c for c in session if c.isalnum()) or 'page'}.json"
            if not go_on:
                path.unlink(missing_ok=True)
            halt = sessions.begin(session, "search")
            busy, free = gr.update(interactive=False), gr.update(interactive=True)
            yield changes(ready.notice, None, "", busy, busy, free)
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
        return [*loaded([round(v, 4) for v in plain]), gr.Tabs(selected="mix")]

    tab.result.pick(use, None, [*mix_tab.mixer, tabs], **quiet)

    def forget() -> None:
        shutil.rmtree(folder, ignore_errors=True)

    import atexit

    atexit.register(forget)
