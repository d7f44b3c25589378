"""Fixtures: a tiny random Llama, plain and adapted."""

import pytest
from torch import nn

from t2ui.core import Adapted, attach

from .models import make_llama


@pytest.fixture
def llama() -> nn.Module:
    return make_llama()


@pytest.fixture
def adapted(llama) -> Adapted:
    return attach(llama, base_id="tiny")
