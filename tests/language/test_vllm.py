"""vLLM in this process, on a CPU: against the model by transformers, before and after weights change."""

import platform
import random
import sys

import pytest
import torch

from pvg.errors import UserError
from pvg.language import canary
from pvg.language.engine import Request
from pvg.language.models import load
from tests.language import tiny

if (platform.system(), platform.machine()) not in {("Linux", "x86_64"), ("Linux", "aarch64")}:
    pytest.skip("there is no CPU build of vLLM for this machine", allow_module_level=True)

from pvg.language.vllm_engine import VLLMEngine

TEXTS = [[3, 4, 5, 6, 7, 8], [9, 10], [30, 31, 32, 33]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"), context=192)


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


@pytest.fixture(scope="module")
def engine(folder):
    torch.manual_seed(5), random.seed(5)
    drawn = torch.rand(1), random.random()
    torch.manual_seed(5), random.seed(5)
    with VLLMEngine(folder, max_num_seqs=4, kv_cache_gib=0.25) as engine:
        assert (torch.rand(1), random.random()) == drawn, "the start has changed the process's random state"
        torch.set_num_threads(torch.get_num_threads())
        yield engine
    assert not torch.distributed.is_initialized()


@pytest.fixture(autouse=True)
def first_weights(engine, model):
    """Every test begins with the folder's weights."""
    if engine.version:
        engine.load_weights(tiny.named(model), 0)


def draw(engine, asked):
    engine.submit(asked)
    return tiny.drain(engine, len(asked))


def test_reported_log_probabilities_are_the_models(engine, model):
    asked = tiny.requests(11)
    tokens, steps = engine.counts.tokens, engine.counts.steps
    found = draw(engine, asked)
    for request in asked:
        sample = found[request.key]
        assert tiny.apart(model, request, sample) < 1e-4
        assert sample.ended == (sample.tokens[-1] == engine.end)
        assert sample.ended or len(sample.tokens) == request.most
        assert engine.end not in sample.tokens[:-1]
    counts = engine.counts
    assert counts.tokens - tokens == sum(len(s.tokens) for s in found.values())
    assert 3 * 12 >= counts.steps - steps >= 12 and counts.slots == 4 * counts.steps
    assert counts.slots >= counts.busy >= counts.tokens


def test_what_is_drawn_depends_on_the_seed_alone(engine):
    asked = tiny.requests(9)
    together = {key: s.tokens for key, s in draw(engine, asked).items()}
    alone = {r.key: draw(engine, [r])[r.key].tokens for r in reversed(asked)}
    assert alone == together
    assert {key: s.tokens for key, s in draw(engine, tiny.requests(9, seed=50)).items()} != together


def test_the_draws_follow_the_models_distribution(engine, model):
    prompt, n = (5, 9, 11), 1000
    with torch.no_grad():
        expected = model(torch.tensor([prompt])).logits[0, -1].softmax(-1)
    found = draw(engine, [Request(i, prompt, 1, seed=2**62 + i) for i in range(n)])
    shares = torch.tensor([s.tokens[0] for s in found.values()]).bincount(minlength=len(expected)) / n
    assert (shares - expected).abs().max() < 5 * (expected * (1 - expected) / n).max().sqrt()


def test_the_canary_passes_after_a_sync_and_stops_a_stale_engine(engine, folder, model):
    assert canary.check(engine, model, TEXTS) < 1e-4
    moved = tiny.other_weights(folder)
    with pytest.raises(canary.StaleEngine):
        canary.check(engine, moved, TEXTS)
    # the tied one need not come under both its names
    engine.load_weights([(k, w) for k, w in tiny.named(moved) if k != "lm_head.weight"], 1)
    assert engine.version == 1 and canary.check(engine, moved, TEXTS) < 1e-4
    with pytest.raises(canary.StaleEngine):
        canary.check(engine, model, TEXTS)


def test_a_prompt_that_comes_again_meets_nothing_of_old_weights(engine, folder):
    prompt = tuple(i % 61 + 3 for i in range(140))  # vLLM keeps blocks of 128 on a CPU
    asked = [Request(i, prompt, 8, seed=i) for i in range(3)]
    draw(engine, asked)
    moved = tiny.other_weights(folder)
    engine.load_weights(tiny.named(moved), 2)
    found = draw(engine, asked)
    assert all(tiny.apart(moved, request, found[request.key]) < 1e-4 for request in asked)


def test_weights_change_with_requests_in_flight(engine, folder, model):
    asked, moved = tiny.requests(7, most=30), tiny.other_weights(folder)
    engine.submit(asked)
    done = {s.key: s for _ in range(10) for s in engine.poll(timeout=0)}
    assert len(done) < 7, "all were done before the weights changed"
    engine.load_weights(tiny.named(moved), 3)
    assert canary.check(engine, moved, TEXTS) < 1e-4  # scores mix with what is in flight
    found = done | tiny.drain(engine, 7 - len(done))
    across = 0
    for request in asked:
        sample, start = found[request.key], len(request.prompt) - 1
        assert sample.version in (0, 3) and sample.last_version == (0 if request.key in done else 3)
        text = [*request.prompt, *sample.tokens]
        before, after = (tiny.log_probs(m, text)[start:] for m in (model, moved))
        # a first part is drawn by the old weights, and the rest by the new ones
        old = [abs(a - b) < 1e-4 for a, b in zip(sample.log_probs, before)]
        new = [abs(a - b) < 1e-4 for a, b in zip(sample.log_probs, after)]
        cut = old.index(False) if False in old else len(old)
        assert all(new[cut:])
        assert (cut > 0) == (sample.version == 0)
        across += 0 < cut < len(old)
    assert across >= 2


def test_a_request_that_does_not_fit_is_refused(engine):
    with pytest.raises(UserError, match="context of 192"):
        engine.submit([Request(0, (5,), 4), Request(1, (5,) * 188, 10)])
    assert engine.poll() == []


def test_a_share_of_memory_that_cannot_be_is_refused(folder):
    with pytest.raises(UserError, match="gpu_memory_utilization=9"):
        VLLMEngine(folder, gpu_memory_utilization=9)


def test_without_vllm_it_says_how_to_install_it(folder, monkeypatch):
    from pvg.language.engine import EngineFailed

    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UserError, match=r"tools/vllm_cpu.py") as caught:
        VLLMEngine(folder)
    assert isinstance(caught.value, EngineFailed)  # so that another engine may take its place
