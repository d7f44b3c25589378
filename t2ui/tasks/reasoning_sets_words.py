"""Words of :mod:`t2ui.tasks.reasoning_sets`: verbs, things that may be had, liked, bought ..., owners. Data only."""

from __future__ import annotations

# Third person (or past) -> base form, as in "what does only Ann sell?", "what did both buy?".
BASE = {"has": "have", "likes": "like", "plays": "play", "sells": "sell", "speaks": "speak", "wears": "wear",
        "grows": "grow", "collects": "collect", "feeds": "feed"}
# Past -> (base, participle).
PAST = {"bought": ("buy", "bought"), "packed": ("pack", "packed"), "took": ("take", "taken"),
        "brought": ("bring", "brought"), "ordered": ("order", "ordered"), "picked": ("pick", "picked"),
        "found": ("find", "found"), "saw": ("see", "seen"), "chose": ("choose", "chosen"), "ate": ("eat", "eaten"),
        "got": ("get", "got"), "lost": ("lose", "lost"), "used": ("use", "used"), "drew": ("draw", "drawn"),
        "sold": ("sell", "sold")}
OBJECTS = tuple("""
    pen cup key map coin book ball hat ring lamp knife spoon plate brush rope stone clock doll drum flag kite candle
    scarf bell mirror button pencil ruler stamp shell watch whistle umbrella apple orange egg bottle basket hammer
    needle belt shirt sock towel comb soap torch tent pan stove bucket broom ladder saw nail screw bolt bead pin radio
    vase globe flute harp piano guitar violin trumpet lemon banana carrot pillow blanket camera wallet ticket letter
    notebook eraser crayon marker card puzzle robot truck wagon boat kettle fork mug jug tray glove coat boot sweater
    helmet magnet battery feather leaf pebble compass whisk bowl cat dog horse goat cow lion bear wolf fox parrot
    anchor arrow axe badge bagel banjo barrel bathtub bench bicycle blackboard blender bone bracelet branch brick
    bridge broccoli bulb bus cabbage cactus cage calculator calendar canoe cape carpet castle cello chain chair chalk
    chestnut chisel cloak cloth club cookie cork couch crab crate cricket crown cucumber curtain cushion dagger daisy
    desk diary dice donut doughnut dragon dress drill duck eagle earring easel elephant engine envelope fan faucet
    fence fiddle file fish flask flower folder fossil frame frog fridge funnel garland gem ghost giraffe goblet grape
    grater hairbrush hammock handbag harness hedgehog hinge hook hoop horn hose iron jacket jar jeep jewel jigsaw
    keyboard kiwi knob lantern laptop lever lighter lime lipstick lizard lock locket log loom mango mask mat match
    medal melon microscope mitten monkey mop mouse mushroom nut oar olive onion oven owl owlet pad paddle padlock
    paint painting palette paperclip parachute parcel peach peanut pear pearl penguin pepper photo pickle pie pig pipe
    pistol pitcher plant plank plug plum pliers pocketknife poker poster pot potato pouch prism propeller pump puppet
    purse quilt rabbit racket raft rag rake raincoat raisin rattle razor receipt remote ribbon rifle robe rocket rod
    roller rose rug rucksack saddle sail sandal sandwich sausage saucer sculpture seed shark sheep shoe shovel shield
    ship sieve skate skirt sled slipper snail snake snorkel sofa spade speaker spear sponge spring squash squirrel
    stapler star statue stick stool strainer straw string suit suitcase sword syringe table tablet tambourine tape
    teapot telescope thermometer thimble thread tie tiger tile toaster toad tomato toothbrush top toy tractor train
    trap triangle tripod trophy trowel tube turtle tweezer typewriter urn vest wand wardrobe washer wheel whip wig
    windmill wire wreath wrench yoyo zebra zipper charger cable phone headset router jersey dumbbell bat glider drone
    scooter skateboard surfboard
""".split())
FOODS = tuple("""
    rice soup tea milk bread cheese honey cake fish pasta salad juice apples pears plums grapes nuts beans carrots
    cherries eggs cookies olives lemons onions peas corn jam yogurt melons pizza butter sugar flour salt pepper coffee
    bananas tomatoes potatoes noodles sausages waffles pancakes spinach garlic mushrooms figs dates oats muffins
    chocolate peaches mangoes apricots artichokes asparagus avocados bacon bagels barley basil beef beets berries
    biscuits blueberries broccoli buns burgers burritos cabbage candy caramel cauliflower celery cereal chicken chili
    chips cider cocoa coconuts crackers cream cucumbers curry custard dumplings duck fries fudge ginger granola
    grapefruit gravy ham herring ice kale kebabs ketchup kiwis lamb lasagna leeks lemonade lentils lettuce limes liver
    lobster macaroni marmalade mayonnaise meatballs mints muesli mustard nectarines nougat oatmeal octopus omelets
    oranges oysters papayas parsley pickles pies pineapple pistachios popcorn pork porridge pretzels prunes pudding
    pumpkin quinoa radishes raisins raspberries ravioli rolls salami salmon sandwiches sauerkraut scones seaweed
    shrimp sorbet squid steak stew strawberries sushi tacos toast tofu trout tuna turkey turnips vanilla vinegar
    walnuts water watermelon wine zucchini
""".split())
_GAMES = tuple("""
    chess football tennis cards golf hockey checkers darts baseball rugby volleyball dominoes marbles handball cricket
    badminton basketball bingo poker squash softball lacrosse polo snooker billiards bowling croquet bridge tag
    trumpet piano guitar violin flute archery ballet boxing canasta charades climbing curling dancing diving drums
    dodgeball fencing frisbee gymnastics hopscotch karate kickball ludo mahjong mancala mikado monopoly netball
    pinball puzzles racing reversi roulette rounders rummy sailing scrabble skating skiing skittles soccer solitaire
    surfing swimming tetris tarot wrestling yoga harp cello trombone oboe clarinet saxophone organ banjo ukulele
    harmonica tambourine accordion
""".split())
_GOODS = FOODS + tuple("""
    pens books hats shoes toys lamps candles flowers ropes nails soap paper baskets clocks socks plates bags belts
    bikes blankets bottles bowls boxes brooms brushes bulbs buttons cables cameras cards carpets chairs coats combs
    cups curtains desks dolls drums erasers fans forks frames glasses gloves glue guitars hammers honey ink jackets
    jars jewels keys kites knives lanterns locks magazines maps masks matches mats mirrors mugs needles newspapers
    notebooks paint pans pencils perfume phones pillows pins pipes posters pots purses puzzles radios rings rugs
    sandals saws scarves scissors seeds shells shirts skirts spices spoons stamps stickers string suitcases sweaters
    tables tape tents ties tiles tools torches towels trees umbrellas vases wallets watches wax whistles wood wool
    yarn
""".split())
_LANGUAGES = tuple("""
    Arabic Chinese Danish Dutch English Finnish French German Greek Hebrew Hindi Hungarian Irish Italian Japanese
    Korean Latin Norwegian Persian Polish Portuguese Russian Spanish Swahili Swedish Tamil Thai Turkish Urdu Welsh
    Czech Romanian Bengali Basque Catalan Croatian Estonian Icelandic Malay Mongolian Nepali Serbian Slovak Ukrainian
    Vietnamese Zulu
""".split())
_CLOTHES = tuple("""
    hats coats boots gloves scarves shirts socks ties belts jackets jeans sandals shorts skirts slippers sweaters
    vests caps dresses robes suits sneakers hoodies mittens earrings glasses rings bracelets pajamas overalls aprons
    capes
""".split())
_PLANTS = tuple("""
    tomatoes roses beans carrots tulips corn onions peas herbs lilies pumpkins radishes cabbages potatoes strawberries
    sunflowers daisies cucumbers peppers leeks beets melons grapes apples pears plums cherries wheat oats rye barley
    rice cotton mint basil parsley orchids violets poppies spinach garlic lettuce
""".split())
_COLLECTED = tuple("""
    stamps coins shells stones cards stickers dolls bottles cups badges postcards books records buttons feathers
    leaves keys maps posters pens pins spoons bells masks toys comics magnets fossils insects butterflies photos
    tickets hats bones gems beads ribbons
""".split())
_ANIMALS = tuple("""
    dogs cats birds horses cows goats pigs foxes bears wolves lions tigers rabbits mice ducks geese deer zebras
    giraffes elephants monkeys parrots owls eagles snakes frogs seals whales sharks dolphins turtles snails spiders
    bees ants hedgehogs squirrels swans crows camels llamas penguins lizards crabs
""".split())
ITEMS = {"has": OBJECTS, "likes": FOODS, "plays": _GAMES, "sells": _GOODS, "speaks": _LANGUAGES, "wears": _CLOTHES,
         "grows": _PLANTS, "collects": _COLLECTED, "feeds": _ANIMALS, "ate": FOODS, "saw": OBJECTS, "drew": OBJECTS,
         "lost": OBJECTS, "used": OBJECTS, "packed": OBJECTS, "took": OBJECTS, "found": OBJECTS}
ITEMS |= {verb: _GOODS for verb in PAST if verb not in ITEMS}
# Things that are counted one by one: "a pen, a cup and a key".
COUNTED = frozenset(verb for verb, things in ITEMS.items() if things is OBJECTS)

SHOPS = ("bakery", "market", "kiosk", "shop", "store", "stall", "supermarket", "bookshop", "pharmacy", "butcher", "grocer",
         "florist", "mall", "corner shop", "farm shop", "fish market", "station kiosk", "village store")
ADJECTIVES = ("red", "blue", "green", "yellow", "big", "small", "old", "new", "black", "white", "first", "second", "left",
              "right", "upper", "lower", "wooden", "metal", "round", "square", "pink", "brown", "gray", "purple", "orange",
              "heavy", "light", "open", "closed", "top", "bottom", "large", "little", "other", "plastic", "glass")
CONTAINERS = ("box", "bag", "drawer", "basket", "shelf", "case", "chest", "jar", "room", "locker", "crate", "bucket",
              "cupboard", "suitcase", "tin", "list", "pile", "bin", "team", "cabinet", "pocket", "backpack", "table", "cart", "tray", "bowl", "trunk", "closet", "desk")
NUMBERED = ("one", "two", "three", "four", "1", "2", "3", "4")
OWNERS = ("teacher", "nurse", "pilot", "farmer", "baker", "painter", "doctor", "captain", "king", "queen", "wizard",
          "girl", "boy", "old man", "young woman", "home team", "red team", "blue team", "tall girl", "small boy", "cook",
          "gardener", "sailor", "student", "neighbor", "tourist", "hiker", "guest", "hotel", "school", "museum",
          "library", "visitor", "hunter", "fisherman", "singer", "dancer", "mayor", "clown", "robot", "pirate", "knight")
PLACES = ("bag", "box", "room", "pocket", "drawer", "basket", "house", "garden", "locker", "backpack", "car", "desk",
          "suitcase", "kitchen", "shop", "cupboard", "purse", "tent", "hand")
