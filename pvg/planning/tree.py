"""Search trees as tensors: a forest of equally many nodes a tree, which grow together."""

from __future__ import annotations

import torch
from torch import Tensor

from pvg.planning.novelty import NEVER
from pvg.planning.simulator import POLICY, VALUE, Simulator, State, Step, rows


class Forest:
    """``trees`` search trees of at most ``capacity`` nodes each.

    Nodes and edges have addresses in flat tensors: node ``k`` of tree ``b`` is ``b * stride + k``, and its edge for
    action ``a`` that times ``actions``, plus ``a``.  Node 0 of each tree is its root, parents come before their
    children, and the last node of each tree stands for what is not there.

    Attributes:
        count: nodes of each tree, int64 ``[trees]``.
        edge: the edge by which a node is reached, int64 ``[nodes]``.
        child: the node that an edge leads to, int64 ``[edges]``, or -1.
        depth: int32 ``[nodes]``, from the root.
        reward: float ``[nodes]``, of the step to the node as the planner counts it.
        paid: float ``[nodes]``, as the simulator gave it.
        done: bool ``[nodes]``, the game is over there.
        solved: bool ``[nodes]``, there is nothing left to explore below (or the node was pruned).
        preference: float ``[nodes, actions]``, the logits of a policy over ``temperature``, if the states have any;
            -inf where an action is illegal or what it leads to is solved.
        unsolved: int64 ``[nodes]``, how many actions are left.
        states: of the simulator, ``[nodes, ...]``.
        visits: int64 ``[nodes]``, how often rollouts of this decision have come there; None unless they are counted.

    Args:
        risk: what losing a life, or the game, costs beyond the simulator's reward.
        temperature: of the policy within the search.
    """

    def __init__(
        self, simulator: Simulator, trees: int, capacity: int, *, risk: float = 0.0, temperature: float = 1.0
    ):
        self.simulator, self.trees, self.capacity = simulator, trees, capacity
        self.risk, self.temperature = risk, temperature
        self.actions, self.stride, device = simulator.actions, capacity + 1, simulator.device
        nodes = trees * self.stride
        self.roots = torch.arange(trees, device=device) * self.stride
        self.count = torch.ones_like(self.roots)
        self._nowhere = (self.roots + capacity).repeat_interleave(
            self.stride
        )  # [nodes], each tree's last node
        self.edge = self._nowhere * self.actions
        self.child = torch.full((nodes * self.actions,), -1, device=device)
        self.depth = torch.zeros(nodes, dtype=torch.int32, device=device)
        self.paid = torch.zeros(nodes, device=device)
        self.reward = torch.zeros_like(self.paid) if risk else self.paid
        self.done, self.solved = torch.zeros(2, nodes, dtype=torch.bool, device=device)
        self.preference = torch.zeros(nodes, self.actions, device=device)
        self.unsolved = torch.full((nodes,), self.actions, device=device)
        self._less = torch.full_like(self.unsolved, -1)
        self.states: State = {}
        self.visits: Tensor | None = None

    # ------------------------------------------------------------------ growing
    def plant(self, state: State, trees: Tensor | None = None) -> None:
        """Begin anew at these states, in some trees or in all."""
        roots = self.roots if trees is None else self.roots[trees]
        for each in (self.edge, self.child, self.depth, self.reward, self.paid, self.done):
            view = each.view(self.trees, -1)
            blank = -1 if each is self.child else 0
            if each is self.edge:
                fill = (self._nowhere * self.actions).view(self.trees, -1)
                view.copy_(fill) if trees is None else view.index_copy_(0, trees, fill[trees])
            else:
                view.fill_(blank) if trees is None else view.index_fill_(0, trees, blank)
        self.count[slice(None) if trees is None else trees] = 1
        self.hold(state, roots)

    def hold(self, state: State, nodes: Tensor) -> None:
        """Put states in the places of some nodes."""
        for k, v in state.items():
            if k not in self.states:
                self.states[k] = torch.zeros(
                    len(self.done), *v.shape[1:], dtype=v.dtype, device=self.done.device
                )
            self.states[k].index_copy_(0, nodes, v.to(self.done.device))

    def nodes(self) -> Tensor:
        """The addresses of all nodes there are."""
        place = torch.arange(len(self.done), device=self.done.device) % self.stride
        return (place < self.count.repeat_interleave(self.stride)).nonzero().squeeze(1)

    def add(self, trees: Tensor, edges: Tensor, step: Step) -> Tensor:
        """Hang a new node on an edge in each of some trees (all different, none full); the nodes' addresses."""
        count = self.count.index_select(0, trees)
        nodes = self.roots.index_select(0, trees) + count
        self.count.index_copy_(0, trees, count + 1)
        self.edge.index_copy_(0, nodes, edges)
        self.child.index_copy_(0, edges, nodes)
        self.depth.index_copy_(0, nodes, self.depth.index_select(0, edges // self.actions) + 1)
        self.paid.index_copy_(0, nodes, step.reward)
        if self.risk:
            self.reward.index_copy_(0, nodes, step.reward - self.risk * step.lost)
        self.done.index_copy_(0, nodes, step.done)
        for k, v in step.state.items():
            self.states[k].index_copy_(0, nodes, v)
        preference = self._preference(step.state)
        if preference is not None:
            self.preference.index_copy_(0, nodes, preference)
            self.unsolved.index_copy_(0, nodes, (preference > -torch.inf).sum(1))
        return nodes

    def _preference(self, state: State) -> Tensor | None:
        """What a policy says of the actions in these states, and the rules; None if neither says anything."""
        legal = self.simulator.legal(state)
        if POLICY not in state:
            return None if legal is None else torch.where(legal, 0.0, -torch.inf)
        found = state[POLICY] / self.temperature
        return found if legal is None else found.masked_fill(~legal, -torch.inf)

    # ------------------------------------------------------------------ labels
    def reopen(self) -> None:
        """Take all labels back but those that follow from games that are over."""
        if self.visits is not None:
            self.visits.zero_()
        self.solved.zero_()
        preference = self._preference(self.states)
        if preference is None:
            self.unsolved.fill_(self.actions)
            self.preference.zero_()
        else:
            self.preference = preference.clone()
            self.unsolved = (preference > -torch.inf).sum(1)
            self.unsolved[self.roots + self.capacity] = NEVER
        self._close((self.done | (self.unsolved == 0)).nonzero().squeeze(1))

    def reopen_some(self, trees: Tensor) -> None:
        """The same in some trees alone; what has been counted stays."""
        nodes = (self.roots[trees].unsqueeze(1) + torch.arange(self.stride, device=trees.device)).view(-1)
        self.solved[nodes] = False
        preference = self._preference(rows(self.states, nodes))
        if preference is None:
            preference = torch.zeros_like(self.preference[nodes])
        self.preference[nodes] = preference
        self.unsolved[nodes] = (preference > -torch.inf).sum(1)
        self.unsolved[self.roots[trees] + self.capacity] = NEVER
        self._close(nodes[self.done[nodes] | (self.unsolved[nodes] == 0)])

    def _close(self, over: Tensor) -> None:
        """Label these nodes, and what follows from that."""
        while len(over):
            over = self.solve(over, climb=False).unique()

    def solve(self, nodes: Tensor, climb: bool = True) -> Tensor:
        """Label nodes solved, and whatever has nothing left to explore by that, up to the root.

        Args:
            nodes: addresses; if ``climb``, of different trees.
            climb: go on to the root; otherwise return the parents that are now to be labelled.
        """
        shut = self.preference.view(-1)
        while len(nodes):
            self.solved.index_fill_(0, nodes, True)
            edges = self.edge.index_select(0, nodes)
            shut.index_fill_(0, edges, -torch.inf)
            parents = edges // self.actions
            self.unsolved.index_add_(0, parents, self._less[: len(parents)])
            closed = self.unsolved.index_select(0, parents) == 0
            nodes = parents.index_select(0, closed.nonzero().squeeze(1))
            if not climb:
                break
        return nodes

    # ------------------------------------------------------------------ what is in a tree
    def count_visits(self) -> None:
        """Count from now on how often rollouts come to each node."""
        self.visits = torch.zeros_like(self.edge)

    def root_states(self) -> State:
        """The states of the roots."""
        return rows(self.states, self.roots)

    def legal(self) -> Tensor:
        """Which actions there are, bool ``[nodes, actions]``."""
        found = self.simulator.legal(self.states)
        return torch.ones_like(self.preference, dtype=torch.bool) if found is None else found

    def returns(self, discount: float) -> Tensor:
        """The best return that each action of the root has led to: float ``[trees, actions]``, -inf if not tried."""
        children = self.child.view(self.trees, self.stride, -1)[:, 0]
        there = children >= 0
        best = self.best(discount).index_select(0, children.clamp(min=0).view(-1)).view_as(children)
        return torch.where(there, best, -torch.inf)

    def best(self, discount: float) -> Tensor:
        """The best return from the step to each node on, float ``[nodes]``.

        It is the step's own reward plus ``discount`` times the best of the node's children, so the reward of an
        action is counted once.  Where a tree ends and the game does not, a value that the state holds stands for what
        would follow; without one nothing follows.
        """
        value = self.reward.view(self.trees, -1).t().clone()
        parent = (
            (self.edge // self.actions - self.roots.repeat_interleave(self.stride)).view(self.trees, -1).t()
        )
        best, last = torch.full_like(value, -torch.inf), torch.zeros_like(value)
        if VALUE in self.states:
            last = self.states[VALUE].masked_fill(self.done, 0.0).view(self.trees, -1).t()
        for k in range(int(self.count.max()) - 1, 0, -1):
            below = best[k]
            value[k] += discount * torch.where(below == -torch.inf, last[k], below)
            at = parent[k].unsqueeze(0)
            best.scatter_(0, at, torch.maximum(best.gather(0, at), value[k].unsqueeze(0)))
        return value.t().reshape(-1)

    def follow(self, action: Tensor, keep: bool = True) -> tuple[Tensor, Tensor]:
        """Make the root's child by ``action`` [trees] the root, with what hangs below it if it is to be kept.

        A tree without that child stays as it is and is paid nothing.

        Returns:
            What the simulator has paid for the step, float ``[trees]``, and whether the games are over, bool.
        """
        child = self.child.index_select(0, self.roots * self.actions + action)
        root = torch.where(child < 0, self.roots, child)
        paid, done = torch.where(child < 0, 0.0, self.paid[root]), self.done[root]
        if keep:
            self._cut(root)
        else:
            self.plant(rows(self.states, root))
            self.done.index_copy_(0, self.roots, done)
        return paid, done

    def _cut(self, root: Tensor) -> None:
        """Keep the subtrees of these nodes, one a tree, and move them to the front."""
        jump = self.edge // self.actions
        jump.index_copy_(0, root, root)
        jump.index_copy_(0, self.roots, self.roots)
        for _ in range(int(self.count.max()).bit_length()):  # each doubles how far a node has looked up
            jump = jump.index_select(0, jump)
        kept = (jump.view(self.trees, -1) == root.unsqueeze(1)).view(self.trees, -1)
        place = kept.cumsum(1) - 1 + self.roots.unsqueeze(1)
        old = kept.view(-1).nonzero().squeeze(1)
        new = place.view(-1).index_select(0, old)
        # children keep their actions; addresses change
        up = self.edge.index_select(0, old)
        parent, action = up // self.actions, up % self.actions
        edge = place.view(-1).index_select(0, parent) * self.actions + action
        first = new == self.roots.repeat_interleave(kept.sum(1))
        edge = torch.where(first, self._nowhere.index_select(0, new) * self.actions, edge)
        self.edge.copy_(self._nowhere * self.actions).index_copy_(0, new, edge)
        self.child.fill_(-1)
        self.child.index_copy_(0, edge[~first], new[~first])
        above = self.depth.index_select(0, root).repeat_interleave(kept.sum(1))
        depth = self.depth.index_select(0, old) - above
        self.depth.zero_().index_copy_(0, new, depth)
        for each in (self.paid, self.done, *([self.reward] if self.risk else [])):
            each.copy_(torch.zeros_like(each).index_copy_(0, new, each.index_select(0, old)))
        for each in self.states.values():
            each.index_copy_(0, new, each.index_select(0, old))
        self.count = kept.sum(1)
