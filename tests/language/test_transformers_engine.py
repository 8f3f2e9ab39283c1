"""The transformers engine against the model itself, and against the own sampler."""

import pytest
import torch

from pvg.errors import UserError
from pvg.language.engine import Request
from pvg.language.models import load
from pvg.language.sampler import TorchEngine
from pvg.language.transformers_engine import TransformersEngine
from tests.language import tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


def test_reported_log_probabilities_are_the_models(folder, model):
    asked = tiny.requests(20)
    with TransformersEngine(folder, batch=8) as engine:
        engine.submit(asked)
        found = tiny.drain(engine, 20)
    for request in asked:
        sample = found[request.key]
        assert tiny.apart(model, request, sample) < 1e-4
        assert 1 <= len(sample.tokens) <= request.most
        assert sample.ended == (sample.tokens[-1] == engine.end)
        assert sample.ended or len(sample.tokens) == request.most
        assert engine.end not in sample.tokens[:-1]
    counts = engine.counts
    assert counts.tokens == sum(len(s.tokens) for s in found.values()) == counts.busy
    assert counts.slots == 8 * counts.steps and len(counts.waits) == 20


def test_what_is_drawn_depends_on_the_seed_alone(folder):
    asked = tiny.requests(12)
    drawn = []
    for batch in (1, 5, 12):
        with TransformersEngine(folder, batch=batch) as engine:
            engine.submit(asked)
            drawn.append({key: s.tokens for key, s in tiny.drain(engine, 12).items()})
    assert drawn[0] == drawn[1] == drawn[2]
    with TorchEngine(folder, slots=3) as engine:
        engine.submit(asked)
        assert {key: s.tokens for key, s in tiny.drain(engine, 12).items()} == drawn[0]
    with TransformersEngine(folder) as engine:
        engine.submit(tiny.requests(12, seed=100))
        assert {key: s.tokens for key, s in tiny.drain(engine, 12).items()} != drawn[0]


def test_the_draws_follow_the_models_distribution(folder, model):
    prompt, n = (5, 9, 11), 3000
    with torch.no_grad():
        right = model(torch.tensor([prompt])).logits[0, -1]
    for temperature in (1.0, 0.5):
        with TransformersEngine(folder, batch=1000) as engine:
            engine.submit(Request(i, prompt, 1, seed=i, temperature=temperature) for i in range(n))
            first = torch.tensor([s.tokens[0] for s in tiny.drain(engine, n).values()])
        expected = (right / temperature).softmax(-1)
        shares = first.bincount(minlength=len(expected)) / n
        assert (shares - expected).abs().max() < 5 * (expected * (1 - expected) / n).max().sqrt()


def test_temperature_0_takes_the_likeliest_tokens(folder, model):
    with TransformersEngine(folder) as engine:
        engine.submit([Request(1, (7, 8), 5, seed=1, temperature=0.0)])
        tokens = tiny.drain(engine, 1)[1].tokens
    text = [7, 8]
    for token in tokens:
        with torch.no_grad():
            assert token == int(model(torch.tensor([text])).logits[0, -1].argmax())
        text.append(token)


def test_a_folders_own_way_of_generating_does_not_bend_the_draws(folder, tmp_path):
    """Many models come with top_k or a repetition penalty, and then log-probabilities would be of something else."""
    from transformers import GenerationConfig

    model = load(folder)
    model.generation_config = GenerationConfig(
        do_sample=True, top_k=2, repetition_penalty=3.0, temperature=0.1, eos_token_id=[1, 5]
    )
    model.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    drawn = []
    for place in (folder, tmp_path):
        with TransformersEngine(place) as engine:
            engine.submit(tiny.requests(12))
            drawn.append({key: s.tokens for key, s in tiny.drain(engine, 12).items()})
    assert drawn[0] == drawn[1]


def test_new_weights(folder):
    asked, moved = tiny.requests(6), tiny.other_weights(folder)
    with TransformersEngine(folder, batch=3) as engine:
        engine.submit(asked)
        first = {s.key: s for s in engine.poll()}
        # tied embeddings may come under one of their names
        engine.load_weights([(k, w) for k, w in tiny.named(moved) if k != "lm_head.weight"], 4)
        found = first | tiny.drain(engine, 3)
        texts = [[*r.prompt, *found[r.key].tokens] for r in asked]
        for text, row in zip(texts, engine.score(texts)):
            assert torch.allclose(torch.tensor(row), torch.tensor(tiny.log_probs(moved, text)), atol=1e-4)
    assert {s.version for s in first.values()} == {0} and engine.version == 4 and engine.counts.syncs == 1
    for request in asked:
        if request.key not in first:
            assert found[request.key].version == 4
            assert tiny.apart(moved, request, found[request.key]) < 1e-4


@pytest.mark.parametrize("change", ["missing", "unknown", "another shape"])
def test_weights_that_do_not_fit_change_nothing(folder, change):
    weights = dict(tiny.named(tiny.other_weights(folder)))
    name = "model.layers.0.mlp.down_proj.weight"
    if change == "missing":
        del weights[name]
    elif change == "unknown":
        weights["model.layers.9.mlp.down_proj.weight"] = weights[name]
    else:
        weights[name] = weights[name][:-1]
    text = [3, 4, 5, 6]
    with TransformersEngine(folder) as engine:
        before = engine.score([text])
        with pytest.raises(ValueError, match="down_proj"):
            engine.load_weights(weights.items(), 1)
        assert engine.score([text]) == before and engine.version == 0


def test_a_request_that_does_not_fit_is_refused_with_all_that_came_with_it(folder):
    with TransformersEngine(folder) as engine:
        with pytest.raises(UserError, match="context of 64"):
            engine.submit([Request(0, (5,), 4), Request(1, (5,) * 60, 10)])
        assert engine.poll() == []
