"""Conversations through the real engine: every turn is dispatched anew; what is read of earlier ones depends on the model."""

import asyncio
from dataclasses import replace

import pytest

from t2ui import builtin
from t2ui.conversation import Conversation, fitting, memory, play, say
from t2ui.engine import Engine
from t2ui.runs import Halt, Question
from t2ui.tasks import TRAINED, identify, pictures

FIRST = Question("Anna has 12 pens. How many pens are there?", max_new_tokens=6)
SECOND = Question("Ben finds 3 coins. How many coins are there?", max_new_tokens=6)


@pytest.fixture(scope="module")
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        engine.wait()
        yield engine


def collect(turns):
    async def everything():
        return [turn async for turn in turns]

    return asyncio.run(everything())


def test_every_turn_is_dispatched_anew_and_reads_the_ones_before(engine):
    talk = Conversation()
    for question in (FIRST, SECOND):
        turns = collect(say(engine, talk, question))
        assert turns[0].run.stage == "waiting" and turns[-1].run.stage == "done"
    one, two = talk.turns
    assert (one.number, two.number) == (1, 2) and one.run.first_pass.scores != two.run.first_pass.scores
    assert [row.key for row in two.run.rows] == ["dispatch"]
    assert two.question.history == ((FIRST.prompt, one.answer),) and one.question.history == ()
    alone = collect(say(engine, Conversation(), SECOND))[-1]
    assert alone.run.first_pass.scores == pytest.approx(two.run.first_pass.scores)  # the first pass reads the newest message alone
    assert alone.run.prompt_tokens < two.run.prompt_tokens  # the second pass reads all of it
    told = engine.loaded.encode(engine_request(two.question))
    assert two.run.prompt_tokens == len(told.ids)


def engine_request(question):
    from t2ui.engine import Request

    return Request(question.prompt, max_new_tokens=question.max_new_tokens, history=question.history)


def test_the_demo_model_reads_every_message_alone(engine, monkeypatch):
    assert memory(engine.loaded) == "turns"
    monkeypatch.setattr(engine.loaded, "info", replace(engine.loaded.info, is_demo=True))
    assert memory(engine.loaded) == "single"
    talk = Conversation()
    collect(say(engine, talk, FIRST))
    collect(say(engine, talk, SECOND))
    assert talk.turns[1].question.history == () and talk.history[0][0] == FIRST.prompt


def test_a_model_without_a_template_reads_every_message_alone(tiny_lm):
    assert memory(tiny_lm) == "alone"


def test_what_does_not_fit_is_left_out_from_its_beginning(tiny_llava):
    history = tuple((f"Anna has {i} pens and {i} books and {i} apples.", "The answer is 12.") for i in range(12))
    found = fitting(tiny_llava, replace(SECOND, history=history))
    assert 0 < len(found.history) < 12 and found.history == history[-len(found.history) :]
    room = tiny_llava.info.context - SECOND.max_new_tokens
    assert len(tiny_llava.encode(engine_request(found)).ids) <= room
    with pytest.raises(ValueError, match="too long"):
        tiny_llava.encode(engine_request(replace(found, history=history[-len(found.history) - 1 :])))
    assert fitting(tiny_llava, Question("pens " * 400, history=history)).history == ()


def test_retry_and_edit_forget_what_came_after(engine):
    talk = Conversation()
    for question in (FIRST, SECOND, FIRST):
        collect(say(engine, talk, question))
    talk.cut(2)
    turn = collect(say(engine, talk, SECOND, attempt=1))[-1]
    assert [t.number for t in talk.turns] == [1, 2] and turn.attempt == 1 and turn.question.seed == SECOND.seed + 1


def test_a_turn_that_was_cut_does_not_come_back(engine):
    talk = Conversation()
    turn = talk.begin(FIRST)
    talk.cut(1)
    talk.put(turn)
    assert talk.turns == ()


def test_a_stop_ends_the_play_and_keeps_what_was_said(engine):
    talk, halt = Conversation(), Halt()

    async def listen():
        async for turn in play(engine, talk, [FIRST, SECOND, FIRST], halt):
            if turn.number == 2 and turn.run.stage == "pass2":
                halt.stop()

    asyncio.run(listen())
    assert [turn.run.stage for turn in talk.turns] == ["done", "stopped"]


def test_what_the_engine_refuses_ends_the_play(engine):
    talk = Conversation()
    collect(play(engine, talk, [Question("pens " * 400), SECOND], Halt()))
    assert len(talk.turns) == 1 and talk.turns[0].run.stage == "error" and "too long" in talk.turns[0].run.error


def test_the_stream_has_all_four_families_and_is_always_the_same():
    samples = builtin.mixed()
    assert len(samples) == 20 and samples is builtin.mixed()
    families = [sample.family for sample in samples]
    assert {family: families.count(family) for family in TRAINED} == dict.fromkeys(TRAINED, 5)
    assert any(a != b for a, b in zip(families, families[1:], strict=False)) and families != sorted(families)
    for sample in samples:  # every one of them can be checked
        scene = pictures.read(sample.image) if sample.image is not None else None
        assert identify(sample.prompt, scene) is not None
