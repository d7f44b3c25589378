"""A few-shot search as the page shows it: run turn by turn on the engine, pictured as plain frozen data.

The page draws a :class:`SearchView`; nothing here knows of gradio. torch comes with the engine.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2ui.runs import Halt

if TYPE_CHECKING:
    from t2ui.engine import Engine, Loaded
    from t2ui.engine.search import SearchSettings, Shot

FRAME = 1 / 8
SCORE_ROWS = {"cpu": 8}  # rows of a batch that is only read: 5 % slower than 32 on two cores, and four times as many pictures
SCORE_ROWS_ELSEWHERE = 64
MOST_SINGLES = 8  # experts that are measured alone, beside the mix found
STAGES = ("idle", "waiting", "searching", "measuring", "done", "stopped", "error")


@dataclass(frozen=True)
class Generation:
    """One told generation, small enough to keep: ``points`` are (alphas, score, elite)."""

    index: int
    points: tuple[tuple[tuple[float, ...], float, bool], ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    best: float
    average: float


@dataclass(frozen=True)
class Cell:
    """One held-out figure: right of n with a 95 % interval."""

    name: str
    accuracy: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class SearchView:
    """A search at one moment.

    Attributes:
        names: the experts, in the order of the alphas (per layer: the layers' mean is shown).
        objective: what a score is: a share of right answers, or nats a token.
        generations: those that are complete. pending: (alphas, score) of the candidates scored since.
        planned: the budget in generations. done, total: answers of the present generation, also within a batch.
        check: what else is being answered, once the generations are over: (``check`` for the choice of the mix, else the figure's
            name, answers done, of how many).
        mix: the mix found, as ``str(Mix)``; ``chosen`` of ``mean``, ``best`` or ``default`` (dispatch's choice was kept).
        searched: what the search itself found, where ``default`` was kept; default_right, searched_right: right answers on the
            ``n_fresh`` fresh examples that decided so.
        waiting, wait: while it waits for a turn, as those of :class:`t2ui.runs.Run`.
        shots, fresh: accuracy on the shots and on fresh examples, where known.
        heldout: figures on test examples: base, the found mix, then simple ways (``expert:NAME`` for one alone, ``random`` for
            a random search of the same budget).
    """

    stage: str = "idle"
    task: str = ""
    names: tuple[str, ...] = ()
    objective: str = "likelihood"
    planned: int = 0
    generations: tuple[Generation, ...] = ()
    pending: tuple[tuple[tuple[float, ...], float], ...] = ()
    done: int = 0
    total: int = 0
    evaluations: int = 0
    seconds: float = 0.0
    first: float | None = None
    mix: str = ""
    chosen: str = ""
    searched: str = ""
    default_right: int = 0
    searched_right: int = 0
    n_fresh: int = 0
    shots: float | None = None
    fresh: float | None = None
    n_shots: int = 0
    heldout: tuple[Cell, ...] = ()
    ended: str = ""
    error: str | None = None
    check: tuple[str, int, int] | None = None
    notes: tuple[str, ...] = field(default=())
    waiting: int = 0
    wait: float | None = None

    @property
    def over(self) -> bool:
        return self.stage in ("done", "stopped", "error")


async def run_search(
    engine: Engine,
    shots: Sequence[Shot],
    settings: SearchSettings,
    *,
    task: str = "",
    fresh: Sequence[Shot] = (),
    heldout_n: int = 0,
    halt: Halt | None = None,
    path: Path | None = None,
) -> AsyncIterator[SearchView]:
    """Search, then measure the mix found on held-out examples of ``task`` (``heldout_n`` of them; 0: none), beside simpler ways
    and a random search of the same budget.

    A refusal of the engine (no examples, no expert, a file of another search) ends with stage ``error`` and its words.
    """
    from t2ui.engine import EngineError

    halt = halt or Halt()
    begun = time.monotonic()
    state = SearchView("waiting", task, objective=settings.objective, planned=settings.generations, n_shots=len(shots))
    yield state
    reports: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def job(loaded: Any) -> Any:
        return _job(loaded, shots, settings, fresh, names, path, task, heldout_n, reports, halt)

    try:
        if engine.loaded is None:
            raise EngineError(engine.text or "the model is not loaded yet")
        from t2ui.cells import expert_names

        names = expert_names(engine.loaded)
        state = replace(state, names=names)
        # Not held by the halt: a search that is stopped ends by itself, within a batch, and keeps its best.
        reply = engine.run(job)
        waiting = asyncio.ensure_future(_finish(reply))
        while True:
            ready, _ = await asyncio.wait({waiting}, timeout=FRAME)
            grown = state
            while not reports.empty():
                grown = _take(grown, reports.get(), begun)
            if grown is not state:
                state = grown
                yield state
            if ready and reports.empty():
                waiting.result()
                break
            if state.stage == "waiting" and (ahead := reply.ahead) != (state.waiting, state.wait):
                state = replace(state, waiting=ahead[0], wait=ahead[1])
                yield state
        yield replace(state, stage="stopped" if halt.stopped else "done", check=None)
    except (EngineError, ValueError) as error:
        yield replace(state, stage="error", error=str(error))
    except asyncio.CancelledError:
        halt.stop()
        raise


async def _finish(reply: Any) -> Any:
    return await reply


@dataclass(frozen=True)
class Heard:
    """How far something is between two reports: see ``heard`` of :func:`t2ui.engine.search.search`."""

    what: str
    done: int
    total: int


class _Stop:
    """A halt as the event that the engine looks at."""

    def __init__(self, halt: Halt) -> None:
        self._halt = halt

    def is_set(self) -> bool:
        return self._halt.stopped


def _job(loaded: Any, shots: Sequence[Any], settings: Any, fresh: Sequence[Any], names: Sequence[str], path: Path | None,
         task: str, heldout_n: int, reports: Any, halt: Halt) -> Any:  # fmt: skip
    """In the model's thread, a turn per micro-batch of the search and per held-out figure."""
    from t2ui.engine.search import search, usual_choice

    stop: Any = _Stop(halt)
    usual = usual_choice(loaded, shots) if fresh else None
    yield
    pace = SCORE_ROWS.get(loaded.device.type, SCORE_ROWS_ELSEWHERE)
    heard = lambda what, done, total: reports.put(Heard(what, done, total))
    for report in search(loaded, shots, settings, fresh=fresh, start=usual, default=usual, names=names, stop=stop, path=path,
                         score_rows=pace, heard=heard):  # fmt: skip
        reports.put(report)
        yield
        last = report
    if heldout_n and task and not halt.stopped:
        family = _Heldout(loaded, task, heldout_n, halt)
        yield from family.cells(last.result.mix, reports)
        lucky = None
        budget = replace(settings, method="random", tolerance=0.0, generations=max(1, last.generation))
        whole = budget.population * budget.generations * len(shots)
        for other in search(loaded, shots, budget, fresh=fresh, names=names, stop=stop, score_rows=pace):
            lucky = other.result
            reports.put(Heard("draws", other.evaluations, whole))
            yield
        if lucky is not None and not halt.stopped:
            yield from family.measure("random", [lucky.mix] * heldout_n, reports)


class _Heldout:
    """Test examples of a family, answered with one mix after the other."""

    def __init__(self, loaded: Any, task: str, n: int, halt: Halt) -> None:
        from t2ui.tasks import get_task
        from t2ui.tasks.pictures import draw

        self.loaded, self.family, self.halt = loaded, get_task(task), halt
        self.examples = self.family.examples("test", n, 77)
        self.pictures = [None if e.scene is None else draw(e.scene) for e in self.examples]

    def cells(self, found: Any, reports: Any) -> Iterator[None]:
        """Base and the found mix, then what one would have taken without a search: dispatch, even shares, all at 1, each expert."""
        from t2ui.core import Mix
        from t2ui.engine.dispatch import dispatch_all

        n, names = len(self.examples), self.loaded.stack.names
        yield from self.measure("base", [Mix.base()] * n, reports)
        yield from self.measure("found", [found] * n, reports)
        strategy = "classifier" if self.loaded.dispatcher is not None else "prompt"
        decided = dispatch_all(self.loaded, [e.prompt for e in self.examples], self.pictures, strategy)
        yield from self.measure("dispatch", [d.mix for d in decided], reports)
        yield from self.measure("uniform", [Mix(dict.fromkeys(names, 1 / len(names)))] * n, reports)
        yield from self.measure("all", [Mix(dict.fromkeys(names, 1.0))] * n, reports)
        for name in names[:MOST_SINGLES]:
            yield from self.measure(f"expert:{name}", [Mix.single(name)] * n, reports)

    def measure(self, name: str, mixes: Sequence[Any], reports: Any) -> Iterator[None]:
        from t2ui.engine.decode import answer_all
        from t2ui.engine.request import Request

        right, n = 0, len(self.examples)
        for begin in range(0, n, 25):  # small batches: others are waiting for their turn
            if self.halt.stopped:
                return
            part = slice(begin, begin + 25)
            requests = [Request(e.prompt, p, m, max_new_tokens=self.family.max_new_tokens)
                        for e, p, m in zip(self.examples[part], self.pictures[part], mixes[part], strict=True)]  # fmt: skip
            tell = lambda done, _, begin=begin: reports.put(Heard(name, begin + done, n))
            answers = answer_all(self.loaded, requests, mode="rows", progress=tell)
            right += sum(self.family.grade(e.content, a.text).right for e, a in zip(self.examples[part], answers, strict=True))
            yield
        low, high = interval(right, n)
        reports.put(Cell(name, right / n, low, high, n))


def estimate(loaded: Any, shots: Sequence[Shot], settings: SearchSettings, second_per_token: float) -> float:
    """Seconds that a search will take at most, at this speed: tokens of all candidates' rows, read (and decoded, where answers
    count; their length is taken from the references). Raises RequestError for an example that does not fit."""
    from t2ui.engine.request import Request

    tokens = 0
    for shot in shots:
        tokens += len(loaded.encode(Request(shot.prompt, shot.image, max_new_tokens=shot.max_new_tokens)).ids)
        said = len(loaded.tokenizer(shot.reference, add_special_tokens=False)["input_ids"]) if shot.reference else 0
        tokens += said or shot.max_new_tokens
    return settings.population * settings.generations * tokens * second_per_token


def unreadable(loaded: Loaded, shots: Sequence[Shot]) -> dict[int, str]:
    """The places of the shots that this model cannot be asked (too long, say), each with the reason."""
    from t2ui.engine import RequestError
    from t2ui.engine.request import Request

    refused = {}
    for i, shot in enumerate(shots):
        try:
            loaded.encode(Request(shot.prompt, shot.image, max_new_tokens=shot.max_new_tokens))
        except RequestError as error:
            refused[i] = str(error)
    return refused


def interval(right: int, n: int) -> tuple[float, float]:
    """95 % (Wilson), as everywhere in the project."""
    from t2ui.train.statistics import wilson

    return wilson(right, n)


def _take(state: SearchView, report: Any, begun: float) -> SearchView:
    """The picture after one more report."""
    if isinstance(report, Cell):
        return replace(state, stage="measuring", heldout=(*state.heldout, report), check=None)
    if isinstance(report, Heard):
        if report.what == "batch":
            return replace(state, done=report.done, total=report.total)
        return replace(state, stage="measuring", check=(report.what, report.done, report.total))
    first = state.first
    if first is None and report.scored:
        first = time.monotonic() - begun
    state = replace(state, stage="searching", evaluations=report.evaluations, seconds=report.seconds, done=report.done,
                    total=report.total, first=first, check=None)  # fmt: skip
    k = max(1, len(state.names))
    if report.kind == "batch":
        points = tuple((_alphas(report.candidates[i].tolist(), k), score[0]) for i, score in report.scored)
        return replace(state, pending=points)
    if report.kind == "generation":
        told, scores = report.round, [score[0] for score in report.round.scores]
        elites = set(told.elites)
        points = tuple((_alphas(c.tolist(), k), s, i in elites)
                       for i, (c, s) in enumerate(zip(told.candidates, scores, strict=True)))  # fmt: skip
        found = Generation(told.index, points, _alphas(told.mean.tolist(), k), _alphas(told.spread.tolist(), k),
                           told.best_score[0], sum(scores) / len(scores))  # fmt: skip
        return replace(state, generations=(*state.generations, found), pending=())
    result = report.result
    chosen = {"mean": result.mean, "best": result.best, "default": result.default}[result.chosen]
    state = replace(state, mix=str(result.mix), chosen=result.chosen, shots=result.shots_accuracy, ended=report.stopped,
                    fresh=chosen.accuracy if result.validated_on == "fresh" else None, pending=())  # fmt: skip
    if result.chosen != "default":
        return state
    won = max(result.mean, result.best, key=lambda verdict: verdict.score)
    return replace(state, searched=str(result.searched), default_right=sum(result.default.right), searched_right=sum(won.right),
                   n_fresh=len(won.right))  # fmt: skip


def _alphas(values: Sequence[float], k: int) -> tuple[float, ...]:
    """One number per expert; alphas per layer are shown by their mean over the layers."""
    rows = len(values) // k
    return tuple(round(sum(values[layer * k + i] for layer in range(rows)) / rows, 4) for i in range(k))
