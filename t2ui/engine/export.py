"""Mixes on their way out: as an SVF expert, a PEFT LoRA, a merged checkpoint or a recipe.

Every export is a flat folder that appears under its name only when it is complete. Beside the files of its kind it holds
``recipe.json`` (the mix, the base and its fingerprint, what was measured; ``eval`` reads it as a mix) and a card.

* expert: ``expert.safetensors``, for this program, on the same base. What a LoRA expert in the mix rotates is lost: its projection
  on SVF is written, and the loss is stated.
* lora: ``adapter_config.json`` and ``adapter_model.safetensors`` as peft writes them, for peft, vLLM and llama.cpp's converter.
  One rank for all matrices, scale 1 (lora_alpha = r), no rank patterns, no DoRA, no rsLoRA, no extra modules: what vLLM takes.
* merged: the whole model with the mix folded in, tokenizer, processor and chat template, for transformers and whatever reads
  its folders.
* recipe: only ``recipe.json``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.experts import Expert, load_expert
from t2ui.core.files import folder_atomic, free_disk, refuse_existing
from t2ui.core.lora import LoRA, best_lora, full_rank
from t2ui.core.lowrank import Change
from t2ui.core.mixing import Mix
from t2ui.core.spectra import projection

from .errors import ExportError
from .export_card import card
from .model import Loaded

KINDS = ("expert", "lora", "merged", "recipe")
RECIPE, ADAPTER, ADAPTER_CONFIG = "recipe.json", "adapter_model.safetensors", "adapter_config.json"
RANK = 16  # vLLM's default --max-lora-rank
_PREFIX = "base_model.model."  # peft's, before the path of a module in the model that it wraps
_MARGIN = 64 * 2**20  # bytes that stay free beside what is written
_SIZE = re.compile(r"[1-9]\d*[KMGT]B")
_BESIDE = ("tokenizer.model", "LICENSE*", "NOTICE*", "USE_POLICY*")  # files that saving a tokenizer does not write

Measure = Callable[[AbstractContextManager[Any]], list[dict[str, Any]]]


@dataclass(frozen=True)
class ExportSettings:
    """What there is to choose.

    Attributes:
        rank: of a LoRA; None: full, nothing is lost.
        name: of an expert; None: the folder's.
        base_name: what an adapter names as its base (a Hub id); None: as the model was given.
        shard: largest size of one file of a merged checkpoint.
        force: an earlier export of that name may be replaced.
    """

    rank: int | None = RANK
    name: str | None = None
    base_name: str | None = None
    shard: str = "5GB"
    force: bool = False


@dataclass(frozen=True)
class ExportReport:
    """Progress of :func:`export`: ``stage`` is ``write``, ``measure`` or ``done``; ``text`` is for people; ``facts`` (with
    ``done``) is what recipe.json holds, ``folder`` where it is."""

    stage: str
    text: str
    folder: Path | None = None
    facts: dict[str, Any] | None = None


def export(loaded: Loaded, mix: Mix, kind: str, out: Path | str, settings: ExportSettings | None = None, *,
           measure: Measure | None = None, made_by: Mapping[str, Any] | None = None) -> Iterator[ExportReport]:  # fmt: skip
    """Write a mix as ``kind`` into the new folder ``out``; an exception leaves nothing behind.

    Args:
        measure: called with a context manager within which the model computes with what was written, read back from its
            files; what it returns goes into recipe.json and the card (t2ui.train.exports makes such callables).
        made_by: command, versions, ...: goes into recipe.json.

    Raises:
        ExportError: an unknown kind, the base model, a folder in the way, too little room on the disk, a file that
            cannot be written.
        ExpertError: an unusable name. RequestError: the mix does not fit the model.
    """
    s = settings or ExportSettings()
    if kind not in KINDS:
        raise ExportError(f"a mix is exported as one of {', '.join(KINDS)}, got {kind!r}")
    if not _SIZE.fullmatch(s.shard):
        raise ExportError(f"the size of a shard is a number with KB, MB, GB or TB, such as 5GB, got {s.shard!r}")
    loaded.check_mix(mix)
    change = loaded.stack.change(mix)
    if kind != "recipe" and change.is_base:
        raise ExportError(f"mix {mix} is the base model, there is nothing to export as {kind}: name an expert, such as math=1")
    out = Path(out)
    _check_room(out, _needed(loaded, change, kind, s), s.force)
    facts = _facts(loaded, mix, kind, made_by)
    # What can be wrong with a name or a rank is told before a folder is begun.
    expert = _expert(loaded, mix, change, s.name or out.absolute().name) if kind == "expert" else None
    lora = best_lora(loaded.adapted, change, s.rank) if kind == "lora" else None
    try:
        with folder_atomic(out, s.force, is_export) as draft:
            yield ExportReport("write", f"writing {out.name} as {kind}")
            try:
                if expert is not None:
                    expert.save(draft)
                    facts["export"] |= {"name": expert.name, "numbers": sum(t.numel() for t in expert.z.values())}
                    if "projected" in expert.meta:
                        facts["export"]["projected"] = expert.meta["projected"]
                elif lora is not None:
                    facts["export"] |= write_lora(loaded, lora, draft, s.base_name)
                elif kind == "merged":
                    facts["export"] |= write_merged(loaded, change, draft, s.shard)
            except (OSError, SafetensorError) as error:
                raise ExportError(f"{out} could not be written ({error}): nothing of it was kept") from error
            _describe(draft, facts)
            if measure is not None:
                yield ExportReport("measure", "measuring what was written")
                facts["measured"] = measure(in_effect(loaded, kind, draft))
                _describe(draft, facts)
    except FileExistsError as error:
        raise ExportError(str(error)) from None
    yield ExportReport("done", f"{kind} written to {out}", out, facts)


def is_export(folder: Path) -> bool:
    """Whether :func:`export` made this folder."""
    try:
        return json.loads((folder / RECIPE).read_text(encoding="utf-8"))["export"]["as"] in KINDS
    except (OSError, ValueError, KeyError, TypeError):
        return False


# -- the kinds -----------------------------------------------------------------------------------------


def _expert(loaded: Loaded, mix: Mix, change: Change, name: str) -> Expert:
    z, objective = change.z, f"mix {mix}"
    meta = {"title": name, "mix": str(mix), **mix.to_json()}
    if change.low:
        z, kept, share = projection(loaded.adapted, change)
        meta["projected"] = {"kept": share, "loss": 1 - share, "kept_by_matrix": kept}
        objective += f", projected on SVF: {1 - share:.1%} of |dW|^2 is lost, which rotates singular vectors"
    parts = {path: part for path, part in loaded.adapted.split(z).items() if not bool((part == 1).all())}
    return Expert.from_z(loaded.adapted, name, parts, objective=objective, meta=meta)


def write_lora(loaded: Loaded, lora: LoRA, folder: Path, base_name: str | None = None) -> dict[str, Any]:
    """The two files of a PEFT adapter; returns facts about them."""
    tensors = {}
    for path, (A, B) in lora.parts.items():
        tensors[f"{_PREFIX}{path}.lora_A.weight"], tensors[f"{_PREFIX}{path}.lora_B.weight"] = A.contiguous(), B.contiguous()
    save_file(tensors, folder / ADAPTER, metadata={"format": "pt"})
    # The entries that every version of peft knows: an older one refuses those it does not.
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "auto_mapping": None, "revision": None,
        "base_model_name_or_path": base_name or _as_given(loaded.info.path), "inference_mode": True,
        "r": lora.rank, "lora_alpha": lora.rank, "lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": False,
        "init_lora_weights": True, "target_modules": target_modules(loaded.model, list(lora.parts)), "modules_to_save": None,
        "layers_to_transform": None, "layers_pattern": None, "rank_pattern": {}, "alpha_pattern": {}, "use_rslora": False,
        "use_dora": False,
    }  # fmt: skip
    (folder / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return {"rank": lora.rank, "kept": lora.kept_all, "kept_by_matrix": dict(lora.kept), "numbers": lora.numbers}


def target_modules(model: torch.nn.Module, paths: list[str]) -> list[str]:
    """Names that make peft adapt exactly these modules: their last parts where no other module ends so (q_proj, ...), else
    whole paths (a vision tower has a q_proj of its own; a mix may leave layers out)."""
    last = sorted({path.rsplit(".", 1)[-1] for path in paths})
    ending_so = {name for name, _ in model.named_modules() if name.rsplit(".", 1)[-1] in last}
    return last if ending_so == set(paths) else sorted(paths)


def write_merged(loaded: Loaded, change: Change, folder: Path, shard: str) -> dict[str, Any]:
    """The whole model with a mix folded in, in the dtype it was loaded in, with all that belongs to it."""
    with loaded.adapted.folded(change), _no_bars():
        loaded.model.save_pretrained(folder, max_shard_size=shard)
    # A processor brings its tokenizer and its chat template.
    (loaded.processor or loaded.tokenizer).save_pretrained(folder)
    source = Path(loaded.info.path)
    for file in [f for pattern in _BESIDE for f in source.glob(pattern)] if source.is_dir() else []:
        if file.is_file() and not (folder / file.name).exists():
            shutil.copyfile(file, folder / file.name)
    return {"dtype": loaded.info.dtype, "numbers": loaded.info.params}


# -- reading back --------------------------------------------------------------------------------------


@contextmanager
def in_effect(loaded: Loaded, kind: str, folder: Path) -> Iterator[None]:
    """Within the block the model's own weights are those that the files in ``folder`` give (for ``answer_all(...,
    mode="current")``); afterwards they are bitwise what they were."""
    adapted = loaded.adapted
    if kind == "expert":
        with adapted.folded(adapted.join(load_expert(folder).z)):
            yield
    elif kind == "recipe":
        mix = Mix.from_json((folder / RECIPE).read_text(encoding="utf-8"))
        with adapted.folded(loaded.stack.change(mix)):
            yield
    elif kind == "lora":
        with replaced(adapted, with_lora(adapted, read_lora(folder))):
            yield
    else:
        with _no_bars():
            plain = type(loaded.model).from_pretrained(folder, dtype=loaded.model.dtype, local_files_only=True)
        with replaced(adapted, {path: plain.get_parameter(f"{path}.weight").detach() for path in adapted.paths}):
            del plain
            yield


def read_lora(folder: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """path -> (A, B) of an adapter that :func:`write_lora` wrote, the scale lora_alpha / r in B."""
    config = json.loads((folder / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    tensors, scale = load_file(folder / ADAPTER), config["lora_alpha"] / config["r"]
    ends = (".lora_A.weight", ".lora_B.weight")
    paths = [key.removeprefix(_PREFIX).removesuffix(ends[0]) for key in tensors if key.endswith(ends[0])]
    return {path: (tensors[f"{_PREFIX}{path}{ends[0]}"], scale * tensors[f"{_PREFIX}{path}{ends[1]}"]) for path in paths}


def with_lora(adapted: Adapted, parts: Mapping[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    """path -> W + B A, computed in fp32, in W's dtype."""
    out = {}
    for path, (A, B) in parts.items():
        W = adapted.modules[path].weight.detach()
        out[path] = (W.float() + B.to(W.device).float() @ A.to(W.device).float()).to(W.dtype)
    return out


@contextmanager
def replaced(adapted: Adapted, weights: Mapping[str, Tensor]) -> Iterator[None]:
    """Within the block these matrices are in the place of the model's own. Nothing may be folded or in training."""
    if adapted.mode != "off":
        raise RuntimeError(f"weights cannot be replaced in mode {adapted.mode!r}: unfold, or leave the block, first")
    kept = {path: adapted.modules[path].weight.detach().clone() for path in weights}
    try:
        with torch.no_grad():
            for path, weight in weights.items():
                adapted.modules[path].weight.copy_(weight)
        yield
    finally:
        with torch.no_grad():
            for path, weight in kept.items():
                adapted.modules[path].weight.copy_(weight)


# -- around it -----------------------------------------------------------------------------------------


def _facts(loaded: Loaded, mix: Mix, kind: str, made_by: Mapping[str, Any] | None) -> dict[str, Any]:
    used = [e for e in loaded.stack.experts if mix.alpha(e.name)]
    return {**mix.to_json(), "mix": str(mix), "base": loaded.adapted.base_id, "fingerprint": loaded.adapted.fingerprint,
            "experts": {e.name: e.objective for e in used}, "export": {"as": kind}, "made_by": dict(made_by or {})}  # fmt: skip


def _describe(draft: Path, facts: dict[str, Any]) -> None:
    """recipe.json and the card; the folder is not seen under its name yet, so they need not be atomic."""
    (draft / RECIPE).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    (draft / "README.md").write_text(card(facts), encoding="utf-8")


@contextmanager
def _no_bars() -> Iterator[None]:
    """transformers draws progress bars of its own, for files that are read in a moment."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _as_given(path: str) -> str:
    """The base's name for an adapter: as the model was given, relative where it lies below the current folder."""
    here = Path(path)
    if here.is_absolute() and here.is_dir() and here.is_relative_to(Path.cwd()):
        return os.path.relpath(here).replace(os.sep, "/")
    return path


def _needed(loaded: Loaded, change: Change, kind: str, s: ExportSettings) -> int:
    """Bytes that the export will take, about."""
    if kind == "merged":
        return sum(t.numel() * t.element_size() for t in loaded.model.state_dict().values())
    if kind == "lora":
        full = full_rank(loaded.adapted, change)
        k = full if s.rank is None else min(s.rank, full)
        return sum(4 * k * (m.in_features + m.out_features) for m in loaded.adapted.modules.values())
    return 8 * loaded.adapted.R


def _check_room(out: Path, needed: int, force: bool) -> None:
    try:
        refuse_existing(out, force, is_export)
    except FileExistsError as error:
        raise ExportError(str(error)) from None
    free = free_disk(out)
    if free < needed + _MARGIN:
        raise ExportError(f"{out} would take {needed / 2**30:.2f} GiB, but only {free / 2**30:.2f} GiB are free there: make "
                          "room, or give a folder on another disk")  # fmt: skip


__all__ = ["KINDS", "ExportReport", "ExportSettings", "export", "in_effect", "is_export", "read_lora", "replaced", "with_lora"]
