"""`svf_mix`: every row of a batch runs with its own mix of the adapters, z_b = 1 + sum_k alpha_bk (z_k - 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from t2ui.peft_bridge.layer import SVFAdapterLinear

__all__ = ["svf_mix"]


@contextmanager
def svf_mix(
    model: nn.Module, alphas: Tensor | Sequence[Sequence[float]], names: Sequence[str] | None = None
) -> Iterator[None]:
    """Within the block row b of every batch runs with the mix alphas[b]; no weight is written.

        with svf_mix(model, [[0.6, 0.2], [0, 1]], ["math", "code"]):
            model.generate(**two_prompts)

    Numbers per row are the primitive; PEFT's `adapter_names` is the special case of a one-hot row. It overrides the
    active adapters. Beams and returned sequences belong to the row they come from. For inference: neither alphas nor
    z receive gradients (train one adapter at a time; a training step with gradient checkpointing runs its layers
    again after the block has closed). Blocks do not nest.

    Args:
        model: a PeftModel, or any model with SVF layers in it.
        alphas: (B, K); all zeros is the base model; (1, K) serves every batch.
        names: the K adapters; None = all, in the order they were added.

    Raises:
        ValueError: no SVF layers, unknown adapters, another shape, NaN, adapters merged, training mode, nested.
    """
    layers = [module for module in model.modules() if isinstance(module, SVFAdapterLinear)]
    known = list(dict.fromkeys(name for layer in layers for name in layer.svf_z))
    names = known if names is None else list(names)
    table = torch.as_tensor(alphas, dtype=torch.float32).detach()
    _check(model, layers, known, names, table)
    with ExitStack() as stack:
        for module in model.modules():
            if callable(getattr(type(module), "_expand_inputs_for_generation", None)):
                stack.enter_context(_expanding(module, layers))
        try:
            for layer in layers:
                layer.rows = {table.shape[0]: _scale(layer, table, names)}
            yield
        finally:
            for layer in layers:
                layer.rows = None


def _check(
    model: nn.Module, layers: Sequence[SVFAdapterLinear], known: Sequence[str], names: Sequence[str], table: Tensor
) -> None:
    if not layers:
        raise ValueError("this model has no SVF layers: add an adapter with get_peft_model(model, SVFConfig()) first")
    unknown = [name for name in names if name not in known]
    if unknown or len(set(names)) != len(names):
        raise ValueError(
            f"names {', '.join(map(repr, names))}: expected different ones among {', '.join(map(repr, known))}"
        )
    if table.dim() != 2 or table.shape[1] != len(names) or table.shape[0] == 0:
        raise ValueError(
            f"alphas have shape {tuple(table.shape)}: expected (rows of the batch, {len(names)}), one number per row"
            f" and adapter ({', '.join(names)})"
        )
    if not bool(torch.isfinite(table).all()):
        raise ValueError("alphas hold NaN or infinity: expected finite numbers (0 = the adapter does not act)")
    if model.training:
        raise ValueError("mixing by row is for inference, and the model is in training mode: call model.eval() first")
    if any(layer.merged for layer in layers):
        raise ValueError("adapters are merged into the weights: call unmerge_adapter() before mixing by row")
    if any(layer.rows is not None for layer in layers):
        raise ValueError("a svf_mix block (or a call with adapter_names) is open already: leave it first")


@torch.no_grad()
def _scale(layer: SVFAdapterLinear, table: Tensor, names: Sequence[str]) -> Tensor:
    """sigma * (z_b - 1) of one layer, (B, r) fp32 on the layer's device."""
    change = layer.sigma.new_zeros(table.shape[0], layer.r)
    for k, name in enumerate(names):  # one by one: a mix gives the same bits alone and in any batch
        if name in layer.svf_z:
            change += table[:, k : k + 1].to(change) * (layer.svf_z[name].detach().to(change) - 1)
    return layer.sigma * change


@contextmanager
def _expanding(module: nn.Module, layers: Sequence[SVFAdapterLinear]) -> Iterator[None]:
    """While open, `generate` of this model repeats the rows of the mix when it repeats its inputs (num_beams,
    num_return_sequences): the one place where transformers knows by how much, whichever way it was told."""
    original = module._expand_inputs_for_generation

    def expand(*args: Any, **kwargs: Any) -> Any:
        times = kwargs.get("expand_size", args[0] if args else 1)
        for layer in layers:
            rows = next(iter(layer.rows.values()))
            layer.rows = {rows.shape[0]: rows, rows.shape[0] * times: rows.repeat_interleave(times, dim=0)}
        return original(*args, **kwargs)

    module._expand_inputs_for_generation = expand
    try:
        yield
    finally:
        del module._expand_inputs_for_generation
