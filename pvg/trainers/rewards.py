"""What a prover's answer earns (Kirchner et al. 2024, section 3): functions of the verifier's score and the truth.

All take ``score`` float ``[n]`` (the verifier's, centred per problem and role), ``right`` bool ``[n]`` (the answer
is right), ``helpful`` bool ``[n]`` (the role wants it so) and ``parsed`` bool ``[n]`` (there is an answer at all), and
give ``[n]``.  An answer that can't be read always earns -1.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Reward = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def centred(score: Tensor, group: Tensor) -> Tensor:
    """Scores less the mean of their group.

    Args:
        score: ``[n]``.
        group: int64 ``[n]`` from 0, the same for all answers to a problem in a role.
    """
    count = torch.zeros(int(group.max()) + 1, device=score.device)
    total = count.index_add(0, group, score)
    return score - (total / count.index_add(0, group, torch.ones_like(score)).clamp(min=1))[group]


def src(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor) -> Tensor:
    """(2c-1)(2h-1) V' where V' > 0, else -1: to convince pays in one's own role, and costs in the other's."""
    sign = torch.where(right == helpful, 1.0, -1.0)
    return torch.where(score > 0, sign * score, -1.0).masked_fill(~parsed, -1.0)


def cgc(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor, gate: float = 1.0) -> Tensor:
    """V' in one's own role and ``-gate`` outside it: correctness is the gate, convincingness what counts behind it."""
    return torch.where(right == helpful, score, -gate).masked_fill(~parsed, -1.0)


def goodhart(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor) -> Tensor:
    """V' whatever the truth: what a prover does that is only paid to convince."""
    return score.masked_fill(~parsed, -1.0)


def correctness(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor) -> Tensor:
    """1 in one's own role, else 0; the verifier has no say."""
    return (right == helpful).to(score.dtype).masked_fill(~parsed, -1.0)
