"""The depth profile's state: read as the page writes it, refused otherwise; and the mix that the engine gets."""

import json

import pytest

from t2ui.core.depth import along
from t2ui.engine import Engine
from t2ui.ui.backend import Backend
from t2ui.ui.depth import LIMIT, POINTS, payload, read
from t2ui.ui.text import Text


def test_reading():
    assert read("", ("a", "b")) == {} == read("[[1,1,1],[1,1,1]]", ("a", "b"))
    assert read("[[1,0.5,0],[1,1,1]]", ("a", "b")) == {"a": (1.0, 0.5, 0.0)}
    assert read("[[1,0.5,0]]", ("a", "b")) == {"a": (1.0, 0.5, 0.0)}  # of a page that was opened before "b" was uploaded


@pytest.mark.parametrize("text", ["x", "[[1,1,1],[1,1,1],[1,1,1]]", "[[1,1],[1,1]]", "[[1,1,1.1],[1,1,1]]", "[[NaN,1,1],[1,1,1]]", "{}", "3",
                                  "[" * 1900, "[[1,1,1],[1,1,1]]" + " " * LIMIT, '[["a",1,1],[1,1,1]]', 7])  # fmt: skip
def test_what_the_page_would_not_write_is_refused(text):
    with pytest.raises(ValueError):
        read(text, ("a", "b"))


def test_the_editor_is_told_names_and_words():
    told = payload(("math", "code"), Text())
    assert told["labels"] == ["math", "code"] and len(told["points"]) == len(POINTS) == 3 and len(set(told["colours"])) == 2


def test_the_mix_behind_sliders_and_profile(tiny_llava):
    backend = Backend(engine=Engine(tiny_llava))
    backend.names = tuple(tiny_llava.stack.names)
    try:
        values, n = [0.8, 0.5, *[0.0] * 10], backend.n_layers
        flat = [[1, 1, 1] for _ in backend.names]
        assert backend.mix(values) == backend.mix([*values, ""]) == backend.mix([*values, json.dumps(flat)])
        flat[0] = [1, 0.5, 0]
        mix = backend.mix([*values, json.dumps(flat)])
        assert mix.alpha(backend.names[0]) == pytest.approx(tuple(0.8 * w for w in along((1, 0.5, 0), n)))
        assert mix.alpha(backend.names[1]) == 0.5
        with pytest.raises(ValueError, match="depth profile"):
            backend.mix([*values, "[[9,9,9]]"])
    finally:
        backend.close()
