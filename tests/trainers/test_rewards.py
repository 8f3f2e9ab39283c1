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


def test_scores_are_centred_in_each_group():
    draw = torch.Generator().manual_seed(0)
    score, group = torch.randn(40, generator=draw), torch.randint(7, (40,), generator=draw) * 2
    found = centred(score, group)
    for i in range(40):
        own = [float(score[j]) for j in range(40) if group[j] == group[i]]
        assert float(found[i]) == pytest.approx(float(score[i]) - sum(own) / len(own), abs=1e-6)


def test_scores_may_be_centred_by_some_of_their_group():
    draw = torch.Generator().manual_seed(1)
    score, group = torch.randn(40, generator=draw), torch.arange(40) // 5
    among = torch.rand(40, generator=draw) < 0.25
    assert any(not among[group == g].any() for g in range(8))  # where there are none, all count
    found = centred(score, group, among)
    for i in range(40):
        own = [j for j in range(40) if group[j] == group[i] and among[j]]
        own = own or [j for j in range(40) if group[j] == group[i]]
        mean = sum(float(score[j]) for j in own) / len(own)
        assert float(found[i]) == pytest.approx(float(score[i]) - mean, abs=1e-6)
