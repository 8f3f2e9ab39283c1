"""Provers learn from what their answers earn: PPO on tokens with a value head, or GRPO."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor
from torchrl.objectives.llm.grpo import GRPOLoss
from torchrl.objectives.value.functional import vec_generalized_advantage_estimate

from pvg.agents.language import Prover
from pvg.errors import UserError
from pvg.trainers.supervised import Descent, Optimiser, imitation


@dataclass
class PolicyGradient:
    """How provers learn in a round.

    Args:
        iterations: of sampling and learning, a round.
        problems: drawn for an iteration; every role gets each of them.
        samples: answers to each, so that the verifier's score can be centred and groups be compared.
        epochs: passes over an iteration's answers.
        advantage: ``value``: what an answer earned beyond the value head's estimate at each token (PPO, Schulman
            et al. 2017, with GAE); ``group``: beyond the mean of its group, in standard deviations (GRPO, Shao et
            al. 2024).
        clip, entropy, kl, critic: PPO's clip range and the weights of the entropy, of the distance to the policy
            that the game began with (Schulman's estimator k3), and of the value's loss.
        lmbda: of GAE; the discount is 1.
        lessons: weight of imitating a quarter as many worked solutions beside, which keeps the helpful role right
            while all else changes (Ouyang et al. 2022, section 3.5: PPO-ptx).
        carry: go on from the last round's provers; otherwise every attack begins at the same start, where the policy
            still tries everything, and its steps tell how hard each round's verifier is to fool.
        descent: the gradient steps.
    """

    iterations: int = 100
    problems: int = 24
    samples: int = 8
    epochs: int = 1
    advantage: Literal["value", "group"] = "group"
    clip: float = 0.2
    entropy: float = 0.01
    kl: float = 0.0
    critic: float = 0.5
    lmbda: float = 1.0
    lessons: float = 0.5
    carry: bool = False
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=2e-3, warm=0.05, batch=192))

    def __post_init__(self):
        for name, least in (("iterations", 0), ("problems", 1), ("samples", 2), ("epochs", 1)):
            if getattr(self, name) < least:
                raise UserError(f"trainer.provers.{name}={getattr(self, name)}: write {least} or more.")
        if self.advantage not in ("value", "group"):
            raise UserError(f"trainer.provers.advantage={self.advantage}: write value or group.")

    def steps(self, roles: int) -> int:
        """Gradient steps a round, where so many roles learn."""
        return self.iterations * self.epochs * -(-roles * self.problems * self.samples // self.descent.batch)


class _Words:
    """Distribution of tokens, all of which count, as TorchRL's loss for language models wants it."""

    def __init__(self, logits: Tensor):
        self.logits = logits.log_softmax(-1)
        self.mask = torch.ones(logits.shape[:-1], dtype=torch.bool, device=logits.device)

    def log_prob(self, tokens: Tensor) -> Tensor:
        return self.logits.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        return -(self.logits.exp() * self.logits).sum(-1)


class _Policy(torch.nn.Module):
    """The prover as the loss sees it: logits that have been computed already."""

    in_keys = ["logits"]

    def get_dist(self, tensordict: TensorDictBase, logits_key: str = "logits") -> _Words:
        return _Words(tensordict[logits_key])


def make_loss(how: PolicyGradient) -> GRPOLoss:
    """TorchRL's loss on tokens ``[1, n]``; what is PPO's or GRPO's own is the advantage."""
    loss = GRPOLoss(
        _Policy(),  # type: ignore[arg-type]
        clip_epsilon=how.clip,
        entropy_bonus=True,
        entropy_coeff=how.entropy,
        kl_to_ref_coeff=how.kl or None,
        masking_strategy="generic",
    )
    keys = {"action": "answer", "sample_log_prob": "log_probs", "ref_log_probs": "ref_log_probs"}
    loss.set_keys(advantage="advantage", **keys)
    return loss


def advantages(batch: TensorDictBase, how: PolicyGradient) -> None:
    """Write ``advantage`` ``[n, a, 1]``, and for a value head ``value_target`` ``[n, a]``.

    Args:
        batch: with ``reward`` ``[n]``, ``said`` ``[n, a]``, ``group`` int64 ``[n]`` of answers to one problem in one
            role, and ``helpful`` bool ``[n]``; for a value head also its ``value`` ``[n, a]``.
    """
    said, reward = batch["said"], batch["reward"]
    if how.advantage == "group":
        advantage = grouped(reward, batch["group"]).unsqueeze(-1).expand_as(said)
    else:
        ends = torch.zeros_like(said).scatter_(1, said.sum(-1, keepdim=True) - 1, True)
        value = batch["value"]
        after = torch.nn.functional.pad(value[:, 1:], (0, 1))
        paid = torch.where(ends, reward.unsqueeze(-1), 0.0)
        found = vec_generalized_advantage_estimate(
            1.0, how.lmbda, *(x.unsqueeze(-1) for x in (value, after, paid, ends, ends))
        )
        advantage, target = (x.squeeze(-1) for x in found)
        batch.set("value_target", target)
        advantage = advantage.clone()
        for role in (batch["helpful"], ~batch["helpful"]):  # roles earn on different scales
            own = said & role.unsqueeze(-1)
            if own.any():
                some = advantage[own]
                advantage[own] = (some - some.mean()) / (some.std(correction=0) + 1e-6)
    batch.set("advantage", advantage.unsqueeze(-1))


def grouped(reward: Tensor, group: Tensor) -> Tensor:
    """Rewards ``[n]`` less their group's mean, in its standard deviations (Shao et al. 2024, section 4.1)."""
    count = torch.bincount(group).clamp(min=1).to(reward.dtype)

    def mean(x: Tensor) -> Tensor:
        return (torch.zeros_like(count).index_add(0, group, x) / count)[group]

    apart = reward - mean(reward)
    return apart / (mean(apart.square()).sqrt() + 1e-4)


def learn(
    prover: Prover,
    batch: TensorDictBase,
    how: PolicyGradient,
    loss: GRPOLoss,
    optimiser: Optimiser,
    lessons: TensorDictBase | None = None,
) -> dict[str, float]:
    """Epochs of gradient steps on answers ``[n]`` with all that :func:`advantages` writes.

    Args:
        lessons: worked solutions to imitate beside.
    """
    seen = []
    for _ in range(how.epochs):
        for rows in torch.randperm(len(batch), device=batch.device).split(how.descent.batch):
            if lessons is not None and how.lessons:
                count = max(1, len(rows) // 4)  # as many would cost as much as all the rest
                some = lessons[torch.randint(len(lessons), (count,))].to(batch.device)
                imitation(prover, some, optimiser, how.lessons)
            seen.append(_step(prover, batch[rows], how, loss, optimiser))
    names = ("loss", "value_loss", "entropy", "clipped", "kl")
    return dict(zip(names, torch.stack(seen).mean(0).tolist(), strict=True))


def _step(
    prover: Prover, batch: TensorDictBase, how: PolicyGradient, loss: GRPOLoss, optimiser: Optimiser
) -> Tensor:
    total = batch["said"].sum().to(prover.device)
    kept = torch.zeros(5, device=prover.device)
    for piece in optimiser.pieces(batch):
        said = piece["said"]
        share = said.sum() / total
        with optimiser.mixed():
            logits, value = prover(piece)
        # only tokens that exist go to the loss: it would count padding in its means of the divergence and the entropy
        words = {k: piece[k][said].unsqueeze(0) for k in loss.in_keys if k in piece}
        out = loss(TensorDict({**words, "logits": logits[said].unsqueeze(0)}, [1]))
        kl, critic = out.loss_kl_to_ref, value.new_zeros(())
        whole = out.loss_objective + out.loss_entropy + (0.0 if kl is None else kl)
        if how.advantage == "value":
            critic = (value - piece["value_target"])[said].square().mean()
            whole = whole + how.critic * critic
        (whole * share).backward()
        far = value.new_zeros(()) if kl is None else out.kl_to_ref
        stats = out.loss_objective, critic, out.entropy, out.clip_fraction, far
        kept += share * torch.stack([x.detach().reshape(()) for x in stats])
    optimiser.step()
    return kept
