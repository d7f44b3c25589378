"""The storyline's data: every step has its sentence, every engine step a recorded picture; nothing of another model is shown."""

from types import SimpleNamespace

from t2ui.storyline import load_story
from t2ui.ui import present
from t2ui.ui.text import Text

T = Text()
NAMES = load_story(present.RECORDED).names


def told(names=NAMES, **options):
    return present.payload(SimpleNamespace(names=tuple(names)), T, 5.0, False, **options)


def test_every_step_can_be_shown():
    story = told()
    assert [step["moment"] for step in story["steps"]] == sorted(step["moment"] for step in story["steps"])
    assert {step["moment"] for step in story["steps"]} == {0, 1, 2, 3, 4, 5}
    for step in story["steps"]:
        assert 0 < len(step["sentence"]) < 100 and "{" not in step["sentence"]
        if step["do"] and step["key"] != "link":
            assert step["done"] and len(story["pictures"][step["recorded"]]) > 100, step["key"]
    assert any(act[2] == "math + code" for step in story["steps"] for act in step["do"] if act[0] == "choose")


def test_another_models_story_has_no_recorded_pictures(tmp_path):
    assert told((*NAMES, "chess"))["pictures"] == {} and told((*NAMES, "chess"))["steps"]
    assert told(("chess", "go"))["steps"] == []
    assert told(path=tmp_path / "none.json")["pictures"] == {}
