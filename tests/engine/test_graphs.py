"""Steps of fixed shapes: what a CUDA graph would repeat is run here as it is, on the buffers it would use."""

import pytest
import torch

from t2ui.engine.decode import answer_all
from t2ui.engine.graphs import StepGraphs
from t2ui.engine.scheduler import Scheduler

from .test_scheduler import Desk, assert_same, requests_of


class Repeats:
    """In place of a capture: the step itself, again and again, with a count of what was captured and repeated."""

    def __init__(self):
        self.captured = self.repeated = 0

    def __call__(self, step):
        self.captured += 1

        def replay():
            self.repeated += 1
            return step()

        return replay, step().clone()


def desk_of(loaded, slots=6, length=256):
    desk, capture = Desk(loaded, slots, length), Repeats()
    s = desk.scheduler
    s.graphs = StepGraphs(s.cache, loaded.device, loaded.model.dtype, s._step, capture)
    return desk, capture


@pytest.mark.parametrize("seed", range(3))
def test_answers_are_those_of_eager_steps(tiny_llava, seed):
    import random

    requests = requests_of(12, seed)
    alone = [answer_all(tiny_llava, [r], mode="rows")[0] for r in requests]
    desk, capture = desk_of(tiny_llava)
    rng, waiting = random.Random(seed), list(requests)
    desk.scheduler.chunk_seconds = 0.0  # so that somebody reads while others decode
    while waiting or desk.scheduler.live:
        while waiting and desk.scheduler.free and rng.random() < 0.5:
            desk.add(waiting.pop(0))
        desk.scheduler.turn()
    assert_same(desk, alone)
    assert desk.scheduler.graphs.off is None and 0 < capture.captured < capture.repeated / 2


def test_shapes_come_from_few_buckets(tiny_llava):
    desk, capture = desk_of(tiny_llava, slots=6)
    graphs = desk.scheduler.graphs
    for rows in range(1, 7):
        for length in (0, 100, 127, 128, 200):
            assert graphs.step([1] * rows, [length] * rows, False).shape[0] == rows
    # 1, 2, 4, 6 rows (eight would be more than there are slots) times 128 and 256 columns
    assert capture.captured == 8


def test_an_idle_lane_leaves_its_slot_alone(tiny_llava):
    desk, _ = desk_of(tiny_llava, slots=4)
    graphs, cache = desk.scheduler.graphs, desk.scheduler.cache
    graphs.step([1, 2, 3, 4], [0, 0, 0, 0], False)
    before = [layer.k[3, :, : cache.length].clone() for layer in cache.layers]
    graphs.step([5, 6, 7], [1, 1, 1], False)
    assert all(torch.equal(layer.k[3, :, : cache.length], old) for layer, old in zip(cache.layers, before, strict=True))


def test_a_graph_that_differs_ends_their_use(tiny_llava):
    requests = requests_of(3, 5, pictures=False)
    alone = [answer_all(tiny_llava, [r], mode="rows")[0] for r in requests]
    desk, _ = desk_of(tiny_llava)
    graphs = desk.scheduler.graphs
    graphs._capture = lambda step: (lambda: step() + 1.0, step())
    for r in requests:
        desk.add(r)
    desk.finish()
    assert_same(desk, alone)
    assert "differs from the eager step" in graphs.off


def test_a_driver_that_refuses_ends_their_use(tiny_llava, caplog):
    desk, _ = desk_of(tiny_llava)

    def refuse(step):
        raise RuntimeError("operation not permitted when stream is capturing")

    desk.scheduler.graphs._capture = refuse
    requests = requests_of(2, 6, pictures=False)
    for r in requests:
        desk.add(r)
    desk.finish()
    assert_same(desk, [answer_all(tiny_llava, [r], mode="rows")[0] for r in requests])
    assert "not permitted" in desk.scheduler.graphs.off and "without CUDA graphs" in caplog.text


def test_warming_captures_before_anybody_comes(tiny_llava):
    desk, capture = desk_of(tiny_llava, slots=6)
    desk.scheduler.warm(most=4)
    assert capture.captured == 6  # 1, 2 and 4 rows, with and without mixes
    assert Scheduler(tiny_llava, 2, 64).graphs is None  # none on a CPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu(tiny_lm_dir):
    from t2ui.core import Mix
    from t2ui.engine.model import load

    loaded = load(tiny_lm_dir, device="cuda")
    desk = Desk(loaded)
    desk.scheduler.warm()
    assert desk.scheduler.graphs.off is None
    requests = [type(r)(r.prompt, mix=Mix.base(), max_new_tokens=20) for r in requests_of(5, 0, pictures=False)]
    for r in requests:
        desk.add(r)
    desk.finish()
    assert all(len(desk.tokens(i)) for i in range(5))
