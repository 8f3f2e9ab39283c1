"""Collecting an exchange, and putting each agent's own turns together again."""

from __future__ import annotations

import math

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.agents.agent import Agent, flatten
from pvg.envs.exchange import ExchangeEnv

KEPT = ("observation", "action", "log_prob", "state_value")


class Rollout:
    """Steps an exchange with its agents and hands out frames, time first.

    TorchRL's ``Collector`` gives the same frames (a test holds this), but it spends about 2 ms a step on
    resets, trajectory ids and copies that an environment which is never done has no use for, which is most
    of a step below a thousand slots.

    Each call returns the last frames of the call before as well (as many as a track has seats, less one):
    an act is paid only when its game comes back to the seat, so those acts would otherwise be lost.
    The first call has none, and instead leaves out the acts of the first frames.

    Args:
        env, agents: what is played by whom; every agent of the protocol must be there.
        steps: environment steps a call, rounded up to a multiple of the seats of every track.
    """

    def __init__(self, env: ExchangeEnv, agents: dict[str, Agent], steps: int):
        self.env, self.agents = env, agents
        seats = [len(track) for track in env.protocol.tracks]
        stride = math.lcm(*seats)
        self.steps = math.ceil(steps / stride) * stride
        if self.steps < 2 * max(seats):
            self.steps *= 2
        self.tail = max(seats) - 1
        self.state = env.reset()
        self.frames: TensorDict | None = None

    @torch.no_grad()
    def collect(self) -> TensorDict:
        """Frames ``[tail + steps, slots]``: what each agent saw, did and was then paid."""
        frames, td = [], self.state
        for _ in range(self.steps):
            for agent in self.agents.values():
                agent(td)
            after = self.env._step(td)
            frames.append(self._frame(td, after))
            td = after
        self.state = td
        new = torch.stack(frames)
        old = self.frames
        batch = new if old is None else torch.cat([old, new])
        self.frames = batch[len(batch) - self.tail :].clone() if self.tail else None
        return batch

    def _frame(self, td: TensorDictBase, after: TensorDictBase) -> TensorDict:
        size = self.env.batch_size
        own, paid = {}, {}
        for name in self.agents:
            now, then = td[name], after[name]
            own[name] = TensorDict._new_unsafe({k: now.get(k) for k in KEPT}, size)
            paid[name] = TensorDict._new_unsafe({"reward": then["reward"], "ended": then["ended"]}, size)
        return TensorDict._new_unsafe(own | {"next": TensorDict._new_unsafe(paid, size)}, size)

    @torch.no_grad()
    def last_values(self) -> dict[str, Tensor]:
        """Each agent's value of the state after the last frame, ``[slots, seats, 1]``."""
        out = {}
        for name, agent in self.agents.items():
            observation = self.state[name, "observation"]
            rows = flatten(observation, 2)
            out[name] = agent.evaluate(rows)[1].view(*observation["round"].shape, 1)
        return out

    def state_dict(self) -> dict:
        """What it takes to go on from here to the same numbers."""
        return {
            "state": self.state.to_dict(),
            "frames": None if self.frames is None else self.frames.to_dict(),
        }

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state."""
        slots = [self.env.slots]
        self.state = TensorDict(saved["state"], slots, device=self.env.device)
        frames = saved["frames"]
        self.frames = (
            None if frames is None else TensorDict(frames, [self.tail, *slots], device=self.env.device)
        )


def own_turns(
    batch: TensorDictBase, last: Tensor, env: ExchangeEnv, agent: str, steps: int
) -> dict[str, Tensor]:
    """An agent's acts, each with what it brought: trajectories of its own turns, game after game.

    In a track of ``m`` seats a lane of games comes to the same seat every ``m`` steps: act ``t`` is paid at
    ``t + m - 1`` and the agent's next state in the lane is that of ``t + m``.

    Args:
        batch: frames ``[time, slots]``.
        last: value of the state after the last frame, ``[slots, seats, 1]``.
        steps: how many acts to keep, fewer if the first frames lack their tail.

    Returns:
        tensors ``[turns, lanes, ...]``: the observation's keys, ``action``, ``log_prob``, ``state_value``,
        ``next_value``, ``reward``, ``ended``; the agent's seats side by side.
    """
    parts = []
    for k, place in enumerate(env.protocol.places(agent)):
        m = len(env.protocol.tracks[place.track])
        count = min(steps, (len(batch) - (m - 1)) // m * m)
        start = len(batch) - (m - 1) - count
        own, paid = batch[agent], batch["next", agent]
        value = torch.cat([own["state_value"], last.unsqueeze(0)])[:, :, k]

        def turns(x: Tensor, at: int, m: int = m, count: int = count) -> Tensor:
            return x[at : at + count].unflatten(0, (count // m, m)).flatten(1, 2)

        act = {key: turns(x[:, :, k], start) for key, x in own["observation"].items()}
        act |= {key: turns(own[key][:, :, k], start) for key in ("action", "log_prob")}
        act |= {"state_value": turns(value, start), "next_value": turns(value, start + m)}
        act |= {key: turns(paid[key][:, :, k], start + m - 1) for key in ("reward", "ended")}
        parts.append(act)
    if len(parts) == 1:
        return parts[0]
    # a track of more seats brings fewer turns a lane; they begin with turns in which nothing is live
    length = max(len(p["round"]) for p in parts)
    return {key: torch.cat([_begin_later(p[key], length) for p in parts], 1) for key in parts[0]}


def _begin_later(x: Tensor, length: int) -> Tensor:
    return torch.cat([x.new_zeros(length - len(x), *x.shape[1:]), x]) if len(x) < length else x
