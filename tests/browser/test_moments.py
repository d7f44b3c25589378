"""A demo on the shipped model: the first thirty seconds, the five moments from start to end, and what is shown where one fails."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from t2ui import recorded
from t2ui.rehearsal import address, play
from t2ui.ui.backend import Backend, Options
from t2ui.ui.serve import RECORDED

ROOT = Path(__file__).parents[2]
SHIPPED = Options(str(ROOT / "assets" / "demo-model"), str(ROOT / "experts"), "cpu")
PATIENCE = 240  # seconds: a busy machine is slow, and what is asserted does not depend on it
TAB = "#t2-tab-{}-button"


@pytest.fixture(scope="module")
def shipped(serve):
    """The page as it is shipped, with the real model."""
    backend = Backend(SHIPPED)
    backend.start()
    return serve(backend, recorded.load(RECORDED))


def alphas(page):
    return page.evaluate("window.t2ui.alphas.slice(0, 4)")


def test_the_first_thirty_seconds(serve, visit):
    """A stored run at once; a question of one's own, live; a slider that moves the map; the same page again by its address."""
    backend = Backend(SHIPPED)
    visitor = visit(serve(backend, recorded.load(RECORDED)), ready=False)
    page = visitor.page
    assert "recorded" in visitor.text("#t2-recorded .t2-chip") and "math" in page.get_attribute("#t2-flow figure", "aria-label")
    assert page.locator("#t2-answers .t2-answer").nth(0).locator(".t2-wrong").count() == 1
    assert page.locator("#t2-answers .t2-answer").nth(1).locator(".t2-right").count() == 1
    backend.start()
    page.wait_for_selector("#t2-ask:not([disabled])", timeout=1000 * PATIENCE)
    page.locator(".t2-example:visible").first.click()
    page.wait_for_function("old => document.querySelector('#t2-prompt textarea').value !== old", arg=recorded.load(RECORDED).run.prompt)
    prompt = page.input_value("#t2-prompt textarea")
    visitor.ask(None)
    page.wait_for_selector("#t2-recorded .t2-chip", state="detached")  # live now
    page.wait_for_selector('#t2-answers .t2-answers[data-stage="done"]', timeout=1000 * PATIENCE, state="attached")
    page.click(TAB.format("mix"))
    page.wait_for_selector(".t2-plot .heatmaplayer", state="attached")
    page.focus("#t2-alpha-1 input[type=range]")
    asked = len(visitor.requests)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("Number(document.querySelector('.t2-plot').dataset.total) > 0")
    assert visitor.requests[asked:] == []
    page.wait_for_function("new URLSearchParams(location.search).get('mix') === 'code=0.05'")
    other = visit(page.url).page
    assert other.input_value("#t2-prompt textarea") == prompt
    other.wait_for_function("document.querySelector('#t2-alpha-1 input[type=number]').value === '0.05'")


def test_the_five_moments(shipped, visit):
    """The presenter's storyline, step by step, every one live; what each shows is looked at when it has ended."""
    visitor = visit(address(shipped, limit=PATIENCE), ready=None, width=1280, height=720)
    page, seen = visitor.page, {}
    for report in play(page, PATIENCE):
        seen[report.key] = report
        assert report.how == ("none" if report.key == "title" else "live"), report
        assert report.clipped == "" and page.inner_text("#t2-bar .t2-say"), report
        check = globals().get(f"look_{report.key}")
        if check:
            check(page)
    assert [r.moment for r in seen.values()] == [0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5]
    there = page.inner_text("#t2-bar .t2-say-more")  # and the address opens identically on a phone
    phone = visit(there, width=390, height=844).page
    assert "present" not in there and phone.is_visible("#t2-spectra-strip")
    phone.click(TAB.format("mix"))
    phone.wait_for_selector("#t2-alpha-0 input[type=number]")
    assert alphas(phone) == [1, 0, 0, 0]
    assert phone.input_value("#t2-prompt textarea") == page.input_value("#t2-prompt textarea")
    page.keyboard.press("Escape")  # the page as it was, ready for questions
    assert page.locator("#t2-bar").count() == 0 and "present" not in page.url and page.is_visible("#t2-prompt textarea")


def look_ask(page):
    assert page.locator("#t2-answers [data-row=base] .t2-wrong").count() == 1
    assert page.locator("#t2-answers [data-row=dispatch] .t2-right").count() == 1
    times = page.locator("#t2-flow .t2-wide .t2-ms")
    assert times.count() == 2 and all(re.fullmatch(r"[\d.]+ m?s", text) for text in times.all_text_contents())


def look_overrule(page):
    assert page.locator("#t2-answers [data-row=overrule] .t2-wrong").count() == 1


def look_slide(page):
    assert int(page.get_attribute("#t2-map .t2-plot", "data-repaints")) >= 10 and alphas(page) == [1, 0, 0, 0]


def look_mix(page):
    total = float(page.get_attribute("#t2-map .t2-plot", "data-total"))
    assert f"{100 * total:.1f} %" in page.inner_text("#t2-mix-answers [data-row=mix] .t2-proof")
    assert page.locator("#t2-mix-answers [data-row=mix] mark").count() >= 1


def look_held(page):
    right = {}
    for name in ("base", "found"):
        text = page.locator(f'#t2-search-result [data-cell="{name}"]').last.inner_text()
        right[name] = int(re.search(r"(\d+) %", text)[1])
    assert right["found"] >= right["base"] + 50


def look_found(page):
    shown = [float(x) for x in re.findall(r"\d\.\d\d", page.text_content("#t2-search-result .t2-alphas"))]
    assert alphas(page) == pytest.approx(shown, abs=0.006) and page.is_visible("#t2-mix-answer")


def look_sweep(page):
    cells = page.locator("#t2-sweep-map .t2-heat")
    assert cells.count() == 25 and page.locator("#t2-sweep-map .t2-best").count() == 1


def look_best(page):
    wanted = json.loads(page.get_attribute("#t2-sweep-map .t2-best", "data-pick"))["mix"]
    assert alphas(page) == wanted and sum(v > 0 for v in wanted) == 2  # the sweet spot needs both


def look_card(page):
    assert page.evaluate("document.querySelector('#t2-spectra-map .t2-plot').data[0].z.flat().length") == 42
    assert re.search(r"\d\.\d+ × \d\.\d+ = \d\.\d+", page.inner_text("#t2-spectra-matrix"))


def test_a_live_step_that_takes_too_long_shows_the_recorded_one_and_the_keys_work(shipped, visit, monkeypatch):
    from t2ui.engine.scheduler import Scheduler

    fast = Scheduler.turn
    monkeypatch.setattr(Scheduler, "turn", lambda self: (time.sleep(0.4), fast(self)))
    page = visit(address(shipped, limit=1), ready=None).page
    page.wait_for_selector(":root[data-t2-step=title]", timeout=1000 * PATIENCE, state="attached")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(":root[data-t2-step=ask][data-t2-how=recorded]", state="attached")
    monkeypatch.undo()
    assert "recorded" in page.inner_text("#t2-bar .t2-how") and "recorded on" in page.inner_text("#t2-panel")
    assert page.locator("#t2-panel [data-row=dispatch] .t2-right").count() == 1
    page.keyboard.press("b")
    assert page.is_visible("#t2-black")
    page.keyboard.press("b")
    assert not page.is_visible("#t2-black")
    page.keyboard.press("PageUp")
    page.wait_for_selector(":root[data-t2-step=title]", state="attached")
    assert not page.is_visible("#t2-panel")


def test_the_command_rehearses_without_a_model(serve, tmp_path):
    """Only what was recorded, on a large screen, on a page whose model never comes."""
    url = serve(Backend(SHIPPED), recorded.load(RECORDED))
    run = subprocess.run([sys.executable, "-m", "t2ui", "rehearse", "--recorded", "--size", "1920x1080", "--url", url, "--json",
                          str(tmp_path / "told.json")], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    how = {step["key"]: step["how"] for step in told["steps"]["1920x1080"]}
    assert told["passed"] and how.pop("title") == "none" and how.pop("slide") == "live" and how.pop("link") == "live"
    assert set(how.values()) == {"recorded"} and "pass: 12 steps, 9 of them recorded" in run.stdout


@pytest.mark.parametrize("view", ["flow", "mix", "search", "spectra"])
def test_one_view_for_a_slide(visit, url, view):
    shows = {"flow": "#t2-flow", "mix": "#t2-map", "search": "#t2-search-view", "spectra": "#t2-spectra-map .t2-plot[data-repaints]"}
    page = visit(f"{url}/?embed={view}&mix=code%3D0.4", ready=False, width=390, height=700).page
    page.wait_for_selector(shows[view])
    for other, selector in shows.items():
        assert page.is_visible(selector) == (other == view), other
    assert not page.is_visible(".t2-header") and not page.is_visible("#t2-take")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "embed" not in page.get_attribute(".t2-embed-open", "href") and "mix=code" in page.get_attribute(".t2-embed-open", "href")
