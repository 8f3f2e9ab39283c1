"""A planner as an agent: a module from what the environment shows to an action."""

from __future__ import annotations

import torch
from tensordict import TensorDictBase
from tensordict.nn import TensorDictModuleBase
from torch import Tensor

from pvg.errors import UserError
from pvg.planning.planner import Planner, target_policy
from pvg.planning.simulator import Guided, State


class PlanningAgent(TensorDictModuleBase):
    """Plans at every call, in all games of a batch, so that a collector can drive it and any trainer imitate it.

    It reads the simulator's state, which is what the environment's observations are, and keeps its trees from one
    call to the next: where a game is in the state that the action before has led to, its subtree is gone on with; and
    elsewhere, as after a reset, a new tree begins.

    Keys: all of the state in; ``action`` int64 ``[games]`` out, and for who imitates, ``planned`` float
    ``[games, actions]``, the target policy that the returns make, and ``returns`` float ``[games, actions]``, -inf
    for actions that have not been tried.

    Args:
        planner: with as many trees as the environment has games.
        temperature: of the target policy; 0 puts all on the best actions, evenly.

    Raises:
        UserError: when it is called for another number of games.
    """

    def __init__(self, planner: Planner, *, temperature: float = 0.0):
        super().__init__()
        simulator = planner.simulator
        self.planner, self.temperature = planner, temperature
        self.in_keys = list(simulator.own if isinstance(simulator, Guided) else simulator.initial(1))
        self.out_keys = ["action", "planned", "returns"]
        self.begun = False

    @torch.no_grad()
    def forward(self, tensordict: TensorDictBase) -> TensorDictBase:
        """Plan in the states of a batch, and write what is to be done."""
        planner, games = self.planner, tensordict.batch_size
        if games.numel() != planner.trees:
            raise UserError(
                f"The planner has {planner.trees} trees and is asked to act in {games.numel()} games: make it with "
                f"trees={games.numel()}."
            )
        self._go_to(
            {key: tensordict[key].reshape(-1, *tensordict[key].shape[len(games) :]) for key in self.in_keys}
        )
        returns = planner.plan()
        action = planner.choose(returns)
        planner.follow(action)
        found = action, target_policy(returns, self.temperature), returns
        for key, value in zip(self.out_keys, found):
            tensordict.set(key, value.reshape(*games, *value.shape[1:]))
        return tensordict

    def _go_to(self, state: State) -> None:
        """Have the trees' roots in these states, and keep those that are there already."""
        planner = self.planner
        trees = torch.arange(planner.trees, device=planner.simulator.device)
        if self.begun:
            there = planner.forest.root_states()
            away = torch.zeros_like(trees, dtype=torch.bool)
            for key, value in state.items():
                away |= _differ(value, there[key])
            away |= planner.forest.done[planner.forest.roots]
            trees = away.nonzero().squeeze(1)
        if len(trees):
            told = {key: value.index_select(0, trees) for key, value in state.items()}
            if isinstance(planner.simulator, Guided):
                told = planner.simulator.told(told)
            planner.begin(told, trees)
        self.begun = True


def _differ(one: Tensor, other: Tensor) -> Tensor:
    return (one != other).reshape(len(one), -1).any(1)
