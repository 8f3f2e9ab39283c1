"""What all planners share: a forest, a budget, the choice of an action, and the step to the next decision."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from pvg.errors import UserError
from pvg.planning.simulator import Simulator, State, rows
from pvg.planning.tree import Forest

KEPT = (
    "count",
    "edge",
    "child",
    "depth",
    "reward",
    "paid",
    "done",
)  # of a forest, from one decision to the next


class Planner(ABC):
    """Plans in many games at once; a subclass says how a tree grows (``_search``).

    ``plan`` gives the return of every action, ``choose`` an action, ``follow`` goes on to the next decision.

    Args:
        simulator: what is planned in.
        trees: how many games at once.
        budget: steps of the simulator that a decision may take; a tree that is searched out takes fewer.
        seconds: that a decision may take, of all trees together; it ends with the budget or then, whichever is first,
            but not before each tree has grown. What is found then depends on the machine.
        discount: of rewards, a step.
        cache: keep the chosen action's subtree for the next decision.
        risk: what losing a life, or the game, costs beyond the simulator's reward, wherever it happens in the tree.
        temperature: of the policy within the search, if the simulator has one.
        capacity: nodes of a tree at most, those kept among them; by default four budgets. A full tree grows no more.
        seed: decides all that is drawn.

    Attributes:
        learns: whether the search is led by a policy that is to learn from it.
        interactions: steps of the simulator so far, over all trees.

    Raises:
        UserError: a budget that does not reach every action, or no tree, or no time.
    """

    learns = False

    def __init__(
        self,
        simulator: Simulator,
        *,
        trees: int = 64,
        budget: int = 50,
        seconds: float | None = None,
        discount: float = 0.99,
        cache: bool = True,
        risk: float = 0.0,
        temperature: float = 1.0,
        capacity: int | None = None,
        seed: int = 0,
    ):
        if trees < 1:
            raise UserError(f"planner.trees={trees}: at least one is needed.")
        if budget < simulator.actions:
            raise UserError(
                f"planner.budget={budget}: one decision needs at least {simulator.actions}, a step for each action."
            )
        if seconds is not None and seconds <= 0:
            raise UserError(f"planner.seconds={seconds}: it must be above 0, or null for no limit.")
        if temperature <= 0:
            raise UserError(f"planner.temperature={temperature}: it must be above 0.")
        capacity = capacity or 4 * budget
        if capacity <= budget:
            raise UserError(
                f"planner.capacity={capacity}: the root and a budget of {budget} nodes must fit in."
            )
        self.simulator, self.trees, self.budget = simulator, trees, budget
        self.discount, self.cache = discount, cache
        self.seconds, self.until = seconds, float("inf")
        self.forest = Forest(simulator, trees, capacity, risk=risk, temperature=temperature)
        self.random = torch.Generator(simulator.device).manual_seed(seed)
        self.interactions = 0

    def state_dict(self) -> dict:
        """All that what comes next depends on, but the simulator; of the states those that a node has."""
        forest = self.forest
        own = {name: getattr(forest, name) for name in KEPT}
        random = {"random": self.random.get_state(), "interactions": self.interactions}
        return {"forest": own, "states": rows(forest.states, forest.nodes())} | random

    def load_state_dict(self, saved: dict) -> None:
        """Go on from it."""
        forest = self.forest
        for name in KEPT:
            getattr(forest, name).copy_(saved["forest"][name])
        forest.hold(saved["states"], forest.nodes())
        self.random.set_state(saved["random"])
        self.interactions = saved["interactions"]

    def begin(self, state: State, trees: Tensor | None = None) -> None:
        """Start at these states, in some trees or in all."""
        self.forest.plant(state, trees)

    def rest(self, trees: Tensor) -> None:
        """Leave some trees alone, as if their games were over."""
        self.forest.done[self.forest.roots[trees]] = True

    def plan(self) -> Tensor:
        """Grow the trees; the best return that each action has led to, float ``[trees, actions]``, -inf if untried."""
        if self.seconds is not None:
            self.until = time.perf_counter() + self.seconds
        self._search()
        return self.forest.returns(self.discount)

    @abstractmethod
    def _search(self) -> None:
        """Grow the trees until the budget is spent."""

    def _late(self) -> bool:
        """Whether the time for this decision is over."""
        return time.perf_counter() >= self.until

    def uniform(self, count: int) -> Tensor:
        """Uniform random numbers, ``[count * trees, actions]``."""
        shape = (count * self.trees, self.simulator.actions)
        return torch.rand(shape, generator=self.random, device=self.simulator.device)

    def choose(self, returns: Tensor) -> Tensor:
        """The action of the best return, int64 ``[trees]``; chance decides among equals."""
        best = returns == returns.amax(1, keepdim=True)
        return torch.where(best, self.uniform(1), -1.0).argmax(1)

    def follow(self, action: Tensor) -> tuple[Tensor, Tensor]:
        """Do these actions: the simulator's rewards, float ``[trees]``, and which games are over, bool ``[trees]``."""
        return self.forest.follow(action, keep=self.cache)

    def _expand(self, trees: Tensor, edges: Tensor) -> Tensor:
        """Step the simulator along an edge in each of some trees; the new nodes' addresses."""
        forest, actions = self.forest, self.simulator.actions
        source = edges // actions
        state = {k: v.index_select(0, source) for k, v in forest.states.items()}
        step = self.simulator.step(state, edges - source * actions)
        self.interactions += len(edges)
        return forest.add(trees, edges, step)


def target_policy(returns: Tensor, temperature: float = 0.0) -> Tensor:
    """What a plan says should be done: a softmax of the returns over a temperature, or with 0 all on the best.

    Args:
        returns: float ``[n, actions]``, -inf for actions that count for nothing.
        temperature: the target's, which is another than that within the search.

    Returns:
        Probabilities ``[n, actions]``; equal returns have equal ones.
    """
    if temperature > 0:
        return (returns / temperature).softmax(1)
    best = (returns == returns.amax(1, keepdim=True)).float()
    return best / best.sum(1, keepdim=True)
