"""The record in `adapter_config.json`: which base an adapter's z belongs to; the checks are those of expert files."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import torch
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import nn

from t2ui.core import Adapted, Expert, ExpertError, decoder_layers
from t2ui.core.basis import describe_basis
from t2ui.core.experts import refusals
from t2ui.core.svd import Factors
from t2ui.core.svf import RowState, SVFLinear

__all__ = ["VERSION", "check_record", "make_record", "read_record"]

VERSION = 1


def make_record(model: nn.Module, targets: Mapping[str, nn.Module], factors: Mapping[str, Factors]) -> dict:
    """Plain JSON: base_id, fingerprint, ranks (path -> r), basis check, and targets: what t2ui's `attach` adapts these
    modules by ("all"), or None where it does not (modules outside of the decoder layers)."""
    adapted = view(model, targets, factors)
    try:
        prefix = decoder_layers(model)[0] + "."
    except ValueError:
        prefix = None
    native = prefix is not None and all(path.startswith(prefix) for path in targets)
    return {
        "version": VERSION,
        "base_id": adapted.base_id,
        "fingerprint": adapted.fingerprint,
        "targets": "all" if native else None,
        "ranks": dict(adapted.ranks),
        "basis": describe_basis(adapted, adapted.paths),
    }


def read_record(record: Mapping) -> Expert:
    """The record as an expert with the places and the base of the adapter, and z = 0, for z is not in it.

    Raises:
        ExpertError: it is not readable, or of a newer format.
    """
    try:
        if record["version"] != VERSION:
            raise ValueError(f"version {record['version']!r}, expected {VERSION}")
        return Expert(
            name="adapter",
            role="skill",
            z={str(path): torch.zeros(int(r)) for path, r in record["ranks"].items()},
            base_id=str(record["base_id"]),
            fingerprint=str(record["fingerprint"]),
            targets=str(record["targets"] or "these modules"),
            objective="",
            basis=record["basis"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ExpertError(
            f"this SVF adapter's record of its base is not readable ({type(error).__name__}: {error}): copy its"
            " adapter_config.json again, update t2ui, or save the adapter again"
        ) from None


def check_record(
    record: Mapping, model: nn.Module, targets: Mapping[str, nn.Module], factors: Mapping[str, Factors]
) -> None:
    """Refuse the model if the record is of another base, or of another basis; warn where an expert file would.

    Raises:
        ExpertError: with what was found, what was expected and what to do.
    """
    expert = read_record(record)
    if not targets:
        raise ExpertError(
            f"this SVF adapter cannot be used: of its {len(expert.z)} modules, such as {next(iter(expert.z))}, this"
            f" model has none. It was made for {expert.base_id}: load that one"
        )
    findings = expert.check(view(model, targets, factors))
    refusals(findings, "this SVF adapter")
    for finding in findings:
        warnings.warn(f"SVF adapter: {finding}", stacklevel=2)


def view(model: nn.Module, targets: Mapping[str, nn.Module], factors: Mapping[str, Factors]) -> Adapted:
    """The model as t2ui's core sees it when these modules are adapted; the model itself is not touched."""
    state, modules, start = RowState(), {}, 0
    for path, module in targets.items():
        linear = module.get_base_layer() if isinstance(module, BaseTunerLayer) else module
        modules[path] = core = SVFLinear(linear, factors[path], state, start)
        core._parameters["weight"] = linear.weight  # again: low_cpu_mem_usage sends what is registered to meta
        start += core.r
    return Adapted(model, {}, modules, state, dict.fromkeys(modules, 0), 1, "these modules", None)
