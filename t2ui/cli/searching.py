"""``search``: few-shot search of a mix, measured on held-out examples."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
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


def add_parsers(commands: Any) -> None:
    from t2ui.engine.search import METHODS, OBJECTIVES, PRESETS

    p = commands.add_parser("search", help="search the mix that answers a few examples best (CEM)")
    p.add_argument("--task", required=True, help="A,B,... or one of: all, trained, unseen, two-skill")
    p.add_argument("--preset", default="paper", choices=tuple(PRESETS), help="; ".join(
        f"{name}: {preset.about}" for name, preset in PRESETS.items()).replace("%", "%%"))  # fmt: skip
    p.add_argument("--shots", type=int, default=None, help="examples to search with (default: the preset's)")
    p.add_argument("--method", default=None, choices=METHODS)
    p.add_argument("--objective", default=None, choices=OBJECTIVES)
    p.add_argument("--population", type=int, default=None)
    p.add_argument("--generations", type=int, default=None)
    p.add_argument("--low", type=float, default=None, help="lower bound of every alpha (default: 0)")
    p.add_argument("--high", type=float, default=None, help="upper bound of every alpha (default: 1)")
    p.add_argument("--per-layer", action="store_true", default=None, help="one alpha per expert and decoder layer")
    p.add_argument("--seeds", type=int, default=1, help="so many searches, from --seed on, each with shots of its own")
    p.add_argument("--n", type=int, default=1000, help="held-out test examples; 0 measures none (default: 1000)")
    p.add_argument("--state", default=None, metavar="FILE", help="save the search there and go on from there")
    p.add_argument("--keep", default=None, metavar="NAME", help="keep the mix for auto:few-shot:NAME")
    p.add_argument("--recipe", default=None, metavar="FILE", help="write the mix found as a recipe file")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_search)


def run_search(args: argparse.Namespace) -> int:
    from t2ui.cli.evaluation import task_names
    from t2ui.core.mixing import Mix
    from t2ui.engine.dispatch import RECIPES
    from t2ui.engine.search import PRESETS, SearchSettings, save_recipe
    from t2ui.tasks import TASKS
    from t2ui.train.fewshot import Heldout, fewshot

    tasks = task_names(args.task)
    if unknown := [t for t in tasks if t not in TASKS]:
        raise CommandError(f"{unknown[0]!r} has no examples to search with; tasks are {', '.join(TASKS)}")
    if args.seeds < 1 or args.n < 0:
        raise CommandError(f"--seeds must be at least 1 and --n at least 0, got {args.seeds} and {args.n}")
    if len(tasks) * args.seeds > 1 and (args.state or args.keep or args.recipe):
        raise CommandError("--state, --keep and --recipe are for one task and one seed")
    if args.keep is not None and (not args.keep or not args.keep.replace("-", "").replace("_", "").isalnum()):
        raise CommandError(f"--keep takes a name of letters, digits, - and _, got {args.keep!r}")
    preset = PRESETS[args.preset]
    given = {f: getattr(args, f) for f in SearchSettings.__dataclass_fields__ if getattr(args, f, None) is not None}
    settings = replace(preset.settings, **given)
    shots = preset.shots if args.shots is None else args.shots
    loaded = load_model(args)
    results = []
    for task in tasks:
        heldout = Heldout(loaded, task, args.n) if args.n else None
        for seed in range(args.seed, args.seed + args.seeds):
            path = Path(args.state) if args.state else None
            for report in fewshot(loaded, task, replace(settings, seed=seed), shots, heldout=heldout, path=path):
                _tell(report, task, seed)
                if report.result is not None:
                    results.append(report.result)
    _print(results)
    made = made_by(args)
    for target in [Path(args.recipe)] if args.recipe else []:
        save_recipe(target, Mix(results[0]["alphas"]), task=tasks[0], shots=shots, seed=args.seed, made_by=made)
    if args.keep:
        target = Path(args.experts) / RECIPES / f"{args.keep}.json"
        save_recipe(target, Mix(results[0]["alphas"]), task=tasks[0], shots=shots, seed=args.seed, made_by=made)
        print(f"kept: --mix auto:few-shot:{args.keep}")
    one = results[0] if len(results) == 1 else {}
    write_json(args.json, {**one, "results": results, "made_by": made})
    return 0


def _tell(report: Any, task: str, seed: int) -> None:
    s = report.search
    if s is not None and s.kind == "generation":
        best = ", ".join(f"{x:.3f}" for x in s.round.best_score)
        mean = " ".join(f"{x:.2f}" for x in s.round.mean.tolist()[:8])
        print(f"{task} seed {seed}  generation {s.generation + 1}/{s.generations}  best {best}  mean {mean}  "
              f"spread {float(s.round.spread.mean()):.2f}  {s.seconds:.1f} s", flush=True)  # fmt: skip
    elif report.cell is not None:
        print(f"{task} {report.cell.mix}: {percent(report.cell.accuracy)}", file=sys.stderr)


def _print(results: list[dict[str, Any]]) -> None:
    for r in results:
        alphas = ", ".join(f"{k} {v:.2f}" if not isinstance(v, list) else f"{k} {min(v):.2f}..{max(v):.2f}"
                           for k, v in r["alphas"].items()) or "base"  # fmt: skip
        print(f"\n{r['task']}, seed {r['seed']}: {alphas} ({r['chosen']} of the search; {r['evaluations']:,} answers in "
              f"{r['seconds']:.1f} s{'; ' + r['stopped'] if r['stopped'] else ''})")  # fmt: skip
        if "heldout" in r:
            minus = {p["minus"]: p for p in r["paired"]}
            print(table([(name, percent(c["accuracy"]), interval(c["ci95"]),
                          f"{100 * minus[name]['diff']:+.1f}" if name in minus else "",
                          interval(minus[name]["ci95"]) if name in minus else "") for name, c in r["heldout"].items()],
                        ("mix", "right", "95 %", "found minus it", "95 %")))  # fmt: skip
