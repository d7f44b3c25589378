"""Choosing the next token of every row; the noise is a function of (seed, step) alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch


def uniforms(seeds: np.ndarray, step: int | np.ndarray) -> np.ndarray:
    """One number in [0, 1) per seed for a step (one for all, or one a seed): SplitMix64 (Steele, Lea, Flood 2014), the same on every machine.

    A counter-based generator costs microseconds for a whole batch and keeps a row's noise independent of the rows
    beside it, of the batch's size and of the device.
    """
    with np.errstate(over="ignore"):
        x = seeds.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = _mix(x) + (np.asarray(step).astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        return (_mix(x) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(x: np.ndarray) -> np.ndarray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Sampler:
    """How each row of a batch chooses: greedily, or by the inverse of its cumulative distribution.

    Args:
        temperatures: 0 = greedy. top_ps: 1 = all tokens. seeds: whole numbers from 0.
    """

    def __init__(self, temperatures: Sequence[float], top_ps: Sequence[float], seeds: Sequence[int]) -> None:
        self.temperatures = np.asarray(temperatures, dtype=np.float64)
        self.top_ps = np.asarray(top_ps, dtype=np.float64)
        self.seeds = np.asarray(seeds, dtype=np.uint64)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        index = np.asarray(rows, dtype=np.int64)
        self.temperatures, self.top_ps = self.temperatures[index], self.top_ps[index]
        self.seeds = self.seeds[index]

    def pick(self, logits: torch.Tensor, step: int | np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens (B,) and their log-probabilities (B,) at temperature 1 without a top-p cut.

        Args:
            logits: (B, V) fp32.
            step: how many tokens these rows have decoded already; one number, or one a row (B,).
        """
        tokens = logits.argmax(dim=-1)
        hot = np.flatnonzero(self.temperatures > 0)
        if hot.size:
            index = torch.from_numpy(hot).to(logits.device)
            tokens[index] = self._sample(logits[index], hot, step)
        chosen = logits.gather(-1, tokens[:, None])[:, 0]
        return tokens, chosen - logits.logsumexp(dim=-1)

    def _sample(self, logits: torch.Tensor, hot: np.ndarray, step: int | np.ndarray) -> torch.Tensor:
        # CPU, float64: a cumulative sum of fp32 over a large vocabulary could end visibly below 1.
        heat = torch.from_numpy(self.temperatures[hot])[:, None]
        values = logits.double().cpu()
        # The largest logit is taken off before the division: a tiny temperature must not overflow.
        p = ((values - values.amax(dim=-1, keepdim=True)) / heat).softmax(dim=-1)
        top = torch.from_numpy(self.top_ps[hot])[:, None]
        if bool((top < 1).any()):
            p = _nucleus(p, top)
        total = p.cumsum(dim=-1)
        steps = step if np.ndim(step) == 0 else np.asarray(step)[hot]
        noise = torch.from_numpy(uniforms(self.seeds[hot], steps))[:, None] * total[:, -1:]
        # right=True: the first token whose cumulated probability exceeds the noise; it always has some itself.
        return torch.searchsorted(total, noise, right=True)[:, 0].clamp_(max=p.shape[-1] - 1).to(logits.device)


def _nucleus(p: torch.Tensor, top: torch.Tensor) -> torch.Tensor:
    """Set to 0 what lies outside the smallest set of tokens with probability >= top; rows at 1 stay as they are."""
    ranked, order = p.sort(dim=-1, descending=True, stable=True)
    before = ranked.cumsum(dim=-1) - ranked  # probability in front of each token: the first is always kept
    ranked = ranked.masked_fill((before >= top) & (top < 1), 0.0)
    return torch.zeros_like(p).scatter(-1, order, ranked)
