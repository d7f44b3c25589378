"""Pictures that visitors bring: opened with limits, refused with a reason. And the built-in ones."""

from __future__ import annotations

import base64
import binascii
import io
import re
import warnings
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from t2ui.ui.text import Text

MAX_BYTES = 10 * 2**20
MAX_PIXELS = 16_000_000
_DATA = re.compile(r"data:image/(?:png|jpeg|webp|bmp);base64,", re.ASCII)


class PictureError(ValueError):
    """A picture cannot be used; the text says why and what to do."""


def picture_input(**props: Any) -> gr.Image:
    """An image input whose value is the uploaded file itself: :func:`open_picture` reads it."""
    return gr.Image(format="png", type="filepath", image_mode=None, sources=["upload", "clipboard"], **props)


def check_upload(payload: Any, folder: str | Path, t: Text) -> str:
    """Why an uploaded picture cannot be used, or "" if it can.

    Args:
        payload: what the browser says it uploaded (not yet looked at by gradio).
        folder: where uploads lie; nothing else is opened.
    """
    path = uploaded(payload, folder)
    if path is None:
        return t("picture.broken")
    try:
        open_picture(path, t)
    except PictureError as error:
        return str(error)
    return ""


def uploaded(payload: Any, folder: str | Path) -> Path | None:
    """The file behind what the browser says is in a picture's place; None for nothing, and for files that are no uploads."""
    path = Path(str((payload or {}).get("path") or ""))
    return path if path.name and path.resolve().is_relative_to(Path(folder).resolve()) else None


def open_picture(path: str | Path | None, t: Text) -> Image.Image | None:
    """The picture as RGB (transparent parts on white), or None for no picture.

    Raises:
        PictureError: not a picture, broken, or too large.
    """
    if not path:
        return None
    try:
        size = Path(path).stat().st_size
    except OSError as error:
        raise PictureError(t("picture.broken")) from error
    return _read(path, size, t)


def from_data(data: Any, t: Text) -> Image.Image | None:
    """The picture inside a ``data:`` URI, or None for nothing. Never a path or an address.

    Raises:
        PictureError: anything else, a broken or too large picture.
    """
    if data is None or data == "":
        return None
    found = _DATA.match(data) if isinstance(data, str) else None
    if found is None:
        raise PictureError(t("picture.data"))
    try:
        raw = base64.b64decode(data[found.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError(t("picture.data")) from error
    return _read(io.BytesIO(raw), len(raw), t)


def _read(file: Any, size: int, t: Text) -> Image.Image:
    try:
        if size > MAX_BYTES:
            raise PictureError(t("picture.bytes", found=f"{size / 2**20:.0f}", limit=MAX_BYTES // 2**20))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is below and lower
            image = Image.open(file)
            if image.width * image.height > MAX_PIXELS:
                raise PictureError(t("picture.pixels", w=image.width, h=image.height, limit=MAX_PIXELS // 1_000_000))
            image.load()
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(t("picture.pixels", w="?", h="?", limit=MAX_PIXELS // 1_000_000)) from error
    except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises on broken files, by format
        raise PictureError(t("picture.broken")) from error
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def data_uri(image: Image.Image) -> str:
    """The picture as a PNG inside a URL."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
