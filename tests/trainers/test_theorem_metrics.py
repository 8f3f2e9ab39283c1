"""What a run says of theorems and proofs, against figures by hand; and each metric is in the documentation."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest
import torch

from pvg.agents.theorem_players import Attempt
from pvg.envs.candidates import Goal, Move
from pvg.envs.derivations import Proof
from pvg.report.theorems import theorems_markdown
from pvg.trainers import theorem_metrics as metrics
from pvg.trainers.theorem_roles import Experience, Theorem
from tests.cli import ROOT

A, B = ("w!0",), ("w!1",)
IMPLIES = Goal(("imp", A, ("imp", B, A)), name="first")
BARE = Goal(B, hypotheses=(A, ("imp", A, B)), name="second")
LONG = Proof(IMPLIES, (Move("x"), Move("y"), Move("mp", (0, 1)), Move("mp", (2, 0))))
SHORT = Proof(BARE, (Move("mp", (0, 1)),))  # from its hypotheses at once


def experience():
    theorems = [Theorem((), proof, key, 0, key == "b") for proof, key in ((LONG, "a"), (SHORT, "b"))]
    counts = Counter({"generator/not_written": 2, "prover/not_written": 1})
    failed = torch.tensor([1.0, 0.5])
    return Experience(8, theorems=theorems, failed=failed, found=[SHORT, SHORT], counts=counts)


def test_a_proof_has_size_depth_and_steps():
    assert metrics.shape(LONG) == (5, 3, 4)
    assert metrics.shape(SHORT) == (1, 1, 1)


def test_means_over_a_run_are_by_source():
    totals = metrics.Totals()
    totals.add(experience())
    totals.add(experience())
    known = {"first": True, "second": False}
    theory = SimpleNamespace(
        proofs=[LONG, SHORT],
        database=SimpleNamespace(labels={name: name for name in known}),
        verifier=known.__getitem__,
    )
    found = totals.means(theory)
    assert found["generated"] == {
        "proofs": 4,
        "verified": 0.5,
        "size": 3,
        "depth": 2,
        "steps": 2.5,
        "failed": 0.75,
        "subsumed": 0.5,
    }
    assert found["own"] == {"proofs": 4, "verified": 0.5, "size": 1, "depth": 1, "steps": 1}
    assert found["database"] == {"proofs": 2, "verified": 0.5, "size": 3, "depth": 2, "steps": 2.5}
    page = theorems_markdown({"sources": found}, [])
    assert (
        "| generated | 4 | 3 | 2 | 2.5 | 0.5 | 0.75 | 0.5 |" in page
        and "| own | 4 | 1 | 1 | 1 | 0.5 |  |  |" in page
    )


class Half:
    """Proves the first goal always when it is asked for the likeliest, and every second time by chance."""

    def __init__(self):
        self.asked = 0

    def prove(self, goals, budget, greedy=False):
        self.asked += not greedy
        solved = [greedy or self.asked % 2 == 0] + [False] * (len(goals) - 1)
        torch.rand(1)
        return [Attempt(goal, (Move("mp", (0, 1)),), one) for goal, one in zip(goals, solved, strict=True)]


def test_a_prover_is_judged_and_chance_goes_on_as_if_it_was_not():
    theory = SimpleNamespace(
        held_out=[BARE, IMPLIES], moves=3, proofs=[SHORT, LONG, LONG, LONG], writer=lambda proof, label: None
    )
    before = torch.get_rng_state()
    found = metrics.judge_prover(theory, Half(), samples=3, seed=0)
    assert torch.equal(before, torch.get_rng_state())
    assert found["pass@1"] == 0.5 and found["pass@3"] == 0.5 and found["proved"] == ["second"]
    assert found["sampled pass@1"] == pytest.approx(1 / 6) and found["verified"] == 0.0
    assert found["failed on training theorems"] == 0.5  # of two of four: the fourth time is one that proves
    assert metrics.look(found) == {
        "held_out/pass@1": 0.5,
        "held_out/pass@3": 0.5,
        "held_out/verified": 0.0,
        "prover/failed_database": 0.5,
    }


def test_each_metric_is_documented():
    """Names are read from the code: whatever looks like one stands in the page's table."""
    page = (ROOT / "docs/adversarial.md").read_text()
    table = page[page.index("## Metrics") : page.index("## One process, or Ray")]
    rows = [
        re.findall(r"`([^`]+)`", line.split("|")[1]) for line in table.splitlines() if line.startswith("| `")
    ]
    named = set()
    for row in rows:
        first = row[0].partition("/")[0]
        named |= {f"{first}{name}" if name.startswith("/") else name for name in row}
    files = ("theorem_metrics", "theorem_learning", "theorem_roles", "adversarial", "theorem_ray")
    code = "".join((ROOT / f"pvg/trainers/{name}.py").read_text() for name in files)
    found = set(re.findall(r'"((?:generator|prover|own|held_out)/[a-z_@0-9]+)":', code))
    assert len(found) > 12
    assert found - {"held_out/pass@1"} <= named, found - named
