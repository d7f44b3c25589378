"""What an export costs: base, mix and export on the same examples; the sweep over ranks ends at the mix."""

import pytest
import torch

from t2ui.core import Expert, Mix, best_lora
from t2ui.engine.export import in_effect
from t2ui.engine.model import load
from t2ui.train.evaluate import EvalReport
from t2ui.train.exports import RANKS, RankRow, measurer, probe, sweep
from t2ui.train.statistics import wilson


@pytest.fixture(scope="module")
def loaded(smoke, tmp_path_factory):
    """The smallest demo model with one strong random expert."""
    experts = tmp_path_factory.mktemp("experts")
    bare = load(smoke[0], experts_dir=None)
    z = 1 + 0.5 * torch.randn(bare.adapted.R, generator=torch.Generator().manual_seed(1))
    Expert.from_z(bare.adapted, "math", z).save(experts / "math")
    return load(smoke[0], experts_dir=experts)


def test_a_sweep_ends_at_the_mix(loaded):
    before = {k: v.clone() for k, v in loaded.model.state_dict().items()}
    out = list(sweep(loaded, Mix.single("math"), ["math", "code"], ranks=(4, 1, 500), n=6))
    beside = [(r.task, r.mix) for r in out if isinstance(r, EvalReport)]
    assert beside == [(t, m) for t in ("math", "code") for m in ("base", "math=1")]
    rows = [r for r in out if isinstance(r, RankRow)]
    z = loaded.stack.z(Mix.single("math"))
    full = max(loaded.adapted.ranks.values())
    assert [(r.rank, r.task, r.full) for r in rows] == [(k, t, k == full) for k in (1, 4, full) for t in ("math", "code")]
    for r in rows:
        lora = best_lora(loaded.adapted, z, r.rank)
        assert (r.kept, r.numbers, r.kept_least) == (lora.kept_all, lora.numbers, min(lora.kept.values()))
        assert r.n == 6 and r.accuracy == r.correct / 6 and r.ci95 == wilson(r.correct, 6)
        assert r.minus_mix["mix"] == f"rank {r.rank}" and r.minus_mix["minus"] == "math=1"
    assert rows[0].kept < rows[2].kept < rows[4].kept == 1.0
    assert rows[0].logits > rows[-2].logits and max(r.logits for r in rows if r.full) <= 1e-4
    assert all(r.minus_mix["diff"] == 0 for r in rows if r.full)
    assert all(torch.equal(before[k], v) for k, v in loaded.model.state_dict().items())
    assert RANKS == (1, 2, 4, 8, 16, 32)


def test_impossible_sweeps_are_refused(loaded):
    with pytest.raises(ValueError, match="base model"):
        list(sweep(loaded, Mix.base(), ["math"], n=2))
    with pytest.raises(ValueError, match="at least 1"):
        list(sweep(loaded, Mix.single("math"), ["math"], ranks=(0, 1), n=2))


def test_base_mix_and_export_are_paired(loaded, tmp_path):
    told = []
    measure = measurer(loaded, Mix.single("math"), ["math", "vision"], n=5, tell=told.append)
    Expert.from_z(loaded.adapted, "another", torch.full((loaded.adapted.R,), 0.1)).save(tmp_path)
    rows = measure(in_effect(loaded, "expert", tmp_path))
    assert [r.mix for r in told] == ["base", "mix", "base", "mix", "export", "export"]
    for row, task in zip(rows, ("math", "vision"), strict=True):
        assert row["task"] == task and row["n"] == row["base"]["n"] == row["export"]["n"] == 5
        assert row["export_minus_mix"]["diff"] == pytest.approx(row["export"]["accuracy"] - row["mix"]["accuracy"], abs=1e-4)
        assert row["export_minus_base"]["minus"] == "base"
    assert loaded.adapted.mode == "off"


def test_probes_see_the_weights_as_they_are(loaded):
    plain = probe(loaded, "math")
    assert len(plain) == 8 and all(a.dim() == 2 for a in plain)
    with loaded.adapted.folded(loaded.stack.z(Mix.single("math"))):
        mixed = probe(loaded, "math")
    assert all((a - b).abs().max() > 1e-3 for a, b in zip(plain, mixed, strict=True))
