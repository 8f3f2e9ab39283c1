"""What can be planned in, and what is refused with the reason."""

import pytest
import torch
from torchrl.envs import CatFrames, StepCounter, TransformedEnv

from pvg.envs.gridworld import Gridworld
from pvg.errors import UserError
from pvg.planning.planner import Planner
from pvg.planning.simulator import EnvSimulator


class Slippery(Gridworld):
    def _step(self, tensordict):
        slip = torch.rand(len(tensordict["action"])) < 0.5
        return super()._step(tensordict.set("action", torch.where(slip, 0, tensordict["action"])))


class Counting(Gridworld):
    """Its reward falls with every step: a state beside the TensorDict."""

    steps = 0

    def _step(self, tensordict):
        self.steps += 1
        out = super()._step(tensordict)
        return out.set("reward", out["reward"] - 0.01 * self.steps)


class Careless(Gridworld):
    def _step(self, tensordict):
        tensordict["cell"] += 1
        return super()._step(tensordict)


class InSlots(Gridworld):
    """Takes exactly its own number of games."""

    any_batch = False

    def _step(self, tensordict):
        assert len(tensordict["cell"]) == self.games
        return super()._step(tensordict)


@pytest.mark.parametrize(
    ("kind", "words"), [(Slippery, "chance"), (Counting, "reward"), (Careless, "changes cell")]
)
def test_environments_that_are_no_function_are_refused(kind, words):
    with pytest.raises(UserError, match=words):
        EnvSimulator(kind("maze0", games=16))


def test_state_hidden_in_a_transform_is_refused():
    frames = CatFrames(N=2, dim=-1, in_keys=["grid"])  # it keeps the last frame to itself
    with pytest.raises(UserError, match="gave another grid"):
        EnvSimulator(TransformedEnv(Gridworld("maze0", games=8), frames), values=5)


def test_state_that_a_transform_shows_is_fine():
    simulator = EnvSimulator(TransformedEnv(Gridworld("maze0", games=8), StepCounter()))
    state = simulator.initial(8)
    for _ in range(3):
        state = simulator.step(state, torch.zeros(8, dtype=torch.int64)).state
    assert (state["step_count"] == 3).all()


@pytest.mark.parametrize("count", [1, 3, 4, 11])
def test_environments_of_one_size_are_filled_up(count):
    free, fixed = EnvSimulator(Gridworld("maze1", games=4)), EnvSimulator(InSlots("maze1", games=4))
    draw = torch.Generator().manual_seed(0)
    one, other = free.initial(count), fixed.initial(count)
    for _ in range(12):
        action = torch.randint(5, (count,), generator=draw)
        one, other = free.step(one, action), fixed.step(other, action)
        for a, b in zip(one[1:], other[1:]):
            assert torch.equal(a, b)
        assert all(torch.equal(one.state[k], other.state[k]) for k in one.state)
        one, other = one.state, other.state


def test_unknown_features():
    with pytest.raises(UserError, match=r"features=pixels.*cell"):
        EnvSimulator(Gridworld("maze0", games=2), features="pixels")


def test_a_planner_needs_a_search():
    simulator = EnvSimulator(Gridworld("maze0", games=2))
    assert simulator.atoms_shape == (100, 5) and simulator.actions == 5
    with pytest.raises(TypeError, match="_search"):
        Planner(simulator, trees=1)
