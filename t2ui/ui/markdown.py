"""An answer as Markdown, and the words in which it differs from another one.

Nothing that a model writes becomes markup of its own: HTML is escaped, there are no links and no pictures (a page that shows
them would ask other hosts for them). What Markdown would spoil in an answer about numbers or code is left alone: ``2*3*4`` is
no emphasis, ``- 5`` and ``12. 7 + 5`` at the start of a line are no lists, and bare code keeps its lines. LaTeX becomes MathML (:mod:`t2ui.ui.mathml`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from t2ui.ui import mathml

_PIECES = re.compile(r"\s+|\S+")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")
_NO_LIST = re.compile(r"^(\s*)(?:([-+*])(?=\s*\d)|(\d+)([.)])(?=\s*\d))")
_NO_RULE = re.compile(r"^(\s*)([-=]+\s*$)")  # a line of - or = would turn the line above into a heading
_FORMULA = re.compile(r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|\$(?=\S)([A-Za-z]|[^$\n]*?[\\^_{=][^$\n]*?)(?<=\S)\$(?!\d)", re.DOTALL)
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

    def math(self, tokens: Sequence[Token], idx: int, options, env) -> str:
        token = tokens[idx]
        html = mathml.render(token.content, token.markup == "block") or f"<code>{escape(token.info)}</code>"
        env["at"] += 1  # a formula is one word
        return f"<mark>{html}</mark>" if env["at"] - 1 in env["marks"] else html


_MD = MarkdownIt("js-default", {"breaks": True}, renderer_cls=_Renderer).disable(
    ["link", "image", "autolink", "reference", "html_inline", "html_block", "linkify"], ignoreInvalid=True
)


def _math(state: StateInline, silent: bool) -> bool:
    r"""A formula: ``$$...$$``, ``\[...\]``, ``\(...\)``, or ``$...$`` of a letter or with signs that no price has."""
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content = next(part for part in found.groups() if part is not None).replace("\\*", "*").strip()
        token.markup = "block" if found[1] is not None or found[2] is not None else ""
        token.info = found[0]
    state.pos = found.end()
    return True


_MD.inline.ruler.before("escape", "math", _math)
_MD.inline.add_terminator_char("$")


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
            if part.type == "math":
                words.append(part.content)
            elif part.type in ("text", "code_inline", "code_block", "fence"):
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
