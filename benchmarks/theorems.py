"""The game of theorems: how fast it is played, and what each way to learn comes to.

``python -m benchmarks.theorems speed`` measures steps, candidates and episodes a second at batches of 1, 64 and 1024.
``python -m benchmarks.theorems arms --seeds 5`` trains every arm that learns with as many prover updates and at
most as many unifications, adds what is new to a file of results, and prints the table of all that is in it.
``python -m benchmarks.theorems ray --seeds 3`` compares the learning curves of both engines.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from torch import Tensor

from benchmarks.measure import interval
from pvg.adversarial_program import AdversarialProgram
from pvg.agents.theorem_players import ForwardProver, Generator
from pvg.agents.theorems import Scorer
from pvg.envs.candidates import NEAR, SIZE, SOLVES
from pvg.envs.theory import Theory
from pvg.run import CONFIGS

BATCHES = (1, 64, 1024)
COMMON = (  # of all arms
    "trainer.iterations=60",
    "trainer.warm=20",
    "trainer.games=16",
    "trainer.attempts=2",
    "trainer.unifications=1500000",
    "trainer.imitation.updates=16",
    "trainer.every=0",
)
ARMS: dict[str, tuple[str, ...]] = {
    "untrained": ("trainer.setup=none", "trainer.warm=0"),
    "search": ("trainer.setup=none", "trainer.warm=0"),
    "supervised": ("trainer.setup=prover_only",),
    "random, all goals": ("trainer.setup=fixed_generator",),
    "random, failed goals": ("trainer.setup=fixed_generator", "trainer.goals=failed"),
    "heuristic reward": ("trainer.setup=heuristic", "reward=size_by_depth"),
    "adversarial": (),
    "adversarial, no novelty": ("trainer.reward.novelty=0.0",),
    "adversarial, failed goals": ("trainer.goals=failed",),
    "adversarial, frontier": ("reward=frontier",),
    "frozen generator": ("trainer.setup=fixed_generator", "trainer.warm_generator=20"),
}
COLUMNS = ("pass@1", "pass@8", "failed", "distinct", "size", "unifications", "updates", "cpu_s")


class Smallest(ForwardProver):
    """Search without learning: what solves the goal or is nearest to that, the smallest of those, the oldest first."""

    def choose(self, td: Any, greedy: bool) -> Tensor:
        """See :class:`Player`."""
        solves, near, size = (td["features"][..., k] for k in (SOLVES, NEAR, SIZE))
        return (4 * solves + 2 * near - size).masked_fill(~td["mask"], -torch.inf).argmax(-1)


def solved(prover: ForwardProver, theory: Theory, budget: int) -> float:
    """The share of held-out theorems that are proved in so many steps."""
    made = prover.prove(theory.held_out, budget, greedy=True)
    return sum(a.solved for a in made) / len(made)


def settings(name: str) -> list[str] | None:
    """What an arm changes; None if there is no such arm (any more)."""
    return [*COMMON, *ARMS[name]] if name in ARMS else None


def arm(name: str, seed: int) -> dict[str, Any]:
    """Train one arm with one seed; its figures."""
    start = time.process_time()
    overrides = ["experiment=adversarial", f"seed={seed}", *COMMON, *ARMS[name]]
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        program = AdversarialProgram(compose("run", overrides))
    program._build()
    trainer, rows = program.trainer, []
    if name == "search":  # as many nodes as one attempt has, and as eight have
        prover = Smallest(program.theory, trainer.scorers["prover"])
        once, often = (solved(prover, program.theory, n * program.theory.moves) for n in (1, trainer.samples))
        found = {"pass@1": once, "pass@8": often}
    else:
        program._trainer().train(lambda _, metrics: rows.append(metrics))
        found = trainer.judge()
    last = [row for row in rows if "prover/failed" in row][-10:]
    return {
        "arm": name,
        "seed": seed,
        "settings": settings(name),
        "pass@1": found["pass@1"],
        "pass@8": found["pass@8"],
        "failed": mean(row["prover/failed"] for row in last),
        "size": mean(row["generator/size"] for row in last),
        "distinct": len(trainer.seen),
        "unifications": trainer.calls,
        "updates": trainer.factory.imitation.updates * sum("prover/loss" in row for row in rows),
        "cpu_s": round(time.process_time() - start, 1),
    }


class Counted:
    """Counts the candidates of the games that a player has played."""

    candidates = 0

    def _play(self, env: Any, greedy: bool) -> None:
        super()._play(env, greedy)  # type: ignore[misc]
        self.candidates += sum(len(game.known) for game in env.games)


class CountedGenerator(Counted, Generator):
    """A generator whose candidates are counted."""


class CountedProver(Counted, ForwardProver):
    """A prover whose candidates are counted."""


def mean(values: Iterable[float]) -> float | None:
    """The mean, None of nothing."""
    values = list(values)
    return sum(values) / len(values) if values else None


def show(name: str, values: Sequence[float | None]) -> str:
    """A cell of the table."""
    there = [v for v in values if v is not None]
    if not there:
        return "–"
    middle, half = interval(there)
    if name.startswith("pass") or name == "failed":
        return f"{100 * middle:.1f} ± {100 * half:.1f} %" if half == half else f"{100 * middle:.1f} %"
    return f"{middle:,.0f}" if name != "size" else f"{middle:.1f}"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """All arms as a Markdown table, and how much better than each arm the adversarial one is, paired by seed."""
    by_arm: dict[str, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        by_arm[row["arm"]][row["seed"]] = row
    lines = [f"| arm | seeds | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 2) + "|"]
    for name in ARMS:
        if name in by_arm:
            own = by_arm[name]
            cells = [show(c, [own[s][c] for s in sorted(own)]) for c in COLUMNS]
            lines.append(f"| {name} | {len(own)} | {' | '.join(cells)} |")
    lines += ["", "| adversarial less | pass@1 | pass@8 |", "|---|---|---|"]
    best = by_arm.get("adversarial", {})
    for name in ARMS:
        both = sorted(set(best) & set(by_arm.get(name, {})))
        if name != "adversarial" and both:
            cells = [show(c, [best[s][c] - by_arm[name][s][c] for s in both]) for c in ("pass@1", "pass@8")]
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def arms(options: argparse.Namespace) -> None:
    """Run what the file of results lacks, seed after seed, and print the table; rows of other settings don't count."""
    path = options.results
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    rows = [row for row in saved if row.get("settings") == settings(row["arm"])]
    if len(rows) < len(saved):
        print(f"{path}: {len(saved) - len(rows)} rows are of other settings and left out.")
    done = {(row["arm"], row["seed"]) for row in rows}
    for seed in range(options.seeds):
        for name in options.arms or ARMS:
            if (name, seed) not in done:
                rows.append(arm(name, seed))
                print(json.dumps(rows[-1]), flush=True)
                with path.open("a") as file:
                    file.write(json.dumps(rows[-1]) + "\n")
    print(table(rows))


# ------------------------------------------------------------------------ both engines
ENGINES = ("sequential", "ray")
CURVE = (  # short, with one worker of each role
    "trainer.iterations=16",
    "trainer.warm=4",
    "trainer.games=8",
    "trainer.attempts=2",
    "trainer.every=8",
    "trainer.samples=2",
    "env.moves=6",
)


def curve(engine: str, seed: int) -> dict[str, float]:
    """The learning curve of one run: imitation loss by prover updates, and the held-out theorems."""
    start = time.monotonic()
    with initialize_config_dir(CONFIGS, version_base="1.3"):
        program = AdversarialProgram(
            compose("run", ["experiment=adversarial", f"engine={engine}", f"seed={seed}", *CURVE])
        )
    program._build()
    trainer, found, losses = program._trainer(), {}, []
    updates = program.trainer.factory.imitation.updates

    def report(iteration: int, metrics: Mapping[str, float]) -> None:
        losses.append(metrics["prover/loss"])
        if iteration % 4 == 0:
            found[f"loss, {updates * iteration} updates"] = sum(losses[-4:]) / 4
        if "held_out/pass@1" in metrics:
            found[f"pass@1, {updates * iteration} updates"] = metrics["held_out/pass@1"]

    try:
        trainer.train(report)
        found[f"pass@1, {updates * trainer.iterations} updates"] = trainer.judge()["pass@1"]
    finally:
        if trainer.engine is not None:
            trainer.engine.close()
    return found | {"seconds": time.monotonic() - start}


def ray(options: argparse.Namespace) -> None:
    """Both engines with the same settings: is their difference no more than that of seeds?"""
    rows: dict[str, list[dict[str, float]]] = {engine: [] for engine in ENGINES}
    for seed in range(options.seeds):
        for engine in ENGINES:
            rows[engine].append(curve(engine, seed))
            print(engine, seed, json.dumps(rows[engine][-1]), flush=True)
    print(compare(rows))


def compare(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A table of both engines, mean (least to most over seeds); and whether their means lie within that spread."""
    lines = ["| | sequential | ray | means differ by | seeds by |", "|---|---|---|---|---|"]
    within = True
    for name in rows["sequential"][0]:
        values = [[row[name] for row in rows[engine]] for engine in ENGINES]
        means = [sum(some) / len(some) for some in values]
        cells = [f"{m:.3f} ({min(some):.3f} to {max(some):.3f})" for m, some in zip(means, values)]
        apart, spread = abs(means[0] - means[1]), max(max(some) - min(some) for some in values)
        if name != "seconds":
            within = within and apart <= spread
        cells += [f"{apart:.3f}", f"{spread:.3f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{'Within' if within else 'Not within'} seed spread."])


# ------------------------------------------------------------------------ speed
def speed(options: argparse.Namespace) -> None:
    """Untrained agents play; all figures are per CPU-second of one thread."""
    print(
        "| batch | role | episodes/s | steps/s | candidates/s | unifications/s |\n|---|---|---|---|---|---|"
    )
    for batch in options.batches:
        for role in ("generator", "prover"):
            theory = Theory(moves=8)
            scorer, library = Scorer(theory.library), theory.library
            torch.manual_seed(0)
            goals = [p.goal for p in theory.proofs if p.goal is not None]
            count = max(batch, options.least)
            goals = (goals * (count // len(goals) + 1))[:count]
            calls, start = library.calls, time.process_time()
            player: CountedGenerator | CountedProver
            if role == "generator":
                player = CountedGenerator(theory, scorer, batch)
                steps = sum(map(len, player.generate(count)))
            else:
                player = CountedProver(theory, scorer, batch)
                steps = sum(len(a.moves) for a in player.prove(goals, 8))
            spent = time.process_time() - start
            found = (count, steps, player.candidates, library.calls - calls)
            rates = [number / spent for number in found]
            print(f"| {batch} | {role} | {' | '.join(f'{rate:,.0f}' for rate in rates)} |", flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Do what is asked for."""
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.theorems", description=__doc__.split("\n\n")[0]
    )
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("speed")
    one.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    one.add_argument("--least", type=int, default=32, help="episodes at least")
    one.set_defaults(do=speed)
    one = commands.add_parser("arms")
    one.add_argument("--seeds", type=int, default=5)
    one.add_argument("--arms", nargs="+", choices=list(ARMS))
    one.add_argument("--results", type=Path, default=Path("runs/theorems.jsonl"))
    one.set_defaults(do=arms)
    one = commands.add_parser("ray")
    one.add_argument("--seeds", type=int, default=3)
    one.set_defaults(do=ray)
    options = parser.parse_args(arguments)
    options.do(options)


if __name__ == "__main__":
    main()
