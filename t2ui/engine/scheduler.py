"""Continuous batching: rows join and leave between steps, each with a mix, sampling and seed of its own.

A row first *reads* (its prompt goes into its slot, in chunks), then *decodes* (one token a step, together with all others). Steps
of both kinds alternate, and a chunk is cut so that it takes about :data:`CHUNK_SECONDS`: nobody's answer halts for somebody
else's prompt. Runs in the thread that owns the model; knows nothing of threads itself.

What a mix changes: a row's alphas are written into one buffer, ``scale[slot]``, and may be rewritten between two steps
(:meth:`Scheduler.remix`). Keys and values that are in the cache by then stay as the old mix computed them: only what is read or
decoded from there on is computed with the new one. Adapting by turn, block or token is a choice of when to call it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from t2ui.core import Mix

from .batch import embedded
from .cache import SlotCache
from .decode import tail
from .errors import EngineError, RequestError
from .graphs import StepGraphs
from .model import Encoded, Loaded
from .request import Applied, Delta, Request
from .sampling import Sampler
from .text import TextStream
from .thinking import Reader

CHUNK_SECONDS = 0.015
_ALONE = 2_048  # tokens of a chunk while nobody decodes
_SHARE_FROM = 8  # shared beginnings shorter than this are read again


@dataclass(eq=False)
class Row:
    """One request on its way. ``send`` gets its deltas, the last one with ``done``.

    Attributes:
        read: prompt tokens whose keys and values are in the slot; length: all tokens there.
        steps: tokens decoded; token: the last of them, not in the slot yet.
        pure: whether all of the slot was computed under one mix.
        columns: of its scale that its mix needs: 0 for the base, R, or more with LoRA experts.
    """

    request: Request
    encoded: Encoded
    index: int
    send: Callable[[Delta], None]
    stop: threading.Event
    submitted: float = field(default_factory=time.perf_counter)
    mix: Mix = field(default_factory=Mix.base)
    read: int = 0
    length: int = 0
    steps: int = 0
    token: int = -1
    over: bool = False
    pure: bool = True
    columns: int = 0
    times: dict[str, float] = field(default_factory=dict)
    embeds: torch.Tensor | None = None
    text: Reader | None = None
    applied: Applied | None = None

    @property
    def left(self) -> int:
        """Prompt tokens that are still to be read."""
        return len(self.encoded.ids) - self.read


class Scheduler:
    """The live rows of one model.

    Args:
        loaded: the model; its adapted modules are in rows mode within a step and as they were outside of it.
        slots, length: see :class:`t2ui.engine.cache.SlotCache`.

    Attributes:
        decoding: rows of slots 0, 1, ...; reading: rows of the slots behind them.
    """

    def __init__(self, loaded: Loaded, slots: int, length: int) -> None:
        self.loaded, self.slots, self.length = loaded, slots, length
        self.cache = SlotCache(loaded.model.config.get_text_config().num_hidden_layers, slots, length)
        self.decoding: list[Row] = []
        self.reading: list[Row] = []
        self.chunk_seconds = CHUNK_SECONDS
        self._scale = torch.zeros((slots, loaded.adapted.width), dtype=torch.float32, device=loaded.adapted.sigma.device)
        self._placements = loaded.adapted.placements
        self.graphs: StepGraphs | None = None
        if loaded.device.type == "cuda" and not hasattr(loaded.model, "hf_device_map"):  # one GPU: a graph has one
            self.graphs = StepGraphs(self.cache, loaded.device, loaded.model.dtype, self._step)
        self._second_per_token, self._has_read = 1e-4, False
        self._decoded_last = False
        self._short_last = False

    @property
    def live(self) -> int:
        return len(self.decoding) + len(self.reading)

    @property
    def free(self) -> int:
        return self.slots - self.live

    @property
    def second_per_token(self) -> float | None:
        """Seconds that a token of a prompt took lately; None before any was read."""
        return self._second_per_token if self._has_read else None

    # -- joining and leaving -----------------------------------------------------------------------------

    def check(self, request: Request, encoded: Encoded) -> None:
        """Raise RequestError for what does not fit into a slot."""
        needed = len(encoded.ids) + request.max_new_tokens
        if needed > self.length:
            raise RequestError(f"the question and its answer may have {self.length:,} tokens together here, this would be up "
                               f"to {needed:,}: shorten the question or ask for a shorter answer")  # fmt: skip

    @torch.no_grad()
    def join(self, row: Row) -> None:
        """Give a row a slot. Raises EngineError: none is free. RequestError: its mix cannot be applied, or too long."""
        if not self.free:
            raise EngineError(f"all {self.slots} slots are taken")
        self.loaded.check_mix(row.request.mix)
        self.check(row.request, row.encoded)
        row.times["begun"] = time.perf_counter()
        stream = TextStream(self.loaded.codec, tail(row.encoded))
        row.text = Reader(stream, row.encoded.thinks, row.request.prefix)
        ids = torch.tensor([row.encoded.ids], device=self.loaded.device)
        inputs = embedded(self.loaded, ids, [row.encoded])
        row.embeds = inputs["inputs_embeds"][0] if "inputs_embeds" in inputs else self.loaded.model.get_input_embeddings()(ids)[0]
        self.reading.append(row)
        self._write_mix(row, row.request.mix)
        self._take_over(row)
        row.times["joined"] = time.perf_counter()

    def remix(self, row: Row, mix: Mix) -> None:
        """From the next step on, another mix for a live row (see the module's text for what its cache then holds)."""
        self.loaded.check_mix(mix)
        if not row.over:
            self._write_mix(row, mix)
            row.pure = False

    @torch.no_grad()
    def warm(self, most: int = 32) -> None:
        """Before anybody joins: capture and check the graphs of batches up to so many rows. Nothing to do without graphs."""
        if self.graphs is not None and not self.live:
            for lanes in (1 << k for k in range(min(most, self.slots).bit_length())):
                for columns in sorted({0, self.loaded.adapted.R, self.loaded.adapted.width}):
                    self.graphs.step([0] * lanes, [0] * lanes, columns)

    def _write_mix(self, row: Row, mix: Mix) -> None:
        begun = time.perf_counter()
        scale, slot = self.loaded.scales([mix]), self._slot(row)
        self._renew()
        written = self.loaded.adapted.sigma if scale is None else scale[0]
        self._scale[slot, len(written) :] = 0.0
        self._scale[slot, : len(written)] = written
        row.columns = 0 if scale is None else len(written)
        row.mix, row.applied = mix, self.loaded.applied([mix], scale, "rows", True)[0]  # which waits for the numbers to be there
        row.times["mix"] = time.perf_counter() - begun

    def _renew(self) -> None:
        """LoRA experts that came since have columns behind those of all others, 0 for the rows that live. (Fewer columns than
        before there are only after a refresh without any row, see Loaded.refresh.)"""
        if self._placements != self.loaded.adapted.placements:
            self._placements = self.loaded.adapted.placements
            self._scale = torch.nn.functional.pad(self._scale, (0, self.loaded.adapted.width - self._scale.shape[1]))
            if self.graphs is not None:
                self.graphs.forget()  # they read the old buffer, and the old A and B

    def _take_over(self, row: Row) -> None:
        """Copy what a live row has read already, if it began alike under the same mix."""
        best, most = None, _SHARE_FROM - 1
        for other in (*self.decoding, *self.reading):
            if other is not row and other.pure and other.mix == row.mix and _key(other) == _key(row):
                alike = _alike(other.encoded.ids[: other.read], row.encoded.ids)
                best, most = (other, alike) if alike > most else (best, most)
        if best is not None:
            row.read = row.length = min(most, len(row.encoded.ids) - 1)  # the last token is read for its logits
            self.cache.move(self._slot(best), self._slot(row), row.read)

    def _slot(self, row: Row) -> int:
        return self.decoding.index(row) if row in self.decoding else len(self.decoding) + self.reading.index(row)

    def _move(self, source: int, target: int, row: Row) -> None:
        if source != target:
            self.cache.move(source, target, row.length)
            self._scale[target] = self._scale[source]

    def leave(self, row: Row) -> None:
        """Free a row's slot; the last ones move up."""
        slot, d, last = self._slot(row), len(self.decoding), self.live - 1
        if slot < d:
            self._move(d - 1, slot, self.decoding[-1])
            self.decoding[slot] = self.decoding[-1]
            self.decoding.pop()
            if self.reading:
                self._move(last, d - 1, self.reading[-1])
                self.reading.insert(0, self.reading.pop())
        else:
            self._move(last, slot, self.reading[-1])
            self.reading[slot - d] = self.reading[-1]
            self.reading.pop()
        row.over, row.embeds = True, None

    def _graduate(self, row: Row) -> None:
        """A row that has read its prompt moves to the end of the decoding ones."""
        d, slot = len(self.decoding), self._slot(row)
        if slot != d:
            first = self.reading[0]
            self.cache.swap(d, slot, max(first.length, row.length))
            self._scale[[d, slot]] = self._scale[[slot, d]]
            self.reading[0], self.reading[slot - d] = row, first
        self.decoding.append(self.reading.pop(0))

    # -- steps -------------------------------------------------------------------------------------------

    @torch.no_grad()
    def turn(self) -> None:
        """One step: a chunk of reading or a token of every decoding row. Rows that were cancelled leave first."""
        self._renew()
        for row in [r for r in (*self.decoding, *self.reading) if r.stop.is_set()]:
            self._end(row, "cancelled")
        if self.reading and (self._decoded_last or not self.decoding):
            self._decoded_last = False
            self._read()
        elif self.decoding:
            self._decoded_last = True
            self._decode(0, len(self.decoding))

    def fail(self, error: BaseException) -> None:
        """End every row."""
        for row in [*self.decoding, *self.reading]:
            self._end(row, "error", str(error))

    def _read(self) -> None:
        budget = self._budget()
        start = 0
        if self.reading[0].left > budget and len(self.reading) > 1:
            # A long prompt takes turns with the ones behind it.
            self._short_last = not self._short_last
            start = int(self._short_last)
        group = [self.reading[start]]
        for row in self.reading[start + 1 :]:
            n = max(r.left for r in (*group, row))
            if n * (len(group) + 1) > budget or max(r.read for r in (*group, row)) + n > self.length:
                break
            group.append(row)
        self._read_group(group, start, min(budget, max(r.left for r in group)))

    def _read_group(self, group: Sequence[Row], start: int, n: int) -> None:
        begun = time.perf_counter()
        try:
            logits = self._chunk(group, start, n)
        except Exception as error:  # noqa: BLE001 - only the rows concerned may suffer
            if len(group) == 1:
                self._end(group[0], "error", words(error))
                return
            for row in list(group):  # one by one: whoever fails alone is the one
                self._read_group([row], self.reading.index(row), min(n, row.left))
            return
        spent = (time.perf_counter() - begun) / (n * len(group))
        self._second_per_token += 0.3 * (spent - self._second_per_token)
        self._has_read = True
        done = []
        for row, last in zip(group, logits, strict=True):
            taken = min(n, row.left)
            row.read, row.length = row.read + taken, row.length + taken
            if not row.left:
                done.append((row, last))
        for row, _ in done:
            self._graduate(row)
        if done:
            self._choose([row for row, _ in done], torch.stack([last for _, last in done]))

    def _budget(self) -> int:
        if not self.decoding:
            return _ALONE
        return int(min(_ALONE, max(16, self.chunk_seconds / max(self._second_per_token, 1e-7))))

    def _chunk(self, group: Sequence[Row], start: int, n: int) -> list[torch.Tensor]:
        """Read up to n tokens of every row of the group; the logits (V,) behind each row's last one. Shorter rows are
        padded on the right: what that writes lies behind their end and is overwritten before anybody looks."""
        first = len(self.decoding) + start
        inputs = torch.zeros((len(group), n, group[0].embeds.shape[1]), dtype=group[0].embeds.dtype, device=self.loaded.device)
        for b, row in enumerate(group):
            part = row.embeds[row.read : row.read + n]
            inputs[b, : part.shape[0]] = part
        lasts = [min(n, row.left) - 1 for row in group]
        keep = sorted(set(lasts))
        rows = slice(first, first + len(group))
        logits = self._forward({"inputs_embeds": inputs}, rows, group, n, torch.tensor(keep, device=self.loaded.device))
        return [logits[b, keep.index(last)] for b, last in enumerate(lasts)]

    def _decode(self, start: int, end: int) -> None:
        """One token of the rows in these slots. A step that fails is tried again in halves, down to the row that fails."""
        rows = self.decoding[start:end]
        try:
            logits = None
            if self.graphs is not None and start == 0:
                columns = max(row.columns for row in rows)
                logits = self.graphs.step([row.token for row in rows], [row.length for row in rows], columns)
            if logits is None:
                ids = torch.tensor([[row.token] for row in rows], device=self.loaded.device)
                logits = self._forward({"input_ids": ids}, slice(start, end), rows, 1, 1)[:, -1]
        except Exception as error:  # noqa: BLE001 - out of memory, or one bad row: the others go on
            if len(rows) == 1:
                self._end(rows[0], "error", words(error))
                return
            if isinstance(error, torch.OutOfMemoryError):
                torch.cuda.empty_cache()
            middle = (start + end) // 2
            self._decode(middle, end)  # the upper half first: leaving rows only move slots from there on
            self._decode(start, middle)
            return
        for row in rows:
            row.length += 1
        self._choose(rows, logits)

    def _forward(self, inputs: dict[str, torch.Tensor], slots: slice, rows: Sequence[Row], n: int, keep: Any) -> torch.Tensor:
        starts = [row.length for row in rows]
        positions = self.cache.aim(slots, torch.tensor(starts, device=self.loaded.device), n, max(starts))
        with self._adapted(slots, rows):
            out = self.loaded.model(
                **inputs, attention_mask=self.cache.mask(self.loaded.model.dtype), position_ids=positions,
                past_key_values=self.cache, use_cache=True, logits_to_keep=keep,
            )  # fmt: skip
        return out.logits.float()

    def _step(self, ids: torch.Tensor, positions: torch.Tensor, mask: torch.Tensor, columns: int) -> torch.Tensor:
        """What a graph captures: one token of slots 0 to B - 1."""
        with self.loaded.mixed(self._scale[: ids.shape[0], :columns] if columns else None):
            out = self.loaded.model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=self.cache,
                                    use_cache=True, logits_to_keep=1)  # fmt: skip
        return out.logits[:, -1].float()

    def _adapted(self, slots: slice, rows: Sequence[Row]) -> AbstractContextManager[Any]:
        # Where nobody has a mix, the plain weights do: the base model stays bitwise what it is. Where nobody has a LoRA expert,
        # the columns of SVF do: nobody pays for what others loaded.
        columns = max(row.columns for row in rows)
        return self.loaded.mixed(self._scale[slots, :columns] if columns else None)

    # -- tokens ------------------------------------------------------------------------------------------

    def _choose(self, rows: Sequence[Row], logits: torch.Tensor) -> None:
        requests = [row.request for row in rows]
        sampler = Sampler([r.temperature for r in requests], [r.top_p for r in requests], [r.seed for r in requests])
        tokens, logprobs = sampler.pick(logits, np.asarray([row.steps for row in rows]))
        for row, token, logprob in zip(rows, tokens.tolist(), logprobs.tolist(), strict=True):
            self._emit(row, token, logprob)

    def _emit(self, row: Row, token: int, logprob: float) -> None:
        request, begins = row.request, row.steps == 0
        if begins:
            row.times["first"] = time.perf_counter()
        row.steps, row.token = row.steps + 1, token
        end = "stop" if token in self.loaded.eos else "length" if row.steps >= request.max_new_tokens else None
        thinking, text = row.text.push(None if end == "stop" else token, end is not None)
        if end:
            row.applied = self._proof(row)
            self.leave(row)
        row.send(Delta(row.index, text, (token,), (logprob,) if request.logprobs else (), end is not None, end,
                       seconds=_seconds(row) if end else None, applied=row.applied if begins or end else None,
                       thinking=thinking))  # fmt: skip

    def _proof(self, row: Row) -> Applied:
        """What adapted this row, read from its slot as it stands when the answer ends."""
        slot, sigma = self._slot(row), self.loaded.adapted.sigma
        if row.mix.is_base and bool((self._scale[slot, : len(sigma)] == sigma).all()):
            return self.loaded.applied([row.mix], None, "rows")[0]
        columns = row.columns or len(sigma)
        return self.loaded.applied([row.mix], self._scale[slot : slot + 1, :columns], "rows", True)[0]

    def _end(self, row: Row, reason: str, error: str | None = None) -> None:
        self.leave(row)
        thinking, text = row.text.cut() if row.text else ("", "")
        row.send(Delta(row.index, text, done=True, reason=reason, error=error, seconds=_seconds(row), applied=row.applied,
                       thinking=thinking))  # fmt: skip


def _seconds(row: Row) -> dict[str, float]:
    """By stage, as :class:`t2ui.engine.request.Delta` names them; a stage that was not reached took no time."""
    now, t = time.perf_counter(), row.times
    begun = t.get("begun", now)
    joined = t.get("joined", now)
    first = t.get("first", now)
    return {"queue": begun - row.submitted, "encode": joined - begun, "prefill": first - joined, "decode": now - first,
            "first": first - row.submitted, "total": now - row.submitted, "mix": t.get("mix", 0.0)}  # fmt: skip


def _key(row: Row) -> str | None:
    return None if row.encoded.picture is None else row.encoded.picture.key


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def words(error: BaseException) -> str:
    """What to tell the visitor: the message of our own errors, the kind of any other."""
    return str(error) if isinstance(error, EngineError) else f"internal error: {type(error).__name__}: {error}"


def run(scheduler: Scheduler) -> Iterator[None]:
    """Turns until no row is left: for jobs and tests that have the model to themselves."""
    while scheduler.live:
        scheduler.turn()
        yield
