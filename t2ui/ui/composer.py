"""The question: prompt, picture, examples, settings, and the buttons that ask it. Shared by all tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from t2ui.runs import Question, Run, from_base64
from t2ui.ui import examples
from t2ui.ui.live import chips, markup
from t2ui.ui.parts import notice
from t2ui.ui.pictures import PictureError, check_upload, open_picture, picture_input
from t2ui.ui.text import Text

MAX_PROMPT = 2000  # characters; the model's own limit (in tokens) is checked by the engine


class InputError(ValueError):
    """What a visitor entered cannot be asked; the text says why and what to do."""


@dataclass(frozen=True)
class Composer:
    """The components of the question."""

    prompt: gr.Textbox
    picture: gr.Image
    picture_box: gr.Accordion
    strategy: gr.Dropdown
    soft: gr.Radio
    temperature: gr.Slider
    max_new_tokens: gr.Slider
    seed: gr.Number
    ask: gr.Button
    everybody: gr.Button
    stop: gr.Button
    notice: gr.HTML
    thumbs: gr.HTML
    examples: gr.HTML
    taps: gr.HTML
    length: gr.HTML

    @property
    def inputs(self) -> list[gr.components.Component]:
        """In the order of :func:`read_question`'s arguments."""
        return [self.prompt, self.picture, self.temperature, self.max_new_tokens, self.seed]


def read_question(t: Text, prompt: Any, picture: Any, temperature: Any, max_new_tokens: Any, seed: Any) -> Question:
    """The question behind the components' values.

    Raises:
        InputError: empty or over-long prompt, unusable picture, numbers out of bounds.
    """
    if not isinstance(prompt, str) or not prompt.strip():
        raise InputError(t("question.empty"))
    if len(prompt) > MAX_PROMPT:
        raise InputError(t("question.long", n=len(prompt), limit=MAX_PROMPT))
    try:
        image = open_picture(picture, t)
    except PictureError as error:
        raise InputError(str(error)) from error
    if seed is None or not 0 <= int(seed) < 2**31:
        raise InputError(t("question.seed", limit=2**31 - 1))
    return Question(prompt, image, float(temperature or 0), int(seed), int(max_new_tokens or 96))


def build(t: Text, run: Run | None, seed: int = 0) -> Composer:
    """Lay the question out; a recorded run's prompt and picture stand in it at first."""
    markup(f'<h2 class="t2-h2">{t.html("question.title")}</h2>')
    prompt = gr.Textbox(
        value=run.prompt if run else "",
        label=t("question.label"),
        placeholder=t("question.placeholder"),
        lines=4,
        max_lines=12,
        elem_id="t2-prompt",
        interactive=True,
        show_label=False,
    )
    taps = chips('<div class="t2-taps"></div>', elem_id="t2-taps")
    length = markup('<p class="t2-length">&nbsp;</p>', elem_id="t2-length")
    with gr.Row(elem_id="t2-actions"):
        ask = gr.Button(t("ask.button"), variant="primary", interactive=False, elem_id="t2-ask", min_width=90)
        everybody = gr.Button(t("everybody.button"), interactive=False, elem_id="t2-everybody", min_width=90)
        stop = gr.Button(t("stop.button"), variant="stop", interactive=False, elem_id="t2-stop", min_width=60)
    said = markup(notice(t("status.not_ready"), "info"), elem_id="t2-question-notice")
    strategy = gr.Dropdown(
        [(t("strategy.prompt"), "prompt")],
        value="prompt",
        label=t("strategy.label"),
        info=t("strategy.info"),
        interactive=True,
        filterable=False,
        elem_id="t2-strategy",
    )
    soft = gr.Radio(
        [(t("soft.hard"), False), (t("soft.soft"), True)],
        value=False,
        label=t("soft.label"),
        info=t("soft.info"),
        interactive=True,
        elem_id="t2-soft",
    )
    with gr.Accordion(t("picture.title"), open=bool(run and run.picture), elem_id="t2-picture-box") as box:
        thumbs = chips("", elem_id="t2-thumbs")
        picture = picture_input(
            value=from_base64(run.picture) if run else None,
            label=t("picture.label"),
            height=180,
            interactive=True,
            elem_id="t2-picture",
            buttons=[],
            placeholder=t("picture.placeholder"),
            alt_text=t("picture.alt"),
        )
    with gr.Accordion(t("examples.title"), open=True, elem_id="t2-examples-box"):
        families = chips(examples.waiting_html(t), elem_id="t2-examples")
    with gr.Accordion(t("settings.title"), open=False, elem_id="t2-settings"):
        temperature = gr.Slider(
            0,
            2,
            0,
            step=0.05,
            label=t("settings.temperature"),
            info=t("settings.temperature_info"),
            buttons=["reset"],
            interactive=True,
            elem_id="t2-temperature",
        )
        max_new_tokens = gr.Slider(
            8,
            256,
            96,
            step=8,
            label=t("settings.tokens"),
            buttons=["reset"],
            interactive=True,
            elem_id="t2-max-tokens",
        )
        seed_box = gr.Number(seed, label=t("settings.seed"), precision=0, interactive=True, elem_id="t2-seed")
        reset = gr.Button(t("settings.reset"), size="sm", elem_id="t2-reset")

    def choose(event: gr.EventData):
        data = event._data or {}
        if data.get("random"):
            sample = examples.fresh(str(data.get("family", examples.ANY)))
        else:
            sample = examples.shown(str(data["family"]))[int(data["index"])]
        return sample.prompt, sample.image, gr.skip() if sample.image is None else gr.update(open=True), ""

    def choose_picture(event: gr.EventData):
        return examples.built_in()[int(event._data["picture"])]

    def look(payload):
        why = check_upload(payload, picture.GRADIO_CACHE, t)
        return (None, notice(why, "error")) if why else (gr.skip(), "")

    def first_settings():
        return 0, 96, seed, "prompt", False

    quiet = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    families.pick(choose, None, [prompt, picture, box, said], **quiet)
    # preprocess=False: gradio would open the file itself and end in an internal error where it is broken.
    picture.upload(look, [picture], [picture, said], preprocess=False, **quiet)
    reset.click(first_settings, None, [temperature, max_new_tokens, seed_box, strategy, soft], **quiet)
    thumbs.pick(choose_picture, None, [picture], **quiet)
    return Composer(
        prompt, picture, box, strategy, soft, temperature, max_new_tokens, seed_box, ask, everybody, stop, said, thumbs, families,
        taps, length,
    )


def strategy_choices(strategies: Sequence[str], t: Text) -> list[tuple[str, str]]:
    """(words, value) of the dispatch strategies."""
    return [
        (t("strategy.few-shot", name=s.partition(":")[2]) if s.startswith("few-shot:") else t(f"strategy.{s}"), s)
        for s in strategies
    ]
