"""Files as the released code writes them, against its formulas in float64, written out here once more on plain weights."""

import io
import pickle

import pytest
import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM

from t2ui.core import attach
from t2ui.core.released import ReleasedError, native_z, read_released

from .models import make_llama, make_llava


class Policy(nn.Module):
    """What a state_dict of the released code's policy looks like: numbered parameters in the order of the model's."""

    def __init__(self, model, seed=0, init=0.1, spread=0.3):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.learnable_params = {
            name: nn.Parameter((init + spread * torch.randn(min(w.shape), generator=generator)).bfloat16())
            for name, w in model.state_dict().items() if "mlp" in name and name.endswith(".weight")}  # fmt: skip
        self.learnable_params_module_list = nn.ParameterList(list(self.learnable_params.values()))


class Combination(nn.Module):
    """What a state_dict of its weighted combination looks like: coefficients, and a buffer for every expert and matrix."""

    def __init__(self, policies, coefficients):
        super().__init__()
        self.adaptive_weights = nn.Parameter(torch.tensor(coefficients))
        for name in policies[0].learnable_params:
            for k, policy in enumerate(policies):
                self.register_buffer(f"weights_{k}_k_{name.replace('.', '_')}", policy.learnable_params[name].detach().clone())


def composed(weight, m):
    """The released formula for one matrix in float64: U diag(S m) V' sum(S) / sum(S m)."""
    U, S, Vh = torch.linalg.svd(weight.double(), full_matrices=False)
    return (U * (S * m)) @ Vh * (S.sum() / (S * m).sum())


def agrees(model, adapted, path, masks, **options):
    """Fold the imported z and compare every weight with the formula; masks: parameter name -> m."""
    plain = {name: w.detach().clone() for name, w in model.state_dict().items()}
    z, c = native_z(adapted, read_released(path), **options)
    assert set(z) == set(c) == {name.removesuffix(".weight") for name in masks}
    with adapted.folded(z):
        for name, w in model.state_dict().items():
            if name in masks:
                want = composed(plain[name], masks[name])
                assert (w.double() - want).abs().max() <= 2e-6 * want.abs().max() + 1e-7
                assert (w - plain[name]).abs().max() > 1e-3, "the test must see a change"
            else:
                assert torch.equal(w, plain[name])
    return z


@pytest.fixture
def plain():
    """A Llama without biases, as the released code needs it."""
    torch.manual_seed(3)
    config = LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=2, initializer_range=0.1)  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.fixture
def both(plain):
    policy = Policy(plain)
    return plain, attach(plain, base_id="tiny"), policy


def test_a_policy_is_sigmoid_and_rescaling(both, tmp_path):
    model, adapted, policy = both
    torch.save(policy.state_dict(), tmp_path / "policy_params.pt")
    released = read_released(tmp_path / "policy_params.pt")
    assert (released.kind, released.mask, len(released.p)) == ("policy", "sigmoid", 9)
    masks = {name: torch.sigmoid(p.detach().double()) for name, p in policy.learnable_params.items()}
    agrees(model, adapted, tmp_path / "policy_params.pt", masks)


@pytest.mark.parametrize("max_mult", [0.5, 1.0, 3.0])
def test_max_mult_is_in_the_formula_and_cancels(both, tmp_path, max_mult):
    model, adapted, policy = both
    torch.save(policy.state_dict(), tmp_path / "p.pt")
    masks = {name: max_mult * torch.sigmoid(p.detach().double()) for name, p in policy.learnable_params.items()}
    z = agrees(model, adapted, tmp_path / "p.pt", masks, max_mult=max_mult)
    one, _ = native_z(adapted, read_released(tmp_path / "p.pt"))
    assert all(torch.allclose(z[p], one[p], rtol=1e-6) for p in z)


def test_the_start_of_training_is_the_base(both, tmp_path):
    model, adapted, _ = both
    torch.save(Policy(model, spread=0.0).state_dict(), tmp_path / "p.pt")
    z, c = native_z(adapted, read_released(tmp_path / "p.pt"))
    assert all(torch.allclose(part, torch.ones_like(part), atol=1e-6) for part in z.values())
    start = torch.sigmoid(torch.tensor(0.1).bfloat16().double()).item()
    assert c["model.layers.0.mlp.up_proj"] == pytest.approx(1 / start, rel=1e-6)


def test_legacy_files_by_name(both, tmp_path):
    model, adapted, policy = both
    torch.save(policy.learnable_params, tmp_path / "learnable_params.pt")
    released = read_released(tmp_path / "learnable_params.pt")
    assert (released.kind, released.note) == ("names", "")
    masks = {name: torch.sigmoid(p.detach().double()) for name, p in policy.learnable_params.items()}
    z = agrees(model, adapted, tmp_path / "learnable_params.pt", masks)
    torch.save(policy.state_dict(), tmp_path / "policy_params.pt")
    numbered, _ = native_z(adapted, read_released(tmp_path / "policy_params.pt"))
    assert all(torch.equal(z[p], numbered[p]) for p in z), "both kinds of file of one policy are one expert"


@pytest.mark.parametrize("per_matrix", [False, True])
def test_few_shot_files_mix_raw_parameters(both, tmp_path, per_matrix):
    model, adapted, first = both
    second = Policy(model, seed=5)
    generator = torch.Generator().manual_seed(9)
    a = torch.rand(2, 9 if per_matrix else 1, generator=generator) + 0.1
    torch.save(Combination((first, second), a.tolist()).state_dict(), tmp_path / "policy_params.pt")
    released = read_released(tmp_path / "policy_params.pt")
    assert (released.kind, released.mask) == ("few-shot", "identity")
    assert torch.tensor(released.coefficients).shape == a.shape
    masks = {}
    for i, name in enumerate(first.learnable_params):
        column = a[:, i if per_matrix else 0].double()
        masks[name] = sum(x * p.learnable_params[name].detach().double() for x, p in zip(column, (first, second), strict=True))
    z = agrees(model, adapted, tmp_path / "policy_params.pt", masks)
    # Coefficients that are normalised, which the file does not tell, give the same.
    torch.save(Combination((first, second), (a / a.sum(0)).tolist()).state_dict(), tmp_path / "n.pt")
    normalised, _ = native_z(adapted, read_released(tmp_path / "n.pt"))
    assert all(torch.allclose(z[p], normalised[p], rtol=1e-4, atol=1e-5) for p in z)


def test_the_two_paths_differ_and_can_be_chosen(both, tmp_path):
    model, adapted, policy = both
    torch.save(policy.state_dict(), tmp_path / "p.pt")
    masks = {name: p.detach().double() for name, p in policy.learnable_params.items()}
    raw = agrees(model, adapted, tmp_path / "p.pt", masks, mask="identity")
    z, _ = native_z(adapted, read_released(tmp_path / "p.pt"))
    assert max(float((raw[p] - z[p]).abs().max()) for p in z) > 1
    # A dict of plain tensors may be a few-shot run's: that is said.
    torch.save({k: p.detach() for k, p in policy.learnable_params.items()}, tmp_path / "learnable_params.pt")
    assert "--mask identity" in read_released(tmp_path / "learnable_params.pt").note


def test_names_reach_a_language_model_inside_a_llava(plain, tmp_path):
    model = make_llava()
    adapted = attach(model)
    language = {f"model.{n}": w for n, w in model.model.language_model.state_dict().items() if "mlp" in n and w.dim() == 2}
    p = {name: nn.Parameter(torch.full((min(w.shape),), 0.1) + torch.rand(min(w.shape))) for name, w in language.items()}
    torch.save(p, tmp_path / "learnable_params.pt")
    z, _ = native_z(adapted, read_released(tmp_path / "learnable_params.pt"))
    assert set(z) == {path for path in adapted.paths if ".mlp." in path} and all("language_model" in path for path in z)


class Trap:
    def __reduce__(self):
        return (print, ("ran",))


def saved(tmp_path, value, name="policy_params.pt"):
    torch.save(value, tmp_path / name)
    return tmp_path / name


def test_code_in_a_file_is_refused_and_never_runs(tmp_path, capsys):
    for value in ({"learnable_params_module_list.0": Trap()}, Trap(), nn.Linear(2, 2)):
        with pytest.raises(ReleasedError, match="could run code .*it asks for .*refused"):
            read_released(saved(tmp_path, value))
    (tmp_path / "raw.pt").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ReleasedError, match="refused"):
        read_released(tmp_path / "raw.pt")
    assert "ran" not in capsys.readouterr().out


def test_damaged_and_foreign_files_are_refused(both, tmp_path):
    model, _, policy = both
    with pytest.raises(ReleasedError, match="check the path"):
        read_released(tmp_path / "none.pt")
    with pytest.raises(ReleasedError, match="is a folder"):
        read_released(tmp_path)
    held = io.BytesIO()
    torch.save(policy.state_dict(), held)
    (tmp_path / "half.pt").write_bytes(held.getvalue()[: len(held.getvalue()) // 2])
    (tmp_path / "empty.pt").write_bytes(b"")
    (tmp_path / "text.pt").write_text("hello")
    for name in ("half.pt", "empty.pt", "text.pt"):
        with pytest.raises(ReleasedError, match="damaged|no file of torch.save"):
            read_released(tmp_path / name)
    for value, words in (({}, "expected policy_params"), ([torch.ones(2)], "holds a list"),
                         ({"a": torch.ones(2)}, "expected policy"), ({"U": 3}, "expected policy"),
                         (model.state_dict(), "expected policy")):  # fmt: skip
        with pytest.raises(ReleasedError, match=words):
            read_released(saved(tmp_path, value))
    layers = {k: w for k, w in model.state_dict().items() if ".layers." in k and w.dim() == 2}
    with pytest.raises(ReleasedError, match="whole weights"):
        read_released(saved(tmp_path, layers))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("learnable_params_module_list.4"), "lacks 1 of its 9"),
        (lambda d: d.pop("learnable_params_module_list.8"), "8 matrices, tiny has 9"),
        (lambda d: [d.pop(f"learnable_params_module_list.{i}") for i in (6, 7, 8)],
         r"6 matrices \(2 layers\), tiny has 9 .*another"),
        (lambda d: d.update({"learnable_params_module_list.2": torch.ones(31)}), "32 singular values, the file has 31"),
        (lambda d: d.update({"learnable_params_module_list.2": torch.full((32,), torch.nan)}), "NaN"),
        (lambda d: d.update({"learnable_params_module_list.2": torch.ones(32, 2)}), "whole weights"),
        (lambda d: d.update({"learnable_params_module_list.2": torch.ones(32, dtype=torch.int64)}), "int64"),
    ],
)
def test_incomplete_and_wrong_files_are_refused(both, tmp_path, change, words):
    _, adapted, policy = both
    held = dict(policy.state_dict())
    change(held)
    with pytest.raises(ReleasedError, match=words):
        native_z(adapted, read_released(saved(tmp_path, held)))


def test_missing_and_unknown_names_are_refused(both, tmp_path):
    _, adapted, policy = both
    held = {k: p.detach() for k, p in policy.learnable_params.items()}
    lost = {k: p for k, p in held.items() if "layers.1.mlp.up_proj" not in k}
    with pytest.raises(ReleasedError, match="lacks 1 matrices .*layers.1.mlp.up_proj"):
        native_z(adapted, read_released(saved(tmp_path, lost)))
    more = {**held, "model.layers.7.mlp.up_proj.weight": torch.ones(32)}
    with pytest.raises(ReleasedError, match="layers.7.* another base"):
        native_z(adapted, read_released(saved(tmp_path, more)))


def test_broken_combinations_are_refused(both, tmp_path):
    model, adapted, first = both
    good = Combination((first, Policy(model, 1)), [[0.5], [0.5]]).state_dict()
    for change, words in ((lambda d: d.update(adaptive_weights=torch.ones(3, 1)), "coefficients of shape"),
                          (lambda d: d.update(adaptive_weights=torch.ones(2, 4)), "coefficients of shape"),
                          (lambda d: d.update(adaptive_weights=torch.full((2, 1), torch.nan)), "NaN"),
                          (lambda d: d.update(more=torch.ones(2)), "beside its coefficients"),
                          (lambda d: d.pop("weights_1_k_model_layers_0_mlp_up_proj_weight"), "not in every expert")):  # fmt: skip
        held = dict(good)
        change(held)
        with pytest.raises(ReleasedError, match=words):
            read_released(saved(tmp_path, held))
    cancelled = Combination((first, first), [[1.0], [-1.0]]).state_dict()
    with pytest.raises(ReleasedError, match="is it the right mask"):
        native_z(adapted, read_released(saved(tmp_path, cancelled)))


def test_numbered_files_need_a_known_order(tmp_path):
    """Fused or otherwise named MLPs: the numbers say nothing there."""
    model = make_llama()
    adapted = attach(model, targets=r"(gate|up)_proj$")
    torch.save(Policy(make_llama()).state_dict(), tmp_path / "p.pt")
    with pytest.raises(ReleasedError, match="order gate_proj, up_proj, down_proj"):
        native_z(adapted, read_released(tmp_path / "p.pt"))
    whole = attach(make_llama())
    with pytest.raises(ReleasedError, match="mask is one of"):
        native_z(whole, read_released(tmp_path / "p.pt"), "tanh")
    with pytest.raises(ReleasedError, match="positive"):
        native_z(whole, read_released(tmp_path / "p.pt"), max_mult=0.0)
