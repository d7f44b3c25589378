"""Names of the Hub are fetched when they are given, and only then; every failure says what to do."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import httpx
import huggingface_hub
import pytest
from huggingface_hub import errors

from t2ui.engine import ModelError, load
from t2ui.engine.hub import FILES, fetched, fetched_config, is_name


@pytest.fixture
def online(monkeypatch):
    """The Hub's client believes that it may go online; what it would fetch is counted."""
    asked = []
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)

    def answer(reply):
        def download(name, **options):
            asked.append((name, options))
            return reply(options) if callable(reply) else reply

        monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
        return asked

    return answer


def files(*sizes):
    return [SimpleNamespace(file_size=n, will_download=True) for n in sizes]


@pytest.mark.parametrize("path", [Path("a/b"), "/a/b", "./a/b", "../a/b", "~/a/b", "a", "a/b/c", "a/b/", "C:\\a\\b", "", "a b/c", ".a/b"])
def test_paths_are_no_names(path):
    assert not is_name(path)


def test_a_folder_beats_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert is_name("owner/model")
    (tmp_path / "owner").mkdir()
    assert not is_name("owner/model")  # a folder of ours whose model was misspelt
    (tmp_path / "owner" / "model").mkdir()
    assert not is_name("owner/model") and fetched("owner/model") == (Path("owner/model"), "model")


def test_a_name_is_fetched_and_loaded(online, tiny_lm_dir, tmp_path):
    snapshot = tmp_path / "models--owner--tiny" / "snapshots" / "0123abcd"
    shutil.copytree(tiny_lm_dir, snapshot, ignore=shutil.ignore_patterns("source"))
    asked = online(lambda options: files(10, 20) if options.get("dry_run") else str(snapshot))
    reports = []
    loaded = load("owner/tiny", device="cpu", experts_dir=None, progress=reports.append)
    assert loaded.info.name == loaded.adapted.base_id == "tiny" and loaded.info.path == "owner/tiny"
    assert [name for name, _ in asked] == ["owner/tiny"] * 2 and reports[0].text == "fetching owner/tiny from the Hub"
    for _, options in asked:
        assert options["allow_patterns"] == FILES and "consolidated*" in options["ignore_patterns"]
        assert not any(p.endswith((".bin", ".pt", ".pth", ".py", ".pkl")) for p in FILES)


def test_a_plan_fetches_the_configuration_only(online, tiny_lm_dir):
    asked = online(lambda options: files(10) if options.get("dry_run") else str(tiny_lm_dir))
    assert fetched_config("owner/tiny") == (tiny_lm_dir, "tiny")
    assert all("safetensors" not in p for _, options in asked for p in options["allow_patterns"])


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(online):
    asked = online(lambda options: files(10**18))
    with pytest.raises(ModelError, match="1,000,000,000.0 GB to fetch.*HF_HOME"):
        fetched("owner/huge")
    assert [bool(options.get("dry_run")) for _, options in asked] == [True]


def _raise(error):
    def reply(options):
        raise error

    return reply


def _http(kind):
    return kind("no", response=httpx.Response(404, request=httpx.Request("GET", "https://hub")))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (_http(errors.GatedRepoError), "accept a licence.*hf auth login"),
        (_http(errors.RepositoryNotFoundError), "knows no model of that name.*check the spelling"),
        (errors.LocalEntryNotFoundError("no network\nmore"), r"cannot be fetched from the Hub \(no network\).*hf download owner/model --local-dir"),
        (ConnectionError(), "cannot be fetched from the Hub .ConnectionError"),
    ],
)
def test_failures_say_what_to_do(online, error, words):
    online(_raise(error))
    with pytest.raises(ModelError, match=words):
        fetched("owner/model")


def test_offline_says_how_to_download(no_network):
    """The real client, as the tests run it: offline."""
    assert huggingface_hub.constants.HF_HUB_OFFLINE
    with pytest.raises(ModelError, match="no folder 'owner/no-such-model'.*hf download owner/no-such-model --local-dir FOLDER"):
        load("owner/no-such-model", device="cpu", experts_dir=None)


def test_a_path_never_asks_the_hub(monkeypatch, tiny_lm_dir, no_network, tmp_path):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: pytest.fail("the Hub was asked"))
    load(str(tiny_lm_dir), device="cpu", experts_dir=None)
    with pytest.raises(ModelError, match="no model folder"):
        load(str(tmp_path / "owner" / "model"), device="cpu", experts_dir=None)
