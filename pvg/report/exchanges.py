"""Sample exchanges as text."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pvg.agents.agent import Agent
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.rules import BLANK
from pvg.evaluation import held_out, play


def sample_exchanges(env: ExchangeEnv, agents: Mapping[str, Agent], count: int) -> str:
    """Games on held-out instances, true and false claims in turn, in words."""
    index = held_out(env)
    label = env.instances["label"][index]
    true, false = index[label][: (count + 1) // 2], index[~label][: count // 2]
    order = [i for pair in zip(true.tolist(), false.tolist(), strict=False) for i in pair] or index[
        :count
    ].tolist()
    out: list[str] = []
    for track in range(len(env.protocol.tracks)):
        rows = torch.tensor(order, device=env.device)
        accepted, games = play(env, agents, rows, track=track)
        for k, i in enumerate(order):
            claim = "true" if env.instances["label"][i] else "false"
            lines = [f"game {len(out) + 1} (the claim is {claim})", env.describe(i)]
            lines += _turns(env, track, games["transcript"][k], games["coins"][k], i)
            right = bool(accepted[k]) == bool(env.instances["label"][i])
            lines.append(
                f"decision: {'accept' if accepted[k] else 'reject'} ({'right' if right else 'wrong'})"
            )
            out.append("\n".join(lines))
    return "\n\n".join(out) + "\n"


def _turns(
    env: ExchangeEnv, track: int, transcript: torch.Tensor, coins: torch.Tensor, index: int
) -> list[str]:
    lines = []
    for turn in range(env.protocol.rounds):
        said = []
        for seat in env.protocol.tracks[track]:
            for voice in seat:
                words = transcript[turn, env.columns[voice.speaks]].tolist()
                if words and words[0] != BLANK:
                    said.append(f"{voice.agent}: {env.say(voice.speaks, words, index)}")
        if said and coins.numel():
            said.insert(0, f"asked: {env.say_coins(coins[turn].tolist(), index)}")
        if said:
            lines.append(f"  round {turn + 1}  " + "   ".join(said))
    return lines
