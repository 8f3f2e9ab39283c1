"""Asking provers: an engine samples, a grader says what is right, journals keep the attempts and their scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pvg.language.attempts import WANTED, Attempt, Task, Verdict
from pvg.language.book import Book
from pvg.language.engine import Engine
from pvg.language.histories import write_scores
from pvg.language.queue import Grader, Queue

REACH: Mapping[str, Verdict] = {**WANTED, "translator": "right"}  # what each role is to reach, in either game


class Asking:
    """Has provers try tasks of a book.

    Args:
        book: the problems.
        engine: samples from the prover's model.
        grader: says what is right.

    Attributes:
        folder: where attempts are kept, a journal each; None for nowhere.
    """

    def __init__(self, book: Book, engine: Engine, grader: Grader):
        self.book, self.engine, self.grader = book, engine, grader
        self.folder: Path | None = None

    def sample(
        self,
        tasks: Sequence[Task],
        tries: int,
        seed: int,
        *,
        solved: Sequence[str] = (),
        name: str | None = None,
        temperature: float = 1.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Attempt]:
        """Try tasks until each has succeeded, or has been tried so many times.

        Args:
            solved: answers that a translator is to lead to, by problem.
            name: of the journal in which the attempts are kept; None for none.
            progress: told how many tasks are settled, of how many.

        Returns:
            all attempts, by task and number.
        """
        queue = Queue(
            self.engine,
            self.grader,
            decode=self.book.answer,
            references=[*self.book.references, *solved],
            wanted=REACH,
            max_tries_per_task=tries,
            seed=seed,
            temperature=temperature,
            journal=self._journal(name),
        )
        return queue.run(tasks, progress)

    def keep(self, scores: Sequence[float], name: str) -> None:
        """Put scores of all attempts of a journal, by task and number, into it; one that was removed is passed over."""
        journal = self._journal(name)
        if journal and journal.is_file():
            write_scores(journal, scores)

    def _journal(self, name: str | None) -> Path | None:
        return self.folder / f"{name}.jsonl" if self.folder and name else None
