"""How long somebody who waits will still wait: from how long recent jobs took, and from who is before him."""

from __future__ import annotations

import heapq
import statistics
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence

from .jobs import DecodeJob, Job

MOST = 32  # durations that are remembered, of every kind of job


class Durations:
    """Seconds that the last jobs took from their first turn to their end, by :attr:`Job.kind`. Thread-safe; told once per job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, deque[float]] = {}

    def add(self, kind: str, seconds: float) -> None:
        with self._lock:
            self._held.setdefault(kind, deque(maxlen=MOST)).append(seconds)

    def book(self, jobs: Iterable[Job]) -> None:
        """Jobs that are over; one that was cancelled says nothing about the others."""
        for job in jobs:
            if not job.stop.is_set() and job.ended > job.began:
                self.add(job.kind, job.ended - job.began)

    def left(self, kind: str, age: float = 0.0) -> float | None:
        """Seconds that a job of a kind will still take after ``age`` seconds of it: the median of those that took longer than
        that; of a job that outlasts them all, once more the usual time. None where no such job has ended yet."""
        with self._lock:
            held = list(self._held.get(kind, ()))
        if not held:
            return None
        longer = [seconds - age for seconds in held if seconds > age]
        return statistics.median(longer or held)


def wait(running: Sequence[tuple[float, int]], before: Sequence[tuple[float, int]], size: int, free: int) -> float:
    """Seconds until somebody at the end of a queue has his places.

    Args:
        running: (seconds left, places held) of whoever is under way.
        before: (seconds, places needed) of whoever waits before him, in their order; nobody overtakes.
        size: places that he needs. free: places that nobody holds.
    """
    ends, now = list(running), 0.0
    heapq.heapify(ends)
    for seconds, needed in (*before, (0.0, size)):
        while free < needed and ends:
            at, freed = heapq.heappop(ends)
            now, free = max(now, at), free + freed
        free -= needed
        heapq.heappush(ends, (now + seconds, needed))
    return now


def outlook(durations: Durations, job: Job, running: Sequence[Job], before: Sequence[Job], places: int, slots: int | None = None,
            now: float | None = None) -> float | None:  # fmt: skip
    """:func:`wait` for a job that waits; None where a job before it is of a kind of which nothing is known yet.

    Args:
        running, before: the jobs that are under way, and those that wait before it.
        places: so many jobs may be under way.
        slots: of the scheduler, that are free: where an answer waits for slots (its rows need one each), not for a place.
        now: as :attr:`Job.began` counts time; None: the present.
    """
    now = time.perf_counter() if now is None else now
    if slots is not None and isinstance(job, DecodeJob):
        running, before = ([one for one in jobs if isinstance(one, DecodeJob)] for jobs in (running, before))
        free = slots
    else:
        free, slots = max(0, places - len(running)), None
    here = [(durations.left(one.kind, now - one.began), _size(one, slots)) for one in running]
    there = [(durations.left(one.kind), _size(one, slots)) for one in before]
    if any(seconds is None for seconds, _ in (*here, *there)):
        return None
    return wait(here, there, _size(job, slots), free)  # type: ignore[arg-type]


def _size(job: Job, slots: int | None) -> int:
    return len(job.requests) if slots is not None and isinstance(job, DecodeJob) else 1


__all__ = ["Durations", "outlook", "wait"]
