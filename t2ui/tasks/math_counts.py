"""Settings of the stories in :mod:`t2ui.tasks.math`, second part: money, points, logs, sums, measures.

Data only; see :mod:`t2ui.tasks.math_words` for the slots.
"""

from __future__ import annotations

from t2ui.tasks.math_words import FOODS, TOYS, Setting, split_list

COUNTS = [
    # Money.
    Setting(
        split_list("dollars, euros, coins, cents, pounds, francs, silver coins"),
        ("person", "person", "i", "my", "job"), "same",
        begin=[
            "{subj} <have> {n} {thing}", "{subj} <have> {n} {thing} in a [wallet|purse|piggy bank|pocket|jar]",
            "{subj} <save> {n} {thing}", "{subj} <start> with {n} {thing}",
            "{subj} <get> {n} {thing} [for a birthday|as a gift|]",
            "{subj} <earn> {n} {thing} [on a farm|in a shop|at work|]",
            "{subj} <take> {n} {thing} to the [market|fair|store|zoo]",
        ],
        group=[
            "{subj} <sell> {n1} [books|hats|toys|cakes|pens] for {n2} {thing} each",
            "{subj} <earn> {n1} {thing} a day for {n2} days", "{subj} <work> {n1} hours for {n2} {thing} an hour",
            "{subj} <save> {n1} {thing} a week for {n2} weeks", "{subj} <have> {n1} {box} with {n2} {thing} in each",
        ],
        gain=[
            "<earn> {gain}", "<find> {gain}", "<get> {gain} from {name}", "<get> {gain} from {poss} {kin}",
            "<save> {gain}", "<win> {gain}",
            "<get> {gain} for [washing a car|cutting the grass|helping at home|walking a dog]",
            "<earn> {gain} [at work|in a shop|on a farm]", "<be> paid {gain}", "<borrow> {gain} from {name}",
            "<receive> {gain}",
            "<get> {gain} back", "<make> {gain} [by selling toys|by washing cars]", "<collect> {gain}",
            "<be> given {gain}", "<get> {gain}",
        ],
        gain_full=[
            "{name} <give!> {obj} {gain}", "{poss} {kin} <give!> {obj} {gain}", "{name} <pay!> {obj} {gain}",
            "{name} <give!> {gain} to {obj}",
            "{poss} {kin} <send!> {obj} {gain}",
        ],
        lose=[
            "<spend> {loss}", "<spend> {loss} on [a book|lunch|a toy|a ticket|bread|a present]",
            "<pay> {loss} for [a book|lunch|a toy|a hat|milk]", "<give> {loss} to {name}", "<give> {name} {loss}",
            "<lose> {loss}", "<lend> {loss} to {name}", "<give> {loss} to {poss} {kin}", "<pay> {name} {loss}",
            "<be> fined {loss}", "<pay> {loss}", "<pay> {loss} [as a fine|in rent|in tax]", "<pay> back {loss}",
            "<spend> {loss} [at the fair|in a shop|online]", "<put> aside {loss}", "<give> back {loss}",
            "<return> {loss}",
            "<give> away {loss}", "<use> {loss}", "<use> up {loss}",
            "<donate> {loss}", "<use> {loss} for [the bus|a snack|a game]",
        ],
        lose_full=[
            "{name} <borrow!> {loss}", "{poss} {kin} <borrow!> {loss}", "a ticket <cost!> {obj} {loss}",
            "a thief <take!> {loss}", "a thief <steal!> {loss}", "{loss} <are> stolen", "{loss} <are> spent",
            "a [book|toy|snack|shirt] <cost!> {loss}",
        ],
        double=["<double> the money", "<double> {poss} money"],
        double_full=["the money <double!>"],
        style="sums",
        ask=[
            "how many {thing} <do> {who} have {tail}", "how many {thing} <do> {who} have {tail}",
            "how much money <do> {who} have {tail}", "how much money is that [|in the end]",
            "how much <do> {who} have {tail}", "how many {thing} is that [|in the end]",
            "how many {thing} <are> there {tail}", "find how many {thing} {who} <have> {tail}",
            "how much money <do> {who} end up with", "tell me how many {thing} {who} <have> {tail}",
            "work out how much money {who} <have> {tail}", "how many {thing} <do> {who} still have",
        ],
        weight=2),
    # Points in a game.
    Setting(
        split_list("points, goals, stars, lives, tokens, medals, gems, bonus points"),
        ("team", "team", "person", "person", "i"), "same",
        begin=[
            "{subj} <have> {n} {thing}", "{subj} <score> {n} {thing}",
            "{subj} <start> [the game|the match|the second half|the day] with {n} {thing}",
            "{subj} <have> {n} {thing} [in a game|at half time|after the first round]", "{subj} <win> {n} {thing}",
            "in a game {subj} <have> {n} {thing}", "in a [match|quiz] {subj} <have> {n} {thing}",
            "{subj} <get> {n} {thing} in the first [round|game|half|level]",
        ],
        group=[
            "{subj} <play> {n1} games with {n2} {thing} in each", "{subj} <win> {n1} games for {n2} {thing} each",
            "{subj} <score> {n1} {thing} in each of {n2} games", "{subj} <get> {n1} {thing} in each of {n2} rounds",
        ],
        gain=[
            "<score> {gain}", "<win> {gain}", "<get> {gain}", "<earn> {gain}", "<gain> {gain}", "<add> {gain}",
            "<win> {gain} in the [next|second|last] [round|game|half|level]", "<get> {gain} as a bonus",
            "<collect> {gain}", "<pick> up {gain}",
        ],
        gain_full=["the referee <give!> {obj} {gain}", "a good [move|shot|play] <bring!> {obj} {gain}"],
        lose=[
            "<lose> {loss}", "<lose> {loss} in the [next|second|last] [round|game|half|level]", "<drop> {loss}",
            "<lose> {loss} for a [foul|mistake|late start]", "<give> up {loss}", "<lose> {loss} as a penalty",
            "<be> fined {loss}", "<use> up {loss}",
            "<spend> {loss}", "<trade> away {loss}",
        ],
        lose_full=["the referee <take!> away {loss}", "a [mistake|foul|penalty] <cost!> {obj} {loss}"],
        double=["<double> the score", "<double> {poss} score", "<double> the number of {thing}"],
        double_full=["the score <double!>"],
        leads=("In the next round,", "In the second half,", "In the next game,", "In the last round,",
               "Before the end,"),
        style="sums",
        ask=[
            "how many {thing} <do> {who} have {tail}", "how many {thing} <do> {who} have {tail}",
            "how many {thing} is that [|in the end]", "what is {whose} score {tail}", "what is {poss} score {tail}",
            "what is the final score",
            "how many {thing} <do> {who} end up with", "how many <do> {who} have {tail}",
            "find how many {thing} {who} <have> {tail}", "how many {thing} <are> there {tail}",
            "tell me how many {thing} {who} <have> {tail}", "work out how many {thing} {who} <have> {tail}",
            "with how many {thing} <do> {who} finish",
        ],
        weight=2),
    # A log: the same thing again and again, summed up.
    Setting(
        split_list("pages, miles, letters, trees, tickets, photos, laps, walls, cookies, fish, songs, "
                   "windows, flowers, poems, eggs"),
        ("person", "person", "i", "my", "job"), "same",
        begin=[
            "{subj} {verb} {n} {thing} on {day}", "{subj} {verb} {n} {thing} on {day}",
            "{subj} {verb} {n} {thing} [in the morning|before lunch|in the first week|at first|in May]",
            "{subj} {verb} {n} {thing}",
        ],
        group=[
            "{subj} {verb} {n1} {thing} a day for {n2} days", "{subj} {verb} {n1} {thing} every day for {n2} days",
            "{subj} {verb} {n1} {thing} a week for {n2} weeks",
        ],
        gain=[
            "{verb} {gain} on {day}", "{verb} {gain} [in the afternoon|after lunch|in the evening|in June|at night]",
            "{verb} {gain}", "{verb} {gain} the next [day|morning|week]",
        ],
        gain_full=[
            "{gain} on {day}", "{gain} [in the afternoon|after lunch|in the evening|at night]",
            "{gain} the next [day|morning|week]",
        ],
        style="sums",
        ask=[
            "how many {thing} <do> {who} {base} {sum}", "how many {thing} <do> {who} {base} {sum}",
            "how many {thing} is that {sum}", "how many {thing} <are> there {sum}", "how many <do> {who} {base} {sum}",
            "what is the total number of {thing}", "find how many {thing} {who} {verb} {sum}",
            "work out how many {thing} {who} {verb} {sum}", "tell me how many {thing} {who} {verb} {sum}",
            "how many {thing} {sum}", "add up the {thing} {who} {verb}", "what total <do> {who} reach",
            "how many {thing} <do> {who} {base} from start to end",
        ],
        verbs={
            "pages": ("read", "write", "print"), "miles": ("walk", "run", "cycle", "drive", "swim"),
            "letters": ("write", "send", "read"), "trees": ("plant", "cut", "count"), "tickets": ("sell", "check"),
            "photos": ("take", "print"), "laps": ("run", "swim", "cycle"), "walls": ("paint", "build"),
            "cookies": ("bake", "sell"), "fish": ("catch", "sell", "count"), "songs": ("learn", "play", "write"),
            "windows": ("clean", "paint", "count"), "flowers": ("plant", "pick", "sell"),
            "poems": ("learn", "write", "read"), "eggs": ("collect", "sell", "paint"),
        },
        weight=2),
    # Several people put together what they have.
    Setting(
        TOYS + FOODS + ("dollars", "euros"), ("person",), "together",
        begin=[
            "{subj} <have> {n} {thing}", "{subj} <own> {n} {thing}", "{subj} <bring> {n} {thing}",
            "{subj} <find> {n} {thing}",
        ],
        group=["{subj} <have> {n1} {box} of {n2} {thing} each", "{subj} <bring> {n1} {box} with {n2} {thing} in each"],
        gain_full=[
            "{name} <have!> {gain}", "{name} <have!> {gain}", "{name} <have!> {gain}", "{name} <own!> {gain}",
            "{name} <get!> {gain}", "{name} <collect!> {gain}",
            "{name} <buy!> {gain}", "{name} <bring!> {gain}", "{name} <find!> {gain}",
            "{poss} {kin} <have!> {gain}",
        ],
        lose=[
            "<give> away {loss}", "<lose> {loss}", "<sell> {loss}", "<give> {loss} away",
            "<use> {loss}", "<use> up {loss}", "<return> {loss}", "<throw> away {loss}", "<trade> away {loss}",
            "<hand> {loss} to a [friend|teacher|child]",
        ],
        style="bare",
        ask=[
            "how many {thing} <do*> they have {joint}", "how many {thing} <do*> they have {joint}",
            "how many {thing} is that {joint}", "how many <do*> they have {joint}",
            "how many {thing} <are> there {joint}", "find how many {thing} they have {joint}",
            "work out how many {thing} they have {joint}", "what is the total number of {thing}",
            "how many {thing} <do*> all of them have {joint}", "tell me how many {thing} they have {joint}",
            "how many {thing} [make up|are in] their pile", "together how many {thing} <do*> they have",
        ],
        weight=2),
    # Levels: degrees, floors, liters, meters.
    Setting(
        ("degrees",), ("none",), "none",
        begin=[
            "it <be!> {n} degrees [in the morning|outside|at sunrise|in town]", "the temperature <be!> {n} degrees",
            "the temperature [in a room|outside|in an oven|at sunrise] <be!> {n} degrees",
            "a room <be!> at {n} degrees", "the water in a [pool|pot|lake] <be!> at {n} degrees",
            "the day <start!> at {n} degrees",
        ],
        gain_full=[
            "it <get!> {gain} warmer", "the temperature <rise!> by {gain}", "the temperature <go!> up by {gain}",
            "it <warm!> up by {gain}", "it <become!> {gain} hotter", "the temperature <climb!> by {gain}",
            "it <get!> {gain} hotter",
        ],
        lose_full=[
            "it <get!> {loss} colder", "the temperature <fall!> by {loss}", "the temperature <go!> down by {loss}",
            "it <cool!> down by {loss}", "the temperature <drop!> by {loss}", "it <get!> {loss} cooler",
            "the temperature <sink!> by {loss}",
        ],
        double_full=["the temperature <double!>"],
        leads=("An hour later", "By noon", "By evening", "At night", "By midnight"),
        style="units",
        ask=[
            "how many degrees is it {tail}", "what is the temperature {tail}", "how warm is it {tail}",
            "how many degrees <be!> it {tail}", "what <be!> the temperature {tail}", "how many degrees is that",
            "find the temperature {tail}", "how hot is it {tail}", "what temperature is it {tail}",
            "tell me the temperature {tail}", "work out the temperature {tail}", "say how warm it is {tail}",
        ],
    ),
    Setting(
        ("floors",), ("none",), "none",
        begin=[
            "a lift <be!> on floor {n}", "an elevator <start!> on floor {n}", "the elevator <be!> at floor {n}",
            "a lift <wait!> on floor {n}", "{name} <get!> into a lift on floor {n}",
            "{name} <take!> a lift on floor {n}",
        ],
        gain_full=[
            "it <go!> up {level}", "it <rise!> {level}", "it <move!> up {level}", "it <climb!> {level}",
            "it <travel!> up {level}",
        ],
        lose_full=[
            "it <go!> down {level}", "it <drop!> {level}", "it <move!> down {level}", "it <sink!> {level}",
            "it <travel!> down {level}",
        ],
        style="units",
        ask=[
            "on [which|what] floor is it {tail}", "which floor is it on {tail}", "what floor is that",
            "at which floor <do!> it stop {tail}", "where is the lift {tail}", "which floor <do!> it reach {tail}",
            "what floor <be!> it on {tail}", "find the floor {tail}", "name the floor it <be!> on {tail}",
            "on which floor <do!> it stop {tail}", "tell me the floor {tail}", "work out the floor {tail}",
            "how high up is the lift {tail}", "to which floor <do!> it come {tail}",
        ],
    ),
    Setting(
        split_list("liters, gallons, buckets, cups"), ("none",), "none",
        begin=[
            "a [tank|barrel|pool|pond|tub] <hold!> {n} {thing} of [water|rain water]",
            "there <are> {n} {thing} of [water|oil|milk|juice] in a [tank|barrel|tub|can]",
            "a [tank|barrel|can] <have!> {n} {thing} of [oil|milk|water|juice] in it",
            "{n} {thing} of [water|milk|oil|juice] <are> in a [tank|barrel|tub]",
        ],
        group=[
            "{n1} [tanks|barrels|cans|tubs] <hold*> {n2} {thing} of [water|oil|milk|juice] each",
            "{n1} {thing} of water <run*> into a tank every hour for {n2} hours",
        ],
        gain_full=[
            "{gain} <flow*> in", "{gain} <are> poured in", "{gain} <are> added", "{gain} <run*> in",
            "{gain} <are> put in",
            "{gain} <are> pumped in", "{name} <pour!> in {gain}",
            "the rain <add!> {gain}",
        ],
        lose_full=[
            "{loss} <flow*> out", "{loss} <are> used", "{loss} <are> used up", "{loss} <are> sold",
            "{loss} <are> taken out", "{loss} <are> pumped out", "{loss} <drip*> out", "{loss} <are> lost",
            "{loss} <leak*> out", "{name} <take!> out {loss}",
            "{loss} <run*> out", "{name} <use!> {loss}",
        ],
        double_full=["the amount <double!>"],
        style="sums",
        ask=[
            "how many {thing} <are> there {tail}", "how many {thing} <are> in the {place} {tail}",
            "how many {thing} is that [|in the end]", "how much is in the {place} {tail}",
            "how many {thing} <do!> the {place} hold {tail}", "find the number of {thing} {tail}",
            "what is the amount {tail}", "how many {thing} <remain*> [|in the end|at the end]",
            "tell me how many {thing} there <are> {tail}", "how many {thing} can you find in the {place}",
            "how many {thing} <are> left", "how many {thing} <are> left in the {place}",
            "work out how many {thing} there <are> {tail}",
        ],
    ),
    Setting(
        split_list("meters, feet, inches, yards"), ("none",), "none",
        begin=[
            "a [rope|ribbon|road|fence|wall|chain] <be!> {n} {thing} long",
            "a [tower|tree|pole|plant] <be!> {n} {thing} [tall|high]",
            "there is a [rope|ribbon|road|fence|wall] of {n} {thing}",
            "a [road|fence|wall|path] <have!> a length of {n} {thing}",
        ],
        group=[
            "a [wall|fence|road|path] <have!> {n1} parts of {n2} {thing} each",
        ],
        gain_full=[
            "it <grow!> by {gain}", "{gain} <are> added", "{name} <add!> {gain}", "it <get!> {gain} longer",
            "workers <add*> {gain}",
        ],
        lose_full=[
            "{loss} <are> cut off", "{loss} <are> taken off", "{loss} <burn*> off", "{name} <cut!> off {loss}",
            "it <lose!> {loss}", "it <get!> {loss} shorter",
            "{name} <remove!> {loss}", "{loss} <break*> off",
        ],
        double_full=["the length <double!>"],
        style="units",
        ask=[
            "how long is it {tail}", "how many {thing} is that [|in the end]", "how many {thing} [long|] is it {tail}",
            "what is the length {tail}", "how many {thing} <are> there {tail}", "find the length {tail}",
            "how many {thing} <remain*> [|in the end|at the end]", "what length is it {tail}",
            "what is the size in {thing} {tail}", "tell me the length {tail}", "work out the length {tail}",
            "how many {thing} <do!> it measure {tail}",
        ],
    ),
]

_ASK_THERE = [
    "how many {thing} <are> there {tail}", "how many {thing} <are> there {tail}", "how many <are> there {tail}",
    "how many {thing} <are> left", "how many <are> left", "how many {thing} is that [|in the end]",
    "find the number of {thing} {tail}", "what is the number of {thing} {tail}",
    "work out how many {thing} there <are> {tail}", "tell me how many {thing} there <are> {tail}",
    "how many {thing} <remain*> [|in the end|at the end]", "how many {thing} can you count [now|]",
    "can you say how many {thing} there <are> {tail}",
]
_ASK_IN = [*_ASK_THERE, "how many {thing} <are> in the {place} {tail}", "how many {thing} <are> in the {place} {tail}",
           "how many {thing} <are> still in the {place}"]
_ASK_HOW = [
    "how many {thing} <do> {who} have {tail}", "how many {thing} <do> {who} have {tail}",
    "how many <do> {who} have {tail}", "what is the number of {thing} {who} <have> {tail}",
    "find how many {thing} {who} <have> {tail}", "work out how many {thing} {who} <have> {tail}",
    "tell me how many {thing} {who} <have> {tail}", "how many {thing} <are> there {tail}",
    "how many {thing} <are> left", "how many {thing} is that [|in the end]", "how many {thing} <do> {who} end up with",
    "how many {thing} <do> {who} still have",
]
_COME_BY_AIR = [
    "{gain} <fly*> in", "{gain} <land*>", "{gain} <land*> there", "{gain} <come*>", "{gain} <arrive*>",
    "{gain} <join*> them", "{gain} <come*> back", "{gain} <fly*> over", "{gain} <join*>",
]
_GO_BY_AIR = [
    "{loss} <fly*> away", "{loss} <fly*> off", "{loss} <leave*>", "{loss} <fly*> away", "{loss} <are> scared away",
    "{loss} <fly*> home", "{loss} <disappear*>", "a cat <scare!> away {loss}",
]

PLACES = [
    # People in a room.
    Setting(
        split_list("people, children, students, visitors, guests, pupils, fans, adults, girls, boys"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} in a [room|museum|hall|cinema|gym|theater|classroom|cafe|library|pool|club]",
            "{n} {thing} <are> in a [room|museum|hall|cinema|gym|theater|classroom|cafe|library|pool]",
            "a [room|museum|hall|cinema|gym|theater|classroom|cafe|club] <have!> {n} {thing} in it",
            "{n} {thing} <sit*> in a [room|hall|cinema|theater|classroom|cafe|library]",
            "{n} {thing} <wait*> in a [room|hall|station|queue|line]",
            "there <are> {n} {thing} at a [party|meeting|concert]", "a [club|school|choir|class] <have!> {n} {thing}",
        ],
        group=[
            "there <are> {n1} [tables|benches] with {n2} {thing} at each",
            "there <are> {n1} rows of {n2} {thing} in a hall",
            "there <are> {n1} [rooms|classes|groups|teams] of {n2} {thing} each",
            "{n1} tables <have*> {n2} {thing} each",
        ],
        gain_full=[
            "{gain} <come*> in", "{gain} <arrive*>", "{gain} <join*>", "{gain} <walk*> in", "{gain} <enter*>",
            "{gain} <come*>", "{gain} <come*> back", "{gain} <come*> late", "{gain} <are> let in", "{gain} <sit*> down",
            "{gain} <join*> them", "{gain} <show*> up", "{gain} <move*> in",
        ],
        lose_full=[
            "{loss} <leave*>", "{loss} <go*> home", "{loss} <go*> out", "{loss} <walk*> out", "{loss} <go*> away",
            "{loss} <leave*> early", "{loss} <get*> up", "{loss} <are> sent home", "{loss} <move*> out", "{loss} <go*>",
        ],
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_IN, weight=3),
    # Birds and the like on a wire.
    Setting(
        split_list("birds, crows, pigeons, sparrows, parrots, gulls, bees, butterflies, swallows, flies, owls"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} on a [wire|branch|roof|fence|wall|tree|bench]",
            "{n} {thing} <sit*> on a [wire|branch|roof|fence|wall|tree]",
            "{n} {thing} <are> on a [wire|branch|roof|fence]",
            "there <are> {n} {thing} in a [tree|garden|cage|nest|field]", "{n} {thing} <are> in a [tree|garden|cage]",
            "a [tree|garden|cage] <have!> {n} {thing} in it", "{n} {thing} <rest*> [on a roof|in a tree]",
        ],
        group=[
            "there <are> {n1} [nests|trees|cages] with {n2} {thing} in each",
            "{n1} {thing} <sit*> on each of {n2} wires",
        ],
        gain_full=[*_COME_BY_AIR, "{gain} <hatch*>", "{gain} <are> born"], lose_full=_GO_BY_AIR,
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_IN[:-3], weight=2),
    # Animals in water.
    Setting(
        split_list("fish, goldfish, turtles, frogs, crabs, ducks, tadpoles, shrimps, snails"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} in a [tank|pond|pool|lake]", "a [tank|pond|lake] <have!> {n} {thing} in it",
            "a [tank|pond|lake] <have!> {n} {thing}", "{n} {thing} <swim*> in a [tank|pond|pool|lake]",
            "{n} {thing} <are> in a [tank|pond|lake]", "{n} {thing} <live*> in a [tank|pond|lake]",
        ],
        group=["there <are> {n1} [tanks|ponds] with {n2} {thing} in each", "{n1} tanks <hold*> {n2} {thing} each"],
        gain_full=[
            "{gain} <hatch*>", "{gain} <are> born", "{gain} <swim*> in", "{gain} <are> added", "{gain} <are> put in",
            "{name} <put!> in {gain}", "{gain} <jump*> in", "{gain} <arrive*>", "{name} <add!> {gain}",
            "{gain} <are> bought",
        ],
        lose_full=[
            "{loss} <swim*> away", "{loss} <die*>", "{loss} <are> caught", "{loss} <are> sold",
            "{name} <catch!> {loss}",
            "{loss} <are> taken out", "{loss} <jump*> out", "{loss} <are> eaten", "{name} <take!> out {loss}",
            "a bird <eat!> {loss}", "{loss} <are> given away", "{loss} <hide*>", "{loss} <leave*>",
        ],
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_IN, weight=2),
    # A farm.
    Setting(
        split_list("hens, sheep, cows, goats, pigs, rabbits, chicks, horses, lambs, geese, mice, puppies, kittens"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} on a farm", "a farm <have!> {n} {thing}", "{n} {thing} <live*> on a farm",
            "there <are> {n} {thing} in a [barn|field|shed|cage|yard|zoo]", "a [zoo|barn|shed] <have!> {n} {thing}",
            "{n} {thing} <stand*> in a [barn|field|yard]",
        ],
        group=["there <are> {n1} [barns|fields|sheds|cages] with {n2} {thing} in each"],
        gain_full=[
            "{gain} <are> born", "{gain} <are> bought", "{gain} <arrive*>", "{gain} <come*> back", "{gain} <come*> in",
            "the farmer <buy!> {gain}", "{gain} <are> brought in", "{gain} <join*> them", "{gain} <are> added",
            "{gain} <move*> in",
        ],
        lose_full=[
            "{loss} <are> sold", "{loss} <run*> away", "{loss} <die*>", "{loss} <escape*>", "the farmer <sell!> {loss}",
            "{loss} <are> given away", "{loss} <are> stolen", "{loss} <walk*> out", "a fox <take!> {loss}",
            "{loss} <go*> out", "{loss} <get*> lost", "{loss} <leave*>",
        ],
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_THERE, weight=2),
    # Vehicles.
    Setting(
        split_list("cars, vans, bikes, taxis, trucks, boats, buses, ships, scooters"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} in a [car park|parking lot|garage|yard|harbor|street]",
            "{n} {thing} <are> in a [car park|garage|yard|parking lot]",
            "a [car park|garage|parking lot] <have!> {n} {thing}",
            "a [car park|garage|parking lot] <have!> {n} {thing} in it",
            "{n} {thing} <stand*> in a [car park|garage|yard]",
            "{n} {thing} <wait*> at a [bridge|light|ferry]",
        ],
        group=["there <are> {n1} rows of {n2} {thing} in a [car park|yard]",
               "{n1} [garages|yards] <hold*> {n2} {thing} each"],
        gain_full=[
            "{gain} <come*> in", "{gain} <arrive*>", "{gain} <enter*>", "{gain} <come*>", "{gain} <come*> back",
            "{gain} <are> parked there", "{gain} <are> brought in", "{gain} <pull*> in", "{gain} <are> returned",
        ],
        lose_full=[
            "{loss} <leave*>", "{loss} <go*> away", "{loss} <go*> out", "{loss} <pull*> out", "{loss} <are> sold",
            "{loss} <are> towed away", "{loss} <are> stolen", "{loss} <break*> down", "{loss} <move*> off",
            "{loss} <are> rented",
        ],
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_THERE, weight=2),
    # Trees and flowers.
    Setting(
        split_list("trees, roses, bushes, tulips, plants, flowers, apple trees, oaks, lilies"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} in a [garden|park|field|yard]", "a [garden|park|field|yard] <have!> {n} {thing}",
            "{n} {thing} <grow*> in a [garden|park|field|yard]", "{n} {thing} <stand*> in a [garden|park|field]",
            "a [garden|park] <have!> {n} {thing} in it",
        ],
        group=["there <are> {n1} rows of {n2} {thing} in a [garden|park|field]",
               "there <are> {n1} {thing} in each of {n2} [gardens|parks]"],
        gain_full=[
            "{gain} <are> planted", "{name} <plant!> {gain}", "{gain} <grow*>", "{gain} <are> added",
            "the gardener <plant!> {gain}", "{gain} <come*> up", "{gain} <are> put in",
        ],
        lose_full=[
            "{loss} <are> cut down", "{loss} <die*>", "{loss} <fall*> in a storm", "{loss} <are> dug up",
            "{loss} <burn*>",
            "{name} <cut!> down {loss}", "a storm <knock!> down {loss}", "{loss} <are> removed", "{loss} <dry*> up",
            "{name} <dig!> up {loss}", "{loss} <are> taken out", "{loss} <are> lost", "{loss} <break*>",
        ],
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_IN, weight=2),
    # Things of a hall, a club, a school.
    Setting(
        split_list("chairs, tables, balls, lamps, plates, books, bottles, tools, benches, bricks, blankets, tents, "
                   "glasses, pictures, paintings, boxes, skis"),
        ("none",), "none",
        begin=[
            "there <are> {n} {thing} in a [hall|room|club|school|cellar|gym|kitchen|shed]",
            "a [club|school|hall|museum|hotel|gym|kitchen] <have!> {n} {thing}",
            "{n} {thing} <stand*> in a [hall|room|cellar]",
            "{n} {thing} <are> in a [hall|room|cellar|shed|gym]", "a [hall|room|club] <have!> {n} {thing} in it",
        ],
        group=[
            "there <are> {n1} rows of {n2} {thing} in a [hall|room|cellar]",
            "there <are> {n1} rooms with {n2} {thing} in each",
            "{n1} rooms <have*> {n2} {thing} each",
        ],
        gain_full=[
            "{gain} <are> brought in", "{gain} <are> added", "{gain} <are> put back", "{gain} <are> bought",
            "{gain} <are> carried in", "{gain} <are> delivered", "{name} <bring!> {gain}", "{name} <carry!> in {gain}",
            "{gain} <arrive*>", "{gain} <are> found", "{name} <put!> back {gain}", "{gain} <are> returned",
            "{gain} <are> borrowed", "{gain} <are> brought back", "{name} <buy!> {gain}",
        ],
        lose_full=[
            "{loss} <are> taken away", "{loss} <are> sold", "{loss} <are> taken off", "{loss} <are> broken",
            "{loss} <break*>",
            "{loss} <are> stolen", "{loss} <are> carried out", "{loss} <are> thrown away", "{loss} <are> lost",
            "{loss} <are> given away", "{name} <take!> away {loss}", "{name} <carry!> out {loss}",
            "{loss} <are> lent out",
            "{loss} <get*> lost", "{name} <sell!> {loss}", "{loss} <fall*> down", "{name} <knock!> down {loss}",
            "{loss} <are> knocked down", "{loss} <burn*>",
        ],
        double_full=["the number of {thing} <double!>"],
        ask=_ASK_IN, weight=3),
    # On a phone.
    Setting(
        split_list("photos, songs, files, games, videos, messages, emails, contacts, pictures, apps, notes"),
        ("person", "person", "i", "my"), "same",
        begin=[
            "{subj} <have> {n} {thing} on {poss} [phone|tablet|computer]",
            "{subj} <have> {n} {thing} on a [phone|computer]",
            "{subj} <have> {n} {thing}", "{subj} <save> {n} {thing} on {poss} [phone|tablet|computer]",
            "{subj} <start> with {n} {thing}", "{subj} <keep> {n} {thing} on a [phone|tablet|computer]",
        ],
        gain=[
            "<add> {gain}", "<get> {gain}", "<save> {gain}", "<receive> {gain}", "<load> {gain}", "<download> {gain}",
            "<get> {gain} from {name}", "<find> {gain}", "<make> {gain}",
        ],
        gain_full=["{name} <send!> {obj} {gain}", "{gain} <are> added", "{gain} <come*> in", "{gain} <arrive*>"],
        lose=[
            "<delete> {loss}", "<delete> {loss}", "<remove> {loss}", "<lose> {loss}", "<take> off {loss}",
            "<clear> {loss}",
            "<throw> away {loss}", "<delete> {loss} by mistake",
        ],
        lose_full=["{loss} <are> deleted", "{loss} <get*> lost", "{loss} <are> lost", "{name} <delete!> {loss}"],
        double=["<double> the number of {thing}"],
        ask=_ASK_HOW, weight=2),
    Setting(
        ("photos", "pictures", "videos"), ("person", "person", "i", "my"), "same",
        begin=["{subj} <have> {n} {thing} on {poss} [phone|camera|tablet]",
               "{subj} <have> {n} {thing} on a [phone|camera]",
               "{subj} <take> {n} {thing}", "{subj} <take> {n} {thing} [at the zoo|on a trip|at a party]"],
        gain=["<take> {gain}", "<take> {gain}", "<take> {gain} [at the zoo|on a trip|at a party]", "<add> {gain}"],
        lose=["<delete> {loss}", "<delete> {loss}", "<lose> {loss}", "<remove> {loss}", "<take> off {loss}"],
        lose_full=["{loss} <are> deleted", "{loss} <are> lost", "{name} <delete!> {loss}"],
        ask=_ASK_HOW, weight=1),
    # Followers and members.
    Setting(
        split_list("followers, members, fans, subscribers, readers, players"),
        ("person", "team", "i", "my"), "same",
        begin=["{subj} <have> {n} {thing}", "{subj} <start> with {n} {thing}",
               "{subj} <have> {n} {thing} [at first|in May]"],
        gain=["<gain> {gain}", "<get> {gain}", "<win> {gain}", "<find> {gain}", "<add> {gain}"],
        gain_full=["{gain} <join*>", "{gain} <come*>", "{gain} <sign*> up", "{gain} <come*> back"],
        lose=["<lose> {loss}", "<lose> {loss} [in a week|in a day]", "<drop> {loss}"],
        lose_full=["{loss} <leave*>", "{loss} <go*> away", "{loss} <quit*>", "{loss} <drop*> out",
                   "{loss} <move*> away"],
        double=["<double> the number of {thing}"],
        ask=_ASK_HOW, weight=1),
    # What somebody makes, and what pops, melts and flies away.
    Setting(
        split_list("balloons, candles, pots, scarves, bracelets, drawings, letters, cards, kites, masks, toys, "
                   "lanterns, snowballs, paper planes, pictures, photos"),
        ("person", "person", "i", "my", "job"), "same",
        begin=[
            "{subj} <have> {n} {thing}", "{subj} <make> {n} {thing}",
            "{subj} <make> {n} {thing} [for a party|at school|]",
            "{subj} <start> with {n} {thing}", "{subj} <hang> up {n} {thing}", "{subj} <put> up {n} {thing}",
        ],
        group=["{subj} <make> {n1} {thing} a day for {n2} days", "{subj} <have> {n1} {box} with {n2} {thing} in each"],
        gain=[
            "<make> {gain}", "<buy> {gain}", "<get> {gain}", "<add> {gain}", "<hang> up {gain}", "<put> up {gain}",
            "<finish> {gain}", "<find> {gain}", "<make> {gain} [in the evening|at home]",
        ],
        gain_full=["{name} <bring!> {obj} {gain}", "{name} <make!> {obj} {gain}", "{gain} <are> added",
                   "{gain} <are> made"],
        lose=[
            "<sell> {loss}", "<mail> {loss}", "<ship> {loss}", "<hand> out {loss}", "<burn> {loss}", "<break> {loss}",
            "<give> away {loss}", "<throw> away {loss}", "<take> down {loss}", "<tear> up {loss}", "<use> up {loss}",
            "<lose> {loss}", "<mail> {loss} to {name}", "<send> {loss} to {name}", "<destroy> {loss}",
        ],
        lose_full=[
            "{loss} <are> sold", "{loss} <break*>", "{loss} <fall*> down", "{loss} <are> given away",
            "{loss} <are> ruined",
            "{loss} <are> mailed", "{loss} <are> handed out", "{loss} <blow*> away", "{loss} <are> taken down",
        ],
        double=["<double> the number of {thing}"], double_full=["the number of {thing} <double!>"],
        ask=_ASK_HOW, weight=2),
    Setting(
        ("balloons", "bubbles", "kites"), ("person", "i", "my"), "same",
        begin=["{subj} <have> {n} {thing}", "{subj} <hold> {n} {thing}", "{subj} <blow> up {n} {thing}",
               "{subj} <start> with {n} {thing}"],
        gain=["<blow> up {gain}", "<get> {gain}", "<buy> {gain}", "<make> {gain}"],
        lose=["<pop> {loss}", "<let> go of {loss}", "<lose> {loss}", "<give> away {loss}"],
        lose_full=["{loss} <pop*>", "{loss} <fly*> away", "{loss} <burst*>", "{loss} <float*> away",
                   "{name} <pop!> {loss}", "the wind <take!> {loss}"],
        ask=_ASK_HOW, weight=1),
    # A garden's fruit, a hen's eggs, cold things.
    Setting(
        split_list("tomatoes, strawberries, eggs, apples, melons, cherries, potatoes, beans, ice cubes, sodas"),
        ("person", "my", "i", "job"), "same",
        begin=["{subj} <have> {n} {thing}", "{subj} <pick> {n} {thing}", "{subj} <collect> {n} {thing}",
               "{subj} <grow> {n} {thing}", "{subj} <have> {n} {thing} in a [basket|bowl|fridge]",
               "{subj} <start> with {n} {thing}"],
        group=["{subj} <pick> {n1} {thing} a day for {n2} days", "{subj} <have> {n1} {box} with {n2} {thing} in each"],
        gain=["<pick> {gain}", "<collect> {gain}", "<buy> {gain}", "<find> {gain}", "<get> {gain}", "<pull> out {gain}",
              "<bring> in {gain}"],
        gain_full=["{name} <bring!> {obj} {gain}", "{name} <pick!> {obj} {gain}", "{gain} <are> added"],
        lose=["<use> {loss}", "<use> up {loss}", "<break> {loss}", "<sell> {loss}", "<give> away {loss}",
              "<drop> {loss}",
              "<throw> away {loss}", "<put> {loss} aside", "<cook> {loss}", "<give> {loss} to {name}"],
        lose_full=["{loss} <go*> bad", "{loss} <break*>", "{loss} <are> sold", "{loss} <are> used",
                   "{loss} <are> eaten",
                   "{loss} <melt*>", "{loss} <spoil*>", "{loss} <are> thrown away", "the birds <take*> {loss}"],
        double=["<double> the number of {thing}"],
        ask=_ASK_HOW, weight=1),
]
