"""t2ui.peft_bridge: the type, what it adapts, equality with t2ui's own folds and rows, merging, refusals."""

import copy
import enum
import pickle
import warnings

import pytest
import torch
from torch import nn

pytest.importorskip("peft")

from peft import LoraConfig, PeftType, convert_to_lora, get_peft_model, set_peft_model_state_dict  # noqa: E402
from peft.tuners.lora import Linear as LoraLinear  # noqa: E402
from transformers import GPT2Config, GPT2LMHeadModel  # noqa: E402

from t2ui.core import attach  # noqa: E402
from t2ui.core.svf import BOUNDS  # noqa: E402
from t2ui.peft_bridge import SVFConfig  # noqa: E402
from t2ui.peft_bridge.register import add_member, register  # noqa: E402

from .core.models import close, ids, logits, make_llama, make_llava, some_z  # noqa: E402
from .peft_models import layers, put, same, svf, weights  # noqa: E402

DTYPES = [torch.float32, torch.bfloat16]

pytestmark = [
    pytest.mark.filterwarnings("ignore:`.*gradient_checkpointing.*` is deprecated:FutureWarning"),  # PEFT calls it so
    pytest.mark.filterwarnings("ignore:Adapter one was active which is now deleted"),
]


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


# -- other ---------------------------------------------------------------------------------------------------------------------


def test_adapters_come_and_go():
    three = svf(make_llama(), "one", "two")
    three.add_adapter("part", SVFConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"], init_weights=False))
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
