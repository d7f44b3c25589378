"""``import``: a PEFT LoRA adapter, or a checkpoint of the code released with the paper, as an expert."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from t2ui.cli.common import CommandError, common_flags, load_model, made_by, model_flags, table, write_json

MARK = "imported"


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("import", help="a PEFT LoRA adapter, or a checkpoint of the paper's released code, as an expert")
    p.add_argument("source", metavar="ADAPTER_OR_FILE",
                   help="folder of a LoRA adapter or its name on the Hub; policy_params.pt or learnable_params.pt")  # fmt: skip
    p.add_argument("--name", required=True, help="the expert's name; its folder is made in --experts")
    p.add_argument("--role", default="skill", choices=("skill", "dispatcher"), help="dispatcher: a trained classifier")
    p.add_argument("--mask", default="auto", choices=("auto", "sigmoid", "identity"),
                   help="sigmoid: one expert; identity: as that code's few-shot path has it (default: by the file)")  # fmt: skip
    p.add_argument("--max-mult", type=float, default=1.0, help="of the trained policy (default: 1; it cancels out)")
    p.add_argument("--force", action="store_true", help="replace an expert that was imported under that name")
    model_flags(p), common_flags(p)
    # The base is the model, under the name by which one thinks of it here.
    p.add_argument("--base", dest="model", default=argparse.SUPPRESS, metavar="FOLDER", help="the same as --model")
    p.set_defaults(run=run_import)


def run_import(args: argparse.Namespace) -> int:
    from t2ui.core.experts import NAME, Expert
    from t2ui.core.files import folder_atomic, refuse_existing
    from t2ui.core.released import native_z, read_released
    from t2ui.hubname import is_name

    source = Path(args.source)
    if not NAME.fullmatch(args.name):
        raise CommandError(f"--name takes a letter, then up to 63 letters, digits, '_', '-', '.'; got {args.name!r}")
    if source.is_dir() or (is_name(args.source) and source.suffix != ".pt"):
        return _import_adapter(args)
    released = read_released(source)  # before the model is loaded: it is the quicker one to be wrong
    folder = Path(args.experts) / args.name
    try:
        refuse_existing(folder, args.force, _imported)
    except FileExistsError as error:
        raise CommandError(str(error)) from None
    loaded = load_model(args)
    mask = released.mask if args.mask == "auto" else args.mask
    z, c = native_z(loaded.adapted, released, mask, args.max_mult)
    objective = f"imported from the paper's released code ({released.kind}, mask {mask})"
    expert = Expert.from_z(loaded.adapted, args.name, z, role=args.role, objective=objective, meta={"title": args.name})
    away = max(float((part - 1).abs().max()) for part in z.values())
    # p is recovered from z / c by the inverse of the mask: together with the expert file this holds the original.
    recipe = {MARK: {"file": source.name, "sha256": hashlib.sha256(source.read_bytes()).hexdigest(), "kind": released.kind,
                     "mask": mask, "max_mult": args.max_mult, "rescaling": c, "coefficients": released.coefficients},
              "base": expert.base_id, "fingerprint": expert.fingerprint, "made_by": made_by(args)}  # fmt: skip
    with folder_atomic(folder, args.force, _imported) as draft:
        expert.save(draft)
        (draft / "recipe.json").write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
        (draft / "README.md").write_text(_card(expert, recipe), encoding="utf-8")
    print(table([("file", f"{source.name}: {released.kind}, {len(z)} matrices, {sum(t.numel() for t in z.values()):,} numbers"),
                 ("mask", mask), ("rescaling c", f"{min(c.values()):.4f} to {max(c.values()):.4f}"),
                 ("largest |z - 1|", f"{away:.4f}"), ("expert", str(folder))], ("", "")))  # fmt: skip
    if released.note and args.mask == "auto":
        print(f"note: {released.note}")
    print("note: the file does not name its base model; counts and lengths fit this one, more cannot be seen")
    write_json(args.json, {**recipe, "expert": args.name, "matrices": len(z), "largest": away})
    return 0


def _import_adapter(args: argparse.Namespace) -> int:
    from t2ui.core.adapters import load_adapter
    from t2ui.core.files import refuse_existing
    from t2ui.engine.adapters import import_adapter, is_imported
    from t2ui.engine.hub import fetched_adapter

    if args.role != "skill" or args.mask != "auto":
        raise CommandError("--role and --mask are of files of the released code: a LoRA adapter is a skill expert as it is")
    try:
        refuse_existing(Path(args.experts) / args.name, args.force, is_imported)
    except FileExistsError as error:
        raise CommandError(str(error)) from None
    load_adapter(fetched_adapter(args.source), args.name)  # before the model is loaded: it is the quicker one to be wrong
    loaded = load_model(args)
    done = import_adapter(loaded.adapted, args.source, args.name, args.experts, force=args.force, made_by=made_by(args))
    about = done.facts["imported"]
    print(table([("adapter", f"{about['from']}: {done.expert.objective}"),
                 ("size", f"{about['matrices']} matrices, {about['numbers']:,} numbers"),
                 ("rescales singular values", f"{100 * done.rescales:.1f} % of |dW|^2; the rest rotates them"),
                 ("expert", str(done.folder))], ("", "")))  # fmt: skip
    for finding in done.warnings:
        print(f"note: {finding}")
    write_json(args.json, {**done.facts, "expert": args.name})
    return 0


def _imported(folder: Path) -> bool:
    try:
        return MARK in json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def _card(expert: Any, recipe: dict[str, Any]) -> str:
    about = recipe[MARK]
    how = {"sigmoid": "z = c sigmoid(p) max_mult", "identity": "z = c p, as that code's few-shot path has it"}[about["mask"]]
    return f"""---
library_name: t2ui
base_model: {expert.base_id}
tags: [svf, transformer-squared, expert]
---
# {expert.name}

Imported from `{about['file']}`, a checkpoint of the code released with the paper, which does not name its base model. It was
read on `{expert.base_id}` (fingerprint `{expert.fingerprint[:12]}`): right only if it was trained on that one.

| | |
|---|---|
| kind of file | {about['kind']} |
| conversion | {how}, c = sum(sigma) / sum(sigma m) per matrix, computed in float64 |
| matrices | {len(expert.z)} |
| SHA-256 of the file | `{about['sha256']}` |

Not measured here: `python -m t2ui eval --mix {expert.name} --task ...` does.
"""
