"""The rows of one batch inside the model: left padding, masks, positions and the key-value cache.

No ``generate()``: it costs 0.8 ms a step and knows no per-row mix (stack.md C.8). Rows are padded on the left with
explicit position ids, so that a row computes the same alone and in any batch (up to the last bits of a sum).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicCache, DynamicLayer

from .architectures import full_attention
from .model import Encoded, Loaded

_GROW = 64
# Prompts are read in pieces of about so many tokens: at 16,000 the intermediate results no longer fit the caches of
# a CPU (measured: 2.5 to 3.4 s for 256 rows of 53 tokens at once, 1.1 s in pieces), and an H200 is busy with fewer.
# 256 cost about as much a token as 2,048 (0.07 ms), and a visitor who comes meanwhile waits for one piece at most.
_PIECE = {"cpu": 256}
_PIECE_ELSEWHERE = 32_768


class GrowingLayer(DynamicLayer):
    """A dynamic cache layer that writes into spare room instead of copying everything at every token.

    ``DynamicLayer`` concatenates: at 256 rows of 130 tokens that moves about as many bytes as the step computes with.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._k = self._v = torch.empty(0)
        self._n = 0

    def fill(self, pieces: Sequence[tuple[torch.Tensor, torch.Tensor]], width: int, reserve: int) -> None:
        """Start from the keys and values of several prefills (rows below each other, right-aligned to ``width``)."""
        self.lazy_initialization(*pieces[0])
        rows = sum(k.shape[0] for k, _ in pieces)
        _, heads, _, head = pieces[0][0].shape
        self._k, self._v = (t[0].new_zeros((rows, heads, width + reserve, head)) for t in (pieces[0], pieces[0]))
        start = 0
        for k, v in pieces:
            place = (slice(start, start + k.shape[0]), slice(None), slice(width - k.shape[2], width))
            self._k[place], self._v[place] = k, v
            start += k.shape[0]
        self._show(width)

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any):
        end = self._n + key_states.shape[2]
        if end > self._k.shape[2]:
            self._k, self._v = self._larger(self._k, end + _GROW), self._larger(self._v, end + _GROW)
        self._k[:, :, self._n : end] = key_states
        self._v[:, :, self._n : end] = value_states
        self._show(end)
        return self.keys, self.values

    def _show(self, n: int) -> None:
        self._n = n
        self.keys, self.values = self._k[:, :, :n], self._v[:, :, :n]

    def _larger(self, old: torch.Tensor, room: int) -> torch.Tensor:
        new = old.new_empty((*old.shape[:2], room, old.shape[3]))
        new[:, :, : self._n] = old[:, :, : self._n]
        return new

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        indices = indices.to(self._k.device)
        self._k, self._v = self._k[indices], self._v[indices]
        self._show(self._n)

    def batch_repeat_interleave(self, repeats: int) -> None:
        self._k, self._v = (t.repeat_interleave(repeats, dim=0) for t in (self._k, self._v))
        self._show(self._n)


def rows_of_a_piece(width: int, device: torch.device) -> int:
    """How many rows of so many tokens go through the model at once."""
    return max(1, _PIECE.get(device.type, _PIECE_ELSEWHERE) // max(1, width))


class Batch:
    """Rows that go through the model together: :meth:`prefill` once, then :meth:`step` per token.

    Args:
        encoded: the rows' tokens and pictures.
        scale: ``sigma * z`` per row, (B, R); None leaves the adapted modules as they are (plain or folded weights).
        reserve: how many tokens will follow (room in the cache; more is possible).
    """

    def __init__(self, loaded: Loaded, encoded: Sequence[Encoded], scale: torch.Tensor | None, reserve: int) -> None:
        self.loaded, self.encoded, self.scale, self.reserve = loaded, encoded, scale, reserve
        self.ids, self.real = pad_left([e.ids for e in encoded], loaded)
        self.lengths = self.real.sum(dim=1)  # of each row, without padding: its next position
        self.width = self.ids.shape[1]  # columns in the cache, padding included
        self._padded = not bool(self.real.all())
        self._config = loaded.model.config.get_text_config()
        self._full_attention = full_attention(self._config)
        self.cache: Cache = DynamicCache(config=self._config)
        # Positions of the prompt, (B, T) or (3, B, T); behind a picture they may lag behind the number of tokens.
        self._positions, self._lag = positions_for(loaded, self.ids, self.real, self.encoded)

    def __len__(self) -> int:
        return self.real.shape[0]

    @torch.no_grad()
    def prefill(self) -> torch.Tensor:
        """Read the prompts; logits (B, V) fp32 of the first new token."""
        rows = rows_of_a_piece(self.width, self.ids.device)
        if not self._full_attention:
            # Caches of several kinds of layer cannot be put together from pieces.
            return self._forward(self.ids, self.real, self.encoded, self.scale, self.cache, 1, self._positions)[:, -1]
        once, place = self._distinct()
        logits, pieces = [], []
        for start in range(0, len(once), rows):
            part = once[start : start + rows]
            used = int(self.lengths[part].max())  # a piece of shorter rows needs fewer columns
            scale = None if self.scale is None else self.scale[part]
            ids, real = self.ids[part, -used:], self.real[part, -used:]
            pieces.append(DynamicCache(config=self._config))
            places = self._positions[..., part, -used:]
            encoded = [self.encoded[row] for row in part]
            logits.append(self._forward(ids, real, encoded, scale, pieces[-1], 1, places)[:, -1])
        layers = [GrowingLayer() for _ in pieces[0].layers]
        for i, layer in enumerate(layers):
            layer.fill([(p.layers[i].keys, p.layers[i].values) for p in pieces], self.width, self.reserve)
        self.cache = Cache(layers=layers)
        if len(once) == len(self):
            return torch.cat(logits)
        index = torch.tensor(place, device=self.ids.device)
        self.cache.batch_select_indices(index)
        return torch.cat(logits)[index]

    def _distinct(self) -> tuple[list[int], list[int]]:
        """Rows to be read, and for every row its place among them: several samples of a prompt read it once, where all rows
        have the same weights."""
        if self.scale is not None:
            return (everybody := list(range(len(self)))), everybody
        seen: dict[Any, int] = {}
        place = [seen.setdefault((e.ids, e.picture and e.picture.key), len(seen)) for e in self.encoded]
        first = dict(zip(reversed(place), reversed(range(len(self))), strict=True))
        return [first[k] for k in range(len(seen))], place

    @torch.no_grad()
    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append one token per row, (B,); logits (B, V) fp32 of the next."""
        return self.extend(tokens[:, None])[:, -1]

    @torch.no_grad()
    def extend(self, tokens: torch.Tensor) -> torch.Tensor:
        """Append n tokens per row, (B, n); logits (B, n, V) fp32. Rows that need fewer are padded on the right with
        anything: causality keeps that from reaching their own logits (but such a batch cannot go on)."""
        n = tokens.shape[1]
        self.width += n
        self.real = torch.cat([self.real, self.real.new_ones((len(self), n))], dim=1)
        self.lengths = self.lengths + n
        places = positions_of(self.real)[:, -n:]
        places = places if self._lag is None else places + self._lag[:, None]
        return self._forward(tokens, self.real, None, self.scale, self.cache, n, places)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only; the others' keys and values are dropped."""
        index = torch.tensor(rows, device=self.real.device)
        self.real, self.lengths = self.real[index], self.lengths[index]
        self._lag = None if self._lag is None else self._lag[index]
        self.scale = None if self.scale is None else self.scale[index]
        self.cache.batch_select_indices(index)

    def repeat(self, times: int) -> None:
        """Fork every row ``times`` times (rows in order: a, a, b, b)."""
        self.real, self.lengths = (t.repeat_interleave(times, dim=0) for t in (self.real, self.lengths))
        self._lag = None if self._lag is None else self._lag.repeat_interleave(times, dim=0)
        self.scale = None if self.scale is None else self.scale.repeat_interleave(times, dim=0)
        self.cache.batch_repeat_interleave(times)

    def _forward(self, ids: torch.Tensor, real: torch.Tensor, encoded: Sequence[Encoded] | None,
                 scale: torch.Tensor | None, cache: Cache, keep: int, places: torch.Tensor) -> torch.Tensor:  # fmt: skip
        """Logits (B, keep, V) fp32; ids (B, n) are the last n columns of real (B, T)."""
        self.loaded.breathe()
        n = ids.shape[1]
        if not self._full_attention:
            mask: torch.Tensor | None = real.long()
        elif not self._padded and (n == 1 or n == real.shape[1]):
            mask = None  # without padding the model's own causal mask (or none, for one token) is right and cheaper
        else:
            mask = causal_mask(real, n, self.loaded.model.dtype)
        with self.loaded.mixed(scale):
            out = self.loaded.model(
                **embedded(self.loaded, ids, encoded), attention_mask=mask, position_ids=places,
                past_key_values=cache, use_cache=True, logits_to_keep=keep,
            )  # fmt: skip
        return out.logits.float()


def pad_left(rows: Sequence[Sequence[int]], loaded: Loaded) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids (B, T) padded on the left, and which of them are real (B, T) bool."""
    width = max(len(row) for row in rows)
    pad = loaded.tokenizer.pad_token_id
    pad = loaded.terminator if pad is None else pad
    ids = torch.tensor([[pad] * (width - len(row)) + list(row) for row in rows], device=loaded.device)
    lengths = torch.tensor([len(row) for row in rows], device=loaded.device)
    return ids, torch.arange(width, device=loaded.device) >= (width - lengths)[:, None]


def positions_of(real: torch.Tensor) -> torch.Tensor:
    """Position ids (B, T): 0 at each row's first real token (and, harmlessly, on its padding)."""
    return (real.cumsum(dim=1) - 1).clamp(min=0)


def positions_for(
    loaded: Loaded, ids: torch.Tensor, real: torch.Tensor, encoded: Sequence[Encoded]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Position ids of ids (B, T) and by how much the next one lags behind the number of tokens, (B,) or None for 0.

    (B, T), or (3, B, T) where a row holds a picture whose tokens have three positions.
    """
    plain = positions_of(real)
    if loaded.eyes is None or loaded.eyes.kind != "grid" or all(e.picture is None for e in encoded):
        return plain, None
    found = plain.expand(3, -1, -1).clone()
    for row, e in enumerate(encoded):
        if e.view is not None:
            found[:, row, real[row]] = loaded.eyes.positions(ids[row, real[row]], e.view)
    return found, found.amax(dim=(0, 2)) + 1 - real.sum(dim=1)


def causal_mask(real: torch.Tensor, n: int, dtype: torch.dtype) -> torch.Tensor:
    """Additive mask (B, 1, n, T) for the last n of T columns: 0 where a query may look, the lowest number elsewhere.

    Transformers passes a mask of four dimensions through as it is. The lowest finite number (not -inf) keeps the
    queries of padding, which may look nowhere, free of NaN.
    """
    total = real.shape[1]
    key = torch.arange(total, device=real.device)
    causal = key[None, :] <= key[total - n :, None]
    allowed = real[:, None, None, :] & causal
    return torch.zeros(allowed.shape, dtype=dtype, device=real.device).masked_fill_(~allowed, torch.finfo(dtype).min)


def embedded(loaded: Loaded, ids: torch.Tensor, encoded: Sequence[Encoded] | None) -> dict[str, torch.Tensor]:
    """The model's input for ids (B, T): the ids, or embeddings with the cached picture features in place."""
    pictures = [e.picture for e in encoded or () if e.picture is not None]
    if not pictures:
        return {"input_ids": ids}
    features = loaded.features(pictures)
    inputs = loaded.model.get_input_embeddings()(ids).clone()
    seen = torch.zeros_like(ids)
    for row, e in enumerate(encoded or ()):
        # Pictures stand left of the answer; a picture token that was sampled into an answer is no picture.
        image = ids[row] == loaded.codec.image_token_id
        place = image & (image.cumsum(0) <= e.ids.count(loaded.codec.image_token_id))
        if e.picture is not None and bool(place.any()):  # a context that was cut may end before its picture
            inputs[row, place] = features[e.picture.key].to(inputs)
            seen[row, place] = 1
    if loaded.eyes is not None and loaded.eyes.kind == "block":
        return {"inputs_embeds": inputs, "token_type_ids": seen}
    return {"inputs_embeds": inputs}
