"""Settings of the stories in :mod:`t2ui.tasks.math`, fourth part: everyday scenes, each with verbs of its own.

Data only; see :mod:`t2ui.tasks.math_words` for the slots. No verb here may mean a gain in one scene and a loss in
another (nobody "plants" seeds away or "takes" pills): the reader puts the scenes of one kind together.
"""

from __future__ import annotations

from t2ui.tasks.math_words import Setting, split_list

_WHO = ("person", "person", "i", "my", "job")
_ASK = [
    "how many {thing} <do> {who} have {tail}", "how many {thing} <do> {who} have {tail}",
    "how many <do> {who} have {tail}", "how many {thing} <are> left", "how many {thing} <are> there {tail}",
    "how many {thing} <do> {who} still have", "find how many {thing} {who} <have> {tail}",
    "tell me how many {thing} {who} <have> {tail}", "what is the number of {thing} {who} <have> {tail}",
    "work out how many {thing} {who} <have> {tail}", "how many {thing} <remain*> [|in the end|at the end]",
    "how many {thing} <do> {who} end up with", "how many {thing} is that [|in the end]",
    "how many {thing} <are> left over", "what is the total number of {thing} {who} <have>",
]
_ASK_THERE = [
    "how many {thing} <are> there {tail}", "how many {thing} <are> there {tail}", "how many <are> there {tail}",
    "how many {thing} <are> left", "how many <are> left", "how many {thing} <are> still there",
    "how many {thing} <remain*> [|in the end|at the end]", "what is the number of {thing} {tail}",
    "find the number of {thing} {tail}", "tell me how many {thing} there <are> {tail}",
    "how many {thing} is that [|in the end]", "work out how many {thing} there <are> {tail}",
    "how many {thing} <are> there {tail}", "what is the total number of {thing}",
]
_BOXES = ["{subj} <have> {n1} {box} with {n2} {thing} in each", "{subj} <buy> {n1} {box} of {n2} {thing}",
          "{subj} <have> {n1} {box} with {n2} {thing} each", "{subj} <buy> {n1} {box} of {n2} {thing} each"]
_EACH = ["each {box1} <hold!> {n} {thing}", "each {box1} <have!> {n} {thing}",
"there <are> {n} {thing} in each {box1}"]
_OWN = ["{subj} <have> {n} {thing}", "{subj} <have> {n} {thing}", "{subj} <start> with {n} {thing}",
        "{subj} <begin> with {n} {thing}"]


def _owned(things: str, begin: list[str], gain: list[str], lose: list[str], *, gain_full: tuple[str, ...] = (),
           lose_full: tuple[str, ...] = (), weight: int = 1) -> Setting:
    """Somebody's things in an everyday scene."""
    return Setting(
        split_list(things), _WHO, "same", begin=_OWN + begin, ask=_ASK, group=_BOXES, each=_EACH,
        gain=["<buy> {gain}", "<get> {gain}", "<find> {gain}", *gain], lose=[*lose, *lose],
        gain_full=["{name} <give!> {obj} {gain}", "{poss} {kin} <give!> {obj} {gain}",
                   "{poss} {kin} <bring!> {obj} {gain}", *gain_full],
        lose_full=["{poss} {kin} <take!> {loss}", "{loss} <get*> lost", *lose_full], weight=weight)


def _there(things: str, begin: list[str], gain: list[str], lose: list[str], *, group: tuple[str, ...] = (),
           weight: int = 1) -> Setting:
    """Things, animals or people in a place."""
    return Setting(split_list(things), ("none",), "none", begin=begin, ask=_ASK_THERE, group=list(group),
                   gain_full=gain, lose_full=lose, double_full=["the number of {thing} <double!>"], weight=weight)


SCENES = [
    # Tools and building.
    _owned("nails, screws, bolts, boards, bricks, tiles, planks, hooks, steel nails, wooden boards, pipes, hinges",
           ["{subj} <take> {n} {thing} to [work|the roof|the shed]",
            "{subj} <have> {n} {thing} in a [toolbox|bucket|bag]",
            "{subj} <carry> {n} {thing} in a [toolbox|bucket|bag]"],
           ["<find> {gain} in [a drawer|the shed|the garage]", "<buy> {gain} at the hardware store",
            "<pick> up {gain} from the floor", "<borrow> {gain} from a neighbor"],
           ["<use> {loss} [on the roof|for a shelf|on a fence|for a table|in the kitchen]",
            "<drop> {loss} in the [grass|snow|mud|water]", "<lose> {loss} in the [grass|snow|sand]",
            "<hammer> in {loss}",
            "<break> {loss}", "<use> up {loss}", "<throw> away {loss}", "<waste> {loss}"],
           lose_full=("{loss} <are> broken", "{loss} <fall*> in the river", "{loss} <are> used"),
           weight=2),
    # Sewing and crafts.
    _owned("buttons, needles, spools, pins, patches, zippers, threads, glass beads, wool balls, sequins",
           ["{subj} <keep> {n} {thing} in a [sewing box|tin|jar]",
            "{subj} <have> {n} {thing} in a [sewing box|tin|jar]"],
           ["<find> {gain} in an old [coat|box|tin]", "<cut> off {gain} from an old [coat|shirt]"],
           ["<use> {loss} for a [dress|coat|shirt|doll|bracelet]", "<sew> on {loss}",
            "<lose> {loss} on the [floor|sofa]",
            "<give> {loss} to {poss} {kin}", "<lose> {loss}", "<use> {loss} on a [dress|coat|shirt|hat]",
            "<break> {loss}"],
           lose_full=("{loss} <roll*> under the sofa", "{loss} <are> used for a [dress|coat]", "{loss} <break*>")),
    # Baking.
    _owned("cookies, muffins, rolls, buns, loaves, pies, tarts, cupcakes, bagels, donuts, pancakes, waffles, "
           "brownies, "
           "lemon tarts, cheese rolls",
           ["{subj} <bake> {n} {thing}",
            "{subj} <bake> {n} {thing} [this morning|for a party|for the fair|for school]",
            "{subj} <make> {n} {thing} [for breakfast|for a picnic|]"],
           ["<bake> {gain}", "<bake> {gain}", "<make> {gain}", "<bake> {gain} [in the evening|at home]"],
           ["<sell> {loss}", "<sell> {loss} [at the fair|at the market|at school|in the shop]", "<burn> {loss}",
            "<eat> {loss}", "<give> {loss} to [the neighbors|a friend|the class|the kids|the guests]",
            "<serve> {loss}",
            "<drop> {loss} on the floor"],
           lose_full=("the kids <eat*> {loss}", "the children <eat*> {loss}", "{poss} {kin} <eat!> {loss}",
                      "{poss} kids <eat*> {loss}", "the dog <eat!> {loss}", "the guests <eat*> {loss}",
                      "{loss} <are> eaten", "{loss} <are> sold", "{loss} <are> burned", "a neighbor <buy!> {loss}",
                      "the family <eat!> {loss}", "{loss} <are> sold by noon"), weight=3),
    # Food and drink at home.
    _owned("eggs, bananas, sausages, yogurts, slices, bottles, juices, potatoes, onions, strawberries, nuts, "
           "chocolates, "
           "lollipops, candies, gummy bears, peanuts, raisins, olives, tea bags, sodas",
           ["{subj} <have> {n} {thing} [in the fridge|at home|in a bowl|in a bag|in the kitchen|on a plate]",
            "{subj} <buy> {n} {thing} [at the market|at the store|for a party|]"],
           ["<buy> {gain} [at the store|on the way home|]", "<get> {gain} from a neighbor"],
           ["<eat> {loss}", "<use> {loss} for [breakfast|dinner|a soup|a cake|a salad]",
            "<share> {loss} with [friends|a friend|the kids]", "<eat> {loss} [for breakfast|at lunch|in bed]",
            "<throw> away {loss}", "<drink> {loss}"],
           lose_full=("{poss} {kin} <eat!> {loss}", "{poss} {kin} <use!> {loss}", "the kids <eat*> {loss}",
                      "{poss} son <eat!> {loss}", "{poss} daughter <eat!> {loss}", "the baby <throw!> away {loss}",
                      "the dog <steal!> {loss}", "a mouse <eat!> {loss}", "{loss} <go*> bad",
                      "{loss} <are> eaten", "{name} <eat!> {loss}"), weight=3),
    # School.
    _owned("pencils, crayons, notebooks, markers, erasers, folders, paper clips, rulers, worksheets, sheets, brushes, "
           "colored pencils, sticky notes, test papers",
           ["{subj} <have> {n} {thing} [at school|in class|in a desk|in a pencil case|in a backpack]",
            "{subj} <bring> {n} {thing} to [school|class]"],
           ["<find> {gain} [in the desk|in the backpack|under a chair]", "<print> {gain}",
            "<get> {gain} from the teacher"],
           ["<lose> {loss} at school", "<lend> {loss} to {name}", "<lend> {loss} to a [friend|classmate]",
            "<break> {loss}",
            "<use> up {loss}", "<hand> out {loss} [to the class|in class|]", "<leave> {loss} at school",
            "<lose> {loss}",
            "<tear> up {loss}", "<give> {loss} to the [teacher|class|new girl|new boy]", "<forget> {loss} on the bus"],
           gain_full=("the teacher <give!> {obj} {gain}",), lose_full=("a classmate <borrow!> {loss}",
           "{loss} <break*>"),
           weight=2),
    # Fishing and the beach.
    _owned("fish, trout, crabs, shrimps, salmon, shells, pebbles, clams, sardines",
           ["{subj} <catch> {n} {thing}", "{subj} <catch> {n} {thing} [in the lake|at sea|in the river|before noon]",
            "{subj} <have> {n} {thing} in a [bucket|net|basket]"],
           ["<catch> {gain}", "<catch> {gain} [in the lake|with a net|near the bridge|]", "<pull> out {gain}"],
           ["<let> {loss} go", "<throw> back {loss}", "<release> {loss}", "<sell> {loss}", "<throw> {loss} back",
            "<sell> {loss} at the harbor", "<give> {loss} to a neighbor", "<cook> {loss}", "<lose> {loss}"],
           lose_full=("a cat <steal!> {loss}", "a seagull <steal!> {loss}", "{loss} <escape*>", "{loss} <slip*> away",
                      "{loss} <jump*> back into the water")),
    # Games on a screen and at a table.
    _owned("gems, coins, lives, arrows, potions, gold pieces, diamonds, keys, chips, tokens, magic stones, "
           "dice, swords",
           ["{subj} <have> {n} {thing} in a [game|video game|bag]",
            "{subj} <start> the [game|level] with {n} {thing}"],
           ["<win> {gain}", "<collect> {gain}", "<find> {gain} in a [cave|chest|castle|tower]", "<earn> {gain}",
            "<pick> up {gain}", "<unlock> {gain}"],
           ["<lose> {loss}", "<lose> {loss} in a [fight|bet|duel|trap]", "<spend> {loss}", "<use> {loss}",
            "<spend> {loss} [in a shop|on a map|on a shield]", "<trade> away {loss}", "<lose> {loss} to {name}",
            "<use> up {loss}"],
           gain_full=("a wizard <give!> {obj} {gain}",),
           lose_full=("a dragon <steal!> {loss}", "a monster <take!> {loss}", "a pirate <steal!> {loss}"), weight=2),
    # Sport and play outside.
    _owned("tennis balls, golf balls, arrows, balls, darts, frisbees, snowballs, water balloons, medals, "
           "trophies, kites",
           ["{subj} <bring> {n} {thing} to [the park|practice|training|the match]",
            "{subj} <have> {n} {thing} [in a bag|at the club|for practice]"],
           ["<find> {gain} in the [grass|bushes|woods]", "<win> {gain}", "<get> {gain} from the coach"],
           ["<lose> {loss} in the [woods|lake|bushes|park]", "<throw> {loss}", "<throw> {loss} over the fence",
            "<hit> {loss} over the fence", "<kick> {loss} over the fence", "<give> {loss} to the [team|coach|kids]",
            "<leave> {loss} at the [park|gym|club]"],
           gain_full=("the coach <give!> {obj} {gain}", "the coach <hand!> {obj} {gain}"),
           lose_full=("a dog <run!> off with {loss}", "{loss} <land*> in the lake", "{loss} <burst*>",
                      "{loss} <roll*> into the river")),
    # Tickets, gifts, parties.
    _owned("tickets, gifts, prizes, invitations, party hats, paper cups, plates, masks, balloons, candles, presents, "
           "ride tickets, raffle tickets, posters, flyers",
           ["{subj} <buy> {n} {thing} for a [party|birthday|fair|wedding]",
            "{subj} <have> {n} {thing} for [a party|the fair|the show|the guests]"],
           ["<win> {gain}", "<make> {gain}", "<print> {gain}", "<find> {gain} in a closet"],
           ["<give> out {loss}", "<use> {loss} at the [fair|party]", "<use> {loss} on the [rides|bumper cars]",
            "<send> out {loss}", "<hand> out {loss} at the door", "<sell> {loss}",
            "<give> {loss} to the [guests|kids]",
            "<use> {loss}", "<throw> away {loss}", "<mail> out {loss}"],
           lose_full=("{loss} <are> given out", "the guests <take*> {loss}", "{loss} <are> used",
                      "the wind <blow!> away {loss}"), weight=2),
    # The household.
    _owned("batteries, light bulbs, matches, towels, socks, shirts, tissues, glasses, cups, plates, mugs, "
           "vases, forks, "
           "sponges, pillows, wine glasses, soup bowls",
           ["{subj} <have> {n} {thing} [in a drawer|at home|in the kitchen|in the closet|in a basket]"],
           ["<buy> {gain} [on sale|at the store]", "<find> {gain} in the [closet|attic|cellar]"],
           ["<break> {loss}", "<throw> away {loss}", "<use> up {loss}", "<use> {loss}", "<break> {loss} by accident",
            "<donate> {loss}", "<lose> {loss}", "<give> away {loss}", "<give> {loss} to {poss} {kin}",
            "<sell> {loss} at a yard sale"],
           lose_full=("{poss} {kin} <break!> {loss}", "the cat <break!> {loss}", "{loss} <break*>",
                      "{loss} <are> broken", "{name} <borrow!> {loss}"), weight=2),
    # Books and music.
    _owned("books, comics, novels, magazines, records, comic books, cook books, song books, puzzles, films",
           ["{subj} <own> {n} {thing}", "{subj} <have> {n} {thing} on [a shelf|two shelves|the desk]"],
           ["<borrow> {gain} from the library", "<find> {gain} at a [yard sale|flea market]", "<order> {gain} online",
            "<get> {gain} for {poss} birthday"],
           ["<return> {loss} to the library", "<take> {loss} back to the library", "<lend> {loss} to {name}",
            "<donate> {loss} to [the school|a library]", "<sell> {loss} [at a yard sale|online]", "<lose> {loss}",
            "<give> {loss} to {poss} {kin}", "<give> {loss} away"],
           gain_full=("{poss} {kin} <lend!> {obj} {gain}", "{poss} {kin} <buy!> {obj} {gain} for {poss} birthday"),
           lose_full=("{poss} {kin} <borrow!> {loss}", "{name} <borrow!> {loss}"), weight=2),
    # A farm's harvest and a dog's bones.
    _owned("pumpkins, cabbages, melons, carrots, pears, lemons, hay bales, bones, treats, biscuits, seeds, "
           "walnuts, acorns, "
           "turnips, corn cobs, dog treats",
           ["{subj} <harvest> {n} {thing}", "{subj} <have> {n} {thing} in a [barn|cart|sack|shed|jar]",
            "{subj} <gather> {n} {thing}"],
           ["<harvest> {gain}", "<gather> {gain}", "<dig> up {gain}", "<collect> {gain}"],
           ["<sell> {loss}", "<sell> {loss} at the market", "<feed> {loss} to the [cows|pigs|dog|puppy|birds|goats]",
            "<give> {loss} to the [dog|puppy|horse|cow]", "<lose> {loss}", "<throw> away {loss}",
            "<give> {loss} to a neighbor"],
           lose_full=("the dog <eat!> {loss}", "the puppy <chew!> up {loss}", "a squirrel <steal!> {loss}",
                      "a deer <eat!> {loss}", "mice <eat*> {loss}", "{loss} <go*> bad",
                      "{loss} <are> sold")),
    # On the move.
    _there("people, passengers, riders, children, tourists, workers, students",
           ["there <are> {n} {thing} [on the bus|on the train|on a plane|in a bus|on a ship|in the subway]",
            "{n} {thing} <are> [on the bus|on the train|on a plane|on a ship|in an elevator]",
            "[a|the] [train|bus|subway|ferry|ship] <start!> with {n} {thing}",
            "[a|the] [bus|train|boat|elevator|van] <have!> {n} {thing} [|in it|on it|on board]",
            "[a|the] [bus|train] <leave!> [the station|the city|the depot] with {n} {thing} on board"],
           ["{gain} <get*> on", "{gain} <get*> in", "{gain} <board*>", "{gain} <climb*> in", "{gain} <come*> on board",
            "{gain} <hop*> on", "{gain} <get*> on at the [next|second|last] stop", "{gain} <step*> in"],
           ["{loss} <get*> off", "{loss} <get*> off", "{loss} <get*> out", "{loss} <step*> out", "{loss} <hop*> off",
            "{loss} <get*> off at the [next|second|last] stop", "{loss} <leave*>", "{loss} <climb*> out"],
           group=("there <are> {n1} [buses|vans|cars|boats] with {n2} {thing} in each",), weight=4),
    # A shelf, a cart, a plate: somebody else puts and takes.
    _there("books, plates, cups, magazines, boxes, bottles, jars, cakes, sandwiches, cookies, apples, oranges, toys, "
           "towels, folders, letters, parcels, pies",
           ["there <are> {n} {thing} on [a|the] [shelf|cart|table|counter|plate|tray|truck]",
            "{n} {thing} <are> on [a|the] [shelf|cart|table|counter|plate|tray|truck]",
            "{n} {thing} <are> in [a|the] [fridge|basket|kitchen|cupboard|closet|truck|box]",
            "there <are> {n} {thing} in [a|the] [fridge|basket|kitchen|cupboard|closet|box]",
            "[a|the] [cart|shelf|truck|tray] <hold!> {n} {thing}",
            "{n} {thing} <stand*> on [a|the] [shelf|table|counter]"],
           ["{gain} <are> added", "{gain} <are> put on", "{gain} <are> put back", "{gain} <are> returned",
            "{gain} <are> brought in", "{name} <put!> {gain} back", "{name} <add!> {gain}", "{gain} <are> bought",
            "the [cook|janitor|teacher|maid] <bring!> in {gain}", "{gain} <are> delivered"],
           ["{loss} <are> taken", "{loss} <are> borrowed", "{loss} <are> sold", "{loss} <are> taken away",
            "{loss} <are> broken", "{loss} <fall*> off", "{name} <take!> {loss}", "{loss} <are> thrown out",
            "the [cook|janitor|teacher|maid] <take!> away {loss}", "{name} <take!> {loss} away",
            "{loss} <are> given away",
            "{loss} <are> missing", "{loss} <are> stolen", "{loss} <are> picked up", "{loss} <are> used"],
           group=("there <are> {n1} [shelves|trays|carts|plates] with {n2} {thing} on each",
                  "{n1} [shelves|trays|carts|plates] with {n2} {thing} on each",
                  "there <are> {n1} [crates|baskets|boxes] with {n2} {thing} in each"), weight=4),
    # People come and go.
    _there("people, guests, customers, children, kids, swimmers, skaters, dancers, fans, pupils, parents, "
           "visitors, players, "
           "singers, campers",
           ["there <are> {n} {thing} [at a party|at the beach|in the pool|at a concert|on the ice|in a shop|in "
            "the park]",
            "{n} {thing} <are> [at a party|at the beach|in the pool|on the ice|in a restaurant|at the playground]",
            "{n} {thing} <are> [in line|in a line|in a queue|at the zoo|at camp|on the dance floor|in the yard]",
            "{n} {thing} <come*> to a [party|show|concert|meeting]",
            "{n} {thing} <play*> [in the park|in the yard|outside]",
            "a [class|choir|team|band|club|camp] <have!> {n} {thing}"],
           ["{gain} <arrive*>", "{gain} <join*>", "{gain} <come*>", "{gain} <show*> up", "{gain} <come*> in",
            "{gain} <join*> in", "{gain} <come*> later", "{gain} <come*> back", "{gain} <turn*> up"],
           ["{loss} <leave*>", "{loss} <go*> home", "{loss} <leave*> early", "{loss} <go*> away",
            "{loss} <walk*> away",
            "{loss} <are> picked up by their parents", "{loss} <drive*> home",
            "{loss} <drop*> out", "{loss} <have*> to leave", "{loss} <give*> up"],
           group=("there <are> {n1} [teams|groups|tables] of {n2} {thing}",
                  "there <are> {n1} tables with {n2} {thing} at each"), weight=3),
    # A queue is served, a ward gets well.
    _there("people, customers, patients, travelers, shoppers",
           ["{n} {thing} <wait*> [in line|in a queue|at the bakery|at the doctor|at the bank|at the counter]",
            "there <are> {n} {thing} in [line|a line|a queue|the waiting room]"],
           ["{gain} <join*> the [line|queue]", "{gain} <arrive*>", "{gain} <line*> up", "{gain} <come*>"],
           ["{loss} <are> served", "{loss} <leave*>", "{loss} <are> sent home", "{loss} <give*> up",
            "{loss} <go*> home"]),
    # The zoo, the pasture, the nest.
    _there("monkeys, penguins, zebras, camels, sheep, ponies, seals, llamas, turtles, snakes, parrots, rabbits, "
           "hamsters, "
           "wild horses, baby goats, elephants",
           ["there <are> {n} {thing} [in a zoo|in the zoo|in a cage|in a pen|on a farm|in a pasture|in a pet shop]",
            "{n} {thing} <live*> [in a zoo|on an island|on a farm|in a park]",
            "[a|the] [zoo|farm|pet shop] <have!> {n} {thing}"],
           ["{gain} <are> born", "{gain} <are> brought in", "{gain} <arrive*>", "{gain} <are> bought",
            "{gain} <come*> from another zoo", "{gain} <join*> them",
            "the zoo <buy!> {gain}"],
           ["{loss} <are> sold", "{loss} <run*> away", "{loss} <escape*>", "{loss} <die*>", "{loss} <are> moved away",
            "{loss} <are> sent to another zoo", "{loss} <are> adopted", "{loss} <are> given away",
            "{loss} <are> let go"],
           group=("there <are> {n1} [cages|pens|pastures] with {n2} {thing} in each",), weight=2),
    # What stands, hangs, burns, grows.
    _there("balloons, flags, lanterns, lamps, ribbons, kites, banners, paper stars",
           ["{n} {thing} <are> tied to [a|the] [fence|tree|gate|rope]",
            "{n} {thing} <hang*> [on a rope|in a tree|on the wall]",
            "there <are> {n} {thing} on [a|the] [fence|wall|gate|roof]"],
           ["{gain} <are> tied on", "{gain} <are> added", "{gain} <are> hung up", "{gain} <are> put up",
            "{name} <hang!> up {gain}"],
           ["{loss} <pop*>", "{loss} <fly*> away", "{loss} <fall*> down", "{loss} <are> taken down",
            "{loss} <blow*> away",
            "{loss} <tear*>", "the wind <blow!> away {loss}", "{loss} <are> stolen",
            "{name} <take!> down {loss}"],
           group=("there <are> {n1} rows of {n2} {thing} on a wall",)),
    _there("apples, leaves, pears, cherries, plums, oranges, nuts, lemons, coconuts",
           ["there <are> {n} {thing} on [a|the] [tree|branch]", "{n} {thing} <hang*> on [a|the] [tree|branch]",
            "[a|the] [tree|branch] <have!> {n} {thing}"],
           ["{gain} <grow*>", "{gain} <grow*> on it"],
           ["{loss} <fall*> down", "{loss} <fall*> off", "{loss} <are> picked", "{loss} <fall*> to the ground",
            "the birds <eat*> {loss}", "{name} <pick!> {loss}", "{loss} <blow*> off", "the wind <blow!> off {loss}"],
           group=("there <are> {n1} branches with {n2} {thing} on each",)),
    _there("candles, lights, lamps, torches, street lamps",
           ["{n} {thing} <are> [lit|on|burning]", "{n} {thing} <burn*> [in a church|in a room|on a cake|in a window]"],
           ["{gain} <are> lit", "{gain} <are> turned on", "{gain} <are> switched on", "{name} <light!> {gain}"],
           ["{loss} <go*> out", "{loss} <are> blown out", "{loss} <are> turned off", "{loss} <are> switched off",
            "{loss} <are> put out", "the wind <blow!> out {loss}"]),
    # Traffic.
    _there("cars, boats, ships, planes, bikes, trucks, sailboats, buses, police cars",
           ["there <are> {n} {thing} [in the harbor|at the airport|in the lot|on the street|at the station|on a "
            "bridge]",
            "{n} {thing} <are> parked [in the lot|on the street|outside|at the mall]",
            "{n} {thing} <are> [in the harbor|at the airport|at the station|in the garage]"],
           ["{gain} <arrive*>", "{gain} <come*> in", "{gain} <park*> there", "{gain} <join*> them",
            "{gain} <pull*> up", "{gain} <return*>"],
           ["{loss} <leave*>", "{loss} <drive*> away", "{loss} <drive*> off", "{loss} <sail*> away",
            "{loss} <take*> off",
            "{loss} <are> towed", "{loss} <pull*> away", "{loss} <head*> out"],
           group=("there <are> {n1} rows of {n2} {thing}",), weight=2),
    # What melts, falls, breaks.
    _there("snowmen, sand castles, tents, towers, statues, icicles, huts, block towers",
           ["there <are> {n} {thing} [in the yard|in the park|on the beach|in a field|on the hill]",
            "{n} {thing} <stand*> [in the yard|in the park|on the beach|in a field|on the hill]"],
           ["{gain} <are> built", "the kids <build*> {gain}", "{name} <build!> {gain}", "{gain} <are> put up",
            "the children <make*> {gain}"],
           ["{loss} <melt*>", "{loss} <fall*> down", "{loss} <fall*> over", "{loss} <are> knocked over",
            "{loss} <are> taken down", "{loss} <collapse*>", "the rain <destroy!> {loss}", "a storm <destroy!> {loss}",
            "{loss} <are> destroyed", "{loss} <are> swept away"],
           group=("there <are> {n1} rows of {n2} {thing} in a field",)),
]
