"""What the page needs to know of a loaded model, as plain data: the experts' order, and the Gram matrices."""

from __future__ import annotations

from typing import Any


def expert_names(loaded: Any) -> tuple[str, ...]:
    """The usable experts in the order in which the first pass names them: the same everywhere on the page. One that came later
    (:meth:`Loaded.admit`) stands at the end, whatever its name: sliders know their experts by place."""
    from t2ui.engine.dispatch import labels_of

    usable = list(loaded.stack.names)
    early = [name for name in usable if name not in loaded.admitted]
    asked = [name for name in labels_of(loaded) if name in early]
    late = [name for name in loaded.admitted if name in usable]
    return (*asked, *[name for name in early if name not in asked], *late)


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
        ``layer``, ``module``, ``path``, ``shape``, ``step``, ``sigma``, ``z`` (a list per expert; 1 for a LoRA, which no z stands
        for). A large model's are thinned: every ``step``-th singular value, so that all together stay below ``most`` numbers.
    """
    from t2ui.core import Mix
    from t2ui.core.spectra import module_name

    adapted, stack = loaded.adapted, loaded.stack
    alone = [Mix.single(name) for name in expert_names(loaded)]
    vectors = [stack.z(Mix.base() if stack.lora(mix) else mix) for mix in alone]
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
def bands_of(loaded: Any) -> list[dict[str, Any]]:
    """:func:`cells_of` by bands of ranks, for the Spectra tab: per matrix also its ``path`` and sums ``m`` of z - 1."""
    from t2ui.core import gram_bands

    at = [loaded.stack.names.index(name) for name in expert_names(loaded)]
    return [
        {
            "path": path, "layer": cell["layer"], "module": cell["module"].removesuffix("_proj"), "r": cell["r"],
            "norm2": float(f"{cell['norm2']:.6g}"), "G": [_short(g, at) for g in cell["G"]], "H": [_short(h, at) for h in cell["H"]],
            "m": [[float(f"{m[j]:.6g}") for j in at] for m in cell["m"]], "X": cell["X"] and _short(cell["X"], at),
        }
        for path, cell in gram_bands(loaded.stack).items()
    ]  # fmt: skip


def matrix_of(loaded: Any, path: str) -> dict[str, Any]:
    """One matrix for the browser (``t2ui.core.moved``), experts in :func:`expert_names`' order, numbers to six digits.

    Raises:
        ValueError: an unknown path.
    """
    from t2ui.core import moved

    held = moved(loaded.stack, path)
    at = [loaded.stack.names.index(name) for name in expert_names(loaded)]
    digits = {"sigma": [float(f"{s:.6g}") for s in held["sigma"]], "delta": [[float(f"{d:.6g}") for d in held["delta"][k]] for k in at],
              "X": held["X"] and _short(held["X"], at)}  # fmt: skip
    return {**held, **digits}


def ranks_of(most: int) -> list[int]:
    """Ranks of a LoRA worth looking at: 1 to 4, then a half step and a doubling each, up to the largest rank there is."""
    found, k = [1, 2, 3, 4], 4
    while k < most:
        found += [k * 3 // 2, k * 2]
        k *= 2
    return [k for k in found if k < most] + [most]
