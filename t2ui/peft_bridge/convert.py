"""A PEFT adapter folder of type SVF and an expert file of t2ui hold the same z: conversion both ways, without a model.

In the folder: `adapter_model.safetensors`, one fp32 tensor (r,) per matrix, and `adapter_config.json`, whose record
carries the base's fingerprint and basis check, and, if it came from an expert file, that expert's name and metadata.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from peft.utils import CONFIG_NAME, SAFETENSORS_WEIGHTS_NAME, WEIGHTS_NAME
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor

from t2ui.core import Expert, ExpertError, load_expert, write_atomic
from t2ui.peft_bridge.config import SVFConfig
from t2ui.peft_bridge.record import VERSION, read_record

__all__ = ["expert_to_peft", "peft_to_expert"]

BEFORE, AFTER = "base_model.model.", ".svf_z"  # of a module's path in the adapter file


def expert_to_peft(
    expert: Expert | Path | str,
    folder: Path | str,
    *,
    base_model_name_or_path: str | None = None,
    task_type: str | None = "CAUSAL_LM",
) -> Path:
    """Write an expert as an adapter folder that `PeftModel.from_pretrained` opens.

    Args:
        expert: an expert, or the path of its file or folder.
        folder: made if missing; an adapter in it is overwritten.
        base_model_name_or_path: for those who load the base by the adapter's word (AutoPeftModel); an expert file
            holds the last part of that name only.
        task_type: PEFT's; "CAUSAL_LM" fits models that see, too.

    Returns:
        The folder.

    Raises:
        ExpertError: the expert cannot be read. OSError: the folder cannot be written.
    """
    expert = expert if isinstance(expert, Expert) else load_expert(expert)
    folder = Path(folder)
    config = SVFConfig(
        target_modules=sorted(expert.z),
        task_type=task_type,
        base_model_name_or_path=base_model_name_or_path,
        inference_mode=True,
        record={
            "version": VERSION,
            "base_id": expert.base_id,
            "fingerprint": expert.fingerprint,
            "targets": expert.targets,
            "ranks": {path: z.numel() for path, z in expert.z.items()},
            "basis": dict(expert.basis),
            "expert": {
                "name": expert.name,
                "role": expert.role,
                "objective": expert.objective,
                "meta": dict(expert.meta),
                "z": _digest(expert.z),
            },
        },
    )
    tensors = {f"{BEFORE}{path}{AFTER}": z for path, z in sorted(expert.z.items())}
    write_atomic(folder / SAFETENSORS_WEIGHTS_NAME, save_bytes(tensors, {"format": "pt"}))
    write_atomic(folder / CONFIG_NAME, json.dumps(config.to_dict(), indent=2, sort_keys=True).encode())
    return folder


def peft_to_expert(
    folder: Path | str,
    name: str | None = None,
    *,
    role: str | None = None,
    objective: str | None = None,
    meta: Mapping | None = None,
) -> Expert:
    """Read an adapter folder of type SVF as an expert; `.save(...)` writes its file.

    An adapter that came from an expert file keeps that expert's name and role, and, as long as z is bit for bit what
    it was, its objective and metadata: figures measured with another z are not carried along.

    Args:
        folder: as `save_pretrained` writes it.
        name: of the expert; needed where the adapter never was an expert.
        role, objective, meta: as of `Expert`; by default "skill", "" and {}, or what is kept.

    Raises:
        ExpertError: no such adapter, damaged, of another type, with more in it than z, for modules that t2ui does not
            adapt, without a record of its base, or a bad name.
    """
    folder = Path(folder)
    config = _config(folder)
    if config.get("peft_type") != "SVF":
        raise ExpertError(
            f"{folder.name} is an adapter of type {config.get('peft_type')!r}, expected 'SVF': an adapter of another"
            " type has no vector of singular value scales to read"
        )
    if config.get("record") is None:
        raise ExpertError(
            f"{folder.name}/{CONFIG_NAME} holds no record of its base: load the adapter on its base and save it again"
        )
    held = read_record(config["record"])
    if config["record"]["targets"] is None:
        raise ExpertError(
            f"{folder.name} adapts modules outside of the language model's decoder layers, which t2ui never does:"
            " train one with SVFConfig(target_modules=None), or with modules of those layers only"
        )
    z = _vectors(folder, held)
    was = config["record"].get("expert") or {}
    same = was.get("z") == _digest(z)
    if name is None and "name" not in was:
        raise ExpertError(f"{folder.name} never was an expert of t2ui: give it a name, peft_to_expert(folder, 'math')")
    return Expert(
        name=name if name is not None else was["name"],
        role=role if role is not None else was.get("role", "skill"),
        z=z,
        base_id=held.base_id,
        fingerprint=held.fingerprint,
        targets=held.targets,
        objective=objective if objective is not None else was.get("objective", "") if same else "",
        basis=held.basis,
        meta=dict(meta if meta is not None else was.get("meta", {}) if same else {}),
    )


def _config(folder: Path) -> dict:
    try:
        config = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
    except OSError as error:
        raise ExpertError(
            f"{folder} cannot be read as an adapter ({CONFIG_NAME}: {error.strerror or error}): give the folder that"
            " save_pretrained wrote (of an adapter that is not named 'default', the one of its name inside)"
        ) from None
    except ValueError as error:
        raise ExpertError(f"{folder.name}/{CONFIG_NAME} is damaged ({error}): copy it again") from None
    if not isinstance(config, dict):
        raise ExpertError(f"{folder.name}/{CONFIG_NAME} is not a JSON object: copy it again")
    return config


def _vectors(folder: Path, held: Expert) -> dict[str, Tensor]:
    """Module path -> z (r,), all that the record names and nothing else."""
    file = folder / SAFETENSORS_WEIGHTS_NAME
    try:
        tensors = load_bytes(file.read_bytes())
    except OSError as error:
        pickled = (folder / WEIGHTS_NAME).is_file()
        todo = (
            f"{WEIGHTS_NAME} is a pickle, which is never opened: save with safe_serialization=True"
            if pickled
            else "copy the folder again"
        )
        raise ExpertError(f"{folder.name}/{file.name} cannot be read ({error.strerror or error}): {todo}") from None
    except (SafetensorError, ValueError) as error:
        raise ExpertError(f"{folder.name}/{file.name} is truncated or damaged ({error}): copy it again") from None
    keys = {f"{BEFORE}{path}{AFTER}": path for path in held.z}
    missing, more = sorted(keys.keys() - tensors.keys()), sorted(tensors.keys() - keys.keys())
    if missing or more:
        raise ExpertError(
            f"{folder.name}/{file.name} "
            + (f"lacks {len(missing)} vectors, such as {missing[0]}" if missing else f"holds more than z: {more[0]}")
            + ": expected one per matrix and nothing else (modules_to_save cannot become an expert)"
        )
    found = {path: tensors[key].contiguous() for key, path in sorted(keys.items(), key=lambda item: item[1])}
    wrong = [path for path, z in found.items() if z.shape != held.z[path].shape]
    if wrong:
        raise ExpertError(
            f"{folder.name}/{file.name}: z of {wrong[0]} has shape {tuple(found[wrong[0]].shape)}, expected"
            f" {tuple(held.z[wrong[0]].shape)}: files of two adapters were mixed; copy the folder again"
        )
    return found


def _digest(z: Mapping[str, Tensor]) -> str:
    """Hash of every bit of z (paths and values)."""
    held = hashlib.sha256()
    for path in sorted(z):
        held.update(path.encode() + b"\0")
        held.update(z[path].detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return held.hexdigest()
