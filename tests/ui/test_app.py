"""The page as gradio sees it: events that never block each other, and nothing public by accident."""

import re

import pytest

from t2ui.ui import api, live, theme
from t2ui.ui.app import build_app, launch_options
from t2ui.ui.backend import SLIDERS, Backend, Options


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return build_app(Backend(Options(experts=str(tmp_path_factory.mktemp("none")))))


def test_nothing_is_public_but_the_six_endpoints(demo):
    visible = [fn.api_name for fn in demo.fns.values() if fn.api_visibility != "private"]
    assert visible == list(api.NAMES) == ["dispatch", "answer", "compare", "spectra", "search", "recipe"]


def test_no_event_waits_for_another_visitor(demo):
    for fn in demo.fns.values():
        if fn.fn is not None and fn.queue and fn.fn.__name__ != "left":  # unload knows no limit; it does not wait
            assert fn.concurrency_limit is None, fn.fn


def test_every_slider_repaints_without_the_server(demo):
    js = [fn for fn in demo.fns.values() if fn.fn is None and "setMix" in str(fn.js)]
    repaint = max(js, key=lambda fn: len(fn.targets))  # the other one: the Spectra tab when it is opened
    assert len(js) == 2 and len(repaint.targets) == SLIDERS


def test_nothing_points_to_another_host():
    options = launch_options()
    text = options["css"] + options["head"]
    assert not re.findall(r"https?:(?!//www\.w3\.org/2000/svg)", text) and "@import" not in text and "url(" not in options["css"]
    assert all("Font" in type(font).__name__ and "Google" not in type(font).__name__ for font in theme.theme()._font)


def test_plotly_is_the_one_of_the_python_package():
    assert (live.PLOTLY_DIR / "plotly.min.js").is_file()
    assert "plotly.min.js" in live.head()


def test_known_experts_have_their_own_colours():
    names = ("zebra", "math", "code", "reasoning", "vision", *"abcdefg")
    colours = [theme.colour(name, names) for name in names]
    assert len(set(colours)) == 12
    assert theme.colour("math", ("math",)) == theme.colour("math", names)
    assert theme.colour("other", names) == theme.OTHER_COLOUR
