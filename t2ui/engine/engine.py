"""One thread owns the model; everybody else submits jobs to it and listens.

Answers are rows of one scheduler (:mod:`t2ui.engine.scheduler`): they join and leave between its steps. Everything else (search,
scores, whatever :meth:`Engine.run` is given) takes turns beside it: while both have work, time is shared by milliseconds, two
thirds for the answers, what a visitor waits for (dispatch) first. Models without slots answer as batches that take turns (:class:`t2ui.engine.jobs.DecodeJob`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from t2ui.core import Mix

from .cache import slots_for
from .choose import choose
from .dispatch import Dispatch, dispatch
from .errors import BusyError, EngineError, ModelError, RequestError
from .estimate import Durations, outlook
from .jobs import CallJob, DecodeJob, Job, Traffic
from .memory import free_bytes
from .model import Loaded, LoadReport, load
from .request import Request
from .scheduler import Scheduler
from .stream import Reply, Stream

log = logging.getLogger(__name__)

# Of the time in which rows and other work both want the model, the rows' part. Two thirds: what a turn costs beside
# its forward passes (the streams' listeners, the lock) is nobody's, and a visitor shall have his half of an idle machine.
ROWS_SHARE = 0.66


class Engine:
    """Owns one model in one thread; nobody waits for another's whole answer.

    Args:
        source: a loaded model, or the path of a folder that is loaded in the engine's thread (the page is up first).
        max_active: so many jobs are under way at once; further ones wait.
        max_waiting: so many may wait; one more is turned away with BusyError.
        max_rows: so many requests may be one job.
        slots: at most so many rows live at once (default: as memory allows); 0: plain batches, as for models without slots.
        load_options: keyword arguments for :func:`t2ui.engine.model.load`.

    Attributes:
        state: ``loading``, ``ready``, ``failed`` or ``closed``; ``text`` says it in words (what is being loaded, or
            why it failed), ``progress`` runs from 0 to 1 while loading.
        error: the ModelError of a failed load, or None.
        loaded: the Loaded, None before it is ready. Its ``encode`` may be called from any thread, the rest may not.
    """

    def __init__(
        self,
        source: Loaded | str | Path = "assets/demo-model",
        *,
        max_active: int = 64,
        max_waiting: int = 64,
        max_rows: int = 64,
        slots: int | None = None,
        **load_options: Any,
    ) -> None:
        self.max_active, self.max_waiting, self.max_rows, self.max_slots = max_active, max_waiting, max_rows, slots
        self.state, self.text, self.progress = "loading", "starting", 0.0
        self.error: EngineError | None = None
        self.loaded: Loaded | None = None
        self._condition = threading.Condition()
        self._settled = threading.Event()  # ready, failed or closed
        self._waiting: deque[Job] = deque()
        self._active: deque[Job] = deque()
        self._answering: list[DecodeJob] = []  # whose rows are in the scheduler
        self._scheduler: Scheduler | None = None
        self.durations = Durations()
        self._spent = {"rows": 0.0, "turns": 0.0}
        self._since = 0.0  # when the present stretch of a turn began
        self._closing = False
        self._thread = threading.Thread(target=self._main, args=(source, load_options), name="t2ui-model", daemon=True)
        self._thread.start()

    @property
    def second_per_token(self) -> float | None:
        """What reading a token of a prompt has cost lately, rows side by side; None before anything was read, or without slots."""
        return None if self._scheduler is None else self._scheduler.second_per_token

    # -- for everybody ---------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        return self.state == "ready"

    @property
    def traffic(self) -> Traffic:
        """How busy it is now; any thread may ask."""
        with self._condition:
            rows = self._scheduler.live if self._scheduler is not None else 0
            return Traffic(rows, len(self._active), len(self._waiting))

    def wait(self, timeout: float | None = None) -> Loaded:
        """Block until the model is loaded.

        Raises:
            ModelError: loading failed. EngineError: the engine is closed. TimeoutError: it takes longer.
        """
        if not self._settled.wait(timeout):
            raise TimeoutError(f"the model is not loaded after {timeout:g} s")
        self._refuse_unless_usable()
        assert self.loaded is not None
        return self.loaded

    def submit(self, requests: Request | Sequence[Request]) -> Stream:
        """Queue requests as the rows of one batch; accepted while the model is still loading.

        Reads the pictures in the caller's thread: from an event loop, submit a huge one with ``asyncio.to_thread``.

        Raises:
            RequestError: a request cannot be answered (while loading, what depends on the model is found later and
                comes as an ``error`` delta). BusyError: the queue is full. ModelError: the model did not load.
        """
        rows = [requests] if isinstance(requests, Request) else list(requests)
        if not 1 <= len(rows) <= self.max_rows:
            raise RequestError(f"a job takes 1 to {self.max_rows} requests, got {len(rows)}")
        self._refuse_unless_usable()
        loaded = self.loaded
        for row in rows:
            row.check()
        encoded = [loaded.encode(r) for r in rows] if loaded is not None else None
        for row, e in zip(rows, encoded or (), strict=False):
            if self._scheduler is not None:
                self._scheduler.check(row, e)
        job = DecodeJob(rows, encoded)
        self._enqueue(job)
        return Stream(job.channel, job.stop, self._wake, lambda: self._ahead(job), job.rows)

    def choose(
        self, prompt: str, labels: Sequence[str], image: Any = None, system: str | None = None,
        question: str = "{prompt}", mix: Mix | None = None,
    ) -> Reply:  # fmt: skip
        """:func:`t2ui.engine.choose.choose` in the model's thread: a dict label -> probability."""
        return self._call(lambda loaded: choose(loaded, prompt, labels, image, system, question, mix), urgent=True)

    def dispatch(self, prompt: str, image: Any = None, strategy: str = "prompt", soft: bool = False) -> Reply:
        """:func:`t2ui.engine.dispatch.dispatch` in the model's thread: a :class:`Dispatch`."""
        return self._call(lambda loaded: dispatch(loaded, prompt, image, strategy, soft), urgent=True)

    def run(self, fn: Callable[[Loaded], Any]) -> Reply:
        """Run ``fn(loaded)`` in the model's thread. If it returns a generator, each of its steps is one turn and the
        reply is its return value. It must leave the adapted modules as it found them.

        Raises:
            BusyError: the queue is full. ModelError: the model did not load.
        """
        return self._call(fn)

    def _call(self, fn: Callable[[Loaded], Any], urgent: bool = False) -> Reply:
        self._refuse_unless_usable()
        job = CallJob(fn, urgent)
        self._enqueue(job)
        return Reply(job.future, job.stop, self._wake, lambda: self._ahead(job))

    def remix(self, stream: Stream, mix: Mix, row: int = 0) -> Reply:
        """From its next step on, answer a row of a running stream with another mix; the reply is its new ``Applied``.

        What its cache holds by then stays as the old mix computed it (:mod:`t2ui.engine.scheduler`).

        Raises:
            RequestError (from the reply): the row has not begun, is over, or the model has no slots; or the mix cannot be
                applied.
        """

        def change(loaded: Loaded) -> Any:
            found = stream.rows.get(row)
            if found is None or found.over or self._scheduler is None:
                raise RequestError(f"row {row} is not being answered: only the mix of a live row can change")
            self._scheduler.remix(found, mix)
            return found.applied

        return self._call(change, urgent=True)

    def refresh(self) -> Reply:
        """Read the experts' folder again, between two steps."""
        return self.run(lambda loaded: loaded.refresh(idle=not self._rows_live() and len(self._active) == 1))

    def close(self) -> None:
        """Cancel what runs or waits and end the thread. Safe to call twice."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=60)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _refuse_unless_usable(self) -> None:
        if self.error is not None:
            raise self.error
        if self._closing:
            raise EngineError("the engine is closed: start the app again")

    def _enqueue(self, job: Job) -> None:
        with self._condition:
            self._refuse_unless_usable()
            if len(self._waiting) >= self.max_waiting:
                raise BusyError(self._under_way() + len(self._waiting))
            self._waiting.append(job)
            self._condition.notify_all()

    def _ahead(self, job: Job) -> tuple[int, float | None]:
        """How many jobs stand before one, and for about how many seconds (None: nobody knows); (0, 0) once it runs or is over."""
        with self._condition:
            place = next((i for i, other in enumerate(self._waiting) if other is job), None)
            if place is None:
                return 0, 0.0
            under_way = self._under_way()
            slots = self._scheduler.free if self._scheduler is not None and under_way < self.max_active else None
            running, before = [*self._active, *self._answering], list(self._waiting)[:place]
            return place + under_way, outlook(self.durations, job, running, before, self.max_active, slots)

    def _under_way(self) -> int:
        over = [job for job in self._answering if job.channel.closed]
        if over:
            self.durations.book(over)
            self._answering = [job for job in self._answering if job not in over]
        return len(self._active) + len(self._answering)

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    # -- the model's thread ----------------------------------------------------------------------------

    def _main(self, source: Loaded | str | Path, options: dict[str, Any]) -> None:
        try:
            self.loaded = source if isinstance(source, Loaded) else load(source, progress=self._tell, **options)
            kind = self.loaded.model.config.get_text_config()
            free = free_bytes(self.loaded.device) if self.loaded.device.type == "cuda" else None
            room = slots_for(kind, self.loaded.device.type, self.loaded.model.dtype, free=free)
            if room is not None and self.max_slots != 0:
                slots = room[0] if self.max_slots is None else min(room[0], self.max_slots)
                self._scheduler = Scheduler(self.loaded, slots, room[1])
                self._scheduler.warm()
                self.max_rows = min(self.max_rows, slots)
            self.state, self.text, self.progress = "ready", self.loaded.info.name, 1.0
        except Exception as error:  # noqa: BLE001 - whatever it was, the page must say it and the server go on
            known = isinstance(error, EngineError)
            if not known:
                log.exception("the model did not load")
            self.error = error if known else ModelError(f"the model did not load: {type(error).__name__}: {error}")
            self.state, self.text = "failed", str(self.error)
        self._settled.set()
        while self._step():
            pass
        self.state, self.text = "closed", "closed"

    def _tell(self, report: LoadReport) -> None:
        if report.stage == "memory":
            log.info("memory that the model needs:\n%s", report.text)
            return
        part = {"model": (0.0, 0.5), "decompose": (0.5, 0.95), "experts": (0.95, 1.0)}[report.stage]
        self.text = report.text
        self.progress = part[0] + (part[1] - part[0]) * report.done / max(report.total, 1)

    def _step(self) -> bool:
        """One step of whoever's turn it is, waiting for work; False once the engine closes. Ends what was cancelled."""
        joining: list[DecodeJob] = []
        with self._condition:
            over = [j for j in self._waiting if j.stop.is_set() or self._closing or self.error is not None]
            over += [j for j in (*self._active, *self._answering) if self._closing]
            if over:
                self._waiting = deque(j for j in self._waiting if j not in over)
                self._active = deque(j for j in self._active if j not in over)
                self._answering = [j for j in self._answering if j not in over]
            elif self._closing:
                return False
            else:
                joining = self._admit()
                if not joining and not self._active and not self._rows_live():
                    self._condition.wait()
                    return True
        for job in over:  # outside of the lock: listeners take locks of their own
            job.end(None if self.error is None else self.error)
        if over:
            return True
        for job in joining:
            assert self.loaded is not None and self._scheduler is not None
            job.join(self.loaded, self._scheduler)
        job = self._whose_turn()
        if job is not None and not job.urgent:
            assert self.loaded is not None
            self._since, self.loaded.between = time.perf_counter(), self._between
            try:
                self._turn(job)
            finally:
                self.loaded.between = None
            self._spent["turns"] += time.perf_counter() - self._since
        elif job is not None or self._rows_live():
            self._row_like(job)
        return True

    def _row_like(self, job: Job | None) -> None:
        """A turn of an urgent job, or of the rows: what visitors wait for."""
        begun = time.perf_counter()
        if job is not None:
            self._turn(job)
        else:
            self._rows_turn()
        self._spent["rows"] += time.perf_counter() - begun

    def _between(self) -> None:
        """Between two forward passes of a long turn: who came meanwhile joins, and rows and urgent jobs get the time that is
        theirs, so that nobody's first token waits for the end of somebody's batch. Not while weights are folded."""
        assert self.loaded is not None
        if self.loaded.adapted.mode != "off":
            return
        self.loaded.between = None
        self._spent["turns"] += time.perf_counter() - self._since
        try:
            while not self._closing:
                live = self._rows_live()
                with self._condition:
                    joining = self._admit()
                for job in joining:
                    job.join(self.loaded, self._scheduler)
                if not live:
                    self._spent = {"rows": 0.0, "turns": 0.0}
                with self._condition:
                    urgent = next((job for job in self._active if job.urgent), None)
                if urgent is None and not self._rows_are_due():
                    break
                self._row_like(urgent)
        finally:
            self._since, self.loaded.between = time.perf_counter(), self._between

    def _admit(self) -> list[DecodeJob]:
        """Begin what may begin, in the order of coming; whoever needs slots waits for slots, the others do not wait for
        him. The lock is held."""
        joining: list[DecodeJob] = []
        free = self._scheduler.free if self._scheduler is not None else 0
        blocked = False
        for job in list(self._waiting):
            if self._under_way() >= self.max_active:
                break
            if isinstance(job, DecodeJob) and self._scheduler is not None:
                blocked = blocked or len(job.requests) > free
                if blocked:
                    continue
                free -= len(job.requests)
                self._answering.append(job)
                joining.append(job)
            else:
                self._active.append(job)
            job.began = time.perf_counter()
            self._waiting.remove(job)
        return joining

    def _rows_live(self) -> bool:
        return self._scheduler is not None and self._scheduler.live > 0

    def _rows_are_due(self) -> bool:
        """Whether rows are alive and have had less than their share."""
        spent = self._spent
        return self._rows_live() and (1 - ROWS_SHARE) * spent["rows"] <= ROWS_SHARE * spent["turns"]

    def _whose_turn(self) -> Job | None:
        """The job that takes the next turn, or None: the rows do."""
        with self._condition:
            if not self._active or not self._rows_live():
                self._spent = {"rows": 0.0, "turns": 0.0}
            if not self._active:
                return None
            urgent = next((job for job in self._active if job.urgent), None)
            if urgent is None and self._rows_are_due():
                return None
            if urgent is not None:
                return urgent
            self._active.rotate(-1)
            return self._active[-1]

    def _rows_turn(self) -> None:
        assert self._scheduler is not None
        try:
            self._scheduler.turn()
        except Exception as error:  # noqa: BLE001 - the service must go on
            log.exception("a step of the rows failed")
            self._scheduler.fail(error)
        if not self._scheduler.live:
            with self._condition:
                self._under_way()  # forgets whose rows are all over

    def _turn(self, job: Job) -> None:
        assert self.loaded is not None
        error: BaseException | None = None
        try:
            more = job.turn(self.loaded) if not (job.stop.is_set() and isinstance(job, CallJob)) else None
        except Exception as caught:  # noqa: BLE001 - one visitor's failure must not end the others' service
            error, more = caught, None
            if not isinstance(caught, EngineError):
                log.exception("a job failed")
        if more is not True:
            job.ended = time.perf_counter()
            with self._condition:
                self._active.remove(job)
                if more is False:
                    self.durations.book([job])
            if more is None:
                job.end(error)


__all__ = ["Dispatch", "Engine", "Reply", "Stream"]
