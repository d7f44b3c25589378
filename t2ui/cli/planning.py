"""``plan`` and ``architectures``: what a model takes, from its configuration alone; which models load, tried out."""

from __future__ import annotations

import argparse
from typing import Any

from t2ui.cli.common import CommandError, common_flags, made_by, write_json, write_text


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("plan", help="memory, time and files that a model takes, from its config.json alone")
    p.add_argument("model", metavar="MODEL", help="a folder, a name of the Hub (only its config.json is fetched), or a well-known "
                   "shape such as llama-3-8b")  # fmt: skip
    p.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float16", "float32"))
    p.add_argument("--rows", type=int, default=16, help="rows that are served at once (default: 16)")
    p.add_argument("--length", type=int, default=2048, help="tokens of each (default: 2048)")
    p.add_argument("--tokens", type=int, default=2048, help="tokens of one training step (default: 2048)")
    p.add_argument("--device", default="auto", help="where a decomposition is timed (default: a GPU if there is one)")
    p.add_argument("--no-measure", dest="measure", action="store_false", help="estimate no time")
    common_flags(p)
    p.set_defaults(run=run_plan)

    p = commands.add_parser("architectures", help="try every kind of model on a tiny random one; prints a table in Markdown")
    p.add_argument("--only", default=None, metavar="NAMES", help="comma-separated types, such as llama,qwen2_vl")
    p.add_argument("--out", default=None, metavar="FILE", help="write the table to this file too")
    common_flags(p)
    p.set_defaults(run=run_architectures)


def run_plan(args: argparse.Namespace) -> int:
    import torch

    from t2ui.engine.plan import find, measure, plan, table

    if min(args.rows, args.length, args.tokens) < 1:
        raise CommandError("--rows, --length and --tokens must be at least 1")
    config, name, source = find(args.model)
    rate = measure(args.device) if args.measure else None
    found = plan(config, name, source, getattr(torch, args.dtype), args.rows, args.length, args.tokens, rate)
    print(table(found))
    write_json(args.json, {**found.as_dict(), "made_by": made_by(args)})
    return 0


def run_architectures(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from t2ui.bench.architectures import KINDS, examine, markdown
    from t2ui.cli.common import names

    only = names(args.only) if args.only else list(KINDS)
    unknown = [name for name in only if name not in KINDS]
    if unknown:
        raise CommandError(f"no kind {unknown[0]!r}; kinds are {', '.join(KINDS)}")
    found = {name: examine(name, seed=args.seed) for name in only}
    print(markdown(found))
    if args.out:
        write_text(args.out, markdown(found) + "\n")
    kinds = {name: {column: asdict(cell) for column, cell in cells.items()} for name, cells in found.items()}
    write_json(args.json, {"kinds": kinds, "made_by": made_by(args)})
    return 0 if all(cell.ok for row in found.values() for cell in row.values()) else 1
