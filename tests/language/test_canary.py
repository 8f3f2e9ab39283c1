"""The canary lets a right engine pass and stops a stale one."""

import math

import pytest
import torch

from pvg.errors import UserError
from pvg.language import canary
from pvg.language.models import load
from pvg.language.sampler import TorchEngine
from pvg.language.transformers_engine import TransformersEngine
from tests.language import tiny

TEXTS = [[3, 4, 5, 6, 7, 8], [9, 10], [30, 31, 32, 33]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make(tmp_path_factory.mktemp("tiny"))


class Stale(TransformersEngine):
    """Says that it has taken the weights, and goes on with the old ones."""

    def load_weights(self, weights, version):
        self.version = version


@pytest.mark.parametrize("kind", [TransformersEngine, TorchEngine])
def test_a_right_engine_passes_before_and_after_a_sync(folder, kind):
    moved = tiny.other_weights(folder)
    with kind(folder) as engine:
        assert canary.check(engine, load(folder), TEXTS) < 1e-5
        engine.load_weights(tiny.named(moved), 1)
        assert canary.check(engine, moved, TEXTS) < 1e-5


@pytest.mark.parametrize("scale", [0.05, 1e-3])
def test_a_stale_engine_is_caught_and_both_figures_named(folder, scale):
    moved = tiny.other_weights(folder, scale=scale)
    with Stale(folder) as engine:
        engine.load_weights(tiny.named(moved), 7)
        with pytest.raises(canary.StaleEngine) as caught:
            canary.check(engine, moved, TEXTS)
        said = engine.score(TEXTS)
    assert isinstance(caught.value, UserError)
    right = [tiny.log_probs(moved, text) for text in TEXTS]
    apart = [(abs(a - b), a, b) for r, s in zip(right, said) for a, b in zip(r, s)]
    _, ours, theirs = max(apart)
    message = str(caught.value)
    assert "weights 7" in message and f"{ours:.5g}"[:5] in message and f"{theirs:.5g}"[:5] in message


def test_half_precision_is_given_room_and_caught_all_the_same(folder):
    with TorchEngine(folder, dtype="bfloat16") as engine:
        canary.check(engine, load(folder, torch.bfloat16), TEXTS)
        assert canary.EXACT < canary.check(engine, load(folder), TEXTS) < canary.ROUGH / 4
        with pytest.raises(canary.StaleEngine):
            canary.check(engine, tiny.other_weights(folder, scale=0.2).to(torch.bfloat16), TEXTS)


def test_no_number_is_no_agreement(folder):
    class Broken(TransformersEngine):
        def score(self, texts):
            return [[math.nan] * (len(text) - 1) for text in texts]

    with Broken(folder) as engine, pytest.raises(canary.StaleEngine):
        canary.check(engine, load(folder), TEXTS)
