import random

import pytest

from t2ui.train.statistics import paired, wilson


def test_wilson_matches_published_values():
    # Newcombe (1998), table I: 81/263 and 0/20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    with pytest.raises(ValueError, match="n = 0"):
        wilson(0, 0)


def test_wilson_covers_the_truth_about_as_often_as_it_says():
    rng = random.Random(0)
    hits = 0
    for _ in range(1000):
        low, high = wilson(sum(rng.random() < 0.3 for _ in range(100)), 100)
        hits += low <= 0.3 <= high
    assert 0.92 < hits / 1000 < 0.98


def test_paired_is_antisymmetric_and_covers():
    rng = random.Random(1)
    a = [rng.random() < 0.7 for _ in range(400)]
    b = [rng.random() < 0.5 for _ in range(400)]
    diff, (low, high) = paired(a, b)
    back, (low_back, high_back) = paired(b, a)
    assert diff == pytest.approx(-back) and low == pytest.approx(-high_back) and high == pytest.approx(-low_back)
    assert low < diff < high and low < 0.2 < high
    same, (low, high) = paired(a, a)
    assert same == 0 and low < 0 < high
    with pytest.raises(ValueError, match="same examples"):
        paired(a, b[:-1])
