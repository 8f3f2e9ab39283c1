"""The tabulated game against the same rules in plain Python."""

import pytest
import torch
from torchrl.envs.utils import check_env_specs

from pvg.envs.gridworld import LEVELS, Gridworld
from pvg.errors import UserError
from tests.planning.reference import Game


@pytest.mark.parametrize("level", LEVELS)
def test_it_plays_by_the_rules(level):
    env, shape = Gridworld(level, games=64), LEVELS[level]
    game = Game(shape.rows, shape.moves, shape.block)
    draw, found = torch.Generator().manual_seed(0), env.reset()
    states, over = [game.start] * 64, [False] * 64
    ends = set()
    for _ in range(150):
        action = torch.randint(len(shape.moves), (64,), generator=draw)
        assert found["grid"].flatten(1).tolist() == [game.atoms(s) for s in states]
        found = env.step(found.set("action", action))["next"]
        for g in range(64):
            reward = 0.0
            if not over[g]:
                states[g], reward, over[g] = game.step(states[g], int(action[g]))
                ends.add(reward)
            assert (float(found["reward"][g]), bool(found["done"][g])) == (reward, over[g])
    assert (1.0 if shape.block else -1.0) in ends


@pytest.mark.parametrize("level", LEVELS)
def test_specs(level):
    check_env_specs(Gridworld(level, games=3))


@pytest.mark.parametrize(
    ("level", "steps"),
    [("path", 13), ("near", 13), ("maze0", 21), ("maze1", 21), ("maze2", 21), ("maze3", 27), ("xl", 66)],
)
def test_shortest_solutions(level, steps):
    shape = LEVELS[level]
    game = Game(shape.rows, shape.moves, shape.block)
    now, seen = {game.start}, {game.start}
    taken = 0
    while taken < 100:
        taken += 1
        found = [game.step(s, a) for s in now for a in range(len(shape.moves))]
        if any(reward > 0 for _, reward, _ in found):
            break
        now = {s for s, _, done in found if not done} - seen
        seen |= now
    assert taken == steps


def test_maps_of_ones_own():
    env = Gridworld(["HK.D"], games=2)
    assert env.reset()["grid"].tolist() == [[[4, 2, 0, 3]]] * 2
    with pytest.raises(UserError, match=r"env\.level=maze9.*maze3"):
        Gridworld("maze9")
    for rows in (["HKD", "HK"], ["HK."], ["HKKD"], ["HKDX"]):
        with pytest.raises(UserError, match=r"env\.level"):
            Gridworld(rows)
    with pytest.raises(UserError, match="games=0"):
        Gridworld("path", games=0)
