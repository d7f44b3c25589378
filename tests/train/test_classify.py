"""The classifier expert: it learns the labels, leaves the model as it was, resumes, and dispatches."""

import random
from dataclasses import replace

import pytest
import torch

from t2ui.core.experts import load_expert
from t2ui.engine.dispatch import dispatch, dispatch_all, labels_of, question_of
from t2ui.engine.model import load
from t2ui.engine.request import Request, RequestError
from t2ui.tasks import TASKS, TRAINED
from t2ui.train.card import publish_classifier
from t2ui.train.classify import ClassifySettings, _distribution, classify, draw_prompts

QUICK = ClassifySettings(steps=4, prompts=4, validation=20, validate_every=2, lr=2e-2)
MADE = {"command": "python -m t2ui train --task dispatch", "seed": 0}


def test_prompts_are_of_the_trained_families_and_of_the_asked_split():
    drawn = draw_prompts(random.Random(0), 400, "train")
    assert {label for _, _, label in drawn} == {*TRAINED, "other"}
    assert {p for p, image, label in drawn if label == "vision" and image is None} == set()
    stray = [p for p, image, label in drawn if label != "vision" and image is not None]
    assert 20 < len(stray) < 90
    for prompt, _, label in drawn[:60]:
        task = TASKS.get(label)
        if task is not None and task.scene is not None and label != "vision":
            content = task.parse(prompt)
            assert content is None or task.split(content) == "train"


def test_it_learns_the_labels_and_leaves_the_model_as_it_was(smoke_loaded, tmp_path):
    weight = next(iter(smoke_loaded.adapted.modules.values())).weight
    before = weight.clone()
    settings = replace(QUICK, steps=30, prompts=12, validate_every=10, validation=60, lr=2e-2)
    reports = list(classify(smoke_loaded, settings, tmp_path))
    assert reports[-1].best[1] > reports[0].validation[1] + 0.01 and reports[-1].z > 0
    assert smoke_loaded.adapted.mode == "off" and torch.equal(weight, before)


def test_the_trained_distribution_is_the_one_that_dispatch_asks_for(smoke_loaded):
    labels = labels_of(smoke_loaded)
    prompts = ["Anna has 12 pens.", "Write a function f(xs)."]
    asked = [Request(f"{question_of(labels)}\n{p}", max_new_tokens=16) for p in prompts]
    with torch.no_grad():
        ours = _distribution(smoke_loaded, asked, labels).exp()
    for row, found in zip(ours, dispatch_all(smoke_loaded, prompts), strict=True):
        # bf16 products in training, fp32 at the page
        assert row.tolist() == pytest.approx([found.scores[label] for label in labels], abs=0.03)


def test_a_killed_run_resumes(smoke_loaded, tmp_path):
    whole = list(classify(smoke_loaded, QUICK, tmp_path / "a"))
    run = classify(smoke_loaded, QUICK, tmp_path / "b")
    for report in run:
        if report.step == 3:
            run.close()
            break
    rest = list(classify(smoke_loaded, QUICK, tmp_path / "b"))
    assert [r.step for r in rest] == [3, 4] and rest[-1].best == whole[-1].best
    one, other = (torch.load(tmp_path / k / "state.pt", weights_only=True)["z"] for k in "ab")
    assert torch.equal(one, other)
    with pytest.raises(ValueError, match="other settings"):
        next(classify(smoke_loaded, replace(QUICK, lr=1.0), tmp_path / "b"))


def test_the_published_classifier_dispatches_and_is_no_skill(smoke_loaded, smoke, tmp_path):
    last = list(classify(smoke_loaded, QUICK, tmp_path / "run"))[-1]
    folder = publish_classifier(smoke_loaded, QUICK, "dispatcher", tmp_path / "run", tmp_path / "experts" / "dispatcher",
                                MADE, start=(0.2, -1.6), last=last)  # fmt: skip
    expert = load_expert(folder / "expert.safetensors")
    assert expert.role == "dispatcher" and {p.name for p in folder.iterdir()} == {"expert.safetensors", "README.md", "recipe.json"}
    loaded = load(smoke[0], experts_dir=tmp_path / "experts", cache_dir=tmp_path / "cache")
    assert loaded.stack.names == [] and loaded.dispatcher.name == "dispatcher"
    z = loaded.adapted.join(expert.z)
    prompt = "Anna has 12 pens."
    found = dispatch(loaded, prompt, strategy="classifier")
    with loaded.adapted.folded(z):  # rows against the fold
        asked = Request(f"{found.question}\n{prompt}", max_new_tokens=16)
        wanted = _distribution_fp32(loaded, asked, list(found.scores))
    assert list(found.scores.values()) == pytest.approx(wanted, abs=1e-4)
    assert "classifier expert says" in found.why and found.outside is None
    assert dispatch(loaded, prompt).scores != found.scores


def _distribution_fp32(loaded, request, labels):
    from t2ui.engine.choose import choose_all

    return list(choose_all(loaded, [request], labels)[0].values())


def test_without_a_classifier_the_message_says_what_to_do(smoke_loaded):
    with pytest.raises(RequestError, match="train one"):
        dispatch(smoke_loaded, "Hi", strategy="classifier")
