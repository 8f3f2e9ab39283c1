"""What language models imitate: worked solutions, and for the sneaky role solutions with a mistake in them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tensordict import TensorDict

from pvg.agents.language import texts
from pvg.envs.mistakes import corrupt
from pvg.language.book import Book


def lessons(book: Book, roles: Sequence[str], seed: int = 0) -> TensorDict:
    """The provers' problems with an answer for every role, as a batch (see :func:`pvg.agents.language.texts`).

    A translator is told the answer that its lesson leads to; the sneaky role's lessons end with a wrong one.
    """
    chance, prompts, answers = random.Random(seed), [], []
    for p in book.parts["prover"]:
        problem = book.problems[p]
        for role in roles:
            said = corrupt(problem, chance) if role == "sneaky" else problem.solution
            if said is not None:
                prompts.append(book.prompt(role, p, problem.answer))
                answers.append(book.solution(said))
    return texts(prompts, answers)


def readings(book: Book) -> TensorDict:
    """The verifier's problems with their worked solutions, as it will read what provers say."""
    part = book.parts["verifier"]
    answers = [book.solution(book.problems[p].solution) for p in part]
    return texts([book.prompt("verifier", p) for p in part], answers)
