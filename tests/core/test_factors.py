"""The cache of decompositions: checksums, room on the disk, what a killed run leaves, half precision."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from t2ui.core import factors as kept
from t2ui.core import svd
from t2ui.core.factors import CacheFull, entry_bytes, free_disk
from t2ui.core.svd import decompose, decompose_all, reconstruct

ROOT = Path(__file__).resolve().parents[2]


def matrix(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def weights():
    return {"a": matrix((24, 40)), "b": matrix((40, 24), 1), "c": matrix((16, 16), 2)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_any_flipped_bit_of_the_factors_is_seen(tmp_path, weights, dtype):
    good = next(decompose_all({"a": weights["a"]}, tmp_path, dtype=dtype)).factors
    (file,) = tmp_path.iterdir()
    data = file.read_bytes()
    start = kept._body(data)
    for place in torch.linspace(start, len(data) - 1, 7).long().tolist():
        # The lowest bit of a number: no check of the values could see it.
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        (report,) = decompose_all({"a": weights["a"]}, tmp_path, dtype=dtype)
        assert not report.cached and report.note == kept.DAMAGED
        assert all(torch.equal(x, y) for x, y in zip(report.factors, good, strict=True))
    assert next(decompose_all({"a": weights["a"]}, tmp_path, dtype=dtype)).cached


def test_entries_of_before_there_were_checksums_still_count(tmp_path, weights):
    from safetensors.torch import save

    found = decompose(weights["a"])
    (tmp_path / f"{svd._content_key(weights['a'])}.safetensors").write_bytes(save(found._asdict()))
    assert next(decompose_all({"a": weights["a"]}, tmp_path)).cached


def test_another_matrix_entry_under_this_name_is_found_out(tmp_path, weights):
    """Sound bytes, the right shape, and still somebody else's: a file that was renamed, or a broken copy of a folder."""
    other = matrix((24, 40), 7)
    list(decompose_all({"a": other}, tmp_path))
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / f"{svd._content_key(weights['a'])}.safetensors")
    (report,) = decompose_all({"a": weights["a"]}, tmp_path)
    assert not report.cached and report.note == kept.DAMAGED
    assert torch.allclose(reconstruct(report.factors), weights["a"], atol=1e-5)


def test_closing_early_reads_no_further(tmp_path, weights, monkeypatch):
    many = {str(i): matrix((24, 40), i) for i in range(20)}
    list(decompose_all(many, tmp_path))
    read = []
    real = svd.read_entry
    monkeypatch.setattr(svd, "read_entry", lambda entry, *more: read.append(entry) or real(entry, *more))
    reports = decompose_all(many, tmp_path)
    assert next(reports).path == "0"
    reports.close()
    assert len(read) <= 2 * svd.AHEAD + 1


def test_half_precision_factors_have_files_of_their_own(tmp_path, weights):
    full = [r.factors for r in decompose_all(weights, tmp_path)]
    half = list(decompose_all(weights, tmp_path, dtype=torch.bfloat16))
    again = list(decompose_all(weights, tmp_path, dtype=torch.bfloat16))
    assert [r.cached for r in half] == [False] * 3 and [r.cached for r in again] == [True] * 3
    for whole, one, other in zip(full, half, again, strict=True):
        assert (one.factors.U.dtype, one.factors.sigma.dtype) == (torch.bfloat16, torch.float32)
        assert torch.equal(one.factors.U, whole.U.bfloat16()) and torch.equal(one.factors.Vh, other.factors.Vh)
        assert torch.equal(one.factors.sigma, whole.sigma)


def test_sizes_are_those_of_the_files(tmp_path, weights):
    for dtype in (torch.float32, torch.bfloat16):
        folder = tmp_path / str(dtype)
        list(decompose_all(weights, folder, dtype=dtype))
        stored = sum(f.stat().st_size for f in folder.iterdir())
        stated = sum(entry_bytes(w.shape, dtype) for w in weights.values())
        assert stored <= stated <= stored + 4096 * len(weights)


def test_a_full_disk_is_told_first_and_costs_no_run(tmp_path, weights, monkeypatch):
    computed = []
    real = svd.decompose
    monkeypatch.setattr(svd, "decompose", lambda w: computed.append(w.shape) or real(w))
    monkeypatch.setattr(svd, "free_disk", lambda folder: svd.RESERVE + 1000)
    with pytest.raises(CacheFull, match=r"need 0\.00 GB more in .*T2UI_CACHE"):
        list(decompose_all(weights, tmp_path / "cache", strict=True))
    assert computed == [] and not (tmp_path / "cache").exists()
    reports = list(decompose_all(weights, tmp_path / "cache"))
    assert len(reports) == 3 and all("cache not written" in r.note and "T2UI_CACHE" in r.note for r in reports)


def test_what_is_there_already_needs_no_room(tmp_path, weights, monkeypatch):
    list(decompose_all({"a": weights["a"], "b": weights["b"]}, tmp_path))
    room = svd.RESERVE + entry_bytes(weights["c"].shape) + 10
    monkeypatch.setattr(svd, "free_disk", lambda folder: room)
    assert [r.cached for r in decompose_all(weights, tmp_path, strict=True)] == [True, True, False]


def test_free_disk_of_a_folder_that_is_not_there_yet(tmp_path):
    assert abs(free_disk(tmp_path / "a" / "b" / "c") - free_disk(tmp_path)) < 2**30 and free_disk(tmp_path) > 0


KILLED = """
import os, signal, sys, torch
from t2ui.core import factors, svd
weights = {str(i): torch.randn(24, 40, generator=torch.Generator().manual_seed(i)) for i in range(6)}
if sys.argv[2] == "between":
    for report in svd.decompose_all(weights, sys.argv[1]):
        if report.done == 3:
            os.kill(os.getpid(), signal.SIGKILL)
else:
    os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)  # the file is written, but has not its name yet
    list(svd.decompose_all(weights, sys.argv[1]))
"""


@pytest.mark.parametrize(("moment", "done"), [("between", 3), ("writing", 0)])
def test_a_killed_run_is_resumed(tmp_path, moment, done):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], env=env, check=False)
    assert run.returncode == -9
    left = list(tmp_path.glob(".*.tmp"))
    assert len(left) == (moment == "writing")
    for file in left:  # as if an hour had gone by
        os.utime(file, (time.time() - 4000, time.time() - 4000))
    weights = {str(i): torch.randn(24, 40, generator=torch.Generator().manual_seed(i)) for i in range(6)}
    reports = list(decompose_all(weights, tmp_path))
    assert [r.cached for r in reports] == [i < done for i in range(6)]
    assert not list(tmp_path.glob(".*.tmp"))
    assert all(torch.allclose(reconstruct(r.factors), weights[r.path], atol=1e-5) for r in reports)


def test_another_running_processes_file_is_left_alone(tmp_path, weights):
    (tmp_path / ".x.safetensors.1.abc.tmp").write_bytes(b"half")
    list(decompose_all(weights, tmp_path))
    assert (tmp_path / ".x.safetensors.1.abc.tmp").exists()


def test_time_left_falls_to_nothing_in_proportion_to_the_work(monkeypatch):
    # On a clock by which a matrix takes a second per million operations, the estimate is exact from the first on.
    weights = {str(i): matrix((100 + 20 * i, 100)) for i in range(5)}
    now = [0.0]
    monkeypatch.setattr(svd.time, "perf_counter", lambda: now[0])
    real = svd.decompose

    def slow(weight):
        now[0] += svd.work(weight.shape) / 1e6
        return real(weight)

    monkeypatch.setattr(svd, "decompose", slow)
    reports = list(decompose_all(weights))
    for i, report in enumerate(reports):
        assert report.left == pytest.approx(sum(r.seconds for r in reports[i + 1 :]), abs=1e-6)
    assert reports[-1].left == 0


def test_a_gpu_without_memory_leaves_the_matrix_to_the_cpu(monkeypatch, weights):
    real, asked = svd.decompose, []

    def decompose_(weight):
        asked.append(weight.device.type)
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(weight)

    monkeypatch.setattr(svd, "decompose", decompose_)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    (report,) = decompose_all({"a": weights["a"]}, device="cpu")
    assert "decomposed on the CPU" in report.note and len(asked) == 2
    torch.testing.assert_close(reconstruct(report.factors), weights["a"], atol=1e-5, rtol=0)
