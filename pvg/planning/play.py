"""Whole episodes of planned games."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from pvg.planning.planner import Planner


@dataclass
class Episodes:
    """Episodes that have ended: their undiscounted return and their length in steps."""

    returns: list[float] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)

    def success(self) -> float:
        """Share with a positive return."""
        return sum(r > 0 for r in self.returns) / len(self.returns)


class Play:
    """Plays the planner's games step by step.

    Args:
        planner: plans in all games.
        longest: steps of a game at most.
        again: a game that has ended is followed by a new one; otherwise its place stays idle.

    Attributes:
        episodes: what has ended so far.
        playing: bool ``[games]``, which places are not idle.
        paid: float ``[games]``, what the last step has paid.
    """

    def __init__(self, planner: Planner, longest: int = 200, again: bool = True):
        self.planner, self.longest, self.again = planner, longest, again
        self.episodes = Episodes()
        planner.begin(planner.simulator.initial(planner.trees))
        self.length = torch.zeros_like(planner.forest.count)
        self.earned = torch.zeros(planner.trees, device=self.length.device)
        self.paid = torch.zeros_like(self.earned)
        self.playing = torch.ones_like(self.length, dtype=torch.bool)

    def step(self) -> tuple[Tensor, Tensor]:
        """Plan once and act in every game: the returns of the root's actions ``[games, actions]``, and who ended."""
        planner = self.planner
        returns = planner.plan()
        self.paid, done = planner.follow(planner.choose(returns))
        self.length += 1
        self.earned += self.paid
        ended = self.playing & (done | (self.length >= self.longest))
        places = ended.nonzero().squeeze(1)
        if len(places):
            self.episodes.returns += self.earned[places].tolist()
            self.episodes.lengths += self.length[places].tolist()
            self.earned[places], self.length[places] = 0.0, 0
            if self.again:
                planner.begin(planner.simulator.initial(len(places)), places)
            else:
                self.playing &= ~ended
                planner.rest(places)
        return returns, ended


def play_episodes(planner: Planner, longest: int = 200) -> Episodes:
    """One episode in every tree."""
    play = Play(planner, longest, again=False)
    while play.playing.any():
        play.step()
    return play.episodes
