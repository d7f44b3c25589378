"""Looking at one singular component: the tokens it reads and writes, its z in every expert, the prompts that excite it most.

A matrix reads from the residual stream or writes to it, not both: q, k, v, gate and up read from it and write inside their
block, o and down read inside their block and write to it. Only the residual side can be laid over the vocabulary: the direction
(through the norm that stands there) against the embedding, or against the unembedding. Of the inner side the attention heads or
the strongest neurons are told instead.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from t2ui.core import Mix, component, decoder_layers, ends, excitation, parts_of, z_of

from .decode import batches
from .errors import RequestError
from .model import Encoded, Loaded
from .request import Request
from .score import teacher_forced

ENDS, NEURONS, KEPT = 8, 8, 8  # tokens at each end, strongest neurons, prompts kept
BEFORE, AFTER = 16, 6  # tokens of a prompt shown round the one that excited the component
ROWS = 16


@dataclass(frozen=True)
class Side:
    """One side of a component: what it reads (v) or what it writes (u).

    Attributes:
        kind: ``tokens``: the residual stream, ``plus`` and ``minus`` are (token's text, score in standard deviations over the
            vocabulary); ``heads``: attention heads, ``shares`` are their parts of |vector|^2; ``neurons``: of the MLP, ``strongest``
            are (number, weight); ``unknown``: the model's kind is not in the table.
    """

    kind: str
    plus: tuple[tuple[str, float], ...] = ()
    minus: tuple[tuple[str, float], ...] = ()
    shares: tuple[float, ...] = ()
    strongest: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class Excited:
    """A prompt and the token at which |v . x| is largest in it.

    Attributes:
        prompt: its number in the list given. value: v . x there, with its sign. before, token, after: the text round it; picture:
            the token is part of a picture (``token`` is its number there).
    """

    prompt: int
    value: float
    before: str
    token: str
    after: str
    picture: bool = False


@dataclass(frozen=True)
class ComponentReport:
    """What is known of a component at one moment; the first report has everything but the prompts.

    Attributes:
        z: by expert; now: its z in the mix asked for. done, total: prompts read so far. excited: the strongest, falling |value|.
        over: nothing follows.
    """

    path: str
    layer: int
    index: int
    rank: int
    sigma: float
    z: dict[str, float]
    now: float
    reads: Side
    writes: Side
    done: int = 0
    total: int = 0
    excited: tuple[Excited, ...] = field(default=())
    over: bool = False


@torch.no_grad()
def inspect_component(
    loaded: Loaded, path: str, index: int, prompts: Sequence[tuple[str, Any]], mix: Mix | None = None,
    stop: threading.Event | None = None,
) -> Iterator[ComponentReport]:  # fmt: skip
    """Look at one component, a batch of prompts a step.

    Args:
        path, index: which (0 = the largest singular value).
        prompts: (text, picture or None); those that this model cannot read are left out.
        mix: how the model is adapted while it reads them (default: the base); rows, no weight is written.
        stop: looked at between batches.

    Raises:
        RequestError: an unknown matrix or component, or a mix that cannot be applied.
    """
    mix = Mix.base() if mix is None else mix
    loaded.check_mix(mix)
    try:
        one = component(loaded.adapted, path, index)
    except ValueError as error:
        raise RequestError(str(error)) from error
    place = loaded.adapted.at(path, index)
    reads, writes = sides(loaded, path, one.v, one.u)
    report = ComponentReport(path, loaded.adapted.layer_of[path], index, loaded.adapted.ranks[path], one.sigma,
                             z_of(loaded.stack, path, index), float(loaded.stack.z(mix)[place]), reads, writes)  # fmt: skip
    encoded = _readable(loaded, prompts, mix)
    report = replace(report, total=len(encoded), over=not encoded)
    yield report
    numbers = list(encoded)
    for rows in batches(list(encoded.values()), range(len(numbers)), ROWS):
        if stop is not None and stop.is_set():
            break
        loaded.breathe()
        contexts = [encoded[numbers[i]] for i in rows]
        found = _strongest(loaded, path, one.v, contexts, mix)
        told = [_told(loaded, numbers[i], c, *at) for i, c, at in zip(rows, contexts, found, strict=True) if at is not None]
        kept = sorted((*report.excited, *told), key=lambda e: -abs(e.value))[:KEPT]
        report = replace(report, done=report.done + len(rows), excited=tuple(kept))
        yield report
    if not report.over:
        yield replace(report, over=True)


# -- what it reads and writes ------------------------------------------------------------------------------


def sides(loaded: Loaded, path: str, v: torch.Tensor, u: torch.Tensor) -> tuple[Side, Side]:
    """(reads, writes) of the matrix at ``path`` along v (in,) and u (out,)."""
    last = path.rsplit(".", 1)[-1]
    attention = loaded.architecture.attention or ("q_proj", "k_proj", "v_proj", "o_proj")
    mlp = loaded.architecture.mlp or ("gate_proj", "up_proj", "down_proj")
    if last not in (*attention, *mlp):
        return Side("unknown"), Side("unknown")
    inner = "heads" if last in attention else "neurons"
    if last in (attention[-1], mlp[-1]):
        head = loaded.model.get_output_embeddings()
        return _inner(loaded, inner, v), _tokens(loaded, head.weight, u, [*_norms(loaded, path, inner, False), _final(loaded)])
    table = loaded.model.get_input_embeddings().weight
    return _tokens(loaded, table, v, _norms(loaded, path, inner, True)), _inner(loaded, inner, u)


def _tokens(loaded: Loaded, table: torch.Tensor, direction: torch.Tensor, norms: Sequence[Any]) -> Side:
    for norm in norms:  # an RMS norm of a vector is g * vector up to a factor, which scores do not see; and g is its own adjoint
        if norm is not None:
            weight = next(norm.parameters(), table)
            direction = norm(direction.to(weight.device, weight.dtype)[None, None])[0, 0].double().cpu()
    plus, minus = ends(table[: len(loaded.tokenizer)], direction.to(table.device), ENDS)
    name = loaded.codec.raw
    return Side("tokens", tuple((name([i]), s) for i, s in plus), tuple((name([i]), s) for i, s in minus))


def _inner(loaded: Loaded, kind: str, vector: torch.Tensor) -> Side:
    if kind == "heads":
        config = loaded.model.config.get_text_config()
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        if vector.numel() % width:
            return Side("unknown")
        return Side("heads", shares=tuple(parts_of(vector, vector.numel() // width)))
    order = vector.abs().argsort(descending=True)[:NEURONS]
    return Side("neurons", strongest=tuple((int(i), float(vector[i])) for i in order))


def _norms(loaded: Loaded, path: str, inner: str, before: bool) -> list[Any]:
    """The norm between the residual stream and this matrix, by the names that Llama's, Gemma's and OLMo's relatives use."""
    prefix, blocks = decoder_layers(loaded.model)
    layer = blocks[int(path[len(prefix) + 1 :].split(".")[0])]
    after_too = hasattr(layer, "post_feedforward_layernorm")  # Gemma 2 and 3, OLMo 2: a norm behind each half, too
    if inner == "heads":
        name = "input_layernorm" if before else "post_attention_layernorm" if after_too else ""
    elif before:
        name = "pre_feedforward_layernorm" if after_too else "post_attention_layernorm"
    else:
        name = "post_feedforward_layernorm" if after_too else ""
    return [getattr(layer, name, None)] if name else []


def _final(loaded: Loaded) -> Any:
    prefix, _ = decoder_layers(loaded.model)
    return getattr(loaded.model.get_submodule(prefix.rpartition(".")[0]), "norm", None)


# -- what excites it -----------------------------------------------------------------------------------------


def _readable(loaded: Loaded, prompts: Sequence[tuple[str, Any]], mix: Mix) -> dict[int, Encoded]:
    found = {}
    for i, (text, image) in enumerate(prompts):
        try:
            found[i] = loaded.encode(Request(text, image, mix, max_new_tokens=1))
        except RequestError:
            continue  # a picture for a model that cannot see, or too long for it
    return found


def _strongest(loaded: Loaded, path: str, v: torch.Tensor, contexts: Sequence[Encoded], mix: Mix) -> list[tuple[int, float] | None]:
    """Per row the token (its place in ``ids``) with the largest |v . x| among the visitor's words and picture, and v . x."""
    seen: list[torch.Tensor] = []

    def look(module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        seen.append(excitation(inputs[0].detach(), v))

    scale = loaded.scales([mix] * len(contexts))
    hook = loaded.adapted.modules[path].register_forward_pre_hook(look)
    try:
        with loaded.mixed(scale):
            teacher_forced(loaded, contexts, [[loaded.terminator]] * len(contexts))
    finally:
        hook.remove()
    found: list[tuple[int, float] | None] = []
    for row, context in zip(seen[0].cpu(), contexts, strict=True):
        values = row[-len(context.ids) :]
        own = torch.tensor([context.prompt_span[0] <= j < context.prompt_span[1] or t == loaded.codec.image_token_id
                            for j, t in enumerate(context.ids)])  # fmt: skip
        if not bool(own.any()):
            found.append(None)
            continue
        at = int(values.abs().masked_fill(~own, -1.0).argmax())
        found.append((at, float(values[at])))
    return found


def _told(loaded: Loaded, number: int, context: Encoded, at: int, value: float) -> Excited:
    image, ids, (low, high) = loaded.codec.image_token_id, context.ids, context.prompt_span
    if ids[at] == image:
        text = [t for t in ids[low : low + BEFORE] if t != image]
        return Excited(number, value, "", str(list(ids[:at]).count(image) + 1), loaded.codec.text(text), True)
    before, after = list(ids[max(low, at - BEFORE) : at]), list(ids[at + 1 : min(high, at + 1 + AFTER)])
    token = loaded.codec.text([ids[at]], before)
    return Excited(number, value, loaded.codec.text(before), token, loaded.codec.text(after, [*before, ids[at]]))


__all__ = ["ComponentReport", "Excited", "Side", "inspect_component", "sides"]
