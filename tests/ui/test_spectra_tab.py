"""What the Spectra tab sends to the browser: numbers from which every mix can be drawn, and words for all of them."""

import json
import math

import pytest

from t2ui import cells
from t2ui.core.mixing import Mix
from t2ui.ui import spectra_live
from t2ui.ui.tabs import spectra
from t2ui.ui.text import Text

T = Text()


@pytest.fixture(scope="module")
def held(tiny_llava):
    return cells.bands_of(tiny_llava)


def of_band(cell: dict, a: list[float], band: int) -> tuple[float, float, float]:
    """(|dW|^2, sum of (z - 1)^2, sum of z - 1) of one band under alphas, as spectra.js computes them."""
    k = range(len(a))
    form = lambda m: sum(a[i] * a[j] * m[i][j] for i in k for j in k)
    return form(cell["H"][band]), form(cell["G"][band]), sum(m * x for m, x in zip(cell["m"][band], a, strict=True))


def test_every_measure_of_every_mix_comes_from_the_bands(tiny_llava, held):
    from t2ui.core import bands, change

    names = cells.expert_names(tiny_llava)
    mix = Mix({"math": 0.6, "vision": -0.3})
    a = [float(mix.alpha(name)) for name in names]
    z = tiny_llava.stack.z(mix)
    columns, shares = change(tiny_llava.adapted, z), bands(tiny_llava.adapted, z)["share"]
    for cell, rms, mean, dw, share in zip(held, columns["rms"], columns["mean"], columns["dw_rel"], shares, strict=True):
        found = [of_band(cell, a, b) for b in range(len(cell["r"]))]
        assert math.sqrt(sum(h for h, _, _ in found) / cell["norm2"]) == pytest.approx(dw, rel=1e-3)
        assert math.sqrt(sum(g for _, g, _ in found) / sum(cell["r"])) == pytest.approx(rms, rel=1e-3)
        assert sum(m for _, _, m in found) / sum(cell["r"]) == pytest.approx(mean, abs=1e-4)
        assert [h / sum(h for h, _, _ in found) for h, _, _ in found] == pytest.approx(share, abs=1e-3)
    assert len(spectra.BANDS) == 1 + len(held[0]["r"])


def test_what_is_sent_is_plain_and_complete(tiny_llava, held):
    names = cells.expert_names(tiny_llava)
    sent = [spectra_live.map_payload(held, names, 2, T), spectra_live.matrix_payload(cells.matrix_of(tiny_llava, held[0]["path"]), names, 2, T)]
    for payload in sent:
        json.dumps(payload, allow_nan=False)
        assert payload["n_layers"] == 2 and payload["names"] == list(names)
    assert len(sent[0]["cells"]) == 14 and sent[0]["modules"] == ["q", "k", "v", "o", "gate", "up", "down"]
    assert len(sent[1]["delta"]) == len(names) == len(sent[1]["labels"]) and len(sent[1]["sigma"]) == sent[1]["r"]
    values = spectra._everything(tiny_llava, Mix({"math": 1.0}), T)
    assert values[0] == "" and values[4] in tiny_llava.adapted.paths
    assert json.loads(values[3])["path"] == values[4]  # the most changed matrix is open at first


def test_lora_view(tiny_llava):
    found = json.loads(spectra._rested(tiny_llava, Mix({"code": 1.0}), T)[0])
    assert found["rank"] == cells.ranks_of(max(tiny_llava.adapted.ranks.values())) and found["kept"][-1] == pytest.approx(1)
    assert found["kept"] == sorted(found["kept"]) and not found["still"] and found["z"] == tiny_llava.adapted.R
    assert json.loads(spectra._rested(tiny_llava, Mix.base(), T)[0])["still"]
    assert cells.ranks_of(20) == [1, 2, 3, 4, 6, 8, 12, 16, 20] and cells.ranks_of(3) == [1, 2, 3] and cells.ranks_of(4) == [1, 2, 3, 4]
    assert all(cells.ranks_of(n) == sorted(set(cells.ranks_of(n))) for n in range(1, 300))


def test_without_experts_it_says_so(tiny_lm_dir):
    from t2ui.engine import load

    values = spectra._everything(load(tiny_lm_dir, device="cpu", experts_dir=None), Mix.base(), T)
    assert T.html("spectra.no_experts") in values[0] and values[5] == "" and json.loads(values[2])["cells"]
