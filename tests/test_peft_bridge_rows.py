"""t2ui.peft_bridge in use: batches whose rows have mixes of their own, weighted adapters, training."""

import pytest
import torch
from torch import nn

pytest.importorskip("peft")

from peft import PeftModel, get_peft_model  # noqa: E402
from transformers import GenerationConfig, LlamaForSequenceClassification, Trainer, TrainingArguments  # noqa: E402

from t2ui.core import Expert, ExpertStack, Mix, attach  # noqa: E402
from t2ui.peft_bridge import SVFConfig, svf_mix  # noqa: E402

from .core.models import close, ids, logits, make_llama, some_z, text_config  # noqa: E402
from .peft_models import layers, put, same, svf, weights  # noqa: E402

GREEDY = {"max_new_tokens": 6, "min_new_tokens": 6, "do_sample": False, "pad_token_id": 0}

pytestmark = pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning")  # PEFT's call


@pytest.fixture
def plain():
    """(attached model, two z): what t2ui itself makes of the same base."""
    adapted = attach(make_llama())
    return adapted, some_z(adapted, 1), some_z(adapted, 2)


# -- rows ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(plain):
    """A model with adapters one, two and part (which acts on attention only), and their z by name."""
    adapted, one, two = plain
    model = svf(make_llama(), "one", "two")
    model.add_adapter("part", SVFConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"], init_weights=False))
    put(model, "one", one), put(model, "two", two)
    return model.eval()


def alone(model: PeftModel, name: str, tokens: torch.Tensor, call) -> torch.Tensor:
    if name == "__base__":
        with model.disable_adapter():
            return call(model, tokens)
    model.set_adapter(name)
    return call(model, tokens)


def generated(model: nn.Module, tokens: torch.Tensor, **more: object) -> torch.Tensor:
    return model.generate(input_ids=tokens, attention_mask=torch.ones_like(tokens), **(GREEDY | more))


def test_adapter_names_give_each_row_its_adapter_in_forward_and_generate(three):
    names, tokens = ["two", "__base__", "one", "part"], ids(batch=4)
    with torch.no_grad():
        got = three(input_ids=tokens, adapter_names=names).logits
        text = three.generate(input_ids=tokens, attention_mask=torch.ones_like(tokens), adapter_names=names, **GREEDY)
    for row, name in enumerate(names):
        close(got[row : row + 1], alone(three, name, tokens[row : row + 1], logits), torch.float32)
        assert torch.equal(text[row : row + 1], alone(three, name, tokens[row : row + 1], generated))
    assert len({tuple(row[7:].tolist()) for row in text}) > 1


def test_row_alphas_are_the_mixes_that_t2ui_folds(three, plain):
    adapted, one, two = plain
    alphas = torch.tensor([[0.7, 0.2], [0, 0], [-0.5, 1.3]])
    with svf_mix(three, alphas, ["one", "two"]):
        got = logits(three, ids())
        for row, (a, b) in enumerate(alphas.tolist()):
            with adapted.folded(1 + a * (one - 1) + b * (two - 1)):
                close(got[row : row + 1], logits(adapted.model, ids()[row : row + 1]), torch.float32)
    three.set_adapter("two")
    with svf_mix(three, [[0, 1.0, 0]]):  # one row serves every batch; it overrides the active adapter
        assert torch.equal(logits(three, ids()), logits(three, ids()))
        row = logits(three, ids())
    close(row, logits(three, ids()), torch.float32)


@pytest.mark.parametrize("how", ["keywords", "generation_config", "the model's own"])
@pytest.mark.parametrize("more", [{"num_beams": 3}, {"num_beams": 2, "num_return_sequences": 2}])
def test_beams_and_returned_sequences_stay_with_their_row(three, more, how):
    tokens = ids(batch=2)
    alphas = [[0.9, 0.1], [0.0, 1.2]]
    owner = three.get_base_model()

    def call(prompt):
        if how == "keywords":
            return generated(three, prompt, **more)
        if how == "the model's own":
            owner.generation_config = GenerationConfig(**(GREEDY | more))
            return three.generate(input_ids=prompt, attention_mask=torch.ones_like(prompt))
        return three.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), generation_config=GenerationConfig(**(GREEDY | more))
        )

    with svf_mix(three, alphas, ["one", "two"]):
        got = call(tokens)
        assert logits(three, tokens).shape[0] == 2  # the block is usable after it
    times = more.get("num_return_sequences", 1)
    for row in range(2):
        with svf_mix(three, alphas[row : row + 1], ["one", "two"]):
            want = call(tokens[row : row + 1])
        assert torch.equal(got[row * times : (row + 1) * times, : want.shape[1]], want)
    assert "_expand_inputs_for_generation" not in vars(owner)


def test_what_mixing_by_row_refuses(three):
    def mix(*args):
        with svf_mix(three, *args):
            return logits(three, ids())

    for args, words in [
        (([[1.0, 0]] * 2, ["one", "two"]), "2 rows were given"),
        (([[1.0]], ["math"]), "'math'"),
        (([[1.0, 1.0]], ["one", "one"]), "different ones"),
        (([[1.0]], ["one", "two"]), r"shape \(1, 1\)"),
        (([[torch.nan]], ["one"]), "NaN"),
    ]:
        with pytest.raises(ValueError, match=words):
            mix(*args)
    with pytest.raises(ValueError, match="open already"), svf_mix(three, [[1.0]], ["one"]):
        mix([[1.0]], ["one"])
    with pytest.raises(ValueError, match=r"non-existing adapter\(s\): math"):
        three(input_ids=ids(), adapter_names=["one", "math", "two"])
    with pytest.raises(ValueError, match="training mode"):
        three.train()(input_ids=ids(), adapter_names=["one"] * 3)
    three.eval().merge_adapter()
    with pytest.raises(ValueError, match="unmerge_adapter"):
        mix([[1.0]], ["one"])
    with pytest.raises(ValueError, match="no SVF layers"), svf_mix(make_llama(), [[1.0]]):
        pass
    three.unmerge_adapter()
    assert torch.equal(mix([[0.0]], ["one"]), logits(make_llama(), ids()))  # nothing was left behind


def test_a_weighted_adapter_is_the_mix_bit_for_bit(three, plain):
    adapted, one, two = plain
    three.add_weighted_adapter(["one", "two", "part"], [0.7, -0.4, 0.3], "mix")
    part = {p: m.svf_z["part"].detach().clone() for p, m in layers(three).items() if "part" in m.svf_z}
    assert len(part) == 4
    experts = [Expert.from_z(adapted, n, z) for n, z in (("one", one), ("two", two), ("part", part))]
    want = ExpertStack(adapted, experts).z_dict(Mix.parse("one=0.7,two=-0.4,part=0.3"))
    assert all(torch.equal(layer.svf_z["mix"], want[path]) for path, layer in layers(three).items())
    assert three.active_adapter == "one" and not any(p.requires_grad for n, p in three.named_parameters() if ".mix" in n)
    for arguments, words in [
        ((["one"], [1.0], "mix"), "'mix' already"),
        ((["one"], [1.0, 2.0], "new"), "one weight for each"),
        ((["math"], [1.0], "new"), "one weight for each"),
        ((["one"], [1.0], "new", "svd"), "'linear'"),
    ]:
        with pytest.raises(ValueError, match=words):
            three.add_weighted_adapter(*arguments)
    assert set(three.peft_config) == {"one", "two", "part", "mix"}


# -- training ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("checkpointing", [False, True])
def test_trainer_trains_z_and_nothing_else(tmp_path, checkpointing):
    base = make_llama()
    before = weights(base)
    model = svf(base)
    data = [{"input_ids": row, "labels": row} for row in ids(batch=8, length=9)]
    arguments = TrainingArguments(
        str(tmp_path), max_steps=4, per_device_train_batch_size=4, learning_rate=0.05, report_to=[], use_cpu=True,
        gradient_checkpointing=checkpointing, save_steps=4, logging_steps=1, disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(model=model, args=arguments, train_dataset=data)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert losses[-1] < losses[0]
    assert same(weights(model), before)
    assert all((layer.svf_z["default"] != 1).any() for layer in layers(model).values())
    saved = tmp_path / "checkpoint-4"
    assert not (saved / "model.safetensors").exists()
    again = PeftModel.from_pretrained(make_llama(), saved)
    assert torch.equal(logits(again, ids()), logits(model.eval(), ids()))


def test_gradient_checkpointing_gives_the_same_gradients(plain):
    _, z, _ = plain

    def gradients(checkpointing: bool) -> list[torch.Tensor]:
        base = make_llama()
        model = svf(base)
        put(model, "default", z)
        model.train()
        if checkpointing:
            model.gradient_checkpointing_enable()
            model.enable_input_require_grads()
        model(input_ids=ids(), labels=ids()).loss.backward()
        return [layer.svf_z["default"].grad for layer in layers(model).values()]

    assert all(torch.equal(a, b) for a, b in zip(gradients(False), gradients(True)))


def test_a_head_may_be_trained_along():
    config = text_config()
    config.num_labels, config.pad_token_id = 3, 0
    torch.manual_seed(0)
    model = get_peft_model(LlamaForSequenceClassification(config), SVFConfig(task_type="SEQ_CLS"))
    names = {n.split(".")[-2] for n, p in model.named_parameters() if p.requires_grad and ".svf_z." not in n}
    assert names == {"default"} and any("score" in n for n, p in model.named_parameters() if p.requires_grad)
    assert model(input_ids=ids()).logits.shape == (3, 3)
