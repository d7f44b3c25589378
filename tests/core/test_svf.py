import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from t2ui.core.svd import decompose
from t2ui.core.svf import BOUNDS, RowState, SVFLinear

SHAPES = [(24, 40), (40, 24), (16, 16), (1, 5)]


def layer(out, in_, bias=True, dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    linear = nn.Linear(in_, out, bias=bias).to(dtype)
    return linear, SVFLinear(linear, decompose(linear.weight))


def reference(linear, factors, x, z):
    """y in float64 by the definition, W' = U diag(sigma z) Vh; z (r,)."""
    U, sigma, Vh = (t.double() for t in factors)
    bias = None if linear.bias is None else linear.bias.double()
    return F.linear(x.double(), (U * (sigma * z.double())) @ Vh, bias)


def close(y, want, dtype):
    error = (y.double() - want).abs().max() / want.abs().max()
    assert error <= BOUNDS[dtype], f"{error:.2e}"


@pytest.mark.parametrize("dtype", list(BOUNDS))
@pytest.mark.parametrize(("out", "in_"), SHAPES)
@pytest.mark.parametrize("bias", [True, False])
@torch.no_grad()
def test_fold_rows_train_and_float64_agree(out, in_, bias, dtype):
    linear, svf = layer(out, in_, bias, dtype)
    factors = decompose(linear.weight)
    z = 1 + torch.randn(3, svf.r)
    x = torch.randn(3, 5, in_).to(dtype)
    want = torch.stack([reference(linear, factors, x[b], z[b]) for b in range(3)])
    svf.state.mode, svf.state.scale = "rows", svf.sigma * z
    close(svf(x), want, dtype)
    close(svf(x[:, 0]), want[:, 0], dtype)  # (B, in) too
    svf.state.mode = "train"
    for b in range(3):
        svf._z = [nn.Parameter(z[b])]
        close(svf(x[b]), want[b], dtype)
    svf.state.mode = "fold"
    for b in range(3):
        assert svf.fold(z[b])
        close(svf(x[b]), want[b], dtype)


@pytest.mark.parametrize("dtype", list(BOUNDS))
def test_off_and_fold_at_one_are_bitwise_and_unfold_is(dtype):
    linear, svf = layer(24, 40, dtype=dtype)
    pristine, address = linear.weight.detach().clone(), linear.weight.data_ptr()
    x = torch.randn(2, 3, 40).to(dtype)
    want = linear(x)
    assert torch.equal(svf(x), want)
    assert not svf.fold(torch.ones(svf.r))
    assert svf.pristine is None
    assert torch.equal(svf(x), want)
    assert svf.fold(2 * torch.rand(svf.r))
    assert not torch.equal(svf.weight, pristine)
    assert svf.fold(-torch.rand(svf.r))  # folds start from the pristine matrix, they do not add up
    svf.unfold()
    assert torch.equal(svf.weight, pristine)
    assert svf.weight.data_ptr() == address
    svf.fold(torch.rand(svf.r))
    assert not svf.fold(torch.ones(svf.r))  # a fold at 1 takes out the one before it
    assert torch.equal(svf.weight, pristine)


def test_index_picks_rows_and_tokens():
    _, svf = layer(8, 12)
    slots = svf.sigma * (1 + torch.randn(4, svf.r))
    x = torch.randn(3, 5, 12)
    svf.state.mode = "rows"
    svf.state.scale = slots[[2, 0, 2]]
    by_row = svf(x)
    svf.state.scale, svf.state.index = slots, torch.tensor([2, 0, 2])
    assert torch.equal(svf(x), by_row)
    svf.state.index = torch.tensor([[2], [0], [2]]).expand(3, 5)
    assert torch.equal(svf(x), by_row)
    svf.state.index = torch.randint(0, 4, (3, 5))
    y = svf(x)
    svf.state.scale, svf.state.index = slots[svf.state.index[1, 3]][None], None
    torch.testing.assert_close(svf(x[1:2, 3:4])[0, 0], y[1, 3])


def test_one_scale_serves_every_row_and_a_wrong_number_is_refused():
    _, svf = layer(8, 12)
    svf.state.mode, svf.state.scale = "rows", svf.sigma[None].clone()
    torch.testing.assert_close(svf(torch.ones(5, 2, 12))[4], svf(torch.ones(1, 2, 12))[0])
    svf.state.scale = svf.sigma.expand(3, -1)
    with pytest.raises(ValueError, match=r"batch has 5 rows .* 3"):
        svf(torch.ones(5, 2, 12))


def test_shared_state_and_start_give_each_layer_its_part():
    state = RowState()
    linear, first = layer(8, 12)
    first.state = state
    second = SVFLinear(linear, decompose(linear.weight), state, start=first.r)
    state.mode, state.scale = "rows", torch.cat([first.sigma * 0, second.sigma])[None]
    x = torch.randn(2, 3, 12)
    torch.testing.assert_close(first(x), linear.bias.expand(2, 3, 8))
    torch.testing.assert_close(second(x), linear(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradient_is_of_z_and_right(dtype):
    linear, svf = layer(6, 9, dtype=dtype)
    linear.requires_grad_(False)
    svf.state.mode = "train"
    svf._z = [nn.Parameter(torch.ones(svf.r))]
    x, weight = torch.randn(4, 9).to(dtype), torch.randn(4, 6)
    (svf(x).float() * weight).sum().backward()
    U, sigma, Vh = svf.U, svf.sigma, svf.Vh
    want = sigma * ((x.float() @ Vh.T) * (weight @ U)).sum(0)
    torch.testing.assert_close(svf.z.grad, want, atol=2e-5 if dtype == torch.float32 else 0.05, rtol=1e-2)
    assert linear.weight.grad is None


def test_state_dict_keys_and_shapes_are_those_of_the_layer():
    linear, svf = layer(6, 9)
    svf._z = [nn.Parameter(torch.ones(svf.r))]
    assert list(svf.state_dict()) == ["weight", "bias"]
    assert [n for n, _ in svf.named_parameters()] == ["weight", "bias"]
    assert svf.weight is linear.weight
    assert isinstance(svf, nn.Linear)
    assert (svf.in_features, svf.out_features) == (9, 6)
    assert "r=6" in repr(svf)


def test_casting_the_model_leaves_factors_in_fp32():
    _, svf = layer(6, 9)
    svf._z = [z := nn.Parameter(torch.rand(svf.r))]
    before = [t.clone() for t in (svf.U, svf.sigma, svf.Vh)]
    svf.fold(torch.rand(svf.r))
    svf.to(torch.bfloat16)
    assert svf.weight.dtype == svf.pristine.dtype == torch.bfloat16
    assert all(torch.equal(a, b) for a, b in zip(before, (svf.U, svf.sigma, svf.Vh), strict=True))
    assert svf.z is z
    assert z.dtype == torch.float32
    svf._z = []  # PyTorch cannot move a parameter to this device in place
    svf.to("meta")
    assert {t.device.type for t in (svf.U, svf.sigma, svf.Vh, svf.pristine)} == {"meta"}


def test_a_copy_is_independent():
    _, svf = layer(6, 9)
    twin = copy.deepcopy(svf)
    twin.fold(torch.zeros(svf.r))
    assert svf.pristine is None
    assert not torch.equal(svf.weight, twin.weight)


@pytest.mark.parametrize("shape", [(20, 12), (12, 20)])
@pytest.mark.parametrize("autocast", [False, True])
def test_gradients_are_those_of_the_weight_formed_by_autograd(shape, autocast):
    torch.manual_seed(0)
    linear = nn.Linear(shape[1], shape[0])
    module = SVFLinear(linear, decompose(linear.weight), RowState(mode="train"))
    module._z = [nn.Parameter(1 + 0.3 * torch.randn(module.r))]
    x = torch.randn(3, 5, shape[1], requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        y = module(x)
        want = torch.nn.functional.linear(x, module.adapted_weight(module.z), module.bias)
    assert torch.equal(y, want)
    g = torch.randn_like(y)
    found = torch.autograd.grad(y, (x, module.z), g, retain_graph=True)
    expected = torch.autograd.grad(want, (x, module.z), g)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype == torch.float32
        assert float((a - b).abs().max() / b.abs().max()) < (2e-2 if autocast else 1e-5)
    module(x.detach()).sum().backward()  # the first layer of a model has no gradient at x
    assert module.z.grad is not None and x.grad is None
