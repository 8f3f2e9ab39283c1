"""What trying again at once saves: ``python -m benchmarks.queue``.

192 tasks of at most 5 tries each on an engine of 32 slots, with identical work whatever the order: fixed batches
(32 tasks, wait for all, those that failed join the end of the line), waves (all tasks, wait for all, then all that
failed), and the queue; "retries first" is the queue on an engine that begins new tries before first ones.

Counted are the engine's steps, in each of which every busy slot draws a token.  Engines: a stand-in for a sampler
that refills its slots, with memoryless lengths, as a random model has them, and with lognormal ones, which are more
alike and so leave less to gain; and the own sampler with a tiny random model.  The last line is one JSON object, whose
``steps_ratio`` and ``occupancy`` are the queue's with memoryless lengths.
"""

from __future__ import annotations

import argparse
import json
import random
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from pvg.language.attempts import WANTED, Task, Verdict, attempt_seed, tasks
from pvg.language.engine import Counts, Engine, Request, Sample
from pvg.language.queue import Queue

PROBLEMS, K_PER_ROLE, TRIES, SLOTS = 48, 2, 5, 32
WORDS, MOST = 16, 64  # a random model ends with one chance in its WORDS at each token
REPEATS = 20  # workloads, each with problems and draws of its own

Done = list[tuple[int, int, list[int]]]  # task, number of the try, tokens


# ---------------------------------------------------------------------- the work
@dataclass(frozen=True)
class Workload:
    """What is to be done; the seed decides every draw."""

    seed: int
    tasks: list[Task]
    references: list[str]  # of 98 answers that can be read, a problem has as many right ones as this says


def workload(seed: int) -> Workload:
    """Make one, with problems that are anything from hopeless to trivial for either role."""
    rng = random.Random(seed)
    digits = {p: (3 + p // 10, 3 + p % 10) for p in range(PROBLEMS)}
    prompts = {role: {p: (13 + i, *digits[p]) for p in digits} for i, role in enumerate(WANTED)}
    return Workload(seed, tasks(digits, prompts, K_PER_ROLE, MOST), [str(rng.randint(0, 98)) for _ in digits])


def decode(tokens: Sequence[int]) -> str | None:
    """The answer that some tokens mean, one of 98 or, two times in a hundred, none: any, but always the same."""
    answer = zlib.crc32(bytes(tokens)) % 100
    return str(answer) if answer < 98 else None


def grade(answer: str | None, reference: str) -> Verdict:
    """The verdict on what ``decode`` found."""
    if answer is None:
        return "unparseable"
    return "right" if int(answer) < int(reference) else "wrong"


class AtOnce:
    """A grader that has no line."""

    def __init__(self) -> None:
        self.graded: list[tuple[int, Verdict]] = []

    def submit(self, key: int, answer: str, reference: str) -> None:
        self.graded.append((key, grade(answer, reference)))

    def poll(self) -> list[tuple[int, Verdict]]:
        graded, self.graded = self.graded, []
        return graded


# ---------------------------------------------------------------------- the stand-in
def memoryless(rng: random.Random) -> int:
    """Lengths of a model that ends with the same chance at each token."""
    return int(rng.expovariate(1 / WORDS)) + 1


def lognormal(rng: random.Random) -> int:
    """Lengths of answers that are much alike: two thirds of them within a factor of 1.65 of the median."""
    return round(rng.lognormvariate(2.65, 0.5)) + 1


class Slots(Engine):
    """Counts what a sampler that refills its slots would do: one token a busy slot a step.

    Args:
        length: draws how long a sample is, before it is cut.
        first: whether what is submitted goes to the front of the line, and not to its end.
    """

    def __init__(self, length: Callable[[random.Random], int], slots: int = SLOTS, first: bool = False):
        self.length, self.capacity, self.first = length, slots, first
        self.version, self.counts = 0, Counts()
        self.waiting: deque[Request] = deque()
        self.busy: list[tuple[int, Sample]] = []  # with the step that ends it

    def submit(self, requests: Iterable[Request]) -> None:
        if self.first:
            self.waiting.extendleft(reversed(list(requests)))
        else:
            self.waiting.extend(requests)

    def poll(self, timeout: float | None = None) -> list[Sample]:
        counts = self.counts
        while self.waiting and len(self.busy) < self.capacity:
            sample = self.draw(self.waiting.popleft())
            self.busy.append((counts.steps + len(sample.tokens), sample))
        if not self.busy:
            return []
        then = min(end for end, _ in self.busy)
        counts.busy += len(self.busy) * (then - counts.steps)
        counts.slots += self.capacity * (then - counts.steps)
        counts.steps = then
        done = [sample for end, sample in self.busy if end == then]
        self.busy = [(end, sample) for end, sample in self.busy if end > then]
        counts.tokens += sum(len(sample.tokens) for sample in done)
        return done

    def draw(self, request: Request) -> Sample:
        rng = random.Random(request.seed)
        length = self.length(rng)
        tokens = [rng.randrange(WORDS) for _ in range(min(length, request.most))]
        return Sample(request.key, tokens, [0.0] * len(tokens), length <= request.most)

    def load_weights(self, weights: Iterable[tuple[str, Tensor]], version: int) -> None:
        self.version = version

    def score(self, texts: Sequence[Sequence[int]]) -> list[list[float]]:
        return [[0.0] * (len(text) - 1) for text in texts]

    def close(self) -> None:
        pass


# ---------------------------------------------------------------------- the ways
def in_batches(engine: Engine, work: Workload, size: int) -> Done:
    """Submit as many as ``size``, wait for all of them, and only then go on."""
    line, done = deque((task, 0) for task in work.tasks), []
    while line:
        batch = [line.popleft() for _ in range(min(size, len(line)))]
        engine.submit(
            Request(place, task.prompt, task.most, attempt_seed(work.seed, task.key, number))
            for place, (task, number) in enumerate(batch)
        )
        samples: dict[int, Sample] = {}
        while len(samples) < len(batch):
            samples |= {sample.key: sample for sample in engine.poll()}
        for place, (task, number) in enumerate(batch):
            tokens = samples[place].tokens
            done.append((task.key, number, tokens))
            verdict = grade(decode(tokens), work.references[task.problem])
            if verdict != WANTED[task.role] and number + 1 < TRIES:
                line.append((task, number + 1))
    return sorted(done)


def continuous(engine: Engine, work: Workload) -> Done:
    """The queue."""
    references, seed = work.references, work.seed
    queue = Queue(engine, AtOnce(), decode=decode, references=references, max_tries_per_task=TRIES, seed=seed)
    return [(a.task, a.number, a.tokens) for a in queue.run(work.tasks)]


WAYS: dict[str, Callable[[Engine, Workload], Done]] = {
    "fixed batches": lambda engine, work: in_batches(engine, work, SLOTS),
    "waves": lambda engine, work: in_batches(engine, work, len(work.tasks)),
    "retries first": continuous,
    "continuous": continuous,
}


# ---------------------------------------------------------------------- the figures
@dataclass
class Row:
    """One way on one engine."""

    engine: str
    way: str
    steps: float  # of the engine, per workload
    occupancy: float
    ratio: float  # of steps, to those of fixed batches
    same: bool  # work as in fixed batches


def compare(name: str, make: Callable[[bool], Engine], ways: Sequence[str], repeats: int) -> list[Row]:
    """Run some ways on engines that ``make`` makes (told whether retries go first), the first of them the measure."""
    rows: list[Row] = []
    whole: list[Done] = []
    for way in ways:
        with make(way == "retries first") as engine:
            done = [WAYS[way](engine, workload(seed)) for seed in range(repeats)]
            counts = engine.counts
        whole = whole or done
        ratio = counts.steps / repeats / rows[0].steps if rows else 1.0
        rows.append(Row(name, way, counts.steps / repeats, counts.busy / counts.slots, ratio, done == whole))
    return rows


def real(repeats: int) -> list[Row]:
    """The same with the own sampler."""
    from pvg.language.models import make_tiny
    from pvg.language.sampler import TorchEngine

    with TemporaryDirectory() as folder:
        make_tiny(folder, ["0 1 2 3 4 5 6 7 8 9 helpful sneaky :"], width=32, layers=1, context=MOST + 8)
        return compare(
            "own sampler",
            lambda first: TorchEngine(folder, slots=SLOTS),
            ("fixed batches", "waves", "continuous"),
            repeats,
        )


def show(rows: list[Row]) -> None:
    """Print the table."""
    table = Table(
        title=f"{2 * PROBLEMS * K_PER_ROLE} tasks, {TRIES} tries, {SLOTS} slots", title_justify="left"
    )
    for column in ("engine", "way", "steps", "occupancy", "of fixed batches", "same work"):
        table.add_column(column, justify="left" if column in ("engine", "way") else "right")
    for row in rows:
        figures = f"{row.steps:,.0f}", f"{row.occupancy:.2f}", f"{row.ratio:.2f}", "yes" if row.same else "NO"
        table.add_row(row.engine, row.way, *figures, end_section=row.way == "continuous")
    Console().print(table)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue", description=__doc__.split("\n")[0])
    parser.parse_args(arguments)
    torch.set_num_threads(1)
    first = compare("memoryless", lambda f: Slots(memoryless, first=f), list(WAYS), REPEATS)
    alike = compare("lognormal", lambda f: Slots(lognormal, first=f), list(WAYS), REPEATS)
    own = real(2)
    show(first + alike + own)
    figures = {"steps_ratio": first[-1].ratio, "occupancy": first[-1].occupancy}
    figures |= {"steps_ratio_alike": alike[-1].ratio, "occupancy_alike": alike[-1].occupancy}
    figures |= {"steps_ratio_real": own[-1].ratio, "occupancy_real": own[-1].occupancy}
    print(json.dumps({key: round(value, 3) for key, value in figures.items()}))


if __name__ == "__main__":
    main()
