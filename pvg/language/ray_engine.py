"""Several engines, each in a Ray actor (Moritz et al. 2018), on one machine or a cluster, that share the requests."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pvg.errors import UserError, explain
from pvg.language.engine import Counts, Engine, EngineFailed, Request, Sample
from pvg.language.ray_cluster import Cluster
from pvg.language.ray_worker import Actor, pack
from pvg.language.refusals import CannotStart, check_lengths
from pvg.language.totals import total
from pvg.language.vllm_async import AsyncVLLMEngine

WAIT = 0.2  # seconds that a worker works before it looks for new requests
AHEAD = 1.25  # requests that a worker holds, in units of its capacity: it should not wait for this process
END = 20.0  # seconds for workers to end by themselves


class RayEngine(Engine):
    """Hands requests to workers, each an engine in a process of its own with a GPU, or a group of them, of its own.

    What a request draws does not depend on how many workers there are.  When one dies, others take its requests at
    once, and it is made again.  Workers live until :meth:`close`, or as long as this process.

    Args:
        folder: of the model and its tokenizer; on a cluster every machine must have it there.
        replicas: workers; None for as many as there are GPUs for, or one.
        gpu_ids: GPUs of this machine to use; None for all of the machine, or of the cluster.
        worker: makes each worker's engine, from the folder.
        gpus_per_replica: None for ``tensor_parallel_size``, if there are GPUs.
        most_restarts: workers that may die in all before the engine fails.
        address: of a Ray cluster, or ``auto``; None for the one that this process is in, or else a local one that
            ends with this process.

    Raises:
        UserError: there are fewer GPUs than asked for, or a worker's engine can't be made so.
        CannotStart: Ray, or a worker's engine, does not start.
    """

    def __init__(
        self,
        folder: str | Path,
        replicas: int | None = None,
        gpu_ids: Sequence[int] | None = None,
        worker: Callable[..., Engine] = AsyncVLLMEngine,
        gpus_per_replica: int | None = None,
        most_restarts: int = 3,
        address: str | None = None,
    ) -> None:
        if replicas is not None and replicas < 1:
            raise UserError(f"engine.replicas={replicas}: at least one is needed.")
        self.folder, self.make, self.most_restarts = str(folder), worker, most_restarts
        self.version, self.weights, self.capacity = 0, None, 0
        self.waiting: deque[_Flight] = deque()
        self.workers: list[_Worker] = []
        self.past = Counts()  # of workers that died, and of what is counted here
        if address and gpu_ids:
            raise UserError(
                "engine.gpu_ids are of this machine, and with engine.address Ray chooses. Give one of them."
            )
        self.cluster = Cluster(address)
        self.ray = self.cluster.ray
        try:
            self.gpus = self._share(replicas, gpu_ids, gpus_per_replica or self._each())
            self.workers = [_Worker(i) for i in range(len(self.gpus))]
            self._first_start()
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------ Engine
    @property
    def counts(self) -> Counts:  # type: ignore[override]
        """What all workers have done until now, those that died too; ``steps`` are theirs, ``seconds`` are here."""
        return total(self.past, *(worker.counts for worker in self.workers))

    def submit(self, requests: Iterable[Request]) -> None:
        """See :class:`Engine`."""
        requests, now = list(requests), time.monotonic()
        check_lengths(requests, self.context)
        self.waiting.extend(_Flight(request, now) for request in requests)
        self._hand_out()

    def poll(self, timeout: float | None = None) -> list[Sample]:
        """See :class:`Engine`."""
        begun = time.monotonic()
        samples: list[Sample] = []
        while not samples and (self.waiting or any(worker.held for worker in self.workers)):
            self._hand_out()
            calls = {worker.call: worker for worker in self.workers if worker.call is not None}
            left = None if timeout is None else max(0.0, timeout - (time.monotonic() - begun))
            first, _ = self.ray.wait(list(calls), timeout=left)
            if not first:
                break
            done, _ = self.ray.wait(list(calls), num_returns=len(calls), timeout=0)
            for call in done:
                samples += self._result(calls[call])
        self._hand_out()
        self.past.seconds += time.monotonic() - begun
        return samples

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        """See :class:`Engine`.  They travel to each machine once, and its workers share them."""
        self.weights = self.ray.put([pack(name, tensor) for name, tensor in weights])
        self.version = version
        calls = [(worker, worker.actor.load.remote(self.weights, version)) for worker in self.workers]
        for worker, call in calls:
            self._get(worker, call)  # one that died is made again with these weights
        self.past.syncs += 1

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """See :class:`Engine`.  The first worker's; ``parts`` has each."""
        return self.parts[0].score(texts)

    @property
    def parts(self) -> list[_Part]:
        """The workers, each of which may hold other weights than the rest."""
        return [_Part(self, worker) for worker in self.workers]

    def close(self) -> None:
        """See :class:`Engine`."""
        workers, self.workers = self.workers, []
        self.waiting.clear()
        ends = [worker.actor.close.remote() for worker in workers if worker.actor is not None]
        if ends:
            self.ray.wait(ends, num_returns=len(ends), timeout=END)
        for worker in workers:
            if worker.actor is not None:
                self.ray.kill(worker.actor)
        self.cluster.stop()

    # ------------------------------------------------------------------ starting
    def _each(self) -> int:
        """GPUs that a worker's engine is split over."""
        return self.make.keywords.get("tensor_parallel_size", 1) if isinstance(self.make, partial) else 1

    def _share(self, replicas: int | None, gpu_ids: Sequence[int] | None, each: int) -> list[list[int] | int]:
        """Which GPUs each worker gets, or how many of Ray's choice."""
        there = int(self.ray.cluster_resources().get("GPU", 0))
        if gpu_ids is not None:
            here = torch.cuda.device_count()
            if wrong := [i for i in gpu_ids if not 0 <= i < here]:
                raise UserError(
                    f"engine.gpu_ids={list(gpu_ids)}: there is no GPU {wrong[0]}, this machine has {here}."
                )
            groups = [list(gpu_ids[i : i + each]) for i in range(0, len(gpu_ids) - each + 1, each)]
            if replicas is not None and replicas > len(groups):
                raise UserError(
                    f"engine.replicas={replicas} with {each} GPUs each don't fit engine.gpu_ids={list(gpu_ids)}."
                )
            return [*groups[:replicas]]
        if not there:
            return [0] * (replicas or 1)
        if (need := (replicas or 1) * each) > there:
            raise UserError(
                f"engine.replicas={replicas or 1} with {each} GPUs each need {need} GPUs, and Ray has {there}."
            )
        return [each] * (replicas or there // each)

    def _first_start(self) -> None:
        calls = [self._make(worker) for worker in self.workers]
        for call in calls:
            try:
                capacity, self.context, self.dtype = self.ray.get(call)
            except self.ray.exceptions.RayError as error:
                cause = getattr(error, "cause", None)
                if isinstance(cause, UserError):  # CannotStart too
                    raise cause from error
                raise CannotStart(f"A worker does not start ({explain(error)}).") from error
            self.capacity += capacity

    def _make(self, worker: _Worker) -> Any:
        """Start an actor for a worker; returns the call whose result says what it can hold."""
        share = self.gpus[worker.index]
        ids = share if isinstance(share, list) else None
        options = dict(num_cpus=0, num_gpus=0 if ids else share, max_restarts=0, max_task_retries=0)
        worker.actor = self.ray.remote(Actor).options(**options).remote()
        worker.call, worker.counts = None, Counts()
        return worker.actor.start.remote(self.make, self.folder, ids)

    # ------------------------------------------------------------------ working
    def _hand_out(self) -> None:
        """Give waiting requests to the workers with the most room, and call those that are idle."""
        most = AHEAD * self.capacity / max(len(self.workers), 1)
        while self.waiting:
            worker = min(self.workers, key=lambda w: len(w.held))
            if len(worker.held) >= most:
                break
            flight = self.waiting.popleft()
            flight.handed = time.monotonic()
            worker.held[flight.request.key] = flight
            worker.outbox.append(flight.request)
        for worker in self.workers:
            if worker.call is None and worker.held:
                worker.call, worker.outbox = worker.actor.work.remote(worker.outbox, WAIT), []

    def _result(self, worker: _Worker) -> list[Sample]:
        """What a worker's call has come to."""
        call, worker.call = worker.call, None
        found = self._get(worker, call)
        if found is None:
            return []
        samples, worker.counts = found
        done = []
        for sample in samples:
            flight = worker.held.pop(sample.key)
            waited = sample.waited + flight.handed - flight.submitted
            self.past.waits.append(waited)
            done.append(replace(sample, worker=worker.index, waited=waited))
        return done

    def _get(self, worker: _Worker, call: Any) -> Any:
        """The result of a worker's call; None if the worker died, and then it is made again.

        Raises:
            UserError: what the worker found is the user's to mend.
            EngineFailed: too many workers have died.
        """
        try:
            return self.ray.get(call)
        except self.ray.exceptions.RayError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, UserError) and not isinstance(cause, EngineFailed):
                raise cause from error
            self._replace(worker, explain(cause or error))
            return None

    def _replace(self, worker: _Worker, why: str) -> None:
        """Give a dead worker's requests to others, ahead of those that wait, and make it again."""
        self.past.restarts += 1
        self.past = total(self.past, worker.counts)
        self.waiting.extendleft(reversed(worker.held.values()))
        worker.held, worker.outbox = {}, []
        self.ray.kill(worker.actor)  # it may live, and its engine be dead
        worker.actor, worker.call, worker.counts = None, None, Counts()
        if self.past.restarts > self.most_restarts:
            raise EngineFailed(f"{self.past.restarts} workers have died, the last of: {why}")
        print(f"pvg: worker {worker.index} died and is made again: {why}", file=sys.stderr)
        self._make(worker)
        if self.weights is not None:
            worker.actor.load.remote(self.weights, self.version)


class _Flight:
    """A request in flight."""

    def __init__(self, request: Request, submitted: float) -> None:
        self.request, self.submitted, self.handed = request, submitted, 0.0


class _Worker:
    """What this process knows of a worker.

    Attributes:
        held: requests that it has, or is to get with its next call.
        outbox: the latter.
        call: that is under way; None if there is none.
        counts: its engine's, at the last call that came back.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.actor: Any = None
        self.call: Any = None
        self.held: dict[int, _Flight] = {}
        self.outbox: list[Request] = []
        self.counts = Counts()


class _Part:
    """A worker as the canary sees it."""

    def __init__(self, engine: RayEngine, worker: _Worker) -> None:
        self.engine, self.worker, self.version, self.dtype = engine, worker, engine.version, engine.dtype

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        """What this worker's engine says; if it dies, what its successor does."""
        while (found := self.engine._get(self.worker, self.worker.actor.score.remote(texts))) is None:
            pass
        return found
