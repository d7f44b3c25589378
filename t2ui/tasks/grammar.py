"""Phrasings that can be read back: one template both writes a sentence and recognises it.

A template is plain text with slots and choices:

    {name} [has|owns|holds] {n1} {things}.

- ``{slot}`` is filled on writing and captured on reading. Its pattern is looked up by the slot's
  name without trailing digits (``n1`` and ``n2`` are both ``n``).
- ``[a|b|]`` writes one of the alternatives (an empty one makes it optional) and reads any of them.
  Choices do not nest.
- the same slot twice must read the same text twice.

This is what lets :meth:`t2ui.tasks.base.Task.parse` be the inverse of the generator without being
written a second time. The module knows nothing of tasks or models.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from functools import cached_property

PATTERNS: dict[str, str] = {
    # Bounded, so that int() takes every number that is read.
    "n": r"-?[0-9]{1,9}",
    "name": r"[A-Z][a-z]+",
    "word": r"[a-z]+",
}
_PIECE = re.compile(r"\{(\w+)\}|\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Match:
    """Which template read the text, and what stood in its slots."""

    index: int
    key: str
    slots: dict[str, str]


@dataclass
class Bank:
    """Templates that mean the same, or (as a mapping) templates under keys that mean different things.

    Args:
        templates: a list, or a mapping from a meaning to its list.
        patterns: regular expressions of this bank's slots, beside :data:`PATTERNS`.
    """

    templates: list[str] | dict[str, list[str]]
    patterns: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        groups = self.templates if isinstance(self.templates, dict) else {"": self.templates}
        self._all = [(key, text) for key, texts in groups.items() for text in texts]
        if not self._all:
            raise ValueError("a Bank needs at least one template")
        self._groups = groups
        self._readers: dict[int, re.Pattern[str]] = {}
        for _, text in self._all:
            for slot, _ in _PIECE.findall(text):
                if slot:
                    self._pattern(slot, text)

    @cached_property
    def _clues(self) -> list[tuple[list[str], list[list[str]]]]:
        """Of every template, what a text must hold to be read by it: all of its own words, and one of each choice's."""
        return [_clues_of(template) for _, template in self._all]

    def _reader(self, index: int) -> re.Pattern[str]:
        """Compiled when a text first holds a template's words: there are thousands, and compiling all takes seconds."""
        if index not in self._readers:
            self._readers[index] = re.compile(self._regex(self._all[index][1]), re.IGNORECASE)
        return self._readers[index]

    def _pattern(self, slot: str, template: str) -> str:
        kind = slot.rstrip("0123456789")
        pattern = self.patterns.get(slot) or self.patterns.get(kind) or PATTERNS.get(kind)
        if pattern is None:
            raise KeyError(f"no pattern for slot {{{slot}}} in template {template!r}")
        return pattern

    def write(self, rng: random.Random, key: str = "", **slots: object) -> str:
        """One of the templates under ``key``, filled in. A missing slot is a KeyError that names it."""
        return fill(rng.choice(self._groups[key]), rng, **slots)

    def read(self, text: str) -> Match | None:
        """The first template that reads the whole text (case and runs of spaces do not matter)."""
        return next(self.reads(text), None)

    def reads(self, text: str):
        """All templates that read the whole text: for callers whose templates overlap."""
        text = " ".join(text.split())
        folded = text.casefold()
        for index, ((words, choices), (key, _)) in enumerate(zip(self._clues, self._all, strict=True)):
            if all(word in folded for word in words) and all(any(o in folded for o in options) for options in choices):
                if found := self._reader(index).fullmatch(text):
                    yield Match(index, key, found.groupdict())

    def _regex(self, template: str) -> str:
        out, seen, last = [], set(), 0
        for piece in _PIECE.finditer(template):
            out.append(_literal(template[last : piece.start()]))
            slot, choice = piece.groups()
            if slot is not None:
                if slot in seen:
                    out.append(f"(?P={slot})")
                else:
                    seen.add(slot)
                    kind, pattern = slot.rstrip("0123456789"), self._pattern(slot, template)
                    # Case is ignored for the template's words; a name still has to look like one.
                    out.append(f"(?P<{slot}>(?-i:{pattern}))" if kind == "name" else f"(?P<{slot}>{pattern})")
            else:
                out.append("(?:" + "|".join(_literal(option) for option in choice.split("|")) + ")")
            last = piece.end()
        out.append(_literal(template[last:]))
        # An empty choice leaves two spaces behind; writing squeezes them, so reading must not want both.
        return r"\s*" + "".join(out) + r"\s*"


def _clues_of(template: str) -> tuple[list[str], list[list[str]]]:
    """(what stands in the template itself, options of its choices), casefolded, without the spaces that reading forgives."""
    words, choices, last = [], [], 0
    for piece in _PIECE.finditer(template):
        words += template[last : piece.start()].casefold().split()
        if piece[2] is not None:
            options = [option.casefold().split() for option in piece[2].split("|")]
            if all(options):  # none may be left out
                choices.append([max(option, key=len) for option in options])
        last = piece.end()
    words += template[last:].casefold().split()
    return sorted(set(words), key=len, reverse=True), choices


def fill(template: str, rng: random.Random, **slots: object) -> str:
    """Write one template: choices by ``rng``, slots from ``slots``; double spaces are squeezed."""

    def piece(found: re.Match[str]) -> str:
        slot, choice = found.groups()
        return str(slots[slot]) if slot is not None else rng.choice(choice.split("|"))

    text = _PIECE.sub(piece, template)
    text = re.sub(r"[ \t]{2,}", " ", text)
    return re.sub(r" ([,.?!:;])", r"\1", text).strip()


def _literal(text: str) -> str:
    # A space may be missing where a choice is empty or a mark follows, but never between two words.
    return re.sub(r"(?:\\ |\s)+", lambda _: r"\s*(?:(?<!\w)|(?!\w))", re.escape(text))


def sentences(text: str) -> list[str]:
    """Split into sentences, each with its closing mark; line breaks end a sentence too."""
    return [s.strip() for s in re.findall(r"[^.?!\n]+[.?!]*", text) if s.strip()]


def capital(text: str) -> str:
    """The text with its first letter in upper case, the rest untouched."""
    return text[:1].upper() + text[1:]
