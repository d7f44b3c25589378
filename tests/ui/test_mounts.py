"""One server with a page per model, started as from the command line: what is served where, and to whom."""

import argparse
import asyncio
import json
import socket

import httpx
import pytest
from gradio_client import Client

from t2ui.ui import api, flags, live, serve
from t2ui.ui.lean import KEPT
from tests.conftest import save_experts


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parsed(*words) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    flags.add_flags(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture(scope="module")
def experts(tiny_llava_dir, tiny_lm_dir, tmp_path_factory):
    """Experts of both models in one folder."""
    folder = tmp_path_factory.mktemp("experts-of-both")
    save_experts(tiny_llava_dir, folder, ("math",))
    return save_experts(tiny_lm_dir, folder, ("words",))


def begin(monkeypatch, *words):
    """A running server of the two tiny models; the caller closes it."""
    monkeypatch.setattr(serve, "GRACE", 600)  # the first model is loaded by its first visitor, too
    port = free_port()
    demo = serve.start(parsed(*words, "--device", "cpu", "--no-browser"), port)
    return demo, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def server(tiny_llava_dir, tiny_lm_dir, experts, tmp_path_factory):
    told = tmp_path_factory.mktemp("told") / "told.json"
    with pytest.MonkeyPatch.context() as monkeypatch:
        demo, url = begin(monkeypatch, "--model", tiny_llava_dir, "--models", tiny_lm_dir, "--experts", experts, "--json", told)
    yield demo, url, json.loads(told.read_text())
    serve.close(demo)


@pytest.fixture(scope="module")
def other(server):
    """The second page's address."""
    return server[2]["models"][1]["url"].replace("localhost", "127.0.0.1")


def get(url, **options):
    return httpx.get(url, timeout=60, **options)


def test_the_told_file_names_every_page(server, tiny_llava_dir, tiny_lm_dir):
    _, url, told = server
    assert [model["name"] for model in told["models"]] == [tiny_llava_dir.name, tiny_lm_dir.name]
    assert told["url"] == told["models"][0]["url"] and told["models"][1]["url"].startswith(told["url"] + "/m/")


def test_every_page_is_there_and_nothing_else(server, other):
    _, url, _ = server
    for address in (url, other):
        page = get(address)
        assert page.status_code == 200 and "t2ui" in page.text
        assert f'"root":"{address.rstrip("/")}"' in page.text  # what gradio takes for its own address
    for path in ("/m/", "/m/no-such-model", "/m/no-such-model/", "/m/../m/x/config", "/m/no-such-model/gradio_api/info"):
        assert get(url + path).status_code == 404, path


def test_an_address_without_its_slash_leads_on_and_keeps_its_query(other):
    found = get(other.rstrip("/") + "?prompt=a%20b&x=%C3%A9")
    assert found.status_code == 307 and str(found.next_request.url) == other + "?prompt=a%20b&x=%C3%A9"


def test_pages_are_compressed_and_files_kept(other):
    page = get(other, headers={"Accept-Encoding": "gzip"})
    assert page.headers["content-encoding"] == "gzip" and page.headers.get_list("content-encoding") == ["gzip"]
    address = other + json.loads(live.head().rsplit("plotlyUrl = ", 1)[1].split(";</script>")[0])
    plotly = get(address, headers={"Accept-Encoding": "br"})
    assert plotly.status_code == 200 and plotly.headers["cache-control"] == KEPT and "plotly.js" in plotly.text[:500]


def test_each_page_answers_with_its_own_model_which_the_first_call_loads(server, other):
    demo, url, _ = server
    first, second = demo.t2ui_backends
    assert not second.begun or second.state == "ready"
    for address, backend, names in ((url, first, ("math",)), (other, second, ("words",))):
        client = Client(address, verbose=False)
        assert {f"/{name}" for name in api.NAMES} == set(client.view_api(return_format="dict", print_info=False)["named_endpoints"])
        if not backend.begun:
            with pytest.raises(Exception, match="still being loaded"):
                client.predict("Ben?", names[0], "", 0.0, 0, 8, api_name="/answer")
        assert asyncio.run(backend.wait(120)) and backend.state == "ready", backend.text
        assert backend.names == names
        found = client.predict("Ben?", names[0], "", 0.0, 0, 8, api_name="/answer")
        assert found["mix"] == f"{names[0]}=1" and found["reason"] in ("stop", "length")
        client.close()
    assert first.engine is not second.engine
    assert [name for name, _ in first.refused] == ["words"] and [name for name, _ in second.refused] == ["math"]


def test_the_monitoring_is_off_unless_asked_for(server, other):
    for address in (server[1] + "/", other):
        assert get(address + "monitoring").status_code == 403


def test_a_login_counts_for_all_pages_and_the_monitoring_is_on_all(tiny_llava_dir, tiny_lm_dir, monkeypatch):
    monkeypatch.setenv("T2UI_LOGIN", "anna:secret")
    demo, url = begin(monkeypatch, "--models", f"{tiny_llava_dir},{tiny_lm_dir}", "--login", "--monitor")
    try:
        slug = next(iter(demo.t2ui_mounts.apps))
        other = f"{url}/m/{slug}/"
        for address in (url + "/", other):
            assert get(address + "config").status_code == 401 and "auth_required" in get(address).text
        with httpx.Client(timeout=60) as visitor:
            assert visitor.post(other + "login", data={"username": "anna", "password": "wrong"}).status_code == 400
            assert visitor.post(other + "login", data={"username": "anna", "password": "secret"}).status_code == 200
            for address in (url + "/", other):
                assert visitor.get(address + "config").status_code == 200
                assert visitor.get(address + "monitoring").status_code == 200
                key = demo.app.analytics_key
                assert visitor.get(f"{address}monitoring/{key}x").status_code == 403
                board = visitor.get(f"{address}monitoring/{key}", follow_redirects=True)
                assert board.status_code == 200 and str(board.url).startswith(address)
    finally:
        serve.close(demo)
    assert not demo.is_running and not any(blocks.is_running for blocks in demo.t2ui_mounts.blocks.values())


def test_a_proxy_that_cuts_off_a_part_of_the_path(tiny_llava_dir, tiny_lm_dir, monkeypatch):
    """GRADIO_ROOT_PATH is what visitors see before the path that arrives here."""
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/behind")
    demo, url = begin(monkeypatch, "--models", f"{tiny_llava_dir},{tiny_lm_dir}")
    try:
        slug = next(iter(demo.t2ui_mounts.apps))
        for path, root in (("/", "/behind"), (f"/m/{slug}/", f"/behind/m/{slug}")):
            assert f'"root":"{url}{root}"' in get(url + path).text
            assert get(f"{url}{path}gradio_api/info").status_code == 200
        assert get(f"{url}/m/none/").status_code == 404
    finally:
        serve.close(demo)


def test_closing_ends_every_engine(tiny_llava_dir, tiny_lm_dir, monkeypatch):
    demo, _ = begin(monkeypatch, "--models", f"{tiny_llava_dir},{tiny_lm_dir}")
    for backend in demo.t2ui_backends:
        backend.start()
    for backend in demo.t2ui_backends:
        assert asyncio.run(backend.wait(120)) and backend.state == "ready"
    serve.close(demo)
    assert [backend.engine.state for backend in demo.t2ui_backends] == ["closed", "closed"]
