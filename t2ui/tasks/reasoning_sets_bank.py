"""Phrasings of :mod:`t2ui.tasks.reasoning_sets`: how two lists are told and asked about."""

from __future__ import annotations

import re

from t2ui.tasks.grammar import Bank
from t2ui.tasks.reasoning_common import NAME
from t2ui.tasks.reasoning_sets_words import BASE, CONTAINERS, NUMBERED, PAST, PLACES

# Words that follow "the shop" without being part of its name.
_NOT_NOUNS = ("only|also|always|often|sometimes|never|seldom|not|no|nor|neither|has|have|holds|contains|both|is|are|"
              "does|did|there|you|we|but|and|that|who|in|[a-z]+ly|" + "|".join([*BASE, *PAST]))
_THING = r"(?:an?\s+)?(?!and\b|or\b)[a-z]+"
NUMBERED_BOX = rf"(?:{'|'.join(CONTAINERS)}) (?:{'|'.join(NUMBERED)})"
_PATTERNS = {
    # A name, or "the box", "the red box", "drawer one".
    "who": rf"(?:{NAME}|(?-i:[Tt]he [a-z]+(?: (?!(?:{_NOT_NOUNS})\b)[a-z]+)?)|{NUMBERED_BOX})",
    "list": rf"{_THING}(?:\s*,\s*{_THING})*\s*,?\s+and\s+{_THING}",
    "bare": rf"{_THING}(?:\s*,\s*{_THING})+",
    "base": "|".join([*BASE.values(), *(base for base, _ in PAST.values())]),
    "verb": "|".join([*BASE, *PAST]),
    "part": "|".join(part for _, part in PAST.values()),
    "place": "|".join(PLACES),
    "now": "|".join(verb for verb in BASE if verb != "has"),
    "did": "|".join(PAST),
}
FACTS = Bank({
    "has": [
        "{who} has {list}",
        "{who} has {list}",
        "{who} [owns|keeps|brings|carries|takes] {list}",
        "{who} has got {list}",
        "[we know that|it is known that] {who} has {list}",
        "{who} came with {list}",
        "{who} has these things: {list}",
        "{list} [belong to|are with] {who}",
    ],
    # A person's bag and the like: {place}.
    "held": [
        "[in|inside] {who}'s {place} there is {list}",
        "there is {list} in {who}'s {place}",
        "{who}'s {place} [holds|contains|has] {list}",
        "{who} has {list} in the {place}",
        "[in|inside] {who}'s {place} [you find|we find|you see] {list}",
        "{list} are in {who}'s {place}",
    ],
    # "Ann: tea, milk, rice."
    "bare": ["{who}: {bare}", "{who}: {list}", "{who} - {bare}"],
    "now": [
        "{who} {now} {list}",
        "{who} {now} {list}",
        "{who} [often|always|sometimes|usually|also] {now} {list}",
        "[we know that|it is known that|they say that] {who} {now} {list}",
        "[every day|every week|at home|in the summer|on Sundays] {who} {now} {list}",
        "{who} {now} the following: {list}",
    ],
    "did": [
        "{who} {did} {list}",
        "{who} {did} {list}",
        "[yesterday|today|last week|on Monday|on the trip|at first|in town] {who} {did} {list}",
        "{who} {did} {list} [yesterday|today|last week|on Friday|in the morning|on the way home]",
        "[we know that|it is known that|they say that] {who} {did} {list}",
        "{who} {did} these: {list}",
        "{list} were {part} by {who}",
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

_ASKED = {
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
        "what is shared by {who1} and {who2}?",
        "what does {who1} {base} that {who2} {verb} too?",
        "which one do both {base}?",
        "which [thing|one] do {who1} and {who2} both {base}?",
        "which of these does {who1} as well as {who2} {base}?",
        "what is on both lists?",
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
        "what does only {who1} {base}?",
        "what does {who1} {base} but not {who2}?",
        "what does {who1} {base} and {who2} does not?",
        "which of these does {who1} alone {base}?",
        "which one does only {who1} {base}?",
        "which [thing|one] does {who1} {base} that {who2} does not {base}?",
        "what is it that only {who1} {verb}?",
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
        "what does neither of them {base}?",
        "what do they both not {base}?",
        "which one does neither {who1} nor {who2} {base}?",
        "which of these does not stand on any list?",
    ],
}

# Where things are rather than whose: "the red box", "Ann's bag" ({who1}'s {place}).
_ASKED |= {
    "both in": ["[what|which of these|which one|which thing] is in both?", "[what|which of these] is in both of them?",
                "[what|which of these] [is|can be found] in {who1} and also in {who2}?",
                "[what|which of these] is found in both {who1} and {who2}?",
                "[what|which of these] do {who1} and {who2} both [hold|contain]?"],
    "only in": ["[what|which of these|which one|which thing] is only in {who1}?",
                "[what|which of these|which one|which thing] is in {who1} but not in {who2}?",
                "[what|which of these] [is|can be found] only in {who1}?", "[what|which of these] does only {who1} [hold|contain]?",
                "[what|which of these] is in {who1} and not in {who2}?", "[what|which of these] is missing from {who2} but in {who1}?",
                "[what|which of these] is found in {who1} only?"],
    "neither in": ["[what|which of these|which one|which thing] is in neither?", "[what|which of these] is in neither of them?",
                   "[what|which of these] is neither in {who1} nor in {who2}?",
                   "[what|which of these] is not in {who1} and not in {who2}?"],
}
_ASKED |= {
    "both was": ["[what|which of these] was {part} by both?", "[what|which of these] was {part} by both of them?",
                 "[what|which of these] was {part} by {who1} and by {who2}?",
                 "[what|which of these] was {part} by both {who1} and {who2}?"],
    "only was": ["[what|which of these] was {part} only by {who1}?", "[what|which of these] was {part} by {who1} only?",
                 "[what|which of these] was {part} by {who1} but not by {who2}?",
                 "[what|which of these] was only {part} by {who1}?"],
    "neither was": ["[what|which of these] was {part} by neither?", "[what|which of these] was {part} by neither of them?",
                    "[what|which of these] was not {part} by {who1} or {who2}?",
                    "[what|which of these] was {part} neither by {who1} nor by {who2}?"],
}
_ASKED |= {f"{key} held": [text.replace("{who1}", "{who1}'s {place}").replace("{who2}", "{who2}'s {place}")
                           for text in _ASKED[f"{key} in"]] for key in ("both", "only", "neither")}


def _in_the_past(text: str) -> str:
    """ "what do both {base}?" as "what did both {base}?", "say what both {base}" as "say what both {verb}"."""
    told = re.sub(r"\b(?:do|does)\b", "did", text)
    return told if told != text else text.replace("{base}", "{verb}")


_ASKED |= {f"{key} did": [_in_the_past(text) for text in _ASKED[key]] for key in ("both", "only", "neither")}
QUESTIONS = Bank(_ASKED, _PATTERNS)

ANY_INTROS = ("Here is what we know.", "Here is a small puzzle.", "Compare two lists.", "A riddle.", "Consider this.",
               "Read this first.", "Look at these facts.", "Two lists are compared.", "Here are two lists.")
INTROS = {
    "has": ("Compare two sets of things.", "Look at these things.", "Two sets of things are compared.", *ANY_INTROS),
    "likes": ("Two people talk about food.", "Two friends plan a meal.", "Some people like the same food.",
              "It is time for lunch.", *ANY_INTROS),
    "plays": ("Two people talk about games.", "Two friends want to play.", "Some people like the same games.",
              "It is a free day.", *ANY_INTROS),
    "sells": ("Compare what is on sale.", "Someone goes shopping.", "Two places sell things.", "It is market day.", *ANY_INTROS),
    "speaks": ("Two people talk about languages.", "Some people speak many languages.", *ANY_INTROS),
    "bought": ("Two people went shopping.", "It was market day.", "Someone went shopping.", *ANY_INTROS),
    "packed": ("Two friends went on a trip.", "Two people packed for a holiday.", *ANY_INTROS),
}
