"""Files and folders that are never half written: a reader sees the old content or the whole new one."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch


def write_atomic(path: Path | str, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the whole new one: temporary file, then `os.replace`.

    The folder is made if missing. Raises OSError as the file system does.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_atomic(path: Path | str, value: Any) -> None:
    """`torch.save` by way of :func:`write_atomic`."""
    held = io.BytesIO()
    torch.save(value, held)
    write_atomic(path, held.getvalue())


def free_disk(path: Path | str) -> int:
    """Bytes free on the disk where ``path`` is or would be."""
    place = Path(path).absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


def refuse_existing(path: Path | str, force: bool, ours: Callable[[Path], bool]) -> None:
    """Raise FileExistsError unless a folder may be made at ``path``.

    Args:
        force: a folder that is there already may be replaced.
        ours: whether this program made the folder: with ``force`` no other folder is ever deleted (an empty one may go).
    """
    path = Path(path)
    if not (path.exists() or path.is_symlink()):
        return
    if not path.is_dir() or path.is_symlink():
        raise FileExistsError(f"{path} is there already and is not a folder: give another name")
    if not force:
        raise FileExistsError(f"{path} is there already: give another folder, or --force to replace it")
    if any(path.iterdir()) and not ours(path):
        raise FileExistsError(f"{path} was not written by this command, so --force does not delete it: give another folder, or "
                              "remove that one yourself")  # fmt: skip


@contextmanager
def folder_atomic(path: Path | str, force: bool = False, ours: Callable[[Path], bool] = lambda folder: False) -> Iterator[Path]:
    """Fill a folder that appears under its name only when it is complete: a temporary folder beside it, then a rename.

    Leaving the block by an exception leaves nothing behind, and an older folder of that name as it was.

    Args: as :func:`refuse_existing`.

    Raises:
        FileExistsError: as :func:`refuse_existing`. OSError: as the file system does.
    """
    path = Path(path).absolute()
    refuse_existing(path, force, ours)
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}"
    temporary, old = path.with_name(f"{stem}.tmp"), path.with_name(f"{stem}.old.tmp")
    temporary.mkdir()
    try:
        yield temporary
        mode = temporary.stat().st_mode & 0o666  # safetensors makes its files for their owner only; a server is another user
        for file in sorted(temporary.rglob("*")):
            if file.is_file():
                file.chmod(mode)
                with open(file, "rb") as opened:
                    os.fsync(opened.fileno())
        refuse_existing(path, force, ours)  # it may have come in the meantime
        if path.exists():
            os.rename(path, old)
        try:
            os.rename(temporary, path)
        except OSError:
            if old.exists():
                os.rename(old, path)
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
