"""PPO for every agent of an exchange (Schulman et al. 2017), on own-turn trajectories."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor, nn
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value.functional import vec_generalized_advantage_estimate

from pvg.agents.agent import Agent, Tokens
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.payoffs import ACCEPT
from pvg.envs.protocols import by_role
from pvg.errors import UserError
from pvg.trainers import replicas
from pvg.trainers.collect import Rollout, own_turns


@dataclass
class Learning:
    """How one agent learns.

    Args:
        learning_rate: of Adam; ``decay`` is the share of it lost, linearly, by the end.
        epochs, minibatch: passes over an iteration's turns and turns a gradient step.
        every: learn in every n-th iteration only (the update ratio between agents).
        clip, entropy, critic: PPO's clip range and the weights of entropy and value losses.
        fade: the entropy's weight falls with the learning rate.
        auxiliary: weight of the supervised loss on the acts the scenario can teach.
        pretrain: iterations at the start in which it learns by that supervised loss alone.
        stop: iterations after which it acts and learns no more; None for never.
        target_kl: no more epochs in an iteration after one at whose end the policy has moved this far (nats); None
            for no such limit. It says nothing to an agent of one epoch.
        max_grad_norm: of a gradient step.
        frozen: act and do not learn.
    """

    learning_rate: float = 1e-3
    decay: float = 0.9
    epochs: int = 2
    minibatch: int = 1024
    every: int = 1
    clip: float = 0.2
    entropy: float = 0.003
    fade: bool = False
    critic: float = 0.5
    auxiliary: float = 0.0
    pretrain: int = 0
    stop: int | None = None
    target_kl: float | None = 0.05
    max_grad_norm: float = 1.0
    frozen: bool = False

    def __post_init__(self):
        for name in ("epochs", "minibatch", "every"):
            if getattr(self, name) < 1:
                raise UserError(f"trainer.learning: {name}={getattr(self, name)} must be 1 or more.")
        if self.learning_rate < 0:
            raise UserError(f"trainer.learning: learning_rate={self.learning_rate} must be 0 or more.")


class _Policy(nn.Module):
    """The policy as the loss sees it: logits that the agent has already computed."""

    in_keys = ["logits"]

    def __init__(self, agent: Agent):
        super().__init__()
        self.dist = agent.dist

    def get_dist(self, tensordict: TensorDictBase) -> Tokens:
        return self.dist(tensordict["logits"], tensordict)


class _Value(nn.Module):
    """The critic as the loss sees it: the value from the same pass of the agent's network."""

    in_keys = ["value"]

    def forward(self, tensordict: TensorDictBase) -> TensorDict:
        return TensorDict._new_unsafe({"state_value": tensordict["value"]}, tensordict.batch_size)


class Learner:
    """One agent's optimiser and PPO update.

    The agent's network runs once a minibatch; TorchRL's ``ClipPPOLoss`` reads the logits and values it
    left, so that a shared body is not computed twice and the supervised loss costs no pass of its own.
    """

    def __init__(self, agent: Agent, learning: Learning):
        self.agent, self.learning = agent, learning
        self.parameters = [p for p in agent.parameters() if p.requires_grad]
        self.whole = _in_one(self.parameters)
        self.entropy_scale = 1.0  # what is left of the entropy's weight
        self.optimiser = torch.optim.Adam([self.whole], learning.learning_rate, eps=1e-5, fused=True)
        self.loss = ClipPPOLoss(
            _Policy(agent),  # type: ignore[arg-type]
            _Value(),  # type: ignore[arg-type]
            clip_epsilon=learning.clip,
            entropy_coeff=learning.entropy,
            critic_coeff=1.0,  # weighted below: at 0 the loss would leave it out
            log_explained_variance=False,
            functional=False,
        )
        self.loss.set_keys(action="action", sample_log_prob="log_prob", value="state_value")

    def due(self, iteration: int) -> bool:
        """Whether it learns in this iteration."""
        how = self.learning
        return iteration % how.every == 0 and (how.stop is None or iteration < how.stop)

    def update(self, turns: dict[str, Tensor], supervised: bool, rate: float) -> dict[str, float]:
        """Epochs of minibatches over turns ``[n, ...]`` with ``advantage`` and ``value_target``."""
        how, seen, kl = self.learning, [], 0.0
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.entropy_scale = rate / how.learning_rate if how.fade and how.learning_rate else 1.0
        count = replicas.smallest(len(turns["round"]))
        if not count:  # there was no turn with a choice: games may be longer than an iteration
            return {}
        for _ in range(how.epochs):
            for rows in torch.randperm(len(turns["round"]), device=turns["round"].device)[:count].split(
                how.minibatch
            ):
                seen.append(self._step({k: v.index_select(0, rows) for k, v in turns.items()}, supervised))
            stats = torch.stack(seen).mean(0) if how.target_kl is None else torch.stack(seen[-8:]).mean(0)
            kl = replicas.mean(stats)[3].item()
            if how.target_kl is not None and not supervised and kl > how.target_kl:
                break
        loss, value, entropy, _, auxiliary = torch.stack(seen).mean(0).tolist()
        return {"loss": loss, "value_loss": value, "entropy": entropy, "kl": kl, "auxiliary": auxiliary}

    def _step(self, rows: dict[str, Tensor], supervised: bool) -> Tensor:
        how = self.learning
        td = TensorDict._new_unsafe(rows, rows["round"].shape)
        logits, value = self.agent.evaluate(td)
        td.set("logits", logits).set("value", value)
        out = self.loss(td)
        auxiliary = self.agent.supervise(td, logits) if supervised or how.auxiliary else value.new_zeros(())
        total = auxiliary
        if not supervised:
            policy = out["loss_objective"] + out["loss_entropy"] * self.entropy_scale
            total = policy + out["loss_critic"] * how.critic + auxiliary * how.auxiliary
        # the agent's gradients are views of this one, so it is kept; torch's zero_grad and clip_grad_norm_ do the same
        # on lists of tensors, which for this single one takes longer than all of Adam
        gradient = self.whole.grad
        assert gradient is not None
        gradient.zero_()
        if total.requires_grad:  # there may be nothing to teach
            total.backward()
        replicas.average_gradients([self.whole])
        gradient.mul_((how.max_grad_norm / (gradient.norm() + 1e-6)).clamp(max=1.0))
        self.optimiser.step()
        kept = out["loss_objective"], out["loss_critic"], out["entropy"], out["kl_approx"], auxiliary
        return torch.stack([x.detach().reshape(()) for x in kept])


def _in_one(parameters: Sequence[nn.Parameter]) -> nn.Parameter:
    """One flat parameter of which the given ones, and their gradients, are from now on views.

    Clipping, averaging and Adam on thirty small tensors would cost as much as a network's forward pass.
    """
    whole = nn.Parameter(nn.utils.parameters_to_vector(parameters).detach().clone())
    whole.grad = torch.zeros_like(whole)
    start = 0
    for p in parameters:
        part = slice(start, start + p.numel())
        p.data, p.grad = whole.data[part].view_as(p), whole.grad[part].view_as(p)
        start = part.stop
    return whole


class PPO:
    """Trains the agents of an exchange, each on its own turns.

    Args:
        env, agents: the game and who plays it.
        learning: how each agent learns, by name; ``verifier`` and ``prover`` stand for those not named that do and
            don't decide, ``default`` for the rest.
        turns: how many useful turns to train for, all agents together.
        steps: environment steps an iteration.
        gamma, lmbda: discount and GAE's lambda over an agent's own turns (Schulman et al. 2016, eq. 16).
        device: where the networks live is where the environment lives.
    """

    def __init__(
        self,
        env: ExchangeEnv,
        agents: Mapping[str, Agent],
        *,
        learning: Mapping[str, Learning] | None = None,
        turns: float = 1e6,
        steps: int = 16,
        gamma: float = 1.0,
        lmbda: float = 0.95,
    ):
        if turns <= 0 or steps < 1:
            raise UserError(f"trainer: turns={turns:g} and steps={steps} must both be above 0.")
        self.env, self.agents = env, dict(agents)
        self.gamma, self.lmbda, self.turns = gamma, lmbda, turns
        self.rollout = Rollout(env, self.agents, steps)
        chosen = dict(learning or {})
        unknown = set(chosen) - {*self.agents, "default", "prover", "verifier"}
        if unknown:
            raise UserError(
                f"trainer.learning: no agent is called {sorted(unknown)}; there are {list(agents)}."
            )
        self.learners = {
            name: Learner(agent, how)
            for name, agent in self.agents.items()
            if not (how := by_role(chosen, name, agent.decides) or Learning()).frozen
            and any(p.requires_grad for p in agent.parameters())
        }
        self.iteration = 0
        per_iteration = self.rollout.steps * env.slots * len(env.protocol.places())
        self.iterations = max(1, math.ceil(turns / per_iteration))
        self.turns_done = 0

    def train(self, report: Callable[[int, dict[str, float]], None] | None = None) -> None:
        """Collect, estimate advantages, learn, report; until the budget of turns is spent."""
        while self.iteration < self.iterations:
            start, before = time.perf_counter(), self.turns_done
            batch = self.rollout.collect()
            values = self.rollout.last_values()
            metrics = {"collect_s": time.perf_counter() - start}
            for name, agent in self.agents.items():
                turns = own_turns(batch, values[name], self.env, name, self.rollout.steps)
                if agent.decides:
                    metrics |= decision_rates(self.env, name, turns)
                learner = self.learners.get(name)
                self.turns_done += int(turns["live"].sum())
                if learner and learner.due(self.iteration):
                    data = self.advantages(turns, agent.chooses(turns))
                    supervised = self.iteration < learner.learning.pretrain
                    stats = learner.update(data, supervised, self.rate(learner.learning))
                    metrics |= {f"{name}/{k}": v for k, v in stats.items()}
                metrics[f"{name}/reward"] = float(
                    _where(turns["reward"], turns["ended"] & turns["live"].unsqueeze(-1))
                )
            self.iteration += 1
            metrics["seconds"] = time.perf_counter() - start
            metrics["turns"] = float(self.turns_done)
            metrics["turns_now"] = float(self.turns_done - before)
            if report:
                report(self.iteration, metrics)

    def rate(self, how: Learning) -> float:
        """The learning rate of this iteration."""
        return how.learning_rate * (1 - how.decay * self.iteration / self.iterations)

    def advantages(self, turns: dict[str, Tensor], used: Tensor | None = None) -> dict[str, Tensor]:
        """Turns ``[n, ...]`` with advantages normalised over the agent's batch, and value targets.

        Args:
            turns: see :func:`~pvg.trainers.collect.own_turns`.
            used: which to keep, bool ``[turns, lanes]``; the live ones by default.
        """
        across = {k: turns[k].transpose(0, 1) for k in ("state_value", "next_value", "reward", "ended")}
        ended = across["ended"]
        advantage, target = vec_generalized_advantage_estimate(
            self.gamma,
            self.lmbda,
            across["state_value"],
            across["next_value"],
            across["reward"],
            ended,
            ended,
        )
        rows = {k: v.flatten(0, 1) for k, v in turns.items() if k not in ("next_value", "reward", "ended")}
        rows["advantage"] = advantage.transpose(0, 1).flatten(0, 1)
        rows["value_target"] = target.transpose(0, 1).flatten(0, 1)
        keep = (turns["live"] if used is None else used).flatten()
        if not keep.all():
            rows = {k: v[keep] for k, v in rows.items()}
        rows["advantage"] = replicas.normalise(rows["advantage"])
        return rows

    def state_dict(self) -> dict:
        """What all replicas share; goes on to the same numbers with ``rollout.state_dict()`` and the random states."""
        return {
            "iteration": self.iteration,
            "turns_done": self.turns_done,
            "agents": {n: a.state_dict() for n, a in self.agents.items()},
            "optimisers": {n: x.optimiser.state_dict() for n, x in self.learners.items()},
        }

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state."""
        self.iteration, self.turns_done = saved["iteration"], saved["turns_done"]
        for agent in self.agents.values():
            agent.take(saved["agents"])
        for name, state in saved["optimisers"].items():
            self.learners[name].optimiser.load_state_dict(state)


def decision_rates(env: ExchangeEnv, name: str, turns: dict[str, Tensor]) -> dict[str, float]:
    """Accuracy, completeness and soundness of the decisions that ended games, as played (not greedy)."""
    ended = turns["ended"].squeeze(-1) & turns["live"]
    accept = turns["action"][..., -1] == ACCEPT
    label = env.instances["label"][turns["index"].long()]
    rates = {
        "accuracy": _where(accept == label, ended),
        "completeness": _where(accept, ended & label),
        "soundness": _where(~accept, ended & ~label),
        "length": _where(turns["round"] + 1.0, ended),
    }
    return dict(zip(rates, torch.stack(list(rates.values())).tolist(), strict=True))


def _where(x: Tensor, mask: Tensor) -> Tensor:
    mask = mask.float()
    return (x.float() * mask).sum() / mask.sum().clamp(min=1)
