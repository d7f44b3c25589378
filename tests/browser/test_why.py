"""Why, tokens and proof in a browser: on request, by mouse and keyboard, escaped, and without sideways scroll."""

import pytest

QUESTION = "Start with 9, add 4. What do you get?"
EVIL = "<img src=x onerror=window.pwned=1> add 4"


def details(page):
    page.wait_for_selector('#t2-answers .t2-answers[data-details="true"]', timeout=30_000)


def test_tokens_have_numbers_on_hover_and_by_keyboard(visit):
    page = visit().ask(QUESTION).wait().page
    details(page)
    assert page.locator("#t2-answers .t2-view-text:visible").count() == 2
    assert page.locator("#t2-answers .t2-proof").inner_text().startswith("applied: ")
    page.click('#t2-view-switch [data-view="tokens"]')
    assert page.locator("#t2-answers .t2-view-text:visible").count() == 0
    assert page.get_attribute('#t2-view-switch [data-view="tokens"]', "aria-pressed") == "true"
    card = page.locator('#t2-answers [data-row="dispatch"]')
    card.locator(".t2-tok").nth(1).dispatch_event("mouseover")
    tip = card.locator(".t2-tip")
    assert "rank" in tip.inner_text()
    card.locator(".t2-tok").first.focus()
    seen = {tip.inner_text()}
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        seen.add(tip.inner_text())
    assert len(seen) >= 2 and all("%" in words for words in seen)
    assert card.locator('.t2-tok[tabindex="0"]').count() == 1


@pytest.mark.parametrize("width", [1440, 390])
def test_which_words_decided(visit, url, width):
    page = visit(f"{url}/?mode=expert", width=width).ask(  # on a phone Simple mode would be the default
        QUESTION).wait().page  # fmt: skip
    details(page)
    page.click("#t2-why > button")
    page.wait_for_selector("#t2-why-raw .t2-raw >> nth=1")
    assert "What kind of question is this" in page.locator("#t2-why-raw .t2-raw").first.inner_text()
    page.click("#t2-which")
    page.wait_for_selector(".t2-words", timeout=30_000)
    assert page.locator(".t2-words > span").count() == 9
    page.locator(".t2-words > span").nth(2).click()
    tip = page.inner_text("#t2-which-words .t2-tip")
    assert "Without “9,”" in tip and "points" in tip
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_of_it_is_markup(visit):
    page = visit().ask(EVIL).wait().page
    details(page)
    page.click("#t2-why > button")
    page.click("#t2-which")
    page.wait_for_selector(".t2-words", timeout=30_000)
    assert page.evaluate("window.pwned") is None and page.locator("#t2-why img, #t2-answers img").count() == 0
