"""LoRA experts on the Spectra tab: what rescales and rotates in words, and the projection as a file to take along."""

import base64
import io
import re
import zipfile

import pytest

from t2ui.core import Mix, change, load_expert, projection
from t2ui.engine import load
from t2ui.ui import basis_view
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
    matrices, cosines, lora, best, shape = spectra._columns(both, MIX)
    assert "tuned" in cosines["names"] and lora["kept"][-1] <= 1
    html = spectra.table(matrices, "rescales", str(MIX), T)
    assert html.count("<button") == len(matrices["path"]) and "100.0" in html  # matrices that the LoRA leaves alone
    rotates = spectra.formula(best, shape, T)
    assert f"{100 - 100 * best['rescales']:.1f} %" in rotates and "what rotates" in rotates
    shown = basis_view.basis_html(matrices, str(MIX), T)
    share = projection(both.adapted, both.stack.change(MIX))[2]
    assert f"{100 * share:.1f} % rescales" in shown and f"{100 - 100 * share:.1f} % rotates" in shown
    assert shown.count("<tr>") == 2 + len(set(matrices["layer"])) + len(set(matrices["module"]))


def test_nothing_of_it_without_lora(both):
    matrices = change(both.adapted, both.stack.change(Mix({"math": 0.5})))
    assert basis_view.basis_html(matrices, "math=0.5", T) == ""
    assert spectra.table(matrices, "rescales", "math=0.5", T).count("100.0") == 2 * len(matrices["path"])


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
