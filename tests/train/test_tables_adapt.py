"""The tables about adaptation say what was measured, and a missed demand is called missed."""

import copy

import pytest

from t2ui.train import tables_adapt
from t2ui.train.tables_adapt import hand_all, markdown, rows

LABELS = ["math", "code", "other"]


def cell(accuracy: float) -> dict:
    return {"accuracy": accuracy, "ci95": [accuracy - 0.01, accuracy + 0.01], "n": 1000}


def found(task: str, seed: int, **accuracy: float) -> dict:
    return {"task": task, "seed": seed, "shots": 10, "objective": "likelihood", "seconds": 8.0, "first_seconds": 0.5,
            "generations": 8, "chosen": "default" if seed == 1 else "mean", "alphas": {"math": 0.5, "vision": 1.0},
            "heldout": {name: cell(value) for name, value in accuracy.items()}}  # fmt: skip


BESIDE = {"base": 0.1, "math": 0.2, "vision": 0.3, "dispatch": 0.3, "uniform": 0.4, "all": 0.5, "half": 0.6, "single": 0.3,
          "random": 0.7, "searched": 0.65}  # fmt: skip
DISPATCH = {"labels": LABELS, "accuracy": 0.99, "ece": 0.02, "confusion": {
    "math": {"math": 990, "other": 10}, "math+picture": {"math": 9, "code": 1}, "math_code": {"math": 3, "code": 6, "other": 1},
    "handwritten math": {"math": 49, "other": 1}, "handwritten other": {"other": 57, "math": 3}}}  # fmt: skip
GOOD = {
    "classifier": {"classifier": {"trained": DISPATCH, "unseen": {**DISPATCH, "accuracy": 0.95}}},
    "mixed": {name: {**cell(value), "tasks": {"math": value}} for name, value in
              {"right": 0.95, "classifier": 0.94, "base": 0.4, "all": 0.8, "half": 0.85, "uniform": 0.5}.items()},
    "search": {"results": [found(task, seed, **BESIDE, found=0.8 + 0.1 * seed) for task in
                           ("math_unseen", "code_unseen", "vision_math", "math_code") for seed in (0, 1)]},
    "live": {"results": [found("vision_math", seed, **BESIDE, found=0.9) for seed in range(3)]},
    "first_pass": {"medians": {"first pass": 0.01, "second pass": 0.19, "whole": 0.2, "share": 0.05}},
}  # fmt: skip


def test_all_demands_met_and_the_figures_are_there():
    assert all(met for _, _, met in rows(GOOD)) and len(rows(GOOD)) == 7
    text = markdown(GOOD)
    for words in ("| math (1000) | 990 | 0 | 10 | 99.0 % |", "| math+picture (10) | 9 | 1 | 0 | 90.0 % |",
                  "| math_code (10) | 3 | 6 | 1 | 90.0 % |", "80.0 to 90.0", "**85.0**", "always the right expert"):  # fmt: skip
        assert words in text, words
    assert text.count("math 0.50, vision 1.00") == 8 and text.count("(dispatch's choice, kept)") == 4


def test_hand_written_counts_the_foreign_ones():
    assert hand_all(DISPATCH) == pytest.approx(106 / 110)


@pytest.mark.parametrize(("change", "words"), [
    (lambda r: r["classifier"]["classifier"]["trained"].update(accuracy=0.96), "four families"),
    (lambda r: r["classifier"]["classifier"]["unseen"].update(accuracy=0.91), "four families"),
    (lambda r: r["classifier"]["classifier"]["trained"].update(ece=0.06), "calibration"),
    (lambda r: r["mixed"]["classifier"].update(accuracy=0.9), "right expert"),
    (lambda r: [one["heldout"].update(found=cell(0.65)) for one in r["search"]["results"]], "simple ways"),
    (lambda r: [one["heldout"].update(base=cell(0.99)) for one in r["search"]["results"][:2]], "simple ways"),
    (lambda r: [one["heldout"].update(vision=cell(0.84)) for one in r["search"]["results"][4:]], "two-skill"),
    (lambda r: r["first_pass"]["medians"].update(share=0.13), "first pass"),
    (lambda r: r["live"]["results"][1].update(first_seconds=3.1), "live"),
    (lambda r: r["live"]["results"][2].update(seconds=31.0), "live"),
])  # fmt: skip
def test_each_demand_can_be_missed(change, words):
    results = copy.deepcopy(GOOD)
    change(results)
    missed = [target for target, _, met in rows(results) if not met]
    assert len(missed) == 1 and words in missed[0]


def test_nothing_measured_nothing_said():
    assert markdown({}) == "" and rows({}) == []
    assert set(tables_adapt.SIMPLE) <= set(tables_adapt.TITLES)
