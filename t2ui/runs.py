"""One question and everything that is answered to it: the code that runs it on an engine (its plain data: ``t2ui.run_data``).

The page draws a :class:`Run`, ``python -m t2ui record`` writes one to disk, a test replays it. Nothing here knows of
gradio; torch and transformers come with the engine that is handed in, so that importing this module stays cheap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from t2ui.checker import Checker
from t2ui.kept import Kept
from t2ui.run_data import KINDS, STAGES, FirstPass, Question, Row, Run, from_base64, thumbnail

if TYPE_CHECKING:  # torch takes seconds to import: the page is on the screen before that
    from t2ui.core.mixing import Mix
    from t2ui.engine import Delta, Engine

FRAME = 1 / 12  # seconds between two pictures of a running answer: at most 12 updates a second
LOOK = 0.25  # seconds between two looks at a queue

__all__ = ["FRAME", "KINDS", "STAGES", "Ahead", "FirstPass", "Halt", "Question", "Row", "Run", "from_base64", "mixes", "overrule", "queued",
           "run", "thumbnail"]  # fmt: skip


class Halt:
    """A visitor's stop: cancels whatever the engine is doing for this run, and stays set.

    ``replaced`` says that the visitor started another run instead: this one has nothing more to show.
    """

    def __init__(self) -> None:
        self.stopped = self.replaced = False
        self._work: Any = None

    def hold(self, work: Any) -> Any:
        """Remember the stream or reply that a stop has to cancel."""
        self._work = work
        if self.stopped:
            work.cancel()
        return work

    def stop(self) -> None:
        self.stopped = True
        if self._work is not None:
            self._work.cancel()


@dataclass(frozen=True)
class Ahead:
    """Who waits: ``jobs`` stand before him, for about ``seconds`` (None: nobody knows)."""

    jobs: int
    seconds: float | None = None


async def queued(reply: Any, every: float = LOOK) -> AsyncIterator[Any]:
    """While a reply of the engine waits for its turn, an :class:`Ahead` now and then; at the end the reply's value.

    Raises what the reply raises. A task that is cancelled here cancels the reply, as awaiting it does.
    """
    value = asyncio.ensure_future(_value(reply))
    try:
        while not (await asyncio.wait({value}, timeout=every))[0]:
            before, seconds = reply.ahead
            if before:
                yield Ahead(before, seconds)
        yield value.result()
    finally:
        value.cancel()


async def _value(reply: Any) -> Any:
    return await reply


def mixes(kind: str, names: tuple[str, ...], current: Mix, chosen: Mix | None, pinned: Mix | None = None) -> dict[str, Mix]:
    """Which rows a kind of run has, in the order in which they are shown; a pinned mix stands in the base's place."""
    from t2ui.core.mixing import Mix

    rows = {"base": Mix.base()} if pinned is None else {"pin": pinned}
    if kind == "everybody":
        rows |= {f"expert:{name}": Mix.single(name) for name in names}
    if kind in ("everybody", "mix"):
        rows["mix"] = current
    if kind == "turn":
        rows = {}
    if chosen is not None:
        rows["dispatch"] = chosen
    return rows


async def run(
    engine: Engine,
    kind: str,
    question: Question,
    *,
    soft: bool = False,
    mix: Mix | None = None,
    halt: Halt | None = None,
    strategy: str = "prompt",
    pinned: Mix | None = None,
    kept: Kept | None = None,
) -> AsyncIterator[Run]:
    """Ask a question and yield the picture of it as it grows, at most 12 times a second; the last one is ``over``.

    Args:
        kind: ``ask``, ``everybody``, ``mix`` or ``turn``.
        strategy: how the first pass chooses (see ``t2ui.engine.dispatch``).
        soft: blend experts by dispatch's scores instead of taking the likeliest.
        mix: the visitor's current mix (base if None).
        pinned: answer with this mix in place of the base.
        kept: this visitor's earlier answers: what is in there is not computed again, what is new goes in there.
        halt: set from elsewhere to stop; what has been answered by then is kept.

    What the engine refuses (an empty prompt, a full queue, no model) ends the run with stage ``error`` and the
    engine's own message; other exceptions are bugs and pass through.
    """
    from t2ui.core.mixing import Mix
    from t2ui.engine import EngineError, Request

    if kind not in KINDS or kind == "overrule":
        raise ValueError(f"kind must be ask, everybody, mix or turn, got {kind!r}")
    halt = halt or Halt()
    state = Run(kind, "waiting", question.prompt, thumbnail(question.image), soft=soft)
    try:
        if engine.loaded is None:
            raise EngineError(engine.text or "the model is not loaded yet")
        from t2ui.cells import expert_names

        names = expert_names(engine.loaded)
        state = replace(state, names=names)
        settings = dict(
            image=question.image,
            temperature=float(question.temperature),
            seed=int(question.seed),
            max_new_tokens=int(question.max_new_tokens),
        )
        Request(question.prompt, **settings).check()
        kept = Kept(0) if kept is None else kept
        kept.belongs(engine.loaded)
        # Nobody waits for the graders to read the question: their verdict is wanted at the end.
        checker = asyncio.ensure_future(asyncio.to_thread(Checker, question))
        chosen = None
        if kind != "mix":
            state = replace(state, stage="pass1")
            yield state
            first = kept.first_pass(question, strategy, soft)
            if first is None:
                reply = halt.hold(engine.dispatch(question.prompt, question.image, strategy, soft))
                found = None
                async for found in queued(reply):
                    if isinstance(found, Ahead):
                        yield replace(state, stage="waiting", waiting=found.jobs, wait=found.seconds)
                first = _first_pass(found, soft)
                kept.keep_first_pass(question, strategy, soft, first)
            chosen = Mix.parse(first.mix)
            state = replace(state, stage="pass2", first_pass=first)
        rows = mixes(kind, names, mix or Mix.base(), chosen, pinned)
        before = [kept.answer(question, str(each), key) for key, each in rows.items()]
        shown = [old or Row(key, str(each)) for old, (key, each) in zip(before, rows.items(), strict=True)]
        state = replace(state, stage="pass2", rows=tuple(shown))
        yield state
        new = [i for i, old in enumerate(before) if old is None]
        every = list(rows.values())
        requests = [Request(question.prompt, mix=every[i], history=question.history, **settings) for i in new]
        async for grown in _answers(engine, requests, state, new, checker, halt):
            state = grown
            for row in state.rows if state.over else ():
                kept.keep_answer(question, row)
            yield state
    except EngineError as error:
        yield replace(state, stage="stopped" if halt.stopped else "error", error=None if halt.stopped else str(error))
    except asyncio.CancelledError:
        # A stop cancels the engine's reply, which surfaces here; a visitor who left cancels this very task.
        halt.stop()
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        yield replace(state, stage="stopped")


async def overrule(
    engine: Engine, before: Run, question: Question, choice: str, halt: Halt | None = None, kept: Kept | None = None
) -> AsyncIterator[Run]:
    """Dispatch is overruled: the same question with another expert (``base``: without one), beside the old answer.

    Args:
        before: a run of both passes that is over; its first pass and dispatch's answer are kept as they are.
        question: the question of that run.
        choice: an expert's name, or ``base``.
        kept: as in :func:`run`.

    Raises:
        ValueError: ``before`` has no answer of dispatch, or is about another question.
    """
    from t2ui.core.mixing import Mix
    from t2ui.engine import EngineError, Request

    old = before.row("dispatch")
    if old is None or before.first_pass is None or before.prompt != question.prompt:
        raise ValueError("there is no decision to overrule: ask the question first")
    halt = halt or Halt()
    mix = Mix.base() if choice == "base" else Mix.single(choice)
    known = kept.answer(question, str(mix), "overrule") if kept is not None else None
    state = replace(before, kind="overrule", stage="pass2", rows=(old, known or Row("overrule", str(mix))), error=None)
    yield state
    try:
        request = Request(question.prompt, question.image, mix, temperature=float(question.temperature),
                          seed=int(question.seed), max_new_tokens=int(question.max_new_tokens))  # fmt: skip
        checker = asyncio.ensure_future(asyncio.to_thread(Checker, question))
        requests = [] if known is not None else [request]
        async for grown in _answers(engine, requests, state, [1], checker, halt):
            state = grown
            if kept is not None and state.over:
                kept.keep_answer(question, state.rows[1])
            yield state
    except EngineError as error:
        yield replace(state, stage="stopped" if halt.stopped else "error", error=None if halt.stopped else str(error))


async def _answers(
    engine: Engine, requests: list[Any], state: Run, places: Sequence[int], checker: asyncio.Future[Checker], halt: Halt
) -> AsyncIterator[Run]:
    """The second pass: apply deltas to the rows, and show them not more often than :data:`FRAME`.

    Request i belongs to row ``places[i]``; other rows stay as they are. Without requests it is over at once.
    """
    if not requests:
        yield replace(state, family=(await checker).family, stage="done")
        return
    stream = halt.hold(engine.submit([replace(request, logprobs=True) for request in requests]))
    rows, shown = list(state.rows), 0.0
    deltas = aiter(stream)
    coming = asyncio.ensure_future(anext(deltas, None))
    try:
        while True:
            ready, _ = await asyncio.wait({coming}, timeout=LOOK)
            if not ready:
                before, seconds = stream.ahead
                if before:
                    state = replace(state, stage="waiting", waiting=before, wait=seconds)
                    yield state
                continue
            first = coming.result()
            if first is None:
                break
            batch = [first]
            if (rest := shown + FRAME - time.monotonic()) > 0:
                await asyncio.sleep(rest)
            batch += stream.drain()
            for delta in batch:
                at = places[delta.row]
                rows[at] = _grow(rows[at], delta)
                if delta.done:
                    rows[at] = await asyncio.to_thread(await checker, rows[at])
            if checker.done():
                state = replace(state, family=checker.result().family)
            tokens = state.prompt_tokens or next(
                (len(a.prompt_tokens) for a in stream.answers if a.prompt_tokens), None
            )
            state = replace(state, stage="pass2", waiting=0, wait=None, rows=tuple(rows), prompt_tokens=tokens)
            shown = time.monotonic()
            yield state
            coming = asyncio.ensure_future(anext(deltas, None))
        if stream.error is not None and not halt.stopped:
            raise stream.error
        yield replace(state, stage="stopped" if halt.stopped else "done")
    finally:
        coming.cancel()
        if not stream.done:
            stream.cancel()


def _first_pass(found: Any, soft: bool) -> FirstPass:
    """What the engine's dispatch said, as plain data."""
    return FirstPass(found.strategy, soft, str(found.mix), dict(found.scores), found.choice, found.why, found.seconds,
                     found.outside, found.outside_why, found.question)  # fmt: skip


def _grow(row: Row, delta: Delta) -> Row:
    return replace(
        row,
        text=row.text + delta.text,
        thinking=row.thinking + delta.thinking,
        tokens=row.tokens + len(delta.tokens),
        reason=delta.reason if delta.done else row.reason,
        error=delta.error or row.error,
        seconds=dict(delta.seconds) if delta.seconds else row.seconds,
        change=delta.applied.change if delta.applied else row.change,
        applied=(delta.applied.found or delta.applied.mix) if delta.applied else row.applied,
        rest=delta.applied.rest if delta.applied else row.rest,
        ids=row.ids + delta.tokens,
        logprob=(row.logprob or 0.0) + sum(delta.logprobs) if delta.tokens else row.logprob,
    )
