"""One singular component while somebody watches: looked at on a fixed set of questions, and switched off for one answer.

Nothing here knows of gradio; torch comes with the engine.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from t2ui.runs import Halt, Question, Run, run

if TYPE_CHECKING:
    from t2ui.core.mixing import Mix
    from t2ui.engine import Engine
    from t2ui.engine.component import ComponentReport

SPLIT, SEED, EACH = "validation", 11, 24  # so many questions of every trained family
FRAME = 1 / 8
KEYS = ("with", "without")


@lru_cache(maxsize=1)
def prompts() -> tuple[tuple[str, Any], ...]:
    """The fixed set of questions, (text, picture or None): no expert was trained on them."""
    from t2ui.tasks import TRAINED, get_task
    from t2ui.tasks.pictures import draw

    found: list[tuple[str, Any]] = []
    for family in TRAINED:
        found += [(e.prompt, None if e.scene is None else draw(e.scene)) for e in get_task(family).examples(SPLIT, EACH, SEED)]
    return tuple(found)


async def look(engine: Engine, path: str, index: int, mix: Mix, halt: Halt | None = None) -> AsyncIterator[ComponentReport]:
    """Reports of :func:`t2ui.engine.component.inspect_component`, the newest one at most 8 times a second.

    Raises:
        EngineError: as the engine refuses (an unknown matrix or component, a full queue).
    """
    halt = halt or Halt()
    asked = await asyncio.to_thread(prompts)
    reports: queue.SimpleQueue[ComponentReport] = queue.SimpleQueue()
    # Not held by the halt: a look that is stopped ends by itself, with what it has found.
    waiting = asyncio.ensure_future(_finish(engine.run(lambda loaded: _turns(loaded, path, index, asked, mix, reports, halt))))
    try:
        while True:
            ready, _ = await asyncio.wait({waiting}, timeout=FRAME)
            last = None
            while not reports.empty():
                last = reports.get()
            if last is not None:
                yield last
            if ready and reports.empty():
                waiting.result()
                return
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


def _turns(loaded: Any, path: str, index: int, asked: Any, mix: Mix, reports: Any, halt: Halt) -> Iterator[None]:
    from t2ui.engine.component import inspect_component

    for report in inspect_component(loaded, path, index, asked, mix, _Stop(halt)):  # type: ignore[arg-type]
        reports.put(report)
        yield


async def switched_off(
    engine: Engine, path: str, index: int, question: Question, mix: Mix, halt: Halt | None = None
) -> AsyncIterator[Run]:
    """The same question under the same mix with and without the component, as two rows of one batch.

    Yields runs with the rows ``with`` and ``without`` (see :func:`t2ui.runs.run`); no weight is written.

    Raises:
        ValueError: what no module path or index can be.
    """
    names = dict(zip(("pin", "mix"), KEYS, strict=True))
    async for state in run(engine, "mix", question, mix=mix.without(path, index), pinned=mix, halt=halt):
        yield replace(state, rows=tuple(replace(row, key=names.get(row.key, row.key)) for row in state.rows))
