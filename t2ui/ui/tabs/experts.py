"""The list of experts at the page's side: what there is, what is known about each, which have a slider, and new ones by upload.

The list is drawn and searched in the browser (``static/experts.js``), which also remembers the pins. A page with many experts shows
sliders for the pinned ones and for those that are not at 0.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from t2ui.takeaway import folder
from t2ui.ui import parts
from t2ui.ui.backend import Backend
from t2ui.ui.composer import InputError
from t2ui.ui.events import LIVE, explain
from t2ui.ui.flow import percent
from t2ui.ui.live import markup, sent
from t2ui.ui.text import Text, both
from t2ui.ui.theme import colour, icon

if TYPE_CHECKING:
    from t2ui.engine.cards import Card

MANY = 8  # from here on the list can be searched, and experts are pinned; so many sliders are shown while nothing is
TYPES = [".safetensors", ".json", ".md", ".zip"]
TAGS_OF_ALL = frozenset({"svf", "transformer-squared", "expert", "lora", "t2ui"})  # what every card says


@dataclass(frozen=True)
class ExpertsPanel:
    list: gr.HTML
    name: gr.Textbox
    upload: gr.UploadButton
    notice: gr.HTML


def tags_of(card: Card) -> list[str]:
    """By what an expert can be filtered."""
    own = [tag for tag in card.tags if tag.lower() not in TAGS_OF_ALL]
    return list(dict.fromkeys([card.kind, *([card.task] if card.task else []), *own, *(["uploaded"] if card.uploaded else [])]))


def told(card: Card, t: Text) -> str:
    """What is known about an expert, as HTML."""
    lines = [t.words("experts.told", task=t.family(card.task), objective=card.objective) if card.task else both(escape(card.objective), "")]
    if card.before is not None and card.after is not None and card.n:
        slots = {"before": percent(card.before), "after": percent(card.after), "n": f"{card.n:,}"}
        lines.append(t.words("experts.measured", **slots))
    if card.mean is None:
        lines.append(both(t.html("experts.count", numbers=f"{card.numbers:,}"), ""))
    else:
        lines.append(both(t.html("experts.numbers", numbers=f"{card.numbers:,}", mean=f"{card.mean:.3f}"), ""))
    lines += [parts.notice(warning, "warn") for warning in card.warnings]
    return "".join(line if line.startswith("<div") else f"<p>{line}</p>" for line in lines if line)


def payload(backend: Backend, t: Text, homes: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the list is drawn from: once when the page opens, again after an upload. ``homes``: :func:`t2ui.ui.pages.elsewhere`."""
    names = tuple(backend.names)
    known = {card.name: card for card in backend.cards}
    items = []
    for i, name in enumerate(names):
        card = known.get(name)
        items.append({
            "slot": i, "name": name, "label": t.family(name), "icon": icon(name), "colour": colour(name, names),
            "kind": card.kind if card is not None and card.kind != "SVF" else "", "tags": tags_of(card) if card is not None else [],
            "told": told(card, t) if card is not None else "",
            "text": " ".join([name, t.family(name), *(() if card is None else (card.task, card.objective, *card.tags))]).lower(),
        })  # fmt: skip
    words = ("find", "tags", "all", "found", "nothing", "pin", "unpin", "only", "only_label", "slider", "hidden", "refused", "pinned",
             "uploaded", "none", "waiting")  # fmt: skip
    return {
        "base": backend.info.name if backend.info is not None else "",
        "experts": items,
        "refused": [{"name": name, "why": why, "home": (homes or {}).get(name, "")} for name, why in backend.refused],
        "many": len(names) > MANY,
        "first": MANY,
        "ready": backend.state == "ready",
        "text": {key: t(f"experts.{key}") for key in words} | {"words": t("experts.words" if len(names) > MANY else "experts.few")},
        "baseline": {"label": t("experts.base"), "words": t("experts.base_words")},
    }


def build(t: Text, backend: Backend) -> ExpertsPanel:
    """The panel, closed; it lies beside the page, on a phone over it."""
    with gr.Column(elem_id="t2-experts", min_width=0):
        script = "window.t2ui.experts(element, props, watch);"
        shown = gr.HTML(sent(payload(backend, t)), html_template=_frame(t), js_on_load=script, apply_default_css=False, elem_id="t2-experts-list")
        with gr.Accordion(t("upload.title"), open=False, elem_id="t2-upload-box", visible=backend.options.uploads):
            place = folder(backend.options.experts, "experts") or "experts/"
            markup(f'<p class="t2-faint">{t.html("upload.words", folder=place)}</p>')
            name = gr.Textbox("", label=t("upload.name"), info=t("upload.name_info"), max_length=64, max_lines=1, interactive=True,
                              elem_id="t2-upload-name")  # fmt: skip
            upload = gr.UploadButton(t("upload.button"), file_count="multiple", file_types=TYPES, size="sm", interactive=False,
                                     elem_id="t2-upload")  # fmt: skip
            notice = markup("", elem_id="t2-upload-notice")
    return ExpertsPanel(shown, name, upload, notice)


def _frame(t: Text) -> str:
    return (
        f'<section class="t2-experts" aria-label="{t.html("experts.title")}"><div class="t2-experts-head">'
        f'<h2 class="t2-h2">{t.words("experts.title")}</h2><button type="button" data-t2="experts" class="t2-experts-close" '
        f'aria-label="{t.html("experts.close")}"><span aria-hidden="true">×</span></button></div>'
        '<p class="t2-faint" data-part="words"></p><div data-part="tools" hidden>'
        f'<input type="search" data-part="find" aria-label="{t.html("experts.find")}" placeholder="{t.html("experts.find")}" '
        f'autocomplete="off" spellcheck="false"><div class="t2-experts-tags" data-part="tags" role="group" '
        f'aria-label="{t.html("experts.tags")}"></div></div><p class="t2-faint" data-part="found" role="status"></p>'
        '<ul class="t2-experts-items" data-part="items"></ul><div data-part="refused"></div></section>'
    )


def wire(panel: ExpertsPanel, backend: Backend, arrived: Callable[[], dict[Any, Any]], outputs: list[Any], t: Text) -> Any:
    """Connect the upload. ``arrived``: what the page is told once an expert is there, by component (of ``outputs``)."""

    async def uploaded(files: Any, name: str):
        from t2ui.engine import EngineError

        paths = [Path(str(file)) for file in files or []]
        try:
            if not backend.options.uploads:
                raise InputError(t("upload.off"))
            if backend.state != "ready":
                raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
            expert, asked = await take(backend, paths, str(name or ""), t)
        except (EngineError, InputError) as error:
            yield {panel.notice: parts.notice(t("upload.kept", why=str(error)), "error")}
            return
        except Exception as error:
            yield {panel.notice: parts.notice(explain(error, t), "error")}
            return
        said = t("upload.done", name=expert.name, what=expert.objective or t("experts.uploaded"))
        said += "" if asked is None else " " + t("upload.asked", labels=", ".join(asked))
        yield {**arrived(), panel.notice: parts.notice(said), panel.name: ""}

    return panel.upload.upload(uploaded, [panel.upload, panel.name], [*outputs, panel.notice, panel.name], **LIVE)


async def take(backend: Backend, files: list[Path], name: str, t: Text) -> tuple[Any, list[str] | None]:
    """Take uploaded files in as an expert; the expert, and what the first pass asks for instead where it does not ask for it.

    Raises:
        EngineError: no expert in the files, none that this model can use, no slider left; see :mod:`t2ui.engine.uploads`.
    """
    from t2ui.cells import cells_of
    from t2ui.core.experts import ExpertError
    from t2ui.engine.dispatch import labels_of
    from t2ui.engine.uploads import UploadError, gather, take_in

    with tempfile.TemporaryDirectory(prefix="t2ui-upload-") as held:
        place = Path(held) / "upload"  # messages name the folder of a file
        place.mkdir()
        called = await asyncio.to_thread(gather, files, place)

        def admit(loaded: Any) -> Any:
            if len(backend.names) >= backend.slots:
                raise UploadError(t("upload.full", slots=backend.slots))
            try:
                arrived = take_in(loaded, place, name, called)
            except ExpertError as error:  # a visitor's file, not a failure of the engine's that its log has to tell
                raise UploadError(str(error)) from error
            backend.learn(loaded, cells_of(loaded))
            labels = labels_of(loaded)
            return arrived.expert, None if arrived.expert.name in labels else labels

        return await backend.engine.run(admit)
