"""One question and everything that was answered to it, as plain data: what :mod:`t2ui.runs` makes, and the page draws.

Nothing here knows of gradio, torch or transformers.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from PIL import Image

KINDS = {
    "ask": "both passes: base and dispatch's choice",
    "everybody": "both passes, and every expert and the current mix besides",
    "mix": "base (or a pinned mix) and the current mix, no first pass",
    "turn": "both passes, dispatch's choice alone: a turn of a conversation",
    "overrule": "dispatch's answer and, beside it, another expert's",
}
STAGES = ("idle", "waiting", "pass1", "pass2", "done", "stopped", "error")


@dataclass(frozen=True)
class Question:
    """What a visitor asks, and how answers are decoded.

    Attributes:
        prompt: the text as typed.
        image: the picture (RGB) or None.
        temperature: 0 = greedy.
        seed: of the sampling noise.
        max_new_tokens: an answer's longest length.
        history: earlier turns (prompt, answer) that the second pass reads too; the first pass reads the prompt alone.
    """

    prompt: str
    image: Image.Image | None = None
    temperature: float = 0.0
    seed: int = 0
    max_new_tokens: int = 96
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    """One answer.

    Attributes:
        key: ``base``, ``dispatch``, ``mix``, ``pin``, ``overrule`` or ``expert:<name>``.
        mix: the mix as ``str(Mix)`` prints it.
        reason: why it ended (``stop``, ``length``, ``cancelled``, ``error``); None while it runs.
        seconds: wall time by stage; ``first`` = until the first token, ``total`` = all of it.
        tokens: number of decoded tokens.
        change: |dW| / |W| that was really applied for this row; None before the engine said.
        applied: the mix that the engine read back from this row's slot (as ``str(Mix)``), "" before it said; ``rest``: the
            share of the change there that no mix of the experts explains.
        ids: the decoded token ids, the terminator included.
        right: the grader's verdict; None if the answer cannot be checked (yet).
        why: the grader's reason.
        thinking: what the model thought before it answered; no part of ``text``, and not graded.
        logprob: sum of its tokens' log-probabilities under its mix (temperature 1); None where nobody recorded it.
        kept: it was answered before and kept (:mod:`t2ui.kept`): its seconds are those of then.
    """

    key: str
    mix: str
    text: str = ""
    reason: str | None = None
    error: str | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    tokens: int = 0
    change: float | None = None
    right: bool | None = None
    why: str = ""
    applied: str = ""
    rest: float | None = None
    ids: tuple[int, ...] = ()
    thinking: str = ""
    logprob: float | None = None
    kept: bool = False

    @property
    def sure(self) -> float | None:
        """How sure the model was of an answer that is over: the geometric mean of its tokens' probabilities; None: not known."""
        known = self.logprob is not None and self.tokens and self.reason in ("stop", "length")
        return math.exp(min(self.logprob / self.tokens, 0.0)) if known else None


@dataclass(frozen=True)
class FirstPass:
    """What dispatch said (see ``t2ui.engine.Dispatch``), as plain data."""

    strategy: str
    soft: bool
    mix: str
    scores: Mapping[str, float]
    choice: str
    why: str
    seconds: float
    outside: bool | None = None
    outside_why: str = ""
    question: str = ""
    kept: bool = False


@dataclass(frozen=True)
class Run:
    """Everything about one question, at one moment.

    Attributes:
        kind: one of :data:`KINDS`.
        stage: one of :data:`STAGES`.
        family: the task family that can check the answers, or None.
        picture: the picture as base64 of a small PNG, or None.
        waiting: how many jobs stand before this one, while it waits; wait: for about how many seconds, None: nobody knows.
        names: the experts, in the registry's order.
        prompt_tokens: length of the prompt as the model reads it (template and picture included).
    """

    kind: str = "ask"
    stage: str = "idle"
    prompt: str = ""
    picture: str | None = None
    family: str | None = None
    soft: bool = False
    names: tuple[str, ...] = ()
    waiting: int = 0
    wait: float | None = None
    prompt_tokens: int | None = None
    first_pass: FirstPass | None = None
    rows: tuple[Row, ...] = ()
    error: str | None = None

    def row(self, key: str) -> Row | None:
        """The answer under that key, or None."""
        return next((row for row in self.rows if row.key == key), None)

    @property
    def over(self) -> bool:
        return self.stage in ("done", "stopped", "error")

    @property
    def kept(self) -> bool:
        """Whether all of it was kept from before: nothing was computed."""
        return bool(self.rows) and all(row.kept for row in self.rows) and (self.first_pass is None or self.first_pass.kept)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Run:
        """Inverse of :meth:`to_json`.

        Raises:
            ValueError: a field is missing, unknown or of the wrong kind.
        """
        try:
            first = data.get("first_pass")
            return cls(
                **{
                    **data,
                    "names": tuple(data["names"]),
                    "first_pass": FirstPass(**first) if first else None,
                    "rows": tuple(Row(**{**row, "ids": tuple(row.get("ids", ()))}) for row in data["rows"]),
                }
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a run: {error}") from error


def thumbnail(image: Image.Image | None, side: int = 192) -> str | None:
    """Base64 of a PNG of the picture, at most ``side`` pixels wide and high."""
    if image is None:
        return None
    small = image.convert("RGB")
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def from_base64(data: str | None) -> Image.Image | None:
    """Inverse of :func:`thumbnail` (exact for pictures that were small enough)."""
    return None if not data else Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
