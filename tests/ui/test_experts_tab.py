"""What the list of experts is drawn from: facts of the cards, escaped; and who may upload."""

import asyncio
import json
from pathlib import Path

import pytest
import torch

from t2ui.core import Expert
from t2ui.engine import Engine, EngineError, load
from t2ui.ui.backend import Backend, Options
from t2ui.ui.serve import wants_uploads
from t2ui.ui.tabs import experts
from t2ui.ui.text import Text

T = Text()
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def backend(tiny_lm_dir, tiny_lm, tiny_llava, tmp_path):
    folder = tmp_path / "experts"
    z = torch.full((tiny_lm.adapted.R,), 1.1)
    metrics = {"validation_base": 0.309, "validation_best": 0.965, "validation_n": 256, "mean_abs_z_minus_1": 0.0408}
    Expert.from_z(tiny_lm.adapted, "math", z, objective="REINFORCE", meta={"task": "math", "metrics": metrics}).save(folder / "math")
    Expert.from_z(tiny_lm.adapted, "sly", z, objective=EVIL, meta={"task": EVIL, "metrics": {"validation_base": EVIL}}).save(folder / "sly")
    (folder / "sly" / "README.md").write_text(f"---\ntags: ['{EVIL}', svf, {'x' * 100}]\n---\n")
    Expert.from_z(tiny_llava.adapted, "foreign", torch.full((tiny_llava.adapted.R,), 1.1)).save(folder / "foreign")
    engine = Engine(load(tiny_lm_dir, device="cpu", experts_dir=folder))
    engine.wait(60)
    backend = Backend(Options(experts=str(folder)), engine=engine)
    backend.start()
    backend._thread.join(60)
    yield backend
    backend.close()


def test_it_tells_what_is_known_and_nothing_more(backend):
    told = experts.payload(backend, T)
    json.dumps(told, allow_nan=False)
    by_name = {item["name"]: item for item in told["experts"]}
    assert [item["slot"] for item in told["experts"]] == [0, 1] and [item["name"] for item in told["experts"]] == list(backend.names)
    math = by_name["math"]["told"]
    for words in ("Trained on math", "31 % right without it, 96 % with it, on 256 validation examples", "mean |z − 1| 0.041"):
        assert words in math, words
    assert "right without it" not in by_name["sly"]["told"] and "<img" not in by_name["sly"]["told"]
    assert by_name["sly"]["tags"][0] == "SVF" and "svf" not in by_name["sly"]["tags"] and all(len(tag) <= 100 for tag in by_name["sly"]["tags"])
    assert [entry["name"] for entry in told["refused"]] == ["foreign"] and not told["many"] and told["ready"]


def test_before_the_model_is_there_the_names_are_listed(tmp_path, tiny_lm):
    for i in range(12):
        Expert.from_z(tiny_lm.adapted, f"e{i:02}", torch.full((tiny_lm.adapted.R,), 1.1)).save(tmp_path / f"e{i:02}")
    told = experts.payload(Backend(Options(experts=str(tmp_path))), T)
    assert len(told["experts"]) == 12 and told["many"] and not told["ready"] and not any(item["told"] for item in told["experts"])


@pytest.mark.parametrize("asked, host, may", [
    (None, "127.0.0.1", True), (None, "localhost", True), (None, "0.0.0.0", False), (None, "192.168.0.7", False), (None, "::", False),
    (True, "0.0.0.0", True), (False, "127.0.0.1", False),
])  # fmt: skip
def test_who_may_upload(asked, host, may):
    assert wants_uploads(asked, host) is may


def test_an_upload_for_which_no_slider_is_left_is_refused_and_nothing_stays(backend):
    backend.slots = len(backend.names)
    file, before = Path(backend.options.experts) / "math" / "expert.safetensors", sorted(Path(backend.options.experts).iterdir())
    with pytest.raises(EngineError, match="no slider left"):
        asyncio.run(experts.take(backend, [file], "third", T))
    assert sorted(Path(backend.options.experts).iterdir()) == before
