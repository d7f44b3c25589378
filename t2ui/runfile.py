"""A run as a file: the state of the page, the picture and depth profile included, what was answered, and how it was made.

Uploads and long things do not fit into an address; this file holds them. Anybody may have written one: :func:`read` checks the
kind and size of every value before anything of it is used, and says in words what is wrong with a bad one.
"""

from __future__ import annotations

import base64
import io
import json
import math
import time
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

from PIL import Image

from t2ui.runs import KINDS, STAGES, Run

FORMAT, KIND = 1, "t2ui run"
MAX_BYTES = 11_000_000  # of the file: below what a page takes as an upload
MAX_TEXT, MAX_ITEMS, MAX_NAME = 200_000, 5_000, 100
MAX_PROMPT = 20_000
PNG_BYTES = 6_000_000  # a larger picture is kept as JPEG
TABS = ("ask", "talk", "mix", "search", "spectra")


class RunFileError(ValueError):
    """A file cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Setup:
    """What stands on the page.

    Attributes:
        alphas: the sliders, by expert.
        depth: early, middle and late share by expert; experts that are 1 everywhere are left out.
        picture: as a ``data:`` URI, or None.
        picture_name: a built-in picture's name, or None.
        picture_exact: False where the picture was too large to be kept as it is: answers may differ.
        tab: which tab was open.
    """

    prompt: str = ""
    strategy: str = "prompt"
    soft: bool = False
    temperature: float = 0.0
    max_new_tokens: int = 96
    seed: int = 0
    alphas: Mapping[str, float] = field(default_factory=dict)
    depth: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    picture: str | None = None
    picture_name: str | None = None
    picture_exact: bool = True
    tab: str = "ask"


@dataclass(frozen=True)
class RunFile:
    """Attributes: setup; run: what was answered, or None; about: ``date``, ``model``, ``device``, ``dtype``, ``recorded``, ..."""

    setup: Setup
    run: Run | None = None
    about: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        run = self.run.to_json() if self.run is not None else None
        return {"kind": KIND, "format": FORMAT, "about": dict(self.about), "setup": asdict(self.setup), "run": run}

    def dump(self) -> bytes:
        return (json.dumps(self.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def about(info: Any, experts: Sequence[str], **more: str) -> dict[str, str]:
    """How a run was made, for people: date, model, where it computed."""
    from t2ui import __version__

    made = {"date": time.strftime("%Y-%m-%d %H:%M"), "t2ui": __version__, "experts": ", ".join(experts)}
    if info is not None:
        made |= {"model": info.name, "device": info.device, "dtype": info.dtype}
    return {**made, **more}


def pack_picture(image: Image.Image | None) -> tuple[str | None, bool]:
    """A picture as a ``data:`` URI, and whether it is exactly the same; what a camera wrote beside the pixels stays behind."""
    if image is None:
        return None, True
    clean = image.convert("RGB")
    for kind, options in (("png", {}), ("jpeg", {"quality": 92})):
        held = io.BytesIO()
        clean.save(held, kind.upper(), **options)
        if kind == "jpeg" or held.tell() <= PNG_BYTES:
            break
    return f"data:image/{kind};base64," + base64.b64encode(held.getvalue()).decode("ascii"), kind == "png"


def read(data: bytes) -> RunFile:
    """The run in a file.

    Raises:
        RunFileError: too large, no JSON, not a run file of this version, a value of the wrong kind or out of bounds.
    """
    if len(data) > MAX_BYTES:
        raise RunFileError(f"it has {len(data) / 1e6:.0f} MB, and run files have at most {MAX_BYTES // 1_000_000} MB")
    try:
        held = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RunFileError("it is no JSON text: take a file that “Save run” wrote") from error
    if not isinstance(held, dict) or held.get("kind") != KIND:
        raise RunFileError("it is JSON, but not a run of this page: take a file that “Save run” wrote")
    if held.get("format") != FORMAT:
        raise RunFileError(f"it is a run file of format {_short(held.get('format'))}, and this version reads format {FORMAT}")
    setup = build(Setup, held.get("setup"), "setup")
    run = None if held.get("run") is None else build(Run, held["run"], "run")
    told = _fit(held.get("about") or {}, Mapping[str, str], "about")
    _check_setup(setup)
    if run is not None:
        _check_run(run)
    return RunFile(setup, run, told)


def _check_setup(setup: Setup) -> None:
    numbers = {"temperature": (0, 2), "max_new_tokens": (8, 256), "seed": (0, 2**31 - 1)}
    for name, (low, high) in numbers.items():
        _between(getattr(setup, name), low, high, f"setup.{name}")
    for name, alpha in setup.alphas.items():
        _between(alpha, -1, 2, f"setup.alphas.{_short(name)}")
    for name, points in setup.depth.items():
        if len(points) != 3:
            raise RunFileError(f"setup.depth.{_short(name)} must hold three numbers, found {len(points)}")
        for value in points:
            _between(value, 0, 1, f"setup.depth.{_short(name)}")
    if setup.tab not in TABS:
        raise RunFileError(f"setup.tab must be one of {', '.join(TABS)}, found {_short(setup.tab)}")
    if len(setup.prompt) > MAX_PROMPT:
        raise RunFileError(f"setup.prompt has {len(setup.prompt):,} characters, at most {MAX_PROMPT:,} are read")


def _check_run(run: Run) -> None:
    if run.kind not in KINDS or run.stage not in STAGES or not run.over:
        raise RunFileError(f"run must be of a known kind and over, found {_short(run.kind)}, {_short(run.stage)}")
    for i, row in enumerate(run.rows):
        if row.reason not in ("stop", "length", "cancelled", "error", None):
            raise RunFileError(f"run.rows[{i}].reason cannot be {_short(row.reason)}")
    if run.picture:
        try:
            small = Image.open(io.BytesIO(base64.b64decode(run.picture, validate=True)))
            if small.format != "PNG" or max(small.size) > 512:
                raise ValueError("not one of ours")
        except Exception as error:  # Pillow raises many kinds on broken pictures
            raise RunFileError("run.picture must be a small PNG in base64") from error


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _between(value: float, low: float, high: float, where: str) -> None:
    if not low <= value <= high:
        raise RunFileError(f"{where} must be from {low} to {high}, found {value:g}")


def build(kind: type, data: Any, where: str) -> Any:
    """A frozen dataclass from JSON: no unknown field, every value of its declared kind; missing ones keep their defaults.

    Raises:
        RunFileError: names the place and what was found there.
    """
    if not isinstance(data, dict):
        raise RunFileError(f"{where} must be an object, found {_short(data)}")
    known = {f.name for f in fields(kind)}
    if unknown := [key for key in data if key not in known]:
        raise RunFileError(f"{where} holds {_short(unknown[0])}, which this version does not know")
    hints = typing.get_type_hints(kind)
    try:
        return kind(**{key: _fit(value, hints[key], f"{where}.{key}") for key, value in data.items()})
    except TypeError as error:  # a field without default is missing
        raise RunFileError(f"{where} is not complete") from error


def _fit(value: Any, hint: Any, where: str) -> Any:
    """The value as its declared kind, or a RunFileError that names the place."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _fit(value, next(a for a in args if a is not type(None)), where)
    if is_dataclass(hint):
        return build(hint, value, where)
    if origin is tuple and isinstance(value, list) and len(value) <= MAX_ITEMS:
        kinds = args[:1] * len(value) if args[-1] is Ellipsis else args
        if len(kinds) != len(value):
            raise RunFileError(f"{where} must hold {len(kinds)} values, found {len(value)}")
        return tuple(_fit(each, kind, f"{where}[{i}]") for i, (each, kind) in enumerate(zip(value, kinds, strict=True)))
    if origin is not None and issubclass(origin, Mapping) and isinstance(value, dict) and len(value) <= MAX_ITEMS:
        if any(len(key) > MAX_NAME for key in value):
            raise RunFileError(f"{where} holds a name of more than {MAX_NAME} characters")
        return {key: _fit(each, args[1], f"{where}.{_short(key)}") for key, each in value.items()}
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    if hint is float and (whole or (isinstance(value, float) and math.isfinite(value))):
        return float(value)
    if hint is int and whole:
        return value
    if hint is bool and isinstance(value, bool):
        return value
    if hint is str and isinstance(value, str) and len(value) <= (MAX_BYTES if where == "setup.picture" else MAX_TEXT):
        return value
    raise RunFileError(f"{where} must be {_words(hint)}, found {_short(value)}")


def _words(hint: Any) -> str:
    plain = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    return plain.get(hint, "a list" if typing.get_origin(hint) is tuple else "an object")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)[:80]
    clean = "".join(c if c.isprintable() else "·" for c in text)
    return f"“{clean if len(clean) <= 40 else clean[:39] + '…'}”"
