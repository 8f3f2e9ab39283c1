"""Two replicas on gloo, against one process that has both their batches."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pvg.errors import UserError
from pvg.trainers import replicas
from pvg.trainers.ppo import Learner, Learning
from tests.trainers.small import rows_for, trainer, weights

ROOT = Path(__file__).parents[2]
PROTOCOL = "nip, verifier first"  # games end at any time, so replicas have different numbers of live turns


def learner():
    ppo = trainer(PROTOCOL, slots=4)  # the same weights everywhere
    return ppo, Learner(ppo.agents["verifier"], Learning(max_grad_norm=1e9))


def share(rank):
    """The turns of one replica: as many for each."""
    ppo = trainer(PROTOCOL, slots=4, seed=10 + rank)
    rows = rows_for(ppo, seed=rank)
    return {k: v[:30] for k, v in rows.items()}


def replica(folder):
    """What each process does; leaves what it found in a file."""
    torch.set_num_threads(1)
    turns = share(int(os.environ["RANK"]))  # before there are others to normalise with
    rank, world, _ = replicas.start("cpu")
    found = {"world": world}
    _, one = learner()
    one._step(turns, supervised=False)
    found["gradient"] = [p.grad for p in one.parameters]

    x = torch.arange(5.0) + 10 * rank
    found |= {"mean": replicas.mean(x), "smallest": replicas.smallest(7 - rank)}
    found["normalised"] = replicas.normalise(x[: 5 - 2 * rank])  # over fewer in the second
    found["normalised, one empty"] = replicas.normalise(x[: 5 - 5 * rank])
    found["anywhere"] = [replicas.anywhere(rank == 1), replicas.anywhere(False)]
    found["gathered"] = replicas.gather({"rank": rank})

    ppo = trainer(
        PROTOCOL, slots=6 + 5 * rank, iterations=3, seed=20 + rank
    )  # other weights, games and sizes
    found["start"] = weights(ppo)
    replicas.same_weights(list(ppo.agents.values()))
    found["same"] = weights(ppo)
    counts = []
    update = Learner.update

    def counting(self, turns, *rest):
        counts.append(len(turns["round"]))
        return update(self, turns, *rest)

    Learner.update = counting
    ppo.iterations = 3
    ppo.train()
    found |= {"end": weights(ppo), "counts": counts}
    torch.save(found, Path(folder) / f"{rank}.pt")
    replicas.stop()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicas")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = str(s.getsockname()[1])
    code = f"from tests.trainers.test_replicas import replica; replica({str(folder)!r})"
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHRL_LOGGING": "ERROR"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | common | {"RANK": str(r), "LOCAL_RANK": str(r)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for r in range(2)
    ]
    try:
        for process in processes:
            _, errors = process.communicate(timeout=120)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
    return [torch.load(folder / f"{r}.pt", weights_only=False) for r in range(2)]


def test_averaged_gradients_are_those_of_both_batches_together(found):
    shares = [share(0), share(1)]
    assert any((a != b).any() for a, b in zip(shares[0].values(), shares[1].values(), strict=True))
    _, one = learner()
    one._step({k: torch.cat([s[k] for s in shares]) for k in shares[0]}, supervised=False)
    for r in range(2):
        assert found[r]["world"] == 2
        for theirs, p in zip(found[r]["gradient"], one.parameters, strict=True):
            assert torch.allclose(
                theirs, torch.zeros_like(p) if p.grad is None else p.grad, rtol=1e-4, atol=1e-7
            )
    alone = learner()[1]
    alone._step(shares[0], supervised=False)
    assert not torch.allclose(found[0]["gradient"][0], alone.parameters[0].grad, rtol=1e-2)


def test_different_numbers_of_turns_are_no_trouble_and_weights_stay_the_same(found):
    first, second = found
    assert all(a != b for a, b in zip(first["counts"], second["counts"], strict=True))
    assert len(first["counts"]) == 6  # three iterations of two agents
    for key in first["start"]:
        assert torch.equal(first["same"][key], first["start"][key])
        assert torch.equal(first["same"][key], second["same"][key])
        assert torch.equal(first["end"][key], second["end"][key])
    assert any((first["start"][k] != second["start"][k]).any() for k in first["start"])
    assert any((first["end"][k] != first["same"][k]).any() for k in first["end"])


def test_words_between_replicas(found):
    both = torch.tensor([0.0, 1, 2, 3, 4, 10, 11, 12])
    right = (both - both.mean()) / both.std(correction=0)
    one = (both[:5] - 2) / both[:5].std(correction=0)
    for r in range(2):
        assert found[r]["mean"].tolist() == [5, 6, 7, 8, 9] and found[r]["smallest"] == 6
        assert torch.allclose(found[r]["normalised"], right[5 * r : 5 * r + 5], atol=1e-5)
        assert torch.allclose(found[r]["normalised, one empty"], one[5 * r :], atol=1e-5)
        assert found[r]["anywhere"] == [True, False]
    assert [f["gathered"] for f in found] == [[{"rank": 0}, {"rank": 1}], []]


def test_a_single_process_talks_to_nobody():
    x = torch.randn(50)
    p = torch.nn.Parameter(x.clone())
    p.grad = x.clone()
    replicas.average_gradients([p])
    replicas.same_weights([torch.nn.Linear(2, 2)])
    assert torch.equal(p.grad, x) and torch.equal(replicas.mean(x), x)
    assert replicas.smallest(3) == 3 and replicas.gather("x") == ["x"] and replicas.anywhere(True)
    assert torch.allclose(replicas.normalise(x), (x - x.mean()) / x.std(correction=0), atol=1e-5)


@pytest.mark.parametrize(
    "device, given, backend",
    [("cuda", "cuda:1", "nccl"), ("cuda:0", "cuda:1", "nccl"), ("cpu", "cpu", "gloo")],
)
def test_a_replica_takes_the_gpu_of_its_rank_within_its_machine(monkeypatch, device, given, backend):
    """The second process of the third machine of two GPUs each; NCCL must not start before the device is set."""
    called = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda index: called.append(index))
    monkeypatch.setattr(replicas.dist, "init_process_group", lambda name: called.append(name))
    for name, value in {"RANK": 5, "LOCAL_RANK": 1, "WORLD_SIZE": 6}.items():
        monkeypatch.setenv(name, str(value))
    assert replicas.start(device) == (5, 6, given)
    assert called == ([1, backend] if backend == "nccl" else [backend])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    if backend == "nccl":
        with pytest.raises(UserError, match=r"torch sees 1 GPU here.*--nproc-per-node=1"):
            replicas.start(device)


def test_a_single_process_keeps_its_device(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert replicas.start("cuda:3") == (0, 1, "cuda:3")
