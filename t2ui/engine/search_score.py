"""Scores of candidate mixes on a few examples: by right answers, or by the likelihood of the references."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any

from t2ui.core import Mix
from t2ui.core.cem import Score

from .decode import answer_all
from .model import Loaded
from .request import Request
from .score import score


@dataclass(frozen=True)
class Shot:
    """One example to search with.

    Attributes:
        prompt, image: what is asked.
        reference: a right answer in full (with its working, as an author would write it); may be "" where only
            accuracy counts.
        grade: whether an answer is right; None: only the likelihood of the reference can be used.
        max_new_tokens: room for the answer.
    """

    prompt: str
    reference: str = ""
    image: Any = None
    grade: Callable[[str], bool] | None = field(default=None, compare=False)
    max_new_tokens: int = 96


@dataclass(frozen=True)
class Verdict:
    """A candidate result on the validation examples: accuracy (None where nothing was graded), mean
    log-probability of the references (None without any), and which examples were right."""

    mix: Mix
    accuracy: float | None
    likelihood: float | None
    right: tuple[bool, ...] = ()

    @property
    def score(self) -> Score:
        """What decides between mean and best: accuracy, then likelihood."""
        return (self.accuracy or 0.0, self.likelihood if self.likelihood is not None else 0.0)


class Scorer:
    """Scores of candidates on the shots, batch by batch.

    ``rows``: of a batch that is decoded; ``score_rows``: of one that is only read. ``heard`` is told how many answers are done,
    of all candidates, also within a batch.
    """

    def __init__(self, loaded: Loaded, shots: Sequence[Shot], objective: str, rows: int, stop: threading.Event | None,
                 score_rows: int | None = None, heard: Callable[[int], object] | None = None) -> None:  # fmt: skip
        self.loaded, self.shots, self.objective, self.rows, self.stop = loaded, shots, objective, rows, stop
        self.score_rows = score_rows or rows
        self.heard = heard or (lambda done: None)
        self.before = 0  # answers of the batches before this one

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    def batches(self, mixes: Sequence[Mix]) -> Iterator[list[tuple[int, Score]] | None]:
        """(place, score) of the candidates of each micro-batch; None where it was stopped within one."""
        each = max(1, (self.rows if self.objective == "accuracy" else self.score_rows) // len(self.shots))
        for begin in range(0, len(mixes), each):
            if self.stopped:
                yield None
                return
            part = list(range(begin, min(begin + each, len(mixes))))
            self.before = begin * len(self.shots)
            by = self._by_accuracy if self.objective == "accuracy" else self._by_likelihood
            found = by([mixes[i] for i in part], self._tell)
            if found is None:
                yield None
                return
            yield list(zip(part, found, strict=True))

    def _requests(self, mixes: Sequence[Mix]) -> list[Request]:
        return [Request(s.prompt, s.image, mix=mix, max_new_tokens=s.max_new_tokens) for mix in mixes for s in self.shots]

    def _tell(self, done: int, total: int) -> None:
        self.heard(self.before + done)

    def _by_accuracy(self, mixes: Sequence[Mix], tell: Callable[[int, int], object] | None) -> list[Score] | None:
        """(share right, mean log-probability a token of the own right answers, or of the references if none is)."""
        answers = answer_all(self.loaded, self._requests(mixes), batch_size=self.rows, mode="rows", stop=self.stop, progress=tell)
        if self.stopped:
            return None
        n = len(self.shots)
        found: list[Score] = []
        helpless = []
        for c in range(len(mixes)):
            mine = answers[c * n : (c + 1) * n]
            right = [a for a, s in zip(mine, self.shots, strict=True) if a.reason == "stop" and s.grade(a.text)]
            sure = [a.logprob / max(1, len(a.tokens)) for a in right]
            found.append((len(right) / n, sum(sure) / len(sure) if sure else 0.0))
            if not right:
                helpless.append(c)
        if helpless and all(s.reference.strip() for s in self.shots):
            for c, (value,) in zip(helpless, self._by_likelihood([mixes[c] for c in helpless], None) or [], strict=False):
                found[c] = (0.0, value)
        return found

    def _by_likelihood(self, mixes: Sequence[Mix], tell: Callable[[int, int], object] | None) -> list[Score] | None:
        """(mean over the shots of the mean log-probability a token of the reference,)."""
        targets = [s.reference for _ in mixes for s in self.shots]
        values = score(self.loaded, self._requests(mixes), targets, batch_size=self.score_rows, mode="rows", progress=tell)
        n = len(self.shots)
        means = [sum(v) / len(v) for v in values]
        return [(sum(means[c * n : (c + 1) * n]) / n,) for c in range(len(mixes))]


def verdicts(loaded: Loaded, shots: Sequence[Shot], mixes: Sequence[Mix], *, graded: bool, rows: int,
             progress: Callable[[int, int], object] | None = None) -> list[Verdict]:  # fmt: skip
    """Each mix on the examples: accuracy where ``graded``, likelihood where all have references. ``progress``: (answers read or
    written, in all)."""
    requests = [Request(s.prompt, s.image, mix=m, max_new_tokens=s.max_new_tokens) for m in mixes for s in shots]
    n = len(shots)
    accuracy: list[float | None] = [None] * len(mixes)
    which: list[tuple[bool, ...]] = [()] * len(mixes)
    likelihood: list[float | None] = [None] * len(mixes)
    graded = graded and all(s.grade is not None for s in shots)
    known = all(s.reference.strip() for s in shots)

    def tell(before: int) -> Callable[[int, int], object] | None:
        return None if progress is None else lambda done, _: progress(before + done, len(requests) * (graded + known))

    if graded:
        answers = answer_all(loaded, requests, batch_size=rows, mode="rows", progress=tell(0))
        right = [a.reason == "stop" and s.grade(a.text) for a, s in zip(answers, list(shots) * len(mixes), strict=True)]
        which = [tuple(right[c * n : (c + 1) * n]) for c in range(len(mixes))]
        accuracy = [sum(one) / n for one in which]
    if known:
        values = score(loaded, requests, [s.reference for _ in mixes for s in shots], batch_size=rows, mode="rows",
                       progress=tell(len(requests) * graded))  # fmt: skip
        means = [sum(v) / len(v) for v in values]
        likelihood = [sum(means[c * n : (c + 1) * n]) / n for c in range(len(mixes))]
    return [Verdict(m, a, ll, w) for m, a, ll, w in zip(mixes, accuracy, likelihood, which, strict=True)]


def luck(new: Sequence[bool], old: Sequence[bool]) -> float:
    """How likely so many more right answers of ``new`` on the same examples would be if it were no better than ``old``: the
    exact one-sided sign test over the examples on which they differ (McNemar 1947). 1.0 where they do not differ."""
    gained = sum(a and not b for a, b in zip(new, old, strict=True))
    differ = sum(a != b for a, b in zip(new, old, strict=True))
    return sum(comb(differ, k) for k in range(gained, differ + 1)) / 2**differ
