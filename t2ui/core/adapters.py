"""LoRA adapters of PEFT as experts: a folder with adapter_config.json and adapter_model.safetensors.

An adapter changes a matrix by dW = scale * B A with scale = lora_alpha / r (rsLoRA: lora_alpha / sqrt(r)), r and lora_alpha
per module where rank_pattern and alpha_pattern say so. The files are read as they are; peft itself is not needed. Whatever
would change more than that (DoRA, biases, whole modules, embeddings, another initialisation of the base) is refused with the
reason, and so is a pickle: nothing here is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.experts import NAME, RESERVED, Finding, _fail
from t2ui.core.lowrank import LowRank

__all__ = ["CONFIG", "PICKLE", "WEIGHTS", "LoRAExpert", "load_adapter"]

CONFIG, WEIGHTS, PICKLE = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
BEFORE = "base_model.model."  # peft's, before the path of a module in the model that it wraps
KEY = re.compile(r"(?P<path>.+)\.lora_(?P<side>[AB])\.weight")
PLAIN = (True, False, None, "gaussian", "eva", "orthogonal")  # initialisations that leave the base's weights alone

# What an adapter may do beyond adding B A, by the entry of its configuration that says so.
BEYOND = {
    "use_dora": "DoRA, which rescales whole columns of the base",
    "modules_to_save": "whole modules that were trained beside it",
    "lora_bias": "biases of its own",
    "trainable_token_indices": "embeddings of single tokens",
    "target_parameters": "parameters that are no linear layers",
    "layer_replication": "layers of the base used several times",
    "alora_invocation_tokens": "an adapter that acts behind certain tokens only (aLoRA)",
    "use_qalora": "QALoRA's pooled inputs",
    "use_bdlora": "block-diagonal matrices (BD-LoRA)",
    "arrow_config": "a router between adapters (Arrow)",
    "kasa_config": "singular values of its own (KaSA)",
    "velora_config": "VeLoRA",
    "monteclora_config": "MonteCLoRA",
}
PLAIN_LORA = "Train it as a plain LoRA (bias='none', no DoRA, no modules_to_save), or merge it into its base and load that."


@dataclass(frozen=True, eq=False)
class LoRAExpert:
    """A LoRA adapter as an expert, beside `Expert`: mixed, dispatched to and searched the same way.

    Attributes:
        name: letters, digits, "_", "-", "."; not a reserved word.
        parts: module path -> LowRank, the adapter's own scale in B.
        base_id: the base that the adapter names; "" where it names none.
        targets: what its configuration says it targets.
        objective: what it is, in a few words.
        meta: anything else that is plain JSON.
        role: "skill": adapters do not classify.

    Raises:
        ExpertError: a bad name, no matrices, A and B that do not belong together, NaN.
    """

    name: str
    parts: Mapping[str, LowRank] = field(repr=False)
    base_id: str = ""
    targets: str = ""
    objective: str = "LoRA"
    meta: Mapping = field(default_factory=dict)
    role: str = "skill"

    def __post_init__(self) -> None:
        source = f"adapter {self.name!r}"
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name) or self.name in RESERVED:
            raise _fail(source, "unusable name", repr(self.name),
                        f"a letter, then up to 63 letters, digits, '_', '-', '.'; not {', '.join(RESERVED)}",
                        "Rename its folder.")  # fmt: skip
        if not self.parts:
            raise _fail(source, "no matrices", "none", "lora_A and lora_B of at least one linear layer", "Save the adapter again.")
        for path, (A, B) in self.parts.items():
            if A.dim() != 2 or B.dim() != 2 or A.shape[0] != B.shape[1] or not len(A):
                raise _fail(source, f"A and B of {path}", f"{tuple(A.shape)} and {tuple(B.shape)}", "(r, in) and (out, r)",
                            "Convolutions cannot be adapted here; else save the adapter again.")  # fmt: skip
            if not (bool(torch.isfinite(A).all()) and bool(torch.isfinite(B).all())):
                raise _fail(source, f"A or B of {path}", "NaN or infinity", "finite numbers",
                            "Training went astray: take an earlier checkpoint.")  # fmt: skip

    @cached_property
    def digest(self) -> str:
        """Of names and numbers: equal adapters have equal ones."""
        seen = hashlib.sha256()
        for path in sorted(self.parts):
            for part in self.parts[path]:
                seen.update(f"{path} {tuple(part.shape)} ".encode())
                seen.update(part.contiguous().numpy())
        return seen.hexdigest()

    @property
    def rank(self) -> int:
        """The largest rank of its matrices."""
        return max(len(A) for A, _ in self.parts.values())

    @property
    def numbers(self) -> int:
        """How many numbers A and B hold."""
        return sum(A.numel() + B.numel() for A, B in self.parts.values())

    def check(self, adapted: Adapted) -> list[Finding]:
        """All that is wrong with this adapter on this model; an empty list if nothing is."""
        findings = []
        unknown = [p for p in self.parts if p not in adapted.modules]
        if unknown:
            there = {name for name, _ in adapted.model.named_modules()}
            missing = [p for p in unknown if p not in there]
            what = "modules that this model has not got" if missing else "modules that are not adapted here"
            todo = f"Load {self.base_id or 'the base that it was trained on'}."
            if not missing:
                todo = "Load the model with targets='all'; vision tower, projector and output head cannot be adapted: train without them."
            findings.append(Finding(
                "refuse", what, f"{len(missing or unknown)} of {len(self.parts)}, such as {(missing or unknown)[0]}",
                f"modules among the {len(adapted.paths)} of {adapted.base_id}, such as {adapted.paths[0]}", todo,
            ))  # fmt: skip
        wrong = [p for p in self.parts if p in adapted.modules and not self._fits(adapted, p)]
        if wrong:
            m, (A, B) = adapted.modules[wrong[0]], self.parts[wrong[0]]
            findings.append(Finding(
                "refuse", "wrong shape", f"{B.shape[0]} x {A.shape[1]} for {wrong[0]}"
                + f" and {len(wrong) - 1} more" * (len(wrong) > 1), f"{m.out_features} x {m.in_features}",
                f"This adapter is of a model of another size ({self.base_id or 'not named'}): load that one.",
            ))  # fmt: skip
        if findings:
            return findings
        if self.base_id and _last(self.base_id) != _last(str(adapted.base_id)):
            findings.append(Finding(
                "warn", "it names another base model", self.base_id, str(adapted.base_id),
                "Names and shapes fit, so it can be used; whether it was trained on these weights, the file cannot tell.",
            ))  # fmt: skip
        if not any(bool(B.any()) and bool(A.any()) for A, B in self.parts.values()):
            findings.append(Finding("warn", "it changes nothing", "B A = 0 everywhere", "some other than 0", "Train it further."))
        return findings

    def _fits(self, adapted: Adapted, path: str) -> bool:
        m, (A, B) = adapted.modules[path], self.parts[path]
        return A.shape[1] == m.in_features and B.shape[0] == m.out_features


def _last(name: str) -> str:
    return re.split(r"[/\\]", name.rstrip("/\\"))[-1].casefold()


def load_adapter(folder: Path | str, name: str | None = None) -> LoRAExpert:
    """Read an adapter's folder.

    Args:
        name: of the expert; None: the folder's.

    Raises:
        ExpertError: missing, damaged or pickled files, another kind of adapter, anything that a plain LoRA does not do,
            weights that do not belong to the configuration, NaN; the message says what to do.
    """
    folder = Path(folder)
    name = folder.name if name is None else name
    source = f"adapter {folder.name!r}"
    config = _config(folder, source)
    tensors = _tensors(folder, source)
    sides: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        match = KEY.fullmatch(key.removeprefix(BEFORE))
        if match is None or not key.startswith(BEFORE):
            raise _fail(source, "more than lora_A and lora_B", _kind(key), "lora_A and lora_B of linear layers only", PLAIN_LORA)
        sides.setdefault(match["path"], {})[match["side"]] = tensor
    parts = {path: _part(source, path, held, config) for path, held in sorted(sides.items())}
    targets = config["target_modules"]
    stray = [p for p in parts if not _targeted(p, targets)]
    if stray:
        raise _fail(source, "weights that its configuration does not name", f"{len(stray)} modules, such as {stray[0]}",
                    f"modules of target_modules={_short(targets)}", f"{CONFIG} and {WEIGHTS} are of two adapters: copy them again.")  # fmt: skip
    rank = max((len(A) for A, _ in parts.values()), default=0)
    kinds = sorted({p.rsplit(".", 1)[-1] for p in parts})
    return LoRAExpert(
        name, parts, base_id=str(config.get("base_model_name_or_path") or ""), targets=_short(targets),
        objective=f"LoRA of rank {rank} on {', '.join(kinds)}", meta={"title": name, "rank": rank},
    )  # fmt: skip


def _config(folder: Path, source: str) -> dict[str, Any]:
    """The configuration, of a plain LoRA and complete."""
    again = "Copy or download the adapter again."
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("no object in it")
    except OSError as error:
        raise _fail(source, f"{CONFIG} cannot be read", error.strerror or str(error), "an adapter's folder", again) from None
    except ValueError as error:
        raise _fail(source, f"{CONFIG} is damaged", str(error), "JSON", again) from None
    kind = str(config.get("peft_type", "")).upper()
    if kind != "LORA":
        raise _fail(source, "another kind of adapter", config.get("peft_type") or "none named", "peft_type LORA",
                    "Train a LoRA; SVF adapters of peft become experts by t2ui.peft_bridge.peft_to_expert.")  # fmt: skip
    for entry, words in BEYOND.items():
        if config.get(entry):
            raise _fail(source, f"it has {words}", f"{entry}={_short(config[entry])}", "a plain LoRA", PLAIN_LORA)
    if config.get("bias", "none") != "none":
        raise _fail(source, "it trains biases", f"bias={config['bias']!r}", "bias='none'", PLAIN_LORA)
    start = config.get("init_lora_weights", True)
    if start not in PLAIN:
        raise _fail(source, "an initialisation that changes the base's own weights", f"init_lora_weights={_short(start)}",
                    "an adapter of the base as it is",
                    "Save it with path_initial_model_for_weight_conversion, which makes a plain LoRA of it.")  # fmt: skip
    wrong = [key for key in ("r", "lora_alpha") if not _number(config.get(key))]
    wrong += [key for key in ("rank_pattern", "alpha_pattern") if not _pattern(config.get(key))]
    if not _names(config.get("target_modules")):
        wrong.append("target_modules")
    if wrong:
        raise _fail(source, f"{CONFIG} has an unusable {wrong[0]}", _short(config.get(wrong[0])), "what peft writes there", again)
    return config


def _tensors(folder: Path, source: str) -> dict[str, Tensor]:
    if not (folder / WEIGHTS).is_file():
        if (folder / PICKLE).exists():
            raise _fail(source, "a pickle, which may hold code", PICKLE, WEIGHTS,
                        "Never read here: where you trust it, load it with peft and save it with safe_serialization=True.")  # fmt: skip
        raise _fail(source, "its weights are missing", "no such file", WEIGHTS, "Copy or download the adapter again, in one piece.")
    try:
        data = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise _fail(source, f"{WEIGHTS} cannot be read", error.strerror or str(error), "a file", "Check the path.") from None
    try:
        return load_bytes(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _fail(source, f"{WEIGHTS} is truncated or damaged", f"{len(data):,} bytes ({error})", "a safetensors file",
                    "Copy or download the adapter again.") from None  # fmt: skip


def _part(source: str, path: str, held: Mapping[str, Tensor], config: Mapping[str, Any]) -> LowRank:
    """A and B of one module, scaled as peft does."""
    if set(held) != {"A", "B"}:
        raise _fail(source, "half of a pair", f"only lora_{min(held)} of {path}", "lora_A and lora_B", "Save the adapter again.")
    A, B = (held[side].to(torch.float32) for side in "AB")
    r = _by_pattern(config.get("rank_pattern"), path, config["r"])
    alpha = _by_pattern(config.get("alpha_pattern"), path, config["lora_alpha"])
    if A.dim() == 2 and len(A) != r:
        raise _fail(source, f"rank of {path}", str(len(A)), f"{r:g} by {CONFIG}", f"{CONFIG} and {WEIGHTS} are of two adapters: copy them again.")
    scale = alpha / math.sqrt(r) if config.get("use_rslora") else alpha / r
    return LowRank(A.contiguous(), (scale * B).contiguous())


def _by_pattern(patterns: Mapping[str, float] | None, path: str, default: float) -> float:
    """As peft's get_pattern_key: the first pattern that a path ends with."""
    return next((value for key, value in (patterns or {}).items() if re.match(rf"(.*\.)?({key})$", path)), default)


def _targeted(path: str, targets: str | list[str]) -> bool:
    if isinstance(targets, str):
        return targets == "all-linear" or re.fullmatch(targets, path) is not None
    return any(path == t or path.endswith(f".{t}") for t in targets)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _pattern(held: object) -> bool:
    if held is None:
        return True
    try:
        return isinstance(held, dict) and all(_number(v) and re.compile(k) for k, v in held.items())
    except re.error:
        return False


def _names(targets: object) -> bool:
    try:
        return bool(targets) and (isinstance(targets, list) and all(isinstance(t, str) for t in targets)
                                  or isinstance(targets, str) and bool(re.compile(targets)))  # fmt: skip
    except re.error:
        return False


def _kind(key: str) -> str:
    """A key in words that say what it stands for."""
    for part, words in (("lora_magnitude_vector", "DoRA"), ("lora_embedding_", "embeddings"), ("modules_to_save", "whole modules")):
        if part in key:
            return f"{key} ({words})"
    return f"{key} (a bias)" if key.endswith(".bias") else key


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:79] + "…"
