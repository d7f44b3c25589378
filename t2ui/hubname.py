"""Whether a ``--model`` is a path or a name of the Hugging Face Hub; by itself, since it is asked before anything slow is imported."""

from __future__ import annotations

import re
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_name(path: str | Path) -> bool:
    """A name is of the form ``owner/model``, there is no such folder, and its first part is no folder either."""
    text = str(path)
    if isinstance(path, Path) or Path(text).expanduser().exists() or not _NAME.fullmatch(text):
        return False
    return not Path(text.split("/")[0]).exists()
