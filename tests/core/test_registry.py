import pytest
import torch

from t2ui.core import Expert, ExpertError, ExpertStack, Registry, attach

from .models import make_llama, some_z


def put(folder, adapted, name, seed=0, **more):
    return Expert.from_z(adapted, name, some_z(adapted, seed), **more).save(folder / name)


def test_registry_lists_who_can_be_used_and_why_not(tmp_path, adapted):
    put(tmp_path, adapted, "math")
    put(tmp_path, adapted, "code", 1)
    put(tmp_path, adapted, "guide", 2, role="dispatcher")
    put(tmp_path, attach(make_llama(seed=1), base_id="other-model"), "foreign")
    Expert.from_z(adapted, "idle", torch.ones(adapted.R)).save(tmp_path / "idle")
    Expert.from_z(adapted, "math", some_z(adapted, 3)).save(tmp_path / "zz-second-math")
    broken = tmp_path / "broken" / "expert.safetensors"
    broken.parent.mkdir()
    broken.write_bytes(b"half a file")
    (tmp_path / "empty").mkdir()
    (tmp_path / "LOG.md").write_text("no expert")
    registry = Registry(tmp_path, adapted)
    assert list(registry.experts) == ["code", "idle", "math"]
    assert list(registry.dispatchers) == ["guide"]
    assert sorted(registry.refused) == ["broken", "foreign", "zz-second-math"]
    assert "truncated or damaged" in registry.refused["broken"].reason
    assert "other-model" in registry.refused["foreign"].reason
    assert "second 'math'" in registry.refused["zz-second-math"].reason
    assert registry.refused["broken"].path == broken
    assert [f.what for f in registry.warnings["idle"]] == ["it changes nothing"]
    assert ExpertStack(adapted, list(registry.experts.values())).names == ["code", "idle", "math"]


def test_registry_sees_changes(tmp_path, adapted):
    registry = Registry(tmp_path / "not yet there", adapted)
    assert registry.experts == {}
    assert not registry.refresh()
    file = put(registry.folder, adapted, "math")
    assert registry.refresh()
    assert list(registry.experts) == ["math"]
    assert not registry.refresh()
    put(registry.folder, adapted, "math", 5)  # the same size: told by time or file number
    assert registry.refresh()
    assert torch.equal(adapted.join(registry.experts["math"].z), some_z(adapted, 5))
    data = file.read_bytes()
    file.write_bytes(data[:100])  # someone is copying it
    assert registry.refresh()
    assert list(registry.refused) == ["math"]
    assert registry.experts == {}
    file.write_bytes(data)
    assert registry.refresh()
    assert list(registry.experts) == ["math"]
    assert registry.refused == {}
    file.unlink()
    assert registry.refresh()
    assert registry.experts == {}


def test_registry_without_a_model_reads_only(tmp_path, adapted):
    put(tmp_path, attach(make_llama(seed=1)), "foreign")
    assert list(Registry(tmp_path).experts) == ["foreign"]
    assert list(Registry(tmp_path, adapted).refused) == ["foreign"]


def test_a_folder_that_is_being_written_is_not_seen(tmp_path, adapted):
    put(tmp_path, adapted, "math")
    put(tmp_path, adapted, "code").parent.rename(tmp_path / ".code.1.tmp")
    registry = Registry(tmp_path, adapted)
    assert list(registry.experts) == ["math"] and not registry.refused


def test_one_folder_is_added_beside_what_is_there(tmp_path, adapted):
    put(tmp_path, adapted, "zebra")
    registry = Registry(tmp_path, adapted)
    held = registry.experts["zebra"]
    put(tmp_path, adapted, "ape", 1)
    put(tmp_path, adapted, "bear", 2)  # somebody copies it by hand: not ours to read now
    assert registry.add("ape").name == "ape"
    assert sorted(registry.experts) == ["ape", "zebra"] and registry.experts["zebra"] is held
    assert registry.place("ape") == tmp_path / "ape"
    for folder, what in (("none", "no expert"), ("foreign", "another base model"), ("second", "a name in use")):
        if folder == "foreign":
            put(tmp_path, attach(make_llama(seed=1), base_id="other-model"), folder)
        if folder == "second":
            Expert.from_z(adapted, "ape", some_z(adapted, 3)).save(tmp_path / folder)
        with pytest.raises(ExpertError, match=what):
            registry.add(tmp_path / folder)
        assert sorted(registry.experts) == ["ape", "zebra"]
    assert registry.refresh() and sorted(registry.experts) == ["ape", "bear", "zebra"]  # the whole folder, as ever
