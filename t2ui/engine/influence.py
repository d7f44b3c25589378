"""Why the first pass chose as it did: what was asked and said word for word, and which words of the prompt decided.

The influence of a word is what its absence changes: the first pass is asked once with the whole prompt and once without each
word, all as rows of one batch (leave-one-out; no gradient, no attention weights). Words act together: the changes need not
sum to anything, and two words that say the same hide each other.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from .batch import Batch
from .choose import choose_all
from .dispatch import classifier_z, labels_of, request_of
from .errors import RequestError
from .model import Loaded

MAX_WORDS = 100
# Scripts without spaces between words: every character counts as one.
_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_ALONE}]|[^\s{_ALONE}]+")


@dataclass(frozen=True)
class Word:
    """One word of the prompt, and what its absence does.

    Attributes:
        start, end: where it stands in the prompt (characters).
        change: p(label | whole prompt) - p(label | prompt without it), -1 to 1: above 0 it speaks for the label.
        without: the likeliest label of the prompt without it.
    """

    text: str
    start: int
    end: int
    change: float
    without: str


@dataclass(frozen=True)
class Influence:
    """Attributes: label: whose probability is looked at; probability: with the whole prompt; words: in order."""

    label: str
    probability: float
    words: tuple[Word, ...]
    seconds: float


@dataclass(frozen=True)
class Verbatim:
    """The first pass word for word.

    Attributes:
        question: everything the model read, template and control tokens included.
        answer: what it says when it may say anything (greedy, at most so many tokens as the longest label has room for),
            control tokens included. The first pass itself only compares the given labels.
        probability: of exactly this answer.
    """

    question: str
    answer: str
    probability: float


def words_of(prompt: str) -> list[tuple[int, int]]:
    """Where the words of a prompt stand: runs without spaces; in Chinese and Japanese every character."""
    return [match.span() for match in _WORD.finditer(prompt)]


def leave_out(prompt: str, start: int, end: int) -> str:
    """The prompt without prompt[start:end]; of two spaces that would meet, one goes too. Line breaks stay."""
    before, after = prompt[:start], prompt[end:]
    if after.startswith(" ") and (not before or before[-1].isspace()):
        after = after[1:]
    elif before.endswith(" ") and not after:
        before = before[:-1]
    return before + after


def influence(
    loaded: Loaded,
    prompt: str,
    labels: Sequence[str] | None = None,
    strategy: str = "prompt",
    image: Any = None,
    label: str | None = None,
) -> Influence:
    """How much every word of a prompt contributed to the first pass's choice.

    Args:
        labels: what there is to choose from (default: as in dispatch).
        strategy: ``prompt`` or ``classifier``.
        label: whose probability is looked at (default: the chosen one, the likeliest).

    Raises:
        RequestError: more than :data:`MAX_WORDS` words or fewer than two, a strategy that asks no question, an unknown
            label, or a prompt or picture that cannot be read.
    """
    steps = influence_turns(loaded, prompt, labels, strategy, image, label, rows=MAX_WORDS + 1)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def influence_turns(
    loaded: Loaded, prompt: str, labels: Sequence[str] | None = None, strategy: str = "prompt", image: Any = None,
    label: str | None = None, rows: int = 8,
) -> Generator[None, None, Influence]:  # fmt: skip
    """:func:`influence` in turns of so many rows each, for :meth:`Engine.run`: others answer between them."""
    begun = time.perf_counter()
    spans = words_of(prompt)
    if len(spans) > MAX_WORDS:
        raise RequestError(f"the prompt has {len(spans)} words; the influence of at most {MAX_WORDS} can be measured, for each "
                           "of them is left out once: shorten the prompt")  # fmt: skip
    if len(spans) < 2:
        raise RequestError("the prompt has fewer than two words: without its only one nothing is left to ask")
    z = _strategy_z(loaded, strategy)
    labels = labels_of(loaded) if labels is None else list(labels)
    if label is not None and label not in labels:
        raise RequestError(f"label must be one of {', '.join(labels)}, got {label!r}")
    prompts = [prompt, *(leave_out(prompt, *span) for span in spans)]
    first = request_of(labels, prompt, image)
    seen = loaded.encode(first).picture  # read once, for all rows
    asked = [request_of(labels, p, seen) for p in prompts]
    found: list[dict[str, float]] = []
    for start in range(0, len(asked), rows):
        found += choose_all(loaded, asked[start : start + rows], labels, rows, z)
        yield
    whole = found[0]
    label = label or max(whole, key=lambda name: whole[name])
    words = tuple(
        Word(prompt[a:b], a, b, whole[label] - p[label], max(p, key=lambda name: p[name]))
        for (a, b), p in zip(spans, found[1:], strict=True)
    )
    return Influence(label, whole[label], words, time.perf_counter() - begun)


@torch.no_grad()
def verbatim(loaded: Loaded, prompt: str, image: Any = None, strategy: str = "prompt") -> Verbatim:
    """What the first pass asked, and what the model answers to it freely.

    Raises:
        RequestError: a strategy that asks no question, or a prompt or picture that cannot be read.
    """
    z = _strategy_z(loaded, strategy)
    request = replace(request_of(labels_of(loaded), prompt, image), think=False)  # as choose_all asks it
    encoded = loaded.encode(request)
    text, _ = loaded.codec.render(request, encoded.picture is not None)
    scale = None if z is None else (loaded.adapted.sigma * z.to(loaded.device))[None]
    batch = Batch(loaded, [encoded], scale, reserve=request.max_new_tokens)
    logits, tokens, logprob = batch.prefill(), [], 0.0
    for _ in range(request.max_new_tokens):
        values = logits[0].double().log_softmax(dim=-1)
        tokens.append(int(values.argmax()))
        logprob += float(values[tokens[-1]])
        if tokens[-1] in loaded.eos:
            break
        logits = batch.step(torch.tensor(tokens[-1:], device=loaded.device))
    return Verbatim(text, loaded.codec.raw(tokens), float(torch.tensor(logprob).exp()))


def _strategy_z(loaded: Loaded, strategy: str) -> torch.Tensor | None:
    if strategy not in ("prompt", "classifier"):
        raise RequestError(f"the first pass {strategy!r} asks no question, so no word decides: use prompt or classifier")
    return classifier_z(loaded) if strategy == "classifier" else None


__all__ = ["MAX_WORDS", "Influence", "Verbatim", "Word", "influence", "influence_turns", "leave_out", "verbatim", "words_of"]
