"""A run file holds everything and is read with distrust."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from t2ui import recorded, runfile
from t2ui.runfile import RunFile, RunFileError, Setup, pack_picture, read

ROOT = Path(__file__).parents[1]
RUN = recorded.load(ROOT / "assets" / "recorded" / "run.json").run
PICTURE = pack_picture(Image.new("RGB", (48, 48), "red"))[0]
FILE = RunFile(Setup("How many?", "few-shot:both", True, 0.5, 32, 7, {"math": 0.6, "code": -0.5}, {"math": (1.0, 0.5, 0.0)}, PICTURE, "3", True,
                     "mix"), RUN, {"model": "demo-model", "date": "2026-01-01"})  # fmt: skip


def test_what_is_written_is_read_again():
    assert read(FILE.dump()) == FILE
    assert read(replace(FILE, run=None).dump()).run is None


def changed(**places):
    """The file with some values replaced: ``setup__seed=...``."""
    data = FILE.to_json()
    data = json.loads(json.dumps(data))
    for place, value in places.items():
        *path, last = place.split("__")
        here = data
        for key in path:
            here = here[int(key) if key.isdigit() else key]
        here[int(last) if last.isdigit() else last] = value
    return json.dumps(data).encode()


@pytest.mark.parametrize(("data", "words"), [
    (b"", "no JSON"), (b"\xff\xfe\x00", "no JSON"), (b"[" * 100_000, "no JSON"), (b"[]", "not a run of this page"),
    (b'{"kind": "t2ui run", "format": 2}', "format"), (b'{"kind": "t2ui run", "format": 1}', "setup must be an object"),
    (changed(setup__seed=-1), "setup.seed"), (changed(setup__seed=1.5), "setup.seed"), (changed(setup__seed=True), "setup.seed"),
    (changed(setup__temperature=1e300), "setup.temperature"), (changed(setup__prompt=3), "setup.prompt"),
    (changed(setup__prompt="x" * 20_001), "setup.prompt"), (changed(setup__alphas__math=3), "setup.alphas"),
    (changed(setup__alphas={"x" * 101: 1}), "name"), (changed(setup__depth__math=[1, 2, 0]), "setup.depth"),
    (changed(setup__depth__math=[1, 1]), "three numbers"), (changed(setup__tab="admin"), "setup.tab"),
    (changed(setup__unknown=1), "does not know"), (changed(run__stage="pass1"), "over"), (changed(run__kind="x"), "kind"),
    (changed(run__rows__0__text=["a"]), "run.rows[0].text"), (changed(run__rows__0__seconds={"total": "x"}), "seconds"),
    (changed(run__rows__0__reason="<b>"), "reason"), (changed(run__rows__0__ids=["a"]), "ids"), (changed(run__rows__0={}), "not complete"),
    (changed(run__picture="AAAA"), "run.picture"), (changed(run__first_pass__scores=[1]), "scores"), (changed(about=[1]), "about"),
])  # fmt: skip
def test_anything_else_is_refused_with_the_place(data, words):
    with pytest.raises(RunFileError, match=words.replace("[", r"\[").replace("]", r"\]")) as told:
        read(data)
    assert len(str(told.value)) < 200 and str(told.value).isprintable()


def test_no_number_that_is_none():
    with pytest.raises(RunFileError, match="no JSON"):
        read(FILE.dump().replace(b'"seed": 7', b'"seed": NaN'))
    with pytest.raises(RunFileError, match="temperature"):
        read(FILE.dump().replace(b'"temperature": 0.5', b'"temperature": 1e999'))


def test_a_file_that_is_too_large_is_not_even_parsed():
    with pytest.raises(RunFileError, match="MB"):
        read(b" " * (runfile.MAX_BYTES + 1))


def test_a_picture_is_kept_exactly_while_it_is_small(monkeypatch):
    import numpy as np

    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8))
    assert pack_picture(None) == (None, True) and pack_picture(noise)[1]
    monkeypatch.setattr(runfile, "PNG_BYTES", 1000)
    data, exact = pack_picture(noise)
    assert not exact and data.startswith("data:image/jpeg;base64,")
