"""The page's state in its address: written while one works, the same on another machine, nothing in it is trusted."""

from urllib.parse import parse_qs, urlencode, urlsplit

from tests.browser.conftest import Visitor

EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
VALUE = "input[type=number]"


def query(page):
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def wait_for(page, key, value):
    page.wait_for_function("([k, v]) => new URLSearchParams(location.search).get(k) === v", arg=[key, value])


def work_on(page):
    """A visitor asks, picks a picture, sets numbers and a mix; every step is seen in the address."""
    assert query(page) == {}  # nothing is written before somebody does something
    page.fill("#t2-prompt textarea", "How many red circles are there?")
    wait_for(page, "prompt", "How many red circles are there?")
    page.locator("#t2-picture-box > button").click()
    page.locator(".t2-thumb").nth(2).click()
    wait_for(page, "picture", "3")
    page.locator("#t2-settings > button").click()
    page.fill(f"#t2-temperature {VALUE}", "0.5")
    page.fill("#t2-seed input", "7")
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.fill(f"#t2-alpha-1 {VALUE}", "0.4")
    page.keyboard.press("Tab")
    for key, value in (("mix", "code=0.4"), ("tab", "mix"), ("seed", "7"), ("temperature", "0.5")):
        wait_for(page, key, value)


def test_an_address_opens_the_same_elsewhere(visit, url):
    page = visit().page
    work_on(page)
    address = page.url

    other = visit(url + "/?" + urlsplit(address).query, width=390, height=844).page
    other.wait_for_selector("#t2-picture img")
    other.wait_for_function("() => document.querySelector('#t2-alpha-1 input[type=number]').value === '0.4'")
    assert other.input_value("#t2-prompt textarea") == "How many red circles are there?"
    assert other.is_visible("#t2-mix-answer")
    other.wait_for_timeout(800)  # what it writes by itself is what it read
    assert query(other) == query(page)
    assert other.locator("#t2-link-notice .t2-notice").count() == 0


def test_what_is_typed_before_the_page_has_read_its_address_reaches_it_too(browser, url):
    visitor = Visitor(browser, url)
    page, held = visitor.page, []
    page.route("**/gradio_api/run/predict", lambda route: route.continue_() if held else held.append(route))
    visitor.open()
    page.fill("#t2-prompt textarea", "How many red circles are there?")
    page.wait_for_timeout(700)
    assert query(page) == {}  # it does not know yet what stands there
    held[0].continue_()
    wait_for(page, "prompt", "How many red circles are there?")
    visitor.context.close()


def test_a_mix_in_the_address_acts_on_a_tab_that_was_never_opened(visit, url):
    visitor = visit(url + "/?mix=code%3D0.4")
    page = visitor.page
    visitor.ask("Start with 9, add 4. What do you get?", "#t2-everybody").wait()
    assert "code\u00a00.40" in page.inner_text('#t2-everybody-table [data-row="mix"] th')
    wait_for(page, "prompt", "Start with 9, add 4. What do you get?")
    assert query(page)["mix"] == "code=0.4"


def test_bad_values_are_left_out_with_a_note(visit, url):
    bad = {"prompt": EVIL, "seed": "x", "mix": f"{EVIL}=1,math=0.5", "strategy": EVIL, "picture": "../../etc/passwd", "tab": EVIL}
    page = visit(url + "/?" + urlencode(bad)).page
    page.wait_for_selector("#t2-link-notice .t2-notice")
    said = page.inner_text("#t2-link-notice")
    for key in ("seed", "strategy", "picture", "tab"):
        assert f"{key} was left out" in said
    assert "There is no expert" in said
    assert page.input_value("#t2-prompt textarea") == EVIL  # typed text, no more
    assert page.evaluate("window.pwned") is None and page.locator("#t2-link-notice img").count() == 0
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")  # and the page works
    page.click("#t2-ask")
    page.wait_for_selector('#t2-answers .t2-answers[data-stage="done"]')


def test_texts_to_take_along_name_what_is_on_the_page(visit):
    page = visit().page
    page.fill("#t2-prompt textarea", f"How many? {EVIL}")
    page.click("#t2-take > button")
    for kind, words in (("python", "load("), ("command", "python -m t2ui ask"), ("link", "prompt=How+many")):
        page.click(f"#t2-take-{kind}")
        page.wait_for_function("w => (document.querySelector('#t2-taken pre')?.textContent || '').includes(w)", arg=words)
    page.wait_for_function("() => document.querySelector('#t2-taken [data-copied]').textContent !== ''")
    assert page.evaluate("window.pwned") is None and page.locator("#t2-taken img").count() == 0
