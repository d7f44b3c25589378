"""LoRA experts in the engine: imported whole or not at all, and answered, proved, searched, exported like all others."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub import errors

from t2ui.core import Expert, ExpertError, Mix, best_lora, load_adapter, load_expert
from t2ui.engine import (
    Engine,
    ExportError,
    ExportSettings,
    ModelError,
    Request,
    answer_all,
    dispatch,
    export,
    load,
    score,
)
from t2ui.engine.adapters import import_adapter
from t2ui.engine.dispatch import labels_of
from t2ui.engine.export import in_effect
from t2ui.engine.search import SearchSettings, Shot, search
from tests.adapters import peft_logits, write

from .test_graphs import desk_of
from .test_scheduler import Desk, assert_same, requests_of

ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
MIXES = [Mix.base(), Mix.single("math"), Mix.single("tuned"), Mix({"math": 0.4, "tuned": 0.7}), Mix({"tuned": (0.0, 1.0), "other-lora": -1.0})]


@pytest.fixture(scope="module")
def loaded(tiny_llava_dir, tiny_llava_experts, tmp_path_factory):
    """The tiny LLaVA with SVF experts and two LoRA experts of different ranks and targets."""
    folder = tmp_path_factory.mktemp("both") / "experts"
    shutil.copytree(tiny_llava_experts, folder)
    model = load(tiny_llava_dir, device="cpu", experts_dir=None).model
    write(folder / "tuned", model, ALL, rank=4, seed=1)
    write(folder / "other-lora", model, ("q_proj", "down_proj"), rank=2, seed=2)
    return load(tiny_llava_dir, device="cpu", experts_dir=folder)


def mixed_requests(n, seed):
    return [replace(r, mix=MIXES[(i + seed) % len(MIXES)]) for i, r in enumerate(requests_of(n, seed))]


def test_they_stand_beside_the_others(loaded):
    assert sorted(loaded.stack.names) == ["code", "math", "other-lora", "tuned", "vision"]
    assert labels_of(loaded) == ["math", "code", "vision", "other-lora", "tuned", "other"]
    found = dispatch(loaded, "How many pens?", soft=True)
    assert set(found.scores) == {*loaded.stack.names, "other"} and found.mix.alpha("tuned") == found.scores["tuned"]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("graphs", [False, True])
def test_rows_of_any_mixes_answer_as_they_would_alone(loaded, seed, graphs):
    requests = mixed_requests(10, seed)
    alone = [answer_all(loaded, [r], mode="rows")[0] for r in requests]
    desk = desk_of(loaded)[0] if graphs else Desk(loaded, slots=6)
    waiting = list(requests)
    while waiting or desk.scheduler.live:
        while waiting and desk.scheduler.free:
            desk.add(waiting.pop(0))
        desk.scheduler.turn()
    assert_same(desk, alone)
    assert not graphs or desk.scheduler.graphs.off is None


def test_a_batch_is_each_alone_and_rows_are_the_fold(loaded):
    requests = [Request(f"Anna has {i} pens.", mix=MIXES[i % len(MIXES)], max_new_tokens=8) for i in range(10)]
    alone = [answer_all(loaded, [r], mode="rows")[0] for r in requests]
    assert [a.tokens for a in answer_all(loaded, requests, mode="rows")] == [a.tokens for a in alone]
    folded = answer_all(loaded, requests, mode="fold")
    assert [a.tokens for a in folded] == [a.tokens for a in alone]
    for one, two, request in zip(folded, alone, requests, strict=True):
        assert one.applied.change == pytest.approx(two.applied.change, rel=1e-4) and one.applied.mix == str(request.mix)


def test_rows_without_a_lora_expert_are_bitwise_those_where_none_is_loaded(loaded, tiny_llava):
    requests = requests_of(8, 3, pictures=False)
    here, there = answer_all(loaded, requests, mode="rows"), answer_all(tiny_llava, requests, mode="rows")
    assert [(a.tokens, a.logprobs, a.applied) for a in here] == [(a.tokens, a.logprobs, a.applied) for a in there]
    desk = Desk(loaded)
    for request in requests:
        desk.add(request)
    desk.scheduler.turn()
    assert {row.columns for row in desk.rows} == {0, loaded.adapted.R}
    desk.finish()


@pytest.mark.parametrize("mix", MIXES[1:])
def test_the_proof_says_how_much_the_weights_changed_and_reads_the_mix_back(loaded, mix):
    desk = Desk(loaded)
    desk.add(Request("How many pens?", mix=mix, max_new_tokens=3))
    desk.finish()
    applied = desk.deltas[0][-1].applied
    with loaded.adapted.folded(loaded.stack.change(mix)):
        now = {p: m.weight.clone() for p, m in loaded.adapted.modules.items()}
    change = sum((now[p] - m.weight).double().square().sum() for p, m in loaded.adapted.modules.items())
    whole = sum(m.weight.double().square().sum() for m in loaded.adapted.modules.values())
    assert applied.change == pytest.approx(float((change / whole).sqrt()), rel=1e-4)
    if not mix.per_layer:
        assert Mix.parse(applied.found) == mix and applied.rest < 1e-3


def test_scores_are_the_folds(loaded):
    asked = [Request("Anna has", mix=mix) for mix in MIXES]
    rows, folds = (score(loaded, asked, ["12 pens"] * len(asked), mode=mode) for mode in ("rows", "fold"))
    for one, two in zip(rows, folds, strict=True):
        assert one == pytest.approx(two, abs=1e-3)


def test_a_search_mixes_them(loaded):
    wanted = answer_all(loaded, [Request("Anna has 12 pens.", mix=Mix.single("tuned"), max_new_tokens=6)])[0].text
    shots = [Shot("Anna has 12 pens.", wanted, grade=lambda text: text == wanted, max_new_tokens=6)]
    settings = SearchSettings(population=12, generations=5, objective="likelihood", rows=24, seed=0)
    result = list(search(loaded, shots, settings, names=["math", "tuned"]))[-1].result
    values = score(loaded, [Request(shots[0].prompt, mix=m) for m in (Mix.base(), Mix.single("math"), result.mix)], [wanted] * 3)
    assert sum(values[2]) > max(sum(values[0]), sum(values[1])) and result.mix.alpha("tuned")


# -- experts that come and go while others are answered


def test_a_lora_that_comes_or_goes_disturbs_no_row(loaded, tmp_path, tiny_llava_dir):
    folder = shutil.copytree(loaded.registry.folder, tmp_path / "experts")
    mine = load(tiny_llava_dir, device="cpu", experts_dir=folder)
    request = Request("Anna has 12 pens.", mix=Mix({"math": 0.4, "tuned": 0.7}), max_new_tokens=24, temperature=1.0, seed=3)
    mine.eos = (10**9,)
    want = answer_all(mine, [request], mode="rows")[0].tokens
    desk = desk_of(mine)[0]
    desk.add(request)
    for _ in range(4):
        desk.scheduler.turn()
    write(folder / "newer", mine.model, ("v_proj",), rank=6, seed=9)
    shutil.rmtree(folder / "other-lora")
    assert mine.refresh() and "newer" in mine.stack.names and "other-lora" not in mine.stack.names
    desk.add(replace(request, mix=Mix.single("newer")))
    desk.finish()
    assert tuple(desk.tokens(0)) == want
    assert tuple(desk.tokens(1)) == answer_all(mine, [replace(request, mix=Mix.single("newer"))], mode="rows")[0].tokens
    assert mine.adapted.width == mine.adapted.R + 3 * mine.adapted.n_layers  # the one that went is still there
    mine.refresh(idle=True)
    assert mine.adapted.width == mine.adapted.R + 2 * mine.adapted.n_layers
    captured = desk.scheduler.graphs
    assert captured._graphs  # of the rows before, whose A and B are elsewhere now
    desk.scheduler.turn()
    assert not captured._graphs
    assert answer_all(mine, [request], mode="rows")[0].tokens == want
    desk.add(request)
    desk.finish()
    assert tuple(desk.tokens(2)) == want


def test_the_engine_lets_go_of_them_only_when_nobody_is_answered(loaded, tmp_path, tiny_llava_dir):
    folder = shutil.copytree(loaded.registry.folder, tmp_path / "experts")
    mine = load(tiny_llava_dir, device="cpu", experts_dir=folder)
    mine.eos = (10**9,)
    with Engine(mine) as engine:
        engine.wait(10)
        wide = mine.adapted.width
        stream = engine.submit(Request("Anna", mix=Mix.single("tuned"), max_new_tokens=100))
        next(iter(stream))
        shutil.rmtree(folder / "tuned")
        assert engine.refresh().result(10) and mine.adapted.width == wide
        assert stream.result(30)[0].reason == "length"
        engine.refresh().result(10)
        assert mine.adapted.width == wide - mine.adapted.n_layers


# -- exports


def test_a_mix_of_both_kinds_leaves_as_a_lora_that_peft_reads(loaded, tiny_llava_dir, tmp_path):
    pytest.importorskip("peft")
    import transformers

    mix, tokens = Mix({"math": 0.4, "tuned": 0.7}), torch.arange(30, 54)[None]
    with loaded.adapted.folded(loaded.stack.change(mix)), torch.no_grad():
        want = loaded.model(input_ids=tokens, use_cache=False).logits
    facts = list(export(loaded, mix, "lora", tmp_path / "out", ExportSettings(rank=None)))[-1].facts
    assert facts["export"]["kept"] == 1.0 and facts["experts"]["tuned"].startswith("LoRA of rank 4")
    plain = transformers.AutoModelForImageTextToText.from_pretrained(tiny_llava_dir).eval()
    assert float((peft_logits(plain, tmp_path / "out", tokens) - want).abs().max()) < 1e-4
    facts = list(export(loaded, mix, "lora", tmp_path / "small", ExportSettings(rank=2)))[-1].facts
    lora = best_lora(loaded.adapted, loaded.stack.change(mix), 2)
    assert facts["export"]["rank"] == 2 and facts["export"]["kept"] == pytest.approx(lora.kept_all) and lora.kept_all < 1
    # What left as a LoRA comes back in as one.
    assert load_adapter(tmp_path / "out", "back").check(loaded.adapted) == []


@pytest.mark.parametrize("kind", ["merged", "recipe"])
def test_other_exports_are_the_mix(loaded, tmp_path, kind):
    mix, tokens = Mix({"math": 0.4, "tuned": 0.7}), torch.arange(30, 54)[None]
    list(export(loaded, mix, kind, tmp_path / kind))
    with loaded.adapted.folded(loaded.stack.change(mix)), torch.no_grad():
        want = loaded.model(input_ids=tokens, use_cache=False).logits
    with in_effect(loaded, kind, tmp_path / kind), torch.no_grad():
        assert torch.equal(loaded.model(input_ids=tokens, use_cache=False).logits, want)


def test_as_an_expert_the_projection_is_written_and_the_loss_stated(loaded, tmp_path):
    from t2ui.core import projection

    facts = list(export(loaded, Mix.single("tuned"), "expert", tmp_path / "projected"))[-1].facts
    z, kept, share = projection(loaded.adapted, loaded.stack.change(Mix.single("tuned")))
    expert = load_expert(tmp_path / "projected")
    assert torch.equal(loaded.adapted.join(expert.z), z.to(loaded.adapted.device))
    held = facts["export"]["projected"]
    assert held["kept"] == share and held["loss"] == pytest.approx(1 - share) and held["kept_by_matrix"] == kept and 0 < share < 1
    assert f"{100 * (1 - share):.1f}% of |dW|^2 is lost" in expert.objective
    card = (tmp_path / "projected" / "README.md").read_text()
    assert f"{100 * (1 - share):.2f} % is lost" in card
    facts = list(export(loaded, Mix.single("math"), "expert", tmp_path / "svf"))[-1].facts
    assert "projected" not in facts["export"] and isinstance(loaded.stack.experts[0], Expert)


# -- import


def test_an_adapter_is_copied_with_a_card_and_used(tiny_lm, tmp_path, tiny_lm_dir):
    source, experts = write(tmp_path / "their", tiny_lm.model, base_model_name_or_path="somebody/else"), tmp_path / "experts"
    (source / "README.md").write_text("theirs")
    (source / "optimizer.pt").write_text("not copied")
    done = import_adapter(tiny_lm.adapted, source, "mine", experts)
    assert sorted(p.name for p in done.folder.iterdir()) == [
        "README-adapter.md", "README.md", "adapter_config.json", "adapter_model.safetensors", "recipe.json"]  # fmt: skip
    assert [f.what for f in done.warnings] == ["it names another base model"] and 0 < done.rescales < 1
    recipe = json.loads((done.folder / "recipe.json").read_text())["imported"]
    assert recipe["from"] == "their" and recipe["rescales"] == done.rescales and len(recipe["sha256"]) == 64
    assert "names another base model" in (done.folder / "README.md").read_text()
    with pytest.raises(ExportError, match="--force"):
        import_adapter(tiny_lm.adapted, source, "mine", experts)
    assert import_adapter(tiny_lm.adapted, source, "mine", experts, force=True).folder == done.folder
    assert [p.name for p in experts.iterdir()] == ["mine"]
    assert load(tiny_lm_dir, device="cpu", experts_dir=experts).stack.names == ["mine"]


@pytest.mark.parametrize("what", ["dora", "shapes", "name", "folder", "taken"])
def test_what_cannot_be_used_leaves_nothing_behind(tiny_lm, tiny_llava, tmp_path, what):
    q = "base_model.model.model.layers.0.self_attn.q_proj.lora_"
    odd = {f"{q}A.weight": torch.ones(3, 64), f"{q}B.weight": torch.ones(64, 3)}
    source = write(tmp_path / "their", (tiny_llava if what == "name" else tiny_lm).model, use_dora=what == "dora",
                   tensors=odd if what == "shapes" else None)  # fmt: skip
    experts = tmp_path / "experts"
    if what == "taken":
        (experts / "mine").mkdir(parents=True)
        (experts / "mine" / "somebody.txt").write_text("keep")
    given = tmp_path / "none" if what == "folder" else source
    kinds = {"folder": ModelError, "taken": ExportError}
    words = {"dora": "DoRA", "shapes": "wrong shape.*another size", "name": "has not got.*language_model", "folder": "no folder",
             "taken": "not written by this command"}  # fmt: skip
    with pytest.raises(kinds.get(what, ExpertError), match=words[what]):
        import_adapter(tiny_lm.adapted, given, "mine", experts, force=True)
    left = [str(p.relative_to(experts)) for p in experts.rglob("*")] if experts.exists() else []
    assert left == (["mine", "mine/somebody.txt"] if what == "taken" else [])


def test_a_disk_that_fills_up_leaves_nothing_behind(tiny_lm, tmp_path, monkeypatch):
    source = write(tmp_path / "their", tiny_lm.model)
    monkeypatch.setattr(shutil, "copyfile", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ExportError, match="No space left.*nothing of it was kept"):
        import_adapter(tiny_lm.adapted, source, "mine", tmp_path / "experts")
    assert list((tmp_path / "experts").iterdir()) == []


def test_names_of_the_hub(tiny_lm, tmp_path, monkeypatch):
    source, asked = write(tmp_path / "snapshot", tiny_lm.model), []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    def download(name, **options):
        asked.append(options["allow_patterns"])
        return str(source)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    done = import_adapter(tiny_lm.adapted, "owner/adapter", "mine", "experts")
    assert done.facts["imported"]["from"] == "owner/adapter" and not [p for p in asked[0] if "bin" in p]
    (source / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="no adapter_model.safetensors.*never fetched"):
        import_adapter(tiny_lm.adapted, "owner/adapter", "other", "experts")

    def away(name, **options):
        raise errors.LocalEntryNotFoundError("cannot find the requested files")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", away)
    with pytest.raises(ModelError, match="cannot be fetched from the Hub.*import FOLDER"):
        import_adapter(tiny_lm.adapted, "owner/adapter", "other", "experts")
    assert [p.name for p in Path("experts").iterdir()] == ["mine"]
