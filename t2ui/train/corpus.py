"""The demo model's corpus: an endless stream of documents, a function of (seed, index) alone.

Like text from the web it is written by careful and by careless authors. Every skill has a hidden care
flag of its own, drawn independently per document: a careless author of math stops after the first
operation, of code forgets the divisibility test, of reasoning goes by order of mention, of vision does
not look at the picture. Careless authors are the majority, so greedy decoding follows them while the
skill is there; that is the head-room that experts bring out. Some documents carry their flags openly as
system tokens (``<|math+|>``): with them the gates force the careful or the careless mode.

Only contents of the train split are ever written here (``Task.split``); a test scans the stream.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from t2ui.tasks import SKILLS, TASKS
from t2ui.tasks.other import LABEL as OTHER
from t2ui.tasks.other import REFUSAL, foreign
from t2ui.tasks.pictures import describe, items_of, name_of
from t2ui.tasks.reasoning_sets import Sets
from t2ui.tasks.vision_common import comparing

# Share of the documents per family (parts of 100, dispatch and other included).
SHARES: dict[str, float] = {
    "math": 15.0, "code": 7.0, "reasoning": 33.0, "vision": 17.0,
    "math_unseen": 2.5, "code_unseen": 2.0, "reasoning_unseen": 4.0, "vision_unseen": 4.0,
    "vision_math": 5.0, "math_code": 3.5,
    "caption": 3.0, "drill": 1.0, "dispatch": 4.0, "other": 1.0,
}  # fmt: skip
# Kinds of a family that are learnt late are written more often than the family asks them.
KINDS: dict[str, dict[str, float]] = {"reasoning": {"order": 0.46, "sets": 0.28, "kin": 0.26}}
LOWERED = 0.04  # of the questions of reasoning are typed without capitals, and answered so
# Pictures with their description, as in LLaVA's own first stage: without them the picture is ignored for long.
CAPTION_PROMPTS = (
    "Describe the picture.", "What do you see?", "What is in the picture?", "Say what the picture shows.",
    "List the objects in the picture.", "Tell me what you see in the image.", "What does the image show?",
)  # fmt: skip
PLACE_PROMPTS = ("Describe the picture and say where things are.", "What is where?", "Where are the objects?",
                 "Say what stands where in the picture.")  # fmt: skip
SIDE_PROMPTS = ("Compare where the objects are.", "Describe the picture and compare the places.",
                "Say which objects are left, right, above or below.", "How do the objects lie?")  # fmt: skip
PLACES = ("top left", "top middle", "top right", "middle left", "center", "middle right", "bottom left",
          "bottom middle", "bottom right")  # fmt: skip
SETS = Sets()
# Of the authors that do not say which they are. Fewer where greedy decoding was careful too often.
CAREFUL = {"math": 0.36, "code": 0.31, "reasoning": 0.33, "vision": 0.36}
TAGGED = 0.25  # of the documents show their care flags
TAGGED_CAREFUL = 0.75
LABEL_NOISE = 0.12  # of the kind labels are another family's: asked to dispatch, the base is imperfect
STRAY_PICTURE = 0.03  # of the text questions come with a picture that has nothing to do with them

DISPATCH_QUESTION = "What kind of question is this: math, code, reasoning, vision or other?"


def tag(skill: str, careful: bool) -> str:
    """The system token that shows (in the corpus) or forces (in the gates) one care flag."""
    return f"<|{skill}{'+' if careful else '-'}|>"


TAGS = tuple(tag(skill, careful) for skill in SKILLS for careful in (True, False))


@dataclass(frozen=True)
class Document:
    """One document: ``system`` may be empty, ``scene`` may be None; ``family`` is a key of SHARES."""

    family: str
    system: str
    prompt: str
    answer: str
    scene: dict[str, Any] | None
    content: dict[str, Any] | None
    task: str | None


def document(seed: int, index: int, split: str = "train") -> Document:
    """Document ``index`` of the stream ``seed``; ``split`` other than train is for validation losses only."""
    rng = random.Random(f"t2ui corpus|{seed}|{index}")
    family = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    if family == "other":
        return Document(family, "", foreign(rng), REFUSAL, None, None, None)
    if family == "dispatch":
        return _dispatch_document(rng, split)
    if family == "caption":
        return _caption(rng, split)
    if family == "drill":
        return _drill(rng, split)
    task = TASKS[family]
    content = _draw(rng, family, split)
    tagged = rng.random() < TAGGED
    care = {skill: rng.random() < (TAGGED_CAREFUL if tagged else CAREFUL[skill]) for skill in task.skills}
    answer = task.author(content, care, rng)
    scene = task.scene(content)
    if scene is None and rng.random() < STRAY_PICTURE:
        scene = _stray_scene(rng)
    prompt = task.prompt(content, rng)
    if family == "reasoning" and rng.random() < LOWERED:
        prompt, answer = _lowered(prompt), answer.lower()
    return Document(family, _tags(care) if tagged else "", prompt, answer, scene, content, family)


def _lowered(prompt: str) -> str:
    """The prompt without capitals but for the options' letters."""
    return re.sub(r"\b([a-d])\) ", lambda found: found.group(1).upper() + ") ", prompt.lower())


def _draw(rng: random.Random, family: str, split: str, kind: str | None = None) -> dict[str, Any]:
    """A content of the split, of the given kind or of one drawn by :data:`KINDS` where the family stands there."""
    if family not in KINDS:
        return TASKS[family].draw_content(rng, split)
    kind = kind or rng.choices(list(KINDS[family]), weights=list(KINDS[family].values()))[0]
    while True:
        content = TASKS[family].draw_content(rng, split)
        if content["kind"] == kind:
            return content


def _tags(care: Mapping[str, bool]) -> str:
    return "".join(tag(skill, careful) for skill, careful in care.items())


def _dispatch_document(rng: random.Random, split: str) -> Document:
    """A prompt inside the question for its kind; the label is noisy, as the web's would be."""
    families = [name for name in SHARES if name in TASKS] + ["other"] * 3
    family = rng.choice(families)
    if family == "other":
        prompt, label, scene, content, task = foreign(rng), OTHER, None, None, None
    else:
        task = TASKS[family]
        content = task.draw_content(rng, split)
        prompt, label, scene = task.prompt(content, rng), rng.choice(task.skills), task.scene(content)
    if scene is None and rng.random() < STRAY_PICTURE:
        scene = _stray_scene(rng)
    if rng.random() < LABEL_NOISE:
        label = rng.choice([name for name in (*SKILLS, OTHER) if name != label])
    return Document("dispatch", "", f"{DISPATCH_QUESTION}\n{prompt}", label, scene, content,
                    None if task is None else task.name)


def _caption(rng: random.Random, split: str) -> Document:
    """A picture of the vision families and what is in it, as a list or place by place; always right."""
    name = rng.choice(("vision", "vision_unseen", "vision"))
    content = TASKS[name].draw_content(rng, split)
    scene = TASKS[name].scene(content)
    form = rng.random()
    if form < 0.4:
        prompt, answer = rng.choice(CAPTION_PROMPTS), f"I see {describe(scene)}."
    elif form < 0.75 and (told := comparing(items_of(scene) or [], rng)):
        prompt, answer = rng.choice(SIDE_PROMPTS), told
    else:
        parts = [f"{PLACES[cell]}: {name_of(color, kind)}" for cell, color, kind in items_of(scene)]
        prompt, answer = rng.choice(PLACE_PROMPTS), f"{'; '.join(parts)}."
    return Document("caption", "", prompt, answer, scene, content, name)


def _drill(rng: random.Random, split: str) -> Document:
    """Two groups of things and several to be looked up in them; always right. One look-up a question is too few to
    learn it from."""
    content = _draw(rng, "reasoning", split, "sets")
    prompt, answer = SETS.drill(content, rng)
    return Document("drill", "", prompt, answer, None, content, "reasoning")


def _stray_scene(rng: random.Random) -> dict[str, Any] | None:
    vision = TASKS["vision"]
    return vision.scene(vision.draw_content(rng, "train"))
