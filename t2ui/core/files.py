"""Files that are never half written: a reader sees the old content or the whole new one."""

from __future__ import annotations

import io
import os
import secrets
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
