"""The benchmark of width search, on what takes least."""

import json

import pytest
import torch

from benchmarks import width
from pvg.envs.gridworld import Gridworld
from pvg.planning.breadth import IW
from pvg.planning.simulator import EnvSimulator


def test_it_compares_nodes(capsys):
    width.main(["--levels", "path", "near", "--trees", "3"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["A3"]
    assert found["path"]["iw1"] is None and found["near"]["iw1"] is None
    assert found["path"]["iw2"] == 27 and 13 <= found["path"]["mean"] <= 27
    assert 13 <= found["path"]["depth_first"] <= 27
    assert found["near"]["iw2"] == 620 and found["near"]["mean"] < 500 and found["near"]["fewer"] == 3


def test_it_plays(capsys, monkeypatch):
    monkeypatch.setattr(width, "EPISODES", 20)
    width.main(["--play", "path"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["A2"]["path"]
    assert len(found) == 3 and all(told["success"] > 0.8 and 30 < told["length"] < 100 for told in found)


def test_what_is_not_found_is_infinite():
    simulator = EnvSimulator(Gridworld("path", games=2), check=False)
    assert width.nodes_until_paid(IW(simulator, trees=2, budget=100)) == [torch.inf] * 2


@pytest.mark.slow
def test_it_learns(capsys):
    width.main(["--learn", "path", "--games", "8", "--interactions", "60000"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["path"]
    assert found["pi_iw"]["length"] < 0.6 * found["rollout_iw"]["length"]
