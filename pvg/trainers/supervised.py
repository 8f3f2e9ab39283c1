"""Supervised learning of language models: answers to imitate, and solutions to tell apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, logsigmoid

from pvg.agents.language import LanguageAgent, Verifier, pieces, trim
from pvg.errors import UserError


@dataclass
class Descent:
    """How a language model's gradient steps are made.

    Args:
        learning_rate: of AdamW at its highest; it rises over the first steps and falls linearly to nothing.
        warm: share of the steps in which it rises.
        batch: texts (or pairs) a step.
        micro: texts a pass; gradients of several passes are added up. None for all at once.
        weight_decay: AdamW's.
        max_grad_norm: of a step.
        mixed: compute in bfloat16 where torch deems it safe (autocast).
    """

    learning_rate: float = 3e-3
    warm: float = 0.05
    batch: int = 128
    micro: int | None = None
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    mixed: bool = False

    def __post_init__(self):
        for name in ("batch", "micro"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UserError(f"trainer: {name}={value} must be 1 or more.")


@dataclass
class Start:
    """The supervised start: provers imitate worked solutions, in the sneaky role spoilt ones, the verifier right ones.

    Args:
        steps: of the provers; 0 for models that can do it already.
        reading: steps of the verifier, at most.
        enough: nats a token: where the verifier's loss, in the mean of about ten steps, has come down to this, it
            stops, and its learning rate does not fall before.  None lets it go on to the end.  How well a verifier
            reckons decides how far it can be fooled, and after a given number of steps that differs from seed to seed.
        descent: the gradient steps.
    """

    steps: int = 500
    reading: int = 1500
    enough: float | None = 0.22
    descent: Descent = field(default_factory=Descent)


class Optimiser:
    """AdamW with a schedule, on what an agent lets learn.

    Args:
        agent: what learns.
        how: in what way.
        steps: how many there will be.
        falls: whether the learning rate falls to nothing by the last of them.
    """

    def __init__(self, agent: LanguageAgent, how: Descent, steps: int, falls: bool = True):
        self.agent, self.how, self.steps, self.falls, self.done = agent, how, steps, falls, 0
        self.parameters = [p for p in agent.parameters() if p.requires_grad]
        self.adam = torch.optim.AdamW(
            self.parameters, how.learning_rate, betas=(0.9, 0.98), weight_decay=how.weight_decay
        )

    def pieces(self, batch: TensorDictBase) -> Iterator[TensorDict]:
        """A batch in pieces for one pass each, without columns that are padding, where the agent is."""
        return pieces(batch, self.how.micro or len(batch), self.agent.device)

    def mixed(self) -> torch.autocast:
        """Where forward passes belong."""
        return torch.autocast(self.agent.device.type, dtype=torch.bfloat16, enabled=self.how.mixed)

    def step(self) -> None:
        """Use the gradients that have come together, and forget them."""
        rise = max(1, round(self.how.warm * self.steps))
        share = min(1.0, (self.done + 1) / rise)
        if self.falls:
            share = min(share, (self.steps - self.done) / max(1, self.steps - rise))
        for group in self.adam.param_groups:
            group["lr"] = self.how.learning_rate * max(share, 0.0)
        nn.utils.clip_grad_norm_(self.parameters, self.how.max_grad_norm)
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)
        self.done += 1

    def state_dict(self) -> dict:
        """Where it is."""
        return {"done": self.done, "adam": self.adam.state_dict()}

    def load_state_dict(self, saved: dict) -> None:
        """Go on from there."""
        self.done = saved["done"]
        self.adam.load_state_dict(saved["adam"])


def imitate(agent: LanguageAgent, batch: TensorDictBase, optimiser: Optimiser) -> dict[str, float]:
    """One step towards saying these answers ``[n]``, as :func:`pvg.agents.language.texts` makes them."""
    loss = imitation(agent, batch, optimiser)
    optimiser.step()
    return {"loss": loss}


def imitation(
    agent: LanguageAgent, batch: TensorDictBase, optimiser: Optimiser, weight: float = 1.0
) -> float:
    """Add the gradient of the cross-entropy of these answers' tokens, ``weight`` times; gives its value.

    Args:
        batch: as :func:`pvg.agents.language.texts` makes it, ``[n]``.
    """
    total, loss = batch["said"].sum().clamp(min=1).to(agent.device), torch.zeros((), device=agent.device)
    for piece in optimiser.pieces(batch):
        with optimiser.mixed():
            logits = agent.logits(piece)
        wanted = piece["answer"].masked_fill(~piece["said"], -100)
        part = (
            cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=-100, reduction="sum") / total
        )
        (part * weight).backward()
        loss += part.detach()
    return float(loss)


def bradley_terry(score: Tensor, pull: float) -> Tensor:
    """Loss of scores ``[2, n]``, right solutions first (Bradley and Terry 1952): a right solution scores above a wrong
    one of the same problem.  Pairs say nothing of the level: ``pull`` times the mean square keeps it about 0."""
    return -logsigmoid(score[0] - score[1]).mean() + pull * score.square().mean()


def cross_entropies(score: Tensor, pull: float) -> Tensor:
    """Loss of scores ``[2, n]``, right solutions first, as log-odds of being right."""
    truth = torch.zeros_like(score)
    truth[0] = 1
    return binary_cross_entropy_with_logits(score, truth) + pull * score.square().mean()


def tell_apart(
    verifier: Verifier,
    right: TensorDictBase,
    wrong: TensorDictBase,
    optimiser: Optimiser,
    loss: Callable[[Tensor, float], Tensor],
    pull: float,
) -> dict[str, float]:
    """One step towards scoring each right solution above the wrong one beside it.

    Args:
        right, wrong: as :func:`pvg.language.pool.asked` makes them, ``[n]`` each.
        loss: of scores ``[2, n]``, right ones first, and ``pull``.
    """
    n, found = len(right), torch.zeros(2, device=verifier.device)
    size = optimiser.how.micro or n
    for a, b in zip(right.split(size), wrong.split(size), strict=True):
        with optimiser.mixed():
            score = verifier(trim(torch.cat([a, b])).to(verifier.device)).view(2, -1)
        part = loss(score, pull) * (len(a) / n)
        part.backward()
        found += torch.stack([part.detach(), (score[0] > score[1]).sum() / n])
    optimiser.step()
    return dict(zip(("loss", "pairs_right"), found.tolist(), strict=True))
