"""What visitors feel: beside somebody's search (``fair``), beside each other (``visitors``); and the decomposition
(``decompose``)."""

from __future__ import annotations

import math
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence

import torch

from t2ui.bench.common import Result, endless, mixes, need_experts, prompts
from t2ui.core import decompose, decompose_all
from t2ui.engine.engine import Engine
from t2ui.engine.errors import BusyError
from t2ui.engine.model import Loaded
from t2ui.engine.request import Request
from t2ui.engine.search import PRESETS, Shot, search
from t2ui.engine.stream import Stream

CHAT_TOKENS = 48
VISITORS = (1, 8, 32, 100)


def fair(loaded: Loaded, repeats: int = 5, prompt_tokens: int = 100) -> Result:
    """A chat of ``prompt_tokens`` tokens while a search of the paper's size runs (10 examples, 32 candidates, decoding) /
    with the engine to itself: time to the first token, tokens a second after it."""
    need_experts(loaded)
    texts = [_text(loaded, prompt_tokens, seed) for seed in range(2 * repeats)]
    shots = [Shot(_text(loaded, 60, 100 + k), "12", grade=lambda text: False, max_new_tokens=32) for k in range(PRESETS["paper"].shots)]
    found: dict[str, list[tuple[float, float]]] = {"idle": [], "search": []}
    with endless(loaded), Engine(loaded) as engine:
        engine.wait()
        _chat(engine, texts[0], loaded)  # warms up
        for k in range(repeats):
            found["idle"].append(_chat(engine, texts[k], loaded))
        running = engine.run(lambda loaded: search(loaded, shots, PRESETS["paper"].settings))
        time.sleep(1.0)
        for k in range(repeats):
            found["search"].append(_chat(engine, texts[repeats + k], loaded))
        over = running.done
        running.cancel()
    m = {f"{name} {what}": round(statistics.median(pair[k] for pair in pairs), 4)
         for name, pairs in found.items() for k, what in enumerate(("first token", "tokens per second"))}  # fmt: skip
    later = m["search first token"] - m["idle first token"]
    share = m["search tokens per second"] / m["idle tokens per second"]
    return {**m, "first_token_later": round(later, 4), "search_over_idle": round(share, 3), "search ended too early": over,
            "met": later <= 0.05 and share >= 0.5 and not over}  # fmt: skip


def _chat(engine: Engine, text: str, loaded: Loaded) -> tuple[float, float]:
    begun = time.perf_counter()
    stream = engine.submit(Request(text, mix=mixes(loaded, 1)[0], max_new_tokens=CHAT_TOKENS))
    first = None
    for _ in stream:
        first = first or time.perf_counter()
    assert first is not None
    return first - begun, (CHAT_TOKENS - 1) / (time.perf_counter() - first)


def _text(loaded: Loaded, tokens: int, seed: int) -> str:
    """A text of about so many tokens (special ones are made harmless in any case)."""
    return loaded.tokenizer.decode(list(prompts(loaded, 1, tokens, seed)[0].ids)) or "x"


def visitors(loaded: Loaded, repeats: int = 1, counts: Sequence[int] = VISITORS, every: float = 20.0,
             seconds: float = 40.0) -> Result:  # fmt: skip
    """So many visitors, each with a mix of its own and a question every 20 s at a random moment: seconds to the first token.

    Args:
        repeats: rounds of ``seconds`` each. every: between two questions of one visitor.
    """
    need_experts(loaded)
    out: Result = {"counts": {}}
    with Engine(loaded, max_waiting=256) as engine:
        engine.wait()
        for count in counts:
            rng, own = random.Random(count), mixes(loaded, count, seed=count)
            firsts: list[float] = []
            turned_away = 0
            moments = sorted((rng.random() * every + k * every, v) for v in range(count)
                             for k in range(max(1, round(repeats * seconds / every))))  # fmt: skip
            waiting = []
            begun = time.perf_counter()
            for moment, v in moments:
                if (rest := begun + moment - time.perf_counter()) > 0:
                    time.sleep(rest)
                asked = time.perf_counter()
                try:
                    stream = engine.submit(Request(_text(loaded, 40, rng.randrange(10**6)), mix=own[v], max_new_tokens=64))
                except BusyError:
                    turned_away += 1
                    continue
                listener = threading.Thread(target=_listen, args=(stream, asked, firsts), daemon=True)
                listener.start()
                waiting.append(listener)
            for listener in waiting:
                listener.join(60)
            firsts.sort()
            out["counts"][str(count)] = {"questions": len(moments), "turned away": turned_away,
                                         **{f"p{q}": round(firsts[math.ceil(q / 100 * len(firsts)) - 1], 3) for q in (50, 95)}}  # fmt: skip
    at = out["counts"].get("32")
    return {**out, "met": at is not None and at["p95"] <= 2.0 and not at["turned away"]}


def _listen(stream: Stream, asked: float, firsts: list[float]) -> None:
    for k, _ in enumerate(stream):
        if k == 0:
            firsts.append(time.perf_counter() - asked)


def decompose_bench(loaded: Loaded, repeats: int = 3) -> Result:
    """All factors, computed / read from the cache; and a matrix through :func:`decompose` / ``torch.linalg.svd`` in fp32."""
    weights = {path: module.weight for path, module in loaded.adapted.modules.items()}
    first, cached = [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for kept in (first, cached):
                begun = time.perf_counter()
                for _report in decompose_all(weights, cache_dir=folder):
                    pass
                kept.append(time.perf_counter() - begun)
    weight = max(weights.values(), key=torch.Tensor.numel).detach().float()
    ours, plain = [], []
    for _ in range(repeats):
        for kept, way in ((ours, decompose), (plain, lambda w: torch.linalg.svd(w, full_matrices=False))):
            begun = time.perf_counter()
            way(weight)
            kept.append(time.perf_counter() - begun)
    m = {"computed": statistics.median(first), "from cache": statistics.median(cached),
         "largest matrix": statistics.median(ours), "torch.linalg.svd": statistics.median(plain)}  # fmt: skip
    ratio = m["computed"] / m["from cache"]
    return {"matrices": len(weights), "seconds": {k: round(v, 4) for k, v in m.items()}, "computed_over_cache": round(ratio, 1),
            "met": ratio >= 20}  # fmt: skip
