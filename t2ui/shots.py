"""Examples for a few-shot search: taken from a task, or read from what a visitor pasted or uploaded.

JSON Lines (``{"prompt": ..., "answer": ...}``) and CSV with a header that names ``prompt`` and ``answer`` are read;
broken lines are named and left out. Where a task family understands a prompt, its grader judges and its careful
author writes the reference; elsewhere the given answer is both.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from t2ui.tasks import TASKS, identify

if TYPE_CHECKING:
    from t2ui.engine.search import Shot

MAX_BYTES = 1_000_000
MAX_EXAMPLES = 256
_PROMPT = ("prompt", "question", "input")
_ANSWER = ("answer", "completion", "output", "reference")


@dataclass(frozen=True)
class Example:
    """One line: what is asked, the right answer (maybe "", where a family knows it), and where it stood."""

    prompt: str
    answer: str
    line: int


@dataclass(frozen=True)
class Parsed:
    """What could be read, and what could not: (line, reason)."""

    examples: tuple[Example, ...]
    broken: tuple[tuple[int, str], ...]


def parse(text: str, name: str = "") -> Parsed:
    """Read JSON Lines or CSV; ``name`` is a file's name if there is one, else the text's look decides.

    Raises:
        ValueError: nothing at all, too much, or a CSV without the two columns; says what was expected.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise ValueError(f"the examples have more than {MAX_BYTES // 1_000_000} MB: take a part of them")
    if not text.strip():
        raise ValueError('there are no examples yet: paste lines such as {"prompt": "7 + 5?", "answer": "12"}, or a CSV '
                         "with the columns prompt and answer")  # fmt: skip
    lines = name.lower().endswith((".jsonl", ".json")) or text.lstrip().startswith("{")
    examples, broken = _json_lines(text) if lines else _csv(text)
    if len(examples) > MAX_EXAMPLES:
        raise ValueError(f"{len(examples)} examples are more than a search takes ({MAX_EXAMPLES}): take a sample of them")
    return Parsed(tuple(examples), tuple(broken))


def _json_lines(text: str) -> tuple[list[Example], list[tuple[int, str]]]:
    examples, broken = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            broken.append((number, f"no JSON ({str(error).split(':')[0]})"))
            continue
        if not isinstance(row, dict):
            broken.append((number, f"a {type(row).__name__} where an object with prompt and answer was expected"))
            continue
        found = _example(row, number)
        (examples if isinstance(found, Example) else broken).append(found if isinstance(found, Example) else (number, found))
    return examples, broken


def _csv(text: str) -> tuple[list[Example], list[tuple[int, str]]]:
    sample = text.splitlines()[0]
    delimiter = max(",;\t", key=sample.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    head = [str(h).strip().lower() for h in reader.fieldnames or []]
    if not set(head) & set(_PROMPT):
        raise ValueError(f"the first line names the columns: one must be prompt (and one answer), found {', '.join(head)!r}")
    reader.fieldnames = head
    examples: list[Example] = []
    broken: list[tuple[int, str]] = []
    try:
        for row in reader:
            if None in row:
                broken.append((reader.line_num, f"more cells than the {len(head)} columns: put texts with commas in quotes"))
                continue
            found = _example(row, reader.line_num)
            (examples if isinstance(found, Example) else broken).append(
                found if isinstance(found, Example) else (reader.line_num, found))  # type: ignore[arg-type]
    except csv.Error as error:
        broken.append((reader.line_num, str(error)))
    return examples, broken


def _example(row: dict[str, Any], number: int) -> Example | str:
    """The example of a row, or what is wrong with it."""
    prompt = next((row[key] for key in _PROMPT if row.get(key)), None)
    answer = next((row[key] for key in _ANSWER if row.get(key) is not None), "")
    if not isinstance(prompt, str) or not prompt.strip():
        return "no prompt"
    if isinstance(answer, (dict, list)):
        return "the answer must be a text or a number"
    return Example(prompt.strip(), str(answer).strip(), number)


def shots_from(examples: Sequence[Example]) -> tuple[list[Shot], list[tuple[int, str]]]:
    """Shots, and (line, reason) of the examples that cannot be used: no answer, and no family that knows it."""
    from t2ui.engine.search import Shot

    shots, left = [], []
    for example in examples:
        task = identify(example.prompt)
        content = task.parse(example.prompt) if task is not None else None
        if task is not None and content is not None:
            wanted = example.answer
            if wanted and not (same_answer(wanted, task.reference(content)) or task.grade(content, wanted).right
                               or task.grade(content, f"The answer is {wanted}.").right):  # fmt: skip
                left.append((example.line, f"its answer is {wanted!r}, but the {task.name} family computes "
                                           f"{task.reference(content)!r}"))  # fmt: skip
                continue
            shots.append(Shot(example.prompt, task.solution(content), None,
                              lambda text, task=task, content=content: task.grade(content, text).right,
                              task.max_new_tokens))  # fmt: skip
        elif example.answer:
            shots.append(Shot(example.prompt, example.answer, None,
                              lambda text, wanted=example.answer: says(text, wanted)))
        else:
            left.append((example.line, "no answer, and no family of this model knows the question"))
    return shots, left


_CLOSING = re.compile(r"answer\s+is\s*:?", re.IGNORECASE)


def same_answer(a: str, b: str) -> bool:
    """Equal but for case, spaces, quotes and closing marks."""
    return _bare(a) == _bare(b)


def says(text: str, wanted: str) -> bool:
    """Whether an answer is the wanted one, or closes with it ("The answer is 12.")."""
    if same_answer(text, wanted):
        return True
    before, *closing = _CLOSING.split(text)
    return bool(closing) and same_answer(closing[-1].strip().split("\n")[0], wanted)


def _bare(text: str) -> str:
    return " ".join(text.lower().split()).strip(" .!?\"'`*()")


def families() -> tuple[str, ...]:
    """The tasks that examples can be taken from."""
    return tuple(TASKS)
