"""Depth profiles: constant points are the plain number; between the points it is a straight line."""

from __future__ import annotations

import random

import pytest

from t2ui.core import ExpertStack, Mix
from t2ui.core.depth import along, shaped


@pytest.mark.parametrize("n_layers", [1, 2, 3, 4, 7, 12, 33])
def test_constant_points_give_the_plain_number(n_layers):
    rng = random.Random(n_layers)
    for _ in range(50):
        value, alpha = rng.uniform(-2, 2), rng.uniform(-1, 2)
        assert along([value] * 3, n_layers) == pytest.approx((value,) * n_layers)
        mix = Mix({"math": alpha, "code": 0.5})
        assert shaped(mix, {"math": (1.0, 1.0, 1.0)}, n_layers) == mix == shaped(mix, {}, n_layers)
        constant = shaped(mix, {"math": [value] * 3}, n_layers)
        assert constant.alpha("math") == pytest.approx(alpha * value) and not constant.per_layer


@pytest.mark.parametrize("n_layers", [2, 3, 5, 8, 13])
def test_the_ends_are_met_and_between_them_it_is_straight(n_layers):
    rng = random.Random(n_layers)
    for _ in range(50):
        points = [rng.uniform(-1, 2) for _ in range(3)]
        found = along(points, n_layers)
        assert len(found) == n_layers and found[0] == points[0] and found[-1] == pytest.approx(points[2])
        assert min(points) - 1e-9 <= min(found) and max(found) <= max(points) + 1e-9
        if n_layers % 2:
            assert found[n_layers // 2] == pytest.approx(points[1])
        assert along(points[::-1], n_layers) == pytest.approx(found[::-1])
        straight = [0.0, 0.5, 1.0]
        assert along(straight, n_layers) == pytest.approx([i / (n_layers - 1) for i in range(n_layers)])


def test_a_layers_z_is_that_of_its_own_alpha(tiny_lm):
    """With per-layer alphas, each layer's z equals the plain mix' z at that layer's number."""
    stack: ExpertStack = tiny_lm.stack
    name, n_layers = stack.names[0], stack.adapted.n_layers
    mix = shaped(Mix({name: 0.8}), {name: (1.0, 0.5, 0.0)}, n_layers)
    z = stack.z_dict(mix)
    for path, layer in stack.adapted.layer_of.items():
        alpha = mix.alpha(name)[layer]
        assert z[path].equal(stack.z_dict(Mix({name: alpha}))[path]) or z[path].allclose(stack.z_dict(Mix({name: alpha}))[path])


def test_per_layer_alphas_are_shaped_too_and_zero_stays_the_base():
    mix = Mix({"math": (1.0, 2.0, 4.0)})
    assert shaped(mix, {"math": (1, 0, 1)}, 3).alpha("math") == (1.0, 0.0, 4.0)
    assert shaped(Mix({"math": 1.0}), {"math": (0, 0, 0)}, 3).is_base
    assert shaped(Mix(), {"math": (0, 1, 0)}, 3).is_base


@pytest.mark.parametrize(("points", "n"), [([], 3), ([1, float("nan"), 1], 3), ([1, 1, 1], 0), ([float("inf")] * 3, 2)])
def test_what_is_no_profile_is_refused(points, n):
    with pytest.raises(ValueError, match="control points"):
        along(points, n)
