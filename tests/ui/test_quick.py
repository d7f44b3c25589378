"""gradio is the same, only its stubs are not looked at."""

import subprocess
import sys


def test_no_stub_is_parsed_and_everything_else_is_as_ever():
    code = """
import ast, inspect
before = inspect.getfile
parsed, real = [], ast.get_source_segment
ast.get_source_segment = lambda *args, **more: parsed.append(args) or real(*args, **more)
from t2ui.ui.quick import import_gradio
import_gradio()
import gradio
assert inspect.getfile is before and inspect.getfile(gradio.Slider).endswith("slider.py")
assert not parsed
with gradio.Blocks() as demo:
    box = gradio.Textbox("x")
    gradio.Button("y").click(lambda x: x, box, box)
assert demo.get_config_file()["components"]
import_gradio()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
