"""The report is one file, below its size, with nothing in it that could be fetched or run by somebody else."""

import re
from pathlib import Path

import pytest

from t2ui import cells, recorded, runfile
from t2ui.ui import report
from t2ui.ui.text import Text

T = Text()
RECORDING = recorded.load(Path(__file__).parents[2] / "assets" / "recorded" / "run.json")
FILE = runfile.RunFile(runfile.Setup(RECORDING.run.prompt), RECORDING.run, {"model": "demo-model", "date": "x"})


def factors(r, matrices):
    return [{"layer": i, "module": "q", "path": f"layers.{i}.q", "shape": [r, r], "step": 1, "sigma": [1.234567] * r,
             "z": [[0.987654] * r] * 4} for i in range(matrices)]  # fmt: skip


def test_it_holds_what_it_shows_and_asks_for_nothing():
    made = report.build(FILE, T, cells=RECORDING.cells, factors=factors(8, 3), names=RECORDING.run.names, python="import t2ui",
                        command="python -m t2ui ask")  # fmt: skip
    assert RECORDING.run.prompt in made and "import t2ui" in made and len(made) < 1_000_000
    head = made.split("<body>")[0]
    assert "default-src 'none'" in head and "sha256-" in head
    assert not re.findall(r"""(?:src|href)=["'](?!data:)|url\((?!#)|@import|<link""", re.sub(r'<script type="application/json".*?</script>', "", made))


def test_a_large_models_spectra_are_thinned_until_the_file_fits():
    made = report.build(FILE, T, cells=RECORDING.cells, factors=factors(4096, 60), names=RECORDING.run.names)
    assert len(made.encode()) <= report.MAX_BYTES and '"step":' in made and '"step":1,' not in made


def test_without_a_run_there_is_nothing_to_report():
    with pytest.raises(ValueError, match="ask a question first"):
        report.build(runfile.RunFile(runfile.Setup("x")), T)


def test_factors_are_the_models_own(tiny_llava):
    found = cells.factors_of(tiny_llava)
    assert len(found) == len(tiny_llava.adapted.paths)
    path = tiny_llava.adapted.paths[0]
    assert found[0]["path"] == path and found[0]["sigma"] == pytest.approx(tiny_llava.adapted.modules[path].sigma.tolist(), rel=1e-4)
    assert len(found[0]["z"]) == len(cells.expert_names(tiny_llava)) and found[0]["step"] == 1
    thin = cells.factors_of(tiny_llava, most=400)
    assert thin[0]["step"] > 1 and sum(len(f["sigma"]) * (1 + len(f["z"])) for f in thin) < 1000
