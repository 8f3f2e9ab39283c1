"""Breadth-first width search, IW(k), and the baselines that look one step ahead or none."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.planning.novelty import Novelty
from pvg.planning.planner import Planner
from pvg.planning.simulator import Simulator, rows


class IW(Planner):
    """Breadth-first search that prunes what is not novel: IW(k) of Lipovetzky and Geffner (2012).

    A node is novel if some tuple of ``width`` of its atoms has not been seen before in this search, the root's among
    them.  Nodes kept from an earlier decision are searched as if they were new, but cost no step of the simulator.

    Args:
        width: k, 1 or 2.
    """

    def __init__(self, simulator: Simulator, *, width: int = 1, **kwargs):
        super().__init__(simulator, **kwargs)
        self.novelty = Novelty(self.trees, simulator.atoms_shape, width, simulator.device)

    def _search(self) -> None:
        forest, actions = self.forest, self.simulator.actions
        forest.reopen()
        self.novelty.clear()
        trees = torch.arange(self.trees, device=forest.roots.device)
        # a tree's queue of nodes to expand, its head and its tail, the action that is next there, and the steps left
        queue = forest.roots.unsqueeze(1).repeat(1, forest.stride)
        head, tail, turn = torch.zeros_like(trees), torch.ones_like(trees), torch.zeros_like(trees)
        left = (forest.capacity - forest.count).clamp_(max=self.budget)
        self._judge(trees, forest.roots)
        trees = (~forest.solved[forest.roots] & (left > 0)).nonzero().squeeze(1)
        while len(trees):
            edges = queue[trees, head[trees]] * actions + turn[trees]
            open_ = forest.preference.view(-1).index_select(0, edges) > -torch.inf
            new = (open_ & (forest.child.index_select(0, edges) < 0)).nonzero().squeeze(1)
            if len(new):
                self._expand(trees[new], edges[new])
                left[trees[new]] -= 1
            seen = open_.nonzero().squeeze(1)
            if len(seen):
                which, nodes = trees[seen], forest.child[edges[seen]]
                stays = self._judge(which, nodes) & ~forest.done[nodes]
                forest.solved[nodes[~stays]] = True
                which, nodes = which[stays], nodes[stays]
                queue[which, tail[which]] = nodes
                tail[which] += 1
            turn[trees] += 1
            full = turn[trees] == actions
            head[trees] += full
            turn[trees] *= ~full
            trees = trees[(left[trees] > 0) & (head[trees] < tail[trees])]
            if self._late():
                break

    def _judge(self, trees: Tensor, nodes: Tensor) -> Tensor:
        """Whether the nodes are novel, one in each of some trees; they are from now on seen."""
        forest = self.forest
        atoms, all_ = (
            self.simulator.atoms(rows(forest.states, nodes)),
            torch.arange(len(nodes), device=nodes.device),
        )
        return self.novelty.visit(
            trees, atoms, forest.depth[nodes], torch.ones_like(nodes, dtype=torch.bool), all_
        )[0]


class Greedy(Planner):
    """Looks at every action's immediate reward."""

    def _search(self) -> None:
        self.forest.reopen()
        for action in range(self.simulator.actions):
            self._look(torch.full_like(self.forest.roots, action))

    def _look(self, action: Tensor) -> None:
        """Step from the roots where the game is not over, the action is legal and its node is not there."""
        forest = self.forest
        edges = forest.roots * self.simulator.actions + action
        wanted = (forest.child[edges] < 0) & (forest.preference.view(-1)[edges] > -torch.inf)
        trees = (wanted & ~forest.done[forest.roots]).nonzero().squeeze(1)
        if len(trees):
            self._expand(trees, edges[trees])


class Random(Greedy):
    """Looks nowhere: its one step is the legal action that it draws."""

    def _search(self) -> None:
        self.forest.reopen()
        score = self.uniform(1) + self.forest.preference[self.forest.roots].clamp(min=-1e9)
        self._look(score.argmax(1))

    def follow(self, action: Tensor) -> tuple[Tensor, Tensor]:
        """As of every planner; nothing is kept, since what is drawn must be drawn anew."""
        return self.forest.follow(action, keep=False)
