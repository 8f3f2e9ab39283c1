"""Tables of graph pairs, generated or read from a file, in which every label is proved.

A table is a TensorDict of batch ``[count]``; graphs are padded with nodes that have no edges:

===========  =====================  ======================================================================
adjacency    bool  [count, 2, n, n] the two graphs, A and B
size         uint8 [count, 2]       their numbers of nodes (equal if generated; pairs of a file may differ)
label        bool  [count]          isomorphic or not
wl           uint8 [count]          rounds of colour refinement that tell A from B; 0: no number of them does
witness      uint8 [count, n]       node i of A goes to node ``witness[i]`` of B; padding goes to itself
===========  =====================  ======================================================================
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from tensordict import TensorDict

from pvg.envs import graph6
from pvg.envs.graph_invariants import (
    MAX_NODES,
    canonical_keys,
    canonical_orders,
    relabel,
    split_of,
    wl_scores,
)
from pvg.envs.graph_mixtures import Graphs, Kind, mixture
from pvg.errors import UserError

Found = tuple[Graphs, NDArray[np.uint8]]  # pairs [found, 2, n, n] and their WL scores

PATIENCE = 1 << 15  # draws in a row without a find, after which a kind of pair counts as impossible
REPLENISHED = 8  # times at most that pairs are generated in place of those left out
AT_ONCE = 1 << 19  # entries of the adjacency matrices drawn at once: they fit in the cache


def generate_pairs(count: int, *, seed: int = 0, **wanted) -> TensorDict:
    """Make a table of pairs, half of them isomorphic, of exactly the mixture wanted (up to rounding).

    A negative is a pair of different graphs of some kind (:class:`~pvg.envs.graph_mixtures.Kind`): one is the
    other after one to three edge swaps that keep what the first rounds of refinement see, or, at score 1, an
    independent graph with as many edges. A positive is one graph of such a pair, twice; it takes another pair
    each time. The order of A and B and of all nodes is random. So one graph alone says nothing of the label.

    Labels are proved: a positive by its witness, a negative by colours that differ or, where they don't, by
    canonical forms that do. The witness of a negative is the map along which the edges were swapped, wrong for
    a few edges only (at score 1: a random permutation).

    Args:
        count: number of pairs.
        seed: decides everything.
        wanted: ``nodes``, ``density``, ``scores``, ``regular``, ``degree``:
            see :func:`~pvg.envs.graph_mixtures.mixture`.

    Raises:
        UserError: for arguments out of range, and for kinds of pairs that can't be found.
    """
    return _generate([count], mixture(**wanted), np.random.default_rng(seed))[0]


def generate_split(
    train: int, test: int, *, test_share: float = 0.25, seed: int = 0, **wanted
) -> tuple[TensorDict, TensorDict]:
    """Make two tables that share no graph up to isomorphism, each as :func:`generate_pairs` would.

    Every graph belongs to one half (:func:`~pvg.envs.graph_invariants.split_of`), whatever the seed, and pairs
    across the halves are dropped: of those found (1 - s)² are left for training and s² for the test, s being
    ``test_share``. A quarter suits ten times as much training as test.

    Args:
        train: number of pairs of the first table, 0 for none.
        test: number of pairs of the second table, 0 for none.
        test_share: share of all graphs, up to isomorphism, that belong to the test.
        seed: decides everything else.
        wanted: as for :func:`generate_pairs`.

    Raises:
        UserError: as :func:`generate_pairs`, also for kinds of which one half has no pair.
    """
    if not 0 < test_share < 1:
        raise UserError(f"test_share={test_share}: write a share between 0 and 1.")
    first, second = _generate([train, test], mixture(**wanted), np.random.default_rng(seed), test_share)
    return first, second


def read_pairs(path: str | os.PathLike) -> TensorDict:
    """Read a table from lines of ``label<TAB>graph6<TAB>graph6``; label 1 is isomorphic, 0 is not.

    Labels are checked by canonical forms; WL scores are computed, and witnesses of isomorphic pairs (others
    get the identity). The graphs of a pair may differ in size. Blank lines don't count.

    Raises:
        UserError: for a file without pairs, and for a line that can't be read or has the wrong label.
    """
    lines, labels, codes = _fields(path)
    try:
        graphs, sizes = graph6.decode(codes, MAX_NODES)
    except graph6.Graph6Error as error:
        raise UserError(
            f"{path}, line {lines[error.index // 2]}: {error}. Correct or remove the line."
        ) from None
    adjacency, size = graphs.reshape(len(lines), 2, *graphs.shape[1:]), sizes.reshape(-1, 2)
    tensors = torch.from_numpy(adjacency), torch.from_numpy(size)
    orders = canonical_orders(*tensors)
    forms = relabel(adjacency, orders)
    same = (size[:, 0] == size[:, 1]) & (forms[:, 0] == forms[:, 1]).all((1, 2))
    for k in np.flatnonzero(labels != same)[:1]:
        truth = "isomorphic, so the label must be 1" if same[k] else "not isomorphic, so the label must be 0"
        raise UserError(f"{path}, line {lines[k]}: the two graphs are {truth}. Correct or remove the line.")
    place = np.argsort(orders[:, 0], -1)
    witness = np.where(
        labels[:, None], np.take_along_axis(orders[:, 1], place, -1), np.arange(place.shape[1])
    )
    return _tensors(adjacency, size, labels, wl_scores(*tensors).numpy(), witness)


def line_of(path: str | os.PathLike, row: int) -> int:
    """The line of a file that the row of its table (:func:`read_pairs`) comes from, counted from 1."""
    return _fields(path)[0][row]


def without(table: TensorDict, held_out: TensorDict) -> TensorDict:
    """The pairs of a table of which neither graph is isomorphic to one of another table."""
    keys, known = (canonical_keys(t["adjacency"], t["size"]) for t in (table, held_out))
    return table[torch.from_numpy(~np.isin(keys, known).any(-1))]


def replenish(table: TensorDict, count: int, held_out: TensorDict, *, seed: int = 0, **wanted) -> TensorDict:
    """Bring a table to ``count`` pairs, of the training half and with no graph of ``held_out``, if so many turn up.

    Args:
        table: pairs to keep.
        count: of pairs wanted.
        held_out: no pair that is added has a graph isomorphic to one of this table.
        seed, wanted: as for :func:`generate_split`; the same seed gives other pairs here.
    """
    for attempt in range(1, REPLENISHED + 1):
        before = len(table)
        if before == count:
            break
        more, _ = generate_split(count - before, 0, seed=seed + (attempt << 64), **wanted)
        table = torch.cat([table, without(more, held_out)])
        if len(table) == before:
            break
    return table


def write_pairs(path: str | os.PathLike, table: TensorDict) -> None:
    """Write ``adjacency``, ``size`` and ``label`` of a table as :func:`read_pairs` reads them, all or nothing."""
    graphs, sizes = table["adjacency"].flatten(0, 1).cpu().numpy(), table["size"].flatten().cpu().numpy()
    codes = graph6.encode(graphs, sizes)
    part = Path(f"{os.fspath(path)}.part")
    pairs = zip(table["label"].tolist(), codes[::2], codes[1::2])
    part.write_bytes(b"".join(b"%d\t%s\t%s\n" % pair for pair in pairs))
    part.replace(path)


def _generate(
    counts: list[int], kinds: dict[Kind, float], rng: Generator, test_share: float = 0
) -> list[TensorDict]:
    if min(counts) < 0:
        raise UserError(f"{min(counts)} pairs are wanted: write 0 or more.")
    shares = np.cumsum(list(kinds.values()))
    quotas = []  # for each table [negatives and positives, kinds]
    for count in counts:
        chance = rng.random()  # rounds up or down without favour, and keeps the sum of every score's kinds
        ends = np.floor(np.round(np.outer([count - count // 2, count // 2], shares), 6) + chance).astype(int)
        quotas.append(np.diff(ends, prepend=0))
    found = [
        _find(kind, [int(quota[:, k].sum()) for quota in quotas], test_share, rng)
        for k, kind in enumerate(kinds)
    ]
    most = max(kind.nodes for kind in kinds)
    return [_table(pairs, quota[0], most, rng) for pairs, quota in zip(zip(*found), quotas)]


def _find(kind: Kind, needed: list[int], test_share: float, rng: Generator) -> list[Found]:
    """Find as many pairs of a kind as each half needs (or the only table)."""
    found: list[list[Found]] = [[] for _ in needed]
    missing = np.array(needed)
    drawn, hits, idle = 1, np.ones(len(needed)), 0  # a first guess: every draw is a find
    while missing.any():
        count = int(np.clip(1.1 * (missing * drawn / hits).max(), 64, max(64, AT_ONCE // kind.nodes**2)))
        pairs, wl = kind.draw(count, rng)
        half = _half(pairs, wl, test_share)
        drawn, idle = drawn + count, idle + count
        for h in np.flatnonzero(missing):
            mine = np.flatnonzero(half == h)
            hits[h] += len(mine)
            if len(mine):
                mine, idle = mine[: missing[h]], 0
                missing[h] -= len(mine)
                found[h].append((pairs[mine], wl[mine]))
        if idle >= PATIENCE:
            raise UserError(_not_found(kind, idle, missing))
    none = np.zeros((0, 2, kind.nodes, kind.nodes), bool), np.zeros(0, np.uint8)
    columns = [list(zip(none, *parts)) for parts in found]
    return [(np.concatenate(pairs), np.concatenate(wl)) for pairs, wl in columns]


def _not_found(kind: Kind, idle: int, missing: NDArray[np.int64]) -> str:
    half, share = "", ""
    if len(missing) > 1:
        half, share = f" for the {('training', 'test')[missing.argmax()]} half", " a test_share nearer to .5,"
    return (
        f"No {kind} turned up{half} in {idle:,} draws, but {missing.max():,} more are needed: there are none, or "
        f"too few. Take larger nodes, a wider density, other degrees,{share} or give these pairs no share."
    )


def _half(pairs: Graphs, wl: NDArray[np.uint8], test_share: float) -> NDArray[np.int64]:
    """To which table pairs belong; -1 to none, as they are isomorphic, or have a graph in each half."""
    half = np.zeros(len(pairs), np.int64)
    # Colours that differ prove that two graphs do; for others, and to divide them, canonical forms are needed.
    look = np.flatnonzero((wl == 0) | (test_share > 0))
    keys = canonical_keys(torch.from_numpy(pairs[look]), torch.full((len(look), 2), pairs.shape[-1]))
    test = split_of(keys, test_share)
    half[look] = np.where((keys[:, 0] == keys[:, 1]) | (test[:, 0] != test[:, 1]), -1, test[:, 0])
    return half


def _table(found: tuple[Found, ...], negatives: NDArray[np.int64], n: int, rng: Generator) -> TensorDict:
    """Mix the kinds: of each the first pairs become negatives, the others positives."""
    count = sum(len(scores) for _, scores in found)
    adjacency = np.zeros((count, 2, n, n), bool)
    size, wl, label = np.zeros(count, np.uint8), np.zeros(count, np.uint8), np.zeros(count, bool)
    rows = rng.permutation(count)
    for (pairs, scores), negative in zip(found, negatives):
        mine, rows = rows[: len(pairs)], rows[len(pairs) :]
        each, m = np.arange(len(pairs)), pairs.shape[-1]
        positive = each >= negative
        first = rng.integers(0, 2, len(pairs))
        adjacency[mine, 0, :m, :m] = pairs[each, first]
        adjacency[mine, 1, :m, :m] = pairs[each, np.where(positive, first, 1 - first)]
        size[mine], label[mine], wl[mine] = m, positive, np.where(positive, 0, scores)
    node = np.arange(n)
    orders = np.argsort(rng.random((count, 2, n)) + node * (node >= size[:, None, None]), -1)  # padding stays
    witness = np.take_along_axis(np.argsort(orders[:, 1], -1), orders[:, 0], -1)
    return _tensors(relabel(adjacency, orders), np.stack([size, size], 1), label, wl, witness)


def _tensors(adjacency, size, label, wl, witness) -> TensorDict:
    bits = dict(adjacency=adjacency, label=label)
    numbers = dict(size=size, wl=wl, witness=witness)
    columns = bits | {name: column.astype(np.uint8) for name, column in numbers.items()}
    return TensorDict({name: torch.from_numpy(c) for name, c in columns.items()}, batch_size=[len(label)])


def _fields(path: str | os.PathLike) -> tuple[list[int], NDArray[np.bool_], list[bytes]]:
    """The numbers and labels of all lines with a pair, and their graphs one after the other."""
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise UserError(
            f"{path} can't be read ({error.strerror}): give the path of a file of pairs."
        ) from None
    form = "a label (1 isomorphic, 0 not) and two graphs in graph6, with a tab between each"
    lines, labels, codes = [], [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            label, *graphs = map(bytes.strip, line.split(b"\t"))
            if label not in (b"0", b"1") or len(graphs) != 2:
                shown = line[:60].decode("ascii", "backslashreplace")
                raise UserError(
                    f"{path}, line {number}: '{shown}' is not {form}. Correct or remove the line."
                )
            lines.append(number)
            labels.append(label == b"1")
            codes += graphs
    if not lines:
        raise UserError(f"{path} has no pairs: write a line for each, {form}.")
    return lines, np.array(labels), codes
