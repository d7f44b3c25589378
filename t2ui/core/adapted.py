"""`attach` puts `SVFLinear` layers into a language model; `Adapted` folds, mixes by row, trains and takes them out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from t2ui.core.lowrank import Change, LowRank
from t2ui.core.picking import GROUPS, decoder_layers, pick
from t2ui.core.svd import DecomposeReport, decompose_all, digest, fingerprint
from t2ui.core.svf import Placed, RowState, SVFLinear

__all__ = ["GROUPS", "Adapted", "attach", "decoder_layers", "pick"]

def attach(
    model: nn.Module,
    targets: str = "all",
    layers: Iterable[int] | int | None = None,
    cache_dir: Path | str | None = None,
    progress: Callable[[DecomposeReport], None] | None = None,
    *,
    base_id: str | None = None,
    factors_dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
    groups: Mapping[str, str] = GROUPS,
) -> Adapted:
    """Replace linear layers of the language model by `SVFLinear`, mode off: the model computes what it did, bitwise.

    Args:
        model: with decoder layers in an `nn.ModuleList`; changed in place.
        targets: "all" (every linear layer of the decoder layers; never vision tower, projector or output head),
            "attention", "mlp", or a regular expression searched in the full module path of those layers
            (for instance `r"(q|v)_proj$"`).
        layers: decoder layers to adapt (a range, a list, or one number, from 0); None = all.
        cache_dir: on-disk cache of decompositions, see `decompose_all`; None = none.
        progress: called after each matrix; if it raises, the model is untouched.
        base_id: name of the base model in expert files; by default the last part of the name it was loaded by.
        factors_dtype: of U and Vh. bf16 halves their memory and runs rows on tensor cores, for a coarser bound.
        device: where matrices are decomposed; None = where each one is.
        groups: what "all", "attention" and "mlp" mean for this architecture, as regular expressions.

    Raises:
        ValueError: nothing matches, a layer number is out of range, quantised or shared weights, attached already.
    """
    prefix, blocks, picked, layer_of = pick(model, targets, layers, groups)
    if any(isinstance(m, SVFLinear) for m in blocks.modules()):
        raise ValueError("this model is attached already: call detach() on its Adapted first")
    if len({id(m.weight) for m in picked.values()}) != len(picked):
        raise ValueError("two of the chosen layers share one weight: each can only be adapted once; narrow targets")
    bad = [p for p, m in picked.items() if not m.weight.is_floating_point()]
    if bad:
        raise ValueError(f"{bad[0]} holds {picked[bad[0]].weight.dtype} weights: load the model unquantised")

    state, modules, start = RowState(), {}, 0
    weights = {p: m.weight for p, m in picked.items()}
    for report in decompose_all(weights, cache_dir, device=device, dtype=factors_dtype):
        modules[report.path] = SVFLinear(picked[report.path], report.factors, state, start)
        start += modules[report.path].r
        if progress is not None:
            progress(report)
    adapted = Adapted(model, picked, modules, state, {p: layer_of[p] for p in picked}, len(blocks), targets, base_id)
    for path, module in modules.items():
        _replace(model, path, module)
    return adapted


class Adapted:
    """A model whose chosen linear layers are `SVFLinear`. Made by `attach`. Not thread-safe: one thread owns it.

    All matrices' r entries lie end to end, in the order of `paths`, in vectors of length R.

    Attributes:
        model: the model, changed in place.
        paths: module paths in order.
        modules: path -> SVFLinear.
        ranks: path -> r = min(out, in).
        slices: path -> slice of an end-to-end vector.
        R: length of an end-to-end vector.
        width: columns of a whole scale: R, and behind them n_layers for every LoRA expert that was placed.
        placements: grows whenever a LoRA expert is placed or dropped: A and B have other addresses then.
        n_layers: decoder layers of the model (adapted or not): the L of per-layer alphas.
        layer_of: path -> decoder layer.
        layer_index: (R,) int64 on the CPU, the decoder layer of each entry.
        targets: what `attach` was given.
        base_id: name of the base model.
        digests: path -> digest of the pristine weight.
        fingerprint: of all adapted weights as they were at attach (fp32 and bf16 loads agree).
    """

    def __init__(
        self,
        model: nn.Module,
        originals: Mapping[str, nn.Linear],
        modules: Mapping[str, SVFLinear],
        state: RowState,
        layer_of: Mapping[str, int],
        n_layers: int,
        targets: str,
        base_id: str | None,
    ):
        """Use `attach`."""
        self.model = model
        self.modules = dict(modules)
        self.paths = list(modules)
        self.ranks = {p: m.r for p, m in modules.items()}
        self.slices = {p: slice(m.start, m.start + m.r) for p, m in modules.items()}
        self.R = self.width = sum(self.ranks.values())
        self.layer_of = dict(layer_of)
        self.n_layers = n_layers
        self.layer_index = torch.cat([torch.full((self.ranks[p],), self.layer_of[p]) for p in self.paths])
        self.targets = targets
        self.base_id = base_id if base_id is not None else _model_name(model)
        self.digests = {p: digest(m.weight) for p, m in modules.items()}
        self.fingerprint = fingerprint(self.digests)
        self._originals = dict(originals)
        self._state = state
        self.placements = 0
        self._placed: dict[str, tuple[int, Mapping[str, LowRank]]] = {}  # key -> first column, parts
        self._sigma: tuple[Tensor, Tensor] | None = None  # (of the first matrix, end to end)
        self._frozen: list[nn.Parameter] = []  # parameters that train mode stopped

    # -- end-to-end vectors

    @property
    def mode(self) -> str:
        """ "off", "fold", "rows" or "train"."""
        return self._state.mode

    @property
    def device(self) -> torch.device:
        """Where the factors are (of a model spread over several GPUs, the first ones) and end-to-end vectors live."""
        return self._first.sigma.device

    @property
    def sigma(self) -> Tensor:
        """(R,) fp32 singular values end to end: the scale of an untouched row."""
        first = self._first.sigma
        if self._sigma is None or self._sigma[0] is not first:  # the model was moved since
            self._sigma = (first, torch.cat([m.sigma.to(self.device) for m in self.modules.values()]))
        return self._sigma[1]

    def split(self, vector: Tensor) -> dict[str, Tensor]:
        """(R,) -> path -> (r,), views."""
        if vector.shape != (self.R,):
            raise ValueError(f"split expects a vector of length R = {self.R}, got shape {tuple(vector.shape)}")
        return {p: vector[s] for p, s in self.slices.items()}

    def join(self, z: Mapping[str, Tensor], missing: float = 1.0) -> Tensor:
        """path -> (r,) to (R,) fp32 on the factors' device; paths not given are filled with `missing`.

        Raises:
            ValueError: an unknown path or a wrong shape.
        """
        unknown = [p for p in z if p not in self.slices]
        if unknown:
            raise ValueError(
                f"{unknown[0]} is not an adapted module (targets={self.targets!r}, {len(self.paths)} modules):"
                " attach with the targets and layers that z was made for"
            )
        vector = torch.full((self.R,), missing, dtype=torch.float32, device=self.device)
        for path, part in z.items():
            if part.shape != (self.ranks[path],):
                raise ValueError(f"z of {path} must have shape ({self.ranks[path]},), got {tuple(part.shape)}")
            vector[self.slices[path]] = part.detach().to(vector)
        return vector

    # -- LoRA experts

    def place(self, key: str, parts: Mapping[str, LowRank]) -> int:
        """Lay a LoRA expert beside the factors, for rows; returns the column of the scale for its alpha in layer 0.

        One column a decoder layer follows; at 0, which is what a scale that ends before them means, it does nothing. What was
        placed keeps its columns, so that scales that are in use stay right; the same key is placed once.

        Raises:
            ValueError: a path that is not adapted, or A and B that do not fit.
        """
        if key in self._placed:
            return self._placed[key][0]
        for path, (A, B) in parts.items():
            m = self.modules.get(path)
            if m is None or A.dim() != 2 or A.shape[1] != m.in_features or B.shape != (m.out_features, A.shape[0]):
                raise ValueError(f"A {tuple(A.shape)} and B {tuple(B.shape)} do not fit {path}: expected (k, in) and (out, k) of an "
                                 f"adapted module ({len(self.paths)} of them, targets={self.targets!r})")  # fmt: skip
        first = self.width
        self._placed[key] = (first, dict(parts))
        self.width, self.placements = first + self.n_layers, self.placements + 1
        for path, part in parts.items():
            module, column = self.modules[path], first + self.layer_of[path]
            A, B = (t.to(module.U.device, module.U.dtype) for t in part)
            at, ends = torch.full((len(A),), column, device=A.device), ((column, len(A)),)
            if (old := module.placed) is not None:
                A, B, at = torch.cat([old.A, A]), torch.cat([old.B, B], dim=1), torch.cat([old.at, at])
                ends = (*old.ends, (column, len(A)))
            module.placed = Placed(A, B, at, ends)
        return first

    def forget(self, keep: Iterable[str] = ()) -> bool:
        """Drop LoRA experts but those of these keys, which may move to other columns: only while no scale is in use.

        Returns whether there was anything to drop.
        """
        keep = set(keep)
        if keep >= self._placed.keys():
            return False
        kept = {key: parts for key, (_, parts) in self._placed.items() if key in keep}
        self._placed, self.width, self.placements = {}, self.R, self.placements + 1
        for module in self.modules.values():
            module.placed = None
        for key, parts in kept.items():
            self.place(key, parts)
        return True

    # -- modes

    def fold(self, z: Mapping[str, Tensor] | Tensor | Change) -> list[str]:
        """Write one mix into the weights: W' = W + (U * (sigma * (z - 1))) Vh (+ B A) in fp32, cast to W's dtype.

        Always starts from the pristine W, so folds do not add up. A matrix whose z is 1 everywhere (or is not
        given) is not touched.

        Args:
            z: path -> (r,), or (R,), or a Change, which may hold LoRA experts.

        Returns:
            The paths that were changed.

        Raises:
            ValueError: unknown path, wrong shape, NaN or infinity in z.
            RuntimeError: rows or train mode is on.
        """
        self._expect("fold", "off", "fold")
        low = z.low if isinstance(z, Change) else {}
        parts = self._finite(z.z if isinstance(z, Change) else z)
        if unknown := [p for p in low if p not in self.modules]:
            raise ValueError(f"{unknown[0]} is not an adapted module (targets={self.targets!r}, {len(self.paths)} modules)")
        self._state.mode = "fold"
        return [p for p, m in self.modules.items() if m.fold(parts[p], low.get(p))]

    def unfold(self) -> None:
        """Take the fold out again: the weights are bitwise what they were. Nothing happens if nothing is folded."""
        for module in self.modules.values():
            module.unfold()
        if self._state.mode == "fold":
            self._state.mode = "off"

    @contextmanager
    def folded(self, z: Mapping[str, Tensor] | Tensor | Change | None = None) -> Iterator[Adapted]:
        """Folded within the block, then as before; in train mode too (for rollouts), where None = the trained z."""
        before = self._state.mode
        self._expect("folded", "off", "train")
        if z is None:
            if before != "train":
                raise ValueError("folded() needs a z outside of train mode")
            z = {p: m.z.detach() for p, m in self.modules.items()}
        self._state.mode = "off"
        try:
            self.fold(z)
            yield self
        finally:
            self.unfold()
            self._state.mode = before

    @contextmanager
    def rows(self, scale: Tensor, index: Tensor | None = None) -> Iterator[Adapted]:
        """Within the block row b of every batch runs with its own singular values; no weight is written.

        Args:
            scale: (B, R) fp32, sigma * z per row (see `ExpertStack.scale`); read when a layer runs, so it may be
                refilled in place between forward passes; (1, R) serves every row. Any number of rows with `index`.
                Columns behind R are alphas of LoRA experts (`place`); there may be fewer than `width`.
            index: (B,) or (B, T) int64 row numbers into `scale`.

        Raises:
            ValueError: wrong shape or dtype.
            RuntimeError: folded, training, or another rows block is open.
        """
        self._expect("rows", "off")
        wide = scale.dim() == 2 and self.R <= scale.shape[1] <= self.width and (scale.shape[1] - self.R) % self.n_layers == 0
        if not wide or scale.dtype != torch.float32:
            raise ValueError(
                f"rows expects a float32 scale of shape (B, R = {self.R}), got {scale.dtype} {tuple(scale.shape)}"
                + f" (with LoRA experts up to {self.width} columns)" * (self.width > self.R)
            )
        state = self._state
        state.mode, state.scale, state.index = "rows", scale.to(self.device), index
        try:
            yield self
        finally:
            state.mode, state.scale, state.index = "off", None, None

    def train_mode(self, z: Mapping[str, Tensor] | Tensor | None = None) -> dict[str, nn.Parameter]:
        """Make z trainable and everything else in the model not; returns path -> z (r,), fp32, leaf parameters.

        Args:
            z: where to start (copied); None = 1 everywhere. Called again while training, it starts anew.

        Raises:
            ValueError: as `fold`. RuntimeError: folded, or a rows block is open.
        """
        self._expect("train_mode", "off", "train")
        parts = self._finite(z if z is not None else {})
        if self._state.mode == "off":
            self._frozen = [p for p in self.model.parameters() if p.requires_grad]
            for parameter in self._frozen:
                parameter.requires_grad_(False)
        for path, module in self.modules.items():
            module._z = [nn.Parameter(parts[path].to(module.sigma.device, copy=True))]
        self._state.mode = "train"
        return {p: m.z for p, m in self.modules.items()}

    def eval_mode(self) -> dict[str, Tensor]:
        """End train mode; returns the trained z, path -> (r,) (empty if it was not on)."""
        if self._state.mode != "train":
            return {}
        trained = {p: m.z.detach().clone() for p, m in self.modules.items()}
        for module in self.modules.values():
            module._z = []
        for parameter in self._frozen:
            parameter.requires_grad_(True)
        self._frozen, self._state.mode = [], "off"
        return trained

    def detach(self) -> None:
        """Unfold, end train mode, put the plain nn.Linear modules back. This object is of no more use then."""
        self._expect("detach", "off", "fold", "train")
        self.eval_mode()
        self.unfold()
        for path, module in self.modules.items():
            linear = self._originals[path]
            linear.weight, linear.bias, linear.training = module.weight, module.bias, module.training
            _replace(self.model, path, linear)
        self.modules, self._originals = {}, {}

    # -- helpers

    @property
    def _first(self) -> SVFLinear:
        self._alive()
        return next(iter(self.modules.values()))

    def _alive(self) -> None:
        if not self.modules:
            raise RuntimeError("this Adapted was detached from its model: attach again")

    def _expect(self, what: str, *modes: str) -> None:
        self._alive()
        if self._state.mode not in modes:
            todo = {
                "fold": "call unfold() first",
                "train": "call eval_mode() first",
                "rows": "leave the rows block first",
            }
            raise RuntimeError(f"{what} is not possible in mode {self._state.mode!r}: {todo[self._state.mode]}")

    def _finite(self, z: Mapping[str, Tensor] | Tensor) -> dict[str, Tensor]:
        """z as path -> (r,) fp32 on the factors' device, complete, checked."""
        vector = self.join(z) if isinstance(z, Mapping) else z.detach().to(self.device, torch.float32)
        parts = self.split(vector)
        if not bool(torch.isfinite(vector).all()):
            path = next(p for p, part in parts.items() if not bool(torch.isfinite(part).all()))
            raise ValueError(f"z of {path} holds NaN or infinity: expected finite numbers (1 = leave as is)")
        return parts


def _model_name(model: nn.Module) -> str:
    """Last part of the name or folder the model was loaded by (never a whole path), else its class."""
    name = getattr(getattr(model, "config", None), "_name_or_path", "") or ""
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1] or type(model).__name__


def _replace(model: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(model.get_submodule(parent), name, module)
