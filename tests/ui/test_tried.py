"""The mixes a visitor has tried: numbers, scores, the pin, and the table of them."""

import gradio as gr
import pytest

from t2ui.scores import SEED, SPLIT, Score, Scores
from t2ui.ui.composer import InputError
from t2ui.ui.session import Sessions
from t2ui.ui.tabs import score as part
from t2ui.ui.tabs.mix import NARROW, WIDE, build
from t2ui.ui.text import Text
from t2ui.ui.tried import MOST, History, history_html, percents

T = Text()
EVIL = "<script>window.pwned=1</script>"


def test_a_mix_keeps_its_number_and_moves_to_the_top():
    history = History()
    first, second = history.add("math", [1.0, None]), history.add("code", [0.0, 1.0])
    assert (first.number, second.number) == (1, 2) and first.alphas == (1.0, 0.0)
    history.score(1, "math", Score("math", (True, False)))
    again = history.add("math", [1.0, 0.0])
    assert again.number == 1 and again.scores["math"].n == 2 and [e.number for e in history.entries] == [1, 2]


def test_an_answers_seed_stays_with_its_mix():
    history = History()
    assert history.add("math", [1.0]).seed is None  # only scored
    assert history.add("math", [1.0], seed=7).seed == 7
    assert history.add("math", [1.0]).seed == 7  # scored again
    assert history.add("math", [1.0], seed=0).seed == 0


def test_the_table_says_when_with_which_seed_and_on_which_split(monkeypatch):
    monkeypatch.setattr("t2ui.ui.tried.time.time", lambda: 1_700_000_000.0)
    history = History()
    history.add("code=1", [0.0, 1.0])
    history.add("math=1", [1.0], seed=7)
    html = history_html(history, T)
    assert html.count('<time datetime="2023-11-14T22:13:20Z">22:13 UTC</time>') == 2  # the browser writes it in its own zone
    assert html.count("seed 7") == html.count("data-seed") == 1 and SPLIT not in html
    history.score(1, "code", Score("code=1", (True,)))
    assert f"({SPLIT} split, seed {SEED})" in history_html(history, T)


def test_a_score_over_more_questions_stays():
    history = History()
    history.add("math", [1.0])
    history.score(1, "math", Score("math", (True,) * 5))
    history.score(1, "math", Score("math", (False,) * 3))
    history.score(1, "code", Score("math"))  # nothing was answered
    assert history.get(1).scores["math"].k == 5 and "code" not in history.get(1).scores


def test_the_pin_goes_on_and_off_and_survives_a_long_list():
    history = History()
    history.add("math", [1.0])
    history.pin(1)
    for i in range(MOST + 10):
        history.add(f"code={i + 1}", [0.0])
    assert history.pin_entry.mix == "math" and len(history.entries) <= MOST + 1
    for wrong in (1, None, "x", 999, {}):  # the pinned one again, or nothing that is known
        history.pin(1) if history.pinned is None else None
        history.pin(wrong)
        assert history.pinned is None


def test_the_table_says_n_interval_and_the_difference_to_the_pinned_mix():
    history = History()
    history.add("base", [0.0])
    history.add("math=0.5", [0.5])
    history.score(1, "math", Score("base", (False,) * 10))
    history.score(2, "math", Score("math=0.5", (True,) * 8 + (False,) * 2))
    assert "against" not in history_html(history, T).replace("t2-against", "")
    history.pin(1)
    html = history_html(history, T)
    low, high = Score("", (True,) * 8 + (False,) * 2).interval
    assert f"8 of 10 right: 80 %, 95 % interval {percents(low, high)}" in html
    assert "against the pinned one: +80 points" in html and "n = 10" in html and html.count('aria-pressed="true"') == 1
    assert T("history.empty") in history_html(History(), T)


def test_what_is_shown_is_escaped():
    history = History()
    history.add(f"{EVIL}=1", [1.0], EVIL)
    history.score(1, EVIL, Score(EVIL, (True,)))
    assert "<script" not in history_html(history, T)


def test_a_loaded_mix_widens_the_range_and_switches_off_what_it_breaks():
    with gr.Blocks():
        tab = build(T, ("math", "code"), [], 12)
    plain, beyond = tab.loaded([0.4, 0.6]), tab.loaded([1.5, 0.0], "[[1,0,1],[1,1,1]]")
    assert len(plain) == len(tab.mixer)
    assert plain[0]["value"] == 0.4 and "minimum" not in plain[0]
    assert plain[-1] == "" and plain[-2] is not False and plain[-3] is not True
    assert beyond[-3] is True and beyond[-2] is False and beyond[-1] == "[[1,0,1],[1,1,1]]"
    assert all((u["minimum"], u["maximum"]) == WIDE != NARROW for u in beyond[:-3])


def test_the_card_of_a_score():
    mine, base = Score("math", (True, True, False, True)), Score("base", (False, True, False, False))
    running = part.view_html(Scores("scoring", "math", 8, (mine, base)), None, T)
    assert "4 of 8 questions" in running and "against" not in running and "3 of 4 right: 75 %" in running
    over = part.view_html(Scores("done", "math", 4, (mine,), 1.2), base, T)
    assert "4 questions of math in 1.2 s" in over and "Your mix against the base: +50 points" in over
    alone = part.view_html(Scores("done", "math", 4, (base,), 1.2), None, T)
    assert "1 of 4 right" in alone and T("score.mine") not in alone
    assert part.view_html(Scores("error", "math", 4, (mine,), error="no"), None, T) == ""


@pytest.mark.parametrize(("family", "n"), [("chess", 20), (None, 20), (["math"], 20), ("math", 10_000), ("math", None)])
def test_only_known_families_and_sizes(family, n):
    with pytest.raises(InputError):
        part.check(family, n, T)
    assert part.check("math", 20, T) == ("math", 20)


def test_nobody_sees_what_another_tried():
    sessions = Sessions()
    sessions.tried("a").add("math", [1.0])
    assert sessions.tried("b").entries == () and len(sessions.tried("a").entries) == 1
    sessions.forget("a")
    assert sessions.tried("a").entries == ()
