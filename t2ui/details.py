"""What is looked at once a run is over: its answers token by token, and the first pass word for word.

Asked of the engine after the last token was shown, as work that takes turns beside everybody's answers: it never delays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2ui.engine import Engine
    from t2ui.engine.influence import Influence, Verbatim
    from t2ui.engine.tokens import Token
    from t2ui.runs import Question, Run


@dataclass(frozen=True)
class Details:
    """Attributes: tokens: by the row's key; verbatim: None where no question was asked."""

    tokens: Mapping[str, tuple[Token, ...]] = field(default_factory=dict)
    verbatim: Verbatim | None = None


async def details(engine: Engine, run: Run, question: Question, keys: Sequence[str]) -> Details:
    """The details of these rows of a run that is over. Raises EngineError as the engine does (busy, closed)."""
    return await engine.run(lambda loaded: _turns(loaded, run, question, keys))


async def influence(engine: Engine, run: Run, question: Question) -> Influence:
    """Which words decided the first pass of a run. Raises EngineError: see :func:`t2ui.engine.influence.influence`."""
    from t2ui.engine import EngineError
    from t2ui.engine.influence import influence_turns

    first = run.first_pass
    if first is None:
        raise EngineError("nothing was asked in a first pass: ask a question first")
    label = first.choice if first.choice in first.scores else None
    return await engine.run(
        lambda loaded: influence_turns(loaded, question.prompt, list(first.scores) or None, first.strategy, question.image, label)
    )


def _turns(loaded: Any, run: Run, question: Question, keys: Sequence[str]) -> Iterator[None]:
    from t2ui.core import Mix
    from t2ui.engine import Request
    from t2ui.engine.influence import verbatim
    from t2ui.engine.tokens import tokens_of

    rows = [row for key in keys if (row := run.row(key)) is not None and row.ids]
    requests = [Request(question.prompt, question.image, Mix.parse(row.mix), max_new_tokens=len(row.ids)) for row in rows]
    found = tokens_of(loaded, requests, [row.ids for row in rows])
    yield
    first, said = run.first_pass, None
    if first is not None and first.scores:  # few-shot asks nothing
        said = verbatim(loaded, question.prompt, question.image, first.strategy)
    return Details({row.key: tokens for row, tokens in zip(rows, found, strict=True)}, said)
