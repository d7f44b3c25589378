"""The pictures of a conversation: the strip of mixes, turn by turn, and the turns themselves. Pure functions to HTML.

What a visitor typed and what the model wrote are escaped here (answers by ``t2ui.ui.markdown``).
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from t2ui.conversation import Conversation, Turn
from t2ui.runs import Row
from t2ui.ui import markdown, parts
from t2ui.ui.flow import parse_alphas, percent
from t2ui.ui.live import pick
from t2ui.ui.text import Text, both
from t2ui.ui.theme import colour, icon


def strip(turns: Sequence[Turn], t: Text) -> str:
    """A bar per turn: how much of each expert acts, the rest is base; the numbers stand below as text."""
    head = f'<h3 class="t2-h3" id="t2-strip-title">{t.words("talk.strip")}</h3>'
    if not turns:
        return f'{head}<p class="t2-faint">{t.html("talk.strip_empty")}</p>'
    bars = "".join(_bar(turn, t) for turn in turns)
    return (f'{head}<ol class="t2-strip" tabindex="0" aria-labelledby="t2-strip-title">{bars}</ol>'
            f'<p class="t2-faint t2-legend">{_legend(turns[-1].run.names, t)} {t.words("talk.strip_words")}</p>')  # fmt: skip


def _legend(names: Sequence[str], t: Text) -> str:
    """Which sign and colour is which expert."""
    return "".join(f'<span><i style="background:{colour(n, names)}"></i>{escape(icon(n))} {escape(t.family(n))}</span>' for n in names)


def _bar(turn: Turn, t: Text) -> str:
    first = turn.run.first_pass
    if first is None:
        words = t.html("talk.strip_waiting", n=turn.number)
        return f'<li data-turn="{turn.number}" title="{words}"><span class="t2-stack"></span><b>{turn.number}</b><small>…</small></li>'
    alphas = parse_alphas(first.mix)
    whole = max(1.0, sum(max(a, 0.0) for a in alphas.values()))
    names = turn.run.names or tuple(alphas)
    pieces = "".join(f'<i style="height:{100 * max(a, 0.0) / whole:.1f}%;background:{colour(n, names)}"></i>' for n, a in alphas.items())
    strongest = sorted(alphas.items(), key=lambda item: -abs(item[1]))[:2]
    numbers = "".join(f"<small>{escape(icon(n))} {a:.2f}</small>" for n, a in strongest) or f"<small>{t.words('talk.strip_base')}</small>"
    words = t("talk.strip_turn", n=turn.number, mix=parts.mix_words(first.mix, t))
    return (f'<li data-turn="{turn.number}" title="{escape(words, quote=True)}" aria-label="{escape(words, quote=True)}">'
            f'<span class="t2-stack" aria-hidden="true">{pieces}</span><b>{turn.number}</b>{numbers}</li>')  # fmt: skip


def log(turns: Sequence[Turn], t: Text, busy: bool = False) -> str:
    """The turns that are over, the oldest first, each with buttons to try it again or edit its message."""
    if not turns and not busy:
        return f'<p class="t2-faint t2-talk-empty">{t.html("talk.empty")}</p>'
    told = "".join(turn_html(turn, t, buttons=True) for turn in turns)
    return f'<div role="log" aria-live="polite" aria-label="{t.html("talk.title")}">{told}</div>'


def turn_html(turn: Turn, t: Text, buttons: bool = False) -> str:
    """A message and its answer, with the verdict, the mix and what the first pass said."""
    run, row = turn.run, turn.run.row("dispatch") or Row("dispatch", "")
    image = f'<img src="data:image/png;base64,{escape(run.picture)}" alt="{t.html("picture.alt")}">' if run.picture else ""
    actions = ""
    if buttons:
        actions = "".join(
            f'<button type="button" {pick(**{kind: turn.number})} aria-label="{t.html(f"talk.{kind}_label", n=turn.number)}">'
            f'{t.html(f"talk.{kind}")}</button>'
            for kind in ("retry", "edit")
        )
        actions = f'<span class="t2-presets">{actions}</span>'
    told = markdown.render(row.text) if row.text else f'<span class="t2-faint">{t.html("answer.coming") if not run.over else "–"}</span>'
    error = parts.notice(run.error, "error") if run.error else ""
    outside = run.first_pass is not None and run.first_pass.outside
    return (
        f'<article class="t2-turn" data-turn="{turn.number}" data-stage="{run.stage}">'
        f'<div class="t2-said"><header><b>{turn.number}</b> {t.html("talk.you")} {actions}</header>{image}'
        f'<div class="t2-text">{escape(run.prompt)}</div></div>'
        f'<div class="t2-answered"><header>{t.html("talk.model")} {_mix(row, t)}{parts.verdict(row, run, t)}{parts.sure(row, t)}</header>'
        f'{parts.thought(row, t)}<div class="{parts.text_class(row.text)}">{told}</div>'
        f'<p class="t2-why">{escape(parts.reason(row, run, t))}</p>{error}{parts.run_notice(run, t) if outside or run.stage == "waiting" else ""}'
        f'<p class="t2-timing">{_about(turn, row, t)}</p></div></article>'
    )


def _mix(row: Row, t: Text) -> str:
    return f'<span class="t2-mixname">{parts.mix_html(row.mix, t)}</span>' if row.mix else ""


def _about(turn: Turn, row: Row, t: Text) -> str:
    """What the first pass said, what was read, which try it was, and how long it took (HTML)."""
    first, said = turn.run.first_pass, []
    if first is not None:
        share = percent(first.scores.get(first.choice)) if first.scores else ""
        said.append(t.words("talk.first", choice=t.family(first.choice), share=share))
    if turn.question.history:
        said.append(t.html("talk.read", n=len(turn.question.history)))
    if turn.attempt:
        said.append(both(t.html("talk.attempt", n=turn.attempt + 1, seed=turn.question.seed), ""))
    if timing := parts.timing(row, t):
        said.append(timing)
    return " · ".join(piece for piece in said if piece)


def tally(conversation: Conversation, t: Text) -> str:
    """How many of the answers that could be checked are right."""
    right, n = conversation.right
    return t.html("talk.score", right=right, n=n) if n else ""


def editing_html(conversation: Conversation, t: Text) -> str:
    """That a message is being edited, with a way out."""
    if conversation.editing is None:
        return ""
    button = f'<button type="button" {pick(cancel=True)}>{t.html("talk.keep")}</button>'
    words = t.html("talk.editing", n=conversation.editing)
    return f'<div class="t2-notice" data-kind="info" role="status">{words} <span class="t2-presets">{button}</span></div>'
