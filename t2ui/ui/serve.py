"""``python app.py`` and ``python -m t2ui serve``: flags, checks that fail early and clearly, launch."""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2ui.hubname import is_name
from t2ui.ui.flags import EXPERTS, FIRST_PORT, LOGIN, ROOT, add_flags, models_of
from t2ui.ui.quick import import_gradio

if TYPE_CHECKING:
    from t2ui.recorded import Recording
    from t2ui.ui.mounts import Mounts
    from t2ui.ui.pages import Pages

RECORDED = ROOT / "assets" / "recorded" / "run.json"
PORTS = 100
GRACE = 3.0  # seconds for the first page to come up before the model is loaded


class StartError(RuntimeError):
    """The page cannot be served; the text says why and what to do."""


def stay_offline(hub: bool = False) -> None:
    """No analytics, no version checks, no Hub unless one of its models was asked for: has to happen before gradio and
    transformers are imported."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if not hub:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")


def main(args: argparse.Namespace | list[str] | None = None) -> int:
    """Serve the page until interrupted. Returns the process's exit code."""
    if not isinstance(args, argparse.Namespace):
        parser = argparse.ArgumentParser(
            prog="app.py", description="t2ui: explore and mix experts of a language model"
        )
        add_flags(parser)
        args = parser.parse_args(args)
    stay_offline(hub=any(map(is_name, models_of(args))))
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    logging.getLogger("t2ui.engine.engine").setLevel(logging.INFO)  # what the model will need, before it is loaded
    try:
        check(args)
        port = choose_port(args.host, args.port)
    except StartError as error:
        print(f"t2ui: {error}", file=sys.stderr)
        return 2
    try:
        demo = start(args, port)
    except OSError as error:
        print(f"t2ui: cannot listen on {args.host}:{port}: {error}; choose another --port or --host", file=sys.stderr)
        return 2
    try:
        demo.block_thread()
    except KeyboardInterrupt:
        pass
    finally:
        close(demo)
    return 0


def check(args: argparse.Namespace) -> None:
    """Refuse what cannot work, before anything slow is imported.

    Raises:
        StartError: the model folder is missing or holds no model; a bad number of threads.
    """
    if args.models is not None and not args.models.replace(",", " ").strip():
        raise StartError("--models needs at least one model: folders or names of the Hub, with commas between them")
    for model in models_of(args):
        _check_model(model, "--model" if model is args.model else "--models")
    if not 0 <= args.seed < 2**31:
        raise StartError(f"--seed must be from 0 to {2**31 - 1:,}, got {args.seed}")
    if args.waiting < 1:
        raise StartError(f"--waiting must be at least 1, got {args.waiting}")
    if args.login and credentials() is None:
        raise StartError(f"--login needs a name and a password in ${LOGIN}, written NAME:PASSWORD")
    if args.threads is not None and args.threads < 1:
        raise StartError(f"--threads must be at least 1, got {args.threads}")
    if not Path(args.experts).is_dir() and args.experts != str(EXPERTS):
        raise StartError(f"there is no folder of experts {str(args.experts)!r}: give one with --experts")


def _check_model(given: str, flag: str) -> None:
    model = Path(given)
    if is_name(given):
        return  # fetched from the Hub while the page is open
    if not model.is_dir():
        raise StartError(
            f"there is no model folder {str(model)!r}: give one with {flag}, or a name of the Hub (owner/model), or "
            f"leave {flag} out to use the shipped demo model"
        )
    if not (model / "config.json").is_file():
        raise StartError(
            f"{str(model)!r} is not a model folder: it has no config.json; {flag} takes a folder in "
            f"Hugging Face format (config.json, tokenizer, *.safetensors)"
        )


def credentials() -> tuple[str, str] | None:
    """Name and password that visitors have to know, from the environment; None where it holds none."""
    name, _, password = os.environ.get(LOGIN, "").partition(":")
    return (name, password) if name and password else None


def choose_port(host: str, port: int | None) -> int:
    """The port to listen on.

    Raises:
        StartError: the wished port (or every port of the default range) is taken, or the host is not ours.
    """
    wished = port if port is not None else os.environ.get("GRADIO_SERVER_PORT")
    if wished is not None:
        wished = int(wished)
        if not 0 < wished < 65536:
            raise StartError(f"--port must be from 1 to 65535, got {wished}")
        if not _free(host, wished):
            raise StartError(
                f"port {wished} on {host} is in use (or not allowed): choose another one with --port, or "
                f"leave --port out to take a free one"
            )
        return wished
    for candidate in range(FIRST_PORT, FIRST_PORT + PORTS):
        if _free(host, candidate):
            return candidate
    raise StartError(f"no free port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} on {host}: choose one with --port")


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name == "posix":  # on Windows this option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def start(args: argparse.Namespace, port: int) -> Any:
    """Build and launch the page, or one per model, then load the first model behind it. Returns the first page's running
    ``gr.Blocks``; :func:`close` ends all."""
    models = models_of(args)
    stay_offline(hub=any(map(is_name, models)))
    import_gradio()
    from t2ui.core.files import write_atomic
    from t2ui.recorded import RecordingError, load
    from t2ui.ui.app import build_app, launch_options
    from t2ui.ui.backend import Backend, Options
    from t2ui.ui.pages import BELOW, Pages

    uploads = wants_uploads(args.uploads, args.host)
    gate = threading.Lock()  # one model is loaded after the other: each looks at the memory that is free before it begins
    backends = [
        Backend(Options(model, args.experts, args.device, args.dtype, args.threads, args.seed, args.waiting, uploads), gate=gate)
        for model in models
    ]
    pages = Pages(backends)
    try:
        recording = load(RECORDED)
    except RecordingError as error:
        logging.getLogger("t2ui").warning("%s", error)
        recording = None
    options = {**launch_options(uploads), "enable_monitoring": args.monitor, "auth": credentials() if args.login else None}
    mounts = None
    if len(pages) > 1:
        mounts = _mounts(pages, recording, options)
    demo = build_app(backends[0], recording, pages=pages)
    demo.t2ui_backend, demo.t2ui_backends, demo.t2ui_mounts = backends[0], backends, mounts
    demo.queue(default_concurrency_limit=None)
    demo.launch(
        server_name=args.host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        inbrowser=False,
        show_error=False,
        **options,
    )
    shown = "localhost" if args.host in ("127.0.0.1", "0.0.0.0", "::") else args.host
    url = f"http://{shown}:{port}"
    print(f"t2ui: open {url}   (Ctrl-C ends it)", flush=True)
    told = {"url": url, "pid": os.getpid()}
    if mounts is not None:
        mounts.share(demo.app)
        told["models"] = [{"name": page.name, "url": f"{url}/{BELOW}/{page.slug}/" if page.slug else url} for page in pages]
        for page in pages:
            if page.slug:
                print(f"t2ui: {page.name} is at {url}/{BELOW}/{page.slug}/", flush=True)
                if args.monitor:
                    print(f"Monitoring URL: {url}/{BELOW}/{page.slug}/monitoring/{demo.app.analytics_key}", flush=True)
    if args.json:
        write_atomic(Path(args.json), json.dumps(told).encode())
    if wants_browser(args.inbrowser):
        import webbrowser

        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
    backends[0].start_soon(GRACE)
    for backend in backends[1:]:
        backend.start_when_asked()
    return demo


def wants_uploads(asked: bool | None, host: str) -> bool:
    """Visitors may add experts where the only visitor is whoever sits at this machine, unless told otherwise."""
    return asked if asked is not None else host in ("127.0.0.1", "localhost", "::1")


def _mounts(pages: Pages, recording: Recording | None, options: dict[str, Any]) -> Mounts:
    """The pages of all models but the first, and in ``options`` what lets the first one's server serve them."""
    from starlette.middleware import Middleware

    from t2ui.ui.app import build_app
    from t2ui.ui.mounts import Mounts, Switch

    mounts = Mounts()
    for page in pages:
        if page.slug:
            blocks = build_app(page.backend, recording, pages=pages)
            blocks.queue(default_concurrency_limit=None)
            mounts.add(page.slug, blocks, options)
    kwargs = options["app_kwargs"]
    options["app_kwargs"] = {
        **kwargs, "middleware": [*kwargs["middleware"], Middleware(Switch, mounts=mounts)], "lifespan": mounts.lifespan
    }  # fmt: skip
    return mounts


def close(demo: Any) -> None:
    """End a server that :func:`start` has started: every model's engine, every page."""
    for backend in demo.t2ui_backends:
        backend.close()
    if demo.t2ui_mounts is not None:
        demo.t2ui_mounts.close()
    demo.close(verbose=False)


def wants_browser(asked: bool | None) -> bool:
    """Open a browser where there is a screen, unless told otherwise."""
    if asked is not None:
        return asked
    screen = sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
    return screen and not os.environ.get("CI") and not os.environ.get("SPACE_ID")
