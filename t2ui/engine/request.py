"""What is asked and what comes back: plain frozen data, so that the engine may one day stand in another process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from t2ui.core import Mix

from .errors import RequestError

MAX_PROMPT_CHARS = 20_000
MAX_NEW_TOKENS = 4_096
MAX_TURNS = 200
REASONS = ("stop", "length", "cancelled", "error")


@dataclass(frozen=True)
class Request:
    """One row: a prompt, how to adapt the model for it, and how to choose its tokens.

    Attributes:
        prompt: what the visitor typed; special tokens inside it are made harmless, never obeyed.
        image: a picture (``PIL.Image.Image``, path or encoded bytes) or None.
        mix: the alphas that adapt the model for this row.
        system: a system text or None; put before the prompt where the model knows no system role. It is the
            program's, not the visitor's: control tokens in it (the demo model's care flags) are obeyed.
        max_new_tokens: at most so many tokens are decoded (1 to 4,096, and within the model's context).
        temperature: 0 takes the likeliest token; above, tokens are sampled.
        top_p: sample from the smallest set of tokens that holds this probability (0 to 1; 1 = all).
        seed: sampling noise is a function of (seed, step) alone, whatever else is in the batch.
        prefix: a forced beginning of the answer; part of :attr:`Answer.text`.
        logprobs: whether deltas carry the log-probability of every token.
        think: False closes a thought that the model's chat template opens, so that the answer begins at once. (A model that
            opens it by itself still does.)
        history: earlier turns of a conversation as (prompt, answer), the oldest first; text alone, and as harmless as a prompt.
            Only for models whose chat template takes several turns (``TextCodec.takes_turns``).
    """

    prompt: str
    image: Any = None
    mix: Mix = field(default_factory=Mix.base)
    system: str | None = None
    max_new_tokens: int = 96
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    prefix: str = ""
    logprobs: bool = False
    think: bool = True
    history: tuple[tuple[str, str], ...] = ()

    def check(self) -> None:
        """Refuse what no model could answer. What depends on the model is checked by ``Loaded.encode``.

        Raises:
            RequestError: with what was given, what was expected and what to do.
        """
        if not isinstance(self.prompt, str) or not self.prompt.strip():
            raise RequestError("the prompt is empty: type a question")
        if len(self.prompt) > MAX_PROMPT_CHARS:
            raise RequestError(
                f"the prompt has {len(self.prompt):,} characters; at most {MAX_PROMPT_CHARS:,} are read: shorten it"
            )
        for name in ("prefix", "system"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or len(value) > MAX_PROMPT_CHARS):
                raise RequestError(f"{name} must be a text of at most {MAX_PROMPT_CHARS:,} characters")
        _turns(self.history)
        if not isinstance(self.mix, Mix):
            raise RequestError(f"mix must be a Mix, got {type(self.mix).__name__}: use Mix.parse(...)")
        _number("temperature", self.temperature, 0.0, 10.0)
        _number("top_p", self.top_p, 0.0, 1.0)
        if self.top_p == 0.0:
            raise RequestError("top_p must be above 0 (1 = sample from all tokens), got 0")
        _whole("max_new_tokens", self.max_new_tokens, 1, MAX_NEW_TOKENS)
        _whole("seed", self.seed, 0, 2**63 - 1)


@dataclass(frozen=True)
class Applied:
    """Proof of what really adapted the model for one row, computed from the very buffer that was applied.

    Attributes:
        mix: the mix, as ``str(Mix)`` prints it.
        change: ``|dW| / |W|`` (Frobenius) over all adapted matrices; 0 for the base model.
        mode: ``off`` (the plain weights), ``rows`` or ``fold``, or ``current`` (left as the caller set it).
        found: the mix read back from the buffer, as ``str(Mix)`` prints it, to four decimals; of alphas per layer the
            mean; "" where there was no buffer to read.
        rest: the share of the change that no mix of these experts explains (Frobenius), 0 to 1; None for alphas per layer
            and where nothing was read.
    """

    mix: str
    change: float
    mode: str
    found: str = ""
    rest: float | None = None


@dataclass(frozen=True)
class Delta:
    """What is new in one row since its last delta.

    Attributes:
        row: index into the submitted list of requests.
        text: new text (may be empty: half a character, or nothing new).
        tokens: new token ids, the terminator included.
        logprobs: natural-log probabilities of these tokens under the adapted model (temperature 1, no
            top-p cut); empty unless the request asked for them.
        done: this row's last delta.
        reason: ``stop`` (the model ended), ``length``, ``cancelled`` or ``error``; None before the end.
        error: what to tell the visitor, with reason ``error``.
        seconds: by stage (``queue``, ``encode``, ``prefill``, ``decode``, ``total``; ``first`` = until the first
            token; ``mix`` = writing the mix into the row's slot, a part of ``encode``, where rows have slots), with the
            last delta.
        applied: what adapted the model, with the first and the last delta.
        thinking: new text of the thought before the answer (see :mod:`t2ui.engine.thinking`).
    """

    row: int
    text: str = ""
    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    done: bool = False
    reason: str | None = None
    error: str | None = None
    seconds: Mapping[str, float] | None = None
    applied: Applied | None = None
    thinking: str = ""


@dataclass(frozen=True)
class Answer:
    """A whole answer.

    Attributes:
        text: the answer, a forced prefix included, special tokens and the thought before it left out.
        tokens: the decoded ids, the terminator included when ``reason`` is ``stop``; a forced prefix is
            *not* in here but at the end of ``prompt_tokens``, so that ``prompt_tokens + tokens`` is what the
            model saw and ``score`` can rate it again.
        logprob: sum of the log-probabilities of ``tokens`` (temperature 1, no top-p cut).
        reason: as in :class:`Delta`.
        prompt_tokens: the ids before ``tokens`` (template, picture tokens, prompt, prefix).
        seconds: by stage, as in :class:`Delta`; for a batch, the batch's.
        applied: what adapted the model.
        logprobs: one log-probability per token (empty unless asked for).
        error: with reason ``error``.
        thinking: what the model thought before it answered, between ``<think>`` and ``</think>``; "" for most models.
            Where a thought fills the whole length, ``text`` is empty.
    """

    text: str
    tokens: tuple[int, ...]
    logprob: float
    reason: str | None
    prompt_tokens: tuple[int, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    applied: Applied | None = None
    logprobs: tuple[float, ...] = ()
    error: str | None = None
    thinking: str = ""


def _turns(history: object) -> None:
    fine = isinstance(history, (tuple, list)) and len(history) <= MAX_TURNS
    fine = fine and all(isinstance(t, (tuple, list)) and len(t) == 2 and all(isinstance(s, str) for s in t) for t in history)
    if not fine or any(len(s) > MAX_PROMPT_CHARS for turn in history for s in turn):
        raise RequestError(f"history must be at most {MAX_TURNS} pairs of texts (prompt, answer) of at most {MAX_PROMPT_CHARS:,} "
                           "characters each")  # fmt: skip


def _number(name: str, value: object, low: float, high: float) -> None:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not ok or not low <= value <= high:
        raise RequestError(f"{name} must be a number from {low:g} to {high:g}, got {value!r}")


def _whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise RequestError(f"{name} must be a whole number from {low:,} to {high:,}, got {value!r}")


__all__ = ["MAX_NEW_TOKENS", "MAX_PROMPT_CHARS", "MAX_TURNS", "REASONS", "Answer", "Applied", "Delta", "Request"]
