"""MiniGrid's levels as a function of their state, against MiniGrid itself."""

import sys

import gymnasium
import numpy as np
import pytest
import torch

from pvg.envs.minigrid import MiniGrid
from pvg.errors import UserError
from pvg.planning.rollout import RolloutIW
from pvg.planning.simulator import EnvSimulator

DOOR = "MiniGrid-DoorKey-5x5-v0"


def test_without_minigrid_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "minigrid", None)
    with pytest.raises(UserError, match=r"pip install -e '\.\[minigrid\]'"):
        MiniGrid(DOOR)


def test_a_walk_is_minigrids_own():
    """Many games, in mixed order, from saved states; one undisturbed environment of MiniGrid a game."""
    env, chance = MiniGrid(DOOR, games=3, seed=5), np.random.default_rng(0)
    plain = [gymnasium.make(DOOR).unwrapped for _ in range(3)]
    for one in plain:
        one.reset(seed=5)
    state, over, paid = env.reset(), [False] * 3, 0
    for _ in range(150):
        action = chance.integers(0, len(env.moves), 3)
        order = chance.permutation(3)
        out = env._step(state.set("action", torch.from_numpy(action))[torch.from_numpy(order)])
        state = out[torch.from_numpy(np.argsort(order))]
        for k, one in enumerate(plain):
            reward = 0.0
            if not over[k]:
                _, reward, ended, cut, _ = one.step(int(action[k]))
                over[k], paid = ended or cut, paid + 1
            assert float(state["reward"][k]) == pytest.approx(float(reward))
            assert bool(state["done"][k]) == over[k]
            assert (state["grid"][k].numpy() == one.grid.encode()).all()
            assert state["place"][k].tolist() == [*one.agent_pos, one.agent_dir]
            assert (int(state["carried"][k, 0]) == 5) == (one.carrying is not None)
    assert paid > 100
    assert state["carried"].shape == (3, 3) and env.draw(state).shape == (3, 40, 40, 3)


def test_it_can_be_planned_in():
    """The check that it is a function of its state passes, and a search finds what its atoms tell apart."""
    simulator = EnvSimulator(MiniGrid("MiniGrid-Empty-5x5-v0", games=2), features="cells")
    planner = RolloutIW(simulator, trees=2, budget=400)
    planner.begin(simulator.initial(2))
    returns = planner.plan()
    assert (returns.amax(1) > 0.5).all()  # the goal is five steps away


def test_an_unknown_level_names_those_there_are():
    with pytest.raises(UserError, match="MiniGrid-DoorKey-8x8-v0"):
        MiniGrid("DoorKey")
    with pytest.raises(UserError, match="games=0"):
        MiniGrid(DOOR, games=0)
