"""The page says what the report measured, gain or none, and nothing where nothing was measured."""

import json

import pytest

from t2ui.measured import read
from t2ui.ui.tabs.ask import measured_text
from t2ui.ui.text import Text


def cell(accuracy: float) -> dict:
    return {"accuracy": accuracy, "ci95": [accuracy - 0.01, accuracy + 0.01], "n": 2000, "tasks": {"math": accuracy}}


def results(**accuracy: float) -> dict:
    return {"mixed": {name: cell(value) for name, value in accuracy.items()}}


@pytest.fixture
def file(tmp_path):
    def write(found: dict):
        path = tmp_path / "eval.json"
        path.write_text(json.dumps(found), encoding="utf-8")
        return path

    return write


def test_a_gain_is_told_with_its_figures(file):
    found = read(file(results(right=0.95, classifier=0.94, prompt=0.93, base=0.4, all=0.8, half=0.85, uniform=0.5)))
    assert found.which == "half" and found.gain == pytest.approx(0.09)
    text = measured_text(found, Text())
    assert "94.0%" in text and "gains 9.0 points" in text and "all experts at 1/2" in text
    assert "| always the right expert | 95.0 (94.0 to 96.0) |" in text


def test_no_gain_is_told_as_well(file):
    text = measured_text(read(file(results(right=0.95, prompt=0.9, base=0.4, all=0.92, half=0.85, uniform=0.5))), Text())
    assert "gains nothing" in text and "-2.0 points" in text


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"mixed": {"right": 1}}'])
def test_a_file_without_results_says_so(tmp_path, content):
    path = tmp_path / "eval.json"
    assert read(path) is None
    path.write_text(content, encoding="utf-8")
    assert read(path) is None
    assert "Nothing was measured" in measured_text(None, Text())
