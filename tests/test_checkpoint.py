"""Checkpoints against torch's own loader, against real kills and real damage, and against an unbroken run."""

import copy
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tensordict import TensorDict
from torch import nn

from pvg import checkpoint
from pvg.errors import UserError

ROOT = Path(__file__).parent.parent


class Training:
    """A few steps of something that draws from every generator and has momentum."""

    def __init__(self):
        self.net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1))
        self.optimiser = torch.optim.Adam(self.net.parameters())

    def steps(self, count):
        for _ in range(count):
            noise = torch.randn(16, 5) * random.random() + torch.from_numpy(np.random.rand(16, 5)).float()
            self.optimiser.zero_grad()
            self.net(noise).square().mean().backward()
            self.optimiser.step()
        return torch.cat([p.detach().flatten() for p in self.net.parameters()])

    def state(self):
        return {
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "random": checkpoint.random_states(),
        }


def test_a_resumed_training_equals_the_unbroken_one(tmp_path):
    unbroken = Training()
    unbroken.steps(3)
    checkpoint.save(tmp_path, unbroken.state(), 3)
    expected = unbroken.steps(4)

    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    resumed = Training()
    state = checkpoint.load(tmp_path)
    assert state["step"] == 3
    checkpoint.load_weights(resumed.net, state["net"], "the network")
    resumed.optimiser.load_state_dict(state["optimiser"])
    checkpoint.set_random_states(state["random"])
    assert torch.equal(resumed.steps(4), expected)


def test_a_file_holds_what_it_was_given_and_needs_no_code_to_read(tmp_path):
    state = {
        "nested": [
            {"tensor": torch.arange(6).view(2, 3), "half": torch.ones(2, dtype=torch.bfloat16)},
            (1, 2.5, None),
        ],
        3: "text",
        "flags": {"done": True, "shape": torch.Size([2, 3]), "dtype": torch.int16, "raw": b"\x00"},
    }
    path = checkpoint.save(tmp_path / "new" / "folder", state, 12)
    loaded = checkpoint.load(path)
    assert torch.equal(loaded["nested"][0].pop("tensor"), state["nested"][0].pop("tensor"))
    assert torch.equal(loaded["nested"][0].pop("half"), state["nested"][0].pop("half"))
    assert loaded == state | {"step": 12}
    assert torch.load(path, weights_only=True)["step"] == 12


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": {"b": [np.zeros(2)]}}, r"state\['a'\]\['b'\]\[0\] is a numpy\.ndarray"),
        ({"game": TensorDict({"x": torch.zeros(2)}, 2)}, r"state\['game'\] is a tensordict\..*to_dict"),
        ({"rng": random.Random()}, r"state\['rng'\] is a random\.Random"),
        ({"by_place": {(0, 1): 2}}, r"state\['by_place'\] has \(0, 1\)"),
        ({"rate": np.float64(0.5)}, r"state\['rate'\] is a numpy\.float64"),
    ],
)
def test_what_could_not_be_read_back_is_refused_when_saving(tmp_path, value, where):
    with pytest.raises(TypeError, match=where):
        checkpoint.save(tmp_path / "run", value, 1)
    assert not (tmp_path / "run").exists()


def steps(folder):
    return [int(path.stem.split("-")[1]) for path in sorted(folder.glob("checkpoint-*.pt"))]


def test_only_the_newest_are_kept(tmp_path):
    for step in (1, 2, 10, 200, 1_000_000_000_000):
        checkpoint.save(tmp_path, {"x": step}, step, keep=3)
    assert sorted(steps(tmp_path)) == [10, 200, 1_000_000_000_000]
    assert checkpoint.load(tmp_path)["x"] == 1_000_000_000_000
    checkpoint.save(
        tmp_path, {"x": -1}, 11, keep=2
    )  # the run was resumed from an earlier step: the later are not its own
    assert steps(tmp_path) == [10, 11]
    (tmp_path / "checkpoint-best.pt").touch()  # not ours to read or remove
    checkpoint.save(tmp_path, {}, 12, keep=1)
    assert (tmp_path / "checkpoint-best.pt").exists()


def test_a_run_folder_will_do(tmp_path):
    assert checkpoint.latest(tmp_path) is None
    path = checkpoint.save(tmp_path / "checkpoints", {"x": 1}, 7)
    assert checkpoint.latest(tmp_path) == path
    assert checkpoint.load(tmp_path)["x"] == 1


# --- kills ---

# Forks a process for each way to die, since importing torch takes longer than the whole test. Every one overwrites
# step 5 and then writes 6, so that both a new file and the replacement of an old one are cut at each point.
KILLED = """
import os, random, signal, sys, time
import torch
from pvg import checkpoint

folder = sys.argv[1]
torch.set_num_threads(1)
state = lambda step: {"step_tensor": torch.full((300_000,), step), "sum": 300_000 * step}

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Dying:
    def __init__(self, file, room):
        self.file, self.room = file, room
    def write(self, data):
        self.room -= len(bytes(data))
        if self.room < 0:
            self.file.flush()
            die()
        return self.file.write(data)
    def __getattr__(self, name):
        return getattr(self.file, name)

def at_byte(room):
    save = torch.save
    torch.save = lambda content, file: save(content, Dying(file, room))

def at_call(name):
    setattr(checkpoint.os, name, lambda *_: die())

def after_replace():
    replace = os.replace
    def both(a, b):
        replace(a, b)
        die()
    checkpoint.os.replace = both

ways = [lambda room=room: at_byte(room) for room in (0, 100, 5_000, 1_200_000, 2_300_000)]
ways += [lambda: at_call("fsync"), lambda: at_call("replace"), after_replace, lambda: at_call("nothing")]
for index, way in enumerate(ways):
    for first in (5, 6):
        place = f"{folder}/{index}-{first}"
        for step in (3, 4, 5):
            checkpoint.save(place, state(step), step)
        child = os.fork()
        if not child:
            way()
            checkpoint.save(place, state(first), first)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(place, "killed" if os.WIFSIGNALED(status) else "lived", flush=True)

for index in range(10):  # at any time
    place = f"{folder}/any-{index}"
    checkpoint.save(place, state(0), 0)
    child = os.fork()
    if not child:
        for step in range(1, 10_000):
            checkpoint.save(place, state(step), step)
        os._exit(0)
    time.sleep(random.uniform(.01, .2))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print(place, "killed", flush=True)
"""


def test_a_kill_in_the_middle_of_saving_leaves_a_good_checkpoint(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    places = [line.split() for line in done.stdout.splitlines()]
    assert len(places) == 28 and [fate for _, fate in places].count("lived") == 2
    for place, fate in places:
        found = checkpoint._all(Path(place))
        assert found and len(found) <= 4, place
        for path in found:  # not only the newest: a kill damages none
            state = checkpoint.load(path)
            assert state["step_tensor"].sum() == state["sum"] == 300_000 * state["step"]
        if fate == "killed" and "any" not in place:
            assert checkpoint.load(place)["step"] in (5, 6)
        checkpoint.save(place, {}, 100_000)
        assert not list(Path(place).glob(".*.tmp")), "the leftover of the killed process stays"


def test_a_full_disk_leaves_the_older_checkpoints(tmp_path):
    checkpoint.save(tmp_path, {"x": torch.zeros(10)}, 1)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with pytest.raises(UserError, match=r"could not be written.*Make room"):
            checkpoint.save(tmp_path, {"x": torch.zeros(1_000_000)}, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.listdir(tmp_path) == ["checkpoint-000000001.pt"]
    assert checkpoint.load(tmp_path)["step"] == 1


# --- damage ---


def cut(data, share):
    return data[: int(len(data) * share)]


def flip(data, share):
    place = int(len(data) * share)
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.99])
@pytest.mark.parametrize("harm", [cut, flip])
def test_a_damaged_newest_checkpoint_gives_way_to_the_one_before(tmp_path, caplog, harm, share):
    weights = torch.randn(50_000)
    checkpoint.save(tmp_path, {"weights": weights}, 1)
    path = checkpoint.save(tmp_path, {"weights": weights + 1}, 2)
    path.write_bytes(harm(path.read_bytes(), share))
    with pytest.raises(UserError, match="can't be read") as error:
        checkpoint.load(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    state = checkpoint.load(tmp_path)
    assert state["step"] == 1 and torch.equal(state["weights"], weights)
    assert path.name in caplog.text and "step 1" in caplog.text


def test_no_readable_checkpoint_is_the_users_to_mend(tmp_path):
    with pytest.raises(UserError, match="holds no checkpoint"):
        checkpoint.load(tmp_path)
    with pytest.raises(UserError, match="There is no checkpoint"):
        checkpoint.load(tmp_path / "checkpoint-000000001.pt")
    for name in ("checkpoint-000000001.pt", "checkpoint-000000002.pt"):
        (tmp_path / name).write_text("nothing of the kind")
    with pytest.raises(UserError, match=r"000000002\.pt can't be read"):
        checkpoint.load(tmp_path)


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm-done",)


def test_foreign_files_are_told_from_ours_and_run_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(nn.Linear(2, 2).state_dict(), "weights.pt")
    with pytest.raises(UserError, match="not a checkpoint of pvg"):
        checkpoint.load("weights.pt")
    torch.save({"pvg_checkpoint": 99, "step": 1, "state": {}}, "later.pt")
    with pytest.raises(UserError, match="format 99"):
        checkpoint.load("later.pt")
    torch.save({"pvg_checkpoint": 1, "step": 1, "state": {"x": Harmful()}}, "harmful.pt")
    with pytest.raises(UserError, match="can't be read"):
        checkpoint.load("harmful.pt")
    assert not Path("harm-done").exists()


# --- weights and generators ---


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)),
            r"its 1\.weight has shape \(2, 3\), the configured one \(1, 3\)",
        ),
        (nn.Sequential(nn.Linear(4, 3)), r"it has no 1\.weight"),
        (nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1), nn.Linear(1, 1)), r"it has 2\.weight, which"),
    ],
)
def test_weights_that_do_not_fit_are_named_and_nothing_is_copied(other, words):
    module = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1))
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(UserError, match=f"fit the verifier: {words}"):
        checkpoint.load_weights(module, other.state_dict(), "the verifier")
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_a_checkpoint_from_a_gpu_machine_opens_without_one(caplog, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    states = checkpoint.random_states()
    expected = torch.rand(3)
    checkpoint.set_random_states(states | {"torch_cuda": [torch.zeros(16, dtype=torch.uint8)]})
    assert torch.equal(torch.rand(3), expected)
    assert "1 GPUs and there are 0 here" in caplog.text
