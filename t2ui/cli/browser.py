"""A headless Chromium for the commands that look at the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from t2ui.cli.common import CommandError

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


@contextmanager
def chromium(what: str) -> Iterator[Any]:
    """Playwright's browser, closed at the end; a CommandError says what ``what`` misses."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise CommandError(f"{what} needs playwright: pip install -r requirements.txt") from error
    path = os.environ.get("T2UI_CHROMIUM") or next((found for n in NAMES if (found := shutil.which(n))), None)
    if path is None:
        raise CommandError(f"{what} needs Chromium: install it or name it in T2UI_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()
