"""The roles of generator against prover as Ray actors (Moritz et al. 2018), on one machine or a cluster.

This process hands chunks of theorems from role to role: an idle generator begins a new one while few wait, an idle
prover takes the oldest, and trainers learn from one after the other while actors go on.  Weights travel through Ray's
object store, to each machine once, and are taken from and put into networks by TorchRL's ``WeightStrategy``.  TorchRL's
``RayWeightSyncScheme`` is not used: its receivers are the members of one ``torch.distributed`` group, which an actor
that is made again can't join.
"""

from __future__ import annotations

import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import torch

from pvg.errors import UserError, explain
from pvg.language.ray_cluster import Cluster
from pvg.trainers.adversarial import Adversarial, Metrics
from pvg.trainers.theorem_roles import Chunk, ForGenerator, ForProver
from pvg.trainers.theorem_worker import Remote, get_weights, put_weights

SAY = 10.0  # seconds between words about who is waited for
START = 300.0  # seconds that workers have to start


class Worker:
    """This side of a worker.

    Attributes:
        call: that is under way, None if there is none.
        item: what the call is about.
        state: of a trainer, behind its last call.
        version: of the weights that an actor has.
    """

    def __init__(self, role: str, index: int):
        self.role, self.index, self.name = role, index, f"{role.replace('_', ' ')} {index}"
        self.actor: Any = None
        self.call: Any = None
        self.item: Any = None
        self.state: Any = None
        self.next: Any = None  # what the state and the weights are to be, and the metrics, behind this call
        self.weights: Any = None
        self.metrics: Metrics = {}
        self.version = -1


class RayRoles:
    """Hands chunks from role to role; a worker that dies is made again, and what it had in hand is done again.

    Args:
        game: what is played.
        address: of a Ray cluster, or ``auto``; None for a local one that ends with this process.
        most_restarts: workers that may die before the run gives up; one that is resumed begins to count anew.

    Attributes:
        counts: chunks that were dropped, and workers that were made again, by role.

    Raises:
        UserError: Ray is not installed, or a worker does not start.
    """

    def __init__(self, game: Adversarial, address: str | None = None, most_restarts: int = 3):
        self.game, self.most_restarts = game, most_restarts
        self.cluster = Cluster(address)
        self.ray = self.cluster.ray
        self.workers = [Worker(r, k) for r in game.roles() for k in range(game.workers[r])]
        self.teachers = [w for w in self.workers if w.role.endswith("trainer")]
        self.made: deque[Chunk] = deque()  # by generators
        self.tried: deque[Chunk] = deque()  # by provers
        self.latest: dict[str, tuple[Any, int]] = {}  # weights in the object store, and their iteration
        self.shared: dict[str, Any] = {}  # weights that several trainers of a role have agreed on
        self.counts: Counter[str] = Counter()
        self.seeds = self.deaths = 0  # workers that have died, in this process
        try:
            for worker in self.workers:
                self._make(worker)
            for worker in self.workers:
                self._first(worker)
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------ Engine
    def iterate(self, game: Adversarial) -> Metrics:
        """See :class:`pvg.trainers.adversarial.Engine`.

        Raises:
            UserError: there is no experience, or trainers have not learned from it, before the deadline.
        """
        chunk = self._chunk()
        lessons, metrics = game.lessons(chunk, game.iteration)
        start, begun = time.perf_counter(), time.monotonic()
        for role, lesson in lessons.items():
            teachers = [w for w in self.teachers if w.role == role]
            for worker, part in zip(teachers, split(lesson, len(teachers))):
                worker.item = part
                self._teach(worker)
        while late := [w.name for w in self.teachers if w.call is not None]:
            if (waited := time.monotonic() - begun) > game.deadline:
                raise UserError(
                    f"Trainers have been at a lesson for {waited:.0f} s (trainer.deadline={game.deadline:g}): "
                    f"{', '.join(late)} at work. Give the run more time, or smaller lessons."
                )
            self._hand_out()
            self._wait(min(1.0, game.deadline))
        for role in lessons:
            metrics |= self._agree(role)
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
        return {f"{w.role}/{w.index}": self.ray.get(w.state) for w in self.teachers}

    def load_state_dict(self, saved: dict) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`.

        Raises:
            UserError: the state is of another engine, or of other numbers of trainers.
        """
        names = {f"{w.role}/{w.index}" for w in self.teachers}
        if names != set(saved):
            raise UserError(
                f"The run's trainers were {', '.join(sorted(saved))}, and now there are {', '.join(sorted(names))}: go "
                "on with the engine and the numbers of trainers that it began with."
            )
        for worker in self.teachers:
            worker.state = self.ray.put(saved[f"{worker.role}/{worker.index}"])
            self.ray.get(worker.actor.load.remote(worker.state))
        for role in dict.fromkeys(w.role for w in self.teachers):
            self._agree_on_start(role, saved)

    def _agree_on_start(self, role: str, saved: dict) -> None:
        name, every = role.partition("_")[0], []
        for worker in (w for w in self.teachers if w.role == role):
            self.game.scorers[name].load_state_dict(saved[f"{role}/{worker.index}"]["scorer"])
            every.append(get_weights(self.game.scorers[name]))
        weights = self.ray.put(torch.stack(every).mean(0))
        if len(every) > 1:
            self.shared[role] = weights
        self._publish(name, weights, self.game.iteration)

    def close(self) -> None:
        """See :class:`pvg.trainers.adversarial.Engine`."""
        for worker in self.workers:
            if worker.actor is not None:
                self.ray.kill(worker.actor)
        self.workers, self.teachers = [], []
        self.cluster.stop()

    # ------------------------------------------------------------------ chunks
    def _chunk(self) -> Chunk | None:
        """The next chunk to learn from, waited for; None where an iteration has none.

        Raises:
            UserError: none has come before the deadline.
        """
        game = self.game
        if game.order(game.iteration) is None:
            return None
        ready = self.tried if game.attempted() else self.made
        begun = said = time.monotonic()
        while True:
            self._hand_out()
            while ready:
                chunk = ready.popleft()
                newest = {role: self.latest.get(role, (None, 0))[1] for role in chunk.versions}
                chunk.staleness = {role: newest[role] - seen for role, seen in chunk.versions.items()}
                if max(chunk.staleness.values()) <= game.staleness:
                    return chunk
                self.counts["dropped/stale"] += 1
            waited = time.monotonic() - begun
            if waited > game.deadline:
                raise UserError(
                    f"No experience has come for {waited:.0f} s (trainer.deadline={game.deadline:g}): {self._missing()}"
                    ". Give the run more time, fewer games, or more workers of that role."
                )
            if time.monotonic() - said > SAY:
                said = time.monotonic()
                print(
                    f"pvg: trainers wait for experience, {waited:.0f} s: {self._missing()}", file=sys.stderr
                )
            self._wait(min(1.0, game.deadline))

    def _missing(self) -> str:
        """Who has not sent anything."""
        who = [w.name for w in self.workers if w.call is not None and w not in self.teachers]
        idle = [w.name for w in self.workers if w.call is None and w not in self.teachers]
        words = f"{', '.join(who) or 'nobody'} at work"
        return words + (f", {', '.join(idle)} without anything to do" if idle else "")

    def _hand_out(self) -> None:
        """Give work to the idle: to provers the oldest chunk, to generators an order while few chunks wait."""
        game = self.game
        for worker in self.workers:
            if worker.call is not None or worker in self.teachers:
                continue
            if worker.role == "prover_actor" and self.made:
                worker.item = self.made.popleft()
                self._act(worker)
            elif worker.role == "generator_actor" and len(self.made) < game.queue:
                flying = sum(w.call is not None for w in self.workers if w not in self.teachers)
                ahead = len(self.made) + len(self.tried) + flying
                order = game.order(game.iteration)
                if order is not None and game.iteration + ahead < game.iterations and ahead <= game.staleness:
                    worker.item = order
                    self._act(worker)

    def _act(self, worker: Worker) -> None:
        weights, version = self.latest.get(worker.role.partition("_")[0], (None, 0))
        new = weights if version != worker.version else None
        worker.call = worker.actor.act.remote(worker.item, new, version)
        worker.version = version

    def _teach(self, worker: Worker) -> None:
        shared = self.shared.get(worker.role)
        worker.call, worker.weights, worker.next = worker.actor.teach.options(num_returns=3).remote(
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
                self._died(worker, error)
                continue
            worker.call = None
            if worker in self.teachers:
                worker.metrics, worker.state = found, worker.next
            else:
                self._arrived(worker.role, found)

    def _arrived(self, role: str, chunk: Chunk) -> None:
        queue = self.made if role == "generator_actor" else self.tried
        if role == "generator_actor" and self.game.attempted() and not chunk.theorems:
            queue = self.tried  # nothing to attempt
        queue.append(chunk)
        if len(queue) > self.game.queue:
            queue.popleft()
            self.counts[f"dropped/{role}"] += 1

    # ------------------------------------------------------------------ trainers
    def _agree(self, role: str) -> Metrics:
        """Publish what the trainers of a role have learned: the mean of their weights, if there are several."""
        teachers = [w for w in self.teachers if w.role == role]
        weights = teachers[0].weights
        if len(teachers) > 1:
            every = self.ray.get([w.weights for w in teachers])
            weights = self.shared[role] = self.ray.put(torch.stack(every).mean(0))
        self._publish(role.partition("_")[0], weights, self.game.iteration + 1)
        names = dict.fromkeys(name for w in teachers for name in w.metrics if name != "seconds")
        return {n: sum(w.metrics.get(n, 0.0) for w in teachers) / len(teachers) for n in names}

    def _publish(self, name: str, weights: Any, version: int) -> None:
        self.latest[name] = (weights, version)

    # ------------------------------------------------------------------ workers
    def _make(self, worker: Worker) -> None:
        self.seeds += 1  # one that is made again does not repeat what it did
        seed = self.game.cast.ground.seed * 10_007 + self.seeds
        options = dict(num_cpus=0, max_restarts=0, max_task_retries=0)
        actor = self.ray.remote(Remote).options(**options)
        worker.actor = actor.remote(self.game.cast, worker.role, seed)
        worker.call, worker.version = None, -1

    def _first(self, worker: Worker) -> None:
        """Wait until a worker has started; a trainer's state is what it starts with."""
        try:
            self.ray.get(worker.actor.ready.remote(), timeout=START)
            if worker in self.teachers:
                worker.state = worker.actor.state.remote()
                self.ray.wait([worker.state])
        except self.ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, UserError):
                raise cause from error
            raise UserError(f"The {worker.name} does not start ({explain(error)}).") from error

    def _died(self, worker: Worker, error: Exception) -> None:
        """Make a worker again and have it do again what it had in hand.

        Raises:
            UserError: too many have died, or what happened is the user's to mend.
        """
        cause = getattr(error, "cause", None)
        if isinstance(cause, UserError):
            raise cause from error
        self.counts[f"restarts/{worker.role}"] += 1
        self.deaths += 1
        why = explain(cause or error).splitlines()[0]
        if self.deaths > self.most_restarts:
            raise UserError(f"{self.deaths} workers have died, the last of: {why}") from error
        print(f"pvg: {worker.name} died and is made again: {why}", file=sys.stderr)
        self.ray.kill(worker.actor)
        self._make(worker)
        if worker in self.teachers:
            worker.actor.load.remote(worker.state)
            self._teach(worker)
        else:
            self._act(worker)


def total(counts: Counter[str], prefix: str) -> int:
    """The sum of what begins so."""
    return sum(n for name, n in counts.items() if name.startswith(prefix))


def split(lesson: ForGenerator | ForProver, count: int) -> Sequence[ForGenerator | ForProver]:
    """A lesson dealt out to several trainers."""
    if count == 1:
        return [lesson]
    if isinstance(lesson, ForProver):
        return [
            lesson._replace(theorems=lesson.theorems[k::count], found=lesson.found[k::count])
            for k in range(count)
        ]
    rewards = [None if lesson.rewards is None else lesson.rewards[k::count] for k in range(count)]
    return [ForGenerator(lesson.plays[k::count], rewards[k], lesson.marks[k::count]) for k in range(count)]
