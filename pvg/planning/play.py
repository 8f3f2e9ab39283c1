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
    """Plays the planner's games step by step; a game that is over, or too long, is followed by a new one.

    Args:
        planner: plans in all games.
        longest: steps of a game at most.

    Attributes:
        episodes: what has ended so far.
    """

    def __init__(self, planner: Planner, longest: int = 200):
        self.planner, self.longest = planner, longest
        self.episodes = Episodes()
        planner.begin(planner.simulator.initial(planner.trees))
        self.length = torch.zeros(planner.trees, dtype=torch.int64, device=planner.simulator.device)
        self.earned = torch.zeros(planner.trees, device=planner.simulator.device)

    def step(self) -> tuple[Tensor, Tensor]:
        """Plan once and act in every game: the returns of the root's actions ``[trees, actions]``, and who ended."""
        planner = self.planner
        returns = planner.plan()
        paid, done = planner.follow(planner.choose(returns))
        self.length += 1
        self.earned += paid
        ended = done | (self.length >= self.longest)
        trees = ended.nonzero().squeeze(1)
        if len(trees):
            self.episodes.returns += self.earned[trees].tolist()
            self.episodes.lengths += self.length[trees].tolist()
            self.earned[trees], self.length[trees] = 0.0, 0
            planner.begin(planner.simulator.initial(len(trees)), trees)
        return returns, ended


def play_episodes(planner: Planner, longest: int = 200) -> Episodes:
    """One episode in every tree; what comes after its end does not count."""
    play = Play(planner, longest)
    first = torch.ones(planner.trees, dtype=torch.bool, device=planner.simulator.device)
    returns, lengths = torch.zeros_like(play.earned), torch.zeros_like(play.length)
    while first.any():
        earned, length = play.earned.clone(), play.length.clone()
        values, ended = play.step()
        del values, earned, length
        over = first & ended
        count = int(ended.sum())
        which = ended.nonzero().squeeze(1)
        if count:
            returns[which] = torch.where(over[which], torch.tensor(play.episodes.returns[-count:]), returns[which])
            lengths[which] = torch.where(over[which], torch.tensor(play.episodes.lengths[-count:]), lengths[which])
        first &= ~ended
    return Episodes(returns.tolist(), lengths.tolist())
