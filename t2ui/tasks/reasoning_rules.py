"""Rules about groups ("every baker is tall"): what must hold for one person.

Content: ``{"kind": "rules", "rules": [["baker", "singer"], ["pilot", "happy"], ["singer", "tall"]],
"who": "Anna", "is": "baker", "options": ["happy", "tall", "calm", "rich"]}``. The careful author follows
the rules from the person's group; the careless one takes the first property that a rule mentions.
"""

from __future__ import annotations

import random
from typing import Any

from t2ui.tasks.base import Content
from t2ui.tasks.grammar import Bank
from t2ui.tasks.names import PEOPLE
from t2ui.tasks.reasoning_common import NAME, Kind, article

GROUPS = ("baker", "singer", "runner", "doctor", "farmer", "teacher", "painter", "dancer", "driver", "sailor", "pilot",
          "player", "swimmer", "writer", "cook", "guard", "miner", "tailor", "hunter", "gardener")
TRAITS = ("tall", "happy", "rich", "kind", "strong", "quick", "clever", "brave", "calm", "polite", "young", "loud",
          "tidy", "honest", "lucky", "hungry", "quiet", "proud")
_RULE_PATTERNS = {"name": NAME, "an": r"an?\b", "g": r"(?!all\b|every\b|each\b)[a-z]+",
                  "x": r"(?!an?\b|not\b|the\b)[a-z]+"}
_RULES = Bank({
    "every": ["[every|each|any] {g} is {an} {x}", "[we know that|it is true that] every {g} is {an} {x}",
              "[every|each] {g} in town is {an} {x}", "if someone is {an1} {g}, that person is {an2} {x}"],
    "all": ["all {g} are {x}", "[we know that|it is true that] all {g} are {x}", "all the {g} here are {x}",
            "{g} are always {x}", "all {g} in town are {x}"],
    "every_trait": ["[every|each|any] {g} is {x}", "[we know that|it is true that] every {g} is {x}",
                    "[every|each] {g} in town is {x}", "{an} {g} is always {x}",
                    "if someone is {an} {g}, that person is {x}"],
    "person": ["{name} is {an} {g}", "{name} is {an} {g}", "{name} works as {an} {g}", "here {name} is {an} {g}",
               "our [friend|neighbor] {name} is {an} {g}", "[we know that|it is true that] {name} is {an} {g}",
               "[this is|meet] {name}, {an} {g}"],
}, _RULE_PATTERNS)
_RULE_QUESTIONS = Bank(["what is {name} for sure?", "what must {name} be?", "what follows for {name}?",
                        "which word must fit {name}?", "[so|then] what is {name}?", "what else is {name}?",
                        "[tell me|say] what {name} must be.", "what do we know about {name}?",
                        "which of these is surely true of {name}?", "how can we describe {name}?",
                        "[can you tell|do you know] what {name} is?", "{name} must be what?"], _RULE_PATTERNS)


class Rules(Kind):
    """One step (baker: tall) or two (baker: singer, singer: tall) among three rules."""

    name = "rules"

    def draw(self, rng: random.Random) -> Content:
        groups, traits = rng.sample(GROUPS, 4), rng.sample(TRAITS, 4)
        if rng.random() < 0.5:
            rules = [[groups[0], traits[0]], [groups[1], traits[1]], [groups[2], traits[2]]]
        else:
            rules = [[groups[0], groups[1]], [groups[1], traits[0]], [groups[2], traits[1]]]
        rng.shuffle(rules)
        return {"kind": self.name, "rules": rules, "who": rng.choice(PEOPLE), "is": groups[0],
                "options": rng.sample(traits, 4)}

    def _chain(self, content: Content) -> list[list[str]]:
        """The rules that lead from the person's group to an option; empty where none do."""
        follow, at, path = {group: what for group, what in content["rules"]}, content["is"], []
        while at in follow and len(path) <= len(content["rules"]):
            path.append([at, follow[at]])
            at = follow[at]
            if at in content["options"]:
                return path
        return []

    def facts(self, content: Content, rng: random.Random) -> list[str]:
        groups = {group for group, _ in content["rules"]}
        out = [self._rule(group, what, what in groups, rng) + "." for group, what in content["rules"]]
        person = _RULES.write(rng, "person", name=content["who"], an=article(content["is"]), g=content["is"]) + "."
        out.insert(0 if rng.random() < 0.25 else len(out), person)
        return out

    @staticmethod
    def _rule(group: str, what: str, noun: bool, rng: random.Random) -> str:
        if rng.random() < 0.5:
            return _RULES.write(rng, "all", g=group + "s", x=what + "s" * noun)
        if noun:
            return _RULES.write(rng, "every", g=group, an=article(what), x=what, an1=article(group), an2=article(what))
        return _RULES.write(rng, "every_trait", g=group, an=article(group), x=what)

    def question(self, content: Content, rng: random.Random) -> str:
        return _RULE_QUESTIONS.write(rng, name=content["who"])

    def read_fact(self, sentence: str) -> list | None:
        match = _RULES.read(sentence)
        if match is None:
            return None
        slots = match.slots
        group = slots["g"].lower()
        if match.key == "person":
            return [["person", slots["name"], group]]
        what = slots["x"].lower()
        if match.key == "all":
            return [["rule", group[:-1], what, None]] if group.endswith("s") else None
        return [["rule", group, what, match.key == "every"]]

    def read_question(self, sentence: str) -> Any | None:
        match = _RULE_QUESTIONS.read(sentence + "?") or _RULE_QUESTIONS.read(sentence + ".")
        return match and match.slots["name"]

    def build(self, facts: list, ask: Any, options: list[str]) -> Content | None:
        options = [option.lower() for option in options]
        rules = []
        for _, group, what, noun in (fact for fact in facts if fact[0] == "rule"):
            if noun and what in options:  # "every baker is a singer" does not make anyone "singer"
                return None
            # "All bakers are singers" but "all bakers are famous": a plural, unless it is an option as it stands.
            plural = noun is None and what.endswith("s") and what not in options
            rules.append([group, what[:-1] if plural else what])
        persons = [fact[1:] for fact in facts if fact[0] == "person"]
        if len(persons) != 1 or persons[0][0] != ask or not rules or len({rule[0] for rule in rules}) != len(rules):
            return None
        content = {"kind": self.name, "rules": rules, "who": ask, "is": persons[0][1], "options": options}
        path = self._chain(content)
        return content if path and path[-1][1] not in [rule[0] for rule in rules] else None

    def pick(self, content: Content, careful: bool) -> str:
        if careful:
            return self._chain(content)[-1][1]
        return next(what for _, what in content["rules"] if what in content["options"])

    def steps(self, content: Content, careful: bool) -> str:
        who, group, said = content["who"], content["is"], self.pick(content, careful)
        path = self._chain(content) if careful else [[group, said]]
        rules = [f"Every {g} is {what if what == said else f'{article(what)} {what}'}." for g, what in path]
        return " ".join([f"{who} is {article(group)} {group}.", *rules, f"So {who} is {said}."])

    def key(self, content: Content) -> Content:
        return {"kind": self.name, "rules": sorted(content["rules"]), "who": content["who"], "is": content["is"]}
