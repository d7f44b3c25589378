"""Which models load, and what is special about each kind; everything else in the engine is generic.

One row per ``model_type`` of a config.json. `python -m t2ui architectures` tries every row on a tiny random model.

* **Slots** (`t2ui/engine/cache.py`) serve models whose every layer attends to everything, with one position a token. Others
  (a sliding window, three positions a token) are answered as a left-padded batch of their own behind the same calls.
* **Eyes** name the way in which a picture becomes tokens (`t2ui/engine/eyes.py`).
* A model that only writes text and is not in the table is tried by the general rule: every linear layer of its decoder layers.
  A model that sees and is not in the table is refused: its picture tokens and positions are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from t2ui.core import decoder_layers
from t2ui.core.adapted import GROUPS

from .errors import ModelError

_QKVO = ("q_proj", "k_proj", "v_proj", "o_proj")
_GATED = ("gate_proj", "up_proj", "down_proj")
_LAYERS = {"full_attention", "sliding_attention"}
# Where configurations say how many experts a layer has.
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")


@dataclass(frozen=True)
class Architecture:
    """A kind of model.

    Attributes:
        type: ``model_type`` of config.json. name: for people. models: some that are of this kind.
        attention, mlp: last names of the linear layers in a decoder layer.
        vision: the parts that see, never adapted; empty for a model without eyes.
        slots: whether its rows live in slots (where no layer has a sliding window).
        eyes: how a picture becomes tokens, a key of ``eyes.KINDS``; empty for a model without eyes.
    """

    type: str
    name: str
    models: str
    attention: tuple[str, ...] = _QKVO
    mlp: tuple[str, ...] = _GATED
    vision: tuple[str, ...] = ()
    slots: bool = True
    eyes: str = ""

    @property
    def groups(self) -> Mapping[str, str]:
        """What "all", "attention" and "mlp" mean, as regular expressions (`t2ui.core.attach`)."""
        if not self.attention:
            return GROUPS
        return {"all": "", "attention": rf"\.({'|'.join(self.attention)})$", "mlp": rf"\.({'|'.join(self.mlp)})$"}


TABLE: dict[str, Architecture] = {row.type: row for row in (
    Architecture("llama", "Llama 2 and 3", "Llama 2, 3, 3.1, 3.2; SmolLM, SmolLM2; Vicuna; TinyLlama"),
    Architecture("mistral", "Mistral", "Mistral 7B, Nemo, Small"),
    Architecture("qwen2", "Qwen2 and 2.5", "Qwen2, Qwen2.5, QwQ"),
    Architecture("qwen3", "Qwen3", "Qwen3 0.6B to 32B"),
    Architecture("gemma2", "Gemma 2", "Gemma 2 2B to 27B"),
    Architecture("gemma3_text", "Gemma 3 (text)", "Gemma 3 270M, 1B"),
    Architecture("phi3", "Phi-3 and Phi-4", "Phi-3, Phi-3.5, Phi-4, Phi-4-mini", ("qkv_proj", "o_proj"),
                 ("gate_up_proj", "down_proj")),
    Architecture("olmo2", "OLMo 2", "OLMo 2 1B to 32B"),
    Architecture("smollm3", "SmolLM3", "SmolLM3 3B"),
    Architecture("llava", "LLaVA", "LLaVA 1.5; the demo model", vision=("vision_tower", "multi_modal_projector"), eyes="fixed"),
    Architecture("llava_next", "LLaVA-NeXT", "LLaVA 1.6 over Llama, Mistral, Vicuna, Qwen",
                 vision=("vision_tower", "multi_modal_projector"), eyes="tiles"),
    Architecture("qwen2_vl", "Qwen2-VL", "Qwen2-VL 2B to 72B", vision=("visual",), slots=False, eyes="grid"),
    Architecture("qwen2_5_vl", "Qwen2.5-VL", "Qwen2.5-VL 3B to 72B", vision=("visual",), slots=False, eyes="grid"),
    Architecture("gemma3", "Gemma 3", "Gemma 3 4B to 27B", vision=("vision_tower", "multi_modal_projector"), eyes="block"),
    Architecture("smolvlm", "SmolVLM2", "SmolVLM2", vision=("vision_model", "connector"), eyes="split"),
    Architecture("idefics3", "SmolVLM", "SmolVLM, Idefics3", vision=("vision_model", "connector"), eyes="split"),
)}  # fmt: skip

# The language models inside of those that see, where they have a type of their own.
_INSIDE = {"qwen2_vl_text": "qwen2_vl", "qwen2_5_vl_text": "qwen2_5_vl"}


def text_of(config: Any) -> Any:
    """The configuration of the language model."""
    return config.get_text_config() if hasattr(config, "get_text_config") else config


def sees(config: Any) -> bool:
    return getattr(config, "vision_config", None) is not None


def full_attention(config: Any) -> bool:
    """Whether every layer attends to everything, so that one mask and one cache serve all layers."""
    kinds = getattr(config, "layer_types", None)
    if kinds is not None:
        return all(kind == "full_attention" for kind in kinds)
    return getattr(config, "sliding_window", None) is None


def three_positions(config: Any) -> bool:
    """Whether a token has three positions (time, height, width)."""
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    return "mrope_section" in rope or getattr(config, "model_type", "") in _INSIDE


def takes_slots(config: Any) -> bool:
    """Whether rows of this language model (its text configuration) live in slots."""
    kind = getattr(config, "model_type", "")
    row = TABLE.get(_INSIDE.get(kind, kind))
    return (row is None or row.slots) and full_attention(config) and not three_positions(config)


def look_up(config: Any, name: str) -> Architecture:
    """The row of a model, by its configuration alone; a row made up for a text model that is not in the table.

    Raises:
        ModelError: quantised, mixture of experts, encoder-decoder, layers that are no attention, eyes that are not in the
            table; says what to take instead.
    """
    text, kind = text_of(config), str(getattr(config, "model_type", "") or "unknown")
    quantised = getattr(config, "quantization_config", None) or getattr(text, "quantization_config", None)
    if quantised:
        method = quantised.get("quant_method") if isinstance(quantised, Mapping) else getattr(quantised, "quant_method", "")
        raise ModelError(f"{name} is quantised ({method or 'unnamed method'}): its matrices have no exact singular values. Take "
                         "the checkpoint that it was made from (bf16 or fp16)")  # fmt: skip
    many = next((int(n) for key in _EXPERTS if (n := getattr(text, key, None)) and int(n) > 1), 0)
    if many:
        raise ModelError(f"{name} is a mixture of {many} experts a layer ({kind}): they lie in one three-dimensional tensor, "
                         f"which is not adapted. Take a dense model: {known()}")  # fmt: skip
    if getattr(config, "is_encoder_decoder", False):
        raise ModelError(f"{name} is an encoder-decoder ({kind}); expected a model that only decodes: {known()}")
    if kind in TABLE:
        return TABLE[kind]
    if sees(config) or getattr(config, "audio_config", None) is not None:
        eyes = ", ".join(row.name for row in TABLE.values() if row.eyes)
        raise ModelError(f"{name} is a {kind} model; of models that see, these load: {eyes}")
    foreign = sorted(set(getattr(text, "layer_types", None) or ()) - _LAYERS)
    if foreign or not getattr(text, "num_attention_heads", None):
        raise ModelError(f"{name} ({kind}) has layers that are no attention ({', '.join(foreign) or 'none is'}): their state has "
                         f"no place in our cache. Take one of {known()}")  # fmt: skip
    return Architecture(kind, kind, "", attention=(), mlp=())


def known() -> str:
    return ", ".join(row.name for row in TABLE.values())


def skeleton(config: Any) -> nn.Module:
    """The model without weights (meta device): its modules and shapes cost no memory and, at 70B, half a second."""
    import copy

    import torch
    import transformers

    auto = transformers.AutoModelForImageTextToText if sees(config) else transformers.AutoModelForCausalLM
    with torch.device("meta"):
        return auto.from_config(copy.deepcopy(config), trust_remote_code=False)


def check_modules(model: nn.Module, name: str) -> None:
    """Refuse decoder layers whose matrices cannot be adapted, on a model with or without weights.

    Raises:
        ModelError: GPT-2's Conv1D, expert tensors of three dimensions, no linear layer, or no decoder layers at all.
    """
    try:
        _, blocks = decoder_layers(model)
    except ValueError as error:
        raise ModelError(f"{name} cannot be adapted: {error}") from error
    for path, module in blocks.named_modules():
        if type(module).__name__ == "Conv1D":
            raise ModelError(f"{name} keeps its matrices in GPT-2's Conv1D modules (such as {path}), which are transposed and not "
                             f"adapted. Take one of {known()}")  # fmt: skip
        for key, parameter in module.named_parameters(recurse=False):
            if parameter.dim() == 3:
                raise ModelError(f"{name} has a tensor of three dimensions in its decoder layers ({path}.{key}, "
                                 f"{tuple(parameter.shape)}): a mixture of experts, which is not adapted. Take one of {known()}")  # fmt: skip
    if not any(isinstance(module, nn.Linear) for module in blocks.modules()):
        raise ModelError(f"{name} has no linear layers in its decoder layers. Take one of {known()}")
