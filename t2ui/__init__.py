"""t2ui: explore and compose the experts of a self-adaptive language model (after Transformer², arXiv 2501.06252).

Seven names do in a notebook what the page does (docs/python.md has them all, with examples)::

    import t2ui

    loaded = t2ui.load()                                                # a model and its experts; the demo model by default
    first = t2ui.dispatch(loaded, "Ann has 3 cups and gets 4. How many cups does Ann have?")    # first pass: which expert?
    t2ui.answer(loaded, "Ann has 3 cups and gets 4. How many cups does Ann have?", first.mix).text    # second pass
    t2ui.answer(loaded, "What is 3 times 4?", ["base", t2ui.Mix({"math": 0.6, "code": 0.2})])   # two mixes side by side
    found = t2ui.search(loaded, [("What is 3 times 4?", "12")])         # the mix that answers a few examples best
    t2ui.spectra(loaded, found.mix)                                     # what it does to every matrix, as columns
    t2ui.export(loaded, found.mix, "lora", "my-mix")                    # and out, for peft and vLLM

Importing this package loads nothing heavy: a name brings torch and transformers when it is first used, and gradio never; the
parts (`t2ui.core`, `t2ui.engine`, `t2ui.tasks`, `t2ui.train`, `t2ui.ui`) are imported by whoever needs them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from t2ui.core.mixing import Mix
    from t2ui.engine.dispatch import dispatch
    from t2ui.library import answer, export, load, search, spectra

__version__ = "0.1.0"
_WHERE = {
    "Mix": "t2ui.core.mixing", "answer": "t2ui.library", "dispatch": "t2ui.engine.dispatch", "export": "t2ui.library",
    "load": "t2ui.library", "search": "t2ui.library", "spectra": "t2ui.library",
}  # fmt: skip
__all__ = ["Mix", "answer", "dispatch", "export", "load", "search", "spectra"]


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 't2ui' has no attribute {name!r}: its names are {', '.join(__all__)}")
    value = globals()[name] = getattr(import_module(_WHERE[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
