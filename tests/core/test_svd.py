import os
import threading

import pytest
import torch

from t2ui.core import svd
from t2ui.core.files import write_atomic
from t2ui.core.svd import decompose, decompose_all, digest, fingerprint, reconstruct

SHAPES = [(1, 1), (5, 1), (1, 7), (16, 16), (40, 24), (24, 40)]


def matrix(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def deficient(shape):
    weight = matrix(shape)
    half = min(shape) // 2
    if shape[1] <= shape[0]:
        weight[:, half:] = 0
    else:
        weight[half:] = 0
    return weight


def agrees(weight, factors, tolerance=2e-6):
    out, in_ = weight.shape
    r = min(out, in_)
    U, sigma, Vh = factors
    assert (U.shape, sigma.shape, Vh.shape) == ((out, r), (r,), (r, in_))
    assert all(t.is_contiguous() and t.dtype == torch.float32 for t in factors)
    assert (sigma >= 0).all()
    assert (sigma[1:] <= sigma[:-1]).all()
    eye = torch.eye(r)
    torch.testing.assert_close(U.T @ U, eye, atol=2e-6, rtol=0)
    torch.testing.assert_close(Vh @ Vh.T, eye, atol=2e-6, rtol=0)
    torch.testing.assert_close(reconstruct(factors), weight.float(), atol=tolerance * float(sigma[0] + 1), rtol=0)
    pivot = U.gather(0, U.abs().argmax(0, keepdim=True))
    assert (pivot > 0).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("make", [matrix, deficient, torch.zeros])
@pytest.mark.parametrize("route", [svd._by_lapack, svd._by_gram])
def test_decompose_and_reconstruct(monkeypatch, shape, make, route):
    monkeypatch.setattr(svd, "_by_lapack", route)  # the route of a GPU is tried on the CPU too
    weight = make(shape)
    agrees(weight, decompose(weight))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_factors_are_fp32_whatever_the_weight(dtype):
    weight = matrix((12, 20)).to(dtype)
    agrees(weight, decompose(weight))


def test_both_routes_give_one_basis():
    weight = matrix((30, 18)).double()
    U, sigma, Vh = svd._by_lapack(weight)
    U2, sigma2, Vh2 = svd._by_gram(weight)
    torch.testing.assert_close(sigma, sigma2, atol=1e-12, rtol=0)
    torch.testing.assert_close((U * U2).sum(0).abs(), torch.ones(18, dtype=torch.float64))
    torch.testing.assert_close((Vh * Vh2).sum(1), (U * U2).sum(0))  # signs go together


@pytest.mark.parametrize("shape", [(96, 320), (320, 96), (200, 200)])
def test_the_route_of_a_gpu_against_torch_svd(shape):
    weight = (0.02 * matrix(shape, 7)).bfloat16().double()
    U, sigma, Vh = svd._by_gram(weight)
    want_U, want, want_Vh = torch.linalg.svd(weight, full_matrices=False)
    assert float(((sigma - want).abs() / want).max()) < 1e-10
    sign = (U * want_U).sum(0).sign()
    assert float((U * sign - want_U).abs().max()) < 1e-9 and float((Vh * sign[:, None] - want_Vh).abs().max()) < 1e-9


def test_gram_route_stands_ill_conditioned_matrices():
    U, _, Vh = torch.linalg.svd(matrix((24, 24)).double())
    weight = (U * torch.logspace(0, -14, 24, dtype=torch.float64)) @ Vh
    U, sigma, Vh = svd._by_gram(weight)
    torch.testing.assert_close((U * sigma) @ Vh, weight, atol=1e-8, rtol=0)
    torch.testing.assert_close(Vh @ Vh.T, torch.eye(24, dtype=torch.float64), atol=1e-13, rtol=0)


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (torch.zeros(3), "matrix"),
        (torch.zeros(0, 3), "non-empty"),
        (torch.ones(2, 2, dtype=torch.int8), "unquantised"),
        (torch.tensor([[1.0, float("nan")]]), "NaN"),
    ],
)
def test_decompose_refuses(weight, says):
    with pytest.raises(ValueError, match=says):
        decompose(weight)


def test_decompose_all_names_the_matrix_it_refuses():
    with pytest.raises(ValueError, match="layers.1.up"):
        list(decompose_all({"layers.0.up": matrix((3, 3)), "layers.1.up": torch.full((3, 3), torch.inf)}))


@pytest.fixture
def weights():
    return {"a": matrix((8, 12)), "b": matrix((12, 8), 1), "c": matrix((6, 6), 2).bfloat16()}


def same(left, right):
    return all(torch.equal(x, y) for a, b in zip(left, right, strict=True) for x, y in zip(a, b, strict=True))


def test_cache_gives_back_the_same_bits(tmp_path, weights):
    plain = [r.factors for r in decompose_all(weights)]
    first = list(decompose_all(weights, tmp_path / "new"))
    second = list(decompose_all(weights, tmp_path / "new"))
    assert [(r.path, r.done, r.total) for r in first] == [("a", 1, 3), ("b", 2, 3), ("c", 3, 3)]
    assert not any(r.cached for r in first)
    assert all(r.cached and not r.note for r in second)
    assert same(plain, [r.factors for r in first])
    assert same(plain, [r.factors for r in second])
    assert not [f for f in (tmp_path / "new").iterdir() if f.suffix != ".safetensors"]  # no temporary file left


def test_one_changed_entry_is_another_cache_entry(tmp_path, weights):
    list(decompose_all(weights, tmp_path))
    weights["a"][3, 4] += 1e-6
    assert [r.cached for r in decompose_all(weights, tmp_path)] == [False, True, True]


def _truncate(data):
    return data[: len(data) // 2]


def _garbage(data):
    return b"not safetensors"


def _empty(data):
    return b""


def _flipped(data):
    return data[:-3] + bytes([data[-3] ^ 0xFF, data[-2] ^ 0x7F, data[-1] ^ 0x7F])


@pytest.mark.parametrize("damage", [_truncate, _garbage, _empty, _flipped])
def test_damaged_cache_entries_are_recomputed(tmp_path, weights, damage):
    good = [r.factors for r in decompose_all(weights, tmp_path)]
    for file in tmp_path.iterdir():
        file.write_bytes(damage(file.read_bytes()))
    again = list(decompose_all(weights, tmp_path))
    assert all(not r.cached and "damaged" in r.note for r in again)
    assert same(good, [r.factors for r in again])
    assert all(r.cached for r in decompose_all(weights, tmp_path))  # and rewritten


def test_another_matrix_in_the_cache_is_not_believed(tmp_path, weights):
    list(decompose_all({"a": weights["a"]}, tmp_path))
    (file,) = tmp_path.iterdir()
    other = matrix((8, 12), 9)
    file.rename(tmp_path / f"{svd._content_key(other)}.safetensors")
    (report,) = decompose_all({"a": other}, tmp_path)
    assert not report.cached
    agrees(other, report.factors)


def test_a_cache_that_cannot_be_written_costs_no_run(tmp_path, weights):
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    reports = list(decompose_all(weights, blocked))
    assert len(reports) == 3
    assert all("cache not" in r.note for r in reports)


def test_decompose_all_stops(weights):
    stop, reports = threading.Event(), []
    for report in decompose_all(weights, stop=stop):
        reports.append(report)
        stop.set()
    assert len(reports) == 1


def test_fingerprint_is_of_content_and_place(weights):
    whole = fingerprint(weights)
    assert whole == fingerprint(dict(reversed(weights.items())))
    assert whole == fingerprint({p: digest(w) for p, w in weights.items()})
    assert whole != fingerprint({**weights, "a": weights["a"] + 0.1})
    assert whole != fingerprint({**weights, "a": weights["a"].reshape(12, 8)})
    assert whole != fingerprint({("d" if p == "a" else p): w for p, w in weights.items()})


def test_fingerprint_agrees_across_loads():
    weight = 0.02 * matrix((128, 96))
    assert digest(weight) == digest(weight.bfloat16())
    stored = weight.bfloat16()
    assert digest(stored) == digest(stored.float()) == digest(stored.half())
    assert digest(stored) == digest(stored.T.contiguous().T)  # memory layout does not matter


def test_write_atomic_replaces_whole_files_and_cleans_up(tmp_path, monkeypatch):
    target = tmp_path / "deep" / "file.bin"
    write_atomic(target, b"old")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="No space"):
        write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert [f.name for f in target.parent.iterdir()] == ["file.bin"]
