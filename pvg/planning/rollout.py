"""Rollout-IW, and π-IW where the simulator's states hold a policy."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.planning.novelty import Novelty
from pvg.planning.planner import Planner
from pvg.planning.simulator import POLICY, Simulator, rows

PATIENCE = 4  # new nodes are made when all but this part of the trees wait for one


class RolloutIW(Planner):
    """Rollouts from the root that end where nothing is novel (Bandres, Bonet and Geffner 2018, Rollout-IW(k)).

    A rollout draws one action after the other among those that are not solved: evenly, or, if the simulator's states
    hold the logits of a policy, by it (π-IW: Junyent, Jonsson and Gómez 2019).  It ends at a node that is not novel,
    or where the game is over; that node is solved, and so is every node whose actions are.  A search ends with its
    budget, or when the root is solved.

    Trees walk down through the nodes they have, side by side, until most of them have come to an edge without a node;
    then one call of the simulator (and of its network) makes all their new nodes.  What a tree draws and finds does
    not depend on the trees beside it.

    Args:
        width: atoms are looked at one by one (1) or in pairs (2).
    """

    def __init__(self, simulator: Simulator, *, width: int = 1, **kwargs):
        super().__init__(simulator, **kwargs)
        self.novelty = Novelty(self.trees, simulator.atoms_shape, width, simulator.device)
        self.guided = False

    def _search(self) -> None:
        forest = self.forest
        forest.reopen()
        self.novelty.clear()
        self.guided = POLICY in forest.states
        # by tree: the node it is at, the edge it came by, its next row of draws, and the steps it may still take
        self.at, self.edge = forest.roots.clone(), forest.roots * 0
        self.visit = torch.arange(self.trees, device=forest.roots.device)
        self.left = self._allowance()
        # by node: a tuple by which it was novel when last looked at
        self.witness = torch.full_like(forest.unsolved, self.novelty.none)
        self.draws, self.walked = self.draw(self.budget), 0
        walking = (~forest.solved[forest.roots] & (self.left > 0)).nonzero().squeeze(1)
        while len(walking):
            walking, arrived = self._walk(walking)
            walking = torch.cat([walking, self._visit(arrived)])
            if self._late():
                break

    def _allowance(self) -> Tensor:
        """How many steps each tree may take in this search, int64 ``[trees]``."""
        return (self.forest.capacity - self.forest.count).clamp_(max=self.budget)

    def _walk(self, walking: Tensor) -> tuple[Tensor, Tensor]:
        """Go down until few trees are still walking: those, and the ones that have arrived somewhere to look at."""
        forest, depths, actions = self.forest, self.novelty.depths, self.simulator.actions
        arrived, few = [], len(walking) // PATIENCE
        while len(walking) > few:
            if self.walked == len(self.draws) // self.trees:
                self.draws = torch.cat([self.draws, self.draw(self.walked)])
            self.walked += 1
            at, visit = self.at.index_select(0, walking), self.visit.index_select(0, walking)
            score = forest.preference.index_select(0, at) + self.draws.index_select(0, visit)
            edge = at * actions + score.argmax(1)
            node = forest.child.index_select(0, edge).clamp_min_(
                0
            )  # the first root, which has no witness, for none
            novel = depths.index_select(0, self.witness.index_select(0, node)) >= forest.depth.index_select(
                0, node
            )
            self.at.index_copy_(0, walking, node)
            self.edge.index_copy_(0, walking, edge)
            self.visit.index_copy_(0, walking, visit + self.trees)
            going = novel.nonzero().squeeze(1)
            if forest.visits is not None:
                passed = node.index_select(0, going)
                forest.visits.index_add_(0, passed, torch.ones_like(passed))
            if len(going) < len(walking):
                arrived.append(walking.index_select(0, (~novel).nonzero().squeeze(1)))
                walking = walking.index_select(0, going)
        return walking, torch.cat(arrived)

    def _visit(self, trees: Tensor) -> Tensor:
        """Make the nodes that are not there, judge all by their novelty, and label; the trees that go on."""
        forest = self.forest
        edges = self.edge.index_select(0, trees)
        nodes = forest.child.index_select(0, edges)
        fresh = nodes < 0
        new = fresh.nonzero().squeeze(1)
        if len(new):
            nodes.index_copy_(0, new, self._expand(trees.index_select(0, new), edges.index_select(0, new)))
            self.left.index_add_(0, trees, -fresh.long())
        if forest.visits is not None:
            forest.visits.index_add_(0, nodes, torch.ones_like(nodes))
        novel = self._judge(trees, nodes, fresh, new)
        over = forest.done.index_select(0, nodes) | (forest.unsolved.index_select(0, nodes) == 0)
        ended = over | ~novel
        forest.solve(nodes.index_select(0, ended.nonzero().squeeze(1)))
        roots = forest.roots.index_select(0, trees)
        self.at.index_copy_(0, trees, torch.where(ended, self._starts(trees), nodes))
        going = (self.left.index_select(0, trees) > 0) & ~forest.solved.index_select(0, roots)
        return trees.index_select(0, going.nonzero().squeeze(1))

    def _judge(self, trees: Tensor, nodes: Tensor, fresh: Tensor, new: Tensor) -> Tensor:
        """Whether nodes, one in each of some trees, are novel, bool ``[n]``; the fresh ones are from now on seen."""
        forest = self.forest
        atoms = self.simulator.atoms(rows(forest.states, nodes))
        depth = forest.depth.index_select(0, nodes)
        novel, witness = self.novelty.visit(trees, atoms, depth, fresh, new)
        self.witness.index_copy_(0, nodes, witness)
        return novel

    def _starts(self, trees: Tensor) -> Tensor:
        """Where the next rollouts of some trees begin."""
        return self.forest.roots.index_select(0, trees)

    def draw(self, count: int) -> Tensor:
        """What trees draw at their next visits: ``[count * trees, actions]``, the first visit of all trees first."""
        drawn = self.uniform(count)
        # the largest of logits with Gumbel noise is a draw from their softmax
        return -(-drawn.clamp_(1e-20).log()).log() if self.guided else drawn


class PiIW(RolloutIW):
    """Rollout-IW led by a policy that learns from what it finds (Junyent, Jonsson and Gómez 2019, π-IW)."""

    learns = True
