"""`SVFAdapterLinear`: the PEFT layer around one linear layer.

It adds the change of the weight to what the wrapped layer computes, y = base(x) + ((x Vh^T) * (sigma * (z - 1))) U^T
(the deviation form): at z = 1 that is the base bit for bit, and what is wrapped may itself be an adapter (LoRA).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from peft.tuners.tuners_utils import BaseTunerLayer, check_adapters_to_merge
from torch import Tensor, nn

from t2ui.core.svd import Factors
from t2ui.core.svf import SVFLinear
from t2ui.peft_bridge.config import SVFConfig

__all__ = ["SVFAdapterLinear"]


class SVFAdapterLinear(nn.Module, BaseTunerLayer):
    """A linear layer with any number of SVF adapters; the z of those that are active add up (as deviations from 1).

    PEFT finds linear layers that are wrapped already by the word "Linear" in the class name.

    Attributes:
        base_layer: what is wrapped: an nn.Linear, or another adapter around one.
        svf_z: adapter name -> z (r,), fp32. All that is trained, and all that is saved.
        U, sigma, Vh: factors of the plain weight. Plain attributes and not buffers: never in a state_dict, and not
            broadcast in every step of distributed training. They keep their dtype, and follow the layer's device.
        rows: None, or row counts -> (rows, r) fp32, sigma * (z - 1) of every row of the batch; set by `svf_mix`.
    """

    adapter_layer_names = ("svf_z",)

    def __init__(self, base_layer: nn.Module, adapter_name: str, factors: Factors, config: SVFConfig):
        nn.Module.__init__(self)
        self.base_layer = base_layer
        linear = self.get_base_layer()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.U, self.sigma, self.Vh = factors
        self.r = int(factors.sigma.numel())
        self.svf_z = nn.ParameterDict()
        self.rows: dict[int, Tensor] | None = None
        self.merged_adapters: list[str] = []
        self._merged: Merged | None = None
        self._active_adapter = adapter_name
        self.train(base_layer.training)
        self.update_layer(adapter_name, config)

    def update_layer(self, adapter_name: str, config: SVFConfig, **kwargs: Any) -> None:
        """Add an adapter at z = 1 (or around it: `init_weights=False`)."""
        z = torch.ones(self.r)
        if not config.init_weights:
            z += 0.3 * torch.randn(self.r)
        self.svf_z[adapter_name] = nn.Parameter(z)
        self._move_adapter_to_device_of_base_layer(adapter_name)
        self.set_adapter(self.active_adapters, inference_mode=config.inference_mode)

    def _move_adapter_to_device_of_base_layer(self, adapter_name: str, device: torch.device | None = None) -> None:
        """To the base's device, but not to its dtype: bf16 has too few digits around 1."""
        parameter = self.svf_z[adapter_name]
        if parameter.device.type != "meta":  # low_cpu_mem_usage: filled later
            parameter.data = parameter.data.to(device or self.weight.device, torch.float32)

    # -- what it computes

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """x (..., in) -> (..., out)."""
        if self.disable_adapters:
            if self.merged:
                self.unmerge()
            return self.base_layer(x, *args, **kwargs)
        y = self.base_layer(x, *args, **kwargs)
        names = self._here(self.active_adapters)
        if self.merged or (self.rows is None and not names):
            return y
        if self.U.device != x.device:  # an offloaded layer, or a replica of DataParallel
            self.U, self.sigma, self.Vh = (factor.to(x.device) for factor in (self.U, self.sigma, self.Vh))
        scale = self.sigma * (self.z(names) - 1) if self.rows is None else self._row_scale(x)
        h = F.linear(self._cast_input_dtype(x, self.Vh.dtype), self.Vh)
        return (y + F.linear((h * scale).to(self.U.dtype), self.U)).to(y.dtype)

    def z(self, names: Iterable[str]) -> Tensor:
        """1 + sum_k (z_k - 1) over adapters, (r,) fp32; differentiable."""
        total = torch.ones_like(self.sigma)
        for name in names:
            total = total + (self.svf_z[name].to(total) - 1)
        return total

    def _row_scale(self, x: Tensor) -> Tensor:
        """The rows' scales, shaped to multiply (B, T, r) or (B, r)."""
        count = x.shape[0]
        scale = self.rows.get(count, next(iter(self.rows.values())) if 1 in self.rows else None)
        if scale is None or x.dim() > 3:
            raise ValueError(
                f"svf_mix or adapter_names: {' or '.join(str(n) for n in self.rows)} rows were given, but a layer was"
                f" called with a batch of shape {tuple(x.shape)}: give one entry per row. Models that flatten or"
                " regroup their tokens (mixtures of experts, packed sequences) cannot be mixed by row"
            )
        return (scale if scale.dim() == x.dim() else scale.unsqueeze(1)).to(x.device)

    def _here(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self.svf_z]

    # -- merging

    @torch.no_grad()
    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        """Write adapters into the weight, exactly as t2ui folds them; the pristine weight is kept.

        Args:
            safe_merge: refuse a result that is not finite.
            adapter_names: which; None = the active ones.

        Raises:
            ValueError: safe_merge found NaN or infinity; the weight is as it was.
        """
        names = self._here(check_adapters_to_merge(self, adapter_names))
        if not names:
            return
        linear = self.get_base_layer()
        pristine = self._without_merged()
        z = self.z([*self.merged_adapters, *names])
        fold = SVFLinear(linear, Factors(self.U, self.sigma, self.Vh))
        fold.pristine = pristine
        changed = fold.adapted_weight(z) if bool((z != 1).any()) else pristine
        if safe_merge and not bool(torch.isfinite(changed).all()):
            raise ValueError(f"NaN or infinity in the merged weights: the adapters {', '.join(names)} seem to be broken")
        kept = pristine if self.merged else pristine.clone()
        linear.weight.copy_(changed)
        self._merged = Merged(kept, z, checksum(linear.weight))
        self.merged_adapters += names

    @torch.no_grad()
    def unmerge(self) -> None:
        """Take the adapters out of the weight: bit for bit what it was."""
        if not self.merged:
            warnings.warn("Already unmerged. Nothing to do.", stacklevel=2)
            return
        self.get_base_layer().weight.copy_(self._without_merged())
        self._merged, self.merged_adapters = None, []

    def _without_merged(self) -> Tensor:
        """The weight as it would be without what this layer merged.

        That is the copy kept. Unless somebody else wrote to the weight in between (an outer LoRA unmerges before this
        layer does, and its part is in the copy): then this layer's own part is subtracted, which is not bitwise.
        """
        weight = self.get_base_layer().weight.detach()
        if self._merged is None:
            return weight
        if checksum(weight) == self._merged.checksum:
            return self._merged.pristine
        return (weight.float() - self._change(self._merged.z)).to(weight.dtype)

    def _change(self, z: Tensor) -> Tensor:
        """W' - W = (U * (sigma * (z - 1))) Vh, (out, in), fp32."""
        return (self.U * (self.sigma * (z - 1))).float() @ self.Vh.float()

    @torch.no_grad()
    def get_delta_weight(self, adapter: str) -> Tensor:
        """What the adapter adds to the weight, (out, in), fp32."""
        return self._change(self.svf_z[adapter].to(self.sigma))

    def supports_lora_conversion(self, adapter_name: str = "default") -> bool:
        """`peft.convert_to_lora` works."""
        return True

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> SVFAdapterLinear:
        """`.to()`, `.half()`, ...: factors and z follow the device and keep their dtype; a kept weight follows both."""
        held = {name: z.data for name, z in self.svf_z.items()}
        untouched = self._merged is not None and checksum(self.weight) == self._merged.checksum
        super()._apply(fn, recurse)

        def moved(tensor: Tensor) -> Tensor:
            return tensor.to(fn(tensor.detach()[:0]).device)

        self.U, self.sigma, self.Vh = moved(self.U), moved(self.sigma), moved(self.Vh)
        for name, z in held.items():
            self.svf_z[name].data = moved(z)
        if self._merged is not None:
            now = checksum(self.weight) if untouched else self._merged.checksum
            self._merged = Merged(fn(self._merged.pristine), moved(self._merged.z), now)
        return self

    def __repr__(self) -> str:
        return "svf." + super().__repr__()


class Merged:
    """What a merge leaves: the pristine weight (out, in), the z (r,) written, and the checksum of the result."""

    def __init__(self, pristine: Tensor, z: Tensor, checksum: int):
        self.pristine, self.z, self.checksum = pristine.detach(), z.detach(), checksum


def checksum(weight: Tensor) -> int:
    """Sum of the bit patterns: exact, the same in any order of summation, and computed where the weight is."""
    kind = {2: torch.int16, 4: torch.int32, 8: torch.int64}[weight.element_size()]
    return int(weight.detach().view(kind).sum(dtype=torch.int64))
