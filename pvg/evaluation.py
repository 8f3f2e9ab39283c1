"""The words of the field, computed once: accuracy, completeness, soundness.

Games are played out one by one on given instances, not interleaved, so that every held-out instance
counts exactly once.  Decisions are taken greedily.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from pvg.agents.agent import Agent
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.payoffs import ACCEPT, CONTINUE
from pvg.envs.protocols import Place
from pvg.errors import UserError

Games = dict[str, Tensor]
ROWS = 1 << 15  # games in flight at once


def held_out(env: ExchangeEnv, most: int | None = None) -> Tensor:
    """Rows of the instance table that training never draws; at most so many, in an order that is always the same."""
    if not env.test_size:
        raise UserError(
            "There is nothing to evaluate on: set env.test above 0, or name a file (env.pairs, env.numbers)."
        )
    rows = torch.arange(env.train_size, env.train_size + env.test_size, device=env.device)
    return _some(rows, most)


def false_claims(env: ExchangeEnv, most: int | None = None) -> Tensor:
    """The held-out rows whose claim is false; at most so many."""
    rows = held_out(env)
    rows = rows[~env.instances["label"][rows]]
    if not len(rows):
        raise UserError(
            "There is no false claim among the held-out instances, so soundness has no meaning here."
        )
    return _some(rows, most)


def _some(rows: Tensor, most: int | None) -> Tensor:
    """A fixed random choice of the rows: a file's first may all be of one kind."""
    if most is None or most >= len(rows):
        return rows
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:most]
    return rows[order.to(rows.device)]


def see(env: ExchangeEnv, games: Games, place: Place) -> TensorDict:
    """Observation rows of the voice at ``place``."""
    return TensorDict._new_unsafe(env.observe(games, place), games["round"].shape, device=env.device)


def answer(env: ExchangeEnv, games: Games, place: Place, agent: Agent, greedy: bool = True) -> Tensor:
    """What the voice at ``place`` does in each game, int64 ``[n, tokens]``; by default what is likeliest."""
    rows = see(env, games, place).split(agent.chunk)
    return torch.cat([agent.act(r, greedy)[0] for r in rows])


@torch.no_grad()
def play(
    env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor, *, track: int = 0, greedy: bool = True
) -> tuple[Tensor, Games]:
    """Play one game on each instance to its end.

    Args:
        index: instances ``[n]``.
        track: of the protocol.
        greedy: provers say what is likeliest; else they sample.  Deciders are always greedy.

    Returns:
        ``accepted`` bool ``[n]`` and the games as they ended.
    """
    games = env.new_games(index, index)
    verdict = torch.full_like(index, CONTINUE)
    for turn in range(env.protocol.rounds):
        games["round"] = games["round"].masked_fill(games["live"], turn)
        for seat in range(len(env.protocol.tracks[track])):
            actions, before = [], games
            for place in env.protocol.places():
                if (place.track, place.seat) == (track, seat):
                    agent = agents[place.voice.agent]
                    actions.append(answer(env, games, place, agent, greedy or place.voice.decides))
            games, over, decision = env.act(games, track, seat, actions)
            said = before["live"].view(-1, 1, 1)  # after a game's end nothing more is said
            games["transcript"] = torch.where(said, games["transcript"], before["transcript"])
            verdict = torch.where(over, decision, verdict)
    return verdict == ACCEPT, games


def rates(env: ExchangeEnv, index: Tensor, accepted: Tensor) -> dict[str, Any]:
    """Accuracy, completeness (true claims accepted), soundness (false claims rejected), ``n``, by difficulty.

    A rate over no instance is None.
    """
    label = env.instances["label"][index]

    def share(hit: Tensor, among: Tensor) -> float | None:
        return round(float(hit[among].double().mean()), 6) if among.any() else None

    every, right = torch.ones_like(label), accepted == label
    out: dict[str, Any] = {
        "accuracy": share(right, every),
        "completeness": share(accepted, label),
        "soundness": share(~accepted, ~label),
        "n": len(index),
    }
    kinds = env.difficulty(index)
    out["by"] = {k: {"accuracy": share(right, m), "n": int(m.sum())} for k, m in kinds.items() if m.any()}
    return out


def evaluate(env: ExchangeEnv, agents: Mapping[str, Agent], index: Tensor | None = None) -> dict[str, Any]:
    """Rates on the held-out instances (or those given); with several tracks over all of them, and each alone."""
    index = held_out(env) if index is None else index
    tracks = range(len(env.protocol.tracks))
    accepted = [play(env, agents, index, track=t)[0] for t in tracks]
    out = rates(env, index.repeat(len(accepted)), torch.cat(accepted))
    if len(accepted) > 1:
        out["tracks"] = [rates(env, index, a) for a in accepted]
    return out
