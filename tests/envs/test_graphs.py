import time
import warnings
from itertools import combinations

import igraph
import networkx as nx
import numpy as np
import pytest
import torch
from networkx.generators.atlas import graph_atlas_g

from pvg.envs import graph6
from pvg.envs.graph_invariants import canonical_keys, relabel, split_of, wl_scores
from pvg.envs.graph_isomorphism import GraphIsomorphism
from pvg.envs.graph_mixtures import mixture, regular_graphs, swap_edges
from pvg.envs.graphs import generate_pairs, generate_split, read_pairs, write_pairs
from pvg.envs.protocols import adp, nip
from pvg.errors import UserError


def padded(graphs, n):
    """networkx graphs as adjacency ``[count, n, n]`` and sizes."""
    out = np.zeros((len(graphs), n, n), bool)
    for k, graph in enumerate(graphs):
        m = len(graph)
        out[k, :m, :m] = nx.to_numpy_array(graph) > 0
    return out, np.array([len(graph) for graph in graphs])


def score(first, second, n):
    adjacency, size = padded([first, second], n)
    return wl_scores(torch.from_numpy(adjacency)[None], torch.from_numpy(size)[None]).item()


def slow_score(first, second):
    """Colour refinement with dicts, as in a textbook."""
    if len(first) != len(second):
        return 1
    both = nx.disjoint_union(first, second)
    n, colour, colours = len(first), dict.fromkeys(both, 0), 1
    for round_ in range(1, 2 * n + 2):
        seen = {v: (colour[v], tuple(sorted(colour[u] for u in both[v]))) for v in both}
        names = {s: k for k, s in enumerate(sorted(set(seen.values())))}
        colour = {v: names[seen[v]] for v in both}
        if sorted(colour[v] for v in range(n)) != sorted(colour[v] for v in range(n, 2 * n)):
            return round_
        if len(names) == colours:
            return 0
        colours = len(names)


def to_networkx(adjacency, size):
    return nx.from_numpy_array(adjacency[:size, :size].astype(int))


def isomorphic(row):
    """By another algorithm than the one that made the labels (VF2 instead of canonical forms)."""
    first, second = (
        igraph.Graph(int(s), np.argwhere(np.triu(a)).tolist())
        for a, s in zip(row["adjacency"].numpy(), row["size"])
    )
    return first.isomorphic_vf2(second)


# ---------------------------------------------------------------------------------------------- colour refinement
def test_wl_scores_agree_with_a_textbook_on_all_graphs_of_seven_nodes_with_the_same_degrees():
    by_degrees = {}
    for graph in graph_atlas_g()[1:]:
        by_degrees.setdefault(tuple(sorted(d for _, d in graph.degree)), []).append(graph)
    pairs = [pair for graphs in by_degrees.values() for pair in combinations(graphs, 2)]
    first, size = padded([a for a, _ in pairs], 7)
    second, _ = padded([b for _, b in pairs], 7)
    scores = wl_scores(
        torch.from_numpy(np.stack([first, second], 1)), torch.from_numpy(np.stack([size, size], 1))
    )
    expected = [slow_score(a, b) for a, b in pairs]
    assert scores.tolist() == expected
    # Known: 6 and 7 nodes have such pairs that refinement can't tell apart (C6 and 2 C3 is one), smaller graphs none.
    assert {len(a) for (a, _), s in zip(pairs, expected) if s == 0} == {6, 7}
    assert {2, 3, 4} <= set(expected)


@pytest.mark.parametrize("n", [9, 13, 14, 17, 33, 70])  # one word of colours, two, many
def test_wl_scores_agree_with_networkx_and_the_textbook(n):
    table = generate_pairs(24, nodes=n, density=(0.1, 0.3), seed=n)
    for row in table:
        first, second = (to_networkx(a, n) for a in row["adjacency"].numpy())
        assert row["wl"].item() == slow_score(first, second)
        for graph in (first, second):
            nx.set_node_attributes(graph, "white", "colour")
        for rounds in range(1, 5):  # networkx's hash is of the colours of all rounds up to this one
            hashes = {
                nx.weisfeiler_lehman_graph_hash(g, node_attr="colour", iterations=rounds)
                for g in (first, second)
            }
            assert (len(hashes) == 1) == (row["wl"] == 0 or row["wl"].item() > rounds)


def test_wl_scores_of_known_pairs():
    assert score(nx.cycle_graph(6), nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)), 6) == 0
    rook = nx.line_graph(
        nx.complete_bipartite_graph(4, 4)
    )  # and Shrikhande's graph: strongly regular (16, 6, 2, 2)
    moves = [(0, 1), (1, 0), (1, 1)]
    shrikhande = nx.Graph(
        ((x, y), ((x + i) % 4, (y + j) % 4)) for x in range(4) for y in range(4) for i, j in moves
    )
    assert score(rook, shrikhande, 16) == 0 and not nx.is_isomorphic(rook, shrikhande)
    assert score(nx.path_graph(4), nx.star_graph(3), 4) == 1
    assert score(nx.path_graph(5), nx.disjoint_union(nx.cycle_graph(3), nx.path_graph(2)), 5) == 2
    assert score(nx.path_graph(5), nx.path_graph(4), 5) == 1
    # News of a path's end must reach the middle of the other path before the lengths show.
    paths = [nx.disjoint_union(nx.path_graph(k), nx.path_graph(20 - k)) for k in (8, 9)]
    assert score(*paths, 20) == slow_score(*paths) == 5


def test_wl_scores_ignore_padding_and_the_order_of_nodes():
    table = generate_pairs(200, seed=5)
    adjacency, size, wl = table["adjacency"], table["size"], table["wl"]
    wide = torch.nn.functional.pad(adjacency, (0, 4, 0, 4))
    order = torch.randperm(wide.shape[-1], generator=torch.Generator().manual_seed(0))
    assert torch.equal(wl_scores(wide, size), wl)
    assert torch.equal(wl_scores(wide[..., order, :][..., order], size), wl)
    assert wl_scores(adjacency[:0], size[:0]).shape == (0,)


# ---------------------------------------------------------------------------------------------- canonical forms
def test_canonical_keys_count_the_graphs_up_to_isomorphism():
    graphs = graph_atlas_g()[1:]
    adjacency, size = padded(graphs, 9)
    keys = canonical_keys(torch.from_numpy(adjacency), torch.from_numpy(size))
    assert len(np.unique(keys)) == len(graphs)
    rng = np.random.default_rng(0)
    orders = np.argsort(rng.random((len(graphs), 9)) + 9 * (np.arange(9) >= size[:, None]), 1)
    moved = canonical_keys(torch.from_numpy(relabel(adjacency, orders)), torch.from_numpy(size))
    assert (moved == keys).all()
    tight = canonical_keys(torch.from_numpy(adjacency[:, :7, :7].copy()), torch.from_numpy(size))
    assert (tight == keys).all()


def test_split_of_is_stable_and_has_its_share():
    keys = np.array([b"\x07" + bytes([a, b]) for a in range(256) for b in range(40)])
    test = split_of(keys, 0.25)
    assert abs(test.mean() - 0.25) < 0.02
    assert not (test & ~split_of(keys, 0.5)).any()
    assert split_of(keys[:8], 0.5).astype(int).tolist() == [1, 1, 1, 0, 0, 1, 0, 1]  # in every process


# ---------------------------------------------------------------------------------------------- swaps
def test_swaps_keep_what_they_should_and_change_what_they_may():
    rng = np.random.default_rng(0)
    graphs = generate_pairs(400, nodes=10, scores={1: 1}, seed=1)["adjacency"][:, 0].numpy()
    degrees = graphs.sum(2)
    plain = swap_edges(graphs, None, 64, rng, at_most=2)
    coloured = swap_edges(graphs, degrees, 64, rng, at_most=2)
    for swapped in (plain, coloured):
        assert (swapped.sum(2) == degrees).all() and (swapped == swapped.transpose(0, 2, 1)).all()
        assert not swapped[:, np.arange(10), np.arange(10)].any()
        assert set((swapped != graphs).sum((1, 2)).tolist()) <= {0, 8, 12, 16}
    seen = [
        np.sort(np.where(g, degrees[:, None], -1), 2) for g in (graphs, plain, coloured)
    ]  # neighbours' degrees
    assert (seen[0] == seen[2]).all() and (coloured != graphs).any((1, 2)).mean() > 0.2
    assert (seen[0] != seen[1]).any((1, 2)).mean() > 0.5


def test_regular_graphs_are_drawn_uniformly():
    # Of the 19,355 labelled cubic graphs on 8 nodes, each of the 6 unlabelled ones has 8!/|Aut| (OEIS A002829).
    graphs = regular_graphs(6000, 8, 3, np.random.default_rng(0))
    keys = canonical_keys(torch.from_numpy(graphs), torch.full((6000,), 8))
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    labelled = [
        40320 / igraph.Graph(8, np.argwhere(np.triu(graphs[k])).tolist()).count_automorphisms() for k in first
    ]
    assert len(first) == 6 and sum(labelled) == 19355
    expected = 6000 * np.array(labelled) / 19355
    assert ((counts - expected) ** 2 / expected).sum() < 20.5  # chi square, 5 degrees of freedom, p = .001


# ---------------------------------------------------------------------------------------------- tables
@pytest.fixture(scope="module")
def table():
    return generate_pairs(2000, seed=3)


def test_a_table_has_the_mixture_asked_for(table):
    label, wl, size = table["label"], table["wl"], table["size"]
    assert label.sum() == 1000 and (wl[label] == 0).all()
    scores = torch.bincount(wl[~label].int(), minlength=10)
    assert scores[1] == 100 and scores[2] == 200 and scores[0] + scores[3:].sum() == 700
    for half in (size[label], size[~label]):
        assert torch.bincount(half[:, 0].int())[7:].sub(200).abs().max() <= 3  # one for each score
    assert (size[:, 0] == size[:, 1]).all()
    assert {k: (v.dtype, *v.shape) for k, v in table.items()} == {
        "adjacency": (torch.bool, 2000, 2, 11, 11),
        "size": (torch.uint8, 2000, 2),
        "label": (torch.bool, 2000),
        "wl": (torch.uint8, 2000),
        "witness": (torch.uint8, 2000, 11),
    }


@pytest.mark.parametrize("count", [1, 2, 7, 33])
def test_small_tables_are_as_even_as_they_can_be(count):
    shares = torch.zeros(4)
    for seed in range(12):
        table = generate_pairs(count, nodes=(8, 9), scores={2: 0.5, 3: 0.5}, seed=seed)
        assert len(table) == count and table["label"].sum() == count // 2
        negatives = ~table["label"]
        assert abs((table["wl"][negatives] == 2).sum() - negatives.sum() / 2) < 1
        shares += torch.bincount(table["size"][:, 0].int() - 8, minlength=4)
    assert 0.3 * count * 12 < shares[0] < 0.7 * count * 12 or count < 7  # rounding favours no size


def test_labels_graphs_and_witnesses_are_right(table):
    adjacency, size, label = table["adjacency"].numpy(), table["size"][:, 0].numpy(), table["label"].numpy()
    assert (adjacency == adjacency.transpose(0, 1, 3, 2)).all() and not adjacency[
        ..., range(11), range(11)
    ].any()
    assert [isomorphic(row) for row in table[:600]] == label[:600].tolist()
    padding = np.arange(11) >= size[:, None]
    assert not (adjacency.any(-1) & padding[:, None]).any()
    edges = adjacency.sum((2, 3)) / (size * (size - 1))[:, None]
    assert (edges[:, 0] == edges[:, 1]).all() and edges.min() == 0.2 and edges.max() == 0.8
    witness = table["witness"].numpy().astype(int)
    assert (np.sort(witness, 1) == np.arange(11)).all() and (witness == np.arange(11))[padding].all()
    wrong = (relabel(adjacency[:, 1], witness) != adjacency[:, 0]).sum((1, 2))
    assert ((wrong == 0) == label).all()
    assert wrong[~label & (table["wl"].numpy() != 1)].max() <= 24  # three swaps of four edges, both ways
    assert torch.equal(wl_scores(table["adjacency"], table["size"]), table["wl"])


def test_regular_pairs():
    table = generate_pairs(300, nodes=(12, 20), scores={3: 1}, regular=1.0, degree=(3, 5), seed=2)
    degrees = table["adjacency"].sum(-1)
    degree, size = degrees.amax((1, 2)), table["size"][:, 0].int()
    there = torch.arange(20) < size[:, None]
    assert torch.equal(degrees, (degree[:, None] * there)[:, None].expand(-1, 2, -1))
    assert (table["wl"] == 0).all() and table["label"].sum() == 150
    assert [isomorphic(row) for row in table] == table["label"].tolist()
    assert set(degree.tolist()) == {3, 4, 5} and set(degree[size % 2 == 1].tolist()) == {4}
    for part in (size[table["label"]], size[~table["label"]]):
        assert torch.bincount(part)[12:].float().sub(150 / 9).abs().max() < 2


def test_half_regular_goes_for_both_labels():
    table = generate_pairs(400, nodes=(8, 10), regular=0.5, degree=4, seed=0)
    degrees = table["adjacency"][:, 0].sum(-1)
    regular = (degrees == 4).sum(-1) == table["size"][:, 0]
    assert (
        abs(regular[table["label"]].sum() - 70) <= 1 + 3 and abs(regular[~table["label"]].sum() - 70) <= 1 + 3
    )


def features(adjacency):
    """What one can easily say of a graph: edges, degrees, triangles, squares, the bits themselves."""
    a = adjacency.double()
    n = a.shape[-1]
    degrees = a.sum(-1)
    square = a @ a
    ordered = degrees.sort(-1).values
    cycles = torch.stack(
        [(square * a).sum((-1, -2)), (square * square).sum((-1, -2)), (a.sum(-1) > 0).sum(-1)], -1
    )
    bits = a[:, *torch.triu_indices(n, n, 1)]
    x = torch.cat([degrees.sum(-1, keepdim=True), ordered, ordered**2, cycles, degrees, bits], -1)
    return torch.cat([(x - x.mean(0)) / (x.std(0) + 1e-9), torch.ones(len(x), 1)], -1)


def held_out_accuracy(x, y):
    """Of a linear classifier (least squares) fitted to one half, on the other half."""
    half = len(x) // 2
    eye = torch.eye(x.shape[1], dtype=x.dtype)
    w = torch.linalg.solve(x[:half].T @ x[:half] + eye, x[:half].T @ (2 * y[:half].double() - 1))
    return ((x[half:] @ w > 0) == y[half:]).double().mean().item()


@pytest.mark.parametrize(
    "wanted", [{}, {"nodes": 7, "scores": {3: 1}}, {"nodes": (8, 10), "regular": 0.5, "degree": 4}]
)
def test_one_graph_alone_says_nothing_about_the_label(wanted):
    table = generate_pairs(12_000, seed=11, **wanted)
    for x in (features(table["adjacency"][:, g]) for g in range(2)):
        assert abs(held_out_accuracy(x, table["label"]) - 0.5) < 0.025  # four standard deviations
    # The same features would tell, had the positives been random graphs.
    random = generate_pairs(12_000, nodes=wanted.get("nodes", (7, 11)), scores={1: 1}, seed=1)["adjacency"][
        :, 0
    ]
    positive = table["label"][:, None, None]
    mixed = features(torch.where(positive, random, table["adjacency"][:, 0]))
    assert held_out_accuracy(mixed, table["label"]) > 0.57


def test_the_order_of_a_pair_says_nothing(table):
    triangles = [torch.einsum("bij,bjk,bki->b", *[table["adjacency"][:, g].float()] * 3) for g in range(2)]
    more = (triangles[0] > triangles[1]).sum().item()
    fewer = (triangles[0] < triangles[1]).sum().item()
    assert more + fewer > 400 and abs(more - fewer) < 4 * (more + fewer) ** 0.5


def test_one_seed_decides_everything():
    torch.manual_seed(0), np.random.seed(0)
    state = torch.get_rng_state(), np.random.get_state()[1].copy()
    first = generate_pairs(300, nodes=(7, 9), regular=0.3, degree=4, seed=8)
    assert torch.equal(state[0], torch.get_rng_state()) and (state[1] == np.random.get_state()[1]).all()
    torch.manual_seed(1), np.random.seed(1)
    again = generate_pairs(300, nodes=(7, 9), regular=0.3, degree=4, seed=8)
    other = generate_pairs(300, nodes=(7, 9), regular=0.3, degree=4, seed=9)
    assert (first == again).all() and not torch.equal(first["adjacency"], other["adjacency"])


# ---------------------------------------------------------------------------------------------- train and test
def keys_of(table):
    return set(canonical_keys(table["adjacency"], table["size"]).ravel().tolist())


def test_the_halves_share_no_graph():
    wanted = dict(nodes=(9, 11), regular=0.2, degree=(3, 5))
    train, test = generate_split(1500, 300, seed=0, **wanted)
    assert len(train) == 1500 and len(test) == 300
    assert not keys_of(train) & keys_of(test)
    for part, count in ((train, 1500), (test, 300)):
        negative = part["wl"][~part["label"]]
        assert (
            len(negative) == count / 2
            and (negative == 1).sum() == count / 20
            and (negative == 2).sum() == count / 10
        )
        assert [isomorphic(row) for row in part[:100]] == part["label"][:100].tolist()
    _, other = generate_split(0, 200, seed=1, nodes=(9, 11), density=(0.3, 0.5))
    assert len(other) == 200 and not keys_of(train) & keys_of(other)
    alone, nothing = generate_split(50, 0, nodes=(7, 9))
    assert len(alone) == 50 and len(nothing) == 0 and nothing["adjacency"].shape == (0, 2, 9, 9)


# ---------------------------------------------------------------------------------------------- mistakes
@pytest.mark.parametrize(
    "wanted, says",
    [
        (dict(nodes=3), "3 nodes"),
        (dict(nodes=(5, 8), scores={3: 1}), "5 nodes with WL score 3 or more"),
        (dict(nodes=7, density=0.05), "density"),
        (dict(nodes=7, density=(0.05, 0.06)), "density"),
        (dict(nodes=(11, 7)), "nodes"),
        (dict(nodes=(2, 300)), "255"),
        (dict(nodes=(2, 3, 4)), "nodes"),
        (dict(density=(0, 0.5)), "density"),
        (dict(scores={1: 0.5}), "add up to 1"),
        (dict(scores={0: 1}), "scores"),
        (dict(scores={1: 2, 2: -1}), "scores"),
        (dict(regular=2), "regular"),
        (dict(nodes=7, regular=1, degree=3), "degree=3"),
        (dict(nodes=(12, 20), regular=1, degree=1), "degree=1"),
        (dict(count=-1), "-1 pairs"),
    ],
)
def test_what_cannot_be_made_is_an_error(wanted, says):
    with pytest.raises(UserError) as error:
        generate_pairs(**{"count": 20, **wanted})
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_half_without_pairs_is_an_error():
    # There are two 4-regular graphs on 7 nodes, so one pair: it can't be in both halves.
    with pytest.raises(
        UserError, match=r"4-regular graphs on 7 nodes turned up for the (training|test) half"
    ):
        generate_split(100, 100, nodes=7, scores={3: 1}, regular=1, degree=4)
    with pytest.raises(UserError, match="test_share"):
        generate_split(10, 10, test_share=1)


def test_shares_of_a_mixture_add_up():
    kinds = mixture(nodes=(5, 20), regular=0.3, degree=(2, 4))
    assert sum(kinds.values()) == pytest.approx(1)
    assert sum(share for kind, share in kinds.items() if kind.degree) == pytest.approx(0.21)
    assert {kind.nodes for kind in kinds if kind.degree == 3} == set(range(6, 21, 2))


# ---------------------------------------------------------------------------------------------- files
@pytest.mark.parametrize("n", [1, 2, 3, 7, 11, 20, 62, 63, 100, 255])
def test_graph6_is_networkx_graph6(n):
    rng = np.random.default_rng(n)
    graphs = np.triu(rng.random((12, n, n)) < rng.random((12, 1, 1)), 1)
    graphs |= graphs.transpose(0, 2, 1)
    codes = graph6.encode(np.pad(graphs, ((0, 0), (0, 3), (0, 3))), np.full(12, n))
    assert codes == [nx.to_graph6_bytes(to_networkx(g, n), header=False).strip() for g in graphs]
    read, size = graph6.decode(codes)
    assert (read == graphs).all() and (size == n).all()


def test_graph6_of_many_sizes():
    table = generate_pairs(200, seed=0)
    graphs, size = table["adjacency"].flatten(0, 1).numpy(), table["size"].flatten().numpy()
    read, sizes = graph6.decode(graph6.encode(graphs, size))
    assert (read == graphs).all() and (sizes == size).all()
    long = (
        b"~??D" + graph6.encode(graphs[:1, :5, :5], np.array([5]))[0][1:]
    )  # a small size, written the long way
    read, sizes = graph6.decode([long, b"@", b"C~"])
    assert (
        sizes.tolist() == [5, 1, 4] and (read[0] == graphs[0, :5, :5]).all() and read[2, :4, :4].sum() == 12
    )
    assert graph6.decode([])[0].shape[0] == 0


def test_pairs_survive_a_file(tmp_path, table):
    write_pairs(tmp_path / "pairs.tsv", table)
    read = read_pairs(tmp_path / "pairs.tsv")
    for column in ("adjacency", "size", "label", "wl"):
        assert torch.equal(read[column], table[column]) and read[column].dtype == table[column].dtype
    label, witness = table["label"].numpy(), read["witness"].numpy().astype(int)
    assert read["witness"].dtype == torch.uint8
    mapped = relabel(table["adjacency"][:, 1].numpy(), witness)
    assert (mapped[label] == table["adjacency"][:, 0].numpy()[label]).all()
    assert (witness[~label] == np.arange(11)).all()
    assert [p.name for p in tmp_path.iterdir()] == ["pairs.tsv"]
    first = (tmp_path / "pairs.tsv").read_text().splitlines()[0].split("\t")
    assert first[0] == str(int(label[0])) and nx.from_graph6_bytes(first[1].encode()).number_of_edges() > 0


def test_pairs_of_a_file_may_differ_in_size(tmp_path):
    path = tmp_path / "pairs.tsv"
    c6, triangles, c5 = (
        nx.to_graph6_bytes(g, header=False).decode().strip()
        for g in (
            nx.cycle_graph(6),
            nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3)),
            nx.cycle_graph(5),
        )
    )
    path.write_bytes(f"0\t{c6}\t{triangles}\r\n\r\n0\t{c6}\t{c5}\r\n1\t{c5}\t{c5}".encode())
    table = read_pairs(path)
    assert table["size"].tolist() == [[6, 6], [6, 5], [5, 5]] and table["wl"].tolist() == [0, 1, 0]
    assert table["adjacency"].shape == (3, 2, 6, 6) and table["witness"][2, 5] == 5
    # five nodes and a sixth without edges are not the same graph
    lone = (
        nx.to_graph6_bytes(nx.disjoint_union(nx.cycle_graph(5), nx.empty_graph(1)), header=False)
        .decode()
        .strip()
    )
    path.write_text(f"0\t{lone}\t{c5}\n")
    assert read_pairs(path)["wl"].tolist() == [1]


GOOD = "1\tC~\tC~\n"


@pytest.mark.parametrize(
    "text, says",
    [
        ("", "no pairs"),
        ("\n \n", "no pairs"),
        (GOOD + "2\tC~\tC~\n", "line 2: '2\tC~\tC~' is not"),
        (GOOD + "\n" + GOOD + "1 C~ C~\n", "line 4"),
        (GOOD + "1\tC~\n", "line 2"),
        (GOOD + "1\tC~\tC~\tC~\n", "line 2"),
        (GOOD + "1\tC~\t\n", "line 2"),
        (GOOD + "1\tC~\tC~~\n", "line 2: the graph 'C~~' is 3 long, where 4 nodes take 2"),
        (GOOD + "1\tJ?\tC~\n", "line 2: the graph 'J?' is 2 long, where 11 nodes take 11"),
        (GOOD + "1\t~\tC~\n", "line 2"),
        (GOOD + "1\t~?\tC~\n", "line 2"),
        (GOOD + "1\tC~\t:Cdv\n", "line 2: the graph ':Cdv' has a character"),
        (GOOD + "1\tC~\tC\x80\n", "line 2"),
        (GOOD + "1\tB~\tBw\n", "line 2: the graph 'B~' has bits set behind"),
        (GOOD + "1\t?\t?\n", "line 2: the graph '?' has 0 nodes"),
        (GOOD + "1\t~?C?" + "?" * 5440 + "\tC~\n", "line 2: the graph '~?C?"),
        (GOOD + "1\t~~????C?\tC~\n", "line 2"),
        (GOOD + "0\tC~\tC~\n", "line 2: the two graphs are isomorphic"),
        (GOOD + "1\tC~\tC}\n", "line 2: the two graphs are not isomorphic"),
        (GOOD + "1\tC~\tB?\n", "line 2: the two graphs are not isomorphic"),
    ],
)
def test_a_corrupt_file_is_an_error_that_names_the_line(tmp_path, text, says):
    path = tmp_path / "pairs.tsv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UserError) as error:
        read_pairs(path)
    assert says in str(error.value) and str(path) in str(error.value) and len(str(error.value)) < 400


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_pairs(tmp_path / "none.tsv")
    with pytest.raises(UserError, match="directory"):
        read_pairs(tmp_path)


# ---------------------------------------------------------------------------------------------- files of an environment
KIND = dict(nodes=(7, 8), scores={1: 0.5, 2: 0.5})


def halves(env):
    return env.instances[: env.train_size], env.instances[env.train_size :]


@pytest.fixture
def file(tmp_path):
    """Writes a table to a file, by name."""

    def write(name, table):
        write_pairs(tmp_path / name, table)
        return str(tmp_path / name)

    return write


def test_a_file_of_training_pairs_is_held_out_of_the_training_pairs(file):
    drawn = generate_split(300, 0, **KIND)[0]
    with pytest.warns(UserWarning, match="of 300 training pairs .* others take their place") as said:
        env = GraphIsomorphism(nip(2), train=300, pairs=file("seen.tsv", drawn[:40]), **KIND)
    train, test = halves(env)
    assert len(train) == 300 and len(test) == 40
    assert keys_of(test) == keys_of(drawn[:40]) and not keys_of(train) & keys_of(test)
    shared = np.isin(canonical_keys(drawn["adjacency"], drawn["size"]), list(keys_of(test))).any(1).sum()
    assert str(said[0].message).startswith(f"{shared} of 300") and shared >= 40
    assert [isomorphic(row) for row in train[-60:]] == train["label"][-60:].tolist()
    assert abs(train["label"].sum() - 150) < 30


def test_a_file_that_shares_no_graph_changes_nothing(file):
    drawn, other = generate_split(200, 50, **KIND)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = GraphIsomorphism(nip(2), train=200, pairs=file("new.tsv", other), **KIND)
        alone = GraphIsomorphism(nip(2), train=1, train_pairs=file("train.tsv", drawn))
    alike = generate_split(200, 0, **KIND)[0]
    assert torch.equal(halves(env)[0]["adjacency"], alike["adjacency"]) and env.test_size == 50
    assert alone.train_size == 200 and alone.test_size == 0


def test_pairs_of_a_training_file_are_left_out_and_counted(file):
    drawn = generate_pairs(60, **KIND)
    moved = drawn[
        :10
    ].clone()  # the two graphs change places, and the first seven nodes (padding is last) theirs
    order = torch.tensor([4, 2, 6, 0, 1, 5, 3, 7])
    moved["adjacency"] = moved["adjacency"].flip(1)[..., order, :][..., order]
    paths = dict(train_pairs=file("train.tsv", drawn), pairs=file("test.tsv", moved))
    with pytest.warns(
        UserWarning, match=r"of 60 training pairs .*: they are left out, and (\d+) pairs are left"
    ):
        train, test = halves(GraphIsomorphism(adp(), **paths))
    assert 0 < len(train) <= 50 and len(test) == 10 and not keys_of(train) & keys_of(test)
    rest = [k for k, row in enumerate(drawn) if not keys_of(row[None]) & keys_of(test)]
    assert keys_of(train) == keys_of(drawn[rest]) and len(rest) == len(train)


def test_a_file_that_leaves_nothing_to_train_on_is_an_error(file):
    path = file("all.tsv", generate_pairs(20, **KIND))
    with pytest.raises(UserError, match=r"nothing is left to train on.*env\.train_pairs") as error:
        GraphIsomorphism(adp(), train_pairs=path, pairs=path)
    assert "\n" not in str(error.value) and path in str(error.value)
    regular = dict(nodes=(8, 8), scores={3: 1}, regular=1, degree=3)
    every = generate_pairs(300, **regular)
    assert len(keys_of(every)) == 6, "all there are"
    with pytest.raises(UserError, match="nothing is left to train on"):
        GraphIsomorphism(adp(), train=20, pairs=file("six.tsv", every), **regular)


def test_some_kinds_may_run_out(file):
    atlas = [g for g in graph_atlas_g() if len(g) == 5]
    adjacency, size = padded(atlas, 5)
    pair = {"adjacency": torch.from_numpy(adjacency[:, None].repeat(2, 1)), "size": torch.from_numpy(size)}
    table = generate_pairs(len(atlas), nodes=8, scores={1: 1}).select("label")
    table["label"], table["adjacency"] = torch.ones(len(atlas), dtype=torch.bool), pair["adjacency"]
    table["size"] = pair["size"][:, None].repeat(1, 2)
    with pytest.warns(UserWarning, match=r"([\d,]+) of 100 .*, and \d+ pairs are left") as said:
        env = GraphIsomorphism(
            adp(), train=100, pairs=file("five.tsv", table), nodes=(5, 6), density=(0.3, 0.7), scores={1: 1}
        )
    train, _ = halves(env)
    assert (train["size"] == 6).all() and f"{len(train)} pairs are left" in str(said[0].message)


def test_a_file_of_thousands_costs_little(file):
    table = generate_pairs(3000, seed=1)
    path = file("many.tsv", table)
    start = time.process_time()
    drawn = generate_split(4000, 0)[0]
    alone = time.process_time() - start
    with pytest.warns(UserWarning):
        GraphIsomorphism(adp(), train=4000, pairs=path)
    assert len(drawn) == 4000 and time.process_time() - start < 4 * alone + 2


@pytest.mark.parametrize("key", ["pairs", "train_pairs"])
def test_more_rounds_than_nodes_of_a_file_is_an_error_that_names_the_line(tmp_path, key):
    path = tmp_path / "small.tsv"
    path.write_text("1\tC~\tC~\n\n0\tC~\tA_\n1\tA_\tA_\n")
    options = {"train": 20, **KIND, key: str(path)}
    with pytest.raises(UserError, match=rf"rounds=3: .*{path}, line 3 has a graph of 2 nodes") as error:
        GraphIsomorphism(nip(3), **options)
    assert "\n" not in str(error.value) and "at most 2 rounds" in str(error.value)
    for protocol, asked in ((nip(2), {}), (nip(3), {"questions": "none"})):
        env = GraphIsomorphism(protocol, **options, **asked)
        assert env.instances["size"].min() == 2


def test_more_rounds_than_nodes_of_generated_graphs_is_an_error():
    with pytest.raises(UserError, match=r"rounds=9: .* the smallest graph has 7 nodes"):
        GraphIsomorphism(nip(9), train=20, test=10, **KIND)
