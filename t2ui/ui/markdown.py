"""An answer as Markdown, and the words in which it differs from another one.

Nothing that a model writes becomes markup of its own: HTML is escaped, there are no links and no pictures (a page that shows
them would ask other hosts for them). What Markdown would spoil in an answer about numbers or code is left alone: ``2*3*4`` is
no emphasis, ``- 5`` and ``12. 7 + 5`` at the start of a line are no lists, and bare code keeps its lines.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_PIECES = re.compile(r"\s+|\S+")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_NO_LIST = re.compile(r"^(\s*)(?:([-+*])(?=\s*\d)|(\d+)([.)])(?=\s*\d))")
_NO_RULE = re.compile(r"^(\s*)([-=]+\s*$)")  # a line of - or = would turn the line above into a heading
_TIMES = re.compile(r"(?<=[\w)])(\*+)(?=[\w(])|(?<=\d )(\*)(?=\d)|(?<=\d)(\*)(?= \d)")


class _Renderer(RendererHTML):
    """Marks the words whose numbers stand in ``env["marks"]``; ``env["at"]`` counts the words so far."""

    def text(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        return _words(tokens[idx].content, env)

    def code_inline(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        return f"<code>{_words(tokens[idx].content, env)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        return f"<pre><code>{_words(tokens[idx].content, env)}</code></pre>\n"

    fence = code_block


_MD = MarkdownIt("js-default", {"breaks": True}, renderer_cls=_Renderer).disable(
    ["link", "image", "autolink", "reference", "html_inline", "html_block", "linkify"], ignoreInvalid=True
)


def is_code(text: str) -> bool:
    """Code without a fence round it: shown as it is, in a fixed-width font."""
    return "def " in text and "```" not in text


def render(text: str, other: str | None = None) -> str:
    """The text as HTML; words that ``other`` does not have at this place are marked."""
    env = {"at": 0, "marks": set() if other is None else marks(text, other)}
    if is_code(text):
        html = f"<pre>{_words(text, env)}</pre>"
    else:
        html = _MD.renderer.render(_MD.parse(_careful(text), env), _MD.options, env)
    return re.sub(r"</mark>(\s+)<mark>", r"\1", html)  # neighbours are one mark


def marks(text: str, other: str) -> set[int]:
    """Which words of the text (as it is shown, numbered) the other one does not have at this place."""
    words, others = _shown(text), _shown(other)
    out: set[int] = set()
    for kind, start, end, _, _ in difflib.SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        if kind in ("replace", "delete"):
            out.update(range(start, end))
    return out


def _shown(text: str) -> list[str]:
    """The words in the order in which the renderer meets them."""
    if is_code(text):
        return [word for word in _PIECES.findall(text) if word.strip()]
    words: list[str] = []
    for token in _MD.parse(_careful(text), {}):
        for part in token.children or [token]:
            if part.type in ("text", "code_inline", "code_block", "fence"):
                words += [word for word in _PIECES.findall(part.content) if word.strip()]
    return words


def _words(content: str, env) -> str:
    out = []
    for piece in _PIECES.findall(content):
        if piece.strip():
            words = escape(piece)
            out.append(f"<mark>{words}</mark>" if env["at"] in env["marks"] else words)
            env["at"] += 1
        else:
            out.append(piece)
    return "".join(out)


def _careful(text: str) -> str:
    """The text with a backslash before what Markdown would take for markup in sums."""
    lines, fenced = [], False
    for line in text.split("\n"):
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            line = _NO_LIST.sub(lambda m: m[1] + (f"\\{m[2]}" if m[2] else f"{m[3]}\\{m[4]}"), line)
            line = _NO_RULE.sub(lambda m: f"{m[1]}\\{m[2]}", line)
            line = _TIMES.sub(_times, line)
        lines.append(line)
    return "\n".join(lines)


def _times(m: re.Match) -> str:
    """A run of asterisks, with backslashes if it multiplies: a digit, or a bracket on its open side, stands beside it."""
    before, after = m.string[m.start() - 1], m.string[m.end()]
    multiplies = before.isdigit() or after.isdigit() or before == ")" or after == "("
    return "\\*" * len(m[0]) if multiplies or " " in (before, after) else m[0]
