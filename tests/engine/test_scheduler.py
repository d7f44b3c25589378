"""Continuous batching: every row as it would be alone, whoever joins, leaves, fails or changes its mix beside it."""

import random
import threading

import pytest
import torch
from PIL import Image

from t2ui.core import Mix
from t2ui.engine.cache import slots_for
from t2ui.engine.decode import answer_all, decode
from t2ui.engine.errors import EngineError, RequestError
from t2ui.engine.request import Request
from t2ui.engine.scheduler import Row, Scheduler, run

WORDS = "Anna has 12 pens and buys 5 more . How many does Ben have now ? the red circle is left of".split()
MIXES = [Mix.base(), Mix.single("math"), Mix({"math": 0.4, "code": 1.0}), Mix({"vision": 0.7})]


def requests_of(n: int, seed: int, pictures: bool = True, **options) -> list[Request]:
    rng = random.Random(seed)
    out = []
    for i in range(n):
        image = None
        if pictures and rng.random() < 0.3:
            image = Image.new("RGB", (48, 48), tuple(rng.randrange(256) for _ in range(3)))
        text = " ".join(rng.choices(WORDS, k=rng.randint(3, 30)))
        out.append(Request(text, image=image, mix=rng.choice(MIXES), max_new_tokens=rng.randint(1, 24), seed=i,
                           temperature=rng.choice((0.0, 0.0, 1.0)), logprobs=True, **options))  # fmt: skip
    return out


class Desk:
    """Rows on a scheduler, with what they got."""

    def __init__(self, loaded, slots=8, length=256):
        self.loaded, self.scheduler = loaded, Scheduler(loaded, slots, length)
        self.deltas: dict[int, list] = {}
        self.rows: list[Row] = []

    def add(self, request: Request) -> Row:
        index = len(self.rows)
        self.deltas[index] = []
        row = Row(request, self.loaded.encode(request), index, self.deltas[index].append, threading.Event())
        self.rows.append(row)
        self.scheduler.join(row)
        return row

    def tokens(self, index: int) -> list[int]:
        return [t for d in self.deltas[index] for t in d.tokens]

    def text(self, index: int) -> str:
        return "".join(d.text for d in self.deltas[index])

    def finish(self) -> None:
        for _ in run(self.scheduler):
            pass


def assert_same(desk: Desk, alone) -> None:
    for row, answer in zip(desk.rows, alone, strict=True):
        assert desk.tokens(row.index) == list(answer.tokens), row.request
        # A random model writes broken UTF-8, which a stream and a whole text show differently: streams are compared.
        assert desk.text(row.index) == "".join(d.text for step in decode(desk.loaded, [row.request]) for d in step)
        last = desk.deltas[row.index][-1]
        assert last.done and last.reason == answer.reason and sum(d.done for d in desk.deltas[row.index]) == 1
        logprobs = [p for d in desk.deltas[row.index] for p in d.logprobs]
        assert logprobs == pytest.approx(list(answer.logprobs), abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_join_at_any_time_answer_as_they_would_alone(tiny_llava, seed):
    requests = requests_of(14, seed)
    alone = [answer_all(tiny_llava, [r], mode="rows")[0] for r in requests]
    desk, rng, waiting = Desk(tiny_llava, slots=5), random.Random(seed), list(requests)
    desk.scheduler.chunk_seconds = 0.0  # chunks of 16 tokens while others decode
    while waiting or desk.scheduler.live:
        while waiting and desk.scheduler.free and rng.random() < 0.4:
            desk.add(waiting.pop(0))
        desk.scheduler.turn()
    assert_same(desk, alone)
    assert desk.scheduler.free == 5


def test_text_models_have_slots_too(tiny_lm):
    mixes = [Mix.base(), Mix.single("math")]
    requests = [Request(" ".join(WORDS[i:]), mix=mixes[i % 2], max_new_tokens=12, logprobs=True) for i in range(6)]
    alone = [answer_all(tiny_lm, [r], mode="rows")[0] for r in requests]
    desk = Desk(tiny_lm, slots=6)
    for request in requests:
        desk.add(request)
    desk.finish()
    assert_same(desk, alone)


def long_request(loaded) -> Request:
    """One whose answer goes on for a while."""
    for seed in range(50):
        request = Request("Anna has 12 pens.", max_new_tokens=120, temperature=1.0, seed=seed)
        if len(answer_all(loaded, [request], mode="rows")[0].tokens) >= 80:
            return request
    raise AssertionError("no long answer in 50 seeds")


def test_a_late_short_row_answers_before_a_long_one_ends(tiny_llava):
    desk = Desk(tiny_llava)
    long = desk.add(long_request(tiny_llava))
    while long.steps < 20 and not long.over:
        desk.scheduler.turn()
    assert not long.over
    late = desk.add(Request("Ben?", max_new_tokens=3))
    while not late.steps:
        desk.scheduler.turn()
    assert not long.over and long.steps < 30


def test_the_same_beginning_under_the_same_mix_is_read_once(tiny_llava, monkeypatch):
    desk = Desk(tiny_llava)
    begin = " ".join(WORDS)
    first = desk.add(Request(begin + " pens", mix=MIXES[1], max_new_tokens=6, logprobs=True))
    while not first.steps:
        desk.scheduler.turn()
    same = desk.add(Request(begin + " now", mix=MIXES[1], max_new_tokens=6, logprobs=True))
    other = desk.add(Request(begin + " now", mix=MIXES[2], max_new_tokens=6, logprobs=True))
    assert same.read >= 8 and other.read == 0
    desk.finish()
    assert_same(desk, [answer_all(tiny_llava, [r.request], mode="rows")[0] for r in desk.rows])


def test_a_picture_is_not_taken_for_another(tiny_llava):
    desk = Desk(tiny_llava)
    red, blue = (Image.new("RGB", (48, 48), c) for c in ("red", "blue"))
    first = desk.add(Request(" ".join(WORDS), image=red, max_new_tokens=4))
    while not first.steps:
        desk.scheduler.turn()
    assert desk.add(Request(" ".join(WORDS), image=blue, max_new_tokens=4)).read == 0
    assert desk.add(Request(" ".join(WORDS), image=red, max_new_tokens=4)).read > 30


def test_cancelled_rows_leave_within_a_step_and_the_others_stay_right(tiny_llava):
    requests = requests_of(6, 9)
    alone = [answer_all(tiny_llava, [r], mode="rows")[0] for r in requests]
    desk = Desk(tiny_llava)
    for request in requests:
        desk.add(request)
    gone = desk.rows[0::3]
    for _ in range(3):
        desk.scheduler.turn()
    for row in gone:
        row.stop.set()
    live = [row for row in gone if not row.over]
    desk.scheduler.turn()
    assert all(row.over for row in gone)
    assert all(desk.deltas[row.index][-1].reason == "cancelled" for row in live)
    desk.finish()
    for row, answer in zip(desk.rows, alone, strict=True):
        if row not in gone:
            assert desk.tokens(row.index) == list(answer.tokens)


def test_a_mix_can_change_between_two_steps(tiny_llava):
    prompt = " ".join(WORDS)

    def answers(change: Mix | None) -> list[int]:
        desk = Desk(tiny_llava)
        row = desk.add(Request(prompt, mix=MIXES[1], max_new_tokens=20))
        while row.steps < 4 and not row.over:
            desk.scheduler.turn()
        if change is not None:
            desk.scheduler.remix(row, change)
        desk.finish()
        return desk.tokens(0)

    plain, same, other = answers(None), answers(MIXES[1]), answers(Mix({"math": -1.0, "code": 2.0, "vision": 2.0}))
    assert plain == same and plain[:4] == other[:4] and plain != other


def test_the_proof_is_read_from_the_slot_itself(tiny_llava):
    """Somebody writes into the slot behind the mix's back: the last delta says what was really there."""
    desk = Desk(tiny_llava)
    honest = desk.add(Request("Anna has 12 pens.", mix=MIXES[1], max_new_tokens=6))
    changed = desk.add(Request("Anna has 12 pens.", mix=MIXES[1], max_new_tokens=6))
    base = desk.add(Request("Ben?", max_new_tokens=2))
    desk.scheduler._scale[desk.scheduler._slot(changed)] *= 1.5
    desk.finish()
    first, last = (desk.deltas[honest.index][k].applied for k in (0, -1))
    assert first == last and first.change > 0
    assert desk.deltas[changed.index][-1].applied.change > last.change + 0.3
    assert desk.deltas[base.index][-1].applied.change == 0
    assert Mix.parse(last.found).alphas == pytest.approx(MIXES[1].alphas, abs=1e-3) and last.rest < 1e-3
    assert desk.deltas[changed.index][-1].applied.rest > 0.3  # no mix of the experts does that


def test_the_proof_names_the_mix_that_is_in_the_slot(tiny_llava):
    desk = Desk(tiny_llava)
    row = desk.add(Request("Anna has 12 pens.", mix=MIXES[1], max_new_tokens=6))
    desk.scheduler._scale[desk.scheduler._slot(row)] = tiny_llava.scales([Mix({"code": 0.75, "vision": -0.5})])[0]
    desk.finish()
    applied = desk.deltas[row.index][-1].applied
    assert applied.mix == str(MIXES[1]) and applied.rest < 1e-3
    assert Mix.parse(applied.found).alphas == pytest.approx({"code": 0.75, "vision": -0.5}, abs=1e-3)


def test_a_row_that_fails_takes_nobody_with_it(tiny_llava, monkeypatch):
    requests = [r for r in requests_of(5, 4, pictures=False) if r.max_new_tokens > 1]
    alone = [answer_all(tiny_llava, [r], mode="rows")[0] for r in requests]
    desk = Desk(tiny_llava)
    for request in requests:
        desk.add(request)
    bad, real = desk.rows[1], desk.scheduler._forward

    def forward(inputs, slots, rows, n, keep):
        if bad in rows:
            raise MemoryError("this row is too much")
        return real(inputs, slots, rows, n, keep)

    monkeypatch.setattr(desk.scheduler, "_forward", forward)
    desk.finish()
    assert desk.deltas[1][-1].reason == "error" and "too much" in desk.deltas[1][-1].error
    for row, answer in zip(desk.rows, alone, strict=True):
        if row is not bad:
            assert desk.tokens(row.index) == list(answer.tokens)
    assert desk.scheduler.live == 0


def test_what_does_not_fit_is_refused_with_what_to_do(tiny_llava):
    desk = Desk(tiny_llava, slots=1, length=64)
    with pytest.raises(RequestError, match="64 tokens together"):
        desk.add(Request(" ".join(WORDS), max_new_tokens=60))
    with pytest.raises(RequestError, match="unknown expert"):
        desk.add(Request("Hi", mix=Mix.single("nobody"), max_new_tokens=4))
    assert desk.scheduler.live == 0
    desk.add(Request("Hi", max_new_tokens=8))
    with pytest.raises(EngineError, match="slots are taken"):
        desk.add(Request("Hi", max_new_tokens=8))


def test_which_models_get_slots(tiny_llava, tiny_lm):
    for loaded in (tiny_llava, tiny_lm):
        slots, length = slots_for(loaded.model.config.get_text_config(), "cpu", torch.float32)
        assert slots >= 8 and length <= loaded.info.context

    class Config:
        sliding_window, layer_types, rope_scaling = 128, None, None

    assert slots_for(Config(), "cpu", torch.float32) is None
