"""Breadth-first width search and its hierarchy: key-and-door problems have width two."""

import pytest
import torch

from pvg.envs.gridworld import LEVELS, Gridworld
from pvg.planning.breadth import IW, Greedy, Random
from pvg.planning.hierarchical import HierarchicalIW
from pvg.planning.play import play_episodes
from pvg.planning.simulator import EnvSimulator
from tests.planning.reference import Game


def solve(planner):
    """Nodes up to the first that is paid, or None; all trees must agree."""
    planner.begin(planner.simulator.initial(planner.trees))
    planner.plan()
    paid = (planner.forest.paid > 0).view(planner.trees, -1)
    assert (paid == paid[0]).all()
    return int(paid[0].float().argmax()) if paid[0].any() else None


def breadth_first(game):
    """Steps of the simulator until a plain breadth-first search over states is paid."""
    queue, seen, steps = [game.start], {game.start}, 0
    for state in queue:
        for action in range(len(game.moves)):
            after, reward, done = game.step(state, action)
            steps += 1
            if reward > 0:
                return steps
            if after not in seen:
                seen.add(after)
                if not done:
                    queue.append(after)
    return None


@pytest.mark.parametrize("level", ["path", "maze0", "maze2", "maze3"])
def test_key_and_door_have_width_two(level):
    simulator, shape = EnvSimulator(Gridworld(level, games=2)), LEVELS[level]
    assert solve(IW(simulator, trees=2, budget=1000)) is None
    # two atoms, the hero's cell and the key's, tell all states apart
    assert solve(IW(simulator, trees=2, budget=1000, width=2)) == breadth_first(
        Game(shape.rows, shape.moves, shape.block)
    )


def nodes_until_paid(planner):
    """Of each tree, the number of nodes until the first that is paid; all must have one."""
    planner.begin(planner.simulator.initial(planner.trees))
    planner.plan()
    paid = (planner.forest.paid > 0).view(planner.trees, -1)
    assert paid.any(1).all()
    return paid.float().argmax(1).float()


@pytest.mark.parametrize("level", ["path", "maze1"])
def test_the_hierarchy_solves_width_two_by_width_one(level):
    """In every tree; and it finds out that the key's cell is what matters, and nothing else."""
    simulator = EnvSimulator(Gridworld(level, games=2))
    planner = HierarchicalIW(simulator, trees=6, budget=1000)
    nodes_until_paid(planner)
    key = "".join(LEVELS[level].rows).index("K")
    assert planner.high.nonzero()[:, 1].tolist() == [key] * 6
    assert (planner.known == 3).all()  # the key lies there, the hero is on it, it is gone
    # a node's abstract state is told by the key's cell alone, so nodes with the key are in the last one
    held = 100 + "".join(LEVELS[level].rows).index("H")
    atoms = simulator.atoms(planner.forest.states)[:, key].view(6, -1)
    state, pruned = planner._state(
        torch.arange(6),
        simulator.atoms({"grid": simulator.env.see(torch.full((6,), held))}).long(),
        planner.forest.roots,
    )
    assert (state == 2).all() and not pruned.any() and (atoms == 0).any(1).all()


@pytest.mark.parametrize(("level", "share"), [("path", 0.95), ("near", 0.6), ("maze0", 0.7), ("maze3", 0.8)])
def test_the_hierarchy_takes_fewer_nodes(level, share):
    simulator = EnvSimulator(Gridworld(level, games=2))
    assert solve(IW(simulator, trees=2, budget=1000)) is None
    flat = solve(IW(simulator, trees=2, budget=1000, width=2))
    assert nodes_until_paid(HierarchicalIW(simulator, trees=8, budget=1000)).mean() < share * flat


def test_the_hierarchy_then_looks_for_shorter_ways():
    """The first way to be found is long; a tree that may go on ends with the shortest, of 21 steps."""
    simulator = EnvSimulator(Gridworld("maze0", games=2))
    planner = HierarchicalIW(simulator, trees=2, budget=1800)
    planner.begin(simulator.initial(2))
    best = planner.plan().amax(1)
    assert planner.shorter.all() and torch.allclose(best, torch.full((2,), 0.99**20))


def test_the_hierarchy_goes_on_from_what_is_kept():
    """Decision after decision, with the key in hand and without, the door is reached where width one alone fails."""
    planner = HierarchicalIW(EnvSimulator(Gridworld("path", games=2)), trees=6, budget=30)
    found = play_episodes(planner, longest=60)
    assert found.success() == 1 and max(found.lengths) < 40


def test_what_is_kept_costs_nothing_again():
    simulator = EnvSimulator(Gridworld("maze0", games=2))
    planner = IW(simulator, trees=2, budget=200)
    planner.begin(simulator.initial(2))
    planner.follow(planner.choose(planner.plan()))
    kept, before = planner.forest.count.clone(), planner.interactions
    assert (kept > 1).all()
    fresh = IW(simulator, trees=2, budget=200)
    fresh.begin({k: v[planner.forest.roots] for k, v in planner.forest.states.items()})
    planner.plan()
    assert planner.interactions - before <= 400 and (planner.forest.count > kept).all()
    assert planner.forest.count.max() <= planner.forest.capacity


@pytest.mark.parametrize(("kind", "steps"), [(Greedy, 2), (Random, 1)])
def test_baselines(kind, steps):
    simulator = EnvSimulator(Gridworld("path", games=2))
    planner = kind(simulator, trees=100)
    planner.begin(simulator.initial(100))
    returns = planner.plan()
    assert planner.interactions == steps * 100 and ((returns > -torch.inf).sum(1) == steps).all()
    found = play_episodes(kind(simulator, trees=100, seed=3))
    # an even walk between a wall and an end takes 54 steps to the key and 7 * 8 from there to the door
    assert 75 < sum(found.lengths) / 100 < 125 and found.success() > 0.75
