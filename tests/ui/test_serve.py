"""The command line: flags, and clear words with a non-zero exit where the page cannot be served."""

import argparse
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from t2ui.ui import flags, serve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    return str(tmp_path / "model")


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_missing_model_folder(capsys):
    assert serve.main(["--model", "no/such/folder"]) == 2
    error = capsys.readouterr().err
    assert "no/such/folder" in error.replace("\\\\", "/") and "--model" in error


def test_a_folder_that_is_no_model(tmp_path, capsys):
    assert serve.main(["--model", str(tmp_path)]) == 2
    assert "config.json" in capsys.readouterr().err


def test_a_missing_folder_of_experts(model, capsys):
    assert serve.main(["--model", model, "--experts", "no/such"]) == 2
    assert "--experts" in capsys.readouterr().err


def test_several_models_are_checked_like_one(model, tmp_path, capsys):
    for models, words in ((f"{model},no/such/folder", "no/such/folder"), (f"{model},{tmp_path}", "config.json"), (" , ", "at least one")):
        assert serve.main(["--models", models]) == 2
        error = capsys.readouterr().err
        assert words in error.replace("\\\\", "/") and "--models" in error
    assert serve.main(["--models", model, "--model", "no/such/folder"]) == 2
    assert "one with --model," in capsys.readouterr().err


def test_which_models_are_served_and_in_which_order(model, monkeypatch):
    def of(*words):
        parser = argparse.ArgumentParser()
        flags.add_flags(parser)
        return flags.models_of(parser.parse_args(words))

    assert of() == [flags.DEFAULT_MODEL] and of("--model", model) == [model]
    assert of("--models", f"{model}, owner/name,") == [model, "owner/name"]
    assert of("--models", f"owner/name,{model}", "--model", model) == [model, "owner/name"]
    assert of("--models", f"{model},{model}/../model,owner/name,owner/name") == [model, "owner/name"]
    shipped = "".join(flags.DEFAULT_MODEL)  # typed: the same words, but not the default itself
    assert of("--models", model, "--model", shipped[:5] + shipped[5:]) == [flags.DEFAULT_MODEL, model]


def test_a_port_in_use(model, taken, capsys):
    assert serve.main(["--model", model, "--port", str(taken)]) == 2
    error = capsys.readouterr().err
    assert str(taken) in error and "in use" in error and "--port" in error


@pytest.mark.parametrize("port", ["0", "70000", "-5"])
def test_a_port_out_of_range(model, port, capsys):
    assert serve.main(["--model", model, "--port", port]) == 2
    assert "65535" in capsys.readouterr().err


def test_a_login_needs_a_name_and_a_password(model, capsys, monkeypatch):
    for held in ("", "name", "name:", ":password"):
        monkeypatch.setenv("T2UI_LOGIN", held)
        assert serve.main(["--model", model, "--login"]) == 2
        assert "NAME:PASSWORD" in capsys.readouterr().err
    monkeypatch.setenv("T2UI_LOGIN", "anna:a:b")
    assert serve.credentials() == ("anna", "a:b")


def test_somebody_must_be_able_to_wait(model, capsys):
    assert serve.main(["--model", model, "--waiting", "0"]) == 2
    assert "--waiting" in capsys.readouterr().err


def test_bad_threads(model, capsys):
    assert serve.main(["--model", model, "--threads", "0"]) == 2
    assert "--threads" in capsys.readouterr().err


def test_without_a_wish_the_next_free_port_is_taken(monkeypatch, taken):
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    monkeypatch.setattr(serve, "FIRST_PORT", taken)
    assert taken < serve.choose_port("127.0.0.1", None) < taken + serve.PORTS


def test_a_browser_opens_only_where_there_is_a_screen(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    assert serve.wants_browser(True) and not serve.wants_browser(False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not serve.wants_browser(None)
    monkeypatch.setenv("DISPLAY", ":0")
    assert serve.wants_browser(None)
    monkeypatch.setenv("CI", "1")
    assert not serve.wants_browser(None)


def test_app_py_ends_with_the_message_and_without_a_traceback():
    done = subprocess.run(
        [sys.executable, "app.py", "--model", "no/such/folder"], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "no model folder" in done.stderr and "Traceback" not in done.stderr


def test_the_page_loads_nothing_slow():
    """torch, transformers and the task families come later: the page is on the screen first."""
    code = (
        "import sys; from t2ui.ui import serve; serve.stay_offline()\n"
        "from t2ui.ui.app import build_app, launch_options; from t2ui.ui.backend import Backend\n"
        "build_app(Backend()); launch_options()\n"
        "bad = {'torch', 'transformers', 't2ui.tasks'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {bad}' if bad else 0)"
    )
    run = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 120, "check": False}
    done = subprocess.run([sys.executable, "-c", code], **run)
    assert done.returncode == 0, done.stderr


def test_importing_the_page_writes_nothing_into_the_source():
    assert not list((ROOT / "t2ui").rglob("*.pyi"))


def test_offline_is_set_before_gradio(monkeypatch):
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "True")
    serve.stay_offline()
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False" and os.environ["HF_HUB_OFFLINE"] == "1"


OFFLINE = """
import argparse, socket, sys, time, urllib.request
outside = []
real = socket.getaddrinfo
def lookup(host, *rest, **options):
    if host not in (None, "localhost", "127.0.0.1", b"127.0.0.1", "0.0.0.0"):
        outside.append(host)
    return real(host, *rest, **options)
socket.getaddrinfo = lookup
connect = socket.socket.connect
def connecting(self, address):
    if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        outside.append(address)
    return connect(self, address)
socket.socket.connect = connecting
from t2ui.ui import flags, serve
parser = argparse.ArgumentParser()
flags.add_flags(parser)
args = parser.parse_args(["--model", sys.argv[1], "--experts", sys.argv[2], "--device", "cpu", "--no-browser"])
port = serve.choose_port("127.0.0.1", None)
demo = serve.start(args, port)
page = urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30).read().decode()
end = time.time() + 60
while demo.t2ui_backend.state == "loading" and time.time() < end:
    time.sleep(0.1)
assert demo.t2ui_backend.state == "ready", demo.t2ui_backend.text
assert "t2ui" in page
time.sleep(1)
demo.t2ui_backend.close()
demo.close(verbose=False)
sys.exit(f"asked for {outside}" if outside else 0)
"""


def test_nothing_goes_to_the_network(tiny_llava_dir, tiny_llava_experts):
    """From the start of the server until the model is ready, with a local model: no look-up, no connection."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "GRADIO_", "TRANSF"))}
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(tiny_llava_dir), str(tiny_llava_experts)], cwd=ROOT, env=environment,
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
