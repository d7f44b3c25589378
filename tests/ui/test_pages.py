"""The pages of several models: their addresses, the menu, and whose a refused expert is."""

import asyncio
import json
import shutil

import pytest

from t2ui.core import Expert
from t2ui.engine import Engine
from t2ui.ui import pages
from t2ui.ui.backend import Backend, Options
from t2ui.ui.pages import Pages
from t2ui.ui.text import Text

T = Text()


def of(*models, **options) -> Pages:
    return Pages([Backend(Options(model, "no/experts"), **options) for model in models])


def test_every_page_has_an_address_and_a_name_of_its_own():
    found = list(of("a/demo-model", "b/Qwen2.5-0.5B", "c/qwen2.5 0.5b", "d/demo-model", "e/模型", "f/demo-model"))
    assert [page.slug for page in found] == ["", "qwen2-5-0-5b", "qwen2-5-0-5b-2", "demo-model", "model", "demo-model-2"]
    assert [page.name for page in found] == ["demo-model", "Qwen2.5-0.5B", "qwen2.5 0.5b", "demo-model (2)", "模型", "demo-model (3)"]


def test_addresses_are_relative():
    first, one, two = of("a", "b", "c")
    assert pages.href(first, one) == "./m/b/" and pages.href(one, two) == "../../m/c/"
    assert pages.href(two, first) == "../../" and pages.href(first, first) == "./"


def test_one_model_has_no_menu():
    alone = of("a")
    assert pages.menu_html(alone, alone.pages[0].backend, T) == "" == pages.menu_html(None, alone.pages[0].backend, T)
    assert pages.elsewhere(alone, alone.pages[0].backend, T) == {}


def test_the_menu_says_what_is_open_and_what_is_loaded(monkeypatch):
    monkeypatch.setattr(Backend, "_load", lambda self: None)
    found = of("a", "b", "<img src=x>")
    first, other, _ = (page.backend for page in found)
    first._complete = True
    other.start()
    html = pages.menu_html(found, first, T)
    assert html.count("aria-current") == 1 and '<a href="./" data-t2-model aria-current="page">a</a>' in html
    assert "<img" not in html and "&lt;img src=x&gt;" in html
    assert pages.states(found, T) == {"": ["ready", "loaded"], "b": ["loading", "being loaded"], "img-src-x": ["idle", T("models.idle")]}
    other._failure = "no memory"
    assert pages.states(found, T)["b"][0] == "failed"


@pytest.fixture(scope="module")
def mixed(tiny_llava, tiny_llava_dir, tiny_llava_experts, tiny_lm, tmp_path_factory):
    """A folder with experts of two models, and a damaged one."""
    folder = tmp_path_factory.mktemp("mixed")
    shutil.copytree(tiny_llava_experts / "math", folder / "math")
    Expert.from_z(tiny_lm.adapted, "words", 1.1 + 0 * tiny_lm.adapted.sigma).save(folder / "words")
    (folder / "broken").mkdir()
    (folder / "broken" / "expert.safetensors").write_bytes(b"nothing")
    (folder / "lora").mkdir()
    (folder / "lora" / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "someone/Far-Away"}))
    return folder


@pytest.fixture(scope="module")
def backend(tiny_llava_dir, mixed):
    backend = Backend(Options(str(tiny_llava_dir), str(mixed), "cpu"))
    backend.start()
    assert asyncio.run(backend.wait(60)) and backend.state == "ready", backend.text
    yield backend
    backend.close()


def test_an_expert_of_another_model_here_has_a_link_to_its_page(backend, tiny_lm, tiny_lm_dir):
    assert backend.names == ("math",) and {name for name, _ in backend.refused} == {"words", "broken", "lora"}
    asleep = Backend(Options(f"elsewhere/{tiny_lm.adapted.base_id}", "no/experts"))
    found = Pages([backend, asleep])
    links = pages.elsewhere(found, backend, T)
    assert set(links) == {"words"} and f'href="./m/{found.pages[1].slug}/"' in links["words"]  # not loaded: by its name
    named = Backend(Options("here/far-away", "no/experts"))
    assert set(pages.elsewhere(Pages([backend, named]), backend, T)) == {"lora"}


def test_of_a_loaded_model_the_weights_decide_and_not_its_name(backend, tiny_lm):
    awake = Backend(Options("another/name", "no/experts"), engine=Engine(tiny_lm))
    awake.engine.wait()
    assert set(pages.elsewhere(Pages([backend, awake]), backend, T)) == {"words"}
    awake.close()
    wrong = Backend(Options(f"a/{tiny_lm.adapted.base_id}", "no/experts"), engine=Engine(backend.engine.loaded))
    wrong.engine.wait()
    assert pages.elsewhere(Pages([backend, wrong]), backend, T) == {}
    wrong.close()
