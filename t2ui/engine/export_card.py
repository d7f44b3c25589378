"""The card (README.md) of an exported mix."""

from __future__ import annotations

from typing import Any

_WHAT = {
    "expert": "One SVF expert for t2ui. Put the folder into an experts' folder, or `Expert` it from Python.",
    "lora": "A LoRA adapter. peft, vLLM and llama.cpp's `convert_lora_to_gguf.py` read it as it is.",
    "merged": "A whole checkpoint with the mix folded in. transformers reads it as it is; it needs no adapter and no t2ui.",
    "recipe": "A mix to be made again: `python -m t2ui eval --mix recipe.json --task ...`.",
}
_LIBRARY = {"expert": "t2ui", "lora": "peft", "merged": "transformers", "recipe": "t2ui"}


def card(facts: dict[str, Any]) -> str:
    """Markdown from what recipe.json holds."""
    export = facts["export"]
    kind = export["as"]
    rows = [("mix", f"`{facts['mix']}`"), ("base", f"`{facts['base']}`, fingerprint `{facts['fingerprint'][:12]}`"),
            *((f"expert {name}", objective or "not stated") for name, objective in facts["experts"].items())]  # fmt: skip
    if kind == "lora":
        rows += [("rank", f"{export['rank']} in every matrix, lora_alpha the same (scale 1)"),
                 ("kept of the change's Frobenius norm", f"{100 * export['kept']:.2f} % over all matrices, "
                  f"{100 * min(export['kept_by_matrix'].values()):.2f} % in the worst (`recipe.json` has each)"),
                 ("numbers", f"{export['numbers']:,}")]  # fmt: skip
    elif kind == "merged":
        rows += [("dtype", export["dtype"]), ("parameters", f"{export['numbers']:,}")]
    elif kind == "expert":
        rows.append(("numbers", f"{export['numbers']:,}"))
        if held := export.get("projected"):
            rows.append(("projected on SVF", f"keeps {100 * held['kept']:.2f} % of |dW|^2, the part that rescales singular values; "
                         f"{100 * held['loss']:.2f} % is lost, which rotates singular vectors (`recipe.json` has each matrix)"))  # fmt: skip
    if facts["made_by"]:
        rows.append(("command", f"`{facts['made_by'].get('command', 'not stated')}`"))
    lines = ["---", f"library_name: {_LIBRARY[kind]}", f"base_model: {facts['base']}", "tags: [svf, transformer-squared, t2ui]",
             "---", f"# {facts['mix']} on {facts['base']}", "", _WHAT[kind], "", "| | |", "|---|---|"]  # fmt: skip
    lines += [f"| {name} | {_cell(value)} |" for name, value in rows]
    if facts.get("measured"):
        lines += ["", "Measured on test examples with what was written, read back from its files (95 % intervals; differences "
                  "are paired on the same examples):", "", "| task | n | base | mix | this export | export minus mix |",
                  "|---|---|---|---|---|---|", *map(_measured, facts["measured"])]  # fmt: skip
    else:
        lines += ["", "Accuracy of this export: not measured."]
    return "\n".join(lines) + "\n"


def _measured(row: dict[str, Any]) -> str:
    cells = [f"{100 * row[k]['accuracy']:.1f} ({100 * row[k]['ci95'][0]:.1f} to {100 * row[k]['ci95'][1]:.1f})"
             for k in ("base", "mix", "export")]  # fmt: skip
    minus = row["export_minus_mix"]
    diff = f"{100 * minus['diff']:+.1f} ({100 * minus['ci95'][0]:.1f} to {100 * minus['ci95'][1]:.1f})"
    return f"| {row['task']} | {row['n']:,} | {' | '.join(cells)} | {diff} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
