"""Rollout-IW and π-IW against a sequential reference, and on whole episodes."""

import pytest
import torch

from pvg.envs.gridworld import LEVELS, Gridworld
from pvg.errors import UserError
from pvg.planning.planner import target_policy
from pvg.planning.play import play_episodes
from pvg.planning.rollout import RolloutIW
from pvg.planning.simulator import EnvSimulator, Guided
from pvg.planning.sketch import sketch
from tests.planning.reference import Game, Reference

BUDGET, CAPACITY = 50, 130


def tree(planner, b):
    """Tree ``b`` as (parent, action, depth, solved, reward) of each node but the root, which is solved or not."""
    forest, first = planner.forest, b * planner.forest.stride
    found = []
    for node in range(first + 1, first + int(forest.count[b])):
        edge = int(forest.edge[node])
        parent, action = edge // forest.actions - first, edge % forest.actions
        solved, reward = bool(forest.solved[node]), float(forest.paid[node])
        found.append((parent, action, int(forest.depth[node]), solved, reward))
    return bool(forest.solved[first]), found


def expected(reference):
    place = {id(node): k for k, node in enumerate(reference.nodes)}
    rows = [(place[id(n.parent)], n.action, n.depth, n.solved, n.reward) for n in reference.nodes[1:]]
    return reference.nodes[0].solved, rows


def compare(level, trees, decisions, logits=None, counted=False):
    """Plan some decisions in every tree, and in as many references with the same draws."""
    shape = LEVELS[level]
    simulator = EnvSimulator(Gridworld(level, games=4))
    if logits is not None:
        simulator = Guided(simulator, lambda state: {"logits": logits[state["cell"]]})
    planner = RolloutIW(simulator, trees=trees, budget=BUDGET, capacity=CAPACITY, seed=trees)
    if counted:
        planner.forest.count_visits()
    planner.begin(simulator.initial(trees))
    game = Game(shape.rows, shape.moves, shape.block)
    references = [Reference(game, BUDGET, CAPACITY - 0) for _ in range(trees)]
    area, width = len(shape.rows) * len(shape.rows[0]), len(shape.rows[0])

    def bias(state):
        return logits[state[0] * width + state[1] + area * state[2]].tolist()

    for _ in range(decisions):
        returns = planner.plan()
        draws = planner.draws.view(-1, trees, simulator.actions).numpy()
        for b, reference in enumerate(references):
            reference.plan(draws[:, b], bias if logits is not None else None)
            assert tree(planner, b) == expected(reference)
            if planner.forest.visits is not None:
                drawn = [node.visits for node in sketch(planner, tree=b).nodes[1:]]
                assert drawn == [node.visits for node in reference.nodes[1:]]
            values = [
                reference.value(reference.nodes[0].children[a], 0.99)
                if a in reference.nodes[0].children
                else -torch.inf
                for a in range(simulator.actions)
            ]
            assert returns[b].tolist() == pytest.approx(values, abs=1e-6)
        action = planner.choose(returns)
        paid, done = planner.follow(action)
        for b, reference in enumerate(references):
            reference.follow(int(action[b]))
            assert (float(paid[b]), bool(done[b])) == (reference.nodes[0].reward, reference.nodes[0].done)
    return references


@pytest.mark.parametrize("level", ["path", "maze0", "maze1", "maze3"])
def test_a_tree_equals_the_sequential_reference(level):
    references = compare(level, trees=16, decisions=3)
    assert len({len(reference.nodes) for reference in references}) > 1  # the seeds do differ


@pytest.mark.slow
@pytest.mark.parametrize("level", ["path", "maze0", "maze1", "maze3"])
def test_a_hundred_trees_equal_the_sequential_reference(level):
    compare(level, trees=100, decisions=4)


def test_a_guided_tree_equals_the_reference():
    logits = 3 * torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    compare("maze2", trees=12, decisions=3, logits=logits)


def test_visits_are_counted_as_by_the_reference():
    compare("maze1", trees=4, decisions=3, counted=True)


def test_the_reference_tells_a_wrong_rule():
    """If revisited nodes had to be strictly earlier, trees would differ: the comparison can fail."""
    with pytest.raises(AssertionError):
        planner_rule = RolloutIW._visit

        def wrong(self, trees):
            self.forest.depth += 1
            try:
                return planner_rule(self, trees)
            finally:
                self.forest.depth -= 1

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(RolloutIW, "_visit", wrong)
            compare("maze0", trees=4, decisions=2)


@pytest.mark.slow
def test_rollouts_solve_the_path():
    simulator = EnvSimulator(Gridworld("path", games=8))
    found = play_episodes(RolloutIW(simulator, trees=200, budget=50, seed=1), longest=200)
    assert len(found.lengths) == 200
    assert found.success() >= 0.97 and 45 <= sum(found.lengths) / 200 <= 70


def test_what_a_tree_finds_does_not_depend_on_its_neighbours():
    simulator = EnvSimulator(Gridworld("maze1", games=8))
    draws = torch.rand(400, 8, 5, generator=torch.Generator().manual_seed(0))
    found = []
    for columns in ([0], [0, 1, 2, 3, 4, 5, 6, 7]):
        planner = RolloutIW(simulator, trees=len(columns), budget=50)
        planner.draw = lambda count, columns=columns: draws[:, columns].reshape(-1, 5)
        planner.begin(simulator.initial(len(columns)))
        planner.plan()
        found.append(tree(planner, 0))
    assert found[0] == found[1]


def test_a_policy_leads_the_rollouts():
    """A policy that walks right reaches the key of the path in one rollout."""
    simulator = EnvSimulator(Gridworld("path", games=4))
    right = Guided(simulator, lambda s: {"logits": torch.tensor([-20.0, 20.0]).expand(len(s["cell"]), 2)})
    planner = RolloutIW(right, trees=4, budget=6)
    planner.begin(right.initial(4))
    planner.plan()
    assert (planner.forest.states["cell"].view(4, -1)[:, 6] == 100 + 48).all()  # on the key, and holding it


def test_risk_is_charged_wherever_a_game_is_lost():
    simulator = EnvSimulator(Gridworld("maze0", games=4))
    planner = RolloutIW(simulator, trees=4, budget=100, risk=10.0)
    planner.begin(simulator.initial(4))
    planner.plan()
    forest = planner.forest
    lost = forest.done & (forest.paid < 0)
    assert (forest.depth[lost] > 1).any()
    assert (forest.reward[lost] == -11).all() and (forest.reward[~lost] == forest.paid[~lost]).all()


def test_target_policies():
    returns = torch.tensor([[1.0, 1.0, 0.0, -torch.inf]])
    assert target_policy(returns).tolist() == [[0.5, 0.5, 0.0, 0.0]]
    soft = target_policy(returns, 0.5)[0]
    assert soft[3] == 0 and soft[0] / soft[2] == pytest.approx(torch.e**2, rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"budget": 4}, "at least 5"),
        ({"trees": 0}, "trees=0"),
        ({"width": 3}, "width=3"),
        ({"capacity": 50}, "fit"),
    ],
)
def test_settings_that_make_no_sense(settings, words):
    with pytest.raises(UserError, match=words):
        RolloutIW(EnvSimulator(Gridworld("maze0", games=2)), **settings)
