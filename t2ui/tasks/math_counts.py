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
            "how many {thing} has {who} {part} {sum}", "how many {thing} [in all|in total|altogether]",
            "what is the total",
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
