"""How many of a family's questions a mix answers right, measured while somebody watches: one mix, or many side by side.

The questions are those of the family's validation split: no expert was trained on them, but mixes are chosen by them, so
that a final figure belongs to the test split. All mixes get the same questions, a longer set begins with the shorter
one, and answers are greedy. Nothing here knows of gradio.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from t2ui.runs import Halt
from t2ui.train.statistics import paired, wilson

if TYPE_CHECKING:
    from t2ui.core.mixing import Mix
    from t2ui.engine import Engine

SPLIT, SEED = "validation", 5
ROWS = 32  # rows of a batch: small, for others wait for their turn meanwhile
FRAME = 1 / 8  # seconds between two pictures
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)  # the alphas of a sweep


@dataclass(frozen=True)
class Score:
    """One mix. Attributes: mix: as ``str(Mix)``; right: a verdict per question, in the questions' order."""

    mix: str
    right: tuple[bool, ...] = ()

    @property
    def n(self) -> int:
        return len(self.right)

    @property
    def k(self) -> int:
        return sum(self.right)

    @property
    def accuracy(self) -> float:
        """0 to 1; 0 before the first question."""
        return self.k / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % (Wilson); everything is possible before the first question."""
        return wilson(self.k, self.n) if self.n else (0.0, 1.0)

    def against(self, other: Score) -> tuple[float, tuple[float, float], int] | None:
        """(difference, its 95 % interval, n) over the questions that both answered; None if there are none."""
        n = min(self.n, other.n)
        return (*paired(self.right[:n], other.right[:n]), n) if n else None


@dataclass(frozen=True)
class Scores:
    """A measurement at one moment.

    Attributes:
        stage: ``waiting``, ``scoring``, ``done``, ``stopped`` or ``error``.
        family, n: whose questions, and how many are planned.
        scores: one per mix, in the order given; all have answered the same questions so far.
        seconds: since it began.
        waiting, wait: while it waits for a turn, as those of :class:`t2ui.runs.Run`.
    """

    stage: str
    family: str
    n: int
    scores: tuple[Score, ...]
    seconds: float = 0.0
    error: str | None = None
    waiting: int = 0
    wait: float | None = None

    @property
    def done(self) -> int:
        """Questions that all mixes have answered."""
        return self.scores[0].n if self.scores else 0

    @property
    def over(self) -> bool:
        return self.stage in ("done", "stopped", "error")


async def run_scores(
    engine: Engine, mixes: Sequence[Mix], family: str, n: int, halt: Halt | None = None
) -> AsyncIterator[Scores]:
    """Score mixes on the first ``n`` questions of a family, a micro-batch a turn; a stop keeps what was measured.

    A refusal of the engine (a model that sees no pictures, a full queue) ends with stage ``error`` and its words.

    Raises:
        KeyError: an unknown family. ValueError: no mix, or n < 1.
    """
    from t2ui.engine import EngineError
    from t2ui.tasks import get_task

    task = get_task(family)
    if not mixes or n < 1:
        raise ValueError(f"a score needs a mix and a question, got {len(mixes)} mixes and n = {n}")
    halt, begun = halt or Halt(), time.monotonic()
    state = Scores("waiting", family, n, tuple(Score(str(mix)) for mix in mixes))
    yield state
    reports: queue.SimpleQueue[list[list[bool]]] = queue.SimpleQueue()
    try:
        if engine.loaded is None:
            raise EngineError(engine.text or "the model is not loaded yet")
        examples = await asyncio.to_thread(task.examples, SPLIT, n, SEED)
        # Not held by the halt: a measurement that is stopped ends by itself, within a step of a batch.
        reply = engine.run(lambda loaded: _turns(loaded, list(mixes), task, examples, reports, halt))
        waiting = asyncio.ensure_future(_finish(reply))
        while True:
            ready, _ = await asyncio.wait({waiting}, timeout=FRAME)
            grown = state
            while not reports.empty():
                grown = _take(grown, reports.get())
            if grown is not state:
                state = replace(grown, seconds=time.monotonic() - begun)
                yield state
            if ready and reports.empty():
                waiting.result()
                break
            if state.stage == "waiting" and (ahead := reply.ahead) != (state.waiting, state.wait):
                state = replace(state, waiting=ahead[0], wait=ahead[1])
                yield state
        ended = "done" if state.done == n else "stopped"
        yield replace(state, stage=ended, seconds=time.monotonic() - begun)
    except (EngineError, ValueError) as error:
        yield replace(state, stage="error", error=str(error))
    except (asyncio.CancelledError, GeneratorExit):
        halt.stop()
        raise


async def _finish(reply: Any) -> Any:
    return await reply


class _Stop:
    """A halt as the event that the engine looks at."""

    def __init__(self, halt: Halt) -> None:
        self._halt = halt

    def is_set(self) -> bool:
        return self._halt.stopped


def _turns(loaded: Any, mixes: list[Mix], task: Any, examples: Sequence[Any], reports: Any, halt: Halt) -> Iterator[None]:
    """In the model's thread: all mixes answer the next few questions side by side as the rows of one batch."""
    from t2ui.engine.decode import answer_all
    from t2ui.engine.request import Request
    from t2ui.tasks.pictures import draw

    each, stop = max(1, ROWS // len(mixes)), _Stop(halt)
    for begin in range(0, len(examples), each):
        if halt.stopped:
            return
        part = examples[begin : begin + each]
        pictures = [None if e.scene is None else draw(e.scene) for e in part]
        requests = [Request(e.prompt, picture, mix, max_new_tokens=task.max_new_tokens)
                    for mix in mixes for e, picture in zip(part, pictures, strict=True)]  # fmt: skip
        answers = answer_all(loaded, requests, mode="rows", stop=stop)  # type: ignore[arg-type]
        if any(answer.reason == "cancelled" for answer in answers):
            return  # a batch that was cut off measures nothing
        verdicts = [task.grade(part[i % len(part)].content, a.text).right for i, a in enumerate(answers)]
        reports.put([verdicts[m * len(part) : (m + 1) * len(part)] for m in range(len(mixes))])
        yield


def _take(state: Scores, verdicts: list[list[bool]]) -> Scores:
    scores = tuple(replace(s, right=(*s.right, *new)) for s, new in zip(state.scores, verdicts, strict=True))
    return replace(state, stage="scoring", scores=scores)
