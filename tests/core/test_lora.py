"""The closed form against what it claims: the best matrix of its rank, the kept norm, the z that it stands for."""

import pytest
import torch

from t2ui.core import best_lora, kept_by_lora
from t2ui.core.lora import full_rank, truncate

from .models import ids, logits, some_z


def change(adapted, path, z):
    m = adapted.modules[path]
    return (m.U.double() * (m.sigma.double() * (adapted.split(z)[path].double() - 1))) @ m.Vh.double()


@pytest.mark.parametrize("rank", [1, 2, 5, 16])
def test_no_matrix_of_that_rank_is_nearer(adapted, rank):
    """Eckart and Young, by a singular value decomposition of dW itself, which the closed form never makes."""
    z = some_z(adapted)
    lora = best_lora(adapted, z, rank)
    assert lora.rank == rank
    for path, (A, B) in lora.parts.items():
        want = change(adapted, path, z)
        s = torch.linalg.svdvals(want)
        error = (want - B.double() @ A.double()).norm()
        assert error <= s[rank:].norm() + 1e-5 * s[0]
        assert lora.kept[path] == pytest.approx(float(s[:rank].norm() / s.norm()), abs=1e-6)


def test_full_rank_is_the_change(adapted):
    z = some_z(adapted)
    lora = best_lora(adapted, z)
    assert lora.rank == full_rank(adapted, z) <= max(adapted.ranks.values())
    assert lora.kept_all == 1.0 and set(lora.kept.values()) == {1.0}
    for path, (A, B) in lora.parts.items():
        assert A.shape == (lora.rank, adapted.modules[path].in_features)
        assert B.shape == (adapted.modules[path].out_features, lora.rank)
        assert torch.allclose((B @ A).double(), change(adapted, path, z), atol=1e-5)


def test_matrices_with_fewer_entries_are_filled_up_with_zeros(adapted):
    z = torch.ones(adapted.R)
    wide, narrow = "model.layers.0.mlp.up_proj", "model.layers.1.self_attn.k_proj"
    z[adapted.slices[wide]] += 0.5
    z[adapted.slices[narrow]][3] = 2.0
    lora = best_lora(adapted, z)
    assert set(lora.parts) == {wide, narrow} and lora.rank == 32
    A, B = lora.parts[narrow]
    assert A.shape[0] == B.shape[1] == 32 and not A[1:].any() and not B[:, 1:].any() and A[0].any()


def test_the_kept_norm_agrees_with_the_plots(adapted):
    z = some_z(adapted, spread=0.1)
    held = kept_by_lora(adapted, z, (1, 4, 32))
    for k, kept, row in zip(held["rank"], held["kept"], zip(*held["by_matrix"], strict=True), strict=True):
        lora = best_lora(adapted, z, k)
        assert lora.kept_all == pytest.approx(kept, abs=1e-9)
        assert list(lora.kept.values()) == pytest.approx(list(row), abs=1e-9)


@pytest.mark.parametrize("rank", [1, 7, None])
def test_a_lora_is_the_fold_of_a_truncated_z(adapted, rank):
    z, tokens = some_z(adapted), ids()
    with adapted.folded(truncate(adapted, z, rank)):
        want = logits(adapted.model, tokens)
    lora = best_lora(adapted, z, rank)
    with torch.no_grad():
        for path, (A, B) in lora.parts.items():
            adapted.modules[path].weight += B @ A
    got = logits(adapted.model, tokens)
    assert (got - want).abs().max() <= 1e-4
    kept = (truncate(adapted, z, rank) != 1).sum()
    assert kept == (z != 1).sum() if rank is None else kept <= rank * len(adapted.paths)


def test_dictionaries_of_z_are_taken_too(adapted):
    z = some_z(adapted)
    parts = adapted.split(z)
    assert best_lora(adapted, parts, 3).kept_all == best_lora(adapted, z, 3).kept_all
    assert torch.equal(truncate(adapted, parts, 3), truncate(adapted, z, 3))


@pytest.mark.parametrize("rank", [0, -1, 2.0, True])
def test_impossible_ranks_are_refused(adapted, rank):
    with pytest.raises(ValueError, match="at least 1"):
        best_lora(adapted, some_z(adapted), rank)
    with pytest.raises(ValueError, match="at least 1"):
        truncate(adapted, some_z(adapted), rank)


def test_the_base_and_nonsense_are_refused(adapted):
    assert full_rank(adapted, torch.ones(adapted.R)) == 0
    with pytest.raises(ValueError, match="base model"):
        best_lora(adapted, torch.ones(adapted.R), 4)
    z = torch.ones(adapted.R)
    z[3] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        best_lora(adapted, z, 4)
