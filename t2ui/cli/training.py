"""``pretrain``, ``train`` and ``decompose``: commands that make something."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from t2ui.cli.common import ROOT, CommandError, common_flags, load_model, made_by, model_flags, percent, write_json


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("pretrain", help="train the demo model")
    p.add_argument("--preset", default="ship", choices=("smoke", "ship", "gpu"))
    p.add_argument("--out", default=str(ROOT / "assets" / "demo-model"), metavar="FOLDER")
    p.add_argument("--steps", type=int, default=None, help="another budget, with a schedule of its own")
    p.add_argument("--lr", type=float, default=None, help="another peak of the learning rate")
    p.add_argument("--no-resume", dest="resume", action="store_false", help="start anew even if there is a checkpoint")
    p.add_argument("--init", default=None, metavar="FOLDER",
                   help="begin with the weights and the tokenizer of an earlier generation")  # fmt: skip
    p.add_argument("--device", default="cpu")
    p.add_argument("--threads", type=int, default=None)
    p.add_argument("--workers", type=int, default=1, help="processes that make batches (default: 1)")
    common_flags(p)
    p.set_defaults(run=run_pretrain)

    p = commands.add_parser("train", help="train an expert on a task by REINFORCE on z")
    p.add_argument("--task", required=True, help="a family, or dispatch: a classifier expert for the first pass")
    p.add_argument("--name", default=None, help="the expert's name (default: the task's)")
    p.add_argument("--run", default=None, metavar="FOLDER", dest="folder", help="where the run's state is kept")
    p.add_argument("--steps", type=int, default=None)
    p.add_argument("--prompts", type=int, default=None, help="prompts a step")
    p.add_argument("--samples", type=int, default=None, help="answers a prompt")
    p.add_argument("--lr", type=float, default=None)
    p.add_argument("--kl", type=float, default=None, help="KL coefficient (lambda)")
    p.add_argument("--validation", type=int, default=None, help="validation examples")
    p.add_argument("--no-resume", dest="resume", action="store_false")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_train)

    p = commands.add_parser("decompose", help="compute and cache a model's decompositions, matrix by matrix: resumable, and the "
                            "model need not fit into memory")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_decompose)


def run_pretrain(args: argparse.Namespace) -> int:
    from dataclasses import replace

    import torch

    from t2ui.train.pretrain import PRESETS, pretrain, shortened

    if args.threads:
        torch.set_num_threads(args.threads)
    preset = shortened(PRESETS[args.preset], args.steps)
    preset = preset if args.lr is None else replace(preset, lr=args.lr)
    last = None
    for last in pretrain(Path(args.out), preset, seed=args.seed, device=args.device, resume=args.resume,
                         workers=args.workers, init=Path(args.init) if args.init else None):  # fmt: skip
        left = last.seconds / last.step * (last.steps - last.step)
        print(f"step {last.step}/{last.steps}  loss {last.loss:.4f}  lr {last.lr:.1e}  "
              f"{last.tokens / max(last.seconds, 1e-9):,.0f} tokens/s  {left / 60:.0f} min left", flush=True)  # fmt: skip
        if last.families:
            print("  " + "  ".join(f"{k} {v:.3f}" for k, v in last.families.items()), flush=True)
    if last is None:
        print("nothing to do: the run is complete (give --no-resume to start anew)")
    write_json(args.json, {"out": args.out, "steps": preset.steps, "families": last.families if last else None,
                           "loss": last.loss if last else None, "seconds": last.seconds if last else 0,
                           "made_by": made_by(args)})  # fmt: skip
    return 0


def run_train(args: argparse.Namespace) -> int:

    from t2ui.tasks import TASKS
    from t2ui.train.card import publish
    from t2ui.train.reinforce import Settings, reinforce

    if args.task == "dispatch":
        return _train_classifier(args)
    if args.task not in TASKS:
        raise CommandError(f"no task {args.task!r}; tasks are {', '.join(TASKS)}, dispatch")
    settings = Settings(**_given(args, Settings))

    def tell(r: Any) -> str:
        line = f"step {r.step}/{r.steps}  right {percent(r.reward)}  KL {r.kl:.2f}  |z-1| {r.z:.3f}"
        line += "" if r.validation is None else f"  validation {percent(r.validation)} (best {percent(r.best)})"
        return f"{line}  {r.seconds:.0f} s" + (f"\nstopped early: {r.stopped}" if r.stopped else "")

    return _train(args, args.name or args.task, reinforce, settings, tell, publish)


def _train_classifier(args: argparse.Namespace) -> int:
    from t2ui.train.card import publish_classifier
    from t2ui.train.classify import NAME, ClassifySettings, classify

    if args.samples is not None:
        raise CommandError("--samples is for REINFORCE; a classifier is trained on exact probabilities")

    def tell(r: Any) -> str:
        line = f"step {r.step}/{r.steps}  log p {r.likelihood:.3f}  right {percent(r.accuracy)}  KL {r.kl:.2f}  |z-1| {r.z:.3f}"
        line += "" if r.validation is None else f"  validation {percent(r.validation[0])}, log p {r.validation[1]:.3f}"
        return f"{line}  {r.seconds:.0f} s"

    settings = ClassifySettings(**_given(args, ClassifySettings))
    return _train(args, args.name or NAME, classify, settings, tell, publish_classifier)


def _given(args: argparse.Namespace, kind: Any) -> dict[str, Any]:
    """What was given on the command line of a settings' fields."""
    from dataclasses import fields

    return {f.name: getattr(args, f.name) for f in fields(kind) if getattr(args, f.name, None) is not None}


def _train(args: argparse.Namespace, name: str, method: Any, settings: Any, tell: Any, publish: Any) -> int:
    """Run a trainer's generator to its end, a line a report, then write the expert's folder."""
    run = Path(args.folder) if args.folder else Path(args.experts) / name / "run"
    loaded = load_model(args)
    last = start = None
    curve = []
    for last in method(loaded, settings, run, resume=args.resume):
        if last.step == 0:
            start = last.validation
        if last.validation is not None:
            curve.append({"step": last.step, "validation": last.validation, "kl": last.kl})
        print(tell(last), flush=True)
    if last is None:
        raise CommandError(f"nothing was trained: {run} holds a finished run (give --no-resume to start anew)")
    made = made_by(args)
    folder = publish(loaded, settings, name, run, Path(args.experts) / name, made, start=start, last=last)
    print(f"expert written to {folder}", file=sys.stderr)
    write_json(args.json, {"task": args.task, "expert": name, "start": start, "best": last.best, "steps": last.step,
                           "seconds": last.seconds, "curve": curve, "made_by": made})  # fmt: skip
    return 0


def run_decompose(args: argparse.Namespace) -> int:
    import time

    import torch

    from t2ui.core import CacheFull, Shards, decompose_all
    from t2ui.engine.checkpoint import SPREAD, check_folder, pick_device, pick_dtype, read_config
    from t2ui.engine.hub import fetched
    from t2ui.engine.model import SETTINGS_FILE, default_cache, span

    if args.threads:
        torch.set_num_threads(args.threads)
    folder, name = fetched(args.model)
    check_folder(folder)
    read_config(folder, name)  # refuses what would not load
    where = pick_device(args.device if args.device != SPREAD else "auto", (folder / SETTINGS_FILE).is_file())
    kind = pick_dtype(args.dtype, where)
    shards, cache = Shards(folder, kind), default_cache()
    shown, started = sys.stderr.isatty(), time.monotonic()
    cached = values = 0
    notes: dict[str, int] = {}
    try:
        for r in decompose_all(shards, cache, device=where, dtype=kind, strict=True):
            cached, values = cached + r.cached, values + r.factors.sigma.numel()
            if r.note:
                notes[r.note] = notes.get(r.note, 0) + 1
            line = f"{r.done}/{r.total}  {'cached' if r.cached else f'{r.seconds:.1f} s':>8}  {span(r.left)} left  {r.path}"
            if shown:
                print(f"\r{line:<110.110}", end="", file=sys.stderr, flush=True)
            elif not r.cached:
                print(line, file=sys.stderr, flush=True)
    except CacheFull as error:
        raise CommandError(str(error)) from error
    except KeyboardInterrupt:
        print(f"\nstopped; what is done stays in {cache}, and the same command goes on from there", file=sys.stderr)
        return 130
    if shown:
        print("\r" + " " * 110 + "\r", end="", file=sys.stderr)
    for note, times in notes.items():
        print(f"note: {note} ({times} matrices)", file=sys.stderr)
    seconds = time.monotonic() - started
    print(f"{name}: {len(shards)} matrices, {values:,} singular values, {cached} of them in the cache before, "
          f"ready in {span(seconds) if seconds >= 100 else f'{seconds:.1f} s'}: {cache}")  # fmt: skip
    write_json(args.json, {"matrices": len(shards), "singular_values": values, "cached": cached, "seconds": seconds,
                           "device": str(where), "dtype": str(kind).removeprefix("torch."), "made_by": made_by(args)})  # fmt: skip
    return 0
