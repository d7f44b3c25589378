"""The search as the page shows it: it grows, stops, resumes, refuses, and lets others take turns."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace

import pytest

from t2ui.core.mixing import Mix
from t2ui.engine import Engine, Request
from t2ui.engine.search import SearchSettings, Shot
from t2ui.runs import Halt
from t2ui.searches import estimate, run_search
from t2ui.tasks import TASKS
from t2ui.train.fewshot import shots_of

SETTINGS = SearchSettings(population=6, generations=3, objective="likelihood", rows=6, seed=1)
SHOTS = [Shot("Anna has 12 pens.", "12"), Shot("How many?", "7")]


@pytest.fixture(scope="module")
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        engine.wait()
        yield engine


def collect(engine, shots=SHOTS, settings=SETTINGS, **options):
    async def all_of_them():
        return [view async for view in run_search(engine, shots, settings, **options)]

    return asyncio.run(all_of_them())


def test_a_search_grows_to_its_end(engine):
    views = collect(engine)
    last = views[-1]
    assert views[0].stage == "waiting" and last.stage == "done" and last.over
    assert len(last.generations) == 3 and all(len(g.points) == 6 for g in last.generations)
    assert set(last.names) == set(engine.loaded.stack.names) and len(last.generations[0].mean) == 3
    assert Mix.parse(last.mix) is not None and last.chosen in ("mean", "best")
    assert last.evaluations == 3 * 6 * 2 and 0 < last.first <= last.seconds + 1
    counts = [len(v.generations) for v in views]
    assert counts == sorted(counts)
    for g in last.generations:
        assert max(s for _, s, _ in g.points) <= g.best + 1e-9 and sum(e for _, _, e in g.points) >= 1
    json.dumps(asdict(last), allow_nan=False)


def test_the_mix_found_is_measured_beside_others_on_test_examples(engine):
    shots, fresh = shots_of(TASKS["math"], 2, 0, 2)
    settings = replace(SETTINGS, generations=1)
    last = collect(engine, shots, settings, task="math", fresh=fresh, heldout_n=6)[-1]
    alone = [f"expert:{name}" for name in engine.loaded.stack.names]
    assert [c.name for c in last.heldout] == ["base", "found", "dispatch", "uniform", "all", *alone, "random"]
    assert all(c.n == 6 and c.low <= c.accuracy <= c.high for c in last.heldout) and last.fresh is not None


def test_a_kept_default_is_told_with_what_the_search_found(engine, monkeypatch):
    shots, fresh = shots_of(TASKS["math"], 2, 0, 3)
    hopeless = [replace(s, grade=lambda text: False) for s in fresh]
    last = collect(engine, shots, replace(SETTINGS, generations=1), task="math", fresh=hopeless)[-1]
    assert last.chosen == "default" and last.n_fresh == 3 and last.default_right == last.searched_right == 0
    assert Mix.parse(last.searched) is not None and last.searched != last.mix


def test_an_estimate_counts_every_token_of_every_candidate(engine):
    from t2ui.engine import Request

    shots, _ = shots_of(TASKS["math"], 2, 0, 0)
    tokens = sum(len(engine.loaded.encode(Request(s.prompt)).ids)
                 + len(engine.loaded.tokenizer(s.reference, add_special_tokens=False)["input_ids"]) for s in shots)  # fmt: skip
    assert estimate(engine.loaded, shots, SETTINGS, 1e-3) == pytest.approx(
        SETTINGS.population * SETTINGS.generations * tokens * 1e-3)  # fmt: skip


def test_stop_keeps_the_best_and_the_file_goes_on(engine, tmp_path):
    path = tmp_path / "state.json"

    async def stopped():
        halt, views = Halt(), []
        async for view in run_search(engine, SHOTS, replace(SETTINGS, generations=200), halt=halt, path=path):
            views.append(view)
            if len(view.generations) >= 2:
                halt.stop()
        return views

    last = asyncio.run(stopped())[-1]
    assert last.stage == "stopped" and last.mix and last.ended == "stopped" and 2 <= len(last.generations) < 200
    done = len(last.generations)
    more = collect(engine, settings=replace(SETTINGS, generations=200), path=path, halt=_soon())
    first = next(g for v in more for g in v.generations)
    assert first.index >= done - 1


def _soon():
    class Soon(Halt):
        """Stops by itself after some looks."""

        looks = 0

        @property
        def stopped(self):
            self.looks += 1
            return self.looks > 40

        @stopped.setter
        def stopped(self, value):
            pass

    return Soon()


def test_progress_is_told_within_a_batch_and_while_the_mix_is_measured(engine):
    shots, fresh = shots_of(TASKS["math"], 2, 0, 3)
    settings = replace(SETTINGS, generations=1, objective="accuracy", rows=12)
    views = collect(engine, shots, settings, task="math", fresh=fresh, heldout_n=6)
    assert all(0 <= v.done <= 12 for v in views if v.stage == "searching")
    checks = [v.check for v in views if v.check is not None]
    assert checks and all(0 < done <= total for _, done, total in checks) and views[-1].check is None
    assert {name for name, _, _ in checks} & {"check", "base", "found", "draws"}


def test_small_batches_to_watch_find_the_same(engine):
    """How many rows are read at once changes what is reported, not what is found."""
    from t2ui.engine.search import search

    (one,), (other,) = ([r.result for r in search(engine.loaded, SHOTS, replace(SETTINGS, rows=64), score_rows=n) if r.result] for n in (2, None))
    assert one.mix == other.mix
    heard = []
    reports = list(search(engine.loaded, SHOTS, replace(SETTINGS, rows=64), score_rows=2, heard=lambda *told: heard.append(told)))
    assert sum(r.kind == "batch" for r in reports) == 18 and ("batch", 12, 12) in heard and heard[-1][0] == "check"


def test_what_the_model_has_no_room_for_is_named(engine):
    from t2ui.searches import unreadable

    refused = unreadable(engine.loaded, [SHOTS[0], Shot("pen " * 2000, "1"), SHOTS[1]])
    assert list(refused) == [1] and refused[1]


def test_others_are_answered_while_a_search_runs(engine):
    async def both():
        seen = []

        async def searching():
            async for view in run_search(engine, SHOTS, replace(SETTINGS, generations=30)):
                seen.append(view)

        task = asyncio.create_task(searching())
        while not any(v.stage == "searching" for v in seen):
            await asyncio.sleep(0.01)
        stream = engine.submit(Request("Anna has 12 pens.", max_new_tokens=4))
        async for _ in stream:
            pass
        during = not task.done()
        await task
        return during, seen[-1]

    during, last = asyncio.run(both())
    assert during and last.stage == "done" and len(last.generations) == 30


def test_refusals_are_told(engine, tmp_path):
    assert "no reference answer" in collect(engine, [Shot("Hi")])[-1].error
    assert "got 0" in collect(engine, [])[-1].error
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    assert "not a saved search" in collect(engine, path=bad)[-1].error
    assert "lower one first" in collect(engine, settings=replace(SETTINGS, low=2.0))[-1].error


def test_two_searches_at_once_both_end_and_do_not_mix(engine):
    async def two():
        async def searching(seed):
            return [view async for view in run_search(engine, SHOTS, replace(SETTINGS, seed=seed))][-1]

        return await asyncio.gather(searching(1), searching(2))

    one, other = asyncio.run(two())
    alone = collect(engine)[-1]
    assert one.stage == other.stage == "done" and one.mix == alone.mix
    assert [g.points for g in one.generations] == [g.points for g in alone.generations] != [g.points for g in other.generations]


def test_an_expert_deleted_meanwhile_ends_the_search_with_a_message(tiny_llava_dir, tiny_llava_experts, tmp_path):
    import shutil

    from t2ui.engine.model import load

    experts = tmp_path / "experts"
    shutil.copytree(tiny_llava_experts, experts)
    loaded = load(tiny_llava_dir, device="cpu", experts_dir=experts)
    gone = experts / loaded.stack.names[0]
    with Engine(loaded) as engine:
        engine.wait()

        async def searching():
            views = []
            async for view in run_search(engine, SHOTS, replace(SETTINGS, generations=500)):
                views.append(view)
                if view.generations and gone.exists():
                    shutil.rmtree(gone)
                    await engine.refresh()
            return views[-1]

        last = asyncio.run(searching())
        assert last.over and "unknown expert" in last.error and "there are" in last.error
