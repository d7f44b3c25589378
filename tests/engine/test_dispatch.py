"""The first pass: scores, choice, mix and words; and the notice that a prompt lies outside the model's world."""

import pytest
import torch
from PIL import Image

from t2ui.core import Mix
from t2ui.engine import Request, RequestError, calibrate, choose, dispatch, dispatch_all
from t2ui.engine.dispatch import _choice, labels_of, prompt_features, question_of

PROMPT = "Anna has 12 pens. How many pens are there?"


@pytest.fixture
def settings(tiny_llava):
    before = dict(tiny_llava.settings)
    yield tiny_llava.settings
    tiny_llava.settings.clear()
    tiny_llava.settings.update(before)


def test_the_question_names_the_kinds_in_the_corpus_order(tiny_llava, settings):
    assert labels_of(tiny_llava) == ["math", "code", "vision", "other"]
    assert question_of(["math", "code", "reasoning", "vision", "other"]) == (
        "What kind of question is this: math, code, reasoning, vision or other?"
    )
    settings["labels"] = ["math", "code", "reasoning", "vision", "other"]
    assert labels_of(tiny_llava) == ["math", "code", "reasoning", "vision", "other"]
    assert question_of(["other"]) == "What kind of question is this: other?"


def test_dispatch_asks_the_base_model(tiny_llava):
    found = dispatch(tiny_llava, PROMPT)
    wanted = choose(tiny_llava, PROMPT, ["math", "code", "vision", "other"], question=found.question + "\n{prompt}")
    assert found.scores == pytest.approx(wanted) and sum(found.scores.values()) == pytest.approx(1)
    assert found.choice == max(found.scores, key=found.scores.get)
    assert found.mix == (Mix.base() if found.choice == "other" else Mix.single(found.choice))
    assert found.choice in found.why and found.strategy == "prompt" and found.seconds > 0
    assert (found.outside, found.outside_why) == (None, "")


def test_soft_dispatch_mixes_by_the_scores(tiny_llava):
    found = dispatch(tiny_llava, PROMPT, soft=True)
    assert found.mix == Mix({n: found.scores[n] for n in ("math", "code", "vision")})
    assert sum(found.mix.alphas.values()) == pytest.approx(1 - found.scores["other"])


def test_what_is_chosen_and_why(tiny_llava):
    assert _choice(tiny_llava, {"math": 0.1, "other": 0.9}, False)[:2] == (Mix.base(), "other")
    mix, choice, why = _choice(tiny_llava, {"reasoning": 0.9, "math": 0.1}, False)
    assert (mix, choice) == (Mix.base(), "reasoning") and "no expert of that name" in why
    mix, choice, why = _choice(tiny_llava, {"code": 0.7, "math": 0.3}, False)
    assert mix == Mix.single("code") and "says code (70%), then math (30%)" in why


def test_many_at_once_are_as_one_by_one(tiny_llava):
    prompts = [PROMPT, "def total(xs):", "x"]
    images = [None, None, Image.new("RGB", (48, 48), "red")]
    together = dispatch_all(tiny_llava, prompts, images, batch_size=2)
    for prompt, image, found in zip(prompts, images, together, strict=True):
        alone = dispatch(tiny_llava, prompt, image)
        assert found.scores == pytest.approx(alone.scores, abs=1e-4)
        assert found.features == pytest.approx(alone.features, abs=1e-3)


def test_surprise_is_that_of_the_own_text(tiny_llava, tiny_lm):
    for loaded in (tiny_llava, tiny_lm):
        plain, strange = prompt_features(loaded, [PROMPT, "☃☃☃ ☃☃ ☃☃☃☃"])
        assert plain["unknown"] == 0 and strange["unknown"] > 0.7
        assert plain["nll_worst"] >= plain["nll"] > 0
        assert prompt_features(loaded, ["line one\nline two"])[0]["unknown"] == 0  # a line break proves nothing
    encoded = tiny_llava.encode(Request(PROMPT, max_new_tokens=1))
    low, high = encoded.prompt_span
    with torch.no_grad():
        logprobs = tiny_llava.model(input_ids=torch.tensor([encoded.ids])).logits[0].log_softmax(-1)
    surprises = [-float(logprobs[i - 1, encoded.ids[i]]) for i in range(low, high)]
    found = prompt_features(tiny_llava, [PROMPT])[0]
    assert found["nll"] == pytest.approx(sum(surprises) / len(surprises), abs=1e-3)
    worst = max(sum(surprises[i : i + 4]) / 4 for i in range(len(surprises) - 3))
    assert found["nll_worst"] == pytest.approx(worst, abs=1e-3)


def test_the_notice_follows_its_thresholds(tiny_llava, settings):
    features = dispatch(tiny_llava, PROMPT).features
    settings["outside"] = {"nll": features["nll"] + 0.1}
    assert dispatch(tiny_llava, PROMPT).outside is False
    settings["outside"] = {"nll": features["nll"] - 0.1, "unknown": 0.5}
    found = dispatch(tiny_llava, PROMPT)
    assert found.outside is True and "surprises the model" in found.outside_why
    settings["outside"] |= {"other_least": features["other"] + 0.01}  # sure of its kind: wording does not matter
    assert dispatch(tiny_llava, PROMPT).outside is False
    settings["outside"] = {"unknown": 0.5}
    assert "does not know" in dispatch(tiny_llava, "☃☃☃").outside_why


def test_calibrated_thresholds_let_the_calibration_prompts_through(tiny_llava, settings):
    prompts = [f"Anna has {i} pens. Ben buys {j} books." for i in range(10) for j in range(5)]
    settings["outside"] = calibrate(tiny_llava, prompts, share=0.2)
    assert set(settings["outside"]) == {"nll", "nll_worst", "unknown", "other", "other_least", "n", "share"}
    outside = [d.outside for d in dispatch_all(tiny_llava, prompts)]
    assert sum(outside) <= 0.2 * len(prompts)
    assert dispatch(tiny_llava, "☃☃☃ ☃").outside is True
    with pytest.raises(ValueError, match="calibrate needs prompts"):
        calibrate(tiny_llava, [])


def test_bad_prompts_and_strategies(tiny_llava):
    with pytest.raises(RequestError, match="empty"):
        dispatch(tiny_llava, " ")
    with pytest.raises(RequestError, match="too long"):
        dispatch(tiny_llava, "pens " * 300)
    with pytest.raises(ValueError, match="strategy must be prompt"):
        dispatch(tiny_llava, PROMPT, strategy="guess")
    assert dispatch_all(tiny_llava, []) == []


def test_a_model_without_experts_answers_as_it_is(tiny_lm_dir):
    from t2ui.engine import load

    found = dispatch(load(tiny_lm_dir, device="cpu", experts_dir=None), PROMPT)
    assert found.scores == {"other": 1.0} and found.mix == Mix.base()


def test_a_kept_mix_is_a_strategy(tiny_llava_dir, tiny_llava_experts, tmp_path):
    import shutil

    from t2ui.engine import load
    from t2ui.engine.dispatch import recipes
    from t2ui.engine.search import save_recipe

    folder = tmp_path / "experts"
    shutil.copytree(tiny_llava_experts, folder)
    loaded = load(tiny_llava_dir, device="cpu", experts_dir=folder)
    with pytest.raises(RequestError, match="no mix is kept under the name 'both': there are none"):
        dispatch(loaded, PROMPT, strategy="few-shot:both")
    save_recipe(folder / "recipes" / "both.json", Mix({"math": 0.5, "vision": (0.25, 1.0)}), task="vision_math")
    assert set(recipes(loaded)) == {"both"}
    found = dispatch(loaded, PROMPT, strategy="few-shot:both")
    assert found.mix == Mix({"math": 0.5, "vision": (0.25, 1.0)}) and found.choice == "vision" and not found.scores
    (folder / "recipes" / "both.json").write_text('{"alphas": {"chess": 1}}')
    with pytest.raises(RequestError, match="unknown expert 'chess'"):
        dispatch(loaded, PROMPT, strategy="few-shot:both")
    (folder / "recipes" / "both.json").write_text("{")
    with pytest.raises(RequestError, match="cannot be read"):
        dispatch(loaded, PROMPT, strategy="few-shot:both")
    for bad in ("magic", "prompt:math", "classifier:x"):
        with pytest.raises(ValueError, match="strategy must be"):
            dispatch(loaded, PROMPT, strategy=bad)
