"""The graders' verdict on answers to whatever a visitor asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from t2ui.runs import Question, Row


class Checker:
    """Grades answers to one question, if a task family understands it."""

    def __init__(self, question: Question) -> None:
        from t2ui.tasks import identify, pictures

        self.scene = pictures.read(question.image) if question.image is not None else None
        self.task = identify(question.prompt, self.scene)
        self.content = self.task.parse(question.prompt, self.scene) if self.task else None

    @property
    def family(self) -> str | None:
        return self.task.name if self.task else None

    def __call__(self, row: Row) -> Row:
        """The row with verdict and reason; unchanged if nobody can tell."""
        if self.content is None or row.reason not in ("stop", "length"):
            return row
        grade = self.task.grade(self.content, row.text)
        return replace(row, right=grade.right, why=grade.why)
