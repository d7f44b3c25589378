"""Telling a chain of operations as a story: who, which tense, which clauses, how they join into sentences."""

from __future__ import annotations

import random
import re

from t2ui.tasks.arithmetic import Ops, write_number
from t2ui.tasks.grammar import capital, fill
from t2ui.tasks.math_short import AGAIN, ASK_GOT, participle, perfect, short_questions, speaks_perfect
from t2ui.tasks.math_words import (
    BOXES,
    DAYS,
    EACH_ACTS,
    EACH_BEGIN,
    EACH_BEGIN_BARE,
    ENDS,
    HE,
    HE_ROLES,
    KIN,
    LEADS,
    PLACES,
    SHE,
    SHE_ROLES,
    STARTS,
    TIMES,
    Cast,
    Setting,
    cast,
    conjugate,
    verb,
)

INTROS = ("Here is a question:", "Here is a problem:", "Solve this:", "A math problem:", "Question:",
          "Here is a puzzle:", "Please solve this:", "Help me with this:")
POLITE = ("Please help:", "Hi!", "Hello!", "Can you work this out?", "Quick question:", "Please help me.", "Hi there!",
          "Can you help me?", "I have a question.", "A quick one:", "Can you solve this?")
OUTROS = ("Show the steps.", "Show your steps.", "Think step by step.", "Explain.", "Work it out.",
          "Please show your work.")
# First words of questions that end with a full stop.
ORDERS = ("find", "work", "tell", "count", "add", "name", "say")
JOINT = ("together", "in all", "altogether", "in total")
SUMS = ("in all", "altogether", "in total")

_SPANS = re.compile(rf"\b(?:in a|in the|at|on|for|by|over|next|first|that|this|{'|'.join(DAYS)})\b")
# "Am paid 5" is no telegraph style.
_BE = re.compile(r"(?:am|is|are|was|were) ")
# Questions that suit a story that ends with a loss, and those in which "left" may stand.
_LEFT_OVER = re.compile(r"\bstill\b|\bleft\b|<stay|<remain")
_LEFT_FITS = re.compile(r"(?:have>?|there(?: <are>)?|number of \{thing\}) \{tail\}$")

_THEY = Cast("they", "they", "they", "them", "their", third=False)
# Anybody: an agent whose name is not known yet when the clause is written.
_ONE = Cast("", "", "", "", "")

# How the story and the question are put together, with shares in percent.
_FRAMES = {"plain": 56, "terse": 9, "starting": 6, "all if": 9, "last if": 8, "asked if": 7, "asked first": 6}


def tell(setting: Setting, ops: Ops, thing: str, rng: random.Random) -> str:
    """One telling of the chain in this setting, question included."""
    return _Writer(setting, ops, thing, rng).story()


class _Writer:
    """Writes one story; a new one for every story."""

    def __init__(self, setting: Setting, ops: Ops, thing: str, rng: random.Random):
        self.s, self.ops, self.thing, self.rng = setting, ops, thing, rng
        self.who = cast(rng.choice(setting.subjects), rng)
        self.past = rng.random() < 0.3
        self.words = rng.random() < 0.08
        self.names = [name for name in rng.sample(SHE + HE, 10) if name != self.who.again]
        self.verb = rng.choice(setting.verbs.get(thing) or ["x"])
        self.day = rng.randrange(7)
        self.last_actor: str | None = None
        # The setting's own openings in their order, each at most once.
        self.leads = sorted(rng.sample(setting.leads, min(3, len(setting.leads))), key=setting.leads.index)
        # Whom "he" or "she" could mean by mistake after the clause written last.
        self.rivals: set[str] = set()
        frame = rng.choices(tuple(_FRAMES), tuple(_FRAMES.values()))[0]
        if frame == "starting" and (setting.agent != "same" or setting.verbs or setting.grouped(ops)):
            frame = "plain"
        if setting.agent in ("any", "together") and frame == "asked if":
            frame = "plain"
        # Telegraph style: events in a row, cut short.
        self.terse = frame == "terse" and setting.agent in ("same", "none", "any") and not setting.verbs
        if frame == "terse":
            frame = "plain"
        self.curt = self.terse and rng.random() < 0.6
        # One sentence from end to end ("If she has 7, finds 5 and loses 3"): nobody else may act in it.
        self.flowing = frame in ("all if", "asked if") and len(ops) > 2
        if self.flowing and not (setting.agent == "same" and setting.gain and (setting.double or not self._doubles())):
            frame, self.flowing = "plain", False
        self.frame = frame
        # "The kids have eaten 15": the state now is what counts, so no times and no single sentence.
        self.perfect = (frame in ("plain", "asked first") and not self.terse and rng.random() < 0.14
                        and setting.agent != "together" and setting.style != "units" and not setting.verbs)
        # "How many has Anna if she starts with 7?": the name stands in the question, which comes first.
        self.named_later = frame == "asked if" and setting.agent == "same" and self.who.again != "I"

    def _doubles(self) -> bool:
        return any(sign == "*" for sign, _ in self.ops[2 if self.s.grouped(self.ops) else 1 :])

    # -- pieces --------------------------------------------------------------------------------

    def number(self, n: int) -> str:
        return write_number(n, self.words)

    def fill(self, template: str, who: Cast | None, /, tense: bool = False, **slots: object) -> str:
        """Fill a template whose ``<verbs>`` agree with ``who`` (third person without one)."""
        rng, kin = self.rng, self.rng.choice(KIN)
        self.rivals = set()
        if "{name}" in template:
            slots["name"] = self.names.pop()
            self.rivals = {"she" if slots["name"] in SHE else "he"}
        elif "{kin}" in template:
            self.rivals = {"she"} if kin in SHE_ROLES else {"he"} if kin in HE_ROLES else {"she", "he"}
        if "{day}" in template:
            slots["day"] = DAYS[self.day % 7]
            self.day += 1
        subject = who or self.who
        obj = subject.again if subject.third and rng.random() < 0.2 else subject.obj
        text = conjugate(template, who, self.past) if not tense else perfect(template, who, rng)
        return fill(text, rng, thing=self.thing, obj=obj, poss=subject.poss, kin=kin,
                    base=self.verb, part=participle(self.verb),
                    verb=verb(self.verb, third=subject.third, past=self.past), **slots)

    def gain(self, n: int) -> str:
        """An amount that comes: ``5 more``, ``another 5 pens``."""
        number, thing = self.number(n), self.thing
        if self.s.style in ("bare", "units"):
            return self.rng.choice((number, f"{number} {thing}")) if self.s.style == "bare" else f"{number} {thing}"
        options = [f"{number} more", f"{number} more {thing}", f"{number} {thing}", number, f"another {number}",
                   f"another {number} {thing}"]
        if self.s.style == "things":
            options += [f"{number} more", f"{number} new {thing}", f"{number} other {thing}",
                        f"{number} extra {thing}"]
        return self.rng.choice(options)

    def loss(self, n: int) -> str:
        """An amount that goes: ``3``, ``3 of them``, ``3 of her pens``."""
        number, thing = self.number(n), self.thing
        if self.s.style == "units":
            return f"{number} {thing}"
        options = [number, number, f"{number} {thing}"]
        if self.s.style in ("things", "bare"):
            options += [f"{number} of them", f"{number} of them", f"{number} of the {thing}"]
        if self.s.style == "things" and self.s.agent == "same":
            options.append(f"{number} of {self.who.poss} {thing}")
        return self.rng.choice(options)

    # -- clauses -------------------------------------------------------------------------------

    def beginning(self, first: str) -> tuple[list[str], int]:
        """The opening clauses and how many of the operations they state."""
        s, ops, rng = self.s, self.ops, self.rng
        n1, n2 = self.number(ops[0][1]), self.number(ops[1][1])
        may_double = bool(s.double or s.double_full) and ops[1][1] == 2
        if not s.grouped(ops) or (may_double and (self.flowing <= bool(s.double)) and rng.random() < 0.5):
            return [self.fill(rng.choice(s.begin), self.who, subj=first, n=n1)], 1
        box = rng.choice(BOXES)
        if s.each and not self.flowing and (not s.group or rng.random() < 0.4):
            box1 = {"shelves": "shelf", "boxes": "box"}.get(box, box[:-1])
            begin = EACH_BEGIN if s.agent == "same" else EACH_BEGIN_BARE
            opening = fill(conjugate(rng.choice(begin), self.who, self.past), rng, subj=first, n=n1, thing=box)
            if s.agent == "same" and rng.random() < 0.3:
                kept = [text for text in EACH_ACTS if (" on " in text) == (box in ("shelves", "trays"))]
                each = self.fill(rng.choice(kept), self.who, n=n2)
                subject = self.who.pronoun
                return ([f"{opening} and {each}"] if rng.random() < 0.5 else [opening, f"{subject} {each}"]), 2
            each = self.fill(rng.choice(s.each), None, n=n2, box1=box1)
            joint = ", " if s.agent != "same" and rng.random() < 0.5 else " and "
            return ([f"{opening}{joint}{each}"] if rng.random() < 0.35 or joint == ", " else [opening, each]), 2
        return [self.fill(rng.choice(s.group), self.who, subj=first, n1=n1, n2=n2, box=box)], 2

    def event(self, sign: str, n: int, joined: bool) -> tuple[str, bool]:
        """A clause, and whether it still wants a subject ("buys 5 more")."""
        s, rng = self.s, self.rng
        acts, happens = {"+": (s.gain, s.gain_full), "-": (s.lose, s.lose_full),
                         "*": (s.double, s.double_full)}[sign]
        level = f"{rng.choice(('', '', 'by '))}{self.number(n)} {self.thing}"
        slots = {"gain": self.gain(n), "loss": self.loss(n), "level": level}
        # "... and 5 on Tuesday" is a clause of a log, but no sentence.
        fragment = bool(s.verbs) and not joined
        if acts and (not happens or self.flowing or fragment or rng.random() < 0.72) \
                and not (self.terse and s.agent == "any"):
            who = {"same": self.who, "together": _THEY}.get(s.agent, _ONE)
            template = rng.choice(acts)
            return self.fill(template, who, tense=self.in_perfect(template), **slots), True
        template = rng.choice(happens)
        if self.curt:
            template = template.replace("<are> ", "")
        who = self.who if s.agent == "same" else None
        return self.fill(template, who, tense=self.in_perfect(template), **slots), False

    def in_perfect(self, template: str) -> bool:
        return self.perfect and self.rng.random() < 0.8 and speaks_perfect(template)

    def again(self, sign: str, n: int, day: bool, alone: bool = False) -> str:
        """The event before once more: "another 5", "on Tuesday 8". In a sentence of its own, what goes once more is not
        named: "17 broke. Then 9 more chairs." could mean that they came."""
        if day:
            self.day += 1
            return f"on {DAYS[(self.day - 1) % 7]} {self.number(n)}"
        return fill(self.rng.choice(AGAIN[:2] if alone and sign == "-" else AGAIN), self.rng, n=self.number(n), thing=self.thing)

    def subject(self, joined: bool, rivals: set[str]) -> str:
        """Who acts, at the head of a clause: a pronoun where it is clear whom it means."""
        rng = self.rng
        if self.s.agent == "together":
            return rng.choice(("they", "together they"))
        if self.s.agent == "any":
            if self.last_actor and rng.random() < 0.5:
                return "she" if self.last_actor in SHE else "he"
            self.last_actor = self.names.pop()
            return self.last_actor
        if self.named_later or (self.who.pronoun not in rivals and (joined or rng.random() < 0.7)):
            return self.who.pronoun
        return self.who.again

    # -- arrangement ---------------------------------------------------------------------------

    def story(self) -> str:
        """The whole prompt."""
        rng, s = self.rng, self.s
        clauses, used = self.beginning(self.who.pronoun if self.named_later else self.who.first)
        told: list[list[str]] = [[clauses[0]]]
        for clause in clauses[1:]:
            self.put(told, clause, joined=False, lead=False)
        one_sentence = self.frame in ("all if", "asked if")
        signs = {sign for sign, _ in self.ops[used:]}
        self.repeats = s.agent != "together" and s.style != "units" and not s.verbs
        self.by_days = (self.repeats and len(self.ops) - used > 1 and len(signs) == 1 and self.frame == "plain"
                        and s.agent == "same" and not self.terse and not self.perfect and rng.random() < 0.5)
        # Whether the clause before had the main subject, so that the next one may go without.
        acting = s.agent == "same" and " each" not in clauses[-1] and " every " not in clauses[-1]
        for i, (sign, n) in enumerate(self.ops[used:]):
            joined = one_sentence or (len(told[-1]) < 2 and rng.random() < 0.4)
            rivals = self.rivals
            if self.terse:
                joined = i > 0 or self.curt and s.agent == "same"
            before = self.ops[used + i - 1][0] if i else ""
            if before == sign and sign in "+-" and self.repeats and not one_sentence and rng.random() < 0.3:
                day = self.by_days and len(told[-1]) < 3
                if day or rng.random() < 0.5 or self.terse:
                    told[-1].append(self.again(sign, n, day))
                else:
                    told.append([f"{rng.choice(('Then', 'Later', 'After that', 'Soon'))} {self.again(sign, n, False, alone=True)}"])
                continue
            clause, wants_subject = self.event(sign, n, joined)
            if self.by_days and i == 0 and wants_subject and acting and not _SPANS.search(clause):
                told.append([f"On {DAYS[self.day % 7]} {self.subject(False, rivals)} {clause}"])
                self.day += 1
                continue
            if self.terse and wants_subject and (acting or i == 0) and not _BE.match(clause):
                told[-1].append(clause) if joined else told.append([clause])
                acting = True
                continue
            ellipsis = rng.random() < (0.85 if joined else 0.4 if len(told[-1]) == 2 else 0)
            if i == 0 and self.frame == "starting" and wants_subject and used == 1:
                # "Starting with 21 crayons, Zoe loses 2": one clause here, read as two.
                told[0][0] = f"{rng.choice(STARTS)} with {self.number(self.ops[0][1])} {self.thing}, " \
                             f"{self.who.first} {clause}"
                acting = True
            elif not wants_subject:
                self.put(told, clause, joined, lead=s.agent != "together")
                acting = False
            elif acting and (self.flowing or ellipsis):
                self.put(told, clause, True, lead=False)
            else:
                timely = rng.random() < 0.08 and sign != "*" and not self.perfect
                adverb = rng.choice(("then ", "also ", "later ")) if timely else ""
                self.put(told, f"{self.subject(joined, rivals)} {adverb}{clause}", joined, lead=not adverb)
                acting = True
        return self.arrange(told)

    def put(self, told: list[list[str]], clause: str, joined: bool, lead: bool) -> None:
        """Add a clause to the last sentence, or begin a new one, now and then with "Later," or the like."""
        rng, s = self.rng, self.s
        if joined:
            told[-1].append(clause)
            return
        # No second time or place where the clause has one, none in logs and measures, which have their own.
        spans = bool(_SPANS.search(clause))
        timeless = spans or bool(s.verbs or s.leads) or s.style == "units"
        lead = lead and not self.perfect and not self.terse
        if lead and rng.random() < (0.5 if s.leads else 0.28):
            if self.leads and not spans and rng.random() < 0.7:
                opening = self.leads.pop(0)
            else:
                opening = rng.choice(LEADS if timeless or rng.random() < 0.4 else TIMES)
            clause = f"{opening} {clause}"
        elif lead and s.agent == "same" and not timeless and rng.random() < 0.08:
            clause = f"{clause} {rng.choice(ENDS)}"
        told.append([clause])

    def sentence(self, clauses: list[str], plain: bool, loses: bool) -> str:
        """``A``, ``A and B``, ``A, B and C``; ``plain`` without "then" and without commas before "and"; "but" where it
        ends with a loss."""
        if len(clauses) == 1:
            return clauses[0]
        if self.terse and self.rng.random() < 0.7:
            return ", ".join(clauses)
        plain = plain or self.perfect or self.terse
        joins = [" and "] * 3
        if not plain:
            joins += [", but ", " but "] * (loses and len(clauses) == 2)
            joins += [", and ", " and then ", ", and then "] + [", then "] * (len(clauses) == 2)
        return ", ".join(clauses[:-1]) + self.rng.choice(joins) + clauses[-1]

    def question(self, opening: str) -> str:
        """A question that suits the story's last event and its opening's place, without its mark."""
        rng, s = self.rng, self.s
        asked_first = self.frame in ("asked first", "asked if")
        place = re.search(rf"\b({'|'.join(PLACES)})\b", opening)
        last = self.ops[-1][0]
        options = [q for q in s.ask if (place or "{place}" not in q) and (last == "-" or not _LEFT_OVER.search(q))]
        if asked_first:
            options = [q for q in options if ("{thing}" in q or s.style == "units")
                       and ("{who}" in q or s.agent != "same") and not q.startswith("how many {thing} is that")]
        shorts = short_questions(s, self.ops, self.frame.endswith("if"))
        if shorts and not asked_first and rng.random() < (0.6 if self.terse else 0.12):
            options = shorts
        template = rng.choice(options)
        past = self.past
        if self.perfect or template in ASK_GOT:
            self.past = False
        # "Tom had 7 ... How many does he have now?" is as good as "How many did he have in the end?"
        if past and not s.verbs and not asked_first and rng.random() < 0.4:
            self.past = False
        tails = ["", "", "in the end", "in the end", "at the end"] + ["now"] * (0 if self.past else 3)
        if len(self.ops) == 2 and self.s.grouped(self.ops):
            tails = ["", "", "in all", "altogether", "in total"]
        elif last == "-" and _LEFT_FITS.search(template):
            tails = [*tails, "left", "left", "left", "left"]
        elif last == "+" and s.agent != "none":
            tails = [*tails, "in all", "altogether", "in total"]
        by_name = asked_first or rng.random() < 0.6 or self.who.pronoun in self.rivals
        who = self.who.again if by_name else self.who.pronoun
        whose = self.who.whose if who == self.who.again else self.who.poss
        text = self.fill(template, self.who if s.agent == "same" else None, tail=rng.choice(tails), who=who,
                         whose=whose, place=place.group(1) if place else "", joint=rng.choice(("", *JOINT)),
                         sum=rng.choice(("", *SUMS)))
        self.past = past
        return text

    def arrange(self, told: list[list[str]]) -> str:
        """Sentences and question in the order of the frame."""
        rng, frame = self.rng, self.frame
        question = self.question(told[0][0])
        if self.terse:
            told[0][0] = re.sub("^there (?:are|were) ", "", told[0][0])
        if frame == "plain" and question.startswith(("how many", "what is")) and rng.random() < 0.05:
            question = "so " + question
        mark = "." if question.split()[0] in ORDERS else "?"
        last = told[-1][0]
        leads = any(last.startswith(lead) for lead in (*LEADS, *TIMES, *self.s.leads))
        if frame == "asked if" and (mark == "." or len(told) > 1):
            frame = "asked first"
            if self.named_later:
                told[0][0] = re.sub(rf"\b{self.who.pronoun}\b", self.who.again, told[0][0], count=1)
        elif frame == "all if" and (mark == "." or len(told) > 1):
            frame = "plain"
        elif frame == "last if" and (mark == "." or len(told) == 1 or leads):
            frame = "plain"
        loses = self.ops[-1][0] == "-"
        parts = [self.sentence(clauses, frame.endswith("if") and clauses is told[-1], loses and clauses is told[-1])
                 for clauses in told]
        if len(parts) > 1 and frame in ("plain", "starting", "asked first") and rng.random() < 0.06:
            leads_in = (*LEADS, *TIMES, *self.s.leads)
            parts = ["; ".join(p[0].lower() + p[1:] if p.startswith(leads_in) and not p.startswith("On ") else p
                               for p in parts)]
        ended = [capital(part) + "." for part in parts]
        text = {
            "starting": " ".join([*ended, capital(question) + mark]),
            "plain": " ".join([*ended, capital(question) + mark]),
            "all if": f"If {parts[0]}, {question}?",
            "last if": " ".join([*ended[:-1], f"If {parts[-1]}, {question}?"]),
            "asked if": f"{capital(question)} if {parts[0]}?",
            "asked first": " ".join([capital(question) + mark, *ended]),
        }[frame]
        if (opening := rng.random()) < 0.12:
            text = f"{rng.choice(INTROS if opening < 0.06 else POLITE)} {text}"
        if rng.random() < 0.05:
            text = f"{text} {rng.choice(OUTROS)}"
        # Who types in a hurry lets go of capitals.
        # A name that nobody has is only known by its capital.
        known = self.who.again in (*SHE, *HE) or not self.who.again[:1].isupper() or self.who.again == "I"
        return text.lower() if known and rng.random() < (0.35 if self.terse else 0.06) else text
