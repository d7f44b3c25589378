"""A sweep in a browser: the map fills, a cell loads its mix, Stop keeps what was measured."""

import json


def test_sweep_and_load(visit):
    visitor = visit()
    page = visitor.page
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.wait_for_selector("#t2-score-start:not([disabled])", timeout=20_000)
    page.locator("#t2-sweep button").first.click()
    page.wait_for_selector("#t2-sweep-family input")
    page.click("#t2-sweep-family input")  # the tiny model's context is too short for questions with pictures
    page.get_by_role("option", name="math", exact=True).click()
    page.click("#t2-sweep-start")
    page.wait_for_selector("#t2-sweep-map [data-stage=done]", timeout=90_000)
    cells = page.locator("#t2-sweep-map .t2-heat")
    assert cells.count() == 25 and "8 questions each" in visitor.text("#t2-sweep-map")
    first = json.loads(cells.nth(7).get_attribute("data-pick"))["mix"]
    cells.nth(7).click()
    page.wait_for_function("v => Number(document.querySelector('#t2-alpha-0 input[type=number]').value) === v", arg=first[0])
    shown = [float(page.input_value(f"#t2-alpha-{i} input[type=number]")) for i in range(3)]
    assert shown == first and sum(v > 0 for v in first) == 2

    page.get_by_label("32", exact=True).check()
    page.wait_for_selector("#t2-sweep-start:not([disabled])")
    page.click("#t2-sweep-start")
    page.wait_for_selector("#t2-sweep-map [data-stage=scoring]", timeout=60_000)
    page.click("#t2-sweep-stop")
    page.wait_for_selector("#t2-sweep-map [data-stage=stopped]", timeout=30_000)
    assert cells.count() == 25
