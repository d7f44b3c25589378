"""Settings of the stories in :mod:`t2ui.tasks.math`, first part: things, food, travellers, animals, shops.

Data only; see :mod:`t2ui.tasks.math_words` for the slots and :mod:`t2ui.tasks.math_counts`
and its neighbors for the rest.
"""

from __future__ import annotations

import re
from dataclasses import replace

from t2ui.tasks.math_counts import COUNTS
from t2ui.tasks.math_places import PLACES
from t2ui.tasks.math_scenes import SCENES
from t2ui.tasks.math_words import FOODS, TOYS, Setting, split_list

_GROUP = [
    "{subj} <have> {n1} {box} with {n2} {thing} in each", "{subj} <have> {n1} {box} of {n2} {thing} each",
    "{subj} <buy> {n1} {box} of {n2} {thing}", "{subj} <fill> {n1} {box} with {n2} {thing} each",
    "{subj} <put> {n1} {thing} into each of {n2} {box}", "{subj} <get> {n1} {box} with {n2} {thing} each",
    "{subj} <have> {n1} {thing} in each of {n2} {box}", "{subj} <own> {n1} {box} with {n2} {thing} in every one",
    "{subj} <have> {n1} full {box} with {n2} {thing} in each", "{subj} <pack> {n1} {box} with {n2} {thing} in each",
]
_EACH = [
    "each {box1} <hold!> {n} {thing}", "each of them <hold!> {n} {thing}", "every {box1} <have!> {n} {thing} in it",
    "there <are> {n} {thing} in each {box1}", "there <are> {n} {thing} in each of them",
    "each {box1} <have!> {n} {thing} inside",
]
_ASK_HAVE = [
    "how many {thing} <do> {who} have {tail}", "how many {thing} <do> {who} have {tail}",
    "how many {thing} is that [|in the end]", "what is the number of {thing} {who} <have> {tail}",
    "how many <do> {who} have {tail}", "find how many {thing} {who} <have> {tail}",
    "work out how many {thing} {who} <have> {tail}", "tell me how many {thing} {who} <have> {tail}",
    "how many {thing} <are> there {tail}", "how many {thing} <are> left", "how many <are> left",
    "how many {thing} <are> in the {place} {tail}", "how many {thing} <are> still in the {place}",
    "what is the size of {whose} collection {tail}", "what is the total number of {thing}",
    "what is {whose} total number of {thing}",
    "how many {thing} <do> {who} own {tail}", "can you say how many {thing} {who} <have> {tail}",
    "count the {thing} that {who} <have> {tail}", "how many {thing} <do> {who} end up with",
]

_THINGS = [
    # Somebody owns things.
    Setting(
        TOYS, ("person", "person", "person", "i", "my", "job"), "same",
        begin=[
            "{subj} <have> {n} {thing}", "{subj} <have> {n} {thing}", "{subj} <own> {n} {thing}",
            "{subj} <start> with {n} {thing}", "{subj} <start> [the day|out|the week|the morning] with {n} {thing}",
            "{subj} <keep> {n} {thing} in a [box|bag|drawer|jar|tin|chest|case]", "{subj} <collect> {n} {thing}",
            "{subj} <have> {n} {thing} [at home|in a bag|on the table|in a box|in the garage|on a shelf]",
            "{subj} <have> a [collection|set|pile|box|bag] of {n} {thing}",
            "{subj} <have> {n} {thing} in {poss} [bag|pocket|room|box|drawer]",
            "{subj} <find> {n} {thing} [in the attic|in the garden|at the beach|in an old box]",
            "{subj} <get> {n} {thing} [as a present|for a birthday|from a friend]",
            "{subj} <buy> {n} {thing} [at the market|in a shop|at the fair|]",
        ],
        group=_GROUP, each=_EACH,
        gain=[
            "<buy> {gain}", "<find> {gain}", "<get> {gain}", "<get> {gain} from {name}", "<receive> {gain}",
            "<receive> {gain} from {name}", "<get> {gain} from {poss} {kin}", "<pick> up {gain}", "<win> {gain}",
            "<win> {gain} [in a game|at the fair|in a quiz|at school]", "<collect> {gain}", "<add> {gain}",
            "<order> {gain}", "<take> home {gain}", "<make> {gain}", "<earn> {gain}", "<gain> {gain}",
            "<borrow> {gain}", "<borrow> {gain} from {name}", "<get> {gain} back", "<pull> out {gain}",
            "<find> {gain} [under the bed|in a drawer|on the way home]", "<buy> {gain} from {name}",
            "<trade> for {gain}", "<collect> {gain} [at school|in the park]", "<put> back {gain}",
            "<bring> home {gain}",
            "<be> given {gain}", "<buy> {gain} [at the market|in a shop|in town|online]",
        ],
        gain_full=[
            "{name} <give!> {obj} {gain}", "{poss} {kin} <give!> {obj} {gain}", "{name} <bring!> {obj} {gain}",
            "{name} <give!> {gain} to {obj}", "{poss} {kin} <give!> {gain} to {obj}",
            "{poss} {kin} <buy!> {obj} {gain}", "{name} <hand!> {obj} {gain}", "{name} <send!> {obj} {gain}",
            "{poss} {kin} <send!> {obj} {gain}", "{poss} {kin} <bring!> {obj} {gain}",
            "{poss} {kin} <buy!> {obj} {gain} for {poss} birthday", "a friend <give!> {obj} {gain}",
            "the teacher <give!> {obj} {gain}",
        ],
        lose=[
            "<give> {loss} to {name}", "<give> {name} {loss}", "<give> away {loss}", "<give> {loss} away",
            "<lose> {loss}", "<give> {loss} to {poss} {kin}", "<sell> {loss}", "<sell> {loss} to {name}",
            "<lend> {loss} to {name}", "<throw> away {loss}", "<trade> away {loss}", "<send> {loss} to {name}",
            "<share> {loss} with {name}", "<leave> {loss} [at school|on the bus|in the park]", "<donate> {loss}",
            "<hand> {loss} to {name}", "<pass> {loss} to {name}", "<break> {loss}",
            "<trade> {loss} away", "<return> {loss}", "<return> {loss} to {name}", "<give> back {loss}",
            "<give> {loss} back", "<hand> out {loss}", "<mail> {loss} to {name}", "<ship> {loss}",
            "<ship> {loss} to {name}",
            "<put> aside {loss}", "<put> {loss} aside", "<hide> {loss}", "<throw> {loss} away", "<burn> {loss}",
            "<use> {loss}", "<let> {name} have {loss}", "<sell> {loss} [online|at the market|at the fair]",
            "<give> {loss} to [charity|a friend|a classmate|the school]", "<take> away {loss}", "<wear> out {loss}",
            "<drop> {loss} [in the river|down a hole|on the way home]", "<use> up {loss}", "<part> with {loss}",
        ],
        lose_full=[
            "{name} <take!> {loss}", "{name} <borrow!> {loss}", "{poss} {kin} <take!> {loss}",
            "{poss} {kin} <borrow!> {loss}", "the dog <run!> off with {loss}",
            "{loss} <are> stolen", "{loss} <are> lost", "{loss} <are> given away", "{loss} <are> sold",
            "{loss} <are> broken", "{loss} <break*>", "{loss} <fall*> off", "{loss} <are> thrown away",
            "a thief <steal!> {loss}", "{name} <steal!> {loss}", "the dog <chew!> up {loss}", "{loss} <get*> lost",
            "{loss} <go*> missing",
        ],
        double=["<double> {poss} collection", 
            "<double> the number of {thing}", "<double> {poss} [collection|number|pile|stock]", "<get> as many again",
            "<end> up with twice as many", "<double> the [number|amount]",
        ],
        double_full=["the number of {thing} <double!>", "the number <double!>"],
        ask=_ASK_HAVE, weight=5),
    # Food is baked, picked and eaten.
    Setting(
        FOODS, ("person", "person", "person", "i", "my", "job"), "same",
        begin=[
            "{subj} <have> {n} {thing}", "{subj} <have> {n} {thing} in a [basket|bowl|bag|box]",
            "{subj} <make> {n} {thing}",
            "{subj} <buy> {n} {thing} [at the market|at the store|for a picnic|for lunch]",
            "{subj} <bring> {n} {thing} to [school|a picnic|a party|work]", "{subj} <start> with {n} {thing}",
            "{subj} <put> {n} {thing} on a [plate|table|tray]", "{subj} <pack> {n} {thing}",
            "{subj} <get> {n} {thing} from a [shop|farm|neighbor|friend]",
        ],
        group=[
            *_GROUP, "{subj} <have> {n1} {box} with {n2} {thing} in each",
            "{subj} <make> {n1} {box} of {n2} {thing} each",
        ],
        each=_EACH,
        gain=[
            "<buy> {gain}", "<make> {gain}", "<get> {gain} from {name}", "<get> {gain} from {poss} {kin}",
            "<get> {gain}", "<find> {gain} [at home|in the kitchen|in a bag]", "<bring> {gain}", "<pack> {gain}",
            "<pick> {gain} [in the garden|from a tree|]", "<grow> {gain}", "<collect> {gain}", "<order> {gain}",
            "<carry> in {gain}", "<pull> out {gain}", "<borrow> {gain} from {name}", "<win> {gain}",
            "<prepare> {gain}", "<receive> {gain} from {name}", "<add> {gain}",
            "<pick> up {gain} [at the shop|on the way|]",
        ],
        gain_full=[
            "{name} <give!> {obj} {gain}", "{poss} {kin} <give!> {obj} {gain}", "{name} <bring!> {obj} {gain}",
            "{name} <give!> {gain} to {obj}", "{poss} {kin} <give!> {gain} to {obj}",
            "{poss} {kin} <make!> {obj} {gain}", "{name} <buy!> {obj} {gain}",
        ],
        lose=[
            "<eat> {loss}", "<eat> {loss} for [lunch|breakfast|dinner]", "<give> {loss} to {name}",
            "<give> {name} {loss}", "<share> {loss} with {name}", "<drop> {loss}", "<give> away {loss}",
            "<sell> {loss}", "<throw> away {loss}", "<hand> out {loss}", "<give> {loss} to {poss} {kin}",
            "<eat> {loss} [after school|in the morning|on the way home]", "<use> up {loss}", "<burn> {loss}",
            "<sell> {loss} [at the market|to a friend|]", "<put> aside {loss}", "<put> {loss} aside", "<share> {loss}",
            "<share> {loss} with [a friend|the class|the neighbors]", "<chew> {loss}", "<chop> up {loss}",
            "<lose> {loss}",
            "<cook> {loss} for dinner", "<hand> {loss} out", "<throw> {loss} away", "<donate> {loss}",
            "<serve> {loss}", "<use> {loss} for a [cake|salad|dessert]", "<feed> {loss} to the [pig|horse|goat]",
        ],
        lose_full=[
            "the kids <eat*> {loss}", "{poss} kids <eat*> {loss}", "the children <eat*> {loss}",
            "a friend <eat!> {loss}",
            "the guests <eat*> {loss}", "{poss} friends <eat*> {loss}", "the baby <drop!> {loss}",
            "{name} <eat!> {loss}", "{poss} {kin} <eat!> {loss}", "the dog <eat!> {loss}", "{name} <take!> {loss}",
            "{loss} <are> eaten", "{loss} <are> eaten [for breakfast|at lunch]", "{loss} <are> sold",
            "{loss} <are> burned",
            "{loss} <are> given away", "{loss} <are> thrown away", "{loss} <are> stolen", "the birds <eat*> {loss}",
            "{loss} <are> shared with friends", "{loss} <go*> bad", "{loss} <fall*> on the floor",
        ],
        double=["<double> the number of {thing}", "<make> as many again", "<end> up with twice as many"],
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_HAVE, weight=4),
    # Things lie in a place; anybody may add or take.
    Setting(
        TOYS + FOODS, ("person",), "any",
        begin=[
            "there <are> {n} {thing} [in|inside] a [box|bag|basket|jar|drawer|bowl]",
            "there <are> {n} {thing} on the [table|desk|shelf|floor|tray]",
            "a [box|bag|basket|jar|drawer] <hold!> {n} {thing}",
            "a [box|bag|basket|jar|bowl] <have!> {n} {thing} in it", "{n} {thing} <are> in a [box|bag|basket|jar]",
            "{n} {thing} <lie*> on the [table|desk|floor|bench]", "a [box|jar|bag] <start!> with {n} {thing}",
            "{n} {thing} <are> on [a|the] [shelf|table|desk|tray|bench|counter]",
            "{n} {thing} <are> in [a|the] [basket|box|drawer|cupboard|bowl|fridge|bag]", "{n} {thing}",
            "[a|the] [shelf|cart|tray|cupboard] <hold!> {n} {thing}",
        ],
        each=["{n} {thing} in each {box1}", "{n} {thing} in each of them", "each {box1} <hold!> {n} {thing}",
              "each {box1} <have!> {n} {thing}", "each of them <have!> {n} {thing}", "{n} {thing} [in each|each]",
              "{n} {thing} per {box1}",
              "{n} {thing} [inside|in] every {box1}"],
        group=[
            "there <are> {n1} {box} with {n2} {thing} in each", "there <are> {n1} {box} of {n2} {thing} each",
            "there <are> {n1} {thing} in each of {n2} {box}", "each of {n1} {box} <hold!> {n2} {thing}",
            "{n1} {box} <hold*> {n2} {thing} each", "{n1} {box} <have*> {n2} {thing} each",
            "there <are> {n1} {box} holding {n2} {thing} each", "{n1} {box} with {n2} {thing} each",
            "{n1} {box} of {n2} {thing} each", "{n1} {box} with {n2} {thing} in each",
            "there <are> {n1} rows of {n2} {thing}", "{n1} {thing} <lie*> in each of {n2} {box}",
        ],
        gain=[
            "<put> in {gain}", "<add> {gain}", "<drop> in {gain}", "<bring> {gain}", "<lay> down {gain}",
            "<throw> in {gain}", "<put> {gain} in", "<put> back {gain}", "<put> {gain} back", "<carry> in {gain}",
            "<bring> in {gain}", "<bring> back {gain}", "<place> {gain} there", "<slip> in {gain}",
        ],
        gain_full=["{gain} <are> added", "{gain} <are> put in", "{gain} <are> put back", "{gain} <are> brought",
                   "{gain} <fall*> in",
            "{gain} <are> brought back", "somebody <put!> in {gain}", "{gain} <are> dropped in",
            "somebody <add!> {gain}"],
        lose=[
            "<take> out {loss}", "<take> {loss}", "<remove> {loss}", "<take> away {loss}", "<carry> off {loss}",
            "<pull> out {loss}", "<take> {loss} out", "<take> {loss} away", "<throw> away {loss}", "<use> {loss}",
            "<use> up {loss}", "<sell> {loss}", "<give> away {loss}", "<break> {loss}", "<steal> {loss}",
            "<pick> out {loss}",
            "<hand> out {loss}",
        ],
        lose_full=[
            "{loss} <are> taken off", "{loss} <fall*> off", "{loss} <are> stolen", "{loss} <are> sold",
            "{loss} <are> used",
            "{loss} <are> used up", "{loss} <are> broken", "{loss} <are> given away", "{loss} <are> thrown away",
            "{loss} <go*> missing", "{loss} <are> lost", "{loss} <are> knocked down", "{loss} <roll*> away",
            "{loss} <are> taken out", "{loss} <are> removed", "{loss} <fall*> out", "{loss} <are> taken away",
            "somebody <take!> {loss}",
        ],
        double_full=["the number of {thing} <double!>", "the number <double!>", "the number of {thing} <be!> doubled"],
        ask=[
            "how many {thing} <are> there {tail}", "how many {thing} <are> there {tail}",
            "how many {thing} <are> in the {place} {tail}", "how many <are> there {tail}",
            "find the number of {thing} {tail}", "work out how many {thing} there <are> {tail}",
            "how many {thing} is that [|in the end]", "what is the number of {thing} {tail}",
            "tell me how many {thing} there <are> {tail}", "how many {thing} <do> that make",
            "how many {thing} <are> left", "how many {thing} <are> left in the {place}",
            "how many {thing} can you count [now|]", "how many {thing} [will you|do you|can you] find there",
        ],
        weight=3),
    # Travellers.
    Setting(
        split_list("people, passengers, children, students, tourists, travelers, women, men, sailors, boys, girls"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} on a [bus|train|tram|boat|ferry|plane]",
            "a [bus|train|tram|boat|ferry] <carry!> {n} {thing}",
            "a [bus|train|tram|boat|ferry] <leave!> [the station|the city|the harbor|town] with {n} {thing}",
            "a [bus|train|tram|ferry] <start!> with {n} {thing}", "{n} {thing} <are> on a [bus|train|tram|boat|ferry]",
            "a [bus|train|tram|boat|ferry|plane] <have!> {n} {thing}", "{n} {thing} <ride*> on a [bus|train|tram]",
            "{n} {thing} <sit*> on a [bus|train|tram|boat]",
            "a [bus|train|tram|boat] <have!> {n} {thing} on board", "{n} {thing} <get*> on an empty [bus|train|tram]",
        ],
        group=[
            "a train has {n1} cars with {n2} {thing} in each", "there <are> {n1} boats with {n2} {thing} in each",
            "{n1} cars <carry*> {n2} {thing} each", "there <are> {n1} rows of {n2} {thing} on a [bus|boat|plane]",
        ],
        gain_full=[
            "{gain} <get*> on", "{gain} <step*> on", "{gain} <climb*> on", "{gain} <come*> on board", "{gain} <join*>",
            "{gain} <get*> in",
            "{gain} <get*> on [at the station|at the next stop|]", "{gain} <enter*>", "{gain} <come*> in",
            "the driver <pick!> up {gain}", "{gain} <hop*> on",
        ],
        lose_full=[
            "{loss} <get*> off", "{loss} <leave*>", "{loss} <get*> out", "{loss} <get*> off",
            "{loss} <get*> off [at the station|at the next stop]", "{loss} <step*> off", "{loss} <climb*> off",
            "{loss} <hop*> off",
            "{loss} <go*> home", "the driver <let!> off {loss}",
        ],
        double_full=["the number of {thing} <double!>"],
        leads=("At the first stop,", "At the second stop,", "At the next stop,", "At the market,",
               "In the next town,", "At the station,"),
        ask=[
            "how many {thing} <are> on the {place} {tail}", "how many {thing} <are> on the {place} {tail}",
            "how many {thing} <are> on board {tail}", "how many {thing} <are> there {tail}",
            "how many {thing} is that [|in the end]", "find the number of {thing} on the {place} {tail}",
            "how many {thing} <are> still on the {place}", "how many {thing} <stay*> on the {place}",
            "how many <are> on board {tail}", "work out how many {thing} <are> on the {place} {tail}",
            "how many {thing} <do> the {place} carry {tail}", "what is the number of {thing} on board {tail}",
            "tell me how many {thing} <are> on the {place} {tail}",
        ],
        weight=2),
    # Animals and guests come and go.
    Setting(
        split_list("birds, ducks, frogs, geese, swans, cats, dogs, sheep, cows, horses, goats, rabbits, bees, ants, "
                   "crows, fish, mice, pigs, hens, deer, guests, kids, visitors, dancers, players, friends, runners, "
                   "wild geese"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} [in a field|by a pond|in a garden|on a farm|in the yard|in a park]",
            "{n} {thing} <are> [in a field|by a lake|in a garden|on a farm|in the park|on a beach]",
            "{n} {thing} <sit*> [by the river|under a tree|in the garden|in the sun|on the grass]",
            "a [garden|park|field|yard] <have!> {n} {thing} in it",
            "{n} {thing} <meet*> [by a lake|in a field|in the park]",
            "there <are> {n} {thing} [here|outside|on the grass|at the lake]",
        ],
        group=[
            "there <are> {n1} groups of {n2} {thing} [in a field|by a pond|in the park|]",
            "{n1} groups of {n2} {thing} <come*> to a [field|pond|park]", "there <are> {n1} rows of {n2} {thing}",
            "each of {n1} [fields|gardens|yards|parks] <have!> {n2} {thing}",
            "there <are> {n1} [barns|sheds|huts|gardens] with {n2} {thing} in each",
        ],
        gain_full=[
            "{gain} <come*>", "{gain} <arrive*>", "{gain} <join*> them", "{gain} <come*> [along|over|in|out]",
            "{gain} <show*> up", "{gain} <appear*>", "{gain} <run*> in", "{gain} <walk*> in", "{gain} <enter*>",
            "{gain} <move*> in",
            "{gain} <are> let in", "{gain} <come*> back", "{gain} <turn*> up",
        ],
        lose_full=[
            "{loss} <leave*>", "{loss} <go*> away", "{loss} <run*> away", "{loss} <go*> home", "{loss} <walk*> off",
            "{loss} <move*> out", "{loss} <walk*> away", "{loss} <leave*> early",
           
            "{loss} <go*> off", "{loss} <wander*> off", "{loss} <disappear*>",
        ],
        double_full=["the number of {thing} <double!>", "their number <double!>"],
        ask=[
            "how many {thing} <are> there {tail}", "how many {thing} <are> there {tail}",
            "how many {thing} <stay*> [|in the end|at the end]", "how many {thing} is that [|in the end]",
            "how many <are> there {tail}", "how many {thing} <are> [here|there|in the group]",
            "how many {thing} <are> [left|still there]",
            "find the number of {thing} {tail}", "work out how many {thing} there <are> {tail}",
            "how many {thing} can you see [now|in the end|]", "what is the number of {thing} {tail}",
            "tell me how many {thing} there <are> {tail}", "how many {thing} <remain*> [|in the end|at the end]",
        ],
        weight=3),
    # A shop or a library has a stock.
    Setting(
        split_list("hats, books, lamps, bikes, shirts, toys, shoes, chairs, radios, clocks, phones, plants, roses, "
                   "tickets, cakes, coats, scarves, mugs, games, maps, skirts, guitars, umbrellas, wooden chairs"),
        ("shop",), "same",
        begin=[
            "{subj} <have> {n} {thing}", "{subj} <have> {n} {thing} in stock",
            "{subj} <start> the [day|week|month] with {n} {thing}", "{subj} <open> with {n} {thing}",
            "{subj} <own> {n} {thing}", "{subj} <start> with {n} {thing}",
            "{subj} <have> {n} {thing} on the shelves",
        ],
        group=[
            "{subj} <have> {n1} {box} with {n2} {thing} in each", "{subj} <get> {n1} {box} of {n2} {thing}",
            "{subj} <have> {n1} shelves with {n2} {thing} on each", "{subj} <have> {n1} rows of {n2} {thing}",
        ],
        each=_EACH,
        gain=[
            "<buy> {gain}", "<get> {gain}", "<order> {gain}", "<receive> {gain}",
            "<get> {gain} from [a factory|a dealer|another town]", "<get> back {gain}", "<add> {gain}",
            "<take> in {gain}", "<get> in {gain}", "<collect> {gain}", "<borrow> {gain} from a [friend|museum|school]",
            "<unpack> {gain}",
        ],
        gain_full=["a truck <bring!> {gain}", "{gain} <are> delivered", "{gain} <are> returned",
                   "{gain} <are> put back",
            "{gain} <are> added", "{gain} <arrive*>", "{gain} <come*> in", "a customer <return!> {gain}"],
        lose=[
            "<sell> {loss}", "<sell> {loss} [on sale|to a school|to a tourist|online]", "<lend> out {loss}",
            "<give> away {loss}", "<lose> {loss} in a fire", "<send> away {loss}", "<throw> out {loss}",
            "<ship> {loss}", "<mail> {loss}", "<return> {loss}", "<donate> {loss}", "<hand> out {loss}",
            "<throw> away {loss}", "<send> back {loss}", "<use> up {loss}", "<break> {loss}", "<put> aside {loss}",
        ],
        lose_full=[
            "a customer <buy!> {loss}", "{name} <buy!> {loss}", "{loss} <are> sold", "{loss} <are> stolen",
            "{loss} <are> broken", "{loss} <are> shipped", "{loss} <burn*>",
            "{loss} <are> given away", "{loss} <are> lent out", "{loss} <are> sent away", "{loss} <are> bought",
            "{loss} <are> thrown away", "{loss} <are> taken off the shelves", "{loss} <go*> missing",
            "a thief <steal!> {loss}",
        ],
        double=["<double> the number of {thing}", "<double> {poss} stock"],
        ask=[
            "how many {thing} <do> {who} have {tail}", "how many {thing} <do> {who} have {tail}",
            "how many {thing} <are> there {tail}", "how many {thing} <are> in stock {tail}",
            "how many {thing} is that [|in the end]", "find how many {thing} {who} <have> {tail}",
            "what is the number of {thing} {tail}", "how many {thing} <are> in {who} {tail}",
            "how many <do> {who} have {tail}", "work out how many {thing} {who} <have> {tail}",
            "tell me how many {thing} {who} <have> {tail}", "how many {thing} <remain*> [|in the end|at the end]",
        ],
        weight=2),
]

SETTINGS = [*_THINGS, *COUNTS, *PLACES, *SCENES]

# Clauses that fit only what they were written for: nobody eats a stamp or deletes an apple.
_BOUND = re.compile(
    r"<(?:eat|cook|chew|chop|feed|serve|prepare|grow|burn|pay|save|spend|earn|be|score|lay|bake|pop|let|blow|tear|"
    r"delete|fry|boil|crack|hammer|bend|sew|waste|harvest|dig|release|freeze|unlock|bet|print|cut|kick|hit|rip|forget|"
    r"load|download|clear|hang|sew|knit|mail|ship|pack|double|make|finish|plant|catch|read|write|drink|fill|paint|pull|"
    r"pick|order|trade|gain|sign|carry|end|hammer|unlock|charge|take)[*!]?>"
    r"|eaten|burn|bad|floor|money|cost|salad|dog|bird|wind|melt|spoil|fly|burst|float|fall|break|made|ruined|blow|come|"
    r"arrive|join|game|fine|paid|spent|mail|level|round|bonus|penalty|fish|shop|table|shelf|kitchen|garden|phone|"
    r"school|class|library|roof|store|grass|net|oven|door|sofa|toolbox|cave|trap|coach|rides|guests|net|rotten|bent|"
    r"baby|family|puppy|pirate|dragon|monster|wizard|mouse|mice|squirrel|deer|gull|escape|slip|jump|land|roll|ripped|"
    r"kids|children|son\b|daughter|wash|accident|borrows|soup|teacher|cat |slept|milk|left over|by noon|drawer|"
    r"deleted|> (?:away|up|out)$|taken down|in a week|harbor|wear|remove|> \{loss\} back$|throw> back|leave\*|quit|"
    r"boys|birthday")
_LISTS = ("gain", "gain_full", "lose", "lose_full", "ask")


def _owned(s: Setting) -> bool:
    return s.agent == "same" and not s.verbs and s.style == "things" and s.subjects != ("shop",)


_DONORS = [s for s in SETTINGS if _owned(s)]
_POOL = {name: list(dict.fromkeys(text for s in _DONORS for text in getattr(s, name) if not _BOUND.search(text)))
         for name in _LISTS}
_ABSTRACT = ("photos", "followers", "points")


def shared(s: Setting) -> Setting:
    """The setting with the clauses of all that somebody may own: so that what a verb does is learnt apart from the
    thing it is done to. What is no thing to hold (followers, files on a phone) keeps its own."""
    if not _owned(s) or any(thing in s.things[:1] for thing in _ABSTRACT):
        return s
    return replace(s, **{name: _POOL[name] or getattr(s, name) for name in _LISTS})
