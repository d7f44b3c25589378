"""Running code that a model wrote: in Monty, a Python interpreter that has no way out.

Code is only ever run by pydantic-monty (a small interpreter in worker processes of its own): it has no
files, no network, no processes, and every run is limited in time, sleep, memory, recursion and output.
Each program gets a fresh session, so that no answer can change how the next one is graded; the workers
are kept warm, so that a program costs about half a millisecond.

    run(Job("def f(xs):\\n    return sum(xs)", "f", [[1, 2], []]))  ->  (Outcome(3), Outcome(0))
    run_many(jobs)                                                   ->  the same for a batch, in order

What comes back is foreign: compare it with :func:`same`, print it with :func:`show`; both are safe for
values nested deeper than Python can recurse. A program that fails is an :class:`Outcome` with an error;
:class:`SandboxError` means that the sandbox itself could not be had.
"""

from __future__ import annotations

import atexit
import json
import os
import reprlib
import textwrap
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

SECONDS = 0.25  # of computing, for one program on all its inputs
SLEEP_SECONDS = 0.05
MEMORY_BYTES = 16 * 2**20
RECURSION = 200
OUTPUT_BYTES = 10_000  # what a program prints is thrown away, but not without limit
CODE_CHARS = 10_000
WORKERS = 2  # worker processes of one pool; more callers than this wait for their turn
_CACHE_SIZE = 8192
# With this many jobs or more, run_many keeps all workers busy; below, threads cost more than they save.
_PARALLEL_FROM = 16
_LIMITS = {
    "max_feed_duration_secs": SECONDS,
    "max_total_sleep_secs": SLEEP_SECONDS,
    "max_memory": MEMORY_BYTES,
    "max_recursion_depth": RECURSION,
    "max_suspensions": 1000,
}
# After these the state of a session is not to be trusted, so its remaining inputs are not run.
_FATAL = ("TimeoutError", "MemoryError")


class SandboxError(RuntimeError):
    """The sandbox could not be started or reached; says nothing about the program."""


@dataclass(frozen=True)
class Outcome:
    """What one call gave: a value, or the error in one line ("ZeroDivisionError: division by zero")."""

    value: Any = None
    error: str | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class Job:
    """A program, the function of it to call, and the inputs: one positional argument per call.

    Inputs are JSON values (numbers, strings, lists of them): they are part of the cache's key.
    """

    code: str
    function: str
    inputs: Sequence[Any]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.code, self.function, json.dumps(self.inputs)


class Sandbox:
    """A pool of Monty workers, started at the first run; safe to use from many threads at once."""

    def __init__(self, workers: int = WORKERS, cache_size: int = _CACHE_SIZE) -> None:
        self._workers, self._cache_size = workers, cache_size
        self._lock = threading.Lock()
        self._pool: Any = None
        self._forked = False
        self._cache: OrderedDict[tuple[str, str, str], tuple[Outcome, ...]] = OrderedDict()

    def run(self, job: Job) -> tuple[Outcome, ...]:
        """One outcome per input. Code that does not load gives the same error for every input."""
        key = job.key
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        outcomes = self._run(job)
        with self._lock:
            self._cache[key] = outcomes
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
        return outcomes

    def run_many(self, jobs: Sequence[Job]) -> list[tuple[Outcome, ...]]:
        """The outcomes of many jobs, in their order; equal jobs run once, large batches side by side."""
        keys = [job.key for job in jobs]
        distinct = dict(zip(keys, jobs, strict=True))
        if len(distinct) < _PARALLEL_FROM:
            done = {key: self.run(job) for key, job in distinct.items()}
        else:
            with ThreadPoolExecutor(self._workers) as threads:
                done = dict(zip(distinct, threads.map(self.run, distinct.values()), strict=True))
        return [done[key] for key in keys]

    def close(self) -> None:
        """Ends the workers. A later run starts new ones."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.__exit__(None, None, None)

    def forget(self) -> None:
        """For a forked child, where Monty's threads do not exist: runs raise instead of waiting for ever."""
        self._lock = threading.Lock()
        if self._pool is not None:
            _NOT_OURS.append(self._pool)  # kept alive: its destructor would end the parent's workers
            self._pool, self._forked = None, True

    def _open(self) -> Any:
        with self._lock:
            if self._forked:
                raise SandboxError("code cannot be graded in a forked process; start it by 'spawn' instead of 'fork'")
            if self._pool is None:
                try:
                    import pydantic_monty

                    pool = pydantic_monty.Monty(
                        min_processes=1,
                        max_processes=self._workers,
                        checkout_timeout=60.0,
                        request_timeout=4 * SECONDS + 2.0,
                    )
                    self._pool = pool.__enter__()
                except Exception as error:
                    raise SandboxError(
                        f"the code sandbox did not start ({type(error).__name__}: {error}); it needs the package "
                        "pydantic-monty 1.4.0: python -m pip install -r requirements.txt"
                    ) from error
            return self._pool

    def _run(self, job: Job) -> tuple[Outcome, ...]:
        if not job.function.isidentifier():
            raise ValueError(f"function must be a Python name, got {job.function!r}")
        if len(job.code) > CODE_CHARS:
            return _all(job, f"the program is longer than {CODE_CHARS} characters")
        import pydantic_monty as monty

        # A worker that dies may have been killed from outside (out of memory), so it is tried once more.
        for attempt in (1, 2):
            pool = self._open()
            try:
                with pool.checkout(limits=_LIMITS) as session:
                    return _drive(session, job, monty)
            except monty.MontyCrashedError as error:
                if attempt == 2 or error.timed_out:
                    return _all(job, "the program crashed the sandbox or ran far over its time")
            except (monty.MontyShutdown, TimeoutError, OSError) as error:
                reason = f"{type(error).__name__}: {error}"
                raise SandboxError(f"the code sandbox could not be reached ({reason}); try again") from error
        raise AssertionError("not reached")


def _all(job: Job, error: str) -> tuple[Outcome, ...]:
    return (Outcome(error=error),) * len(job.inputs)


def _drive(session: Any, job: Job, monty: Any) -> tuple[Outcome, ...]:
    """Load the program, then call its function: all inputs in one go, or one by one if that fails."""

    def feed(code: str, **inputs: Any) -> Any:
        return session.feed_run(code, inputs=inputs or None, print_callback=monty.CollectString(OUTPUT_BYTES))

    # The alias is taken before the program can give the name `type` another meaning.
    program = f"t2_kind_ = type\n{textwrap.dedent(job.code)}\n"
    call = "t2_value_ = {name}({arg})\n(t2_value_, t2_kind_(t2_value_).__name__)"
    try:
        feed(program)
    except monty.MontyCrashedError:
        raise
    except Exception as error:
        return _all(job, _reason(error))
    try:
        values = feed(
            f"t2_values_ = [{job.function}(t2_x_) for t2_x_ in t2_in_]\n"
            "[(t2_value_, t2_kind_(t2_value_).__name__) for t2_value_ in t2_values_]",
            t2_in_=list(job.inputs),
        )
        return tuple(_outcome(*pair) for pair in values)
    except monty.MontyCrashedError:
        raise
    except Exception as error:
        reason = _reason(error)
        if reason.startswith(_FATAL):
            return _all(job, reason)
    outcomes: list[Outcome] = []
    for value in job.inputs:
        try:
            outcomes.append(_outcome(*feed(call.format(name=job.function, arg="t2_x_"), t2_x_=value)))
        except monty.MontyCrashedError:
            raise
        except Exception as error:
            outcomes.append(Outcome(error=_reason(error)))
            if outcomes[-1].error.startswith(_FATAL):
                break
    outcomes += [Outcome(error="not run: an earlier input used up the limits")] * (len(job.inputs) - len(outcomes))
    return tuple(outcomes)


def _outcome(value: Any, kind: str) -> Outcome:
    # Monty hands functions, ranges and other objects over as strings; none may pass for the real thing.
    if type(value) in (list, str) and type(value).__name__ != kind:
        return Outcome(error=f"returned a {kind}, not a plain value")
    return Outcome(value)


def _reason(error: Exception) -> str:
    line = " ".join(str(error).split())[:200]
    known = type(error).__name__.startswith("Monty")
    if known and "Syntax" in type(error).__name__:
        return f"SyntaxError: {line.removeprefix('SyntaxError: ')}"
    return line if known else f"{type(error).__name__}: {line}"


def same(got: Any, want: Any) -> bool:
    """Whether a value from the sandbox equals the expected one.

    Types must agree too (True is not 1, a tuple is no list), only a float may stand for the equal integer.
    Goes as deep as ``want``, which is ours, so that no value from outside can exhaust the stack.
    """
    if isinstance(want, bool) or want is None:
        return got is want
    if isinstance(want, (int, float)):
        return type(got) in (int, float) and got == want
    if isinstance(want, (list, tuple)):
        return type(got) is type(want) and len(got) == len(want) and all(map(same, got, want))
    if isinstance(want, str):
        return type(got) is str and got == want
    raise TypeError(f"cannot compare with a {type(want).__name__}; expected values are numbers, strings and lists")


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxtuple, self.maxdict, self.maxset = 3, 16, 16, 4, 8
        self.maxstring, self.maxlong = 60, 40

    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to print integers of more than a few thousand digits.
        return super().repr_int(x, level) if x.bit_length() < 2000 else f"<int of {x.bit_length()} bits>"

    def repr_instance(self, x: Any, level: int) -> str:
        # Of a foreign object only the type is told: its repr may be as deep as it likes.
        return repr(x) if x is None or type(x) in (bool, float) else f"<{type(x).__name__}>"


def show(value: Any) -> str:
    """A short repr of any value, however large or deep."""
    return _Short().repr(value)


_NOT_OURS: list[Any] = []
_SHARED = Sandbox()
run, run_many, close = _SHARED.run, _SHARED.run_many, _SHARED.close
atexit.register(close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SHARED.forget)
