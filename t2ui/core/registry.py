"""The experts in a folder, with the reasons for those that cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from t2ui.core.adapted import Adapted
from t2ui.core.adapters import CONFIG, WEIGHTS, LoRAExpert, load_adapter
from t2ui.core.experts import FILE_NAME, Expert, ExpertError, Finding, load_expert, refusals

__all__ = ["Refused", "Registry"]


@dataclass(frozen=True)
class Refused:
    """An expert in the folder that cannot be used: its name (folder), file, and why."""

    name: str
    path: Path
    findings: tuple[Finding, ...]

    @property
    def reason(self) -> str:
        """The findings in one text."""
        return " ".join(str(f) for f in self.findings)


class Registry:
    """The experts in a folder: `<folder>/<name>/expert.safetensors`, or a PEFT adapter's two files; re-read when files change.

    Attributes:
        experts: usable skill experts, name -> Expert or LoRAExpert, by folder name.
        dispatchers: usable dispatchers, name -> Expert.
        refused: name -> Refused.
        warnings: name -> findings of level "warn" of usable experts.
    """

    def __init__(self, folder: Path | str, adapted: Adapted | None = None):
        """Scans at once. A missing folder is an empty registry; without `adapted` experts are read, not checked."""
        self.folder = Path(folder)
        self.adapted = adapted
        self.experts: dict[str, Expert | LoRAExpert] = {}
        self.dispatchers: dict[str, Expert] = {}
        self.refused: dict[str, Refused] = {}
        self.warnings: dict[str, list[Finding]] = {}
        self._seen: dict[Path, tuple[int, ...]] | None = None
        self._places: dict[str, Path] = {}
        self.refresh()

    def refresh(self) -> bool:
        """Look at the folder again; True if anything was added, changed or removed since (and all is read anew)."""
        seen = {file: stamp for file in _files(self.folder) if (stamp := _stamp(file)) is not None}
        if seen == self._seen:
            return False
        self._seen = seen
        self.experts, self.dispatchers, self.refused, self.warnings, self._places = {}, {}, {}, {}, {}
        for file in seen:
            folder = file.parent.name
            try:
                self._take(file, *self._read(file))
            except ExpertError as error:
                self.refused[folder] = Refused(folder, file, error.findings)
        return True

    def add(self, folder: Path | str) -> Expert | LoRAExpert:
        """Read one folder that has come into the registry's; everything else stays as it was read.

        Raises:
            ExpertError: it cannot be used, or holds no expert; the registry is as before.
        """
        place = self.folder / Path(folder).name
        file = next((file for file in _files(self.folder) if file.parent == place), None)
        stamp = None if file is None else _stamp(file)
        if file is None or stamp is None:
            finding = Finding("refuse", "no expert", f"nothing of one in {place.name!r}", f"{FILE_NAME}, or {CONFIG} and {WEIGHTS}",
                              "Give the expert's own files.")  # fmt: skip
            raise ExpertError(f"expert {place.name!r}: {finding}", [finding])
        expert, findings = self._read(file)
        self._take(file, expert, findings)
        self._seen = {**(self._seen or {}), file: stamp}
        return expert

    def place(self, name: str) -> Path | None:
        """The folder that an expert was read from."""
        return self._places.get(name)

    def _read(self, file: Path) -> tuple[Expert | LoRAExpert, list[Finding]]:
        """An expert and what its user should know; ExpertError: it cannot be used here."""
        expert = load_adapter(file.parent) if file.name == CONFIG else load_expert(file)
        findings = expert.check(self.adapted) if self.adapted is not None else []
        if expert.name in self.experts or expert.name in self.dispatchers:
            findings.append(Finding("refuse", "a name in use", f"a second {expert.name!r}", "a name of its own", "Rename one of them."))
        refusals(findings, f"expert {file.parent.name!r}")
        return expert, findings

    def _take(self, file: Path, expert: Expert | LoRAExpert, findings: list[Finding]) -> None:
        self._places[expert.name] = file.parent
        (self.experts if expert.role == "skill" else self.dispatchers)[expert.name] = expert
        if findings:
            self.warnings[expert.name] = findings


def _stamp(file: Path) -> tuple[int, ...] | None:
    """What changes when an expert's files do; None: they went between listing and looking."""
    try:
        stat = [f.stat() for f in (file, file.with_name(WEIGHTS)) if f == file or (file.name == CONFIG and f.exists())]
    except OSError:
        return None
    return tuple(n for s in stat for n in (s.st_mtime_ns, s.st_size, s.st_ino))


def _files(folder: Path) -> list[Path]:
    """What says that a folder holds an expert, by folder; one that has both is an SVF expert that peft can read too."""
    found = {file.parent: file for name in (CONFIG, FILE_NAME) for file in folder.glob(f"*/{name}")}
    return [found[place] for place in sorted(found) if not place.name.startswith(".")]  # "." begins what is being written
