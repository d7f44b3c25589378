"""How busy the server is, in words."""

import asyncio
import threading

from t2ui.engine import Engine
from t2ui.ui import traffic
from t2ui.ui.backend import Backend
from t2ui.ui.session import Sessions
from t2ui.ui.text import Text

T = Text()


def test_pages_rows_jobs_and_the_queue_are_counted(tiny_llava):
    backend, sessions = Backend(engine=Engine(tiny_llava)), Sessions()
    assert traffic.words(backend, sessions, T) == T.html("traffic.idle")
    backend.start()
    asyncio.run(backend.wait(60))
    for name in ("a", "b", "b"):
        sessions.arrive(name)
    sessions.forget("a")
    begun, go = threading.Event(), threading.Event()

    def hold(loaded):
        begun.set()
        go.wait(30)

    reply = backend.engine.run(hold)
    assert begun.wait(30)
    later = backend.engine.run(lambda loaded: None)  # nobody admits it while the thread is held
    assert traffic.words(backend, sessions, T) == T.html("traffic.words", visitors=1, rows=0, jobs=1, waiting=1)
    go.set()
    reply.result(30), later.result(30)
    assert backend.engine.traffic.waiting == 0
    backend.close()


def test_the_button_says_what_it_does():
    assert T("traffic.ask") in traffic.html("", T) and "role=" not in traffic.html("", T)
    shown = traffic.html("2 open pages", T)
    assert "2 open pages" in shown and T("traffic.hide") in shown and '"hide"' in shown.replace("&quot;", '"')
