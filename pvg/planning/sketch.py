"""One search tree as plain numbers, and where its nodes stand in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pvg.planning.planner import Planner

OPEN, SOLVED, PRUNED, OVER = "open", "solved", "pruned", "over"


@dataclass
class Node:
    """A node of a drawn tree.

    Attributes:
        parent: its number, or -1 of the root; parents come before their children.
        action: by which it is reached.
        depth: from the root.
        reward: of the step to it, as the planner counts it.
        best: the best return from that step on.
        visits: how often rollouts have come here; of a planner without rollouts, how many nodes there are from here on.
        status: ``open``, ``solved`` (nothing is left to explore below), ``pruned`` (not novel), or ``over`` (the game).
        children: their numbers, by action.
    """

    parent: int
    action: int
    depth: int
    reward: float
    best: float
    visits: int
    status: str
    children: list[int]


@dataclass
class Sketch:
    """A tree.

    Attributes:
        nodes: root first.
        chosen: the root, the node of the chosen action, and on to the best below as long as one is best.
        moves: the actions' names.
        counted: whether visits are those of rollouts.
        address: of the root in the planner's forest; node ``k`` is ``k`` behind it.
    """

    nodes: list[Node]
    chosen: list[int]
    moves: Sequence[str]
    counted: bool
    address: int


def sketch(planner: Planner, action: int | None = None, tree: int = 0) -> Sketch:
    """The tree that a planner has grown, and the action that has been chosen there (None if none has)."""
    forest, discount = planner.forest, planner.discount
    first, count = tree * forest.stride, int(forest.count[tree])
    here = slice(first, first + count)
    edge, depth, reward = (x[here].tolist() for x in (forest.edge, forest.depth, forest.reward))
    done, solved, best = forest.done[here].tolist(), forest.solved[here].tolist(), forest.best(discount)[here]
    below, visits = [1] * count, [0] * count
    counted = forest.visits is not None and bool(forest.visits[here].any())
    if counted:
        assert forest.visits is not None
        visits = forest.visits[here].tolist()
    legal = (forest.legal()[here]).tolist()
    nodes = []
    for k in range(count):
        parent = edge[k] // forest.actions - first if k else -1
        nodes.append(Node(parent, edge[k] % forest.actions, depth[k], reward[k], float(best[k]), 0, OPEN, []))
        if k:
            nodes[parent].children.append(k)
    for k in range(count - 1, -1, -1):
        node = nodes[k]
        node.children.sort(key=lambda c: nodes[c].action)
        whole = len(node.children) == sum(legal[k]) and all(solved[c] for c in node.children)
        if done[k]:
            node.status = OVER
        elif solved[k]:
            node.status = SOLVED if whole else PRUNED
        node.visits = visits[k] if counted else below[k]
        if k:
            below[node.parent] += below[k]
    if counted:
        nodes[0].visits = sum(nodes[c].visits for c in nodes[0].children)
    return Sketch(nodes, _path(nodes, action), planner.simulator.moves, counted, first)


def _path(nodes: list[Node], action: int | None) -> list[int]:
    path = [0]
    following = [c for c in nodes[0].children if nodes[c].action == action]
    while following:
        path.append(following[0])
        children = nodes[path[-1]].children
        top = max((nodes[c].best for c in children), default=0.0)
        following = [c for c in children if nodes[c].best == top]
        if len(following) > 1 and top == 0:  # nothing says which
            break
    return path


def tidy(sizes: list[tuple[float, float]], children: list[list[int]]) -> Tensor:
    """Where nodes stand, so that none is in another's way: parents above the middle of their children.

    After Reingold and Tilford (1981): subtrees are set side by side as closely as their outlines allow.

    Args:
        sizes: of each node the width it needs, and its distance from its parent.
        children: of each node, from left to right; node 0 is the root, and parents come before their children.

    Returns:
        float ``[nodes, 2]``: x from 0 on, and y from 0 downwards.
    """
    count = len(children)
    shift = [0.0] * count  # from the parent
    outline: list[tuple[list[float], list[float]]] = [([], [])] * count  # left and right, level by level
    for k in range(count - 1, -1, -1):
        left: list[float] = []
        right: list[float] = []
        places = []
        for child in children[k]:
            one, other = outline[child]
            apart = max((r - x for r, x in zip(right, one)), default=0.0)
            places.append(apart)
            left += [x + apart for x in one[len(left) :]]
            right = [x + apart for x in other] + right[len(other) :]
        middle = (places[0] + places[-1]) / 2 if places else 0.0
        for child, place in zip(children[k], places):
            shift[child] = place - middle
        half = sizes[k][0] / 2
        outline[k] = [-half, *(x - middle for x in left)], [half, *(x - middle for x in right)]
    found = torch.zeros(count, 2)
    for k, below in enumerate(children):
        for child in below:
            found[child, 0] = found[k, 0] + shift[child]
            found[child, 1] = found[k, 1] + sizes[child][1]
    found[:, 0] -= min(outline[0][0])
    return found
