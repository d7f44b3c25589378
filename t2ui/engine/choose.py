"""A distribution over given answers: every whole label plus terminator is scored, forked from one cached prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from t2ui.core import Mix

from .batch import Batch
from .errors import RequestError
from .model import Encoded, Loaded
from .request import Request
from .score import common_prefix

# What choose() leaves free in the context for a label: longer ones are refused by encode's own message.
_LABEL_TOKENS = 16


def choose(
    loaded: Loaded,
    prompt: str,
    labels: Sequence[str],
    image: Any = None,
    system: str | None = None,
    question: str = "{prompt}",
    mix: Mix | None = None,
) -> dict[str, float]:
    """How likely the model is to answer with each of some labels: probabilities that sum to 1.

    Args:
        question: what is asked; holds ``{prompt}``.
        mix: the base model unless given.

    Raises:
        RequestError: no or doubled labels, or a request that cannot be answered.
    """
    asked = question.replace("{prompt}", prompt) if prompt.strip() else prompt  # an empty prompt stays an error
    request = Request(asked, image, mix or Mix.base(), system, max_new_tokens=_LABEL_TOKENS)
    return choose_all(loaded, [request], labels)[0]


@torch.no_grad()
def choose_all(
    loaded: Loaded,
    requests: Sequence[Request],
    labels: Sequence[str],
    batch_size: int = 64,
    z: torch.Tensor | None = None,
) -> list[dict[str, float]]:
    """:func:`choose` for many requests (their prompts are the whole questions) in batches.

    Args:
        z: (R,) a dispatcher's z, which answers instead of the requests' mixes; None outside of dispatch. In a
            trainer that has folded its own z, None too: the adapted modules stay as they are.
    """
    if not labels or len(set(labels)) != len(labels) or not all(labels):
        raise RequestError(f"labels must be different, non-empty texts, got {list(labels)!r}")
    known: dict[str, tuple[list[int], list[list[int]]]] = {}
    prepared = [_fork(loaded, request, labels, known) for request in requests]
    order = sorted(range(len(requests)), key=lambda i: (-len(prepared[i][0].ids), i))
    found: dict[int, dict[str, float]] = {}
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        if z is None:
            scale = loaded.scales([requests[i].mix for i in rows])
        else:
            scale = (loaded.adapted.sigma * z.to(loaded.device))[None].expand(len(rows), -1)
        sums = _label_scores(loaded, [prepared[i][0] for i in rows], [prepared[i][1] for i in rows], scale)
        for i, p in zip(rows, sums.softmax(dim=-1).tolist(), strict=True):
            found[i] = dict(zip(labels, p, strict=True))
    return [found[i] for i in range(len(requests))]


def _fork(
    loaded: Loaded, request: Request, labels: Sequence[str], known: dict[str, tuple[list[int], list[list[int]]]]
) -> tuple[Encoded, list[list[int]]]:
    """The context that all labels share, and every label's ids from there on, terminator included."""
    request = replace(request, think=False)  # a label is an answer
    encoded = loaded.encode(request)
    text, _ = loaded.codec.render(request, encoded.picture is not None, encoded.view)
    before, wholes = encoded.ids, None
    end = next((t for t in loaded.codec.special if text.endswith(t)), None)
    if end is not None:
        # Behind a control token (the usual end of a template) a label's tokens do not depend on the prompt: they are
        # read behind that token alone, and one label shows whether this tokenizer agrees.
        if end not in known:
            known[end] = _behind(loaded, end, labels)
        before, wholes = known[end]
        first = loaded.codec.ids(text + loaded.codec.harmless(labels[0]), view=encoded.view)[0]
        if first != [*encoded.ids, *wholes[0][len(before) :]]:
            before, wholes = encoded.ids, None
    if wholes is None:
        wholes = [loaded.codec.ids(text + loaded.codec.harmless(label), view=encoded.view)[0] for label in labels]
    shared = min(common_prefix(before, whole) for whole in wholes)
    given_back = len(before) - shared
    context = replace(encoded, ids=encoded.ids[: len(encoded.ids) - given_back])
    return context, [[*whole[shared:], loaded.terminator] for whole in wholes]


def _behind(loaded: Loaded, start: str, labels: Sequence[str]) -> tuple[list[int], list[list[int]]]:
    """The ids of a control token, and of every label behind it."""
    wholes = [loaded.codec.ids(start + loaded.codec.harmless(label))[0] for label in labels]
    return loaded.codec.ids(start)[0], wholes


def _label_scores(
    loaded: Loaded, contexts: list[Encoded], targets: list[list[list[int]]], scale: torch.Tensor | None
) -> torch.Tensor:
    """Summed log-probabilities (B, K) in fp64: prompts are read once, their caches forked K times."""
    flat = [target for row in targets for target in row]
    k = len(targets[0])
    longest = max(len(t) for t in flat)
    ids = torch.tensor([t + [0] * (longest - len(t)) for t in flat], device=loaded.device)
    real = torch.tensor([[1] * len(t) + [0] * (longest - len(t)) for t in flat], device=loaded.device).bool()
    batch = Batch(loaded, contexts, scale, reserve=longest)
    logits = batch.prefill().repeat_interleave(k, dim=0)[:, None]
    if longest > 1:
        batch.repeat(k)
        # The last token of each label is only predicted; what pads the shorter labels comes after their own.
        logits = torch.cat([logits, batch.extend(ids[:, :-1])], dim=1)
    values = logits.double().log_softmax(dim=-1).gather(-1, ids[..., None])[..., 0]
    return values.masked_fill(~real, 0.0).sum(dim=-1).view(len(contexts), k)
