"""A tiny random model of every kind in `t2ui/engine/architectures.py`, written as the files that transformers reads.

No skill, no download: half a second each. Shapes differ on purpose (grouped heads, heads that do not multiply up to the hidden
size, windows shorter than the prompts), so that what is special about a kind is exercised.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 512, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3, "initializer_range": 0.25,
        "tie_word_embeddings": False}  # fmt: skip
MARKS = ("<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>", "<|system|>", "<image>", "<|vision_start|>", "<|vision_end|>", "<boi>",
         "<eoi>", "<fake_token_around_image>", "<global-img>", *(f"<row_{i}_col_{j}>" for i in (1, 2, 3) for j in (1, 2, 3)))  # fmt: skip
# Content in parts where there are pictures; each kind's mark for one is filled in.
TEMPLATE = (
    "{{ '<s>' }}{% for m in messages %}{{ '<|' + m['role'] + '|>' }}{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for p in m['content'] %}{% if p['type'] == 'image' %}{{ 'IMAGE' }}{% else %}{{ p['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
SENTENCES = ("How many pens does Anna have?", "Ben buys 12 books and gives 3 away.", "def total(xs): return sum(xs)",
             "What is in the picture? A red circle and two blue squares.", "The answer is 7.")  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """A tiny model: its row of the table, the configuration's class, what is special, whether it gets slots."""

    type: str
    config: str
    special: dict[str, Any] = field(default_factory=dict)
    slots: bool = True
    image: str = "<image>"


_WINDOW = {"head_dim": 8, "sliding_window": 16}
KINDS: dict[str, Kind] = {
    "llama": Kind("llama", "LlamaConfig"),
    "llama, tied": Kind("llama", "LlamaConfig", {"tie_word_embeddings": True, "head_dim": 16}),
    "mistral": Kind("mistral", "MistralConfig", {"sliding_window": None}),
    "mistral, window": Kind("mistral", "MistralConfig", {"sliding_window": 16}, slots=False),
    "qwen2": Kind("qwen2", "Qwen2Config"),
    "qwen3": Kind("qwen3", "Qwen3Config", {"head_dim": 8}),
    "gemma2": Kind("gemma2", "Gemma2Config", _WINDOW, slots=False),
    "gemma3_text": Kind("gemma3_text", "Gemma3TextConfig", _WINDOW, slots=False),
    "phi3": Kind("phi3", "Phi3Config", {"sliding_window": None}),
    "phi3, window": Kind("phi3", "Phi3Config", {"sliding_window": 16}, slots=False),
    "olmo2": Kind("olmo2", "Olmo2Config"),
    "smollm3": Kind("smollm3", "SmolLM3Config"),
    "llava": Kind("llava", "LlavaConfig"),
    "llava_next": Kind("llava_next", "LlavaNextConfig"),
    "qwen2_vl": Kind("qwen2_vl", "Qwen2VLConfig", slots=False, image="<|vision_start|><image><|vision_end|>"),
    "qwen2_5_vl": Kind("qwen2_5_vl", "Qwen2_5_VLConfig", slots=False, image="<|vision_start|><image><|vision_end|>"),
    "gemma3": Kind("gemma3", "Gemma3Config", slots=False, image="<boi>"),
    "smolvlm": Kind("smolvlm", "SmolVLMConfig"),
    "idefics3": Kind("idefics3", "Idefics3Config"),
}


def build(name: str, folder: Path, seed: int = 0) -> Path:
    """Write a tiny random model of a kind into a folder."""
    import torch
    import transformers

    kind = KINDS[name]
    tokenizer = make_tokenizer(kind.image)
    config = _config(kind, tokenizer)
    torch.manual_seed(seed)
    auto = transformers.AutoModelForImageTextToText if hasattr(config, "vision_config") else transformers.AutoModelForCausalLM
    model = auto.from_config(config)
    with torch.no_grad():  # so that rows end at different steps
        if not config.get_text_config().to_dict().get("tie_word_embeddings"):
            model.get_output_embeddings().weight[2] *= 1.5
        for key, parameter in model.named_parameters():  # what starts at zero would hide mistakes
            if not bool(parameter.any()):
                parameter.normal_(0, 0.1)
            assert bool(torch.isfinite(parameter).all()), key
    with quiet():
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _save_processor(kind, tokenizer, folder)
    return folder


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bars and warnings about tiny configurations."""
    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def make_tokenizer(image: str) -> Any:
    """A byte-level BPE of about 400 tokens with every mark that the kinds need."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", *MARKS], initial_alphabet=alphabet, show_progress=False)
    core.train_from_iterator(SENTENCES * 4, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="<unk>", bos_token="<s>", eos_token="</s>", pad_token="<pad>", padding_side="left",
        extra_special_tokens={"image_token": "<image>", "boi_token": "<boi>", "eoi_token": "<eoi>",
                              "fake_image_token": "<fake_token_around_image>", "global_image_token": "<global-img>",
                              **{f"mark_{i}": mark for i, mark in enumerate(MARKS[3:6] + MARKS[7:9] + MARKS[13:])}},
        chat_template=TEMPLATE.replace("IMAGE", image),
    )  # fmt: skip


def _config(kind: Kind, tokenizer: Any) -> Any:
    import transformers

    text = {**TEXT, "vocab_size": len(tokenizer)}
    mark = tokenizer.convert_tokens_to_ids
    make = getattr(transformers, kind.config)
    clip = {"image_size": 16, "patch_size": 4, "hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2,
            "num_attention_heads": 2, "initializer_range": 0.25}  # fmt: skip
    ids = {"image_token_id": mark("<image>"), "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
    if kind.type in ("llava", "llava_next"):
        more = {"image_grid_pinpoints": [[16, 32], [32, 16], [32, 32]]} if kind.type == "llava_next" else {}
        return make(vision_config=transformers.CLIPVisionConfig(projection_dim=24, **clip), vision_feature_layer=-1,
                    text_config=transformers.LlamaConfig(**text), tie_word_embeddings=False, **more, **ids)  # fmt: skip
    if kind.type in ("qwen2_vl", "qwen2_5_vl"):
        vision = {"depth": 2, "patch_size": 4, "spatial_merge_size": 2, "temporal_patch_size": 2, "in_channels": 3,
                  "initializer_range": 0.25}  # fmt: skip
        vision |= ({"embed_dim": 16, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2} if kind.type == "qwen2_vl" else
                   {"hidden_size": 16, "out_hidden_size": 32, "num_heads": 2, "intermediate_size": 32, "window_size": 16,
                    "fullatt_block_indexes": [1]})  # fmt: skip
        rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}
        return make(vision_config=vision, text_config={**text, "rope_parameters": rope}, tie_word_embeddings=False,
                    vision_start_token_id=mark("<|vision_start|>"), vision_end_token_id=mark("<|vision_end|>"), **ids)  # fmt: skip
    if kind.type == "gemma3":
        siglip = transformers.SiglipVisionConfig(**{k: v for k, v in clip.items() if k != "initializer_range"})
        return make(text_config=transformers.Gemma3TextConfig(**text, **_WINDOW), vision_config=siglip, mm_tokens_per_image=4,
                    image_token_index=mark("<image>"), boi_token_index=mark("<boi>"), eoi_token_index=mark("<eoi>"),
                    tie_word_embeddings=False, **ids)  # fmt: skip
    if kind.type in ("smolvlm", "idefics3"):
        return make(text_config=transformers.LlamaConfig(**text), vision_config=clip, scale_factor=2,
                    tie_word_embeddings=False, **ids)  # fmt: skip
    return make(**text | kind.special)


def _save_processor(kind: Kind, tokenizer: Any, folder: Path) -> None:
    import transformers

    half = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    square = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
    if kind.type in ("llava", "llava_next"):
        images = (transformers.CLIPImageProcessorPil(**square, **half) if kind.type == "llava" else
                  transformers.LlavaNextImageProcessorPil(image_grid_pinpoints=[[16, 32], [32, 16], [32, 32]], **square, **half))  # fmt: skip
        make = transformers.LlavaProcessor if kind.type == "llava" else transformers.LlavaNextProcessor
        make(image_processor=images, tokenizer=tokenizer, patch_size=4, vision_feature_select_strategy="default",
             image_token="<image>", num_additional_image_tokens=1, chat_template=tokenizer.chat_template).save_pretrained(folder)  # fmt: skip
    elif kind.type in ("qwen2_vl", "qwen2_5_vl"):
        transformers.Qwen2VLImageProcessorPil(
            patch_size=4, merge_size=2, temporal_patch_size=2, min_pixels=128, max_pixels=768, **half).save_pretrained(folder)  # fmt: skip
    elif kind.type == "gemma3":
        images = transformers.Gemma3ImageProcessorPil(size={"height": 16, "width": 16}, **half)
        transformers.Gemma3Processor(image_processor=images, tokenizer=tokenizer, image_seq_length=4,
                                     chat_template=tokenizer.chat_template).save_pretrained(folder)  # fmt: skip
    elif kind.type in ("smolvlm", "idefics3"):
        make = transformers.SmolVLMImageProcessorPil if kind.type == "smolvlm" else transformers.Idefics3ImageProcessorPil
        make(size={"longest_edge": 32}, max_image_size={"longest_edge": 16}, **half).save_pretrained(folder)
    if kind.type in ("qwen2_vl", "qwen2_5_vl"):  # as their repositories have it: the template in a file of its own
        (folder / "chat_template.json").write_text(json.dumps({"chat_template": tokenizer.chat_template}))
        (folder / "chat_template.jinja").unlink(missing_ok=True)
