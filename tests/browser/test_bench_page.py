"""``bench page`` measures what it says, on the tiny model; no timing is asserted."""

from t2ui.bench import page as bench
from t2ui.bench import tables


def test_every_figure_is_measured_and_told(browser, url, monkeypatch):
    for name, value in (("MOVES", 3), ("OUTAGE", 1.0)):
        monkeypatch.setattr(bench, name, value)
    # The tiny model cannot be searched on the tasks that the page offers first.
    monkeypatch.setattr(bench, "_search", lambda p: {"updates": [2.0], "task": [0.1]})
    stopped = []
    found = bench.page(browser, url, stopped.append, repeats=1)
    assert {name: v for name, v in found["values"].items() if name != bench.NAMES["stop"]}.keys() == set(bench.LIMITS) - {bench.NAMES["stop"]}
    assert stopped == [True, False]
    assert len(found["runs"][bench.NAMES["move"]]) == 3 and found["values"][bench.NAMES["asked"]] == 0
    assert found["values"][bench.NAMES["outage"]] == 1
    made = {"made_by": {"cpus": 2, "machine": "x", "torch": "y"}}
    text = tables.markdown({"page": {**found, **made}})
    assert all(f"`page`: {name}" in text for name in found["values"]) and "| yes |" in text
