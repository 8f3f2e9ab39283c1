"""Rounds (Kirchner et al. 2024): the verifier learns from what provers say, they from what it then believes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from tensordict import TensorDict
from torch import Tensor

from pvg.agents.language import LanguageAgent, Prover, Verifier, in_passes
from pvg.errors import UserError
from pvg.language.asking import REACH, Asking
from pvg.language.attempts import Attempt, Task, summary
from pvg.language.book import Book
from pvg.language.canary import check
from pvg.language.engine import Engine
from pvg.language.pool import ROLES, VERDICTS, asked, pool
from pvg.language.queue import Grader
from pvg.trainers import policy_gradient as rl
from pvg.trainers.checking import Checking, Reader, read_pools
from pvg.trainers.lessons import lessons, readings
from pvg.trainers.policy_gradient import PolicyGradient
from pvg.trainers.rewards import Reward, centred, cgc, correctness
from pvg.trainers.schedule import schedule
from pvg.trainers.supervised import Optimiser, Start, imitate
from pvg.trainers.verdicts import best_of, by_problem, calibration, measure

Metrics = dict[str, float]
SPREAD = 2.0  # log-odds; differences of scores beyond that hardly matter
SAMPLES = 4  # of each role at each held-out problem, where agents are judged
STRIDE = 1_000_003  # from the seeds of one step to those of the next


class Rounds:
    """Trains a prover, who plays all roles, and a verifier, in rounds.

    A round: the provers are sampled and the verifier is trained on what they said in all rounds; then the provers are
    trained against it (the attack).  At the end the verifier is trained once more.

    Before the rounds a helpful prover, the solver, is trained for correctness alone, as long as an attack takes: what
    it gets right beyond the helpful prover of the game is what legibility costs (the legibility tax).  In the decoupled
    game (Kim and Lee 2026, arXiv 2602.23248) the solver's answers are kept, and in place of the helpful prover a
    translator, who is told that answer, writes a solution that leads to it: the tax is no longer paid.

    Args:
        book: the problems.
        prover, verifier: of one vocabulary.
        engine: samples from the prover's model.
        grader: says what is right.
        rounds: how many.
        start, checking, provers: how they learn.
        reward: what an answer earns.
        decoupled: play the decoupled game.
        test: held-out problems that are asked after every part of a round; each role gets all of them.
        tolerance: of log-probabilities between engine and trainer, after each change of weights; None for what the
            model's type of numbers allows.
        seed: decides everything that is drawn.

    Attributes:
        records: what was measured, in order: ``what`` (start, checked, attacked: on held-out problems; attack, solve:
            on an iteration's own answers), ``round``, and what :func:`pvg.trainers.verdicts.measure` gives; or
            gathered, and under ``roles`` what :func:`pvg.language.attempts.summary` gives.
        canaries: nats by which the engine was off, after each change of weights in this process.
        asking: has the provers try tasks, and knows where attempts are kept.
    """

    def __init__(
        self,
        book: Book,
        prover: Prover,
        verifier: Verifier,
        engine: Engine,
        grader: Grader,
        *,
        rounds: int = 4,
        start: Start | None = None,
        checking: Checking | None = None,
        provers: PolicyGradient | None = None,
        reward: Reward = cgc,
        decoupled: bool = False,
        test: int = 300,
        tolerance: float | None = None,
        seed: int = 0,
    ):
        if rounds < 1 or test < 1:
            raise UserError(f"trainer: rounds={rounds} and test={test} must both be 1 or more.")
        self.book, self.prover, self.verifier, self.engine = book, prover, verifier, engine
        self.asking = Asking(book, engine, grader)
        self.start, self.provers = start or Start(), provers or PolicyGradient()
        self.reader = Reader(verifier, book, checking or Checking())
        self.rounds, self.reward, self.tolerance, self.seed = rounds, reward, tolerance, seed
        self.decoupled = decoupled
        self.roles = ("translator", "sneaky") if decoupled else ("helpful", "sneaky")
        self.held_out = book.parts["test"][:test]
        self.schedule = schedule(self.rounds, self.start, self.reader.how, self.provers)
        self.iteration, self.iterations = 0, len(self.schedule)
        self.records: list[dict[str, Any]] = []
        self.canaries: list[float] = []
        self.version = 0
        self.surprise = 0.0  # the verifier's loss while it reads, a running mean
        self.solver: list[float] = []  # shares of its answers that were right, by held-out problem
        self.answers: list[str] = []  # the solver's, by problem; in the decoupled game only
        self.loss = rl.make_loss(self.provers)
        self.optimisers: dict[str, Optimiser] = {}
        self.begun: dict[str, dict[str, Tensor]] = {}  # what the agents had learned after the start
        self._texts: dict[str, TensorDict] = {}

    def train(self, report: Callable[[int, Metrics], None] | None = None) -> None:
        """Play the schedule to its end."""
        while self.iteration < self.iterations:
            what, r, k = self.schedule[self.iteration]
            seed = self.seed * STRIDE + self.iteration
            self.draw = torch.Generator().manual_seed(seed)
            torch.manual_seed(seed)  # whatever else is drawn: a resumed run draws the same
            metrics = getattr(self, f"_{what}")(r, k)
            self.iteration += 1
            if report:
                report(self.iteration, {"round": float(r), **metrics})

    # ------------------------------------------------------------------ the supervised start
    def _imitate(self, r: int, k: int) -> Metrics:
        """One step of the prover towards worked solutions, in the sneaky role spoilt ones."""
        if k == 0:
            self._optimise("imitate")
        return {"prover/imitation": self._towards("prover")}

    def _read(self, r: int, k: int) -> Metrics:
        """One step of the verifier towards worked solutions, until it knows enough."""
        if k == 0:
            self._optimise("read")
        elif self.start.enough is not None and self.surprise <= self.start.enough:
            return {}
        loss = self._towards("verifier")
        self.surprise = 0.9 * self.surprise + 0.1 * loss if k else loss
        return {"verifier/imitation": loss}

    def _towards(self, name: str) -> float:
        """One step of an agent's towards its lessons; its loss."""
        worked, agent = self._lessons(name), getattr(self, name)
        rows = torch.randint(len(worked), (self.start.descent.batch,), generator=self.draw)
        agent.train()
        return imitate(agent, worked[rows].to(self.device), self.optimisers[name])["loss"]

    def _lessons(self, who: str) -> TensorDict:
        """What is imitated: by the ``prover`` and the ``verifier`` at the start, by provers beside (``beside``)."""
        if who not in self._texts:
            own = (*self.roles, "helpful") if self.decoupled else self.roles
            roles = own if who == "prover" else [role for role in self.roles if role != "sneaky"]
            self._texts[who] = (
                readings(self.book) if who == "verifier" else lessons(self.book, roles, self.seed)
            )
        return self._texts[who]

    def _begin(self, r: int, k: int) -> Metrics:
        """The supervised start is over: the agents begin from here."""
        self._texts.clear()
        self.begun = {n: _copy(getattr(self, n)) for n in ("prover", "verifier")}
        self.sync()
        return self._record("start", r, ("helpful", "sneaky"))

    # ------------------------------------------------------------------ the solver
    def _solve(self, r: int, k: int) -> Metrics:
        """One step of a prover that is paid for right answers and nothing else."""
        return self._improve("solve", r, k, ("helpful",), correctness)

    def _fix(self, r: int, k: int) -> Metrics:
        """Ask the solver, keep its answers if the game is decoupled, and begin again where it began."""
        rows, score = self._scored(self._judged(self.held_out, ("helpful",), SAMPLES), f"test-{r}-solver")
        self.solver = by_problem(rows)
        metrics = self._keep("solver", r, rows, score)
        if self.decoupled:
            tasks = self.book.tasks(range(len(self.book.problems)), ("helpful",), 1)
            self.answers = [a.answer or "" for a in self.sample(tasks, 1, "solver", temperature=0.0)]
        self._begin_again()
        return metrics

    def _begin_again(self) -> None:
        """Put the prover back to where the supervised start left it."""
        self.prover.restore(self.begun["prover"])
        self.sync()

    # ------------------------------------------------------------------ the verifier's turn
    def _gather(self, r: int, k: int) -> Metrics:
        """Ask the provers for solutions to learn from, labelled by the truth."""
        how, part = self.reader.how, self.book.parts["verifier"]
        chosen = [part[i] for i in torch.randperm(len(part), generator=self.draw)[: how.problems].tolist()]
        tasks = self._judged([*chosen, *self.book.parts["calibration"]], self.roles, how.k_per_role)
        attempts = self.sample(tasks, how.max_tries_per_task, f"round-{r}")
        self.reader.take(pool(attempts, self.book.most))
        found = summary(attempts, {role: REACH[role] for role in self.roles})
        self.records.append({"what": "gathered", "round": r, "roles": found})
        return {f"gathered/{role}/{n}": x for role, told in found.items() for n, x in _numbers(told).items()}

    def _check(self, r: int, k: int) -> Metrics:
        """One step of the verifier's."""
        if k == 0:
            if not (self.reader.how.carry and r):
                self.verifier.restore(self.begun["verifier"])
            self._optimise("check")
        stats = self.reader.step(self.optimisers["verifier"], self.draw)
        return {f"verifier/{n}": x for n, x in stats.items()}

    def _judge(self, r: int, k: int) -> Metrics:
        """How the new verifier does against the provers as they are."""
        self.reader.settle()
        self.asking.keep(self.reader.scores(self.reader.pools[-1]).tolist(), f"round-{r}")
        return self._record("checked", r, self.roles)

    # ------------------------------------------------------------------ the provers' turn
    def _attack(self, r: int, k: int) -> Metrics:
        """One step of the provers against the verifier as it is."""
        if k == 0 and r and not self.provers.carry:
            self._begin_again()
        return self._improve("attack", r, k, self.roles, self.reward)

    def _exploit(self, r: int, k: int) -> Metrics:
        """How the verifier stands after the attack."""
        return self._record("attacked", r, self.roles)

    def _improve(self, what: str, r: int, k: int, roles: Sequence[str], reward: Reward) -> Metrics:
        """Sample answers, score them, learn from what they earn."""
        how, part = self.provers, self.book.parts["prover"]
        if k == 0:
            self._optimise(what)
        chosen = torch.randint(len(part), (how.problems,), generator=self.draw).tolist()
        tasks = self._tasks([part[i] for i in chosen], roles, how.samples)
        rows = pool(self.sample(tasks, 1), self.book.most)
        score, group = self.reader.scores(rows), torch.arange(len(rows)) // how.samples
        helpful, right = rows["role"] != ROLES.index("sneaky"), rows["verdict"] == VERDICTS.index("right")
        parsed = rows["verdict"] != VERDICTS.index("unparseable")
        centre = centred(score, group, parsed & (right == helpful))
        earned = reward(torch.tanh(centre / SPREAD), right, helpful, parsed)
        batch = asked(rows, lambda p, i: tasks[i].prompt).set("reward", earned).set("group", group)
        batch = batch.set("helpful", helpful).to(self.device)
        kl = self._from_reference(batch, all_of_it=how.kl > 0)
        if how.advantage == "value":
            value = in_passes(lambda b: self.prover(b)[1], batch, how.descent.micro, self.device)
            batch.set("value", value)
        rl.advantages(batch, how)
        self.prover.train()
        beside = self._lessons("beside") if how.lessons and what == "attack" else None
        stats = rl.learn(self.prover, batch, how, self.loss, self.optimisers["prover"], beside)
        self.sync()
        found = measure(rows, score)
        found["kl"] = kl
        for role in roles:
            found[f"{role}/reward"] = float(earned[rows["role"] == ROLES.index(role)].mean())
        self.records.append({"what": what, "round": r, "step": k, **found})
        return {f"provers/{n}": x for n, x in stats.items()} | _numbers(found)

    def _from_reference(self, batch: TensorDict, all_of_it: bool) -> float:
        """Nats a token between the prover and what it was at the start, on a batch, which gets ``ref_log_probs``; or
        on a quarter of it, where only the figure is wanted."""
        some = batch if all_of_it else batch[::4]
        with self.prover.being(self.begun["prover"]):
            reference = in_passes(self.prover.log_probs, some, self.provers.descent.micro, self.device)
        if all_of_it:
            batch.set("ref_log_probs", reference)
        return float((some["log_probs"] - reference)[some["said"]].mean())

    # ------------------------------------------------------------------ parts
    @property
    def device(self) -> torch.device:
        """Where the prover lives."""
        return self.prover.head.weight.device

    def _optimise(self, what: str) -> None:
        """A fresh optimiser for a part of the game."""
        name, how, steps = {
            "imitate": ("prover", self.start.descent, self.start.steps),
            "read": ("verifier", self.start.descent, self.start.reading),
            "check": ("verifier", self.reader.how.descent, self.reader.how.steps),
            "solve": ("prover", self.provers.descent, self.provers.steps(1)),
            "attack": ("prover", self.provers.descent, self.provers.steps(len(self.roles))),
        }[what]
        falls = what != "read" or self.start.enough is None
        self.optimisers = {name: Optimiser(getattr(self, name), how, steps, falls)}

    def _tasks(self, problems: Sequence[int], roles: Sequence[str], each: int) -> list[Task]:
        """Tasks of the game: a translator's answer is compared with the solver's."""
        return self.book.tasks(problems, roles, each, self.answers or None)

    def sample(
        self,
        tasks: Sequence[Task],
        tries: int,
        name: str | None = None,
        progress: Callable[[int, int], None] | None = None,
        temperature: float = 1.0,
    ) -> list[Attempt]:
        """As :meth:`pvg.language.asking.Asking.sample`, with what this step of the game draws."""
        seed = self.seed * STRIDE + self.iteration
        return self.asking.sample(
            tasks, tries, seed, solved=self.answers, name=name, progress=progress, temperature=temperature
        )

    def _scored(self, tasks: Sequence[Task], name: str) -> tuple[TensorDict, Tensor]:
        """One attempt at each task, and the verifier's scores ``[n]`` of them; the journal has both."""
        rows = pool(self.sample(tasks, 1, name), self.book.most)
        score = self.reader.scores(rows)
        self.asking.keep(score.tolist(), name)
        return rows, score

    def _record(self, what: str, r: int, roles: Sequence[str]) -> Metrics:
        """Ask roles about the held-out problems, and measure."""
        return self._keep(what, r, *self._scored(self._judged(self.held_out, roles, 1), f"test-{r}-{what}"))

    def _keep(self, what: str, r: int, rows: TensorDict, score: Tensor) -> Metrics:
        """Measure answers, and keep what was found."""
        found = measure(rows, score)
        self.records.append({"what": what, "round": r, **found})
        return {f"held_out/{n}": x for n, x in _numbers(found).items()}

    def _judged(self, problems: Sequence[int], roles: Sequence[str], each: int) -> list[Task]:
        """Tasks where what counts is the truth: a translator's answer too is compared with it."""
        return self.book.tasks(problems, roles, each, self.answers or None, compare=False)

    def judge(self, samples: int = SAMPLES) -> dict[str, Any]:
        """The agents as they are, on all held-out problems.

        Args:
            samples: answers of each role to each problem; also the n of best-of-n.

        Returns:
            what :func:`pvg.trainers.verdicts.measure`, :func:`~pvg.trainers.verdicts.best_of` and
            :func:`~pvg.trainers.verdicts.calibration` give; ``legibility_tax``, what the solver gets right beyond the
            honest prover, and its standard error over problems; ``n``, the held-out problems; and ``samples``.
        """
        rows, score = self._scored(self._judged(self.held_out, self.roles, samples), "final")
        found = measure(rows, score)
        tax = torch.tensor(self.solver) - torch.tensor(by_problem(rows))
        return {
            **found,
            "legibility_tax": float(tax.mean()),
            "legibility_tax_error": float(tax.std() / len(tax) ** 0.5),
            **best_of(rows, score),
            **calibration(rows, score),
            "n": len(self.held_out),
            "samples": samples,
        }

    def sync(self) -> None:
        """Give the engine the prover's weights, and see that it has them.

        Raises:
            StaleEngine: it has not.
        """
        self.version += 1
        self.prover.eval()
        self.engine.load_weights(self.prover.weights(), self.version)
        some = self.held_out[:4]
        worked = [self.book.solution(self.book.problems[p].solution) for p in some]
        watched = [[*self.book.prompt("helpful", p), *said] for p, said in zip(some, worked, strict=True)]
        self.canaries.append(check(self.engine, self.prover.plain, watched, self.tolerance))

    # ------------------------------------------------------------------ state
    def state_dict(self) -> dict:
        """Everything that a resumed run needs."""
        return {
            "iteration": self.iteration,
            "version": self.version,
            "surprise": self.surprise,
            "prover": self.prover.learned(),
            "verifier": self.verifier.learned(),
            "begun": self.begun,
            "optimisers": {n: o.state_dict() for n, o in self.optimisers.items()},
            "pools": [dict(p.items()) for p in self.reader.pools],
            "answers": self.answers,
            "solver": self.solver,
            "records": self.records,
        }

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state."""
        self.iteration, self.records, self.answers = saved["iteration"], saved["records"], saved["answers"]
        self.solver, self.surprise = saved["solver"], saved["surprise"]
        for name, agent in (("prover", self.prover), ("verifier", self.verifier)):
            if name in saved["begun"]:
                agent.restore(saved["begun"][name])
                self.begun[name] = _copy(agent)  # where the agent computes
            agent.restore(saved[name])
        self.reader.pools = read_pools(saved["pools"])
        what = self.schedule[self.iteration - 1][0] if self.iteration else ""
        if what in ("imitate", "read", "solve", "check", "attack"):
            self._optimise(what)
            for name, state in saved["optimisers"].items():
                self.optimisers[name].load_state_dict(state)
        if saved["version"]:  # the engine is to have the same weights under the same number
            self.version = saved["version"] - 1
            self.sync()


def _copy(agent: LanguageAgent) -> dict[str, Tensor]:
    return {n: x.clone() for n, x in agent.learned().items()}


def _numbers(found: Mapping[str, Any]) -> Metrics:
    return {n: float(x) for n, x in found.items() if isinstance(x, int | float)}
