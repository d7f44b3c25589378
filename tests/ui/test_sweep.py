"""The sweep: its cells, its map, and what it says about the best one."""

import json
import re
from html import unescape

import pytest

from t2ui.scores import STEPS, Score, Scores
from t2ui.ui.composer import InputError
from t2ui.ui.tabs import sweep
from t2ui.ui.text import Text

T = Text()
NAMES = ("math", "code", "vision")
WHAT = sweep.plan("math", "vision", [0.3, 0.7, None, 0.0], "", NAMES, T)


def scores(right) -> tuple[Score, ...]:
    return tuple(Score("m", tuple(i < right(x, y) for i in range(8))) for y in reversed(STEPS) for x in STEPS)


def test_a_cell_for_every_pair_and_the_others_stay():
    assert len(WHAT.alphas) == 25 and WHAT.pair == (0, 2)
    assert {(a[0], a[2]) for a in WHAT.alphas} == {(x, y) for x in STEPS for y in STEPS}
    assert {a[1] for a in WHAT.alphas} == {0.7}
    assert WHAT.alphas[0] == (0.0, 0.7, 1.0) and WHAT.alphas[-1] == (1.0, 0.7, 0.0)  # top left, bottom right


@pytest.mark.parametrize(("first", "second"), [("math", "math"), ("math", "chess"), (None, "code"), (["math"], "code")])
def test_two_different_experts(first, second):
    with pytest.raises(InputError, match="two different"):
        sweep.plan(first, second, [0, 0, 0], "", NAMES, T)


def test_the_map_has_its_numbers_where_they_belong():
    state = Scores("done", "math", 8, scores(lambda x, y: round(4 * x + 3 * y)), 2.0)
    html = sweep.map_html(WHAT, state, NAMES, T)
    buttons = re.findall(r'data-pick="([^"]*)" title="([^"]*)".*?>(\d)/8', html)
    assert len(buttons) == 25
    for data, title, k in buttons:
        x, _, y = json.loads(unescape(data))["mix"]
        assert int(k) == round(4 * x + 3 * y) and title.startswith(f"{k}/8 right with math {x:g}, vision {y:g}; 95 %")
    assert html.count("t2-best") == 1 and "; best" in html
    assert "25 mixes, 8 questions each, in 2.0 s" in html and "★): 7 of 8" in html


def test_it_is_honest_about_ties_and_about_nothing():
    tie = sweep.map_html(WHAT, Scores("done", "math", 8, scores(lambda x, y: 3)), NAMES, T)
    assert "of 24 other mixes" in tie and tie.count("t2-best") == 1
    assert sweep.best_cell(scores(lambda x, y: 3), WHAT.alphas) == 20  # the gentlest of equals: both at 0
    nothing = sweep.map_html(WHAT, Scores("done", "math", 8, scores(lambda x, y: 0)), NAMES, T)
    assert "t2-best" not in nothing and T("sweep.nothing") in nothing
    running = sweep.map_html(WHAT, Scores("scoring", "math", 16, scores(lambda x, y: 2)), NAMES, T)
    assert "8 of 16 questions" in running and "Best" not in running
    assert sweep.map_html(WHAT, Scores("error", "math", 8, (), error="no"), NAMES, T) == ""
    assert T("score.waiting") in sweep.map_html(WHAT, Scores("waiting", "math", 8, (Score("m"),)), NAMES, T)


def test_names_are_escaped_and_choices_follow_the_experts():
    evil = "<script>x</script>"
    what = sweep.plan(evil, "code", [0, 0], evil, (evil, "code"), T)
    assert "<script" not in sweep.map_html(what, Scores("done", "math", 8, scores(lambda x, y: 1)), (evil, "code"), T)
    assert [c["value"] for c in sweep.choices(NAMES, T)] == ["math", "code"]
    assert [c["value"] for c in sweep.choices((), T)] == [None, None] == [c["value"] for c in sweep.choices(("a",), T)][1:] * 2
