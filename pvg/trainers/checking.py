"""The verifier's turn in a round: it learns to tell right solutions from wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.agents.language import Verifier, in_passes
from pvg.errors import UserError
from pvg.language.book import Book
from pvg.language.pool import ROLES, VERDICTS, asked, pairs
from pvg.trainers.supervised import Descent, Optimiser, cross_entropies, tell_apart

PASS = 256  # rows that a verifier scores at once, where nothing else is said
READ = ("answer", "said", "problem", "role", "verdict")


@dataclass
class Checking:
    """How the verifier learns, each round.

    Args:
        steps: of gradient descent, a round.
        problems: on which provers are asked for solutions to learn from, a round.
        k_per_role: successes wanted of a role at a problem (right from the helpful, wrong from the sneaky).
        max_tries_per_task: attempts at one success; what fails is kept too.
        loss: of the scores ``[2, n]`` of right and wrong solutions of the same problem.
        balanced: draw from each prover as many right as wrong solutions, so that a role's style is no cue.
        pull: weight of the scores' mean square.
        accept: share of the helpful prover's right solutions that are to be accepted: it sets the threshold.
        carry: go on from the last round's verifier; otherwise from the same start every round.
        descent: the gradient steps; its batch counts pairs.
    """

    steps: int = 500
    problems: int = 2000
    k_per_role: int = 1
    max_tries_per_task: int = 2
    loss: Callable[[Tensor, float], Tensor] = cross_entropies
    balanced: bool = False
    pull: float = 0.01
    accept: float = 0.945
    carry: bool = False
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=4e-3, batch=64))

    def __post_init__(self):
        for name in ("steps", "problems", "k_per_role", "max_tries_per_task"):
            if getattr(self, name) < 1:
                raise UserError(f"trainer.checking.{name}={getattr(self, name)}: write 1 or more.")
        if not 0 < self.accept < 1:
            raise UserError(
                f"trainer.checking.accept={self.accept}: write a share between 0 and 1, such as 0.94."
            )


class Reader:
    """A verifier with the provers' solutions that it learns from, those of all rounds.

    Args:
        verifier: what learns.
        book: the problems.
        how: in what way.
    """

    def __init__(self, verifier: Verifier, book: Book, how: Checking):
        self.verifier, self.book, self.how = verifier, book, how
        self.pools: list[TensorDictBase] = []
        self._ready: tuple[TensorDict, Tensor, Tensor] | None = None

    def take(self, rows: TensorDictBase) -> None:
        """Learn from these solutions too."""
        self.pools.append(rows)
        self._ready = None

    def step(self, optimiser: Optimiser, draw: torch.Generator) -> dict[str, float]:
        """One step on pairs drawn from all rounds in equal parts."""
        rows, both, weights = self._pairs()
        some = torch.multinomial(weights, self.how.descent.batch, replacement=True, generator=draw)
        right, wrong = (rows[i] for i in both[some].unbind(1))
        self.verifier.train()
        return tell_apart(self.verifier, right, wrong, optimiser, self.how.loss, self.how.pull)

    def _pairs(self) -> tuple[TensorDict, Tensor, Tensor]:
        if self._ready is None:
            learned = [p[~self._calibrates(p)] for p in self.pools]
            rows = torch.cat([p.select(*READ) for p in learned])
            both, weights = pairs(learned, self.how.balanced)
            if not len(both):
                raise UserError(
                    "The provers' solutions hold no right and wrong one of the same problem, so there is nothing for "
                    "the verifier to learn. Raise trainer.checking.problems or trainer.checking.max_tries_per_task."
                )
            self._ready = self._asked(rows), both, weights
        return self._ready

    def settle(self) -> None:
        """Put the threshold where the wanted share of the newest honest prover's right solutions is accepted.

        Pairs say which of two solutions is better and nothing of where to draw the line; ``how.accept`` does, by
        solutions of the calibration problems, from which no agent has learned.  Right solutions of the sneaky prover
        are left out: they are its failures, and nobody is owed their acceptance.
        """
        rows = self.pools[-1]
        owed = (rows["verdict"] == VERDICTS.index("right")) & (rows["role"] != ROLES.index("sneaky"))
        owed &= self._calibrates(rows)
        if not owed.any():
            raise UserError(
                "The honest prover got none of the calibration problems right, so there is no telling where a "
                "verifier should draw its line. Raise trainer.start.steps or trainer.checking.max_tries_per_task, give "
                "more problems, or take a stronger model."
            )
        line = self.scores(rows[owed]).quantile(1 - self.how.accept)
        with torch.no_grad():
            self.verifier.bias.sub_(line.to(self.verifier.bias.device))

    @torch.no_grad()
    def scores(self, rows: TensorDictBase) -> Tensor:
        """The verifier's scores ``[n]`` of a pool's rows."""
        self.verifier.eval()
        batch, size = self._asked(rows), self.how.descent.micro or PASS
        return in_passes(self.verifier, batch, size, self.verifier.device).cpu()

    def _calibrates(self, rows: TensorDictBase) -> Tensor:
        """Which rows are solutions of calibration problems: bool ``[n]``."""
        return torch.isin(rows["problem"], torch.tensor(self.book.parts["calibration"]))

    def _asked(self, rows: TensorDictBase) -> TensorDict:
        count = len(self.book.problems)
        return asked(rows, lambda p, i: self.book.prompt("verifier", p % count))


def read_pools(saved: Sequence[dict[str, Tensor]]) -> list[TensorDictBase]:
    """Pools from a saved state."""
    return [TensorDict(p, [len(p["problem"])]) for p in saved]
