"""Teacher forcing: what the model would have thought of a given answer, token by token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from .architectures import full_attention
from .batch import causal_mask, embedded, pad_left, positions_for, rows_of_a_piece
from .decode import batches, plan
from .model import Encoded, Loaded
from .request import Request

# Logits of one forward pass may take so many bytes (fp32): real vocabularies are large.
_LOGIT_BYTES = 512 * 2**20


def teacher_forced(
    loaded: Loaded, contexts: Sequence[Encoded], targets: Sequence[Sequence[int]]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits at every target token, under whatever the adapted modules are set to; differentiable.

    Args:
        contexts: what stands before the targets. targets: at least one id per row.

    Returns:
        logits (B, T, V) in the model's dtype; ids (B, T); mask (B, T) bool: which places are targets (right-aligned,
        T is the longest target). ``logits[b, t]`` is the distribution from which ``ids[b, t]`` was taken.
    """
    for i, target in enumerate(targets):
        if not len(target):
            raise ValueError(f"target {i} is empty: give at least one token (the terminator)")
    ids, real = pad_left([[*c.ids, *t] for c, t in zip(contexts, targets, strict=True)], loaded)
    longest = max(len(t) for t in targets)
    # The last token is only ever predicted, never read.
    inputs = embedded(loaded, ids[:, :-1], contexts)
    seen = real[:, :-1]
    positions, _ = positions_for(loaded, ids[:, :-1], seen, contexts)
    out = loaded.model(
        **inputs, attention_mask=_mask(loaded, seen), position_ids=positions, use_cache=False, logits_to_keep=longest,
    )  # fmt: skip
    lengths = torch.tensor([len(t) for t in targets], device=ids.device)
    mask = torch.arange(longest, device=ids.device) >= (longest - lengths)[:, None]
    return out.logits, ids[:, -longest:], mask


def _mask(loaded: Loaded, real: torch.Tensor) -> torch.Tensor | None:
    if bool(real.all()):
        return None
    if full_attention(loaded.model.config.get_text_config()):
        return causal_mask(real, real.shape[1], loaded.model.dtype)
    return real.long()


def encode_target(loaded: Loaded, request: Request, target: str | Sequence[int]) -> tuple[Encoded, list[int]]:
    """Context and target ids of an answer. A text is tokenised together with its prompt and gets the terminator.

    Where the two texts share a token (a template without a control token at its end), the target begins with it.
    """
    if not isinstance(target, str):
        return loaded.encode(request), [int(t) for t in target]
    request = replace(request, think=False)  # a text is an answer; ids (Answer.tokens) begin where the model began
    context = loaded.encode(request)
    text, _ = loaded.codec.render(request, context.picture is not None, context.view)
    whole, _ = loaded.codec.ids(text + loaded.codec.harmless(target), view=context.view)
    shared = common_prefix(context.ids, whole)
    return replace(context, ids=context.ids[:shared]), [*whole[shared:], loaded.terminator]


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many first items two lists share."""
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))


@torch.no_grad()
def score(
    loaded: Loaded,
    requests: Sequence[Request],
    targets: Sequence[str | Sequence[int]],
    batch_size: int = 128,
    mode: str = "auto",
    progress: Callable[[int, int], object] | None = None,
) -> list[list[float]]:
    """Teacher-forced log-probabilities of given answers: one list per request, one number per target token.

    A text target ends with the terminator; ids are taken as they are (:attr:`Answer.tokens` hold it already).
    ``sum(...)`` of a list is the log-probability of the whole answer under the request's mix. ``mode`` as in
    :func:`t2ui.engine.decode.answer_all`; ``progress`` is called with (answers scored, answers in all) after every batch.
    """
    if len(requests) != len(targets):
        raise ValueError(f"one target per request: got {len(requests)} requests and {len(targets)} targets")
    pairs = [encode_target(loaded, r, t) for r, t in zip(requests, targets, strict=True)]
    return score_ids(loaded, requests, [c for c, _ in pairs], [t for _, t in pairs], batch_size, mode, progress)


@torch.no_grad()
def score_ids(
    loaded: Loaded, requests: Sequence[Request], contexts: Sequence[Encoded], targets: Sequence[Sequence[int]],
    batch_size: int = 128, mode: str = "auto", progress: Callable[[int, int], object] | None = None,
) -> list[list[float]]:  # fmt: skip
    """:func:`score` of encoded contexts (any cut of them) and target ids."""
    whole = [replace(c, ids=(*c.ids, *t)) for c, t in zip(contexts, targets, strict=True)]  # for sorting by length
    longest = max((len(t) for t in targets), default=1)
    fits = max(1, _LOGIT_BYTES // (4 * max(1, longest) * len(loaded.tokenizer)))
    fits = min(fits, rows_of_a_piece(max((len(w.ids) for w in whole), default=1), loaded.device))
    found: dict[int, list[float]] = {}
    for group in plan([r.mix for r in requests], mode):
        with group.applied_to(loaded):
            for rows in batches(whole, group.rows, min(batch_size, fits)):
                loaded.breathe()
                scale = loaded.scales([requests[i].mix for i in rows]) if group.mode == "rows" else None
                with loaded.mixed(scale):
                    logits, ids, mask = teacher_forced(loaded, [contexts[i] for i in rows], [targets[i] for i in rows])
                logits = logits.float()
                values = logits.gather(-1, ids[..., None])[..., 0] - logits.logsumexp(dim=-1)
                for i, row, real in zip(rows, values, mask, strict=True):
                    found[i] = row[real].tolist()
                if progress is not None:
                    progress(len(found), len(requests))
    return [found[i] for i in range(len(requests))]
