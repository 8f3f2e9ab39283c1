"""Grading in processes that may hang or die: what models answer is anything at all.

Not of `multiprocessing`, whose processes import the program's main module again, or are forked from one that has
threads and a GPU: a worker is an interpreter that imports this file and math-verify, 0.6 s and 64 MB.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from pvg.errors import UserError
from pvg.language.answers import Verdict, check_installed, grade_fast, grade_slow

MEMORY = 1 << 30  # bytes of address space that a worker may have
NUMERAL = re.compile(r"\s*(?:Integer|Float)\s*\([0-9.eE+' -]*\)\s*")  # as sympy rewrites a number for `eval`
LIMITS = (signal.SIGPROF, signal.SIGALRM)  # of processor time, and of time for what waits and does no work


class Grader:
    """Grades as :func:`pvg.language.answers.grade` does, in processes of its own where the answer isn't just a number.

    A grade that takes too long, too much memory, or crashes is "unparseable".  Time is processor time, so that
    verdicts don't depend on what else the machine does.  A worker that is killed from outside costs nothing, the grade
    is done again.  Workers are started when there is work for them, and end with the process that made them, even if
    that is killed.

    Args:
        workers: processes at most.
        seconds: of processor time for a grade.

    Attributes:
        pending: grades that were submitted and not yet handed out.

    Raises:
        UserError: math-verify is not installed.
    """

    def __init__(self, workers: int = 1, seconds: float = 5.0):
        if workers < 1 or seconds <= 0:
            raise UserError(
                f"Answers are graded by at least one worker, in more than no time: workers={workers}, "
                f"seconds={seconds}."
            )
        check_installed()
        self.pending = 0
        self._most = workers
        self._seconds = seconds
        self._waiting: deque[_Job] = deque()
        self._done: list[tuple[Any, Verdict]] = []
        self._workers: list[_Worker] = []
        self._failed_starts = 0
        self._end = weakref.finalize(self, _end_all, self._workers)

    def submit(self, key: Any, answer: str | None, reference: str) -> None:
        """Take an answer to grade; ``key`` comes back with its verdict."""
        self.pending += 1
        verdict = grade_fast(answer, reference)
        if verdict is not None:
            self._done.append((key, verdict))
        else:
            self._waiting.append(_Job(key, json.dumps([answer, reference])))
            self._hand_out()

    def poll(self, timeout: float | None = 0.0) -> list[tuple[Any, Verdict]]:
        """Hand out what has been graded, (key, verdict), in the order in which it was.

        Args:
            timeout: seconds to wait until something has been; None for as long as it takes.  Nothing is waited for
                when nothing is pending.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            for worker in self._wait(left if self.pending and not self._done else 0.0):
                self._hear(worker)
            self._hand_out()
            if self._done or not self.pending or left == 0:
                break
        done, self._done = self._done, []
        self.pending -= len(done)
        return done

    def close(self) -> None:
        """End the workers; what is pending is forgotten.  Safe to call twice."""
        _end_all(self._workers)
        self._waiting.clear()
        self._done.clear()
        self.pending = 0

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _wait(self, timeout: float | None) -> list[_Worker]:
        """The workers that have said something or have ended."""
        said = {id(worker.process.stdout): worker for worker in self._workers}
        if not said:
            return []
        return [said[id(pipe)] for pipe in wait([w.process.stdout for w in self._workers], timeout)]  # type: ignore

    def _hand_out(self) -> None:
        while self._waiting:
            worker = next((w for w in self._workers if w.job is None), None)
            if worker is None:
                if len(self._workers) == self._most:
                    return
                worker = _Worker(self._seconds)
                self._workers.append(worker)
            worker.begin(self._waiting.popleft())

    def _hear(self, worker: _Worker) -> None:
        """Take what a worker says; replace it if it has died, and decide what becomes of its job."""
        assert worker.process.stdout
        line = worker.process.stdout.readline().decode().strip()
        if line and not worker.ready:
            if line != "ready":
                self.close()
                raise UserError(
                    f"math-verify, which grades answers, can't be loaded ({line}). Install it anew: "
                    'pip install --force-reinstall "math-verify>=0.9,<0.10"'
                )
            worker.ready, self._failed_starts = True, 0
            return
        job, worker.job = worker.job, None
        if line:
            assert job
            self._done.append((job.key, line))  # type: ignore[arg-type]
            return
        self._workers.remove(worker)
        code = worker.end()
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts == 3:
                self.close()
                raise RuntimeError(f"processes that grade answers end before they begin (exit status {code})")
        if job:
            job.deaths += worker.ready
            if job.deaths == 2 or -code in LIMITS:
                self._done.append((job.key, "unparseable"))
            else:
                self._waiting.appendleft(job)


@dataclass
class _Job:
    key: Any
    line: str
    deaths: int = 0  # of workers that had begun it


class _Worker:
    """A process that runs :func:`_serve`: a line of JSON in, a verdict out."""

    def __init__(self, seconds: float):
        self.job: _Job | None = None
        self.ready = False
        path = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        command = f"from pvg.language.grader import _serve; _serve({os.getpid()}, {seconds})"
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, path)), "PYTHONHASHSEED": "0"},
        )

    def begin(self, job: _Job) -> None:
        self.job = job
        assert self.process.stdin
        with contextlib.suppress(BrokenPipeError):  # it has died, as its other pipe will show
            self.process.stdin.write(job.line.encode() + b"\n")

    def end(self) -> int:
        """Kill it if it lives; what it ended with."""
        self.process.kill()
        code = self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()
        return code


def _end_all(workers: list[_Worker]) -> None:
    while workers:
        workers.pop().end()


def _serve(parent: int, seconds: float) -> None:
    """What a worker does: grade what comes in, until nothing more can come."""
    import resource
    import select

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    for limit in LIMITS:  # the parent may have others use them, and that is inherited
        signal.signal(limit, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, LIMITS)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries print
    try:
        import math_verify  # noqa: F401
        import sympy.physics.units  # noqa: F401  # what `simplify` would import, which evaluates
        from sympy.parsing import sympy_parser
    except Exception as error:
        print(f"{type(error).__name__}: {error}".replace("\n", " "), file=replies, flush=True)
        return
    sympy_parser.eval_expr = _numbers_only(sympy_parser.eval_expr)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print("ready", file=replies, flush=True)
    while True:
        # The pipe alone would not do: whatever the parent has forked may hold its other end open.
        while not select.select([0], [], [], 1.0)[0]:
            if os.getppid() != parent:
                return
        line = sys.stdin.readline()
        if not line:
            return
        # Both signals end the process, also in the midst of arithmetic and after the parent's death.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
        verdict = grade_slow(*json.loads(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(verdict, file=replies, flush=True)


def _numbers_only(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """Sympy's `eval`, for what math-verify needs of it: the digits between LaTeX's commands."""

    def guarded(code: str, *scope: Any) -> Any:
        if not NUMERAL.fullmatch(code):
            raise ValueError("answers are not run")
        return evaluate(code, *scope)

    return guarded
