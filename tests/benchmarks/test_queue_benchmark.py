"""The benchmark of the queue counts right: its stand-in refills its slots, and draws one token a slot a step."""

import json
import math
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from benchmarks import queue
from pvg.language.engine import Request


@pytest.mark.parametrize("slots", [1, 3, 32])
def test_the_stand_in_counts_what_a_loop_over_single_steps_counts(slots):
    requests = [Request(key, (1,), 64, seed=key) for key in range(100)]
    engine = queue.Slots(queue.memoryless, slots)
    engine.submit(requests[:60])
    seen, more = [], iter(requests[60:])
    while done := engine.poll():
        seen += [(engine.counts.steps, sample.key) for sample in done]
        engine.submit(islice(more, len(done)))  # as retries are, while the rest goes on

    line, left, steps, busy, expected, more = requests[:60], {}, 0, 0, [], iter(requests[60:])
    while line or left:
        while line and len(left) < slots:
            request = line.pop(0)
            left[request.key] = len(engine.draw(request).tokens)
        steps, busy, left = steps + 1, busy + len(left), {key: n - 1 for key, n in left.items()}
        if ended := [key for key, n in left.items() if n == 0]:
            expected += [(steps, key) for key in ended]
            left = {key: n for key, n in left.items() if n}
            line += islice(more, len(ended))
    assert sorted(seen) == sorted(expected) and len(seen) == 100
    assert (engine.counts.steps, engine.counts.busy, engine.counts.slots) == (steps, busy, steps * slots)
    assert engine.counts.tokens == busy


def test_memoryless_lengths_are():
    rng = random.Random(0)
    lengths = [queue.memoryless(rng) for _ in range(20_000)]
    assert abs(sum(lengths) / len(lengths) - 16.5) < 0.5
    p = 1 - math.exp(-1 / 16)
    for start in (0, 16, 48):  # the chance to end at the next token, whatever came before
        beyond = [n for n in lengths if n > start]
        ends = sum(n == start + 1 for n in beyond)
        assert abs(ends - p * len(beyond)) < 4 * (p * (1 - p) * len(beyond)) ** 0.5


def test_every_way_does_the_same_work_and_batches_wait():
    rows = queue.compare("", lambda first: queue.Slots(queue.memoryless, first=first), list(queue.WAYS), 3)
    assert [row.same for row in rows] == [True] * 4
    busy = [row.steps * row.occupancy for row in rows]
    assert max(busy) - min(busy) < 1e-6 * busy[0]  # the same tokens


def test_a_draw_that_depends_on_the_request_s_key_is_not_the_same_work():
    class Other(queue.Slots):
        def draw(self, request):
            return super().draw(
                Request(request.key, request.prompt, request.most, request.seed + request.key % 2)
            )

    rows = queue.compare("", lambda first: Other(queue.memoryless), ["fixed batches", "continuous"], 1)
    assert [row.same for row in rows] == [True, False]


def test_the_command_reaches_what_is_asked_of_the_queue():
    command = [sys.executable, "-m", "benchmarks.queue"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["steps_ratio"] <= 0.45 and figures["occupancy"] >= 0.75
    assert figures["steps_ratio_real"] <= 0.45 and figures["occupancy_real"] >= 0.75
    assert "NO" not in done.stdout
