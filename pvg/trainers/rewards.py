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


def centred(score: Tensor, group: Tensor, among: Tensor | None = None) -> Tensor:
    """Scores less the mean of their group.

    Args:
        score: ``[n]``.
        group: int64 ``[n]`` from 0, the same for all answers to a problem in a role.
        among: bool ``[n]``, whose mean it is: answers that are as the role wants them.  Were a sneaky prover's right
            answers in it, every wrong one would lie below the mean, and being wrong would not pay.  A group that has
            none of them is centred on its own mean.
    """
    among = torch.ones_like(group, dtype=torch.bool) if among is None else among
    count = torch.zeros(int(group.max()) + 1, device=score.device)
    chosen = count.index_add(0, group, among.float())[group]
    weight = torch.where(chosen > 0, among.float(), 1.0)
    total = count.index_add(0, group, score * weight)
    return score - (total / count.index_add(0, group, weight).clamp(min=1))[group]


def src(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor) -> Tensor:
    """(2c-1)(2h-1) V' where V' > 0, else -1: to convince pays in one's own role, and costs in the other's."""
    sign = torch.where(right == helpful, 1.0, -1.0)
    return torch.where(score > 0, sign * score, -1.0).masked_fill(~parsed, -1.0)


def cgc(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor) -> Tensor:
    """V' in one's own role and -1 outside it: correctness is the gate, convincingness what counts behind it."""
    return torch.where(right == helpful, score, -1.0).masked_fill(~parsed, -1.0)


def goodhart(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor) -> Tensor:
    """V' whatever the truth: what a prover does that is only paid to convince."""
    return score.masked_fill(~parsed, -1.0)


def correctness(score: Tensor, right: Tensor, helpful: Tensor, parsed: Tensor) -> Tensor:
    """1 in one's own role, else 0; the verifier has no say."""
    return (right == helpful).to(score.dtype).masked_fill(~parsed, -1.0)
