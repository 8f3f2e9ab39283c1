"""What tells two graphs apart: colour refinement (fast, not always enough) and canonical forms (exact)."""

from __future__ import annotations

from hashlib import blake2b

import igraph
import numpy as np
import torch
from jaxtyping import Bool, Integer, UInt8
from numpy.typing import NDArray
from torch import Tensor

MAX_NODES = 255  # sizes and nodes are kept as uint8

# Permutations of igraph before version 1.0 say to which place each node goes, and since then which node comes
# to each place. Taken the wrong way, no two graphs would ever be found isomorphic: so we ask.
_GIVES_PLACES = igraph.Graph(3, [(0, 1)]).permute_vertices([1, 2, 0]).get_edgelist() == [(1, 2)]


def wl_scores(
    adjacency: Bool[Tensor, "count 2 n n"], size: Integer[Tensor, "count 2"]
) -> UInt8[Tensor, " count"]:
    """Count the rounds of colour refinement (Weisfeiler and Leman, 1968) that tell two graphs apart.

    All nodes start with one colour; a round gives each node the multiset of its neighbours' colours. The
    score is the first round after which the two graphs have different multisets of colours: 1 if their
    degrees differ (or their sizes), and 0 if no number of rounds tells them apart. Exact: nothing is hashed.

    Args:
        adjacency: symmetric, no loops, padded with nodes without edges.
        size: numbers of nodes.
    """
    n = adjacency.shape[-1]
    bits = max(1, (n - 1).bit_length())  # enough for a number of neighbours
    colours_per_word = 53 // bits  # float64 adds integers exactly up to 2^53
    colour = torch.arange(n, device=adjacency.device)
    word = colour // colours_per_word
    weight = torch.zeros(n, int(word[-1]) + 1, dtype=torch.float64, device=adjacency.device)
    weight[colour, word] = 2.0 ** (bits * (colour % colours_per_word)).double()
    at_once = max(1, (1 << 17) // (n * n))  # pairs that fit in the cache together
    scores = torch.cat([_refine(part, weight) for part in adjacency.split(at_once)])
    return scores.masked_fill(size[:, 0] != size[:, 1], 1)


def _refine(adjacency: Tensor, weight: Tensor) -> Tensor:
    # A colour is the smallest node of A that has it. As long as the graphs look alike, B has no colour that A
    # hasn't, so n names are enough, and a multiset of neighbours is n small counts: a few float64 words.
    # Padding needs no mask: as many isolated nodes in A as in B change no comparison.
    count, _, n, _ = adjacency.shape
    edges = adjacency.double()
    node = torch.arange(n, device=edges.device)
    score = torch.zeros(count, dtype=torch.uint8, device=edges.device)
    alive = torch.arange(count, device=edges.device)
    colour = torch.zeros(count, 2 * n, dtype=torch.long, device=edges.device)
    colours = torch.ones(count, dtype=torch.long, device=edges.device)
    for round_ in range(1, n + 1):
        seen = (edges @ weight[colour].unflatten(1, (2, n))).flatten(1, 2)  # [alive, nodes of A and B, words]
        same = seen[:, :, None, 0] == seen[:, None, :n, 0]  # [alive, nodes of A and B, nodes of A]
        for word in range(1, weight.shape[1]):
            same &= seen[:, :, None, word] == seen[:, None, :n, word]
        apart = (same[:, :n].sum(1) != same[:, n:].sum(1)).any(1)
        score[alive[apart]] = round_
        colour = same.to(torch.uint8).argmax(-1)
        now = (colour[:, :n] == node).sum(1)
        go_on = ~apart & (now > colours)  # a partition that didn't change never will
        if not go_on.any():
            break
        alive, edges, colour, colours = alive[go_on], edges[go_on], colour[go_on], now[go_on]
    return score


def canonical_orders(
    adjacency: Bool[Tensor, "*batch n n"], size: Integer[Tensor, "*batch"]
) -> NDArray[np.int64]:
    """Return the nodes of each graph in canonical order ``[*batch, n]``, padding last.

    Two graphs are isomorphic if and only if they are equal when laid out in these orders (bliss, by igraph;
    Junttila and Kaski, 2007).
    """
    n = adjacency.shape[-1]
    graphs = adjacency.cpu().numpy().reshape(-1, n, n)
    owner, tail, head = np.nonzero(np.triu(graphs))
    edges = np.stack([tail, head], 1)
    cuts = np.searchsorted(owner, np.arange(len(graphs) + 1)).tolist()
    orders = np.tile(np.arange(n), (len(graphs), 1))
    for k, nodes in enumerate(size.flatten().tolist()):
        graph = igraph.Graph(nodes, edges[cuts[k] : cuts[k + 1]].tolist())
        orders[k, :nodes] = graph.canonical_permutation()
    if _GIVES_PLACES:
        orders = np.argsort(orders, 1)
    return orders.reshape(adjacency.shape[:-1])


def relabel(graphs: NDArray, orders: NDArray) -> NDArray:
    """Lay out graphs ``[*batch, n, n]`` with their nodes in the orders ``[*batch, n]``."""
    rows = np.take_along_axis(graphs, orders[..., :, None], -2)
    return np.take_along_axis(rows, orders[..., None, :], -1)


def canonical_keys(
    adjacency: Bool[Tensor, "*batch n n"], size: Integer[Tensor, "*batch"]
) -> NDArray[np.bytes_]:
    """Return a key for each graph ``[*batch]`` (numpy ``S``): equal keys if and only if isomorphic.

    A key is the size and the bits of the canonical form; it doesn't depend on the padding.
    """
    forms = relabel(adjacency.cpu().numpy(), canonical_orders(adjacency, size))
    column, row = np.tril_indices(adjacency.shape[-1], -1)  # column by column: padding appends zeros only
    bits = np.packbits(forms[..., row, column], axis=-1)
    keys = np.concatenate([size.cpu().numpy()[..., None].astype(np.uint8), bits], -1)
    # An ``S`` drops the zeros at its end. That loses nothing: keys of one size have one length.
    return np.ascontiguousarray(keys).view(f"S{keys.shape[-1]}")[..., 0]


def split_of(keys: NDArray[np.bytes_], test_share: float) -> NDArray[np.bool_]:
    """Say which isomorphism classes belong to the test half (True): the same in every run and process.

    Args:
        keys: what :func:`canonical_keys` returns, of any shape.
        test_share: the share of all classes that goes to the test half.
    """
    limit = int(test_share * 2**64)
    drawn = (int.from_bytes(blake2b(key, digest_size=8).digest(), "big") for key in keys.ravel().tolist())
    return np.array([draw < limit for draw in drawn], dtype=bool).reshape(keys.shape)
