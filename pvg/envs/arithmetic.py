"""Word problems made on the spot: sums in a few steps about who has how many of what, with worked solutions.

Small enough that a network of .1 M parameters learns to solve them in a minute, and a wrong step in a solution is
a matter of a single word, as in the word problems of children.
"""

from __future__ import annotations

import random

from pvg.envs.problems import Problem
from pvg.errors import UserError

NAMES = {"Ann": "She", "Ben": "He", "Eve": "She", "Tom": "He"}
THINGS = ("apples", "books", "coins", "pens")
VERBS = {"finds": 1, "buys": 1, "gets": 1, "loses": -1, "sells": -1, "gives": -1}
LARGEST = 20  # of all numbers in a problem and its solution


def synthetic(count: int, seed: int = 0, steps: int = 2, first: int = 9) -> list[Problem]:
    """So many different problems of so many steps, the same for the same seed.

    Args:
        first: the largest number that a problem begins with, less than ``LARGEST``; the larger, the more solutions.

    Raises:
        UserError: there are not so many, or hardly.
    """
    draw, found = random.Random(seed), dict[str, Problem]()
    idle = 0
    while len(found) < count:
        before = len(found)
        problem = _draw(draw, steps, first)
        found.setdefault(problem.question, problem)
        idle = 0 if len(found) > before else idle + 1
        if idle > 100:  # so many draws in a row were old: next to none is left
            raise UserError(
                f"env: {count:,} synthetic problems of {steps} steps were asked for, and there are little more than "
                f"{len(found):,}. Lower env.count (env.train, env.test), or raise env.steps where there is such a key."
            )
    return list(found.values())


def _draw(draw: random.Random, count: int, first: int) -> Problem:
    name, things = draw.choice(list(NAMES)), draw.choice(THINGS)
    have = draw.randint(2, first)
    said, steps = [f"{name} has {have} {things} ."], []
    for _ in range(count):
        verb = draw.choice([v for v, sign in VERBS.items() if 0 < have + sign <= LARGEST])
        sign = VERBS[verb]
        some = draw.randint(1, min(9, LARGEST - have) if sign > 0 else min(9, have - 1))
        said.append(f"{NAMES[name]} {verb} {some} .")
        steps.append(f"{have} {'+' if sign > 0 else '-'} {some} = {have + sign * some} .")
        have += sign * some
    return Problem(" ".join(said), " ".join([*steps, f"#### {have}"]), str(have))
