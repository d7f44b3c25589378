"""Settings of the stories in :mod:`t2ui.tasks.math`, third part: places where things are, people's phones and gardens.

Data only; see :mod:`t2ui.tasks.math_words` for the slots.
"""

from __future__ import annotations

from t2ui.tasks.math_words import Setting, split_list

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
            "{gain} <are> brought back", "{name} <buy!> {gain}",
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
