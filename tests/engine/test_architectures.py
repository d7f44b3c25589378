"""Which architectures get slots, and that all of them answer the same way through the engine, each on a tiny random model."""

import pytest
import torch
import transformers

from t2ui.core import Mix
from t2ui.engine import Engine, Request, answer_all
from t2ui.engine.model import load

from ..conftest import more_often, save_experts, save_tokenizer

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3, "initializer_range": 0.25,
         "tie_word_embeddings": False}  # fmt: skip
# (configuration class, what is special about it, whether it gets slots), as t2ui/engine/cache.py says
KINDS = {
    "llama": ("LlamaConfig", {}, True),
    "mistral": ("MistralConfig", {"sliding_window": None}, True),
    "mistral with a window": ("MistralConfig", {"sliding_window": 16}, False),
    "qwen2": ("Qwen2Config", {}, True),
    "qwen3": ("Qwen3Config", {"head_dim": 8}, True),
    "olmo2": ("Olmo2Config", {}, True),
    "phi3": ("Phi3Config", {"sliding_window": None}, True),
    "gemma2": ("Gemma2Config", {"head_dim": 8, "sliding_window": 16}, False),
    "gemma3": ("Gemma3TextConfig", {"head_dim": 8, "sliding_window": 16}, False),
}
PROMPTS = ["Anna has 12 pens.", "How many books does Ben buy? The answer is", "x"]


@pytest.fixture(scope="module", params=KINDS)
def tiny(request, tmp_path_factory, sentencepiece_file):
    name, special, slots = KINDS[request.param]
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "-"))
    tokenizer = save_tokenizer(sentencepiece_file, folder, None)
    config = getattr(transformers, name)(vocab_size=len(tokenizer), **SIZES | special)
    torch.manual_seed(5)
    model = transformers.AutoModelForCausalLM.from_config(config)
    more_often(model, 2, 1.5)
    model.save_pretrained(folder)
    experts = save_experts(folder, tmp_path_factory.mktemp("experts"), ("math",))
    return load(folder, device="cpu", experts_dir=experts), slots


def test_every_architecture_answers_through_the_same_calls(tiny):
    loaded, slots = tiny
    mixes = (Mix.base(), Mix.single("math"), Mix.single("math", 0.4))
    asked = [Request(p, mix=m, max_new_tokens=8, temperature=t, seed=3) for p in PROMPTS for m in mixes for t in (0.0, 1.0)]
    alone = [answer_all(loaded, [r], mode="rows")[0] for r in asked]
    with Engine(loaded) as engine:
        engine.wait(30)
        assert (engine._scheduler is not None) == slots
        streams = [engine.submit(r) for r in asked]
        assert [s.result(60)[0].tokens for s in streams] == [a.tokens for a in alone]
        assert [a.tokens for a in engine.submit(asked[:6]).result(60)] == [a.tokens for a in alone[:6]]
    assert len({a.tokens for a in alone}) > 4
