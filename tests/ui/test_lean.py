"""What the middleware does to answers, through starlette's own client."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from t2ui.ui.lean import KEPT, Lean, app_kwargs, versioned


@pytest.fixture
def client():
    async def page(request):
        return PlainTextResponse("t2ui " * 1_000)

    async def events(request):
        async def pieces():
            for i in range(3):
                yield f"data: {i}\n\n"
                await asyncio.sleep(0)

        return StreamingResponse(pieces(), media_type="text/event-stream")

    paths = {"/": page, "/gradio_api/queue/data": events, "/stream-of": events, "/assets/index-DphvyggB.js": page,
             "/gradio_api/file=x/plotly.min.js": page, "/theme.css": page}  # fmt: skip
    return TestClient(Lean(Starlette(routes=[Route(path, end) for path, end in paths.items()])))


def test_the_page_is_compressed_and_event_streams_are_not(client):
    assert client.get("/").headers["content-encoding"] == "gzip" and client.get("/").text == "t2ui " * 1_000
    assert "content-encoding" not in client.get("/", headers={"accept-encoding": "identity"}).headers
    for path in ("/gradio_api/queue/data", "/stream-of"):
        found = client.get(path)
        assert "content-encoding" not in found.headers and found.text.count("data:") == 3
    assert "content-encoding" not in client.get("/theme.css").headers  # gradio's own middleware does that


def test_only_what_names_its_version_is_kept(client):
    assert client.get("/assets/index-DphvyggB.js").headers["cache-control"] == KEPT
    assert client.get("/gradio_api/file=x/plotly.min.js?v=7.1.0").headers["cache-control"] == KEPT
    for path in ("/", "/theme.css", "/gradio_api/file=x/plotly.min.js"):
        assert client.get(path).headers.get("cache-control") != KEPT
    assert client.get("/assets/none.js").headers.get("cache-control") != KEPT
    assert not versioned("/gradio_api/file=/x/other.js", b"v=1")


def test_it_stands_in_the_page(tmp_path):
    assert [each.cls for each in app_kwargs()["middleware"]] == [Lean]
