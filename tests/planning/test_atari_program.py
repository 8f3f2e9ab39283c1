"""Atari games in ``experiment=planning``."""

import json

import pytest
import torch

from pvg.envs.atari import Atari
from pvg.planning.ale import AtariSimulator
from pvg.planning.networks import Mnih
from pvg.planning.rollout import PiIW
from pvg.planning.simulator import Guided
from pvg.trainers.planning import Imitation, Planning

FEW = [
    "experiment=planning",
    "env=atari",
    "env.games=2",
    "trainer.decisions=3",
    "trainer.longest=4",
    "trainer.imitation.first=2",
    "planner.budget=10",
    "episodes=2",
    "tracker=csv",
    "folder=run",
]


@pytest.mark.parametrize(
    "choice",
    [
        ["env.game=Pong", "planner=pi_iw"],
        ["env.game=freeway", "planner=rollout_iw", "env.frames=false"],
        ["env.game=MsPacman", "network.dynamic=hidden", "env.tiles=false", "simulator.features=ram"],
    ],
)
def test_it_runs(pvg, choice):
    done = pvg(*FEW, *choice).ok()
    found = json.loads((done.folder / "run/result.json").read_text())
    assert (
        found["interactions"] <= 3 * 2 * 10 and found["length"] == 4 and found["interactions_per_step"] <= 10
    )


def trainer(seed=0):
    torch.manual_seed(seed)
    base = AtariSimulator(Atari("Pong", games=2, tiles=True))
    net = Mnih((4, 84, 84), 256, base.actions)
    planner = PiIW(Guided(base, net.tell), trees=2, budget=8, seed=seed)
    return Planning(planner, net, imitation=Imitation(updates=1, batch=4, first=2), decisions=2, seed=seed)


def test_resumed_it_gives_the_same():
    whole, first, second = trainer(), trainer(), trainer(5)
    whole.iterations = second.iterations = 4
    whole.train()
    first.train()
    second.load_state_dict(first.state_dict())
    second.train()
    for name, value in whole.policy.state_dict().items():
        assert torch.equal(value, second.policy.state_dict()[name]), name
    assert whole.planner.interactions == second.planner.interactions
    nodes = whole.planner.forest.nodes()
    for name, value in whole.planner.forest.states.items():
        assert torch.equal(value[nodes], second.planner.forest.states[name][nodes]), name


def test_the_frames_are_what_the_network_sees():
    """Another last frame is another opinion; and it sees them from 0 to 1."""
    torch.manual_seed(0)
    net, env = Mnih((4, 84, 84), 256, 6), Atari("Pong")
    frames = env.reset()["frames"]
    assert net.body.seen(torch.full((1, 4, 84, 84), 255, dtype=torch.uint8)).eq(1).all()
    other = frames.clone()
    other[:, 3] = 0
    assert not torch.allclose(net(frames), net(other))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["env.game=Pongg"], "Did you mean Pong?"),
        (["simulator.features=screen"], "There are tiles, ram"),
        (["env.tiles=false"], "env.tiles=true"),
        (["planner.budget=5"], "at least 6"),
        (["network.observation=grid"], "frames"),
        (["network.dynamic=last"], "conv1, conv2, hidden"),
        (["planner=iw", "planner.width=2"], "of width 1"),
        (["planner=hierarchical_iw", "simulator.features=ram"], "GiB"),
        (["network.observation=tiles"], "84 x 84"),
        (["episodes=0"], "episodes=0"),
    ],
)
def test_what_is_wrong_is_said(pvg, arguments, words):
    pvg.refuses(words, "experiment=planning", "env=atari", "tracker=csv", *arguments)
