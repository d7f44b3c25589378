"""The questions and pictures that come with the page: drawn from the task families' validation split, always the same.

A picture has a name that can stand in a link or on a command line: ``3`` is the third built-in picture, ``vision-2`` the picture
of the second example of a family. The families are imported when something is wanted (it takes a moment), not before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from PIL import Image

SPLIT, SEED, PER_FAMILY, PICTURES = "validation", 20, 3, 6
ANY = "any"
STREAM = 20  # questions that the conversation plays


@dataclass(frozen=True)
class Sample:
    """A question that can be put into the box, with its picture."""

    family: str
    prompt: str
    image: Image.Image | None


def _sample(example) -> Sample:
    from t2ui.tasks import pictures

    return Sample(example.task, example.prompt, pictures.draw(example.scene) if example.scene else None)


@cache
def shown(family: str) -> tuple[Sample, ...]:
    """The examples of a family that the page offers: always the same.

    Raises:
        KeyError: an unknown family.
    """
    from t2ui.tasks import TASKS

    return tuple(_sample(example) for example in TASKS[family].examples(SPLIT, PER_FAMILY, SEED))


def fresh(family: str = ANY, seed: int | None = None) -> Sample:
    """A new random question of the validation split.

    Raises:
        KeyError: an unknown family.
    """
    from t2ui.tasks import TASKS

    rng = random.Random(seed)
    name = rng.choice(list(TASKS)) if family == ANY else family
    return _sample(TASKS[name].examples(SPLIT, 1, rng.randrange(2**31))[0])


@cache
def mixed(n: int = STREAM) -> tuple[Sample, ...]:
    """Questions of the trained families, mixed: always the same."""
    from t2ui.tasks import TASKS, TRAINED

    rounds = -(-n // len(TRAINED))
    held = {family: [_sample(e) for e in TASKS[family].examples(SPLIT, rounds, SEED + 2)] for family in TRAINED}
    rng, samples = random.Random(SEED), []
    for i in range(rounds):  # one of each family a round, so that what is chosen changes all the time
        samples += [held[family][i] for family in rng.sample(TRAINED, len(TRAINED))]
    return tuple(samples[:n])


@cache
def built_in() -> tuple[Image.Image, ...]:
    """Pictures to ask about, without a question."""
    from t2ui.tasks import TASKS, pictures

    samples = TASKS["vision"].examples(SPLIT, 40, SEED + 1)
    scenes = [example.scene for example in samples if len(example.scene["objects"]) >= 3]
    return tuple(pictures.draw(scene) for scene in scenes[:PICTURES])


def picture(name: str) -> Image.Image:
    """The picture of that name.

    Raises:
        ValueError: there is none; says what there is.
    """
    from t2ui.tasks import TASKS

    family, dash, number = name.rpartition("-")
    found = None
    known = family in TASKS if dash else True
    if known and number.isascii() and number.isdigit() and len(number) < 4:
        all_of_them = built_in() if not family else tuple(sample.image for sample in shown(family))
        found = all_of_them[int(number) - 1] if 1 <= int(number) <= len(all_of_them) else None
    if found is None:
        raise ValueError(f"there is no built-in picture {name[:40]!r}: expected 1 to {PICTURES}, or an example's, as vision-2")
    return found
