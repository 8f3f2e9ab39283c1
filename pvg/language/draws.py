"""What is drawn, as a function of a request's seed and the token's place alone."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.envs.rules import mix


def draw(logits: Tensor, seeds: Tensor, places: Tensor | int, temperatures: Tensor) -> tuple[Tensor, Tensor]:
    """Draw a token a row by inverting its distribution at a number hashed of seed and place.

    Args:
        logits: float ``[n, vocabulary]``.
        seeds: int64 ``[n]``.
        places: int64 ``[n]``, how many tokens were drawn before.
        temperatures: float ``[n]``; 0 takes the likeliest token.

    Returns:
        tokens ``[n]`` and their log-probabilities ``[n]`` at temperature 1.
    """
    weights = (logits / temperatures.clamp(min=1e-6).unsqueeze(-1)).double().softmax(-1).cumsum(-1)
    u = (mix(seeds * 1_000_003 + places, 1) >> 10).double() * 2.0**-53
    drawn = (weights < (u * weights[:, -1]).unsqueeze(-1)).sum(-1).clamp(max=logits.shape[-1] - 1)
    tokens = torch.where(temperatures > 0, drawn, logits.argmax(-1))
    return tokens, logits.log_softmax(-1).gather(-1, tokens.unsqueeze(-1)).squeeze(-1)
