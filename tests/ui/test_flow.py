"""The picture of the two passes: right numbers, right states, nothing unescaped."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from t2ui.core.mixing import Mix
from t2ui.runs import FirstPass, Row, Run
from t2ui.ui.flow import describe, flow_html, ms, parse_alphas, percent, wrap
from t2ui.ui.text import Text

T = Text()
NAMES = ("math", "code", "vision")
SCORES = {"math": 0.86, "code": 0.09, "vision": 0.04, "other": 0.01}
FIRST = FirstPass("prompt", False, "math", SCORES, "math", "", 0.041)
DONE = Run(
    kind="ask", stage="done", prompt="What is 7 + 5 - 3?", names=NAMES, prompt_tokens=12, first_pass=FIRST,
    rows=(
        Row("base", "base", "The answer is 12.", "stop", seconds={"first": 0.01, "total": 0.2}, tokens=6, right=False),
        Row("dispatch", "math", "The answer is 9.", "stop", seconds={"first": 0.01, "total": 0.38}, tokens=6,
            change=0.018, right=True),
    ),
)  # fmt: skip
EVIL = '<img src=x onerror="window.pwned=1">"\'></text><script>window.pwned=1</script>'


def states(html: str) -> list[str]:
    wide = html.split("</svg>")[0]
    return [part.split('"')[0] for part in wide.split('class="t2-station" data-state="')[1:]]


def test_the_numbers_of_the_run_stand_in_the_picture():
    html = flow_html(DONE, T)
    for words in ("86 %", "9 %", "1 %", "41 ms", "380 ms", "12 tokens", "weights changed by 1.8 %", "right"):
        assert words in html, words
    for name in (*NAMES, "other"):
        assert html.count(f">{name}</text>") >= 2  # in the wide and in the narrow drawing


def test_it_is_well_formed():
    root = ET.fromstring(flow_html(replace(DONE, prompt=EVIL), T))
    assert len(root) == 2


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("idle", ["todo"] * 4),
        ("waiting", ["now", "todo", "todo", "todo"]),
        ("pass1", ["done", "now", "todo", "todo"]),
        ("pass2", ["done", "done", "done", "now"]),
        ("done", ["done"] * 4),
    ],
)
def test_stations_light_up_in_order(stage, expected):
    assert states(flow_html(replace(DONE, stage=stage), T)) == expected


def test_a_stopped_run_keeps_what_was_reached():
    assert states(flow_html(replace(DONE, stage="stopped", rows=()), T)) == ["done", "done", "now", "todo"]


def test_nothing_that_was_typed_or_answered_is_markup():
    rows = (replace(DONE.rows[1], text=EVIL, why=EVIL),)
    first = replace(FIRST, scores={EVIL: 1.0}, choice=EVIL)
    html = flow_html(replace(DONE, prompt=EVIL, rows=rows, names=(EVIL,), first_pass=first), T)
    assert "<img" not in html and "<script" not in html and "onerror=\"" not in html
    assert "&lt;img" in html


def test_the_words_for_those_who_cannot_see_it():
    words = describe(DONE, T)
    assert "What is 7 + 5 - 3?" in words and "math 86 %" in words and "The answer is 9." in words
    assert describe(Run(), T) == T("flow.empty")


def test_wrap():
    assert wrap("one two three", 7, 5) == ["one two", "three"]
    assert wrap("one two three four five", 9, 2) == ["one two", "three …"]
    assert wrap("x" * 25, 10, 5) == ["x" * 10, "x" * 10, "x" * 5]
    ending = wrap("first line\nsecond line\nThe answer is 9.", 20, 2, end=True)
    assert ending[-1] == "The answer is 9." and ending[0].startswith("…")
    assert all(len(line) <= 20 for line in ending)


def test_numbers_for_people():
    assert [ms(x) for x in (None, 0.0043, 0.043, 1.26, float("nan"))] == ["–", "4.3 ms", "43 ms", "1.3 s", "–"]
    assert percent(0.018, 1) == "1.8 %" and percent(None) == "–"


@pytest.mark.parametrize("text", ["base", "math", "math=0.6,code=0.2", "math=-0.5", "vision=0.25,math=1"])
def test_alphas_are_read_as_the_engine_writes_them(text):
    mix = Mix.parse(text)
    assert parse_alphas(str(mix)) == dict(mix.alphas)


def test_alphas_per_layer_are_shown_by_their_mean():
    assert parse_alphas("math=0.5/1") == {"math": 0.75}


def test_of_many_candidates_the_likeliest_have_bars_and_the_others_are_counted():
    from t2ui.ui.flow import MOST, _bars

    names = tuple(f"e{i:02}" for i in range(40))
    bars, rest = _bars(Run(names=names))
    assert len(bars) == MOST and len(rest) == 41 - MOST and bars[-1][0] == "other"
    scores = {name: 0.02 if name != "e33" else 0.15 for name in names} | {"other": 0.07}
    first = FirstPass("prompt", False, "e33", scores, "e33", "", 0.041)
    bars, rest = _bars(Run(names=names, first_pass=first))
    assert ("e33", 0.15) in bars and bars[-1] == ("other", 0.07) and len(bars) + len(rest) == 41
    html = flow_html(Run(names=names, first_pass=first, prompt="?"), T)
    assert html.count('class="t2-score') == 2 * len(bars) and "32 others: 64" in html  # two drawings
