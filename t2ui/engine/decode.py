"""Answering: a left-padded batch whose rows each have their own mix, sampling and end."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from t2ui.core import Mix

from .batch import Batch
from .errors import RequestError
from .model import Encoded, Loaded
from .request import Answer, Applied, Delta, Request
from .sampling import Sampler
from .text import TextStream
from .thinking import Reader, split

MODES = ("auto", "rows", "fold", "current")
# Folding writes every matrix once (about the cost of a few steps); from here on it is cheaper than rows.
_FOLD_FROM = 32
# Finished rows are dropped when they are this share of a batch: moving the cache costs about one step.
_COMPACT = 0.25


@dataclass(frozen=True)
class Tick:
    """One step of a batch: for every live row its index, new token, log-probability and how it ended (or None)."""

    rows: list[int]
    tokens: list[int]
    logprobs: list[float]
    ended: list[str | None]


def ticks(loaded: Loaded, requests: Sequence[Request], encoded: Sequence[Encoded], scale: torch.Tensor | None,
          stop: threading.Event | None = None) -> Iterator[Tick]:  # fmt: skip
    """Run one batch to its end, a :class:`Tick` per token; ends early, without a word, once ``stop`` is set.

    Nothing is computed before the first ``next``; rows that are over leave the batch.
    """
    sampler = Sampler([r.temperature for r in requests], [r.top_p for r in requests], [r.seed for r in requests])
    live = list(range(len(requests)))  # the batch's rows, as indices into requests
    alive = [True] * len(requests)
    batch = Batch(loaded, encoded, scale, reserve=max(r.max_new_tokens for r in requests))
    if stop is not None and stop.is_set():
        return
    logits = batch.prefill()
    for step in range(max(r.max_new_tokens for r in requests)):
        chosen, logprobs = sampler.pick(logits, step)
        tick = Tick([], [], [], [])
        for row, token, logprob in zip(live, chosen.tolist(), logprobs.tolist(), strict=True):
            if not alive[row]:
                continue
            end = "stop" if token in loaded.eos else "length" if step + 1 >= requests[row].max_new_tokens else None
            alive[row] = end is None
            tick.rows.append(row)
            tick.tokens.append(token)
            tick.logprobs.append(logprob)
            tick.ended.append(end)
        yield tick
        if not any(alive) or (stop is not None and stop.is_set()):
            return
        going = [i for i, row in enumerate(live) if alive[row]]
        if len(going) <= (1 - _COMPACT) * len(live):
            batch.keep(going)
            sampler.keep(going)
            chosen, live = chosen[torch.tensor(going, device=chosen.device)], [live[i] for i in going]
        logits = batch.step(chosen)


def decode(
    loaded: Loaded,
    requests: Sequence[Request],
    stop: threading.Event | None = None,
    encoded: Sequence[Encoded] | None = None,
) -> Iterator[list[Delta]]:
    """Decode requests as the rows of one batch (always ``rows`` mode, or the plain weights where all are the base).

    Yields the deltas of one step at a time; every row ends with exactly one ``done`` delta. ``stop`` is looked at
    between steps: set, the live rows end as ``cancelled``. ``encoded`` are the requests' encodings if at hand.

    Raises:
        RequestError: at the call, before anything is computed, if any request cannot be answered.
    """
    if not requests:
        raise RequestError("no requests: give at least one")
    begun = time.perf_counter()
    ready = list(encoded) if encoded is not None else [loaded.encode(r) for r in requests]
    return _decode(loaded, list(requests), ready, stop, begun)


def _decode(loaded: Loaded, requests: list[Request], encoded: list[Encoded], stop: threading.Event | None,
            begun: float) -> Iterator[list[Delta]]:  # fmt: skip
    mixes = [r.mix for r in requests]
    scale = loaded.scales(mixes)
    applied = loaded.applied(mixes, scale, "rows")
    texts = [Reader(TextStream(loaded.codec, tail(e)), e.thinks, r.prefix) for r, e in zip(requests, encoded, strict=True)]
    started = time.perf_counter()
    first: float | None = None
    open_rows = set(range(len(requests)))

    def seconds() -> dict[str, float]:
        now = time.perf_counter()
        reached = now if first is None else first
        return {"encode": started - begun, "prefill": reached - started, "decode": now - reached,
                "first": reached - begun, "total": now - begun}  # fmt: skip

    for tick in ticks(loaded, requests, encoded, scale, stop):
        begins = first is None
        first = time.perf_counter() if begins else first
        deltas = []
        for row, token, logprob, end in zip(tick.rows, tick.tokens, tick.logprobs, tick.ended, strict=True):
            thinking, text = texts[row].push(None if end == "stop" else token, end is not None)
            if end is not None:
                open_rows.discard(row)
            deltas.append(Delta(
                row, text, (token,), (logprob,) if requests[row].logprobs else (), end is not None, end,
                seconds=seconds() if end else None, applied=applied[row] if begins or end else None,
                thinking=thinking,
            ))  # fmt: skip
        yield deltas
    if open_rows:
        rest = {row: texts[row].cut() for row in sorted(open_rows)}
        yield [Delta(row, text, done=True, reason="cancelled", seconds=seconds(), applied=applied[row], thinking=thinking)
               for row, (thinking, text) in rest.items()]  # fmt: skip


def tail(encoded: Encoded) -> tuple[int, ...]:
    """The tokens of the forced prefix: context for the text of the first decoded token."""
    return encoded.ids[len(encoded.ids) - encoded.prefix_tokens :] if encoded.prefix_tokens else ()


def answer_all(
    loaded: Loaded,
    requests: Sequence[Request],
    batch_size: int = 256,
    mode: str = "auto",
    stop: threading.Event | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> list[Answer]:
    """Answer many requests as fast as the machine can, for evaluation and for rollouts (``temperature`` > 0).

    Requests are sorted by length into batches, rows leave when they are done.

    Args:
        mode: ``rows`` (any mixes side by side), ``fold`` (each mix folded in turn; unfolded at the end whatever
            happens), ``current`` (the adapted modules stay as the caller set them, e.g. a trainer that folded its
            own z; the requests' mixes are ignored and ``Answer.applied`` is None), or ``auto``: ``fold`` for a mix
            with at least 32 rows, ``rows`` for the rest.
        stop: looked at between steps; set, what is not finished comes back as ``cancelled``.
        progress: called with (answers done, answers in all) whenever rows have ended.

    Returns:
        One answer per request, in the order given.
    """
    encoded = []
    for request in requests:
        loaded.breathe()
        encoded.append(loaded.encode(request))
    answers: dict[int, Answer] = {}
    for group in plan([r.mix for r in requests], mode):
        with group.applied_to(loaded):
            for rows in batches(encoded, group.rows, batch_size):
                mixes = [requests[i].mix for i in rows]
                scale = loaded.scales(mixes) if group.mode == "rows" else None
                proof = _proof(loaded, mixes, scale, group)
                asked, read = [requests[i] for i in rows], [encoded[i] for i in rows]
                before = len(answers)
                heard = None if progress is None else lambda n, before=before: progress(before + n, len(requests))
                done = _answer_batch(loaded, asked, read, scale, proof, stop, heard)
                answers.update(zip(rows, done, strict=True))
    return [answers[i] for i in range(len(requests))]


def _answer_batch(loaded: Loaded, requests: list[Request], encoded: list[Encoded], scale: torch.Tensor | None,
                  proof: list[Applied | None], stop: threading.Event | None,
                  heard: Callable[[int], object] | None = None) -> list[Answer]:  # fmt: skip
    n, over = len(requests), 0
    tokens: list[list[int]] = [[] for _ in range(n)]
    logprobs: list[list[float]] = [[] for _ in range(n)]
    reasons = ["cancelled"] * n
    begun, first = time.perf_counter(), None
    for tick in ticks(loaded, requests, encoded, scale, stop):
        first = first or time.perf_counter()
        for row, token, logprob, end in zip(tick.rows, tick.tokens, tick.logprobs, tick.ended, strict=True):
            tokens[row].append(token)
            logprobs[row].append(logprob)
            reasons[row] = end or reasons[row]
        ended = sum(end is not None for end in tick.ended)
        over += ended
        if ended and heard is not None:
            heard(over)
    now = time.perf_counter()
    first = first or now
    seconds = {"prefill": first - begun, "decode": now - first, "first": first - begun, "total": now - begun}
    told = [split(request.prefix + loaded.codec.text([t for t in ids if t not in loaded.eos], tail(e)), e.thinks)
            for request, e, ids in zip(requests, encoded, tokens, strict=True)]  # fmt: skip
    return [
        Answer(
            text=text, thinking=thinking,
            tokens=tuple(ids), logprob=sum(lps), reason=reason, prompt_tokens=e.ids, seconds=seconds, applied=applied,
            logprobs=tuple(lps) if request.logprobs else (),
        )
        for request, e, (thinking, text), ids, lps, reason, applied in zip(
            requests, encoded, told, tokens, logprobs, reasons, proof, strict=True
        )
    ]  # fmt: skip


# -- which rows go together ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Rows that are computed in one mode; for ``fold``, with one mix."""

    mode: str
    rows: list[int]
    mix: Mix | None = None

    @contextmanager
    def applied_to(self, loaded: Loaded) -> Iterator[None]:
        """Fold the group's mix (if it folds one) and take it out again, whatever happens."""
        if self.mode != "fold" or self.mix is None or self.mix.is_base:
            yield
            return
        with loaded.adapted.folded(loaded.stack.change(self.mix)):
            yield


def plan(mixes: Sequence[Mix], mode: str) -> list[Group]:
    """Split rows into groups by mode and, where folded, by mix (see :func:`answer_all`)."""
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    everything = list(range(len(mixes)))
    if not everything:
        return []
    if mode in ("rows", "current"):
        return [Group(mode, everything)]
    by_mix: dict[Mix, list[int]] = defaultdict(list)
    for i, mix in enumerate(mixes):
        by_mix[mix].append(i)
    folded = [rows for rows in by_mix.values() if mode == "fold" or len(rows) >= _FOLD_FROM]
    rest = sorted(set(everything).difference(*folded))
    groups = [Group("fold", rows, mixes[rows[0]]) for rows in folded]
    return groups + ([Group("rows", rest)] if rest else [])


def batches(encoded: Sequence[Encoded], rows: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Rows in batches of like length, the longest first (so that what does not fit in memory fails at once)."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    ordered = sorted(rows, key=lambda i: (-len(encoded[i].ids), i))
    for start in range(0, len(ordered), batch_size):
        yield ordered[start : start + batch_size]


def _proof(loaded: Loaded, mixes: list[Mix], scale: torch.Tensor | None, group: Group) -> list[Applied | None]:
    if group.mode == "current":
        return [None] * len(mixes)
    if group.mode == "fold" and group.mix is not None and not group.mix.is_base:
        return list(loaded.applied(mixes[:1], loaded.stack.scale([group.mix]), "fold")) * len(mixes)
    return list(loaded.applied(mixes, scale, "rows"))
