"""Scores, the mixes tried, and the pinned mix, in a browser."""

import pytest


@pytest.fixture
def mixing(visit):
    visitor = visit()
    visitor.page.get_by_role("tab", name="Mix", exact=True).click()
    visitor.page.wait_for_selector("#t2-score-start:not([disabled])", timeout=20_000)
    return visitor


def alpha(page, i: int, value: str) -> None:
    page.fill(f"#t2-alpha-{i} input[type=number]", value)
    page.keyboard.press("Tab")


def test_score_history_load_and_pin(mixing):
    page = mixing.page
    page.click("#t2-score-family input")  # the tiny model's context is too short for questions with pictures
    page.get_by_role("option", name="math", exact=True).click()
    alpha(page, 0, "0.6")
    page.click("#t2-score-start")
    page.wait_for_selector("#t2-score-view [data-stage=done]", timeout=60_000)
    assert mixing.text("#t2-score-view").count("of 20 right") == 2 and "95 %" in mixing.text("#t2-score-view")
    assert page.locator("#t2-history tr").count() == 2  # the mix and the base
    page.wait_for_selector("#t2-score-start:not([disabled])")

    alpha(page, 0, "0")
    alpha(page, 1, "0.25")
    page.wait_for_timeout(300)
    page.locator("#t2-history tr", has_text="0.60").locator("button", has_text="Load").click()
    page.wait_for_function("document.querySelector('#t2-alpha-0 input[type=number]').value === '0.6'")
    assert page.input_value("#t2-alpha-1 input[type=number]") == "0"

    page.locator("#t2-history tr", has_text="0.60").locator("button", has_text="Pin").click()
    page.wait_for_selector('#t2-history [aria-pressed="true"]')
    assert "against the pinned one" in mixing.text("#t2-history")
    alpha(page, 1, "1")
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    page.click("#t2-mix-answer")
    mixing.wait(where="#t2-mix-answers")
    assert "0.60" in mixing.text("#t2-mix-answers [data-row=pin]")
    assert page.locator("#t2-mix-answers [data-row=base]").count() == 0
    assert page.locator("#t2-history tr").count() == 3  # what was answered with is remembered, without a score


def test_loading_an_answered_mix_brings_its_seed_back(visit):
    page = visit(width=390, height=844).page
    page.click('[data-words="expert"]')
    page.locator("#t2-settings > button").click()
    page.fill("#t2-seed input", "7")
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    page.get_by_role("tab", name="Mix", exact=True).click()
    alpha(page, 0, "0.6")
    page.click("#t2-mix-answer")
    page.wait_for_selector('#t2-mix-answers [data-stage="done"]')
    row = page.locator('#t2-history tr[data-number="1"]')
    assert "seed 7" in row.inner_text()
    page.fill("#t2-seed input", "8")
    alpha(page, 1, "0.3")
    page.click("#t2-mix-answer")
    page.wait_for_selector("#t2-history tr:nth-child(2)")
    page.wait_for_function(  # in the visitor's zone, also after the list was drawn anew
        """() => [...document.querySelectorAll('#t2-history time')].every(e =>
           e.textContent === new Date(e.dateTime).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }))""")
    page.fill("#t2-seed input", "9")
    alpha(page, 0, "0")
    row.locator("button", has_text="Load").click()
    page.wait_for_function("document.querySelector('#t2-seed input').value === '7'")
    page.wait_for_function("document.querySelector('#t2-alpha-0 input[type=number]').value === '0.6'")
    page.wait_for_function("() => new URLSearchParams(location.search).get('seed') === '7'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
