"""Overruling, searching and looking at spectra in a browser."""

import json
import re
import time

import pytest


def open_tab(page, name):
    page.get_by_role("tab", name=name, exact=True).click()
    page.wait_for_timeout(200)


def finished(page, stage="done", timeout=90_000):
    page.wait_for_selector(f'#t2-search-view .t2-search[data-stage="{stage}"]', timeout=timeout, state="attached")


def test_dispatch_can_be_overruled(visit):
    visitor = visit().ask("Start with 9, add 4. What do you get?").wait()
    page = visitor.page
    old = page.locator("#t2-answers .t2-answer").nth(1).locator(".t2-text").inner_text()
    page.locator("#t2-overrule button", has_text="Base").click()
    page.wait_for_selector('#t2-answers [data-row="overrule"] .t2-verdict', timeout=30_000)
    cards = page.locator("#t2-answers .t2-answer")
    assert cards.nth(0).get_attribute("data-row") == "dispatch" and cards.nth(1).get_attribute("data-row") == "overrule"
    assert cards.nth(0).locator(".t2-text").inner_text() == old
    assert "overruled" in page.text_content("#t2-flow .t2-wide")


WATCH = """() => {
  const seen = window.t2seen = { pending: new Set(), replaced: 0, stages: [] }, view = document.querySelector('#t2-search-view');
  for (const svg of view.querySelectorAll('svg')) svg.dataset.marked = '1';
  new MutationObserver((changes) => {
    const box = view.querySelector('.t2-search');
    seen.pending.add(`${box.dataset.generations}:${view.querySelectorAll('figure:first-child .t2-dot-pending').length}`);
    if (seen.stages.at(-1) !== box.dataset.stage) seen.stages.push(box.dataset.stage);
    for (const c of changes) for (const n of c.removedNodes) if (n.tagName === 'svg' || n.tagName === 'FIGURE') seen.replaced += 1;
  }).observe(view, { subtree: true, childList: true, attributes: true });
}"""


def own(page, *rows):
    """One's own examples, typed into the table."""
    page.locator("#t2-search-source label", has_text="my own").click()
    for i, cell in enumerate(cell for row in rows for cell in row):
        page.locator("#t2-search-table textarea").nth(i).fill(cell)


@pytest.fixture
def watchable(monkeypatch):
    """The tiny model scores faster than a page can be drawn."""
    from t2ui.engine.search_score import Scorer

    fast = Scorer._by_likelihood
    monkeypatch.setattr(Scorer, "_by_likelihood", lambda self, *given: (time.sleep(0.2), fast(self, *given))[1])


def test_a_search_on_ones_own_examples_gives_a_mix_to_use(visit, watchable):
    page = visit().page
    open_tab(page, "Search")
    own(page, ("Capital of France?", "Paris"), ("7 + 5?", "12"))
    page.click("#t2-search-table [data-do=add]")
    page.locator("#t2-search-table textarea").nth(5).fill("no question")
    page.evaluate(WATCH)
    page.click("#t2-search-start")
    finished(page)
    assert "Row 3" in page.inner_text("#t2-search-notice")
    seen = page.evaluate("({ ...window.t2seen, pending: [...window.t2seen.pending] })")
    # The drawing stays, its nodes move; candidates appear batch by batch, within a generation.
    assert seen["replaced"] == 0 and page.locator("#t2-search-view svg[data-marked]").count() == 2
    assert seen["stages"][-1] == "done" and "searching" in seen["stages"]
    amounts = {int(p.split(":")[1]) for p in seen["pending"]}
    assert len(amounts - {0}) >= 2, seen
    shown = page.locator("#t2-search-view g[data-generation]")
    slider, last = page.locator(".t2-scrub input"), int(page.get_attribute("#t2-search-view .t2-search", "data-generations"))
    assert page.locator("#t2-search-view circle.t2-line-best").count() == last == int(slider.get_attribute("max")) > 1
    assert shown.get_attribute("data-generation") == str(last) and shown.locator(".t2-dot-elite").count() >= 3
    before = shown.locator("circle").evaluate_all("all => all.map((c) => c.getAttribute('cx'))")
    slider.evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input', {bubbles: true})); }")
    assert shown.get_attribute("data-generation") == "1" and "1" in page.inner_text(".t2-scrub output")
    assert shown.locator("circle").evaluate_all("all => all.map((c) => c.getAttribute('cx'))") != before
    page.click("[data-replay]")
    page.wait_for_function(f"document.querySelector('.t2-scrub input').value === '{last}'", timeout=600 * (last + 5))
    assert shown.get_attribute("data-generation") == str(last)
    mean = [float(x) for x in re.findall(r"\d\.\d\d", page.inner_text("#t2-search-result .t2-alphas"))]
    page.locator("#t2-search-result button").first.click()
    page.wait_for_selector("#t2-alpha-0 input[type=number]")
    page.wait_for_timeout(500)
    used = [float(page.input_value(f"#t2-alpha-{i} input[type=number]")) for i in range(3)]
    assert used == pytest.approx(mean, abs=0.006)


def test_the_picture_is_told_saved_and_follows_the_mode(visit, tmp_path):
    page = visit(width=390, height=844).page
    page.click("[data-words=expert]")
    open_tab(page, "Search")
    own(page, ("7 + 5?", "12"))
    page.click("#t2-search-start")
    finished(page)
    cloud = page.locator("#t2-search-view figure").nth(1)
    assert re.search(r"math 0\.\d\d", cloud.locator("svg").get_attribute("aria-label"))
    saved = {}
    for kind in ("csv", "svg", "png"):
        with page.expect_download() as told:
            cloud.locator(f"[data-do={kind}]").click()
        told.value.save_as(tmp_path / f"cloud.{kind}")
        saved[kind] = (tmp_path / f"cloud.{kind}").read_bytes()
    rows = saved["csv"].decode().strip().split("\r\n")
    last = int(page.get_attribute("#t2-search-view .t2-search", "data-generations"))
    assert len(rows) == 1 + 16 * last and rows[0].startswith("generation,,math") and sum("elite" in row for row in rows) == 4 * last
    assert saved["png"][:4] == b"\x89PNG" and saved["svg"].count(b"<circle") >= 16
    with page.expect_download() as told:
        page.locator("#t2-search-view figure").nth(0).locator("[data-do=svg]").click()
    told.value.save_as(tmp_path / "score.svg")
    drawn = (tmp_path / "score.svg").read_text()
    assert "log-probability" in drawn and "how sure" not in drawn  # one way of speaking
    page.click("[data-words=simple]")
    assert "middle" in cloud.locator("svg").get_attribute("aria-label") and page.inner_text(".t2-scrub output").startswith("round")
    cloud.locator("[data-do=full]").click()
    page.wait_for_function("document.fullscreenElement && document.fullscreenElement.dataset.name === 'search-mixes'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_search_is_stopped_and_goes_on(visit):
    page = visit().page
    open_tab(page, "Search")
    page.locator("#t2-search-task input").click()  # questions that fit the tiny model's context
    page.get_by_role("option", name="vision", exact=True).click()
    page.locator("#t2-search-preset label", has_text="paper").click()
    page.click("#t2-search-start")
    page.wait_for_selector('#t2-search-view .t2-search[data-stage="searching"]', timeout=60_000, state="attached")
    page.click("#t2-search-stop")
    finished(page, "stopped")
    assert page.is_enabled("#t2-search-resume") and page.is_disabled("#t2-search-stop")
    page.click("#t2-search-resume")
    page.wait_for_selector('#t2-search-view .t2-search[data-stage="searching"]', timeout=60_000, state="attached")
    page.click("#t2-search-stop")
    finished(page, "stopped")


def test_what_cannot_be_searched_is_said_and_kept(visit):
    page = visit().page
    open_tab(page, "Search")
    page.locator("#t2-search-source label", has_text="my own").click()
    page.click("#t2-search-start")
    page.wait_for_selector("#t2-search-notice [role=alert]")
    assert "no examples yet" in page.inner_text("#t2-search-notice")
    page.click("#t2-search-text > button")
    page.fill("#t2-search-own textarea", "only,columns\n1,2")
    page.click("#t2-search-start")
    page.wait_for_function("document.querySelector('#t2-search-notice').innerText.includes('must be prompt')")
    assert page.input_value("#t2-search-own textarea").startswith("only") and page.is_enabled("#t2-search-start")


def test_text_that_was_pasted_counts_even_before_it_is_in_the_table(visit):
    page = visit().page
    open_tab(page, "Search")
    own(page, ("7 + 5?", "12"))
    page.click("#t2-search-text > button")
    page.fill("#t2-search-own textarea", "\n".join([json.dumps({"prompt": "Capital of France?", "answer": "Paris"}), "{broken"]))
    page.click("#t2-search-start")
    finished(page)
    assert "Line 2" in page.inner_text("#t2-search-notice")
