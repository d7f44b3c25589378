"""The depth profile in a browser: the preview stays exact while its points are dragged, and nothing is asked of the server."""

import json

import pytest

PLOT = ".t2-plot"


def total(page) -> float:
    return float(page.get_attribute(PLOT, "data-total"))


@pytest.fixture
def mixing(visit):
    visitor = visit()
    page = visitor.page
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.wait_for_selector(f"{PLOT} .heatmaplayer", timeout=20_000, state="attached")
    page.fill("#t2-alpha-0 input[type=number]", "0.8")
    page.keyboard.press("Tab")
    page.locator("#t2-depth-box button").first.click()
    page.wait_for_selector("#t2-depth input")
    return visitor


def point(page, i: int, j: int):
    return page.locator(f'#t2-depth input[data-expert="{i}"][data-point="{j}"]')


def test_points_are_exact_ask_nothing_and_come_back(mixing, backend):
    page = mixing.page
    page.wait_for_timeout(700)
    plain, asked = total(page), len(mixing.requests)
    box = point(page, 0, 2).bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    for i in range(10):
        page.mouse.move(box["x"] + (box["width"] - 8) * (9 - i) / 9, box["y"] + box["height"] / 2)
        page.wait_for_timeout(40)
    page.mouse.up()
    page.wait_for_timeout(300)
    assert point(page, 0, 2).input_value() == "0" and mixing.requests[asked:] == [] and total(page) < plain
    assert "mean over the layers" in mixing.text("#t2-share")

    # what is drawn is what the weights become: the engine's own |dW| / |W| of this mix
    state = json.dumps([[1, 1, 0], *[[1, 1, 1] for _ in backend.names[1:]]])
    mix = backend.mix([0.8, *[0.0] * (len(backend.names) - 1), state])
    assert mix.per_layer
    loaded = backend.engine.loaded
    scale = loaded.stack.scale([mix])[0]
    sigma = loaded.adapted.sigma
    assert total(page) == pytest.approx(float((scale - sigma).norm() / sigma.norm()), abs=2e-5)

    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    page.click("#t2-mix-answer")
    mixing.wait(where="#t2-mix-answers")
    assert f"{100 * total(page):.1f} %" in mixing.text("#t2-mix-answers [data-row=mix]")
    assert "depth=" in page.url

    page.click(".t2-depth-reset")
    page.wait_for_function(f"x => Math.abs(Number(document.querySelector('{PLOT}').dataset.total) - x) < 1e-6", arg=plain)
    page.locator("#t2-history button", has_text="Load").first.click()
    page.wait_for_function("document.querySelector('#t2-depth input[data-point=\"2\"]').value === '0'")
    page.wait_for_function(f"x => Number(document.querySelector('{PLOT}').dataset.total) < x", arg=plain)
    page.locator("#t2-presets button", has_text="Base").click()  # a ready-made mix is the same in all layers
    page.wait_for_function("document.querySelector('#t2-depth input[data-point=\"2\"]').value === '100'")


def test_the_browser_interpolates_as_the_engine_does(mixing):
    from t2ui.core.depth import along

    for points in ([1, 0.5, 0], [0.2, 1, 0.3], [0, 0, 1]):
        for n in (1, 2, 3, 4, 9):
            found = mixing.page.evaluate(
                "([p, n]) => { window.t2ui.depth = [p]; return [...Array(n).keys()].map((l) => window.t2ui.weight(0, l, n)); }",
                [points, n],
            )
            assert found == pytest.approx(along(points, n))
