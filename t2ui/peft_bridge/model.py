"""`SVFModel`: puts SVF layers into a model for PEFT, after the base was checked."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from peft.tuners.tuners_utils import (
    BaseTuner,
    BaseTunerLayer,
    _maybe_include_all_linear_layers,
    check_target_module_exists,
)
from torch import Tensor, nn
from tqdm import tqdm

from t2ui.core import decoder_layers
from t2ui.core.svd import Factors, decompose_all
from t2ui.peft_bridge.config import FACTORS, SVFConfig
from t2ui.peft_bridge.layer import SVFAdapterLinear
from t2ui.peft_bridge.mix import svf_mix
from t2ui.peft_bridge.record import check_record, make_record, read_record

__all__ = ["SVFModel"]

FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


class SVFModel(BaseTuner):
    """The tuner behind `get_peft_model(model, SVFConfig())`; use that.

    All refusals (a quantised or Conv1D base, another base than the adapter's record says) come before the model is
    touched. Decompositions are read from t2ui's disk cache, or made and put there.
    """

    prefix = "svf_"
    tuner_layer_cls = SVFAdapterLinear
    target_module_mapping: dict[str, list[str]] = {}

    def inject_adapter(
        self,
        model: nn.Module,
        adapter_name: str,
        autocast_adapter_dtype: bool = True,
        low_cpu_mem_usage: bool = False,
        state_dict: dict[str, Tensor] | None = None,
    ) -> None:
        """As PEFT's, with the checks and decompositions before it.

        Raises:
            ValueError: nothing matches, or a layer that cannot be adapted.
            ExpertError: the adapter belongs to another base (a ValueError too).
        """
        config = self.peft_config[adapter_name]
        if "." in adapter_name or hasattr(nn.ParameterDict, adapter_name):
            raise ValueError(
                f"{adapter_name!r} cannot name an adapter: names with a dot, and words that torch uses itself (half,"
                " float, type, keys, ...), cannot be keys of its parameters; choose another name"
            )
        if any(isinstance(m, SVFAdapterLinear) and m.merged for m in model.modules()):
            raise ValueError("adapters are merged into the weights: call unmerge_adapter() before adding another")
        targets = _targets(model, config, state_dict)
        factors = _factors(targets, config)
        if config.record is not None:
            check_record(config.record, model, targets, factors)
        elif targets:  # else PEFT says, below, what matched nothing
            config.record = make_record(model, targets, factors)
        self._ready = factors
        try:
            super().inject_adapter(model, adapter_name, autocast_adapter_dtype, low_cpu_mem_usage, state_dict)
        finally:
            del self._ready

    def _create_and_replace(
        self,
        peft_config: SVFConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,
        parameter_name: str | None = None,
    ) -> None:
        if isinstance(target, SVFAdapterLinear):
            target.update_layer(adapter_name, peft_config)
            return
        layer = SVFAdapterLinear(target, adapter_name, self._ready[current_key], peft_config)
        if adapter_name not in self.active_adapters:
            layer.requires_grad_(False)
        self._replace_module(parent, target_name, layer, target)

    def _prepare_adapter_config(self, peft_config: SVFConfig, model_config: dict) -> SVFConfig:
        return peft_config  # `_targets` has filled in target_modules

    @classmethod
    def _remap_adapter_state_dict_for_load(
        cls, model: nn.Module, config: SVFConfig, adapter_name: str, state_dict: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """As PEFT's; refuses vectors of another shape and NaN, which torch would tell less clearly or not at all."""
        state_dict = super()._remap_adapter_state_dict_for_load(model, config, adapter_name, state_dict)
        for path, module in model.named_modules():
            z = state_dict.get(f"{path}.svf_z.{adapter_name}")
            if not isinstance(module, SVFAdapterLinear) or z is None:
                continue
            if z.shape != (module.r,) or not bool(torch.isfinite(z).all()):
                found = f"shape {tuple(z.shape)}" if z.shape != (module.r,) else "NaN or infinity"
                raise ValueError(
                    f"adapter {adapter_name!r}: z of {path} has {found}, expected {module.r} finite numbers: the"
                    " adapter file is damaged or of another model; copy it again, or save it from a finite checkpoint"
                )
        return state_dict

    @contextmanager
    def _enable_peft_forward_hooks(self, *args: Any, **kwargs: Any) -> Iterator[None]:
        """Called by PeftModel around forward and generate: rows by adapter name, "__base__" for none."""
        names = kwargs.get("adapter_names")
        if names is None:
            yield
            return
        known = [name for name in self.peft_config if name != "__base__"]
        unknown = sorted({name for name in names if name not in known and name != "__base__"})
        if unknown:
            raise ValueError(f"Trying to infer with non-existing adapter(s): {', '.join(unknown)}; there are {known}")
        with svf_mix(self, [[float(name == k) for k in known] for name in names], known):
            yield

    def add_weighted_adapter(
        self, adapters: Sequence[str], weights: Sequence[float], adapter_name: str, combination_type: str = "linear"
    ) -> None:
        """Add an adapter that is a mix of others: z = 1 + sum_k weight_k (z_k - 1), bitwise as `ExpertStack.z`.

        Where an adapter does not act on a matrix, its z counts as 1. The new adapter is frozen and not active.

        Raises:
            ValueError: unknown adapters, not one weight each, a name in use, modules_to_save, another combination.
        """
        unknown = [name for name in adapters if name not in self.peft_config]
        if unknown or not adapters or len(adapters) != len(weights):
            raise ValueError(
                f"add_weighted_adapter needs one weight for each of some known adapters, got {list(adapters)} with"
                f" {list(weights)}; there are {list(self.peft_config)}"
            )
        if adapter_name in self.peft_config:
            raise ValueError(f"there is an adapter {adapter_name!r} already: choose another name, or delete it first")
        if combination_type != "linear":
            raise ValueError(f"combination_type={combination_type!r}: SVF adapters mix in one way only, 'linear'")
        if any(self.peft_config[name].modules_to_save for name in adapters):
            raise ValueError("an adapter with modules_to_save cannot be mixed: only z can")
        layers = {p: m for p, m in self.model.named_modules() if isinstance(m, SVFAdapterLinear)}
        paths = {p for p, m in layers.items() if any(name in m.svf_z for name in adapters)}
        self.peft_config[adapter_name] = replace(
            self.peft_config[adapters[0]], target_modules=paths, exclude_modules=None, record=None, init_weights=True
        )
        try:
            self.inject_adapter(self.model, adapter_name)
        except Exception:
            del self.peft_config[adapter_name]
            raise
        with torch.no_grad():
            for path in paths:
                layer = layers[path]
                z = torch.ones_like(layer.svf_z[adapter_name])
                for name, weight in zip(adapters, weights):  # one by one, as t2ui does it
                    if name in layer.svf_z:
                        z += weight * (layer.svf_z[name].to(z) - 1)
                layer.svf_z[adapter_name].copy_(z)


def _targets(model: nn.Module, config: SVFConfig, state_dict: Mapping[str, Tensor] | None) -> dict[str, nn.Module]:
    """The modules this adapter will act on, path -> module, all fit for it; resolves `config.target_modules`."""
    if config.record is not None and state_dict is None:
        config.target_modules = set(read_record(config.record).z)  # these and no others, whatever else would match
    elif config.target_modules is None:
        config.target_modules = set(_language_linears(model))
    _maybe_include_all_linear_layers(config, model)
    inside = _inside(dict(model.named_modules()))
    wanted = None if state_dict is None else {key.rsplit(".svf_", 1)[0] for key in state_dict}
    found = {}
    for path, module in model.named_modules():
        if not path or path.startswith(inside):
            continue
        if check_target_module_exists(config, path) if wanted is None else path in wanted:
            found[path] = module
    shared: dict[int, str] = {}
    for path, module in found.items():
        linear = module.get_base_layer() if isinstance(module, BaseTunerLayer) else module
        _check_linear(path, linear)
        if shared.setdefault(id(linear.weight), path) != path:
            raise ValueError(
                f"{path} and {shared[id(linear.weight)]} share one weight, which can be adapted only once: leave one"
                " out by exclude_modules"
            )
    return found


def _inside(names: Mapping[str, nn.Module]) -> tuple[str, ...]:
    """What the paths of modules within an adapter's layer begin with."""
    return tuple(f"{path}." for path, module in names.items() if isinstance(module, BaseTunerLayer))


def _language_linears(model: nn.Module) -> list[str]:
    """Paths of the linear layers of the decoder layers: what t2ui adapts by itself."""
    try:
        prefix, blocks = decoder_layers(model)
    except ValueError as error:
        raise ValueError(f"{error}; or say which layers to adapt: SVFConfig(target_modules=[...])") from None
    names = dict(blocks.named_modules(prefix=prefix))
    inside = _inside(names)
    found = [
        path for path, m in names.items() if isinstance(m, (nn.Linear, BaseTunerLayer)) and not path.startswith(inside)
    ]
    if not found:
        raise ValueError(
            f"the decoder layers {prefix} hold no nn.Linear (but"
            f" {', '.join(sorted({type(m).__name__ for m in names.values()}))}): SVF adapts nn.Linear only;"
            " GPT-2's Conv1D keeps its matrices transposed and is not supported. Use a model of the Llama kind"
        )
    return found


def _check_linear(path: str, linear: nn.Module) -> None:
    kind = type(linear).__name__
    if kind == "Conv1D":
        raise ValueError(
            f"{path} is a Conv1D (GPT-2), which keeps its matrix transposed: SVF adapts nn.Linear only. Use a model of"
            " the Llama kind, or leave these modules out by target_modules or exclude_modules"
        )
    weight = getattr(linear, "weight", None)
    if hasattr(linear, "qweight") or (isinstance(weight, Tensor) and weight.dtype not in FLOATS):
        held = getattr(linear, "qweight", weight).dtype
        raise ValueError(
            f"{path} is quantised ({kind} with {held} weights): its singular vectors are not at hand. Load the model"
            " without quantization_config, in bfloat16 if memory is short; or leave the module out by exclude_modules"
        )
    if not isinstance(linear, nn.Linear):
        raise ValueError(
            f"{path} is a {kind}: SVF adapts nn.Linear only; leave it out by target_modules or exclude_modules"
        )
    if weight.device.type == "meta":
        raise ValueError(f"{path} has no weight in memory (meta device, or offloaded): load the model's weights first")


def _factors(targets: Mapping[str, nn.Module], config: SVFConfig) -> dict[str, Factors]:
    """Factors of every target: those of layers that are SVF layers already, else from the cache, else made now."""
    from t2ui.engine.model import default_cache  # the folder that the page and the commands use too

    factors = {p: Factors(m.U, m.sigma, m.Vh) for p, m in targets.items() if isinstance(m, SVFAdapterLinear)}
    weights = {
        path: (module.get_base_layer() if isinstance(module, BaseTunerLayer) else module).weight
        for path, module in targets.items()
        if path not in factors
    }
    kind, notes = FACTORS[config.factors_dtype], set()
    with tqdm(total=len(weights), desc="SVF: singular values", unit="matrix", disable=None, leave=False) as bar:
        for report in decompose_all(weights, default_cache(config.svd_cache)):
            found = report.factors
            factors[report.path] = found._replace(U=found.U.to(kind), Vh=found.Vh.to(kind))
            notes |= {report.note} - {""}
            bar.update()
    for note in notes:
        warnings.warn(f"SVF decompositions: {note}", stacklevel=2)
    return {path: factors[path] for path in targets}
