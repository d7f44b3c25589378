"""Loading a model folder; the one place where device and dtype are decided."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from t2ui.core import Adapted, Expert, ExpertStack, LoRAExpert, Mix, Registry, attach

from .architectures import Architecture, text_of
from .checkpoint import SPREAD, check_folder, pick_device, pick_dtype, read, read_config, read_json
from .errors import ModelError, RequestError
from .eyes import Eyes, View
from .hub import fetched, is_name
from .request import Applied, Request
from .text import TextCodec, check_tokenizer
from .vision import FeatureCache, Picture, open_picture

SETTINGS_FILE = "t2ui.json"


@dataclass(frozen=True)
class Info:
    """What a page says about the model.

    Attributes:
        params: every parameter of the model; z_params: R, the numbers of one expert.
        context: how many tokens prompt and answer may have together.
        image_tokens: how many of them one picture takes (0: the model cannot see); where that depends on the picture, a
            square one of 224 pixels.
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
        picture: the picture behind the picture tokens, or None. view: how the model sees it.
        prompt_span: which of ``ids`` are the visitor's own text.
        prefix_tokens: how many of the last ``ids`` belong to the forced prefix.
        thinks: the chat template has opened a thought: the first tokens decoded belong to it.
    """

    ids: tuple[int, ...]
    picture: Picture | None = field(default=None, compare=False, repr=False)
    prompt_span: tuple[int, int] = (0, 0)
    prefix_tokens: int = 0
    view: View | None = field(default=None, compare=False, repr=False)
    thinks: bool = False


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
        between: set by an engine while long work runs, see :meth:`breathe`.
        admitted: experts that came after loading, in the order of coming (:meth:`admit`).
        architecture: the model's row of the table. eyes: how it sees; None for a model that cannot.
    """

    def __init__(self, *, model: Any, processor: Any, tokenizer: Any, adapted: Adapted, registry: Registry | None,
                 codec: TextCodec, info: Info, settings: dict[str, Any], eos: tuple[int, ...],
                 architecture: Architecture, eyes: Eyes | None = None) -> None:  # fmt: skip
        self.model, self.processor, self.tokenizer, self.adapted = model, processor, tokenizer, adapted
        self.registry, self.codec, self.info, self.settings, self.eos = registry, codec, info, settings, eos
        self.architecture, self.eyes = architecture, eyes
        self.device = model.device  # where token ids go; a model that is spread over GPUs begins here
        self.image_cache = FeatureCache()
        self.between: Callable[[], None] | None = None
        self.admitted: list[str] = []
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

    def refresh(self, idle: bool = False) -> bool:
        """Look at the experts' folder again; True if anything changed, and :attr:`stack` is a new one.

        Args:
            idle: no row and no job has scales in use, so that LoRA experts that are gone may leave memory, and others move.
        """
        changed = self.registry is not None and self.registry.refresh()
        if changed:
            self.stack = self._stack()
        if idle and self.adapted.forget(e.digest for e in self.stack.experts if isinstance(e, LoRAExpert)):
            self.stack = self._stack()
        return changed

    def admit(self, folder: Path | str) -> Expert | LoRAExpert:
        """Take in one folder that has come into the experts' folder; the experts that are there stay as they are.

        Raises:
            ExpertError: it cannot be used on this model (nothing has changed then).
        """
        if self.registry is None:
            raise ModelError("this model was loaded without a folder of experts: give one with --experts")
        expert = self.registry.add(folder)
        if expert.role == "skill":
            self.stack = self._stack()
            self.admitted.append(expert.name)
        return expert

    # -- requests --------------------------------------------------------------------------------------

    def encode(self, request: Request) -> Encoded:
        """Template, tokens and picture of a request, checked against this model.

        Raises:
            RequestError: an empty or over-long prompt (the context limit is stated), a broken or huge picture, a
                picture for a model that cannot see, an expert that is not loaded, NaN alphas, bad sampling.
        """
        request.check()
        self.check_mix(request.mix)
        picture = view = None
        if request.image is not None:
            if self.eyes is None:
                raise RequestError(f"{self.info.name} cannot see pictures: remove the picture or load a model that can (LLaVA, "
                                   "Qwen2.5-VL, Gemma 3, SmolVLM)")  # fmt: skip
            picture = open_picture(request.image)
            view = self.eyes.view(picture)
        text, span = self.codec.render(request, picture is not None, view)
        end = len(text)
        begun = end - len(self.codec.harmless(request.prefix))
        ids, (prompt, prefix) = self.codec.ids(text, span, (begun, end), view=view)
        if picture is not None and self.codec.image_token_id not in ids:
            raise RequestError(f"the chat template of {self.info.name} has no place for a picture: remove the picture")
        room = self.info.context - request.max_new_tokens
        if len(ids) > room:
            raise RequestError(
                f"the prompt is too long: {len(ids):,} tokens, and {request.max_new_tokens:,} more are kept for the "
                f"answer, but {self.info.name} reads {self.info.context:,} in all: shorten it by {len(ids) - room:,} "
                "tokens or ask for a shorter answer"
            )
        prefix_tokens = len(ids) - prefix[0] if request.prefix else 0
        return Encoded(tuple(ids), picture, prompt, prefix_tokens, view, self.codec.thinks(text[:begun], span))

    def breathe(self) -> None:
        """Called by long work between two forward passes: the engine lets visitors' rows step in (``between``)."""
        if self.between is not None:
            self.between()

    def check_mix(self, mix: Mix) -> None:
        """Raise RequestError unless the stack can apply this mix."""
        try:
            self.stack.check(mix)
        except ValueError as error:
            raise RequestError(str(error)) from error

    # -- tensors ---------------------------------------------------------------------------------------

    @torch.no_grad()
    def features(self, pictures: Sequence[Picture]) -> dict[str, torch.Tensor]:
        """Projected features (image_tokens, hidden) by picture key; each picture is computed once and kept."""
        found = {p.key: self.image_cache.get(p.key) for p in pictures}
        missing = {p.key: p for p in pictures if found[p.key] is None}
        for chunk in _chunks(list(missing.values()), 64):
            for picture, feature in zip(chunk, self.eyes.features(chunk), strict=True):
                found[picture.key] = feature.detach()
                self.image_cache.put(picture.key, found[picture.key])
        return found

    def scales(self, mixes: Sequence[Mix]) -> torch.Tensor | None:
        """``sigma * z`` of every row, (B, R) fp32; None where every row is the base model (plain weights). Where a row has a LoRA
        expert, the alphas of these stand behind (:meth:`t2ui.core.ExpertStack.scale`)."""
        if all(mix.is_base for mix in mixes):
            return None
        return self.stack.scale(mixes).to(self.device)

    def mixed(self, scale: torch.Tensor | None) -> AbstractContextManager[Any]:
        """Adapt each row by its own ``scale`` (B, R or more) inside the context; None: leave the modules as they are."""
        return nullcontext() if scale is None else self.adapted.rows(scale)

    def applied(self, mixes: Sequence[Mix], scale: torch.Tensor | None, mode: str, read: bool = False) -> list[Applied]:
        """What a scale buffer does to the weights: ``|dW| / |W| = |scale - sigma| / |sigma|`` (U, Vh orthonormal); with LoRA
        experts in it, their norms and inner products count too.

        With ``read``, also which mix the buffer really holds (for single rows: it takes the buffer's memory again).
        """
        if scale is None:
            return [Applied(str(mix), 0.0, "off") for mix in mixes]
        sigma = self.adapted.sigma.to(scale)
        if scale.shape[1] == sigma.shape[0]:
            sizes = torch.linalg.vector_norm(scale - sigma, dim=-1)
        else:
            sizes = self.stack.sizes(scale).to(sigma)
        change = (sizes / torch.linalg.vector_norm(sigma)).tolist()
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
    """Load a model (:mod:`t2ui.engine.architectures` says which kinds) and attach SVF to it.

    Args:
        path: a folder, for which nothing goes to the network, or a name of the Hub (owner/model) that is no folder.
        device: ``auto`` (a CUDA GPU if there is one, else the CPU; the demo model always the CPU), a torch device, or
            ``split``: spread over all GPUs by accelerate.
        dtype: ``auto`` (fp32 on a CPU; on a GPU bf16, or fp16 where there is no bf16) or float32, bfloat16, float16.
        experts_dir: the experts' folder; None or a missing folder: no experts.
        targets: which matrices are adapted: ``all``, ``attention``, ``mlp`` or a regex (t2ui.core.adapted).
        cache_dir: where decompositions are kept; ``auto``: $T2UI_CACHE or the user's cache folder; None: nowhere.
        progress: called with a :class:`LoadReport` now and then.

    Raises:
        ModelError: the folder is missing, broken or of an unknown kind, the Hub cannot be reached, or the device is not
            there; says what to do.
    """
    tell = progress or (lambda report: None)
    if is_name(path):
        tell(LoadReport("model", f"fetching {path} from the Hub", 0, 1))
    folder, name = fetched(path)
    check_folder(folder)
    settings = read_json(folder / SETTINGS_FILE) if (folder / SETTINGS_FILE).is_file() else {}
    is_demo = (folder / SETTINGS_FILE).is_file()
    where = pick_device(device, is_demo)
    kind = pick_dtype(dtype, where)
    from . import memory  # which knows the caches, which know the model

    if plan := memory.check(folder, where, kind, several=device == SPREAD):
        tell(LoadReport("memory", plan, 0, 1))
    config, row = read_config(folder, name)
    tell(LoadReport("model", f"reading {name}", 0, 1))
    placement = memory.placement(folder, config, kind) if device == SPREAD else None
    held = read(folder, row, config, kind, placement)
    model, tokenizer = held.model, held.tokenizer
    if placement is None:
        model.to(where)
    model.eval().requires_grad_(False)
    check_tokenizer(tokenizer, str(folder))
    tell(LoadReport("model", f"{name} is read", 1, 1))

    adapted = _attach(model, row, targets, cache_dir, tell, name if is_name(path) else None)
    eyes = Eyes(row.eyes, held.processor, tokenizer, model) if row.eyes else None
    codec = TextCodec(tokenizer, template=held.template) if eyes is None else TextCodec(
        tokenizer, eyes.placeholder, eyes.fixed.run if eyes.fixed else 0, held.template, eyes.token_id, eyes.bare)  # fmt: skip
    info = Info(
        name=str(settings.get("name") or name), path=str(path),
        params=sum(p.numel() for p in model.parameters()), z_params=adapted.R,
        dtype=str(kind).removeprefix("torch."), device=str(where), has_vision=eyes is not None,
        n_layers=adapted.n_layers, context=int(getattr(text_of(model.config), "max_position_embeddings", None) or 2048),
        image_tokens=0 if eyes is None else eyes.tokens, is_demo=is_demo,
    )  # fmt: skip
    registry = None if experts_dir is None else Registry(experts_dir, adapted)
    loaded = Loaded(
        model=model, processor=held.processor, tokenizer=tokenizer, adapted=adapted, registry=registry, codec=codec,
        info=info, settings=settings, eos=_eos(model, tokenizer), architecture=row, eyes=eyes,
    )  # fmt: skip
    names = ", ".join(loaded.stack.names) or "none"
    tell(LoadReport("experts", f"experts: {names}", 1, 1))
    return loaded


# -- the steps of load ---------------------------------------------------------------------------------


def _attach(model: Any, row: Architecture, targets: str, cache_dir: Any, tell: Callable[[LoadReport], Any],
            base_id: str | None) -> Adapted:  # fmt: skip
    def report(r: Any) -> None:
        left = f", {span(r.left)} left" if r.left >= 10 else ""
        note = f" ({r.note})" if r.note else ""
        tell(LoadReport("decompose", f"singular values of {r.path}{left}{note}", r.done, r.total))

    # A matrix is decomposed on a GPU also where the model itself is kept in the CPU's memory, but then its basis is the
    # GPU's: experts of one basis fit the other only up to rotations. So a model stays with the device that it is on.
    try:
        return attach(model, targets=targets, cache_dir=default_cache(cache_dir), progress=report, base_id=base_id,
                      factors_dtype=model.dtype, groups=row.groups)  # fmt: skip
    except ValueError as error:
        raise ModelError(f"the model cannot be adapted: {error}") from error


def span(seconds: float) -> str:
    """A length of time for people."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def default_cache(cache_dir: str | Path | None = "auto") -> Path | None:
    """The folder of decompositions: as given, or $T2UI_CACHE, or in the user's cache folder."""
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
