"""What a generator's theorem earns; configs name one of these.

All take :class:`Outcomes` of ``n`` theorems whose proofs are verified, and give float ``[n]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Outcomes(NamedTuple):
    """Theorems and what became of them.

    Attributes:
        failed: share of the prover's attempts that failed, float ``[n]``; 1 where there was none, or where the setup
            does not send outcomes to the generator's trainer.
        seen: how often each has come up to renaming, this time included, float ``[n]``.
        size: symbols of the statement, float ``[n]``.
        depth: longest chain of steps in the proof, float ``[n]``.
        steps: of the proof, float ``[n]``.
    """

    failed: Tensor
    seen: Tensor
    size: Tensor
    depth: Tensor
    steps: Tensor


Reward = Callable[[Outcomes], Tensor]


def novel(outcomes: Outcomes, length: float = 0.01, novelty: float = 1.0) -> Tensor:
    """The share that failed, divided by how often the theorem was seen (to the power of ``novelty``), less ``length`` a
    symbol.
    """
    return outcomes.failed / outcomes.seen**novelty - length * outcomes.size


def failed(outcomes: Outcomes) -> Tensor:
    """1 if an attempt failed, else 0; meant for one attempt, with nothing for what is new."""
    return (outcomes.failed > 0).float()


def frontier(outcomes: Outcomes, length: float = 0.01, novelty: float = 1.0) -> Tensor:
    """4 s (1 - s), s the share that succeeded: what is barely proved pays most; divided as ``novel`` is."""
    return 4 * outcomes.failed * (1 - outcomes.failed) / outcomes.seen**novelty - length * outcomes.size


def size_by_depth(outcomes: Outcomes) -> Tensor:
    """Depth of the proof for each symbol of the statement, however the prover fares: short and deep is good."""
    return outcomes.depth / outcomes.size / outcomes.seen


def conditional(outcomes: Outcomes) -> Tensor:
    """Whether it failed, as 0 or 1: a token that the generator is conditioned on, and not paid (see the trainer)."""
    return (outcomes.failed > 0.5).float()


conditional.is_token = True  # type: ignore[attr-defined]


def is_token(reward: Reward) -> bool:
    """Whether a reward is a token that the generator is conditioned on."""
    return getattr(getattr(reward, "func", reward), "is_token", False)


def reads_outcomes(reward: Reward) -> bool:
    """Whether a reward depends on how the prover fares: tried on theorems that differ in nothing else."""
    ones = torch.ones(3)
    earned = reward(Outcomes(torch.tensor([0.0, 0.5, 1.0]), ones, ones, ones, ones))
    return bool((earned != earned[0]).any())


def depths(premises: Sequence[tuple[int, ...]], given: int = 0) -> Tensor:
    """The longest chain of steps to each node, int64 ``[given + steps]``; ``premises`` are places of earlier nodes.

    The first ``given`` nodes are hypotheses, which no step leads to.
    """
    found = [0] * given
    for below in premises:
        found.append(1 + max([found[k] for k in below], default=0))
    return torch.tensor(found)
