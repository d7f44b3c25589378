"""What is known about each expert, as plain data: from its file, its card (README.md) and its recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.repocard import metadata_load

from t2ui.core.adapters import LoRAExpert

from .model import Loaded

MAX_CARD = 2**20  # bytes of a card that are read
MAX_TAGS, MAX_TAG = 12, 32  # of one card; characters of one


@dataclass(frozen=True)
class Card:
    """One expert.

    Attributes:
        kind: ``SVF`` or ``LoRA``. numbers: how many it holds. rank: a LoRA's largest, else None.
        task: what it was trained on; "" where nobody says. objective: how.
        tags: of its card's front matter.
        before, after, n: share of right answers of the base and with it, on so many validation examples; None: not measured.
        mean: mean of |z - 1|; None where not told.
        uploaded: it came over the page.
        warnings: what its user should know.
    """

    name: str
    kind: str
    numbers: int
    rank: int | None = None
    task: str = ""
    objective: str = ""
    tags: tuple[str, ...] = ()
    before: float | None = None
    after: float | None = None
    n: int | None = None
    mean: float | None = None
    uploaded: bool = False
    warnings: tuple[str, ...] = ()


def cards_of(loaded: Loaded, names: Sequence[str]) -> list[Card]:
    """A card for each of these experts; a card or recipe that cannot be read leaves its lines empty."""
    registry = loaded.registry
    if registry is None:
        return []
    return [card_of(registry.experts[name], registry.place(name), registry.warnings.get(name, ())) for name in names
            if name in registry.experts]  # fmt: skip


def card_of(expert: Any, folder: Path | None, warnings: Sequence[Any] = ()) -> Card:
    """What is known about one expert in its folder."""
    meta = dict(expert.meta)
    lora = isinstance(expert, LoRAExpert)
    recipe = _json(folder / "recipe.json") if folder is not None else {}
    metrics = meta.get("metrics") if isinstance(meta.get("metrics"), dict) else recipe.get("metrics")
    told = metrics if isinstance(metrics, dict) else {}
    return Card(
        expert.name,
        "LoRA" if lora else "SVF",
        expert.numbers if lora else sum(z.numel() for z in expert.z.values()),
        expert.rank if lora else None,
        str(meta.get("task") or ""),
        expert.objective,
        _tags(folder),
        *(_share(told.get(key)) for key in ("validation_base", "validation_best")),
        int(n) if isinstance(n := told.get("validation_n"), int) else None,
        float(m) if isinstance(m := told.get("mean_abs_z_minus_1"), int | float) else None,
        "uploaded" in recipe,
        tuple(str(warning) for warning in warnings),
    )


def _share(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes()) if file.stat().st_size <= MAX_CARD else {}
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _tags(folder: Path | None) -> tuple[str, ...]:
    try:
        file = None if folder is None else folder / "README.md"
        front = metadata_load(file) if file is not None and file.stat().st_size <= MAX_CARD else None
        tags = front.get("tags") if front else None
    except Exception:  # noqa: BLE001 - a stranger's YAML: whatever is wrong with it, there are no tags
        return ()
    held = [tags] if isinstance(tags, str) else tags if isinstance(tags, list) else []
    return tuple(dict.fromkeys(str(tag)[:MAX_TAG] for tag in held if isinstance(tag, str | int)))[:MAX_TAGS]


__all__ = ["Card", "card_of", "cards_of"]
