"""What a step of REINFORCE costs (``train``): ours / with rollouts by transformers' ``generate``, plain fp32 autograd."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from t2ui.bench.common import Result, interleaved, medians
from t2ui.engine.batch import pad_left
from t2ui.engine.model import Loaded
from t2ui.engine.request import Request
from t2ui.tasks import get_task
from t2ui.train import reinforce
from t2ui.train.reinforce import Settings
from t2ui.train.run_z import RunZ


def train(loaded: Loaded, repeats: int = 9, prompts: int = 24, samples: int = 4, task: str = "math") -> Result:
    """Rollout tokens a second, and seconds of a step (rollout, KL to the base, gradient) of prompts x samples
    answers.

    Both ways fold the policy for the rollout and answer all prompts in one batch. ``plain`` samples with transformers'
    ``generate`` and computes gradients of the whole batch in fp32; ``plain, bf16`` has our autocast too, so that only the
    rollout, the cutting into pieces and the prompts that are read once for their samples differ.
    """
    family = get_task(task)
    settings = Settings(task=task, steps=1, prompts=prompts, samples=samples)
    rates: dict[str, list[float]] = {"ours": [], "plain": [], "plain, bf16": []}
    updates: dict[str, list[float]] = {"ours": [], "plain": [], "plain, bf16": []}
    with tempfile.TemporaryDirectory() as folder, RunZ(loaded, settings, Path(folder), resume=False) as z:
        requests, _, _ = reinforce._rollout(loaded, family, settings, 0)

        def way(name: str) -> None:
            begun = time.perf_counter()
            # Drawing the questions and grading the answers is not what is compared: neither way does it here.
            answers = reinforce._sampled(loaded, requests) if name == "ours" else _generate(loaded, requests, family.max_new_tokens)
            rolled = time.perf_counter()
            rewards = [1.0 if k % 2 else -1.0 for k in range(len(answers))]
            reinforce._update(loaded, z, requests, answers, rewards, settings.kl, 0, autocast=name != "plain",
                              piece=None if name == "ours" else 10**9, share=name == "ours")  # fmt: skip
            rates[name].append(sum(len(a.tokens) for a in answers) / (rolled - begun))
            updates[name].append(time.perf_counter() - rolled)

        m = medians(interleaved({name: lambda name=name: way(name) for name in rates}, repeats, loaded.device))
    rate, update = ({k: v[1:] for k, v in found.items()} for found in (rates, updates))
    rate, update = medians(rate), medians(update)
    generate = max(rate["plain"], rate["plain, bf16"])
    return {"rollouts": len(requests), "seconds per step": {k: round(v, 3) for k, v in m.items()},
            "of it update": {k: round(v, 3) for k, v in update.items()},
            "rollout tokens per second": {k: round(v, 1) for k, v in rate.items()},
            "rollout_over_generate": round(rate["ours"] / generate, 2),
            "plain_over_ours": round(m["plain"] / m["ours"], 2), "plain_bf16_over_ours": round(m["plain, bf16"] / m["ours"], 2),
            "met": rate["ours"] >= 2 * generate and m["plain"] >= 2 * m["ours"]}  # fmt: skip


@dataclass(frozen=True)
class _Sampled:
    tokens: list[int]


@torch.no_grad()
def _generate(loaded: Loaded, requests: Sequence[Request], tokens: int) -> list[Any]:
    """Sampled answers of all prompts in one batch of transformers' ``generate``, the policy folded into the weights."""
    ids, real = pad_left([loaded.encode(r).ids for r in requests], loaded)
    pad = loaded.tokenizer.pad_token_id
    with loaded.adapted.folded():
        out = loaded.model.generate(input_ids=ids, attention_mask=real.long(), max_new_tokens=tokens, do_sample=True, top_k=0,
                                    eos_token_id=list(loaded.eos),
                                    pad_token_id=loaded.terminator if pad is None else pad)  # fmt: skip
    return [_Sampled(_cut(row, loaded.eos)) for row in out[:, ids.shape[1] :].tolist()]


def _cut(row: list[int], eos: Sequence[int]) -> list[int]:
    """Up to and with the first token that ends an answer."""
    end = next((k + 1 for k, token in enumerate(row) if token in eos), len(row))
    return row[:end]
