"""Columns behind the plots: spectra of a matrix, what a mix changes in every matrix, Gram matrices for previews.

Plain lists, dicts and floats only: the results go into JSON and to a browser as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.mixing import ExpertStack

__all__ = ["bands", "change", "cosines", "gram", "gram_bands", "grid", "kept_by_lora", "moved", "spectrum", "summary"]

BANDS = 4  # parts of a matrix' ranks, from the largest singular values to the smallest


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


def band_edges(r: int, count: int = BANDS) -> list[int]:
    """Where ``count`` equal bands of r ranks begin and end: count + 1 numbers from 0 to r."""
    return [round(i * r / count) for i in range(count + 1)]


def gram_bands(stack: ExpertStack, count: int = BANDS) -> dict[str, dict]:
    """:func:`gram` by bands of ranks, from the largest singular values to the smallest.

    Returns:
        path -> {"G", "H": count lists of K x K, "m": count lists of K (sums of z - 1, not means), "r": ranks in each band,
        "norm2": |W|_F^2 of all ranks, "layer", "module"}; the sums over the bands are those of the whole matrix.
    """
    adapted, result = stack.adapted, {}
    for path, place in adapted.slices.items():
        delta, sigma = stack.delta[:, place].double(), adapted.modules[path].sigma.double()
        edges = band_edges(adapted.ranks[path], count)
        parts = [(delta[:, a:b], delta[:, a:b] * sigma[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
        result[path] = {
            "G": [(d @ d.T).tolist() for d, _ in parts],
            "H": [(s @ s.T).tolist() for _, s in parts],
            "m": [d.sum(dim=1).tolist() for d, _ in parts],
            "r": [b - a for a, b in zip(edges, edges[1:], strict=False)],
            "norm2": float(sigma.square().sum()),
            "layer": adapted.layer_of[path],
            "module": module_name(path),
        }
    return result


def moved(stack: ExpertStack, path: str) -> dict:
    """Everything with which a browser draws one matrix under any mix: z = 1 + sum_k alpha_k delta_k.

    Returns:
        {"path", "layer", "module", "out", "in", "r", "sigma": r numbers, "delta": K lists of r (z_k - 1)}.

    Raises:
        ValueError: an unknown path.
    """
    adapted = stack.adapted
    place = adapted.place(path, 0)
    module, r = adapted.modules[path], adapted.ranks[path]
    out, into = module.weight.shape
    return {
        "path": path, "layer": adapted.layer_of[path], "module": module_name(path), "out": int(out), "in": int(into), "r": r,
        "sigma": module.sigma.tolist(), "delta": stack.delta[:, place : place + r].tolist(),
    }  # fmt: skip


def summary(columns: Mapping[str, Sequence], by: str = "layer") -> dict[str, list]:
    """Columns of :func:`change` gathered by ``layer`` or by ``module``.

    rms and mean of z - 1 are over all ranks of a group together, dw_rel is |dW|_F / |W|_F of the group as one long matrix.

    Raises:
        ValueError: another ``by``.
    """
    if by not in ("layer", "module"):
        raise ValueError(f"by must be layer or module, got {by!r}")
    groups: dict[object, list[int]] = {}
    for i, key in enumerate(columns[by]):
        groups.setdefault(key, []).append(i)
    out: dict[str, list] = {key: [] for key in (by, "r", "rms", "mean", "dw", "dw_rel")}
    for key, rows in groups.items():
        r = sum(columns["r"][i] for i in rows)
        dw = math.sqrt(sum(columns["dw"][i] ** 2 for i in rows))
        norm = math.sqrt(sum(columns["norm"][i] ** 2 for i in rows))
        squares = sum(columns["rms"][i] ** 2 * columns["r"][i] for i in rows)
        signed = sum(columns["mean"][i] * columns["r"][i] for i in rows)
        for name, value in zip(out, (key, r, math.sqrt(squares / r), signed / r, dw, dw / norm if norm else 0.0), strict=True):
            out[name].append(value)
    return out


def bands(adapted: Adapted, z: Mapping[str, Tensor] | Tensor | None = None, count: int = BANDS) -> dict[str, list]:
    """Where in the spectrum the change sits: the share of |dW|_F^2 in each of ``count`` equal bands of ranks.

    Returns:
        {"path", "layer", "module", "share": one list of ``count`` numbers per matrix}, from the largest singular values
        to the smallest; they sum to 1, or are all 0 where nothing changes.
    """
    out: dict[str, list] = {"path": [], "layer": [], "module": [], "share": []}
    for path, part in adapted.split(_vector(adapted, z).double()).items():
        power = (adapted.modules[path].sigma.double() * (part - 1)).square()
        edges = band_edges(len(power), count)
        total = float(power.sum())
        held = [float(power[a:b].sum()) / total if total else 0.0 for a, b in zip(edges, edges[1:], strict=False)]
        for key, value in zip(out, (path, adapted.layer_of[path], module_name(path), held), strict=True):
            out[key].append(value)
    return out


def cosines(stack: ExpertStack, weighted: bool = False) -> dict:
    """Experts against each other: the cosine between their z - 1, per layer and over all.

    Args:
        weighted: between sigma * (z - 1), that is between their dW (the singular vectors are common), instead.

    Returns:
        {"names", "layers", "by_layer": (layers, K, K) nested lists, "all": (K, K)}; an expert that changes nothing has
        cosine 0 with every other and 1 with itself.
    """
    adapted = stack.adapted
    delta = stack.delta.double()
    if weighted:
        delta = delta * adapted.sigma.double()
    index = adapted.layer_index.to(delta.device)
    layers = sorted(set(adapted.layer_of.values()))

    def table(part: Tensor) -> list[list[float]]:
        unit = part / part.norm(dim=1, keepdim=True).clamp(min=1e-300)
        out = (unit @ unit.T).clamp(-1, 1)
        return out.fill_diagonal_(1.0).tolist()

    return {"names": list(stack.names), "layers": layers, "by_layer": [table(delta[:, index == layer]) for layer in layers],
            "all": table(delta)}  # fmt: skip


def kept_by_lora(adapted: Adapted, z: Mapping[str, Tensor] | Tensor | None = None,
                 ranks: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128)) -> dict[str, list]:  # fmt: skip
    """How much of a change the best LoRA of rank k keeps, in closed form.

    dW = U diag(sigma (z - 1)) Vh is its own singular value decomposition up to order and signs, so the best rank-k
    approximation keeps the k largest |sigma_i (z_i - 1)| (Eckart and Young).

    Returns:
        {"rank": ranks, "kept": share of |dW|_F that rank k keeps, all matrices together, "parameters": of the LoRA,
        "by_matrix": one list per matrix in the order of ``adapted.paths``}; kept is 1 where nothing changes.

    Raises:
        ValueError: a rank below 1.
    """
    if any(k < 1 for k in ranks):
        raise ValueError(f"a LoRA's rank is at least 1, got {min(ranks)}")
    power = [(adapted.modules[path].sigma.double() * (part - 1)).square().sort(descending=True).values
             for path, part in adapted.split(_vector(adapted, z).double()).items()]  # fmt: skip
    total = float(sum(p.sum() for p in power))
    kept, parameters, by_matrix = [], [], [[] for _ in power]
    for k in ranks:
        held = [float(p[:k].sum()) for p in power]
        kept.append(math.sqrt(min(1.0, sum(held) / total)) if total else 1.0)
        shapes = (adapted.modules[path].weight.shape for path in adapted.paths)
        parameters.append(sum(min(k, min(shape)) * (shape[0] + shape[1]) for shape in shapes))
        for rows, share, p in zip(by_matrix, held, power, strict=True):
            whole = float(p.sum())
            rows.append(math.sqrt(min(1.0, share / whole)) if whole else 1.0)
    return {"rank": list(ranks), "kept": kept, "parameters": parameters, "by_matrix": by_matrix}
