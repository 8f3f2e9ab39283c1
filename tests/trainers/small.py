"""A small PPO on any game, its weights, and turns to learn from."""

import torch
from tensordict import TensorDict

from pvg.trainers.collect import own_turns
from pvg.trainers.ppo import PPO, Learning
from tests.envs.scenarios import build, cast


def trainer(protocol="nip", scenario="toy", seed=0, slots=8, iterations=3, shared=True, **options):
    torch.manual_seed(seed)
    env = build(scenario, protocol, slots=slots, seed=seed)
    agents = cast(env, scenario, shared=shared)
    turns = iterations * 12 * slots * len(env.protocol.places())
    return PPO(
        env,
        agents,
        **{"turns": turns, "steps": 12, "learning": {"default": Learning(minibatch=64)}} | options,
    )


def weights(ppo):
    return {f"{n}.{k}": v.clone() for n, a in ppo.agents.items() for k, v in a.state_dict().items()}


def same(one, other):
    assert one.keys() == other.keys()
    return {key for key in one if torch.equal(one[key], other[key])}


def rows_for(ppo, agent="verifier", seed=1):
    """Turns with advantages, and log-probabilities as of another policy, so that ratios are not one."""
    batch, last = ppo.rollout.collect(), ppo.rollout.last_values()
    rows = ppo.advantages(own_turns(batch, last[agent], ppo.env, agent, ppo.rollout.steps))
    torch.manual_seed(seed)
    rows["log_prob"] = rows["log_prob"] + 0.4 * torch.randn_like(rows["log_prob"])
    return {k: v.clone() for k, v in rows.items()}  # as minibatches are: copies


def rows_of(rows):
    return TensorDict(
        {k: rows[k] for k in ("index", "transcript", "coins", "round", "live")}, [len(rows["round"])]
    )
