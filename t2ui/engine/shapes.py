"""Configurations of well-known models, so that a plan needs no file: the shapes alone, as published.

Each is what the model's config.json says (and, where given, its paper); `tests/engine/test_plan.py` compares the number of
parameters that follows with the published one. Only shapes are here: a plan needs nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import ModelError


@dataclass(frozen=True)
class Shape:
    """``config``: keyword arguments of the configuration; ``source``: where the numbers stand; ``params``: published."""

    kind: str
    source: str
    params: float
    config: dict[str, Any]


def _shape(kind: str, source: str, params: float, hidden: int, inner: int, layers: int, heads: int, kv: int, words: int,
           context: int, **more: Any) -> Shape:  # fmt: skip
    return Shape(kind, source, params, {
        "hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers, "num_attention_heads": heads,
        "num_key_value_heads": kv, "vocab_size": words, "max_position_embeddings": context, **more})  # fmt: skip


_LLAMA3 = "arXiv 2407.21783, table 3, and config.json of meta-llama/Meta-Llama-3-{}"
_LLAMA32 = "config.json of meta-llama/Llama-3.2-{}"
_LLAMA2 = "arXiv 2307.09288 and config.json of meta-llama/Llama-2-{}-hf"
_QWEN25 = "arXiv 2412.15115, table 1, and config.json of Qwen/Qwen2.5-{}"

SHAPES: dict[str, Shape] = {
    "llama-2-7b": _shape("llama", _LLAMA2.format("7b"), 6.74e9, 4096, 11008, 32, 32, 32, 32000, 4096),
    "llama-2-13b": _shape("llama", _LLAMA2.format("13b"), 13.02e9, 5120, 13824, 40, 40, 40, 32000, 4096),
    "llama-3-8b": _shape("llama", _LLAMA3.format("8B"), 8.03e9, 4096, 14336, 32, 32, 8, 128256, 8192),
    "llama-3-70b": _shape("llama", _LLAMA3.format("70B"), 70.55e9, 8192, 28672, 80, 64, 8, 128256, 8192),
    "llama-3.2-1b": _shape("llama", _LLAMA32.format("1B"), 1.236e9, 2048, 8192, 16, 32, 8, 128256, 131072, head_dim=64,
                           tie_word_embeddings=True),
    "llama-3.2-3b": _shape("llama", _LLAMA32.format("3B"), 3.213e9, 3072, 8192, 28, 24, 8, 128256, 131072, head_dim=128,
                           tie_word_embeddings=True),
    "mistral-7b": _shape("mistral", "config.json of mistralai/Mistral-7B-Instruct-v0.3", 7.248e9, 4096, 14336, 32, 32, 8, 32768,
                         32768, sliding_window=None),
    "qwen2.5-0.5b": _shape("qwen2", _QWEN25.format("0.5B"), 0.494e9, 896, 4864, 24, 14, 2, 151936, 32768,
                           tie_word_embeddings=True),
    "qwen2.5-1.5b": _shape("qwen2", _QWEN25.format("1.5B"), 1.544e9, 1536, 8960, 28, 12, 2, 151936, 32768,
                           tie_word_embeddings=True),
    "qwen2.5-7b": _shape("qwen2", _QWEN25.format("7B"), 7.616e9, 3584, 18944, 28, 28, 4, 152064, 32768,
                         tie_word_embeddings=False),
    "qwen3-8b": _shape("qwen3", "arXiv 2505.09388, table 1, and config.json of Qwen/Qwen3-8B", 8.19e9, 4096, 12288, 36, 32, 8,
                       151936, 40960, head_dim=128, tie_word_embeddings=False),
    "gemma-2-9b": _shape("gemma2", "arXiv 2408.00118, table 1, and config.json of google/gemma-2-9b", 9.24e9, 3584, 14336, 42, 16,
                         8, 256000, 8192, head_dim=256),
    "phi-3-mini": _shape("phi3", "arXiv 2404.14219 and config.json of microsoft/Phi-3-mini-4k-instruct", 3.82e9, 3072, 8192, 32,
                         32, 32, 32064, 4096, sliding_window=2047),
    "smollm2-135m": _shape("llama", "config.json of HuggingFaceTB/SmolLM2-135M", 0.1345e9, 576, 1536, 30, 9, 3, 49152, 8192,
                           tie_word_embeddings=True),
}  # fmt: skip


def config_of(name: str) -> Any:
    """The configuration of a well-known shape.

    Raises:
        ModelError: not one of them; lists them.
    """
    import transformers

    shape = SHAPES.get(name.lower())
    if shape is None:
        raise ModelError(f"no model folder and no well-known shape {name!r}: give a folder, a name of the Hub (owner/model), or "
                         f"one of {', '.join(SHAPES)}")  # fmt: skip
    return transformers.AutoConfig.for_model(shape.kind, **shape.config)
