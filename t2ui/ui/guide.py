"""First steps on the page itself: each points at a real control and is ticked off when it was used; and the list of keys.

Nothing here is in anybody's way: the card can be skipped, is remembered as skipped, and the header opens it again. What a step
points at and what ends it are selectors in its markup; ``static/guide.js`` follows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from t2ui.ui.text import Text


@dataclass(frozen=True)
class Step:
    """Attributes: key: of its text; tab: which tab it is on; target: what it points at; done: what is on the page once it was done."""

    key: str
    tab: str
    target: str
    done: str = ""


STEPS = (
    Step("seen", "ask", "#t2-flow"),
    Step("ask", "ask", "#t2-ask", '#t2-answers .t2-answers[data-stage="done"] [data-row="dispatch"]'),
    Step("overrule", "ask", "#t2-overrule", '#t2-answers [data-row="overrule"]'),
    Step("mix", "mix", "#t2-mixer", '#t2-mix-answers .t2-answers[data-stage="done"]'),
    Step("talk", "talk", "#t2-talk-play", '#t2-talk-log [data-stage="done"]'),
)
# (what is pressed, the text's key)
KEYS = (("Shift + Enter", "shift_enter"), ("/", "slash"), ("Esc", "escape"), ("?", "question"), ("Tab", "tab"), ("← → ↑ ↓", "arrows"),
        ("Enter", "enter"))  # fmt: skip


def button(t: Text) -> str:
    """For the header."""
    return f'<button type="button" class="t2-guide-open" data-t2="guide" data-do="open">{t.html("guide.open")}</button>'


def html(t: Text) -> str:
    """An offer at the first visit, and the steps; both hidden until the script knows what to show."""
    steps = "".join(_step(i, step, t) for i, step in enumerate(STEPS))
    return (
        f'<section class="t2-guide" hidden aria-label="{t.html("guide.label")}">'
        f'<p data-guide="hello">{t.html("guide.hello")} {_press("start", t)} {_press("skip", t)}</p>'
        f'<ol data-guide="steps" hidden>{steps}</ol></section>'
    )


def _step(i: int, step: Step, t: Text) -> str:
    last = i == len(STEPS) - 1
    done = f' data-done="{escape(step.done, quote=True)}"' if step.done else ""
    return (
        f'<li hidden data-tab="{step.tab}" data-target="{escape(step.target, quote=True)}"{done}>'
        f'<strong>{t.html("guide.step", n=i + 1, of=len(STEPS))}</strong><p>{t.words(f"guide.{step.key}")}</p>'
        f'<p class="t2-guide-done" role="status" data-said="{t.html("guide.done")}"></p>'
        f'<div class="t2-presets">{_press("back", t) if i else ""}{_press("end" if last else "next", t)}{"" if last else _press("skip", t)}</div></li>'
    )


def _press(what: str, t: Text) -> str:
    return f'<button type="button" data-t2="guide" data-do="{what}">{t.html(f"guide.{what}")}</button>'


def keys_html(t: Text) -> str:
    """Every shortcut, for people without a mouse."""
    rows = "".join(f"<div><dt><kbd>{escape(key)}</kbd></dt><dd>{t.html(f'keys.{name}')}</dd></div>" for key, name in KEYS)
    return f'<details class="t2-keys" id="t2-keys"><summary>{t.html("keys.title")}</summary><dl>{rows}</dl></details>'
