"""The table of LoRA ranks says what was measured, and whether full rank is the mix."""

import pytest

from t2ui.train.tables_lora import markdown


def row(rank, kept, full=False, logits=0.3):
    return {"task": "math", "rank": rank, "full": full, "kept": kept, "kept_least": kept - 0.1, "numbers": 1000 * rank, "n": 500,
            "accuracy": kept, "ci95": [kept - 0.02, kept + 0.02], "logits": logits,
            "minus_mix": {"diff": kept - 1, "ci95": [kept - 1.02, kept - 0.98]}}  # fmt: skip


BESIDE = [{"task": "math", "mix": "base", "accuracy": 0.3, "ci95": [0.28, 0.32], "n": 500}]


@pytest.mark.parametrize(("logits", "said"), [(5e-5, "5e-05, met"), (2e-4, "2e-04, **missed**")])
def test_every_rank_has_its_line(logits, said):
    text = markdown({"lora": {"mix": "math", "beside": BESIDE, "rows": [row(1, 0.5), row(128, 1.0, True, logits)]}})
    assert "| base |  |  |  | math | 30.0 (28.0 to 32.0) |  |  |" in text
    assert "| rank 1 | 50.0 % | 40.0 % | 1,000 | math | 50.0 (48.0 to 52.0) | -50.0 (-52.0 to -48.0) | 3e-01 |" in text
    assert "| rank 128 (full) |" in text and said in text and "n = 500" in text


def test_nothing_without_a_measurement():
    assert markdown({}) == ""
