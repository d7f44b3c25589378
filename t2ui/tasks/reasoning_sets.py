"""Sets: two people, places or containers with a few things each; what is in both, in one only, in neither.

Content: ``{"kind": "sets", "verb": "has", "who": ["Anna", "Ben"], "groups": [["pen", "cup", "key"],
["cup", "map", "coin"]], "ask": "both", "options": ["cup", "pen", "map", "coin"]}``. The careful author
checks the groups; the careless one takes the first thing mentioned in the first group.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import capital
from t2ui.tasks.names import made_up, people
from t2ui.tasks.reasoning_common import Kind, article, entity, listing, someone
from t2ui.tasks.reasoning_sets_bank import ANY_INTROS, FACTS, INTROS, NUMBERED_BOX, QUESTIONS
from t2ui.tasks.reasoning_sets_words import (
    ADJECTIVES,
    BASE,
    CONTAINERS,
    COUNTED,
    ITEMS,
    NUMBERED,
    OWNERS,
    PAST,
    PLACES,
    SHOPS,
)  # fmt: skip

_VERBS = ("has", "has", "has", "has", "likes", "likes", "plays", "sells", "sells", "speaks", "wears", "grows", "collects",
          "feeds", *PAST)

# What the careless author says of an option that is not the first thing mentioned.
_UNFIT = {"both": "first", "first": "both", "second": "both", "neither": "both"}


class Sets(Kind):
    """Two groups of three or four things."""

    name = "sets"

    def draw(self, rng: random.Random) -> Content:
        verb = rng.choice(_VERBS)
        who = self._who(verb, rng)
        ask = rng.choice(("both", "both", "both", "first", "first", "second", "second", "neither"))
        sizes = rng.choice((3, 3, 4)), rng.choice((3, 3, 4))
        shared = 1 if ask == "both" else rng.choice((1, 2))
        things = self._things(verb, sizes[0] + sizes[1] - shared + 3, rng)
        common, rest, spare = things[:shared], things[shared:-3], things[-3:]
        groups = [common + rest[: sizes[0] - shared], common + rest[sizes[0] - shared :]]
        for group in groups:
            rng.shuffle(group)
        content = {"kind": self.name, "verb": verb, "who": who, "groups": groups, "ask": ask, "options": []}
        habit, fits = groups[0][0], self._fits(content, common + rest + spare)
        answer = habit if habit in fits else rng.choice(fits)
        # The first thing mentioned is always an option, so that the careless author has something to choose.
        wrong = [thing for thing in common + rest + spare[:1] if thing not in fits and thing != habit]
        options = list(dict.fromkeys([answer, habit]))
        options += rng.sample(wrong, (3 if rng.random() < 0.15 else 4) - len(options))
        rng.shuffle(options)
        return content | {"options": options}

    @staticmethod
    def _things(verb: str, count: int, rng: random.Random) -> list[str]:
        """Distinct things. A visitor has things that are on no list: some are made up, and have to be copied."""
        while True:
            things = rng.sample(ITEMS[verb], count)
            if rng.random() < 0.25:
                share = rng.choice((0.2, 0.4, 0.7))
                things = [made_up(rng) if rng.random() < share else thing for thing in things]
                if verb == "speaks":
                    things = [thing.capitalize() for thing in things]
            if len({thing.lower() for thing in things}) == count and not {"both", "neither"} & set(things):
                return things

    @staticmethod
    def _who(verb: str, rng: random.Random) -> list[str]:
        if verb == "sells" and rng.random() < 0.8:
            return rng.sample(SHOPS[:7] if rng.random() < 0.5 else [*SHOPS], 2)
        if verb == "has" and rng.random() < 0.45:
            box = rng.choice(CONTAINERS)
            if rng.random() < 0.2:
                return [f"{box} {number}" for number in _pair(rng)]
            return [f"{adjective} {box}" for adjective in rng.sample(ADJECTIVES, 2)]
        if rng.random() < 0.1:
            while True:
                pair = rng.sample(OWNERS, 2)
                if len({who.split()[0] for who in pair}) == 2 or pair[0].split()[-1] != pair[1].split()[-1]:
                    return pair
        return people(rng, 2)

    @staticmethod
    def _fits(content: Content, things: Sequence[str]) -> list[str]:
        first, second = content["groups"]
        wanted = {"both": (True, True), "first": (True, False), "second": (False, True),
                  "neither": (False, False)}[content["ask"]]
        return [thing for thing in things if (thing in first, thing in second) == wanted]

    def pieces(self, content: Content, rng: random.Random) -> tuple[list[str], str]:
        """Facts and question together: both speak of "Ann's bag", or neither does."""
        place = rng.choice(PLACES) if content["verb"] == "has" and _is_person(content["who"][0]) and rng.random() < 0.2 else ""
        bare = not place and rng.random() < 0.05
        while True:
            question = self.question(content, rng, place)
            # Where the facts are two bare lists, only the question says that the things were bought.
            if not bare or content["verb"] == "has" or self.read_question(question[:-1])[1]:
                return self.facts(content, rng, place, bare), question

    def facts(self, content: Content, rng: random.Random, place: str = "", bare: bool = False) -> list[str]:
        verb, out = content["verb"], []
        for who, group in zip(content["who"], content["groups"], strict=True):
            key = verb if verb in ("likes", "plays", "sells") and rng.random() < 0.7 else "now" if verb in BASE else "did"
            if verb == "has":
                key = "held" if place else "has" if _is_person(who) else "box"
            key = "bare" if bare else key
            counted = verb in COUNTED and not (key == "bare" or rng.random() < 0.04)
            things = [f"{article(thing)} {thing}" for thing in group] if counted else group
            out.append(FACTS.write(rng, key, who=_owner(who), list=listing(things), bare=", ".join(things), place=place,
                                    now=verb, did=verb, part=PAST.get(verb, ("", ""))[1]))
        if rng.random() < 0.15 and not bare:
            return [out[0] + rng.choice((", while ", "; ", ", and ", ", but ")) + out[1] + "."]
        return [text + "." for text in out]

    def question(self, content: Content, rng: random.Random, place: str = "") -> str:
        who, ask, verb = content["who"], content["ask"], content["verb"]
        pair = list(who) if ask == "first" else who[::-1] if ask == "second" else rng.sample(who, 2)
        key = "only" if ask in ("first", "second") else ask
        if verb in PAST:
            key += " was" if rng.random() < 0.2 else " did"
        elif verb == "has" and (place or not _is_person(who[0])) and rng.random() < 0.6:
            key += " held" if place else " in"
        base, part = PAST.get(verb) or (BASE[verb], "")
        return QUESTIONS.write(rng, key, base=base, verb=verb, part=part, place=place, who1=_owner(pair[0]), who2=_owner(pair[1]))

    def intros(self, content: Content) -> Sequence[str]:
        return INTROS.get(content["verb"], ANY_INTROS)

    def all_intros(self) -> Iterable[str]:
        return [text for texts in INTROS.values() for text in texts]

    def read_fact(self, sentence: str) -> list | None:
        for match in FACTS.reads(sentence):
            slots = match.slots
            verb = {"box": "has", "held": "has", "bare": ""}.get(match.key, match.key)
            if match.key in ("now", "did"):
                verb = (slots.get(match.key) or "").lower()
            if not verb and slots.get("part"):
                verb = next(past for past, (_, part) in PAST.items() if part == slots["part"].lower())
            things = [thing.strip() for thing in _split_list(slots.get("list") or slots["bare"])]
            bare = [re.sub(r"^an?\s+", "", thing, flags=re.IGNORECASE) for thing in things]
            return [[verb, _owned(slots["who"]), bare, (slots.get("place") or "").lower()]]
        return None

    def read_question(self, sentence: str) -> Any | None:
        match = QUESTIONS.read(sentence + "?") or QUESTIONS.read(sentence + ".")
        if match is None:
            return None
        slots = match.slots
        word = (slots.get("base") or slots.get("verb") or slots.get("part") or "").lower()
        who = [_owned(slots[slot]) for slot in ("who1", "who2") if slots.get(slot)]
        key, _, form = match.key.partition(" ")
        return [key, word, who, form, (slots.get("place") or "").lower()]

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        if len(facts) != 2 or facts[0][0] != facts[1][0] or facts[0][1] == facts[1][1]:
            return None
        verb, who, groups = facts[0][0], [fact[1] for fact in facts], [fact[2] for fact in facts]
        key, word, named, form, place = ask
        verb = verb or _verb_of(word, form)
        if verb not in ITEMS or form == "held" and {fact[3] for fact in facts} != {place} or form == "in" and verb != "has":
            return None
        if word and word not in (verb, BASE.get(verb), *PAST.get(verb, ())) or any(name not in who for name in named):
            return None
        case = str.capitalize if verb == "speaks" else str.lower
        groups = [[case(thing) for thing in group] for group in groups]
        if len(set(named)) != len(named) or any(len(set(group)) != len(group) for group in groups):
            return None
        if key == "only":
            key = ("first", "second")[who.index(named[0])]
        options = [case(option) for option in options]
        content = {"kind": self.name, "verb": verb, "who": who, "groups": groups, "ask": key, "options": options}
        return content if len(self._fits(content, options)) == 1 else None

    def pick(self, content: Content, careful: bool) -> str:
        return self._fits(content, content["options"])[0] if careful else content["groups"][0][0]

    def steps(self, content: Content, careful: bool) -> str:
        ask = content["ask"]
        picked = self.pick(content, careful)
        labels = self._labels(content)
        checked = []
        for option in content["options"]:  # one after the other, until one fits
            where = self._where(content, option) if careful else ask if option == picked else _UNFIT[ask]
            checked.append(f"{option} {labels[where]}")
            if where == ask:
                break
        return f"{self._tagged(content)} I check {', '.join(checked)}."

    def drill(self, content: Content, rng: random.Random) -> tuple[str, str]:
        """Practice for a corpus: the same facts, several things to check, and each of them checked rightly.

        More often than not only one or two things a group: to find a thing again is learnt from the easy cases.
        """
        if rng.random() < 0.65:
            groups = [group[: rng.choice((1, 1, 2))] for group in content["groups"]]
            if rng.random() < 0.25:
                groups[1] = [*groups[0][:1], *[thing for thing in groups[1] if thing not in groups[0]][:1]]
                rng.shuffle(groups[1])
            content = {**content, "groups": groups}
        known = [thing for group in content["groups"] for thing in group]
        spare = rng.choice([thing for thing in ITEMS[content["verb"]] if thing not in known])
        things = rng.sample(list(dict.fromkeys([*known, spare])), min(6, len(set(known)) + 1))
        asked = rng.choice((f"Check {listing(things)}.", f"Who {content['verb']} what? Check {listing(things)}.",
                            f"Where do {listing(things)} belong?", f"Sort these: {listing(things)}."))  # fmt: skip
        labels = self._labels(content)
        told = ", ".join(f"{thing} {labels[self._where(content, thing)]}" for thing in things)
        facts = " ".join(capital(fact) for fact in self.facts(content, rng))
        return f"{facts} {asked}", f"{self._tagged(content)} I check {told}."

    @staticmethod
    def _tags(content: Content) -> list[str]:
        """The owners in a word: "Anna", "bakery", "red" of the red box (the other box has another color), "one"."""
        first, second = (who.split()[0] for who in content["who"])
        return [first, second] if first != second else [who.split()[-1] for who in content["who"]]

    def _tagged(self, content: Content) -> str:
        """Every thing with its owner, in the order of mention. The checks that follow have the same form, so that whose
        a thing is can be copied from behind the thing itself: the look-up that small models learn first."""
        (first, second), (one, two) = self._tags(content), content["groups"]
        pairs = [f"{thing} {first}" for thing in one] + [f"{thing} {'both' if thing in one else second}" for thing in two]
        return f"I note {', '.join(pairs)}."

    def _labels(self, content: Content) -> dict[str, str]:
        first, second = self._tags(content)
        return {"both": "both", "first": first, "second": second, "neither": "neither"}

    @staticmethod
    def _where(content: Content, thing: str) -> str:
        first, second = (thing in group for group in content["groups"])
        return {(True, True): "both", (True, False): "first", (False, True): "second"}.get((first, second), "neither")

    def key(self, content: Content) -> Content:
        sides = sorted([who, *sorted(group)] for who, group in zip(content["who"], content["groups"], strict=True))
        # The two sides and the answer say what was asked, whichever side came first.
        return {"kind": self.name, "verb": content["verb"], "sides": sides, "answer": self.pick(content, True)}


def _split_list(text: str) -> list[str]:
    parts = text.replace(" and ", ", ").replace(" And ", ", ").split(",")
    return [" ".join(part.split()) for part in parts if part.strip()]


def _pair(rng: random.Random) -> list[str]:
    """ "one" and "two", "1" and "2", now and then other numbers."""
    kind = rng.randrange(2) * 4
    return list(NUMBERED[kind : kind + 2]) if rng.random() < 0.8 else rng.sample(NUMBERED[kind : kind + 4], 2)


def _is_person(who: str) -> bool:
    """Whether an owner is somebody ("Anna", "teacher") and not a box."""
    return who[:1].isupper() or who in OWNERS


def _owner(who: str) -> str:
    """How an owner stands in a sentence: "Anna", "the red box", "drawer one"."""
    return who if re.fullmatch(NUMBERED_BOX, who) else someone(who)


def _owned(text: str) -> str:
    """The inverse of :func:`_owner`, whatever begins the sentence."""
    return text.lower() if re.fullmatch(NUMBERED_BOX, text, re.IGNORECASE) else entity(text)


def _verb_of(word: str, form: str) -> str:
    """The verb where only the question names it ("Ann: tea, rice. Ben: rice, nuts. What do both like?")."""
    if not word:
        return "has" if form in ("", "in", "held") else ""
    present = {word: verb for verb, base in BASE.items() for word in (verb, base)}
    past = {word: verb for verb, pair in PAST.items() for word in (*pair, verb)}
    return ({**present, **past} if form in ("did", "was") else {**past, **present}).get(word, "")
