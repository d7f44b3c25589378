"""What the Ask tab draws of real runs: the proof follows the slot, details come after the end, words decide."""

import asyncio
import re
from html import unescape

import pytest

from t2ui import details, runs
from t2ui.core.mixing import Mix
from t2ui.engine import Engine, EngineError
from t2ui.engine.scheduler import Scheduler
from t2ui.runs import Question, run
from t2ui.ui.tabs.ask import draw, keys_of
from t2ui.ui.text import Text

T = Text()
QUESTION = Question("Anna has 12 pens. How many pens are there?", max_new_tokens=10)


@pytest.fixture(scope="module")
def engine(tiny_llava):
    with Engine(tiny_llava) as engine:
        engine.wait()
        yield engine


def last(engine, kind="ask", **options):
    async def ask():
        return [state async for state in run(engine, kind, QUESTION, **options)][-1]

    return asyncio.run(ask())


def proofs(state, known=None):
    return [unescape(line) for line in re.findall(r'class="t2-proof"[^>]*><span class="t2-x">([^<]*)<', draw(state, T, known)[4])]


def test_the_proof_line_follows_the_slot(engine, monkeypatch):
    """Somebody writes another expert's scales into the slots behind the page's back: the line says so."""
    mix = Mix({"math": 0.6, "code": 0.25})
    honest = last(engine, "everybody", mix=mix)
    shown = proofs(runs.replace(honest, rows=(honest.row("base"), runs.replace(honest.row("mix"), key="dispatch"))))
    assert len(shown) == 1 and re.fullmatch(r"applied: math 0\.60, code 0\.25, \|ΔW\|/\|W\| = [\d.]+ %, [\d.]+ m?s", shown[0])
    write = Scheduler._write_mix

    def forged(self, row, mix):
        write(self, row, mix)
        if not mix.is_base:
            self._scale[self._slot(row)] = self.loaded.scales([Mix.single("vision", 0.5)])[0]

    monkeypatch.setattr(Scheduler, "_write_mix", forged)
    state = last(engine, "everybody", mix=mix)
    lied = proofs(runs.replace(state, rows=(state.row("base"), runs.replace(state.row("mix"), key="dispatch"))))[0]
    assert lied.startswith("applied: vision 0.50, |ΔW|/|W| = ") and lied != shown[0]
    assert state.row("mix").mix == str(mix)  # what was asked for


def test_details_come_after_the_end(engine):
    state = last(engine)
    before = draw(state, T)
    assert T.html("tokens.after") in before[4] and "data-tip" not in before[4] and T.html("why.coming") in before[6]
    known = asyncio.run(details.details(engine, state, QUESTION, keys_of(state)))
    after = draw(state, T, known)
    assert after[4].count("data-tip") == sum(row.tokens for row in state.rows)
    assert "What kind of question is this" in after[6] and T.html("why.how") in after[6]
    for row in state.rows:
        assert "".join(token.text for token in known.tokens[row.key]) == row.text
    assert all(token.rank == 1 for token in known.tokens["dispatch"])  # greedy


def test_details_of_an_overruled_answer(engine):
    before = last(engine)

    async def again():
        return [state async for state in runs.overrule(engine, before, QUESTION, "code")][-1]

    state = asyncio.run(again())
    known = asyncio.run(details.details(engine, state, QUESTION, keys_of(state)))
    assert set(known.tokens) == {"dispatch", "overrule"} and known.verbatim is not None
    assert draw(state, T, known)[6] is None  # the same first pass: what stands there stays


def test_words_of_a_run(engine):
    state = last(engine)
    found = asyncio.run(details.influence(engine, state, QUESTION))
    assert found.label == state.first_pass.choice and len(found.words) == 9
    assert found.probability == pytest.approx(state.first_pass.scores[found.label], abs=1e-4)
    with pytest.raises(EngineError, match="ask a question first"):
        asyncio.run(details.influence(engine, last(engine, "mix"), QUESTION))
