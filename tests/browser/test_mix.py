"""Mixing in a browser: the change map moves with the slider, without the server."""

import pytest

PLOT = ".t2-plot"


def repaints(page) -> int:
    return int(page.get_attribute(PLOT, "data-repaints") or 0)


def total(page) -> float:
    return float(page.get_attribute(PLOT, "data-total"))


@pytest.fixture
def mixing(visit):
    visitor = visit()
    page = visitor.page
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.wait_for_selector(f"{PLOT} .heatmaplayer", timeout=20_000, state="attached")
    return visitor


def preset(page, name: str) -> None:
    before = repaints(page)
    page.locator("#t2-presets button", has_text=name).first.click()
    page.wait_for_function(f"n => Number(document.querySelector('{PLOT}').dataset.repaints) > n", arg=before)


def test_dragging_repaints_without_a_request(mixing):
    page = mixing.page
    slider = page.locator("#t2-alpha-0 input[type=range]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    page.wait_for_timeout(300)
    before, asked = repaints(page), len(mixing.requests)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, y)
    page.mouse.down()
    totals = []
    for i in range(1, 21):
        page.mouse.move(box["x"] + 8 + i * (box["width"] - 16) / 20, y)
        page.wait_for_timeout(40)
        totals.append(total(page))
    page.mouse.up()
    page.wait_for_timeout(200)
    assert mixing.requests[asked:] == []
    assert repaints(page) - before >= 10
    assert totals == sorted(totals) and totals[-1] > 0.1
    assert "1 − 1.00 = 0.00" in mixing.text("#t2-share")


def test_the_browser_computes_what_the_engine_applies(mixing, backend):
    """The total on the page is |dW| / |W| of the weights themselves."""
    page = mixing.page
    page.fill("#t2-alpha-0 input[type=number]", "0.6")
    page.fill("#t2-alpha-1 input[type=number]", "0.3")
    page.keyboard.press("Tab")
    page.wait_for_timeout(500)
    shown = [float(page.input_value(f"#t2-alpha-{i} input[type=number]")) for i in range(3)]
    page.click("#t2-mix-answer")
    mixing.wait(where="#t2-mix-answers")
    assert shown[:2] == [0.6, 0.3]
    assert f"{100 * total(page):.1f} %" in mixing.text("#t2-mix-answers [data-row=mix]")


def test_number_box_keyboard_and_reset_repaint_too(mixing):
    page = mixing.page
    page.fill("#t2-alpha-1 input[type=number]", "0.5")
    page.keyboard.press("Tab")
    page.wait_for_function(f"Number(document.querySelector('{PLOT}').dataset.total) > 0.01")
    half = total(page)
    page.focus("#t2-alpha-1 input[type=range]")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"x => Number(document.querySelector('{PLOT}').dataset.total) > x", arg=half)
    page.locator("#t2-alpha-1 .reset-button").click()
    page.wait_for_function(f"Number(document.querySelector('{PLOT}').dataset.total) === 0")
    assert page.input_value("#t2-alpha-1 input[type=number]") == "0"


def test_presets(mixing):
    page = mixing.page

    def alphas():
        return [float(page.input_value(f"#t2-alpha-{i} input[type=number]")) for i in range(3)]

    preset(page, "code")
    assert alphas() == [0, 1, 0]
    preset(page, "All at 1")
    assert alphas() == [1, 1, 1] and "overdone" in mixing.text("#t2-share")
    preset(page, "Base")
    assert alphas() == [0, 0, 0]
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    page.locator("#t2-presets button", has_text="Dispatch").click()
    page.wait_for_timeout(1_000)
    assert sorted(alphas()) in ([0, 0, 1], [0, 0, 0])
    assert page.locator("#t2-mix-notice [role=alert]").count() == 0


def test_answers_under_the_mix(mixing):
    page = mixing.page
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    preset(page, "math")
    page.click("#t2-mix-answer")
    mixing.wait(where="#t2-mix-answers")
    assert page.locator("#t2-mix-answers .t2-verdict").count() == 2
    assert "math\u00a01.00" in mixing.text("#t2-mix-answers [data-row=mix]")


def test_a_wider_range_is_unlocked_and_locked_again(mixing):
    page = mixing.page
    page.check("#t2-wide input")
    page.wait_for_selector('#t2-alpha-0 input[type=range][min="-1"][max="2"]')
    page.fill("#t2-alpha-0 input[type=number]", "1.5")
    page.keyboard.press("Tab")
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    page.click("#t2-mix-answer")
    mixing.wait(where="#t2-mix-answers")
    assert "math\u00a01.50" in mixing.text("#t2-mix-answers [data-row=mix]")
    page.uncheck("#t2-wide input")
    page.wait_for_selector('#t2-alpha-0 input[type=range][max="1"]')
    page.wait_for_function("document.querySelector('#t2-alpha-0 input[type=number]').value === '1'")


def test_the_map_follows_light_and_dark(mixing):
    page = mixing.page
    preset(page, "code")
    colour = "getComputedStyle(document.querySelector('.t2-plot .xtick text')).fill"
    light, before = page.evaluate(colour), repaints(page)
    page.click(".t2-theme")
    page.wait_for_function(f"n => Number(document.querySelector('{PLOT}').dataset.repaints) > n", arg=before)
    assert page.evaluate(colour) != light
    page.reload()
    page.wait_for_selector("#t2-flow svg", state="attached")
    page.wait_for_function("document.body.classList.contains('dark')")  # remembered


def test_shares_that_add_up_to_one_make_room_for_each_other(mixing):
    page = mixing.page

    def alphas():
        return [float(page.input_value(f"#t2-alpha-{i} input[type=number]")) for i in range(3)]

    page.check("#t2-to-one input")
    page.wait_for_function("document.querySelector('#t2-alpha-1 input[type=number]').value > 0")
    assert sum(alphas()) == pytest.approx(1) and max(alphas()) - min(alphas()) <= 0.0101
    page.wait_for_timeout(300)
    asked = len(mixing.requests)
    page.focus("#t2-alpha-0 input[type=range]")
    for _ in range(16):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    moved = alphas()
    assert moved[0] == pytest.approx(0.5) and sum(moved) == pytest.approx(1) and abs(moved[1] - moved[2]) <= 0.0101
    assert mixing.requests[asked:] == [] and "1 − 1.00 = 0.00" in mixing.text("#t2-share")
    preset(page, "All at 1")  # a chosen mix stays what it is: the switch goes off
    page.wait_for_function("!document.querySelector('#t2-to-one input').checked")
    assert alphas() == [1, 1, 1]


def test_spread_keeps_sum_and_bounds(mixing):
    cases = [([0.2, 0.6], 0.4, 0, 1), ([0, 0, 0], 1, 0, 1), ([1, 1], -1, -1, 2), ([2, 2, 0], 1, -1, 2), ([0.5, -0.5], 2, -1, 2)]
    for values, rest, low, high in cases:
        out = mixing.page.evaluate("a => window.t2ui.spread(...a)", [values, rest, low, high])
        assert sum(out) == pytest.approx(rest) and all(low <= v <= high for v in out), (values, out)
    assert mixing.page.evaluate("window.t2ui.spread([0.2, 0.6], 0.4, 0, 1)") == [0.1, 0.3]
