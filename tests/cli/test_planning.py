"""plan, architectures and decompose on the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from t2ui.__main__ import main
from t2ui.bench.tiny import build
from t2ui.engine.model import load

ROOT = Path(__file__).resolve().parents[2]


def test_plan_of_a_shape_and_of_a_folder(tiny_llava_dir, tmp_path, capsys):
    out = tmp_path / "p.json"
    assert main(["plan", "llama-3-8b", "--no-measure", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert "720,896 numbers" in said and "rows on attention" in said and "80 GB" in said and "arXiv 2407.21783" in said
    found = json.loads(out.read_text())
    assert found["z"] == 720_896 and found["seconds"] is None and set(found["cards"]) == {"8", "12", "16", "24", "40", "48", "80"}
    assert main(["plan", str(tiny_llava_dir), "--dtype", "float32", "--rows", "4", "--device", "cpu", "--json", str(out)]) == 0
    assert "512 x 512 matrix took" in capsys.readouterr().out
    assert json.loads(out.read_text())["seconds"] > 0 and json.loads(out.read_text())["slots"] == 4


@pytest.mark.parametrize(
    ("args", "words"),
    [(["plan", "llama-99b"], "well-known shape"), (["plan", "llama-3-8b", "--rows", "0"], "at least 1"),
     (["architectures", "--only", "gpt2"], "no kind 'gpt2'"), (["decompose", "--model", "nowhere"], "no model folder")],
)  # fmt: skip
def test_wrong_words(capsys, args, words):
    assert main(args) == 1
    assert words in capsys.readouterr().err


def test_the_table_is_printed(tmp_path, capsys):
    out = tmp_path / "table.md"
    assert main(["architectures", "--only", "phi3,llava", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert said == out.read_text() and said.count("\n") == 4 and "**fails**" not in said
    assert said.splitlines()[0].startswith("| architecture | attach | fold | rows | expert | decode | slots | picture |")
    assert "8 matrices" in said and "as generate, first logits" in said


@pytest.mark.parametrize("kind", ["llama", "phi3", "qwen2_vl", "gemma3", "smolvlm"])
def test_what_decompose_made_is_what_loading_reads(kind, tmp_path, monkeypatch, capsys):
    folder = build(kind, tmp_path / "m")
    monkeypatch.setenv("T2UI_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "d.json"
    assert main(["decompose", "--model", str(folder), "--device", "cpu", "--dtype", "bfloat16", "--json", str(out)]) == 0
    first = json.loads(out.read_text())
    before = {f.name: f.stat().st_mtime_ns for f in (tmp_path / "cache").iterdir()}
    loaded = load(folder, device="cpu", dtype="bfloat16", experts_dir=None)
    assert {f.name: f.stat().st_mtime_ns for f in (tmp_path / "cache").iterdir()} == before
    assert (first["matrices"], first["singular_values"], first["cached"]) == (len(loaded.adapted.paths), loaded.adapted.R, 0)
    assert main(["decompose", "--model", str(folder), "--device", "cpu", "--dtype", "bfloat16", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["cached"] == first["matrices"]


@pytest.mark.slow
def test_decompose_is_interrupted_and_goes_on(tmp_path):
    folder = build("llama", tmp_path / "m")
    env = {**os.environ, "T2UI_CACHE": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    # A shell that started the tests in the background made them, and all that they start, deaf to this signal.
    slow = ("import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "import time; from t2ui.core import svd; real = svd.decompose\n"
            "svd.decompose = lambda w: time.sleep(0.5) or real(w)\n"
            "import sys; from t2ui.__main__ import main; sys.exit(main(sys.argv[1:]))")  # fmt: skip
    command = [sys.executable, "-c", slow, "decompose", "--model", str(folder), "--device", "cpu"]
    run = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    for line in run.stderr:
        if line.startswith("2/14"):
            break
    assert " left " in line
    run.send_signal(signal.SIGINT)
    assert run.wait(20) == 130 and "goes on from there" in run.stderr.read()
    done = len(list((tmp_path / "cache").glob("*.safetensors")))
    assert 2 <= done < 14 and not list((tmp_path / "cache").glob("*.tmp"))
    begun = time.monotonic()
    out = tmp_path / "d.json"
    assert subprocess.run([*command, "--json", str(out)], env=env, capture_output=True, check=False).returncode == 0
    assert json.loads(out.read_text())["cached"] == done and time.monotonic() - begun < 60


def test_decompose_without_room_says_so_first(tiny_lm_dir, monkeypatch, capsys, tmp_path):
    from t2ui.core import svd

    monkeypatch.setenv("T2UI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(svd, "free_disk", lambda folder: 0)
    assert main(["decompose", "--model", str(tiny_lm_dir), "--device", "cpu"]) == 1
    assert "GB free: make room, or set T2UI_CACHE" in capsys.readouterr().err and not (tmp_path / "cache").exists()
