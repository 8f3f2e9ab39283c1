"""Rewards against the paper's formulas, in words of one answer at a time, on every combination."""

import itertools

import pytest
import torch

from pvg.trainers.rewards import centred, cgc, correctness, goodhart, src

CASES = list(
    itertools.product((-0.7, -1e-6, 0.0, 1e-6, 0.4, 2.0), (True, False), (True, False), (True, False))
)


def given():
    score, *rest = zip(*CASES)
    return torch.tensor(score), *(torch.tensor(x) for x in rest)


def by_hand(name, v, c, h, parsed):
    """Kirchner et al. 2024: V' is ``v``, c and h are 0 or 1."""
    if not parsed:
        return -1.0
    sign = (2 * c - 1) * (2 * h - 1)
    if name == "src":
        return sign * v if v > 0 else -1.0
    if name == "cgc":
        return v if sign > 0 else -1.0
    return v if name == "goodhart" else float(sign > 0)


@pytest.mark.parametrize("reward", [src, cgc, goodhart, correctness])
def test_rewards_are_the_formulas(reward):
    wanted = [by_hand(reward.__name__, *case) for case in CASES]
    found = reward(*given())
    assert found.dtype == torch.float32 and found.tolist() == pytest.approx(wanted)
    assert len(set(found.tolist())) > 1


def test_the_gate_of_cgc_is_what_an_answer_out_of_role_costs():
    score, right, helpful, parsed = given()
    found = cgc(score, right, helpful, parsed, gate=0.25)
    assert set(found[parsed & (right != helpful)].tolist()) == {-0.25}
    assert set(found[~parsed].tolist()) == {-1.0}


def test_scores_are_centred_in_each_group():
    draw = torch.Generator().manual_seed(0)
    score, group = torch.randn(40, generator=draw), torch.randint(7, (40,), generator=draw) * 2
    found = centred(score, group)
    for i in range(40):
        own = [float(score[j]) for j in range(40) if group[j] == group[i]]
        assert float(found[i]) == pytest.approx(float(score[i]) - sum(own) / len(own), abs=1e-6)
