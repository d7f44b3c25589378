"""PEFT models with SVF adapters for the tests of t2ui.peft_bridge; importing this needs peft."""

import torch
from peft import PeftModel, get_peft_model
from torch import nn

from t2ui.peft_bridge import SVFAdapterLinear, SVFConfig


def svf(model: nn.Module, *names: str, **config: object) -> PeftModel:
    """A PEFT model in evaluation mode with adapters of these names, all at z = 1; the first is active."""
    names = names or ("default",)
    wrapped = get_peft_model(model, SVFConfig(task_type="CAUSAL_LM", **config), adapter_name=names[0])
    for name in names[1:]:
        wrapped.add_adapter(name, SVFConfig(task_type="CAUSAL_LM", **config))
    return wrapped.eval()


def layers(model: nn.Module) -> dict[str, SVFAdapterLinear]:
    """The SVF layers by the path that they have in the base."""
    base = model.get_base_model() if isinstance(model, PeftModel) else model
    return {p.replace(".base_layer", ""): m for p, m in base.named_modules() if isinstance(m, SVFAdapterLinear)}


@torch.no_grad()
def put(model: nn.Module, name: str, z: torch.Tensor) -> dict[str, torch.Tensor]:
    """Write an end-to-end vector (in the order of t2ui's attach) into an adapter; returns it by path."""
    parts, start = {}, 0
    for path, layer in layers(model).items():
        parts[path] = z[start : start + layer.r].clone()
        layer.svf_z[name].copy_(parts[path])
        start += layer.r
    assert start == z.numel()
    return parts


def weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Every tensor of the base by its plain name."""
    return {
        key.replace(".base_layer", "").removeprefix("base_model.model."): tensor.detach().clone()
        for key, tensor in model.state_dict().items()
        if ".svf_z." not in key
    }


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)
