"""Slots begin as zeros of the model's dtype, whoever makes their pages. What is read and written in them: test_scheduler.py."""

import pytest
import torch

from t2ui.engine.cache import SlotCache, _zeros


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_slots_begin_as_zeros_that_can_be_written(dtype):
    made = _zeros(torch.ones(3, dtype=dtype), (3, 2, 5, 7))
    assert made.dtype == dtype and made.shape == (3, 2, 5, 7) and made.is_contiguous() and not made.any()
    made[1, 0, 4] = 2.5
    assert float(made.float().sum()) == 7 * 2.5


def test_a_row_reads_what_was_written_and_zeros_where_nothing_was():
    cache = SlotCache(layers=1, slots=4, length=64)
    cache.aim(slice(0, 2), torch.tensor([0, 3]), 2, 5)
    keys = torch.randn(2, 3, 2, 8)
    k, v = cache.layers[0].update(keys, -keys)
    for row, start in enumerate((0, 3)):
        assert torch.equal(k[row, :, start : start + 2], keys[row]) and torch.equal(v[row, :, start : start + 2], -keys[row])
    assert int((k != 0).sum()) == keys.numel() and k.shape[2] == cache.width
