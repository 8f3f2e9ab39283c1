"""A generator invents theorems with their proofs; a prover that fails to prove them learns from those proofs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import torch

from pvg.envs.statements import PROVED, UNPROVED
from pvg.envs.theory import Theory
from pvg.envs.written import Written
from pvg.errors import UserError
from pvg.trainers import theorem_setups as setups
from pvg.trainers.theorem_learning import Imitation, PolicyGradient
from pvg.trainers.theorem_metrics import (
    SAMPLE,
    Metrics,
    Totals,
    hardest,
    judge_prover,
    look,
    measure,
    written_sample,
)
from pvg.trainers.theorem_rewards import Outcomes, Reward, depths, is_token, reads_outcomes
from pvg.trainers.theorem_roles import Experience, GeneratorBatch, ProverBatch, Recipe, RoleFactory

Batches = dict[str, GeneratorBatch | ProverBatch]


class Engine(Protocol):
    """Where the roles are, and who calls them."""

    def iterate(self, game: Adversarial) -> Metrics:
        """One iteration's experience through all roles that the game's routes have."""
        ...

    def weights(self) -> None:
        """Bring the newest weights into the game's own networks."""
        ...

    def state_dict(self) -> dict:
        """Of the trainers."""
        ...

    def load_state_dict(self, saved: dict) -> None:
        """Go on from it."""
        ...

    def close(self) -> None:
        """End what has been started."""
        ...


class Adversarial:
    """Trains a generator against a prover: what is asked of whom, who is paid what, and what is known of it.

    Args:
        recipe: how to make the theory and the players.
        theory: this process's.
        setup: who learns from whom, a name of ``pvg.trainers.theorem_setups.SETUPS``.
        reward: what a theorem earns.
        iterations: rounds of generating, proving and learning.
        warm: iterations at the start in which both learn from the database alone.
        warm_generator: of them, those in which the generator does; None for all if it learns from its plays at all,
            else none.
        games: of the generator, an iteration.
        attempts: at each theorem (K).
        goals: which theorems the prover learns from: ``all``, or those with an attempt that ``failed``.
        nodes: each node of a generated proof is a goal to learn from too.
        unifications: that generator and prover may ask for in all; behind them is nothing but learning; None for any.
        imitation, policy_gradient: how they learn.
        every: iterations between measurements on the held-out theorems; 0 for the end only.
        samples: attempts at each held-out theorem by chance, the k of pass@k.
        num_generator_actors, num_generator_trainers, num_prover_actors, num_prover_trainers: workers of each role, for
            an engine that has workers.
        world_size: of all whose role the setup has; None for their sum.
        queue: iterations' theorems that wait for a role at most; more are dropped, the oldest first, and counted.
        staleness: iterations that weights may be older than the trainer when their experience arrives; what is
            older is dropped and counted.
        deadline: seconds that trainers wait for experience, or the run for trainers, before it gives up.

    Raises:
        UserError: for values that make no sense.
    """

    def __init__(
        self,
        recipe: Recipe,
        theory: Theory,
        *,
        setup: str = "adversarial",
        reward: Reward,
        iterations: int = 100,
        warm: int = 10,
        warm_generator: int | None = None,
        games: int = 32,
        attempts: int = 4,
        goals: Literal["all", "failed"] = "all",
        nodes: bool = True,
        unifications: int | None = None,
        imitation: Imitation | None = None,
        policy_gradient: PolicyGradient | None = None,
        every: int = 20,
        samples: int = 8,
        num_generator_actors: int = 1,
        num_generator_trainers: int = 1,
        num_prover_actors: int = 1,
        num_prover_trainers: int = 1,
        world_size: int | None = None,
        queue: int = 4,
        staleness: int = 8,
        deadline: float = 600.0,
    ):
        if setup not in setups.SETUPS:
            raise UserError(f"trainer.setup={setup}: choose {', '.join(setups.SETUPS)}.")
        self.workers = {
            "generator_actor": num_generator_actors,
            "generator_trainer": num_generator_trainers,
            "prover_actor": num_prover_actors,
            "prover_trainer": num_prover_trainers,
        }
        least = {"iterations": 1, "games": 1, "attempts": 1, "samples": 1, "queue": 1, "warm": 0, "every": 0}
        given = {"iterations": iterations, "games": games, "attempts": attempts, "samples": samples}
        given |= {"queue": queue, "warm": warm, "every": every, "staleness": staleness}
        given |= {f"num_{role}s": count for role, count in self.workers.items()}
        for name, value in given.items():
            if value < least.get(name, 0 if name == "staleness" else 1):
                raise UserError(f"trainer.{name}={value}: write {least.get(name, 1)} or more.")
        if deadline <= 0:
            raise UserError(f"trainer.deadline={deadline}: write seconds, more than 0.")
        self.theory, self.setup, self.routes, self.reward = theory, setup, setups.SETUPS[setup], reward
        self.iterations, self.warm, self.games = iterations, warm, games
        paid = setups.PLAYS in self.routes or setups.DATABASE_TO_GENERATOR in self.routes
        self.warm_generator = (warm if paid else 0) if warm_generator is None else warm_generator
        there = {role: self.workers[role] for role in self.roles()}
        if world_size is not None and world_size != (total := sum(there.values())):
            counts = ", ".join(f"num_{role}s={count}" for role, count in there.items()) or "there are none"
            raise UserError(
                f"trainer.world_size={world_size}, but the roles add up to {total} ({counts}). Make them agree, or "
                "leave trainer.world_size out."
            )
        blind = {setups.GOALS, setups.PLAYS} <= self.routes and setups.OUTCOMES not in self.routes
        if blind and reads_outcomes(reward):
            raise UserError(
                f"trainer.setup={setup} pays for the proof alone, and trainer.reward looks at how the prover fares: "
                "add reward=size_by_depth."
            )
        self.goals, self.nodes, self.unifications = goals, nodes, unifications
        self.every, self.samples = every, samples
        self.queue, self.staleness, self.deadline = queue, staleness, deadline
        self.factory = RoleFactory(
            recipe, attempts, imitation or Imitation(), policy_gradient or PolicyGradient()
        )
        self.scorers = {name: recipe.scorer(name, theory) for name in ("generator", "prover")}
        self.prover = recipe.prover(theory, self.scorers["prover"])
        self.engine: Engine | None = None
        self.iteration = self.calls = 0
        self.seen: Counter[str] = Counter()  # theorems by key
        self.counts: Counter[str] = Counter()  # rejections and losses, by role and reason, over the whole run
        self.totals = Totals()  # of proofs by source
        self.hardest: list[list] = []  # theorem of each iteration

    def train(self, report: Callable[[int, Metrics], None] | None = None) -> None:
        """Generate, verify, attempt, pay, learn; until all iterations are done."""
        assert self.engine is not None
        while self.iteration < self.iterations:
            start = time.perf_counter()
            metrics = self.engine.iterate(self)
            self.iteration += 1
            if self.every and self.iteration % self.every == 0 and self.iteration < self.iterations:
                begun = time.perf_counter()
                metrics |= look(self.judge())
                metrics["seconds/judge"] = time.perf_counter() - begun
            metrics["seconds"] = total = time.perf_counter() - start
            for name in [name for name in metrics if name.startswith("seconds/")]:
                metrics["share/" + name.partition("/")[2]] = metrics.pop(name) / max(total, 1e-9)
            if report:
                report(self.iteration, metrics)

    # ------------------------------------------------------------------ what is asked of the roles
    def roles(self) -> list[str]:
        """Those that the routes have, or that a warm start does."""
        there = {end.replace(" ", "_") for route in self.routes for end in (route.sender, route.receiver)}
        there |= {"prover_trainer"} if self.warm else set()
        there |= {"generator_trainer"} if self.warm and self.warm_generator else set()
        return [role for role in self.workers if role in there]

    def request(self, iteration: int) -> Experience | None:
        """What the generator is to do for an iteration; None for nothing."""
        spent = self.unifications is not None and self.calls >= self.unifications
        if iteration < self.warm or spent or not self.routes & {setups.GOALS, setups.PLAYS}:
            return None
        return Experience(self.games, UNPROVED if is_token(self.reward) else 0)

    def attempted(self) -> bool:
        """Whether the prover attempts what the generator makes."""
        return setups.GOALS in self.routes

    def batches(self, experience: Experience | None, iteration: int) -> tuple[Batches, Metrics]:
        """What each trainer learns from in an iteration, and the figures of its theorems."""
        batches: Batches = {}
        metrics: Metrics = {}
        routes, warm = self.routes, iteration < self.warm
        theorems = experience.theorems if experience else []
        if experience:
            self.calls += experience.calls
            self.counts.update(experience.counts)
            metrics |= {f"seconds/{role}": spent for role, spent in experience.seconds.items()}
            metrics |= {f"staleness/{role}": float(old) for role, old in experience.staleness.items()}
            metrics["unifications"] = float(experience.calls)
        if experience and theorems:
            self.seen.update(t.key for t in theorems)
            outcomes = self.outcomes(experience)
            metrics |= measure(experience, outcomes, len(self.seen))
            self.totals.add(experience)
            self.hardest = [*self.hardest, hardest(experience, iteration)][-SAMPLE:]
        if setups.DATABASE_TO_GENERATOR in routes or (warm and iteration < self.warm_generator):
            batches["generator_trainer"] = GeneratorBatch(database=True)
        elif setups.PLAYS in routes and theorems:
            rewards, plays = self.reward(outcomes), [t.play for t in theorems]
            if is_token(self.reward):
                tokens = [UNPROVED if r else PROVED for r in rewards.tolist()]
                batches["generator_trainer"] = GeneratorBatch(plays=plays, tokens=tokens)
            else:
                batches["generator_trainer"] = GeneratorBatch(plays=plays, rewards=rewards)
        if setups.DATABASE_TO_PROVER in routes or warm:
            wanted, found = [], []
            if experience and setups.PROOFS in routes:
                failed = experience.failed.tolist()
                wanted = [t for t, share in zip(theorems, failed) if self.goals == "all" or share > 0]
            if experience and setups.FOUND in routes:
                found = experience.found
            batches["prover_trainer"] = ProverBatch(wanted, self.nodes, found)
        return batches, metrics

    def outcomes(self, experience: Experience) -> Outcomes:
        """What rewards see: how the prover fares only where the routes have that."""
        theorems = experience.theorems
        return Outcomes(
            experience.failed if setups.OUTCOMES in self.routes else torch.ones(len(theorems)),
            torch.tensor([float(self.seen[t.key]) for t in theorems]),
            torch.tensor([float(t.size) for t in theorems]),
            torch.tensor([float(depths([m.premises for m in t.proof.moves])[-1]) for t in theorems]),
            torch.tensor([float(len(t.proof.moves)) for t in theorems]),
        )

    # ------------------------------------------------------------------ what there is to know
    def judge(self) -> dict[str, Any]:
        """The prover on the held-out theorems, and on as many training theorems; see :func:`judge_prover`."""
        if self.engine:
            self.engine.weights()
        return judge_prover(self.theory, self.prover, self.samples, seed=self.iteration)

    def sample(self) -> list[tuple[int, float, Written]]:
        """Some theorems of the run; see :func:`written_sample`."""
        return written_sample(self.theory, self.hardest)

    def sources(self) -> dict[str, dict[str, float]]:
        """What the proofs of each source were like over the run."""
        return self.totals.means(self.theory)

    def rejections(self) -> dict[str, int]:
        """How often there was no new statement or theorem, by role and reason."""
        own = Counter({f"database/{r.name.lower()}": n for r, n in self.theory.refused.items()})
        return dict(sorted((own + self.counts).items()))

    # ------------------------------------------------------------------ state
    def state_dict(self) -> dict:
        """Everything that a resumed run needs; random states are the program's."""
        assert self.engine is not None
        return {
            "iteration": self.iteration,
            "trainers": self.engine.state_dict(),
            "seen": dict(self.seen),
            "counts": dict(self.counts),
            "hardest": self.hardest,
            "totals": dict(self.totals),
            "calls": self.calls,
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        assert self.engine is not None
        self.iteration, self.hardest, self.calls = saved["iteration"], saved["hardest"], saved["calls"]
        self.engine.load_state_dict(saved["trainers"])
        self.seen, self.counts = Counter(saved["seen"]), Counter(saved["counts"])
        self.totals = Totals(saved["totals"])
