"""How a singular component is shown: pure functions from the engine's report to HTML; every token and prompt is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from t2ui.ui.text import Text
from t2ui.ui.theme import icon

if TYPE_CHECKING:
    from t2ui.engine.component import ComponentReport, Excited, Side
    from t2ui.runs import Run

STILL = 0.005  # a z so near to 1 is told as "as it is"


def view(report: ComponentReport, t: Text) -> str:
    """Everything about one component: numbers, both sides, z in every expert, the prompts that excite it most."""
    module = report.path.rsplit(".", 1)[-1]
    head = t.html("component.head", index=report.index, rank=report.rank, module=module, layer=report.layer)
    numbers = t.html("component.numbers", sigma=_number(report.sigma), z=_number(report.now), product=_number(report.sigma * report.now))
    busy = str(not report.over).lower()
    return (
        f'<section class="t2-component" data-over="{str(report.over).lower()}" data-index="{report.index}" aria-busy="{busy}">'
        f'<h3 class="t2-h3">{head}</h3><p class="t2-faint">{numbers}</p>'
        f'<div class="t2-sides">{side(report.reads, "reads", t)}{side(report.writes, "writes", t)}</div>'
        f"{experts(report, t)}{excited(report, t)}</section>"
    )


def side(one: Side, which: str, t: Text) -> str:
    """What is read or written: tokens at both ends, or why there are none and what is known instead."""
    words = t.html("component.unknown" if one.kind == "unknown" else f"component.{which}_{one.kind}")
    inner = ""
    if one.kind == "tokens":
        ends = "".join(
            f'<div><h5>{t.html(f"component.{end}")}</h5><ol class="t2-ends">'
            + "".join(f"<li>{_token(token)} <small title=\"{t.html('component.score', score=_number(score, 1))}\">{_number(score, 1)}</small></li>"
                      for token, score in tokens) + "</ol></div>"
            for end, tokens in (("plus", one.plus), ("minus", one.minus))
        )  # fmt: skip
        inner = f'<div class="t2-endpair">{ends}</div>'
    elif one.kind == "heads":
        inner = _bars([(t("component.head_n", n=i), share) for i, share in enumerate(one.shares)])
    elif one.kind == "neurons":
        inner = _bars([(t("component.neuron_n", n=n), weight * weight) for n, weight in one.strongest])
    return f'<div class="t2-side" data-kind="{one.kind}"><h4>{t.html(f"component.{which}")}</h4>{inner}<p class="t2-faint">{words}</p></div>'


def experts(report: ComponentReport, t: Text) -> str:
    """Its z in every expert, in numbers and words."""
    if not report.z:
        return ""
    rows = "".join(f'<tr><th scope="row">{escape(icon(n))} {escape(t.family(n))}</th><td>{_number(z)}</td>'
                   f'<td class="t2-faint">{escape(_acts(z, t))}</td></tr>' for n, z in report.z.items())  # fmt: skip
    return f'<h4>{t.html("component.z")}</h4><table class="t2-alphas"><tbody>{rows}</tbody></table>'


def excited(report: ComponentReport, t: Text) -> str:
    """The prompts in which |v . x| is largest, the token marked."""
    said = t.html("component.excited_words", done=report.done, total=report.total)
    items = "".join(f'<li data-value="{one.value:.4f}">{_prompt(one, t)} <small>{t.html("component.value", value=_number(one.value, 2))}</small></li>'
                    for one in report.excited)  # fmt: skip
    return f'<h4>{t.html("component.excited")}</h4><p class="t2-faint" role="status">{said}</p><ol class="t2-excited">{items}</ol>'


def compared(run: Run, t: Text) -> str:
    """Whether the component decided anything, once both answers are there; "" before."""
    rows = [run.row(key) for key in ("with", "without")]
    if run.stage != "done" or any(row is None or row.error for row in rows):
        return ""
    return t("component.same" if rows[0].ids == rows[1].ids else "component.differ")  # type: ignore[union-attr]


def _prompt(one: Excited, t: Text) -> str:
    if one.picture:
        return f'<mark>[{t.html("component.picture", n=one.token)}]</mark> {escape(one.after)} …'
    return f"… {escape(one.before)}<mark>{escape(one.token) or '␣'}</mark>{escape(one.after)} …"


def _token(text: str) -> str:
    shown = text.replace("\n", "⏎").replace("\t", "⇥")
    return f'<code>{escape(shown) if shown.strip() else "␣" * max(1, len(shown))}</code>'


def _bars(items: list[tuple[str, float]]) -> str:
    top = max((value for _, value in items), default=0.0) or 1.0
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th><td><span class="t2-hbar"><span style="width:{100 * value / top:.0f}%"></span>'
                   f"</span></td><td>{100 * value:.1f} %</td></tr>" for name, value in items)  # fmt: skip
    return f'<table class="t2-heldout t2-shares"><tbody>{rows}</tbody></table>'


def _acts(z: float, t: Text) -> str:
    if abs(z - 1) < STILL:
        return t("component.z_stays")
    if z < 0:
        return t("component.z_turned")
    share = f"{abs(z - 1) * 100:.0f} %"
    return t("component.z_more", x=share) if z > 1 else t("component.z_less", x=share)


def _number(x: float, digits: int = 3) -> str:
    return f"{x:.{digits}f}".replace("-", "−")
