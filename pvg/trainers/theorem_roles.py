"""The four roles of the game between generator and prover; what they take and give is plain data.

So a role is the same object in this process and in a worker; ``Recipe`` says how to make one anywhere.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from hydra.utils import instantiate
from torch import Tensor

from pvg.agents.theorem_players import Attempt, Generator, Prover
from pvg.agents.theorems import Scorer
from pvg.envs.candidates import Move
from pvg.envs.derivations import Proof, goal_from, key, needed, parts, statements
from pvg.envs.theory import Theory
from pvg.trainers.theorem_learning import GeneratorTrainer, Imitation, PolicyGradient, ProverTrainer

ROLES = ("generator_actor", "generator_trainer", "prover_actor", "prover_trainer")


class Recipe(NamedTuple):
    """The configs of a theory and of its players, from which every process makes its own.

    Attributes:
        env: of :class:`pvg.envs.theory.Theory`.
        agents: of ``generator``, ``prover`` and ``player``.
        seed: of the networks' first weights.
    """

    env: Mapping[str, Any]
    agents: Mapping[str, Any]
    seed: int = 0

    def theory(self) -> Theory:
        """A theory."""
        return instantiate(self.env)

    def scorer(self, name: str, theory: Theory) -> Scorer:
        """The network of ``generator`` or ``prover``, the same in every process."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2 * self.seed + (name == "prover"))
            return instantiate(self.agents[name])(theory.library)

    def prover(self, theory: Theory, scorer: Scorer) -> Prover:
        """Who proves."""
        return instantiate(self.agents["player"])(theory, scorer)


class Theorem(NamedTuple):
    """What a generator has proved.

    Attributes:
        play: all moves of the game.
        proof: the goal, and the moves that it rests on.
        key: the goal as text, the same for all that differ by renaming.
        size: symbols of the statement.
        subsumed: an assertion that may be cited says as much.
    """

    play: tuple[Move, ...]
    proof: Proof
    key: str
    size: int
    subsumed: bool


@dataclass
class Experience:
    """The theorems of an iteration on their way from role to role.

    Attributes:
        games: that were played for them.
        token: that the generator was conditioned on, 0 for none.
        theorems: verified.
        failed: share of the prover's attempts that failed, float ``[theorems]``; 1 where there was none.
        found: the prover's own proofs.
        counts: why there is nothing, by role and reason.
        calls: unifications asked for.
        versions: of the weights that ``generator`` and ``prover`` had.
        staleness: iterations that those were behind the trainers' when the experience was learned from.
        seconds: that each role took.
    """

    games: int
    token: int = 0
    theorems: list[Theorem] = field(default_factory=list)
    failed: Tensor = field(default_factory=lambda: torch.zeros(0))
    found: list[Proof] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    versions: dict[str, int] = field(default_factory=dict)
    staleness: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class Actor(ABC):
    """What both actors share: weights that come, and experiences that are worked on.

    Attributes:
        version: of the weights.
    """

    role = ""

    def __init__(self, theory: Theory, scorer: Scorer, player: Generator | Prover):
        self.theory, self.scorer, self.player, self.version = theory, scorer, player, 0

    def work(self, experience: Experience) -> Experience:
        """Do this role's part, and count what it takes."""
        library, start = self.theory.library, time.perf_counter()
        calls = library.calls
        self.player.rejected.clear()
        self._work(experience)
        experience.calls += library.calls - calls
        experience.counts.update(
            {f"{self.role}/{r.name.lower()}": n for r, n in self.player.rejected.items()}
        )
        experience.versions[self.role] = self.version
        experience.seconds[self.role] = time.perf_counter() - start
        return experience

    @abstractmethod
    def _work(self, experience: Experience) -> None:
        """Add to the experience."""


class GeneratorActor(Actor):
    """Plays, and hands on what it has proved, verified; what can't be used is counted."""

    role = "generator"
    player: Generator

    def _work(self, experience: Experience) -> None:
        for play in self.player.generate(experience.games, experience.token):
            theorem = self._theorem(play, experience.counts)
            if theorem is not None:
                experience.theorems.append(theorem)
        experience.failed = torch.ones(len(experience.theorems))

    def _theorem(self, play: tuple[Move, ...], counts: Counter[str]) -> Theorem | None:
        """What a play has proved: its newest statement that is no citation."""
        library = self.theory.library
        last = next((k for k in range(len(play) - 1, -1, -1) if play[k].premises), None)
        if last is None:
            counts["generator/nothing_proved"] += 1
            return None
        number = statements(library, None, play)[last]
        proof = Proof(goal_from(library, number), tuple(needed(None, play, last)))
        assert proof.goal is not None
        if self.theory.reveals_held_out(proof.goal):
            counts["generator/held_out"] += 1
            return None
        if self.theory.writer(proof, "generated") is None:  # it raises for a proof that is wrong
            counts["generator/not_written"] += 1
            return None
        subsumed = self.theory.subsumed(proof.goal)
        return Theorem(play, proof, key(proof.goal), len(library.texts[number]), subsumed)


class ProverActor(Actor):
    """Attempts theorems.

    Args:
        attempts: at each (K).
    """

    role = "prover"
    player: Prover

    def __init__(self, theory: Theory, scorer: Scorer, player: Prover, attempts: int):
        super().__init__(theory, scorer, player)
        self.attempts = attempts

    def work(self, experience: Experience) -> Experience:
        """Attempt; own proofs that can't be written as Metamath are counted, and what that takes is not."""
        super().work(experience)
        for proof in experience.found:
            if self.theory.writer(proof, "own") is None:  # it raises for a proof that is wrong
                experience.counts["prover/not_written"] += 1
        return experience

    def _work(self, experience: Experience) -> None:
        goals = [t.proof.goal for t in experience.theorems for _ in range(self.attempts)]
        made = self.player.prove([g for g in goals if g is not None], self.theory.moves)
        solved = torch.tensor([a.solved for a in made]).view(len(experience.theorems), self.attempts)
        experience.failed = 1 - solved.float().mean(1)
        own = {key(a.goal): a for a in made if a.solved and len(a.moves) > 1}
        experience.found = [own_proof(a) for a in own.values()]


def own_proof(attempt: Attempt) -> Proof:
    """What an attempt that succeeded has proved, without detours."""
    given = len(attempt.goal.hypotheses)
    return Proof(attempt.goal, tuple(needed(attempt.goal, attempt.moves, given + len(attempt.moves) - 1)))


def parts_of(theory: Theory, theorem: Theorem) -> list[Proof]:
    """The proofs of a theorem's nodes that are goals worth learning from."""
    every = parts(theory.library, Proof(None, theorem.proof.moves))
    return [p for p in every if len(p.moves) > 1 and p.goal and not theory.reveals_held_out(p.goal)]


class GeneratorBatch(NamedTuple):
    """What a generator's trainer learns from: the ``database``, or plays; these are imitated if they have ``tokens``,
    and paid if they have ``rewards``."""

    database: bool = False
    plays: Sequence[tuple[Move, ...]] = ()
    rewards: Tensor | None = None
    tokens: Sequence[int] = ()


class ProverBatch(NamedTuple):
    """What a prover's trainer learns from beside what it has: theorems, with their nodes or not, and own proofs."""

    theorems: Sequence[Theorem] = ()
    nodes: bool = True
    found: Sequence[Proof] = ()


class TrainerRole:
    """A trainer's role: learns from what comes, and hands out its state and weights."""

    def __init__(self, theory: Theory, trainer: ProverTrainer | GeneratorTrainer):
        self.theory, self.trainer = theory, trainer

    def work(self, batch: GeneratorBatch | ProverBatch) -> dict[str, float]:
        """Learn; the metrics."""
        self.theory.library.forget()
        if isinstance(batch, ProverBatch):
            return self._train_prover(batch)
        assert isinstance(self.trainer, GeneratorTrainer)
        if batch.database:
            return self.trainer.learn_database()
        if not batch.plays:  # others had all that there was
            return {}
        if batch.rewards is None:
            return self.trainer.imitate(batch.plays, batch.tokens)
        paid = float(batch.rewards.mean())
        return self.trainer.learn(batch.plays, batch.rewards) | {"generator/reward": paid}

    def _train_prover(self, batch: ProverBatch) -> dict[str, float]:
        trainer = self.trainer
        assert isinstance(trainer, ProverTrainer)
        new = [t.proof for t in batch.theorems]
        if batch.nodes:
            new = [p for t in batch.theorems for p in parts_of(self.theory, t)]
        lost = trainer.generated.add(new)
        trainer.found.add(batch.found)
        return trainer.learn() | {"prover/not_replayed": float(lost)}


class RoleFactory(NamedTuple):
    """What it takes to make any role, in any process."""

    recipe: Recipe
    attempts: int
    imitation: Imitation
    policy_gradient: PolicyGradient

    def make(self, role: str, theory: Theory, scorers: Callable[[str], Scorer]) -> Actor | TrainerRole:
        """A role; ``scorers`` gives the network of ``generator`` or ``prover``."""
        scorer = scorers(role.partition("_")[0])
        if role == "generator_actor":
            return GeneratorActor(theory, scorer, Generator(theory, scorer))
        if role == "generator_trainer":
            return TrainerRole(theory, GeneratorTrainer(theory, scorer, self.policy_gradient))
        prover = self.recipe.prover(theory, scorer)
        if role == "prover_actor":
            return ProverActor(theory, scorer, prover, self.attempts)
        return TrainerRole(theory, ProverTrainer(theory, scorer, prover.examples, self.imitation))
