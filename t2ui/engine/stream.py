"""What a caller holds while the model's thread works for it: a stream of deltas, or a reply."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from .errors import EngineError
from .request import Answer, Delta, Request

Ahead = Callable[[], tuple[int, float | None]]


class Channel:
    """Deltas on their way from the model's thread to one consumer, in any thread or event loop.

    The producer never waits for the consumer: a row has at most ``max_new_tokens`` deltas, so what can pile up is
    bounded. What has come is also booked into answers, so that a late or coalescing consumer sees the same.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self._condition = threading.Condition()
        self._items: deque[Delta] = deque()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self.closed = False
        self.error: BaseException | None = None
        self.books = [_Book(request) for request in requests]

    # -- the producer's side

    def put(self, deltas: Sequence[Delta]) -> None:
        with self._condition:
            for delta in deltas:
                self.books[delta.row].add(delta)
            self._items.extend(deltas)
            self._wake()

    def close(self, error: BaseException | None = None) -> None:
        with self._condition:
            self.closed, self.error = True, error
            self._wake()

    def _wake(self) -> None:
        self._condition.notify_all()
        sleepers, self._sleepers = self._sleepers, []
        for loop, sleeper in sleepers:
            try:
                loop.call_soon_threadsafe(_rouse, sleeper)
            except RuntimeError:  # the consumer's event loop was closed: nobody is waiting any more
                continue

    # -- the consumer's side

    def drain(self) -> list[Delta]:
        with self._condition:
            items = list(self._items)
            self._items.clear()
            return items

    def get(self) -> Delta | None:
        """The next delta, waiting for it; None at the end."""
        with self._condition:
            while not self._items and not self.closed:
                self._condition.wait()
            return self._items.popleft() if self._items else None

    async def aget(self) -> Delta | None:
        """As :meth:`get`, without holding up the event loop."""
        while True:
            with self._condition:
                if self._items:
                    return self._items.popleft()
                if self.closed:
                    return None
                loop = asyncio.get_running_loop()
                sleeper = loop.create_future()
                self._sleepers.append((loop, sleeper))
            await sleeper

    def wait_closed(self, timeout: float | None) -> bool:
        with self._condition:
            return self._condition.wait_for(lambda: self.closed, timeout)


def _rouse(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)


@dataclass
class _Book:
    """One row's answer as far as it has come."""

    request: Request
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    last: Delta | None = None
    applied: Any = None
    prompt_tokens: tuple[int, ...] = ()

    def add(self, delta: Delta) -> None:
        self.text.append(delta.text)
        self.thinking.append(delta.thinking)
        self.tokens.extend(delta.tokens)
        self.logprobs.extend(delta.logprobs)
        self.applied = delta.applied or self.applied
        self.last = delta if delta.done else self.last

    def answer(self) -> Answer:
        last = self.last
        return Answer(
            text="".join(self.text), tokens=tuple(self.tokens),
            logprob=sum(self.logprobs) if self.request.logprobs else float("nan"),
            reason=None if last is None else last.reason, prompt_tokens=self.prompt_tokens,
            seconds={} if last is None else dict(last.seconds or {}), applied=self.applied,
            logprobs=tuple(self.logprobs), error=None if last is None else last.error,
            thinking="".join(self.thinking),
        )  # fmt: skip


class Stream:
    """The deltas of one job: iterate it once, with ``for`` or ``async for``. Every row ends with one ``done`` delta,
    also when it is cancelled or fails; iteration itself never raises. Used as a context manager (``with``), or
    dropped unfinished, it cancels its job."""

    def __init__(self, channel: Channel, stop: threading.Event, wake: Callable[[], None], ahead: Ahead,
                 rows: Mapping[int, Any] | None = None) -> None:  # fmt: skip
        self._channel, self._stop, self._wake, self._ahead = channel, stop, wake, ahead
        self.rows = rows if rows is not None else {}  # of the scheduler, for Engine.remix

    @property
    def answers(self) -> list[Answer]:
        """One answer per request as far as it has come (``reason`` None: still running). ``logprob`` is NaN for
        requests without ``logprobs``."""
        return [book.answer() for book in self._channel.books]

    @property
    def waiting(self) -> int:
        """How many jobs stand before this one; 0: it runs or is over."""
        return self._ahead()[0]

    @property
    def ahead(self) -> tuple[int, float | None]:
        """:attr:`waiting`, and about how many seconds that will last; None where nothing is known of such jobs yet."""
        return self._ahead()

    @property
    def done(self) -> bool:
        """Whether every row is over (its last deltas may still wait to be read)."""
        return self._channel.closed

    @property
    def error(self) -> BaseException | None:
        """The exception that ended the job, or None."""
        return self._channel.error

    def __iter__(self) -> Iterator[Delta]:
        while (delta := self._channel.get()) is not None:
            yield delta

    async def __aiter__(self) -> AsyncIterator[Delta]:
        while (delta := await self._channel.aget()) is not None:
            yield delta

    def drain(self) -> list[Delta]:
        """All deltas that are there already, without waiting: for a page that draws 12 times a second."""
        return self._channel.drain()

    def cancel(self) -> None:
        """End the job at its next step; its rows still get their last delta (``cancelled``)."""
        self._stop.set()
        self._wake()

    def result(self, timeout: float | None = None) -> list[Answer]:
        """Wait for the end.

        Raises:
            TimeoutError: it is still running after ``timeout`` seconds. Any error that ended the job.
        """
        if not self._channel.wait_closed(timeout):
            raise TimeoutError(f"the answers are not complete after {timeout:g} s")
        if self._channel.error is not None:
            raise self._channel.error
        return self.answers

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()

    def __del__(self) -> None:
        # Only the flag: a lock taken here could be held by the very thread in which the collector runs.
        self._stop.set()


class Reply:
    """The value of a call that runs in the model's thread: ``await reply``, or ``reply.result(timeout)``."""

    def __init__(self, future: Future[Any], stop: threading.Event, wake: Callable[[], None], ahead: Ahead) -> None:
        self._future, self._stop, self._wake, self._ahead = future, stop, wake, ahead

    @property
    def ahead(self) -> tuple[int, float | None]:
        """As :attr:`Stream.ahead`."""
        return self._ahead()

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the value; raises what the call raised, or TimeoutError."""
        return self._future.result(timeout)

    @property
    def done(self) -> bool:
        return self._future.done()

    def cancel(self) -> None:
        """Do not begin the call, or end it at its next step; the reply then raises :class:`EngineError`."""
        self._stop.set()
        self._wake()

    def __await__(self) -> Generator[Any, None, Any]:
        return asyncio.wrap_future(self._future).__await__()


def cancelled() -> EngineError:
    return EngineError("cancelled")
