"""All benchmarks on a GPU, in one or two calls (``bench gpu``): random weights in the shapes of models that people use.

    python -m t2ui bench gpu --shapes qwen2.5-0.5b,llama-3-8b --json assets/results/bench/gpu.json

First a small model must give on the GPU what it gives on the CPU. Then, shape by shape: decomposing, the benchmarks of the CPU's
table, and ten steps of REINFORCE whose reward must rise. A stage that fails says so in its place and the next one runs; what is
measured is reported at once, so that a call that is cut off loses one stage.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from t2ui.bench import rows, scale, service, training
from t2ui.bench.common import Result, mixes, prompts
from t2ui.bench.random_model import peak_gb, random_loaded
from t2ui.core import Mix
from t2ui.engine.batch import Batch
from t2ui.engine.decode import answer_all
from t2ui.engine.model import Loaded
from t2ui.engine.request import Request
from t2ui.engine.shapes import config_of
from t2ui.train import reinforce
from t2ui.train.run_z import RunZ

SHAPES = ("qwen2.5-0.5b", "llama-3-8b")
STAGES = ("overhead", "mix", "cem", "serve", "fair", "visitors", "train", "toy", "scale")
# Logits of the small model on GPU and CPU, in fp32, may differ by this share of the largest.
AGREE = 1e-3


@dataclass(frozen=True)
class GpuReport:
    """One stage of one shape: ``result`` is what the benchmark of that name returns, or ``{"error": ...}``."""

    shape: str
    stage: str
    result: Result
    seconds: float


def gpu(device: torch.device, shapes: Sequence[str] = SHAPES, stages: Sequence[str] = STAGES, *,
        config: Callable[[str], Any] = config_of) -> Iterator[GpuReport]:  # fmt: skip
    """Run everything, a report per stage. Ends after the first one if the small model's answers differ.

    Args:
        shapes: names of :data:`t2ui.engine.shapes.SHAPES`. config: name -> configuration of transformers.
    """
    first = _timed("small", "correctness", lambda: correctness(device))
    yield first
    if not first.result.get("met"):
        return
    for shape in shapes:
        begun = time.perf_counter()
        loaded, spent = random_loaded(config(shape), shape, device)
        weight = max((m.weight for m in loaded.adapted.modules.values()), key=torch.Tensor.numel)
        yield GpuReport(shape, "decompose", {**spent, "matrices": len(loaded.adapted.paths), "parameters": loaded.info.params,
                                             "z": loaded.adapted.R, "largest matrix": list(weight.shape)},
                        time.perf_counter() - begun)  # fmt: skip
        for stage in stages:
            yield _timed(shape, stage, lambda stage=stage, loaded=loaded: _WAYS[stage](loaded))
        yield GpuReport(shape, "memory", {"peak GB": round(peak_gb(device), 2)}, 0.0)
        del loaded
        if device.type == "cuda":
            torch.cuda.empty_cache()


def _timed(shape: str, stage: str, way: Callable[[], Result]) -> GpuReport:
    begun = time.perf_counter()
    try:
        result = way()
    except Exception as error:  # noqa: BLE001 - hours of a lent machine: the other stages are worth having
        result = {"error": f"{type(error).__name__}: {error}"}
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return GpuReport(shape, stage, result, time.perf_counter() - begun)


def correctness(device: torch.device) -> Result:
    """A small model, decomposed on the CPU / on the device (by other methods), the same rows with mixes of their own: largest
    difference of logits over a prompt and four steps, and whether the likeliest tokens are the same."""
    import transformers

    config = transformers.LlamaConfig(hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=8,
                                      num_key_value_heads=4, vocab_size=512, max_position_embeddings=512,
                                      initializer_range=0.1)  # fmt: skip
    found = []
    for where in (torch.device("cpu"), device):
        loaded, _ = random_loaded(config, "small", where, torch.float32, made_on=torch.device("cpu"))
        found.append(_logits(loaded, None if not found else found[0][1]))
    (here, tokens), (there, others) = found
    difference = float((here - there).abs().max() / here.abs().max())
    return {"largest difference of logits": difference, "limit": AGREE, "same tokens": tokens == others,
            "met": difference <= AGREE}  # fmt: skip


@torch.no_grad()
def _logits(loaded: Loaded, forced: list[list[int]] | None) -> tuple[torch.Tensor, list[list[int]]]:
    """Logits of every step, (steps, B, V) on the CPU, and the likeliest tokens; ``forced`` ones are appended instead of them."""
    asked = prompts(loaded, 8, 24)
    batch = Batch(loaded, asked, loaded.scales(mixes(loaded, 8)), reserve=8)
    seen, best = [batch.prefill().cpu()], []
    for step in range(4):
        best.append(seen[-1].argmax(-1).tolist())
        tokens = torch.tensor(forced[step] if forced else best[-1], device=loaded.device)
        seen.append(batch.step(tokens).cpu())
    return torch.stack(seen), best


def toy(loaded: Loaded, steps: int = 10, prompts_: int = 8, samples: int = 16, tokens: int = 16) -> Result:
    """REINFORCE on z towards a toy reward: its mean by step.

    Rewarded are the tokens of one half of the vocabulary: whose output embedding points along the first singular direction that
    the last adapted matrix writes. Random weights have no skill, but they can learn to lean that way.
    """
    settings = reinforce.Settings(task="math", steps=steps, prompts=prompts_, samples=samples, lr=1e-1, kl=0.0, warmup=0)
    last = [m for m in loaded.adapted.modules.values() if m.out_features == loaded.model.get_output_embeddings().in_features][-1]
    good = (loaded.model.get_output_embeddings().weight.float() @ last.U[:, 0].float() > 0).tolist()
    texts = [f"Anna has {12 + k} pens and buys {k}." for k in range(prompts_)]
    shares, seconds = [], []
    with tempfile.TemporaryDirectory() as folder, RunZ(loaded, settings, Path(folder), resume=False) as z:
        for step in range(steps):
            begun = time.perf_counter()
            asked = [Request(text, mix=Mix.base(), max_new_tokens=tokens, temperature=1.0, seed=10_000 * step + 100 * k + s)
                     for k, text in enumerate(texts) for s in range(samples)]  # fmt: skip
            with loaded.adapted.folded():
                answers = answer_all(loaded, asked, batch_size=len(asked), mode="current")
            share = [sum(good[t] for t in a.tokens) / len(a.tokens) for a in answers]
            reinforce._update(loaded, z, asked, answers, [2 * s - 1 for s in share], 0.0, step)
            shares.append(sum(share) / len(share))
            seconds.append(time.perf_counter() - begun)
    third = max(1, steps // 3)
    early, late = sum(shares[:third]) / third, sum(shares[-third:]) / third
    return {"reward by step": [round(s, 3) for s in shares], "early": round(early, 3), "late": round(late, 3),
            "seconds per step": round(sorted(seconds)[len(seconds) // 2], 3), "met": late > early}  # fmt: skip


_WAYS: dict[str, Callable[[Loaded], Result]] = {
    "overhead": rows.overhead, "mix": rows.mix, "cem": rows.cem, "serve": rows.serve, "fair": service.fair,
    "visitors": service.visitors, "train": training.train, "toy": toy, "scale": scale.scale}  # fmt: skip
