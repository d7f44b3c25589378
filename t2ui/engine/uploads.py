"""Experts that a visitor uploads: the files are looked through, checked on the model, and take their place beside the others.

What may come: an SVF expert's ``expert.safetensors`` (alone or with its ``README.md`` and ``recipe.json``), a PEFT LoRA's
``adapter_config.json`` and ``adapter_model.safetensors``, or a .zip of either. Only files of those names are read; nothing is
unpickled, and no path inside a .zip is ever used as one. An expert is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import struct
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from t2ui.core.adapters import CONFIG, PICKLE, WEIGHTS, LoRAExpert
from t2ui.core.experts import FILE_NAME, NAME, Expert, Finding, load_expert, refusals
from t2ui.core.files import folder_atomic, free_disk

from .adapters import CARD, RECIPE, import_adapter
from .errors import EngineError, ExportError, ModelError
from .model import Loaded

KNOWN = (FILE_NAME, CONFIG, WEIGHTS, CARD, RECIPE)
MAX_BYTES = 2 * 2**30  # of all files together: a LoRA of high rank on a large model
MAX_TEXT = 2**20  # of README.md, recipe.json and adapter_config.json
_MARGIN = 64 * 2**20


class UploadError(EngineError, ValueError):
    """Files that hold no expert, or not one; the text says what was found, what is wanted and what to do."""


@dataclass(frozen=True)
class Arrived:
    """An expert that was taken in: ``expert`` as it is used, ``folder`` where it lies, ``warnings`` for its user."""

    expert: Expert | LoRAExpert
    folder: Path
    warnings: tuple[Finding, ...]


def take_in(loaded: Loaded, place: Path, name: str = "", called: str = "") -> Arrived:
    """In the model's thread: check gathered files as an expert of this model, write them into the experts' folder, use them.

    Args:
        place: a folder that :func:`gather` filled; nothing in it is needed afterwards.
        name: of the expert, as its user typed it; "": an SVF expert's own, a LoRA's ``called``.
        called: what :func:`gather` returned.

    Raises:
        UploadError: a name that cannot be one, or none; a dispatcher. ExpertError: it cannot be used on this model, or under this
            name. ExportError: no room on the disk. ModelError: no folder of experts. Nothing has changed then.
    """
    if loaded.registry is None:
        raise ModelError("this model was loaded without a folder of experts: start the page with --experts FOLDER")
    name = name.strip()
    if name and not NAME.fullmatch(name):
        raise UploadError(f"a name is a letter, then up to 63 letters, digits, '_', '-', '.'; got {name[:80]!r}")
    arrived = _svf(loaded, place, name) if (place / FILE_NAME).is_file() else _lora(loaded, place, name or called)
    try:
        loaded.admit(arrived.folder)
    except BaseException:
        shutil.rmtree(arrived.folder, ignore_errors=True)
        raise
    return arrived


def gather(files: Sequence[Path], place: Path) -> str:
    """Copy what belongs to an expert into a folder, under the names that it has there; in any thread.

    Args:
        files: as they were uploaded, under the names that they had.
        place: an empty folder.

    Returns:
        what the whole may be called: the name of the folder in the .zip, or the .zip's own; "" without one.

    Raises:
        UploadError: no expert in the files, or several; too big; damaged.
    """
    if not files:
        raise UploadError(f"no file came: give {FILE_NAME}, or {CONFIG} and {WEIGHTS}, or a .zip of either")
    called, room = "", MAX_BYTES
    for file in files:
        if file.suffix.lower() == ".zip":
            called = _unzip(file, place, room) or called
        else:
            _put(_kind(file), file.read_bytes() if file.stat().st_size <= room else b"", place)
            if file.stat().st_size > room:
                raise UploadError(_too_big())
        room = MAX_BYTES - sum(each.stat().st_size for each in place.iterdir())
    found = sorted(each.name for each in place.iterdir())
    if FILE_NAME in found and WEIGHTS in found:
        raise UploadError(f"found {FILE_NAME} and {WEIGHTS}: those are two experts; upload one after the other")
    if FILE_NAME not in found and not {CONFIG, WEIGHTS} <= set(found):
        raise UploadError(f"found {', '.join(found) or 'none of its files'}; an SVF expert is {FILE_NAME}, a LoRA is {CONFIG} and "
                          f"{WEIGHTS} (choose both files together): give these, or a .zip of them")  # fmt: skip
    return called


def _unzip(file: Path, place: Path, room: int) -> str:
    """The known files of an archive, from one folder in it; returns the folder's name, else the archive's."""
    try:
        with zipfile.ZipFile(file) as archive:
            inside = [info for info in archive.infolist() if not info.is_dir() and PurePosixPath(info.filename).name in KNOWN
                      and not PurePosixPath(info.filename).name.startswith(".") and "__MACOSX" not in info.filename]  # fmt: skip
            folders = {str(PurePosixPath(info.filename).parent) for info in inside}
            if len(folders) > 1:
                raise UploadError(f"{file.name} holds experts in {len(folders)} folders: upload them one by one")
            if any(PurePosixPath(info.filename).name == PICKLE for info in archive.infolist()) and not inside:
                raise UploadError(_pickled(PICKLE))
            for info in inside:
                if info.file_size > room or info.flag_bits & 1:
                    raise UploadError(_too_big() if info.file_size > room else f"{file.name} is locked with a password: unlock it")
                room -= info.file_size  # zipfile never gives more bytes than that, whatever the archive says elsewhere
                _put(PurePosixPath(info.filename).name, archive.read(info), place)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UploadError(f"{file.name} cannot be opened as a .zip ({error}): pack it again") from error
    inner = PurePosixPath(next(iter(folders), "."))
    return _clean(inner.name or file.stem)


def _kind(file: Path) -> str:
    """Under which name a single file belongs to an expert: by its own, else by what is in it."""
    if file.name in KNOWN:
        return file.name
    if file.name == PICKLE or file.suffix.lower() in (".bin", ".pt", ".pth", ".ckpt", ".pkl"):
        raise UploadError(_pickled(file.name))
    if file.suffix.lower() == ".safetensors":  # a browser renames a second download: "expert (1).safetensors"
        return FILE_NAME if "t2ui" in _header(file) else WEIGHTS
    if file.suffix.lower() == ".json" and file.stat().st_size <= MAX_TEXT:
        try:
            return CONFIG if "peft_type" in json.loads(file.read_bytes()) else RECIPE
        except (ValueError, TypeError, RecursionError):
            raise UploadError(f"{file.name} is no JSON: save it again") from None
    if file.suffix.lower() == ".md":
        return CARD
    raise UploadError(f"{file.name} does not belong to an expert: give {', '.join(KNOWN)} or a .zip of them")


def _header(file: Path) -> Mapping[str, Any]:
    """The metadata in a safetensors file's header; {} where it cannot be read (whoever loads it says why)."""
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            return json.loads(opened.read(min(length, 16 * 2**20))).get("__metadata__") or {}
    except (OSError, ValueError, AttributeError, RecursionError, struct.error):
        return {}


def _put(name: str, data: bytes, place: Path) -> None:
    if name in (CARD, RECIPE, CONFIG) and len(data) > MAX_TEXT:
        raise UploadError(f"{name} has {len(data) / 2**20:.1f} MB; at most {MAX_TEXT // 2**20} is read: shorten it, or leave it out")
    if (place / name).exists():
        raise UploadError(f"found {name} twice: upload one expert after the other")
    (place / name).write_bytes(data)


def _too_big() -> str:
    return f"the files have more than {MAX_BYTES // 2**30} GB: import the expert with `python -m t2ui import` instead"


def _pickled(name: str) -> str:
    return (f"{name} is a pickle, and pickles are never opened here: save the adapter with safetensors (PEFT does by default); "
            "checkpoints of the paper's code come in by `python -m t2ui import`")  # fmt: skip


def _clean(text: str) -> str:
    """A name that an expert can have, made of a file's; "" where nothing is left."""
    return re.sub(r"^[^A-Za-z]+", "", re.sub(r"[^A-Za-z0-9_.-]+", "-", text)).strip("-.")[:64]


def _svf(loaded: Loaded, place: Path, name: str) -> Arrived:
    """An SVF expert's files into a folder of their own."""
    data = (place / FILE_NAME).read_bytes()
    expert = load_expert(place / FILE_NAME)
    if expert.role != "skill":
        raise UploadError(f"{expert.name!r} is a {expert.role}: it would choose for every visitor; put its folder beside the others "
                          "and start the page again")  # fmt: skip
    expert = replace(expert, name=name or expert.name)
    findings = [*expert.check(loaded.adapted), *_taken(loaded, expert.name)]
    refusals(findings, f"expert {expert.name!r}")
    target = _target(loaded, expert.name, len(data))
    recipe = _recipe(place / RECIPE, data)
    card = (place / CARD).read_text(encoding="utf-8", errors="replace") if (place / CARD).is_file() else _card(expert)
    try:
        with folder_atomic(target) as draft:
            expert.save(draft)
            (draft / RECIPE).write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
            (draft / CARD).write_text(card, encoding="utf-8")
    except OSError as error:
        raise ExportError(f"{expert.name} could not be written into the experts' folder ({error}): nothing of it was kept") from error
    return Arrived(expert, target, tuple(findings))


def _lora(loaded: Loaded, place: Path, name: str) -> Arrived:
    """A LoRA's files, as ``python -m t2ui import`` takes them."""
    if not name:
        raise UploadError("these files do not say what the LoRA is called: type a name for it, then upload them again")
    refusals(_taken(loaded, name), f"adapter {name!r}")
    source = place / name  # import_adapter notes the folder's name as where it came from
    source.mkdir()
    for file in (CONFIG, WEIGHTS, CARD):
        if (place / file).is_file():
            shutil.move(place / file, source / file)
    done = import_adapter(loaded.adapted, source, name, loaded.registry.folder)
    recipe = json.loads((done.folder / RECIPE).read_text(encoding="utf-8"))
    (done.folder / RECIPE).write_text(json.dumps({**recipe, "uploaded": _when()}, indent=1) + "\n", encoding="utf-8")
    return Arrived(done.expert, done.folder, done.warnings)


def _taken(loaded: Loaded, name: str) -> list[Finding]:
    registry = loaded.registry
    used = name in registry.experts or name in registry.dispatchers or (registry.folder / name).exists()
    return [Finding("refuse", "a name in use", repr(name), "a name of its own", "Type another name for it.")] if used else []


def _target(loaded: Loaded, name: str, size: int) -> Path:
    target = loaded.registry.folder / name
    if free_disk(target) < size + _MARGIN:
        raise ExportError(f"{size / 2**20:,.0f} MB for {name} are not free on the server's disk: make room")
    return target


def _recipe(file: Path, data: bytes) -> dict[str, Any]:
    try:
        theirs = json.loads(file.read_bytes()) if file.is_file() else {}
    except (ValueError, RecursionError):
        theirs = {}  # for people only: an expert is not refused for it
    return {**(theirs if isinstance(theirs, dict) else {}), "uploaded": {**_when(), "sha256": hashlib.sha256(data).hexdigest()}}


def _when() -> dict[str, str]:
    return {"when": time.strftime("%Y-%m-%d", time.gmtime())}


def _card(expert: Expert) -> str:
    numbers = sum(z.numel() for z in expert.z.values())
    return (f"---\nlibrary_name: t2ui\nbase_model: {expert.base_id}\ntags: [svf, transformer-squared, expert]\n---\n# {expert.name}\n\n"
            f"An SVF expert of {numbers:,} numbers that was uploaded on the page; it brought no card of its own.\n")  # fmt: skip


__all__ = ["Arrived", "UploadError", "gather", "take_in"]
