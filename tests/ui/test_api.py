"""The six endpoints through gradio_client, against a running page with the tiny model."""

import asyncio
import base64
import io
import json

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from t2ui.core import Mix
from t2ui.engine import Engine, Request, dispatch, score
from t2ui.ui import api
from t2ui.ui.app import build_app, launch_options
from t2ui.ui.backend import Backend
from t2ui.ui.text import Text

PROMPT = "Anna has 12 pens. How many pens are there?"


def uri(colour="red", kind="png", size=(48, 48)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return f"data:image/{kind};base64," + base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="module")
def backend(tiny_llava):
    backend = Backend(engine=Engine(tiny_llava))
    backend.start()
    asyncio.run(backend.wait(60))
    yield backend
    backend.close()


@pytest.fixture(scope="module")
def client(backend):
    demo = build_app(backend)
    demo.queue(default_concurrency_limit=None)
    demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", **launch_options())
    client = Client(demo.local_url, verbose=False)
    yield client
    client.close()
    demo.close(verbose=False)


def refused(client, words, *args, **kwargs):
    with pytest.raises(AppError, match=words):
        client.predict(*args, **kwargs)


def test_only_these_are_there(client):
    found = client.view_api(return_format="dict", print_info=False)
    assert set(found["named_endpoints"]) == {f"/{name}" for name in api.NAMES} and not found["unnamed_endpoints"]
    named = found["named_endpoints"]["/answer"]["parameters"]
    assert [p["parameter_name"] for p in named] == ["prompt", "mix", "picture", "temperature", "seed", "max_new_tokens"]


def test_dispatch(client, tiny_llava):
    found, own = client.predict(PROMPT, api_name="/dispatch"), dispatch(tiny_llava, PROMPT)
    assert found["scores"] == pytest.approx(dict(own.scores), abs=1e-5) and found["choice"] == own.choice
    assert found["mix"] == str(own.mix) and found["question"] == own.question and found["seconds"] > 0
    soft = client.predict(PROMPT, soft=True, api_name="/dispatch")
    assert Mix.parse(soft["mix"]).alphas == pytest.approx({k: v for k, v in own.scores.items() if k != "other"}, abs=1e-5)
    seen = client.predict(PROMPT, picture=uri("blue"), api_name="/dispatch")
    assert seen["scores"] != found["scores"]


def test_answer_is_proven_and_can_be_rated_again(client, tiny_llava):
    found = client.predict(PROMPT, "math=0.6,code=0.25", "", 0.0, 0, 12, api_name="/answer")
    assert found["reason"] in ("stop", "length") and 1 <= len(found["tokens"]) <= 12 and found["mix"] == "math=0.6,code=0.25"
    assert Mix.parse(found["applied"]["found"]).alphas == pytest.approx({"math": 0.6, "code": 0.25}, abs=1e-3)
    again = score(tiny_llava, [Request(PROMPT, mix=Mix.parse(found["mix"]))], [found["tokens"]])[0]
    assert found["logprobs"] == pytest.approx(again, abs=1e-3) and found["logprob"] == pytest.approx(sum(again), abs=1e-2)
    both = client.predict(PROMPT, max_new_tokens=8, api_name="/answer")  # auto:prompt
    assert both["mix"] == client.predict(PROMPT, api_name="/dispatch")["mix"]
    one, two = (client.predict(PROMPT, "math", "", 1.0, 7, 12, api_name="/answer")["tokens"] for _ in range(2))
    assert one == two  # the seed decides


def test_compare_answers_side_by_side(client):
    found = client.predict(PROMPT, ["base", "math", "auto:prompt"], uri(), 0.0, 0, 8, api_name="/compare")
    assert [a["mix"] for a in found][:2] == ["base", "math=1"] and len(found) == 3
    assert found[0]["applied"]["change"] == 0 < found[1]["applied"]["change"]
    alone = client.predict(PROMPT, "math", uri(), 0.0, 0, 8, api_name="/answer")
    assert alone["tokens"] == found[1]["tokens"]


def test_spectra(client, tiny_llava):
    found = client.predict("math=0.5", api_name="/spectra")
    assert found["matrix"] == list(tiny_llava.adapted.paths) and max(found["dw_rel"]) > 0
    one = client.predict("math=0.5", found["matrix"][0], api_name="/spectra")
    assert one["sigma2"] == pytest.approx([s * z for s, z in zip(one["sigma"], one["z"], strict=True)])
    assert client.predict("base", api_name="/spectra")["dw_rel"] == [0.0] * len(found["matrix"])
    refused(client, "unknown module", "math", "/etc/passwd", api_name="/spectra")


def test_recipe_is_what_the_command_line_reads(client, tmp_path):
    from t2ui.train.evaluate import read_mix

    found = client.predict("math=0.5,code=1", api_name="/recipe")
    (tmp_path / "mix.json").write_text(json.dumps(found))
    assert read_mix(str(tmp_path / "mix.json")) == Mix.parse("math=0.5,code=1") and found["change"] > 0


def test_search_streams_generations_and_ends_with_a_mix(client):
    lines = "\n".join(json.dumps({"prompt": f"Anna has {i} pens.", "answer": str(i)}) for i in range(3))
    steps = [step for step in client.submit(examples=lines, api_name="/search")]
    assert [s["generation"] for s in steps] == sorted(s["generation"] for s in steps) and len(steps) >= 2
    assert steps[-1]["stage"] == "done" and set(Mix.parse(steps[-1]["mix"]).alphas) <= set(steps[-1]["names"])
    of_task = client.predict(task="vision", shots=2, api_name="/search")
    assert of_task["stage"] == "done" and of_task["mix"]


def test_searches_are_counted_and_leave_when_they_are_stopped(backend):
    """Two may run; a third is turned away; whoever leaves makes room."""
    search = api.endpoints(backend, Text())["search"]

    async def go():
        running = [search(task="math", shots=2, seed=seed) for seed in range(2)]
        for one in running:
            assert (await anext(one))["generation"] >= 1
        with pytest.raises(Exception, match="2 searches are running already"):
            await anext(search(task="math", shots=2))
        await running[0].aclose()
        third = search(task="math", shots=2)
        assert (await anext(third))["generation"] >= 1
        for one in (running[1], third):
            await one.aclose()

    asyncio.run(go())


def test_a_search_can_be_cancelled(client):
    job = client.submit(task="math", shots=2, api_name="/search")
    next(iter(job))
    job.cancel()
    again = client.predict(task="math", shots=1, api_name="/search")
    assert again["stage"] == "done"


@pytest.mark.parametrize("bad", ["/etc/passwd", "file:///etc/passwd", "http://example.org/a.png", "data:text/plain;base64,aGk=",
                                 "data:image/png;base64,%%%", "data:image/svg+xml;base64,aGk=", ["/etc/passwd"], 7,
                                 {"path": "/etc/passwd", "note": "as a file"}])  # fmt: skip
def test_a_picture_is_data_and_nothing_else(client, bad):
    refused(client, "must be a data: URI", PROMPT, picture=bad, api_name="/dispatch")


def test_a_file_of_the_server_is_not_taken_for_a_picture(client, tmp_path):
    (tmp_path / "a.png").write_bytes(base64.b64decode(uri().partition(",")[2]))
    payload = {"path": str(tmp_path / "a.png"), "meta": {"_type": "gradio.FileData"}}
    with pytest.raises(Exception, match="data: URI|cannot|not|error"):  # gradio itself may refuse it first
        client.predict(PROMPT, picture=payload, api_name="/dispatch")


def test_what_is_out_of_bounds_is_said(client):
    refused(client, "no question", "  ", api_name="/dispatch")
    refused(client, "2,001 characters", "x" * 2001, api_name="/answer")
    refused(client, "not a picture", PROMPT, picture="data:image/png;base64,aGVsbG8=", api_name="/answer")
    refused(client, "million pixels", PROMPT, picture=uri(size=(5000, 4000)), api_name="/answer")
    refused(client, "max_new_tokens must be a whole number from 1 to 256", PROMPT, max_new_tokens=9999, api_name="/answer")
    refused(client, "temperature must be a number", PROMPT, temperature=-1, api_name="/answer")
    refused(client, "seed must be a whole number", PROMPT, seed=0.5, api_name="/answer")
    refused(client, "unknown expert 'chess'", PROMPT, "chess", api_name="/answer")
    refused(client, "cannot read", "math=x", api_name="/recipe")
    refused(client, "list of 1 to 16", PROMPT, ["base"] * 17, api_name="/compare")
    refused(client, "must be a text such as", PROMPT, [3], api_name="/compare")
    refused(client, "strategy must be", PROMPT, strategy="magic", api_name="/dispatch")
    refused(client, "no mix is kept", PROMPT, "auto:few-shot:../../etc/passwd", api_name="/answer")
    refused(client, "Give examples, or a task", api_name="/search")
    refused(client, "shots must be", task="math", shots=1000, api_name="/search")
    refused(client, "preset must be", task="math", preset="endless", api_name="/search")


def test_private_events_cannot_be_called(client):
    private = [d["id"] for d in client.config["dependencies"] if d["api_visibility"] == "private" and d["backend_fn"]]
    assert len(private) > 10
    for index in private[:5]:
        with pytest.raises(Exception, match="[Cc]annot|[Ii]nvalid|not|No"):
            client.predict(fn_index=index)


def test_a_full_queue_turns_away(tiny_llava):
    """The engine's bounded queue is the only queue: one more caller is told so, and nothing waits for ever."""

    async def go():
        calls = [endpoints["answer"](PROMPT, "math", max_new_tokens=4) for _ in range(12)]
        return await asyncio.gather(*calls, return_exceptions=True)

    backend = Backend(engine=Engine(tiny_llava, max_active=1, max_waiting=2))
    backend.start()
    asyncio.run(backend.wait(60))
    endpoints = api.endpoints(backend, Text())
    try:
        results = asyncio.run(go())
    finally:
        backend.close()
    turned_away = [r for r in results if isinstance(r, Exception)]
    assert turned_away and all("busy" in str(r) for r in turned_away)
    assert any(isinstance(r, dict) and r["text"] is not None for r in results)


def test_before_the_model_is_there_it_says_so():
    endpoints = api.endpoints(Backend(), Text())
    with pytest.raises(Exception, match="still being loaded"):
        asyncio.run(endpoints["dispatch"](PROMPT))
