"""The thread that owns the model: order, turns, cancelling, failures, and never a blocked event loop."""

import asyncio
import gc
import threading
import time

import pytest
import torch
from PIL import Image

from t2ui.core import Mix
from t2ui.engine import BusyError, Engine, EngineError, ModelError, Request, RequestError, answer_all

LONG = Request("Anna has 12 pens.", max_new_tokens=150, mix=Mix.single("vision", 0.5))


def held(engine):
    """A job that keeps the model's thread busy until its event is set."""
    go, begun = threading.Event(), threading.Event()

    def wait(loaded):
        begun.set()
        assert go.wait(20)

    reply = engine.run(wait)
    assert begun.wait(10)
    return go, reply


def test_a_stream_gives_what_answer_all_gives(engine, endless):
    asked = [Request("Anna has 12 pens.", max_new_tokens=n, mix=m, logprobs=True, prefix="The")
             for n, m in ((5, Mix.base()), (9, Mix.single("math")))]  # fmt: skip
    wanted = answer_all(endless, asked, mode="rows")
    stream = engine.submit(asked)
    deltas = list(stream)
    for row, want in enumerate(wanted):
        mine = [d for d in deltas if d.row == row]
        assert tuple(t for d in mine for t in d.tokens) == want.tokens
        assert [d.done for d in mine] == [False] * (len(mine) - 1) + [True]
        got = stream.answers[row]
        assert (got.tokens, got.reason) == (want.tokens, "length")
        assert (got.applied.mix, got.applied.change) == (want.applied.mix, pytest.approx(want.applied.change))
        assert got.prompt_tokens == want.prompt_tokens and got.text.startswith("The")
        assert got.logprob == pytest.approx(want.logprob, abs=1e-3)
        assert {"queue", "encode", "prefill", "decode", "first", "total", "mix"} == set(got.seconds)
        assert 0 < got.seconds["mix"] <= got.seconds["encode"]
        assert got.seconds["total"] >= got.seconds["first"] >= got.seconds["queue"] >= 0
    assert stream.done and stream.error is None and list(stream) == [] and stream.drain() == []


def test_rows_of_one_job_come_step_by_step(engine):
    rows = [d.row for d in engine.submit([Request("x", max_new_tokens=4)] * 3)]
    assert rows == [0, 1, 2] * 4


def test_batches_take_turns_where_there_are_no_slots(endless):
    with Engine(endless, slots=0) as engine:
        go, _ = held(engine)
        order = []
        original = Engine._turn

        def spy(self, job):
            order.append(job)
            original(self, job)

        engine._turn = spy.__get__(engine)
        streams = [engine.submit(Request("x", max_new_tokens=6)) for _ in range(3)]
        go.set()
        for stream in streams:
            stream.result(20)
        first = order[:9]
        assert len(set(first[:3])) == 3 and first[:3] == first[3:6] == first[6:9]


def test_async_iteration_leaves_the_event_loop_free(engine):
    async def main():
        stream, beats, tokens = engine.submit(LONG), 0, 0
        over = asyncio.Event()

        async def heart():
            nonlocal beats
            while not over.is_set():
                beats += 1
                await asyncio.sleep(0)

        beating = asyncio.create_task(heart())
        async for delta in stream:
            tokens += len(delta.tokens)
        over.set()
        await beating
        return tokens, beats

    tokens, beats = asyncio.run(main())
    assert tokens == 150 and beats > 150


def test_several_visitors_in_one_event_loop(engine, endless):
    mixes = (Mix.base(), Mix.single("math"))
    asked = [Request(p, max_new_tokens=20, mix=m) for p in ("x", "Ben buys 4 books") for m in mixes]
    wanted = [a.tokens for a in answer_all(endless, asked, mode="rows")]

    async def visit(request):
        return tuple([t async for d in engine.submit(request) for t in d.tokens])

    async def main():
        return await asyncio.gather(*map(visit, asked))

    assert asyncio.run(main()) == wanted


def test_cancelling_midway_frees_the_engine(engine):
    stream = engine.submit([LONG, LONG])
    seen = []
    for delta in stream:
        seen.append(delta)
        if len(seen) == 6:
            stream.cancel()
    ends = [d for d in seen if d.done]
    assert {d.row: d.reason for d in ends} == {0: "cancelled", 1: "cancelled"}
    assert len(seen) < 200 and stream.result(5)[0].reason == "cancelled"
    assert engine.submit(Request("x", max_new_tokens=2)).result(10)[0].reason == "length"
    assert not engine._active and not engine._waiting


def test_cancelling_what_still_waits(endless):
    with Engine(endless, max_active=1) as engine:
        go, _ = held(engine)
        stream = engine.submit(LONG)
        assert stream.waiting == 1
        stream.cancel()
        go.set()
        assert [(d.done, d.reason) for d in stream] == [(True, "cancelled")]
        assert stream.waiting == 0 and stream.answers[0].tokens == ()


def test_a_dropped_stream_is_cancelled(engine):
    stream = engine.submit(LONG)
    next(iter(stream))
    channel = stream._channel
    del stream
    gc.collect()
    assert channel.wait_closed(10) and channel.books[0].answer().reason == "cancelled"
    with engine.submit(LONG) as stream:
        pass
    assert stream._channel.wait_closed(10) and stream.answers[0].reason == "cancelled"


def test_a_left_async_loop_is_cancelled(engine):
    async def main():
        with engine.submit(LONG) as stream:
            async for _ in stream:
                break
        return stream

    stream = asyncio.run(main())
    assert stream._channel.wait_closed(10) and stream.answers[0].reason == "cancelled"


def test_the_queue_is_bounded_and_says_how_many(endless):
    with Engine(endless, max_active=1, max_waiting=2) as engine:
        go, _ = held(engine)
        streams = [engine.submit(Request("x", max_new_tokens=2)) for _ in range(2)]
        assert [s.waiting for s in streams] == [1, 2]
        with pytest.raises(BusyError, match="busy: 3 before you") as caught:
            engine.submit(Request("x"))
        assert caught.value.before == 3
        with pytest.raises(BusyError):
            engine.dispatch("x")
        go.set()
        assert all(s.result(10)[0].reason == "length" for s in streams)


def test_one_jobs_error_does_not_end_the_service(engine, endless, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("out of luck")

    with monkeypatch.context() as patched:
        patched.setattr(type(endless), "features", fail)
        asked = [Request("x", Image.new("RGB", (9, 9))), Request("x", max_new_tokens=3)]
        stream = engine.submit(asked)
        deltas = list(stream)
        alone = engine.submit(asked[:1])
        with pytest.raises(RuntimeError):
            alone.result(5)
    assert [(d.row, d.reason) for d in deltas if d.done] == [(0, "error"), (1, "length")]
    assert "RuntimeError: out of luck" in deltas[0].error
    assert stream.error is None and stream.result(5)[0].reason == "error"
    with pytest.raises(ZeroDivisionError):
        engine.run(lambda loaded: 1 / 0).result(5)
    assert engine.submit(Request("x", max_new_tokens=2)).result(10)[0].reason == "length"
    assert endless.adapted.mode == "off"


def test_bad_requests_are_refused_at_submit(engine):
    with pytest.raises(RequestError, match="empty"):
        engine.submit(Request(" "))
    with pytest.raises(RequestError, match="too long"):
        engine.submit(Request("pens " * 300))
    with pytest.raises(RequestError, match="unknown expert"):
        engine.submit(Request("x", mix=Mix.single("poetry")))
    with pytest.raises(RequestError, match="1 to 64 requests, got 65"):
        engine.submit([Request("x")] * 65)
    with pytest.raises(RequestError, match="1 to 64 requests, got 0"):
        engine.submit([])
    with pytest.raises(RequestError, match="empty"):
        engine.dispatch(" ").result(5)


def test_choose_dispatch_and_run_go_through_the_thread(engine, endless, monkeypatch):
    monkeypatch.setattr(endless, "eos", (2,))
    assert sum(engine.choose("How many?", ["a", "b"]).result(10).values()) == pytest.approx(1)
    assert engine.dispatch("How many?").result(10).scores
    assert engine.run(lambda loaded: threading.current_thread().name).result(5) == "t2ui-model"

    async def main():
        return await engine.dispatch("How many?", soft=True)

    assert asyncio.run(main()).strategy == "prompt"


def test_a_generator_takes_turns_and_gives_its_return_value(engine):
    def count(loaded):
        yield from range(4)
        return "done"

    assert engine.run(count).result(5) == "done"


def test_cancelling_a_running_generator(engine):
    begun, closed = threading.Event(), threading.Event()

    def forever(loaded):
        try:
            while True:
                begun.set()
                yield
        finally:
            closed.set()

    reply = engine.run(forever)
    assert begun.wait(5)
    reply.cancel()
    with pytest.raises(EngineError, match="cancelled"):
        reply.result(5)
    assert closed.wait(5)


def test_a_task_that_stops_awaiting_ends_its_call(engine):
    closed = threading.Event()

    def forever(loaded):
        try:
            while True:
                yield
        finally:
            closed.set()

    async def main():
        try:
            await asyncio.wait_for(engine.run(forever), 0.2)
        except TimeoutError:
            return "gave up"

    assert asyncio.run(main()) == "gave up"
    assert closed.wait(5)


def test_new_experts_between_steps(tiny_lm_dir, tmp_path):
    from t2ui.core import Expert

    with Engine(tiny_lm_dir, device="cpu", experts_dir=tmp_path) as engine:
        loaded = engine.wait(30)
        with pytest.raises(RequestError, match="unknown expert"):
            engine.submit(Request("x", mix=Mix.single("poetry")))
        Expert.from_z(loaded.adapted, "poetry", torch.full((loaded.adapted.R,), 1.5)).save(tmp_path / "poetry")
        assert engine.refresh().result(10) is True
        answer = engine.submit(Request("x", mix=Mix.single("poetry"), max_new_tokens=2)).result(10)[0]
        assert answer.applied.change == pytest.approx(0.5, abs=1e-3)


def test_requests_wait_for_the_model_to_load(tiny_lm_dir, tmp_path):
    with Engine(tiny_lm_dir, device="cpu", experts_dir=tmp_path) as engine:
        stream = engine.submit(Request("Anna has 12 pens.", max_new_tokens=2))
        bad = engine.submit(Request("x", mix=Mix.single("poetry")))
        assert stream.result(30)[0].tokens
        assert engine.ready and engine.state == "ready" and engine.progress == 1.0
        assert [(d.reason, "unknown expert" in d.error) for d in bad] == [("error", True)]


def test_a_model_that_does_not_load(tmp_path):
    with Engine(tmp_path / "nowhere") as engine:
        with pytest.raises(ModelError, match="no model folder"):
            engine.wait(10)
        assert engine.state == "failed" and "no model folder" in engine.text
        with pytest.raises(ModelError, match="no model folder"):
            engine.submit(Request("x"))
        with pytest.raises(ModelError):
            engine.dispatch("x")


def test_who_submitted_before_loading_failed_is_told(tmp_path, monkeypatch):
    go = threading.Event()

    def slow(*args, **kwargs):
        go.wait(10)
        raise ModelError("the model is broken: restore it")

    monkeypatch.setattr("t2ui.engine.engine.load", slow)
    with Engine(tmp_path) as engine:
        stream, reply = engine.submit(Request("x")), engine.dispatch("x")
        go.set()
        assert [(d.reason, d.error) for d in stream] == [("error", "the model is broken: restore it")]
        with pytest.raises(ModelError):
            reply.result(5)


def test_closing_cancels_what_runs_and_waits(endless):
    engine = Engine(endless, max_active=1)
    streams = [engine.submit(Request("x", max_new_tokens=200)) for _ in range(3)]
    engine.close()
    engine.close()
    assert [s.answers[0].reason for s in streams] == ["cancelled"] * 3
    assert engine.state == "closed" and not engine._thread.is_alive()
    with pytest.raises(EngineError, match="closed"):
        engine.submit(Request("x"))


def test_many_threads_at_once(engine, endless):
    asked = [Request("Anna has 12 pens." * (1 + i % 3), max_new_tokens=5, temperature=1.0, seed=i) for i in range(24)]
    wanted = [a.tokens for a in answer_all(endless, asked, mode="rows")]
    got: dict[int, tuple[int, ...]] = {}

    def visitor(i):
        while True:
            try:
                got[i] = engine.submit(asked[i]).result(30)[0].tokens
                return
            except BusyError:
                time.sleep(0.01)

    threads = [threading.Thread(target=visitor, args=(i,)) for i in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [got[i] for i in range(len(asked))] == wanted
