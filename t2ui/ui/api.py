"""The six named endpoints (docs/api.md): thin functions over the engine, for ``gradio_client`` and plain HTTP.

Everything else on the page is private. A caller gives texts and numbers only: a picture is a ``data:`` URI, never a path, so that
no file of the server can be read. What is refused comes back as a sentence; the engine's bounded queue turns callers away when it
is full, and searches, which take long, are counted besides.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, contextmanager
from dataclasses import asdict
from typing import Any

import gradio as gr

from t2ui.runs import Halt
from t2ui.searches import run_search
from t2ui.ui.backend import Backend
from t2ui.ui.composer import MAX_PROMPT, InputError
from t2ui.ui.events import explain
from t2ui.ui.pictures import from_data
from t2ui.ui.tabs import search as search_tab
from t2ui.ui.text import Text

NAMES = ("dispatch", "answer", "compare", "spectra", "search", "recipe")
MAX_MIXES, MAX_TOKENS, MAX_SEARCHES, MAX_SHOTS, MAX_EXAMPLES = 16, 256, 2, 32, 1_000_000


def add(backend: Backend, t: Text) -> None:
    """Put the endpoints onto the page that is being built."""
    for name, fn in endpoints(backend, t).items():
        gr.api(fn, api_name=name, concurrency_limit=None)


def endpoints(backend: Backend, t: Text) -> dict[str, Callable]:
    """The functions by name; each raises ``gr.Error`` with what to do for whatever it refuses."""
    searching: set[object] = set()

    def engine() -> Any:
        if backend.state != "ready":
            backend.page_opened()  # who calls wants it, page or no page
            raise InputError(t("status.not_ready") if backend.state == "loading" else backend.text)
        return backend.engine

    def checked(prompt: Any, picture: Any) -> tuple[str, Any]:
        if not isinstance(prompt, str) or not prompt.strip():
            raise InputError(t("question.empty"))
        if len(prompt) > MAX_PROMPT:
            raise InputError(t("api.long", n=len(prompt), limit=MAX_PROMPT))
        return prompt, from_data(picture, t)

    def requests(prompt: str, image: Any, mixes: list[Any], temperature: Any, seed: Any, tokens: Any) -> list[Any]:
        from t2ui.engine import Request

        _within(t, "max_new_tokens", tokens, 1, MAX_TOKENS)
        settings = {"image": image, "temperature": _plain(temperature), "seed": _plain(seed), "max_new_tokens": int(tokens)}
        rows = [Request(prompt, mix=mix, logprobs=True, **settings) for mix in mixes]
        for row in rows:
            row.check()
        return rows

    async def mix_of(text: Any, prompt: str, image: Any) -> Any:
        """``base``, ``math=0.6,code=0.2`` or ``auto:STRATEGY``, as on the command line."""
        from t2ui.core.mixing import Mix

        if not isinstance(text, str) or not text.strip():
            raise InputError(t("api.mix", found=repr(text)))
        if text.startswith("auto:"):
            found = await engine().dispatch(prompt, image, text.removeprefix("auto:"))
            return found.mix
        return Mix.parse(text)

    async def answered(rows: list[Any]) -> list[dict[str, Any]]:
        stream = engine().submit(rows)
        try:
            async for _ in stream:
                pass
            if stream.error is not None:
                raise stream.error
            return [_answer(a) for a in stream.answers]
        finally:
            stream.cancel()

    async def dispatch(prompt: str, picture: str = "", strategy: str = "prompt", soft: bool = False) -> dict[str, Any]:
        """The first pass alone: which expert does a prompt need?

        Args:
            prompt: the question, at most 2,000 characters.
            picture: a data: URI of a PNG, JPEG, WebP or BMP, or nothing.
            strategy: prompt, classifier or few-shot:NAME.
            soft: scores as alphas instead of the likeliest expert at 1.
        """
        text, image = checked(prompt, picture)
        found = await engine().dispatch(text, image, str(strategy), bool(soft))
        return {"mix": str(found.mix), "choice": found.choice, "scores": dict(found.scores), "why": found.why,
                "question": found.question, "strategy": found.strategy, "seconds": found.seconds,
                "outside": found.outside, "outside_why": found.outside_why}  # fmt: skip

    async def answer(
        prompt: str, mix: str = "auto:prompt", picture: str = "", temperature: float = 0.0, seed: int = 0,
        max_new_tokens: int = 96,
    ) -> dict[str, Any]:  # fmt: skip
        """One answer under one mix: base, math=0.6,code=0.2, or auto:STRATEGY for both passes.

        Args:
            prompt: the question, at most 2,000 characters.
            mix: as above.
            picture: a data: URI or nothing.
            temperature: 0 takes the likeliest token.
            seed: of the sampling noise.
            max_new_tokens: 1 to 256.
        """
        text, image = checked(prompt, picture)
        chosen = await mix_of(mix, text, image)
        return (await answered(requests(text, image, [chosen], temperature, seed, max_new_tokens)))[0]

    async def compare(
        prompt: str, mixes: list[str], picture: str = "", temperature: float = 0.0, seed: int = 0, max_new_tokens: int = 96
    ) -> list[dict[str, Any]]:
        """The same question under several mixes (at most 16) from the same seed, as rows of one batch.

        Args:
            prompt: the question, at most 2,000 characters.
            mixes: each as in answer.
            picture, temperature, seed, max_new_tokens: as in answer.
        """
        text, image = checked(prompt, picture)
        if not isinstance(mixes, list) or not 1 <= len(mixes) <= MAX_MIXES:
            raise InputError(t("api.mixes", limit=MAX_MIXES))
        chosen = [await mix_of(mix, text, image) for mix in mixes]
        return await answered(requests(text, image, chosen, temperature, seed, max_new_tokens))

    async def spectra(mix: str, matrix: str = "") -> dict[str, Any]:
        """What a mix does to the weights: a line per adapted matrix, or, with its name, one matrix's singular values.

        Args:
            mix: base, math=0.6,code=0.2, ...
            matrix: a name out of the result's matrix column, or nothing.
        """
        from t2ui.core import change, spectrum
        from t2ui.core.mixing import Mix

        if not isinstance(mix, str) or not isinstance(matrix, str):
            raise InputError(t("api.mix", found=repr(mix)))
        wanted = Mix.parse(mix)

        def columns(loaded: Any) -> dict[str, Any]:
            loaded.check_mix(wanted)
            held = loaded.stack.change(wanted)
            found = spectrum(loaded.adapted, matrix, held) if matrix else change(loaded.adapted, held)
            return {"matrix" if key == "path" else key: value for key, value in found.items()}  # gradio fetches a "path"

        return await engine().run(columns)

    async def search(
        task: str = "", examples: str = "", shots: int = 8, preset: str = "live", per_layer: bool = False, seed: int = 0
    ) -> AsyncIterator[dict[str, Any]]:
        """Search the mix that answers a few examples best (CEM): a line per generation, the last with the mix found.

        Args:
            task: take the examples from this task; or
            examples: JSON Lines ({"prompt": ..., "answer": ...}) or CSV with a header.
            shots: how many examples of the task, 1 to 32.
            preset: live, light or paper.
            per_layer: one alpha per decoder layer.
            seed: of examples and draws.
        """
        running = engine()
        _within(t, "shots", shots, 1, MAX_SHOTS)
        _within(t, "seed", seed, 0, 2**31 - 1)
        if preset not in search_tab.PRESETS or not isinstance(examples, str) or len(examples) > MAX_EXAMPLES:
            raise InputError(t("api.preset", known=", ".join(search_tab.PRESETS), limit=f"{MAX_EXAMPLES:,}"))
        if not examples.strip() and task not in search_tab.TASKS:
            raise InputError(t("api.task", known=", ".join(search_tab.TASKS)))
        source = "own" if examples.strip() else "task"
        ready = search_tab.prepare(t, source, task, int(shots), examples, preset, per_layer, int(seed))
        if len(searching) >= MAX_SEARCHES:
            raise InputError(t("api.searches", limit=MAX_SEARCHES))
        halt, ticket, told = Halt(), object(), 0
        searching.add(ticket)
        try:
            async for state in run_search(running, ready.shots, ready.settings, task=ready.task, fresh=ready.fresh, halt=halt):
                if state.error:
                    raise InputError(state.error)
                if state.over or len(state.generations) > told:
                    told = len(state.generations)
                    last = state.generations[-1] if state.generations else None
                    yield {"stage": state.stage, "generation": told, "planned": state.planned, "names": list(state.names),
                           "objective": state.objective, "evaluations": state.evaluations, "seconds": state.seconds,
                           "best": last.best if last else None, "mean": list(last.mean) if last else [],
                           "mix": state.mix, "chosen": state.chosen}  # fmt: skip
        finally:
            halt.stop()
            searching.discard(ticket)

    async def recipe(mix: str) -> dict[str, Any]:
        """A mix as a recipe file that the command line reads (--mix FILE), with the model it belongs to.

        Args:
            mix: base, math=0.6,code=0.2, ...
        """
        from t2ui.core.mixing import Mix

        if not isinstance(mix, str):
            raise InputError(t("api.mix", found=repr(mix)))
        wanted = Mix.parse(mix)

        def made(loaded: Any) -> dict[str, Any]:
            loaded.check_mix(wanted)
            change = loaded.applied([wanted], loaded.scales([wanted]), "rows")[0].change
            return {**wanted.to_json(), "model": loaded.info.name, "experts": list(loaded.stack.names), "change": change}

        return await engine().run(made)

    plain = {"dispatch": dispatch, "answer": answer, "compare": compare, "spectra": spectra, "search": search, "recipe": recipe}
    return {name: _said(fn, t) for name, fn in plain.items()}


def _answer(found: Any) -> dict[str, Any]:
    applied = found.applied
    return {"text": found.text, "thinking": found.thinking, "reason": found.reason, "tokens": list(found.tokens),
            "logprob": found.logprob, "logprobs": list(found.logprobs), "mix": applied.mix if applied else None,
            "applied": asdict(applied) if applied else None, "seconds": dict(found.seconds), "error": found.error}  # fmt: skip


def _plain(value: Any) -> Any:
    """1.0 is a whole number over JSON, and 0 a fraction; everything else the engine judges."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _within(t: Text, name: str, value: Any, low: int, high: int) -> None:
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer()
    if not whole or not low <= value <= high:
        raise InputError(t("api.number", name=name, low=f"{low:,}", high=f"{high:,}", found=repr(value)[:40]))


@contextmanager
def _in_words(t: Text):
    """Whatever is refused reaches the caller as its own sentence; a bug as a sentence without details."""
    from t2ui.engine import EngineError

    try:
        yield
    except (InputError, EngineError, ValueError) as error:
        raise gr.Error(str(error), print_exception=False) from error
    except gr.Error:
        raise
    except Exception as error:
        raise gr.Error(explain(error, t), print_exception=False) from error


def _said(fn: Callable, t: Text) -> Callable:
    """The function with its refusals in words, and with the signature that gradio reads the endpoint's types from."""
    if inspect.isasyncgenfunction(fn):

        @functools.wraps(fn)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _in_words(t):
                async with aclosing(fn(*args, **kwargs)) as items:  # whoever leaves ends it at once
                    async for item in items:
                        yield item

    else:

        @functools.wraps(fn)
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            with _in_words(t):
                return await fn(*args, **kwargs)

    read = inspect.signature(fn, eval_str=True)
    each = dict[str, Any] if inspect.isasyncgenfunction(fn) else read.return_annotation
    wrapped.__signature__ = read.replace(return_annotation=each)  # type: ignore[attr-defined]
    return wrapped
