"""How long somebody waits: from recorded durations and a clock of its own, never from how fast this machine is."""

import random
import threading

import pytest

from t2ui.engine import Engine
from t2ui.engine.estimate import MOST, Durations, outlook, wait
from t2ui.engine.jobs import CallJob, DecodeJob, Job
from t2ui.engine.request import Request


def known(**kinds) -> Durations:
    durations = Durations()
    for kind, seconds in kinds.items():
        for each in seconds:
            durations.add(kind, each)
    return durations


def call(began=0.0, urgent=False) -> CallJob:
    job = CallJob(lambda loaded: None, urgent)
    job.began = began
    return job


def answer(rows=1, began=0.0) -> DecodeJob:
    job = DecodeJob([Request("a question")] * rows, None)
    job.began = began
    return job


def test_nobody_waits_where_there_is_a_place():
    assert wait([], [], 1, 1) == 0.0
    assert wait([(5.0, 1)], [], 1, 1) == 0.0


def test_one_place_is_handed_on_from_one_to_the_next():
    assert wait([(5.0, 1)], [], 1, 0) == 5.0
    assert wait([(5.0, 1)], [(10.0, 1), (2.0, 1)], 1, 0) == 17.0


def test_two_places_halve_the_queue():
    assert wait([(4.0, 1), (6.0, 1)], [(10.0, 1)], 1, 0) == 6.0  # he takes the second one, the one before him the first
    assert wait([(4.0, 1), (6.0, 1)], [(10.0, 1), (10.0, 1)], 1, 0) == 14.0


def test_who_needs_many_places_waits_for_all_of_them():
    assert wait([(1.0, 2), (2.0, 2), (3.0, 2)], [], 5, 0) == 3.0
    assert wait([(1.0, 2), (2.0, 2)], [(10.0, 4)], 1, 0) == 12.0  # nobody overtakes


def test_a_longer_queue_never_waits_shorter():
    rng = random.Random(0)
    for _ in range(200):
        running = [(rng.uniform(0, 9), rng.randint(1, 4)) for _ in range(rng.randint(1, 6))]
        queue = [(rng.uniform(0, 9), 1) for _ in range(6)]
        waits = [wait(running, queue[:n], 1, 0) for n in range(7)]
        assert waits == sorted(waits) and waits[0] == min(running)[0]


def test_what_is_left_of_a_job_is_read_from_those_that_took_longer():
    durations = known(work=[2.0, 4.0, 10.0])
    assert durations.left("work") == 4.0
    assert durations.left("work", 3.0) == pytest.approx(4.0)  # of 4 and 10 seconds: 1 and 7 are left
    assert durations.left("work", 50.0) == 4.0  # it outlasts them all: once more the usual time
    assert durations.left("answer") is None


def test_only_the_last_ones_are_remembered():
    durations = known(work=[1000.0] * MOST + [1.0] * MOST)
    assert durations.left("work") == 1.0


def test_what_was_cancelled_says_nothing():
    durations, whole, cut = Durations(), call(1.0), call(1.0)
    whole.ended, cut.ended = 4.0, 1.5
    cut.stop.set()
    durations.book([whole, cut, Job()])
    assert durations.left("work") == 3.0


def test_nothing_is_said_where_nothing_is_known():
    assert outlook(Durations(), answer(), [answer()], [], 1, now=2.0) is None
    assert outlook(known(answer=[3.0]), answer(), [answer(), call()], [], 2, now=2.0) is None  # of the other kind nothing is known
    assert outlook(known(answer=[3.0]), answer(), [answer()], [], 1, now=2.0) == 1.0


def test_kinds_of_jobs_are_not_mixed_up():
    durations = known(answer=[2.0], work=[100.0], urgent=[0.5])
    assert outlook(durations, call(), [call(urgent=True)], [answer()], 1, now=0.0) == 2.5
    assert outlook(durations, call(), [call()], [answer()], 1, now=40.0) == 62.0


def test_an_answer_waits_for_slots_and_not_for_a_search_that_has_none():
    durations = known(answer=[4.0])
    running = [answer(rows=6), call()]
    assert outlook(durations, answer(rows=2), running, [], 64, slots=0, now=1.0) == 3.0
    assert outlook(durations, answer(rows=2), running, [answer(rows=6)], 64, slots=0, now=1.0) == 7.0
    assert outlook(durations, answer(rows=1), running, [answer(rows=5), call()], 64, slots=0, now=1.0) == 3.0  # six slots for both


def test_many_threads_may_tell_and_ask():
    durations, seen = Durations(), []

    def tell():
        for i in range(500):
            durations.add("work", float(i % 7 + 1))
            seen.append(durations.left("work"))

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 2000 and all(1 <= seconds <= 7 for seconds in seen)


def test_the_engine_books_what_ended_and_tells_who_waits(tiny_llava):
    go, begun = threading.Event(), threading.Event()

    def held(loaded):
        begun.set()
        return go.wait(60)

    with Engine(tiny_llava, max_active=1) as engine:
        engine.wait()
        first = engine.run(held)
        assert begun.wait(60) and first.ahead == (0, 0.0)
        second, third = engine.submit(Request("Ben?", max_new_tokens=2)), engine.run(lambda loaded: None)
        assert second.ahead == (1, None) and third.ahead == (2, None)  # nothing has ended here yet
        engine.durations.add("work", 1000.0)
        before, seconds = second.ahead
        assert before == 1 and 0 < seconds <= 1000.0
        assert third.ahead == (2, None)  # an answer is before it, and of those nothing is known
        engine.durations.add("answer", 500.0)
        before, seconds = third.ahead
        assert before == 2 and 500.0 < seconds <= 1500.0
        go.set()
        assert second.result(60) and third.result(60) is None and second.ahead == (0, 0.0)
        engine.submit(Request("Ben?", max_new_tokens=2)).result(60)
        assert engine.run(lambda loaded: None).result(60) is None
        assert engine.durations.left("work") < 1000.0  # its own ones count from now on
