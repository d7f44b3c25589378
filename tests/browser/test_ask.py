"""Asking in a browser: both passes, everybody, stop, bad input, two visitors."""

import pytest

EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>"\'</textarea>'


def test_both_passes_are_drawn_with_numbers(visit):
    visitor = visit().ask("Start with 9, add 4. What do you get?").wait()
    page = visitor.page
    assert page.locator("#t2-recorded .t2-chip").count() == 0  # ours now, not the recorded one
    flow = page.get_attribute("#t2-flow figure", "aria-label")
    assert "Start with 9, add 4" in flow
    for name in ("math", "code", "vision", "other"):
        assert name in flow
    assert "ms" in page.text_content("#t2-flow .t2-wide")
    cards = page.locator("#t2-answers .t2-answer")
    assert cards.count() == 2
    for i in range(2):
        assert cards.nth(i).locator(".t2-verdict").count() == 1 and "ms" in cards.nth(i).inner_text()
    assert page.is_disabled("#t2-stop")


def test_an_example_is_asked_with_its_picture(visit):
    page = (visitor := visit()).page
    page.get_by_role("tab", name="vision + math").click()
    page.locator(".t2-example:visible").first.click()
    page.wait_for_selector("#t2-picture img", timeout=10_000)
    visitor.ask(None).wait()
    assert page.locator("#t2-flow .t2-wide image").count() == 1
    assert page.locator("#t2-answers .t2-verdict.t2-wrong, #t2-answers .t2-verdict.t2-right").count() == 2


def test_a_new_random_question_replaces_the_old_one(visit):
    page = (visitor := visit()).page
    seen = {page.input_value("#t2-prompt textarea")}
    for _ in range(2):
        old = page.input_value("#t2-prompt textarea")
        page.locator(".t2-random:visible").click()
        page.wait_for_function("old => document.querySelector('#t2-prompt textarea').value !== old", arg=old)
        seen.add(page.input_value("#t2-prompt textarea"))
    assert len(seen) == 3
    visitor.ask(None).wait()
    assert page.locator("#t2-answers .t2-verdict.t2-wrong, #t2-answers .t2-verdict.t2-right").count() == 2


def test_everybody_answers(visit):
    visitor = visit().ask("Start with 9, add 4. What do you get?", "#t2-everybody").wait()
    rows = visitor.page.locator("#t2-everybody-table tbody tr")
    keys = [rows.nth(i).get_attribute("data-row") for i in range(rows.count())]
    assert keys == ["base", "expert:math", "expert:code", "expert:vision", "mix", "dispatch"]
    for i in range(rows.count()):
        words = rows.nth(i).inner_text()
        assert ("right" in words or "wrong" in words) and "s" in words.split()[-1]


def test_what_was_typed_never_becomes_markup(visit):
    visitor = visit().ask(EVIL, "#t2-everybody").wait()
    page = visitor.page
    assert page.evaluate("window.pwned") is None
    assert page.locator("#t2-flow img, #t2-answers img, #t2-answers script, #t2-notice img").count() == 0
    assert "onerror" in page.get_attribute("#t2-flow figure", "aria-label")
    visitor.page.get_by_role("tab", name="Mix").click()
    page.click("#t2-mix-answer")
    visitor.wait(where="#t2-mix-answers")
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize(("prompt", "words"), [("", "no question"), ("   ", "no question"), ("x" * 2001, "2,001")])
def test_bad_input_is_said_and_what_was_typed_is_kept(visit, prompt, words):
    page = (visitor := visit()).page
    page.fill("#t2-prompt textarea", prompt)
    page.click("#t2-ask")
    page.wait_for_selector("#t2-question-notice [role=alert]")
    assert words in visitor.text("#t2-question-notice")
    assert page.input_value("#t2-prompt textarea") == prompt
    visitor.ask("Start with 9, add 4. What do you get?").wait()  # and the page goes on
    assert page.locator("#t2-question-notice [role=alert]").count() == 0


def test_a_broken_picture_is_said_and_the_question_is_kept(visit, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    page = (visitor := visit()).page
    page.fill("#t2-prompt textarea", "How many red circles are there?")
    page.locator("#t2-picture-box > button").click()
    page.set_input_files("#t2-picture input[type=file]", str(tmp_path / "broken.png"))
    page.wait_for_selector("#t2-question-notice [role=alert]")
    assert "not a picture" in visitor.text("#t2-question-notice")
    assert page.input_value("#t2-prompt textarea") == "How many red circles are there?"
    visitor.ask(None).wait()
    visitor.errors = [e for e in visitor.errors if "broken.png" not in e]  # the browser's own word on the preview


def test_stop_keeps_what_was_answered(visit, slowly):
    page = (visitor := visit()).page
    visitor.ask("Start with 9, add 4. What do you get?", "#t2-everybody")
    # Somebody has said something, and somebody is still at it (the random base model ends after two tokens).
    page.wait_for_function("[...document.querySelectorAll('#t2-everybody-table .t2-text')].some(e => e.innerText.trim().length > 2)")
    page.click("#t2-stop")
    visitor.wait("stopped")
    assert "Stopped" in visitor.text("#t2-notice")
    cancelled = page.locator("#t2-everybody-table tr", has_text="Stopped.")
    assert cancelled.count() >= 1 and len(cancelled.first.locator(".t2-text").inner_text()) >= 1
    page.wait_for_selector("#t2-stop[disabled]")
    assert page.input_value("#t2-prompt textarea").startswith("Start with 9")


def test_another_question_takes_the_place_of_a_running_one(visit, slowly):
    page = (visitor := visit()).page
    visitor.ask("Start with 9, add 4. What do you get?")
    page.wait_for_selector('#t2-answers [data-stage="pass2"]')
    visitor.ask("Start with 8, add 3. What do you get?", "#t2-everybody")
    visitor.wait("done")
    page.wait_for_selector("#t2-stop[disabled]")
    assert page.locator("#t2-everybody-table tbody tr").count() == 6
    assert "8, add 3" in page.get_attribute("#t2-flow figure", "aria-label")
    assert page.locator("#t2-notice .t2-notice").count() == 0  # no word of the first one's end


def test_shift_and_enter_ask(visit):
    page = (visitor := visit()).page
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    page.press("#t2-prompt textarea", "Shift+Enter")
    page.wait_for_selector("#t2-recorded .t2-chip", state="detached")
    visitor.wait("done")


def test_two_visitors_do_not_see_each_other(visit):
    one, two = visit(), visit()
    one.page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    two.page.fill("#t2-prompt textarea", "Start with 8, add 3. What do you get?")
    for visitor in (one, two):  # both at once
        visitor.ask(None, "#t2-everybody")
    for visitor, own, other in ((one, "9, add 4", "8, add 3"), (two, "8, add 3", "9, add 4")):
        visitor.wait()
        page = visitor.page.content()
        assert own in page and other not in page.split("t2-examples")[0]
        assert own in visitor.page.get_attribute("#t2-flow figure", "aria-label")
        assert visitor.page.locator("#t2-everybody-table tbody tr").count() == 6


def test_one_visitors_stop_does_not_stop_the_other(visit, slowly):
    one, two = visit(), visit()
    two.ask("Start with 8, add 3. What do you get?")
    one.ask("Start with 9, add 4. What do you get?", "#t2-everybody")  # some of them write to the last token they may
    one.page.click("#t2-stop")
    one.wait("stopped")
    two.wait("done")
