"""The example notebook and the blocks of docs/python.md run, on the shipped demo model, in processes of their own."""

import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import t2ui

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK, PAGE = ROOT / "examples" / "notebook.ipynb", ROOT / "docs" / "python.md"
needs_demo = pytest.mark.skipif(not (ROOT / "assets" / "demo-model" / "config.json").is_file(), reason="no demo model")
# Every piece is compiled by itself, as a notebook does, so that an error names it; a last expression is worth a look.
PROGRAM = """
import json, sys
from pathlib import Path
space = {"__name__": "__main__"}
for number, source in enumerate(json.loads(Path(sys.argv[1]).read_text())):
    print(f"-- {number}")
    exec(compile(source, f"piece {number}", "exec"), space)
"""


def cells() -> list[dict]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


def executed(sources: list[str], cwd: Path, scratch: Path, path: str | None) -> str:
    """What the pieces print, run one after the other in one namespace."""
    import os

    pieces = scratch / "pieces.json"
    pieces.write_text(json.dumps(sources))
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ({"PYTHONPATH": path} if path else {})
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(pieces)], cwd=cwd, env=env, capture_output=True, text=True,
                          timeout=900, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def test_the_notebook_is_plain_and_small():
    assert NOTEBOOK.stat().st_size < 20_000
    found = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert found["nbformat"] == 4 and len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    for cell in found["cells"]:
        assert cell["cell_type"] in ("markdown", "code") and all(isinstance(line, str) for line in cell["source"])
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.mark.slow
@needs_demo
def test_the_notebook_runs(tmp_path):
    sources = ["".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code"]
    printed = executed(sources, NOTEBOOK.parent, tmp_path, None)
    assert "experts: code, math, reasoning, vision" in printed and "the base model says math" in printed
    assert "base: weights changed by 0.0%" in printed and re.search(r"math=0\.6.*: weights changed by [1-9]", printed)
    assert "found: " in printed and re.search(r"right of 8: \{'base': \d, 'found': \d\}", printed)
    assert re.search(r"^[1-9]\d* matrices$", printed, re.M)


@pytest.mark.slow
@needs_demo
def test_the_page_of_the_api_runs(tmp_path):
    printed = executed(blocks(), tmp_path, tmp_path, str(ROOT))
    assert "adapter_model.safetensors" in printed and (tmp_path / "my-mix" / "adapter_config.json").is_file()
    assert "chess" in printed.splitlines()[-1]


def test_the_page_names_everything_public():
    text = PAGE.read_text(encoding="utf-8")
    for name in t2ui.__all__:
        assert f"| `{name}` |" in text
        thing = getattr(t2ui, name)
        assert thing.__doc__ and len(thing.__doc__) > 100
        if inspect.isfunction(thing):
            signature = next(line for line in re.findall(rf"`{name}\((.*?)\)`", text))
            said = [part.split("=")[0].strip(" *") for part in signature.split(",") if part.strip(" ()")]
            assert said == list(inspect.signature(thing).parameters)
