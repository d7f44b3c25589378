"""What the page does, for notebooks and scripts: the functions behind the names of ``import t2ui`` (docs/python.md).

Thin: checking, loading, decoding, searching and measuring are those of :mod:`t2ui.engine` and :mod:`t2ui.core`, whose objects
come back, so that one can go on with them. A model is used by one thread at a time; a server wants :class:`t2ui.engine.Engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from t2ui.core import Mix, change, spectrum
from t2ui.engine import Answer, ExportSettings, Loaded, LoadReport, Request, RequestError, answer_all, dispatch
from t2ui.engine import export as _export
from t2ui.engine import load as _load
from t2ui.engine.search import PRESETS, SearchReport, SearchResult, SearchSettings
from t2ui.engine.search import search as _search

if TYPE_CHECKING:
    from t2ui.engine.search import Shot

ROOT = Path(__file__).resolve().parents[1]
AnyMix = Mix | str | Mapping[str, Any]  # Any: a number, or a tuple of one per decoder layer
DEMO, EXPERTS = ROOT / "assets" / "demo-model", ROOT / "experts"


def load(model: str | Path | None = None, experts: str | Path | None = EXPERTS, *, device: str = "auto", dtype: str = "auto",
         targets: str = "all", progress: Callable[[LoadReport], object] | None = None) -> Loaded:  # fmt: skip
    """Load a model and its experts.

    Args:
        model: a folder in Hugging Face format, or a name of the Hub (owner/model); the shipped demo model by default.
        experts: a folder of experts; None: no experts. Those that belong to another base are left out;
            ``loaded.registry.refused`` says why.
        device: ``auto`` (a GPU if there is one; the demo model always the CPU), ``cpu``, ``cuda``, ``cuda:1``, or ``split`` over
            all GPUs.
        dtype: ``auto``, ``float32``, ``bfloat16`` or ``float16``.
        targets: which matrices are adapted: ``all``, ``attention``, ``mlp``, or a regular expression on their names.
        progress: called with a report (``stage``, ``text``, ``done``, ``total``) now and then: a large model is decomposed
            when it is loaded for the first time.

    Returns:
        ``loaded.stack.names`` are the experts, ``loaded.info`` says name, size, device and so on; all other functions take it.

    Raises:
        t2ui.engine.ModelError: no model there, or one that cannot be used; says what to do.
    """
    return _load(DEMO if model is None else model, device=device, dtype=dtype, experts_dir=experts, targets=targets,
                 progress=progress)  # fmt: skip


@overload
def answer(loaded: Loaded, prompt: str, mix: AnyMix = ..., image: Any = ..., **settings: Any) -> Answer: ...
@overload
def answer(loaded: Loaded, prompt: str, mix: Sequence[AnyMix], image: Any = ..., **settings: Any) -> list[Answer]: ...
@overload
def answer(loaded: Loaded, prompt: Sequence[str], mix: AnyMix = ..., image: Any = ..., **settings: Any) -> list[Answer]: ...
def answer(loaded: Loaded, prompt: str | Sequence[str], mix: AnyMix | Sequence[AnyMix] = "auto:prompt", image: Any = None,
           *, soft: bool = False, **settings: Any) -> Answer | list[Answer]:  # fmt: skip
    """Answer one prompt with one mix; or one prompt with several mixes, or several prompts with one, side by side in a batch.

    No weight is written: every answer is a row with a mix of its own.

    Args:
        prompt: the question, or a list of them.
        mix: a :class:`Mix`, or its alphas (``{"math": 0.6}``); a text such as ``base``, ``math`` or ``math=0.6,code=0.2``; a
            recipe file (``.json``); or ``auto:STRATEGY``, which asks :func:`dispatch` first. Or a list of these, for one prompt.
        image: a picture (``PIL.Image``, a path or encoded bytes) that goes with every prompt.
        soft: with ``auto:``, blend the experts by their scores.
        settings: of :class:`t2ui.engine.Request`: ``temperature`` (0, the default, takes the likeliest token), ``top_p``,
            ``seed``, ``max_new_tokens`` (96), ``system``, ``prefix``, ``think``.

    Returns:
        An :class:`t2ui.engine.Answer`, or a list in the order given: ``text``, ``thinking``, ``tokens``, ``logprobs``,
        ``reason``, and ``applied``, which says what really adapted the model.

    Raises:
        t2ui.engine.RequestError: a prompt, picture, expert or setting that cannot be used. ValueError: a mix that cannot be read,
            lists of prompts and of mixes at once, or empty ones. TypeError: an unknown setting.
    """
    many_prompts, many_mixes = not isinstance(prompt, str), not isinstance(mix, (Mix, str, Mapping))
    prompts, mixes = list(prompt) if many_prompts else [prompt], list(mix) if many_mixes else [mix]
    if many_prompts and many_mixes:
        raise ValueError(f"give several prompts or several mixes, not both (got {len(prompts)} and {len(mixes)}): call answer "
                         "for each prompt")  # fmt: skip
    if not prompts or not mixes:
        raise ValueError(f"nothing to answer: got {len(prompts)} prompts and {len(mixes)} mixes")
    settings = {"logprobs": True, **settings}
    requests = [Request(p, image, _mix(loaded, m, p, image, soft), **settings) for p in prompts for m in mixes]
    answers = answer_all(loaded, requests, mode="rows")
    return answers if many_prompts or many_mixes else answers[0]


def search(loaded: Loaded, examples: Iterable[Any], preset: str = "light", *, fresh: Iterable[Any] = (),
           default: AnyMix | None = None, names: Sequence[str] | None = None,
           progress: Callable[[SearchReport], object] | None = None,
           **settings: Any) -> SearchResult:  # fmt: skip
    """Search the mix that answers a few examples best, by the cross-entropy method.

    Args:
        examples: 1 to 256 of them: pairs (prompt, answer), mappings with ``prompt`` and ``answer``, examples of a task
            (``t2ui.tasks``; these may have pictures), or :class:`t2ui.engine.search.Shot`. Where a task family knows a prompt,
            its grader judges; elsewhere an answer is right that equals the given one or closes with it.
        preset: ``live`` (by the likelihood of the answers: quick), ``light`` or ``paper`` (by right answers).
        fresh: further examples that the search does not see; they decide between its two results.
        default: a mix that stays the result unless the search's is clearly better on ``fresh`` (``dispatch(...).mix``, say).
        names: the experts to mix; all by default.
        progress: called with a report for every batch and generation (``kind``, ``generation``, ``evaluations``, ``seconds``,
            ``round``).
        settings: of :class:`t2ui.engine.search.SearchSettings`, over the preset's: ``population``, ``generations``, ``method``,
            ``objective``, ``per_layer``, ``low``, ``high``, ``seed``, ...

    Returns:
        ``result.mix`` is the mix found, ``result.mean`` and ``result.best`` the two candidates with their verdicts;
        ``result.chosen`` says which it is (``default``: neither is clearly better).

    Raises:
        ValueError: an unknown preset or setting, an example that cannot be used. t2ui.engine.RequestError: as in :func:`answer`,
            and where there is no expert to mix.
    """
    from dataclasses import fields, replace

    if preset not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    known = [field.name for field in fields(SearchSettings)]
    if unknown := [name for name in settings if name not in known]:
        raise ValueError(f"a search has no setting {unknown[0]!r}: there are {', '.join(known)}")
    chosen = replace(PRESETS[preset].settings, **settings)
    report = None
    for report in _search(loaded, _shots(examples), chosen, fresh=_shots(fresh), names=names,
                          default=None if default is None else _mix(loaded, default)):  # fmt: skip
        if progress is not None:
            progress(report)
    return report.result


def spectra(loaded: Loaded, mix: AnyMix, matrix: str | None = None) -> dict[str, Any]:
    """What a mix does to the weights, as columns of a table (``pandas.DataFrame(t2ui.spectra(loaded, "math"))``).

    Args:
        mix: as in :func:`answer`, without ``auto:``.
        matrix: the name of one matrix (out of the column ``matrix``): its singular values instead.

    Returns:
        A line per adapted matrix: ``matrix``, ``layer``, ``module``, ``r``; ``norm`` = |W| and ``sigma_max``; ``rms`` = root mean
        square of z - 1, ``mean`` = its mean; ``dw`` = |W' - W|, ``dw_rel`` = dw / norm (Frobenius norms). Of one matrix:
        ``index``, ``sigma``, ``sigma2`` = sigma z, ``z``, a line per singular value (and ``matrix``, ``layer``, ``module``, ``r``, which are
        the same in all). Where the mix holds LoRA experts, ``rescales`` is the share of dw^2 that rescales singular values (the rest
        rotates them), and what speaks of z is of that part.

    Raises:
        t2ui.engine.RequestError: an expert that is not loaded. ValueError: a mix that cannot be read, an unknown matrix.
    """
    wanted = _mix(loaded, mix)
    loaded.check_mix(wanted)
    held = loaded.stack.change(wanted)
    found = change(loaded.adapted, held) if matrix is None else spectrum(loaded.adapted, matrix, held)
    return {"matrix" if key == "path" else key: column for key, column in found.items()}


def export(loaded: Loaded, mix: AnyMix, kind: str, folder: str | Path, **settings: Any) -> Path:
    """Write a mix so that others can use it.

    Args:
        mix: as in :func:`answer`, without ``auto:``.
        kind: ``expert`` (for t2ui, on the same base; of LoRA experts their projection on SVF, the loss stated), ``lora`` (a PEFT adapter), ``merged`` (the whole model with the mix in its
            weights) or ``recipe`` (the alphas).
        folder: a new folder; it appears when it is complete.
        settings: of :class:`t2ui.engine.ExportSettings`: ``rank`` of a LoRA (16; None: full, nothing is lost), ``name``,
            ``base_name``, ``shard``, ``force``.

    Returns:
        The folder. Its ``recipe.json`` says what was written, its README.md how to use it.

    Raises:
        t2ui.engine.ExportError: an unknown kind, the base model, a folder in the way, no room. t2ui.engine.RequestError,
            ValueError: as in :func:`spectra`.
    """
    last = list(_export(loaded, _mix(loaded, mix), kind, folder, ExportSettings(**settings)))[-1]
    return last.folder


def _mix(loaded: Loaded, mix: AnyMix, prompt: str | None = None, image: Any = None, soft: bool = False) -> Mix:
    from t2ui.train.evaluate import read_mix

    if isinstance(mix, Mapping):
        return Mix(mix)
    if not isinstance(mix, (Mix, str)):
        raise ValueError(f"a mix is a Mix or a text such as math=0.6,code=0.2, got {type(mix).__name__}")
    wanted = read_mix(mix) if isinstance(mix, str) else mix
    if isinstance(wanted, Mix):
        return wanted
    if prompt is None:
        raise ValueError(f"{mix} needs a prompt to choose by: give the mix that dispatch chose for one, dispatch(...).mix")
    return dispatch(loaded, prompt, image, strategy=wanted.removeprefix("auto:"), soft=soft).mix


def _shots(examples: Iterable[Any]) -> list[Shot]:
    from t2ui.engine.search import Shot
    from t2ui.shots import Example as Line
    from t2ui.shots import shots_from
    from t2ui.tasks import TASKS
    from t2ui.tasks.base import Example
    from t2ui.train.fewshot import shot_of

    shots = []
    for number, example in enumerate(examples, 1):
        if isinstance(example, Shot):
            shots.append(example)
        elif isinstance(example, Example):
            shots.append(shot_of(TASKS[example.task], example))
        else:
            pair = (example.get("prompt"), example.get("answer", "")) if isinstance(example, Mapping) else example
            if not (isinstance(pair, Sequence) and len(pair) == 2 and isinstance(pair[0], str) and pair[0].strip()):
                raise ValueError(f"example {number} must be a pair (prompt, answer), got {example!r}")
            made, left = shots_from([Line(pair[0].strip(), str(pair[1]).strip(), number)])
            if left:
                raise ValueError(f"example {number} cannot be used: {left[0][1]}")
            shots += made
    return shots


__all__ = ["DEMO", "EXPERTS", "Answer", "Mix", "RequestError", "answer", "dispatch", "export", "load", "search", "spectra"]
