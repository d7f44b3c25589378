"""Ordering: three or four people (or animals, or things) compared in pairs; who stands where.

Content: ``{"kind": "order", "scale": "tall", "facts": [["Ben", "<", "Anna"], ["Carl", "<", "Ben"]],
"ask": "most", "options": ["Ben", "Anna", "Carl"]}``. A fact's names stand in their order of mention;
``>`` says that the first one has more of the scale. The careful author sorts; the careless one lists
the names in the order in which they were mentioned.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank, capital
from t2ui.tasks.names import PEOPLE, made_up, people
from t2ui.tasks.reasoning_common import WHO, Kind, entity, someone
from t2ui.tasks.reasoning_order_words import ANIMALS, INTROS, OF_THINGS, OTHERS, SCALES, THINGS, Scale

MORE, LESS = ">", "<"


def _words(field: str) -> str:
    return "|".join(word for scale in SCALES.values() for word in getattr(scale, field) or ())


_PATTERNS = {"who": WHO, "comp": _words("comp"), "sup": _words("sup"), "adj": _words("adj"), "verb": _words("verb"),
             "sec": r"second(?:-|\s+)(?:" + _words("sup") + ")", "end": _words("sup")}
_END = {word: (name, MORE if i == 0 else LESS) for name, scale in SCALES.items()
        for field in ("comp", "sup", "adj", "verb") for i, word in enumerate(getattr(scale, field) or ())}

# In every template {who1} is mentioned first. Keys: to whom the comparative belongs.
_FACTS = Bank({
    "first": [
        "{who1} is {comp} than {who2}",
        "{who1} is {comp} than {who2}",
        "{who1} is {comp} than {who2}",
        "{who1} [is|was] {comp} than {who2}",
        "{who1} is [a bit|a little|slightly|somewhat] {comp} than {who2}",
        "{who1} is [much|far|clearly|a lot|even|quite a bit] {comp} than {who2}",
        "[we know that|it is true that|everyone says that|you can see that|it is known that] "
        "{who1} is {comp} than {who2}",
        "[I know that|I think that|they say that|I hear that|it seems that|my friend says that] "
        "{who1} is {comp} than {who2}",
        "{who1} is [just|only|so much|way|many times|always|still|also|even] {comp} than {who2}",
        "{who1} is {comp} than {who2} is",
        "{who1} [looks|seems|has always been|turned out to be] {comp} than {who2}",
        "of {who1} and {who2}, {who1} is the {comp} one",
        "between {who1} and {who2}, {who1} is the {comp} one",
        "{who1} is {comp} when compared [with|to] {who2}",
        "{who1}, not {who2}, is the {comp} one",
    ],
    "second": [
        "compared [with|to] {who1}, {who2} is {comp}",
        "compared [with|to] {who1}, {who2} is {comp}",
        "{comp} than {who1} is {who2}",
        "{comp} than {who1} is only {who2}",
        "[next to|beside] {who1}, {who2} is {comp}",
        "of {who1} and {who2}, {who2} is the {comp} one",
        "between {who1} and {who2}, {who2} is the {comp} one",
    ],
    "less": ["{who1} is not as {adj} as {who2}", "{who1} is nowhere near as {adj} as {who2}",
             "{who1} is not quite as {adj} as {who2}", "{who1} isn't as {adj} as {who2}"],
    "verb": ["{who1} {verb} {who2}", "[we know that|everyone says that|it is true that] {who1} {verb} {who2}",
             "{who1} [always|usually|certainly|clearly] {verb} {who2}"],
}, _PATTERNS)

_TWO_FACTS = Bank([
    "{who1} is {comp1} than {who2} [but|and|, but|, and] {comp2} than {who3}",
    "{who1} is {comp1} than {who2} [but still|and yet] {comp2} than {who3}",
    "{who1} is {comp1} than {who2} [and|but] is {comp2} than {who3}",
    "{who1} is {comp1} than {who2}, though {comp2} than {who3}",
    "{who1}, who is {comp1} than {who2}, is {comp2} than {who3}",
    "{who1} is both {comp1} than {who2} and {comp2} than {who3}",
], _PATTERNS)

_TOP = [
    "who is the {end}?",
    "who is the {end}?",
    "[which of them|which one|which one of them] is the {end}?",
    "who is the {end} of [all|them all|the group|them]?",
    "[can you tell|do you know|can you say] who is the {end}?",
    "[tell me|say|find out|work out] who is the {end}.",
    "[of all of them|of these|among them], who is the {end}?",
    "[so|now|then] who is the {end}?",
    "who [must be|has to be|is surely|is therefore] the {end}?",
    "[name|find|pick] the {end} [one|of them|of all].",
    "who's the {end}?",
    "who of them is the {end}?",
    "the {end} [one|of them] is who?",
    "who is {end}?",
    "[which one|which of them] is {end}?",
    "who do you [think|say|guess] is the {end}?",
    "who would you [call|name] the {end}?",
    "and the {end} is?",
    "the {end} [of all|of them|one]?",
    "who [comes out as|would be|could be|will be] the {end}?",
    "who is the {end} [here|then|now|in the group|in this group|overall]?",
    "who is the {end} of the [three|four|group|lot]?",
    "[I want to know|please tell me|please say] who is the {end}.",
    "[guess|decide|think|answer]: who is the {end}?",
    "can you [find|name|tell me] the {end} [one|of them]?",
]
# Of people alone.
_TOP_PERSON = [
    "[which person|which friend|which child|which player] is the {end}?",
    "what is the name of the {end} [one|person|child|friend]?",
    "[name|find|pick] the {end} [person|friend|child].",
    "[who of the friends|which of the friends|which of the children] is the {end}?",
]
_QUESTIONS = Bank({
    "end": _TOP,
    "second": [text.replace("{end}", "{sec}") for text in _TOP],
    "end person": _TOP_PERSON,
    "second person": [text.replace("{end}", "{sec}") for text in _TOP_PERSON],
    "middle": [
        "who is in the middle?",
        "who [comes|stands|is] in the middle?",
        "who is neither the {sup1} nor the {sup2}?",
        "[which of them|which one] is neither the {sup1} nor the {sup2}?",
        "who is between the other two?",
        "[so|now|then] who is in the middle?",
        "[tell me|say|find out] who is in the middle.",
        "[can you tell|do you know] who is in the middle?",
        "[which of them|which one] is in the middle?",
        "who [must be|has to be] in the middle?",
        "[name|find|pick] the one in the middle.",
        "[of the three|among them], who is in the middle?",
        "who is the one in the middle?",
        "who is [right in|exactly in] the middle?",
        "and who is in the middle?",
        "the one in the middle is who?",
        "[please tell me|I want to know] who is in the middle.",
        "who stands between the {sup1} and the {sup2}?",
    ],
}, _PATTERNS)

def mentioned(facts: Sequence[Sequence[str]]) -> list[str]:
    """The names in their order of first mention."""
    return list(dict.fromkeys(name for first, _, second in facts for name in (first, second)))


def ranking(facts: Sequence[Sequence[str]]) -> list[str] | None:
    """The names from most to least, or None where the facts do not fix one order (or contradict)."""
    pairs = {(a, b) if sign == MORE else (b, a) for a, sign, b in facts}
    left, order = mentioned(facts), []
    while left:
        tops = [name for name in left if not any((other, name) in pairs for other in left)]
        if len(tops) != 1:
            return None
        order.append(tops[0])
        left.remove(tops[0])
    return order


def chain(names: Sequence[str], rng: random.Random) -> list[list[str]]:
    """Facts about neighbours in ``names`` (most first), in random order, each either way round."""
    facts = [[a, MORE, b] if rng.random() < 0.5 else [b, LESS, a] for a, b in zip(names, names[1:], strict=False)]
    rng.shuffle(facts)
    return facts


def restated(facts: Sequence[Sequence[str]], careful: bool) -> list[tuple[str, str]]:
    """The facts in one direction (the first of a pair has more), in their order of mention.

    Always in the same one, whatever is asked: to turn each fact by both its own word and the question's was never
    learnt. Whoever is careless does not heed the direction: the one mentioned first comes first.
    """
    return [(b, a) if careful and sign == LESS else (a, b) for a, sign, b in facts]


def grown(pairs: Sequence[tuple[str, str]], careful: bool) -> list[list[list[str]]]:
    """The lists after each pair: careful authors put every pair where it belongs ("Anna, Ben", then "Carl, Anna,
    Ben"; what does not touch yet waits in a list of its own), careless ones only add who is new.

    To sort at the end of all facts was hardly learnt; to put one more name before the first or behind the last is.
    """
    out: list[list[list[str]]] = []
    lists: list[list[str]] = []
    for first, second in pairs:
        if careful:
            left = next((names for names in lists if names[-1] == first), [first])
            right = next((names for names in lists if names[0] == second), [second])
            at = min([k for k, names in enumerate(lists) if names is left or names is right], default=len(lists))
            rest = [names for names in lists if names is not left and names is not right]
            lists = [*rest[:at], [*left, *right], *rest[at:]]
        else:
            known = lists[0] if lists else []
            lists = [[*known, *(name for name in (first, second) if name not in known)]]
        out.append([list(names) for names in lists])
    return out


def sorting(pairs: Sequence[tuple[str, str]], careful: bool, said: str) -> str:
    """ "Anna is taller than Ben: Anna, Ben. Carl is taller than Anna: Carl, Anna, Ben." """
    told = []
    for (a, b), lists in zip(pairs, grown(pairs, careful), strict=True):
        names = "; ".join(", ".join(map(someone, part)) for part in lists)
        told.append(f"{capital(someone(a))} {said} {someone(b)}: {names}.")
    return " ".join(told)


def place(ask: str, length: int) -> int:
    """Where in the list from most to least stands what is asked."""
    if ask == "middle":
        return length // 2
    from_top = 1 if ask.startswith("second") else 0
    return from_top if ask.endswith("most") else length - 1 - from_top


class Order(Kind):
    """Pairwise comparisons on one of :data:`SCALES`."""

    name = "order"

    def draw(self, rng: random.Random) -> Content:
        scale = rng.choice(list(SCALES))
        pool: Sequence[str] = PEOPLE
        if scale in OF_THINGS:
            pool = THINGS
        elif scale in OTHERS and rng.random() < 0.25:
            pool = ANIMALS if OTHERS[scale] is ANIMALS or rng.random() < 0.5 else THINGS
        count = rng.choice((3, 3, 3, 4))
        names = people(rng, count) if pool is PEOPLE else rng.sample(pool, count)
        if pool is not PEOPLE and rng.random() < 0.15:  # an animal or a thing that nobody has heard of
            names[rng.randrange(count)] = made_up(rng)
        if len(set(names)) < count:
            return self.draw(rng)
        options = rng.sample(names, count)
        asks = ("most", "least", "most", "least", "second most", "second least", "middle")
        return {"kind": self.name, "scale": scale, "facts": chain(names, rng),
                "ask": rng.choice(asks[:-1] if count == 4 else asks), "options": options}

    def facts(self, content: Content, rng: random.Random) -> list[str]:
        scale, facts, out = SCALES[content["scale"]], list(content["facts"]), []
        if rng.random() < 0.1:  # "Ben is older than Anna, Anna is older than Carl and Carl is older than Dora."
            told = [self._one(scale, fact, rng, plain=True) for fact in facts]
            joint = rng.choice((" and ", ", and ", ", "))
            return [", ".join(told[:-1]) + joint + told[-1] + "."]
        while facts:
            fact = facts.pop(0)
            if facts and facts[0][0] == fact[0] and rng.random() < 0.4:
                out.append(self._two(scale, fact, facts.pop(0), rng) + ".")
            elif facts and rng.random() < 0.15:
                joint = rng.choice((", and ", ", while ", "; ", " and ", ", but ", ", "))
                out.append(self._one(scale, fact, rng) + joint + self._one(scale, facts.pop(0), rng) + ".")
            else:
                out.append(self._one(scale, fact, rng) + ".")
        return out

    @staticmethod
    def _one(scale: Scale, fact: Sequence[str], rng: random.Random, plain: bool = False) -> str:
        first, sign, second = fact
        end, other = (0, 1) if sign == MORE else (1, 0)
        if plain:
            return f"{someone(first)} is {scale.comp[end]} than {someone(second)}"
        chance = rng.random()
        key, slots = "first", {"comp": scale.comp[end]}
        if chance < 0.12:
            key, slots = "second", {"comp": scale.comp[other]}
        elif chance < 0.2 and sign == LESS:
            key, slots = "less", {"adj": scale.adj[0]}
        elif chance < 0.4 and scale.verb and first[:1].isupper():
            key, slots = "verb", {"verb": scale.verb[end]}
        return _FACTS.write(rng, key, who1=someone(first), who2=someone(second), **slots)

    @staticmethod
    def _two(scale: Scale, one: Sequence[str], two: Sequence[str], rng: random.Random) -> str:
        comps = [scale.comp[0 if fact[1] == MORE else 1] for fact in (one, two)]
        return _TWO_FACTS.write(rng, who1=someone(one[0]), who2=someone(one[2]), who3=someone(two[2]),
                                comp1=comps[0], comp2=comps[1])

    def question(self, content: Content, rng: random.Random) -> str:
        scale, ask = SCALES[content["scale"]], content["ask"]
        end = scale.sup[0 if ask.endswith("most") else 1]
        key = ask if ask == "middle" else "second" if ask.startswith("second") else "end"
        if key != "middle" and content["options"][0][:1].isupper() and rng.random() < 0.12:
            key += " person"
        text = _QUESTIONS.write(rng, key, end=end, sec=f"second {end}", sup1=scale.sup[0], sup2=scale.sup[1])
        if content["options"][0][:1].islower():  # "who" is for people
            text = text.replace("who's", "which is", 1).replace("who of them", "which of them").replace("who", "which")
        return text

    def intros(self, content: Content) -> Sequence[str]:
        first = content["options"][0]
        return INTROS["people" if first[:1].isupper() else "animals" if first in ANIMALS else "things"]

    def all_intros(self) -> Iterable[str]:
        return [text for texts in INTROS.values() for text in texts]

    def read_fact(self, sentence: str) -> list | None:
        if match := _FACTS.read(sentence):
            slots = match.slots
            scale, end = _END[" ".join((slots.get("comp") or slots.get("adj") or slots["verb"]).lower().split())]
            if match.key in ("second", "less"):
                end = LESS if end == MORE else MORE
            return [[scale, entity(slots["who1"]), end, entity(slots["who2"])]]
        if match := _TWO_FACTS.read(sentence):
            slots = match.slots
            out = []
            for comp, who in (("comp1", "who2"), ("comp2", "who3")):
                scale, end = _END[slots[comp].lower()]
                out.append([scale, entity(slots["who1"]), end, entity(slots[who])])
            return out
        return None

    def read_question(self, sentence: str) -> Any | None:
        for text in (sentence, _as_who(sentence)):
            match = _QUESTIONS.read(text + "?") or _QUESTIONS.read(text + ".")
            if match is None:
                continue
            if match.key == "middle":
                ends = [_END[match.slots[s].lower()] for s in ("sup1", "sup2") if match.slots.get(s)]
                if ends and (ends[0][0] != ends[1][0] or ends[0][1] == ends[1][1]):
                    return None
                return ["middle", ends[0][0] if ends else None]
            word = (match.slots.get("end") or match.slots["sec"].replace("-", " ").split()[-1]).lower()
            scale, end = _END[word]
            return [("second " if match.key.startswith("second") else "") + ("most" if end == MORE else "least"), scale]
        return None

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        scale = facts[0][0] if facts else None
        if not facts or any(fact[0] != scale for fact in facts) or ask[1] not in (None, scale):
            return None
        pairs = [fact[1:] for fact in facts]
        order = ranking(pairs)
        if order is None or not 3 <= len(order) <= 4 or sorted(order) != sorted(options):
            return None
        if len(pairs) != len(order) - 1 or (ask[0] == "middle" and len(order) != 3):
            return None
        return {"kind": self.name, "scale": scale, "facts": pairs, "ask": ask[0], "options": options}

    @staticmethod
    def _list(content: Content, careful: bool) -> list[str]:
        return (ranking(content["facts"]) or []) if careful else mentioned(content["facts"])

    def pick(self, content: Content, careful: bool) -> str:
        names = self._list(content, careful)
        return names[place(content["ask"], len(names))]

    def steps(self, content: Content, careful: bool) -> str:
        scale, ask = SCALES[content["scale"]], content["ask"]
        end = scale.sup[0 if ask.endswith("most") else 1]
        what = "in the middle" if ask == "middle" else f"the second {end}" if ask.startswith("second") else f"the {end}"
        told = capital(someone(self.pick(content, careful)))
        pairs = restated(content["facts"], careful)
        return f"{sorting(pairs, careful, f'is {scale.comp[0]} than')} {told} is {what}."

    def key(self, content: Content) -> Content:
        return {"kind": self.name, "scale": content["scale"], "order": ranking(content["facts"]),
                "ask": content["ask"]}


def _as_who(sentence: str) -> str:
    """Questions about things say "which" where the bank says "who"."""
    words = sentence.split()
    return " ".join("who" if word.lower() == "which" else word for word in words)
