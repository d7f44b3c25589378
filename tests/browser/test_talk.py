"""The conversation in a browser: turns, retry, edit, stop, the stream; and nobody sees another's."""

import pytest

EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
FIRST, SECOND = "Anna has 12 pens. She buys 3 pens. How many pens?", "Ben has 9 coins. He loses 4 coins. How many coins?"


@pytest.fixture
def talking(visit):
    visitor = visit()
    visitor.page.get_by_role("tab", name="Chat", exact=True).click()
    visitor.page.wait_for_selector("#t2-talk-send:not([disabled])")
    return visitor


def send(page, words: str, n: int) -> None:
    page.fill("#t2-talk-message textarea", words)
    page.click("#t2-talk-send")
    page.wait_for_selector(f'#t2-talk-log .t2-turn[data-turn="{n}"][data-stage="done"]')
    page.wait_for_selector("#t2-talk-stop[disabled]")


def test_turns_retry_and_edit(talking):
    page = talking.page
    send(page, FIRST, 1)
    send(page, SECOND, 2)
    assert page.input_value("#t2-talk-message textarea") == ""
    bars = page.locator(".t2-strip li")
    assert bars.count() == 2
    for i in range(2):  # numbers as text, not colour alone
        assert "." in bars.nth(i).inner_text() and "Turn" in bars.nth(i).get_attribute("aria-label")
    assert "read with 1 earlier turns" in talking.text('.t2-turn[data-turn="2"]')
    page.locator('[data-turn="2"] button', has_text="Retry").click()  # greedy: the same again, and it says so
    page.wait_for_selector("#t2-talk-notice .t2-notice")
    assert "At temperature 0" in talking.text("#t2-talk-notice") and "kept from before" in talking.text('.t2-turn[data-turn="2"]')
    page.fill("#t2-talk-message textarea", "not sent yet")
    page.locator('[data-turn="1"] button', has_text="Edit").click()
    page.wait_for_function("() => document.querySelector('#t2-talk-notice').innerText.includes('still a message')")
    assert page.input_value("#t2-talk-message textarea") == "not sent yet"  # nothing that was typed is lost
    page.fill("#t2-talk-message textarea", "")
    page.locator('[data-turn="1"] button', has_text="Edit").click()
    page.wait_for_function("w => document.querySelector('#t2-talk-message textarea').value === w", arg=FIRST)
    page.locator("#t2-talk-notice button").click()  # left as it was
    page.wait_for_function("() => document.querySelector('#t2-talk-message textarea').value === ''")
    assert page.locator("#t2-talk-log .t2-turn").count() == 2
    page.locator('[data-turn="1"] button', has_text="Edit").click()
    page.wait_for_function("w => document.querySelector('#t2-talk-message textarea').value === w", arg=FIRST)
    send(page, FIRST.replace("12", "14"), 1)
    page.wait_for_function("() => document.querySelectorAll('#t2-talk-log .t2-turn').length === 1")
    assert "14 pens" in talking.text("#t2-talk-log")


def test_the_stream_plays_mixed_questions_until_it_is_stopped(talking, slowly):
    page = talking.page
    page.click("#t2-talk-play")
    page.wait_for_selector('#t2-talk-log .t2-turn[data-turn="2"]')
    page.keyboard.press("Escape")
    page.wait_for_selector("#t2-talk-stop[disabled]")
    n = page.locator(".t2-turn").count()
    assert 2 <= n < 20 and page.locator(".t2-strip li").count() == n
    page.wait_for_timeout(700)
    assert page.locator(".t2-turn").count() == n  # it stays stopped
    page.click("#t2-talk-clear")
    page.wait_for_function("() => !document.querySelector('.t2-turn')")


def test_what_is_typed_stays_text_and_bad_input_is_kept(talking):
    page = talking.page
    page.click("#t2-talk-send")
    page.wait_for_selector("#t2-talk-notice [role=alert]")
    send(page, EVIL, 1)
    assert page.evaluate("window.pwned") is None and page.locator("#t2-talk-log .t2-said img").count() == 0
    long = "pens " * 390  # more than the model's context holds: the engine says so
    page.fill("#t2-talk-message textarea", long)
    page.click("#t2-talk-send")
    page.wait_for_function("() => document.querySelector('#t2-talk-notice').innerText.includes('too long')")
    assert page.input_value("#t2-talk-message textarea") == long and page.locator(".t2-turn").count() == 1


def test_nobody_sees_anothers_conversation(visit):
    one, two = visit(), visit()
    for visitor in (one, two):
        visitor.page.get_by_role("tab", name="Chat", exact=True).click()
    send(one.page, FIRST, 1)
    send(two.page, SECOND, 1)
    assert "pens" in one.text("#t2-talk-log") and "pens" not in two.text("#t2-talk-log")
