"""The page's state in its address: what an address says, checked value by value.

``static/link.js`` writes the address while somebody works; here it is read when a page opens. Anybody may have written it: every
value is checked on its own, a bad one is left out with a note, and nothing of it is ever run or drawn as markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from t2ui.ui import depth
from t2ui.ui.composer import MAX_PROMPT
from t2ui.ui.text import Text

KEYS = ("prompt", "strategy", "soft", "mix", "depth", "seed", "temperature", "tokens", "tab", "picture", "mode")
MODES = ("simple", "expert")  # how the page speaks: ``static/words.js`` reads it by itself
VIEWS = {"flow": "ask", "mix": "mix", "search": "search", "spectra": "spectra"}  # by ?embed=, and the tab it lies on
TABS = ("ask", "talk", "mix", "search", "spectra")
LOW, HIGH = -1.0, 2.0  # alphas, as wide as the sliders go
ELSEWHERE = "elsewhere"  # instead of a depth profile, on the way to another model's page: it belongs to one model's experts
MAX_NOTE = 40  # characters of a bad value that a note repeats


@dataclass(frozen=True)
class Link:
    """What an address says; None where it says nothing (or nothing usable). ``mix`` is an alpha per expert, in their order."""

    prompt: str | None = None
    strategy: str | None = None
    soft: bool | None = None
    mix: tuple[float, ...] | None = None
    depth: str | None = None
    seed: int | None = None
    temperature: float | None = None
    tokens: int | None = None
    tab: str | None = None
    picture: str | None = None
    mode: str | None = None

    @property
    def empty(self) -> bool:
        return all(getattr(self, key) is None for key in KEYS)


def read(params: Mapping[str, str], names: Sequence[str], t: Text) -> tuple[Link, list[str]]:
    """The state behind query parameters, and a note for everything that was left out.

    Args:
        names: the experts that are known now. Whether a strategy or a picture exists is for the caller to find out.
    """
    notes: list[str] = []
    found = {}
    if (view := VIEWS.get(str(params.get("embed")))) is not None:  # one view alone, whatever tab was open
        params = {**params, "tab": view}
    readers = {
        "prompt": _prompt, "strategy": _strategy, "soft": _soft, "mix": lambda text, t: _mix(text, names, t, notes),
        "depth": lambda text, t: _depth(text, names, t),
        "seed": lambda text, t: _whole(text, 0, 2**31 - 1), "temperature": lambda text, t: _number(text, 0.0, 2.0),
        "tokens": lambda text, t: _whole(text, 8, 256), "tab": _tab, "picture": _picture,
        "mode": _mode,
    }  # fmt: skip
    for key, reader in readers.items():
        text = params.get(key)
        if text is None:
            continue
        try:
            found[key] = reader(str(text), t)
        except ValueError as error:
            why = str(error) or t("link.bad", value=_short(str(text)))
            notes.append(t("link.left_out", what=key, why=why))
    return Link(**found), notes


def _short(text: str) -> str:
    clean = "".join(c if c.isprintable() else "·" for c in text)
    return clean if len(clean) <= MAX_NOTE else clean[: MAX_NOTE - 1] + "…"


def _prompt(text: str, t: Text) -> str:
    if len(text) > MAX_PROMPT:
        raise ValueError(t("api.long", n=len(text), limit=MAX_PROMPT))
    return text


def _strategy(text: str, t: Text) -> str:
    method, _, name = text.partition(":")
    if method not in ("prompt", "classifier", "few-shot") or bool(name) != (method == "few-shot") or len(text) > 100:
        raise ValueError
    return text


def _soft(text: str, t: Text) -> bool:
    if text not in ("0", "1"):
        raise ValueError
    return text == "1"


def _mix(text: str, names: Sequence[str], t: Text, notes: list[str]) -> tuple[float, ...]:
    alphas = dict.fromkeys(names, 0.0)
    for part in text.split(",") if text and len(text) < 2_000 else []:
        name, _, value = part.partition("=")
        if name not in alphas:
            notes.append(t("link.unknown", name=_short(name)))
            continue
        alphas[name] = _number(value, LOW, HIGH)
    return tuple(alphas.values())


def _depth(text: str, names: Sequence[str], t: Text) -> str:
    """Three points per expert, in the experts' order (see ``t2ui.ui.depth``)."""
    if text == ELSEWHERE:
        raise ValueError(t("link.depth_elsewhere"))
    depth.read(text, names)
    return text


def _tab(text: str, t: Text) -> str:
    if text not in TABS:
        raise ValueError
    return text


def _mode(text: str, t: Text) -> str:
    if text not in MODES:
        raise ValueError
    return text


def _picture(text: str, t: Text) -> str:
    if not text.isascii() or not 0 < len(text) <= 40 or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError
    return text


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text) if len(text) < 30 else float("nan")
    except ValueError:
        value = float("nan")
    if not low <= value <= high:  # NaN fails too
        raise ValueError
    return value


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not low <= int(text) <= high:
        raise ValueError
    return int(text)
