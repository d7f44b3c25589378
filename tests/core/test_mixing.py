import copy
import json
import pickle
import random

import pytest
import torch

from t2ui.core import Expert, ExpertError, ExpertStack, Mix

from .models import LAYERS, some_z

NAN, INF = float("nan"), float("inf")


@pytest.fixture
def stack(adapted):
    return ExpertStack(
        adapted, [Expert.from_z(adapted, n, some_z(adapted, i)) for i, n in enumerate(["math", "code", "vision"])]
    )


@pytest.mark.parametrize(
    ("text", "alphas"),
    [
        ("base", {}),
        ("math", {"math": 1.0}),
        ("math=0.6,code=0.2", {"math": 0.6, "code": 0.2}),
        (" math = -0.5 , code=1e-3 ", {"math": -0.5, "code": 0.001}),
        ("math=0,code=1", {"code": 1.0}),
        ("math=0.5/0/1", {"math": (0.5, 0.0, 1.0)}),
        ("math=0", {}),
        ("math=2/", {"math": (2.0,)}),
    ],
)
def test_parse(text, alphas):
    mix = Mix.parse(text)
    assert mix.alphas == alphas
    assert mix == Mix(alphas)
    assert Mix.parse(str(mix)) == mix


@pytest.mark.parametrize(
    "text", ["", ",", "math=", "math=x", "=1", "math=0.1,", "base=1", "math,base", "math=1/x", "math=/"]
)
def test_parse_says_what_it_cannot_read(text):
    with pytest.raises(ValueError, match="expected 'base', an expert's name"):
        Mix.parse(text)


def test_repeated_experts_are_refused(adapted, stack):
    with pytest.raises(ValueError, match="math twice"):
        Mix.parse("math=0.1,math=0.2")
    with pytest.raises(ExpertError, match="two experts are named 'math'"):
        ExpertStack(adapted, [*stack.experts, stack.experts[0]])


@pytest.mark.parametrize("alpha", [NAN, INF, -INF, 1e9, None, "0.5", True, [1.0, NAN], [[1.0]], (0.1, None)])
def test_unusable_alphas(alpha):
    with pytest.raises(ValueError, match="alpha of math"):
        Mix({"math": alpha})


@pytest.mark.parametrize("name", ["", "a=b", "a,b", "a/b", "base", " math", 3])
def test_unusable_names(name):
    with pytest.raises(ValueError, match="name in a mix"):
        Mix({name: 1.0})


def test_text_json_copies_and_hash_round_trip():
    rng = random.Random(0)
    for _ in range(200):
        alphas = {}
        for name in rng.sample(["math", "code", "reasoning", "vision-2", "a.b_c"], rng.randint(0, 5)):
            values = tuple(
                rng.choice([rng.uniform(-3, 3), rng.gauss(0, 1e-7), 0.0, 1.0]) for _ in range(rng.randint(1, 4))
            )
            alphas[name] = values if rng.random() < 0.5 else values[0]
        mix = Mix(alphas)
        for other in (
            Mix.parse(str(mix)),
            Mix.from_json(json.loads(json.dumps(mix.to_json()))),
            Mix.from_json(json.dumps(mix.to_json())),
            copy.deepcopy(mix),
            pickle.loads(pickle.dumps(mix)),
            Mix(dict(reversed(mix.alphas.items()))),
        ):
            assert other == mix
            assert hash(other) == hash(mix)


@pytest.mark.parametrize("data", [{}, {"alphas": 3}, [], None, "[1]", {"alphas": [["math", 1]]}])
def test_from_json_refuses(data):
    with pytest.raises(ValueError, match="a mix in JSON looks like"):
        Mix.from_json(data)


def test_small_questions():
    mix = Mix({"math": 0.5, "code": 0.0})
    assert mix.alpha("math") == 0.5
    assert mix.alpha("code") == mix.alpha("nobody") == 0.0
    assert not mix.per_layer
    assert Mix({"math": [1, 0]}).per_layer
    assert Mix.base().is_base
    assert Mix({"math": (0.0, 0.0)}).is_base
    assert not mix.is_base
    assert Mix.single("math", 0.5) == mix


def test_check_says_who_exists_and_how_many_layers():
    assert Mix.parse("math=1/2").check(["math"], 2) == Mix({"math": (1.0, 2.0)})
    with pytest.raises(ValueError, match="unknown expert 'cooking'.*math, code"):
        Mix.single("cooking").check(["math", "code"])
    with pytest.raises(ValueError, match="3 alphas.*2 decoder layers"):
        Mix.parse("math=1/2/3").check(["math"], 2)


def test_z_is_one_plus_the_sum_of_differences(adapted, stack):
    z = {n: e for n, e in zip(stack.names, (some_z(adapted, i) for i in range(3)), strict=True)}
    mix = Mix({"math": 0.6, "vision": -0.2})
    want = 1 + 0.6 * (z["math"] - 1) - 0.2 * (z["vision"] - 1)
    torch.testing.assert_close(stack.z(mix), want)
    paper = Mix({"math": 0.3, "code": 0.5, "vision": 0.2})  # sum 1: the paper's sum of alpha_k z_k
    torch.testing.assert_close(stack.z(paper), 0.3 * z["math"] + 0.5 * z["code"] + 0.2 * z["vision"])
    torch.testing.assert_close(stack.z(Mix.single("code")), z["code"])
    assert torch.equal(stack.z(Mix.base()), torch.ones(adapted.R))
    assert torch.equal(adapted.join(stack.z_dict(mix)), stack.z(mix))


def test_per_layer_alphas_act_in_their_layer(adapted, stack):
    mix = Mix({"math": (1.0, 0.0), "code": (0.0, 0.5)})
    z = stack.z(mix)
    first, second = adapted.layer_index == 0, adapted.layer_index == 1
    assert torch.equal(z[first], stack.z(Mix.single("math"))[first])
    assert torch.equal(z[second], stack.z(Mix.single("code", 0.5))[second])
    assert torch.equal(stack.z(Mix({"math": (0.7,) * LAYERS})), stack.z(Mix.single("math", 0.7)))
    assert stack.alphas(mix).tolist() == [[1.0, 0.0, 0.0], [0.0, 0.5, 0.0]]
    assert stack.alphas(Mix.single("code", 0.25)).tolist() == [[0.0, 0.25, 0.0]] * 2
    with pytest.raises(ValueError, match="2 decoder layers"):
        stack.z(Mix({"math": (1.0, 0.0, 1.0)}))


def test_scale_row_is_bitwise_that_mix_alone(adapted, stack):
    mixes = [
        Mix.base(),
        Mix.single("math"),
        Mix.parse("math=0.3,code=0.3"),
        Mix.parse("vision=0.1/0.9"),
        Mix.base(),
        Mix.single("math"),
    ]
    scale = stack.scale(mixes)
    assert scale.shape == (6, adapted.R)
    assert torch.equal(scale[0], adapted.sigma)
    for row, mix in zip(scale, mixes, strict=True):
        assert torch.equal(row, stack.scale([mix])[0])
        assert torch.equal(row, adapted.sigma * stack.z(mix))
    assert stack.scale([]).shape == (0, adapted.R)
    with pytest.raises(ValueError, match="unknown expert"):
        stack.scale([Mix.base(), Mix.single("cooking")])


def test_the_same_vector_twice_adds_up(adapted):
    z = some_z(adapted)
    stack = ExpertStack(adapted, [Expert.from_z(adapted, "one", z), Expert.from_z(adapted, "two", z)])
    torch.testing.assert_close(stack.z(Mix.parse("one=0.25,two=0.75")), z)


def test_an_expert_of_some_modules_leaves_the_others_alone(adapted):
    path = adapted.paths[4]
    stack = ExpertStack(adapted, [Expert.from_z(adapted, "part", {path: torch.zeros(adapted.ranks[path])})])
    z = stack.z(Mix.single("part"))
    assert (z[adapted.slices[path]] == 0).all()
    assert int((z != 1).sum()) == adapted.ranks[path]


def test_an_empty_stack_and_dispatchers(adapted):
    stack = ExpertStack(adapted)
    assert len(stack) == 0
    assert torch.equal(stack.scale([Mix.base()])[0], adapted.sigma)
    with pytest.raises(ExpertError, match="only skill experts"):
        ExpertStack(adapted, [Expert.from_z(adapted, "guide", some_z(adapted), role="dispatcher")])


@pytest.mark.parametrize("mix", ["base", "math", "math=0.6,code=0.25", "math=-1,code=2"])
def test_the_alphas_are_read_back_from_a_scale(stack, mix):
    wanted = Mix.parse(mix)
    alphas, rest = stack.alphas_of(stack.scale([wanted, Mix.base()]))
    assert alphas[0].tolist() == pytest.approx([wanted.alpha(name) for name in stack.names], abs=1e-4)
    assert alphas[1].abs().max() < 1e-6 and rest.max() < 1e-3


def test_a_scale_that_is_no_mix_leaves_a_rest(stack):
    noise = stack.scale([Mix.base()]) * (1 + 0.1 * torch.randn(stack.adapted.R, generator=torch.Generator().manual_seed(0)))
    assert 0.5 < float(stack.alphas_of(noise)[1]) <= 1.0
    assert ExpertStack(stack.adapted).alphas_of(noise)[1].tolist() == [1.0]
