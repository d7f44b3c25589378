"""The first pass: which expert does a prompt need? (arXiv 2501.06252, section 3.2)

Three strategies: ``prompt`` asks the base model for the kind of the question; ``classifier`` asks the same question
under a classifier expert; ``few-shot:NAME`` takes a mix that a search found and somebody kept under that name.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from t2ui.core import Mix

from .choose import choose, choose_all
from .errors import RequestError
from .model import Encoded, Loaded
from .request import Request
from .score import score_ids

OTHER = "other"
STRATEGIES = ("prompt", "classifier", "few-shot")
RECIPES = "recipes"  # folder of kept mixes inside the experts' folder
FEATURES = ("nll", "nll_worst", "unknown", "other")
# The order in which the demo model's corpus names the kinds; experts beyond them follow by name.
_FIRST = ("math", "code", "reasoning", "vision")
_WINDOW = 4  # tokens over which nll_worst averages: one strange word is one to four tokens
_ANSWER_ROOM = 16
_BYTE = re.compile(r"<0x(?!0A>)[0-9A-F]{2}>")  # line breaks are bytes in many vocabularies and prove nothing


@dataclass(frozen=True)
class Dispatch:
    """The first pass's verdict.

    Attributes:
        strategy: ``prompt``, ``classifier`` or ``few-shot:NAME``.
        mix: the alphas for the second pass.
        scores: label -> probability (sum 1), every expert and ``other``, in the question's order.
        choice: the likeliest label; ``other`` stands for the base model.
        why: the reason, in words.
        question: what the base model was asked (without the prompt).
        seconds: wall time of this pass; in :func:`dispatch_all` each prompt's share.
        outside: whether the prompt seems to lie outside this model's world; None where nobody calibrated it.
        outside_why: the reason in words, "" otherwise.
        features: the numbers behind ``outside``: mean surprise of the prompt's tokens under the base model
            (``nll``, nats), its worst four in a row (``nll_worst``), the share of tokens that are single bytes
            (``unknown``), the probability of ``other``.
    """

    strategy: str
    mix: Mix
    scores: Mapping[str, float]
    choice: str
    why: str
    question: str
    seconds: float
    outside: bool | None
    outside_why: str
    features: Mapping[str, float]


def labels_of(loaded: Loaded) -> list[str]:
    """The kinds that are asked for: ``labels`` of the model's t2ui.json (what its corpus asked), else the experts'
    names; ``other`` comes last."""
    named = loaded.settings.get("labels")
    if named is None:
        names = set(loaded.stack.names)
        named = [n for n in _FIRST if n in names] + sorted(names.difference(_FIRST))
    return [str(n) for n in named if n != OTHER] + [OTHER]


def question_of(labels: Sequence[str]) -> str:
    """``What kind of question is this: math, code, reasoning, vision or other?``"""
    *first, last = labels
    return f"What kind of question is this: {', '.join(first)}{' or ' if first else ''}{last}?"


def request_of(labels: Sequence[str], prompt: str, image: Any = None) -> Request:
    """What the first pass asks the model about a prompt."""
    return Request(f"{question_of(labels)}\n{prompt}", image, max_new_tokens=_ANSWER_ROOM)


def dispatch(
    loaded: Loaded, prompt: str, image: Any = None, strategy: str = "prompt", soft: bool = False
) -> Dispatch:
    """Choose the mix for a prompt: hard (the likeliest expert at 1) or soft (the scores as alphas).

    Raises:
        RequestError: the prompt or picture cannot be read. ValueError: an unknown strategy.
    """
    return dispatch_all(loaded, [prompt], [image], strategy, soft)[0]


def dispatch_all(
    loaded: Loaded,
    prompts: Sequence[str],
    images: Sequence[Any] | None = None,
    strategy: str = "prompt",
    soft: bool = False,
    batch_size: int = 64,
) -> list[Dispatch]:
    """:func:`dispatch` of many prompts in batches, for evaluation."""
    method, _, name = strategy.partition(":")
    if method not in STRATEGIES or (name and method != "few-shot"):
        raise ValueError(f"strategy must be prompt, classifier or few-shot:NAME, got {strategy!r}")
    images = [None] * len(prompts) if images is None else list(images)
    if len(images) != len(prompts):
        raise ValueError(f"one picture (or None) per prompt: got {len(prompts)} prompts and {len(images)} pictures")
    if not prompts:
        return []
    begun = time.perf_counter()
    labels = labels_of(loaded)
    question = question_of(labels)
    for prompt in prompts:
        if not prompt.strip():
            raise RequestError("the prompt is empty: type a question")
    if method == "few-shot":
        return _kept(loaded, strategy, name, len(prompts), begun)
    asked = [request_of(labels, p, i) for p, i in zip(prompts, images, strict=True)]
    z = classifier_z(loaded) if method == "classifier" else None
    scores = choose_all(loaded, asked, labels, batch_size, z)
    surprise = prompt_features(loaded, prompts, images, batch_size)
    features = [{**f, "other": s[OTHER]} for f, s in zip(surprise, scores, strict=True)]
    limits = loaded.settings.get(limits_key(strategy))
    verdicts = [_outside(f, limits) for f in features]
    share = (time.perf_counter() - begun) / len(prompts)
    found = []
    for s, f, (outside, outside_why) in zip(scores, features, verdicts, strict=True):
        mix, choice, why = _choice(loaded, s, soft, "base model" if z is None else "classifier expert")
        found.append(Dispatch(strategy, mix, s, choice, why, question, share, outside, outside_why, f))
    return found


def limits_key(strategy: str) -> str:
    """Where t2ui.json keeps the thresholds of the outside notice for a strategy."""
    return "outside" if strategy == "prompt" else f"outside_{strategy}"


def classifier_z(loaded: Loaded) -> torch.Tensor:
    """The classifier expert's z, (R,). Raises RequestError where there is none."""
    expert = loaded.dispatcher
    if expert is None:
        raise RequestError("there is no classifier expert: train one (python -m t2ui train --task dispatch), or use the "
                           "strategy prompt")  # fmt: skip
    return loaded.adapted.join(expert.z)


def recipes(loaded: Loaded) -> dict[str, Path]:
    """Kept mixes by name: the JSON files of ``recipes`` in the experts' folder."""
    if loaded.registry is None:
        return {}
    return {path.stem: path for path in sorted((loaded.registry.folder / RECIPES).glob("*.json"))}


def _kept(loaded: Loaded, strategy: str, name: str, n: int, begun: float) -> list[Dispatch]:
    known = recipes(loaded)
    if name not in known:
        raise RequestError(f"no mix is kept under the name {name!r}: there are {', '.join(known) or 'none'}; "
                           "make one with python -m t2ui search --keep NAME")  # fmt: skip
    try:
        mix = Mix.from_json(known[name].read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(f"the mix kept as {name!r} cannot be read ({error}): search it again") from error
    loaded.check_mix(mix)
    why = f"few-shot: the mix that a search found for {name}; no question is asked"
    means = {k: sum(a) / len(a) if isinstance(a, tuple) else a for k, a in mix.alphas.items()}
    choice = max(means, key=lambda k: means[k]) if means else OTHER
    share = (time.perf_counter() - begun) / n
    return [Dispatch(strategy, mix, {}, choice, why, "", share, None, "", {})] * n


def _choice(loaded: Loaded, scores: Mapping[str, float], soft: bool, who: str = "base model") -> tuple[Mix, str, str]:
    ranked = sorted(scores, key=lambda label: -scores[label])
    choice = ranked[0]
    why = f"asked for the kind of question, the {who} says {choice} ({scores[choice]:.0%})"
    why += f", then {ranked[1]} ({scores[ranked[1]]:.0%})" if len(ranked) > 1 else ""
    known = [name for name in scores if name in loaded.stack.names]
    if soft and known:
        return Mix({name: scores[name] for name in known}), choice, f"{why}; its scores are the alphas"
    if choice == OTHER:
        return Mix.base(), choice, f"{why}: no expert, the base model answers"
    if choice not in known:
        return Mix.base(), choice, f"{why}, but no expert of that name is loaded: the base model answers"
    return Mix.single(choice), choice, why


# -- "outside this model's world" ---------------------------------------------------------------------


def prompt_features(
    loaded: Loaded, prompts: Sequence[str], images: Sequence[Any] | None = None, batch_size: int = 64
) -> list[dict[str, float]]:
    """How strange each prompt is to the base model (``nll``, ``nll_worst``, ``unknown``): the visitor's text only,
    read inside the chat template, without the dispatch question."""
    images = [None] * len(prompts) if images is None else images
    requests = [Request(p, i, max_new_tokens=1) for p, i in zip(prompts, images, strict=True)]
    encoded = [loaded.encode(r) for r in requests]
    cuts = [_own_text(e) for e in encoded]
    values = score_ids(loaded, requests, [c for c, _ in cuts], [t for _, t in cuts], batch_size)
    found = []
    for surprises, (_, ids) in zip(values, cuts, strict=True):
        nll = [-v for v in surprises]
        windows = [sum(nll[i : i + _WINDOW]) / _WINDOW for i in range(len(nll) - _WINDOW + 1)]
        mean = sum(nll) / len(nll)
        found.append({"nll": mean, "nll_worst": max(windows, default=mean), "unknown": _unknown(loaded, ids)})
    return found


def _own_text(encoded: Encoded) -> tuple[Encoded, list[int]]:
    start, end = encoded.prompt_span
    start = min(max(1, start), len(encoded.ids) - 1)  # the very first token has no context to be predicted from
    end = max(end, start + 1)
    return Encoded(encoded.ids[:start], encoded.picture), list(encoded.ids[start:end])


def _unknown(loaded: Loaded, ids: Sequence[int]) -> float:
    tokens = loaded.tokenizer.convert_ids_to_tokens(list(ids))
    unknown = loaded.tokenizer.unk_token
    return sum(1 for t in tokens if t == unknown or _BYTE.fullmatch(t or "")) / len(tokens)


def _outside(features: Mapping[str, float], limits: Mapping[str, float] | None) -> tuple[bool | None, str]:
    """Whether any feature is above its threshold of t2ui.json, and the reason in words."""
    if not limits:
        return None, ""
    over = [f for f in FEATURES if f in limits and features[f] > limits[f]]
    # A visitor's own wording surprises the model too: it only counts where the kind is in some doubt as well.
    if features["other"] < limits.get("other_least", 0.0):
        over = [f for f in over if f == "unknown"]
    words = {
        "nll": "its wording surprises the model ({:.1f} nats a token, in its world at most {:.1f})",
        "nll_worst": "some words surprise the model ({:.1f} nats a token, in its world at most {:.1f})",
        "unknown": "{:.0%} of it is spelt in characters that the model does not know (at most {:.0%})",
        "other": "asked for its kind, the model says other ({:.0%}, in its world at most {:.0%})",
    }
    return bool(over), "; ".join(words[f].format(features[f], limits[f]) for f in over)


def calibrate(
    loaded: Loaded, prompts: Sequence[str], images: Sequence[Any] | None = None, share: float = 0.03,
    strategy: str = "prompt",
) -> dict[str, float]:  # fmt: skip
    """Thresholds of the outside notice such that at most about ``share`` of these (validation) prompts get it.

    Returns:
        The value of ``outside`` in t2ui.json: a threshold per feature (each takes its part of ``share``), ``n``, and
        ``other_least``: with less probability for "other" than this, unusual wording alone raises no notice.
    """
    if not prompts or not 0 < share < 1:
        raise ValueError(f"calibrate needs prompts and 0 < share < 1, got {len(prompts)} prompts and share {share}")
    features = [d.features for d in dispatch_all(loaded, prompts, images, strategy)]
    limits: dict[str, float] = {"n": len(prompts), "share": share}
    for name in FEATURES:
        values = sorted(f[name] for f in features)
        limits[name] = values[min(len(values) - 1, int((1 - share / len(FEATURES)) * len(values)))]
    other = sorted(f["other"] for f in features)
    limits["other_least"] = other[int((1 - share) * len(other))]
    return limits


__all__ = [
    "Dispatch", "calibrate", "choose", "classifier_z", "dispatch", "dispatch_all", "labels_of", "limits_key", "prompt_features",
    "question_of", "recipes", "request_of",
]
