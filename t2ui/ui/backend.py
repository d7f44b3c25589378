"""The engine as the page sees it: it loads in the background, and until then there is a reason in words.

torch and transformers are imported in the thread that loads the model, after the page has been served.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2ui.cells import cells_of, expert_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from t2ui.core.mixing import Mix
    from t2ui.engine import Engine
    from t2ui.engine.cards import Card

SLIDERS, MORE, MOST = 12, 8, 256  # sliders on a page: at least, beyond the experts there are (for uploads), at most
log = logging.getLogger("t2ui")


@dataclass(frozen=True)
class Options:
    """What to load, as on the command line."""

    model: str = "assets/demo-model"
    experts: str = "experts"
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    seed: int = 0
    waiting: int = 64
    uploads: bool = False


class Backend:
    """Holds the engine.

    Attributes:
        names: the usable experts; a name's place is its slider's, so that names are only ever appended (:meth:`learn`).
        slots: sliders that the page has; those of empty slots are hidden.
        lora: those of them that are LoRA adapters.
        refused: (name, reason) of experts that this model cannot use.
        cells: the Gram matrices of every adapted matrix, for the change map (see ``t2ui.plots``).
        cards: what is known about each expert, in the order of ``names``.
        strategies: how the first pass can choose here: ``prompt``, ``classifier`` where there is such an expert,
            ``few-shot:NAME`` for every kept mix.
    """

    def __init__(self, options: Options | None = None, engine: Engine | None = None, gate: threading.Lock | None = None) -> None:
        """``gate``: held while this one loads, where several share a machine's memory."""
        self.options = options or Options()
        self._gate: Any = gate or contextlib.nullcontext()
        self.engine = engine
        found = peek_experts(self.options.experts) if engine is None else ()
        if engine is not None and engine.loaded is not None:
            found = engine.loaded.stack.names
        self.slots = min(max(SLIDERS, len(found) + MORE), MOST)
        self.names: tuple[str, ...] = found[: self.slots] if engine is None else ()
        self.lora: tuple[str, ...] = ()
        self.refused: list[tuple[str, str]] = []
        self.cells: list[dict[str, Any]] = []
        self.cards: list[Card] = []
        self.began = time.monotonic()
        self.strategies: tuple[str, ...] = ("prompt",)
        self.seconds: float | None = None
        self._failure = ""
        self._complete = False
        self._eager = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load in a background thread. A second call does nothing."""
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._load, name="t2ui-load", daemon=True)
        self._thread.start()

    def start_soon(self, seconds: float) -> None:
        """Start once the first page is on its screen (:meth:`page_opened`), at the latest after so many seconds:
        the imports of torch and transformers would slow down the serving of that page."""
        self._eager = True
        timer = threading.Timer(seconds, self.start)
        timer.daemon = True
        timer.start()

    def start_when_asked(self) -> None:
        """Start once a visitor's page is on its screen, and not before."""
        self._eager = True

    @property
    def begun(self) -> bool:
        """Whether loading has begun (or is over)."""
        return self._thread is not None

    def page_opened(self) -> None:
        """A visitor's page is on the screen."""
        if self._eager:
            self.start()

    @property
    def state(self) -> str:
        """``loading``, ``ready`` or ``failed``."""
        return "failed" if self._failure else "ready" if self._complete else "loading"

    @property
    def text(self) -> str:
        """What is being loaded, or why it failed."""
        return self._failure or (self.engine.text if self.engine is not None else "")

    @property
    def progress(self) -> float | None:
        return self.engine.progress if self.engine is not None else None

    @property
    def info(self) -> Any:
        """The model's ``Info``; None before it is there."""
        return self.engine.loaded.info if self.engine is not None and self.engine.loaded is not None else None

    async def wait(self, seconds: float) -> bool:
        """Wait at most so long for loading to end; True if it has ended."""
        end = time.monotonic() + seconds
        while self.state == "loading" and time.monotonic() < end:
            await asyncio.sleep(0.05)
        return self.state != "loading"

    def mix(self, alphas: Sequence[Any], depth: str = "") -> Mix:
        """The mix behind the sliders' values (further ones are slots without an expert) and the depth profile's state.

        Args:
            alphas: the sliders' values; a text at their end is the depth profile's state.

        Raises:
            ValueError: a value that is not a finite number in bounds, a state that the page would not have written.
        """
        from t2ui.core.depth import shaped
        from t2ui.core.mixing import Mix
        from t2ui.ui.depth import read

        if alphas and isinstance(alphas[-1], str):
            alphas, depth = alphas[:-1], alphas[-1]
        mix = Mix({name: float(alpha or 0.0) for name, alpha in zip(self.names, alphas, strict=False)})
        if not depth:
            return mix
        try:
            profiles = read(depth, self.names)
        except ValueError:
            raise ValueError("the depth profile cannot be read: set its three points per expert again") from None
        return shaped(mix, profiles, self.n_layers) if profiles else mix

    @property
    def n_layers(self) -> int | None:
        """The model's decoder layers; None before it is there."""
        return self.engine.loaded.adapted.n_layers if self.engine is not None and self.engine.loaded is not None else None

    def learn(self, loaded: Any, cells: list[dict[str, Any]]) -> None:
        """What the page has to know of the experts that are there now; experts that had a place keep it.

        Args:
            cells: :func:`t2ui.cells.cells_of` of the same moment.
        """
        from t2ui.engine.cards import cards_of

        self.names = expert_names(loaded)[: self.slots]
        self.lora = tuple(name for name in self.names if name in loaded.stack.columns)
        self.refused = [(name, entry.reason) for name, entry in loaded.registry.refused.items()] if loaded.registry else []
        self.cells = cells
        self.strategies = strategies_of(loaded)
        self.cards = cards_of(loaded, self.names)

    def close(self) -> None:
        if self.engine is not None:
            self.engine.close()

    def _load(self) -> None:
        try:
            import t2ui.tasks  # noqa: F401  (the page's examples and graders; before the slower imports)

            if self.engine is None:
                import torch

                torch.set_num_threads(self.options.threads or default_threads())
                from t2ui.engine import Engine

                with self._gate:
                    self.engine = Engine(
                        self.options.model,
                        device=self.options.device,
                        dtype=self.options.dtype,
                        experts_dir=self.options.experts,
                        max_waiting=self.options.waiting,
                    )
                    self.engine.wait()
            loaded = self.engine.wait()
            self.learn(loaded, self.engine.run(cells_of).result())
            self.seconds = time.monotonic() - self.began
            self._complete = True
        except Exception as error:  # the page stays up and says why; the details go to the server's log
            self._failure = str(error) or type(error).__name__
            log.error("The model could not be loaded: %s", self._failure)
            log.debug("details", exc_info=True)


def strategies_of(loaded: Any) -> tuple[str, ...]:
    """The dispatch strategies that a loaded model can use now."""
    from t2ui.engine.dispatch import recipes

    classifier = ("classifier",) if loaded.dispatcher is not None else ()
    return ("prompt", *classifier, *(f"few-shot:{name}" for name in recipes(loaded)))


def default_threads() -> int:
    """All cores but one: the page itself needs one, and torch's threads spin while they wait for each other."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)


def peek_experts(folder: str | Path) -> tuple[str, ...]:
    """Names of the skill experts in a folder, from the headers of their files alone (no torch, no tensors).

    Only to show the right number of sliders before the model is there; the registry decides which are usable.
    """
    names = []
    svf, lora = (set(Path(folder).glob(f"*/{file}")) for file in ("expert.safetensors", "adapter_config.json"))
    lora = {path for path in lora if path.with_name("expert.safetensors") not in svf}
    for path in sorted(path for path in svf | lora if not path.parent.name.startswith(".")):
        if path in lora:
            names.append(path.parent.name)
            continue
        try:
            with path.open("rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                if length > 10 * 2**20:
                    continue
                header = json.loads(file.read(length)).get("__metadata__", {})
                header = json.loads(header["t2ui"]) if "t2ui" in header else header  # as t2ui.core.experts writes it
        except (OSError, ValueError, TypeError, struct.error, AttributeError):
            continue  # a damaged file: the registry will say so, with the reason
        if header.get("role", "skill") == "skill":
            names.append(str(header.get("name") or path.parent.name))
    return tuple(names)
