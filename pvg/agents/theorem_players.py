"""Who plays with theorems: a generator that invents, and a prover that proves; plain data goes in and out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from tensordict import TensorDictBase
from torch import Tensor

from pvg.agents.theorems import Scorer, module
from pvg.envs.backward import BackwardEnv, backward_examples
from pvg.envs.candidates import Goal, Move
from pvg.envs.derivations import Example, Proof, examples
from pvg.envs.statements import Rejection
from pvg.envs.theorems import TheoremEnv
from pvg.envs.theory import Theory
from pvg.errors import UserError


class Attempt(NamedTuple):
    """One game of a prover; ``moves`` are all that it made, and the last one proves the goal if ``solved``."""

    goal: Goal
    moves: tuple[Move, ...]
    solved: bool


class Prover(Protocol):
    """Whatever proves: forward or backward, learned or not."""

    rejected: Counter

    def prove(self, goals: Sequence[Goal], budget: int, greedy: bool = False) -> list[Attempt]:
        """One attempt at each goal, of so many steps; by chance, or what is likeliest."""
        ...

    def examples(self, proof: Proof) -> list[Example]:
        """What it can learn from a proof.

        Raises:
            Rejected: it could not play that.
        """
        ...


class Player:
    """Plays games of an environment with a scorer, as many at a time as there are slots."""

    def __init__(self, theory: Theory, scorer: Scorer, slots: int = 64):
        if slots < 1:
            raise UserError(f"agents.player.slots={slots}: write 1 or more; 16 to 1024 are sensible.")
        self.theory, self.scorer, self.slots = theory, scorer.eval(), slots
        self.policy = module(scorer)
        self.rejected: Counter[Rejection] = Counter()

    @torch.no_grad()
    def _play(self, env: TheoremEnv, greedy: bool) -> None:
        """Play the games in the environment's slots to their end."""
        td = env.reset()
        while not (over := td["done"].squeeze(-1)).all():
            action = torch.zeros(env.slots, dtype=torch.long)
            live = (~over).nonzero().squeeze(-1)
            action[live] = self.choose(td[live], greedy)
            td = env.step(td.set("action", action))["next"]
        for game in env.games:
            self.rejected.update(game.rejected)

    def choose(self, td: TensorDictBase, greedy: bool) -> Tensor:
        """A choice in each state ``[b]``."""
        logits = self.policy(td)["logits"]
        if not greedy:
            logits = logits - torch.empty_like(logits).exponential_().log()  # Gumbel's trick
        return logits.argmax(-1)


class ForwardProver(Player):
    """Proves from what is given towards the goal."""

    env: type[TheoremEnv] = TheoremEnv

    def prove(self, goals: Sequence[Goal], budget: int, greedy: bool = False) -> list[Attempt]:
        """One attempt at each goal; see :class:`Prover`."""
        found = []
        for start in range(0, len(goals), self.slots):
            some = goals[start : start + self.slots]
            env = self.env(self.theory, len(some), goals=some, budget=budget)
            self._play(env, greedy)
            found += [Attempt(goal, tuple(game.moves), game.solved) for goal, game in zip(some, env.games)]
        return found

    def examples(self, proof: Proof) -> list[Example]:
        """The states of a proof as this prover would play it; see :func:`pvg.envs.derivations.examples`."""
        return examples(self.theory.library, proof, self.theory.candidates)[0]


class BackwardProver(ForwardProver):
    """Proves from the goal towards what is given."""

    env = BackwardEnv

    def examples(self, proof: Proof) -> list[Example]:
        """See :func:`pvg.envs.backward.backward_examples`."""
        theory = self.theory
        return backward_examples(theory.library, proof, theory.candidates, theory.moves)


class Generator(Player):
    """Invents theorems, each with what it proved on the way."""

    def generate(self, count: int, token: int = 0) -> list[tuple[Move, ...]]:
        """The moves of so many games; ``token`` says what to make, if it has learned to go by it."""
        found = []
        for start in range(0, count, self.slots):
            env = TheoremEnv(self.theory, min(self.slots, count - start), generator=True)
            env.token = token
            self._play(env, greedy=False)
            found += [tuple(game.moves) for game in env.games]
        return found
