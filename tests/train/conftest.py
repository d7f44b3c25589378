"""A demo model of the smallest size, made by the real pretraining code in a few steps."""

from dataclasses import replace

import pytest

from t2ui.train.architecture import Shape
from t2ui.train.packing import Packing
from t2ui.train.pretrain import PRESETS, pretrain


@pytest.fixture(scope="session")
def tiny_preset():
    return replace(PRESETS["smoke"], shape=Shape(hidden=32, layers=2, heads=2, kv_heads=1, vision_hidden=16,
                                                  vision_layers=1, vision_heads=1),
                   packing=Packing(rows=4, documents=10, pictures=6), steps=4, checkpoint_every=2,
                   tokenizer_documents=1200)  # fmt: skip


@pytest.fixture(scope="session")
def smoke(tmp_path_factory, tiny_preset):
    folder = tmp_path_factory.mktemp("smoke") / "demo"
    reports = list(pretrain(folder, tiny_preset, seed=3, report_every=1, validate_every=4))
    return folder, reports


@pytest.fixture
def loaded(smoke, tmp_path):
    from t2ui.engine.model import load

    return load(smoke[0], experts_dir=tmp_path / "experts", cache_dir=tmp_path / "cache")
