"""Questions one click away, by family, and the built-in pictures (:mod:`t2ui.builtin`), as buttons.

The families take a second to import (they compile all their phrasings), so they are imported by what needs them: the
page is on the screen first, and the examples come right after it.
"""

from __future__ import annotations

from html import escape

from t2ui.builtin import ANY, Sample, built_in, fresh, shown
from t2ui.ui.live import pick
from t2ui.ui.pictures import data_uri
from t2ui.ui.text import Text
from t2ui.ui.theme import icon

__all__ = ["ANY", "Sample", "built_in", "families_html", "fresh", "pictures_html", "shown", "waiting_html"]


def waiting_html(t: Text) -> str:
    """Holds the examples' place until they are there, so that nothing jumps."""
    words = f'<p class="t2-faint">{t.html("examples.coming")}</p>'
    return f'<div class="t2-examples t2-waiting" aria-busy="true">{words}</div>'


def families_html(t: Text) -> str:
    """A tab per family, its examples below, and "new random question" in each."""
    from t2ui.tasks import TASKS

    tabs, panels = [], []
    for i, (name, task) in enumerate(TASKS.items()):
        sign = " ".join(icon(skill) for skill in task.skills)
        tabs.append(
            f'<button type="button" role="tab" data-tab="{name}" aria-selected="{str(i == 0).lower()}" '
            f'tabindex="{0 if i == 0 else -1}"><span class="t2-icon" aria-hidden="true">{escape(sign)}</span>'
            f"{escape(t.family(name))}</button>"
        )
        cards = "".join(_card(name, k, sample, t) for k, sample in enumerate(shown(name)))
        kind = t.words("examples.two" if len(task.skills) > 1 else "examples.trained" if task.trained else "examples.unseen")
        panels.append(
            f'<div role="tabpanel" data-panel="{name}"{"" if i == 0 else " hidden"}>'
            f'<p class="t2-faint">{kind}</p>'
            f'{cards}<button type="button" class="t2-random" {pick(family=name, random=True)}>'
            f'<span aria-hidden="true">⟳</span> {t.html("examples.random")}</button></div>'
        )
    return (
        f'<div class="t2-examples"><div role="tablist" aria-label="{t.html("examples.label")}">{"".join(tabs)}</div>'
        f"{''.join(panels)}</div>"
    )


def _card(family: str, index: int, sample: Sample, t: Text) -> str:
    from t2ui.tasks import pictures

    image = (
        ""
        if sample.image is None
        else (f'<img src="{data_uri(pictures.enlarge(sample.image, 96))}" width="44" height="44" alt="">')
    )
    return (
        f'<button type="button" class="t2-example" {pick(family=family, index=index)} title="{escape(sample.prompt)}">'
        f"{image}<span>{escape(sample.prompt)}</span></button>"
    )


def pictures_html(t: Text) -> str:
    """The built-in pictures as buttons."""
    from t2ui.tasks import pictures

    buttons = "".join(
        f'<button type="button" class="t2-thumb" {pick(picture=i)} aria-label="{t.html("picture.built_in", n=i + 1)}">'
        f'<img src="{data_uri(pictures.enlarge(image, 96))}" width="48" height="48" alt=""></button>'
        for i, image in enumerate(built_in())
    )
    return f'<div class="t2-thumbs" role="group" aria-label="{t.html("picture.built_in_label")}">{buttons}</div>'
