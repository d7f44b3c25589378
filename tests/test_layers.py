"""Who may import whom (design: core <- engine <- train; gradio only in ui; tasks import none of them)."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FORBIDDEN = {
    "t2ui": ("torch", "transformers", "gradio", "plotly"),
    "t2ui.core": ("transformers", "gradio", "plotly", "pandas", "t2ui.engine", "t2ui.tasks", "t2ui.train", "t2ui.ui"),
    "t2ui.engine": ("gradio", "plotly", "t2ui.tasks", "t2ui.train", "t2ui.ui"),
    "t2ui.tasks": ("torch", "transformers", "gradio", "plotly", "t2ui.core", "t2ui.engine", "t2ui.train", "t2ui.ui"),
    "t2ui.train": ("gradio", "plotly", "t2ui.ui"),
    "t2ui.plots": ("gradio", "torch", "transformers", "t2ui.engine", "t2ui.tasks", "t2ui.train", "t2ui.ui"),
}
if importlib.util.find_spec("peft"):  # optional
    FORBIDDEN["t2ui.peft_bridge"] = ("gradio", "plotly", "t2ui.tasks", "t2ui.train", "t2ui.ui")
PROGRAM = """
import importlib, json, pkgutil, sys
package = importlib.import_module({name!r})
if {name!r} != "t2ui":  # of the top only itself: all packages lie below it
    for module in pkgutil.walk_packages(getattr(package, "__path__", []), {name!r} + "."):
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_fresh_interpreter_imports_nothing_forbidden(name):
    run = subprocess.run([sys.executable, "-c", PROGRAM.format(name=name)], cwd=ROOT, capture_output=True, text=True,
                         check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr
    modules = json.loads(run.stdout.splitlines()[-1])
    found = [m for m in modules for bad in FORBIDDEN[name] if m == bad or m.startswith(bad + ".")]
    assert not found


def test_without_peft_only_the_bridge_is_missing_and_says_what_to_install():
    program = """
import sys
sys.modules["peft"] = None  # what an environment without it looks like
import t2ui, t2ui.core, t2ui.engine, t2ui.bench.lora
try:
    import t2ui.peft_bridge
except ImportError as error:
    print(error)
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert 'pip install "t2ui[peft]"' in run.stdout


def test_only_the_ui_imports_gradio_even_inside_functions():
    for path in (ROOT / "t2ui").rglob("*.py"):
        if "ui" in path.relative_to(ROOT / "t2ui").parts[:1]:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [])  # fmt: skip
            assert not any(n.split(".")[0] == "gradio" for n in names), path


def test_no_model_written_code_runs_outside_the_sandbox():
    for path in (ROOT / "t2ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("exec", "eval"), path
