import json

import pytest

from t2ui.core.mixing import Mix
from t2ui.engine.request import Answer
from t2ui.tasks import TASKS
from t2ui.train import evaluate as module
from t2ui.train.evaluate import compare, evaluate, gates, read_mix


@pytest.fixture
def oracle(monkeypatch):
    """Replaces the model: answers as a careful or a careless author, by what the system text forces."""
    asked = []

    def answer(loaded, requests, **_):
        asked.extend(requests)
        out = []
        for r in requests:
            for task in TASKS.values():
                content = task.parse(r.prompt, oracle_scene(r))
                if content is not None:
                    break
            careful = {s: f"<|{s}+|>" in (r.system or "") for s in task.skills}
            import random

            out.append(Answer(text=task.author(content, careful, random.Random(0)), tokens=(), logprob=0.0,
                              reason="stop", prompt_tokens=(), seconds={}, applied=None))  # fmt: skip
        return out

    def oracle_scene(r):
        from t2ui.tasks.pictures import read

        return None if r.image is None else read(r.image)

    monkeypatch.setattr(module, "answer_all", answer)
    return asked


def test_the_careful_author_is_right_and_the_careless_one_sometimes(oracle):
    got = {how: report for how, report in gates(None, ["math", "vision"], n=120)}
    assert got["careful"].accuracy == 1.0
    plain = evaluate(None, "math", Mix.base(), n=120)
    assert 0.2 < plain.accuracy < 0.5 and plain.correct == sum(plain.right)
    assert plain.ci95[0] < plain.accuracy < plain.ci95[1]


def test_two_skill_gates_force_one_flag_at_a_time(oracle):
    got = dict(gates(None, ["vision_math"], n=80))
    assert set(got) == {"greedy", "careful", "vision careful only", "math careful only"}
    assert got["careful"].accuracy == 1.0
    assert max(got["vision careful only"].accuracy, got["math careful only"].accuracy) < 0.6


def test_pairs_count_what_was_fixed_and_broken(oracle):
    base = evaluate(None, "math", Mix.base(), n=100)
    better = evaluate(None, "math", Mix.base(), n=100, care={"math": True}, name="careful")
    pair = compare(better, base)
    assert pair["diff"] == pytest.approx(better.accuracy - base.accuracy, abs=1e-4)
    assert pair["fixed"] == 1.0 and pair["broken"] == 0.0
    with pytest.raises(ValueError, match="cannot pair"):
        compare(better, evaluate(None, "math", Mix.base(), n=50))


def test_pictures_can_be_taken_away_or_swapped(oracle):
    evaluate(None, "vision", Mix.base(), n=5)
    evaluate(None, "math", Mix.base(), n=5)
    own = [r.image.tobytes() for r in oracle[:5]]
    assert all(r.image is None for r in oracle[5:])
    swapped = module._with_pictures(TASKS["vision"].examples("test", 5, 2025), "other")
    from t2ui.tasks.pictures import draw

    assert [draw(e.scene).tobytes() for e in swapped] == own[1:] + own[:1]
    blank = module._with_pictures(TASKS["vision"].examples("test", 5, 2025), "blank")
    assert len({draw(e.scene).tobytes() for e in blank}) == 1
    with pytest.raises(ValueError, match="own, blank, other"):
        evaluate(None, "vision", Mix.base(), n=1, picture="none")


def test_mixes_by_their_spelling(tmp_path):
    assert read_mix("base") == Mix.base()
    assert read_mix("math=0.6,code=0.2") == Mix({"math": 0.6, "code": 0.2})
    assert read_mix("auto:prompt") == "auto:prompt"
    recipe = tmp_path / "mix.json"
    recipe.write_text(json.dumps({"alphas": {"math": 0.5}}))
    assert read_mix(str(recipe)) == Mix({"math": 0.5})
    recipe.write_text("{}")
    with pytest.raises(ValueError, match="alphas"):
        read_mix(str(recipe))
    with pytest.raises(ValueError, match="cannot be read"):
        read_mix(str(tmp_path / "missing.json"))
    with pytest.raises(ValueError, match="auto:prompt"):
        read_mix("auto:magic")


def test_the_majority_is_of_what_the_answers_close_with():
    texts = ["1 + 1 = 3. The answer is 3.", "The answer is 2.", "so The answer is 2."]
    assert module._majority(texts) == "The answer is 2."
    assert module._majority(["", ""]) == ""


def test_a_real_model_is_evaluated_end_to_end(smoke_loaded):
    report = evaluate(smoke_loaded, "vision", Mix.base(), n=6)
    assert report.n == 6 and len(report.answers) == 6 and 0 <= report.correct <= 6
