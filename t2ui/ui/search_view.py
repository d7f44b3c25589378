"""A few-shot search as the page shows it: its picture in numbers (``static/search.js`` draws them), and its result as HTML."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from t2ui.searches import Cell, Generation, SearchView
from t2ui.ui.flow import ms, parse_alphas, percent
from t2ui.ui.live import pick, sent, tools
from t2ui.ui.parts import notice, wait_words
from t2ui.ui.text import Text, both
from t2ui.ui.theme import colour, icon

OVERFIT = 0.2  # so much lower on fresh examples than on the shots: said to the visitor


TALL, WIDE, CURVE_HIGH = 120, 460, 220  # of the pictures, in their own units; the cloud grows with the number of experts
# What search.js writes itself, in both ways of speaking.
_SAID = ("search.curve_x", "search.curve_accuracy", "search.curve_likelihood", "search.generation", "search.best", "search.average",
         "search.elite", "search.candidate", "search.running", "search.scrub", "search.scrub_at", "search.aria_cloud",
         "search.aria_curve")  # fmt: skip


def frame(t: Text, still: SearchView | None = None) -> str:
    """What the search's picture is drawn into, once; ``static/search.js`` moves it from then on. ``still``: what it shows where
    no component hands it values (a recorded search)."""
    held = "" if still is None else f' data-picture="{escape(json.dumps({"value": numbers(still, t), "text": texts(t)}))}"'
    blank = f'<svg viewBox="0 0 {WIDE} {{high}}" role="img"><rect class="t2-blank" x="1" y="1" width="{WIDE - 2}" height="{{low}}" rx="10"/></svg>'
    legend = {"search-score": ("best", "average", "running_dot"), "search-mixes": ("elite", "candidate", "running_dot", "mean", "spread")}

    def figure(name: str, caption: str, high: int, below: str = "", css: str = "") -> str:
        marks = "".join(f'<span><i class="t2-key-{mark}"></i>{t.words(f"search.key_{mark}")}</span>' for mark in legend[name])
        return (f'<figure class="t2-plotbox t2-chart {css}" data-name="{name}"><figcaption>{t.words(caption)}</figcaption>'
                f'{blank.format(high=high, low=high - 2)}<p class="t2-legend">{marks}</p>{below}{tools(t)}</figure>')  # fmt: skip

    scrub = (f'<div class="t2-scrub" hidden><button type="button" data-replay aria-label="{t.html("search.replay")}">▶</button>'
             '<input type="range" min="1" max="1" step="1" value="1"><output></output></div>')  # fmt: skip
    return (f'<div class="t2-search" data-stage="idle" data-generations="0" aria-busy="false"{held}>'
            '<p class="t2-search-words"><span class="t2-x"></span><span class="t2-s"></span></p>'
            '<div class="t2-search-done" aria-hidden="true"><span></span></div><div class="t2-search-plots">'
            + figure("search-score", "search.curve", CURVE_HIGH) + figure("search-mixes", "search.cloud", TALL, scrub, "t2-cloud")
            + "</div></div>")  # fmt: skip


def texts(t: Text) -> dict[str, list[str]]:
    """The words that search.js needs: (as Expert mode says it, as Simple mode does)."""
    return {key.partition(".")[2]: list(t.two(key)) for key in _SAID}


def picture(state: SearchView, t: Text) -> str:
    """:func:`numbers` as the component takes it."""
    return sent(numbers(state, t))


def numbers(state: SearchView, t: Text) -> dict[str, Any]:
    """Everything that moves, in numbers: the curve, the last complete generation, the candidates scored since. Not what the browser
    has seen before: the generations come once more, all together, when the search is over (it may have missed one)."""
    busy = state.stage in ("waiting", "searching", "measuring")
    done, total = (state.check[1:] if state.check else (state.done, state.total)) if busy else (0, 0)
    return {
        "stage": state.stage,
        "busy": busy,
        "words": [words(state, t), words(state, t, t.simple)],
        "names": [t.family(name) for name in state.names],
        "icons": [icon(name) for name in state.names],
        "colours": [colour(name, state.names) for name in state.names],
        "accuracy": state.objective == "accuracy",
        "planned": state.planned,
        "curve": [[g.index, _short(g.best), _short(g.average)] for g in state.generations],
        "last": _numbers(state.generations[-1]) if state.generations else None,
        "all": [_numbers(g) for g in state.generations] if state.over else None,
        "pending": [[*alphas, _short(score)] for alphas, score in state.pending],
        "share": round(done / total, 3) if total else 0,
    }


def _numbers(generation: Generation) -> dict[str, Any]:
    """One generation; a point is its alphas, then 1 for an elite. The best are last: they are drawn on top."""
    points = sorted(generation.points, key=lambda point: point[2])
    return {"index": generation.index, "points": [[*alphas, int(elite)] for alphas, _, elite in points],
            "mean": list(generation.mean), "spread": list(generation.spread)}  # fmt: skip


def _short(value: float) -> float:
    return round(value, 5)


def words(state: SearchView, t: Text, say: Callable[..., str] | None = None) -> str:
    """Where the search stands, with the time that is left at the present speed; ``say``: in whose words (``t``'s usual ones)."""
    say = say or t
    if state.stage == "idle":
        return say("search.idle")
    if state.stage == "waiting" and not state.generations:
        return f"{say('search.waiting')} {wait_words(state.waiting, state.wait, t)}".rstrip()
    now = min(state.generations[-1].index + 2 if state.generations else 1, state.planned)
    told = say("search.at", generation=now, planned=state.planned, answers=f"{state.evaluations:,}", time=ms(state.seconds))
    if state.stage == "measuring":
        if state.check is None:
            return f"{told} {say('search.measuring')}"
        what, done, total = state.check
        if what in ("check", "draws"):
            return f"{told} {say(f'search.doing_{what}', done=done, total=total)}"
        return f"{told} {say('search.doing_figure', name=cell_name(what, t, say), done=done, total=total)}"
    if state.over:
        why = say("search.stopped" if state.stage == "stopped" else "search.converged" if state.ended else "search.done")
        return say("search.end", why=why, generations=len(state.generations), answers=f"{state.evaluations:,}",
                 time=ms(state.seconds), first=ms(state.first))  # fmt: skip
    whole = state.planned * state.total
    if state.evaluations and whole:
        told += " " + say("search.left", time=ms((whole - state.evaluations) * state.seconds / state.evaluations))
    return told


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
            f'<a class="t2-link" download="mix.json" href="data:application/json;base64,{recipe}">{t.words("search.recipe")}'
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


def broken(entries: Sequence[tuple[str, str]], t: Text, most: int = 5) -> str:
    """What could not be used: where it stands, and the reason."""
    if not entries:
        return ""
    lines = "".join(f"<li>{escape(where)} {escape(why)}</li>" for where, why in entries[:most])
    more = f"<li>{t.html('search.more_lines', n=len(entries) - most)}</li>" if len(entries) > most else ""
    return f'<div class="t2-notice" data-kind="warn" role="status">{t.html("search.broken")}<ul>{lines}{more}</ul></div>'
