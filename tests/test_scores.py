"""Scores of mixes: the same questions for all, a prefix when stopped, and the engine's own answers behind them."""

from __future__ import annotations

import asyncio
import time

import pytest

from t2ui.core.mixing import Mix
from t2ui.engine import Engine, Request
from t2ui.engine.decode import answer_all
from t2ui.runs import Halt
from t2ui.scores import SEED, SPLIT, Score, run_scores
from t2ui.tasks import TASKS
from t2ui.train.statistics import paired, wilson


@pytest.fixture(scope="module")
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        engine.wait()
        yield engine


def collect(engine, mixes, family="math", n=6, **options):
    async def all_of_them():
        return [view async for view in run_scores(engine, mixes, family, n, **options)]

    return asyncio.run(all_of_them())


def test_a_score_and_its_interval():
    score = Score("math", (True, False, True, True))
    assert (score.k, score.n, score.accuracy) == (3, 4, 0.75) and score.interval == wilson(3, 4)
    assert Score("math").interval == (0.0, 1.0) and Score("math").against(score) is None
    other = Score("base", (False, False, True))
    assert score.against(other) == (*paired(score.right[:3], other.right), 3)


def odd(text):
    return sum(map(ord, text)) % 2 == 1


@pytest.fixture
def graded(monkeypatch):
    """What the grader was shown; its verdict: the sum of its characters is odd (the tiny model knows no mathematics)."""
    from t2ui.tasks.base import Grade

    seen = []

    def grade(self, content, answer):
        seen.append((content, answer))
        return Grade(odd(answer), "")

    monkeypatch.setattr(type(TASKS["math"]), "grade", grade)
    return seen


def test_verdicts_are_those_of_the_engines_own_answers(engine, graded):
    mixes = [Mix.base(), Mix({engine.loaded.stack.names[0]: 4.0})]
    last = collect(engine, mixes, n=5)[-1]
    examples = TASKS["math"].examples(SPLIT, 5, SEED)
    assert last.stage == "done" and last.done == 5 and [s.mix for s in last.scores] == [str(m) for m in mixes]

    assert len(graded) == 10

    wanted = [Request(e.prompt, mix=m, max_new_tokens=TASKS["math"].max_new_tokens) for m in mixes for e in examples]
    answers = engine.run(lambda loaded: answer_all(loaded, wanted, mode="rows")).result(timeout=60)
    for i, (request, answer) in enumerate(zip(wanted, answers, strict=True)):
        score = last.scores[mixes.index(request.mix)]
        assert score.right[[e.prompt for e in examples].index(request.prompt)] == odd(answer.text), i
    assert len({v for s in last.scores for v in s.right}) == 2  # so that a constant verdict would be seen


def test_it_grows_and_all_mixes_have_the_same_questions(engine, monkeypatch):
    monkeypatch.setattr("t2ui.scores.ROWS", 4)
    views = collect(engine, [Mix.base(), Mix.single(engine.loaded.stack.names[0])], n=6)
    assert views[0].stage == "waiting" and views[-1].stage == "done" and views[-1].seconds > 0
    assert all(len({s.n for s in v.scores}) == 1 for v in views)
    done = [v.done for v in views]
    assert done == sorted(done) and done[-1] == 6
    shorter = collect(engine, [Mix.base()], n=3)[-1]
    assert shorter.scores[0].right == views[-1].scores[0].right[:3]


def test_a_stop_keeps_whole_questions(engine, monkeypatch):
    monkeypatch.setattr("t2ui.scores.ROWS", 2)
    halt = Halt()

    async def until_two():
        async for view in run_scores(engine, [Mix.base(), Mix.single(engine.loaded.stack.names[0])], "math", 500, halt):
            if view.done >= 2:
                halt.stop()
                at = time.monotonic()
        return view, time.monotonic() - at

    last, took = asyncio.run(until_two())
    assert last.stage == "stopped" and 2 <= last.done < 500 and {s.n for s in last.scores} == {last.done} and took < 10


def test_what_cannot_be_scored_is_said(engine, tiny_lm):
    with pytest.raises(KeyError):
        collect(engine, [Mix.base()], family="chess")
    with pytest.raises(ValueError, match="needs a mix"):
        collect(engine, [])
    assert "chess" in collect(engine, [Mix({"chess": 1.0})])[-1].error
    with Engine(tiny_lm) as text_only:
        text_only.wait()
        last = collect(text_only, [Mix.base()], family="vision", n=2)[-1]
    assert last.stage == "error" and last.over and "picture" in last.error


def test_who_waits_for_a_turn_is_told_how_many_and_for_how_long(held_up):
    engine, go = held_up

    async def main():
        views = []
        async for view in run_scores(engine, [Mix.base()], "math", 1):
            views.append(view)
            if view.waiting:
                go.set()
        return views

    views = asyncio.run(main())
    waited = [view for view in views if view.waiting]
    assert waited and waited[0].waiting == 1 and 0 < waited[0].wait <= 1000.0 and views[-1].stage == "done"
