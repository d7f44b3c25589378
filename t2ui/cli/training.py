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

    p = commands.add_parser("decompose", help="compute and cache the singular value decompositions of a model")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_decompose)


def run_pretrain(args: argparse.Namespace) -> int:
    import torch

    from t2ui.train.pretrain import PRESETS, pretrain, shortened

    if args.threads:
        torch.set_num_threads(args.threads)
    preset = shortened(PRESETS[args.preset], args.steps)
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
    from dataclasses import fields

    from t2ui.tasks import TASKS
    from t2ui.train.card import publish
    from t2ui.train.reinforce import Settings, reinforce

    if args.task == "dispatch":
        return _train_classifier(args)
    if args.task not in TASKS:
        raise CommandError(f"no task {args.task!r}; tasks are {', '.join(TASKS)}, dispatch")
    given = {f.name: getattr(args, f.name) for f in fields(Settings) if getattr(args, f.name, None) is not None}
    settings = Settings(**given)
    name = args.name or args.task
    run = Path(args.folder) if args.folder else Path(args.experts) / name / "run"
    loaded = load_model(args)
    last = start = None
    curve = []
    for last in reinforce(loaded, settings, run, resume=args.resume):
        if last.step == 0:
            start = last.validation
        line = f"step {last.step}/{last.steps}  right {percent(last.reward)}  KL {last.kl:.2f}  |z-1| {last.z:.3f}"
        if last.validation is not None:
            line += f"  validation {percent(last.validation)} (best {percent(last.best)})"
            curve.append({"step": last.step, "validation": last.validation, "kl": last.kl})
        print(f"{line}  {last.seconds:.0f} s", flush=True)
        if last.stopped:
            print(f"stopped early: {last.stopped}", flush=True)
    if last is None:
        raise CommandError(f"nothing was trained: {run} holds a finished run (give --no-resume to start anew)")
    made = made_by(args)
    folder = publish(loaded, settings, name, run, Path(args.experts) / name, made, start=start, last=last)
    print(f"expert written to {folder}", file=sys.stderr)
    write_json(args.json, {"task": args.task, "expert": name, "start": start, "best": last.best, "steps": last.step,
                           "seconds": last.seconds, "curve": curve, "made_by": made})  # fmt: skip
    return 0


def _train_classifier(args: argparse.Namespace) -> int:
    from dataclasses import fields

    from t2ui.train.card import publish_classifier
    from t2ui.train.classify import NAME, ClassifySettings, classify

    if args.samples is not None:
        raise CommandError("--samples is for REINFORCE; a classifier is trained on exact probabilities")
    settings = ClassifySettings(**{f.name: getattr(args, f.name) for f in fields(ClassifySettings)
                                   if getattr(args, f.name, None) is not None})  # fmt: skip
    name = args.name or NAME
    run = Path(args.folder) if args.folder else Path(args.experts) / name / "run"
    loaded = load_model(args)
    last = start = None
    for last in classify(loaded, settings, run, resume=args.resume):
        if last.step == 0:
            start = last.validation
        line = f"step {last.step}/{last.steps}  log p {last.likelihood:.3f}  right {percent(last.accuracy)}  " \
               f"KL {last.kl:.2f}  |z-1| {last.z:.3f}"
        if last.validation is not None:
            line += f"  validation {percent(last.validation[0])}, log p {last.validation[1]:.3f}"
        print(f"{line}  {last.seconds:.0f} s", flush=True)
    if last is None:
        raise CommandError(f"nothing was trained: {run} holds a finished run (give --no-resume to start anew)")
    made = made_by(args)
    folder = publish_classifier(loaded, settings, name, run, Path(args.experts) / name, made, start=start, last=last)
    print(f"classifier expert written to {folder}", file=sys.stderr)
    write_json(args.json, {"task": "dispatch", "expert": name, "start": start, "best": last.best, "steps": last.step,
                           "seconds": last.seconds, "made_by": made})  # fmt: skip
    return 0


def run_decompose(args: argparse.Namespace) -> int:
    import time

    started = time.monotonic()
    loaded = load_model(args)
    seconds = time.monotonic() - started
    print(f"{loaded.info.name}: {len(loaded.adapted.paths)} matrices, {loaded.adapted.R:,} singular values, "
          f"ready in {seconds:.1f} s")  # fmt: skip
    write_json(args.json, {"matrices": len(loaded.adapted.paths), "singular_values": loaded.adapted.R,
                           "seconds": seconds, "made_by": made_by(args)})  # fmt: skip
    return 0
