"""The page as such: what is there before the model is, on which screens, and where it does not go."""

import pytest

from t2ui.ui.backend import Backend, Options


@pytest.fixture(scope="module")
def early(serve, tiny_llava_dir, tiny_llava_experts):
    """A page whose model is not loaded until somebody calls ``start``."""
    backend = Backend(Options(str(tiny_llava_dir), str(tiny_llava_experts), "cpu"))
    return serve(backend), backend


def test_a_recorded_run_is_there_before_the_model(early, visit, recording):
    address, backend = early
    visitor = visit(address, ready=False)
    page = visitor.page
    assert "recorded" in visitor.text("#t2-recorded")
    assert page.input_value("#t2-prompt textarea") == recording.run.prompt
    assert page.locator("#t2-answers .t2-answer").count() == 2
    assert page.locator("#t2-everybody-table tbody tr").count() == len(recording.run.rows)
    assert "still being loaded" in visitor.text("#t2-question-notice")
    page.get_by_role("tab", name="Mix", exact=True).click()  # and the change map already moves
    page.wait_for_selector(".t2-plot .heatmaplayer", timeout=20_000, state="attached")
    for button in ("#t2-ask", "#t2-everybody", "#t2-mix-answer"):
        assert page.locator(button).is_disabled()
    page.fill("#t2-alpha-0 input[type=number]", "1")
    page.keyboard.press("Tab")
    page.wait_for_function("Number(document.querySelector('.t2-plot').dataset.total) > 0.05")
    backend.start()  # the page that is open already hears of it
    page.wait_for_selector("#t2-ask:not([disabled])", timeout=60_000, state="attached")
    assert "experts" in visitor.text("#t2-status")
    assert page.input_value("#t2-alpha-0 input[type=number]") == "1"  # nothing that was set is lost
    page.get_by_role("tab", name="Ask", exact=True).click()
    visitor.ask(None).wait()


def test_a_model_that_does_not_load_leaves_a_page_with_the_reason(serve, visit, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    backend = Backend(Options(str(tmp_path), str(tmp_path)))
    backend.start()
    visitor = visit(serve(backend), ready=False)
    visitor.page.wait_for_selector('.t2-status[data-state="failed"]', timeout=60_000)
    assert "could not be loaded" in visitor.text("#t2-question-notice")
    assert visitor.page.locator("#t2-ask").is_disabled()


@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 1000, "light"), (390, 844, "dark")])
def test_it_fits_the_screen(visit, width, height, scheme):
    visitor = visit(width=width, height=height, scheme=scheme)
    page = visitor.page
    visitor.ask("Start with 9, add 4. What do you get?", "#t2-everybody").wait()
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    for tab in ("Ask", "Mix"):
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = "t2-wide" if width > 640 else "t2-narrow"
    page.get_by_role("tab", name="Ask", exact=True).click()
    page.wait_for_selector(f"#t2-flow svg.{shown}")
    assert page.locator("#t2-flow svg:visible").count() == 1


def test_everything_can_be_reached_by_keyboard(visit):
    page = visit().page
    reached = set()
    page.focus("#t2-prompt textarea")
    for _ in range(60):
        page.keyboard.press("Tab")
        here = "document.activeElement"
        reached.add(page.evaluate(f"{here}.closest('[id^=t2-]')?.id + ' ' + {here}.className"))
    words = " ".join(reached)
    for needed in ("t2-ask", "t2-everybody", "t2-examples", "t2-random"):
        assert needed in words, needed


def test_every_control_has_a_name(visit):
    page = visit().page
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.wait_for_timeout(300)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('#t2-main button, #t2-main input, #t2-main textarea, .t2-theme')]
        .filter(e => e.offsetParent && e.type !== 'file' && !(e.innerText || '').trim())
        .filter(e => !e.getAttribute('aria-label') && !e.labels?.length).map(e => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


def test_an_outage_and_the_reload_after_it_lose_nothing_that_was_typed(visit):
    """gradio hears no change without a line, and loads the page again as soon as there is one."""
    visitor = visit()
    page = visitor.page
    page.click("#t2-tab-mix-button")
    page.locator("#t2-alpha-1 [type=number]").wait_for()
    page.fill("#t2-prompt textarea", "Anna has 12 pens")
    page.wait_for_function("() => location.search.includes('pens')")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    fast = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    line.send("Network.emulateNetworkConditions", {**fast, "offline": True})
    page.locator("#t2-prompt textarea").focus()
    page.keyboard.press("End")
    page.keyboard.type(" and buys 3", delay=60)
    page.wait_for_selector("text=Connection to the server was lost")
    page.keyboard.type(" more?", delay=20)
    page.locator("#t2-alpha-1 [type=number]").click()
    page.keyboard.press("Control+a")
    page.keyboard.type("0.7")
    page.click("#t2-tab-search-button")
    page.click("#t2-tab-talk-button")
    page.locator("#t2-talk-message textarea").click()
    page.keyboard.type("Is anybody there?")
    page.evaluate("window.before = true")
    line.send("Network.emulateNetworkConditions", {**fast, "offline": False})
    page.wait_for_function("() => window.before === undefined")  # gradio has loaded the page again
    page.wait_for_selector("#t2-ask:not([disabled])")
    page.wait_for_function("() => document.querySelector('#t2-prompt textarea').value === 'Anna has 12 pens and buys 3 more?'")
    page.click("#t2-tab-talk-button")
    page.wait_for_function("() => document.querySelector('#t2-talk-message textarea').value === 'Is anybody there?'")
    page.click("#t2-tab-mix-button")
    page.wait_for_function("() => document.querySelector('#t2-alpha-1 [type=number]').value === '0.7'")
    page.wait_for_function("() => location.search.includes('more') && location.search.includes('0.7')")
    visitor.errors.clear()  # what Chromium says about the missing line


def test_a_table_of_examples_outlives_a_reload(visit):
    page = visit().page
    page.click("#t2-tab-search-button")
    page.locator("#t2-search-source label", has_text="my own").click()
    page.locator("#t2-search-table textarea").first.fill("7 + 5?")
    page.locator("#t2-search-table textarea").nth(1).fill("12")
    page.reload()
    page.wait_for_selector("#t2-ask:not([disabled])")
    page.click("#t2-tab-search-button")
    page.locator("#t2-search-source label", has_text="my own").click()
    page.wait_for_function("() => document.querySelector('#t2-search-table textarea')?.value === '7 + 5?'")
    assert page.locator("#t2-search-table textarea").nth(1).input_value() == "12"
