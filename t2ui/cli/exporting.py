"""``export``: a mix as an SVF expert, a PEFT LoRA, a merged checkpoint or a recipe; what a LoRA of each rank keeps."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from t2ui.cli.common import (
    CommandError,
    common_flags,
    interval,
    load_model,
    made_by,
    model_flags,
    percent,
    table,
    write_json,
)
from t2ui.cli.evaluation import TEST_SEED, mix_of, task_names

RANK = 16


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("export", help="a mix as an SVF expert, a PEFT LoRA, a merged checkpoint or a recipe")
    p.add_argument("mix", metavar="MIX", help="an expert, math=0.6,code=0.2, all, uniform, half, or a recipe file")
    p.add_argument("--as", dest="kind", required=True, choices=("expert", "lora", "merged", "recipe"))
    p.add_argument("--out", default=None, metavar="FOLDER", help="a new folder")
    p.add_argument("--force", action="store_true", help="replace an earlier export of that name")
    p.add_argument("--rank", default=str(RANK), metavar="K", help=f"rank of a LoRA, or full (default: {RANK}, vLLM's own limit)")
    p.add_argument("--name", default=None, help="name of the expert (default: the folder's)")
    p.add_argument("--base-name", default=None, metavar="NAME",
                   help="what the LoRA names as its base, such as a Hub id (default: --model as given)")  # fmt: skip
    p.add_argument("--shard", default="5GB", metavar="SIZE", help="largest file of a merged checkpoint (default: 5GB)")
    p.add_argument("--measure", default=None, metavar="TASK,...",
                   help="measure base, mix and export on test examples of these tasks")  # fmt: skip
    p.add_argument("--n", type=int, default=500, help="examples a task (default: 500)")
    p.add_argument("--sweep", action="store_true",
                   help="write no files: with --as lora and --measure, what every rank of --ranks keeps and answers")  # fmt: skip
    p.add_argument("--ranks", default="1,2,4,8,16,32", help="ranks of --sweep, the full one is added (default: 1,2,4,...,32)")
    model_flags(p), common_flags(p, TEST_SEED)
    p.set_defaults(run=run_export)


def run_export(args: argparse.Namespace) -> int:
    from t2ui.core.files import refuse_existing
    from t2ui.engine.export import ExportSettings, export, is_export
    from t2ui.train.exports import measurer

    tasks = _tasks(args)
    if args.sweep:
        return _sweep(args, tasks)
    if args.out is None:
        raise CommandError("--out FOLDER says where to; --sweep measures LoRA ranks without writing any")
    try:
        refuse_existing(args.out, args.force, is_export)  # before the model is loaded
    except FileExistsError as error:
        raise CommandError(str(error)) from None
    settings = ExportSettings(rank=_rank(args.rank), name=args.name, base_name=args.base_name, shard=args.shard, force=args.force)
    loaded = load_model(args)
    mix, made = _mix(loaded, args.mix), made_by(args)
    measure = measurer(loaded, mix, tasks, n=args.n, seed=args.seed, tell=_tell) if tasks else None
    facts: dict[str, Any] = {}
    for report in export(loaded, mix, args.kind, args.out, settings, measure=measure, made_by=made):
        if report.stage == "done":
            facts = report.facts or {}
            print(report.text)
    about = facts["export"]
    if args.kind == "lora":
        print(f"rank {about['rank']}: keeps {percent(about['kept'])} of the change's norm "
              f"({percent(min(about['kept_by_matrix'].values()))} in the worst of {len(about['kept_by_matrix'])} matrices), "
              f"{about['numbers']:,} numbers")  # fmt: skip
    if held := about.get("projected"):
        print(f"projected on SVF: keeps {percent(held['kept'])} of |dW|^2; {percent(held['loss'])} is lost, which rotates singular "
              f"vectors ({percent(1 - min(held['kept_by_matrix'].values()))} in the worst of {len(held['kept_by_matrix'])} matrices)")  # fmt: skip
    if facts.get("measured"):
        print()
        print(table([(r["task"], r["n"], *(f"{percent(r[k]['accuracy'])} ({interval(r[k]['ci95'])})"
                                           for k in ("base", "mix", "export")),
                      f"{100 * r['export_minus_mix']['diff']:+.1f} ({interval(r['export_minus_mix']['ci95'])})")
                     for r in facts["measured"]], ("task", "n", "base", "mix", "export", "export minus mix")))  # fmt: skip
    write_json(args.json, {**facts, "seed": args.seed})
    return 0


def _sweep(args: argparse.Namespace, tasks: Sequence[str]) -> int:
    from t2ui.train.exports import RankRow, sweep

    if args.kind != "lora" or not tasks:
        raise CommandError("--sweep goes with --as lora and --measure TASK,...")
    if args.out is not None:
        raise CommandError("--sweep writes no folder: leave --out away, or --sweep")
    try:
        ranks = tuple(int(k) for k in args.ranks.split(","))
    except ValueError as error:
        raise CommandError(f"--ranks takes whole numbers such as 1,2,4, got {args.ranks!r}") from error
    loaded = load_model(args)
    mix = _mix(loaded, args.mix)
    rows, beside = [], []
    for report in sweep(loaded, mix, tasks, ranks=ranks, n=args.n, seed=args.seed):
        if isinstance(report, RankRow):
            rows.append(report)
        else:
            beside.append(report)
        _tell(report)
    print(table([*((r.task, r.mix, "", "", r.n, percent(r.accuracy), interval(r.ci95), "", "") for r in beside),
                 *((r.task, f"rank {r.rank}{' (full)' * r.full}", percent(r.kept), f"{r.numbers:,}", r.n, percent(r.accuracy),
                    interval(r.ci95), f"{100 * r.minus_mix['diff']:+.1f} ({interval(r.minus_mix['ci95'])})",
                    f"{r.logits:.1e}") for r in rows)],
                ("task", "weights", "keeps of |dW|", "numbers", "n", "right", "95 %", "minus the mix",
                 "logits off by")))  # fmt: skip
    write_json(args.json, {"mix": str(mix), "base": loaded.adapted.base_id, "fingerprint": loaded.adapted.fingerprint,
                           "beside": [r.row() for r in beside], "rows": [r.row() for r in rows], "split": "test",
                           "made_by": made_by(args)})  # fmt: skip
    return 0


def _tell(report: Any) -> None:
    name = f"rank {report.rank}" if hasattr(report, "rank") else report.mix
    print(f"{report.task} {name}: {percent(report.accuracy)}", file=sys.stderr)


def _tasks(args: argparse.Namespace) -> list[str]:
    from t2ui.tasks import TASKS

    tasks = task_names(args.measure) if args.measure else []
    if unknown := [t for t in tasks if t not in TASKS]:
        raise CommandError(f"{unknown[0]!r} has no test examples; --measure takes {', '.join(TASKS)}")
    if args.n < 1:
        raise CommandError(f"--n must be at least 1, got {args.n}")
    return tasks


def _rank(text: str) -> int | None:
    if text == "full":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise CommandError(f"--rank takes a whole number of at least 1, or full, got {text!r}")
    return int(text)


def _mix(loaded: Any, text: str) -> Any:
    mix = mix_of(loaded, text)
    if isinstance(mix, str):
        raise CommandError(f"{text} chooses a mix per prompt; give one mix, such as math=0.6,code=0.2")
    return mix
