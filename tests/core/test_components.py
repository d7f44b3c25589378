"""One singular component: the mathematics in float64, and rows that answer without it."""

import pytest
import torch

from t2ui.core import Expert, ExpertStack, Mix, component, ends, excitation, parts_of, z_of
from t2ui.core.depth import shaped

from .models import ids, logits, some_z


@pytest.fixture
def stack(adapted):
    return ExpertStack(adapted, [Expert.from_z(adapted, n, some_z(adapted, s)) for n, s in (("a", 0), ("b", 3))])


def test_the_components_add_up_to_the_matrix(adapted):
    for path in (adapted.paths[0], adapted.paths[-1]):
        weight = adapted.modules[path].weight.detach().double()
        x = torch.randn(5, weight.shape[1], dtype=torch.float64, generator=torch.Generator().manual_seed(1))
        whole = torch.zeros(5, weight.shape[0], dtype=torch.float64)
        for i in range(adapted.ranks[path]):
            one = component(adapted, path, i)
            assert one.u.dtype == torch.float64 and float(one.u.norm()) == pytest.approx(1, abs=1e-6)
            whole += one.sigma * excitation(x, one.v)[:, None] * one.u
        assert float((whole - x @ weight.T).abs().max()) < 1e-5


def test_without_a_component_the_row_loses_exactly_what_it_wrote(adapted, stack):
    """Against the dense matrices in float64: W'_off = W' - sigma z u v'."""
    path, index, mix = adapted.paths[2], 3, Mix({"a": 0.7, "b": -0.2})
    one, z = component(adapted, path, index), stack.z(mix).double()
    off = stack.z(mix.without(path, index)).double()
    place = adapted.at(path, index)
    assert float(off[place]) == 0.0 and int((off != z).sum()) == 1
    module = adapted.modules[path]
    dense = [(module.U.double() * (module.sigma.double() * part[adapted.slices[path]])) @ module.Vh.double() for part in (z, off)]
    lost = one.sigma * float(z[place]) * torch.outer(one.u, one.v)
    assert float((dense[0] - dense[1] - lost).abs().max()) < 1e-12
    assert float((dense[1] @ one.v).norm()) < 1e-6  # nothing is read along v any more ...
    assert float((one.u @ dense[1]).norm()) < 1e-6  # ... and nothing written along u


def test_rows_without_a_component_stand_beside_rows_with_it(adapted, stack):
    tokens, path = ids(2), adapted.paths[0]
    mix = Mix({"a": 1.0})
    mixes = [mix, mix.without(path, 1)]  # some_z has put 0 to 0 already
    with adapted.rows(stack.scale(mixes)):
        out = logits(adapted.model, tokens)
    with adapted.rows(stack.scale(mixes[:1])):
        plain = logits(adapted.model, tokens)
    assert torch.allclose(out[0], plain[0], atol=1e-6) and float((out[1] - plain[1]).abs().max()) > 1e-4
    before = {p: m.weight.clone() for p, m in adapted.modules.items()}
    with adapted.folded(stack.z(mixes[1])):
        assert torch.allclose(logits(adapted.model, tokens)[1], out[1], atol=1e-5)
    assert all(torch.equal(before[p], m.weight) for p, m in adapted.modules.items())


def test_a_mix_remembers_what_is_off(stack):
    path = stack.adapted.paths[1]
    mix = Mix({"a": 0.5}).without(path, 2).without(path, 1)
    assert str(mix) == f"a=0.5,!{path}:1,!{path}:2" and Mix.parse(str(mix)) == mix and hash(Mix.parse(str(mix))) == hash(mix)
    assert Mix.from_json(mix.to_json()) == mix and mix.without(path, 1) == mix and mix != Mix({"a": 0.5})
    alone = Mix.base().without(path, 0)
    assert not alone.is_base and str(alone) == f"!{path}:0" and Mix.parse(str(alone)) == alone and not alone.per_layer
    assert shaped(mix, {"a": (1.0, 0.5)}, 2).off == mix.off
    assert "off" not in Mix({"a": 1}).to_json()
    for bad in ((path, 10_000), ("nowhere", 0)):
        with pytest.raises(ValueError, match="singular components|adapted module"):
            stack.z(Mix.base().without(*bad))
    for text in ("!:3", f"!{path}:x", f"!{path}:-1", f"!{path}", "!a=1"):
        with pytest.raises(ValueError):
            Mix.parse(text)
    with pytest.raises(ValueError, match="index from 0"):
        Mix({}, ((path, -1),))


def test_ends_are_the_largest_and_smallest_scores(adapted):
    table = torch.randn(50, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    direction = torch.randn(12, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    values = table @ direction
    scores = (values - values.mean()) / values.std(correction=0)
    plus, minus = ends(table, direction, 4)
    assert [i for i, _ in plus] == values.argsort(descending=True)[:4].tolist()
    assert [i for i, _ in minus] == values.argsort()[:4].tolist()
    assert [s for _, s in plus] == pytest.approx(scores.sort(descending=True).values[:4].tolist())
    assert ends(table, -direction, 4) == (([(i, pytest.approx(-s)) for i, s in minus]), [(i, pytest.approx(-s)) for i, s in plus])
    assert len(ends(table, direction, 500)[0]) == 50 and ends(torch.ones(3, 2), torch.ones(2))[0][0][1] == 0.0
    with pytest.raises(ValueError, match="direction"):
        ends(table, direction[:3])


def test_writing_along_u_moves_the_logits_by_the_scores(adapted):
    """c u added to the residual stream adds c (unembedding @ u) to the logits: what "the tokens it writes" means."""
    head = adapted.model.get_output_embeddings().weight.double()
    one = component(adapted, next(p for p in adapted.paths if p.endswith("down_proj")), 0)
    h = torch.randn(head.shape[1], dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    moved = head @ (h + 2.0 * one.u) - head @ h
    assert torch.allclose(moved, 2.0 * (head @ one.u), atol=1e-12)
    assert ends(head, one.u, 1)[0][0][0] == int(moved.argmax())


def test_shares_of_parts():
    assert parts_of(torch.tensor([3.0, 0.0, 0.0, 4.0]), 2) == pytest.approx([0.36, 0.64])
    assert sum(parts_of(torch.randn(24), 6)) == pytest.approx(1) and parts_of(torch.zeros(4), 2) == [0.0, 0.0]
    with pytest.raises(ValueError, match="no 3 equal parts"):
        parts_of(torch.zeros(4), 3)


def test_z_in_every_expert(adapted, stack):
    found = z_of(stack, adapted.paths[0], 5)
    assert found == {n: pytest.approx(float(some_z(adapted, s)[5]), abs=1e-6) for n, s in (("a", 0), ("b", 3))}
    with pytest.raises(ValueError, match="singular components"):
        component(adapted, adapted.paths[0], adapted.ranks[adapted.paths[0]])
