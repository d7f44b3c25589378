"""The sentences of the VisionMath stories: what ties them to the picture, what happens then, what is asked."""

from __future__ import annotations

import re

from t2ui.tasks.grammar import Bank
from t2ui.tasks.vision_common import PATTERNS

BOYS = tuple("Tom Ben Max Leo Sam Paul Carl Jack Finn Noah Adam Oscar Hugo Emil David Felix Luke Peter".split())
GIRLS = tuple("Anna Mia Lena Eva Nora Lucy Kate Ella Rosa Ida Clara Julia Emma Lily Sara Maria Zoe Alice".split())
THINGS = tuple(
    "pens apples books coins cards marbles stamps cookies eggs balls nuts shells beads stickers pencils plums "
    "candles cups flowers toys buttons keys stones pears lemons tickets".split()
)
_BOX = "[box|bag|basket|pack|jar|crate|tray]"
_BOXES = "[boxes|bags|baskets|packs|jars|crates|trays]"
BOX_WORD = re.compile(r"\b(?:box|bag|basket|pack|jar|crate|tray)(?:e?s)?\b", re.IGNORECASE)
_THERE = "[in the picture|in this picture|in the drawing|you see|shown here]"
_PIC = "[in the picture|in this picture|in the drawing|in the image|here]"
_DIGIT = "[the digit in the picture|the digit you see|the number in the picture|the digit shown|the digit here]"

# A name, and not a word that may stand in its place and turn the meaning.
_OWNER = r"(?-i:(?!(?:Nobody|Noone|None|Neither|Everyone|Someone|Each|Every|The|There|He|She|They|It)\b)[A-Z][a-z]+)"

# The sentence that ties the story to the picture. With "x": so many times n.
SETUP = Bank(
    {
        "count x": [
            f"[Each|Every] {{q}} {_THERE} is a {_BOX} of {{n}} {{things}}.",
            f"[Each|Every] {{q}} {_THERE} [stands for|means|is worth|holds|has|hides] {{n}} {{things}}.",
            f"[Each|Every] {{q}} {_THERE} is a {_BOX} with {{n}} {{things}}.",
            f"The {{qs}} {_THERE} are {_BOXES} of {{n}} {{things}} each.",
            f"The {{qs}} {_THERE} are {_BOXES} with {{n}} {{things}} in each.",
            f"There are {{n}} {{things}} [in|behind|under|for] [each|every] {{q}} {_THERE}.",
            f"A {_BOX} of {{n}} {{things}} stands [on|behind|beside] [each|every] {{q}} {_THERE}.",
        ],
        "count x who": [
            f"For [each|every] {{q}} {_THERE}, {{who}} [gets|buys|has|is given|finds] {{n}} {{things}}.",
            f"{{who}} [gets|buys|has|is given|finds] {{n}} {{things}} for [each|every] {{q}} {_THERE}.",
            f"{{who}} [has|buys|owns] a {_BOX} of {{n}} {{things}} for [each|every] {{q}} {_THERE}.",
            f"{{who}} [wins|collects|earns] {{n}} {{things}} with [each|every] {{q}} {_THERE}.",
            f"{{who}} has as many {_BOXES} of {{n}} {{things}} as there are {{qs}} {_PIC}.",
            f"{{who}} [counts|sees] the {{qs}} {_THERE} and gets {{n}} {{things}} for each.",
        ],
        "count": [
            f"There are as many {{things}} as [there are|] {{qs}} {_PIC}.",
            f"[Each|Every] {{q}} {_THERE} [stands for|means|is worth|hides] one of the {{things}}.",
            f"[On the table|In the box|In the bag|In the garden] there are as many {{things}} as {{qs}} {_PIC}.",
        ],
        "count who": [
            f"{{who}} has as many {{things}} as [there are|] {{qs}} {_PIC}.",
            f"{{who}} [buys|gets|owns|starts with] as many {{things}} as there are {{qs}} {_PIC}.",
            f"The number of {{qs}} {_THERE} is the number of {{things}} {{who}} has.",
            f"For [each|every] {{q}} {_THERE}, {{who}} [has|gets|finds|buys] one of the {{things}}.",
        ],
        "digit x": [
            f"{_DIGIT} [says|shows|tells] how many {_BOXES} of {{n}} {{things}} there are.",
            f"There are as many {_BOXES} of {{n}} {{things}} as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {_BOXES}, each with {{n}} {{things}}.",
        ],
        "digit x who": [
            f"{_DIGIT} [says|shows|tells] how many {_BOXES} of {{n}} {{things}} {{who}} has.",
            f"{{who}} has as many {_BOXES} of {{n}} {{things}} as {_DIGIT} [says|shows|tells].",
            f"{{who}} buys {{n}} {{things}} as many times as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {_BOXES} {{who}} has, each with {{n}} {{things}}.",
        ],
        "digit": [
            f"{_DIGIT} [says|shows|tells] how many {{things}} there are.",
            f"There are as many {{things}} as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {{things}} [on the table|in the box|in the bag|in the garden].",
        ],
        "digit who": [
            f"{_DIGIT} [says|shows|tells] how many {{things}} {{who}} has.",
            f"{{who}} has as many {{things}} as {_DIGIT} [says|shows|tells].",
            f"{_DIGIT} is the number of {{things}} {{who}} [has|owns|starts with].",
            f"{{who}} [buys|gets|starts with] as many {{things}} as {_DIGIT} [says|shows|tells].",
        ],
    },
    PATTERNS | {"things": r"(?!more\b)[a-z]+", "who": _OWNER},
)

# What the owner does, without the subject. The things need not be named again: "buys 5 more".
DOES = Bank(
    {
        "+": [
            "[also|] [buys|gets|finds|collects|picks up|wins|takes|makes|earns] {n} {more}",
            "[has|is given|receives|brings|adds] {n} {more}",
            "[also has|also owns|already has|also finds|also buys] {n} [other|] {things}",
            "[gets|buys|takes|receives] {n} {more} from {name}",
        ],
        "-": [
            "[loses|sells|uses up|throws away|gives away|gives back|leaves behind] {n} {some}",
            "[gives|hands|sends|sells|lends] {n} {some} to {name}",
            "[gives|hands|sends|sells|lends] {name} {n} {some}",
            "[has to sell|must give back|has to give away] {n} {some}",
        ],
    },
    {"more": r"more(?:\s+[a-z]+)?", "some": r"of\s+them|[a-z]+|", "things": r"[a-z]+"},
)
# What happens of itself: gains only in stories without an owner, losses in all.
HAPPENS = Bank(
    {
        "+": [
            "{n} more {things} [arrive|are added|are found|are bought|are brought].",
            "someone [adds|brings|buys|finds] {n} more {things}.",
            "there are [also|another] {n} {things} [on the floor|on a shelf|in a drawer|outside|in the cellar].",
            "{name} [also has|also brings|also finds|also owns] {n} {things}.",
            "there are {n} more {things} [on the floor|on a shelf|in a drawer|outside|in the cellar].",
        ],
        "+ them": [
            "{n} more [arrive|are added|are found|are bought|are brought].",
            "someone [adds|brings|buys|finds] {n} more.",
        ],
        "-": [
            "{n} {things} [are lost|are sold|are stolen|are taken away|are given away].",
            "someone [takes|sells|steals|loses] {n} {things}.",
        ],
        "- them": [
            "{n} of them [are lost|are sold|are stolen|are taken away|are given away].",
            "[sadly,|] {n} of them [get lost|are gone].",
            "someone [takes|steals|loses] {n} of them.",
            "{name} [takes|buys] {n} of them.",
        ],
    },
    {"things": r"(?!more\b|of\b)[a-z]+", "name": _OWNER},
)
_THEN = "[Then|Later|After that|Next|Soon|The next day|In the evening|On the way home]"
_SUBJECT = rf"{_OWNER}|he|she"
FRAMES = Bank(
    {
        "one": ["{subject} {did}.", f"{_THEN} {{subject}} {{did}}.", f"{_THEN}, {{subject}} {{did}}."],
        "two": [
            "{subject} {did1} [, and later|and later|and then|but then|, then|and] {did2}.",
            f"{_THEN} {{subject}} {{did1}} [, and later|and later|and then|, then|and] {{did2}}.",
        ],
        "happens": ["{happens}", f"{_THEN} {{happens}}", f"{_THEN}, {{happens}}"],
    },
    {"subject": _SUBJECT, "did": r".+?", "happens": r".+"},
)
ASK = Bank(
    {
        "": [
            "How many {things} are there [now|in all|altogether|in total|in the end|]?",
            "How many {things} is that [now|in all|altogether|in total|]?",
            "How many {things} [does that make|does this make] [in all|altogether|]?",
            "How many {things} are there [now|in the end], all together?",
            "What is the number of {things} [now|in the end|]?",
            "[Count|Find|Tell me] how many {things} there are [now|in the end|in all].",
        ],
        "who": [
            "How many {things} does {subject} have [now|in all|altogether|in total|in the end|then|]?",
            "How many {things} has {subject} got [now|in all|in the end|]?",
            "[Say|Tell me|Find out] how many {things} {subject} has [now|in all|in the end|].",
            "What is the number of {things} {subject} has [now|in the end|]?",
            "[Now|In the end|At last], how many {things} does {subject} have?",
        ],
    },
    {"things": r"[a-z]+", "subject": _SUBJECT},
)
