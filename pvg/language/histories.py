"""Journals that are finished: reading them again, and adding what a verifier thought of the attempts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from pvg.errors import UserError
from pvg.language.attempts import Attempt


def read_attempts(path: Path) -> list[Attempt]:
    """The attempts of a journal, by task and number.

    Raises:
        UserError: it can't be read or is no finished journal.
    """
    return _read(path)[1]


def write_scores(path: Path, scores: Sequence[float]) -> None:
    """Give each attempt of a finished journal its score, in place of any that it had; a task's tries stand together.

    A kill at any moment leaves the journal as it was or as it is to be.

    Args:
        path: of the journal.
        scores: of its attempts, by task and number.

    Raises:
        UserError: the journal can't be read or written, or holds another number of attempts.
    """
    head, attempts = _read(path)
    if len(attempts) != len(scores):
        raise UserError(
            f"The journal {path} holds {len(attempts)} attempts where the run made {len(scores)}. It has been "
            "changed or is damaged; remove it, and the run goes on without it."
        )
    lines = [json.dumps({**vars(a), "score": s}).encode() + b"\n" for a, s in zip(attempts, scores)]
    temporary = path.with_suffix(".tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(head + b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(
            f"The scores of {path} could not be written ({error}). Make room; the journal is as it was."
        ) from error


def _read(path: Path) -> tuple[bytes, list[Attempt]]:
    """The head, as it stands, and the attempts."""
    try:
        head, *lines = path.read_bytes().splitlines(keepends=True)
        attempts = [Attempt(**json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"The journal {path} can't be read ({error}).") from error
    return head, sorted(attempts, key=lambda a: (a.task, a.number))
