"""What happens in a game of rounds, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from pvg.trainers.checking import Checking
from pvg.trainers.policy_gradient import PolicyGradient
from pvg.trainers.supervised import Start

Step = tuple[str, int, int]


def schedule(rounds: int, start: Start, checking: Checking, provers: PolicyGradient) -> list[Step]:
    """Every step of the game as (what, round, number within): what a resumed run goes on in.

    The supervised start, the solver, the rounds, and the verifier once more.
    """

    def steps(what: str, r: int, count: int) -> Iterator[Step]:
        return ((what, r, k) for k in range(count))

    out = [*steps("imitate", 0, start.steps), *steps("read", 0, start.reading), ("begin", 0, 0)]
    out += [*steps("solve", 0, provers.iterations), ("fix", 0, 0)]
    for r in range(rounds + 1):
        out += [("gather", r, 0), *steps("check", r, checking.steps), ("judge", r, 0)]
        if r < rounds:
            out += [*steps("attack", r, provers.iterations), ("exploit", r, 0)]
    return out
