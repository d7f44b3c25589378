"""Models that think aloud: the text between ``<think>`` and ``</think>`` before an answer is not the answer.

DeepSeek-R1 and its distillations, QwQ, Qwen3, SmolLM3 and others write so; the chat templates of some open the thought
themselves, so that the model's first word already belongs to it. A thought stands before the answer: the same words later in an
answer are part of it (somebody may ask what the tag means), and a closing tag that nothing opened is left where it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .text import TextStream

OPEN, CLOSE = "<think>", "</think>"
_BETWEEN = "\n\n"  # of two thoughts, one after the other


class Splitter:
    """Tells thought and answer apart in a text that comes in pieces, cut anywhere.

    What comes out, put together, is the same however the text was cut. White space round a thought is dropped, also that between
    it and the answer; an answer without a thought before it comes out as it went in.

    Args:
        opened: a thought has been opened already, by what stands before the text.
    """

    def __init__(self, opened: bool = False) -> None:
        self._state = "thought" if opened else "before"  # then "thought", "after" (one was closed), "answer"
        self._held = ""  # what may yet turn out to be a tag, or white space before one
        self._fresh, self._gap = True, ""  # nothing of the present thought was said; what stands between it and an earlier one

    def push(self, text: str) -> tuple[str, str]:
        """What is now certain, as (thought, answer)."""
        self._held += text
        thought = ""
        while self._state != "answer":
            if self._state == "thought":
                before, closed, after = self._held.partition(CLOSE)
                if not closed:
                    return thought + self._certain(), ""
                thought += self._said(before.rstrip())
                self._gap = _BETWEEN if self._gap or not self._fresh else ""
                self._state, self._held, self._fresh = "after", after, True
                continue
            word = self._held.lstrip()
            if word.startswith(OPEN):
                self._state, self._held = "thought", word[len(OPEN) :]
            elif OPEN.startswith(word):  # also where there is no word yet
                return thought, ""
            else:
                self._held = word if self._state == "after" else self._held
                self._state = "answer"
        answer, self._held = self._held, ""
        return thought, answer

    def flush(self) -> tuple[str, str]:
        """The text is over: what was held back."""
        held, self._held = self._held, ""
        if self._state == "thought":
            return self._said(held.rstrip()), ""
        return "", held.lstrip() if self._state == "after" else held

    def _certain(self) -> str:
        """What of an open thought cannot be the beginning of its end."""
        keep = next(n for n in range(len(CLOSE) - 1, -1, -1) if self._held.endswith(CLOSE[:n]))
        sure = self._held[: len(self._held) - keep].rstrip()
        self._held = self._held[len(sure) :]
        return self._said(sure)

    def _said(self, piece: str) -> str:
        piece = piece.lstrip() if self._fresh else piece
        if piece and self._fresh:
            self._fresh, piece = False, self._gap + piece
        return piece


def split(text: str, opened: bool = False) -> tuple[str, str]:
    """(thought, answer) of a whole text; the thought is "" where there is none. See :class:`Splitter`."""
    splitter = Splitter(opened)
    thought, answer = splitter.push(text)
    more, rest = splitter.flush()
    return thought + more, answer + rest


class Reader:
    """One row's tokens as (thought, answer), a piece of each at a time: a :class:`TextStream` and a :class:`Splitter`.

    Args:
        opened: the text before the answer opens a thought.
        prefix: the forced beginning of the answer; it comes with the first token.
    """

    def __init__(self, stream: TextStream, opened: bool, prefix: str = "") -> None:
        self._stream, self._splitter, self._prefix = stream, Splitter(opened), prefix

    def push(self, token: int | None, last: bool) -> tuple[str, str]:
        """What a token adds; None for the terminator, which has no text. ``last``: nothing follows."""
        text, self._prefix = self._prefix, ""
        text += "" if token is None else self._stream.push(token)
        if not last:
            return self._splitter.push(text)
        return self._end(text + self._stream.flush())

    def cut(self) -> tuple[str, str]:
        """What was held back of a row that ends before its last token; without the prefix if it had none at all."""
        return self._end(self._stream.flush())

    def _end(self, text: str) -> tuple[str, str]:
        thought, answer = self._splitter.push(text)
        more, rest = self._splitter.flush()
        return thought + more, answer + rest


__all__ = ["CLOSE", "OPEN", "Reader", "Splitter", "split"]
