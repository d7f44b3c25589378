"""Answers, everybody's table, notices: what they say, and that they escape."""

import re
from dataclasses import replace

from t2ui.runs import FirstPass, Row, Run
from t2ui.ui import parts
from t2ui.ui.text import Text

T = Text()
EVIL = '<script>window.pwned=1</script><img src=x onerror=window.pwned=1>'
RUN = Run(
    kind="everybody", stage="done", prompt="p", family="math", names=("math",),
    rows=(
        Row("base", "base", "The answer is 12.", "stop", right=False, why="expected 9, the answer says 12"),
        Row("expert:math", "math", "The answer is 9.", "stop", right=True, why="9 is right"),
        Row("mix", "base", "The", None),
        Row("dispatch", "math=0.5", "", "error", error="no room"),
    ),
)  # fmt: skip


def test_tick_cross_or_cannot_check():
    base, expert, running, _ = RUN.rows
    assert "✗" in parts.verdict(base, RUN, T) and "✓" in parts.verdict(expert, RUN, T)
    assert parts.verdict(running, RUN, T) == ""
    unknown = replace(expert, right=None, why="")
    assert T("verdict.none") in parts.verdict(unknown, RUN, T)
    assert parts.reason(unknown, replace(RUN, family=None), T) == T("verdict.unknown")


def test_the_graders_reason_stands_beside_the_answer():
    html = parts.answers(RUN, ("base", "dispatch"), T)
    assert "expected 9, the answer says 12" in html and "no room" in html


def test_everybody_has_a_line_each_and_counts_the_right_ones():
    html = parts.everybody(RUN, T)
    assert html.count("<tr data-row=") == 4 and T("everybody.count", right=1, n=2) in html
    assert "<tr" not in parts.everybody(replace(RUN, kind="ask"), T)


def test_everything_is_escaped():
    rows = tuple(replace(row, text=EVIL, why=EVIL, mix=EVIL, error=EVIL) for row in RUN.rows)
    run = replace(RUN, prompt=EVIL, rows=rows, error=EVIL, names=(EVIL,))
    pieces = [
        parts.answers(run, ("base", "dispatch"), T), parts.everybody(run, T), parts.run_notice(run, T),
        parts.refused([(EVIL, EVIL)], T), parts.status(T, "loading", EVIL), parts.notice(EVIL, "warn", EVIL),
        parts.recorded_badge(T, {"date": EVIL, "model": EVIL}),
    ]  # fmt: skip
    for html in pieces:
        assert "<script" not in html and "<img" not in html
        assert "&lt;script" in html


def test_notices():
    first = FirstPass("prompt", False, "base", {"other": 1.0}, "other", "", 0.1, True, "the words are unknown")
    outside = parts.run_notice(Run(stage="done", first_pass=first), T)
    assert T.html("run.outside") in outside and "the words are unknown" in outside
    assert parts.run_notice(Run(stage="done", first_pass=replace(first, outside=False)), T) == ""
    assert "3 before you." in parts.run_notice(Run(stage="waiting", waiting=3), T)
    assert "3 before you, about 12 s." in parts.run_notice(Run(stage="waiting", waiting=3, wait=12.4), T)
    assert [parts.wait_words(n, s, T)[-12:] for n, s in ((1, 0.1), (1, 240))] == [", about 1 s.", "about 4 min."]
    assert parts.wait_words(0, 5.0, T) == "" and parts.turn_words(0, None, T) == T("score.waiting")
    assert parts.turn_words(2, 5.0, T).endswith("Busy: 2 before you, about 5 s.")
    assert 'role="alert"' in parts.run_notice(Run(stage="error", error="busy"), T)
    assert parts.notice("") == ""


def test_code_stands_in_a_fixed_width_font():
    assert "t2-code" in parts.text_class("def f(xs):\n    return 1")
    assert "t2-code" not in parts.text_class("The answer is 9.")


def test_words_that_differ_are_marked_and_escaped():
    both = parts.answers(RUN, ("base", "expert:math"), T)
    assert ">9.</mark>" in both and both.count("<mark") == 1 and 'mark class="t2-first"' in both
    running = replace(RUN, rows=(RUN.rows[0], replace(RUN.rows[1], reason=None)))
    assert "<mark" not in parts.answers(running, ("base", "expert:math"), T)


def test_whoever_knows_better_can_overrule():
    first = FirstPass("prompt", False, "math", {"math": 0.9, "other": 0.1}, "math", f"said so {EVIL}", 0.1)
    run = Run(kind="ask", stage="done", prompt="p", names=("math", EVIL), first_pass=first,
              rows=(Row("base", "base", "4", "stop"), Row("dispatch", "math", "5", "stop")))  # fmt: skip
    html = parts.overrule(run, T)
    assert html.count("<button") == 3 and html.count("aria-disabled") == 1 and "<script" not in html
    assert parts.overrule(replace(run, stage="pass2"), T) == "" == parts.overrule(Run(), T)
    told = parts.answers(replace(run, kind="overrule", rows=(run.rows[1], Row("overrule", "base", "4", "stop"))),
                         ("dispatch", "overrule"), T)  # fmt: skip
    assert T("row.overrule") in told and T("row.dispatch") in told


def test_the_proof_line_is_what_the_engine_read_back():
    row = Row("dispatch", "math", "5", "stop", seconds={"mix": 0.008, "total": 1.0}, change=0.018, applied="math=0.6,code=0.25")
    assert "applied: math 0.60, code 0.25, |ΔW|/|W| = 1.8 %, 8.0 ms<" in parts.proof(row, T)
    assert "no mix of these experts" in parts.proof(replace(row, rest=0.4), T)
    assert "applied: no expert, |ΔW|/|W| = 0.0 %<" in parts.proof(replace(row, applied="base", change=0.0), T)
    assert parts.proof(replace(row, reason=None), T) == "" == parts.proof(replace(row, change=None), T)
    assert "<script" not in parts.proof(replace(row, applied=f"{EVIL}=1"), T)
    html = parts.answers(replace(RUN, rows=(row, replace(row, key="base"))), ("base", "dispatch"), T)
    assert html.count("t2-proof") == 1  # the base has nothing to prove


def test_a_thought_is_folded_away_and_escaped():
    row = Row("dispatch", "math", "The answer is 9.", "stop", thinking=f"5 + 4 {EVIL}")
    html = parts.answers(replace(RUN, rows=(row, replace(row, key="base", thinking=""))), ("dispatch", "base"), T)
    details = re.search(r"<details[^>]*>.*?</details>", html, re.S)[0]
    assert html.count("<details") == 1 and " open" not in details and "5 + 4" in details and EVIL not in html
    body = html.replace(details, "")
    assert "The answer is 9." in body and "5 + 4" not in body
    assert f"{len(row.thinking.split())} words" in details
    everybody = parts.everybody(Run(kind="everybody", stage="done", rows=(row,)), T)
    assert everybody.count("<details") == 1 and EVIL not in everybody
    running = parts.answer(replace(row, text="", reason=None), "dispatch", Run(stage="pass2"), T)
    assert "Thinking" in running and T.html("answer.empty") not in running
    assert "Thought only" in parts.thought(replace(row, text="", reason="length"), T)
