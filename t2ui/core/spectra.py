"""Columns behind the plots: spectra of a matrix, what a mix changes in every matrix, Gram matrices for previews.

Plain lists, dicts and floats only: the results go into JSON and to a browser as they are.

Mixes with LoRA experts come as a `Change`. Norms are then those of the whole dW, exactly. What speaks of z (rms and mean of z - 1,
sigma z, bands of ranks) is the diagonal of M = U^T dW V: the part of the change that rescales singular values, z_i - 1 =
M_ii / sigma_i, which is also what `projection` keeps. A column "rescales" says which share of |dW|^2 that is; the rest rotates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.lowrank import Change, share_on_diagonal, singular_parts, z_of
from t2ui.core.mixing import ExpertStack

__all__ = ["Costly", "bands", "change", "cosines", "gram", "grid", "kept_by_lora", "projection", "spectrum", "summary"]

BANDS = 4  # parts of a matrix' ranks, from the largest singular values to the smallest
DENSE = 1024  # the singular values of a dW of both kinds are only computed up to this size: minutes a matrix beyond it

AnyZ = Mapping[str, Tensor] | Tensor | Change | None


class Costly(ValueError):
    """Something that takes too long to be computed in passing."""


def _vector(adapted: Adapted, z: AnyZ) -> Tensor:
    """z as (R,) fp32, of a Change its SVF part; None = 1 everywhere."""
    if isinstance(z, Change):
        return z.z.to(adapted.device)
    if z is None:
        return torch.ones(adapted.R, device=adapted.device)
    return adapted.join(z) if isinstance(z, Mapping) else z.detach().to(adapted.device, torch.float32)


def module_name(path: str) -> str:
    """ "q_proj" of "model.layers.0.self_attn.q_proj"."""
    return path.rsplit(".", 1)[-1]


def spectrum(adapted: Adapted, path: str, z: AnyZ = None) -> dict:
    """The singular values of one matrix, before and after.

    Args:
        path: one of `adapted.paths`.
        z: path -> (r,), or (R,), or a Change; None = the base.

    Returns:
        {"path", "layer", "module", "r", "index": [0..r-1], "sigma": [..], "sigma2": [sigma * z ..], "z": [..]}; where a LoRA
        acts, z is that of the part that rescales, and "rescales" its share of |dW|^2.

    Raises:
        ValueError: an unknown path.
    """
    if path not in adapted.slices:
        raise ValueError(f"unknown module {path!r}: expected one of {adapted.paths[0]!r} ... {adapted.paths[-1]!r}")
    part = _vector(adapted, z)[adapted.slices[path]]
    sigma, more = adapted.modules[path].sigma, {}
    if isinstance(z, Change) and path in z.low:
        on, total = share_on_diagonal(adapted.modules[path], part, z.low[path])
        sigma, part = sigma.cpu(), z_of(sigma, on).float()
        more = {"rescales": _share(on, total)}
    return {
        "path": path,
        "layer": adapted.layer_of[path],
        "module": module_name(path),
        "r": adapted.ranks[path],
        "index": list(range(adapted.ranks[path])),
        "sigma": sigma.tolist(),
        "sigma2": (sigma * part).tolist(),
        "z": part.tolist(),
        **more,
    }


def _share(on: Tensor, total: float) -> float:
    """Of |dW|^2, the diagonal's; 1 where nothing changes."""
    return float(on.square().sum()) / total if total else 1.0


def change(adapted: Adapted, z: AnyZ = None) -> dict[str, list]:
    """What a z does to every matrix: columns of equal length, one entry per matrix in the order of `adapted.paths`.

    Columns: path, layer, module, r; norm = |W|_F and sigma_max; rms = root mean square of z - 1 and mean = its
    signed mean; dw = |W' - W|_F and dw_rel = dw / norm. Where a LoRA is in the mix, also rescales (see the module's text).
    """
    low = z.low if isinstance(z, Change) else {}
    columns: dict[str, list] = {
        key: [] for key in ("path", "layer", "module", "r", "norm", "sigma_max", "rms", "mean", "dw", "dw_rel", *["rescales"] * bool(low))
    }
    parts = adapted.split(_vector(adapted, z).double())
    for path, part in parts.items():
        delta, sigma = part - 1, adapted.modules[path].sigma.double()
        norm, dw, share = float(sigma.norm()), float((sigma * delta).norm()), 1.0
        if path in low:
            on, total = share_on_diagonal(adapted.modules[path], part, low[path])
            delta, dw, share = z_of(sigma, on) - 1, math.sqrt(total), _share(on, total)
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
            *[share] * bool(low),
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

    With alphas a of that matrix' decoder layer: rms(z - 1) = sqrt(a'Ga / r), |dW|_F = sqrt(a'Ha), |W|_F = sqrt(norm2). H holds the
    Frobenius inner products of the experts' dW; those of an SVF expert with any other need the diagonals only.

    Returns:
        path -> {"G": K x K, "H": K x K, "m": K (mean = a'm), "r": r, "norm2": |W|_F^2, "layer", "module"}.
    """
    adapted = stack.adapted
    result = {}
    for path, place in adapted.slices.items():
        delta, sigma = stack.delta[:, place].double(), adapted.modules[path].sigma.double()
        scaled = delta * sigma
        H = scaled @ scaled.T
        if stack.columns:
            scaled = stack.diagonals[:, place]
            delta = torch.stack([z_of(sigma, on) - 1 for on in scaled])
            H = _with_pairs(stack, scaled @ scaled.T, [path])
        result[path] = {
            "G": (delta @ delta.T).tolist(),
            "H": H.tolist(),
            "m": delta.mean(dim=1).tolist(),
            "r": adapted.ranks[path],
            "norm2": float(sigma.square().sum()),
            "layer": adapted.layer_of[path],
            "module": module_name(path),
        }
    return result


def _with_pairs(stack: ExpertStack, H: Tensor, paths: Sequence[str]) -> Tensor:
    """Inner products of the diagonals of these matrices, (K, K), with those of two LoRA experts whole."""
    at = [stack.names.index(name) for name in stack.columns]
    for j in at:
        H[j, at] = 0.0
    for path in paths:
        if path in stack.lora_gram:
            for row, j in zip(stack.lora_gram[path], at, strict=True):
                H[j, at] += row
    return H


def projection(adapted: Adapted, z: Change) -> tuple[Tensor, dict[str, float], float]:
    """The SVF expert that comes nearest to a change: z_i = 1 + M_ii / sigma_i, M = U^T dW V.

    Returns:
        z (R,) fp32 on the CPU; path -> share of |dW|_F^2 that it keeps, for the matrices that change; the same over all
        together. The loss is 1 - share: what rotates singular vectors, which no z can do.
    """
    out, kept, on_all, total_all = torch.ones(adapted.R), {}, 0.0, 0.0
    for path, part in adapted.split(_vector(adapted, z)).items():
        module = adapted.modules[path]
        on, total = share_on_diagonal(module, part, z.low.get(path))
        if not total:
            continue
        found = z_of(module.sigma, on)
        out[adapted.slices[path]] = found.float() if path in z.low else part.cpu()
        held = float((module.sigma.double().cpu() * (found - 1)).square().sum())
        kept[path] = held / total
        on_all, total_all = on_all + held, total_all + total
    return out, kept, on_all / total_all if total_all else 1.0


def summary(columns: Mapping[str, Sequence], by: str = "layer") -> dict[str, list]:
    """Columns of :func:`change` gathered by ``layer`` or by ``module``.

    rms and mean of z - 1 are over all ranks of a group together, dw_rel is |dW|_F / |W|_F of the group as one long matrix; and
    rescales, where the columns have it, the group's share of |dW|_F^2.

    Raises:
        ValueError: another ``by``.
    """
    if by not in ("layer", "module"):
        raise ValueError(f"by must be layer or module, got {by!r}")
    groups: dict[object, list[int]] = {}
    for i, key in enumerate(columns[by]):
        groups.setdefault(key, []).append(i)
    out: dict[str, list] = {key: [] for key in (by, "r", "rms", "mean", "dw", "dw_rel", *["rescales"] * ("rescales" in columns))}
    for key, rows in groups.items():
        r = sum(columns["r"][i] for i in rows)
        dw = math.sqrt(sum(columns["dw"][i] ** 2 for i in rows))
        norm = math.sqrt(sum(columns["norm"][i] ** 2 for i in rows))
        squares = sum(columns["rms"][i] ** 2 * columns["r"][i] for i in rows)
        signed = sum(columns["mean"][i] * columns["r"][i] for i in rows)
        row = [key, r, math.sqrt(squares / r), signed / r, dw, dw / norm if norm else 0.0]
        if "rescales" in columns:
            row.append(sum(columns["rescales"][i] * columns["dw"][i] ** 2 for i in rows) / dw**2 if dw else 1.0)
        for name, value in zip(out, row, strict=True):
            out[name].append(value)
    return out


def bands(adapted: Adapted, z: AnyZ = None, count: int = BANDS) -> dict[str, list]:
    """Where in the spectrum the change sits: the share of |dW|_F^2 in each of ``count`` equal bands of ranks.

    Returns:
        {"path", "layer", "module", "share": one list of ``count`` numbers per matrix}, from the largest singular values
        to the smallest; they sum to 1 (to what rescales, where a LoRA acts), or are all 0 where nothing changes.
    """
    low = z.low if isinstance(z, Change) else {}
    out: dict[str, list] = {"path": [], "layer": [], "module": [], "share": []}
    for path, part in adapted.split(_vector(adapted, z).double()).items():
        power = (adapted.modules[path].sigma.double() * (part - 1)).square()
        total = float(power.sum())
        if path in low:
            on, total = share_on_diagonal(adapted.modules[path], part, low[path])
            power = on.square()
        edges = [round(i * len(power) / count) for i in range(count + 1)]
        held = [float(power[a:b].sum()) / total if total else 0.0 for a, b in zip(edges, edges[1:], strict=False)]
        for key, value in zip(out, (path, adapted.layer_of[path], module_name(path), held), strict=True):
            out[key].append(value)
    return out


def cosines(stack: ExpertStack, weighted: bool = False) -> dict:
    """Experts against each other: the cosine between their z - 1, per layer and over all.

    Args:
        weighted: between sigma * (z - 1), that is between their dW (the singular vectors are common), instead. Of LoRA experts
            that is the whole dW; unweighted, what rescales counts.

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
    if stack.columns:
        return _cosines_with_lora(stack, layers, weighted)

    def table(part: Tensor) -> list[list[float]]:
        unit = part / part.norm(dim=1, keepdim=True).clamp(min=1e-300)
        out = (unit @ unit.T).clamp(-1, 1)
        return out.fill_diagonal_(1.0).tolist()

    return {"names": list(stack.names), "layers": layers, "by_layer": [table(delta[:, index == layer]) for layer in layers],
            "all": table(delta)}  # fmt: skip


def _cosines_with_lora(stack: ExpertStack, layers: Sequence[int], weighted: bool) -> dict:
    """:func:`cosines` by inner products, matrix by matrix."""
    K, adapted = len(stack), stack.adapted
    by_layer = {layer: torch.zeros(K, K, dtype=torch.float64) for layer in layers}
    for path, cell in gram(stack).items():
        by_layer[adapted.layer_of[path]] += torch.tensor(cell["H" if weighted else "G"], dtype=torch.float64)

    def table(G: Tensor) -> list[list[float]]:
        norm = G.diagonal().clamp(min=0).sqrt().clamp(min=1e-300)
        return (G / norm[:, None] / norm).clamp(-1, 1).fill_diagonal_(1.0).tolist()

    return {"names": list(stack.names), "layers": list(layers), "by_layer": [table(by_layer[layer]) for layer in layers],
            "all": table(sum(by_layer.values()))}  # fmt: skip


def kept_by_lora(adapted: Adapted, z: AnyZ = None,
                 ranks: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128)) -> dict[str, list]:  # fmt: skip
    """How much of a change the best LoRA of rank k keeps, in closed form.

    dW = U diag(sigma (z - 1)) Vh is its own singular value decomposition up to order and signs, so the best rank-k
    approximation keeps the k largest |sigma_i (z_i - 1)| (Eckart and Young). Where a LoRA acts, the largest singular values of dW.

    Returns:
        {"rank": ranks, "kept": share of |dW|_F that rank k keeps, all matrices together, "parameters": of the LoRA,
        "by_matrix": one list per matrix in the order of ``adapted.paths``}; kept is 1 where nothing changes.

    Raises:
        ValueError: a rank below 1. Costly: SVF and LoRA experts together on matrices above `DENSE`.
    """
    if any(k < 1 for k in ranks):
        raise ValueError(f"a LoRA's rank is at least 1, got {min(ranks)}")
    low = z.low if isinstance(z, Change) else {}
    power = []
    for path, part in adapted.split(_vector(adapted, z).double()).items():
        module = adapted.modules[path]
        if path not in low:
            power.append((module.sigma.double() * (part - 1)).square().sort(descending=True).values)
            continue
        if module.r > DENSE and bool((part != 1).any()):
            raise Costly(f"what a LoRA keeps of SVF and LoRA experts together takes a decomposition of every matrix; {path} is "
                             "too large to do that in passing: export the mix as a LoRA, which states it")  # fmt: skip
        power.append(singular_parts(module, part, low[path])[1].square())
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
