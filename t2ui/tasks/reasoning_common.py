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
from t2ui.tasks.names import NOT_NAMES

LETTERS = "ABCD"

# Everything that reads a name goes by its capital; see :data:`t2ui.tasks.names.NOT_NAMES` for what is none.
NAME = rf"(?-i:(?!(?:{NOT_NAMES.replace(' ', '|')})\b)[A-Z][a-z]+)"
# Someone or something: a name, or "the" with a plain word.
WHO = rf"(?:{NAME}|(?-i:[Tt]he [a-z]+))"

HARMLESS = 0.35  # the share of contents on which the careless habit happens to be right

CHOICE = re.compile(r"\banswer\s+is\s*:?\s*([^.;!?\n<]*)", re.IGNORECASE)
# "B", "(B)", "B) Ben", "B: Ben", "B (Ben)": a letter, and the option's text behind a mark.
_LETTERED = re.compile(r"\(?([A-H])\)?(?:(?:(?<=\))|[:,-]|\s*(?=\())\s*\(?(.*?)\)?)?", re.IGNORECASE)
_OPTION = re.compile(r"(?:^|[\s,;])\(?([A-H])\)\s*")
_LEAD_IN = re.compile(r"(?:options|choices|choose|choose one|pick|pick one|possible answers|the options are|"
                      r"your choices)\s*:?\s*$", re.IGNORECASE)
_LEAD_INS = ("", "", "", "", "", "Options: ", "Choices: ", "Choose: ", "Pick one: ", "Choose one: ",
             "Possible answers: ", "The options are: ")
_JOINT = re.compile(r"\s*;\s*|,?\s+(?:and|but|while|whereas)\s+|,\s+", re.IGNORECASE)
_ASKING = ("Who", "Which", "What", "How")
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
    """A family of multiple-choice kinds, equally frequent; an answer ends with ``The answer is Ben.``

    The authors name the option itself, not its letter; the grader takes either, or both if they agree.
    """

    skills = ("reasoning",)
    max_new_tokens = 160
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
        luck = rng.random()
        if luck < 0.12:
            parts.insert(0, question)
        elif luck < 0.18 and facts and "," not in question and question.split()[0] in _ASKING:
            # "If Ben is taller than Anna and Anna is taller than Carl, who is the tallest?"
            told = " and ".join(fact.rstrip(".") for fact in facts)
            parts = [f"If {told}, {question[:1].lower()}{question[1:]}"]
        elif luck < 0.22 and facts and "," not in question and question.split()[0] in _ASKING and question.endswith("?"):
            # "Who is the tallest, given that Ben is taller than Anna and Anna is taller than Carl?"
            told = " and ".join(fact.rstrip(".") for fact in facts)
            parts = [f"{question[:-1]}{rng.choice((', given that', ' if', ', if'))} {told}?"]
        else:
            opening = [rng.choice(intros)] if intros and rng.random() < 0.35 else []
            if opening and facts and rng.random() < 0.2:  # "Three friends compare their ages: Ben is older than ..."
                parts[0] = f"{opening.pop().rstrip('.:')}: {facts[0] if rng.random() < 0.3 else parts[0]}"
            parts = [*opening, *parts, question]
        return " ".join([*parts, write_options(content["options"], rng)])

    def author(self, content: Content, care: Mapping[str, bool], rng: random.Random) -> str:
        kind, careful = self._kind(content), care["reasoning"]
        option = self._option(content, kind.pick(content, careful))
        return f"{capital(kind.steps(content, careful))} The answer is {option}."

    def parse(self, prompt: str, scene: dict[str, Any] | None = None) -> Content | None:
        if not isinstance(prompt, str) or len(prompt) > _MAX_PROMPT:
            return None
        split = read_options(prompt)
        if split is None:
            return None
        body, options = split
        if body == body.lower() and re.search(rf"(?<!the )\b{options[0]}\b", body):
            body, options = _capitalised(body, options)
        lines = [re.sub(r"[\s.?!:,]+$", "", sentence) for sentence in sentences(body)]
        for kind in self.kinds:
            content = _read(kind, [line for line in lines if line], options)
            if content is not None:
                return content
        return None

    def reference(self, content: Content) -> str:
        return self._option(content, self._kind(content).pick(content, careful=True))

    def chance(self, content: Content) -> float:
        """What a blind guess scores."""
        return 1 / len(content["options"])

    def grade(self, content: Content, answer: str) -> Grade:
        options = content["options"]
        word = self.reference(content)
        expected = f"{word} ({LETTERS[options.index(word)]})"
        found = CHOICE.search(answer) if isinstance(answer, str) else None
        if found is None:
            return Grade(False, f'expected {expected}, found no closing "The answer is ..."')
        said = found.group(1).strip()
        if chosen(said, options) == word:
            return Grade(True, f"{expected} is right")
        return Grade(False, f"expected {expected}, the answer says {said or 'nothing'}")

    def split_key(self, content: Content) -> str:
        return canonical(self._kind(content).key(content))

    def _kind(self, content: Content) -> Kind:
        return next(kind for kind in self.kinds if kind.name == content["kind"])

    @staticmethod
    def _option(content: Content, option: str) -> str:
        # A visitor's own options need not hold the careless pick; the habit then takes the first one.
        options = content["options"]
        return option if option in options else options[0]


def chosen(said: str, options: Sequence[str]) -> str | None:
    """The option that a closing sentence names, by its letter, its text, or both; None if it names none or two."""
    said = " ".join(said.replace("*", "").replace("`", "").split()).strip("\"' ")
    by_text = {option.lower(): option for option in options}
    found = _LETTERED.fullmatch(said)
    if found:
        at = LETTERS.find(found.group(1).upper())
        option = options[at] if 0 <= at < len(options) else None
        text = re.sub(r"^(?:the|an?)\s+", "", found.group(2) or "", flags=re.IGNORECASE).lower()
        return option if not text or by_text.get(text) == option else None
    return by_text.get(re.sub(r"^(?:the|an?)\s+", "", said, flags=re.IGNORECASE).lower())


def _capitalised(body: str, options: list[str]) -> tuple[str, list[str]]:
    """Typed without capitals ("kim is taller than ray"), the people among the options get theirs back."""
    people = [option for option in options if not re.search(rf"\b(?:the|an?) {option}\b", body)]
    for name in people:
        body = re.sub(rf"\b{name}\b", name.capitalize(), body)
    return body, [option.capitalize() if option in people else option for option in options]


def _if_parts(line: str, kind: Kind) -> list[str]:
    """ "If FACTS, QUESTION" and "QUESTION if FACTS" as two sentences, "OPENING: FACTS" without its opening; any other
    line as it is."""
    before, colon, after = line.partition(": ")
    if colon and kind.known_intro(before):
        return [after]
    if line[:3].lower() == "if ":
        for comma in reversed(list(re.finditer(r",\s+(?:then\s+)?", line))):
            if kind.read_question(line[comma.end() :]) is not None:
                return [line[3 : comma.start()], line[comma.end() :]]
    elif found := re.search(r",?\s+(?:if|given that)\s+", line):
        if kind.read_question(line[: found.start()]) is not None:
            return [line[found.end() :], line[: found.start()]]
    return [line]


def _read(kind: Kind, lines: list[str], options: list[str]) -> Content | None:
    """The content of one kind, if every sentence is one of its facts, its question or an opening."""
    facts: list = []
    ask = None
    for line in [part for whole in lines for part in _if_parts(whole, kind)]:
        if (found := joined(line, kind.read_fact)) is not None:
            facts += found
        elif (found := kind.read_question(line)) is not None:
            if ask is not None:
                return None
            ask = found
        elif not kind.known_intro(line):
            return None
    return None if ask is None else kind.build(facts, ask, options)
