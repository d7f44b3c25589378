"""``rehearse``: the storyline of ?present=1, played in a browser that nobody watches; pass or fail and seconds for every step."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t2ui.cli.browser import chromium
from t2ui.cli.common import ROOT, CommandError, common_flags, write_json

SIZES = ("1280x720", "1920x1080")
START = 120.0  # seconds for a server to listen


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("rehearse", help="play the page's storyline (?present=1) without anybody watching (needs Chromium)")
    p.add_argument("--url", default=None, help="a page that runs; without it, one is served for the rehearsal")
    p.add_argument("--size", choices=SIZES, action="append", help="screen; may be given twice (default: 1280x720)")
    p.add_argument("--limit", type=float, default=None, help="seconds a live step may take before the recorded one is shown (default: 5)")
    p.add_argument("--recorded", action="store_true", help="play only what was recorded")
    p.add_argument("--live", action="store_true", help="fail if any step had to show the recorded one")
    common_flags(p)
    p.set_defaults(run=run_rehearse)


def run_rehearse(args: argparse.Namespace) -> int:
    from t2ui.rehearsal import address, play

    told: dict[str, list[dict[str, Any]]] = {}
    fine, count, recorded, begun = True, 0, 0, time.monotonic()
    with chromium("rehearse") as browser, served(args.url) as url:
        for size in args.size or SIZES[:1]:
            width, height = map(int, size.split("x"))
            context = browser.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
            page.goto(address(url, args.limit, args.recorded), wait_until="commit")
            print(size)
            for report in play(page):
                passed = report.passed and not (args.live and report.how == "recorded")
                told.setdefault(size, []).append({**asdict(report), "passed": passed})
                fine, count, recorded = fine and passed, count + 1, recorded + (report.how == "recorded")
                place = report.moment or " "
                later = f", over after {report.waited:.1f} s more" if report.waited else ""
                why = f": {report.clipped}" if report.clipped else ""
                how = "" if report.how == "none" else report.how
                print(f"  {place} {report.key:<9} {'pass' if passed else 'FAIL'}  {how:<8} {report.seconds:5.1f} s{later}{why}", flush=True)
            for error in errors:
                fine = False
                print(f"  FAIL  the page's own script: {error}")
            context.close()
    seconds = time.monotonic() - begun
    print(f"{'pass' if fine else 'FAIL'}: {count} steps, {recorded} of them recorded, {seconds:.0f} s")
    write_json(args.json, {"passed": fine, "seconds": round(seconds, 1), "steps": told})
    return 0 if fine else 1


@contextmanager
def served(url: str | None) -> Iterator[str]:
    """The page's address: the given one, or that of a server which lives as long as this block.

    Raises:
        CommandError: it did not start; with the end of what it said.
    """
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        told, said = Path(folder) / "page.json", Path(folder) / "said.txt"
        with said.open("wb") as log:
            server = subprocess.Popen([sys.executable, "app.py", "--no-browser", "--json", str(told)], cwd=ROOT, stdout=log, stderr=log)
        try:
            end = time.monotonic() + START
            while not told.exists():
                if server.poll() is not None or time.monotonic() > end:
                    raise CommandError(f"the page could not be served: {said.read_text(errors='replace')[-500:].strip()}")
                time.sleep(0.1)
            yield json.loads(told.read_text())["url"]
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
