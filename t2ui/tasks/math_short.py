"""Short and spoken forms of the stories in :mod:`t2ui.tasks.math`: perfect tense, fragments, curt questions.

Both directions stand side by side: what the writer may say and how the reader turns it back into the plain form.
"""

from __future__ import annotations

import random
import re

from t2ui.tasks.arithmetic import Ops
from t2ui.tasks.math_words import _MARK, PAST, Cast, Setting, verb

# Participles that are not the past form, as "plain participle".
_PARTICIPLES = dict(pair.split() for pair in (
    "are been, be been, become become, break broken, come come, do done, drive driven, eat eaten, fall fallen, fly "
    "flown, give given, go gone, grow grown, hide hidden, lie lain, rise risen, run run, sink sunk, steal stolen, "
    "swim swum, take taken, throw thrown, write written, drink drunk, draw drawn, blow blown, wear worn, tear torn, "
    "get got, shrink shrunk, freeze frozen, bite bitten, ride ridden, see seen, mow mown, sew sewn, sing sung, "
    "forget forgotten"
).split(", "))
ADVERBS = ("", "", "already ", "already ", "since ", "just ", "now ")
# "Has got 5" says what somebody has, "have got off" what they did.
_GOT_ON = r"(?:on|off|out|in|up|lost)\b"
_HAS_DONE = re.compile(r"\b(?:has|have) (?:(?:already|since|just|now|also|later|then|even) )*(been )?"
                       r"([a-z]+)\b(?: so far$)?", re.IGNORECASE)
# Asked where nothing more than the result can be meant.
ASK_ANY = ["how many is that", "how many <are> there now", "how many now", "how many does that make"]
ASK_LEFT = ["how many remain", "how many are left", "what is left", "what's left", "how many left",
            "how many remain now", "how many are left over", "how many are still there"]
ASK_STAY = ["how many stay", "how many stay there", "how many remain", "how many are left", "how many are still there"]
ASK_SUM = ["how many in all", "total", "how many altogether", "how many in total", "how many is that in all",
           "what is the total"]
ASK_GOT = ["how many {thing} <have> {who} got {tail}", "how many <have> {who} got {tail}",
           "how many {thing} <have> {who} {tail}"]
# The same event again: "... and 5 more", "on Tuesday 8".
AGAIN = ["another {n}", "{n} more", "{n} more {thing}", "another {n} {thing}"]


def participle(plain: str) -> str:
    """``participle("eat") == "eaten"``."""
    return _PARTICIPLES.get(plain) or verb(plain, third=False, past=True)


_TO_PAST = {participle(plain): verb(plain, third=False, past=True) for plain in PAST if plain not in ("are", "have")}


def speaks_perfect(template: str) -> bool:
    """Whether the event clause may stand in the perfect tense."""
    return not re.search(rf"<have|<get[*!]?> (?!{_GOT_ON})|\{{verb\}}|<be!> |\{{level\}}", template)


def perfect(template: str, who: Cast | None, rng: random.Random) -> str:
    """The event clause in the perfect tense: "has already eaten 3", "3 have been sold"."""
    adverb = rng.choice(ADVERBS)

    def form(found: re.Match[str]) -> str:
        plain, mark = found.groups()
        third = mark == "!" or (mark == "" and plain != "are" and (who is None or who.third))
        return f"{'has' if third else 'have'} {adverb}{participle(plain)}"

    return _MARK.sub(form, template)


def simple(clause: str) -> str:
    """The clause with its perfect tense turned into the past: "has already eaten 3" is "ate 3"."""
    def form(found: re.Match[str]) -> str:
        been, word = found.group(1), found.group(2).lower()
        if been:
            return f"were {word}"
        if word == "got" and not re.match(rf" {_GOT_ON}", clause[found.end():]):
            return found.group()
        past = _TO_PAST.get(word) or (word if word.endswith("ed") else None)
        return past or found.group()

    return _HAS_DONE.sub(form, clause)


def short_questions(s: Setting, ops: Ops, joined: bool) -> list[str]:
    """Curt questions that suit the last event; none where they would not be clear. ``joined`` to an "if"."""
    if s.style == "units" or s.verbs or s.agent == "together":
        return []
    options = list(ASK_ANY)
    if ops[-1][0] == "-":
        options += ASK_STAY if s.agent == "none" and not s.gain else ASK_LEFT
    elif all(sign in "=+*" for sign, _ in ops):
        options += [text for text in ASK_SUM if text != "total" or not joined]
    return options + (ASK_GOT * 2 if s.agent == "same" else [])
