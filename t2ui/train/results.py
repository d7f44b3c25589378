"""All measurements of the README in one go: ``python -m t2ui report``.

:func:`measure` yields one section after the other (plain dicts, JSON-able); :func:`markdown` turns what was
measured into the README's tables. Nothing in those tables is typed by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from t2ui.core.mixing import Mix
from t2ui.engine.model import Loaded
from t2ui.tasks import SKILLS, TASKS, TRAINED
from t2ui.train import targets
from t2ui.train.evaluate import SEED, EvalReport, chance, compare, evaluate, gates
from t2ui.train.handwritten import evaluate_handwritten
from t2ui.train.measure_dispatch import measure_dispatch

HEADLINE_N, N, SAMPLES = 2000, 500, 8
SECTIONS = ("headline", "matrix", "gates", "dispatch", "two_pass", "handwritten", "handwritten_first", "looks", "majority")


def measure(loaded: Loaded, headline_n: int = HEADLINE_N, n: int = N, seed: int = SEED,
            only: Collection[str] = SECTIONS) -> Iterator[tuple[str, dict[str, Any]]]:  # fmt: skip
    """(section, result) pairs, in an order in which the early ones matter most.

    Args:
        only: the sections that are wanted; every one stands for itself, so that two processes can share the work.
    """
    names = loaded.stack.names
    own = {task: task for task in TRAINED if task in names}
    kept: dict[tuple[str, str], EvalReport] = {}
    if "headline" in only:
        headline: dict[str, Any] = {}
        for task in TRAINED:
            base = evaluate(loaded, task, Mix.base(), n=headline_n, seed=seed, name="base")
            kept[task, "base"] = base
            headline[task] = {"base": base.row()}
            if task in own:
                expert = evaluate(loaded, task, Mix.single(task), n=headline_n, seed=seed, name=task)
                kept[task, task] = expert
                headline[task] |= {"expert": expert.row(), "paired": compare(expert, base)}
        yield "headline", headline
    if "matrix" in only:
        mixes = {"base": Mix.base(), **{k: Mix.single(k) for k in names}}
        if names:
            mixes |= {"all": Mix(dict.fromkeys(names, 1.0)), "half": Mix(dict.fromkeys(names, 0.5)),
                      "uniform": Mix(dict.fromkeys(names, 1 / len(names)))}  # fmt: skip
        cells: dict[str, dict[str, Any]] = {}
        beside: list[dict[str, Any]] = []
        for task in TASKS:
            row: dict[str, EvalReport] = {}
            for name, mix in mixes.items():
                known = kept.get((task, name))
                row[name] = _first(known, n) if known and headline_n >= n else evaluate(
                    loaded, task, mix, n=n, seed=seed, name=name)  # fmt: skip
            cells[task] = {name: report.row() for name, report in row.items()}
            if task in own:
                beside += [compare(row[task], row[other]) for other in names if other != task]
        yield "matrix", {"cells": cells, "own_minus_other": beside, "n": n}
    if "gates" in only:
        yield "gates", {"rows": [{**report.row(), "forced": how} for how, report in
                                 gates(loaded, list(TASKS), n=n, seed=seed, split="test")]}  # fmt: skip
    if "dispatch" in only:
        yield "dispatch", measure_dispatch(loaded, [*TRAINED, "handwritten"], n, seed, "prompt")
    if "two_pass" in only:
        auto = {task: evaluate(loaded, task, "auto:prompt", n=n, seed=seed).row() for task in TRAINED}
        yield "two_pass", auto
    if "handwritten" in only:
        hand = {name: evaluate_handwritten(loaded, mix, name) for name, mix in
                [*((k, Mix.single(k)) for k in names), ("base", Mix.base()), ("auto:prompt", "auto:prompt")]}  # fmt: skip
        yield "handwritten", hand
    if "handwritten_first" in only:
        yield "handwritten_first", {k: evaluate_handwritten(loaded, Mix.single(k), k, "handwritten-first") for k in names}
    if "looks" in only:
        looks = {}
        for task in [t for t in TASKS if t.startswith("vision")]:
            mix = Mix.single("vision") if "vision" in names else Mix.base()
            if task == "vision_math" and {"vision", "math"} <= set(names):
                mix = Mix({"vision": 1.0, "math": 1.0})
            looks[task] = {"mix": str(mix), "chance": round(chance(task, n=n, seed=seed), 4), **{
                picture: evaluate(loaded, task, mix, n=n, seed=seed, picture=picture).row()
                for picture in ("own", "blank", "other")}}  # fmt: skip
        yield "looks", looks
    if "majority" in only:
        yield "majority", {task: evaluate(loaded, task, Mix.base(), n=n, seed=seed, samples=SAMPLES, temperature=1.0).row()
                           for task in TRAINED}  # fmt: skip


def markdown(results: dict[str, Any]) -> str:
    """The README's tables."""
    parts = [_headline(results), _matrix(results), _gates(results), _dispatch(results), _handwritten(results),
             _looks(results), targets.markdown(results)]  # fmt: skip
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
    lines = ["### Prompt dispatch", "", "| prompts | " + " | ".join(d["labels"]) + " | right |",
             "|---|" + "---|" * (len(d["labels"]) + 1)]  # fmt: skip
    for task, row in d["confusion"].items():
        total = sum(row.values())
        good = TASKS[task].skills if task in TASKS else (task.split()[-1],)
        lines.append(f"| {task} ({total}) | " + " | ".join(str(row.get(label, 0)) for label in d["labels"])
                     + f" | {_pct(sum(row.get(g, 0) for g in good) / total)} |")  # fmt: skip
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


def _first(report: EvalReport, n: int) -> EvalReport:
    """The same report over its first n examples (a longer list of examples begins with the shorter one)."""
    from dataclasses import replace

    from t2ui.train.statistics import wilson

    right = report.right[:n]
    return replace(report, n=n, correct=sum(right), accuracy=sum(right) / n, ci95=wilson(sum(right), n), right=right,
                   answers=report.answers[:n], seconds=report.seconds * n / report.n)  # fmt: skip


def _cell(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']:.1f} ({_ci(row['ci95'])})"


def _ci(ci: list[float]) -> str:
    return f"{100 * ci[0]:.1f} to {100 * ci[1]:.1f}"


def _pct(x: float | None) -> str:
    return "" if x is None else f"{100 * x:.1f} %"
