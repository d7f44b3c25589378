"""Mix: a slider per expert, what the mix changes in every matrix, and the base's and the mix's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from t2ui.runs import Run, run
from t2ui.ui import depth, formula, parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import Composer, InputError, read_question
from t2ui.ui.events import LIVE, Changes, explain, look, session_of
from t2ui.ui.live import change_map, change_payload, chips, markup, pick, share_bar, share_payload
from t2ui.ui.session import Sessions
from t2ui.ui.text import Text
from t2ui.ui.theme import icon
from t2ui.ui.tried import history_html

ROWS = ("base", "mix")
NARROW, WIDE = (0.0, 1.0), (-1.0, 2.0)
ROUNDING = 0.011  # sums of shares shown in hundredths: 3 x 0.33 counts as 1


@dataclass(frozen=True)
class MixTab:
    sliders: list[gr.Slider]
    wide: gr.Checkbox
    to_one: gr.Checkbox
    depth: gr.Textbox
    editor: gr.HTML
    presets: gr.HTML
    share: gr.HTML
    refused: gr.HTML
    change: gr.HTML
    answer: gr.Button
    stop: gr.Button
    notice: gr.HTML
    answers: gr.HTML

    @property
    def mixer(self) -> list[gr.components.Component]:
        """What a mix that is loaded changes: see :meth:`loaded`."""
        return [*self.sliders, self.wide, self.to_one, self.depth]

    def loaded(self, alphas: Sequence[float], profile: str = "") -> list[Any]:
        """Updates that put a mix onto the sliders (in the order of :attr:`mixer`): the range becomes wide where the mix
        needs it, and a mix that was chosen stays as it is, whatever its sum."""
        beyond = any(not NARROW[0] <= a <= NARROW[1] for a in alphas)
        bounds = {"minimum": WIDE[0], "maximum": WIDE[1]} if beyond else {}
        values = [gr.update(value=a, **bounds) for a in alphas]
        others = [gr.update(**bounds) if beyond else gr.skip()] * (len(self.sliders) - len(values))
        one = gr.skip() if abs(sum(alphas) - 1) < ROUNDING else False
        return [*values, *others, True if beyond else gr.skip(), one, profile]

    @property
    def state(self) -> list[gr.components.Component]:
        """The current mix as an input, for :meth:`Backend.mix`."""
        return [*self.sliders, self.depth]


def presets_html(names: Sequence[str], t: Text) -> str:
    """Ready-made mixes as buttons."""
    items = [("base", t.words("preset.base"))]
    items += [(f"expert:{name}", escape(f"{icon(name)} {t.family(name)}")) for name in names]
    items += [("uniform", t.words("preset.uniform")), ("all", t.words("preset.all"))] if len(names) > 1 else []
    items += [("dispatch", t.words("preset.dispatch"))]
    buttons = "".join(f'<button type="button" {pick(preset=key)}{slot_mark(key, names)}>{label}</button>' for key, label in items)
    return f'<div class="t2-presets" role="group" aria-label="{t.html("preset.label")}">{buttons}</div>'


def slot_mark(key: str, names: Sequence[str]) -> str:
    """The attribute by which ``experts.js`` hides what belongs to an expert that is not in the mixer."""
    name = key.removeprefix("expert:")
    return f' data-slot="{list(names).index(name)}"' if key != name and name in names else ""


def preset_values(preset: str, names: Sequence[str]) -> list[float]:
    """The alphas of a ready-made mix, one per expert.

    Raises:
        ValueError: an unknown preset.
    """
    if preset == "base":
        return [0.0] * len(names)
    if preset == "all":
        return [1.0] * len(names)
    if preset == "uniform":
        return [round(1 / len(names), 2)] * len(names)
    if preset.startswith("expert:") and preset.removeprefix("expert:") in names:
        return [float(name == preset.removeprefix("expert:")) for name in names]
    raise ValueError(f"unknown preset {preset!r}")


def slot(i: int, names: Sequence[str], t: Text) -> dict[str, Any]:
    """What slider ``i`` shows: its expert's name, or nothing."""
    # The sign before the name also keeps gradio from taking a bare "code" for a key of its own translations.
    label = f"{icon(names[i])}  {t.family(names[i])}" if i < len(names) else f"{i + 1}"
    return {"visible": i < len(names), "label": label}


def build(t: Text, names: Sequence[str], cells: Sequence[Mapping[str, Any]], slots: int) -> MixTab:
    """Lay the tab out for the experts that are known so far; so many ``slots`` for sliders, the empty ones hidden."""
    with gr.Row(elem_id="t2-mix-row"):
        with gr.Column(elem_id="t2-mixer", min_width=280):
            markup(f'<h2 class="t2-h2">{t.words("mix.title")}</h2><p class="t2-faint">{t.words("mix.words")}</p>{formula.line(t)}')
            presets = chips(presets_html(names, t), elem_id="t2-presets")
            sliders = [
                gr.Slider(
                    *NARROW,
                    0,
                    step=0.01,
                    buttons=["reset"],
                    interactive=True,
                    elem_id=f"t2-alpha-{i}",
                    elem_classes=["t2-alpha", f"t2-c{i}"],
                    **slot(i, names, t),
                )
                for i in range(slots)
            ]
            gr.HTML("", html_template=f'<p class="t2-mixer-note" hidden><span></span> <button type="button" data-t2="experts">'
                    f'{t.html("experts.choose")}</button></p>', js_on_load="window.t2ui.shownSliders();", apply_default_css=False,
                    elem_id="t2-mixer-note")  # fmt: skip
            share = share_bar(share_payload(names, t), elem_id="t2-share")
            with gr.Row(elem_id="t2-mix-switches"):
                to_one = gr.Checkbox(False, label=t("mix.to_one"), info=t("mix.to_one_info"), interactive=True,
                                     elem_id="t2-to-one", min_width=150)  # fmt: skip
                wide = gr.Checkbox(False, label=t("mix.wide"), info=t("mix.wide_info"), interactive=True,
                                   elem_id="t2-wide", min_width=150)  # fmt: skip
            depth_state = depth.state()
            with gr.Accordion(t("depth.title"), open=False, elem_id="t2-depth-box"):
                depth.intro(t)
                editor = depth.editor(names, t, elem_id="t2-depth")
            refused = markup("", elem_id="t2-refused")
        with gr.Column(elem_id="t2-mapbox", min_width=320):
            markup(f'<h2 class="t2-h2">{t.words("map.title")}</h2><p class="t2-faint">{t.words("map.words")}</p>')
            change = change_map(change_payload(cells, names, t), t, elem_id="t2-map")
    with gr.Row(elem_id="t2-mix-actions"):
        answer = gr.Button(t("mix.button"), variant="primary", interactive=False, elem_id="t2-mix-answer")
        stop = gr.Button(t("stop.button"), variant="stop", interactive=False, elem_id="t2-mix-stop")
    notice = markup(parts.notice(t("status.not_ready")), elem_id="t2-mix-notice")
    markup(parts.view_switch(t), elem_id="t2-mix-view-switch")
    answers = markup(parts.answers(Run(kind="mix"), ROWS, t), elem_id="t2-mix-answers")
    return MixTab(sliders, wide, to_one, depth_state, editor, presets, share, refused, change, answer, stop, notice, answers)


def wire(tab: MixTab, box: Composer, history: gr.HTML, backend: Backend, sessions: Sessions, t: Text) -> None:
    """Connect sliders (in the browser), presets, and the button that answers; ``history`` shows the mixes tried."""
    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    repaint = "(...alphas) => { window.t2ui.setMix(alphas); }"
    gr.on([slider.change for slider in tab.sliders], None, tab.sliders, None, js=repaint, trigger_mode="always_last", **quiet)
    for i, slider in enumerate(tab.sliders):
        others = tab.sliders[:i] + tab.sliders[i + 1 :]  # not the one that is being dragged: it would jump back
        moved = f"(on, ...alphas) => window.t2ui.toOne(on, alphas, {i}).toSpliced({i}, 1)"
        slider.input(None, [tab.to_one, *tab.sliders], others, js=moved, trigger_mode="always_last", **quiet)
    switched = "(on, ...alphas) => window.t2ui.toOne(on, alphas, -1)"
    tab.to_one.input(None, [tab.to_one, *tab.sliders], tab.sliders, js=switched, **quiet)

    async def choose(prompt, picture, temperature, tokens, seed, soft, event: gr.EventData):
        preset, names = str((event._data or {}).get("preset")), list(backend.names)
        if preset == "dispatch":
            try:
                if backend.state != "ready":
                    raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
                question = read_question(t, prompt, picture, temperature, tokens, seed)
                found = await backend.engine.dispatch(question.prompt, image=question.image, soft=bool(soft))
            except ValueError as error:
                return [*[gr.skip()] * len(tab.mixer), parts.notice(str(error), "error")]
            except Exception as error:
                from t2ui.engine import EngineError

                words = str(error) if isinstance(error, EngineError) else explain(error, t)
                return [*[gr.skip()] * len(tab.mixer), parts.notice(words, "error")]
            values = [float(found.mix.alpha(name)) for name in names]
        else:
            values = preset_values(preset, names)
        return [*tab.loaded(values), ""]

    tab.presets.pick(choose, [*box.inputs, box.soft], [*tab.mixer, tab.notice], concurrency_limit=None, **quiet)

    def widen(wide: bool, *alphas: float):
        low, high = WIDE if wide else NARROW
        return [gr.update(minimum=low, maximum=high, value=min(max(float(a or 0), low), high)) for a in alphas]

    tab.wide.input(widen, [tab.wide, *tab.sliders], tab.sliders, **quiet)

    outputs = [tab.answers, tab.notice, tab.stop, history]

    async def answer(request: gr.Request, prompt, picture, temperature, tokens, seed, *alphas):
        from t2ui.core.mixing import Mix

        changes = Changes(len(outputs))
        try:
            question = read_question(t, prompt, picture, temperature, tokens, seed)
            if backend.state != "ready":
                raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
            mix = backend.mix(alphas)
        except ValueError as error:
            yield changes(None, parts.notice(str(error), "error"), None, None)
            return
        session = session_of(request)
        halt, tried = sessions.begin(session, "mix"), sessions.tried(session)
        tried.add(str(mix), alphas[:-1], alphas[-1], question.seed)
        pin = tried.pin_entry
        keys = ("base", "mix") if pin is None else ("pin", "mix")
        pinned = None if pin is None else Mix.parse(pin.mix)
        stop = gr.update(interactive=True)
        try:
            async for state in run(backend.engine, "mix", question, mix=mix, halt=halt, pinned=pinned, kept=sessions.kept(session)):
                if halt.replaced:
                    return
                if state.over:
                    sessions.show(session, "mix", state, question)
                yield changes(parts.answers(state, keys, t), parts.run_notice(state, t), stop, history_html(tried, t))
                stop = None
            yield changes(None, None, gr.update(interactive=False), None)
            known = await look(backend, state, question, keys)
            if known is not None and not halt.replaced:
                yield changes(parts.answers(state, keys, t, known), None, None, None)
        except Exception as error:
            yield changes(None, parts.notice(explain(error, t), "error"), gr.update(interactive=False), None)

    def stop_all(request: gr.Request) -> None:
        sessions.stop(session_of(request))

    tab.answer.click(answer, [*box.inputs, *tab.state], outputs, **LIVE)
    tab.stop.click(stop_all, None, None, **quiet)
