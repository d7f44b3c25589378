"""An answer token by token: how likely each was under the mix that answered, and what the base would have made of it.

Teacher forcing after the answer has ended (:mod:`t2ui.engine.score`): the answers go through the model once more, each under
its own mix and, where that is not the base, once under the base; all as rows of one batch. Probabilities are those of
temperature 1 without a top-p cut, whatever the answer was sampled with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from t2ui.core import Mix

from .decode import tail
from .model import Encoded, Loaded
from .request import Request
from .score import _LOGIT_BYTES, teacher_forced
from .text import TextStream


@dataclass(frozen=True)
class Token:
    """One token of an answer.

    Attributes:
        id: in the tokenizer. text: what it adds to the answer: empty for a control token and for all but the last part of a
            character of several bytes.
        name: how the tokenizer writes it, for those without a text of their own.
        p: its probability under the mix that answered. rank: its place there, 1 = the likeliest.
        base_p, base_rank: the same under the base model.
        base_text, base_top: what the base found likeliest there instead, and how likely.
    """

    id: int
    text: str
    name: str
    p: float
    rank: int
    base_p: float
    base_rank: int
    base_text: str
    base_top: float


@torch.no_grad()
def tokens_of(loaded: Loaded, requests: Sequence[Request], answers: Sequence[Sequence[int]]) -> list[tuple[Token, ...]]:
    """The tokens of given answers (``Answer.tokens``), one list per request; an empty answer has none.

    Raises:
        RequestError: a request that cannot be answered. ValueError: not one answer per request.
    """
    if len(requests) != len(answers):
        raise ValueError(f"one answer per request: got {len(requests)} requests and {len(answers)} answers")
    contexts = [loaded.encode(r) for r in requests]
    # (answer, mix): each under its own mix, and under the base unless that is the same
    rows = [(i, mix) for i, r in enumerate(requests) if len(answers[i]) for mix in dict.fromkeys((r.mix, Mix.base()))]
    longest = max((len(a) for a in answers), default=1)
    fits = max(1, _LOGIT_BYTES // (4 * max(1, longest) * len(loaded.tokenizer)))
    read: dict[tuple[int, Mix], tuple[list[float], ...]] = {}
    for start in range(0, len(rows), fits):
        part = rows[start : start + fits]
        scale = loaded.scales([mix for _, mix in part])
        with loaded.mixed(scale):
            logits, ids, mask = teacher_forced(loaded, [contexts[i] for i, _ in part], [answers[i] for i, _ in part])
        logits = logits.float()
        value = logits.gather(-1, ids[..., None])[..., 0]
        norm = logits.logsumexp(dim=-1)
        rank = (logits > value[..., None]).sum(dim=-1) + 1
        top, best = logits.max(dim=-1)
        columns = ((value - norm).exp(), rank, (top - norm).exp(), best)
        for row, key in enumerate(part):
            read[key] = tuple(column[row][mask[row]].tolist() for column in columns)
    return [_tokens(loaded, contexts[i], answers[i], read.get((i, r.mix)), read.get((i, Mix.base())))
            for i, r in enumerate(requests)]  # fmt: skip


def _tokens(loaded: Loaded, context: Encoded, ids: Sequence[int], own, base) -> tuple[Token, ...]:
    if not ids:
        return ()
    stream = TextStream(loaded.codec, tail(context))
    texts = [stream.push(token) if token not in loaded.eos else "" for token in ids]
    last = max((i for i, token in enumerate(ids) if token not in loaded.eos), default=0)
    texts[last] += stream.flush()
    names = loaded.tokenizer.convert_ids_to_tokens(list(ids))
    return tuple(
        Token(int(ids[i]), texts[i], str(names[i]), own[0][i], int(own[1][i]), base[0][i], int(base[1][i]),
              loaded.codec.raw([base[3][i]]), base[2][i])
        for i in range(len(ids))
    )  # fmt: skip


def first_difference(one: Sequence[int], other: Sequence[int]) -> int | None:
    """Where two answers part: the index of the first token that is not the same; None if they are equal."""
    for i in range(max(len(one), len(other))):
        if i >= len(one) or i >= len(other) or one[i] != other[i]:
            return i
    return None


__all__ = ["Token", "first_difference", "tokens_of"]
