"""A real run on disk: what the page shows before the model is ready, made by ``python -m t2ui record``.

The file holds one run of kind ``everybody`` with the Gram matrices of its experts (so that the change map works
before the model does) and says how it was made: model, date, versions, which question and why that one.
"""

from __future__ import annotations

import asyncio
import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2ui.cells import cells_of, expert_names
from t2ui.runs import Question, Run, from_base64, run

if TYPE_CHECKING:
    from t2ui.engine import Engine, Loaded

FORMAT = 1
SPLIT, SEED, TRIES = "validation", 0, 60


class RecordingError(ValueError):
    """A recording cannot be read or made; the text says why and what to do."""


@dataclass(frozen=True)
class Recording:
    """A recorded run.

    Attributes:
        run: of kind ``everybody``, over.
        about: how it was made: ``date``, ``model``, ``question`` (which one and why), ``versions``, ...
        settings: how the answers were decoded, to replay them.
        cells: Gram matrices per adapted matrix (see ``t2ui.plots.change_of``).
    """

    run: Run
    about: Mapping[str, Any]
    settings: Mapping[str, Any]
    cells: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "about": dict(self.about),
            "settings": dict(self.settings),
            "run": self.run.to_json(),
            "cells": list(self.cells),
        }


def load(path: str | Path) -> Recording:
    """Read a recording.

    Raises:
        RecordingError: no such file, or not a recording of this version.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            raise ValueError(f"format {data['format']}, expected {FORMAT}")
        return Recording(Run.from_json(data["run"]), dict(data["about"]), dict(data["settings"]), list(data["cells"]))
    except OSError as error:
        raise RecordingError(f"no recording at {path}: make one with `python -m t2ui record`") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RecordingError(f"{path} is not a recording ({error}): make it with `python -m t2ui record`") from error


def record(
    source: Engine | Loaded, seed: int = SEED, task: str = "math", prompt: str | None = None, mix: str = ""
) -> dict[str, Any]:
    """Really ask a question, everybody answering, and return the recording as JSON-able data.

    Args:
        source: a loaded model, or an engine that owns one.
        seed: which validation questions are looked at for a telling one (see :func:`find`).
        task: their family.
        prompt: ask this instead of looking for a question.
        mix: the "current mix" of the run as ``Mix.parse`` reads it; even shares of all experts by default.

    Raises:
        RecordingError: the engine refused, or no telling question was found.
    """
    from t2ui.core.mixing import Mix
    from t2ui.engine import Engine

    engine = source if isinstance(source, Engine) else Engine(source)
    try:
        loaded = engine.wait()
        question, why = (Question(prompt), "given by hand") if prompt else find(engine, task, seed)
        names = expert_names(loaded)
        current = Mix.parse(mix) if mix else Mix({name: round(1 / len(names), 2) for name in names})
        state = finish(engine, "everybody", question, mix=current)
        about = about_of(loaded, why)
        settings = {key: getattr(question, key) for key in ("temperature", "seed", "max_new_tokens")}
        return Recording(state, about, settings, engine.run(cells_of).result()).to_json()
    finally:
        if engine is not source:
            engine.close()


def about_of(loaded: Loaded, question: str) -> dict[str, Any]:
    """How a recording was made."""
    info = loaded.info
    return {
        "date": time.strftime("%Y-%m-%d"),
        "model": info.name,
        "parameters": info.params,
        "device": info.device,
        "dtype": info.dtype,
        "question": question,
        "versions": {"python": platform.python_version()} | {n: version(n) for n in ("torch", "transformers")},
    }


def finish(engine: Engine, kind: str, question: Question, **options: Any) -> Run:
    """Run a question to its end and return the last picture of it.

    Raises:
        RecordingError: the engine refused or failed.
    """

    async def last() -> Run:
        states = [state async for state in run(engine, kind, question, **options)]
        return states[-1]

    state = asyncio.run(last())
    if state.stage != "done":
        raise RecordingError(f"the run did not finish: {state.error or state.stage}")
    return state


def find(engine: Engine, family: str, seed: int = SEED, tries: int = TRIES) -> tuple[Question, str]:
    """The first question of the validation split where the two passes are right and the base is wrong.

    It is an illustration and chosen as such: the words returned say so, with how many were looked at.

    Raises:
        RecordingError: none of ``tries`` questions is such a one.
    """
    from t2ui.tasks import get_task, pictures

    task = get_task(family)
    for i, example in enumerate(task.examples(SPLIT, tries, seed)):
        image = pictures.draw(example.scene) if example.scene else None
        question = Question(example.prompt, image, max_new_tokens=task.max_new_tokens)
        state = finish(engine, "ask", question)
        if state.row("base").right is False and state.row("dispatch").right is True:
            return question, (
                f"number {i + 1} of {family}'s {SPLIT} questions (seed {seed}): the first that the base gets wrong "
                f"and the two passes get right"
            )
    raise RecordingError(
        f"none of {tries} {family} questions (seed {seed}) is wrong with the base and right with the two passes: "
        f"try another seed, or give a prompt"
    )


def replay(engine: Engine, recording: Recording) -> Run:
    """Ask the recorded question again, with the same settings and the same current mix."""
    from t2ui.core.mixing import Mix

    old = recording.run
    question = Question(old.prompt, from_base64(old.picture), **recording.settings)
    return finish(engine, "everybody", question, soft=old.soft, mix=Mix.parse(old.row("mix").mix))
