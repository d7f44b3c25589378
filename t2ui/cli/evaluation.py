"""``eval``, ``dispatch``, ``gates`` and ``calibrate``: commands that measure."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from t2ui.cli.common import (
    ROOT,
    CommandError,
    common_flags,
    interval,
    load_model,
    made_by,
    model_flags,
    names,
    percent,
    table,
    write_json,
)
from t2ui.hubname import is_name

TEST_SEED = 2025


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("eval", help="accuracy of mixes on tasks, with intervals")
    p.add_argument("--task", required=True, help="A,B,... or one of: all, trained, unseen, two-skill, handwritten, handwritten-first")
    p.add_argument("--mix", action="append", required=True, metavar="MIX",
                   help="base, an expert, math=0.6,code=0.2, auto:prompt, all, uniform, half, or a recipe file; "
                        "may be given several times")  # fmt: skip
    p.add_argument("--minus", default=None, help="another mix: paired difference on the same examples")
    p.add_argument("--n", type=int, default=500, help="examples a task (default: 500)")
    p.add_argument("--split", default="test", choices=("train", "validation", "test"))
    p.add_argument("--picture", default="own", choices=("own", "blank", "other"), help="what the model is shown")
    p.add_argument("--samples", type=int, default=1, help="more than one: the majority answer at temperature 1")
    p.add_argument("--mode", default="auto", choices=("auto", "rows", "fold"))
    model_flags(p), common_flags(p, TEST_SEED)
    p.set_defaults(run=run_eval)

    p = commands.add_parser("gates", help="the base before any reinforcement: greedy, careful forced, one flag forced")
    p.add_argument("--task", default="all")
    p.add_argument("--n", type=int, default=500)
    p.add_argument("--split", default="validation", choices=("train", "validation", "test"))
    model_flags(p), common_flags(p, TEST_SEED)
    p.set_defaults(run=run_gates)

    p = commands.add_parser("dispatch", help="dispatch one prompt, or measure a strategy")
    p.add_argument("prompt", nargs="?", help="a prompt to dispatch; without it, --n test prompts are measured")
    p.add_argument("--image", default=None, metavar="FILE")
    p.add_argument("--strategy", default="prompt", metavar="STRATEGY", help="prompt, classifier or few-shot:NAME")
    p.add_argument("--soft", action="store_true", help="scores as alphas instead of one expert at 1")
    p.add_argument("--task", default="trained")
    p.add_argument("--n", type=int, default=500, help="prompts a family (default: 500)")
    model_flags(p), common_flags(p, TEST_SEED)
    p.set_defaults(run=run_dispatch)

    p = commands.add_parser("report", help="every measurement of the README, into its tables")
    p.add_argument("--headline-n", type=int, default=2000)
    p.add_argument("--n", type=int, default=500)
    p.add_argument("--out", default=str(ROOT / "assets" / "results" / "eval.json"), metavar="FILE")
    p.add_argument("--readme", default=None, metavar="FILE", help="replace the tables between its markers")
    p.add_argument("--only", default=None, metavar="SECTION,...", help="measure these sections, keep the others of --out")
    p.add_argument("--only-tables", action="store_true", help="measure nothing, use what --out holds")
    model_flags(p), common_flags(p, TEST_SEED)
    p.set_defaults(run=run_report)

    p = commands.add_parser("calibrate", help="set the thresholds of the outside notice on validation prompts")
    p.add_argument("--n", type=int, default=200, help="prompts a family (default: 200)")
    p.add_argument("--share", type=float, default=0.02, help="share of them that may get the notice")
    p.add_argument("--strategy", default="prompt", choices=("prompt", "classifier"))
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_calibrate)


def task_names(text: str) -> list[str]:
    from t2ui.tasks import TASKS, TRAINED, TWO_SKILL, UNSEEN
    from t2ui.train.handwritten import SETS

    groups = {"all": tuple(TASKS), "trained": TRAINED, "unseen": UNSEEN, "two-skill": TWO_SKILL}
    out: list[str] = []
    for part in names(text):
        if part.removesuffix("+picture") not in TASKS and part not in groups and part not in SETS:
            raise CommandError(f"no task {part!r}; tasks are {', '.join(TASKS)}; groups are "
                               f"{', '.join([*groups, *SETS])}")  # fmt: skip
        out += groups.get(part, (part,))
    return list(dict.fromkeys(out))


def mix_of(loaded: Any, text: str) -> Any:
    """A mix by its spelling; ``uniform`` (1/K each), ``all`` (all at 1) and ``half`` are of the loaded experts."""
    from t2ui.core.mixing import Mix
    from t2ui.train.evaluate import read_mix

    k = loaded.stack.names
    shares = {"uniform": 1 / max(1, len(k)), "all": 1.0, "half": 0.5}
    mix = Mix(dict.fromkeys(k, shares[text])) if text in shares else read_mix(text)
    if not isinstance(mix, str):
        loaded.check_mix(mix)
    return mix


def run_eval(args: argparse.Namespace) -> int:
    from t2ui.train.evaluate import compare, evaluate
    from t2ui.train.handwritten import SETS, evaluate_handwritten

    tasks = task_names(args.task)
    if args.n < 1:
        raise CommandError(f"--n must be at least 1, got {args.n}")
    loaded = load_model(args)
    rows, pairs, started = [], [], time.monotonic()
    for task in tasks:
        if task in SETS:
            for mix in args.mix:
                rows += evaluate_handwritten(loaded, mix_of(loaded, mix), mix, task)
            continue
        minus = None
        for mix in dict.fromkeys([*([args.minus] if args.minus else []), *args.mix]):
            report = evaluate(loaded, task, mix_of(loaded, mix), n=args.n, seed=args.seed, split=args.split,
                              picture=args.picture, name=mix, samples=args.samples, mode=args.mode,
                              temperature=1.0 if args.samples > 1 else 0.0)  # fmt: skip
            if mix == args.minus:
                minus = report
            if mix != args.minus or mix in args.mix:
                rows.append(report.row())
            if minus is not None and report is not minus:
                pairs.append(compare(report, minus))
            print(f"{task} {mix}: {percent(report.accuracy)}", file=sys.stderr)
    print(table([(r["task"], r["mix"], r["n"], percent(r["accuracy"]), interval(r["ci95"])) for r in rows],
                ("task", "mix", "n", "right", "95 %")))  # fmt: skip
    if pairs:
        print()
        print(table([(p["task"], f"{p['mix']} - {p['minus']}", p["n"], f"{100 * p['diff']:+.1f}", interval(p["ci95"]),
                      *("" if p[k] is None else percent(p[k]) for k in ("fixed", "broken"))) for p in pairs],
                    ("task", "paired", "n", "points", "95 %", "wrong -> right", "right -> wrong")))  # fmt: skip
    write_json(args.json, {"rows": rows, "paired": pairs, "split": args.split, "picture": args.picture,
                           "samples": args.samples, "seconds": round(time.monotonic() - started, 1),
                           "made_by": made_by(args)})  # fmt: skip
    return 0


def run_gates(args: argparse.Namespace) -> int:
    from t2ui.train.evaluate import gates

    loaded = load_model(args)
    rows = []
    for how, report in gates(loaded, task_names(args.task), n=args.n, seed=args.seed, split=args.split):
        rows.append({**report.row(), "forced": how})
        print(f"{report.task} {how}: {percent(report.accuracy)}", file=sys.stderr)
    print(table([(r["task"], r["forced"], r["n"], percent(r["accuracy"]), interval(r["ci95"])) for r in rows],
                ("task", "base", "n", "right", "95 %")))  # fmt: skip
    write_json(args.json, {"rows": rows, "split": args.split, "made_by": made_by(args)})
    return 0


def run_dispatch(args: argparse.Namespace) -> int:
    from t2ui.engine.dispatch import dispatch

    loaded = load_model(args)
    if args.prompt is not None:
        d = dispatch(loaded, args.prompt, args.image, strategy=args.strategy, soft=args.soft)
        print(table([(name, percent(score)) for name, score in d.scores.items()], ("label", "score")))
        print(f"mix: {d.mix}   {d.why}   {1000 * d.seconds:.0f} ms")
        if d.outside:
            print(f"notice: {d.outside_why}")
        write_json(args.json, {"prompt": args.prompt, "choice": d.choice, "scores": d.scores, "mix": str(d.mix),
                               "why": d.why, "seconds": d.seconds, "outside": d.outside,
                               "outside_why": d.outside_why, "made_by": made_by(args)})  # fmt: skip
        return 0
    from t2ui.train.measure_dispatch import measure_dispatch

    result = measure_dispatch(loaded, task_names(args.task), args.n, args.seed, args.strategy)
    labels = result["labels"]
    print(table([(task, *(row.get(label, 0) for label in labels)) for task, row in result["confusion"].items()],
                ("task", *labels)))  # fmt: skip
    print(f"accuracy {percent(result['accuracy'])} (95 %: {interval(result['ci95'])}), n = {result['n']}; "
          f"calibration error {result['ece']}; outside notice on {percent(result['outside'])}")  # fmt: skip
    write_json(args.json, {**result, "made_by": made_by(args)})
    return 0


def run_calibrate(args: argparse.Namespace) -> int:
    import json

    from t2ui.engine.dispatch import calibrate, limits_key
    from t2ui.tasks import TASKS
    from t2ui.tasks.pictures import draw

    if is_name(args.model):
        raise CommandError(f"calibrate writes into the model's folder: download {args.model} and give --model FOLDER")
    loaded = load_model(args)
    prompts, pictures = [], []
    for task in TASKS.values():
        for e in task.examples("validation", args.n, args.seed):
            prompts.append(e.prompt)
            pictures.append(None if e.scene is None else draw(e.scene))
    found = calibrate(loaded, prompts, pictures, share=args.share, strategy=args.strategy)
    key = limits_key(args.strategy)
    path = Path(args.model) / "t2ui.json"
    settings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    write_json(str(path), {**settings, key: found})
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(f"{shown}: {found}")
    write_json(args.json, {key: found, "n": len(prompts), "made_by": made_by(args)})
    return 0


# What other commands left beside the report's own file: bench startup, bench first-pass, search, export --sweep, architectures.
BESIDE = ("startup", "first_pass", "search", "live", "lora", "architectures")


def _beside(out: Path) -> dict[str, Any]:
    """The results of those commands, without what no table shows."""
    import json

    found = {}
    for name in BESIDE:
        if (path := out.with_name(f"{name}.json")).exists():
            found[name] = json.loads(path.read_text(encoding="utf-8"))
            if "results" in found[name]:
                kept = [{k: v for k, v in one.items() if k not in ("paired", "mean", "best")} for one in found[name]["results"]]
                found[name] = {"results": kept, "made_by": found[name]["made_by"]}
    return found


def _architectures(results: dict[str, Any]) -> str:
    """What ``architectures --json`` found."""
    if "architectures" not in results:
        return ""
    from t2ui.bench.architectures import Cell, markdown

    kinds = results["architectures"]["kinds"]
    found = {name: {column: Cell(**cell) for column, cell in cells.items()} for name, cells in kinds.items()}
    return f"### Kinds of models\n\n{markdown(found)}\n\nOn tiny random models; docs/models.md says what each column compares."


BEGIN, END = "<!-- tables: python -m t2ui report -->", "<!-- end of tables -->"


def run_report(args: argparse.Namespace) -> int:
    import json

    from t2ui.bench import tables
    from t2ui.train.results import SECTIONS, measure
    from t2ui.train.tables import markdown

    wanted = names(args.only) if args.only else list(SECTIONS)
    if unknown := [section for section in wanted if section not in SECTIONS]:
        raise CommandError(f"no section {unknown[0]!r}; sections are {', '.join(SECTIONS)}")
    results: dict[str, Any] = {}
    if args.only_tables or (args.only and Path(args.out).exists()):
        results = json.loads(Path(args.out).read_text(encoding="utf-8"))
    if not args.only_tables:
        loaded = load_model(args)
        started = time.monotonic()
        for section, found in measure(loaded, args.headline_n, args.n, args.seed, wanted):
            results[section] = found
            results["made_by"] = made_by(args)
            write_json(args.out, results)  # after every section: a run that is cut short keeps what it measured
            print(f"{section}: done after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    results |= _beside(Path(args.out))
    write_json(args.out, results)
    costs = tables.markdown(tables.read(Path(args.out).parent / "bench"))
    text = "\n\n".join(part for part in (markdown(results), costs, _architectures(results)) if part)
    if args.readme:
        path = Path(args.readme)
        before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        _, found_end, after = rest.partition(END)
        if not found_end:
            raise CommandError(f"{args.readme} has no {BEGIN} ... {END}")
        path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
    else:
        print(text)
    write_json(args.json, results)
    return 0
