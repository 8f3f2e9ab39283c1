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
MOST = 110_000  # of the 221,184 different questions


def synthetic(count: int, seed: int = 0, steps: int = 2) -> list[Problem]:
    """So many different problems of so many steps, the same for the same seed.

    Raises:
        UserError: more than half of those that there are.
    """
    if count > MOST:
        raise UserError(f"env.count={count}: at most {MOST:,} synthetic problems can be had. Lower it.")
    draw, found = random.Random(seed), dict[str, Problem]()
    while len(found) < count:
        problem = _draw(draw, steps)
        found.setdefault(problem.question, problem)
    return list(found.values())


def _draw(draw: random.Random, count: int) -> Problem:
    name, things = draw.choice(list(NAMES)), draw.choice(THINGS)
    have = draw.randint(2, 9)
    said, steps = [f"{name} has {have} {things} ."], []
    for _ in range(count):
        verb = draw.choice([v for v, sign in VERBS.items() if 0 < have + sign <= LARGEST])
        sign = VERBS[verb]
        some = draw.randint(1, min(9, LARGEST - have) if sign > 0 else min(9, have - 1))
        said.append(f"{NAMES[name]} {verb} {some} .")
        steps.append(f"{have} {'+' if sign > 0 else '-'} {some} = {have + sign * some} .")
        have += sign * some
    return Problem(" ".join(said), " ".join([*steps, f"#### {have}"]), str(have))
