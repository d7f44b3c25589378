"""Pages in headless Chromium, on the real engine with a tiny random model.

Where there is no Chromium (or no Playwright) these tests are skipped; with T2UI_REQUIRE_BROWSER=1 that is a failure.
T2UI_CHROMIUM names the browser to use.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

PATIENCE = 120_000  # milliseconds: a busy machine is slow, and what is asserted does not depend on it
REQUIRED = os.environ.get("T2UI_REQUIRE_BROWSER") == "1"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def missing(what: str) -> None:
    if REQUIRED:
        pytest.fail(f"{what}, and T2UI_REQUIRE_BROWSER=1 asks for the browser tests", pytrace=False)
    pytest.skip(what)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium. Not for the whole session: Playwright keeps an event loop running in this thread, and tests that come
    later want one of their own."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        missing("playwright is not installed (pip install playwright)")
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
    path = os.environ.get("T2UI_CHROMIUM") or next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        try:
            chromium = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
            )
        except Error as error:
            missing(f"no Chromium that starts ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def recording(tiny_llava):
    """A real recorded run of the tiny model."""
    from t2ui import recorded
    from t2ui.runs import Run

    prompt = "Start with 12, double it, then take away 5. What do you get?"
    with ThreadPoolExecutor(1) as pool:  # Playwright's event loop runs in this thread
        data = json.loads(json.dumps(pool.submit(recorded.record, tiny_llava, prompt=prompt).result()))
    return recorded.Recording(Run.from_json(data["run"]), data["about"], data["settings"], data["cells"])


@pytest.fixture(scope="session")
def serve(recording) -> Iterator[Callable]:
    """Launch a page over a backend; returns its address. All are closed at the end."""
    from t2ui.ui.app import build_app, launch_options

    running = []

    def start(backend, recorded=recording) -> str:
        demo = build_app(backend, recorded)
        port = free_port()
        demo.queue(default_concurrency_limit=None)
        where = {"server_name": "127.0.0.1", "server_port": port}
        demo.launch(**where, prevent_thread_lock=True, quiet=True, **launch_options())
        running.append((demo, backend))
        return f"http://127.0.0.1:{port}"

    yield start
    for demo, backend in running:
        demo.close(verbose=False)
        backend.close()


@pytest.fixture(scope="session")
def backend(tiny_llava):
    from t2ui.engine import Engine
    from t2ui.ui.backend import Backend

    backend = Backend(engine=Engine(tiny_llava))
    backend.start()
    return backend


@pytest.fixture(scope="session")
def url(serve, backend) -> str:
    """A page whose model is ready."""
    return serve(backend)


class Visitor:
    """One browser context with one page; keeps what went wrong in it and what it asked other hosts for."""

    def __init__(self, browser, url: str, width: int = 1440, height: int = 1000, scheme: str = "light") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.url, self.errors, self.outside, self.requests = url, [], [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        self.page.on("request", self._request)

    def _request(self, request) -> None:
        self.requests.append(request.url)
        host = "/".join(self.url.split("/")[:3])
        if not request.url.startswith((host, "data:", "blob:")):
            self.outside.append(request.url)

    def open(self, ready: bool | None = True) -> Visitor:
        """Go there; ready: wait until questions can be asked; None: it is no page of ours, wait for nothing."""
        self.page.goto(self.url, wait_until="load" if ready is None else "commit")
        if ready is None:
            return self
        self.page.wait_for_selector("#t2-flow svg", state="attached", timeout=PATIENCE)
        if ready:
            self.page.wait_for_selector("#t2-ask:not([disabled])", timeout=PATIENCE)
        return self

    def ask(self, prompt: str | None, button: str = "#t2-ask") -> Visitor:
        """Type, press the button, wait for the end."""
        if prompt is not None:
            self.page.fill("#t2-prompt textarea", prompt)
        self.page.evaluate("document.querySelector('.t2-answers').dataset.stage = 'old'")
        self.page.click(button)
        return self

    def wait(self, stage: str = "done", where: str = "#t2-answers") -> Visitor:
        self.page.wait_for_selector(f'{where} .t2-answers[data-stage="{stage}"]', timeout=PATIENCE, state="attached")
        return self

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)


@pytest.fixture
def visit(browser, url) -> Iterator[Callable[..., Visitor]]:
    """Open visitors; afterwards none may have seen an error or asked another host for anything."""
    visitors = []

    def open_one(address: str = url, ready: bool = True, **options) -> Visitor:
        visitor = Visitor(browser, address, **options)
        visitors.append(visitor)
        return visitor.open(ready)

    yield open_one
    for visitor in visitors:
        visitor.context.close()
    for visitor in visitors:
        assert visitor.errors == [] and visitor.outside == []


@pytest.fixture
def slowly(monkeypatch):
    """The tiny model answers too fast for a hand on the Stop button."""
    from t2ui.engine.scheduler import Scheduler

    def turn(self):
        time.sleep(0.1)
        fast(self)

    fast = Scheduler.turn
    monkeypatch.setattr(Scheduler, "turn", turn)
