"""Verify every proof of a Metamath database: ``python -m pvg.formal.verify FILE.mm``.

Prints counts and times and names what fails or is incomplete.  The exit status is 0 if every theorem is proved, 1 if
not, 2 if the command is wrong.  The file itself is read, never a cached form of it.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from time import monotonic
from typing import NamedTuple

from pvg.formal.database import Assertion, Database
from pvg.formal.errors import MetamathError
from pvg.formal.proofs import Verifier
from pvg.formal.reader import read

_OFTEN = 0.5  # seconds between signs of progress


class Outcome(NamedTuple):
    """What came of verifying theorems.

    Attributes:
        verified: complete proofs that are right.
        incomplete: theorems whose proof has a step ``?``.
        failed: what is wrong, one error a theorem.
        steps: in all proofs that are right.
    """

    verified: int
    incomplete: list[Assertion]
    failed: list[MetamathError]
    steps: int


def verify(
    database: Database, theorems: Iterable[Assertion] | None = None, progress: Callable = lambda done: None
) -> Outcome:
    """Verify theorems of a database, all by default; ``progress`` is told how many are done, after each."""
    verifier, verified = Verifier(database), 0
    incomplete: list[Assertion] = []
    failed: list[MetamathError] = []
    for done, theorem in enumerate(database.theorems if theorems is None else theorems):
        progress(done)
        try:
            if verifier(theorem):
                verified += 1
            else:
                incomplete.append(theorem)
        except MetamathError as error:
            failed.append(error)
    return Outcome(verified, incomplete, failed, verifier.steps)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pvg.formal.verify", description=__doc__.split("\n\n")[0])
    parser.add_argument("file", metavar="FILE.mm")
    parser.add_argument("--until", metavar="LABEL", help="the last theorem to verify")
    asked = parser.parse_args(arguments)
    start = monotonic()
    try:
        database = read(asked.file)
    except OSError as error:
        parser.error(f"{asked.file} can't be read: {error.strerror}")
    except MetamathError as error:
        print(error)
        print(f"{asked.file} is no Metamath database; nothing was verified")
        return 1
    theorems = list(database.theorems)
    if asked.until is not None:
        last = database.labels.get(asked.until)
        if last is None:
            parser.error(f"--until {asked.until}: {asked.file} has no statement of this label")
        theorems = list(takewhile(lambda theorem: theorem.order <= last.order, theorems))
    read_in = monotonic() - start
    print(
        f"{asked.file}: {len(database.symbols)} symbols, {sum(1 for _ in database.assertions)} assertions, "
        f"{len(theorems)} proofs to verify; read in {read_in:.2f} s"
    )
    start = monotonic()
    outcome = verify(database, theorems, _Progress(len(theorems)))
    seconds = monotonic() - start
    for failure in outcome.failed:
        print(failure)
    for theorem in outcome.incomplete:
        print(database.error(theorem, "the proof is incomplete: it has a step ?"))
    print(
        f"{outcome.verified} verified, {len(outcome.incomplete)} incomplete, {len(outcome.failed)} failed; "
        f"{outcome.steps} steps in {seconds:.2f} s, {len(theorems) / max(seconds, 1e-9):,.0f} proofs/s"
    )
    return int(bool(outcome.failed or outcome.incomplete))


class _Progress:
    """A line on a terminal that counts."""

    def __init__(self, total: int):
        self.total, self.next = total, monotonic() + _OFTEN
        self.shown = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        if self.shown and monotonic() >= self.next:
            self.next = monotonic() + _OFTEN
            print(
                f"\r{done} of {self.total} ({done / self.total:.0%})\033[K\r",
                end="",
                file=sys.stderr,
                flush=True,
            )


if __name__ == "__main__":
    gc.disable()  # nothing here makes cycles, and looking for them in a large database takes a tenth of the time
    sys.exit(main())
