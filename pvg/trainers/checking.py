"""The verifier's turn in a round: it learns to tell right solutions from wrong ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.agents.language import Verifier
from pvg.errors import UserError
from pvg.language.book import Book
from pvg.language.pool import ROLES, VERDICTS, asked, pairs
from pvg.trainers.supervised import Descent, Optimiser, bradley_terry, tell_apart

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
        pull: weight of the scores' mean square.
        carry: go on from the last round's verifier; otherwise from the same start every round.
        descent: the gradient steps; its batch counts pairs.
    """

    steps: int = 400
    problems: int = 1000
    k_per_role: int = 2
    max_tries_per_task: int = 2
    loss: Callable[[Tensor, float], Tensor] = bradley_terry
    pull: float = 0.01
    carry: bool = False
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=2e-3, batch=128))

    def __post_init__(self):
        for name in ("steps", "problems", "k_per_role", "max_tries_per_task"):
            if getattr(self, name) < 1:
                raise UserError(f"trainer.checking.{name}={getattr(self, name)}: write 1 or more.")


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
            rows = torch.cat([p.select(*READ) for p in self.pools])
            both, weights = pairs(self.pools)
            if not len(both):
                raise UserError(
                    "The provers' solutions hold no right and wrong one of the same problem, so there is nothing for "
                    "the verifier to learn. Raise trainer.checking.problems or trainer.checking.max_tries_per_task."
                )
            self._ready = self._put(rows), both, weights
        return self._ready

    def settle(self) -> None:
        """Put the threshold where the verifier is right most often on what it has learned from.

        Right and wrong weigh the same within each role and round, as they do in what it learns from.
        """
        score = torch.cat([self.scores(rows) for rows in self.pools])
        weight = torch.cat([_balanced(rows) for rows in self.pools])
        right = torch.cat([rows["verdict"] == VERDICTS.index("right") for rows in self.pools])
        order = score.argsort()
        gain = torch.where(right, -weight, weight)[order].cumsum(0)  # of rejecting all up to here
        best = int(gain.argmax())
        between = score[order[best : best + 2]].mean()
        with torch.no_grad():
            self.verifier.bias -= between.to(self.verifier.bias.device)

    @torch.no_grad()
    def scores(self, rows: TensorDictBase) -> Tensor:
        """The verifier's scores ``[n]`` of a pool's rows."""
        self.verifier.eval()
        batch = self._put(rows)
        return torch.cat([self.verifier(piece) for piece in batch.split(256)]).cpu()

    def _put(self, rows: TensorDictBase) -> TensorDict:
        count = len(self.book.problems)
        whole = asked(rows, lambda p, i: self.book.prompt("verifier", p % count))
        return whole.to(self.verifier.bias.device)


def _balanced(rows: TensorDictBase, least: int = 20) -> Tensor:
    """Weights ``[n]`` with which right and wrong answers weigh the same in each role; what can't be read has none.

    Args:
        least: a few answers of a kind don't weigh as much as ``least``.
    """
    weight = torch.zeros(len(rows))
    for role in range(len(ROLES)):
        for verdict in ("right", "wrong"):
            own = (rows["role"] == role) & (rows["verdict"] == VERDICTS.index(verdict))
            weight[own] = 1.0 / own.sum().clamp(min=least)
    return weight


def read_pools(saved: Sequence[dict[str, Tensor]]) -> list[TensorDictBase]:
    """Pools from a saved state."""
    return [TensorDict(p, [len(p["problem"])]) for p in saved]
