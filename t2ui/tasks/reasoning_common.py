"""What all reasoning questions share: people, lettered options, and the multiple-choice family itself.

A family is a set of *kinds* (ordering, sets, kinship, ...). A kind knows its facts, its question and
the two authors; :class:`ChoiceTask` puts the pieces into a prompt, reads prompts back sentence by
sentence, and grades the letter. Contents are plain dicts with at least ``kind`` and ``options``.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from t2ui.tasks.base import Content, Grade, Task, canonical
from t2ui.tasks.grammar import capital, sentences

LETTERS = "ABCD"

# Gendered, because kinship words are; no name ends in s (the possessive stays 's), none is an English word.
GIRLS = ("Anna", "Clara", "Dora", "Ella", "Emma", "Fiona", "Hanna", "Ida", "Julia", "Kate", "Laura", "Lena", "Lucy",
         "Maria", "Mia", "Nina", "Nora", "Olga", "Paula", "Rita", "Rosa", "Sara", "Sofia", "Tina", "Vera", "Wanda",
         "Yara", "Zoe")
BOYS = ("Adam", "Ben", "Carl", "Dan", "David", "Emil", "Erik", "Felix", "Finn", "Hugo", "Ivan", "Jack", "Jan",
        "Karl", "Leo", "Max", "Noah", "Oscar", "Otto", "Paul", "Peter", "Rafi", "Sam", "Simon", "Tim", "Tom", "Victor",
        "Yusuf")
PEOPLE = GIRLS + BOYS

# Capitalised words that begin a sentence and are nobody's name: "Nobody is taller than Anna" must not be read.
_NOT_NAMES = ("The They Them She He It We You His Her My Our Their This That These Those There Here All Any Every "
              "Each Both Some Somebody Someone Everybody Everyone Nobody None Neither Not No Never Only One Two Who "
              "What Which How If When Where Why Then So Now Today In Inside At On Of But And Or As "
              "Compared Between Next Beside")
NAME = rf"(?-i:(?!(?:{_NOT_NAMES.replace(' ', '|')})\b)[A-Z][a-z]+)"
# Someone or something: a name, or "the" with a plain word.
WHO = rf"(?:{NAME}|(?-i:[Tt]he [a-z]+))"

HARMLESS = 0.35  # the share of contents on which the careless habit happens to be right

_CLOSING = re.compile(r"\banswer\s+is\s*:?\s*\(?([A-Za-z0-9-]+)", re.IGNORECASE)
_OPTION = re.compile(r"(?:^|[\s,;])\(?([A-H])\)\s*")
_LEAD_IN = re.compile(r"(?:options|choices|choose|choose one|pick|pick one|possible answers|the options are|"
                      r"your choices)\s*:?\s*$", re.IGNORECASE)
_LEAD_INS = ("", "", "", "", "", "Options: ", "Choices: ", "Choose: ", "Pick one: ", "Choose one: ",
             "Possible answers: ", "The options are: ")
_JOINT = re.compile(r"\s*;\s*|,?\s+(?:and|but|while|whereas)\s+", re.IGNORECASE)
_MAX_PROMPT = 2000  # characters; nothing a family writes is a quarter as long


def someone(entity: str) -> str:
    """How an entity stands in a sentence: names as they are, things with "the"."""
    return entity if entity[:1].isupper() else f"the {entity}"


def entity(text: str) -> str:
    """The inverse of :func:`someone`."""
    return re.sub(r"^the\s+", "", text, flags=re.IGNORECASE)


def article(word: str) -> str:
    """``a`` or ``an``, by the first letter."""
    return "an" if word[:1].lower() in tuple("aeiou") else "a"


def listing(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def write_options(options: Sequence[str], rng: random.Random) -> str:
    """``A) Ben B) Anna C) Carl``, sometimes with a word before it."""
    lettered = " ".join(f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False))
    return rng.choice(_LEAD_INS) + lettered


def read_options(prompt: str) -> tuple[str, list[str]] | None:
    """Split a prompt into what stands before its options and the options; None without 2-4 plain ones."""
    marks = list(_OPTION.finditer(prompt))
    if not 2 <= len(marks) <= len(LETTERS) or "".join(m.group(1) for m in marks) != LETTERS[: len(marks)]:
        return None
    ends = [m.start() for m in marks[1:]] + [len(prompt)]
    texts = [re.sub(r"[\s,;.?!]+(?:or)?$", "", prompt[m.end() : end]) for m, end in zip(marks, ends, strict=True)]
    options = [entity(" ".join(text.split())) for text in texts]
    if any(not re.fullmatch(r"[A-Za-z]+(?:-[a-z]+)*", option) for option in options):
        return None
    if len({option.lower() for option in options}) != len(options):
        return None
    return _LEAD_IN.sub("", prompt[: marks[0].start()].rstrip()), options


def joined(sentence: str, read: Callable[[str], list | None]) -> list | None:
    """Facts of one sentence: read whole, else cut at "and", "but", "while" or ";" into readable parts."""
    if (facts := read(sentence)) is not None:
        return facts
    for joint in _JOINT.finditer(sentence):
        left = read(sentence[: joint.start()])
        right = joined(sentence[joint.end() :], read) if left is not None else None
        if right is not None:
            return left + right
    return None


class Kind:
    """One kind of reasoning question. Subclasses set ``name`` and write the methods below."""

    name: str

    def draw(self, rng: random.Random) -> Content:
        """A random content, options shuffled, not yet balanced between harmless and not."""
        raise NotImplementedError

    def facts(self, content: Content, rng: random.Random) -> list[str]:
        """The sentences that state the facts, in their order of mention (not capitalised, with full stop)."""
        raise NotImplementedError

    def question(self, content: Content, rng: random.Random) -> str:
        """The question sentence."""
        raise NotImplementedError

    def pieces(self, content: Content, rng: random.Random) -> tuple[list[str], str]:
        """Facts and question that go together."""
        return self.facts(content, rng), self.question(content, rng)

    def intros(self, content: Content) -> Sequence[str]:
        """Opening sentences that say nothing which matters; may be empty."""
        return ()

    def read_fact(self, sentence: str) -> list | None:
        """The facts in a sentence without its closing mark, or None."""
        raise NotImplementedError

    def read_question(self, sentence: str) -> Any | None:
        """What a question sentence asks, or None."""
        raise NotImplementedError

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        """The content made of what was read, or None where it has no single right option."""
        raise NotImplementedError

    def pick(self, content: Content, careful: bool) -> str:
        """The option an author chooses."""
        raise NotImplementedError

    def steps(self, content: Content, careful: bool) -> str:
        """The author's sentences before the closing one."""
        raise NotImplementedError

    def key(self, content: Content) -> Content:
        """The content without the order of facts and options: what the split hashes."""
        raise NotImplementedError

    def harmless(self, content: Content) -> bool:
        return self.pick(content, careful=False) == self.pick(content, careful=True)

    def known_intro(self, sentence: str) -> bool:
        return sentence.lower() in self._intro_set()

    def _intro_set(self) -> frozenset[str]:
        if not hasattr(self, "_intros_seen"):
            self._intros_seen = frozenset(text.rstrip(".:!").lower() for text in self.all_intros())
        return self._intros_seen

    def all_intros(self) -> Iterable[str]:
        """Every opening sentence that :meth:`intros` can return."""
        return ()


class ChoiceTask(Task):
    """A family of multiple-choice kinds, equally frequent, with the answer ``... The answer is B.``"""

    skills = ("reasoning",)
    max_new_tokens = 72
    kinds: tuple[Kind, ...]

    def sample(self, rng: random.Random) -> Content:
        kind = rng.choice(self.kinds)
        harmless = rng.random() < HARMLESS
        while True:
            content = kind.draw(rng)
            if kind.harmless(content) == harmless:
                return content

    def prompt(self, content: Content, rng: random.Random) -> str:
        kind = self._kind(content)
        facts, question = kind.pieces(content, rng)
        parts, question = [capital(sentence) for sentence in facts], capital(question)
        intros = kind.intros(content)
        if rng.random() < 0.12:
            parts.insert(0, question)
        else:
            opening = [rng.choice(intros)] if intros and rng.random() < 0.3 else []
            parts = [*opening, *parts, question]
        return " ".join([*parts, write_options(content["options"], rng)])

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        kind, careful = self._kind(content), care["reasoning"]
        letter = self._letter(content, kind.pick(content, careful))
        return f"{capital(kind.steps(content, careful))} The answer is {letter}."

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        if not isinstance(prompt, str) or len(prompt) > _MAX_PROMPT:
            return None
        split = read_options(prompt)
        if split is None:
            return None
        body, options = split
        lines = [re.sub(r"[\s.?!:,]+$", "", sentence) for sentence in sentences(body)]
        for kind in self.kinds:
            content = _read(kind, [line for line in lines if line], options)
            if content is not None:
                return content
        return None

    def reference(self, content: Content) -> str:
        return self._letter(content, self._kind(content).pick(content, careful=True))

    def chance(self, content: Content) -> float:
        """What a blind guess scores."""
        return 1 / len(content["options"])

    def grade(self, content: Content, answer: str) -> Grade:
        expected = self.reference(content)
        word = content["options"][LETTERS.index(expected)]
        found = _CLOSING.search(answer) if isinstance(answer, str) else None
        if found is None:
            return Grade(False, f'expected {expected} ({word}), found no closing "The answer is ..."')
        said = found.group(1)
        if len(said) == 1 and said.upper() == expected:
            return Grade(True, f"{expected} ({word}) is right")
        return Grade(False, f"expected {expected} ({word}), the answer says {said}")

    def split_key(self, content: Content) -> str:
        return canonical(self._kind(content).key(content))

    def _kind(self, content: Content) -> Kind:
        return next(kind for kind in self.kinds if kind.name == content["kind"])

    @staticmethod
    def _letter(content: Content, option: str) -> str:
        # A visitor's own options need not hold the careless pick; the habit then takes the first one.
        options = content["options"]
        return LETTERS[options.index(option) if option in options else 0]


def _read(kind: Kind, lines: list[str], options: list[str]) -> Content | None:
    """The content of one kind, if every sentence is one of its facts, its question or an opening."""
    facts: list = []
    ask = None
    for line in lines:
        if (found := joined(line, kind.read_fact)) is not None:
            facts += found
        elif (found := kind.read_question(line)) is not None:
            if ask is not None:
                return None
            ask = found
        elif not kind.known_intro(line):
            return None
    return None if ask is None else kind.build(facts, ask, options)
