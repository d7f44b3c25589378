import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import t2ui
from t2ui.core import Adapted, SVFLinear, attach

from .models import LAYERS, close, ids, logits, make_llama, some_z

DTYPES = [torch.float32, torch.bfloat16]
PER_LAYER = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def bits(model: nn.Module) -> dict[str, torch.Tensor]:
    return {k: v.clone() for k, v in model.state_dict().items()}


def same(left: dict, right: dict) -> bool:
    return list(left) == list(right) and all(torch.equal(left[k], right[k]) for k in left)


def reference(adapted: Adapted, dtype: torch.dtype, z: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Logits in float64 with W' = U diag(sigma z) Vh put into a twin that has the same (rounded) weights."""
    twin = make_llama(dtype=dtype).double()
    for path, place in adapted.slices.items():
        U, sigma, Vh = torch.linalg.svd(twin.get_submodule(path).weight.detach(), full_matrices=False)
        twin.get_submodule(path).weight.data = (U * (sigma * z[place].double())) @ Vh
    return logits(twin, tokens)


def test_core_imports_torch_and_safetensors_only():
    code = (
        "import sys, t2ui.core; "
        "print([m for m in ('transformers', 'gradio', 'plotly', 'pandas', 'PIL', 'peft') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(t2ui.__file__).parents[1], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("dtype", DTYPES)
def test_without_an_expert_and_at_one_the_model_is_bitwise_the_untouched_one(dtype):
    model = make_llama(dtype=dtype)
    tokens, before = ids(), bits(model)
    want = logits(model, tokens)
    adapted = attach(model)
    assert same(bits(model), before)  # keys and their order too
    assert torch.equal(logits(model, tokens), want)
    assert adapted.fold(torch.ones(adapted.R)) == []
    assert torch.equal(logits(model, tokens), want)
    assert adapted.fold({}) == []
    adapted.unfold()
    adapted.train_mode()
    assert torch.equal(logits(model, tokens), want)  # training starts at exactly the base
    adapted.detach()
    assert same(bits(model), before)
    assert torch.equal(logits(model, tokens), want)


@pytest.mark.parametrize("dtype", DTYPES)
def test_unfold_is_bitwise(dtype):
    model = make_llama(dtype=dtype)
    before, tokens = bits(model), ids()
    want = logits(model, tokens)
    adapted = attach(model)
    for seed in range(3):
        changed = adapted.fold(some_z(adapted, seed))
        assert changed == adapted.paths
    assert not torch.equal(logits(model, tokens), want)
    adapted.unfold()
    assert same(bits(model), before)
    assert torch.equal(logits(model, tokens), want)
    with adapted.folded(some_z(adapted)):
        assert adapted.mode == "fold"
    assert adapted.mode == "off"
    assert same(bits(model), before)


def test_fold_touches_only_what_it_is_given(adapted):
    before = bits(adapted.model)
    path = adapted.paths[3]
    assert adapted.fold({path: torch.full((adapted.ranks[path],), 0.5)}) == [path]
    after = bits(adapted.model)
    assert [k for k in before if not torch.equal(before[k], after[k])] == [f"{path}.weight"]


def test_a_fold_leaves_with_the_state_dict(adapted):
    z = some_z(adapted)
    adapted.fold(z)
    plain = make_llama(seed=9)
    plain.load_state_dict(adapted.model.state_dict())
    assert torch.equal(logits(plain, ids()), logits(adapted.model, ids()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(3))
def test_fold_rows_train_and_float64_agree(dtype, seed):
    model = make_llama(dtype=dtype)
    adapted = attach(model)
    tokens, z = ids(seed=seed), some_z(adapted, seed)
    want = reference(adapted, dtype, z, tokens)
    base = logits(model, tokens)
    assert (want - base).abs().max() > 0.1 * want.abs().max()  # there is something to agree about
    with adapted.folded(z):
        close(logits(model, tokens), want, dtype)
    with adapted.rows((adapted.sigma * z).expand(3, -1)):
        close(logits(model, tokens), want, dtype)
    adapted.train_mode(z)
    close(logits(model, tokens), want, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_row_b_of_a_mixed_batch_is_that_mix_alone(dtype):
    model = make_llama(dtype=dtype)
    adapted = attach(model)
    tokens = ids(5)
    z = torch.stack([torch.ones(adapted.R), *(some_z(adapted, s) for s in range(3)), torch.zeros(adapted.R)])
    with adapted.rows(adapted.sigma * z):
        mixed = logits(model, tokens)
    for b in range(5):
        with adapted.rows(adapted.sigma * z[b : b + 1]):
            close(mixed[b : b + 1], logits(model, tokens[b : b + 1]), dtype)
        with adapted.folded(z[b]):
            close(mixed[b : b + 1], logits(model, tokens[b : b + 1]), dtype)
    close(mixed[:1], logits(model, tokens[:1]), dtype)  # the row without an expert: the base, within the bound


def test_rows_with_an_index_of_slots_and_a_cache(adapted):
    """One buffer of slots serves a prefill and single steps behind a key-value cache."""
    model, tokens = adapted.model, ids(3, 6)
    slots = adapted.sigma * torch.stack([torch.ones(adapted.R), some_z(adapted, 1), some_z(adapted, 2)])
    index = torch.tensor([2, 0, 1])
    with torch.no_grad():
        with adapted.rows(slots[index]):
            want = model(input_ids=tokens).logits
        with adapted.rows(slots, index):
            held = model(input_ids=tokens[:, :4], use_cache=True)
            got = [held.logits]
            for t in (4, 5):
                held = model(input_ids=tokens[:, t : t + 1], past_key_values=held.past_key_values, use_cache=True)
                got.append(held.logits)
    close(torch.cat(got, 1), want, torch.float32)


def test_rows_read_the_scale_when_a_layer_runs(adapted):
    scale = adapted.sigma.expand(3, -1).clone()
    with adapted.rows(scale):
        before = logits(adapted.model, ids())
        scale[1] = adapted.sigma * some_z(adapted)
        after = logits(adapted.model, ids())
    assert torch.equal(before[0], after[0])
    assert not torch.equal(before[1], after[1])


def test_factors_in_bf16(llama):
    adapted = attach(llama, factors_dtype=torch.bfloat16)
    tokens, z = ids(), some_z(adapted)
    want = reference(adapted, torch.float32, z, tokens)
    with adapted.rows(adapted.sigma * z.expand(3, -1)):
        close(logits(llama, tokens), want, torch.bfloat16)
    assert adapted.sigma.dtype == torch.float32


def test_order_slices_and_layers(adapted):
    names = [p.rsplit(".", 1)[-1] for p in adapted.paths]
    assert names == PER_LAYER * LAYERS
    assert [adapted.layer_of[p] for p in adapted.paths] == [0] * 7 + [1] * 7
    assert adapted.n_layers == LAYERS
    assert sum(adapted.ranks.values()) == adapted.R == len(adapted.sigma) == len(adapted.layer_index)
    end = 0
    for path in adapted.paths:
        place, module = adapted.slices[path], adapted.modules[path]
        assert (place.start, place.stop) == (end, end + min(module.weight.shape))
        assert torch.equal(adapted.sigma[place], module.sigma)
        assert (adapted.layer_index[place] == adapted.layer_of[path]).all()
        end = place.stop
    vector = torch.randn(adapted.R)
    assert torch.equal(adapted.join(adapted.split(vector)), vector)
    only = adapted.join({adapted.paths[1]: torch.zeros(adapted.ranks[adapted.paths[1]])})
    assert int((only == 0).sum()) == adapted.ranks[adapted.paths[1]]
    assert int((only == 1).sum()) == adapted.R - adapted.ranks[adapted.paths[1]]


def test_progress_and_cache(tmp_path, llama):
    reports = []
    attach(llama, cache_dir=tmp_path, progress=reports.append).detach()
    assert [r.done for r in reports] == list(range(1, 15))
    again = []
    attach(llama, cache_dir=tmp_path, progress=again.append)
    assert all(r.cached for r in again)


def test_a_progress_that_raises_leaves_the_model_untouched(llama):
    def stop(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attach(llama, progress=stop)
    assert not any(isinstance(m, SVFLinear) for m in llama.modules())


def test_gradients_reach_z_only(adapted):
    model = adapted.model
    model.lm_head.weight.requires_grad_(False)
    before = bits(model)
    start = some_z(adapted)
    z = adapted.train_mode(start)
    assert list(z) == adapted.paths
    assert torch.equal(adapted.join(z), start)
    assert not any(p.requires_grad for p in model.parameters())
    assert list(model.state_dict()) == list(before)
    optimiser = torch.optim.SGD(z.values(), lr=0.1)
    model(input_ids=ids()).logits.square().mean().backward()
    assert all(p.grad is not None and bool(p.grad.any()) for p in z.values())
    assert all(p.grad is None for p in model.parameters())
    optimiser.step()
    trained = adapted.eval_mode()
    assert adapted.mode == "off"
    assert not torch.equal(adapted.join(trained), start)
    assert same(bits(model), before)
    assert not model.lm_head.weight.requires_grad  # each parameter as it was before
    assert all(p.requires_grad for n, p in model.named_parameters() if n != "lm_head.weight")
    assert adapted.eval_mode() == {}


def test_gradient_is_that_of_finite_differences(adapted):
    tokens, path = ids(1, 4), adapted.paths[2]

    def loss():
        return adapted.model(input_ids=tokens).logits.square().mean()

    z = adapted.train_mode(some_z(adapted))
    loss().backward()
    for i in (0, 3, adapted.ranks[path] - 1):
        with torch.no_grad():
            z[path][i] += 1e-2
            up = loss()
            z[path][i] -= 2e-2
            down = loss()
            z[path][i] += 1e-2
        torch.testing.assert_close((up - down) / 2e-2, z[path].grad[i], rtol=0.05, atol=1e-4)


def test_rollouts_inside_training_fold_the_trained_z(adapted):
    z = adapted.train_mode(some_z(adapted))
    want, before = logits(adapted.model, ids()), bits(adapted.model)
    with adapted.folded():
        close(logits(adapted.model, ids()), want, torch.float32)
    assert adapted.mode == "train"
    assert same(bits(adapted.model), before)
    assert adapted.modules[adapted.paths[0]].z is z[adapted.paths[0]]
    adapted.eval_mode()
    with pytest.raises(ValueError, match="needs a z"), adapted.folded():
        pass


def test_modes_exclude_each_other(adapted):
    scale = adapted.sigma[None]
    with adapted.rows(scale):
        for call in (
            lambda: adapted.fold({}),
            adapted.train_mode,
            adapted.detach,
            lambda: adapted.rows(scale).__enter__(),
        ):
            with pytest.raises(RuntimeError, match="leave the rows block"):
                call()
    adapted.fold(some_z(adapted))
    for call in (adapted.train_mode, lambda: adapted.rows(scale).__enter__()):
        with pytest.raises(RuntimeError, match="unfold"):
            call()
    adapted.unfold()
    adapted.train_mode()
    for call in (lambda: adapted.fold({}), lambda: adapted.rows(scale).__enter__()):
        with pytest.raises(RuntimeError, match="eval_mode"):
            call()


def test_an_error_inside_a_block_ends_it(adapted):
    before, want = bits(adapted.model), logits(adapted.model, ids())
    for block in (adapted.rows(adapted.sigma[None]), adapted.folded(some_z(adapted))):
        with pytest.raises(KeyError), block:
            raise KeyError
        assert adapted.mode == "off"
    assert same(bits(adapted.model), before)
    assert torch.equal(logits(adapted.model, ids()), want)


def test_bad_z_and_scales_are_refused_with_the_place(adapted):
    path = adapted.paths[1]
    before = bits(adapted.model)
    z = torch.ones(adapted.R)
    z[adapted.slices[path].start] = float("nan")
    with pytest.raises(ValueError, match=f"{path} holds NaN"):
        adapted.fold(z)
    with pytest.raises(ValueError, match="must have shape"):
        adapted.fold({path: torch.ones(3)})
    with pytest.raises(ValueError, match="not an adapted module"):
        adapted.train_mode({"model.layers.7.mlp.up_proj": torch.ones(3)})
    with pytest.raises(ValueError, match="length R"):
        adapted.fold(torch.ones(3))
    for scale in (torch.ones(adapted.R), torch.ones(2, 3), torch.ones(1, adapted.R, dtype=torch.bfloat16)):
        with pytest.raises(ValueError, match="rows expects"), adapted.rows(scale):
            pass
    assert same(bits(adapted.model), before)
    assert adapted.mode == "off"


def test_detach_restores_the_very_layers():
    model = make_llama()
    layers = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear)}
    want = logits(model, ids())
    adapted = attach(model)
    adapted.fold(some_z(adapted))
    adapted.detach()
    assert all(model.get_submodule(n) is m for n, m in layers.items())
    assert torch.equal(logits(model, ids()), want)
    assert all(p.requires_grad for p in model.parameters())
    with pytest.raises(RuntimeError, match="detached"):
        adapted.fold({})
    assert attach(model).fingerprint == adapted.fingerprint


def test_fingerprint_is_of_the_weights_without_any_fold(adapted):
    assert adapted.fingerprint == attach(make_llama(dtype=torch.bfloat16)).fingerprint
    assert adapted.fingerprint != attach(make_llama(seed=1)).fingerprint
    adapted.fold(some_z(adapted))
    assert adapted.fingerprint == attach(make_llama()).fingerprint


def test_base_id_is_never_a_path(llama):
    llama.config._name_or_path = "/home/someone/models/demo-model/"
    assert attach(llama).base_id == "demo-model"
