"""The README's tables of what things cost, from the files that ``python -m t2ui bench NAME --json`` left in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = tuple[str, str, str, str]


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Results by name of the benchmark."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return {one["name"]: one for one in found if "name" in one}


def markdown(found: dict[str, dict[str, Any]]) -> str:
    """One row a benchmark: measured, target, met or missed; then the table of ``scale``. "" without results."""
    rows = [row for name, make in _ROWS.items() if name in found for row in make(found[name])]
    if not rows:
        return ""
    made = next(iter(found.values()))["made_by"]
    lines = ["### What it costs", "", "| `bench` | measured | target, two CPU cores | |", "|---|---|---|---|",
             *(f"| {a} | {b} | {c} | {d} |" for a, b, c, d in rows),
             f"\nDemo model, {made['cpus']} CPU cores ({made['machine']}), torch {made['torch']}; medians. R is the ratio of "
             f"multiply-adds, rows / plain. {'' if 'gpu' in found else 'On a GPU: not measured (`python -m t2ui bench gpu`).'}"]  # fmt: skip
    if "scale" in found:
        lines += ["", "![Milliseconds of a step by batch and context, of new mixes by experts](assets/results/bench/scale.svg)",
                  "", *_scale(found["scale"])]  # fmt: skip
    if "gpu" in found:
        lines += ["", *_gpu(found["gpu"])]
    return "\n".join(lines)


def _verdict(met: bool) -> str:
    return "met" if met else "**missed**"


def _overhead(r: dict[str, Any]) -> list[Row]:
    cells = r["batches"]
    steps = ", ".join(f"{b}: {cell['step rows_over_base']:.2f}" for b, cell in cells.items())
    reads = ", ".join(f"{b}: {cell['prefill rows_over_base']:.2f}" for b, cell in cells.items())
    worst = {stage: max(c[f"{stage} rows_over_base"] for c in cells.values()) for stage in ("step", "prefill")}
    return [(f"`overhead`: {what}, rows / no adapters, by batch", f"{text} (R = {r['R']:.2f})",
             f"<= 1.1 R = {r['limit']:.2f}", _verdict(worst[stage] <= r["limit"]))
            for what, stage, text in (("decode step", "step", steps), ("prefill", "prefill", reads))]  # fmt: skip


def _mix(r: dict[str, Any]) -> list[Row]:
    s = r["seconds"]
    return [("`mix`: new mix to first token", f"{1000 * s['rows']:.1f} ms, {r['rows_over_no_mix']:.2f} x no adapters; folded "
             f"{1000 * s['fold']:.1f} ms ({r['fold_over_no_mix']:.2f} x)", f"<= 1.1 R = {r['limit']:.2f}", _verdict(r["met"]))]  # fmt: skip


def _cem(r: dict[str, Any]) -> list[Row]:
    s = r["seconds"]
    return [("`cem`: one generation (32 x 10 rows, 32 tokens)",
             f"{s['rows']:.2f} s; serial folds {r['serial_over_rows']:.2f} x, one by one {r['one_by_one_over_rows']:.1f} x, "
             f"{r['rows_over_no_mix']:.2f} x no adapters", f">= 1.5, >= 5, <= 1.1 R = {r['limit']:.2f}", _verdict(r["met"]))]  # fmt: skip


def _serve(r: dict[str, Any]) -> list[Row]:
    rate = r["tokens_per_second"]
    peft = f", peft's mixed batch {r['rows_over_peft']:.2f} x" if "rows_over_peft" in r else ""
    return [("`serve`: 16 visitors, 16 mixes", f"{rate['rows']:,.0f} tokens/s; of no mixes {r['rows_over_no_mix']:.2f}, "
             f"sequential `generate` {r['rows_over_sequential']:.1f} x, `generate` batch {r['rows_over_generate_batch']:.2f} x{peft}",
             f">= 0.9 / R = {r['limit_no_mix']:.2f}, >= 4, >= 0.9, >= 1.5", _verdict(r["met"]))]  # fmt: skip


def _fair(r: dict[str, Any]) -> list[Row]:
    return [("`fair`: chat beside a search of the paper's size",
             f"first token {1000 * r['search first token']:.0f} ms (idle {1000 * r['idle first token']:.0f} ms), "
             f"{r['search_over_idle']:.2f} of the idle tokens per second", "<= idle + 50 ms, >= 0.5", _verdict(r["met"]))]  # fmt: skip


def _visitors(r: dict[str, Any]) -> list[Row]:
    cells = "; ".join(f"{n}: {c['p50']:.2f} / {c['p95']:.2f} s" for n, c in r["counts"].items())
    return [("`visitors`: first token p50 / p95, a question every 20 s each", cells, "p95 <= 2 s at 32", _verdict(r["met"]))]


def _train(r: dict[str, Any]) -> list[Row]:
    s = r["seconds per step"]
    return [(f"`train`: REINFORCE step of {r['rollouts']} rollouts",
             f"{s['ours']:.2f} s; `generate` with fp32 autograd {r['plain_over_ours']:.2f} x, with our bf16 "
             f"{r['plain_bf16_over_ours']:.2f} x; rollout {r['rollout tokens per second']['ours']:,.0f} tokens/s, "
             f"{r['rollout_over_generate']:.2f} x `generate`", ">= 2 (step and rollout)", _verdict(r["met"]))]  # fmt: skip


def _decompose(r: dict[str, Any]) -> list[Row]:
    s = r["seconds"]
    return [(f"`decompose`: {r['matrices']} matrices", f"{s['computed']:.2f} s, from the cache {s['from cache']:.3f} s "
             f"({r['computed_over_cache']:.0f} x); largest matrix {1000 * s['largest matrix']:.1f} ms "
             f"(`torch.linalg.svd` in fp32 {1000 * s['torch.linalg.svd']:.1f} ms)", "cache >= 20 x", _verdict(r["met"]))]  # fmt: skip


def _page(r: dict[str, Any]) -> list[Row]:
    def told(name: str, value: float) -> str:
        if name.startswith("outage"):
            return "yes" if value else "no"
        return f"{value:.1f}" if "updates" in name else f"{value:.0f}" if "requests" in name else f"{1000 * value:,.0f} ms"

    rows = []
    for name, value in r["values"].items():
        limit, least = r["limits"][name], "updates" in name or name.startswith("outage")
        sign = "" if name.startswith("outage") or not limit else ">= " if least else "<= "
        rows.append((f"`page`: {name}", told(name, value), sign + told(name, limit), _verdict(r["met"][name])))
    return rows


_ROWS: dict[str, Callable[[dict[str, Any]], list[Row]]] = {
    "overhead": _overhead, "mix": _mix, "cem": _cem, "serve": _serve, "fair": _fair, "visitors": _visitors, "train": _train,
    "decompose": _decompose, "page": _page}  # fmt: skip


# On one GPU: the same comparisons, other targets (cem 7 x serial, first token of 100 visitors, training only stated).
_GPU_TARGETS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "overhead": lambda r: r["met"], "mix": lambda r: r["met"], "serve": lambda r: r["met"], "fair": lambda r: r["met"],
    "cem": lambda r: r["serial_over_rows"] >= 7 and r["rows_over_no_mix"] <= r["limit"],
    "visitors": lambda r: r["counts"]["100"]["p95"] <= 0.5, "toy": lambda r: r["met"]}  # fmt: skip


def _gpu(r: dict[str, Any]) -> list[str]:
    lines = [f"On {r['device']}, random weights (`{r['made_by']['command']}`):", "", "| shape | `bench` | measured | |",
             "|---|---|---|---|"]  # fmt: skip
    for shape, stages in r["shapes"].items():
        for stage, result in stages.items():
            if stage == "scale" and "error" not in result:
                continue
            verdict = "failed" if "error" in result else _verdict(_GPU_TARGETS[stage](result)) if stage in _GPU_TARGETS else ""
            text = result.get("error") or (_ROWS[stage](result)[0][1] if stage in _ROWS and stage != "decompose" else ", ".join(
                f"{k}: {v}" for k, v in result.items() if k not in ("met", "stage seconds")))  # fmt: skip
            lines.append(f"| {shape} | {stage} | {text} | {verdict} |")
    return lines


def _scale(r: dict[str, Any]) -> list[str]:
    def cells(group: dict[str, Any], key: str) -> str:
        return " | ".join(f"{1000 * c[key]:.1f}" for c in group.values())

    batch, context, experts = r["batch"], r["context"], r["experts"]
    out = []
    for title, group in (("batch (64 tokens before it)", batch), (f"context, batch 8 (the model's own: {r['context of the model']:,})", context)):
        out += [f"| {title} | " + " | ".join(group) + " |", "|---|" + "---|" * len(group),
                f"| a step of rows, ms | {cells(group, 'rows')} |", f"| without adapters, ms | {cells(group, 'no_mix')} |", ""]  # fmt: skip
    out += ["| experts in every mix | " + " | ".join(experts) + " |", "|---|" + "---|" * len(experts),
            "| 32 new mixes, ms (a step does not depend on it) | " + cells(experts, "32 mixes") + " |"]  # fmt: skip
    return out
