"""A run that is over, played again from its own times."""

from dataclasses import replace
from pathlib import Path

from t2ui import recorded
from t2ui.replay import frames
from t2ui.runs import Run

RUN = recorded.load(Path(__file__).parents[1] / "assets" / "recorded" / "run.json").run


def test_pictures_grow_up_to_the_run_itself():
    shown = list(frames(RUN))
    assert shown[0].seconds == 0 and shown[0].run.stage == "pass1" and not shown[0].run.rows
    assert shown[-1].run == RUN and [f.seconds for f in shown] == sorted(f.seconds for f in shown)
    assert shown[1].seconds == RUN.first_pass.seconds
    for key in ("base", "dispatch"):
        texts = [row.text for f in shown if (row := f.run.row(key)) is not None]
        assert all(b.startswith(a) for a, b in zip(texts, texts[1:], strict=False)) and texts[0] == ""
        assert all(f.run.row(key).right is None for f in shown[1:3])  # nothing is graded before it ends


def test_an_overruled_answer_stands_from_the_beginning():
    old = RUN.row("dispatch")
    other = replace(RUN, kind="overrule", rows=(old, replace(RUN.row("base"), key="overrule")))
    shown = list(frames(other))
    assert all(f.run.row("dispatch") == old for f in shown) and shown[0].run.row("overrule").text == ""


def test_a_run_without_answers_is_one_picture():
    assert [f.run for f in frames(Run(stage="error", error="no"))] == [Run(stage="error", error="no")]
