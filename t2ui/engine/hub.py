"""A model by path or by name: a folder is taken as it is, a name of the Hugging Face Hub is fetched once.

Nothing goes to the network for a path, and nothing is guessed: only a name of the form ``owner/model`` that is no folder,
and whose first part is no folder either, is asked for. Of a repository only configuration, tokenizer and safetensors are
fetched; pickles and code never are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from t2ui.hubname import is_name

from .errors import ModelError

FILES = ["*.json", "*.safetensors", "*.jinja", "*.txt", "tokenizer.model", "*.tiktoken"]
# Mistral's second copy of the weights; other frameworks' files lie in folders.
NOT_FILES = ["consolidated*", "*/*"]
ADAPTER_FILES = ["adapter_config.json", "adapter_model.safetensors", "README.md", "LICENSE*"]


def fetched(path: str | Path) -> tuple[Path, str]:
    """The folder of a model and its name; a Hub name is fetched into the Hub's own cache first (or found there).

    Raises:
        ModelError: the Hub cannot be reached, does not know the name, asks for a licence, or the disk is too small.
    """
    if not is_name(path):
        folder = Path(path).expanduser()
        return folder, folder.name
    name = str(path)
    return Path(_ask(name, FILES)), name.split("/")[1]


def fetched_adapter(path: str | Path) -> Path:
    """The folder of a LoRA adapter: as given, or of the Hub's, fetched into its cache first; never a pickle.

    Raises:
        ModelError: as :func:`fetched`, and for a path that is no folder.
    """
    if is_name(path):
        found = Path(_ask(str(path), ADAPTER_FILES, "copy that folder here and import FOLDER", "adapter"))
        if missing := [file for file in ADAPTER_FILES[:2] if not (found / file).is_file()]:
            raise ModelError(f"{path} has no {missing[0]}: expected a LoRA adapter of peft in safetensors (pickles are never fetched)")
        return found
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ModelError(f"there is no folder {str(path)!r}: give the folder of an adapter ({ADAPTER_FILES[0]} and "
                         f"{ADAPTER_FILES[1]}), or its name on the Hub (owner/adapter)")  # fmt: skip
    return folder


def fetched_config(path: str | Path) -> tuple[Path, str]:
    """As :func:`fetched`, but only config.json and the like: enough for a plan."""
    if not is_name(path):
        return fetched(path)
    name = str(path)
    return Path(_ask(name, ["config.json", "generation_config.json"])), name.split("/")[1]


def _ask(name: str, patterns: list[str], then: str = "copy that folder here and give --model FOLDER", kind: str = "model") -> str:
    import huggingface_hub
    from huggingface_hub import errors

    options: dict[str, Any] = {"allow_patterns": patterns, "ignore_patterns": NOT_FILES}
    by_hand = f"where there is a network, download it with `hf download {name} --local-dir FOLDER`, {then}"
    try:
        if not huggingface_hub.constants.HF_HUB_OFFLINE:
            _check_disk(name, huggingface_hub.snapshot_download(name, dry_run=True, **options))
        return huggingface_hub.snapshot_download(name, **options)
    except ModelError:
        raise
    except errors.GatedRepoError as error:
        raise ModelError(f"{name} asks you to accept a licence: do so on its page of the Hub, then `hf auth login`") from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(f"there is no folder {name!r}, and the Hub knows no {kind} of that name (or it is private: "
                         "`hf auth login`): check the spelling") from error  # fmt: skip
    except Exception as error:  # noqa: BLE001 - no network, a proxy, a broken download: each has classes of its own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"there is no folder {name!r}, and it cannot be fetched from the Hub ({reason}). Try again, or "
                         f"{by_hand}") from error  # fmt: skip


def _check_disk(name: str, files: list[Any]) -> None:
    """Raises ModelError where what is still to be fetched does not fit."""
    import shutil

    from huggingface_hub import constants

    needed = sum(file.file_size or 0 for file in files if file.will_download)
    place = Path(constants.HF_HUB_CACHE)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    if needed > free:
        raise ModelError(f"{name} has {needed / 1e9:,.1f} GB to fetch, of {free / 1e9:,.1f} GB free in {constants.HF_HUB_CACHE}: "
                         "make room, or set HF_HOME to a folder on a larger disk")  # fmt: skip


__all__ = ["FILES", "fetched", "fetched_config", "is_name"]
