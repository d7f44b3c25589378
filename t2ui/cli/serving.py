"""``serve`` and ``record``: the page, and the recorded run that it shows before the model is ready."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from t2ui.cli.common import ROOT, common_flags, load_model, made_by, model_flags, write_json


def add_parsers(commands: Any) -> None:
    from t2ui.ui import flags

    p = commands.add_parser("serve", help="open the page (the same as python app.py)")
    flags.add_flags(p)
    p.set_defaults(run=run_serve)

    p = commands.add_parser("record", help="record a real run for the page's first picture")
    p.add_argument("--out", default=str(ROOT / "assets" / "recorded" / "run.json"), metavar="FILE")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_record)


def run_serve(args: argparse.Namespace) -> int:
    from t2ui.ui.serve import main

    return main(args)


def run_record(args: argparse.Namespace) -> int:
    from t2ui.recorded import record

    run = record(load_model(args), seed=args.seed)
    write_json(args.out, {**run, "made_by": made_by(args)})
    print(f"recorded run written to {Path(args.out).name}")
    write_json(args.json, run)
    return 0
