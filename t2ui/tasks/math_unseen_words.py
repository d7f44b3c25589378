"""Phrasings of :mod:`t2ui.tasks.math_unseen`: banks of templates that write and read. Data only."""

from __future__ import annotations

from t2ui.tasks.arithmetic import NUMBER
from t2ui.tasks.grammar import Bank

N = {"n": NUMBER, "unit": r"(?:cm|meters|inches|feet|m|units|steps|miles)"}

# -- expressions: 7 + 5 - 3, 4 * 6 + 5, (7 + 5) * 2 ----------------------------------------------------
SIGNS = {"+": ("+", "+", "+", "plus"), "-": ("-", "-", "-", "minus"), "*": ("*", "*", "x", "times")}
ASK_VALUE = Bank([
    "What is {expr}?", "What is {expr}?", "Calculate {expr}.", "Compute {expr}.", "How much is {expr}?", "{expr} = ?",
    "{expr}?", "{expr} =", "What does {expr} make?", "Work out {expr}.", "Find {expr}.", "Find the value of {expr}.",
    "Evaluate {expr}.", "Can you [work out|calculate|compute] {expr}?", "Please [work out|calculate|solve] {expr}.",
    "Give the result of {expr}.", "What do you get for {expr}?", "What is the value of {expr}?",
    "Tell me what {expr} is.", "Solve {expr}.", "What does {expr} equal?", "Solve this: {expr}", "{expr}",
    "What is the result of {expr}?",
], {"expr": r"[-+*()0-9a-z, ]+"})

# -- words for the same: the sum of 7 and 5, minus 3 ---------------------------------------------------
COMBINE = Bank({
    "+": ["the sum of {n1} and {n2}", "the total of {n1} and {n2}"],
    "-": ["the difference between {n1} and {n2}", "the difference of {n1} and {n2}"],
    "*": ["the product of {n1} and {n2}"],
    "++": ["the sum of {n1}, {n2} and {n3}", "the total of {n1}, {n2} and {n3}", "the sum of {n1}, {n2}, and {n3}"],
}, N)
SUFFIX = Bank({
    "": ["{part}"],
    "+": ["{part}, plus {n3}", "{part}, increased by {n3}"],
    "-": ["{part}, minus {n3}", "{part}, less {n3}", "{part}, reduced by {n3}"],
    "*": ["twice {part}", "double {part}", "{part}, times 2", "two times {part}"],
}, {**N, "part": "the .+?"})

# -- steps: start with 12, double it, then take away 5 -------------------------------------------------
START = Bank([
    "start with {n}", "begin with {n}", "take {n}", "take the number {n}", "think of {n}", "think of the number {n}",
    "write down {n}", "start at {n}", "begin at {n}", "start from {n}", "start with the number {n}", "you have {n}",
], N)
STEP = Bank({
    "+": [
        "add {n}", "add {n} to it", "add another {n}", "increase it by {n}", "make it {n} bigger", "go up {n}",
        "count up {n}", "go up by {n}", "put {n} on top",
    ],
    "-": [
        "subtract {n}", "take away {n}", "take {n} away", "remove {n}", "subtract {n} from it", "decrease it by {n}",
        "make it {n} smaller", "go down {n}", "count down {n}", "take off {n}",
    ],
    "*": ["multiply it by {n}", "multiply by {n}", "take it {n} times", "multiply that by {n}"],
    "*2": ["double it", "double the number", "take it twice", "make it twice as big"],
}, N)
RESULT = Bank([
    "What do you get?", "What is the result?", "What number do you get?", "What number is it now?",
    "Where do you end up?", "What do you have [now|in the end]?", "Which number is that?", "What comes out?",
    "What is the final number?", "How much is it [now|]?", "What is the answer?", "Give the result.",
    "Say what you get.", "What is the number in the end?",
])

# -- equations: x - 5 = 12. What is x plus 3? ----------------------------------------------------------
EQUATION_FRAMES = Bank([
    "{eq}. What is {of}?", "If {eq}, what is {of}?", "If {eq}, how much is {of}?", "{eq}. Find {of}.",
    "Suppose {eq}. What is {of}?", "Given that {eq}, find {of}.", "Given {eq}, what is {of}?",
    "We know that {eq}. How much is {of}?", "Here {eq}. Find {of}.", "{eq}. How much is {of}?",
    "What is {of} if {eq}?", "Find {of} if {eq}.",
    "When {eq}, what is {of}?", "Solve {eq}. What is {of}?",
], {"eq": r"[-+=a-z0-9 ]+?", "of": r"[-+*a-z0-9 ]+?"})
EQUATION = Bank({
    "-": ["{v} - {n} = {n9}", "{v} minus {n} is {n9}", "{v} - {n} is {n9}", "{v} minus {n} equals {n9}"],
    "+": ["{v} + {n} = {n9}", "{v} plus {n} is {n9}", "{n} + {v} = {n9}", "{v} plus {n} equals {n9}",
          "{v} + {n} is {n9}"],
}, {**N, "v": "[a-z]"})
OF = Bank({
    "": ["{v}"], "+": ["{v} + {n}", "{v} plus {n}"], "-": ["{v} - {n}", "{v} minus {n}"],
    "*": ["{v} times 2", "twice {v}", "double {v}", "{v} * 2"],
}, {**N, "v": "[a-z]"})

# -- shapes --------------------------------------------------------------------------------------------
FIGURE = "[rectangle|garden|field|room|yard|table|card|pool|carpet]"
SHAPES = Bank({
    "perimeter": [
        f"A {FIGURE} is {{n1}} by {{n2}} {{unit}}. What is its perimeter?",
        f"A {FIGURE} is {{n1}} by {{n2}}; what is its perimeter?",
        "What is the perimeter of a rectangle with sides {n1} and {n2}?",
        f"A {FIGURE} is {{n1}} {{unit}} wide and {{n2}} {{unit}} long. How long is its border?",
        f"How long is a fence around a {FIGURE} of {{n1}} by {{n2}} {{unit}}?",
        "Find the perimeter of a {n1} by {n2} rectangle.",
        f"A {FIGURE} has sides of {{n1}} and {{n2}} {{unit}}. Find the perimeter.",
        f"You walk once around a {FIGURE} of {{n1}} by {{n2}} {{unit}}. How far is that?",
        "A rectangle is {n1} {unit} long and {n2} {unit} wide. What is its perimeter?",
        f"What is the distance around a {FIGURE} of {{n1}} by {{n2}} {{unit}}?",
        "A rectangle measures {n1} by {n2}. Give its perimeter.",
        f"How far is it around a {{n1}} by {{n2}} {FIGURE}?",
    ],
    "triangle": [
        "A triangle has sides {n1}, {n2} and {n3}. What is its perimeter?",
        "A triangle has sides of {n1}, {n2} and {n3} {unit}. What is its perimeter?",
        "What is the perimeter of a triangle with sides {n1}, {n2} and {n3}?",
        "Find the perimeter of a triangle with sides {n1}, {n2} and {n3} {unit}.",
        "The sides of a triangle are {n1}, {n2} and {n3} {unit}. How far is it around?",
        "How long is the border of a triangle with sides {n1}, {n2} and {n3}?",
        "The sides of a triangle are {n1}, {n2} and {n3}. Give its perimeter.",
    ],
    "area": [
        "What is the area of a {n1} by {n2} rectangle?",
        f"A {FIGURE} is {{n1}} by {{n2}} {{unit}}. What is its area?",
        "Find the area of a rectangle with sides {n1} and {n2}.",
        f"A {FIGURE} is {{n1}} {{unit}} wide and {{n2}} {{unit}} long. Find its area.",
        f"How big is the area of a {FIGURE} of {{n1}} by {{n2}} {{unit}}?",
        "A rectangle measures {n1} by {n2}. Give its area.",
        "A grid has {n1} rows of {n2} squares. How many squares is that?",
    ],
    "area+": [
        "A grid has {n1} rows of {n2} squares. Then {n3} squares are added. How many squares are there?",
        "A rectangle is {n1} by {n2}. What is its area plus {n3}?",
        "A wall has {n1} rows of {n2} tiles. {n3} tiles are added. How many tiles are there?",
        "What is the area of a {n1} by {n2} rectangle plus {n3}?",
    ],
    "area-": [
        "A grid has {n1} rows of {n2} squares. {n3} squares are black. How many are not?",
        "A rectangle is {n1} by {n2}. What is its area minus {n3}?",
        "A sheet of {n1} by {n2} squares loses {n3} squares. How many squares are left?",
        "What is the area of a {n1} by {n2} rectangle minus {n3}?",
        "A floor has {n1} rows of {n2} tiles. {n3} tiles are broken. How many tiles are whole?",
    ],
}, N)

# -- ages ----------------------------------------------------------------------------------------------
AGE = Bank(["{name1} is {n}.", "{name1} is {n} years old.", "{name1} is {n} years of age."], N)
OLDER = Bank({
    "+": ["{name1} is {n} years older than {name2}.", "{name1} is older than {name2} by {n} years.",
          "{name1} is {n} years older."],
    "-": ["{name1} is {n} years younger than {name2}.", "{name1} is younger than {name2} by {n} years.",
          "{name1} is {n} years younger."],
    "*": ["{name1} is twice as old as {name2}.", "{name1} is two times as old as {name2}."],
}, N)
HOW_OLD = Bank([
    "How old is {name1}?", "What is the age of {name1}?", "What age is {name1}?", "Find the age of {name1}.",
    "How many years old is {name1}?", "What is {name1}'s age?", "Give the age of {name1}.",
    "Tell me how old {name1} is.",
], N)
