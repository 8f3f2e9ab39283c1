"""``Agent``: a network, as the module that acts for one group of an exchange.

An agent is a ``TensorDictModule`` from ``(name, "observation")`` to ``(name, "action")``, with the
log-probability of the act and the value of the state.  Its network is any ``nn.Module`` built as
``net(env, name)`` that maps the scenario's view to logits, so that scenarios and networks pair freely.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from tensordict import TensorDict, TensorDictBase
from tensordict.nn import TensorDictModuleBase
from torch import Tensor, nn
from torch.distributions import Distribution
from torchrl.envs.utils import ExplorationType, exploration_type

from pvg.checkpoint import load, load_weights
from pvg.envs.exchange import ExchangeEnv
from pvg.errors import UserError

NEVER = -1e9  # a logit that is never drawn, yet finite: 0 * NEVER is 0 in the entropy


class Tokens(Distribution):
    """Independent categorical tokens with one log-probability, drawn by Gumbel-argmax.

    ``torch.multinomial`` costs about six times as much on a CPU for small vocabularies, and a composite
    of one distribution a token costs a Python object each.

    Args:
        logits: ``[..., tokens, vocabulary]``.
    """

    arg_constraints: dict = {}
    has_rsample = False

    def __init__(self, logits: Tensor):
        self.logits = logits.log_softmax(-1)
        super().__init__(logits.shape[:-2], logits.shape[-2:-1], validate_args=False)

    @property
    def mode(self) -> Tensor:
        """The most likely tokens, ``[..., tokens]``."""
        return self.logits.argmax(-1)

    deterministic_sample = mode

    def sample(self, sample_shape=()) -> Tensor:
        """Draw tokens ``[*sample_shape, ..., tokens]``."""
        logits = self.logits.expand(*sample_shape, *self.logits.shape)
        return (logits - torch.empty_like(logits).exponential_().log_()).argmax(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log-probability of whole messages ``[..., tokens]``."""
        return self.logits.gather(-1, value.unsqueeze(-1)).squeeze(-1).sum(-1)

    def entropy(self) -> Tensor:
        """Entropy of a whole message, nats, ``[...]``."""
        return -(self.logits.exp() * self.logits).sum((-1, -2))


class Agent(TensorDictModuleBase):
    """Acts for one group.

    Args:
        env: the exchange it plays; gives the views and says which tokens exist.
        name: its group.
        net: built as ``net(env, name)``; called with the view, returns a dict with ``message``
            ``[n, length, vocabulary]`` (absent if it has nothing to say), ``decision`` ``[n, 3]``
            (if it decides) and ``value`` ``[n, 1]``.
        shared: one body for acting and for the value, or two.
        weights: start from the agent of this name in a checkpoint (a file, or a run's folder).
        chunk: how many rows a network sees at once while acting; more fall out of the cache.
    """

    def __init__(
        self,
        env: ExchangeEnv,
        name: str,
        net: Callable[[ExchangeEnv, str], nn.Module],
        shared: bool = True,
        weights: str | None = None,
        chunk: int = 2048,
    ):
        super().__init__()
        self.in_keys = [(name, "observation")]
        self.out_keys = [(name, "action"), (name, "log_prob"), (name, "state_value")]
        self.name, self.chunk = name, chunk
        self.net = net(env, name)
        self.critic = None if shared else net(env, name)
        self.writes = ("action", "log_prob") + (("state_value",) if shared else ())
        self.made = net, shared, None, chunk
        self.bind(env)
        if weights:
            self.take(load(weights)["trainer"]["agents"])

    def fresh(self) -> Agent:
        """Another such agent, with new weights."""
        return type(self)(self.env, self.name, *self.made)

    def take(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take over the weights of the agent of this name.

        Raises:
            UserError: there is none, or its shapes differ.
        """
        if self.name not in weights:
            raise UserError(f"The checkpoint has no agent {self.name!r}; it has {sorted(weights)}.")
        load_weights(self, weights[self.name], f"agent {self.name}")

    def bind(self, env: ExchangeEnv) -> Agent:
        """Play another environment of the same scenario (other instances, slots or tables)."""
        self.__dict__["env"] = env  # not a submodule: an environment is no part of the weights
        self.tokens = env.vocabularies[self.name]
        top = max(self.tokens, default=1)
        exists = torch.arange(top) < torch.tensor(self.tokens).view(-1, 1)
        self.decides = self.name in env.protocol.deciders
        self._missing = None if bool(exists.all()) else (~exists).to(env.device)
        if self.decides:  # which decisions count for nothing in each round: [rounds, 3]
            self._shut = ~env.open_decisions(torch.arange(env.protocol.rounds, device=env.device))
        return self

    def evaluate(self, observation: TensorDictBase) -> tuple[Tensor, Tensor]:
        """Logits ``[n, tokens, vocabulary]`` and value ``[n, 1]``.

        Tokens that do not exist are at ``NEVER``; decisions that the round does not allow are not
        (what the verifier believes before it may decide is worth training and attacking): :meth:`dist` sees to them.
        """
        view = self.env.view(self.name, observation)
        out = self.net(view)
        value = out["value"] if self.critic is None else self.critic(view)["value"]
        return self._join(out), value

    def supervise(self, observation: TensorDictBase, logits: Tensor) -> Tensor:
        """Cross-entropy of the acts the scenario can teach; of a decision, given that it is not *continue*.

        Args:
            logits: of the acts ``[n, tokens, vocabulary]``, as :meth:`evaluate` gives them.
        """
        target = self.env.teach(self.name, observation)
        if target is None:
            return logits.new_zeros(())
        loss, said = logits.new_zeros(()), target.shape[-1] - self.decides
        if said:
            known = target[:, :said]
            score = nn.functional.cross_entropy(logits[:, :said].mT, known, ignore_index=-1, reduction="sum")
            loss = loss + score / (known >= 0).sum().clamp(min=1) * said
        if self.decides:
            known = target[:, -1]
            score = nn.functional.cross_entropy(logits[:, -1, :2], known, ignore_index=-1, reduction="sum")
            loss = loss + score / (known >= 0).sum().clamp(min=1)
        return loss

    def dist(self, logits: Tensor, observation: TensorDictBase) -> Tokens:
        """The distribution of acts, with the decisions that the round does not allow left out."""
        if self.decides:
            shut = self._shut[observation["round"].long()]
            if logits.shape[-2:] == (1, 3):  # it has nothing to say: the decision is all there is
                logits = logits.masked_fill(shut.unsqueeze(-2), NEVER)
            else:
                logits = logits.clone()
                logits[..., -1, :3].masked_fill_(shut, NEVER)
        return Tokens(logits)

    def chooses(self, observation: Mapping[str, Tensor]) -> Tensor:
        """Where a live game leaves the agent a choice, bool: not where it has nothing to say and must go on."""
        live = observation["live"]
        if len(self.tokens) > self.decides:
            return live
        return live & (self.env.open_decisions(observation["round"]).sum(-1) > 1)

    def _join(self, out: dict[str, Tensor]) -> Tensor:
        parts, top = [], max(self.tokens, default=1)
        if "message" in out:
            parts.append(_widen(out["message"], top))
        if self.decides:
            parts.append(_widen(out["decision"].unsqueeze(-2), top))
        if not parts:
            n = out["value"].shape[0]
            return out["value"].new_zeros(n, 0, 1)
        logits = parts[0] if len(parts) == 1 else torch.cat(parts, -2)
        return logits if self._missing is None else logits.masked_fill(self._missing, NEVER)

    def forward(self, tensordict: TensorDictBase) -> TensorDictBase:
        """Act on every game in front of the group's seats; writes action, log_prob and state_value."""
        group = tensordict[self.name]
        self.play(group)
        if self.critic is not None:
            group.set("state_value", self.values(group["observation"]))
        return tensordict

    def play(self, group: TensorDictBase) -> None:
        """Act on a group's observation; writes action, log_prob and, where it costs no pass of its own, state_value."""
        observation = group["observation"]
        rows = pieces(flatten(observation, observation["round"].ndim), self.chunk)
        self._write(group, [self.act(piece, greedily()) for piece in rows])

    def _write(self, group: TensorDictBase, parts: list[tuple[Tensor, ...]]) -> None:
        """Put what was done with pieces of a group's rows into the group."""
        lead = group["observation", "round"].shape
        found = parts[0] if len(parts) == 1 else map(torch.cat, zip(*parts, strict=True))
        for key, x in zip(self.writes, found, strict=True):
            group.set(key, x.view(*lead, *x.shape[1:]))

    def renew(self) -> None:
        """The weights may have changed since the last time: whoever speaks for the agent is to know."""

    def ask(self, group: TensorDictBase) -> None:
        """Begin to act on a group's observation, where that goes on by itself: :meth:`play` waits for the end."""

    def close(self) -> None:
        """End whatever the agent has started."""

    def act(self, observation: TensorDictBase, greedy: bool = False) -> tuple[Tensor, ...]:
        """For observation rows what :attr:`writes` names: action ``[n, tokens]``, its log-probability ``[n]`` and,
        with a shared body, the value ``[n, 1]``."""
        if self.critic is None:
            logits, value = self.evaluate(observation)
        else:
            logits, value = self._join(self.net(self.env.view(self.name, observation))), None
        dist = self.dist(logits, observation)
        action = dist.mode if greedy else dist.sample()
        acted = action, dist.log_prob(action)
        return acted if value is None else (*acted, value)

    def values(self, observation: TensorDictBase) -> Tensor:
        """Values ``[..., 1]`` of observations of any batch shape."""
        lead = observation["round"].shape
        rows = pieces(flatten(observation, len(lead)), self.chunk)
        if self.critic is None:
            values = [self.evaluate(r)[1] for r in rows]
        else:
            values = [self.critic(self.env.view(self.name, r))["value"] for r in rows]
        return torch.cat(values).view(*lead, 1)


class RandomAgent(Agent):
    """Says and decides anything with equal probability; learns nothing."""

    def __init__(self, env: ExchangeEnv, name: str, *_, **__):
        # takes, and has no use for, the settings of the agent it stands in for
        super().__init__(env, name, _Uniform)

    def act(self, observation: TensorDictBase, greedy: bool = False) -> tuple[Tensor, ...]:
        """Draws even where the likeliest act is asked for: all are as likely."""
        return super().act(observation)


class _Uniform(nn.Module):
    def __init__(self, env: ExchangeEnv, name: str):
        super().__init__()
        tokens = env.vocabularies[name]
        self.decides = name in env.protocol.deciders
        self.shape = (len(tokens) - self.decides, max(tokens, default=1))

    def forward(self, view: dict[str, Tensor]) -> dict[str, Tensor]:
        some = next(iter(view.values()))
        n = len(some)
        out = {"value": torch.zeros(n, 1, device=some.device)}
        if self.shape[0]:
            out["message"] = torch.zeros(n, *self.shape, device=some.device)
        if self.decides:
            out["decision"] = torch.zeros(n, 3, device=some.device)
        return out


def greedily() -> bool:
    """Whether the likeliest act is asked for, and not a drawn one."""
    return exploration_type() in (ExplorationType.DETERMINISTIC, ExplorationType.MODE)


def flatten(observation: TensorDictBase, dims: int) -> TensorDictBase:
    """Rows ``[n, ...]`` of an observation with ``dims`` leading dimensions."""
    rows = {k: v.flatten(0, dims - 1) for k, v in observation.items()}
    return TensorDict._new_unsafe(rows, rows["round"].shape, device=observation.device)


def pieces(rows: TensorDictBase, chunk: int) -> list[TensorDictBase]:
    """The rows in as few pieces of at most ``chunk`` as there must be."""
    return [rows] if len(rows) <= chunk else list(rows.split(chunk))


def _widen(logits: Tensor, vocabulary: int) -> Tensor:
    missing = vocabulary - logits.shape[-1]
    return nn.functional.pad(logits, (0, missing), value=NEVER) if missing else logits
