"""The storyline of a demo: what a presenter's key does on the real page, and when a step has worked.

Five moments in a few steps each. A step acts on the page as a hand would (``static/present.js`` plays it), is done when a selector
is there, and names the recorded picture that is shown, labelled, where it fails or takes too long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

LIMIT = 5.0  # seconds that a live step may take
ALERT = "[role=alert]"


@dataclass(frozen=True)
class Step:
    """One press of the key.

    Attributes:
        key: its name; ``story.KEY`` in the text table is the sentence in large type.
        moment: 1 to 5; 0 for the title.
        tab: the tab that is opened.
        do: what is done, in this order: (action, selector or place, value); the actions are in ``present.js``.
        fresh: what is drawn anew by this step: what it showed before does not count.
        done: the step has worked as soon as this selector is there (``mix``: as soon as a slider is not at 0).
        recorded: the recorded picture to fall back on; "" where the step needs no engine.
        engine: the model has to answer: where only recorded pictures are played, this step is not tried.
        instead: what is done besides when the recorded one is shown.
        see: what is scrolled to and framed.
        over, pause: what was begun here goes on until this selector is there; a speaker talks meanwhile, for so many seconds
            at most. Only a rehearsal waits for it.
    """

    key: str
    moment: int
    tab: str = ""
    do: tuple[tuple[Any, ...], ...] = ()
    fresh: str = ""
    done: str = ""
    recorded: str = ""
    engine: bool = True
    instead: tuple[tuple[Any, ...], ...] = ()
    see: str = ""
    over: str = ""
    pause: float = 0.0


def steps(names: Sequence[str], prompt: str, ask: str, wrong: str, found: Sequence[float], best: Sequence[float]) -> tuple[Step, ...]:
    """The storyline for these experts.

    Args:
        prompt: the question of the first two moments.
        ask, wrong: the expert for it, and the one it is overruled to.
        found, best: the mixes of the recorded search and sweep, for steps that show those.
    """
    slot = list(names).index(ask)
    overrule = f"#t2-overrule [data-pick='{json.dumps({'expert': wrong})}']"
    base = ("set", None, [0.0] * len(names))  # at once, in the browser: a preset's answer could come after what follows
    answers = '.t2-answers[data-stage="done"]'
    return (
        Step("title", 0),
        Step("ask", 1, "ask", (("fill", "#t2-prompt textarea", prompt), ("click", "#t2-ask")), "#t2-answers .t2-answers",
             f"#t2-answers {answers}", "ask", see="#t2-flow"),
        Step("overrule", 1, "ask", (("click", overrule),), "#t2-answers .t2-answers",
             f'#t2-answers {answers} [data-row="overrule"]', "overrule", see="#t2-answers"),
        Step("slide", 2, "mix", (base, ("slide", slot, 1.0)), "#t2-map .t2-plot",
             "#t2-map .t2-plot[data-total]:not([data-total^='0.0000'])", "weights", engine=False, see="#t2-mapbox"),
        Step("mix", 2, "mix", (("click", "#t2-mix-answer"),), "#t2-mix-answers .t2-answers", f"#t2-mix-answers {answers}", "mix",
             see="#t2-mix-answers"),
        Step("search", 3, "search", (("click", "#t2-search-start"),), "#t2-search-view .t2-search",
             "#t2-search-view .t2-search:not([data-stage=old], [data-generations='0'])", "search", see="#t2-search-view",
             over="#t2-search-result [data-cell=found]", pause=60.0),
        Step("held", 3, "search", (("wait", "#t2-search-result [data-cell=found]"),), "", "#t2-search-result [data-cell=found]", "found",
             see="#t2-search-result"),
        Step("found", 3, "", (("stop", "#t2-search-stop"), ("click", "#t2-search-result [data-pick]")), "", "mix", "found", instead=(("set", None, list(found)),),
             see="#t2-mixer"),
        Step("sweep", 4, "mix", (base, ("open", "#t2-sweep"), ("choose", "#t2-sweep-first", ask),
                                 ("choose", "#t2-sweep-second", wrong), ("choose", "#t2-sweep-family", f"{ask}_{wrong}"),
                                 ("click", "#t2-sweep-start")), "#t2-sweep-map [data-stage]",
             "#t2-sweep-map :is([data-stage=scoring], [data-stage=done])", "sweep", see="#t2-sweep-map",
             over="#t2-sweep-map [data-stage=done]", pause=60.0),
        Step("best", 4, "mix", (("click", "#t2-sweep-map [data-stage=done] .t2-best"),), "", "mix", "best",
             instead=(("set", None, list(best)),), see="#t2-sweep-map"),
        Step("card", 5, "spectra", (("set", None, [float(name == ask) for name in names]),), "",
             '#t2-spectra-map .t2-plot[data-repaints]', "card", see="#t2-spectra-map"),
        Step("link", 5, "", (("link",),)),
    )  # fmt: skip


def as_data(story: Sequence[Step], sentences: dict[str, str], titles: dict[str, str]) -> list[dict[str, Any]]:
    """The steps for the browser; names of families in ``choose`` become what the page calls them."""
    out = []
    for step in story:
        data = {**asdict(step), "sentence": sentences[step.key]}
        data["do"] = [[*act[:2], titles.get(act[2], act[2])] if act[0] == "choose" else list(act) for act in step.do]
        out.append(data)
    return out
