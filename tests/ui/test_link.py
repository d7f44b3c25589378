"""What an address says is checked value by value; nothing in it is trusted."""

import pytest

from t2ui.ui.link import KEYS, Link, read
from t2ui.ui.text import Text

T = Text()
NAMES = ("math", "code", "vision")
GOOD = {"prompt": "7 + 5?", "strategy": "few-shot:both", "soft": "1", "mix": "code=0.25,math=-0.5", "depth": "[[1,0.5,0],[1,1,1],[0,0,1]]", "seed": "7",
        "temperature": "0.7", "tokens": "32", "tab": "mix", "picture": "vision-2", "mode": "simple", "other": "left alone"}  # fmt: skip


def test_everything_is_read():
    found, notes = read(GOOD, NAMES, T)
    assert found == Link("7 + 5?", "few-shot:both", True, (-0.5, 0.25, 0.0), GOOD["depth"], 7, 0.7, 32, "mix", "vision-2", "simple") and notes == []
    assert read({}, NAMES, T) == (Link(), []) and Link().empty and not found.empty


BAD = {
    "prompt": ["x" * 2001],
    "strategy": ["magic", "prompt:x", "few-shot", "few-shot:" + "x" * 200, "<script>"],
    "soft": ["yes", "true", ""],
    "mix": ["math=x", "math=nan", "math=3", "math=inf", "math=1e400", "math"],
    "depth": ["x", "[[1,1]]", "[[1,1,2],[1,1,1],[1,1,1]]", "[[1,1,NaN],[1,1,1],[1,1,1]]", "[1,1,1]", "{}", "[" * 1500, "1" * 3000],
    "seed": ["-1", "1.5", "x", "²", "9" * 20, "2147483648", ""],
    "temperature": ["-1", "2.01", "nan", "hot", "1" * 50],
    "tokens": ["7", "257", "many"],
    "tab": ["admin", "", "Ask"],
    "picture": ["../../etc/passwd", "/etc/passwd", "http://example.org/x.png", "", "x" * 50, "a b", "Ä-1"],
    "mode": ["Simple", "", "<b>"],
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(k, v) for k, values in BAD.items() for v in values])
def test_a_bad_value_is_left_out_with_a_note_and_spoils_nothing(key, value):
    found, notes = read({**GOOD, key: value}, NAMES, T)
    assert getattr(found, key) is None and len(notes) == 1 and notes[0].startswith(f"{key} was left out: ")
    assert all(getattr(found, other) is not None for other in KEYS if other != key)
    assert len(notes[0]) < 120 and notes[0].isprintable()


def test_an_expert_that_is_not_here_is_named():
    found, notes = read({"mix": "chess=1,math=0.5"}, NAMES, T)
    assert found.mix == (0.5, 0.0, 0.0) and notes == [T("link.unknown", name="chess")]


def test_an_embedded_view_lies_on_its_tab():
    assert read({"embed": "flow", "tab": "mix"}, NAMES, T)[0].tab == "ask" and read({"embed": "spectra"}, NAMES, T)[0].tab == "spectra"
    assert read({"embed": "<script>"}, NAMES, T) == (Link(), [])
