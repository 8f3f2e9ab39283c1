"""After a change of weights: does the engine say what the trainer's model says?

An engine that goes on with old weights, or with keys and values of old weights, samples without complaint, and the run
learns from the wrong policy.  Log-probabilities of a few fixed texts tell: in float32 both sides agree to 1e-5, and
with other weights they don't.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

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
        engine: it should hold the weights of ``model``; where it has workers, each of them.
        model: a causal language model of transformers.
        texts: token ids; at least two each.
        tolerance: nats by which they may differ at any token; None for what the rougher type of numbers allows, the
            engine's or the model's.

    Returns:
        by how much they differ at most.

    Raises:
        StaleEngine: they differ by more, or the engine's are no numbers.
    """
    right = [_log_probs(model, text) for text in texts]
    worst, where = 0.0, (0, 0, 0, 0.0, 0.0)
    parts = getattr(engine, "parts", [engine])
    if tolerance is None:
        exact = {model.dtype, *(part.dtype for part in parts)} <= {torch.float32, torch.float64}
        tolerance = EXACT if exact else ROUGH
    for n, part in enumerate(parts):
        for i, (ours, theirs) in enumerate(zip(map(torch.tensor, part.score(texts)), right, strict=True)):
            apart = (ours - theirs).abs().nan_to_num(torch.inf, torch.inf)
            at = int(apart.argmax())
            if apart[at] > worst:
                worst, where = float(apart[at]), (n, i, at + 1, float(ours[at]), float(theirs[at]))
    if worst > tolerance:
        worker, number, token, said, wanted = where
        whose = f"The engine of worker {worker}" if len(parts) > 1 else "The engine"
        raise StaleEngine(
            f"{whose} is stale: after weights {engine.version} it gives token {token} of canary text {number} the "
            f"log-probability {said:.6g}, and the trainer's model gives it {wanted:.6g}; they may differ by "
            f"{tolerance:g}. What it samples is not of the policy that is trained, so the run stops. Go on from the "
            "last checkpoint with another engine, engine=transformers say."
        )
    return worst


def _log_probs(model: Any, text: Sequence[int]) -> Tensor:
    tokens = torch.tensor([list(text)], device=model.device)
    logits = model(input_ids=tokens, use_cache=False).logits[0, :-1].float()
    return logits.log_softmax(-1).gather(-1, tokens[0, 1:, None]).squeeze(-1).cpu()
