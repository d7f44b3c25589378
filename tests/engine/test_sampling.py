"""Sampling: greedy at 0, the right frequencies above, and noise that depends on (seed, step) alone."""

import numpy as np
import torch

from t2ui.engine.sampling import Sampler, uniforms


def test_noise_is_uniform_and_independent():
    u = uniforms(np.arange(20_000, dtype=np.uint64), 0)
    assert u.min() >= 0 and u.max() < 1
    counts, _ = np.histogram(u, bins=20, range=(0, 1))
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)
    along = np.array([uniforms(np.array([5], dtype=np.uint64), s)[0] for s in range(2000)])
    assert abs(along.mean() - 0.5) < 5 / np.sqrt(12 * 2000)
    assert abs(np.corrcoef(along[:-1], along[1:])[0, 1]) < 0.1
    v = uniforms(np.arange(20_000, dtype=np.uint64), 1)
    assert abs(np.corrcoef(u, v)[0, 1]) < 0.04


def test_noise_is_the_same_on_every_machine():
    assert uniforms(np.array([0, 1, 2**63 - 1], dtype=np.uint64), 3).tolist() == uniforms(
        np.array([2**63 - 1, 1, 0], dtype=np.uint64), 3
    ).tolist()[::-1]
    # SplitMix64's published first output for the state 0 is 0xE220A8397B1DCDAF; seed 0, step 0 is that.
    assert uniforms(np.array([0], dtype=np.uint64), 0)[0] == (0xE220A8397B1DCDAF >> 11) * 2.0**-53


def test_greedy_takes_the_largest_and_reports_its_log_probability():
    logits = torch.tensor([[0.0, 2.0, 1.0], [5.0, 2.0, 1.0]])
    tokens, logprobs = Sampler([0, 0], [1, 1], [0, 0]).pick(logits, 0)
    assert tokens.tolist() == [1, 0]
    assert torch.allclose(logprobs, logits.log_softmax(-1)[[0, 1], [1, 0]])


def test_frequencies_follow_the_temperature():
    n = 20_000
    logits = torch.tensor([[1.0, 0.0, -1.0, 2.0]]).expand(n, 4)
    for heat in (1.0, 0.5):
        tokens, _ = Sampler([heat] * n, [1.0] * n, range(n)).pick(logits, 4)
        share = torch.bincount(tokens, minlength=4) / n
        p = (logits[0] / heat).softmax(-1)
        assert (share - p).abs().max() < 5 * (0.25 / n) ** 0.5


def test_top_p_keeps_the_smallest_set():
    n = 4_000
    p = torch.tensor([0.1, 0.5, 0.05, 0.35])
    logits = p.log().expand(n, 4)
    tokens, logprobs = Sampler([1.0] * n, [0.6] * n, range(n)).pick(logits, 0)
    share = torch.bincount(tokens, minlength=4) / n
    assert share[0] == share[2] == 0
    assert abs(float(share[1]) - 0.5 / 0.85) < 0.05
    assert torch.allclose(logprobs, p.log()[tokens], atol=1e-6)  # of the whole distribution, without the cut
    tokens, _ = Sampler([1.0] * n, [0.01] * n, range(n)).pick(logits, 0)
    assert set(tokens.tolist()) == {1}


def test_a_row_is_the_same_whatever_stands_beside_it():
    torch.manual_seed(0)
    logits = torch.randn(5, 50)
    alone = [int(Sampler([0.9], [0.8], [s]).pick(logits[i : i + 1], 7)[0]) for i, s in enumerate(range(10, 15))]
    beside = Sampler([0.9, 0.9, 0.9, 0.9, 0.9], [0.8] * 5, range(10, 15))
    assert beside.pick(logits, 7)[0].tolist() == alone
    beside.keep([1, 4])
    assert beside.pick(logits[[1, 4]], 7)[0].tolist() == [alone[1], alone[4]]


def test_a_tiny_temperature_is_greedy_and_does_not_overflow():
    logits = torch.tensor([[300.0, 299.0, -300.0]])
    assert Sampler([1e-9], [1.0], [3]).pick(logits, 0)[0].tolist() == [0]


def test_a_token_of_probability_zero_is_never_taken():
    logits = torch.tensor([[float("-inf"), 0.0, float("-inf")]]).expand(500, 3)
    assert set(Sampler([1.0] * 500, [1.0] * 500, range(500)).pick(logits, 0)[0].tolist()) == {1}
