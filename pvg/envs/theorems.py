"""``TheoremEnv``: proving forward, one statement a step, as a TorchRL environment of many games."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle

import numpy as np
import torch
from tensordict import TensorDict, TensorDictBase
from torchrl.data import Binary, Bounded, Categorical, Composite, Unbounded
from torchrl.envs import EnvBase

from pvg.envs.candidates import FEATURES, STOP, Game, Goal, State, observe
from pvg.envs.derivations import may_stop
from pvg.envs.theory import Theory
from pvg.errors import UserError


class TheoremEnv(EnvBase):
    """Games in which a statement is proved a step, chosen among candidates, until a goal is reached or one stops.

    Statements are numbers of ``theory.library``, whose ``codes`` are their tokens.  With ``b`` slots and ``c`` choices:

    * ``candidates`` int32 ``[b, c]``, what each choice would prove, ``rules`` int32 ``[b, c]``, which assertion it
      cites, ``features`` float ``[b, c, FEATURES]``, ``mask`` bool ``[b, c]``; the first choice is to stop;
    * ``nodes`` int32 ``[b, n]``, the statements proved so far, 0 behind them, and ``goal`` int32 ``[b]``;
    * ``action`` int64 ``[b]``, a place that the mask allows;
    * ``("next", "reward")`` float ``[b, 1]``: 1 when a goal is reached.

    A game ends when its goal is reached, when a generator stops, behind ``budget`` steps and when there is no
    candidate.  A game that is over stays as it is until it is reset.

    Args:
        theory: the ground.
        slots: width of the batch.
        generator: play without a goal, with stopping as a choice.
        goals: what to prove, in turn; the training theorems, over and over, if None.
        budget: steps of a game; ``theory.moves`` if None.
    """

    def __init__(
        self,
        theory: Theory,
        slots: int = 64,
        generator: bool = False,
        goals: Sequence[Goal] | None = None,
        budget: int | None = None,
    ):
        if slots < 1:
            raise UserError(f"slots={slots}: at least one slot is needed; 16 to 1024 are sensible.")
        super().__init__(batch_size=[slots])
        self.theory, self.slots, self.generator = theory, slots, generator
        self.budget = theory.moves if budget is None else budget
        self.games: list[Game] = []
        self.states: list[State] = []
        self.moves, self.over = [0] * slots, [False] * slots
        self.token = 0  # what a generator is to make: see Game
        self.deal(goals)
        self._specs()

    def deal(self, goals: Iterable[Goal] | None = None) -> None:
        """What the next games are to prove; when there are no more, they begin again."""
        self.goals: Iterator[Goal | None] = cycle([None])
        if not self.generator:
            given = [proof.goal for proof in self.theory.proofs] if goals is None else list(goals)
            self.goals = cycle(given)

    def _specs(self) -> None:
        b, c, n = self.slots, self.theory.candidates + 1, self.nodes
        many = 2**31 - 1

        def whole(*shape: int) -> Bounded:
            return Bounded(0, many, shape, dtype=torch.int32)

        self.observation_spec = Composite(
            candidates=whole(b, c),
            rules=whole(b, c),
            features=Unbounded((b, c, FEATURES)),
            mask=Binary(c, (b, c), dtype=torch.bool),
            nodes=whole(b, n),
            goal=whole(b),
            shape=(b,),
        )
        self.action_spec = Composite(action=Categorical(c, (b,), dtype=torch.long), shape=(b,))
        self.reward_spec = Composite(reward=Unbounded((b, 1)), shape=(b,))
        flag = {k: Binary(1, (b, 1), dtype=torch.bool) for k in ("done", "terminated")}
        self.done_spec = Composite(flag, shape=(b,))

    @property
    def nodes(self) -> int:
        """How many nodes a game can have."""
        most = max((len(a.essential) for a in self.theory.library.assertions), default=0)
        return max(self.theory.moves, self.budget) + most

    # ------------------------------------------------------------------ EnvBase
    def _reset(self, tensordict: TensorDictBase | None = None, **_: object) -> TensorDict:
        again = [True] * self.slots
        if tensordict is not None and "_reset" in tensordict and self.games:
            again = tensordict["_reset"].view(-1).tolist()
        self.games = [self._new() if new else self.games[k] for k, new in enumerate(again)]
        self.moves = [0 if new else self.moves[k] for k, new in enumerate(again)]
        self.over = [False if new else self.over[k] for k, new in enumerate(again)]
        self.states = [self._observe(k) if new else self.states[k] for k, new in enumerate(again)]
        return self._out()

    def _new(self) -> Game:
        return Game(self.theory.library, next(self.goals), self.theory.candidates, self.token)

    def _step(self, tensordict: TensorDictBase) -> TensorDict:
        reward = torch.zeros(self.slots, 1)
        for k, action in enumerate(tensordict["action"].tolist()):
            game = self.games[k]
            if self.over[k]:
                continue
            self.moves[k] += 1
            if action > len(game.numbers):
                raise ValueError(f"slot {k}: there is no candidate {action}")
            if action == STOP:
                self.over[k] = True
                continue
            game.take(action - 1)
            reward[k] = game.solved
            self.over[k] = game.solved or not game.numbers or self.moves[k] >= self.budget
            self.states[k] = self._observe(k)
        return self._out().set("reward", reward)

    def _set_seed(self, seed: int | None) -> None:
        """Nothing here is left to chance."""

    def _out(self) -> TensorDict:
        done = torch.tensor(self.over).view(-1, 1)
        out = pad(self.states, self.theory.candidates + 1, self.nodes)
        self.full_action_spec["action"].update_mask(out["mask"])
        return out.update({"done": done, "terminated": done.clone()})

    def _observe(self, slot: int) -> State:
        game = self.games[slot]
        # there is always something to choose: where nothing is left, to stop
        return observe(game, not game.numbers or (self.generator and may_stop(game)))


def pad(states: Sequence[State], choices: int | None = None, nodes: int | None = None) -> TensorDict:
    """States side by side, as wide as the widest or as asked."""
    b = len(states)
    choices = max(len(s.numbers) for s in states) if choices is None else choices
    nodes = max([1, *(len(s.nodes) for s in states)]) if nodes is None else nodes
    wide = {
        "candidates": np.zeros((b, choices), np.int32),
        "rules": np.zeros((b, choices), np.int32),
        "features": np.zeros((b, choices, FEATURES), np.float32),
        "mask": np.zeros((b, choices), bool),
        "nodes": np.zeros((b, nodes), np.int32),
        "goal": np.array([s.goal for s in states], np.int32),
    }
    for k, s in enumerate(states):
        n = len(s.numbers)
        wide["candidates"][k, :n], wide["rules"][k, :n] = s.numbers, s.rules
        wide["features"][k, :n], wide["mask"][k, :n] = s.features, s.allowed
        wide["nodes"][k, : len(s.nodes)] = s.nodes
    return TensorDict({name: torch.from_numpy(x) for name, x in wide.items()}, [b])
