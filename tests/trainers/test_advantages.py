"""Advantages against those computed by hand, game by game."""

import math

import pytest
import torch

from pvg.trainers import replicas
from pvg.trainers.collect import own_turns
from tests.envs.replay import replay
from tests.envs.scenarios import PROTOCOLS
from tests.trainers.small import trainer

everywhere = pytest.mark.parametrize("protocol", PROTOCOLS)


def reference(ppo, batches, agent):
    """Advantage and value target of every act, game by game (Schulman et al. 2016, eq. 16), for each batch."""
    env, steps, tail = ppo.env, ppo.rollout.steps, ppo.rollout.tail
    frames = torch.cat([batch[tail if i else 0 :] for i, (batch, _) in enumerate(batches)])
    games = replay(env, frames)
    out = []
    for i, (batch, last) in enumerate(batches):
        first = max(0, i * steps - tail)  # of the batch's frames
        values = torch.cat([batch[agent, "state_value"], last[agent].unsqueeze(0)]).squeeze(-1).tolist()
        known = {}
        for game in games:
            m = len(env.protocol.tracks[game.track])
            low = 0 if m == 1 and i == 0 else 1 if i == 0 else i * steps - (m - 1)
            high = (i + 1) * steps - (m - 1)
            for place in range(len(env.protocol.places(agent))):
                follows = 0.0
                for turn in reversed([t for t in game.of(agent, place) if low <= t.time < high]):
                    value = values[turn.time - first][game.slot][place]
                    after = 0.0 if turn.ended else values[turn.time - first + m][game.slot][place]
                    error = turn.reward + ppo.gamma * after - value
                    follows = error + ppo.gamma * ppo.lmbda * follows * (not turn.ended)
                    known[turn.time, game.slot, place] = follows, follows + value
        out.append(known)
    return out


def stamped(batch, agent, first):
    """The batch with the number of each act in place of its log-probability."""
    count = batch[agent, "log_prob"].numel()
    number = torch.arange(count).view(batch[agent, "log_prob"].shape) + first * count // len(batch)
    marked = batch.clone()
    marked[agent, "log_prob"] = number.float()
    return marked


def estimates(ppo, batch, last, agent, first):
    """Advantage and value target as the trainer computes them, by act."""
    rows = ppo.advantages(
        own_turns(stamped(batch, agent, first), last[agent], ppo.env, agent, ppo.rollout.steps)
    )
    slots, places = ppo.env.slots, len(ppo.env.protocol.places(agent))
    out = {}
    for number, advantage, target in zip(
        rows["log_prob"].long().tolist(),
        rows["advantage"].flatten().tolist(),
        rows["value_target"].flatten().tolist(),
        strict=True,
    ):
        key = number // places // slots, number // places % slots, number % places
        assert key not in out
        out[key] = advantage, target
    return out


@everywhere
@pytest.mark.parametrize("gamma, lmbda", [(1.0, 0.95), (0.7, 0.4)])
def test_advantages_are_those_computed_game_by_game(protocol, gamma, lmbda):
    ppo = trainer(protocol, gamma=gamma, lmbda=lmbda, slots=5)
    batches = [(ppo.rollout.collect(), ppo.rollout.last_values()) for _ in range(2)]
    for agent in ppo.agents:
        for i, known in enumerate(reference(ppo, batches, agent)):
            first = max(0, i * ppo.rollout.steps - ppo.rollout.tail)
            got = estimates(ppo, *batches[i], agent, first)
            assert got.keys() == known.keys() and len(known) > 10
            raw = [known[key][0] for key in got]
            mean = sum(raw) / len(raw)
            spread = math.sqrt(sum((x - mean) ** 2 for x in raw) / len(raw))
            for key, (advantage, target) in got.items():
                assert advantage == pytest.approx((known[key][0] - mean) / spread, abs=1e-3)
                assert target == pytest.approx(known[key][1], abs=1e-4)


@everywhere
def test_nothing_leaks_across_the_end_of_a_game(protocol, monkeypatch):
    """What follows a game (values, rewards) changes none of its advantages: not a bit."""
    monkeypatch.setattr(replicas, "normalise", lambda x: x)
    ppo = trainer(protocol, slots=12)
    env, steps = ppo.env, ppo.rollout.steps
    batch, last = ppo.rollout.collect(), ppo.rollout.last_values()
    games = replay(env, batch)
    over = [game for game in games if game.decision is not None]
    limit = [
        game for game in over if max(t.observation["round"] for t in game.turns) == env.protocol.rounds - 1
    ]
    assert over and limit
    for agent in ppo.agents:
        before = estimates(ppo, batch, last, agent, 0)
        for some, marked in (("ended", over), ("at the limit", limit)):
            other = batch.clone()
            inside = torch.zeros(batch[agent, "log_prob"].shape, dtype=torch.bool)
            paid = inside.clone()
            for game in marked:
                m = len(env.protocol.tracks[game.track])
                for turn in game.turns:
                    if turn.agent == agent:
                        inside[turn.time, game.slot, turn.place] = True
                        if turn.time + m - 1 < steps:
                            paid[turn.time + m - 1, game.slot, turn.place] = True
            other[agent, "state_value"][~inside] = 1e4
            other["next", agent, "reward"][~paid] = -1e4
            after = estimates(ppo, other, {agent: torch.full_like(last[agent], 1e4)}, agent, 0)
            kept = [key for key in before if inside[key]]
            assert kept and all(before[key] == after[key] for key in kept), some
            outside = [key for key in before if not inside[key]]
            assert not outside or any(before[key] != after[key] for key in outside)
