"""The list of experts in a browser: searched, pinned, mixed from, and added to by an upload that nobody else loses anything by."""

import shutil

import pytest
import torch

from t2ui.core import Expert
from t2ui.engine import Engine, load
from t2ui.ui.backend import Backend, Options

LIST = "#t2-experts-list"


def put(folder, adapted, name, seed, **more):
    z = 1 + 0.5 * torch.randn(adapted.R, generator=torch.Generator().manual_seed(seed))
    return Expert.from_z(adapted, name, z, objective="random", **more).save(folder / name)


@pytest.fixture(scope="module")
def many(serve, tiny_llava_dir, tiny_llava_experts, tmp_path_factory):
    """A page with 23 experts, three of them as ever, and uploads."""
    folder = tmp_path_factory.mktemp("many") / "experts"
    shutil.copytree(tiny_llava_experts, folder)
    loaded = load(tiny_llava_dir, device="cpu", experts_dir=folder)
    for i in range(20):
        put(folder, loaded.adapted, f"e{i:02}", 50 + i, meta={"task": "law" if i % 2 else "music"})
    (folder / "e07" / "README.md").write_text("---\ntags: [special, '<img src=x onerror=window.hacked=1>']\n---\n")
    loaded = load(tiny_llava_dir, device="cpu", experts_dir=folder)
    engine = Engine(loaded)
    engine.wait(60)
    backend = Backend(Options(experts=str(folder), uploads=True), engine=engine)
    backend.start()
    return serve(backend), loaded


def opened(visit, many, **options):
    visitor = visit(many[0] + "/?tab=mix&mode=expert", **options)
    visitor.page.click(".t2-experts-button")
    return visitor


def listed(page) -> list[str]:
    return page.eval_on_selector_all(f"{LIST} [data-expert]", "all => all.map(x => x.dataset.expert)")


def sliders(page) -> int:
    return page.locator(".t2-alpha:visible").count()


def test_it_is_searched_by_words_and_tags(visit, many):
    page = opened(visit, many).page
    assert len(listed(page)) == 23
    page.fill(f"{LIST} [type=search]", "law e1")
    assert listed(page) == [f"e{i}" for i in range(11, 20, 2)]
    page.fill(f"{LIST} [type=search]", "")
    page.get_by_role("button", name="special", exact=True).click()
    assert listed(page) == ["e07"]
    page.fill(f"{LIST} [type=search]", "nobody")
    assert listed(page) == [] and "No expert fits" in page.inner_text(f"{LIST} [role=status]")
    assert page.evaluate("window.hacked") is None


def test_sliders_are_shown_for_what_is_pinned_or_mixed(visit, many):
    visitor = opened(visit, many)
    page = visitor.page
    assert sliders(page) == 8 and "8 of 23" in page.inner_text("#t2-mixer-note")
    page.get_by_role("button", name="Pin e17: give it a slider").click()
    assert sliders(page) == 1 and page.get_by_role("button", name="Take the pin off e17").get_attribute("aria-pressed") == "true"
    page.click(f"{LIST} [data-expert='e03'] .t2-experts-name")
    page.get_by_role("button", name="Mix e03 alone, at 1").click()
    page.wait_for_function("() => document.querySelectorAll('.t2-alpha').length && [...document.querySelectorAll('.t2-alpha')].filter(x => x.offsetParent).length === 2")
    page.wait_for_function(f"() => document.querySelector(\"{LIST} [data-expert='e03'] output\").textContent === '1.00'")
    page.wait_for_function("() => location.search.includes('e03')")
    page.reload()  # pins are remembered, the mix is in the address
    page.wait_for_selector("#t2-ask:not([disabled])")
    page.wait_for_function("() => [...document.querySelectorAll('.t2-alpha')].filter(x => x.offsetParent).length === 2")
    assert page.get_attribute("#t2-experts", "data-open") == "true"


def test_a_keyboard_opens_and_closes_it_and_comes_back(visit, many):
    page = visit(many[0] + "/?mode=expert").page
    page.focus(".t2-experts-button")
    page.keyboard.press("Enter")
    assert page.get_attribute(".t2-experts-button", "aria-expanded") == "true"
    assert "t2-experts-close" in page.evaluate("document.activeElement.className")
    page.keyboard.press("Escape")
    assert page.get_attribute(".t2-experts-button", "aria-expanded") == "false" and not page.is_visible("#t2-experts")
    assert "t2-experts-button" in page.evaluate("document.activeElement.className")


def test_on_a_phone_it_is_a_sheet_that_gives_way_to_the_slider(visit, many):
    page = opened(visit, many, width=390, height=844).page
    box = page.locator("#t2-experts").bounding_box()
    assert box["x"] == 0 and box["width"] == 390 and box["y"] > 100
    page.click(f"{LIST} [data-expert='e05'] .t2-experts-name")
    page.get_by_role("button", name="To its slider").click()
    page.wait_for_selector("#t2-experts", state="hidden")
    page.wait_for_function("() => document.activeElement.type === 'range'")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_an_upload_gets_the_last_place_and_nobody_elses_mix_moves(visit, many, tmp_path):
    _, loaded = many
    other, visitor = visit(many[0] + "/?tab=mix&mode=expert&mix=e19=0.4"), opened(visit, many)
    page = visitor.page
    other.page.wait_for_function("() => [...document.querySelectorAll('.t2-alpha')].some(x => x.offsetParent && x.querySelector('[type=number]').value === '0.4')")
    other.page.fill("#t2-prompt textarea", "Ben has 3 cups.")
    page.click("#t2-upload-box button:has-text('Add an expert')")
    bad = tmp_path / "expert.safetensors"
    bad.write_bytes(b"half a file")
    page.fill("#t2-upload-name textarea, #t2-upload-name input", "aaa-mine")
    page.set_input_files("#t2-upload-box input[type=file]", bad)
    page.wait_for_selector("#t2-upload-notice [data-kind=error]")
    assert "Nothing was changed" in page.inner_text("#t2-upload-notice") and len(listed(page)) == 23
    assert page.input_value("#t2-upload-name textarea, #t2-upload-name input") == "aaa-mine"  # not lost by the failure
    good = put(tmp_path / "made", loaded.adapted, "whatever", 99)
    page.set_input_files("#t2-upload-box input[type=file]", good)
    page.wait_for_selector(f"{LIST} [data-expert='aaa-mine']")
    assert listed(page)[-1] == "aaa-mine" and "24 of 24" in page.inner_text(f"{LIST} [role=status]")
    page.click(f"{LIST} [data-expert='aaa-mine'] .t2-experts-name")
    page.get_by_role("button", name="To its slider").click()
    page.locator("#t2-alpha-23 [type=number]").fill("1")
    page.keyboard.press("Tab")
    page.fill("#t2-prompt textarea", "Ben has 3 cups.")
    page.click("#t2-mix-answer")
    visitor.wait(where="#t2-mix-answers")
    assert "aaa-mine 1.00" in page.inner_text("#t2-mix-answers .t2-proof").replace("\xa0", " ")
    other.page.click("#t2-mix-answer")
    other.wait(where="#t2-mix-answers")
    said = other.page.inner_text("#t2-mix-answers .t2-proof")
    assert "e19 0.40" in said and "aaa" not in said
    page.click("#t2-tab-spectra-button")
    page.wait_for_function("() => document.querySelectorAll('#t2-spectra-strip input').length === 24")
    later = visit(many[0] + "/?tab=mix&mode=expert&mix=aaa-mine=0.3")
    later.page.wait_for_function("() => document.querySelector('#t2-alpha-23 [type=number]')?.value === '0.3'")


def test_where_uploads_are_off_there_are_none(visit, url):
    page = visit(url + "/?mode=expert").page
    page.click(".t2-experts-button")
    assert listed(page) == ["math", "code", "vision"] and not page.is_visible("#t2-upload-box")
    assert not page.is_visible(f"{LIST} [type=search]") and page.locator(f"{LIST} .t2-experts-pin").count() == 0
