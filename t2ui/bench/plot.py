"""The picture of ``bench scale``: milliseconds of a step by batch, by context, by experts; one SVG, logarithmic both ways."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDE, HIGH, LEFT, TOP, BOTTOM = 320, 240, 46, 34, 40
COLOURS = {"rows": "#b3541e", "no adapters": "#3d6b8c", "32 new mixes": "#b3541e"}


def svg(found: Mapping[str, Any]) -> str:
    """The result of :func:`t2ui.bench.scale.scale` as an SVG that stands on light and dark pages alike."""
    panels = [
        ("batch (64 tokens before it)", _lines(found["batch"], {"rows": "rows", "no_mix": "no adapters"})),
        ("context (batch 8)", _lines(found["context"], {"rows": "rows", "no_mix": "no adapters"})),
        ("experts in every mix", _lines(found["experts"], {"32 mixes": "32 new mixes"})),
    ]
    body = "".join(f'<g transform="translate({k * WIDE} 0)">{_panel(title, lines)}</g>' for k, (title, lines) in enumerate(panels))
    width = WIDE * len(panels)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HIGH}" width="{width}" height="{HIGH}" '
            f'font-family="system-ui, sans-serif" font-size="11"><rect width="{width}" height="{HIGH}" fill="#fff"/>{body}</svg>\n')


def _lines(cells: Mapping[str, Mapping[str, float]], names: Mapping[str, str]) -> dict[str, list[tuple[float, float]]]:
    return {shown: [(float(x), 1000 * cell[key]) for x, cell in cells.items()] for key, shown in names.items()}


def _panel(title: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    xs = [x for line in lines.values() for x, _ in line]
    ys = [y for line in lines.values() for _, y in line]
    low, high = 10 ** math.floor(math.log10(min(ys))), 10 ** math.ceil(math.log10(max(ys) * 1.0001))

    def at(x: float, y: float) -> tuple[float, float]:
        across = math.log(x / min(xs)) / max(math.log(max(xs) / min(xs)), 1e-9)
        up = math.log(y / low) / math.log(high / low)
        return LEFT + across * (WIDE - LEFT - 16), HIGH - BOTTOM - up * (HIGH - TOP - BOTTOM)

    parts = [f'<text x="{LEFT}" y="16" font-weight="600">ms by {escape(title)}</text>']
    for power in range(round(math.log10(low)), round(math.log10(high)) + 1):
        y = at(min(xs), 10.0**power)[1]
        parts.append(f'<line x1="{LEFT}" x2="{WIDE - 16}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
                     f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{10.0**power:g}</text>')  # fmt: skip
    ticks = sorted(set(xs))
    for x in ticks[:: max(1, len(ticks) // 5)]:
        parts.append(f'<text x="{at(x, low)[0]:.1f}" y="{HIGH - BOTTOM + 16}" text-anchor="middle" fill="#555">{x:g}</text>')
    for k, (name, line) in enumerate(lines.items()):
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in (at(x, y) for x, y in line))
        dash = ' stroke-dasharray="5 3"' if k else ""
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"{dash}/>'
                     f'<text x="{LEFT + 100 * k}" y="{HIGH - 8}" fill="{COLOURS[name]}">{"- -" if k else "—"} {escape(name)}</text>')  # fmt: skip
    return "".join(parts)
