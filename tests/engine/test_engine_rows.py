"""Rows and turns in the engine: late visitors, shares of time, slots, mixes that change, a soak."""

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from t2ui.core import Mix
from t2ui.engine import Engine, Request, RequestError, answer_all

LONG = Request("Anna has 12 pens.", max_new_tokens=150, mix=Mix.single("vision", 0.5))


def test_a_late_visitor_does_not_wait_for_anothers_answer(engine):
    """Submitted at step 20 of another's 200: the first token comes before the other ends."""
    long = engine.submit(Request("Anna has 12 pens.", max_new_tokens=200, mix=Mix.single("vision", 0.5)))
    for _, _delta in zip(range(20), long, strict=False):
        pass
    late = engine.submit(Request("Ben?", max_new_tokens=3))
    next(iter(late))
    assert not long.done and len(long.answers[0].tokens) < 60
    assert len(long.result(30)[0].tokens) == 200


def test_rows_and_turns_share_the_time(engine):
    """While answers stream, a long call gets turns, and while it runs, answers stream."""
    ticks = []

    def search(loaded):
        for _ in range(400):
            ticks.append(time.perf_counter())
            time.sleep(0.002)
            yield

    reply = engine.run(search)
    stream = engine.submit([Request("Anna has 12 pens.", max_new_tokens=150)] * 2)
    times = []
    for _ in stream:
        times.append(time.perf_counter())
    during = sum(times[0] <= tick <= times[-1] for tick in ticks)
    assert during >= 10 and len(times) == 300
    reply.cancel()


def test_what_a_visitor_waits_for_comes_before_a_search(engine):
    def search(loaded):
        while True:
            time.sleep(0.005)
            yield

    running = engine.run(search)
    stream = engine.submit(LONG)
    next(iter(stream))
    assert engine._call(lambda loaded: "now", urgent=True).result(10) == "now"
    assert not stream.done and not running.done
    running.cancel()
    stream.cancel()


def test_more_rows_than_slots_wait_and_are_answered(endless):
    asked = [Request(f"Anna has {i} pens.", max_new_tokens=4) for i in range(9)]
    with Engine(endless, slots=2) as engine:
        engine.wait(10)
        wanted = [a.tokens for a in answer_all(endless, asked, mode="rows")]
        streams = [engine.submit(r) for r in asked]
        assert [s.result(20)[0].tokens for s in streams] == wanted
        with pytest.raises(RequestError, match="1 to 2 requests, got 3"):
            engine.submit(asked[:3])


def test_a_soak_ends_with_every_slot_free(endless):
    """Random joins, cancels, drops and failures: nothing hangs, nothing is left."""
    rng = random.Random(0)
    with Engine(endless, slots=6, max_waiting=200) as engine:
        engine.wait(10)
        streams = []
        for i in range(120):
            kind = rng.random()
            if kind < 0.1:
                with pytest.raises(ZeroDivisionError):
                    engine.run(lambda loaded: 1 / 0).result(20)
                continue
            mix = rng.choice((Mix.base(), Mix.single("math"), Mix.single("code", 0.5)))
            stream = engine.submit([Request("Anna has 12 pens." * rng.randint(1, 4), mix=mix, seed=i,
                                            temperature=rng.choice((0.0, 1.0)), max_new_tokens=rng.randint(1, 12))]
                                   * rng.randint(1, 3))  # fmt: skip
            if kind < 0.3:
                stream.cancel()
                stream.cancel()
            elif kind < 0.4:
                continue  # dropped: the collector cancels it
            streams.append(stream)
        ends = [a.reason for s in streams for a in s.result(60)]
        assert set(ends) <= {"length", "cancelled"} and ends.count("length") > 60
        deadline = time.monotonic() + 20
        while (engine._scheduler.live or engine._active or engine._waiting) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert engine._scheduler.free == 6 and not engine._active and not engine._waiting
    assert not engine._thread.is_alive() and endless.adapted.mode == "off"


def test_the_mix_of_a_running_answer_can_change(engine, endless):
    prompt = "Anna has 12 pens."
    plain = answer_all(endless, [Request(prompt, max_new_tokens=150)], mode="rows")[0].tokens
    stream = engine.submit(Request(prompt, max_new_tokens=150))
    for _, _delta in zip(range(10), stream, strict=False):
        pass
    strong = Mix({"math": -1.0, "code": 2.0})
    applied = engine.remix(stream, strong).result(10)
    assert applied.mix == str(strong) and applied.change > 0.1
    answer = stream.result(30)[0]
    assert answer.tokens[:10] == plain[:10] and answer.tokens != plain and answer.applied.mix == str(strong)
    with pytest.raises(RequestError, match="not being answered"):
        engine.remix(stream, Mix.base()).result(10)
    other = engine.submit(LONG)
    next(iter(other))
    with pytest.raises(RequestError, match="unknown expert"):
        engine.remix(other, Mix.single("poetry")).result(10)
    other.cancel()


def test_bad_numbers_are_refused_before_they_reach_a_row(engine):
    with pytest.raises(ValueError, match="nan|NaN|finite"):
        engine.submit(Request("x", mix=Mix({"math": float("nan")})))
    for bad in ({"seed": -1}, {"temperature": 11.0}, {"max_new_tokens": 0}, {"top_p": 0.0}):
        with pytest.raises(RequestError):
            engine.submit(Request("x", **bad))
    done = engine.submit(Request("x", max_new_tokens=1))
    done.result(10)
    done.cancel()
    done.cancel()
    assert done.answers[0].reason == "length"


def test_of_64_visitors_none_waits_for_a_thread(engine):
    """All stream at once in one event loop whose thread pool is closed to them."""

    class NoThreads(ThreadPoolExecutor):
        def submit(self, *args, **kwargs):
            raise AssertionError("somebody asked for a thread")

    async def visitor(k: int, ended: list[int]) -> int:
        seen = 0
        mix = Mix({"math": 0.1 + k / 100, "vision": 0.5})
        async for _ in engine.submit(Request(f"Anna has {k} pens.", max_new_tokens=150, mix=mix)):
            seen += not seen and not ended  # the first one came before anybody's answer had ended
        ended.append(k)
        return seen

    async def everybody() -> list[int]:
        asyncio.get_running_loop().set_default_executor(NoThreads(1))
        ended: list[int] = []
        return await asyncio.wait_for(asyncio.gather(*(visitor(k, ended) for k in range(64))), 60)

    assert sum(asyncio.run(everybody())) == 64


def test_a_visitor_steps_in_between_two_passes_of_a_long_turn(engine, endless):
    """One turn that answers a whole batch: who comes meanwhile gets tokens before it ends, and both come out right."""
    requests = [Request(f"Ben has {k} books.", max_new_tokens=120, mix=Mix.single("math", 0.1 + k / 20)) for k in range(12)]
    alone = answer_all(endless, requests, mode="rows")
    late = Request("Anna?", max_new_tokens=5, mix=Mix.single("code"))
    want = answer_all(endless, [late], mode="rows")[0]
    started, ended = threading.Event(), []

    def work(loaded):
        started.set()
        return answer_all(loaded, requests, mode="rows")

    reply = engine.run(work)
    reply._future.add_done_callback(lambda _: ended.append(time.perf_counter()))
    started.wait(10)
    stream = engine.submit(late)
    kind = engine._call(lambda loaded: "asked", urgent=True)
    got = stream.result(30)[0]
    assert not ended and got.tokens == want.tokens, "the visitor waited for the whole batch"
    assert kind.result(30) == "asked" and not ended
    assert [a.tokens for a in reply.result(60)] == [a.tokens for a in alone] and endless.between is None


def test_nobody_steps_in_while_weights_are_folded(engine, endless):
    seen = []

    def work(loaded):
        with loaded.adapted.folded(loaded.stack.z(Mix.single("math"))):
            loaded.breathe()
            seen.append((loaded.adapted.mode, engine._rows_live()))
        loaded.breathe()

    blocker = threading.Event()
    first = engine.run(lambda loaded: blocker.wait(5))
    reply = engine.run(work)
    stream = engine.submit(Request("Anna?", max_new_tokens=5))
    blocker.set()
    first.result(10), reply.result(10)
    assert seen[0][0] == "fold" and len(stream.result(10)[0].tokens) == 5
