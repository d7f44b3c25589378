"""``screenshots``: pictures of every tab and a moving one of a dispatch, as a visitor sees them, for the README and for looking."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from t2ui.cli.animation import animate
from t2ui.cli.browser import chromium
from t2ui.cli.common import ROOT, common_flags

SIZES = {"": (1440, 1000), "phone": (390, 844)}
QUESTION = ("35 berries are in a bag and 13 of them are taken away. Kate puts in another 15 berries. David takes 11. "
            "How many berries are there at the end?")  # fmt: skip


def add_parsers(commands: Any) -> None:
    p = commands.add_parser("screenshots", help="pictures of every tab (needs Chromium)")
    p.add_argument("--out", default=str(ROOT / "assets" / "screenshots"), metavar="FOLDER")
    p.add_argument("--url", default="http://127.0.0.1:7860", help="a page that runs (python app.py --no-browser)")
    p.add_argument("--only", choices=("pictures", "animation"), default=None, help="make one of the two (default: both)")
    p.add_argument("--all", action="store_true", help="phone and dark too, not only what the README shows")
    common_flags(p)
    p.set_defaults(run=run_screenshots)


def run_screenshots(args: argparse.Namespace) -> int:
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    with chromium("screenshots") as browser:
        if args.only != "pictures":
            size, factor = animate(browser, args.url, QUESTION, out / "dispatch.gif")
            print(f"dispatch.gif {size // 1024} kB, {factor:g} times slower than it was")
        if args.only == "animation":
            return 0
        for size, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                if (size or scheme == "dark") and not args.all:
                    continue
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                tail = "".join(f"-{part}" for part in (size, scheme if scheme == "dark" else "") if part)
                page.goto(args.url.rstrip("/") + "/?mode=expert", wait_until="commit")
                page.wait_for_selector("#t2-ask:not([disabled])", timeout=60_000)
                for name, show in TABS.items():
                    show(page)
                    page.wait_for_timeout(600)
                    page.screenshot(path=out / f"{name}{tail}.png", full_page=name != "experts")
                context.close()
    for path in sorted(out.glob("*.png")):
        print(path.name, f"{path.stat().st_size // 1024} kB")
    return 0


def _ask(page: Any) -> None:
    page.fill("#t2-prompt textarea", QUESTION)
    page.evaluate("document.querySelector('#t2-answers .t2-answers').dataset.stage = 'old'")
    page.click("#t2-everybody")
    page.wait_for_selector('#t2-answers .t2-answers[data-stage="done"]', timeout=60_000, state="attached")


def _chat(page: Any) -> None:
    page.get_by_role("tab", name="Chat", exact=True).click()
    page.click("#t2-talk-play")
    page.wait_for_function("document.querySelectorAll('#t2-talk-log .t2-turn').length >= 5", timeout=120_000)


def _mix(page: Any) -> None:
    page.click("#t2-talk-stop")
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.wait_for_selector(".t2-plot .heatmaplayer", timeout=20_000, state="attached")
    for k, value in enumerate((1, 0.4)):
        page.fill(f"#t2-alpha-{k} input[type=number]", str(value))
        page.keyboard.press("Tab")
    page.click("#t2-mix-answer")
    page.wait_for_selector('#t2-mix-answers .t2-answers[data-stage="done"]', timeout=60_000, state="attached")


def _experts(page: Any) -> None:
    page.evaluate("scrollTo(0, 0)")
    page.click(".t2-experts-button")
    page.locator(".t2-experts-name").first.click()


def _search(page: Any) -> None:
    page.click(".t2-experts-close")
    page.get_by_role("tab", name="Search", exact=True).click()
    page.click("#t2-search-start")
    page.wait_for_selector('#t2-search-view .t2-search[data-stage="done"]', timeout=180_000, state="attached")


def _spectra(page: Any) -> None:
    page.get_by_role("tab", name="Spectra", exact=True).click()
    page.wait_for_selector("#t2-spectra-lora .scatterlayer", timeout=60_000, state="attached")
    page.click("#t2-component-look")
    page.wait_for_selector('.t2-component[data-over="true"]', timeout=60_000)


TABS = {"ask": _ask, "chat": _chat, "mix": _mix, "experts": _experts, "search": _search, "spectra": _spectra}
