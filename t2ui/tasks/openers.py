"""How a function is asked for: openings shared by the code families, and the names that occur in them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from t2ui.tasks.base import Content
from t2ui.tasks.code_words import third
from t2ui.tasks.filters import pick, usable
from t2ui.tasks.grammar import Bank, capital

ARGUMENTS = ["xs", "nums", "values", "numbers", "items", "data", "ns", "vals", "lst", "seq", "points", "scores"]
NAMES = {
    "any": ["f", "g", "solve", "work", "answer", "result", "compute", "calc", "run", "helper", "task", "func"],
    "sum": ["total", "add_up", "sum_of", "get_sum", "sum_up", "total_of", "add_all", "find_sum"],
    "count": ["count", "how_many", "count_all", "get_count", "tally", "number_of", "count_them", "find_count"],
    "list": ["pick", "keep", "select", "collect", "choose", "filtered", "get_list", "pick_out"],
    "sorted": ["ordered", "in_order", "sort_all", "arrange", "line_up", "get_sorted", "rank", "ascending"],
    "max": ["largest", "biggest", "top", "highest", "best", "find_max", "get_max", "greatest"],
    "min": ["smallest", "lowest", "least", "bottom", "find_min", "get_min", "low", "tiniest"],
}

LONGEST = 1000  # characters; longer prompts are not read

# What kinds of argument there are, and how a prompt introduces one.
KINDS = {
    "list": "[a list of numbers|a list|the list]",
    "words": "[a list of words|a list|the list|a list of strings]",
    "number": "[a whole number|a number|the number|an integer]",
}
# Words that open names are made of. Any name may go with any task: a name says nothing about the answer.
_VERBS = """sum count find get pick keep list sort take add make give show select collect choose filter total tally
    compute calc solve check scan gather grab fetch build form drop skip strip clean fix split merge join map fold
    reduce apply turn move shift scale double triple square raise lower boost limit bound test try use read
    load save hold store send pull push draw mark score rate weigh measure order arrange rank line group""".split()
_NOUNS = """evens odds numbers values items squares doubles triples multiples entries elements results points scores
    prices ages temps temperatures steps days weeks hours grades marks votes coins apples books cats dogs birds trees
    cars boxes bags cards games goals teams players levels rooms seats tickets orders sales costs sizes weights heights
    lengths widths depths speeds times dates years counts sums totals parts pieces rows cells bits bytes keys codes
    signs units rests halves thirds tens dozens hundreds fives threes fours sixes sevens eights nines twos ones
    zeros positives negatives leftovers winners losers picks hits leaves stones waves stars words names""".split()
_ADJECTIVES = """even odd big small large little high low positive negative good bad long short top best first last
    good old new hot cold warm fast slow heavy light tall deep wide rare plain fine great tiny huge early late rich
    poor safe strict exact near far clean dark bright lucky happy whole half double single extra rising sorted max
    min biggest smallest highest lowest largest least most greatest""".split()
_NUMBER_WORDS = """one two three four five six seven eight nine ten eleven twelve twenty thirty fifty hundred
    zero dozen""".split()
_LINKS = ["of", "by", "in", "with", "from", "above", "below", "over", "under", "and", "for", "to"]
_SHORT = """sde cnt avg mx mn sm tot acc res cmp flt sq dbl nb num val evn od pos neg srt lst mult div rem fn fnc
    calc agg qty mxe mne soe coe sqs lim thr hi lo sel flt2 tmp aux proc op hlp ans out s2 f1 f2 g2 h1 q3 p1 task1
    ex1 ex2 q1 part1 sol my_f foo bar baz qux""".split()
_SYLLABLES = [a + b for a in "b br d dr f g gl h j k kl l m n p pl r s st t tr v w z".split() for b in "aeiou"]
_OPEN = {"compound": 0.32, "camel": 0.1, "pair": 0.22, "short": 0.1, "random": 0.14, "letter": 0.04, "word": 0.08}
# Words that stand at the head or the end of a name and say what a function might do: at_least_five, plus_three.
_HEADS = """at to is has all any not no only just my our the a do go be on up by from with within without more less fewer
    over under above below between around near after before until at_least at_most no_more plus minus times into
    size length form part whole rest end start begin first last next new old best worst main extra quick easy simple
    clever magic secret lazy tiny mega super auto dyn re un non pre post sub multi mini max min avg mean median
    sum_of count_of list_of how_many how_much which what where who if then else range step grow shrink push pop peek
    clip cap floor ceil round negate invert reverse flip mirror rotate spin jump skip hop slide stretch squeeze
    polish grind bake cook brew mix stir pour fill empty pack wrap ship mail post_all call ask tell answer reply report
    print_all say sing play win lose draw_all race chase hunt trace track guard watch see look seek hide sneak""".split()

# What arguments may be called besides, by what they are.
_OPEN_ARGUMENTS = {
    "list": """a arr temps temperatures prices ages scores grades marks list_a list_b my_list my_numbers mylist the_list
        values2 input_list inp nums2 numbers2 xs2 ys zs v vs array arr2 heights weights lengths sizes counts years days
        hours votes coins steps sales costs goals levels points2 amounts readings speeds distances times orders entries
        elements series sequence sample samples row column col line bag box pool stack queue records results in_list
        number_list num_list int_list integers ints digits ids keys codes stock cards dice rolls measures
        lista listB myNumbers numList intList l0 a1 a2 t p q r s u z k m b c d e f g h j""".split(),
    "words": """a b s t ss strs string_list word_list my_words wordlist words2 my_list list_a names2 animals cities
        fruits colors tags labels titles lines tokens2 parts keys users friends people countries towns plants birds
        foods pets books songs files codes texts2 lst arr xs ys data values vocabulary lexicon terms2 entries
        wordList myWords inputs strings2 nouns verbs""".split(),
    "number": """a b c d k p q r t u x y z num number value max_n n1 n2 n_max upper bound upper_bound border maximum
        size length count amount total goal target steps days years num2 val big high final until nn hi ceiling
        last_number maxN upTo myNumber top_number""".split(),
}
# A word of the prompts' own grammar would make them hard to read.
_REFUSED = frozenset(
    """the and all are one ones even odd not than that which each every any them only both also to from in of is it
    at most least up with but or being by for numbers_in python function""".split()
)


def _known_or_open(rng: random.Random, known: Sequence[str]) -> str | None:
    return rng.choice(known) if rng.random() < 0.2 else None


def _compound(rng: random.Random) -> list[str]:
    """The parts of a name: sum, even; squares, of, small, odds; max, mult4."""

    def noun() -> str:
        if rng.random() < 0.15:
            return rng.choice(["mult", "div", "over", "top", "first", "by"]) + str(rng.randint(2, 12))
        return rng.choice(_NOUNS)

    adjective, verb = rng.choice(_ADJECTIVES), rng.choice(_VERBS)
    count = rng.choice(_NUMBER_WORDS)
    forms = [[verb, noun()], [verb, adjective], [noun(), adjective], [adjective, noun()], [adjective, count]]
    forms += [[verb, adjective, noun()], [noun(), "of", adjective, noun()], [noun(), rng.choice(_LINKS), noun()]]
    forms += [[verb, "by", count], [noun(), rng.choice(_LINKS), count], [rng.choice(_SHORT), noun()], [verb, noun()]]
    return rng.choice(forms)


def _random_word(rng: random.Random) -> str:
    """Something one can say that means nothing: kelo, bravi, tumo_ra."""
    parts = rng.choices(_SYLLABLES, k=rng.choice([2, 2, 3]))
    parts[-1] += rng.choice(["", "", "", "n", "s", "r", "l", "x"])
    if rng.random() < 0.2:
        parts.insert(rng.randint(1, len(parts) - 1), "_")
    return "".join(parts)


def _open_name(rng: random.Random) -> str:
    style = pick(rng, _OPEN)
    if style == "compound":
        name = "_".join(_compound(rng))
    elif style == "camel":
        first, *rest = _compound(rng)
        name = first + "".join(map(capital, rest))
    elif style == "pair":
        words = [*_VERBS, *_NOUNS, *_ADJECTIVES, *_HEADS]
        tail = rng.choice([*_NUMBER_WORDS, *words, *words[:200]])
        name = f"{rng.choice(_HEADS if rng.random() < 0.5 else words)}_{tail}"
        name = re.sub("_(.)", lambda found: found.group(1).upper(), name) if rng.random() < 0.15 else name
    elif style == "short":
        name = rng.choice(_SHORT)
    elif style == "random":
        name = _random_word(rng)
    elif style == "letter":
        return rng.choice("abcdefghijklmnopqrstuvwxyzFGHPST")
    else:
        name = rng.choice([*_VERBS, *_NOUNS, *_ADJECTIVES, *_HEADS])
    return name + (str(rng.randint(1, 20)) if rng.random() < 0.08 and not name[-1].isdigit() else "")


def _fits(name: str, avoid: str = "") -> bool:
    return usable(name) and len(name) <= 20 and name.lower() not in _REFUSED and name != avoid


def draw_name(rng: random.Random, aggregate: str) -> str:
    """A name for a function: of the usual ones in a fifth of the cases, else an open one that only the prompt tells.

    The usual ones fit the aggregate for the most part, but a function called "biggest" may also return a sum.
    """
    if rng.random() < 0.2:
        aggregate = rng.choice(list(NAMES))
    while not _fits(name := _known_or_open(rng, NAMES[aggregate] + NAMES["any"]) or _open_name(rng)):
        pass
    return name


def draw_argument(rng: random.Random, kind: str = "list", *, known: Sequence[str] = ARGUMENTS, avoid: str = "") -> str:
    """A name for an argument of a kind of :data:`KINDS`: a known one in a fifth of the cases, else an open one.

    Args:
        avoid: the function's name.
    """

    def other() -> str:
        draw = rng.random()
        if draw < 0.6:
            return rng.choice(_OPEN_ARGUMENTS[kind])
        if draw < 0.82:
            return _random_word(rng)
        if kind == "number":
            return rng.choice(_ADJECTIVES + _NUMBER_WORDS) + rng.choice(["", "_n", "_number", str(rng.randint(1, 9))])
        noun = rng.choice(_NOUNS)
        return noun if draw < 0.9 else f"{rng.choice(_ADJECTIVES)}_{noun}" if draw < 0.96 else f"{noun}_list"

    while not _fits(name := _known_or_open(rng, known) or other(), avoid):
        pass
    return name


_IDENT = r"[A-Za-z_]\w*"
_SLOTS = {"fn": _IDENT, "arg": _IDENT, "what": r".+", "What": r".+", "steps": r".+", "Steps": r".+"}
_ORDER = "[Write|Please write|Write|Create|Define|Make|Code|Now write]"
_WRITE = _ORDER[:-1] + "|Can you write|Could you write]"
_A = "[a|a Python|a small|a short|the]"
# A choice is read in this order, so the longer of two that begin alike comes first.
_RETURNS = "[returns|gives back|gives|finds|computes|works out|returns]"

# LIST stands for one of KINDS. In turn: a noun phrase for what is returned ...
_WHAT = [
    f"{_WRITE} {_A} function {{fn}}({{arg}}) [that|which] {_RETURNS} {{what}}",
    f"{_WRITE} {_A} function {{fn}}({{arg}}) [to return|to find|to compute|to get|for|returning] {{what}}",
    f"{_WRITE} {_A} function [called|named] {{fn}} that takes LIST {{arg}} and {_RETURNS} {{what}}",
    f"{_WRITE} {{fn}}({{arg}}), [a|a Python|the] function that {_RETURNS} {{what}}",
    f"{_WRITE} {{fn}}({{arg}}) so that it {_RETURNS} {{what}}",
    f"{_WRITE} {{fn}}({{arg}}) [that returns|returning|to return|which gives|to find|to get] {{what}}",
    f"{_ORDER} {_A} function {{fn}}({{arg}}). It [should return|must return|returns|has to return] {{what}}",
    "[I need|I want|We need|Give me|I would like|Show me] [a Python|a] function {fn}({arg}) that " + _RETURNS
    + " {what}",
    "[Implement|Complete|Program|Build|Fill in] [the function|] {fn}({arg}), which " + _RETURNS + " {what}",
    "[Implement|Define|Code|Program] {fn}({arg}) to [return|find|compute|give] {what}",
    "[You have|You get|There is|You are given] LIST {arg}. [Write|Define|Make] {fn}({arg}) "
    "[to return|that returns] {what}",
    "[Given|For] LIST {arg}, [write|define|make] a function {fn}({arg}) that " + _RETURNS + " {what}",
    "{fn}({arg}) [should|must|has to|is to] return {what}. "
    "[Write it in Python|Write it|Write the function|Code it]",
    "The function {fn} takes LIST {arg} and " + _RETURNS + " {what}. [Write it in Python|Write it|Code it]",
    "[How do I write|How would you write|How can I write] a function {fn}({arg}) that " + _RETURNS + " {what}",
    "In Python, [write|define|make] [a function|] {fn}({arg}) that " + _RETURNS + " {what}",
    "[Write|Show] Python code for {fn}({arg}): it " + _RETURNS + " {what}",
    "[My|Our|The] [teacher|boss|friend] wants a function {fn}({arg}) that " + _RETURNS + " {what}",
    "[Let|Make] {fn}({arg}) return {what}",
    # The names apart from what is wanted.
    "{What}. [Call|Name] the function {fn} and its [argument|parameter|input] {arg}",
    "{What}. [The function is called|The function's name is|Its name is] {fn}[,| and] the [argument|parameter] is {arg}",
    "[Return|I need|I would like|Give me|I want] {what}. Function name: {fn}, [parameter|argument]: {arg}",
    "[Return|I need|I would like|Give me|Find|Compute] {what}. [Call it|Name it] {fn}({arg})",
    "{What}, as a [Python|] function [named|called] {fn} with the [argument|parameter] {arg}",
    "{What}, [please|in Python|as code]: {fn}({arg})",
    "[I need|I want|I would like|Give me] {what}, returned by a [Python|] function {fn}({arg})",
    "[Return|Compute|Find] {what} [in|with|using] a [Python|] function {fn}({arg})",
    "Name: {fn}. Argument: {arg}. [It returns|Returns|Result:|Task: return] {what}",
    "Function: {fn}({arg}). [It returns|Returns|Result:] {what}",
    "[The name is|Function name:] {fn}, the argument [is|is called] {arg}. [Return|It should return] {what}",
    f"{_ORDER} {_A} function with the name {{fn}} and the argument {{arg}} that {_RETURNS} {{what}}",
    f"{_ORDER} {_A} function that {_RETURNS} {{what}}. [Call|Name] it {{fn}} and [its|the] [argument|parameter] {{arg}}",
    f"{_ORDER} {_A} function that takes LIST {{arg}} and {_RETURNS} {{what}}. [Call it|Name it|Its name is] {{fn}}",
    f"{_ORDER} {_A} function [called|named] {{fn}}. It takes LIST {{arg}} and {_RETURNS} {{what}}",
    f"{_ORDER} code in Python: a function {{fn}} with one argument, {{arg}}, which {_RETURNS} {{what}}",
    "[Use|Take] the name {fn} [for the function |]and {arg} for [its|the] [argument|parameter]: [return|give] {what}",
    "[Write|Make|Define] a function: name {fn}, [argument|parameter] {arg}. It [returns|should return|gives] {what}",
    "[I want|I need|We want] {fn}({arg}) to [return|give|be] {what}",
    "[When|If] I call {fn}({arg}), [it should return|I want to get|I expect] {what}. [Write it|Write the function|Code it]",
    "[Write|Give|Show] me [a|a Python|the] function {fn}({arg}) [that|which] " + _RETURNS + " {what}",
    "[Write|Give] me {fn}({arg}). It " + _RETURNS + " {what}",
    "{arg} is LIST. [Write|Make|Define] {fn}({arg}) that " + _RETURNS + " {what}",
    "[With|Using] def {fn}({arg}), return {what}",
    # Brief.
    "[Python function|A Python function|Function|In Python, function] {fn}({arg}) - {what}",
    "[function|Python function|a function|Python] {fn}({arg}): {what}",
    "{fn}({arg})[, in Python|, Python|]: {what}",
    "{fn}({arg}) -> {what}",
    "{fn}({arg}) " + _RETURNS + " {what}. [Write it in Python|Write it|Please write it|Code it|Show me the code]",
    "def {fn}({arg}) should [return|give me|give back] {what}. "
    "[Please finish it|Can you complete it|Please complete it|Finish it|Can you finish it]",
    "def {fn}({arg}): [return|# return|# returns|returns] {what}",
    "[Complete|Finish] [this|the function]: def {fn}({arg}) [returns|should return] {what}",
    "[Python|In Python|Task|Exercise|Homework]: {fn}({arg}) [should return|returns|must return|is] {what}",
    "[Please code|Code|Please write|Please implement|Write] {fn}({arg}): {what}",
    "[Write this as|Make this] a [Python|] function {fn}({arg}): {what}",
    # Chatty.
    "I am learning Python. [Show me|Please show me|Write] a function {fn}({arg}) that " + _RETURNS + " {what}",
    "[Let|Say] {fn}({arg}) be a function that " + _RETURNS + " {what}. [Write it|Code it|How does it look]",
    "Let {fn}({arg}) be a function that " + _RETURNS + " {what}",
    "[Could|Can] you write a function called {fn} for my homework? It takes LIST, {arg}, and " + _RETURNS + " {what}",
    "[Could you|Can you] [show me|give me|make|code] [a|the] function {fn}({arg}) [that|which] " + _RETURNS + " {what}",
    "[What does|How does] a function {fn}({arg}) look that " + _RETURNS + " {what}",
    "What is the [Python|] code [of|for] a function {fn}({arg}) that " + _RETURNS + " {what}",
    "[For|From] LIST {arg} I [need|want] {what}. [Write|Make|Define] {fn}({arg})",
    "I have LIST called {arg} and [want|need] {what}. [Write|Make|Define] [a function|the function|] {fn}({arg})",
    "[Help me write|Help me with|I am stuck with] [a function|the function|] {fn}({arg}). It should return {what}",
    "[Our|The] function {fn}({arg}) is [missing|not there yet]. It [should return|returns|has to return] {what}",
]  # fmt: skip
# ... steps in the third person ("takes the even numbers and returns their sum") ...
_STEPS = [
    f"{_WRITE} {_A} function {{fn}}({{arg}}) [that|which] {{steps}}",
    f"{_WRITE} {{fn}}({{arg}}) so that it {{steps}}",
    f"{_WRITE} {{fn}}({{arg}}), [a|a Python|the] function that {{steps}}",
    f"{_ORDER} {_A} function {{fn}}({{arg}}). It {{steps}}",
    "[I need|I want|We need|Give me|I would like] a function {fn}({arg}) that {steps}",
    "The function {fn}({arg}) {steps}. [Write it in Python|Write it|Code it]",
    "[Implement|Complete|Program|Build] {fn}({arg}), which {steps}",
    "[Given|For] LIST {arg}, write a function {fn}({arg}) that {steps}",
    "[Python function|A Python function|Function] {fn}({arg}) that {steps}",
    "{fn}({arg}) {steps}. [Write it in Python|Write it|Please write it|Code it|Show me the code]",
    "[Could|Can] you write a function called {fn} for my homework? It takes LIST, {arg}, and {steps}",
    f"{_ORDER} {_A} function that {{steps}}. [Call|Name] it {{fn}} and [its|the] [argument|parameter] {{arg}}",
    f"{_ORDER} {_A} function [called|named] {{fn}} that takes LIST {{arg}} and {{steps}}",
    f"{_ORDER} {_A} function [called|named] {{fn}} with the [argument|parameter] {{arg}} that {{steps}}",
    "I am learning Python. [Show me|Please show me|Write] a function {fn}({arg}) that {steps}",
    "Let {fn}({arg}) be a function that {steps}",
    "Name: {fn}. Argument: {arg}. It {steps}",
    "[Could you|Can you] [show me|give me|make|code] a function {fn}({arg}) that {steps}",
]
# ... and steps as orders ("Take the even numbers and return their sum").
_TAKE = [
    f"{_ORDER} {_A} function {{fn}}({{arg}}). It [should|must|has to|needs to] {{steps}}",
    f"{_ORDER} {_A} function {{fn}}({{arg}}). {{Steps}}",
    f"{_WRITE} {_A} function {{fn}}({{arg}}) to {{steps}}",
    f"{_WRITE} {{fn}}({{arg}}) to {{steps}}",
    "{fn}({arg}) [should|must|has to|is to] {steps}. [Write it in Python|Write it|Write the function|Code it]",
    "In {fn}({arg}), {steps}",
    "[Implement|Define|Code|Program] {fn}({arg}): {steps}",
    "[I need|I want] a function {fn}({arg}). It should {steps}",
    "{Steps}. [Do this in|Do that in|Put it in|Write it as|Do it in] a function {fn}({arg})",
    "{Steps}. [Call|Name] the function {fn} and its [argument|parameter] {arg}",
    "{Steps}. Function name: {fn}, [parameter|argument]: {arg}",
    "{Steps}, in a [Python|] function [named|called] {fn} with the [argument|parameter] {arg}",
    "[Function|Python function|Python|Task:] {fn}({arg}): {steps}",
    "def {fn}({arg}): [# |]{steps}",
    "[Please code|Please write|Write] {fn}({arg}): {steps}",
    "[Help me write|I am stuck with] [a function|the function|] {fn}({arg}). It should {steps}",
    "I want to {steps}. [Write|Make|Define] [a function|] {fn}({arg})",
    "[How do I|How can I] {steps} in a function {fn}({arg})",
]
_GREETINGS = ["Hi!", "Hi,", "Hello!", "Hello,", "Hey,", "Hey!", "Hi there!", "Hello there,", "Good morning!",
              "Good evening.", "Please help:", "Please help me:", "Quick question:", "One more:", "Next one:",
              "Next task:", "Ok,", "Okay.", "Now this:", "Question:", "Thanks! Another one:", "A small task:"]  # fmt: skip
_GREETED = re.compile("(?:(?:hi|hello|hey|dear)(?: there| t2ui| you| again)?|good (?:morning|day|afternoon|evening)|"
                      "please help(?: me)?|(?:a )?(?:quick|small) (?:question|task)|one more|next (?:one|task)|okay|ok|"
                      "now this|question|thanks|thank you|another one)[,!:.]+ ", re.IGNORECASE)  # fmt: skip
_BANKS = {
    kind: {
        form: Bank([text.replace("LIST", words) for text in texts], _SLOTS)
        for form, texts in (("what", _WHAT), ("steps", _STEPS), ("take", _TAKE))
    }
    for kind, words in KINDS.items()
}


def write_opener(kind: str, rng: random.Random, content: Content, *, what: str = "", steps: str = "") -> str:
    """A whole prompt: one of the openings round a noun phrase (``what``) or round ``steps`` in the base form."""
    names = {"fn": content["name"], "arg": content["arg"]}
    banks = _BANKS[kind]
    if what:
        text = banks["what"].write(rng, what=what, What=capital(what), **names)
    elif rng.random() < 0.5:
        text = banks["take"].write(rng, steps=steps, Steps=capital(steps), **names)
    else:
        text = banks["steps"].write(rng, steps=third(steps), **names)
    # Only the last sentence says which mark closes it.
    last = re.split(r"[.?] ", text)[-1]
    text += (
        "?"
        if last.startswith(("Can you", "Could you", "How do", "How can", "How would", "What does", "What is the"))
        else "."
    )
    if rng.random() >= 0.06:
        return text
    greeting = rng.choice(_GREETINGS)
    # After a comma or a colon the sentence goes on in lower case, unless it starts with a name.
    if greeting[-1] in ",:" and re.match(r"(?!I |Python|def )[A-Z][a-z]*[ :]", text) and rng.random() < 0.7:
        text = text[0].lower() + text[1:]
    return f"{greeting} {text}"


def read_opener(kind: str, prompt: str) -> Iterator[tuple[str, str, str, str]]:
    """All (function, argument, "what" or "steps", text) that the openings read from a prompt.

    Greetings, closing marks and backticks do not matter. Several readings are possible; most of them fail later.
    """
    if len(prompt) > LONGEST:
        return
    text = " ".join(prompt.replace("`", "").split()).rstrip(" .!?")
    while greeted := _GREETED.match(text):
        text = text[greeted.end() :]
    for form, bank in _BANKS[kind].items():
        for match in bank.reads(text):
            slots = match.slots
            body = slots.get("what") or slots.get("What") or slots.get("steps") or slots.get("Steps") or ""
            yield slots["fn"], slots["arg"], "what" if form == "what" else "steps", body.strip(" .:;,")
