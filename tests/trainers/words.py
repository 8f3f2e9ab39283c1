"""A tiny prover, verifier and batches for tests of trainers."""

import torch

from pvg.agents.language import texts
from pvg.trainers.supervised import Optimiser
from tests.language import architectures


def agent(kind, seed=0):
    """With a head that is not nothing."""
    made = kind(architectures.make("llama", seed))
    with torch.no_grad():
        for weight in made.model.parameters():
            weight.mul_(0.5)
        made.head.weight.normal_(std=0.3)
    return made


def batch(n=12, seed=0, most=6, vocabulary=48):
    """Random texts of mixed lengths."""
    draw = torch.Generator().manual_seed(seed)

    def some(least, beyond):
        count = int(torch.randint(least, beyond, (), generator=draw))
        return torch.randint(vocabulary, (count,), generator=draw).tolist()

    return texts([some(2, 9) for _ in range(n)], [some(1, most + 1) for _ in range(n)])


class Kept(Optimiser):
    """Keeps the gradients and moves nothing."""

    def step(self):
        self.grads = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in self.parameters]
        self.adam.zero_grad(set_to_none=True)


def same(grads, others, tolerance=1e-4):
    """Whether two lists of gradients are, but for rounding."""
    assert any(g.abs().sum() > 0 for g in grads)
    whole = sum(g.square().sum() for g in others) ** 0.5
    return sum((a - b).square().sum() for a, b in zip(grads, others, strict=True)) ** 0.5 <= tolerance * whole
