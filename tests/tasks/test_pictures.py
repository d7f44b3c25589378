"""Pictures: drawing and reading are inverse, exact and the same everywhere."""

from __future__ import annotations

import hashlib
import io
import random

import numpy as np
import pytest
from PIL import Image

from t2ui.tasks import pictures
from t2ui.tasks.pictures import (
    BACKGROUND,
    COLORS,
    DIGITS,
    KINDS,
    SHAPES,
    SIZE,
    describe,
    draw,
    enlarge,
    items_of,
    make_scene,
    pixels,
    read,
)


def _random_scene(rng: random.Random, most: int = 9) -> dict:
    cells = rng.sample(range(9), rng.randint(0, most))
    return make_scene([(cell, rng.choice(COLORS), rng.choice(KINDS)) for cell in cells])


@pytest.mark.parametrize("color", COLORS)
def test_every_object_is_read_back(color):
    for kind in KINDS:
        scene = make_scene([(4, color, kind)])
        assert read(draw(scene)) == scene


def test_random_scenes_are_read_back_also_from_a_png():
    rng = random.Random(5)
    for _ in range(100):
        scene = _random_scene(rng)
        file = io.BytesIO()
        draw(scene).save(file, "PNG")
        file.seek(0)
        assert read(draw(scene)) == scene
        assert read(Image.open(file)) == scene


def test_a_png_with_an_alpha_channel_is_read_too():
    scene = make_scene([(0, "red", "heart"), (8, "black", "7")])
    assert read(draw(scene).convert("RGBA")) == scene


def test_the_picture_is_48_by_48_rgb_and_pixels_are_the_same():
    scene = make_scene([(0, "red", "circle"), (5, "blue", "star")])
    image = draw(scene)
    assert image.size == (SIZE, SIZE) and image.mode == "RGB"
    assert pixels(scene).dtype == np.uint8
    np.testing.assert_array_equal(np.asarray(image), pixels(scene))


def test_a_blank_picture_is_the_empty_scene():
    blank = Image.new("RGB", (SIZE, SIZE), BACKGROUND)
    assert read(blank) == {"objects": []}
    assert draw({"objects": []}).tobytes() == blank.tobytes()


def test_one_changed_pixel_is_no_picture_of_ours():
    array = pixels(make_scene([(4, "green", "square")]))
    array[20, 20, 1] += 1
    assert read(Image.fromarray(array)) is None


@pytest.mark.parametrize("size", [(48, 47), (96, 96), (1, 1)])
def test_other_sizes_are_not_read(size):
    assert read(Image.new("RGB", size, BACKGROUND)) is None


def test_jpeg_is_not_read_as_something_else():
    scene = make_scene([(0, "red", "circle"), (4, "blue", "8")])
    file = io.BytesIO()
    draw(scene).save(file, "JPEG", quality=60)
    assert read(Image.open(file)) is None


def test_all_objects_look_clearly_different():
    cells = {(color, kind): pixels(make_scene([(0, color, kind)]))[:16, :16].astype(int)
             for color in ("red", "blue") for kind in KINDS}  # fmt: skip
    pairs = [(a, b) for a in cells for b in cells if a < b]
    for a, b in pairs:
        differing = (np.abs(cells[a] - cells[b]).max(axis=2) > 60).sum()
        assert differing >= 12, f"{a} and {b} differ in {differing} pixels only"


def test_colors_are_far_apart():
    for a in COLORS:
        for b in COLORS:
            if a < b:
                assert np.abs(np.subtract(pictures.RGB[a], pictures.RGB[b])).sum() >= 80, (a, b)


def test_shapes_stay_inside_their_cells():
    for kind in KINDS:
        cell = pixels(make_scene([(4, "black", kind)]))[16:32, 16:32]
        rim = np.concatenate([cell[0], cell[-1]])
        assert (rim == BACKGROUND).all(), kind


def test_shapes_have_mirror_symmetry():
    for kind in SHAPES:
        cell = pixels(make_scene([(4, "purple", kind)]))[16:32, 16:32]
        np.testing.assert_array_equal(cell, cell[:, ::-1], err_msg=kind)


def test_the_bytes_are_those_of_every_machine():
    """Whole numbers only: this digest must never change, or pictures saved before are not read any more."""
    sheet = b"".join(pixels(make_scene([(4, color, kind)])).tobytes() for color in COLORS for kind in KINDS)
    assert hashlib.sha256(sheet).hexdigest() == "b1d40e75fd76907a2a8b78c2f6e1837d790cac245ef42153ad20476fd820b0a9"


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ([(9, "red", "circle")], "0 to 8"),
        ([(True, "red", "circle")], "0 to 8"),
        ([(0, "pink", "circle")], "unknown color 'pink'"),
        ([(0, "red", "hexagon")], "unknown kind 'hexagon'"),
        ([(0, "red", "circle"), (0, "blue", "star")], "cell 0"),
        ([(0, "red")], "\\[cell, color, kind\\]"),
        (["abc"], "\\[cell, color, kind\\]"),
    ],
)
def test_a_scene_that_is_none_is_refused_with_a_reason(items, complaint):
    with pytest.raises(ValueError, match=complaint):
        make_scene(items)


@pytest.mark.parametrize(
    "scene", [None, 3, "x", [], {}, {"objects": 3}, {"objects": [3]}, {"objects": [[0, "red", []]]},
              {"objects": [[0, "red", "circle"], [0, "red", "circle"]]}, {"objects": [[0, ["red"], "circle"]]}]
)  # fmt: skip
def test_items_of_never_raises(scene):
    assert items_of(scene) is None


def test_scenes_have_one_canonical_order():
    a = make_scene([(5, "red", "star"), (1, "blue", "3")])
    assert a == make_scene([[1, "blue", "3"], [5, "red", "star"]])
    assert a["objects"] == [[1, "blue", "3"], [5, "red", "star"]]


def test_describe_goes_row_by_row():
    assert describe(make_scene([(8, "green", "7"), (0, "orange", "circle"), (2, "red", "star")])) == (
        "an orange circle, a red star and a green 7"
    )
    assert describe({"objects": []}) == "nothing"
    assert describe(make_scene([(3, "black", "cross")])) == "a black cross"


@pytest.mark.parametrize("smooth", [True, False])
def test_enlarged_pictures_show_the_same(smooth):
    scene = make_scene([(0, "red", "circle"), (4, "blue", "square"), (8, "yellow", "2")])
    large = enlarge(draw(scene), 288, smooth=smooth)
    assert large.size == (288, 288)
    small = np.asarray(large.resize((SIZE, SIZE), Image.Resampling.BOX)).astype(int)
    assert np.abs(small - pixels(scene)).max() <= 40
    if not smooth:
        np.testing.assert_array_equal(small, pixels(scene))


def test_any_other_picture_can_be_enlarged_too():
    assert enlarge(Image.new("L", (31, 20), 7), 96).size == (96, 96)
    with pytest.raises(ValueError, match="at least 48"):
        enlarge(Image.new("RGB", (48, 48)), 10)


def test_kinds_are_the_shapes_and_the_digits():
    assert KINDS == SHAPES + DIGITS and len(set(KINDS)) == 16
