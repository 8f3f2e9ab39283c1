"""Some solutions to look at, with what the verifier thought of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pvg.language.attempts import Attempt
from pvg.language.book import Book


def solutions(attempts: Sequence[Attempt], book: Book, each: int = 2) -> list[dict[str, Any]]:
    """``each`` right and as many wrong solutions of every role, of problems of their own each where that can be.

    Accepted and rejected ones take turns as long as there are both, the first of the attempts first.  So they show
    what there is and not how common it is.

    Args:
        attempts: scored, with problems of ``book``.

    Returns:
        ``role``, ``verdict``, ``score`` (accepted above 0), ``question`` and ``text``.
    """
    return [
        {
            "role": attempt.role,
            "verdict": verdict,
            "score": attempt.score,
            "question": book.problems[attempt.problem].question,
            "text": book.prompts.text(attempt.tokens),
        }
        for role in dict.fromkeys(a.role for a in attempts)
        for verdict in ("right", "wrong")
        for attempt in _choose([a for a in attempts if (a.role, a.verdict) == (role, verdict)], each)
    ]


def _choose(attempts: Sequence[Attempt], count: int) -> list[Attempt]:
    chosen: list[Attempt] = []
    left = [(a, a.score > 0) for a in attempts if a.score is not None]
    while left and len(chosen) < count:
        wanted, met = len(chosen) % 2 == 0, {a.problem for a in chosen}
        best = min(left, key=lambda one: (one[0].problem in met, one[1] != wanted))  # the first of the best
        chosen.append(best[0])
        left.remove(best)
    return chosen
