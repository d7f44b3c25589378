"""What was measured of the shipped model, for the page: whom dispatch confuses, and whether it matters.

Reads what ``python -m t2ui report`` left; nothing here computes anything of its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[1] / "assets" / "results" / "eval.json"
SIMPLE = ("all", "half", "uniform")


@dataclass(frozen=True)
class Measured:
    """Tables in Markdown, and the figures of the sentence above them (shares; ``best`` is the best mix without
    dispatch, ``which`` its name: all, half or uniform)."""

    mixed: str
    classifier: str
    dispatched: float
    right: float
    base: float
    best: float
    which: str
    n: int

    @property
    def gain(self) -> float:
        """What choosing an expert gains over the best mix that is the same for every question."""
        return self.dispatched - self.best


def read(path: Path = FILE) -> Measured | None:
    """None where nothing was measured (or the file cannot be read)."""
    from t2ui.train import tables_adapt

    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        cells = results["mixed"]
        which = max(SIMPLE, key=lambda name: cells[name]["accuracy"])
        dispatched = cells.get("classifier", cells["prompt"])
        return Measured(_body(tables_adapt.mixed(results)), _body(tables_adapt.classifier(results)), dispatched["accuracy"],
                        cells["right"]["accuracy"], cells["base"]["accuracy"], cells[which]["accuracy"], which,
                        cells["right"]["n"])  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _body(table: str) -> str:
    """Without its heading: the page has its own."""
    return table.split("\n", 1)[1].strip() if table.startswith("#") else table
