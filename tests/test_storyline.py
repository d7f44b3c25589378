"""The recorded moments are what the shipped model says, and a file that is none is refused with what to do."""

import json
from pathlib import Path

import pytest

from t2ui.recorded import RecordingError, finish
from t2ui.runs import Question
from t2ui.storyline import ASK, WRONG, load_story, record_story, sweep_alphas

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "assets" / "recorded" / "story.json"


def test_the_shipped_story_is_telling_and_replays():
    from t2ui.core import Mix
    from t2ui.engine import Engine

    story = load_story(SHIPPED)
    assert story.ask.row("base").right is False and story.ask.row("dispatch").right is True
    assert story.overrule.row("overrule").right is False and story.mix.row("mix").right is True
    assert story.alphas == sweep_alphas(story.names) and len(story.sweep.scores) == 25 and story.search.mix
    with Engine(ROOT / "assets" / "demo-model", experts_dir=ROOT / "experts", device="cpu") as engine:
        engine.wait()
        question = Question(story.prompt, max_new_tokens=64)
        asked = finish(engine, "ask", question)
        mixed = finish(engine, "mix", question, mix=Mix.single(WRONG))
    assert [(r.key, r.text) for r in asked.rows] == [(r.key, r.text) for r in story.ask.rows]
    assert mixed.row("mix").text == story.overrule.row("overrule").text


def test_a_model_without_the_experts_is_told(tiny_lm):
    with pytest.raises(RecordingError, match=f"needs the experts {ASK} and {WRONG}"):
        record_story(tiny_lm)


@pytest.mark.parametrize("damage", [lambda d: {}, lambda d: {**d, "format": 9}, lambda d: {**d, "ask": {"rows": 1}}, lambda d: {**d, "names": 3}])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path, damage):
    (tmp_path / "story.json").write_text(json.dumps(damage(json.loads(SHIPPED.read_text()))))
    with pytest.raises(RecordingError, match="python -m t2ui record"):
        load_story(tmp_path / "story.json")
