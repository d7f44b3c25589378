"""What the code families share: answers that are Python functions, graded by running them.

A family says what its function must return (:meth:`FunctionTask.expected`) and for which hidden inputs;
finding the function in an answer, running it in the sandbox and saying where it goes wrong is done here.
"""

from __future__ import annotations

import ast
import functools
import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from t2ui.tasks import sandbox
from t2ui.tasks.base import Content, Grade, Task, canonical

_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_DEF = re.compile(r"\bdef[ \t]+([A-Za-z_]\w*)[ \t]*\(")
_LAZY = ("map", "filter", "zip", "range", "reversed", "enumerate", "iter")

def probe(
    cases: Callable[[random.Random], list[Any]],
    expected: Callable[[Any], Any],
    rivals: list[Callable[[Any], Any]],
    seed: str,
) -> list[Any]:
    """Inputs on which as many as possible of the rivals (plausible wrong functions) differ from the right one.

    Several random sets are drawn from ``cases`` with a generator seeded by ``seed``; the best is returned.
    Rivals that are equal to the right function on every input cannot be told apart, and need not be.
    """
    best: tuple[int, list[Any]] = (-1, [])
    rng = random.Random(seed)
    for _ in range(8):
        inputs = cases(rng)
        wants = [expected(x) for x in inputs]
        caught = sum(any(rival(x) != want for x, want in zip(inputs, wants, strict=True)) for rival in rivals)
        # A constant must not pass on more than a few inputs either.
        spread = len({json.dumps(want) for want in wants})
        if (score := 100 * caught + spread) > best[0]:
            best = score, inputs
        if caught == len(rivals) and spread >= 4:
            break
    return best[1]


class FunctionTask(Task):
    """A family whose answer is one Python function. ``content["name"]`` and ``content["arg"]`` name it.

    To be written by a family, beside sample, prompt, author and parse: :meth:`code`, :meth:`expected`,
    :meth:`draw_inputs`, :meth:`rivals`.
    """

    max_new_tokens = 96

    def code(self, content: Content) -> str:
        """The canonical right function."""
        raise NotImplementedError

    def expected(self, content: Content, value: Any) -> Any:
        """What the function must return for one input."""
        raise NotImplementedError

    def draw_inputs(self, content: Content, rng: random.Random) -> list[Any]:
        """A set of at least eight inputs with the edge cases of this content."""
        raise NotImplementedError

    def rivals(self, content: Content) -> list[Content]:
        """Contents whose right functions are plausible wrong answers here."""
        raise NotImplementedError

    def reference(self, content: Content) -> str:
        return self.code(content)

    def split_key(self, content: Content) -> str:
        # What the function and its argument are called is decoration.
        return canonical({key: value for key, value in content.items() if key not in ("name", "arg")})

    def inputs(self, content: Content) -> list[Any]:
        """The hidden inputs: the same for the same question, whatever the function is called."""
        return json.loads(_inputs(self, self.split_key(content)))

    def grade(self, content: Content, answer: str) -> Grade:
        return self.grade_many([(content, answer)])[0]

    def grade_many(self, pairs: Sequence[tuple[Content, str]]) -> list[Grade]:
        """:meth:`grade` for a whole batch: one pass through the sandbox, equal answers run once."""
        found: list[sandbox.Job | Grade] = [self._job(content, answer) for content, answer in pairs]
        runs = iter(sandbox.run_many([job for job in found if isinstance(job, sandbox.Job)]))
        return [
            job if isinstance(job, Grade) else self._verdict(content, job, next(runs))
            for (content, _), job in zip(pairs, found, strict=True)
        ]

    def _job(self, content: Content, answer: str) -> sandbox.Job | Grade:
        program = extract(answer)
        if program is None:
            return Grade(False, f"the answer has no function; expected def {content['name']}({content['arg']})")
        names = _DEF.findall(program)
        if content["name"] not in names:
            return Grade(False, f"the answer defines {', '.join(names)}; expected {content['name']}")
        return sandbox.Job(program, content["name"], self.inputs(content))

    def _verdict(self, content: Content, job: sandbox.Job, outcomes: Sequence[sandbox.Outcome]) -> Grade:
        wants = [self.expected(content, value) for value in job.inputs]
        for value, outcome, want in zip(job.inputs, outcomes, wants, strict=True):
            call = f"{job.function}({sandbox.show(value)}) should return {sandbox.show(want)}"
            if not outcome.ok:
                return Grade(False, f"{call}, but: {outcome.error}")
            if not sandbox.same(outcome.value, want):
                return Grade(False, f"{call}, it returned {sandbox.show(outcome.value)}")
        if isinstance(wants[0], list) and (lazy := _returns_lazy(job.code, job.function)):
            return Grade(False, f"{job.function} must return a list, it returns {lazy}")
        return Grade(True, f"{job.function} returns what it should on all {len(wants)} test inputs")


@functools.lru_cache(maxsize=16_384)
def _inputs(task: FunctionTask, key: str) -> str:
    content = {**json.loads(key), "name": "f", "arg": "xs"}
    rivals = task.rivals(content)
    drawn = probe(
        lambda rng: task.draw_inputs(content, rng),
        lambda value: task.expected(content, value),
        [functools.partial(task.expected, rival) for rival in rivals],
        f"{task.name}|{key}",
    )
    return json.dumps(drawn)


def extract(answer: str) -> str | None:
    """The program in an answer: the first fenced block, else from the first ``def`` to the end of the code."""
    fenced = _FENCE.search(answer)
    text = fenced.group(1) if fenced and _DEF.search(fenced.group(1)) else answer
    start = _DEF.search(text)
    if start is None:
        return None
    if fenced and text is not answer:
        return text
    line = text.rfind("\n", 0, start.start()) + 1
    indent = text[line : start.start()]
    head, *rest = text[start.start() :].split("\n")
    if indent.strip():
        indent = ""  # words before the def on its line
    lines = [head]
    for row in rest:
        if row.strip() and not re.match(r"\s|def\b|class\b|@|import\b|from\b|#|\)", row.removeprefix(indent)):
            break  # words after the code
        lines.append(row.removeprefix(indent))
    imports = [row.strip() for row in text[:line].split("\n") if re.match(r"\s*(import \w|from \w+ import)", row)]
    return "\n".join([*imports, *lines]).rstrip() + "\n"


def _returns_lazy(code: str, name: str) -> str | None:
    """Monty has no generators: it makes lists of them. In Python they would be wrong where a list is asked."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # it ran, so let the values speak
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            for inner in ast.walk(node):
                value = inner.value if isinstance(inner, ast.Return) else None
                if isinstance(value, ast.GeneratorExp):
                    return "a generator"
                if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _LAZY:
                    return f"a {value.func.id} object"
    return None
