"""Decisions, and what they pay."""

from __future__ import annotations

from dataclasses import dataclass

REJECT, ACCEPT, CONTINUE = 0, 1, 2


@dataclass(frozen=True)
class Payoff:
    """What one agent gets when a game ends: the decision (accept, reject) against the truth of the claim.

    ``undecided`` is paid when the round limit ends a game in which the verifier went on asking.
    """

    accept_true: float = 1.0
    accept_false: float = -1.0
    reject_true: float = -1.0
    reject_false: float = 1.0
    undecided: float = -1.0

    def table(self) -> list[list[float]]:
        """Rows: claim false, claim true.  Columns: reject, accept, continue."""
        return [
            [self.reject_false, self.accept_false, self.undecided],
            [self.reject_true, self.accept_true, self.undecided],
        ]


RIGHT = Payoff()  # for being right: the verifier, and every prover of a cooperative game
PERSUADE = Payoff(1.0, 1.0, 0.0, 0.0, 0.0)  # for acceptance, whatever the truth: an adversarial prover
