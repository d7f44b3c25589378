"""Folders of PEFT LoRA adapters for tests, written by hand or, where it is installed, by peft."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file


def write(folder: Path, model, targets=("q_proj", "v_proj", "down_proj"), *, rank: int = 3, seed: int = 0, size: float = 0.1,
          tensors=None, **config) -> Path:  # fmt: skip
    """A random adapter of the modules of ``model`` whose last name is in ``targets``."""
    generator = torch.Generator().manual_seed(seed)
    held = {}
    for path, module in model.named_modules():
        if path.rsplit(".", 1)[-1] in targets and isinstance(module, torch.nn.Linear) and "vision" not in path:
            A = torch.randn(rank, module.in_features, generator=generator)
            B = size * torch.randn(module.out_features, rank, generator=generator)
            held[f"base_model.model.{path}.lora_A.weight"], held[f"base_model.model.{path}.lora_B.weight"] = A, B
    held |= tensors or {}
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 2 * rank, "target_modules": list(targets), "bias": "none",
              "base_model_name_or_path": None, "rank_pattern": {}, "alpha_pattern": {}, **config}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v for k, v in held.items() if v is not None}, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def peft_logits(model, folder: Path, tokens: torch.Tensor) -> torch.Tensor:
    """Logits of a plain model with the adapter as peft reads it; the model is left as it was."""
    import peft

    wrapped = peft.PeftModel.from_pretrained(model, folder).eval()
    try:
        with torch.no_grad():
            return wrapped(input_ids=tokens, use_cache=False).logits
    finally:
        wrapped.unload()
