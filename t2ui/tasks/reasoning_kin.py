"""Kinship: two facts about a family; what is the first person to the last one.

Content: ``{"kind": "kin", "facts": [["Anna", "mother", "Ben"], ["Ben", "father", "Carl"]],
"ask": ["Anna", "Carl"], "options": ["aunt", "mother", "grandmother", "sister"]}``; a fact
``[a, word, b]`` says that a is the word of b. The careful author puts the two facts together; the
careless one repeats the word of the fact that was mentioned first.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank
from t2ui.tasks.reasoning_common import BOYS, GIRLS, NAME, PEOPLE, Kind

# What a word says without the gender.
PLAIN = {"mother": "parent", "father": "parent", "sister": "sibling", "brother": "sibling", "daughter": "child",
         "son": "child"}
GENDERED = {"parent": ("mother", "father"), "sibling": ("sister", "brother"), "child": ("daughter", "son"),
            "grandparent": ("grandmother", "grandfather"), "pibling": ("aunt", "uncle"),
            "nibling": ("niece", "nephew"), "grandchild": ("granddaughter", "grandson")}
# (what the first is to the second, what the second is to the third) -> what the first is to the third.
# A parent of a child's sibling and the like are left out where the words do not fix the answer.
TOGETHER = {("parent", "parent"): "grandparent", ("sibling", "parent"): "pibling", ("child", "parent"): "sibling",
            ("parent", "sibling"): "parent", ("sibling", "sibling"): "sibling", ("child", "sibling"): "nibling",
            ("sibling", "child"): "child", ("child", "child"): "grandchild"}
WORDS = tuple(word for pair in GENDERED.values() for word in pair)

_PATTERNS = {"rel": "|".join(PLAIN), "name": NAME}
_ANY = [
    "{name1} is the {rel} of {name2}",
    "{name1} is the {rel} of {name2}",
    "{name1} is the {rel} of {name2}",
    "{name1} is {name2}'s {rel}",
    "{name1} is {name2}'s {rel}",
    "{name2}'s {rel} is {name1}",
    "{name2}'s {rel} is [called|named] {name1}",
    "the {rel} of {name2} is {name1}",
    "the {rel} of {name2} is [called|named] {name1}",
    "[we know that|everyone knows that|it is true that|you should know that] {name1} is the {rel} of {name2}",
    "[in this family|in the photo|in this story], {name1} is the {rel} of {name2}",
    "the name of {name2}'s {rel} is {name1}",
    "here we see {name1}, the {rel} of {name2}",
    "[meet|this is] {name1}, {name2}'s {rel}",
]
_FACTS = Bank({
    "one": _ANY,
    # There may be several sisters, but not several mothers.
    "several": _ANY + ["{name1} is a {rel} of {name2}", "{name2} has a {rel} [called|named] {name1}"],
}, _PATTERNS)
_CHAINED = Bank([
    "{name1} is the {rel1} of {name2}, who is the {rel2} of {name3}",
    "{name1} is the {rel1} of {name2}, who is {name3}'s {rel2}",
    "{name1} is {name2}'s {rel1} and {name2} is {name3}'s {rel2}",
    "{name1} is the {rel1} of {name2}, the {rel2} of {name3}",
], _PATTERNS | {"rel1": _PATTERNS["rel"], "rel2": _PATTERNS["rel"]})

_QUESTIONS = Bank([
    "what is {name1} to {name2}?",
    "what is {name1} to {name2}?",
    "[so|now|then] what is {name1} to {name2}?",
    "how is {name1} related to {name2}?",
    "who is {name1} to {name2}?",
    "what relation is {name1} to {name2}?",
    "[can you tell|do you know] what {name1} is to {name2}?",
    "[tell me|say|find out|work out] what {name1} is to {name2}.",
    "[which word|what word] says what {name1} is to {name2}?",
    "{name1} is what to {name2}?",
    "[so|then] {name1} is {name2}'s what?",
    "what must {name1} be to {name2}?",
    "what is the relation of {name1} to {name2}?",
    "which of these is {name1} to {name2}?",
    "what does that make {name1} to {name2}?",
], _PATTERNS)
_INTROS = ("Here is a family.", "This is about a family.", "Some people are family.", "Here is what we know.",
           "A family meets for dinner.", "Here is a small puzzle.", "Look at this old photo.", "Read this and think.",
           "A family lives in one house.", "Here are two facts.", "There is a big party.", "It is a family day.")


class Kin(Kind):
    """Two steps of kinship."""

    name = "kin"

    def draw(self, rng: random.Random) -> Content:
        one, two = rng.choice(list(TOGETHER))
        first, second = rng.randrange(2), rng.randrange(2)
        swapped = rng.random() < 0.3
        if swapped:  # the careless word should fit the person asked about
            second = first
        banks = GIRLS, BOYS
        while True:
            a, b, c = rng.choice(banks[first]), rng.choice(banks[second]), rng.choice(PEOPLE)
            if len({a, b, c}) == 3:
                break
        facts = [[a, GENDERED[one][first], b], [b, GENDERED[two][second], c]]
        content = {"kind": self.name, "facts": facts[::-1] if swapped else facts, "ask": [a, c], "options": []}
        options = list(dict.fromkeys([self.pick(content, True), self.pick(content, False)]))
        same = [pair[first] for pair in GENDERED.values()]
        # One wrong option may be of the other gender; the rest have to be told apart by thinking.
        pool = [word for word in same if word not in options]
        options += rng.sample(pool, 4 - len(options))
        if rng.random() < 0.3:
            options[-1] = dict(zip(same, [pair[1 - first] for pair in GENDERED.values()], strict=True))[options[0]]
        options = list(dict.fromkeys(options))
        rng.shuffle(options)
        return content | {"options": options}

    def facts(self, content: Content, rng: random.Random) -> list[str]:
        (a, rel1, b), (c, rel2, d) = content["facts"]
        if b == c and rng.random() < 0.2:
            return [_CHAINED.write(rng, name1=a, rel1=rel1, name2=b, rel2=rel2, name3=d) + "."]
        one, two = (_FACTS.write(rng, "one" if PLAIN[rel] == "parent" else "several", name1=x, rel=rel, name2=y)
                    for x, rel, y in content["facts"])
        if rng.random() < 0.15:
            return [one + rng.choice((", and ", "; ", " and ", ", while ")) + two + "."]
        return [one + ".", two + "."]

    def question(self, content: Content, rng: random.Random) -> str:
        return _QUESTIONS.write(rng, name1=content["ask"][0], name2=content["ask"][1])

    def intros(self, content: Content) -> Sequence[str]:
        return _INTROS

    def all_intros(self) -> Iterable[str]:
        return _INTROS

    def read_fact(self, sentence: str) -> list | None:
        if match := _FACTS.read(sentence):
            return [[match.slots["name1"], match.slots["rel"].lower(), match.slots["name2"]]]
        if match := _CHAINED.read(sentence):
            slots = match.slots
            return [[slots["name1"], slots["rel1"].lower(), slots["name2"]],
                    [slots["name2"], slots["rel2"].lower(), slots["name3"]]]
        return None

    def read_question(self, sentence: str) -> Any | None:
        match = _QUESTIONS.read(sentence + "?") or _QUESTIONS.read(sentence + ".")
        return match and [match.slots["name1"], match.slots["name2"]]

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        if len(facts) != 2 or ask[0] == ask[1]:
            return None
        options = [option.lower() for option in options]
        content = {"kind": self.name, "facts": facts, "ask": ask, "options": options}
        chained = self._chain(content)
        if chained is None or any(option not in WORDS for option in options):
            return None
        return content if self.pick(content, True) in options else None

    @staticmethod
    def _chain(content: Content) -> tuple[list[str], list[str], str] | None:
        """The two facts from the person asked about to the other one, and what follows; None if nothing does."""
        for one, two in (content["facts"], content["facts"][::-1]):
            if one[2] == two[0] and [one[0], two[2]] == list(content["ask"]) and one[0] != one[2] != two[2]:
                plain = TOGETHER.get((PLAIN[one[1]], PLAIN[two[1]]))
                if plain is not None:
                    gender = 0 if one[1] in [pair[0] for pair in GENDERED.values()] else 1
                    return one, two, GENDERED[plain][gender]
        return None

    def pick(self, content: Content, careful: bool) -> str:
        if not careful:
            return content["facts"][0][1]
        chained = self._chain(content)
        if chained is None:
            raise ValueError(f"the facts {content['facts']} do not say what {' is to '.join(content['ask'])}")
        return chained[2]

    def steps(self, content: Content, careful: bool) -> str:
        chained = self._chain(content)
        assert chained is not None
        (a, rel1, b), (_, rel2, c), _ = chained
        return (f"{a} is the {rel1} of {b}. {b} is a {PLAIN[rel2]} of {c}. "
                f"So {a} is the {self.pick(content, careful)} of {c}.")

    def key(self, content: Content) -> Content:
        return {"kind": self.name, "facts": sorted(content["facts"]), "ask": content["ask"]}
