"""The README's tables, made of what :mod:`t2ui.train.results` measured (and of what other commands left beside it)."""

from __future__ import annotations

from typing import Any

from t2ui.tasks import SKILLS
from t2ui.train import tables_adapt, tables_lora, targets
from t2ui.train.results import N


def markdown(results: dict[str, Any]) -> str:
    """The README's tables."""
    parts = [_headline(results), _matrix(results), _gates(results), _dispatch(results), _handwritten(results),
             _looks(results), tables_adapt.markdown(results), tables_lora.markdown(results),
             targets.markdown(results)]  # fmt: skip
    return "\n\n".join(p for p in parts if p)


def _headline(r: dict[str, Any]) -> str:
    if "headline" not in r:
        return ""
    lines = ["### Each expert on its own family", "",
             "| family | base, greedy | base, majority of 8 | expert | difference (paired 95 %) | wrong made right | right made wrong |",
             "|---|---|---|---|---|---|---|"]  # fmt: skip
    n = 0
    for task, cell in r["headline"].items():
        n = cell["base"]["n"]
        majority = r.get("majority", {}).get(task)
        pair, expert = cell.get("paired"), cell.get("expert")
        lines.append(" | ".join([
            f"| {task}", _cell(cell["base"]), _cell(majority) if majority else "", _cell(expert) if expert else "",
            f"{100 * pair['diff']:+.1f} ({_ci(pair['ci95'])})" if pair else "",
            _pct(pair["fixed"]) if pair else "", _pct(pair["broken"]) if pair else ""]) + " |")  # fmt: skip
    lines.append(f"\nTest split, n = {n:,} a cell (majority: {N}); in brackets 95 % intervals.")
    return "\n".join(lines)


def _matrix(r: dict[str, Any]) -> str:
    if "matrix" not in r:
        return ""
    cells = r["matrix"]["cells"]
    mixes = list(next(iter(cells.values())))
    title = {"all": "all at 1", "half": "all at 1/2", "uniform": "all at 1/K"}
    lines = ["### Every mix on every task", "", "| task | " + " | ".join(title.get(m, m) for m in mixes) + " |",
             "|---|" + "---|" * len(mixes)]  # fmt: skip
    for task, row in cells.items():
        best = max(c["accuracy"] for c in row.values())
        texts = [f"{100 * c['accuracy']:.0f}" for c in row.values()]
        texts = [f"**{t}**" if c["accuracy"] == best else t for t, c in zip(texts, row.values(), strict=True)]
        lines.append(f"| {task} | " + " | ".join(texts) + " |")
    n = r["matrix"]["n"]
    lines.append(f"\nPercent right, test split, n = {n} a cell (95 % intervals are at most +-4.4 points).")
    worst = {}
    for pair in r["matrix"]["own_minus_other"]:
        if pair["task"] not in worst or pair["diff"] < worst[pair["task"]]["diff"]:
            worst[pair["task"]] = pair
    if worst:
        lines.append("Own expert minus the best other expert, paired: " + "; ".join(
            f"{p['task']} {100 * p['diff']:+.1f} over {p['minus']} ({_ci(p['ci95'])})" for p in worst.values()) + ".")
    return "\n".join(lines)


def _gates(r: dict[str, Any]) -> str:
    if "gates" not in r:
        return ""
    by: dict[str, dict[str, Any]] = {}
    for row in r["gates"]["rows"]:
        by.setdefault(row["task"], {})[row["forced"]] = row
    lines = ["### What the base can do when its care flags are forced", "",
             "| task | greedy | careful forced | only one skill careful |", "|---|---|---|---|"]  # fmt: skip
    for task, found in by.items():
        one = ", ".join(f"{k.split()[0]}: {_pct(v['accuracy'])}" for k, v in found.items() if k.endswith(" only"))
        lines.append(f"| {task} | {_cell(found['greedy'])} | {_cell(found['careful'])} | {one} |")
    return "\n".join(lines)


def _dispatch(r: dict[str, Any]) -> str:
    if "dispatch" not in r:
        return ""
    d = r["dispatch"]
    lines = ["### Prompt dispatch", "", *tables_adapt.confusion(d)]
    lines.append(f"\nNotice \"outside this model's world\": {_pct(d['outside'])} of the test prompts, "
                 f"{_pct(d['outside_hand'])} of the hand-written ones that belong, "
                 f"{_pct(d['outside_foreign'])} of the foreign ones.")  # fmt: skip
    if "two_pass" in r:
        lines.append("Two passes (prompt dispatch, then the chosen expert): "
                     + "; ".join(f"{t} {_cell(c)}" for t, c in r["two_pass"].items()) + ".")  # fmt: skip
    return "\n".join(lines)


def _handwritten(r: dict[str, Any]) -> str:
    if "handwritten" not in r or "headline" not in r:
        return ""
    lines = ["### Hand-written prompts (50 a family)", "",
             "| family | base | its expert | dispatched | its expert on the test split | its expert on the first set, "
             "no longer blind |", "|---|---|---|---|---|---|"]  # fmt: skip
    hand, first = r["handwritten"], r.get("handwritten_first", {})
    for k, task in enumerate(SKILLS):
        expert = r["headline"][task].get("expert")
        lines.append(f"| {task} | {_cell(hand['base'][k])} | {_cell(hand[task][k]) if task in hand else ''} | "
                     f"{_cell(hand['auto:prompt'][k])} | {_cell(expert) if expert else ''} | "
                     f"{_cell(first[task][k]) if task in first else ''} |")  # fmt: skip
    return "\n".join(lines)


def _looks(r: dict[str, Any]) -> str:
    if "looks" not in r:
        return ""
    lines = ["### Does it look at the picture?", "",
             "| task | mix | its picture | blank picture | another example's picture | chance |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for task, cell in r["looks"].items():
        lines.append(f"| {task} | {cell['mix']} | {_cell(cell['own'])} | {_cell(cell['blank'])} | {_cell(cell['other'])} | "
                     f"{_pct(cell['chance'])} |")  # fmt: skip
    return "\n".join(lines)


def _cell(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']:.1f} ({_ci(row['ci95'])})"


def _ci(ci: list[float]) -> str:
    return f"{100 * ci[0]:.1f} to {100 * ci[1]:.1f}"


def _pct(x: float | None) -> str:
    return "" if x is None else f"{100 * x:.1f} %"
