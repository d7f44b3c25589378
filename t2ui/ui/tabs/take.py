"""The address that holds the page's state, and what can be taken along: a link, a Python script, a command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from t2ui import builtin, takeaway
from t2ui.ui import link, parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import Composer, InputError
from t2ui.ui.events import explain
from t2ui.ui.live import markup
from t2ui.ui.tabs.mix import MixTab
from t2ui.ui.text import Text

QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
KINDS = ("link", "python", "command")


@dataclass(frozen=True)
class TakeBox:
    buttons: dict[str, gr.Button]
    where: gr.Textbox
    taken: gr.HTML


def build(t: Text) -> TakeBox:
    with gr.Accordion(t("take.title"), open=False, elem_id="t2-take"):
        with gr.Row(elem_id="t2-take-buttons"):
            buttons = {kind: gr.Button(t(f"take.{kind}"), size="sm", min_width=80, elem_id=f"t2-take-{kind}") for kind in KINDS}
        where = gr.Textbox("", visible=False)  # what only the browser knows: the tab, the picture's name, the address
        taken = markup(f'<p class="t2-faint">{t.html("take.words")}</p>', elem_id="t2-taken")
    return TakeBox(buttons, where, taken)


def names_html(names: Sequence[str]) -> str:
    """The experts' names for ``link.js``, in the sliders' order."""
    return f'<span hidden data-t2-names="{escape(json.dumps(list(names)), quote=True)}"></span>'


def of_link(picture: bool, prompt: bool, t: Text) -> tuple[str, str]:
    """Which a link is: one that holds everything, or one that does not (own picture, long question); and the notice's kind."""
    missing = [t(f"take.missing.{key}") for key, lacks in (("picture", picture), ("prompt", prompt)) if lacks]
    return (t("take.partial", missing=", ".join(missing)), "warn") if missing else (t("take.whole"), "info")


def taken_html(text: str, said: str, kind: str, t: Text) -> str:
    """The text to be copied, with what has to be said about it."""
    note = parts.notice(said, kind)
    return (
        f'<p class="t2-faint" data-copied="{t.html("take.copied")}" data-by-hand="{t.html("take.by_hand")}" role="status"></p>'
        f'<pre class="t2-raw" tabindex="0">{escape(text)}</pre>{note}'
    )


def setup_of(where: Any, values: Sequence[Any], backend: Backend) -> takeaway.Setup:
    """What the page would ask now, as a setup that another machine can repeat.

    Args:
        where: JSON of the browser: tab and the picture's name.
        values: prompt, strategy, soft, temperature, tokens, seed, picture, alphas, the depth profile's state.

    Raises:
        ValueError: numbers out of bounds.
    """
    prompt, strategy, soft, temperature, tokens, seed, image, *alphas = values
    told = told_by_browser(where)
    picture = None
    if image:
        picture = takeaway.OWN
        if told["picture"]:
            try:
                builtin.picture(told["picture"])
                picture = told["picture"]
            except ValueError:
                pass
    mix = str(backend.mix(alphas)) if told["tab"] in ("mix", "spectra") else f"auto:{strategy or 'prompt'}"
    info, options = backend.info, backend.options
    return takeaway.Setup(
        str(prompt or ""), mix, bool(soft), picture, float(temperature or 0), int(seed or 0), int(tokens or 96),
        takeaway.folder(info.path if info else options.model, "assets/demo-model"), takeaway.folder(options.experts, "experts"),
        info.device if info else "cpu", info.dtype if info else "float32",
    )  # fmt: skip


def told_by_browser(text: Any) -> dict[str, str]:
    """What only the browser knows: tab, picture's name, address, what does not fit into it; anything else is as if it said nothing."""
    try:
        told = json.loads(str(text)[:10_000])
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    return {key: str(told.get(key) or "")[:9_000] for key in ("tab", "picture", "link", "missing")}


def wire(
    demo: gr.Blocks, take: TakeBox, box: Composer, mix_tab: MixTab, tabs: gr.Tabs,
    tab_list: Sequence[gr.Tab], notice: gr.HTML, picture_box: gr.Accordion, backend: Backend, t: Text,
) -> None:  # fmt: skip
    """Keep the address up to date, read it when the page opens, and fill the box with texts."""
    values = [box.prompt, box.strategy, box.soft, box.temperature, box.max_new_tokens, box.seed, box.picture, *mix_tab.state]
    remember = "(...values) => { window.t2ui.remember(values); }"
    gr.on([component.change for component in values], None, values, None, js=remember, trigger_mode="always_last", **QUIET)
    for tab in tab_list:
        tab.select(None, None, None, js=f"() => {{ window.t2ui.setTab({json.dumps(tab.id)}); }}", **QUIET)

    outputs = [box.prompt, box.soft, box.temperature, box.max_new_tokens, box.seed, box.picture, picture_box, tabs,
               notice, *mix_tab.mixer]  # fmt: skip

    async def restore(request: gr.Request):
        found, notes = link.read(dict(request.query_params), backend.names, t)
        if found.empty and not notes:
            return [gr.skip()] * len(outputs)
        image = None
        if found.picture is not None:
            try:
                image = await asyncio.to_thread(builtin.picture, found.picture)
            except ValueError as error:
                notes.append(t("link.left_out", what="picture", why=str(error)))
        keep = {key: gr.skip() if getattr(found, key) is None else getattr(found, key) for key in link.KEYS}
        mixer = [gr.skip()] * len(mix_tab.mixer)
        if found.mix is not None:
            mixer = mix_tab.loaded(found.mix, found.depth or "")
        said = parts.notice(" ".join(notes), "warn", t("link.title")) if notes else ""
        return [keep["prompt"], keep["soft"], keep["temperature"], keep["tokens"], keep["seed"],
                image if image is not None else gr.skip(), gr.update(open=True) if image is not None else gr.skip(),
                gr.Tabs(selected=found.tab) if found.tab else gr.skip(), said, *mixer]  # fmt: skip

    demo.load(restore, None, outputs, **QUIET).then(None, None, None, js="() => { window.t2ui.linkReady(); }", **QUIET)

    def text_of(kind: str):
        def make(where: str, *values: Any) -> str:
            try:
                if kind == "link":
                    told = told_by_browser(where)
                    own = values[6] and told["picture"] in ("", takeaway.OWN)
                    return taken_html(told["link"], *of_link(bool(own), told["missing"] == "prompt", t), t)
                if not str(values[0] or "").strip():
                    raise InputError(t("question.empty"))
                setup = setup_of(where, values, backend)
            except ValueError as error:
                return parts.notice(str(error), "error")
            except Exception as error:
                return parts.notice(explain(error, t), "error")
            text = takeaway.python(setup) if kind == "python" else takeaway.command(setup)
            return taken_html(text, t("take.own_file") if setup.picture == takeaway.OWN else "", "warn", t)

        return make

    tell = {
        "link": "(where, ...rest) => [JSON.stringify({ link: window.t2ui.link(), ...JSON.parse(window.t2ui.where()) }), ...rest]",
        "python": "(where, ...rest) => [window.t2ui.where(), ...rest]",
        "command": "(where, ...rest) => [window.t2ui.where(), ...rest]",
    }
    for kind, button in take.buttons.items():
        button.click(text_of(kind), [take.where, *values], take.taken, js=tell[kind], preprocess=False, **QUIET).then(
            None, None, None, js="() => { setTimeout(window.t2ui.copyTaken, 50); }", **QUIET
        )
