"""What width search finds on the key-and-door levels: ``python -m benchmarks.width``.

Without arguments: nodes until the door is first opened, of IW(2) and of hierarchical IW.  ``--learn LEVEL`` trains π-IW
there for so many interactions, and plays Rollout-IW with as many beside it.  The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import torch

from pvg.envs.gridworld import LEVELS, Gridworld
from pvg.planning.breadth import IW
from pvg.planning.hierarchical import HierarchicalIW
from pvg.planning.networks import GridNet
from pvg.planning.planner import Planner
from pvg.planning.rollout import PiIW, RolloutIW
from pvg.planning.simulator import EnvSimulator, Guided
from pvg.trainers.planning import Imitation, Planning

BUDGET, MOST = 50, 2000
NEAR = [
    "WWWWWWWWWW",
    "WD.......W",
    *["W........W"] * 4,
    "W......K.W",
    "W.......HW",
    "W........W",
    "WWWWWWWWWW",
]


def nodes_until_paid(planner: Planner) -> list[float]:
    """Of each tree, the number of nodes until the first that is paid; infinite where none is."""
    planner.begin(planner.simulator.initial(planner.trees))
    planner.plan()
    paid = (planner.forest.paid > 0).view(planner.trees, -1)
    return torch.where(paid.any(1), paid.float().argmax(1).float(), torch.inf).tolist()


def compare(level: str | list[str], trees: int, seed: int) -> dict[str, Any]:
    """Nodes of both planners."""
    simulator = EnvSimulator(Gridworld(level, games=2), check=False)
    flat = nodes_until_paid(IW(simulator, trees=1, budget=MOST, capacity=MOST + 1, width=2))[0]
    how = {"trees": trees, "budget": MOST, "capacity": MOST + 1, "seed": seed}
    found = torch.tensor(nodes_until_paid(HierarchicalIW(simulator, **how)))
    told = {"mean": found.mean(), "spread": found.std(), "fewer": (found < flat).float().sum()}
    return {"iw2": flat} | {name: round(float(value), 1) for name, value in told.items()}


def learn(level: str, games: int, interactions: int, seed: int) -> dict[str, Any]:
    """Both planners' last episodes, after so many interactions."""
    found = {}
    for name in ("pi_iw", "rollout_iw"):
        begin = time.process_time()
        torch.manual_seed(seed)
        base, net = EnvSimulator(Gridworld(level, games=games)), None
        planner: Planner
        if name == "pi_iw":
            net = GridNet((base.env.height, base.env.width), base.atoms_shape[1], base.actions)
            planner = PiIW(Guided(base, net.tell), trees=games, budget=BUDGET, seed=seed)
        else:
            planner = RolloutIW(base, trees=games, budget=BUDGET, seed=seed)
        trainer = Planning(planner, net, imitation=Imitation(updates=8), decisions=1, seed=seed)
        while planner.interactions < interactions:
            trainer.iterations = trainer.iteration + 20
            trainer.train()
            said = {k: round(v, 3) for k, v in trainer.recent().items()}
            print(name, f"{planner.interactions:,}", said, flush=True)
        found[name] = trainer.recent() | {"cpu_s": round(time.process_time() - begin)}
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.width", description=__doc__.split("\n")[0])
    parser.add_argument("--levels", nargs="*", default=[level for level in LEVELS if level != "xl"])
    parser.add_argument("--trees", type=int, default=16)
    parser.add_argument("--learn", choices=LEVELS, help="train there instead")
    parser.add_argument("--games", type=int, default=32, help="at once, in training")
    parser.add_argument("--interactions", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=0)
    how = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if how.learn:
        print(json.dumps({how.learn: learn(how.learn, how.games, how.interactions, how.seed)}))
        return
    maps: dict[str, Any] = {"near": NEAR} | {level: level for level in how.levels}
    found = {}
    for name, level in maps.items():
        found[name] = compare(level, how.trees, how.seed)
        print(name, found[name], flush=True)
    print(json.dumps({"A3": found}))


if __name__ == "__main__":
    main()
