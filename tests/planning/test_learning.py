"""Policies that learn from plans, and the program around them."""

import json
import time

import pytest
import torch

from pvg.envs.gridworld import LEVELS, Gridworld
from pvg.errors import UserError
from pvg.planning.breadth import IW, Random
from pvg.planning.hierarchical import HierarchicalIW
from pvg.planning.networks import GridNet, Mnih
from pvg.planning.play import play_episodes
from pvg.planning.rollout import PiIW, RolloutIW
from pvg.planning.simulator import EnvSimulator, Guided
from pvg.trainers.planning import Imitation, Planning
from tests.planning.reference import Game

SMALL = [
    "experiment=planning",
    "env.games=4",
    "episodes=16",
    "trainer.decisions=12",
    "trainer.imitation.first=8",
    "tracker=csv",
]


def make(level="path", games=16, seed=0, kind=GridNet, dynamic=None, value=False, **settings):
    torch.manual_seed(seed)
    env = Gridworld(level, games=games)
    base = EnvSimulator(env)
    net = kind((env.height, env.width), 5, base.actions, observation="grid", dynamic=dynamic, value=value)
    planner = PiIW(Guided(base, net.tell, net.active if dynamic else None), trees=games, budget=50, seed=seed)
    settings.setdefault("imitation", Imitation(updates=8))
    return Planning(planner, net, seed=seed, **settings)


@pytest.mark.slow
def test_a_policy_learns_the_path():
    """90 % of the last 50 episodes solved within 150,000 interactions, in 20 steps or fewer where 13 are the fewest."""
    trainer = make(decisions=240)
    trainer.train()
    assert trainer.planner.interactions < 150_000
    assert trainer.recent()["success"] >= 0.9 and trainer.recent()["length"] <= 20
    # the policy has it, too: it walks to the key and back without a search
    state = trainer.planner.simulator.initial(1)
    paid = 0.0
    for _ in range(20):
        step = trainer.planner.simulator.step(state, trainer.policy(state["grid"]).argmax(1))
        paid, state = paid + float(step.reward), step.state
    assert paid == 1.0


@pytest.mark.parametrize(("kind", "dynamic"), [(GridNet, "hidden"), (Mnih, None), (Mnih, "conv2")])
def test_other_networks_and_features(kind, dynamic):
    trainer = make(
        "maze0", games=2, kind=kind, dynamic=dynamic, decisions=3, imitation=Imitation(updates=1, first=1)
    )
    said = []
    trainer.train(lambda i, metrics: said.append(metrics))
    units = {GridNet: 128, Mnih: 32 * 9 * 9}[kind]
    assert trainer.planner.simulator.atoms_shape == ((units, 2) if dynamic else (100, 5))
    assert said[-1]["interactions"] <= 3 * 2 * 50 and said[-1]["loss"] > 0


def test_the_rollout_temperature_moves_and_the_target_does_not():
    trainer = make(games=2, decisions=5, rollout_temperature=(2.0, 0.5))
    seen = []
    trainer.train(lambda i, _: seen.append(trainer.planner.forest.temperature))
    assert seen == pytest.approx([2.0, 1.625, 1.25, 0.875, 0.5])
    targets = trainer.replay[:]["target"]
    assert ((targets > 0).sum(1) * targets.amax(1) == 1).all()  # even among the best


def test_nothing_is_learned_without_a_policy():
    simulator = EnvSimulator(Gridworld("path", games=4))
    trainer = Planning(RolloutIW(simulator, trees=4), None, decisions=3)
    trainer.train()
    assert len(trainer.replay) == 0 and "policy" not in trainer.state_dict()


def test_settings_that_make_no_sense():
    with pytest.raises(UserError, match="updates"):
        Imitation(updates=0)
    with pytest.raises(UserError, match="rollout_temperature"):
        make(games=2, rollout_temperature=(0.0, 1.0))


# --- the program ---


def results(run):
    found = json.loads((run / "result.json").read_text())
    return {k: v for k, v in found.items() if "minutes" not in k}


def test_it_trains_and_judges(pvg):
    done = pvg(*SMALL, "trainer.longest=40", "folder=run").ok()
    found = results(done.folder / "run")
    assert found["interactions"] <= 12 * 4 * 50 and found["success"] > 0 and "steps" in done.out
    assert found["interactions_per_step"] <= 50
    again = pvg("mode=evaluate", f"checkpoint={done.folder / 'run'}").ok().json
    assert again["length"] == found["length"]


@pytest.mark.parametrize("planner", ["rollout_iw", "iw", "hierarchical_iw", "random", "greedy"])
def test_other_planners(pvg, planner):
    few = ["trainer.decisions=2", "trainer.longest=4", "folder=run"]
    assert "steps" in pvg(*SMALL, *few, f"planner={planner}").ok().out


@pytest.mark.slow
def test_killed_and_resumed_it_gives_the_same(pvg, tmp_path):
    more = [
        *SMALL,
        "trainer.decisions=30",
        "checkpoint_every=4",
        "trainer.longest=8",
        "trainer.imitation.updates=1",
    ]
    whole = pvg(*more, "folder=run").ok().folder / "run"
    run = tmp_path / "run"
    pvg.killed(*more, folder=run, rows=9)
    pvg("resume=run", folder=tmp_path).ok()
    assert results(run) == results(whole)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["env.level=maze7"], "maze3"),
        (["planner.budget=1"], "budget=1"),
        (["simulator.features=pixels"], "features=pixels"),
        (["planner=mcts"], "pi_iw"),
        (["env=primality"], "played by experiment=ppo"),
        (["trainer.decisions=0"], "decisions=0"),
    ],
)
def test_what_is_wrong_is_said(pvg, arguments, words):
    pvg.refuses(words, *SMALL[:1], "tracker=csv", *arguments)


# --- values ---


def distances(level):
    """Steps from each state to the door, by a plain search backwards over the reference game's steps."""
    shape = LEVELS[level]
    game, width = Game(shape.rows, shape.moves, shape.block), len(shape.rows[0])
    before, todo, ends = {}, [game.start], []
    for state in todo:
        for action in range(len(game.moves)):
            after, reward, done = game.step(state, action)
            if after not in before and not done:
                todo.append(after)
            before.setdefault(after, set()).add(state)
            if reward > 0:
                ends.append(after)
    steps = dict.fromkeys(ends, 0)
    for state in (queue := list(steps)):
        for other in before.get(state, ()):
            if other not in steps:
                steps[other] = steps[state] + 1
                queue.append(other)
    area = width * len(shape.rows)
    found = torch.zeros(2 * area)
    for (row, column, key), left in steps.items():
        found[row * width + column + area * key] = 0.99 ** (left - 1) if left else 0.0
    return found


def test_a_value_stands_for_what_follows():
    """With the right values a look one step ahead is enough to walk the shortest way, and without them it isn't."""
    values, lengths = distances("maze0"), []
    for worth in (1.0, 0.0):
        base = EnvSimulator(Gridworld("maze0", games=4))
        told = Guided(base, lambda s, worth=worth: {"value": worth * values[s["cell"]]})
        found = play_episodes(IW(told, trees=4, budget=5, cache=False), longest=60)
        lengths.append(found.lengths if found.success() == 1 else None)
    assert lengths == [[21] * 4, None]


def test_what_has_followed_is_looked_back_for():
    """In a replay that is too short for whole games, by the rule written out for one game."""
    torch.manual_seed(0)
    base = EnvSimulator(Gridworld("maze0", games=3))
    net = GridNet((10, 10), 5, 5, value=True)
    planner = Random(Guided(base, net.tell), trees=3)
    trainer = Planning(planner, net, imitation=Imitation(first=10**6, capacity=31), decisions=1, longest=13)
    paid, lengths = [], []
    while len(trainer.play.episodes.lengths) < 7:
        trainer._decide()
        paid.append(trainer.play.paid.tolist())
        lengths.append(trainer.play.length.tolist())
    assert min(trainer.play.episodes.lengths) < 13  # some lost early
    kept, steps = trainer.replay[:], len(paid)
    for step in range(steps - 10, steps):
        for game in range(3):
            place = (3 * step + game) % 31
            end = next((s for s in range(step, steps) if lengths[s][game] == 0), None)
            if end is None:
                assert kept["follows"][place].isnan()
            else:
                expected = sum(0.99 ** (s - step) * paid[s][game] for s in range(step, end + 1))
                assert float(kept["follows"][place]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_a_value_is_learned():
    trainer = make(decisions=160, value=True)
    trainer.train()
    assert trainer.recent()["success"] >= 0.9
    net, state = trainer.policy, trainer.planner.simulator.initial(1)
    assert net.both(state["grid"])[1].item() == pytest.approx(
        0.99 ** (trainer.recent()["length"] - 1), abs=0.1
    )


# --- time ---


@pytest.mark.parametrize("kind", [RolloutIW, IW, HierarchicalIW])
def test_a_decision_ends_with_its_time(kind):
    simulator = EnvSimulator(Gridworld("maze2", games=4))
    planner = kind(simulator, trees=4, budget=10**5, seconds=0.05)
    planner.begin(simulator.initial(4))
    planner.plan()
    begin = time.perf_counter()
    returns = planner.plan()
    assert time.perf_counter() - begin < 2 and (returns > -torch.inf).any(1).all()
    short = kind(simulator, trees=4, budget=10**5, seconds=1e-9)
    short.begin(simulator.initial(4))
    assert (short.plan() > -torch.inf).any(1).all() and short.interactions <= 8


def test_no_time_is_refused():
    with pytest.raises(UserError, match="seconds=0"):
        RolloutIW(EnvSimulator(Gridworld("maze0", games=2)), seconds=0)
