import json

import pytest
import torch

from t2ui.core import (
    Expert,
    ExpertStack,
    Mix,
    bands,
    change,
    cosines,
    gram,
    gram_bands,
    grid,
    kept_by_lora,
    moved,
    spectrum,
    summary,
)

from .models import LAYERS, some_z

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@pytest.fixture
def stack(adapted):
    return ExpertStack(
        adapted, [Expert.from_z(adapted, n, some_z(adapted, i)) for i, n in enumerate(["math", "code"])]
    )


def folded_change(adapted, z):
    """|W' - W|_F and |W|_F of the folded weights themselves, in order."""
    before = [m.weight.detach().double().clone() for m in adapted.modules.values()]
    with adapted.folded(z):
        after = [m.weight.detach().double().clone() for m in adapted.modules.values()]
    return [float((a - b).norm()) for a, b in zip(after, before, strict=True)], [float(b.norm()) for b in before]


def test_change_is_what_the_fold_does(adapted):
    z = some_z(adapted)
    columns = change(adapted, z)
    dw, norm = folded_change(adapted, z)
    assert columns["path"] == adapted.paths
    assert columns["dw"] == pytest.approx(dw, rel=1e-4)
    assert columns["norm"] == pytest.approx(norm, rel=1e-5)
    assert columns["dw_rel"] == pytest.approx([a / b for a, b in zip(dw, norm, strict=True)], rel=1e-4)
    part = z[adapted.slices[adapted.paths[0]]] - 1
    assert columns["rms"][0] == pytest.approx(float(part.square().mean().sqrt()), rel=1e-5)
    assert columns["mean"][0] == pytest.approx(float(part.mean()), rel=1e-4)
    assert change(adapted, adapted.split(z)) == columns
    assert len({len(values) for values in columns.values()}) == 1
    json.dumps(columns, allow_nan=False)


def test_the_base_changes_nothing(adapted):
    columns = change(adapted)
    assert set(columns["rms"]) == set(columns["dw"]) == set(columns["mean"]) == {0.0}


def test_spectrum(adapted):
    z, path = some_z(adapted), adapted.paths[1]
    columns = spectrum(adapted, path, z)
    assert columns["sigma"] == adapted.modules[path].sigma.tolist()
    assert columns["z"] == z[adapted.slices[path]].tolist()
    assert columns["sigma2"] == pytest.approx([s * f for s, f in zip(columns["sigma"], columns["z"], strict=True)])
    assert (columns["layer"], columns["module"], columns["r"], columns["index"][-1]) == (0, "k_proj", 16, 15)
    assert spectrum(adapted, path)["sigma2"] == columns["sigma"]
    json.dumps(columns, allow_nan=False)
    with pytest.raises(ValueError, match="unknown module"):
        spectrum(adapted, "lm_head")


@pytest.mark.parametrize("text", ["math", "math=0.6,code=-0.3", "math=0.5/0,code=0.2/2", "base"])
def test_gram_gives_the_change_of_any_mix_exactly(adapted, stack, text):
    mix = Mix.parse(text)
    columns, table = change(adapted, stack.z(mix)), gram(stack)
    json.dumps(table, allow_nan=False)
    assert list(table) == adapted.paths
    alphas = stack.alphas(mix).double()
    for i, entry in enumerate(table.values()):
        a = alphas[entry["layer"]]
        G, H, m = (torch.tensor(entry[k], dtype=torch.float64) for k in ("G", "H", "m"))
        assert (float(a @ G @ a) / entry["r"]) ** 0.5 == pytest.approx(columns["rms"][i], rel=1e-5)
        assert float(a @ H @ a) ** 0.5 == pytest.approx(columns["dw"][i], rel=1e-5)
        assert float(a @ m) == pytest.approx(columns["mean"][i], rel=1e-4, abs=1e-7)
        assert entry["norm2"] ** 0.5 == pytest.approx(columns["norm"][i], rel=1e-6)
        assert entry["module"] == columns["module"][i]


def test_gram_without_experts(adapted):
    assert gram(ExpertStack(adapted))[adapted.paths[0]]["G"] == []


def test_grid(adapted):
    columns = change(adapted, some_z(adapted))
    table = grid(columns, "rms")
    assert table["layers"] == list(range(LAYERS))
    assert table["modules"] == MODULES
    assert table["values"][1][2] == columns["rms"][9]
    some = {k: v[:9] for k, v in columns.items()}  # layer 1 has two modules only
    assert grid(some, "rms")["values"][1] == [*columns["rms"][7:9], *[None] * 5]


def dense_changes(adapted, z):
    """W' - W of every matrix, in float64."""
    before = [m.weight.detach().double().clone() for m in adapted.modules.values()]
    with adapted.folded(z):
        return [m.weight.detach().double() - b for m, b in zip(adapted.modules.values(), before, strict=True)]


@pytest.mark.parametrize("by", ["layer", "module"])
def test_a_summary_is_of_the_group_as_one_matrix(adapted, by):
    z = some_z(adapted)
    columns = change(adapted, z)
    table = summary(columns, by)
    assert table[by] == list(dict.fromkeys(columns[by])) and sum(table["r"]) == adapted.R
    dense = dense_changes(adapted, z)
    for i, key in enumerate(table[by]):
        rows = [j for j, k in enumerate(columns[by]) if k == key]
        assert table["dw"][i] == pytest.approx(float(torch.cat([dense[j].flatten() for j in rows]).norm()), rel=1e-4)
        parts = torch.cat([z[adapted.slices[adapted.paths[j]]] for j in rows]) - 1
        assert table["mean"][i] == pytest.approx(float(parts.mean()), abs=1e-6)
        assert table["rms"][i] == pytest.approx(float(parts.square().mean().sqrt()), rel=1e-5)
    with pytest.raises(ValueError, match="layer or module"):
        summary(columns, "colour")


def test_bands_say_where_the_change_sits(adapted):
    path = adapted.paths[0]
    z = torch.ones(adapted.R)
    z[adapted.slices[path].start] = 1.5  # the largest singular value of the first matrix
    share = bands(adapted, z)["share"]
    assert share[0] == [1.0, 0.0, 0.0, 0.0] and share[1] == [0.0] * 4
    spread = bands(adapted, some_z(adapted), count=3)["share"]
    assert all(len(row) == 3 and sum(row) == pytest.approx(1) for row in spread)


def test_cosines_of_experts(adapted):
    one = some_z(adapted, 0)
    against, other = 2 - one, some_z(adapted, 5)
    experts = [Expert.from_z(adapted, n, z) for n, z in (("a", one), ("b", against), ("c", other), ("d", torch.ones(adapted.R)))]
    for weighted in (False, True):
        found = cosines(ExpertStack(adapted, experts), weighted)
        assert found["names"] == ["a", "b", "c", "d"] and found["layers"] == list(range(LAYERS))
        assert found["all"][0][:2] == pytest.approx([1, -1]) and found["all"][3] == [0, 0, 0, 1]
        assert len(found["by_layer"]) == LAYERS and found["by_layer"][0][0][1] == pytest.approx(-1)
        a, c = one - 1, other - 1
        if weighted:
            a, c = a * adapted.sigma, c * adapted.sigma
        assert found["all"][0][2] == pytest.approx(float(torch.cosine_similarity(a, c, dim=0)), abs=1e-5)
        json.dumps(found, allow_nan=False)


def test_what_a_lora_keeps_is_what_the_best_low_rank_matrix_keeps(adapted):
    """Against torch's own SVD of the dense change, not against our formula."""
    z = some_z(adapted)
    ranks = (1, 3, 8, 1000)
    found = kept_by_lora(adapted, z, ranks)
    dense = [torch.linalg.svdvals(d) for d in dense_changes(adapted, z)]
    for i, k in enumerate(ranks):
        wanted = sum(float(s[:k].square().sum()) for s in dense) / sum(float(s.square().sum()) for s in dense)
        assert found["kept"][i] == pytest.approx(wanted**0.5, rel=1e-4)
        assert found["by_matrix"][0][i] == pytest.approx(float(dense[0][:k].norm() / dense[0].norm()), rel=1e-4)
    assert found["kept"] == sorted(found["kept"]) and found["kept"][-1] == pytest.approx(1)
    out, into = adapted.modules[adapted.paths[0]].weight.shape
    assert found["parameters"][0] == sum(sum(m.weight.shape) for m in adapted.modules.values())
    assert kept_by_lora(adapted, None, (1,))["kept"] == [1.0]
    with pytest.raises(ValueError, match="at least 1"):
        kept_by_lora(adapted, z, (0,))


def test_bands_add_up_to_the_whole_gram(adapted):
    stack = ExpertStack(adapted, [Expert.from_z(adapted, n, some_z(adapted, s)) for n, s in (("a", 0), ("b", 4))])
    whole, parts = gram(stack), gram_bands(stack, 3)
    for path in adapted.paths:
        one, bands_ = whole[path], parts[path]
        for key in ("G", "H"):
            assert torch.tensor(bands_[key]).sum(dim=0) == pytest.approx(torch.tensor(one[key]), rel=1e-4, abs=1e-6)
        assert sum(bands_["r"]) == one["r"] and len(bands_["r"]) == 3 and bands_["norm2"] == one["norm2"]
        assert (torch.tensor(bands_["m"]).sum(dim=0) / one["r"]).tolist() == pytest.approx(one["m"], abs=1e-6)


def test_a_moved_matrix_gives_every_mix(adapted):
    stack = ExpertStack(adapted, [Expert.from_z(adapted, n, some_z(adapted, s)) for n, s in (("a", 0), ("b", 4))])
    path = adapted.paths[3]
    held = moved(stack, path)
    z = 1 + 0.6 * torch.tensor(held["delta"][0]) - 0.3 * torch.tensor(held["delta"][1])
    found = spectrum(adapted, path, stack.z(Mix({"a": 0.6, "b": -0.3})))
    assert z.tolist() == pytest.approx(found["z"], abs=1e-5) and held["sigma"] == found["sigma"]
    assert (held["out"], held["in"]) == tuple(adapted.modules[path].weight.shape) and held["r"] == len(held["sigma"])
    with pytest.raises(ValueError, match="adapted module"):
        moved(stack, "nowhere")
