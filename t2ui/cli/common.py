"""What all commands share: flags, loading a model with progress, JSON files, tables."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class CommandError(Exception):
    """A failure to be told in one line, with a non-zero exit."""


def model_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=str(ROOT / "assets" / "demo-model"), metavar="PATH_OR_HUB_ID",
                        help="folder of a Hugging Face model, or its name on the Hub (default: the demo model)")  # fmt: skip
    parser.add_argument("--experts", default=str(ROOT / "experts"), metavar="FOLDER", help="folder of experts")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, split (over all GPUs) (default: auto)")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16, float16 (default: auto)")
    parser.add_argument("--threads", type=int, default=None, help="CPU threads (default: all cores)")


def common_flags(parser: argparse.ArgumentParser, seed: int = 0) -> None:
    parser.add_argument("--seed", type=int, default=seed, help=f"seed (default: {seed})")
    parser.add_argument("--json", default=None, metavar="FILE", help="write the result to this file as JSON")


def load_model(args: argparse.Namespace) -> Any:
    """``engine.load`` with one line of progress on standard error."""
    import torch

    from t2ui.engine.model import load

    if args.threads:
        torch.set_num_threads(args.threads)
    shown = sys.stderr.isatty()

    def progress(report: Any) -> None:
        if shown and report.stage == "memory":
            print(report.text, file=sys.stderr)
        elif shown:
            print(f"\r{report.text:<70.70} {report.done}/{report.total}", end="", file=sys.stderr, flush=True)

    loaded = load(args.model, device=args.device, dtype=args.dtype, experts_dir=args.experts, progress=progress)
    if shown:
        print("\r" + " " * 90 + "\r", end="", file=sys.stderr)
    for refused in getattr(loaded.registry, "refused", ()):
        print(f"note: {refused}", file=sys.stderr)
    return loaded


def write_json(path: str | None, result: dict[str, Any]) -> None:
    """Write the result with what it was made on; atomically. Nothing happens without a path."""
    if path is not None:
        write_text(path, json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def write_text(path: str, text: str) -> None:
    """Write a text file, whole or not at all. Raises CommandError where it cannot be written."""
    from t2ui.core.files import write_atomic

    try:
        write_atomic(path, text.encode())
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error}") from error


def made_by(args: argparse.Namespace) -> dict[str, Any]:
    """Command, machine, versions and commit: stands in every JSON result."""
    import torch

    # Paths of one machine say nothing on another.
    words = [Path(w).name if Path(w).is_absolute() else w for w in sys.argv[1:]]
    words = [w if " " not in w else f'"{w}"' for w in words]
    return {"command": "python -m t2ui " + " ".join(words), "machine": platform.machine(),
            "cpus": os.cpu_count(), "torch": torch.__version__, "commit": _commit(),
            "when": time.strftime("%Y-%m-%d"), "seed": args.seed}  # fmt: skip


def _commit() -> str | None:
    try:
        done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
                              timeout=5, check=False)  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def table(rows: Sequence[Sequence[Any]], head: Sequence[str]) -> str:
    """A plain text table; numbers to the right."""
    cells = [[str(c) for c in row] for row in rows]
    widths = [max(len(str(h)), *(len(r[i]) for r in cells)) if cells else len(str(h)) for i, h in enumerate(head)]

    def line(row: Sequence[str]) -> str:
        return "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))

    return "\n".join([line([str(h) for h in head]), "  ".join("-" * w for w in widths), *map(line, cells)])


def percent(x: float) -> str:
    return f"{100 * x:.1f} %"


def interval(ci: Sequence[float]) -> str:
    return f"{100 * ci[0]:.1f} to {100 * ci[1]:.1f}"


def names(text: str) -> list[str]:
    """``a,b`` -> ["a", "b"]."""
    return [part.strip() for part in text.split(",") if part.strip()]
