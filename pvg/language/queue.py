"""The queue of tasks: which are sampled, when they are tried again, and what is kept.

There is no barrier: what fails goes back into the running engine at once, while everything else goes on.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from pvg.errors import UserError
from pvg.language.attempts import WANTED, Attempt, Journal, Task, Verdict, attempt_seed
from pvg.language.engine import Engine, EngineFailed, Request, Sample

PAUSE = 0.01  # seconds between looks at the grader while it has answers in hand

# Of requests and answers.  One count for all queues of a process: an engine that was interrupted may still hand out
# samples for the queue before, and these must not be taken for ours.
_keys = itertools.count()


class Grader(Protocol):
    """What says whether answers are right, in its own time."""

    def submit(self, key: int, answer: str, reference: str) -> None: ...

    def poll(self) -> list[tuple[int, Verdict]]:
        """The verdicts that have come in, by key; without waiting."""
        ...


class Queue:
    """Tries tasks until each has succeeded or has been tried ``max_tries_per_task`` times.

    All tasks are submitted at once and wait in the engine, in order; a new try goes to the end of that line.  So a
    request that can't be served is refused before any work is done, no slot is ever free for want of a request, and
    first tries come before second ones: tasks that may still take many tries are begun early, which leaves the
    shortest tail (retries first take 12 % more steps: ``python -m benchmarks.queue``).

    Args:
        engine: draws the attempts.  It and the grader serve this queue alone while it runs.
        grader: compares answers with references.
        decode: the answer in the new tokens, or None where there is none: then it is unparseable.
        references: by problem, what the grader compares with.
        wanted: by role, the verdict that is a success.
        max_tries_per_task: a task that fails as often is given up.
        seed: with a task's key and the attempt's number it decides what is drawn.
        temperature: of all draws.
        journal: a file that takes each attempt as it is finished.  With the file of a run that was ended, however it
            was, the attempts in it count as done, and the list is the same as if nothing had happened but for times
            and workers.

    Raises:
        UserError: tries that can't be (none, or several at temperature 0, where all are alike).
    """

    def __init__(
        self,
        engine: Engine,
        grader: Grader,
        *,
        decode: Callable[[Sequence[int]], str | None],
        references: Sequence[str] | Mapping[int, str],
        wanted: Mapping[str, Verdict] = WANTED,
        max_tries_per_task: int = 5,
        seed: int = 0,
        temperature: float = 1.0,
        journal: str | Path | None = None,
    ):
        if max_tries_per_task < 1:
            raise UserError(f"max_tries_per_task is {max_tries_per_task}. Each task needs at least one try.")
        if temperature == 0 and max_tries_per_task > 1:
            raise UserError(
                f"At temperature 0 a task's {max_tries_per_task} tries would all be the same. Set "
                "max_tries_per_task=1, or a temperature above 0."
            )
        self.engine, self.grader, self.decode, self.references = engine, grader, decode, references
        self.wanted, self.max_tries_per_task = dict(wanted), max_tries_per_task
        self.seed, self.temperature = seed, temperature
        self.journal = Path(journal) if journal is not None else None

    def run(self, tasks: Sequence[Task], progress: Callable[[int, int], None] | None = None) -> list[Attempt]:
        """Try all tasks.

        Args:
            tasks: with keys of their own each.
            progress: called after every poll with how many tasks are settled, and how many there are.

        Returns:
            all attempts, failed ones too, by task and number.

        Raises:
            UserError: a role that nothing is wanted of, a request that the engine can't serve, a journal of another
                run or one that can't be written.
            EngineFailed: the engine's.  As after Ctrl-C, the journal holds what was finished up to the last poll.
        """
        if len({task.key for task in tasks}) < len(tasks):
            raise ValueError("two tasks have the same key")
        if unknown := sorted({task.role for task in tasks} - set(self.wanted)):
            roles = ", ".join(self.wanted)
            raise UserError(
                f"Nothing is said of when {', '.join(unknown)} succeeds. Roles with a wanted verdict: {roles}."
            )
        journal = Journal(self.journal, self._belongs_to(tasks)) if self.journal else None
        try:
            attempts = journal.attempts() if journal else []
            self._try(tasks, attempts, journal, progress or (lambda done, total: None))
        finally:
            if journal:
                journal.close()
        return sorted(attempts, key=lambda a: (a.task, a.number))

    def _try(
        self,
        tasks: Sequence[Task],
        attempts: list[Attempt],
        journal: Journal | None,
        progress: Callable[[int, int], None],
    ) -> None:
        """Add to the attempts what is missing."""
        by_key, last = {task.key: task for task in tasks}, {a.task: a for a in attempts}
        drawing: dict[int, tuple[Task, int]] = {}  # by the request's key: the task, and which try
        grading: dict[int, tuple[Task, int, Sample, str]] = {}
        due = [(task, 0) for task in tasks if task.key not in last]
        due += [(by_key[a.task], a.number + 1) for a in last.values() if self._again(a)]
        left = len(due)
        while True:
            self._submit(due, drawing)
            progress(len(tasks) - left, len(tasks))
            if not left:
                return
            new = []
            for sample in self._samples(bool(drawing), bool(grading)):
                if asked := drawing.pop(sample.key, None):
                    answer = self.decode(sample.tokens)
                    if answer is None:
                        new.append(self._attempt(*asked, sample, None, "unparseable"))
                    else:
                        self.grader.submit(sample.key, answer, self.references[asked[0].problem])
                        grading[sample.key] = (*asked, sample, answer)
            for key, verdict in self.grader.poll():
                if graded := grading.pop(key, None):
                    new.append(self._attempt(*graded, verdict))
            if journal:
                journal.write(new)
            attempts += new
            due = [(by_key[a.task], a.number + 1) for a in new if self._again(a)]
            left -= len(new) - len(due)

    def _again(self, attempt: Attempt) -> bool:
        return not attempt.success and attempt.number + 1 < self.max_tries_per_task

    def _submit(self, due: Iterable[tuple[Task, int]], drawing: dict[int, tuple[Task, int]]) -> None:
        requests = []
        for task, number in due:
            seed = attempt_seed(self.seed, task.key, number)
            requests.append(Request(next(_keys), task.prompt, task.most, seed, self.temperature))
            drawing[requests[-1].key] = task, number
        if requests:
            self.engine.submit(requests)

    def _samples(self, drawing: bool, grading: bool) -> list[Sample]:
        """What the engine has finished; nothing after a pause where the grader may have finished instead."""
        if not drawing:
            time.sleep(PAUSE)
            return []
        samples = self.engine.poll(PAUSE if grading else None)
        if not samples and not grading:
            raise EngineFailed(
                "it says that nothing is in flight, and there are requests that it never answered"
            )
        return samples

    def _attempt(
        self, task: Task, number: int, sample: Sample, answer: str | None, verdict: Verdict
    ) -> Attempt:
        of_sample = {key: value for key, value in vars(sample).items() if key != "key"}
        return Attempt(
            task=task.key,
            role=task.role,
            problem=task.problem,
            number=number,
            seed=attempt_seed(self.seed, task.key, number),
            answer=answer,
            verdict=verdict,
            success=verdict == self.wanted[task.role],
            **of_sample,
        )

    def _belongs_to(self, tasks: Sequence[Task]) -> dict[str, Any]:
        """What decides the attempts, as far as a queue knows it."""
        digest = hashlib.sha256()
        for task in tasks:
            digest.update(repr((task, self.references[task.problem])).encode("utf-8", "backslashreplace"))
        return {
            "seed": self.seed,
            "temperature": float(self.temperature),
            "max_tries_per_task": self.max_tries_per_task,
            "wanted": self.wanted,
            "version": self.engine.version,
            "tasks": f"{len(tasks)} with digest {digest.hexdigest()[:16]}",
        }
