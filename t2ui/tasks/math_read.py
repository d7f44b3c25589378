"""Reading a story back: the inverse of :mod:`t2ui.tasks.math_tell`, for a visitor's own wording too.

A story is read only if everything in it is understood and agrees: one subject, one thing counted, no
second meaning. Whatever else may be typed gives None, never a wrong reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from t2ui.tasks.arithmetic import NUMBER, Ops, read_number, values
from t2ui.tasks.grammar import Bank, Match, sentences
from t2ui.tasks.math_short import AGAIN, ASK_ANY, ASK_GOT, ASK_LEFT, ASK_STAY, ASK_SUM, participle, simple
from t2ui.tasks.math_tell import JOINT, ORDERS, SUMS
from t2ui.tasks.math_words import (
    DAYS,
    EACH_ACTS,
    EACH_BEGIN,
    EACH_BEGIN_BARE,
    HE,
    HE_ROLES,
    SHE,
    SHE_ROLES,
    SHOPS,
    Setting,
    any_form,
    verb,
)

# Words that are never (part of) the thing counted: "5 more", "3 of them", "6 before lunch".
_STOP = """a after again all also altogether an and are as at away back be been before by can colder did do does down
    during each every extra for from had has have he her here his home hotter how i if in instead into is it its later
    left long longer many more my new now of off on online other our out over she shorter still tall than that the
    their them then there they to today together tomorrow too total until up was we were when who will with warm
    warmer hot cold cooler high overnight weekend week summer yesterday your another""".split()
_WORD = rf"(?!(?:{'|'.join(_STOP)})\b)[a-z]+"
_THING = rf"(?-i:(?:{_WORD} )?{_WORD})"

# Third-person pronouns and their kin, by the subject they stand for.
_POSS = {"his": "he", "her": "she", "their": "they", "my": "i", "our": "we", "its": "it", "your": "you"}
_OBJ = {"him": "he", "her": "she", "them": "they", "me": "i", "us": "we", "it": "it", "you": "you"}
_PRONOUNS = ("he", "she", "they", "it", "i", "we", "you")
_NOT_NAMES = ("There Then Each Every If Another How What Later Next Soon Now Together Somebody "
              "It He She They We You").split()
_NAME = rf"(?!(?:{'|'.join(_NOT_NAMES)})\b)[A-Z][a-z]+"
_SUBJECT = (rf"(?-i:(?:[Mm]y|[Tt]he|[Aa]n?|[Oo]ur|[Hh]is|[Hh]er) [A-Za-z]+|I|[Ii]t|[Hh]e|[Ss]he|[Tt]hey|[Ww]e|[Yy]ou"
            rf"|{_NAME})")

_TAILS = ("now", "left", "in all", "altogether", "in total", "in the end", "at the end", "after that", "at last",
          "then", "over", "all together")
_JOINT = (*JOINT, "all together", "together now")
_SUMS = (*SUMS, "all in all", "in the end", "all together")
_LEAD_WORDS = (
    "then", "later", "after that", "next", "soon", "a little later", "an hour later", "in the (?:afternoon|evening)",
    "in the morning", "(?:the next|one|that) (?:day|night|morning|evening)", "after (?:lunch|school|dinner|a while)",
    "afterwards", "at first", "first", "today", "now", "finally", "on (?-i:[A-Z][a-z]+day)", "also", "suppose",
    "imagine", "suppose that", "imagine that", "let us say", "once", "in the end", "at last", "at (?:noon|night)",
    "at midnight", "at the (?-i:[a-z]+)(?=,|$)", "at the (?:first|next|second|third|last) (?-i:[a-z]+)",
    "yesterday", "this (?:morning|afternoon|evening)", "by (?-i:[a-z]+)",
    "in the (?:next|second|last|first) (?-i:[a-z]+)", "before the end", "so", "before (?:lunch|school|dinner|noon)",
    "after an hour", "overnight", "over the (?-i:[a-z]+)", "in (?:spring|summer|autumn|winter)",
    "meanwhile", "but", "and",
)
_LEAD = re.compile(rf"(?:{'|'.join(sorted(_LEAD_WORDS, key=len, reverse=True))})(?:,\s*|\s+|$)", re.IGNORECASE)
_END = re.compile(r"\s+(?:after (?:lunch|school)|overnight|over the weekend|this week|"
                  r"in the (?:morning|afternoon|evening)|before dinner|that day|on the way home|"
                  r"the next day|today|later|on [a-z]+day)$", re.IGNORECASE)
_JOIN = re.compile(r"\s*[,;]\s+(?:and\s+|but\s+)?(?:then\s+|later\s+)?|\s+(?:and|but)\s+(?:then\s+|later\s+)?",
                   re.IGNORECASE)
_INTRO = re.compile(r"(?:here is a (?:question|problem|puzzle|story)|(?:please )?solve (?:this|it)|question|math|"
                    r"problem|a math (?:problem|question)|(?:please )?help(?: me)?(?: with this)?|"
                    r"a (?:puzzle|story problem)|"
                    r"hi|hello|hey|hi there|(?:a )?quick (?:question|one)|i have a question|"
                    r"can you (?:please )?(?:work this out|help(?: me)?|solve this))"
                    r"\s*[:.!?,]\s*", re.IGNORECASE)
_OUTRO = re.compile(r"\s*(?:please )?(?:show (?:the|your|all) (?:steps|work)|think step by step|work step by step|"
                    r"work it out|explain|answer with a number|thanks?|thank you)[.!]?$", re.IGNORECASE)
_STARTING = re.compile(rf"(?:starting|beginning) with ([^,.?!;]+), ({_SUBJECT})\s+", re.IGNORECASE)
# Typed without capitals, known names and days get theirs back.
_PROPER = re.compile(rf"\b(?:i|{'|'.join((*SHE, *HE, *DAYS)).lower()})\b")
_ASKING = r"(?:how|what|which|on|at|to|with|can|together|where|total)\b"
# "So how many ...": the question is the same without.
_SO = re.compile(r"^(?:so|and|and so|now|then),? (?=(?:how|what|which)\b)", re.IGNORECASE)


def take_apart(prompt: str) -> list[tuple[list[list[str]], str]]:
    """The ways to see a prompt as told sentences (each split into clauses) and a question."""
    text = " ".join(prompt.split())
    # Decimals, thousands, times and percentages are beyond this world, and long texts are no stories.
    if not 10 <= len(text) <= 700 or re.search(r"\d[.,:/]\d|[%$=*/]", text):
        return []
    text = _OUTRO.sub("", text)
    if text == text.lower():
        text = _PROPER.sub(lambda found: found.group().capitalize(), text)
    while intro := _INTRO.match(text):
        text = text[intro.end():]
    text = re.sub(r"(?<=\w), so (?=how (?:many|much)\b)", ". ", text)
    text = _STARTING.sub(r"\2 starts with \1, ", text)
    if found := re.fullmatch(rf"(.*?)\bIf (.+), ({_ASKING}[^,.?!]+\??)", text, re.IGNORECASE):
        text = f"{found.group(1)}{found.group(2)}. {found.group(3)}"
    elif found := re.fullmatch(rf"({_ASKING}[^,.?!]+?) if ([^.?!]+)\??", text, re.IGNORECASE):
        text = f"{found.group(2)}. {found.group(1)}?"
    parts = [part.rstrip(".!? ") for part in sentences(text)]
    if len(parts) < 2:
        return []
    out = []
    for question, told in ((parts[-1], parts[:-1]), (parts[0], parts[1:])):
        question = _SO.sub("", question)
        if re.match(rf"(?:{_ASKING}|{'|'.join(ORDERS)})", question, re.IGNORECASE):
            out.append(([clauses for sentence in told if (clauses := _clauses(sentence))], question))
    return out


def _clauses(sentence: str) -> list[str]:
    """A sentence's clauses without "then", "On Monday" and the like at their heads."""
    parts = ((part, _headless(part)) for part in _JOIN.split(sentence))
    return [simple(_more(part, clause)) for part, clause in parts if clause]


def _more(part: str, clause: str) -> str:
    """``on Tuesday 8`` is 8 more of what went before; a bare 8 could be anything."""
    if part.strip() == clause or not re.match(r"(?:on|then|later|after)\b", part, re.IGNORECASE):
        return clause
    return re.sub(rf"^({NUMBER})(?= |$)(?! more)((?: {_WORD})?)$", r"\1 more\2", clause, flags=re.IGNORECASE)


def _headless(text: str) -> str:
    while lead := _LEAD.match(text):
        text = text[lead.end():]
    return text.strip()


def _either(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(map(re.escape, words), key=len, reverse=True)) + ")"


def _amounts(style: str) -> dict[str, str]:
    """Patterns of {gain} and {loss}; groups thing7, thing8, poss8 stay clear of a template's own slots."""
    some = rf"(?: (?P<thing7>{_THING}))?"
    if style == "bare":
        bare = rf"(?P<n>{NUMBER}){some}"
        return {"gain": bare, "loss": rf"(?P<n>{NUMBER})(?: of (?:them|the (?P<thing8>{_THING}))|{some})"}
    gain = rf"(?:(?:another|an extra) )?(?P<n>{NUMBER})(?: (?:more|new|extra|other))?{some}"
    whose = f"(?:the|these|those|(?P<poss8>{_either(_POSS)}))"
    loss = (rf"(?:another )?(?P<n>{NUMBER})(?: more)?(?: of (?:them|those|these|{whose} (?P<thing8>{_THING}))|{some})")
    return {"gain": gain, "loss": loss}


@dataclass
class _Reading:
    """What has been understood so far while reading one story."""

    ops: Ops = field(default_factory=list)
    things: list[str] = field(default_factory=list)
    verbs: set[str] = field(default_factory=set)
    main: str | None = None
    others: list[str] = field(default_factory=list)
    pronouns: set[str] = field(default_factory=set)
    # What the first sentence counts: the thing itself, or boxes of it until "each box holds ..." says so.
    stated: list[str] = field(default_factory=list)
    main_acts: bool = False


def readers(settings: Sequence[Setting]) -> list[Reader]:
    """Readers of all settings. Stories about what somebody owns, eats, earns or scores share their
    sentences when read, for a visitor's apples may well be sold and a visitor's dollars be found."""
    own = [s for s in settings if s.agent == "same" and not s.verbs and s.subjects != ("shop",)]
    lists = ("begin", "ask", "group", "each", "gain", "gain_full", "lose", "lose_full", "double", "double_full")
    merged = {name: list(dict.fromkeys(text for s in own for text in getattr(s, name))) for name in lists}
    return [Reader(replace(own[0], **merged)), *(Reader(s) for s in settings if s not in own)]


class Reader:
    """Reads the stories of one setting."""

    def __init__(self, setting: Setting):
        self.setting = setting
        lemmas = {plain for options in setting.verbs.values() for plain in options}
        self._lemma = {form: plain for plain in lemmas
                       for form in (plain, verb(plain, third=True, past=False), verb(plain, third=False, past=True),
                                    participle(plain))}
        # Only of a shop does it follow that others buy from it: "Tom has 7. Ben buys 5" must not read so.
        subject = rf"(?:(?:the|an?|our|my) {_either(SHOPS)}|it)" if setting.subjects == ("shop",) else _SUBJECT
        patterns = {
            **_amounts(setting.style), "n": NUMBER, "thing": _THING, "name": _NAME, "subj": subject, "who": subject,
            "whose": rf"(?-i:{_NAME}'s?|(?:[Mm]y|[Tt]he|[Aa]) [A-Za-z]+'s?|{_either(_POSS)})",
            "obj": rf"(?:{_either(_OBJ)}|{subject})", "poss": _either(_POSS),
            "kin": "[a-z]+", "box": "[a-z]+", "place": "[a-z]+", "day": "(?-i:[A-Z][a-z]+day)",
            "tail": f"{_either(_TAILS)}?", "joint": f"{_either(_JOINT)}?", "sum": f"{_either(_SUMS)}?",
            "verb": _either(self._lemma) if lemmas else "x", "base": _either(lemmas) if lemmas else "x",
            "part": _either(map(participle, lemmas)) if lemmas else "x",
            "level": rf"(?:by )?(?P<n>{NUMBER})(?: more)?(?: (?P<thing7>{_THING}))?",
        }

        def bank(**groups: list[str]) -> Bank | None:
            kept = {key: [any_form(text) for text in texts] for key, texts in groups.items() if texts}
            return Bank(kept, patterns) if kept else None

        each_begin = (EACH_BEGIN if setting.agent == "same" else EACH_BEGIN_BARE) if setting.each else []
        self._begin = bank(start=_curt(setting.begin) + each_begin, group=_curt(setting.group))
        self._acts = bank(**{"+": setting.gain, "-": setting.lose, "*": setting.double,
                             "each": EACH_ACTS if setting.each and setting.agent == "same" else []})
        # What comes again must be of a kind that is told by amounts alone.
        self._again = bank(again=AGAIN) if setting.agent != "together" and setting.style != "units" else None
        self._happens = bank(**{"+": setting.gain_full, "-": setting.lose_full, "*": setting.double_full,
                                "each": setting.each})
        general = [*ASK_ANY, *ASK_LEFT, *ASK_STAY, *ASK_SUM, *(ASK_GOT if setting.agent == "same" else [])]
        self._ask = bank(ask=setting.ask + (general if setting.style != "units" else []))

    def read(self, told: list[list[str]], question: str) -> tuple[Ops, str] | None:
        """The chain and the thing of a story split into sentences of clauses, or None."""
        asked = self._only(self._ask, question)
        if asked is None or not told or not told[0]:
            return None
        r = _Reading()
        for i, sentence in enumerate(told):
            for j, clause in enumerate(sentence):
                first = i == j == 0
                if not (self._read_begin(clause, asked, r) if first else self._read_clause(clause, j > 0, r)):
                    return None
        if r.ops[1:] and self._agree(r):
            thing = self._thing(r)
            if thing is not None:
                return r.ops, thing
        return None

    def _only(self, bank: Bank | None, clause: str) -> Match | None:
        """The reading of a clause, or None if there is none or if there are two that mean different things."""
        if bank is None:
            return None
        for text in dict.fromkeys((clause, _END.sub("", clause))):
            found = list(bank.reads(text))
            if found:
                meanings = {(m.key, m.slots.get("n"), m.slots.get("n1"), m.slots.get("n2")) for m in found}
                # Of readings that agree, the one that takes the fewest words for a thing ("buys 5 online").
                named = [sum(len(m.slots[k] or "") for k in m.slots if k.startswith("thing")) for m in found]
                return found[named.index(min(named))] if len(meanings) == 1 else None
        return None

    def _read_begin(self, clause: str, asked: Match, r: _Reading) -> bool:
        match = self._only(self._begin, clause)
        if match is None:
            return False
        if match.key == "group":
            r.ops = [["=", read_number(match.slots["n1"])], ["*", read_number(match.slots["n2"])]]
        else:
            r.ops = [["=", read_number(match.slots["n"])]]
        if subject := match.slots.get("subj"):
            r.main = _norm(subject)
            r.main_acts = True
        # The question may name whom the story only calls "she".
        if not self._note(match, r):
            return False
        r.stated, r.things = r.things, []
        return self._note(asked, r, question=True)

    def _read_clause(self, clause: str, joined: bool, r: _Reading) -> bool:
        found = re.match(rf"([Tt]ogether they|{_SUBJECT})\s+(?:(?:then|also|later|even|now)\s+)?(.+)$", clause)
        subject = _norm(found.group(1)) if found else None
        acts = self._only(self._acts, found.group(2)) if found else None
        # "My sister eats 3" is the subject's own doing if the story is about my sister, else somebody else's.
        happens = None if acts and subject == r.main else self._only(self._happens, clause)
        if happens is not None and happens.key == "each":
            return self._read_each(happens, r)
        if happens is not None:
            r.main_acts = False
            return self._take(happens, r)
        if acts is not None and acts.key == "each":
            return self._subject(subject, r) and self._read_each(acts, r)
        if acts is not None:
            r.main_acts = True
            return self._subject(subject, r) and self._take(acts, r)
        # "Buys 5 more.": who else but the one who has been acting?
        alone = self._only(self._acts, clause) if r.main_acts and (joined or self.setting.agent == "same") else None
        if alone is not None:
            return self._read_each(alone, r) if alone.key == "each" else self._take(alone, r)
        again = next(self._again.reads(clause), None) if self._again else None
        sign = "+" if self.setting.verbs and r.ops[-1][0] == "=" else r.ops[-1][0]
        if again is not None and sign == "-" and not joined and again.slots.get("thing"):
            return False  # "17 broke. Then 9 more chairs.": broke they, or came they?
        return again is not None and sign in "+-" and self._take(again, r, sign)

    def _read_each(self, match: Match, r: _Reading) -> bool:
        if len(r.ops) != 1 or len(r.stated) != 1:
            return False
        box1 = match.slots.get("box1")
        if box1 and box1[:3].lower() != r.stated[0][:3].lower():
            return False
        r.stated = []
        r.ops.append(["*", read_number(match.slots["n"])])
        return self._note(match, r)

    def _take(self, match: Match, r: _Reading, sign: str = "") -> bool:
        r.ops.append([sign or match.key, 2 if match.key == "*" else read_number(match.slots["n"])])
        return self._note(match, r)

    def _subject(self, subject: str, r: _Reading) -> bool:
        """Whether ``subject`` may act here as (or for) the main subject; notes the pronoun it implies."""
        if self.setting.agent == "together":
            return subject in ("they", "together they")
        if self.setting.agent == "any":
            return True
        if subject in _PRONOUNS:
            r.pronouns.add(subject)
            return True
        return subject == r.main

    def _note(self, match: Match, r: _Reading, question: bool = False) -> bool:
        """Collect the things, people and pronouns a clause mentions; False if they cannot belong together."""
        for slot, text in match.slots.items():
            kind = slot.rstrip("0123456789")
            if text is None or kind == "":
                continue
            if kind == "thing":
                r.things.append(text)
            elif kind == "name":
                if text.lower() == r.main or (self.setting.agent == "together" and text.lower() in r.others):
                    return False
                r.others.append(text.lower())
            elif kind == "poss":
                r.pronouns.add(_POSS[text.lower()])
            elif kind == "obj":
                # "Ben gives her 5" or "Ben gives Anna 5": to the main subject, or it is another story.
                if text.lower() in _OBJ:
                    r.pronouns.add(_OBJ[text.lower()])
                elif _norm(text) != r.main:
                    return False
            elif kind in ("verb", "base", "part"):
                r.verbs.add(self._lemma[text.lower()])
            elif question and kind == "who" and not self._asked(_norm(text), r):
                return False
            elif question and kind == "whose":
                owner = text.lower()
                if owner in _POSS:
                    r.pronouns.add(_POSS[owner])
                elif not self._asked(_norm(re.sub("'s?$", "", text)), r, text.endswith("s'")):
                    return False
        return True

    def _asked(self, who: str, r: _Reading, plural: bool = False) -> bool:
        if r.main in ("he", "she", "they", "it") and who not in _PRONOUNS:
            # "How many has Anna if she starts with ...": the name stands in the question alone.
            r.pronouns.add(r.main)
            r.main = who
            return True
        return self._subject(who, r) or (plural and who + "s" == r.main)

    def _agree(self, r: _Reading) -> bool:
        """One subject, one verb, never below zero."""
        if len(r.verbs) > 1 or len(r.ops) > 7 or min(values(r.ops)) < 0 or values(r.ops)[-1] > 999_999:
            return False
        if self.setting.agent != "same" or r.main is None:
            return True
        own = {"i", "we", "you"}
        if r.main in _PRONOUNS:
            return r.pronouns <= {r.main}
        if r.pronouns & own or len(r.pronouns) > 1:
            return False
        gender = _gender(r.main)
        return gender is None or r.pronouns <= {gender}

    def _thing(self, r: _Reading) -> str | None:
        things = [*r.stated, *r.things]
        if not things:
            only = self.setting.things
            return only[0] if len(only) == 1 else None
        best = max(things, key=len).lower()
        alike = all(best in (t.lower(), t.lower() + "s", t.lower() + "es") for t in things)
        return best if alike else None


def _curt(templates: list[str]) -> list[str]:
    """The templates, and what is left of "there are 5 birds on a wire" in a hurry."""
    return [*templates, *(text.removeprefix("there <are> ") for text in templates if text.startswith("there <are> "))]


def _norm(subject: str) -> str:
    return re.sub(r"^(?:the|an?) ", "", subject.lower())


def _gender(main: str) -> str | None:
    if main.capitalize() in SHE or main.split()[-1] in (*SHE_ROLES, "girl"):
        return "she"
    if main.capitalize() in HE or main.split()[-1] in (*HE_ROLES, "boy"):
        return "he"
    return None
