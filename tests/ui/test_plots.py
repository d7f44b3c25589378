"""The change map: what the Gram matrices say is what the weights do."""

import json

import pytest

from t2ui import plots
from t2ui.cells import cells_of, expert_names
from t2ui.core.mixing import Mix
from t2ui.core.spectra import change
from t2ui.ui.live import change_payload, share_payload
from t2ui.ui.text import Text


@pytest.fixture(scope="module")
def cells(tiny_llava):
    return cells_of(tiny_llava)


@pytest.mark.parametrize("alphas", [(1, 0, 0), (0.6, 0.2, 0), (0.5, -1, 2)])
def test_the_change_of_a_mix_is_that_of_the_weights(tiny_llava, cells, alphas):
    names = expert_names(tiny_llava)
    z = tiny_llava.stack.z(Mix(dict(zip(names, alphas, strict=True))))
    truth = change(tiny_llava.adapted, z)
    for i, cell in enumerate(cells):
        assert plots.change_of(cell, alphas, "dw") == pytest.approx(truth["dw_rel"][i], rel=1e-4)
        assert plots.change_of(cell, alphas, "rms") == pytest.approx(truth["rms"][i], rel=1e-4)


def test_experts_come_in_the_order_in_which_dispatch_names_them(tiny_llava):
    assert list(expert_names(tiny_llava)) == ["math", "code", "vision"]


def test_grid_and_figure(cells):
    layers, modules = [0, 1], ["q", "k", "v", "o", "gate", "up", "down"]
    grid = plots.change_grid(cells, layers, modules, (1, 0, 0))
    assert len(grid) == 2 and all(len(row) == 7 and all(x > 0 for x in row) for row in grid)
    assert plots.change_grid(cells, [0], ["none"], (1, 0, 0)) == [[None]]
    figure = plots.change_heatmap(grid, layers, modules, 0.5)
    assert figure.data[0].zmax == 0.5 and list(figure.data[0].x) == modules
    with pytest.raises(ValueError, match="metric"):
        plots.change_of(cells[0], (0, 0, 0), "other")


def test_the_browser_gets_plain_numbers_and_no_more_than_it_needs(cells):
    payload = change_payload(cells, ("math", "code", "vision"), Text())
    text = json.dumps(payload, allow_nan=False)
    assert len(text) < 20_000
    assert payload["zmax"] >= max(plots.change_of(cell, (1, 0, 0)) for cell in cells)
    assert payload["layers"] == [0, 1] and payload["modules"][0] == "q"


def test_an_empty_registry_draws_nothing():
    payload = change_payload([], (), Text())
    assert payload["cells"] == [] and payload["zmax"] > 0
    assert share_payload((), Text())["names"] == []


def test_share_payload_has_a_colour_each():
    payload = share_payload(("math", "code", "mine"), Text())
    assert len(set(payload["colours"])) == 3
