"""Pictures: what is read, what is refused before it costs memory, and the cache of their features."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from t2ui.engine import RequestError
from t2ui.engine.vision import MAX_FILE_BYTES, FeatureCache, open_picture


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_the_same_pixels_have_the_same_key_however_they_come(tmp_path):
    image = Image.new("RGB", (10, 12), (200, 10, 10))
    image.putpixel((3, 4), (0, 0, 255))
    (tmp_path / "a.png").write_bytes(png(image))
    sources = (image, png(image), tmp_path / "a.png", str(tmp_path / "a.png"), np.array(image))
    keys = {open_picture(source).key for source in sources}
    assert len(keys) == 1
    other = image.copy()
    other.putpixel((0, 0), (0, 0, 0))
    assert open_picture(other).key not in keys


def test_shape_is_part_of_the_key():
    assert open_picture(Image.new("RGB", (4, 6))).key != open_picture(Image.new("RGB", (6, 4))).key


def test_transparent_parts_become_white_and_grey_becomes_rgb():
    assert open_picture(Image.new("RGBA", (3, 3), (0, 0, 0, 0))).image.getpixel((1, 1)) == (255, 255, 255)
    assert open_picture(Image.new("L", (3, 3), 7)).image.getpixel((1, 1)) == (7, 7, 7)


def test_rotation_tags_are_obeyed():
    image = Image.new("RGB", (4, 8))
    exif = image.getexif()
    exif[0x0112] = 6
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    assert open_picture(out.getvalue()).image.size == (8, 4)


@pytest.mark.parametrize(
    "source, words",
    [
        (b"this is no picture", "cannot be read"),
        (b"", "cannot be read"),
        (png(Image.effect_noise((64, 64), 50))[:500], "cannot be read"),
        (b"x" * (MAX_FILE_BYTES + 1), "bytes"),
        (Image.new("1", (8000, 6000)), "8,000 x 6,000"),
        (Image.new("RGB", (1, 500)), "crop it"),
        ("no/such/file.png", "no picture at"),
        (17, "got int"),
        (np.zeros((2, 2, 2, 2), dtype=np.uint8), "cannot be read"),
    ],
    ids=["text", "empty", "cut", "long", "huge", "narrow", "nowhere", "number", "array"],
)
def test_what_is_refused(source, words):
    with pytest.raises(RequestError, match=words):
        open_picture(source)


def test_a_small_file_that_claims_a_huge_picture_is_refused_unread():
    bomb = bytearray(png(Image.new("1", (8, 8))))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2  # width and height in the header
    import zlib

    bomb[29:33] = zlib.crc32(bytes(bomb[12:29])).to_bytes(4, "big")
    with pytest.raises(RequestError, match="make it smaller"):
        open_picture(bytes(bomb))


def test_the_cache_forgets_the_least_recently_used():
    cache = FeatureCache(max_bytes=8 * 4)
    for key in "ab":
        cache.put(key, torch.zeros(4))
    assert cache.get("a") is not None  # now b is the oldest
    cache.put("c", torch.zeros(4))
    assert cache.get("b") is None and cache.get("a") is not None and cache.get("c") is not None
    assert len(cache) == 2 and cache.bytes == 32
