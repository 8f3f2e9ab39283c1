"""A planner as the policy of TorchRL's own collector, and a network that imitates it."""

import pytest
import torch
from tensordict import TensorDict
from torchrl.collectors import Collector
from torchrl.envs import StepCounter, TransformedEnv

from pvg.envs.gridworld import Gridworld
from pvg.errors import UserError
from pvg.planning.agent import PlanningAgent
from pvg.planning.breadth import IW
from pvg.planning.networks import GridNet
from pvg.planning.play import Play
from pvg.planning.rollout import PiIW, RolloutIW
from pvg.planning.simulator import EnvSimulator, Guided

GAMES = 3


def collect(agent, env, frames):
    collector = Collector(
        env, agent, frames_per_batch=frames, total_frames=frames, auto_register_policy_transforms=False
    )
    batch = next(iter(collector)).clone()
    collector.shutdown()
    return batch


def test_a_collector_drives_it_to_the_door():
    """Through ends and resets, in 21 steps a game, the fewest there are."""
    planner = IW(EnvSimulator(Gridworld("maze0", games=GAMES)), trees=GAMES, budget=700, width=2)
    env = TransformedEnv(Gridworld("maze0", games=GAMES), StepCounter())
    batch = collect(PlanningAgent(planner), env, 50 * GAMES)
    assert batch.batch_size == (GAMES, 50)
    done, reward = batch["next", "done"].squeeze(-1), batch["next", "reward"].squeeze(-1)
    assert done.nonzero()[:, 1].tolist() == [20, 41] * GAMES
    assert (reward[done] == 1).all() and reward.sum() == 2 * GAMES
    assert (batch["returns"].max(2).values[:, 20] == 1).all()
    # what was planned for was done
    chosen = batch["planned"].gather(2, batch["action"].unsqueeze(2))
    assert (chosen > 0).all() and torch.allclose(batch["planned"].sum(2), torch.ones(GAMES, 50))


@pytest.mark.parametrize("guided", [False, True])
def test_trees_are_kept_as_in_play(guided):
    """The agent in an environment of its own does what the planner does when it plays inside its simulator."""
    net = GridNet((10, 10), 5, 5)

    def planner():
        base = EnvSimulator(Gridworld("maze0", games=GAMES))
        if guided:
            return PiIW(Guided(base, net.tell), trees=GAMES, budget=30, seed=4)
        return RolloutIW(base, trees=GAMES, budget=30, seed=4)

    play, agent, env = (
        Play(planner(), longest=10**6),
        PlanningAgent(planner()),
        Gridworld("maze0", games=GAMES),
    )
    state = env.reset()
    for _ in range(40):
        returns, ended = play.step()
        state = agent(state)
        assert torch.equal(state["returns"], returns)
        step = env.step(state)["next"]
        assert torch.equal(step["done"].flatten(), ended)
        state = step.exclude("reward")
        state["cell"] = torch.where(ended, env.start, state["cell"])
    assert play.planner.interactions == agent.planner.interactions


def test_a_state_from_elsewhere_begins_a_new_tree():
    agent = PlanningAgent(RolloutIW(EnvSimulator(Gridworld("maze0", games=2)), trees=2, budget=30))
    env = Gridworld("maze0", games=2)
    state = env.step(agent(env.reset()))["next"]
    kept = agent.planner.forest.count.clone()
    state["cell"] = torch.tensor([int(state["cell"][0]), 45])
    agent._go_to({key: state[key] for key in agent.in_keys})
    assert agent.planner.forest.count.tolist() == [int(kept[0]), 1]
    assert agent.planner.forest.root_states()["cell"].tolist()[1] == 45


def test_a_trainer_can_imitate_it():
    """From what the collector brings, a network learns the shortest way."""
    planner = IW(EnvSimulator(Gridworld("path", games=GAMES)), trees=GAMES, budget=100, width=2)
    batch = collect(PlanningAgent(planner), Gridworld("path", games=GAMES), 30 * GAMES).flatten()
    torch.manual_seed(0)
    net = GridNet((10, 10), 5, 2, width=32)
    optimiser = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(net(batch["grid"]), batch["planned"])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    env = Gridworld("path", games=1)
    found = env.rollout(20, lambda td: td.set("action", net(td["grid"]).argmax(1)))
    assert len(found[0]) == 13 and found["next", "reward"][0, -1] == 1


def test_another_number_of_games_is_refused():
    agent = PlanningAgent(RolloutIW(EnvSimulator(Gridworld("path", games=2)), trees=2))
    with pytest.raises(UserError, match="trees=5"):
        agent(Gridworld("path", games=5).reset())
    with pytest.raises(KeyError):
        agent(TensorDict({}, [2]))
