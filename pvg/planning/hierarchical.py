"""Hierarchical IW: width search at two levels, whose abstract features the lower one's pruning tells."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.errors import UserError
from pvg.planning.novelty import NEVER, Novelty
from pvg.planning.rollout import RolloutIW
from pvg.planning.simulator import Simulator, rows

FAR = 2**62


class HierarchicalIW(RolloutIW):
    """IW(1) within abstract states, and over them (Junyent, Gómez and Jonsson 2021, arXiv 2101.06177).

    The values of a tree's abstract features make an abstract state, within which rollouts have a table of their own
    of what is novel.  A node of another abstract state belongs to that one's search; rollouts begin where the newest
    was entered, and elsewhere once it is searched out.  An abstract state that has no abstract feature's value for the
    first time is not novel and is pruned.

    Within an abstract state the search goes deep first, so that it soon comes to another one: a rollout that has ended
    goes on from the nearest open node above, and novel is what comes for the first time, by whatever way.  (The paper
    searches breadth first, or by Rollout-IW.)  A tree that is searched out like that is opened again and searched as
    by Rollout-IW, where what comes at a smaller depth is novel too, for shorter ways, with what is left of its budget.

    There are no abstract features at first.  A new node that is pruned though a pair of its atoms is new tells of one:
    a feature in that pair whose value is not the root's and was there before the last action; of several that whose
    atom the tree came to last.  (The paper takes what the pruned node's parent brought and is still there.)  Then all
    nodes that the tree has are put in the abstract states that this makes, their atoms in these states' tables, and
    the search goes on.  Nodes where the game is over claim no novelty, as in the paper.

    Args:
        abstract: states of a tree at most; more are pruned.
    """

    def __init__(self, simulator: Simulator, *, abstract: int = 16, **kwargs):
        super().__init__(simulator, width=1, **kwargs)
        if abstract < 1:
            raise UserError(f"planner.abstract={abstract}: at least one abstract state is needed.")
        features, values = simulator.atoms_shape
        if not values:
            raise UserError(
                "planner=hierarchical_iw needs features that always have a value; choose planner=iw."
            )
        self.abstract, device = abstract, simulator.device
        self.novelty = Novelty(self.trees * abstract, simulator.atoms_shape, 1, device)
        self.pairs = Novelty(self.trees, simulator.atoms_shape, 2, device)
        self.ever = Novelty(self.trees, simulator.atoms_shape, 1, device)  # in any abstract state
        self.own = values * torch.arange(features, device=device)  # where a feature's atoms begin
        weight = torch.randint(1, FAR, (features,), generator=torch.Generator().manual_seed(0))
        self.weight = weight.to(device)
        # of each tree: which features are abstract; of its abstract states the hash of their values, how many there
        # are, where they were entered; which atoms of abstract features they have
        self.high = torch.zeros(self.trees, features, dtype=torch.bool, device=device)
        self.keys = torch.zeros(self.trees, abstract, dtype=torch.int64, device=device)
        self.known = torch.zeros_like(self.keys[:, 0])
        self.entry = torch.zeros_like(self.keys)
        self.met = torch.zeros(self.trees, features * values, dtype=torch.bool, device=device)
        self.again = self.known[:0]  # trees that have a new abstract feature
        self.shorter = torch.zeros(
            self.trees, dtype=torch.bool, device=device
        )  # trees that look for shorter ways

    def _search(self) -> None:
        self.pairs.clear()
        self.ever.clear()
        self.high.zero_()
        self.shorter.zero_()
        forest, trees = self.forest, torch.arange(self.trees, device=self.known.device)
        self._forget(trees)
        self._state(trees, self.simulator.atoms(forest.root_states()).long(), forest.roots)
        super()._search()

    def _forget(self, trees: Tensor) -> None:
        """Some trees have no abstract states."""
        self.known[trees] = 0
        self.met[trees] = False

    def _visit(self, trees: Tensor) -> Tensor:
        """As in Rollout-IW; but trees that have a new abstract feature go on with what it makes of their nodes."""
        going = super()._visit(trees)
        again = self.again
        out = self.forest.solved[self.forest.roots[trees]] & ~self.shorter[trees]
        if out.any():
            found = trees[out]
            self.shorter[found] = True
            again = torch.cat([again, found]).unique()
        if not len(again):
            return going
        self._arrange(again)
        self.at[again] = self._newest(again)
        return torch.cat([going, again[self.left[again] > 0]]).unique()

    def _judge(self, trees: Tensor, nodes: Tensor, fresh: Tensor, new: Tensor) -> Tensor:
        """As in Rollout-IW, by the table of each node's abstract state; and see which trees have a new feature."""
        forest = self.forest
        atoms = self.simulator.atoms(rows(forest.states, nodes)).long()
        depth = forest.depth.index_select(0, nodes)
        state, pruned = self._state(trees, atoms, nodes)
        claims = fresh & ~forest.done[nodes]  # what is seen as a game ends would hide what can still be done
        entered = (claims & ~pruned).nonzero().squeeze(1)
        novel, witness = self.novelty.visit(
            trees * self.abstract + state, atoms, self._when(trees, nodes), fresh, entered
        )
        novel &= ~pruned
        self.witness.index_copy_(0, nodes, torch.where(pruned, self.novelty.none, witness))
        self.again = self._learn(trees, nodes, atoms, depth, claims & ~novel)
        for table in (self.pairs, self.ever):
            table.visit(trees, atoms, depth, fresh, claims.nonzero().squeeze(1))
        return novel

    def _when(self, trees: Tensor, nodes: Tensor) -> Tensor:
        """What novelty goes by: the order in which a tree's nodes have come, and later their depth."""
        return torch.where(
            self.shorter[trees], self.forest.depth[nodes], (nodes - self.forest.roots[trees]).int()
        )

    def _starts(self, trees: Tensor) -> Tensor:
        """The nearest node above that is open, of the same abstract state; or where else a search begins."""
        forest, entry = self.forest, self.entry[trees]
        at = self.edge[trees] // self.simulator.actions
        while True:
            top = ((entry == at.unsqueeze(1)) & self._there(trees)).any(1) | (at == forest.roots[trees])
            up = forest.solved[at] & ~top
            if not up.any():
                break
            at = torch.where(up, forest.edge[at] // self.simulator.actions, at)
        return torch.where(forest.solved[at] | self.shorter[trees], self._newest(trees), at)

    def _newest(self, trees: Tensor) -> Tensor:
        """Where the newest abstract state that is not searched out was entered."""
        entry = self.entry[trees]
        open_ = self._there(trees) & ~self.forest.solved[entry]
        newest = self.abstract - 1 - open_.flip(1).float().argmax(1)
        found = entry.gather(1, newest.unsqueeze(1)).squeeze(1)
        return torch.where(open_.any(1), found, self.forest.roots[trees])

    # ------------------------------------------------------------------ abstract states
    def _there(self, trees: Tensor) -> Tensor:
        """Which abstract states some trees have, bool ``[n, abstract]``."""
        return torch.arange(self.abstract, device=trees.device) < self.known[trees].unsqueeze(1)

    def _state(self, trees: Tensor, atoms: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
        """The abstract state of some nodes, by number, and whether it is one that is not novel, or one too many."""
        high = self.high[trees]
        key = (high * (atoms + 1) * self.weight).sum(1)
        same = (self.keys[trees] == key.unsqueeze(1)) & self._there(trees)
        there, state = same.any(1), same.float().argmax(1)
        met = self.met[trees].gather(1, self.own + atoms)
        novel = (high & ~met).any(1) | (self.known[trees] == 0)
        made = ~there & novel & (self.known[trees] < self.abstract)
        state = torch.where(made, self.known[trees], state)
        new = trees[made]
        self.keys[new, state[made]] = key[made]
        self.entry[new, state[made]] = nodes[made]
        self.known[new] += 1
        self.met[new] = self.met[new].scatter(1, (self.own + atoms)[made], met[made] | high[made])
        return state, ~(there | made)

    def _learn(self, trees: Tensor, nodes: Tensor, atoms: Tensor, depth: Tensor, pruned: Tensor) -> Tensor:
        """Make a feature abstract where a pruned node has a new pair of atoms; the trees in which that is so."""
        which = pruned.nonzero().squeeze(1)
        new = self.pairs.earliest(trees[which], atoms[which]) == NEVER
        some = new.any(1)
        which, new = which[some], new[some].long()
        if not len(which):
            return which
        shape = torch.zeros_like(atoms[which])
        in_pairs = shape.index_add(1, self.pairs.first, new).index_add(1, self.pairs.second, new) > 0
        forest, states = self.forest, self.forest.states
        parents, roots = forest.edge[nodes[which]] // self.simulator.actions, forest.roots[trees[which]]
        before, first = (self.simulator.atoms(rows(states, x)).long() for x in (parents, roots))
        lasting = (atoms[which] == before) & (atoms[which] != first)
        latest = self.ever.earliest(trees[which], atoms[which])
        latest = torch.where(latest == NEVER, depth[which].unsqueeze(1), latest)
        latest, feature = torch.where(in_pairs & lasting & ~self.high[trees[which]], latest, -1).max(1)
        told, feature = trees[which][latest >= 0], feature[latest >= 0]
        self.high[told, feature] = True
        return told

    def _arrange(self, trees: Tensor) -> None:
        """Put all nodes of some trees in the abstract states that they now make, as they came, and open them anew."""
        forest, stride = self.forest, self.forest.stride
        nodes = forest.roots[trees].unsqueeze(1) + torch.arange(stride, device=trees.device)
        there = torch.arange(stride, device=trees.device) < forest.count[trees].unsqueeze(1)
        atoms = self.simulator.atoms(rows(forest.states, nodes.view(-1))).long().view(*nodes.shape, -1)
        high = self.high[trees].unsqueeze(1)
        key = (high * (atoms + 1) * self.weight).sum(2)
        self._forget(trees)
        state = torch.full_like(nodes, -1)
        for number in range(self.abstract):
            met = self.met[trees].unsqueeze(1).expand(-1, stride, -1).gather(2, self.own + atoms)
            novel = there & (state < 0) & ((high & ~met).any(2) if number else there)
            found, first = novel.any(1), novel.float().argmax(1)
            if not found.any():
                break
            rows_, first = found.nonzero().squeeze(1), first[found]
            places = rows_, first
            state_now = key[rows_] == key[places].unsqueeze(1)
            state[rows_] = torch.where(state_now & there[rows_], number, state[rows_])
            which = trees[rows_]
            self.keys[which, number], self.entry[which, number] = key[places], nodes[places]
            self.known[which] = number + 1
            self.met[which] = self.met[which].scatter(
                1, self.own + atoms[places], met[places] | high[rows_, 0]
            )
        table = self.novelty.depths[: self.novelty.none].view(self.trees, -1)
        table[trees] = NEVER
        old = (state >= 0) & (torch.arange(stride, device=trees.device) > 0)  # the root claims nothing
        old &= ~forest.done[nodes]
        entries = ((trees.unsqueeze(1) * self.abstract + state) * self.novelty.stride)[old]
        entries = entries.unsqueeze(1) + self.own + atoms[old]
        when = self._when(trees.unsqueeze(1).expand_as(nodes)[old], nodes[old])
        depth = when.unsqueeze(1).expand_as(entries).reshape(-1)
        self.novelty.depths.scatter_reduce_(0, entries.view(-1), depth, "amin")
        self.witness[nodes] = self.novelty.none
        forest.reopen_some(trees)
