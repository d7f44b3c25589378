"""What a task family is: it makes questions, writes answers, reads prompts back, and grades.

A family is built round its *content*: the plain facts of one question (numbers, names, structure,
scene) without any phrasing. Everything else is a function of the content:

    sample(rng) -> content            prompt(content, rng) -> str         parse(prompt) -> content
    author(content, care, rng) -> str grade(content, answer) -> Grade     solve(prompt) -> answer

The split into train, validation and test is a hash of the content, so that no two phrasings of one
question can stand on both sides of it, and so that it was fixed before any model was trained.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SKILLS = ("math", "code", "reasoning", "vision")
SPLITS = ("train", "validation", "test")
# Of 100 hash buckets: the first five are the test split, the next five validation, the rest train.
_TEST, _VALIDATION = 5, 10

Content = dict[str, Any]


@dataclass(frozen=True)
class Grade:
    """A verdict and its reason, for people: "expected 9, the answer says 12"."""

    right: bool
    why: str


@dataclass(frozen=True)
class Example:
    """One question of a family, ready to be asked.

    ``scene`` is the description of the picture (``None`` without one); ``t2ui.tasks.pictures.draw``
    turns it into a Pillow image. ``answer`` is the short reference answer, as :meth:`Task.solve` gives it.
    """

    task: str
    prompt: str
    answer: str
    content: Content
    scene: dict[str, Any] | None = None


class Task:
    """Base class of the families. Subclasses set the attributes and write the seven methods below.

    Attributes:
        name: the family's name, as in ``--task``.
        skills: which skills it needs; one care flag per skill governs :meth:`author`.
        trained: whether an expert is trained on it (unseen siblings and two-skill tasks: False).
        label: the expert that dispatch should choose (the family's own skill; of two, the first).
        size: number of distinct contents (counted or a proven lower bound), see the docstring.
        max_new_tokens: enough for the longest answer.
    """

    name: str
    skills: tuple[str, ...]
    trained: bool = False
    size: int
    max_new_tokens: int = 96

    @property
    def label(self) -> str:
        return self.skills[0]

    # -- to be written by a family -------------------------------------------------------------

    def sample(self, rng: random.Random) -> Content:
        """A random content: a JSON-able dict, the same dict for the same question."""
        raise NotImplementedError

    def prompt(self, content: Content, rng: random.Random) -> str:
        """One of many phrasings of the question."""
        raise NotImplementedError

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        """The full answer as written by an author who is careful (or not) in each of :attr:`skills`.

        Careless authors write steps of the same outer form and err in content, in a way that depends
        on the content alone and is harmless for about a third of the contents.
        """
        raise NotImplementedError

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        """The content behind a prompt, or None where this family does not understand it."""
        raise NotImplementedError

    def reference(self, content: Content) -> str:
        """The short right answer ("9", "B", a line of code), computed from the content."""
        raise NotImplementedError

    def grade(self, content: Content, answer: str) -> Grade:
        """Whether a full answer is right, and why; never raises on any text."""
        raise NotImplementedError

    def scene(self, content: Content) -> dict[str, Any] | None:
        """The picture that belongs to the question, or None."""
        return None

    def solution(self, content: Content) -> str:
        """A reference answer in full, as a careful author writes it; always the same for the same content."""
        rng = random.Random(f"{self.name}|solution|{canonical(content)}")
        return self.author(content, dict.fromkeys(self.skills, True), rng)

    def split_key(self, content: Content) -> str:
        """What the split hashes. Families may drop what is mere decoration, never add phrasing."""
        return canonical(content)

    # -- the same for all families -------------------------------------------------------------

    def split(self, content: Content) -> str:
        """``train``, ``validation`` or ``test``: a hash of the canonical content."""
        digest = hashlib.sha256(f"{self.name}|{self.split_key(content)}".encode()).digest()
        bucket = int.from_bytes(digest[:4], "big") % 100
        return "test" if bucket < _TEST else "validation" if bucket < _VALIDATION else "train"

    def draw_content(self, rng: random.Random, split: str) -> Content:
        """A random content of one split (by rejection: one try in twenty for validation and test)."""
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
        while True:
            content = self.sample(rng)
            if self.split(content) == split:
                return content

    def example(self, content: Content, rng: random.Random) -> Example:
        return Example(self.name, self.prompt(content, rng), self.reference(content), content, self.scene(content))

    def examples(self, split: str, n: int, seed: int) -> list[Example]:
        """``n`` distinct questions of a split; the same for the same (split, seed), a longer list
        begins with the shorter one."""
        rng = random.Random(f"{self.name}|{split}|{seed}")
        out: list[Example] = []
        seen: set[str] = set()
        while len(out) < n:
            content = self.draw_content(rng, split)
            key = canonical(content)
            if key in seen:
                continue
            seen.add(key)
            out.append(self.example(content, rng))
        return out

    def solve(self, prompt: str, scene: dict[str, Any] | None = None) -> str | None:
        """The short right answer to a prompt, or None where the family cannot tell: the generator's
        inverse, with which the page grades what a visitor typed."""
        content = self.parse(prompt, scene)
        return None if content is None else self.reference(content)

    def grade_prompt(self, prompt: str, answer: str, scene: dict[str, Any] | None = None) -> Grade | None:
        """Grade an answer to a prompt that may have been typed or edited; None: cannot be checked."""
        content = self.parse(prompt, scene)
        return None if content is None else self.grade(content, answer)


def canonical(content: Content) -> str:
    """The one JSON text of a content (sorted keys, no spaces)."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
