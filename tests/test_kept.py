"""Answers that are kept: the same again costs nothing and says so; anything else is computed."""

import asyncio
from dataclasses import replace

import pytest
from PIL import Image

from t2ui.core.mixing import Mix
from t2ui.engine import Engine
from t2ui.kept import Kept
from t2ui.runs import FirstPass, Halt, Question, Row, overrule, run

QUESTION = Question("Anna has 12 pens. How many pens are there?", max_new_tokens=8)


@pytest.fixture(scope="module")
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        engine.wait()
        yield engine


def collect(states):
    async def everything():
        return [state async for state in states]

    return asyncio.run(everything())


def test_the_same_question_again_is_not_computed(engine, monkeypatch):
    kept = Kept()
    first = collect(run(engine, "everybody", QUESTION, mix=Mix.parse("code=0.5"), kept=kept))[-1]
    assert not first.kept
    monkeypatch.setattr(engine, "submit", None)  # nothing may reach the engine
    monkeypatch.setattr(engine, "dispatch", None)
    again = collect(run(engine, "everybody", QUESTION, mix=Mix.parse("code=0.5"), kept=kept))[-1]
    assert again.kept and again.over and again.family == first.family
    assert [(r.key, r.text, r.right, r.logprob) for r in again.rows] == [(r.key, r.text, r.right, r.logprob) for r in first.rows]


def test_only_what_is_new_is_computed(engine):
    kept = Kept()
    collect(run(engine, "ask", QUESTION, kept=kept))
    last = collect(run(engine, "mix", QUESTION, mix=Mix.parse("vision=0.3"), kept=kept))[-1]
    assert [row.kept for row in last.rows] == [True, False] and not last.kept
    assert last.row("mix").reason in ("stop", "length") and last.row("mix").text != ""


def test_an_overruled_answer_is_kept_too(engine):
    kept = Kept()
    before = collect(run(engine, "ask", QUESTION, kept=kept))[-1]
    for known in (before.row("dispatch").mix == "vision=1", True):
        assert collect(overrule(engine, before, QUESTION, "vision", kept=kept))[-1].row("overrule").kept is known


@pytest.mark.parametrize(
    "change",
    [{"prompt": "Anna has 13 pens."}, {"seed": 1}, {"temperature": 0.5}, {"max_new_tokens": 9},
     {"image": Image.new("RGB", (4, 4))}, {"history": (("Who?", "Anna."),)}],
)  # fmt: skip
def test_another_question_is_another_answer(change):
    kept = Kept()
    kept.keep_answer(QUESTION, Row("mix", "math=1", "12", "stop"))
    assert kept.answer(QUESTION, "math=1", "base").key == "base"
    assert kept.answer(replace(QUESTION, **change), "math=1", "mix") is None
    assert kept.answer(QUESTION, "math=0.5", "mix") is None


def test_what_was_stopped_is_not_kept(engine):
    kept, halt = Kept(), Halt()
    halt.stop()
    collect(run(engine, "mix", QUESTION, kept=kept, halt=halt))
    kept.keep_answer(QUESTION, Row("mix", "math=1", "1", "cancelled"))
    assert kept.answer(QUESTION, "math=1", "mix") is None and kept.answer(QUESTION, "base", "base") is None


def test_other_experts_mean_other_answers(engine):
    kept = Kept()
    kept.belongs(engine.loaded)
    kept.keep_answer(QUESTION, Row("mix", "math=1", "12", "stop"))
    kept.belongs(engine.loaded)
    assert len(kept) == 1
    old = engine.loaded.stack
    try:
        engine.loaded.stack = engine.loaded._stack()  # what a refresh does
        kept.belongs(engine.loaded)
    finally:
        engine.loaded.stack = old
    assert len(kept) == 0


def test_the_oldest_is_dropped_and_a_kept_mix_file_is_read_again():
    kept = Kept(most=2)
    for i in range(3):
        kept.keep_answer(replace(QUESTION, seed=i), Row("mix", "math=1", str(i), "stop"))
    assert kept.answer(QUESTION, "math=1", "mix") is None and kept.answer(replace(QUESTION, seed=2), "math=1", "mix").text == "2"
    first = FirstPass("few-shot:a", False, "math=1", {}, "math", "", 0.0)
    kept.keep_first_pass(QUESTION, "few-shot:a", False, first)
    assert kept.first_pass(QUESTION, "few-shot:a", False) is None


def test_how_sure_an_answer_was(engine):
    last = collect(run(engine, "mix", QUESTION))[-1].row("base")
    assert last.sure == pytest.approx(2.718281828 ** (last.logprob / last.tokens)) and 0 < last.sure <= 1
    assert replace(last, reason="cancelled").sure is None and replace(last, logprob=None).sure is None
