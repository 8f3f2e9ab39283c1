"""How much planning adds to the emulator, and how well it plays: ``python -m benchmarks.atari``.

Speed: nodes per CPU-second of Rollout-IW with tile colours, beside a raw loop of the emulator that does what any
planner must (restore a state, act for 15 frames, read the screen, clone the state), by turns in one process.  Both
go through states of the same game, and a node of ours also has its tiles' colours, its novelty and its place in a tree.

``--play Pong Freeway`` plays episodes as well, with a budget of steps a decision; one game for each seed, all in
one planner.  A game of Pong is some hundreds of decisions; at a budget of 100 they take minutes.

The last line is one JSON object: ``A8`` the share of the raw loop's rate that planning keeps, with both rates; ``A9``
the returns of what was played, by game.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from statistics import mean, median
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.measure import rates, ratio
from pvg.envs.atari import Atari
from pvg.envs.atari_emulators import find_game
from pvg.memory import keep_memory
from pvg.planning.ale import AtariSimulator
from pvg.planning.play import Play
from pvg.planning.rollout import RolloutIW

BUDGET, FRAMESKIP = 100, 15
PEER = 1159  # nodes per CPU-second of the raw loop on Pong, on the machine where the limits were written
RANDOM = {
    "Pong": -20.7,
    "Freeway": 0.0,
    "Breakout": 1.7,
    "MsPacman": 307.0,
}  # returns of random play, published


class Raw:
    """The emulator alone.

    Args:
        game: its name.
        states: of random play, how many to go back to.
    """

    def __init__(self, game: str, states: int = 200):
        from ale_py import ALEInterface, LoggerMode

        ALEInterface.setLoggerMode(LoggerMode.Error)
        self.chance, self.emulator = random.Random(0), ALEInterface()
        self.emulator.setFloat("repeat_action_probability", 0.0)
        self.emulator.setInt("frame_skip", FRAMESKIP)
        self.emulator.loadROM(find_game(game))
        self.emulator.reset_game()
        self.actions = self.emulator.getMinimalActionSet()
        self.states = []
        while len(self.states) < states:
            self.states.append(self.emulator.cloneState())
            self.emulator.act(self.chance.choice(self.actions))
            if self.emulator.game_over():
                self.emulator.reset_game()

    def __call__(self, nodes: int) -> float:
        """Make so many nodes."""
        emulator, chance = self.emulator, self.chance
        for _ in range(nodes):
            emulator.restoreState(chance.choice(self.states))
            emulator.act(chance.choice(self.actions))
            emulator.getScreen()
            emulator.cloneState()
        return float(nodes)


class Planned:
    """Rollout-IW, which plays on and on."""

    def __init__(self, game: str, trees: int, frames: bool):
        self.simulator = AtariSimulator(Atari(game, frames=frames, tiles=True, frameskip=FRAMESKIP))
        self.play = Play(RolloutIW(self.simulator, trees=trees, budget=BUDGET), longest=10**6)

    def __call__(self) -> float:
        """One decision in every game; how many nodes that has made."""
        planner = self.play.planner
        before = planner.interactions
        self.play.step()
        return float(planner.interactions - before)


def compare(game: str, trees: int, frames: bool, seconds: float, repeats: tuple[int, int]) -> dict[str, Any]:
    """Nodes per CPU-second of both, one entry a repeat, and how many states did not need to be restored."""
    raw, planned = Raw(game), Planned(game, trees, frames)
    sides = {"raw": lambda: raw(trees * BUDGET), "planning": planned}
    found: dict[str, Any] = dict(rates(sides, seconds=seconds, repeats=repeats))
    emulators = planned.simulator.env.emulators
    found["skipped"] = emulators.skipped / (emulators.skipped + emulators.restored)
    return found


def speed(
    game: str, trees: int, frames: bool, seconds: float, repeats: tuple[int, int] = (3, 15)
) -> dict[str, float]:
    """Compare, and print it: ``A8``, the share of the raw loop's rate that planning keeps, and both rates."""
    found = compare(game, trees, frames, seconds, repeats)
    figures = {"A8": round(ratio(found["planning"], found["raw"]), 3)}
    figures |= {name: round(median(found[name]), 1) for name in ("raw", "planning")}
    table = Table(
        title=f"nodes per CPU-second, {game}, {trees} trees, medians of {len(found['raw'])}",
        title_justify="left",
    )
    for column in ("", "nodes/s"):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("raw emulator loop", f"{figures['raw']:,.0f}")
    table.add_row("the same, where the limits were written (Pong)", f"{PEER:,}")
    table.add_row("Rollout-IW, tile colours", f"{figures['planning']:,.0f}")
    table.add_row("share kept (limit .85)", f"{figures['A8']:.3f}")
    table.add_row("states that needed no restoring", f"{found['skipped']:.0%}")
    Console().print(table)
    return figures


def play(game: str, budget: int, seeds: int, longest: int, seconds: float) -> dict[str, Any]:
    """One episode for each seed, or what of it fits in the time: returns so far, decisions, and whether all ended."""
    planner = RolloutIW(
        AtariSimulator(Atari(game, frames=False, tiles=True, frameskip=FRAMESKIP)), trees=seeds, budget=budget
    )
    games = Play(planner, longest)
    first = torch.ones(seeds, dtype=torch.bool)
    returns, decisions, begin = torch.zeros(seeds), torch.zeros(seeds), time.process_time()
    while first.any() and time.process_time() - begin < seconds:
        done = len(games.episodes.returns)
        ended = games.step()[1]
        now = games.earned.clone()
        now[ended] = torch.tensor(games.episodes.returns[done:])
        returns = torch.where(first, now, returns)
        decisions += first
        first &= ~ended
    return {
        "returns": [round(x, 1) for x in returns.tolist()],
        "mean": round(mean(returns.tolist()), 2),
        "decisions": [int(x) for x in decisions.tolist()],
        "whole": not bool(first.any()),
        "cpu_s": round(time.process_time() - begin),
    }


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.atari", description=__doc__.split("\n")[0])
    parser.add_argument("--game", default="Pong", help="to measure the speed with")
    parser.add_argument("--trees", type=int, default=32, help="games planned at once")
    parser.add_argument("--frames", action="store_true", help="keep four frames of 84 x 84 a node too")
    parser.add_argument(
        "--seconds", type=float, default=60, help="CPU time for the speed, about; 0 leaves it out"
    )
    parser.add_argument("--play", nargs="*", default=[], metavar="GAME")
    parser.add_argument("--budget", type=int, default=BUDGET, help="steps a decision, in play")
    parser.add_argument("--seeds", type=int, default=3, help="games, each with draws of its own")
    parser.add_argument(
        "--longest", type=int, default=18_000 // FRAMESKIP, help="decisions of an episode at most"
    )
    parser.add_argument("--limit", type=float, default=3600, help="CPU-seconds a game's play may take")
    how = parser.parse_args(arguments)
    torch.set_num_threads(1)
    keep_memory()
    figures: dict[str, Any] = {}
    if how.seconds:
        figures |= speed(how.game, how.trees, how.frames, how.seconds)
    for game in how.play:
        told = play(game, how.budget, how.seeds, how.longest, how.limit)
        figures.setdefault("A9", {})[game] = told
        random_play = f"; random play {RANDOM[game]}" if game in RANDOM else ""
        end = "" if told["whole"] else ", cut short"
        print(f"{game}: mean return {told['mean']} in {told['decisions']} decisions{end}{random_play}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
