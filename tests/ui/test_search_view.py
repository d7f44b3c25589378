"""The pictures of a search: what they say, what they warn of, that they escape."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import pytest

from t2ui.example_table import MAX_CELL, Row, judge, take
from t2ui.searches import Cell, Generation, SearchView
from t2ui.shots import MAX_EXAMPLES
from t2ui.tasks import TASKS as FAMILIES
from t2ui.ui import search_view
from t2ui.ui.composer import MAX_PROMPT, InputError
from t2ui.ui.tabs import own
from t2ui.ui.tabs import search as tab
from t2ui.ui.text import Text

from .test_text import FORBIDDEN

T = Text()
EVIL = "<script>window.pwned=1</script>"


def generation(index, best):
    points = tuple(((0.1 * i, 1 - 0.1 * i), best - 0.1 * i, i < 2) for i in range(6))
    return Generation(index, points, (0.3, 0.7), (0.1, 0.2), best, best - 0.2)


VIEW = SearchView("searching", "vision_math", ("math", "vision"), "accuracy", 5, (generation(0, 0.5), generation(1, 0.8)),
                  (((0.2, 0.4), 0.6),), done=3, total=12, evaluations=27, seconds=3.0)  # fmt: skip


def test_the_numbers_are_the_curve_the_last_generation_and_what_is_being_tried():
    told = search_view.numbers(VIEW, T)
    assert told["curve"] == [[0, 0.5, 0.3], [1, 0.8, 0.6]] and told["accuracy"] and told["planned"] == 5
    assert told["last"]["index"] == 1 and told["last"]["mean"] == [0.3, 0.7] and told["all"] is None
    assert [p[-1] for p in told["last"]["points"]] == [0, 0, 0, 0, 1, 1]  # elites on top
    assert told["pending"] == [[0.2, 0.4, 0.6]] and told["share"] == 0.25 and told["busy"]
    assert json.loads(search_view.picture(VIEW, T)) == told


def test_a_value_stays_small_while_it_runs_and_holds_every_generation_once_it_is_over():
    many = replace(VIEW, names=("a", "b", "c", "d"), planned=50, generations=tuple(
        Generation(i, tuple(((0.1, 0.2, 0.3, 0.4), 0.5, k < 8) for k in range(32)), (0.1,) * 4, (0.1,) * 4, 0.5, 0.5) for i in range(50)))  # fmt: skip
    assert len(search_view.picture(many, T)) < 6_000
    over = search_view.numbers(replace(many, stage="done", pending=()), T)
    assert [g["index"] for g in over["all"]] == list(range(50)) and not over["busy"] and over["share"] == 0


def test_progress_within_a_stage_is_told_in_words():
    for check, words in ((("check", 3, 48), "3 of 48"), (("draws", 5, 9), "5 of 9"), (("expert:math", 25, 100), "math alone, 25 of 100")):
        told = search_view.words(replace(VIEW, stage="measuring", check=check), T)
        assert words in told and search_view.numbers(replace(VIEW, stage="measuring", check=check), T)["share"] > 0


def test_a_kept_default_is_explained_and_can_be_overruled():
    kept = replace(VIEW, stage="done", mix="math=1", chosen="default", searched="math=0.4,vision=0.9", default_right=12,
                   searched_right=13, n_fresh=16)  # fmt: skip
    html = search_view.result(kept, T)
    assert "on 16 fresh examples it has 12 right" in html.replace("&#x27;", "'") and "math=0.4,vision=0.9" in html
    assert html.count("data-pick") == 2 and T.html("search.use_anyway") in html
    assert T.html("search.use_anyway") not in search_view.result(replace(VIEW, stage="done", mix="math=1", chosen="best"), T)


def test_every_figure_of_a_result_has_a_name():
    names = ("base", "found", "dispatch", "uniform", "all", "random")
    done = replace(VIEW, stage="done", mix="math=1", chosen="mean", heldout=(
        *cells(**dict.fromkeys(names, 0.5)), *(replace(c, name="expert:math") for c in cells(base=0.7))))  # fmt: skip
    html = search_view.result(done, T)
    assert all(T.html(f"search.cell_{name}") in html for name in names) and T.html("search.cell_alone", name="math") in html


def test_words_tell_the_time_that_is_left():
    told = search_view.words(VIEW, T)
    assert "Generation 3 of 5" in told and "27 answers" in told
    assert T("search.left", time="3.7 s") in told  # 60 answers in all, 27 done in 3 s
    done = search_view.words(replace(VIEW, stage="done", ended="converged after 2 generations", first=0.5), T)
    assert T("search.converged") in done and "500 ms" in done
    assert T("search.stopped") in search_view.words(replace(VIEW, stage="stopped"), T)


def test_nothing_yet_is_drawn_empty():
    assert search_view.frame(T).count("t2-blank") == 2
    empty = search_view.numbers(SearchView(), T)
    assert empty["words"] == list(T.two("search.idle")) and not empty["curve"] and empty["last"] is None


def cells(**accuracy):
    return tuple(Cell(name, a, a - 0.05, a + 0.05, 100) for name, a in accuracy.items())


def test_the_result_can_be_used_and_downloaded():
    done = replace(VIEW, stage="done", mix="math=0.5,vision=0.2/0.4", chosen="mean",
                   heldout=cells(base=0.1, uniform=0.2, found=0.9))  # fmt: skip
    html = search_view.result(done, T)
    assert 'data-pick="{&quot;mix&quot;: &quot;math=0.5,vision=0.2/0.4&quot;}"' in html
    recipe = json.loads(base64.b64decode(re.search(r"base64,([^\"]+)", html).group(1)))
    assert recipe == {"alphas": {"math": 0.5, "vision": [0.2, 0.4]}, "task": "vision_math"}
    assert html.count("<tr data-cell=") == 3 and T.html("search.heldout", n=100) in html
    assert ">0.30<" in html  # the mean over the layers
    assert search_view.result(VIEW, T) == ""


def test_honest_hints():
    done = replace(VIEW, stage="done", mix="math=1", shots=1.0, n_shots=10)
    assert search_view.hints(replace(done, heldout=cells(base=0.1, all=0.2, found=0.9)), T) == []
    learnt = search_view.hints(replace(done, heldout=cells(base=0.1, found=0.6)), T)
    assert len(learnt) == 1 and "60 %" in learnt[0] and "100 %" in learnt[0]
    beaten = search_view.hints(replace(done, shots=None, heldout=cells(base=0.1, all=0.8, uniform=0.7, found=0.6)), T)
    assert len(beaten) == 1 and T("search.cell_all") in beaten[0] and "80 %" in beaten[0]
    assert len(search_view.hints(replace(done, fresh=0.5), T)) == 1


def test_everything_is_escaped():
    view = replace(VIEW, names=("math", EVIL), mix="math=1", error=None, task=EVIL, stage="done")
    evil = search_view.broken([("Line 3:", EVIL)] * 9, T)
    for html in (search_view.frame(T, view), search_view.picture(view, T), search_view.result(view, T), evil):
        assert "<script" not in html
    assert T.html("search.more_lines", n=4) in evil
    assert search_view.broken([], T) == ""


def test_the_list_of_tasks_is_that_of_the_families():
    assert set(tab.TASKS) == set(FAMILIES) and set(tab.PRESETS) == {"live", "light", "paper"}


def test_the_tables_bounds_are_those_of_the_examples():
    assert (own.MOST, own.LONGEST) == (MAX_EXAMPLES, MAX_CELL) and MAX_CELL == MAX_PROMPT


def test_rows_of_a_table_are_searched_with_and_unedited_ones_are_a_search_from_their_task():
    taken = json.loads(own.as_value(take("vision_math", 4, 2), T))
    assert len(taken["rows"]) == 4 and all(value[3].startswith("data:image/png") for value in taken["from"].values())

    def ready(rows, text=""):
        return tab.prepare(T, "own", "math", 3, text, "live", False, 9, table=json.dumps({"rows": rows}))

    whole = ready(taken["rows"])
    task = tab.prepare(T, "task", "vision_math", 4, "", "live", False, 2)
    assert whole.task == "vision_math" and [s.prompt for s in whole.shots] == [s.prompt for s in task.shots]
    assert [s.prompt for s in whole.fresh] == [s.prompt for s in task.fresh]
    mixed = ready([*taken["rows"], ["Capital of France?", "Paris", ""], ["", "7", ""]], "prompt,answer\nCapital of France?,Paris\nWho?,Ann\n")
    assert mixed.task == "" and not mixed.fresh and len(mixed.shots) == 6  # what stands in both counts once
    assert mixed.places[-2:] == (T("search.row", n=5), T("search.line", n=3)) and mixed.left == ((T("search.row", n=6), "no prompt"),)
    with pytest.raises(InputError, match="Row 1: no prompt"):
        ready([["", "7", ""]])
    for broken in ("{", "[1]", json.dumps({"rows": [["a", "b", "c", "d"]]})):
        with pytest.raises(InputError, match="cannot be read"):
            tab.prepare(T, "own", "math", 3, "", "live", False, 9, table=broken)


def test_the_page_says_how_rows_are_judged():
    assert own.spans([3, 1, 2, 7]) == "1–3, 7" and own.spans([4]) == "4"
    rows = [*take("vision_math", 2, 0), Row("Capital of France?", EVIL), Row(take("math", 1, 0)[0].prompt, ""), Row("", EVIL)]
    html = own.told_html(judge(rows), T)
    assert T.html("search.judged_own", rows="Row 3") in html and "<script" not in html and "Rows 1–2" in html
    assert T.html("search.judged_family", rows="Row 4", name="math") in html and "Row 5:" in html


def test_what_is_not_given_is_the_presets_and_what_is_given_counts():
    ready = tab.prepare(T, "task", "math", 3, "", "live", False, 5, "accuracy", 7, 0)
    assert ready.settings.objective == "accuracy" and ready.settings.population == 7 and ready.settings.generations == 8
    for budget in ((-1, None), (None, 51), (129, 1)):
        with pytest.raises(InputError, match="Mixes a generation must be 1 to 128, generations 1 to 50"):
            tab.prepare(T, "task", "math", 3, "", "live", False, 5, "preset", *budget)
    kept = tab.prepare(T, "task", "math", 3, "", "live", False, 5, "preset", 7, 0, None, 3).settings
    assert round(kept.elites * kept.population) == 3
    for wrong in (8, -1):
        with pytest.raises(InputError, match="Of 7 mixes a generation 1 to 7 can be kept"):
            tab.prepare(T, "task", "math", 3, "", "live", False, 5, "preset", 7, 0, None, wrong)


def test_set_up():
    ready = tab.prepare(T, "task", "math", 3, "", "live", False, 5)
    assert len(ready.shots) == 3 and len(ready.fresh) == tab.FRESH and ready.task == "math"
    assert ready.settings.seed == 5 and ready.settings.objective == "likelihood" and ready.settings.rows == tab.ROWS
    own = '{"prompt": "Capital of France?", "answer": "Paris"}\n{"oops": 1}'
    ready = tab.prepare(T, "own", "math", 3, own, "paper", True, 0)
    assert len(ready.shots) == 1 and ready.task == "" and [where for where, _ in ready.left] == [T("search.line", n=2)]
    assert ready.settings.per_layer and ready.settings.objective == "accuracy"


@pytest.mark.parametrize(("values", "message"), [
    (("own", "math", 3, "", "live", False, 0), "no examples yet"),
    (("own", "math", 3, '{"oops": 1}', "live", False, 0), "no prompt"),
    (("own", "math", 3, "a;b\n1;2", "live", False, 0), "one must be prompt"),
    (("task", "math", 3, "", "live", False, -1), "seed"),
    (("task", "math", 3, "", "live", False, None), "seed"),
])  # fmt: skip
def test_set_ups_that_cannot_be_searched(values, message):
    with pytest.raises(InputError, match=message):
        tab.prepare(T, *values)


def test_in_plain_words_there_is_none_of_the_fields_words():
    """What Simple mode shows: everything but the expert's spans."""
    for state in (VIEW, replace(VIEW, stage="measuring", check=("dispatch", 1, 2)), replace(VIEW, stage="measuring", check=("check", 1, 2)),
                  replace(VIEW, stage="done", ended="x", mix="math=0.5", chosen="mean", shots=1.0, n_shots=8,
                          heldout=cells(base=0.4, uniform=0.2, all=0.3, dispatch=0.9, found=0.5))):  # fmt: skip
        html = search_view.frame(T) + search_view.result(state, T)
        shown = re.sub(r"<[^>]+>", " ", re.sub(r'<(span|tspan) class="t2-x">.*?</\1>', "", html))
        shown += " ".join([search_view.numbers(state, T)["words"][1], *(simple for _, simple in search_view.texts(T).values())])
        assert not FORBIDDEN.search(shown), shown
        assert "dispatch" in html or not state.heldout
