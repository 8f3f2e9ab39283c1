"""Collecting an exchange, and putting each agent's own turns together again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.agents.agent import Agent
from pvg.envs.exchange import ExchangeEnv

Frame = Mapping[str, Any]  # tensors [slots, ...] by nested keys


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
        self.last: list[Frame] = []  # the frames to hand out again

    @torch.no_grad()
    def collect(self) -> TensorDict:
        """Frames ``[tail + steps, slots]``: what each agent saw, did and was then paid."""
        frames, td = list(self.last), self.state
        for agent in self.agents.values():
            agent.renew()
        with torch.inference_mode():  # a tenth faster; what is stacked below is ordinary again
            for _ in range(self.steps):
                for name, agent in self.agents.items():
                    agent.ask(td[name])  # all, before the first is waited for
                for name, agent in self.agents.items():
                    agent.play(td[name])
                after = self.env._step(td)
                frames.append(self._frame(td, after))
                td = after
        self.state = td
        self.last = frames[len(frames) - self.tail :]
        batch = _stack(frames, torch.Size([len(frames), self.env.slots]))
        for name, agent in self.agents.items():
            if agent.critic is not None:  # which acting has no need of, and does all at once in less time
                batch[name].set("state_value", agent.values(batch[name, "observation"]))
        return batch

    def _frame(self, td: TensorDictBase, after: TensorDictBase) -> Frame:
        own, paid = {}, {}
        for name, agent in self.agents.items():
            now, then = td[name], after[name]
            own[name] = {"observation": dict(now["observation"].items())} | {k: now[k] for k in agent.writes}
            paid[name] = {k: then[k] for k in ("reward", "ended")}
        return own | {"next": paid}

    @torch.no_grad()
    def last_values(self) -> dict[str, Tensor]:
        """Each agent's value of the state after the last frame, ``[slots, seats, 1]``."""
        return {name: agent.values(self.state[name, "observation"]) for name, agent in self.agents.items()}

    def state_dict(self) -> dict:
        """What it takes to go on from here to the same numbers."""
        size = torch.Size([len(self.last), self.env.slots])
        frames = _stack(self.last, size).to_dict() if self.last else None
        return {"state": self.state.to_dict(), "frames": frames}

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state."""
        slots, device, frames = self.env.slots, self.env.device, saved["frames"]
        self.state = TensorDict(saved["state"], [slots], device=device)
        self.last = (
            [] if frames is None else list(TensorDict(frames, [self.tail, slots], device=device).unbind(0))
        )


def _stack(frames: list[Frame], size: torch.Size) -> TensorDict:
    """Nested frames on top of each other; ``torch.stack`` of TensorDicts takes three times as long."""
    parts = {}
    for key, some in frames[0].items():
        column = [frame[key] for frame in frames]
        parts[key] = torch.stack(column) if isinstance(some, Tensor) else _stack(column, size)
    return TensorDict._new_unsafe(parts, size)


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
