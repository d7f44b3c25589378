"""Expert files: z of every adapted matrix, and what is needed to refuse them on the wrong model.

`expert.safetensors` holds one fp32 tensor (r,) per matrix, keyed by module path. One header entry, "t2ui", is JSON:
format version, name, role, base model id and fingerprint, targets, objective, basis check (see `basis.py`), meta.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes
from torch import Tensor

from t2ui.core.adapted import Adapted
from t2ui.core.basis import compare_basis, describe_basis
from t2ui.core.files import write_atomic
from t2ui.core.svd import fingerprint

__all__ = [
    "FILE_NAME",
    "ROLES",
    "Expert",
    "ExpertError",
    "Finding",
    "load_expert",
    "refusals",
]

FORMAT = 1
FILE_NAME = "expert.safetensors"
ROLES = ("skill", "dispatcher")
RESERVED = ("base", "other", "auto", "dispatch")  # words with a meaning of their own where experts are named
TEXTS = ("name", "role", "base_id", "fingerprint", "targets", "objective")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Finding:
    """Something wrong with an expert on this model.

    Attributes:
        level: "refuse" (it cannot be used) or "warn" (it can, with care).
        what: short, for instance "another base model".
        found: what the file has.
        expected: what it should have.
        todo: what the person can do about it.
    """

    level: str
    what: str
    found: str
    expected: str
    todo: str

    def __str__(self) -> str:
        return f"{self.what}: found {self.found}, expected {self.expected}. {self.todo}"


class ExpertError(ValueError):
    """An expert that cannot be used; `findings` says why, one by one."""

    def __init__(self, message: str, findings: Sequence[Finding] = ()):
        super().__init__(message)
        self.findings = tuple(findings)


def refusals(findings: Sequence[Finding], what: str) -> None:
    """Raise ExpertError if any finding refuses."""
    refused = [f for f in findings if f.level == "refuse"]
    if refused:
        raise ExpertError(f"{what} cannot be used: " + " ".join(str(f) for f in refused), refused)


def _fail(source: str, what: str, found: str, expected: str, todo: str) -> ExpertError:
    finding = Finding("refuse", what, found, expected, todo)
    return ExpertError(f"{source}: {finding}", [finding])


@dataclass(frozen=True, eq=False)
class Expert:
    """One expert.

    Attributes:
        name: letters, digits, "_", "-", "."; not a reserved word.
        role: "skill", or "dispatcher" (never in mixes, searches or sliders).
        z: module path -> (r,) fp32 on the CPU; 1 = leave as is.
        base_id: name of the model it was trained on.
        fingerprint: of that model's weights at the paths of z.
        targets: what `attach` was given.
        objective: how it was trained, in a few words.
        basis: see `basis.describe_basis`.
        meta: anything else that is plain JSON (title, metrics, date, ...).

    Raises:
        ExpertError: a bad name, role, or z that is empty, not (r,), or not finite.
    """

    name: str
    role: str
    z: Mapping[str, Tensor]
    base_id: str
    fingerprint: str
    targets: str
    objective: str
    basis: Mapping
    meta: Mapping = field(default_factory=dict)

    def __post_init__(self) -> None:
        source = f"expert {self.name!r}"
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name) or self.name in RESERVED:
            raise _fail(
                source,
                "unusable name",
                repr(self.name),
                f"a letter, then up to 63 letters, digits, '_', '-', '.'; not {', '.join(RESERVED)}",
                "Rename it.",
            )
        if self.role not in ROLES:
            raise _fail(source, "unknown role", repr(self.role), " or ".join(ROLES), "Set the role.")
        if not self.z:
            raise _fail(source, "no vectors", "none", "one z per adapted matrix", "Export the expert again.")
        for path, z in self.z.items():
            _check_vector(source, path, z)

    @classmethod
    def from_z(
        cls,
        adapted: Adapted,
        name: str,
        z: Mapping[str, Tensor] | Tensor,
        *,
        role: str = "skill",
        objective: str = "",
        meta: Mapping | None = None,
    ) -> Expert:
        """An expert of this model from its z: path -> (r,), or (R,). Copies to fp32 on the CPU.

        Raises:
            ExpertError: NaN, a wrong shape, a path that is not adapted, a bad name.
        """
        parts = dict(z) if isinstance(z, Mapping) else adapted.split(z)
        parts = {p: t.detach().to("cpu", torch.float32, copy=True).contiguous() for p, t in parts.items()}
        expert = cls(
            name=name,
            role=role,
            z=parts,
            base_id=adapted.base_id,
            fingerprint=fingerprint({p: adapted.digests[p] for p in parts if p in adapted.digests}),
            targets=adapted.targets,
            objective=objective,
            basis=describe_basis(adapted, [p for p in parts if p in adapted.modules]),
            meta=dict(meta or {}),
        )
        refusals(_check_places(expert, adapted), f"expert {name!r}")
        return expert

    def save(self, path: Path | str) -> Path:
        """Write the file atomically; returns its path.

        Args:
            path: a file ending in .safetensors, or a folder, into which `expert.safetensors` goes.
        """
        path = Path(path)
        target = path if path.suffix == ".safetensors" else path / FILE_NAME
        header = {
            "format": FORMAT,
            "name": self.name,
            "role": self.role,
            "base_id": self.base_id,
            "fingerprint": self.fingerprint,
            "targets": self.targets,
            "objective": self.objective,
            "basis": self.basis,
            "meta": self.meta,
        }
        # One metadata entry only: safetensors writes several in random order, and equal experts should be equal files.
        try:
            metadata = {"t2ui": json.dumps(header, sort_keys=True, allow_nan=False)}
        except (TypeError, ValueError) as error:
            raise _fail(
                f"expert {self.name!r}",
                "meta or basis",
                str(error),
                "plain JSON without NaN",
                "Convert what is in it.",
            ) from None
        write_atomic(target, save_bytes(dict(self.z), metadata))
        return target

    def check(self, adapted: Adapted) -> list[Finding]:
        """All that is wrong with this expert on this model; an empty list if nothing is."""
        findings = _check_places(self, adapted)
        if findings:
            return findings
        here = fingerprint({p: adapted.digests[p] for p in self.z})
        if here != self.fingerprint:
            same = self.base_id == adapted.base_id
            findings.append(
                Finding(
                    "refuse",
                    "another base model" if not same else "the base model has other weights",
                    f"{self.base_id} {self.fingerprint[:8]}",
                    f"{adapted.base_id} {here[:8]}",
                    f"Load {self.base_id} as it was when this expert was trained, or train the expert on this model.",
                )
            )
            return findings  # with other weights the basis differs too; one reason is enough
        findings += _check_basis(self, adapted)
        if all(bool((z == 1).all()) for z in self.z.values()):
            findings.append(
                Finding("warn", "it changes nothing", "z = 1 everywhere", "some z other than 1", "Train it further.")
            )
        return findings


def _check_vector(source: str, path: str, z: Tensor) -> None:
    if not isinstance(z, Tensor) or z.dtype != torch.float32 or z.dim() != 1:
        found = f"{z.dtype} {tuple(z.shape)}" if isinstance(z, Tensor) else type(z).__name__
        raise _fail(source, f"z of {path}", found, "float32 of shape (r,)", "Export the expert again in float32.")
    if not bool(torch.isfinite(z).all()):
        count = int((~torch.isfinite(z)).sum())
        raise _fail(
            source,
            f"z of {path}",
            f"{count} NaN or infinite of {z.numel()} entries",
            "finite numbers",
            "Training went astray: take an earlier checkpoint.",
        )


def _check_places(expert: Expert, adapted: Adapted) -> list[Finding]:
    """Modules that the model has not got or that are not adapted, and wrong shapes."""
    findings = []
    unknown = [p for p in expert.z if p not in adapted.modules]
    if unknown:
        findings.append(
            Finding(
                "refuse",
                "modules that are not adapted here",
                f"{len(unknown)} of {len(expert.z)}, such as {unknown[0]}",
                f"modules among the {len(adapted.paths)} of {adapted.base_id} with targets={adapted.targets!r}",
                f"Load {expert.base_id} with targets={expert.targets!r}, or train the expert on this model.",
            )
        )
    wrong = [p for p in expert.z if p in adapted.modules and expert.z[p].numel() != adapted.ranks[p]]
    if wrong:
        findings.append(
            Finding(
                "refuse",
                "wrong shape",
                f"{expert.z[wrong[0]].numel()} entries for {wrong[0]}"
                + (f" and {len(wrong) - 1} more" * (len(wrong) > 1)),
                f"{adapted.ranks[wrong[0]]}",
                f"This expert is of a model of another size ({expert.base_id}): load that one.",
            )
        )
    return findings


def _check_basis(expert: Expert, adapted: Adapted) -> list[Finding]:
    try:
        drift = compare_basis(expert.basis, adapted, list(expert.z))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        return [
            Finding(
                "warn",
                "no usable basis check",
                f"{type(error).__name__}: {error}",
                "one made by this program",
                "Its effect may differ if the model was decomposed in another way: save the expert again.",
            )
        ]
    todo = (
        "Delete the decomposition cache and load again, in the dtype the expert was trained in; if it stays, retrain."
    )
    findings = []
    if drift.sigma:
        findings.append(
            Finding(
                "refuse",
                "other singular values",
                f"a difference in {len(drift.sigma)} modules, such as {drift.sigma[0]}",
                "those the expert was trained with",
                todo,
            )
        )
    if drift.turned:
        findings.append(
            Finding(
                "refuse",
                "another basis of singular vectors",
                f"turned vectors in {len(drift.turned)} modules, such as {drift.turned[0]}",
                "those the expert was trained with",
                todo,
            )
        )
    if drift.rotated and not findings:
        findings.append(
            Finding(
                "warn",
                "the basis is rotated inside groups of nearly equal singular values",
                f"{drift.rotated_share:.0%} of the checked vectors, in {len(drift.rotated)} modules,"
                f" such as {drift.rotated[0]}",
                "the vectors the expert was trained with",
                "The expert acts a little differently here. " + todo,
            )
        )
    return findings


def load_expert(path: Path | str) -> Expert:
    """Read an expert file (or a folder that holds `expert.safetensors`). Nothing is unpickled.

    Raises:
        ExpertError: no file, truncated or damaged, not an expert file, a newer format, NaN, a wrong dtype or shape;
            the message says what to do.
    """
    path = Path(path)
    file = path / FILE_NAME if path.is_dir() else path
    source = f"{file.parent.name}/{file.name}"
    again = "Copy or download the file again."
    try:
        data = file.read_bytes()
    except OSError as error:
        raise _fail(
            source, "cannot be read", error.strerror or str(error), "an expert file", "Check the path."
        ) from None
    try:
        tensors = load_bytes(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError, AttributeError) as error:
        raise _fail(
            source, "truncated or damaged", f"{len(data):,} bytes ({error})", "a safetensors file", again
        ) from None
    train = "Make one with `python -m t2ui train`."
    try:
        held = json.loads(header["t2ui"])
        version = held["format"]
        if version != FORMAT:
            raise _fail(source, "another format", f"version {version!r}", f"version {FORMAT}", "Update this program.")
        if not all(isinstance(held[key], str) for key in TEXTS) or not isinstance(held["meta"], dict):
            raise ValueError("an entry of the wrong type")
        return Expert(
            z={p: t.contiguous() for p, t in sorted(tensors.items())},
            **{key: held[key] for key in (*TEXTS, "basis", "meta")},
        )
    except ExpertError as error:
        raise (error if str(error).startswith(source) else ExpertError(f"{source}: {error}", error.findings)) from None
    except (KeyError, TypeError, ValueError) as error:
        raise _fail(
            source, "not an expert file", f"no complete 't2ui' header ({error})", "one written by this program", train
        ) from None
