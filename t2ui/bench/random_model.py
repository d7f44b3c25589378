"""A model of a well-known shape with random weights, and experts for it: what there is to measure speed and memory with where no
checkpoint is at hand."""

from __future__ import annotations

import time
from typing import Any

import torch

from t2ui.bench.tiny import make_tokenizer
from t2ui.core import Adapted, Expert, ExpertStack, attach
from t2ui.engine.architectures import look_up, text_of
from t2ui.engine.checkpoint import pick_dtype
from t2ui.engine.model import Info, Loaded
from t2ui.engine.text import TextCodec

EXPERTS = ("math", "code", "reasoning", "vision")


@torch.no_grad()
def random_loaded(config: Any, name: str, device: torch.device, dtype: torch.dtype | None = None, seed: int = 0,
                  made_on: torch.device | None = None) -> tuple[Loaded, dict[str, float]]:  # fmt: skip
    """The model on ``device``, decomposed there, with four random experts (z = 1 + 0.1 normal); and seconds and GB of each step.

    Args:
        config: of transformers, without eyes.
        dtype: None: what :func:`t2ui.engine.load` would take there.
        made_on: where the random weights are drawn (default: ``device``): the same there, the same everywhere.
    """
    import transformers

    row = look_up(config, name)
    dtype = pick_dtype("auto", device) if dtype is None else dtype
    spent: dict[str, float] = {}
    begun = time.perf_counter()
    torch.manual_seed(seed)
    with torch.device(made_on or device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)
    model = model.to(device).eval().requires_grad_(False)
    _wait(device)
    spent["seconds to make"] = time.perf_counter() - begun
    _forget_peak(device)
    begun = time.perf_counter()
    adapted = attach(model, base_id=name, factors_dtype=dtype, groups=row.groups)
    _wait(device)
    spent["seconds to decompose"] = time.perf_counter() - begun
    spent["peak GB while decomposing"] = peak_gb(device)
    tokenizer = make_tokenizer("<image>")
    text = text_of(config)
    info = Info(name, name, sum(p.numel() for p in model.parameters()), adapted.R, str(dtype).removeprefix("torch."), str(device),
                False, adapted.n_layers, int(text.max_position_embeddings), 0, False)  # fmt: skip
    loaded = Loaded(model=model, processor=None, tokenizer=tokenizer, adapted=adapted, registry=None, codec=TextCodec(tokenizer),
                    info=info, settings={}, eos=(tokenizer.eos_token_id,), architecture=row)  # fmt: skip
    loaded.stack = ExpertStack(adapted, random_experts(adapted))
    return loaded, {k: round(v, 3) for k, v in spent.items()}


def random_experts(adapted: Adapted, names: tuple[str, ...] = EXPERTS, seed: int = 0) -> list[Expert]:
    """Experts of which nobody knows what they are good for."""
    drawn = torch.Generator().manual_seed(seed)
    return [Expert.from_z(adapted, name, {p: 1 + 0.1 * torch.randn(r, generator=drawn) for p, r in adapted.ranks.items()},
                      objective="random, for benchmarks") for name in names]  # fmt: skip


def peak_gb(device: torch.device) -> float:
    """Most memory that tensors took on a GPU since :func:`random_loaded` began to decompose; 0 elsewhere (not known)."""
    return torch.cuda.max_memory_allocated(device) / 1e9 if device.type == "cuda" else 0.0


def _forget_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
