"""Which modules of a model are adapted: the linear layers of the language model's decoder layers, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from torch import nn

__all__ = ["GROUPS", "NOT_LANGUAGE", "decoder_layers", "pick"]

GROUPS = {
    "all": r"",
    "attention": r"\.(self_attn|self_attention|attention|attn)\.",
    "mlp": r"\.(mlp|feed_forward|ffn)\.",
}
NOT_LANGUAGE = re.compile(
    r"(^|\.)(vision\w*|visual|image\w*|audio\w*|multi_modal_projector|mm_projector|encoder)(\.|$)"
)


def decoder_layers(model: nn.Module) -> tuple[str, nn.ModuleList]:
    """Path and list of the language model's decoder layers.

    Of all `ModuleList`s outside the vision tower and projector, the one with most parameters; inside
    `model.get_decoder()` where the model has that (transformers does).

    Raises:
        ValueError: there is none.
    """
    names = {id(module): name for name, module in model.named_modules()}
    decoder = model.get_decoder() if callable(getattr(model, "get_decoder", None)) else None
    if decoder is None or id(decoder) not in names:
        decoder = model
    root = names[id(decoder)]
    found: list[tuple[int, str, nn.ModuleList]] = []
    for name, module in decoder.named_modules(prefix=root):
        if isinstance(module, nn.ModuleList) and len(module) and not NOT_LANGUAGE.search(name):
            found.append((sum(p.numel() for p in module.parameters()), name, module))
    if not found:
        raise ValueError(
            f"no decoder layers found in {type(model).__name__}: expected a Llama-type causal language model whose"
            " layers are in an nn.ModuleList outside of any vision tower; load one with AutoModelForCausalLM or"
            " AutoModelForImageTextToText"
        )
    _, name, layers = max(found, key=lambda item: item[0])  # the first of equals
    return name, layers


def pick(
    model: nn.Module, targets: str = "all", layers: Iterable[int] | int | None = None, groups: Mapping[str, str] = GROUPS
) -> tuple[str, nn.ModuleList, dict[str, nn.Linear], dict[str, int]]:
    """What `attach` would adapt: path of the decoder layers, the layers, path -> linear layer, path -> layer number.

    Reads no weight, so that it also serves a model without any (meta device). Arguments and errors as `attach`.
    """
    prefix, blocks = decoder_layers(model)
    chosen = _chosen_layers(layers, len(blocks))
    linears = {name: m for name, m in blocks.named_modules(prefix=prefix) if isinstance(m, nn.Linear)}
    pattern = _pattern(targets, groups)
    layer_of = {p: int(p[len(prefix) + 1 :].split(".")[0]) for p in linears}
    picked = {p: m for p, m in linears.items() if layer_of[p] in chosen and pattern.search(p)}
    if not picked:
        kinds = sorted({p.rsplit(".", 1)[-1] for p in linears})
        raise ValueError(
            f"targets={targets!r}, layers={sorted(chosen)} match no linear layer of {prefix}: expected 'all',"
            f" 'attention', 'mlp' or a regular expression for paths such as {next(iter(linears), 'none')!r};"
            f" there are {', '.join(kinds) or 'no nn.Linear modules'}"
        )
    return prefix, blocks, picked, layer_of


def _chosen_layers(layers: Iterable[int] | int | None, n: int) -> set[int]:
    if layers is None:
        return set(range(n))
    chosen = {layers} if isinstance(layers, int) else set(layers)
    wrong = sorted(i for i in chosen if not 0 <= i < n)
    if wrong or not chosen:
        raise ValueError(
            f"layers={wrong or 'none'}: the model has layers 0 to {n - 1}; give a range or a list of those"
        )
    return chosen


def _pattern(targets: str, groups: Mapping[str, str]) -> re.Pattern[str]:
    try:
        return re.compile(groups.get(targets, targets))
    except re.error as error:
        raise ValueError(
            f"targets={targets!r} is neither 'all', 'attention' or 'mlp' nor a regular expression: {error}"
        ) from None
