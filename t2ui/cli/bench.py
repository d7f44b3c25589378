"""``bench startup``: how long until the page shows something, can be asked, and answers; in a real browser.
``bench page``: what a visitor waits for once the page is served, over a fast, a slow and a broken line.
``bench first-pass``: what dispatch costs beside the answer."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from t2ui.cli.browser import chromium
from t2ui.cli.common import (
    ROOT,
    CommandError,
    common_flags,
    load_model,
    made_by,
    model_flags,
    table,
    write_json,
    write_text,
)

# Notes the moment of the click and of the first text in the adapted answer, inside the page.
WATCH = """() => {
  window.t2bench = {};
  document.querySelector('#t2-ask').addEventListener('click', () => { window.t2bench.click = performance.now(); }, true);
  const look = () => {
    const box = document.querySelector('#t2-answers .t2-answers');
    if (!box || !window.t2bench.click || window.t2bench.adapted) return;
    if (box.dataset.stage === 'old') return;
    const texts = [...box.querySelectorAll('.t2-answer > .t2-view-text')].map(
      e => e.querySelector('.t2-faint') ? '' : e.textContent.trim());
    if (texts.some(t => t) && !window.t2bench.first) window.t2bench.first = performance.now();
    if (texts.length > 1 && texts[1]) window.t2bench.adapted = performance.now();
  };
  document.querySelector('#t2-answers .t2-answers').dataset.stage = 'old';
  new MutationObserver(look).observe(document.querySelector('#t2-answers'), {subtree: true, childList: true,
    characterData: true, attributes: true});
}"""
QUESTION = "Tom has 12 apples, buys 5 more and gives 4 to Anna. How many apples does Tom have now?"

REPEATS = {"startup": 3, "first-pass": 30, "page": 5}
GPU = "gpu"
ROWS = ("overhead", "mix", "cem", "serve", "fair", "visitors", "train", "decompose", "scale")


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("bench", help=f"benchmarks: {', '.join((*REPEATS, *ROWS, GPU))}")
    p.add_argument("name", choices=(*REPEATS, *ROWS, GPU))
    p.add_argument("--shapes", default=None, metavar="A,B", help="gpu: shapes to measure (default: qwen2.5-0.5b,llama-3-8b)")
    p.add_argument("--stages", default=None, metavar="A,B", help="gpu: only these benchmarks")
    p.add_argument("--repeats", type=int, default=None, help="default: 3 for startup, 30 for first-pass, 5 for page, 9 for train, else 3 to 5")
    model_flags(p), common_flags(p)
    p.set_defaults(run=run_bench)


def run_bench(args: argparse.Namespace) -> int:
    if args.repeats is not None and args.repeats < 1:
        raise CommandError(f"--repeats must be at least 1, got {args.repeats}")
    if args.name == GPU:
        return _run_gpu(args)
    if args.name in ROWS:
        return _run_rows(args)
    repeats = REPEATS[args.name] if args.repeats is None else args.repeats
    if args.name == "page":
        return _run_page(args, repeats)
    if args.name == "first-pass":
        loaded = load_model(args)
        runs = [_first_pass(loaded) for _ in range(repeats + 1)][1:]  # the first one warms up
    else:
        with chromium("bench startup") as browser:
            runs = [_startup(browser) for _ in range(repeats)]
    keys = list(runs[0])
    medians = {key: round(statistics.median(r[key] for r in runs), 4) for key in keys}
    shown = runs[:5]
    print(table([(key, medians[key], *(round(r[key], 4) for r in shown)) for key in keys],
                ("seconds", f"median of {len(runs)}", *(f"run {k + 1}" for k in range(len(shown))))))  # fmt: skip
    write_json(args.json, {"name": args.name, "medians": medians, "runs": runs, "made_by": made_by(args)})
    return 0


def _run_rows(args: argparse.Namespace) -> int:
    from t2ui.bench import plot, rows, scale, service, training

    ways = {"overhead": rows.overhead, "mix": rows.mix, "cem": rows.cem, "serve": rows.serve, "fair": service.fair,
            "visitors": service.visitors, "train": training.train, "decompose": service.decompose_bench,
            "scale": scale.scale}  # fmt: skip
    loaded = load_model(args)
    try:
        result = ways[args.name](loaded, **({} if args.repeats is None else {"repeats": args.repeats}))
    except ValueError as error:
        raise CommandError(str(error)) from error
    print(table(list(_flat(result)), (args.name, "")))
    write_json(args.json, {"name": args.name, **result, "made_by": made_by(args)})
    if args.name == "scale" and args.json is not None:
        write_text(str(Path(args.json).with_suffix(".svg")), plot.svg(result))
    return 0


def _run_gpu(args: argparse.Namespace) -> int:
    import torch

    from t2ui.bench import gpu
    from t2ui.engine.checkpoint import pick_device
    from t2ui.engine.errors import EngineError
    from t2ui.engine.shapes import config_of

    shapes = gpu.SHAPES if args.shapes is None else tuple(args.shapes.split(","))
    stages = gpu.STAGES if args.stages is None else tuple(args.stages.split(","))
    if unknown := [stage for stage in stages if stage not in gpu.STAGES]:
        raise CommandError(f"no stage {unknown[0]!r}: there are {', '.join(gpu.STAGES)}")
    if args.device == "auto" and not torch.cuda.is_available():
        raise CommandError("there is no CUDA GPU here (--device cpu measures the same on the CPU, for small shapes)")
    try:
        device = pick_device(args.device, False)
        for shape in shapes:
            config_of(shape)
    except EngineError as error:
        raise CommandError(str(error)) from error
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    found: dict[str, Any] = {}
    sound = True
    for report in gpu.gpu(device, shapes, stages):
        found.setdefault(report.shape, {})[report.stage] = {**report.result, "stage seconds": round(report.seconds, 1)}
        sound = sound and "error" not in report.result and (report.stage != "correctness" or report.result["met"])
        print(table(list(_flat(report.result)), (f"{report.shape} {report.stage}", f"{report.seconds:.1f} s")), flush=True)
        write_json(args.json, {"name": GPU, "device": name, "shapes": found, "made_by": made_by(args)})
    return 0 if sound else 1


def _flat(result: dict[str, Any], before: str = "") -> Any:
    for key, value in result.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key} ")
        else:
            yield f"{before}{key}", value


def _first_pass(loaded: Any) -> dict[str, float]:
    """Seconds of a first pass (a question of 40 tokens, 6 labels; it is read once and forked per label) and of the second
    one: 64 tokens with one expert, one row. All 64 are decoded, whether the answer has ended or not."""
    import torch

    from t2ui.core.mixing import Mix
    from t2ui.engine.batch import Batch
    from t2ui.engine.choose import choose
    from t2ui.engine.dispatch import labels_of, question_of
    from t2ui.engine.request import Request

    labels = [*labels_of(loaded)[:-1], "history", "other"][-6:]
    prompt = QUESTION
    while _tokens(loaded, prompt) < 40:
        prompt += " Thanks!"
    started = time.perf_counter()
    choose(loaded, prompt, labels, question=f"{question_of(labels)}\n{{prompt}}")
    first = time.perf_counter() - started
    mix = Mix.single(loaded.stack.names[0]) if loaded.stack.names else Mix.base()
    started = time.perf_counter()
    encoded = loaded.encode(Request(prompt, mix=mix, max_new_tokens=64))
    with torch.no_grad():
        batch = Batch(loaded, [encoded], loaded.scales([mix]), reserve=64)
        logits = batch.prefill()
        for _ in range(63):
            logits = batch.step(logits.argmax(-1))
    second = time.perf_counter() - started
    return {"first pass": first, "second pass": second, "whole": first + second, "share": first / (first + second)}


def _tokens(loaded: Any, text: str) -> int:
    return len(loaded.tokenizer(text, add_special_tokens=False)["input_ids"])


def _run_page(args: argparse.Namespace, repeats: int) -> int:
    from t2ui.bench.page import page

    with chromium("bench page") as browser, served(_free_port(), args) as (url, server):
        pause = None
        if hasattr(signal, "SIGSTOP"):
            pause = lambda on: os.kill(server.pid, signal.SIGSTOP if on else signal.SIGCONT)
        result = page(browser, url, pause, repeats)
    rows = [(name, value, result["limits"][name], "met" if result["met"][name] else "MISSED") for name, value in result["values"].items()]
    print(table(rows, ("page", "measured", "target", "")))
    write_json(args.json, {"name": "page", **result, "made_by": made_by(args)})
    return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def served(port: int, args: argparse.Namespace | None = None) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """``python app.py`` as a process of its own, from the moment that it answers; its address and the process."""
    chosen = [] if args is None else ["--model", args.model, "--experts", args.experts, "--device", args.device, "--dtype", args.dtype]
    url, started = f"http://127.0.0.1:{port}", time.monotonic()
    server = subprocess.Popen([sys.executable, "app.py", "--no-browser", "--port", str(port), *chosen], cwd=ROOT,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        while True:
            if server.poll() is not None:
                raise CommandError(f"app.py ended: {(server.stderr.read() if server.stderr else '')[-500:]}")
            try:
                urllib.request.urlopen(url, timeout=1).close()
                break
            except (urllib.error.URLError, OSError):
                if time.monotonic() - started > 120:
                    raise CommandError("app.py did not answer within 120 seconds") from None
                time.sleep(0.05)
        yield url, server
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()


def _startup(browser: Any) -> dict[str, float]:
    """Seconds from ``python app.py`` to the recorded run and to a live ask; from the click to the first text."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    started = time.monotonic()
    try:
        with served(_free_port()) as (url, _):
            page.goto(url, wait_until="commit")
            page.wait_for_selector("#t2-flow svg", state="attached", timeout=60_000)
            shown = time.monotonic() - started
            page.wait_for_selector("#t2-ask:not([disabled])", timeout=60_000)
            live = time.monotonic() - started
            found = {"recorded run on screen": round(shown, 2), "live ask possible": round(live, 2)}
            for which in ("first click to first text", "second click to first text"):
                page.fill("#t2-prompt textarea", QUESTION)
                page.evaluate(WATCH)
                page.click("#t2-ask")
                page.wait_for_function("window.t2bench.adapted", timeout=60_000)
                times = page.evaluate("window.t2bench")
                found[which] = round((times["first"] - times["click"]) / 1000, 3)
                page.wait_for_selector('#t2-answers .t2-answers[data-stage="done"]', timeout=60_000, state="attached")
            return found
    finally:
        page.context.close()
