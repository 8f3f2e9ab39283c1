"""A generator invents theorems with their proofs; a prover that fails to prove them learns from those proofs."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from pvg.agents.theorem_players import Attempt, Generator, Prover
from pvg.agents.theorems import Scorer
from pvg.envs.candidates import Move
from pvg.envs.derivations import Proof, Rejected, goal_from, key, needed, parts, statements
from pvg.envs.statements import PROVED, UNPROVED
from pvg.envs.theory import Theory
from pvg.envs.written import Written
from pvg.errors import UserError
from pvg.trainers import theorem_setups as setups
from pvg.trainers.theorem_learning import GeneratorTrainer, Imitation, PolicyGradient, ProverTrainer
from pvg.trainers.theorem_rewards import Judged, Reward, depths, told

Metrics = dict[str, float]


class Theorem(NamedTuple):
    """What a generator has proved, as plain data.

    Attributes:
        play: all moves of the game.
        proof: the goal, and the moves that it rests on.
        key: the goal as text, the same for all that differ by renaming.
        stated: an assertion that may be cited says as much.
    """

    play: tuple[Move, ...]
    proof: Proof
    key: str
    size: int
    stated: bool


class Adversarial:
    """Trains a generator against a prover.

    Args:
        theory: the ground.
        scorers: the networks of ``generator`` and ``prover``.
        prover: who proves, made with its scorer.
        setup: who learns from whom, a name of ``pvg.trainers.theorem_setups.SETUPS``.
        reward: what a theorem earns.
        iterations: rounds of generating, proving and learning.
        warm: iterations at the start in which both learn from the database alone.
        games: of the generator, an iteration.
        attempts: at each theorem (K).
        goals: which theorems the prover learns from: ``all``, or those with an attempt that ``failed``.
        nodes: each node of a generated proof is a goal to learn from too.
        imitation, policy_gradient: how they learn.
        every: iterations between measurements on the held-out theorems; 0 for the end only.
        samples: attempts at each held-out theorem by chance, the k of pass@k.
    """

    def __init__(
        self,
        theory: Theory,
        scorers: Mapping[str, Scorer],
        *,
        prover: Callable[[Theory, Scorer], Prover],
        setup: str = "adversarial",
        reward: Reward,
        iterations: int = 100,
        warm: int = 10,
        games: int = 32,
        attempts: int = 4,
        goals: Literal["all", "failed"] = "all",
        nodes: bool = True,
        imitation: Imitation | None = None,
        policy_gradient: PolicyGradient | None = None,
        every: int = 20,
        samples: int = 8,
    ):
        if setup not in setups.SETUPS:
            raise UserError(f"trainer.setup={setup}: choose {', '.join(setups.SETUPS)}.")
        for name, value, least in (
            ("iterations", iterations, 1),
            ("warm", warm, 0),
            ("games", games, 1),
            ("attempts", attempts, 1),
            ("every", every, 0),
            ("samples", samples, 1),
        ):
            if value < least:
                raise UserError(f"trainer.{name}={value}: write {least} or more.")
        self.theory, self.routes, self.reward = theory, setups.SETUPS[setup], reward
        self.iterations, self.warm, self.games = iterations, warm, games
        self.attempts, self.goals, self.nodes = attempts, goals, nodes
        self.every, self.samples = every, samples
        self.scorers = dict(scorers)
        self.generator, self.prover = (
            Generator(theory, scorers["generator"]),
            prover(theory, scorers["prover"]),
        )
        self.prover_trainer = ProverTrainer(
            theory, scorers["prover"], self.prover.lessons, imitation or Imitation()
        )
        self.generator_trainer = GeneratorTrainer(
            theory, scorers["generator"], policy_gradient or PolicyGradient()
        )
        self.prover_trainer.taught.add(theory.proofs)
        self.generator_trainer.taught.add(
            Proof(None, p.moves) for p in theory.proofs if p.goal and not p.goal.hypotheses
        )
        self.iteration = 0
        self.seen: Counter[str] = Counter()  # theorems by key
        self.counts: Counter[str] = Counter()  # rejections, by role and reason, over the whole run
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.kept: list[list] = []  # theorems to show

    def train(self, report: Callable[[int, Metrics], None] | None = None) -> None:
        """Generate, verify, attempt, pay, learn; until all iterations are done."""
        while self.iteration < self.iterations:
            start, calls, before = time.perf_counter(), self.theory.library.calls, self.seconds.copy()
            self.theory.library.forget()
            metrics: Metrics = {}
            warm, routes = self.iteration < self.warm, self.routes
            theorems: list[Theorem] = []
            if not warm and (routes & {setups.GOALS, setups.PLAYS}):
                theorems = self._timed("generate", self.invent)
            failed, attempts = torch.ones(len(theorems)), []
            if theorems and setups.GOALS in routes:
                failed, attempts = self._timed("attempt", self.attempt, theorems)
            if theorems:
                metrics |= self._timed("generator", self._teach_generator, theorems, failed)
                metrics |= self.measure(theorems, failed)
                self._keep(theorems, failed)
            elif setups.TAUGHT_GENERATOR in routes or (warm and setups.PLAYS in routes):
                metrics |= self._timed("generator", self.generator_trainer.learn_database)
            if setups.TAUGHT_PROVER in routes or warm:
                metrics |= self._timed("prover", self._teach_prover, theorems, failed, attempts)
            self.iteration += 1
            if self.every and self.iteration % self.every == 0 and self.iteration < self.iterations:
                metrics |= {f"held_out/{k}": v for k, v in self._timed("judge", self.judge, False).items()}
            metrics |= self._shares(time.perf_counter() - start, before)
            metrics["unifications"] = float(self.theory.library.calls - calls)
            if report:
                report(self.iteration, metrics)

    # ------------------------------------------------------------------ what each role does
    def invent(self) -> list[Theorem]:
        """Theorems that the generator has just proved; what can't be used is counted."""
        found = []
        mark = UNPROVED if told(self.reward) else 0
        for play in self.generator.generate(self.games, mark):
            theorem = self._theorem(play)
            if theorem is None:
                continue
            self.seen[theorem.key] += 1
            found.append(theorem)
        return found

    def _theorem(self, play: tuple[Move, ...]) -> Theorem | None:
        """What a play has proved: its newest statement that is no citation."""
        library = self.theory.library
        last = next((k for k in range(len(play) - 1, -1, -1) if play[k].premises), None)
        if last is None:
            self.counts["generator/nothing_proved"] += 1
            return None
        number = statements(library, None, play)[last]
        proof = Proof(goal_from(library, number), tuple(needed(None, play, last)))
        assert proof.goal is not None
        if self.theory.gives_away(proof.goal):
            self.counts["generator/held_out"] += 1
            return None
        if self.theory.writer(proof, "generated") is None:  # it raises for a proof that is wrong
            self.counts["generator/not_written"] += 1
            return None
        stated = self.theory.stated(proof.goal)
        return Theorem(play, proof, key(proof.goal), len(library.texts[number]), stated)

    def attempt(self, theorems: Sequence[Theorem]) -> tuple[Tensor, list[Attempt]]:
        """K attempts at each theorem: the share that failed ``[n]``, and all attempts, those at one side by side."""
        goals = [t.proof.goal for t in theorems for _ in range(self.attempts)]
        attempts = self.prover.prove([g for g in goals if g is not None], self.theory.moves)
        solved = torch.tensor([a.solved for a in attempts]).view(len(theorems), self.attempts)
        return 1 - solved.float().mean(1), attempts

    def judged(self, theorems: Sequence[Theorem], failed: Tensor) -> Judged:
        """What rewards see."""
        return Judged(
            failed,
            torch.tensor([float(self.seen[t.key]) for t in theorems]),
            torch.tensor([float(t.size) for t in theorems]),
            torch.tensor([float(depths([m.premises for m in t.proof.moves])[-1]) for t in theorems]),
            torch.tensor([float(len(t.proof.moves)) for t in theorems]),
        )

    def _teach_generator(self, theorems: Sequence[Theorem], failed: Tensor) -> Metrics:
        routes, trainer = self.routes, self.generator_trainer
        if setups.TAUGHT_GENERATOR in routes:
            return trainer.learn_database()
        if setups.PLAYS not in routes:
            return {}
        rewards = self.reward(self.judged(theorems, failed))
        plays = [t.play for t in theorems]
        if told(self.reward):
            return trainer.imitate(plays, [UNPROVED if r else PROVED for r in rewards.tolist()])
        return trainer.learn(plays, rewards) | {"generator/reward": float(rewards.mean())}

    def _teach_prover(
        self, theorems: Sequence[Theorem], failed: Tensor, attempts: Sequence[Attempt]
    ) -> Metrics:
        trainer = self.prover_trainer
        if setups.PROOFS in self.routes:
            wanted = [t for t, share in zip(theorems, failed.tolist()) if self.goals == "all" or share > 0]
            self.counts["prover/not_replayed"] += trainer.generated.add(
                p for t in wanted for p in self._parts(t)
            )
        if setups.FOUND in self.routes:
            own = {key(a.goal): a for a in attempts if a.solved and len(a.moves) > 1}
            trainer.found.add(self._own(a) for a in own.values())
        return trainer.learn()

    def _parts(self, theorem: Theorem) -> list[Proof]:
        """A theorem's proof, and those of its nodes."""
        if not self.nodes:
            return [theorem.proof]
        library = self.theory.library
        every = parts(library, Proof(None, theorem.proof.moves))
        return [p for p in every if len(p.moves) > 1 and p.goal and not self.theory.gives_away(p.goal)]

    @staticmethod
    def _own(attempt: Attempt) -> Proof:
        given = len(attempt.goal.hypotheses)
        return Proof(attempt.goal, tuple(needed(attempt.goal, attempt.moves, given + len(attempt.moves) - 1)))

    # ------------------------------------------------------------------ what there is to know
    def judge(self, whole: bool = True) -> dict[str, Any]:
        """The prover on the held-out theorems.

        Args:
            whole: with ``samples`` attempts by chance each, not only one of what is likeliest.

        Returns:
            ``pass@1``, ``pass@k`` with k the number of samples, ``n``, and ``proved``, the labels of what was proved.
        """
        goals, budget = self.theory.held_out, self.theory.moves
        state = torch.get_rng_state()  # to be measured more often must not change a run
        torch.manual_seed(self.iteration)
        greedy = self.prover.prove(goals, budget, greedy=True)
        solved = torch.tensor([a.solved for a in greedy])
        found: dict[str, Any] = {"pass@1": float(solved.float().mean())}
        if whole:
            many = [
                torch.tensor([a.solved for a in self.prover.prove(goals, budget)])
                for _ in range(self.samples)
            ]
            found[f"pass@{self.samples}"] = float(torch.stack(many).any(0).float().mean())
            found["sampled pass@1"] = float(torch.stack(many).float().mean())
            found["n"] = len(goals)
            found["proved"] = [a.goal.name for a in greedy if a.solved]
            for attempt in greedy:
                if attempt.solved:  # it raises for a proof that is wrong
                    self.theory.writer(self._own(attempt), f"{attempt.goal.name}-again")
        torch.set_rng_state(state)
        return found

    def measure(self, theorems: Sequence[Theorem], failed: Tensor) -> Metrics:
        """An iteration's theorems in figures."""
        judged = self.judged(theorems, failed)
        return {
            "generator/verified": len(theorems) / self.games,
            "generator/size": float(judged.size.mean()),
            "generator/depth": float(judged.depth.mean()),
            "generator/steps": float(judged.steps.mean()),
            "generator/distinct": len({t.key for t in theorems}) / len(theorems),
            "generator/new": float((judged.seen == 1).float().mean()),
            "generator/subsumed": sum(t.stated for t in theorems) / len(theorems),
            "prover/failed": float(failed.mean()),
            "distinct_theorems": float(len(self.seen)),
        }

    def _keep(self, theorems: Sequence[Theorem], failed: Tensor) -> None:
        """Remember an iteration's hardest theorem, the shortest of those."""
        best = min(range(len(theorems)), key=lambda k: (-float(failed[k]), theorems[k].size))
        theorem = theorems[best]
        moves = [(m.label, list(m.premises)) for m in theorem.proof.moves]
        self.kept = [*self.kept, [self.iteration, float(failed[best]), moves]][-100:]

    def sample(self, count: int = 12) -> list[tuple[int, float, Written]]:
        """Some theorems of the run, evenly over it: iteration, share of attempts that failed, and the verified text."""
        library, shown = self.theory.library, []
        for iteration, share, saved in self.kept[:: max(1, len(self.kept) // count)]:
            moves = tuple(Move(label, tuple(premises)) for label, premises in saved)
            try:
                number = statements(library, None, moves)[-1]
            except Rejected:
                continue
            written = self.theory.writer(Proof(goal_from(library, number), moves), f"generated-{iteration}")
            if written:
                shown.append((iteration, share, written))
        return shown[:count]

    def rejections(self) -> dict[str, int]:
        """How often there was no new statement or theorem, by role and reason, in this process."""
        own = {f"generator/{r.name.lower()}": n for r, n in self.generator.rejected.items()}
        own |= {f"prover/{r.name.lower()}": n for r, n in self.prover.rejected.items()}
        own |= {f"database/{r.name.lower()}": n for r, n in self.theory.refused.items()}
        return dict(sorted((own | self.counts).items()))

    def _timed(self, what: str, do: Callable, *arguments: Any) -> Any:
        start = time.perf_counter()
        try:
            return do(*arguments)
        finally:
            self.seconds[what] += time.perf_counter() - start

    def _shares(self, total: float, before: Mapping[str, float]) -> Metrics:
        spent = {k: v - before.get(k, 0.0) for k, v in self.seconds.items()}
        return {"seconds": total} | {f"share/{k}": v / max(total, 1e-9) for k, v in spent.items()}

    # ------------------------------------------------------------------ state
    def state_dict(self) -> dict:
        """Everything that a resumed run needs; random states are the program's."""
        return {
            "iteration": self.iteration,
            "prover": self.prover_trainer.state_dict(),
            "generator": self.generator_trainer.state_dict(),
            "seen": dict(self.seen),
            "counts": dict(self.counts),
            "kept": self.kept,
            "calls": self.theory.library.calls,
        }

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state."""
        self.iteration, self.kept = saved["iteration"], saved["kept"]
        self.prover_trainer.load_state_dict(saved["prover"])
        self.generator_trainer.load_state_dict(saved["generator"])
        self.seen, self.counts = Counter(saved["seen"]), Counter(saved["counts"])
        self.theory.library.calls = saved["calls"]
