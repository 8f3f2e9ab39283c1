"""The sampler's benchmark gives both sides the same work, and reaches what is asked of the sampler."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import sampler
from pvg.language.models import make_tiny


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    words = [f"w{i}" for i in range(sampler.WORDS)]
    make_tiny(folder, words, width=16, layers=1, heads=1, hidden=16, context=24 + sampler.MOST)
    return str(folder)


@pytest.mark.parametrize("mixed", [False, True])
def test_both_sides_draw_answers_of_the_lengths_they_are_told(folder, mixed):
    asked = sampler.requests(mixed, 50)
    lengths = {r.key: r.most for r in asked}
    assert (len(set(lengths.values())) > 10) == mixed
    for side in (sampler.Own(folder, 16), sampler.Theirs(folder, 16)):
        found = side(asked)
        assert {key: len(tokens) for key, tokens in found.items()} == lengths
        firsts = {tokens[0] for tokens in found.values()}
        assert len(firsts) > 10  # sampled, and not the likeliest


def test_lengths_are_as_stated():
    lengths = [r.most for r in sampler.requests(True, 20_000)]
    assert max(lengths) == sampler.MOST
    assert abs(sum(lengths) / len(lengths) - 16.1) < 0.5  # 16.5, less what is cut off


@pytest.mark.slow
def test_the_command_reaches_what_is_asked_of_the_sampler():
    command = [sys.executable, "-m", "benchmarks.sampler", "--seconds", "8"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["tokens_per_s"] >= 15_000 and figures["ratio"] >= 1.3
    assert figures["ratio_mixed"] >= 1.3
