"""Words of :mod:`t2ui.tasks.reasoning_order`: scales, animals, things, opening sentences. Data only."""

from __future__ import annotations

from typing import NamedTuple


class Scale(NamedTuple):
    """Words of one scale, each as (more, less): "taller", "tallest", "tall"; verb phrases where there are any."""

    comp: tuple[str, str]
    sup: tuple[str, str]
    adj: tuple[str, str]
    verb: tuple[str, str] | None = None


SCALES: dict[str, Scale] = {
    "tall": Scale(("taller", "shorter"), ("tallest", "shortest"), ("tall", "short")),
    "old": Scale(("older", "younger"), ("oldest", "youngest"), ("old", "young"),
                 ("was born before", "was born after")),
    "fast": Scale(("faster", "slower"), ("fastest", "slowest"), ("fast", "slow"),
                  ("runs faster than", "runs slower than")),
    "heavy": Scale(("heavier", "lighter"), ("heaviest", "lightest"), ("heavy", "light"),
                   ("weighs more than", "weighs less than")),
    "rich": Scale(("richer", "poorer"), ("richest", "poorest"), ("rich", "poor"),
                  ("has more money than", "has less money than")),
    "strong": Scale(("stronger", "weaker"), ("strongest", "weakest"), ("strong", "weak")),
    "big": Scale(("bigger", "smaller"), ("biggest", "smallest"), ("big", "small")),
    "loud": Scale(("louder", "quieter"), ("loudest", "quietest"), ("loud", "quiet"),
                  ("speaks louder than", "speaks more quietly than")),
    "happy": Scale(("happier", "sadder"), ("happiest", "saddest"), ("happy", "sad")),
    "clean": Scale(("cleaner", "dirtier"), ("cleanest", "dirtiest"), ("clean", "dirty")),
    "calm": Scale(("calmer", "wilder"), ("calmest", "wildest"), ("calm", "wild")),
    "tidy": Scale(("tidier", "messier"), ("tidiest", "messiest"), ("tidy", "messy")),
    "nice": Scale(("nicer", "meaner"), ("nicest", "meanest"), ("nice", "mean")),
    "smart": Scale(("smarter", "sillier"), ("smartest", "silliest"), ("smart", "silly"),
                   ("knows more than", "knows less than")),
    "busy": Scale(("busier", "lazier"), ("busiest", "laziest"), ("busy", "lazy"),
                  ("works more than", "works less than")),
    "good": Scale(("better", "worse"), ("best", "worst"), ("good", "bad"),
                  ("scores more points than", "scores fewer points than")),
    "hot": Scale(("hotter", "colder"), ("hottest", "coldest"), ("hot", "cold")),
    "wide": Scale(("wider", "narrower"), ("widest", "narrowest"), ("wide", "narrow")),
    "thick": Scale(("thicker", "thinner"), ("thickest", "thinnest"), ("thick", "thin")),
    "bright": Scale(("brighter", "darker"), ("brightest", "darkest"), ("bright", "dark")),
    "hard": Scale(("harder", "softer"), ("hardest", "softest"), ("hard", "soft")),
    "new": Scale(("newer", "more worn"), ("newest", "most worn"), ("new", "worn")),
    "cheap": Scale(("more expensive", "cheaper"), ("most expensive", "cheapest"), ("expensive", "cheap"),
                   ("costs more than", "costs less than")),
}
ANIMALS = ("dog", "cat", "horse", "cow", "goat", "sheep", "pig", "fox", "bear", "wolf", "lion", "tiger", "rabbit",
           "mouse", "duck", "goose", "donkey", "camel", "monkey", "parrot", "hen", "owl", "eagle", "snake", "frog", "deer",
           "zebra", "giraffe", "elephant", "rhino", "hippo", "panda", "koala", "penguin", "seal", "whale", "shark", "dolphin",
           "turtle", "snail", "spider", "bee", "ant", "rat", "hamster", "squirrel", "badger", "otter", "swan", "crow", "ox",
           "bull", "calf", "pony", "mule", "lizard", "crab", "ostrich", "peacock", "beaver", "moose", "kangaroo")
THINGS = ("book", "box", "chair", "lamp", "stone", "bag", "drum", "bottle", "clock", "basket", "barrel", "suitcase",
          "pumpkin", "melon", "radio", "kettle", "table", "bed", "door", "mirror", "carpet", "bucket", "ladder", "rope",
          "blanket", "pillow", "coat", "wall", "shelf", "bike", "car", "truck", "boat", "train", "tent", "piano", "cake",
          "bread", "apple", "soup", "tea", "oven", "room", "pool", "river", "street", "bridge", "candle", "torch", "star",
          "screen", "coin", "ring", "cup", "plate", "guitar", "sofa", "phone", "camera", "watch")
# Scales of things alone: no person is wide.
OF_THINGS = ("hot", "wide", "thick", "bright", "hard", "new", "cheap")
OTHERS = {**dict.fromkeys(OF_THINGS, THINGS), "tall": ANIMALS, "old": ANIMALS, "fast": ANIMALS, "heavy": ANIMALS + THINGS, "strong": ANIMALS,
          "big": ANIMALS + THINGS, "loud": ANIMALS, "clean": ANIMALS, "calm": ANIMALS}
INTROS = {
    "people": ("Here are some friends.", "Some friends are being compared.", "Some children play together.",
               "Some people work in one shop.", "These people live in one street.", "Some pupils share a desk.",
               "Read this and think.", "Here is a small puzzle.", "Here is what we know.", "A few neighbors meet.",
               "Some players are on one team.", "Look at these facts.", "Three friends are compared.",
               "Some friends compare themselves.", "Think about these people.", "A question about some people.",
               "Here is what they say.", "Let us compare some people.", "This is about a few friends.",
               "Consider these facts.", "Puzzle.", "Listen.", "A riddle.", "Four people meet in a park."),
    "animals": ("Some animals live on a farm.", "Here are some animals.", "Some animals are in a zoo.",
                "Here is a small puzzle.", "Here is what we know.", "Look at these facts.", "Think about some animals.",
               "Let us compare some animals.", "A farmer has some animals.", "Consider these facts.", "A riddle."),
    "things": ("Some things stand on a table.", "Here are some things.", "Some things are in a room.",
               "Here is a small puzzle.", "Here is what we know.", "Look at these facts.", "Let us compare some things.",
               "Think about some things.", "Someone compares some things.", "Consider these facts.", "A riddle."),
}
