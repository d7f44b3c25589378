"""Overruling, searching and looking at spectra in a browser."""

import json
import re

import pytest


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()
    page.wait_for_timeout(200)


def finished(page, stage="done", timeout=90_000):
    page.wait_for_selector(f'#t2-search-view .t2-search[data-stage="{stage}"]', timeout=timeout, state="attached")


def test_dispatch_can_be_overruled(visit):
    visitor = visit().ask("Start with 9, add 4. What do you get?").wait()
    page = visitor.page
    old = page.locator("#t2-answers .t2-answer").nth(1).locator(".t2-text").inner_text()
    page.locator("#t2-overrule button", has_text="Base").click()
    page.wait_for_selector('#t2-answers [data-row="overrule"] .t2-verdict', timeout=30_000)
    cards = page.locator("#t2-answers .t2-answer")
    assert cards.nth(0).get_attribute("data-row") == "dispatch" and cards.nth(1).get_attribute("data-row") == "overrule"
    assert cards.nth(0).locator(".t2-text").inner_text() == old
    assert "overruled" in page.text_content("#t2-flow .t2-wide")


def test_a_search_on_ones_own_examples_gives_a_mix_to_use(visit):
    page = visit().page
    open_tab(page, "Search")
    page.locator("#t2-search-source label", has_text="my own").click()
    page.wait_for_selector("#t2-search-own textarea")
    rows = [{"prompt": "Capital of France?", "answer": "Paris"}, {"prompt": "7 + 5?", "answer": "12"}]
    page.fill("#t2-search-own textarea", "\n".join([*map(json.dumps, rows), "{broken"]))
    page.click("#t2-search-start")
    finished(page)
    assert "Line 3" in page.inner_text("#t2-search-notice")
    assert page.locator("#t2-search-view circle").count() > 10
    shown = page.locator("#t2-search-view g[data-generation]:not([data-off])")
    slider, last = page.locator(".t2-scrub input"), page.locator("#t2-search-view g[data-generation]").count()
    assert last > 1 and shown.get_attribute("data-generation") == str(last)
    slider.evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input', {bubbles: true})); }")
    assert shown.count() == 1 and shown.get_attribute("data-generation") == "1"
    assert "1" in page.inner_text(".t2-scrub output")
    page.click("[data-replay]")
    page.wait_for_function(f"document.querySelector('.t2-scrub input').value === '{last}'", timeout=600 * (last + 5))
    assert shown.get_attribute("data-generation") == str(last)
    mean = [float(x) for x in re.findall(r"\d\.\d\d", page.inner_text("#t2-search-result .t2-alphas"))]
    page.locator("#t2-search-result button").first.click()
    page.wait_for_selector("#t2-alpha-0 input[type=number]")
    page.wait_for_timeout(500)
    shown = [float(page.input_value(f"#t2-alpha-{i} input[type=number]")) for i in range(3)]
    assert shown == pytest.approx(mean, abs=0.006)


def test_a_search_is_stopped_and_goes_on(visit):
    page = visit().page
    open_tab(page, "Search")
    page.locator("#t2-search-task input").click()  # questions that fit the tiny model's context
    page.get_by_role("option", name="vision", exact=True).click()
    page.locator("#t2-search-preset label", has_text="paper").click()
    page.click("#t2-search-start")
    page.wait_for_selector('#t2-search-view .t2-search[data-stage="searching"]', timeout=60_000, state="attached")
    page.click("#t2-search-stop")
    finished(page, "stopped")
    assert page.is_enabled("#t2-search-resume") and page.is_disabled("#t2-search-stop")
    page.click("#t2-search-resume")
    page.wait_for_selector('#t2-search-view .t2-search[data-stage="searching"]', timeout=60_000, state="attached")
    page.click("#t2-search-stop")
    finished(page, "stopped")


def test_what_cannot_be_searched_is_said_and_kept(visit):
    page = visit().page
    open_tab(page, "Search")
    page.locator("#t2-search-source label", has_text="my own").click()
    page.fill("#t2-search-own textarea", "only,columns\n1,2")
    page.click("#t2-search-start")
    page.wait_for_selector("#t2-search-notice [role=alert]")
    assert "prompt" in page.inner_text("#t2-search-notice") and page.input_value("#t2-search-own textarea").startswith("only")
    assert page.is_enabled("#t2-search-start")
