"""Supervised losses against the formulas, their gradients against one text at a time, and that steps learn."""

import math

import pytest
import torch

from pvg.agents.language import Prover, Verifier
from pvg.errors import UserError
from pvg.trainers.supervised import (
    Descent,
    Optimiser,
    bradley_terry,
    cross_entropies,
    imitate,
    imitation,
    tell_apart,
)
from tests.trainers import words


def test_losses_are_the_formulas():
    right, wrong = [0.3, -1.0, 2.0], [0.5, -3.0, -2.0]
    score, square = torch.tensor([right, wrong]), sum(x * x for x in right + wrong) / 6
    sigmoid = [1 / (1 + math.exp(b - a)) for a, b in zip(right, wrong)]
    wanted = -sum(map(math.log, sigmoid)) / 3 + 0.2 * square
    assert float(bradley_terry(score, 0.2)) == pytest.approx(wanted, abs=1e-6)
    each = [math.log(1 + math.exp(-x)) for x in right] + [math.log(1 + math.exp(x)) for x in wrong]
    assert float(cross_entropies(score, 0.2)) == pytest.approx(sum(each) / 6 + 0.2 * square, abs=1e-6)


@pytest.mark.parametrize("loss", [bradley_terry, cross_entropies])
def test_gradients_are_the_slopes(loss):
    draw = torch.Generator().manual_seed(0)
    score = torch.randn(2, 5, generator=draw, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda s: loss(s, 0.1), score)
    level = score.detach() + 3.0
    moved = abs(float(loss(level, 0.0)) - float(loss(score.detach(), 0.0)))
    assert (moved < 1e-9) == (loss is bradley_terry)  # pairs say nothing of the level


def text_by_text(prover, batch):
    """The mean over all tokens of -log p, each text through the model alone; and its gradient."""
    total, tokens = 0.0, 0
    for row in batch:
        start, there = int(row["start"]), int(row["there"].sum())
        text = row["tokens"][:there]
        logits = prover.plain(text.unsqueeze(0)).logits[0, start - 1 : -1]
        total = total + torch.nn.functional.cross_entropy(logits, text[start:], reduction="sum")
        tokens += there - start
    (total / tokens).backward()
    return float(total.detach() / tokens)


@pytest.mark.parametrize("micro", [None, 5, 1])
def test_imitation_in_pieces_is_the_cross_entropy_of_all_tokens(micro):
    prover, batch = words.agent(Prover), words.batch()
    wanted = text_by_text(prover, batch)
    grads = [p.grad.clone() if p.grad is not None else torch.zeros_like(p) for p in prover.parameters()]
    prover.zero_grad()
    kept = words.Kept(prover, Descent(micro=micro), 1)
    assert imitate(prover, batch, kept)["loss"] == pytest.approx(wanted, abs=1e-5)
    assert words.same(kept.grads, grads)
    prover.zero_grad()
    assert imitation(prover, batch, kept, weight=0.5) == pytest.approx(wanted, abs=1e-5)
    kept.step()
    assert words.same([2 * g for g in kept.grads], grads)


@pytest.mark.parametrize("loss", [bradley_terry, cross_entropies])
def test_pairs_in_pieces_are_the_same_step(loss):
    verifier, right, wrong = words.agent(Verifier), words.batch(8), words.batch(8, seed=1, most=8)
    score = torch.stack([verifier(right), verifier(wrong)])  # apart, each with its own padding
    whole = loss(score, 0.1)
    whole.backward()
    grads = [p.grad.clone() if p.grad is not None else torch.zeros_like(p) for p in verifier.parameters()]
    for micro in (None, 3, 1):
        verifier.zero_grad()
        kept = words.Kept(verifier, Descent(micro=micro), 1)
        a, b = right.select(*BOTH), wrong.select(*BOTH)
        a, b = (widened(x, max(right["tokens"].shape[1], wrong["tokens"].shape[1]), 8) for x in (a, b))
        found = tell_apart(verifier, a, b, kept, loss, 0.1)
        assert found["loss"] == pytest.approx(float(whole), abs=1e-5)
        assert found["pairs_right"] == pytest.approx(float((score[0] > score[1]).float().mean()))
        assert words.same(kept.grads, grads)


BOTH = ("tokens", "there", "start", "answer", "said")


def widened(batch, long, wide):
    for key, size in (("tokens", long), ("there", long), ("answer", wide), ("said", wide)):
        batch.set(key, torch.nn.functional.pad(batch[key], (0, size - batch[key].shape[1])))
    return batch


def test_the_rate_rises_and_falls_as_said_and_gradients_are_cut():
    prover = words.agent(Prover)
    optimiser = Optimiser(prover, Descent(learning_rate=0.1, warm=0.2, max_grad_norm=0.5), 20)
    rates = []
    for _ in range(20):
        for p in optimiser.parameters:
            p.grad = torch.ones_like(p)
        optimiser.step()
        rates.append(optimiser.adam.param_groups[0]["lr"])
    assert all(p.grad is None for p in optimiser.parameters)
    wanted = [0.1 * min((k + 1) / 4, (20 - k) / 16) for k in range(20)]
    assert rates == pytest.approx(wanted) and max(rates) == pytest.approx(0.1) and rates[-1] > 0
    norm = sum(p.numel() for p in optimiser.parameters) ** 0.5
    first = optimiser.adam.state[optimiser.parameters[0]]["exp_avg"].flatten()[0]
    assert float(first) == pytest.approx((1 - 0.9**20) * 0.5 / norm, rel=1e-3)


def test_a_resumed_optimiser_makes_the_same_steps():
    batches = [words.batch(seed=s) for s in range(4)]
    runs = []
    for stop in (4, 2):
        prover = words.agent(Prover)
        optimiser = Optimiser(prover, Descent(), 4)
        for each in batches[:stop]:
            imitate(prover, each, optimiser)
        if stop < 4:
            saved, weights = optimiser.state_dict(), prover.state_dict()
            prover = words.agent(Prover, seed=9)
            prover.load_state_dict(weights)
            optimiser = Optimiser(prover, Descent(), 4)
            optimiser.load_state_dict(saved)
            for each in batches[stop:]:
                imitate(prover, each, optimiser)
        runs.append([p.detach().clone() for p in prover.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*runs))


def test_steps_learn_to_say_and_to_tell():
    prover, batch = words.agent(Prover), words.batch(24)
    optimiser = Optimiser(prover, Descent(learning_rate=1e-2), 60)
    losses = [imitate(prover, batch, optimiser)["loss"] for _ in range(60)]
    assert losses[-1] < 0.3 * losses[0]
    verifier, wrong = words.agent(Verifier), words.batch(24, seed=5)
    wide = max(batch["tokens"].shape[1], wrong["tokens"].shape[1])
    right, wrong = (widened(b.select(*BOTH), wide, 6) for b in (batch, wrong))
    optimiser = Optimiser(verifier, Descent(learning_rate=1e-2), 40)
    found = [tell_apart(verifier, right, wrong, optimiser, bradley_terry, 0.01) for _ in range(40)]
    assert found[0]["pairs_right"] < 0.9 and found[-1]["pairs_right"] == 1.0


def test_mixed_precision_is_near():
    prover, batch = words.agent(Prover), words.batch()
    exact, rough = (words.Kept(prover, Descent(mixed=m), 1) for m in (False, True))
    losses = [imitate(prover, batch, o)["loss"] for o in (exact, rough)]
    assert losses[0] != losses[1] == pytest.approx(losses[0], rel=0.02)
    assert words.same(rough.grads, exact.grads, 0.1) and rough.grads[0].dtype == torch.float32


@pytest.mark.parametrize("knobs", [dict(batch=0), dict(micro=0)])
def test_knobs_that_are_no_good(knobs):
    with pytest.raises(UserError, match=next(iter(knobs))):
        Descent(**knobs)
