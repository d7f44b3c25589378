"""Reasoning that no expert is trained on: places in a row, days and months, rules about groups.

The careless habit is the family's own, order of mention: people in the order in which they were
mentioned, days in the order of the options, the first property that a rule mentions.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank
from t2ui.tasks.names import PEOPLE, people
from t2ui.tasks.reasoning_common import NAME, ChoiceTask, Kind
from t2ui.tasks.reasoning_order import LESS, MORE, chain, mentioned, place, ranking, restated, sorting
from t2ui.tasks.reasoning_rules import Rules


class Setting(NamedTuple):
    """Where people stand, as (toward the first place, toward the last): verb phrases, ends, names of places."""

    verbs: tuple[tuple[str, ...], tuple[str, ...]]
    ends: tuple[str, str]
    places: tuple[str, str]


SETTINGS: dict[str, Setting] = {
    "row": Setting((("sits left of", "sits to the left of", "is left of", "is on the left of"),
                    ("sits right of", "sits to the right of", "is right of", "is on the right of")),
                   ("left", "right"), ("farthest left", "farthest right")),
    "queue": Setting((("stands in front of", "is in front of", "waits in front of", "is ahead of"),
                      ("stands behind", "is behind", "waits behind", "waits right behind")),
                     ("front", "back"), ("at the front", "at the back")),
    "house": Setting((("lives above", "lives higher up than", "has a room above", "sleeps above"),
                      ("lives below", "lives lower down than", "has a room below", "sleeps below")),
                     ("top", "bottom"), ("at the top", "at the bottom")),
    "race": Setting((("finishes before", "comes in before", "arrives before", "crosses the line before"),
                     ("finishes after", "comes in after", "arrives after", "crosses the line after")),
                    ("first", "last"), ("first", "last")),
}
_VERBS = {verb: (name, MORE if i == 0 else LESS) for name, setting in SETTINGS.items()
          for i, verbs in enumerate(setting.verbs) for verb in verbs}
_PATTERNS = {"name": NAME, "verb": "|".join(sorted(_VERBS, key=len, reverse=True)),
             "place": "|".join(text for setting in SETTINGS.values() for text in setting.places)}
_ROW_FACTS = Bank([
    "{name1} {verb} {name2}",
    "{name1} {verb} {name2}",
    "{name1} {verb} {name2}",
    "{name1} {verb} {name2}",
    "[we know that|you can see that|it is true that|everyone knows that] {name1} {verb} {name2}",
    "[today|this time|right now|in the picture] {name1} {verb} {name2}",
    "as [we can see|everyone knows], {name1} {verb} {name2}",
    "the one who {verb} {name2} is {name1}",
    "[look|see]: {name1} {verb} {name2}",
    "{name1} is the one who {verb} {name2}",
    "it is {name1} who {verb} {name2}",
], _PATTERNS)
_ROW_QUESTIONS = Bank({
    "end": ["who is {place}?", "[which of them|which one] is {place}?", "[so|now|then] who is {place}?",
            "[tell me|say|find out] who is {place}.", "[can you tell|do you know] who is {place}?",
            "who [must be|has to be] {place}?", "who of them is {place}?", "of [all of them|these], who is {place}?",
            "I wonder who is {place}.", "[name|find] the one who is {place}.", "who's {place}?",
            "[and|tell me], who is {place}?"],
    "middle": ["who is in the middle?", "[which of them|which one] is in the middle?",
               "[so|now|then] who is in the middle?", "[tell me|say|find out] who is in the middle.",
               "[can you tell|do you know] who is in the middle?", "who [must be|has to be] in the middle?",
               "who of them is in the middle?", "who is between the other two?", "who comes in the middle?",
               "[name|find] the one who is in the middle.", "who's in the middle?", "who do we find in the middle?"],
}, _PATTERNS)
_ROW_INTROS = {
    "row": ("Some friends sit on a bench.", "Some people sit in a row.", "Some children share a long seat."),
    "queue": ("Some people wait in a line.", "Some people stand in a queue.", "A line of people waits at a shop."),
    "house": ("Some people live in a tall house.", "Each of them has one floor of a house.",
              "Some friends live in one tower."),
    "race": ("Some children run a race.", "A race is over.", "Some friends ride their bikes."),
}


class Row(Kind):
    """Who is where in a row, a queue, a house or a race: ``{"kind": "row", "setting": "queue", "facts":
    [["Ben", "<", "Anna"], ...], "ask": "most", "options": [...]}``; ``>`` is nearer the first place."""

    name = "row"

    def draw(self, rng: random.Random) -> Content:
        count = rng.choice((3, 3, 3, 4))
        names = people(rng, count)
        ask = rng.choice(("most", "least", "middle") if count == 3 else ("most", "least"))
        return {"kind": self.name, "setting": rng.choice(list(SETTINGS)), "facts": chain(names, rng), "ask": ask,
                "options": rng.sample(names, count)}

    def facts(self, content: Content, rng: random.Random) -> list[str]:
        verbs = SETTINGS[content["setting"]].verbs
        texts = [_ROW_FACTS.write(rng, name1=a, name2=b, verb=rng.choice(verbs[0 if sign == MORE else 1]))
                 for a, sign, b in content["facts"]]
        if rng.random() < 0.15:
            texts[:2] = [texts[0] + rng.choice((", and ", ", while ", "; ", " and ")) + texts[1]]
        return [text + "." for text in texts]

    def question(self, content: Content, rng: random.Random) -> str:
        if content["ask"] == "middle":
            return _ROW_QUESTIONS.write(rng, "middle")
        places = SETTINGS[content["setting"]].places
        return _ROW_QUESTIONS.write(rng, "end", place=places[0 if content["ask"] == "most" else 1])

    def intros(self, content: Content) -> Sequence[str]:
        return _ROW_INTROS[content["setting"]]

    def all_intros(self) -> Iterable[str]:
        return [text for texts in _ROW_INTROS.values() for text in texts]

    def read_fact(self, sentence: str) -> list | None:
        match = _ROW_FACTS.read(sentence)
        if match is None:
            return None
        setting, sign = _VERBS[" ".join(match.slots["verb"].lower().split())]
        return [[setting, match.slots["name1"], sign, match.slots["name2"]]]

    def read_question(self, sentence: str) -> Any | None:
        match = _ROW_QUESTIONS.read(sentence + "?") or _ROW_QUESTIONS.read(sentence + ".")
        if match is None:
            return None
        return match.key if match.key == "middle" else " ".join(match.slots["place"].lower().split())

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        if not facts or any(fact[0] != facts[0][0] for fact in facts):
            return None
        setting, pairs = facts[0][0], [fact[1:] for fact in facts]
        order = ranking(pairs)
        if order is None or sorted(order) != sorted(options) or len(pairs) != len(order) - 1:
            return None
        places = SETTINGS[setting].places
        if not 3 <= len(order) <= 4 or (ask == "middle" and len(order) != 3) or ask not in (*places, "middle"):
            return None
        asked = ask if ask == "middle" else "most" if ask == places[0] else "least"
        return {"kind": self.name, "setting": setting, "facts": pairs, "ask": asked, "options": options}

    def _list(self, content: Content, careful: bool) -> list[str]:
        if not careful:
            return mentioned(content["facts"])
        return ranking(content["facts"]) or []

    def pick(self, content: Content, careful: bool) -> str:
        return self._list(content, careful)[place(content["ask"], len(content["options"]))]

    def steps(self, content: Content, careful: bool) -> str:
        setting, ask = SETTINGS[content["setting"]], content["ask"]
        where = "in the middle" if ask == "middle" else setting.places[0 if ask == "most" else 1]
        verb = setting.verbs[0][0]
        said = sorting(restated(content["facts"], careful), careful, verb)
        return f"{said} {self.pick(content, careful)} is {where}."

    def key(self, content: Content) -> Content:
        return {"kind": self.name, "setting": content["setting"], "order": ranking(content["facts"]),
                "ask": content["ask"]}


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")
_CYCLES = {"day": DAYS, "month": MONTHS}
_COUNTS = ("one", "two", "three", "four")
_DATE_PATTERNS = {"date": "|".join(DAYS + MONTHS), "k": "|".join(_COUNTS) + r"|[1-4]", "unit": "days?|months?",
                  "way": "after|before"}
_DATE_FACTS = Bank({
    "day": ["today is {date}", "[it is|now it is|it is already|suppose it is|suppose today is] {date}",
            "[let us say|we know that|imagine that|we all know that] [it|today] is {date}",
            "[today is|it is] {date} [again|at last]", "this morning it is {date}", "the calendar says {date}"],
    "month": ["it is {date}", "[now it is|it is already|suppose it is|we are in] {date}",
              "[let us say|we know that|imagine that|we all know that] it is {date}",
              "it is {date} [now|again|at last]",
              "this month is {date}", "the calendar says {date}"],
}, _DATE_PATTERNS)
_DATE_QUESTIONS = Bank({
    "whole": ["[what|which] {unit1} [is|comes] {k} {unit2} {way} {date}?",
              "[name|find] the {unit1} that is {k} {unit2} {way} {date}.",
              "[tell me|say] what {unit1} comes {k} {unit2} {way} {date}.",
              "{k} {unit2} {way} {date}, [what|which] {unit1} is it?",
              "which {unit1} do we have {k} {unit2} {way} {date}?",
              "[can you tell|do you know] [what|which] {unit1} is {k} {unit2} {way} {date}?"],
    "after": ["[what|which] {unit1} is it in {k} {unit2}?", "[what|which] {unit1} will it be in {k} {unit2}?",
              "[what|which] {unit1} [is it|comes] {k} {unit2} later?",
              "[tell me|say] what {unit1} it will be in {k} {unit2}."],
    "before": ["[what|which] {unit1} was it {k} {unit2} ago?",
               "[what|which] {unit1} was it {k} {unit2} [earlier|before]?",
               "[tell me|say] what {unit1} it was {k} {unit2} ago."],
}, _DATE_PATTERNS)


class Dates(Kind):
    """Counting days or months on or back: ``{"kind": "dates", "start": "Tuesday", "move": 2, "options": [...]}``."""

    name = "dates"

    def draw(self, rng: random.Random) -> Content:
        cycle = _CYCLES[rng.choice(("day", "month"))]
        start = rng.choice(cycle)
        move = rng.choice((-4, -3, -2, -1, 1, 2, 3, 4))
        content = {"kind": self.name, "start": start, "move": move, "options": []}
        right = self._walk(content)[-1]
        options = [right] + rng.sample([date for date in cycle if date not in (right, start)], 3)
        rng.shuffle(options)
        return content | {"options": options}

    @staticmethod
    def _unit(content: Content) -> str:
        return "day" if content["start"] in DAYS else "month"

    def _walk(self, content: Content) -> list[str]:
        cycle, sign = _CYCLES[self._unit(content)], 1 if content["move"] > 0 else -1
        at = cycle.index(content["start"])
        return [cycle[(at + sign * step) % len(cycle)] for step in range(1, abs(content["move"]) + 1)]

    def pieces(self, content: Content, rng: random.Random) -> tuple[list[str], str]:
        whole = rng.random() < 0.5  # one sentence, or "Today is ..." and a question about later or earlier
        facts = [] if whole else [_DATE_FACTS.write(rng, self._unit(content), date=content["start"]) + "."]
        return facts, self._ask(content, whole, rng)

    def _ask(self, content: Content, whole: bool, rng: random.Random) -> str:
        move, unit = abs(content["move"]), self._unit(content)
        way = "after" if content["move"] > 0 else "before"
        key = "whole" if whole else way
        count = rng.choice((_COUNTS[move - 1], str(move)))
        return _DATE_QUESTIONS.write(rng, key, k=count, unit1=unit, unit2=unit + "s" * (move > 1), way=way,
                                     date=content["start"])

    def read_fact(self, sentence: str) -> list | None:
        match = _DATE_FACTS.read(sentence)
        return match and [match.slots["date"].capitalize()]

    def read_question(self, sentence: str) -> Any | None:
        match = _DATE_QUESTIONS.read(sentence + "?") or _DATE_QUESTIONS.read(sentence + ".")
        if match is None:
            return None
        slots = match.slots
        count = slots["k"].lower()
        move = int(count) if count.isdigit() else _COUNTS.index(count) + 1
        way = slots.get("way", match.key).lower()
        units = [slots[name].lower().rstrip("s") for name in ("unit1", "unit2")]
        return [move if way == "after" else -move, units, (slots.get("date") or "").capitalize()]

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        move, units, date = ask
        dates = {*facts, *([date] if date else [])}
        if len(dates) != 1 or len(facts) > 1:  # two different days: not ours
            return None
        content = {"kind": self.name, "start": dates.pop(), "move": move, "options": options}
        if set(units) != {self._unit(content)} or abs(move) > len(options):
            return None
        cycle = _CYCLES[units[0]]
        return content if all(o in cycle for o in options) and self.pick(content, True) in options else None

    def _list(self, content: Content, careful: bool) -> list[str]:
        return self._walk(content) if careful else list(content["options"][: abs(content["move"])])

    def pick(self, content: Content, careful: bool) -> str:
        return self._list(content, careful)[-1]

    def steps(self, content: Content, careful: bool) -> str:
        way = "After" if content["move"] > 0 else "Before"
        walk = self._list(content, careful)
        return f"{way} {content['start']}: {', '.join(walk)}. So it is {walk[-1]}."

    def key(self, content: Content) -> Content:
        return content | {"options": sorted(content["options"])}


class ReasoningUnseen(ChoiceTask):
    """Places in a row, days and months, rules about groups: a third each; no expert is trained on it.

    The habit of the careless author (order of mention) is right for 35 % of each kind.

    ``size`` is a lower bound from rows of three people alone: 224 * 223 * 222 orders x 4 settings x 3
    questions x 8 ways to state the facts x 6 orders of the options = 6.4 billion.
    """

    name = "reasoning_unseen"
    kinds = (Row(), Dates(), Rules())
    size = len(PEOPLE) * (len(PEOPLE) - 1) * (len(PEOPLE) - 2) * len(SETTINGS) * 3 * 8 * 6
