"""All measurements of the README in one go: ``python -m t2ui report``.

:func:`measure` yields one section after the other (plain dicts, JSON-able); :func:`t2ui.train.tables.markdown` turns
what was measured into the README's tables. Nothing in those tables is typed by hand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from t2ui.core.experts import FILE_NAME
from t2ui.core.mixing import Mix
from t2ui.engine.model import Loaded
from t2ui.tasks import TASKS, TRAINED, UNSEEN
from t2ui.train.evaluate import SEED, EvalReport, chance, compare, evaluate, gates
from t2ui.train.handwritten import evaluate_handwritten
from t2ui.train.measure_dispatch import STRAY, measure_dispatch
from t2ui.train.statistics import wilson

HEADLINE_N, N, SAMPLES = 2000, 500, 8
DISPATCH_N = 1000
SECTIONS = ("headline", "matrix", "gates", "dispatch", "two_pass", "handwritten", "handwritten_first", "looks", "majority",
            "classifier", "mixed", "sizes")


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
                kept.setdefault((task, name), row[name])
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
        for task in TRAINED:
            kept[task, "prompt"] = evaluate(loaded, task, "auto:prompt", n=n, seed=seed)
        yield "two_pass", {task: kept[task, "prompt"].row() for task in TRAINED}
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
    strategies = ["prompt"] if loaded.dispatcher is None else ["prompt", "classifier"]
    if "classifier" in only:
        strange = [*UNSEEN, *(f"{task}{STRAY}" for task in TRAINED if task != "vision")]
        yield "classifier", {strategy: {"trained": measure_dispatch(loaded, [*TRAINED, "handwritten"], DISPATCH_N, seed, strategy),
                                        "unseen": measure_dispatch(loaded, strange, DISPATCH_N, seed, strategy)}
                             for strategy in strategies}  # fmt: skip
    if "mixed" in only:
        yield "mixed", _mixed(loaded, strategies, n, seed, kept)
    if "sizes" in only:
        files = [loaded.registry.folder / name / FILE_NAME for name in names] if loaded.registry else []
        total = sum(p.numel() for p in loaded.model.parameters())
        yield "sizes", {"bytes": max((f.stat().st_size for f in files if f.exists()), default=0), "z": loaded.adapted.R, "model": total}


def _mixed(loaded: Loaded, strategies: list[str], n: int, seed: int,
           kept: Mapping[tuple[str, str], EvalReport]) -> dict[str, Any]:  # fmt: skip
    """The trained families in equal parts: two passes by each strategy, beside the right expert and the mixes that
    need no dispatch at all. What was measured before (``kept``) is not measured again."""
    names = loaded.stack.names
    k = max(1, len(names))
    ways: dict[str, Any] = {"right": None, **{s: f"auto:{s}" for s in strategies}, "base": Mix.base(),
                            "all": Mix(dict.fromkeys(names, 1.0)), "half": Mix(dict.fromkeys(names, 0.5)),
                            "uniform": Mix(dict.fromkeys(names, 1 / k))}  # fmt: skip
    out: dict[str, Any] = {}
    for name, mix in ways.items():
        rows = {}
        for task in (t for t in TRAINED if t in names):
            known = kept.get((task, task if mix is None else name))
            rows[task] = _first(known, n) if known and known.n >= n else evaluate(
                loaded, task, mix or Mix.single(task), n=n, seed=seed, name=name)  # fmt: skip
        right = [r for row in rows.values() for r in row.right]
        out[name] = {"accuracy": round(sum(right) / max(1, len(right)), 4), "n": len(right),
                     "ci95": [round(x, 4) for x in wilson(sum(right), max(1, len(right)))],
                     "tasks": {task: row.row()["accuracy"] for task, row in rows.items()}}  # fmt: skip
    return out


def _first(report: EvalReport, n: int) -> EvalReport:
    """The same report over its first n examples (a longer list of examples begins with the shorter one)."""
    right = report.right[:n]
    return replace(report, n=n, correct=sum(right), accuracy=sum(right) / n, ci95=wilson(sum(right), n), right=right,
                   answers=report.answers[:n], seconds=report.seconds * n / report.n)  # fmt: skip
