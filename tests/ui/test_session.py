"""Stop reaches the visitor who pressed it, and nobody else."""

from t2ui.ui.session import Sessions


class Work:
    cancelled = False

    def cancel(self):
        self.cancelled = True


def test_stop_is_for_one_visitor():
    sessions = Sessions()
    mine, other = sessions.begin("a", "ask"), sessions.begin("b", "ask")
    works = mine.hold(Work()), other.hold(Work())
    sessions.stop("a")
    assert mine.stopped and works[0].cancelled
    assert not other.stopped and not works[1].cancelled


def test_stop_reaches_all_that_a_visitor_runs():
    sessions = Sessions()
    halts = [sessions.begin("a", kind) for kind in ("ask", "mix")]
    sessions.stop("a")
    assert all(halt.stopped for halt in halts)


def test_a_new_run_ends_the_old_one_of_its_kind():
    sessions = Sessions()
    first = sessions.begin("a", "ask")
    second = sessions.begin("a", "ask")
    assert first.stopped and first.replaced and not second.stopped
    sessions.stop("a")
    assert second.stopped and not second.replaced


def test_work_that_comes_after_the_stop_is_cancelled_at_once():
    sessions = Sessions()
    halt = sessions.begin("a", "ask")
    sessions.stop("a")
    assert halt.hold(Work()).cancelled


def test_who_leaves_is_forgotten():
    sessions = Sessions()
    halt = sessions.begin("a", "ask")
    sessions.forget("a")
    assert halt.stopped and len(sessions) == 0
    sessions.stop("a")


def test_what_is_shown_is_kept_by_tab_and_forgotten_with_the_page():
    from t2ui.runs import Question, Run

    sessions = Sessions()
    sessions.remember("a", Run("ask", "done"), Question("x"))
    sessions.show("a", "mix", Run("mix", "done"), Question("y"))
    assert sessions.shown("a", "ask")[1].prompt == "x" and sessions.shown("a", "mix")[1].prompt == "y"
    assert sessions.shown("b", "ask") is None
    sessions.show("b", "mix", Run("mix", "done"), Question("z"))
    assert sessions.shown("b", "ask")[1].prompt == "z"  # the only one there is
    sessions.forget("a")
    assert sessions.shown("a", "ask") is None and sessions.shown("b", "ask") is not None
