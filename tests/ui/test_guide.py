"""First steps point at controls that exist; the formula on the page is the one the library computes."""

import re

import pytest
import torch

from t2ui.core.mixing import Mix
from t2ui.ui import formula, guide
from t2ui.ui.app import build_app
from t2ui.ui.backend import Backend, Options
from t2ui.ui.text import Text

T = Text()


def test_every_step_points_at_something_on_the_page(tmp_path):
    demo = build_app(Backend(Options(experts=str(tmp_path))))
    ids = {block.elem_id for block in demo.blocks.values() if getattr(block, "elem_id", None)}
    tabs = {block.id for block in demo.blocks.values() if block.get_block_name() == "tabitem"}
    for step in guide.STEPS:
        assert step.target.removeprefix("#") in ids and step.tab in tabs
        if step.done:
            assert re.match(r"#([\w-]+)", step.done)[1] in ids


def test_steps_are_short_and_said_in_both_ways():
    html = guide.html(T)
    assert html.count("<li ") == len(guide.STEPS)
    for step in guide.STEPS:
        assert len(T(f"guide.{step.key}").split()) <= 60 and len(T.simple(f"guide.{step.key}").split()) <= 60
    assert guide.keys_html(T).count("<kbd>") == len(guide.KEYS)


@pytest.mark.parametrize("text", ["math=0.6,code=0.4", "math=0.3,vision=-0.5", "base"])
def test_the_formula_is_the_one_that_is_computed(tiny_llava, text):
    """Both formulas are read as they stand on the page and evaluated."""
    assert formula.OURS == "z(α) = 1 + Σ αₖ (zₖ − 1)" and formula.PAPER == "z(α) = Σ αₖ zₖ"
    mix, stack = Mix.parse(text), tiny_llava.stack
    pairs = [(mix.alpha(name), stack.z(Mix.single(name))) for name in stack.names]

    def evaluated(written: str) -> torch.Tensor:
        term = {"αₖ (zₖ − 1)": lambda a, z: a * (z - 1), "αₖ zₖ": lambda a, z: a * z}[written.split("Σ ")[1]]
        first = 1.0 if "1 +" in written else 0.0
        return first + sum(term(a, z) for a, z in pairs)

    computed = stack.z(mix)
    torch.testing.assert_close(computed, evaluated(formula.OURS), rtol=1e-5, atol=1e-5)
    same = torch.allclose(computed, evaluated(formula.PAPER), rtol=1e-4, atol=1e-4)
    assert same == (abs(sum(a for a, _ in pairs) - 1) < 1e-9)  # what the page says about the two
