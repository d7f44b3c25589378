"""Several models on one server: the menu, and a page per model that does all that the only page of one model does."""

import argparse
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import free_port
from tests.conftest import save_experts

STATE = "?prompt=Anna+has+12+pens.&seed=7&temperature=0.5&mix=math%3D0.4%2Cshared%3D0.2&tab=mix&mode=expert"


@pytest.fixture(scope="module")
def server(tiny_llava_dir, tiny_lm_dir, tmp_path_factory):
    """(address, the running page) of two models whose experts lie in one folder."""
    from t2ui.ui import flags, serve

    experts = save_experts(tiny_llava_dir, tmp_path_factory.mktemp("both"), ("math", "shared"))
    save_experts(tiny_lm_dir, experts, ("words",))
    parser, port = argparse.ArgumentParser(), free_port()
    flags.add_flags(parser)
    words = ["--models", f"{tiny_llava_dir},{tiny_lm_dir}", "--experts", str(experts), "--device", "cpu", "--no-browser"]
    demo = serve.start(parser.parse_args(words), port)
    yield f"http://127.0.0.1:{port}", demo
    serve.close(demo)


def query(page):
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def row(page, n):
    return page.locator("#t2-models li").nth(n)


def choose(page, n):
    if page.locator("#t2-models details").get_attribute("open") is None:
        page.click("#t2-models summary")
    row(page, n).locator("a").click()
    page.wait_for_selector("#t2-ask:not([disabled])")


def test_the_other_model_is_loaded_by_its_first_visitor_and_gets_the_state(server, visit):
    address, demo = server
    first, second = demo.t2ui_backends
    page = visit(address + "/" + STATE).page
    page.wait_for_function("() => document.querySelector('#t2-alpha-0 input[type=number]').value === '0.4'")
    page.click("#t2-models summary")
    page.wait_for_selector("#t2-models li:first-child [data-state=ready]")
    assert [row(page, n).inner_text().split("\n") for n in (0, 1)] == [
        [first.info.name, "loaded"], [second.options.model.rsplit("/", 1)[-1], "loaded when you open it"]
    ]  # fmt: skip
    assert row(page, 0).locator("a").get_attribute("aria-current") == "page" and not second.begun
    page.keyboard.press("Escape")
    assert not page.locator("#t2-models details").get_attribute("open")

    choose(page, 1)
    assert urlsplit(page.url).path == f"/m/{next(iter(demo.t2ui_mounts.apps))}/" and second.state == "ready"
    assert page.input_value("#t2-prompt textarea") == "Anna has 12 pens." and page.is_visible("#t2-mix-answer")
    page.locator("#t2-settings > button").click()
    assert page.input_value("#t2-seed input") == "7"
    assert page.locator("[id^=t2-alpha-]:visible").count() == 1 and "words" in page.inner_text("#t2-alpha-0")
    said = page.inner_text("#t2-link-notice") + page.inner_text("#t2-question-notice")
    assert "no expert math" in said and "no expert shared" in said
    page.click("#t2-models summary")
    page.wait_for_function("() => document.querySelectorAll('#t2-models [data-state=ready]').length === 2")

    choose(page, 0)  # and back again, by an address that knows no mix of the first model any more
    assert urlsplit(page.url).path == "/" and query(page)["prompt"] == "Anna has 12 pens." and query(page)["seed"] == "7"
    page.click("#t2-models summary")
    page.wait_for_function("() => document.querySelectorAll('#t2-models [data-state=ready]').length === 2")


def test_a_depth_profile_stays_behind_and_it_is_said(server, visit):
    address, _ = server
    page = visit(address + "/?mix=math%3D0.4&depth=%5B%5B1,0.5,0%5D,%5B1,1,1%5D%5D&tab=mix").page
    page.wait_for_function("() => document.querySelector('#t2-alpha-0 input[type=number]').value === '0.4'")
    assert page.locator("#t2-link-notice .t2-notice").count() == 0 and "depth" in query(page)
    choose(page, 1)
    page.wait_for_selector("#t2-link-notice .t2-notice")
    assert "depth was left out" in page.inner_text("#t2-link-notice") and "other model" in page.inner_text("#t2-link-notice")


def test_a_refused_expert_leads_to_its_own_models_page(server, visit):
    address, demo = server
    page = visit(address + "/?seed=7&tab=mix&mode=expert").page
    link = page.locator("#t2-refused a")
    assert link.count() == 1 and "open its page" in link.inner_text()
    page.click("#t2-refused summary")
    assert "expected" in page.inner_text("#t2-refused details")  # the reason in full
    link.click()
    page.wait_for_selector("#t2-ask:not([disabled])")
    assert "/m/" in page.url and query(page)["seed"] == "7"
    assert page.locator("#t2-refused a").count() == 2  # math and shared, of the first one


def test_everything_works_below(server, visit, tmp_path):
    """Answers, chart, texts to take along, run file and report on a page that is not the first."""
    address, demo = server
    second = demo.t2ui_backends[1]
    visitor = visit(f"{address}/m/{next(iter(demo.t2ui_mounts.apps))}/?mode=expert")
    page = visitor.page
    visitor.ask("Anna has 12 pens. How many?", "#t2-everybody").wait()
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.wait_for_selector(".t2-plot .heatmaplayer", state="attached")  # plotly came by a relative address
    page.fill("#t2-alpha-0 input[type=number]", "0.5")
    page.keyboard.press("Tab")
    page.wait_for_function("() => new URLSearchParams(location.search).get('mix') === 'words=0.5'")
    visitor.ask(None, "#t2-mix-answer").wait(where="#t2-mix-answers")
    page.click("#t2-take > button")
    for kind in ("python", "command"):
        page.click(f"#t2-take-{kind}")
        page.wait_for_function("w => (document.querySelector('#t2-taken pre')?.textContent || '').includes(w)", arg=second.info.name)
        assert "words" in page.inner_text("#t2-taken pre")
    page.click("#t2-take-link")
    page.wait_for_function("() => (document.querySelector('#t2-taken pre')?.textContent || '').includes('/m/')")
    page.click("#t2-keep > button")
    files = {}
    for kind in ("save", "report"):
        with page.expect_download() as download:
            page.click(f"#t2-keep-{kind}")
        files[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(files[kind])
    assert json.loads(files["save"].read_text())["about"]["model"] == second.info.name
    assert second.info.name in files["report"].read_text()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_menu_fits_and_is_reached_by_keyboard(server, visit, width, scheme):
    page = visit(server[0] + "/?mode=expert", width=width, scheme=scheme).page
    page.focus("#t2-models summary")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('#t2-models a')")
    box = page.locator(".t2-models-box").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.mouse.click(width - 5, 400)
    assert not page.locator("#t2-models details").get_attribute("open")


def test_one_model_has_no_menu(visit):
    assert visit().page.locator("#t2-models").count() == 0
