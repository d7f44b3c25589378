"""Colours and the gradio theme: one palette, light and dark, system fonts only (nothing is fetched)."""

from __future__ import annotations

import gradio as gr

# name -> (light, dark). The CSS sees them as --t2-<name>; the gradio theme below is built from the same values.
PALETTE: dict[str, tuple[str, str]] = {
    "paper": ("#f6f5f1", "#13161b"),
    "card": ("#ffffff", "#1b1f26"),
    "sunk": ("#f0eeea", "#15181e"),
    "line": ("#e2dfd8", "#2c323c"),
    "line-strong": ("#c9c5bc", "#414957"),
    "ink": ("#1d2430", "#e7eaf0"),
    "soft": ("#566070", "#a3adbb"),
    "accent": ("#22577a", "#7db8de"),
    "accent-hover": ("#1a4560", "#9bcbea"),
    "accent-ink": ("#ffffff", "#0f1a22"),
    "accent-soft": ("#e4eef4", "#1e2f3b"),
    "right": ("#1f7a4d", "#5cc492"),
    "right-soft": ("#e3f3ea", "#1a3028"),
    "wrong": ("#b3372f", "#f08a80"),
    "wrong-soft": ("#fbe9e7", "#3a2221"),
    "warn": ("#8a5a00", "#e5b964"),
    "warn-soft": ("#fdf3dc", "#352b18"),
}

# Told apart with every common kind of colour blindness (after Okabe and Ito); a name always stands beside.
EXPERT_COLOURS = (
    "#2f7fc1",
    "#d9822b",
    "#1f9e89",
    "#a65fb0",
    "#c9a227",
    "#c4557a",
    "#5b8c3a",
    "#4b6bd1",
    "#a4582a",
    "#3aa0c9",
    "#8a7bd8",
    "#7d8590",
)
OTHER_COLOUR = "#8b93a1"
_FIXED = ("math", "code", "reasoning", "vision")  # the shipped experts have the same colours in every registry
_ICONS = {"math": "∑", "code": "</>", "reasoning": "⇄", "vision": "◉"}

SANS = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Helvetica Neue",
    "Noto Sans",
    "Noto Sans CJK SC",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "DejaVu Sans Mono", "monospace")


def colour(name: str, names: list[str] | tuple[str, ...]) -> str:
    """The colour of one expert among the registry's: the same everywhere on the page."""
    if name in _FIXED:
        return EXPERT_COLOURS[_FIXED.index(name)]
    others = [n for n in names if n not in _FIXED]
    if name not in others:
        return OTHER_COLOUR
    free = EXPERT_COLOURS[len(_FIXED) :]
    return free[others.index(name) % len(free)]


def icon(name: str) -> str:
    """A sign that goes with an expert's name: colour is never the only difference."""
    return _ICONS.get(name, "•")


def css_variables() -> str:
    """The palette as custom properties, for light and dark."""
    light = "".join(f"--t2-{name}:{pair[0]};" for name, pair in PALETTE.items())
    dark = "".join(f"--t2-{name}:{pair[1]};" for name, pair in PALETTE.items())
    return f":root{{{light}color-scheme:light}}\n.dark{{{dark}color-scheme:dark}}\n"


def theme() -> gr.themes.Base:
    """The gradio theme of the page."""
    base = gr.themes.Base(
        font=[gr.themes.Font(name) for name in SANS],
        font_mono=[gr.themes.Font(name) for name in MONO],
        radius_size=gr.themes.sizes.radius_md,
        text_size=gr.themes.sizes.text_md,
        spacing_size=gr.themes.sizes.spacing_md,
    )

    def both(**values: str) -> dict[str, str]:
        return {
            key + tail: PALETTE[name][dark] for key, name in values.items() for dark, tail in enumerate(("", "_dark"))
        }

    return base.set(
        **both(
            body_background_fill="paper",
            body_text_color="ink",
            body_text_color_subdued="soft",
            background_fill_primary="card",
            background_fill_secondary="sunk",
            border_color_primary="line",
            border_color_accent="accent",
            border_color_accent_subdued="line",
            color_accent_soft="accent-soft",
            link_text_color="accent",
            link_text_color_hover="accent-hover",
            link_text_color_visited="accent",
            link_text_color_active="accent-hover",
            block_background_fill="card",
            block_border_color="line",
            block_label_text_color="soft",
            block_label_background_fill="card",
            block_label_border_color="line",
            block_title_text_color="ink",
            block_info_text_color="soft",
            panel_background_fill="card",
            panel_border_color="line",
            input_background_fill="card",
            input_background_fill_focus="card",
            input_border_color="line-strong",
            input_border_color_focus="accent",
            input_placeholder_color="soft",
            checkbox_background_color="card",
            checkbox_border_color="line-strong",
            checkbox_background_color_selected="accent",
            checkbox_border_color_selected="accent",
            checkbox_label_background_fill="card",
            checkbox_label_background_fill_hover="sunk",
            checkbox_label_background_fill_selected="accent-soft",
            checkbox_label_border_color="line-strong",
            checkbox_label_border_color_selected="accent",
            checkbox_label_text_color="ink",
            checkbox_label_text_color_selected="ink",
            checkbox_border_color_focus="accent",
            checkbox_background_color_focus="card",
            slider_color="accent",
            accordion_text_color="ink",
            button_primary_background_fill="accent",
            button_primary_background_fill_hover="accent-hover",
            button_primary_text_color="accent-ink",
            button_primary_text_color_hover="accent-ink",
            button_primary_border_color="accent",
            button_secondary_background_fill="card",
            button_secondary_background_fill_hover="sunk",
            button_secondary_text_color="ink",
            button_secondary_text_color_hover="ink",
            button_secondary_border_color="line-strong",
            button_cancel_background_fill="card",
            button_cancel_background_fill_hover="wrong-soft",
            button_cancel_text_color="wrong",
            button_cancel_text_color_hover="wrong",
            button_cancel_border_color="line-strong",
            loader_color="accent",
            error_background_fill="wrong-soft",
            error_border_color="wrong",
            error_text_color="wrong",
            error_icon_color="wrong",
        ),
        color_accent=PALETTE["accent"][0],
        block_border_width="1px",
        block_shadow="none",
        block_shadow_dark="none",
        block_radius="12px",
        block_label_radius="8px",
        container_radius="12px",
        input_radius="9px",
        button_large_radius="9px",
        button_medium_radius="9px",
        button_small_radius="8px",
        button_border_width="1px",
        button_transform_active="none",
        button_transform_hover="none",
        button_primary_shadow="none",
        button_secondary_shadow="none",
        shadow_drop="none",
        layout_gap="14px",
        button_large_text_weight="600",
        block_title_text_weight="600",
        block_label_text_size="12px",
        input_shadow="none",
        input_shadow_dark="none",
    )
