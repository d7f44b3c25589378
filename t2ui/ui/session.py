"""What the server remembers of a visitor while a page is open: what is running, so that Stop can reach it."""

from __future__ import annotations

import threading

from t2ui.conversation import Conversation
from t2ui.kept import Kept
from t2ui.runs import Halt, Question, Run
from t2ui.ui.tried import History


class Sessions:
    """Halts by visitor (gradio's session hash) and kind of run. Thread-safe; forgets a visitor who leaves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._halts: dict[str, dict[str, Halt]] = {}
        self._last: dict[str, tuple[Run, Question]] = {}
        self._tried: dict[str, History] = {}
        self._shown: dict[str, dict[str, tuple[Run, Question]]] = {}
        self._kept: dict[str, Kept] = {}
        self._talks: dict[str, Conversation] = {}
        self._here: set[str] = set()

    def arrive(self, session: str) -> None:
        """A page was opened."""
        with self._lock:
            self._here.add(session)

    @property
    def here(self) -> int:
        """How many pages are open."""
        with self._lock:
            return len(self._here)

    def begin(self, session: str, kind: str) -> Halt:
        """A fresh halt; what this visitor still had running under that kind is stopped."""
        halt = Halt()
        with self._lock:
            old = self._halts.setdefault(session, {}).get(kind)
            self._halts[session][kind] = halt
        if old is not None:
            old.replaced = True
            old.stop()
        return halt

    def remember(self, session: str, run: Run, question: Question) -> None:
        """The last run of both passes that is over, so that its decision can be overruled."""
        with self._lock:
            self._last[session] = run, question
        self.show(session, "ask", run, question)

    def show(self, session: str, tab: str, run: Run, question: Question) -> None:
        """What a tab shows now that its run is over, so that it can be taken along."""
        with self._lock:
            self._shown.setdefault(session, {})[tab] = run, question

    def shown(self, session: str, tab: str) -> tuple[Run, Question] | None:
        """The run on the tab ``ask`` or ``mix``; where there is none, the other one's."""
        with self._lock:
            held = self._shown.get(session, {})
            return held.get(tab) or next(iter(held.values()), None)

    def last(self, session: str) -> tuple[Run, Question] | None:
        with self._lock:
            return self._last.get(session)

    def tried(self, session: str) -> History:
        """The mixes that this visitor has tried."""
        with self._lock:
            return self._tried.setdefault(session, History())

    def kept(self, session: str) -> Kept:
        """This visitor's earlier answers."""
        with self._lock:
            return self._kept.setdefault(session, Kept())

    def talk(self, session: str) -> Conversation:
        """This visitor's conversation."""
        with self._lock:
            return self._talks.setdefault(session, Conversation())

    def stop(self, session: str) -> None:
        """Stop everything this visitor has running, and nothing of anybody else's."""
        with self._lock:
            halts = list(self._halts.get(session, {}).values())
        for halt in halts:
            halt.stop()

    def forget(self, session: str) -> None:
        """The page was closed."""
        self.stop(session)
        with self._lock:
            self._here.discard(session)
            self._halts.pop(session, None)
            self._last.pop(session, None)
            self._tried.pop(session, None)
            self._shown.pop(session, None)
            self._kept.pop(session, None)
            self._talks.pop(session, None)

    def __len__(self) -> int:
        return len(self._halts)
