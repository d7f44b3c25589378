"""Checkpoints of the code that was released with the paper (SakanaAI/self-adaptive-llms), turned into native z.

That code learns p per matrix (only those of the MLPs), masks it, and rescales the result so that the sum of the singular
values stays what it was:

    W' = U diag(sigma * m) Vh * c,   c = sum(sigma) / sum(sigma * m)

* one expert ("sigmoid"): m = sigmoid(p) * max_mult;
* its few-shot path ("identity"): experts are mixed as raw parameters, m = sum_k a_k p_k, with no sigmoid. Its combination
  class replaces the mask by the identity, so this is another function of the same files, not a detail.

Native z = c * m is exact in both cases, with no rescaling left to do. Any overall factor of m cancels: max_mult, and the
normalisation of the coefficients, which no file stores, have no effect. Mixing imported experts here (linear in z) is
neither of that code's two paths; a few-shot file is imported as the one expert that its coefficients make.

Everything here is computed in float64 from the stored bf16 parameters; the released code itself rounds masks, factors and
products to bf16, which moves single entries by up to about 0.4 %.

Entry i of p belongs to the i-th largest singular value. Which vectors stand behind it the files do not say: inside groups of
nearly equal singular values that code's own decomposition (fp32) may have another basis than ours, and nothing here can see it.

Files: ``policy_params*.pt`` is the state_dict of a Policy (parameters numbered in the order of the model's own state_dict)
or of a WeightedCombination (coefficients and a copy of every expert); ``learnable_params*.pt`` is a dict by parameter name.
None of them names its model.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted

__all__ = ["MASKS", "Released", "ReleasedError", "native_z", "read_released"]

MASKS = ("sigmoid", "identity")
NUMBERED = re.compile(r"learnable_params_module_list\.(\d+)")
COPY = re.compile(r"weights_(\d+)_k_(.+)")
COEFFICIENTS = "adaptive_weights"
ORDER = ("gate_proj", "up_proj", "down_proj")  # of a layer in the state_dict of every Llama-type model
WHAT = ("policy_params.pt or learnable_params.pt of the released code (numbered 'learnable_params_module_list.0', ...; or"
        " 'adaptive_weights' with 'weights_0_k_...'; or names such as 'model.layers.0.mlp.gate_proj.weight')")  # fmt: skip


class ReleasedError(ValueError):
    """A file that cannot be imported: what was found, what was expected, what to do."""


@dataclass(frozen=True, eq=False)
class Released:
    """What a file holds.

    Attributes:
        kind: "policy" (numbered), "names" (by parameter name) or "few-shot" (coefficients and experts).
        p: by number or by name: the raw parameters (r,) float64; for "few-shot" already mixed, sum_k a_k p_k.
        coefficients: of "few-shot": one list per expert, with one number, or one per matrix.
        mask: what that code does with p: "sigmoid" or "identity".
        note: what a person should know about the choice of the mask; mostly empty.
    """

    kind: str
    p: Mapping[str, Tensor] = field(repr=False)
    coefficients: tuple[tuple[float, ...], ...]
    mask: str
    note: str = ""


def read_released(path: Path | str) -> Released:
    """Read a file, tensors only: nothing in it can run.

    Raises:
        ReleasedError: no such file, Python objects in it, damaged, something else, NaN, a wrong shape.
    """
    path = Path(path)
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's own words advise to read the file all the same.
        asked = re.search(r"GLOBAL (\S+)", str(error))
        if asked is None:
            raise ReleasedError(f"{path.name} is damaged or no file of torch.save: refused. Expected {WHAT}") from None
        raise ReleasedError(
            f"{path.name} holds Python objects, which could run code when they are read (it asks for {asked[1]}): refused."
            " Expected tensors only; where you trust it, load it in the released code and save policy.state_dict() again"
        ) from None
    except IsADirectoryError:
        raise ReleasedError(f"{path} is a folder: give the file, {WHAT}") from None
    except OSError as error:
        raise ReleasedError(f"{path} cannot be read: {error.strerror or error}: check the path") from None
    except Exception as error:  # noqa: BLE001 - a damaged archive raises almost anything
        raise ReleasedError(f"{path.name} is damaged or no file of torch.save ({_line(error)}): copy it again") from None
    if not (isinstance(held, Mapping) and held and all(isinstance(k, str) and isinstance(t, Tensor) for k, t in held.items())):
        raise ReleasedError(f"{path.name} holds {_what(held)}: expected {WHAT}")
    if COEFFICIENTS in held:
        return _combination(path.name, held)
    if all(NUMBERED.fullmatch(key) for key in held):
        numbers = {int(NUMBERED.fullmatch(key)[1]): key for key in held}  # type: ignore[index]
        missing = sorted(set(range(max(numbers) + 1)) - set(numbers))
        if missing:
            raise ReleasedError(f"{path.name} lacks {len(missing)} of its {max(numbers) + 1} matrices, such as number "
                                f"{missing[0]}: copy the whole file again")  # fmt: skip
        p = {str(i): _vector(path.name, numbers[i], held[numbers[i]]) for i in sorted(numbers)}
        return Released("policy", p, (), "sigmoid")
    if all(".layers." in key and key.endswith(".weight") for key in held):
        p = {key: _vector(path.name, key, tensor) for key, tensor in held.items()}
        plain = not any(isinstance(tensor, torch.nn.Parameter) for tensor in held.values())
        note = ("read as one expert (sigmoid); if a few-shot run wrote it, these are mixed raw parameters: --mask identity"
                if plain else "")  # fmt: skip
        return Released("names", p, (), "sigmoid", note)
    raise ReleasedError(f"{path.name} holds {_what(held)}: expected {WHAT}")


def _combination(name: str, held: Mapping[str, Tensor]) -> Released:
    """A state_dict of WeightedCombination: coefficients (K, 1) or (K, matrices), and K copies of every parameter."""
    a = held[COEFFICIENTS].detach().double()
    copies: dict[int, dict[str, Tensor]] = {}
    for key, tensor in held.items():
        found = COPY.fullmatch(key)
        if found:
            copies.setdefault(int(found[1]), {})[found[2]] = _vector(name, key, tensor)
        elif key != COEFFICIENTS:
            raise ReleasedError(f"{name} holds {key!r} beside its coefficients: expected only 'weights_0_k_...'")
    names = list(copies.get(0, {}))
    if a.dim() != 2 or sorted(copies) != list(range(len(a))) or a.shape[1] not in (1, len(names)):
        raise ReleasedError(f"{name} has coefficients of shape {tuple(a.shape)} for {len(copies)} experts of {len(names)} "
                            "matrices: expected (experts, 1) or (experts, matrices)")  # fmt: skip
    if not bool(torch.isfinite(a).all()):
        raise ReleasedError(f"{name} has coefficients that are NaN or infinite: take an earlier file")
    mixed = {}
    for i, matrix in enumerate(names):
        column = a[:, i if a.shape[1] > 1 else 0]
        if any(matrix not in copies[k] or copies[k][matrix].shape != copies[0][matrix].shape for k in copies):
            raise ReleasedError(f"{name}: {matrix} is not in every expert in one shape: the file is incomplete, copy it again")
        mixed[matrix] = sum(column[k] * copies[k][matrix] for k in copies)
    return Released("few-shot", mixed, tuple(tuple(row) for row in a.tolist()), "identity")  # type: ignore[arg-type]


def native_z(adapted: Adapted, released: Released, mask: str | None = None,
             max_mult: float = 1.0) -> tuple[dict[str, Tensor], dict[str, float]]:  # fmt: skip
    """The native z of a file on this model.

    Args:
        mask: "sigmoid" or "identity"; None: what the released code does with such a file.
        max_mult: of the policy that was trained; it cancels, and is here so that the formula can be checked as it stands.

    Returns:
        path -> z (r,) fp32 for the matrices in the file (the others stay as they are); path -> c.

    Raises:
        ReleasedError: another base or missing layers (numbers, names and lengths are all there is to see it by), a mask
            under which the singular values sum to nothing.
    """
    mask = mask or released.mask
    if mask not in MASKS:
        raise ReleasedError(f"the mask is one of {', '.join(MASKS)}, got {mask!r}")
    if not 0 < max_mult < float("inf"):
        raise ReleasedError(f"max_mult is a positive number, got {max_mult!r}")
    z, c = {}, {}
    for path, p in _places(adapted, released).items():
        sigma = adapted.modules[path].sigma.double().cpu()
        if p.numel() != sigma.numel():
            raise ReleasedError(f"{path} has {sigma.numel()} singular values, the file has {p.numel()} parameters for it: it "
                                "belongs to a model of another size; load that one as the base")  # fmt: skip
        m = torch.sigmoid(p) * max_mult if mask == "sigmoid" else p
        total = float((sigma * m).sum())
        if not total > 1e-6 * float(sigma.sum()):
            raise ReleasedError(f"under the mask {mask!r} the singular values of {path} sum to {total:.3g}: rescaling to their "
                                "old sum is not possible; is it the right mask?")  # fmt: skip
        c[path] = float(sigma.sum()) / total
        z[path] = (c[path] * m).float()
    return z, c


def _places(adapted: Adapted, released: Released) -> dict[str, Tensor]:
    """module path -> p, every matrix found and no layer left out."""
    n, layers = len(released.p), adapted.n_layers
    if released.kind == "policy":
        paths = _mlp_paths(adapted)
        if n != len(paths):
            whole = f" ({n // len(ORDER)} layers)" if n % len(ORDER) == 0 else ""
            raise ReleasedError(f"the file has {n} matrices{whole}, {adapted.base_id} has {len(paths)} in the MLPs of its "
                                f"{layers} layers: it belongs to another base model, or layers are missing")  # fmt: skip
        return {path: released.p[str(i)] for i, path in enumerate(paths)}
    known: dict[str, str] = {}
    for path in adapted.paths:
        tail = path[path.index("layers.") :] if "layers." in path else path
        for name in (f"{path}.weight", f"{tail}.weight"):  # the second: a language model inside a LLaVA is prefixed otherwise
            known[name] = known[name.replace(".", "_")] = path
    out = {}
    for name, p in released.p.items():
        start = name.find("layers")
        path = known.get(name) or known.get(name[start:] if start >= 0 else name)
        if path is None or path in out:
            raise ReleasedError(f"the file's {name} is not one of the {len(adapted.paths)} adapted matrices of {adapted.base_id} "
                                f"(such as {adapted.paths[0]}): it belongs to another base model; load that one")  # fmt: skip
        out[path] = p
    kinds = {path.rsplit(".", 1)[-1] for path in out}
    missing = [path for path in adapted.paths if path.rsplit(".", 1)[-1] in kinds and path not in out]
    if missing:
        raise ReleasedError(f"the file lacks {len(missing)} matrices that {adapted.base_id} has, such as {missing[0]}: layers are"
                            " missing, or it belongs to a model with fewer layers")  # fmt: skip
    return {path: out[path] for path in adapted.paths if path in out}


def _mlp_paths(adapted: Adapted) -> list[str]:
    """The MLP matrices in the order of a Llama-type state_dict: by layer, then gate, up, down."""
    by_layer: dict[int, dict[str, str]] = {}
    for path in adapted.paths:
        if "mlp" in path:
            by_layer.setdefault(adapted.layer_of[path], {})[path.rsplit(".", 1)[-1]] = path
    odd = [names for names in by_layer.values() if set(names) != set(ORDER)]
    if odd or len(by_layer) != adapted.n_layers:
        found = ", ".join(odd[0]) if odd else "none in some layers"
        raise ReleasedError(f"a numbered file is in the order {', '.join(ORDER)} of a Llama-type MLP; {adapted.base_id} has "
                            f"{found}: attach all layers of a Llama, Mistral or Qwen2, or import learnable_params.pt, which has "
                            "names")  # fmt: skip
    return [by_layer[layer][name] for layer in sorted(by_layer) for name in ORDER]


def _vector(source: str, key: str, tensor: Tensor) -> Tensor:
    if tensor.dim() != 1 or not tensor.is_floating_point() or tensor.numel() == 0:
        hint = "these look like whole weights" if tensor.dim() == 2 else "is it the right file?"
        raise ReleasedError(f"{source}: {key} is {tensor.dtype} of shape {tuple(tensor.shape)}: expected one number per singular "
                            f"value, shape (r,); {hint}")  # fmt: skip
    out = tensor.detach().double()
    if not bool(torch.isfinite(out).all()):
        raise ReleasedError(f"{source}: {key} holds NaN or infinity: training went astray, take an earlier file")
    return out


def _line(error: Exception) -> str:
    """The first line of what another library says."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]


def _what(held: object) -> str:
    if not isinstance(held, Mapping):
        return f"a {type(held).__name__}"
    keys: Iterable[object] = held
    shown = ", ".join(repr(k)[:60] for k, _ in zip(keys, range(2)))
    return f"{len(held)} entries ({shown}{', ...' if len(held) > 2 else ''})" if held else "nothing"
