"""What every program has, on the smallest one there is: no game, no agent, a random walk for a trainer."""

import json
import os
import signal

import pytest
import torch
from omegaconf import OmegaConf

from pvg import checkpoint
from pvg.errors import UserError
from pvg.program import Clock, Program
from pvg.tracking import read_metrics


class Walk:
    """Adds a random number in each iteration."""

    def __init__(self, iterations):
        self.iteration, self.iterations, self.place = 0, iterations, 0.0

    def train(self, report=None):
        while self.iteration < self.iterations:
            self.place += torch.randn(()).item()
            self.iteration += 1
            report(self.iteration, {"place": self.place})

    def state_dict(self):
        return {"iteration": self.iteration, "place": self.place}

    def load_state_dict(self, saved):
        self.iteration, self.place = saved["iteration"], saved["place"]


class Walking(Program):
    """Says the least that a program must; ``stop_at`` sends itself what Ctrl-C or a scheduler sends."""

    def _build(self):
        torch.manual_seed(self.config.seed)

    def _trainer(self):
        self.walk = Walk(self.config.iterations)
        return self.walk

    def _measure(self, metrics, iteration, last):
        if iteration == self.config.stop_at:
            os.kill(os.getpid(), self.config.signal)
        return metrics

    def _take(self, state):
        self.walk = Walk(0)
        self.walk.load_state_dict(state)

    def _judge(self):
        return {"place": self.walk.place}

    def _show(self, result):
        print("place", result["place"])


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WORLD_SIZE", raising=False)

    def run(mode="train", **changes):
        tracker = {"_target_": "pvg.tracking.Tracker", "_partial_": True, "_convert_": "all"}
        given = {
            "device": "cpu",
            "seed": 3,
            "folder": None,
            "resume": None,
            "checkpoint": None,
            "tracker": tracker,
        }
        given |= {"checkpoint_every": 4, "iterations": 10, "stop_at": None, "signal": int(signal.SIGINT)}
        getattr(Walking(OmegaConf.create(given | changes)), mode)()
        return changes.get("folder") or changes.get("resume")

    return run


def test_a_program_that_says_the_least_has_all_the_rest(run, tmp_path, capsys):
    run(folder="whole")
    whole = tmp_path / "whole"
    result = json.loads((whole / "result.json").read_text())
    assert set(result) == {"place", "minutes", "cpu_minutes"}
    places = read_metrics(whole)["place"]
    assert len(places) == 10 and places[-1] == result["place"] == checkpoint.load(whole)["trainer"]["place"]
    assert OmegaConf.load(whole / "config.yaml").iterations == 10
    out = capsys.readouterr()
    assert out.out == f"place {result['place']}\nEverything about this run is in whole/\n"
    assert "training 10/10\n" in out.err
    run("evaluate", checkpoint="whole")
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"place": result["place"]}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_program_goes_on_to_the_same_end(run, tmp_path, capsys, number):
    run(folder="whole")
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as stopped:
        run(folder="part", stop_at=6, signal=int(number))
    assert stopped.value.code == 130 and signal.getsignal(number) is before
    assert (
        "Stopped after iteration 6. Go on with:  python -m pvg.run resume=part\n" in capsys.readouterr().out
    )
    torch.manual_seed(99)
    run(resume="part")
    assert (tmp_path / "part/metrics.csv").read_text() == (tmp_path / "whole/metrics.csv").read_text()
    run(resume="part")
    assert "This run is finished: all 10 iterations are done." in capsys.readouterr().out


def test_without_a_folder_runs_never_share_one(run, tmp_path):
    for _ in range(3):
        run(iterations=1)
    assert len(list((tmp_path / "runs").iterdir())) == 3
    run(folder="one")
    with pytest.raises(UserError, match="holds a run already"):
        run(folder="one")


def test_a_clock_adds_up_the_parts_of_a_run():
    first = Clock()
    x = torch.randn(300, 300)
    while first.read()["cpu_seconds"] < 0.05:
        x = x @ x
    part = first.read()
    second = Clock()
    assert 0 <= second.read()["cpu_seconds"] < 0.05, "what the process did before is not this run's"
    second.add(part)
    assert all(second.read()[name] >= part[name] >= 0.05 for name in ("seconds", "cpu_seconds"))
    second.add({"seconds": 10.0})
    assert second.read()["seconds"] > 10 and second.read()["cpu_seconds"] < 10
