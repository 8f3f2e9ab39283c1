"""Ray workers of generator against prover: started, and made again when they die."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pvg.errors import UserError, explain
from pvg.language.ray_cluster import Cluster
from pvg.trainers.theorem_metrics import Metrics
from pvg.trainers.theorem_roles import RoleFactory
from pvg.trainers.theorem_worker import Remote

START_TIMEOUT = 300.0  # seconds that workers have to start


class Worker:
    """This side of a worker.

    Attributes:
        trains: whether it is a trainer; others are actors, which play.
        call: that is under way, None if there is none.
        item: what the call is about.
        state: of a trainer, behind its last call.
        version: of the weights that an actor has.
    """

    def __init__(self, role: str, index: int):
        self.role, self.index, self.name = role, index, f"{role.replace('_', ' ')} {index}"
        self.trains = role.endswith("trainer")
        self.actor: Any = None
        self.call: Any = None
        self.item: Any = None
        self.state: Any = None
        self.next: Any = None  # what the state and the weights are to be, and the metrics, behind this call
        self.weights: Any = None
        self.metrics: Metrics = {}
        self.version = -1


class WorkerPool:
    """Ray, and a worker for each of so many roles.

    Args:
        factory: of roles.
        roles: how many workers each has.
        address: of a Ray cluster, or ``auto``; None for a local one that ends with this process.
        most_restarts: workers that may die before the run gives up; one that is resumed begins to count anew.

    Attributes:
        deaths: of workers, in this process.

    Raises:
        UserError: Ray is not installed, or a worker does not start.
    """

    def __init__(
        self,
        factory: RoleFactory,
        roles: Mapping[str, int],
        address: str | None = None,
        most_restarts: int = 3,
    ):
        self.factory, self.most_restarts = factory, most_restarts
        self.seeds = self.deaths = 0
        self.cluster = Cluster(address)
        self.ray = self.cluster.ray
        self.workers = [Worker(role, k) for role, count in roles.items() for k in range(count)]
        try:
            for worker in self.workers:
                self._start(worker)
            for worker in self.workers:
                self._await_start(worker)
        except BaseException:
            self.close()
            raise

    def _start(self, worker: Worker) -> None:
        self.seeds += 1  # one that is made again does not repeat what it did
        seed = self.factory.recipe.seed * 10_007 + self.seeds
        options = dict(num_cpus=0, max_restarts=0, max_task_retries=0)
        actor = self.ray.remote(Remote).options(**options)
        worker.actor = actor.remote(self.factory, worker.role, seed)
        worker.call, worker.version = None, -1

    def _await_start(self, worker: Worker) -> None:
        """Wait until a worker has started; a trainer's state is what it starts with."""
        try:
            self.ray.get(worker.actor.ready.remote(), timeout=START_TIMEOUT)
            if worker.trains:
                worker.state = worker.actor.state.remote()
                self.ray.wait([worker.state])
        except self.ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, UserError):
                raise cause from error
            raise UserError(f"The {worker.name} does not start ({explain(error)}).") from error

    def restart(self, worker: Worker, error: Exception) -> None:
        """Make a worker that has died again, a trainer with the state behind its last call.

        Raises:
            UserError: too many have died, or what happened is the user's to mend.
        """
        cause = getattr(error, "cause", None)
        if isinstance(cause, UserError):
            raise cause from error
        self.deaths += 1
        why = explain(cause or error).splitlines()[0]
        if self.deaths > self.most_restarts:
            raise UserError(f"{self.deaths} workers have died, the last of: {why}") from error
        print(f"pvg: {worker.name} died and is made again: {why}", file=sys.stderr)
        self.ray.kill(worker.actor)
        self._start(worker)
        if worker.trains:
            worker.actor.load.remote(worker.state)

    def close(self) -> None:
        """End the workers, and Ray if it was started here."""
        for worker in self.workers:
            if worker.actor is not None:
                self.ray.kill(worker.actor)
        self.workers = []
        self.cluster.stop()
