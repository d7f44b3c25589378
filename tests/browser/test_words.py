"""Simple and Expert mode in a browser, the paper's formula, words that change by a tap, first steps."""

import re

import pytest

FORBIDDEN = re.compile(r"alpha|α|\bSVF\b|\bCEM\b|dispatch|cross-entropy|likelihood|log-prob|elite|population|candidate", re.IGNORECASE)
# Everything that can be read: texts, and what assistive software reads out.
VISIBLE = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const parent = walk.currentNode.parentElement, text = walk.currentNode.data.trim();
    if (text && !['SCRIPT', 'STYLE'].includes(parent.tagName) && parent.checkVisibility({ checkVisibilityCSS: true })) found.push(text);
  }
  for (const e of document.querySelectorAll('[title], [aria-label], [placeholder]'))
    if (e.checkVisibility()) for (const a of ['title', 'aria-label', 'placeholder']) if (e.getAttribute(a)) found.push(e.getAttribute(a));
  return found;
}"""
QUESTION = "Anna has 12 marbles. She gives 5 marbles to Ben. How many marbles does Anna have now?"


def said(page) -> list[str]:
    return page.evaluate(VISIBLE)


def unfold(page) -> None:
    """Open everything that is folded in."""
    for head in page.locator(".label-wrap:visible").all():
        if "open" not in (head.get_attribute("class") or ""):
            head.click()
    page.wait_for_timeout(300)


def test_simple_mode_uses_none_of_the_fields_words(visit):
    visitor = visit(width=390, height=844)  # on a phone it is what one gets
    page = visitor.page
    assert page.get_attribute("[data-words=simple]", "aria-pressed") == "true"
    visitor.ask(QUESTION, "#t2-everybody").wait()
    assert page.locator("#t2-everybody-table .t2-sure:visible").count() == 6  # a score beside every answer
    assert page.locator("#t2-everybody-table .t2-verdict:visible").count() == 6
    unfold(page)
    walked = []
    for tab in page.locator("#t2-tabs > .tab-wrapper button[role=tab]:visible, #t2-tabs button[role=tab][id^=t2-tab]:visible").all():
        name = tab.inner_text()
        if name in walked:
            continue
        walked.append(name)
        tab.click()
        page.wait_for_timeout(400)
        if name == "Mix":
            page.click("#t2-mix-answer")
            visitor.wait(where="#t2-mix-answers")
        if name == "Chat":
            page.fill("#t2-talk-message textarea", QUESTION)
            page.click("#t2-talk-send")
            page.wait_for_selector('.t2-turn[data-stage="done"]')
        if name == "Search":  # finished, with a row that is left out
            page.locator("#t2-search-source label", has_text="my own").click()
            for cell, text in enumerate(("7 + 5?", "12", "Who wrote it?", "")):
                page.locator("#t2-search-table textarea").nth(cell).fill(text)
            page.click("#t2-search-start")
            page.wait_for_selector('#t2-search-view .t2-search[data-stage="done"]', state="attached")
            page.wait_for_selector("#t2-search-result .t2-card")
            page.wait_for_selector("#t2-search-told .t2-judged")
        unfold(page)
        words = said(page)
        assert len(words) > 30 and not [w for w in words if FORBIDDEN.search(w)], name
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert walked == ["Ask", "Chat", "Mix", "Search"]
    page.click(".t2-experts-button")
    page.locator(".t2-experts-name").first.click()
    assert len(said(page)) > 30 and not [w for w in said(page) if FORBIDDEN.search(w)]
    for control in ("#t2-strategy", "#t2-soft", "#t2-settings", "#t2-depth-box", "#t2-sweep", "#t2-wide"):
        assert page.locator(control).count() and not page.locator(control).is_visible(), control


def test_a_link_to_the_spectra_in_simple_mode_shows_the_map_alone(visit, url):
    page = visit(url + "/?tab=spectra&mode=simple").page
    page.wait_for_selector("#t2-spectra-map .heatmaplayer", state="attached")
    assert page.is_visible("#t2-spectra-strip") and not page.is_visible("#t2-spectra-deep")
    assert not [w for w in said(page) if FORBIDDEN.search(w)]


def test_the_choice_is_kept_in_the_browser_and_in_the_address(visit, url):
    page = visit().page
    assert "α" in " ".join(said(page)) and page.get_attribute("[data-words=expert]", "aria-pressed") == "true"
    page.click("[data-words=simple]")
    assert "mode=simple" in page.url and not [w for w in said(page) if FORBIDDEN.search(w)]
    page.fill("#t2-prompt textarea", QUESTION)
    page.wait_for_function("() => location.search.includes('prompt=')")
    assert "mode=simple" in page.url
    page.goto(url)  # nothing in the address: the browser remembers
    page.wait_for_selector("#t2-ask:not([disabled])")
    assert page.get_attribute("[data-words=simple]", "aria-pressed") == "true"
    page.goto(url + "/?mode=expert")  # the address wins
    page.wait_for_selector("#t2-ask:not([disabled])")
    assert page.get_attribute("[data-words=expert]", "aria-pressed") == "true"
    other = visit(url + "/?mode=loud").page
    other.wait_for_selector("#t2-link-notice .t2-notice")
    assert "mode was left out" in other.inner_text("#t2-link-notice")


def test_the_papers_formula_stands_beside_ours_at_a_switch(visit):
    page = visit().page
    paper = "#t2-flow svg.t2-wide .t2-paper"
    assert not page.locator(paper).is_visible() and page.locator("#t2-flow svg.t2-wide .t2-formula:visible").count() == 1
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.click("[data-t2=paper]:visible")
    assert page.is_visible("#t2-mixer .t2-paper") and page.get_attribute("[data-t2=paper]", "aria-pressed") == "true"
    page.get_by_role("tab", name="Ask", exact=True).click()
    assert page.is_visible(paper)
    page.reload()
    page.wait_for_selector(paper)


def test_words_and_numbers_change_by_a_tap(visit):
    visitor = visit()
    page = visitor.page
    page.fill("#t2-prompt textarea", QUESTION)
    page.wait_for_selector("#t2-taps button >> text=marbles")
    assert f"{len(QUESTION)} of 2,000 characters" in visitor.text("#t2-length")
    page.wait_for_function("() => document.querySelector('#t2-length').innerText.includes('tokens')")
    for word in ("12", "marbles", "Anna"):
        page.locator("#t2-taps button", has_text=re.compile(f"^{word}$")).click()
        page.wait_for_function("w => !document.querySelector('#t2-prompt textarea').value.includes(w)", arg=word)
        page.wait_for_function("w => [...document.querySelectorAll('#t2-taps button')].every(b => b.textContent !== w)", arg=word)
    visitor.ask(None).wait()
    assert page.locator("#t2-answers .t2-verdict.t2-wrong, #t2-answers .t2-verdict.t2-right").count() == 2  # still a question of its family
    page.fill("#t2-prompt textarea", "x" * 2001)  # said before anybody asks
    page.wait_for_selector("#t2-length [data-full=true]")
    page.fill("#t2-prompt textarea", "no family reads this")
    page.wait_for_function("() => !document.querySelector('#t2-taps button')")


def test_the_same_again_comes_from_cache_and_settings_can_be_reset(visit):
    visitor = visit().ask(QUESTION).wait()
    page = visitor.page
    assert page.locator("#t2-answers .t2-kept").count() == 0
    visitor.ask(None).wait()
    assert "From cache" in visitor.text("#t2-notice") and page.locator("#t2-answers .t2-kept").count() == 2
    page.locator("#t2-settings > button").click()
    page.fill("#t2-seed input", "5")
    page.fill("#t2-temperature input[type=number]", "0.5")
    page.keyboard.press("Tab")
    visitor.ask(None).wait()
    assert page.locator("#t2-answers .t2-kept").count() == 0
    page.click("#t2-reset")
    page.wait_for_function("() => document.querySelector('#t2-seed input').value === '0'")
    assert page.input_value("#t2-temperature input[type=number]") == "0"


def test_first_steps_are_ticked_off_where_they_are_done(visit):
    visitor = visit()
    page = visitor.page
    page.click("#t2-guide [data-do=start]")
    assert "Step 1 of 5" in visitor.text("#t2-guide") and page.locator("#t2-flow.t2-pointed").count() == 1
    page.click("#t2-guide [data-do=next]:visible")
    visitor.ask(QUESTION).wait()
    page.wait_for_selector(".t2-guide-done:visible")
    page.click("#t2-guide [data-do=next]:visible")
    assert "Step 3 of 5" in visitor.text("#t2-guide") and not page.is_visible(".t2-guide-done")
    page.click("#t2-guide [data-do=skip]:visible")
    assert not page.is_visible(".t2-guide")
    page.reload()
    page.wait_for_selector("#t2-ask:not([disabled])")
    assert not page.is_visible(".t2-guide")
    page.click("[data-do=open]")
    assert page.is_visible(".t2-guide")
    page.keyboard.press("?")
    assert page.is_visible("#t2-keys kbd >> nth=0")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.closest('#t2-prompt') !== null")


@pytest.mark.parametrize("scheme", ["dark"])
def test_simple_mode_fits_a_tablet(visit, url, scheme):
    page = visit(url + "/?mode=simple&tab=talk", width=768, height=1024, scheme=scheme).page
    page.wait_for_selector("#t2-talk-message textarea")
    assert page.evaluate("document.documentElement.scrollWidth") <= 768
