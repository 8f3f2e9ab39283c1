"""Claims about word problems: an answer said to be right, and a solution that leads to it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pvg.envs.mistakes import corrupt
from pvg.envs.problems import MARK, Problem

TRIES = 40  # corruptions of one solution before a number near the right one has to do
NEAR = (-3, -2, -1, 1, 2, 3)


@dataclass(frozen=True)
class Claim:
    """A problem and what its answer is said to be.

    Attributes:
        problem: with its right answer.
        answer: the claimed one.
        solution: worked, ending with the claimed answer; None where none is known.
    """

    problem: Problem
    answer: str
    solution: str | None

    @property
    def label(self) -> bool:
        """Whether the claim is right."""
        return self.answer == self.problem.answer


def make_claims(
    problems: Sequence[Problem], rng: random.Random, fits: Callable[[str], bool] = lambda _: True
) -> list[Claim]:
    """A claim for each problem, about half of them right.

    A wrong claim is the end of a solution with a mistake in it (:func:`~pvg.envs.mistakes.corrupt`), or a number near
    the right one.  An answer is claimed rightly about as often as wrongly, so that it tells nothing by itself.

    Args:
        fits: whether a text may be said (a vocabulary may lack its words).
    """
    claims: list[Claim] = []
    surplus: Counter[str] = Counter()  # of right claims over wrong ones, by answer and (under "") in all
    for problem in problems:
        right, wrong = Claim(problem, problem.answer, problem.solution), _wrong(problem, rng, fits)
        if wrong is None:
            claim = right
        else:
            lean = surplus[right.answer] + surplus[wrong.answer] or surplus[""]
            claim = wrong if lean > 0 else right
        for key in (claim.answer, ""):
            surplus[key] += 1 if claim is right else -1
        claims.append(claim)
    return claims


def _wrong(problem: Problem, rng: random.Random, fits: Callable[[str], bool]) -> Claim | None:
    for _ in range(TRIES):
        solution = corrupt(problem, rng)
        if solution is None:
            break
        if fits(solution):
            return Claim(problem, solution.rpartition(MARK)[2].strip(), solution)
    try:
        right = int(problem.answer.replace(",", ""))
    except ValueError:
        return None
    near = [str(right + change) for change in NEAR if right + change >= 0 and fits(str(right + change))]
    return Claim(problem, rng.choice(near), None) if near else None
