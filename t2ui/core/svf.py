"""`SVFLinear`: a linear layer that can run with its singular values rescaled (SVF, arXiv 2501.06252, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from t2ui.core.svd import Factors

__all__ = ["BOUNDS", "MODES", "Placed", "RowState", "SVFLinear"]

MODES = ("off", "fold", "rows", "train")

# Fold, rows and a float64 computation of one mix agree within this share of the largest reference value, by dtype of
# the weights (outputs of one layer and logits of whole models; tests/core/test_adapted.py holds them to it).
BOUNDS = {torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}


@dataclass
class RowState:
    """What all adapted layers of one model share; written by `Adapted` only.

    Attributes:
        mode: one of `MODES`.
        scale: rows mode: (B, R) sigma * z of all matrices end to end, fp32; one row (1, R) serves any batch. Behind them, (B,
            R + n), the alphas of LoRA experts (see `Adapted.place`).
        index: None (row b of the batch reads row b of `scale`), or (B,) or (B, T) row numbers into `scale`.
    """

    mode: str = "off"
    scale: Tensor | None = None
    index: Tensor | None = None


class Placed(NamedTuple):
    """The LoRA experts of one matrix, one below the other in the order in which they came.

    Attributes:
        A: (p, in) and B: (out, p), in the factors' dtype, where they are; a LoRA's own scale is in B.
        at: (p,) int64: the column of the scale that holds the alpha of each row of A.
        ends: (column, rows of A) per expert: scales with more columns than that act on at least so many rows.
    """

    A: Tensor
    B: Tensor
    at: Tensor
    ends: tuple[tuple[int, int], ...]


class SVFLinear(nn.Linear):
    """y = x W'^T + bias with W' = U diag(sigma * z) Vh, in four modes.

    * off: W' = W. `F.linear(x, weight, bias)`, bitwise the layer it replaced.
    * fold: W' = W + (U * (sigma * (z - 1))) Vh was written into `weight` once; the same call.
    * rows: row b has its own z: y_b = ((x_b Vh^T) * (sigma * z_b)) U^T + bias; nothing is written into W. LoRA experts add
      ((x_b A^T) * alphas_b) B^T, all of them in two multiplications, however many ranks they have.
    * train: W' is formed in every forward and backward pass from the parameter `z`; gradients reach x and z only.

    `weight` and `bias` are the very parameters of the layer it replaced, so state_dict keys do not change; the
    factors and z are not part of state_dict. Factors keep their dtype when the model is cast, and move with it.
    """

    def __init__(self, linear: nn.Linear, factors: Factors, state: RowState | None = None, start: int = 0):
        """Args: linear: (out, in) layer to stand in for; factors: of its weight; state, start: shared scale buffer
        and where in it this matrix' r entries begin."""
        nn.Module.__init__(self)  # not nn.Linear's: it would allocate a weight
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight, self.bias = linear.weight, linear.bias
        self.training = linear.training
        self.U, self.sigma, self.Vh = factors  # plain attributes, see _apply
        self.r = int(factors.sigma.numel())
        self.state = state if state is not None else RowState()
        self.start = start
        self.pristine: Tensor | None = None  # W, while a fold is in `weight`
        self.placed: Placed | None = None  # LoRA experts, by `Adapted.place`
        self._z: list[nn.Parameter] = []  # in a list: must not be registered, state_dict keys stay the same

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out); in rows mode x is (B, T, in) or (B, in)."""
        mode = self.state.mode
        if mode == "rows":
            if x.dtype == self.Vh.dtype == torch.float32:  # nothing to cast: 42 small layers a token feel every call
                y = F.linear(F.linear(x, self.Vh) * self._row_scale(x), self.U, self.bias)
                return y if self.placed is None else self._low_rows(x, y)
            h = F.linear(x.to(self.Vh.dtype), self.Vh)
            h = (h * self._row_scale(x)).to(self.U.dtype)
            bias = None if self.bias is None else self.bias.to(self.U.dtype)
            y = F.linear(h, self.U, bias)
            return (y if self.placed is None else self._low_rows(x, y)).to(x.dtype)
        if mode == "train":
            return _Trained.apply(x, self._z[0], self)
        return F.linear(x, self.weight, self.bias)

    def adapted_weight(self, z: Tensor, low: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """W + (U * (sigma * (z - 1))) Vh, computed in fp32, in W's dtype; z (r,). Differentiable in z.

        Args: low: A (k, in) and B (out, k): B A is added as well.
        """
        W = self.weight if self.pristine is None else self.pristine
        change = (self.U * (self.sigma * (z - 1))).float() @ self.Vh.float()
        if low is not None:
            A, B = (t.to(change.device).float() for t in low)
            change = change + B @ A
        return (W.detach().float() + change).to(W.dtype)

    def _row_scale(self, x: Tensor) -> Tensor:
        """This matrix' part of the scales, shaped to multiply (B, T, r) or (B, r)."""
        return self._per_row(self.state.scale[:, self.start : self.start + self.r], x)

    def _low_rows(self, x: Tensor, y: Tensor) -> Tensor:
        """y and what LoRA experts add to it; y itself for scales that end before their alphas (nobody has one)."""
        A, B, at, ends = self.placed
        n = max((rows for column, rows in ends if column < self.state.scale.shape[1]), default=0)
        if not n:
            return y
        alphas = self._per_row(self.state.scale.index_select(1, at[:n].to(self.state.scale.device)), x)
        h = F.linear(x.to(A.dtype), A[:n])
        return y + F.linear((h * alphas).to(B.dtype), B[:, :n])

    def _per_row(self, scale: Tensor, x: Tensor) -> Tensor:
        """Columns of the scales, shaped to multiply (B, T, columns) or (B, columns)."""
        if self.state.index is not None:
            scale = scale[self.state.index]
        if scale.device != self.sigma.device:  # of a model spread over GPUs, each has its own
            scale = scale.to(self.sigma.device)
        if scale.shape[0] != x.shape[0] and scale.shape[0] != 1:
            raise ValueError(
                f"rows: the batch has {x.shape[0]} rows but the scale or index has {scale.shape[0]}: give one per row"
            )
        return scale if scale.dim() == x.dim() else scale.unsqueeze(1)

    @torch.no_grad()
    def fold(self, z: Tensor, low: tuple[Tensor, Tensor] | None = None) -> bool:
        """Write W' into `weight`, from the pristine W; False (and W as it was) where z is 1 everywhere and `low` is None."""
        z = z.to(self.sigma.device, torch.float32)
        if low is None and bool((z == 1).all()):
            self.unfold()
            return False
        changed = self.adapted_weight(z, low)
        if self.pristine is None:
            self.pristine = self.weight.detach().clone()
        self.weight.copy_(changed)
        return True

    @torch.no_grad()
    def unfold(self) -> None:
        """Put the pristine W back, bit for bit."""
        if self.pristine is not None:
            self.weight.copy_(self.pristine)
            self.pristine = None

    @property
    def z(self) -> nn.Parameter | None:
        """The trainable z (r,), fp32, or None outside of train mode."""
        return self._z[0] if self._z else None

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> SVFLinear:
        """`.to()`, `.half()`, ...: factors, z and the pristine W follow the device; factors and z keep their dtype."""
        super()._apply(fn, recurse)

        def moved(tensor: Tensor) -> Tensor:
            return tensor.to(fn(tensor.detach()[:0]).device)

        self.U, self.sigma, self.Vh = moved(self.U), moved(self.sigma), moved(self.Vh)
        if self.placed is not None:
            self.placed = self.placed._replace(**{k: moved(getattr(self.placed, k)) for k in ("A", "B", "at")})
        if self._z:
            self._z[0].data = moved(self._z[0].data)
        if self.pristine is not None:
            self.pristine = fn(self.pristine)
        return self

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, r={self.r}, mode={self.state.mode}"


class _Trained(torch.autograd.Function):
    """y = x W'(z)^T + bias, keeping x and z only: autograd by itself would keep W' and fp32 copies of the factors of every
    matrix until the backward pass (Llama-3-8B in bf16: 38.9 GB and 14.0 GB, from the shapes).

    With g the gradient at y: that at x is g W', and dL/dz_i = sigma_i u_i' (g' x) v_i = sigma_i sum_t (g_t . u_i)(x_t . v_i).
    """

    @staticmethod
    def forward(ctx, x: Tensor, z: Tensor, module: SVFLinear) -> Tensor:
        ctx.save_for_backward(x, z)
        kind = x.device.type
        ctx.module = module
        ctx.autocast = {"device_type": kind, "dtype": torch.get_autocast_dtype(kind), "enabled": torch.is_autocast_enabled(kind)}
        return F.linear(x, module.adapted_weight(z), module.bias)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (x, z), m = ctx.saved_tensors, ctx.module
        at_x = at_z = None
        with torch.autocast(**ctx.autocast):  # as the forward pass computed; a backward pass runs outside of it
            if ctx.needs_input_grad[0]:
                at_x = (g @ m.adapted_weight(z).to(g.dtype)).to(x.dtype)
            if ctx.needs_input_grad[1]:
                left, right = g.to(m.U.dtype) @ m.U, F.linear(x.to(m.Vh.dtype), m.Vh)
                at_z = m.sigma * (left.float() * right.float()).reshape(-1, m.r).sum(dim=0)
        return at_x, at_z, None
