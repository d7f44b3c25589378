"""Teacher forcing: what the model would have thought of a given answer, token by token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from .architectures import full_attention
from .batch import causal_mask, embedded, pad_left, positions_for, positions_of, rows_of_a_piece
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


def can_share(loaded: Loaded, contexts: Sequence[Encoded]) -> bool:
    """Whether :func:`teacher_forced_siblings` knows this model's masks and positions, for these contexts."""
    one_position = loaded.eyes is None or loaded.eyes.kind not in ("grid", "block") or all(c.picture is None for c in contexts)
    return full_attention(loaded.model.config.get_text_config()) and one_position


def teacher_forced_siblings(
    loaded: Loaded, contexts: Sequence[Encoded], siblings: Sequence[Sequence[Sequence[int]]]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """:func:`teacher_forced` for several targets behind each context, which is read once: the targets stand side by side in one
    row, each sees the context and itself, and its positions go on where the context ends. Differentiable.

    Args:
        contexts: B of them (:func:`can_share`). siblings: the targets of each, at least one, each of at least one id.

    Returns:
        as :func:`teacher_forced`, a row for every target, those of the first context first; left-aligned.
    """
    device, dtype = loaded.device, loaded.model.dtype
    prompt, real = pad_left([c.ids for c in contexts], loaded)
    width, tail = prompt.shape[1], max(sum(len(t) - 1 for t in targets) for targets in siblings)
    longest = max(len(t) for targets in siblings for t in targets)
    pad = loaded.terminator
    ids, owner, steps, places, taken = [], [], [], [], []
    for row, targets in enumerate(siblings):
        read: list[int] = []  # the last token of a target is only ever predicted
        whose: list[int] = []
        step: list[int] = []
        for k, target in enumerate(targets):
            if not len(target):
                raise ValueError(f"target {k} of context {row} is empty: give at least one token (the terminator)")
            # Its first token is taken from the context's last place (0), every further one from the place of the token before it.
            at = [0, *range(len(read) + 1, len(read) + len(target))]
            places.append((row, at))
            taken.append(list(target))
            read += target[:-1]
            whose += [k + 1] * (len(target) - 1)
            step += range(len(target) - 1)
        spare = tail - len(read)
        ids.append(read + [pad] * spare)
        owner.append(whose + [-1] * spare)
        steps.append(step + [0] * spare)
    behind = torch.tensor(ids, device=device, dtype=prompt.dtype).view(len(contexts), tail)
    whose = torch.cat([torch.where(real, 0, -1), torch.tensor(owner, device=device).view(len(contexts), tail)], dim=1)
    lengths = real.sum(1, keepdim=True)
    positions = torch.cat([positions_of(real), lengths + torch.tensor(steps, device=device).view(len(contexts), tail)], dim=1)
    key = torch.arange(width + tail, device=device)
    seen = (whose[:, None, :] == whose[:, :, None]) | (whose[:, None, :] == 0)
    allowed = (seen & (whose[:, None, :] >= 0) & (key[None, :] <= key[:, None]))[:, None]
    mask = torch.zeros(allowed.shape, dtype=dtype, device=device).masked_fill_(~allowed, torch.finfo(dtype).min)
    inputs = embedded(loaded, torch.cat([prompt, behind], dim=1), contexts)
    out = loaded.model(**inputs, attention_mask=mask, position_ids=positions, use_cache=False, logits_to_keep=tail + 1)
    rows = torch.tensor([row for row, _ in places], device=device)
    at = torch.tensor([a + [0] * (longest - len(a)) for _, a in places], device=device)
    found = torch.tensor([t + [pad] * (longest - len(t)) for t in taken], device=device)
    counts = torch.tensor([len(t) for t in taken], device=device)
    return out.logits[rows[:, None], at], found, torch.arange(longest, device=device) < counts[:, None]


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
