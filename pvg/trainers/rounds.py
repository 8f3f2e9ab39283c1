"""Rounds of provers and a verifier (Kirchner et al. 2024): the verifier learns from what the provers say, the provers
from what it then believes."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tensordict import TensorDict, TensorDictBase
from torch import Tensor

from pvg.agents.language import Prover, Verifier, texts
from pvg.envs.mistakes import corrupt
from pvg.errors import UserError
from pvg.language.attempts import Attempt, Task
from pvg.language.book import Book
from pvg.language.canary import check
from pvg.language.engine import Engine
from pvg.language.pool import ROLES, VERDICTS, asked, pairs, pool
from pvg.language.queue import Grader, Queue
from pvg.trainers import policy_gradient as rl
from pvg.trainers.policy_gradient import PolicyGradient
from pvg.trainers.rewards import Reward, centred, src
from pvg.trainers.supervised import Descent, Optimiser, bradley_terry, imitate, tell_apart
from pvg.trainers.verdicts import best_of, calibration, measure

Metrics = dict[str, float]
SPREAD = 2.0  # log-odds; differences of scores beyond that hardly matter


@dataclass
class Start:
    """The supervised start: provers imitate worked solutions, in the sneaky role spoilt ones.

    Args:
        steps: of gradient descent; 0 for models that can do it already.
        descent: the gradient steps.
    """

    steps: int = 500
    descent: Descent = field(default_factory=Descent)


@dataclass
class Checking:
    """How the verifier learns, each round.

    Args:
        steps: of gradient descent, a round.
        problems: on which provers are asked for solutions to learn from, a round.
        k_per_role: successes wanted of a role at a problem (right from the helpful, wrong from the sneaky).
        max_tries_per_task: attempts at one success; what fails is kept too.
        loss: of the scores of right and wrong solutions of the same problem.
        pull: weight of the scores' mean square.
        carry: go on from the last round's verifier; otherwise from the same start every round.
        descent: the gradient steps; its batch counts pairs.
    """

    steps: int = 150
    problems: int = 400
    k_per_role: int = 2
    max_tries_per_task: int = 4
    loss: Callable[[Tensor, float], Tensor] = bradley_terry
    pull: float = 0.01
    carry: bool = False
    descent: Descent = field(default_factory=lambda: Descent(learning_rate=2e-3, batch=64))


class Rounds:
    """Trains a prover, who plays both roles, and a verifier, in rounds.

    A round: the provers are sampled and the verifier is trained on what they said in all rounds; then the provers are
    trained against it (the attack).  At the end the verifier is trained once more.

    Args:
        book: the problems.
        prover, verifier: of the same vocabulary; the verifier begins with the prover's weights after the supervised
            start (``verifier`` is made for that: its own weights are replaced).
        engine: samples from the prover's model.
        grader: says what is right.
        rounds: how many.
        start, checking, provers: how they learn.
        reward: what an answer earns.
        test: held-out problems that are asked after every step of the game; each role gets all of them.
        tolerance: of log-probabilities between engine and trainer, after each change of weights.
        seed: decides everything that is drawn.
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
        reward: Reward = src,
        test: int = 300,
        tolerance: float = 1e-4,
        seed: int = 0,
    ):
        if rounds < 1:
            raise UserError(f"trainer.rounds={rounds}: at least one round is needed.")
        self.book, self.prover, self.verifier, self.engine, self.grader = (
            book,
            prover,
            verifier,
            engine,
            grader,
        )
        self.start, self.checking, self.provers = (
            start or Start(),
            checking or Checking(),
            provers or PolicyGradient(),
        )
        self.rounds, self.reward, self.tolerance, self.seed = rounds, reward, tolerance, seed
        self.roles = ("helpful", "sneaky")
        self.held_out = book.parts["test"][:test]
        self.schedule = self._schedule()
        self.iteration, self.iterations = 0, len(self.schedule)
        self.folder: Path | None = None  # where attempts are kept
        self.pools: list[TensorDictBase] = []
        self.records: list[dict[str, Any]] = []
        self.version = 0
        self.loss = rl.make_loss(self.provers)
        self.optimisers: dict[str, Optimiser] = {}
        self.begun: dict[str, dict[str, Tensor]] = {}  # the agents' weights after the supervised start
        self.reference = copy.deepcopy(prover).requires_grad_(False)
        self._cache: dict[str, Any] = {}

    def _schedule(self) -> list[tuple[str, int, int]]:
        """Every step of the game as (what, round, number within)."""
        out = [("imitate", 0, k) for k in range(self.start.steps)] + [("begin", 0, 0)]
        for r in range(self.rounds + 1):
            out += (
                [("gather", r, 0)] + [("check", r, k) for k in range(self.checking.steps)] + [("judge", r, 0)]
            )
            if r < self.rounds:
                out += [("attack", r, k) for k in range(self.provers.iterations)] + [("exploit", r, 0)]
        return out

    def train(self, report: Callable[[int, Metrics], None] | None = None) -> None:
        """Play the schedule to its end."""
        while self.iteration < self.iterations:
            what, r, k = self.schedule[self.iteration]
            self.draw = torch.Generator().manual_seed(self.seed * 1_000_003 + self.iteration)
            torch.manual_seed(self.seed * 1_000_003 + self.iteration)
            metrics = getattr(self, f"_{what}")(r, k)
            self.iteration += 1
            if report:
                report(self.iteration, {"round": float(r), **metrics})

    # ------------------------------------------------------------------ the supervised start
    def _imitate(self, r: int, k: int) -> Metrics:
        """One step towards worked solutions."""
        if k == 0:
            self._optimise("imitate")
        if "lessons" not in self._cache:
            self._cache["lessons"] = self._lessons()
        lessons = self._cache["lessons"]
        rows = torch.randint(len(lessons), (self.start.descent.batch,), generator=self.draw)
        found = {}
        for name, agent in (("prover", self.prover), ("verifier", self.verifier)):
            agent.train()
            batch = lessons[rows]
            if name == "verifier":
                batch = self._cache["readings"][rows % len(self._cache["readings"])]
            found[f"{name}/imitation"] = imitate(agent, batch, self.optimisers[name])["loss"]
        return found

    def _worked(self) -> TensorDict | None:
        """Worked solutions for the helpful role, where provers are to be reminded of them."""
        if not self.provers.lessons:
            return None
        if "worked" not in self._cache:
            part = self.book.parts["prover"]
            answers = [self.book.solution(self.book.problems[p].solution) for p in part]
            self._cache["worked"] = texts([self.book.prompt("helpful", p) for p in part], answers)
        return self._cache["worked"]

    def _optimise(self, what: str) -> None:
        """Fresh optimisers for a part of the game."""
        how, steps = {
            "imitate": (self.start.descent, self.start.steps),
            "check": (self.checking.descent, self.checking.steps),
            "attack": (self.provers.descent, self.provers.steps),
        }[what]
        names = {"imitate": ("prover", "verifier"), "check": ("verifier",), "attack": ("prover",)}[what]
        self.optimisers = {name: Optimiser(getattr(self, name), how, steps) for name in names}

    def _lessons(self) -> TensorDict:
        chance, prompts, answers = random.Random(self.seed), [], []
        for p in self.book.parts["prover"]:
            problem = self.book.problems[p]
            spoilt = corrupt(problem, chance)
            for role, lesson in (("helpful", problem.solution), ("sneaky", spoilt)):
                if lesson:
                    prompts.append(self.book.prompt(role, p))
                    answers.append(self.book.solution(lesson))
        own = [p for p in self.book.parts["verifier"]]
        self._cache["readings"] = texts(
            [self.book.prompt("verifier", p) for p in own],
            [self.book.solution(self.book.problems[p].solution) for p in own],
        )
        return texts(prompts, answers)

    def _begin(self, r: int, k: int) -> Metrics:
        """The supervised start is over: both agents begin from here."""
        self._cache.clear()
        self.begun = {n: _copy(getattr(self, n)) for n in ("prover", "verifier")}
        self.reference.load_state_dict(self.begun["prover"])
        self._sync()
        return self._record("start", r)

    # ------------------------------------------------------------------ the verifier's turn
    def _gather(self, r: int, k: int) -> Metrics:
        """Ask the provers for solutions to learn from."""
        how = self.checking
        order = torch.randperm(len(self.book.parts["verifier"]), generator=self.draw)[: how.problems]
        problems = [self.book.parts["verifier"][i] for i in order.tolist()]
        tasks = self.book.tasks(problems, self.roles, how.k_per_role)
        attempts = self.sample(tasks, how.max_tries_per_task, f"round-{r}")
        self.pools.append(pool(attempts, self.book.most))
        return {"gathered": float(len(attempts))}

    def _check(self, r: int, k: int) -> Metrics:
        """One step of the verifier's."""
        how = self.checking
        if k == 0:
            if not (how.carry and r):
                self.verifier.load_state_dict(self.begun["verifier"])
            self._optimise("check")
        if "pairs" not in self._cache:
            rows = torch.cat([p.select("answer", "said", "problem", "role", "verdict") for p in self.pools])
            self._cache["rows"] = asked(rows, lambda p, i: self.book.prompt("verifier", p))
            self._cache["pairs"] = pairs(self.pools)
            if not len(self._cache["pairs"][0]):
                raise UserError(
                    "The provers' solutions hold no pair of a right and a wrong one of the same problem, so there is "
                    "nothing for the verifier to learn. Raise trainer.checking.problems or max_tries_per_task."
                )
        both, weights = self._cache["pairs"]
        chosen = both[torch.multinomial(weights, how.descent.batch, replacement=True, generator=self.draw)]
        right, wrong = (self._cache["rows"][i] for i in chosen.unbind(1))
        self.verifier.train()
        stats = tell_apart(self.verifier, right, wrong, self.optimisers["verifier"], how.loss, how.pull)
        return {f"verifier/{n}": x for n, x in stats.items()}

    def _settle(self) -> None:
        """Put the verifier's threshold where it is right most often, right and wrong and pools weighing the same."""
        rows = torch.cat([p.select("answer", "said", "problem", "role", "verdict") for p in self.pools])
        score = self.scores(rows)
        weight = torch.cat([_balanced(p) for p in self.pools])
        order = score.argsort()
        right = rows["verdict"][order] == VERDICTS.index("right")
        gain = torch.where(right, -weight[order], weight[order]).cumsum(0)  # rejecting all up to here
        best = int(gain.argmax())
        after = min(best + 1, len(score) - 1)
        with torch.no_grad():
            self.verifier.bias -= (score[order[best]] + score[order[after]]) / 2

    def _judge(self, r: int, k: int) -> Metrics:
        """How the new verifier does against the provers as they are."""
        self._settle()
        self._cache.clear()
        return self._record("checked", r)

    # ------------------------------------------------------------------ the provers' turn
    def _attack(self, r: int, k: int) -> Metrics:
        """Sample answers, score them, learn from what they earn."""
        how = self.provers
        if k == 0:
            self._optimise("attack")
        part = self.book.parts["prover"]
        problems = [part[i] for i in torch.randint(len(part), (how.problems,), generator=self.draw).tolist()]
        tasks = self.book.tasks(problems, self.roles, how.samples)
        attempts = self.sample(tasks, 1)
        rows = pool(attempts, self.book.most)
        group = torch.tensor([i // how.samples for i in range(len(rows))])
        score = self.scores(rows)
        helpful, right = rows["role"] != ROLES.index("sneaky"), rows["verdict"] == VERDICTS.index("right")
        parsed = rows["verdict"] != VERDICTS.index("unparseable")
        reward = self.reward(torch.tanh(centred(score, group) / SPREAD), right, helpful, parsed)
        batch = asked(rows, lambda p, i: tasks[i].prompt).set("reward", reward).set("group", group)
        batch.set("helpful", helpful)
        with torch.no_grad():
            batch.set("ref_log_probs", self.reference.log_probs(batch))
            batch.set("value", self.prover(batch)[1])
        rl.advantages(batch, how)
        self.prover.train()
        stats = rl.learn(self.prover, batch, how, self.loss, self.optimisers["prover"], self._worked())
        self._sync()
        found = measure(rows, score)
        said = batch["said"]
        kl = float((batch["log_probs"][:, : said.shape[1]] - batch["ref_log_probs"])[said].mean())
        found |= {f"{n}/reward": float(reward[helpful == (n == "helpful")].mean()) for n in self.roles}
        self.records.append({"what": "attack", "round": r, "step": k, **found, "kl": kl})
        return {f"provers/{n}": x for n, x in stats.items()} | _numbers(found) | {"provers/kl": kl}

    def _exploit(self, r: int, k: int) -> Metrics:
        """How the verifier stands after the attack."""
        return self._record("attacked", r)

    # ------------------------------------------------------------------ parts
    def sample(
        self,
        tasks: Sequence[Task],
        tries: int,
        name: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Attempt]:
        """Have the engine try tasks until each has succeeded, or has been tried so many times.

        Args:
            name: of the journal in which the attempts are kept; None for none.
            progress: told how many tasks are settled, of how many.
        """
        journal = self.folder / "attempts" / f"{name}.jsonl" if self.folder and name else None
        queue = Queue(
            self.engine,
            self.grader,
            decode=self.book.answer,
            references=self.book.references,
            max_tries_per_task=tries,
            seed=self.seed * 1_000_003 + self.iteration,
            journal=journal,
        )
        return queue.run(tasks, progress)

    @torch.no_grad()
    def scores(self, rows: TensorDictBase) -> Tensor:
        """The verifier's scores ``[n]`` of a pool's rows."""
        self.verifier.eval()
        batch = asked(rows, lambda p, i: self.book.prompt("verifier", p))
        return torch.cat([self.verifier(piece) for piece in batch.split(512)])

    def _record(self, what: str, r: int) -> Metrics:
        """Ask both roles about the held-out problems, and measure."""
        tasks = self.book.tasks(self.held_out, self.roles, 1)
        attempts = self.sample(tasks, 1, f"test-{r}-{what}")
        rows = pool(attempts, self.book.most)
        found = measure(rows, self.scores(rows))
        self.records.append({"what": what, "round": r, **found})
        return {f"held_out/{n}": x for n, x in _numbers(found).items()}

    def _sync(self) -> None:
        """Give the engine the prover's weights, and see that it has them."""
        self.version += 1
        self.prover.eval()
        self.engine.load_weights(self.prover.weights(), self.version)
        texts = [
            [*self.book.prompt("helpful", p), *self.book.solution(self.book.problems[p].solution)]
            for p in self.held_out[:4]
        ]
        check(self.engine, self.prover.plain, texts, self.tolerance)

    def judge(self, samples: int = 4) -> dict[str, Any]:
        """The agents as they are, on all held-out problems.

        Args:
            samples: answers of each role to each problem; also the n of best-of-n.

        Returns:
            what :func:`pvg.trainers.verdicts.measure` gives, the verifier's calibration error, and how often the best
            scored of ``samples`` helpful answers is right (``best_of_n``), beside a random one (``helpful/accuracy``)
            and beside any of them (``pass_at_n``); ``n``, the held-out problems.
        """
        attempts = self.sample(self.book.tasks(self.held_out, self.roles, samples), 1, "final")
        rows = pool(attempts, self.book.most)
        score = self.scores(rows)
        return {
            **measure(rows, score),
            **best_of(rows, score),
            **calibration(rows, score),
            "n": len(self.held_out),
        }

    # ------------------------------------------------------------------ state
    def state_dict(self) -> dict:
        """Everything that a resumed run needs."""
        return {
            "iteration": self.iteration,
            "version": self.version,
            "prover": self.prover.state_dict(),
            "verifier": self.verifier.state_dict(),
            "begun": self.begun,
            "optimisers": {n: o.state_dict() for n, o in self.optimisers.items()},
            "pools": [dict(p.items()) for p in self.pools],
            "records": self.records,
        }

    def load_state_dict(self, saved: dict) -> None:
        """Go on from a saved state."""
        self.iteration, self.records = saved["iteration"], saved["records"]
        self.prover.load_state_dict(saved["prover"])
        self.verifier.load_state_dict(saved["verifier"])
        self.begun = saved["begun"]
        if self.begun:
            self.reference.load_state_dict(self.begun["prover"])
        self.pools = [TensorDict(p, [len(p["problem"])]) for p in saved["pools"]]
        what = self.schedule[self.iteration - 1][0] if self.iteration else ""
        if what in ("imitate", "check", "attack"):
            self._optimise(what)
            for name, state in saved["optimisers"].items():
                self.optimisers[name].load_state_dict(state)
        self.version = saved["version"] - 1
        if self.version >= 0:
            self._sync()


def _copy(agent: torch.nn.Module) -> dict[str, Tensor]:
    return {n: x.detach().clone() for n, x in agent.state_dict().items()}


def _numbers(found: Mapping[str, Any]) -> Metrics:
    return {n: float(x) for n, x in found.items() if isinstance(x, int | float)}


def _balanced(rows: TensorDictBase) -> Tensor:
    """Weights ``[n]`` with which right and wrong answers weigh the same in each role; what can't be read has none."""
    weight = torch.zeros(len(rows))
    for role in range(len(ROLES)):
        for verdict in ("right", "wrong"):
            own = (rows["role"] == role) & (rows["verdict"] == VERDICTS.index(verdict))
            weight[own] = 1.0 / own.sum().clamp(min=20)
    return weight
