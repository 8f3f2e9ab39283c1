"""How fast the own sampler is beside ``generate`` of transformers: ``python -m benchmarks.sampler``.

Both draw from the same random Llama of .1 M parameters, at temperature 1, for the same prompts of 8 to 24 tokens,
answers of the same lengths, 512 at once; by turns, per CPU-second of one thread.  The own sampler reports
log-probabilities too.  Where all answers are 32 tokens long nothing but the passes themselves is compared; with
memoryless lengths, as answers have them in practice, ``generate`` waits for the longest of a batch while slots are
refilled.

The last line is one JSON object; its ``tokens_per_s`` and ``ratio`` are those of equal lengths, and those of mixed
ones have ``_mixed`` behind.
"""

from __future__ import annotations

import argparse
import json
import random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks.measure import rates, ratio
from pvg.language.engine import Request
from pvg.language.models import load, make_tiny
from pvg.language.sampler import TorchEngine

SLOTS, WORDS, FIRST = 512, 61, 3  # the tokens before the first word are no words
EQUAL, MEAN, MOST = 32, 16, 64  # tokens of an answer: of all, or on average and at most
NEVER = -1  # no token has it, so that answers end where they are told to


def requests(mixed: bool, count: int, seed: int = 0) -> list[Request]:
    """Prompts, and for each how long its answer is to be."""
    chance = random.Random(seed)
    return [
        Request(
            key,
            tuple(FIRST + chance.randrange(WORDS) for _ in range(chance.randint(8, 24))),
            min(MOST, int(chance.expovariate(1 / MEAN)) + 1) if mixed else EQUAL,
            seed=key,
        )
        for key in range(count)
    ]


class Own:
    """The own sampler."""

    def __init__(self, folder: str, slots: int = SLOTS):
        self.engine = TorchEngine(folder, slots=slots)
        self.engine.end = NEVER

    def __call__(self, asked: list[Request]) -> dict[int, list[int]]:
        """Answers by key."""
        self.engine.submit(asked)
        found: dict[int, list[int]] = {}
        while len(found) < len(asked):
            found |= {sample.key: sample.tokens for sample in self.engine.poll()}
        return found


class Theirs:
    """``generate``, in batches."""

    def __init__(self, folder: str, batch: int = SLOTS):
        from transformers import GenerationConfig

        self.model, self.batch = load(folder), batch
        self.model.generation_config = GenerationConfig(pad_token_id=0)  # the model's own has an end token

    @torch.inference_mode()
    def __call__(self, asked: list[Request]) -> dict[int, list[int]]:
        """Answers by key."""
        from transformers import GenerationConfig

        found: dict[int, list[int]] = {}
        for at in range(0, len(asked), self.batch):
            some = asked[at : at + self.batch]
            tokens, there = (_left(rows) for rows in zip(*((r.prompt, (1,) * len(r.prompt)) for r in some)))
            lengths = torch.tensor([r.most for r in some])
            how = GenerationConfig(do_sample=True, top_k=0, max_new_tokens=int(lengths.max()), pad_token_id=0)
            begun = tokens.shape[1]

            def ended(so_far: Tensor, _: Any, begun: int = begun, lengths: Tensor = lengths) -> Tensor:
                return so_far.shape[1] - begun >= lengths

            drawn = self.model.generate(
                tokens, attention_mask=there, generation_config=how, stopping_criteria=[ended]
            )
            found |= {r.key: row[begun : begun + r.most].tolist() for r, row in zip(some, drawn)}
        return found


def _left(rows: tuple[tuple[int, ...], ...]) -> Tensor:
    padded = [torch.tensor(row) for row in rows]
    return torch.nn.utils.rnn.pad_sequence(padded, batch_first=True, padding_side="left")


def compare(
    seconds: float, repeats: tuple[int, int], slots: int = SLOTS
) -> dict[str, dict[str, list[float]]]:
    """Tokens per CPU-second of both, one entry a repeat, by kind of lengths.

    Args:
        seconds: of CPU time for each kind.
        repeats: fewest and most.
    """
    with TemporaryDirectory() as folder:
        make_tiny(folder, [f"w{i}" for i in range(WORDS)], context=24 + MOST)
        own, theirs = Own(folder, slots), Theirs(folder, slots)
        found = {}
        for kind, count in (("equal", slots), ("mixed", 4 * slots)):
            asked = requests(kind == "mixed", count)
            sides = {
                name: lambda side=side, asked=asked: float(sum(map(len, side(asked).values())))
                for name, side in (("own", own), ("transformers", theirs))
            }
            found[kind] = rates(sides, seconds=seconds, repeats=repeats)
        return found


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampler", description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=30, help="CPU time to spend, about")
    how = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found = compare(how.seconds / 2, (3, 9))
    table = Table(title=f"tokens per CPU-second, {SLOTS} at once, medians", title_justify="left")
    for column in ("answers", "own sampler", "transformers", "ratio"):
        table.add_column(column, justify="left" if column == "answers" else "right")
    figures: dict[str, float] = {}
    for kind, end in (("equal", ""), ("mixed", "_mixed")):
        own, theirs = found[kind].values()
        each = median(own), median(theirs), ratio(own, theirs)
        names = "tokens_per_s", "transformers_tokens_per_s", "ratio"
        figures |= {name + end: round(x, 2) for name, x in zip(names, each)}
        table.add_row(f"{kind} lengths", f"{each[0]:,.0f}", f"{each[1]:,.0f}", f"{each[2]:.2f}")
    Console().print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
