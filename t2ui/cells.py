"""What the page needs to know of a loaded model, as plain data: the experts' order, and the Gram matrices."""

from __future__ import annotations

from typing import Any


def expert_names(loaded: Any) -> tuple[str, ...]:
    """The usable experts in the order in which the first pass names them: the same everywhere on the page."""
    from t2ui.engine.dispatch import labels_of

    usable = list(loaded.stack.names)
    asked = [name for name in labels_of(loaded) if name in usable]
    return (*asked, *[name for name in usable if name not in asked])


def cells_of(loaded: Any) -> list[dict[str, Any]]:
    """Gram matrices of every adapted matrix, experts in :func:`expert_names`' order: plain numbers for plots and
    browser."""
    from t2ui.core import spectra

    at = [loaded.stack.names.index(name) for name in expert_names(loaded)]
    return [
        {
            "layer": cell["layer"],
            "module": cell["module"].removesuffix("_proj"),
            "r": cell["r"],
            "norm2": float(f"{cell['norm2']:.6g}"),
            "G": _short(cell["G"], at),
            "H": _short(cell["H"], at),
        }
        for cell in spectra.gram(loaded.stack).values()
    ]


def _short(matrix: list[list[float]], at: list[int]) -> list[list[float]]:
    """Rows and columns ``at``, to six digits: more than a colour needs, and half the bytes."""
    return [[float(f"{matrix[i][j]:.6g}") for j in at] for i in at]
