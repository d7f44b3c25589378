"""The demo model's shape: LLaVA with a small CLIP tower and a small Llama, built without weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PICTURE, PATCH = 48, 8
IMAGE_TOKENS = (PICTURE // PATCH) ** 2


@dataclass(frozen=True)
class Shape:
    """Sizes of the two towers; feed-forward 4 x hidden and grouped key-value heads keep rows cheap."""

    hidden: int = 192
    layers: int = 6
    heads: int = 6
    kv_heads: int = 3
    vision_hidden: int = 96
    vision_layers: int = 3
    vision_heads: int = 3
    context: int = 1024


def build_model(shape: Shape, vocabulary: int, image_token: int):
    """A freshly initialised ``LlavaForConditionalGeneration`` in fp32."""
    from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

    vision = CLIPVisionConfig(
        image_size=PICTURE, patch_size=PATCH, hidden_size=shape.vision_hidden, intermediate_size=4 * shape.vision_hidden,
        num_hidden_layers=shape.vision_layers, num_attention_heads=shape.vision_heads, projection_dim=shape.hidden,
    )  # fmt: skip
    text = LlamaConfig(
        vocab_size=vocabulary, hidden_size=shape.hidden, intermediate_size=4 * shape.hidden,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.context, rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=3, attention_dropout=0.0,
    )  # fmt: skip
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=image_token,
                         vision_feature_layer=-1, vision_feature_select_strategy="default",
                         image_seq_length=IMAGE_TOKENS, tie_word_embeddings=False)  # fmt: skip
    config._attn_implementation = "eager"
    return LlavaForConditionalGeneration(config)


def build_processor(folder: Path):
    """The LlavaProcessor over the tokenizer saved in ``folder``; any picture is resized to 48 x 48."""
    from transformers import AutoTokenizer, CLIPImageProcessorPil, LlavaProcessor

    images = CLIPImageProcessorPil(
        do_resize=True, size={"height": PICTURE, "width": PICTURE}, do_center_crop=False, do_rescale=True,
        do_normalize=True, image_mean=[0.5] * 3, image_std=[0.5] * 3, do_convert_rgb=True, resample=2,
    )  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return LlavaProcessor(image_processor=images, tokenizer=tokenizer, patch_size=PATCH,
                          vision_feature_select_strategy="default", image_token="<image>",
                          num_additional_image_tokens=1, chat_template=tokenizer.chat_template)  # fmt: skip
