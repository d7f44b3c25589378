"""t2ui.peft_bridge inside a process: what PEFT and Trainer call, against the base, t2ui's own folds and rows, and float64."""

import copy
import enum
import pickle
import warnings

import pytest
import torch
from torch import nn

pytest.importorskip("peft")

from peft import LoraConfig, PeftModel, PeftType, convert_to_lora, get_peft_model, set_peft_model_state_dict  # noqa: E402
from peft.tuners.lora import Linear as LoraLinear  # noqa: E402
from transformers import (  # noqa: E402
    GenerationConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaForSequenceClassification,
    Trainer,
    TrainingArguments,
)

from t2ui.core import Expert, ExpertStack, Mix, attach  # noqa: E402
from t2ui.core.svf import BOUNDS  # noqa: E402
from t2ui.peft_bridge import SVFAdapterLinear, SVFConfig, svf_mix  # noqa: E402
from t2ui.peft_bridge.register import add_member, register  # noqa: E402

from .core.models import close, ids, logits, make_llama, make_llava, some_z, text_config  # noqa: E402

DTYPES = [torch.float32, torch.bfloat16]
GREEDY = {"max_new_tokens": 6, "min_new_tokens": 6, "do_sample": False, "pad_token_id": 0}

pytestmark = [
    pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning"),  # PEFT calls it so
    pytest.mark.filterwarnings("ignore:Adapter one was active which is now deleted"),
]


def svf(model: nn.Module, *names: str, **config: object) -> PeftModel:
    """A PEFT model in evaluation mode with adapters of these names, all at z = 1; the first is active."""
    names = names or ("default",)
    wrapped = get_peft_model(model, SVFConfig(task_type="CAUSAL_LM", **config), adapter_name=names[0])
    for name in names[1:]:
        wrapped.add_adapter(name, SVFConfig(task_type="CAUSAL_LM", **config))
    return wrapped.eval()


def layers(model: nn.Module) -> dict[str, SVFAdapterLinear]:
    """The SVF layers by the path that they have in the base."""
    base = model.get_base_model() if isinstance(model, PeftModel) else model
    return {p.replace(".base_layer", ""): m for p, m in base.named_modules() if isinstance(m, SVFAdapterLinear)}


@torch.no_grad()
def put(model: nn.Module, name: str, z: torch.Tensor) -> dict[str, torch.Tensor]:
    """Write an end-to-end vector (in the order of t2ui's attach) into an adapter; returns it by path."""
    parts, start = {}, 0
    for path, layer in layers(model).items():
        parts[path] = z[start : start + layer.r].clone()
        layer.svf_z[name].copy_(parts[path])
        start += layer.r
    assert start == z.numel()
    return parts


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Every tensor of the base by its plain name."""
    return {
        key.replace(".base_layer", "").removeprefix("base_model.model."): tensor.detach().clone()
        for key, tensor in model.state_dict().items()
        if ".svf_z." not in key
    }


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


@pytest.fixture
def plain():
    """(attached model, two z): what t2ui itself makes of the same base."""
    adapted = attach(make_llama())
    return adapted, some_z(adapted, 1), some_z(adapted, 2)


# -- the type ----------------------------------------------------------------------------------------------------------


def test_a_member_added_to_an_enum_is_a_member_like_the_others():
    kind = enum.Enum("Kind", {"LORA": "LORA"}, type=str)
    member = add_member(kind, "SVF")
    assert list(kind) == [kind.LORA, member] and kind("SVF") is kind["SVF"] is kind.SVF is member
    assert member.value == member.name == "SVF" == member and isinstance(member, kind)
    assert {member: 1}["SVF"] == 1 and copy.deepcopy(member) is member
    assert add_member(kind, "SVF") is member and len(kind) == 2


def test_peft_knows_the_type_once():
    register()
    register()
    assert [k for k in PeftType if k == "SVF"] == [PeftType.SVF]
    assert pickle.loads(pickle.dumps(PeftType.SVF)) is PeftType.SVF
    assert PeftType("LORA") is PeftType.LORA


@pytest.mark.parametrize("name", ["half", "a.b"])
def test_names_that_torch_cannot_take_are_refused(name):
    model = svf(make_llama())
    with pytest.raises(ValueError, match="choose another name"):
        model.add_adapter(name, SVFConfig())
    assert set(model.peft_config) == {"default"}


# -- what it adapts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", [None, "all-linear"])
def test_by_default_it_adapts_what_t2ui_adapts_and_trains_z_only(plain, targets):
    adapted, _, _ = plain
    model = svf(make_llama(), target_modules=targets)
    assert list(layers(model)) == adapted.paths
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert model.get_nb_trainable_parameters()[0] == sum(p.numel() for p in trained.values()) == adapted.R
    assert all(".svf_z.default" in n and p.dtype == torch.float32 for n, p in trained.items())


def test_of_a_model_that_sees_it_adapts_the_language_model():
    adapted = attach(make_llava())
    assert list(layers(svf(make_llava()))) == adapted.paths
    assert not any("vision" in path or "projector" in path for path in adapted.paths)


def test_targets_by_name_by_expression_and_left_out():
    assert {p.rsplit(".", 1)[1] for p in layers(svf(make_llama(), target_modules=["q_proj", "v_proj"]))} == {"q_proj", "v_proj"}
    assert set(layers(svf(make_llama(), target_modules=r".*layers\.1\.mlp\.up_proj"))) == {"model.layers.1.mlp.up_proj"}
    left = layers(svf(make_llama(), target_modules="all-linear", exclude_modules=["down_proj"]))
    assert len(left) == 12 and not any("down_proj" in p for p in left)


@pytest.mark.parametrize("dtype", DTYPES)
def test_at_one_the_model_is_bitwise_its_base(dtype):
    base = make_llama(dtype=dtype)
    want, before = logits(base, ids()), weights(base)
    model = svf(base, "a", "b")
    assert torch.equal(logits(model, ids()), want)
    with torch.no_grad():
        put(model, "a", 1 + torch.rand(sum(m.r for m in layers(model).values())))
    assert not torch.equal(logits(model, ids()), want)
    model.set_adapter("b")
    assert torch.equal(logits(model, ids()), want)
    model.set_adapter("a")
    with model.disable_adapter():
        assert torch.equal(logits(model, ids()), want)
    assert not torch.equal(logits(model, ids()), want)
    assert same(weights(model), before)


# -- equality with t2ui ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(3))
def test_it_computes_what_t2ui_folds_and_runs_by_row(dtype, seed):
    adapted = attach(make_llama(dtype=dtype))
    z, tokens = some_z(adapted, seed), ids(seed=seed)
    model = svf(make_llama(dtype=dtype))
    put(model, "default", z)
    got = logits(model, tokens)
    with adapted.folded(z):
        want, folded = logits(adapted.model, tokens), weights(adapted.model)
    close(got, want, dtype)
    with adapted.rows((adapted.sigma * z).expand(3, -1)):
        close(got, logits(adapted.model, tokens), dtype)
    model.merge_adapter()
    assert same(weights(model), folded)  # the very bits of t2ui's fold
    assert torch.equal(logits(model, tokens), want)


def test_several_active_adapters_add_their_deviations(plain):
    adapted, one, two = plain
    model = svf(make_llama(), "one", "two")
    put(model, "one", one), put(model, "two", two)
    model.base_model.set_adapter(["one", "two"])
    with adapted.folded(one + two - 1):
        want = logits(adapted.model, ids())
    close(logits(model, ids()), want, torch.float32)
    model.merge_adapter()
    close(logits(model, ids()), want, torch.float32)


def test_gradients_are_those_of_t2uis_train_mode(plain):
    adapted, one, _ = plain
    model = svf(make_llama())
    parts = put(model, "default", one)
    tokens = ids()
    model(input_ids=tokens, labels=tokens).loss.backward()
    adapted.train_mode(one)
    adapted.model(input_ids=tokens, labels=tokens).loss.backward()
    for path in parts:
        got, want = layers(model)[path].svf_z["default"].grad, adapted.modules[path].z.grad
        assert (got - want).abs().max() <= 1e-4 * want.abs().max()


# -- merging -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_unmerge_is_bitwise_as_often_as_one_likes(dtype):
    model = svf(make_llama(dtype=dtype), "one", "two")
    before, want = weights(model), logits(model, ids())
    count = sum(m.r for m in layers(model).values())
    for round in range(10):
        put(model, "one", 1 + torch.randn(count)), put(model, "two", 1 + torch.randn(count))
        model.merge_adapter(["one"], safe_merge=bool(round % 2))
        assert not same(weights(model), before)
        if round % 3 == 0:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # PEFT: "you are now additionally merging"
                model.merge_adapter(["two"])
        model.unmerge_adapter()
        assert same(weights(model), before)
    model.merge_adapter()
    with model.disable_adapter():
        assert torch.equal(logits(model, ids()), want)  # PEFT's way: it unmerges
    assert same(weights(model), before)


def test_two_merged_one_after_the_other_are_two_merged_at_once(plain):
    _, one, two = plain
    model = svf(make_llama(), "one", "two")
    put(model, "one", one), put(model, "two", two)
    model.merge_adapter(["one", "two"])
    at_once = weights(model)
    model.unmerge_adapter()
    model.merge_adapter(["one"])
    with pytest.warns(UserWarning, match="additionally merging"):
        model.merge_adapter(["two"])
    assert same(weights(model), at_once)


@pytest.mark.parametrize("dtype", DTYPES)
def test_merge_and_unload_leaves_the_plain_model_with_t2uis_fold(dtype):
    adapted = attach(make_llama(dtype=dtype))
    z = some_z(adapted, 4)
    model = svf(make_llama(dtype=dtype))
    put(model, "default", z)
    merged = model.merge_and_unload()
    adapted.fold(z)
    assert not layers(merged) and type(merged.model.layers[0].mlp.up_proj) is nn.Linear
    assert same(weights(merged), weights(adapted.model))
    bare = svf(make_llama(dtype=dtype))
    put(bare, "default", z)
    assert same(weights(bare.unload()), weights(make_llama(dtype=dtype)))


def test_safe_merge_refuses_what_is_not_finite_and_leaves_the_weight():
    model = svf(make_llama())
    before = weights(model)
    with torch.no_grad():
        layers(model)["model.layers.1.mlp.up_proj"].svf_z["default"][0] = torch.inf
    with pytest.raises(ValueError, match="NaN or infinity"):
        model.merge_adapter(safe_merge=True)
    with pytest.warns(UserWarning, match="Already unmerged"):  # those after the broken one
        model.unmerge_adapter()
    assert same(weights(model), before)


@pytest.mark.filterwarnings("ignore:You are trying to modify a model with PEFT for a second time")
@pytest.mark.filterwarnings("ignore:Already found a `peft_config` attribute")
@pytest.mark.parametrize("svf_first", [True, False])
def test_nested_with_lora_both_act_and_both_come_out(svf_first, plain):
    _, z, _ = plain
    torch.manual_seed(0)
    lora = LoraConfig(r=4, target_modules=["q_proj", "up_proj"], init_lora_weights=False)
    base = make_llama()
    before = weights(base)
    inner = svf(base, "ours") if svf_first else get_peft_model(base, lora, adapter_name="low").eval()
    want = logits(inner, ids())
    outer = get_peft_model(base, lora, adapter_name="low").eval() if svf_first else svf(base, "ours")
    assert svf_first or torch.equal(logits(outer, ids()), want)  # SVF at z = 1 leaves the LoRA as it is
    put(outer, "ours", z)
    got = logits(outer, ids())
    outer.merge_adapter()
    close(logits(outer, ids()), got, torch.float32)
    for path, layer in layers(outer).items():
        change = layer.get_delta_weight("ours")
        for loras in (m for n, m in outer.named_modules() if path in n and isinstance(m, LoraLinear)):
            change = change + loras.get_delta_weight("low")
        assert (layer.weight - before[f"{path}.weight"] - change).abs().max() < 1e-6
    outer.unmerge_adapter()
    for path, layer in layers(outer).items():  # not bitwise: PEFT's LoRA comes out by subtraction
        assert (layer.weight - before[f"{path}.weight"]).abs().max() < 1e-6
    close(logits(outer, ids()), got, torch.float32)


# -- dtypes and devices --------------------------------------------------------------------------------------------------------


def test_casting_the_model_leaves_z_and_factors_in_float32(plain):
    _, z, _ = plain
    model = svf(make_llama())
    parts = put(model, "default", z)
    model.to(torch.bfloat16)
    for path, layer in layers(model).items():
        assert torch.equal(layer.svf_z["default"], parts[path])
        assert layer.weight.dtype == torch.bfloat16 and layer.U.dtype == layer.Vh.dtype == torch.float32
    before = weights(model)
    model.merge_adapter()
    model.to(torch.float32)  # while merged: the weight that is kept goes along
    model.unmerge_adapter()
    assert same(weights(model), {key: tensor.float() for key, tensor in before.items()})
    model.to(torch.bfloat16)
    coarse = svf(make_llama(dtype=torch.bfloat16), factors_dtype="bfloat16")
    put(coarse, "default", z)
    assert next(iter(layers(coarse).values())).U.dtype == torch.bfloat16
    want = logits(model, ids()).float()
    assert (logits(coarse, ids()).float() - want).abs().max() < 3 * BOUNDS[torch.bfloat16] * want.abs().max()


def test_decompositions_come_from_t2uis_cache(tmp_path, monkeypatch):
    attach(make_llama(), cache_dir=tmp_path)

    def refuse(weight):
        raise AssertionError("decomposed again")

    monkeypatch.setattr("t2ui.core.svd.decompose", refuse)
    svf(make_llama(), "a", "b", svd_cache=str(tmp_path))
    with pytest.raises(AssertionError, match="decomposed again"):
        svf(make_llama(), svd_cache=None)


# -- mixing ------------------------------------------------------------------------------------------------------------------


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


# -- other ---------------------------------------------------------------------------------------------------------------------


def test_adapters_come_and_go(three):
    want = logits(make_llama(), ids())
    three.delete_adapter("one")
    assert set(three.peft_config) == {"two", "part"}
    assert all("one" not in layer.svf_z for layer in layers(three).values())
    three.set_adapter("part")
    assert not torch.equal(logits(three, ids()), want)
    three.merge_adapter()
    with pytest.raises(ValueError, match="while they are merged"):
        three.delete_adapter("part")
    with pytest.raises(ValueError, match="unmerge_adapter"):
        three.add_adapter("late", SVFConfig())
    assert set(three.peft_config) == {"two", "part"}
    with pytest.warns(UserWarning, match="Already unmerged"):  # the layers that have no "part"
        three.unmerge_adapter()
    assert torch.equal(logits(three.unload(), ids()), want)


def test_it_converts_to_lora_by_pefts_own_function(plain):
    _, z, _ = plain
    model = svf(make_llama(), target_modules=["q_proj", "up_proj"])
    with torch.no_grad():
        for layer in layers(model).values():
            layer.svf_z["default"].add_(0.3 * torch.randn(layer.r))
    config, state = convert_to_lora(model, rank=32)
    lora = get_peft_model(make_llama(), config).eval()
    set_peft_model_state_dict(lora, state)
    close(logits(lora, ids()), logits(model, ids()), torch.float32)


def quantised(model: nn.Module) -> nn.Module:
    weight = model.model.layers[1].mlp.up_proj.weight
    model.model.layers[1].mlp.up_proj.weight = nn.Parameter(weight.data.to(torch.int8), requires_grad=False)
    return model


def shared(model: nn.Module) -> nn.Module:
    model.model.layers[0].mlp.up_proj.weight = model.model.layers[1].mlp.up_proj.weight
    return model


def gpt2() -> nn.Module:
    return GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=32, n_layer=1, n_head=2, n_positions=32))


@pytest.mark.parametrize(
    ("make", "targets", "words"),
    [
        (lambda: quantised(make_llama()), None, r"up_proj is quantised \(Linear with torch.int8.*without quantization_config"),
        (gpt2, None, "Conv1D.*Use a model of the Llama kind"),
        (gpt2, ["c_attn"], "Conv1D.*Use a model of the Llama kind"),
        (lambda: shared(make_llama()), None, "share one weight.*exclude_modules"),
        (make_llama, ["embed_tokens"], "is a Embedding: SVF adapts nn.Linear only"),
        (make_llama, ["nothing"], "not found in the base model"),
        (lambda: nn.Sequential(nn.Linear(4, 4)), None, r"SVFConfig\(target_modules"),
        (lambda: make_llama().to("meta"), None, "load the model's weights first"),
    ],
)
def test_what_it_refuses_before_it_touches_the_model(make, targets, words):
    model = make()
    before = [type(m) for m in model.modules()]
    with pytest.raises(ValueError, match=words):
        get_peft_model(model, SVFConfig(target_modules=targets, svd_cache=None))
    assert [type(m) for m in model.modules()] == before
    with pytest.raises(ValueError, match="factors_dtype"):
        SVFConfig(factors_dtype="int8")
