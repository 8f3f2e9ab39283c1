"""What a generator's theorem earns; configs name one of these.

All take a :class:`Judged` of ``n`` theorems whose proofs are verified, and give float ``[n]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Judged(NamedTuple):
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


Reward = Callable[[Judged], Tensor]


def novel(judged: Judged, length: float = 0.01, novelty: float = 1.0) -> Tensor:
    """The share that failed, divided by how often the theorem was seen (to the power of ``novelty``), less ``length`` a
    symbol.
    """
    return judged.failed / judged.seen**novelty - length * judged.size


def failed(judged: Judged) -> Tensor:
    """1 if an attempt failed, else 0; meant for one attempt, with nothing for what is new."""
    return (judged.failed > 0).float()


def frontier(judged: Judged, length: float = 0.01, novelty: float = 1.0) -> Tensor:
    """4 s (1 - s), s the share that succeeded: what is barely proved pays most; divided as ``novel`` is."""
    return 4 * judged.failed * (1 - judged.failed) / judged.seen**novelty - length * judged.size


def size_by_depth(judged: Judged) -> Tensor:
    """Depth of the proof for each symbol of the statement, however the prover fares: short and deep is good."""
    return judged.depth / judged.size / judged.seen


def conditional(judged: Judged) -> Tensor:
    """Whether it failed, as 0 or 1: told to the generator as a token to go by, and not paid (see the trainer)."""
    return (judged.failed > 0.5).float()


conditional.told = True  # type: ignore[attr-defined]


def told(reward: Reward) -> bool:
    """Whether a reward is a token that the generator learns to go by."""
    return getattr(getattr(reward, "func", reward), "told", False)


def reads_outcomes(reward: Reward) -> bool:
    """Whether a reward depends on how the prover fares: tried on theorems that differ in nothing else."""
    ones = torch.ones(3)
    earned = reward(Judged(torch.tensor([0.0, 0.5, 1.0]), ones, ones, ones, ones))
    return bool((earned != earned[0]).any())


def depths(premises: list[tuple[int, ...]]) -> Tensor:
    """The longest chain below each step, int64 ``[steps]``; ``premises`` are places of earlier steps."""
    found: list[int] = []
    for below in premises:
        found.append(1 + max([found[k] for k in below], default=0))
    return torch.tensor(found)
