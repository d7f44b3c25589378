"""The two passes as one picture: prompt, first pass, mix, second pass, with the numbers of this run.

Pure functions from a :class:`t2ui.runs.Run` to HTML. Everything that a visitor or the model wrote is escaped. Two
drawings are made, left to right for wide screens and top to bottom for phones (CSS shows one of them), with one text
alternative for both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from itertools import zip_longest

from t2ui.runs import Row, Run
from t2ui.ui.formula import OURS, PAPER
from t2ui.ui.text import Text, both
from t2ui.ui.theme import colour, icon

OTHER = "other"
BAR = 25  # height of one line of scores
MOST = 9  # bars: of more candidates the likeliest
HEAD = 40  # height of a station's heading
FOOT = 34
_ORDER = ("prompt", "first", "mix", "second")


@dataclass(frozen=True)
class Box:
    """A station's rectangle."""

    x: float
    y: float
    w: float
    h: float


def flow_html(run: Run, t: Text) -> str:
    """The picture of a run, at whatever stage it is."""
    scores = len(_bars(run)[0]) + bool(_bars(run)[1])
    tall = max(HEAD + FOOT + BAR * max(scores, 4), 176)
    wide = [Box(1, 1, 196, tall), Box(237, 1, 266, tall), Box(543, 1, 186, tall), Box(769, 1, 230, tall)]
    narrow, y = [], 1.0
    for height in (132.0, HEAD + FOOT + BAR * max(scores, 1), 150.0, 150.0):
        narrow.append(Box(1, y, 356, height))
        y += height + 30
    label = escape(describe(run, t), quote=True)
    return (
        f'<figure class="t2-flow" data-stage="{run.stage}" role="img" aria-label="{label}">'
        f"{_drawing(run, t, wide, 1000, tall + 2, 't2-wide', across=True)}"
        f"{_drawing(run, t, narrow, 358, y - 28, 't2-narrow', across=False)}</figure>"
    )


def describe(run: Run, t: Text) -> str:
    """The picture in words, for those who cannot see it."""
    if not run.prompt:
        return t("flow.empty")
    parts = [t("flow.say_prompt", prompt=run.prompt)]
    if first := run.first_pass:
        scores = ", ".join(f"{t.family(name)} {percent(score)}" for name, score in first.scores.items()) or "–"
        parts.append(t("flow.say_first", choice=t.family(first.choice), scores=scores, ms=ms(first.seconds)))
    row = _shown(run)
    if row is not None and row.reason:
        parts.append(t("flow.say_second", answer=row.text, ms=ms(row.seconds.get("total"))))
    return " ".join(parts)


def ms(seconds: float | None) -> str:
    """Milliseconds for people: ``43 ms``, ``1.3 s``; a dash for what is not known yet."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def percent(share: float | None, digits: int = 0) -> str:
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:.{digits}f} %"


def wrap(text: str, columns: int, lines: int, end: bool = False) -> list[str]:
    """At most ``lines`` lines of at most ``columns`` characters; what is cut off is marked by an ellipsis.

    ``end`` keeps the text's end instead of its beginning (an answer closes with its result).
    """
    out: list[str] = []
    for paragraph in text.splitlines() or [""]:
        line = ""
        for word in paragraph.split(" "):
            while len(word) > columns:
                if line:
                    out.append(line)
                    line = ""
                out.append(word[:columns])
                word = word[columns:]
            if line and len(line) + 1 + len(word) > columns:
                out.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        out.append(line)
    if len(out) <= lines:
        return out
    if end:
        kept = out[-lines:]
        return ["… " + kept[0][: columns - 2], *kept[1:]]
    kept = out[:lines]
    return [*kept[:-1], kept[-1][: columns - 2].rstrip() + " …"]


def _shown(run: Run) -> Row | None:
    return run.row("overrule") or run.row("dispatch") or run.row("mix")


def _states(run: Run) -> dict[str, str]:
    """Which station is behind us, which runs now, which is still to come."""
    order = {"idle": -1, "waiting": 0, "pass1": 1, "pass2": 3, "done": 4}
    if run.stage in ("stopped", "error"):
        at = 4 if run.rows and all(row.reason for row in run.rows) else 2 if run.first_pass else 0
    else:
        at = order[run.stage]
    return {name: "done" if i < at else "now" if i == at else "todo" for i, name in enumerate(_ORDER)}


def _drawing(run: Run, t: Text, boxes: list[Box], width: float, height: float, css: str, across: bool) -> str:
    states = _states(run)
    parts = [f'<svg class="{css}" viewBox="0 0 {width:g} {height:g}" aria-hidden="true" focusable="false">']
    for i, (a, b) in enumerate(zip(boxes, boxes[1:], strict=False)):
        parts.append(_arrow(a, b, states[_ORDER[i + 1]], across))
    painters = (_prompt, _first, _mix, _second)
    for name, box, paint in zip(_ORDER, boxes, painters, strict=True):
        frame = f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.w:g}" height="{box.h:g}" rx="12"/>'
        clip = f"{css}-{name}"  # letters may be wider than wrapping reckons with: none leaves its box
        parts.append(f'<clipPath id="{clip}">{frame}</clipPath>')
        parts.append(f'<g class="t2-station" data-state="{states[name]}">{frame}<g clip-path="url(#{clip})">')
        parts += paint(run, t, box)
        parts.append("</g></g>")
    parts.append("</svg>")
    return "".join(parts)


def _arrow(a: Box, b: Box, state: str, across: bool) -> str:
    if across:
        x1, y1, x2, y2 = a.x + a.w + 5, a.y + a.h / 2, b.x - 5, b.y + b.h / 2
        head = f"M{x2 - 7:g} {y2 - 5:g} L{x2:g} {y2:g} L{x2 - 7:g} {y2 + 5:g}"
    else:
        x1, y1, x2, y2 = a.x + a.w / 2, a.y + a.h + 4, b.x + b.w / 2, b.y - 4
        head = f"M{x2 - 5:g} {y2 - 7:g} L{x2:g} {y2:g} L{x2 + 5:g} {y2 - 7:g}"
    return f'<g class="t2-arrow" data-state="{state}"><path d="M{x1:g} {y1:g} L{x2:g} {y2:g}"/><path d="{head}"/></g>'


def _text(x: float, y: float, words: str | tuple[str, str], css: str = "", anchor: str = "") -> str:
    """``words``: what both modes say, or what Expert and Simple mode say (``Text.two``)."""
    extra = (f' class="{css}"' if css else "") + (f' text-anchor="{anchor}"' if anchor else "")
    if not isinstance(words, str):
        return f'<text x="{x:g}" y="{y:g}"{extra}>{both(*map(escape, words), tag="tspan")}</text>'
    return f'<text x="{x:g}" y="{y:g}"{extra}>{escape(words)}</text>'


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def _head(box: Box, words: str | tuple[str, str], right: str = "") -> list[str]:
    parts = [_text(box.x + 14, box.y + 25, words, "t2-head")]
    if right:
        parts.append(_text(box.x + box.w - 14, box.y + 25, right, "t2-ms", "end"))
    return parts


def _foot(box: Box, words: str | tuple[str, str]) -> str:
    return _text(box.x + 14, box.y + box.h - 14, words, "t2-foot")


def _prompt(run: Run, t: Text, box: Box) -> list[str]:
    parts = _head(box, t("flow.prompt"))
    side = 54 if run.picture else 0
    lines = max(2, int((box.h - HEAD - FOOT - side - (6 if side else 0)) // 17) + (1 if not run.prompt_tokens else 0))
    for i, line in enumerate(wrap(run.prompt or t("flow.no_prompt"), int((box.w - 24) / 7.6), lines)):
        parts.append(_text(box.x + 14, box.y + HEAD + 13 + 17 * i, line, "" if run.prompt else "t2-faint"))
    if run.picture:
        # Base64 of our own making: nothing in it can end the attribute.
        parts.append(
            f'<image x="{box.x + box.w - side - 12:g}" y="{box.y + box.h - side - 12:g}" width="{side}" '
            f'height="{side}" href="data:image/png;base64,{escape(run.picture)}"/>'
        )
    if run.prompt_tokens:
        parts.append(_foot(box, t.two("flow.tokens", n=run.prompt_tokens)))
    return parts


def _bars(run: Run) -> tuple[list[tuple[str, float | None]], list[tuple[str, float | None]]]:
    """Who has a bar in the first pass, with its score, in the candidates' order; and those for whom there is no room."""
    first = run.first_pass
    scores = list(first.scores.items()) if first else [(name, None) for name in (*run.names, OTHER)]
    if len(scores) <= MOST + 1:
        return scores, []
    ranked = sorted(scores, key=lambda item: (item[0] != OTHER, -(item[1] or 0)))  # stable: without scores the first ones
    shown = {name for name, _ in ranked[:MOST]} | ({first.choice} if first else set())
    return [item for item in scores if item[0] in shown], [item for item in scores if item[0] not in shown]


def _first(run: Run, t: Text, box: Box) -> list[str]:
    if run.kind == "mix":
        return _head(box, t.two("flow.first")) + [_text(box.x + 14, box.y + HEAD + 13, t.two("flow.skipped"), "t2-faint")]
    first = run.first_pass
    parts = _head(box, t.two("flow.first"), ms(first.seconds) if first else "")
    if first and not first.scores:  # a kept mix: nothing was asked
        told = t.two("flow.kept", name=first.strategy.partition(":")[2])
        lines = zip_longest(*(wrap(words, int((box.w - 24) / 7.6), 4) for words in told), fillvalue="")
        return parts + [_text(box.x + 14, box.y + HEAD + 13 + 17 * i, line, "t2-faint") for i, line in enumerate(lines)]
    bars, rest = _bars(run)
    left, track = box.x + 116, box.w - 116 - 74
    for i, (name, score) in enumerate(bars):
        y = box.y + HEAD + BAR * i
        won = first is not None and name == first.choice
        parts.append(f'<g class="t2-score{" t2-won" if won else ""}">')
        parts.append(_text(box.x + 14, y + 15, icon(name) if name != OTHER else "–", "t2-icon"))
        parts.append(_text(box.x + 42, y + 15, _short(t.family(name), 10)))
        parts.append(f'<rect class="t2-track" x="{left:g}" y="{y + 5:g}" width="{track:g}" height="11" rx="5.5"/>')
        if score is not None:
            wide = max(2.0, track * min(max(score, 0.0), 1.0))
            parts.append(
                f'<rect class="t2-bar" x="{left:g}" y="{y + 5:g}" width="{wide:.1f}" height="11" rx="5.5" '
                f'style="fill:{colour(name, run.names)}"/>'
            )
        parts.append(_text(box.x + box.w - 28, y + 15, percent(score) if score is not None else "", "t2-num", "end"))
        parts.append(_text(box.x + box.w - 12, y + 15, "✓" if won else "", "t2-tick", "end"))
        parts.append("</g>")
    if rest:
        words = t("flow.rest", n=len(rest), share=percent(sum(score or 0 for _, score in rest))) if first else t("flow.more", n=len(rest))
        parts.append(_text(box.x + 42, box.y + HEAD + BAR * len(bars) + 15, words, "t2-faint"))
    parts.append(
        _foot(
            box,
            t.two("flow.overruled", name=t.family(first.choice))
            if first and run.kind == "overrule"
            else t.two("flow.chose", name=t.family(first.choice))
            if first and not first.soft
            else t.two("flow.blend")
            if first
            else t.two("flow.asking"),
        )
    )
    return parts


def _mix(run: Run, t: Text, box: Box) -> list[str]:
    row = _shown(run)
    parts = _head(box, t.two("flow.mix"))
    parts.append(_text(box.x + 14, box.y + HEAD + 13, OURS, "t2-formula t2-x"))
    parts.append(_text(box.x + 14, box.y + HEAD + 31, t("flow.paper", formula=PAPER), "t2-formula t2-x t2-paper"))
    if row is None:
        return parts
    alphas = parse_alphas(row.mix)
    parts.append('<g class="t2-mixrows">')  # moves up where no formula is shown, down where there are two (words.css)
    y = box.y + HEAD + 40
    room = max(1, int((box.y + box.h - FOOT - y - 16) // 20) + 1)
    for name, value in sorted(alphas.items(), key=lambda item: -abs(item[1]))[:room]:
        parts.append(f'<circle cx="{box.x + 20:g}" cy="{y - 4:g}" r="5" style="fill:{colour(name, run.names)}"/>')
        parts.append(_text(box.x + 32, y, _short(t.family(name), 13)))
        parts.append(_text(box.x + box.w - 14, y, f"{value:.2f}", "t2-num", "end"))
        y += 20
    if not alphas:
        parts.append(_text(box.x + 14, y, t.two("flow.no_alphas")))
    parts.append("</g>")
    if row.change is not None:
        parts.append(_foot(box, t.two("flow.change", share=percent(row.change, 1))))
    return parts


def _second(run: Run, t: Text, box: Box) -> list[str]:
    row = _shown(run)
    parts = _head(box, t.two("flow.second"), ms(row.seconds.get("total")) if row and row.seconds else "")
    if row is None or not (row.text or row.thinking or row.reason):
        return parts
    verdict = row.right is not None
    lines = max(2, int((box.h - HEAD - FOOT - (22 if verdict else 0)) // 17))
    said = row.text or (t("flow.thinking") if row.thinking and not row.reason else "")
    shown = wrap(said, int((box.w - 24) / 7.6), lines, end=True)
    for i, line in enumerate(shown):
        parts.append(_text(box.x + 14, box.y + HEAD + 13 + 17 * i, line))
    if verdict:
        words = ("✓ " + t("verdict.right")) if row.right else ("✗ " + t("verdict.wrong"))
        css = "t2-right" if row.right else "t2-wrong"
        parts.append(_text(box.x + 14, box.y + HEAD + 18 + 17 * len(shown), words, css))
    if row.seconds:
        parts.append(_foot(box, t.two("flow.second_foot", first=ms(row.seconds.get("first")), n=row.tokens)))
    return parts


def parse_alphas(mix: str) -> dict[str, float]:
    """The non-zero alphas of a mix written as ``math=0.6,code=0.2`` or ``math`` (``base``: none).

    Alphas per layer (``math=0.6/0.2``) are shown by their mean. For drawing only: the engine's own reader is
    ``Mix.parse``.
    """
    out: dict[str, float] = {}
    for part in "" if mix == "base" else mix.split(","):
        name, _, value = part.partition("=")
        if name.startswith("!"):
            continue  # a singular component that is switched off: no expert
        try:
            numbers = [float(v) for v in value.split("/")] if value else [1.0]
        except ValueError:
            continue
        out[name.strip()] = sum(numbers) / len(numbers)
    return {name: value for name, value in out.items() if value}
