"""Mixes of experts: z(alpha) = 1 + sum_k alpha_k (z_k - 1), per expert or per expert and decoder layer.

Equal to the paper's sum_k alpha_k z_k (arXiv 2501.06252, section 3.3) whenever the alphas sum to 1; with all alphas
at 0 it is the base model.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.adapters import LoRAExpert
from t2ui.core.experts import Expert, ExpertError, refusals
from t2ui.core.lowrank import Change, LowRank, concatenated, diagonal, inner
from t2ui.core.mix import ALPHA_LIMIT, Mix

__all__ = ["ALPHA_LIMIT", "ExpertStack", "Mix"]


class ExpertStack:
    """The experts of one model, ready to be mixed.

    Attributes:
        adapted: the model.
        experts: in order; k is the place here.
        names: their names.
        delta: (K, R) fp32, z_k - 1 end to end, on the factors' device; 0 for LoRA experts.
        columns: LoRA experts by name: the column of a scale that holds the alpha of layer 0 (`Adapted.place`).
    """

    def __init__(self, adapted: Adapted, experts: Sequence[Expert | LoRAExpert] = ()):
        """Raises ExpertError: an expert that does not fit the model, two of one name, a dispatcher."""
        self.adapted = adapted
        self.experts = list(experts)
        self.names = [expert.name for expert in self.experts]
        for k, expert in enumerate(self.experts):
            if expert.name in self.names[:k]:
                raise ExpertError(f"two experts are named {expert.name!r}: rename one of them")
            if expert.role != "skill":
                raise ExpertError(f"{expert.name!r} is a {expert.role}: only skill experts can be mixed; leave it out")
            refusals(expert.check(adapted), f"expert {expert.name!r}")
        self._sigma = adapted.sigma
        self._gram: Tensor | None = None  # pseudo-inverse, for alphas_of
        self._layer_index = adapted.layer_index.to(adapted.device)
        self.delta = torch.zeros(len(self.experts), adapted.R, device=adapted.device)
        self.columns: dict[str, int] = {}
        for k, expert in enumerate(self.experts):
            if isinstance(expert, LoRAExpert):
                self.columns[expert.name] = adapted.place(expert.digest, expert.parts)
            else:
                self.delta[k] = adapted.join(expert.z) - 1

    def __len__(self) -> int:
        return len(self.experts)

    def check(self, mix: Mix) -> Mix:
        """Return the mix itself if these experts and this model can apply it.

        Raises:
            ValueError: as `Mix.check`, or a component that the model does not have.
        """
        for path, index in mix.off:
            self.adapted.at(path, index)
        return mix.check(self.names, self.adapted.n_layers)

    def alphas(self, mix: Mix) -> Tensor:
        """The mix as numbers: (L, K) fp32, the same in every layer where the mix has one number."""
        mix.check(self.names, self.adapted.n_layers)
        table = torch.zeros(self.adapted.n_layers, len(self.experts))
        for k, name in enumerate(self.names):
            table[:, k] = torch.tensor(mix.alpha(name))
        return table

    def z(self, mix: Mix) -> Tensor:
        """z(alpha) = 1 + sum_k alpha_k (z_k - 1), (R,) fp32; exactly 1 for the base.

        Raises:
            ValueError: as `check`; a LoRA expert in the mix, which no z says: see `change`.
        """
        if low := self.lora(mix):
            raise ValueError(f"mix {mix} holds the LoRA expert {low[0]}, which no vector z stands for: take change(mix)")
        return self._z(mix)

    def _z(self, mix: Mix) -> Tensor:
        """`z` of the mix' SVF experts."""
        self.check(mix)
        z = torch.ones_like(self._sigma)
        for k, name in enumerate(self.names):  # one by one: a mix gives the same bits alone and in any batch
            alpha = 0.0 if name in self.columns else mix.alpha(name)
            if isinstance(alpha, tuple):
                z += torch.tensor(alpha, device=z.device)[self._layer_index] * self.delta[k]
            elif alpha:
                z += alpha * self.delta[k]
        for path, index in mix.off:
            z[self.adapted.at(path, index)] = 0.0
        return z

    def lora(self, mix: Mix) -> list[str]:
        """The LoRA experts in a mix."""
        return [name for name in mix if name in self.columns]

    def change(self, mix: Mix) -> Change:
        """What the mix does to the weights, for `Adapted.fold`, exports and spectra: z(alpha) and sum_k alpha_k B_k A_k.

        Raises:
            ValueError: as `Mix.check`.
        """
        z, found = self._z(mix), {}
        for k, name in enumerate(self.names):
            if name in self.columns and mix.alpha(name):
                by_layer = _by_layer(mix.alpha(name), self.adapted.n_layers)
                for path, (A, B) in self.experts[k].parts.items():
                    if alpha := by_layer[self.adapted.layer_of[path]]:
                        found.setdefault(path, []).append(LowRank(A, alpha * B))
        return Change(z, {path: concatenated(parts) for path, parts in found.items()})

    def z_dict(self, mix: Mix) -> dict[str, Tensor]:
        """`z(mix)` by module path, as `Adapted.fold` and `train_mode` take it."""
        return self.adapted.split(self.z(mix))

    def scale(self, mixes: Sequence[Mix]) -> Tensor:
        """sigma * z(alpha) per mix, (B, R) fp32, for `Adapted.rows`; exactly sigma for the base.

        Where a mix holds a LoRA expert: (B, width), with the alphas of these behind, one a decoder layer.
        """
        known: dict[Mix, Tensor] = {}
        wide = any(self.lora(mix) for mix in mixes)
        for mix in mixes:
            if mix not in known:
                row = self._sigma * self._z(mix)
                known[mix] = torch.cat([row, self._tail(mix)]) if wide else row
        if not mixes:
            return self._sigma.new_zeros(0, self.adapted.R)
        return torch.stack([known[mix] for mix in mixes])

    def _tail(self, mix: Mix) -> Tensor:
        """The alphas of LoRA experts as columns R and on of a scale, (width - R,)."""
        tail, layers = self._sigma.new_zeros(self.adapted.width - self.adapted.R), self.adapted.n_layers
        for name in self.lora(mix):
            start = self.columns[name] - self.adapted.R
            tail[start : start + layers] = torch.tensor(_by_layer(mix.alpha(name), layers))
        return tail

    def alphas_of(self, scale: Tensor) -> tuple[Tensor, Tensor]:
        """What is in given scales: the inverse of `scale` for mixes with one number per expert.

        Args:
            scale: (B, R), sigma * z of every row.

        Returns:
            alphas (B, K) fp64 on the CPU: the mix that comes nearest to `scale - sigma` (least squares; of experts that
            cannot be told apart, equal shares; of LoRA experts, the mean of their alphas by layer). rest (B,): |what no mix
            explains| / |scale - sigma|, as norms of dW, 0 to 1.
        """
        sigma = self._sigma
        change = scale[:, : self.adapted.R].to(sigma) - sigma
        whole = change.double().square().sum(dim=-1).cpu()
        if not self.experts:
            return torch.zeros(len(scale), 0, dtype=torch.float64), (whole > 0).double()
        if self._gram is None:
            weighted = sigma * self.delta
            self._gram = torch.linalg.pinv((weighted @ weighted.T).double().cpu(), rtol=1e-6, hermitian=True)
        onto = ((sigma * change) @ self.delta.T).double().cpu()  # (B, K)
        alphas = onto @ self._gram
        left = change - sigma * (alphas.to(change) @ self.delta)
        if scale.shape[1] > self.adapted.R:
            return self._with_lora(scale, alphas, left)
        rest = left.double().square().sum(dim=-1).cpu() / whole.clamp(min=1e-300)
        return alphas, rest.clamp(max=1.0).sqrt()

    def _with_lora(self, scale: Tensor, alphas: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
        """`alphas_of` of wide scales: alphas (B, K) of the SVF experts and what these leave, (B, R), known."""
        held = self._lora_alphas(scale)  # (B, L, n)
        for j, name in enumerate(self.columns):
            alphas[:, self.names.index(name)] = held[:, :, j].mean(dim=1)
        rest = self._sizes(left, held - held.mean(dim=1, keepdim=True)) / self.sizes(scale).clamp(min=1e-300)
        known = torch.zeros(scale.shape[1], dtype=torch.bool)
        known[: self.adapted.R] = True
        for column in self.columns.values():
            known[column : column + self.adapted.n_layers] = True
        gone = (scale[:, ~known.to(scale.device)] != 0).any(dim=1).cpu()  # an expert of a stack before this one
        return alphas, rest.masked_fill(gone, 1.0).clamp(max=1.0)

    # -- norms, with LoRA experts

    def sizes(self, scale: Tensor) -> Tensor:
        """|dW|_F of every row of a scale, all matrices together, (B,) fp64 on the CPU. U and Vh are orthonormal."""
        return self._sizes(scale[:, : self.adapted.R].to(self._sigma) - self._sigma, self._lora_alphas(scale))

    def _lora_alphas(self, scale: Tensor) -> Tensor:
        """(B, L, n) fp64 on the CPU: the alphas of the n LoRA experts in a scale, 0 where it ends before them."""
        layers = self.adapted.n_layers
        parts = [scale[:, c : c + layers] if c < scale.shape[1] else scale.new_zeros(len(scale), layers) for c in self.columns.values()]
        return torch.stack(parts, dim=2).double().cpu() if parts else torch.zeros(len(scale), layers, 0, dtype=torch.float64)

    def _sizes(self, d: Tensor, held: Tensor) -> Tensor:
        """|U diag(d) Vh + sum_k alpha_k B_k A_k|_F, (B,) fp64; d (B, R), held (B, L, n)."""
        d = d.double().cpu()
        total = d.square().sum(dim=1)
        if held.shape[2]:
            index = self.adapted.layer_index
            for j, there in enumerate(self.diagonals[[self.names.index(n) for n in self.columns]]):
                cross = torch.zeros(held.shape[:2], dtype=torch.float64).index_add_(1, index, d * there)
                total = total + 2 * (held[:, :, j] * cross).sum(dim=1)
            pairs = torch.zeros(self.adapted.n_layers, held.shape[2], held.shape[2], dtype=torch.float64)
            for path, table in self.lora_gram.items():
                pairs[self.adapted.layer_of[path]] += table
            total = total + torch.einsum("blj,ljk,blk->b", held, pairs, held)
        return total.clamp(min=0).sqrt()

    @cached_property
    def diagonals(self) -> Tensor:
        """(K, R) fp64 on the CPU: the diagonal of U^T dW_k V end to end: sigma * (z_k - 1), or that of B_k A_k."""
        out = (self._sigma.double() * self.delta.double()).cpu()
        for k, expert in enumerate(self.experts):
            if isinstance(expert, LoRAExpert):
                for path, part in expert.parts.items():
                    out[k, self.adapted.slices[path]] = diagonal(self.adapted.modules[path], part)
        return out

    @cached_property
    def lora_gram(self) -> dict[str, Tensor]:
        """path -> (n, n) fp64: <B_j A_j, B_k A_k>_F of the n LoRA experts in the order of `columns`."""
        parts = [self.experts[self.names.index(name)].parts for name in self.columns]
        tables = {}
        for path in dict.fromkeys(p for held in parts for p in held):
            there = [held.get(path) for held in parts]
            tables[path] = torch.tensor([[inner(a, b) if a and b else 0.0 for b in there] for a in there], dtype=torch.float64)
        return tables


def _by_layer(alpha: float | tuple[float, ...], layers: int) -> tuple[float, ...]:
    return alpha if isinstance(alpha, tuple) else (alpha,) * layers
