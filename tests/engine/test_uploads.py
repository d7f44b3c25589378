"""Experts that come over the page: files are told apart, checked, written whole, and used without disturbing anybody."""

import io
import json
import shutil
import zipfile

import pytest
import torch

from t2ui.cells import cells_of, expert_names
from t2ui.core import Expert, ExpertError, Mix
from t2ui.engine import Engine, Request, answer_all, load
from t2ui.engine.cards import cards_of
from t2ui.engine.uploads import MAX_TEXT, UploadError, gather, take_in
from tests.adapters import write

PROMPT = "Ben has 3 cups."


@pytest.fixture
def loaded(tiny_llava_dir, tiny_llava_experts, tmp_path):
    folder = tmp_path / "experts"
    shutil.copytree(tiny_llava_experts, folder)
    return load(tiny_llava_dir, device="cpu", experts_dir=folder)


@pytest.fixture
def files(loaded, tmp_path):
    """What a visitor has: an SVF expert ("apes", before all others by name), and a LoRA."""
    z = 1 + 0.5 * torch.randn(loaded.adapted.R, generator=torch.Generator().manual_seed(5))
    meta = {"task": "apes", "metrics": {"validation_base": 0.25, "validation_best": 0.75, "validation_n": 8}}
    home = tmp_path / "mine"
    Expert.from_z(loaded.adapted, "apes", z, objective="random", meta=meta).save(home / "apes")
    (home / "apes" / "README.md").write_text("---\ntags: [svf, zoo]\n---\n# apes <script>alert(1)</script>\n")
    write(home / "tuned", load(loaded.info.path, device="cpu", experts_dir=None).model, ("q_proj", "down_proj"), rank=2, seed=1)
    return home


def packed(folder, at, *more, inside=""):
    with zipfile.ZipFile(at, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{inside}{file.name}")
        for name, data in more:
            archive.writestr(name, data)
    return at


def took(loaded, paths, tmp_path, name=""):
    place = tmp_path / f"place-{len(list(tmp_path.iterdir()))}"
    place.mkdir()
    return take_in(loaded, place, name, gather(paths, place))


def test_an_svf_expert_comes_alone_renamed_or_in_an_archive(loaded, files, tmp_path):
    before = expert_names(loaded)
    file = files / "apes" / "expert.safetensors"
    arrived = took(loaded, [file], tmp_path)
    assert arrived.expert.name == "apes" and arrived.folder == loaded.registry.folder / "apes"
    assert expert_names(loaded) == (*before, "apes")  # at the end, whatever its name: sliders know experts by place
    copy = tmp_path / "expert (1).safetensors"  # as a browser names a second download
    shutil.copy(file, copy)
    assert took(loaded, [copy], tmp_path, "bears").expert.name == "bears"
    with_card = packed(files / "apes", tmp_path / "x.zip", ("other/notes.txt", "hello"), inside="apes/")
    took(loaded, [with_card], tmp_path, "cats")
    assert expert_names(loaded) == (*before, "apes", "bears", "cats")
    assert len(cells_of(loaded)[0]["G"]) == len(before) + 3
    card = cards_of(loaded, ["cats"])[0]
    assert card.tags == ("svf", "zoo") and card.task == "apes" and card.uploaded and (card.before, card.after, card.n) == (0.25, 0.75, 8)
    again = load(loaded.info.path, device="cpu", experts_dir=loaded.registry.folder)  # a server that is started again has them all
    assert set(again.stack.names) == set(loaded.stack.names) and not again.registry.refused
    old, new = (torch.stack([x.stack.z(Mix.single(n)) for n in ("apes", "bears", "cats")]) for x in (loaded, again))
    assert torch.equal(old, new) and torch.equal(new[0], new[1]) and torch.equal(new[0], new[2])


def test_a_lora_comes_as_two_files_or_in_an_archive_that_names_it(loaded, files, tmp_path):
    both = [files / "tuned" / name for name in ("adapter_model.safetensors", "adapter_config.json")]
    with pytest.raises(UploadError, match="type a name"):
        took(loaded, both, tmp_path)
    assert took(loaded, both, tmp_path, "by-name").expert.rank == 2
    assert took(loaded, [packed(files / "tuned", tmp_path / "My LoRA (2).zip")], tmp_path).expert.name == "My-LoRA-2"
    assert took(loaded, [packed(files / "tuned", tmp_path / "y.zip", inside="inner-name/")], tmp_path).expert.name == "inner-name"
    assert all(card.uploaded and card.kind == "LoRA" and card.rank == 2 for card in cards_of(loaded, ["by-name", "My-LoRA-2", "inner-name"]))


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", b"0" * (MAX_TEXT + 1))
    return path


@pytest.mark.parametrize("what, said", [
    ("nothing", "no file came"), ("text", "does not belong to an expert"), ("card", "an SVF expert is"), ("pickle", "never opened"),
    ("half", "an SVF expert is"), ("two", "those are two experts"), ("twice", "twice"), ("folders", "2 folders"), ("no zip", "cannot be opened"),
    ("bomb", "at most 1"), ("json", "no JSON"), ("escape", "an SVF expert is"),
])  # fmt: skip
def test_what_holds_no_expert_is_refused(loaded, files, tmp_path, what, said):
    svf, lora = files / "apes", files / "tuned"
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "adapter_model.bin").write_bytes(b"x")
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "no.zip").write_text("PK")
    paths = {
        "nothing": [], "text": [tmp_path / "a.txt"], "card": [svf / "README.md"], "pickle": [tmp_path / "adapter_model.bin"],
        "half": [lora / "adapter_config.json"], "two": [*svf.iterdir(), *lora.iterdir()], "twice": [svf / "expert.safetensors"] * 2,
        "folders": [packed(svf, tmp_path / "f.zip", ("b/expert.safetensors", b"x"), inside="a/")], "no zip": [tmp_path / "no.zip"],
        "bomb": [bomb(tmp_path / "bomb.zip")], "json": [tmp_path / "b.json"],
        "escape": [packed(tmp_path / "none-here", tmp_path / "e.zip", ("../../expert.txt", b"x")) if (tmp_path / "none-here").mkdir() is None
                   else None],
    }[what]  # fmt: skip
    before, names = sorted(loaded.registry.folder.iterdir()), expert_names(loaded)
    with pytest.raises(UploadError, match=said):
        took(loaded, paths, tmp_path)
    assert sorted(loaded.registry.folder.iterdir()) == before and expert_names(loaded) == names


def test_no_path_of_an_archive_is_used(loaded, files, tmp_path):
    data = (files / "apes" / "expert.safetensors").read_bytes()
    sly = tmp_path / "sly.zip"
    with zipfile.ZipFile(sly, "w") as archive:
        archive.writestr("../../../expert.safetensors", data)
    place = tmp_path / "a" / "b" / "c" / "place"
    place.mkdir(parents=True)
    gather([sly], place)
    assert [p.name for p in place.iterdir()] == ["expert.safetensors"]
    assert not (tmp_path / "expert.safetensors").exists() and not (tmp_path / "a" / "expert.safetensors").exists()


@pytest.mark.parametrize("what, error, said", [
    ("other base", ExpertError, "another base model|not adapted here"), ("name", ExpertError, "a name in use"), ("damaged", ExpertError, "damaged"),
    ("dispatcher", UploadError, "choose for every visitor"), ("reserved", ExpertError, "unusable name"), ("bad name", UploadError, "a letter"),
    ("nan", ExpertError, "finite|NaN"), ("lora of another", ExpertError, "cannot be used"),
])  # fmt: skip
def test_what_this_model_cannot_use_is_refused_and_nothing_stays(loaded, files, tmp_path, tiny_lm, tiny_lm_dir, what, error, said):
    own, name = tmp_path / "own", ""
    file = own / "expert.safetensors"
    z = torch.full((loaded.adapted.R,), 1.1)
    if what == "other base":
        Expert.from_z(tiny_lm.adapted, "foreign", torch.full((tiny_lm.adapted.R,), 1.1)).save(own)
    elif what == "dispatcher":
        Expert.from_z(loaded.adapted, "guide", z, role="dispatcher").save(own)
    elif what == "lora of another":
        write(own, load(tiny_lm_dir, device="cpu", experts_dir=None).model, ("q_proj",), rank=2, seed=1)
        name = "foreign"
    else:
        name = {"name": "math", "reserved": "base", "bad name": "../x"}.get(what, "")
        Expert.from_z(loaded.adapted, "mine", z).save(own)
    data = file.read_bytes() if file.exists() else b""
    if what == "damaged":
        file.write_bytes(data[:-100])
    if what == "nan":
        file.write_bytes(data[:-4] + b"\xff\xff\xff\xff")
    before, names = sorted(loaded.registry.folder.iterdir()), expert_names(loaded)
    with pytest.raises(error, match=said):
        took(loaded, list(own.iterdir()), tmp_path, name)
    assert sorted(loaded.registry.folder.iterdir()) == before and expert_names(loaded) == names


def test_a_card_of_a_stranger_is_only_read(loaded, files, tmp_path):
    folder = files / "apes"
    (folder / "README.md").write_text("---\ntags: !!python/object/apply:os.system ['touch /tmp/never']\n---\n")
    (folder / "recipe.json").write_text("[" * 100_000)
    took(loaded, list(folder.iterdir()), tmp_path)
    card = cards_of(loaded, ["apes"])[0]
    assert card.tags == () and card.uploaded and card.objective == "random"
    assert json.loads((loaded.registry.folder / "apes" / "recipe.json").read_text())["uploaded"]["sha256"]


def test_who_is_being_answered_does_not_notice(loaded, files, tmp_path):
    request = Request(PROMPT, max_new_tokens=40, mix=Mix({"math": 0.5, "code": 0.3}))
    alone = answer_all(loaded, [request])[0].tokens
    place = tmp_path / "place"
    place.mkdir()
    gather([files / "apes" / "expert.safetensors"], place)
    with Engine(loaded) as engine:
        engine.wait(10)
        stream = engine.submit(request)
        deltas = iter(stream)
        seen = [next(deltas)]
        arrived = engine.run(lambda held: take_in(held, place)).result(60)
        seen += deltas
        assert arrived.expert.name == "apes" and tuple(i for delta in seen for i in delta.tokens) == alone
        asked = Request(PROMPT, max_new_tokens=5, mix=Mix.single("apes"))
        mixed = tuple(i for delta in engine.submit(asked) for i in delta.tokens)
    assert mixed == answer_all(loaded, [asked])[0].tokens


def test_an_empty_archive_and_an_empty_file(loaded, tmp_path):
    empty = tmp_path / "empty.zip"
    empty.write_bytes(io.BytesIO().getvalue())
    with pytest.raises(UploadError, match="cannot be opened"):
        took(loaded, [empty], tmp_path)
    none = tmp_path / "expert.safetensors"
    none.write_bytes(b"")
    with pytest.raises(ExpertError):
        took(loaded, [none], tmp_path)
