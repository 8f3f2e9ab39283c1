"""How fast exchanges are played and learned: ``python -m benchmarks.exchange [--quick] [--only B3,B4]``.

Rates are useful turns (or pairs) per CPU-second of one thread, what is compared is run by turns, and figures are
medians.  The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import torch
from rich.console import Console
from rich.table import Table

from benchmarks import settings
from benchmarks.check import same_stream
from benchmarks.every_game import EveryGame
from benchmarks.measure import Work, rates, ratio
from benchmarks.plain_loop import PlainLoop
from pvg.agents.agent import Agent
from pvg.envs.exchange import ExchangeEnv
from pvg.envs.graphs import generate_pairs
from pvg.memory import keep_memory
from pvg.trainers.collect import Rollout

Figure = float | list[float]


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    what: str
    figure: str
    bound: str
    met: bool | None  # None: it has no bound


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seconds: float  # CPU time a comparison
    repeats: tuple[int, int]  # fewest and most
    pairs: int  # in the table that games are drawn from
    steps: int  # of a call that collects, fewer where slots are many
    slots: tuple[int, ...]  # for B7
    steps_grown: int  # of an iteration there: whole games of 6 steps, so that all iterations are alike


FULL = Effort(20, (5, 100), 40_000, 16, (256, 1024, 4096, 16384), 12)
QUICK = Effort(0.3, (1, 8), 1_000, 4, (256, 1024), 6)


def collecting(env: ExchangeEnv, agents: dict[str, Agent], steps: int) -> Work:
    """Collecting as a side of a comparison.

    Its useful turns are counted by the live flags of the first call's last frames; counting is not timed.
    """
    rollout = Rollout(env, agents, steps)
    last = rollout.collect()[-2:]
    each = sum(int(last[agent, "observation", "live"].sum()) for agent in agents) / len(last)

    def work() -> float:
        rollout.collect()
        return each * rollout.steps

    return work


def playing(loop: PlainLoop) -> Work:
    """The plain loop as a side of a comparison."""

    def work() -> float:
        loop.collect()
        return 2 * loop.steps * loop.slots

    return work


def useful_share(effort: Effort) -> Iterator[Row | Figure]:
    """B1: of all forward passes after the first step."""
    env = settings.environment(256, pairs=effort.pairs)
    rollout = Rollout(env, settings.default_agents(env), 16)
    live = free = done = 0
    for call in range(4):
        batch = rollout.collect()[-rollout.steps :][call == 0 :]
        for name, agent in rollout.agents.items():
            seen = batch[name, "observation"]
            live, done = live + int(seen["live"].sum()), done + seen["live"].numel()
            free += int(agent.chooses(seen).sum())
    share = live / done
    yield Row(
        "B1",
        f"useful share of {done:,} forward passes, prover first, after step 1; with a choice to make, as the "
        f"verifier decides in the last round only: {free / done:.0%}",
        f"{share:.0%}",
        "100%",
        share == 1,
    )
    yield share


def interleaving(effort: Effort) -> Iterator[Row | Figure]:
    """B2: against every agent on every game."""
    sides = {}
    for kind in (settings.GraphIsomorphism, EveryGame):
        env = settings.environment(4096, pairs=effort.pairs, kind=kind)
        sides[kind.__name__] = collecting(env, settings.default_agents(env), effort.steps)
    ours, naive = rates(sides, seconds=effort.seconds, repeats=effort.repeats).values()
    times = ratio(ours, naive)
    what = (
        f"interleaved {median(ours):,.0f} turns/s, every agent on every game {median(naive):,.0f}; 4096 slots"
    )
    yield Row("B2", what, f"× {times:.2f}", "× 1.9", times >= 1.9)
    yield times


def against_plain(effort: Effort) -> Iterator[Row | Figure]:
    """B3: against a plain torch loop of the same networks."""
    found: list[float] = []
    same = same_stream(effort.pairs)
    for slots, bound in ((128, 0.5), (1024, 0.8), (4096, 0.9)):
        env = settings.environment(slots, pairs=effort.pairs)
        agents = settings.default_agents(env)
        steps = 16 if slots < 1000 else effort.steps
        sides = {
            "ours": collecting(env, agents, steps),
            "plain": playing(settings.plain_loop(env, agents, steps)),
        }
        ours, other = rates(sides, seconds=effort.seconds, repeats=effort.repeats).values()
        found.append(ratio(ours, other))
        what = f"collection {median(ours):,.0f} turns/s, plain torch loop {median(other):,.0f}; {slots} slots"
        what += "" if same else "; THE STREAMS DIFFER"
        yield Row("B3", what, f"{found[-1]:.2f}", f"{bound}", found[-1] >= bound and same)
    yield found


def against_peer(effort: Effort, name: str, training: bool) -> Iterator[Row | Figure]:
    """B4 and B5: training and collecting at the peer's settings.

    Ours have one body for acting and for the value throughout. Where the peer's script has two, a row without a
    bound says what ours get with two.
    """
    found: list[float] = []
    times, kind = (10, "training") if training else (5, "collection")
    for setting, peer in settings.PEER.items():
        theirs = peer.training if training else peer.collection
        for shared in (True,) if peer.shared or effort is QUICK else (True, False):
            env = settings.peer_environment(peer, effort.pairs)
            trainer = settings.peer_trainer(peer, env, shared)
            work = (lambda: settings.iterate(trainer)) if training else collecting(env, trainer.agents, 8)  # noqa: B023
            (ours,) = rates(
                {"ours": work}, seconds=effort.seconds, repeats=effort.repeats, warm=effort is FULL
            ).values()
            reached = median(ours) / theirs
            own = " / ".join(f"{n / 1000:.1f} k" for n in settings.parameters(trainer.agents).values())
            what = f"{kind} at {setting}{'' if shared else ', two bodies'}: {median(ours):,.0f} turns/s, "
            what += f"peer {theirs:,.0f}; parameters {own}, peer {peer.parameters}"
            if shared:
                found.append(reached)
                yield Row(name, what, f"× {reached:.1f}", f"× {times}", reached >= times)
            else:
                yield Row(name, what, f"× {reached:.1f}", "", None)
    yield found


def generation(effort: Effort) -> Iterator[Row | Figure]:
    """B6: hard pairs."""
    count = 20_000 if effort is FULL else 8_000
    seeds = iter(range(1000))

    def work() -> int:
        return len(generate_pairs(count, nodes=11, scores={2: 0.2, 3: 0.8}, seed=next(seeds)))

    (found,) = rates({"pairs": work}, seconds=effort.seconds, repeats=effort.repeats).values()
    what = "pairs/s, 11 nodes, negatives 20 % at WL score 2 and 80 % at 3 or more, labels proved"
    yield Row("B6", what, f"{median(found):,.0f}", "10,000", median(found) >= 10_000)
    yield median(found)


def growth(effort: Effort) -> Iterator[Row | Figure]:
    """B7: an iteration's time per turn as the batch grows."""
    sides: dict[str, Work] = {}
    for slots in effort.slots:
        trainer = settings.default_trainer(
            settings.environment(slots, pairs=effort.pairs), effort.steps_grown
        )
        trainer.rollout.collect()  # the first lacks some turns
        # narrow ones several times, for as many turns
        count = max(1, 512 // slots)
        sides[str(slots)] = lambda t=trainer, k=count: sum(settings.iterate(t) for _ in range(k))
    next(iter(sides.values()))()  # warms the code up
    found = rates(sides, seconds=effort.seconds, repeats=(min(effort.repeats[0], 3), 100), warm=False)
    each = [1e6 / median(x) for x in found.values()]
    names = list(found)
    grown = [1.0] + [1 / ratio(found[b], found[a]) for a, b in pairwise(names)]
    for k, (slots, time_each) in enumerate(zip(sides, each)):
        change = f" (× {grown[k]:.2f})" if k else ""
        met = time_each <= 1.05 * min(each[: k + 1])  # 5 % for noise
        yield Row(
            "B7", f"iteration, CPU-µs per turn, {slots} slots{change}", f"{time_each:.1f}", "not above", met
        )
    yield [round(x, 2) for x in each]


BENCHMARKS: dict[str, Callable[[Effort], Iterator[Row | Figure]]] = {
    "B1": useful_share,
    "B2": interleaving,
    "B3": against_plain,
    "B4": lambda effort: against_peer(effort, "B4", training=True),
    "B5": lambda effort: against_peer(effort, "B5", training=False),
    "B6": generation,
    "B7": growth,
}


def run(names: list[str], effort: Effort) -> tuple[list[Row], dict[str, Figure]]:
    """Measure; the rows of the table and the figures by name."""
    rows, figures, console = [], {}, Console(stderr=True)
    for name in names:
        start = time.perf_counter()
        for found in BENCHMARKS[name](effort):
            if isinstance(found, Row):
                rows.append(found)
            else:
                figures[name] = found
        gc.collect()
        console.print(f"{name}: {time.perf_counter() - start:.1f} s", style="dim")
    return rows, figures


VERDICT = {True: "yes", False: "[bold]NO[/]", None: ""}


def show(rows: list[Row]) -> None:
    """Print the table."""
    out = Table(title="turns per CPU-second of one thread, medians", title_justify="left")
    for column in ("", "what", "figure", "at least", "met"):
        out.add_column(column, justify="right" if column in ("figure", "at least") else "left")
    for row in rows:
        out.add_row(row.name, row.what, row.figure, row.bound, VERDICT[row.met])
    Console().print(out)


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a minute at most; rougher figures")
    parser.add_argument("--only", default=",".join(BENCHMARKS), help="some of them, e.g. B3,B4")
    chosen = parser.parse_args(arguments)
    names = chosen.only.split(",")
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    torch.set_num_threads(1)
    keep_memory()
    rows, figures = run(names, QUICK if chosen.quick else FULL)
    show(rows)
    print(
        json.dumps(
            {k: [round(x, 3) for x in v] if isinstance(v, list) else round(v, 3) for k, v in figures.items()}
        )
    )


if __name__ == "__main__":
    main()
