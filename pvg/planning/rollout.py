"""Rollout-IW, and π-IW where the simulator's states hold a policy."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.planning.novelty import Novelty
from pvg.planning.planner import Planner
from pvg.planning.simulator import POLICY, Simulator


class RolloutIW(Planner):
    """Rollouts from the root that end where nothing is novel (Bandres, Bonet and Geffner 2018, Rollout-IW(k)).

    A rollout draws one action after the other among those that are not solved: evenly, or, if the simulator's states
    hold the logits of a policy, by it (π-IW: Junyent, Jonsson and Gómez 2019).  It ends at a node that is not novel,
    or where the game is over; that node is solved, and so is every node whose actions are.  A search ends with its
    budget, or when the root is solved.

    At every tick each tree visits one node, old or new: one call of the simulator (and of its network) makes all new
    ones.  So what a tree draws and finds does not depend on the trees beside it.

    Args:
        width: atoms are looked at one by one (1) or in pairs (2).
    """

    def __init__(self, simulator: Simulator, *, width: int = 1, **kwargs):
        super().__init__(simulator, **kwargs)
        self.novelty = Novelty(self.trees, simulator.atoms_shape, width, simulator.device)

    def _search(self) -> None:
        forest, actions = self.forest, self.simulator.actions
        forest.reopen()
        self.novelty.clear()
        guided = POLICY in forest.states
        left = (forest.capacity - forest.count).clamp_(max=self.budget)
        roots = forest.roots
        trees = (~forest.solved[roots] & (left > 0)).nonzero().squeeze(1)
        left, roots = left[trees], roots[trees]
        at = roots
        while len(trees):
            draw = self.draw()
            if guided:  # the largest of logits with Gumbel noise is a draw from their softmax
                draw = -(-draw.clamp_(1e-20).log()).log()
            if len(trees) < self.trees:
                draw = draw.index_select(0, trees)
            action = (forest.preference.index_select(0, at) + draw).argmax(1)
            edges = at * actions + action
            nodes = forest.child.index_select(0, edges)
            fresh = nodes < 0
            new = fresh.nonzero().squeeze(1)
            if len(new):
                nodes.index_copy_(0, new, self._expand(trees[new], edges[new]))
                left -= fresh.long()
            novel = self._judge(trees, nodes, fresh, new)
            ended = ~novel | forest.done.index_select(0, nodes) | (forest.unsolved.index_select(0, nodes) == 0)
            forest.solve(nodes[ended])
            going = (left > 0) & ~forest.solved.index_select(0, roots)
            at = torch.where(ended, roots, nodes)
            if not going.all():
                trees, left, roots, at = trees[going], left[going], roots[going], at[going]

    def _judge(self, trees: Tensor, nodes: Tensor, fresh: Tensor, new: Tensor) -> Tensor:
        """Whether the nodes that some trees visit are novel."""
        forest = self.forest
        state = {k: v.index_select(0, nodes) for k, v in forest.states.items() if k not in (POLICY,)}
        atoms = self.simulator.atoms(state)
        return self.novelty.visit(trees, atoms, forest.depth.index_select(0, nodes), fresh, new)
