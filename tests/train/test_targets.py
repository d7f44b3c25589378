"""The table of targets says met exactly where the figures meet the demand."""

import copy

import pytest

from t2ui.train.targets import MISSED, markdown


def row(**values):
    return {"ci95": [0, 1], "n": 10, **values}


GOOD = {
    "headline": {"math": {"base": row(accuracy=0.4), "expert": row(accuracy=0.95),
                          "paired": {"diff": 0.55, "fixed": 0.9, "broken": 0.01}}},
    "matrix": {"own_minus_other": [{"task": "math", "diff": 0.5, "ci95": [0.4, 0.6]}],
               "cells": {t: {m: row(accuracy=0.95 if m == t else 0.4) for m in ("base", "math", "code", "reasoning", "vision")}
                         for t in ("math", "code", "reasoning", "vision")}},
    "gates": {"rows": [row(task="math", forced="careful", accuracy=0.95), row(task="vision_math", forced="careful", accuracy=0.9),
                       row(task="vision_math", forced="math careful only", accuracy=0.1)]},
    "looks": {"vision": {"chance": 0.33, "blank": row(accuracy=0.35), "other": row(accuracy=0.3)}},
    "dispatch": {"accuracy": 0.99, "accuracy_hand": 0.95, "outside": 0.01, "outside_hand": 0.1, "outside_foreign": 0.97},
    "handwritten": {"math": [row(accuracy=0.9)]},
}  # fmt: skip


def test_everything_met():
    text = markdown(GOOD)
    assert MISSED not in text and text.count("| met |") == 11
    assert "math +50.0" in text and "95.0 % (+55.0)" in text


@pytest.mark.parametrize(("where", "value", "words"), [
    (("headline", "math", "base", "accuracy"), 0.6, "base, greedy"),
    (("headline", "math", "expert", "accuracy"), 0.89, "its expert >= 90"),
    (("headline", "math", "paired", "diff"), 0.3, "its expert >= 90"),
    (("headline", "math", "paired", "broken"), 0.06, "wrong answers turned right"),
    (("matrix", "own_minus_other", 0, "diff"), 0.14, "beats every other"),
    (("matrix", "own_minus_other", 0, "ci95"), [-0.1, 0.4], "beats every other"),
    (("matrix", "cells", "math", "vision", "accuracy"), 0.7, "lifts another"),
    (("gates", "rows", 0, "accuracy"), 0.84, "careful mode"),
    (("gates", "rows", 2, "accuracy"), 0.61, "both care flags"),
    (("looks", "vision", "blank", "accuracy"), 0.4, "blank picture"),
    (("dispatch", "accuracy_hand"), 0.8, "prompt dispatch"),
    (("dispatch", "outside_foreign"), 0.8, "notice"),
    (("handwritten", "math", 0, "accuracy"), 0.8, "hand-written"),
])  # fmt: skip
def test_each_demand_can_be_missed(where, value, words):
    results = copy.deepcopy(GOOD)
    at = results
    for key in where[:-1]:
        at = at[key]
    at[where[-1]] = value
    missed = [line for line in markdown(results).splitlines() if MISSED in line]
    assert len(missed) == 1 and words in missed[0]


def test_nothing_measured_nothing_said():
    assert markdown({}) == ""
