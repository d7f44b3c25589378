"""A recording is a real run: made by the engine, kept on disk, replayed to the same words."""

import json
from pathlib import Path

import pytest

from t2ui import recorded
from t2ui.engine import Engine

ROOT = Path(__file__).parents[2]
PROMPT = "Start with 12, double it, then take away 5. What do you get?"


@pytest.fixture(scope="module")
def path(tiny_llava, tmp_path_factory):
    file = tmp_path_factory.mktemp("recorded") / "run.json"
    file.write_text(json.dumps(recorded.record(tiny_llava, prompt=PROMPT), allow_nan=False), encoding="utf-8")
    return file


def test_it_says_how_it_was_made(path, tiny_llava):
    recording = recorded.load(path)
    assert recording.about["model"] == tiny_llava.info.name and recording.about["date"]
    assert recording.run.kind == "everybody" and recording.run.stage == "done"
    assert len(recording.cells) == len(tiny_llava.adapted.paths)


def test_replayed_it_says_the_same(path, tiny_llava):
    recording = recorded.load(path)
    with Engine(tiny_llava) as engine:
        engine.wait()
        again = recorded.replay(engine, recording)
    assert [(r.key, r.mix, r.text, r.right) for r in again.rows] == [
        (r.key, r.mix, r.text, r.right) for r in recording.run.rows
    ]


def test_a_telling_question_is_looked_for_and_not_invented(tiny_llava):
    with Engine(tiny_llava) as engine, pytest.raises(recorded.RecordingError, match="none of 2 math questions"):
        engine.wait()
        recorded.find(engine, "math", tries=2)  # a random model gets nothing right


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 99}', '{"format": 1, "run": {}}'])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(recorded.RecordingError, match="python -m t2ui record"):
        recorded.load(tmp_path / "run.json")


def test_a_missing_file_too(tmp_path):
    with pytest.raises(recorded.RecordingError, match="python -m t2ui record"):
        recorded.load(tmp_path / "none.json")


SHIPPED = ROOT / "assets" / "recorded" / "run.json"


@pytest.mark.skipif(not SHIPPED.exists(), reason="no recorded run is shipped yet")
def test_the_shipped_recording_replays():
    """What the page shows first is what the shipped model says."""
    recording = recorded.load(SHIPPED)
    with Engine(ROOT / "assets" / "demo-model", experts_dir=ROOT / "experts", device="cpu") as engine:
        engine.wait()
        again = recorded.replay(engine, recording)
    assert [(r.key, r.text, r.right) for r in again.rows] == [(r.key, r.text, r.right) for r in recording.run.rows]
    assert again.first_pass.choice == recording.run.first_pass.choice
