"""A visitor's own examples on the Search tab: a table to edit, filled by hand, from a task, a file or pasted text."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from t2ui.ui import parts, search_live, search_view
from t2ui.ui.live import markup, sent
from t2ui.ui.text import Text

if TYPE_CHECKING:
    from t2ui.example_table import Judged, Row

THUMB = 72  # pixels of a row's picture
MOST, LONGEST = 256, 2000  # rows, and characters of a cell: as in t2ui.shots and t2ui.example_table, which come with the tasks, later
_FILES = [".jsonl", ".json", ".csv", ".tsv", ".txt"]


@dataclass(frozen=True)
class Own:
    take: gr.Button
    table: gr.HTML
    told: gr.HTML
    upload: gr.UploadButton
    text: gr.Textbox
    add: gr.Button
    notice: gr.HTML


def build(t: Text) -> Own:
    """Seen only by those who choose to search with examples of their own (``static/search.css``)."""
    with gr.Column(elem_id="t2-search-own-box", min_width=0):
        take_them = gr.Button(t("search.take"), size="sm", elem_id="t2-search-take")
        table = search_live.table(t, MOST, LONGEST, elem_id="t2-search-table")
        told = markup("", elem_id="t2-search-told")
        upload = gr.UploadButton(t("search.upload"), file_types=_FILES, elem_id="t2-search-upload", size="sm")
        notice = markup("", elem_id="t2-search-own-notice")
        with gr.Accordion(t("search.as_text"), open=False, elem_id="t2-search-text"):
            text = gr.Textbox("", label=t("search.own_label"), placeholder=t("search.own_placeholder"), lines=4, max_lines=12,
                              interactive=True, elem_id="t2-search-own")  # fmt: skip
            add = gr.Button(t("search.text_add"), size="sm", elem_id="t2-search-text-add")
    return Own(take_them, table, told, upload, text, add, notice)


def as_value(rows: Sequence[Row], t: Text) -> str:
    """The table's value: its rows, and what those that were taken from a task looked like there."""
    from t2ui.example_table import origin

    taken = {row.key: found for row in rows if (found := origin(row.key)) is not None}
    came = {key: [f.row.prompt, f.row.answer, t.family(f.task), _thumb(f.shot.image)] for key, f in taken.items()}
    return sent({"rows": [[row.prompt, row.answer, row.key] for row in rows], "from": came})


def _thumb(image: Any) -> str:
    """A small picture as a data address; "" for none."""
    if image is None:
        return ""
    small, out = image.copy(), io.BytesIO()
    small.thumbnail((THUMB, THUMB))
    small.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def told_html(judged: Judged, t: Text) -> str:
    """Which rows are judged how, and which are left out."""
    pairs = sorted(zip(judged.how, judged.numbers, judged.shots, strict=True), key=lambda part: part[0])
    lines = []
    for how, group in groupby(pairs, key=lambda part: part[0]):
        members = list(group)
        kind, _, name = how.partition(":")
        pictured = kind == "task" and any(shot.image is not None for _, _, shot in members)
        rows = spans([n for _, n, _ in members])
        slots = {"rows": t("search.row_one" if rows.isdigit() else "search.row_many", rows=rows), "name": t.family(name) if name else ""}
        lines.append((min(n for _, n, _ in members), t.words(f"search.judged_{kind}{'_picture' if pictured else ''}", **slots)))
    said = "".join(f"<li>{line}</li>" for _, line in sorted(lines))
    left = search_view.broken([(t("search.row", n=n), why) for n, why in judged.left], t)
    return (f'<ul class="t2-judged t2-faint">{said}</ul>' if said else "") + left


def spans(numbers: Sequence[int]) -> str:
    """``[1, 2, 3, 7]`` as ``1–3, 7``."""
    out: list[list[int]] = []
    for n in sorted(numbers):
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in out)


def wire(own: Own, task: gr.Dropdown, shots: gr.Slider, seed: gr.Number, t: Text) -> None:
    """Everything that fills the table; what is in it stays unless it can be replaced."""
    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

    def telling(fill: Any) -> Any:
        """A handler that fills the table: [table, notice]; what goes wrong is said, and the table stays as it was."""

        def handler(*values: Any) -> list[Any]:
            try:
                rows, said = fill(*values)
            except ValueError as error:
                return [gr.skip(), parts.notice(str(error), "error")]
            return [gr.skip() if rows is None else as_value(rows, t), said]

        return handler

    def taken(value: Any, name: Any, k: Any, number: Any) -> tuple[list[Row], str]:
        from t2ui.example_table import read, replaced, take

        if number is None or not 0 <= int(number) < 2**31:
            raise ValueError(t("question.seed", limit=2**31 - 1))
        return replaced(read(value), take(str(name), int(k or 8), int(number))), ""

    def from_text(value: Any, text: str, name: str = "") -> tuple[list[Row] | None, str]:
        from t2ui.example_table import added, read, rows_of
        from t2ui.shots import parse

        found = parse(text, name)
        old = [row for row in read(value) if not row.blank]
        rows = added(old, rows_of(found.examples))
        said = parts.notice(t("search.added", n=len(rows) - len(old), again=len(found.examples) - len(rows) + len(old))
                            if found.examples else "")  # fmt: skip
        broken = search_view.broken([(t("search.line", n=n), why) for n, why in found.broken], t)
        return (rows if len(rows) > len(old) else None), said + broken

    def from_file(value: Any, path: Any) -> tuple[list[Row] | None, str]:
        from t2ui.shots import MAX_BYTES

        file = Path(str(path))
        try:
            if file.stat().st_size > MAX_BYTES:
                raise ValueError(t("search.too_big", limit=MAX_BYTES // 1_000_000))
            return from_text(value, file.read_bytes().decode("utf-8-sig"), file.name)
        except UnicodeDecodeError as error:
            raise ValueError(t("search.no_text")) from error
        except OSError as error:
            raise ValueError(t("search.unreadable")) from error

    def typed(value: Any, text: Any) -> list[Any]:
        """As the others; the text goes once all of it is in the table."""
        from t2ui.shots import parse

        try:
            rows, said = from_text(value, str(text or ""))
        except ValueError as error:
            return [gr.skip(), parts.notice(str(error), "error"), gr.skip()]
        whole = not parse(str(text)).broken
        return [gr.skip() if rows is None else as_value(rows, t), said, "" if whole else gr.skip()]

    def pasted(value: Any, event: gr.EventData) -> list[Any]:
        return telling(from_text)(value, str((event._data or {}).get("text") or ""))

    def judged(value: Any) -> str:
        from t2ui.example_table import judge, read

        try:
            return told_html(judge(read(value)), t)
        except ValueError as error:
            return parts.notice(str(error), "error")

    out = [own.table, own.notice]
    own.take.click(telling(taken), [own.table, task, shots, seed], out, **quiet)
    own.upload.upload(telling(from_file), [own.table, own.upload], out, **quiet)
    own.add.click(typed, [own.table, own.text], [*out, own.text], **quiet)
    own.table.pasted(pasted, [own.table], out, **quiet)
    own.table.edited(judged, [own.table], [own.told], trigger_mode="always_last", **quiet)
