"""The pieces of the page that are drawn as HTML: answers, everybody's table, notices, status.

Pure functions from plain data to HTML; whatever a visitor or the model wrote is escaped here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from t2ui.runs import Row, Run
from t2ui.ui import guide, markdown, token_view
from t2ui.ui.flow import ms, parse_alphas, percent
from t2ui.ui.text import Text, both
from t2ui.ui.theme import colour, icon

if TYPE_CHECKING:
    from t2ui.details import Details
    from t2ui.engine.tokens import Token

FOREIGN = 0.02  # so much of a change that no mix explains is said


def header(t: Text) -> str:
    """Title line with the switch between light and dark (``page.js`` listens to it)."""
    return (
        f'<header class="t2-header"><div><h1>t2ui</h1><p>{t.words("page.tagline")}</p></div>{words_switch(t)}{experts_button(t)}{guide.button(t)}'
        f'<button type="button" class="t2-theme" data-t2="theme" aria-label="{t.html("page.theme")}" '
        f'title="{t.html("page.theme")}"><span aria-hidden="true">◐</span></button></header>'
    )


def experts_button(t: Text) -> str:
    """What opens and closes the list of experts (``experts.js``)."""
    return (f'<button type="button" class="t2-guide-open t2-experts-button" data-t2="experts" aria-expanded="false" '
            f'aria-controls="t2-experts">{t.words("experts.open")}</button>')  # fmt: skip


def words_switch(t: Text) -> str:
    """Simple or Expert: two buttons (``static/words.js`` knows which one is on)."""
    buttons = "".join(
        f'<button type="button" data-t2="words" data-words="{mode}" aria-pressed="false">{t.html(f"words.{mode}")}</button>'
        for mode in ("simple", "expert")
    )
    return f'<div class="t2-switch t2-words-switch" role="group" aria-label="{t.html("words.label")}">{buttons}</div>'


def status(t: Text, state: str, words: str, progress: float | None = None, simple: str | None = None) -> str:
    """What the model is doing: ``loading``, ``ready`` or ``failed``, in words (``simple``: in plain ones)."""
    bar = (
        ""
        if progress is None or state != "loading"
        else (f'<span class="t2-progress"><span style="width:{100 * min(max(progress, 0), 1):.0f}%"></span></span>')
    )
    return (
        f'<div class="t2-status" data-state="{escape(state)}" role="status">'
        f'<span class="t2-dot" aria-hidden="true"></span><span>{both(escape(words), escape(words if simple is None else simple))}</span>{bar}</div>'
    )


def notice(words: str, kind: str = "info", title: str = "", simple: str | None = None) -> str:
    """A line that says something (``simple``: in plain words); ``kind`` is ``info``, ``warn`` or ``error``. Empty: nothing at all."""
    if not words:
        return ""
    head = f"<strong>{escape(title)}</strong> " if title else ""
    told = escape(words) if simple is None else both(escape(words), escape(simple))
    role = "alert" if kind == "error" else "status"
    return f'<div class="t2-notice" data-kind="{kind}" role="{role}">{head}{told}</div>'


def recorded_badge(t: Text, recorded: Mapping[str, str] | None) -> str:
    """Says that what is shown was recorded: when, and with which model."""
    if not recorded:
        return ""
    words = t.html("recorded.words", **{key: recorded.get(key, "?") for key in ("date", "model", "question")})
    return (
        f'<div class="t2-recorded" role="note"><span class="t2-chip">{t.html("recorded.badge")}</span> '
        f"<span>{words}</span></div>"
    )


def verdict(row: Row, run: Run, t: Text) -> str:
    """Tick, cross or "cannot check", in words and with a sign besides the colour."""
    if row.right is True:
        return f'<span class="t2-verdict t2-right"><span aria-hidden="true">✓</span> {t.html("verdict.right")}</span>'
    if row.right is False:
        return f'<span class="t2-verdict t2-wrong"><span aria-hidden="true">✗</span> {t.html("verdict.wrong")}</span>'
    if row.reason in ("stop", "length"):
        return f'<span class="t2-verdict">{t.html("verdict.none")}</span>'
    return ""


def sure(row: Row, t: Text) -> str:
    """How sure the model was of this answer; nothing while it runs."""
    if row.sure is None:
        return ""
    words = t.html("sure.words", share=percent(row.sure))
    return f'<span class="t2-sure" title="{t.html("sure.title")}">{words}</span>'


def reason(row: Row, run: Run, t: Text) -> str:
    """The grader's reason, or why there is none, or how the answer ended."""
    if row.error:
        return t("answer.error", why=row.error)
    if row.reason == "cancelled":
        return t("answer.stopped")
    if row.right is not None:
        return f"{row.why.rstrip('. ')}. {t('answer.length')}" if row.reason == "length" else row.why
    if row.reason == "length":
        return t("answer.length")
    return t("verdict.unknown") if row.reason == "stop" and run.family is None else ""


def title(row: Row, t: Text) -> str:
    """What a row is called (HTML)."""
    if row.key.startswith("expert:"):
        return escape(t.family(row.key.removeprefix("expert:")))
    return t.words(f"row.{row.key}")


def mix_words(mix: str, t: Text) -> str:
    """A mix for people: ``math 0.60 + code 0.20``, or "no expert"."""
    alphas = parse_alphas(mix)
    return " + ".join(f"{t.family(name)}\u00a0{value:.2f}" for name, value in alphas.items()) or t("mix.none")


def mix_html(mix: str, t: Text) -> str:
    """:func:`mix_words` for both modes."""
    return escape(mix_words(mix, t)) if parse_alphas(mix) else t.words("mix.none")


def timing(row: Row, t: Text) -> str:
    """Time and length, as far as known (HTML); of an answer that was kept, those of the first time."""
    if not row.seconds:
        return ""
    said = t.words("answer.timing", first=ms(row.seconds.get("first")), total=ms(row.seconds.get("total")), n=row.tokens)
    return f'<span class="t2-kept">{t.html("answer.kept")}</span> · {said}' if row.kept else said


def proof(row: Row, t: Text) -> str:
    """What really adapted this answer, as the engine read it from the row's slot when the answer ended."""
    if row.change is None or not row.reason:
        return ""
    alphas = sorted(parse_alphas(row.applied or row.mix).items(), key=lambda item: -abs(item[1]))
    alphas = [(name, value) for name, value in alphas if abs(value) >= 0.005]  # else shown as 0.00
    mix = ", ".join(f"{t.family(name)} {value:.2f}" for name, value in alphas)
    said, plain = t.two("proof.line", mix=mix or t("mix.none"), share=percent(row.change, 1))
    if (seconds := row.seconds.get("mix")) is not None and row.change:
        said += ", " + ms(seconds)
    if row.rest is not None and row.rest > FOREIGN and row.change:
        more, plainly = t.two("proof.rest", share=percent(row.rest))
        said, plain = f"{said} · {more}", f"{plain} · {plainly}"
    return f'<p class="t2-proof" title="{t.html("proof.title")}">{both(escape(said), escape(plain))}</p>'


def thought(row: Row, t: Text) -> str:
    """What the model thought before it answered, folded away; nothing for a model that does not think."""
    if not row.thinking:
        return ""
    key = "thought.done" if row.text else "thought.running" if row.reason is None else "thought.only"
    words = t.html(key, n=len(row.thinking.split()))
    return (
        f'<details class="t2-thought" data-thought="{escape(row.key)}"><summary>{words}</summary>'
        f'<div class="t2-text">{escape(row.thinking)}</div></details>'
    )


def answer(
    row: Row | None, key: str, run: Run, t: Text, other: Row | None = None, tokens: Sequence[Token] | None = None
) -> str:
    """One answer as a card with two views, text and tokens; an empty card where there is no answer yet.

    ``other``: the answer beside it; once both are over, the words in which they differ are marked. ``tokens``: what is known
    about this answer's tokens (``t2ui.details``).
    """
    row = row or Row(key, "")
    running = row.reason is None and run.stage in ("waiting", "pass1", "pass2")
    mix = f'<span class="t2-mixname">{mix_html(row.mix, t)}</span>' if row.mix and key != "base" else ""
    both = other is not None and row.reason and other.reason and row.text and other.text
    if row.text:
        body = markdown.render(row.text, other.text if both else None)
        body = body.replace("<mark>", f'<mark class="t2-first" title="{t.html("tokens.part")}">', 1)
    else:
        body = f'<span class="t2-faint">{t.html("answer.coming") if running else t.html("answer.empty")}</span>'
    other_ids = other.ids if both else None
    return (
        f'<article class="t2-answer" data-row="{escape(row.key)}" data-running="{str(running).lower()}">'
        f'<div class="t2-answer-head"><h3>{title(row, t)}</h3>{mix}{verdict(row, run, t)}{sure(row, t)}</div>'
        f'{thought(row, t)}<div class="t2-view t2-view-text {text_class(row.text)}">{body}</div>'
        f'<div class="t2-view t2-view-tokens">{token_view.tokens(row, tokens, other_ids, t)}</div>'
        f'<p class="t2-why">{escape(reason(row, run, t))}</p>'
        f'<div class="t2-answer-foot">{proof(row, t) if key != "base" else ""}'
        f'<p class="t2-timing">{timing(row, t)}</p></div></article>'
    )


def answers(run: Run, keys: tuple[str, str], t: Text, known: Details | None = None) -> str:
    """Two answers side by side (one below the other on a phone); in the second, what differs is marked."""
    left, right = (run.row(key) for key in keys)
    tokens = known.tokens if known is not None else {}
    cards = answer(left, keys[0], run, t, None, tokens.get(keys[0]))
    cards += answer(right, keys[1], run, t, left, tokens.get(keys[1]))
    busy = str(run.stage in ("waiting", "pass1", "pass2")).lower()
    done = "true" if known is not None else "false"
    return (
        f'<div class="t2-answers" data-stage="{run.stage}" data-details="{done}" aria-live="polite" aria-busy="{busy}">'
        f"{cards}</div>"
    )


def view_switch(t: Text) -> str:
    """Two buttons: answers as text or as tokens (``ask.js`` shows one of the two, in all cards of the page)."""
    buttons = "".join(
        f'<button type="button" data-t2="view" data-view="{view}" aria-pressed="{str(view == "text").lower()}">'
        f'{t.html(f"view.{view}")}</button>'
        for view in ("text", "tokens")
    )
    return f'<div class="t2-switch" role="group" aria-label="{t.html("view.label")}">{buttons}</div>'


def everybody(run: Run, t: Text) -> str:
    """Every row of an ``everybody`` run, a line each; otherwise what the button would do."""
    if run.kind != "everybody" or not run.rows:
        return f'<p class="t2-faint t2-everybody-empty">{t.words("everybody.empty")}</p>'
    lines = []
    for row in run.rows:
        name = row.key.removeprefix("expert:")
        expert = row.key.startswith("expert:")
        dot = (
            (
                f'<span class="t2-dot" style="background:{colour(name, run.names)}" aria-hidden="true"></span>'
                f'<span class="t2-icon" aria-hidden="true">{escape(icon(name))}</span>'
            )
            if expert
            else ""
        )
        mix = "" if expert or row.key == "base" else f"<small>{mix_html(row.mix, t)}</small>"
        why = reason(row, run, t)
        kept = f'<span class="t2-kept">{t.html("answer.kept")}</span> ' if row.kept else ""
        lines.append(
            f'<tr data-row="{escape(row.key)}"><th scope="row">{dot}{title(row, t)}{mix}</th>'
            f'<td class="t2-cell-verdict">{verdict(row, run, t)}{sure(row, t)}</td>'
            f'<td>{thought(row, t)}<div class="{text_class(row.text)}">{escape(row.text) or "…"}</div>'
            f'<p class="t2-why">{escape(why)}</p></td>'
            f'<td class="t2-cell-ms">{kept}{escape(ms(row.seconds.get("total")) if row.seconds else "")}</td></tr>'
        )
    right = sum(row.right is True for row in run.rows)
    graded = sum(row.right is not None for row in run.rows)
    count = f'<p class="t2-faint">{t.html("everybody.count", right=right, n=graded)}</p>' if graded else ""
    columns = ("everybody.who", "everybody.verdict", "everybody.answer", "everybody.time")
    head = "".join(f'<th scope="col">{t.html(key)}</th>' for key in columns)
    return (
        f'{count}<table class="t2-everybody"><thead><tr>{head}</tr></thead><tbody aria-live="polite">'
        f"{''.join(lines)}</tbody></table>"
    )


def overrule(run: Run, t: Text) -> str:
    """Once dispatch has chosen and answered: buttons for whoever knows better. Nothing before."""
    first, row = run.first_pass, run.row("dispatch")
    if first is None or row is None or not run.over or not row.reason:
        return ""
    used = set(parse_alphas(row.mix)) or {"base"}
    buttons = []
    for name in ("base", *run.names):
        chosen = " aria-disabled=\"true\"" if used == {name} else ""
        label = t.words("row.base") if name == "base" else escape(f"{icon(name)} {t.family(name)}")
        data = escape(json.dumps({"expert": name}))
        slot = "" if name == "base" else f' data-slot="{run.names.index(name)}"'  # of many, those that have a slider (experts.js)
        buttons.append(f'<button type="button" data-pick="{data}"{chosen}{slot}>{label}</button>')
    share = percent(first.scores.get(first.choice)) if first.scores else ""
    reason = t.words("overrule.why", why=first.why[:1].upper() + first.why[1:], choice=t.family(first.choice), share=share)
    why = f'<p class="t2-why">{reason if first.scores else both(escape(first.why), "")}</p>'
    return (f'{why}<div class="t2-presets t2-overrule" role="group" aria-label="{t.html("overrule.label")}">'
            f'<span class="t2-faint">{t.words("overrule.label")}</span>{"".join(buttons)}</div>')  # fmt: skip


def wait_words(waiting: int, seconds: float | None, t: Text) -> str:
    """Who stands before somebody in the queue, and for about how long where that is known; "" for nobody."""
    if not waiting:
        return ""
    if seconds is None:
        return t("run.waiting", n=waiting)
    return t("run.waiting_about", n=waiting, time=f"{max(1, round(seconds))} s" if seconds < 90 else f"{round(seconds / 60)} min")


def turn_words(waiting: int, seconds: float | None, t: Text) -> str:
    """That something waits for its turn, with :func:`wait_words`."""
    return f"{t('score.waiting')} {wait_words(waiting, seconds, t)}".rstrip()


def run_notice(run: Run, t: Text) -> str:
    """What has to be said about a run: an error, a place in the queue, "outside this model's world"."""
    if run.error:
        return notice(t("run.error", why=run.error), "error")
    if run.stage == "stopped":
        return notice(t("run.stopped"), "info")
    if run.stage == "waiting" and run.waiting:
        return notice(wait_words(run.waiting, run.wait, t), "info")
    if run.first_pass and run.first_pass.outside:
        expert, simple = t.two("run.outside_why", why=run.first_pass.outside_why)
        return notice(expert, "warn", t("run.outside"), simple)
    if run.over and run.kept:
        return notice(t("run.kept"))
    return ""


def refused(entries: Sequence[tuple[str, str]], t: Text, links: Mapping[str, str] | None = None) -> str:
    """Experts that cannot be used with this model, with the reasons; ``links``: by name, HTML that says where it can be used."""
    if not entries:
        return ""
    lines = []
    for name, why in entries:
        link = (links or {}).get(name, "")
        told = f"{link}<details><summary>{t.html('mix.refused_why')}</summary>{escape(why)}</details>" if link else escape(why)
        lines.append(f"<li><strong>{escape(name)}</strong> {told}</li>")
    return f'<div class="t2-refused"><p>{t.words("mix.refused")}</p><ul>{"".join(lines)}</ul></div>'


def text_class(text: str) -> str:
    """Code stands in a fixed-width font."""
    return "t2-text t2-code" if markdown.is_code(text) else "t2-text"
