"""CPU time of a thread, sides by turns: what a busy machine does to one it does to the others; and intervals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import torch
from scipy.stats import t

Work = Callable[[], float]  # does some work and says how much: turns, pairs


def rates(
    sides: Mapping[str, Work], *, seconds: float, repeats: tuple[int, int], warm: bool = True
) -> dict[str, list[float]]:
    """Work per CPU-second of every side, one entry a repeat.

    Args:
        sides: what to run; all of them in every repeat.
        seconds: CPU time to spend in all, the warm-up left out.
        repeats: fewest and most.
        warm: run every side once before, uncounted.
    """
    if warm:
        for work in sides.values():
            work()
    found: dict[str, list[float]] = {name: [] for name in sides}
    begin = time.process_time()
    for repeat in range(repeats[1]):
        if repeat >= repeats[0] and time.process_time() - begin > seconds:
            break
        for name, work in sides.items():
            start = time.process_time()
            done = work()
            found[name].append(done / (time.process_time() - start))
    return found


def ratio(ours: list[float], other: list[float]) -> float:
    """How much faster one side is: the median over the repeats of the quotient within each."""
    return median(a / b for a, b in zip(ours, other, strict=True))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half of its 95 % interval by Student's t: not a number for a single value."""
    x = torch.tensor(values, dtype=torch.float64)
    if len(x) < 2:
        return float(x.mean()), float("nan")
    return float(x.mean()), float(t.ppf(0.975, len(x) - 1) * x.std() / len(x) ** 0.5)
