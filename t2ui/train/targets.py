"""The README's table of targets: each demanded figure beside the measured one, met or missed, nothing typed by hand."""

from __future__ import annotations

from typing import Any

from t2ui.tasks import TRAINED, TWO_SKILL
from t2ui.train import tables_adapt

MISSED = "**missed**"


def markdown(r: dict[str, Any]) -> str:
    """The table, of as many sections of the report as are there."""
    makers = (_base, _experts, _flips, _differ, _gates, _two_skill, _looks, _dispatch, _notice, _hand, _sizes, _startup,
              tables_adapt.rows)  # fmt: skip
    rows = [row for make in makers for row in make(r)]
    if not rows:
        return ""
    lines = [f"| {target} | {reached} | {'met' if met else MISSED} |" for target, reached, met in rows]
    return "\n".join(["### Against the targets", "", "| target | reached | |", "|---|---|---|", *lines])


Row = tuple[str, str, bool]


def _base(r: dict[str, Any]) -> list[Row]:
    if not r.get("headline"):
        return []
    values = {t: 100 * cell["base"]["accuracy"] for t, cell in r["headline"].items()}
    return [("base, greedy: 25 to 50 % on each trained family", _list(values), all(25 <= v <= 50 for v in values.values()))]


def _experts(r: dict[str, Any]) -> list[Row]:
    out = []
    for task, cell in r.get("headline", {}).items():
        if "expert" in cell:
            right, gain = 100 * cell["expert"]["accuracy"], 100 * cell["paired"]["diff"]
            out.append((f"{task}: its expert >= 90 %, at least 35 points above base", f"{right:.1f} % ({gain:+.1f})",
                        right >= 90 and gain >= 35))  # fmt: skip
    return out


def _flips(r: dict[str, Any]) -> list[Row]:
    out = []
    for task, cell in r.get("headline", {}).items():
        if "expert" in cell:
            fixed, broken = 100 * (cell["paired"]["fixed"] or 0), 100 * (cell["paired"]["broken"] or 0)
            out.append((f"{task}: >= 80 % of base's wrong answers turned right, <= 5 % of its right ones wrong",
                        f"{fixed:.1f} %, {broken:.1f} %", fixed >= 80 and broken <= 5))  # fmt: skip
    return out


def _differ(r: dict[str, Any]) -> list[Row]:
    if "matrix" not in r or not r["matrix"]["own_minus_other"]:
        return []
    least: dict[str, dict[str, Any]] = {}
    for pair in r["matrix"]["own_minus_other"]:
        if pair["task"] not in least or pair["diff"] < least[pair["task"]]["diff"]:
            least[pair["task"]] = pair
    points = {t: 100 * p["diff"] for t, p in least.items()}
    met = all(v >= 15 for v in points.values()) and all(p["ci95"][0] > 0 for p in least.values())
    rows: list[Row] = [("each expert beats every other on its own family by >= 15 points", _list(points, sign=True), met)]
    cells, worst = r["matrix"]["cells"], (0.0, "none")
    for task in TRAINED:
        base, own = cells[task]["base"]["accuracy"], cells[task][task]["accuracy"]
        for other in TRAINED:
            if other != task and own > base:
                share = (cells[task][other]["accuracy"] - base) / (own - base)
                worst = max(worst, (share, f"{other} on {task}"))
    rows.append(("no expert lifts another family by more than half of what its own expert does",
                 f"at most {100 * worst[0]:.0f} % of it ({worst[1]})", worst[0] <= 0.5))  # fmt: skip
    return rows


def _gates(r: dict[str, Any]) -> list[Row]:
    found = {row["task"]: 100 * row["accuracy"] for row in r.get("gates", {}).get("rows", [])
             if row["forced"] == "careful" and row["task"] in TRAINED}  # fmt: skip
    return [("careful mode forced >= 85 % on each trained family", _list(found), all(v >= 85 for v in found.values()))] if found else []


def _two_skill(r: dict[str, Any]) -> list[Row]:
    out = []
    for task in TWO_SKILL:
        rows = {row["forced"]: 100 * row["accuracy"] for row in r.get("gates", {}).get("rows", []) if row["task"] == task}
        if "careful" in rows:
            one = max(v for k, v in rows.items() if k.endswith(" only"))
            out.append((f"{task}: both care flags forced >= 80 %, one forced <= 60 %",
                        f"{rows['careful']:.1f} %, at most {one:.1f} %", rows["careful"] >= 80 and one <= 60))  # fmt: skip
    return out


def _looks(r: dict[str, Any]) -> list[Row]:
    out = []
    for task, cell in r.get("looks", {}).items():
        blank, other, chance = (100 * x for x in (cell["blank"]["accuracy"], cell["other"]["accuracy"], cell["chance"]))
        out.append((f"{task}: blank picture, another's picture: within 5 points of chance ({chance:.1f} %)",
                    f"{blank:.1f} %, {other:.1f} %", abs(blank - chance) <= 5 and abs(other - chance) <= 5))  # fmt: skip
    return out


def _dispatch(r: dict[str, Any]) -> list[Row]:
    if "dispatch" not in r:
        return []
    d = r["dispatch"]
    return [("prompt dispatch >= 90 %, on hand-written prompts >= 85 %",
             f"{100 * d['accuracy']:.1f} %, {100 * d['accuracy_hand']:.1f} %",
             d["accuracy"] >= 0.9 and d["accuracy_hand"] >= 0.85)]  # fmt: skip


def _notice(r: dict[str, Any]) -> list[Row]:
    d = r.get("dispatch", {})
    if d.get("outside") is None:
        return []
    return [("notice on >= 90 % of the foreign prompts, on <= 5 % of test prompts",
             f"{100 * d['outside_foreign']:.1f} %, {100 * d['outside']:.1f} % (hand-written ones that belong: "
             f"{100 * d['outside_hand']:.1f} %)", d["outside_foreign"] >= 0.9 and d["outside"] <= 0.05)]  # fmt: skip


def _hand(r: dict[str, Any]) -> list[Row]:
    out = []
    for k, task in enumerate(TRAINED):
        if task in r.get("handwritten", {}) and "expert" in r.get("headline", {}).get(task, {}):
            hand, test = 100 * r["handwritten"][task][k]["accuracy"], 100 * r["headline"][task]["expert"]["accuracy"]
            out.append((f"{task}, hand-written: its expert within 12 points of its test score",
                        f"{hand:.0f} % ({hand - test:+.1f})", hand - test >= -12))  # fmt: skip
    return out


def _sizes(r: dict[str, Any]) -> list[Row]:
    s = r.get("sizes")
    if not s:
        return []
    share = s["z"] / s["model"]
    return [("an expert's file < 200 kB, z < 0.5 % of the model",
             f"{s['bytes'] / 1000:.0f} kB, {s['z']:,} of {s['model']:,} ({100 * share:.2f} %)",
             s["bytes"] < 200_000 and share < 0.005)]  # fmt: skip


def _startup(r: dict[str, Any]) -> list[Row]:
    found = r.get("startup", {}).get("medians")
    if not found:
        return []
    shown, live, first = (found[k] for k in ("recorded run on screen", "live ask possible", "first click to first text"))
    return [("page on two cores, warm disk: recorded run within 6 s, live ask within 10 s, first token within 0.5 s",
             f"{shown:.1f} s, {live:.1f} s, {first:.2f} s", shown <= 6 and live <= 10 and first <= 0.5)]  # fmt: skip


def _list(values: dict[str, float], sign: bool = False) -> str:
    return ", ".join(f"{name} {value:+.1f}" if sign else f"{name} {value:.1f} %" for name, value in values.items())
