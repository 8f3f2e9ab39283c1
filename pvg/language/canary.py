"""After a change of weights: does the engine say what the trainer's model says?

An engine that goes on with old weights, or with keys and values of old weights, samples without complaint, and the run
learns from the wrong policy.  Log-probabilities of a few fixed texts tell: in float32 both sides agree to 1e-5, and
with other weights they don't.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from pvg.errors import UserError
from pvg.language.engine import Engine

EXACT, ROUGH = 1e-4, 0.3  # nats by which both may differ in float32, and in types of 8 or 11 bits


class StaleEngine(UserError):
    """An engine's log-probabilities are not those of the trainer's model."""


@torch.no_grad()
def check(
    engine: Engine, model: Any, texts: Sequence[Sequence[int]], tolerance: float | None = None
) -> float:
    """Compare the engine's log-probabilities of texts with the model's, token by token.

    Args:
        engine: it should hold the weights of ``model``.
        model: a causal language model of transformers.
        texts: token ids; at least two each.
        tolerance: nats by which they may differ at any token; None for what the model's type of numbers allows.  Give
            it where the engine's type is a rougher one.

    Returns:
        by how much they differ at most.

    Raises:
        StaleEngine: they differ by more, or the engine's are no numbers.
    """
    if tolerance is None:
        tolerance = EXACT if model.dtype in (torch.float32, torch.float64) else ROUGH
    worst, where = 0.0, (0, 0, 0.0, 0.0)
    for i, (text, said) in enumerate(zip(texts, engine.score(texts), strict=True)):
        tokens = torch.tensor([list(text)], device=model.device)
        logits = model(input_ids=tokens, use_cache=False).logits[0, :-1].float()
        right = logits.log_softmax(-1).gather(-1, tokens[0, 1:, None]).squeeze(-1).cpu()
        apart = (torch.tensor(said) - right).abs().nan_to_num(torch.inf, torch.inf)
        at = int(apart.argmax())
        if apart[at] > worst:
            worst, where = float(apart[at]), (i, at + 1, said[at], float(right[at]))
    if worst > tolerance:
        n, token, ours, theirs = where
        raise StaleEngine(
            f"The engine is stale: after weights {engine.version} it gives token {token} of canary text {n} the "
            f"log-probability {ours:.6g}, and the trainer's model gives it {theirs:.6g}; they may differ by "
            f"{tolerance:g}. What it samples is not of the policy that is trained, so the run stops. Go on from the "
            "last checkpoint with another engine, engine=transformers say."
        )
    return worst
