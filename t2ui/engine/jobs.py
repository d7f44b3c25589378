"""What the model's thread works on: requests to answer, and calls that take turns beside them."""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from .decode import decode
from .errors import EngineError
from .model import Encoded, Loaded
from .request import Delta, Request
from .scheduler import Row, Scheduler, words
from .stream import Channel, cancelled

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Traffic:
    """How busy an engine is: live rows (answers being written), other jobs under way, and jobs that wait."""

    rows: int
    jobs: int
    waiting: int


class Job:
    """Something that takes turns in the model's thread. :meth:`turn` does one step and says whether more follow.

    Attributes:
        began, ended: of ``time.perf_counter``; 0 before that.
    """

    urgent = False  # somebody looks at the page and waits for it

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.submitted = time.perf_counter()
        self.began = self.ended = 0.0

    @property
    def kind(self) -> str:
        """Jobs of one kind take about as long: ``answer``, ``urgent`` or ``work``."""
        return "urgent" if self.urgent else "work"

    def turn(self, loaded: Loaded) -> bool:
        raise NotImplementedError

    def end(self, error: BaseException | None) -> None:
        """The last word to whoever listens: ``error`` if it failed, None if it was cancelled before its end."""
        raise NotImplementedError


class DecodeJob(Job):
    """Requests to answer: rows of the scheduler (:meth:`join`), or, where the model has no slots, a batch of their own; a
    turn is then one token of every live row."""

    def __init__(self, requests: list[Request], encoded: list[Encoded] | None) -> None:
        super().__init__()
        self.requests, self.encoded = requests, encoded
        self.channel = Channel(requests)
        self.rows: dict[int, Row] = {}
        self._open = set(range(len(requests)))
        self._steps: Iterator[list[Delta]] | None = None
        self._queued = 0.0

    @property
    def kind(self) -> str:
        return "answer"

    def join(self, loaded: Loaded, scheduler: Scheduler) -> None:
        """Every request becomes a row; one that cannot is told why, and the others go on."""
        errors: list[BaseException] = []
        for i, request in enumerate(self.requests):
            try:
                encoded = self.encoded[i] if self.encoded else loaded.encode(request)
                self.channel.books[i].prompt_tokens = encoded.ids
                row = Row(request, encoded, i, self._deliver, self.stop, self.submitted)
                scheduler.join(row)
                self.rows[i] = row
            except Exception as error:  # noqa: BLE001 - one row's failure must not end the others
                if not isinstance(error, EngineError):
                    log.exception("a row could not join")
                errors.append(error)
                self._open.discard(i)
                self.channel.put([Delta(i, done=True, reason="error", error=words(error),
                                        seconds={"total": time.perf_counter() - self.submitted})])  # fmt: skip
        if not self._open:
            self.channel.close(errors[0])

    def _deliver(self, delta: Delta) -> None:
        self.channel.put([delta])
        if delta.done:
            self._open.discard(delta.row)
            if not self._open:
                self.ended = time.perf_counter()
                self.channel.close(self._failure())

    def _failure(self) -> EngineError | None:
        """What ended the job, if no row of it ended well."""
        lasts = [book.last for book in self.channel.books]
        failed = [d.error for d in lasts if d is not None and d.reason == "error"]
        return EngineError(str(failed[0])) if len(failed) == len(lasts) else None

    def turn(self, loaded: Loaded) -> bool:
        if self._steps is None:
            self._queued = time.perf_counter() - self.submitted
            for request in self.requests:  # again: the experts may have been read anew since submit
                loaded.check_mix(request.mix)
            encoded = self.encoded or [loaded.encode(r) for r in self.requests]
            for book, e in zip(self.channel.books, encoded, strict=True):
                book.prompt_tokens = e.ids
            self._steps = decode(loaded, self.requests, self.stop, encoded)
        deltas = next(self._steps, None)
        if deltas is None:
            self.channel.close()
            return False
        self._open.difference_update(d.row for d in deltas if d.done)
        self.channel.put([self._timed(d) for d in deltas])
        return True

    def _timed(self, delta: Delta) -> Delta:
        if delta.seconds is None:
            return delta
        s, q = delta.seconds, self._queued
        return replace(delta, seconds={"queue": q, **s, "first": s["first"] + q, "total": s["total"] + q})

    def end(self, error: BaseException | None) -> None:
        if self._steps is not None:
            self._steps.close()  # type: ignore[attr-defined]
        total = {"queue": self._queued, "total": time.perf_counter() - self.submitted}
        reason, said = ("cancelled", None) if error is None else ("error", words(error))
        rows = sorted(self._open)
        self.channel.put([Delta(row, done=True, reason=reason, error=said, seconds=total) for row in rows])
        self.channel.close(error)


class CallJob(Job):
    """A function of the loaded model; if it returns a generator, each of its steps is one turn."""

    def __init__(self, fn: Callable[[Loaded], Any], urgent: bool = False) -> None:
        super().__init__()
        self.fn, self.future, self.urgent = fn, Future(), urgent
        self._steps: Any = None

    def turn(self, loaded: Loaded) -> bool:
        if self.future.cancelled():  # by a task that awaited it
            if self._steps is not None:
                self._steps.close()
            return False
        if self._steps is None:
            value = self.fn(loaded)
            if not inspect.isgenerator(value):
                self._set(value)
                return False
            self._steps = value
        try:
            next(self._steps)
        except StopIteration as end:
            self._set(end.value)
            return False
        return True

    def _set(self, value: Any) -> None:
        if self.future.set_running_or_notify_cancel():
            self.future.set_result(value)

    def end(self, error: BaseException | None) -> None:
        if self._steps is not None:
            self._steps.close()
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error or cancelled())
