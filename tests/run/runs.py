"""Small runs and what must be the same in two of them."""

import csv

import torch

from pvg import checkpoint
from tests.cli import TINY

TIMES = {"seconds", "collect_s", "turns_per_s"}
LONGER = ["trainer.turns=10240", "checkpoint_every=4", "evaluation.every=5"]  # 20 iterations
ALIKE = "seed=3", *TINY, *LONGER


def metrics(folder):
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def same_end(one, other):
    """The same numbers on the way, and the same weights and moments of the optimisers at the end."""
    assert metrics(one) == metrics(other)
    states = [checkpoint.load(folder)["trainer"] for folder in (one, other)]
    torch.testing.assert_close(*states, rtol=0, atol=0)
    assert states[0]["iteration"] == len(metrics(one))


def check_sweep(done, count):
    """So many folders, each with all that a run leaves."""
    runs = list(done.folder.glob("runs/*/*/"))
    assert sorted(int(run.name) for run in runs) == list(range(count))
    for run in runs:
        assert {p.name for p in run.iterdir()} >= {
            "config.yaml",
            "curves.png",
            "exchanges.txt",
            "result.json",
        }
        assert len(metrics(run)) >= 2 and checkpoint.load(run)["step"] == len(metrics(run))
