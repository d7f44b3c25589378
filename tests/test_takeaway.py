"""What is copied from the page reproduces its numbers: the script and the command are executed."""

import asyncio
import json
import re
import shlex
import subprocess
import sys

import pytest

from t2ui import builtin
from t2ui.__main__ import main
from t2ui.core import Mix
from t2ui.engine import Engine, Request, score
from t2ui.runs import Question, run
from t2ui.takeaway import OWN, ROOT, Setup, command, folder, python

PROMPT = "It's \"Anna\" who has 12 pens;\nhow many are $(there)?"


@pytest.fixture(scope="module")
def place(tiny_llava_dir, tiny_llava_experts):
    return {"model": str(tiny_llava_dir), "experts": str(tiny_llava_experts)}


def on_the_page(loaded, setup):
    image = None if setup.picture is None else builtin.picture(setup.picture)
    question = Question(setup.prompt, image, setup.temperature, setup.seed, setup.max_new_tokens)
    auto = setup.mix.startswith("auto:")

    async def last(engine):
        kind, mix = ("ask", None) if auto else ("mix", Mix.parse(setup.mix))
        return [s async for s in run(engine, kind, question, soft=setup.soft, mix=mix)][-1]

    with Engine(loaded) as engine:
        engine.wait()
        return asyncio.run(last(engine))


SETUPS = [
    Setup(PROMPT, max_new_tokens=12),
    Setup(PROMPT, soft=True, seed=5, temperature=0.8, max_new_tokens=10),
    Setup("-How many red circles?", "math=0.6,code=0.25", picture="vision-1", seed=3, max_new_tokens=10),
    Setup("word " * 30, "base", picture="2", max_new_tokens=6),
]


def same(rows, answers):
    for row, (text, tokens, change) in zip(rows, answers, strict=True):
        assert tuple(tokens) == row.ids
        assert text == row.text or "\ufffd" in text  # a random model's broken bytes are shown in more than one way
        assert change == pytest.approx(row.change, abs=1e-6)


@pytest.mark.parametrize("setup", SETUPS, ids=["two passes", "blend", "mix and picture", "base"])
def test_both_say_what_the_page_said(tiny_llava, place, setup, tmp_path, capsys):
    from dataclasses import replace

    setup = replace(setup, **place)
    page = on_the_page(tiny_llava, setup)
    space: dict = {}
    exec(compile(python(setup), "takeaway.py", "exec"), space)  # noqa: S102 - that is the point
    same(page.rows, [(a.text, a.tokens, a.applied.change) for a in space["answers"]])
    printed = capsys.readouterr().out
    assert f"|dW|/|W| = {page.rows[1].change:.4f}" in printed
    words = shlex.split(command(setup))
    assert words[:4] == ["python", "-m", "t2ui", "ask"]
    flags = [*words[3:4], "--json", str(tmp_path / "out.json"), *words[4:]]
    assert main(flags) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    same(page.rows, [(a["text"], a["tokens"], a["change"]) for a in found["answers"]])
    if page.first_pass is not None:
        assert space["first"].scores == pytest.approx(dict(page.first_pass.scores), abs=1e-5)
        assert found["first_pass"]["scores"] == pytest.approx(dict(page.first_pass.scores), abs=1e-5)
        assert found["first_pass"]["choice"] == page.first_pass.choice


@pytest.mark.slow
def test_in_a_shell_and_an_interpreter_of_their_own(tiny_llava, place):
    from dataclasses import replace

    setup = replace(SETUPS[0], **place)
    page = on_the_page(tiny_llava, setup)
    options = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 120, "check": True}
    line = re.sub("^python", shlex.quote(sys.executable), command(setup))
    for done in (subprocess.run([sys.executable, "-c", python(setup)], **options), subprocess.run(["sh", "-c", line], **options)):
        for row in page.rows:
            logprob = sum(score(tiny_llava, [Request(PROMPT, mix=Mix.parse(row.mix))], [row.ids])[0])
            told = re.search(rf"^{row.mix}: \|dW\|/\|W\| = {row.change:.4f}, log p = (\S+)$", done.stdout, re.M)
            assert told is not None and float(told[1]) == pytest.approx(logprob, abs=1e-3)


def test_an_own_picture_has_to_be_saved_first():
    assert 'Image.open("picture.png")  # your own picture' in python(Setup("x", picture=OWN))
    assert "--image picture.png" in command(Setup("x", picture=OWN))


def test_folders_of_the_server_are_not_told(tmp_path):
    assert folder(ROOT / "assets" / "demo-model", "assets/demo-model") == "" == folder(ROOT / "experts", "experts")
    assert folder(ROOT / "runs" / "a", "experts") == "runs/a"
    assert folder(tmp_path / "my-model", "assets/demo-model") == "my-model"
    assert "load(device='cpu', dtype='float32')" in python(Setup("x")) and "--model" not in command(Setup("x"))


def test_built_in_pictures_have_names():
    assert builtin.picture("1").tobytes() == builtin.built_in()[0].tobytes()
    assert builtin.picture("vision_math-2").tobytes() == builtin.shown("vision_math")[1].image.tobytes()
    for bad in ("0", "7", "-1", "vision-9", "math-1", "../x", "chess-1", "", "²", "9" * 50):
        with pytest.raises(ValueError, match="no built-in picture"):
            builtin.picture(bad)


def test_what_cannot_be_is_said(capsys):
    assert main(["ask", "x", "--mix", "math", "--soft"]) == 1
    assert "--soft is for" in capsys.readouterr().err
    assert main(["ask", "x", "--picture", "99"]) == 1
    assert "no built-in picture" in capsys.readouterr().err
