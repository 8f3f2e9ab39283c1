"""Who learns from whom: the setups of the game between generator and prover, as data."""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["generator actor", "generator trainer", "prover actor", "prover trainer", "database"]


class Route(NamedTuple):
    """What one role sends to another."""

    sender: Role
    receiver: Role
    what: str


GOALS = Route("generator actor", "prover actor", "goals")
PLAYS = Route("generator actor", "generator trainer", "plays")
PROOFS = Route("generator actor", "prover trainer", "proofs")
OUTCOMES = Route("prover actor", "generator trainer", "outcomes")
FOUND = Route("prover actor", "prover trainer", "proofs")
DATABASE_TO_PROVER = Route("database", "prover trainer", "proofs")
DATABASE_TO_GENERATOR = Route("database", "generator trainer", "proofs")

PROVER_LEARNS = frozenset({GOALS, PROOFS, FOUND, DATABASE_TO_PROVER})
SETUPS: dict[str, frozenset[Route]] = {
    "adversarial": PROVER_LEARNS | {PLAYS, OUTCOMES},
    "fixed_prover": frozenset({GOALS, PLAYS, OUTCOMES}),
    "fixed_generator": PROVER_LEARNS,
    "heuristic": PROVER_LEARNS | {PLAYS},  # without OUTCOMES: the reward is of the proof alone
    "supervised_generator": PROVER_LEARNS | {DATABASE_TO_GENERATOR},
    "generator_only": frozenset({PLAYS}),
    "prover_only": frozenset({DATABASE_TO_PROVER}),
    "none": frozenset(),
}
