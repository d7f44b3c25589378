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

    p = commands.add_parser("record", help="record a real run for the page's first picture, and the storyline's moments")
    p.add_argument("--out", default=str(ROOT / "assets" / "recorded" / "run.json"), metavar="FILE",
                   help="the run; the storyline (for ?present=1) is written beside it, as story.json")  # fmt: skip
    p.add_argument("--only", choices=("run", "story"), default=None, help="record one of the two")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_record)


def run_serve(args: argparse.Namespace) -> int:
    from t2ui.ui.serve import main

    return main(args)


def run_record(args: argparse.Namespace) -> int:
    from t2ui.recorded import record
    from t2ui.storyline import record_story

    loaded, out = load_model(args), Path(args.out)
    done = {}
    for name, path, make in (("run", out, record), ("story", out.with_name("story.json"), record_story)):
        if args.only in (None, name):
            done[name] = make(loaded, seed=args.seed)
            write_json(str(path), {**done[name], "made_by": made_by(args)})
            print(f"recorded {name} written to {path.name}")
    write_json(args.json, done.get("run") or done["story"])
    return 0
