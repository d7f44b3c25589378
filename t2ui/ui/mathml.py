"""LaTeX that a model writes, as MathML, which browsers draw by themselves.

latex2mathml passes through whatever stands inside ``\\text{...}``, colours, styles and links. So only its tree is used: it is written
out here, known elements and harmless attributes alone, every text escaped.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape, unescape
from xml.etree.ElementTree import Element

MOST = 2_000  # characters of one formula
_TAGS = frozenset("math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd mstyle "
                  "menclose mpadded mphantom".split())  # fmt: skip
_ATTRIBUTES = frozenset("display stretchy fence separator symmetric largeop movablelimits accent linethickness columnalign rowspacing "
                        "columnspacing displaystyle scriptlevel notation mathvariant minsize maxsize width lspace rspace form".split())  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z0-9 .%_+-]{0,60}")


@lru_cache(maxsize=512)  # an answer is drawn again with every token
def render(latex: str, display: bool = False) -> str | None:
    """The formula as MathML; None where it cannot be read (then it is shown as it was written)."""
    from latex2mathml.converter import convert_to_element

    if not latex.strip() or len(latex) > MOST:
        return None
    try:
        tree = convert_to_element(latex, display="block" if display else "inline")
        return _written(tree)
    except Exception:  # noqa: BLE001 - it raises its own classes, IndexError and RecursionError on what is no LaTeX
        return None


def _written(element: Element) -> str:
    tag = element.tag if element.tag in _TAGS else "mrow"
    kept = {k: v for k, v in element.attrib.items() if k in _ATTRIBUTES and _PLAIN.fullmatch(v)}
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in sorted(kept.items()))
    inside = _text(element.text) + "".join(_written(child) + _text(child.tail) for child in element)
    return f"<{tag}{attributes}>{inside}</{tag}>"


def _text(text: str | None) -> str:
    return escape(unescape(text or ""))  # its signs are entities already
