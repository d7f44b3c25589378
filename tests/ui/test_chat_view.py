"""What the Conversation tab draws of real turns: strip, turns, tally; nothing typed becomes markup."""

import asyncio
import re
from dataclasses import replace

import pytest

from t2ui.conversation import Conversation, say
from t2ui.engine import Engine
from t2ui.kept import Kept
from t2ui.runs import Question
from t2ui.ui import chat_view
from t2ui.ui.tabs.talk import draw
from t2ui.ui.text import Text

T = Text()
EVIL = '<img src=x onerror="window.pwned=1">'


@pytest.fixture(scope="module")
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        engine.wait()
        yield engine


def talk_of(engine, *prompts, **options) -> Conversation:
    talk = Conversation()

    async def everything():
        for prompt in prompts:
            async for _ in say(engine, talk, Question(prompt, max_new_tokens=6), **options):
                pass

    asyncio.run(everything())
    return talk


def test_a_bar_per_turn_with_its_numbers_as_text(engine):
    talk = talk_of(engine, "Anna has 12 pens. How many pens?", "Ben has 3 coins. How many coins?", soft=True)
    html = chat_view.strip(talk.turns, T)
    assert html.count("<li ") == 2
    for turn in talk.turns:
        for name, score in turn.run.first_pass.scores.items():
            if name != "other":
                assert f"{name} {score:.2f}" in html.replace("\u00a0", " ")  # in words, for every expert
    heights = [float(h) for h in re.findall(r"height:([\d.]+)%", html)]
    assert len(heights) == 6 and all(0 <= h <= 100 for h in heights)
    for name in ("math", "code", "vision"):
        assert name in html.split("t2-legend")[1]


def test_a_turn_that_is_being_read_has_a_bar_already():
    talk = Conversation()
    talk.begin(Question("How many?"))
    html = chat_view.strip(talk.turns, T)
    assert "being read" in html and html.count("<li ") == 1
    assert T("talk.strip_empty") in chat_view.strip((), T)


def test_nothing_typed_becomes_markup(engine):
    talk = talk_of(engine, EVIL)
    for piece in draw(talk, T):
        assert "<img src=x" not in piece
    assert "&lt;img" in chat_view.log(talk.turns, T)


def test_only_turns_that_are_over_have_buttons(engine):
    talk = talk_of(engine, "Take 9, add 4. What do you get?")
    talk.begin(Question("And Ben?"))
    _, log, now, tally = draw(talk, T)
    assert log.count("data-pick") == 2 and "data-pick" not in now and "And Ben?" in now
    assert re.fullmatch(r"<p>[01] of 1 right</p>", tally)


def test_what_was_read_tried_and_kept_is_said(engine):
    talk, kept = Conversation(), Kept()

    async def twice():
        for _ in range(2):
            async for _ in say(engine, talk, Question("Anna has 12 pens. How many pens?", max_new_tokens=4), kept=kept):
                pass
            talk.cut(2)
        async for _ in say(engine, talk, Question("And Ben?", max_new_tokens=4, temperature=0.5), attempt=2):
            pass

    asyncio.run(twice())
    html = chat_view.log(talk.turns, T)
    assert "read with 1 earlier turns" in html and "try 3, seed 2" in html
    again = replace(talk.turns[0], run=replace(talk.turns[0].run, rows=(replace(talk.turns[0].run.rows[0], kept=True),)))
    assert T("answer.kept") in chat_view.turn_html(again, T)


def test_editing_offers_a_way_out():
    talk = Conversation()
    assert chat_view.editing_html(talk, T) == ""
    talk.editing = 3
    assert "Message 3" in chat_view.editing_html(talk, T) and "cancel" in chat_view.editing_html(talk, T)
