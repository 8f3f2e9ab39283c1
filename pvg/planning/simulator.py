"""What planners search in: a batched, functional simulator without hidden state, and one made of any ``EnvBase``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from tensordict import TensorDict
from torch import Tensor
from torchrl.envs import EnvBase

from pvg.errors import UserError

State = dict[str, Tensor]  # every tensor [n, ...]: all that decides what comes next, and what is seen
POLICY = "logits"  # where a state holds what a policy says of the actions, float [n, actions]
VALUE = "value"  # where it holds the return that is expected to follow, float [n]


class Step(NamedTuple):
    """What ``n`` actions have led to."""

    state: State
    reward: Tensor  # float [n]
    done: Tensor  # bool [n]: the game is over
    lost: Tensor  # bool [n]: a life is lost, or the game is over with a negative reward


class Simulator(Protocol):
    """Games as functions of their state; whoever calls may keep any state and go on from it, in batches of any size.

    Attributes:
        actions: how many there are.
        moves: their names.
        atoms_shape: ``(features, values)``, the features of a state and how many values each may take; or ``(m, 0)``
            if a state has at most ``m`` atoms out of very many (they are then hashed).
    """

    actions: int
    moves: Sequence[str]
    atoms_shape: tuple[int, int]
    device: torch.device

    def initial(self, count: int) -> State:
        """The states of ``count`` games that begin."""
        ...

    def step(self, state: State, action: Tensor) -> Step:
        """What follows from ``action`` int64 ``[n]``; the given state stays as it is."""
        ...

    def atoms(self, state: State) -> Tensor:
        """The value of every feature, integer ``[n, features]``; of sparse ones their numbers, and -1 for none."""
        ...

    def legal(self, state: State) -> Tensor | None:
        """Which actions there are, bool ``[n, actions]``; None if always all."""
        ...

    def draw(self, state: State) -> Tensor:
        """Pictures of states, uint8 ``[n, height, width, 3]``.

        Raises:
            UserError: they can't be drawn.
        """
        ...


class EnvSimulator:
    """A simulator made of a TorchRL environment whose state is its TensorDict.

    Environments that step a TensorDict of any batch size in ``_step`` say so by ``any_batch = True``; others get
    their own number of games at a time, the last ones filled up.

    Args:
        env: of one agent with one discrete action a game.
        features: the key of an integer observation, of which every element is a feature; or a function from the state
            to the features, with ``values``.
        values: how many values a feature takes; by default what the observation's spec says.
        lives: the key of an observation that counts lives.
        mask: the key of a bool observation ``[n, actions]`` of the legal actions.
        check: see first that the environment is deterministic and keeps no state to itself.

    Raises:
        UserError: for an environment that can't be planned in, with the reason.
    """

    def __init__(
        self,
        env: EnvBase,
        *,
        features: str | Callable[[State], Tensor] = "grid",
        values: int | None = None,
        lives: str | None = None,
        mask: str | None = None,
        check: bool = True,
    ):
        self.env, self.lives, self.mask = env, lives, mask
        self.device = env.device or torch.device("cpu")
        self.slots = env.batch_size.numel()
        self.any_batch = bool(getattr(env, "any_batch", False))
        spec = env.action_spec
        if len(env.batch_size) != 1 or not hasattr(spec, "n") or spec.shape != env.batch_size:
            raise UserError(
                f"{type(env).__name__} can't be planned in: it needs one batch dimension and one discrete action a "
                f"game, and has batch size {tuple(env.batch_size)} and the actions {spec}."
            )
        self.actions = int(spec.n)
        self.moves = getattr(env, "moves", None) or [str(action) for action in range(self.actions)]
        self._features = features
        found = self.initial(1)
        if isinstance(features, str) and features not in found:
            raise UserError(
                f"features={features}: there is no such observation. There are {', '.join(found)}."
            )
        if values is None:
            space = env.observation_spec[features].space if isinstance(features, str) else None
            high = getattr(space, "high", None)
            if high is None:
                raise UserError(f"features={features}: say how many values a feature takes (values=...).")
            values = int(high.max()) + 1
        self.atoms_shape = (self.atoms(found).shape[1], values)
        if check:
            check_functional(self)

    def initial(self, count: int) -> State:
        """As the protocol says; every ``reset`` of the environment gives as many as it has games."""
        parts = [self._split(self.env.reset()) for _ in range(math.ceil(count / self.slots))]
        return {k: torch.cat([part[k] for part in parts])[:count].contiguous() for k in parts[0]}

    def step(self, state: State, action: Tensor) -> Step:
        """As the protocol says."""
        if self.any_batch or len(action) == self.slots:
            return self._step(state, action)
        parts = []
        for begin in range(0, len(action), self.slots):
            rows = torch.arange(begin, begin + self.slots, device=self.device).clamp_(max=len(action) - 1)
            parts.append(self._step({k: v.index_select(0, rows) for k, v in state.items()}, action[rows]))
        n = len(action)
        after = {k: torch.cat([part.state[k] for part in parts])[:n] for k in state}
        rest = (torch.cat(x)[:n] for x in zip(*(part[1:] for part in parts)))
        return Step(after, *rest)

    def _step(self, state: State, action: Tensor) -> Step:
        asked = TensorDict._new_unsafe({**state, "action": action}, action.shape, device=self.device)
        out = self.env._step(asked)
        reward, done = out["reward"].flatten(), out["done"].flatten()
        after = {k: out[k] for k in state}
        lost = done & (reward < 0)
        if self.lives is not None:
            lost = lost | (after[self.lives] < state[self.lives]).flatten()
        return Step(after, reward, done, lost)

    def atoms(self, state: State) -> Tensor:
        """As the protocol says."""
        found = state[self._features] if isinstance(self._features, str) else self._features(state)
        return found.flatten(1)

    def legal(self, state: State) -> Tensor | None:
        """As the protocol says."""
        return None if self.mask is None else state[self.mask]

    def draw(self, state: State) -> Tensor:
        """As the protocol says; by the environment's own ``draw``, of any batch size."""
        if not hasattr(self.env, "draw"):
            raise UserError(
                f"{type(self.env).__name__} has no pictures of its states: set pictures.thumbnails=none (mode=plan), "
                "or give it a method draw(state)."
            )
        return self.env.draw(state)

    def _split(self, found: TensorDict) -> State:
        """The state, out of what an environment gives: all but its end and its reward."""
        drop = {*self.env.done_keys, *self.env.reward_keys}
        return {k: found[k] for k in found.keys() if k not in drop}  # noqa: SIM118


class Guided:
    """A simulator whose states also hold what a network says of them: one call of it for every step.

    Args:
        simulator: any.
        network: from a state to keys that are added to it: ``logits`` float ``[n, actions]`` guides the search, and
            ``value`` float ``[n]`` stands for what follows where a tree ends.
        atoms: from a state to its features, where they are the network's (dynamic features), and how many values
            they take; otherwise the simulator's own.
    """

    def __init__(
        self,
        simulator: Simulator,
        network: Callable[[State], State],
        atoms: Callable[[State], Tensor] | None = None,
        values: int = 2,
    ):
        self.simulator, self.network = simulator, network
        self.actions, self.moves, self.device = simulator.actions, simulator.moves, simulator.device
        self.atoms = atoms or simulator.atoms
        self.atoms_shape = simulator.atoms_shape
        self.own = tuple(simulator.initial(1))
        if atoms is not None:
            self.atoms_shape = (atoms(self.initial(1)).shape[1], values)

    def initial(self, count: int) -> State:
        """As of the simulator, with what the network says."""
        return self.told(self.simulator.initial(count))

    def step(self, state: State, action: Tensor) -> Step:
        """As of the simulator, with what the network says of the states that follow."""
        step = self.simulator.step({k: state[k] for k in self.own}, action)
        return step._replace(state=self.told(step.state))

    def legal(self, state: State) -> Tensor | None:
        """As of the simulator."""
        return self.simulator.legal(state)

    def draw(self, state: State) -> Tensor:
        """As of the simulator."""
        return self.simulator.draw(state)

    def told(self, state: State) -> State:
        """A state of the simulator with what the network says of it."""
        with torch.no_grad():
            return state | self.network(state)


def check_functional(simulator: Simulator, games: int = 8, steps: int = 6) -> None:
    """See that a step from the same state always gives the same, whatever has been done in between.

    Raises:
        UserError: it does not, so the environment has chance or a state beside its TensorDict.
    """
    state = simulator.initial(games)
    count = len(next(iter(state.values())))
    for k in range(steps):
        action = (torch.arange(count, device=simulator.device) + k) % simulator.actions
        legal = simulator.legal(state)
        if legal is not None:
            action = legal.float().argmax(1)
        before = {name: value.clone() for name, value in state.items()}
        first = simulator.step(state, action)
        kept = {name: value.clone() for name, value in first.state.items()}
        simulator.step(first.state, action)  # what goes on elsewhere must not matter
        again = simulator.step({name: value.clone() for name, value in before.items()}, action)
        for name, value in before.items():
            if not _same(value, state[name]):
                raise UserError(
                    f"The environment can't be planned in: a step changes {name} of the state it is given."
                )
        pairs = {"reward": (first.reward, again.reward), "done": (first.done, again.done)}
        pairs |= {name: (kept[name], again.state[name]) for name in kept}
        for name, (one, other) in pairs.items():
            if not _same(one, other):
                raise UserError(
                    f"The environment can't be planned in: two steps from one state, with one action, gave another "
                    f"{name}. Either chance decides there, or part of the state is not in the TensorDict (a counter "
                    "of a transform, say). Make the chance a function of the state, or the state an observation."
                )
        state = again.state


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=0, atol=0, equal_nan=one.is_floating_point())


def rows(state: State, index: Tensor) -> State:
    """Some games out of many."""
    return {name: value.index_select(0, index) for name, value in state.items()}
