"""Every word on the page is in the table, and nothing in the table is unused."""

import re
from pathlib import Path

import pytest

from t2ui.ui.text import TABLES, Text

UI = Path(__file__).parents[2] / "t2ui" / "ui"
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(UI.rglob("*.py")) if path.parent.name != "text")
# Keys that are put together in code: their prefix.
COMPOSED = ("family.", "row.", "map.", "share.", "examples.", "strategy.", "search.cell_", "search.preset_", "spectra.",
            "next_step.", "measured.way.", "view.", "take.", "depth.", "chart.", "component.")


def used() -> set[str]:
    return set(re.findall(r"""\bt(?:\.html)?\(\s*["']([a-z_]+\.[a-z_]+)["']""", SOURCE))


def test_every_key_in_the_code_is_in_every_table():
    assert len(used()) > 50
    for language, table in TABLES.items():
        assert used() <= set(table), (language, used() - set(table))


def test_no_text_is_left_over():
    rest = {key for key in TABLES["en"] if key not in used() and not key.startswith(COMPOSED)}
    quoted = {key for key in rest if f'"{key}"' in SOURCE}
    assert rest == quoted, rest - quoted


def test_slots_are_filled_and_escaped():
    t = Text()
    assert "<b>" in t("run.error", why="<b>")
    assert t.html("run.error", why="<b>") == "&lt;b&gt;"
    assert t.family("vision_math") == "vision + math"
    assert t.family("my_expert") == "my expert"


def test_unknown_language_and_key_are_named():
    with pytest.raises(KeyError, match="xx"):
        Text("xx")
    with pytest.raises(KeyError, match="no.such"):
        Text()("no.such")
