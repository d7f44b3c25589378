"""Folders appear whole or not at all, and nothing of somebody else's is deleted."""

import pytest

from t2ui.core.files import folder_atomic, free_disk, refuse_existing


def ours(folder):
    return (folder / "mark").exists()


def test_a_folder_appears_when_it_is_complete(tmp_path):
    with folder_atomic(tmp_path / "deep" / "new") as draft:
        (draft / "a").write_text("1")
        assert not (tmp_path / "deep" / "new").exists() and draft.name.startswith(".")
    assert (tmp_path / "deep" / "new" / "a").read_text() == "1"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["new"]


def test_a_failure_leaves_nothing_and_the_older_one_as_it_was(tmp_path):
    old = tmp_path / "x"
    old.mkdir()
    (old / "mark").write_text("old")
    with pytest.raises(RuntimeError), folder_atomic(old, True, ours) as draft:
        (draft / "mark").write_text("new")
        raise RuntimeError
    assert (old / "mark").read_text() == "old" and [p.name for p in tmp_path.iterdir()] == ["x"]
    with folder_atomic(old, True, ours) as draft:
        (draft / "mark").write_text("new")
    assert (old / "mark").read_text() == "new" and [p.name for p in tmp_path.iterdir()] == ["x"]


def test_what_is_there_is_refused(tmp_path):
    theirs, empty, file = tmp_path / "theirs", tmp_path / "empty", tmp_path / "file"
    theirs.mkdir(), empty.mkdir(), file.write_text("")
    (theirs / "thesis.txt").write_text("years")
    (tmp_path / "link").symlink_to(theirs)
    for path, force, words in ((theirs, False, "--force"), (theirs, True, "not written by this"), (file, True, "not a folder"),
                               (tmp_path / "link", True, "not a folder"), (empty, False, "--force")):  # fmt: skip
        with pytest.raises(FileExistsError, match=words):
            refuse_existing(path, force, ours)
        with pytest.raises(FileExistsError, match=words), folder_atomic(path, force, ours):
            raise AssertionError("never begun")
    refuse_existing(empty, True, ours)
    refuse_existing(tmp_path / "new", False, ours)
    assert (theirs / "thesis.txt").exists()


def test_files_can_be_read_by_others(tmp_path):
    with folder_atomic(tmp_path / "x") as draft:
        (draft / "a").write_text("1")
        (draft / "a").chmod(0o600)
        (draft / "b").write_text("1")
        usual = (draft / "b").stat().st_mode
    assert (tmp_path / "x" / "a").stat().st_mode == usual


def test_free_disk_of_a_place_that_is_not_there_yet(tmp_path):
    assert free_disk(tmp_path / "a" / "b") == pytest.approx(free_disk(tmp_path), rel=0.2)
