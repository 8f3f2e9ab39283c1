"""Graphs by networkx and igraph, to compare pairs of ours with."""

import igraph
import networkx as nx
import numpy as np

from pvg.envs.graph_invariants import canonical_keys


def padded(graphs, n):
    """networkx graphs as adjacency ``[count, n, n]`` and sizes."""
    out = np.zeros((len(graphs), n, n), bool)
    for k, graph in enumerate(graphs):
        m = len(graph)
        out[k, :m, :m] = nx.to_numpy_array(graph) > 0
    return out, np.array([len(graph) for graph in graphs])


def to_networkx(adjacency, size):
    return nx.from_numpy_array(adjacency[:size, :size].astype(int))


def isomorphic(row):
    """By another algorithm than the one that made the labels (VF2 instead of canonical forms)."""
    first, second = (
        igraph.Graph(int(s), np.argwhere(np.triu(a)).tolist())
        for a, s in zip(row["adjacency"].numpy(), row["size"])
    )
    return first.isomorphic_vf2(second)


def keys_of(table):
    return set(canonical_keys(table["adjacency"], table["size"]).ravel().tolist())
