"""Runs as files: save the page's state with what was answered, save a report of it, open a saved run."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from t2ui import builtin, cells, runfile, takeaway
from t2ui.recorded import Recording
from t2ui.runs import Question, Run, from_base64
from t2ui.ui import depth, parts, report
from t2ui.ui.backend import Backend
from t2ui.ui.composer import MAX_PROMPT, Composer
from t2ui.ui.events import explain, session_of
from t2ui.ui.live import markup
from t2ui.ui.pictures import PictureError, from_data, open_picture
from t2ui.ui.session import Sessions
from t2ui.ui.tabs import ask, mix
from t2ui.ui.tabs.take import QUIET, told_by_browser
from t2ui.ui.text import Text


@dataclass(frozen=True)
class KeepBox:
    save: gr.Button
    report: gr.Button
    open: gr.UploadButton
    where: gr.Textbox
    said: gr.HTML


def build(t: Text) -> KeepBox:
    with gr.Accordion(t("keep.title"), open=False, elem_id="t2-keep"):
        with gr.Row(elem_id="t2-keep-buttons"):
            save = gr.Button(t("keep.save"), size="sm", min_width=80, elem_id="t2-keep-save")
            page = gr.Button(t("keep.report"), size="sm", min_width=80, elem_id="t2-keep-report")
            opened = gr.UploadButton(t("keep.open"), file_types=[".json"], size="sm", elem_id="t2-keep-open")
        where = gr.Textbox("", visible=False)
        said = markup(f'<p class="t2-faint">{t.html("keep.words")}</p>', elem_id="t2-kept")
    return KeepBox(save, page, opened, where, said)


def setup_of(values: Sequence[Any], told: dict[str, str], names: Sequence[str], t: Text) -> runfile.Setup:
    """What stands on the page.

    Args:
        values: prompt, strategy, soft, temperature, tokens, seed, picture, alphas, the depth profile's state.
        told: what only the browser knows (``take.told_by_browser``).

    Raises:
        ValueError: a picture or a depth profile that cannot be read.
    """
    prompt, strategy, soft, temperature, tokens, seed, image, *alphas = values
    shape = str(alphas.pop() or "") if alphas and isinstance(alphas[-1], str) else ""
    picture = open_picture(image, t)
    data, exact = runfile.pack_picture(picture)
    name = told["picture"] if picture is not None and _built_in(told["picture"]) is not None else None
    return runfile.Setup(
        str(prompt or ""), str(strategy or "prompt"), bool(soft), float(temperature or 0), int(tokens or 96), int(seed or 0),
        {name: float(a or 0) for name, a in zip(names, alphas, strict=False)}, depth.read(shape, names), data, name, exact,
        told["tab"] if told["tab"] in runfile.TABS else "ask",
    )  # fmt: skip


def asked(setup: runfile.Setup, run: Run, question: Question) -> runfile.Setup:
    """The setup as it was when the run was asked."""
    same = setup.prompt == question.prompt
    data, exact = runfile.pack_picture(question.image)
    return replace(setup, prompt=question.prompt, soft=run.soft, temperature=question.temperature, seed=question.seed,
                   max_new_tokens=question.max_new_tokens, picture=data, picture_exact=exact,
                   strategy=run.first_pass.strategy if run.first_pass else setup.strategy,
                   picture_name=setup.picture_name if same and data == setup.picture else None)  # fmt: skip


def texts_of(setup: runfile.Setup, run: Run, backend: Backend) -> tuple[str, str]:
    """The Python script and the command that make a run's numbers."""
    row = run.row("overrule") or (run.row("mix") if run.kind == "mix" else None)
    chosen = row.mix if row is not None else f"auto:{setup.strategy}"
    info, options = backend.info, backend.options
    picture = (setup.picture_name or takeaway.OWN) if setup.picture else None
    made = takeaway.Setup(
        setup.prompt, chosen, setup.soft, picture, setup.temperature, setup.seed, setup.max_new_tokens,
        takeaway.folder(info.path if info else options.model, "assets/demo-model"), takeaway.folder(options.experts, "experts"),
        info.device if info else "cpu", info.dtype if info else "float32",
    )  # fmt: skip
    return takeaway.python(made), takeaway.command(made)


def offer(name: str, kind: str, data: bytes, notes: Sequence[str], t: Text) -> str:
    """A link that holds the file (``link.js`` clicks it once) and what has to be said about it."""
    size = f"{len(data) / 1e6:.1f} MB" if len(data) >= 100_000 else f"{max(1, len(data) // 1000)} kB"
    href = f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
    words = " ".join(escape(note) for note in notes if note)
    return (f'<p class="t2-faint" role="status"><a class="t2-link" data-t2-save="new" download="{escape(name, quote=True)}" '
            f'href="{href}">{t.html("keep.saved", name=name, size=size)}</a> {words}</p>')  # fmt: skip


def _built_in(name: str) -> Any:
    try:
        return builtin.picture(name) if name else None
    except ValueError:
        return None


def wire(box: KeepBox, q: Composer, notice: gr.HTML, ask_tab: ask.AskTab, mix_tab: mix.MixTab, tabs: gr.Tabs, backend: Backend,
         sessions: Sessions, recording: Recording | None, t: Text) -> None:  # fmt: skip
    """Connect the three buttons; ``notice`` is where the page says what was left out of a file."""
    values = [q.prompt, q.strategy, q.soft, q.temperature, q.max_new_tokens, q.seed, q.picture, *mix_tab.state]

    def shown(session: str, tab: str) -> tuple[Run, Question, dict[str, str]] | None:
        """The run to be saved, its question, and how it was made; the recorded one where nothing was asked yet."""
        found = sessions.shown(session, "mix" if tab in ("mix", "spectra") else "ask")
        if found is not None:
            return *found, runfile.about(backend.info, backend.names)
        if recording is None:
            return None
        run, made = recording.run, recording.about
        about = {key: str(made[key]) for key in ("date", "model", "device", "dtype") if key in made}
        return run, Question(run.prompt, from_base64(run.picture), **recording.settings), {
            **about, "experts": ", ".join(run.names), "recorded": str(made.get("question", ""))}  # fmt: skip

    def saver(kind: str):
        async def save(request: gr.Request, where: str, *given: Any) -> str:
            try:
                told = told_by_browser(where)
                setup = await asyncio.to_thread(setup_of, given, told, backend.names, t)
                found = shown(session_of(request), told["tab"])
                if found is None and kind == "report":
                    return parts.notice(t("keep.nothing"), "error")
                run, question, about = found or (None, None, runfile.about(backend.info, backend.names))
                notes = [t("keep.jpeg") if not setup.picture_exact else ""]
                if run is None:
                    notes.append(t("keep.without_run"))
                elif about.get("recorded"):
                    notes.append(t("keep.recorded"))
                elif kind == "run":
                    notes.append(t("keep.with_run") if question.prompt == setup.prompt else t("keep.other_prompt"))
                if kind == "report":
                    setup = await asyncio.to_thread(asked, setup, run, question)
                file = runfile.RunFile(setup, run, about)
                data = file.dump()
                runfile.read(data)  # what this page saves, it can open
                if kind == "run":
                    return offer("t2ui-run.json", "application/json", data, notes, t)
                ready = backend.state == "ready"
                factors = await backend.engine.run(cells.factors_of) if ready else []
                matrices = backend.cells if ready else recording.cells if recording else []
                python, command = texts_of(setup, run, backend)
                made = await asyncio.to_thread(
                    report.build, file, t, cells=matrices, factors=factors, names=backend.names if ready else run.names,
                    python=python, command=command, n_layers=backend.n_layers)  # fmt: skip
                return offer("t2ui-report.html", "text/html", made.encode(), notes, t)
            except ValueError as error:
                return parts.notice(str(error), "error")
            except Exception as error:
                return parts.notice(explain(error, t), "error")

        return save

    tell = "(where, ...rest) => [window.t2ui.where(), ...rest]"
    live = {**QUIET, "queue": True, "concurrency_limit": None}
    for button, kind in ((box.save, "run"), (box.report, "report")):
        button.click(saver(kind), [box.where, *values], box.said, js=tell, **live).then(
            None, None, None, js="() => { setTimeout(window.t2ui.saveFile, 50); }", **QUIET
        )

    outputs = [box.said, q.prompt, q.strategy, q.soft, q.temperature, q.max_new_tokens, q.seed, q.picture, q.picture_box, tabs,
               notice, *mix_tab.mixer, *ask_tab.outputs, mix_tab.answers, mix_tab.notice]  # fmt: skip

    async def run_opened(request: gr.Request, path: Any) -> list[Any]:
        name = Path(str(path)).name
        try:
            data = await asyncio.to_thread(Path(str(path)).read_bytes)
            file = runfile.read(data)
            if len(file.setup.prompt) > MAX_PROMPT:
                raise runfile.RunFileError(t("keep.long", n=len(file.setup.prompt), limit=MAX_PROMPT))
            image = await asyncio.to_thread(_picture, file.setup, t)
            return _put(file, image, session_of(request), name)
        except (OSError, ValueError) as error:
            why = str(error).rstrip(".")
            return [parts.notice(t("keep.refused", name=name, why=why), "error"), *[gr.skip()] * (len(outputs) - 1)]
        except Exception as error:
            return [parts.notice(explain(error, t), "error"), *[gr.skip()] * (len(outputs) - 1)]

    def _put(file: runfile.RunFile, image: Any, session: str, name: str) -> list[Any]:
        s, names, notes = file.setup, backend.names, []
        notes += [t("keep.no_expert", name=each) for each in s.alphas if each not in names and s.alphas[each]]
        strategy = s.strategy if s.strategy in backend.strategies or backend.state != "ready" else None
        if strategy is None:
            notes.append(t("keep.no_strategy", name=s.strategy))
        here, there = backend.info.name if backend.info else "", file.about.get("model", "")
        if here and there and here != there:
            notes.append(t("keep.other_model", model=there, here=here))
        rows = [list(s.depth.get(each, (1.0,) * len(depth.POINTS))) for each in names]
        profile = json.dumps(rows) if any(each in names for each in s.depth) else ""
        mixer = mix_tab.loaded([s.alphas.get(each, 0.0) for each in names], profile)
        ask_part: list[Any] = [gr.skip()] * len(ask_tab.outputs)
        mix_part: list[Any] = [gr.skip(), gr.skip()]
        badge = _badge(file.about, t)
        if file.run is not None and file.run.kind == "mix":
            keys = ("pin", "mix") if file.run.row("pin") else ("base", "mix")
            mix_part = [parts.answers(file.run, keys, t), badge]
            sessions.show(session, "mix", file.run, Question(s.prompt, image, s.temperature, s.seed, s.max_new_tokens))
        elif file.run is not None:
            drawn = ask.draw(file.run, t)
            ask_part = [badge, *["" if piece is None else piece for piece in drawn[1:]]]
            asked_then = Question(file.run.prompt, image, s.temperature, s.seed, s.max_new_tokens)
            sessions.remember(session, file.run, asked_then)
        said = t("keep.opened", name=name) + (" " + t("keep.empty") if file.run is None else "")
        named = s.picture_name if image is not None and s.picture_name else ""
        mark = f'<span hidden data-t2-picture="{escape(named, quote=True)}"></span>'
        return [
            parts.notice(said) + mark, s.prompt, gr.skip() if strategy is None else strategy, s.soft, s.temperature,
            s.max_new_tokens, s.seed, image, gr.update(open=True) if image is not None else gr.skip(), gr.Tabs(selected=s.tab),
            parts.notice(" ".join(notes), "warn"), *mixer, *ask_part, *mix_part,
        ]  # fmt: skip

    box.open.upload(run_opened, [box.open], outputs, **live).then(
        None, None, None, js="() => { setTimeout(window.t2ui.fileOpened, 50); }", **QUIET
    )


def _picture(setup: runfile.Setup, t: Text) -> Any:
    """The picture of a setup, or None.

    Raises:
        PictureError: it cannot be read.
    """
    if not setup.picture:
        return None
    known = _built_in(setup.picture_name or "")
    try:
        return known if known is not None else from_data(setup.picture, t)
    except PictureError as error:
        raise runfile.RunFileError(str(error)) from error


def _badge(about: dict[str, str], t: Text) -> str:
    """Says that answers come from a file: when they were made, and by which model."""
    words = t.html("keep.made", model=about.get("model", "?")[:80], date=about.get("date", "?")[:40])
    return f'<div class="t2-recorded" role="note"><span class="t2-chip">{t.html("keep.badge")}</span> <span>{words}</span></div>'
