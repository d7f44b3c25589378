"""The README's table of what a LoRA of each rank keeps of an expert; see :mod:`t2ui.train.tables`."""

from __future__ import annotations

from typing import Any

LOGITS = 1e-4  # a LoRA of full rank gives the mix' logits within this


def markdown(r: dict[str, Any]) -> str:
    """What ``export MIX --as lora --sweep --measure TASK`` left: a line a rank, base and mix beside them."""
    if "lora" not in r:
        return ""
    found = r["lora"]
    lines = [f"### As a LoRA of rank k: {found['mix']}", "",
             "| weights | kept of the norm of dW | in the worst matrix | numbers | task | right | minus the mix (paired 95 %) | "
             "logits off by at most |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    lines += [f"| {row['mix']} |  |  |  | {row['task']} | {_cell(row)} |  |  |" for row in found["beside"]]
    for row in found["rows"]:
        minus = row["minus_mix"]
        lines.append(f"| rank {row['rank']}{' (full)' * row['full']} | {_share(row['kept'])} | {_share(row['kept_least'])} | "
                     f"{row['numbers']:,} | {row['task']} | {_cell(row)} | {100 * minus['diff']:+.1f} ({_ci(minus['ci95'])}) | "
                     f"{row['logits']:.0e} |")  # fmt: skip
    full = [row for row in found["rows"] if row["full"]]
    worst = max((row["logits"] for row in full), default=0.0)
    said = "met" if worst <= LOGITS else "**missed**"
    n = found["rows"][0]["n"]
    lines.append(f"\nTest split, n = {n:,}; in brackets 95 % intervals. Full rank equals the mix within {LOGITS:.0e} in logits: "
                 f"{worst:.0e}, {said}.")  # fmt: skip
    return "\n".join(lines)


def _cell(row: dict[str, Any]) -> str:
    return f"{100 * row['accuracy']:.1f} ({_ci(row['ci95'])})"


def _ci(ci: list[float]) -> str:
    return f"{100 * ci[0]:.1f} to {100 * ci[1]:.1f}"


def _share(x: float) -> str:
    return f"{100 * x:.1f} %"
