"""Pairs of different graphs of a wanted difficulty, by random edge swaps that keep what refinement sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from pvg.envs.graph_invariants import MAX_NODES, wl_scores
from pvg.errors import UserError

Graphs = NDArray[np.bool_]

DEFAULT_SCORES = {1: 0.1, 2: 0.2, 3: 0.7}
HARD = 3  # the score that stands for three rounds or more, or never
TRIES = 64  # swaps tried on a graph: a third of the graphs of 7–14 nodes then have one that keeps the colours


@dataclass(frozen=True)
class Kind:
    """Pairs of different graphs of one WL score and size: regular of a degree, or else within densities."""

    score: int
    nodes: int
    degree: int = 0
    density: tuple[float, ...] = ()

    def __str__(self) -> str:
        if self.degree:
            return f"pairs of {self.degree}-regular graphs on {self.nodes} nodes"
        score = f"{self.score} or more" if self.score == HARD else self.score
        return f"pairs of graphs on {self.nodes} nodes with WL score {score} and density {self.density}"

    def draw(self, count: int, rng: Generator) -> tuple[Graphs, NDArray[np.uint8]]:
        """Draw ``count`` pairs; return those of this score ``[drawn, 2, n, n]`` and their scores.

        Those of score 0 may yet be isomorphic: refinement can't tell.
        """
        pairs = self._draw(count, rng)
        pairs = pairs[(pairs[:, 0] != pairs[:, 1]).any((1, 2))]
        wl = wl_scores(torch.from_numpy(pairs), torch.full((len(pairs), 2), self.nodes)).numpy()
        # Swaps for the hard ones keep two rounds' colours, so what is told apart takes three or more.
        kept = wl == self.score if self.score < HARD else np.ones(len(wl), bool)
        return pairs[kept], wl[kept]

    def _draw(self, count: int, rng: Generator) -> Graphs:
        edges = np.zeros(0, np.int64)
        if self.degree:
            first = regular_graphs(count, self.nodes, self.degree, rng)
        else:
            possible = self.nodes * (self.nodes - 1) // 2
            # rounded, as .2 * 55 would otherwise be 11.000000000000002 and need 12 edges
            least, most = np.round(np.multiply(self.density, possible), 6)
            low, high = int(np.ceil(least)), int(np.floor(most))
            if low > high:
                raise UserError(f"density={self.density}: no graph on {self.nodes} nodes has one; widen it.")
            edges = rng.integers(low, high, count, endpoint=True)
            first = random_graphs(self.nodes, edges, rng)
        if self.score == 1:
            return np.stack([first, random_graphs(self.nodes, edges, rng)], 1)
        colours = first.sum(2) if self.score == HARD and not self.degree else None
        return np.stack([first, swap_edges(first, colours, TRIES, rng, at_most=rng.integers(1, 4, count))], 1)


def mixture(
    nodes: int | Sequence[int] = (7, 11),
    density: float | Sequence[float] = (0.2, 0.8),
    scores: Mapping[int, float] | None = None,
    regular: float = 0.0,
    degree: int | Sequence[int] = (3, 5),
) -> dict[Kind, float]:
    """List the kinds of pairs that a table is made of with their shares, the kinds of one score side by side.

    Args:
        nodes: smallest and largest size (or the only one); every size in between is equally frequent.
        density: smallest and largest share of the possible edges (or the only one). Regular graphs have
            the density that their degree says.
        scores: shares of the negatives by WL score, in which 3 stands for three rounds or more, or never
            (default: .1, .2 and .7 for 1, 2 and 3). Positives are made from the same graphs.
        regular: the share of score 3 that is regular graphs, which refinement never tells apart.
        degree: smallest and largest degree (or the only one) of those. Left out are degrees of which a size
            has one graph at most, or none (odd times odd), and sizes for which no degree remains.

    Raises:
        UserError: for values out of range, and for regular graphs where no degree remains for any size.
    """
    scores = DEFAULT_SCORES if scores is None else scores
    (least, most), (low, high) = _ends("nodes", nodes), _ends("density", density)
    if not 2 <= least <= most <= MAX_NODES:
        raise UserError(f"nodes={nodes}: write the smallest and the largest size, from 2 to {MAX_NODES}.")
    if not 0 < low <= high < 1:
        raise UserError(f"density={density}: write two shares between 0 and 1, the smaller first.")
    if not set(scores) <= {1, 2, HARD} or min(scores.values(), default=0) < 0:
        raise UserError(f"scores={scores}: give shares to the scores 1, 2 and 3 (or more) only.")
    if abs(sum(scores.values()) - 1) > 1e-6:
        raise UserError(f"scores={scores}: make the shares add up to 1.")
    if not 0 <= regular <= 1:
        raise UserError(f"regular={regular}: write a share from 0 to 1.")
    sizes = range(int(least), int(most) + 1)
    degrees = {n: fitting for n in sizes if (fitting := _degrees(n, *_ends("degree", degree)))}
    if regular and not degrees:
        raise UserError(
            f"degree={degree}: nodes={nodes} leaves no choice of regular graphs. On n nodes, 6 or more, the degree "
            "must be from 2 to n - 3, and even if n is odd; change either, or set regular=0."
        )
    kinds = {}
    for score, share in sorted(scores.items()):
        special = regular if score == HARD else 0.0
        for n in sizes:
            kinds[Kind(score, n, density=(low, high))] = share * (1 - special) / len(sizes)
        for n, fitting in degrees.items():
            for d in fitting:
                kinds[Kind(score, n, degree=d)] = share * special / len(degrees) / len(fitting)
    return {kind: share for kind, share in kinds.items() if share > 0}


def _ends(name: str, value: float | Sequence[float]) -> tuple[float, float]:
    ends = (value, value) if isinstance(value, (int, float)) else tuple(value)
    if len(ends) != 2:
        raise UserError(f"{name}={value}: write the smallest and the largest, or one number.")
    return ends


def _degrees(nodes: int, low: float, high: float) -> list[int]:
    degrees = range(max(int(low), 2), min(int(high), nodes - 3) + 1) if nodes >= 6 else []
    return [degree for degree in degrees if nodes * degree % 2 == 0]


def random_graphs(nodes: int, edges: NDArray[np.int64], rng: Generator) -> Graphs:
    """Draw graphs ``[count, nodes, nodes]`` with given numbers of edges ``[count]``, all equally likely."""
    tail, head = np.triu_indices(nodes, 1)
    draw = rng.random((len(edges), len(tail)))
    last = np.take_along_axis(np.sort(draw, 1), edges[:, None] - 1, 1)
    graphs = np.zeros((len(edges), nodes, nodes), dtype=bool)
    graphs[:, tail, head] = draw <= last
    return graphs | graphs.transpose(0, 2, 1)


def regular_graphs(count: int, nodes: int, degree: int, rng: Generator) -> Graphs:
    """Draw regular graphs ``[count, nodes, nodes]``: four swaps an edge tried, from a circulant."""
    step = np.abs(np.subtract.outer(np.arange(nodes), np.arange(nodes)))
    step = np.minimum(step, nodes - step)
    circulant = (step > 0) & (step <= degree // 2)
    if degree % 2:
        circulant |= step == nodes // 2
    graphs = np.broadcast_to(circulant, (count, nodes, nodes))
    return swap_edges(graphs, None, 2 * nodes * degree, rng)


def swap_edges(
    graphs: Graphs,
    colours: NDArray[np.int64] | None,
    tries: int,
    rng: Generator,
    at_most: NDArray[np.int64] | float = np.inf,
) -> Graphs:
    """Replace random edges a–b, c–d by a–d, c–b, where a and c have one colour, and b and d.

    That keeps every node's degree and the colours of its neighbours; if the colours are those of r rounds of
    refinement, it keeps those of r + 1. Without colours it is the usual chain over the graphs with given
    degrees, which reaches all of them (Fulkerson, Hoffman and McAndrew, 1965).

    Args:
        graphs: ``[count, n, n]``, as many edges in each as you like, at least one.
        colours: of the nodes ``[count, n]``, or None if any edges will do.
        tries: swaps tried on each graph, one after the other.
        at_most: how many succeed ``[count]``.
    """
    graphs = graphs.copy()
    count, n, _ = graphs.shape
    owner, left, right = np.nonzero(np.triu(graphs))
    arcs = 2 * np.bincount(owner, minlength=count)
    start = np.cumsum(arcs) - arcs
    end = (owner * n + [left, right]).T.reshape(-1)  # arc k goes from node end[k] to node end[k ^ 1]
    bits, colour = graphs.reshape(-1), None if colours is None else colours.reshape(-1)
    base, done = np.arange(count) * n, np.zeros(count, np.int64)
    for _ in range(tries):
        first, second = rng.random((2, count), np.float32)
        ab, cd = start + (first * arcs).astype(np.int64), start + (second * arcs).astype(np.int64)
        a, b, c, d = end[ab], end[ab ^ 1], end[cd], end[cd ^ 1]
        ad, cb = a * n + d - base, c * n + b - base
        fits = (a != d) & (b != c) & ~bits[ad] & ~bits[cb] & (done < at_most)
        if colour is not None:
            fits &= (colour[a] == colour[c]) & (colour[b] == colour[d])
        go = np.flatnonzero(fits)
        done[go] += 1
        a, b, c, d, at = a[go], b[go], c[go], d[go], base[go]
        for x, y, edge in ((a, b, False), (c, d, False), (a, d, True), (c, b, True)):
            bits[x * n + y - at] = bits[y * n + x - at] = edge
        end[ab[go] ^ 1], end[cd[go] ^ 1] = d, b
        if (done >= at_most).all():
            break
    return graphs
