"""The pictures of the demo model's world: a 3 x 3 grid of shapes and digits, drawn and read back.

A *scene* is plain data, ``{"objects": [[cell, color, kind], ...]}``: cells are numbered 0 to 8 row by
row from the top left, a kind is one of :data:`SHAPES` or one of :data:`DIGITS`. :func:`draw` makes a
picture of 48 x 48 pixels, :func:`read` is its exact inverse (also after saving as PNG).

Everything is drawn from outlines of our own in integer coordinates: no fonts (they differ between
machines) and no floating point, so a picture has the same bytes everywhere. Edges are smoothed by
counting sub-samples; the same outlines give a crisp large picture (:func:`enlarge`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from math import isqrt
from typing import Any

import numpy as np
from PIL import Image

Scene = dict[str, Any]
Item = tuple[int, str, str]

SHAPES = ("circle", "square", "triangle", "star", "cross", "heart")
DIGITS = tuple("0123456789")
RGB: dict[str, tuple[int, int, int]] = {
    "red": (219, 48, 52),
    "green": (43, 160, 76),
    "blue": (40, 104, 222),
    "yellow": (246, 205, 24),
    "purple": (139, 72, 196),
    "orange": (244, 128, 32),
    "black": (38, 38, 44),
}
COLORS = tuple(RGB)
BACKGROUND = (250, 248, 243)
CELL, GRID = 16, 3
SIZE = CELL * GRID

# -- outlines: integers, 160 units to the side of a cell (10 to a pixel), y downwards -----------

_UNIT = 160
_Points = Sequence[tuple[int, int]]
_POLYGONS: dict[str, _Points] = {
    "square": ((20, 20), (140, 20), (140, 140), (20, 140)),
    "triangle": ((80, 10), (152, 140), (8, 140)),
    "star": ((80, 8), (101, 57), (154, 62), (114, 97), (126, 149), (80, 122), (34, 149), (46, 97), (6, 62), (59, 57)),
    "cross": ((50, 10), (110, 10), (110, 50), (150, 50), (150, 110), (110, 110), (110, 150), (50, 150), (50, 110),
              (10, 110), (10, 50), (50, 50)),
    # The lower part of a heart; two discs make its upper part.
    "heart": ((17, 78), (46, 42), (114, 42), (143, 78), (80, 147)),
}
_DISCS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "circle": ((80, 80, 66),),
    "heart": ((46, 53, 38), (114, 53, 38)),
}
# A turn in 24 steps, cosine and sine in thousandths: clockwise on the screen, from the right.
_TURN = tuple(
    zip(
        (1000, 966, 866, 707, 500, 259, 0, -259, -500, -707, -866, -966,
         -1000, -966, -866, -707, -500, -259, 0, 259, 500, 707, 866, 966),
        (0, 259, 500, 707, 866, 966, 1000, 966, 866, 707, 500, 259,
         0, -259, -500, -707, -866, -966, -1000, -966, -866, -707, -500, -259),
        strict=True,
    )
)  # fmt: skip
_PEN = 13


def _arc(x: int, y: int, rx: int, ry: int, start: int, end: int) -> list[tuple[int, int]]:
    """Points of an ellipse from step ``start`` to step ``end`` of the turn (backwards if smaller)."""
    step = 1 if end >= start else -1
    turns = (_TURN[i % 24] for i in range(start, end + step, step))
    return [(x + rx * c // 1000, y + ry * s // 1000) for c, s in turns]


_STROKES: dict[str, tuple[_Points, ...]] = {
    "0": (_arc(80, 80, 36, 55, 0, 24),),
    "1": (((56, 46), (86, 25), (86, 135)), ((58, 135), (114, 135))),
    "2": (_arc(80, 57, 35, 32, 13, 27) + [(45, 135), (118, 135)],),
    "3": (_arc(76, 52, 33, 27, 14, 30), _arc(76, 107, 37, 28, 18, 34)),
    "4": (((96, 135), (96, 25), (40, 101), (122, 101)),),
    "5": ([(114, 25), (56, 25), (51, 73)] + _arc(77, 97, 38, 38, 15, 33),),
    "6": (_arc(80, 98, 37, 37, 0, 24), [(43, 98), (46, 73), (60, 45), (92, 25)]),
    "7": (((42, 25), (118, 25), (72, 135)),),
    "8": (_arc(80, 52, 31, 27, 0, 24), _arc(80, 107, 37, 28, 0, 24)),
    "9": (_arc(80, 62, 37, 37, 0, 24), [(117, 62), (114, 87), (100, 115), (68, 135)]),
}
KINDS = SHAPES + DIGITS


@lru_cache(maxsize=64)
def _inside(kind: str, samples: int) -> np.ndarray:
    """Which of ``samples`` x ``samples`` points of a cell lie in the outline: (samples, samples) bool.

    All comparisons are between integers: outlines are multiplied by ``2 * samples`` so that the
    points, which stand in the middles of the samples, are whole numbers too.
    """
    scale = 2 * samples
    axis = (2 * np.arange(samples, dtype=np.int64) + 1) * _UNIT
    x, y = axis[None, :], axis[:, None]
    out = np.zeros((samples, samples), dtype=bool)
    if kind in _POLYGONS:
        points = [(px * scale, py * scale) for px, py in _POLYGONS[kind]]
        odd = np.zeros_like(out)
        for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
            if y1 == y2:
                continue
            # Does a ray to the right cross this edge? Multiplied out by dy, whose sign turns the test.
            crosses, dy = (y1 > y) != (y2 > y), y2 - y1
            left_of = (x - x1) * dy < (x2 - x1) * (y - y1) if dy > 0 else (x - x1) * dy > (x2 - x1) * (y - y1)
            odd ^= crosses & left_of
        out |= odd
    for cx, cy, radius in _DISCS.get(kind, ()):
        out |= (x - cx * scale) ** 2 + (y - cy * scale) ** 2 <= (radius * scale) ** 2
    for stroke in _STROKES.get(kind, ()):
        for (x1, y1), (x2, y2) in zip(stroke, stroke[1:], strict=False):
            out |= _near_segment(x, y, (x1 * scale, y1 * scale), (x2 * scale, y2 * scale), _PEN * scale)
    return out


def _near_segment(
    x: np.ndarray, y: np.ndarray, a: tuple[int, int], b: tuple[int, int], reach: int
) -> np.ndarray:
    """Points within ``reach`` of the segment from ``a`` to ``b`` (round ends), in whole numbers."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length2 = dx * dx + dy * dy
    near = ((x - a[0]) ** 2 + (y - a[1]) ** 2 <= reach**2) | ((x - b[0]) ** 2 + (y - b[1]) ** 2 <= reach**2)
    if length2 == 0:
        return near
    along = (x - a[0]) * dx + (y - a[1]) * dy
    across = (x - a[0]) * dy - (y - a[1]) * dx
    # across^2 <= reach^2 * length^2 without squares that leave 64 bits: compare with the whole root.
    band = np.abs(across) <= reach * isqrt(length2)
    return near | (band & (along >= 0) & (along <= length2))


def _sprite(color: str, kind: str, side: int, smooth: int) -> np.ndarray:
    """One object on the background, (side, side, 3) uint8, edges in ``smooth`` x ``smooth`` steps."""
    inside = _inside(kind, side * smooth)
    covered = inside.reshape(side, smooth, side, smooth).sum(axis=(1, 3), dtype=np.int64)[:, :, None]
    whole = smooth * smooth
    ink, paper = np.array(RGB[color], dtype=np.int64), np.array(BACKGROUND, dtype=np.int64)
    return ((ink * covered + paper * (whole - covered) + whole // 2) // whole).astype(np.uint8)


@cache
def _sprites() -> dict[tuple[str, str], np.ndarray]:
    """The sprites of all colors and kinds at the picture's own size, made once (some milliseconds)."""
    return {(color, kind): _sprite(color, kind, CELL, 8) for color in COLORS for kind in KINDS}


@cache
def _by_bytes() -> dict[bytes, tuple[str, str] | None]:
    blank = np.empty((CELL, CELL, 3), dtype=np.uint8)
    blank[:] = BACKGROUND
    table: dict[bytes, tuple[str, str] | None] = {sprite.tobytes(): what for what, sprite in _sprites().items()}
    table[blank.tobytes()] = None
    return table


# -- scenes -------------------------------------------------------------------------------------


def make_scene(items: Sequence[Sequence[Any]]) -> Scene:
    """A scene from (cell, color, kind) triples, in its one canonical order (by cell).

    Raises:
        ValueError: a cell outside 0-8 or used twice, an unknown color or kind.
    """
    out: list[list[Any]] = []
    for item in items:
        if isinstance(item, str) or len(item) != 3:
            raise ValueError(f"an object is [cell, color, kind], got {item!r}")
        cell, color, kind = item
        if isinstance(cell, bool) or not isinstance(cell, int) or not 0 <= cell < GRID * GRID:
            raise ValueError(f"a cell is a whole number from 0 to {GRID * GRID - 1}, got {cell!r}")
        if color not in RGB:
            raise ValueError(f"unknown color {color!r}; colors are {', '.join(COLORS)}")
        if kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; kinds are {', '.join(SHAPES)} and the digits 0 to 9")
        out.append([cell, color, kind])
    out.sort(key=lambda item: item[0])
    for first, second in zip(out, out[1:], strict=False):
        if first[0] == second[0]:
            raise ValueError(f"two objects in cell {first[0]}; each needs a cell of its own")
    return {"objects": out}


def items_of(scene: Scene | None) -> list[Item] | None:
    """The objects of a scene row by row, or None where it is no scene: for readers that must not raise."""
    if not isinstance(scene, dict) or not isinstance(scene.get("objects"), (list, tuple)):
        return None
    try:
        return [tuple(item) for item in make_scene(scene["objects"])["objects"]]  # type: ignore[misc]
    except (TypeError, ValueError):
        return None


def name_of(color: str, kind: str) -> str:
    """An object in words with its article: "a red circle", "an orange 7"."""
    return f"{'an' if color[0] in 'aeiou' else 'a'} {color} {kind}"


def describe(scene: Scene, marks: Sequence[str] = ()) -> str:
    """The objects in words, row by row: "a red circle, a blue star and a green 7" ("nothing" if blank).

    ``marks``, where given, are one text for each object, put right behind its name.
    """
    names = [name_of(color, kind) for _, color, kind in make_scene(scene["objects"])["objects"]]
    names = [name + mark for name, mark in zip(names, marks, strict=True)] if marks else names
    if len(names) < 2:
        return names[0] if names else "nothing"
    return f"{', '.join(names[:-1])} and {names[-1]}"


# -- pictures -----------------------------------------------------------------------------------


def pixels(scene: Scene) -> np.ndarray:
    """The picture of a scene as a (48, 48, 3) uint8 array; some microseconds.

    Raises:
        ValueError: if the scene is not one (see :func:`make_scene`).
    """
    return _paint(scene, _sprites(), CELL)


def draw(scene: Scene) -> Image.Image:
    """The picture of a scene: 48 x 48 RGB, the same bytes on every machine."""
    return Image.fromarray(pixels(scene))


def read(image: Image.Image) -> Scene | None:
    """The scene of a picture that :func:`draw` made, or None for any other picture.

    Every one of the nine cells must be, to the last bit, one that can be drawn. JPEG changes bits,
    so a picture saved so is not read.
    """
    if image.size != (SIZE, SIZE):
        return None
    array = np.asarray(image.convert("RGB"))
    items = []
    for cell in range(GRID * GRID):
        row, column = divmod(cell, GRID)
        part = array[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
        key = part.tobytes()
        if key not in _by_bytes():
            return None
        if (found := _by_bytes()[key]) is not None:
            items.append([cell, *found])
    return {"objects": items}


def enlarge(image: Image.Image, size: int = 288, smooth: bool = True) -> Image.Image:
    """The picture for people, ``size`` x ``size`` pixels.

    Args:
        image: any picture; one of ours is drawn anew from its outlines, crisp at every size.
        size: side in pixels; for a picture of ours it is rounded down to a multiple of three.
        smooth: False shows the very pixels that the model is given, as squares.
    """
    if size < SIZE:
        raise ValueError(f"size must be at least {SIZE} pixels, got {size}")
    if not smooth:
        return image.convert("RGB").resize((size, size), Image.Resampling.NEAREST)
    scene = read(image)
    if scene is None:
        return image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    side = size // GRID
    sprites = {(color, kind): _large(color, kind, side) for _, color, kind in scene["objects"]}
    return Image.fromarray(_paint(scene, sprites, side))


@cache
def _large(color: str, kind: str, side: int) -> np.ndarray:
    return _sprite(color, kind, side, 4)


def _paint(scene: Scene, sprites: dict[tuple[str, str], np.ndarray], side: int) -> np.ndarray:
    out = np.empty((side * GRID, side * GRID, 3), dtype=np.uint8)
    out[:] = BACKGROUND
    for cell, color, kind in make_scene(scene["objects"])["objects"]:
        row, column = divmod(cell, GRID)
        out[row * side : (row + 1) * side, column * side : (column + 1) * side] = sprites[color, kind]
    return out
