"""Asking through the real engine: rows, stages, grades, stop, errors."""

import asyncio
import math
import time

import pytest
import torch

from t2ui import runs
from t2ui.core.mixing import Mix
from t2ui.engine import Engine
from t2ui.runs import Halt, Question, Run, run
from t2ui.tasks import TASKS, pictures

MATH = TASKS["math"].examples("validation", 1, 0)[0]


@pytest.fixture(scope="module")
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        engine.wait()
        yield engine


def collect(engine, kind, question, **options) -> list[Run]:
    async def all_of_them():
        return [state async for state in run(engine, kind, question, **options)]

    return asyncio.run(all_of_them())


def test_ask_has_both_passes(engine):
    states = collect(engine, "ask", Question(MATH.prompt, max_new_tokens=12))
    stages = [state.stage for state in states]
    assert stages[0] == "pass1" and stages[-1] == "done" and set(stages) == {"pass1", "pass2", "done"}
    last = states[-1]
    assert set(last.first_pass.scores) == {"math", "code", "vision", "other"} and last.first_pass.seconds > 0
    assert sum(last.first_pass.scores.values()) == pytest.approx(1, abs=1e-6)
    assert [row.key for row in last.rows] == ["base", "dispatch"]
    assert last.row("dispatch").mix == last.first_pass.mix
    for row in last.rows:
        assert row.reason in ("stop", "length") and row.tokens >= 1
        assert 0 < row.seconds["first"] <= row.seconds["total"]
    assert last.family == "math" and last.prompt_tokens > 10


def test_text_only_grows(engine):
    texts = [state.row("base").text for state in collect(engine, "mix", Question("How many?")) if state.rows]
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:], strict=False))


def test_everybody_answers_in_one_batch(engine):
    last = collect(engine, "everybody", Question(MATH.prompt, max_new_tokens=8), mix=Mix.parse("code=0.5"))[-1]
    assert [row.key for row in last.rows] == ["base", "expert:math", "expert:code", "expert:vision", "mix", "dispatch"]
    assert [Mix.parse(row.mix) for row in last.rows[:5]] == [
        Mix.parse(text) for text in ("base", "math", "code", "vision", "code=0.5")
    ]
    assert all(row.right is not None and row.why for row in last.rows)
    assert last.row("base").change == 0 and last.row("expert:math").change > 0.1


def test_rows_say_what_the_same_mix_says_alone(engine):
    question = Question(MATH.prompt, max_new_tokens=10)
    together = collect(engine, "everybody", question)[-1].row("expert:code")
    alone = collect(engine, "mix", question, mix=Mix.single("code"))[-1].row("mix")
    assert together.text == alone.text


def test_soft_dispatch_blends(engine):
    last = collect(engine, "ask", Question(MATH.prompt, max_new_tokens=4), soft=True)[-1]
    alphas = Mix.parse(last.first_pass.mix).alphas
    assert last.first_pass.soft and len(alphas) >= 2
    for name, alpha in alphas.items():
        assert alpha == pytest.approx(last.first_pass.scores[name], abs=1e-6)


def test_a_picture_is_read_and_graded(engine):
    example = TASKS["vision"].examples("validation", 1, 3)[0]
    last = collect(engine, "mix", Question(example.prompt, pictures.draw(example.scene), max_new_tokens=4))[-1]
    assert last.family == "vision" and last.picture and last.row("base").right is not None
    assert pictures.read(runs.from_base64(last.picture)) == example.scene


def test_what_no_family_understands_is_not_graded(engine):
    last = collect(engine, "mix", Question("Who was Napoleon?", max_new_tokens=4))[-1]
    assert last.family is None and all(row.right is None for row in last.rows)


def test_a_stop_keeps_what_was_answered(engine):
    halt = Halt()

    async def ask():
        states = []
        async for state in run(engine, "mix", Question("How many?", max_new_tokens=200, temperature=1.5), halt=halt):
            states.append(state)
            if state.rows and state.row("base").tokens:
                halt.stop()
        return states

    states = asyncio.run(ask())
    if all(row.reason != "cancelled" for row in states[-1].rows):  # both rows may end before the stop is seen
        assert states[-1].stage in ("stopped", "done")
    else:
        assert states[-1].stage == "stopped" and states[-1].row("base").tokens


def test_a_stop_before_the_first_pass(engine):
    halt = Halt()
    halt.stop()
    last = collect(engine, "ask", Question("How many?"), halt=halt)[-1]
    assert last.stage == "stopped" and not last.rows


@pytest.mark.parametrize("prompt", ["", "   ", "x" * 20_001, "word " * 1_000])
def test_what_the_engine_refuses_is_said(engine, prompt):
    last = collect(engine, "ask", Question(prompt))[-1]
    assert last.stage == "error" and last.error


def test_an_unknown_expert_is_said(engine):
    last = collect(engine, "mix", Question("How many?"), mix=Mix.single("nobody"))[-1]
    assert last.stage == "error" and "nobody" in last.error


def test_updates_are_coalesced(engine, monkeypatch):
    monkeypatch.setattr(runs, "FRAME", 0.05)
    began = time.monotonic()
    states = collect(engine, "everybody", Question("How many?", max_new_tokens=96, temperature=1.0))
    shown = [state for state in states if state.stage == "pass2"]
    assert len(shown) <= (time.monotonic() - began) / 0.05 + 3
    assert sum(row.tokens for row in states[-1].rows) > len(shown)


def test_leaving_cancels(engine):
    async def leave():
        async for state in run(engine, "mix", Question("How many?", max_new_tokens=200, temperature=1.5)):
            if state.rows:
                break

    asyncio.run(leave())
    assert collect(engine, "mix", Question("How many?", max_new_tokens=2))[-1].stage == "done"


def test_json_round_trip(engine):
    last = collect(engine, "everybody", Question(MATH.prompt, max_new_tokens=4))[-1]
    import json

    again = Run.from_json(json.loads(json.dumps(last.to_json())))
    assert again == last
    with pytest.raises(ValueError, match="not a run"):
        Run.from_json({"kind": "ask"})
    assert not any(math.isnan(value) for row in last.rows for value in row.seconds.values())


def overruled(engine, before, question, choice):
    async def all_of_them():
        return [state async for state in runs.overrule(engine, before, question, choice)]

    return asyncio.run(all_of_them())


def test_overruling_keeps_the_old_answer_and_adds_the_new_one(engine):
    question = Question(MATH.prompt, max_new_tokens=10)
    before = collect(engine, "everybody", question)[-1]
    states = overruled(engine, before, question, "code")
    last = states[-1]
    assert last.kind == "overrule" and last.stage == "done" and [r.key for r in last.rows] == ["dispatch", "overrule"]
    assert all(state.row("dispatch") == before.row("dispatch") for state in states)
    assert last.row("overrule").text == before.row("expert:code").text and last.row("overrule").right is not None
    assert last.first_pass == before.first_pass and last.family == "math"
    base = overruled(engine, before, question, "base")[-1]
    assert base.row("overrule").text == before.row("base").text and base.row("overrule").change == 0
    again = overruled(engine, base, question, "math")[-1]  # and overruled once more
    assert again.row("overrule").text == before.row("expert:math").text
    assert Run.from_json(last.to_json()) == last


def test_there_must_be_a_decision_to_overrule(engine):
    question = Question(MATH.prompt, max_new_tokens=4)
    without = collect(engine, "mix", question)[-1]
    with pytest.raises(ValueError, match="no decision"):
        overruled(engine, without, question, "math")
    before = collect(engine, "ask", question)[-1]
    with pytest.raises(ValueError, match="no decision"):
        overruled(engine, before, Question("Something else?"), "math")
    assert overruled(engine, before, question, "chess")[-1].stage == "error"  # deleted meanwhile


def test_an_unusable_strategy_is_said(engine):
    last = collect(engine, "ask", Question(MATH.prompt), strategy="classifier")[-1]
    assert last.stage == "error" and "no classifier expert" in last.error
    last = collect(engine, "ask", Question(MATH.prompt), strategy="few-shot:nothing")[-1]
    assert last.stage == "error" and "no mix is kept" in last.error


def test_a_thought_is_kept_apart_and_only_the_answer_is_graded(engine, monkeypatch):
    from t2ui.engine.sampling import Sampler

    loaded = engine.loaded
    right = f"The answer is {MATH.answer}."
    assert not TASKS["math"].grade(MATH.content, f"The answer is 1. {right} The answer is 1.").right
    said = f"<think>\nThe answer is 1.\n</think>\n\n{right}"
    ids = [*loaded.tokenizer(said, add_special_tokens=False)["input_ids"], loaded.terminator]

    def pick(self, logits, step):
        return torch.tensor([ids[int(s)] for s in torch.as_tensor(step).expand(len(logits))]), torch.zeros(len(logits))

    monkeypatch.setattr(Sampler, "pick", pick)
    states = collect(engine, "mix", Question(MATH.prompt, max_new_tokens=len(ids)))
    last = states[-1]
    for row in last.rows:
        assert (row.thinking, row.text, row.reason, row.right) == ("The answer is 1.", right, "stop", True)
    thoughts = [state.row("base").thinking for state in states if state.rows]
    assert all(later.startswith(earlier) for earlier, later in zip(thoughts, thoughts[1:], strict=False))
    assert Run.from_json(last.to_json()) == last


@pytest.mark.parametrize("kind", ["ask", "mix"])  # one waits with its first pass, the other with its answers
def test_who_waits_is_told_how_many_and_for_how_long(held_up, kind):
    engine, go = held_up

    async def main():
        states = []
        async for state in run(engine, kind, Question("Ben?", max_new_tokens=2)):
            states.append(state)
            if state.waiting:
                go.set()
        return states

    states = asyncio.run(main())
    waited = [state for state in states if state.waiting]
    assert waited and waited[0].stage == "waiting" and waited[0].waiting == 1 and 0 < waited[0].wait <= 1000.0
    assert states[-1].stage == "done" and not states[-1].waiting and states[-1].wait is None
