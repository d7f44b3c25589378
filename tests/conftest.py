"""Shared fixtures: two tiny random models in standard Hugging Face files, made here, so that no test downloads.

Set before anything heavy is imported: one thread (the tests' tensors are tiny, threads only fight), no network.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import json  # noqa: E402
import random  # noqa: E402
import socket  # noqa: E402
from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

SPECIALS = ("<image>", "<|system|>", "<|user|>", "<|assistant|>")
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% else %}{{ '\\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
PICTURE, PATCH = 48, 8


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    import torch

    torch.set_num_threads(1)


def pytest_terminal_summary(terminalreporter) -> None:
    """What tests tell (``record_property("told", ...)``), also from the processes of pytest-xdist."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, words in getattr(report, "user_properties", ()):
                if name == "told" and report.when == "call":
                    terminalreporter.write_line(str(words))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the test every look-up of a name and every connection fails, and says so."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"something went to the network: {args!r}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Decompositions of the tests' models go to a folder of their own."""
    os.environ["T2UI_CACHE"] = str(tmp_path_factory.mktemp("svd-cache"))


# -- tiny models --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sentencepiece_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentencepiece BPE model of about 400 pieces with byte fallback and the chat's control tokens."""
    import sentencepiece

    rng = random.Random(0)
    names, things = ("Anna", "Ben", "Carl", "Dora"), ("pens", "books", "apples", "coins", "red circles")
    verbs = ("has", "buys", "gives", "finds", "loses", "counts")
    lines = [
        f"{rng.choice(names)} {rng.choice(verbs)} {rng.randrange(99)} {rng.choice(things)}. "
        f"How many {rng.choice(things)} are there? The answer is {rng.randrange(99)}."
        for _ in range(400)
    ]
    lines += ["What kind of question is this: math, code, reasoning, vision or other?"] * 20
    lines += ["def total(xs): return sum(x for x in xs if x % 2 == 0)"] * 20
    prefix = tmp_path_factory.mktemp("sentencepiece") / "tokenizer"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(prefix), model_type="bpe", vocab_size=512,
        byte_fallback=True, split_digits=True, remove_extra_whitespaces=False, hard_vocab_limit=False,
        normalization_rule_name="identity", unk_id=0, bos_id=1, eos_id=2, pad_id=3,
        user_defined_symbols=list(SPECIALS), num_threads=1, minloglevel=2,
    )  # fmt: skip
    return prefix.with_suffix(".model")


def save_tokenizer(sentencepiece_file: Path, folder: Path, template: str | None) -> object:
    """Write a Llama tokenizer made of a sentencepiece model into a folder (stack.md C.2) and return it."""
    from transformers import LlamaTokenizer

    source = folder / "source"
    source.mkdir(parents=True)
    (source / "tokenizer.model").write_bytes(sentencepiece_file.read_bytes())
    settings = {
        "tokenizer_class": "LlamaTokenizer", "pad_token": "<pad>", "padding_side": "left",
        "extra_special_tokens": {"image_token": "<image>"},
    }  # fmt: skip
    (source / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = LlamaTokenizer.from_pretrained(source)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return tokenizer


def text_config(vocabulary: int) -> object:
    from transformers import LlamaConfig

    # A wide initialisation: with the usual 0.02 the best two tokens of a random model nearly tie.
    return LlamaConfig(
        vocab_size=vocabulary, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=3,
        initializer_range=0.25, tie_word_embeddings=False,
    )  # fmt: skip


def more_often(model: object, token: int, factor: float) -> None:
    """Let a random model choose one token more often (its terminator, so that rows end at different steps)."""
    import torch

    with torch.no_grad():
        model.get_output_embeddings().weight[token] *= factor


@pytest.fixture(scope="session")
def tiny_lm_dir(tmp_path_factory: pytest.TempPathFactory, sentencepiece_file: Path) -> Path:
    """A random Llama causal language model of two layers: no picture, no chat template, no system role."""
    import torch
    from transformers import LlamaForCausalLM

    folder = tmp_path_factory.mktemp("tiny-lm")
    tokenizer = save_tokenizer(sentencepiece_file, folder, None)
    torch.manual_seed(1)
    model = LlamaForCausalLM(text_config(len(tokenizer)))
    more_often(model, 2, 1.5)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_llava_dir(tmp_path_factory: pytest.TempPathFactory, sentencepiece_file: Path) -> Path:
    """A random LLaVA with its processor, shaped like the demo model: 48 px pictures, patch 8, 36 picture tokens."""
    import torch
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    folder = tmp_path_factory.mktemp("tiny-llava")
    tokenizer = save_tokenizer(sentencepiece_file, folder, TEMPLATE)
    vision = CLIPVisionConfig(
        image_size=PICTURE, patch_size=PATCH, hidden_size=24, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=2, projection_dim=24, initializer_range=0.25,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=vision, text_config=text_config(len(tokenizer)), vision_feature_layer=-1,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"), vision_feature_select_strategy="default",
        initializer_range=0.25, tie_word_embeddings=False,
    )  # fmt: skip
    torch.manual_seed(2)
    model = LlavaForConditionalGeneration(config)
    more_often(model, 2, 1.5)
    model.save_pretrained(folder)
    images = CLIPImageProcessorPil(
        size={"height": PICTURE, "width": PICTURE}, do_center_crop=False, image_mean=[0.5] * 3, image_std=[0.5] * 3,
    )  # fmt: skip
    LlavaProcessor(
        image_processor=images, tokenizer=tokenizer, patch_size=PATCH, vision_feature_select_strategy="default",
        image_token="<image>", num_additional_image_tokens=1, chat_template=TEMPLATE,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def save_experts(model_dir: Path, folder: Path, names: tuple[str, ...]) -> Path:
    """Random experts of a model, strong enough to change what it says."""
    import torch

    from t2ui.core import Expert
    from t2ui.engine import load

    adapted = load(model_dir, device="cpu", experts_dir=None).adapted
    for i, name in enumerate(names):
        z = 1 + 0.6 * torch.randn(adapted.R, generator=torch.Generator().manual_seed(100 + i))
        Expert.from_z(adapted, name, z, objective="random").save(folder / name)
    return folder


@pytest.fixture(scope="session")
def tiny_llava_experts(tmp_path_factory: pytest.TempPathFactory, tiny_llava_dir: Path) -> Path:
    """An experts' folder for the tiny LLaVA: code, math, vision."""
    return save_experts(tiny_llava_dir, tmp_path_factory.mktemp("experts"), ("math", "code", "vision"))


@pytest.fixture(scope="session")
def tiny_llava(tiny_llava_dir: Path, tiny_llava_experts: Path):
    """The tiny LLaVA, loaded, with its experts. Shared: leave it as you found it."""
    from t2ui.engine import load

    return load(tiny_llava_dir, device="cpu", experts_dir=tiny_llava_experts)


@pytest.fixture
def held_up(tiny_llava):
    """(engine, go): the tiny LLaVA's engine, whose only place is taken until ``go`` is set by a job that usually takes 1,000 s."""
    import threading

    from t2ui.engine import Engine

    go = threading.Event()
    with Engine(tiny_llava, max_active=1) as engine:
        engine.wait()
        engine.durations.add("work", 1000.0)
        engine.run(lambda loaded: go.wait(60))
        yield engine, go
        go.set()


@pytest.fixture(scope="session")
def tiny_lm(tmp_path_factory: pytest.TempPathFactory, tiny_lm_dir: Path):
    """The tiny causal language model, loaded, with one expert ("math"). Shared: leave it as you found it."""
    from t2ui.engine import load

    experts = save_experts(tiny_lm_dir, tmp_path_factory.mktemp("lm-experts"), ("math",))
    return load(tiny_lm_dir, device="cpu", experts_dir=experts)


# -- the demo model of the smallest size, made by the real pretraining code in a few steps ---------------------------


@pytest.fixture(scope="session")
def tiny_preset():
    from dataclasses import replace

    from t2ui.train.architecture import Shape
    from t2ui.train.packing import Packing
    from t2ui.train.pretrain import PRESETS

    shape = Shape(hidden=32, layers=2, heads=2, kv_heads=1, vision_hidden=16, vision_layers=1, vision_heads=1)
    return replace(PRESETS["smoke"], shape=shape, packing=Packing(rows=4, documents=10, pictures=6), steps=4,
                   checkpoint_every=2, tokenizer_documents=1200)  # fmt: skip


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, tiny_preset):
    """(folder, reports) of a four-step pretraining run."""
    from t2ui.train.pretrain import pretrain

    folder = tmp_path_factory.mktemp("smoke") / "demo"
    return folder, list(pretrain(folder, tiny_preset, seed=3, report_every=1, validate_every=4))


@pytest.fixture
def smoke_loaded(smoke, tmp_path: Path):
    from t2ui.engine.model import load

    return load(smoke[0], experts_dir=tmp_path / "experts", cache_dir=tmp_path / "cache")
