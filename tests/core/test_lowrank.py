"""Mixes of SVF and LoRA experts, against sums of whole matrices."""

import itertools

import pytest
import torch

from t2ui.core import (
    Change,
    Expert,
    ExpertStack,
    LoRAExpert,
    LowRank,
    Mix,
    bands,
    best_lora,
    change,
    cosines,
    gram,
    kept_by_lora,
    projection,
    spectrum,
    summary,
)
from t2ui.core.lora import full_rank

from .models import LAYERS, close, ids, logits, make_llama, some_z


def lora(adapted, name, rank, seed, pick=lambda path: True, size=0.05):
    g = torch.Generator().manual_seed(seed)
    parts = {}
    for path, m in adapted.modules.items():
        if pick(path):
            parts[path] = LowRank(torch.randn(rank, m.in_features, generator=g), size * torch.randn(m.out_features, rank, generator=g))
    return LoRAExpert(name, parts)


@pytest.fixture
def stack(adapted):
    return ExpertStack(adapted, [
        Expert.from_z(adapted, "math", some_z(adapted, 1)),
        lora(adapted, "tuned", 3, 2),
        Expert.from_z(adapted, "code", some_z(adapted, 3)),
        lora(adapted, "small", 1, 4, lambda p: "mlp" in p),
    ])  # fmt: skip


MIXES = ["base", "math", "tuned", "math=0.6,tuned=0.5", "tuned=-1,small=2", "code=0.3,tuned=0.2/0.9,small=1/0", "small=0/3"]


def whole(stack, mix, path):
    """dW of one matrix in float64, expert by expert."""
    adapted, m = stack.adapted, stack.adapted.modules[path]
    out = torch.zeros(m.out_features, m.in_features, dtype=torch.float64)
    for expert in stack.experts:
        alpha = mix.alpha(expert.name)
        alpha = alpha[adapted.layer_of[path]] if isinstance(alpha, tuple) else alpha
        if isinstance(expert, LoRAExpert):
            if path in expert.parts:
                A, B = expert.parts[path]
                out += alpha * (B.double() @ A.double())
        else:
            out += alpha * ((m.U.double() * (m.sigma.double() * (expert.z[path].double() - 1))) @ m.Vh.double())
    return out


def wanted_logits(stack, mix, tokens):
    model = make_llama()
    with torch.no_grad():
        for path in stack.adapted.paths:
            weight = model.get_submodule(path).weight
            weight.copy_(weight.double() + whole(stack, mix, path))
    return logits(model, tokens)


def test_every_row_has_its_own_alphas(stack):
    adapted, tokens = stack.adapted, ids(batch=len(MIXES))
    mixes = [Mix.parse(text) for text in MIXES]
    scale = stack.scale(mixes)
    assert scale.shape == (len(mixes), adapted.R + 2 * LAYERS) and adapted.width == scale.shape[1]
    before = {p: m.weight.clone() for p, m in adapted.modules.items()}
    with adapted.rows(scale):
        got = logits(adapted.model, tokens)
    assert all(torch.equal(m.weight, before[p]) for p, m in adapted.modules.items())
    for row, mix in enumerate(mixes):
        close(got[row : row + 1], wanted_logits(stack, mix, tokens[row : row + 1]), torch.float32)
        with adapted.rows(scale[row : row + 1]):
            close(logits(adapted.model, tokens[row : row + 1]), got[row : row + 1], torch.float32)


def test_an_index_by_row_or_by_token(stack):
    adapted, tokens = stack.adapted, ids(batch=3)
    scale = stack.scale([Mix.parse("math=0.6,tuned=0.5"), Mix.single("small", 2.0)])
    index = torch.tensor([1, 0, 1])
    with adapted.rows(scale, index):
        by_row = logits(adapted.model, tokens)
    with adapted.rows(scale[index]):
        assert torch.equal(logits(adapted.model, tokens), by_row)
    with adapted.rows(scale, index[:, None].expand(-1, tokens.shape[1])):
        assert torch.equal(logits(adapted.model, tokens), by_row)


@pytest.mark.parametrize("text", MIXES)
def test_fold_is_the_sum_and_unfolds_bitwise(stack, text):
    adapted, tokens, mix = stack.adapted, ids(), Mix.parse(text)
    before = {p: m.weight.clone() for p, m in adapted.modules.items()}
    touched = adapted.fold(stack.change(mix))
    close(logits(adapted.model, tokens), wanted_logits(stack, mix, tokens), torch.float32)
    assert set(touched) == {p for p in adapted.paths if whole(stack, mix, p).any()}
    adapted.unfold()
    assert all(torch.equal(m.weight, before[p]) for p, m in adapted.modules.items())


def test_rows_without_lora_are_bitwise_what_they_are_without_any_loaded(adapted, stack):
    tokens = ids(batch=2)
    alone = ExpertStack(adapted, [e for e in stack.experts if isinstance(e, Expert)])
    mixes = [Mix.parse("math=0.6,code=0.2"), Mix.base()]
    assert torch.equal(stack.scale(mixes), alone.scale(mixes)) and stack.scale(mixes).shape[1] == adapted.R
    with adapted.rows(stack.scale(mixes)):
        got = logits(adapted.model, tokens)
    adapted.forget()
    with adapted.rows(alone.scale(mixes)):
        assert torch.equal(logits(adapted.model, tokens), got)


def test_columns_stay_where_they_are_while_others_come(adapted):
    one, two = lora(adapted, "one", 2, 0), lora(adapted, "two", 4, 1)
    first = ExpertStack(adapted, [one])
    scale, tokens = first.scale([Mix.single("one")]), ids(batch=1)
    with adapted.rows(scale):
        want = logits(adapted.model, tokens)
    both = ExpertStack(adapted, [two, one])  # a refresh: the old scale is still in use
    with adapted.rows(scale):
        assert torch.equal(logits(adapted.model, tokens), want)
    assert both.columns["one"] == first.columns["one"] and adapted.width == adapted.R + 2 * LAYERS
    only = ExpertStack(adapted, [two])
    assert adapted.forget([two.digest]) and not adapted.forget([two.digest])
    only = ExpertStack(adapted, [two])
    assert only.columns == {"two": adapted.R} and adapted.width == adapted.R + LAYERS
    with pytest.raises(ValueError, match="up to"):
        with adapted.rows(both.scale([Mix.base()]).new_zeros(1, adapted.R + 2 * LAYERS)):
            pass


def test_a_mix_with_lora_has_no_z(stack):
    with pytest.raises(ValueError, match="LoRA expert tuned"):
        stack.z(Mix.parse("math=0.6,tuned=0.5"))
    assert stack.change(Mix.base()).is_base and not stack.change(Mix.single("tuned")).is_base


def test_train_mode_goes_on_beside_lora(stack):
    parameters = stack.adapted.train_mode()
    loss = stack.adapted.model(input_ids=ids(), labels=ids()).loss
    loss.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in parameters.values())
    stack.adapted.eval_mode()


def test_factors_and_lora_move_with_the_model(stack):
    mix = Mix.parse("math=0.6,tuned=0.5")
    stack.adapted.model.to(torch.float64)
    assert {t.dtype for m in stack.adapted.modules.values() for t in m.placed[:2]} == {torch.float32}
    with stack.adapted.rows(stack.scale([mix])):
        close(logits(stack.adapted.model, ids()), wanted_logits(stack, mix, ids()), torch.float32)


# -- norms, spectra


@pytest.mark.parametrize("text", MIXES)
def test_previews_and_proofs_are_exact(stack, text):
    """|dW|/|W| from the Gram matrices, from a scale buffer and from the change itself: that of the whole matrices."""
    adapted, mix = stack.adapted, Mix.parse(text)
    truth = {p: float(whole(stack, mix, p).norm()) for p in adapted.paths}
    cells, held = gram(stack), stack.alphas(mix).double()
    for path, cell in cells.items():
        a = held[cell["layer"]]
        assert float((a @ torch.tensor(cell["H"], dtype=torch.float64) @ a).clamp(min=0).sqrt()) == pytest.approx(truth[path], abs=1e-5)
    columns = change(adapted, stack.change(mix))
    assert columns["dw"] == pytest.approx([truth[p] for p in columns["path"]], abs=1e-5)
    total = sum(v**2 for v in truth.values()) ** 0.5
    assert float(stack.sizes(stack.scale([mix]))[0]) == pytest.approx(total, abs=1e-5)


def test_rms_and_mean_speak_of_the_part_that_rescales(stack):
    adapted, mix = stack.adapted, Mix.parse("math=0.6,tuned=0.5")
    columns, cells, held = change(adapted, stack.change(mix)), gram(stack), stack.alphas(mix).double()
    for i, path in enumerate(columns["path"]):
        m, cell, a = adapted.modules[path], cells[path], held[columns["layer"][i]]
        M = m.U.double().T @ whole(stack, mix, path) @ m.Vh.double().T
        delta = M.diagonal() / m.sigma.double()
        assert columns["rms"][i] == pytest.approx(float(delta.square().mean().sqrt()), rel=1e-3)
        assert columns["mean"][i] == pytest.approx(float(delta.mean()), rel=1e-2, abs=1e-4)
        G = torch.tensor(cell["G"], dtype=torch.float64)
        assert float((a @ G @ a / cell["r"]).sqrt()) == pytest.approx(columns["rms"][i], rel=1e-3)
        share = float(M.diagonal().square().sum() / whole(stack, mix, path).square().sum())
        assert columns["rescales"][i] == pytest.approx(share, abs=1e-5)
        one = spectrum(adapted, path, stack.change(mix))
        assert one["sigma2"] == pytest.approx((m.sigma.double() + M.diagonal()).tolist(), abs=1e-4)
        assert one["rescales"] == pytest.approx(share, abs=1e-5)
    for by in ("layer", "module"):
        groups = summary(columns, by)
        for key, share, dw in zip(groups[by], groups["rescales"], groups["dw"], strict=True):
            rows = [i for i, k in enumerate(columns[by]) if k == key]
            on = sum(columns["rescales"][i] * columns["dw"][i] ** 2 for i in rows)
            assert share == pytest.approx(on / dw**2)
    for path, shares, part in zip(columns["path"], bands(adapted, stack.change(mix))["share"], columns["rescales"], strict=True):
        assert sum(shares) == pytest.approx(part, abs=1e-9), path


def test_nothing_new_stands_in_the_columns_without_lora(stack):
    mix = Mix.parse("math=0.6,code=0.2")
    old, new = change(stack.adapted, stack.z(mix)), change(stack.adapted, stack.change(mix))
    assert old == new and "rescales" not in new
    assert spectrum(stack.adapted, stack.adapted.paths[0], stack.z(mix)) == spectrum(stack.adapted, stack.adapted.paths[0], stack.change(mix))
    assert projection(stack.adapted, stack.change(mix))[2] == pytest.approx(1.0, abs=1e-9)
    assert torch.allclose(projection(stack.adapted, stack.change(mix))[0], stack.z(mix))


def test_cosines_are_those_of_the_changes(stack):
    found = cosines(stack, weighted=True)["all"]
    vectors = [torch.cat([whole(stack, Mix.single(n), p).flatten() for p in stack.adapted.paths]) for n in stack.names]
    for j, k in itertools.combinations(range(len(stack)), 2):
        want = torch.nn.functional.cosine_similarity(vectors[j], vectors[k], dim=0)
        assert found[j][k] == pytest.approx(float(want), abs=1e-5)
    plain = cosines(stack)
    alone = cosines(ExpertStack(stack.adapted, [e for e in stack.experts if isinstance(e, Expert)]))
    assert plain["all"][0][2] == pytest.approx(alone["all"][0][1], abs=1e-6)


@pytest.mark.parametrize("text", ["tuned", "math=0.6,tuned=0.5", "small=2,tuned=1"])
def test_no_z_is_nearer_than_the_projection(stack, text):
    adapted, mix = stack.adapted, Mix.parse(text)
    z, shares, share = projection(adapted, stack.change(mix))
    left = total = 0.0
    for path in adapted.paths:
        m, dW = adapted.modules[path], whole(stack, mix, path)
        near = (m.U.double() * (m.sigma.double() * (adapted.split(z)[path].double() - 1))) @ m.Vh.double()
        lost, all_ = float((dW - near).square().sum()), float(dW.square().sum())
        # Least squares: what is left stands at right angles to every U diag(e_i) Vh.
        rest = m.U.double().T @ (dW - near) @ m.Vh.double().T
        assert float(rest.diagonal().abs().max()) < 1e-4 * max(1.0, float(dW.norm()))
        assert shares[path] == pytest.approx(1 - lost / all_, abs=1e-4) if all_ else path not in shares
        left, total = left + lost, total + all_
    assert share == pytest.approx(1 - left / total, abs=1e-4) and 0 < share < 1


def test_alphas_are_read_back_and_what_is_no_mix_leaves_a_rest(stack):
    mixes = [Mix.parse(t) for t in ("math=0.6,tuned=0.5", "small=2,tuned=-1", "base", "code=1")]
    alphas, rest = stack.alphas_of(stack.scale(mixes))
    for row, mix in zip(alphas, mixes, strict=True):
        assert row.tolist() == pytest.approx([mix.alpha(n) for n in stack.names], abs=1e-4)
    assert rest.max() < 1e-3
    uneven = stack.scale([Mix.parse("tuned=0/2")])
    alphas, rest = stack.alphas_of(uneven)
    assert alphas[0].tolist() == pytest.approx([0, 1, 0, 0], abs=1e-6) and 0.3 < float(rest[0]) < 1.0


# -- out again as one LoRA


@pytest.mark.parametrize("text", ["tuned", "tuned=0.5,small=2", "math=0.6,tuned=0.5"])
@pytest.mark.parametrize("rank", [1, 2, 4, None])
def test_the_best_lora_of_a_mix_with_lora(stack, text, rank):
    adapted, mix = stack.adapted, Mix.parse(text)
    held = stack.change(mix)
    out = best_lora(adapted, held, rank)
    assert out.rank == (min(rank, full_rank(adapted, held)) if rank else full_rank(adapted, held))
    lost = total = 0.0
    for path, (A, B) in out.parts.items():
        dW = whole(stack, mix, path)
        s = torch.linalg.svdvals(dW)
        error = float((dW - B.double() @ A.double()).norm())
        assert A.shape[0] == B.shape[1] == out.rank
        assert error <= float(s[out.rank :].norm()) + 1e-5 * float(s[0])
        assert out.kept[path] == pytest.approx(float(s[: out.rank].norm() / s.norm()), abs=1e-6)
        lost, total = lost + float(s[out.rank :].square().sum()), total + float(s.square().sum())
    assert out.kept_all == pytest.approx((1 - lost / total) ** 0.5, abs=1e-6)
    if rank:
        assert kept_by_lora(adapted, held, [rank])["kept"][0] == pytest.approx(out.kept_all, abs=1e-6)


def test_lora_alone_leaves_as_it_came(stack):
    out = best_lora(stack.adapted, stack.change(Mix.single("tuned")))
    assert out.rank == 3 and out.kept_all == 1.0
    for path, (A, B) in stack.experts[1].parts.items():
        assert torch.equal(out.parts[path].A, A) and torch.equal(out.parts[path].B, B)


def test_a_change_of_nothing_is_the_base(adapted):
    with pytest.raises(ValueError, match="base model"):
        best_lora(adapted, Change(torch.ones(adapted.R)))
