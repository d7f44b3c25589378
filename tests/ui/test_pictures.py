"""Pictures from outside: opened with limits, refused with a reason."""

import pytest
from PIL import Image

from t2ui.tasks import pictures as scenes
from t2ui.ui import pictures
from t2ui.ui.text import Text

T = Text()
SCENE = {"objects": [[0, "red", "circle"], [4, "blue", "star"]]}


def test_a_built_in_picture_comes_back_exactly(tmp_path):
    scenes.draw(SCENE).save(tmp_path / "a.png")
    assert scenes.read(pictures.open_picture(tmp_path / "a.png", T)) == SCENE
    assert pictures.open_picture(None, T) is None


def test_transparent_parts_become_white(tmp_path):
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert pictures.open_picture(tmp_path / "a.png", T).getpixel((1, 1)) == (255, 255, 255)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_a_broken_file_is_refused(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(pictures.PictureError, match="not a picture"):
        pictures.open_picture(tmp_path / "a.png", T)


def test_a_cut_off_file_is_refused(tmp_path):
    Image.effect_noise((64, 64), 90).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(pictures.PictureError):
        pictures.open_picture(tmp_path / "a.png", T)


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (5000, 4000)).save(tmp_path / "a.png")
    with pytest.raises(pictures.PictureError, match="5000 x 4000"):
        pictures.open_picture(tmp_path / "a.png", T)


def test_a_huge_file_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    scenes.draw(SCENE).save(tmp_path / "a.png")
    with pytest.raises(pictures.PictureError, match="MB"):
        pictures.open_picture(tmp_path / "a.png", T)


def test_only_uploads_are_looked_at(tmp_path):
    inside, outside = tmp_path / "uploads", tmp_path / "secret"
    inside.mkdir(), outside.mkdir()
    for folder in (inside, outside):
        scenes.draw(SCENE).save(folder / "a.png")
    assert pictures.check_upload({"path": str(inside / "a.png")}, inside, T) == ""
    assert pictures.check_upload({"path": str(outside / "a.png")}, inside, T) == T("picture.broken")
    assert pictures.check_upload({"path": str(inside / ".." / "secret" / "a.png")}, inside, T) == T("picture.broken")
    assert pictures.check_upload(None, inside, T) == T("picture.broken")
