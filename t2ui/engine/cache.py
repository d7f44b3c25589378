"""Keys and values of the live rows, in slots that never grow: a row is written where it stands, nothing is concatenated.

One pair of tensors a layer, (slots, heads, length, head size). The live rows are packed: those that decode fill the slots
from 0 on, so that a step reads a *view* of the first ones; a row that leaves is replaced by the last one (one copy).
Transformers' StaticCache keeps one length for the whole batch, and its paged batching was four to five times slower here.

Which models get slots is said in :mod:`t2ui.engine.architectures`; the others are answered as a left-padded batch of their own
behind the same calls.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer

from .architectures import takes_slots

# Room for the live rows' keys and values; pages that no row has used cost nothing on a CPU.
_BYTES = {"cpu": 1 << 30}
_BYTES_ELSEWHERE = 8 << 30
_ROUND = 32  # columns that are read are rounded up to this, so that there are few shapes


def _zeros(like: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Zeros of a tensor's dtype and device. On a CPU of pages that the system makes when they are first touched: torch writes every
    one of them (0.3 s and half a gigabyte for the demo model, in the middle of somebody's first question)."""
    if like.device.type != "cpu":
        return like.new_zeros(shape)
    return torch.from_numpy(np.zeros(math.prod(shape) * like.element_size(), dtype=np.uint8)).view(like.dtype).view(shape)


class SlotLayer(DynamicLayer):
    """One layer's slots. Where the next forward pass writes and what it sees is set by :meth:`SlotCache.aim`."""

    def __init__(self, owner: SlotCache) -> None:
        super().__init__()
        self.owner = owner
        self.k = self.v = torch.empty(0)

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any):
        o = self.owner
        if self.k.numel() == 0:
            # One column more than a row can have: lanes of a graph that belong to nobody write there (graphs.py).
            shape = (o.slots, key_states.shape[1], o.length + 1, key_states.shape[3])
            # Zeros: what was never written is masked, but a NaN there would come through the mask.
            self.k, self.v = _zeros(key_states, shape), _zeros(value_states, shape)
        places, lanes = o.places.to(self.k.device), o.lanes.to(self.k.device)  # of a model spread over GPUs, each has its own
        if isinstance(o.rows, slice):
            k, v = self.k[o.rows], self.v[o.rows]
            k[lanes, :, places], v[lanes, :, places] = key_states.transpose(1, 2), value_states.transpose(1, 2)
        else:  # rows picked out of order are copies: written back beside
            rows = o.rows.to(self.k.device)
            self.k[rows[:, None], :, places] = key_states.transpose(1, 2)
            self.v[rows[:, None], :, places] = value_states.transpose(1, 2)
            k, v = self.k[rows], self.v[rows]
        return k[:, :, : o.width], v[:, :, : o.width]

    def get_seq_length(self, *args: Any, **kwargs: Any) -> int:
        return self.owner.width - self.owner.places.shape[1]


class SlotCache(Cache):
    """The slots of all layers.

    Args:
        layers: decoder layers. slots: rows that can live at once. length: tokens a row can have.
    """

    def __init__(self, layers: int, slots: int, length: int) -> None:
        self.slots, self.length = slots, length
        self.rows: slice | torch.Tensor = slice(0, 0)
        self.places = self.lanes = torch.zeros((0, 0), dtype=torch.long)
        self.width = 0
        super().__init__(layers=[SlotLayer(self) for _ in range(layers)])

    def aim(self, rows: slice | torch.Tensor, starts: torch.Tensor, n: int, longest: int) -> torch.Tensor:
        """The next forward pass appends n tokens to each of these rows, from position ``starts`` (B,) on.

        Args:
            rows: a slice of the slots (read without a copy) or slot numbers (B,).
            longest: the largest start, known without asking the device.

        Returns:
            positions (B, n), for ``position_ids``.

        Raises:
            ValueError: a row would not fit into its slot.
        """
        if longest + n > self.length:
            raise ValueError(f"a row of {longest + n:,} tokens does not fit into a slot of {self.length:,}")
        places = starts[:, None] + torch.arange(n, device=starts.device)
        self.aim_at(rows, places, min(self.length, -(-(longest + n) // _ROUND) * _ROUND))
        return places

    def aim_at(self, rows: slice | torch.Tensor, places: torch.Tensor, width: int) -> None:
        """The next forward pass writes at these places (B, n) of these rows and sees the first ``width`` columns."""
        self.rows, self.places, self.width = rows, places, width
        self.lanes = torch.arange(places.shape[0], device=places.device)[:, None]

    def mask(self, dtype: torch.dtype) -> torch.Tensor:
        """Additive mask (B, 1, n, width) of the aimed pass: a query sees its own row up to its own place."""
        columns = torch.arange(self.width, device=self.places.device)
        hidden = columns[None, None] > self.places[:, :, None]
        found = torch.zeros(hidden.shape, dtype=dtype, device=hidden.device)
        return found.masked_fill_(hidden, torch.finfo(dtype).min)[:, None]

    def move(self, source: int, target: int, n: int) -> None:
        """The first n tokens of a slot replace those of another."""
        for layer in self.layers:
            if layer.k.numel():
                layer.k[target, :, :n] = layer.k[source, :, :n]
                layer.v[target, :, :n] = layer.v[source, :, :n]

    def swap(self, one: int, other: int, n: int) -> None:
        """Two live rows change places (their first n tokens)."""
        for layer in self.layers:
            if layer.k.numel():
                for held in (layer.k, layer.v):
                    kept = held[one, :, :n].clone()
                    held[one, :, :n] = held[other, :, :n]
                    held[other, :, :n] = kept


def token_bytes(config: Any, dtype: torch.dtype) -> int:
    """Keys and values of one token, in all layers, by the text configuration."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return 2 * config.num_hidden_layers * heads * head * torch.finfo(dtype).bits // 8


def longest(config: Any) -> int:
    """Tokens that a slot has room for, where memory allows."""
    return min(int(getattr(config, "max_position_embeddings", 0) or 2048), 8192)


def slots_for(
    config: Any, device: str, dtype: torch.dtype, most: int = 128, free: int | None = None
) -> tuple[int, int] | None:
    """(slots, length) for a model's text configuration, or None where it gets a plain batch instead.

    Args:
        free: memory of the device that is free once the model is there; at most half of it is taken.
    """
    if not takes_slots(config):
        return None
    length, token = longest(config), token_bytes(config, dtype)
    room = _BYTES.get(device, _BYTES_ELSEWHERE)
    room = room if free is None else min(room, free // 2)
    slots = min(most, room // (token * length))
    while slots < 8 and length > 1024:  # rather more visitors than longer texts
        length //= 2
        slots = min(most, room // (token * length))
    return max(1, slots), length
