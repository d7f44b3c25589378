"""Words for the stories of :mod:`t2ui.tasks.math`: names, verb forms, who a story is about, what a setting is.

Templates follow :mod:`t2ui.tasks.grammar` with one addition: a verb in angle brackets takes the form
that fits. ``<buy>`` agrees with the story's subject, ``<buy!>`` is third person singular and
``<buy*>`` plural, each in the tense of the story. No template holds a comma or "and": these join clauses.

Slots: ``{n}`` a number, ``{thing}`` what is counted, ``{gain}`` and ``{loss}`` an amount in one of many
wordings ("5 more", "3 of her marbles"), ``{subj}`` the main subject, ``{name}`` somebody else,
``{kin}`` brother, aunt ..., ``{obj}`` / ``{poss}`` the main subject's him / his, ``{who}`` and ``{whose}``
the main subject in the question, ``{tail}`` "now", "in all" ... or nothing.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from t2ui.tasks.arithmetic import FACTORS, Ops


def split_list(text: str) -> tuple[str, ...]:
    """``"pens, toy cars"`` -> ``("pens", "toy cars")``."""
    return tuple(item.strip() for item in text.split(","))


SHE = ("Anna Mia Lucy Sara Emma Lena Nora Julia Clara Maria Rosa Ella Ida Zoe Lily Amy Kate Eva Jane Olga "
       "Grace Ruby Hanna Laura Nina Tara Alice Molly Hannah Sophie Sarah Chloe Ruth Helen Ivy Lisa Linda Susan "
       "Karen Megan Rachel Rebecca Leah Naomi Priya Aisha Fatima Yuki Mei Ingrid Greta Elsa Martha Betty Carol Diana "
       "Fiona Gina Holly Iris Jenny Joan Judy Lola Mary Paula Penny Sally Tina Wendy Sandra Amelia Isabel").split()
HE = ("Ben Tom Carl Max Leo Paul Sam Noah Finn Omar Jack Luis Adam Hugo Ivan Dan Mark Peter Oscar Ravi "
      "Liam David Felix Simon Tim Victor Anton Henry Daniel Oliver George Fred Eric Nick Harry Chris Kevin Brian "
      "Steve James John Robert Michael Lucas Ethan Jacob Josh Matt Ryan Kyle Ahmed Ali Hassan Kenji Diego Pablo Marco "
      "Pedro Anders Lars Emil Otto Fritz Gary Greg Ian Jeff Jim Joe Ken Larry Mike Ned Phil Rob Scott Ted "
      "Walter").split()
KIN = ("brother sister mother father uncle aunt cousin friend teacher neighbor grandmother grandfather "
       "classmate son daughter niece nephew dad mom grandpa grandma wife husband boss coach roommate").split()
SHE_ROLES = ("sister", "mother", "aunt", "grandmother", "daughter", "niece", "mom", "grandma", "wife")
HE_ROLES = ("brother", "father", "uncle", "grandfather", "son", "nephew", "dad", "grandpa", "husband")
JOBS = ("farmer", "teacher", "baker", "gardener", "painter", "sailor", "doctor", "girl", "boy", "student", "nurse",
        "cook", "pilot", "postman", "carpenter", "tailor", "fisherman", "plumber", "coach", "janitor", "librarian",
        "gamer", "collector", "clown", "mechanic", "chef", "tourist", "neighbor", "fan")
SHOPS = ("shop", "store", "market", "warehouse", "supermarket", "library", "bakery", "kiosk", "bookshop", "toyshop",
         "stall", "company", "factory")
TEAMS = ("Lions", "Tigers", "Bears", "Eagles", "Sharks", "Wolves", "Hawks", "Foxes", "Dragons", "Reds", "Blues")
BOXES = ("boxes", "bags", "jars", "baskets", "packets", "bowls", "tins", "crates", "trays", "shelves", "drawers",
         "packs", "cartons", "sacks", "buckets", "cases", "suitcases", "bins")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Openings and endings of sentences, and the places of which a question may ask.
STARTS = ("starting", "beginning")
LEADS = ("Then", "Then,", "Later,", "Later", "After that,", "Next,", "Soon", "A little later,", "Afterwards,")
TIMES = ("In the afternoon,", "The next day,", "In the evening,", "After lunch,", "After a while,", "That night,",
          "By noon", "By evening,", "After an hour,", "Today", "This morning,", "Over the weekend,", "In spring,",
          "In summer,", "Overnight,", "Over the summer,", "In the morning,", *(f"On {day}" for day in DAYS))
ENDS = ("after lunch", "after school", "in the afternoon", "before dinner", "that day", "in the evening",
         "the next day", "overnight", "over the weekend", "this week", "today", *(f"on {day}" for day in DAYS))
PLACES = ("box bag basket jar drawer bowl bus train tram boat ferry plane tank barrel pool pond tub can "
           "room museum hall cinema gym theater classroom cafe library club garden park field yard cage tree lake "
           "school cellar shed kitchen").split()
TOYS = split_list(
    "marbles, stickers, cards, shells, stamps, coins, toys, balloons, buttons, stones, beads, ribbons, candles, pens, "
    "pencils, books, dolls, kites, stars, rings, badges, crayons, postcards, blocks, feathers, keys, cups, hats, "
    "toy cars, red beads, blue pens, gold coins, old books, tennis balls")
FOODS = split_list(
    "cookies, apples, plums, nuts, cakes, muffins, pears, cherries, candies, grapes, sandwiches, rolls, pancakes, "
    "oranges, lemons, carrots, eggs, peaches, berries, waffles, green apples, ginger cookies")
# Before a clause like "each box holds 6 pens"; {thing} is then the boxes.
EACH_BEGIN = [
    "{subj} <have> {n} {thing}", "{subj} <buy> {n} {thing}", "{subj} <get> {n} {thing}", "{subj} <own> {n} {thing}",
]

# The same without a subject, and the boxes' content as somebody's deed.
EACH_BEGIN_BARE = ["{n} {thing}", "{n} {thing}", "there <are> {n} {thing}"]
EACH_ACTS = ["<keep> {n} {thing} in each of them", "<put> {n} {thing} [in|into] each of them",
             "<put> {n} {thing} [in|into] each", "<keep> {n} {thing} on each of them", "<put> {n} {thing} on each"]

# Past forms where the rule (-ed) does not do, as "plain past".
PAST = dict(pair.split() for pair in (
    "are were, begin began, become became, break broke, bring brought, build built, buy bought, catch caught, come "
    "came, cost cost, cut cut, do did, drive drove, drop dropped, eat ate, fall fell, feed fed, find found, fly flew, "
    "get got, give gave, go went, grow grew, have had, hide hid, hold held, hop hopped, keep kept, lay laid, leave "
    "left, lend lent, let let, lie lay, lose lost, make made, meet met, pay paid, put put, read read, rise rose, "
    "run ran, sell sold, send sent, sink sank, sit sat, spend spent, steal stole, step stepped, swim swam, take "
    "took, throw threw, win won, write wrote, drink drank, draw drew, ship shipped, pop popped, trap trapped, chop "
    "chopped, set set, blow blew, dig dug, swap swapped, wear wore, tear tore, knit knitted, slip slipped, "
    "drip dripped, hang hung, burst burst, quit quit, stand stood, shrink shrank, forget forgot, bend bent, "
    "freeze froze, bite bit, ride "
    "rode, see saw, sing sang, feel felt, hit hit, nap napped, plan planned, grab grabbed, shut shut, wrap wrapped, "
    "plug plugged, rip ripped, spot spotted, weed weeded, spill spilled, bake baked, light lit"
).split(", "))

_MARK = re.compile(r"<(\w+)([!*]?)>")


def verb(plain: str, *, third: bool, past: bool) -> str:
    """The form of a verb: ``verb("buy", third=True, past=False) == "buys"``."""
    stem_y = plain.endswith("y") and plain[-2] not in "aeiou"
    if past:
        regular = plain + "d" if plain.endswith("e") else plain[:-1] + "ied" if stem_y else plain + "ed"
        return PAST.get(plain, regular)
    if not third or plain == "are":
        return plain
    if plain == "have":
        return "has"
    return plain[:-1] + "ies" if stem_y else plain + ("es" if plain.endswith(("s", "sh", "ch", "x", "o")) else "s")


@dataclass(frozen=True)
class Cast:
    """Who a story is about: how they are named first and later, and the pronouns that stand for them."""

    first: str
    again: str
    pronoun: str
    obj: str
    poss: str
    third: bool = True

    @property
    def whose(self) -> str:
        return self.poss if self.again == "I" else self.again + ("'" if self.again.endswith("s") else "'s")


def cast(kind: str, rng: random.Random) -> Cast:
    """A subject of a kind: ``person``, ``i``, ``my`` (relative), ``job``, ``team``, ``shop``, ``none``."""
    if kind == "i":
        return Cast("I", "I", "I", "me", "my", third=False)
    if kind == "team":
        name = "the " + rng.choice(TEAMS)
        return Cast(name, name, "they", "them", "their", third=False)
    if kind == "shop":
        name = rng.choice(SHOPS[:5])
        return Cast(f"a {name}", f"the {name}", "it", "it", "its")
    female = rng.random() < 0.5
    she = ("she", "her", "her") if female else ("he", "him", "his")
    if kind == "my":
        role = "my " + rng.choice(SHE_ROLES if female else HE_ROLES)
        return Cast(role, role, *she)
    if kind == "job":
        job = rng.choice([job for job in JOBS if job != ("boy" if female else "girl")])
        return Cast(f"a {job}", f"the {job}", *she)
    # Now and then a name that nobody has: a name must not matter.
    name = made_up(rng) if rng.random() < 0.04 else rng.choice(SHE if female else HE)
    return Cast(name, name, *she)


def made_up(rng: random.Random) -> str:
    """A name of two or three syllables that is in no list."""
    syllables = (rng.choice("bdfgjklmnprstvz") + rng.choice("aeiou") for _ in range(rng.choice((2, 2, 3))))
    return "".join(syllables).capitalize()


def _be(form_of: Cast | None, past: bool, third: bool) -> str:
    if third:
        return "was" if past else "is"
    if form_of is not None and form_of.again == "I":
        return "was" if past else "am"
    return "were" if past else "are"


def conjugate(template: str, who: Cast | None, past: bool) -> str:
    """The template with its verbs in the forms that fit the subject (third person without one)."""
    def form(found: re.Match[str]) -> str:
        plain, mark = found.groups()
        third = mark == "!" or (mark == "" and (who is None or who.third))
        return _be(who, past, third) if plain == "be" else verb(plain, third=third, past=past)

    return _MARK.sub(form, template)


def any_form(template: str) -> str:
    """The template with each verb as a choice of all its forms, for reading."""
    def forms(found: re.Match[str]) -> str:
        plain = found.group(1)
        if plain == "are":
            # In telegraph style it goes: "3 sold", "12 people in a room".
            return "[are|were|is|was|]"
        if plain == "be":
            return "[is|are|am|was|were]"
        options = [plain, verb(plain, third=True, past=False), verb(plain, third=False, past=True)]
        return "[" + "|".join(dict.fromkeys(options)) + "]"

    return _MARK.sub(forms, template)


@dataclass(frozen=True)
class Setting:
    """One kind of story.

    Attributes:
        things: what it counts.
        subjects: who it is about: kinds of subject, see :func:`cast`.
        agent: ``same``: one subject acts throughout; ``any``: anybody may; ``none``: things happen;
            ``together``: each gain is one more person's own amount.
        begin: sentences that state the first number.
        group: sentences that state a product, ``{n1}`` times ``{n2}`` in order of mention.
        each: clauses after an :data:`EACH_BEGIN` about boxes: "each box holds 6 pens".
        gain, lose, double: what the main subject does (written after it).
        gain_full, lose_full, double_full: the same as whole clauses with subjects of their own.
        ask: questions; ``{tail}`` is "now", "in all" and the like.
        verbs: of a log ("reads 12 pages on Monday"), by thing; slots ``{verb}`` and ``{base}``.
        leads: openings of later sentences, beside the general ones.
        style: wording of amounts: ``things`` ("3 of them", "5 new ones"), ``sums`` (no "of them"),
            ``units`` ("by 5 degrees") or ``bare`` ("Ben has 5": "5 more" would compare).
        weight: how often the setting is drawn.
    """

    things: tuple[str, ...]
    subjects: tuple[str, ...]
    agent: str
    begin: list[str]
    ask: list[str]
    group: list[str] = field(default_factory=list)
    each: list[str] = field(default_factory=list)
    gain: list[str] = field(default_factory=list)
    gain_full: list[str] = field(default_factory=list)
    lose: list[str] = field(default_factory=list)
    lose_full: list[str] = field(default_factory=list)
    double: list[str] = field(default_factory=list)
    double_full: list[str] = field(default_factory=list)
    leads: tuple[str, ...] = ()
    verbs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    style: str = "things"
    weight: int = 1

    def fits(self, ops: Ops, thing: str | None = None) -> bool:
        """Whether this setting can tell the chain (about that thing, if given)."""
        if thing is not None and thing not in self.things:
            return False
        ways = {"+": self.gain or self.gain_full, "-": self.lose or self.lose_full,
                "*": self.double or self.double_full}
        grouped = self.grouped(ops)
        for sign, amount in ops[2 if grouped else 1:]:
            if not ways[sign] or (sign == "*" and amount != 2):
                return False
        # Somebody else has to own something before anybody has anything together.
        after = ops[2:] if grouped else ops[1:]
        return self.agent != "together" or bool(after and after[0][0] == "+")

    def grouped(self, ops: Ops) -> bool:
        """Whether the chain can open with a product ("4 boxes of 6 pens")."""
        return bool(self.group or self.each) and ops[1][0] == "*" and ops[0][1] in FACTORS and ops[1][1] in FACTORS
