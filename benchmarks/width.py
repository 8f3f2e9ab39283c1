"""What width search finds on the key-and-door levels: ``python -m benchmarks.width``.

Without arguments: nodes until the door is first opened, of IW(1), of IW(2), breadth first and depth first, and of
hierarchical IW.  ``--play LEVEL`` plays 200 episodes of Rollout-IW there, for each of three seeds.  ``--learn LEVEL``
trains π-IW for so many interactions, and plays Rollout-IW with as many beside it.  The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from pvg.envs.gridworld import LEVELS, Gridworld
from pvg.planning.breadth import IW
from pvg.planning.hierarchical import HierarchicalIW
from pvg.planning.networks import GridNet
from pvg.planning.planner import Planner
from pvg.planning.play import play_episodes
from pvg.planning.rollout import PiIW, RolloutIW
from pvg.planning.simulator import EnvSimulator, Guided, rows
from pvg.trainers.planning import Imitation, Planning

BUDGET, MOST = 50, 2000
EPISODES, SEEDS = 200, (0, 1, 2)


class DepthFirst(RolloutIW):
    """IW(k) in the order of the hierarchy's lower level: where a rollout ends, the nearest open node above is next."""

    def _judge(self, trees: Tensor, nodes: Tensor, fresh: Tensor, new: Tensor) -> Tensor:
        forest = self.forest
        atoms, came = self.simulator.atoms(rows(forest.states, nodes)), nodes - forest.roots[trees]
        novel, self.witness[nodes] = self.novelty.visit(trees, atoms, came.int(), fresh, new)
        return novel

    def _starts(self, trees: Tensor) -> Tensor:
        forest = self.forest
        at = self.edge[trees] // self.simulator.actions
        while (up := forest.solved[at] & (at != forest.roots[trees])).any():
            at = torch.where(up, forest.edge[at] // self.simulator.actions, at)
        return at


def nodes_until_paid(planner: Planner) -> list[float]:
    """Of each tree, the number of nodes until the first that is paid; infinite where none is."""
    planner.begin(planner.simulator.initial(planner.trees))
    planner.plan()
    paid = (planner.forest.paid > 0).view(planner.trees, -1)
    return torch.where(paid.any(1), paid.float().argmax(1).float(), torch.inf).tolist()


def compare(level: str, trees: int, seed: int) -> dict[str, Any]:
    """Nodes of every planner; None of IW(1) where it finds nothing."""
    simulator = EnvSimulator(Gridworld(level, games=2), check=False)
    one, flat = (
        nodes_until_paid(IW(simulator, trees=1, budget=MOST, capacity=MOST + 1, width=width))[0]
        for width in (1, 2)
    )
    how = {"trees": trees, "budget": MOST, "capacity": MOST + 1, "seed": seed}
    deep = torch.tensor(nodes_until_paid(DepthFirst(simulator, width=2, **how)))
    found = torch.tensor(nodes_until_paid(HierarchicalIW(simulator, **how)))
    told = {"mean": found.mean(), "spread": found.std(), "fewer": (found < flat).float().sum()}
    told |= {"depth_first": deep.mean(), "depth_first_spread": deep.std()}
    known = {"iw1": None if one == torch.inf else one, "iw2": flat}
    return known | {name: round(float(value), 1) for name, value in told.items()}


def play(level: str, seed: int) -> dict[str, float]:
    """One episode of Rollout-IW in each of many trees: the share solved, and steps on average, of all episodes."""
    simulator = EnvSimulator(Gridworld(level, games=8), check=False)
    found = play_episodes(RolloutIW(simulator, trees=EPISODES, budget=BUDGET, seed=seed))
    return {"success": found.success(), "length": round(mean(found.lengths), 1)}


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
    parser.add_argument("--play", choices=LEVELS, help="play there instead")
    parser.add_argument("--learn", choices=LEVELS, help="train there instead")
    parser.add_argument("--games", type=int, default=32, help="at once, in training")
    parser.add_argument("--interactions", type=int, default=2_000_000)
    parser.add_argument("--seed", type=int, default=0)
    how = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if how.play:
        played = [play(how.play, seed) for seed in SEEDS]
        for seed, told in zip(SEEDS, played, strict=True):
            print(
                f"Rollout-IW, {how.play}, budget {BUDGET}, {EPISODES} episodes, seed {seed}: {told}",
                flush=True,
            )
        print(json.dumps({"A2": {how.play: played}}))
        return
    if how.learn:
        print(json.dumps({how.learn: learn(how.learn, how.games, how.interactions, how.seed)}))
        return
    found = {}
    for level in how.levels:
        found[level] = compare(level, how.trees, how.seed)
        print(level, found[level], flush=True)
    print(json.dumps({"A3": found}))


if __name__ == "__main__":
    main()
