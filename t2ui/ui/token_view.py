"""Spans of text with numbers behind them: the tokens of an answer, the words of a prompt, and what was asked of the model.

Pure functions to HTML. Every span carries its numbers as words (``data-tip``); ``ask.js`` shows them below the text on hover
and focus (one tab stop, arrow keys move). Nothing is told by colour alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from t2ui.runs import FirstPass, Row
from t2ui.ui.text import Text

if TYPE_CHECKING:
    from t2ui.engine.influence import Influence, Verbatim
    from t2ui.engine.tokens import Token

STRONG = 0.5  # of the strongest influence: such words are set in bold and listed
LEAST = 0.005  # influences below half a point are not listed


def share(p: float) -> str:
    """A probability for people: whole percents, finer at the ends."""
    if p < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= p < 1:
        return "> 99.9 %"
    return f"{100 * p:.1f} %" if p < 0.095 or 0.9905 < p < 1 else f"{100 * p:.0f} %"


def points(change: float) -> str:
    """A difference of probabilities in points, with its sign."""
    return f"{100 * change:+.1f}".replace("-", "\u2212")


def tokens(row: Row, known: Sequence[Token] | None, other: Sequence[int] | None, t: Text) -> str:
    """An answer as its tokens; before they are known, why there are none.

    Args:
        other: the ids of the answer beside it, to mark where they part and what differs; None marks nothing.
    """
    if not known:
        words = t("tokens.after") if row.reason is None or row.ids else t("tokens.none")
        return f'<p class="t2-faint">{escape(words)}</p>'
    new, first = differing([token.id for token in known], other)
    base = row.mix in ("base", "")
    spans = []
    for i, token in enumerate(known):
        css = "t2-tok" + (" t2-other" if token.base_rank > 1 else "") + (" t2-new" if i in new else "")
        part = f' data-part="{t.html("tokens.part")}"' if i == first else ""
        spans.append(
            f'<span class="{css}" role="option" tabindex="{0 if i == 0 else -1}" style="--doubt:{round(100 * (1 - token.p))}%"'
            f'{part} data-tip="{escape(tip(token, base, t), quote=True)}">{shown(token, t)}</span>'
        )
    return (
        f'<div class="t2-tokens" role="listbox" aria-label="{t.html("tokens.label")}" data-t2="tips">{"".join(spans)}</div>'
        f'<p class="t2-tip" data-empty="{t.html("tokens.hint")}">{t.html("tokens.hint")}</p>'
        f'<p class="t2-faint">{escape(summary(known, first, base, t))}</p>'
    )


def differing(ids: Sequence[int], other: Sequence[int] | None) -> tuple[set[int], int | None]:
    """Which tokens the other answer does not have at this place, and the first at which the two part (None: nowhere)."""
    if other is None:
        return set(), None
    new: set[int] = set()
    for kind, start, end, _, _ in difflib.SequenceMatcher(None, list(ids), list(other), autojunk=False).get_opcodes():
        if kind in ("replace", "delete"):
            new.update(range(start, end))
    first = next((i for i, pair in enumerate(zip(ids, other, strict=False)) if pair[0] != pair[1]), None)
    if first is None and len(ids) > len(other):
        first = len(other)
    return new, first


def shown(token: Token, t: Text) -> str:
    """The token's text, or a sign for what has none: control tokens, line breaks, halves of characters."""
    if not token.text:
        control = token.name.startswith("<") and not token.name.startswith("<0x")  # the latter is half a character
        return f'<span class="t2-sign">{escape(t("tokens.end") if control else "…")}</span>'
    if token.text.strip(" ") == "":
        return f'<span class="t2-sign">{"␣" * len(token.text)}</span>'
    lines = token.text.split("\n")
    return '<span class="t2-sign">↵</span>\n'.join(escape(line) for line in lines)


def tip(token: Token, base: bool, t: Text) -> str:
    """The numbers of one token, in words."""
    text = quoted(token.text, t) if token.text else token.name
    if base:
        return t("tokens.tip_base", text=text, p=share(token.p), rank=token.rank)
    said = t("tokens.tip", text=text, p=share(token.p), rank=token.rank, base_p=share(token.base_p), base_rank=token.base_rank)
    if token.base_rank > 1:
        said += " " + t("tokens.instead", text=quoted(token.base_text, t), p=share(token.base_top))
    return said


def quoted(text: str, t: Text) -> str:
    """A token's text in quotes, with signs for spaces and line breaks."""
    return t("tokens.quoted", text=text.replace("\n", "↵").replace(" ", "␣"))


def summary(known: Sequence[Token], first: int | None, base: bool, t: Text) -> str:
    """What stands out, so that nobody has to look for it."""
    least = min(known, key=lambda token: token.p)
    parts = [t("tokens.least", text=(least.text or least.name).strip() or least.name, p=share(least.p))]
    if not base:
        parts.insert(0, t("tokens.others", k=sum(token.base_rank > 1 for token in known), n=len(known)))
    if first is not None:
        parts.append(t("tokens.parts_at", n=first + 1))
    return " ".join(parts)


def word_for_word(first: FirstPass | None, said: Verbatim | None, t: Text) -> str:
    """The first pass verbatim: what was asked, what it answers when it may say anything."""
    if first is None:
        return f'<p class="t2-faint">{t.words("why.empty")}</p>'
    if not first.scores:
        return f'<p class="t2-faint">{t.html("why.unasked")}</p>'
    if said is None:
        asked = f'<pre class="t2-raw">{escape(first.question)}</pre>' if first.question else ""
        return f'<h3 class="t2-h3">{t.html("why.question")}</h3>{asked}<p class="t2-faint">{t.html("why.coming")}</p>'
    return (
        f'<h3 class="t2-h3">{t.html("why.question")}</h3><pre class="t2-raw" tabindex="0">{escape(said.question)}</pre>'
        f'<h3 class="t2-h3">{t.html("why.answer", p=share(said.probability))}</h3>'
        f'<pre class="t2-raw" tabindex="0">{escape(said.answer)}</pre><p class="t2-faint">{t.html("why.how")}</p>'
    )


def words(prompt: str, found: Influence, t: Text) -> str:
    """The prompt with its words coloured by what they changed, the strongest ones named below."""
    most = max((abs(word.change) for word in found.words), default=0.0) or 1.0
    label = t.family(found.label)
    out, at = [], 0
    for i, word in enumerate(found.words):
        out.append(escape(prompt[at : word.start]))
        at = word.end
        power = abs(word.change) / most
        strong = power >= STRONG and abs(word.change) >= LEAST
        css = "t2-word" + (" t2-for" if word.change > 0 else " t2-against") + (" t2-strong" if strong else "")
        number = f'<sup aria-hidden="true">{points(word.change)}</sup>' if strong else ""
        said = t("why.tip", text=word.text, label=label, whole=share(found.probability),
                 left=share(found.probability - word.change), points=points(-word.change))  # fmt: skip
        if word.without != found.label:
            said += " " + t("why.flips", label=t.family(word.without))
        out.append(
            f'<span class="{css}" role="option" tabindex="{0 if i == 0 else -1}" style="--power:{round(100 * power)}%" '
            f'data-tip="{escape(said, quote=True)}">{escape(word.text)}{number}</span>'
        )
    out.append(escape(prompt[at:]))
    return (
        f'<div class="t2-words t2-text" role="listbox" aria-label="{t.html("why.label", label=label)}" data-t2="tips">'
        f"{''.join(out)}</div>"
        f'<p class="t2-tip" data-empty="{t.html("why.hint")}">{t.html("why.hint")}</p>'
        f'<p class="t2-why">{words_summary(found, t)}</p>'
    )


def words_summary(found: Influence, t: Text, most: int = 4) -> str:
    """The words that count, in words (HTML)."""
    label = t.family(found.label)

    def listed(sign: int) -> str:
        kept = sorted((w for w in found.words if sign * w.change >= LEAST), key=lambda w: -sign * w.change)[:most]
        return ", ".join(f"“{w.text}” {points(w.change)}" for w in kept)

    ahead, against = listed(1), listed(-1)
    parts = [t("why.for", label=label, words=ahead)] if ahead else []
    parts += [t("why.against", words=against)] if against else []
    parts = parts or [t("why.nothing", label=label)]
    cost = t.words("why.cost", n=len(found.words) + 1, seconds=f"{found.seconds:.1f}")
    return " ".join([*map(escape, parts), cost])
