"""The table of examples: what is read, what keeps its task's grader and picture, what is left out and why."""

from __future__ import annotations

import json

import pytest

from t2ui import example_table
from t2ui.example_table import MAX_CELL, Row, added, judge, origin, read, replaced, take
from t2ui.shots import MAX_EXAMPLES
from t2ui.tasks import TASKS
from t2ui.train.fewshot import shots_of


@pytest.mark.parametrize("task", ["math", "vision_math", "code_unseen"])
def test_what_is_taken_is_what_a_search_from_the_task_would_use(task):
    shots, _ = shots_of(TASKS[task], 5, 3)
    told = judge(take(task, 5, 3))
    assert [(s.prompt, s.reference, s.max_new_tokens) for s in told.shots] == [(s.prompt, s.reference, s.max_new_tokens) for s in shots]
    assert [s.image is None or s.image.tobytes() for s in told.shots] == [s.image is None or s.image.tobytes() for s in shots]
    assert told.how == [f"task:{task}"] * 5 and told.numbers == [1, 2, 3, 4, 5] and told.origin == (task, 3) and not told.left


def test_an_edited_row_loses_picture_and_grader_and_gets_them_back():
    row = take("vision_math", 2, 0)[1]
    assert origin(row.key).shot.image is not None
    edited = Row(row.prompt, row.answer + "1", row.key)
    told = judge([edited])
    assert told.how == ["own"] and told.shots[0].image is None and told.origin is None
    assert told.shots[0].grade(f"The answer is {row.answer}1.") and not told.shots[0].grade(f"The answer is {row.answer}.")
    assert judge([Row(row.prompt, row.answer, row.key)]).how == ["task:vision_math"]


def test_a_key_is_never_believed():
    row = take("math", 1, 0)[0]
    assert judge([Row("Capital of France?", "13", row.key)]).how == ["own"]
    for key in ("", "math", "math:0", "math:0:99", "math:-1:0", "math:1e9:0", "nothing:0:0", "math:9999999999:0", "math:0:0:0", "math:²:0"):
        assert origin(key) is None, key
    assert judge([Row(row.prompt, row.answer, "vision:0:0")]).how == ["family:math"]  # a family reads it all the same


def test_bad_rows_are_named_and_the_others_are_used():
    rows = [Row("Capital of France?", "Paris"), Row(), Row("", "7"), Row("Who?", ""), Row("x" * (MAX_CELL + 1), "1"), Row("y", "1" * (MAX_CELL + 1))]
    told = judge(rows)
    assert told.numbers == [1] and [n for n, _ in told.left] == [3, 4, 5, 6]
    reasons = [why for _, why in told.left]
    assert reasons[0] == "no prompt" and "no answer" in reasons[1] and "prompt has 2,001" in reasons[2] and "answer has 2,001" in reasons[3]
    wrong = take("math", 1, 0)[0]
    assert "computes" in judge([Row(wrong.prompt, "nonsense")]).left[0][1]


def test_what_the_browser_sends_is_bounded():
    def sent(rows):
        return json.dumps({"rows": rows})

    assert read("") == read(None) == [] and read(sent([["a", "b", "k"], ["c", "d"]])) == [Row("a", "b", "k"), Row("c", "d")]
    for broken in ("{", "[]", sent([["a", "b", "c", "d"]]), json.dumps({"rows": 3}), "[" * 100_000):
        with pytest.raises(ValueError, match="cannot be read"):
            read(broken)
    many = read(sent([["a", "b", f"math:{seed}:0"] for seed in range(40)]))
    assert sum(bool(row.key) for row in many) == example_table.MAX_ORIGINS and len(many) == 40
    with pytest.raises(ValueError, match="more than a search takes"):
        read(sent([["a", str(i), ""] for i in range(MAX_EXAMPLES + 1)]))
    with pytest.raises(ValueError, match="more than 1 MB"):
        read("x" * 4_000_001)
    with pytest.raises(ValueError, match="1 to 32"):
        take("nothing", 3, 0)


def test_filling_keeps_what_somebody_wrote():
    mine = [Row("Capital of France?", "Paris"), Row()]
    first, second = take("math", 2, 0), take("code", 3, 0)
    both = replaced(mine, first)
    assert both == [mine[0], *first]
    edited = Row(first[0].prompt, "other", first[0].key)
    assert replaced([mine[0], edited, first[1]], second) == [mine[0], edited, *second]
    assert added(both, [mine[0], Row("New?", "yes")]) == [*both, Row("New?", "yes")]  # what is there already is not there twice
    with pytest.raises(ValueError, match="would have 257"):
        added(mine, [Row("q", str(i)) for i in range(MAX_EXAMPLES)])


def test_examples_are_made_once():
    example_table._examples.cache_clear()
    take("math", 4, 7)
    judge(take("math", 4, 7))
    assert example_table._examples.cache_info().misses == 1
