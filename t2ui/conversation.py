"""A conversation: turns that are dispatched anew, one by one. Plain data and the code that runs it; nothing of gradio.

What of the earlier turns a turn reads depends on the model (:func:`memory`). The first pass always reads the newest prompt alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from t2ui.kept import Kept
from t2ui.runs import Halt, Question, Run, run, thumbnail

if TYPE_CHECKING:
    from t2ui.engine import Engine

MOST = 100  # turns that are remembered; older ones are dropped
ALONE, SINGLE, TURNS = "alone", "single", "turns"


def memory(loaded: Any) -> str:
    """What of the earlier turns this model reads.

    ``turns``: all that fit, as its chat template writes them. ``single``: none, for it was trained on single questions (the
    demo model). ``alone``: none, for it has no chat template that takes several turns.
    """
    if loaded.info.is_demo:
        return SINGLE
    return TURNS if loaded.codec.takes_turns else ALONE


def fitting(loaded: Any, question: Question) -> Question:
    """The question with as much of its history as the model's context holds, the newest turns first.

    A question that is too long even alone comes back without history: the engine says so in its own words.
    """
    from t2ui.engine import Request, RequestError

    history = question.history
    while history:
        try:
            loaded.encode(Request(question.prompt, question.image, max_new_tokens=question.max_new_tokens, history=history))
            break
        except RequestError:
            history = history[1:]
    return replace(question, history=history)


@dataclass(frozen=True)
class Turn:
    """One message and its answer.

    Attributes:
        number: 1, 2, ... in this conversation.
        question: as it was asked; its ``history`` is what the second pass really read.
        run: both passes, at this moment.
        attempt: how often it was tried again; it is added to the seed.
    """

    number: int
    question: Question
    run: Run
    attempt: int = 0

    @property
    def answer(self) -> str:
        row = self.run.row("dispatch")
        return row.text if row is not None else ""


class Conversation:
    """The turns of one visitor. ``editing``: the number of the turn that the next message replaces, or None."""

    def __init__(self) -> None:
        self.turns: tuple[Turn, ...] = ()
        self.editing: int | None = None

    def get(self, number: object) -> Turn | None:
        return next((turn for turn in self.turns if turn.number == number), None)

    def cut(self, number: int) -> None:
        """Forget that turn and all that came after it."""
        self.turns = tuple(turn for turn in self.turns if turn.number < number)

    def begin(self, question: Question, attempt: int = 0) -> Turn:
        """A new turn at the end."""
        number = self.turns[-1].number + 1 if self.turns else 1
        asked = Run("turn", "waiting", question.prompt, thumbnail(question.image))
        turn = Turn(number, question, asked, attempt)
        self.turns = (*self.turns, turn)[-MOST:]
        return turn

    def put(self, turn: Turn) -> None:
        """How a turn stands now; one that was cut meanwhile stays forgotten."""
        self.turns = tuple(turn if old.number == turn.number and old.question.prompt == turn.question.prompt else old
                           for old in self.turns)  # fmt: skip

    @property
    def history(self) -> tuple[tuple[str, str], ...]:
        """What was said so far: turns that have an answer."""
        return tuple((turn.question.prompt, turn.answer) for turn in self.turns if turn.run.over and turn.answer.strip())

    @property
    def right(self) -> tuple[int, int]:
        """(right, checked) of the answers that a grader could check."""
        verdicts = [row.right for turn in self.turns if (row := turn.run.row("dispatch")) and row.right is not None]
        return sum(verdicts), len(verdicts)


async def say(
    engine: Engine,
    conversation: Conversation,
    question: Question,
    *,
    attempt: int = 0,
    strategy: str = "prompt",
    soft: bool = False,
    halt: Halt | None = None,
    kept: Kept | None = None,
) -> AsyncIterator[Turn]:
    """Add a turn and answer it in two passes; yields it as it grows, the last one is over.

    ``question`` comes without history: what the model reads of the conversation is decided here (:func:`memory`).
    """
    loaded = engine.loaded
    if loaded is not None and memory(loaded) == TURNS:
        question = await asyncio.to_thread(fitting, loaded, replace(question, history=conversation.history))
    question = replace(question, seed=(question.seed + attempt) % 2**31)
    turn = conversation.begin(question, attempt)
    yield turn
    async for state in run(engine, "turn", question, soft=soft, strategy=strategy, halt=halt, kept=kept):
        turn = replace(turn, run=state)
        conversation.put(turn)
        yield turn


async def play(
    engine: Engine, conversation: Conversation, questions: Iterable[Question], halt: Halt, **options: Any
) -> AsyncIterator[Turn]:
    """One question after the other, until they are all answered, one fails, or ``halt`` stops it."""
    for question in questions:
        if halt.stopped:
            return
        turn = None
        async for turn in say(engine, conversation, question, halt=halt, **options):
            yield turn
        if turn is None or turn.run.stage != "done":
            return
