"""Tables of pairs: the mixture asked for, labels by another algorithm, and nothing that gives the label away."""

import igraph
import numpy as np
import pytest
import torch

from pvg.envs.graph_invariants import canonical_keys, relabel, wl_scores
from pvg.envs.graph_mixtures import mixture, regular_graphs, swap_edges
from pvg.envs.graphs import generate_pairs, generate_split
from pvg.errors import UserError
from tests.envs.pairs import isomorphic, keys_of


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
