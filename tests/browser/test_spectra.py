"""Spectra in a browser: repainted while a slider moves, opened by click and keyboard, exported as it is drawn."""

import csv
import io
import json

import pytest

MAP, CURVE = "#t2-spectra-map .t2-plot", "#t2-spectra-matrix [data-name=singular-values] .t2-plot"


@pytest.fixture
def spectra(visit):
    visitor = visit()
    page = visitor.page
    page.get_by_role("tab", name="Spectra", exact=True).click()
    page.wait_for_selector("#t2-spectra-lora .scatterlayer", timeout=30_000, state="attached")
    page.wait_for_selector(f"{MAP} .heatmaplayer", timeout=30_000, state="attached")
    return visitor


def drawn(page, selector: str) -> list[dict]:
    """What Plotly holds: type, name, x, y, z of every trace."""
    script = "s => document.querySelector(s).data.map(({type, name, x, y, z}) => ({type, name, x: x && [...x], y: y && [...y], z}))"
    return page.evaluate(script, selector)


def download(page, selector: str, do: str) -> bytes:
    with page.expect_download(timeout=30_000) as waiting:
        page.locator(f"{selector} [data-do={do}]").first.click()
    assert waiting.value.suggested_filename.endswith("." + do)
    with open(waiting.value.path(), "rb") as file:
        return file.read()


def table(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode())))


def test_a_slider_repaints_map_and_matrix_without_a_request(spectra, backend):
    page = spectra.page
    page.wait_for_timeout(500)
    asked = len(spectra.requests)
    slider = page.locator("#t2-spectra-strip input").nth(0)
    box = slider.bounding_box()
    before = int(page.get_attribute(MAP, "data-repaints"))
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    for i in range(1, 11):
        page.mouse.move(box["x"] + 8 + i * (box["width"] - 16) / 10, box["y"] + box["height"] / 2)
        page.wait_for_timeout(60)
    assert spectra.requests[asked:] == [] and int(page.get_attribute(MAP, "data-repaints")) > before
    page.mouse.up()
    page.wait_for_function("window.t2ui.alphas[0] === 1")
    mix = backend.mix([1.0])
    from t2ui.core import change, spectrum

    loaded = backend.engine.loaded
    columns = change(loaded.adapted, loaded.stack.z(mix))
    z = [v for row in drawn(page, MAP)[0]["z"] for v in row]
    assert z == pytest.approx(columns["dw_rel"], rel=1e-3)
    found = spectrum(loaded.adapted, page.inner_text("#t2-spectra-matrix [data-part=name]"), loaded.stack.z(mix))
    sigma, after, factors = drawn(page, CURVE)
    assert after["y"] == pytest.approx(found["sigma2"], rel=1e-3) and factors["y"] == pytest.approx(found["z"], rel=1e-3)
    page.locator("#t2-spectra-measure label", has_text="mean of z").click()  # other measures, in the browser too
    page.wait_for_function(f"document.querySelector('{MAP}').data[0].zmin < 0")
    z = [v for row in drawn(page, MAP)[0]["z"] for v in row]
    assert z == pytest.approx(columns["mean"], abs=1e-4)
    page.get_by_role("tab", name="Mix", exact=True).click()  # the Mix tab's sliders have followed
    page.wait_for_function("document.querySelector('#t2-alpha-0 input[type=number]').value === '1'")


def test_keyboard_component_and_the_answer_without_it(spectra):
    page = spectra.page
    page.focus(MAP)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert "layer 1, k" in page.inner_text("#t2-spectra-map .t2-plot-alt")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#t2-spectra-matrix [data-part=name]').innerText.endsWith('1.self_attn.k_proj')")
    assert "=" in page.inner_text("#t2-spectra-matrix [data-part=numbers]")
    page.fill("#t2-component-index input", "3")
    page.click("#t2-component-look")
    page.wait_for_selector('.t2-component[data-over="true"][data-index="3"]', timeout=60_000)
    assert "attention heads" in page.inner_text("#t2-component-view") and page.locator(".t2-excited li").count() == 8
    page.fill("#t2-prompt textarea", "Start with 9, add 4. What do you get?")
    page.click("#t2-component-off")
    page.wait_for_selector('#t2-component-answers .t2-answers[data-stage="done"]', timeout=60_000, state="attached")
    assert page.locator("#t2-component-answers .t2-answer").count() == 2
    page.fill("#t2-component-index input", "9999")
    page.click("#t2-component-look")
    page.wait_for_selector("#t2-component-notice [role=alert]")


def test_every_chart_exports_what_it_draws(spectra):
    page = spectra.page
    page.locator("#t2-spectra-strip input").nth(1).fill("0.7")
    page.wait_for_timeout(800)
    rows = table(download(page, "#t2-spectra-map", "csv"))
    trace = drawn(page, MAP)[0]
    assert rows[0][1:] == trace["x"] and [row[0] for row in rows[1:]] == trace["y"]
    assert [[float(v) for v in row[1:]] for row in rows[1:]] == trace["z"]
    rows = table(download(page, "#t2-spectra-matrix [data-name=singular-values]", "csv"))
    traces = drawn(page, CURVE)
    assert rows[0][1:] == [t["name"] for t in traces]
    assert [float(row[2]) for row in rows[1:]] == traces[1]["y"] and len(rows) == len(traces[0]["x"]) + 1
    charts = page.locator(".t2-chart:visible")
    assert charts.count() == 6
    for i in range(charts.count()):
        name = charts.nth(i).get_attribute("data-name")
        where = f".t2-chart[data-name={name}]"
        page.wait_for_timeout(1_200)  # more than ten downloads within a few seconds are too many for Chromium
        svg = download(page, where, "svg").decode()
        assert svg.startswith("<svg") and "http://127" not in svg and "xmlns" in svg, name  # it stands alone
        assert download(page, where, "png").startswith(b"\x89PNG"), name
        assert len(table(download(page, where, "csv"))) > 1, name
    page.locator("#t2-spectra-map [data-do=full]").click()
    page.wait_for_function("document.fullscreenElement && document.fullscreenElement.dataset.name === 'spectra'")
    page.locator("#t2-spectra-map [data-do=full]").click()
    page.wait_for_function("!document.fullscreenElement")


def test_colour_bars_keep_their_colours_when_the_address_changes(spectra):
    page = spectra.page
    page.fill("#t2-prompt textarea", "Another question?")  # written into the address
    page.wait_for_function("location.search.includes('Another')")
    fills = page.evaluate("[...document.querySelectorAll('.cbfill')].filter(e => e.getBoundingClientRect().width).map(e => e.style.fill)")
    assert fills and all(f.startswith('url("#') for f in fills), json.dumps(fills)
    assert page.evaluate("""() => [...document.querySelectorAll('.cbfill')].every(
        e => document.querySelector(e.style.fill.slice(5, -2)))""")
