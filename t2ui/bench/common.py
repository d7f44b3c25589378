"""What the benchmarks share: the ratio of multiply-adds, medians of interleaved repeats, rows of a given size."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from t2ui.core import Mix
from t2ui.engine.batch import Batch
from t2ui.engine.model import Encoded, Loaded


def ratio(loaded: Loaded) -> float:
    """R: multiply-adds a token of rows / of plain weights, over the adapted matrices and the output head.

    A matrix (out, in) of rank r = min(out, in) costs out * in as it is and r * (in + out) through its factors.
    """
    plain = rows = 0
    for module in loaded.adapted.modules.values():
        out, into = module.weight.shape
        plain += out * into
        rows += min(out, into) * (out + into)
    head = loaded.model.get_output_embeddings()
    rest = head.weight.numel() if head is not None else 0
    return (rows + rest) / (plain + rest)


def interleaved(ways: Mapping[str, Callable[[], float | None]], repeats: int, device: torch.device) -> dict[str, list[float]]:
    """Seconds of every way, ``repeats`` times in turn; a way may return its own seconds. The first round warms up."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        for name, way in ways.items():
            _wait(device)
            begun = time.perf_counter()
            own = way()
            _wait(device)
            seconds = time.perf_counter() - begun if own is None else own
            if turn:
                found[name].append(seconds)
    return found


def medians(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in found.items()}


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def prompts(loaded: Loaded, n: int, length: int, seed: int = 0) -> list[Encoded]:
    """n rows of ``length`` ordinary tokens: what they say does not matter, what they cost does."""
    drawn = torch.Generator().manual_seed(seed)
    special = set(loaded.tokenizer.all_special_ids) | {loaded.codec.image_token_id}
    usual = torch.tensor([i for i in range(len(loaded.tokenizer)) if i not in special])
    ids = usual[torch.randint(len(usual), (n, length), generator=drawn)]
    return [Encoded(tuple(row), None) for row in ids.tolist()]


def mixes(loaded: Loaded, n: int, seed: int = 0) -> list[Mix]:
    """n different mixes of the loaded experts, every alpha above 0."""
    drawn = torch.Generator().manual_seed(seed)
    names = loaded.stack.names
    values = 0.1 + 0.9 * torch.rand(n, len(names), generator=drawn)
    return [Mix(dict(zip(names, row, strict=True))) for row in values.tolist()]


@torch.no_grad()
def generate(loaded: Loaded, rows: Sequence[Encoded], scale: torch.Tensor | None, tokens: int) -> tuple[float, float]:
    """(prefill, decode) seconds of one batch: ``tokens`` tokens of every row, whether an answer has ended or not."""
    begun = time.perf_counter()
    batch = Batch(loaded, rows, scale, reserve=tokens)
    chosen = batch.prefill().argmax(-1)
    _wait(chosen.device)
    read = time.perf_counter()
    for _ in range(tokens - 1):
        chosen = batch.step(chosen).argmax(-1)
    _wait(chosen.device)
    return read - begun, time.perf_counter() - read


@contextmanager
def endless(loaded: Loaded):
    """Within the block no token ends an answer but the one that begins texts (or pads them), which models do not write."""
    never = loaded.tokenizer.bos_token_id
    before, loaded.eos = loaded.eos, (loaded.tokenizer.pad_token_id or loaded.eos[0] if never is None else never,)
    try:
        yield
    finally:
        loaded.eos = before


def need_experts(loaded: Loaded) -> None:
    if not loaded.stack.names:
        raise ValueError("this benchmark mixes experts and none is loaded: give a folder of experts (--experts)")


Result = dict[str, Any]
