"""What can go wrong at the engine's boundary; every message says what was given, what was expected, what to do."""

from __future__ import annotations


class EngineError(Exception):
    """Base class of everything the engine raises on purpose; its text is meant for people."""


class ModelError(EngineError):
    """A model folder is missing, broken or of a kind that the engine does not know."""


class RequestError(EngineError, ValueError):
    """A request cannot be answered as it stands: its text, picture, mix or sampling is out of bounds."""


class BusyError(EngineError):
    """The waiting queue is full.

    Attributes:
        before: how many jobs stand before the one that was turned away.
    """

    def __init__(self, before: int) -> None:
        self.before = before
        super().__init__(f"busy: {before} before you; try again in a moment")


class ExportError(EngineError, ValueError):
    """A mix cannot be exported as it was asked: nothing to export, no room on the disk, a folder in the way."""
