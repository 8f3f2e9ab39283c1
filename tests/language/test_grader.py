"""The grader's workers: they start when needed, die alone, and outlive nobody."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pvg.errors import UserError
from pvg.language.answers import grade
from pvg.language.grader import Grader
from tests.language.test_harmful_answers import HANGING


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_workers_start_when_there_is_work_for_them():
    with Grader(workers=2) as grader:
        grader.submit(0, "5", "5")
        assert grader.poll() == [(0, "right")] and not grader._workers
        assert grader.poll(timeout=None) == []
        grader.submit(1, r"\sqrt{25}", "5")
        assert len(grader._workers) == 1
        assert grader.poll(60) == [(1, "right")]
        assert grader.poll(timeout=None) == []
        pids = [w.process.pid for w in grader._workers]
    assert len(pids) == 1 and not any(map(alive, pids))
    grader.close()


def test_a_poll_with_a_timeout_comes_back():
    with Grader(seconds=60) as grader:
        grader.submit(0, HANGING[1], "5")
        start = time.monotonic()
        assert grader.poll() == [] and time.monotonic() - start < 0.2
        assert grader.poll(2.5) == [] and 2.4 < time.monotonic() - start < 4
        assert grader.pending == 1


def begun(grader, not_by=()):
    """The process that has begun on what is pending, once there is one."""

    def found():
        assert grader.poll() == []
        return any(w.ready and w.job and w.process.pid not in not_by for w in grader._workers)

    until(found)
    return grader._workers[0].process.pid


def test_a_worker_killed_from_outside_costs_nothing_and_one_that_dies_of_its_grade_a_verdict():
    with Grader(workers=1, seconds=60) as grader:
        grader.submit("long", HANGING[1], "5")
        grader.submit("next", r"\sqrt{25}", "5")
        first = begun(grader)
        os.kill(first, signal.SIGKILL)
        second = begun(grader, not_by=[first])
        os.kill(second, signal.SIGKILL)
        assert grader.poll(60) == [("long", "unparseable")]
        assert grader.poll(60) == [("next", "right")]
        os.kill(grader._workers[0].process.pid, signal.SIGKILL)  # with nothing to do
        grader.submit("last", r"\sqrt{25}", "6")
        assert grader.poll(60) == [("last", "wrong")]


ORPHANS = """
import os, sys, time
from pvg.language.grader import Grader
grader = Grader(workers=2, seconds=3)
grader.submit(0, "10^{10^{10}}", "5")
grader.submit(1, r"\\sqrt{25}", "5")
while grader.pending == 2:
    grader.poll(0.1)
holder = os.fork() if sys.argv[1] == "wait" else 0
if holder or sys.argv[1] == "exit":
    print(*[w.process.pid for w in grader._workers], holder, flush=True)
if sys.argv[1] == "wait":
    time.sleep(100)  # the fork too, so that the workers' pipes stay open
"""


@pytest.mark.parametrize("end", ["wait", "exit"])
def test_no_worker_outlives_the_program(end):
    process = subprocess.Popen([sys.executable, "-c", ORPHANS, end], stdout=subprocess.PIPE, text=True)
    try:
        *pids, holder = [int(pid) for pid in process.stdout.readline().split()]
        assert len(pids) == 2
        if end == "wait":
            assert all(map(alive, [*pids, holder]))
            process.kill()
        assert process.wait(20) == (0 if end == "exit" else -signal.SIGKILL)
        until(lambda: not any(map(alive, pids)), 0.5 if end == "exit" else 20)
        if holder:
            os.kill(holder, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_mistakes_are_named(monkeypatch):
    for options in (dict(workers=0), dict(seconds=0)):
        with pytest.raises(UserError, match="at least one worker"):
            Grader(**options)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install"):
        Grader()
    with pytest.raises(UserError, match="pip install"):
        grade(r"\frac12", "0.5")
    assert grade("0.50", "0.5") == "right"  # needs nothing


def test_a_library_that_cannot_be_loaded_is_said_to_be(tmp_path, monkeypatch):
    (tmp_path / "math_verify.py").write_text("raise ImportError('broken\\nin two')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    grader = Grader()
    grader.submit(0, r"\frac12", "0.5")
    with pytest.raises(UserError, match=r"ImportError: broken in two.*pip install"):
        grader.poll(60)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "math_verify.py").write_text("import os; os._exit(3)")
    grader = Grader()
    grader.submit(0, r"\frac12", "0.5")
    with pytest.raises(RuntimeError, match="exit status 3"):
        grader.poll(60)
    assert grader.pending == 0
