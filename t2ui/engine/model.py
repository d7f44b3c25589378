"""Loading a model folder; the one place where device and dtype are decided."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from t2ui.core import Adapted, Expert, ExpertStack, Mix, Registry, attach

from .errors import ModelError, RequestError
from .request import Applied, Request
from .text import TextCodec, check_tokenizer
from .vision import FeatureCache, Picture, open_picture

SETTINGS_FILE = "t2ui.json"
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Info:
    """What a page says about the model.

    Attributes:
        params: every parameter of the model; z_params: R, the numbers of one expert.
        context: how many tokens prompt and answer may have together.
        image_tokens: how many of them one picture takes (0: the model cannot see).
        is_demo: the folder was made by this project (it holds a t2ui.json).
    """

    name: str
    path: str
    params: int
    z_params: int
    dtype: str
    device: str
    has_vision: bool
    n_layers: int
    context: int
    image_tokens: int
    is_demo: bool


@dataclass(frozen=True)
class Encoded:
    """A request as the model reads it.

    Attributes:
        ids: all tokens before the answer's first, picture tokens expanded, a forced prefix at the end.
        picture: the picture behind the picture tokens, or None.
        prompt_span: which of ``ids`` are the visitor's own text.
        prefix_tokens: how many of the last ``ids`` belong to the forced prefix.
    """

    ids: tuple[int, ...]
    picture: Picture | None = field(default=None, compare=False, repr=False)
    prompt_span: tuple[int, int] = (0, 0)
    prefix_tokens: int = 0


@dataclass(frozen=True)
class LoadReport:
    """Progress of :func:`load`: ``stage`` is ``memory`` (the plan, before anything is read), ``model``, ``decompose`` or
    ``experts``; ``text`` is for people."""

    stage: str
    text: str
    done: int
    total: int


class Loaded:
    """A loaded model with everything that belongs to it. Made by :func:`load`; used by one thread at a time, except
    :meth:`encode`, which any thread may call.

    Attributes:
        model, processor (None without one), tokenizer: of transformers. adapted: the SVF modules.
        registry, stack: the experts' folder and the usable skill experts as one stack (``stack.names``).
        info: for people. settings: the folder's t2ui.json ({} without one). codec: texts to ids and back.
        eos: ids that end an answer; the first one is the terminator that ``score`` appends.
    """

    def __init__(self, *, model: Any, processor: Any, tokenizer: Any, adapted: Adapted, registry: Registry | None,
                 codec: TextCodec, info: Info, settings: dict[str, Any], eos: tuple[int, ...]) -> None:  # fmt: skip
        self.model, self.processor, self.tokenizer, self.adapted = model, processor, tokenizer, adapted
        self.registry, self.codec, self.info, self.settings, self.eos = registry, codec, info, settings, eos
        self.device = torch.device(info.device)
        self.image_cache = FeatureCache()
        self.stack = self._stack()

    @property
    def terminator(self) -> int:
        return self.eos[0]

    def _stack(self) -> ExpertStack:
        return ExpertStack(self.adapted, [] if self.registry is None else list(self.registry.experts.values()))

    @property
    def dispatcher(self) -> Expert | None:
        """The expert that classifies prompts (the first by name, if there are several); None without one."""
        found = {} if self.registry is None else self.registry.dispatchers
        return found[min(found)] if found else None

    def refresh(self) -> bool:
        """Look at the experts' folder again; True if anything changed, and :attr:`stack` is a new one."""
        changed = self.registry is not None and self.registry.refresh()
        if changed:
            self.stack = self._stack()
        return changed

    # -- requests --------------------------------------------------------------------------------------

    def encode(self, request: Request) -> Encoded:
        """Template, tokens and picture of a request, checked against this model.

        Raises:
            RequestError: an empty or over-long prompt (the context limit is stated), a broken or huge picture, a
                picture for a model that cannot see, an expert that is not loaded, NaN alphas, bad sampling.
        """
        request.check()
        self.check_mix(request.mix)
        picture = None
        if request.image is not None:
            if not self.info.has_vision:
                raise RequestError(f"{self.info.name} cannot see pictures: remove the picture or load a LLaVA model")
            picture = open_picture(request.image)
        text, span = self.codec.render(request, picture is not None)
        end = len(text)
        ids, (prompt, prefix) = self.codec.ids(text, span, (end - len(self.codec.harmless(request.prefix)), end))
        room = self.info.context - request.max_new_tokens
        if len(ids) > room:
            raise RequestError(
                f"the prompt is too long: {len(ids):,} tokens, and {request.max_new_tokens:,} more are kept for the "
                f"answer, but {self.info.name} reads {self.info.context:,} in all: shorten it by {len(ids) - room:,} "
                "tokens or ask for a shorter answer"
            )
        prefix_tokens = len(ids) - prefix[0] if request.prefix else 0
        return Encoded(tuple(ids), picture, prompt, prefix_tokens)

    def check_mix(self, mix: Mix) -> None:
        """Raise RequestError unless the stack can apply this mix."""
        try:
            mix.check(self.stack.names, self.info.n_layers)
        except ValueError as error:
            raise RequestError(str(error)) from error

    # -- tensors ---------------------------------------------------------------------------------------

    @torch.no_grad()
    def features(self, pictures: Sequence[Picture]) -> dict[str, torch.Tensor]:
        """Projected features (image_tokens, hidden) by picture key; each picture is computed once and kept."""
        found = {p.key: self.image_cache.get(p.key) for p in pictures}
        missing = {p.key: p.image for p in pictures if found[p.key] is None}
        for chunk in _chunks(list(missing.items()), 64):
            pixels = self.processor.image_processor(images=[image for _, image in chunk], return_tensors="pt")
            values = pixels["pixel_values"].to(self.device, self.model.dtype)
            out = self.model.get_image_features(pixel_values=values, return_dict=True).pooler_output
            for (key, _), feature in zip(chunk, out, strict=True):
                found[key] = feature.detach()
                self.image_cache.put(key, found[key])
        return found

    def scales(self, mixes: Sequence[Mix]) -> torch.Tensor | None:
        """``sigma * z`` of every row, (B, R) fp32; None where every row is the base model (plain weights)."""
        if all(mix.is_base for mix in mixes):
            return None
        return self.stack.scale(mixes).to(self.device)

    def mixed(self, scale: torch.Tensor | None) -> AbstractContextManager[Any]:
        """Adapt each row by its own ``scale`` (B, R) inside the context; None: leave the modules as they are."""
        return nullcontext() if scale is None else self.adapted.rows(scale)

    def applied(self, mixes: Sequence[Mix], scale: torch.Tensor | None, mode: str, read: bool = False) -> list[Applied]:
        """What a scale buffer does to the weights: ``|dW| / |W| = |scale - sigma| / |sigma|`` (U, Vh orthonormal).

        With ``read``, also which mix the buffer really holds (for single rows: it takes the buffer's memory again).
        """
        if scale is None:
            return [Applied(str(mix), 0.0, "off") for mix in mixes]
        sigma = self.adapted.sigma.to(scale)
        change = (torch.linalg.vector_norm(scale - sigma, dim=-1) / torch.linalg.vector_norm(sigma)).tolist()
        if not read:
            return [Applied(str(mix), value, mode) for mix, value in zip(mixes, change, strict=True)]
        alphas, rest = (found.tolist() for found in self.stack.alphas_of(scale))
        read = [Mix({n: v for n, a in zip(self.stack.names, row, strict=True) if (v := round(a, 4))}) for row in alphas]
        return [Applied(str(m), c, mode, str(f), None if m.per_layer else r)
                for m, c, f, r in zip(mixes, change, read, rest, strict=True)]  # fmt: skip


def load(
    path: str | Path = "assets/demo-model",
    *,
    device: str = "auto",
    dtype: str = "auto",
    experts_dir: str | Path | None = "experts",
    targets: str = "all",
    cache_dir: str | Path | None = "auto",
    progress: Callable[[LoadReport], Any] | None = None,
) -> Loaded:
    """Load a LLaVA folder or a plain Llama-type causal LM folder and attach SVF to it. Nothing goes to the network.

    Args:
        device: ``auto`` (a CUDA GPU if there is one, else the CPU; the demo model always the CPU) or a torch device.
        dtype: ``auto`` (fp32 on a CPU; on a GPU bf16, or fp16 where there is no bf16) or float32, bfloat16, float16.
        experts_dir: the experts' folder; None or a missing folder: no experts.
        targets: which matrices are adapted: ``all``, ``attention``, ``mlp`` or a regex (t2ui.core.adapted).
        cache_dir: where decompositions are kept; ``auto``: $T2UI_CACHE or the user's cache folder; None: nowhere.
        progress: called with a :class:`LoadReport` now and then.

    Raises:
        ModelError: the folder is missing, broken or of an unknown kind, or the device is not there; says what to do.
    """
    tell = progress or (lambda report: None)
    folder = _folder(path)
    settings = _json(folder / SETTINGS_FILE) if (folder / SETTINGS_FILE).is_file() else {}
    is_demo = (folder / SETTINGS_FILE).is_file()
    where = _device(device, is_demo)
    kind = _dtype(dtype, where)
    from . import memory  # which knows the caches, which know the model

    if plan := memory.check(folder, where, kind):
        tell(LoadReport("memory", plan, 0, 1))
    tell(LoadReport("model", f"reading {folder.name}", 0, 1))
    model, processor, tokenizer = _read(folder, kind)
    model.to(where).eval().requires_grad_(False)
    check_tokenizer(tokenizer, str(folder))
    tell(LoadReport("model", f"{folder.name} is read", 1, 1))

    adapted = _attach(model, targets, cache_dir, tell)
    codec, image_tokens = _codec(model, processor, tokenizer, where)
    text_config = model.config.get_text_config()
    info = Info(
        name=str(settings.get("name") or folder.name), path=str(path),
        params=sum(p.numel() for p in model.parameters()), z_params=adapted.R,
        dtype=str(kind).removeprefix("torch."), device=str(where), has_vision=image_tokens > 0,
        n_layers=adapted.n_layers, context=int(getattr(text_config, "max_position_embeddings", None) or 2048),
        image_tokens=image_tokens, is_demo=is_demo,
    )  # fmt: skip
    registry = None if experts_dir is None else Registry(experts_dir, adapted)
    loaded = Loaded(
        model=model, processor=processor, tokenizer=tokenizer, adapted=adapted, registry=registry, codec=codec,
        info=info, settings=settings, eos=_eos(model, tokenizer),
    )  # fmt: skip
    names = ", ".join(loaded.stack.names) or "none"
    tell(LoadReport("experts", f"experts: {names}", 1, 1))
    return loaded


# -- the steps of load ---------------------------------------------------------------------------------


def _folder(path: str | Path) -> Path:
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise ModelError(
            f"no model folder at {folder}: make the demo model with `python -m t2ui pretrain --preset smoke`, or give "
            "--model the folder of a downloaded Llama-type model (names of the Hub are not fetched)"
        )
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json: it is not a Hugging Face model folder, or is incomplete")
    return folder


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read as JSON ({error}): restore it") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} must hold a JSON object, found {type(value).__name__}: restore it")
    return value


def _device(device: str, is_demo: bool) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() and not is_demo else "cpu")
    try:
        where = torch.device(device)
        torch.empty(1, device=where)
    except (RuntimeError, AssertionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"device {device!r} is not usable here ({reason}): use auto or cpu") from error
    return where


def _dtype(dtype: str, where: torch.device) -> torch.dtype:
    if dtype == "auto":
        if where.type == "cpu":
            return torch.float32
        return torch.bfloat16 if where.type != "cuda" or torch.cuda.is_bf16_supported() else torch.float16
    if dtype not in _DTYPES:
        raise ModelError(f"dtype must be auto, {', '.join(_DTYPES)}, got {dtype!r}")
    return _DTYPES[dtype]


def _read(folder: Path, kind: torch.dtype) -> tuple[Any, Any, Any]:
    """Model, processor (or None) and tokenizer of a folder; local files only, no pickles, no code of the folder."""
    import transformers

    quiet = {"local_files_only": True, "trust_remote_code": False}
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **quiet)
        sees = getattr(config, "vision_config", None) is not None
        if sees and config.model_type != "llava":
            raise ModelError(f"{folder} is a {config.model_type} model; of models that see, only LLaVA folders load")
        auto = transformers.AutoModelForImageTextToText if sees else transformers.AutoModelForCausalLM
        model, report = auto.from_pretrained(
            folder, dtype=kind, use_safetensors=True, output_loading_info=True, **quiet
        )
        processor = transformers.AutoProcessor.from_pretrained(folder, **quiet) if sees else None
        tokenizer = processor.tokenizer if sees else transformers.AutoTokenizer.from_pretrained(folder, **quiet)
    except ModelError:
        raise
    except Exception as error:  # noqa: BLE001 - every loader raises its own kinds; all mean: this folder does not load
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{folder} does not load ({reason}): restore its files or download it again") from error
    finally:
        if bars:
            transformers.utils.logging.enable_progress_bar()
    # transformers fills what is missing with random numbers and only prints it (stack.md, pitfall 7).
    bad = sorted({*report.get("missing_keys", ()), *(str(k) for k in report.get("mismatched_keys", ()))})
    if bad:
        raise ModelError(
            f"{folder} lacks {len(bad)} weights that its config.json asks for (such as {bad[0]}): the safetensors "
            "files are incomplete or belong to another model; restore them"
        )
    return model, processor, tokenizer


def _attach(model: Any, targets: str, cache_dir: Any, tell: Callable[[LoadReport], Any]) -> Adapted:
    def report(r: Any) -> None:
        tell(LoadReport("decompose", f"singular values of {r.path}", r.done, r.total))

    try:
        return attach(model, targets=targets, cache_dir=_cache_dir(cache_dir), progress=report)
    except ValueError as error:
        raise ModelError(f"the model cannot be adapted: {error}") from error


def _cache_dir(cache_dir: str | Path | None) -> Path | None:
    if cache_dir is None or str(cache_dir) != "auto":
        return None if cache_dir is None else Path(cache_dir)
    if os.environ.get("T2UI_CACHE"):
        return Path(os.environ["T2UI_CACHE"])
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "t2ui" / "svd"


@torch.no_grad()
def _codec(model: Any, processor: Any, tokenizer: Any, where: torch.device) -> tuple[TextCodec, int]:
    """The text codec; how many tokens a picture takes is found by showing the model a blank one."""
    if processor is None:
        return TextCodec(tokenizer), 0
    from PIL import Image

    token = getattr(processor, "image_token", None) or "<image>"
    if tokenizer.convert_tokens_to_ids(token) != model.config.image_token_id:
        raise ModelError(
            f"the processor's picture token {token!r} is not the model's (id {model.config.image_token_id}): "
            "tokenizer and config.json do not belong together"
        )
    blank = processor.image_processor(images=[Image.new("RGB", (64, 64))], return_tensors="pt")["pixel_values"]
    features = model.get_image_features(pixel_values=blank.to(where, model.dtype), return_dict=True).pooler_output
    n = int(features[0].shape[0])
    return TextCodec(tokenizer, token, n, template=getattr(processor, "chat_template", None)), n


def _eos(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Ids that end an answer; the tokenizer's own first."""
    configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    many = configured if isinstance(configured, (list, tuple)) else [configured]
    found = [i for i in (tokenizer.eos_token_id, *many) if i is not None]
    if not found:
        raise ModelError("the model names no end-of-text token (eos_token_id): set it in generation_config.json")
    return tuple(dict.fromkeys(int(i) for i in found))


def _chunks(items: list[Any], size: int) -> list[list[Any]]:
    return [items[i : i + size] for i in range(0, len(items), size)]
