"""All words on the page, one table per language (``en.py``; others follow the same keys), and plain words for some of them.

The page speaks two ways: Expert mode uses the field's words, Simple mode those of ``en_simple.py`` where there are any. Both are on
the page, ``static/words.css`` shows one of them: the switch needs no server, and nothing that runs has to be drawn again.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

from t2ui.ui.text import en, en_simple

TABLES: Mapping[str, Mapping[str, str]] = {"en": en.TEXT}
SIMPLE: Mapping[str, Mapping[str, str]] = {"en": en_simple.TEXT}


class Text:
    """Looks words up: ``t("ask.button")``; slots are filled in, ``t.html`` escapes what is filled in.

    Raises:
        KeyError: an unknown language or key, named in the message.
    """

    def __init__(self, language: str = "en") -> None:
        if language not in TABLES:
            raise KeyError(f"no text table for language {language!r}; there are {', '.join(TABLES)}")
        self.language = language
        self.table = TABLES[language]
        self.plain = SIMPLE.get(language, {})

    def __call__(self, key: str, **slots: object) -> str:
        if key not in self.table:
            raise KeyError(f"no text {key!r} in the {self.language} table")
        return self.table[key].format(**slots) if slots else self.table[key]

    def html(self, key: str, **slots: object) -> str:
        """The text for use inside HTML: table text and slots are both escaped."""
        return html.escape(self(key, **slots))

    def simple(self, key: str, **slots: object) -> str:
        """The text in plain words; the usual one where there are none."""
        if key not in self.plain:
            return self(key, **slots)
        return self.plain[key].format(**slots) if slots else self.plain[key]

    def words(self, key: str, **slots: object) -> str:
        """The text as HTML for both modes; inside elements only, an attribute cannot hold two."""
        return both(*(html.escape(text) for text in self.two(key, **slots)))

    def tspans(self, key: str, **slots: object) -> str:
        """The text for both modes inside an SVG ``<text>``."""
        return both(*(html.escape(text) for text in self.two(key, **slots)), tag="tspan")

    def two(self, key: str, **slots: object) -> tuple[str, str]:
        """The text as Expert and as Simple mode say it."""
        return self(key, **slots), self.simple(key, **slots)

    def family(self, name: str) -> str:
        """The display name of a task family or expert; its own name where the table has none."""
        return self.table.get(f"family.{name}", name.replace("_", " "))


def both(expert: str, simple: str, tag: str = "span") -> str:
    """HTML of which Expert mode shows the one and Simple mode the other ("": nothing)."""
    if expert == simple:
        return expert
    return "".join(f'<{tag} class="{css}">{told}</{tag}>' for css, told in (("t2-x", expert), ("t2-s", simple)) if told)
