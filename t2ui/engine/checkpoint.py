"""Reading a model folder: which device and dtype, then configuration, weights, tokenizer and processor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .architectures import TABLE, Architecture, check_modules, known, look_up, sees, skeleton
from .errors import ModelError

SPREAD = "split"  # --device for a model that is spread over all GPUs
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_QUIET = {"local_files_only": True, "trust_remote_code": False}


def check_folder(folder: Path) -> Path:
    """Raises ModelError unless the folder can hold a model."""
    if not folder.is_dir():
        raise ModelError(
            f"no model folder at {folder}: make the demo model with `python -m t2ui pretrain --preset smoke`, give "
            "--model the folder of a downloaded model, or its name on the Hub (owner/model)"
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json: it is not a Hugging Face model folder, or is incomplete")
    return folder


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({error}): restore it") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} must hold a JSON object, found {type(value).__name__}: restore it")
    return value


def pick_device(device: str, is_demo: bool) -> torch.device:
    """Where the model goes, or (``split``) where it begins."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and not is_demo else "cpu")
    if device == SPREAD:
        if torch.cuda.device_count() < 2:
            raise ModelError(f"device {SPREAD!r} spreads a model over several GPUs, there are {torch.cuda.device_count()}: "
                             "use auto or cpu")  # fmt: skip
        return torch.device("cuda", 0)
    try:
        where = torch.device(device)
        torch.empty(1, device=where)
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"device {device!r} is not usable here ({reason}): use auto, cpu, or {SPREAD} for several GPUs") from error
    return where


def pick_dtype(dtype: str, where: torch.device) -> torch.dtype:
    if dtype == "auto":
        if where.type == "cpu":
            return torch.float32
        return torch.bfloat16 if where.type != "cuda" or torch.cuda.is_bf16_supported() else torch.float16
    if dtype not in _DTYPES:
        raise ModelError(f"dtype must be auto, {', '.join(_DTYPES)}, got {dtype!r}")
    return _DTYPES[dtype]


def read_config(folder: Path, name: str) -> tuple[Any, Architecture]:
    """The configuration and its row of the table.

    Raises:
        ModelError: of a kind that is not known, or refused on purpose (:func:`architectures.look_up`).
    """
    import transformers

    with _told(folder):
        try:
            config = transformers.AutoConfig.from_pretrained(folder, **_QUIET)
        except (ValueError, KeyError) as error:
            stated = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
            if isinstance(stated, str) and stated not in transformers.CONFIG_MAPPING:
                raise ModelError(f"{name} is of kind {stated!r}, which transformers {transformers.__version__} does not know "
                                 f"(code that comes with a model is never run). These load: {known()}") from error  # fmt: skip
            raise
    row = look_up(config, name)
    if row.type not in TABLE:
        with _told(folder):
            bare = skeleton(config)
        check_modules(bare, name)
    return config, row


@dataclass(frozen=True)
class Read:
    """What a folder holds. ``processor``: of transformers, or its image processor alone; None for a model without eyes."""

    model: Any
    processor: Any
    tokenizer: Any
    template: str | None


def read(folder: Path, row: Architecture, config: Any, kind: torch.dtype, placement: dict[str, Any] | None = None) -> Read:
    """Model, processor and tokenizer of a folder; local files only, no pickles, no code of the folder.

    Args:
        placement: ``device_map`` and ``max_memory`` for accelerate; None: on the CPU.
    """
    import transformers

    auto = transformers.AutoModelForImageTextToText if sees(config) else transformers.AutoModelForCausalLM
    with _told(folder):
        model, report = auto.from_pretrained(
            folder, dtype=kind, use_safetensors=True, output_loading_info=True, **(placement or {}), **_QUIET
        )
        processor, template = None, None
        if not row.eyes:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **_QUIET)
        elif row.eyes in ("grid", "split"):  # their processors read films too, with packages that pictures do not need
            processor = transformers.AutoImageProcessor.from_pretrained(folder, **_QUIET)
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **_QUIET)
            template = tokenizer.chat_template or _old_template(folder)
        else:
            processor = transformers.AutoProcessor.from_pretrained(folder, **_QUIET)
            tokenizer, template = processor.tokenizer, getattr(processor, "chat_template", None)
    # transformers fills what is missing with random numbers and only prints it (stack.md, pitfall 7).
    bad = sorted({*report.get("missing_keys", ()), *(str(k) for k in report.get("mismatched_keys", ()))})
    if bad:
        raise ModelError(
            f"{folder} lacks {len(bad)} weights that its config.json asks for (such as {bad[0]}): the safetensors "
            "files are incomplete or belong to another model; restore them"
        )
    away = next((name for name, p in model.named_parameters() if p.device.type == "meta"), None)
    if away is not None:
        raise ModelError(f"{folder.name} does not fit into the memory of the GPUs ({away} was left out): take more of them, or "
                         "--dtype bfloat16, or a smaller model (see `python -m t2ui plan`)")  # fmt: skip
    return Read(model, processor, tokenizer, template)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Without progress bars; whatever a loader raises becomes a ModelError."""
    import transformers

    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - every loader raises its own kinds; all mean: this folder does not load
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{folder} does not load ({reason}): restore its files or download it again") from error
    finally:
        if bars:
            transformers.utils.logging.enable_progress_bar()


def _old_template(folder: Path) -> str | None:
    """The chat template of a processor of before transformers 4.50, which has a file of its own."""
    path = folder / "chat_template.json"
    return read_json(path).get("chat_template") if path.is_file() else None
