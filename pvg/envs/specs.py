"""The TorchRL specs of an exchange, from its protocol and the sizes of its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torchrl.data import Binary, Bounded, Composite, MultiCategorical, TensorSpec, Unbounded

if TYPE_CHECKING:
    from pvg.envs.exchange import ExchangeEnv


def make_specs(env: ExchangeEnv) -> dict[str, TensorSpec]:
    """Specs by the name of the attribute they belong to; see ``ExchangeEnv`` for keys and shapes."""
    b, protocol, device = env.slots, env.protocol, env.device

    def nest(entries: dict) -> Composite:
        return Composite(entries, shape=(b,), device=device)

    def integer(shape: tuple[int, ...], low: int, high: int, dtype: torch.dtype = torch.int16) -> Bounded:
        return Bounded(low, high, shape, dtype=dtype, device=device)

    def flag(*shape: int) -> Binary:
        return Binary(shape[-1], shape, dtype=torch.bool, device=device)

    top = max([2, *(env.message(c)[1] for c in protocol.channels)])

    def game(lead: tuple[int, ...], width: int) -> dict:
        return {
            "index": integer(lead, 0, len(env.instances) - 1, torch.int32),
            "transcript": integer((*lead, protocol.rounds, width), -1, top - 1, env.token_type),
            "coins": integer((*lead, protocol.rounds, env.coin_count), -1, 32767),
            "round": integer(lead, 0, protocol.rounds - 1),
            "live": flag(*lead),
        }

    observations, actions, rewards = {}, {}, {}
    for agent, places in env.groups.items():
        k, heard = len(places), env.heard[places[0]]
        view = nest(game((b, k), env.width if heard is None else len(heard)))
        observations[agent] = nest({"observation": view, "ended": flag(b, k, 1)})
        tokens = torch.tensor(env.vocabularies[agent], dtype=torch.long)
        shape = (b, k, len(tokens))
        spec = MultiCategorical(tokens.expand(shape), shape, dtype=torch.long, device=device)
        actions[agent] = nest({"action": spec})
        rewards[agent] = nest({"reward": Unbounded((b, k, 1), device=device)})
    state = {}
    for t, _, key in env.seats():
        voices = sum(map(len, protocol.tracks[t]))
        own = {"serial": integer((b,), 0, 2**62, torch.int64), "ended": flag(b, voices)}
        state[key] = nest(game((b,), env.width) | own | {"owed": Unbounded((b, voices), device=device)})
    observations["games"] = nest(state)
    done = nest({k: flag(b, 1) for k in ("done", "terminated")})
    return {
        "observation_spec": nest(observations),
        "action_spec": nest(actions),
        "reward_spec": nest(rewards),
        "done_spec": done,
    }
