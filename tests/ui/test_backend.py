"""The engine behind the page: what is said while it loads, when it is there, and when it fails."""

import asyncio
import json
import shutil
import time
from pathlib import Path

import pytest

from t2ui.core.mixing import Mix
from t2ui.ui.backend import MORE, SLIDERS, Backend, Options, peek_experts


def test_it_loads_in_the_background(tiny_llava_dir, tiny_llava_experts):
    backend = Backend(Options(str(tiny_llava_dir), str(tiny_llava_experts), "cpu"))
    assert backend.state == "loading" and backend.engine is None
    assert set(backend.names) == {"math", "code", "vision"}  # from the files' headers alone
    backend.start()
    try:
        assert asyncio.run(backend.wait(60)) and backend.state == "ready"
        assert backend.names == ("math", "code", "vision") and backend.info.has_vision
        assert len(backend.cells) == 14 and len(backend.cells[0]["G"]) == 3
        assert backend.mix([0.5, None, 0, 9, 9]) == Mix({"math": 0.5})
        with pytest.raises(ValueError, match="alpha of math"):
            backend.mix([float("nan")])
        with pytest.raises(ValueError, match="from -100 to 100"):
            backend.mix([1e9])
    finally:
        backend.close()


def test_a_broken_model_is_a_reason_and_not_a_crash(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    backend = Backend(Options(str(tmp_path), str(tmp_path)))
    backend.start()
    assert asyncio.run(backend.wait(60)) and backend.state == "failed" and backend.text
    backend.close()


def test_a_damaged_expert_is_listed_with_the_reason(tiny_llava_dir, tiny_llava_experts, tmp_path):
    shutil.copytree(tiny_llava_experts, tmp_path / "experts")
    file = tmp_path / "experts" / "code" / "expert.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    backend = Backend(Options(str(tiny_llava_dir), str(tmp_path / "experts"), "cpu"))
    assert set(backend.names) == {"math", "vision"}
    backend.start()
    asyncio.run(backend.wait(60))
    assert backend.state == "ready" and backend.names == ("math", "vision")
    assert [name for name, why in backend.refused if why] == ["code"]
    backend.close()


def test_headers_are_read_without_trusting_them(tmp_path):
    for i, content in enumerate((b"", b"\xff" * 8, b"\x05\0\0\0\0\0\0\0{bad}", (2**40).to_bytes(8, "little"))):
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "expert.safetensors").write_bytes(content)
    header = json.dumps({"__metadata__": {"t2ui": json.dumps({"role": "dispatcher", "name": "d"})}}).encode()
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "expert.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert peek_experts(tmp_path) == () and peek_experts(tmp_path / "none") == ()


def test_headers_of_real_experts_are_understood(tiny_llava, tmp_path):
    """The shipped folder holds a dispatcher, which has no slider: taken for an expert, it would shift all others."""
    from t2ui.core import Expert

    z = 1 + 0 * tiny_llava.adapted.sigma
    for name, role in (("b", "skill"), ("c", "dispatcher"), ("a", "skill")):
        Expert.from_z(tiny_llava.adapted, name, z + 0.1, role=role).save(tmp_path / name)
    assert peek_experts(tmp_path) == ("a", "b")


def test_every_expert_gets_a_slider_and_some_are_left_for_uploads(tiny_llava, tmp_path):
    from t2ui.core import Expert

    assert Backend(Options(experts=str(tmp_path))).slots == SLIDERS
    z = 1 + 0 * tiny_llava.adapted.sigma
    for i in range(20):
        Expert.from_z(tiny_llava.adapted, f"e{i:02}", z + 0.1).save(tmp_path / f"e{i:02}")
    backend = Backend(Options(experts=str(tmp_path)))
    assert len(backend.names) == 20 and backend.slots == 20 + MORE


def test_it_waits_for_the_first_page_but_not_for_ever(monkeypatch):
    begun = []
    monkeypatch.setattr(Backend, "_load", lambda self: begun.append(self))
    idle, hurried, late = Backend(), Backend(), Backend()
    idle.page_opened()  # nobody asked for it to start: it stays as it is
    hurried.start_soon(600)
    hurried.page_opened()
    hurried.page_opened()
    late.start_soon(0.01)
    for backend in (hurried, late):
        for _ in range(200):
            if backend in begun:
                break
            time.sleep(0.02)
    assert begun.count(hurried) == 1 and begun.count(late) == 1 and idle not in begun


def test_a_dispatcher_is_no_slider_even_before_the_model_is_there():
    names = peek_experts(Path(__file__).parents[2] / "experts")
    assert "math" in names and "dispatcher" not in names
