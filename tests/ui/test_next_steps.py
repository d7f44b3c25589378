"""A base without experts: the page says what can be done, and the commands are such as the command line takes."""

import asyncio
import html
import re
import shlex
from types import SimpleNamespace

import pytest

from t2ui.__main__ import parser
from t2ui.ui.app import build_app
from t2ui.ui.backend import Backend, Options
from t2ui.ui.next_steps import commands, on_this_machine
from t2ui.ui.next_steps import html as steps
from t2ui.ui.text import Text

T = Text()


def backend(model="assets/demo-model", experts="experts", names=(), state="ready"):
    return SimpleNamespace(state=state, names=names, options=Options(model, experts), info=SimpleNamespace(name="<b>base</b>"))


def boxes(text):
    return [html.unescape(line) for line in re.findall(r"<pre[^>]*>(.*?)</pre>", text)]


def test_a_base_without_experts_gets_commands_and_others_none():
    text = steps(backend("owner/model"), T)
    assert boxes(text) == list(commands("owner/model", "experts", False).values()) and len(boxes(text)) == 4
    assert "&lt;b&gt;base" in text and "<b>" not in text and text.count('data-t2="copy"') == 4
    assert steps(backend(names=("math",)), T) == "" == steps(backend(state="loading"), T)


@pytest.mark.parametrize("model", ["owner/model", "assets/demo-model", "it's here; rm -rf $(HOME)"])
def test_the_command_line_takes_them(model, tmp_path):
    told = commands(model, str(tmp_path), True)
    for key, command in (("import", "import"), ("train", "train")):
        words = shlex.split(told[key])
        assert words[:4] == ["python", "-m", "t2ui", command]
        args = parser().parse_args(words[3:])
        assert args.experts == str(tmp_path)
        assert args.model == model or (model == "assets/demo-model" and args.model.endswith(model))
    assert shlex.split(told["again"])[:2] == ["python", "app.py"] and told["demo"] == "python app.py"


def test_where_things_lie_is_told_only_on_the_machine_itself(tmp_path):
    place = tmp_path / "llama"
    place.mkdir()
    assert str(place) in commands(str(place), "experts", True)["train"]
    told = " ".join(commands(str(place), str(tmp_path), False).values())
    assert str(tmp_path) not in told and "--model llama" in told
    assert on_this_machine("127.0.0.1", "localhost:7860") and on_this_machine("::1", "[::1]:7860")
    for client, host in (("10.0.0.7", "localhost:7860"), ("127.0.0.1", "abc.example.org"), (None, None), ("127.0.0.1", "")):
        assert not on_this_machine(client, host)


def test_the_page_says_it(tiny_lm_dir, tmp_path):
    """The page's own event, on a real engine without experts."""
    real = Backend(Options(str(tiny_lm_dir), str(tmp_path), "cpu"))
    demo = build_app(real)
    opened = next(fn for fn in demo.fns.values() if getattr(fn.fn, "__name__", "") == "opened")
    request = SimpleNamespace(client=SimpleNamespace(host="127.0.0.1"), headers={"host": "localhost:7860"}, query_params={})

    async def last():
        return [update async for update in opened.fn(request)][-1]

    real.start()
    try:
        said = {component.elem_id: value for component, value in asyncio.run(last()).items()}
    finally:
        real.close()
    assert real.state == "ready" and real.names == ()
    assert f"--model {tiny_lm_dir}" in html.unescape(said["t2-refused"]) and T("next.title") in said["t2-refused"]
    assert "no experts yet" in said["t2-question-notice"]
