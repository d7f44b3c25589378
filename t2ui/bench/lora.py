"""peft's way to serve a batch with an adapter a row, for comparison: ``adapter_names`` (one LoRA of rank 8 a visitor)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch

from t2ui.engine.model import Loaded

RANK = 8


def mixed_batch(loaded: Loaded, visitors: int) -> Callable[[torch.Tensor, Mapping[str, Any]], list[list[int]]] | None:
    """``generate`` of a peft model of the same shape and weights with so many LoRAs, row k using the k-th; None without peft.

    The LoRAs sit on the matrices that t2ui adapts and have random, different weights.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        return None
    with torch.device(loaded.device):  # at once where and as it is wanted: 8B in fp32 on the CPU would take 32 GB and minutes
        model = type(loaded.model)._from_config(loaded.model.config, dtype=loaded.model.dtype)
    model.load_state_dict(loaded.model.state_dict())
    model.eval()
    model.generation_config = loaded.model.generation_config
    targets = "|".join(map(re.escape, loaded.adapted.modules))
    config = LoraConfig(r=RANK, target_modules=f"({targets})", init_lora_weights=False, task_type="CAUSAL_LM")
    names = [f"visitor{k}" for k in range(visitors)]
    peft = get_peft_model(model, config, adapter_name=names[0]).eval()
    for name in names[1:]:
        peft.add_adapter(name, config)

    @torch.no_grad()
    def way(ids: torch.Tensor, options: Mapping[str, Any]) -> list[list[int]]:
        return peft.generate(input_ids=ids, attention_mask=torch.ones_like(ids), adapter_names=names, **options).tolist()

    return way
