"""What a visitor enters becomes a question, or a sentence that says what to change."""

import pytest
from PIL import Image

from t2ui.ui.composer import MAX_PROMPT, InputError, read_question
from t2ui.ui.tabs.mix import preset_values
from t2ui.ui.text import Text

T = Text()


def test_a_question(tmp_path):
    Image.new("RGB", (48, 48)).save(tmp_path / "a.png")
    question = read_question(T, "How many?", str(tmp_path / "a.png"), 0.5, 32, 7)
    assert (question.prompt, question.temperature, question.max_new_tokens, question.seed) == ("How many?", 0.5, 32, 7)
    assert question.image.size == (48, 48)
    assert read_question(T, "How many?", None, 0, 96, 0).image is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (("", None, 0, 96, 0), "type one"),
        (("  \n", None, 0, 96, 0), "type one"),
        ((None, None, 0, 96, 0), "type one"),
        (("x" * (MAX_PROMPT + 1), None, 0, 96, 0), "Shorten"),
        (("ok", "/no/such/file.png", 0, 96, 0), "not a picture"),
        (("ok", None, 0, 96, -1), "seed"),
        (("ok", None, 0, 96, 10**30), "seed"),
        (("ok", None, 0, 96, None), "seed"),
    ],
)
def test_what_cannot_be_asked_is_said(values, words):
    with pytest.raises(InputError, match=words):
        read_question(T, *values)


def test_presets():
    names = ("math", "code", "vision")
    assert preset_values("base", names) == [0, 0, 0]
    assert preset_values("expert:code", names) == [0, 1, 0]
    assert preset_values("all", names) == [1, 1, 1]
    assert preset_values("uniform", names) == [0.33] * 3
    for wrong in ("expert:nobody", "", "None"):
        with pytest.raises(ValueError, match="unknown preset"):
            preset_values(wrong, names)
