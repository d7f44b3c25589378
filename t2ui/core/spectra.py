"""Columns behind the plots: spectra of a matrix, what a mix changes in every matrix, Gram matrices for previews.

Plain lists, dicts and floats only: the results go into JSON and to a browser as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.mixing import ExpertStack

__all__ = ["change", "gram", "grid", "spectrum"]


def _vector(adapted: Adapted, z: Mapping[str, Tensor] | Tensor | None) -> Tensor:
    """z as (R,) fp32; None = 1 everywhere."""
    if z is None:
        return torch.ones(adapted.R, device=adapted.device)
    return adapted.join(z) if isinstance(z, Mapping) else z.detach().to(adapted.device, torch.float32)


def module_name(path: str) -> str:
    """ "q_proj" of "model.layers.0.self_attn.q_proj"."""
    return path.rsplit(".", 1)[-1]


def spectrum(adapted: Adapted, path: str, z: Mapping[str, Tensor] | Tensor | None = None) -> dict:
    """The singular values of one matrix, before and after.

    Args:
        path: one of `adapted.paths`.
        z: path -> (r,), or (R,); None = the base.

    Returns:
        {"path", "layer", "module", "r", "index": [0..r-1], "sigma": [..], "sigma2": [sigma * z ..], "z": [..]}.

    Raises:
        ValueError: an unknown path.
    """
    if path not in adapted.slices:
        raise ValueError(f"unknown module {path!r}: expected one of {adapted.paths[0]!r} ... {adapted.paths[-1]!r}")
    part = _vector(adapted, z)[adapted.slices[path]]
    sigma = adapted.modules[path].sigma
    return {
        "path": path,
        "layer": adapted.layer_of[path],
        "module": module_name(path),
        "r": adapted.ranks[path],
        "index": list(range(adapted.ranks[path])),
        "sigma": sigma.tolist(),
        "sigma2": (sigma * part).tolist(),
        "z": part.tolist(),
    }


def change(adapted: Adapted, z: Mapping[str, Tensor] | Tensor | None = None) -> dict[str, list]:
    """What a z does to every matrix: columns of equal length, one entry per matrix in the order of `adapted.paths`.

    Columns: path, layer, module, r; norm = |W|_F and sigma_max; rms = root mean square of z - 1 and mean = its
    signed mean; dw = |W' - W|_F and dw_rel = dw / norm.
    """
    columns: dict[str, list] = {
        key: [] for key in ("path", "layer", "module", "r", "norm", "sigma_max", "rms", "mean", "dw", "dw_rel")
    }
    parts = adapted.split(_vector(adapted, z).double())
    for path, part in parts.items():
        delta, sigma = part - 1, adapted.modules[path].sigma.double()
        norm, dw = float(sigma.norm()), float((sigma * delta).norm())
        row = (
            path,
            adapted.layer_of[path],
            module_name(path),
            adapted.ranks[path],
            norm,
            float(sigma.max()),
            float(delta.square().mean().sqrt()),
            float(delta.mean()),
            dw,
            dw / norm if norm else 0.0,
        )
        for key, value in zip(columns, row, strict=True):
            columns[key].append(value)
    return columns


def grid(columns: Mapping[str, Sequence], value: str) -> dict:
    """One column of `change` as a table for a heatmap.

    Returns:
        {"layers": [..], "modules": [..], "values": rows by layer}, None where a layer has no such module.
    """
    layers = sorted(set(columns["layer"]))
    modules = list(dict.fromkeys(columns["module"]))
    held = dict(zip(zip(columns["layer"], columns["module"], strict=True), columns[value], strict=True))
    values = [[held.get((layer, module)) for module in modules] for layer in layers]
    return {"layers": layers, "modules": modules, "values": values}


def gram(stack: ExpertStack) -> dict[str, dict]:
    """K x K numbers per matrix with which a browser computes the change under any mix, exactly.

    With alphas a of that matrix' decoder layer: rms(z - 1) = sqrt(a'Ga / r), |dW|_F = sqrt(a'Ha), |W|_F = sqrt(norm2).

    Returns:
        path -> {"G": K x K, "H": K x K, "m": K (mean = a'm), "r": r, "norm2": |W|_F^2, "layer", "module"}.
    """
    adapted = stack.adapted
    result = {}
    for path, place in adapted.slices.items():
        delta, sigma = stack.delta[:, place].double(), adapted.modules[path].sigma.double()
        scaled = delta * sigma
        result[path] = {
            "G": (delta @ delta.T).tolist(),
            "H": (scaled @ scaled.T).tolist(),
            "m": delta.mean(dim=1).tolist(),
            "r": adapted.ranks[path],
            "norm2": float(sigma.square().sum()),
            "layer": adapted.layer_of[path],
            "module": module_name(path),
        }
    return result
