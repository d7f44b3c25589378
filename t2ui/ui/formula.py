"""The formula of a mix wherever it stands: ours, and at a switch the paper's beside it.

Ours is what ``t2ui.core.mixing`` computes (a test holds the two together). The switch is a choice of the browser
(``static/words.js``); Simple mode shows no formula.
"""

from __future__ import annotations

from html import escape

from t2ui.ui.text import Text

OURS = "z(α) = 1 + Σ αₖ (zₖ − 1)"
PAPER = "z(α) = Σ αₖ zₖ"


def folded(t: Text) -> str:
    """The paper's beside ours where no script of the page's runs: folded in at first."""
    return (
        f'<details class="t2-faint"><summary>{t.html("formula.switch")}</summary><span class="t2-zformula">{escape(PAPER)}</span> '
        f'{t.html("formula.paper")}</details>'
    )


def line(t: Text) -> str:
    """Ours, the switch, and the paper's with what sets the two apart."""
    return (
        f'<div class="t2-zline t2-x"><span class="t2-zformula">{escape(OURS)}</span>'
        f'<button type="button" data-t2="paper" aria-pressed="false">{t.html("formula.switch")}</button>'
        f'<p class="t2-paper t2-faint"><span class="t2-zformula">{escape(PAPER)}</span> {t.html("formula.paper")}</p></div>'
    )
