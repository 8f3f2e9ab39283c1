"""Workers on Ray: the same samples however many there are, also when they are killed, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
import ray

from pvg.errors import UserError
from pvg.language import canary
from pvg.language.engine import EngineFailed
from pvg.language.fallback import Fallback
from pvg.language.models import load
from pvg.language.ray_engine import RayEngine
from pvg.language.sampler import TorchEngine
from pvg.language.transformers_engine import TransformersEngine
from tests.language import tiny

TEXTS = [[3, 4, 5, 6, 7, 8], [9, 10], [30, 31, 32, 33]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def alone(folder):
    """What an engine draws without Ray."""
    with TorchEngine(folder, slots=4) as engine:
        engine.submit(tiny.requests(40))
        return tokens(tiny.drain(engine, 40))


@pytest.fixture(scope="module")
def cluster():
    """One for the tests that don't end one themselves."""
    ray.init("local", include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    yield
    ray.shutdown()


def tokens(found):
    return {key: sample.tokens for key, sample in found.items()}


def kill(engine, worker):
    """The process of a worker, as the system's killer of those that take too much memory does."""
    pid = ray.get(engine.workers[worker].actor.__ray_call__.remote(lambda self: os.getpid()))
    os.kill(pid, signal.SIGKILL)


def workers(folder, replicas=2, worker=partial(TorchEngine, slots=4), **more):
    return RayEngine(folder, replicas=replicas, worker=worker, **more)


class Slow(TorchEngine):
    """Takes long enough to be killed at work, and knows a way to do nothing."""

    def __init__(self, folder, stale: int = -1, pause: float = 0.05):
        super().__init__(folder, slots=4)
        self.stale, self.pause = stale, pause

    def poll(self, timeout=None):
        time.sleep(self.pause)
        return super().poll(timeout)

    def load_weights(self, weights, version):
        if version != self.stale:
            super().load_weights(weights, version)


@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_results_do_not_depend_on_the_number_of_workers(folder, alone, cluster, replicas):
    with workers(folder, replicas) as engine:
        assert engine.capacity == 4 * replicas
        engine.submit(tiny.requests(40))
        found = tiny.drain(engine, 40)
        assert tokens(found) == alone
        assert {s.worker for s in found.values()} == set(range(replicas))
        assert engine.poll() == []
        counts = engine.counts
    assert counts.tokens == sum(map(len, alone.values())) and len(counts.waits) == 40
    assert counts.busy <= counts.slots == 4 * counts.steps and counts.seconds > 0


def test_killed_workers_cost_no_request(folder, alone, cluster):
    moved = tiny.other_weights(folder)
    with workers(folder, 2, Slow) as engine:
        engine.submit(tiny.requests(20))
        found = {s.key: s for s in engine.poll()}
        kill(engine, 0)
        engine.submit(tiny.requests(20, first=20))
        found |= tiny.drain(engine, 40 - len(found))
        assert tokens(found) == alone
        assert engine.counts.restarts == 1
        # dead before weights come, and made again with them
        kill(engine, 1)
        engine.load_weights(tiny.named(moved), 1)
        assert canary.check(engine, moved, TEXTS) < 1e-4
        # made again later: with the last weights too
        kill(engine, 0)
        engine.submit(tiny.requests(12))
        found = tiny.drain(engine, 12)
        assert engine.counts.restarts == 3
        assert all(s.version == 1 and s.worker in (0, 1) for s in found.values())
        assert all(tiny.apart(moved, r, found[r.key]) < 1e-4 for r in tiny.requests(12))
        assert engine.counts.tokens >= sum(map(len, alone.values()))


def test_new_weights_reach_every_worker_with_requests_in_flight(folder, cluster):
    moved = tiny.other_weights(folder)
    with workers(folder, 2, Slow) as engine:
        engine.submit(tiny.requests(24, most=30))
        found = {s.key: s for s in engine.poll()}
        engine.load_weights(iter(tiny.named(moved)), 1)
        found |= tiny.drain(engine, 24 - len(found))
        new = [r for r in tiny.requests(24, most=30) if found[r.key].version == 1]
        assert {found[r.key].worker for r in new} == {0, 1}
        assert all(tiny.apart(moved, r, found[r.key]) < 1e-4 for r in new)
        assert engine.counts.syncs == 1 and engine.version == 1


def test_one_stale_worker_of_two_is_caught(folder, cluster):
    moved = tiny.other_weights(folder)
    with workers(folder, 2) as engine:
        engine.load_weights(tiny.named(moved), 1)
        canary.check(engine, moved, TEXTS)
        weights, engine.weights = engine.weights, ray.put([])
        old = [(name, weight) for name, weight in tiny.named(load(folder))]
        ray.get(engine.workers[1].actor.__ray_call__.remote(lambda self: self.engine.load_weights(old, 1)))
        with pytest.raises(canary.StaleEngine, match="worker 1"):
            canary.check(engine, moved, TEXTS)


def test_after_too_many_deaths_another_engine_finishes(folder, alone, cluster, capsys):
    ray_workers = partial(RayEngine, worker=Slow, most_restarts=1)
    with Fallback(folder, [ray_workers, TransformersEngine], replicas=2, pause=0.2) as engine:
        engine.submit(tiny.requests(40))
        found = {}
        for _ in range(2):
            found |= {s.key: s for s in engine.poll()}
            kill(engine.engine, 0)
            found |= {s.key: s for s in engine.poll()}
            if engine.counts.fallbacks:
                break
        found |= tiny.drain(engine, 40 - len(found))
        assert tokens(found) == alone
        assert engine.counts.restarts == 2 and len(engine.counts.fallbacks) == 1
        assert "2 workers have died" in engine.counts.fallbacks[0]


def test_mistakes_are_told_before_anything_is_made(folder, cluster, tmp_path):
    for wrong, said in [
        (dict(replicas=0), "engine.replicas=0"),
        (dict(replicsa=2), "takes no 'replicsa'"),
        (dict(gpu_ids=[0, 97]), "engine.gpu_ids"),
        (dict(replicas=2, slots=0), "engine.slots=0"),
        (dict(gpu_ids=[0], address="auto"), "engine.address"),
    ]:
        with pytest.raises(UserError, match=said) as caught:
            RayEngine(folder, worker=TorchEngine, **wrong)
        assert not isinstance(caught.value, EngineFailed)
    with pytest.raises(UserError, match="no language model"):
        workers(tmp_path)
    with workers(folder, 1) as engine, pytest.raises(UserError, match="context of 64"):
        engine.submit(tiny.requests(1, most=100))


DRIVER = """
import os, sys, time
import psutil
from functools import partial
from pvg.language.ray_engine import RayEngine
from pvg.language.sampler import TorchEngine
from tests.language import tiny

if __name__ == "__main__":
    engine = RayEngine(sys.argv[1], replicas=2, worker=partial(TorchEngine, slots=4))
    engine.submit(tiny.requests(40))
    engine.poll()
    print(*[p.pid for p in psutil.Process().children(recursive=True)], flush=True)
    if sys.argv[2] == "close":
        engine.close()
        print("closed", flush=True)
    elif sys.argv[2] == "raise":
        raise KeyboardInterrupt
    time.sleep(60)
"""


@pytest.mark.parametrize("end", ["close", "raise", signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_no_process_is_left(folder, end):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", DRIVER, str(folder), str(end)]
    driver = subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        processes = [psutil.Process(int(pid)) for pid in driver.stdout.readline().split()]
        names = " ".join(p.name() for p in processes)
        assert "raylet" in names and names.count("ray::Actor") == 2
        if isinstance(end, int):
            driver.send_signal(end)
        elif end == "close":
            assert driver.stdout.readline() == "closed\n"
        if end != "close":
            driver.wait(30)
        gone, left = psutil.wait_procs(processes, timeout=20)
        assert not left
    finally:
        driver.kill()
        driver.wait()
