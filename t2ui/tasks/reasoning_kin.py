"""Kinship: two facts about a family; what is the first person to the last one.

Content: ``{"kind": "kin", "facts": [["Anna", "mother", "Ben"], ["Ben", "father", "Carl"]],
"ask": ["Anna", "Carl"], "options": ["aunt", "mother", "grandmother", "sister"]}``; a fact
``[a, word, b]`` says that a is the word of b. The careful author puts the two facts together; the
careless one repeats the word of the fact that was mentioned first.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank
from t2ui.tasks.names import BOYS, GIRLS, person
from t2ui.tasks.reasoning_common import NAME, Kind

# What a word says without the gender.
PLAIN = {"mother": "parent", "father": "parent", "sister": "sibling", "brother": "sibling", "daughter": "child",
         "son": "child"}
INVERSE = {"parent": "child", "sibling": "sibling", "child": "parent"}
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
    "[my friend|our neighbor|my classmate|my teacher|my cousin] {name1} is the {rel} of {name2}",
    "[I know that|I hear that|they say that] {name1} is the {rel} of {name2}",
    "{name1} is the {rel} of [little|old|young|tall] {name2}",
    "for {name2}, {name1} is the {rel}",
    "to {name2}, {name1} is the {rel}",
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
    "what is {name1} for {name2}?",
    "[in what way|and how] is {name1} related to {name2}?",
    "to {name2}, {name1} is what?",
    "to {name2}, [who|what] is {name1}?",
    "what would {name2} call {name1}?",
    "which relative of {name2} is {name1}?",
    "and {name1} is what to {name2}?",
    "[please tell me|I want to know] what {name1} is to {name2}.",
    "what kind of relative is {name1} to {name2}?",
    "so what is {name1}, seen from {name2}?",
    "what does that make {name1} to {name2}?",
], _PATTERNS)
_INTROS = ("Here is a family.", "This is about a family.", "Some people are family.", "Here is what we know.",
           "A family meets for dinner.", "Here is a small puzzle.", "Look at this old photo.", "Read this and think.",
           "A family lives in one house.", "Here are two facts.", "There is a big party.", "It is a family day.",
           "Think about this family.", "A question about a family.", "Consider these facts.", "A riddle.",
           "Some relatives meet.", "A family tree.", "Let us talk about a family.")


class _Chain(NamedTuple):
    """``(("Anna", "mother", "Ben"), ("Ben", "parent", "Carl"), "grandmother", (None, ["Carl", "son", "Ben"]))``: from the
    person asked about to the other one, what follows, and the facts as told where they had to be turned."""

    one: tuple[str, str, str]
    two: tuple[str, str, str]
    answer: str
    turned: tuple[Sequence[str] | None, Sequence[str] | None]


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
        # Told from the other side ("Carl is the son of Ben" for Ben, Carl's father), as one tells of families too. Who
        # is asked about is then a girl or a boy by the options alone, so names that anyone knows are taken.
        turned = [rng.random() < 0.1, rng.random() < 0.25]
        while True:
            a = rng.choice(banks[first]) if turned[0] else person(rng, banks[first])
            b, c = person(rng, banks[second]), person(rng)
            if len({a, b, c}) == 3:
                break
        facts = [[a, GENDERED[one][first], b], [b, GENDERED[two][second], c]]
        for i, turn in enumerate(turned):
            if turn:
                x, word, y = facts[i]
                gender = second if i == 0 else int(c in BOYS or (c not in GIRLS and rng.random() < 0.5))
                facts[i] = [y, GENDERED[INVERSE[PLAIN[word]]][gender], x]
        content = {"kind": self.name, "facts": facts[::-1] if swapped else facts, "ask": [a, c], "options": []}
        right = GENDERED[TOGETHER[one, two]][first]
        options = list(dict.fromkeys([right, self.pick(content, False)]))
        same = [pair[first] for pair in GENDERED.values()]
        # One wrong option may be of the other gender; the rest have to be told apart by thinking.
        pool = [word for word in same if word not in options]
        options += rng.sample(pool, 4 - len(options))
        if rng.random() < 0.3 and not turned[0]:
            options[-1] = dict(zip(same, [pair[1 - first] for pair in GENDERED.values()], strict=True))[options[0]]
        options = list(dict.fromkeys(options))
        other = GENDERED[TOGETHER[one, two]][1 - first]
        if turned[0] and other in options:
            return self.draw(rng)
        rng.shuffle(options)
        return content | {"options": options}

    def facts(self, content: Content, rng: random.Random) -> list[str]:
        (a, rel1, b), (c, rel2, d) = content["facts"]
        if b == c and len({a, b, d}) == 3 and rng.random() < 0.2:
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
    def _chain(content: Content) -> _Chain | None:
        """The two facts turned so that they lead from the person asked about to the other one, and what follows; None
        if nothing does.

        A fact told from the other side does not say whether the first person is a girl or a boy; the options then do,
        if only one of the two words is among them.
        """
        for one, two in (content["facts"], content["facts"][::-1]):
            for a, plain1, b, gender in _sides(one):
                for x, plain2, c, told in _sides(two):
                    if x != b or [a, c] != list(content["ask"]) or len({a, b, c}) != 3:
                        continue
                    words = GENDERED.get(TOGETHER.get((plain1, plain2), ""), ())
                    turned = (one if gender is None else None, two if told is None else None)
                    if gender is None:
                        fitting = [g for g, word in enumerate(words) if word in content["options"]]
                        gender = fitting[0] if len(fitting) == 1 else None
                    if words and gender is not None:
                        return _Chain((a, GENDERED[plain1][gender], b), (b, plain2, c), words[gender], turned)
        return None

    def pick(self, content: Content, careful: bool) -> str:
        if not careful:
            return content["facts"][0][1]
        chained = self._chain(content)
        if chained is None:
            raise ValueError(f"the facts {content['facts']} do not say what {' is to '.join(content['ask'])}")
        return chained.answer

    def steps(self, content: Content, careful: bool) -> str:
        chained = self._chain(content)
        assert chained is not None
        (a, rel1, b), (_, plain2, c) = chained.one, chained.two
        # A fact that was told from the other side is repeated before it is turned.
        before = [f"{x} is the {word} of {y}: " if told else "" for told in chained.turned for x, word, y in [told or ("",) * 3]]
        return (f"{before[0]}{a} is the {rel1} of {b}. {before[1]}{b} is a {plain2} of {c}. "
                f"So {a} is the {self.pick(content, careful)} of {c}.")

    def key(self, content: Content) -> Content:
        return {"kind": self.name, "facts": sorted(content["facts"]), "ask": content["ask"]}


def _sides(fact: Sequence[str]) -> list[tuple[str, str, str, int | None]]:
    """A fact as told and turned round: who, what without the gender, of whom, the first one's gender if it is said."""
    x, word, y = fact
    plain = PLAIN[word]
    return [(x, plain, y, GENDERED[plain].index(word)), (y, INVERSE[plain], x, None)]
