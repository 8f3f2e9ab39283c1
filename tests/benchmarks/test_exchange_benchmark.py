"""The benchmark measures what it says: its plain loop plays the exchange's games, its naive layout wastes half."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import check, settings
from benchmarks.every_game import EveryGame
from benchmarks.plain_loop import PlainLoop
from pvg.envs.protocols import nip
from pvg.trainers.collect import Rollout

PAIRS = 300


@pytest.mark.parametrize(
    "protocol", [None, nip(8), nip(5, first_decision=2)], ids=["default", "nip8", "nip5"]
)
def test_the_plain_loop_plays_the_same_stream_of_games(protocol):
    env = settings.environment(32, pairs=PAIRS, protocol=protocol)
    assert check.differences(env, steps=8, calls=4) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("payoff", "prover reward"), ("shut", "verifier log_prob"), ("exists", "prover log_prob")],
)
def test_the_comparison_of_streams_notices_another_game(name, expected, monkeypatch):
    built = PlainLoop.__init__

    def otherwise(self, *args, **kwargs):
        built(self, *args, **kwargs)
        setattr(self, name, torch.zeros_like(getattr(self, name)) + (name == "exists"))

    monkeypatch.setattr(PlainLoop, "__init__", otherwise)
    assert expected in check.differences(settings.environment(32, pairs=PAIRS))


def test_the_plain_loops_own_chance_is_fair():
    env = settings.environment(512, pairs=PAIRS)
    torch.manual_seed(0)
    frames = settings.plain_loop(env, settings.default_agents(env), 24).collect()["prover"]
    first = frames["round"] == 0
    drawn = torch.bincount(frames["index"][first].long(), minlength=PAIRS).double()
    expected = drawn.sum() / PAIRS
    assert ((drawn - expected).square() / expected).sum() < PAIRS + 5 * (2 * PAIRS) ** 0.5
    asked = frames["asked"][frames["round"] == env.protocol.rounds - 1].long()
    size = env.instances["size"][frames["index"][frames["round"] == env.protocol.rounds - 1].long(), 0]
    assert (asked >= 0).all() and (asked < size.unsqueeze(1)).all()
    assert (asked.sort(1).values.diff(dim=1) > 0).all()  # no node twice
    place = asked[:, 0] / size  # a random node: half of them in the lower half
    assert abs(place.mean() - (0.5 - 0.5 / size).mean()) < 5 * place.std() / len(place) ** 0.5


def test_every_agent_on_every_game_wastes_half_and_plays_the_same_rules():
    shares = {}
    for kind in (settings.GraphIsomorphism, EveryGame):
        env = settings.environment(64, pairs=PAIRS, kind=kind)
        torch.manual_seed(0)
        batch = Rollout(env, settings.default_agents(env), 18).collect()[1:]
        live = torch.stack([batch[a, "observation", "live"] for a in ("prover", "verifier")])
        shares[kind] = live.double().mean()
        seen = batch["verifier", "observation"]
        own = seen["live"]
        said = (seen["transcript"] >= 0).sum((-1, -2))
        assert (said[own] == seen["round"][own] + 1).all()  # before every decision one answer a round
        ended = batch["next", "verifier", "ended"]
        assert ended.double().mean() > 0.05
    assert shares == {settings.GraphIsomorphism: 1.0, EveryGame: 0.5}


def test_the_last_line_is_one_json_object():
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "benchmarks.exchange", "--quick", "--only", "B1,B6"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures) == {"B1", "B6"}
    assert figures["B1"] == 1.0
    assert figures["B6"] > 0


def test_an_unknown_benchmark_is_named():
    command = [sys.executable, "-m", "benchmarks.exchange", "--only", "B9"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "there is no B9" in done.stderr
