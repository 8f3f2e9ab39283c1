"""Hierarchical IW: width search at two levels, whose abstract features the lower one's pruning tells."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.errors import UserError
from pvg.planning.novelty import NEVER, Novelty
from pvg.planning.planner import Planner
from pvg.planning.simulator import Simulator, rows

FAR = 2**62


class HierarchicalIW(Planner):
    """IW(1) within abstract states, and IW(1) over them (after Junyent, Gómez and Jonsson 2021, arXiv 2101.06177).

    The values of a tree's abstract features make an abstract state, within which IW(1) searches breadth-first, with
    its own table of what is novel.  A node of another abstract state belongs to that one's search; the search goes on
    in the newest, and comes back when that is exhausted.  An abstract state that has no abstract feature's value for
    the first time is not novel and is pruned.

    There are no abstract features at first.  A node that is pruned though pairs of its atoms are new tells of one:
    the feature of that atom in these pairs which the tree has come to last.  Then the search begins again, through
    the nodes that are there, which costs no step of the simulator.

    Args:
        abstract: states of a tree at most; more are pruned.
    """

    def __init__(self, simulator: Simulator, *, abstract: int = 16, **kwargs):
        super().__init__(simulator, **kwargs)
        if abstract < 1:
            raise UserError(f"planner.abstract={abstract}: at least one abstract state is needed.")
        features, values = simulator.atoms_shape
        if not values:
            raise UserError(
                "planner=hierarchical_iw needs features that always have a value; choose planner=iw."
            )
        self.abstract = abstract
        device = simulator.device
        self.low = Novelty(self.trees * abstract, simulator.atoms_shape, 1, device)
        self.pairs = Novelty(self.trees, simulator.atoms_shape, 2, device)
        self.ever = Novelty(self.trees, simulator.atoms_shape, 1, device)  # in any abstract state
        self.weight = torch.randint(1, FAR, (features,), generator=torch.Generator().manual_seed(0)).to(
            device
        )

    def _search(self) -> None:
        features, values = self.simulator.atoms_shape
        forest, actions, device = self.forest, self.simulator.actions, self.forest.roots.device
        forest.reopen()
        self.pairs.clear()
        self.ever.clear()
        self.high = torch.zeros(
            self.trees, features, dtype=torch.bool, device=device
        )  # the abstract features
        self.keys = torch.zeros(self.trees, self.abstract, dtype=torch.int64, device=device)
        self.known = torch.zeros_like(self.keys[:, 0])  # abstract states of each tree
        self.met = torch.zeros(
            self.trees, features * values, dtype=torch.bool, device=device
        )  # atoms of abstract features
        self.rank = torch.full((self.trees, forest.stride), FAR, device=device)  # who is expanded next
        self.order = torch.zeros_like(self.known)
        left = (forest.capacity - forest.count).clamp_(max=self.budget)
        at, turn = forest.roots.clone(), torch.zeros_like(self.known)
        trees = torch.arange(self.trees, device=device)[~forest.solved[forest.roots] & (left > 0)]
        self._begin(trees)
        while len(trees):
            first = trees[turn[trees] == 0]
            at[first] = forest.roots[first] + self.rank[first].argmin(1)
            self.rank.view(-1)[at[first]] = FAR
            edges = at[trees] * actions + turn[trees]
            open_ = forest.preference.view(-1)[edges] > -torch.inf
            new = (open_ & (forest.child[edges] < 0)).nonzero().squeeze(1)
            if len(new):
                self._expand(trees[new], edges[new])
                left[trees[new]] -= 1
            seen = open_.nonzero().squeeze(1)
            turn[trees] = (turn[trees] + 1) % actions
            again = self._look(trees[seen], forest.child[edges[seen]])
            if len(again):
                turn[again] = 0
                self._begin(again)
            waiting = (turn[trees] > 0) | (self.rank[trees].amin(1) < FAR)
            trees = trees[(left[trees] > 0) & waiting]
            if self._late():
                break

    def _begin(self, trees: Tensor) -> None:
        """Search some trees from the root, with nothing seen but pairs."""
        self.known[trees], self.met[trees], self.rank[trees], self.order[trees] = 0, False, FAR, 0
        tables = self.low.depths[: self.low.none].view(self.trees, -1)
        tables[trees] = NEVER
        self._look(trees, self.forest.roots[trees])

    def _look(self, trees: Tensor, nodes: Tensor) -> Tensor:
        """Queue the nodes that are novel, one in each of some trees; the trees that have a new abstract feature."""
        if not len(trees):
            return trees
        forest = self.forest
        atoms = self.simulator.atoms(rows(forest.states, nodes)).long()
        state, pruned = self._abstract_state(trees, atoms)
        depth = forest.depth[nodes]
        tables, new = trees * self.abstract + state, (~pruned).nonzero().squeeze(1)
        novel = self.low.visit(tables, atoms, depth, ~pruned, new)[0] & ~pruned
        told = self._learn(trees, atoms, depth, ~novel & ~forest.done[nodes])
        stays = novel & ~forest.done[nodes]
        forest.solved[nodes] = ~stays
        which = trees[stays]
        self.rank.view(-1)[nodes[stays]] = self.order[which] - (state[stays] << 40)
        self.order[which] += 1
        return told

    def _abstract_state(self, trees: Tensor, atoms: Tensor) -> tuple[Tensor, Tensor]:
        """The abstract state of some nodes, by number, and whether it is one that is not novel, or one too many."""
        high = self.high[trees]
        key = (high * (atoms + 1) * self.weight).sum(1)
        same = (self.keys[trees] == key.unsqueeze(1)) & (
            torch.arange(self.abstract, device=key.device) < self.known[trees].unsqueeze(1)
        )
        there, state = same.any(1), same.float().argmax(1)
        own = self.simulator.atoms_shape[1] * torch.arange(atoms.shape[1], device=key.device) + atoms
        met = self.met[trees].gather(1, own)
        novel = (high & ~met).any(1) | (self.known[trees] == 0)
        made = ~there & novel & (self.known[trees] < self.abstract)
        state = torch.where(made, self.known[trees], state)
        new = trees[made]
        self.keys[new, state[made]] = key[made]
        self.known[new] += 1
        self.met[new] = self.met[new].scatter(1, own[made], met[made] | high[made])
        return state, ~(there | made)

    def _learn(self, trees: Tensor, atoms: Tensor, depth: Tensor, pruned: Tensor) -> Tensor:
        """Make a feature abstract where a pruned node has new pairs of atoms; the trees in which that is so."""
        which = pruned.nonzero().squeeze(1)
        new = self.pairs.earliest(trees[which], atoms[which]) == NEVER
        latest = self.ever.earliest(trees[which], atoms[which])
        for table in (self.pairs, self.ever):
            table.visit(
                trees, atoms, depth, torch.ones_like(pruned), torch.arange(len(trees), device=trees.device)
            )
        some = new.any(1)
        which, new, latest = which[some], new[some].long(), latest[some]
        if not len(which):
            return which
        pairs = (
            torch.zeros_like(atoms[which]).index_add_(1, x, new)
            for x in (self.pairs.first, self.pairs.second)
        )
        telling = (sum(pairs) > 0) & ~self.high[trees[which]]
        depth, feature = torch.where(telling, latest, -1).max(1)
        told, feature = trees[which][depth >= 0], feature[depth >= 0]
        self.high[told, feature] = True
        return told
