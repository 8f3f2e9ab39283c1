"""The roles of generator against prover as Ray actors (Moritz et al. 2018), on one machine or a cluster.

This process hands the theorems of an iteration from role to role: an idle generator begins new ones while few wait, an
idle prover takes the oldest, and trainers learn from one after the other while actors go on.  Weights travel through
Ray's object store, to each machine once, and are taken from and put into networks by TorchRL's ``WeightStrategy``.
TorchRL's ``RayWeightSyncScheme`` is not used: its receivers are the members of one ``torch.distributed`` group, which
an actor that is made again can't join.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import torch

from pvg.errors import UserError
from pvg.trainers.adversarial import Adversarial
from pvg.trainers.theorem_metrics import Metrics
from pvg.trainers.theorem_pool import Worker, WorkerPool
from pvg.trainers.theorem_roles import Experience, GeneratorBatch, ProverBatch
from pvg.trainers.theorem_worker import get_weights, put_weights

LOG_EVERY = 10.0  # seconds between words about who is waited for


class RayRoles:
    """Hands experiences from role to role; a worker that dies is made again, and what it had in hand is done again.

    Args:
        game: what is played.
        address: of a Ray cluster, or ``auto``; None for a local one that ends with this process.
        most_restarts: workers that may die before the run gives up; one that is resumed begins to count anew.

    Attributes:
        counts: experiences that were dropped, and workers that were made again, by role.

    Raises:
        UserError: Ray is not installed, or a worker does not start.
    """

    def __init__(self, game: Adversarial, address: str | None = None, most_restarts: int = 3):
        self.game = game
        roles = {role: game.workers[role] for role in game.roles()}
        self.pool = WorkerPool(game.factory, roles, address, most_restarts)
        self.ray, self.workers = self.pool.ray, self.pool.workers
        self.trainers = [w for w in self.workers if w.trains]
        self.generated: deque[Experience] = deque()  # by generators
        self.attempted: deque[Experience] = deque()  # by provers
        self.latest: dict[str, tuple[Any, int]] = {}  # weights in the object store, and their iteration
        self.shared: dict[str, Any] = {}  # weights that several trainers of a role have agreed on
        self.counts: Counter[str] = Counter()

    # ------------------------------------------------------------------ Engine
    def iterate(self, game: Adversarial) -> Metrics:
        """See :class:`pvg.trainers.adversarial.Engine`.

        Raises:
            UserError: there is no experience, or trainers have not learned from it, before the deadline.
        """
        experience = self._next_experience()
        batches, metrics = game.batches(experience, game.iteration)
        start, begun = time.perf_counter(), time.monotonic()
        for role, batch in batches.items():
            trainers = [w for w in self.trainers if w.role == role]
            for worker, part in zip(trainers, split(batch, len(trainers))):
                worker.item = part
                self._train(worker)
        while late := [w.name for w in self.trainers if w.call is not None]:
            if (waited := time.monotonic() - begun) > game.deadline:
                raise UserError(
                    f"Trainers have been at a batch for {waited:.0f} s (trainer.deadline={game.deadline:g}): "
                    f"{', '.join(late)} at work. Give the run more time, or smaller batches."
                )
            self._dispatch()
            self._wait(min(1.0, game.deadline))
        for role in batches:
            metrics |= self._average(role)
        metrics["seconds/learning"] = time.perf_counter() - start
        game.counts.update(self.counts)
        metrics |= {name: float(game.counts[name]) for name in self.counts}
        metrics |= {
            "dropped": float(total(game.counts, "dropped/")),
            "restarts": float(total(game.counts, "restarts/")),
        }
        self.counts.clear()
        return metrics

    def weights(self) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`."""
        for name, (weights, _) in self.latest.items():
            put_weights(self.game.scorers[name], self.ray.get(weights))

    def state_dict(self) -> dict:
        """See :class:`pvg.trainers.adversarial.Engine`; actors that play have none but what chance they draw."""
        return {f"{w.role}/{w.index}": self.ray.get(w.state) for w in self.trainers}

    def load_state_dict(self, saved: dict) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`.

        Raises:
            UserError: the state is of another engine, or of other numbers of trainers.
        """
        names = {f"{w.role}/{w.index}" for w in self.trainers}
        if names != set(saved):
            raise UserError(
                f"The run's trainers were {', '.join(sorted(saved))}, and now there are {', '.join(sorted(names))}: go "
                "on with the engine and the numbers of trainers that it began with."
            )
        for worker in self.trainers:
            worker.state = self.ray.put(saved[f"{worker.role}/{worker.index}"])
            self.ray.get(worker.actor.load.remote(worker.state))
        for role in dict.fromkeys(w.role for w in self.trainers):
            self._average_loaded(role, saved)

    def _average_loaded(self, role: str, saved: dict) -> None:
        name, every = role.partition("_")[0], []
        for worker in (w for w in self.trainers if w.role == role):
            self.game.scorers[name].load_state_dict(saved[f"{role}/{worker.index}"]["scorer"])
            every.append(get_weights(self.game.scorers[name]))
        weights = self.ray.put(torch.stack(every).mean(0))
        if len(every) > 1:
            self.shared[role] = weights
        self._publish(name, weights, self.game.iteration)

    def close(self) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`."""
        self.workers, self.trainers = [], []
        self.pool.close()

    # ------------------------------------------------------------------ experiences
    def _next_experience(self) -> Experience | None:
        """The next experience to learn from, waited for; None where an iteration has none.

        Raises:
            UserError: none has come before the deadline.
        """
        game = self.game
        if game.request(game.iteration) is None:
            return None
        ready = self.attempted if game.attempted() else self.generated
        begun = said = time.monotonic()
        while True:
            self._dispatch()
            while ready:
                experience = ready.popleft()
                newest = {role: self.latest.get(role, (None, 0))[1] for role in experience.versions}
                experience.staleness = {
                    role: newest[role] - seen for role, seen in experience.versions.items()
                }
                if max(experience.staleness.values()) <= game.staleness:
                    return experience
                self.counts["dropped/stale"] += 1
            waited = time.monotonic() - begun
            if waited > game.deadline:
                raise UserError(
                    f"No experience has come for {waited:.0f} s (trainer.deadline={game.deadline:g}): {self._missing()}"
                    ". Give the run more time, fewer games, or more workers of that role."
                )
            if time.monotonic() - said > LOG_EVERY:
                said = time.monotonic()
                print(
                    f"pvg: trainers wait for experience, {waited:.0f} s: {self._missing()}", file=sys.stderr
                )
            self._wait(min(1.0, game.deadline))

    def _missing(self) -> str:
        """Who has not sent anything."""
        who = [w.name for w in self.workers if w.call is not None and not w.trains]
        idle = [w.name for w in self.workers if w.call is None and not w.trains]
        words = f"{', '.join(who) or 'nobody'} at work"
        return words + (f", {', '.join(idle)} without anything to do" if idle else "")

    def _dispatch(self) -> None:
        """Give work to the idle: to provers the oldest experience, to generators a request while few wait."""
        game = self.game
        for worker in self.workers:
            if worker.call is not None or worker.trains:
                continue
            if worker.role == "prover_actor" and self.generated:
                worker.item = self.generated.popleft()
                self._act(worker)
            elif worker.role == "generator_actor" and len(self.generated) < game.queue:
                flying = sum(w.call is not None for w in self.workers if not w.trains)
                ahead = len(self.generated) + len(self.attempted) + flying
                request = game.request(game.iteration)
                if (
                    request is not None
                    and game.iteration + ahead < game.iterations
                    and ahead <= game.staleness
                ):
                    worker.item = request
                    self._act(worker)

    def _act(self, worker: Worker) -> None:
        weights, version = self.latest.get(worker.role.partition("_")[0], (None, 0))
        new = weights if version != worker.version else None
        worker.call = worker.actor.act.remote(worker.item, new, version)
        worker.version = version

    def _train(self, worker: Worker) -> None:
        shared = self.shared.get(worker.role)
        worker.call, worker.weights, worker.next = worker.actor.train.options(num_returns=3).remote(
            worker.item, shared
        )

    def _wait(self, timeout: float = 1.0) -> None:
        """Take what has come."""
        calls = {w.call: w for w in self.workers if w.call is not None}
        if not calls:
            time.sleep(min(timeout, 0.05))
            return
        for call in self.ray.wait(list(calls), num_returns=1, timeout=timeout)[0]:
            worker = calls[call]
            try:
                found = self.ray.get(call)
            except self.ray.exceptions.RayError as error:
                self.counts[f"restarts/{worker.role}"] += 1
                self.pool.restart(worker, error)
                again = self._train if worker.trains else self._act
                again(worker)
                continue
            worker.call = None
            if worker.trains:
                worker.metrics, worker.state = found, worker.next
            else:
                self._receive(worker.role, found)

    def _receive(self, role: str, experience: Experience) -> None:
        queue = self.generated if role == "generator_actor" else self.attempted
        if role == "generator_actor" and self.game.attempted() and not experience.theorems:
            queue = self.attempted  # nothing to attempt
        queue.append(experience)
        if len(queue) > self.game.queue:
            queue.popleft()
            self.counts[f"dropped/{role}"] += 1

    # ------------------------------------------------------------------ trainers
    def _average(self, role: str) -> Metrics:
        """Publish what the trainers of a role have learned: the mean of their weights, if there are several."""
        trainers = [w for w in self.trainers if w.role == role]
        weights = trainers[0].weights
        if len(trainers) > 1:
            every = self.ray.get([w.weights for w in trainers])
            weights = self.shared[role] = self.ray.put(torch.stack(every).mean(0))
        self._publish(role.partition("_")[0], weights, self.game.iteration + 1)
        names = dict.fromkeys(name for w in trainers for name in w.metrics if name != "seconds")
        return {n: sum(w.metrics.get(n, 0.0) for w in trainers) / len(trainers) for n in names}

    def _publish(self, name: str, weights: Any, version: int) -> None:
        self.latest[name] = (weights, version)


def total(counts: Counter[str], prefix: str) -> int:
    """The sum of what begins so."""
    return sum(n for name, n in counts.items() if name.startswith(prefix))


def split(batch: GeneratorBatch | ProverBatch, count: int) -> Sequence[GeneratorBatch | ProverBatch]:
    """A batch dealt out to several trainers."""
    if count == 1:
        return [batch]
    if isinstance(batch, ProverBatch):
        return [
            batch._replace(theorems=batch.theorems[k::count], found=batch.found[k::count])
            for k in range(count)
        ]
    return [
        GeneratorBatch(
            batch.database,
            batch.plays[k::count],
            None if batch.rewards is None else batch.rewards[k::count],
            batch.tokens[k::count],
        )
        for k in range(count)
    ]
