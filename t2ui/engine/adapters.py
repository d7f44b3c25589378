"""LoRA adapters on their way in: checked on the model first, then copied into the experts' folder, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2ui.core.adapted import Adapted
from t2ui.core.adapters import CONFIG, WEIGHTS, LoRAExpert, load_adapter
from t2ui.core.experts import Finding, refusals
from t2ui.core.files import folder_atomic, free_disk, refuse_existing
from t2ui.core.lowrank import Change
from t2ui.core.spectra import projection

from .errors import ExportError
from .hub import fetched_adapter, is_name

RECIPE, CARD, THEIR_CARD = "recipe.json", "README.md", "README-adapter.md"
_MARGIN = 64 * 2**20  # bytes that stay free beside what is written


@dataclass(frozen=True)
class Imported:
    """What :func:`import_adapter` did.

    Attributes:
        expert: as it was read. folder: where it is now.
        warnings: what its user should know.
        rescales: share of |dW|^2 that an SVF expert could do too (see :func:`t2ui.core.projection`).
        facts: what recipe.json holds.
    """

    expert: LoRAExpert
    folder: Path
    warnings: tuple[Finding, ...]
    rescales: float
    facts: Mapping[str, Any]


def import_adapter(adapted: Adapted, source: str | Path, name: str, experts: str | Path, *, force: bool = False,
                   made_by: Mapping[str, Any] | None = None) -> Imported:  # fmt: skip
    """Copy an adapter into the experts' folder, so that it stands beside the SVF experts.

    Args:
        source: its folder, or its name on the Hub (owner/adapter).
        name: of the expert, and of its folder in ``experts``.
        force: an adapter that was imported under that name may be replaced.

    Raises:
        ExpertError: it cannot be used on this model, see :func:`t2ui.core.load_adapter` and ``LoRAExpert.check``. ModelError:
            no such folder, the Hub cannot be reached or does not know it. ExportError: a folder in the way, too little room.
    """
    target = Path(experts) / name
    _refuse_existing(target, force)
    folder = fetched_adapter(source)
    expert = load_adapter(folder, name)
    findings = expert.check(adapted)
    refusals(findings, f"adapter {name!r}")
    size = sum((folder / file).stat().st_size for file in (CONFIG, WEIGHTS))
    if free_disk(target) < size + _MARGIN:
        raise ExportError(f"{target} would take {size / 2**20:,.0f} MiB, which are not free there: make room")
    _, kept, share = projection(adapted, Change(adapted.join({}), expert.parts))
    data = (folder / WEIGHTS).read_bytes()
    facts = {
        "imported": {"from": str(source) if is_name(source) else folder.name, "kind": "PEFT LoRA", "rank": expert.rank,
                     "targets": expert.targets, "numbers": expert.numbers, "matrices": len(expert.parts),
                     "names_base": expert.base_id, "sha256": hashlib.sha256(data).hexdigest(), "rescales": share,
                     "rescales_by_matrix": kept, "warnings": [str(f) for f in findings]},
        "base": adapted.base_id, "fingerprint": adapted.fingerprint, "made_by": dict(made_by or {}),
    }  # fmt: skip
    try:
        with folder_atomic(target, force, is_imported) as draft:
            (draft / WEIGHTS).write_bytes(data)
            shutil.copyfile(folder / CONFIG, draft / CONFIG)
            for file in sorted(folder.glob("LICENSE*")):
                if file.is_file():
                    shutil.copyfile(file, draft / file.name)
            if (folder / CARD).is_file():
                shutil.copyfile(folder / CARD, draft / THEIR_CARD)
            (draft / RECIPE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
            (draft / CARD).write_text(card(expert, facts, (draft / THEIR_CARD).is_file()), encoding="utf-8")
            load_adapter(draft, name)  # what lies there now is what is used from here on
    except FileExistsError as error:
        raise ExportError(str(error)) from None
    except OSError as error:
        raise ExportError(f"{target} could not be written ({error}): nothing of it was kept") from error
    return Imported(expert, target, tuple(findings), share, facts)


def is_imported(folder: Path) -> bool:
    """Whether :func:`import_adapter` made this folder."""
    try:
        return json.loads((folder / RECIPE).read_text(encoding="utf-8"))["imported"]["kind"] == "PEFT LoRA"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _refuse_existing(target: Path, force: bool) -> None:
    try:
        refuse_existing(target, force, is_imported)
    except FileExistsError as error:
        raise ExportError(str(error)) from None


def card(expert: LoRAExpert, facts: Mapping[str, Any], theirs: bool) -> str:
    """Markdown from what recipe.json holds."""
    about = facts["imported"]
    named = f"`{about['names_base']}`" if about["names_base"] else "no base"
    rows = [
        ("from", f"`{about['from']}`" + f", whose own card is {THEIR_CARD}" * theirs),
        ("what", expert.objective), ("matrices, numbers", f"{about['matrices']}, {about['numbers']:,}"),
        ("names as its base", f"{named}; read on `{facts['base']}` (fingerprint `{facts['fingerprint'][:12]}`)"),
        ("in the base's singular basis", f"{100 * about['rescales']:.1f} % of |dW|^2 rescales singular values, "
                                         f"{100 - 100 * about['rescales']:.1f} % rotates them"),
        ("SHA-256 of the weights", f"`{about['sha256']}`"),
    ]  # fmt: skip
    lines = ["---", "library_name: peft", f"base_model: {about['names_base'] or facts['base']}", "tags: [lora, t2ui, expert]", "---",
             f"# {expert.name}", "", "A LoRA adapter, used by t2ui as an expert beside SVF experts. peft reads the folder as it is.",
             "", "| | |", "|---|---|", *(f"| {key} | {value.replace('|dW|', 'dW')} |" for key, value in rows)]  # fmt: skip
    lines += ["", *(f"Note: {warning}" for warning in about["warnings"])]
    return "\n".join([*lines, f"Not measured here: `python -m t2ui eval --mix {expert.name} --task ...` does.", ""])


__all__ = ["Imported", "import_adapter", "is_imported"]
