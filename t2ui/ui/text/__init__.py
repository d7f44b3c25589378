"""All words on the page, one table per language (``en.py``; others follow the same keys)."""

from __future__ import annotations

import html
from collections.abc import Mapping

from t2ui.ui.text import en

TABLES: Mapping[str, Mapping[str, str]] = {"en": en.TEXT}


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

    def __call__(self, key: str, **slots: object) -> str:
        if key not in self.table:
            raise KeyError(f"no text {key!r} in the {self.language} table")
        return self.table[key].format(**slots) if slots else self.table[key]

    def html(self, key: str, **slots: object) -> str:
        """The text for use inside HTML: table text and slots are both escaped."""
        return html.escape(self(key, **slots))

    def family(self, name: str) -> str:
        """The display name of a task family or expert; its own name where the table has none."""
        return self.table.get(f"family.{name}", name.replace("_", " "))
