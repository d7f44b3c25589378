"""What stands on the page as a text that reproduces its numbers elsewhere: a Python script, a command."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from pprint import pformat

ROOT = Path(__file__).resolve().parents[1]
OWN = "own"  # a picture that the visitor brought


@dataclass(frozen=True)
class Setup:
    """Everything an answer depends on.

    Attributes:
        mix: as the command line reads it: ``auto:STRATEGY`` for two passes, else a mix.
        soft: blend by the first pass's scores.
        picture: a built-in picture's name (``t2ui.builtin.picture``), :data:`OWN`, or None.
        model, experts: folders, "" for the shipped ones.
        device, dtype: as the model computes here.
    """

    prompt: str
    mix: str = "auto:prompt"
    soft: bool = False
    picture: str | None = None
    temperature: float = 0.0
    seed: int = 0
    max_new_tokens: int = 96
    model: str = ""
    experts: str = ""
    device: str = "cpu"
    dtype: str = "float32"


def folder(path: str | Path, shipped: str) -> str:
    """A folder as another machine can find it: "" for the shipped one, else relative to the project where it lies in it.

    Elsewhere only its name is told: where things lie on a server is nobody's business.
    """
    given = Path(path).resolve()
    if given == ROOT / shipped:
        return ""
    return given.relative_to(ROOT).as_posix() if given.is_relative_to(ROOT) else given.name


def python(setup: Setup) -> str:
    """A script; run it where t2ui is installed, in the project's folder."""
    s = setup
    two = s.mix.startswith("auto:")
    lines = ["import t2ui"]
    if s.picture == OWN:
        lines.insert(0, "from PIL import Image\n")
    elif s.picture is not None:
        lines.append("from t2ui.builtin import picture")
    where = [repr(s.model)] if s.model else []
    where += [f"experts={s.experts!r}"] if s.experts else []
    lines += ["", f"loaded = t2ui.load({', '.join([*where, f'device={s.device!r}', f'dtype={s.dtype!r}'])})"]
    lines.append(f"prompt = {pformat(s.prompt, width=110)}" if len(s.prompt) > 100 else f"prompt = {s.prompt!r}")
    image = {None: "None", OWN: 'Image.open("picture.png")  # your own picture: save it under this name'}
    lines.append(f"image = {image.get(s.picture, f'picture({s.picture!r})')}")
    if two:
        lines.append(f"first = t2ui.dispatch(loaded, prompt, image, strategy={s.mix.removeprefix('auto:')!r}, soft={s.soft})")
        lines.append('print("first pass:", first.choice, {name: round(p, 4) for name, p in first.scores.items()})')
    settings = f"temperature={s.temperature!r}, seed={s.seed!r}, max_new_tokens={s.max_new_tokens!r}"
    lines += [
        f"mixes = ['base', {'first.mix' if two else repr(s.mix)}]",
        f"answers = t2ui.answer(loaded, prompt, mixes, image, {settings})",
        "for answer in answers:",
        "    applied = answer.applied",
        '    print(f"{applied.mix}: |dW|/|W| = {applied.change:.4f}, log p = {answer.logprob:.4f}\\n{answer.text}")',
    ]
    return "\n".join(lines) + "\n"


def command(setup: Setup) -> str:
    """One line for a shell."""
    s = setup
    words = ["python", "-m", "t2ui", "ask", s.prompt, "--mix", s.mix]
    words += ["--soft"] if s.soft and s.mix.startswith("auto:") else []
    words += ["--image", "picture.png"] if s.picture == OWN else ["--picture", s.picture] if s.picture else []
    words += ["--temperature", f"{s.temperature:g}"] if s.temperature else []
    words += ["--seed", str(s.seed), "--max-new-tokens", str(s.max_new_tokens)]
    words += ["--model", s.model] if s.model else []
    words += ["--experts", s.experts] if s.experts else []
    words += ["--device", s.device, "--dtype", s.dtype]
    if s.prompt.startswith("-"):  # not a flag
        words = [*words[:4], *words[5:], "--", s.prompt]
    return shlex.join(words)
