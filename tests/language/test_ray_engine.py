"""Workers on Ray: the same samples however many there are, also when they are killed, and nothing left behind."""

import os
import platform
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
import torch

from pvg.errors import UserError
from pvg.language import canary, choices
from pvg.language.engine import EngineFailed
from pvg.language.fallback import Fallback
from pvg.language.models import load
from pvg.language.ray_cluster import Cluster
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
    """One for all tests that don't end one themselves."""
    cluster = Cluster()
    yield cluster
    cluster.stop()


class Slow(TorchEngine):
    """Takes long enough to be caught at work."""

    def __init__(self, folder, slots: int = 4, pause: float = 0.02):
        super().__init__(folder, slots)
        self.pause = pause

    def poll(self, timeout=None):
        time.sleep(self.pause)
        return super().poll(timeout)


@pytest.fixture(scope="module")
def pair(cluster, folder):
    """Two workers; starting them is most of these tests' time."""
    with RayEngine(folder, replicas=2, worker=Slow) as engine:
        yield engine


@pytest.fixture
def two(pair, folder):
    """The same with the folder's weights."""
    if pair.version:
        pair.load_weights(tiny.named(load(folder)), 0)
    return pair


def tokens(found):
    return {key: sample.tokens for key, sample in found.items()}


def inside(engine, worker, act):
    """Do something in a worker's process, to its side of things."""
    return engine.ray.get(engine.workers[worker].actor.__ray_call__.remote(act))


def kill(engine, worker):
    """End a worker's process, as the system does with those that take too much memory."""
    os.kill(inside(engine, worker, lambda _: os.getpid()), signal.SIGKILL)


def test_everything_listens_on_this_machine_alone(two):
    listening = [
        connection.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 3
    assert {ip.removeprefix("::ffff:") for ip in listening} <= {"127.0.0.1", "::1"}


def test_results_do_not_depend_on_the_number_of_workers(folder, alone, cluster, two):
    def check(engine, replicas):
        assert engine.capacity == 4 * replicas
        before = engine.counts
        engine.submit(tiny.requests(40))
        found = tiny.drain(engine, 40)
        assert tokens(found) == alone
        assert {s.worker for s in found.values()} == set(range(replicas))
        assert engine.poll() == []
        counts = engine.counts
        assert counts.tokens - before.tokens == sum(map(len, alone.values()))
        assert len(counts.waits) - len(before.waits) == 40
        assert counts.busy <= counts.slots == 4 * counts.steps and counts.seconds > 0

    check(two, 2)
    with RayEngine(folder, replicas=4, worker=partial(TorchEngine, slots=4)) as four:
        check(four, 4)


def test_new_weights_reach_every_worker_with_requests_in_flight(folder, two):
    moved, asked, syncs = tiny.other_weights(folder), tiny.requests(24, most=30), two.counts.syncs
    two.submit(asked)
    found = {s.key: s for s in two.poll()}
    two.load_weights(iter(tiny.named(moved)), 1)
    assert two.version == 1 and two.counts.syncs == syncs + 1
    found |= tiny.drain(two, 24 - len(found))
    new = [r for r in asked if found[r.key].version == 1]
    assert {found[r.key].worker for r in new} == {0, 1}
    assert all(tiny.apart(moved, r, found[r.key]) < 1e-4 for r in new)
    assert {s.last_version for s in found.values()} == {0, 1}


def test_weights_of_half_precision_travel_too(folder, two):
    half = load(folder, torch.bfloat16)
    two.load_weights(tiny.named(half), 1)
    assert canary.check(two, half.float(), TEXTS) < 1e-4


def test_one_stale_worker_of_two_is_caught(folder, two):
    moved, old = tiny.other_weights(folder), tiny.named(load(folder))
    two.load_weights(tiny.named(moved), 1)
    canary.check(two, moved, TEXTS)
    inside(two, 1, lambda actor: actor.engine.load_weights(old, 1))
    with pytest.raises(canary.StaleEngine, match="worker 1"):
        canary.check(two, moved, TEXTS)


def test_a_request_that_does_not_fit_is_refused(two):
    with pytest.raises(UserError, match="context of 64"):
        two.submit([*tiny.requests(1), *tiny.requests(1, first=1, most=100)])
    assert two.poll() == []


def test_killed_workers_cost_no_request(folder, alone, two):
    moved = tiny.other_weights(folder)
    two.submit(tiny.requests(20))
    found = {s.key: s for s in two.poll()}
    kill(two, 0)
    two.submit(tiny.requests(20, first=20))
    found |= tiny.drain(two, 40 - len(found))
    assert tokens(found) == alone and two.counts.restarts == 1
    # dead when weights come, and made again with them
    kill(two, 1)
    two.load_weights(tiny.named(moved), 1)
    assert canary.check(two, moved, TEXTS) < 1e-4
    # dead later, and made again with the last weights
    kill(two, 0)
    assert canary.check(two, moved, TEXTS) < 1e-4
    assert two.counts.restarts == 3
    two.submit(tiny.requests(12))
    found = tiny.drain(two, 12)
    assert all(s.version == 1 for s in found.values())
    assert all(tiny.apart(moved, r, found[r.key]) < 1e-4 for r in tiny.requests(12))


def test_after_too_many_deaths_another_engine_finishes(folder, alone, cluster):
    several = partial(RayEngine, replicas=2, worker=partial(Slow, pause=0.2), most_restarts=1)
    with Fallback(folder, [several, TransformersEngine]) as engine:
        engine.submit(tiny.requests(40))
        found = {s.key: s for s in engine.poll()}
        for worker in (0, 1):
            kill(engine.engine, worker)
        found |= tiny.drain(engine, 40 - len(found))
        assert tokens(found) == alone
        assert engine.counts.restarts == 2
        assert ["2 workers have died" in said for said in engine.counts.fallbacks] == [True]


def test_mistakes_are_told(folder, cluster):
    for wrong, said in [
        (dict(replicas=0), "engine.replicas=0"),
        (dict(gpu_ids=[0, 97]), "engine.gpu_ids"),
        (dict(gpu_ids=[0], address="auto"), "engine.address"),
        (dict(worker=partial(TorchEngine, slots=0)), "engine.slots=0"),
    ]:
        with pytest.raises(UserError, match=said) as caught:
            RayEngine(folder, **{"worker": TorchEngine, **wrong})
        assert not isinstance(caught.value, EngineFailed)


@pytest.mark.skipif(
    (platform.system(), platform.machine()) not in {("Linux", "x86_64"), ("Linux", "aarch64")},
    reason="there is no CPU build of vLLM for this machine",
)
def test_vllm_in_a_worker(folder, cluster):
    """Its log-probabilities, new weights with requests in flight, and its death, after which another one finishes."""
    model, moved, asked = load(folder), tiny.other_weights(folder), tiny.requests(10, most=40)
    with choices.ray_vllm(
        folder, fallback=TransformersEngine, max_num_seqs=4, kv_cache_gib=0.25, most_restarts=0
    ) as engine:
        assert not engine.counts.fallbacks, engine.counts.fallbacks
        assert canary.check(engine, model, TEXTS) < 1e-4
        engine.submit(asked)
        found = {s.key: s for s in engine.poll()}
        engine.load_weights([(k, w) for k, w in tiny.named(moved) if k != "lm_head.weight"], 1)
        assert canary.check(engine, moved, TEXTS) < 1e-4
        found |= tiny.drain(engine, 10 - len(found))
        versions = [(s.version, s.last_version) for s in found.values()]
        assert (0, 0) in versions and (0, 1) in versions and (1, 1) in versions
        for request in asked:
            sample = found[request.key]
            if sample.version == sample.last_version:
                assert tiny.apart((model, moved)[sample.version], request, sample) < 1e-4
        counts = engine.counts
        assert (
            counts.tokens == sum(len(s.tokens) for s in found.values()) and counts.slots == 4 * counts.steps
        )

        vllms = [p for p in psutil.Process().children(recursive=True) if p.name().startswith("VLLM")]
        assert vllms
        engine.submit(asked)
        found = {s.key: s for s in engine.poll()}
        kill(engine.engine, 0)
        found |= tiny.drain(engine, 10 - len(found))
        assert set(found) == set(range(10)) and len(engine.counts.fallbacks) == 1
        assert all(tiny.apart(moved, r, found[r.key]) < 1e-4 for r in asked)
        assert not psutil.wait_procs(vllms, timeout=10)[1]


DRIVER = """
import os, sys, time
import psutil
from functools import partial
from pvg.language.ray_cluster import Cluster
from pvg.language.ray_engine import RayEngine
from pvg.language.sampler import TorchEngine
from tests.language import tiny

if __name__ == "__main__":
    engine = RayEngine(sys.argv[1], replicas=1, worker=partial(TorchEngine, slots=4))
    engine.submit(tiny.requests(40))
    engine.poll()
    print(*[p.pid for p in psutil.Process().children(recursive=True)], flush=True)
    if sys.argv[2] == "close":
        other = Cluster()
        engine.close()
        assert other.ray.is_initialized()  # what is shared ends with the last that uses it
        other.stop()
        assert not other.ray.is_initialized()
        print("closed", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("end", ["close", signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_no_process_is_left(folder, end):
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", DRIVER, str(folder), str(end)]
    driver = subprocess.Popen(
        command,
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        processes = [psutil.Process(int(pid)) for pid in driver.stdout.readline().split()]
        names = " ".join(p.name() for p in processes)
        assert "raylet" in names and "ray::Actor" in names
        if isinstance(end, int):
            driver.send_signal(end)
        elif end == "close":
            assert driver.stdout.readline() == "closed\n"
        if end != "close":
            driver.wait(30)
        assert not psutil.wait_procs(processes, timeout=20)[1]
    finally:
        driver.kill()
        driver.wait()
