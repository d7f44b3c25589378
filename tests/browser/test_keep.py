"""Runs as files: saved and opened elsewhere with picture and depth profile, bad ones refused; the report works alone."""

import json

import pytest
from PIL import Image

from tests.browser.conftest import Visitor

EVIL = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
PROMPT = "How many red circles are there?"
DEPTH = [[1, 0.5, 0], [1, 1, 1], [1, 1, 1]]


def save(page, button, folder):
    if not page.is_visible("#t2-keep-save"):
        page.click("#t2-keep > button")
    with page.expect_download(timeout=60_000) as coming:
        page.click(button)
    path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def open_file(page, path):
    if not page.is_visible("#t2-keep-save"):
        page.click("#t2-keep > button")
    page.set_input_files("#t2-keep-buttons input[type=file]", str(path))
    page.wait_for_selector("#t2-kept .t2-notice")


def prepare(visitor, folder):
    """A question with an own picture, a mix with a depth profile."""
    page = visitor.page
    Image.new("RGB", (48, 48), "red").save(folder / "own.png")
    page.fill("#t2-prompt textarea", PROMPT)
    page.locator("#t2-picture-box > button").click()
    page.set_input_files("#t2-picture input[type=file]", str(folder / "own.png"))
    page.wait_for_selector("#t2-picture img")
    page.get_by_role("tab", name="Mix", exact=True).click()
    page.fill("#t2-alpha-1 input[type=number]", "0.4")
    page.keyboard.press("Tab")
    page.evaluate("d => { window.t2ui.setDepth(JSON.stringify(d)); }", DEPTH)
    page.evaluate("""d => { const box = document.querySelector('#t2-depth-state textarea, #t2-depth-state input');
        box.value = JSON.stringify(d); box.dispatchEvent(new Event('input', { bubbles: true })); }""", DEPTH)
    return page


def test_a_run_goes_to_another_machine_with_picture_and_depth_profile(visit, tmp_path):
    visitor = visit()
    page = prepare(visitor, tmp_path)
    page.click("#t2-mix-answer")
    visitor.wait(where="#t2-mix-answers")
    said = page.inner_text("#t2-mix-answers [data-row=mix] .t2-view-text")
    path = save(page, "#t2-keep-save", tmp_path)
    held = json.loads(path.read_text(encoding="utf-8"))
    assert held["setup"]["alphas"]["code"] == 0.4 and held["setup"]["depth"] == {"math": [1, 0.5, 0]}
    assert held["setup"]["picture"].startswith("data:image/png") and held["run"]["kind"] == "mix"
    total = float(page.get_attribute(".t2-plot", "data-total"))
    report = visit(save(page, "#t2-keep-report", tmp_path).as_uri(), ready=None).page
    assert float(report.get_attribute("#total", "data-total")) == pytest.approx(total, rel=1e-3)  # depth profile and all
    page.click("#t2-take > button")  # and the page says that a link is not enough
    page.click("#t2-take-link")
    page.wait_for_selector("#t2-taken .t2-notice[data-kind=warn]")
    assert "your own picture is not in it" in page.inner_text("#t2-taken")

    other = visit(width=390, height=844).page
    open_file(other, path)
    other.wait_for_selector("#t2-picture img")
    other.wait_for_function("() => document.querySelector('#t2-alpha-1 input[type=number]').value === '0.4'")
    assert other.input_value("#t2-prompt textarea") == PROMPT and other.is_visible("#t2-mix-answer")
    assert json.loads(other.input_value("#t2-depth-state textarea, #t2-depth-state input")) == DEPTH
    assert other.inner_text("#t2-mix-answers [data-row=mix] .t2-view-text") == said
    assert "not on this page" in other.inner_text("#t2-mix-notice")
    again = json.loads(save(other, "#t2-keep-save", tmp_path).read_text(encoding="utf-8"))
    assert {**again["setup"]} == held["setup"] and again["run"] == held["run"]


def test_the_report_works_without_a_network(visit, browser, tmp_path):
    visitor = visit()
    page = visitor.page
    visitor.ask(f"Start with 9, add 4. What do you get? {EVIL}", "#t2-everybody").wait()
    path = save(page, "#t2-keep-report", tmp_path)
    assert path.name.endswith(".html") and path.stat().st_size < 5_000_000
    alone = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    other, errors, asked = alone.new_page(), [], []
    other.on("pageerror", lambda error: errors.append(str(error)))
    other.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    other.on("request", lambda r: asked.append(r.url) if not r.url.startswith(("file:", "data:")) else None)
    other.goto(path.as_uri())
    before = (other.get_attribute("#total", "data-total"), other.get_attribute("#matrix svg", "data-after"))
    slider = other.locator("#mixer input").nth(1)
    slider.focus()
    for _ in range(30):
        other.keyboard.press("ArrowRight")
    after = (other.get_attribute("#total", "data-total"), other.get_attribute("#matrix svg", "data-after"))
    assert float(after[0]) != float(before[0]) and after[1] != before[1]
    other.click("#play")
    other.wait_for_selector("#flow [data-stage=pass1]", state="attached")
    other.wait_for_selector("#flow [data-stage=done]", state="attached")
    assert other.evaluate("window.pwned") is None and other.locator("#flow img, #answers img").count() == 0
    assert other.evaluate("document.documentElement.scrollWidth") <= 390
    assert errors == [] and asked == []
    alone.close()


BAD = [
    ("no json at all", "no JSON text"),
    ('{"kind": "something else"}', "not a run of this page"),
    (json.dumps({"kind": "t2ui run", "format": 1, "setup": {"seed": EVIL}}), "setup.seed must be a whole number"),
    (json.dumps({"kind": "t2ui run", "format": 1, "setup": {"picture": "data:image/png;base64,AAAA"}}), "not a picture"),
    (json.dumps({"kind": "t2ui run", "format": 1, "setup": {}, "run": {"kind": EVIL}}), "run must be of a known kind"),
]  # fmt: skip


def test_a_bad_file_is_refused_beside_the_button_and_nothing_changes(visit, tmp_path):
    page = visit().page
    page.fill("#t2-prompt textarea", PROMPT)
    for i, (content, words) in enumerate(BAD):
        path = tmp_path / f"{i}<img src=x onerror=window.pwned=1>.json"
        path.write_text(content)
        open_file(page, path)
        page.wait_for_function("w => document.querySelector('#t2-kept [role=alert]')?.innerText.includes(w)", arg=words)
        assert page.input_value("#t2-prompt textarea") == PROMPT
    assert page.evaluate("window.pwned") is None and page.locator("#t2-kept img").count() == 0


def test_what_is_in_a_file_never_becomes_markup(visit, tmp_path):
    visitor = visit().ask("Start with 9, add 4. What do you get?", "#t2-everybody").wait()
    path = save(visitor.page, "#t2-keep-save", tmp_path)
    held = json.loads(path.read_text(encoding="utf-8"))
    for row in held["run"]["rows"]:
        row |= {"text": EVIL, "why": EVIL, "mix": EVIL, "applied": EVIL, "thinking": EVIL}
    held["run"] |= {"prompt": EVIL, "family": EVIL, "names": [EVIL]}
    held["run"]["first_pass"] |= {"choice": EVIL, "why": EVIL, "scores": {EVIL: 1.0}, "question": EVIL, "outside": True, "outside_why": EVIL}
    held["about"] = {"model": EVIL, "date": EVIL}
    held["setup"] |= {"prompt": EVIL, "alphas": {EVIL: 1.0}, "strategy": EVIL}
    path.write_text(json.dumps(held))
    other = visit().page
    open_file(other, path)
    other.wait_for_selector("#t2-link-notice .t2-notice")
    other.wait_for_selector("#t2-recorded .t2-chip")
    assert other.evaluate("window.pwned") is None
    assert other.locator("#t2-main img[src=x], #t2-main script, #t2-link-notice img").count() == 0
    report = save(other, "#t2-keep-report", tmp_path)
    alone = Visitor(other.context.browser, report.as_uri())
    alone.page.goto(report.as_uri())
    assert alone.page.evaluate("window.pwned") is None and alone.errors == []
    alone.context.close()


def test_a_visitor_never_saves_anothers_run(visit, tmp_path):
    one, two = visit(), visit()
    for visitor in (one, two):
        visitor.page.get_by_role("tab", name="Mix", exact=True).click()
    one.page.fill("#t2-alpha-1 input[type=number]", "0.4")
    one.page.keyboard.press("Tab")
    one.page.click("#t2-mix-answer")
    one.wait(where="#t2-mix-answers")
    assert one.page.locator("#t2-history tr").count() == 1 and two.page.locator("#t2-history tr").count() == 0
    assert two.page.evaluate("window.t2ui.alphas.every((a) => a === 0)")
    for visitor in (one, two):
        visitor.page.get_by_role("tab", name="Ask", exact=True).click()
    one.ask("Start with 9, add 4. What do you get?").wait()
    two.page.fill("#t2-prompt textarea", "Start with 8, add 3. What do you get?")
    for visitor, own in ((two, False), (one, True)):
        text = save(visitor.page, "#t2-keep-save", tmp_path).read_text(encoding="utf-8")
        assert ("Start with 9, add 4" in text) == own
