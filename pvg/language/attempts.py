"""Tasks, attempts at them, the journal that keeps these, and what is made of them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pvg.errors import UserError

Verdict = Literal["right", "wrong", "unparseable"]

# What each role is to reach (Kirchner et al. 2024, section 3).  An answer that can't be read is a failure of both.
WANTED: Mapping[str, Verdict] = {"helpful": "right", "sneaky": "wrong"}


@dataclass(frozen=True)
class Task:
    """One success that is wanted.

    Args:
        key: unique among the tasks of a queue; with the attempt's number it decides what is drawn.
        role: of the prover, as the prompt states it.
        problem: index of the reference answer.
        prompt: token ids.
        most: new tokens at most, an attempt.
    """

    key: int
    role: str
    problem: int
    prompt: tuple[int, ...]
    most: int


def tasks(
    problems: Iterable[int],
    prompts: Mapping[str, Mapping[int, Sequence[int]] | Sequence[Sequence[int]]],
    k_per_role: int,
    most: int,
) -> list[Task]:
    """Tasks of which every role has ``k_per_role`` at every problem, with keys counted from 0.

    Args:
        problems: indices of the reference answers.
        prompts: by role, then by problem: token ids.
        k_per_role: successes that are wanted of a role at a problem.
        most: new tokens at most, an attempt.
    """
    wanted = [
        (role, problem, tuple(prompts[role][problem]))
        for problem in problems
        for role in prompts
        for _ in range(k_per_role)  # side by side: engines share the work on a prompt that is repeated
    ]
    return [Task(key, *each, most=most) for key, each in enumerate(wanted)]


def attempt_seed(seed: int, task: int, number: int) -> int:
    """What decides the draw of attempt ``number`` at a task: 63 bits, the same on every machine.

    So results depend neither on the number of workers nor on what is finished first.
    """
    digest = hashlib.blake2b(f"{seed} {task} {number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True)
class Attempt:
    """One try at a task and what came of it.

    Attributes:
        task: its key; ``role`` and ``problem`` are the task's.
        number: from 0, counting the tries at this task.
        seed: that decided what was drawn.
        tokens, log_probs, ended, version, last_version, worker, waited, seconds: of the sample, see
            :class:`pvg.language.engine.Sample`.
        answer: what was graded; None where there was none to be found.
        verdict: of the grader.
        success: whether the verdict is what the role is to reach.
        score: of the verifier, which accepts above 0; None until it has been asked.  Attempts are equal whatever it is.
    """

    task: int
    role: str
    problem: int
    number: int
    seed: int
    tokens: list[int]
    log_probs: list[float]
    ended: bool
    version: int
    last_version: int
    worker: int
    waited: float
    seconds: float
    answer: str | None
    verdict: Verdict
    success: bool
    score: float | None = field(default=None, compare=False)


class Journal:
    """The attempts of a queue in a file: a head that says what they belong to, then one JSON object a line.

    A kill at any moment leaves whole lines and at most one that is torn; it is cut off when the file is opened again.

    Args:
        path: of the file, which is made if there is none.
        belongs_to: what decides the attempts.

    Raises:
        UserError: a file that belongs to something else or is damaged, which is left as it is; one that can't be
            read or written.
    """

    def __init__(self, path: Path, belongs_to: Mapping[str, Any]):
        self.path, self.belongs_to = path, json.loads(json.dumps(belongs_to))
        head = self._line({"attempts_of": self.belongs_to})
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = open(path, "a+b", buffering=0)  # noqa: SIM115  (unbuffered: what is written survives a kill)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            self._open(head)
        except BaseException:
            self.close()
            raise

    def _open(self, head: bytes) -> None:
        self.file.seek(0)
        content = self.file.readall()
        whole = content[: content.rfind(b"\n") + 1]
        self.lines = whole.splitlines(keepends=True)
        if not self.lines:
            if not head.startswith(content):  # as it does not only where writing the head was cut short
                raise self._damaged(1, "it is not the head of a journal")
            self._truncate(0)
            self._append(head)
        else:
            self._check_head()
            self._truncate(len(whole))

    def _check_head(self) -> None:
        try:
            theirs = json.loads(self.lines[0])["attempts_of"]
            differ = [k for k, v in self.belongs_to.items() if theirs[k] != v]
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(1, "it is not the head of a journal") from error
        if differ:
            what = "; ".join(f"{k} there {theirs[k]}, here {self.belongs_to[k]}" for k in differ)
            raise UserError(
                f"The journal {self.path} belongs to another run: {what}. Give the settings and weights of the run "
                "that wrote it, or another file."
            )

    def attempts(self) -> list[Attempt]:
        """Those that were in the file when it was opened."""
        found: list[Attempt] = []
        tries: dict[int, int] = {}
        for place, line in enumerate(self.lines[1:], start=2):
            try:
                attempt = Attempt(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise self._damaged(place, f"it is no attempt ({error})") from error
            if attempt.number != tries.get(attempt.task, 0):
                raise self._damaged(
                    place, f"task {attempt.task} has had {tries.get(attempt.task, 0)} tries there"
                )
            tries[attempt.task] = attempt.number + 1
            found.append(attempt)
        return found

    def write(self, attempts: Iterable[Attempt]) -> None:
        """Put attempts at the end."""
        self._append(b"".join(self._line(vars(attempt)) for attempt in attempts))

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    @staticmethod
    def _line(value: Mapping[str, Any]) -> bytes:
        return json.dumps(value).encode() + b"\n"

    def _append(self, content: bytes) -> None:
        try:
            while content:
                content = content[self.file.write(content) :]
        except OSError as error:
            raise self._unwritable(error) from error

    def _truncate(self, size: int) -> None:
        try:
            self.file.truncate(size)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            f"The journal {self.path} could not be written ({error}). Make room or choose another place; what is in it "
            "is kept."
        )

    def _damaged(self, line: int, reason: str) -> UserError:
        return UserError(
            f"Line {line} of {self.path} can't be read: {reason}. It is damaged or no journal. Choose another file, or "
            "delete it to start anew."
        )


def summary(attempts: Iterable[Attempt], wanted: Mapping[str, Verdict] = WANTED) -> dict[str, dict[str, Any]]:
    """What came of all attempts of a queue, by role.

    Returns:
        for each role of ``wanted``: ``tasks`` and ``attempts``, counted; ``success_at_1`` and ``success_at_k``, the
        shares of tasks that succeeded at the first try and within all; ``give_ups``, tasks that never did;
        ``verdicts``, counted, and ``unparseable``, its share of attempts; ``tries``, for each number of tries
        the tasks that took as many.  Hard problems get more attempts, so that only the first ones are a fair sample
        of the role's accuracy.  Shares of nothing are None.
    """
    by_task: dict[str, dict[int, list[Attempt]]] = {role: {} for role in wanted}
    for attempt in sorted(attempts, key=lambda a: (a.task, a.number)):
        by_task[attempt.role].setdefault(attempt.task, []).append(attempt)
    out = {}
    for role, histories in by_task.items():
        verdicts = Counter(a.verdict for history in histories.values() for a in history)
        reached = [[a.verdict == wanted[role] for a in history] for history in histories.values()]
        tries = Counter(len(history) for history in histories.values())
        out[role] = {
            "tasks": len(histories),
            "attempts": verdicts.total(),
            "success_at_1": _share(sum(r[0] for r in reached), len(reached)),
            "success_at_k": _share(sum(map(any, reached)), len(reached)),
            "give_ups": sum(not any(r) for r in reached),
            "verdicts": {v: verdicts[v] for v in ("right", "wrong", "unparseable")},
            "unparseable": _share(verdicts["unparseable"], verdicts.total()),
            "tries": dict(sorted(tries.items())),
        }
    return out


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
