"""The page: header, question, tabs; and what a freshly opened page is told about the model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from t2ui.recorded import Recording
from t2ui.ui import (
    aids,
    api,
    composer,
    depth,
    events,
    examples,
    guide,
    lean,
    link,
    live,
    next_steps,
    parts,
    present,
    theme,
    traffic,
)
from t2ui.ui import pages as models
from t2ui.ui.backend import Backend
from t2ui.ui.live import markup
from t2ui.ui.session import Sessions
from t2ui.ui.tabs import ask, component, experts, keep, mix, score, search, spectra, sweep, take, talk
from t2ui.ui.text import Text


def build_app(
    backend: Backend, recording: Recording | None = None, t: Text | None = None, pages: models.Pages | None = None
) -> gr.Blocks:
    """Everything on the page, with a recorded run on it until somebody asks. ``pages``: of all models on the server."""
    t = t or Text()
    sessions = Sessions()
    shown = recording.run if recording else None
    if shown and backend.state == "loading" and set(shown.names) == set(backend.names):
        backend.names = tuple(shown.names)  # the order in which the model will name them, known from the recording
    names = backend.names
    cells = recording.cells if recording and tuple(recording.run.names) == names else []
    with gr.Blocks(title="t2ui", fill_width=True, delete_cache=(3600, 86400)) as demo:
        api.add(backend, t)  # first, so that their names are theirs
        markup(parts.header(t), elem_id="t2-header")
        models.build(pages, backend, t)
        with gr.Row(elem_id="t2-top"):
            status = markup(parts.status(t, "loading", t("status.starting"), 0.0), elem_id="t2-status")
            busy = traffic.build(t)
        markup(guide.html(t), elem_id="t2-guide")
        from_link = markup("", elem_id="t2-link-notice")
        known = markup(take.names_html(names), elem_id="t2-names")
        panel = experts.build(t, backend)
        with gr.Row(elem_id="t2-main"):
            with gr.Column(elem_id="t2-question", min_width=300):
                box = composer.build(t, shown, backend.options.seed)
                taken, kept = take.build(t), keep.build(t)
            with gr.Column(elem_id="t2-panels", min_width=300):
                with gr.Tabs(elem_id="t2-tabs", selected="ask", overflow_behavior="wrap") as tabs:
                    with gr.Tab(t("tab.ask"), id="ask", elem_id="t2-tab-ask") as ask_part:
                        ask_tab = ask.build(t, shown, recording.about if recording else None)
                    with gr.Tab(t("tab.talk"), id="talk", elem_id="t2-tab-talk") as talk_part:
                        talk_tab = talk.build(t)
                    with gr.Tab(t("tab.mix"), id="mix", elem_id="t2-tab-mix") as mix_part:
                        mix_tab = mix.build(t, names, cells, backend.slots)
                        score_part = score.build(t)
                        sweep_part = sweep.build(t, names)
                    with gr.Tab(t("tab.search"), id="search", elem_id="t2-tab-search") as search_part:
                        search_tab = search.build(t)
                    with gr.Tab(t("tab.spectra"), id="spectra", elem_id="t2-tab-spectra") as spectra_part:
                        spectra_tab = spectra.build(t, names)
        player = present.build(t)
        parts_of = (ask_part, talk_part, mix_part, search_part, spectra_part)
        markup(f'<p class="t2-footer">{t.html("page.footer")}</p>{guide.keys_html(t)}')
        ask.wire(ask_tab, box, mix_tab.state, tabs, backend, sessions, t)
        talk.wire(talk_tab, box, backend, sessions, t)
        mix.wire(mix_tab, box, score_part.history, backend, sessions, t)
        score.wire(score_part, mix_tab, box, backend, sessions, t)
        sweep.wire(sweep_part, mix_tab, score_part.history, backend, sessions, t)
        search.wire(search_tab, mix_tab, tabs, backend, sessions, t)
        spectra.wire(spectra_tab, spectra_part, mix_tab.state, backend, t)
        inspected = spectra_tab.component
        component.wire(inspected, spectra_tab.matrix, spectra_tab.path, mix_tab.state, box, backend, sessions, t)
        take.wire(demo, taken, box, mix_tab, tabs, parts_of, from_link, box.picture_box, backend, t)
        keep.wire(kept, box, from_link, ask_tab, mix_tab, tabs, backend, sessions, recording, t)
        present.wire(demo, player, backend, t)
        buttons = [talk_tab.send, talk_tab.play, score_part.start, sweep_part.start, search_tab.start, inspected.look, inspected.off]
        told = Experts(status, known, box.strategy, panel.list, mix_tab, sweep_part)
        opening = _wire_loading(demo, backend, pages, told, box, talk_tab, [panel.upload, *buttons], t)
        arriving = experts.wire(panel, backend, lambda: told.updates(backend, t, models.elsewhere(pages, backend, t)), told.outputs, t)
        spectra.refill(spectra_tab, arriving, mix_tab.state, backend, t)
        aids.wire(demo, opening, box, backend, t)
        traffic.wire(demo, busy, backend, sessions, t)

        def left(request: gr.Request) -> None:
            sessions.forget(events.session_of(request))

        demo.unload(left)
    return demo


def launch_options(uploads: bool = False) -> dict[str, Any]:
    """How the page looks and what it leaves out: for ``demo.launch`` and for tests. ``uploads``: experts may be uploaded, too."""
    css = theme.css_variables() + live.styles()
    return {
        "theme": theme.theme(),
        "css": css,
        "head": live.head(),
        "footer_links": [],
        "run_history": False,
        "max_file_size": "2gb" if uploads else "12mb",
        "ssr_mode": False,
        "enable_monitoring": False,
        "app_kwargs": lean.app_kwargs(),
    }


@dataclass(frozen=True)
class Experts:
    """The components that know which experts there are: told when the model is there, and again when one was uploaded."""

    status: gr.HTML
    known: gr.HTML
    strategy: gr.Radio
    list: gr.HTML
    tab: mix.MixTab
    swept: sweep.SweepPart

    @property
    def outputs(self) -> list[gr.components.Component]:
        tab, swept = self.tab, self.swept
        return [self.status, self.known, self.strategy, self.list, tab.presets, tab.share, tab.editor, tab.change, swept.first,
                swept.second, *tab.sliders]  # fmt: skip

    def updates(self, backend: Backend, t: Text, homes: Mapping[str, str]) -> dict[Any, Any]:
        """By component (of :attr:`outputs`), for the experts that ``backend`` has now. ``homes``: :func:`t2ui.ui.pages.elsewhere`."""
        names, tab = backend.names, self.tab
        offers = zip((self.swept.first, self.swept.second), sweep.choices(names, t), strict=True)
        return {
            self.status: parts.status(t, "ready", ready_words(backend, t), simple=ready_words(backend, t, t.simple)),
            self.known: take.names_html(names),
            self.strategy: gr.update(choices=composer.strategy_choices(backend.strategies, t)),
            self.list: live.sent(experts.payload(backend, t, homes)),
            tab.presets: mix.presets_html(names, t),
            tab.share: live.share_payload(names, t),
            tab.editor: depth.payload(names, t),
            tab.change: live.sent(live.change_payload(backend.cells, names, t, n_layers=backend.n_layers)),
            **{dropdown: gr.update(**offer) for dropdown, offer in offers},
            **{slider: gr.update(**mix.slot(i, names, t)) for i, slider in enumerate(tab.sliders)},
        }


def _wire_loading(
    demo: gr.Blocks, backend: Backend, pages: models.Pages | None, told: Experts, box: composer.Composer, talked: talk.TalkTab,
    buttons: list[gr.Button], t: Text,
) -> gr.events.Dependency:  # fmt: skip
    """A new page waits here for the model: it is told what happens, and gets its sliders and buttons at the end."""
    tab, status = told.tab, told.status
    outputs = [*told.outputs, box.ask, box.everybody, tab.answer, box.notice, tab.notice, tab.depth, tab.refused, talked.memory,
               talked.notice, box.examples, box.thumbs, *buttons]  # fmt: skip

    async def opened(request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        backend.page_opened()
        before = backend.names
        # The task families first: a second of imports that the first picture did not have to wait for.
        families = await asyncio.to_thread(lambda: (examples.families_html(t), examples.pictures_html(t)))
        yield {box.examples: families[0], box.thumbs: families[1]}
        shown = ""
        while not await backend.wait(0.3):
            what = t("status.loading", what=backend.text or t("status.starting"))
            if (now := parts.status(t, "loading", what, backend.progress)) != shown:
                yield {status: now}
                shown = now
        if backend.state == "failed":
            why = parts.notice(t("status.failed", why=backend.text), "error")
            yield {status: parts.status(t, "failed", t("status.failed_short")), box.notice: why, tab.notice: why, talked.notice: why}
            return
        names = backend.names
        asks, notes = link.read(dict(request.query_params), names, t)
        asked = asks.strategy  # only now it is known which ones there are
        known = asked in backend.strategies
        # The address was read while only a guess of the experts' order was there: another order, other sliders.
        moved = asks.mix is not None and names != before
        again = (*asks.mix, *[0.0] * (len(tab.sliders) - len(asks.mix))) if moved else ()
        notes = [] if names == before else [n for n in notes if n not in link.read(dict(request.query_params), before, t)[1]]
        notes += [t("link.left_out", what="strategy", why=t("link.bad", value=asked))] if asked and not known else []
        alone = "" if names else t("next.short", name=backend.info.name)
        homes = await asyncio.to_thread(models.elsewhere, pages, backend, t)
        here = next_steps.on_this_machine(request.client.host if request.client else None, request.headers.get("host"))
        updates = told.updates(backend, t, homes)
        for i, value in enumerate(again):
            updates[tab.sliders[i]]["value"] = value
        if known:
            updates[told.strategy]["value"] = asked
        yield {
            **updates,
            **{button: gr.update(interactive=True) for button in (box.ask, box.everybody, tab.answer, *buttons)},
            box.notice: parts.notice(" ".join(notes), "warn", t("link.title")) or parts.notice(alone),
            tab.notice: "",
            tab.depth: (asks.depth or "") if moved else gr.skip(),
            talked.notice: "",
            talked.memory: talk.memory_html(backend, t),
            tab.refused: next_steps.html(backend, t, here) + parts.refused(backend.refused, t, homes),
        }

    return demo.load(opened, None, outputs, **events.LIVE)


def ready_words(backend: Backend, t: Text, say: Callable[..., str] | None = None) -> str:
    """The model in a line: name, size, device (``say``: in whose words, ``t``'s usual ones)."""
    info = backend.info
    counts = {"experts": len(backend.names), "svf": len(backend.names) - len(backend.lora), "lora": len(backend.lora)}
    return (say or t)(
        "status.ready_lora" if backend.lora else "status.ready",
        name=info.name,
        params=_size(info.params),
        **counts,
        z=f"{info.z_params:,}",
        device=info.device,
        dtype=info.dtype,
    )


def _size(n: int) -> str:
    for unit, scale in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if n >= scale:
            return f"{n / scale:.1f} {unit}"
    return str(n)
