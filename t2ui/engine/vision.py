"""Pictures at the engine's door: open them, refuse what is broken or huge, and name them by their pixels."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import RequestError

MAX_FILE_BYTES = 32 * 2**20
MAX_PIXELS = 40_000_000
# An image processor resizes the *shorter* edge to its size: a 1 x 5,000 strip would grow to gigabytes first.
MAX_ASPECT = 20
_FORMATS = "PNG, JPEG, WebP, GIF or BMP"


@dataclass(frozen=True)
class Picture:
    """An RGB picture and its name: equal pixels have equal keys."""

    key: str
    image: Image.Image


def open_picture(source: Any) -> Picture:
    """Read a picture from a ``PIL.Image.Image``, a path, encoded bytes or a uint8 array (height, width, 3).

    Transparent parts become white, rotation tags are obeyed, of an animation the first frame is taken.

    Raises:
        RequestError: it is not a picture, is broken, or has too many bytes or pixels or is too narrow.
    """
    if isinstance(source, Picture):
        return source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = _open(source)
            _check_size(image.size)  # before load(): this is what keeps a small file from filling the memory
            image.load()
            image = _to_rgb(ImageOps.exif_transpose(image))
    except RequestError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RequestError(f"the picture is too large (at most {MAX_PIXELS:,} pixels): make it smaller") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, EOFError) as error:
        raise RequestError(f"the picture cannot be read ({error}): give a whole {_FORMATS} file") from error
    digest = hashlib.sha256(f"{image.width}x{image.height}|".encode() + image.tobytes()).hexdigest()
    return Picture(digest[:32], image)


def _open(source: Any) -> Image.Image:
    if isinstance(source, Image.Image):
        return source
    if isinstance(source, (bytes, bytearray, memoryview)):
        _check_bytes(len(source))
        return Image.open(io.BytesIO(bytes(source)))
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if not path.is_file():
            raise RequestError(f"no picture at {path}: check the path")
        _check_bytes(path.stat().st_size)
        return Image.open(io.BytesIO(path.read_bytes()))
    if hasattr(source, "__array_interface__"):
        return Image.fromarray(source)
    raise RequestError(f"a picture must be an image, a path or encoded bytes, got {type(source).__name__}")


def _check_bytes(n: int) -> None:
    if n > MAX_FILE_BYTES:
        raise RequestError(f"the picture's file has {n:,} bytes; at most {MAX_FILE_BYTES:,} are read: make it smaller")


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if min(size) < 1:
        raise RequestError(f"the picture is {width} x {height} pixels: it is empty")
    if width * height > MAX_PIXELS:
        raise RequestError(
            f"the picture is {width:,} x {height:,} pixels; at most {MAX_PIXELS:,} in all are read: make it smaller"
        )
    if max(size) > MAX_ASPECT * min(size):
        raise RequestError(f"the picture is {width} x {height}: one side may be {MAX_ASPECT} times the other; crop it")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


class FeatureCache:
    """Projected picture features by key, least recently used first out.

    The vision tower and the projector are never adapted, so the features do not depend on the mix and are computed
    once per picture (design.md section 4).
    """

    def __init__(self, max_bytes: int = 128 * 2**20) -> None:
        self.max_bytes, self.bytes = max_bytes, 0
        self._items: OrderedDict[str, torch.Tensor] = OrderedDict()

    def __len__(self) -> int:
        return len(self._items)

    def get(self, key: str) -> torch.Tensor | None:
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def put(self, key: str, features: torch.Tensor) -> None:
        if key in self._items:
            return
        self._items[key] = features
        self.bytes += features.nelement() * features.element_size()
        while self.bytes > self.max_bytes and len(self._items) > 1:
            _, old = self._items.popitem(last=False)
            self.bytes -= old.nelement() * old.element_size()
