"""Every tab at 1440 and 390 px, light and dark: nothing overflows, fails or goes to another host, and axe finds nothing serious.

axe-core is read from the file that T2UI_AXE names (axe.min.js of the npm package axe-core).
"""

import json
import os
from pathlib import Path

import pytest

from .conftest import missing

TABS = ("ask", "talk", "mix", "search", "spectra")
SPOILT = """document.querySelector('#t2-header').insertAdjacentHTML('beforeend',
    '<div id="t2-spoilt"><button></button><p style="color:#999;background:#aaa">hardly to be read</p></div>')"""
AXE = os.environ.get("T2UI_AXE", "")


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE or not Path(AXE).is_file():
        missing("T2UI_AXE does not name axe-core's axe.min.js (npm install axe-core)")
    return Path(AXE).read_text(encoding="utf-8")


def open_tab(page, name: str) -> None:
    page.click(f"#t2-tab-{name}-button")


def settle(page) -> None:
    """Put something onto every tab: answers, a mix, a search's result, a matrix and one of its components."""
    page.click("#t2-everybody")
    page.wait_for_selector('#t2-answers .t2-answers[data-details="true"]', state="attached")
    unfold(page)
    page.click("#t2-which")
    page.wait_for_selector("#t2-which-words .t2-words")
    open_tab(page, "mix")
    page.fill("#t2-alpha-0 input[type=number]", "0.6")
    page.keyboard.press("Tab")
    page.click("#t2-mix-answer")
    page.wait_for_selector('#t2-mix-answers .t2-answers[data-details="true"]', state="attached")
    unfold(page)
    page.click("#t2-sweep-family input")  # the tiny model's context is too short for questions with pictures
    page.get_by_role("option", name="math", exact=True).click()
    page.click("#t2-sweep-start")
    page.wait_for_selector("#t2-sweep-map .t2-heat")
    page.evaluate("document.querySelector('#t2-sweep-stop').click()")  # it may be over already
    open_tab(page, "search")
    page.locator("#t2-search-source label", has_text="my own").click()
    page.click("#t2-search-take")  # rows with pictures; the tiny model has no room for them, but for what is typed
    page.wait_for_selector("#t2-search-table tbody img")
    page.locator("#t2-search-table textarea").nth(0).fill("7 + 5?")
    page.locator("#t2-search-table textarea").nth(1).fill("12")
    page.locator("#t2-search-table textarea").nth(2).fill("")
    page.wait_for_selector("#t2-search-told .t2-notice")
    page.click("#t2-search-start")
    page.wait_for_selector('#t2-search-view .t2-search[data-stage="done"]', state="attached")
    open_tab(page, "spectra")
    page.wait_for_selector("#t2-spectra-lora .scatterlayer", state="attached")
    page.click("#t2-component-look")
    page.wait_for_selector('.t2-component[data-over="true"]')


def unfold(page) -> None:
    for head in page.locator("button.label-wrap:visible").all():
        if head.get_attribute("aria-expanded") != "true" and "open" not in (head.get_attribute("class") or "").split():
            head.click()


def findings(page) -> list[str]:
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [f"{rule['id']}: {json.dumps([n['html'][:160] for n in rule['nodes'][:3]])}" for rule in found["violations"]
            if rule["impact"] in ("serious", "critical")]  # fmt: skip


def test_every_tab_everywhere(visit, axe):
    visitor = visit()  # which refuses console errors and other hosts at the end
    page = visitor.page
    settle(page)
    page.evaluate(axe)
    page.evaluate(SPOILT)
    rules = [line.split(":")[0] for line in findings(page)]
    assert "button-name" in rules and "color-contrast" in rules  # the check itself finds what it should
    page.evaluate("document.querySelector('#t2-spoilt').remove()")
    wrong = {}
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in ("light", "dark"):
            if page.evaluate("document.body.classList.contains('dark')") != (scheme == "dark"):
                page.click(".t2-theme")
            for tab in TABS:
                open_tab(page, tab)
                page.wait_for_timeout(400)  # colours fade over
                told = findings(page)
                if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
                    told.append(f"{wide} px wide")
                if told:
                    wrong[f"{tab}, {width} px, {scheme}"] = told
            page.click(".t2-experts-button")
            name = page.locator(".t2-experts-name").first
            if name.get_attribute("aria-expanded") != "true":
                name.click()
            if told := findings(page):
                wrong[f"experts, {width} px, {scheme}"] = told
            page.click(".t2-experts-close")
    assert not wrong, json.dumps(wrong, indent=1)
