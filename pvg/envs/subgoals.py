"""What would prove a goal in one more step: the premises of steps to it, found backward and kept as proofs grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pvg.envs.statements import Library


class Step(NamedTuple):
    """A step to a goal some of whose premises are proved: the patterns of those that are missing."""

    missing: tuple[str, ...]
    filled: int


class Steps:
    """The steps to a goal before anything is proved; every game with the goal shares them.

    Args:
        library: of the assertions.
        goal: its statement in the library's alphabet.
        limit: only so many rules may be cited.
    """

    def __init__(self, library: Library, goal: str, limit: int):
        self.library, self.nearness = library, dict[int, float]()
        self.steps: dict[Step, None] = {}
        unified = library.alphabet.unified
        for rule, pattern in zip(library.rules[:limit], library.patterns[:limit]):
            count = len(rule.hypotheses)
            missing = unified(pattern[count], goal, pattern[:count]) if count else None
            if missing is not None:
                self.steps[Step(tuple(missing), 0)] = None
        self.wanted = Wanted(library)
        for step in self.steps:
            self.wanted.add(step)

    def near(self, numbers: Sequence[int]) -> list[float]:
        """How near each statement alone brings the goal; see :class:`Subgoals`."""
        new = [number for number in numbers if number not in self.nearness]
        self.nearness |= zip(new, self.wanted.near(new, [0.0] * len(new)))
        return [self.nearness[number] for number in numbers]


class Wanted:
    """Patterns of which any statement that unifies with one is wanted, each with a share.

    Most pairs of pattern and statement are told apart by their uppermost symbols, all at once; what is left is unified.
    """

    def __init__(self, library: Library):
        self.library = library
        self.patterns: dict[tuple[str, int], float] = {}
        self._heads: np.ndarray | None = None

    def add(self, step: Step) -> bool:
        """Take the premises that a step misses, and say whether that was new.

        A bare variable, which anything would do for, says nothing.
        """
        share, new = 1 / len(step.missing), False
        for pattern in step.missing:
            key = (pattern, step.filled)
            if pattern[0] not in self.library.alphabet.variables and share > self.patterns.get(key, 0.0):
                self.patterns[key], self._heads, new = share, None, True
        return new

    def near(self, numbers: Sequence[int], best: Sequence[float]) -> list[float]:
        """For each statement the largest share of a pattern that it unifies with, but at least ``best``."""
        found, library = list(best), self.library
        if not self.patterns or not numbers:
            return found
        if self._heads is None:  # those with the largest share first: the first that unifies decides
            self.patterns = dict(sorted(self.patterns.items(), key=lambda one: -one[1]))
            self._heads = library.heads_of([pattern for pattern, _ in self.patterns])
        patterns = list(self.patterns.items())
        heads = library.heads(numbers)
        for k, j in zip(*(x.tolist() for x in np.nonzero(_alike(heads, self._heads)))):
            (pattern, filled), share = patterns[j]
            if (
                share > found[k]
                and library.alphabet.unified(pattern, library.copy(numbers[k], filled)) is not None
            ):
                found[k] = share
        return found


def _alike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether no place has two symbols: bool ``[n, m]`` of ``[n, places]`` and ``[m, places]``, 0 is none."""
    a, b = one[:, None], other[None]
    return ((a == b) | (a == 0) | (b == 0)).all(-1)


class Subgoals:
    """Of one game, how near a statement brings its goal: 1 if one step is left then and nothing else is missing for
    it, 1/2 if one other premise is, and so on; 0 if no step is known.

    A step counts if its conclusion unifies with the goal.  Each statement that is proved fills a premise of the steps
    that it fits, under the most general unifier, so that what else they need becomes more special.  Distinct
    variables are not looked at: it is a hint.

    Args:
        steps: to the goal, before anything is proved.
    """

    def __init__(self, steps: Steps):
        self.steps, self.library = steps, steps.library
        self.open = dict.fromkeys(step for step in steps.steps if len(step.missing) > 1)
        self.wanted = Wanted(self.library)

    def near(self, numbers: Sequence[int]) -> list[float]:
        """Of statements."""
        return self.wanted.near(numbers, self.steps.near(numbers))

    def prove(self, number: int) -> Wanted:
        """A statement is proved; returns what is wanted because of it."""
        more, library = Wanted(self.library), self.library
        for step in list(self.open):
            one = library.copy(number, step.filled)
            for place, pattern in enumerate(step.missing):
                others = step.missing[:place] + step.missing[place + 1 :]
                left = library.alphabet.unified(pattern, one, others)
                if left is None:
                    continue
                new = Step(tuple(left), step.filled + 1)
                if new not in self.open:
                    if len(left) > 1:
                        self.open[new] = None
                    if self.wanted.add(new):
                        more.add(new)
        return more
