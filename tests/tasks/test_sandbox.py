"""The sandbox: what runs, what is stopped, what is compared."""

import subprocess
import sys
import threading

import pytest

from t2ui.tasks import sandbox
from t2ui.tasks.sandbox import Job, Outcome, Sandbox, run, run_many, same, show


def one(body: str, value=(1, 2)) -> Outcome:
    return run(Job(body, "f", [list(value)]))[0]


def test_values_come_back_in_order():
    job = Job("def f(xs):\n    return sum(x for x in xs if x % 2 == 0)", "f", [[1, 2, 4], [], [-2, 3]])
    assert run(job) == (Outcome(6), Outcome(0), Outcome(-2))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("def f(xs):\n    while True:\n        pass", "TimeoutError"),
        ("import time\ndef f(xs):\n    time.sleep(5)", "TimeoutError"),
        ("def f(xs):\n    return 'a' * 10 ** 10", "MemoryError"),
        ("def f(xs):\n    xs = [0]\n    while True:\n        xs = xs + xs", "MemoryError"),
        ("def f(xs):\n    return f(xs)", "RecursionError"),
        ("def f(xs):\n    for i in range(10 ** 9):\n        print('flood' * 100)", "MemoryError"),
        ("def f(xs):\n    return open('/etc/passwd').read()", "PermissionError"),
        ("import subprocess\ndef f(xs):\n    return 1", "ModuleNotFoundError"),
        ("import os\ndef f(xs):\n    return os.system('ls')", "AttributeError"),
        ("def f(xs):\n    return ().__class__.__bases__", "AttributeError"),
        ("def f(xs):\n    return 1 / 0", "ZeroDivisionError"),
        ("def f(xs):\n    return (", "SyntaxError"),
        ("x = 1", "NameError"),
        ("f = 3", "TypeError"),
        ("def f(xs):\n    return 1\n\x00", "SyntaxError"),
        ("def f(xs):\n    return '\ud800'", "SyntaxError"),
        ("x" * 20_000, "longer"),
    ],
)
def test_what_is_stopped_is_an_error_and_the_next_program_runs(body, error):
    outcome = one(body)
    assert not outcome.ok and error in outcome.error
    assert one("def f(xs):\n    return len(xs)") == Outcome(2)


def test_functions_and_ranges_do_not_pass_for_their_text():
    assert "returned a range" in one("def f(xs):\n    return range(3)").error
    assert "returned a function" in one("def f(xs):\n    return f").error


def test_one_failing_input_leaves_the_others():
    outcomes = run(Job("def f(xs):\n    return max(xs)", "f", [[3, 1], [], [2]]))
    assert [o.value for o in outcomes] == [3, None, 2]
    assert "ValueError" in outcomes[1].error


def test_a_program_cannot_change_the_next_one():
    run(Job("def sum(xs):\n    return 0\ndef f(xs):\n    return sum(xs)", "f", [[1, 2]]))
    assert run(Job("def f(xs):\n    return sum(xs)", "f", [[1, 2]])) == (Outcome(3),)


def test_deep_and_huge_results_are_compared_and_printed_safely():
    deep = one("def f(xs):\n    a = []\n    for i in range(30000):\n        a = [a]\n    return a")
    assert deep.ok and not same(deep.value, []) and not same(deep.value, [[1]])
    assert len(show(deep.value)) < 100
    huge = one("def f(xs):\n    return 10 ** 9000")
    assert not same(huge.value, 5) and len(show(huge.value)) < 100
    assert len(show(list(range(10_000)))) < 200
    assert one("class A:\n    pass\ndef f(xs):\n    return A()").ok


@pytest.mark.parametrize(
    ("got", "want", "equal"),
    [
        (3, 3, True), (3.0, 3, True), (3.5, 3, False), (True, 1, False), (1, True, False), ("3", 3, False),
        (None, 0, False), ([1, [2]], [1, [2]], True), ((1,), [1], False), ([1], [1, 2], False), ([True], [1], False),
        (float("nan"), 1, False), ("a", "a", True), ({1: 2}, [1], False),
    ],
)  # fmt: skip
def test_same(got, want, equal):
    assert same(got, want) is equal


def test_same_refuses_unknown_expectations():
    with pytest.raises(TypeError, match="dict"):
        same(1, {})


def test_a_function_name_must_be_one():
    with pytest.raises(ValueError, match="Python name"):
        run(Job("def f(xs):\n    return 1", "f(1) + g", [[1]]))


def test_batches_keep_their_order_and_run_equal_jobs_once():
    jobs = [Job(f"def f(xs):\n    return len(xs) + {i % 20}", "f", [[1, 2], []]) for i in range(60)]
    assert [o[0].value for o in run_many(jobs)] == [2 + i % 20 for i in range(60)]
    assert run_many([]) == []


def test_threads_share_the_pool():
    results = {}

    def work(i: int) -> None:
        results[i] = [run(Job(f"def f(xs):\n    return {i} * 100 + {j}", "f", [[0]]))[0].value for j in range(10)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: [i * 100 + j for j in range(10)] for i in range(6)}


def test_the_cache_is_bounded():
    box = Sandbox(workers=1, cache_size=3)
    for i in range(5):
        assert box.run(Job(f"def f(xs):\n    return {i}", "f", [[0]])) == (Outcome(i),)
    assert len(box._cache) == 3
    box.close()


def test_a_closed_sandbox_opens_again():
    box = Sandbox(workers=1)
    assert box.run(Job("def f(xs):\n    return 1", "f", [[0]])) == (Outcome(1),)
    box.close()
    box.close()
    assert box.run(Job("def f(xs):\n    return 2", "f", [[0]])) == (Outcome(2),)
    box.close()


def test_a_sandbox_that_does_not_start_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    with pytest.raises(sandbox.SandboxError, match="pip install"):
        Sandbox()._open()


def test_the_interpreter_ends_with_the_pool_open():
    code = (
        "from t2ui.tasks import sandbox\n"
        "print(sandbox.run(sandbox.Job('def f(x):\\n    return x + 1', 'f', [1]))[0].value)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.strip() == "2" and not done.stderr


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork")
def test_a_forked_child_is_told_to_spawn():
    code = (
        "import os, sys\n"
        "from t2ui.tasks import sandbox\n"
        "job = sandbox.Job('def f(x):\\n    return x', 'f', [1])\n"
        "sandbox.run(job)\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    try:\n"
        "        sandbox.run(sandbox.Job('def f(x):\\n    return 5', 'f', [1]))\n"
        "    except sandbox.SandboxError as error:\n"
        "        os._exit(7 if 'spawn' in str(error) else 8)\n"
        "    os._exit(9)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
        "print(sandbox.run(sandbox.Job('def f(x):\\n    return 6', 'f', [1]))[0].value)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["7", "6"], done.stderr
