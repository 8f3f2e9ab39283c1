"""Atari as a simulator, by the real emulator: a function of its state, however it is run."""

import pickle

import ale_py
import numpy as np
import pytest
import torch

from pvg.envs.atari import Atari
from pvg.errors import UserError
from pvg.planning.ale import AtariSimulator
from pvg.planning.rollout import RolloutIW
from pvg.planning.simulator import check_functional, rows


def make(game, features="tiles", **how):
    """One game after the other, in a simulator."""
    return AtariSimulator(
        Atari(game, tiles=features == "tiles", **{"frames": False} | how), features=features
    )


def plain(game, actions, frameskip=15):
    """What a bare emulator shows when it plays these actions undisturbed: after each, all that a state has."""
    emulator = ale_py.ALEInterface()
    emulator.setFloat("repeat_action_probability", 0.0)
    emulator.setInt("frame_skip", 1)
    emulator.loadROM(ale_py.roms.get_rom_path(game))
    emulator.reset_game()
    grey, moves, told = [emulator.getScreenGrayscale()] * 4, emulator.getMinimalActionSet(), []
    for action in actions:
        reward = 0
        for _ in range(frameskip):
            reward += emulator.act(moves[action])
            grey.append(emulator.getScreenGrayscale())
        told.append(
            (
                reward,
                grey[-4:],
                emulator.getScreen(),
                emulator.getRAM(),
                emulator.lives(),
                emulator.game_over(),
            )
        )
    return told


def walk(simulator, actions):
    """A game of these actions, step by step."""
    state = simulator.initial(1)
    for action in actions:
        step = simulator.step(state, torch.tensor([action]))
        state = step.state
        yield step


def shrunk(frame):
    """A frame of 84 x 84, each pixel the mean of the old ones under it: every pixel cut into 84 x 84, then averaged."""
    height, width = frame.shape
    columns = frame.astype(np.float64).repeat(84, 1).reshape(height, 84, width).mean(2)
    return columns.repeat(84, 0).reshape(84, height, 84).mean(1)


@pytest.mark.parametrize(("game", "frameskip"), [("pong", 15), ("breakout", 2), ("carnival", 5)])
def test_a_walk_is_that_of_an_undisturbed_emulator(game, frameskip):
    actions = np.random.default_rng(0).integers(0, 3, 12).tolist()
    simulator = make(game, frames=True, frameskip=frameskip, features="ram")
    lives = int(simulator.initial(1)["lives"])
    for step, (reward, grey, _, ram, left, over) in zip(
        walk(simulator, actions), plain(game, actions, frameskip), strict=True
    ):
        state = step.state
        assert step.reward.item() == reward and step.done.item() == over
        assert state["lives"].item() == left and step.lost.item() == (left < lives or (over and reward < 0))
        assert (state["ram"][0].numpy() == ram).all()
        assert state["frames"].shape == (1, 4, 84, 84)
        for ours, theirs in zip(state["frames"][0].numpy(), grey, strict=True):
            assert abs(ours - shrunk(theirs)).max() <= 0.501
        lives = left


@pytest.mark.parametrize("game", ["Pong", "MsPacman"])
def test_states_can_be_left_and_returned_to(game):
    simulator = make(game, frames=True, emulators=2)
    chance = torch.Generator().manual_seed(1)
    state = simulator.initial(3)
    taken = []
    for _ in range(6):
        action = torch.randint(simulator.actions, (3,), generator=chance)
        step = simulator.step(state, action)
        taken.append((state, action, step))
        state = step.state
    for k in (3, 0, 5, 1):  # in another order, backwards, and one game without the others
        state, action, step = taken[k]
        for which in (torch.tensor([2, 0, 1]), torch.tensor([1])):
            again = simulator.step(rows(state, which), action[which])
            assert torch.equal(again.reward, step.reward[which]) and torch.equal(again.done, step.done[which])
            for name, value in again.state.items():
                assert torch.equal(value, step.state[name][which]), name
    check_functional(simulator, games=3, steps=3)


def test_workers_change_nothing():
    told = []
    for workers in (0, 1, 2):
        simulator = make("Breakout", frames=True, workers=workers, emulators=2)
        state = simulator.initial(5)
        for k in range(4):
            step = simulator.step(state, torch.arange(5) % (k + 1) % simulator.actions)
            state = rows(step.state, torch.tensor([4, 0, 0, 2, 3]))
        told.append({**step.state, "reward": step.reward, "lost": step.lost})
        emulators = simulator.env.emulators
        assert emulators.restored + emulators.skipped == 20
        simulator.env.close()
    for other in told[1:]:
        assert all(torch.equal(value, other[name]) for name, value in told[0].items())


def test_a_failing_worker_says_why():
    simulator = make("Pong", workers=2)
    state = simulator.initial(2)
    with pytest.raises(RuntimeError, match="IndexError"):
        simulator.step(state, torch.tensor([0, 99]))
    simulator.env.close()


def test_an_emulator_that_is_there_already_is_not_restored():
    simulator = make("Pong", emulators=3)
    emulators = simulator.env.emulators
    state = simulator.initial(2)
    state = simulator.step(state, torch.tensor([2, 3])).state
    assert (emulators.skipped, emulators.restored) == (1, 1)  # one stood at the start
    for k in range(1, 4):
        state = simulator.step(rows(state, torch.tensor([1, 0])), torch.tensor([2, 3])).state
        assert (emulators.skipped, emulators.restored) == (1 + 2 * k, 1)
    simulator.step(simulator.initial(1), torch.tensor([0]))
    assert emulators.restored == 2
    assert sum(map(len, emulators._at.values())) == 2


def test_tile_colours_are_those_on_the_screen():
    actions = [3, 1, 4, 1, 5, 2]
    for game in ("ms_pacman", "carnival"):  # of 210 and of 214 rows
        simulator = make(game)
        assert simulator.atoms_shape == (1, 14 * 16 * 128)
        for step, (_, _, screen, *_) in zip(walk(simulator, actions), plain(game, actions), strict=True):
            height, width = screen.shape
            shown = {
                (y * 14 // height * 16 + x * 16 // width) * 128 + int(screen[y, x]) // 2
                for y in range(height)
                for x in range(width)
            }
            assert set(simulator.atoms(step.state)[0].tolist()) == shown


def test_too_many_tile_colours_are_cut():
    from pvg.envs.atari_screen import ATOMS, TileColours

    noise = np.random.default_rng(0).integers(0, 128, (210, 160)).astype(np.uint8) * 2
    found = TileColours(210, 160)(noise)
    assert found.shape == (ATOMS,) and (np.diff(found) > 0).all()


def test_a_game_that_is_over_stays_over():
    simulator = make("Breakout", features="ram")
    for step in walk(simulator, [1, 1, 0, 0] * 60):
        if step.done.item():
            break
    assert step.done.item() and step.lost.item()
    after = simulator.step(step.state, torch.tensor([1]))
    assert after.done.item() and after.reward.item() == 0 and not after.lost.item()
    assert torch.equal(after.state["ram"], step.state["ram"])


@pytest.mark.parametrize("features", ["tiles", "ram"])
def test_a_planner_counts_the_atoms_of_its_nodes(features):
    """What the table of novelty has at the end is the smallest depth of a node with each atom, found one by one."""
    simulator = make("Freeway", features=features)
    planner = RolloutIW(simulator, trees=2, budget=12, seed=3)
    planner.begin(simulator.initial(2))
    planner.plan()
    assert planner.interactions <= 24
    forest, values = planner.forest, simulator.atoms_shape[1]
    table = planner.novelty.depths[:-1].view(2, -1)
    for tree in range(2):
        smallest = {}
        for node in range(1, int(forest.count[tree])):
            at = tree * forest.stride + node
            for k, value in enumerate(
                simulator.atoms({n: v[at : at + 1] for n, v in forest.states.items()})[0].tolist()
            ):
                entry = value if features == "tiles" else k * values + value
                smallest[entry] = min(smallest.get(entry, 99), int(forest.depth[at]))
        entered = (table[tree] < 2**31 - 1).nonzero().squeeze(1)
        assert {int(entry): int(table[tree, entry]) for entry in entered} == smallest


def test_saved_states_do_not_pile_up():
    """A state is its tensors: nothing beside them grows, and they can be written down and read again."""
    simulator = make("Pong", features="ram", frameskip=1, emulators=2)
    state = start = simulator.initial(4)

    def kept():
        return sum(len(many) * len(state) for state, many in simulator.env.emulators._at.items())

    for k in range(30):
        state = simulator.step(state, torch.full((4,), k % 6)).state
        if k == 0:
            first, most = pickle.loads(pickle.dumps(state)), kept()
    assert kept() == most
    again = simulator.step(start, torch.zeros(4, dtype=torch.int64)).state
    assert all(torch.equal(again[name], first[name]) for name in again)


def test_features_that_are_not_there_are_named():
    with pytest.raises(UserError, match="tiles, ram"):
        make("Pong", features="pixels")
    with pytest.raises(UserError, match=r"env\.tiles=true"):
        AtariSimulator(Atari("Pong"))
