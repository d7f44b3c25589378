"""LoRA experts on the Spectra tab: what rescales and rotates in words, and the projection as a file to take along."""

import base64
import io
import re
import zipfile

import pytest
import torch

from t2ui.core import Mix, change, gram, gram_bands, load_expert, moved, projection, spectrum
from t2ui.engine import load
from t2ui.ui import basis_view, spectra_card
from t2ui.ui.backend import peek_experts
from t2ui.ui.tabs import spectra
from t2ui.ui.text import Text
from tests.adapters import write

T = Text()
MIX = Mix({"math": 0.5, "tuned": 0.7})


@pytest.fixture(scope="module")
def both(tiny_llava_dir, tiny_llava_experts, tmp_path_factory):
    import shutil

    folder = tmp_path_factory.mktemp("both") / "experts"
    shutil.copytree(tiny_llava_experts, folder)
    write(folder / "tuned", load(tiny_llava_dir, device="cpu", experts_dir=None).model)
    return load(tiny_llava_dir, device="cpu", experts_dir=folder)


def test_the_tab_shows_the_whole_change_and_its_parts(both):
    lora, shown = spectra._rested(both, MIX, T)
    matrices = change(both.adapted, both.stack.change(MIX))
    share = projection(both.adapted, both.stack.change(MIX))[2]
    assert f"{100 * share:.1f} % rescales" in shown and f"{100 - 100 * share:.1f} % rotates" in shown
    assert shown.count("<tr>") == 2 + len(set(matrices["layer"])) + len(set(matrices["module"]))
    assert lora  # small matrices: the curve is drawn


def test_the_bands_and_what_they_do_not_hold_are_the_whole_change(both):
    """What the browser adds up for a mix of both kinds is |dW| as it is."""
    matrices, whole = change(both.adapted, both.stack.change(MIX)), gram(both.stack)
    a = torch.tensor([MIX.alpha(name) for name in both.stack.names], dtype=torch.float64)
    for path, cell in gram_bands(both.stack).items():
        H = torch.tensor(cell["H"], dtype=torch.float64).sum(0) + torch.tensor(cell["X"], dtype=torch.float64)
        assert torch.allclose(H, torch.tensor(whole[path]["H"], dtype=torch.float64), rtol=1e-6, atol=1e-9)
        assert float(a @ H @ a) ** 0.5 == pytest.approx(matrices["dw"][matrices["path"].index(path)], rel=1e-4)
        held = moved(both.stack, path)
        scaled = torch.tensor(held["delta"], dtype=torch.float64) * torch.tensor(held["sigma"], dtype=torch.float64)
        assert torch.allclose(scaled @ scaled.T + torch.tensor(held["X"], dtype=torch.float64), H, rtol=1e-6, atol=1e-9)


def test_nothing_of_it_without_lora(both):
    matrices = change(both.adapted, both.stack.change(Mix({"math": 0.5})))
    assert basis_view.basis_html(matrices, "math=0.5", T) == "" == spectra._rested(both, Mix({"math": 0.5}), T)[1]


def test_a_recorded_card_shows_matrices_and_one_formula(both):
    matrices = change(both.adapted, both.stack.change(MIX))
    html = spectra_card.table(matrices, "rescales", str(MIX), T)
    assert html.count("<button") == len(matrices["path"]) and "100.0" in html  # matrices that the LoRA leaves alone
    path = matrices["path"][0]
    out, into = both.adapted.modules[path].weight.shape
    best = spectrum(both.adapted, path, both.stack.change(MIX))
    said = spectra_card.formula(best, (out, into), T)
    assert f"{100 - 100 * best['rescales']:.1f} %" in said and "what rotates" in said


def test_the_projection_is_packed_with_its_card_and_the_loss_is_said(both, tmp_path):
    name, data, facts = basis_view.packed(both, Mix({"tuned": 1.0}))
    html = basis_view.packed_html(name, data, facts, T)
    assert name == "tuned-svf" and f"{100 * facts['loss']:.1f} % is lost" in html
    link = re.search(r'download="tuned-svf.zip" href="data:application/zip;base64,([^"]+)"', html)
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(link[1]))) as archive:
        assert sorted(archive.namelist()) == [f"{name}/{f}" for f in ("README.md", "expert.safetensors", "recipe.json")]
        archive.extractall(tmp_path)
    expert = load_expert(tmp_path / name)
    assert expert.name == name and expert.check(both.adapted) == []


@pytest.mark.parametrize(("mix", "name"), [("tuned", "tuned-svf"), ("math=0.5,tuned=1", "math-tuned-svf"), ("a" * 64, "a" * 58 + "-svf")])
def test_names(mix, name):
    assert basis_view.name_of(Mix.parse(mix)) == name


def test_adapters_count_before_the_model_is_there(both):
    assert set(peek_experts(both.registry.folder)) == set(both.stack.names)
