"""Tiny random models of the kinds that the core is attached to. No skills, no files, milliseconds to build."""

import torch
from torch import nn
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
)

from t2ui.core import Adapted
from t2ui.core.svf import BOUNDS

VOCAB = 64
LAYERS = 2


def text_config() -> LlamaConfig:
    """Grouped-query attention with biases, so that k_proj is not square and every layer has a bias to carry."""
    return LlamaConfig(
        vocab_size=VOCAB,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        attention_bias=True,
        mlp_bias=True,
        initializer_range=0.1,
    )


def make_llama(seed: int = 0, dtype: torch.dtype = torch.float32) -> nn.Module:
    torch.manual_seed(seed)
    return LlamaForCausalLM(text_config()).eval().to(dtype)


def make_llava(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    vision = CLIPVisionConfig(
        image_size=16,
        patch_size=8,
        num_hidden_layers=3,
        hidden_size=48,
        intermediate_size=192,
        num_attention_heads=4,
        projection_dim=32,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=text_config(),
        image_token_id=4,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
    )
    return LlavaForConditionalGeneration(config).eval()


def ids(batch: int = 3, length: int = 7, seed: int = 0) -> torch.Tensor:
    """(batch, length) token ids without the image token."""
    return torch.randint(5, VOCAB, (batch, length), generator=torch.Generator().manual_seed(seed))


def some_z(adapted: Adapted, seed: int = 0, spread: float = 0.3) -> torch.Tensor:
    """(R,) fp32 around 1, negative and zero entries among them."""
    z = 1 + spread * torch.randn(adapted.R, generator=torch.Generator().manual_seed(seed))
    z[::17], z[5::19] = 0.0, -1.0
    return z


@torch.no_grad()
def logits(model: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    return model(input_ids=tokens, use_cache=False).logits


def close(y: torch.Tensor, want: torch.Tensor, dtype: torch.dtype) -> None:
    error = ((y.double() - want.double()).abs().max() / want.abs().max()).item()
    assert error <= BOUNDS[dtype], f"{error:.2e}"
