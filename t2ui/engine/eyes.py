"""How a picture becomes tokens, by kind of model; the engine itself knows only :class:`View` and features.

A picture is a text that stands where the chat template put the picture's token, in which every picture token is repeated
``run`` times, and a matrix (tokens, hidden) that takes the place of their embeddings. Only the image processor of transformers is
needed: processors of models that also read films ask for packages that we have no use for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image

from .errors import ModelError, RequestError
from .vision import Picture

KINDS = {
    "fixed": "always the same number of tokens",
    "tiles": "the whole and tiles of it, by its shape",
    "grid": "a grid of patches, three positions a token",
    "block": "a fixed number of tokens that see each other both ways",
    "split": "the whole and tiles of it, named by words between them",
}
_KEPT = 64  # views that are remembered
_INPUTS = ("pixel_values", "image_sizes", "image_grid_thw", "pixel_attention_mask")


@dataclass(frozen=True)
class View:
    """What stands for one picture in the prompt.

    Attributes:
        text: for the template's picture token; holds every picture token of a run once.
        run: how often each is repeated.
        inputs: what ``get_image_features`` takes, or None where pictures are processed together later.
    """

    text: str
    run: int
    inputs: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


class Eyes:
    """The seeing part of a model.

    Args:
        kind: of :data:`KINDS`. processor: of transformers; for kinds ``grid`` and ``split`` the image processor is enough.

    Attributes:
        placeholder: the token that the chat template writes for a picture.
        token, token_id: the one whose embedding is replaced.
        bare: what stands before a prompt where there is no chat template.
        fixed: the view of every picture, for kinds whose number of tokens does not depend on it.
    """

    def __init__(self, kind: str, processor: Any, tokenizer: Any, model: Any) -> None:
        self.kind, self.model = kind, model
        self.images = getattr(processor, "image_processor", None) or processor
        self._processor, self._tokenizer = processor, tokenizer
        self._known: OrderedDict[str, View] = OrderedDict()
        self._lock = threading.Lock()
        self.token_id = int(model.config.image_token_id)
        self.token = tokenizer.convert_ids_to_tokens(self.token_id)
        named = getattr(processor, "image_token", None) if kind != "block" else self.token
        if self.token is None or (named is not None and tokenizer.convert_tokens_to_ids(named) != self.token_id):
            raise ModelError(f"the processor's picture token {named!r} is not the model's (id {self.token_id}): "
                             "tokenizer and config.json do not belong together")  # fmt: skip
        self.placeholder = getattr(processor, "boi_token", self.token) if kind == "block" else self.token
        self.bare = self._around() if kind == "grid" else self.placeholder
        self.fixed: View | None = None
        if kind == "fixed":
            self.fixed = View(self.token, int(self._features({"pixel_values": self._process(_blank())["pixel_values"]}).shape[0]))
        elif kind == "block":
            run = int(processor.image_seq_length)
            text = processor.replace_image_token({"num_crops": [0]}, 0)
            self.fixed = View(text.replace(self.token * run, self.token), run)

    @property
    def tokens(self) -> int:
        """How many picture tokens a picture takes; of a square one of 224 pixels, where that depends on it."""
        view = self.fixed or self.view(Picture("", _blank(224)))
        return view.text.count(self.token) * view.run

    def view(self, picture: Picture) -> View:
        """The view of a picture; any thread may ask.

        Raises:
            RequestError: the image processor cannot take it.
        """
        if self.fixed is not None:
            return self.fixed
        with self._lock:
            if picture.key and picture.key in self._known:
                self._known.move_to_end(picture.key)
                return self._known[picture.key]
        try:
            made = self._view(self._process(picture.image))
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            raise RequestError(f"the model's image processor cannot take this picture ({error}): give another size") from error
        with self._lock:
            self._known[picture.key] = made
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return made

    @torch.no_grad()
    def features(self, pictures: Sequence[Picture]) -> list[torch.Tensor]:
        """Projected features (tokens, hidden) of pictures, in order; where all are of one size, in one pass."""
        if self.fixed is not None:
            return list(self._pooled({"pixel_values": self._process(*(p.image for p in pictures))["pixel_values"]}))
        return [self._features(self.view(p).inputs) for p in pictures]

    def positions(self, ids: torch.Tensor, view: View) -> torch.Tensor:
        """(3, T) positions of one row of ids (T,) that holds a picture (kind ``grid``)."""
        kinds = (ids == self.token_id).long()[None]
        if not bool(kinds.any()):  # a context that was cut before its picture
            return torch.arange(ids.numel(), device=ids.device).expand(3, -1)
        grid = view.inputs["image_grid_thw"].to(ids.device)
        return self.model.model.get_rope_index(ids[None], kinds, image_grid_thw=grid)[0][:, 0]

    # -- helpers

    def _process(self, *images: Image.Image) -> Any:
        more = {"return_row_col_info": True} if self.kind == "split" else {}
        return self.images(images=list(images), return_tensors="pt", **more)

    def _view(self, inputs: Any) -> View:
        given = {key: inputs[key] for key in _INPUTS if key in inputs}
        if self.kind == "tiles":
            return View(self.token, self._processor.replace_image_token(inputs, 0).count(self.token), given)
        if self.kind == "grid":
            return View(self.token, int(inputs["image_grid_thw"][0].prod()) // self.images.merge_size**2, given)
        from transformers.models.smolvlm.processing_smolvlm import get_image_prompt_string

        config, held = self.model.config, self._tokenizer
        text = get_image_prompt_string(
            inputs["rows"][0][0], inputs["cols"][0][0], 1, image_token=self.token,
            fake_token_around_image=getattr(held, "fake_image_token", None) or "<fake_token_around_image>",
            global_image_token=getattr(held, "global_image_token", None) or "<global-img>",
        )  # fmt: skip
        side = config.vision_config.image_size // config.vision_config.patch_size
        return View(text, side**2 // config.scale_factor**2, given)

    def _around(self) -> str:
        """The picture's token between the tokens that begin and end a picture."""
        ends = [getattr(self.model.config, f"vision_{end}_token_id", None) for end in ("start", "end")]
        first, last = (self._tokenizer.convert_ids_to_tokens(i) if i is not None else "" for i in ends)
        return f"{first or ''}{self.token}{last or ''}"

    def _features(self, inputs: Mapping[str, Any]) -> torch.Tensor:
        return self._pooled(inputs)[0]

    def _pooled(self, inputs: Mapping[str, Any]) -> Sequence[torch.Tensor]:
        where, kind = self.model.device, self.model.dtype
        moved = {k: v.to(where, kind) if v.is_floating_point() else v.to(where) for k, v in inputs.items()}
        with torch.no_grad():
            return self.model.get_image_features(**moved, return_dict=True).pooler_output


def _blank(side: int = 64) -> Image.Image:
    return Image.new("RGB", (side, side))
