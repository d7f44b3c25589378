"""Every word on the page is in the table, and nothing in the table is unused."""

import re
from pathlib import Path

import pytest

from t2ui.ui.text import SIMPLE, TABLES, Text, both

UI = Path(__file__).parents[2] / "t2ui" / "ui"
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(UI.rglob("*.py")) if path.parent.name != "text")
# Keys that are put together in code: their prefix.
COMPOSED = ("family.", "row.", "map.", "share.", "examples.", "strategy.", "search.cell_", "search.preset_", "search.chosen_",
            "search.objective_", "search.key_", "search.doing_", "search.judged_", "search.table_", "spectra.", "next_step.", "measured.way.", "view.", "take.", "depth.", "story.", "present.", "report.",
            "talk.memory_", "talk.retry", "talk.edit", "words.", "guide.", "keys.", "chart.", "component.", "traffic.", "experts.", "models.")  # fmt: skip
FORBIDDEN = re.compile(r"alpha|α|\bSVF\b|\bCEM\b|dispatch|cross-entropy|likelihood|log-prob|elite|population|candidate", re.IGNORECASE)


def used() -> set[str]:
    return set(re.findall(r"""\b(?:t(?:\.html|\.words|\.two|\.tspans)?|say)\(\s*["']([a-z_]+\.[a-z_]+)["']""", SOURCE))


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


@pytest.mark.parametrize("language", SIMPLE)
def test_plain_words_stand_in_for_usual_ones_and_need_no_other_slots(language):
    for key, text in SIMPLE[language].items():
        slots = set(re.findall(r"{(\w+)", TABLES[language][key]))
        assert set(re.findall(r"{(\w+)", text)) <= slots or key == "overrule.why", key  # that one is told in other words
        assert not FORBIDDEN.search(text), key


def test_both_ways_of_speaking_are_on_the_page():
    t = Text()
    assert t.words("preset.dispatch") == '<span class="t2-x">Dispatch&#x27;s choice</span><span class="t2-s">Let it choose</span>'
    assert t.words("ask.button") == "Ask" and t.simple("ask.button") == "Ask"  # the same in both
    assert t.words("run.outside_why", why="<b>").count("&lt;b&gt;") == 1 and "<b>" not in t.words("run.outside_why", why="<b>")
    assert t.tspans("search.cloud").startswith("<tspan") and t.two("row.base") == ("Base", "Without a skill")
    assert both("a", "") == '<span class="t2-x">a</span>'
