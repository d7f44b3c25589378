"""Looking at a component, and answering without it, as the page does."""

import asyncio

import pytest

from t2ui import components
from t2ui.core import Mix
from t2ui.engine import Engine, EngineError
from t2ui.runs import Question


@pytest.fixture
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        yield engine


async def all_of(generator):
    return [state async for state in generator]


def test_the_questions_are_fixed_and_have_pictures():
    found = components.prompts()
    assert found == components.prompts() and len(found) == 4 * components.EACH
    assert any(image is not None for _, image in found) and len({text for text, _ in found}) > 60


def test_a_look_grows_to_its_end(engine, tiny_llava, monkeypatch):
    monkeypatch.setattr(components, "prompts", lambda: (("Anna has 12 pens.", None), ("Two red circles", None)))
    path = tiny_llava.adapted.paths[0]
    reports = asyncio.run(all_of(components.look(engine, path, 0, Mix.single("math"))))
    assert reports[-1].over and reports[-1].done == 2 and len(reports[-1].excited) == 2
    with pytest.raises(EngineError, match="adapted module"):
        asyncio.run(all_of(components.look(engine, "nowhere", 0, Mix.base())))


def test_the_answer_without_it_stands_beside_the_one_with_it(engine, tiny_llava):
    path = next(p for p in tiny_llava.adapted.paths if p.endswith("layers.0.mlp.down_proj"))
    mix, question = Mix.single("code"), Question("Anna has 12 pens and buys 3.", max_new_tokens=12)
    states = asyncio.run(all_of(components.switched_off(engine, path, 0, question, mix)))
    last = states[-1]
    assert last.stage == "done" and [row.key for row in last.rows] == list(components.KEYS)
    assert Mix.parse(last.rows[1].mix) == mix.without(path, 0) and last.rows[0].mix == "code=1"
    assert last.rows[0].ids != last.rows[1].ids and last.rows[1].rest > 0
    refused = asyncio.run(all_of(components.switched_off(engine, path, 99_999, question, mix)))[-1]
    assert refused.stage == "error" and "singular components" in refused.error
