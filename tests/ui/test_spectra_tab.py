"""The Spectra tab's table and formula."""

from t2ui.core.mixing import Mix
from t2ui.ui.tabs import spectra
from t2ui.ui.text import Text

T = Text()


def test_every_matrix_is_a_button_with_its_value(tiny_llava):
    mix = Mix({"math": 0.5})
    matrices, cosines, lora, best, shape = spectra._columns(tiny_llava, mix)
    for measure in spectra.MEASURES:
        html = spectra.table(matrices, measure, str(mix), T)
        assert html.count("<button") == len(matrices["path"]) == html.count("aria-label")
    assert f"{100 * matrices['dw_rel'][0]:.1f}<span class=\"t2-unit\"> %</span>" in spectra.table(matrices, "dw_rel", str(mix), T)
    assert max(matrices["dw_rel"]) == matrices["dw_rel"][matrices["path"].index(best["path"])]
    assert set(cosines["names"]) == {"math", "code", "vision"} and lora["rank"] == list(spectra.RANKS)


def test_the_formula_is_filled_with_the_matrix_own_numbers(tiny_llava):
    path = tiny_llava.adapted.paths[4]
    columns, (out, into) = spectra._matrix(tiny_llava, path, Mix({"math": 1.0}))
    html = spectra.formula(columns, (out, into), T)
    first = f"{columns['sigma'][0]:.3f} × {columns['z'][0]:.3f} = {columns['sigma'][0] * columns['z'][0]:.3f}"
    assert path in html and f"({out} × {into})" in html and first in html
    assert tiny_llava.adapted.modules[path].weight.shape == (out, into)
