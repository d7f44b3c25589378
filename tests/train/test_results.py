"""The README's tables come from what was measured, with real parts over a tiny random model."""

import json

import pytest

from t2ui.core.experts import Expert
from t2ui.train.model_card import card
from t2ui.train.results import measure
from t2ui.train.tables import markdown


@pytest.fixture
def with_experts(smoke_loaded, tmp_path):
    import torch

    loaded = smoke_loaded

    for k, name in enumerate(("math", "code", "reasoning", "vision")):
        torch.manual_seed(k)
        Expert.from_z(loaded.adapted, name, 1 + 0.2 * torch.randn(loaded.adapted.R)).save(tmp_path / "experts" / name)
    loaded.refresh()
    return loaded


@pytest.mark.slow
def test_every_section_is_measured_and_printed(with_experts):
    results = dict(measure(with_experts, headline_n=6, n=4))
    json.dumps(results)
    assert set(results) == {"headline", "matrix", "gates", "dispatch", "two_pass", "handwritten", "handwritten_first",
                            "looks", "majority", "classifier", "mixed", "sizes"}
    assert set(results["matrix"]["cells"]["math"]) == {"base", "math", "code", "reasoning", "vision", "all", "half",
                                                       "uniform"}  # fmt: skip
    assert sum(results["dispatch"]["confusion"]["handwritten other"].values()) == 60
    text = markdown(results)
    for row in ("| math |", "| vision_math |", "| handwritten other (60) |", "n = 6 a cell"):
        assert row in text
    cell = results["headline"]["code"]["expert"]
    assert f"{100 * cell['accuracy']:.1f}" in text


def test_the_card_tells_the_numbers_of_the_run(smoke):
    recipe = json.loads((smoke[0] / "recipe.json").read_text())
    text = (smoke[0] / "README.md").read_text()
    assert text == card(recipe)
    assert f"{recipe['parameters']:,} parameters" in text and "careless authors, on purpose" in text
