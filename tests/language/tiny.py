"""A tiny model for tests of engines, requests for it, and what its log-probabilities are by transformers."""

import torch

from pvg.language.engine import Request
from pvg.language.models import load, make_tiny

WORDS = [f"w{i}" for i in range(61)]  # and three of its own: 64


def make(folder, width=64, context=64):
    """Write the model; its end token is likely enough that answers differ in length."""
    make_tiny(folder, WORDS, width=width, heads=2, hidden=96, context=context, seed=3)
    return folder


def requests(count, first=0, most=12, seed=0):
    prompts = [
        tuple((i * j * 7 + j) % 61 + 3 for j in range(1, 3 + i % 5)) for i in range(first, first + count)
    ]
    return [Request(first + i, prompt, most, seed=seed + first + i) for i, prompt in enumerate(prompts)]


def drain(engine, count):
    """All samples, by key."""
    found = {}
    while len(found) < count:
        samples = engine.poll()
        assert samples, f"only {len(found)} of {count} came back"
        found |= {sample.key: sample for sample in samples}
    return found


@torch.no_grad()
def log_probs(model, text):
    """Of each token but the first."""
    tokens = torch.tensor([list(text)])
    logits = model(tokens).logits[0, :-1].log_softmax(-1)
    return logits.gather(-1, tokens[0, 1:, None]).squeeze(-1).tolist()


def apart(model, request, sample):
    """By how much the log-probabilities that were reported differ from the model's, at most."""
    right = log_probs(model, [*request.prompt, *sample.tokens])[len(request.prompt) - 1 :]
    assert len(right) == len(sample.log_probs)
    return max(abs(a - b) for a, b in zip(right, sample.log_probs))


def other_weights(folder, seed=1, scale=0.05):
    """The model with every weight moved."""
    model = load(folder)
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight += scale * torch.randn_like(weight)
    return model


def named(model):
    return [(name, weight.detach().clone()) for name, weight in model.state_dict().items()]
