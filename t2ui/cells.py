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


MAX_VALUES = 300_000  # numbers that leave the model at once: a file or a page has to carry them


def factors_of(loaded: Any, most: int = MAX_VALUES) -> list[dict[str, Any]]:
    """Per adapted matrix its singular values and every expert's z (in :func:`expert_names`' order), as plain numbers.

    Returns:
        ``layer``, ``module``, ``path``, ``shape``, ``step``, ``sigma``, ``z`` (a list per expert). A large model's are thinned:
        every ``step``-th singular value, so that all together stay below ``most`` numbers.
    """
    from t2ui.core import Mix
    from t2ui.core.spectra import module_name

    adapted, stack = loaded.adapted, loaded.stack
    vectors = [stack.z(Mix.single(name)) for name in expert_names(loaded)]
    whole = adapted.R * (1 + len(vectors))
    step = max(1, -(-whole // most))
    out = []
    for path in adapted.paths:
        part, module = adapted.slices[path], adapted.modules[path]
        out.append({
            "layer": adapted.layer_of[path], "module": module_name(path).removesuffix("_proj"), "path": path,
            "shape": [int(n) for n in module.weight.shape], "step": step,
            "sigma": [float(f"{s:.6g}") for s in module.sigma[::step].tolist()],
            "z": [[float(f"{v:.6g}") for v in z[part][::step].tolist()] for z in vectors],
        })  # fmt: skip
    return out
