"""Plan, then imitate the plan: a policy learns from the search that it leads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor
from torch.nn import functional
from torchrl.data import LazyTensorStorage, TensorDictReplayBuffer

from pvg.errors import UserError
from pvg.planning.networks import Policy
from pvg.planning.planner import Planner, target_policy
from pvg.planning.play import Play

RECENT = 50  # episodes that are reported on


@dataclass
class Imitation:
    """How the policy learns.

    Args:
        temperature: of the target, a softmax of the root's returns; 0 puts all on the best actions, evenly.
        updates: steps of the optimiser after each decision (of all games).
        batch: decisions a step.
        capacity: decisions kept in the replay buffer.
        first: decisions to be made before learning begins.
        learning_rate: of Adam.
        l2: what half the squared length of all weights costs.
        value: what the squared error of the policy's value costs, if it has one.
    """

    temperature: float = 0.0
    updates: int = 4
    batch: int = 128
    capacity: int = 4000
    first: int = 256
    learning_rate: float = 1e-3
    l2: float = 1e-3
    value: float = 0.5

    def __post_init__(self):
        if min(self.updates, self.batch, self.capacity, self.first) < 1:
            raise UserError("trainer.imitation: updates, batch, capacity and first are 1 or more.")
        if min(self.temperature, self.l2, self.value) < 0:
            raise UserError("trainer.imitation: temperature, l2 and value are 0 or more.")


class Planning:
    """Plays games by planning; after every decision the policy, if there is one, learns to say what the plans said.

    The loss is the cross-entropy between the policy and the target that the returns of the root's actions make
    (Junyent, Jonsson and Gómez 2019, eq. 4), with an L2 penalty.  A policy with a value learns, too, the discounted
    return of the game as it was played, once that has ended (Junyent, Gómez and Jonsson 2021); in the search it stands
    for what follows where a tree ends.

    Args:
        planner: in as many games as it has trees.
        policy: leads the planner's search; None if nothing is to be learned.
        imitation: how it learns.
        decisions: iterations, each one decision in every game.
        longest: steps of a game at most.
        rollout_temperature: of the policy within the search, ``(at first, at last)``; in between a straight line.
        seed: decides the batches.
    """

    def __init__(
        self,
        planner: Planner,
        policy: Policy | None,
        *,
        imitation: Imitation | None = None,
        decisions: int = 1000,
        longest: int = 200,
        rollout_temperature: tuple[float, float] = (1.0, 1.0),
        seed: int = 0,
    ):
        if decisions < 1 or longest < 1:
            raise UserError(f"trainer: decisions={decisions} and longest={longest} must both be 1 or more.")
        if min(rollout_temperature) <= 0:
            raise UserError(f"trainer.rollout_temperature={list(rollout_temperature)}: both must be above 0.")
        self.planner, self.policy, self.how = planner, policy, imitation or Imitation()
        self.iteration, self.iterations = 0, decisions
        self.rollout_temperature = rollout_temperature
        self.play = Play(planner, longest)
        device = planner.simulator.device
        self.replay = TensorDictReplayBuffer(storage=LazyTensorStorage(self.how.capacity, device=device))
        self.replay.set_rng(torch.Generator().manual_seed(seed))
        if policy is not None:
            self.optimiser = torch.optim.Adam(policy.parameters(), self.how.learning_rate)

    def train(self, report: Callable[[int, dict[str, float]], None] | None = None) -> None:
        """Play and learn to the end."""
        while self.iteration < self.iterations:
            self._heat()
            metrics = self._decide()
            if self.policy is not None and len(self.replay) >= self.how.first:
                for _ in range(self.how.updates):
                    metrics |= self._learn(self.replay.sample(self.how.batch))
            self.iteration += 1
            if report:
                report(self.iteration, metrics | self.recent())

    def recent(self) -> dict[str, float]:
        """What is known of the last episodes."""
        done = self.play.episodes
        if not done.lengths:
            return {}
        returns, lengths = done.returns[-RECENT:], done.lengths[-RECENT:]
        return {
            "success": sum(r > 0 for r in returns) / len(returns),
            "return": sum(returns) / len(returns),
            "length": sum(lengths) / len(lengths),
        }

    def _heat(self) -> None:
        first, last = self.rollout_temperature
        self.planner.forest.temperature = first + (last - first) * self.iteration / max(
            1, self.iterations - 1
        )

    def _decide(self) -> dict[str, float]:
        """One decision in every game, remembered."""
        forest = self.planner.forest
        if self.policy is None:
            self.play.step()
        else:
            seen = forest.states[self.policy.observation].index_select(0, forest.roots)
            returns, ended = self.play.step()
            target = target_policy(returns, self.how.temperature)
            made = {"seen": seen, "target": target}
            if self.policy.value is not None:
                made |= {"paid": self.play.paid, "follows": torch.full_like(self.play.paid, torch.nan)}
            index = self.replay.extend(TensorDict(made, [len(seen)]))
            if self.policy.value is not None and ended.any():
                self._look_back(index, ended)
        return {
            "interactions": float(self.planner.interactions),
            "episodes": float(len(self.play.episodes.lengths)),
        }

    def _look_back(self, index: Tensor, ended: Tensor) -> None:
        """Write what has followed each decision of the games that have ended, as far back as they are kept.

        Args:
            index: int64 ``[games]``, where the last decisions are; those before lie before them, all games in a row.
            ended: bool ``[games]``.
        """
        kept, games = self.replay._storage._storage, ended.nonzero().squeeze(1)
        length = torch.tensor(self.play.episodes.lengths[-len(games) :], device=games.device)
        follows, place = torch.zeros(len(games), device=games.device), index[games]
        for back in range(min(int(length.max()), self.how.capacity // len(index))):
            there = (place - back * len(index)) % self.how.capacity
            follows = kept["paid"][there] + self.planner.discount * follows
            own = length > back
            kept["follows"][there[own]] = follows[own]

    def _learn(self, batch: TensorDict) -> dict[str, float]:
        """One step towards the targets."""
        assert self.policy is not None
        logits, value = self.policy.both(batch["seen"])
        log_probs, told = functional.log_softmax(logits, 1), {}
        entropy = functional.cross_entropy(log_probs, batch["target"])
        weights: Any = sum(p.square().sum() for p in self.policy.parameters() if p.ndim > 1)
        loss: Tensor = entropy + self.how.l2 / 2 * weights
        if value is not None:
            known = batch["follows"].isfinite()
            error = torch.where(known, batch["follows"].nan_to_num() - value, 0.0).square()
            error = error.sum() / known.sum().clamp(min=1)
            loss = loss + self.how.value * error
            told["value_error"] = float(error.detach())
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {"loss": float(loss.detach()), "cross_entropy": float(entropy.detach()), **told}

    def state_dict(self) -> dict:
        """All that training goes on from."""
        play = self.play
        own = {
            "iteration": self.iteration,
            "planner": self.planner.state_dict(),
            "length": play.length,
            "earned": play.earned,
            "returns": play.episodes.returns,
            "lengths": play.episodes.lengths,
        }
        if self.policy is not None:
            own["policy"] = dict(self.policy.state_dict())
            own["optimiser"] = self.optimiser.state_dict()
            own["replay"] = self.replay.state_dict()
        return own

    def load_state_dict(self, saved: dict) -> None:
        """Go on from it, to the same numbers."""
        play = self.play
        self.iteration = saved["iteration"]
        self.planner.load_state_dict(saved["planner"])
        play.length.copy_(saved["length"])
        play.earned.copy_(saved["earned"])
        play.episodes.returns, play.episodes.lengths = list(saved["returns"]), list(saved["lengths"])
        if self.policy is not None:
            self.policy.load_state_dict(saved["policy"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.replay.load_state_dict(saved["replay"])
