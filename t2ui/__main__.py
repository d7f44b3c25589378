"""``python -m t2ui {serve,ask,plan,decompose,pretrain,train,eval,gates,dispatch,search,spectra,export,import,...}``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def parser() -> argparse.ArgumentParser:
    from t2ui import __version__
    from t2ui.cli import (
        asking,
        bench,
        evaluation,
        exporting,
        importing,
        planning,
        rehearsing,
        screenshots,
        searching,
        serving,
        spectra,
        training,
    )

    top = argparse.ArgumentParser(prog="python -m t2ui", description="Explore, train and mix experts of a language model.")
    top.add_argument("--version", action="version", version=f"t2ui {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in (serving, asking, planning, training, evaluation, searching, spectra, exporting, importing, bench,
                   screenshots, rehearsing):
        module.add_parsers(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    from t2ui.cli.common import CommandError
    from t2ui.core.experts import ExpertError
    from t2ui.engine.errors import ModelError, RequestError

    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    # These carry what was given, what was expected and what to do; a traceback would only bury that.
    except (CommandError, ExpertError, ModelError, RequestError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
