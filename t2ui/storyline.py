"""The five moments of a demo as they once really went: what a live step shows where it fails or takes too long.

``python -m t2ui record`` makes ``assets/recorded/story.json``: the runs, the search, the sweep and the matrices of the very
steps that the page plays (``t2ui.ui.story``), with the model that made them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2ui.cells import expert_names
from t2ui.recorded import SEED, RecordingError, about_of, find, finish
from t2ui.runfile import build
from t2ui.runs import Question, Run, overrule
from t2ui.scores import STEPS, Scores, run_scores
from t2ui.searches import SearchView, run_search

if TYPE_CHECKING:
    from t2ui.engine import Engine, Loaded

FORMAT = 1
ASK, WRONG = "math", "code"  # whose question is asked; to whom it is overruled
SEARCH, SHOTS = "vision_math", 8
SWEEP, QUESTIONS = "math_code", 8


@dataclass(frozen=True)
class Card:
    """A mix in the weights. Attributes: columns: of every matrix (``t2ui.core.change``); best: the spectrum of the one that
    changes most; shape: its shape."""

    mix: str
    columns: Mapping[str, Any]
    best: Mapping[str, Any]
    shape: tuple[int, int]


@dataclass(frozen=True)
class Story:
    """Attributes: prompt: the question of the first two moments; ask, overrule, mix: runs of it; alphas: of every cell of the
    sweep; about: how it was made."""

    about: Mapping[str, Any]
    names: tuple[str, ...]
    prompt: str
    ask: Run
    overrule: Run
    mix: Run
    search: SearchView
    alphas: tuple[tuple[float, ...], ...]
    sweep: Scores
    card: Card


def record_story(source: Engine | Loaded, seed: int = SEED) -> dict[str, Any]:
    """Really play the five moments, and return them as JSON-able data.

    Raises:
        RecordingError: an expert or a telling question is missing, the engine refused.
    """
    from t2ui.engine import Engine

    engine = source if isinstance(source, Engine) else Engine(source)
    try:
        loaded = engine.wait()
        names = expert_names(loaded)
        if missing := [name for name in (ASK, WRONG) if name not in names]:
            raise RecordingError(f"the storyline needs the experts {ASK} and {WRONG}; there is no {', '.join(missing)}")
        question, why = find(engine, ASK, seed)
        return {"format": FORMAT, **asdict(_play(engine, names, question, about_of(loaded, why), seed))}
    finally:
        if engine is not source:
            engine.close()


def _play(engine: Engine, names: tuple[str, ...], question: Question, about: dict[str, Any], seed: int) -> Story:
    from t2ui.core.mixing import Mix

    asked = finish(engine, "ask", question)
    other = asyncio.run(_last(overrule(engine, asked, question, WRONG)))
    mixed = finish(engine, "mix", question, mix=Mix.single(ASK))
    search = asyncio.run(_search(engine, seed))
    alphas = sweep_alphas(names)
    swept = asyncio.run(_last(run_scores(engine, [Mix(dict(zip(names, cell, strict=True))) for cell in alphas], SWEEP, QUESTIONS)))
    for state in (other, search, swept):
        if state.stage != "done":
            raise RecordingError(f"a moment did not finish: {state.error or state.stage}")
    return Story(about, names, question.prompt, asked, other, mixed, search, alphas, swept, engine.run(_card).result())


def sweep_alphas(names: tuple[str, ...]) -> tuple[tuple[float, ...], ...]:
    """The cells of the story's sweep, as the page's own (``t2ui.ui.tabs.sweep.plan``): rows from 1 down to 0."""
    return tuple(tuple(x if name == ASK else y if name == WRONG else 0.0 for name in names) for y in reversed(STEPS) for x in STEPS)


async def _last(states: AsyncIterator[Any]) -> Any:
    return [state async for state in states][-1]


async def _search(engine: Engine, seed: int) -> SearchView:
    """As the page's Search tab is set when it is opened."""
    from t2ui.engine.search import PRESETS
    from t2ui.tasks import get_task
    from t2ui.train.fewshot import shots_of

    shots, fresh = shots_of(get_task(SEARCH), SHOTS, seed, 16)
    settings = replace(PRESETS["live"].settings, seed=seed, rows=32)
    return await _last(run_search(engine, shots, settings, task=SEARCH, fresh=fresh, heldout_n=100))


def _card(loaded: Any) -> Card:
    from t2ui.core import Mix, change, spectrum

    mix = Mix.single(ASK)
    z = loaded.stack.z(mix)
    columns = change(loaded.adapted, z)
    path = columns["path"][max(range(len(columns["path"])), key=lambda i: columns["dw_rel"][i])]
    out, into = loaded.adapted.modules[path].weight.shape
    kept = {key: [round(v, 6) if isinstance(v, float) else v for v in values] for key, values in columns.items()}
    best = {key: [round(v, 6) for v in value] if isinstance(value, list) else value for key, value in
            spectrum(loaded.adapted, path, z).items()}  # fmt: skip
    return Card(str(mix), kept, best, (int(out), int(into)))


def load_story(path: str | Path) -> Story:
    """Read a recorded story.

    Raises:
        RecordingError: no such file, or not one of this version.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT:
            raise ValueError(f"expected format {FORMAT}")
        data.pop("made_by", None)
        card = data.pop("card")
        kinds = {"ask": Run, "overrule": Run, "mix": Run, "search": SearchView, "sweep": Scores}
        built = {key: build(kind, data.pop(key), key) for key, kind in kinds.items()}
        return Story(dict(data["about"]), tuple(data["names"]), str(data["prompt"]), **built,
                     alphas=tuple(tuple(map(float, cell)) for cell in data["alphas"]),
                     card=Card(**{**card, "shape": tuple(card["shape"])}))  # fmt: skip
    except OSError as error:
        raise RecordingError(f"no story at {path}: make one with `python -m t2ui record`") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RecordingError(f"{path} is not a recorded story ({error}): make it with `python -m t2ui record`") from error
