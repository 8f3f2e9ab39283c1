"""How fast width-based planning is: interactions per CPU-second of one core, beside the original code's.

Then, where ale-py is installed, what ``benchmarks.atari`` measures of speed.  The last line is one JSON object: ``A7``
the rate of Rollout-IW with most trees, on its slowest level, and how many times the original's rate π-IW reaches; and
``A8`` the share of the raw emulator loop's rate that planning on Pong keeps.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import atari
from benchmarks.measure import Work, rates
from pvg.envs.gridworld import Gridworld
from pvg.memory import keep_memory
from pvg.planning.networks import Mnih
from pvg.planning.play import Play
from pvg.planning.rollout import PiIW, RolloutIW
from pvg.planning.simulator import EnvSimulator, Guided
from pvg.trainers.planning import Imitation, Planning

# What the code of Junyent, Jonsson and Gómez (2019) reaches, measured by us: Rollout-IW on these grids, and π-IW
# with the network of Mnih et al. (2013) on 84 x 84 pixels, training on.
PEER_ROLLOUTS, PEER_LEARNING = (3200, 3550), (516, 530)
LEVELS, TREES, BUDGET = ("path", "maze2"), (1, 16, 64, 256), 50
BOUND, RATIO = 100_000, 3.0


@dataclass(frozen=True)
class Effort:
    """CPU-seconds a figure, and repeats at least and at most; the same of the emulator."""

    seconds: float
    repeats: tuple[int, int]
    atari: tuple[float, tuple[int, int]]


FULL, QUICK = Effort(12, (5, 40), (60, (3, 15))), Effort(2, (2, 5), (5, (1, 1)))


def rolling(level: str, trees: int) -> Work:
    """Rollout-IW deciding in as many games, with subtrees kept; once, or more often where that is little."""
    play = Play(RolloutIW(EnvSimulator(Gridworld(level, games=8)), trees=trees, budget=BUDGET))

    def work() -> int:
        before = play.planner.interactions
        for _ in range(max(1, 128 // trees)):
            play.step()
        return play.planner.interactions - before

    return work


def learning(level: str, games: int) -> Work:
    """π-IW on pixels, learning as much as the original: a step of 32 decisions after every one decision."""
    torch.manual_seed(0)
    env = Gridworld(level, games=games)
    base = EnvSimulator(env)
    net = Mnih((env.height, env.width), 5, base.actions, observation="grid")
    planner = PiIW(Guided(base, net.tell), trees=games, budget=BUDGET)
    how = Imitation(updates=games, batch=32, first=games)
    trainer = Planning(planner, net, imitation=how, decisions=1)

    def work() -> int:
        before, trainer.iterations = planner.interactions, trainer.iteration + 1
        trainer.train()
        return planner.interactions - before

    return work


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    figure: float
    peer: tuple[int, int]
    bound: float | None = None


def measure(effort: Effort) -> Iterator[Row]:
    """All figures."""
    for trees in TREES:
        sides = {level: rolling(level, trees) for level in LEVELS}
        for level, found in rates(sides, seconds=effort.seconds, repeats=effort.repeats).items():
            bound = BOUND if trees == max(TREES) else None
            yield Row(f"Rollout-IW, {level}, {trees} trees", median(found), PEER_ROLLOUTS, bound)
    found = rates({"learning": learning("path", 64)}, seconds=effort.seconds, repeats=effort.repeats)
    bound = RATIO * sum(PEER_LEARNING) / 2
    yield Row("π-IW learning, Mnih network, path, 64 games", median(found["learning"]), PEER_LEARNING, bound)


def show(rows: list[Row]) -> None:
    """Print the table."""
    out = Table(title=f"interactions per CPU-second, medians; budget {BUDGET}", title_justify="left")
    for column in ("what", "here", "original", "×", "at least", "met"):
        out.add_column(column, justify="left" if column == "what" else "right")
    for row in rows:
        low, high = row.peer
        met = "" if row.bound is None else "yes" if row.figure >= row.bound else "[bold]NO[/]"
        bound = "" if row.bound is None else f"{row.bound:,.0f}"
        times = f"{row.figure / ((low + high) / 2):.1f}"
        out.add_row(row.what, f"{row.figure:,.0f}", f"{low:,}-{high:,}", times, bound, met)
    Console().print(out)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a minute; rougher figures")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    keep_memory()
    effort = QUICK if chosen.quick else FULL
    rows = list(measure(effort))
    show(rows)
    slowest = min(row.figure for row in rows if row.bound == BOUND)
    ratio = rows[-1].figure / (sum(PEER_LEARNING) / 2)
    figures: dict[str, Any] = {"A7": [round(slowest), round(ratio, 2)]}
    if importlib.util.find_spec("ale_py"):
        seconds, repeats = effort.atari
        figures["A8"] = atari.speed("Pong", 32, False, seconds, repeats)["A8"]
    else:
        print("Without ale-py planning on Atari is not measured: pip install -e '.[atari]'.")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
