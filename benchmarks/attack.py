"""Planning against sampling: ``python -m benchmarks.attack [--row hard-2-taught] [--seeds 5] [--budget 256]``.

Verifiers of a row of ``benchmarks.results`` (which trains those that are not there) are attacked on the same held-out
false claims, with the same number of calls of the verifier for each claim.  The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks import results
from benchmarks.measure import interval
from pvg.agents.agent import Agent
from pvg.attacks import best_of
from pvg.checkpoint import load
from pvg.envs.exchange import ExchangeEnv
from pvg.evaluation import false_claims
from pvg.exchange_program import build_agents
from pvg.memory import keep_memory
from pvg.planned_attack import PlannedProver

Attacked = Callable[[ExchangeEnv, Mapping[str, Agent], Tensor], Tensor]


def attacks(budget: int) -> dict[str, Attacked]:
    """What is compared, by name."""
    return {
        "best of n, its own prover": partial(best_of, budget=budget),
        "best of n, any message": partial(best_of, budget=budget, even=True),
        "planned, not led": PlannedProver(budget=budget, temperature=None, width=2),
        "planned": PlannedProver(budget=budget),
    }


def trained(folder: Path) -> tuple[ExchangeEnv, dict[str, Agent]]:
    """A run's environment and agents."""
    config = OmegaConf.load(folder / "config.yaml")
    config.checkpoint = str(folder)
    torch.manual_seed(0)
    env = instantiate(config.env, device="cpu", _convert_="object")
    agents = build_agents(config, env)  # type: ignore[arg-type]
    saved = load(folder)["trainer"]["agents"]
    for agent in agents.values():
        agent.take(saved)
    return env, agents


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    parser.add_argument("--row", default="hard-2-taught", help="of benchmarks.results")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=256, help="calls of the verifier a claim")
    parser.add_argument("--most", type=int, default=250, help="false claims")
    parser.add_argument("--runs", type=Path, help="where the runs are; they are not trained then")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    keep_memory()
    row = next(r for rows in results.TABLES.values() for r in rows if r.name == chosen.row)
    found: dict[str, list[float]] = {}
    for seed in range(chosen.seeds):
        if chosen.runs is None:
            results.run(row, seed)
        env, agents = trained((chosen.runs or results.FOLDER) / row.name / str(seed))
        index = false_claims(env, chosen.most)
        for name, attack in attacks(chosen.budget).items():
            share = float(attack(env, agents, index).double().mean())
            found.setdefault(name, []).append(share)
            print(f"seed {seed}, {name}: {100 * share:.1f} %", flush=True)
    show(
        found, f"{chosen.row}: accepted false claims, percent; {chosen.budget} calls of the verifier a claim"
    )


def show(found: Mapping[str, list[float]], title: str) -> None:
    """Print the table, and the JSON object."""
    planned = found["planned"]
    out = Table(title=title, title_justify="left")
    out.add_column("attack")
    for column in (*(f"seed {s}" for s in range(len(planned))), "mean", "planned − this, paired, 95 %"):
        out.add_column(column, justify="right")
    summary = {}
    for name, shares in found.items():
        cells = [f"{100 * share:.1f}" for share in (*shares, statistics.mean(shares))]
        gap = ""
        if name != "planned":
            mean, half = interval([100 * (p - s) for p, s in zip(planned, shares, strict=True)])
            gap, summary[name] = f"{mean:+.1f} ± {half:.1f}", [round(mean, 2), round(half, 2)]
        out.add_row(name, *cells, gap)
    Console(width=140).print(out)
    print(json.dumps({"A10": summary}))


if __name__ == "__main__":
    main()
