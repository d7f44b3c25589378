"""The pictures of a few-shot search: score curve, cloud of the candidates, result. Pure functions to HTML and SVG."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from html import escape

from t2ui.searches import Cell, Generation, SearchView
from t2ui.ui.flow import ms, parse_alphas, percent
from t2ui.ui.live import drawn, pick
from t2ui.ui.parts import notice, wait_words
from t2ui.ui.text import Text, both
from t2ui.ui.theme import colour, icon

OVERFIT = 0.2  # so much lower on fresh examples than on the shots: said to the visitor


def view(state: SearchView, t: Text) -> str:
    """Everything that moves: where the search stands, its curve and its cloud."""
    if state.error:
        return notice(state.error, "error")
    busy = str(state.stage in ("waiting", "searching", "measuring")).lower()
    return (f'<div class="t2-search" data-stage="{state.stage}" data-generations="{len(state.generations)}" aria-busy="{busy}">'
            f'<p class="t2-search-words" role="status">{both(escape(words(state, t)), escape(words(state, t, t.simple)))}</p>'
            f'<div class="t2-search-plots">{curve(state, t)}{cloud(state, t)}</div></div>')  # fmt: skip


def words(state: SearchView, t: Text, say: Callable[..., str] | None = None) -> str:
    """Where the search stands, with the time that is left at the present speed; ``say``: in whose words (``t``'s usual ones)."""
    say = say or t
    if state.stage == "idle":
        return say("search.idle")
    if state.stage == "waiting" and not state.generations:
        return f"{say('search.waiting')} {wait_words(state.waiting, state.wait, t)}".rstrip()
    now = min(len(state.generations) + 1, state.planned)
    told = say("search.at", generation=now, planned=state.planned, answers=f"{state.evaluations:,}", time=ms(state.seconds))
    if state.stage == "measuring":
        return f"{told} {say('search.measuring')}"
    if state.over:
        why = say("search.stopped" if state.stage == "stopped" else "search.converged" if state.ended else "search.done")
        return say("search.end", why=why, generations=len(state.generations), answers=f"{state.evaluations:,}",
                 time=ms(state.seconds), first=ms(state.first))  # fmt: skip
    whole = state.planned * state.total
    if state.evaluations and whole:
        told += " " + say("search.left", time=ms((whole - state.evaluations) * state.seconds / state.evaluations))
    return told


def score_words(value: float, objective: str) -> str:
    """A score for people: a share, or nats a token."""
    return percent(value) if objective == "accuracy" else f"{value:.3f}"


def curve(state: SearchView, t: Text, width: int = 460, height: int = 220) -> str:
    """Best and average score by generation; candidates of the running generation as dots."""
    left, right, top, bottom = 58, 14, 16, 36
    told = state.generations
    values = [g.best for g in told] + [g.average for g in told] + [s for _, s in state.pending]
    title = t("search.curve")
    if not values:
        return _empty(width, height, title)
    low, high = min(values), max(values)
    if state.objective == "accuracy":
        low, high = 0.0, 1.0
    span = (high - low) or 1.0
    steps = max(state.planned - 1, 1)

    def x(index: float) -> float:
        return left + (width - left - right) * index / steps

    def y(value: float) -> float:
        return top + (height - top - bottom) * (1 - (value - low) / span)

    parts = [_open(width, height, f"{title}: " + ", ".join(score_words(g.best, state.objective) for g in told))]
    for value in (low, (low + high) / 2, high):
        parts.append(f'<line class="t2-gridline" x1="{left}" x2="{width - right}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text class="t2-tick" x="{left - 6}" y="{y(value) + 4:.1f}" text-anchor="end">'
                     f'{escape(score_words(value, state.objective))}</text>')  # fmt: skip
    for _, score in state.pending:
        parts.append(f'<circle class="t2-dot-pending" cx="{x(len(told)):.1f}" cy="{y(score):.1f}" r="2.5"/>')
    for css, of in (("t2-line-average", [g.average for g in told]), ("t2-line-best", [g.best for g in told])):
        points = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(of))
        parts.append(f'<polyline class="{css}" points="{points}"/>')
        parts += [f'<circle class="{css}" cx="{x(i):.1f}" cy="{y(v):.1f}" r="3"/>' for i, v in enumerate(of)]
    parts.append(f'<text class="t2-foot" x="{left}" y="{height - 10}">{t.tspans("search.curve_x")}</text>')
    label = "search.curve_accuracy" if state.objective == "accuracy" else "search.curve_likelihood"
    parts.append(f'<text class="t2-foot" x="{width - right}" y="{height - 10}" text-anchor="end">{t.tspans(label)}</text>')
    rows = [[t("search.curve_x"), t("search.best"), t("search.average")], *[[g.index, g.best, g.average] for g in told]]
    return drawn("search-score", title, "".join(parts) + "</svg>", rows, t)


def cloud(state: SearchView, t: Text, width: int = 460) -> str:
    """A lane per expert: every candidate of a generation at its alpha, elites in colour, mean and spread. Once the search is
    over, all generations are in the picture and a slider (search.js) goes through them."""
    top, lane = 16, 34
    height = top + lane * max(len(state.names), 1) + 26
    title, caption = t("search.cloud"), t.words("search.cloud")
    if not state.names or not (state.generations or state.pending):
        return _empty(width, max(height, 120), title, caption)
    shown = state.generations if state.over else state.generations[-1:]
    points = [a for g in shown for a, _, _ in g.points]
    low, high = min([0.0, *[v for a in points for v in a]]), max([1.0, *[v for a in points for v in a]])
    left, right = 108, 18

    def x(value: float) -> float:
        return left + (width - left - right) * (min(max(value, low), high) - low) / (high - low)

    last = state.generations[-1] if state.generations else None
    mean = "" if last is None else ", ".join(f"{t.family(n)} {m:.2f}" for n, m in zip(state.names, last.mean, strict=True))
    lanes = [top + lane * (k + 0.5) for k in range(len(state.names))]
    parts = [_open(width, height, f"{title}. {mean}")]
    for name, y in zip(state.names, lanes, strict=True):
        parts.append(f'<text x="8" y="{y + 4:.1f}"><tspan class="t2-icon">{escape(icon(name))}</tspan> '
                     f'{escape(t.family(name)[:11])}</text>'
                     f'<line class="t2-gridline" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>')  # fmt: skip
    for k, generation in enumerate(shown):
        off = "" if k == len(shown) - 1 else ' data-off=""'
        parts.append(f'<g data-generation="{generation.index + 1}"{off}>{_lanes(generation, state.names, lanes, x)}</g>')
    parts += [f'<circle class="t2-dot-pending" cx="{x(alphas[k]):.1f}" cy="{y + 9:.1f}" r="2.5"/>'
              for k, y in enumerate(lanes) for alphas, _ in state.pending]  # fmt: skip
    for value in (low, (low + high) / 2, high):
        parts.append(f'<text class="t2-tick" x="{x(value):.1f}" y="{height - 8}" text-anchor="middle">{value:.1f}</text>')
    said = [t("search.elite"), t("search.candidate")]
    rows = [[t("search.generation"), "", *(t.family(name) for name in state.names)],
            *[[g.index + 1, said[not elite], *alphas] for g in shown for alphas, _, elite in g.points],
            *[["", t("search.running"), *alphas] for alphas, _ in state.pending]]  # fmt: skip
    return drawn("search-mixes", title, "".join(parts) + "</svg>" + _scrubber(len(shown), t), rows, t, caption=caption, css="t2-cloud")


def _lanes(generation: Generation, names: Sequence[str], lanes: Sequence[float], x: Callable[[float], float]) -> str:
    parts = []
    for k, (name, y) in enumerate(zip(names, lanes, strict=True)):
        tint = colour(name, names)
        a, b = x(generation.mean[k] - generation.spread[k]), x(generation.mean[k] + generation.spread[k])
        parts.append(f'<rect x="{a:.1f}" y="{y - 11:.1f}" width="{max(b - a, 1):.1f}" height="22" rx="4" '
                     f'style="fill:{tint}" opacity="0.16"/>')  # fmt: skip
        for alphas, _, elite in sorted(generation.points, key=lambda p: p[2]):
            style = f'style="fill:{tint}"' if elite else 'class="t2-dot-candidate"'
            parts.append(f'<circle cx="{x(alphas[k]):.1f}" cy="{y:.1f}" r="{4 if elite else 3}" {style}/>')
        parts.append(f'<line x1="{x(generation.mean[k]):.1f}" x2="{x(generation.mean[k]):.1f}" y1="{y - 13:.1f}" '
                     f'y2="{y + 13:.1f}" style="stroke:{tint};stroke-width:2.5"/>')  # fmt: skip
    return "".join(parts)


def _scrubber(count: int, t: Text) -> str:
    """A slider through the generations and a button that plays them; nothing for a single one."""
    if count < 2:
        return ""
    label = t.html("search.scrub")
    return (f'<div class="t2-scrub"><button type="button" data-replay aria-label="{t.html("search.replay")}">▶</button>'
            f'<input type="range" min="1" max="{count}" step="1" value="{count}" aria-label="{label}">'
            f'<output data-words="{t.html("search.scrub_at")}">{t.html("search.scrub_at", k=count)}</output></div>')  # fmt: skip


def result(state: SearchView, t: Text) -> str:
    """The mix found, how it does on examples it never saw, and what to make of it."""
    if not state.mix:
        return ""
    alphas = parse_alphas(state.mix)
    lines = "".join(f'<tr><th scope="row">{escape(icon(n))} {escape(t.family(n))}</th><td>{alphas.get(n, 0.0):.2f}</td></tr>'
                    for n in state.names)  # fmt: skip
    how = t.words(f"search.chosen_{state.chosen or 'best'}", n=state.n_fresh, mix=state.searched, searched=state.searched_right,
                  kept=state.default_right)  # fmt: skip
    anyway = f'<button type="button" {pick(mix=state.searched)}>{t.words("search.use_anyway")}</button>' if state.searched else ""
    recipe = base64.b64encode(json.dumps({"alphas": _plain(state.mix), "task": state.task}).encode()).decode()
    head = (f'<div class="t2-card t2-search-result"><h3>{t.words("search.found")}</h3><p class="t2-faint">{how}</p>'
            f'<table class="t2-alphas"><tbody>{lines}</tbody></table><p class="t2-presets">'
            f'<button type="button" {pick(mix=state.mix)}>{t.words("search.use")}</button>{anyway}'
            f'<a class="t2-link" download="mix.json" href="data:application/json;base64,{recipe}">{t.html("search.recipe")}'
            "</a></p>")  # fmt: skip
    warned = zip(hints(state, t), hints(state, t, t.simple), strict=True)
    return head + _heldout(state, t) + "".join(notice(told, "warn", simple=plain) for told, plain in warned) + "</div>"


def hints(state: SearchView, t: Text, say: Callable[..., str] | None = None) -> list[str]:
    """What the figures warn of: shots learnt by heart, a mix that is no better than a simple one."""
    say = say or t
    found = next((c for c in state.heldout if c.name == "found"), None)
    out = []
    beyond = found.accuracy if found is not None else state.fresh
    if state.shots is not None and beyond is not None and state.shots - beyond > OVERFIT:
        out.append(say("search.overfit", shots=percent(state.shots), n=state.n_shots, beyond=percent(beyond)))
    if found is not None:
        better = [c for c in state.heldout if c.name != "found" and c.accuracy >= found.high]
        if better:
            best = max(better, key=lambda c: c.accuracy)
            out.append(say("search.beaten", name=cell_name(best.name, t, say), accuracy=percent(best.accuracy)))
    return out


def _heldout(state: SearchView, t: Text) -> str:
    if not state.heldout:
        return ""
    rows = "".join(
        f'<tr data-cell="{c.name}"><th scope="row">{both(escape(cell_name(c.name, t)), escape(cell_name(c.name, t, t.simple)))}</th>'
        f'<td><span class="t2-hbar"><span style="width:{100 * c.accuracy:.1f}%"></span></span></td>'
        f"<td>{percent(c.accuracy)}</td><td class=\"t2-faint\">{_range(c)}</td></tr>" for c in state.heldout
    )  # fmt: skip
    n = state.heldout[0].n
    return f'<p class="t2-faint">{t.words("search.heldout", n=n)}</p><table class="t2-heldout"><tbody>{rows}</tbody></table>'


def cell_name(name: str, t: Text, say: Callable[..., str] | None = None) -> str:
    """A held-out figure's name for people: an expert alone, or a way to choose a mix."""
    kind, _, expert = name.partition(":")
    say = say or t
    return say("search.cell_alone", name=t.family(expert)) if kind == "expert" else say(f"search.cell_{name}")


def _range(cell: Cell) -> str:
    return f"{100 * cell.low:.0f} – {100 * cell.high:.0f} %"


def _plain(mix: str) -> dict[str, float | list[float]]:
    """The alphas of ``str(Mix)`` as a recipe holds them."""
    out: dict[str, float | list[float]] = {}
    for part in [] if mix == "base" else mix.split(","):
        name, _, value = part.partition("=")
        values = [float(v) for v in value.split("/") if v] if value else [1.0]
        out[name] = values if "/" in value else values[0]
    return out


def _open(width: int, height: int, label: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'


def _empty(width: int, height: int, title: str, caption: str = "") -> str:
    return (f'<figure class="t2-plotbox"><figcaption>{caption or escape(title)}</figcaption>{_open(width, height, title)}'
            f'<rect class="t2-blank" x="1" y="1" width="{width - 2}" height="{height - 2}" rx="10"/></svg></figure>')  # fmt: skip


def broken(entries: Sequence[tuple[int, str]], t: Text, most: int = 5) -> str:
    """The lines that could not be used, each with its reason."""
    if not entries:
        return ""
    lines = "".join(f"<li>{t.html('search.line', n=n)} {escape(why)}</li>" for n, why in entries[:most])
    more = f"<li>{t.html('search.more_lines', n=len(entries) - most)}</li>" if len(entries) > most else ""
    return f'<div class="t2-notice" data-kind="warn" role="status">{t.html("search.broken")}<ul>{lines}{more}</ul></div>'
