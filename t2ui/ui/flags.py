"""The server's flags: apart from the rest, so that ``--help`` needs neither gradio nor torch."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEMO_MODEL, EXPERTS = ROOT / "assets" / "demo-model", ROOT / "experts"
DEFAULT_MODEL = str(DEMO_MODEL)
FIRST_PORT = 7860
LOGIN = "T2UI_LOGIN"  # not a flag: everybody on the machine can read the flags of a process


def models_of(args: argparse.Namespace) -> list[str]:
    """The models to serve, each once, the first page's first."""
    listed = [model for part in (args.models or "").split(",") if (model := part.strip())]
    # The very object: somebody may also type the default's path, and means it.
    first = [] if listed and args.model is DEFAULT_MODEL else [args.model]
    found: dict[str, str] = {}
    for model in (*first, *listed):
        found.setdefault(str(Path(model).resolve()) if Path(model).is_dir() else model, model)
    return list(found.values())


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Flags of ``python app.py`` and ``python -m t2ui serve``."""
    add = parser.add_argument
    add("--model", default=DEFAULT_MODEL, metavar="PATH_OR_HUB_ID",
        help="model folder, or a name of the Hub, which is then fetched (default: the shipped demo model)")  # fmt: skip
    add("--models", default=None, metavar="A,B,...",
        help="several of them, and no others: a page each, on one server. The first one (--model, if that is given too) is at / and "
        "loaded at once; another one is loaded when somebody opens its page, if it then fits into the free memory. All that were "
        "opened stay loaded")  # fmt: skip
    add("--experts", default=str(EXPERTS), metavar="FOLDER", help="folder of experts (default: the shipped ones)")
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    add("--host", default=host, help="address to listen on; 0.0.0.0 lets others in (default: %(default)s)")
    add("--port", type=int, default=None, help=f"port to listen on (default: the first free one from {FIRST_PORT} on)")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:0, mps, split (over all GPUs) (default: %(default)s)")
    add("--dtype", default="auto", help="auto, float32, bfloat16, float16 (default: %(default)s)")
    add("--threads", type=int, default=None, help="CPU threads of the model (default: all cores but one)")
    add("--seed", type=int, default=0, help="the seed that the page starts with (default: %(default)s)")
    add("--waiting", type=int, default=64, metavar="N",
        help="so many jobs of all visitors may wait; one more is turned away, and told so (default: %(default)s)")  # fmt: skip
    add("--login", action="store_true",
        help=f"ask every visitor for the name and password that ${LOGIN} holds as NAME:PASSWORD")  # fmt: skip
    add("--uploads", action=argparse.BooleanOptionalAction, default=None,
        help="whether visitors may add experts (default: only where nobody but this machine can open the page)")  # fmt: skip
    add("--monitor", action="store_true", help="serve the page of requests and their times at /monitoring")
    add("--json", default=None, metavar="FILE", help="write address and process number to this file once it listens")
    browser = parser.add_mutually_exclusive_group()
    browser.add_argument("--inbrowser", action="store_true", default=None, help="open the page in a browser")
    browser.add_argument("--no-browser", dest="inbrowser", action="store_false", help="do not open a browser")
