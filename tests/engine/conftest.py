"""An engine over the tiny model whose rows end by length only."""

import pytest

from t2ui.engine import Engine


@pytest.fixture(scope="module")
def endless(tiny_llava):
    """The tiny model without a terminator: its rows end by length only."""
    before, tiny_llava.eos = tiny_llava.eos, (10**9,)
    yield tiny_llava
    tiny_llava.eos = before


@pytest.fixture
def engine(endless):
    with Engine(endless) as running:
        running.wait(10)
        yield running
