"""Several models on one server: a page for each, the menu that names them, and whose an expert is that another model refuses.

The first model's page is ``/``, every other one's ``/m/<slug>/``; ``mounts.py`` serves them. Addresses are relative ones, so that
they hold below any path that a proxy puts before them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from t2ui.ui.backend import Backend
from t2ui.ui.text import Text

BELOW = "m"  # the part of an address below which the other pages lie


@dataclass(frozen=True)
class Page:
    """One model. Attributes: slug: its part of the address, "" for the first; name: what the menu calls it."""

    slug: str
    name: str
    backend: Backend

    @property
    def state(self) -> str:
        """``ready``, ``failed``, ``loading``, or ``idle``: nobody has asked for it yet."""
        return "idle" if self.backend.state == "loading" and not self.backend.begun else self.backend.state


class Pages:
    """All pages of a server, the first one first."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        names = [Path(str(backend.options.model)).name for backend in backends]
        self.pages: list[Page] = []
        for i, (name, backend) in enumerate(zip(names, backends, strict=True)):
            slugs, known = {page.slug for page in self.pages}, {page.name for page in self.pages}
            self.pages.append(Page(_free(slug_of(name), slugs, "{}-{}") if i else "", _free(name, known, "{} ({})"), backend))

    def __iter__(self):
        return iter(self.pages)

    def __len__(self) -> int:
        return len(self.pages)

    def of(self, backend: Backend) -> Page | None:
        return next((page for page in self.pages if page.backend is backend), None)


def slug_of(name: str) -> str:
    """A model's name as a part of an address: small letters, digits and single hyphens, never empty."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-") or "model"


def _free(wanted: str, taken: set[str], numbered: str) -> str:
    return next(name for n in range(1, len(taken) + 2) if (name := wanted if n == 1 else numbered.format(wanted, n)) not in taken)


def href(here: Page, there: Page) -> str:
    """The address of a page as another one's links write it (every page's own ends in a slash)."""
    up = "../../" if here.slug else "./"
    return f"{up}{BELOW}/{there.slug}/" if there.slug else up


# ---- the menu ---------------------------------------------------------------------------------------------------------


def states(pages: Pages, t: Text) -> dict[str, list[str]]:
    """By slug: a page's state, as a key and in words."""
    return {page.slug: [page.state, t(f"models.{page.state}")] for page in pages}


def menu_html(pages: Pages | None, backend: Backend, t: Text) -> str:
    """Which model is open, and links to the others; nothing where there is one only."""
    here = pages.of(backend) if pages is not None and len(pages) > 1 else None
    if pages is None or here is None:
        return ""
    lines = []
    for page in pages:
        state = "loading" if page is here and page.state == "idle" else page.state  # who reads this has opened it
        words = t.html(f"models.{state}")
        told = f'<span class="t2-model-state" data-slug="{page.slug}" data-state="{state}"><span class="t2-dot" aria-hidden="true"></span><span>{words}</span></span>'
        current = ' aria-current="page"' if page is here else ""
        lines.append(f'<li><a href="{href(here, page)}" data-t2-model{current}>{escape(page.name)}</a>{told}</li>')
    return (
        f'<nav class="t2-models" aria-label="{t.html("models.label")}"><details><summary>'
        f'<span class="t2-faint">{t.html("models.open")}</span> <strong>{escape(here.name)}</strong></summary>'
        f'<div class="t2-models-box"><ul>{"".join(lines)}</ul><p class="t2-faint">{t.words("models.words")}</p></div></details></nav>'
    )


def build(pages: Pages | None, backend: Backend, t: Text) -> None:
    """The menu, where there is one. While it is open it asks what is loaded by now: the page may be older than that."""
    if not menu_html(pages, backend, t):
        return

    def now(_: Any = None) -> dict[str, list[str]]:
        return states(pages, t)  # type: ignore[arg-type]

    script = "window.t2ui.modelMenu(element, () => server.now({}));"
    gr.HTML(menu_html(pages, backend, t), js_on_load=script, server_functions=[now], apply_default_css=False, elem_id="t2-models")


# ---- whose a refused expert is ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """What an expert's files say about its base. Attributes: base: its name, "" where they name none; fingerprint: of the base's
    weights at ``paths``, "" for a LoRA adapter."""

    base: str
    fingerprint: str = ""
    paths: tuple[str, ...] = ()


def origin(file: Path) -> Origin | None:
    """Read from the header of ``expert.safetensors``, or from an ``adapter_config.json``; None where they do not say."""
    try:
        if file.suffix == ".json":
            return Origin(str(json.loads(file.read_text(encoding="utf-8")).get("base_model_name_or_path") or ""))
        from safetensors import safe_open

        with safe_open(file, framework="pt") as held:
            told = json.loads((held.metadata() or {})["t2ui"])
            return Origin(str(told["base_id"]), str(told["fingerprint"]), tuple(held.keys()))
    except Exception:  # whatever is wrong with the file, the registry has said it
        return None


def home(found: Origin, pages: Pages, backend: Backend) -> Page | None:
    """The other page on which an expert belongs: of a model that is loaded, its weights decide; else its name."""
    for page in pages:
        if page.backend is backend:
            continue
        loaded = page.backend.engine.loaded if page.backend.engine is not None else None
        named = bool(found.base) and _last(found.base) == _last(page.backend.options.model)
        if loaded is None or not found.fingerprint:
            if named:
                return page
            continue
        from t2ui.core.svd import fingerprint

        digests = loaded.adapted.digests
        if all(path in digests for path in found.paths) and fingerprint({p: digests[p] for p in found.paths}) == found.fingerprint:
            return page
    return None


def _last(name: str) -> str:
    return re.split(r"[/\\]", str(name).rstrip("/\\"))[-1].casefold()


def elsewhere(pages: Pages | None, backend: Backend, t: Text) -> dict[str, str]:
    """For the refused experts that belong to another model of this server: HTML with a link to its page."""
    here = pages.of(backend) if pages is not None and len(pages) > 1 else None
    if pages is None or here is None or backend.state != "ready":
        return {}
    links = {}
    registry = backend.engine.loaded.registry
    for name, entry in (registry.refused if registry is not None else {}).items():
        found = origin(entry.path)
        if found is not None and (page := home(found, pages, backend)) is not None:
            words = t.html("models.belongs", name=page.name)
            links[name] = f'<a class="t2-link" href="{href(here, page)}" data-t2-model>{words}</a>'
    return links
