"""Sets: two people, places or containers with a few things each; what is in both, in one only, in neither.

Content: ``{"kind": "sets", "verb": "has", "who": ["Anna", "Ben"], "groups": [["pen", "cup", "key"],
["cup", "map", "coin"]], "ask": "both", "options": ["cup", "pen", "map", "coin"]}``. The careful author
checks the groups; the careless one takes the first thing mentioned in the first group.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank, capital
from t2ui.tasks.reasoning_common import NAME, Kind, article, entity, listing, people, someone

BASE = {"has": "have", "likes": "like", "plays": "play", "sells": "sell"}
_OBJECTS = ("pen", "cup", "key", "map", "coin", "book", "ball", "hat", "ring", "lamp", "knife", "spoon", "plate",
            "brush", "rope", "stone", "clock", "doll", "drum", "flag", "kite", "candle", "scarf", "bell", "mirror",
            "button", "pencil", "ruler", "stamp", "shell", "watch", "whistle", "umbrella", "apple", "orange", "egg",
            "bottle", "basket", "hammer", "needle", "belt", "shirt", "sock", "towel", "comb", "soap", "torch", "tent", "pan",
            "stove", "bucket", "broom", "ladder", "saw", "nail", "screw", "bolt", "bead", "pin", "radio", "vase", "globe",
            "flute", "harp", "piano", "guitar", "violin", "trumpet", "lemon", "banana", "carrot", "pillow", "blanket",
            "camera", "wallet", "ticket", "letter", "notebook", "eraser", "crayon", "marker", "card", "puzzle", "robot",
            "truck", "wagon", "boat", "kettle", "fork", "mug", "jug", "tray", "glove", "coat", "boot", "sweater", "helmet",
            "magnet", "battery", "feather", "leaf", "pebble", "compass", "whisk", "bowl", "cat", "dog", "horse", "goat",
            "cow", "lion", "bear", "wolf", "fox", "parrot")
_FOODS = ("rice", "soup", "tea", "milk", "bread", "cheese", "honey", "cake", "fish", "pasta", "salad", "juice",
          "apples", "pears", "plums", "grapes", "nuts", "beans", "carrots", "cherries", "eggs", "cookies", "olives",
          "lemons", "onions", "peas", "corn", "jam", "yogurt", "melons", "pizza", "butter", "sugar", "flour", "salt",
          "pepper", "coffee", "bananas", "tomatoes", "potatoes", "noodles", "sausages", "waffles", "pancakes", "spinach",
          "garlic", "mushrooms", "figs", "dates", "oats", "muffins", "chocolate", "peaches", "mangoes")
_GAMES = ("chess", "football", "tennis", "cards", "golf", "hockey", "checkers", "darts", "baseball", "rugby",
          "volleyball", "dominoes", "marbles", "handball", "cricket", "badminton", "basketball", "bingo", "poker", "squash",
          "softball", "lacrosse", "polo", "snooker", "billiards", "bowling", "croquet", "bridge", "tag", "trumpet",
          "piano", "guitar", "violin", "flute")
_GOODS = _FOODS + ("pens", "books", "hats", "shoes", "toys", "lamps", "candles", "flowers", "ropes", "nails", "soap",
                   "paper", "baskets", "clocks", "socks", "plates")
ITEMS = {"has": _OBJECTS, "likes": _FOODS, "plays": _GAMES, "sells": _GOODS}
_SHOPS = ("bakery", "market", "kiosk", "shop", "store", "stall", "supermarket")
_ADJECTIVES = ("red", "blue", "green", "yellow", "big", "small", "old", "new", "black", "white")
_CONTAINERS = ("box", "bag", "drawer", "basket", "shelf", "case", "chest", "jar")

# Words that follow "the shop" without being part of its name.
_NOT_NOUNS = ("only|also|always|often|sometimes|never|seldom|not|no|nor|neither|has|have|holds|contains|both|is|are|"
              "does|there|you|we|[a-z]+ly")
_THING = r"(?:an?\s+)?(?!and\b|or\b)[a-z]+"
_PATTERNS = {
    # A name, or "the box", "the red box".
    "who": rf"(?:{NAME}|(?-i:[Tt]he [a-z]+(?: (?!(?:{_NOT_NOUNS})\b)[a-z]+)?))",
    "list": rf"{_THING}(?:\s*,\s*{_THING})*\s*,?\s+and\s+{_THING}",
    "base": "|".join(BASE.values()),
    "verb": "|".join(BASE),
}
_FACTS = Bank({
    "has": [
        "{who} has {list}",
        "{who} has {list}",
        "{who} [owns|keeps|brings|carries|takes] {list}",
        "{who} has got {list}",
        "{who} [packed|bought|found] {list}",
        "[in|inside] {who}'s [bag|box|room|pocket|drawer] there is {list}",
        "there is {list} in {who}'s [bag|box|room|pocket|drawer]",
        "{who}'s [bag|box|drawer|basket] [holds|contains|has] {list}",
        "[we know that|it is known that] {who} has {list}",
        "{who} came with {list}",
        "{who} has these things: {list}",
        "{list} [belong to|are with] {who}",
    ],
    "box": [
        "{who} [holds|contains|has] {list}",
        "{who} [holds|contains|has] {list}",
        "[in|inside] {who} there is {list}",
        "[in|inside] {who} [you find|you can find|we find|you see] {list}",
        "there is {list} in {who}",
        "{who} is filled with {list}",
        "{who} has {list} in it",
        "[we know that|it is known that] {who} [holds|contains|has] {list}",
        "{list} are in {who}",
        "someone put {list} [in|into] {who}",
        "{who} has these things in it: {list}",
    ],
    "likes": [
        "{who} likes {list}",
        "{who} likes {list}",
        "{who} [really|always] likes {list}",
        "{who} [loves|enjoys|eats|wants|prefers] {list}",
        "{who} is fond of {list}",
        "the favorite foods of {who} are {list}",
        "{who}'s favorite foods are {list}",
        "{who} [always|often] eats {list}",
        "[we know that|it is known that] {who} likes {list}",
        "{who} would like {list}",
        "{who} likes these foods: {list}",
        "{who} likes to eat {list}",
    ],
    "plays": [
        "{who} plays {list}",
        "{who} plays {list}",
        "{who} [often|sometimes|always] plays {list}",
        "{who} [can play|is able to play|knows how to play] {list}",
        "{who} [likes to play|loves to play|has learned to play] {list}",
        "the games of {who} are {list}",
        "{who}'s games are {list}",
        "[we know that|it is known that] {who} plays {list}",
        "{who} plays these games: {list}",
        "{who} is good at {list}",
        "every week {who} plays {list}",
        "in the summer {who} plays {list}",
    ],
    "sells": [
        "{who} sells {list}",
        "{who} sells {list}",
        "{who} [offers|has|stocks] {list} for sale",
        "at {who} you can [buy|get] {list}",
        "you can [buy|get] {list} at {who}",
        "{who} [always|often] sells {list}",
        "[we know that|it is known that] {who} sells {list}",
        "{who} sells these things: {list}",
        "people buy {list} at {who}",
        "on sale at {who} are {list}",
        "{who} has {list} on offer",
        "today {who} sells {list}",
    ],
}, _PATTERNS)

_QUESTIONS = Bank({
    "both": [
        "which of these do both {base}?",
        "what do both {base}?",
        "which of these do {who1} and {who2} both {base}?",
        "what do {who1} and {who2} both {base}?",
        "which of these do {who1} and {who2} have in common?",
        "what do {who1} and {who2} have in common?",
        "which of these do both of them {base}?",
        "[name|find|pick] something that both {base}.",
        "[tell me|say] what both of them {base}.",
        "[can you tell|do you know] what both {base}?",
        "which of these is on both lists?",
        "[so|now] which of these do both {base}?",
        "which of these is shared by {who1} and {who2}?",
    ],
    "only": [
        "which of these does only {who1} {base}?",
        "which of these does {who1} {base} but not {who2}?",
        "what does {who1} {base} that {who2} does not?",
        "which of these does {who1} {base} and {who2} does not?",
        "[name|find|pick] something that only {who1} {verb}.",
        "[tell me|say] what only {who1} {verb}.",
        "which of these does {who1} {base}, unlike {who2}?",
        "[so|now] which of these does only {who1} {base}?",
        "[can you tell|do you know] which of these only {who1} {verb}?",
        "which of these does {who2} not {base}, but {who1} does?",
        "[name|find|pick] something that {who1} {verb} but {who2} does not.",
        "only {who1} {verb} which of these?",
    ],
    "neither": [
        "which of these does neither {base}?",
        "which of these does neither of them {base}?",
        "which of these does neither {who1} nor {who2} {base}?",
        "which of these does nobody {base}?",
        "which of these is missing from both?",
        "[name|find|pick] something that neither of them {verb}.",
        "[tell me|say] what neither of them {verb}.",
        "[so|now] which of these does neither {base}?",
        "[can you tell|do you know] which of these neither {verb}?",
        "neither of them {verb} which of these?",
        "which of these is on neither list?",
        "[name|find|pick] something that neither {who1} nor {who2} {verb}.",
    ],
}, _PATTERNS)

_INTROS = {
    "has": ("Here are two lists.", "Compare two sets of things.", "Here is what we know.", "Look at these things.",
            "Two sets of things are compared.", "Here is a small puzzle."),
    "likes": ("Two people talk about food.", "Two friends plan a meal.", "Here is what we know.",
              "Some people like the same food.", "Here is a small puzzle.", "It is time for lunch."),
    "plays": ("Two people talk about games.", "Two friends want to play.", "Here is what we know.",
              "Some people like the same games.", "Here is a small puzzle.", "It is a free day."),
    "sells": ("Compare what is on sale.", "Someone goes shopping.", "Here is what we know.",
              "Two places sell things.", "Here is a small puzzle.", "It is market day."),
}


# What the careless author says of an option that is not the first thing mentioned.
_UNFIT = {"both": "first", "first": "both", "second": "both", "neither": "both"}


class Sets(Kind):
    """Two groups of three or four things."""

    name = "sets"

    def draw(self, rng: random.Random) -> Content:
        verb = rng.choice(("has", "has", "likes", "plays", "sells"))
        who = self._who(verb, rng)
        ask = rng.choice(("both", "both", "both", "first", "first", "second", "neither"))
        sizes = rng.choice((3, 3, 4)), rng.choice((3, 3, 4))
        shared = 1 if ask == "both" else rng.choice((1, 2))
        things = rng.sample(ITEMS[verb], sizes[0] + sizes[1] - shared + 3)
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
        options += rng.sample(wrong, 4 - len(options))
        rng.shuffle(options)
        return content | {"options": options}

    @staticmethod
    def _who(verb: str, rng: random.Random) -> list[str]:
        if verb == "sells":
            return rng.sample(_SHOPS, 2)
        if verb == "has" and rng.random() < 0.4:
            box = rng.choice(_CONTAINERS)
            return [f"{adjective} {box}" for adjective in rng.sample(_ADJECTIVES, 2)]
        return people(rng, 2)

    @staticmethod
    def _fits(content: Content, things: Sequence[str]) -> list[str]:
        first, second = content["groups"]
        wanted = {"both": (True, True), "first": (True, False), "second": (False, True),
                  "neither": (False, False)}[content["ask"]]
        return [thing for thing in things if (thing in first, thing in second) == wanted]

    def facts(self, content: Content, rng: random.Random) -> list[str]:
        out = []
        for who, group in zip(content["who"], content["groups"], strict=True):
            key = "box" if content["verb"] == "has" and who[:1].islower() else content["verb"]
            things = [f"{article(thing)} {thing}" for thing in group] if content["verb"] == "has" else group
            out.append(_FACTS.write(rng, key, who=someone(who), list=listing(things)))
        if rng.random() < 0.15:
            return [out[0] + rng.choice((", while ", "; ", ", and ", ", but ")) + out[1] + "."]
        return [text + "." for text in out]

    def question(self, content: Content, rng: random.Random) -> str:
        who, ask, verb = content["who"], content["ask"], content["verb"]
        pair = list(who) if ask == "first" else who[::-1] if ask == "second" else rng.sample(who, 2)
        key = "only" if ask in ("first", "second") else ask
        return _QUESTIONS.write(rng, key, base=BASE[verb], verb=verb, who1=someone(pair[0]), who2=someone(pair[1]))

    def intros(self, content: Content) -> Sequence[str]:
        return _INTROS[content["verb"]]

    def all_intros(self) -> Iterable[str]:
        return [text for texts in _INTROS.values() for text in texts]

    def read_fact(self, sentence: str) -> list | None:
        match = _FACTS.read(sentence)
        if match is None:
            return None
        things = [thing.strip().lower() for thing in _split_list(match.slots["list"])]
        bare = [thing.split(" ", 1)[1] if thing.startswith(("a ", "an ")) else thing for thing in things]
        verb = "has" if match.key == "box" else match.key
        return [[verb, entity(match.slots["who"]), bare]]

    def read_question(self, sentence: str) -> Any | None:
        match = _QUESTIONS.read(sentence + "?") or _QUESTIONS.read(sentence + ".")
        if match is None:
            return None
        slots = match.slots
        word = (slots.get("base") or slots.get("verb") or "").lower()
        who = [entity(slots[slot]) for slot in ("who1", "who2") if slots.get(slot)]
        return [match.key, word, who]

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        if len(facts) != 2 or facts[0][0] != facts[1][0] or facts[0][1] == facts[1][1]:
            return None
        verb, who, groups = facts[0][0], [fact[1] for fact in facts], [fact[2] for fact in facts]
        key, word, named = ask
        if word and word not in (verb, BASE[verb]) or any(name not in who for name in named):
            return None
        if len(set(named)) != len(named) or any(len(set(group)) != len(group) for group in groups):
            return None
        if key == "only":
            key = ("first", "second")[who.index(named[0])]
        options = [option.lower() for option in options]
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
        """The owners in a word: "Anna", "bakery", "red" of the red box (the other box has another color)."""
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
